/* memfs_import() and memfs_export(): copies between the host and the tree, as SQL functions. */
#ifndef MFS_HOSTACCESS_H
#define MFS_HOSTACCESS_H

#include "base/sqliteapi.h"

#include <memfs/memfs.h>
#include <stdbool.h>

/* Whether this was built with the part hostdir, on which these functions stand. */
bool mfs_hostaccess_is_available(void);

/* Set the result to the number of entries that were copied, or to an error.  Without the part
 * hostdir the error is EOPNOTSUPP. */
void mfs_hostaccess_import(sqlite3_context *context, memfs *fs, const char *host_path,
                           const char *path);
void mfs_hostaccess_export(sqlite3_context *context, memfs *fs, const char *path,
                           const char *host_path);

#endif
