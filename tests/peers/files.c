#define _DEFAULT_SOURCE 1

#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DESCRIPTORS 32
#define FIRST_DESCRIPTOR 100000 /* above all of the host's */

static memfs *tree;
static memfs_file *files[DESCRIPTORS];
static pthread_mutex_t files_mutex = PTHREAD_MUTEX_INITIALIZER;

/* What a program's object refers to instead of the functions without __wrap_. */
#define WRAPPER __attribute__((visibility("default")))
WRAPPER int __wrap_unlink(const char *path);
WRAPPER int __wrap_access(const char *path, int mode);
WRAPPER int __wrap_stat(const char *path, struct stat *out);
WRAPPER int __wrap_open(const char *path, int flags, ...);
WRAPPER ssize_t __wrap_read(int descriptor, void *buffer, size_t size);
WRAPPER ssize_t __wrap_write(int descriptor, const void *buffer, size_t size);
WRAPPER int __wrap_close(int descriptor);

void files_set_tree(memfs *fs)
{
    tree = fs;
}

/* memfs's errors are Linux's, negated. */
static int as_posix(int error)
{
    if (error >= 0)
        return error;
    errno = -error;
    return -1;
}

static int status_of(const char *path, memfs_stat_info *info)
{
    info->struct_size = sizeof *info;
    return memfs_stat(tree, path, info);
}

int __wrap_unlink(const char *path)
{
    return as_posix(memfs_unlink(tree, path));
}

int __wrap_access(const char *path, int mode)
{
    (void)mode;
    memfs_stat_info info;
    return as_posix(status_of(path, &info));
}

int __wrap_stat(const char *path, struct stat *out)
{
    memfs_stat_info info;
    int error = status_of(path, &info);
    if (error != 0)
        return as_posix(error);
    memset(out, 0, sizeof *out);
    out->st_mode = (info.kind == MEMFS_KIND_DIRECTORY ? S_IFDIR : S_IFREG) | info.mode;
    out->st_size = (off_t)info.size_bytes;
    out->st_ino = (ino_t)info.number;
    return 0;
}

int __wrap_open(const char *path, int flags, ...)
{
    uint32_t ours = (flags & O_ACCMODE) == O_RDONLY ? MEMFS_O_READ : MEMFS_O_RDWR;
    ours |= (flags & O_CREAT) != 0 ? MEMFS_O_CREATE : 0;
    ours |= (flags & O_EXCL) != 0 ? MEMFS_O_EXCLUSIVE : 0;
    ours |= (flags & O_TRUNC) != 0 ? MEMFS_O_TRUNCATE : 0;
    int result = -EMFILE;
    pthread_mutex_lock(&files_mutex);
    for (int index = 0; index < DESCRIPTORS && result == -EMFILE; index++)
        if (files[index] == NULL) {
            int error = memfs_open(tree, path, ours, 0644, &files[index]);
            result = error == 0 ? FIRST_DESCRIPTOR + index : error;
        }
    pthread_mutex_unlock(&files_mutex);
    return as_posix(result);
}

static memfs_file **file_of(int descriptor)
{
    int index = descriptor - FIRST_DESCRIPTOR;
    return index >= 0 && index < DESCRIPTORS && files[index] != NULL ? &files[index] : NULL;
}

static ssize_t transferred(int64_t result)
{
    return result >= 0 ? (ssize_t)result : as_posix((int)result);
}

ssize_t __wrap_read(int descriptor, void *buffer, size_t size)
{
    memfs_file **file = file_of(descriptor);
    return file != NULL ? transferred(memfs_read(*file, buffer, size))
                        : read(descriptor, buffer, size);
}

ssize_t __wrap_write(int descriptor, const void *buffer, size_t size)
{
    memfs_file **file = file_of(descriptor);
    return file != NULL ? transferred(memfs_write(*file, buffer, size))
                        : write(descriptor, buffer, size);
}

int __wrap_close(int descriptor)
{
    memfs_file **file = file_of(descriptor);
    if (file == NULL)
        return close(descriptor);
    pthread_mutex_lock(&files_mutex);
    int error = memfs_close(*file);
    *file = NULL;
    pthread_mutex_unlock(&files_mutex);
    return as_posix(error);
}
