/*
 * Between the host and the tree.
 *
 * Trees are walked with a stack of paths (host) or of open directories (tree), never on the
 * C stack.  On the way in everything goes to a stage, a directory that is renamed into place
 * at the end and removed whatever happens.  On the way out each entry is created, never
 * opened, so a symlink that the export itself has made is never written through.  On the way
 * in links are followed only where the caller named one, not where an entry has become one
 * since it was looked at.
 *
 * A file is read piece by piece: one that is written meanwhile may come out as a mixture.
 * All-zero pieces become holes in the tree, and holes stay holes on the host.
 */
#if !defined(_WIN32)
#define _XOPEN_SOURCE 700
#endif

#include "sql/hostcopy.h"

#include "base/sqliteapi.h"
#include "sql/hostlinks.h"
#include "sql/treescan.h"

#include <stddef.h>
#include <string.h>

static void start(struct mfs_hostcopy *copy)
{
    memset(copy, 0, sizeof *copy);
}

void mfs_hostcopy_fini(struct mfs_hostcopy *copied)
{
    sqlite3_free(copied->path);
    sqlite3_free(copied->host_text);
    start(copied);
}

/* The first failure counts.  Returns `error`. */
static int fail(struct mfs_hostcopy *copy, const char *path, int error)
{
    if (error != 0 && copy->error == 0) {
        copy->error = error;
        copy->path = sqlite3_mprintf("%s", path);
    }
    return error;
}

#if defined(_WIN32)

bool mfs_hostcopy_is_available(void)
{
    return false;
}

void mfs_hostcopy_import(memfs *fs, const char *host_path, const char *path,
                         struct mfs_hostcopy *out)
{
    (void)fs;
    (void)path;
    start(out);
    (void)fail(out, host_path, MEMFS_EOPNOTSUPP);
}

void mfs_hostcopy_export(memfs *fs, const char *path, const char *host_path,
                         struct mfs_hostcopy *out)
{
    (void)fs;
    (void)path;
    start(out);
    (void)fail(out, host_path, MEMFS_EOPNOTSUPP);
}

#else

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_BYTES = 65536, STAGES_MAX = 1000 };

bool mfs_hostcopy_is_available(void)
{
    return true;
}

/* The host refused, errno says why. */
static int fail_host(struct mfs_hostcopy *copy, const char *path)
{
    int number = errno;
    if (copy->error == 0)
        copy->host_text = sqlite3_mprintf("%s", strerror(number));
    return fail(copy, path, copy->host_text != NULL ? MEMFS_EIO : MEMFS_ENOMEM);
}

static int64_t nanoseconds(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static struct timespec time_of(int64_t nanoseconds_since)
{
    struct timespec time;
    int64_t rest = nanoseconds_since % 1000000000;
    if (rest < 0)
        rest += 1000000000;
    time.tv_sec = (time_t)((nanoseconds_since - rest) / 1000000000);
    time.tv_nsec = (long)rest;
    return time;
}

/* -------------------------------------------------------------------- import */

struct directory {
    struct directory *next;
    char *host;
    char *path;
    int64_t access_ns, modify_ns;
    int open_flags; /* O_NOFOLLOW, or 0 for the one that the caller named */
};

struct import {
    memfs *fs;
    struct mfs_hostcopy *copy;
    struct directory *pending; /* made in the tree, and not read yet */
    char *buffer;
    struct mfs_hostlinks links;
};

static bool is_all_zeros(const char *bytes, size_t count)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0;
}

/* From an open file of the host to an open file of the tree, from its beginning. */
static int import_content(struct import *import, int descriptor, const char *host, memfs_file *file,
                          const char *path)
{
    int64_t offset = 0;
    for (;;) {
        ssize_t count = read(descriptor, import->buffer, PIECE_BYTES);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return fail_host(import->copy, host);
        if (count == 0)
            return fail(import->copy, path, memfs_ftruncate(file, offset));
        if (!is_all_zeros(import->buffer, (size_t)count)) {
            int64_t written = memfs_pwrite(file, import->buffer, (size_t)count, offset);
            if (written < 0)
                return fail(import->copy, path, (int)written);
        }
        offset += count;
    }
}

