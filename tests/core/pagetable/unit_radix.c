/*
 * Page tables against plain maps of bits: random ranges are owned and dropped, alone and as parts
 * of one change, in trees that share parts.  A plan must be exact: nothing is left of the stash
 * after the change.
 */
#include "rig.h"

#include "pagetable/radix_compare.h"
#include "pagetable/radix_edit.h"
#include "pagetable/radix_node.h"
#include "pagetable/radix_plan.h"
#include "pagetable/radix_ref.h"
#include "pagetable/radix_tally.h"

enum { TREES = 3, PAGES = 700, STEPS = 3000 };

struct model {
    struct mfs_radix tree;
    bool has_page[PAGES];
};

struct bench {
    struct rig *rig;
    uint64_t seed;
    struct model models[TREES];
};

static void assert_used_up(const struct mfs_stash *stash)
{
    assert_int_equal(stash->pages.count, 0);
    assert_null(stash->nodes);
}

static void own(struct mfs_pool *pool, struct mfs_radix *tree, uint64_t first, uint64_t last)
{
    struct mfs_need need = {0};
    struct mfs_stash stash;
    mfs_radix_plan_own(pool, *tree, first, last, &need);
    assert_int_equal(mfs_stash_fill(pool, &need, &stash), 0);
    for (uint64_t index = first; index <= last; index++) {
        mfs_page page = mfs_radix_edit_own(pool, tree, index, 0, 0, &stash);
        assert_true(page != 0 && page == mfs_radix_find_exclusive(pool, *tree, index));
        mfs_pool_page_bytes(pool, page)[0] = (unsigned char)index;
    }
    assert_used_up(&stash);
}

static void drop(struct mfs_pool *pool, struct mfs_radix *tree, uint64_t first, uint64_t last)
{
    struct mfs_need need = {0};
    struct mfs_stash stash;
    mfs_radix_plan_drop(pool, *tree, first, last, &need);
    assert_int_equal(need.pages, 0);
    assert_int_equal(mfs_stash_fill(pool, &need, &stash), 0);
    mfs_radix_edit_drop(pool, tree, first, last, &stash);
    assert_used_up(&stash);
}

/* Adds a part, if it is not empty; the parts before it end before `first`. */
static void add_part(struct mfs_radix_part *parts, size_t *count, enum mfs_radix_fate fate,
                     uint64_t first, uint64_t after)
{
    if (first < after)
        parts[(*count)++] = (struct mfs_radix_part){fate, first, after - 1};
}

/* Makes a change of several parts of a tree, and of its model. */
static void change(struct mfs_pool *pool, struct model *m, const struct mfs_radix_part *parts,
                   size_t count)
{
    struct mfs_need need = {0};
    struct mfs_stash stash;
    mfs_radix_plan_parts(pool, m->tree, parts, count, &need);
    assert_int_equal(mfs_stash_fill(pool, &need, &stash), 0);
    for (size_t k = 0; k < count; k++) {
        uint64_t last = parts[k].last < PAGES ? parts[k].last : PAGES - 1;
        for (uint64_t i = parts[k].first; i <= last; i++) {
            m->has_page[i] = parts[k].fate == MFS_RADIX_OWNED ||
                             (parts[k].fate == MFS_RADIX_OWNED_IF_THERE && m->has_page[i]);
            if (!m->has_page[i])
                continue;
            mfs_page page = mfs_radix_edit_own(pool, &m->tree, i, 0, 0, &stash);
            mfs_pool_page_bytes(pool, page)[0] = (unsigned char)i;
        }
    }
    for (size_t k = 0; k < count; k++)
        if (parts[k].fate == MFS_RADIX_DROPPED)
            mfs_radix_edit_drop(pool, &m->tree, parts[k].first, parts[k].last, &stash);
    assert_used_up(&stash);
    for (size_t k = 0; k < count; k++)
        for (uint64_t i = parts[k].first; i <= parts[k].last && i < PAGES; i++)
            assert_true(parts[k].fate == MFS_RADIX_DROPPED || !m->has_page[i] ||
                        mfs_radix_find_exclusive(pool, m->tree, i) != 0);
}

/* What a growth does that cleans first: from page `a` on it keeps and owns what lies before page
 * `b`, owns `first` .. `last`, and drops all else. */
