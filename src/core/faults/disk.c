/*
 * 1. A node has the directories link/<n> and down/<n> if it is a directory, from mfs_disk_add() on.
 * 2. A name is in one of the two, never in both.
 * 3. node/<n> of what is no directory has one link, and one for each durable name.  Of a node that
 *    is gone from the tree there are only its durable names.
 */
#include "faults/disk.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { DISK_PATH_BYTES = 32 + MEMFS_NAME_MAX + 1 };

struct path {
    char text[DISK_PATH_BYTES];
};

static struct path path_of(const char *room, uint64_t number)
{
    struct path path;
    snprintf(path.text, sizeof path.text, "/%s/%" PRIx64, room, number);
    return path;
}

static struct path path_of_name(const char *room, const struct mfs_disk_name *name)
{
    struct path path;
    MFS_CHECK(name->length <= MEMFS_NAME_MAX);
    snprintf(path.text, sizeof path.text, "/%s/%" PRIx64 "/%.*s", room, name->dir,
             (int)name->length, name->name);
    return path;
}

struct mfs_disk_attributes mfs_disk_attributes_of(const struct mfs_node *node)
{
    return (struct mfs_disk_attributes){
        .mode = atomic_load_explicit(&node->mode, memory_order_relaxed),
        .uid = atomic_load_explicit(&node->uid, memory_order_relaxed),
        .gid = atomic_load_explicit(&node->gid, memory_order_relaxed),
        .access_ns = mfs_node_time(node, MFS_ACCESS),
        .modify_ns = mfs_node_time(node, MFS_MODIFY)};
}

int mfs_disk_format(memfs *store)
{
    int error = memfs_mkdir(store, "/node", 0755);
    if (error == 0)
        error = memfs_mkdir(store, "/link", 0755);
    return error == 0 ? memfs_mkdir(store, "/down", 0755) : error;
}

bool mfs_disk_has(memfs *store, uint64_t number)
{
    memfs_stat_info info = {.struct_size = sizeof info};
    return memfs_lstat(store, path_of("node", number).text, &info) == 0;
}

static int add_file(memfs *store, const char *path)
{
    memfs_file *file;
    int error = memfs_open(store, path, MEMFS_O_WRITE | MEMFS_O_CREATE | MEMFS_O_EXCLUSIVE, 0644,
                           &file);
    return error == 0 ? memfs_close(file) : error;
}

static int add_dir(memfs *store, uint64_t number)
{
    int error = memfs_mkdir(store, path_of("link", number).text, 0755);
    if (error == 0)
        error = memfs_mkdir(store, path_of("down", number).text, 0755);
    return error == 0 ? memfs_mkdir(store, path_of("node", number).text, 0755) : error;
}

int mfs_disk_add(memfs *store, uint64_t number, int kind, const char *target)
{
    if (kind == MEMFS_KIND_DIRECTORY)
        return add_dir(store, number);
    struct path path = path_of("node", number);
    return kind == MEMFS_KIND_FILE ? add_file(store, path.text)
                                   : memfs_symlink(store, target, path.text, 0);
}

int mfs_disk_set_attributes(memfs *store, uint64_t number, int kind,
                            const struct mfs_disk_attributes *a)
{
    struct path path = path_of("node", number);
    int error = kind == MEMFS_KIND_SYMLINK ? 0 : memfs_chmod(store, path.text, a->mode);
    if (error == 0)
        error = memfs_chownat(store, NULL, path.text, a->uid, a->gid, MEMFS_AT_NOFOLLOW);
    if (error == 0)
        error = memfs_utimensat(store, NULL, path.text, a->access_ns, a->modify_ns,
                                MEMFS_AT_NOFOLLOW);
    return error;
}

int mfs_disk_set_name(memfs *store, const struct mfs_disk_name *name, uint64_t number, int kind)
{
    struct path link = path_of_name("link", name);
    struct path down = path_of_name("down", name);
    (void)memfs_unlink(store, link.text);
    (void)memfs_unlink(store, down.text);
    if (number == 0)
        return 0;
    if (kind != MEMFS_KIND_DIRECTORY)
        return memfs_link(store, path_of("node", number).text, link.text);
    char target[24];
    snprintf(target, sizeof target, "%" PRIx64, number);
    return memfs_symlink(store, target, down.text, 0);
}

static int open_by_number(memfs *store, uint64_t number, memfs_file **out)
{
    return memfs_open(store, path_of("node", number).text, MEMFS_O_RDWR, 0, out);
}

