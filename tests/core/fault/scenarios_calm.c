/*
 * Calls that must succeed at a full quota with an allocator that refuses
 * everything, and must not even ask it: what frees, what reads, and what
 * overwrites bytes that only one file owns.
 */
#include "scenarios.h"

#include <memfs/fault.h>
#include <memfs/storage.h>

#include <string.h>

/* One call of several, in order; the first error ends the scenario. */
#define TRY(call) \
    do { \
        int64_t result_ = (call); \
        if (result_ < 0) \
            return result_; \
    } while (0)

static int64_t unlink_all_kinds(struct stage *s)
{
    TRY(memfs_unlink(s->fs, "/file"));
    TRY(memfs_unlink(s->fs, "/link"));
    TRY(memfs_unlink(s->fs, "/other"));
    TRY(memfs_unlink(s->fs, "/twin"));
    TRY(memfs_unlinkat(s->fs, s->dir, "e/f", 0));
    return memfs_unlinkat(s->fs, NULL, "empty", MEMFS_AT_REMOVEDIR);
}

static int64_t rmdir_empty(struct stage *s)
{
    return memfs_rmdir(s->fs, "/empty");
}

static int64_t remove_names(struct stage *s)
{
    TRY(memfs_remove(s->fs, "/link"));
    TRY(memfs_remove(s->fs, "/file"));
    TRY(memfs_remove(s->fs, "/empty"));
    return memfs_remove_treeat(s->fs, s->dir, "e");
}

static int64_t open_more(struct stage *s)
{
    TRY(memfs_open(s->fs, "/d/x", MEMFS_O_RDWR, 0, &s->opened));
    return memfs_opendir(s->fs, "/d/e", &s->opened_dir);
}

static int64_t close_both(struct stage *s)
{
    TRY(memfs_close(s->opened));
    int64_t result = memfs_closedir(s->opened_dir);
    s->opened = NULL;
    s->opened_dir = NULL;
    return result;
}

static int64_t orphan(struct stage *s)
{
    TRY(memfs_unlink(s->fs, "/file"));
    return memfs_unlink(s->fs, "/other");
}

static int64_t close_orphan(struct stage *s)
{
    memfs_file *file = s->file;
    s->file = NULL;
    return memfs_close(file);
}

static int64_t truncate_down(struct stage *s)
{
    TRY(memfs_ftruncate(s->file, s->page_size + 7));
    TRY(memfs_ftruncate(s->file, 3));
    TRY(memfs_truncate(s->fs, "/file", 0));
    TRY(memfs_truncateat(s->fs, NULL, "sparse", 9));
    TRY(memfs_truncate(s->fs, "/shared", s->page_size * 2 + 5));
    return memfs_truncate(s->fs, "/small", 4);
}

static int64_t take_version(struct stage *s)
{
    int result = memfs_content_take(s->file, &s->version);
    s->has_version = result == 0;
    return result;
}

static int64_t take_version_and_write(struct stage *s)
{
    TRY(take_version(s));
    return memfs_pwrite(s->file, stage_pattern() + 9, s->page_size * 5, 5);
}

static int64_t restore_version(struct stage *s)
{
    int result = memfs_content_restore(s->file, &s->version);
    s->has_version = result != 0;
    return result;
}

static int64_t take_version_and_write_to_it(struct stage *s)
{
    TRY(take_version(s));
    return memfs_content_write(&s->version, stage_pattern() + 9, s->page_size * 5, 5);
}

static int64_t exchange_and_overwrite(struct stage *s)
{
    TRY(memfs_content_write(&s->version, stage_pattern() + 3, s->page_size, s->page_size / 2));
    TRY(memfs_content_truncate(&s->version, s->page_size + 7));
    return memfs_content_exchange(s->file, &s->version);
}

static int64_t map_page_of_version(struct stage *s)
{
    int result = memfs_content_map(&s->version, s->page_size, s->page_size, &s->mapping);
    s->has_mapping = result == 0;
    return result;
}

static int64_t drop_version(struct stage *s)
{
    int64_t start, end;
    char byte;
    TRY(memfs_content_read(&s->version, &byte, 1, 0));
    TRY(memfs_content_seek(&s->version, 0, MEMFS_SEEK_DATA));
    TRY(memfs_content_compare(&s->version, &s->version, 0, &start, &end));
    int64_t result = memfs_content_drop(&s->version);
    s->has_version = result != 0;
    return result;
}

