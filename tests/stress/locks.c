/*
 * Whole-file locks between threads: exclusion, timeouts, upgrades, wake-ups, and that a locked file
 * cannot be removed.
 *
 * The thread sanitizer looks on: what a lock guards here is plain memory.
 */
#include "crew.h"
#include "site.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define STEPS 4000u
#define FOREVER (-1)

struct guarded {
    struct site site;
    uint64_t count;           /* plain, on purpose: only the lock on "/f" guards it */
    _Atomic uint64_t granted; /* exclusive locks that were granted */
};

static void guarded_open(struct guarded *guarded)
{
    memset(guarded, 0, sizeof *guarded);
    site_open(&guarded->site, 1u << 20, 0);
    assert_int_equal(memfs_write_file(guarded->site.fs, "/f", "", 0, 0644, 0), 0);
}

static memfs_file *open_guarded(struct crew_member *me)
{
    struct guarded *guarded = me->context;
    memfs_file *file = NULL;
    crew_must(me, memfs_open(guarded->site.fs, "/f", MEMFS_O_RDWR, 0, &file));
    return file;
}

static int64_t some_timeout(struct crew_member *me)
{
    static const int64_t timeouts[] = {0, 1, 20, FOREVER};
    return timeouts[crew_random(me, 4)];
}

static void count_under_lock(struct guarded *guarded)
{
    guarded->count++;
    atomic_fetch_add(&guarded->granted, 1);
}

static void lock_exclusively(struct crew_member *me)
{
    memfs_file *file = open_guarded(me);
    for (unsigned i = 0; i < STEPS; i++) {
        int result = memfs_lock(file, MEMFS_LOCK_EXCLUSIVE, some_timeout(me));
        if (crew_allow(me, result, MEMFS_EAGAIN, MEMFS_ETIMEDOUT) != 0)
            continue;
        count_under_lock(me->context);
        if (crew_random(me, 3) == 0)
            crew_must(me, memfs_lock(file, MEMFS_LOCK_SHARED, 0));
        crew_must(me, memfs_unlock(file));
    }
    crew_must(me, memfs_close(file));
}

/* Closing is a way to unlock. */
static void lock_at_open(struct crew_member *me)
{
    struct guarded *guarded = me->context;
    for (unsigned i = 0; i < STEPS; i++) {
        memfs_open_options options = {
            .struct_size = sizeof options,
            .flags = MEMFS_O_READ | MEMFS_O_EXCLUSIVE_LOCK,
            .lock_timeout_ms = some_timeout(me),
        };
        memfs_file *file = NULL;
        int result = memfs_open_with(guarded->site.fs, "/f", &options, &file);
        if (crew_allow(me, result, MEMFS_EAGAIN, MEMFS_ETIMEDOUT) != 0)
            continue;
        count_under_lock(guarded);
        crew_must(me, memfs_close(file));
    }
}

static void lock_shared_and_upgrade(struct crew_member *me)
{
    struct guarded *guarded = me->context;
    memfs_file *file = open_guarded(me);
    for (unsigned i = 0; i < STEPS; i++) {
        crew_must(me, memfs_lock(file, MEMFS_LOCK_SHARED, FOREVER));
        uint64_t before = guarded->count;
        crew_check(me, before == atomic_load(&guarded->granted));
        int result = memfs_lock(file, MEMFS_LOCK_EXCLUSIVE, FOREVER);
        if (crew_allow(me, result, MEMFS_EDEADLK) == 0) {
            crew_check(me, guarded->count == before);
            count_under_lock(guarded);
        }
        crew_must(me, memfs_unlock(file));
    }
    crew_must(me, memfs_close(file));
}

static void a_lock_guards_memory(void **state)
{
    (void)state;
    static struct guarded guarded;
    guarded_open(&guarded);
    struct crew *crew = crew_create("locks", &guarded);
    crew_add(crew, "locker", 3, lock_exclusively);
    crew_add(crew, "opener", 1, lock_at_open);
    crew_add(crew, "upgrader", 2, lock_shared_and_upgrade);
    crew_run(crew);
    crew_destroy(crew);
    assert_true(guarded.granted > 0);
    assert_int_equal(guarded.count, guarded.granted);
    site_close(&guarded.site);
}

/* The test's thread holds the lock meanwhile. */
static void be_refused(struct crew_member *me)
{
    struct guarded *guarded = me->context;
    memfs *fs = guarded->site.fs;
    memfs_file *file = open_guarded(me);
    memfs_open_options options = {
        .struct_size = sizeof options,
        .flags = MEMFS_O_READ | MEMFS_O_SHARED_LOCK,
        .lock_timeout_ms = 1,
    };
    for (unsigned i = 0; i < 20; i++) {
        memfs_file *none = NULL;
        crew_check(me, memfs_lock(file, MEMFS_LOCK_SHARED, 0) == MEMFS_EAGAIN);
        crew_check(me, memfs_lock(file, MEMFS_LOCK_EXCLUSIVE, 1) == MEMFS_ETIMEDOUT);
        crew_check(me, memfs_open_with(fs, "/f", &options, &none) == MEMFS_ETIMEDOUT);
        crew_check(me, memfs_unlink(fs, "/f") == MEMFS_EBUSY);
        crew_check(me, memfs_rename(fs, "/f", "/g", 0) == MEMFS_EBUSY);
        crew_check(me, memfs_write_file(fs, "/f", "new", 3, 0644, 0) == MEMFS_EBUSY);
        crew_check(me, memfs_remove_tree(fs, "/f") == MEMFS_EBUSY);
    }
    crew_must(me, memfs_close(file));
}

