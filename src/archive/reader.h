/* An archive that is read, entry by entry. */
#ifndef MFS_ARCHIVE_READER_H
#define MFS_ARCHIVE_READER_H

#include "input.h"

struct archive_entry;

struct mfs_archive_reader {
    struct mfs_archive_task *task;
    struct archive *archive;
    struct archive_entry *entry; /* the current one */
    bool is_utf8;                /* its format says in which encoding names are */
    uint64_t entries;            /* met so far */
};

/* Begins at the beginning of the input, which must not have been read, or can be read twice.
 * Returns an error, which is noted. */
int mfs_reader_open(struct mfs_archive_reader *reader, struct mfs_archive_input *input);

/* Goes to the next entry: 1, or 0 at the end, or an error, which is noted. */
int mfs_reader_next(struct mfs_archive_reader *reader);

/*
 * The next piece of the current entry's data: 1, or 0 behind the last one, where `*offset` may tell
 * the end of a hole; or an error, which is noted at `path`.
 */
int mfs_reader_data(struct mfs_archive_reader *reader, const char *path, const void **bytes,
                    size_t *size, int64_t *offset);

/* The names of the current entry, in the archive's own encoding or UTF-8; or null. */
const char *mfs_reader_name(const struct mfs_archive_reader *reader);
const char *mfs_reader_symlink(const struct mfs_archive_reader *reader);
const char *mfs_reader_hardlink(const struct mfs_archive_reader *reader);

void mfs_reader_close(struct mfs_archive_reader *reader);

#endif
