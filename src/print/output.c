/* What is UTF-8: the table of well-formed byte sequences in the Unicode standard, section 3.9. */
#include "output.h"

#include <inttypes.h>

int mfs_output_flush(struct mfs_output *output)
{
    if (output->error != 0 || output->used == 0)
        return output->error;
    int result = output->write(output->context, output->buffer, output->used);
    output->used = 0;
    output->error = result > 0 ? MEMFS_EINVAL : result;
    return output->error;
}

static void add(struct mfs_output *output, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (output->used == sizeof output->buffer && mfs_output_flush(output) != 0)
            return;
        output->buffer[output->used++] = text[i];
    }
}

void mfs_output_text(struct mfs_output *output, const char *text)
{
    add(output, text, strlen(text));
}

void mfs_output_count(struct mfs_output *output, uint64_t count, const char *one,
                      const char *several)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64 " ", count);
    mfs_output_text(output, text);
    mfs_output_text(output, count == 1 ? one : several);
}

void mfs_output_size(struct mfs_output *output, uint64_t bytes, int width)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    char text[40];
    if (output->in_bytes || bytes < 1024) {
        char digits[24];
        snprintf(digits, sizeof digits, "%" PRIu64 "%s", bytes, output->in_bytes ? "" : " B");
        snprintf(text, sizeof text, "%*s", width, digits);
    } else {
        size_t unit = 0;
        double value = (double)bytes / 1024;
        /* Rounded to one digit, 1023.96 would be 1024.0. */
        while (value >= 1023.95) {
            value /= 1024;
            unit++;
        }
        snprintf(text, sizeof text, "%*.1f %s", width > 4 ? width - 4 : 0, value, units[unit]);
    }
    mfs_output_text(output, text);
}

static bool is_between(unsigned char byte, unsigned char low, unsigned char high)
{
    return low <= byte && byte <= high;
}

/* The length of the well-formed sequence that `bytes` begins with; 0 if there is none. */
static size_t sequence_length(const unsigned char *bytes, size_t length)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high;
        size_t length;
    } table[] = {
        {0x00, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    size_t row = 0, rows = sizeof table / sizeof table[0];
    while (row < rows && !is_between(bytes[0], table[row].first_low, table[row].first_high))
        row++;
    if (row == rows || table[row].length > length)
        return 0;
    if (table[row].length > 1 &&
        !is_between(bytes[1], table[row].second_low, table[row].second_high))
        return 0;
    for (size_t i = 2; i < table[row].length; i++)
        if (!is_between(bytes[i], 0x80, 0xbf))
            return 0;
    return table[row].length;
}

/* C0 and C1 control characters; and the backslash, with which escapes begin. */
static bool is_printable(const unsigned char *bytes, size_t length)
{
    if (length == 1)
        return bytes[0] >= ' ' && bytes[0] != 0x7f && bytes[0] != '\\';
    return length > 0 && !(bytes[0] == 0xc2 && bytes[1] < 0xa0);
}

void mfs_output_name(struct mfs_output *output, const char *name, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)name;
    for (size_t i = 0; i < length;) {
        size_t sequence = sequence_length(bytes + i, length - i);
        if (is_printable(bytes + i, sequence)) {
            add(output, name + i, sequence);
        } else {
            char escape[8];
            snprintf(escape, sizeof escape, "\\x%02x", (unsigned)bytes[i]);
            mfs_output_text(output, escape);
            sequence = 1;
        }
        i += sequence;
    }
}
