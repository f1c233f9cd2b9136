/*
 * Filling in requests: each function puts the arguments of its call away, in the caller's memory,
 * and nothing else happens.
 */
#include "request.h"

static void fill(memfs_async_request *request, enum memfs_async_operation operation,
                 const struct mfs_request_arguments *arguments)
{
    if (request == NULL)
        return;
    const size_t kept = offsetof(memfs_async_request, at); /* `data`, and nothing else */
    memset((char *)request + kept, 0, sizeof *request - kept);
    request->operation = (int)operation;
    mfs_request_of(request)->arguments = *arguments;
}

void memfs_async_call(memfs_async_request *request, memfs_async_function function, void *argument)
{
    fill(request, MEMFS_ASYNC_CALL,
         &(struct mfs_request_arguments){.function = function, .context = argument});
}

void memfs_async_open(memfs_async_request *request, const char *path, uint32_t flags, uint32_t mode,
                      memfs_file **out)
{
    fill(request, MEMFS_ASYNC_OPEN,
         &(struct mfs_request_arguments){.path = path, .flags = flags, .mode = mode, .out = out});
}

void memfs_async_open_with(memfs_async_request *request, const char *path,
                           const memfs_open_options *options, memfs_file **out)
{
    fill(request, MEMFS_ASYNC_OPEN_WITH,
         &(struct mfs_request_arguments){.path = path, .in = options, .out = out});
}

void memfs_async_close_file(memfs_async_request *request, memfs_file *file)
{
    fill(request, MEMFS_ASYNC_CLOSE_FILE, &(struct mfs_request_arguments){.file = file});
}

void memfs_async_read(memfs_async_request *request, memfs_file *file, void *buffer, size_t length)
{
    fill(request, MEMFS_ASYNC_READ,
         &(struct mfs_request_arguments){.file = file, .out = buffer, .size = length});
}

void memfs_async_write(memfs_async_request *request, memfs_file *file, const void *buffer,
                       size_t length)
{
    fill(request, MEMFS_ASYNC_WRITE,
         &(struct mfs_request_arguments){.file = file, .in = buffer, .size = length});
}

void memfs_async_pread(memfs_async_request *request, memfs_file *file, void *buffer, size_t length,
                       int64_t offset)
{
    fill(request, MEMFS_ASYNC_PREAD,
         &(struct mfs_request_arguments){
             .file = file, .out = buffer, .size = length, .offset = offset});
}

void memfs_async_pwrite(memfs_async_request *request, memfs_file *file, const void *buffer,
                        size_t length, int64_t offset)
{
    fill(request, MEMFS_ASYNC_PWRITE,
         &(struct mfs_request_arguments){
             .file = file, .in = buffer, .size = length, .offset = offset});
}

void memfs_async_readv(memfs_async_request *request, memfs_file *file, const memfs_iovec *parts,
                       size_t count)
{
    fill(request, MEMFS_ASYNC_READV,
         &(struct mfs_request_arguments){.file = file, .in = parts, .size = count});
}

void memfs_async_writev(memfs_async_request *request, memfs_file *file, const memfs_iovec *parts,
                        size_t count)
{
    fill(request, MEMFS_ASYNC_WRITEV,
         &(struct mfs_request_arguments){.file = file, .in = parts, .size = count});
}

void memfs_async_preadv(memfs_async_request *request, memfs_file *file, const memfs_iovec *parts,
                        size_t count, int64_t offset)
{
    fill(request, MEMFS_ASYNC_PREADV,
         &(struct mfs_request_arguments){
             .file = file, .in = parts, .size = count, .offset = offset});
}

void memfs_async_pwritev(memfs_async_request *request, memfs_file *file, const memfs_iovec *parts,
                         size_t count, int64_t offset)
{
    fill(request, MEMFS_ASYNC_PWRITEV,
         &(struct mfs_request_arguments){
             .file = file, .in = parts, .size = count, .offset = offset});
}

void memfs_async_seek(memfs_async_request *request, memfs_file *file, int64_t offset, int whence)
{
    fill(
        request, MEMFS_ASYNC_SEEK,
        &(struct mfs_request_arguments){.file = file, .offset = offset, .flags = (uint32_t)whence});
}

void memfs_async_truncate(memfs_async_request *request, const char *path, int64_t size)
{
    fill(request, MEMFS_ASYNC_TRUNCATE,
         &(struct mfs_request_arguments){.path = path, .offset = size});
}

