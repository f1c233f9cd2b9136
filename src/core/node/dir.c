/*
 * 1. slots[0 .. filled) have increasing sequence numbers; the last is no
 *    tombstone.  A tombstone is the number, shifted left, with the low bit set
 *    (entries are aligned, so that bit is theirs to use).
 * 2. With a table, every live slot is in it exactly once, where linear probing
 *    from its hash finds it; the table is never full.
 * 3. live == 0 means no slots and no table.
 *
 * Cost of an entry in a large directory: itself, 8 to 12 bytes of slot and 6 to
 * 12 of table.
 */
#include "node/dir.h"

#include "base/check.h"
#include "base/namehash.h"
#include "base/num.h"

#include <string.h>

/* Up to this many entries a scan is as fast as a table. */
enum { SMALL_CAPACITY = 8, FIRST_CAPACITY = 4 };

static bool is_tombstone(uint64_t slot)
{
    return (slot & 1) != 0;
}

static struct mfs_dirent *as_entry(uint64_t slot)
{
    return (struct mfs_dirent *)(uintptr_t)slot; /* NOLINT(performance-no-int-to-ptr) */
}

static uint64_t sequence_of(uint64_t slot)
{
    return is_tombstone(slot) ? slot >> 1 : as_entry(slot)->u.sequence;
}

static size_t entry_bytes(size_t length)
{
    return offsetof(struct mfs_dirent, name) + length + 1;
}

static bool has_name(const struct mfs_dirent *entry, const char *name, size_t length)
{
    return entry->length == length && memcmp(entry->name, name, length) == 0;
}

/* ------------------------------------------------------------------- index */

/* A table for this many slots: a power of two, three quarters full at most. */
static uint32_t table_size_for(uint32_t capacity)
{
    if (capacity <= SMALL_CAPACITY)
        return 0;
    uint64_t least = (uint64_t)capacity * 4 / 3;
    return (uint32_t)1 << (mfs_num_log2(least) + 1);
}

static uint32_t table_size(const struct mfs_dir *dir)
{
    return dir->table != NULL ? dir->table_mask + 1 : 0;
}

static void table_insert(struct mfs_dir *dir, uint32_t slot)
{
    uint32_t at = as_entry(dir->slots[slot])->hash & dir->table_mask;
    while (dir->table[at] != 0)
        at = (at + 1) & dir->table_mask;
    dir->table[at] = slot + 1;
}

/* Where the table speaks of this entry. */
static uint32_t table_position(const struct mfs_dir *dir, const struct mfs_dirent *entry)
{
    uint32_t at = entry->hash & dir->table_mask;
    while (dir->slots[dir->table[at] - 1] != (uintptr_t)entry) {
        at = (at + 1) & dir->table_mask;
        MFS_CHECK(dir->table[at] != 0);
    }
    return at;
}

/* Empties a position and moves up those behind it that were pushed away from theirs. */
static void table_remove(struct mfs_dir *dir, uint32_t hole)
{
    uint32_t mask = dir->table_mask;
    for (uint32_t at = (hole + 1) & mask; dir->table[at] != 0; at = (at + 1) & mask) {
        uint32_t home = as_entry(dir->slots[dir->table[at] - 1])->hash & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            dir->table[hole] = dir->table[at];
            hole = at;
        }
    }
    dir->table[hole] = 0;
}

/* Squeezes out tombstones, into `slots`, which may be the old array; makes the table anew. */
static void rebuild(struct mfs_dir *dir, uint64_t *slots)
{
    uint32_t filled = 0;
    for (uint32_t i = 0; i < dir->filled; i++)
        if (!is_tombstone(dir->slots[i]))
            slots[filled++] = dir->slots[i];
    dir->slots = slots;
    dir->filled = filled;
    MFS_CHECK(filled == dir->live);
    if (dir->table == NULL)
        return;
    memset(dir->table, 0, (size_t)table_size(dir) * sizeof(uint32_t));
    for (uint32_t i = 0; i < filled; i++)
        table_insert(dir, i);
}

static void free_index(const struct mfs_names *names, uint64_t *slots, uint32_t capacity,
                       uint32_t *table, uint32_t entries)
{
    if (slots != NULL)
        mfs_memory_give(names->memory, slots, capacity * sizeof *slots, names->class);
    if (table != NULL)
        mfs_memory_give(names->memory, table, entries * sizeof *table, names->class);
}

