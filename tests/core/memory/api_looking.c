/* Looking at what is there, and deleting it, where not one byte is left under the quota. */
#include "full_tree.h"

/* ------------------------------------------------------------------ the calls */

/* Each returns a negative error, or what the table says. */

static int64_t open_and_read(memfs *fs)
{
    memfs_file *file;
    char text[8];
    int64_t result = memfs_open(fs, "/d/a.txt", MEMFS_O_READ, 0, &file);
    if (result < 0)
        return result;
    result = memfs_read(file, text, sizeof text);
    assert_ok(memfs_close(file));
    assert_memory_equal(text, "hello", 5);
    return result;
}

static int64_t open_and_overwrite(memfs *fs)
{
    memfs_file *file;
    int64_t result = memfs_open_mode(fs, "/d/e/c.txt", "r+", &file);
    if (result < 0)
        return result;
    result = memfs_ftruncate(file, 5);
    assert_ok(memfs_close(file));
    return result;
}

static int64_t open_in_lent_memory(memfs *fs)
{
    memfs_file_storage storage;
    memfs_file *file;
    const memfs_open_options options = {
        .struct_size = sizeof options, .flags = MEMFS_O_READ, .storage = &storage};
    int64_t result = memfs_open_with(fs, "/d/a.txt", &options, &file);
    return result < 0 ? result : memfs_close(file);
}

/* The entries of a stream, which is closed. */
static int64_t count_entries(memfs_dir *dir)
{
    memfs_dirent entry = {.struct_size = sizeof entry};
    int64_t count = 0, result;
    while ((result = memfs_readdir(dir, &entry)) == 1)
        count++;
    assert_ok(memfs_closedir(dir));
    return result < 0 ? result : count;
}

static int64_t stream_a_directory(memfs *fs)
{
    memfs_dir *dir;
    int result = memfs_opendir(fs, "/d", &dir);
    return result < 0 ? result : count_entries(dir);
}

static int64_t stream_from_a_stream(memfs *fs)
{
    memfs_dir *dir, *below;
    int64_t result = memfs_opendir(fs, "/d", &dir);
    if (result < 0)
        return result;
    result = memfs_opendirat(fs, dir, "e", &below);
    if (result >= 0)
        result = count_entries(below);
    assert_ok(memfs_closedir(dir));
    return result;
}

static int64_t stream_in_lent_memory(memfs *fs)
{
    memfs_dir_storage storage;
    memfs_dir *dir;
    int result = memfs_opendirat_in(fs, NULL, "/d", 0, &storage, &dir);
    return result < 0 ? result : count_entries(dir);
}

/* The names of a list, which is freed. */
static int64_t count_names(memfs *fs, int result, memfs_list *list)
{
    if (result < 0)
        return result;
    int64_t count = (int64_t)list->count;
    memfs_list_free(fs, list);
    return count;
}

static int64_t list_a_directory(memfs *fs)
{
    memfs_list list = {.struct_size = sizeof list};
    return count_names(fs, memfs_list_dir(fs, "/d", &list), &list);
}

static int64_t list_snapshots(memfs *fs)
{
    memfs_list list = {.struct_size = sizeof list};
    return count_names(fs, memfs_snapshot_list(fs, &list), &list);
}

static int64_t glob(memfs *fs)
{
    memfs_list list = {.struct_size = sizeof list};
    return count_names(fs, memfs_glob(fs, "/d/**/[a-c].txt", &list), &list);
}

static int count_visit(void *context, const memfs_walk_entry *entry)
{
    *(int64_t *)context += entry->depth == 1 && entry->event != MEMFS_WALK_LEAVE;
    return entry->depth == 1 ? MEMFS_WALK_PRUNE : MEMFS_WALK_CONTINUE;
}

static int64_t walk(memfs *fs)
{
    int64_t visits = 0;
    int result = memfs_walk(fs, "/d", count_visit, &visits);
    return result < 0 ? result : visits;
}

