/*
 * What must never be passed in, to every exported function: null, handles that
 * are closed where it can be told, unknown flags, overlong paths, numbers that
 * overflow.  The answer is a named error, and nothing has changed.
 *
 * Unknown flags of open(), rename() and the ...at functions, negative offsets
 * and vectors are in the programs of those topics.
 */
#include "checks.h"

#include <memfs/storage.h>

/* Something of everything, so that a change would show. */
static void make_tree(memfs *fs)
{
    assert_ok(memfs_mkdir(fs, "/d", 0755));
    put(fs, "/f", "content");
    assert_ok(memfs_symlink(fs, "f", "/s", 0));
}

/* Something for each kind of out parameter. */
struct outs {
    memfs_statfs_info statfs;
    memfs_stat_info stat;
    memfs_tree_info tree;
    memfs_sharing_info sharing;
    memfs_open_options options;
    memfs_refusal refusal;
    memfs_list list;
    memfs_file *file;
    memfs_dir *dir;
    void *memory;
    size_t size;
    char buffer[8];
};

static struct outs outs_create(void)
{
    return (struct outs){.statfs = {.struct_size = sizeof(memfs_statfs_info)},
                         .stat = {.struct_size = sizeof(memfs_stat_info)},
                         .tree = {.struct_size = sizeof(memfs_tree_info)},
                         .sharing = {.struct_size = sizeof(memfs_sharing_info)},
                         .options = {.struct_size = sizeof(memfs_open_options)},
                         .refusal = {.struct_size = sizeof(memfs_refusal)},
                         .list = {.struct_size = sizeof(memfs_list)}};
}

static void check_all_return(const int64_t *results, size_t count, int error)
{
    for (size_t i = 0; i < count; i++) {
        if (results[i] != error)
            print_error("call number %zu of the list\n", i);
        assert_returns(results[i], error);
    }
}

static int never_called(void *context, const memfs_walk_entry *entry)
{
    (void)context;
    (void)entry;
    return -99;
}

static void a_null_file_system_is_invalid_for_every_function(void **state)
{
    (void)state;
    struct outs o = outs_create();
    const int64_t results[] = {
        memfs_create(NULL, NULL),
        memfs_set_quota(NULL, 1),
        memfs_set_node_limit(NULL, 1),
        memfs_statfs(NULL, &o.statfs),
        memfs_last_refusal(NULL, &o.refusal),
        memfs_audit(NULL),
        memfs_open(NULL, "/f", MEMFS_O_READ, 0, &o.file),
        memfs_openat(NULL, NULL, "/f", MEMFS_O_READ, 0, &o.file),
        memfs_open_with(NULL, "/f", &o.options, &o.file),
        memfs_open_mode(NULL, "/f", "r", &o.file),
        memfs_truncate(NULL, "/f", 0),
        memfs_stat(NULL, "/f", &o.stat),
        memfs_lstat(NULL, "/f", &o.stat),
        memfs_statat(NULL, NULL, "/f", &o.stat, 0),
        memfs_chmod(NULL, "/f", 0),
        memfs_chmodat(NULL, NULL, "/f", 0, 0),
        memfs_chown(NULL, "/f", 0, 0),
        memfs_chownat(NULL, NULL, "/f", 0, 0, 0),
        memfs_utimens(NULL, "/f", 0, 0),
        memfs_utimensat(NULL, NULL, "/f", 0, 0, 0),
        memfs_mkdir(NULL, "/x", 0),
        memfs_mkdirat(NULL, NULL, "/x", 0),
        memfs_mkdir_parents(NULL, "/x", 0),
        memfs_rmdir(NULL, "/d"),
        memfs_unlink(NULL, "/f"),
        memfs_unlinkat(NULL, NULL, "/f", 0),
        memfs_remove_tree(NULL, "/d"),
        memfs_rename(NULL, "/f", "/x", 0),
        memfs_renameat(NULL, NULL, "/f", NULL, "/x", 0),
        memfs_link(NULL, "/f", "/x"),
        memfs_linkat(NULL, NULL, "/f", NULL, "/x", 0),
        memfs_symlink(NULL, "f", "/x", 0),
        memfs_symlinkat(NULL, "f", NULL, "/x", 0),
        memfs_readlink(NULL, "/s", o.buffer, 8),
        memfs_readlinkat(NULL, NULL, "/s", o.buffer, 8),
        memfs_realpath(NULL, "/f", o.buffer, 8),
        memfs_read_file(NULL, "/f", 9, &o.memory, &o.size),
        memfs_write_file(NULL, "/f", "x", 1, 0, 0),
        memfs_copy(NULL, "/f", "/x", 0),
        memfs_copy_tree(NULL, "/d", "/x", 0),
        memfs_snapshot_take(NULL, "s"),
        memfs_snapshot_restore(NULL, "s"),
        memfs_snapshot_remove(NULL, "s"),
        memfs_snapshot_extract(NULL, "s", "/", "/x", 0),
        memfs_tree_usage(NULL, "/d", &o.tree),
        memfs_tree_sharing(NULL, "/d", &o.sharing),
        memfs_opendir(NULL, "/d", &o.dir),
        memfs_opendirat(NULL, NULL, "/d", &o.dir),
        memfs_list_dir(NULL, "/d", &o.list),
        memfs_glob(NULL, "/*", &o.list),
        memfs_walk(NULL, "/", never_called, NULL),
        memfs_charged_alloc(NULL, 10, &o.memory),
    };
    check_all_return(results, COUNT_OF(results), MEMFS_EINVAL);
    assert_null(o.file);
    assert_null(o.dir);
    assert_null(o.memory);
}

