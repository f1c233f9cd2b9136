/*
 * Super-journals: they tie together the rollback journals of a transaction over several databases.
 */
#ifndef MFS_SUPERJOURNAL_H
#define MFS_SUPERJOURNAL_H

#include <memfs/memfs.h>

#include <stdbool.h>

/* Whether none of the journals that the super-journal at `path` names refers back to it.  What
 * cannot be read counts as one that does.  Takes no memory. */
bool mfs_superjournal_is_unused(memfs *fs, memfs_file *super, const char *path);

/* Whether SQLite gives super-journals such names. */
bool mfs_superjournal_is_name(const char *path);

#endif
