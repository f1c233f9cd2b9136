/*
 *     frames   root        sub               names  "a\0b\0" "c\0d\0"
 *              ^ a, b      ^ c, d                    root     sub
 *
 * A directory is read to its end before one in it is entered, so that at most one stream is open.
 * Until then the names of the directories in it are kept, and dropped when it is left.
 */
#include "scan.h"

#include "growth.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int mfs_scan_begin(struct mfs_hostdir_scan *scan, int descriptor)
{
    if (fstat(descriptor, &scan->status) != 0) {
        int problem = errno;
        (void)close(descriptor);
        return problem;
    }
    return mfs_trail_begin(&scan->trail, descriptor);
}

/* The path is the entry's already. */
static int stand_on(struct mfs_hostdir_scan *scan, int event, size_t depth)
{
    const char *slash = strrchr(scan->trail.path, '/');
    scan->name = slash != NULL ? slash + 1 : scan->trail.path;
    scan->event = event;
    scan->entry_depth = (uint32_t)depth;
    return 0;
}

/* Looks at what has the name now, without opening it. */
static int look_at(struct mfs_hostdir_scan *scan, const char *name)
{
    int problem = mfs_trail_name(&scan->trail, name);
    if (problem != 0)
        return problem;
    int directory = mfs_trail_directory(&scan->trail);
    return fstatat(directory, name, &scan->status, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
}

/* ----------------------------------------------------------------- directories */

/* Makes a frame for the current directory of the trail, and opens its stream. */
static int begin_reading(struct mfs_hostdir_scan *scan)
{
    void *frames = scan->frames;
    int problem = mfs_growth_reserve(scan->trail.fs, &frames, &scan->frame_capacity,
                                     sizeof *scan->frames, scan->depth + 1);
    scan->frames = frames;
    if (problem != 0)
        return problem;
    int own = openat(mfs_trail_directory(&scan->trail), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    scan->stream = own >= 0 ? fdopendir(own) : NULL;
    if (scan->stream == NULL) {
        problem = errno;
        if (own >= 0)
            (void)close(own);
        return problem;
    }
    scan->frames[scan->depth++] = (struct mfs_hostdir_scan_frame){
        .first_name = scan->names_length, .next_name = scan->names_length, .status = scan->status};
    return 0;
}

/* Into the directory that the scan stands on; the root was entered by the trail. */
static int enter_entry(struct mfs_hostdir_scan *scan)
{
    bool is_root = scan->depth == 0;
    int problem = is_root ? 0 : mfs_trail_enter(&scan->trail, scan->name);
    if (problem != 0)
        return problem;
    problem = begin_reading(scan);
    if (problem != 0 && !is_root)
        (void)mfs_trail_leave(&scan->trail, NULL);
    return problem;
}

static int leave_current(struct mfs_hostdir_scan *scan)
{
    struct mfs_hostdir_scan_frame *frame = &scan->frames[--scan->depth];
    scan->names_length = frame->first_name;
    scan->status = frame->status;
    int problem;
    if (scan->depth == 0) {
        scan->state = MFS_HOSTDIR_SCAN_ENDS;
        problem = mfs_trail_name(&scan->trail, NULL);
    } else {
        problem = mfs_trail_leave(&scan->trail, NULL);
    }
    if (problem == 0)
        return stand_on(scan, MEMFS_WALK_LEAVE, scan->depth);
    scan->is_lost = true;
    scan->state = MFS_HOSTDIR_SCAN_ENDS;
    return problem;
}

static int keep_name(struct mfs_hostdir_scan *scan, const char *name)
{
    size_t bytes = strlen(name) + 1;
    void *names = scan->names;
    int error = mfs_growth_reserve(scan->trail.fs, &names, &scan->names_capacity, 1,
                                   scan->names_length + bytes);
    scan->names = names;
    if (error != 0)
        return error;
    memcpy(scan->names + scan->names_length, name, bytes);
    scan->names_length += bytes;
    return 0;
}

/* --------------------------------------------------------------------- steps */

/* To the next entry that is no directory; those that are are kept for later. */
static int read_on(struct mfs_hostdir_scan *scan)
{
    const struct dirent *entry;
    scan->event = 0;
    while (errno = 0, (entry = readdir(scan->stream)) != NULL) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (!mfs_trail_is_name(name))
            return EINVAL;
        int problem = look_at(scan, name);
        if (problem == ENOENT)
            continue;
        if (problem == 0 && !S_ISDIR(scan->status.st_mode))
            return stand_on(scan, MEMFS_WALK_ENTRY, scan->depth);
        if (problem == 0)
            problem = keep_name(scan, name);
        if (problem != 0)
            return problem;
    }
    int problem = errno;
    (void)closedir(scan->stream);
    scan->stream = NULL;
    scan->state = MFS_HOSTDIR_SCAN_DIRECTORIES;
    return problem;
}

/* To the next directory in the current one, or out of it. */
static int go_on(struct mfs_hostdir_scan *scan)
{
    struct mfs_hostdir_scan_frame *frame = &scan->frames[scan->depth - 1];
    scan->event = 0;
    while (frame->next_name < scan->names_length) {
        const char *name = scan->names + frame->next_name;
        frame->next_name += strlen(name) + 1;
        int problem = look_at(scan, name);
        if (problem == ENOENT)
            continue;
        if (problem != 0)
            return problem;
        if (!S_ISDIR(scan->status.st_mode)) /* by now it is something else */
            return stand_on(scan, MEMFS_WALK_ENTRY, scan->depth);
        scan->state = MFS_HOSTDIR_SCAN_ENTERS;
        return stand_on(scan, MEMFS_WALK_ENTER, scan->depth);
    }
    return leave_current(scan);
}

int mfs_scan_next(struct mfs_hostdir_scan *scan)
{
    int problem;
    switch (scan->state) {
    case MFS_HOSTDIR_SCAN_BEGINS:
        scan->state = MFS_HOSTDIR_SCAN_ENTERS;
        return stand_on(scan, MEMFS_WALK_ENTER, 0);
    case MFS_HOSTDIR_SCAN_LEAVES:
        scan->state = scan->depth > 0 ? MFS_HOSTDIR_SCAN_DIRECTORIES : MFS_HOSTDIR_SCAN_ENDS;
        return stand_on(scan, MEMFS_WALK_LEAVE, scan->depth);
    case MFS_HOSTDIR_SCAN_ENTERS:
        scan->state = MFS_HOSTDIR_SCAN_LEAVES;
        problem = enter_entry(scan);
        if (problem != 0)
            return problem;
        scan->state = MFS_HOSTDIR_SCAN_READS;
        /* fallthrough */
    case MFS_HOSTDIR_SCAN_READS:
        problem = read_on(scan);
        if (problem != 0 || scan->state == MFS_HOSTDIR_SCAN_READS)
            return problem;
        /* fallthrough */
    case MFS_HOSTDIR_SCAN_DIRECTORIES:
        return go_on(scan);
    case MFS_HOSTDIR_SCAN_ENDS:
        break;
    }
    scan->event = 0;
    return 0;
}

void mfs_scan_skip(struct mfs_hostdir_scan *scan)
{
    assert(scan->state == MFS_HOSTDIR_SCAN_ENTERS && scan->depth > 0);
    scan->state = MFS_HOSTDIR_SCAN_DIRECTORIES;
}

void mfs_scan_fini(struct mfs_hostdir_scan *scan)
{
    memfs *fs = scan->trail.fs;
    if (scan->stream != NULL)
        (void)closedir(scan->stream);
    mfs_trail_fini(&scan->trail);
    (void)memfs_free(fs, scan->frames);
    (void)memfs_free(fs, scan->names);
    *scan = (struct mfs_hostdir_scan){.trail.fs = fs};
}
