/*
 * 1. Entries of one group are neighbours, since they are added together,
 *    and are removed together.
 * 2. A bucket has the writes of its nodes, the newest first.
 * 3. What is made durable is removed from the log, the oldest first; so the disk has, for each name
 *    and each byte, what the newest of the entries said that are durable.
 *
 * Cost: adding takes constant time, syncing a file the time of the writes in its bucket, syncing a
 * directory that of all names that are pending.
 */
#include "faults/pending.h"

#include "base/check.h"
#include "faults/chance.h"

#include <string.h>

static struct mfs_pending **bucket_of(struct mfs_pending_log *log, uint64_t number)
{
    return &log->writes[number % MFS_PENDING_BUCKETS];
}

static struct mfs_pending *add(struct mfs_pending_log *log, uint64_t length)
{
    void *memory;
    if (memfs_charged_alloc(log->store, sizeof(struct mfs_pending) + (size_t)length, &memory) != 0)
        return NULL;
    struct mfs_pending *entry = memory;
    entry->length = length;
    mfs_list_add(&log->entries, &entry->link);
    if (log->oldest == NULL)
        log->oldest = entry;
    return entry;
}

struct mfs_pending *mfs_pending_add_write(struct mfs_pending_log *log, uint64_t number,
                                          uint64_t offset, uint64_t length, uint64_t size)
{
    struct mfs_pending *entry = add(log, length);
    if (entry == NULL)
        return NULL;
    struct mfs_pending **bucket = bucket_of(log, number);
    entry->number = number;
    entry->kind = MEMFS_KIND_FILE;
    entry->offset = offset;
    entry->size = size;
    entry->older_of_bucket = *bucket;
    if (*bucket != NULL)
        (*bucket)->newer_of_bucket = entry;
    *bucket = entry;
    return entry;
}

struct mfs_pending *mfs_pending_add_name(struct mfs_pending_log *log,
                                         const struct mfs_disk_name *name, uint64_t number,
                                         int kind, bool continues)
{
    struct mfs_pending *entry = add(log, name->length);
    if (entry == NULL)
        return NULL;
    entry->is_name = true;
    entry->continues = continues;
    entry->number = number;
    entry->kind = kind;
    entry->dir = name->dir;
    memcpy(entry->bytes, name->name, name->length);
    return entry;
}

void mfs_pending_remove(struct mfs_pending_log *log, struct mfs_pending *entry)
{
    if (log->oldest == entry)
        log->oldest = mfs_pending_newer(entry);
    mfs_list_remove(&log->entries, &entry->link);
    if (!entry->is_name) {
        if (entry->newer_of_bucket != NULL)
            entry->newer_of_bucket->older_of_bucket = entry->older_of_bucket;
        else
            *bucket_of(log, entry->number) = entry->older_of_bucket;
        if (entry->older_of_bucket != NULL)
            entry->older_of_bucket->newer_of_bucket = entry->newer_of_bucket;
    }
    (void)memfs_free(log->store, entry);
}

void mfs_pending_clear(struct mfs_pending_log *log)
{
    while (log->oldest != NULL)
        mfs_pending_remove(log, log->oldest);
}

void mfs_pending_forget_writes(struct mfs_pending_log *log, uint64_t number)
{
    struct mfs_pending *older, *at = *bucket_of(log, number);
    for (; at != NULL; at = older) {
        older = at->older_of_bucket;
        if (at->number == number)
            mfs_pending_remove(log, at);
    }
}

bool mfs_pending_has_name_of(const struct mfs_pending_log *log, uint64_t number)
{
    for (struct mfs_pending *at = log->oldest; at != NULL; at = mfs_pending_newer(at))
        if (at->is_name && at->number == number)
            return true;
    return false;
}

/* ---------------------------------------------------------- making durable */

static int apply_name(memfs *disk, const struct mfs_pending *entry)
{
    const struct mfs_disk_name name = {entry->dir, (const char *)entry->bytes,
                                       (size_t)entry->length};
    return mfs_disk_set_name(disk, &name, entry->number, entry->kind);
}

static int apply_write(memfs *disk, const struct mfs_pending *entry)
{
    int error = 0;
    if (entry->length != 0)
        error = mfs_disk_write(disk, entry->number, entry->offset, entry->bytes, entry->length);
    return error == 0 ? mfs_disk_resize(disk, entry->number, entry->size) : error;
}

int mfs_pending_sync_writes(struct mfs_pending_log *log, uint64_t number)
{
    struct mfs_pending *at = *bucket_of(log, number), *newer;
    int error = 0;
    while (at != NULL && at->older_of_bucket != NULL)
        at = at->older_of_bucket;
    for (; error == 0 && at != NULL; at = newer) {
        newer = at->newer_of_bucket;
        if (at->number != number)
            continue;
        error = apply_write(log->store, at);
        if (error == 0)
            mfs_pending_remove(log, at);
    }
    return error;
}

static bool concern_the_same(const struct mfs_pending *a, const struct mfs_pending *b)
{
    return (a->number != 0 && a->number == b->number) ||
           (a->dir == b->dir && a->length == b->length &&
            memcmp(a->bytes, b->bytes, (size_t)a->length) == 0);
}

/* The first entry of a group, and the first name behind it. */
static struct mfs_pending *begin_of_group(struct mfs_pending *entry)
{
    while (entry->continues || !entry->is_name)
        entry = mfs_pending_older(entry);
    return entry;
}

static struct mfs_pending *end_of_group(struct mfs_pending *entry)
{
    do
        entry = mfs_pending_newer(entry);
    while (entry != NULL && (!entry->is_name || entry->continues));
    return entry;
}

