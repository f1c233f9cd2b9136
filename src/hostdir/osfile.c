/* The one file of this part that looks at which system it is on. */
#if defined(__linux__)
#define _GNU_SOURCE 1 /* O_PATH, SEEK_DATA, syscall() */
#endif

#include "osfile.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

enum { NS_PER_SECOND = 1000000000 };

int mfs_osfile_open_parent(const char *path)
{
#if defined(O_PATH)
    return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
#elif defined(O_SEARCH)
    return open(path, O_SEARCH | O_DIRECTORY | O_CLOEXEC);
#else
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
#endif
}

int mfs_osfile_exchange(int directory, const char *one, const char *other)
{
#if defined(__linux__) && defined(SYS_renameat2)
    const unsigned exchange = 2; /* RENAME_EXCHANGE, which old headers lack */
    return syscall(SYS_renameat2, directory, one, directory, other, exchange) == 0 ? 0 : errno;
#else
    (void)directory;
    (void)one;
    (void)other;
    return ENOSYS;
#endif
}

int64_t mfs_osfile_seek(int descriptor, int64_t offset, int hole)
{
#if defined(SEEK_DATA) && defined(SEEK_HOLE)
    return lseek(descriptor, (off_t)offset, hole ? SEEK_HOLE : SEEK_DATA);
#else
    (void)descriptor;
    (void)offset;
    (void)hole;
    errno = EINVAL;
    return -1;
#endif
}

int64_t mfs_osfile_ns(struct timespec time)
{
    return (int64_t)time.tv_sec * NS_PER_SECOND + time.tv_nsec;
}

struct timespec mfs_osfile_timespec(int64_t nanoseconds)
{
    struct timespec time;
    int64_t rest = nanoseconds % NS_PER_SECOND;
    if (rest < 0)
        rest += NS_PER_SECOND;
    time.tv_sec = (time_t)((nanoseconds - rest) / NS_PER_SECOND);
    time.tv_nsec = (long)rest;
    return time;
}

struct timespec mfs_osfile_access_time(const struct stat *status)
{
#if defined(__APPLE__)
    return status->st_atimespec;
#else
    return status->st_atim;
#endif
}

struct timespec mfs_osfile_modify_time(const struct stat *status)
{
#if defined(__APPLE__)
    return status->st_mtimespec;
#else
    return status->st_mtim;
#endif
}
