/* A printed tree, character by character; and what becomes of it when something is refused. */
#include "checks.h"

#include <memfs/print.h>

struct text {
    char chars[8192];
    size_t length;
    memfs *fs;           /* with `removes`: */
    const char *removes; /* removed at the first write */
    int answer;          /* of the callback */
};

static int keep(void *context, const char *chars, size_t length)
{
    struct text *text = context;
    assert_true(length > 0 && text->length + length < sizeof text->chars);
    memcpy(text->chars + text->length, chars, length);
    text->length += length;
    text->chars[text->length] = '\0';
    if (text->removes != NULL)
        assert_ok(memfs_remove_tree(text->fs, text->removes));
    text->removes = NULL;
    return text->answer;
}

static void check_printed(memfs *fs, const char *path, const memfs_print_options *options,
                          const char *wanted, int line)
{
    struct text text = {.length = 0};
    check_returns(memfs_print_tree(fs, path, options, keep, &text), 0, path, __FILE__, line);
    if (strcmp(text.chars, wanted) != 0) {
        print_error("printed:\n%sinstead of:\n%s", text.chars, wanted);
        _fail(__FILE__, line);
    }
}

#define assert_printed(fs, path, options, wanted) \
    check_printed((fs), (path), (options), (wanted), __LINE__)

static memfs_print_options plain(uint32_t flags)
{
    return (memfs_print_options){.struct_size = sizeof(memfs_print_options),
                                 .flags = flags | MEMFS_PRINT_NO_SUMMARY};
}

static void make_tree(memfs *fs)
{
    assert_ok(memfs_mkdir(fs, "/etc", 0750));
    put(fs, "/etc/motd", "hello\n");
    assert_ok(memfs_symlink(fs, "motd", "/etc/issue", 0));
    assert_ok(memfs_mkdir(fs, "/etc/empty", 01777));
    put_pattern(fs, "/data", 5000, 1);
    assert_ok(memfs_chmod(fs, "/data", 04710));
}

static void a_tree_has_a_line_for_each_entry(void **state)
{
    struct fixture *f = *state;
    memfs_print_options options = plain(0);
    make_tree(f->fs);
    assert_printed(f->fs, "/", &options,
                   "drwxr-xr-x    4.9 KiB  /\n"
                   "drwxr-x---        6 B  ├── etc\n"
                   "-rw-r--r--        6 B  │   ├── motd\n"
                   "lrwxrwxrwx             │   ├── issue -> motd\n"
                   "drwxrwxrwt        0 B  │   └── empty\n"
                   "-rws--x---    4.9 KiB  └── data\n");
    options = plain(MEMFS_PRINT_ASCII | MEMFS_PRINT_BYTES);
    assert_printed(f->fs, "etc", &options,
                   "drwxr-x---          6  etc\n"
                   "-rw-r--r--          6  |-- motd\n"
                   "lrwxrwxrwx             |-- issue -> motd\n"
                   "drwxrwxrwt          0  `-- empty\n");
    assert_printed(f->fs, "/etc/issue", NULL, "lrwxrwxrwx             /etc/issue -> motd\n");
    assert_printed(f->fs, "/data", &options, "-rws--x---       5000  /data\n");
}

static void a_line_tells_what_is_shared_linked_open_and_locked(void **state)
{
    struct fixture *f = *state;
    memfs_print_options options = plain(MEMFS_PRINT_ASCII);
    put_pattern(f->fs, "/a", 8192, 1);
    assert_ok(memfs_copy(f->fs, "/a", "/b", 0));
    assert_ok(memfs_link(f->fs, "/b", "/c"));
    memfs_file *one = open_file(f->fs, "/c", MEMFS_O_RDWR);
    memfs_file *two = open_file(f->fs, "/a", MEMFS_O_READ | MEMFS_O_SHARED_LOCK);
    write_pattern(one, 1, 0, 2);
    assert_ok(memfs_lock(one, MEMFS_LOCK_EXCLUSIVE, 0));
    assert_printed(f->fs, "/", &options,
                   "drwxr-xr-x   16.0 KiB  /  [8.0 KiB shared]\n"
                   "-rw-r--r--    8.0 KiB  |-- a  [4.0 KiB shared, 1 handle, locked, shared]\n"
                   "-rw-r--r--    8.0 KiB  |-- b  [4.0 KiB shared, 2 names, 1 handle, locked]\n"
                   "-rw-r--r--    8.0 KiB  `-- c  [4.0 KiB shared, 2 names, 1 handle, locked]\n");
    assert_ok(memfs_close(one));
    assert_ok(memfs_close(two));
}

