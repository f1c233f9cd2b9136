/* Which entries are wanted, as the patterns say. */
#ifndef MFS_ARCHIVE_SELECTION_H
#define MFS_ARCHIVE_SELECTION_H

#include <memfs/archive.h>
#include <stdbool.h>

/* `path` is relative.  The directory itself, "", always is. */
bool mfs_selection_takes(const memfs_archive_options *options, const char *path, bool is_directory);

#endif
