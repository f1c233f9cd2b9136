/*
 * Which paths a query can want, as far as it says so, to tell which directories it cannot
 * want.  Bounds by bytes, as SQL compares text (collation BINARY).
 */
#ifndef MFS_PATHRANGE_H
#define MFS_PATHRANGE_H

#include <stdbool.h>
#include <stddef.h>

/* All zero: every path.  The texts belong to the caller. */
struct mfs_pathrange {
    const char *low; /* null: none; paths below it are not wanted */
    size_t low_length;
    const char *high; /* null: none; paths above it are not wanted */
    size_t high_length;
    const char *prefix; /* null: none; wanted paths begin with it */
    size_t prefix_length;
    bool ignores_case; /* of A to Z, in the prefix */
};

/* The length of what a GLOB pattern says literally before its first wildcard. */
size_t mfs_pathrange_glob_prefix(const char *pattern, size_t length);

/* The same for LIKE (without ESCAPE). */
size_t mfs_pathrange_like_prefix(const char *pattern, size_t length);

/* Whether a path that begins with `directory` and a slash can be wanted. */
bool mfs_pathrange_may_be_below(const struct mfs_pathrange *range, const char *directory,
                                size_t length);

#endif
