/* Twins: a leaf and its copy, which count the pages that both have once. */
#include "rig.h"

#include "pagetable/radix_edit.h"
#include "pagetable/radix_ref.h"

enum { PAGES = 8 }; /* one leaf, with pages of 256 bytes */

static void own_one(struct rig *rig, struct mfs_radix *tree, uint64_t index)
{
    struct mfs_stash stash = {0};
    mfs_page page;
    assert_int_equal(
        mfs_radix_edit_own_one(&rig->pool, MFS_CHARGE_ORDINARY, tree, index, 0, 0, &stash, &page),
        0);
}

/* A tree of one leaf, and its clone after page 3 of the clone was written. */
static void make_twins(struct rig *rig, struct mfs_radix *old, struct mfs_radix *copy)
{
    *old = (struct mfs_radix){0};
    for (uint64_t index = 0; index < PAGES; index++)
        own_one(rig, old, index);
    *copy = *old;
    mfs_radix_ref_retain(&rig->pool, *copy);
    own_one(rig, copy, 3);
}

static uint32_t references_of(struct rig *rig, struct mfs_radix tree, uint64_t index)
{
    return mfs_page_references(&rig->pool, mfs_radix_find(&rig->pool, tree, index));
}

static void a_page_that_both_have_is_counted_once_and_private_to_neither(void **state)
{
    (void)state;
    struct rig *rig = rig_create(0, 256);
    struct mfs_radix old, copy;
    make_twins(rig, &old, &copy);
    for (uint64_t index = 0; index < PAGES; index++) {
        assert_int_equal(references_of(rig, old, index), 1);
        assert_int_equal(references_of(rig, copy, index), 1);
        bool is_written = index == 3;
        assert_int_equal(mfs_radix_find(&rig->pool, old, index) !=
                             mfs_radix_find(&rig->pool, copy, index),
                         is_written);
        assert_int_equal(mfs_radix_find_exclusive(&rig->pool, old, index) != 0, is_written);
        assert_int_equal(mfs_radix_find_exclusive(&rig->pool, copy, index) != 0, is_written);
    }
    mfs_radix_ref_release(&rig->pool, old);
    mfs_radix_ref_release(&rig->pool, copy);
    rig_destroy(rig);
}

static void the_twin_released_first_leaves_what_both_have_to_the_other(void **state)
{
    (void)state;
    for (int copy_first = 0; copy_first <= 1; copy_first++) {
        struct rig *rig = rig_create(0, 256);
        struct mfs_radix trees[2];
        make_twins(rig, &trees[0], &trees[1]);
        mfs_radix_ref_release(&rig->pool, trees[copy_first]);
        assert_int_equal(data_pages(&rig->pool), PAGES);
        for (uint64_t index = 0; index < PAGES; index++)
            assert_true(mfs_radix_find_exclusive(&rig->pool, trees[1 - copy_first], index) != 0);
        mfs_radix_ref_release(&rig->pool, trees[1 - copy_first]);
        rig_destroy(rig);
    }
}

static void the_copy_of_a_leaf_with_a_twin_has_references_of_its_own(void **state)
{
    (void)state;
    struct rig *rig = rig_create(0, 256);
    struct mfs_radix old, copy, third;
    make_twins(rig, &old, &copy);
    third = copy;
    mfs_radix_ref_retain(&rig->pool, third);
    own_one(rig, &third, 5);
    assert_int_equal(references_of(rig, third, 0), 2); /* the twins' and its own */
    assert_int_equal(references_of(rig, third, 3), 2); /* the copy's and its own */
    assert_int_equal(references_of(rig, third, 5), 1);
    mfs_radix_ref_release(&rig->pool, copy);
    assert_int_equal(references_of(rig, old, 0), 2);
    assert_int_equal(references_of(rig, third, 3), 1);
    mfs_radix_ref_release(&rig->pool, old);
    for (uint64_t index = 0; index < PAGES; index++)
        assert_true(mfs_radix_find_exclusive(&rig->pool, third, index) != 0);
    mfs_radix_ref_release(&rig->pool, third);
    rig_destroy(rig);
}

static void lowering_a_tree_takes_the_only_page_with_a_reference(void **state)
{
    (void)state;
    struct rig *rig = rig_create(0, 256);
    struct mfs_radix old, copy;
    struct mfs_stash nothing = {0};
    make_twins(rig, &old, &copy);
    mfs_radix_edit_drop(&rig->pool, &copy, 1, PAGES - 1, &nothing);
    assert_int_equal(copy.height, 0);
    assert_true(copy.root == mfs_radix_find(&rig->pool, old, 0));
    assert_int_equal(references_of(rig, old, 0), 2);
    assert_int_equal(mfs_radix_count(&rig->pool, old, PAGES), PAGES);
    mfs_radix_ref_release(&rig->pool, old);
    assert_int_equal(references_of(rig, copy, 0), 1);
    mfs_radix_ref_release(&rig->pool, copy);
    rig_destroy(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_that_both_have_is_counted_once_and_private_to_neither),
        cmocka_unit_test(the_twin_released_first_leaves_what_both_have_to_the_other),
        cmocka_unit_test(the_copy_of_a_leaf_with_a_twin_has_references_of_its_own),
        cmocka_unit_test(lowering_a_tree_takes_the_only_page_with_a_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
