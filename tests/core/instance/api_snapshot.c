/* Snapshots of the whole tree: taking, putting back, getting parts back, and what they cost. */
#include "checks.h"

#include <memfs/storage.h>

#define PAGE 4096

/* Something of everything, with attributes that nobody has by chance. */
static void plant(memfs *fs)
{
    assert_ok(memfs_mkdir(fs, "/zoo", 0750));
    assert_ok(memfs_mkdir(fs, "/empty", 0700));
    assert_ok(memfs_mkdir_parents(fs, "/a/b/c", 0755));
    put_pattern(fs, "/a/paged", 5 * PAGE + 17, 1);
    put_pattern(fs, "/a/b/short", 10, 2);
    assert_ok(memfs_link(fs, "/a/paged", "/zoo/link"));
    assert_ok(memfs_symlink(fs, "/a/paged", "/zoo/pointer", 0));
    assert_ok(memfs_symlink(fs, "../b/short", "/a/b/c/relative", 0));
    memfs_file *sparse = create_file(fs, "/sparse");
    write_pattern(sparse, 100, 50 * PAGE, 3);
    assert_ok(memfs_fchmod(sparse, 0604));
    assert_ok(memfs_fchown(sparse, 7, 8));
    assert_ok(memfs_futimens(sparse, 11, 12));
    assert_ok(memfs_close(sparse));
    assert_ok(memfs_utimens(fs, "/zoo", 21, 22));
    assert_ok(memfs_chmod(fs, "/", 0711));
    assert_ok(memfs_utimens(fs, "/", 31, 32));
}

/* Leaves nothing as it was. */
static void trample(memfs *fs)
{
    memfs_file *file = open_file(fs, "/a/paged", MEMFS_O_RDWR);
    write_pattern(file, 3 * PAGE, 100, 9);
    assert_ok(memfs_ftruncate(file, 2 * PAGE));
    assert_ok(memfs_close(file));
    put(fs, "/a/b/short", "something else");
    assert_ok(memfs_unlink(fs, "/zoo/pointer"));
    assert_ok(memfs_rename(fs, "/zoo", "/a/zoo", 0));
    assert_ok(memfs_remove_tree(fs, "/a/b"));
    assert_ok(memfs_rmdir(fs, "/empty"));
    put(fs, "/empty", "now a file");
    put(fs, "/new", "new");
    assert_ok(memfs_truncate(fs, "/sparse", 60 * PAGE));
    assert_ok(memfs_chmod(fs, "/sparse", 0));
    assert_ok(memfs_chmod(fs, "/", 0755));
    assert_ok(memfs_utimens(fs, "/", 1, 1));
}

/* All below the root, in words; the root's own generation goes on, so its line is left out. */
static char *describe_below_root(memfs *fs)
{
    char *text = fixture_describe(fs);
    char *root = strchr(text, '\n') + 1;
    char *below = strchr(root, '\n') + 1;
    memmove(text, below, strlen(below) + 1);
    return text;
}

static memfs_snapshot_info snapshot_of(memfs *fs, const char *name)
{
    memfs_snapshot_info info = {.struct_size = sizeof info};
    assert_ok(memfs_snapshot_stat(fs, name, &info));
    return info;
}

static void restoring_puts_everything_back_as_often_as_wanted(void **state)
{
    struct fixture *f = *state;
    plant(f->fs);
    memfs_stat_info root = stat_of(f->fs, "/");
    char *before = describe_below_root(f->fs);
    assert_ok(memfs_snapshot_take(f->fs, "s"));
    for (int round = 0; round < 3; round++) {
        trample(f->fs);
        assert_ok(memfs_snapshot_restore(f->fs, "s"));
        assert_ok(memfs_audit(f->fs));
        char *after = describe_below_root(f->fs);
        assert_string_equal(before, after);
        free(after);
        memfs_stat_info now = stat_of(f->fs, "/");
        assert_int_equal(now.number, root.number);
        assert_int_equal(now.mode, 0711);
        assert_int_equal(now.modify_ns, 32);
        assert_int_equal(now.change_ns, root.change_ns);
        assert_int_equal(now.birth_ns, root.birth_ns);
        assert_int_equal(now.links, root.links);
        assert_true(now.generation > root.generation);
    }
    free(before);
}

