/* Limits that are lowered while other threads charge. */
#include "rig.h"

#include "memory/ledger.h"

#include <pthread.h>
#include <stdatomic.h>

enum { ROUNDS = 3000000, LOOKS = 20, HELD = 300, LOW = 100, HIGH = 1000 };

struct contest {
    struct mfs_ledger ledger;
    atomic_int is_over, is_low;
    atomic_int seen; /* how often the holder of more than the low limit saw it in force */
};

/* Holds for half of the time, so that a limit is lowered as often as it is refused. */
static void *hold_and_look(void *context)
{
    struct contest *contest = context;
    int other = 0;
    while (!atomic_load(&contest->is_over)) {
        uint64_t committed;
        bool is_held = mfs_ledger_charge(&contest->ledger, MFS_CHARGE_ORDINARY, HELD, &committed);
        for (int look = 0; look < LOOKS; look++)
            if (atomic_load(&contest->is_low) && is_held)
                atomic_fetch_add(&contest->seen, 1);
        if (is_held)
            mfs_ledger_refund(&contest->ledger, HELD);
        for (int look = 0; look < LOOKS; look++)
            other += atomic_load(&contest->is_over);
    }
    (void)other;
    return NULL;
}

static void a_holder_of_more_never_sees_a_lower_limit_in_force(void **state)
{
    (void)state;
    static struct contest contest;
    struct mfs_lot lot = {.threaded = false}; /* this thread alone changes the limit */
    pthread_t holder;
    int lowered = 0;
    mfs_ledger_init(&contest.ledger, HIGH);
    assert_int_equal(pthread_create(&holder, NULL, hold_and_look, &contest), 0);
    for (int i = 0; i < ROUNDS; i++) {
        if (mfs_ledger_set_limit(&contest.ledger, &lot, LOW)) {
            lowered++;
            atomic_store(&contest.is_low, 1);
            for (volatile int pause = 0; pause < 4 * LOOKS; pause++)
                continue;
            atomic_store(&contest.is_low, 0);
        }
        assert_true(mfs_ledger_set_limit(&contest.ledger, &lot, HIGH));
    }
    atomic_store(&contest.is_over, 1);
    assert_int_equal(pthread_join(holder, NULL), 0);
    print_message("lowered %d times of %d\n", lowered, ROUNDS);
    assert_true(lowered > 0);
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
