/* Between SQL's values and memfs: paths come in, contents and errors go out. */
#ifndef MFS_SQLVALUE_H
#define MFS_SQLVALUE_H

#include "base/sqliteapi.h"

#include <memfs/memfs.h>
#include <stddef.h>
#include <stdint.h>

/* To the end of the file, whatever its size. */
#define MFS_SQLVALUE_TO_THE_END INT64_MAX

/*
 * The path that an argument says, or null after the function's result was set: an error,
 * if it is NULL or has a NUL in it.  Valid until the function returns, and until the value is
 * asked for something else.
 */
const char *mfs_sqlvalue_path(sqlite3_context *context, const char *function,
                              sqlite3_value **values, int index);

/* The bytes of a text or blob with a NUL behind them, from SQLite's heap; null: no memory. */
char *mfs_sqlvalue_copy(sqlite3_value *value, size_t *count);

/*
 * Sets the result to an error that names the function, the path and the cause.  Its code is
 * SQLITE_FULL for the quota and the node limit, SQLITE_NOMEM for the allocator,
 * SQLITE_TOOBIG for EFBIG, and SQLITE_ERROR otherwise.
 */
void mfs_sqlvalue_fail(sqlite3_context *context, const char *function, const char *path, int error);

/* The code that goes with an error, as above. */
int mfs_sqlvalue_code(int error);

/*
 * Sets the result to a blob: `length` bytes from `offset`, or as many as there are, read in
 * one step.  Neither is negative.
 * Errors: EISDIR, ENOMEM (SQLite's heap), EFBIG (more than SQLite takes in a value).
 */
int mfs_sqlvalue_content(sqlite3_context *context, memfs_file *file, int64_t offset,
                         int64_t length);

#endif
