/* A refusal of the host is told in the host's words, one of memfs in those of memfs. */
#include "sql/hostaccess.h"

#include "sql/sqlvalue.h"

#if defined(MFS_WITH_HOSTDIR)

#include <memfs/hostdir.h>

#include <string.h>

bool mfs_hostaccess_is_available(void)
{
    return true;
}

static void set_result(sqlite3_context *context, const char *function,
                       const memfs_hostdir_result *copied)
{
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

void mfs_hostaccess_import(sqlite3_context *context, memfs *fs, const char *host_path,
                           const char *path)
{
    memfs_hostdir_result copied = {.struct_size = sizeof copied};
    (void)memfs_hostdir_import(fs, host_path, path, NULL, &copied);
    set_result(context, "memfs_import", &copied);
}

void mfs_hostaccess_export(sqlite3_context *context, memfs *fs, const char *path,
                           const char *host_path)
{
    memfs_hostdir_result copied = {.struct_size = sizeof copied};
    (void)memfs_hostdir_export(fs, path, host_path, NULL, &copied);
    set_result(context, "memfs_export", &copied);
}

#else

bool mfs_hostaccess_is_available(void)
{
    return false;
}

void mfs_hostaccess_import(sqlite3_context *context, memfs *fs, const char *host_path,
                           const char *path)
{
    (void)fs;
    (void)path;
    mfs_sqlvalue_fail(context, "memfs_import", host_path, MEMFS_EOPNOTSUPP);
}

void mfs_hostaccess_export(sqlite3_context *context, memfs *fs, const char *path,
                           const char *host_path)
{
    (void)fs;
    (void)path;
    mfs_sqlvalue_fail(context, "memfs_export", host_path, MEMFS_EOPNOTSUPP);
}

#endif
