/*
 * Invariants:
 *
 * 1. `next.offset` is the offset in the file of raw[raw_begin].
 * 2. While the batch is not empty, `queue_place` is the place of its first character.
 * 3. While the state is not known and the batch is empty, `queue_place` is the place.
 *
 * A failure leaves all three as they were.
 *
 * Cost: iconv() is called once or twice for each character, so that what it consumes for it is
 * known; the built-in encodings decode in place.
 */
#include "decoder.h"

#include "utf8.h"

#include <assert.h>
#include <string.h>

enum {
    STEP_DONE = 1,      /* something was consumed */
    STEP_MORE = 0,      /* more bytes are needed */
    STEP_INVALID = -1,  /* `invalid` bytes are no text */
    SEQUENCE_MOST = 16, /* longer than any encoding's character with its shifts */
    MARK_BYTES_MOST = 4,
    ESCAPE = 0x1b,
    SHIFT_OUT = 0x0e,
    SHIFT_IN = 0x0f,
    LINE_FEED = 0x0a
};

static size_t raw_bytes(const struct mfs_decoder *d)
{
    return d->raw_end - d->raw_begin;
}

static void consume(struct mfs_decoder *d, size_t bytes)
{
    d->raw_begin += bytes;
    d->next.offset += (int64_t)bytes;
}

/* Of iconv(), before `next`. */
static bool is_state_known(const struct mfs_decoder *d)
{
    return !d->is_keeping_back && !d->has_lost_shift;
}

static void set_queue(struct mfs_decoder *d, const unsigned char *bytes, size_t count,
                      bool is_verbatim)
{
    if (is_state_known(d))
        d->queue_place = d->next;
    d->queue = bytes;
    d->queue_bytes = count;
    d->is_verbatim = is_verbatim;
}

void mfs_decoder_init(struct mfs_decoder *d, memfs_file *file, struct mfs_encoding *encoding,
                      int64_t offset)
{
    d->file = file;
    d->encoding = encoding;
    d->queue_bytes = 0;
    d->raw_begin = d->raw_end = 0;
    d->is_keeping_back = d->has_lost_shift = false;
    d->is_flushed = false;
    d->next = (struct mfs_decoder_place){.offset = offset};
    mfs_converter_reset(&encoding->reader);
}

/* ------------------------------------------------------------------- shifts */

/* Removes an entry from the shifts, if it is there. */
static void remove_shift(struct mfs_decoder_place *place, const unsigned char *bytes, size_t count)
{
    for (size_t at = 0; at < place->shift_bytes; at += 1u + place->shifts[at]) {
        if (place->shifts[at] != count || memcmp(place->shifts + at + 1, bytes, count) != 0)
            continue;
        size_t end = at + 1 + count;
        memmove(place->shifts + at, place->shifts + end, place->shift_bytes - end);
        place->shift_bytes = (uint8_t)(place->shift_bytes - (count + 1));
        return;
    }
}

/* False: there is no room, and the state is not known any more. */
static bool add_shift(struct mfs_decoder_place *place, const unsigned char *bytes, size_t count)
{
    remove_shift(place, bytes, count);
    if (place->shift_bytes + 1 + count > sizeof place->shifts)
        return false;
    place->shifts[place->shift_bytes] = (uint8_t)count;
    memcpy(place->shifts + place->shift_bytes + 1, bytes, count);
    place->shift_bytes = (uint8_t)(place->shift_bytes + 1 + count);
    return true;
}

static bool is_shift(const unsigned char *bytes, size_t count)
{
    return bytes[0] == ESCAPE || (count == 1 && (bytes[0] == SHIFT_OUT || bytes[0] == SHIFT_IN)) ||
           (count == 2 && bytes[0] == '~' && (bytes[1] == '{' || bytes[1] == '}'));
}

/* Whether there may be a shift in what several bytes that made something consist of: behind an
 * escape that begins no shift, iconv() may consume a shift in the same step. */
static bool may_hide_shift(const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; count > 1 && i < count; i++)
        if (bytes[i] == ESCAPE || bytes[i] == SHIFT_OUT || bytes[i] == SHIFT_IN)
            return true;
    return false;
}

/*
 * iconv() has consumed `count` bytes and made `made` from them.  `next` is told the shifts, and the
 * decoder whether the state behind them is known.  A character that iconv() keeps back to join
 * it with the one behind it comes out by a line feed at the latest; a shift that was missed is
 * missed for good.  A line feed may end designations, so it is a shift where there are others.
 */
