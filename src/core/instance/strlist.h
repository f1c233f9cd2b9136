/*
 * Lists of strings that grow: what becomes a memfs_list.
 *
 * They are built of blocks of the class of handles, since the caller holds them when they are
 * finished.  While a list grows it needs no block larger than a page, unless one string is.  The
 * array of pointers that the finished list shows to the caller is one block, however long it is:
 * a program that must not be refused by fragmentation reads a directory stream instead.
 */
#ifndef MFS_STRLIST_H
#define MFS_STRLIST_H

#include "memory/block.h"
#include "node/dir.h"

#include <memfs/memfs.h>

#include <stddef.h>

struct mfs_strlist_chunk;

struct mfs_strlist {
    struct mfs_block_list *blocks;
    struct mfs_memory *memory;
    struct mfs_strlist_chunk *first, *last; /* null while the list is empty */
    size_t count;                           /* strings */
};

/* Appends the two parts as one string.  Errors: EDQUOT, ENOMEM. */
int mfs_strlist_append(struct mfs_strlist *list, const char *first, size_t first_length,
                       const char *second, size_t second_length);

/* Appends the names in the directory.  Errors: EDQUOT, ENOMEM. */
int mfs_strlist_append_names(struct mfs_strlist *list, const struct mfs_dir *dir);

/*
 * Sorts the list by bytes, drops repetitions (a name that was removed and made again while others
 * were collected may be there twice), and hands the list over; or frees it and fails.
 * Errors: EDQUOT, ENOMEM.
 */
int mfs_strlist_finish(struct mfs_strlist *list, memfs_list *out);
void mfs_strlist_fini(struct mfs_strlist *list);

/* Frees what mfs_strlist_finish() handed over. */
void mfs_strlist_free(struct mfs_block_list *blocks, struct mfs_memory *memory, memfs_list *list);

#endif
