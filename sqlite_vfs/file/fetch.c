/*
 * A set-associative table from offsets to mappings.
 *
 * 1. A slot without data is free.  One with data holds a mapping; SQLite has it
 *    `fetched` times at this moment.  Its key is the mapping's offset, or -1 once it is old:
 *    then it is not handed out any more, only taken back.
 * 2. What a slot with a key shows is what a read would, while the table's generation is that
 *    of the file.  The generation is read before a mapping is made, so a change in between
 *    makes it old.
 * 3. The generation is looked at when a transaction fetches its first page, and after the
 *    connection's own changes.  Those of others do not matter: SQLite keeps them away from
 *    whatever a transaction may look at (by locks, or, in WAL mode, by not copying back what
 *    readers need).  Who edits the file behind SQLite's back is seen at the next transaction.
 * 4. A page that finds no room is declined: more than WAYS pages of one set in SQLite's
 *    hands at once.
 *
 * A mapping that is kept costs memory only when its page is the file's no more, and then
 * SETS x WAYS pages at most, until the connection's next transaction.
 */
#include "file/fetch.h"

#include "base/sqliteapi.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define NO_KEY INT64_C(-1)
#define CACHE_LINE_BYTES 64

enum { SET_SHIFT = 6, SETS = 1 << SET_SHIFT, WAYS = 4, SLOTS = SETS * WAYS };

struct slot {
    memfs_mapping mapping;
    int64_t key;
    uint32_t fetched;
};

struct mfs_fetch_table {
    uint64_t generation; /* memfs_mapping_generation() */
    uint32_t outstanding;
    uint32_t next_victim;
    struct slot slots[SLOTS];
};

static struct slot *set_of(struct mfs_fetch_table *table, int64_t offset)
{
    uint64_t mixed = ((uint64_t)offset >> 9) * UINT64_C(0x9e3779b97f4a7c15);
    return &table->slots[(mixed >> (64 - SET_SHIFT)) * WAYS];
}

static void clear(struct mfs_fetch_table *table)
{
    memset(table, 0, sizeof *table);
    for (size_t i = 0; i < SLOTS; i++)
        table->slots[i].key = NO_KEY;
}

static void let_go(struct slot *slot)
{
    int error = memfs_unmap(&slot->mapping);
    assert(error == 0 && slot->fetched == 0);
    (void)error;
    slot->key = NO_KEY;
}

/* The table as of `generation`: nothing that was mapped before is handed out any more. */
static void renew(struct mfs_fetch_table *table, uint64_t generation)
{
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &table->slots[i];
        if (slot->mapping.data == NULL)
            continue;
        slot->key = NO_KEY;
        if (slot->fetched == 0)
            let_go(slot);
    }
    table->generation = generation;
}

/* Those of versions are told from those of files by the highest bit. */
static uint64_t generation_of(const struct mfs_fetch_source *source)
{
    return source->version != NULL ? source->version_generation | UINT64_C(1) << 63
                                   : memfs_mapping_generation(source->file);
}

static void look_again(struct mfs_fetch *fetch, const struct mfs_fetch_source *source)
{
    uint64_t generation = generation_of(source);
    if (fetch->table->generation != generation)
        renew(fetch->table, generation);
    fetch->may_be_old = false;
}

/* False: no memory, or somebody else is at it for a moment. */
static bool take(struct mfs_fetch *fetch)
{
    if (atomic_exchange_explicit(&fetch->is_taken, true, memory_order_acquire))
        return false;
    if (fetch->table == NULL) {
        fetch->table = sqlite3_malloc((int)sizeof *fetch->table);
        if (fetch->table != NULL)
            clear(fetch->table);
    }
    fetch->may_be_old = true;
    fetch->is_ours = fetch->table != NULL;
    if (!fetch->is_ours)
        atomic_store_explicit(&fetch->is_taken, false, memory_order_release);
    return fetch->is_ours;
}

