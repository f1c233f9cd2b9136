/* Growing lists of strings, in blocks of the class of handles: what becomes a memfs_list. */
#ifndef MFS_STRLIST_H
#define MFS_STRLIST_H

#include "memory/block.h"
#include "node/dir.h"

#include <memfs/memfs.h>

#include <stddef.h>

struct mfs_strlist {
    struct mfs_block_list *blocks;
    struct mfs_memory *memory;
    char *bytes; /* the strings one after another, each with its NUL */
    size_t used, capacity;
    size_t count;
};

/* Appends the two parts as one string.  Errors: EDQUOT, ENOMEM. */
int mfs_strlist_append(struct mfs_strlist *list, const char *first, size_t first_length,
                       const char *second, size_t second_length);

/* Appends the names in the directory.  Errors: EDQUOT, ENOMEM. */
int mfs_strlist_append_names(struct mfs_strlist *list, const struct mfs_dir *dir);

/*
 * Sorts the list by bytes, each string once (a name that was removed and made again while others
 * were collected may be there twice), and hands it over; or frees it and fails.
 * Errors: EDQUOT, ENOMEM.
 */
int mfs_strlist_finish(struct mfs_strlist *list, memfs_list *out);
void mfs_strlist_fini(struct mfs_strlist *list);

/* Frees what mfs_strlist_finish() handed over. */
void mfs_strlist_free(struct mfs_block_list *blocks, struct mfs_memory *memory, memfs_list *list);

#endif