static int64_t take_snapshot(struct stage *s)
{
    return memfs_snapshot_take(s->fs, "snapshot");
}

static int64_t remove_snapshot(struct stage *s)
{
    return memfs_snapshot_remove(s->fs, "snapshot");
}

static int64_t truncate_a_versioned_file(struct stage *s)
{
    TRY(memfs_ftruncate(s->file, s->page_size + 7));
    return memfs_ftruncate(s->file, 0);
}

static int64_t map_and_unlink(struct stage *s)
{
    int result = memfs_map(s->file, 0, 10, &s->mapping);
    s->has_mapping = result == 0;
    TRY(result);
    return memfs_unlink(s->fs, "/file");
}

static int64_t map_owned_page(struct stage *s)
{
    int result = memfs_map(s->file, s->page_size, s->page_size, &s->mapping);
    s->has_mapping = result == 0;
    return result;
}

static int64_t map_present_page(struct stage *s)
{
    int result = memfs_map_present(s->file, 0, s->page_size, &s->mapping);
    s->has_mapping = result == 0;
    (void)memfs_mapping_generation(s->file);
    return result;
}

static int64_t unmap(struct stage *s)
{
    s->has_mapping = 0;
    return memfs_unmap(&s->mapping);
}

static int64_t overwrite_owned_bytes(struct stage *s)
{
    unsigned char data[300];
    memset(data, 9, sizeof data);
    const memfs_iovec parts[] = {{data, 100}, {data, 200}};
    TRY(memfs_write(s->file, data, sizeof data));
    TRY(memfs_writev(s->file, parts, 2));
    TRY(memfs_pwrite(s->file, stage_pattern() + 1, 3 * s->page_size, 0));
    TRY(memfs_pwrite(s->file, data, 100, s->page_size - 50));
    TRY(memfs_pwritev(s->file, parts, 2, s->page_size - 50));
    return memfs_write(s->file, data, 0);
}

static int64_t allocate_some(struct stage *s)
{
    return memfs_fallocate(s->file, 0, 9 * (int64_t)s->page_size, 0);
}

static int64_t write_what_was_allocated(struct stage *s)
{
    return memfs_pwrite(s->file, stage_pattern(), 9 * s->page_size, 0);
}

static int64_t allocate_again_and_punch(struct stage *s)
{
    TRY(memfs_fallocate(s->file, 0, 3 * (int64_t)s->page_size, 0));
    return memfs_fallocate(s->file, 5, s->page_size * 2, MEMFS_FALLOCATE_PUNCH_HOLE);
}

static int64_t open_existing_with_lent_storage(struct stage *s)
{
    memfs_open_options options = {.struct_size = sizeof options, .flags = MEMFS_O_RDWR};
    options.storage = &s->lent;
    options.at = s->dir;
    TRY(memfs_open_with(s->fs, "x", &options, &s->opened));
    TRY(memfs_close(s->opened));
    return memfs_open_with(s->fs, "/link", &options, &s->opened);
}

static int64_t hold_private_and_copy(struct stage *s)
{
    TRY(memfs_hold_private(s->file, 1));
    TRY(memfs_copy(s->fs, "/file", "/d/copy", 0));
    return memfs_copy_tree(s->fs, "/file", "/d/copy-of-tree", 0);
}

static int64_t stop_holding(struct stage *s)
{
    TRY(overwrite_owned_bytes(s));
    TRY(memfs_hold_private(s->file, 0));
    TRY(memfs_hold_private(s->file, 1));
    return memfs_pwrite(s->file, stage_pattern() + 2, 3 * s->page_size, 0);
}

static void count_grant(memfs_lock_ticket *ticket)
{
    ++*(int *)ticket->context;
}

