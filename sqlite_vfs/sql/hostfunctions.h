/* The SQL functions that copy between the tree and the host's files, by the part hostdir. */
#ifndef MFS_HOSTFUNCTIONS_H
#define MFS_HOSTFUNCTIONS_H

#include "base/sqliteapi.h"

#include <stdbool.h>

/* Whether this was built with the part hostdir; without it both functions say EOPNOTSUPP. */
bool mfs_hostfunctions_are_available(void);

/* Each has the signature that SQLite calls; the user data is the memfs. */

/* memfs_import(host_path, path) */
void mfs_hostfunctions_import(sqlite3_context *context, int count, sqlite3_value **values);

/* memfs_export(path, host_path) */
void mfs_hostfunctions_export(sqlite3_context *context, int count, sqlite3_value **values);

#endif
