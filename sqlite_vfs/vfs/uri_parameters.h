/* URI parameters of our own, of a main database.  The manual lists them. */
#ifndef MFS_URI_PARAMETERS_H
#define MFS_URI_PARAMETERS_H

#include "base/sqliteapi.h"
#include "locks/isolation.h"

#include <stdbool.h>

struct mfs_parameters {
    sqlite3_int64 size_limit; /* bytes; 0: none was given */
    sqlite3_int64 mmap_size;  /* bytes; negative: none was given */
    bool make_parents;
    bool is_image; /* nobody writes it: to be read without locks and journals */
    enum mfs_isolation_wish isolation;
};

/* What a name without parameters says. */
struct mfs_parameters mfs_uri_parameters_none(void);

/*
 * Reads them from the name that xOpen got.  SQLITE_CANTOPEN: one is unknown or malformed, and
 * SQLite's log says which.
 */
int mfs_uri_parameters_read(const char *path, struct mfs_parameters *out);

#endif
