/*
 * Every operation: the same steps on two file systems, one by requests and one by plain calls, must
 * have the same results, the same output, and the same tree with the same times after each step.
 */
#include "executors.h"

#include <stdbool.h>

/* One of the two file systems, and what the steps use. */
struct side {
    struct fixture *fixture;
    memfs *fs;
    memfs_file *file, *second, *unnamed;
    memfs_dir *dir, *top;
    char buffer[64];
    memfs_stat_info info;
    memfs_tree_info usage;
    memfs_sharing_info sharing;
    memfs_statfs_info statfs;
    memfs_snapshot_info snapshot;
    memfs_list list;
    memfs_file *kept;
    memfs_comparison *comparison, *none;
    memfs_dirent entry;
    void *data;
    size_t size;
    char seen[200]; /* by a walk */
    char big[20000];
    memfs_iovec parts[2];
    memfs_open_options options;
};

static const memfs_import_entry entries[] = {
    {sizeof entries[0], "/i/one", "1", 1, 0, 0640, 5},
    {sizeof entries[0], "/i/j/two", "22", 2, 0, 0600, 6},
};

static int note_entry(void *context, const memfs_walk_entry *entry)
{
    struct side *s = context;
    size_t length = strlen(s->seen);
    snprintf(s->seen + length, sizeof s->seen - length, "%d%s ", entry->event, entry->path);
    return MEMFS_WALK_CONTINUE;
}

static int64_t write_twice(memfs_async_request *request, void *argument)
{
    struct side *s = argument;
    (void)request;
    int error = memfs_append_file(s->fs, "/called", "a", 1, 0600, 0);
    return error != 0 ? error : memfs_append_file(s->fs, "/called", "b", 1, 0600, 0) + 77;
}

#define BOTH (MEMFS_O_RDWR | MEMFS_O_CREATE)
#define KIB(n) ((n)*1024)

