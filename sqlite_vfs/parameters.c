/* URI parameters whose names begin with "memfs_"; all others are somebody else's. */
#include "parameters.h"

#include "uri.h"

#include <stddef.h>
#include <stdint.h>

#define PREFIX "memfs_"

static int refuse(const char *key, const char *value)
{
    sqlite3_log(SQLITE_CANTOPEN, "memfs: the URI parameter %s=%s is unknown or malformed", key,
                value != NULL ? value : "");
    return SQLITE_CANTOPEN;
}

int mfs_parameters_read(const char *path, struct mfs_parameters *out)
{
    *out = (struct mfs_parameters){0};
    const char *key;
    for (int index = 0; (key = sqlite3_uri_key(path, index)) != NULL; index++) {
        if (sqlite3_strnicmp(key, PREFIX, sizeof PREFIX - 1) != 0)
            continue;
        const char *value = sqlite3_uri_parameter(path, key);
        uint64_t bytes;
        if (sqlite3_stricmp(key, PREFIX "size_limit") != 0 || value == NULL ||
            !mfs_uri_read_bytes(value, &bytes) || bytes > INT64_MAX)
            return refuse(key, value);
        out->size_limit = (sqlite3_int64)bytes;
    }
    return SQLITE_OK;
}