static void a_snapshot_changes_nothing_that_can_be_seen(void **state)
{
    struct fixture *f = *state;
    plant(f->fs);
    char *before = fixture_describe(f->fs);
    uint64_t generation = memfs_name_generation(f->fs);
    assert_ok(memfs_snapshot_take(f->fs, "s"));
    assert_ok(memfs_snapshot_take(f->fs, "t"));
    assert_ok(memfs_snapshot_remove(f->fs, "s"));
    assert_true(memfs_name_generation(f->fs) == generation);
    check_described(f->fs, before, "a snapshot", __FILE__, __LINE__);
    assert_ok(memfs_snapshot_restore(f->fs, "t"));
    assert_true(memfs_name_generation(f->fs) != generation);
}

static void several_snapshots_are_independent(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"1", "2", "3"};
    for (unsigned i = 0; i < COUNT_OF(names); i++) {
        put_pattern(f->fs, "/f", 3 * PAGE, i);
        assert_ok(memfs_snapshot_take(f->fs, names[i]));
    }
    static const unsigned order[] = {1, 0, 2, 0, 1};
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        assert_ok(memfs_snapshot_restore(f->fs, names[order[i]]));
        memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR);
        check_pattern(file, 3 * PAGE, 0, order[i]);
        write_pattern(file, 2 * PAGE, 5, 77);
        assert_ok(memfs_close(file));
    }
    assert_ok(memfs_snapshot_remove(f->fs, "2"));
    assert_returns(memfs_snapshot_restore(f->fs, "2"), MEMFS_ENOENT);
    assert_ok(memfs_snapshot_restore(f->fs, "3"));
    assert_ok(memfs_snapshot_restore(f->fs, "1"));
}

static void the_empty_tree_can_be_kept_and_put_back(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_snapshot_take(f->fs, "empty"));
    plant(f->fs);
    assert_ok(memfs_snapshot_restore(f->fs, "empty"));
    assert_int_equal(statfs_of(f->fs).files + statfs_of(f->fs).directories, 1);
    assert_int_equal(stat_of(f->fs, "/").links, 2);
    put(f->fs, "/f", "works");
    assert_ok(memfs_snapshot_restore(f->fs, "empty"));
    assert_ok(memfs_snapshot_restore(f->fs, "empty"));
}

/* -------------------------------------------------------------------- names */

static void names_are_checked(void **state)
{
    struct fixture *f = *state;
    char name[MEMFS_NAME_MAX + 2];
    memset(name, 'n', sizeof name);
    name[MEMFS_NAME_MAX + 1] = '\0';
    static const char *const bad[] = {"", "/", "a/b", ".", ".."};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_returns(memfs_snapshot_take(f->fs, bad[i]), MEMFS_EINVAL);
        assert_returns(memfs_snapshot_restore(f->fs, bad[i]), MEMFS_EINVAL);
        assert_returns(memfs_snapshot_remove(f->fs, bad[i]), MEMFS_EINVAL);
    }
    assert_returns(memfs_snapshot_take(f->fs, name), MEMFS_ENAMETOOLONG);
    name[MEMFS_NAME_MAX] = '\0';
    assert_ok(memfs_snapshot_take(f->fs, name));
    assert_returns(memfs_snapshot_take(f->fs, name), MEMFS_EEXIST);
    assert_ok(memfs_snapshot_restore(f->fs, name));
    assert_ok(memfs_snapshot_remove(f->fs, name));
    memfs_snapshot_info info = {.struct_size = sizeof info};
    assert_returns(memfs_snapshot_remove(f->fs, name), MEMFS_ENOENT);
    assert_returns(memfs_snapshot_restore(f->fs, name), MEMFS_ENOENT);
    assert_returns(memfs_snapshot_stat(f->fs, name, &info), MEMFS_ENOENT);
    assert_returns(memfs_snapshot_extract(f->fs, name, "/", "/x", 0), MEMFS_ENOENT);
    info.struct_size = 1;
    assert_returns(memfs_snapshot_stat(f->fs, name, &info), MEMFS_EINVAL);
}

