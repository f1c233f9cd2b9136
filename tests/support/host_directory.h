/* A directory of the host's file system for a test to work in. */
#ifndef MEMFS_TESTS_HOST_DIRECTORY_H
#define MEMFS_TESTS_HOST_DIRECTORY_H

#include <sys/types.h>

/* Makes it, empty; 0 or -1.  There is one at a time in a program. */
int host_directory_make(void);

/* Removes it with all that is in it; 0 or -1. */
int host_directory_remove(void);

/* Its absolute path. */
const char *host_directory(void);

/* The path of an entry in it; valid until the fourth call that follows. */
const char *host_path(const char *name);

/* The number of its entries. */
int host_entries(void);

/* A file in it, and what it holds; they fail the test. */
void host_write(const char *name, const char *text, mode_t mode);
void host_assert_text(const char *name, const char *text);

/* The same as set-up and teardown of a cmocka group. */
int host_directory_setup(void **state);
int host_directory_teardown(void **state);

#endif
