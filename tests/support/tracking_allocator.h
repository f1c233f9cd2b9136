/*
 * An allocator that knows what a test must be able to ask: how many bytes are
 * held, at a cost per block that the file system is told about; whether that
 * ever exceeded a limit (it aborts, naming the call); and which allocation to
 * refuse.  Thread-safe.
 */
#ifndef MEMFS_TESTS_TRACKING_ALLOCATOR_H
#define MEMFS_TESTS_TRACKING_ALLOCATOR_H

#include <memfs/memfs.h>

#include <stdatomic.h>
#include <stdint.h>

struct tracking_allocator {
    _Atomic uint64_t limit_bytes; /* 0: none; held_bytes above it aborts the process */
    _Atomic uint64_t held_bytes;  /* sum of tracking_cost() of the live blocks */
    _Atomic uint64_t peak_bytes;
    _Atomic uint64_t held_blocks;
    _Atomic uint64_t takes;       /* calls to take, refused ones included */
    _Atomic uint64_t taken_bytes; /* asked for by the takes that succeeded, ever */
    _Atomic uint64_t refuse_at;   /* the take with this number (from 1) is refused; 0: none */
    _Atomic uint32_t refuse_every_later; /* non-zero: and all that come after it */
    memfs_allocator hooks;
};

/* What a block of `bytes` costs: 16 bytes of header, rounded up to 32. */
size_t tracking_cost(void *context, size_t bytes);

void tracking_allocator_init(struct tracking_allocator *allocator, uint64_t limit_bytes);

/* The hooks for memfs_config.allocator; they are part of the allocator. */
const memfs_allocator *tracking_hooks(const struct tracking_allocator *allocator);

/* Counts takes from 1 again; refuses number `take` (0: none) and, if `every_later`, all after
 * it. */
void tracking_refuse(struct tracking_allocator *allocator, uint64_t take, int every_later);

/* Aborts, saying what is left, unless every block was given back. */
void tracking_assert_empty(const struct tracking_allocator *allocator);

#endif
