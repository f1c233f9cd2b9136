/* Code that takes a FILE * works on a bounded tree, and hears of the limit when it writes. */
#include <memfs/stdio.h>

#include <errno.h>
#include <string.h>

int main(void)
{
    memfs *fs;
    char line[80];
    memfs_config config = memfs_config_default();
    config.quota_bytes = 64 << 10;
    if (memfs_create(&config, &fs) != 0)
        return 1;

    FILE *out = memfs_fopen(fs, "/squares.txt", "w");
    int number = 0;
    while (out != NULL && fprintf(out, "%d squared is %d\n", number, number * number) >= 0)
        number++;
    printf("line %d was refused: %s\n", number + 1, strerror(errno));
    if (out == NULL || fclose(out) != 0) /* nothing is left to write: it succeeds */
        return 1;

    FILE *in = memfs_fopen(fs, "/squares.txt", "r");
    for (int i = 0; in != NULL && i < 3 && fgets(line, sizeof line, in) != NULL; i++)
        fputs(line, stdout);
    return in == NULL || fclose(in) != 0 || memfs_destroy(fs, 0) != 0;
}
