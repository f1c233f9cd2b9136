/* Where two contents differ, found by comparing references: no byte is looked at. */
#ifndef MFS_CONTENT_COMPARE_H
#define MFS_CONTENT_COMPARE_H

#include "content/content.h"

#include <stdbool.h>
#include <stdint.h>

/* A content that nobody changes meanwhile, and its size. */
struct mfs_content_sized {
    const struct mfs_content *content;
    uint64_t size;
};

/* Bytes of a file, from `start` to the one before `end`. */
struct mfs_content_range {
    uint64_t start, end;
};

/*
 * The first range at or after `from` in which the bytes of two contents may differ, as long as it
 * can be; false: there is none.  What lies behind the smaller size differs.
 */
bool mfs_content_compare_next(const struct mfs_pool *pool, struct mfs_content_sized one,
                              struct mfs_content_sized other, uint64_t from,
                              struct mfs_content_range *out);

#endif
