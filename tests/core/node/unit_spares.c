/* Handles that are kept to be used again, where threads have met: they cost nothing that could be
 * missed. */
#include "checks.h"

#include "instance/fs.h"

enum { QUOTA = 256 * 1024 };

static void a_list_keeps_one_handle_and_gives_it_out_again(void **state)
{
    (void)state;
    struct mfs_handles handles = {{0}};
    struct memfs_file first = {0}, second = {0};
    assert_null(mfs_handle_take_spare(&handles));
    mfs_readers_own.has_met_threads = false;
    assert_false(mfs_handle_keep_spare(&handles, &first));
    mfs_readers_own.has_met_threads = true;
    assert_true(mfs_handle_keep_spare(&handles, &first));
    assert_false(mfs_handle_keep_spare(&handles, &second));
    assert_ptr_equal(mfs_handle_take_spare(&handles), &first);
    assert_null(mfs_handle_take_spare(&handles));
    mfs_readers_own.has_met_threads = false;
}

static void lists_lie_in_lines_of_their_own(void **state)
{
    (void)state;
    unsigned char room[sizeof(struct mfs_handles) + 64];
    for (size_t at = 0; at < 64; at += 8) {
        struct mfs_handles *handles = (struct mfs_handles *)(void *)(room + at);
        for (unsigned i = 0; i < MFS_HANDLE_LISTS; i++) {
            unsigned char *list = (unsigned char *)mfs_handle_list(handles, i);
            assert_int_equal((uintptr_t)list % MFS_HANDLE_LIST_BYTES, 0);
            assert_true(list >= (unsigned char *)handles &&
                        list + MFS_HANDLE_LIST_BYTES <= (unsigned char *)(handles + 1));
        }
    }
}

static void a_closed_handle_is_not_seen_in_the_figures(void **state)
{
    struct fixture *f = *state;
    mfs_readers_own.has_met_threads = true;
    put(f->fs, "/f", "text");
    uint64_t used = used_bytes(f->fs);
    for (int round = 0; round < 3; round++) {
        memfs_file *file = open_file(f->fs, "/f", MEMFS_O_READ);
        assert_int_equal((uintptr_t)file % MFS_READERS_LINE_BYTES, 0);
        check_pattern(file, 0, 0, 0);
        assert_true(used_bytes(f->fs) > used);
        assert_ok(memfs_audit(f->fs));
        assert_ok(memfs_close(file));
        assert_ok(memfs_audit(f->fs));
        assert_int_equal(used_bytes(f->fs), used);
        assert_ok(memfs_audit(f->fs));
    }
    mfs_readers_own.has_met_threads = false;
}

/* How many small files fit, if a file is opened and closed before each. */
static unsigned files_that_fit(bool has_met_threads)
{
    struct fixture *f = create_with_quota(QUOTA);
    unsigned count = 0;
    int result = 0;
    put(f->fs, "/f", "text");
    mfs_readers_own.has_met_threads = has_met_threads;
    for (; result == 0; count++) {
        char path[32];
        memfs_file *file = open_file(f->fs, "/f", MEMFS_O_READ);
        assert_ok(memfs_close(file));
        snprintf(path, sizeof path, "/%u", count);
        result = memfs_write_file(f->fs, path, "some twenty bytes ...", 21, 0644, 0);
    }
    mfs_readers_own.has_met_threads = false;
    assert_returns(result, MEMFS_EDQUOT);
    fixture_destroy(f);
    return count;
}

static void what_is_kept_makes_no_call_fail(void **state)
{
    (void)state;
    unsigned without = files_that_fit(false);
    assert_true(without > 500);
    assert_true(files_that_fit(true) >= without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_keeps_one_handle_and_gives_it_out_again),
        cmocka_unit_test(lists_lie_in_lines_of_their_own),
        FS_TEST(a_closed_handle_is_not_seen_in_the_figures),
        cmocka_unit_test(what_is_kept_makes_no_call_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
