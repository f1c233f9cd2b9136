/* The quota speaks in the call that writes. */
#include "streams.h"

/* ------------------------------------------------------- each way of writing */

static int by_fprintf(FILE *stream, const char *text)
{
    return fprintf(stream, "%s", text);
}

static int by_fputs(FILE *stream, const char *text)
{
    return fputs(text, stream);
}

static int by_fputc(FILE *stream, const char *text)
{
    for (; *text != '\0'; text++)
        if (fputc(*text, stream) == EOF)
            return EOF;
    return 0;
}

static int by_fwrite(FILE *stream, const char *text)
{
    return fwrite(text, 1, strlen(text), stream) == strlen(text) ? 0 : EOF;
}

__attribute__((format(printf, 2, 3))) static int pass_list(FILE *stream, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int result = vfprintf(stream, format, list);
    va_end(list);
    return result;
}

static int by_vfprintf(FILE *stream, const char *text)
{
    return pass_list(stream, "%d%s", 1, text);
}

typedef int (*writer)(FILE *stream, const char *text);

static const writer writers[] = {by_fprintf, by_fputs, by_fputc, by_fwrite, by_vfprintf};

/* A file that ends with a page, so that a byte more needs another. */
static void put_whole_page(memfs *fs, const char *path)
{
    put_pattern(fs, path, 4096, 1);
}

static void check_refused(struct fixture *f, writer write_text, const char *mode)
{
    put_whole_page(f->fs, "/file");
    FILE *stream = open_stream(f->fs, "/file", mode);
    assert_int_equal(fseek(stream, 0, SEEK_END), 0);
    fixture_leave(f, 0);
    errno = 0;
    assert_true(write_text(stream, "text") < 0);
    assert_int_equal(errno, EDQUOT);
    assert_true(ferror(stream) != 0);
    assert_int_equal(stat_of(f->fs, "/file").size_bytes, 4096);
    fixture_set_quota(f, 16 << 20);
    clearerr(stream);
    assert_true(write_text(stream, "text") >= 0);
    close_stream(stream);
    assert_true(stat_of(f->fs, "/file").size_bytes >= 4100);
}

static void a_refused_write_fails_in_the_call_that_writes(void **state)
{
    struct fixture *f = *state;
    static const char *const modes[] = {"a", "r+", "a+"};
    for (size_t i = 0; i < COUNT_OF(writers); i++)
        for (size_t j = 0; j < COUNT_OF(modes); j++)
            check_refused(f, writers[i], modes[j]);
}

static void closing_after_a_refusal_succeeds_and_has_nothing_to_write(void **state)
{
    struct fixture *f = *state;
    put_whole_page(f->fs, "/file");
    FILE *stream = open_stream(f->fs, "/file", "a");
    fixture_leave(f, 0);
    assert_true(fprintf(stream, "%d", 5) < 0);
    assert_int_equal(fflush(stream), 0);
    close_stream(stream);
    assert_int_equal(stat_of(f->fs, "/file").size_bytes, 4096);
    fixture_set_quota(f, 16 << 20);
}

static void what_fprintf_passes_on_is_written_whole_or_not_at_all(void **state)
{
    struct fixture *f = *state;
    FILE *stream = open_stream(f->fs, "/file", "w");
    fixture_leave(f, 8 * 4096);
    char *text = malloc(100001);
    assert_non_null(text);
    memset(text, 'x', 100000);
    text[100000] = '\0';
    errno = 0;
    assert_int_equal(fwrite(text, 1, 100000, stream), 0);
    assert_int_equal(errno, EDQUOT);
    assert_int_equal(stat_of(f->fs, "/file").size_bytes, 0);
    assert_true(fprintf(stream, "%s", text) < 0);
    assert_int_equal(errno, EDQUOT);
    assert_true(stat_of(f->fs, "/file").size_bytes < 8 * 4096);
    free(text);
    close_stream(stream);
    fixture_set_quota(f, 16 << 20);
}

static void the_node_limit_is_heard_of_too(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_set_node_limit(f->fs, 1));
    assert_no_stream(memfs_fopen(f->fs, "/file", "w"), ENOSPC);
    assert_ok(memfs_set_node_limit(f->fs, 0));
}

static void a_file_too_large_is_heard_of_too(void **state)
{
    struct fixture *f = *state;
    FILE *stream = open_stream(f->fs, "/file", "w");
    assert_int_equal(fseeko(stream, INT64_MAX, SEEK_SET), 0);
    errno = 0;
    assert_int_equal(fputc('x', stream), EOF);
    assert_int_equal(errno, EFBIG);
    close_stream(stream);
}

/* ------------------------------------------------------------------- reading */

static void a_stream_reads_without_a_buffer_where_there_is_no_room_for_one(void **state)
{
    struct fixture *f = *state;
    char line[20];
    put(f->fs, "/file", "first\nsecond\n");
    fixture_leave(f, 0);
    FILE *stream = NULL;
    uint64_t more = 0;
    for (; stream == NULL; more += 64) {
        fixture_leave(f, more);
        stream = memfs_fopen(f->fs, "/file", "r");
        assert_true(stream != NULL || errno == EDQUOT);
        assert_true(more < 100000);
    }
    assert_non_null(fgets(line, sizeof line, stream));
    assert_string_equal(line, "first\n");
    assert_non_null(fgets(line, sizeof line, stream));
    assert_string_equal(line, "second\n");
    close_stream(stream);
    fixture_set_quota(f, 16 << 20);
}

