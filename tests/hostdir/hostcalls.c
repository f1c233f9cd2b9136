#include "hostcalls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct hostcalls hostcalls;

void hostcalls_reset(void)
{
    memset(&hostcalls, 0, sizeof hostcalls);
}

static bool fails(void)
{
    if (hostcalls.fail_at == 0 || ++hostcalls.count != hostcalls.fail_at)
        return false;
    hostcalls.has_failed = true;
    errno = hostcalls.fail_with;
    return true;
}

static void announce(const char *call, int directory, const char *name)
{
    void (*before)(void *, const char *, int, const char *) = hostcalls.before;
    hostcalls.before = NULL; /* what it calls is not announced */
    if (before != NULL)
        before(hostcalls.context, call, directory, name);
    if (hostcalls.before == NULL && before != NULL)
        hostcalls.before = before;
}

/* Passes the descriptor on. */
static int counted(int descriptor, uint64_t *counter, size_t size)
{
    *counter += size;
    return descriptor;
}

/* WRAP(result, name, parameters, arguments): a call that may be failed, by -1. */
#define WRAP(result, name, parameters, arguments) \
    result __real_##name parameters; \
    result __wrap_##name parameters; \
    result __wrap_##name parameters \
    { \
        return fails() ? (result)-1 : __real_##name arguments; \
    }

WRAP(int, mkdirat, (int directory, const char *name, mode_t mode), (directory, name, mode))
WRAP(int, symlinkat, (const char *target, int directory, const char *name),
     (target, directory, name))
WRAP(int, renameat, (int from_at, const char *from, int to_at, const char *to),
     (from_at, from, to_at, to))
WRAP(int, fstat, (int descriptor, struct stat *status), (descriptor, status))
WRAP(ssize_t, readlinkat, (int directory, const char *name, char *buffer, size_t size),
     (directory, name, buffer, size))
WRAP(ssize_t, pread, (int descriptor, void *buffer, size_t size, off_t offset),
     (counted(descriptor, &hostcalls.bytes_asked, size), buffer, size, offset))
WRAP(ssize_t, pwrite, (int descriptor, const void *buffer, size_t size, off_t offset),
     (counted(descriptor, &hostcalls.bytes_written, size), buffer, size, offset))
WRAP(int, ftruncate, (int descriptor, off_t size), (descriptor, size))
WRAP(int, fchmod, (int descriptor, mode_t mode), (descriptor, mode))
WRAP(int, futimens, (int descriptor, const struct timespec times[2]), (descriptor, times))
WRAP(int, stat, (const char *path, struct stat *status), (path, status))

int __real_openat(int directory, const char *name, int flags, ...);
int __wrap_openat(int directory, const char *name, int flags, ...);
int __wrap_openat(int directory, const char *name, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    announce("openat", directory, name);
    return fails() ? -1 : __real_openat(directory, name, flags, mode);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return fails() ? -1 : __real_open(path, flags, mode);
}

int __real_fstatat(int directory, const char *name, struct stat *status, int flags);
int __wrap_fstatat(int directory, const char *name, struct stat *status, int flags);
int __wrap_fstatat(int directory, const char *name, struct stat *status, int flags)
{
    announce("fstatat", directory, name);
    return fails() ? -1 : __real_fstatat(directory, name, status, flags);
}

int __real_linkat(int from_at, const char *from, int to_at, const char *to, int flags);
int __wrap_linkat(int from_at, const char *from, int to_at, const char *to, int flags);
int __wrap_linkat(int from_at, const char *from, int to_at, const char *to, int flags)
{
    announce("linkat", from_at, from);
    return fails() ? -1 : __real_linkat(from_at, from, to_at, to, flags);
}

DIR *__real_fdopendir(int descriptor);
DIR *__wrap_fdopendir(int descriptor);
DIR *__wrap_fdopendir(int descriptor)
{
    return fails() ? NULL : __real_fdopendir(descriptor);
}

struct dirent *__real_readdir(DIR *stream);
struct dirent *__wrap_readdir(DIR *stream);
struct dirent *__wrap_readdir(DIR *stream)
{
    static struct dirent false_entry;
    if (fails())
        return NULL;
    if (hostcalls.climbing_name == NULL)
        return __real_readdir(stream);
    snprintf(false_entry.d_name, sizeof false_entry.d_name, "%s", hostcalls.climbing_name);
    hostcalls.climbing_name = NULL;
    return &false_entry;
}

int __real_mfs_osfile_exchange(int directory, const char *one, const char *other);
int __wrap_mfs_osfile_exchange(int directory, const char *one, const char *other);
int __wrap_mfs_osfile_exchange(int directory, const char *one, const char *other)
{
    if (fails())
        return hostcalls.fail_with;
    return hostcalls.has_no_exchange ? ENOSYS : __real_mfs_osfile_exchange(directory, one, other);
}
