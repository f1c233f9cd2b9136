/* Memory and room fail at each step of opening in turn: nothing may be left. */
#include "streams.h"

#include <stdbool.h>

static bool libc_refuses;

FILE *__real_fopencookie(void *cookie, const char *mode, cookie_io_functions_t functions);
FILE *__wrap_fopencookie(void *cookie, const char *mode, cookie_io_functions_t functions);

FILE *__wrap_fopencookie(void *cookie, const char *mode, cookie_io_functions_t functions)
{
    return libc_refuses ? NULL : __real_fopencookie(cookie, mode, functions);
}

static const memfs_stdio_options buffered = {
    .struct_size = sizeof buffered, .buffer_bytes = 1000, .room_bytes = 20000};

struct opening {
    const char *path, *mode;
    const memfs_stdio_options *options;
    bool is_of_handle;
};

/* With room a new file may stay behind; these only open what is there. */
static const struct opening openings[] = {
    {"/new", "w", NULL, false},         {"/new", "wx", NULL, false},
    {"/there", "r", NULL, false},       {"/there", "w", NULL, false},
    {"/there", "a+", NULL, false},      {"/there", "a", &buffered, false},
    {"/there", "r+", &buffered, false}, {"/there", "r+", NULL, true},
    {"/there", "a", &buffered, true},
};

/* True if it could be opened; the stream is closed again. */
static bool opens(struct fixture *f, const struct opening *opening, memfs_file *file)
{
    FILE *stream = opening->is_of_handle
                       ? memfs_fdopen_with(file, opening->mode, opening->options)
                       : memfs_fopen_with(f->fs, opening->path, opening->mode, opening->options);
    if (stream == NULL)
        return false;
    close_stream(stream);
    return true;
}

static memfs_file *handle_for(struct fixture *f, const struct opening *opening)
{
    return opening->is_of_handle ? open_file(f->fs, opening->path, MEMFS_O_RDWR) : NULL;
}

static void start_anew(struct fixture *f)
{
    (void)memfs_unlink(f->fs, "/new");
    put_pattern(f->fs, "/there", 5000, 1);
}

static void check_left(struct fixture *f, memfs_file *file, uint64_t used)
{
    assert_int_equal(used_bytes(f->fs), used);
    assert_int_equal(statfs_of(f->fs).open_files, file != NULL ? 1 : 0);
    assert_false(is_there(f->fs, "/new"));
    memfs_file *there = open_file(f->fs, "/there", MEMFS_O_READ);
    check_pattern(there, 5000, 0, 1);
    assert_ok(memfs_close(there));
    assert_int_equal(stat_of(f->fs, "/there").size_bytes, 5000);
    if (file != NULL)
        assert_returns(memfs_tell(file), 0);
}

static void sweep_allocations(struct fixture *f, const struct opening *opening)
{
    uint64_t number = 1;
    for (bool has_opened = false; !has_opened; number++) {
        start_anew(f);
        memfs_file *file = handle_for(f, opening);
        uint64_t used = used_bytes(f->fs);
        tracking_refuse(&f->allocator, number, 1);
        errno = 0;
        has_opened = opens(f, opening, file);
        int errno_after = errno;
        tracking_refuse(&f->allocator, 0, 0);
        if (!has_opened) {
            assert_int_equal(errno_after, ENOMEM);
            check_left(f, file, used);
        }
        if (file != NULL && !has_opened)
            assert_ok(memfs_close(file));
        assert_true(number < 1000);
    }
    assert_true(f->is_pooled || number > 2);
}

static void every_refused_allocation_leaves_all_as_it_was(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(openings); i++)
        sweep_allocations(f, &openings[i]);
}

static void sweep_quotas(struct fixture *f, const struct opening *opening)
{
    int refusals = 0;
    uint64_t room = 0;
    for (bool has_opened = false; !has_opened; room += 48) {
        start_anew(f);
        memfs_file *file = handle_for(f, opening);
        uint64_t used = used_bytes(f->fs);
        fixture_leave(f, room);
        has_opened = opens(f, opening, file);
        int errno_after = errno;
        fixture_set_quota(f, 16 << 20);
        if (!has_opened) {
            assert_int_equal(errno_after, EDQUOT);
            check_left(f, file, used);
            refusals++;
        }
        if (file != NULL && !has_opened)
            assert_ok(memfs_close(file));
        assert_true(room < 200000);
    }
    assert_true(refusals > 0);
}

static void every_quota_is_enough_or_leaves_all_as_it_was(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(openings); i++)
        sweep_quotas(f, &openings[i]);
}

static void a_c_library_without_memory_leaves_all_as_it_was(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(openings); i++) {
        start_anew(f);
        memfs_file *file = handle_for(f, &openings[i]);
        uint64_t used = used_bytes(f->fs);
        libc_refuses = true;
        errno = 0;
        assert_false(opens(f, &openings[i], file));
        libc_refuses = false;
        assert_int_equal(errno, ENOMEM);
        check_left(f, file, used);
        if (file != NULL)
            assert_ok(memfs_close(file));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(every_refused_allocation_leaves_all_as_it_was),
        FS_TEST(every_quota_is_enough_or_leaves_all_as_it_was),
        FS_TEST(a_c_library_without_memory_leaves_all_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
