/*
 * A tree of the host, entry by entry: depth first, of a directory first what is no directory,
 * then each directory in it.  No link is followed, nothing but directories is opened, and what
 * vanishes before its turn is skipped.
 *
 *     struct mfs_hostdir_scan scan = {.trail.fs = fs};
 *     int problem = mfs_scan_begin(&scan, descriptor);
 *     while (problem == 0 && (problem = mfs_scan_next(&scan)) == 0 && scan.event != 0)
 *         ... scan.event, scan.name, scan.status, scan.trail
 *     mfs_scan_fini(&scan);
 */
#ifndef MFS_HOSTDIR_SCAN_H
#define MFS_HOSTDIR_SCAN_H

#include "trail.h"

#include <dirent.h>
#include <sys/stat.h>

/* A directory that the scan is in. */
struct mfs_hostdir_scan_frame {
    size_t first_name, next_name; /* in `names`: of the directories in it */
    struct stat status;           /* of when it was entered */
};

enum mfs_hostdir_scan_state {
    MFS_HOSTDIR_SCAN_BEGINS,
    MFS_HOSTDIR_SCAN_ENTERS, /* the directory that it stands on, which comes first */
    MFS_HOSTDIR_SCAN_READS,
    MFS_HOSTDIR_SCAN_DIRECTORIES, /* goes through those that it has read */
    MFS_HOSTDIR_SCAN_LEAVES,      /* the directory that it stands on, since it could not enter */
    MFS_HOSTDIR_SCAN_ENDS
};

struct mfs_hostdir_scan {
    struct mfs_hostdir_trail trail;
    struct mfs_hostdir_scan_frame *frames;
    size_t depth, frame_capacity; /* frames that are in use */
    char *names;                  /* of directories that were not entered yet, each with its NUL */
    size_t names_length, names_capacity;
    DIR *stream; /* of the current directory, while it is read */
    enum mfs_hostdir_scan_state state;
    bool is_lost; /* there was no way back out of a directory: the scan cannot go on */
    /* Where it stands; trail.path is the entry's. */
    int event; /* enum memfs_walk_event; 0: at the end */
    uint32_t entry_depth;
    const char *name;
    struct stat status; /* of ENTER and ENTRY now, of LEAVE as it was at ENTER */
};

/* Begins at an open directory, which it takes over, also if it fails.  Returns a problem. */
int mfs_scan_begin(struct mfs_hostdir_scan *scan, int descriptor);

/*
 * Goes to the next entry.  Returns a problem: trail.path says where, and the scan can go on behind
 * it (a directory that cannot be entered is left next), unless it is lost.
 */
int mfs_scan_next(struct mfs_hostdir_scan *scan);

/* On ENTER, but not of the root: neither into this directory, nor is it left. */
void mfs_scan_skip(struct mfs_hostdir_scan *scan);

void mfs_scan_fini(struct mfs_hostdir_scan *scan);

#endif
