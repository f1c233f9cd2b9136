/*
 * The facts about names, and the index of caches.
 *
 * 1. The generation is read before the look-up.  A name that changes in between has moved the
 *    generation on, so the fact is never used; whether the look-up saw the change does not matter.
 * 2. A change by the connection itself moves the generation by one.  If it moved by exactly one,
 *    no other name was changed in the same time.
 * 3. A slot of the index has a name only while its cache is set: entering sets the cache first,
 *    leaving clears the name first.  A cache is found only by a thread that is inside a call of its
 *    connection, so it stays as long as it is used.
 *
 * Cost: one atomic load for a known fact, a few comparisons for a look-up in the index.  Leaving
 * walks the whole index, which has 128 slots.  A name without a slot is found in the list.
 *
 * Left out on purpose: growing the index.  A connection without a slot works, only more slowly.
 */
#include "names/name_cache.h"

#include "base/assertion.h"
#include "base/perthread.h"

#include <string.h>

enum { PROBES = 8, PAGER_BYTES_MAX = 4096 };

/* May point to one that has left the index: it is compared, and not followed. */
static MFS_PER_THREAD const struct mfs_name_cache *last_used;

static unsigned slot_of(const char *name, unsigned probe)
{
    uintptr_t address = (uintptr_t)name;
    return (unsigned)((address >> 4) ^ (address >> 11) ^ address) + probe;
}

static void enter_name(struct mfs_name_cache *cache, struct mfs_name_index *index, const char *name)
{
    if (name[0] == '\0')
        return;
    for (unsigned probe = 0; probe < PROBES; probe++) {
        unsigned slot = slot_of(name, probe) % MFS_NAME_SLOTS;
        if (atomic_load(&index->slots[slot].name) != NULL)
            continue;
        atomic_store(&index->slots[slot].cache, cache);
        atomic_store(&index->slots[slot].name, name);
        return;
    }
}

