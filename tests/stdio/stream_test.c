/* Streams do on a memfs what they do on a disk. */
#include "streams.h"

#include <stdbool.h>
#include <unistd.h>

/* --------------------------------------------------------------------- modes */

static void check_mode(memfs *fs, const char *mode)
{
    memfs_file *file = NULL;
    char path[32];
    snprintf(path, sizeof path, "/%s", strchr(mode, 'x') != NULL ? "new" : "there");
    int error = memfs_open_mode(fs, path, mode, &file);
    if (error == 0)
        assert_ok(memfs_close(file));
    (void)memfs_unlink(fs, "/new");
    errno = 0;
    FILE *stream = memfs_fopen(fs, path, mode);
    assert_int_equal(stream == NULL ? errno : 0, memfs_errno(error));
    if (stream != NULL)
        close_stream(stream);
    (void)memfs_unlink(fs, "/new");
}

static void a_mode_is_valid_where_memfs_open_mode_has_it_so(void **state)
{
    struct fixture *f = *state;
    static const char letters[] = "rwax+bte,R";
    size_t count = sizeof letters - 1;
    put(f->fs, "/there", "text");
    char mode[5] = "";
    check_mode(f->fs, mode);
    for (size_t number = 0; number < count * count * count * count; number++) {
        size_t rest = number;
        for (int i = 0; i < 4; i++, rest /= count)
            mode[i] = letters[rest % count];
        for (int length = 4; length > 0; length--) {
            mode[length] = '\0';
            if (length == 4 || number % count == 0)
                check_mode(f->fs, mode);
        }
    }
    assert_no_stream(memfs_fopen(f->fs, "/there", NULL), EINVAL);
}

static void each_mode_does_what_c_says(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *mode;
        bool creates, empties, reads, writes, appends;
    } rows[] = {
        {"r", false, false, true, false, false}, {"rb", false, false, true, false, false},
        {"r+", false, false, true, true, false}, {"r+b", false, false, true, true, false},
        {"w", true, true, false, true, false},   {"wb", true, true, false, true, false},
        {"w+", true, true, true, true, false},   {"wb+e", true, true, true, true, false},
        {"a", true, false, false, true, true},   {"ab", true, false, false, true, true},
        {"a+", true, false, true, true, true},   {"ab+", true, false, true, true, true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        FILE *stream = memfs_fopen(f->fs, "/absent", rows[i].mode);
        assert_int_equal(stream != NULL, rows[i].creates);
        if (stream != NULL) {
            close_stream(stream);
            assert_int_equal(stat_of(f->fs, "/absent").mode, 0666);
            assert_ok(memfs_unlink(f->fs, "/absent"));
        }
        put(f->fs, "/there", "12345");
        stream = open_stream(f->fs, "/there", rows[i].mode);
        assert_int_equal(stat_of(f->fs, "/there").size_bytes, rows[i].empties ? 0 : 5);
        assert_int_equal(fgetc(stream) != EOF, rows[i].reads && !rows[i].empties);
        assert_int_equal(ferror(stream) != 0, !rows[i].reads);
        clearerr(stream);
        assert_int_equal(fseek(stream, 0, SEEK_SET), 0);
        assert_int_equal(fputs("ab", stream) >= 0, rows[i].writes);
        clearerr(stream);
        close_stream(stream);
        assert_text(f->fs, "/there",
                    !rows[i].writes   ? "12345"
                    : rows[i].empties ? "ab"
                    : rows[i].appends ? "12345ab"
                                      : "ab345");
    }
}

static void exclusive_creation_refuses_what_is_there(void **state)
{
    struct fixture *f = *state;
    close_stream(open_stream(f->fs, "/one", "wx"));
    assert_no_stream(memfs_fopen(f->fs, "/one", "wx"), EEXIST);
    assert_no_stream(memfs_fopen(f->fs, "/one", "w+xb"), EEXIST);
    assert_no_stream(memfs_fopen(f->fs, "/none", "r"), ENOENT);
    assert_ok(memfs_mkdir(f->fs, "/dir", 0755));
    assert_no_stream(memfs_fopen(f->fs, "/dir", "w"), EISDIR);
}

/* ----------------------------------------------------------- the C library's */

__attribute__((format(printf, 2, 3))) static int print_list(FILE *stream, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int result = vfprintf(stream, format, list);
    va_end(list);
    return result;
}

