/* Calls that take memory: each must leave everything as it was when it is refused. */
#include "scenarios.h"

#include <memfs/storage.h>

#include <string.h>

static int64_t open_creates(struct stage *s)
{
    return memfs_open(s->fs, "/d/new", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &s->opened);
}

static int64_t open_truncates(struct stage *s)
{
    return memfs_open(s->fs, "/file", MEMFS_O_RDWR | MEMFS_O_TRUNCATE, 0644, &s->opened);
}

static int64_t open_makes_parents(struct stage *s)
{
    uint32_t flags = MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_MAKE_PARENTS;
    return memfs_open(s->fs, "/new/one/two/file", flags, 0644, &s->opened);
}

static int64_t open_makes_temporary(struct stage *s)
{
    return memfs_open(s->fs, "/d", MEMFS_O_RDWR | MEMFS_O_TMPFILE, 0600, &s->opened);
}

static int64_t openat_creates(struct stage *s)
{
    return memfs_openat(s->fs, s->dir, "new", MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &s->opened);
}

static int64_t open_with_creates_locked(struct stage *s)
{
    memfs_open_options options = {.struct_size = sizeof options, .mode = 0644};
    options.flags = MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_EXCLUSIVE | MEMFS_O_EXCLUSIVE_LOCK;
    options.storage = &s->lent;
    return memfs_open_with(s->fs, "/many/new", &options, &s->opened);
}

static int64_t open_creates_from_the_reserve(struct stage *s)
{
    uint32_t flags = MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_EMERGENCY;
    int64_t result = memfs_set_emergency_reserve(s->fs, 2 * (uint64_t)s->page_size);
    return result < 0 ? result : memfs_open(s->fs, "/d/new", flags, 0644, &s->opened);
}

static int64_t pwrite_into_the_reserve(struct stage *s)
{
    return memfs_pwrite(s->opened, stage_pattern(), 3 * s->page_size, 0);
}

static int64_t open_mode_creates(struct stage *s)
{
    return memfs_open_mode(s->fs, "/new", "wb", &s->opened);
}

static int64_t write_extends(struct stage *s)
{
    if (memfs_tell(s->file) != 17)
        return MEMFS_EIO;
    return memfs_write(s->file, stage_pattern(), s->page_size * 4);
}

static int64_t write_appends(struct stage *s)
{
    return memfs_write(s->log, stage_pattern(), s->page_size * 3);
}

static int64_t pwrite_far_out(struct stage *s)
{
    return memfs_pwrite(s->file, stage_pattern(), s->page_size, INT64_C(1) << 40);
}

static int64_t pwrite_at_the_end_of_the_world(struct stage *s)
{
    return memfs_pwrite(s->file, stage_pattern(), 100, INT64_MAX - 100);
}

static int64_t open_shared(struct stage *s)
{
    return memfs_open(s->fs, "/shared", MEMFS_O_RDWR, 0, &s->opened);
}

static int64_t pwrite_into_shared_pages(struct stage *s)
{
    return memfs_pwrite(s->opened, stage_pattern() + 5, s->page_size * 2, s->page_size / 2);
}

static int64_t open_sparse(struct stage *s)
{
    return memfs_open(s->fs, "/sparse", MEMFS_O_RDWR, 0, &s->opened);
}

static int64_t pwrite_into_a_hole(struct stage *s)
{
    return memfs_pwrite(s->opened, stage_pattern(), s->page_size, s->page_size / 2);
}

static int64_t open_small(struct stage *s)
{
    return memfs_open(s->fs, "/small", MEMFS_O_RDWR, 0, &s->opened);
}

static int64_t pwrite_to_a_short_file(struct stage *s)
{
    return memfs_pwrite(s->opened, stage_pattern(), s->page_size / 2, 5);
}

static int64_t writev_in_parts(struct stage *s)
{
    unsigned char data[64];
    memset(data, 7, sizeof data);
    const memfs_iovec parts[] = {{data, sizeof data}, {data, 0}, {data, sizeof data}};
    return memfs_writev(s->log, parts, 3);
}

static int64_t pwritev_in_parts(struct stage *s)
{
    unsigned char data[64];
    memset(data, 7, sizeof data);
    const memfs_iovec parts[] = {{data, sizeof data}, {data, 0}, {data, sizeof data}};
    return memfs_pwritev(s->file, parts, 3, 10 * (int64_t)s->page_size - 64);
}

