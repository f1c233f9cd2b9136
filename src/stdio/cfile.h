/* A FILE of the C library on a cookie. */
#ifndef MFS_STDIO_CFILE_H
#define MFS_STDIO_CFILE_H

#include "cookie.h"

/*
 * Makes it, with the cookie's buffer, or none.  fclose() destroys the cookie.  Null: the C library
 * has no memory; the cookie is as it was.
 */
FILE *mfs_cfile_open(struct mfs_cookie *cookie);

#endif