int mfs_disk_write(memfs *store, uint64_t number, uint64_t offset, const void *bytes,
                   uint64_t length)
{
    memfs_file *file;
    int error = open_by_number(store, number, &file);
    if (error != 0)
        return error;
    int64_t n = memfs_pwrite(file, bytes, (size_t)length, (int64_t)offset);
    (void)memfs_close(file);
    return n < 0 ? (int)n : 0;
}

int mfs_disk_resize(memfs *store, uint64_t number, uint64_t size)
{
    return memfs_truncate(store, path_of("node", number).text, (int64_t)size);
}

/* The rooms of a directory stay: a durable name may lead there. */
void mfs_disk_forget(memfs *store, uint64_t number)
{
    struct path path = path_of("node", number);
    if (!memfs_is_dir(store, path.text))
        (void)memfs_unlink(store, path.text);
}

/* ------------------------------------------------------------------ building */

/* A directory of which the names are still to be made. */
struct unbuilt {
    struct unbuilt *next;
    uint64_t number;
    memfs_dir *dir; /* in the new tree */
};

/* Where a node that has several names got the first. */
struct linked {
    struct linked *next;
    uint64_t node; /* its number in the store */
    memfs_dir *dir;
    char name[];
};

struct building {
    memfs *store, *out;
    struct unbuilt *first, **last, *done;
    struct linked *linked;
    unsigned char *buffer;
};

enum { BUFFER_BYTES = 1 << 16 };

static int take(struct building *b, size_t bytes, void **out)
{
    return memfs_charged_alloc(b->store, bytes, out);
}

static int copy_data(struct building *b, memfs_file *from, memfs_file *to, int64_t start,
                     int64_t end)
{
    while (start < end) {
        int64_t room = end - start < BUFFER_BYTES ? end - start : BUFFER_BYTES;
        int64_t n = memfs_pread(from, b->buffer, (size_t)room, start);
        MFS_CHECK(n == room);
        n = memfs_pwrite(to, b->buffer, (size_t)n, start);
        if (n < 0)
            return (int)n;
        start += n;
    }
    return 0;
}

static int copy_content(struct building *b, memfs_file *from, memfs_file *to)
{
    int64_t size = memfs_file_size(from), start = 0;
    int error = memfs_ftruncate(to, size);
    while (error == 0 && (start = memfs_seek(from, start, MEMFS_SEEK_DATA)) >= 0) {
        int64_t end = memfs_seek(from, start, MEMFS_SEEK_HOLE);
        error = copy_data(b, from, to, start, end);
        start = end;
    }
    return error;
}

static int build_file(struct building *b, const char *from_path, memfs_dir *at, const char *name)
{
    memfs_file *from, *to;
    int error = memfs_open(b->store, from_path, MEMFS_O_READ | MEMFS_O_NOATIME, 0, &from);
    if (error != 0)
        return error;
    error = memfs_openat(b->out, at, name, MEMFS_O_WRITE | MEMFS_O_CREATE | MEMFS_O_EXCLUSIVE, 0600,
                         &to);
    if (error == 0) {
        error = copy_content(b, from, to);
        (void)memfs_close(to);
    }
    (void)memfs_close(from);
    return error;
}

static int build_symlink(struct building *b, const char *from_path, memfs_dir *at, const char *name)
{
    char *target = (char *)b->buffer;
    int64_t length = memfs_readlink(b->store, from_path, target, MEMFS_PATH_MAX);
    if (length < 0)
        return (int)length;
    target[length] = '\0';
    return memfs_symlinkat(b->out, target, at, name, 0);
}

static int build_attributes(struct building *b, const memfs_stat_info *info, memfs_dir *at,
                            const char *name)
{
    int error = info->kind == MEMFS_KIND_SYMLINK ? 0
                                                 : memfs_chmodat(b->out, at, name, info->mode, 0);
    if (error == 0)
        error = memfs_chownat(b->out, at, name, info->uid, info->gid, MEMFS_AT_NOFOLLOW);
    if (error == 0)
        error = memfs_utimensat(b->out, at, name, info->access_ns, info->modify_ns,
                                MEMFS_AT_NOFOLLOW);
    return error;
}

/* Remembers the first name of a node that has, or had, more. */
static int remember(struct building *b, uint64_t node, memfs_dir *at, const char *name)
{
    void *memory;
    size_t bytes = strlen(name) + 1;
    int error = take(b, sizeof(struct linked) + bytes, &memory);
    if (error != 0)
        return error;
    struct linked *linked = memory;
    linked->next = b->linked;
    linked->node = node;
    linked->dir = at;
    memcpy(linked->name, name, bytes);
    b->linked = linked;
    return 0;
}

