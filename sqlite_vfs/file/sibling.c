/*
 * Looking at journals and WALs.
 *
 * 1. A look-up needs no memory: the handle lies on the stack, so it works at a full quota.
 * 2. A connection's own open journal or WAL is read through its handle.  It needs no name, and it
 *    may have been renamed or unlinked.
 *
 * Cost: a walk along the path, unless the cache of names knows that the file does not exist.
 */
#include "file/sibling.h"

#include "base/assertion.h"
#include "names/place.h"

#include <stddef.h>

/* SQLite zeroes the first byte of a journal that it has finished with. */
bool mfs_sibling_begins_live(memfs_file *journal)
{
    char first = 0;
    return memfs_pread(journal, &first, 1, 0) == 1 && first != 0;
}

/* A sibling that was looked at. */
struct sibling {
    bool is_live;
    uint64_t number; /* of the node */
};

/* Errors: those of opening the journal; `*found` is set on success. */
static int look_at_journal(memfs *fs, const char *path, struct sibling *found)
{
    memfs_stat_info info;
    info.struct_size = sizeof info;
    memfs_file_storage storage;
    memfs_open_options options = {.struct_size = sizeof options,
                                  .flags = MEMFS_O_READ | MEMFS_O_NOATIME,
                                  .storage = &storage};
    memfs_file *journal;
    int error = memfs_open_with(fs, path, &options, &journal);
    if (error != 0)
        return error;
    error = memfs_fstat(journal, &info);
    *found = (struct sibling){.is_live = mfs_sibling_begins_live(journal), .number = info.number};
    (void)memfs_close(journal);
    return error;
}

static int look_at_wal(memfs *fs, const char *path, struct sibling *found)
{
    memfs_stat_info info;
    info.struct_size = sizeof info;
    int error = memfs_stat(fs, path, &info);
    if (error == 0)
        *found = (struct sibling){.is_live = info.size_bytes > 0, .number = info.number};
    return error;
}

bool mfs_sibling_journal_is_live(memfs *fs, const char *path)
{
    struct sibling found;
    return look_at_journal(fs, path, &found) == 0 && found.is_live;
}

bool mfs_sibling_wal_is_live(memfs *fs, const char *path)
{
    struct sibling found;
    return look_at_wal(fs, path, &found) == 0 && found.is_live;
}

/* Looks at a sibling, and learns its absence; `absence` is the fact that it does not exist. */
static bool look_and_learn(const struct mfs_file *database, struct mfs_name_cache *cache,
                           const char *suffix, enum mfs_fact absence,
                           int (*look_at)(memfs *fs, const char *path, struct sibling *found))
{
    char name[MFS_FILE_NAME_BYTES];
    struct sibling found;
    MFS_ASSERT(database->bytes.file != NULL);
    if (!mfs_file_sibling(database, suffix, name))
        return false;
    if (cache != NULL)
        mfs_name_cache_refresh(cache, database->fs);
    int error = look_at(database->fs, name, &found);
    if (error == MEMFS_ENOENT && cache != NULL)
        mfs_name_cache_learn(cache, absence);
    return error == 0 && found.is_live &&
           (cache == NULL || mfs_place_owns(cache, database->fs, found.number));
}

bool mfs_sibling_has_live_journal(const struct mfs_file *database, struct mfs_name_cache *cache)
{
    if (cache != NULL && cache->journal.file != NULL &&
        mfs_sibling_begins_live(cache->journal.file->bytes.file))
        return true;
    return !mfs_name_cache_knows(cache, database->fs, MFS_FACT_NO_JOURNAL) &&
           look_and_learn(database, cache, "-journal", MFS_FACT_NO_JOURNAL, look_at_journal);
}

bool mfs_sibling_has_live_wal(const struct mfs_file *database, struct mfs_name_cache *cache)
{
    if (cache != NULL && cache->wal.file != NULL &&
        memfs_file_size(cache->wal.file->bytes.file) > 0)
        return true;
    return !mfs_name_cache_knows(cache, database->fs, MFS_FACT_NO_WAL) &&
           look_and_learn(database, cache, "-wal", MFS_FACT_NO_WAL, look_at_wal);
}
