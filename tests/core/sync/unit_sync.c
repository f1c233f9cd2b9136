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
    /* As a reader that meets others does, but more often. */
    uint32_t word = atomic_load(&room->locks[i].word);
    if ((word & ~MFS_LOCK_COUNT) == 0)
        atomic_compare_exchange_strong(&room->locks[i].word, &word, word | MFS_LOCK_BIASED);
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
        assert_int_equal(room.locks[i].word & ~MFS_LOCK_BIASED, 0); /* free, and no thread waits */
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

/* ------------------------------------------------------------- the table of readers */

static void a_reader_of_a_biased_lock_writes_no_word_of_it(void **state)
    MFS_NO_THREAD_SAFETY_ANALYSIS
{
    (void)state;
    struct mfs_lot lot;
    struct mfs_lock lock = {MFS_LOCK_BIASED};
    assert_int_equal(mfs_sync_lot_init(&lot, NULL, true), 0);
    for (int round = 0; round < 3; round++) {
        mfs_sync_lock_shared(&lot, &lock);
        assert_int_equal(lock.word, MFS_LOCK_BIASED);
        assert_true(mfs_readers_have(&lock));
        mfs_sync_unlock_shared(&lot, &lock);
        assert_false(mfs_readers_have(&lock));
    }
    mfs_sync_lock_exclusive(&lot, &lock);
    assert_int_equal(lock.word, MFS_LOCK_HELD);
    mfs_sync_unlock_exclusive(&lot, &lock);
    mfs_sync_lock_shared(&lot, &lock); /* is counted again */
    assert_int_equal(lock.word, 1);
    mfs_sync_unlock_shared(&lot, &lock);
    mfs_sync_lot_fini(&lot);
}

static void what_does_not_fit_into_the_table_is_counted(void **state) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    (void)state;
    enum { LOCKS = MFS_READERS_OWN + 2 };
    struct mfs_lot lot;
    struct mfs_lock locks[LOCKS];
    assert_int_equal(mfs_sync_lot_init(&lot, NULL, true), 0);
    for (int i = 0; i < LOCKS; i++) {
        locks[i] = (struct mfs_lock){MFS_LOCK_BIASED};
        mfs_sync_lock_shared(&lot, &locks[i]);
        assert_int_equal(locks[i].word, MFS_LOCK_BIASED + (i < MFS_READERS_OWN ? 0u : 1u));
    }
    for (int i = 0; i < LOCKS; i++) {
        mfs_sync_unlock_shared(&lot, &locks[i]);
        assert_int_equal(locks[i].word, MFS_LOCK_BIASED);
        assert_false(mfs_readers_have(&locks[i]));
    }
    mfs_sync_lot_fini(&lot);
}

static void *write_once(void *context) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    struct meeting *meeting = context;
    mfs_sync_lock_exclusive(&meeting->lot, &meeting->lock);
    mfs_sync_unlock_exclusive(&meeting->lot, &meeting->lock);
    return NULL;
}

/* The writer parks: the reader leaves only when it sees that. */
static void a_writer_waits_for_the_readers_in_the_table(void **state) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    (void)state;
    static struct meeting meeting;
    pthread_t writer;
    uint32_t waiting = MFS_LOCK_HELD | MFS_LOCK_PARKED;
    assert_int_equal(mfs_sync_lot_init(&meeting.lot, NULL, true), 0);
    for (int round = 0; round < 100; round++) {
        meeting.lock.word = MFS_LOCK_BIASED;
        mfs_sync_lock_shared(&meeting.lot, &meeting.lock);
        assert_int_equal(pthread_create(&writer, NULL, write_once, &meeting), 0);
        while ((meeting.lock.word & waiting) != waiting)
            continue;
        mfs_sync_unlock_shared(&meeting.lot, &meeting.lock);
        assert_int_equal(pthread_join(writer, NULL), 0);
        assert_int_equal(meeting.lock.word, 0);
    }
    mfs_sync_lot_fini(&meeting.lot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_of_a_biased_lock_writes_no_word_of_it),
        cmocka_unit_test(what_does_not_fit_into_the_table_is_counted),
        cmocka_unit_test(a_writer_waits_for_the_readers_in_the_table),
        cmocka_unit_test(a_writer_is_alone_and_every_waiter_gets_in),
        cmocka_unit_test(readers_are_inside_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