/* The nodes below "/d" that a walker meets; it is closed. */
static int64_t count_steps(memfs_walker *walker)
{
    const memfs_walk_entry *entry;
    int64_t steps = 0, result;
    while ((result = memfs_walk_next(walker, &entry)) == 1)
        steps += entry->event != MEMFS_WALK_LEAVE;
    assert_ok(memfs_walk_close(walker));
    return result < 0 ? result : steps;
}

static int64_t walk_by_cursor(memfs *fs)
{
    memfs_walker *walker;
    int result = memfs_walk_open(fs, "/d", MEMFS_WALK_REAL_PATHS, &walker);
    return result < 0 ? result : count_steps(walker);
}

static int64_t walk_in_lent_memory(memfs *fs)
{
    memfs_walker_storage storage;
    memfs_walker *walker;
    int result = memfs_walk_open_in(fs, "/d", 0, &storage, &walker);
    return result < 0 ? result : count_steps(walker);
}

static int64_t open_what_a_walker_stands_on(memfs *fs)
{
    memfs_walker *walker;
    memfs_file *file;
    const memfs_walk_entry *entry;
    int64_t result = memfs_walk_open(fs, "/d/a.txt", 0, &walker);
    if (result < 0)
        return result;
    assert_returns(memfs_walk_next(walker, &entry), 1);
    result = memfs_walk_open_file(walker, MEMFS_O_READ, &file);
    if (result >= 0)
        result = memfs_file_size(file);
    if (result >= 0)
        assert_ok(memfs_close(file));
    assert_ok(memfs_walk_close(walker));
    return result;
}

static int64_t read_into_own_memory(memfs *fs)
{
    char text[8];
    int64_t result = memfs_read_file_into(fs, "/d/e/c.txt", text, sizeof text);
    assert_memory_equal(text, "hello", 5);
    return result;
}

static int64_t map(memfs *fs)
{
    memfs_file *file;
    memfs_mapping mapping;
    int64_t result = memfs_open(fs, "/big", MEMFS_O_READ, 0, &file);
    if (result < 0)
        return result;
    result = memfs_map(file, 0, 100, &mapping);
    if (result == 0)
        result = memfs_unmap(&mapping);
    assert_ok(memfs_close(file));
    return result;
}

static int64_t stat_all(memfs *fs)
{
    memfs_stat_info info = {.struct_size = sizeof info};
    memfs_statfs_info whole = {.struct_size = sizeof whole};
    char text[64];
    int64_t results[] = {memfs_stat(fs, "/d/link", &info),
                         memfs_lstat(fs, "/d/link", &info),
                         memfs_statfs(fs, &whole),
                         memfs_exists(fs, "/d/a.txt") - 1,
                         memfs_is_dir(fs, "/d") - 1,
                         memfs_readlink(fs, "/d/link", text, sizeof text),
                         memfs_realpath(fs, "/d/e/../link", text, sizeof text),
                         memfs_snapshot_exists(fs, "before") - 1};
    for (size_t i = 0; i < COUNT_OF(results); i++)
        if (results[i] < 0)
            return results[i];
    return 0;
}

static int64_t add_up_a_tree(memfs *fs)
{
    memfs_tree_info info = {.struct_size = sizeof info};
    int result = memfs_tree_usage(fs, "/d", &info);
    assert_int_equal(info.directories, 3);
    assert_int_equal(info.symlinks, 1);
    assert_int_equal(info.size_bytes, 15);
    return result < 0 ? result : (int64_t)info.files;
}

static int64_t stat_a_snapshot(memfs *fs)
{
    memfs_snapshot_info info = {.struct_size = sizeof info};
    int result = memfs_snapshot_stat(fs, "before", &info);
    return result < 0 ? result : (int64_t)info.files;
}