/* X(the request's function, its arguments, its directories, the call that it stands for) */
#define STEPS(X) \
    X(mkdir, (r, "/d", 0750), (void)0, memfs_mkdir(s->fs, "/d", 0750)) \
    X(mkdir, (r, "/d", 0750), (void)0, memfs_mkdir(s->fs, "/d", 0750)) \
    X(mkdir_parents, (r, "/e/f/g", 0700), (void)0, memfs_mkdir_parents(s->fs, "/e/f/g", 0700)) \
    X(opendir, (r, "/", &s->top), (void)0, memfs_opendir(s->fs, "/", &s->top)) \
    X(opendir, (r, "d", &s->dir), r->at = s->top, memfs_opendirat(s->fs, s->top, "d", &s->dir)) \
    X(mkdir, (r, "in", 0711), r->at = s->dir, memfs_mkdirat(s->fs, s->dir, "in", 0711)) \
    X(open, (r, "/f", BOTH, 0640, &s->file), (void)0, \
      memfs_open(s->fs, "/f", BOTH, 0640, &s->file)) \
    X(open, (r, "h", BOTH, 0644, &s->second), r->at = s->dir, \
      memfs_openat(s->fs, s->dir, "h", BOTH, 0644, &s->second)) \
    X(open, (r, "/none", MEMFS_O_READ, 0, &s->unnamed), (void)0, \
      memfs_open(s->fs, "/none", MEMFS_O_READ, 0, &s->unnamed)) \
    X(open_with, (r, "/e", &s->options, &s->unnamed), (void)0, \
      memfs_open_with(s->fs, "/e", &s->options, &s->unnamed)) \
    X(write, (r, s->file, "hello, ", 7), (void)0, memfs_write(s->file, "hello, ", 7)) \
    X(writev, (r, s->file, s->parts, 2), (void)0, memfs_writev(s->file, s->parts, 2)) \
    X(pwrite, (r, s->file, "J", 1, 0), (void)0, memfs_pwrite(s->file, "J", 1, 0)) \
    X(pwritev, (r, s->file, s->parts, 2, 5000), (void)0, \
      memfs_pwritev(s->file, s->parts, 2, 5000)) \
    X(write, (r, NULL, "x", 1), (void)0, memfs_write(NULL, "x", 1)) \
    X(pwrite, (r, s->second, s->big, sizeof s->big, 100), (void)0, \
      memfs_pwrite(s->second, s->big, sizeof s->big, 100)) \
    X(seek, (r, s->file, -3, MEMFS_SEEK_END), (void)0, memfs_seek(s->file, -3, MEMFS_SEEK_END)) \
    X(seek, (r, s->file, 1 << 20, MEMFS_SEEK_DATA), (void)0, \
      memfs_seek(s->file, 1 << 20, MEMFS_SEEK_DATA)) \
    X(read, (r, s->file, s->buffer, 60), (void)0, memfs_read(s->file, s->buffer, 60)) \
    X(pread, (r, s->file, s->buffer, 11, 2), (void)0, memfs_pread(s->file, s->buffer, 11, 2)) \
    X(pread, (r, s->file, s->buffer, 11, -2), (void)0, memfs_pread(s->file, s->buffer, 11, -2)) \
    X(seek, (r, s->file, 0, MEMFS_SEEK_SET), (void)0, memfs_seek(s->file, 0, MEMFS_SEEK_SET)) \
    X(readv, (r, s->file, s->parts, 2), (void)0, memfs_readv(s->file, s->parts, 2)) \
    X(preadv, (r, s->file, s->parts, 2, 3), (void)0, memfs_preadv(s->file, s->parts, 2, 3)) \
    X(fallocate, (r, s->second, 0, KIB(8), MEMFS_FALLOCATE_PUNCH_HOLE), (void)0, \
      memfs_fallocate(s->second, 0, KIB(8), MEMFS_FALLOCATE_PUNCH_HOLE)) \
    X(fallocate, (r, s->second, 0, 1 << 30, 0), (void)0, \
      memfs_fallocate(s->second, 0, 1 << 30, 0)) \
    X(ftruncate, (r, s->second, 15000), (void)0, memfs_ftruncate(s->second, 15000)) \
    X(truncate, (r, "/f", 5010), (void)0, memfs_truncate(s->fs, "/f", 5010)) \
    X(truncate, (r, "h", 14000), r->at = s->dir, memfs_truncateat(s->fs, s->dir, "h", 14000)) \
    X(fsync, (r, s->file), (void)0, memfs_fsync(s->file)) \
    X(lock, (r, s->file, MEMFS_LOCK_EXCLUSIVE, -1), (void)0, \
      memfs_lock(s->file, MEMFS_LOCK_EXCLUSIVE, -1)) \
    X(unlink, (r, "/f"), (void)0, memfs_unlink(s->fs, "/f")) \
    X(lock, (r, s->file, MEMFS_LOCK_SHARED, 0), (void)0, \
      memfs_lock(s->file, MEMFS_LOCK_SHARED, 0)) \
    X(lock, (r, s->file, 9, -1), (void)0, memfs_lock(s->file, 9, -1)) \
    X(unlock, (r, s->file), (void)0, memfs_unlock(s->file)) \
    X(symlink, (r, "d/h", "/link", 0), (void)0, memfs_symlink(s->fs, "d/h", "/link", 0)) \
    X(symlink, (r, "h", "link", 0), r->at = s->dir, \
      memfs_symlinkat(s->fs, "h", s->dir, "link", 0)) \
    X(readlink, (r, "/link", s->buffer, 60), (void)0, \
      memfs_readlink(s->fs, "/link", s->buffer, 60)) \
    X(readlink, (r, "link", s->buffer, 60), r->at = s->dir, \
      memfs_readlinkat(s->fs, s->dir, "link", s->buffer, 60)) \
    X(realpath, (r, "/link", s->buffer, 60), (void)0, \
      memfs_realpath(s->fs, "/link", s->buffer, 60)) \
    X(realpath, (r, "link", s->buffer, 2), r->at = s->dir, \
      memfs_realpathat(s->fs, s->dir, "link", s->buffer, 2)) \
    X(stat, (r, "/link", &s->info), (void)0, memfs_stat(s->fs, "/link", &s->info)) \
    X(stat, (r, "link", &s->info), r->at = s->dir, \
      memfs_statat(s->fs, s->dir, "link", &s->info, 0)) \
    X(lstat, (r, "/link", &s->info), (void)0, memfs_lstat(s->fs, "/link", &s->info)) \
    X(lstat, (r, "link", &s->info), r->at = s->dir, \
      memfs_statat(s->fs, s->dir, "link", &s->info, MEMFS_AT_NOFOLLOW)) \
    X(fstat, (r, s->second, &s->info), (void)0, memfs_fstat(s->second, &s->info)) \
    X(chmod, (r, "/f", 0611), (void)0, memfs_chmod(s->fs, "/f", 0611)) \
    X(chmod, (r, "in", 0701), r->at = s->dir, memfs_chmodat(s->fs, s->dir, "in", 0701, 0)) \
    X(fchmod, (r, s->second, 0602), (void)0, memfs_fchmod(s->second, 0602)) \
    X(chown, (r, "/f", 3, 4), (void)0, memfs_chown(s->fs, "/f", 3, 4)) \
    X(chown, (r, "in", 5, MEMFS_ID_KEEP), r->at = s->dir, \
      memfs_chownat(s->fs, s->dir, "in", 5, MEMFS_ID_KEEP, 0)) \
    X(fchown, (r, s->second, 6, 7), (void)0, memfs_fchown(s->second, 6, 7)) \
    X(utimens, (r, "/f", 11, 12), (void)0, memfs_utimens(s->fs, "/f", 11, 12)) \
    X(utimens, (r, "in", 13, MEMFS_TIME_NOW), r->at = s->dir, \
      memfs_utimensat(s->fs, s->dir, "in", 13, MEMFS_TIME_NOW, 0)) \
    X(futimens, (r, s->second, 15, 16), (void)0, memfs_futimens(s->second, 15, 16)) \
    X(rename, (r, "/f", "/f2", 0), (void)0, memfs_rename(s->fs, "/f", "/f2", 0)) \
    X(rename, (r, "f2", "moved", MEMFS_RENAME_NOREPLACE), (r->at = s->top, r->to_at = s->dir), \
      memfs_renameat(s->fs, s->top, "f2", s->dir, "moved", MEMFS_RENAME_NOREPLACE)) \
    X(link, (r, "/d/moved", "/f"), (void)0, memfs_link(s->fs, "/d/moved", "/f")) \
    X(link, (r, "f", "again"), (r->at = s->top, r->to_at = s->dir), \
      memfs_linkat(s->fs, s->top, "f", s->dir, "again", 0)) \
    X(open, (r, "/", MEMFS_O_RDWR | MEMFS_O_TMPFILE, 0600, &s->unnamed), (void)0, \
      memfs_open(s->fs, "/", MEMFS_O_RDWR | MEMFS_O_TMPFILE, 0600, &s->unnamed)) \
    X(link_file, (r, s->unnamed, "named"), r->at = s->dir, \
      memfs_link_file(s->unnamed, s->dir, "named")) \
    X(close_file, (r, s->unnamed), (void)0, memfs_close(s->unnamed)) \
    X(close_file, (r, NULL), (void)0, memfs_close(NULL)) \
    X(write_file, (r, "/w", "whole", 5, 0604, 0), (void)0, \
      memfs_write_file(s->fs, "/w", "whole", 5, 0604, 0)) \
    X(write_file, (r, "/w", "whole", 5, 0604, MEMFS_WRITE_NOREPLACE), (void)0, \
      memfs_write_file(s->fs, "/w", "whole", 5, 0604, MEMFS_WRITE_NOREPLACE)) \
    X(append_file, (r, "/p/w", "some", 4, 0604, MEMFS_WRITE_MAKE_PARENTS), (void)0, \
      memfs_append_file(s->fs, "/p/w", "some", 4, 0604, MEMFS_WRITE_MAKE_PARENTS)) \
    X(read_file, (r, "/w", 100, &s->data, &s->size), (void)0, \
      memfs_read_file(s->fs, "/w", 100, &s->data, &s->size)) \
    X(read_file, (r, "/w", 4, &s->data, &s->size), (void)0, \
      memfs_read_file(s->fs, "/w", 4, &s->data, &s->size)) \
    X(read_file_into, (r, "/w", s->buffer, 60), (void)0, \
      memfs_read_file_into(s->fs, "/w", s->buffer, 60)) \
    X(read_file_into, (r, "/none", s->buffer, 60), (void)0, \
      memfs_read_file_into(s->fs, "/none", s->buffer, 60)) \
    X(import, (r, entries, 2, MEMFS_IMPORT_REPLACE, &s->size), (void)0, \
      memfs_import(s->fs, entries, 2, MEMFS_IMPORT_REPLACE, &s->size)) \
    X(import, (r, entries, 2, 0, &s->size), (void)0, memfs_import(s->fs, entries, 2, 0, &s->size)) \
    X(copy, (r, "/w", "/w2", 0), (void)0, memfs_copy(s->fs, "/w", "/w2", 0)) \
    X(copy, (r, "w", "w3", MEMFS_COPY_ATTRIBUTES), (r->at = s->top, r->to_at = s->dir), \
      memfs_copyat(s->fs, s->top, "w", s->dir, "w3", MEMFS_COPY_ATTRIBUTES)) \
    X(copy_tree, (r, "/d", "/d2", 0), (void)0, memfs_copy_tree(s->fs, "/d", "/d2", 0)) \
    X(tree_usage, (r, "/d", &s->usage), (void)0, memfs_tree_usage(s->fs, "/d", &s->usage)) \
    X(tree_sharing, (r, "/d2", &s->sharing), (void)0, \
      memfs_tree_sharing(s->fs, "/d2", &s->sharing)) \
    X(statfs, (r, &s->statfs), (void)0, memfs_statfs(s->fs, &s->statfs)) \
    X(snapshot_take, (r, "one"), (void)0, memfs_snapshot_take(s->fs, "one")) \
    X(snapshot_take, (r, "one"), (void)0, memfs_snapshot_take(s->fs, "one")) \
    X(snapshot_rename, (r, "one", "two"), (void)0, memfs_snapshot_rename(s->fs, "one", "two")) \
    X(snapshot_list, (r, &s->list), (void)0, memfs_snapshot_list(s->fs, &s->list)) \
    X(snapshot_stat, (r, "two", &s->snapshot), (void)0, \
      memfs_snapshot_stat(s->fs, "two", &s->snapshot)) \
    X(snapshot_open, (r, "two", "/w", MEMFS_O_READ, &s->kept), (void)0, \
      memfs_snapshot_open(s->fs, "two", "/w", MEMFS_O_READ, &s->kept)) \
    X(pread, (r, s->kept, s->buffer, 3, 1), (void)0, memfs_pread(s->kept, s->buffer, 3, 1)) \
    X(close_file, (r, s->kept), (void)0, memfs_close(s->kept)) \
    X(compare_open, (r, "two", NULL, &s->comparison), (void)0, \
      memfs_compare_open(s->fs, "two", NULL, &s->comparison)) \
    X(compare_open, (r, NULL, NULL, &s->none), (void)0, \
      memfs_compare_open(s->fs, NULL, NULL, &s->none)) \
    X(remove, (r, "/w"), (void)0, memfs_remove(s->fs, "/w")) \
    X(remove, (r, "/e"), (void)0, memfs_remove(s->fs, "/e")) \
    X(remove_tree, (r, "/e"), (void)0, memfs_remove_tree(s->fs, "/e")) \
    X(remove_tree, (r, "in"), r->at = s->dir, memfs_remove_treeat(s->fs, s->dir, "in")) \
    X(rmdir, (r, "/d"), (void)0, memfs_rmdir(s->fs, "/d")) \
    X(unlink, (r, "w3"), r->at = s->dir, memfs_unlinkat(s->fs, s->dir, "w3", 0)) \
    X(snapshot_extract, (r, "two", "/e", "/back", 0), (void)0, \
      memfs_snapshot_extract(s->fs, "two", "/e", "/back", 0)) \
    X(snapshot_restore, (r, "two"), (void)0, memfs_snapshot_restore(s->fs, "two")) \
    X(snapshot_remove, (r, "two"), (void)0, memfs_snapshot_remove(s->fs, "two")) \
    X(rmdir, (r, "/e/f/g"), (void)0, memfs_rmdir(s->fs, "/e/f/g")) \
    X(list_dir, (r, "/d", &s->list), (void)0, memfs_list_dir(s->fs, "/d", &s->list)) \
    X(list_dir, (r, "/nowhere", &s->list), (void)0, memfs_list_dir(s->fs, "/nowhere", &s->list)) \
    X(glob, (r, "/**/w*", &s->list), (void)0, memfs_glob(s->fs, "/**/w*", &s->list)) \
    X(walk, (r, "/d", note_entry, s), (void)0, memfs_walk(s->fs, "/d", note_entry, s)) \
    X(readdir, (r, s->top, &s->entry), (void)0, memfs_readdir(s->top, &s->entry)) \
    X(readdir, (r, s->dir, &s->entry), (void)0, memfs_readdir(s->dir, &s->entry)) \
    X(closedir, (r, s->dir), (void)0, memfs_closedir(s->dir)) \
    X(closedir, (r, s->top), (void)0, memfs_closedir(s->top)) \
    X(close_file, (r, s->file), (void)0, memfs_close(s->file)) \
    X(close_file, (r, s->second), (void)0, memfs_close(s->second)) \
    X(call, (r, write_twice, s), (void)0, write_twice(NULL, s)) \
    X(call, (r, NULL, s), (void)0, MEMFS_EINVAL)