static void drop_index(const struct mfs_names *names, struct mfs_dir *dir)
{
    free_index(names, dir->slots, dir->capacity, dir->table, table_size(dir));
    dir->slots = NULL;
    dir->table = NULL;
    dir->capacity = dir->filled = dir->table_mask = 0;
}

/* Moves the index to arrays for `capacity` slots. */
static int resize(const struct mfs_names *names, struct mfs_dir *dir, uint32_t capacity)
{
    void *slots = NULL, *table = NULL;
    uint32_t entries = table_size_for(capacity);
    int error = mfs_memory_take_as(names->memory, names->charge_from, capacity * sizeof(uint64_t),
                                   names->class, &slots);
    if (error == 0 && entries != 0)
        error = mfs_memory_take_as(names->memory, names->charge_from, entries * sizeof(uint32_t),
                                   names->class, &table);
    if (error != 0) {
        free_index(names, slots, capacity, NULL, 0);
        return error;
    }
    uint64_t *old_slots = dir->slots;
    uint32_t *old_table = dir->table;
    uint32_t old_entries = table_size(dir), old_capacity = dir->capacity;
    dir->table = table;
    dir->table_mask = entries != 0 ? entries - 1 : 0;
    rebuild(dir, slots);
    dir->capacity = capacity;
    free_index(names, old_slots, old_capacity, old_table, old_entries);
    return 0;
}

/*
 * The number of slots that suits the directory now that its slots are used up.
 * With enough tombstones that squeezing them out pays, it stays as it is: what
 * had its place before must find it again when memory is short.
 */
static uint32_t wanted_capacity(const struct mfs_dir *dir)
{
    if (dir->capacity < FIRST_CAPACITY)
        return FIRST_CAPACITY;
    if (dir->live >= dir->capacity - dir->capacity / 16)
        return dir->capacity + dir->capacity / 2;
    return dir->live < dir->capacity / 16 ? dir->capacity / 4 : dir->capacity;
}

/* Makes sure that one more slot is free. */
static int make_room(const struct mfs_names *names, struct mfs_dir *dir)
{
    if (dir->filled < dir->capacity)
        return 0;
    if (dir->capacity > UINT32_MAX / 8)
        return MEMFS_ENOMEM;
    uint32_t wanted = wanted_capacity(dir);
    int error = wanted != dir->capacity ? resize(names, dir, wanted) : 0;
    if (dir->filled < dir->capacity)
        return 0;
    /* Squeezing out tombstones needs no memory. */
    if (dir->live == dir->capacity)
        return error;
    rebuild(dir, dir->slots);
    return 0;
}

/* ----------------------------------------------------------------- entries */

struct mfs_dirent *mfs_dir_find(const struct mfs_names *names, const struct mfs_dir *dir,
                                const char *name, size_t length)
{
    if (dir->live == 0)
        return NULL;
    if (dir->table == NULL) {
        for (uint32_t i = 0; i < dir->filled; i++)
            if (!is_tombstone(dir->slots[i]) && has_name(as_entry(dir->slots[i]), name, length))
                return as_entry(dir->slots[i]);
        return NULL;
    }
    uint32_t hash = mfs_namehash(names->hash_key, name, length);
    for (uint32_t at = hash & dir->table_mask; dir->table[at] != 0;
         at = (at + 1) & dir->table_mask) {
        struct mfs_dirent *entry = as_entry(dir->slots[dir->table[at] - 1]);
        if (entry->hash == hash && has_name(entry, name, length))
            return entry;
    }
    return NULL;
}

int mfs_dir_prepare(const struct mfs_names *names, struct mfs_dir *dir, const char *name,
                    size_t length, struct mfs_dirent **out)
{
    MFS_CHECK(length > 0 && length <= MEMFS_NAME_MAX);
    void *memory;
    int error = mfs_memory_take_as(names->memory, names->charge_from, entry_bytes(length),
                                   names->class, &memory);
    if (error != 0)
        return error;
    struct mfs_dirent *entry = memory;
    entry->node = NULL;
    entry->u.sequence = 0;
    entry->hash = mfs_namehash(names->hash_key, name, length);
    entry->length = (uint8_t)length;
    memcpy(entry->name, name, length);
    entry->name[length] = '\0';
    error = make_room(names, dir);
    if (error != 0) {
        mfs_dir_entry_free(names, entry);
        return error;
    }
    *out = entry;
    return 0;
}

