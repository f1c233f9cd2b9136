/* Whole-file locks, one thread with several handles; threads.c has the waiting. */
#include "checks.h"

#define SHARED MEMFS_LOCK_SHARED
#define EXCLUSIVE MEMFS_LOCK_EXCLUSIVE

struct two {
    memfs_file *one, *two;
};

static struct two open_two(struct fixture *f)
{
    put(f->fs, "/f", "x");
    return (struct two){open_file(f->fs, "/f", MEMFS_O_RDWR), open_file(f->fs, "/f", MEMFS_O_RDWR)};
}

static void close_two(struct two *t)
{
    assert_ok(memfs_close(t->one));
    assert_ok(memfs_close(t->two));
}

static void shared_locks_go_together_and_an_exclusive_one_does_not(void **state)
{
    struct fixture *f = *state;
    struct two t = open_two(f);
    assert_ok(memfs_lock(t.one, SHARED, 0));
    assert_ok(memfs_lock(t.two, SHARED, 0));
    assert_ok(memfs_unlock(t.two));
    assert_returns(memfs_lock(t.two, EXCLUSIVE, 0), MEMFS_EAGAIN);
    assert_ok(memfs_unlock(t.one));
    assert_ok(memfs_lock(t.two, EXCLUSIVE, 0));
    assert_returns(memfs_lock(t.one, SHARED, 0), MEMFS_EAGAIN);
    assert_returns(memfs_lock(t.one, EXCLUSIVE, 0), MEMFS_EAGAIN);
    close_two(&t);
}

static void a_lock_taken_twice_is_held_once(void **state)
{
    struct fixture *f = *state;
    struct two t = open_two(f);
    assert_ok(memfs_lock(t.one, EXCLUSIVE, 0));
    assert_ok(memfs_lock(t.one, EXCLUSIVE, 0));
    assert_ok(memfs_unlock(t.one));
    assert_ok(memfs_lock(t.two, EXCLUSIVE, 0));
    assert_ok(memfs_unlock(t.two));
    assert_ok(memfs_lock(t.one, SHARED, 0));
    assert_ok(memfs_lock(t.one, SHARED, 0));
    assert_ok(memfs_unlock(t.one));
    assert_ok(memfs_lock(t.two, EXCLUSIVE, 0));
    close_two(&t);
}

static void a_wait_that_is_too_long_times_out(void **state)
{
    struct fixture *f = *state;
    struct two t = open_two(f);
    assert_ok(memfs_lock(t.one, EXCLUSIVE, -1));
    assert_returns(memfs_lock(t.two, SHARED, 10), MEMFS_ETIMEDOUT);
    assert_returns(memfs_lock(t.two, EXCLUSIVE, 10), MEMFS_ETIMEDOUT);
    assert_ok(memfs_unlock(t.one));
    assert_ok(memfs_lock(t.two, EXCLUSIVE, 10));
    close_two(&t);
}

static void a_shared_lock_upgrades_when_it_is_alone(void **state)
{
    struct fixture *f = *state;
    struct two t = open_two(f);
    assert_ok(memfs_lock(t.one, SHARED, 0));
    assert_ok(memfs_lock(t.one, EXCLUSIVE, 0));
    assert_returns(memfs_lock(t.two, SHARED, 0), MEMFS_EAGAIN);
    close_two(&t);
}

static void a_refused_upgrade_keeps_the_shared_lock(void **state)
{
    struct fixture *f = *state;
    struct two t = open_two(f);
    assert_ok(memfs_lock(t.one, SHARED, 0));
    assert_ok(memfs_lock(t.two, SHARED, 0));
    assert_returns(memfs_lock(t.one, EXCLUSIVE, 0), MEMFS_EAGAIN);
    assert_returns(memfs_lock(t.one, EXCLUSIVE, 10), MEMFS_ETIMEDOUT);
    assert_returns(memfs_lock(t.two, EXCLUSIVE, 0), MEMFS_EAGAIN);
    assert_ok(memfs_unlock(t.two));
    assert_returns(memfs_lock(t.two, EXCLUSIVE, 0), MEMFS_EAGAIN);
    close_two(&t);
}

static void an_exclusive_lock_downgrades_at_once(void **state)
{
    struct fixture *f = *state;
    struct two t = open_two(f);
    assert_ok(memfs_lock(t.one, EXCLUSIVE, 0));
    assert_ok(memfs_lock(t.one, SHARED, 0));
    assert_ok(memfs_lock(t.two, SHARED, 0));
    assert_returns(memfs_lock(t.two, EXCLUSIVE, 0), MEMFS_EAGAIN);
    close_two(&t);
}

