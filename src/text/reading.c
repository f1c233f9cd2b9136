/*
 * Reading characters and lines, and going to places.  A call that fails goes back to where it
 * began.  The struct of a position holds a place of the decoder as bytes.
 */
#include "handle.h"
#include "utf8.h"

#include <memfs/storage.h>
#include <string.h>

enum { FIRST_LINE_BYTES = 120 };

static int check_reader(const memfs_text *text)
{
    int error = mfs_handle_check(text);
    return error == 0 && !text->reads ? MEMFS_EBADF : error;
}

/* --------------------------------------------------------------- characters */

/* The length of the first characters, at most `characters` of them in at most `size` bytes. */
static size_t fitting(const struct mfs_handle_run *run, size_t characters, size_t size,
                      size_t *count)
{
    size_t length = 0;
    for (*count = 0; *count < characters && length < run->length; ++*count) {
        size_t next = mfs_utf8_length(run->bytes[length]);
        if (next > size - length)
            break;
        length += next;
    }
    return length;
}

int64_t memfs_text_read(memfs_text *text, size_t characters, char *buffer, size_t size)
{
    int result = check_reader(text);
    if (result == 0 && buffer == NULL && size > 0)
        result = MEMFS_EINVAL;
    if (result != 0)
        return result;
    size_t stored = 0;
    while (characters > 0 && (stored == 0 || stored < size)) {
        struct mfs_handle_run run;
        /* A line end is taken when it is looked at, and needs one byte. */
        if (size == 0)
            return mfs_decoder_fill(&text->decoder) == 0 ? 0 : MEMFS_ERANGE;
        result = mfs_handle_peek(text, &run);
        if (result != 1)
            break;
        size_t count, length = fitting(&run, characters, size - stored, &count);
        if (length == 0) {
            result = MEMFS_ERANGE;
            break;
        }
        memcpy(buffer + stored, run.bytes, length);
        mfs_handle_take(text, &run, length);
        stored += length;
        characters -= count;
    }
    return stored > 0 || result > 0 ? (int64_t)stored : result;
}

/* -------------------------------------------------------------------- lines */

/* Makes room for a line of `bytes` bytes and a NUL; what is there of it stays. */
static int reserve_line(memfs_text *text, size_t length, size_t bytes)
{
    if (bytes > text->options.max_line_bytes)
        return MEMFS_ERANGE;
    if (bytes < text->line_capacity)
        return 0;
    size_t capacity = text->line_capacity == 0 ? FIRST_LINE_BYTES : text->line_capacity * 2;
    if (capacity <= bytes)
        capacity = bytes + 1;
    void *grown;
    int error = memfs_charged_alloc(text->fs, capacity, &grown);
    if (error != 0)
        return error;
    if (text->line != NULL) {
        memcpy(grown, text->line, length);
        (void)memfs_free(text->fs, text->line);
    }
    text->line = grown;
    text->line_capacity = capacity;
    return 0;
}

static void drop_line(memfs_text *text)
{
    (void)memfs_free(text->fs, text->line);
    text->line = NULL;
    text->line_capacity = 0;
}

/* Appends characters up to the end of the line: 1, or 0 if there are none. */
static int collect_line(memfs_text *text, size_t *length)
{
    struct mfs_handle_run run = {.ends_line = false};
    int result = 1;
    *length = 0;
    while (!run.ends_line && (result = mfs_handle_peek(text, &run)) == 1) {
        int error = reserve_line(text, *length, *length + run.length);
        if (error != 0)
            return error;
        memcpy(text->line + *length, run.bytes, run.length);
        *length += run.length;
        mfs_handle_take(text, &run, run.length);
    }
    if (result < 0)
        return result;
    if (run.ends_line && (text->options.flags & MEMFS_TEXT_KEEP_NEWLINE) == 0)
        --*length;
    return run.ends_line || *length > 0;
}

int memfs_text_read_line(memfs_text *text, const char **line, size_t *length)
{
    int result = check_reader(text);
    if (result == 0 && (line == NULL || length == NULL))
        result = MEMFS_EINVAL;
    if (result != 0)
        return result;
    struct mfs_decoder_place begin = mfs_decoder_tell(&text->decoder);
    size_t bytes, capacity = text->line_capacity;
    result = collect_line(text, &bytes);
    if (result < 0) {
        (void)mfs_decoder_seek(&text->decoder, &begin);
        if (text->line_capacity != capacity)
            drop_line(text);
    }
    if (result != 1)
        return result;
    text->line[bytes] = '\0';
    *line = text->line;
    *length = bytes;
    return 1;
}

int memfs_text_skip_line(memfs_text *text)
{
    int result = check_reader(text), was_there = 0;
    if (result != 0)
        return result;
    struct mfs_decoder *d = &text->decoder;
    struct mfs_decoder_place begin = mfs_decoder_tell(d);
    struct mfs_handle_run run = {.ends_line = false};
    enum memfs_text_policy policy = d->policy;
    if (policy == MEMFS_TEXT_STRICT)
        d->policy = MEMFS_TEXT_REPLACE;
    while (!run.ends_line && (result = mfs_handle_peek(text, &run)) == 1) {
        mfs_handle_take(text, &run, run.length);
        was_there = 1;
    }
    d->policy = policy;
    if (result < 0)
        (void)mfs_decoder_seek(d, &begin);
    return result < 0 ? result : was_there;
}

/* ------------------------------------------------------------------- places */

/* What a memfs_text_position holds. */
struct position {
    struct mfs_decoder_place place;
    uint32_t identity;
};

_Static_assert(sizeof(struct position) <= sizeof(memfs_text_position), "a place fits");

static int read_position(const memfs_text *text, const memfs_text_position *from,
                         struct position *out)
{
    static const memfs_text_position zero;
    memset(out, 0, sizeof *out);
    if (from == NULL || memcmp(from, &zero, sizeof zero) == 0)
        return 0;
    memcpy(out, from, sizeof *out);
    return out->identity == text->encoding.identity && out->place.offset >= 0 &&
                   out->place.shift_bytes <= sizeof out->place.shifts
               ? 0
               : MEMFS_EINVAL;
}

int memfs_text_tell(memfs_text *text, memfs_text_position *out)
{
    int error = mfs_handle_check(text);
    if (error == 0 && out == NULL)
        error = MEMFS_EINVAL;
    if (error != 0)
        return error;
    struct position position;
    memset(&position, 0, sizeof position);
    position.place = mfs_decoder_tell(&text->decoder);
    position.identity = text->encoding.identity;
    memset(out, 0, sizeof *out);
    memcpy(out, &position, sizeof position);
    return 0;
}

static int seek_place(memfs_text *text, const struct mfs_decoder_place *place)
{
    struct mfs_decoder_place before = mfs_decoder_tell(&text->decoder);
    int error = mfs_decoder_seek(&text->decoder, place);
    if (error != 0)
        (void)mfs_decoder_seek(&text->decoder, &before);
    return error;
}

int memfs_text_seek(memfs_text *text, const memfs_text_position *from)
{
    struct position position;
    int error = mfs_handle_check(text);
    if (error == 0)
        error = read_position(text, from, &position);
    return error == 0 ? seek_place(text, &position.place) : error;
}

int memfs_text_seek_end(memfs_text *text)
{
    int error = mfs_handle_check(text);
    if (error != 0)
        return error;
    struct mfs_decoder_place end = {.offset = memfs_file_size(text->file)};
    return end.offset >= 0 ? seek_place(text, &end) : (int)end.offset;
}