static const char *const texts[] = {
#define STEP_TEXT(name, arguments, directories, call) #name " for " #call,
    STEPS(STEP_TEXT)
#undef STEP_TEXT
};

/* Fills in the request of the step with this number, its place in the list. */
static void fill_step(size_t number, struct side *s, memfs_async_request *r)
{
    size_t at = 0;
#define FILL_STEP(name, arguments, directories, call) \
    if (at++ == number) { \
        memfs_async_##name arguments; \
        directories; \
    }
    STEPS(FILL_STEP)
#undef FILL_STEP
}

static int64_t call_step(size_t number, struct side *s)
{
    size_t at = 0;
#define CALL_STEP(name, arguments, directories, call) \
    if (at++ == number) \
        return call;
    STEPS(CALL_STEP)
#undef CALL_STEP
    return MEMFS_EINVAL;
}

/* ------------------------------------------------------------- the two sides */

static struct side *side_of(void)
{
    struct side *s = calloc(1, sizeof *s);
    memfs_config config = memfs_config_default();
    config.quota_bytes = 16u << 20;
    assert_non_null(s);
    s->fixture = fixture_create(&config);
    assert_non_null(s->fixture);
    s->fs = s->fixture->fs;
    s->info.struct_size = sizeof s->info;
    s->usage.struct_size = sizeof s->usage;
    s->statfs.struct_size = sizeof s->statfs;
    s->snapshot.struct_size = sizeof s->snapshot;
    s->list.struct_size = sizeof s->list;
    s->sharing.struct_size = sizeof s->sharing;
    s->entry.struct_size = sizeof s->entry;
    s->options = (memfs_open_options){.struct_size = sizeof s->options, .flags = MEMFS_O_WRITE};
    fill_pattern(s->buffer, sizeof s->buffer, 9);
    fill_pattern(s->big, sizeof s->big, 3);
    s->parts[0] = (memfs_iovec){s->buffer, 5};
    s->parts[1] = (memfs_iovec){s->buffer + 20, 7};
    return s;
}

