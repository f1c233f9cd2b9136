/* The reader-writer lock: which threads may hold it at once. */
#define _POSIX_C_SOURCE 200809L

#include "rig.h"

#include "sync/sync.h"

enum { THREADS = 4, STEPS = 20000 };

struct room {
    struct mfs_lot lot;
    struct mfs_lock locks[3]; /* more than one, for they share gates */
    _Atomic int readers[3], writers[3];
    _Atomic int wrong;
    uint64_t written[3]; /* plain: the lock is what makes it right */
};

static void enter_shared(struct room *room, size_t i) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    mfs_sync_lock_shared(&room->lot, &room->locks[i]);
    room->readers[i]++;
    if (room->writers[i] != 0)
        room->wrong++;
    room->readers[i]--;
    mfs_sync_unlock_shared(&room->lot, &room->locks[i]);
}

static void enter_exclusive(struct room *room, size_t i) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    mfs_sync_lock_exclusive(&room->lot, &room->locks[i]);
    if (room->writers[i]++ != 0 || room->readers[i] != 0)
        room->wrong++;
    room->written[i]++;
    room->writers[i]--;
    mfs_sync_unlock_exclusive(&room->lot, &room->locks[i]);
}

static void *come_and_go(void *context)
{
    struct room *room = context;
    for (size_t i = 0; i < STEPS; i++) {
        enter_shared(room, i % 3);
        enter_exclusive(room, i % 3);
        enter_shared(room, (i + 1) % 3);
    }
    return NULL;
}

static void a_writer_is_alone_and_every_waiter_gets_in(void **state)
{
    (void)state;
    static struct room room;
    pthread_t threads[THREADS];
    assert_int_equal(mfs_sync_lot_init(&room.lot, NULL, true), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &room), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(room.wrong, 0);
    assert_int_equal(room.written[0] + room.written[1] + room.written[2], THREADS * STEPS);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(room.locks[i].word, 0); /* free, and no bit says that a thread waits */
    mfs_sync_lot_fini(&room.lot);
}

struct meeting {
    struct mfs_lot lot;
    struct mfs_lock lock;
    pthread_barrier_t barrier;
};

static void *read_together(void *context) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    struct meeting *meeting = context;
    mfs_sync_lock_shared(&meeting->lot, &meeting->lock);
    pthread_barrier_wait(&meeting->barrier); /* ends only if all are inside at once */
    mfs_sync_unlock_shared(&meeting->lot, &meeting->lock);
    return NULL;
}

static void readers_are_inside_together(void **state)
{
    (void)state;
    struct meeting meeting = {.lock = {0}};
    pthread_t threads[THREADS];
    assert_int_equal(mfs_sync_lot_init(&meeting.lot, NULL, true), 0);
    assert_int_equal(pthread_barrier_init(&meeting.barrier, NULL, THREADS), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_together, &meeting), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    pthread_barrier_destroy(&meeting.barrier);
    mfs_sync_lot_fini(&meeting.lot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_writer_is_alone_and_every_waiter_gets_in),
        cmocka_unit_test(readers_are_inside_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
