/*
 * A small tree with something of everything, on which one call is tried while
 * memory is short, and the question whether it is as it was.
 *
 *     /file     three pages of data, open for reading and writing in `file`
 *     /other    a second name of it
 *     /small    ten bytes, open for reading in `reader`
 *     /sparse   a hole of two pages, then data
 *     /shared   shares all its pages with /twin
 *     /log      a page and a half, open for appending in `log`
 *     /link     a symlink to "file"
 *     /empty    an empty directory
 *     /d        a directory, open in `dir`, with x, y, e/f and e/g (hard link of x)
 *     /many     a directory with many names
 */
#ifndef MEMFS_TESTS_STAGE_H
#define MEMFS_TESTS_STAGE_H

#include "checks.h"

#include <memfs/storage.h>

#define STAGE_QUOTA_BYTES ((uint64_t)32 << 20)
#define STAGE_PATTERN_BYTES 300000u

struct stage {
    struct fixture *fixture;
    memfs *fs;
    uint32_t page_size;
    memfs_file *file, *reader, *log;
    memfs_dir *dir, *stream;
    /* What the calls that are tried leave; given back by stage_destroy(). */
    memfs_file *opened;
    memfs_dir *opened_dir;
    memfs_file_storage lent;
    void *memory;
    memfs_list list;
    int has_list;
    memfs_mapping mapping;
    int has_mapping;
    memfs_content_ref version;
    int has_version;
    memfs_walker *walker;
    memfs *clone;
    memfs_comparison *comparison;
};

struct stage *stage_create(uint32_t page_size, uint32_t config_flags);

/* Audits, gives back what is held, destroys; aborts if anything is left. */
void stage_destroy(struct stage *stage);

/* Bytes to write, STAGE_PATTERN_BYTES of them, no two pages alike. */
const unsigned char *stage_pattern(void);

/* All that can be seen of the tree, the handles' offsets included; from malloc. */
char *stage_describe(struct stage *stage);

memfs_statfs_info stage_figures(struct stage *stage);

/* Aborts with the name of the step that failed. */
void stage_must(int64_t result, const char *what);

#endif
