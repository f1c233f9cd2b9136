/* The BSDs' funopen(), for a host that has fopencookie(). */
#ifndef MEMFS_TESTS_FUNOPEN_H
#define MEMFS_TESTS_FUNOPEN_H

#include <stdio.h>
#include <sys/types.h>

FILE *funopen(const void *cookie, int (*read_call)(void *, char *, int),
              int (*write_call)(void *, const char *, int), off_t (*seek_call)(void *, off_t, int),
              int (*close_call)(void *));

#endif
