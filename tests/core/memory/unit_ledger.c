/* The ledger: exact at its limit, and never above it with any number of threads. */
#include "rig.h"

#include "memory/ledger.h"

static bool charge(struct mfs_ledger *ledger, enum mfs_charge_from charge_from, uint64_t bytes)
{
    uint64_t committed = 1;
    if (!mfs_ledger_charge(ledger, charge_from, bytes, &committed)) {
        assert_int_equal(committed, 1); /* written only on success */
        return false;
    }
    assert_true(committed >= bytes);
    return true;
}

static void the_limit_can_be_charged_to_its_last_byte_and_not_beyond(void **state)
{
    (void)state;
    struct mfs_ledger ledger;
    mfs_ledger_init(&ledger, 1000);
    assert_true(charge(&ledger, MFS_CHARGE_ORDINARY, 999));
    assert_false(charge(&ledger, MFS_CHARGE_ORDINARY, 2));
    assert_true(charge(&ledger, MFS_CHARGE_ORDINARY, 1));
    assert_false(charge(&ledger, MFS_CHARGE_ORDINARY, 1));
    assert_true(charge(&ledger, MFS_CHARGE_ORDINARY, 0));
    assert_int_equal(mfs_ledger_available(&ledger, MFS_CHARGE_ORDINARY, 0), 0);
    assert_int_equal(ledger.peak, 0); /* a charge alone holds nothing yet */
    mfs_ledger_note_peak(&ledger, 1000);
    assert_int_equal(ledger.peak, 1000);
    mfs_ledger_refund(&ledger, 1000);
    assert_int_equal(mfs_ledger_available(&ledger, MFS_CHARGE_ORDINARY, 0), 1000);
    assert_int_equal(ledger.peak, 1000);
}

/* The other block went back between the charge and the note, as it may with several threads. */
static void the_peak_is_what_a_charge_reached_not_what_is_left_when_it_is_noted(void **state)
{
    (void)state;
    struct mfs_ledger ledger;
    uint64_t committed;
    mfs_ledger_init(&ledger, 1000);
    assert_true(charge(&ledger, MFS_CHARGE_ORDINARY, 600));
    assert_true(mfs_ledger_charge(&ledger, MFS_CHARGE_ORDINARY, 300, &committed));
    mfs_ledger_refund(&ledger, 600);
    mfs_ledger_note_peak(&ledger, committed);
    assert_int_equal(ledger.peak, 900);
}

static void a_charge_that_would_overflow_is_refused(void **state)
{
    (void)state;
    struct mfs_ledger ledger;
    mfs_ledger_init(&ledger, 1000);
    assert_true(charge(&ledger, MFS_CHARGE_ORDINARY, 10));
    assert_false(charge(&ledger, MFS_CHARGE_ORDINARY, UINT64_MAX));
    assert_false(charge(&ledger, MFS_CHARGE_ORDINARY, UINT64_MAX - 5));
    mfs_ledger_init(&ledger, MFS_UNLIMITED);
    assert_true(charge(&ledger, MFS_CHARGE_ORDINARY, 10));
    assert_false(charge(&ledger, MFS_CHARGE_ORDINARY, UINT64_MAX));
    assert_true(mfs_ledger_available(&ledger, MFS_CHARGE_ORDINARY, 0) == UINT64_MAX);
}

static void the_limit_moves_but_not_below_what_is_committed(void **state)
{
    (void)state;
    struct mfs_ledger ledger;
    struct mfs_lot lot = {.threaded = false};
    mfs_ledger_init(&ledger, 1000);
    assert_true(charge(&ledger, MFS_CHARGE_ORDINARY, 600));
    assert_false(mfs_ledger_set_limit(&ledger, &lot, 599));
    assert_true(charge(&ledger, MFS_CHARGE_ORDINARY, 1));
    assert_true(mfs_ledger_set_limit(&ledger, &lot, 601));
    assert_false(charge(&ledger, MFS_CHARGE_ORDINARY, 1));
    assert_true(mfs_ledger_set_limit(&ledger, &lot, MFS_UNLIMITED));
    assert_true(charge(&ledger, MFS_CHARGE_ORDINARY, 5000));
}

static void ordinary_charges_stop_where_the_reserve_begins(void **state)
{
    (void)state;
    struct mfs_ledger ledger;
    struct mfs_lot lot = {.threaded = false};
    mfs_ledger_init(&ledger, 1000);
    mfs_ledger_set_reserve(&ledger, &lot, 100);
    assert_int_equal(mfs_ledger_available(&ledger, MFS_CHARGE_ORDINARY, 0), 900);
    assert_true(charge(&ledger, MFS_CHARGE_ORDINARY, 900));
    assert_false(charge(&ledger, MFS_CHARGE_ORDINARY, 1));
    assert_true(charge(&ledger, MFS_CHARGE_RESERVE, 100));
    assert_false(charge(&ledger, MFS_CHARGE_RESERVE, 1));
    assert_int_equal(mfs_ledger_available(&ledger, MFS_CHARGE_ORDINARY, 150), 50);
    mfs_ledger_refund(&ledger, 150);
    assert_true(charge(&ledger, MFS_CHARGE_ORDINARY, 50));
    assert_true(mfs_ledger_set_limit(&ledger, &lot, 900)); /* into the reserve, but not above */
    assert_false(charge(&ledger, MFS_CHARGE_ORDINARY, 1));
    assert_false(mfs_ledger_set_limit(&ledger, &lot, 899));
    assert_true(mfs_ledger_set_limit(&ledger, &lot, MFS_UNLIMITED));
    assert_true(charge(&ledger, MFS_CHARGE_ORDINARY, 5000));
    assert_true(mfs_ledger_set_limit(&ledger, &lot, 6001));
    assert_true(charge(&ledger, MFS_CHARGE_ORDINARY, 1));
    assert_false(charge(&ledger, MFS_CHARGE_ORDINARY, 1));
}