static const struct looking_call {
    const char *sentence;
    int64_t (*look)(memfs *fs);
    int64_t result;
} looking_calls[] = {
    {"open for reading, and read", open_and_read, 5},
    {"open for writing, and cut to what is there", open_and_overwrite, 0},
    {"open in lent memory", open_in_lent_memory, 0},
    {"stream a directory", stream_a_directory, 6},
    {"stream a directory from a stream", stream_from_a_stream, 1},
    {"stream a directory in lent memory", stream_in_lent_memory, 6},
    {"list a directory", list_a_directory, 6},
    {"list the snapshots", list_snapshots, 1},
    {"glob", glob, 3},
    {"walk", walk, 6},
    {"walk by cursor", walk_by_cursor, 8},
    {"walk by cursor in lent memory", walk_in_lent_memory, 8},
    {"open what a walker stands on", open_what_a_walker_stands_on, 5},
    {"read a file into own memory", read_into_own_memory, 5},
    {"map", map, 0},
    {"stat", stat_all, 0},
    {"add up a tree", add_up_a_tree, 3},
    {"stat a snapshot", stat_a_snapshot, 3},
};

static void every_call_that_looks_succeeds_without_one_byte_left(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT_OF(full_shapes); s++) {
        struct full_tree t = full_create(&full_shapes[s], 0);
        const memfs_statfs_info before = statfs_of(t.fs);
        for (size_t i = 0; i < COUNT_OF(looking_calls); i++) {
            const struct looking_call *call = &looking_calls[i];
            int64_t result = call->look(t.fs);
            if (result != call->result)
                print_error("%s, shape %zu: %lld\n", call->sentence, s, (long long)result);
            assert_int_equal(result, call->result);
            memfs_statfs_info info = statfs_of(t.fs);
            assert_int_equal(info.committed_bytes, before.committed_bytes);
            assert_int_equal(info.quota_refusals, before.quota_refusals); /* of calls: none */
            assert_int_equal(info.class_bytes[MEMFS_CLASS_HANDLES], 0);
            assert_ok(memfs_audit(t.fs));
        }
        assert_true(statfs_of(t.fs).peak_bytes <= before.quota_bytes);
        full_destroy(&t);
    }
}

/* ------------------------------------------------------------------- deleting */

static int64_t cut_by_path(memfs *fs)
{
    return memfs_truncate(fs, "/big", 10);
}

static int64_t cut_by_handle(memfs *fs)
{
    memfs_file *file = open_file(fs, "/big", MEMFS_O_WRITE);
    int result = memfs_ftruncate(file, 0);
    assert_ok(memfs_close(file));
    return result;
}

static int64_t cut_by_opening(memfs *fs)
{
    memfs_file *file;
    int result = memfs_open_mode(fs, "/big", "w", &file);
    return result < 0 ? result : memfs_close(file);
}

static int64_t punch(memfs *fs)
{
    memfs_file *file = open_file(fs, "/big", MEMFS_O_RDWR);
    int64_t page = stat_of(fs, "/big").page_size;
    int result = memfs_fallocate(file, 0, page, MEMFS_FALLOCATE_PUNCH_HOLE);
    assert_ok(memfs_close(file));
    return result;
}

static int64_t unlink_a_file(memfs *fs)
{
    return memfs_unlink(fs, "/d/a.txt");
}

static int64_t unlink_through_a_stream(memfs *fs)
{
    memfs_dir *dir = open_dir(fs, "/d");
    int result = memfs_unlinkat(fs, dir, "again", 0);
    assert_ok(memfs_closedir(dir));
    return result;
}

static int64_t remove_a_directory(memfs *fs)
{
    return memfs_rmdir(fs, "/d/empty");
}

static int64_t remove_whatever_it_is(memfs *fs)
{
    return memfs_remove(fs, "/d/link");
}

static int64_t remove_a_tree(memfs *fs)
{
    return memfs_remove_tree(fs, "/d");
}

