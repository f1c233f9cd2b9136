/*
 * The table of well-formed byte sequences (Unicode 15, table 3-7) has one row in which the second
 * byte has other limits than the rest for each of four first bytes; this is that table as code.
 */
#include "utf8.h"

/* How many bytes follow `first`, and the limits of the first of these; -1: it begins nothing. */
static int following(unsigned char first, unsigned char *low, unsigned char *high)
{
    *low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    *high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (first < 0x80)
        return 0;
    if (first < 0xc2 || first > 0xf4)
        return -1;
    return (int)mfs_utf8_length(first) - 1;
}

int mfs_utf8_decode(const unsigned char *bytes, size_t count, uint32_t *code)
{
    static const unsigned char first_bits[] = {0x7f, 0x1f, 0x0f, 0x07};
    unsigned char low, high;
    int more = following(bytes[0], &low, &high);
    if (more < 0)
        return -1;
    uint32_t value = bytes[0] & first_bits[more];
    for (int i = 1; i <= more; i++) {
        if ((size_t)i == count)
            return 0;
        if (bytes[i] < low || bytes[i] > high)
            return -i;
        value = value << 6 | (bytes[i] & 0x3fu);
        low = 0x80;
        high = 0xbf;
    }
    if (code != NULL)
        *code = value;
    return more + 1;
}

size_t mfs_utf8_encode(unsigned char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (unsigned char)code;
        return 1;
    }
    size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--, code >>= 6)
        out[i] = (unsigned char)(0x80 | (code & 0x3f));
    out[0] = (unsigned char)((0xf00u >> length) | code);
    return length;
}

size_t mfs_utf8_valid_length(const unsigned char *bytes, size_t count)
{
    size_t length = 0;
    while (length < count) {
        int step = bytes[length] < 0x80 ? 1 : mfs_utf8_decode(bytes + length, count - length, NULL);
        if (step <= 0)
            break;
        length += (size_t)step;
    }
    return length;
}

size_t mfs_utf8_count(const unsigned char *bytes, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += (bytes[i] & 0xc0) != 0x80;
    return count;
}