static const struct linked *find_linked(const struct building *b, uint64_t node)
{
    const struct linked *at = b->linked;
    while (at != NULL && at->node != node)
        at = at->next;
    return at;
}

/* A name of what is no directory. */
static int build_link(struct building *b, const struct unbuilt *in, const memfs_dirent *entry)
{
    memfs_stat_info info = {.struct_size = sizeof info};
    const struct mfs_disk_name name = {in->number, entry->name, entry->name_length};
    struct path path = path_of_name("link", &name);
    int error = memfs_lstat(b->store, path.text, &info);
    if (error != 0)
        return error;
    const struct linked *first = info.links > 2 ? find_linked(b, info.number) : NULL;
    if (first != NULL)
        return memfs_linkat(b->out, first->dir, first->name, in->dir, entry->name, 0);
    error = info.kind == MEMFS_KIND_FILE ? build_file(b, path.text, in->dir, entry->name)
                                         : build_symlink(b, path.text, in->dir, entry->name);
    if (error == 0 && info.links > 2)
        error = remember(b, info.number, in->dir, entry->name);
    return error == 0 ? build_attributes(b, &info, in->dir, entry->name) : error;
}

/* Puts a directory, which is there, in the queue. */
static int expect(struct building *b, uint64_t number, memfs_dir *at, const char *name)
{
    void *memory;
    int error = take(b, sizeof(struct unbuilt), &memory);
    if (error != 0)
        return error;
    struct unbuilt *unbuilt = memory;
    *unbuilt = (struct unbuilt){.number = number};
    error = memfs_opendirat(b->out, at, name, &unbuilt->dir);
    if (error != 0) {
        (void)memfs_free(b->store, unbuilt);
        return error;
    }
    *b->last = unbuilt;
    b->last = &unbuilt->next;
    return 0;
}

static int build_down(struct building *b, const struct unbuilt *in, const memfs_dirent *entry)
{
    char digits[24] = "";
    uint64_t number;
    const struct mfs_disk_name name = {in->number, entry->name, entry->name_length};
    struct path path = path_of_name("down", &name);
    int64_t length = memfs_readlink(b->store, path.text, digits, sizeof digits - 1);
    if (length < 0 || sscanf(digits, "%" SCNx64, &number) != 1)
        return MEMFS_EIO;
    int error = memfs_mkdirat(b->out, in->dir, entry->name, 0700);
    return error == 0 ? expect(b, number, in->dir, entry->name) : error;
}

typedef int (*build_name)(struct building *b, const struct unbuilt *in, const memfs_dirent *entry);

static int build_names(struct building *b, const struct unbuilt *in, const char *room,
                       build_name build)
{
    memfs_dir *names;
    memfs_dirent entry = {.struct_size = sizeof entry};
    int error = memfs_opendir(b->store, path_of(room, in->number).text, &names);
    if (error != 0)
        return error;
    while (error == 0 && (error = memfs_readdir(names, &entry)) == 1)
        error = build(b, in, &entry);
    (void)memfs_closedir(names);
    return error;
}

/* Directories get their attributes when nothing more comes into them. */
static int finish(struct building *b, const struct unbuilt *in)
{
    memfs_stat_info info = {.struct_size = sizeof info};
    int error = memfs_stat(b->store, path_of("node", in->number).text, &info);
    return error == 0 ? build_attributes(b, &info, in->dir, ".") : error;
}

static int build_all(struct building *b, uint64_t root)
{
    int error = expect(b, root, NULL, "/");
    for (struct unbuilt *at = b->first; error == 0 && at != NULL; at = at->next) {
        error = build_names(b, at, "link", build_link);
        if (error == 0)
            error = build_names(b, at, "down", build_down);
        if (error == 0)
            error = finish(b, at);
    }
    return error;
}

int mfs_disk_build(memfs *store, uint64_t root, memfs *out)
{
    struct building b = {.store = store, .out = out};
    void *buffer;
    b.last = &b.first;
    int error = take(&b, BUFFER_BYTES + 1, &buffer);
    if (error != 0)
        return error;
    b.buffer = buffer;
    error = build_all(&b, root);
    for (struct unbuilt *next, *at = b.first; at != NULL; at = next) {
        next = at->next;
        (void)memfs_closedir(at->dir);
        (void)memfs_free(store, at);
    }
    for (struct linked *next, *at = b.linked; at != NULL; at = next) {
        next = at->next;
        (void)memfs_free(store, at);
    }
    (void)memfs_free(store, buffer);
    return error;
}