/* Whatever the clock says.  So a name that stands for another snapshot is told. */
static void no_two_snapshots_are_of_one_time(void **state)
{
    struct fixture *f = *state;
    int64_t last = INT64_MIN;
    for (int i = 0; i < 4; i++) {
        memfs_stat_info root = {.struct_size = sizeof root};
        f->now_ns = i == 2 ? 5 : 1000;
        assert_ok(memfs_snapshot_take(f->fs, "s"));
        assert_ok(memfs_snapshot_stat_path(f->fs, "s", "/", &root, 0));
        assert_true(root.birth_ns > last);
        assert_int_equal(root.birth_ns, snapshot_of(f->fs, "s").taken_ns);
        last = root.birth_ns;
        assert_ok(memfs_snapshot_remove(f->fs, "s"));
    }
}

static void snapshots_are_listed_and_described(void **state)
{
    struct fixture *f = *state;
    memfs_list list = {.struct_size = sizeof list};
    assert_ok(memfs_snapshot_list(f->fs, &list));
    assert_int_equal(list.count, 0);
    memfs_list_free(f->fs, &list);
    plant(f->fs);
    memfs_tree_info tree = {.struct_size = sizeof tree};
    assert_ok(memfs_tree_usage(f->fs, "/", &tree));
    int64_t before = f->now_ns;
    assert_ok(memfs_snapshot_take(f->fs, "second"));
    int64_t after = f->now_ns;
    assert_ok(memfs_snapshot_take(f->fs, "first"));
    trample(f->fs);
    memfs_snapshot_info info = snapshot_of(f->fs, "second");
    assert_true(info.taken_ns >= before && info.taken_ns <= after);
    assert_true(snapshot_of(f->fs, "first").taken_ns > info.taken_ns);
    assert_int_equal(info.files, tree.files);
    assert_int_equal(info.directories, tree.directories);
    assert_int_equal(info.symlinks, tree.symlinks);
    assert_int_equal(info.size_bytes, tree.size_bytes);
    assert_int_equal(info.allocated_bytes, tree.allocated_bytes);
    assert_ok(memfs_snapshot_list(f->fs, &list));
    assert_int_equal(list.count, 2);
    assert_string_equal(list.names[0], "first");
    assert_string_equal(list.names[1], "second");
    memfs_list_free(f->fs, &list);
    list = (memfs_list){.struct_size = sizeof(memfs_list)};
    assert_ok(memfs_snapshot_list(f->other, &list));
    assert_int_equal(list.count, 0);
    memfs_list_free(f->other, &list);
}

/* -------------------------------------------------------------------- costs */

/* Allocations and bytes that a snapshot of ten files of this size takes. */
static void measure(size_t file_bytes, uint64_t *takes, uint64_t *bytes)
{
    memfs_config config = memfs_config_default();
    struct fixture *f = fixture_create(&config);
    char path[] = "/f0";
    for (int i = 0; i < 10; i++, path[2]++)
        put_pattern(f->fs, path, file_bytes, 1);
    uint64_t data = statfs_of(f->fs).class_bytes[MEMFS_CLASS_DATA];
    uint64_t tables = statfs_of(f->fs).class_bytes[MEMFS_CLASS_TABLES];
    tracking_refuse(&f->allocator, 0, 0);
    assert_ok(memfs_snapshot_take(f->fs, "s"));
    *takes = f->allocator.takes;
    *bytes = statfs_of(f->fs).class_bytes[MEMFS_CLASS_SNAPSHOTS];
    assert_int_equal(statfs_of(f->fs).class_bytes[MEMFS_CLASS_DATA], data);
    assert_int_equal(statfs_of(f->fs).class_bytes[MEMFS_CLASS_TABLES], tables);
    tracking_refuse(&f->allocator, 0, 0);
    assert_ok(memfs_snapshot_restore(f->fs, "s"));
    assert_true(f->allocator.takes <= (*takes > 0 ? *takes : 1));
    assert_int_equal(statfs_of(f->fs).class_bytes[MEMFS_CLASS_DATA], data);
    fixture_destroy(f);
}