void memfs_async_ftruncate(memfs_async_request *request, memfs_file *file, int64_t size)
{
    fill(request, MEMFS_ASYNC_FTRUNCATE,
         &(struct mfs_request_arguments){.file = file, .offset = size});
}

void memfs_async_fallocate(memfs_async_request *request, memfs_file *file, int64_t offset,
                           int64_t length, unsigned flags)
{
    fill(request, MEMFS_ASYNC_FALLOCATE,
         &(struct mfs_request_arguments){
             .file = file, .offset = offset, .length = length, .flags = flags});
}

void memfs_async_fsync(memfs_async_request *request, memfs_file *file)
{
    fill(request, MEMFS_ASYNC_FSYNC, &(struct mfs_request_arguments){.file = file});
}

void memfs_async_lock(memfs_async_request *request, memfs_file *file, int kind, int64_t timeout_ms)
{
    fill(request, MEMFS_ASYNC_LOCK,
         &(struct mfs_request_arguments){
             .file = file, .flags = (uint32_t)kind, .offset = timeout_ms});
}

void memfs_async_unlock(memfs_async_request *request, memfs_file *file)
{
    fill(request, MEMFS_ASYNC_UNLOCK, &(struct mfs_request_arguments){.file = file});
}

void memfs_async_stat(memfs_async_request *request, const char *path, memfs_stat_info *info)
{
    fill(request, MEMFS_ASYNC_STAT, &(struct mfs_request_arguments){.path = path, .out = info});
}

void memfs_async_lstat(memfs_async_request *request, const char *path, memfs_stat_info *info)
{
    fill(request, MEMFS_ASYNC_LSTAT, &(struct mfs_request_arguments){.path = path, .out = info});
}

void memfs_async_fstat(memfs_async_request *request, memfs_file *file, memfs_stat_info *info)
{
    fill(request, MEMFS_ASYNC_FSTAT, &(struct mfs_request_arguments){.file = file, .out = info});
}

void memfs_async_chmod(memfs_async_request *request, const char *path, uint32_t mode)
{
    fill(request, MEMFS_ASYNC_CHMOD, &(struct mfs_request_arguments){.path = path, .mode = mode});
}

void memfs_async_fchmod(memfs_async_request *request, memfs_file *file, uint32_t mode)
{
    fill(request, MEMFS_ASYNC_FCHMOD, &(struct mfs_request_arguments){.file = file, .mode = mode});
}

void memfs_async_chown(memfs_async_request *request, const char *path, uint32_t uid, uint32_t gid)
{
    fill(request, MEMFS_ASYNC_CHOWN,
         &(struct mfs_request_arguments){.path = path, .flags = uid, .mode = gid});
}

void memfs_async_fchown(memfs_async_request *request, memfs_file *file, uint32_t uid, uint32_t gid)
{
    fill(request, MEMFS_ASYNC_FCHOWN,
         &(struct mfs_request_arguments){.file = file, .flags = uid, .mode = gid});
}

void memfs_async_utimens(memfs_async_request *request, const char *path, int64_t access_ns,
                         int64_t modify_ns)
{
    fill(request, MEMFS_ASYNC_UTIMENS,
         &(struct mfs_request_arguments){.path = path, .offset = access_ns, .length = modify_ns});
}

void memfs_async_futimens(memfs_async_request *request, memfs_file *file, int64_t access_ns,
                          int64_t modify_ns)
{
    fill(request, MEMFS_ASYNC_FUTIMENS,
         &(struct mfs_request_arguments){.file = file, .offset = access_ns, .length = modify_ns});
}

void memfs_async_mkdir(memfs_async_request *request, const char *path, uint32_t mode)
{
    fill(request, MEMFS_ASYNC_MKDIR, &(struct mfs_request_arguments){.path = path, .mode = mode});
}

void memfs_async_mkdir_parents(memfs_async_request *request, const char *path, uint32_t mode)
{
    fill(request, MEMFS_ASYNC_MKDIR_PARENTS,
         &(struct mfs_request_arguments){.path = path, .mode = mode});
}

void memfs_async_rmdir(memfs_async_request *request, const char *path)
{
    fill(request, MEMFS_ASYNC_RMDIR, &(struct mfs_request_arguments){.path = path});
}

