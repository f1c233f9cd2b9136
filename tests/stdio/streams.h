/* Steps that the tests of streams share. */
#ifndef MEMFS_TESTS_STREAMS_H
#define MEMFS_TESTS_STREAMS_H

#include "checks.h"

#include <errno.h>
#include <memfs/stdio.h>
#include <memfs/storage.h>

static inline FILE *open_stream(memfs *fs, const char *path, const char *mode)
{
    FILE *stream = memfs_fopen(fs, path, mode);
    if (stream == NULL)
        print_error("%s, \"%s\": errno %d\n", path, mode, errno);
    assert_non_null(stream);
    return stream;
}

static inline void close_stream(FILE *stream)
{
    assert_int_equal(fclose(stream), 0);
}

/* The call returns null, with this errno. */
#define assert_no_stream(call, wanted_errno) \
    do { \
        errno = 0; \
        assert_null(call); \
        assert_int_equal(errno, (wanted_errno)); \
    } while (0)

#endif