static void note_sequence(struct mfs_decoder *d, const unsigned char *bytes, size_t count,
                          size_t made)
{
    bool is_line_feed = count == 1 && bytes[0] == LINE_FEED && made > 0 &&
                        d->out[made - 1] == LINE_FEED;
    if (made == 0 && !is_shift(bytes, count)) {
        d->is_keeping_back = true;
    } else if (made == 0 || (is_line_feed && d->next.shift_bytes > 0)) {
        d->has_lost_shift |= !add_shift(&d->next, bytes, count);
    } else if (d->encoding->has_iconvs_mark || may_hide_shift(bytes, count)) {
        d->has_lost_shift = true;
    }
    if (is_line_feed)
        d->is_keeping_back = false;
}

static void replay_shifts(struct mfs_decoder *d)
{
    const struct mfs_decoder_place *place = &d->next;
    for (size_t at = 0; at < place->shift_bytes; at += 1u + place->shifts[at]) {
        struct mfs_converter_span span = {place->shifts + at + 1, place->shifts[at], d->out,
                                          sizeof d->out};
        (void)mfs_converter_run(&d->encoding->reader, &span);
    }
}

/* -------------------------------------------------------------------- steps */

static int step_utf8(struct mfs_decoder *d, size_t *invalid)
{
    const unsigned char *bytes = d->raw + d->raw_begin;
    size_t count = raw_bytes(d), valid = mfs_utf8_valid_length(bytes, count);
    if (valid > 0) {
        set_queue(d, bytes, valid, true);
        consume(d, valid);
        return STEP_DONE;
    }
    int step = mfs_utf8_decode(bytes, count, NULL);
    *invalid = (size_t)-step;
    return step == 0 ? STEP_MORE : STEP_INVALID;
}

static int step_widechar(struct mfs_decoder *d, size_t *invalid)
{
    uint32_t code;
    int step = mfs_widechar_decode(d->encoding->wide, d->encoding->is_big_endian,
                                   d->raw + d->raw_begin, raw_bytes(d), &code);
    *invalid = (size_t)-step;
    if (step <= 0)
        return step == 0 ? STEP_MORE : STEP_INVALID;
    set_queue(d, d->out, mfs_utf8_encode(d->out, code), false);
    consume(d, (size_t)step);
    return STEP_DONE;
}

/* Feeds iconv() one byte more each time, until it consumes something. */
static int step_iconv(struct mfs_decoder *d, size_t *invalid)
{
    const unsigned char *bytes = d->raw + d->raw_begin;
    size_t available = raw_bytes(d);
    *invalid = available < d->encoding->unit_bytes ? available : d->encoding->unit_bytes;
    for (size_t fed = 1; fed <= available && fed <= SEQUENCE_MOST; fed++) {
        struct mfs_converter_span span = {bytes, fed, d->out, sizeof d->out};
        enum mfs_converter_result result = mfs_converter_run(&d->encoding->reader, &span);
        size_t consumed = fed - span.in_bytes, made = sizeof d->out - span.out_bytes;
        assert(result != MFS_CONVERTER_FULL);
        if (consumed > 0) {
            set_queue(d, d->out, made, false);
            note_sequence(d, bytes, consumed, made);
            consume(d, consumed);
            return STEP_DONE;
        }
        if (result != MFS_CONVERTER_INCOMPLETE)
            return STEP_INVALID;
    }
    return available < SEQUENCE_MOST ? STEP_MORE : STEP_INVALID;
}

static int step(struct mfs_decoder *d, size_t *invalid)
{
    if (raw_bytes(d) == 0)
        return STEP_MORE;
    switch (d->encoding->kind) {
    case MFS_ENCODING_UTF8:
        return step_utf8(d, invalid);
    case MFS_ENCODING_WIDECHAR:
        return step_widechar(d, invalid);
    case MFS_ENCODING_ICONV:
        break;
    }
    return step_iconv(d, invalid);
}

/* -------------------------------------------------------------------- input */

/* Reads on behind what is there: the count of new bytes. */
static int64_t read_more(struct mfs_decoder *d)
{
    memmove(d->raw, d->raw + d->raw_begin, raw_bytes(d));
    d->raw_end -= d->raw_begin;
    d->raw_begin = 0;
    int64_t count = memfs_pread(d->file, d->raw + d->raw_end, sizeof d->raw - d->raw_end,
                                d->next.offset + (int64_t)d->raw_end);
    if (count > 0)
        d->raw_end += (size_t)count;
    return count;
}

