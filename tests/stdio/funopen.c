#include "funopen.h"

#include <stdint.h>
#include <stdlib.h>

struct calls {
    void *cookie;
    int (*read_call)(void *, char *, int);
    int (*write_call)(void *, const char *, int);
    off_t (*seek_call)(void *, off_t, int);
    int (*close_call)(void *);
};

static ssize_t pass_read(void *context, char *buffer, size_t size)
{
    struct calls *calls = context;
    return calls->read_call(calls->cookie, buffer, (int)size);
}

static ssize_t pass_write(void *context, const char *bytes, size_t size)
{
    struct calls *calls = context;
    int written = calls->write_call(calls->cookie, bytes, (int)size);
    return written < 0 ? 0 : written;
}

static int pass_seek(void *context, off_t *offset, int whence)
{
    struct calls *calls = context;
    off_t position = calls->seek_call(calls->cookie, *offset, whence);
    if (position >= 0)
        *offset = position;
    return position >= 0 ? 0 : -1;
}

static int pass_close(void *context)
{
    struct calls *calls = context;
    int result = calls->close_call(calls->cookie);
    free(calls);
    return result;
}

FILE *funopen(const void *cookie, int (*read_call)(void *, char *, int),
              int (*write_call)(void *, const char *, int), off_t (*seek_call)(void *, off_t, int),
              int (*close_call)(void *))
{
    struct calls *calls = malloc(sizeof *calls);
    if (calls == NULL)
        return NULL;
    *calls = (struct calls){(void *)(uintptr_t)cookie, read_call, write_call, seek_call,
                            close_call};
    cookie_io_functions_t callbacks = {.read = read_call != NULL ? pass_read : NULL,
                                       .write = write_call != NULL ? pass_write : NULL,
                                       .seek = pass_seek,
                                       .close = pass_close};
    const char *mode = write_call == NULL ? "r" : read_call == NULL ? "w" : "r+";
    FILE *stream = fopencookie(calls, mode, callbacks);
    if (stream == NULL)
        free(calls);
    return stream;
}
