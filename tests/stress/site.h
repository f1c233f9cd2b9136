/*
 * Where a crew works: a file system on the tracking allocator, and what it
 * used while empty.  Closing the site proves that the work left nothing: the
 * tree is emptied, the audit agrees, what is used is what was used at first,
 * and the allocator gets every block back.
 */
#ifndef MEMFS_TESTS_SITE_H
#define MEMFS_TESTS_SITE_H

#include "checks.h"
#include "crew.h"

struct site {
    struct fixture *fixture;
    memfs *fs;
    uint64_t used_at_first_bytes;
};

/* `page_size` 0 means the default; aborts if the file system cannot be made. */
void site_open(struct site *site, uint64_t quota_bytes, uint32_t page_size);

/* The same, from a config of the caller's. */
void site_open_with(struct site *site, const memfs_config *config);

/* Removes all that is in the root directory, checks as said above, and destroys.  Uses cmocka's
 * assertions: for the test's own thread. */
void site_close(struct site *site);

/* The bytes in live objects now. */
uint64_t site_used_bytes(const struct site *site);

/* Opens a file for a member of a crew whose context is a site. */
memfs_file *site_open_file(struct crew_member *me, const char *path, uint32_t flags);

/* 1 if all `size` bytes have the same value as the first. */
int site_is_uniform(const void *bytes, size_t size);

#endif
