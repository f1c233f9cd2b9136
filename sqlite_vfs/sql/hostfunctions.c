/*
 * memfs_import() and memfs_export(): the part hostdir as SQL functions.
 *
 * 1. The result is how many entries were copied.
 * 2. An error names the path that failed, which may lie deep in the tree that is copied; an error
 *    of the host says so and has the host's text.
 */
#include "sql/hostfunctions.h"

#include "base/assertion.h"
#include "sql/sqlvalue.h"

#if defined(MFS_WITH_HOSTDIR)

#include <memfs/hostdir.h>

#include <string.h>

bool mfs_hostfunctions_are_available(void)
{
    return true;
}

static void set_copy_result(sqlite3_context *context, const char *function,
                            const memfs_hostdir_result *copied)
{
    MFS_ASSERT(copied->error <= 0);
    if (copied->error == 0) {
        uint64_t entries = copied->files + copied->directories + copied->symlinks;
        sqlite3_result_int64(context, (sqlite3_int64)entries);
    } else if (copied->host_errno == 0) {
        mfs_sqlvalue_fail(context, function, copied->path, copied->error);
    } else {
        char *message = sqlite3_mprintf("%s: on the host: %s: %s", function, copied->path,
                                        strerror(copied->host_errno));
        if (message == NULL)
            sqlite3_result_error_nomem(context);
        else
            sqlite3_result_error(context, message, -1);
        sqlite3_free(message);
    }
}

void mfs_hostfunctions_import(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct mfs_sqlvalue_pair pair;
    memfs_hostdir_result copied = {.struct_size = sizeof copied};
    (void)count;
    if (!mfs_sqlvalue_read_pair(context, "memfs_import", values, &pair))
        return;
    (void)memfs_hostdir_import(sqlite3_user_data(context), pair.from, pair.to, NULL, &copied);
    set_copy_result(context, "memfs_import", &copied);
}

void mfs_hostfunctions_export(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct mfs_sqlvalue_pair pair;
    memfs_hostdir_result copied = {.struct_size = sizeof copied};
    (void)count;
    if (!mfs_sqlvalue_read_pair(context, "memfs_export", values, &pair))
        return;
    (void)memfs_hostdir_export(sqlite3_user_data(context), pair.from, pair.to, NULL, &copied);
    set_copy_result(context, "memfs_export", &copied);
}

#else

bool mfs_hostfunctions_are_available(void)
{
    return false;
}

void mfs_hostfunctions_import(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct mfs_sqlvalue_pair pair;
    (void)count;
    if (mfs_sqlvalue_read_pair(context, "memfs_import", values, &pair))
        mfs_sqlvalue_fail(context, "memfs_import", pair.from, MEMFS_EOPNOTSUPP);
}

void mfs_hostfunctions_export(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct mfs_sqlvalue_pair pair;
    (void)count;
    if (mfs_sqlvalue_read_pair(context, "memfs_export", values, &pair))
        mfs_sqlvalue_fail(context, "memfs_export", pair.to, MEMFS_EOPNOTSUPP);
}

#endif
