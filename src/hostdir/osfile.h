/*
 * What the host's systems do differently, and conversions of its types.
 *
 * In this part an int that a function returns as a "problem" is 0, a positive errno of the host,
 * or a negative error of memfs.
 */
#ifndef MFS_HOSTDIR_OSFILE_H
#define MFS_HOSTDIR_OSFILE_H

#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

/* A directory, to reach what is in it by name: needs no permission to read it. */
int mfs_osfile_open_parent(const char *path);

/* Two names in one directory swap what they lead to, in one step.  0 or an errno; ENOSYS, EINVAL:
 * not here. */
int mfs_osfile_exchange(int directory, const char *one, const char *other);

/* The next offset of data (or, `hole`, of a hole) at or after `offset`; -1 and ENXIO: none;
 * -1 and any other errno: cannot tell. */
int64_t mfs_osfile_seek(int descriptor, int64_t offset, int hole);

int64_t mfs_osfile_ns(struct timespec time);
struct timespec mfs_osfile_timespec(int64_t nanoseconds);

/* Of a status: time of access and of modification. */
struct timespec mfs_osfile_access_time(const struct stat *status);
struct timespec mfs_osfile_modify_time(const struct stat *status);

#endif