static void closing_a_handle_gives_its_lock_back(void **state)
{
    struct fixture *f = *state;
    struct two t = open_two(f);
    assert_ok(memfs_lock(t.one, EXCLUSIVE, 0));
    assert_ok(memfs_close(t.one));
    assert_ok(memfs_lock(t.two, EXCLUSIVE, 0));
    assert_ok(memfs_close(t.two));
    assert_ok(memfs_unlink(f->fs, "/f"));
}

static void unlocking_without_a_lock_does_nothing(void **state)
{
    struct fixture *f = *state;
    struct two t = open_two(f);
    assert_ok(memfs_lock(t.one, SHARED, 0));
    assert_ok(memfs_unlock(t.two));
    assert_returns(memfs_lock(t.two, EXCLUSIVE, 0), MEMFS_EAGAIN);
    assert_ok(memfs_unlock(t.one));
    assert_ok(memfs_unlock(t.one));
    close_two(&t);
}

static void locks_belong_to_the_node_whatever_name_was_opened(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(memfs_link(f->fs, "/f", "/g"));
    memfs_file *one = open_file(f->fs, "/f", MEMFS_O_READ | MEMFS_O_EXCLUSIVE_LOCK);
    memfs_file *two = open_file(f->fs, "/g", MEMFS_O_READ);
    assert_returns(memfs_lock(two, SHARED, 0), MEMFS_EAGAIN);
    assert_refused(f->fs, memfs_unlink(f->fs, "/g"), MEMFS_EBUSY);
    assert_ok(memfs_close(one));
    assert_ok(memfs_close(two));
}

static void locks_of_the_same_path_in_two_instances_are_two_locks(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    put(f->other, "/f", "x");
    memfs_file *one = open_file(f->fs, "/f", MEMFS_O_READ | MEMFS_O_EXCLUSIVE_LOCK);
    memfs_file *two = open_file(f->other, "/f", MEMFS_O_READ | MEMFS_O_EXCLUSIVE_LOCK);
    assert_ok(memfs_close(one));
    assert_ok(memfs_close(two));
}

static void a_lock_can_be_taken_at_open(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = NULL;
    put(f->fs, "/f", "x");
    memfs_file *holder = open_file(f->fs, "/f", MEMFS_O_READ | MEMFS_O_SHARED_LOCK);
    memfs_file *second = open_file(f->fs, "/f", MEMFS_O_READ | MEMFS_O_SHARED_LOCK);
    uint32_t exclusive = MEMFS_O_RDWR | MEMFS_O_EXCLUSIVE_LOCK;
    assert_refused(f->fs, memfs_open(f->fs, "/f", exclusive, 0, &file), MEMFS_EAGAIN);
    memfs_open_options options = {
        .struct_size = sizeof options, .flags = exclusive, .lock_timeout_ms = 10};
    assert_refused(f->fs, memfs_open_with(f->fs, "/f", &options, &file), MEMFS_ETIMEDOUT);
    assert_null(file);
    assert_ok(memfs_close(holder));
    assert_ok(memfs_close(second));
    assert_ok(memfs_open_with(f->fs, "/f", &options, &file));
    assert_returns(memfs_truncate(f->fs, "/f", 0), MEMFS_EBUSY);
    assert_ok(memfs_close(file));
}

static void an_open_whose_lock_is_refused_neither_creates_nor_truncates(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = NULL;
    put(f->fs, "/f", "content");
    memfs_file *holder = open_file(f->fs, "/f", MEMFS_O_READ | MEMFS_O_SHARED_LOCK);
    uint32_t flags = MEMFS_O_RDWR | MEMFS_O_TRUNCATE | MEMFS_O_EXCLUSIVE_LOCK;
    char *before = fixture_describe(f->fs);
    int result = memfs_open(f->fs, "/f", flags, 0, &file);
    assert_true(result == MEMFS_EAGAIN || result == MEMFS_EBUSY);
    check_described(f->fs, before, "a refused open", __FILE__, __LINE__);
    assert_ok(memfs_close(holder));
    assert_text(f->fs, "/f", "content");
}

static void truncate_with_an_exclusive_lock_truncates_under_it(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "content");
    memfs_file *file = open_file(f->fs, "/f",
                                 MEMFS_O_RDWR | MEMFS_O_TRUNCATE | MEMFS_O_EXCLUSIVE_LOCK);
    assert_int_equal(fstat_of(file).size_bytes, 0);
    assert_returns(memfs_write(file, "x", 1), 1);
    assert_ok(memfs_ftruncate(file, 0)); /* by the holder's handle: no refusal */
    assert_ok(memfs_close(file));
}

