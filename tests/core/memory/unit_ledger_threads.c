/* Limits that are lowered while other threads charge. */
#include "rig.h"

#include "memory/ledger.h"

#include <pthread.h>
#include <stdatomic.h>

enum { HOLDERS = 2, ROUNDS = 300000, HELD = 300, LOW = 100, HIGH = 1000 };

struct contest {
    struct mfs_ledger ledger;
    atomic_int is_over, is_low;
    atomic_int seen; /* how often a holder of more than the low limit saw it in force */
};

static void *hold_and_look(void *context)
{
    struct contest *contest = context;
    while (!atomic_load(&contest->is_over)) {
        if (!mfs_ledger_charge(&contest->ledger, MFS_CHARGE_ORDINARY, HELD))
            continue;
        for (int i = 0; i < 30; i++)
            if (atomic_load(&contest->is_low))
                atomic_fetch_add(&contest->seen, 1);
        mfs_ledger_refund(&contest->ledger, HELD);
    }
    return NULL;
}

static void a_holder_of_more_never_sees_a_lower_limit_in_force(void **state)
{
    (void)state;
    static struct contest contest;
    struct mfs_lot lot = {.threaded = false}; /* this thread alone changes the limit */
    pthread_t threads[HOLDERS];
    int lowered = 0, refused = 0;
    mfs_ledger_init(&contest.ledger, HIGH);
    for (int i = 0; i < HOLDERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hold_and_look, &contest), 0);
    for (int i = 0; i < ROUNDS || (lowered == 0 && i < 100 * ROUNDS); i++) {
        if (mfs_ledger_set_limit(&contest.ledger, &lot, LOW)) {
            atomic_store(&contest.is_low, 1);
            lowered++;
            for (volatile int pause = 0; pause < 20; pause++)
                continue;
            atomic_store(&contest.is_low, 0);
        } else {
            refused++;
        }
        assert_true(mfs_ledger_set_limit(&contest.ledger, &lot, HIGH));
    }
    atomic_store(&contest.is_over, 1);
    for (int i = 0; i < HOLDERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(lowered > 0 && refused > 0);
    assert_int_equal(atomic_load(&contest.seen), 0);
    assert_true(mfs_ledger_set_limit(&contest.ledger, &lot, LOW));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_holder_of_more_never_sees_a_lower_limit_in_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