static void end_side(struct side *s)
{
    fixture_destroy(s->fixture);
    free(s);
}

static void compare_lists(struct side *one, struct side *two)
{
    assert_int_equal(one->list.count, two->list.count);
    for (size_t i = 0; i < one->list.count; i++)
        assert_string_equal(one->list.names[i], two->list.names[i]);
    memfs_list_free(one->fs, &one->list);
    memfs_list_free(two->fs, &two->list);
}

static void compare_comparisons(struct side *one, struct side *two)
{
    const memfs_change *a, *b;
    assert_int_equal(one->comparison != NULL, two->comparison != NULL);
    if (one->comparison == NULL)
        return;
    while (memfs_compare_next(one->comparison, &a) == 1) {
        assert_int_equal(memfs_compare_next(two->comparison, &b), 1);
        assert_string_equal(a->path, b->path);
        assert_int_equal(a->what, b->what);
    }
    assert_int_equal(memfs_compare_next(two->comparison, &b), 0);
    assert_ok(memfs_compare_close(one->comparison));
    assert_ok(memfs_compare_close(two->comparison));
    one->comparison = two->comparison = NULL;
}

static void compare_sides(struct side *one, struct side *two)
{
    assert_memory_equal(one->buffer, two->buffer, sizeof one->buffer);
    assert_memory_equal(&one->info, &two->info, sizeof one->info);
    assert_memory_equal(&one->usage, &two->usage, sizeof one->usage);
    assert_memory_equal(&one->sharing, &two->sharing, sizeof one->sharing);
    assert_memory_equal(&one->snapshot, &two->snapshot, sizeof one->snapshot);
    assert_memory_equal(&one->entry, &two->entry, sizeof one->entry);
    assert_int_equal(one->statfs.files, two->statfs.files);
    assert_int_equal(one->statfs.open_files, two->statfs.open_files);
    assert_string_equal(one->seen, two->seen);
    assert_int_equal(one->file != NULL, two->file != NULL);
    assert_int_equal(one->size, two->size);
    assert_int_equal(one->data != NULL, two->data != NULL);
    if (one->data != NULL)
        assert_memory_equal(one->data, two->data, one->size + 1);
    assert_ok(memfs_free(one->fs, one->data));
    assert_ok(memfs_free(two->fs, two->data));
    one->data = two->data = NULL;
    compare_lists(one, two);
    compare_comparisons(one, two);
    char *described = fixture_describe(one->fs);
    check_described(two->fs, described, "a request", __FILE__, __LINE__);
}

