/* A tar made header by header, as no sound program would write it.  What cannot be made aborts. */
#ifndef MEMFS_TESTS_TARMAKER_H
#define MEMFS_TESTS_TARMAKER_H

#include <stddef.h>
#include <stdint.h>

#define TAR_BLOCK_BYTES 512

/* An archive in memory. */
struct bytes {
    char *data; /* from malloc */
    size_t size, capacity;
};

void bytes_add(struct bytes *bytes, const void *more, size_t size);
void bytes_free(struct bytes *bytes);

/* The header of an entry that declares to have so many bytes. */
void tar_header(char block[TAR_BLOCK_BYTES], const char *name, char type, unsigned mode,
                const char *target, uint64_t declared);

/* An entry that declares one size and has another. */
void tar_add(struct bytes *tar, const char *name, char type, unsigned mode, const char *target,
             uint64_t declared, const void *data, size_t size);
void tar_file(struct bytes *tar, const char *name, const char *text);
void tar_end(struct bytes *tar);

#endif
