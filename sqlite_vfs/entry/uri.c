/*
 * Making URIs.
 *
 * An absolute path gets the empty authority ("file:///x"), because in "file://x/y", made of a path
 * that begins with two slashes, SQLite would take x for the name of a host and refuse it.
 */
#include "entry/uri.h"

#include "base/assertion.h"
#include "base/sqliteapi.h"

#include <string.h>

char *mfs_uri_make(const char *path, const char *query)
{
    sqlite3_str *uri = sqlite3_str_new(NULL);
    MFS_ASSERT(query[0] != '\0');
    sqlite3_str_appendall(uri, path[0] == '/' ? "file://" : "file:");
    for (; *path != '\0'; path++) {
        if (strchr("%?#", *path) != NULL)
            sqlite3_str_appendf(uri, "%%%02X", (unsigned)(unsigned char)*path);
        else
            sqlite3_str_appendchar(uri, 1, *path);
    }
    sqlite3_str_appendf(uri, "?%s", query);
    return sqlite3_str_finish(uri);
}