static void what_is_printed_can_be_scanned(void **state)
{
    struct fixture *f = *state;
    FILE *stream = open_stream(f->fs, "/numbers", "w+");
    assert_int_equal(fprintf(stream, "%d %s\n", 17, "seventeen"), 13);
    assert_int_equal(print_list(stream, "%.2f\n", 2.5), 5);
    assert_true(fputs("line\n", stream) >= 0);
    assert_int_equal(fputc('x', stream), 'x');
    assert_int_equal(fwrite("yz", 1, 2, stream), 2);
    assert_text(f->fs, "/numbers", "17 seventeen\n2.50\nline\nxyz");
    rewind(stream);
    int number;
    char word[20], line[20];
    double real;
    assert_int_equal(fscanf(stream, "%d %19s\n", &number, word), 2);
    assert_int_equal(number, 17);
    assert_string_equal(word, "seventeen");
    assert_int_equal(fscanf(stream, "%lf", &real), 1);
    assert_true(real > 2.4 && real < 2.6);
    assert_int_equal(fgetc(stream), '\n');
    assert_non_null(fgets(line, sizeof line, stream));
    assert_string_equal(line, "line\n");
    assert_int_equal(fgetc(stream), 'x');
    assert_int_equal(ungetc('Q', stream), 'Q');
    assert_int_equal(fgetc(stream), 'Q');
    assert_non_null(fgets(line, sizeof line, stream));
    assert_string_equal(line, "yz");
    assert_null(fgets(line, sizeof line, stream));
    assert_true(feof(stream) != 0);
    close_stream(stream);
}

static void getline_reads_lines_of_any_length(void **state)
{
    struct fixture *f = *state;
    for (int buffered = 0; buffered < 2; buffered++) {
        FILE *stream = open_stream(f->fs, "/lines", "w");
        for (int i = 0; i < 50; i++)
            assert_int_equal(fprintf(stream, "%0*d\n", i * 101 + 1, i), i * 101 + 2);
        close_stream(stream);
        stream = open_stream(f->fs, "/lines", buffered ? "r" : "r+");
        char *line = NULL;
        size_t room = 0;
        for (int i = 0; i < 50; i++) {
            assert_int_equal(getline(&line, &room, stream), i * 101 + 2);
            assert_int_equal(atoi(line), i);
        }
        assert_int_equal(getline(&line, &room, stream), -1);
        free(line);
        close_stream(stream);
    }
}

static void positions_are_those_of_the_file(void **state)
{
    struct fixture *f = *state;
    static const char *const modes[] = {"r", "r+"};
    put(f->fs, "/file", "0123456789");
    for (int i = 0; i < 2; i++) {
        FILE *stream = open_stream(f->fs, "/file", modes[i]);
        assert_int_equal(ftello(stream), 0);
        assert_int_equal(fgetc(stream), '0');
        assert_int_equal(ftello(stream), 1);
        assert_int_equal(fseeko(stream, 4, SEEK_CUR), 0);
        assert_int_equal(fgetc(stream), '5');
        assert_int_equal(fseeko(stream, -1, SEEK_END), 0);
        assert_int_equal(fgetc(stream), '9');
        assert_int_equal(fgetc(stream), EOF);
        assert_int_equal(ftello(stream), 10);
        errno = 0;
        assert_int_equal(fseeko(stream, -1, SEEK_SET), -1);
        assert_int_equal(errno, EINVAL);
        fpos_t mark;
        assert_int_equal(fseeko(stream, 3, SEEK_SET), 0);
        assert_int_equal(fgetpos(stream, &mark), 0);
        assert_int_equal(fgetc(stream), '3');
        assert_int_equal(fsetpos(stream, &mark), 0);
        assert_int_equal(fgetc(stream), '3');
        close_stream(stream);
    }
}

static void offsets_beyond_four_gigabytes_are_whole(void **state)
{
    struct fixture *f = *state;
    FILE *stream = open_stream(f->fs, "/sparse", "w+");
    off_t far = ((off_t)5 << 32) + 3;
    assert_int_equal(fseeko(stream, far, SEEK_SET), 0);
    assert_int_equal(fputc('!', stream), '!');
    assert_true(ftello(stream) == far + 1);
    assert_int_equal(stat_of(f->fs, "/sparse").size_bytes, (uint64_t)far + 1);
    assert_int_equal(fseeko(stream, -1, SEEK_CUR), 0);
    assert_int_equal(fgetc(stream), '!');
    close_stream(stream);
}

