/*
 * By a snapshot, since only that can have the root in it; the snapshot is dropped as soon as the
 * copy is made of it.
 */
#include "instant.h"

#include <stdio.h>
#include <string.h>

enum { NUMBERS_MOST = 10000 };

static int make_stage(struct mfs_archive_instant *instant)
{
    int error = MEMFS_EEXIST;
    for (int number = 1; number <= NUMBERS_MOST && error == MEMFS_EEXIST; number++) {
        snprintf(instant->stage, sizeof instant->stage, "/.memfs-save-%d", number);
        error = memfs_mkdir(instant->fs, instant->stage, 0700);
    }
    if (error != 0)
        instant->stage[0] = '\0';
    return error;
}

/* From the snapshot into a stage, under the last name of the path. */
static int extract(struct mfs_archive_instant *instant, const char *snapshot, const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    int error = make_stage(instant);
    if (error != 0)
        return error;
    snprintf(instant->root, sizeof instant->root, "%s/%s", instant->stage,
             name[0] != '\0' ? name : "root");
    return memfs_snapshot_extract(instant->fs, snapshot, path, instant->root, 0);
}

int mfs_instant_take(struct mfs_archive_instant *instant, memfs *fs, const char *path)
{
    char snapshot[MFS_ARCHIVE_INSTANT_BYTES];
    int error = MEMFS_EEXIST;
    *instant = (struct mfs_archive_instant){.fs = fs};
    for (int number = 1; number <= NUMBERS_MOST && error == MEMFS_EEXIST; number++) {
        snprintf(snapshot, sizeof snapshot, ".memfs-save-%d", number);
        error = memfs_snapshot_take(fs, snapshot);
    }
    if (error != 0)
        return error;
    error = extract(instant, snapshot, path);
    (void)memfs_snapshot_remove(fs, snapshot);
    if (error != 0)
        mfs_instant_fini(instant);
    return error;
}

void mfs_instant_fini(struct mfs_archive_instant *instant)
{
    if (instant->stage[0] != '\0')
        (void)memfs_remove_tree(instant->fs, instant->stage);
    instant->stage[0] = '\0';
}
