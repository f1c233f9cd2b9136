/*
 * 1. A fact is learned after the generation was read.  If a name changed in between,
 *    the generation has moved on and the fact is never used; so it does not matter
 *    on which side of the change the look-up was.
 * 2. A change of our own moves the generation by one.  If it moved by exactly one,
 *    nobody else's change is among them.
 */
#include "nearby.h"

#include <string.h>

enum { PROBES = 8 };

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

void mfs_nearby_enter(struct mfs_nearby *nearby, struct mfs_name_index *index, const char *path)
{
    memset(nearby, 0, sizeof *nearby);
    nearby->journal_name = sqlite3_filename_journal(path);
    nearby->wal_name = sqlite3_filename_wal(path);
    enter_name(nearby, index, nearby->journal_name);
    enter_name(nearby, index, nearby->wal_name);
}

void mfs_nearby_leave(struct mfs_nearby *nearby, struct mfs_name_index *index)
{
    if (nearby->journal != NULL)
        *nearby->journal_link = NULL;
    for (unsigned slot = 0; slot < MFS_NAME_SLOTS; slot++)
        if (atomic_load(&index->slots[slot].nearby) == nearby) {
            atomic_store(&index->slots[slot].name, NULL);
            atomic_store(&index->slots[slot].nearby, NULL);
        }
}

struct mfs_nearby *mfs_nearby_find(struct mfs_name_index *index, const char *name)
{
    for (unsigned probe = 0; probe < PROBES; probe++) {
        unsigned slot = slot_of(name, probe) % MFS_NAME_SLOTS;
        if (atomic_load_explicit(&index->slots[slot].name, memory_order_acquire) == name)
            return atomic_load_explicit(&index->slots[slot].nearby, memory_order_relaxed);
    }
    return NULL;
}

enum mfs_fact mfs_nearby_absence(const struct mfs_nearby *nearby, const char *name)
{
    return name == nearby->journal_name ? MFS_FACT_NO_JOURNAL : MFS_FACT_NO_WAL;
}

bool mfs_nearby_knows(const struct mfs_nearby *nearby, memfs *fs, unsigned fact)
{
    return nearby != NULL && (nearby->facts & fact) != 0 &&
           nearby->generation == memfs_name_generation(fs);
}

void mfs_nearby_refresh(struct mfs_nearby *nearby, memfs *fs)
{
    uint64_t now = memfs_name_generation(fs);
    if (nearby->generation == now)
        return;
    nearby->generation = now;
    nearby->facts = 0;
}

void mfs_nearby_learn(struct mfs_nearby *nearby, unsigned fact)
{
    nearby->facts |= fact;
}

void mfs_nearby_note_change(struct mfs_nearby *nearby, memfs *fs, unsigned gained, unsigned lost)
{
    uint64_t now = memfs_name_generation(fs);
    nearby->facts = now == nearby->generation + 1 ? (nearby->facts & ~lost) | gained : 0;
    nearby->generation = now;
}

void mfs_nearby_set_journal(struct mfs_nearby *nearby, struct mfs_file *journal,
                            struct mfs_nearby **link)
{
    *link = nearby;
    nearby->journal = journal;
    nearby->journal_link = link;
}