static void a_null_path_is_invalid_for_every_function(void **state)
{
    struct fixture *f = *state;
    memfs *fs = f->fs;
    make_tree(fs);
    char *before = fixture_describe(fs);
    struct outs o = outs_create();
    const int64_t results[] = {
        memfs_open(fs, NULL, MEMFS_O_READ, 0, &o.file),
        memfs_openat(fs, NULL, NULL, MEMFS_O_READ, 0, &o.file),
        memfs_open_with(fs, NULL, &o.options, &o.file),
        memfs_open_mode(fs, NULL, "r", &o.file),
        memfs_truncate(fs, NULL, 0),
        memfs_stat(fs, NULL, &o.stat),
        memfs_lstat(fs, NULL, &o.stat),
        memfs_statat(fs, NULL, NULL, &o.stat, 0),
        memfs_chmod(fs, NULL, 0),
        memfs_chmodat(fs, NULL, NULL, 0, 0),
        memfs_chown(fs, NULL, 0, 0),
        memfs_chownat(fs, NULL, NULL, 0, 0, 0),
        memfs_utimens(fs, NULL, 0, 0),
        memfs_utimensat(fs, NULL, NULL, 0, 0, 0),
        memfs_mkdir(fs, NULL, 0),
        memfs_mkdirat(fs, NULL, NULL, 0),
        memfs_mkdir_parents(fs, NULL, 0),
        memfs_rmdir(fs, NULL),
        memfs_unlink(fs, NULL),
        memfs_unlinkat(fs, NULL, NULL, 0),
        memfs_remove_tree(fs, NULL),
        memfs_rename(fs, NULL, "/x", 0),
        memfs_rename(fs, "/f", NULL, 0),
        memfs_renameat(fs, NULL, NULL, NULL, "/x", 0),
        memfs_renameat(fs, NULL, "/f", NULL, NULL, 0),
        memfs_link(fs, NULL, "/x"),
        memfs_link(fs, "/f", NULL),
        memfs_linkat(fs, NULL, NULL, NULL, "/x", 0),
        memfs_linkat(fs, NULL, "/f", NULL, NULL, 0),
        memfs_symlink(fs, NULL, "/x", 0),
        memfs_symlink(fs, "f", NULL, 0),
        memfs_symlinkat(fs, NULL, NULL, "/x", 0),
        memfs_symlinkat(fs, "f", NULL, NULL, 0),
        memfs_readlink(fs, NULL, o.buffer, 8),
        memfs_readlinkat(fs, NULL, NULL, o.buffer, 8),
        memfs_realpath(fs, NULL, o.buffer, 8),
        memfs_read_file(fs, NULL, 9, &o.memory, &o.size),
        memfs_write_file(fs, NULL, "x", 1, 0, 0),
        memfs_copy(fs, NULL, "/x", 0),
        memfs_copy(fs, "/f", NULL, 0),
        memfs_copy_tree(fs, NULL, "/x", 0),
        memfs_copy_tree(fs, "/d", NULL, 0),
        memfs_snapshot_take(fs, NULL),
        memfs_snapshot_restore(fs, NULL),
        memfs_snapshot_remove(fs, NULL),
        memfs_snapshot_extract(fs, NULL, "/", "/x", 0),
        memfs_snapshot_stat(fs, "s", NULL),
        memfs_snapshot_list(fs, NULL),
        memfs_tree_usage(fs, NULL, &o.tree),
        memfs_tree_sharing(fs, NULL, &o.sharing),
        memfs_opendir(fs, NULL, &o.dir),
        memfs_opendirat(fs, NULL, NULL, &o.dir),
        memfs_list_dir(fs, NULL, &o.list),
        memfs_glob(fs, NULL, &o.list),
        memfs_walk(fs, NULL, never_called, NULL),
    };
    check_all_return(results, COUNT_OF(results), MEMFS_EINVAL);
    check_described(fs, before, "a null path", __FILE__, __LINE__);
}

