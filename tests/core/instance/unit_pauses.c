/*
 * What two threads can do to each other between two steps: limits that are lowered while another
 * charges, and references that are dropped at once.
 */
#include "rig.h"

#include "content/short.h"
#include "memory/ledger.h"
#include "pagetable/radix_edit.h"
#include "pagetable/radix_ref.h"
#include "pauses.h"

#include <memfs/memfs.h>

enum { LOW = 100, HELD = 300, HIGH = 1000 };

/* ------------------------------------------------------------------ limits */

struct contest {
    struct mfs_ledger ledger;
    struct mfs_lot lot;
    enum mfs_charge_from charge_from;
    bool has_charged, has_lowered;
};

static void charge(void *context)
{
    struct contest *c = context;
    uint64_t committed;
    c->has_charged = mfs_ledger_charge(&c->ledger, c->charge_from, HELD, &committed);
}

static void lower(void *context)
{
    struct contest *c = context;
    c->has_lowered = mfs_ledger_set_limit(&c->ledger, &c->lot, LOW);
}

static void reserve(void *context)
{
    struct contest *c = context;
    mfs_ledger_set_reserve(&c->ledger, &c->lot, HIGH - LOW);
}

static struct contest contest_from(enum mfs_charge_from charge_from)
{
    struct contest c = {.lot = {.threaded = false}, .charge_from = charge_from};
    mfs_ledger_init(&c.ledger, HIGH);
    return c;
}

static void a_limit_is_not_lowered_below_what_is_charged_meanwhile(void **state)
{
    (void)state;
    skip_without_pauses();
    static const enum mfs_charge_from from[] = {MFS_CHARGE_ORDINARY, MFS_CHARGE_RESERVE};
    for (size_t i = 0; i < COUNT_OF(from); i++) {
        struct contest c = contest_from(from[i]);
        uint64_t committed;
        pause_then("limit: looked at what is committed", charge, &c);
        lower(&c);
        assert_true(pause_happened());
        assert_true(c.has_charged);
        assert_false(c.has_lowered);
        assert_true(mfs_ledger_charge(&c.ledger, from[i], HIGH - HELD, &committed));
        assert_int_equal(committed, HIGH);
    }
}

static void a_charge_that_finds_the_limit_lowered_under_it_takes_itself_back(void **state)
{
    (void)state;
    skip_without_pauses();
    static const enum mfs_charge_from from[] = {MFS_CHARGE_ORDINARY, MFS_CHARGE_RESERVE};
    for (size_t i = 0; i < COUNT_OF(from); i++) {
        struct contest c = contest_from(from[i]);
        pause_then("charge: fits", lower, &c);
        charge(&c);
        assert_true(pause_happened());
        assert_true(c.has_lowered);
        assert_false(c.has_charged);
        assert_int_equal(atomic_load(&c.ledger.committed), 0);
    }
}

static void an_ordinary_charge_that_finds_a_reserve_set_under_it_takes_itself_back(void **state)
{
    (void)state;
    skip_without_pauses();
    struct contest c = contest_from(MFS_CHARGE_ORDINARY);
    pause_then("charge: fits", reserve, &c);
    charge(&c);
    assert_true(pause_happened());
    assert_false(c.has_charged);
    assert_int_equal(atomic_load(&c.ledger.committed), 0);
}

/* ------------------------------------------------------------------- nodes */

struct tree {
    memfs *fs;
    int made, lowered;
};

static void make_directory(void *context)
{
    struct tree *t = context;
    t->made = memfs_mkdir(t->fs, "/second", 0755);
}

static void lower_node_limit(void *context)
{
    struct tree *t = context;
    memfs_statfs_info info = {.struct_size = sizeof info};
    assert_int_equal(memfs_statfs(t->fs, &info), 0);
    t->lowered = memfs_set_node_limit(t->fs, info.files + info.directories + info.symlinks);
}

static struct tree create_tree(struct tracking_allocator *allocator)
{
    struct tree t = {0};
    tracking_allocator_init(allocator, 0);
    memfs_config config = memfs_config_default();
    config.allocator = tracking_hooks(allocator);
    config.node_limit = 100;
    assert_int_equal(memfs_create(&config, &t.fs), 0);
    assert_int_equal(memfs_mkdir(t.fs, "/first", 0755), 0);
    return t;
}

static void destroy_tree(struct tree *t, struct tracking_allocator *allocator)
{
    assert_int_equal(memfs_audit(t->fs), 0);
    assert_int_equal(memfs_destroy(t->fs, 0), 0);
    tracking_assert_empty(allocator);
}

static void a_node_limit_is_not_lowered_below_the_nodes_that_are_made_meanwhile(void **state)
{
    (void)state;
    skip_without_pauses();
    struct tracking_allocator allocator;
    struct tree t = create_tree(&allocator);
    pause_then("node limit: looked at the nodes", make_directory, &t);
    lower_node_limit(&t);
    assert_true(pause_happened());
    assert_int_equal(t.made, 0);
    assert_int_equal(t.lowered, MEMFS_EBUSY);
    destroy_tree(&t, &allocator);
}