static void grow(struct bench *b, struct model *m, uint64_t first, uint64_t last)
{
    struct mfs_radix_part parts[5];
    size_t count = 0;
    uint64_t keep = next_random(&b->seed) % (last + 1);
    uint64_t behind = keep + next_random(&b->seed) % (next_random(&b->seed) % 2 == 0 ? PAGES : 3);
    uint64_t after = last + 1;
    add_part(parts, &count, MFS_RADIX_OWNED_IF_THERE, keep, behind < first ? behind : first);
    add_part(parts, &count, MFS_RADIX_DROPPED, behind, first);
    add_part(parts, &count, MFS_RADIX_OWNED, first, after);
    add_part(parts, &count, MFS_RADIX_OWNED_IF_THERE, keep > after ? keep : after, behind);
    add_part(parts, &count, MFS_RADIX_DROPPED, behind > after ? behind : after, MFS_NO_INDEX);
    change(&b->rig->pool, m, parts, count);
}

/* What punching does: owns the pages of the edges, drops the others. */
static void punch(struct bench *b, struct model *m, uint64_t first, uint64_t last)
{
    struct mfs_radix_part parts[3];
    size_t count = 0;
    bool has_edges = last > first + 1;
    if (has_edges)
        add_part(parts, &count, MFS_RADIX_OWNED_IF_THERE, first, first + 1);
    add_part(parts, &count, MFS_RADIX_DROPPED, has_edges ? first + 1 : first,
             has_edges ? last : last + 1);
    if (has_edges)
        add_part(parts, &count, MFS_RADIX_OWNED_IF_THERE, last, last + 1);
    change(&b->rig->pool, m, parts, count);
}

static void compare(struct mfs_pool *pool, const struct model *m)
{
    uint64_t count = 0, page_after = MFS_NO_INDEX, hole_after = PAGES;
    for (uint64_t i = 0; i < PAGES; i++)
        count += m->has_page[i] ? 1 : 0;
    assert_int_equal(mfs_radix_count(pool, m->tree, PAGES), count);
    for (uint64_t i = PAGES; i-- > 0;) {
        mfs_page page = mfs_radix_find(pool, m->tree, i);
        assert_int_equal(page != 0, m->has_page[i]);
        assert_true(page == 0 || mfs_pool_page_bytes(pool, page)[0] == (unsigned char)i);
        page_after = m->has_page[i] ? i : page_after;
        hole_after = m->has_page[i] ? hole_after : i;
        assert_true(mfs_radix_next_page(pool, m->tree, i) == page_after);
        assert_true(mfs_radix_next_hole(pool, m->tree, i) == hole_after);
        count -= m->has_page[i] ? 1 : 0;
        assert_int_equal(mfs_radix_count(pool, m->tree, i), count);
    }
}

/* Differences are found from wherever the search begins, and behind both trees there is none. */
static void compare_two(struct mfs_pool *pool, struct mfs_radix one, struct mfs_radix other)
{
    uint64_t next = MFS_NO_INDEX;
    assert_true(mfs_radix_compare_next(pool, one, other, PAGES) == MFS_NO_INDEX);
    for (uint64_t i = PAGES; i-- > 0;) {
        if (mfs_radix_find(pool, one, i) != mfs_radix_find(pool, other, i))
            next = i;
        assert_true(mfs_radix_compare_next(pool, one, other, i) == next);
    }
}

/* All references and marks, over all trees. */
static void tally(struct bench *b)
{
    struct mfs_tally sum = {.is_valid = true};
    for (size_t i = 0; i < TREES; i++)
        mfs_radix_tally(&b->rig->pool, b->models[i].tree, &sum);
    for (size_t i = 0; i < TREES; i++)
        mfs_radix_tally_unmark(&b->rig->pool, b->models[i].tree);
    assert_true(sum.is_valid);
    assert_int_equal(sum.node_visits, sum.node_references);
    assert_int_equal(sum.page_visits, sum.page_references);
    assert_int_equal(sum.pages, data_pages(&b->rig->pool));
}

static void do_anything(struct bench *b)
{
    struct mfs_pool *pool = &b->rig->pool;
    struct model *m = &b->models[next_random(&b->seed) % TREES];
    const struct model *from = &b->models[next_random(&b->seed) % TREES];
    uint64_t first = next_random(&b->seed) % PAGES;
    uint64_t last = first + next_random(&b->seed) % (next_random(&b->seed) % 4 == 0 ? 300 : 12);
    last = last < PAGES ? last : PAGES - 1;
    unsigned what = next_random(&b->seed) % 10;
    if (what == 0 && m != from) {
        mfs_radix_ref_release(pool, m->tree);
        *m = *from;
        mfs_radix_ref_retain(pool, m->tree);
        return;
    }
    if (what >= 8) {
        (what == 8 ? grow : punch)(b, m, first, last);
        return;
    }
    if (what < 4)
        drop(pool, &m->tree, first, last);
    else
        own(pool, &m->tree, first, last);
    for (uint64_t i = first; i <= last; i++)
        m->has_page[i] = what >= 4;
    if (next_random(&b->seed) % 16 == 0) {
        compare(pool, m);
        compare_two(pool, m->tree, from->tree);
    }
}