static void a_null_out_parameter_is_invalid_for_every_function(void **state)
{
    struct fixture *f = *state;
    memfs *fs = f->fs;
    memfs_open_options options = {.struct_size = sizeof options};
    void *memory = NULL;
    size_t size = 0;
    make_tree(fs);
    memfs_file *file = open_file(fs, "/f", MEMFS_O_RDWR | MEMFS_O_NOATIME);
    memfs_dir *dir = open_dir(fs, "/");
    memfs_content_ref version;
    memfs_mapping mapping;
    char *before = fixture_describe(fs);
    assert_ok(memfs_content_take(file, &version));
    const int64_t results[] = {
        memfs_statfs(fs, NULL),
        memfs_last_refusal(fs, NULL),
        memfs_open(fs, "/f", MEMFS_O_READ, 0, NULL),
        memfs_open(fs, "/x", MEMFS_O_WRITE | MEMFS_O_CREATE, 0, NULL),
        memfs_openat(fs, NULL, "/f", MEMFS_O_READ, 0, NULL),
        memfs_open_with(fs, "/f", &options, NULL),
        memfs_open_mode(fs, "/x", "w", NULL),
        memfs_stat(fs, "/f", NULL),
        memfs_lstat(fs, "/f", NULL),
        memfs_statat(fs, NULL, "/f", NULL, 0),
        memfs_fstat(file, NULL),
        memfs_readlink(fs, "/s", NULL, 8),
        memfs_readlinkat(fs, NULL, "/s", NULL, 8),
        memfs_realpath(fs, "/f", NULL, 8),
        memfs_read_file(fs, "/f", 9, NULL, &size),
        memfs_read_file(fs, "/f", 9, &memory, NULL),
        memfs_tree_usage(fs, "/d", NULL),
        memfs_opendir(fs, "/d", NULL),
        memfs_opendirat(fs, NULL, "/d", NULL),
        memfs_readdir(dir, NULL),
        memfs_list_dir(fs, "/d", NULL),
        memfs_glob(fs, "/*", NULL),
        memfs_walk(fs, "/", NULL, NULL),
        memfs_map(file, 0, 1, NULL),
        memfs_content_take(file, NULL),
        memfs_content_restore(file, NULL),
        memfs_content_exchange(file, NULL),
        memfs_content_drop(NULL),
        memfs_content_map(NULL, 0, 1, &mapping),
        memfs_content_map(&version, 0, 1, NULL),
        memfs_content_map(&version, -1, 1, &mapping),
        memfs_content_map(&version, 0, 0, &mapping),
        memfs_content_map(&version, 4090, 10, &mapping),
        memfs_content_write(NULL, &size, 1, 0),
        memfs_content_write(&version, NULL, 1, 0),
        memfs_content_write(&version, &size, 1, -1),
        memfs_content_truncate(NULL, 0),
        memfs_content_truncate(&version, -1),
        memfs_content_allocate(NULL, 0, 1),
        memfs_content_allocate(&version, -1, 1),
        memfs_content_allocate(&version, 0, 0),
        memfs_content_read(NULL, &size, 1, 0),
        memfs_content_read(&version, NULL, 1, 0),
        memfs_charged_alloc(fs, 10, NULL),
        memfs_open_with(fs, "/f", NULL, &file),
        memfs_open_mode(fs, "/f", NULL, &file),
    };
    check_all_return(results, COUNT_OF(results), MEMFS_EINVAL);
    assert_ok(memfs_content_drop(&version));
    check_described(fs, before, "a null out parameter", __FILE__, __LINE__);
    assert_null(memory);
    assert_int_equal(size, 0);
    assert_ok(memfs_close(file));
    assert_ok(memfs_closedir(dir));
}

