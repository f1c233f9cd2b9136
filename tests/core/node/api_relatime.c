/* The default rule for access times: a read sets one that is not newer than the last change. */
#include "checks.h"

#define SECOND INT64_C(1000000000)
#define DAY (86400 * SECOND)

/* The access time after a read at `now` of a file with these times. */
static int64_t access_after_read(struct fixture *f, int64_t access, int64_t modified, int64_t now)
{
    char byte;
    f->now_ns = 1; /* when the times are set: the time of the last change of attributes */
    put(f->fs, "/f", "text");
    assert_ok(memfs_utimens(f->fs, "/f", access, modified));
    f->now_ns = now;
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_READ);
    assert_returns(memfs_pread(file, &byte, 1, 0), 1);
    assert_ok(memfs_close(file));
    return stat_of(f->fs, "/f").access_ns;
}

static void an_access_time_is_set_unless_it_is_newer_than_the_modification(void **state)
{
    struct fixture *f = *state;
    assert_true(access_after_read(f, 4 * SECOND, 5 * SECOND, 10 * SECOND) >= 10 * SECOND);
    assert_true(access_after_read(f, 5 * SECOND, 5 * SECOND, 10 * SECOND) >= 10 * SECOND);
    assert_int_equal(access_after_read(f, 5 * SECOND + 1, 5 * SECOND, 10 * SECOND), 5 * SECOND + 1);
}

/* Sets the times at ten seconds, which is a change of attributes; returns its time. */
static int64_t set_access_time(struct fixture *f, int64_t access)
{
    f->now_ns = 10 * SECOND;
    assert_ok(memfs_utimens(f->fs, "/f", access, 5 * SECOND));
    return stat_of(f->fs, "/f").change_ns;
}

static void an_access_time_is_set_unless_it_is_newer_than_the_change_of_attributes(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "text");
    int64_t changed = set_access_time(f, 6 * SECOND);
    for (int64_t difference = -1; difference <= 1; difference++) {
        char byte;
        assert_int_equal(set_access_time(f, changed + difference), changed);
        f->now_ns = 20 * SECOND;
        memfs_file *file = open_file(f->fs, "/f", MEMFS_O_READ);
        assert_returns(memfs_pread(file, &byte, 1, 0), 1);
        assert_ok(memfs_close(file));
        int64_t access = stat_of(f->fs, "/f").access_ns;
        assert_true(difference <= 0 ? access >= 20 * SECOND : access == changed + 1);
    }
}

static void an_access_time_that_is_a_day_old_is_set(void **state)
{
    struct fixture *f = *state;
    int64_t access = 10 * SECOND;
    assert_int_equal(access_after_read(f, access, SECOND, access + DAY - SECOND), access);
    assert_true(access_after_read(f, access, SECOND, access + DAY) >= access + DAY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(an_access_time_is_set_unless_it_is_newer_than_the_modification),
        FS_TEST(an_access_time_is_set_unless_it_is_newer_than_the_change_of_attributes),
        FS_TEST(an_access_time_that_is_a_day_old_is_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
