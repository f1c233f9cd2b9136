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

static void open_and_close(memfs *fs)
{
    assert_ok(memfs_close(open_file(fs, "/f", MEMFS_O_READ)));
}

static int add_name(memfs *fs, bool is_link, unsigned number)
{
    char path[32];
    snprintf(path, sizeof path, "/%u", number);
    return is_link ? memfs_link(fs, "/f", path)
                   : memfs_write_file(fs, path, "some twenty bytes ...", 21, 0644, 0);
}

/*
 * Adds names to `fs` until one is refused, and opens and closes a file of `beside` before each:
 * names of new files, and then, since they take less than a handle, of links to one.  What was
 * refused does not fit without spares, either.
 */
static void fill(memfs *fs, memfs *beside)
{
    unsigned count = 0;
    mfs_readers_own.has_met_threads = true;
    for (int links = 0; links <= 1; links++) {
        do {
            open_and_close(beside);
            count++;
        } while (add_name(fs, links, count) == 0);
        (void)used_bytes(beside); /* gives spares back */
        assert_returns(add_name(fs, links, count), MEMFS_EDQUOT);
    }
    mfs_readers_own.has_met_threads = false;
    assert_true(count > 500);
}

static void what_is_kept_makes_no_call_fail(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "text");
    assert_ok(memfs_set_quota(f->fs, QUOTA));
    fill(f->fs, f->fs);
}

static void what_a_clone_keeps_makes_no_call_on_another_fail(void **state)
{
    struct fixture *f = *state;
    memfs *clone;
    put(f->fs, "/f", "text");
    assert_ok(memfs_clone_instance(f->fs, &clone));
    assert_ok(memfs_set_quota(f->fs, QUOTA));
    fill(clone, f->fs);
    assert_ok(memfs_audit(clone));
    assert_ok(memfs_destroy(clone, 0));
}

static void figures_of_a_clone_show_no_handle_that_another_keeps(void **state)
{
    struct fixture *f = *state;
    memfs *clone;
    put(f->fs, "/f", "text");
    assert_ok(memfs_clone_instance(f->fs, &clone));
    uint64_t used = used_bytes(clone);
    mfs_readers_own.has_met_threads = true;
    open_and_close(f->fs);
    mfs_readers_own.has_met_threads = false;
    assert_int_equal(used_bytes(clone), used);
    assert_ok(memfs_destroy(clone, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_keeps_one_handle_and_gives_it_out_again),
        cmocka_unit_test(lists_lie_in_lines_of_their_own),
        FS_TEST(a_closed_handle_is_not_seen_in_the_figures),
        FS_TEST(what_is_kept_makes_no_call_fail),
        FS_TEST(what_a_clone_keeps_makes_no_call_on_another_fail),
        FS_TEST(figures_of_a_clone_show_no_handle_that_another_keeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