static int64_t truncate_up(struct stage *s)
{
    return memfs_truncate(s->fs, "/small", 3 * (int64_t)s->page_size);
}

static int64_t ftruncate_far_up(struct stage *s)
{
    return memfs_ftruncate(s->file, INT64_C(1) << 50);
}

static int64_t allocate_grows(struct stage *s)
{
    return memfs_fallocate(s->file, s->page_size, 8 * (int64_t)s->page_size, 0);
}

static int64_t allocate_keeps_size(struct stage *s)
{
    return memfs_fallocate(s->file, s->page_size, 8 * (int64_t)s->page_size,
                           MEMFS_FALLOCATE_KEEP_SIZE);
}

static int64_t allocate_makes_zeros(struct stage *s)
{
    return memfs_fallocate(s->opened, 5, 3 * (int64_t)s->page_size, MEMFS_FALLOCATE_ZERO_RANGE);
}

static int64_t allocate_unshares(struct stage *s)
{
    return memfs_fallocate(s->opened, 0, 4 * (int64_t)s->page_size, 0);
}

static int64_t punch_a_shared_page(struct stage *s)
{
    return memfs_fallocate(s->opened, 5, 20, MEMFS_FALLOCATE_PUNCH_HOLE);
}

static int64_t map_a_hole(struct stage *s)
{
    int result = memfs_map(s->opened, 0, s->page_size, &s->mapping);
    s->has_mapping = result == 0;
    return result;
}

static int64_t map_a_short_file(struct stage *s)
{
    int result = memfs_map(s->reader, 0, 10, &s->mapping);
    s->has_mapping = result == 0;
    return result;
}

static int64_t take_version(struct stage *s)
{
    int result = memfs_content_take(s->file, &s->version);
    s->has_version = result == 0;
    return result;
}

static int64_t overwrite_while_a_version_is_held(struct stage *s)
{
    return memfs_pwrite(s->file, stage_pattern() + 3, s->page_size, s->page_size / 2);
}

static int64_t write_to_a_version(struct stage *s)
{
    return memfs_content_write(&s->version, stage_pattern() + 3, s->page_size, s->page_size / 2);
}

static int64_t allocate_in_a_version(struct stage *s)
{
    return memfs_content_allocate(&s->version, s->page_size, 9 * (int64_t)s->page_size);
}

static int64_t punch_a_version(struct stage *s)
{
    return memfs_content_punch(&s->version, 5, 2 * (int64_t)s->page_size);
}

static int64_t take_version_and_cut_it(struct stage *s)
{
    int64_t result = take_version(s);
    return result < 0 ? result : memfs_content_truncate(&s->version, s->page_size + 7);
}

static int64_t grow_a_version(struct stage *s)
{
    return memfs_content_truncate(&s->version, s->page_size * 9);
}

static int64_t mkdir_one(struct stage *s)
{
    return memfs_mkdir(s->fs, "/d/new", 0755);
}

static int64_t mkdirat_one(struct stage *s)
{
    return memfs_mkdirat(s->fs, s->dir, "e/new", 0755);
}

static int64_t mkdir_parents_four(struct stage *s)
{
    return memfs_mkdir_parents(s->fs, "/d/one/two/three/four", 0755);
}

static int64_t rename_to_a_longer_name(struct stage *s)
{
    return memfs_rename(s->fs, "/small", "/d/a-name-that-is-longer-than-the-one-before", 0);
}

static int64_t rename_replaces(struct stage *s)
{
    return memfs_rename(s->fs, "/d/y", "/many/a-name-that-is-not-so-short-7", 0);
}

static int64_t rename_makes_parents(struct stage *s)
{
    return memfs_rename(s->fs, "/d", "/new/one/two", MEMFS_RENAME_MAKE_PARENTS);
}

static int64_t rename_exchanges(struct stage *s)
{
    return memfs_rename(s->fs, "/d/e", "/file", MEMFS_RENAME_EXCHANGE);
}

static int64_t rename_replaces_a_tree(struct stage *s)
{
    return memfs_rename(s->fs, "/file", "/many", MEMFS_RENAME_REPLACE_TREE);
}

