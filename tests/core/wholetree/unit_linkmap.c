/* The map from nodes to their copies, and what it does when memory is refused. */
#include "rig.h"

#include "wholetree/linkmap.h"

enum { NODES = 3000 };

static void every_node_leads_to_its_copy(void **state)
{
    (void)state;
    struct rig *rig = rig_create_as(0, 4096, true);
    struct mfs_linkmap map = {0};
    struct mfs_node *nodes = calloc(NODES + 1, sizeof *nodes);
    assert_non_null(nodes);
    assert_null(mfs_linkmap_find(&map, &nodes[0]));
    for (size_t i = 0; i <= NODES; i++)
        nodes[i].number = 5 + 3 * i;
    for (size_t i = 0; i < NODES; i++) {
        uint64_t take = 0;
        int error;
        do {
            uint64_t held = rig->allocator.held_bytes;
            tracking_refuse(&rig->allocator, ++take, 1);
            error = mfs_linkmap_add(&map, &rig->memory, &nodes[i], &nodes[NODES - i]);
            tracking_refuse(&rig->allocator, 0, 0);
            assert_true(error == 0 || rig->allocator.held_bytes == held);
            assert_true(mfs_linkmap_find(&map, &nodes[i]) ==
                        (error == 0 ? &nodes[NODES - i] : NULL));
        } while (error == MEMFS_ENOMEM);
        assert_int_equal(error, 0);
    }
    for (size_t i = 0; i < NODES; i++)
        assert_ptr_equal(mfs_linkmap_find(&map, &nodes[i]), &nodes[NODES - i]);
    assert_null(mfs_linkmap_find(&map, &nodes[NODES]));
    mfs_linkmap_fini(&map, &rig->memory);
    assert_int_equal(rig->allocator.held_bytes, 0);
    free(nodes);
    rig_destroy(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_leads_to_its_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
