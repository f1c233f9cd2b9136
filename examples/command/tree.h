/* A bounded tree that is filled from an archive or a directory of the host, and saved to one. */
#ifndef MEMFS_COMMAND_TREE_H
#define MEMFS_COMMAND_TREE_H

#include "command.h"

/* Makes a tree whose root has what the archive or the directory `from` has.  `*fs` is to be
 * destroyed if it is not null, also after a failure. */
enum ending tree_open(const struct options *options, const char *from, memfs **fs);

/* Packs all of the tree. */
enum ending tree_save(const struct options *options, memfs *fs, const char *archive);

/* Copies all of the tree to a directory of the host, which is new, or is replaced. */
enum ending tree_export(const struct options *options, memfs *fs, const char *directory);

#endif
