/*
 * SQL values and memfs: reading paths from arguments, giving contents and errors as results.
 *
 * `function` is always the name of the SQL function, for the error message.
 */
#ifndef MFS_SQLVALUE_H
#define MFS_SQLVALUE_H

#include "base/sqliteapi.h"

#include <memfs/memfs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* To the end of the file, whatever its size. */
#define MFS_SQLVALUE_TO_THE_END INT64_MAX

/*
 * The path in an argument.  Null if there is none (NULL, a NUL character in it, no memory); the
 * function's result is an error then.  Valid until the function returns, as long as nothing else
 * is read from the same argument.
 */
const char *mfs_sqlvalue_path(sqlite3_context *context, const char *function,
                              sqlite3_value **values, int index);

/* Two paths, from where and to where. */
struct mfs_sqlvalue_pair {
    const char *from;
    const char *to;
};

/* The same for two arguments that follow each other.  False: the result is an error. */
bool mfs_sqlvalue_read_pair(sqlite3_context *context, const char *function, sqlite3_value **values,
                            struct mfs_sqlvalue_pair *out);

/* A copy of a text or blob with a NUL behind it, on SQLite's heap; null: no memory. */
char *mfs_sqlvalue_copy(sqlite3_value *value, size_t *count);

/*
 * Sets the result to an error that names the function, the path and the cause.  Its code is
 * SQLITE_FULL for the quota and the node limit, SQLITE_NOMEM for the allocator,
 * SQLITE_TOOBIG for EFBIG, and SQLITE_ERROR otherwise.
 */
void mfs_sqlvalue_fail(sqlite3_context *context, const char *function, const char *path, int error);

/* The same for an error that concerns two paths; the message names both. */
void mfs_sqlvalue_fail_pair(sqlite3_context *context, const char *function,
                            const struct mfs_sqlvalue_pair *pair, int error);

/* The code that goes with an error, as above. */
int mfs_sqlvalue_code(int error);

/*
 * Sets the result to a blob: `length` bytes from `offset`, or as many as there are, read in one
 * step.  Neither is negative.
 * Errors: EISDIR, ENOMEM (SQLite's heap), EFBIG (larger than an SQL value may be).
 */
int mfs_sqlvalue_content(sqlite3_context *context, memfs_file *file, int64_t offset,
                         int64_t length);

/* The word for a node's kind, as SQL shows it: "file", "directory" or "symlink". */
const char *mfs_sqlvalue_kind(uint32_t kind);

#endif
