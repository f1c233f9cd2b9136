/*
 * A thin layer: every operation is one call, or two.  What the calls promise in
 * passing (a refused call leaves out parameters alone) is checked by the API's
 * tests, not here.
 */
#include "memfs_executor.h"

#include <memfs/storage.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static memfs_dir *at_directory(const struct memfs_runner *runner, int at)
{
    return at == AT_ROOT ? NULL : runner->directories[at];
}

static int64_t run_open(struct memfs_runner *runner, const struct operation *o)
{
    memfs_open_options options = {.struct_size = sizeof options, .flags = o->flags, .mode = 0644};
    options.at = at_directory(runner, o->at);
    if (o->slot == HANDLE_SLOTS - 1)
        options.storage = &runner->lent;
    memfs_file *opened;
    int result = memfs_open_with(runner->fs, o->path, &options, &opened);
    if (result != 0)
        return result;
    if (runner->handles[o->slot] != NULL && memfs_close(runner->handles[o->slot]) != 0)
        abort();
    runner->handles[o->slot] = opened;
    return 0;
}

static void make_parts(const struct operation *o, unsigned char *data, memfs_iovec *parts)
{
    for (int i = 0; i < o->parts; i++) {
        parts[i].data = data;
        parts[i].length = operation_part(o, i);
        data += parts[i].length;
    }
}

static int64_t run_read(struct memfs_runner *runner, const struct operation *o, uint64_t *hash)
{
    memfs_file *file = runner->handles[o->slot];
    unsigned char *buffer = operation_buffer((size_t)o->size);
    memfs_iovec parts[3];
    make_parts(o, buffer, parts);
    int64_t got;
    if (o->parts > 1)
        got = o->positioned ? memfs_preadv(file, parts, (size_t)o->parts, o->offset)
                            : memfs_readv(file, parts, (size_t)o->parts);
    else
        got = o->positioned ? memfs_pread(file, buffer, (size_t)o->size, o->offset)
                            : memfs_read(file, buffer, (size_t)o->size);
    if (got >= 0)
        *hash = hash_bytes(HASH_START, buffer, (size_t)got);
    return got;
}

static int64_t run_write(struct memfs_runner *runner, const struct operation *o)
{
    memfs_file *file = runner->handles[o->slot];
    const unsigned char *data = operation_data(o->data_seed, (size_t)o->size);
    if (o->parts == 1)
        return o->positioned ? memfs_pwrite(file, data, (size_t)o->size, o->offset)
                             : memfs_write(file, data, (size_t)o->size);
    unsigned char *copy = operation_buffer((size_t)o->size);
    memcpy(copy, data, (size_t)o->size);
    memfs_iovec parts[3];
    make_parts(o, copy, parts);
    return o->positioned ? memfs_pwritev(file, parts, (size_t)o->parts, o->offset)
                         : memfs_writev(file, parts, (size_t)o->parts);
}

static int64_t run_readlink(struct memfs_runner *runner, const struct operation *o, uint64_t *hash)
{
    char target[PATH_ROOM];
    int64_t length = memfs_readlinkat(runner->fs, at_directory(runner, o->at), o->path, target,
                                      sizeof target);
    if (length >= 0)
        *hash = hash_bytes(HASH_START, target, (size_t)length);
    return length;
}

/* The names by a stream, sorted here, and by memfs_list_dir(), which sorts: they must agree. */
static int list(void *context, const char *path, struct name_list *out)
{
    struct memfs_runner *runner = context;
    memfs_dir *dir;
    int result = memfs_opendir(runner->fs, path, &dir);
    if (result != 0)
        return result;
    memfs_dirent entry = {.struct_size = sizeof entry};
    out->count = 0;
    while ((result = memfs_readdir(dir, &entry)) == 1)
        memcpy(out->names[out->count++], entry.name, entry.name_length + 1);
    if (memfs_closedir(dir) != 0)
        abort();
    name_list_sort(out);
    memfs_list sorted = {.struct_size = sizeof sorted};
    if (result == 0)
        result = memfs_list_dir(runner->fs, path, &sorted);
    if (result != 0)
        return result;
    int same = sorted.count == out->count;
    for (size_t i = 0; same && i < sorted.count; i++)
        same = strcmp(sorted.names[i], out->names[i]) == 0;
    memfs_list_free(runner->fs, &sorted);
    if (!same)
        fprintf(stderr, "memfs_list_dir() and memfs_readdir() disagree on %s\n", path);
    return same ? 0 : MEMFS_EIO;
}

static int64_t run_list(struct memfs_runner *runner, const struct operation *o, uint64_t *hash)
{
    static struct name_list names;
    int result = list(runner, o->path, &names);
    if (result == 0)
        *hash = name_list_hash(&names);
    return result;
}

static int64_t run_open_directory(struct memfs_runner *runner, const struct operation *o)
{
    memfs_dir **slot = &runner->directories[o->extra_slot];
    memfs_dir *opened = NULL;
    int result = 0;
    if (o->kind == OP_OPENDIR)
        result = memfs_opendirat(runner->fs, at_directory(runner, o->at), o->path, &opened);
    if (result != 0)
        return result;
    if (*slot != NULL && memfs_closedir(*slot) != 0)
        abort();
    *slot = opened;
    return 0;
}