static void it_costs_nodes_and_names_whatever_the_sizes(void **state)
{
    (void)state;
    uint64_t takes, bytes, first_takes, first_bytes;
    measure(10, &first_takes, &first_bytes);
    static const size_t sizes[] = {0, PAGE, 100000, 2000000};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        measure(sizes[i], &takes, &bytes);
        assert_true(takes <= 1 || takes == first_takes); /* in slabs, or one by one */
        assert_int_equal(bytes, first_bytes);
    }
    /* A node and a name for each of ten files; three directories' index grows now and then. */
    assert_true(first_takes <= 10 * 2 + 12);
}

static void what_it_costs_is_its_own_class_and_comes_back(void **state)
{
    struct fixture *f = *state;
    plant(f->fs);
    memfs_statfs_info before = statfs_of(f->fs), after;
    assert_ok(memfs_snapshot_take(f->fs, "s"));
    assert_ok(memfs_snapshot_take(f->fs, "t"));
    after = statfs_of(f->fs);
    uint64_t own = snapshot_of(f->fs, "s").own_bytes + snapshot_of(f->fs, "t").own_bytes;
    uint64_t charged = after.class_bytes[MEMFS_CLASS_SNAPSHOTS];
    assert_true(charged >= own && charged <= own + 1024);
    assert_int_equal(after.used_bytes, before.used_bytes + charged);
    assert_int_equal(after.files, before.files);
    assert_int_equal(after.directories, before.directories);
    assert_ok(memfs_snapshot_remove(f->fs, "s"));
    assert_ok(memfs_snapshot_remove(f->fs, "t"));
    assert_int_equal(used_bytes(f->fs), before.used_bytes);
}

static void pages_live_as_long_as_a_snapshot_has_them(void **state)
{
    struct fixture *f = *state;
    put_pattern(f->fs, "/f", 100 * PAGE, 1);
    uint64_t pages = statfs_of(f->fs).pages_used;
    assert_ok(memfs_snapshot_take(f->fs, "s"));
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR);
    write_pattern(file, 10 * PAGE, 0, 2);
    assert_ok(memfs_close(file));
    assert_int_equal(statfs_of(f->fs).pages_used, pages + 10);
    assert_ok(memfs_unlink(f->fs, "/f"));
    assert_int_equal(statfs_of(f->fs).pages_used, pages);
    assert_ok(memfs_snapshot_remove(f->fs, "s"));
    assert_int_equal(statfs_of(f->fs).pages_used, 0);
}

static void the_node_limit_counts_live_nodes_only(void **state)
{
    struct fixture *f = *state;
    plant(f->fs);
    memfs_statfs_info info = statfs_of(f->fs);
    uint64_t nodes = info.files + info.directories + info.symlinks;
    assert_ok(memfs_set_node_limit(f->fs, nodes));
    assert_ok(memfs_snapshot_take(f->fs, "s"));
    assert_refused(f->fs, memfs_snapshot_restore(f->fs, "s"), MEMFS_ENOSPC);
    assert_ok(memfs_set_node_limit(f->fs, 2 * nodes - 1));
    assert_refused(f->fs, memfs_snapshot_restore(f->fs, "s"), MEMFS_ENOSPC);
    assert_ok(memfs_set_node_limit(f->fs, 2 * nodes));
    assert_ok(memfs_snapshot_restore(f->fs, "s"));
}