static void compare_step(size_t number, struct side *one, int64_t result, struct side *two)
{
    int64_t wanted = call_step(number, two);
    if (result != wanted) {
        print_error("%s: %lld instead of %lld\n", texts[number], (long long)result,
                    (long long)wanted);
        fail();
    }
    compare_sides(one, two);
}

/* --------------------------------------------------------------------- tests */

static void count_callback(memfs_async_request *request)
{
    ++*(int *)request->data;
}

/* All steps, each submitted and then run by `run_all`; every operation must be among them. */
static void run_steps(const memfs_async_executor *executor, struct manual *manual, bool called_back)
{
    struct side *one = side_of(), *two = side_of();
    memfs_async *async;
    bool met[MEMFS_ASYNC_OPERATION_COUNT] = {false};
    int called = 0, wanted = 0;
    assert_ok(memfs_async_create(one->fs, executor, &async));
    for (size_t number = 0; number < COUNT_OF(texts); number++) {
        memfs_async_request request = {.data = &called};
        fill_step(number, one, &request);
        assert_ptr_equal(request.data, &called);
        met[request.operation] = true;
        int result = memfs_async_submit(async, &request, called_back ? count_callback : NULL);
        if (manual != NULL && called_back)
            assert_int_equal(manual_run_all(manual), 1);
        if (!called_back)
            assert_returns(result, request.result < 0 ? request.result : 0);
        else
            assert_ok(result);
        wanted += called_back;
        assert_int_equal(called, wanted);
        compare_step(number, one, request.result, two);
    }
    for (int operation = 1; operation < MEMFS_ASYNC_OPERATION_COUNT; operation++) {
        if (!met[operation])
            print_error("no step has %s\n", memfs_async_operation_name(operation));
        assert_true(met[operation]);
    }
    assert_ok(memfs_async_close(async, 0, NULL, NULL));
    end_side(one);
    end_side(two);
}

