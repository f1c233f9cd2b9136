/* Reading and writing the bytes of a content. */
#ifndef MFS_CONTENT_IO_H
#define MFS_CONTENT_IO_H

#include "base/iov.h"
#include "content/content.h"

/* Reads `length` bytes, all inside the file.  Cannot fail. */
void mfs_content_io_read(const struct mfs_pool *pool, const struct mfs_content *content,
                         uint64_t offset, uint64_t length, struct mfs_sink *sink);

/*
 * Writes `length` bytes (> 0) at `offset`; the file then grows to their end, which is at most
 * MEMFS_FILE_SIZE_MAX, if it is smaller.  Errors: EDQUOT, ENOMEM; never if all bytes lie in pages
 * that this content owns alone.
 */
int mfs_content_io_write(const struct mfs_content_edit *edit, uint64_t offset, uint64_t length,
                         struct mfs_source *source);

/* Writes zeros, in pages that are there afterwards.  The caller decides whether the size grows.
 * Errors: EDQUOT, ENOMEM. */
int mfs_content_io_zero(const struct mfs_content_edit *edit, uint64_t offset, uint64_t length);

/* A second content with the same bytes in pages of its own; holes stay holes, and nothing is
 * preallocated.  Errors: EDQUOT, ENOMEM. */
int mfs_content_io_duplicate(struct mfs_pool *pool, const struct mfs_content *content,
                             uint64_t size, struct mfs_content *out);

#endif
