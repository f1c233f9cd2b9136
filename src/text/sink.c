#include "sink.h"

#include <memfs/storage.h>
#include <string.h>

void mfs_sink_init(struct mfs_sink *sink, memfs *fs)
{
    sink->fs = fs;
    sink->bytes = sink->own;
    sink->length = 0;
    sink->capacity = sizeof sink->own;
}

void mfs_sink_fini(struct mfs_sink *sink)
{
    if (sink->bytes != sink->own)
        (void)memfs_free(sink->fs, sink->bytes);
}

int mfs_sink_reserve(struct mfs_sink *sink, size_t more)
{
    if (more <= sink->capacity - sink->length)
        return 0;
    if (more > SIZE_MAX / 2 - sink->length)
        return MEMFS_ENOMEM;
    size_t capacity = sink->length + more;
    if (capacity < sink->capacity * 2)
        capacity = sink->capacity * 2;
    void *grown;
    int error = memfs_charged_alloc(sink->fs, capacity, &grown);
    if (error != 0)
        return error;
    memcpy(grown, sink->bytes, sink->length);
    mfs_sink_fini(sink);
    sink->bytes = grown;
    sink->capacity = capacity;
    return 0;
}