static void what_is_used_is_counted_by_class(void **state)
{
    (void)state;
    struct mfs_ledger ledger;
    mfs_ledger_init(&ledger, 1000);
    mfs_ledger_use(&ledger, MEMFS_CLASS_DATA, 100);
    mfs_ledger_use(&ledger, MEMFS_CLASS_NAMES, 11);
    assert_int_equal(mfs_ledger_used(&ledger), 111);
    mfs_ledger_unuse(&ledger, MEMFS_CLASS_DATA, 40);
    assert_int_equal(ledger.used[MEMFS_CLASS_DATA], 60);
    assert_int_equal(mfs_ledger_used(&ledger), 71);
}

#ifndef MEMFS_NO_THREADS

enum { THREADS = 4, STEPS = 50000, LIMIT = 1000 };

struct crowd {
    struct mfs_ledger ledger;
    _Atomic uint64_t held; /* what the threads themselves have counted */
    _Atomic int above, refused;
};

static void *charge_and_refund(void *context)
{
    struct crowd *crowd = context;
    uint64_t seed = (uintptr_t)&seed;
    for (int i = 0; i < STEPS; i++) {
        uint64_t bytes = 1 + next_random(&seed) % 400;
        if (!charge(&crowd->ledger, MFS_CHARGE_ORDINARY, bytes)) {
            crowd->refused++;
            continue;
        }
        if (atomic_fetch_add(&crowd->held, bytes) + bytes > LIMIT)
            crowd->above++;
        atomic_fetch_sub(&crowd->held, bytes);
        mfs_ledger_refund(&crowd->ledger, bytes);
    }
    return NULL;
}

static void threads_at_the_limit_never_pass_it(void **state)
{
    (void)state;
    static struct crowd crowd;
    pthread_t threads[THREADS];
    mfs_ledger_init(&crowd.ledger, LIMIT);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, charge_and_refund, &crowd), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(crowd.above, 0);
    assert_int_equal(crowd.ledger.committed, 0);
    assert_true(crowd.ledger.peak <= LIMIT);
}

struct lowered {
    struct mfs_ledger ledger;
    struct mfs_lot lot;
    _Atomic int is_low, is_over;
    _Atomic uint64_t seen_above;
};

static void *hold_three_hundred(void *context)
{
    struct lowered *lowered = context;
    while (!lowered->is_over) {
        if (!charge(&lowered->ledger, MFS_CHARGE_ORDINARY, 300))
            continue;
        for (int i = 0; i < 30; i++)
            lowered->seen_above += lowered->is_low != 0;
        mfs_ledger_refund(&lowered->ledger, 300);
    }
    return NULL;
}

/* A charge that races with the lowering of the limit is taken back, or the lowering is. */
static void nobody_holds_more_than_a_limit_that_was_lowered(void **state)
{
    (void)state;
    static struct lowered lowered;
    pthread_t threads[2];
    mfs_ledger_init(&lowered.ledger, LIMIT);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hold_three_hundred, &lowered), 0);
    for (int i = 0; i < STEPS; i++) {
        if (mfs_ledger_set_limit(&lowered.ledger, &lowered.lot, 100)) {
            lowered.is_low = 1;
            lowered.is_low = 0;
        }
        assert_true(mfs_ledger_set_limit(&lowered.ledger, &lowered.lot, LIMIT));
    }
    lowered.is_over = 1;
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(lowered.seen_above, 0);
    assert_int_equal(lowered.ledger.committed, 0);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_can_be_charged_to_its_last_byte_and_not_beyond),
        cmocka_unit_test(the_peak_is_what_a_charge_reached_not_what_is_left_when_it_is_noted),
        cmocka_unit_test(a_charge_that_would_overflow_is_refused),
        cmocka_unit_test(the_limit_moves_but_not_below_what_is_committed),
        cmocka_unit_test(ordinary_charges_stop_where_the_reserve_begins),
        cmocka_unit_test(what_is_used_is_counted_by_class),
#ifndef MEMFS_NO_THREADS
        cmocka_unit_test(threads_at_the_limit_never_pass_it),
        cmocka_unit_test(nobody_holds_more_than_a_limit_that_was_lowered),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
