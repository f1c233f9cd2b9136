/*
 * From the bytes of a file to UTF-8, a few characters at a time.
 *
 * A batch is what one step of decoding gives: a run of valid UTF-8, as it lies in the file; one
 * character of the other built-in encodings; or what comes out of iconv() when it is fed byte by
 * byte, which is one character, mostly.
 *
 * Places.  iconv() does not tell the state it is in, so a place is a point at which the state is
 * known, and the number of characters from there.  The state is known at the beginning of a file,
 * and as long as what iconv() swallows without an answer are shift sequences: ESC and what follows,
 * SO, SI, and those of HZ.  Each of these sets something, whatever it was before; so the last one
 * of each kind, in their order, is the state: the `shifts`.  Anything else without an answer (a
 * byte order mark, a letter that an accent may follow, the '+' of UTF-7) makes the state unknown,
 * until a byte 0x0a has come out as a line feed: no iconv() keeps anything back over that.  A shift
 * that may have been swallowed with other bytes makes it unknown for good, since a line feed ends
 * shifts in some encodings only; a place is then as many characters behind the last one known, and
 * as slow to find.  Where iconv() looks for a byte order mark by itself, the state is known at the
 * beginning only, since what would be a mark there is a character elsewhere.
 */
#ifndef MFS_TEXT_DECODER_H
#define MFS_TEXT_DECODER_H

#include "encoding.h"

#include <memfs/text.h>
#include <stdbool.h>
#include <stdint.h>

enum { MFS_DECODER_RAW_BYTES = 512, MFS_DECODER_OUT_BYTES = 64, MFS_DECODER_SHIFT_BYTES = 36 };

struct mfs_decoder_place {
    int64_t offset;      /* in the file, where the state is the initial one after `shifts` */
    uint64_t characters; /* from there on */
    uint8_t shift_bytes;
    uint8_t shifts[MFS_DECODER_SHIFT_BYTES]; /* each: its length, its bytes */
};

struct mfs_decoder {
    memfs_file *file;
    struct mfs_encoding *encoding;
    enum memfs_text_policy policy;
    /* The batch: characters that are decoded and not yet taken, in `raw` or in `out`. */
    const unsigned char *queue;
    size_t queue_bytes;
    bool is_verbatim; /* they are the bytes of the file */
    struct mfs_decoder_place queue_place;
    /* What comes next. */
    bool is_keeping_back; /* the state is not known until a line feed */
    bool has_lost_shift;  /* nor behind it */
    bool is_flushed;      /* the end of the file was met in an unknown state, which is lost */
    struct mfs_decoder_place next; /* `characters` is 0 */
    size_t raw_begin, raw_end;     /* of what was read and not decoded */
    unsigned char raw[MFS_DECODER_RAW_BYTES];
    unsigned char out[MFS_DECODER_OUT_BYTES];
};

/* At an offset where the encoding is in its initial state. */
void mfs_decoder_init(struct mfs_decoder *decoder, memfs_file *file, struct mfs_encoding *encoding,
                      int64_t offset);

/* Sees to it that there is a batch: 1, or 0 at the end.  Errors: EILSEQ (nothing has moved), those
 * of memfs_pread(). */
int mfs_decoder_fill(struct mfs_decoder *decoder);

/* Takes characters of `bytes` bytes from the batch. */
void mfs_decoder_take(struct mfs_decoder *decoder, size_t bytes);

struct mfs_decoder_place mfs_decoder_tell(const struct mfs_decoder *decoder);

/* Goes to a place.  Errors: those of memfs_pread(); EILSEQ. */
int mfs_decoder_seek(struct mfs_decoder *decoder, const struct mfs_decoder_place *place);

/* The offset in the file of the place, or EINVAL where that is not known. */
int64_t mfs_decoder_offset(const struct mfs_decoder *decoder);

#endif
