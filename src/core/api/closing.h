/* Closing handles: for the functions that close one, and for a forced end that closes all. */
#ifndef MFS_CLOSING_H
#define MFS_CLOSING_H

#include "instance/fs.h"

/* Frees the handle's memory, unless the caller lent it.  Its node is the caller's business. */
void mfs_closing_drop_handle(memfs *fs, memfs_file *file);

/* Closes an open handle, with its lock and its hold; or an open directory stream. */
void mfs_closing_file(memfs_file *file);
void mfs_closing_dir(memfs_dir *dir);

#endif