static int64_t run_map(struct memfs_runner *runner, const struct operation *o, uint64_t *hash)
{
    memfs_mapping mapping;
    int result = memfs_map(runner->handles[o->slot], o->offset, (size_t)o->size, &mapping);
    if (result != 0)
        return result;
    *hash = hash_bytes(HASH_START, mapping.data, mapping.length);
    int64_t length = (int64_t)mapping.length;
    return memfs_unmap(&mapping) == 0 ? length : MEMFS_EIO;
}

static memfs_content_ref *spare_version(struct memfs_runner *runner)
{
    memfs_content_ref *room = runner->version_rooms;
    for (int i = 0; i < VERSION_SLOTS; i++)
        if (runner->versions[i] == room) {
            room++;
            i = -1;
        }
    return room;
}

static int64_t take_version(struct memfs_runner *runner, const struct operation *o)
{
    memfs_content_ref **slot = &runner->versions[o->extra_slot];
    memfs_content_ref *taken = spare_version(runner);
    int result = memfs_content_take(runner->handles[o->slot], taken);
    if (result != 0)
        return result;
    if (*slot != NULL && memfs_content_drop(*slot) != 0)
        abort();
    *slot = taken;
    return (int64_t)taken->size_bytes;
}

static int64_t run_version(struct memfs_runner *runner, const struct operation *o, uint64_t *hash)
{
    memfs_content_ref *version = runner->versions[o->extra_slot];
    int64_t result;
    if (o->kind == OP_VERSION_TAKE)
        return take_version(runner, o);
    if (version == NULL)
        return MEMFS_EINVAL;
    if (o->kind == OP_VERSION_READ) {
        unsigned char *buffer = operation_buffer((size_t)o->size);
        result = memfs_content_read(version, buffer, (size_t)o->size, o->offset);
        if (result >= 0)
            *hash = hash_bytes(HASH_START, buffer, (size_t)result);
        return result;
    }
    result = o->kind == OP_VERSION_RESTORE
                 ? memfs_content_restore(runner->handles[o->slot], version)
                 : memfs_content_drop(version);
    if (result == 0)
        runner->versions[o->extra_slot] = NULL;
    return result;
}

static const char *const snapshot_names[SNAPSHOT_SLOTS] = {"monday", "tuesday", "wednesday"};

static int64_t run_names(struct memfs_runner *runner, const struct operation *o)
{
    memfs *fs = runner->fs;
    memfs_dir *at = at_directory(runner, o->at);
    memfs_dir *to_at = at_directory(runner, o->other_at);
    switch (o->kind) {
    case OP_TRUNCATE:
        return memfs_truncate(fs, o->path, o->size);
    case OP_MKDIR:
        return memfs_mkdirat(fs, at, o->path, 0755);
    case OP_MKDIR_PARENTS:
        return memfs_mkdir_parents(fs, o->path, 0755);
    case OP_RMDIR:
        return memfs_unlinkat(fs, at, o->path, MEMFS_AT_REMOVEDIR);
    case OP_UNLINK:
        return memfs_unlinkat(fs, at, o->path, 0);
    case OP_RENAME:
        return memfs_renameat(fs, at, o->path, to_at, o->other, o->flags);
    case OP_LINK:
        return memfs_linkat(fs, at, o->path, to_at, o->other, o->flags);
    case OP_SYMLINK:
        return memfs_symlinkat(fs, o->other, at, o->path, 0);
    case OP_COPY:
        return memfs_copy(fs, o->path, o->other, o->flags);
    case OP_COPY_TREE:
        return memfs_copy_tree(fs, o->path, o->other, 0);
    case OP_SNAPSHOT:
        return memfs_snapshot_take(fs, snapshot_names[o->extra_slot]);
    case OP_SNAPSHOT_REMOVE:
        return memfs_snapshot_remove(fs, snapshot_names[o->extra_slot]);
    case OP_SNAPSHOT_EXTRACT:
        return memfs_snapshot_extract(fs, snapshot_names[o->extra_slot], "/", o->other, 0);
    case OP_RESTORE:
        return memfs_snapshot_restore(fs, snapshot_names[o->extra_slot]);
    case OP_WRITE_FILE:
        return memfs_write_file(fs, o->path, operation_data(o->data_seed, (size_t)o->size),
                                (size_t)o->size, 0644, 0);
    default:
        return memfs_remove_tree(fs, o->path);
    }
}

/* What is preallocated in between is there or is not reported, as the audit says; the preallocation
 * ends with the operation, whose lasting effect is the cut. */
static int64_t cut_preallocated(memfs *fs, memfs_file *file, const struct operation *o)
{
    int64_t end, size = memfs_file_size(file);
    int64_t cut = operation_cut(o, size > 0 ? size : 0, &end);
    int error = memfs_preallocate(file, size < 0 ? 0 : end);
    if (error == 0)
        error = memfs_ftruncate(file, cut);
    if (error == 0)
        error = memfs_audit(fs);
    return error == 0 ? memfs_preallocate(file, 0) : error;
}

