/*
 * The storm's roles that work on contents.
 */
#include "storm.h"

#include <memfs/storage.h>

#include <stdio.h>
#include <string.h>

#define LENGTH_MAX 60000u

static void shared_path(struct crew_member *me, char path[32])
{
    snprintf(path, 32, "/s/%u", crew_random(me, STORM_SLOTS));
}

/* Null if it was refused, or is not there. */
static memfs_file *open_shared(struct crew_member *me, uint32_t flags)
{
    struct storm *storm = me->context;
    char path[32];
    shared_path(me, path);
    memfs_file *file = NULL;
    int result = memfs_open(storm->site.fs, path, flags, 0644, &file);
    crew_allow(me, result, STORM_REFUSALS(storm), MEMFS_ENOENT, MEMFS_EBUSY, MEMFS_ELOOP);
    return file;
}

/* One change of an open file, of any kind that may be refused. */
static void grow_somehow(struct crew_member *me, memfs_file *file)
{
    struct storm *storm = me->context;
    static const unsigned char bytes[LENGTH_MAX] = {1};
    uint32_t length = 1 + crew_random(me, LENGTH_MAX);
    int64_t offset = crew_random(me, LENGTH_MAX);
    int64_t result;
    switch (crew_random(me, 4)) {
    case 0:
        result = memfs_write(file, bytes, length);
        break;
    case 1:
        result = memfs_pwrite(file, bytes, length, offset);
        break;
    case 2:
        result = memfs_fallocate(file, offset, length, 0);
        break;
    default:
        result = memfs_fallocate(file, offset, length, MEMFS_FALLOCATE_ZERO_RANGE);
    }
    crew_allow(me, result, STORM_REFUSALS(storm));
}

void storm_write_shared(struct crew_member *me)
{
    struct storm *storm = me->context;
    for (unsigned i = 0; i < storm->steps; i++) {
        crew_pace(me, i);
        uint32_t append = crew_random(me, 2) == 0 ? MEMFS_O_APPEND : 0;
        memfs_file *file = open_shared(me, MEMFS_O_RDWR | MEMFS_O_CREATE | append);
        if (file == NULL)
            continue;
        grow_somehow(me, file);
        crew_must(me, memfs_ftruncate(file, 0));
        grow_somehow(me, file);
        int punched = memfs_fallocate(file, 4096, 8192, MEMFS_FALLOCATE_PUNCH_HOLE);
        crew_allow(me, punched, STORM_REFUSALS(storm));
        crew_must(me, memfs_close(file));
    }
}

void storm_overwrite_owned(struct crew_member *me)
{
    struct storm *storm = me->context;
    char path[32];
    unsigned char bytes[STORM_OWNED_BYTES], back[STORM_OWNED_BYTES];
    snprintf(path, sizeof path, "/own-%u", me->index);
    memfs_file_storage room;
    memfs_open_options options = {
        .struct_size = sizeof options, .flags = MEMFS_O_RDWR, .storage = &room};
    for (unsigned i = 0; i < storm->steps; i++) {
        crew_pace(me, i);
        memfs_file *file = NULL;
        crew_must(me, memfs_open_with(storm->site.fs, path, &options, &file));
        uint32_t offset = crew_random(me, STORM_OWNED_BYTES);
        size_t length = 1 + crew_random(me, STORM_OWNED_BYTES - offset);
        memset(bytes, (int)crew_random(me, 256), length);
        crew_must(me, memfs_pwrite(file, bytes, length, offset));
        crew_must(me, memfs_pread(file, back, length, offset));
        crew_check(me, memcmp(bytes, back, length) == 0);
        crew_must(me, memfs_close(file));
    }
}

/* Clones, versions and mappings of what others are writing. */
void storm_hold_contents(struct crew_member *me)
{
    struct storm *storm = me->context;
    char from[32], to[32];
    for (unsigned i = 0; i < storm->steps; i++) {
        crew_pace(me, i);
        shared_path(me, from);
        shared_path(me, to);
        int result = memfs_copy(storm->site.fs, from, to, 0);
        crew_allow(me, result, STORM_REFUSALS(storm), MEMFS_ENOENT, MEMFS_EBUSY, MEMFS_ELOOP);
        memfs_file *file = open_shared(me, MEMFS_O_RDWR);
        if (file == NULL)
            continue;
        memfs_content_ref version;
        memfs_mapping mapping;
        crew_must(me, memfs_content_take(file, &version));
        result = memfs_map(file, 4096, 100, &mapping);
        if (crew_allow(me, result, STORM_REFUSALS(storm), MEMFS_ENXIO) == 0)
            crew_must(me, memfs_unmap(&mapping));
        grow_somehow(me, file);
        if (crew_random(me, 2) == 0)
            crew_must(me, memfs_content_restore(file, &version));
        else
            crew_must(me, memfs_content_drop(&version));
        crew_must(me, memfs_close(file));
    }
}

void storm_use_temporary_files(struct crew_member *me)
{
    struct storm *storm = me->context;
    for (unsigned i = 0; i < storm->steps; i++) {
        crew_pace(me, i);
        memfs_file *file = NULL;
        char path[32];
        shared_path(me, path);
        int result = memfs_open(storm->site.fs, "/s", MEMFS_O_RDWR | MEMFS_O_TMPFILE, 0600, &file);
        if (crew_allow(me, result, STORM_REFUSALS(storm)) != 0)
            continue;
        grow_somehow(me, file);
        if (crew_random(me, 2) == 0)
            crew_allow(me, memfs_link_file(file, NULL, path), STORM_REFUSALS(storm), MEMFS_EEXIST);
        crew_must(me, memfs_close(file));
    }
}

void storm_use_charged_memory(struct crew_member *me)
{
    struct storm *storm = me->context;
    for (unsigned i = 0; i < storm->steps; i++) {
        crew_pace(me, i);
        size_t size = 1 + crew_random(me, 32768);
        void *memory = NULL;
        if (crew_allow(me, memfs_charged_alloc(storm->site.fs, size, &memory),
                       STORM_REFUSALS(storm)) != 0)
            continue;
        crew_check(me, site_is_uniform(memory, size) && *(unsigned char *)memory == 0);
        memset(memory, 1 + (int)me->index, size);
        crew_check(me, site_is_uniform(memory, size));
        crew_must(me, memfs_free(storm->site.fs, memory));
    }
}

void storm_lock_files(struct crew_member *me)
{
    struct storm *storm = me->context;
    for (unsigned i = 0; i < storm->steps; i++) {
        crew_pace(me, i);
        memfs_file *file = open_shared(me, MEMFS_O_READ);
        if (file == NULL)
            continue;
        int kind = crew_random(me, 2) == 0 ? MEMFS_LOCK_SHARED : MEMFS_LOCK_EXCLUSIVE;
        int result = memfs_lock(file, kind, crew_random(me, 3));
        if (crew_allow(me, result, MEMFS_EAGAIN, MEMFS_ETIMEDOUT) == 0)
            crew_must(me, memfs_unlock(file));
        crew_must(me, memfs_close(file));
    }
}