/* Makes a file of the tree out of an open file of the host. */
static int import_new(struct import *import, int descriptor, const struct stat *status,
                      const char *host, const char *path)
{
    memfs_file *file;
    int error = memfs_open(import->fs, path, MEMFS_O_WRITE | MEMFS_O_CREATE | MEMFS_O_EXCLUSIVE,
                           status->st_mode & 07777, &file);
    if (error != 0)
        return fail(import->copy, path, error);
    error = import_content(import, descriptor, host, file, path);
    if (error == 0)
        error = fail(
            import->copy, path,
            memfs_futimens(file, nanoseconds(status->st_atim), nanoseconds(status->st_mtim)));
    (void)memfs_close(file);
    return error;
}

/* The second and later names of a file become links to the first. */
static int import_linked(struct import *import, int descriptor, const struct stat *status,
                         const char *host, const char *path)
{
    uint64_t device = (uint64_t)status->st_dev;
    uint64_t number = (uint64_t)status->st_ino;
    const char *first = mfs_hostlinks_find(&import->links, device, number);
    if (first != NULL)
        return fail(import->copy, path, memfs_link(import->fs, first, path));
    int error = import_new(import, descriptor, status, host, path);
    if (error == 0 && !mfs_hostlinks_add(&import->links, device, number, path))
        error = fail(import->copy, path, MEMFS_ENOMEM);
    return error;
}

static int import_opened(struct import *import, int descriptor, const char *host, const char *path)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return fail_host(import->copy, host);
    if (!S_ISREG(status.st_mode))
        return fail(import->copy, host, MEMFS_EOPNOTSUPP); /* replaced meanwhile */
    int error = status.st_nlink > 1 ? import_linked(import, descriptor, &status, host, path)
                                    : import_new(import, descriptor, &status, host, path);
    import->copy->entries += error == 0;
    return error;
}

static int import_file(struct import *import, const char *host, const char *path, int open_flags)
{
    /* Not blocking: what was a file may be a pipe by now. */
    int descriptor = open(host, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | open_flags);
    if (descriptor < 0)
        return fail_host(import->copy, host);
    int error = import_opened(import, descriptor, host, path);
    (void)close(descriptor);
    return error;
}

static int import_symlink(struct import *import, const char *host, const char *path)
{
    char target[MEMFS_PATH_MAX + 1];
    ssize_t length = readlink(host, target, MEMFS_PATH_MAX);
    if (length < 0)
        return fail_host(import->copy, host);
    target[length] = '\0';
    int error = memfs_symlink(import->fs, target, path);
    import->copy->entries += error == 0;
    return fail(import->copy, path, error);
}

static void free_directory(struct directory *directory)
{
    sqlite3_free(directory->host);
    sqlite3_free(directory->path);
    sqlite3_free(directory);
}

/* Makes the directory, and remembers to read it. */
static int import_directory(struct import *import, const char *host, const char *path,
                            const struct stat *status, int open_flags)
{
    struct directory *directory = sqlite3_malloc64(sizeof *directory);
    if (directory == NULL)
        return fail(import->copy, path, MEMFS_ENOMEM);
    directory->host = sqlite3_mprintf("%s", host);
    directory->path = sqlite3_mprintf("%s", path);
    directory->access_ns = nanoseconds(status->st_atim);
    directory->modify_ns = nanoseconds(status->st_mtim);
    directory->open_flags = open_flags;
    int error = directory->host == NULL || directory->path == NULL
                    ? MEMFS_ENOMEM
                    : memfs_mkdir(import->fs, path, status->st_mode & 07777);
    if (error != 0) {
        free_directory(directory);
        return fail(import->copy, path, error);
    }
    directory->next = import->pending;
    import->pending = directory;
    import->copy->entries++;
    return 0;
}

/* One entry of a directory of the host; one that vanished is left out. */
static int import_entry(struct import *import, const char *host, const char *path)
{
    struct stat status;
    if (lstat(host, &status) != 0)
        return errno == ENOENT ? 0 : fail_host(import->copy, host);
    if (S_ISDIR(status.st_mode))
        return import_directory(import, host, path, &status, O_NOFOLLOW);
    if (S_ISREG(status.st_mode))
        return import_file(import, host, path, O_NOFOLLOW);
    return S_ISLNK(status.st_mode) ? import_symlink(import, host, path) : 0;
}

static int import_named(struct import *import, const struct directory *directory, const char *name)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return 0;
    char *host = sqlite3_mprintf("%s/%s", directory->host, name);
    char *path = sqlite3_mprintf("%s/%s", directory->path, name);
    int error = host != NULL && path != NULL ? import_entry(import, host, path)
                                             : fail(import->copy, name, MEMFS_ENOMEM);
    sqlite3_free(host);
    sqlite3_free(path);
    return error;
}