static int64_t remove_the_snapshot(memfs *fs)
{
    return memfs_snapshot_remove(fs, "before");
}

/* As a program does that knows nothing of the tree. */
static int64_t remove_all_that_a_walk_meets(memfs *fs)
{
    memfs_walker *walker;
    const memfs_walk_entry *entry;
    int result = memfs_walk_open(fs, "/", 0, &walker);
    while (result >= 0 && (result = memfs_walk_next(walker, &entry)) == 1)
        if (entry->event != MEMFS_WALK_ENTER && entry->depth > 0)
            result = memfs_remove(fs, entry->path);
    if (result < 0)
        return result;
    assert_ok(memfs_walk_close(walker));
    assert_int_equal(statfs_of(fs).directories, 1);
    return statfs_of(fs).files == 0 ? 0 : MEMFS_EIO;
}

static int64_t (*const deleting_calls[])(memfs *fs) = {
    cut_by_path,
    cut_by_handle,
    cut_by_opening,
    punch,
    unlink_a_file,
    unlink_through_a_stream,
    remove_a_directory,
    remove_a_tree,
    remove_whatever_it_is,
    remove_the_snapshot,
    remove_all_that_a_walk_meets,
};

static void every_call_that_deletes_succeeds_without_one_byte_left(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT_OF(full_shapes); s++) {
        for (size_t i = 0; i < COUNT_OF(deleting_calls); i++) {
            struct full_tree t = full_create(&full_shapes[s], 0);
            uint64_t used = used_bytes(t.fs);
            assert_ok(deleting_calls[i](t.fs));
            assert_true(used_bytes(t.fs) < used);
            full_destroy(&t);
        }
    }
}

/* ------------------------------------------------------------------- renaming */

static void a_rename_in_one_directory_to_a_name_that_is_no_longer_succeeds(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        unsigned flags;
    } renames[] = {
        {"/d/a.txt", "/d/z.txt", 0}, {"/d/z.txt", "/d/z", 0},
        {"/d/z", "/d/b.txt", 0},     {"/d/empty", "/d/void", 0},
        {"/d/link", "/d/lin", 0},    {"/d/again", "/d/b.txt", MEMFS_RENAME_EXCHANGE},
        {"/d/again", "/d/other", 0}, {"/d", "/e", 0},
    };
    for (size_t s = 0; s < COUNT_OF(full_shapes); s++) {
        struct full_tree t = full_create(&full_shapes[s], 0);
        uint64_t committed = statfs_of(t.fs).committed_bytes;
        for (size_t i = 0; i < COUNT_OF(renames); i++) {
            /* The last but one is longer than its entry: that may be refused, and then nothing has
             * changed. */
            int result = memfs_rename(t.fs, renames[i].from, renames[i].to, renames[i].flags);
            if (strlen(renames[i].to) <= strlen(renames[i].from))
                assert_ok(result);
            else
                assert_int_equal(is_there(t.fs, renames[i].to), result == 0);
        }
        assert_int_equal(is_there(t.fs, "/e/void"), 1);
        assert_true(statfs_of(t.fs).committed_bytes <= committed);
        full_destroy(&t);
    }
}

/* ---------------------------------------------------------------- the reserve */

static void the_reserve_is_a_share_of_the_quota_within_bounds(void **state)
{
    (void)state;
    static const struct {
        uint64_t quota, reserve;
    } shares[] = {
        {8 << 10, 1 << 10},
        {16 << 10, 2 << 10},
        {64 << 10, 2 << 10},
        {128 << 10, 4 << 10},
        {1 << 20, 32 << 10},
        {2 << 20, 64 << 10},
        {(uint64_t)1 << 40, 64 << 10},
        {0, 0},
    };
    memfs_config config = memfs_config_default();
    config.quota_bytes = 0;
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    uint64_t empty = statfs_of(f->fs).committed_bytes;
    for (size_t i = 0; i < COUNT_OF(shares); i++) {
        assert_ok(memfs_set_quota(f->fs, shares[i].quota));
        memfs_statfs_info info = statfs_of(f->fs);
        assert_int_equal(info.looking_reserve_bytes, shares[i].reserve);
        assert_int_equal(info.committed_bytes, empty); /* it is a limit, not memory */
    }
    fixture_destroy(f);
}

