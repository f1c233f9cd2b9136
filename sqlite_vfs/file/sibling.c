/*
 * Looking at journals and WALs.
 *
 * 1. A look-up needs no memory: the handle lies on the stack, so it works at a full quota.
 * 2. A connection's own open journal is read through its handle.  It needs no name, and it may
 *    have been renamed or unlinked.
 *
 * Cost: a walk along the path, unless the cache of names knows that the file does not exist.
 */
#include "file/sibling.h"

#include "base/assertion.h"

#include <stddef.h>
#include <string.h>

/* SQLite zeroes the first byte of a journal that it has finished with. */
static bool begins_live(memfs_file *journal)
{
    char first = 0;
    return memfs_pread(journal, &first, 1, 0) == 1 && first != 0;
}

/* Errors: those of opening the journal; `*is_live` is set on success. */
static int look_at_journal(memfs *fs, const char *path, bool *is_live)
{
    memfs_file_storage storage;
    memfs_open_options options = {.struct_size = sizeof options,
                                  .flags = MEMFS_O_READ | MEMFS_O_NOATIME,
                                  .storage = &storage};
    memfs_file *journal;
    int error = memfs_open_with(fs, path, &options, &journal);
    if (error != 0)
        return error;
    *is_live = begins_live(journal);
    (void)memfs_close(journal);
    return 0;
}

static int look_at_wal(memfs *fs, const char *path, bool *is_live)
{
    memfs_stat_info info;
    info.struct_size = sizeof info;
    int error = memfs_stat(fs, path, &info);
    if (error == 0)
        *is_live = info.size_bytes > 0;
    return error;
}

bool mfs_sibling_journal_is_live(memfs *fs, const char *path)
{
    bool is_live = false;
    return look_at_journal(fs, path, &is_live) == 0 && is_live;
}

bool mfs_sibling_wal_is_live(memfs *fs, const char *path)
{
    bool is_live = false;
    return look_at_wal(fs, path, &is_live) == 0 && is_live;
}

/* Looks at a sibling, and learns its absence; `absence` is the fact that it does not exist. */
static bool look_and_learn(const struct mfs_file *database, struct mfs_name_cache *cache,
                           const char *suffix, enum mfs_fact absence,
                           int (*look_at)(memfs *fs, const char *path, bool *is_live))
{
    char name[MFS_FILE_NAME_BYTES];
    bool is_live = false;
    MFS_ASSERT(database->bytes.file != NULL);
    if (!mfs_file_sibling(database, suffix, name))
        return false;
    if (cache != NULL)
        mfs_name_cache_refresh(cache, database->fs);
    int error = look_at(database->fs, name, &is_live);
    if (error == MEMFS_ENOENT && cache != NULL)
        mfs_name_cache_learn(cache, absence);
    return error == 0 && is_live;
}

bool mfs_sibling_has_live_journal(const struct mfs_file *database, struct mfs_name_cache *cache)
{
    if (cache != NULL && cache->journal != NULL && begins_live(cache->journal->bytes.file))
        return true;
    return !mfs_name_cache_knows(cache, database->fs, MFS_FACT_NO_JOURNAL) &&
           look_and_learn(database, cache, "-journal", MFS_FACT_NO_JOURNAL, look_at_journal);
}

bool mfs_sibling_has_live_wal(const struct mfs_file *database, struct mfs_name_cache *cache)
{
    return !mfs_name_cache_knows(cache, database->fs, MFS_FACT_NO_WAL) &&
           look_and_learn(database, cache, "-wal", MFS_FACT_NO_WAL, look_at_wal);
}

bool mfs_sibling_number_of_database(memfs *fs, const char *path, const char *suffix,
                                    uint64_t *number)
{
    char database[MFS_FILE_NAME_BYTES];
    size_t length = strlen(path);
    size_t suffix_length = strlen(suffix);
    MFS_ASSERT(suffix[0] == '-');
    if (length <= suffix_length || length >= sizeof database ||
        strcmp(path + length - suffix_length, suffix) != 0)
        return false;
    memcpy(database, path, length - suffix_length);
    database[length - suffix_length] = '\0';
    memfs_stat_info info;
    info.struct_size = sizeof info;
    if (memfs_stat(fs, database, &info) != 0)
        return false;
    *number = info.number;
    return true;
}