void mfs_dir_commit(struct mfs_dir *dir, struct mfs_dirent *entry, struct mfs_node *node)
{
    MFS_CHECK(dir->filled < dir->capacity && node != NULL);
    entry->node = node;
    entry->u.sequence = ++dir->next_sequence;
    dir->slots[dir->filled] = (uintptr_t)entry;
    if (dir->table != NULL)
        table_insert(dir, dir->filled);
    dir->filled++;
    dir->live++;
}

void mfs_dir_cancel(const struct mfs_names *names, struct mfs_dir *dir, struct mfs_dirent *entry)
{
    mfs_dir_entry_free(names, entry);
    if (dir->live == 0)
        drop_index(names, dir);
}

void mfs_dir_entry_free(const struct mfs_names *names, struct mfs_dirent *entry)
{
    mfs_memory_give(names->memory, entry, entry_bytes(entry->length), names->class);
}

/* The first slot whose number is `sequence` or higher; `filled` if there is none. */
static uint32_t slot_at(const struct mfs_dir *dir, uint64_t sequence)
{
    uint32_t low = 0, high = dir->filled;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (sequence_of(dir->slots[middle]) < sequence)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void mfs_dir_detach(const struct mfs_names *names, struct mfs_dir *dir, struct mfs_dirent *entry)
{
    uint32_t slot = slot_at(dir, entry->u.sequence);
    MFS_CHECK(slot < dir->filled && dir->slots[slot] == (uintptr_t)entry);
    if (dir->table != NULL)
        table_remove(dir, table_position(dir, entry));
    dir->slots[slot] = entry->u.sequence << 1 | 1;
    dir->live--;
    while (dir->filled > 0 && is_tombstone(dir->slots[dir->filled - 1]))
        dir->filled--;
    if (dir->live == 0)
        drop_index(names, dir);
}

void mfs_dir_adopt(struct mfs_dir *to, struct mfs_dir *from)
{
    MFS_CHECK(to->live == 0);
    uint64_t before = to->next_sequence;
    *to = *from;
    *from = (struct mfs_dir){0};
    for (uint32_t i = 0; i < to->filled; i++) {
        if (is_tombstone(to->slots[i]))
            to->slots[i] += before << 1;
        else
            as_entry(to->slots[i])->u.sequence += before;
    }
    to->next_sequence += before;
}

struct mfs_dirent *mfs_dir_at(const struct mfs_dir *dir, uint64_t sequence)
{
    for (uint32_t slot = slot_at(dir, sequence); slot < dir->filled; slot++)
        if (!is_tombstone(dir->slots[slot]))
            return as_entry(dir->slots[slot]);
    return NULL;
}

struct mfs_dirent *mfs_dir_last(const struct mfs_dir *dir)
{
    return dir->filled != 0 ? as_entry(dir->slots[dir->filled - 1]) : NULL;
}

uint64_t mfs_dir_entry_cost(const struct mfs_names *names, const struct mfs_dirent *entry)
{
    return mfs_memory_cost(names->memory, entry_bytes(entry->length));
}

uint64_t mfs_dir_cost(const struct mfs_names *names, const struct mfs_dir *dir)
{
    uint64_t cost = 0;
    if (dir->slots != NULL)
        cost += mfs_memory_cost(names->memory, dir->capacity * sizeof *dir->slots);
    if (dir->table != NULL)
        cost += mfs_memory_cost(names->memory, table_size(dir) * sizeof *dir->table);
    for (uint32_t i = 0; i < dir->filled; i++)
        if (!is_tombstone(dir->slots[i]))
            cost += mfs_dir_entry_cost(names, as_entry(dir->slots[i]));
    return cost;
}

bool mfs_dir_is_valid(const struct mfs_names *names, const struct mfs_dir *dir)
{
    uint32_t live = 0;
    uint64_t previous = 0;
    for (uint32_t i = 0; i < dir->filled; i++) {
        uint64_t slot = dir->slots[i];
        if (sequence_of(slot) <= previous)
            return false;
        previous = sequence_of(slot);
        if (is_tombstone(slot))
            continue;
        live++;
        const struct mfs_dirent *entry = as_entry(slot);
        if (mfs_dir_find(names, dir, entry->name, entry->length) != entry)
            return false;
    }
    bool empty_is_bare = live != 0 || (dir->slots == NULL && dir->table == NULL);
    return live == dir->live && previous <= dir->next_sequence && empty_is_bare;
}