/* Opens the file as often as it can be, and closes all. */
static size_t open_until_refused(const struct full_tree *t)
{
    memfs *fs = t->fs;
    size_t most = (size_t)statfs_of(fs).looking_reserve_bytes / 16, count = 0;
    memfs_file **files = malloc(most * sizeof *files);
    memfs_walker_storage storage;
    memfs_walker *walker;
    char text[8];
    int result;
    assert_non_null(files);
    while ((result = memfs_open(fs, "/d/a.txt", MEMFS_O_READ, 0, &files[count])) == 0) {
        count++;
        assert_true(count < most);
    }
    /* Small blocks without a pool leave holes in an arena. */
    if (t->arena == NULL || t->f->is_pooled)
        assert_returns(result, MEMFS_EDQUOT);
    memfs_statfs_info info = statfs_of(fs);
    assert_true(info.committed_bytes <= info.quota_bytes);
    memfs_refusal refusal = {.struct_size = sizeof refusal};
    assert_ok(memfs_last_refusal(fs, &refusal));
    assert_int_equal(refusal.error, result);
    assert_true(result == MEMFS_ENOMEM || refusal.wanted > refusal.available);
    assert_true(refusal.available < info.looking_reserve_bytes);
    /* What takes no memory goes on. */
    assert_returns(memfs_read_file_into(fs, "/d/a.txt", text, sizeof text), 5);
    assert_ok(memfs_walk_open_in(fs, "/d", 0, &storage, &walker));
    assert_returns(count_steps(walker), 8);
    assert_ok(stat_all(fs));
    for (size_t i = 0; i < count; i++)
        assert_ok(memfs_close(files[i]));
    free(files);
    return count;
}

static void what_is_closed_is_there_again_for_others_that_look(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT_OF(full_shapes); s++) {
        struct full_tree t = full_create(&full_shapes[s], 0);
        size_t first = open_until_refused(&t);
        assert_true(first >= 8);
        for (int round = 0; round < 5; round++)
            assert_int_equal(open_until_refused(&t), first);
        full_destroy(&t);
    }
}

/* Neither the room for data nor the emergency reserve is smaller while files are open. */
static void looking_takes_nothing_from_data(void **state)
{
    (void)state;
    enum { HELD = 20, RESERVE = 64 << 10 };
    const struct full_shape shape = {1 << 20, 4096, 0};
    struct full_tree t = full_create(&shape, RESERVE);
    memfs_file *held[HELD];
    assert_int_equal(statfs_of(t.fs).emergency_reserve_left_bytes, RESERVE);
    for (int i = 0; i < HELD; i++)
        held[i] = open_file(t.fs, "/d/a.txt", MEMFS_O_READ);
    assert_true(statfs_of(t.fs).class_bytes[MEMFS_CLASS_HANDLES] > HELD * 64);
    assert_int_equal(statfs_of(t.fs).emergency_reserve_left_bytes, RESERVE);
    for (int round = 0; round < 3; round++) {
        memfs_file *big = open_file(t.fs, "/big", MEMFS_O_RDWR);
        int64_t size = memfs_file_size(big);
        assert_ok(memfs_ftruncate(big, size / 4096 * 4096 - 40960));
        assert_true(statfs_of(t.fs).available_bytes >= 40960);
        write_pattern(big, 40960, size / 4096 * 4096 - 40960, 3);
        assert_ok(memfs_close(big));
        full_fill(&t);
    }
    assert_ok(memfs_audit(t.fs));
    for (int i = 0; i < HELD; i++)
        assert_ok(memfs_close(held[i]));
    full_destroy(&t);
}

