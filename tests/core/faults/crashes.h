/* What the tests of the fault kit share: beginning to track, cutting the power, looking. */
#ifndef MEMFS_TESTS_CRASHES_H
#define MEMFS_TESTS_CRASHES_H

#include "checks.h"

#include <memfs/fault.h>

/* A build without faults, or for arenas only, skips the test. */
static inline void start(memfs *fs, const memfs_durability *model)
{
    int result = memfs_durability_start(fs, model);
    if (result == MEMFS_EOPNOTSUPP)
        skip();
    assert_ok(result);
}

static inline memfs *crash_with(memfs *fs, uint32_t percent, uint64_t seed, uint32_t flags)
{
    const memfs_crash_options how = {sizeof how, flags, percent, seed};
    memfs *after = NULL;
    assert_ok(memfs_crash(fs, &how, &after));
    assert_ok(memfs_audit(after));
    return after;
}

static inline memfs *crash(memfs *fs)
{
    return crash_with(fs, 0, 0, 0);
}

static inline void destroy(memfs *fs)
{
    assert_ok(memfs_destroy(fs, 0));
}

/* The file has this text, or with null there is none. */
static inline void check_file(memfs *fs, const char *path, const char *text)
{
    char found[256];
    if (text == NULL) {
        assert_int_equal(memfs_exists(fs, path), 0);
        return;
    }
    int64_t length = memfs_read_file_into(fs, path, found, sizeof found - 1);
    assert_returns(length, strlen(text));
    found[length] = '\0';
    assert_string_equal(found, text);
}

/* What a power cut leaves at `path`. */
static inline void check_after_crash(memfs *fs, const char *path, const char *text)
{
    memfs *after = crash(fs);
    check_file(after, path, text);
    destroy(after);
}

static inline void sync_path(memfs *fs, const char *path)
{
    assert_ok(memfs_sync(fs, path));
}

#endif
