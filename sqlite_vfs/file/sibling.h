/* What lies beside a database: its journal and its WAL, looked at by name. */
#ifndef MFS_SIBLING_H
#define MFS_SIBLING_H

#include <memfs/memfs.h>

#include <stdbool.h>

/* Whether there is a file with anything in it. */
bool mfs_sibling_has_content(memfs *fs, const char *path);

/* Whether a rollback journal would be played back: PERSIST leaves them with a zero in front. */
bool mfs_sibling_journal_is_live(memfs *fs, const char *path);

#endif