/* ------------------------------------------------------- files held private */

static void a_file_held_private_is_copied_at_once(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 20 * PAGE, 0, 1);
    assert_ok(memfs_hold_private(file, 1));
    uint64_t pages = statfs_of(f->fs).pages_used;
    assert_ok(memfs_snapshot_take(f->fs, "s"));
    assert_int_equal(statfs_of(f->fs).pages_used, 2 * pages);
    tracking_refuse(&f->allocator, 1, 1);
    write_pattern(file, 20 * PAGE, 0, 2);
    tracking_refuse(&f->allocator, 0, 0);
    assert_ok(memfs_close(file));
    assert_ok(memfs_snapshot_restore(f->fs, "s"));
    file = open_file(f->fs, "/f", MEMFS_O_READ);
    check_pattern(file, 20 * PAGE, 0, 1);
    assert_ok(memfs_close(file));
}

static void a_private_file_that_does_not_fit_refuses_the_snapshot(void **state)
{
    struct fixture *f = *state;
    put_pattern(f->fs, "/before", 5 * PAGE, 1);
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 100 * PAGE, 0, 1);
    put_pattern(f->fs, "/behind", 5 * PAGE, 1);
    assert_ok(memfs_hold_private(file, 1));
    uint64_t used = used_bytes(f->fs);
    fixture_set_quota(f, statfs_of(f->fs).committed_bytes + (128 << 10));
    assert_refused(f->fs, memfs_snapshot_take(f->fs, "s"), MEMFS_EDQUOT);
    assert_int_equal(used_bytes(f->fs), used);
    assert_returns(memfs_snapshot_restore(f->fs, "s"), MEMFS_ENOENT);
    /* No lock was forgotten. */
    write_pattern(file, PAGE, 0, 2);
    assert_ok(memfs_hold_private(file, 0));
    assert_ok(memfs_snapshot_take(f->fs, "s"));
    assert_ok(memfs_close(file));
    fixture_set_quota(f, 16 << 20);
}

/* ------------------------------------------------------- what is in it or not */

static void what_has_no_name_is_not_in_it(void **state)
{
    struct fixture *f = *state;
    memfs_file *orphan = create_file(f->fs, "/f");
    write_pattern(orphan, 3 * PAGE, 0, 1);
    assert_ok(memfs_unlink(f->fs, "/f"));
    memfs_file *reserving = create_file(f->fs, "/g");
    assert_ok(memfs_preallocate(reserving, 10 * PAGE));
    assert_ok(memfs_snapshot_take(f->fs, "s"));
    assert_int_equal(snapshot_of(f->fs, "s").files, 1);
    assert_ok(memfs_snapshot_restore(f->fs, "s"));
    assert_int_equal(stat_of(f->fs, "/g").preallocated_bytes, 0);
    check_pattern(orphan, 3 * PAGE, 0, 1);
    assert_ok(memfs_close(orphan));
    assert_ok(memfs_close(reserving));
}

static void open_handles_keep_what_they_had(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "old");
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_ok(memfs_snapshot_take(f->fs, "s"));
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR);
    memfs_dir *dir = open_dir(f->fs, "/d");
    uint64_t number = fstat_of(file).number;
    assert_returns(memfs_pwrite(file, "new", 3, 0), 3);
    assert_ok(memfs_snapshot_restore(f->fs, "s"));
    char text[4] = "";
    assert_returns(memfs_pread(file, text, 3, 0), 3);
    assert_string_equal(text, "new");
    assert_int_equal(fstat_of(file).links, 0);
    assert_int_not_equal(stat_of(f->fs, "/f").number, number);
    assert_int_equal(statfs_of(f->fs).orphans, 1);
    assert_returns(memfs_mkdirat(f->fs, dir, "x", 0755), MEMFS_ENOENT);
    assert_returns(memfs_pwrite(file, "NEW", 3, 0), 3);
    assert_ok(memfs_close(file));
    assert_ok(memfs_closedir(dir));
    file = open_file(f->fs, "/f", MEMFS_O_READ);
    assert_returns(memfs_pread(file, text, 3, 0), 3);
    assert_string_equal(text, "old");
    assert_ok(memfs_close(file));
}