/* Every function of a handle; all of them say EBADF. */
static void check_dead_handle(memfs_file *file)
{
    memfs_stat_info stat = {.struct_size = sizeof stat};
    memfs_mapping mapping;
    memfs_content_ref version = {0};
    char byte = 'x';
    memfs_iovec part = {&byte, 1};
    const int64_t results[] = {
        memfs_close(file),
        memfs_read(file, &byte, 1),
        memfs_write(file, &byte, 1),
        memfs_pread(file, &byte, 1, 0),
        memfs_pwrite(file, &byte, 1, 0),
        memfs_readv(file, &part, 1),
        memfs_writev(file, &part, 1),
        memfs_preadv(file, &part, 1, 0),
        memfs_pwritev(file, &part, 1, 0),
        memfs_seek(file, 0, MEMFS_SEEK_SET),
        memfs_tell(file),
        memfs_ftruncate(file, 0),
        memfs_fallocate(file, 0, 1, 0),
        memfs_fsync(file),
        memfs_lock(file, MEMFS_LOCK_SHARED, 0),
        memfs_unlock(file),
        memfs_map(file, 0, 1, &mapping),
        memfs_content_take(file, &version),
        memfs_content_restore(file, &version),
        memfs_content_exchange(file, &version),
        memfs_fstat(file, &stat),
        memfs_file_size(file),
        memfs_fchmod(file, 0600),
        memfs_fchown(file, 1, 1),
        memfs_futimens(file, 1, 1),
        memfs_link_file(file, NULL, "/x"),
    };
    check_all_return(results, COUNT_OF(results), MEMFS_EBADF);
    assert_int_equal(byte, 'x');
}

static void a_null_handle_is_a_bad_one_for_every_function(void **state)
{
    (void)state;
    check_dead_handle(NULL);
}

static void a_closed_handle_in_lent_storage_is_a_bad_one_for_every_function(void **state)
{
    struct fixture *f = *state;
    memfs_file_storage storage;
    memfs_open_options options = {
        .struct_size = sizeof options, .flags = MEMFS_O_RDWR, .storage = &storage};
    memfs_file *file = NULL;
    make_tree(f->fs);
    assert_ok(memfs_open_with(f->fs, "/f", &options, &file));
    assert_ok(memfs_close(file));
    char *before = fixture_describe(f->fs);
    check_dead_handle(file);
    check_described(f->fs, before, "a closed handle", __FILE__, __LINE__);
}

static void a_null_stream_is_a_bad_one_for_every_function(void **state)
{
    (void)state;
    memfs_dirent entry = {.struct_size = sizeof entry};
    assert_returns(memfs_readdir(NULL, &entry), MEMFS_EBADF);
    assert_returns(memfs_telldir(NULL), MEMFS_EBADF);
    assert_returns(memfs_seekdir(NULL, 0), MEMFS_EBADF);
    assert_returns(memfs_rewinddir(NULL), MEMFS_EBADF);
    assert_returns(memfs_closedir(NULL), MEMFS_EBADF);
    assert_returns(memfs_unmap(NULL), MEMFS_EINVAL);
}

