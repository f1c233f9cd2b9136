/*
 * The allocator that counts.  Each block is preceded by 16 bytes: its size and
 * a mark, so that a wrong size, a foreign pointer and a double free are caught
 * where they happen.  New memory and freed memory are filled with a pattern.
 *
 * Invariants:
 *   1. held_bytes is the sum of tracking_cost() over the live blocks.
 *   2. held_bytes <= limit_bytes at the end of every take (if there is a limit).
 */
#include "tracking_allocator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK_LIVE 0x6c69766562303031u
#define MARK_DEAD 0x6465616462303031u
#define FILL_NEW 0xa5
#define FILL_OLD 0x5a

struct block_header {
    uint64_t size_bytes;
    uint64_t mark;
};

_Static_assert(sizeof(struct block_header) == 16, "keeps the caller's memory aligned for any type");

static _Noreturn void die(const char *what, uint64_t first, uint64_t second)
{
    fprintf(stderr, "tracking allocator: %s (%llu, %llu)\n", what, (unsigned long long)first,
            (unsigned long long)second);
    abort();
}

size_t tracking_cost(void *context, size_t bytes)
{
    (void)context;
    if (bytes > SIZE_MAX - 47)
        return SIZE_MAX;
    return (bytes + 16 + 31) & ~(size_t)31;
}

static void raise_peak(struct tracking_allocator *allocator, uint64_t held)
{
    uint64_t peak = atomic_load(&allocator->peak_bytes);
    while (held > peak && !atomic_compare_exchange_weak(&allocator->peak_bytes, &peak, held))
        continue;
}

static int is_refused(struct tracking_allocator *allocator, uint64_t number)
{
    uint64_t at = atomic_load(&allocator->refuse_at);
    if (at == 0)
        return 0;
    return number == at || (number > at && atomic_load(&allocator->refuse_every_later) != 0);
}

static void *take(void *context, size_t bytes)
{
    struct tracking_allocator *allocator = context;
    uint64_t number = atomic_fetch_add(&allocator->takes, 1) + 1;
    if (is_refused(allocator, number))
        return NULL;
    if (bytes == 0)
        die("a block of no bytes was asked for", number, 0);
    uint64_t cost = tracking_cost(NULL, bytes);
    uint64_t held = atomic_fetch_add(&allocator->held_bytes, cost) + cost;
    uint64_t limit = atomic_load(&allocator->limit_bytes);
    if (limit != 0 && held > limit)
        die("the limit was exceeded (held, limit)", held, limit);
    raise_peak(allocator, held);
    struct block_header *header = malloc(sizeof *header + bytes);
    if (header == NULL)
        die("the host is out of memory", bytes, held);
    header->size_bytes = bytes;
    header->mark = MARK_LIVE;
    memset(header + 1, FILL_NEW, bytes);
    atomic_fetch_add(&allocator->held_blocks, 1);
    atomic_fetch_add(&allocator->taken_bytes, bytes);
    return header + 1;
}

static void give(void *context, void *memory, size_t bytes)
{
    struct tracking_allocator *allocator = context;
    if (memory == NULL)
        die("a null pointer was given back", bytes, 0);
    struct block_header *header = (struct block_header *)memory - 1;
    if (header->mark != MARK_LIVE)
        die("what was given back is no live block (mark, size)", header->mark, bytes);
    if (header->size_bytes != bytes)
        die("a block was given back with another size (taken, given)", header->size_bytes, bytes);
    header->mark = MARK_DEAD;
    memset(memory, FILL_OLD, bytes);
    atomic_fetch_sub(&allocator->held_blocks, 1);
    atomic_fetch_sub(&allocator->held_bytes, tracking_cost(NULL, bytes));
    free(header);
}

void tracking_allocator_init(struct tracking_allocator *allocator, uint64_t limit_bytes)
{
    atomic_init(&allocator->limit_bytes, limit_bytes);
    atomic_init(&allocator->held_bytes, 0);
    atomic_init(&allocator->peak_bytes, 0);
    atomic_init(&allocator->held_blocks, 0);
    atomic_init(&allocator->takes, 0);
    atomic_init(&allocator->taken_bytes, 0);
    atomic_init(&allocator->refuse_at, 0);
    atomic_init(&allocator->refuse_every_later, 0);
    allocator->hooks = (memfs_allocator){
        .struct_size = sizeof allocator->hooks,
        .context = allocator,
        .take = take,
        .give = give,
        .cost = tracking_cost,
    };
}

const memfs_allocator *tracking_hooks(const struct tracking_allocator *allocator)
{
    return &allocator->hooks;
}

void tracking_refuse(struct tracking_allocator *allocator, uint64_t number, int every_later)
{
    atomic_store(&allocator->refuse_at, 0);
    atomic_store(&allocator->takes, 0);
    atomic_store(&allocator->refuse_every_later, every_later != 0);
    atomic_store(&allocator->refuse_at, number);
}

void tracking_assert_empty(const struct tracking_allocator *allocator)
{
    uint64_t blocks = atomic_load(&allocator->held_blocks);
    uint64_t bytes = atomic_load(&allocator->held_bytes);
    if (blocks != 0 || bytes != 0)
        die("memory was not given back (blocks, bytes)", blocks, bytes);
}
