/* URI parameters: those whose names begin with "memfs_", and "mvcc"; all others are somebody
 * else's. */
#include "vfs/uri_parameters.h"

#include "base/amount.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PREFIX "memfs_"

static int refuse(const char *key, const char *value)
{
    sqlite3_log(SQLITE_CANTOPEN, "memfs: the URI parameter %s=%s is unknown or malformed", key,
                value != NULL ? value : "");
    return SQLITE_CANTOPEN;
}

static bool read_bytes(const char *value, sqlite3_int64 *out)
{
    uint64_t bytes;
    if (!mfs_amount_read(value, &bytes) || bytes > INT64_MAX)
        return false;
    *out = (sqlite3_int64)bytes;
    return true;
}

static bool read_switch(const char *value, bool *out)
{
    if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
        return false;
    *out = value[0] == '1';
    return true;
}

static bool read_size_limit(const char *value, struct mfs_parameters *out)
{
    return read_bytes(value, &out->size_limit);
}

static bool read_mmap_size(const char *value, struct mfs_parameters *out)
{
    return read_bytes(value, &out->mmap_size);
}

static bool read_make_parents(const char *value, struct mfs_parameters *out)
{
    return read_switch(value, &out->make_parents);
}

static bool read_image(const char *value, struct mfs_parameters *out)
{
    return read_switch(value, &out->is_image);
}

static bool read_mvcc(const char *value, struct mfs_parameters *out)
{
    bool is_on;
    if (!read_switch(value, &is_on))
        return false;
    out->isolation = is_on ? MFS_ISOLATION_ON : MFS_ISOLATION_OFF;
    return true;
}

static const struct {
    const char *key;
    bool (*read)(const char *value, struct mfs_parameters *out); /* false: malformed */
} parameters[] = {
    {PREFIX "size_limit", read_size_limit},
    {PREFIX "mmap_size", read_mmap_size},
    {PREFIX "make_parents", read_make_parents},
    {PREFIX "read_only_image", read_image},
    {PREFIX "mvcc", read_mvcc},
    {"mvcc", read_mvcc},
};

static int read_one(const char *key, const char *value, struct mfs_parameters *out)
{
    for (size_t index = 0; index < sizeof parameters / sizeof parameters[0]; index++)
        if (sqlite3_stricmp(key, parameters[index].key) == 0)
            return value != NULL && parameters[index].read(value, out) ? SQLITE_OK
                                                                       : refuse(key, value);
    bool is_ours = sqlite3_strnicmp(key, PREFIX, sizeof PREFIX - 1) == 0;
    return is_ours ? refuse(key, value) : SQLITE_OK;
}

struct mfs_parameters mfs_uri_parameters_none(void)
{
    return (struct mfs_parameters){.mmap_size = -1};
}

int mfs_uri_parameters_read(const char *path, struct mfs_parameters *out)
{
    const char *key;
    int rc = SQLITE_OK;
    *out = mfs_uri_parameters_none();
    for (int index = 0; rc == SQLITE_OK && (key = sqlite3_uri_key(path, index)) != NULL; index++)
        rc = read_one(key, sqlite3_uri_parameter(path, key), out);
    return rc;
}