static int64_t renameat_moves(struct stage *s)
{
    return memfs_renameat(s->fs, s->dir, "e", s->stream, "a-new-name-for-the-directory-e", 0);
}

static int64_t link_one(struct stage *s)
{
    return memfs_link(s->fs, "/small", "/d/new");
}

static int64_t linkat_one(struct stage *s)
{
    return memfs_linkat(s->fs, s->dir, "x", s->stream, "new", 0);
}

static int64_t link_file_one(struct stage *s)
{
    return memfs_link_file(s->file, s->dir, "new");
}

static int64_t link_a_temporary_file(struct stage *s)
{
    return memfs_link_file(s->opened, s->stream, "new");
}

static int64_t symlink_long(struct stage *s)
{
    char target[1000];
    memset(target, 't', sizeof target - 1);
    target[sizeof target - 1] = '\0';
    return memfs_symlink(s->fs, target, "/d/new", 0);
}

static int64_t symlinkat_one(struct stage *s)
{
    return memfs_symlinkat(s->fs, "x", s->dir, "new", 0);
}

static int64_t read_file_whole(struct stage *s)
{
    size_t size;
    return memfs_read_file(s->fs, "/file", 1u << 20, &s->memory, &size);
}

static int64_t write_file_creates(struct stage *s)
{
    return memfs_write_file(s->fs, "/d/new", stage_pattern(), 3 * s->page_size, 0644, 0);
}

static int64_t write_file_replaces(struct stage *s)
{
    return memfs_write_file(s->fs, "/file", stage_pattern() + 1, 2 * s->page_size + 9, 0644, 0);
}

static int64_t write_file_makes_parents(struct stage *s)
{
    return memfs_write_file(s->fs, "/new/one/two/file", stage_pattern(), 3 * s->page_size, 0644,
                            MEMFS_WRITE_MAKE_PARENTS);
}

static int64_t append_file_creates(struct stage *s)
{
    return memfs_append_file(s->fs, "/new/file", stage_pattern(), 2 * s->page_size, 0644,
                             MEMFS_WRITE_MAKE_PARENTS);
}

static int64_t append_file_extends(struct stage *s)
{
    return memfs_append_file(s->fs, "/shared", stage_pattern(), 2 * s->page_size + 9, 0644, 0);
}

static int64_t copyat_makes_parents(struct stage *s)
{
    return memfs_copyat(s->fs, NULL, "/file", s->dir, "one/two", MEMFS_COPY_MAKE_PARENTS);
}

static int64_t copy_tree_makes_parents(struct stage *s)
{
    return memfs_copy_tree(s->fs, "/d", "/new/one/two", MEMFS_COPY_MAKE_PARENTS);
}

static int64_t symlink_makes_parents(struct stage *s)
{
    return memfs_symlink(s->fs, "x", "/new/one/two", MEMFS_SYMLINK_MAKE_PARENTS);
}

static int64_t copy_to_a_new_name(struct stage *s)
{
    return memfs_copy(s->fs, "/file", "/d/new", MEMFS_COPY_NOREPLACE);
}

static int64_t copy_over_a_file(struct stage *s)
{
    return memfs_copy(s->fs, "/file", "/small", MEMFS_COPY_ATTRIBUTES);
}

static int64_t reserve_growth(struct stage *s)
{
    return memfs_preallocate(s->file, memfs_file_size(s->file) + 5 * (int64_t)s->page_size);
}

static int64_t hold_private(struct stage *s)
{
    return memfs_hold_private(s->file, 1);
}

static int64_t copy_what_is_held_private(struct stage *s)
{
    return memfs_copy(s->fs, "/file", "/d/new", 0);
}

static int64_t copy_tree_with_a_file_held_private(struct stage *s)
{
    return memfs_copy_tree(s->fs, "/file", "/d/new", 0);
}

static int64_t copy_a_short_file(struct stage *s)
{
    return memfs_copy(s->fs, "/small", "/new", 0);
}

static int64_t copy_tree_with_links(struct stage *s)
{
    return memfs_copy_tree(s->fs, "/d", "/many/copy", 0);
}

static int64_t copy_tree_with_many_names(struct stage *s)
{
    return memfs_copy_tree(s->fs, "/many", "/d/copy", MEMFS_COPY_ATTRIBUTES);
}

