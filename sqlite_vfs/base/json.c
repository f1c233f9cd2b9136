/*
 * JSON strings of arbitrary bytes.
 *
 * 1. The output is valid JSON for every input.
 * 2. Valid UTF-8 is what table 3-7 of the Unicode standard says: no overlong forms, no surrogates,
 *    nothing above U+10FFFF.
 *
 * Names in the tree may be any bytes; those that are not UTF-8 cannot be told apart in the output.
 */
#include "base/json.h"

#include "base/assertion.h"

#include <stdbool.h>
#include <stddef.h>

static bool is_between(unsigned char byte, unsigned low, unsigned high)
{
    return byte >= low && byte <= high;
}

/* How many bytes follow `first`, and the range of the second byte; -1 if no character begins
 * with `first`. */
static int follower_count(unsigned char first, unsigned *low, unsigned *high)
{
    *low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    *high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (first < 0x80)
        return 0;
    if (is_between(first, 0xC2, 0xDF))
        return 1;
    if (is_between(first, 0xE0, 0xEF))
        return 2;
    return is_between(first, 0xF0, 0xF4) ? 3 : -1;
}

/* The length of the character at `bytes`, or 0 if it is not valid.  The string's NUL is in no
 * range of following bytes, so the loop stops there. */
static int character_length(const unsigned char *bytes)
{
    unsigned low;
    unsigned high;
    int count = follower_count(bytes[0], &low, &high);
    for (int index = 1; index <= count; index++) {
        if (!is_between(bytes[index], low, high))
            return 0;
        low = 0x80;
        high = 0xBF;
    }
    return count + 1;
}

static void append_character(sqlite3_str *out, const unsigned char *bytes, int length)
{
    if (length == 0)
        sqlite3_str_appendall(out, "\xEF\xBF\xBD");
    else if (bytes[0] == '"' || bytes[0] == '\\')
        sqlite3_str_appendf(out, "\\%c", bytes[0]);
    else if (bytes[0] < 0x20 || bytes[0] == 0x7F)
        sqlite3_str_appendf(out, "\\u%04x", bytes[0]);
    else
        sqlite3_str_append(out, (const char *)bytes, length);
}

void mfs_json_append_string(sqlite3_str *out, const char *bytes)
{
    const unsigned char *next = (const unsigned char *)bytes;
    sqlite3_str_appendchar(out, 1, '"');
    while (*next != '\0') {
        int length = character_length(next);
        MFS_ASSERT(length <= 4);
        append_character(out, next, length);
        next += length > 0 ? length : 1;
    }
    sqlite3_str_appendchar(out, 1, '"');
}
