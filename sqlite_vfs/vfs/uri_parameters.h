/* The URI parameters of a main database that memfs defines; MANUAL.md lists them. */
#ifndef MFS_URI_PARAMETERS_H
#define MFS_URI_PARAMETERS_H

#include "base/sqliteapi.h"
#include "file/file.h"
#include "locks/isolation.h"

#include <stdbool.h>

struct mfs_uri_parameters {
    sqlite3_int64 size_limit; /* bytes; 0: none was given */
    sqlite3_int64 mmap_size;  /* bytes; negative: none was given */
    bool make_parents;
    bool is_image; /* a file that no connection writes: read without locks and journals */
    enum mfs_isolation_wish isolation;
    struct mfs_device device;
    bool tears_sectors;   /* overwriting is not said to leave the bytes beside it alone */
    const char *snapshot; /* the one to read the database from; null: none */
    /* SQLite's own, which its unix VFS takes too: */
    bool overwrites_are_safe; /* psow */
    const char *mode_of;      /* modeof: the file whose mode a new database gets; null: none */
};

/* Those of a name that has no parameters. */
struct mfs_uri_parameters mfs_uri_parameters_none(void);

/*
 * Reads the parameters behind `path`, which is a name that SQLite gave to xOpen, into `*out`; those
 * that are not there are left as they are.  SQLITE_CANTOPEN:
 * one of them is unknown or malformed; the last error says which.
 */
int mfs_uri_parameters_read(const char *path, struct mfs_uri_parameters *out);

#endif
