/*
 * An export below its root: a walk of the tree and a trail on the host, side by side, and what is
 * made on the host of one entry of the tree.
 */
#ifndef MFS_HOSTDIR_EXPORTER_H
#define MFS_HOSTDIR_EXPORTER_H

#include "hardlinks.h"
#include "job.h"
#include "trail.h"

#include <sys/stat.h>

struct mfs_hostdir_exporter {
    struct mfs_hostdir_job *job;
    struct mfs_hostdir_trail trail;
    struct mfs_hostdir_hardlinks links; /* of the first copies of files */
    memfs_walker *walker;
    const memfs_walk_entry *entry; /* where the walker stands */
    const char *path;              /* of the entry, relative */
    size_t root_length;
    bool merges;
    bool ignores_leave; /* of the directory that was just left out */
};

/* Copies the entry that the walker stands on, or leaves a directory.  Returns a problem. */
int mfs_exporter_step(struct mfs_hostdir_exporter *exporter);

/* Fills a new file of the host, gives it its attributes, tells its status and closes it.  Returns a
 * problem. */
int mfs_exporter_fill(struct mfs_hostdir_exporter *exporter, memfs_file *file, int descriptor,
                      struct stat *status);

/* Whether a file of the host is like that of the tree already. */
bool mfs_exporter_is_same(const struct mfs_hostdir_exporter *exporter, const memfs_stat_info *stat,
                          const struct stat *status);

/* Counts the entry, which stays as it is.  0. */
int mfs_exporter_leave_unchanged(struct mfs_hostdir_exporter *exporter);

/* Gives back the trail and the table of links, but not the walker. */
void mfs_exporter_fini(struct mfs_hostdir_exporter *exporter);

#endif
