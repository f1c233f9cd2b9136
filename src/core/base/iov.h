/*
 * Where the bytes of a write come from and those of a read go: the caller's
 * parts, one after another, taken and filled piece by piece.
 */
#ifndef MFS_IOV_H
#define MFS_IOV_H

#include <memfs/memfs.h>

#include <stddef.h>
#include <string.h>

/* Zeros if `parts` is null. */
struct mfs_source {
    const memfs_iovec *parts;
    size_t part;   /* the one that is next */
    size_t offset; /* in it */
};

struct mfs_sink {
    const memfs_iovec *parts;
    size_t part;
    size_t offset;
};

/* Copies the next `length` bytes of the source, which has as many. */
void mfs_iov_pull_parts(struct mfs_source *source, unsigned char *to, size_t length);

/* Copies the next `length` bytes into the sink, which has room for them; zeros if `from` is
 * null. */
void mfs_iov_push_parts(struct mfs_sink *sink, const unsigned char *from, size_t length);

static inline size_t mfs_iov_left(const memfs_iovec *parts, size_t part, size_t offset)
{
    return parts != NULL ? parts[part].length - offset : 0;
}

/* Nearly always a piece lies within one part.  The caller's memory may be a page of ours. */
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
