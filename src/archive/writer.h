/* An archive that is written, entry by entry. */
#ifndef MFS_ARCHIVE_WRITER_H
#define MFS_ARCHIVE_WRITER_H

#include "output.h"

struct archive_entry;

struct mfs_archive_writer {
    struct mfs_archive_task *task;
    struct mfs_archive_output *output;
    struct archive *archive;
    struct archive_entry *entry; /* to be filled for each entry, cleared at first */
    uint32_t format;             /* enum memfs_archive_format, not ANY */
    bool is_given_up;            /* what libarchive still writes is dropped */
};

/* Begins, in the format and the compression of the options.  Returns an error, which is noted. */
int mfs_writer_open(struct mfs_archive_writer *writer, struct mfs_archive_output *output);

/* Writes the header of what `entry` is.  `path` is its relative path, for errors; `is_utf8`: all of
 * its names are.  Returns an error, which is noted. */
int mfs_writer_header(struct mfs_archive_writer *writer, const char *path, bool is_utf8);

/* Writes data of it. */
int mfs_writer_data(struct mfs_archive_writer *writer, const char *path, const void *bytes,
                    size_t size);

/* Ends the archive. */
int mfs_writer_end(struct mfs_archive_writer *writer);

void mfs_writer_close(struct mfs_archive_writer *writer);

#endif
