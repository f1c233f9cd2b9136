/*
 * The host's side.  Where memfs differs from Linux on purpose, the difference
 * is undone here, in run_normalised() and nowhere else; each line has its reason.
 */
#define _GNU_SOURCE
#include "host_executor.h"

#include <memfs/memfs.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

static int at_directory(const struct host_runner *runner, int at)
{
    if (at == AT_ROOT || runner->directories[at] < 0)
        return runner->root;
    return runner->directories[at];
}

static int64_t or_error(int64_t result)
{
    return result < 0 ? -errno : result;
}

static int host_open_flags(uint32_t flags)
{
    uint32_t access = flags | (flags & MEMFS_O_APPEND ? MEMFS_O_WRITE : 0);
    access &= MEMFS_O_RDWR;
    int host = access == MEMFS_O_RDWR ? O_RDWR : access == MEMFS_O_WRITE ? O_WRONLY : O_RDONLY;
    host |= flags & MEMFS_O_CREATE ? O_CREAT : 0;
    host |= flags & MEMFS_O_EXCLUSIVE ? O_EXCL : 0;
    host |= flags & MEMFS_O_TRUNCATE ? O_TRUNC : 0;
    host |= flags & MEMFS_O_APPEND ? O_APPEND : 0;
    host |= flags & MEMFS_O_DIRECTORY ? O_DIRECTORY : 0;
    host |= flags & MEMFS_O_NOFOLLOW ? O_NOFOLLOW : 0;
    host |= flags & MEMFS_O_TMPFILE ? O_TMPFILE : 0;
    return host | O_CLOEXEC;
}

static void close_slot(int *slot)
{
    if (*slot >= 0)
        close(*slot);
    *slot = -1;
}

static int64_t run_open(struct host_runner *runner, const struct operation *o)
{
    int *slot = &runner->handles[o->slot];
    int opened = openat(at_directory(runner, o->at), o->path, host_open_flags(o->flags), 0644);
    if (opened < 0)
        return -errno;
    close_slot(slot);
    *slot = opened;
    runner->is_temporary[o->slot] = (o->flags & MEMFS_O_TMPFILE) != 0;
    runner->was_linked[o->slot] = 0;
    return 0;
}

static void make_parts(const struct operation *o, unsigned char *data, struct iovec *parts)
{
    for (int i = 0; i < o->parts; i++) {
        parts[i].iov_base = data;
        parts[i].iov_len = operation_part(o, i);
        data += parts[i].iov_len;
    }
}

static int64_t run_read(int fd, const struct operation *o, uint64_t *hash)
{
    unsigned char *buffer = operation_buffer((size_t)o->size);
    struct iovec parts[3];
    make_parts(o, buffer, parts);
    int64_t got;
    if (o->parts > 1)
        got = o->positioned ? preadv(fd, parts, o->parts, o->offset) : readv(fd, parts, o->parts);
    else
        got = o->positioned ? pread(fd, buffer, (size_t)o->size, o->offset)
                            : read(fd, buffer, (size_t)o->size);
    if (got >= 0)
        *hash = hash_bytes(HASH_START, buffer, (size_t)got);
    return or_error(got);
}

static int64_t run_write(int fd, const struct operation *o)
{
    unsigned char *copy = operation_buffer((size_t)o->size);
    memcpy(copy, operation_data(o->data_seed, (size_t)o->size), (size_t)o->size);
    struct iovec parts[3];
    make_parts(o, copy, parts);
    int64_t offset = o->offset;
    if ((fcntl(fd, F_GETFL) & O_APPEND) && offset > INT64_MAX - o->size)
        offset = 0; /* which does not count, but Linux checks it all the same */
    if (o->parts > 1)
        return or_error(o->positioned ? pwritev(fd, parts, o->parts, offset)
                                      : writev(fd, parts, o->parts));
    return or_error(o->positioned ? pwrite(fd, copy, (size_t)o->size, offset)
                                  : write(fd, copy, (size_t)o->size));
}

static int64_t run_seek(int fd, const struct operation *o)
{
    static const int whences[] = {SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE};
    return or_error(lseek(fd, o->offset, whences[o->whence]));
}

