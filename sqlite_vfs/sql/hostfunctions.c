/*
 * memfs_import() and memfs_export(): hostcopy as SQL functions.
 *
 * 1. The result is how many entries were copied.
 * 2. An error names the path that failed, which may lie deep in the tree that is copied; an error
 *    of the host says so and has the host's text.
 */
#include "sql/hostfunctions.h"

#include "base/assertion.h"
#include "sql/hostcopy.h"
#include "sql/sqlvalue.h"

#include <stddef.h>

static void set_copy_result(sqlite3_context *context, const char *function,
                            const struct mfs_hostcopy *copied)
{
    MFS_ASSERT(copied->error <= 0);
    if (copied->error == 0)
        sqlite3_result_int64(context, copied->entries);
    else if (copied->host_text == NULL)
        mfs_sqlvalue_fail(context, function, copied->path, copied->error);
    else {
        char *message = sqlite3_mprintf("%s: on the host: %s: %s", function, copied->path,
                                        copied->host_text);
        sqlite3_result_error(context, message != NULL ? message : copied->host_text, -1);
        sqlite3_free(message);
    }
}

void mfs_hostfunctions_import(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct mfs_sqlvalue_pair pair;
    struct mfs_hostcopy copied;
    (void)count;
    if (!mfs_sqlvalue_read_pair(context, "memfs_import", values, &pair))
        return;
    mfs_hostcopy_import(sqlite3_user_data(context), pair.from, pair.to, &copied);
    set_copy_result(context, "memfs_import", &copied);
    mfs_hostcopy_fini(&copied);
}

void mfs_hostfunctions_export(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct mfs_sqlvalue_pair pair;
    struct mfs_hostcopy copied;
    (void)count;
    if (!mfs_sqlvalue_read_pair(context, "memfs_export", values, &pair))
        return;
    mfs_hostcopy_export(sqlite3_user_data(context), pair.from, pair.to, &copied);
    set_copy_result(context, "memfs_export", &copied);
    mfs_hostcopy_fini(&copied);
}
