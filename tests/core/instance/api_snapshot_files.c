/* Files of snapshots: opened, described and walked where they are. */
#include "checks.h"

#include <memfs/storage.h>

#define PAGE 4096

static void plant(memfs *fs)
{
    assert_ok(memfs_mkdir_parents(fs, "/a/b", 0755));
    put_pattern(fs, "/a/paged", 5 * PAGE + 17, 1);
    put(fs, "/a/b/short", "short");
    assert_ok(memfs_symlink(fs, "/a/b/short", "/a/link", 0));
    assert_ok(memfs_symlink(fs, "../../..", "/a/b/up", 0));
    assert_ok(memfs_chmod(fs, "/a/paged", 0604));
    assert_ok(memfs_utimens(fs, "/a/paged", 11, 12));
}

static memfs_file *open_kept(memfs *fs, const char *name, const char *path)
{
    memfs_file *file;
    assert_ok(memfs_snapshot_open(fs, name, path, 0, &file));
    return file;
}

static void check_kept(memfs *fs, const char *name, const char *path, const char *text)
{
    char buffer[64];
    memfs_file *file = open_kept(fs, name, path);
    int64_t length = memfs_read(file, buffer, sizeof buffer - 1);
    assert_true(length >= 0);
    buffer[length] = '\0';
    assert_string_equal(buffer, text);
    assert_ok(memfs_close(file));
}

static memfs_stat_info kept_stat(memfs *fs, const char *name, const char *path, unsigned flags)
{
    memfs_stat_info info = {.struct_size = sizeof info};
    assert_ok(memfs_snapshot_stat_path(fs, name, path, &info, flags));
    return info;
}

static void a_file_reads_as_it_was_whatever_became_of_it(void **state)
{
    struct fixture *f = *state;
    plant(f->fs);
    assert_ok(memfs_snapshot_take(f->fs, "one"));
    put(f->fs, "/a/b/short", "other");
    put_pattern(f->fs, "/a/paged", PAGE, 2);
    assert_ok(memfs_snapshot_take(f->fs, "two"));
    assert_ok(memfs_remove_tree(f->fs, "/a"));
    check_kept(f->fs, "one", "/a/b/short", "short");
    check_kept(f->fs, "two", "/a/b/short", "other");
    memfs_file *file = open_kept(f->fs, "one", "/a/paged");
    check_pattern(file, 5 * PAGE + 17, 0, 1);
    memfs_stat_info info = fstat_of(file);
    assert_int_equal(info.size_bytes, 5 * PAGE + 17);
    assert_int_equal(info.mode, 0604);
    assert_int_equal(info.modify_ns, 12);
    assert_ok(memfs_close(file));
    assert_ok(memfs_audit(f->fs));
}

static void paths_and_links_stay_inside_the_snapshot(void **state)
{
    struct fixture *f = *state;
    plant(f->fs);
    assert_ok(memfs_snapshot_take(f->fs, "one"));
    put(f->fs, "/a/b/short", "other");
    check_kept(f->fs, "one", "/a/link", "short");
    check_kept(f->fs, "one", "/a/b/up/a/b/short", "short");
    check_kept(f->fs, "one", "a/../../a/b/short", "short");
    memfs_file *file = NULL;
    assert_refused(f->fs, memfs_snapshot_open(f->fs, "one", "/a/link", MEMFS_O_NOFOLLOW, &file),
                   MEMFS_ELOOP);
    assert_refused(f->fs, memfs_snapshot_open(f->fs, "one", "/a", 0, &file), MEMFS_EISDIR);
    assert_refused(f->fs, memfs_snapshot_open(f->fs, "one", "/none", 0, &file), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_snapshot_open(f->fs, "none", "/a", 0, &file), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_snapshot_open(f->fs, "a/b", "/a", 0, &file), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_snapshot_open(f->fs, "one", "/a/b/short/", 0, &file),
                   MEMFS_ENOTDIR);
    assert_refused(f->fs, memfs_snapshot_open(f->fs, "one", "/a/paged", MEMFS_O_RDWR, &file),
                   MEMFS_EINVAL);
    assert_refused(f->fs, memfs_snapshot_open(f->fs, "one", "/a/paged", MEMFS_O_TRUNCATE, &file),
                   MEMFS_EINVAL);
    assert_refused(f->fs, memfs_snapshot_open(f->fs, "one", NULL, 0, &file), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_snapshot_open(f->fs, NULL, "/", 0, &file), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_snapshot_open(f->fs, "one", "/a/paged", 0, NULL), MEMFS_EINVAL);
    assert_null(file);
}

