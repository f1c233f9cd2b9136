/*
 * URI parameters.  `uri_parameters` is the list of all of them.
 *
 * 1. Names that begin with "memfs_", and "mvcc", are ours; of the others "psow" and "modeof" are
 *    those of SQLite's unix VFS, and the rest is passed over.
 * 2. Of ours, an unknown name or a malformed value refuses the open: a limit with a typing error
 *    in it must not be silently absent.
 *
 * Cost: one search through the list for each parameter in the name, once per open.
 *
 * Left undone on purpose: a message for sqlite3_errmsg(), which a VFS cannot set.
 * memfs_sqlite_last_error() and SQLite's log have it.
 */
#include "vfs/uri_parameters.h"

#include "base/amount.h"
#include "base/assertion.h"
#include "base/lasterror.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARAMETER_PREFIX "memfs_"

static int refuse_parameter(const char *key, const char *value)
{
    return mfs_lasterror_say(SQLITE_CANTOPEN, "the URI parameter %s=%s is unknown or malformed",
                             key, value != NULL ? value : "");
}

/* Bytes that fit SQLite's signed integers. */
static bool read_parameter_bytes(const char *value, sqlite3_int64 *out)
{
    uint64_t bytes;
    if (!mfs_amount_read(value, &bytes) || bytes > INT64_MAX)
        return false;
    *out = (sqlite3_int64)bytes;
    return true;
}

static bool read_size_limit(const char *value, struct mfs_uri_parameters *out)
{
    return read_parameter_bytes(value, &out->size_limit);
}

static bool read_mmap_size(const char *value, struct mfs_uri_parameters *out)
{
    return read_parameter_bytes(value, &out->mmap_size);
}

static bool read_make_parents(const char *value, struct mfs_uri_parameters *out)
{
    return mfs_amount_read_switch(value, &out->make_parents);
}

static bool read_read_only_image(const char *value, struct mfs_uri_parameters *out)
{
    return mfs_amount_read_switch(value, &out->is_image);
}

static bool read_snapshot(const char *value, struct mfs_uri_parameters *out)
{
    out->snapshot = value;
    return value[0] != '\0';
}

/* What SQLite may rely on, and so which syncs it makes. */
static bool read_device(const char *value, struct mfs_uri_parameters *out)
{
    out->tears_sectors = sqlite3_stricmp(value, "disk") == 0;
    if (sqlite3_stricmp(value, "memory") == 0)
        out->device.characteristics = MFS_DEVICE_MEMORY.characteristics;
    else if (sqlite3_stricmp(value, "ordered") == 0)
        out->device.characteristics = SQLITE_IOCAP_SEQUENTIAL;
    else if (out->tears_sectors || sqlite3_stricmp(value, "powersafe") == 0)
        out->device.characteristics = 0;
    else
        return false;
    return true;
}

static bool read_sector(const char *value, struct mfs_uri_parameters *out)
{
    uint64_t bytes;
    if (!mfs_amount_read(value, &bytes) || bytes < 512 || bytes > 65536 ||
        (bytes & (bytes - 1)) != 0)
        return false;
    out->device.sector_bytes = (int)bytes;
    return true;
}

static bool read_mvcc(const char *value, struct mfs_uri_parameters *out)
{
    bool is_on;
    if (!mfs_amount_read_switch(value, &is_on))
        return false;
    out->isolation = is_on ? MFS_ISOLATION_ON : MFS_ISOLATION_OFF;
    return true;
}

/*
 * All parameters.  A new one is a row here and a function above, and besides: a row in the table of
 * MANUAL.md (a lint compares the two), an entry in CHANGELOG.md, and a test in
 * tests/sqlite/vfs/uri_test.c.
 */
static const struct uri_parameter {
    const char *key;
    bool (*read)(const char *value, struct mfs_uri_parameters *out); /* false: malformed */
} uri_parameters[] = {
    {PARAMETER_PREFIX "size_limit", read_size_limit},
    {PARAMETER_PREFIX "mmap_size", read_mmap_size},
    {PARAMETER_PREFIX "make_parents", read_make_parents},
    {PARAMETER_PREFIX "read_only_image", read_read_only_image},
    {PARAMETER_PREFIX "snapshot", read_snapshot},
    {PARAMETER_PREFIX "device", read_device},
    {PARAMETER_PREFIX "sector", read_sector},
    {PARAMETER_PREFIX "mvcc", read_mvcc},
    {"mvcc", read_mvcc},
};

/* `value` is null if the parameter has none. */
static int read_parameter(const char *key, const char *value, struct mfs_uri_parameters *out)
{
    for (size_t index = 0; index < sizeof uri_parameters / sizeof uri_parameters[0]; index++) {
        const struct uri_parameter *parameter = &uri_parameters[index];
        if (sqlite3_stricmp(key, parameter->key) == 0)
            return value != NULL && parameter->read(value, out) ? SQLITE_OK
                                                                : refuse_parameter(key, value);
    }
    if (sqlite3_strnicmp(key, PARAMETER_PREFIX, sizeof PARAMETER_PREFIX - 1) == 0)
        return refuse_parameter(key, value);
    return SQLITE_OK;
}

struct mfs_uri_parameters mfs_uri_parameters_none(void)
{
    return (struct mfs_uri_parameters){
        .mmap_size = -1, .device = MFS_DEVICE_MEMORY, .overwrites_are_safe = true};
}

int mfs_uri_parameters_read(const char *path, struct mfs_uri_parameters *out)
{
    const char *key;
    int rc = SQLITE_OK;
    MFS_ASSERT(path != NULL);
    for (int index = 0; rc == SQLITE_OK && (key = sqlite3_uri_key(path, index)) != NULL; index++)
        rc = read_parameter(key, sqlite3_uri_parameter(path, key), out);
    out->overwrites_are_safe = sqlite3_uri_boolean(path, "psow", 1) != 0;
    out->mode_of = sqlite3_uri_parameter(path, "modeof");
    MFS_ASSERT(rc != SQLITE_OK || (out->size_limit >= 0 && out->mmap_size >= -1));
    return rc;
}