static size_t rounded_to_8(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

/*
 * SQLite's pager allocates one block: the pager, the database's file, two files for journals, the
 * pager's address, four zero bytes, and the name.  Memory before `path` is read only if `path`
 * lies at that very distance from the file; a name from elsewhere has unknown memory before it.
 */
bool mfs_name_cache_is_own_name(const void *file, size_t file_size, const char *path)
{
    static const char zeros[4];
    uintptr_t pager;
    size_t distance = 3 * rounded_to_8(file_size) + sizeof pager + sizeof zeros;
    if ((uintptr_t)path - (uintptr_t)file != distance)
        return false;
    if (memcmp(path - sizeof zeros, zeros, sizeof zeros) != 0)
        return false;
    memcpy(&pager, path - sizeof zeros - sizeof pager, sizeof pager);
    return pager < (uintptr_t)file && (uintptr_t)file - pager < PAGER_BYTES_MAX;
}

void mfs_name_cache_enter(struct mfs_name_cache *cache, struct mfs_name_index *index,
                          const char *own_path)
{
    MFS_ASSERT(mfs_mutex_is_held(index->mutex) && cache->number != 0);
    cache->index = index;
    cache->journal_name = own_path != NULL ? sqlite3_filename_journal(own_path) : "";
    cache->wal_name = own_path != NULL ? sqlite3_filename_wal(own_path) : "";
    cache->gets_copied_names = own_path == NULL;
    enter_name(cache, index, cache->journal_name);
    enter_name(cache, index, cache->wal_name);
    mfs_list_prepend(&index->all, &cache->link);
    if (cache->is_kept)
        atomic_fetch_add(&index->kept, 1u);
}

void mfs_name_cache_leave(struct mfs_name_cache *cache, struct mfs_name_index *index)
{
    MFS_ASSERT(mfs_mutex_is_held(index->mutex));
    if (cache->journal.file != NULL)
        *cache->journal.link = NULL;
    if (cache->wal.file != NULL)
        *cache->wal.link = NULL;
    mfs_list_remove(&index->all, &cache->link);
    if (cache->is_kept)
        atomic_fetch_sub(&index->kept, 1u);
    for (unsigned slot = 0; slot < MFS_NAME_SLOTS; slot++)
        if (atomic_load(&index->slots[slot].cache) == cache) {
            atomic_store(&index->slots[slot].name, NULL);
            atomic_store(&index->slots[slot].cache, NULL);
        }
}

struct mfs_name_cache *mfs_name_cache_find(struct mfs_name_index *index, const char *name)
{
    for (unsigned probe = 0; probe < PROBES; probe++) {
        unsigned slot = slot_of(name, probe) % MFS_NAME_SLOTS;
        if (atomic_load_explicit(&index->slots[slot].name, memory_order_acquire) == name)
            return atomic_load_explicit(&index->slots[slot].cache, memory_order_relaxed);
    }
    return NULL;
}

void mfs_name_cache_remember_use(struct mfs_name_cache *cache)
{
    MFS_ASSERT(cache->gets_copied_names);
    last_used = cache;
}

static bool is_sibling_of(const struct mfs_name_cache *cache, const char *name, const char *suffix)
{
    size_t length = strlen(cache->path);
    return strncmp(name, cache->path, length) == 0 && strcmp(name + length, suffix) == 0;
}

static bool is_copy_for(const struct mfs_name_cache *cache, const char *name)
{
    return cache->gets_copied_names && cache->path != NULL &&
           (is_sibling_of(cache, name, "-journal") || is_sibling_of(cache, name, "-wal"));
}

/* By text: the connection that this thread has used last, or the only one to that path. */
static struct mfs_name_cache *find_by_text(const struct mfs_name_index *index, const char *name)
{
    struct mfs_name_cache *found = NULL;
    unsigned count = 0;
    for (struct mfs_link *at = index->all.first; at != NULL; at = at->next) {
        struct mfs_name_cache *cache = MFS_LIST_ENTRY(at, struct mfs_name_cache, link);
        if (!is_copy_for(cache, name))
            continue;
        if (cache == last_used)
            return cache;
        found = cache;
        count++;
    }
    return count == 1 ? found : NULL;
}

struct mfs_name_cache *mfs_name_cache_find_any(struct mfs_name_index *index, const char *name)
{
    struct mfs_name_cache *found = mfs_name_cache_find(index, name);
    MFS_ASSERT(mfs_mutex_is_held(index->mutex));
    if (found != NULL)
        return found;
    for (struct mfs_link *at = index->all.first; at != NULL; at = at->next) {
        struct mfs_name_cache *cache = MFS_LIST_ENTRY(at, struct mfs_name_cache, link);
        if (cache->wal_name == name || cache->journal_name == name)
            return cache;
    }
    return find_by_text(index, name);
}

bool mfs_name_cache_is_wal(const struct mfs_name_cache *cache, const char *name)
{
    if (cache->gets_copied_names)
        return is_sibling_of(cache, name, "-wal");
    MFS_ASSERT(name == cache->journal_name || name == cache->wal_name);
    return name == cache->wal_name;
}

enum mfs_fact mfs_name_cache_absence(const struct mfs_name_cache *cache, const char *name)
{
    return mfs_name_cache_is_wal(cache, name) ? MFS_FACT_NO_WAL : MFS_FACT_NO_JOURNAL;
}

void mfs_name_cache_refresh(struct mfs_name_cache *cache, memfs *fs)
{
    uint64_t now = memfs_name_generation(fs);
    if (cache->generation == now)
        return;
    cache->generation = now;
    cache->facts = 0;
}

void mfs_name_cache_learn(struct mfs_name_cache *cache, unsigned fact)
{
    cache->facts |= fact;
}

void mfs_name_cache_note_change(struct mfs_name_cache *cache, memfs *fs, unsigned gained,
                                unsigned lost)
{
    MFS_ASSERT((gained & lost) == 0);
    uint64_t now = memfs_name_generation(fs);
    cache->facts = now == cache->generation + 1 ? (cache->facts & ~lost) | gained : 0;
    cache->generation = now;
}

void mfs_name_cache_claim(struct mfs_name_cache *cache, struct mfs_own_file *own,
                          struct mfs_file *file, uint64_t number, struct mfs_name_cache **link)
{
    MFS_ASSERT(mfs_mutex_is_held(cache->index->mutex) && own->file == NULL && *link == NULL);
    *link = cache;
    *own = (struct mfs_own_file){.file = file, .link = link, .claimed = number};
}

void mfs_name_cache_note_closing(struct mfs_name_cache *cache, const struct mfs_file *file)
{
    if (cache->journal.file == file)
        cache->journal.file = NULL;
    if (cache->wal.file == file)
        cache->wal.file = NULL;
}
