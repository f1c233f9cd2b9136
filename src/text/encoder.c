/*
 * A text is encoded whole before any of it is written.  Where iconv() runs out of room, all begins
 * again from the initial state with twice the room, since not every iconv() keeps its state right
 * when its output was cut short.
 *
 * A replacement goes through iconv() like any other character, so that the shift sequences that it
 * needs come out.
 *
 * Some iconv() put a character of their own in place of one that they cannot convert, and only
 * count it.  Then all begins again with care: character by character, each from the initial state
 * and back, so that one that came out wrong can be dropped.
 */
#include "encoder.h"

#include "utf8.h"

#include <string.h>

enum { AGAIN_WITH_ROOM = 1, AGAIN_WITH_CARE = 2 };

static const unsigned char replacement[] = {'?'};

/* One pass of iconv(). */
struct pass {
    const struct mfs_encoder_request *request;
    struct mfs_converter *converter;
    bool is_careful;
    struct mfs_converter_span span; /* its output is the rest of the sink's room */
};

typedef int (*put_function)(void *context, const unsigned char *text, size_t length);

/* Hands the text on in pieces, with line ends in place of line feeds. */
static int put_lines(const struct mfs_encoder_request *request, put_function put, void *context)
{
    const unsigned char *at = request->text;
    size_t left = request->length;
    int error = 0;
    while (error == 0 && left > 0) {
        const unsigned char *feed = request->newline != NULL ? memchr(at, '\n', left) : NULL;
        size_t piece = feed != NULL ? (size_t)(feed - at) : left;
        if (piece > 0)
            error = put(context, at, piece);
        if (feed != NULL && error == 0)
            error = put(context, (const unsigned char *)request->newline, strlen(request->newline));
        piece += feed != NULL;
        at += piece;
        left -= piece;
    }
    return error;
}

/* ------------------------------------------------------------------ built in */

struct builtin_output {
    const struct mfs_encoder_request *request;
    struct mfs_sink *sink;
};

static int put_code(struct builtin_output *output, uint32_t code)
{
    const struct mfs_encoding *encoding = output->request->encoding;
    struct mfs_sink *sink = output->sink;
    int error = mfs_sink_reserve(sink, MFS_UTF8_MOST);
    if (error != 0)
        return error;
    unsigned char *out = sink->bytes + sink->length;
    size_t bytes = mfs_widechar_encode(encoding->wide, encoding->is_big_endian, out, code);
    if (bytes == 0 && output->request->policy == MEMFS_TEXT_STRICT)
        return MEMFS_EILSEQ;
    if (bytes == 0 && output->request->policy == MEMFS_TEXT_REPLACE)
        bytes = mfs_widechar_encode(encoding->wide, encoding->is_big_endian, out, replacement[0]);
    sink->length += bytes;
    return 0;
}

static int put_builtin(void *context, const unsigned char *text, size_t length)
{
    struct builtin_output *output = context;
    struct mfs_sink *sink = output->sink;
    int error = 0;
    if (output->request->encoding->kind == MFS_ENCODING_UTF8) {
        error = mfs_sink_reserve(sink, length);
        if (error == 0) {
            memcpy(sink->bytes + sink->length, text, length);
            sink->length += length;
        }
        return error;
    }
    while (length > 0 && error == 0) {
        uint32_t code = 0;
        size_t step = (size_t)mfs_utf8_decode(text, length, &code);
        error = put_code(output, code);
        text += step;
        length -= step;
    }
    return error;
}

static int run_builtin(const struct mfs_encoder_request *request, struct mfs_sink *sink)
{
    struct builtin_output output = {request, sink};
    if (request->is_at_beginning)
        sink->length = mfs_encoding_mark(request->encoding, sink->bytes);
    return put_lines(request, put_builtin, &output);
}

/* -------------------------------------------------------------------- iconv */

/* Puts the replacement, or nothing, for a character that the encoding does not have. */
static int put_substitute(struct pass *pass)
{
    if (pass->request->policy == MEMFS_TEXT_STRICT)
        return MEMFS_EILSEQ;
    if (pass->request->policy == MEMFS_TEXT_IGNORE)
        return 0;
    struct mfs_converter_span *span = &pass->span;
    span->in = replacement;
    span->in_bytes = sizeof replacement;
    enum mfs_converter_result result = mfs_converter_run(pass->converter, span);
    if (result == MFS_CONVERTER_FULL)
        return AGAIN_WITH_ROOM;
    return result == MFS_CONVERTER_DONE ? 0 : MEMFS_EILSEQ;
}