static void limits_leave_out_levels_and_entries(void **state)
{
    struct fixture *f = *state;
    memfs_print_options options = plain(MEMFS_PRINT_ASCII);
    make_tree(f->fs);
    options.max_depth = 1;
    assert_printed(f->fs, "/", &options,
                   "drwxr-xr-x    4.9 KiB  /\n"
                   "drwxr-x---        6 B  |-- etc\n"
                   "-rws--x---    4.9 KiB  `-- data\n");
    options.max_depth = 0;
    options.max_entries = 1;
    assert_printed(f->fs, "/", &options,
                   "drwxr-xr-x    4.9 KiB  /\n"
                   "drwxr-x---        6 B  |-- etc\n"
                   "-rw-r--r--        6 B  |   |-- motd\n"
                   "                       |   `-- ... 2 more\n"
                   "                       `-- ... 1 more\n");
}

static void what_is_deeper_than_the_limit_is_left_out(void **state)
{
    struct fixture *f = *state;
    char path[2 * 40 + 1] = "", last[16];
    struct text text = {.length = 0};
    for (int i = 0; i < 40; i++)
        memcpy(path + 2 * i, "/d", 3);
    assert_ok(memfs_mkdir_parents(f->fs, path, 0755));
    memfs_print_options options = plain(0);
    assert_ok(memfs_print_tree(f->fs, "/", &options, keep, &text));
    size_t lines = 0;
    for (size_t i = 0; i < text.length; i++)
        lines += text.chars[i] == '\n' ? 1 : 0;
    assert_int_equal(lines, MEMFS_PRINT_DEPTH_MAX + 1);
    snprintf(last, sizeof last, "└── d\n");
    assert_string_equal(text.chars + text.length - strlen(last), last);
}

static void names_cannot_move_the_cursor(void **state)
{
    struct fixture *f = *state;
    memfs_print_options options = plain(MEMFS_PRINT_ASCII);
    put(f->fs, "/\x1b[2J\n\\", "");
    put(f->fs, "/\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", ""); /* an e acute, a euro, a face */
    put(f->fs, "/\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82", "");
    put(f->fs, "/\xc2\x9bK\x7f\xc2\xa0", ""); /* CSI in eight bits, DEL; a wide blank stays */
    assert_ok(memfs_symlink(f->fs, "a\tb", "/link", 0));
    assert_printed(f->fs, "/", &options,
                   "drwxr-xr-x        0 B  /\n"
                   "-rw-r--r--        0 B  |-- \\x1b[2J\\x0a\\x5c\n"
                   "-rw-r--r--        0 B  |-- \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n"
                   "-rw-r--r--        0 B  |-- \\xc0\\xaf\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80"
                   "\\xe2\\x82\n"
                   "-rw-r--r--        0 B  |-- \\xc2\\x9bK\\x7f\xc2\xa0\n"
                   "lrwxrwxrwx             `-- link -> a\\x09b\n");
}

static void sizes_have_units_of_1024_and_four_digits_at_most(void **state)
{
    struct fixture *f = *state;
    memfs_print_options options = plain(MEMFS_PRINT_ASCII);
    static const struct {
        int64_t size;
        const char *text;
    } cases[] = {{1023, "     1023 B"},
                 {1024, "    1.0 KiB"},
                 {1048524, " 1023.9 KiB"},
                 {1048525, "    1.0 MiB"},
                 {(int64_t)5 << 40, "    5.0 TiB"},
                 {INT64_MAX, "    8.0 EiB"}};
    char wanted[64];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        put(f->fs, "/f", "");
        assert_ok(memfs_truncate(f->fs, "/f", cases[i].size));
        snprintf(wanted, sizeof wanted, "-rw-r--r--%s  /f\n", cases[i].text);
        assert_printed(f->fs, "/f", &options, wanted);
    }
}

static void the_summary_adds_up_and_draws_the_quota(void **state)
{
    struct fixture *f = *state;
    struct text text = {.length = 0};
    make_tree(f->fs);
    assert_ok(memfs_copy(f->fs, "/data", "/more", 0));
    assert_ok(memfs_set_node_limit(f->fs, 99));
    assert_ok(memfs_print_tree(f->fs, "/", NULL, keep, &text));
    assert_non_null(strstr(text.chars,
                           "\n\n3 files, 3 directories, 1 link; 9.8 KiB in files, 16.0 KiB of "
                           "their storage shared\n[#"));
    assert_non_null(strstr(text.chars, "] "));
    assert_non_null(strstr(text.chars, " of 16.0 MiB held ("));
    assert_non_null(strstr(text.chars, "; 7 of 99 nodes\n"));
    text.length = 0;
    fixture_set_quota(f, MEMFS_UNLIMITED);
    assert_ok(memfs_print_tree(f->fs, "/", NULL, keep, &text));
    assert_non_null(strstr(text.chars, " held, no limit, the most ever "));
    fixture_set_quota(f, 16u << 20);
}

static void what_vanishes_meanwhile_is_left_out(void **state)
{
    struct fixture *f = *state;
    char path[32];
    for (int i = 0; i < 60; i++) { /* more than the buffer holds */
        snprintf(path, sizeof path, "/directory-%d/inside", i);
        assert_ok(memfs_write_file(f->fs, path, "text", 4, 0644, MEMFS_WRITE_MAKE_PARENTS));
    }
    struct text text = {.fs = f->fs, .removes = "/directory-59"};
    assert_ok(memfs_print_tree(f->fs, "/", NULL, keep, &text));
    assert_non_null(strstr(text.chars, "directory-58"));
    assert_null(strstr(text.chars, "directory-59"));
    assert_non_null(strstr(text.chars, "\n59 files, 60 directories, 0 links;"));
}

