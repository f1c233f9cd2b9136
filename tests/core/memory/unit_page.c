/* Slabs of pages: nothing overlaps, counts hold, all comes back. */
#include "rig.h"

static const uint32_t page_sizes[] = {256, 4096, 65536};

enum { HELD = 300 };

static mfs_page take_one(struct rig *rig)
{
    struct mfs_page_list list = {0};
    if (mfs_page_pool_take(&rig->pool, MFS_CHARGE_ORDINARY, 1, &list) != 0)
        return 0;
    mfs_page page = mfs_page_list_pop(&rig->pool, &list);
    assert_int_equal(list.count, 0);
    return page;
}

static void check_mark(struct rig *rig, mfs_page page, size_t mark)
{
    const unsigned char *bytes = mfs_pool_page_bytes(&rig->pool, page);
    for (size_t i = 0; i < rig->pool.page_size; i += 61)
        assert_int_equal(bytes[i], (unsigned char)mark);
}

static void pages_taken_and_released_at_random_never_overlap(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT_OF(page_sizes); s++) {
        struct rig *rig = rig_create((uint64_t)page_sizes[s] * 120, page_sizes[s]);
        mfs_page held[HELD] = {0};
        uint64_t seed = s + 1, refused = 0;
        for (int step = 0; step < 5000; step++) {
            size_t at = next_random(&seed) % HELD;
            if (held[at] != 0) {
                check_mark(rig, held[at], at);
                mfs_page_release(&rig->pool, held[at]);
                held[at] = 0;
                continue;
            }
            held[at] = take_one(rig);
            refused += held[at] == 0;
            if (held[at] != 0)
                memset(mfs_pool_page_bytes(&rig->pool, held[at]), (int)(unsigned char)at,
                       page_sizes[s]);
        }
        for (size_t at = 0; at < HELD; at++) {
            if (held[at] != 0) {
                check_mark(rig, held[at], at);
                mfs_page_release(&rig->pool, held[at]);
            }
        }
        assert_true(refused > 0);
        assert_int_equal(rig->pool.pages_free, rig->pool.pages_total);
        mfs_pool_trim(&rig->pool);
        assert_int_equal(rig->pool.slabs, 0);
        assert_int_equal(rig->allocator.held_bytes, 0);
        rig_destroy(rig);
    }
}

static void a_page_lives_until_its_last_reference_and_its_last_pin_are_gone(void **state)
{
    (void)state;
    struct rig *rig = rig_create(0, 4096);
    mfs_page page = take_one(rig);
    assert_true(mfs_page_is_exclusive(&rig->pool, page));
    mfs_page_retain(&rig->pool, page);
    assert_false(mfs_page_is_exclusive(&rig->pool, page));
    assert_int_equal(mfs_page_references(&rig->pool, page), 2);
    mfs_page_release(&rig->pool, page);
    assert_true(mfs_page_is_exclusive(&rig->pool, page));
    mfs_page_pin(&rig->pool, page);
    memset(mfs_pool_page_bytes(&rig->pool, page), 7, 4096);
    mfs_page_release(&rig->pool, page);
    struct mfs_page_list others = {0};
    assert_int_equal(mfs_page_pool_take(&rig->pool, MFS_CHARGE_ORDINARY, 100, &others), 0);
    for (int i = 0; i < 100; i++) {
        mfs_page other = mfs_page_list_pop(&rig->pool, &others);
        assert_true(other != page);
        memset(mfs_pool_page_bytes(&rig->pool, other), 9, 4096);
        mfs_page_release(&rig->pool, other);
    }
    check_mark(rig, page, 7);
    mfs_page_unpin(&rig->pool, page);
    assert_int_equal(rig->pool.pages_free, rig->pool.pages_total);
    rig_destroy(rig);
}