static void a_node_that_finds_the_limit_lowered_under_it_is_not_made(void **state)
{
    (void)state;
    skip_without_pauses();
    struct tracking_allocator allocator;
    struct tree t = create_tree(&allocator);
    pause_then("nodes: below the limit", lower_node_limit, &t);
    make_directory(&t);
    assert_true(pause_happened());
    assert_int_equal(t.lowered, 0);
    assert_int_equal(t.made, MEMFS_ENOSPC);
    destroy_tree(&t, &allocator);
}

/* -------------------------------------------------------------- references */

struct holders {
    struct rig *rig;
    mfs_page page;
    struct mfs_short *block;
    struct mfs_radix tree;
};

static void release_page(void *context)
{
    struct holders *h = context;
    mfs_page_release(&h->rig->pool, h->page);
}

static void release_pages(void *context)
{
    struct holders *h = context;
    mfs_page_release_many(&h->rig->pool, &h->page, 1);
}

static void unpin_page(void *context)
{
    struct holders *h = context;
    mfs_page_unpin(&h->rig->pool, h->page);
}

static void release_short(void *context)
{
    struct holders *h = context;
    mfs_short_release(&h->rig->pool, h->block);
}

static void release_tree(void *context)
{
    struct holders *h = context;
    mfs_radix_ref_release(&h->rig->pool, h->tree);
}

static mfs_page take_page(struct rig *rig)
{
    struct mfs_page_list list;
    assert_int_equal(mfs_page_pool_take(&rig->pool, MFS_CHARGE_ORDINARY, 1, &list), 0);
    return mfs_page_list_pop(&rig->pool, &list);
}

static void the_last_of_two_holders_of_a_page_that_let_go_at_once_frees_it(void **state)
{
    (void)state;
    skip_without_pauses();
    void (*const others[])(void *) = {release_page, release_pages};
    void (*const ones[])(void *) = {release_page, release_pages};
    for (size_t i = 0; i < 2 * COUNT_OF(others); i++) {
        struct holders h = {.rig = rig_create(0, 4096)};
        h.page = take_page(h.rig);
        mfs_page_retain(&h.rig->pool, h.page);
        pause_then("page: shared", others[i / 2], &h);
        ones[i % 2](&h);
        assert_true(pause_happened());
        assert_int_equal(data_pages(&h.rig->pool), 0);
        rig_destroy(h.rig);
    }
}

static void a_page_whose_pin_and_reference_go_at_once_is_freed(void **state)
{
    (void)state;
    skip_without_pauses();
    struct holders h = {.rig = rig_create(0, 4096)};
    h.page = take_page(h.rig);
    mfs_page_pin(&h.rig->pool, h.page);
    pause_then("page: shared", unpin_page, &h);
    release_page(&h);
    assert_true(pause_happened());
    assert_int_equal(data_pages(&h.rig->pool), 0);
    rig_destroy(h.rig);
}

static void the_last_of_two_holders_of_a_short_that_let_go_at_once_frees_it(void **state)
{
    (void)state;
    skip_without_pauses();
    struct holders h = {.rig = rig_create(0, 4096)};
    assert_int_equal(mfs_short_create(&h.rig->pool, MFS_CHARGE_ORDINARY, 10, &h.block), 0);
    mfs_short_retain(h.block);
    pause_then("short: shared", release_short, &h);
    release_short(&h);
    assert_true(pause_happened());
    rig_destroy(h.rig);
}

static void the_last_of_two_holders_of_a_page_table_that_let_go_at_once_frees_it(void **state)
{
    (void)state;
    skip_without_pauses();
    struct holders h = {.rig = rig_create(0, 4096)};
    for (uint64_t index = 0; index < 70; index++) {
        struct mfs_stash stash = {0};
        mfs_page page;
        assert_int_equal(mfs_radix_edit_own_one(&h.rig->pool, MFS_CHARGE_ORDINARY, &h.tree, index,
                                                0, 0, &stash, &page),
                         0);
    }
    mfs_radix_ref_retain(&h.rig->pool, h.tree);
    pause_then("node: shared", release_tree, &h);
    release_tree(&h);
    assert_true(pause_happened());
    assert_int_equal(data_pages(&h.rig->pool), 0);
    rig_destroy(h.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_is_not_lowered_below_what_is_charged_meanwhile),
        cmocka_unit_test(a_charge_that_finds_the_limit_lowered_under_it_takes_itself_back),
        cmocka_unit_test(an_ordinary_charge_that_finds_a_reserve_set_under_it_takes_itself_back),
        cmocka_unit_test(a_node_limit_is_not_lowered_below_the_nodes_that_are_made_meanwhile),
        cmocka_unit_test(a_node_that_finds_the_limit_lowered_under_it_is_not_made),
        cmocka_unit_test(the_last_of_two_holders_of_a_page_that_let_go_at_once_frees_it),
        cmocka_unit_test(a_page_whose_pin_and_reference_go_at_once_is_freed),
        cmocka_unit_test(the_last_of_two_holders_of_a_short_that_let_go_at_once_frees_it),
        cmocka_unit_test(the_last_of_two_holders_of_a_page_table_that_let_go_at_once_frees_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
