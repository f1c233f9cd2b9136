/* What is printed of one file, directory or symlink, and below the tree. */
#ifndef MFS_LINE_H
#define MFS_LINE_H

#include "output.h"

struct mfs_line {
    memfs *fs;
    const char *path;  /* by which it is found; of a symlink, itself */
    const char *lines; /* of the tree, before the name */
    const char *name;
    memfs_stat_info stat;
};

/* A line.  Errors: EDQUOT, ENOMEM; ENOENT: it has vanished, and nothing was printed. */
int mfs_line_entry(struct mfs_output *output, const struct mfs_line *line);

/* A line for entries that are left out. */
void mfs_line_more(struct mfs_output *output, const char *lines, uint64_t count);

/* What is below the path in all, and the quota.  Errors: as mfs_line_entry(). */
int mfs_line_summary(struct mfs_output *output, memfs *fs, const char *path);

#endif
