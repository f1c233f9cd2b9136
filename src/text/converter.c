#include "converter.h"

#include <memfs/text.h>

#if MFS_TEXT_ICONV

#include <errno.h>
#include <iconv.h>
#include <string.h>

int mfs_converter_open(struct mfs_converter *converter, const char *to, const char *from)
{
    if (strchr(to, '/') != NULL || strchr(from, '/') != NULL || *to == '\0' || *from == '\0')
        return MEMFS_EOPNOTSUPP;
    iconv_t descriptor = iconv_open(to, from);
    if (descriptor == (iconv_t)-1)
        return errno == EINVAL ? MEMFS_EOPNOTSUPP : MEMFS_ENOMEM;
    *converter = (struct mfs_converter){descriptor, true};
    return 0;
}

void mfs_converter_close(struct mfs_converter *converter)
{
    if (converter->is_open)
        (void)iconv_close(converter->descriptor);
    converter->is_open = false;
}

void mfs_converter_reset(struct mfs_converter *converter)
{
    if (converter->is_open)
        (void)iconv(converter->descriptor, NULL, NULL, NULL, NULL);
}

/* `in` null: flushes. */
static enum mfs_converter_result convert(struct mfs_converter *converter, char **in,
                                         struct mfs_converter_span *span)
{
    char *out = (char *)span->out;
    size_t lost = iconv(converter->descriptor, in, in != NULL ? &span->in_bytes : NULL, &out,
                        &span->out_bytes);
    int error = errno;
    span->out = (unsigned char *)out;
    if (lost != (size_t)-1)
        return lost == 0 ? MFS_CONVERTER_DONE : MFS_CONVERTER_LOSSY;
    return error == EILSEQ   ? MFS_CONVERTER_INVALID
           : error == EINVAL ? MFS_CONVERTER_INCOMPLETE
                             : MFS_CONVERTER_FULL;
}

enum mfs_converter_result mfs_converter_run(struct mfs_converter *converter,
                                            struct mfs_converter_span *span)
{
    char *in;
    memcpy(&in, &span->in, sizeof in); /* iconv() does not write there, but says that it may */
    enum mfs_converter_result result = convert(converter, &in, span);
    memcpy(&span->in, &in, sizeof in);
    return result;
}

enum mfs_converter_result mfs_converter_flush(struct mfs_converter *converter,
                                              struct mfs_converter_span *span)
{
    return convert(converter, NULL, span);
}

#else /* without iconv() */

int mfs_converter_open(struct mfs_converter *converter, const char *to, const char *from)
{
    (void)to;
    (void)from;
    converter->is_open = false;
    return MEMFS_EOPNOTSUPP;
}

void mfs_converter_close(struct mfs_converter *converter)
{
    converter->is_open = false;
}

void mfs_converter_reset(struct mfs_converter *converter)
{
    converter->is_open = false;
}

enum mfs_converter_result mfs_converter_run(struct mfs_converter *converter,
                                            struct mfs_converter_span *span)
{
    (void)converter;
    (void)span;
    return MFS_CONVERTER_INVALID;
}

enum mfs_converter_result mfs_converter_flush(struct mfs_converter *converter,
                                              struct mfs_converter_span *span)
{
    (void)converter;
    (void)span;
    return MFS_CONVERTER_DONE;
}

#endif
