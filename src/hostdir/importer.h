/* An import below its root: a scan of the host and a directory of the tree, side by side. */
#ifndef MFS_HOSTDIR_IMPORTER_H
#define MFS_HOSTDIR_IMPORTER_H

#include "hardlinks.h"
#include "job.h"
#include "scan.h"

/* What the root is called in the stage. */
#define MFS_HOSTDIR_IMPORTER_ROOT_NAME "entry"

struct mfs_hostdir_importer {
    struct mfs_hostdir_job *job;
    struct mfs_hostdir_scan scan;
    struct mfs_hostdir_hardlinks links; /* of open memfs_file */
    memfs_dir *at;                      /* at first the stage */
};

/* For a file of the host that is to be read.  Not blocking: it may be a pipe by now. */
int mfs_importer_open_flags(void);

/* Makes the file `name` in `at` of an open file of the host.  Returns a problem. */
int mfs_importer_file(struct mfs_hostdir_importer *importer, int descriptor, const char *name);

/* Makes a tree in `at` of an open directory of the host, which it takes over.  Returns an error,
 * which is noted. */
int mfs_importer_tree(struct mfs_hostdir_importer *importer, int descriptor);

/* Gives back the scan, the table of links, and `at`. */
void mfs_importer_fini(struct mfs_hostdir_importer *importer);

#endif
