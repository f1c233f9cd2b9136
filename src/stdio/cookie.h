/*
 * What stands behind a stream: a handle, and what is held for it.
 *
 * The four calls are those that a C library makes.  They return what the system calls of POSIX
 * would, -1 with errno included; cfile.c has what each C library wants instead.
 */
#ifndef MFS_STDIO_COOKIE_H
#define MFS_STDIO_COOKIE_H

#include "openmode.h"

#include <memfs/stdio.h>
#include <stdbool.h>

struct mfs_cookie {
    memfs *fs;
    memfs_file *file; /* null: nothing is open yet */
    char *buffer;     /* the stream's, `buffer_bytes`, or null */
    size_t buffer_bytes;
    struct mfs_openmode mode;
    bool keeps_handle; /* when the stream is closed */
    bool has_room;     /* some was set aside, and the file is held private */
    int64_t room_end;  /* of the file's preallocation before that; 0: it had none */
};

/* Charged.  Errors: EINVAL (no file system), EDQUOT, ENOMEM. */
int mfs_cookie_create(memfs *fs, const struct mfs_openmode *mode, struct mfs_cookie **out);

/* Gives it a buffer.  Errors: EDQUOT, ENOMEM. */
int mfs_cookie_add_buffer(struct mfs_cookie *cookie, size_t bytes);

/* Sets room aside from the position on.  Errors: EFBIG, EDQUOT, ENOMEM. */
int mfs_cookie_set_room(struct mfs_cookie *cookie, uint64_t bytes);

int64_t mfs_cookie_read(struct mfs_cookie *cookie, char *buffer, size_t bytes);
int64_t mfs_cookie_write(struct mfs_cookie *cookie, const char *bytes, size_t count);
int64_t mfs_cookie_seek(struct mfs_cookie *cookie, int64_t offset, int whence);

/* Ends it, with its handle unless that is kept, its room and its buffer. */
void mfs_cookie_destroy(struct mfs_cookie *cookie);

#endif
