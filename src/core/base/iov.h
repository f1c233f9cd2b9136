/*
 * Where the bytes of a write come from, and those of a read go: the caller's parts, one after
 * another.  A source is taken, and a sink filled, piece by piece.
 *
 * The caller's memory may overlap the pages it is copied to and from, since a mapping is a page of
 * ours; so all copies are made with memmove().
 */
#ifndef MFS_IOV_H
#define MFS_IOV_H

#include "base/check.h"

#include <memfs/memfs.h>

#include <stddef.h>
#include <string.h>

/* A source without parts (null) is an endless one of zeros. */
struct mfs_source {
    const memfs_iovec *parts;
    size_t part;   /* the index of the next part to take from */
    size_t offset; /* in that part */
};

struct mfs_sink {
    const memfs_iovec *parts;
    size_t part;
    size_t offset;
};

/* Copies the next `length` bytes of the source, which has as many. */
void mfs_iov_pull_parts(struct mfs_source *source, unsigned char *to, size_t length);

/* Copies `length` bytes into the sink, which has room for them; zeros if `from` is null. */
void mfs_iov_push_parts(struct mfs_sink *sink, const unsigned char *from, size_t length);

/* The bytes that are left of a part; 0 if there are no parts. */
static inline size_t mfs_iov_left(const memfs_iovec *parts, size_t part, size_t offset)
{
    MFS_CHECK(parts == NULL || offset <= parts[part].length);
    return parts != NULL ? parts[part].length - offset : 0;
}

/* The same as the two above, without a call where a piece lies within one part, as it nearly
 * always does. */
static inline void mfs_iov_pull(struct mfs_source *source, unsigned char *to, size_t length)
{
    if (length == 0)
        return;
    if (mfs_iov_left(source->parts, source->part, source->offset) < length) {
        mfs_iov_pull_parts(source, to, length);
        return;
    }
    const memfs_iovec *part = &source->parts[source->part];
    memmove(to, (const unsigned char *)part->data + source->offset, length);
    source->offset += length;
}

static inline void mfs_iov_push(struct mfs_sink *sink, const unsigned char *from, size_t length)
{
    if (length == 0)
        return;
    if (from == NULL || mfs_iov_left(sink->parts, sink->part, sink->offset) < length) {
        mfs_iov_push_parts(sink, from, length);
        return;
    }
    const memfs_iovec *part = &sink->parts[sink->part];
    memmove((unsigned char *)part->data + sink->offset, from, length);
    sink->offset += length;
}

#endif