static void each_request_does_what_its_call_does(void **state)
{
    (void)state;
    static struct manual manual;
    manual_init(&manual);
    run_steps(&manual.executor, &manual, true);
}

static void without_an_executor_it_does_so_at_once(void **state)
{
    (void)state;
    run_steps(NULL, NULL, true);
}

static void without_a_callback_it_does_so_before_submitting_returns(void **state)
{
    (void)state;
    static struct manual manual;
    manual_init(&manual);
    run_steps(&manual.executor, &manual, false);
    assert_int_equal(manual.count, 0);
    run_steps(NULL, NULL, false);
}

static void operations_have_names(void **state)
{
    (void)state;
    assert_string_equal(memfs_async_operation_name(MEMFS_ASYNC_PREAD), "pread");
    assert_string_equal(memfs_async_operation_name(MEMFS_ASYNC_CALL), "call");
    assert_string_equal(memfs_async_operation_name(MEMFS_ASYNC_NONE), "?");
    assert_string_equal(memfs_async_operation_name(MEMFS_ASYNC_OPERATION_COUNT), "?");
    assert_string_equal(memfs_async_operation_name(-1), "?");
}

/* Fills in, submits without a callback, and compares. */
#define assert_performs(async, request, wanted) \
    do { \
        assert_returns(memfs_async_submit((async), (request), NULL), (wanted)); \
        assert_int_equal((request)->result, (wanted)); \
    } while (0)