static void a_listing_of_the_root_ends_when_it_is_restored_and_begins_again_with_what_was_put_back(
    void **state)
{
    struct fixture *f = *state;
    memfs_dirent entry = {.struct_size = sizeof entry};
    put(f->fs, "/a", "");
    put(f->fs, "/b", "");
    assert_ok(memfs_snapshot_take(f->fs, "s"));
    memfs_dir *dir = open_dir(f->fs, "/");
    assert_returns(memfs_readdir(dir, &entry), 1);
    assert_string_equal(entry.name, "a");
    assert_ok(memfs_snapshot_restore(f->fs, "s"));
    assert_returns(memfs_readdir(dir, &entry), 0);
    assert_ok(memfs_rewinddir(dir));
    assert_returns(memfs_readdir(dir, &entry), 1);
    assert_string_equal(entry.name, "a");
    assert_returns(memfs_readdir(dir, &entry), 1);
    assert_string_equal(entry.name, "b");
    assert_returns(memfs_readdir(dir, &entry), 0);
    put(f->fs, "/c", "");
    assert_returns(memfs_readdir(dir, &entry), 0);
    assert_ok(memfs_closedir(dir));
}

static void a_locked_file_refuses_restoring(void **state)
{
    struct fixture *f = *state;
    plant(f->fs);
    assert_ok(memfs_snapshot_take(f->fs, "s"));
    memfs_file *file = open_file(f->fs, "/a/b/short", MEMFS_O_RDWR);
    assert_ok(memfs_lock(file, MEMFS_LOCK_SHARED, 0));
    uint64_t used = used_bytes(f->fs);
    assert_refused(f->fs, memfs_snapshot_restore(f->fs, "s"), MEMFS_EBUSY);
    assert_int_equal(used_bytes(f->fs), used);
    assert_ok(memfs_snapshot_take(f->fs, "while locked"));
    assert_ok(memfs_unlock(file));
    assert_ok(memfs_snapshot_restore(f->fs, "s"));
    assert_ok(memfs_close(file));
}

/* --------------------------------------------------------------- extraction */

static void parts_can_be_had_back(void **state)
{
    struct fixture *f = *state;
    plant(f->fs);
    memfs_stat_info sparse = stat_of(f->fs, "/sparse");
    assert_ok(memfs_snapshot_take(f->fs, "s"));
    trample(f->fs);
    assert_ok(memfs_snapshot_extract(f->fs, "s", "/", "/all", 0));
    assert_ok(memfs_snapshot_extract(f->fs, "s", "/sparse", "/file", 0));
    assert_ok(memfs_snapshot_extract(f->fs, "s", "a/b", "/tree", 0));
    assert_ok(memfs_audit(f->fs));
    memfs_file *file = open_file(f->fs, "/all/a/paged", MEMFS_O_READ);
    check_pattern(file, 5 * PAGE + 17, 0, 1);
    assert_ok(memfs_close(file));
    assert_int_equal(stat_of(f->fs, "/all/a/paged").number, stat_of(f->fs, "/all/zoo/link").number);
    assert_int_equal(stat_of(f->fs, "/all/sparse").mode, 0604);
    assert_int_equal(stat_of(f->fs, "/file").uid, 7);
    assert_int_equal(stat_of(f->fs, "/file").modify_ns, 12);
    assert_int_equal(stat_of(f->fs, "/file").allocated_bytes, sparse.allocated_bytes);
    assert_int_equal(stat_of(f->fs, "/tree/short").size_bytes, 10);
    assert_int_equal(lstat_of(f->fs, "/tree/c/relative").kind, MEMFS_KIND_SYMLINK);
    memfs_tree_info tree = {.struct_size = sizeof tree};
    assert_ok(memfs_tree_usage(f->fs, "/all", &tree));
    assert_int_equal(tree.files, snapshot_of(f->fs, "s").files);
}