/* A second handle of the file waits in line for the first: twice, once until it is granted. */
static int64_t locking_in_line(struct stage *s)
{
    memfs_file_storage storage;
    memfs_open_options options = {
        .struct_size = sizeof options, .flags = MEMFS_O_READ, .storage = &storage};
    memfs_file *second;
    int grants = 0;
    memfs_lock_ticket ticket = {.granted = count_grant, .context = &grants};
    TRY(memfs_open_with(s->fs, "/file", &options, &second));
    TRY(memfs_lock(s->file, MEMFS_LOCK_EXCLUSIVE, 0));
    if (memfs_lock_queue(second, MEMFS_LOCK_SHARED, &ticket) != 1)
        return MEMFS_EIO;
    TRY(memfs_lock_unqueue(second, &ticket));
    if (memfs_lock_queue(second, MEMFS_LOCK_SHARED, &ticket) != 1)
        return MEMFS_EIO;
    TRY(memfs_unlock(s->file));
    TRY(memfs_close(second));
    return grants == 1 ? 0 : MEMFS_EIO;
}

static int64_t locking(struct stage *s)
{
    TRY(memfs_lock(s->file, MEMFS_LOCK_SHARED, 0));
    TRY(memfs_lock(s->file, MEMFS_LOCK_EXCLUSIVE, 0));
    TRY(memfs_unlock(s->file));
    return memfs_unlock(s->file);
}

static int64_t reading(struct stage *s)
{
    unsigned char data[300];
    const memfs_iovec parts[] = {{data, 100}, {data + 100, 200}};
    TRY(memfs_read(s->file, data, sizeof data));
    TRY(memfs_readv(s->file, parts, 2));
    TRY(memfs_pread(s->file, data, sizeof data, 5));
    TRY(memfs_preadv(s->file, parts, 2, s->page_size - 50));
    TRY(memfs_seek(s->file, 0, MEMFS_SEEK_DATA));
    TRY(memfs_tell(s->file));
    TRY(memfs_fsync(s->file));
    TRY(memfs_fdatasync(s->file));
    TRY(memfs_sync(s->fs, "/link"));
    TRY(memfs_syncat(s->fs, s->dir, "."));
    TRY(memfs_is_observed(s->fs));
    return memfs_file_size(s->file);
}

static int64_t asking(struct stage *s)
{
    memfs_stat_info info = {.struct_size = sizeof info};
    char path[MEMFS_PATH_MAX + 1];
    memfs_refusal refusal = {.struct_size = sizeof refusal};
    memfs_statfs_info statfs_info = {.struct_size = sizeof statfs_info};
    TRY(memfs_stat(s->fs, "/link", &info));
    TRY(memfs_lstat(s->fs, "/link", &info));
    TRY(memfs_statat(s->fs, s->dir, "e/f", &info, 0));
    TRY(memfs_fstat(s->file, &info));
    TRY(memfs_statdir(s->dir, &info));
    TRY(memfs_file_instance(s->file) == s->fs ? 0 : MEMFS_EIO);
    TRY(memfs_dir_instance(s->dir) == s->fs ? 0 : MEMFS_EIO);
    TRY(memfs_snapshot_exists(s->fs, "none"));
    TRY(memfs_exists(s->fs, "/d/e/f"));
    TRY(memfs_name_generation(s->fs) != 0 ? 0 : MEMFS_EIO);
    TRY(memfs_statfs(s->fs, &statfs_info));
    TRY(memfs_uncommitted_bytes(s->fs) <= statfs_info.available_bytes ? 0 : MEMFS_EIO);
    TRY(memfs_is_file(s->fs, "/link"));
    TRY(memfs_is_dir(s->fs, "/d"));
    TRY(memfs_is_symlink(s->fs, "/link"));
    TRY(memfs_readlink(s->fs, "/link", path, sizeof path));
    TRY(memfs_readlinkat(s->fs, NULL, "link", path, sizeof path));
    TRY(memfs_realpath(s->fs, "/d/../link", path, sizeof path));
    TRY(memfs_realpathat(s->fs, s->dir, "e/f", path, sizeof path));
    TRY(memfs_statfs(s->fs, &statfs_info));
    uint64_t system_bytes;
    int asked = memfs_system_memory(&system_bytes);
    if (asked != 0 && asked != MEMFS_EOPNOTSUPP)
        return asked;
    return memfs_last_refusal(s->fs, &refusal);
}

