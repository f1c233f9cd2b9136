/*
 * What a module under test stands on: locks, charged memory on a tracking
 * allocator, and pages.
 */
#ifndef MEMFS_TESTS_RIG_H
#define MEMFS_TESTS_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "memory/memory.h"
#include "memory/page.h"
#include "tracking_allocator.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

struct rig {
    struct tracking_allocator allocator;
    struct mfs_lot lot;
    struct mfs_memory memory;
    struct mfs_pool pool;
};

static inline struct rig *rig_create_as(uint64_t limit, uint32_t page_size, bool is_unpooled)
{
    struct rig *rig = calloc(1, sizeof *rig);
    if (rig == NULL)
        abort();
    tracking_allocator_init(&rig->allocator, limit);
    assert_int_equal(mfs_sync_lot_init(&rig->lot, NULL, true), 0);
    struct mfs_memory_base base = {.lot = &rig->lot,
                                   .hooks = *tracking_hooks(&rig->allocator),
                                   .limit = limit != 0 ? limit : MFS_UNLIMITED,
                                   .page_size = page_size,
                                   .is_unpooled = is_unpooled};
    mfs_memory_init(&rig->memory, &rig->pool, &base);
    return rig;
}

static inline struct rig *rig_create(uint64_t limit, uint32_t page_size)
{
    return rig_create_as(limit, page_size, false);
}

/* All of it was given back, by every count. */
static inline void rig_destroy(struct rig *rig)
{
    mfs_memory_fini(&rig->memory, false);
    mfs_sync_lot_fini(&rig->lot);
    assert_int_equal(mfs_ledger_used(&rig->memory.ledger), 0);
    assert_int_equal(rig->memory.ledger.committed, 0);
    tracking_assert_empty(&rig->allocator);
    free(rig);
}

/* A small generator, so that a seed says all. */
static inline uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

/* Pages that hold data, and no pieces. */
static inline uint64_t data_pages(struct mfs_pool *pool)
{
    struct mfs_pool_figures figures;
    mfs_pool_figures(pool, &figures);
    return figures.data_pages;
}

#endif