static int64_t take_snapshot(struct stage *s)
{
    return memfs_snapshot_take(s->fs, "snapshot");
}

static int64_t take_snapshot_and_change(struct stage *s)
{
    int64_t result = take_snapshot(s);
    return result == 0 ? memfs_pwrite(s->file, "changed", 7, 0) : result;
}

static int64_t restore_snapshot(struct stage *s)
{
    return memfs_snapshot_restore(s->fs, "snapshot");
}

static int64_t extract_from_snapshot(struct stage *s)
{
    return memfs_snapshot_extract(s->fs, "snapshot", "/d", "/many/extracted", 0);
}

static int64_t extract_making_parents(struct stage *s)
{
    return memfs_snapshot_extract(s->fs, "snapshot", "/d", "/new/one/two",
                                  MEMFS_EXTRACT_MAKE_PARENTS);
}

static int64_t rename_snapshot(struct stage *s)
{
    return memfs_snapshot_rename(s->fs, "snapshot", "a-name-that-is-longer-than-the-one-before");
}

static int64_t list_snapshots(struct stage *s)
{
    int64_t result = memfs_snapshot_list(s->fs, &s->list);
    s->has_list = result == 0;
    return result;
}

static int64_t clone_all(struct stage *s)
{
    return memfs_clone_instance(s->fs, &s->clone);
}

static int64_t remove_tree_with_links(struct stage *s)
{
    return memfs_remove_tree(s->fs, "/d");
}

static int64_t opendir_one(struct stage *s)
{
    return memfs_opendir(s->fs, "/d", &s->opened_dir);
}

static int64_t opendirat_one(struct stage *s)
{
    return memfs_opendirat(s->fs, s->dir, "e", &s->opened_dir);
}

static int64_t list_dir_many(struct stage *s)
{
    int result = memfs_list_dir(s->fs, "/many", &s->list);
    s->has_list = result == 0;
    return result;
}

static int64_t glob_all(struct stage *s)
{
    int result = memfs_glob(s->fs, "/**/[a-f]*", &s->list);
    s->has_list = result == 0;
    return result;
}

/* Everything, reading the links; the last file stays open. */
static int64_t walk_on(struct stage *s, memfs_walker *walker)
{
    const memfs_walk_entry *entry;
    char target[8];
    int64_t result;
    while ((result = memfs_walk_next(walker, &entry)) == 1) {
        if (entry->event != MEMFS_WALK_ENTRY)
            continue;
        if (entry->stat->kind == MEMFS_KIND_SYMLINK)
            result = memfs_walk_readlink(walker, target, sizeof target);
        else if (s->opened == NULL)
            result = memfs_walk_open_file(walker, MEMFS_O_READ, &s->opened);
        if (result < 0)
            return result;
    }
    return result;
}

static int64_t walk_by_a_cursor(struct stage *s)
{
    memfs_walker *walker;
    int64_t result = memfs_walk_open(s->fs, "/d/../d/e", MEMFS_WALK_REAL_PATHS, &walker);
    if (result < 0)
        return result;
    (void)memfs_walk_close(walker);
    result = memfs_walk_open(s->fs, "/", 0, &walker);
    if (result < 0)
        return result;
    result = walk_on(s, walker);
    (void)memfs_walk_close(walker);
    if (result < 0 && s->opened != NULL) {
        (void)memfs_close(s->opened);
        s->opened = NULL;
    }
    return result;
}

static int64_t alloc_from_the_reserve(struct stage *s)
{
    return memfs_charged_alloc_emergency(s->fs, 5000, &s->memory);
}

static int64_t alloc_some(struct stage *s)
{
    return memfs_charged_alloc(s->fs, 5000, &s->memory);
}