static void extraction_stays_inside_the_snapshot(void **state)
{
    struct fixture *f = *state;
    plant(f->fs);
    assert_ok(memfs_symlink(f->fs, "/a", "/way", 0));
    assert_ok(memfs_snapshot_take(f->fs, "other"));
    assert_ok(memfs_snapshot_take(f->fs, "s"));
    assert_ok(memfs_remove_tree(f->fs, "/a"));
    assert_ok(memfs_snapshot_extract(f->fs, "s", "/way/paged", "/x", 0));
    assert_ok(memfs_snapshot_extract(f->fs, "s", "../../sparse", "/y", 0));
    assert_returns(memfs_snapshot_extract(f->fs, "s", "../other", "/z", 0), MEMFS_ENOENT);
    assert_returns(memfs_snapshot_extract(f->fs, "s", "/..", "/up", 0), 0);
    assert_true(is_there(f->fs, "/up/sparse"));
}

static void a_refused_extraction_changes_nothing(void **state)
{
    struct fixture *f = *state;
    plant(f->fs);
    assert_ok(memfs_snapshot_take(f->fs, "s"));
    uint64_t used = used_bytes(f->fs);
    assert_refused(f->fs, memfs_snapshot_extract(f->fs, "s", "/", "/zoo", 0), MEMFS_EEXIST);
    assert_refused(f->fs, memfs_snapshot_extract(f->fs, "s", "/", "/", 0), MEMFS_EEXIST);
    assert_refused(f->fs, memfs_snapshot_extract(f->fs, "s", "/", "/no/where", 0), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_snapshot_extract(f->fs, "s", "/none", "/x", 0), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_snapshot_extract(f->fs, "s", "/sparse/", "/x", 0), MEMFS_ENOTDIR);
    assert_refused(f->fs, memfs_snapshot_extract(f->fs, "s", "/sparse", "/x/", 0), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_snapshot_extract(f->fs, "s", "", "/x", 0), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_snapshot_extract(f->fs, "s", NULL, "/x", 0), MEMFS_EINVAL);
    assert_int_equal(used_bytes(f->fs), used);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(restoring_puts_everything_back_as_often_as_wanted),
        FS_TEST(a_snapshot_changes_nothing_that_can_be_seen),
        FS_TEST(several_snapshots_are_independent),
        FS_TEST(the_empty_tree_can_be_kept_and_put_back),
        FS_TEST(names_are_checked),
        FS_TEST(no_two_snapshots_are_of_one_time),
        FS_TEST(snapshots_are_listed_and_described),
        cmocka_unit_test(it_costs_nodes_and_names_whatever_the_sizes),
        FS_TEST(what_it_costs_is_its_own_class_and_comes_back),
        FS_TEST(pages_live_as_long_as_a_snapshot_has_them),
        FS_TEST(the_node_limit_counts_live_nodes_only),
        FS_TEST(a_file_held_private_is_copied_at_once),
        FS_TEST(a_private_file_that_does_not_fit_refuses_the_snapshot),
        FS_TEST(what_has_no_name_is_not_in_it),
        FS_TEST(open_handles_keep_what_they_had),
        FS_TEST(
            a_listing_of_the_root_ends_when_it_is_restored_and_begins_again_with_what_was_put_back),
        FS_TEST(a_locked_file_refuses_restoring),
        FS_TEST(parts_can_be_had_back),
        FS_TEST(extraction_stays_inside_the_snapshot),
        FS_TEST(a_refused_extraction_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
