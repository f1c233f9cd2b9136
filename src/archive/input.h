/* The bytes of an archive, from wherever it is, for libarchive. */
#ifndef MFS_ARCHIVE_INPUT_H
#define MFS_ARCHIVE_INPUT_H

#include "task.h"

struct mfs_archive_input {
    struct mfs_archive_task *task;
    int descriptor; /* of a file of the host; -1: none */
    bool owns_descriptor;
    memfs_file *file;  /* of a file of the tree; or null */
    int64_t begin;     /* of the archive in a descriptor's file */
    int64_t size;      /* -1: not known, and it can be read only once */
    int64_t offset;    /* from the beginning of the archive */
    int64_t held;      /* the first bytes, which have been read into the buffer already */
    bool is_indexed;   /* zip and others that have a list of their members, see input.c */
    bool is_elsewhere; /* the callbacks are not at `offset` */
};

/* Opens it, at its beginning.  What has a list of its members can be read twice afterwards, even if
 * that took a copy.  Returns an error, which is noted. */
int mfs_input_open(struct mfs_archive_input *input, struct mfs_archive_task *task);
void mfs_input_close(struct mfs_archive_input *input);

/* Whether it can be read a second time. */
static inline bool mfs_input_has_twice(const struct mfs_archive_input *input)
{
    return input->size >= 0;
}

/* Goes to the beginning, which must not have been left unless it can be read twice.  Returns an
 * error, which is noted. */
int mfs_input_begin(struct mfs_archive_input *input);

/* Makes it what libarchive reads from. */
int mfs_input_attach(struct mfs_archive_input *input, struct archive *archive);

#endif