static int64_t import_many(struct stage *s)
{
    const size_t entry = sizeof(memfs_import_entry);
    const memfs_import_entry entries[] = {
        {entry, "/many/new", stage_pattern(), 3 * s->page_size, 0, 0644, 0},
        {entry, "/many/newer", stage_pattern(), 10, 0, 0600, 0},
        {entry, "/file", stage_pattern(), s->page_size, 0, 0644, 0},
        {entry, "/link", "elsewhere", 9, MEMFS_KIND_SYMLINK, 0, 0},
        {entry, "/d/one/two/three", NULL, 0, 0, 0644, 5},
        {entry, "/d/one", NULL, 0, MEMFS_KIND_DIRECTORY, 0700, 6},
        {entry, "/d/more", NULL, 0, MEMFS_KIND_DIRECTORY, 0700, 6},
        {entry, "/empty/new", "x", 1, 0, 0644, 0},
    };
    return memfs_import(s->fs, entries, COUNT_OF(entries), MEMFS_IMPORT_REPLACE, NULL);
}

static int64_t open_in_a_snapshot(struct stage *s)
{
    return memfs_snapshot_open(s->fs, "snapshot", "/file", 0, &s->opened);
}

/* Opens and closes what a walk or a comparison stands on, if that is a file. */
static int64_t touch_file(const memfs_stat_info *stat, memfs_walker *walker,
                          memfs_comparison *comparison)
{
    memfs_file *file;
    if (stat->kind != MEMFS_KIND_FILE)
        return 0;
    int64_t result = walker != NULL ? memfs_walk_open_file(walker, 0, &file)
                                    : memfs_compare_open_file(comparison, &file);
    return result == 0 ? memfs_close(file) : result;
}

static int64_t walk_in_a_snapshot(struct stage *s)
{
    memfs_walker *walker;
    const memfs_walk_entry *entry;
    int64_t result = memfs_snapshot_walk(s->fs, "snapshot", "/d", 0, &walker);
    if (result < 0)
        return result;
    int64_t touched = 0;
    while (touched == 0 && (result = memfs_walk_next(walker, &entry)) == 1)
        touched = touch_file(entry->stat, walker, NULL);
    stage_must(memfs_walk_close(walker), "close the walker");
    return touched < 0 ? touched : result;
}

static int64_t compare_with_a_snapshot(struct stage *s)
{
    memfs_comparison *comparison;
    const memfs_change *change;
    int64_t result = memfs_compare_open(s->fs, "snapshot", NULL, &comparison);
    if (result < 0)
        return result;
    int64_t touched = 0;
    while (touched == 0 && (result = memfs_compare_next(comparison, &change)) == 1)
        touched = touch_file(change->stat, NULL, comparison);
    stage_must(memfs_compare_close(comparison), "close the comparison");
    return touched < 0 ? touched : result;
}