static DIR *open_stream(const struct directory *directory)
{
    int descriptor = open(directory->host,
                          O_RDONLY | O_DIRECTORY | O_CLOEXEC | directory->open_flags);
    DIR *stream = descriptor >= 0 ? fdopendir(descriptor) : NULL;
    if (stream == NULL && descriptor >= 0) {
        int number = errno;
        (void)close(descriptor);
        errno = number;
    }
    return stream;
}

/* Nothing is put into the directory afterwards, so it can have its times. */
static int import_entries(struct import *import, const struct directory *directory)
{
    DIR *stream = open_stream(directory);
    if (stream == NULL)
        return fail_host(import->copy, directory->host);
    int error = 0;
    while (error == 0) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (entry == NULL) {
            error = errno != 0 ? fail_host(import->copy, directory->host) : 0;
            break;
        }
        error = import_named(import, directory, entry->d_name);
    }
    (void)closedir(stream);
    if (error != 0)
        return error;
    return fail(
        import->copy, directory->path,
        memfs_utimens(import->fs, directory->path, directory->access_ns, directory->modify_ns));
}

/* All that is pending, and what that brings. */
static int import_pending(struct import *import)
{
    int error = 0;
    while (import->pending != NULL) {
        struct directory *directory = import->pending;
        import->pending = directory->next;
        if (error == 0)
            error = import_entries(import, directory);
        free_directory(directory);
    }
    return error;
}

/* Fills the stage's entry and moves it to its place. */
static int import_by_stage(struct import *import, const char *host, const char *staged,
                           const char *path)
{
    struct stat status;
    if (stat(host, &status) != 0)
        return fail_host(import->copy, host);
    bool is_directory = S_ISDIR(status.st_mode);
    if (!is_directory && !S_ISREG(status.st_mode))
        return fail(import->copy, host, MEMFS_EOPNOTSUPP);
    int error = is_directory ? import_directory(import, host, staged, &status, 0)
                             : import_file(import, host, staged, 0);
    int pending_error = import_pending(import);
    error = error != 0 ? error : pending_error;
    if (error != 0)
        return error;
    unsigned flags = MEMFS_RENAME_MAKE_PARENTS | (is_directory ? MEMFS_RENAME_NOREPLACE : 0);
    return fail(import->copy, path, memfs_rename(import->fs, staged, path, flags));
}

/* Makes a directory that nobody else uses. */
static int make_stage(memfs *fs, char *stage, int size)
{
    int error = MEMFS_EEXIST;
    for (int number = 1; number <= STAGES_MAX && error == MEMFS_EEXIST; number++) {
        sqlite3_snprintf(size, stage, "/.memfs-import-%d", number);
        error = memfs_mkdir(fs, stage, 0700);
    }
    return error;
}

void mfs_hostcopy_import(memfs *fs, const char *host_path, const char *path,
                         struct mfs_hostcopy *out)
{
    struct import import = {.fs = fs, .copy = out, .buffer = sqlite3_malloc64(PIECE_BYTES)};
    char stage[64];
    start(out);
    int error = import.buffer != NULL ? make_stage(fs, stage, sizeof stage) : MEMFS_ENOMEM;
    if (fail(out, path, error) == 0) {
        char *staged = sqlite3_mprintf("%s/entry", stage);
        if (staged != NULL)
            (void)import_by_stage(&import, host_path, staged, path);
        else
            (void)fail(out, path, MEMFS_ENOMEM);
        (void)memfs_remove_tree(fs, stage);
        sqlite3_free(staged);
    }
    mfs_hostlinks_fini(&import.links);
    sqlite3_free(import.buffer);
}

/* -------------------------------------------------------------------- export */

struct export
{
    struct mfs_hostcopy *copy;
    char *buffer;
    struct mfs_hostlinks links;
};

static int write_all(struct export *export, int descriptor, const char *host, size_t count,
                     int64_t offset)
{
    for (size_t done = 0; done < count;) {
        ssize_t written = pwrite(descriptor, export->buffer + done, count - done,
                                 (off_t)offset + (off_t)done);
        if (written < 0 && errno != EINTR)
            return fail_host(export->copy, host);
        if (written > 0)
            done += (size_t)written;
    }
    return 0;
}

