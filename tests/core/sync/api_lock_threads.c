/* Waiting for whole-file locks: waits that end, and the deadlock that is reported. */
#define _POSIX_C_SOURCE 200809L

#include "team.h"

#include <sched.h>

enum { WAIT_MS = 20 };

static void *hold_then_unlock(void *context)
{
    struct team *team = ((struct member *)context)->team;
    team->wrong += memfs_lock(team->files[0], MEMFS_LOCK_EXCLUSIVE, 0) != 0;
    meet(team);
    team->flag = 1;
    team->wrong += memfs_unlock(team->files[0]) != 0;
    return NULL;
}

static void *wait_for_lock(void *context)
{
    struct team *team = ((struct member *)context)->team;
    meet(team);
    team->wrong += memfs_lock(team->files[1], MEMFS_LOCK_EXCLUSIVE, -1) != 0;
    team->wrong += team->flag != 1;
    return NULL;
}

static void a_waiter_gets_the_lock_when_it_is_given_back(void **state)
{
    struct fixture *f = *state;
    void *(*const functions[])(void *) = {hold_then_unlock, wait_for_lock};
    put(f->fs, "/f", "x");
    for (int i = 0; i < ROUNDS / 3; i++) {
        struct team team = team_of(f);
        team.files[0] = open_file(f->fs, "/f", MEMFS_O_RDWR);
        team.files[1] = open_file(f->fs, "/f", MEMFS_O_RDWR);
        run(&team, 2, functions);
        assert_int_equal(team.wrong, 0);
        assert_ok(memfs_close(team.files[0]));
        assert_ok(memfs_close(team.files[1]));
    }
}

static void *wait_to_be_cancelled(void *context)
{
    struct team *team = context;
    team->flag = 1;
    (void)memfs_lock(team->files[1], MEMFS_LOCK_EXCLUSIVE, WAIT_MS);
    team->results[0] = 1;
    while (team->results[0] != 0) { /* until it is cancelled */
        pthread_testcancel();
        sched_yield();
    }
    return NULL;
}

/* Whether the cancellation comes before, in or after the wait, the lock is as if the thread had
 * waited in vain. */
static void cancelling_a_waiter_leaves_the_lock_good(void **state)
{
    struct team team = team_of(*state);
    put(team.fs, "/f", "x");
    memfs_file *other = open_file(team.fs, "/f", MEMFS_O_RDWR);
    for (int i = 0; i < 2; i++)
        team.files[i] = open_file(team.fs, "/f", MEMFS_O_RDWR);
    assert_ok(memfs_lock(team.files[0], MEMFS_LOCK_EXCLUSIVE, 0));
    for (int i = 0; i < ROUNDS / 10; i++) {
        pthread_t waiter;
        void *result;
        team.flag = team.results[0] = 0;
        assert_int_equal(pthread_create(&waiter, NULL, wait_to_be_cancelled, &team), 0);
        while (!team.flag)
            sched_yield();
        for (int turn = 0; turn < i * 20; turn++)
            sched_yield();
        assert_int_equal(pthread_cancel(waiter), 0);
        assert_int_equal(pthread_join(waiter, &result), 0);
        assert_true(result == PTHREAD_CANCELED);
        assert_int_equal(team.results[0], 1); /* the wait itself is no cancellation point */
        assert_returns(memfs_lock(other, MEMFS_LOCK_SHARED, 1), MEMFS_ETIMEDOUT);
    }
    assert_ok(memfs_unlock(team.files[0]));
    assert_ok(memfs_lock(other, MEMFS_LOCK_EXCLUSIVE, 0));
    assert_ok(memfs_close(other));
    assert_ok(memfs_close(team.files[0]));
    assert_ok(memfs_close(team.files[1]));
}

static void *open_then_close(void *context)
{
    struct team *team = ((struct member *)context)->team;
    memfs_open_options options = {.struct_size = sizeof options,
                                  .flags = MEMFS_O_RDWR | MEMFS_O_EXCLUSIVE_LOCK,
                                  .lock_timeout_ms = -1};
    for (int i = 0; i < ROUNDS; i++) {
        memfs_file *file = NULL;
        if (i == 0)
            meet(team);
        if (memfs_open_with(team->fs, "/f", &options, &file) != 0) {
            team->wrong++;
            continue;
        }
        team->wrong += team->flag++ != 0; /* alone */
        team->flag--;
        team->wrong += memfs_close(file) != 0;
    }
    return NULL;
}

static void locks_taken_at_open_with_a_timeout_exclude_each_other(void **state)
{
    struct team team = team_of(*state);
    void *(*const functions[])(void *) = {open_then_close, open_then_close, open_then_close};
    put(team.fs, "/f", "x");
    run(&team, 3, functions);
    assert_int_equal(team.wrong, 0);
}

static void *upgrade(void *context)
{
    struct member *member = context;
    struct team *team = member->team;
    memfs_file *file = team->files[member->number];
    team->wrong += memfs_lock(file, MEMFS_LOCK_SHARED, 0) != 0;
    meet(team);
    int result = memfs_lock(file, MEMFS_LOCK_EXCLUSIVE, -1);
    team->results[member->number] = result;
    team->wrong += memfs_unlock(file) != 0;
    return NULL;
}

static void of_two_handles_that_wait_to_upgrade_one_is_refused_as_a_deadlock(void **state)
{
    struct fixture *f = *state;
    void *(*const functions[])(void *) = {upgrade, upgrade};
    put(f->fs, "/f", "x");
    int deadlocks = 0;
    for (int i = 0; i < ROUNDS / 3; i++) {
        struct team team = team_of(f);
        team.files[0] = open_file(f->fs, "/f", MEMFS_O_RDWR);
        team.files[1] = open_file(f->fs, "/f", MEMFS_O_RDWR);
        run(&team, 2, functions);
        assert_int_equal(team.wrong, 0);
        assert_true(team.results[0] == 0 || team.results[1] == 0);
        int other = team.results[0] == 0 ? team.results[1] : team.results[0];
        assert_true(other == MEMFS_EDEADLK);
        deadlocks++;
        assert_ok(memfs_close(team.files[0]));
        assert_ok(memfs_close(team.files[1]));
    }
    assert_int_equal(deadlocks, ROUNDS / 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(cancelling_a_waiter_leaves_the_lock_good),
        FS_TEST(a_waiter_gets_the_lock_when_it_is_given_back),
        FS_TEST(locks_taken_at_open_with_a_timeout_exclude_each_other),
        FS_TEST(of_two_handles_that_wait_to_upgrade_one_is_refused_as_a_deadlock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