void memfs_async_unlink(memfs_async_request *request, const char *path)
{
    fill(request, MEMFS_ASYNC_UNLINK, &(struct mfs_request_arguments){.path = path});
}

void memfs_async_remove(memfs_async_request *request, const char *path)
{
    fill(request, MEMFS_ASYNC_REMOVE, &(struct mfs_request_arguments){.path = path});
}

void memfs_async_remove_tree(memfs_async_request *request, const char *path)
{
    fill(request, MEMFS_ASYNC_REMOVE_TREE, &(struct mfs_request_arguments){.path = path});
}

void memfs_async_rename(memfs_async_request *request, const char *from, const char *to,
                        unsigned flags)
{
    fill(request, MEMFS_ASYNC_RENAME,
         &(struct mfs_request_arguments){.path = from, .second = to, .flags = flags});
}

void memfs_async_link(memfs_async_request *request, const char *from, const char *to)
{
    fill(request, MEMFS_ASYNC_LINK, &(struct mfs_request_arguments){.path = from, .second = to});
}

void memfs_async_link_file(memfs_async_request *request, memfs_file *file, const char *to)
{
    fill(request, MEMFS_ASYNC_LINK_FILE,
         &(struct mfs_request_arguments){.file = file, .second = to});
}

void memfs_async_symlink(memfs_async_request *request, const char *target, const char *path,
                         unsigned flags)
{
    fill(request, MEMFS_ASYNC_SYMLINK,
         &(struct mfs_request_arguments){.second = target, .path = path, .flags = flags});
}

void memfs_async_readlink(memfs_async_request *request, const char *path, char *buffer, size_t size)
{
    fill(request, MEMFS_ASYNC_READLINK,
         &(struct mfs_request_arguments){.path = path, .out = buffer, .size = size});
}

void memfs_async_realpath(memfs_async_request *request, const char *path, char *buffer, size_t size)
{
    fill(request, MEMFS_ASYNC_REALPATH,
         &(struct mfs_request_arguments){.path = path, .out = buffer, .size = size});
}

void memfs_async_read_file(memfs_async_request *request, const char *path, size_t limit,
                           void **data, size_t *size)
{
    fill(request, MEMFS_ASYNC_READ_FILE,
         &(struct mfs_request_arguments){
             .path = path, .size = limit, .out = data, .out_size = size});
}

void memfs_async_read_file_into(memfs_async_request *request, const char *path, void *buffer,
                                size_t size)
{
    fill(request, MEMFS_ASYNC_READ_FILE_INTO,
         &(struct mfs_request_arguments){.path = path, .out = buffer, .size = size});
}

void memfs_async_write_file(memfs_async_request *request, const char *path, const void *data,
                            size_t size, uint32_t mode, unsigned flags)
{
    fill(request, MEMFS_ASYNC_WRITE_FILE,
         &(struct mfs_request_arguments){
             .path = path, .in = data, .size = size, .mode = mode, .flags = flags});
}

void memfs_async_append_file(memfs_async_request *request, const char *path, const void *data,
                             size_t size, uint32_t mode, unsigned flags)
{
    fill(request, MEMFS_ASYNC_APPEND_FILE,
         &(struct mfs_request_arguments){
             .path = path, .in = data, .size = size, .mode = mode, .flags = flags});
}

void memfs_async_copy(memfs_async_request *request, const char *from, const char *to,
                      unsigned flags)
{
    fill(request, MEMFS_ASYNC_COPY,
         &(struct mfs_request_arguments){.path = from, .second = to, .flags = flags});
}

void memfs_async_copy_tree(memfs_async_request *request, const char *from, const char *to,
                           unsigned flags)
{
    fill(request, MEMFS_ASYNC_COPY_TREE,
         &(struct mfs_request_arguments){.path = from, .second = to, .flags = flags});
}

void memfs_async_import(memfs_async_request *request, const memfs_import_entry *entries,
                        size_t count, unsigned flags, size_t *failed)
{
    fill(request, MEMFS_ASYNC_IMPORT,
         &(struct mfs_request_arguments){
             .in = entries, .size = count, .flags = flags, .out_size = failed});
}

void memfs_async_tree_usage(memfs_async_request *request, const char *path, memfs_tree_info *info)
{
    fill(request, MEMFS_ASYNC_TREE_USAGE,
         &(struct mfs_request_arguments){.path = path, .out = info});
}

