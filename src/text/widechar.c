#include "widechar.h"

#include "utf8.h"

static uint32_t load(const unsigned char *bytes, size_t width, bool is_big_endian)
{
    uint32_t value = 0;
    for (size_t i = 0; i < width; i++)
        value = value << 8 | bytes[is_big_endian ? i : width - 1 - i];
    return value;
}

static void store(unsigned char *bytes, size_t width, bool is_big_endian, uint32_t value)
{
    for (size_t i = 0; i < width; i++, value >>= 8)
        bytes[is_big_endian ? width - 1 - i : i] = (unsigned char)value;
}

static int decode_narrow(unsigned char byte, unsigned char last, uint32_t *code)
{
    *code = byte;
    return byte <= last ? 1 : -1;
}

static int decode_16(bool is_big_endian, const unsigned char *bytes, size_t count, uint32_t *code)
{
    if (count < 2)
        return 0;
    uint32_t high = load(bytes, 2, is_big_endian);
    *code = high;
    if (mfs_utf8_is_scalar(high))
        return 2;
    if (high > 0xdbff)
        return -2;
    if (count < 4)
        return 0;
    uint32_t low = load(bytes + 2, 2, is_big_endian);
    if (low < 0xdc00 || low > 0xdfff)
        return -2;
    *code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    return 4;
}

static int decode_32(bool is_big_endian, const unsigned char *bytes, size_t count, uint32_t *code)
{
    if (count < 4)
        return 0;
    *code = load(bytes, 4, is_big_endian);
    return mfs_utf8_is_scalar(*code) ? 4 : -4;
}

int mfs_widechar_decode(enum mfs_widechar_kind kind, bool is_big_endian, const unsigned char *bytes,
                        size_t count, uint32_t *code)
{
    switch (kind) {
    case MFS_WIDECHAR_ASCII:
        return decode_narrow(bytes[0], 0x7f, code);
    case MFS_WIDECHAR_LATIN1:
        return decode_narrow(bytes[0], 0xff, code);
    case MFS_WIDECHAR_16:
        return decode_16(is_big_endian, bytes, count, code);
    case MFS_WIDECHAR_32:
        break;
    }
    return decode_32(is_big_endian, bytes, count, code);
}

static size_t encode_16(bool is_big_endian, unsigned char *out, uint32_t code)
{
    if (code < 0x10000) {
        store(out, 2, is_big_endian, code);
        return 2;
    }
    store(out, 2, is_big_endian, 0xd800 + ((code - 0x10000) >> 10));
    store(out + 2, 2, is_big_endian, 0xdc00 + (code & 0x3ff));
    return 4;
}

size_t mfs_widechar_encode(enum mfs_widechar_kind kind, bool is_big_endian, unsigned char *out,
                           uint32_t code)
{
    if (kind == MFS_WIDECHAR_16)
        return encode_16(is_big_endian, out, code);
    if (kind == MFS_WIDECHAR_32) {
        store(out, 4, is_big_endian, code);
        return 4;
    }
    out[0] = (unsigned char)code;
    return code <= (kind == MFS_WIDECHAR_ASCII ? 0x7fu : 0xffu) ? 1 : 0;
}
