/* The allocator in an arena: random takes and gives against a map of what is taken. */
#include "rig.h"

#include "memory/arena.h"

enum { ARENA_BYTES = 1 << 16, SLOTS = 200 };

struct slot {
    unsigned char *block;
    size_t bytes;
    unsigned char mark;
};

static void check_marks(const struct slot *slot)
{
    for (size_t i = 0; i < slot->bytes; i++)
        assert_int_equal(slot->block[i], slot->mark);
}

static void blocks_never_overlap_and_all_comes_back(void **state)
{
    (void)state;
    static unsigned char memory[ARENA_BYTES];
    struct slot slots[SLOTS] = {{0}};
    struct rig *rig = rig_create(0, 4096);
    struct mfs_arena *arena = mfs_arena_create(memory + 3, sizeof memory - 3);
    assert_non_null(arena);
    uint64_t seed = 42;
    size_t refused = 0;
    for (int step = 0; step < 20000; step++) {
        struct slot *slot = &slots[next_random(&seed) % SLOTS];
        if (slot->block != NULL) {
            check_marks(slot);
            mfs_arena_give(arena, &rig->lot, slot->block, slot->bytes);
            slot->block = NULL;
            continue;
        }
        slot->bytes = 1 + next_random(&seed) % (step % 7 == 0 ? 9000 : 300);
        slot->mark = (unsigned char)next_random(&seed);
        slot->block = mfs_arena_take(arena, &rig->lot, slot->bytes);
        refused += slot->block == NULL;
        if (slot->block == NULL)
            continue;
        assert_int_equal((uintptr_t)slot->block % MFS_ARENA_GRANULE, 0);
        assert_true(slot->block >= memory && slot->block + slot->bytes <= memory + sizeof memory);
        memset(slot->block, slot->mark, slot->bytes);
    }
    assert_true(refused > 0);
    for (size_t i = 0; i < SLOTS; i++) {
        if (slots[i].block != NULL) {
            check_marks(&slots[i]);
            mfs_arena_give(arena, &rig->lot, slots[i].block, slots[i].bytes);
        }
    }
    assert_int_equal(arena->taken, 0);
    assert_true(mfs_arena_is_valid(arena));
    void *all = mfs_arena_take(arena, &rig->lot, arena->bytes);
    assert_non_null(all); /* neighbours have joined */
    assert_null(mfs_arena_take(arena, &rig->lot, 1));
    mfs_arena_give(arena, &rig->lot, all, arena->bytes);
    rig_destroy(rig);
}

static void memory_too_small_for_anything_is_no_arena(void **state)
{
    (void)state;
    static unsigned char memory[256];
    for (size_t bytes = 0; bytes < sizeof(struct mfs_arena); bytes++)
        assert_null(mfs_arena_create(memory, bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_never_overlap_and_all_comes_back),
        cmocka_unit_test(memory_too_small_for_anything_is_no_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
