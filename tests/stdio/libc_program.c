/*
 * What must hold of streams in every C library, without a test framework: a write that is refused
 * fails in its call, with errno, and closing succeeds.  A number that is not 0 says which check
 * failed.
 */
#include <memfs/stdio.h>

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define CHECK_THAT(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "line %d: %s (errno %d)\n", __LINE__, #condition, errno); \
            return 1; \
        } \
    } while (0)

__attribute__((format(printf, 2, 3))) static int pass_on(FILE *stream, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int result = vfprintf(stream, format, list);
    va_end(list);
    return result;
}

static int check_full(memfs *fs)
{
    static char flood[1 << 20];
    FILE *stream = memfs_fopen(fs, "/file", "a");
    CHECK_THAT(stream != NULL);
    for (int call = 0; call < 5; call++) {
        memset(flood, 'x', sizeof flood - 1);
        errno = 0;
        int result = call == 0   ? fprintf(stream, "%s", flood)
                     : call == 1 ? fputs(flood, stream)
                     : call == 2 ? pass_on(stream, "%s", flood)
                     : call == 3 ? (fwrite(flood, 1, sizeof flood, stream) < sizeof flood ? -1 : 0)
                                 : 0;
        while (call == 4 && result != EOF)
            result = fputc('x', stream);
        CHECK_THAT(result < 0);
        CHECK_THAT(errno == EDQUOT);
        clearerr(stream);
    }
    CHECK_THAT(fclose(stream) == 0);
    return 0;
}

static int check_work(memfs *fs)
{
    char line[32];
    int number;
    FILE *stream = memfs_fopen(fs, "/numbers", "w+");
    CHECK_THAT(stream != NULL);
    CHECK_THAT(fileno(stream) == -1);
    CHECK_THAT(fprintf(stream, "%d lines\n", 12) == 9);
    CHECK_THAT(fseeko(stream, 0, SEEK_SET) == 0);
    CHECK_THAT(fscanf(stream, "%d", &number) == 1 && number == 12);
    CHECK_THAT(ungetc('7', stream) == '7');
    CHECK_THAT(fgets(line, sizeof line, stream) != NULL && strcmp(line, "7 lines\n") == 0);
    CHECK_THAT(fgetc(stream) == EOF && feof(stream));
    CHECK_THAT(fseek(stream, -3, SEEK_END) == 0 && ftello(stream) == 6);
    CHECK_THAT(fputs("!", stream) >= 0 && ftello(stream) == 7);
    CHECK_THAT(fclose(stream) == 0);
    stream = memfs_fopen(fs, "/numbers", "r");
    CHECK_THAT(stream != NULL);
    CHECK_THAT(fgets(line, sizeof line, stream) != NULL && strcmp(line, "12 lin!s\n") == 0);
    CHECK_THAT(fputc('x', stream) == EOF);
    CHECK_THAT(fclose(stream) == 0);
    return 0;
}

int main(void)
{
    memfs *fs;
    memfs_config config = memfs_config_default();
    config.quota_bytes = 256 << 10;
    if (memfs_create(&config, &fs) != 0 || check_work(fs) != 0 || check_full(fs) != 0)
        return 1;
    return memfs_destroy(fs, 0) == 0 ? 0 : 1;
}