static int64_t changing_attributes(struct stage *s)
{
    TRY(memfs_chmod(s->fs, "/file", 0600));
    TRY(memfs_chmodat(s->fs, s->dir, "x", 0600, 0));
    TRY(memfs_fchmod(s->file, 0640));
    TRY(memfs_chown(s->fs, "/file", 1, 2));
    TRY(memfs_chownat(s->fs, s->dir, "x", 1, MEMFS_ID_KEEP, MEMFS_AT_NOFOLLOW));
    TRY(memfs_fchown(s->file, 3, 4));
    TRY(memfs_utimens(s->fs, "/d", 5, MEMFS_TIME_NOW));
    TRY(memfs_utimensat(s->fs, s->dir, "e", 5, MEMFS_TIME_OMIT, 0));
    return memfs_futimens(s->file, 1, 2);
}

static int64_t streaming(struct stage *s)
{
    memfs_dirent entry = {.struct_size = sizeof entry};
    int64_t cookie = 0;
    TRY(memfs_readdir(s->stream, &entry));
    TRY(cookie = memfs_telldir(s->stream));
    TRY(memfs_readdir(s->stream, &entry));
    TRY(memfs_seekdir(s->stream, cookie));
    TRY(memfs_rewinddir(s->stream));
    return memfs_readdir(s->stream, &entry);
}

static int64_t open_walker(struct stage *s)
{
    const memfs_walk_entry *entry;
    TRY(memfs_walk_open(s->fs, "/d", 0, &s->walker));
    return memfs_walk_next(s->walker, &entry);
}

static int64_t walk_in_lent_storage(struct stage *s)
{
    memfs_walker_storage storage;
    memfs_walker *walker;
    const memfs_walk_entry *entry;
    int64_t result;
    TRY(memfs_walk_open_in(s->fs, "/d/..", MEMFS_WALK_REAL_PATHS, &storage, &walker));
    while ((result = memfs_walk_next(walker, &entry)) == 1)
        continue;
    (void)memfs_walk_close(walker);
    return result;
}

static int64_t end_a_walk(struct stage *s)
{
    const memfs_walk_entry *entry;
    TRY(memfs_walk_prune(s->walker));
    TRY(memfs_walk_next(s->walker, &entry));
    TRY(memfs_walk_next(s->walker, &entry));
    memfs_walker *walker = s->walker;
    s->walker = NULL;
    return memfs_walk_close(walker);
}

static int64_t setting_the_callback(struct stage *s)
{
    TRY(memfs_set_log(s->fs, NULL, NULL));
    TRY(memfs_set_atime_policy(s->fs, MEMFS_ATIME_RELATIVE));
    return memfs_set_refused(s->fs, NULL, NULL);
}

static int64_t moving_the_reserve(struct stage *s)
{
    TRY(memfs_set_emergency_reserve(s->fs, 100000));
    TRY(memfs_use_emergency_reserve(s->file, MEMFS_EMERGENCY_OVERWRITING));
    TRY(memfs_use_emergency_reserve(s->file, MEMFS_EMERGENCY_UNUSED));
    return memfs_set_emergency_reserve(s->fs, 0);
}

static int64_t take_memory(struct stage *s)
{
    int result = memfs_list_dir(s->fs, "/many", &s->list);
    s->has_list = result == 0;
    TRY(result);
    return memfs_charged_alloc(s->fs, 3000, &s->memory);
}

static int64_t give_memory(struct stage *s)
{
    void *memory = s->memory;
    s->memory = NULL;
    s->has_list = 0;
    memfs_list_free(s->fs, &s->list);
    return memfs_free(s->fs, memory);
}

static int64_t rename_to_itself(struct stage *s)
{
    TRY(memfs_rename(s->fs, "/file", "/file", 0));
    TRY(memfs_rename(s->fs, "/file", "/other", 0));
    return memfs_copy(s->fs, "/file", "/other", 0);
}

static int64_t stat_snapshot(struct stage *s)
{
    memfs_snapshot_info info = {.struct_size = sizeof info};
    return memfs_snapshot_stat(s->fs, "snapshot", &info);
}

static int64_t tree_usage_of_all(struct stage *s)
{
    memfs_tree_info info = {.struct_size = sizeof info};
    return memfs_tree_usage(s->fs, "/", &info);
}

static int visit(void *context, const memfs_walk_entry *entry)
{
    (void)entry;
    ++*(int *)context;
    return MEMFS_WALK_CONTINUE;
}

