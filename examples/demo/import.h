/* Copies a directory of the host into a memfs, and shows how far it is. */
#ifndef DEMO_IMPORT_H
#define DEMO_IMPORT_H

#include <memfs/hostdir.h>

/*
 * Copies `root`, an absolute path without links, to the same path in `fs`.  What the host refuses
 * is skipped and counted; the first refusal by `fs` ends the copy, and nothing is left of it.
 * Returns 0 or a memfs error.
 */
int demo_import_tree(memfs *fs, const char *root, memfs_hostdir_result *out);

#endif
