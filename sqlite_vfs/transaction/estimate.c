/*
 * Estimating what a deletion needs.
 *
 * 1. A deletion changes one path of each b-tree, and rebalancing changes up to three pages on each
 *    level and the new root.  Besides it changes page 1, two trunk pages of the freelist, and two
 *    pages of pointer maps (auto_vacuum).
 * 2. The number of levels is that of b-trees whose interior pages have a child for every 64 bytes:
 *    keys of up to some 50 bytes.
 * 3. Of journals a WAL needs most: a header for each page, and the first region of its index.
 * 4. The undo of MEMORY and OFF copies pages of the file system, which may be larger than the
 *    database's, and their page tables, for which a region of an index is ample.
 *
 * Cost: a read of two bytes and a look at the file's size.
 *
 * Left undone on purpose: overflow pages under secure_delete, of which one row may have any number,
 * and the shadow tables of virtual tables.
 */
#include "transaction/estimate.h"

#include "base/assertion.h"
#include "file/shm.h"

enum {
    PAGE_SIZE_AT = 16,
    USUAL_PAGE_BYTES = 4096,
    PAGES_BESIDE_TREES = 5,
    FRAME_OVERHEAD_BYTES = 24,
    BYTES_FOR_A_CHILD = 64,
    CHILDREN_MIN = 4,
    INDEXES_MAX = 100000
};

/* That of a new database, if there is none in the header. */
static uint64_t page_bytes_of(const struct mfs_file *database)
{
    unsigned char bytes[2];
    if (memfs_pread(database->bytes.file, bytes, sizeof bytes, PAGE_SIZE_AT) !=
        (int64_t)sizeof bytes)
        return USUAL_PAGE_BYTES;
    uint64_t size = (uint64_t)bytes[0] << 8 | bytes[1];
    if (size == 1)
        return 65536;
    return size >= 512 && size <= 32768 ? size : USUAL_PAGE_BYTES;
}

/* What is preallocated for a WAL's frames counts too. */
static uint64_t database_bytes_of(const struct mfs_file *database)
{
    memfs_stat_info info;
    info.struct_size = sizeof info;
    return memfs_fstat(database->bytes.file, &info) == 0 ? info.size_bytes + info.preallocated_bytes
                                                         : 0;
}

static uint64_t tree_page_bytes_of(const struct mfs_file *database)
{
    memfs_statfs_info info;
    info.struct_size = sizeof info;
    return memfs_statfs(database->fs, &info) == 0 ? info.page_size : 0;
}

static uint64_t levels_of(uint64_t pages, uint64_t page_bytes)
{
    uint64_t children = page_bytes / BYTES_FOR_A_CHILD;
    uint64_t levels = 1;
    if (children < CHILDREN_MIN)
        children = CHILDREN_MIN;
    for (; pages > 1; pages = (pages + children - 1) / children)
        levels++;
    return levels;
}

uint64_t mfs_estimate_delete_bytes(const struct mfs_file *database, uint64_t indexes)
{
    uint64_t page_bytes = page_bytes_of(database);
    uint64_t tree_page_bytes = tree_page_bytes_of(database);
    uint64_t levels = levels_of(database_bytes_of(database) / page_bytes, page_bytes);
    MFS_ASSERT(page_bytes >= 512 && levels >= 1);
    if (indexes > INDEXES_MAX)
        indexes = INDEXES_MAX;
    uint64_t pages = PAGES_BESIDE_TREES + (1 + indexes) * (3 * levels + 1);
    if (page_bytes < tree_page_bytes)
        page_bytes = tree_page_bytes;
    return MFS_SHM_REGION_BYTES + pages * (page_bytes + FRAME_OVERHEAD_BYTES);
}
