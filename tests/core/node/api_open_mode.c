/* Opening by an fopen() mode. */
#include "checks.h"

static void r_reads_what_exists(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = NULL;
    char text[4];
    assert_returns(memfs_open_mode(f->fs, "/f", "r", &file), MEMFS_ENOENT);
    assert_returns(memfs_open_mode(f->fs, "/f", "r+", &file), MEMFS_ENOENT);
    put(f->fs, "/f", "abc");
    assert_ok(memfs_open_mode(f->fs, "/f", "rb", &file));
    assert_returns(memfs_read(file, text, 4), 3);
    assert_returns(memfs_write(file, text, 1), MEMFS_EBADF);
    assert_ok(memfs_close(file));
    assert_ok(memfs_open_mode(f->fs, "/f", "r+b", &file));
    assert_returns(memfs_write(file, "X", 1), 1);
    assert_ok(memfs_close(file));
    assert_text(f->fs, "/f", "Xbc");
}

static void w_creates_or_empties(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = NULL;
    char byte;
    put(f->fs, "/f", "abc");
    assert_ok(memfs_open_mode(f->fs, "/f", "wb", &file));
    assert_int_equal(fstat_of(file).size_bytes, 0);
    assert_returns(memfs_read(file, &byte, 1), MEMFS_EBADF);
    assert_ok(memfs_close(file));
    assert_ok(memfs_open_mode(f->fs, "/new", "w+", &file));
    assert_int_equal(fstat_of(file).mode, 0666);
    assert_returns(memfs_read(file, &byte, 1), 0);
    assert_ok(memfs_close(file));
    assert_returns(memfs_open_mode(f->fs, "/new", "wx", &file), MEMFS_EEXIST);
    assert_returns(memfs_open_mode(f->fs, "/new", "w+bx", &file), MEMFS_EEXIST);
    assert_ok(memfs_open_mode(f->fs, "/newer", "wx", &file));
    assert_ok(memfs_close(file));
}

static void a_appends(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = NULL;
    char text[8];
    put(f->fs, "/f", "abc");
    assert_ok(memfs_open_mode(f->fs, "/f", "ab", &file));
    assert_returns(memfs_write(file, "d", 1), 1);
    assert_ok(memfs_close(file));
    assert_ok(memfs_open_mode(f->fs, "/f", "a+b", &file));
    assert_returns(memfs_read(file, text, 2), 2);
    assert_memory_equal(text, "ab", 2);
    assert_returns(memfs_write(file, "e", 1), 1);
    assert_ok(memfs_close(file));
    assert_text(f->fs, "/f", "abcde");
    assert_ok(memfs_open_mode(f->fs, "/created", "a", &file));
    assert_ok(memfs_close(file));
}

static void x_creates_and_refuses_what_exists(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = NULL;
    char byte;
    assert_ok(memfs_open_mode(f->fs, "/f", "xb", &file));
    assert_returns(memfs_write(file, "x", 1), 1);
    assert_returns(memfs_pread(file, &byte, 1, 0), MEMFS_EBADF);
    assert_ok(memfs_close(file));
    assert_returns(memfs_open_mode(f->fs, "/f", "x", &file), MEMFS_EEXIST);
    assert_ok(memfs_open_mode(f->fs, "/g", "x+", &file));
    assert_returns(memfs_pread(file, &byte, 1, 0), 0);
    assert_ok(memfs_close(file));
}

static void any_other_mode_string_is_invalid(void **state)
{
    struct fixture *f = *state;
    static const char *const modes[] = {"",   "b",  "+",   "+r",  "rw", "rr",  "r++", "rbb",
                                        "rx", "ax", "xx",  "wxx", "q",  "r ",  " r",  "r+b+",
                                        "R",  "wa", "rb,", "w+w", "bt", "rbx", "xw"};
    static const char *const fine[] = {"r", "rt", "re", "rb+e", "r+bt"};
    memfs_file *file = NULL;
    put(f->fs, "/f", "abc");
    for (size_t i = 0; i < COUNT_OF(modes); i++)
        assert_refused(f->fs, memfs_open_mode(f->fs, "/f", modes[i], &file), MEMFS_EINVAL);
    for (size_t i = 0; i < COUNT_OF(fine); i++) {
        assert_ok(memfs_open_mode(f->fs, "/f", fine[i], &file));
        assert_ok(memfs_close(file));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(r_reads_what_exists),
        FS_TEST(w_creates_or_empties),
        FS_TEST(a_appends),
        FS_TEST(x_creates_and_refuses_what_exists),
        FS_TEST(any_other_mode_string_is_invalid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