static void reading_and_writing_take_turns(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/file", "abcdef");
    FILE *stream = open_stream(f->fs, "/file", "r+");
    assert_int_equal(fgetc(stream), 'a');
    assert_int_equal(fseek(stream, 0, SEEK_CUR), 0);
    assert_int_equal(fputc('B', stream), 'B');
    assert_int_equal(fseek(stream, 0, SEEK_CUR), 0);
    assert_int_equal(fgetc(stream), 'c');
    close_stream(stream);
    assert_text(f->fs, "/file", "aBcdef");
}

static void appending_goes_to_the_end_wherever_the_stream_is(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/log", "one ");
    FILE *stream = open_stream(f->fs, "/log", "a+");
    assert_ok(memfs_append_file(f->fs, "/log", "two ", 4, 0644, 0));
    assert_int_equal(fseek(stream, 0, SEEK_SET), 0);
    assert_true(fputs("three", stream) >= 0);
    assert_int_equal(ftell(stream), 13);
    rewind(stream);
    assert_int_equal(fgetc(stream), 'o');
    close_stream(stream);
    assert_text(f->fs, "/log", "one two three");
}

/* ------------------------------------------------------------------- handles */

static void a_stream_of_a_handle_starts_at_its_offset_and_closes_it(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/file", "0123456789");
    memfs_file *file = open_file(f->fs, "/file", MEMFS_O_RDWR);
    assert_returns(memfs_seek(file, 5, MEMFS_SEEK_SET), 5);
    FILE *stream = memfs_fdopen(file, "w");
    assert_non_null(stream);
    assert_int_equal(statfs_of(f->fs).open_files, 1);
    assert_true(fputs("five", stream) >= 0);
    close_stream(stream);
    assert_int_equal(statfs_of(f->fs).open_files, 0);
    assert_text(f->fs, "/file", "01234five9");
}

static void a_handle_can_be_kept(void **state)
{
    struct fixture *f = *state;
    memfs_stdio_options keep = {.struct_size = sizeof keep, .flags = MEMFS_STDIO_KEEP_HANDLE};
    memfs_file *file = create_file(f->fs, "/file");
    FILE *stream = memfs_fdopen_with(file, "w+", &keep);
    assert_non_null(stream);
    assert_int_equal(fprintf(stream, "kept"), 4);
    close_stream(stream);
    assert_returns(memfs_tell(file), 4);
    assert_ok(memfs_close(file));
    assert_text(f->fs, "/file", "kept");
}

static void a_handle_without_append_mode_is_appended_to_all_the_same(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/file", "one");
    memfs_file *file = open_file(f->fs, "/file", MEMFS_O_WRITE);
    FILE *stream = memfs_fdopen(file, "a");
    assert_non_null(stream);
    assert_ok(memfs_append_file(f->fs, "/file", " two", 4, 0644, 0));
    assert_true(fputs(" three", stream) >= 0);
    close_stream(stream);
    assert_text(f->fs, "/file", "one two three");
}

static void a_handle_must_allow_what_the_mode_says(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/file", "text");
    memfs_file *reader = open_file(f->fs, "/file", MEMFS_O_READ);
    memfs_file *writer = open_file(f->fs, "/file", MEMFS_O_WRITE);
    assert_ok(memfs_mkdir(f->fs, "/dir", 0755));
    memfs_file *directory = open_file(f->fs, "/dir", MEMFS_O_READ | MEMFS_O_DIRECTORY);
    assert_no_stream(memfs_fdopen(reader, "w"), EINVAL);
    assert_no_stream(memfs_fdopen(reader, "r+"), EINVAL);
    assert_no_stream(memfs_fdopen(writer, "r"), EINVAL);
    assert_no_stream(memfs_fdopen(writer, "a+"), EINVAL);
    assert_no_stream(memfs_fdopen(writer, "z"), EINVAL);
    assert_no_stream(memfs_fdopen(directory, "r"), EISDIR);
    assert_no_stream(memfs_fdopen(NULL, "r"), EBADF);
    assert_ok(memfs_close(directory));
    assert_ok(memfs_close(writer));
    close_stream(memfs_fdopen(reader, "r"));
    assert_text(f->fs, "/file", "text");
}

/* -------------------------------------------------------------------- limits */

static void there_is_no_descriptor(void **state)
{
    struct fixture *f = *state;
    FILE *stream = open_stream(f->fs, "/file", "w");
    errno = 0;
    assert_int_equal(fileno(stream), -1);
    assert_int_equal(errno, EBADF);
    close_stream(stream);
}