const struct scenario scenarios_refusable[] = {
    {"open creates a file", " memfs_open ", MAKES_NODES, NULL, open_creates},
    {"open truncates", " memfs_open ", MAY_BE_REFUSED, NULL, open_truncates},
    {"open makes parents", " memfs_open ", MAKES_NODES, NULL, open_makes_parents},
    {"open makes a file without a name", " memfs_open ", MAKES_NODES, NULL, open_makes_temporary},
    {"openat creates", " memfs_openat ", MAKES_NODES, NULL, openat_creates},
    {"open_with creates, locked, in lent storage", " memfs_open_with ", MAKES_NODES, NULL,
     open_with_creates_locked},
    {"open_mode creates", " memfs_open_mode ", MAKES_NODES, NULL, open_mode_creates},
    {"open creates from the reserve", " memfs_open memfs_set_emergency_reserve ", MAKES_NODES, NULL,
     open_creates_from_the_reserve},
    {"pwrite into the reserve", " memfs_pwrite ", MAY_BE_REFUSED, open_creates_from_the_reserve,
     pwrite_into_the_reserve},
    {"write extends a file", " memfs_write ", MAY_BE_REFUSED, NULL, write_extends},
    {"write appends", " memfs_write ", MAY_BE_REFUSED, NULL, write_appends},
    {"pwrite far out", " memfs_pwrite ", MAY_BE_REFUSED, NULL, pwrite_far_out},
    {"pwrite to the last bytes", " memfs_pwrite ", MAY_BE_REFUSED, NULL,
     pwrite_at_the_end_of_the_world},
    {"pwrite into shared pages", " memfs_pwrite ", MAY_BE_REFUSED, open_shared,
     pwrite_into_shared_pages},
    {"pwrite into a hole", " memfs_pwrite ", MAY_BE_REFUSED, open_sparse, pwrite_into_a_hole},
    {"pwrite to a short file", " memfs_pwrite ", MAY_BE_REFUSED, open_small,
     pwrite_to_a_short_file},
    {"writev", " memfs_writev ", MAY_BE_REFUSED, NULL, writev_in_parts},
    {"pwritev", " memfs_pwritev ", MAY_BE_REFUSED, NULL, pwritev_in_parts},
    {"truncate up", " memfs_truncate ", MAY_BE_REFUSED, NULL, truncate_up},
    {"ftruncate far up", " memfs_ftruncate ", MAY_BE_REFUSED, NULL, ftruncate_far_up},
    {"allocate grows", " memfs_fallocate ", MAY_BE_REFUSED, NULL, allocate_grows},
    {"allocate keeps the size", " memfs_fallocate ", MAY_BE_REFUSED, NULL, allocate_keeps_size},
    {"allocate makes zeros", " memfs_fallocate ", MAY_BE_REFUSED, open_sparse,
     allocate_makes_zeros},
    {"allocate unshares", " memfs_fallocate ", MAY_BE_REFUSED, open_shared, allocate_unshares},
    {"punch into a shared page", " memfs_fallocate ", MAY_BE_REFUSED, open_shared,
     punch_a_shared_page},
    {"reserve growth", " memfs_preallocate ", MAY_BE_REFUSED, NULL, reserve_growth},
    {"map a hole", " memfs_map ", MAY_BE_REFUSED, open_sparse, map_a_hole},
    {"map a short file", " memfs_map ", MAY_BE_REFUSED, NULL, map_a_short_file},
    {"write to a version", " memfs_content_write ", MAY_BE_REFUSED, take_version,
     write_to_a_version},
    {"allocate in a version", " memfs_content_allocate ", MAY_BE_REFUSED, take_version,
     allocate_in_a_version},
    {"grow a version that was cut", " memfs_content_truncate ", MAY_BE_REFUSED,
     take_version_and_cut_it, grow_a_version},
    {"punch into a version", " memfs_content_punch ", MAY_BE_REFUSED, take_version,
     punch_a_version},
    {"overwrite while a version is held", " memfs_pwrite ", MAY_BE_REFUSED, take_version,
     overwrite_while_a_version_is_held},
    {"mkdir", " memfs_mkdir ", MAKES_NODES, NULL, mkdir_one},
    {"mkdirat", " memfs_mkdirat ", MAKES_NODES, NULL, mkdirat_one},
    {"mkdir_parents", " memfs_mkdir_parents ", MAKES_NODES, NULL, mkdir_parents_four},
    {"rename to a longer name", " memfs_rename ", MAY_BE_REFUSED, NULL, rename_to_a_longer_name},
    {"rename replaces", " memfs_rename ", MAY_BE_REFUSED, NULL, rename_replaces},
    {"rename makes parents", " memfs_rename ", MAKES_NODES, NULL, rename_makes_parents},
    {"rename exchanges", " memfs_rename ", MAY_BE_REFUSED, NULL, rename_exchanges},
    {"rename replaces a tree", " memfs_rename ", MAY_BE_REFUSED, NULL, rename_replaces_a_tree},
    {"renameat", " memfs_renameat ", MAY_BE_REFUSED, NULL, renameat_moves},
    {"link", " memfs_link ", MAY_BE_REFUSED, NULL, link_one},
    {"linkat", " memfs_linkat ", MAY_BE_REFUSED, NULL, linkat_one},
    {"link_file", " memfs_link_file ", MAY_BE_REFUSED, NULL, link_file_one},
    {"link_file of a temporary file", " memfs_link_file ", MAY_BE_REFUSED, open_makes_temporary,
     link_a_temporary_file},
    {"symlink", " memfs_symlink ", MAKES_NODES, NULL, symlink_long},
    {"symlinkat", " memfs_symlinkat ", MAKES_NODES, NULL, symlinkat_one},
    {"read_file", " memfs_read_file ", MAY_BE_REFUSED, NULL, read_file_whole},
    {"write_file creates", " memfs_write_file ", MAKES_NODES, NULL, write_file_creates},
    {"write_file replaces", " memfs_write_file ", MAY_BE_REFUSED, NULL, write_file_replaces},
    {"write_file makes parents", " memfs_write_file ", MAKES_NODES, NULL, write_file_makes_parents},
    {"append_file creates", " memfs_append_file ", MAKES_NODES, NULL, append_file_creates},
    {"append_file extends", " memfs_append_file ", MAY_BE_REFUSED, NULL, append_file_extends},
    {"copyat makes parents", " memfs_copyat ", MAKES_NODES, NULL, copyat_makes_parents},
    {"copy_tree makes parents", " memfs_copy_tree ", MAKES_NODES, NULL, copy_tree_makes_parents},
    {"symlink makes parents", " memfs_symlink ", MAKES_NODES, NULL, symlink_makes_parents},
    {"copy to a new name", " memfs_copy ", MAKES_NODES, NULL, copy_to_a_new_name},
    {"copy over a file", " memfs_copy ", MAY_BE_REFUSED, NULL, copy_over_a_file},
    {"copy what is held private", " memfs_hold_private memfs_copy ", MAKES_NODES, hold_private,
     copy_what_is_held_private},
    {"copy_tree of what is held private", " memfs_hold_private memfs_copy_tree ", MAKES_NODES,
     hold_private, copy_tree_with_a_file_held_private},
    {"copy a short file", " memfs_copy ", MAKES_NODES, NULL, copy_a_short_file},
    {"copy_tree with links", " memfs_copy_tree ", MAKES_NODES, NULL, copy_tree_with_links},
    {"copy_tree with many names", " memfs_copy_tree ", MAKES_NODES, NULL,
     copy_tree_with_many_names},
    {"snapshot", " memfs_snapshot_take ", MAY_BE_REFUSED, NULL, take_snapshot},
    {"snapshot of what is held private", " memfs_snapshot_take ", MAY_BE_REFUSED, hold_private,
     take_snapshot},
    {"restore", " memfs_snapshot_restore ", MAKES_NODES, take_snapshot_and_change,
     restore_snapshot},
    {"extract from a snapshot", " memfs_snapshot_extract ", MAKES_NODES, take_snapshot_and_change,
     extract_from_snapshot},
    {"extract and make parents", " memfs_snapshot_extract ", MAKES_NODES, take_snapshot_and_change,
     extract_making_parents},
    {"rename a snapshot", " memfs_snapshot_rename ", MAY_BE_REFUSED, take_snapshot,
     rename_snapshot},
    {"list of snapshots", " memfs_snapshot_list ", MAY_BE_REFUSED, take_snapshot, list_snapshots},
    {"import", " memfs_import ", MAKES_NODES, NULL, import_many},
    {"open in a snapshot", " memfs_snapshot_open ", MAKES_NODES, take_snapshot_and_change,
     open_in_a_snapshot},
    {"walk in a snapshot", " memfs_snapshot_walk ", MAKES_NODES, take_snapshot_and_change,
     walk_in_a_snapshot},
    {"compare", " memfs_compare_open memfs_compare_next memfs_compare_open_file ", MAKES_NODES,
     take_snapshot_and_change, compare_with_a_snapshot},
    {"remove_tree", " memfs_remove_tree ", MAY_BE_REFUSED, NULL, remove_tree_with_links},
    {"clone of the instance", " memfs_clone_instance ", MAY_BE_REFUSED, NULL, clone_all},
    {"opendir", " memfs_opendir ", MAY_BE_REFUSED, NULL, opendir_one},
    {"opendirat", " memfs_opendirat ", MAY_BE_REFUSED, NULL, opendirat_one},
    {"list_dir", " memfs_list_dir ", MAY_BE_REFUSED, NULL, list_dir_many},
    {"glob", " memfs_glob ", MAY_BE_REFUSED, NULL, glob_all},
    {"walk by a cursor",
     " memfs_walk_open memfs_walk_next memfs_walk_open_file memfs_walk_readlink ", MAY_BE_REFUSED,
     NULL, walk_by_a_cursor},
    {"alloc from the reserve", " memfs_charged_alloc_emergency ", MAY_BE_REFUSED, NULL,
     alloc_from_the_reserve},
    {"alloc", " memfs_charged_alloc ", MAY_BE_REFUSED, NULL, alloc_some},
    {NULL, NULL, MAY_BE_REFUSED, NULL, NULL},
};