static void what_is_done_by_a_handle_reaches_no_other(void **state)
{
    struct fixture *f = *state;
    plant(f->fs);
    assert_ok(memfs_snapshot_take(f->fs, "one"));
    memfs_file *file = open_kept(f->fs, "one", "/a/paged");
    memfs_file *second = open_kept(f->fs, "one", "/a/paged");
    memfs_mapping mapping;
    assert_refused(f->fs, memfs_pwrite(file, "x", 1, 0), MEMFS_EBADF);
    assert_refused(f->fs, memfs_ftruncate(file, 0), MEMFS_EBADF);
    assert_refused(f->fs, memfs_link_file(file, NULL, "/back"), MEMFS_ENOENT);
    assert_ok(memfs_lock(file, MEMFS_LOCK_EXCLUSIVE, 0));
    assert_ok(memfs_lock(second, MEMFS_LOCK_EXCLUSIVE, 0));
    assert_ok(memfs_fchmod(file, 0111));
    assert_ok(memfs_futimens(file, 1, 2));
    assert_ok(memfs_map(file, PAGE, PAGE, &mapping));
    assert_ok(memfs_unmap(&mapping));
    assert_int_equal(fstat_of(second).mode, 0604);
    assert_int_equal(kept_stat(f->fs, "one", "/a/paged", 0).mode, 0604);
    assert_int_equal(kept_stat(f->fs, "one", "/a/paged", 0).modify_ns, 12);
    assert_int_equal(stat_of(f->fs, "/a/paged").mode, 0604);
    assert_true(fstat_of(file).number != fstat_of(second).number);
    assert_ok(memfs_close(file));
    assert_ok(memfs_close(second));
}

static void a_handle_outlives_the_snapshot_and_keeps_its_bytes(void **state)
{
    struct fixture *f = *state;
    plant(f->fs);
    uint64_t used = used_bytes(f->fs);
    assert_ok(memfs_snapshot_take(f->fs, "one"));
    memfs_file *file = open_kept(f->fs, "one", "/a/paged");
    assert_ok(memfs_snapshot_remove(f->fs, "one"));
    assert_ok(memfs_unlink(f->fs, "/a/paged"));
    assert_ok(memfs_audit(f->fs));
    check_pattern(file, 5 * PAGE + 17, 0, 1);
    assert_ok(memfs_close(file));
    assert_true(used_bytes(f->fs) < used - 5 * PAGE + PAGE);
}

static void a_handle_costs_a_node_whatever_the_size(void **state)
{
    struct fixture *f = *state;
    put_pattern(f->fs, "/large", 200 * PAGE, 1);
    assert_ok(memfs_snapshot_take(f->fs, "one"));
    uint64_t used = used_bytes(f->fs);
    memfs_file *files[10];
    for (size_t i = 0; i < COUNT_OF(files); i++)
        files[i] = open_kept(f->fs, "one", "/large");
    assert_true(used_bytes(f->fs) - used <= COUNT_OF(files) * 600);
    for (size_t i = 0; i < COUNT_OF(files); i++)
        assert_ok(memfs_close(files[i]));
    assert_int_equal(used_bytes(f->fs), used);
    const memfs_statfs_info info = statfs_of(f->fs);
    assert_ok(memfs_set_node_limit(f->fs, info.files + info.directories));
    memfs_file *file;
    assert_refused(f->fs, memfs_snapshot_open(f->fs, "one", "/large", 0, &file), MEMFS_ENOSPC);
}

static void what_is_kept_is_described_with_the_number_it_had(void **state)
{
    struct fixture *f = *state;
    plant(f->fs);
    memfs_stat_info live = stat_of(f->fs, "/a/paged");
    assert_ok(memfs_snapshot_take(f->fs, "one"));
    memfs_stat_info kept = kept_stat(f->fs, "one", "/a/paged", 0);
    assert_int_equal(kept.number, live.number);
    assert_int_equal(kept.size_bytes, live.size_bytes);
    assert_int_equal(kept.change_ns, live.change_ns);
    assert_int_equal(kept.generation, live.generation);
    assert_int_equal(kept_stat(f->fs, "one", "/a/link", 0).kind, MEMFS_KIND_FILE);
    assert_int_equal(kept_stat(f->fs, "one", "/a/link", MEMFS_AT_NOFOLLOW).kind,
                     MEMFS_KIND_SYMLINK);
    assert_int_equal(kept_stat(f->fs, "one", "/", 0).kind, MEMFS_KIND_DIRECTORY);
    memfs_stat_info info = {.struct_size = sizeof info};
    assert_refused(f->fs, memfs_snapshot_stat_path(f->fs, "one", "/", &info, 8), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_snapshot_stat_path(f->fs, "one", "/x", &info, 0), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_snapshot_stat_path(f->fs, "one", "/x", NULL, 0), MEMFS_EINVAL);
}

