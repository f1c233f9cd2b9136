/*
 * Stands between hostdir and the host's calls (by the linker's --wrap): fails the nth of them, or
 * does something before one.
 */
#ifndef MEMFS_TESTS_HOSTCALLS_H
#define MEMFS_TESTS_HOSTCALLS_H

#include <stdbool.h>
#include <stdint.h>

struct hostcalls {
    uint64_t count;                      /* of calls since they are counted */
    uint64_t fail_at;                    /* this one fails; 0: none */
    uint64_t bytes_asked, bytes_written; /* by pread() and pwrite() */
    int fail_with;                       /* errno */
    bool has_failed;
    bool has_no_exchange;      /* two names cannot be exchanged in one step */
    const char *climbing_name; /* what the next readdir() gives instead of an entry; or null */
    /* Called before each openat(), fstatat() and linkat(); may be null. */
    void (*before)(void *context, const char *call, int directory, const char *name);
    void *context;
};

/* Of the process; all zeros passes every call on. */
extern struct hostcalls hostcalls;

void hostcalls_reset(void);

#endif