static int64_t walk_all(struct stage *s)
{
    int visited = 0;
    int result = memfs_walk(s->fs, "/", visit, &visited);
    return result < 0 ? result : visited > 40 ? 0 : MEMFS_EIO;
}

static int64_t tree_sharing_of_all(struct stage *s)
{
    memfs_sharing_info info = {.struct_size = sizeof info};
    return memfs_tree_sharing(s->fs, "/", &info);
}

static int64_t snapshot_it(struct stage *s)
{
    return memfs_snapshot_take(s->fs, "snapshot");
}

static int64_t read_into_own_memory(struct stage *s)
{
    static unsigned char bytes[STAGE_PATTERN_BYTES];
    TRY(memfs_read_file_into(s->fs, "/file", bytes, sizeof bytes));
    return memfs_read_file_into(s->fs, "/empty/../d/x", bytes, sizeof bytes);
}

static int64_t stream_in_lent_storage(struct stage *s)
{
    memfs_dir_storage storage;
    memfs_dir *dir;
    memfs_dirent entry = {.struct_size = sizeof entry};
    int result;
    TRY(memfs_opendirat_in(s->fs, s->dir, "e", 0, &storage, &dir));
    while ((result = memfs_readdir(dir, &entry)) == 1)
        continue;
    (void)memfs_closedir(dir);
    return result;
}

static int64_t compare_before(struct stage *s)
{
    int64_t result = memfs_snapshot_take(s->fs, "snapshot");
    if (result == 0)
        result = memfs_unlink(s->fs, "/d/y");
    return result == 0 ? memfs_compare_open(s->fs, "snapshot", NULL, &s->comparison) : result;
}

static int64_t look_into_a_snapshot(struct stage *s)
{
    memfs_stat_info info = {.struct_size = sizeof info};
    const memfs_change *change;
    int64_t result = memfs_snapshot_stat_path(s->fs, "snapshot", "/d/y", &info, 0);
    if (result == 0 && memfs_compare_next(s->comparison, &change) != 1)
        result = MEMFS_EIO;
    if (result == 0)
        result = memfs_compare_close(s->comparison);
    s->comparison = NULL;
    return result;
}