/* ------------------------------------------------------------------- buffers */

static void with_a_buffer_of_the_programs_the_flush_is_refused(void **state)
{
    struct fixture *f = *state;
    static char buffer[512];
    put_whole_page(f->fs, "/file");
    FILE *stream = open_stream(f->fs, "/file", "a");
    assert_int_equal(setvbuf(stream, buffer, _IOFBF, sizeof buffer), 0);
    fixture_leave(f, 0);
    assert_int_equal(fprintf(stream, "%d", 12345), 5);
    errno = 0;
    assert_int_equal(fclose(stream), EOF);
    assert_int_equal(errno, EDQUOT);
    assert_int_equal(statfs_of(f->fs).open_files, 0);
    assert_int_equal(stat_of(f->fs, "/file").size_bytes, 4096);
    fixture_set_quota(f, 16 << 20);
}

static void what_was_promised_room_is_written_at_a_full_quota(void **state)
{
    struct fixture *f = *state;
    static const char *const modes[] = {"w", "r+", "a"};
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        memfs_stdio_options options = {
            .struct_size = sizeof options, .buffer_bytes = 3000, .room_bytes = 100000};
        put_pattern(f->fs, "/file", 10000, 3);
        FILE *stream = memfs_fopen_with(f->fs, "/file", modes[i], &options);
        assert_non_null(stream);
        fixture_leave(f, 0);
        uint64_t start = i == 2 ? 10000 : 0;
        for (int line = 0; line < 10000; line++)
            assert_int_equal(fprintf(stream, "%09d\n", line), 10);
        assert_int_equal(fflush(stream), 0);
        assert_int_equal(stat_of(f->fs, "/file").size_bytes, start + 100000);
        close_stream(stream);
        fixture_set_quota(f, 16 << 20);
        assert_int_equal(stat_of(f->fs, "/file").preallocated_bytes, 0);
    }
}

static void a_copy_made_meanwhile_takes_none_of_the_room(void **state)
{
    struct fixture *f = *state;
    memfs_stdio_options options = {
        .struct_size = sizeof options, .buffer_bytes = 3000, .room_bytes = 10000};
    put_pattern(f->fs, "/file", 10000, 3);
    assert_ok(memfs_copy(f->fs, "/file", "/before", 0));
    FILE *stream = memfs_fopen_with(f->fs, "/file", "r+", &options);
    assert_non_null(stream);
    assert_ok(memfs_copy(f->fs, "/file", "/meanwhile", 0));
    fixture_leave(f, 0);
    for (int line = 0; line < 1000; line++)
        assert_int_equal(fprintf(stream, "%09d\n", line), 10);
    close_stream(stream);
    fixture_set_quota(f, 16 << 20);
}

static void room_that_was_not_used_is_given_back(void **state)
{
    struct fixture *f = *state;
    memfs_stdio_options options = {
        .struct_size = sizeof options, .flags = MEMFS_STDIO_KEEP_HANDLE, .room_bytes = 1 << 20};
    memfs_file *file = create_file(f->fs, "/file");
    assert_ok(memfs_preallocate(file, 50000));
    uint64_t used = used_bytes(f->fs), room = fstat_of(file).preallocated_bytes;
    FILE *stream = memfs_fdopen_with(file, "w", &options);
    assert_non_null(stream);
    assert_true(used_bytes(f->fs) > used + 900000);
    close_stream(stream);
    assert_int_equal(fstat_of(file).preallocated_bytes, room);
    assert_int_equal(used_bytes(f->fs), used);
    assert_ok(memfs_close(file));
}

static void room_that_does_not_fit_is_refused_at_once(void **state)
{
    struct fixture *f = *state;
    memfs_stdio_options options = {.struct_size = sizeof options, .room_bytes = 64 << 20};
    put_pattern(f->fs, "/file", 10000, 3);
    assert_no_stream(memfs_fopen_with(f->fs, "/file", "a", &options), EDQUOT);
    memfs_file *file = open_file(f->fs, "/file", MEMFS_O_RDWR);
    assert_no_stream(memfs_fdopen_with(file, "r+", &options), EDQUOT);
    check_pattern(file, 10000, 0, 3);
    assert_int_equal(fstat_of(file).preallocated_bytes, 0);
    assert_ok(memfs_close(file));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_refused_write_fails_in_the_call_that_writes),
        FS_TEST(closing_after_a_refusal_succeeds_and_has_nothing_to_write),
        FS_TEST(what_fprintf_passes_on_is_written_whole_or_not_at_all),
        FS_TEST(the_node_limit_is_heard_of_too),
        FS_TEST(a_file_too_large_is_heard_of_too),
        FS_TEST(a_stream_reads_without_a_buffer_where_there_is_no_room_for_one),
        FS_TEST(with_a_buffer_of_the_programs_the_flush_is_refused),
        FS_TEST(what_was_promised_room_is_written_at_a_full_quota),
        FS_TEST(a_copy_made_meanwhile_takes_none_of_the_room),
        FS_TEST(room_that_was_not_used_is_given_back),
        FS_TEST(room_that_does_not_fit_is_refused_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
