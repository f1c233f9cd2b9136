/* What both programs of a target have. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint8_t fuzz_take_byte(struct fuzz_reader *reader)
{
    if (reader->left == 0)
        return 0;
    reader->left--;
    return *reader->bytes++;
}

uint32_t fuzz_take_u32(struct fuzz_reader *reader)
{
    uint32_t number = 0;
    for (unsigned shift = 0; shift < 32; shift += 8)
        number |= (uint32_t)fuzz_take_byte(reader) << shift;
    return number;
}

void fuzz_take_string(struct fuzz_reader *reader, char *string, size_t size)
{
    size_t length = 0;
    while (reader->left > 0) {
        uint8_t byte = fuzz_take_byte(reader);
        if (byte == 0)
            break;
        if (length + 1 < size)
            string[length++] = (char)byte;
    }
    string[length] = '\0';
}

void fuzz_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    fflush(NULL);
    abort();
}

size_t fuzz_seed_string(const char *string, uint8_t *bytes, size_t capacity)
{
    size_t length = strlen(string);
    if (length > capacity)
        length = capacity;
    memcpy(bytes, string, length);
    return length;
}
