/* Slabs: how many pages fit where, how they are aligned, and which are free. */
#include "rig.h"

#include "memory/slab.h"

static const uint32_t slab_page_sizes[] = {256, 1024, 4096, 65536};

static struct mfs_slab_shape shape_of(struct rig *rig, uint32_t page_size)
{
    struct mfs_slab_shape shape;
    mfs_slab_shape_init(&shape, &rig->memory.allocator, page_size);
    return shape;
}

static void check_slab(const struct mfs_slab_shape *shape, struct mfs_slab *slab)
{
    size_t page_size = (size_t)1 << shape->page_shift;
    assert_true(mfs_slab_is_valid(slab));
    unsigned char *block = slab->block;
    assert_true((unsigned char *)slab - slab->pages * sizeof(uint64_t) >= block);
    assert_true(mfs_slab_bytes(shape, slab, slab->pages) <= block + slab->block_bytes);
    size_t aligned_to = slab->pages >= MFS_SLAB_ALIGNED_PAGES && page_size > shape->alignment
                            ? page_size
                            : shape->alignment;
    assert_int_equal((uintptr_t)mfs_slab_bytes(shape, slab, 0) % aligned_to, 0);
}

static void slabs_of_every_size_lie_in_their_blocks_and_are_aligned(void **state)
{
    (void)state;
    struct rig *rig = rig_create(0, 4096);
    for (size_t s = 0; s < COUNT_OF(slab_page_sizes); s++) {
        struct mfs_slab_shape shape = shape_of(rig, slab_page_sizes[s]);
        uint64_t cost = 0;
        for (uint32_t pages = 1; pages <= shape.most; pages += 1 + pages / 8) {
            struct mfs_slab *slab;
            assert_int_equal(mfs_slab_create(&shape, MFS_CHARGE_ORDINARY, pages, &slab), 0);
            check_slab(&shape, slab);
            assert_true(mfs_slab_cost(&shape, pages) > cost);
            cost = mfs_slab_cost(&shape, pages);
            assert_int_equal(rig->memory.ledger.committed, cost);
            assert_int_equal(mfs_slab_pages_within(&shape, cost), pages);
            assert_int_equal(mfs_slab_pages_within(&shape, cost - 1), pages - 1);
            mfs_slab_destroy(&shape, slab);
        }
    }
    rig_destroy(rig);
}

static void adjacent_pages_are_found_between_others(void **state)
{
    (void)state;
    struct rig *rig = rig_create(0, 4096);
    struct mfs_slab_shape shape = shape_of(rig, 4096);
    struct mfs_slab *slab;
    assert_int_equal(mfs_slab_create(&shape, MFS_CHARGE_ORDINARY, 200, &slab), 0);
    mfs_slab_take(&shape, slab, 0, 200);
    assert_int_equal(mfs_slab_find(slab, 1), MFS_SLAB_NO_INDEX);
    static const struct {
        uint32_t first, count;
    } holes[] = {{3, 1}, {60, 9}, {100, 5}, {190, 10}};
    for (size_t i = 0; i < COUNT_OF(holes); i++) {
        for (uint32_t at = holes[i].first; at < holes[i].first + holes[i].count; at++)
            atomic_store(mfs_slab_count(slab, at), 0);
        mfs_slab_put(&shape, slab, holes[i].first, holes[i].count);
    }
    assert_int_equal(mfs_slab_find(slab, 1), 3);
    assert_int_equal(mfs_slab_find(slab, 2), 60);
    assert_int_equal(mfs_slab_find(slab, 9), 60); /* over the end of a word of bits */
    assert_int_equal(mfs_slab_find(slab, 10), 190);
    assert_int_equal(mfs_slab_find(slab, 11), MFS_SLAB_NO_INDEX);
    check_slab(&shape, slab);
    mfs_slab_destroy(&shape, slab);
    rig_destroy(rig);
}

#ifndef MEMFS_ARENA_ONLY

/* On the host's allocator, the largest slab is a region of the operating system. */
static void the_largest_slab_on_the_heap_fills_a_region(void **state)
{
    (void)state;
    if (mfs_region_bytes() == 0)
        skip();
    struct mfs_ledger ledger;
    struct mfs_lot lot = {.threaded = false};
    struct mfs_allocator heap = {.ledger = &ledger, .lot = &lot};
    struct mfs_slab_shape shape;
    struct mfs_slab *slab[3];
    mfs_ledger_init(&ledger, 3 * MFS_REGION_BYTES);
    mfs_slab_shape_init(&shape, &heap, 4096);
    assert_int_equal(shape.most, shape.region_pages);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(mfs_slab_create(&shape, MFS_CHARGE_ORDINARY, shape.most, &slab[i]), 0);
        assert_int_equal((uintptr_t)slab[i]->block % MFS_REGION_BYTES, 0);
        assert_int_equal((uintptr_t)mfs_slab_bytes(&shape, slab[i], 0) % 4096, 0);
        assert_true((uint64_t)shape.most * 4096 > MFS_REGION_BYTES / 1000 * 995);
    }
    assert_int_equal(ledger.committed, 3 * MFS_REGION_BYTES); /* to the byte */
    for (int i = 0; i < 3; i++)
        mfs_slab_destroy(&shape, slab[i]);
    assert_int_equal(ledger.committed, 0);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slabs_of_every_size_lie_in_their_blocks_and_are_aligned),
        cmocka_unit_test(adjacent_pages_are_found_between_others),
#ifndef MEMFS_ARENA_ONLY
        cmocka_unit_test(the_largest_slab_on_the_heap_fills_a_region),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
