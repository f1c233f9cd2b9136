/*
 * Super-journals, each of which ties together the rollback journals of one transaction over several
 * databases: finding those that a refused commit leaves behind.
 */
#ifndef MFS_SUPERJOURNAL_H
#define MFS_SUPERJOURNAL_H

#include <memfs/memfs.h>

#include <stdbool.h>
#include <stdint.h>

#define MFS_SUPERJOURNAL_NAME_BYTES 1025 /* a name and its NUL */

/* Whether none of the journals that the super-journal at `path` names refers back to it.  A journal
 * that cannot be read counts as one that does.  Needs no memory. */
bool mfs_superjournal_is_unused(memfs *fs, memfs_file *super, const char *path);

/* The name of the super-journal with which a journal ends, and the size of what lies before it.
 * False: the journal names none. */
bool mfs_superjournal_read_name(memfs_file *journal, char name[MFS_SUPERJOURNAL_NAME_BYTES],
                                int64_t *rest);

/* Whether `path` has the form that SQLite gives to names of super-journals. */
bool mfs_superjournal_is_name(const char *path);

#endif