const struct scenario scenarios_calm[] = {
    {"unlink", " memfs_unlink memfs_unlinkat ", NEEDS_NOTHING, NULL, unlink_all_kinds},
    {"remove", " memfs_remove memfs_remove_treeat ", NEEDS_NOTHING, NULL, remove_names},
    {"rmdir", " memfs_rmdir ", NEEDS_NOTHING, NULL, rmdir_empty},
    {"close", " memfs_close memfs_closedir ", NEEDS_NOTHING, open_more, close_both},
    {"the last close of an orphan", " memfs_close ", NEEDS_NOTHING, orphan, close_orphan},
    {"truncate down", " memfs_truncate memfs_truncateat memfs_ftruncate ", NEEDS_NOTHING, NULL,
     truncate_down},
    {"truncate down while a version is held", " memfs_ftruncate ", NEEDS_NOTHING, take_version,
     truncate_a_versioned_file},
    {"remove a snapshot", " memfs_snapshot_remove ", NEEDS_NOTHING, take_snapshot, remove_snapshot},
    {"take a version", " memfs_content_take ", NEEDS_NOTHING, NULL, take_version},
    {"restore a version", " memfs_content_restore ", NEEDS_NOTHING, take_version_and_write,
     restore_version},
    {"cut a version that was written, and exchange it",
     " memfs_content_write memfs_content_truncate memfs_content_exchange ", NEEDS_NOTHING,
     take_version_and_write_to_it, exchange_and_overwrite},
    {"map a page of a version", " memfs_content_map ", NEEDS_NOTHING, take_version_and_write_to_it,
     map_page_of_version},
    {"read and drop a version",
     " memfs_content_compare memfs_content_drop memfs_content_read memfs_content_seek ",
     NEEDS_NOTHING, take_version_and_write, drop_version},
    {"map an owned page", " memfs_map ", NEEDS_NOTHING, NULL, map_owned_page},
    {"map a page that is there", " memfs_map_present memfs_mapping_generation ", NEEDS_NOTHING,
     NULL, map_present_page},
    {"unmap", " memfs_unmap ", NEEDS_NOTHING, map_and_unlink, unmap},
    {"overwrite owned bytes", " memfs_write memfs_writev memfs_pwrite memfs_pwritev ",
     NEEDS_NOTHING, NULL, overwrite_owned_bytes},
    {"write what was allocated", " memfs_fallocate memfs_pwrite ", NEEDS_NOTHING, allocate_some,
     write_what_was_allocated},
    {"allocate what is there, and punch", " memfs_fallocate ", NEEDS_NOTHING, NULL,
     allocate_again_and_punch},
    {"open an existing file with lent storage", " memfs_open_with ", NEEDS_NOTHING, NULL,
     open_existing_with_lent_storage},
    {"overwrite what is held private, after copies", " memfs_hold_private memfs_pwrite ",
     NEEDS_NOTHING, hold_private_and_copy, stop_holding},
    {"lock and unlock", " memfs_lock memfs_unlock ", NEEDS_NOTHING, NULL, locking},
    {"lock in line", " memfs_lock_queue memfs_lock_unqueue ", NEEDS_NOTHING, NULL, locking_in_line},
    {"read",
     " memfs_read memfs_readv memfs_pread memfs_preadv memfs_seek memfs_tell memfs_fsync "
     "memfs_fdatasync memfs_sync memfs_syncat memfs_is_observed memfs_file_size ",
     NEEDS_NOTHING, NULL, reading},
    {"ask",
     " memfs_stat memfs_lstat memfs_statat memfs_fstat memfs_exists memfs_is_file memfs_is_dir "
     "memfs_is_symlink memfs_name_generation memfs_uncommitted_bytes "
     "memfs_readlink memfs_readlinkat memfs_realpath memfs_realpathat "
     "memfs_statdir memfs_file_instance memfs_dir_instance memfs_snapshot_exists "
     "memfs_statfs memfs_last_refusal memfs_system_memory ",
     NEEDS_NOTHING, NULL, asking},
    {"change attributes",
     " memfs_chmod memfs_chmodat memfs_fchmod memfs_chown memfs_chownat memfs_fchown "
     "memfs_utimens memfs_utimensat memfs_futimens ",
     NEEDS_NOTHING, NULL, changing_attributes},
    {"set the callback for refusals", " memfs_set_refused memfs_set_log memfs_set_atime_policy ",
     NEEDS_NOTHING, NULL, setting_the_callback},
    {"move the reserve", " memfs_set_emergency_reserve memfs_use_emergency_reserve ", NEEDS_NOTHING,
     NULL, moving_the_reserve},
    {"stream a directory", " memfs_readdir memfs_telldir memfs_seekdir memfs_rewinddir ",
     NEEDS_NOTHING, NULL, streaming},
    {"walk in lent storage", " memfs_walk_open_in memfs_walk_next memfs_walk_close ", NEEDS_NOTHING,
     NULL, walk_in_lent_storage},
    {"walk", " memfs_walk ", NEEDS_NOTHING, NULL, walk_all},
    {"tree_usage", " memfs_tree_usage ", NEEDS_NOTHING, NULL, tree_usage_of_all},
    {"tree_sharing", " memfs_tree_sharing ", NEEDS_NOTHING, NULL, tree_sharing_of_all},
    {"stat of a snapshot", " memfs_snapshot_stat ", NEEDS_NOTHING, snapshot_it, stat_snapshot},
    {"read a file into own memory", " memfs_read_file_into ", NEEDS_NOTHING, NULL,
     read_into_own_memory},
    {"stream a directory in lent storage", " memfs_opendirat_in ", NEEDS_NOTHING, NULL,
     stream_in_lent_storage},
    {"look into a snapshot", " memfs_snapshot_stat_path memfs_compare_next memfs_compare_close ",
     NEEDS_NOTHING, compare_before, look_into_a_snapshot},
    {"prune and end a walk", " memfs_walk_prune memfs_walk_next memfs_walk_close ", NEEDS_NOTHING,
     open_walker, end_a_walk},
    {"give memory back", " memfs_free memfs_list_free ", NEEDS_NOTHING, take_memory, give_memory},
    {"rename and copy that change nothing", " memfs_rename memfs_copy ", NEEDS_NOTHING, NULL,
     rename_to_itself},
    {NULL, NULL, NEEDS_NOTHING, NULL, NULL},
};