/* Data that is written while a file is open does not get into the room that the handle leaves. */
static void what_looking_leaves_is_no_room_for_data(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT_OF(full_shapes); s++) {
        struct full_tree t = full_create(&full_shapes[s], 0);
        for (int round = 0; round < 100; round++) {
            memfs_dir *dir = open_dir(t.fs, "/d");
            assert_returns(memfs_symlink(t.fs, "x", "/n", 0), MEMFS_EDQUOT);
            assert_ok(memfs_closedir(dir));
            assert_returns(memfs_symlink(t.fs, "x", "/n", 0), MEMFS_EDQUOT);
        }
        assert_true(open_until_refused(&t) >= 8);
        full_destroy(&t);
    }
}

/* A walk down a tree as deep as a path can say. */
static void a_walk_goes_as_deep_as_a_path_can_say(void **state)
{
    (void)state;
    memfs_config config = memfs_config_default();
    config.quota_bytes = 4 << 20;
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    char path[MEMFS_PATH_MAX] = "";
    for (size_t length = 0; length + 2 < sizeof path; length += 2) {
        memcpy(path + length, "/d", 3);
        assert_ok(memfs_mkdir(f->fs, path, 0755));
    }
    full_fill_pages(f->fs);
    fixture_leave(f, 0);
    memfs_walker *walker;
    memfs_tree_info info = {.struct_size = sizeof info};
    assert_ok(memfs_walk_open(f->fs, "/d", 0, &walker));
    assert_ok(memfs_tree_usage(f->fs, "/d", &info));
    assert_returns(count_steps(walker), info.directories);
    assert_true(info.directories > 2000);
    fixture_destroy(f);
}

/* ------------------------------------------------------------ lent memory, names */

static void a_stream_in_lent_memory_is_closed_by_force_too(void **state)
{
    (void)state;
    memfs_config config = memfs_config_default();
    struct tracking_allocator allocator;
    memfs_dir_storage storage;
    memfs_dir *dir;
    memfs *fs;
    tracking_allocator_init(&allocator, 0);
    config.allocator = tracking_hooks(&allocator);
    assert_ok(memfs_create(&config, &fs));
    assert_ok(memfs_mkdir(fs, "/d", 0755));
    assert_ok(memfs_opendirat_in(fs, NULL, "/d", 0, &storage, &dir));
    assert_ptr_equal(dir, &storage);
    assert_int_equal(statfs_of(fs).class_bytes[MEMFS_CLASS_HANDLES], 0);
    assert_int_equal(statfs_of(fs).open_directories, 1);
    assert_ok(memfs_audit(fs));
    assert_returns(memfs_destroy(fs, 0), MEMFS_EBUSY);
    assert_ok(memfs_closedir(dir));
    assert_returns(memfs_closedir(dir), MEMFS_EBADF);
    assert_returns(memfs_opendirat_in(fs, NULL, "/d", MEMFS_O_READ, &storage, &dir), MEMFS_EINVAL);
    assert_ok(memfs_opendirat_in(fs, NULL, "/d", 0, &storage, &dir));
    assert_ok(memfs_destroy(fs, MEMFS_DESTROY_FORCE));
    tracking_assert_empty(&allocator);
}

static void read_file_into_stores_all_or_nothing(void **state)
{
    struct fixture *f = *state;
    char text[6] = "-----";
    put(f->fs, "/f", "hello");
    put(f->fs, "/none", "");
    assert_returns(memfs_read_file_into(f->fs, "/f", text, 4), MEMFS_EFBIG);
    assert_string_equal(text, "-----");
    assert_returns(memfs_read_file_into(f->fs, "/none", NULL, 0), 0);
    assert_returns(memfs_read_file_into(f->fs, "/f", text, 5), 5);
    assert_string_equal(text, "hello");
    assert_returns(memfs_read_file_into(f->fs, "/", text, 5), MEMFS_EISDIR);
    assert_returns(memfs_read_file_into(f->fs, "/x", text, 5), MEMFS_ENOENT);
    assert_returns(memfs_read_file_into(f->fs, "/f", NULL, 5), MEMFS_EINVAL);
    assert_returns(memfs_read_file_into(f->fs, NULL, text, 5), MEMFS_EINVAL);
    assert_returns(memfs_read_file_into(NULL, "/f", text, 5), MEMFS_EINVAL);
}