/* Walks the snapshot and adds up the sizes of what is in the files; appends the paths. */
static uint64_t walk_and_read(memfs *fs, const char *path, char *paths, size_t size)
{
    memfs_walker *walker;
    const memfs_walk_entry *entry;
    memfs_file *file;
    char buffer[PAGE];
    uint64_t bytes = 0;
    int64_t count;
    int result;
    *paths = '\0';
    assert_ok(memfs_snapshot_walk(fs, "one", path, MEMFS_WALK_NOFOLLOW, &walker));
    while ((result = memfs_walk_next(walker, &entry)) == 1) {
        if (entry->event != MEMFS_WALK_LEAVE) {
            strncat(paths, entry->path, size - strlen(paths) - 1);
            strncat(paths, " ", size - strlen(paths) - 1);
        }
        if (entry->stat->kind == MEMFS_KIND_SYMLINK) {
            assert_true(memfs_walk_readlink(walker, buffer, sizeof buffer) > 0);
            assert_returns(memfs_walk_open_file(walker, MEMFS_O_READ, &file), MEMFS_ELOOP);
        } else if (entry->stat->kind == MEMFS_KIND_FILE) {
            assert_returns(memfs_walk_open_file(walker, MEMFS_O_RDWR, &file), MEMFS_EINVAL);
            assert_ok(memfs_walk_open_file(walker, 0, &file));
            while ((count = memfs_read(file, buffer, sizeof buffer)) > 0)
                bytes += (uint64_t)count;
            assert_ok(memfs_close(file));
        }
    }
    assert_int_equal(result, 0);
    assert_ok(memfs_audit(fs));
    assert_ok(memfs_walk_close(walker));
    return bytes;
}

static void a_whole_tree_can_be_read_as_it_was_at_one_instant(void **state)
{
    struct fixture *f = *state;
    char paths[256];
    plant(f->fs);
    assert_ok(memfs_snapshot_take(f->fs, "one"));
    assert_ok(memfs_remove_tree(f->fs, "/a"));
    assert_true(walk_and_read(f->fs, "/", paths, sizeof paths) == 5 * PAGE + 17 + 5);
    assert_string_equal(paths, "/ /a /a/b /a/b/short /a/b/up /a/paged /a/link ");
    assert_true(walk_and_read(f->fs, "/a/b/", paths, sizeof paths) == 5);
    assert_string_equal(paths, "/a/b/ /a/b/short /a/b/up ");
    memfs_walker *walker;
    assert_refused(f->fs, memfs_snapshot_walk(f->fs, "two", "/", 0, &walker), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_snapshot_walk(f->fs, "one", "/x", 0, &walker), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_snapshot_walk(f->fs, "one", "/", MEMFS_WALK_REAL_PATHS, &walker),
                   MEMFS_EINVAL);
    assert_refused(f->fs, memfs_snapshot_walk(f->fs, "one", "/", 0, NULL), MEMFS_EINVAL);
}

static void a_walk_ends_with_its_snapshot(void **state)
{
    struct fixture *f = *state;
    memfs_walker *walker;
    const memfs_walk_entry *entry;
    plant(f->fs);
    assert_ok(memfs_snapshot_take(f->fs, "one"));
    assert_ok(memfs_snapshot_walk(f->fs, "one", "/", 0, &walker));
    for (int i = 0; i < 4; i++)
        assert_int_equal(memfs_walk_next(walker, &entry), 1);
    assert_string_equal(entry->path, "/a/b/short");
    assert_ok(memfs_snapshot_remove(f->fs, "one"));
    assert_ok(memfs_audit(f->fs));
    int steps = 0, result;
    while ((result = memfs_walk_next(walker, &entry)) == 1) {
        assert_int_equal(entry->event, MEMFS_WALK_LEAVE);
        steps++;
    }
    assert_int_equal(result, 0);
    assert_int_equal(steps, 3);
    assert_ok(memfs_walk_close(walker));
    assert_ok(memfs_audit(f->fs));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_file_reads_as_it_was_whatever_became_of_it),
        FS_TEST(paths_and_links_stay_inside_the_snapshot),
        FS_TEST(what_is_done_by_a_handle_reaches_no_other),
        FS_TEST(a_handle_outlives_the_snapshot_and_keeps_its_bytes),
        FS_TEST(a_handle_costs_a_node_whatever_the_size),
        FS_TEST(what_is_kept_is_described_with_the_number_it_had),
        FS_TEST(a_whole_tree_can_be_read_as_it_was_at_one_instant),
        FS_TEST(a_walk_ends_with_its_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