static void several_pages_come_all_or_not_at_all(void **state)
{
    (void)state;
    struct rig *rig = rig_create(1 << 20, 4096);
    struct mfs_page_list list = {0};
    assert_int_equal(mfs_page_pool_take(&rig->pool, MFS_CHARGE_ORDINARY, 1000, &list),
                     MEMFS_EDQUOT);
    assert_int_equal(list.count, 0);
    assert_int_equal(rig->pool.pages_free, rig->pool.pages_total);
    assert_int_equal(mfs_ledger_used(&rig->memory.ledger), 0);
    assert_int_equal(mfs_page_pool_take(&rig->pool, MFS_CHARGE_ORDINARY, 200, &list), 0);
    assert_int_equal(list.count, 200);
    mfs_page_list_release(&rig->pool, &list);
    rig_destroy(rig);
    rig = rig_create(0, 4096);
    tracking_refuse(&rig->allocator, 2, 1); /* the second slab */
    assert_int_equal(mfs_page_pool_take(&rig->pool, MFS_CHARGE_ORDINARY, 2000, &list),
                     MEMFS_ENOMEM);
    tracking_refuse(&rig->allocator, 0, 0);
    assert_int_equal(rig->pool.pages_free, rig->pool.pages_total);
    rig_destroy(rig);
}

/* A block from the allocator may take all that is left, with what empty slabs hold. */
static void empty_slabs_make_room_for_a_block_of_just_what_is_left(void **state)
{
    (void)state;
    static const uint64_t limit = 8 << 20;
    for (int excess = 0; excess < 2; excess++) {
        struct rig *rig = rig_create(limit, 4096);
        struct mfs_page_list list = {0};
        void *block;
        assert_int_equal(mfs_page_pool_take(&rig->pool, MFS_CHARGE_ORDINARY, 300, &list), 0);
        mfs_page_list_release(&rig->pool, &list);
        assert_true(rig->pool.empty_bytes > 1 << 20);
        size_t bytes = (size_t)limit - 16 + (excess != 0 ? 1 : 0);
        assert_true(excess != 0 || tracking_cost(NULL, bytes) == limit);
        int expected = excess != 0 ? MEMFS_EDQUOT : 0;
        assert_int_equal(mfs_pool_block_take(&rig->pool, MFS_CHARGE_ORDINARY, bytes, &block),
                         expected);
        /* What could not help stays. */
        assert_int_equal(rig->pool.pages_total != 0, excess != 0);
        assert_true(mfs_pool_is_valid(&rig->pool));
        if (expected == 0)
            mfs_pool_block_give(&rig->pool, MFS_CHARGE_ORDINARY, block, bytes);
        rig_destroy(rig);
    }
}

static void slabs_without_a_used_page_go_back_when_they_are_many(void **state)
{
    (void)state;
    struct rig *rig = rig_create(0, 4096);
    static struct mfs_page_list lists[40];
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        assert_int_equal(mfs_page_pool_take(&rig->pool, MFS_CHARGE_ORDINARY, 100, &lists[i]), 0);
    uint64_t full = rig->memory.ledger.committed;
    for (size_t i = 0; i < COUNT_OF(lists) / 2; i++)
        mfs_page_list_release(&rig->pool, &lists[i]);
    assert_int_equal(rig->memory.ledger.committed, full); /* a first refill finds them */
    for (size_t i = COUNT_OF(lists) / 2; i < COUNT_OF(lists); i++)
        mfs_page_list_release(&rig->pool, &lists[i]);
    assert_true(rig->memory.ledger.committed <= (uint64_t)3 << 20);
    assert_true(mfs_pool_is_valid(&rig->pool));
    rig_destroy(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_taken_and_released_at_random_never_overlap),
        cmocka_unit_test(a_page_lives_until_its_last_reference_and_its_last_pin_are_gone),
        cmocka_unit_test(several_pages_come_all_or_not_at_all),
        cmocka_unit_test(empty_slabs_make_room_for_a_block_of_just_what_is_left),
        cmocka_unit_test(slabs_without_a_used_page_go_back_when_they_are_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