static void the_callback_ends_it_with_its_error(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    struct text text = {.answer = -77};
    assert_returns(memfs_print_tree(f->fs, "/", NULL, keep, &text), -77);
    text = (struct text){.answer = 1};
    assert_returns(memfs_print_tree(f->fs, "/", NULL, keep, &text), MEMFS_EINVAL);
    assert_int_equal(statfs_of(f->fs).open_directories, 0);
}

static void bad_arguments_are_told_and_print_nothing(void **state)
{
    struct fixture *f = *state;
    struct text text = {.length = 0};
    struct {
        memfs_print_options known;
        uint64_t added;
    } newer = {.known = plain(0)};
    memfs_print_options *options = &newer.known;
    assert_returns(memfs_print_tree(NULL, "/", NULL, keep, &text), MEMFS_EINVAL);
    assert_returns(memfs_print_tree(f->fs, NULL, NULL, keep, &text), MEMFS_EINVAL);
    assert_returns(memfs_print_tree(f->fs, "/", NULL, NULL, NULL), MEMFS_EINVAL);
    assert_returns(memfs_print_tree_to(f->fs, "/", NULL, NULL), MEMFS_EINVAL);
    assert_returns(memfs_print_tree(f->fs, "/none", NULL, keep, &text), MEMFS_ENOENT);
    options->flags = 0x8;
    assert_returns(memfs_print_tree(f->fs, "/", options, keep, &text), MEMFS_EINVAL);
    options->flags = 0;
    options->max_depth = MEMFS_PRINT_DEPTH_MAX + 1;
    assert_returns(memfs_print_tree(f->fs, "/", options, keep, &text), MEMFS_EINVAL);
    options->max_depth = 0;
    options->struct_size = 3;
    assert_returns(memfs_print_tree(f->fs, "/", options, keep, &text), MEMFS_EINVAL);
    options->struct_size = sizeof newer;
    newer.added = 1;
    assert_returns(memfs_print_tree(f->fs, "/", options, keep, &text), MEMFS_E2BIG);
    assert_int_equal(text.length, 0);
    newer.added = 0;
    assert_ok(memfs_print_tree(f->fs, "/", options, keep, &text));
    options->struct_size = offsetof(memfs_print_options, max_depth);
    assert_ok(memfs_print_tree(f->fs, "/", options, keep, &text));
}

static void a_stream_that_is_full_is_an_error(void **state)
{
    struct fixture *f = *state;
    FILE *full = fopen("/dev/full", "w");
    if (full == NULL)
        skip();
    assert_returns(memfs_print_tree_to(f->fs, "/", NULL, full), MEMFS_EIO);
    fclose(full);
    FILE *stream = tmpfile();
    char text[64] = "";
    assert_non_null(stream);
    memfs_print_options options = plain(0);
    assert_ok(memfs_print_tree_to(f->fs, "/", &options, stream));
    rewind(stream);
    assert_int_equal(fread(text, 1, sizeof text - 1, stream), 25);
    assert_string_equal(text, "drwxr-xr-x        0 B  /\n");
    fclose(stream);
}

static void each_refused_allocation_ends_it_and_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    assert_ok(memfs_link(f->fs, "/data", "/etc/link"));
    uint64_t used = used_bytes(f->fs);
    int result = MEMFS_ENOMEM;
    uint64_t refused = 0;
    for (uint64_t take = 1; result != 0; take++) {
        struct text text = {.length = 0};
        tracking_refuse(&f->allocator, take, 0);
        result = memfs_print_tree(f->fs, "/", NULL, keep, &text);
        tracking_refuse(&f->allocator, 0, 0);
        if (result != 0)
            assert_returns(result, MEMFS_ENOMEM);
        refused += result != 0 ? 1 : 0;
        assert_int_equal(used_bytes(f->fs), used);
        assert_int_equal(statfs_of(f->fs).open_directories, 0);
    }
    if (!f->is_pooled)
        assert_true(refused > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_tree_has_a_line_for_each_entry),
        FS_TEST(a_line_tells_what_is_shared_linked_open_and_locked),
        FS_TEST(limits_leave_out_levels_and_entries),
        FS_TEST(what_is_deeper_than_the_limit_is_left_out),
        FS_TEST(names_cannot_move_the_cursor),
        FS_TEST(sizes_have_units_of_1024_and_four_digits_at_most),
        FS_TEST(the_summary_adds_up_and_draws_the_quota),
        FS_TEST(what_vanishes_meanwhile_is_left_out),
        FS_TEST(the_callback_ends_it_with_its_error),
        FS_TEST(bad_arguments_are_told_and_print_nothing),
        FS_TEST(a_stream_that_is_full_is_an_error),
        FS_TEST(each_refused_allocation_ends_it_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
