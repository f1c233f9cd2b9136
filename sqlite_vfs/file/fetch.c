/*
 * A set-associative table from offsets to mappings.
 *
 * 1. A slot without data is free.  A slot with data holds a mapping, which SQLite has fetched and
 *    not yet returned `fetched` times.  The slot's key is the mapping's offset, or -1 when the
 *    mapping is old: it is then not fetched again, only taken back.
 * 2. While the table's generation equals the file's, a slot with a key shows the bytes that a read
 *    would return.  The generation is read before the page is mapped, so a change in between makes
 *    the mapping old.
 * 3. The generations are compared when a transaction fetches its first page, and after the
 *    connection's own changes.  Changes by other connections need no comparison: SQLite keeps them
 *    away from every page that a transaction may look at, by its locks, or in WAL mode by not
 *    copying pages that readers need.  A change through the file API is noticed by the next
 *    transaction.
 * 4. A page is declined if all WAYS slots of its set are in SQLite's hands.
 *
 * Cost: 70 instructions for a page that is mapped already.  A kept mapping takes memory only when
 * its page is no longer the file's; then SETS x WAYS pages at most, until the connection's next
 * transaction.
 *
 * Left out on purpose: ranges that are not inside one page, and waiting for the table's lock.
 * SQLite reads what is declined.
 */
#include "file/fetch.h"

#include "base/assertion.h"
#include "base/sqliteapi.h"

#include <stddef.h>
#include <string.h>

#define NO_KEY INT64_C(-1)
#define CACHE_LINE_BYTES 64

enum { SET_SHIFT = 6, SETS = 1 << SET_SHIFT, WAYS = 4, SLOTS = SETS * WAYS };

struct fetch_slot {
    memfs_mapping mapping; /* without data: the slot is free */
    int64_t key;           /* the offset, or NO_KEY: free or old */
    uint32_t fetched;      /* how often SQLite has it now */
};

struct mfs_fetch_table {
    uint64_t generation;  /* mfs_bytes_generation() when it was last compared */
    uint32_t outstanding; /* the sum of all `fetched` */
    uint32_t next_victim; /* for evict() */
    struct fetch_slot slots[SLOTS];
};

static struct fetch_slot *set_of(struct mfs_fetch_table *table, int64_t offset)
{
    uint64_t mixed = ((uint64_t)offset >> 9) * UINT64_C(0x9e3779b97f4a7c15);
    return &table->slots[(mixed >> (64 - SET_SHIFT)) * WAYS];
}

static void clear_table(struct mfs_fetch_table *table)
{
    memset(table, 0, sizeof *table);
    for (size_t i = 0; i < SLOTS; i++)
        table->slots[i].key = NO_KEY;
}

static void unmap_slot(struct fetch_slot *slot)
{
    MFS_ASSERT(slot->mapping.data != NULL && slot->fetched == 0);
    int error = memfs_unmap(&slot->mapping);
    MFS_ASSERT(error == 0);
    slot->key = NO_KEY;
}

/* Makes all mappings old, and sets the generation for those to come. */
static void start_generation(struct mfs_fetch_table *table, uint64_t generation)
{
    for (size_t i = 0; i < SLOTS; i++) {
        struct fetch_slot *slot = &table->slots[i];
        if (slot->mapping.data == NULL)
            continue;
        slot->key = NO_KEY;
        if (slot->fetched == 0)
            unmap_slot(slot);
    }
    table->generation = generation;
}

static void compare_generations(struct mfs_fetch *fetch, const struct mfs_bytes *bytes)
{
    uint64_t generation = mfs_bytes_generation(bytes);
    if (fetch->table->generation != generation)
        start_generation(fetch->table, generation);
    fetch->may_be_old = false;
}

/* False: no memory, or another connection is unmapping old pages at this moment. */
static bool take_table(struct mfs_fetch *fetch)
{
    if (atomic_exchange_explicit(&fetch->lock, true, memory_order_acquire))
        return false;
    if (fetch->table == NULL) {
        fetch->table = sqlite3_malloc((int)sizeof *fetch->table);
        if (fetch->table != NULL)
            clear_table(fetch->table);
    }
    fetch->may_be_old = true;
    fetch->taken_by_connection = fetch->table != NULL;
    if (!fetch->taken_by_connection)
        atomic_store_explicit(&fetch->lock, false, memory_order_release);
    return fetch->taken_by_connection;
}

static struct fetch_slot *find_mapping(struct fetch_slot *set, int64_t offset, size_t length)
{
    for (size_t way = 0; way < WAYS; way++) {
        struct fetch_slot *slot = &set[way];
        if (slot->key == offset && slot->mapping.length == length)
            return slot;
    }
    return NULL;
}