static void a_file_system_with_an_open_stream_is_not_destroyed(void **state)
{
    struct fixture *f = *state;
    FILE *stream = open_stream(f->fs, "/file", "w");
    assert_returns(memfs_destroy(f->fs, 0), MEMFS_EBUSY);
    assert_int_equal(fputc('x', stream), 'x');
    close_stream(stream);
    assert_int_equal(statfs_of(f->fs).class_bytes[MEMFS_CLASS_CHARGED], 0);
}

static void errno_has_the_hosts_numbers(void **state)
{
    (void)state;
    assert_int_equal(memfs_errno(0), 0);
    assert_int_equal(memfs_errno(MEMFS_EDQUOT), EDQUOT);
    assert_int_equal(memfs_errno(MEMFS_ENOENT), ENOENT);
    assert_int_equal(memfs_errno(MEMFS_ENAMETOOLONG), ENAMETOOLONG);
    assert_int_equal(memfs_errno(MEMFS_ETIMEDOUT), ETIMEDOUT);
    assert_int_equal(memfs_errno(-4000), EIO);
    assert_int_equal(memfs_errno(1), EIO);
#define HAS_ERRNO(name, number, text) assert_int_equal(memfs_errno(MEMFS_##name), name);
    MEMFS_ERRORS(HAS_ERRNO)
#undef HAS_ERRNO
}

static void options_are_checked_as_all_structs_are(void **state)
{
    struct fixture *f = *state;
    struct {
        memfs_stdio_options known;
        uint64_t more;
    } large = {{.struct_size = sizeof large}, 0};
    memfs_stdio_options options = {.struct_size = 0};
    assert_no_stream(memfs_fopen_with(f->fs, "/file", "w", &options), EINVAL);
    options.struct_size = MEMFS_STRUCT_SIZE_MAX + 1;
    assert_no_stream(memfs_fopen_with(f->fs, "/file", "w", &options), E2BIG);
    options = (memfs_stdio_options){.struct_size = sizeof options, .flags = 0x80};
    assert_no_stream(memfs_fopen_with(f->fs, "/file", "w", &options), EINVAL);
    options.flags = MEMFS_STDIO_KEEP_HANDLE; /* there is none */
    assert_no_stream(memfs_fopen_with(f->fs, "/file", "w", &options), EINVAL);
    options = (memfs_stdio_options){.struct_size = sizeof options, .buffer_bytes = 100};
    assert_no_stream(memfs_fopen_with(f->fs, "/file", "w", &options), EINVAL);
    options.buffer_bytes = 0;
    options.room_bytes = 100;
    assert_no_stream(memfs_fopen_with(f->fs, "/file", "r", &options), EINVAL);
    options.room_bytes = UINT64_MAX;
    assert_no_stream(memfs_fopen_with(f->fs, "/file", "w", &options), EFBIG);
    assert_ok(memfs_unlink(f->fs, "/file"));
    assert_no_stream(memfs_fopen(NULL, "/file", "w"), EINVAL);
    assert_no_stream(memfs_fopen(f->fs, NULL, "w"), EINVAL);
    assert_false(is_there(f->fs, "/file"));
    large.more = 1;
    assert_no_stream(memfs_fopen_with(f->fs, "/file", "w", &large.known), E2BIG);
    large.more = 0;
    close_stream(memfs_fopen_with(f->fs, "/file", "w", &large.known));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_mode_is_valid_where_memfs_open_mode_has_it_so),
        FS_TEST(each_mode_does_what_c_says),
        FS_TEST(exclusive_creation_refuses_what_is_there),
        FS_TEST(what_is_printed_can_be_scanned),
        FS_TEST(getline_reads_lines_of_any_length),
        FS_TEST(positions_are_those_of_the_file),
        FS_TEST(offsets_beyond_four_gigabytes_are_whole),
        FS_TEST(reading_and_writing_take_turns),
        FS_TEST(appending_goes_to_the_end_wherever_the_stream_is),
        FS_TEST(a_stream_of_a_handle_starts_at_its_offset_and_closes_it),
        FS_TEST(a_handle_can_be_kept),
        FS_TEST(a_handle_without_append_mode_is_appended_to_all_the_same),
        FS_TEST(a_handle_must_allow_what_the_mode_says),
        FS_TEST(there_is_no_descriptor),
        FS_TEST(a_file_system_with_an_open_stream_is_not_destroyed),
        FS_TEST(errno_has_the_hosts_numbers),
        FS_TEST(options_are_checked_as_all_structs_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
