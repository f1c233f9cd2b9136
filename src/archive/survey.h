/* The first pass over an archive: refuses what the headers show that it cannot be unpacked. */
#ifndef MFS_ARCHIVE_SURVEY_H
#define MFS_ARCHIVE_SURVEY_H

#include "item.h"

/* Of an input that can be read twice.  The totals of the progress are known then.  `item` is
 * memory to work with.  Returns an error, which is noted. */
int mfs_survey_run(struct mfs_archive_input *input, struct mfs_archive_item *item);

/* Refuses more bytes of content than the options allow.  Errors: EFBIG. */
int mfs_survey_check_bytes(const struct mfs_archive_task *task, uint64_t bytes);

#endif