/* A free slot of the set, if need be by unmapping a page that SQLite has returned; or null. */
static struct fetch_slot *evict(struct mfs_fetch_table *table, struct fetch_slot *set)
{
    for (size_t way = 0; way < WAYS; way++)
        if (set[way].mapping.data == NULL)
            return &set[way];
    for (size_t tries = 0; tries < WAYS; tries++) {
        struct fetch_slot *slot = &set[table->next_victim++ % WAYS];
        if (slot->fetched != 0)
            continue;
        unmap_slot(slot);
        return slot;
    }
    return NULL;
}

/*
 * Prefetches the page into the processor's cache.  SQLite looks at a few scattered places of a page
 * and would wait for each; without this a scan is slower than reading, where the copy prefetches.
 */
static void fetch_ahead(const void *page, size_t length)
{
#if defined(__GNUC__)
    for (size_t at = 0; at < length; at += CACHE_LINE_BYTES)
        __builtin_prefetch((const char *)page + at);
#else
    (void)page;
    (void)length;
#endif
}

static struct fetch_slot *map_page(struct mfs_fetch_table *table, struct fetch_slot *set,
                                   const struct mfs_bytes *bytes, int64_t offset, size_t length)
{
    struct fetch_slot *slot = evict(table, set);
    if (slot == NULL || mfs_bytes_map(bytes, offset, length, &slot->mapping) != 0)
        return NULL;
    slot->key = offset;
    fetch_ahead(slot->mapping.data, length);
    return slot;
}

void *mfs_fetch_page(struct mfs_fetch *fetch, const struct mfs_bytes *bytes, int64_t offset,
                     int count)
{
    MFS_ASSERT(count > 0 && offset >= 0);
    if (fetch->limit < count || offset > fetch->limit - count ||
        (!fetch->taken_by_connection && !take_table(fetch)))
        return NULL;
    struct mfs_fetch_table *table = fetch->table;
    if (fetch->may_be_old)
        compare_generations(fetch, bytes);
    struct fetch_slot *set = set_of(table, offset);
    struct fetch_slot *slot = find_mapping(set, offset, (size_t)count);
    if (slot == NULL)
        slot = map_page(table, set, bytes, offset, (size_t)count);
    if (slot == NULL)
        return NULL;
    MFS_ASSERT(slot->mapping.data != NULL && slot->key == offset);
    slot->fetched++;
    table->outstanding++;
    return (void *)(uintptr_t)slot->mapping.data;
}

void mfs_fetch_give_back(struct mfs_fetch *fetch, int64_t offset, const void *page)
{
    MFS_ASSERT(fetch->taken_by_connection && fetch->table->outstanding > 0);
    struct fetch_slot *set = set_of(fetch->table, offset);
    size_t way = 0;
    while (way < WAYS && (set[way].mapping.data != page || set[way].fetched == 0))
        way++;
    MFS_ASSERT(way < WAYS);
    fetch->table->outstanding--;
    if (--set[way].fetched == 0 && set[way].key == NO_KEY)
        unmap_slot(&set[way]);
}

void mfs_fetch_end_transaction(struct mfs_fetch *fetch, const struct mfs_bytes *bytes)
{
    if (!fetch->taken_by_connection || fetch->table->outstanding != 0)
        return;
    compare_generations(fetch, bytes);
    fetch->may_be_old = true;
    fetch->taken_by_connection = false;
    atomic_store_explicit(&fetch->lock, false, memory_order_release);
}

void mfs_fetch_reclaim(struct mfs_fetch *fetch, memfs_file *file)
{
    if (atomic_exchange_explicit(&fetch->lock, true, memory_order_acquire))
        return;
    uint64_t generation = memfs_mapping_generation(file);
    if (fetch->table != NULL && fetch->table->generation != generation)
        start_generation(fetch->table, generation);
    atomic_store_explicit(&fetch->lock, false, memory_order_release);
}

int64_t mfs_fetch_set_limit(struct mfs_fetch *fetch, int64_t wanted)
{
    int64_t before = fetch->limit;
    if (wanted >= 0)
        fetch->limit = wanted < fetch->ceiling ? wanted : fetch->ceiling;
    return before;
}

void mfs_fetch_fini(struct mfs_fetch *fetch)
{
    for (size_t i = 0; fetch->table != NULL && i < SLOTS; i++)
        if (fetch->table->slots[i].mapping.data != NULL)
            (void)memfs_unmap(&fetch->table->slots[i].mapping);
    sqlite3_free(fetch->table);
    fetch->table = NULL;
}