/* Writes one byte of every page in the holes between `offset` and `end`. */
static int64_t fill_holes(int fd, off_t offset, off_t end)
{
    off_t hole = lseek(fd, offset, SEEK_HOLE);
    while (hole >= 0 && hole < end) {
        if (pwrite(fd, "", 1, hole) != 1)
            return -EIO;
        hole = lseek(fd, hole, SEEK_HOLE);
    }
    return 0;
}

/* Linux calls pages that were allocated but not written holes; memfs calls them data.  So the
 * holes in the range are written, with zeros; not in append mode, which would move the writes. */
static int64_t run_allocate(int fd, const struct operation *o)
{
    if (o->flags & MEMFS_FALLOCATE_PUNCH_HOLE)
        return or_error(
            fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, o->offset, o->size));
    if (fallocate(fd, 0, o->offset, o->size) != 0)
        return -errno;
    off_t before = lseek(fd, 0, SEEK_CUR);
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_APPEND) != 0)
        return -errno;
    int64_t result = fill_holes(fd, o->offset, o->offset + o->size);
    if (fcntl(fd, F_SETFL, flags) != 0 || lseek(fd, before, SEEK_SET) < 0)
        return -errno;
    return result;
}

static int is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int list(void *context, const char *path, struct name_list *out)
{
    struct host_runner *runner = context;
    int fd = openat(runner->root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    DIR *dir = fdopendir(fd);
    if (dir == NULL)
        abort();
    out->count = 0;
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        if (!is_dot(entry->d_name))
            strcpy(out->names[out->count++], entry->d_name);
    closedir(dir);
    name_list_sort(out);
    return 0;
}

static int64_t run_list(struct host_runner *runner, const struct operation *o, uint64_t *hash)
{
    static struct name_list names;
    int result = list(runner, o->path, &names);
    if (result == 0)
        *hash = name_list_hash(&names);
    return result;
}

static int64_t run_readlink(struct host_runner *runner, const struct operation *o, uint64_t *hash)
{
    char target[PATH_ROOM];
    int64_t length = readlinkat(at_directory(runner, o->at), o->path, target, sizeof target);
    if (length >= 0)
        *hash = hash_bytes(HASH_START, target, (size_t)length);
    return or_error(length);
}

static int64_t run_open_directory(struct host_runner *runner, const struct operation *o)
{
    int *slot = &runner->directories[o->extra_slot];
    int opened = -1;
    if (o->kind == OP_OPENDIR)
        opened = openat(at_directory(runner, o->at), o->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (o->kind == OP_OPENDIR && opened < 0)
        return -errno;
    close_slot(slot);
    *slot = opened;
    return 0;
}

static int64_t run_link_file(struct host_runner *runner, int fd, const struct operation *o)
{
    char name[32];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    int result = linkat(AT_FDCWD, name, at_directory(runner, o->other_at), o->other,
                        AT_SYMLINK_FOLLOW);
    if (result == 0)
        runner->was_linked[o->slot] = 1;
    return or_error(result);
}

/* Copies the extents that hold data, so that holes stay holes. */
static int64_t copy_extents(int from, int to)
{
    off_t end = lseek(from, 0, SEEK_END);
    off_t data = lseek(from, 0, SEEK_DATA);
    while (data >= 0 && data < end) {
        off_t hole = lseek(from, data, SEEK_HOLE);
        for (; data < hole; data += 4096) {
            char page[4096];
            ssize_t got = pread(from, page, sizeof page, data);
            if (got <= 0 || pwrite(to, page, (size_t)got, data) != got)
                return -EIO;
        }
        data = lseek(from, hole, SEEK_DATA);
    }
    return ftruncate(to, end) != 0 ? -errno : 0;
}

static int64_t run_copy(struct host_runner *runner, const struct operation *o)
{
    int from = openat(runner->root, o->path, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return -errno;
    struct stat a, b;
    int64_t result = fstat(from, &a) != 0 ? -errno : S_ISDIR(a.st_mode) ? -EISDIR : 0;
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (o->flags & MEMFS_COPY_NOREPLACE ? O_EXCL : 0);
    int to = -1;
    if (result == 0) {
        to = openat(runner->root, o->other, flags, 0644);
        result = to < 0 || fstat(to, &b) != 0 ? -errno : 0;
    }
    if (result == 0 && a.st_ino != b.st_ino) {
        result = ftruncate(to, 0) != 0 ? -errno : 0;
        if (result == 0)
            result = copy_extents(from, to);
    }
    close_slot(&to);
    close(from);
    return result;
}

static int64_t run_truncate(struct host_runner *runner, const struct operation *o)
{
    char path[sizeof runner->root_path + PATH_ROOM + 1];
    if (o->path[0] == '\0')
        return o->size < 0 ? -EINVAL : -ENOENT;
    snprintf(path, sizeof path, "%s/%s", runner->root_path, o->path);
    return or_error(truncate(path, o->size));
}

static int64_t run_rename(struct host_runner *runner, const struct operation *o)
{
    unsigned flags = 0;
    flags |= o->flags & MEMFS_RENAME_NOREPLACE ? 1u : 0;
    flags |= o->flags & MEMFS_RENAME_EXCHANGE ? 2u : 0;
    return or_error(syscall(SYS_renameat2, at_directory(runner, o->at), o->path,
                            at_directory(runner, o->other_at), o->other, flags));
}

static int64_t run_names(struct host_runner *runner, const struct operation *o)
{
    int at = at_directory(runner, o->at);
    int to_at = at_directory(runner, o->other_at);
    switch (o->kind) {
    case OP_TRUNCATE:
        return run_truncate(runner, o);
    case OP_MKDIR:
        return or_error(mkdirat(at, o->path, 0755));
    case OP_RMDIR:
        return or_error(unlinkat(at, o->path, AT_REMOVEDIR));
    case OP_UNLINK:
        return or_error(unlinkat(at, o->path, 0));
    case OP_RENAME:
        return run_rename(runner, o);
    case OP_LINK:
        return or_error(linkat(at, o->path, to_at, o->other,
                               o->flags & MEMFS_AT_FOLLOW ? AT_SYMLINK_FOLLOW : 0));
    case OP_SYMLINK:
        return or_error(symlinkat(o->other, at, o->path));
    case OP_COPY:
        return run_copy(runner, o);
    default:
        abort();
    }
}

static int64_t run_handle(struct host_runner *runner, const struct operation *o, uint64_t *hash)
{
    int fd = runner->handles[o->slot];
    if (fd < 0)
        return -EBADF;
    switch (o->kind) {
    case OP_READ:
        return run_read(fd, o, hash);
    case OP_WRITE:
        return run_write(fd, o);
    case OP_SEEK:
        return run_seek(fd, o);
    case OP_FTRUNCATE:
        return or_error(ftruncate(fd, o->size));
    case OP_ALLOCATE:
        return run_allocate(fd, o);
    case OP_LINK_FILE:
        return run_link_file(runner, fd, o);
    default: /* OP_CLOSE */
        close_slot(&runner->handles[o->slot]);
        return 0;
    }
}

static int64_t run_plain(struct host_runner *runner, const struct operation *o, uint64_t *hash)
{
    switch (o->kind) {
    case OP_OPEN:
        return run_open(runner, o);
    case OP_READLINK:
        return run_readlink(runner, o, hash);
    case OP_LIST:
        return run_list(runner, o, hash);
    case OP_OPENDIR:
    case OP_CLOSEDIR:
        return run_open_directory(runner, o);
    case OP_CLOSE:
    case OP_READ:
    case OP_WRITE:
    case OP_SEEK:
    case OP_FTRUNCATE:
    case OP_ALLOCATE:
    case OP_LINK_FILE:
        return run_handle(runner, o, hash);
    default:
        return run_names(runner, o);
    }
}

/* When a line of the table applies, beyond the kind and what Linux said; the first one counts. */
enum condition {
    ALWAYS,
    ON_DIRECTORY,
    ON_REMOVED,
    FROM_DIRECTORY,
    FROM_REMOVED,
    TO_DOT,
    READ_ONLY,
    WRITE_ONLY,
    NOT_NEGATIVE
};

struct difference {
    enum operation_kind kind;
    int linux_result; /* what Linux says; 1 stands for any result */
    enum condition condition;
    int memfs_result;
    const char *reason;
};

static const struct difference differences[] = {
    {OP_SEEK, 1, ON_DIRECTORY, MEMFS_EISDIR,
     "a handle on a directory has no offset; listing has streams of its own"},
    {OP_READ, 1, ON_DIRECTORY, MEMFS_EISDIR,
     "that it is a directory comes first; Linux says 0 for readv() of no bytes"},
    {OP_WRITE, 1, ON_DIRECTORY, MEMFS_EISDIR, "whatever is asked of a directory's handle"},
    {OP_FTRUNCATE, 1, ON_DIRECTORY, MEMFS_EISDIR, "the same"},
    {OP_ALLOCATE, 1, ON_DIRECTORY, MEMFS_EISDIR, "the same"},
    {OP_LINK, 1, FROM_DIRECTORY, MEMFS_EPERM,
     "of two mistakes, linking a directory and a bad target, memfs names the first"},
    {OP_LINK_FILE, 1, ON_REMOVED, MEMFS_ENOENT, "of two mistakes again"},
    {OP_LINK_FILE, 1, ON_DIRECTORY, MEMFS_EPERM, "the same"},
    {OP_FTRUNCATE, -EINVAL, READ_ONLY, MEMFS_EBADF,
     "not open for writing: POSIX allows EBADF or EINVAL, memfs keeps to one code"},
    {OP_ALLOCATE, -EINVAL, READ_ONLY, MEMFS_EBADF,
     "of two mistakes, a handle that is not for this and a bad range, memfs names the first"},
    {OP_WRITE, -EINVAL, READ_ONLY, MEMFS_EBADF, "as for allocate"},
    {OP_READ, -EINVAL, WRITE_ONLY, MEMFS_EBADF, "as for allocate"},
    {OP_WRITE, -EINVAL, NOT_NEGATIVE, MEMFS_EFBIG,
     "POSIX asks for EFBIG past the largest size; Linux says EINVAL where the sum overflows"},
    {OP_READ, -EINVAL, NOT_NEGATIVE, 0,
     "past the end there is nothing to read; Linux minds that offset and length overflow first"},
    {OP_RENAME, 1, FROM_REMOVED, MEMFS_ENOENT,
     "of two mistakes, that the directory is gone is the first"},
    {OP_RENAME, -EEXIST, TO_DOT, MEMFS_EINVAL, "the same, with NOREPLACE"},
    {OP_RENAME, -EBUSY, ALWAYS, MEMFS_EINVAL,
     "POSIX asks for EINVAL when a last component is \".\" or \"..\"; Linux says EBUSY"},
};

static int ends_in_dot(const char *path)
{
    size_t end = strlen(path);
    while (end > 0 && path[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    return end > start && end - start <= 2 && strspn(path + start, ".") >= end - start;
}

static int applies(struct host_runner *runner, const struct difference *line,
                   const struct operation *o, int64_t result)
{
    if (line->kind != o->kind || (line->linux_result != 1 && line->linux_result != result))
        return 0;
    struct stat stat;
    int fd = runner->handles[o->slot];
    switch (line->condition) {
    case ON_DIRECTORY:
        return fd >= 0 && fstat(fd, &stat) == 0 && S_ISDIR(stat.st_mode);
    case ON_REMOVED:
        return fd >= 0 && fstat(fd, &stat) == 0 && stat.st_nlink == 0 &&
               !runner->is_temporary[o->slot];
    case FROM_REMOVED:
        return fstat(at_directory(runner, o->at), &stat) == 0 && stat.st_nlink == 0;
    case FROM_DIRECTORY:
        return fstatat(at_directory(runner, o->at), o->path, &stat,
                       o->flags & MEMFS_AT_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW) == 0 &&
               S_ISDIR(stat.st_mode);
    case TO_DOT:
        return ends_in_dot(o->other);
    case READ_ONLY:
        return fd >= 0 && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY;
    case WRITE_ONLY:
        return fd >= 0 && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY;
    case NOT_NEGATIVE:
        return o->offset >= 0 || !o->positioned;
    default:
        return 1;
    }
}

static void run_normalised(void *context, const struct operation *o, struct outcome *out)
{
    struct host_runner *runner = context;
    out->hash = 0;
    out->result = run_plain(runner, o, &out->hash);
    for (size_t i = 0; i < sizeof differences / sizeof *differences; i++) {
        if (applies(runner, &differences[i], o, out->result)) {
            out->result = differences[i].memfs_result;
            out->hash = out->result == 0 ? HASH_START : 0;
            return;
        }
    }
}

static void convert(int result, const struct stat *stat, struct look *out)
{
    memset(out, 0, sizeof *out);
    out->error = result != 0 ? -errno : 0;
    if (result != 0)
        return;
    out->links = stat->st_nlink;
    if (S_ISDIR(stat->st_mode)) {
        out->kind = MEMFS_KIND_DIRECTORY;
        return;
    }
    out->kind = S_ISLNK(stat->st_mode) ? MEMFS_KIND_SYMLINK : MEMFS_KIND_FILE;
    out->size = (uint64_t)stat->st_size;
    if (S_ISREG(stat->st_mode))
        out->pages = ((uint64_t)stat->st_blocks * 512 + 4095) / 4096;
}

static void look(void *context, int at, const char *path, struct look *out)
{
    struct host_runner *runner = context;
    struct stat stat;
    convert(fstatat(at_directory(runner, at), path, &stat, AT_SYMLINK_NOFOLLOW), &stat, out);
}

static void look_open(void *context, unsigned slot, struct look *out)
{
    struct host_runner *runner = context;
    struct stat stat;
    convert(fstat(runner->handles[slot], &stat), &stat, out);
}

struct executor host_executor(struct host_runner *runner)
{
    return (struct executor){.context = runner,
                             .run = run_normalised,
                             .look = look,
                             .look_open = look_open,
                             .list = list};
}

int host_cannot_link(const struct host_runner *runner, const struct operation *operation)
{
    struct stat stat;
    int fd = runner->handles[operation->slot];
    return operation->kind == OP_LINK_FILE && fd >= 0 && fstat(fd, &stat) == 0 &&
           stat.st_nlink == 0 && runner->is_temporary[operation->slot] &&
           runner->was_linked[operation->slot];
}

static int is_tmpfs(const char *path)
{
    struct statfs info;
    return statfs(path, &info) == 0 && info.f_type == TMPFS_MAGIC;
}

int host_runner_init(struct host_runner *runner)
{
    for (int i = 0; i < HANDLE_SLOTS; i++)
        runner->handles[i] = -1;
    for (int i = 0; i < DIRECTORY_SLOTS; i++)
        runner->directories[i] = -1;
    static const char *const places[] = {"/dev/shm", "/tmp", "/run/shm"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(runner->root_path, sizeof runner->root_path, "%s/memfs-model-XXXXXX", places[i]);
        if (is_tmpfs(places[i]) && mkdtemp(runner->root_path) != NULL) {
            runner->root = open(runner->root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            return runner->root >= 0;
        }
    }
    return 0;
}

static void empty(int directory)
{
    int copy = dup(directory);
    DIR *dir = fdopendir(copy);
    if (dir == NULL)
        abort();
    rewinddir(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (is_dot(entry->d_name))
            continue;
        if (unlinkat(directory, entry->d_name, 0) == 0)
            continue;
        int below = openat(directory, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (below >= 0)
            empty(below);
        close_slot(&below);
        unlinkat(directory, entry->d_name, AT_REMOVEDIR);
    }
    closedir(dir);
}

void host_runner_fini(struct host_runner *runner)
{
    for (int i = 0; i < HANDLE_SLOTS; i++)
        close_slot(&runner->handles[i]);
    for (int i = 0; i < DIRECTORY_SLOTS; i++)
        close_slot(&runner->directories[i]);
    empty(runner->root);
    close(runner->root);
    rmdir(runner->root_path);
}
