/*
 * Making the calls that requests stand for: one function and one row of the table for each.  The
 * table follows MEMFS_ASYNC_OPERATIONS, so an operation without a function does not compile.
 */
#include "calls.h"

#include "request.h"

struct call {
    memfs *fs;
    memfs_async_request *request;
    memfs_dir *at, *to_at;
    const struct mfs_request_arguments *arguments;
};

static int64_t run_open(const struct call *c)
{
    return memfs_openat(c->fs, c->at, c->arguments->path, c->arguments->flags, c->arguments->mode,
                        c->arguments->out);
}

static int64_t run_open_with(const struct call *c)
{
    const memfs_open_options *options = c->arguments->in;
    const size_t known = offsetof(memfs_open_options, lock_timeout_ms) + sizeof(int64_t);
    if (options != NULL && options->struct_size >= known && options->lock_timeout_ms != 0)
        return MEMFS_EINVAL; /* a thread of the executor would wait */
    return memfs_open_with(c->fs, c->arguments->path, options, c->arguments->out);
}

static int64_t run_close_file(const struct call *c)
{
    return memfs_close(c->arguments->file);
}

static int64_t run_read(const struct call *c)
{
    return memfs_read(c->arguments->file, c->arguments->out, c->arguments->size);
}

static int64_t run_write(const struct call *c)
{
    return memfs_write(c->arguments->file, c->arguments->in, c->arguments->size);
}

static int64_t run_pread(const struct call *c)
{
    return memfs_pread(c->arguments->file, c->arguments->out, c->arguments->size,
                       c->arguments->offset);
}

static int64_t run_pwrite(const struct call *c)
{
    return memfs_pwrite(c->arguments->file, c->arguments->in, c->arguments->size,
                        c->arguments->offset);
}

static int64_t run_readv(const struct call *c)
{
    return memfs_readv(c->arguments->file, c->arguments->in, c->arguments->size);
}

static int64_t run_writev(const struct call *c)
{
    return memfs_writev(c->arguments->file, c->arguments->in, c->arguments->size);
}

static int64_t run_preadv(const struct call *c)
{
    return memfs_preadv(c->arguments->file, c->arguments->in, c->arguments->size,
                        c->arguments->offset);
}

static int64_t run_pwritev(const struct call *c)
{
    return memfs_pwritev(c->arguments->file, c->arguments->in, c->arguments->size,
                         c->arguments->offset);
}

static int64_t run_seek(const struct call *c)
{
    return memfs_seek(c->arguments->file, c->arguments->offset, (int)c->arguments->flags);
}

static int64_t run_truncate(const struct call *c)
{
    return memfs_truncateat(c->fs, c->at, c->arguments->path, c->arguments->offset);
}

static int64_t run_ftruncate(const struct call *c)
{
    return memfs_ftruncate(c->arguments->file, c->arguments->offset);
}

static int64_t run_fallocate(const struct call *c)
{
    return memfs_fallocate(c->arguments->file, c->arguments->offset, c->arguments->length,
                           c->arguments->flags);
}

static int64_t run_fsync(const struct call *c)
{
    return memfs_fsync(c->arguments->file);
}

static int64_t run_lock(const struct call *c)
{
    const struct mfs_request_arguments *a = c->arguments;
    if (a->offset != 0 && a->offset != MEMFS_WAIT_FOREVER)
        return MEMFS_EINVAL;
    /* What a ticket got is there, unless another call has given it up already. */
    bool is_granted = mfs_request_of(c->request)->is_granted;
    return memfs_lock(a->file, (int)a->flags, is_granted ? 0 : a->offset);
}

static int64_t run_unlock(const struct call *c)
{
    return memfs_unlock(c->arguments->file);
}

static int64_t run_stat(const struct call *c)
{
    return memfs_statat(c->fs, c->at, c->arguments->path, c->arguments->out, 0);
}

static int64_t run_lstat(const struct call *c)
{
    return memfs_statat(c->fs, c->at, c->arguments->path, c->arguments->out, MEMFS_AT_NOFOLLOW);
}

static int64_t run_fstat(const struct call *c)
{
    return memfs_fstat(c->arguments->file, c->arguments->out);
}

static int64_t run_chmod(const struct call *c)
{
    return memfs_chmodat(c->fs, c->at, c->arguments->path, c->arguments->mode, 0);
}

static int64_t run_fchmod(const struct call *c)
{
    return memfs_fchmod(c->arguments->file, c->arguments->mode);
}