static void what_does_not_fit_the_front_is_refused(void **state)
{
    struct fixture *f = *state;
    memfs_async *async;
    memfs_async_request r;
    memfs_dirent entry = {.struct_size = sizeof entry};
    char buffer[4];
    put(f->fs, "/f", "text");
    put(f->other, "/f", "text");
    memfs_file *foreign = open_file(f->other, "/f", MEMFS_O_RDWR);
    memfs_dir *foreign_dir = open_dir(f->other, "/"), *dir = open_dir(f->fs, "/");
    assert_ok(memfs_async_create(f->fs, NULL, &async));
    assert_ptr_equal(memfs_async_instance(async), f->fs);
    assert_null(memfs_async_instance(NULL));

    memfs_async_pread(&r, foreign, buffer, 4, 0);
    assert_performs(async, &r, MEMFS_EXDEV);
    memfs_async_lock(&r, foreign, MEMFS_LOCK_SHARED, MEMFS_WAIT_FOREVER);
    assert_performs(async, &r, MEMFS_EXDEV);
    int called = 0;
    r.data = &called;
    assert_ok(memfs_async_submit(async, &r, count_callback));
    assert_int_equal(called, 1);
    assert_returns(r.result, MEMFS_EXDEV);
    memfs_async_close_file(&r, foreign);
    assert_performs(async, &r, MEMFS_EXDEV);
    memfs_async_readdir(&r, foreign_dir, &entry);
    assert_performs(async, &r, MEMFS_EXDEV);
    memfs_async_unlink(&r, "f");
    r.at = foreign_dir;
    assert_performs(async, &r, MEMFS_EXDEV);
    memfs_async_mkdir_parents(&r, "d", 0755); /* it has no form with a directory */
    r.at = dir;
    assert_performs(async, &r, MEMFS_EINVAL);
    memfs_async_unlink(&r, "f"); /* nor this one with a second */
    r.to_at = dir;
    assert_performs(async, &r, MEMFS_EINVAL);
    assert_text(f->fs, "/f", "text");
    assert_text(f->other, "/f", "text");

    assert_ok(memfs_closedir(dir));
    assert_ok(memfs_closedir(foreign_dir));
    assert_ok(memfs_close(foreign));
    assert_ok(memfs_async_close(async, 0, NULL, NULL));
}

static void no_request_waits_for_a_lock_for_a_time(void **state)
{
    struct fixture *f = *state;
    memfs_async *async;
    memfs_async_request r;
    memfs_file *file = create_file(f->fs, "/f"), *out = NULL;
    memfs_open_options options = {.struct_size = sizeof options,
                                  .flags = MEMFS_O_READ | MEMFS_O_SHARED_LOCK,
                                  .lock_timeout_ms = 10};
    assert_ok(memfs_async_create(f->fs, NULL, &async));
    memfs_async_lock(&r, file, MEMFS_LOCK_SHARED, 10);
    assert_performs(async, &r, MEMFS_EINVAL);
    memfs_async_open_with(&r, "/f", &options, &out);
    assert_performs(async, &r, MEMFS_EINVAL);
    options.lock_timeout_ms = MEMFS_WAIT_FOREVER;
    assert_performs(async, &r, MEMFS_EINVAL);
    options.lock_timeout_ms = 0;
    assert_performs(async, &r, 0);
    assert_ok(memfs_close(out));
    memfs_async_open_with(&r, "/f", NULL, &out);
    assert_performs(async, &r, memfs_open_with(f->fs, "/f", NULL, &out));
    assert_ok(memfs_close(file));
    assert_ok(memfs_async_close(async, 0, NULL, NULL));
}

