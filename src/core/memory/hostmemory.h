/*
 * How much memory the operating system would still give to this process: the least of what the
 * machine has available and what each limit on a group of processes leaves that this one is in.
 *
 * Known on Linux alone.  Reads files, some ten of them, and takes no memory.
 */
#ifndef MFS_HOSTMEMORY_H
#define MFS_HOSTMEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* Whether this system can be asked at all. */
bool mfs_hostmemory_is_known(void);

/*
 * `root` stands before all paths of the system, "" for the real ones.  False if nothing was found
 * out.  Threads: any.
 */
bool mfs_hostmemory_available(const char *root, uint64_t *bytes);

#endif