static struct slot *find(struct slot *set, int64_t offset, size_t length)
{
    for (size_t way = 0; way < WAYS; way++) {
        struct slot *slot = &set[way];
        if (slot->key == offset && slot->mapping.length == length)
            return slot;
    }
    return NULL;
}

/* A slot for another page: a free one, or one that SQLite has given back. */
static struct slot *make_room(struct mfs_fetch_table *table, struct slot *set)
{
    for (size_t way = 0; way < WAYS; way++)
        if (set[way].mapping.data == NULL)
            return &set[way];
    for (size_t tries = 0; tries < WAYS; tries++) {
        struct slot *slot = &set[table->next_victim++ % WAYS];
        if (slot->fetched != 0)
            continue;
        let_go(slot);
        return slot;
    }
    return NULL;
}

/*
 * Asks for the page's bytes before SQLite looks at them, which is here and there, each time at
 * the price of a cache miss.  A copy would have done it by the way, and so would have been faster.
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

static int map(const struct mfs_fetch_source *source, int64_t offset, size_t length,
               memfs_mapping *out)
{
    return source->version != NULL ? memfs_content_map(source->version, offset, length, out)
                                   : memfs_map_present(source->file, offset, length, out);
}

static struct slot *enter(struct mfs_fetch_table *table, struct slot *set,
                          const struct mfs_fetch_source *source, int64_t offset, size_t length)
{
    struct slot *slot = make_room(table, set);
    if (slot == NULL || map(source, offset, length, &slot->mapping) != 0)
        return NULL;
    slot->key = offset;
    fetch_ahead(slot->mapping.data, length);
    return slot;
}

void *mfs_fetch_page(struct mfs_fetch *fetch, const struct mfs_fetch_source *source, int64_t offset,
                     int count)
{
    assert(count > 0 && offset >= 0);
    if (fetch->limit < count || offset > fetch->limit - count || (!fetch->is_ours && !take(fetch)))
        return NULL;
    struct mfs_fetch_table *table = fetch->table;
    if (fetch->may_be_old)
        look_again(fetch, source);
    struct slot *set = set_of(table, offset);
    struct slot *slot = find(set, offset, (size_t)count);
    if (slot == NULL)
        slot = enter(table, set, source, offset, (size_t)count);
    if (slot == NULL)
        return NULL;
    slot->fetched++;
    table->outstanding++;
    return (void *)(uintptr_t)slot->mapping.data;
}

void mfs_fetch_give_back(struct mfs_fetch *fetch, int64_t offset, const void *page)
{
    assert(fetch->is_ours);
    struct slot *set = set_of(fetch->table, offset);
    size_t way = 0;
    while (way < WAYS && (set[way].mapping.data != page || set[way].fetched == 0))
        way++;
    assert(way < WAYS);
    fetch->table->outstanding--;
    if (--set[way].fetched == 0 && set[way].key == NO_KEY)
        let_go(&set[way]);
}

void mfs_fetch_note_change(struct mfs_fetch *fetch)
{
    fetch->may_be_old = true;
}

void mfs_fetch_end_transaction(struct mfs_fetch *fetch, const struct mfs_fetch_source *source)
{
    if (!fetch->is_ours || fetch->table->outstanding != 0)
        return;
    look_again(fetch, source);
    fetch->may_be_old = true;
    fetch->is_ours = false;
    atomic_store_explicit(&fetch->is_taken, false, memory_order_release);
}

void mfs_fetch_reclaim(struct mfs_fetch *fetch, memfs_file *file)
{
    if (atomic_exchange_explicit(&fetch->is_taken, true, memory_order_acquire))
        return;
    uint64_t generation = memfs_mapping_generation(file);
    if (fetch->table != NULL && fetch->table->generation != generation)
        renew(fetch->table, generation);
    atomic_store_explicit(&fetch->is_taken, false, memory_order_release);
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
