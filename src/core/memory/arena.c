/*
 * First fit over a bitmap.
 *
 * 1. A set bit is a granule that is taken or does not exist.
 * 2. No word below `first_free_word` has a clear bit.
 *
 * Taking costs a look at each word of the bitmap in the worst case (64 granules
 * a word), giving back costs the block's own words.
 */
#include "memory/arena.h"

#include "base/check.h"
#include "base/num.h"

#define NOT_FOUND SIZE_MAX
#define FULL UINT64_MAX
/* From this size on a block is taken from the high end. */
#define LARGE_GRANULES ((size_t)64)

struct mfs_arena *mfs_arena_create(void *memory, size_t bytes)
{
    size_t skip = (size_t)(-(uintptr_t)memory & (MFS_ARENA_GRANULE - 1));
    if (memory == NULL || bytes < skip + sizeof(struct mfs_arena) + 64)
        return NULL;
    struct mfs_arena *arena = (void *)((unsigned char *)memory + skip);
    bytes -= skip;

    /* Each word of the bitmap speaks for 64 granules; the last may speak for fewer. */
    size_t words = 1 + (bytes - sizeof *arena) / (64 * MFS_ARENA_GRANULE + sizeof(uint64_t));
    size_t overhead = mfs_num_round_up(sizeof *arena + words * sizeof(uint64_t), MFS_ARENA_GRANULE);
    if (overhead + MFS_ARENA_GRANULE > bytes)
        return NULL;
    arena->lock = (struct mfs_lock){0};
    arena->words = words;
    arena->granules = mfs_num_min_size((bytes - overhead) / MFS_ARENA_GRANULE, words * 64);
    arena->first_free_word = 0;
    arena->taken = 0;
    arena->overhead_bytes = overhead + skip;
    arena->blocks = (unsigned char *)arena + overhead;
    for (size_t i = 0; i < words; i++)
        arena->bitmap[i] = 0;
    for (size_t i = arena->granules; i < words * 64; i++)
        arena->bitmap[i / 64] |= (uint64_t)1 << (i % 64);
    return arena;
}

static bool is_taken(const struct mfs_arena *arena, size_t granule)
{
    return (arena->bitmap[granule / 64] >> (granule % 64) & 1) != 0;
}

/* The lowest run of `count` free granules, or NOT_FOUND. */
static size_t find_low(const struct mfs_arena *arena, size_t count)
{
    size_t run = 0;
    for (size_t w = arena->first_free_word; w < arena->words; w++) {
        uint64_t word = arena->bitmap[w];
        if (word == FULL) {
            run = 0;
            continue;
        }
        if (word == 0 && run + 64 < count) {
            run += 64;
            continue;
        }
        for (size_t b = 0; b < 64; b++) {
            run = (word >> b & 1) != 0 ? 0 : run + 1;
            if (run == count)
                return w * 64 + b + 1 - count;
        }
    }
    return NOT_FOUND;
}

/* The highest run of `count` free granules, or NOT_FOUND. */
static size_t find_high(const struct mfs_arena *arena, size_t count)
{
    size_t run = 0;
    for (size_t w = arena->words; w-- > arena->first_free_word;) {
        uint64_t word = arena->bitmap[w];
        if (word == FULL) {
            run = 0;
            continue;
        }
        if (word == 0 && run + 64 < count) {
            run += 64;
            continue;
        }
        for (size_t b = 64; b-- > 0;) {
            run = (word >> b & 1) != 0 ? 0 : run + 1;
            if (run == count)
                return w * 64 + b;
        }
    }
    return NOT_FOUND;
}

void *mfs_arena_take(struct mfs_arena *arena, struct mfs_lot *lot, size_t bytes)
{
    MFS_CHECK(bytes != 0);
    size_t count = mfs_arena_cost(bytes) / MFS_ARENA_GRANULE;
    mfs_sync_lock_exclusive(lot, &arena->lock);
    size_t at = NOT_FOUND;
    if (count <= arena->granules - arena->taken)
        at = count >= LARGE_GRANULES ? find_high(arena, count) : find_low(arena, count);
    if (at != NOT_FOUND) {
        for (size_t g = at; g < at + count; g++)
            arena->bitmap[g / 64] |= (uint64_t)1 << (g % 64);
        arena->taken += count;
        while (arena->first_free_word < arena->words &&
               arena->bitmap[arena->first_free_word] == FULL)
            arena->first_free_word++;
    }
    mfs_sync_unlock_exclusive(lot, &arena->lock);
    return at != NOT_FOUND ? arena->blocks + at * MFS_ARENA_GRANULE : NULL;
}

void mfs_arena_give(struct mfs_arena *arena, struct mfs_lot *lot, void *block, size_t bytes)
{
    size_t count = mfs_arena_cost(bytes) / MFS_ARENA_GRANULE;
    size_t at = (size_t)((unsigned char *)block - arena->blocks) / MFS_ARENA_GRANULE;
    MFS_CHECK(at + count <= arena->granules);
    mfs_sync_lock_exclusive(lot, &arena->lock);
    for (size_t g = at; g < at + count; g++) {
        MFS_CHECK(is_taken(arena, g));
        arena->bitmap[g / 64] &= ~((uint64_t)1 << (g % 64));
    }
    MFS_CHECK(arena->taken >= count);
    arena->taken -= count;
    arena->first_free_word = mfs_num_min_size(arena->first_free_word, at / 64);
    mfs_sync_unlock_exclusive(lot, &arena->lock);
}