/* At the beginning of the file. */
static int skip_mark(struct mfs_decoder *d)
{
    unsigned char mark[MARK_BYTES_MOST];
    mfs_encoding_settle_order(d->encoding, d->file);
    size_t bytes = mfs_encoding_mark(d->encoding, mark);
    int64_t count = 1;
    while (raw_bytes(d) < bytes && count > 0)
        count = read_more(d);
    if (count >= 0 && bytes > 0 && raw_bytes(d) >= bytes &&
        memcmp(d->raw + d->raw_begin, mark, bytes) == 0)
        consume(d, bytes);
    return count < 0 ? (int)count : 0;
}

static int pass_over(struct mfs_decoder *d, size_t bytes)
{
    if (d->policy == MEMFS_TEXT_STRICT)
        return MEMFS_EILSEQ;
    if (d->policy == MEMFS_TEXT_REPLACE) {
        memcpy(d->out, "\xef\xbf\xbd", 3);
        set_queue(d, d->out, 3, false);
    }
    if (d->encoding->has_iconvs_mark && is_state_known(d)) { /* this was the beginning */
        d->queue_place = d->next;
        d->has_lost_shift = true;
    }
    consume(d, bytes);
    return 0;
}

/* The file is at its end: what iconv() has kept back comes out. */
static int flush_at_end(struct mfs_decoder *d)
{
    if (is_state_known(d))
        return 0;
    struct mfs_converter_span span = {NULL, 0, d->out, sizeof d->out};
    (void)mfs_converter_flush(&d->encoding->reader, &span);
    d->is_flushed = true;
    set_queue(d, d->out, sizeof d->out - span.out_bytes, false);
    return d->queue_bytes > 0;
}

/* What was kept back at the end has come out; if the file has grown since, the state is needed
 * again. */
static int resume_after_end(struct mfs_decoder *d)
{
    int64_t count = read_more(d);
    if (count <= 0)
        return (int)count;
    struct mfs_decoder_place place = d->queue_place;
    int error = mfs_decoder_seek(d, &place);
    return error != 0 ? error : mfs_decoder_fill(d);
}

static int fill_once(struct mfs_decoder *d)
{
    size_t invalid = 0;
    int result = step(d, &invalid);
    if (result == STEP_DONE)
        return 0;
    if (result == STEP_INVALID)
        return pass_over(d, invalid);
    int64_t count = read_more(d);
    if (count != 0)
        return count > 0 ? 0 : (int)count;
    if (raw_bytes(d) > 0)
        return pass_over(d, raw_bytes(d));
    return flush_at_end(d) ? 0 : 1;
}

int mfs_decoder_fill(struct mfs_decoder *d)
{
    int result = 0;
    if (d->queue_bytes > 0)
        return 1;
    if (d->is_flushed)
        return resume_after_end(d);
    if (d->next.offset == 0 && d->encoding->has_mark)
        result = skip_mark(d);
    while (result == 0 && d->queue_bytes == 0)
        result = fill_once(d);
    return result < 0 ? result : d->queue_bytes > 0;
}

/* ------------------------------------------------------------------- places */

void mfs_decoder_take(struct mfs_decoder *d, size_t bytes)
{
    assert(bytes <= d->queue_bytes);
    if (d->is_verbatim)
        d->queue_place.offset += (int64_t)bytes;
    else
        d->queue_place.characters += mfs_utf8_count(d->queue, bytes);
    d->queue += bytes;
    d->queue_bytes -= bytes;
}

struct mfs_decoder_place mfs_decoder_tell(const struct mfs_decoder *d)
{
    return d->queue_bytes == 0 && is_state_known(d) ? d->next : d->queue_place;
}

static int take_characters(struct mfs_decoder *d, uint64_t characters)
{
    int result = 1;
    while (characters > 0 && (result = mfs_decoder_fill(d)) == 1) {
        mfs_decoder_take(d, mfs_utf8_length(d->queue[0]));
        characters--;
    }
    return result < 0 ? result : 0;
}

int mfs_decoder_seek(struct mfs_decoder *d, const struct mfs_decoder_place *place)
{
    mfs_decoder_init(d, d->file, d->encoding, place->offset);
    d->next = *place;
    d->next.characters = 0;
    replay_shifts(d);
    return take_characters(d, place->characters);
}

int64_t mfs_decoder_offset(const struct mfs_decoder *d)
{
    struct mfs_decoder_place place = mfs_decoder_tell(d);
    if (place.characters == 0)
        return place.offset;
    /* Behind all that was read: what is kept back belongs before it. */
    return d->queue_bytes == 0 && d->is_flushed ? d->next.offset : MEMFS_EINVAL;
}