static void a_locked_file_refuses_removal_rename_and_replacement(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    put(f->fs, "/g", "y");
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR | MEMFS_O_SHARED_LOCK);
    assert_refused(f->fs, memfs_unlink(f->fs, "/f"), MEMFS_EBUSY);
    assert_refused(f->fs, memfs_remove_tree(f->fs, "/f"), MEMFS_EBUSY);
    assert_refused(f->fs, memfs_rename(f->fs, "/f", "/d/f", 0), MEMFS_EBUSY);
    assert_refused(f->fs, memfs_rename(f->fs, "/g", "/f", 0), MEMFS_EBUSY);
    assert_refused(f->fs, memfs_write_file(f->fs, "/f", "z", 1, 0644, 0), MEMFS_EBUSY);
    assert_refused(f->fs, memfs_copy(f->fs, "/g", "/f", 0), MEMFS_EBUSY);
    assert_ok(memfs_copy(f->fs, "/f", "/h", 0));
    assert_ok(memfs_close(file));
    assert_ok(memfs_unlink(f->fs, "/f"));
}

static void a_lock_is_between_handles_and_stops_no_reading_or_writing(void **state)
{
    struct fixture *f = *state;
    char byte;
    struct two t = open_two(f);
    assert_ok(memfs_lock(t.one, EXCLUSIVE, 0));
    assert_returns(memfs_pwrite(t.two, "y", 1, 0), 1);
    assert_returns(memfs_pread(t.two, &byte, 1, 0), 1);
    assert_int_equal(byte, 'y');
    close_two(&t);
}

static void kinds_of_lock_that_do_not_exist_are_invalid(void **state)
{
    struct fixture *f = *state;
    struct two t = open_two(f);
    assert_returns(memfs_lock(t.one, 0, 0), MEMFS_EINVAL);
    assert_returns(memfs_lock(t.one, 3, 0), MEMFS_EINVAL);
    assert_returns(memfs_lock(t.one, -1, 0), MEMFS_EINVAL);
    close_two(&t);
}

static void an_unlinked_file_can_be_locked(void **state)
{
    struct fixture *f = *state;
    struct two t = open_two(f);
    assert_ok(memfs_unlink(f->fs, "/f"));
    assert_ok(memfs_lock(t.one, EXCLUSIVE, 0));
    assert_returns(memfs_lock(t.two, SHARED, 0), MEMFS_EAGAIN);
    close_two(&t);
}

static void locking_never_allocates(void **state)
{
    struct fixture *f = *state;
    struct two t = open_two(f);
    tracking_refuse(&f->allocator, 1, 1);
    assert_ok(memfs_lock(t.one, SHARED, 0));
    assert_ok(memfs_unlock(t.one));
    assert_ok(memfs_lock(t.two, EXCLUSIVE, 0));
    assert_ok(memfs_unlock(t.two));
    tracking_refuse(&f->allocator, 0, 0);
    close_two(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(shared_locks_go_together_and_an_exclusive_one_does_not),
        FS_TEST(a_lock_taken_twice_is_held_once),
        FS_TEST(a_wait_that_is_too_long_times_out),
        FS_TEST(a_shared_lock_upgrades_when_it_is_alone),
        FS_TEST(a_refused_upgrade_keeps_the_shared_lock),
        FS_TEST(an_exclusive_lock_downgrades_at_once),
        FS_TEST(closing_a_handle_gives_its_lock_back),
        FS_TEST(unlocking_without_a_lock_does_nothing),
        FS_TEST(locks_belong_to_the_node_whatever_name_was_opened),
        FS_TEST(locks_of_the_same_path_in_two_instances_are_two_locks),
        FS_TEST(a_lock_can_be_taken_at_open),
        FS_TEST(an_open_whose_lock_is_refused_neither_creates_nor_truncates),
        FS_TEST(truncate_with_an_exclusive_lock_truncates_under_it),
        FS_TEST(a_locked_file_refuses_removal_rename_and_replacement),
        FS_TEST(a_lock_is_between_handles_and_stops_no_reading_or_writing),
        FS_TEST(kinds_of_lock_that_do_not_exist_are_invalid),
        FS_TEST(an_unlinked_file_can_be_locked),
        FS_TEST(locking_never_allocates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
