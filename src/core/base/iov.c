/*
 * The general case: pieces that lie in several parts, empty parts, and zeros.
 *
 * Between two calls `offset` is less than the length of the part, or 0, so that a part is left as
 * soon as it is used up.
 */
#include "base/iov.h"

#include "base/check.h"
#include "base/num.h"

void mfs_iov_pull_parts(struct mfs_source *source, unsigned char *to, size_t length)
{
    if (source->parts == NULL)
        memset(to, 0, length);
    while (source->parts != NULL && length > 0) {
        const memfs_iovec *part = &source->parts[source->part];
        MFS_CHECK(source->offset <= part->length);
        size_t n = mfs_num_min_size(length, part->length - source->offset);
        if (n > 0)
            memmove(to, (const unsigned char *)part->data + source->offset, n);
        to += n;
        length -= n;
        source->offset += n;
        if (source->offset == part->length) {
            source->part++;
            source->offset = 0;
        }
    }
}

void mfs_iov_push_parts(struct mfs_sink *sink, const unsigned char *from, size_t length)
{
    while (length > 0) {
        const memfs_iovec *part = &sink->parts[sink->part];
        MFS_CHECK(sink->offset <= part->length);
        size_t n = mfs_num_min_size(length, part->length - sink->offset);
        if (n > 0) {
            unsigned char *to = (unsigned char *)part->data +
                                sink->offset; /* null if it is empty */
            if (from != NULL) {
                memmove(to, from, n);
                from += n;
            } else {
                memset(to, 0, n);
            }
        }
        length -= n;
        sink->offset += n;
        if (sink->offset == part->length) {
            sink->part++;
            sink->offset = 0;
        }
    }
}
