/* Text is encoded whole, in memory, and then written by one call. */
#include "encoder.h"
#include "handle.h"
#include "utf8.h"

#include <string.h>

static const char *line_end(const memfs_text *text)
{
    return text->options.newline == MEMFS_TEXT_CRLF ? "\r\n"
           : text->options.newline == MEMFS_TEXT_CR ? "\r"
                                                    : NULL;
}

static int64_t target_offset(const memfs_text *text)
{
    return text->appends ? memfs_file_size(text->file) : mfs_decoder_offset(&text->decoder);
}

/* Writes the bytes, and moves the place behind them. */
static int write_bytes(memfs_text *text, const unsigned char *bytes, size_t length, int64_t offset)
{
    int64_t result = text->appends ? memfs_seek(text->file, 0, MEMFS_SEEK_END)
                                   : memfs_seek(text->file, offset, MEMFS_SEEK_SET);
    if (result >= 0)
        result = memfs_write(text->file, bytes, length);
    if (result < 0)
        return (int)result;
    mfs_decoder_init(&text->decoder, text->file, &text->encoding, memfs_tell(text->file));
    return 0;
}

static int write_encoded(memfs_text *text, const struct mfs_encoder_request *request,
                         int64_t offset)
{
    struct mfs_sink sink;
    mfs_sink_init(&sink, text->fs);
    int error = mfs_encoder_run(request, &sink);
    if (error == 0 && sink.length > 0)
        error = write_bytes(text, sink.bytes, sink.length, offset);
    mfs_sink_fini(&sink);
    return error;
}

static int write_text(memfs_text *text, const unsigned char *utf8, size_t length, int64_t offset)
{
    struct mfs_encoder_request request = {.encoding = &text->encoding,
                                          .policy = text->options.write_policy,
                                          .newline = line_end(text),
                                          .text = utf8,
                                          .length = length,
                                          .is_at_beginning = offset == 0};
    bool has_mark = request.is_at_beginning && text->encoding.has_mark;
    bool has_newline = request.newline != NULL && memchr(utf8, '\n', length) != NULL;
    if (text->encoding.kind == MFS_ENCODING_UTF8 && !has_mark && !has_newline)
        return write_bytes(text, utf8, length, offset);
    mfs_encoding_settle_order(&text->encoding, text->file);
    return write_encoded(text, &request, offset);
}

int64_t memfs_text_write(memfs_text *text, const char *utf8, size_t length)
{
    int error = mfs_handle_check(text);
    if (error == 0 && !text->writes)
        error = MEMFS_EBADF;
    if (error != 0)
        return error;
    if (length == 0)
        return 0;
    const unsigned char *bytes = (const unsigned char *)utf8;
    uint64_t wide_length = length;
    if (utf8 == NULL || wide_length > INT64_MAX / 8 ||
        mfs_utf8_valid_length(bytes, length) != length)
        return MEMFS_EINVAL;
    int64_t offset = target_offset(text);
    if (offset < 0)
        return offset;
    error = write_text(text, bytes, length, offset);
    return error == 0 ? (int64_t)length : error;
}
