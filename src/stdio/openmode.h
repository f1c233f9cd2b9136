/* What the mode of an fopen() says. */
#ifndef MFS_STDIO_OPENMODE_H
#define MFS_STDIO_OPENMODE_H

#include <stdbool.h>

struct mfs_openmode {
    bool reads, writes, appends;
    char plain[3]; /* the same for the C library: "r", "w" or "a", and '+' */
};

/* False: it is no mode.  Accepts what memfs_open_mode() does. */
bool mfs_openmode_parse(struct mfs_openmode *out, const char *mode);

#endif