static void an_overlong_path_is_refused_by_every_function(void **state)
{
    struct fixture *f = *state;
    memfs *fs = f->fs;
    static char path[MEMFS_PATH_MAX + 2];
    memset(path, '/', sizeof path - 1);
    make_tree(fs);
    memfs_file *own = open_file(fs, "/f", MEMFS_O_READ);
    char *before = fixture_describe(fs);
    struct outs o = outs_create();
    const int64_t results[] = {
        memfs_open(fs, path, MEMFS_O_READ, 0, &o.file),
        memfs_openat(fs, NULL, path, MEMFS_O_RDWR | MEMFS_O_CREATE, 0, &o.file),
        memfs_open_with(fs, path, &o.options, &o.file),
        memfs_open_mode(fs, path, "w", &o.file),
        memfs_truncate(fs, path, 0),
        memfs_stat(fs, path, &o.stat),
        memfs_lstat(fs, path, &o.stat),
        memfs_statat(fs, NULL, path, &o.stat, 0),
        memfs_chmod(fs, path, 0),
        memfs_chmodat(fs, NULL, path, 0, 0),
        memfs_chown(fs, path, 0, 0),
        memfs_chownat(fs, NULL, path, 0, 0, 0),
        memfs_utimens(fs, path, 0, 0),
        memfs_utimensat(fs, NULL, path, 0, 0, 0),
        memfs_mkdir(fs, path, 0),
        memfs_mkdirat(fs, NULL, path, 0),
        memfs_mkdir_parents(fs, path, 0),
        memfs_rmdir(fs, path),
        memfs_unlink(fs, path),
        memfs_unlinkat(fs, NULL, path, 0),
        memfs_remove_tree(fs, path),
        memfs_rename(fs, path, "/x", 0),
        memfs_rename(fs, "/f", path, 0),
        memfs_renameat(fs, NULL, "/f", NULL, path, 0),
        memfs_link(fs, path, "/x"),
        memfs_link(fs, "/f", path),
        memfs_linkat(fs, NULL, "/f", NULL, path, 0),
        memfs_link_file(own, NULL, path),
        memfs_symlink(fs, "f", path, 0),
        memfs_symlink(fs, path, "/x", 0),
        memfs_symlinkat(fs, "f", NULL, path, 0),
        memfs_readlink(fs, path, o.buffer, 8),
        memfs_readlinkat(fs, NULL, path, o.buffer, 8),
        memfs_realpath(fs, path, o.buffer, 8),
        memfs_read_file(fs, path, 9, &o.memory, &o.size),
        memfs_write_file(fs, path, "x", 1, 0, 0),
        memfs_copy(fs, path, "/x", 0),
        memfs_copy(fs, "/f", path, 0),
        memfs_copy_tree(fs, path, "/x", 0),
        memfs_copy_tree(fs, "/d", path, 0),
        memfs_tree_usage(fs, path, &o.tree),
        memfs_tree_sharing(fs, path, &o.sharing),
        memfs_opendir(fs, path, &o.dir),
        memfs_opendirat(fs, NULL, path, &o.dir),
        memfs_list_dir(fs, path, &o.list),
        memfs_glob(fs, path, &o.list),
        memfs_walk(fs, path, never_called, NULL),
    };
    check_all_return(results, COUNT_OF(results), MEMFS_ENAMETOOLONG);
    check_described(fs, before, "an overlong path", __FILE__, __LINE__);
    assert_ok(memfs_close(own));
}

