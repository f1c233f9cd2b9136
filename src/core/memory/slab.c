/*
 * 1. A bit in `free_bits` is set exactly while the page's count is zero; `free_pages` is the
 *    number of those bits.  Bits of pages that the slab does not have are clear.
 * 2. The struct lies right before page 0, and the counts before the struct, downwards.
 *
 * A slab is one block, or none: making it can fail only in the allocator.
 */
#include "memory/slab.h"

#include "base/check.h"
#include "base/num.h"
#include "memory/poison.h"

enum { ALIGNMENT_LEAST = 256, ALIGNMENT_MOST = 512 };
#define SLAB_BYTES_MOST ((size_t)2 << 20)

_Static_assert((int)ALIGNMENT_MOST <= (int)MFS_SLAB_PAGES_MAX, "every index has its bit");
_Static_assert(sizeof(struct mfs_slab) % sizeof(uint64_t) == 0, "the counts before it are aligned");

static size_t pages_bytes(const struct mfs_slab_shape *shape, uint32_t pages)
{
    return (size_t)pages << shape->page_shift;
}

static size_t header_bytes(uint32_t pages)
{
    return sizeof(struct mfs_slab) + pages * sizeof(uint64_t);
}

/* What the first page of such a slab is aligned to. */
static size_t alignment_of(const struct mfs_slab_shape *shape, uint32_t pages)
{
    return pages >= MFS_SLAB_ALIGNED_PAGES
               ? mfs_num_max_size(shape->alignment, pages_bytes(shape, 1))
               : shape->alignment;
}

static size_t slab_block_bytes(const struct mfs_slab_shape *shape, uint32_t pages)
{
    if (pages == shape->region_pages)
        return MFS_REGION_BYTES;
    return header_bytes(pages) + pages_bytes(shape, pages) + alignment_of(shape, pages) -
           sizeof(uint64_t);
}

/* How many pages fill a region, whose beginning is aligned to any page. */
static uint32_t pages_of_region(const struct mfs_slab_shape *shape)
{
    uint32_t pages = (uint32_t)(MFS_REGION_BYTES >> shape->page_shift);
    while (mfs_num_round_up(header_bytes(pages), pages_bytes(shape, 1)) +
               pages_bytes(shape, pages) >
           MFS_REGION_BYTES)
        pages--;
    return pages;
}

void mfs_slab_shape_init(struct mfs_slab_shape *shape, struct mfs_allocator *allocator,
                         uint32_t page_size)
{
    MFS_CHECK(mfs_num_is_power_of_two(page_size));
    *shape = (struct mfs_slab_shape){.allocator = allocator};
    shape->page_shift = (uint8_t)mfs_num_log2(page_size);
    shape->alignment = (uint16_t)mfs_num_min_size(ALIGNMENT_MOST,
                                                  mfs_num_max_size(ALIGNMENT_LEAST, page_size));
    shape->most = (uint16_t)mfs_num_min_size(shape->alignment,
                                             SLAB_BYTES_MOST >> shape->page_shift);
    bool fills_a_region = pages_bytes(shape, shape->most) == MFS_REGION_BYTES;
    if (fills_a_region && mfs_allocator_region_bytes(allocator) != 0) {
        shape->region_pages = (uint16_t)pages_of_region(shape);
        shape->most = shape->region_pages;
    }
}

uint64_t mfs_slab_cost(const struct mfs_slab_shape *shape, uint32_t pages)
{
    return mfs_allocator_cost(shape->allocator, slab_block_bytes(shape, pages));
}

uint32_t mfs_slab_pages_within(const struct mfs_slab_shape *shape, uint64_t room)
{
    uint32_t fits = 0, fits_not = shape->most + 1u;
    while (fits_not - fits > 1) {
        uint32_t middle = fits + (fits_not - fits) / 2;
        if (mfs_slab_cost(shape, middle) <= room)
            fits = middle;
        else
            fits_not = middle;
    }
    return fits;
}

static struct mfs_slab *lay_out(const struct mfs_slab_shape *shape, void *block, uint32_t pages)
{
    uintptr_t after_header = (uintptr_t)block + header_bytes(pages);
    size_t padding = (size_t)(-after_header & (alignment_of(shape, pages) - 1));
    unsigned char *first_page = (unsigned char *)block + header_bytes(pages) + padding;
    MFS_CHECK(first_page + pages_bytes(shape, pages) <=
              (unsigned char *)block + slab_block_bytes(shape, pages));
    return (struct mfs_slab *)(void *)first_page - 1;
}

