/* An encoding by its name: one that is built in, or one of iconv()'s. */
#ifndef MFS_TEXT_ENCODING_H
#define MFS_TEXT_ENCODING_H

#include "converter.h"
#include "widechar.h"

#include <memfs/memfs.h>
#include <stdbool.h>
#include <stdint.h>

enum mfs_encoding_kind { MFS_ENCODING_UTF8, MFS_ENCODING_WIDECHAR, MFS_ENCODING_ICONV };

enum { MFS_ENCODING_PROLOG_MOST = 8 };

struct mfs_encoding {
    enum mfs_encoding_kind kind;
    enum mfs_widechar_kind wide; /* WIDECHAR */
    bool has_mark;               /* a byte order mark is written and skipped (built-in ones) */
    bool has_iconvs_mark;        /* iconv() writes and skips one itself */
    bool has_order;              /* the byte order is certain */
    bool is_big_endian;
    size_t unit_bytes; /* what is invalid is passed over in units of this */
    /* What iconv() writes after each reset, though it belongs at the beginning of a file only. */
    unsigned char prolog[MFS_ENCODING_PROLOG_MOST];
    size_t prolog_bytes;
    uint32_t identity;                   /* of the name, for positions */
    struct mfs_converter reader, writer; /* ICONV */
};

/* Finds the encoding, and opens the converters that are wanted.  Errors: EOPNOTSUPP, ENOMEM. */
int mfs_encoding_open(struct mfs_encoding *encoding, const char *name, bool reads, bool writes);
void mfs_encoding_close(struct mfs_encoding *encoding);

/* Looks at the beginning of the file for the byte order, unless that is certain. */
void mfs_encoding_settle_order(struct mfs_encoding *encoding, memfs_file *file);

/* The mark, in at most 4 bytes, and its length; 0: it has none. */
size_t mfs_encoding_mark(const struct mfs_encoding *encoding, unsigned char *out);

#endif