/* The data from `offset` to `end`, where a hole follows. */
static int export_extent(struct export *export, memfs_file *file, int descriptor, const char *host,
                         int64_t offset, int64_t end)
{
    while (offset < end) {
        int64_t wanted = end - offset < PIECE_BYTES ? end - offset : PIECE_BYTES;
        int64_t count = memfs_pread(file, export->buffer, (size_t)wanted, offset);
        if (count < 0)
            return fail(export->copy, host, (int)count);
        if (count == 0)
            return 0; /* cut meanwhile */
        int error = write_all(export, descriptor, host, (size_t)count, offset);
        if (error != 0)
            return error;
        offset += count;
    }
    return 0;
}

static int export_content(struct export *export, memfs_file *file, int descriptor, const char *host)
{
    int64_t size = memfs_file_size(file);
    int64_t end = 0;
    if (size < 0)
        return fail(export->copy, host, (int)size);
    if (ftruncate(descriptor, (off_t)size) != 0)
        return fail_host(export->copy, host);
    for (;;) {
        int64_t offset = memfs_seek(file, end, MEMFS_SEEK_DATA);
        if (offset == MEMFS_ENXIO || offset >= size)
            return 0;
        end = offset < 0 ? offset : memfs_seek(file, offset, MEMFS_SEEK_HOLE);
        if (end == MEMFS_ENXIO)
            return 0;
        if (end < 0)
            return fail(export->copy, host, (int)end);
        int error = export_extent(export, file, descriptor, host, offset, end);
        if (error != 0)
            return error;
    }
}

/* Fills a file that was just created, gives it its attributes, and closes it. */
static int export_to(struct export *export, memfs_file *file, int descriptor, const char *host)
{
    memfs_stat_info info;
    info.struct_size = sizeof info;
    int error = fail(export->copy, host, memfs_fstat(file, &info));
    if (error == 0)
        error = export_content(export, file, descriptor, host);
    if (error == 0) {
        const struct timespec times[2] = {time_of(info.access_ns), time_of(info.modify_ns)};
        if (fchmod(descriptor, info.mode & 0777) != 0 || futimens(descriptor, times) != 0)
            error = fail_host(export->copy, host);
    }
    if (close(descriptor) != 0 && error == 0)
        error = fail_host(export->copy, host);
    export->copy->entries += error == 0;
    return error;
}

/* A file that replaces one of the host, in one step. */
static int export_replacing(struct export *export, memfs_file *file, const char *host)
{
    struct stat status;
    if (lstat(host, &status) == 0 && !S_ISREG(status.st_mode))
        return fail(export->copy, host, MEMFS_EEXIST);
    char *temporary = sqlite3_mprintf("%s.XXXXXX", host);
    if (temporary == NULL)
        return fail(export->copy, host, MEMFS_ENOMEM);
    int descriptor = mkstemp(temporary);
    int error = descriptor < 0 ? fail_host(export->copy, host)
                               : export_to(export, file, descriptor, host);
    if (error == 0 && rename(temporary, host) != 0)
        error = fail_host(export->copy, host);
    if (error != 0 && descriptor >= 0)
        (void)unlink(temporary);
    sqlite3_free(temporary);
    return error;
}

