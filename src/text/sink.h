/* Bytes that wait to be written in one piece: a few in place, more in charged memory. */
#ifndef MFS_TEXT_SINK_H
#define MFS_TEXT_SINK_H

#include <memfs/memfs.h>
#include <stddef.h>

enum { MFS_SINK_OWN_BYTES = 256 };

struct mfs_sink {
    memfs *fs;
    unsigned char *bytes; /* `own`, or charged */
    size_t length, capacity;
    unsigned char own[MFS_SINK_OWN_BYTES];
};

void mfs_sink_init(struct mfs_sink *sink, memfs *fs);
void mfs_sink_fini(struct mfs_sink *sink);

/* Makes room for `more` bytes behind those that are there, which stay.  Errors: EDQUOT, ENOMEM;
 * nothing has changed. */
int mfs_sink_reserve(struct mfs_sink *sink, size_t more);

#endif