static int64_t preallocate(memfs *fs, memfs_file *file, const struct operation *o)
{
    memfs_stat_info stat = {.struct_size = sizeof stat};
    memfs_statfs_info info = {.struct_size = sizeof info};
    int error = memfs_fstat(file, &stat);
    if (error == 0)
        error = memfs_statfs(fs, &info);
    if (error != 0)
        return error;
    uint64_t pages = stat.allocated_bytes / info.page_size;
    return memfs_preallocate(
        file, operation_preallocation(o, (int64_t)stat.size_bytes, pages, info.page_size));
}

static int64_t run_handle(struct memfs_runner *runner, const struct operation *o)
{
    memfs_file *file = runner->handles[o->slot];
    if (file == NULL)
        return MEMFS_EBADF;
    switch (o->kind) {
    case OP_CUT_PREALLOCATED:
        return cut_preallocated(runner->fs, file, o);
    case OP_PREALLOCATE:
        return preallocate(runner->fs, file, o);
    case OP_SEEK:
        return memfs_seek(file, o->offset, o->whence);
    case OP_FTRUNCATE:
        return memfs_ftruncate(file, o->size);
    case OP_ALLOCATE:
        return memfs_fallocate(file, o->offset, o->size, o->flags);
    case OP_LINK_FILE:
        return memfs_link_file(file, at_directory(runner, o->other_at), o->other);
    default: /* OP_CLOSE */
        runner->handles[o->slot] = NULL;
        return memfs_close(file);
    }
}

static void run(void *context, const struct operation *o, struct outcome *out)
{
    struct memfs_runner *runner = context;
    out->hash = 0;
    switch (o->kind) {
    case OP_OPEN:
        out->result = run_open(runner, o);
        break;
    case OP_READ:
        out->result = run_read(runner, o, &out->hash);
        break;
    case OP_WRITE:
        out->result = run_write(runner, o);
        break;
    case OP_CLOSE:
    case OP_SEEK:
    case OP_FTRUNCATE:
    case OP_ALLOCATE:
    case OP_CUT_PREALLOCATED:
    case OP_PREALLOCATE:
    case OP_LINK_FILE:
        out->result = run_handle(runner, o);
        break;
    case OP_READLINK:
        out->result = run_readlink(runner, o, &out->hash);
        break;
    case OP_LIST:
        out->result = run_list(runner, o, &out->hash);
        break;
    case OP_OPENDIR:
    case OP_CLOSEDIR:
        out->result = run_open_directory(runner, o);
        break;
    case OP_MAP:
        out->result = run_map(runner, o, &out->hash);
        break;
    case OP_VERSION_TAKE:
    case OP_VERSION_RESTORE:
    case OP_VERSION_DROP:
    case OP_VERSION_READ:
        out->result = run_version(runner, o, &out->hash);
        break;
    default:
        out->result = run_names(runner, o);
        break;
    }
}

static void convert(const struct memfs_runner *runner, int result, const memfs_stat_info *stat,
                    struct look *out)
{
    memset(out, 0, sizeof *out);
    out->error = result;
    if (result != 0)
        return;
    memfs_statfs_info info = {.struct_size = sizeof info};
    if (memfs_statfs(runner->fs, &info) != 0)
        abort();
    out->kind = stat->kind;
    out->links = stat->links;
    out->size = stat->size_bytes;
    if (stat->kind == MEMFS_KIND_FILE)
        out->pages = (stat->allocated_bytes + info.page_size - 1) / info.page_size;
}

static void look(void *context, int at, const char *path, struct look *out)
{
    struct memfs_runner *runner = context;
    memfs_stat_info stat = {.struct_size = sizeof stat};
    int result = memfs_statat(runner->fs, at_directory(runner, at), path, &stat, MEMFS_AT_NOFOLLOW);
    convert(runner, result, &stat, out);
}

static void look_open(void *context, unsigned slot, struct look *out)
{
    struct memfs_runner *runner = context;
    memfs_stat_info stat = {.struct_size = sizeof stat};
    convert(runner, memfs_fstat(runner->handles[slot], &stat), &stat, out);
}

struct executor memfs_executor(struct memfs_runner *runner)
{
    return (struct executor){
        .context = runner, .run = run, .look = look, .look_open = look_open, .list = list};
}

void memfs_runner_close(struct memfs_runner *runner)
{
    for (int i = 0; i < HANDLE_SLOTS; i++)
        if (runner->handles[i] != NULL && memfs_close(runner->handles[i]) != 0)
            abort();
    for (int i = 0; i < DIRECTORY_SLOTS; i++)
        if (runner->directories[i] != NULL && memfs_closedir(runner->directories[i]) != 0)
            abort();
    for (int i = 0; i < VERSION_SLOTS; i++)
        if (runner->versions[i] != NULL && memfs_content_drop(runner->versions[i]) != 0)
            abort();
}
