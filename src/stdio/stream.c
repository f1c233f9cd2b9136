/*
 * The exported functions.  A stream is made before its file is opened, since opening may create or
 * empty the file and must then be the last that can fail.
 *
 * Buffering.  The C library tells nobody when it takes bytes into its buffer, so whether a flush
 * will be refused cannot be asked then.  Streams that write are therefore unbuffered, or have room
 * set aside for what they write.
 */
#include "callerstruct.h"
#include "cfile.h"
#include "hosterrno.h"

#include <errno.h>
#include <string.h>

enum { READ_BUFFER_BYTES = 2000 }; /* together with its header less than half a page */

/* What the caller of an exported function has passed. */
struct request {
    memfs *fs;
    const char *path; /* null: `file` is there already */
    memfs_file *file;
    const char *mode_text;
    struct mfs_openmode mode;
    memfs_stdio_options options;
};

static int check_stream_request(struct request *request, const memfs_stdio_options *options)
{
    int error = mfs_callerstruct_read(&request->options, sizeof request->options, options);
    if (error != 0)
        return error;
    const memfs_stdio_options *o = &request->options;
    uint32_t known = request->path == NULL ? MEMFS_STDIO_KEEP_HANDLE : 0;
    if ((o->flags & ~known) != 0 || !mfs_openmode_parse(&request->mode, request->mode_text))
        return MEMFS_EINVAL;
    bool writes = request->mode.writes;
    if ((o->room_bytes > 0 && !writes) || (writes && o->buffer_bytes > o->room_bytes))
        return MEMFS_EINVAL;
    return 0;
}

/* Reading and writing nothing says whether a handle allows it. */
static int check_access(memfs_file *file, const struct mfs_openmode *mode)
{
    char nothing;
    int64_t result = 0;
    if (mode->reads)
        result = memfs_pread(file, &nothing, 0, 0);
    if (result >= 0 && mode->writes)
        result = memfs_pwrite(file, "", 0, 0);
    return result == MEMFS_EBADF ? MEMFS_EINVAL : (int)result;
}

/* A buffer for reading alone is a convenience: without it the stream works too. */
static int add_buffer(struct mfs_cookie *cookie, const struct request *request)
{
    size_t bytes = request->options.buffer_bytes;
    if (bytes > 0)
        return mfs_cookie_add_buffer(cookie, bytes);
    if (!request->mode.writes)
        (void)mfs_cookie_add_buffer(cookie, READ_BUFFER_BYTES);
    return 0;
}

static int open_file_of(struct mfs_cookie *cookie, const struct request *request)
{
    int error = 0;
    if (request->path == NULL)
        cookie->file = request->file;
    else
        error = memfs_open_mode(request->fs, request->path, request->mode_text, &cookie->file);
    if (error == 0 && request->options.room_bytes > 0)
        error = mfs_cookie_set_room(cookie, request->options.room_bytes);
    if (error != 0)
        return error;
    cookie->keeps_handle = (request->options.flags & MEMFS_STDIO_KEEP_HANDLE) != 0;
    return 0;
}

static int make_cfile(const struct request *request, FILE **out)
{
    struct mfs_cookie *cookie;
    int error = mfs_cookie_create(request->fs, &request->mode, &cookie);
    if (error != 0)
        return error;
    error = add_buffer(cookie, request);
    FILE *stream = error == 0 ? mfs_cfile_open(cookie) : NULL;
    if (stream == NULL) {
        mfs_cookie_destroy(cookie);
        return error != 0 ? error : MEMFS_ENOMEM;
    }
    error = open_file_of(cookie, request);
    if (error != 0) {
        if (request->path == NULL)
            cookie->file = NULL; /* still the caller's */
        (void)fclose(stream);
        return error;
    }
    *out = stream;
    return 0;
}

static FILE *answer(const struct request *request, int error)
{
    FILE *stream = NULL;
    int errno_before = errno;
    if (error == 0)
        error = make_cfile(request, &stream);
    errno = errno_before;
    if (error != 0)
        (void)mfs_hosterrno_set(error);
    return stream;
}

FILE *memfs_fopen_with(memfs *fs, const char *path, const char *mode,
                       const memfs_stdio_options *options)
{
    struct request request = {.fs = fs, .path = path, .mode_text = mode};
    int error = path != NULL ? check_stream_request(&request, options) : MEMFS_EINVAL;
    return answer(&request, error);
}

FILE *memfs_fopen(memfs *fs, const char *path, const char *mode)
{
    return memfs_fopen_with(fs, path, mode, NULL);
}

FILE *memfs_fdopen_with(memfs_file *file, const char *mode, const memfs_stdio_options *options)
{
    struct request request = {.fs = memfs_file_instance(file), .file = file, .mode_text = mode};
    if (request.fs == NULL)
        return answer(&request, MEMFS_EBADF);
    int error = check_stream_request(&request, options);
    if (error == 0)
        error = check_access(file, &request.mode);
    return answer(&request, error);
}

FILE *memfs_fdopen(memfs_file *file, const char *mode)
{
    return memfs_fdopen_with(file, mode, NULL);
}
