/*
 * Structs of callers that begin with `size_t struct_size`.
 *
 * The caller's struct may be of an older or a newer version than this library's; memfs.h says
 * under "Structs" what then happens.  Every exported function that reads or fills such a struct
 * does it through these functions, and names the last field that it cannot do without:
 *
 *     memfs_stat_info own;
 *     int error = mfs_structsize_check_out(info, MFS_STRUCTSIZE_UP_TO(memfs_stat_info, number));
 *     ...
 *     mfs_structsize_copy_out(info, &own, sizeof own);
 */
#ifndef MFS_STRUCTSIZE_H
#define MFS_STRUCTSIZE_H

#include <memfs/memfs.h>

/* The size of the struct as far as `field`, that included. */
#define MFS_STRUCTSIZE_UP_TO(type, field) (offsetof(type, field) + sizeof((type){0}.field))

/*
 * Copies the caller's struct into the library's, `own`, of `own_size` bytes.  What the caller's
 * lacks is zero, and own's struct_size is own_size.
 * Errors: EINVAL (null, or smaller than `minimum`), E2BIG (what the library lacks is not zero).
 */
int mfs_structsize_copy_in(void *own, size_t own_size, const void *theirs, size_t minimum);

/* Whether a struct of this size can be filled in: 0, EINVAL or E2BIG. */
int mfs_structsize_check(size_t struct_size, size_t minimum);

/* The same of a struct that the caller passed; it must not be null.  Errors: EINVAL (null too). */
int mfs_structsize_check_out(const void *theirs, size_t minimum);

/* Fills the caller's struct, which has passed the check, from the library's; its struct_size
 * stays.  What the library lacks becomes zero. */
void mfs_structsize_copy_out(void *theirs, const void *own, size_t own_size);

/* The end of that, for a struct that was filled in place, as it has all the library's fields. */
void mfs_structsize_clear_rest(void *theirs, size_t own_size);

#endif
