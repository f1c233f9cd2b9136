/*
 * The directories yet to visit are a list on the heap, not frames on the stack,
 * so the depth of the host's tree does not matter.  One directory is open at a
 * time.
 */
#include "import.h"

#include "report.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 1 << 18 };

struct pending {
    struct pending *next;
    char path[];
};

struct importer {
    memfs *fs;
    struct demo_import *result;
    struct demo_progress progress;
    struct pending *pending;
    dev_t device;
    char *chunk; /* CHUNK_BYTES */
};

static int64_t timespec_ns(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Remembers a directory to visit. */
static int push(struct importer *importer, const char *path)
{
    size_t size = strlen(path) + 1;
    struct pending *pending = malloc(sizeof *pending + size);
    if (pending == NULL)
        return MEMFS_ENOMEM;
    memcpy(pending->path, path, size);
    pending->next = importer->pending;
    importer->pending = pending;
    return 0;
}

/* Returns 1 at the end of the file, 0 when there is more, or a memfs error;
 * MEMFS_EIO means that the host's file could not be read. */
static int copy_chunk(struct importer *importer, int host, memfs_file *file)
{
    ssize_t length = read(host, importer->chunk, CHUNK_BYTES);
    if (length < 0)
        return errno == EINTR ? 0 : MEMFS_EIO;
    if (length == 0)
        return 1;
    int64_t written = memfs_write(file, importer->chunk, (size_t)length);
    if (written < 0)
        return (int)written;
    importer->result->bytes += (uint64_t)length;
    return 0;
}

/* Copies an open file of the host; leaves nothing behind if that fails. */
static int copy_content(struct importer *importer, int host, const struct stat *info,
                        const char *path)
{
    memfs_file *file;
    int error = memfs_open(importer->fs, path, MEMFS_O_WRITE | MEMFS_O_CREATE | MEMFS_O_EXCLUSIVE,
                           (uint32_t)info->st_mode & 07777, &file);
    if (error != 0)
        return error;
    uint64_t bytes_before = importer->result->bytes;
    int state = 0;
    while (state == 0)
        state = copy_chunk(importer, host, file);
    if (state > 0)
        state = memfs_futimens(file, MEMFS_TIME_OMIT, timespec_ns(info->st_mtim));
    memfs_close(file);
    if (state < 0) {
        importer->result->bytes = bytes_before;
        memfs_unlink(importer->fs, path);
    }
    return state;
}

static int import_file(struct importer *importer, const char *path)
{
    struct demo_import *result = importer->result;
    struct stat info;
    int host = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (host < 0 || fstat(host, &info) != 0) {
        result->unreadable++;
        if (host >= 0)
            close(host);
        return 0;
    }
    int error = copy_content(importer, host, &info, path);
    close(host);
    if (error == MEMFS_EIO) {
        result->unreadable++;
        return 0;
    }
    if (error == 0) {
        result->files++;
        demo_progress_show(&importer->progress, result->files, result->bytes, path);
    }
    return error;
}

static int import_symlink(struct importer *importer, const char *path)
{
    char target[MEMFS_PATH_MAX + 1];
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length <= 0) {
        importer->result->unreadable++;
        return 0;
    }
    target[length] = '\0';
    int error = memfs_symlink(importer->fs, target, path, 0);
    if (error == 0)
        importer->result->symlinks++;
    return error;
}

static int import_directory(struct importer *importer, const char *path, const struct stat *info)
{
    if (info->st_dev != importer->device) {
        importer->result->elsewhere++;
        return 0;
    }
    int error = memfs_mkdir(importer->fs, path, (uint32_t)info->st_mode & 07777);
    return error == 0 ? push(importer, path) : error;
}

static int import_entry(struct importer *importer, const char *path)
{
    struct stat info;
    if (lstat(path, &info) != 0) {
        importer->result->unreadable++;
        return 0;
    }
    if (S_ISREG(info.st_mode))
        return import_file(importer, path);
    if (S_ISLNK(info.st_mode))
        return import_symlink(importer, path);
    if (S_ISDIR(info.st_mode))
        return import_directory(importer, path, &info);
    importer->result->special++;
    return 0;
}

/* Visits the entries of one directory of the host, which exists in the memfs. */
static int visit(struct importer *importer, const char *directory)
{
    DIR *stream = opendir(directory);
    if (stream == NULL) {
        importer->result->unreadable++;
        return 0;
    }
    importer->result->directories++;
    const char *separator = strcmp(directory, "/") == 0 ? "" : "/";
    int error = 0;
    struct dirent *entry;
    while (error == 0 && (entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char path[MEMFS_PATH_MAX + 1];
        int length = snprintf(path, sizeof path, "%s%s%s", directory, separator, entry->d_name);
        if (length < 0 || (size_t)length >= sizeof path)
            importer->result->unreadable++;
        else
            error = import_entry(importer, path);
    }
    closedir(stream);
    return error;
}

int demo_import_tree(memfs *fs, const char *root, struct demo_import *out)
{
    struct stat info;
    struct importer importer = {.fs = fs, .result = out};
    *out = (struct demo_import){0};
    if (stat(root, &info) != 0)
        return MEMFS_ENOENT;
    importer.device = info.st_dev;
    importer.chunk = malloc(CHUNK_BYTES);
    int error = importer.chunk == NULL ? MEMFS_ENOMEM : memfs_mkdir_parents(fs, root, 0755);
    if (error == 0)
        error = push(&importer, root);
    while (importer.pending != NULL) {
        struct pending *directory = importer.pending;
        importer.pending = directory->next;
        if (error == 0)
            error = visit(&importer, directory->path);
        free(directory);
    }
    demo_progress_end(&importer.progress);
    free(importer.chunk);
    return error;
}
