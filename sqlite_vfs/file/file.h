/*
 * One open file of any kind, as SQLite sees it: the sqlite3_file, the memfs
 * handle inside it, and the bytes.  What databases and journals have in common.
 */
#ifndef MFS_FILE_H
#define MFS_FILE_H

#include "base/sqliteapi.h"

#include <memfs/memfs.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * Lies in the szOsFile bytes that SQLite provides, the handle too, so that
 * opening an existing file allocates nothing.  One thread at a time uses it.
 */
struct mfs_file {
    sqlite3_file base; /* first: SQLite's pointer is ours */
    memfs *fs;
    memfs_file *handle;
    const char *path;     /* SQLite's string, canonical; null: a temporary file */
    const char *vfs_name; /* the VFS's string */
    uint64_t number;      /* of the node */
    int64_t reserved_end; /* where the room that a size hint reserved ends; 0: none */
    bool is_read_only;
    bool keeps_wal;           /* SQLITE_FCNTL_PERSIST_WAL: only remembered */
    bool overwrites_are_safe; /* SQLITE_FCNTL_POWERSAFE_OVERWRITE */
    memfs_file_storage storage;
};

/* The longest name with its NUL that a file of ours can have, "-journal" included. */
#define MFS_FILE_PATH_MAX 512
#define MFS_FILE_NAME_BYTES (MFS_FILE_PATH_MAX + sizeof "-journal")

/* Writes the file's path with `suffix` behind it; false if it does not fit, or there is none. */
bool mfs_file_sibling(const struct mfs_file *file, const char *suffix,
                      char name[MFS_FILE_NAME_BYTES]);

/*
 * Opens `path` (null: a new unnamed file) by SQLite's open flags, and fills in
 * everything but base.pMethods.  READWRITE falls back to reading only if the
 * file has no write permission bit and `may_demote`.
 */
int mfs_file_open(struct mfs_file *file, memfs *fs, const char *vfs_name, const char *path,
                  int open_flags, bool may_demote);
int mfs_file_close(struct mfs_file *file);

/* What xSectorSize answers: the smallest that SQLite knows, since nothing here has sectors. */
#define MFS_FILE_SECTOR_BYTES 512

/* sqlite3_io_methods, common to all kinds. */
int mfs_file_read(struct mfs_file *file, void *buffer, int count, sqlite3_int64 offset);
int mfs_file_write(struct mfs_file *file, const void *buffer, int count, sqlite3_int64 offset);
int mfs_file_truncate(struct mfs_file *file, sqlite3_int64 size);
int mfs_file_size(struct mfs_file *file, sqlite3_int64 *size);
int mfs_file_characteristics(const struct mfs_file *file);

/*
 * Makes room up to `size` at one go, all or nothing; the size stays.
 * mfs_file_release_room() gives back what was not grown into.
 */
int mfs_file_reserve_room(struct mfs_file *file, sqlite3_int64 size);
void mfs_file_release_room(struct mfs_file *file);

#endif