static int64_t run_chown(const struct call *c)
{
    return memfs_chownat(c->fs, c->at, c->arguments->path, c->arguments->flags, c->arguments->mode,
                         0);
}

static int64_t run_fchown(const struct call *c)
{
    return memfs_fchown(c->arguments->file, c->arguments->flags, c->arguments->mode);
}

static int64_t run_utimens(const struct call *c)
{
    return memfs_utimensat(c->fs, c->at, c->arguments->path, c->arguments->offset,
                           c->arguments->length, 0);
}

static int64_t run_futimens(const struct call *c)
{
    return memfs_futimens(c->arguments->file, c->arguments->offset, c->arguments->length);
}

static int64_t run_mkdir(const struct call *c)
{
    return memfs_mkdirat(c->fs, c->at, c->arguments->path, c->arguments->mode);
}

static int64_t run_mkdir_parents(const struct call *c)
{
    return memfs_mkdir_parents(c->fs, c->arguments->path, c->arguments->mode);
}

static int64_t run_rmdir(const struct call *c)
{
    return memfs_unlinkat(c->fs, c->at, c->arguments->path, MEMFS_AT_REMOVEDIR);
}

static int64_t run_unlink(const struct call *c)
{
    return memfs_unlinkat(c->fs, c->at, c->arguments->path, 0);
}

static int64_t run_remove(const struct call *c)
{
    return memfs_remove(c->fs, c->arguments->path);
}

static int64_t run_remove_tree(const struct call *c)
{
    return memfs_remove_treeat(c->fs, c->at, c->arguments->path);
}

static int64_t run_rename(const struct call *c)
{
    return memfs_renameat(c->fs, c->at, c->arguments->path, c->to_at, c->arguments->second,
                          c->arguments->flags);
}

static int64_t run_link(const struct call *c)
{
    return memfs_linkat(c->fs, c->at, c->arguments->path, c->to_at, c->arguments->second, 0);
}

static int64_t run_link_file(const struct call *c)
{
    return memfs_link_file(c->arguments->file, c->at, c->arguments->second);
}

static int64_t run_symlink(const struct call *c)
{
    return memfs_symlinkat(c->fs, c->arguments->second, c->at, c->arguments->path,
                           c->arguments->flags);
}

static int64_t run_readlink(const struct call *c)
{
    return memfs_readlinkat(c->fs, c->at, c->arguments->path, c->arguments->out,
                            c->arguments->size);
}

static int64_t run_realpath(const struct call *c)
{
    return memfs_realpathat(c->fs, c->at, c->arguments->path, c->arguments->out,
                            c->arguments->size);
}

static int64_t run_read_file(const struct call *c)
{
    return memfs_read_file(c->fs, c->arguments->path, c->arguments->size, c->arguments->out,
                           c->arguments->out_size);
}

static int64_t run_read_file_into(const struct call *c)
{
    return memfs_read_file_into(c->fs, c->arguments->path, c->arguments->out, c->arguments->size);
}

static int64_t run_write_file(const struct call *c)
{
    return memfs_write_file(c->fs, c->arguments->path, c->arguments->in, c->arguments->size,
                            c->arguments->mode, c->arguments->flags);
}

static int64_t run_append_file(const struct call *c)
{
    return memfs_append_file(c->fs, c->arguments->path, c->arguments->in, c->arguments->size,
                             c->arguments->mode, c->arguments->flags);
}

static int64_t run_copy(const struct call *c)
{
    return memfs_copyat(c->fs, c->at, c->arguments->path, c->to_at, c->arguments->second,
                        c->arguments->flags);
}

static int64_t run_copy_tree(const struct call *c)
{
    return memfs_copy_tree(c->fs, c->arguments->path, c->arguments->second, c->arguments->flags);
}

static int64_t run_import(const struct call *c)
{
    return memfs_import(c->fs, c->arguments->in, c->arguments->size, c->arguments->flags,
                        c->arguments->out_size);
}

static int64_t run_tree_usage(const struct call *c)
{
    return memfs_tree_usage(c->fs, c->arguments->path, c->arguments->out);
}

static int64_t run_tree_sharing(const struct call *c)
{
    return memfs_tree_sharing(c->fs, c->arguments->path, c->arguments->out);
}

static int64_t run_snapshot_take(const struct call *c)
{
    return memfs_snapshot_take(c->fs, c->arguments->path);
}

static int64_t run_snapshot_restore(const struct call *c)
{
    return memfs_snapshot_restore(c->fs, c->arguments->path);
}