static int export_new(struct export *export, memfs_file *file, const char *host)
{
    int descriptor = open(host, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return descriptor < 0 ? fail_host(export->copy, host)
                          : export_to(export, file, descriptor, host);
}

/* The second and later names of a file become links to the first, where the host has any. */
static int export_linked(struct export *export, memfs_file *file, const char *host)
{
    memfs_stat_info info;
    info.struct_size = sizeof info;
    int error = fail(export->copy, host, memfs_fstat(file, &info));
    if (error != 0)
        return error;
    const char *first = mfs_hostlinks_find(&export->links, 0, info.number);
    if (first != NULL && link(first, host) == 0) {
        export->copy->entries++;
        return 0;
    }
    error = export_new(export, file, host);
    if (error == 0 && first == NULL && !mfs_hostlinks_add(&export->links, 0, info.number, host))
        error = fail(export->copy, host, MEMFS_ENOMEM);
    return error;
}

static int export_scanned_file(struct export *export, struct mfs_treescan *scan, const char *host)
{
    memfs_file *file;
    int error = mfs_treescan_open(scan, &file);
    if (error != 0)
        return error == MEMFS_ENOENT ? 0 : fail(export->copy, scan->path, error);
    error = scan->stat.links > 1 ? export_linked(export, file, host)
                                 : export_new(export, file, host);
    (void)memfs_close(file);
    return error;
}

static int export_symlink(struct export *export, struct mfs_treescan *scan, const char *host)
{
    char target[MEMFS_PATH_MAX + 1];
    int64_t length = mfs_treescan_readlink(scan, target, MEMFS_PATH_MAX);
    if (length < 0)
        return 0; /* gone, or another thing by now */
    target[length] = '\0';
    if (symlink(target, host) != 0)
        return fail_host(export->copy, host);
    export->copy->entries++;
    return 0;
}

static int export_entry(struct export *export, struct mfs_treescan *scan, const char *host)
{
    if (scan->stat.kind == MEMFS_KIND_FILE)
        return export_scanned_file(export, scan, host);
    if (scan->stat.kind == MEMFS_KIND_SYMLINK)
        return export_symlink(export, scan, host);
    /* Writable at least for its owner, or nothing could be put into it. */
    if (mkdir(host, (scan->stat.mode & 0777) | 0700) != 0)
        return fail_host(export->copy, host);
    export->copy->entries++;
    return 0;
}

/* Directories again, when nothing is put into them any more. */
static int export_times(struct export *export, struct mfs_treescan *scan, const char *host)
{
    if (scan->stat.kind != MEMFS_KIND_DIRECTORY)
        return 0;
    const struct timespec times[2] = {time_of(scan->stat.access_ns), time_of(scan->stat.modify_ns)};
    if (utimensat(AT_FDCWD, host, times, AT_SYMLINK_NOFOLLOW) == 0 || errno == ENOENT)
        return 0; /* ENOENT: made in the tree meanwhile */
    return fail_host(export->copy, host);
}

typedef int (*export_step)(struct export *export, struct mfs_treescan *scan, const char *host);

/* Does something for each entry of the tree and where it belongs on the host. */
static int export_each(struct export *export, struct mfs_treescan *scan, const char *root,
                       const char *host_path, export_step step)
{
    int found = mfs_treescan_start(scan, root, MFS_TREESCAN_NO_LIMIT, NULL);
    size_t root_length = scan->path_length == 1 ? 0 : scan->path_length;
    while (found == 1) {
        const char *below = scan->path_length == 1 ? "" : scan->path + root_length;
        char *host = sqlite3_mprintf("%s%s", host_path, below);
        int error = host != NULL ? step(export, scan, host)
                                 : fail(export->copy, scan->path, MEMFS_ENOMEM);
        sqlite3_free(host);
        if (error != 0)
            return error;
        found = mfs_treescan_next(scan);
    }
    return fail(export->copy, root, found);
}

static int export_tree(struct export *export, struct mfs_treescan *scan, const char *root,
                       const char *host_path)
{
    int error = export_each(export, scan, root, host_path, export_entry);
    if (error != 0)
        return error;
    if (export->copy->entries == 0)
        return fail(export->copy, root, MEMFS_ENOENT);
    return export_each(export, scan, root, host_path, export_times);
}

static void export_directory(struct export *export, memfs *fs, const char *path,
                             const char *host_path)
{
    struct mfs_treescan scan;
    mfs_treescan_init(&scan, fs);
    char *root = sqlite3_mprintf("%s/", path); /* so that a link is followed */
    if (root == NULL)
        (void)fail(export->copy, path, MEMFS_ENOMEM);
    else
        (void)export_tree(export, &scan, root, host_path);
    sqlite3_free(root);
    mfs_treescan_fini(&scan);
}

static void export_file(struct export *export, memfs *fs, const char *path, const char *host_path)
{
    memfs_file *file;
    if (fail(export->copy, path, memfs_open(fs, path, MEMFS_O_READ, 0, &file)) != 0)
        return;
    (void)export_replacing(export, file, host_path);
    (void)memfs_close(file);
}

void mfs_hostcopy_export(memfs *fs, const char *path, const char *host_path,
                         struct mfs_hostcopy *out)
{
    struct export export = {.copy = out, .buffer = sqlite3_malloc64(PIECE_BYTES)};
    start(out);
    if (export.buffer == NULL)
        (void)fail(out, path, MEMFS_ENOMEM);
    else if (memfs_is_dir(fs, path))
        export_directory(&export, fs, path, host_path);
    else
        export_file(&export, fs, path, host_path);
    mfs_hostlinks_fini(&export.links);
    sqlite3_free(export.buffer);
}

#endif