void memfs_async_tree_sharing(memfs_async_request *request, const char *path,
                              memfs_sharing_info *info)
{
    fill(request, MEMFS_ASYNC_TREE_SHARING,
         &(struct mfs_request_arguments){.path = path, .out = info});
}

void memfs_async_statfs(memfs_async_request *request, memfs_statfs_info *info)
{
    fill(request, MEMFS_ASYNC_STATFS, &(struct mfs_request_arguments){.out = info});
}

void memfs_async_snapshot_take(memfs_async_request *request, const char *name)
{
    fill(request, MEMFS_ASYNC_SNAPSHOT_TAKE, &(struct mfs_request_arguments){.path = name});
}

void memfs_async_snapshot_restore(memfs_async_request *request, const char *name)
{
    fill(request, MEMFS_ASYNC_SNAPSHOT_RESTORE, &(struct mfs_request_arguments){.path = name});
}

void memfs_async_snapshot_remove(memfs_async_request *request, const char *name)
{
    fill(request, MEMFS_ASYNC_SNAPSHOT_REMOVE, &(struct mfs_request_arguments){.path = name});
}

void memfs_async_snapshot_rename(memfs_async_request *request, const char *name,
                                 const char *new_name)
{
    fill(request, MEMFS_ASYNC_SNAPSHOT_RENAME,
         &(struct mfs_request_arguments){.path = name, .second = new_name});
}

void memfs_async_snapshot_extract(memfs_async_request *request, const char *name, const char *from,
                                  const char *to, unsigned flags)
{
    fill(
        request, MEMFS_ASYNC_SNAPSHOT_EXTRACT,
        &(struct mfs_request_arguments){.path = name, .second = from, .third = to, .flags = flags});
}

void memfs_async_snapshot_stat(memfs_async_request *request, const char *name,
                               memfs_snapshot_info *info)
{
    fill(request, MEMFS_ASYNC_SNAPSHOT_STAT,
         &(struct mfs_request_arguments){.path = name, .out = info});
}

void memfs_async_snapshot_list(memfs_async_request *request, memfs_list *out)
{
    fill(request, MEMFS_ASYNC_SNAPSHOT_LIST, &(struct mfs_request_arguments){.out = out});
}

void memfs_async_snapshot_open(memfs_async_request *request, const char *name, const char *path,
                               uint32_t flags, memfs_file **out)
{
    fill(request, MEMFS_ASYNC_SNAPSHOT_OPEN,
         &(struct mfs_request_arguments){.path = name, .second = path, .flags = flags, .out = out});
}

void memfs_async_compare_open(memfs_async_request *request, const char *before, const char *after,
                              memfs_comparison **out)
{
    fill(request, MEMFS_ASYNC_COMPARE_OPEN,
         &(struct mfs_request_arguments){.path = before, .second = after, .out = out});
}

void memfs_async_opendir(memfs_async_request *request, const char *path, memfs_dir **out)
{
    fill(request, MEMFS_ASYNC_OPENDIR, &(struct mfs_request_arguments){.path = path, .out = out});
}

void memfs_async_readdir(memfs_async_request *request, memfs_dir *dir, memfs_dirent *entry)
{
    fill(request, MEMFS_ASYNC_READDIR, &(struct mfs_request_arguments){.dir = dir, .out = entry});
}

void memfs_async_closedir(memfs_async_request *request, memfs_dir *dir)
{
    fill(request, MEMFS_ASYNC_CLOSEDIR, &(struct mfs_request_arguments){.dir = dir});
}

void memfs_async_list_dir(memfs_async_request *request, const char *path, memfs_list *out)
{
    fill(request, MEMFS_ASYNC_LIST_DIR, &(struct mfs_request_arguments){.path = path, .out = out});
}

void memfs_async_glob(memfs_async_request *request, const char *pattern, memfs_list *out)
{
    fill(request, MEMFS_ASYNC_GLOB, &(struct mfs_request_arguments){.path = pattern, .out = out});
}

void memfs_async_walk(memfs_async_request *request, const char *path, memfs_walk_callback callback,
                      void *context)
{
    fill(request, MEMFS_ASYNC_WALK,
         &(struct mfs_request_arguments){.path = path, .walk = callback, .context = context});
}
