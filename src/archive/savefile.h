/*
 * A file of the host that is written under a name of its own beside its place, and then takes that
 * place in one step, or is removed.
 */
#ifndef MFS_ARCHIVE_SAVEFILE_H
#define MFS_ARCHIVE_SAVEFILE_H

#include <limits.h>
#include <stdbool.h>

enum { MFS_ARCHIVE_TEMPORARY_BYTES = 64 };

struct mfs_archive_savefile {
    int parent; /* the directory; -1: none */
    int descriptor;
    char name[NAME_MAX + 1];
    char temporary[MFS_ARCHIVE_TEMPORARY_BYTES]; /* "": none */
};

/* What is at `path` must be a regular file that may be replaced, or nothing.  0 or an errno. */
int mfs_savefile_open(struct mfs_archive_savefile *file, const char *path, bool replaces);

/* 0 or an errno; EEXIST: something came there meanwhile. */
int mfs_savefile_commit(struct mfs_archive_savefile *file, bool replaces);

/* Closes it, and removes it unless it was committed. */
void mfs_savefile_close(struct mfs_archive_savefile *file);

#endif
