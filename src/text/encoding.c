/*
 * Names are compared without case, '-' and '_', so that "utf8" is UTF-8.  What the table does not
 * have goes to iconv() as it is.
 */
#include "encoding.h"

#include <stddef.h>
#include <string.h>

struct builtin {
    const char *name;
    enum mfs_encoding_kind kind;
    enum mfs_widechar_kind wide;
    bool has_mark, has_order, is_big_endian;
    size_t unit_bytes;
};

static const struct builtin builtins[] = {
    {"UTF8", MFS_ENCODING_UTF8, MFS_WIDECHAR_ASCII, false, true, false, 1},
    {"UTF8SIG", MFS_ENCODING_UTF8, MFS_WIDECHAR_ASCII, true, true, false, 1},
    {"UTF16", MFS_ENCODING_WIDECHAR, MFS_WIDECHAR_16, true, false, false, 2},
    {"UTF16LE", MFS_ENCODING_WIDECHAR, MFS_WIDECHAR_16, false, true, false, 2},
    {"UTF16BE", MFS_ENCODING_WIDECHAR, MFS_WIDECHAR_16, false, true, true, 2},
    {"UTF32", MFS_ENCODING_WIDECHAR, MFS_WIDECHAR_32, true, false, false, 4},
    {"UTF32LE", MFS_ENCODING_WIDECHAR, MFS_WIDECHAR_32, false, true, false, 4},
    {"UTF32BE", MFS_ENCODING_WIDECHAR, MFS_WIDECHAR_32, false, true, true, 4},
    {"ASCII", MFS_ENCODING_WIDECHAR, MFS_WIDECHAR_ASCII, false, true, false, 1},
    {"USASCII", MFS_ENCODING_WIDECHAR, MFS_WIDECHAR_ASCII, false, true, false, 1},
    {"LATIN1", MFS_ENCODING_WIDECHAR, MFS_WIDECHAR_LATIN1, false, true, false, 1},
    {"ISO88591", MFS_ENCODING_WIDECHAR, MFS_WIDECHAR_LATIN1, false, true, false, 1},
};

static char upper(char letter)
{
    return letter >= 'a' && letter <= 'z' ? (char)(letter - 'a' + 'A') : letter;
}

static const char *skip_separators(const char *name)
{
    while (*name == '-' || *name == '_')
        name++;
    return name;
}

static bool is_same_name(const char *plain, const char *name)
{
    for (name = skip_separators(name); *plain != '\0'; name = skip_separators(name + 1))
        if (*plain++ != upper(*name))
            return false;
    return *name == '\0';
}

/* FNV-1a, of the name in capitals. */
static uint32_t identity_of(const char *name)
{
    uint32_t hash = 2166136261u;
    for (name = skip_separators(name); *name != '\0'; name = skip_separators(name + 1))
        hash = (hash ^ (unsigned char)upper(*name)) * 16777619u;
    return hash;
}

static bool is_big_endian_machine(void)
{
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first == 0;
}

static void take_builtin(struct mfs_encoding *encoding, const struct builtin *row)
{
    encoding->kind = row->kind;
    encoding->wide = row->wide;
    encoding->has_mark = row->has_mark;
    encoding->has_order = row->has_order;
    encoding->is_big_endian = row->has_order ? row->is_big_endian : is_big_endian_machine();
    encoding->unit_bytes = row->unit_bytes;
}

/* Converts an 'a'; returns the count of bytes, 0 if it cannot be. */
static size_t sample(struct mfs_converter *converter, unsigned char *out, size_t size)
{
    struct mfs_converter_span span = {(const unsigned char *)"a", 1, out, size};
    if (mfs_converter_run(converter, &span) != MFS_CONVERTER_DONE)
        return 0;
    return size - span.out_bytes;
}

/* What comes out of the first 'a' and not of the second is the prolog. */
static void learn_units(struct mfs_encoding *encoding, struct mfs_converter *to)
{
    unsigned char first[16], second[16];
    size_t first_bytes = sample(to, first, sizeof first);
    size_t second_bytes = sample(to, second, sizeof second);
    mfs_converter_reset(to);
    encoding->unit_bytes = second_bytes == 2 || second_bytes == 4 ? second_bytes : 1;
    size_t more = first_bytes > second_bytes ? first_bytes - second_bytes : 0;
    if (second_bytes == 0 || more > sizeof encoding->prolog ||
        memcmp(first + more, second, second_bytes) != 0)
        return;
    memcpy(encoding->prolog, first, more);
    encoding->prolog_bytes = more;
    encoding->has_iconvs_mark = encoding->unit_bytes > 1 && more == encoding->unit_bytes;
}

static int open_converters(struct mfs_encoding *encoding, const char *name, bool reads, bool writes)
{
    int error = mfs_converter_open(&encoding->writer, name, "UTF-8");
    if (error == 0 && reads)
        error = mfs_converter_open(&encoding->reader, "UTF-8", name);
    if (error == 0)
        learn_units(encoding, &encoding->writer);
    if (error != 0 || !writes)
        mfs_converter_close(&encoding->writer);
    return error;
}

int mfs_encoding_open(struct mfs_encoding *encoding, const char *name, bool reads, bool writes)
{
    memset(encoding, 0, sizeof *encoding);
    encoding->identity = identity_of(name);
    for (size_t i = 0; i < sizeof builtins / sizeof builtins[0]; i++)
        if (is_same_name(builtins[i].name, name)) {
            take_builtin(encoding, &builtins[i]);
            return 0;
        }
    encoding->kind = MFS_ENCODING_ICONV;
    encoding->has_order = true;
    return open_converters(encoding, name, reads, writes);
}

void mfs_encoding_close(struct mfs_encoding *encoding)
{
    mfs_converter_close(&encoding->reader);
    mfs_converter_close(&encoding->writer);
}

size_t mfs_encoding_mark(const struct mfs_encoding *encoding, unsigned char *out)
{
    if (!encoding->has_mark)
        return 0;
    if (encoding->kind == MFS_ENCODING_UTF8) {
        memcpy(out, "\xef\xbb\xbf", 3);
        return 3;
    }
    return mfs_widechar_encode(encoding->wide, encoding->is_big_endian, out, 0xfeff);
}

void mfs_encoding_settle_order(struct mfs_encoding *encoding, memfs_file *file)
{
    unsigned char found[4], mark[4];
    if (encoding->has_order ||
        memfs_pread(file, found, encoding->unit_bytes, 0) != (int64_t)encoding->unit_bytes)
        return;
    encoding->is_big_endian = !is_big_endian_machine();
    size_t bytes = mfs_encoding_mark(encoding, mark);
    if (memcmp(found, mark, bytes) != 0)
        encoding->is_big_endian = is_big_endian_machine();
    encoding->has_order = true;
}