int mfs_slab_create(const struct mfs_slab_shape *shape, enum mfs_charge_from charge_from,
                    uint32_t pages, struct mfs_slab **out)
{
    MFS_CHECK(pages != 0 && pages <= shape->most);
    void *block;
    size_t bytes = slab_block_bytes(shape, pages);
    int error = mfs_allocator_take(shape->allocator, charge_from, bytes, &block);
    if (error != 0)
        return error;
    struct mfs_slab *slab = lay_out(shape, block, pages);
    *slab = (struct mfs_slab){
        .block = block, .block_bytes = bytes, .pages = pages, .free_pages = pages};
    for (uint32_t i = 0; i < pages; i++) {
        slab->free_bits[i / 64] |= (uint64_t)1 << (i % 64);
        atomic_init(mfs_slab_count(slab, i), 0);
    }
    mfs_poison(mfs_slab_bytes(shape, slab, 0), pages_bytes(shape, pages));
    *out = slab;
    return 0;
}

void mfs_slab_destroy(const struct mfs_slab_shape *shape, struct mfs_slab *slab)
{
    mfs_poison_end(mfs_slab_bytes(shape, slab, 0), pages_bytes(shape, slab->pages));
    mfs_allocator_give(shape->allocator, slab->block, slab->block_bytes);
}

static bool is_free(const struct mfs_slab *slab, uint32_t index)
{
    return (slab->free_bits[index / 64] >> (index % 64) & 1) != 0;
}

static uint32_t find_lowest(const struct mfs_slab *slab)
{
    for (uint32_t word = 0; word * 64 < slab->pages; word++)
        if (slab->free_bits[word] != 0)
            return word * 64 + (uint32_t)__builtin_ctzll(slab->free_bits[word]);
    return MFS_SLAB_NO_INDEX;
}

static uint32_t find_adjacent(const struct mfs_slab *slab, uint32_t count)
{
    uint32_t run = 0;
    for (uint32_t i = 0; i < slab->pages; i++) {
        run = is_free(slab, i) ? run + 1 : 0;
        if (run == count)
            return i + 1 - count;
    }
    return MFS_SLAB_NO_INDEX;
}

uint32_t mfs_slab_find(const struct mfs_slab *slab, uint32_t count)
{
    MFS_CHECK(count != 0);
    if (count > slab->free_pages)
        return MFS_SLAB_NO_INDEX;
    return count == 1 ? find_lowest(slab) : find_adjacent(slab, count);
}

void mfs_slab_take(const struct mfs_slab_shape *shape, struct mfs_slab *slab, uint32_t first,
                   uint32_t count)
{
    MFS_CHECK(first + count <= slab->pages && count <= slab->free_pages);
    for (uint32_t i = first; i < first + count; i++) {
        MFS_CHECK(is_free(slab, i));
        MFS_CHECK(atomic_load_explicit(mfs_slab_count(slab, i), memory_order_relaxed) == 0);
        slab->free_bits[i / 64] &= ~((uint64_t)1 << (i % 64));
        atomic_store_explicit(mfs_slab_count(slab, i), 1, memory_order_relaxed);
    }
    slab->free_pages -= count;
    mfs_poison_end(mfs_slab_bytes(shape, slab, first), pages_bytes(shape, count));
}

void mfs_slab_put(const struct mfs_slab_shape *shape, struct mfs_slab *slab, uint32_t first,
                  uint32_t count)
{
    MFS_CHECK(first + count <= slab->pages);
    for (uint32_t i = first; i < first + count; i++) {
        MFS_CHECK(!is_free(slab, i));
        MFS_CHECK(atomic_load_explicit(mfs_slab_count(slab, i), memory_order_relaxed) == 0);
        slab->free_bits[i / 64] |= (uint64_t)1 << (i % 64);
    }
    slab->free_pages += count;
    mfs_poison(mfs_slab_bytes(shape, slab, first), pages_bytes(shape, count));
}

bool mfs_slab_is_valid(struct mfs_slab *slab)
{
    uint32_t free_pages = 0;
    for (uint32_t i = 0; i < MFS_SLAB_PAGES_MAX; i++) {
        bool is_set = is_free(slab, i);
        if (i >= slab->pages ? is_set : is_set != (atomic_load(mfs_slab_count(slab, i)) == 0))
            return false;
        free_pages += is_set;
    }
    return free_pages == slab->free_pages;
}