static int64_t run_snapshot_remove(const struct call *c)
{
    return memfs_snapshot_remove(c->fs, c->arguments->path);
}

static int64_t run_snapshot_rename(const struct call *c)
{
    return memfs_snapshot_rename(c->fs, c->arguments->path, c->arguments->second);
}

static int64_t run_snapshot_extract(const struct call *c)
{
    return memfs_snapshot_extract(c->fs, c->arguments->path, c->arguments->second,
                                  c->arguments->third, c->arguments->flags);
}

static int64_t run_snapshot_stat(const struct call *c)
{
    return memfs_snapshot_stat(c->fs, c->arguments->path, c->arguments->out);
}

static int64_t run_snapshot_list(const struct call *c)
{
    return memfs_snapshot_list(c->fs, c->arguments->out);
}

static int64_t run_snapshot_open(const struct call *c)
{
    return memfs_snapshot_open(c->fs, c->arguments->path, c->arguments->second, c->arguments->flags,
                               c->arguments->out);
}

static int64_t run_compare_open(const struct call *c)
{
    return memfs_compare_open(c->fs, c->arguments->path, c->arguments->second, c->arguments->out);
}

static int64_t run_opendir(const struct call *c)
{
    return memfs_opendirat(c->fs, c->at, c->arguments->path, c->arguments->out);
}

static int64_t run_readdir(const struct call *c)
{
    return memfs_readdir(c->arguments->dir, c->arguments->out);
}

static int64_t run_closedir(const struct call *c)
{
    return memfs_closedir(c->arguments->dir);
}

static int64_t run_list_dir(const struct call *c)
{
    return memfs_list_dir(c->fs, c->arguments->path, c->arguments->out);
}

static int64_t run_glob(const struct call *c)
{
    return memfs_glob(c->fs, c->arguments->path, c->arguments->out);
}

static int64_t run_walk(const struct call *c)
{
    return memfs_walk(c->fs, c->arguments->path, c->arguments->walk, c->arguments->context);
}

static int64_t run_statfs(const struct call *c)
{
    return memfs_statfs(c->fs, c->arguments->out);
}

static int64_t run_call(const struct call *c)
{
    const struct mfs_request_arguments *a = c->arguments;
    return a->function != NULL ? a->function(c->request, a->context) : MEMFS_EINVAL;
}

/* ---------------------------------------------------------------- the table */

struct operation {
    const char *name;
    int64_t (*run)(const struct call *call);
    int directories;
};

static const struct operation operations[MEMFS_ASYNC_OPERATION_COUNT] = {
#define OPERATION_ROW(capitals, name, directories) \
    [MEMFS_ASYNC_##capitals] = {#name, run_##name, directories},
    MEMFS_ASYNC_OPERATIONS(OPERATION_ROW)
#undef OPERATION_ROW
};

static const struct operation *operation_of(int number)
{
    return number > MEMFS_ASYNC_NONE && number < MEMFS_ASYNC_OPERATION_COUNT ? &operations[number]
                                                                             : NULL;
}

const char *memfs_async_operation_name(int operation)
{
    const struct operation *found = operation_of(operation);
    return found != NULL ? found->name : "?";
}

bool mfs_calls_has(int operation)
{
    return operation_of(operation) != NULL;
}

/* What a request names must be of the front's file system, or not open at all, as the call says. */
static bool is_of_other(const struct call *c)
{
    memfs *owner = memfs_file_instance(c->arguments->file);
    memfs *dir_owner = memfs_dir_instance(c->arguments->dir);
    return (owner != NULL && owner != c->fs) || (dir_owner != NULL && dir_owner != c->fs);
}

int mfs_calls_check(memfs *fs, memfs_async_request *request)
{
    const struct operation *operation = operation_of(request->operation);
    const struct call call = {fs, request, request->at, request->to_at,
                              &mfs_request_of(request)->arguments};
    if (operation == NULL || (operation->directories < 1 && call.at != NULL) ||
        (operation->directories < 2 && call.to_at != NULL))
        return MEMFS_EINVAL;
    return is_of_other(&call) ? MEMFS_EXDEV : 0;
}

int64_t mfs_calls_run(memfs *fs, memfs_async_request *request)
{
    const struct call call = {fs, request, request->at, request->to_at,
                              &mfs_request_of(request)->arguments};
    int error = mfs_calls_check(fs, request);
    return error != 0 ? error : operation_of(request->operation)->run(&call);
}