static int put_swiftly(struct pass *pass, const unsigned char *text, size_t length)
{
    while (length > 0) {
        pass->span.in = text;
        pass->span.in_bytes = length;
        enum mfs_converter_result result = mfs_converter_run(pass->converter, &pass->span);
        if (result == MFS_CONVERTER_DONE)
            return 0;
        if (result == MFS_CONVERTER_FULL)
            return AGAIN_WITH_ROOM;
        if (result == MFS_CONVERTER_LOSSY)
            return AGAIN_WITH_CARE;
        size_t refused = mfs_utf8_length(pass->span.in[0]);
        text = pass->span.in + refused;
        length = pass->span.in_bytes - refused;
        int error = put_substitute(pass);
        if (error != 0)
            return error;
    }
    return 0;
}

/* One character, from the initial state and back to it. */
static int put_one_with_care(struct pass *pass, const unsigned char *text, size_t length)
{
    struct mfs_converter_span before = pass->span;
    pass->span.in = text;
    pass->span.in_bytes = length;
    enum mfs_converter_result result = mfs_converter_run(pass->converter, &pass->span);
    int error = result == MFS_CONVERTER_FULL ? AGAIN_WITH_ROOM : 0;
    if (result == MFS_CONVERTER_LOSSY || result == MFS_CONVERTER_INVALID) {
        pass->span = before;
        mfs_converter_reset(pass->converter);
        error = put_substitute(pass);
    }
    if (error == 0 && mfs_converter_flush(pass->converter, &pass->span) == MFS_CONVERTER_FULL)
        error = AGAIN_WITH_ROOM;
    return error;
}

static int put_iconv(void *context, const unsigned char *text, size_t length)
{
    struct pass *pass = context;
    if (!pass->is_careful)
        return put_swiftly(pass, text, length);
    int error = 0;
    while (length > 0 && error == 0) {
        size_t step = mfs_utf8_length(text[0]);
        error = put_one_with_care(pass, text, step);
        text += step;
        length -= step;
    }
    return error;
}

/* A pass over all of the text, into the room that the sink has. */
static int run_pass(struct pass *pass, struct mfs_sink *sink)
{
    pass->span.out = sink->bytes;
    pass->span.out_bytes = sink->capacity;
    mfs_converter_reset(pass->converter);
    int error = put_lines(pass->request, put_iconv, pass);
    if (error == 0 && mfs_converter_flush(pass->converter, &pass->span) == MFS_CONVERTER_FULL)
        error = AGAIN_WITH_ROOM;
    mfs_converter_reset(pass->converter);
    if (error == 0)
        sink->length = sink->capacity - pass->span.out_bytes;
    return error;
}

static void drop_prolog(const struct mfs_encoding *encoding, struct mfs_sink *sink)
{
    size_t bytes = encoding->prolog_bytes;
    if (bytes == 0 || sink->length < bytes || memcmp(sink->bytes, encoding->prolog, bytes) != 0)
        return;
    sink->length -= bytes;
    memmove(sink->bytes, sink->bytes + bytes, sink->length);
}

static int run_iconv(const struct mfs_encoder_request *request, struct mfs_sink *sink)
{
    struct pass pass = {.request = request, .converter = &request->encoding->writer};
    int error = request->length > sink->capacity / 2
                    ? mfs_sink_reserve(sink, request->length + request->length / 4)
                    : 0;
    while (error == 0) {
        error = run_pass(&pass, sink);
        if (error == 0)
            break;
        if (error == AGAIN_WITH_ROOM)
            error = mfs_sink_reserve(sink, sink->capacity + 1);
        else if (error == AGAIN_WITH_CARE)
            error = (pass.is_careful = !pass.is_careful) ? 0 : MEMFS_EIO;
    }
    if (error == 0 && !request->is_at_beginning)
        drop_prolog(request->encoding, sink);
    return error;
}

int mfs_encoder_run(const struct mfs_encoder_request *request, struct mfs_sink *sink)
{
    return request->encoding->kind == MFS_ENCODING_ICONV ? run_iconv(request, sink)
                                                         : run_builtin(request, sink);
}
