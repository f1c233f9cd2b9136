/*
 * One open file of any kind, as SQLite sees it: the sqlite3_file with the memfs handle and its
 * bytes.  What databases, journals and temporary files have in common.
 */
#ifndef MFS_FILE_H
#define MFS_FILE_H

#include "base/sqliteapi.h"
#include "file/bytes.h"

#include <memfs/memfs.h>

#include <stdbool.h>
#include <stdint.h>

/* What the VFS says of the device that a file is on. */
struct mfs_device {
    int characteristics; /* SQLITE_IOCAP_..., of SAFE_APPEND and SEQUENTIAL */
    int sector_bytes;
};

/* Memory: it keeps the order of writes, and has no sectors, so they have the smallest size that
 * SQLite accepts. */
#define MFS_DEVICE_MEMORY \
    ((struct mfs_device){SQLITE_IOCAP_SAFE_APPEND | SQLITE_IOCAP_SEQUENTIAL, 512})

/*
 * Lies in the szOsFile bytes that SQLite provides, with the storage of the handle, so that opening
 * an existing file allocates nothing.  Used by one thread at a time.
 */
struct mfs_file {
    sqlite3_file base; /* first: SQLite's pointer is ours */
    memfs *fs;
    struct mfs_bytes bytes; /* of the handle, bytes.file */
    const char *path;       /* SQLite's string, canonical; null: a temporary file */
    const char *vfs_name;   /* the VFS's string */
    uint64_t number;        /* of the node */
    bool is_read_only;
    bool is_borrowed;         /* the handle */
    bool keeps_wal;           /* SQLITE_FCNTL_PERSIST_WAL: remembered, with no effect here */
    bool overwrites_are_safe; /* SQLITE_FCNTL_POWERSAFE_OVERWRITE */
    struct mfs_device device;
    int last_errno; /* SQLITE_FCNTL_LAST_ERRNO */
    memfs_file_storage storage;
};

/* The longest path of a database, and the bytes of a sibling's path with its NUL. */
#define MFS_FILE_PATH_MAX 512
#define MFS_FILE_NAME_BYTES (MFS_FILE_PATH_MAX + sizeof "-journal")

/* Writes the file's path followed by `suffix`; false if that does not fit or the file has no
 * path. */
bool mfs_file_sibling(const struct mfs_file *file, const char *suffix,
                      char name[MFS_FILE_NAME_BYTES]);

/* The mode of a new file, unless it is that of another file. */
#define MFS_FILE_MODE 0644u

/*
 * Opens `path` (null: a new file without a name) by SQLite's open flags, and fills in everything
 * but base.pMethods.  A file that is made gets `mode`.
 * With `may_demote` a file without write permission that is to be opened for writing is opened for
 * reading instead.  On failure nothing is open.
 */
int mfs_file_open(struct mfs_file *file, memfs *fs, const char *vfs_name, const char *path,
                  int open_flags, uint32_t mode, bool may_demote);
int mfs_file_close(struct mfs_file *file);

/* Fills in the same for a handle that is open already, and which mfs_file_close() leaves open. */
void mfs_file_borrow(struct mfs_file *file, memfs *fs, const char *vfs_name, const char *path,
                     memfs_file *handle);

/* Returns `rc`, which a call for the file answers.  If it is an error, the thread's error number
 * (lasterror.h) becomes the file's. */
int mfs_file_note_result(struct mfs_file *file, int rc);

/*
 * Whether this process is a child of the one that the file system belongs to (memfs.h, "Fork").
 * Mutexes of the VFS may then be locked for ever; so what locks one asks first, and fails.
 */
static inline bool mfs_file_is_inherited(memfs *fs)
{
    return memfs_free(fs, NULL) != 0;
}

/* What xDeviceCharacteristics answers for every kind of file. */
int mfs_file_characteristics(const struct mfs_file *file);

#endif