static void numbers_that_overflow_are_refused(void **state)
{
    struct fixture *f = *state;
    memfs_mapping mapping;
    char byte = 'x';
    make_tree(f->fs);
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR | MEMFS_O_NOATIME);
    assert_refused(f->fs, memfs_pwrite(file, &byte, SIZE_MAX, INT64_MAX), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_fallocate(file, INT64_MAX, INT64_MAX, 0), MEMFS_EFBIG);
    assert_refused(f->fs, memfs_fallocate(file, INT64_MAX, INT64_MAX, MEMFS_FALLOCATE_ZERO_RANGE),
                   MEMFS_EFBIG);
    assert_refused(f->fs, memfs_seek(file, INT64_MAX, MEMFS_SEEK_END), MEMFS_EOVERFLOW);
    int result = memfs_map(file, INT64_MAX, SIZE_MAX, &mapping);
    assert_true(result == MEMFS_EINVAL || result == MEMFS_ENXIO);
    result = memfs_map(file, 0, SIZE_MAX, &mapping);
    assert_true(result == MEMFS_EINVAL || result == MEMFS_ENXIO);
    assert_refused(f->fs, memfs_pread(file, &byte, SIZE_MAX, INT64_MAX), MEMFS_EINVAL);
    if (SIZE_MAX > INT64_MAX)
        assert_refused(f->fs, memfs_pread(file, &byte, (size_t)INT64_MAX, INT64_MAX), 0);
    assert_ok(memfs_close(file));
}

static void unknown_flags_of_the_rest_are_invalid(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    assert_refused(f->fs, memfs_copy(f->fs, "/f", "/x", 0x80000000u), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_copy_tree(f->fs, "/d", "/x", 8), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_mkdir(f->fs, "/x", 0x80000000u), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_mkdirat(f->fs, NULL, "/x", 010000), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_mkdir_parents(f->fs, "/x/y", 010000), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_write_file(f->fs, "/x", "", 0, 010000, 0), MEMFS_EINVAL);
    assert_returns(memfs_destroy(f->fs, 0x80000000u), MEMFS_EINVAL);
}

static void an_empty_struct_is_neither_a_mapping_nor_a_version(void **state)
{
    struct fixture *f = *state;
    memfs_mapping mapping;
    memfs_content_ref version;
    memset(&mapping, 0, sizeof mapping);
    memset(&version, 0, sizeof version);
    make_tree(f->fs);
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR);
    assert_refused(f->fs, memfs_unmap(&mapping), MEMFS_EBADF);
    assert_refused(f->fs, memfs_content_drop(&version), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_content_restore(file, &version), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_content_exchange(file, &version), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_content_write(&version, "x", 1, 0), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_content_truncate(&version, 0), MEMFS_EINVAL);
    char byte;
    assert_refused(f->fs, memfs_content_read(&version, &byte, 1, 0), MEMFS_EINVAL);
    assert_ok(memfs_close(file));
}

static void an_empty_list_is_freed_without_harm(void **state)
{
    struct fixture *f = *state;
    memfs_list list = {0};
    memfs_list_free(f->fs, &list);
    list.struct_size = sizeof list;
    memfs_list_free(f->fs, &list);
    put(f->fs, "/f", "");
    assert_ok(memfs_list_dir(f->fs, "/", &list));
    memfs_list_free(f->fs, &list);
    memfs_list_free(f->fs, &list); /* it was emptied */
    assert_int_equal(list.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_null_file_system_is_invalid_for_every_function),
        FS_TEST(a_null_path_is_invalid_for_every_function),
        FS_TEST(a_null_out_parameter_is_invalid_for_every_function),
        cmocka_unit_test(a_null_handle_is_a_bad_one_for_every_function),
        FS_TEST(a_closed_handle_in_lent_storage_is_a_bad_one_for_every_function),
        cmocka_unit_test(a_null_stream_is_a_bad_one_for_every_function),
        FS_TEST(an_overlong_path_is_refused_by_every_function),
        FS_TEST(numbers_that_overflow_are_refused),
        FS_TEST(unknown_flags_of_the_rest_are_invalid),
        FS_TEST(an_empty_struct_is_neither_a_mapping_nor_a_version),
        FS_TEST(an_empty_list_is_freed_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
