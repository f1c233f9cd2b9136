#include "tarmaker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(int is_true)
{
    if (!is_true)
        abort();
}

void bytes_add(struct bytes *bytes, const void *more, size_t size)
{
    if (bytes->size + size > bytes->capacity) {
        bytes->capacity = 2 * (bytes->size + size) + 4096;
        bytes->data = realloc(bytes->data, bytes->capacity);
        must(bytes->data != NULL);
    }
    if (size > 0)
        memcpy(bytes->data + bytes->size, more, size);
    bytes->size += size;
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){NULL, 0, 0};
}

void tar_header(char block[TAR_BLOCK_BYTES], const char *name, char type, unsigned mode,
                const char *target, uint64_t declared)
{
    unsigned sum = 0;
    must(strlen(name) <= 100 && strlen(target) <= 100);
    memset(block, 0, TAR_BLOCK_BYTES);
    memcpy(block, name, strlen(name));
    snprintf(block + 100, 8, "%07o", mode);
    snprintf(block + 108, 8, "%07o", 0);
    snprintf(block + 116, 8, "%07o", 0);
    snprintf(block + 124, 13, "%012" PRIo64, declared);
    snprintf(block + 136, 12, "%011o", 1000000000);
    memset(block + 148, ' ', 8);
    block[156] = type;
    memcpy(block + 157, target, strlen(target));
    memcpy(block + 257,
           "ustar\0"
           "00",
           8);
    for (int i = 0; i < TAR_BLOCK_BYTES; i++)
        sum += (unsigned char)block[i];
    snprintf(block + 148, 8, "%06o", sum);
}

static void pad(struct bytes *tar)
{
    static const char none[TAR_BLOCK_BYTES];
    bytes_add(tar, none, (TAR_BLOCK_BYTES - tar->size % TAR_BLOCK_BYTES) % TAR_BLOCK_BYTES);
}

void tar_add(struct bytes *tar, const char *name, char type, unsigned mode, const char *target,
             uint64_t declared, const void *data, size_t size)
{
    char header[TAR_BLOCK_BYTES];
    tar_header(header, name, type, mode, target, declared);
    bytes_add(tar, header, sizeof header);
    bytes_add(tar, data, size);
    pad(tar);
}

void tar_file(struct bytes *tar, const char *name, const char *text)
{
    tar_add(tar, name, '0', 0644, "", strlen(text), text, strlen(text));
}

void tar_end(struct bytes *tar)
{
    static const char none[2 * TAR_BLOCK_BYTES];
    bytes_add(tar, none, sizeof none);
}