static void trees_are_as_maps_of_bits_and_plans_are_exact(void **state)
{
    (void)state;
    static struct bench b;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        b = (struct bench){.rig = rig_create(0, 256), .seed = seed};
        for (int step = 0; step < STEPS; step++) {
            do_anything(&b);
            if (step % 64 == 0)
                tally(&b);
        }
        for (size_t i = 0; i < TREES; i++) {
            compare(&b.rig->pool, &b.models[i]);
            mfs_radix_ref_release(&b.rig->pool, b.models[i].tree);
        }
        rig_destroy(b.rig);
    }
}

static void a_new_table_takes_what_was_planned(void **state)
{
    (void)state;
    struct rig *rig = rig_create(0, 256);
    struct mfs_pool *pool = &rig->pool;
    for (uint64_t first = 0; first < 600; first += 1 + first / 5) {
        for (uint64_t last = first; last < first + 80; last += 7) {
            struct mfs_need need = {0};
            struct mfs_stash stash;
            mfs_radix_plan_new(pool, first, last, &need);
            assert_int_equal(mfs_stash_fill(pool, &need, &stash), 0);
            struct mfs_radix tree = {mfs_page_list_pop(pool, &stash.pages), 0};
            for (uint64_t index = first; index <= last; index++)
                (void)mfs_radix_edit_own(pool, &tree, index, 0, 0, &stash);
            assert_used_up(&stash);
            assert_int_equal(mfs_radix_count_nodes(pool, tree), need.nodes);
            mfs_radix_ref_release(pool, tree);
        }
    }
    rig_destroy(rig);
}

static void owning_one_page_is_the_same_as_planning_for_one(void **state)
{
    (void)state;
    struct rig *rig = rig_create(0, 256);
    struct mfs_radix tree = {0}, clone;
    mfs_page page;
    for (uint64_t index = 0; index < 100; index++) {
        struct mfs_stash stash = {0};
        assert_int_equal(mfs_radix_edit_own_one(&rig->pool, MFS_CHARGE_ORDINARY, &tree, index, 0, 0,
                                                &stash, &page),
                         0);
        assert_false(stash.has_replaced);
    }
    assert_int_equal(mfs_radix_count(&rig->pool, tree, UINT64_MAX), 100);
    clone = tree;
    mfs_radix_ref_retain(&rig->pool, clone);
    struct mfs_stash stash = {0};
    assert_int_equal(
        mfs_radix_edit_own_one(&rig->pool, MFS_CHARGE_ORDINARY, &tree, 50, 0, 0, &stash, &page), 0);
    assert_true(stash.has_replaced);
    assert_true(page != mfs_radix_find(&rig->pool, clone, 50));
    mfs_radix_ref_release(&rig->pool, clone);
    mfs_radix_ref_release(&rig->pool, tree);
    rig_destroy(rig);
}

static void the_last_page_of_the_largest_file_is_as_deep_as_it_gets(void **state)
{
    (void)state;
    struct rig *rig = rig_create(0, MEMFS_PAGE_SIZE_MIN);
    struct mfs_radix tree = {0};
    uint64_t last = (uint64_t)MEMFS_FILE_SIZE_MAX >> rig->pool.page_shift;
    own(&rig->pool, &tree, last, last);
    own(&rig->pool, &tree, 0, 0);
    assert_int_equal(tree.height, MFS_RADIX_NODE_LEVELS_MAX);
    assert_true(mfs_radix_next_page(&rig->pool, tree, 1) == last);
    drop(&rig->pool, &tree, 1, MFS_NO_INDEX);
    assert_int_equal(tree.height, 0);
    drop(&rig->pool, &tree, 0, 0);
    assert_true(tree.root == 0);
    rig_destroy(rig);
}

static void a_wrong_count_of_pages_is_found(void **state)
{
    (void)state;
    struct rig *rig = rig_create(0, 256);
    struct mfs_radix tree = {0};
    own(&rig->pool, &tree, 3, 200);
    struct mfs_radix_node *root = mfs_radix_node(tree.root);
    assert_true(mfs_radix_is_valid(&rig->pool, tree, 77));
    root->of.pages++;
    assert_false(mfs_radix_is_valid(&rig->pool, tree, 77));
    root->of.pages--;
    mfs_radix_ref_release(&rig->pool, tree);
    rig_destroy(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_are_as_maps_of_bits_and_plans_are_exact),
        cmocka_unit_test(a_new_table_takes_what_was_planned),
        cmocka_unit_test(owning_one_page_is_the_same_as_planning_for_one),
        cmocka_unit_test(the_last_page_of_the_largest_file_is_as_deep_as_it_gets),
        cmocka_unit_test(a_wrong_count_of_pages_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
