/* A program as it is when it was compiled against the headers of an older, this, or a newer
 * version of memfs: program.c, compiled three times. */
#ifndef MEMFS_TESTS_PROGRAM_H
#define MEMFS_TESTS_PROGRAM_H

#include <stddef.h>

struct memfs;

struct program {
    size_t config_bytes, stat_bytes; /* its sizeof(memfs_config), sizeof(memfs_stat_info) */
    /* Each returns null, or what was not as it should be. */
    const char *(*creates)(struct memfs **out);
    const char *(*asks)(struct memfs *fs);
    const char *(*opens)(struct memfs *fs);
    const char *(*walks)(struct memfs *fs);
    const char *(*uses_fields_of_the_future)(struct memfs *fs);
};

extern const struct program older_program, same_program, newer_program;

#endif