static void names_through_a_privileged_stream_draw_on_the_emergency_reserve(void **state)
{
    (void)state;
    const struct full_shape shape = {1 << 20, 4096, 0};
    struct full_tree t = full_create(&shape, 64 << 10);
    memfs_dir *root, *plain = open_dir(t.fs, "/");
    memfs_file *file, *unnamed = NULL;
    assert_ok(memfs_opendirat_in(t.fs, NULL, "/", MEMFS_O_EMERGENCY, NULL, &root));
    assert_returns(memfs_mkdirat(t.fs, plain, "new", 0755), MEMFS_EDQUOT);
    assert_returns(memfs_linkat(t.fs, root, "d/a.txt", plain, "hard", 0), MEMFS_EDQUOT);
    assert_returns(memfs_renameat(t.fs, root, "d/e", plain, "moved", 0), MEMFS_EDQUOT);

    assert_ok(memfs_mkdirat(t.fs, root, "new", 0755));
    assert_ok(
        memfs_symlinkat(t.fs, "target", root, "many/parents/soft", MEMFS_SYMLINK_MAKE_PARENTS));
    assert_ok(memfs_linkat(t.fs, plain, "d/a.txt", root, "new/hard", 0));
    assert_ok(memfs_renameat(t.fs, plain, "d/e", root, "new/a-longer-name-than-before", 0));
    assert_ok(
        memfs_renameat(t.fs, plain, "d/b.txt", root, "other/parents/b", MEMFS_RENAME_MAKE_PARENTS));
    assert_ok(memfs_openat(t.fs, root, "new/file", MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file));
    static const char page[4096];
    assert_returns(memfs_write(file, page, sizeof page), MEMFS_EDQUOT); /* that is the handle's */
    assert_ok(memfs_close(file));
    assert_ok(memfs_openat(t.fs, root, ".", MEMFS_O_RDWR | MEMFS_O_TMPFILE, 0644, &unnamed));
    assert_ok(memfs_link_file(unnamed, root, "named"));
    assert_ok(memfs_close(unnamed));
    assert_true(statfs_of(t.fs).emergency_reserve_left_bytes < 64 << 10);
    assert_int_equal(is_there(t.fs, "/many/parents/soft"), 1);
    assert_int_equal(is_there(t.fs, "/new/a-longer-name-than-before/c.txt"), 1);
    assert_ok(memfs_closedir(plain));
    assert_ok(memfs_closedir(root));
    full_destroy(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_that_looks_succeeds_without_one_byte_left),
        cmocka_unit_test(every_call_that_deletes_succeeds_without_one_byte_left),
        cmocka_unit_test(a_rename_in_one_directory_to_a_name_that_is_no_longer_succeeds),
        cmocka_unit_test(the_reserve_is_a_share_of_the_quota_within_bounds),
        cmocka_unit_test(what_is_closed_is_there_again_for_others_that_look),
        cmocka_unit_test(looking_takes_nothing_from_data),
        cmocka_unit_test(what_looking_leaves_is_no_room_for_data),
        cmocka_unit_test(a_walk_goes_as_deep_as_a_path_can_say),
        cmocka_unit_test(a_stream_in_lent_memory_is_closed_by_force_too),
        FS_TEST(read_file_into_stores_all_or_nothing),
        cmocka_unit_test(names_through_a_privileged_stream_draw_on_the_emergency_reserve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