static void a_held_lock_refuses_all_others(void **state)
{
    (void)state;
    static struct guarded guarded;
    guarded_open(&guarded);
    memfs_file *holder;
    assert_int_equal(
        memfs_open(guarded.site.fs, "/f", MEMFS_O_READ | MEMFS_O_EXCLUSIVE_LOCK, 0, &holder), 0);
    struct crew *crew = crew_create("refused", &guarded);
    crew_add(crew, "waiter", 4, be_refused);
    crew_run(crew);
    crew_destroy(crew);
    assert_int_equal(memfs_close(holder), 0);
    site_close(&guarded.site);
}

/* In each round one member holds the lock when the others begin to wait, and gives it up by
 * closing or unlocking.  A wake-up that is lost ends in the test's timeout. */
static void wait_in_turns(struct crew_member *me)
{
    for (unsigned round = 0; round < STEPS / 8; round++) {
        memfs_file *file = open_guarded(me);
        int holds = round % 4 == me->index;
        if (holds)
            crew_must(me, memfs_lock(file, MEMFS_LOCK_EXCLUSIVE, 0));
        crew_meet(me);
        int kind = crew_random(me, 2) == 0 ? MEMFS_LOCK_SHARED : MEMFS_LOCK_EXCLUSIVE;
        if (!holds)
            crew_must(me, memfs_lock(file, kind, FOREVER));
        else if (crew_random(me, 2) == 0)
            crew_must(me, memfs_unlock(file));
        crew_must(me, memfs_close(file));
        crew_meet(me);
    }
}

static void a_waiter_is_woken_by_unlock_and_by_close(void **state)
{
    (void)state;
    static struct guarded guarded;
    guarded_open(&guarded);
    struct crew *crew = crew_create("wake-ups", &guarded);
    crew_add(crew, "waiter", 4, wait_in_turns);
    crew_run(crew);
    crew_destroy(crew);
    site_close(&guarded.site);
}

static memfs_stat_info stat_buffer(void)
{
    memfs_stat_info info;
    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    return info;
}

/* Once a lock is held on a file that has its name, the name stays. */
static void lock_and_look(struct crew_member *me)
{
    struct guarded *guarded = me->context;
    memfs *fs = guarded->site.fs;
    for (unsigned i = 0; i < STEPS; i++) {
        memfs_file *file = NULL;
        memfs_open_options options = {
            .struct_size = sizeof options,
            .flags = MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_SHARED_LOCK,
            .mode = 0644,
            .lock_timeout_ms = FOREVER,
        };
        crew_must(me, memfs_open_with(fs, "/f", &options, &file));
        memfs_stat_info held = stat_buffer(), named = stat_buffer();
        crew_must(me, memfs_fstat(file, &held));
        if (held.links == 1) {
            crew_must(me, memfs_stat(fs, "/f", &named));
            crew_check(me, named.number == held.number);
        }
        crew_must(me, memfs_close(file));
    }
}

static void remove_if_allowed(struct crew_member *me)
{
    struct guarded *guarded = me->context;
    memfs *fs = guarded->site.fs;
    for (unsigned i = 0; i < STEPS; i++) {
        crew_allow(me, memfs_unlink(fs, "/f"), MEMFS_ENOENT, MEMFS_EBUSY);
        crew_must(me, memfs_write_file(fs, "/new", "", 0, 0644, 0));
        crew_allow(me, memfs_rename(fs, "/new", "/f", 0), MEMFS_EBUSY);
    }
}

static void a_locked_file_keeps_its_name(void **state)
{
    (void)state;
    static struct guarded guarded;
    guarded_open(&guarded);
    struct crew *crew = crew_create("locked names", &guarded);
    crew_add(crew, "locker", 3, lock_and_look);
    crew_add(crew, "remover", 1, remove_if_allowed);
    crew_run(crew);
    assert_true(crew_done(crew, "remover") > 0);
    crew_destroy(crew);
    site_close(&guarded.site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lock_guards_memory),
        cmocka_unit_test(a_held_lock_refuses_all_others),
        cmocka_unit_test(a_waiter_is_woken_by_unlock_and_by_close),
        cmocka_unit_test(a_locked_file_keeps_its_name),
    };
    return cmocka_run_group_tests_name("locks", tests, NULL, NULL);
}