static bool group_concerns(struct mfs_pending *group, const struct mfs_pending *other)
{
    struct mfs_pending *end = end_of_group(group);
    for (struct mfs_pending *mine = group; mine != end; mine = mfs_pending_newer(mine))
        if (mine->is_name && concern_the_same(mine, other))
            return true;
    return false;
}

/* Whether one of the group has to come before a name that is selected, which is newer. */
static bool precedes_selected(struct mfs_pending *group)
{
    struct mfs_pending *end = end_of_group(group);
    for (struct mfs_pending *at = end; at != NULL; at = mfs_pending_newer(at)) {
        if (!at->is_name || !at->is_selected)
            continue;
        if (group_concerns(group, at))
            return true;
    }
    return false;
}

static void select_group(struct mfs_pending *group)
{
    struct mfs_pending *end = end_of_group(group);
    for (struct mfs_pending *at = group; at != end; at = mfs_pending_newer(at))
        at->is_selected = at->is_name;
}

/* From the newest to the oldest, so that what precedes is looked at later. */
static bool select_names(struct mfs_pending_log *log, uint64_t dir, uint64_t number, bool all)
{
    bool has_selected = false;
    struct mfs_pending *at = mfs_pending_of_link(log->entries.first);
    for (; at != NULL; at = mfs_pending_older(at)) {
        if (!at->is_name || at->is_selected)
            continue;
        bool is_wanted = all || at->dir == dir || (number != 0 && at->number == number);
        struct mfs_pending *group = begin_of_group(at);
        if (is_wanted || (has_selected && precedes_selected(group))) {
            select_group(group);
            has_selected = true;
        }
    }
    return has_selected;
}

int mfs_pending_sync_names(struct mfs_pending_log *log, uint64_t dir, uint64_t number, bool all,
                           mfs_pending_left left, void *context)
{
    int error = 0;
    if (!select_names(log, dir, number, all))
        return 0;
    for (struct mfs_pending *newer, *at = log->oldest; at != NULL; at = newer) {
        newer = mfs_pending_newer(at);
        if (!at->is_selected)
            continue;
        int applied = apply_name(log->store, at);
        uint64_t led_to = at->number;
        error = error != 0 ? error : applied;
        mfs_pending_remove(log, at);
        if (led_to != 0)
            left(context, led_to);
    }
    return error;
}

int mfs_pending_sync_all(struct mfs_pending_log *log)
{
    int error = 0;
    while (error == 0 && log->oldest != NULL) {
        struct mfs_pending *at = log->oldest;
        error = at->is_name ? apply_name(log->store, at) : apply_write(log->store, at);
        if (error == 0)
            mfs_pending_remove(log, at);
    }
    return error;
}

/* ------------------------------------------------------------- power cuts */

static bool draw_survival(const struct mfs_survival *how, uint64_t *state)
{
    return mfs_chance_draw(state) % 100 < how->percent;
}

/* Each sector for itself.  The size is that of the write, if a sector behind the old end survives,
 * or else by chance. */
static int survive_torn(const struct mfs_pending *entry, const struct mfs_survival *how,
                        uint64_t *state, memfs *disk, bool *all)
{
    uint64_t end = entry->offset + entry->length, at = entry->offset;
    int error = 0;
    *all = true;
    while (error == 0 && at < end) {
        uint64_t next = (at / how->sector_bytes + 1) * how->sector_bytes;
        next = next < end ? next : end;
        if (draw_survival(how, state))
            error = mfs_disk_write(disk, entry->number, at, entry->bytes + (at - entry->offset),
                                   next - at);
        else
            *all = false;
        at = next;
    }
    if (error == 0 && (entry->length == 0 || *all))
        error = mfs_disk_resize(disk, entry->number, entry->size);
    return error;
}

/* Whether an entry that was lost earlier concerns the same name or node as one of the group. */
static bool depends_on_lost(struct mfs_pending_log *log, struct mfs_pending *group)
{
    for (struct mfs_pending *at = log->oldest; at != group; at = mfs_pending_newer(at)) {
        if (!at->is_name || !at->is_selected)
            continue;
        if (group_concerns(group, at))
            return true;
    }
    return false;
}

/* Here the entries that are selected are those that are lost. */
static int survive_group(struct mfs_pending_log *log, struct mfs_pending *group, bool survives,
                         memfs *disk, bool *is_lost)
{
    struct mfs_pending *end = end_of_group(group);
    int error = 0;
    *is_lost = !survives || depends_on_lost(log, group);
    if (*is_lost)
        select_group(group);
    for (struct mfs_pending *at = group; !*is_lost && error == 0 && at != end;
         at = mfs_pending_newer(at))
        error = at->is_name ? apply_name(disk, at) : 0;
    return error;
}

static int survive_write(const struct mfs_pending *entry, const struct mfs_survival *how,
                         uint64_t *state, memfs *disk, bool *is_lost)
{
    bool all = true;
    int error = 0;
    if (how->is_torn && entry->length != 0) {
        error = survive_torn(entry, how, state, disk, &all);
    } else {
        all = draw_survival(how, state);
        if (all)
            error = apply_write(disk, entry);
    }
    *is_lost = !all;
    return error;
}

int mfs_pending_survive(struct mfs_pending_log *log, const struct mfs_survival *how, memfs *disk)
{
    uint64_t state = how->seed;
    struct mfs_pending *at = log->oldest;
    bool is_lost = false;
    int error = 0;
    while (error == 0 && at != NULL && how->percent != 0 && !(is_lost && how->is_ordered)) {
        if (!at->is_name)
            error = survive_write(at, how, &state, disk, &is_lost);
        else if (!at->continues)
            error = survive_group(log, at, draw_survival(how, &state), disk, &is_lost);
        at = mfs_pending_newer(at);
    }
    for (at = log->oldest; at != NULL; at = mfs_pending_newer(at))
        at->is_selected = false;
    return error;
}