static void what_is_no_request_is_not_taken(void **state)
{
    struct fixture *f = *state;
    memfs_async *async = NULL;
    memfs_async_request r = {.operation = MEMFS_ASYNC_NONE}, *none = NULL;
    memfs_async_chain chain = {0};
    memfs_async_unlink(none, "/f"); /* left alone */
    assert_returns(memfs_async_create(NULL, NULL, &async), MEMFS_EINVAL);
    assert_returns(memfs_async_create(f->fs, NULL, NULL), MEMFS_EINVAL);
    assert_ok(memfs_async_create(f->fs, NULL, &async));
    assert_returns(memfs_async_submit(async, NULL, NULL), MEMFS_EINVAL);
    assert_returns(memfs_async_submit(async, &r, NULL), MEMFS_EINVAL);
    r.operation = 5000;
    assert_returns(memfs_async_submit(async, &r, NULL), MEMFS_EINVAL);
    memfs_async_mkdir(&r, "/d", 0755);
    assert_returns(memfs_async_submit(NULL, &r, NULL), MEMFS_EINVAL);
    r.chain = &chain; /* what comes before it could only be waited for */
    assert_returns(memfs_async_submit(async, &r, NULL), MEMFS_EINVAL);
    assert_returns(memfs_async_cancel(async, NULL), MEMFS_EINVAL);
    assert_returns(memfs_async_cancel(NULL, &r), MEMFS_EINVAL);
    assert_returns(memfs_async_cancel(async, &r), MEMFS_EBUSY);
    assert_int_equal(memfs_async_is_canceled(&r), 0);
    assert_int_equal(memfs_async_is_canceled(NULL), 0);
    assert_returns(memfs_async_close(NULL, 0, NULL, NULL), MEMFS_EINVAL);
    assert_returns(memfs_async_close(async, 2, NULL, NULL), MEMFS_EINVAL);
    assert_false(is_there(f->fs, "/d"));
    assert_ok(memfs_async_close(async, 0, NULL, NULL));
}

static void executors_of_other_versions_are_told_apart(void **state)
{
    struct fixture *f = *state;
    static struct manual manual;
    memfs_async *async;
    struct {
        memfs_async_executor executor;
        uint64_t later;
    } newer;
    manual_init(&manual);
    memset(&newer, 0, sizeof newer);
    newer.executor = manual.executor;
    newer.executor.struct_size = sizeof newer;
    assert_ok(memfs_async_create(f->fs, &newer.executor, &async));
    assert_ok(memfs_async_close(async, 0, NULL, NULL));
    newer.later = 1;
    assert_returns(memfs_async_create(f->fs, &newer.executor, &async), MEMFS_E2BIG);
    newer.executor.struct_size = MEMFS_STRUCT_SIZE_MAX + 1;
    assert_returns(memfs_async_create(f->fs, &newer.executor, &async), MEMFS_E2BIG);
    newer.executor.struct_size = sizeof newer.executor - 1;
    assert_returns(memfs_async_create(f->fs, &newer.executor, &async), MEMFS_EINVAL);
    newer.executor.struct_size = sizeof newer.executor;
    newer.executor.submit = NULL;
    assert_returns(memfs_async_create(f->fs, &newer.executor, &async), MEMFS_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_request_does_what_its_call_does),
        cmocka_unit_test(without_an_executor_it_does_so_at_once),
        cmocka_unit_test(without_a_callback_it_does_so_before_submitting_returns),
        cmocka_unit_test(operations_have_names),
        FS_TEST(what_does_not_fit_the_front_is_refused),
        FS_TEST(no_request_waits_for_a_lock_for_a_time),
        FS_TEST(what_is_no_request_is_not_taken),
        FS_TEST(executors_of_other_versions_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
