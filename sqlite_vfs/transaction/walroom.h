/* How much of its file system a WAL may take before it is checkpointed. */
#ifndef MFS_WALROOM_H
#define MFS_WALROOM_H

#include "file/file.h"
#include "locks/member.h"
#include "names/name_cache.h"

#include <stdbool.h>

/* Whether `frames` frames of the database's WAL take too much. */
bool mfs_walroom_is_short(const struct mfs_file *database, uint64_t frames);

/* The same of the frames that the WAL has now, after a commit of the connection whose `member` and
 * `names` these are.  False in rollback modes. */
bool mfs_walroom_is_short_now(const struct mfs_file *database, const struct mfs_member *member,
                              const struct mfs_name_cache *names);

#endif
