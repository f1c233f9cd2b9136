/*
 * 1. A fact is learned after the generation was read.  If a name changed in between,
 *    the generation has moved on and the fact is never used; so it does not matter
 *    on which side of the change the look-up was.
 * 2. A change of our own moves the generation by one.  If it moved by exactly one,
 *    nobody else's change is among them.
 */
#include "names/name_cache.h"

#include <memfs/storage.h>

#include <string.h>

enum { PROBES = 8, PAGER_BYTES_MAX = 4096 };

static unsigned slot_of(const char *name, unsigned probe)
{
    uintptr_t address = (uintptr_t)name;
    return (unsigned)((address >> 4) ^ (address >> 11) ^ address) + probe;
}

static void enter_name(struct mfs_nearby *nearby, struct mfs_name_index *index, const char *name)
{
    if (name[0] == '\0')
        return;
    for (unsigned probe = 0; probe < PROBES; probe++) {
        unsigned slot = slot_of(name, probe) % MFS_NAME_SLOTS;
        if (atomic_load(&index->slots[slot].name) != NULL)
            continue;
        atomic_store(&index->slots[slot].nearby, nearby);
        atomic_store(&index->slots[slot].name, name);
        return;
    }
}

static size_t rounded_to_8(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

/*
 * SQLite's pager makes one piece of memory: the pager, the database's file, two files for
 * journals, the pager's address, four zeros, and the name.  Nothing of another maker is read
 * here unless it lies at that very distance from the file.
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

void mfs_name_cache_enter(struct mfs_nearby *nearby, struct mfs_name_index *index, const char *path)
{
    memset(nearby, 0, sizeof *nearby);
    nearby->journal_name = path != NULL ? sqlite3_filename_journal(path) : "";
    nearby->wal_name = path != NULL ? sqlite3_filename_wal(path) : "";
    enter_name(nearby, index, nearby->journal_name);
    enter_name(nearby, index, nearby->wal_name);
    nearby->next = index->all;
    nearby->link = &index->all;
    if (nearby->next != NULL)
        nearby->next->link = &nearby->next;
    index->all = nearby;
}

void mfs_name_cache_leave(struct mfs_nearby *nearby, struct mfs_name_index *index)
{
    if (nearby->journal != NULL)
        *nearby->journal_link = NULL;
    *nearby->link = nearby->next;
    if (nearby->next != NULL)
        nearby->next->link = nearby->link;
    for (unsigned slot = 0; slot < MFS_NAME_SLOTS; slot++)
        if (atomic_load(&index->slots[slot].nearby) == nearby) {
            atomic_store(&index->slots[slot].name, NULL);
            atomic_store(&index->slots[slot].nearby, NULL);
        }
}

struct mfs_nearby *mfs_name_cache_find(struct mfs_name_index *index, const char *name)
{
    for (unsigned probe = 0; probe < PROBES; probe++) {
        unsigned slot = slot_of(name, probe) % MFS_NAME_SLOTS;
        if (atomic_load_explicit(&index->slots[slot].name, memory_order_acquire) == name)
            return atomic_load_explicit(&index->slots[slot].nearby, memory_order_relaxed);
    }
    return NULL;
}

struct mfs_nearby *mfs_name_cache_find_wal(const struct mfs_name_index *index, const char *name)
{
    struct mfs_nearby *nearby = index->all;
    while (nearby != NULL && nearby->wal_name != name)
        nearby = nearby->next;
    return nearby;
}

enum mfs_fact mfs_name_cache_absence(const struct mfs_nearby *nearby, const char *name)
{
    return name == nearby->journal_name ? MFS_FACT_NO_JOURNAL : MFS_FACT_NO_WAL;
}

bool mfs_name_cache_knows(const struct mfs_nearby *nearby, memfs *fs, unsigned fact)
{
    return nearby != NULL && (nearby->facts & fact) != 0 &&
           nearby->generation == memfs_name_generation(fs);
}

void mfs_name_cache_refresh(struct mfs_nearby *nearby, memfs *fs)
{
    uint64_t now = memfs_name_generation(fs);
    if (nearby->generation == now)
        return;
    nearby->generation = now;
    nearby->facts = 0;
}

void mfs_name_cache_learn(struct mfs_nearby *nearby, unsigned fact)
{
    nearby->facts |= fact;
}

void mfs_name_cache_note_change(struct mfs_nearby *nearby, memfs *fs, unsigned gained,
                                unsigned lost)
{
    uint64_t now = memfs_name_generation(fs);
    nearby->facts = now == nearby->generation + 1 ? (nearby->facts & ~lost) | gained : 0;
    nearby->generation = now;
}

void mfs_name_cache_set_journal(struct mfs_nearby *nearby, struct mfs_file *journal,
                                struct mfs_nearby **link)
{
    *link = nearby;
    nearby->journal = journal;
    nearby->journal_link = link;
}
