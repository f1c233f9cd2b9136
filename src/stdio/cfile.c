/*
 * The callbacks differ in what they answer when a write is refused.  glibc wants 0: it would take a
 * negative count for a large one.  The others want -1: musl takes 0 for success, and fprintf()
 * would not notice.
 *
 * No call of a stream reaches the cookie of another thread's: the C library locks each stream.
 */
#include "cfile.h"

#include <limits.h>
#include <sys/types.h>

static void *as_pointer(const struct mfs_cookie *cookie)
{
    return (void *)(uintptr_t)cookie;
}

#if MFS_STDIO_FUNOPEN

static size_t at_most_int(int count)
{
    return count > 0 ? (size_t)count : 0;
}

static int read_callback(void *cookie, char *buffer, int bytes)
{
    return (int)mfs_cookie_read(cookie, buffer, at_most_int(bytes));
}

static int write_callback(void *cookie, const char *bytes, int count)
{
    return (int)mfs_cookie_write(cookie, bytes, at_most_int(count));
}

static off_t seek_callback(void *cookie, off_t offset, int whence)
{
    return (off_t)mfs_cookie_seek(cookie, offset, whence);
}

static int close_callback(void *cookie)
{
    mfs_cookie_destroy(cookie);
    return 0;
}

static FILE *make_stream(struct mfs_cookie *cookie)
{
    return funopen(as_pointer(cookie), cookie->mode.reads ? read_callback : NULL,
                   cookie->mode.writes ? write_callback : NULL, seek_callback, close_callback);
}

#else

#ifdef __GLIBC__
enum { WRITE_REFUSED = 0 };
#else
enum { WRITE_REFUSED = -1 };
#endif

static ssize_t read_callback(void *cookie, char *buffer, size_t bytes)
{
    return (ssize_t)mfs_cookie_read(cookie, buffer, bytes);
}

static ssize_t write_callback(void *cookie, const char *bytes, size_t count)
{
    int64_t written = mfs_cookie_write(cookie, bytes, count);
    return written >= 0 ? (ssize_t)written : WRITE_REFUSED;
}

static int seek_callback(void *cookie, off_t *offset, int whence)
{
    int64_t position = mfs_cookie_seek(cookie, *offset, whence);
    if (position < 0)
        return -1;
    *offset = (off_t)position;
    return 0;
}

static int close_callback(void *cookie)
{
    mfs_cookie_destroy(cookie);
    return 0;
}

static FILE *make_stream(struct mfs_cookie *cookie)
{
    cookie_io_functions_t callbacks = {.read = cookie->mode.reads ? read_callback : NULL,
                                       .write = cookie->mode.writes ? write_callback : NULL,
                                       .seek = seek_callback,
                                       .close = close_callback};
    return fopencookie(as_pointer(cookie), cookie->mode.plain, callbacks);
}

#endif

FILE *mfs_cfile_open(struct mfs_cookie *cookie)
{
    FILE *stream = make_stream(cookie);
    if (stream == NULL)
        return NULL;
    /* It cannot fail: the stream is new, and takes no memory for either. */
    if (cookie->buffer != NULL)
        (void)setvbuf(stream, cookie->buffer, _IOFBF, cookie->buffer_bytes);
    else
        (void)setvbuf(stream, NULL, _IONBF, 0);
    return stream;
}
