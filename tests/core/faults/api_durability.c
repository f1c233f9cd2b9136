/* What is durable, and what a power cut leaves. */
#include "crashes.h"

#include <stdbool.h>

static void what_is_there_at_the_start_is_durable(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir_parents(f->fs, "/a/b", 0750));
    put(f->fs, "/a/b/f", "text");
    assert_ok(memfs_link(f->fs, "/a/b/f", "/a/g"));
    assert_ok(memfs_symlink(f->fs, "b/f", "/a/link", 0));
    assert_ok(memfs_chmod(f->fs, "/a/g", 0604));
    start(f->fs, NULL);
    sync_path(f->fs, "/");
    memfs *after = crash(f->fs);
    check_file(after, "/a/b/f", "text");
    check_file(after, "/a/link", "text");
    memfs_stat_info one = {.struct_size = sizeof one}, other = one, before = one;
    assert_ok(memfs_stat(after, "/a/b/f", &one));
    assert_ok(memfs_stat(after, "/a/g", &other));
    assert_ok(memfs_stat(f->fs, "/a/g", &before));
    assert_int_equal(one.number, other.number);
    assert_int_equal(one.links, 2);
    assert_int_equal(one.mode, 0604);
    assert_int_equal(one.modify_ns, before.modify_ns);
    assert_ok(memfs_stat(after, "/a/b", &one));
    assert_int_equal(one.mode, 0750);
    destroy(after);
}

static void a_write_is_durable_when_the_file_was_synced(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "old text");
    start(f->fs, NULL);
    sync_path(f->fs, "/");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR);
    assert_returns(memfs_pwrite(file, "new", 3, 0), 3);
    check_file(f->fs, "/f", "new text"); /* reading sees it */
    check_after_crash(f->fs, "/f", "old text");
    assert_ok(memfs_fdatasync(file));
    check_after_crash(f->fs, "/f", "new text");
    assert_ok(memfs_ftruncate(file, 2));
    check_after_crash(f->fs, "/f", "new text");
    assert_ok(memfs_close(file)); /* closing does not sync */
    check_after_crash(f->fs, "/f", "new text");
    sync_path(f->fs, "/f");
    check_after_crash(f->fs, "/f", "ne");
}

static void every_way_to_change_a_content_is_known(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "0123456789");
    put(f->fs, "/source", "copied");
    start(f->fs, NULL);
    sync_path(f->fs, "/");
    assert_ok(memfs_write_file(f->fs, "/f", "replaced", 8, 0644, 0));
    check_after_crash(f->fs, "/f", "0123456789");
    sync_path(f->fs, "/f");
    check_after_crash(f->fs, "/f", "replaced");
    assert_ok(memfs_append_file(f->fs, "/f", "!!", 2, 0644, 0));
    sync_path(f->fs, "/f");
    check_after_crash(f->fs, "/f", "replaced!!");
    assert_ok(memfs_copy(f->fs, "/source", "/f", 0));
    check_after_crash(f->fs, "/f", "replaced!!");
    sync_path(f->fs, "/f");
    check_after_crash(f->fs, "/f", "copied");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR | MEMFS_O_TRUNCATE);
    check_after_crash(f->fs, "/f", "copied");
    assert_ok(memfs_fsync(file));
    check_after_crash(f->fs, "/f", "");
    assert_returns(memfs_write(file, "abcdef", 6), 6);
    assert_ok(memfs_fallocate(file, 1, 2, MEMFS_FALLOCATE_ZERO_RANGE));
    assert_ok(memfs_fsync(file));
    memfs *after = crash(f->fs);
    char bytes[8];
    assert_returns(memfs_read_file_into(after, "/f", bytes, sizeof bytes), 6);
    assert_memory_equal(bytes, "a\0\0def", 6);
    destroy(after);
    assert_ok(memfs_close(file));
}

static void a_name_is_durable_when_its_directory_was_synced(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    start(f->fs, NULL);
    put(f->fs, "/d/f", "text");
    sync_path(f->fs, "/d/f");
    check_after_crash(f->fs, "/d/f", NULL);
    sync_path(f->fs, "/");
    check_after_crash(f->fs, "/d/f", NULL);
    sync_path(f->fs, "/d");
    check_after_crash(f->fs, "/d/f", "text");
    assert_ok(memfs_unlink(f->fs, "/d/f"));
    check_after_crash(f->fs, "/d/f", "text");
    sync_path(f->fs, "/d");
    check_after_crash(f->fs, "/d/f", NULL);
}

static void a_name_without_a_synced_content_is_an_empty_file(void **state)
{
    struct fixture *f = *state;
    start(f->fs, NULL);
    put(f->fs, "/f", "text");
    sync_path(f->fs, "/");
    check_after_crash(f->fs, "/f", "");
}

static void a_directory_is_there_when_its_own_name_is(void **state)
{
    struct fixture *f = *state;
    start(f->fs, NULL);
    assert_ok(memfs_mkdir_parents(f->fs, "/a/b/c", 0755));
    put(f->fs, "/a/b/c/f", "text");
    sync_path(f->fs, "/a/b/c/f");
    sync_path(f->fs, "/a/b/c");
    sync_path(f->fs, "/a/b");
    memfs *after = crash(f->fs);
    assert_int_equal(memfs_exists(after, "/a"), 0);
    destroy(after);
    sync_path(f->fs, "/");
    memfs *again = crash(f->fs);
    assert_int_equal(memfs_is_dir(again, "/a"), 1);
    assert_int_equal(memfs_exists(again, "/a/b"), 0); /* /a was not synced */
    destroy(again);
    sync_path(f->fs, "/a");
    check_after_crash(f->fs, "/a/b/c/f", "text");
}

static void a_renaming_is_one_step_though_it_concerns_two_directories(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/a", 0755));
    assert_ok(memfs_mkdir(f->fs, "/b", 0755));
    put(f->fs, "/a/f", "moved");
    put(f->fs, "/b/g", "replaced");
    for (int which = 0; which < 2; which++) {
        start(f->fs, NULL);
        assert_ok(memfs_rename(f->fs, "/a/f", "/b/g", 0));
        sync_path(f->fs, "/"); /* which concerns neither */
        check_after_crash(f->fs, "/a/f", "moved");
        check_after_crash(f->fs, "/b/g", "replaced");
        sync_path(f->fs, which == 0 ? "/a" : "/b");
        check_after_crash(f->fs, "/a/f", NULL);
        check_after_crash(f->fs, "/b/g", "moved");
        assert_ok(memfs_durability_stop(f->fs));
        assert_ok(memfs_rename(f->fs, "/b/g", "/a/f", 0));
        put(f->fs, "/b/g", "replaced");
    }
}

static void what_has_to_come_before_a_name_becomes_durable_with_it(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/a", 0755));
    assert_ok(memfs_mkdir(f->fs, "/b", 0755));
    start(f->fs, NULL);
    put(f->fs, "/a/f", "text");
    put(f->fs, "/a/other", "other");
    sync_path(f->fs, "/a/f");
    assert_ok(memfs_rename(f->fs, "/a/f", "/b/f", 0));
    sync_path(f->fs, "/b");
    memfs *after = crash(f->fs);
    check_file(after, "/b/f", "text");
    check_file(after, "/a/f", NULL);
    check_file(after, "/a/other", NULL);
    destroy(after);
    sync_path(f->fs, "/a");
    memfs *again = crash(f->fs);
    check_file(again, "/b/f", "text");
    check_file(again, "/a/f", NULL);
    check_file(again, "/a/other", "");
    destroy(again);
}

static void exchanging_and_moving_directories_are_known(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir_parents(f->fs, "/a/in", 0755));
    assert_ok(memfs_mkdir(f->fs, "/b", 0755));
    put(f->fs, "/a/in/f", "one");
    put(f->fs, "/b/g", "two");
    start(f->fs, NULL);
    assert_ok(memfs_rename(f->fs, "/a/in", "/b/g", MEMFS_RENAME_EXCHANGE));
    sync_path(f->fs, "/b");
    check_after_crash(f->fs, "/b/g/f", "one");
    check_after_crash(f->fs, "/a/in", "two");
    assert_ok(memfs_rename(f->fs, "/b/g", "/renamed", 0));
    check_after_crash(f->fs, "/b/g/f", "one");
    sync_path(f->fs, "/");
    check_after_crash(f->fs, "/renamed/f", "one");
    check_after_crash(f->fs, "/b/g", NULL);
}

static void trees_that_appear_and_go_at_once_are_known(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir_parents(f->fs, "/from/below", 0755));
    put(f->fs, "/from/below/f", "text");
    start(f->fs, NULL);
    assert_ok(memfs_copy_tree(f->fs, "/from", "/to", 0));
    sync_path(f->fs, "/to/below/f");
    sync_path(f->fs, "/to/below");
    sync_path(f->fs, "/to");
    check_after_crash(f->fs, "/to/below/f", NULL);
    sync_path(f->fs, "/");
    check_after_crash(f->fs, "/to/below/f", "text");
    assert_ok(memfs_snapshot_take(f->fs, "s"));
    assert_ok(memfs_remove_tree(f->fs, "/to"));
    assert_ok(memfs_snapshot_restore(f->fs, "s"));
    assert_true(memfs_unsynced(f->fs, NULL, NULL, NULL) > 0);
    check_after_crash(f->fs, "/to/below/f", "text");
    const memfs_import_entry entries[] = {
        {sizeof entries[0], "/new/in/f", "imported", 8, 0, 0644, 0},
        {sizeof entries[0], "/from/below/f", "replaced", 8, 0, 0644, 0}};
    assert_ok(memfs_import(f->fs, entries, 2, MEMFS_IMPORT_REPLACE, NULL));
    const char *all[] = {"/new/in/f",   "/from/below/f", "/new/in", "/new",
                         "/from/below", "/from",         "/"};
    for (size_t i = 0; i < COUNT_OF(all); i++)
        sync_path(f->fs, all[i]);
    check_after_crash(f->fs, "/new/in/f", "imported");
    check_after_crash(f->fs, "/from/below/f", "replaced");
    assert_ok(memfs_snapshot_remove(f->fs, "s"));
}

static void an_unnamed_file_that_was_synced_keeps_its_bytes_when_it_gets_a_name(void **state)
{
    struct fixture *f = *state;
    memfs_file *file;
    start(f->fs, NULL);
    assert_ok(memfs_open(f->fs, "/", MEMFS_O_RDWR | MEMFS_O_TMPFILE, 0644, &file));
    assert_returns(memfs_write(file, "synced", 6), 6);
    assert_ok(memfs_fsync(file));
    assert_returns(memfs_write(file, ", and not", 9), 9);
    assert_ok(memfs_link_file(file, NULL, "/f"));
    sync_path(f->fs, "/");
    check_after_crash(f->fs, "/f", "synced");
    assert_ok(memfs_close(file));
}

static void each_model_has_its_own_way_for_names(void **state)
{
    struct fixture *f = *state;
    const char *after_file[] = {NULL, "text", "text", "text"};
    const char *other_after_file[] = {NULL, NULL, "", ""};
    for (uint32_t names = 0; names <= MEMFS_NAMES_AT_ONCE; names++) {
        const memfs_durability model = {.struct_size = sizeof model, .names = names};
        start(f->fs, &model);
        put(f->fs, "/other", "unsynced");
        put(f->fs, "/f", "text");
        sync_path(f->fs, "/f");
        check_after_crash(f->fs, "/f", after_file[names]);
        check_after_crash(f->fs, "/other", other_after_file[names]);
        assert_ok(memfs_durability_stop(f->fs));
        assert_ok(memfs_unlink(f->fs, "/f"));
        assert_ok(memfs_unlink(f->fs, "/other"));
    }
}

static void a_sync_that_fails_loses_what_it_should_have_written_or_keeps_it(void **state)
{
    struct fixture *f = *state;
    const char *after[] = {"old", "new"};
    for (uint32_t failed = 0; failed <= MEMFS_FAILED_SYNC_KEEPS; failed++) {
        const memfs_durability model = {.struct_size = sizeof model, .failed_sync = failed};
        const memfs_fault_rule rule = {
            .struct_size = sizeof rule, .operations = MEMFS_OP_SYNC, .nth = 1, .error = MEMFS_EIO};
        put(f->fs, "/f", "old");
        start(f->fs, &model);
        assert_ok(memfs_fault_add(f->fs, &rule, NULL));
        memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR);
        assert_returns(memfs_pwrite(file, "new", 3, 0), 3);
        assert_returns(memfs_fsync(file), MEMFS_EIO);
        sync_path(f->fs, "/");
        check_after_crash(f->fs, "/f", "old");
        check_file(f->fs, "/f", "new");
        assert_ok(memfs_fsync(file)); /* "succeeds" */
        check_after_crash(f->fs, "/f", after[failed]);
        assert_ok(memfs_close(file));
        assert_ok(memfs_durability_stop(f->fs));
        assert_ok(memfs_fault_clear(f->fs));
    }
}

struct listed {
    char text[512];
    int limit;
};

static int list_one(void *context, const memfs_pending *pending)
{
    struct listed *listed = context;
    size_t at = strlen(listed->text);
    snprintf(listed->text + at, sizeof listed->text - at, "%s%s+%u@%u ", pending->path,
             pending->is_name ? "!" : "", (unsigned)pending->length, (unsigned)pending->offset);
    return --listed->limit == 0;
}

static void what_is_not_synced_is_listed(void **state)
{
    struct fixture *f = *state;
    struct listed listed = {"", 0};
    assert_returns(memfs_unsynced(f->fs, NULL, NULL, NULL), MEMFS_EINVAL);
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    start(f->fs, NULL);
    assert_returns(memfs_unsynced(f->fs, NULL, NULL, NULL), 0);
    memfs_file *file = open_file(f->fs, "/d/f", MEMFS_O_RDWR | MEMFS_O_CREATE);
    assert_returns(memfs_pwrite(file, "abc", 3, 5), 3);
    assert_returns(memfs_unsynced(f->fs, NULL, list_one, &listed), 2);
    assert_string_equal(listed.text, "/d/f!+0@0 /d/f+3@5 ");
    assert_returns(memfs_unsynced(f->fs, "/d/f", NULL, NULL), 1);
    assert_returns(memfs_unsynced(f->fs, "/d", NULL, NULL), 1);
    assert_returns(memfs_unsynced(f->fs, "/", NULL, NULL), 0);
    assert_returns(memfs_unsynced(f->fs, "/none", NULL, NULL), MEMFS_ENOENT);
    struct listed first = {"", 1};
    assert_returns(memfs_unsynced(f->fs, NULL, list_one, &first), 2);
    assert_string_equal(first.text, "/d/f!+0@0 ");
    assert_ok(memfs_fsync(file));
    sync_path(f->fs, "/d");
    assert_returns(memfs_unsynced(f->fs, NULL, NULL, NULL), 0);
    assert_ok(memfs_close(file));
}

/* ------------------------------------------------------------------ survivors */

static void with_a_hundred_percent_everything_survives(void **state)
{
    struct fixture *f = *state;
    start(f->fs, NULL);
    sync_path(f->fs, "/");
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    put(f->fs, "/d/f", "text");
    put(f->fs, "/gone", "gone");
    assert_ok(memfs_unlink(f->fs, "/gone"));
    assert_ok(memfs_rename(f->fs, "/d/f", "/f", 0));
    for (uint32_t flags = 0; flags <= (MEMFS_CRASH_TORN | MEMFS_CRASH_ORDERED); flags++) {
        memfs *after = crash_with(f->fs, 100, 7, flags);
        check_file(after, "/f", "text");
        check_file(after, "/d/f", NULL);
        check_file(after, "/gone", NULL);
        assert_int_equal(memfs_is_dir(after, "/d"), 1);
        destroy(after);
    }
}

static void the_same_seed_has_the_same_survivors_and_others_differ(void **state)
{
    struct fixture *f = *state;
    start(f->fs, NULL);
    sync_path(f->fs, "/");
    for (int i = 0; i < 20; i++) {
        char path[16];
        snprintf(path, sizeof path, "/%d", i);
        put(f->fs, path, "text");
    }
    unsigned seen[64] = {0}, kinds = 0;
    for (uint64_t seed = 0; seed < COUNT_OF(seen); seed++) {
        memfs *one = crash_with(f->fs, 50, seed, 0), *other = crash_with(f->fs, 50, seed, 0);
        for (int i = 0; i < 20; i++) {
            char path[16];
            snprintf(path, sizeof path, "/%d", i);
            int is_there = memfs_exists(one, path);
            assert_int_equal(memfs_exists(other, path), is_there);
            seen[seed] |= (unsigned)is_there << i;
        }
        destroy(one);
        destroy(other);
    }
    for (size_t i = 1; i < COUNT_OF(seen); i++)
        kinds += seen[i] != seen[0];
    assert_true(kinds > 50);
}

static void in_order_nothing_survives_behind_what_was_lost(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "");
    start(f->fs, NULL);
    sync_path(f->fs, "/");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR);
    for (int i = 0; i < 16; i++)
        assert_returns(memfs_pwrite(file, "x", 1, i), 1);
    unsigned sizes = 0;
    for (uint64_t seed = 0; seed < 50; seed++) {
        memfs *after = crash_with(f->fs, 80, seed, MEMFS_CRASH_ORDERED);
        char bytes[16];
        int64_t size = memfs_read_file_into(after, "/f", bytes, sizeof bytes);
        assert_true(size >= 0);
        for (int64_t i = 0; i < size; i++)
            assert_int_equal(bytes[i], 'x');
        sizes |= 1u << size;
        destroy(after);
    }
    assert_true((sizes & (sizes - 1)) != 0); /* more than one */
    assert_ok(memfs_close(file));
}

static void torn_writes_are_torn_at_sectors(void **state)
{
    struct fixture *f = *state;
    enum { SECTOR = 512, SECTORS = 8 };
    char old[SECTOR * SECTORS], bytes[sizeof old], new[sizeof old];
    memset(old, 'o', sizeof old);
    memset(new, 'n', sizeof new);
    assert_ok(memfs_write_file(f->fs, "/f", old, sizeof old, 0644, 0));
    start(f->fs, NULL);
    sync_path(f->fs, "/");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR);
    assert_returns(memfs_pwrite(file, new, sizeof new - 100, 50), sizeof new - 100);
    unsigned mixed = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        memfs *after = crash_with(f->fs, 50, seed, MEMFS_CRASH_TORN);
        assert_returns(memfs_read_file_into(after, "/f", bytes, sizeof bytes), sizeof bytes);
        unsigned news = 0;
        for (int i = 0; i < SECTORS; i++) {
            size_t from = (size_t)i * SECTOR + (i == 0 ? 50 : 0);
            size_t length = SECTOR - (i == 0 || i == SECTORS - 1 ? 50 : 0);
            bool is_new = bytes[from] == 'n';
            news += is_new;
            assert_memory_equal(bytes + from, is_new ? new : old, length);
        }
        assert_int_equal(bytes[0], 'o');
        mixed += news != 0 && news != SECTORS;
        destroy(after);
    }
    assert_true(mixed > 30);
    assert_ok(memfs_close(file));
}

static void whatever_survives_of_a_renaming_the_file_has_one_of_its_names(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    put(f->fs, "/settings", "old");
    start(f->fs, NULL);
    put(f->fs, "/d/new", "new");
    sync_path(f->fs, "/d/new");
    assert_ok(memfs_rename(f->fs, "/d/new", "/d/ready", 0));
    assert_ok(memfs_rename(f->fs, "/d/ready", "/settings", 0));
    unsigned olds = 0, news = 0;
    for (uint64_t seed = 0; seed < 60; seed++) {
        memfs *after = crash_with(f->fs, 60, seed, 0);
        char text[8] = "";
        assert_returns(memfs_read_file_into(after, "/settings", text, sizeof text), 3);
        olds += strcmp(text, "old") == 0;
        news += strcmp(text, "new") == 0;
        int names = memfs_exists(after, "/d/new") + memfs_exists(after, "/d/ready");
        assert_true(names <= (strcmp(text, "old") == 0 ? 1 : 0));
        destroy(after);
    }
    assert_true(olds != 0 && news != 0 && olds + news == 60);
}

/* --------------------------------------------------------------------- errors */

static void bad_arguments_are_refused(void **state)
{
    struct fixture *f = *state;
    memfs *after;
    memfs_durability model = {.struct_size = sizeof model};
    memfs_crash_options how = {.struct_size = sizeof how};
    assert_returns(memfs_crash(f->fs, NULL, &after), MEMFS_EINVAL);
    assert_returns(memfs_durability_stop(f->fs), MEMFS_EINVAL);
    assert_returns(memfs_durability_start(NULL, NULL), MEMFS_EINVAL);
    model.sector_bytes = 500;
    assert_returns(memfs_durability_start(f->fs, &model), MEMFS_EINVAL);
    model.sector_bytes = 131072;
    assert_returns(memfs_durability_start(f->fs, &model), MEMFS_EINVAL);
    model = (memfs_durability){.struct_size = sizeof model, .names = 4};
    assert_returns(memfs_durability_start(f->fs, &model), MEMFS_EINVAL);
    model = (memfs_durability){.struct_size = sizeof model, .failed_sync = 2};
    assert_returns(memfs_durability_start(f->fs, &model), MEMFS_EINVAL);
    start(f->fs, NULL);
    assert_returns(memfs_durability_start(f->fs, NULL), MEMFS_EBUSY);
    assert_returns(memfs_crash(f->fs, NULL, &after), MEMFS_ENOENT); /* nothing was synced */
    sync_path(f->fs, "/");
    how.percent = 101;
    assert_returns(memfs_crash(f->fs, &how, &after), MEMFS_EINVAL);
    how = (memfs_crash_options){.struct_size = sizeof how, .flags = 4};
    assert_returns(memfs_crash(f->fs, &how, &after), MEMFS_EINVAL);
    assert_returns(memfs_crash(f->fs, NULL, NULL), MEMFS_EINVAL);
    assert_returns(memfs_sync(f->fs, "/none"), MEMFS_ENOENT);
    assert_returns(memfs_fsync(NULL), MEMFS_EBADF);
    assert_returns(memfs_fdatasync(NULL), MEMFS_EBADF);
    assert_ok(memfs_durability_stop(f->fs));
    assert_returns(memfs_durability_stop(f->fs), MEMFS_EINVAL);
}

static void the_kit_takes_nothing_from_the_quota(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "text");
    uint64_t used = used_bytes(f->fs);
    start(f->fs, NULL);
    assert_int_equal(used_bytes(f->fs), used);
    fixture_leave(f, 0);
    assert_ok(memfs_unlink(f->fs, "/f"));
    sync_path(f->fs, "/");
    fixture_set_quota(f, 16 << 20);
    check_after_crash(f->fs, "/f", NULL);
}

/* Each allocation of the kit is refused in turn, from its start to the crash. */
static void a_kit_without_memory_says_so_and_disturbs_nothing(void **state)
{
    struct fixture *f = *state;
    struct tracking_allocator own;
    char bytes[100000] = "text";
    int error = MEMFS_ENOMEM;
    uint64_t refused = 0;
    for (; error != 0 && refused < 1000; refused++) {
        memfs *after = NULL;
        tracking_allocator_init(&own, 0);
        tracking_refuse(&own, refused + 1, 1);
        const memfs_durability model = {.struct_size = sizeof model,
                                        .allocator = tracking_hooks(&own)};
        error = memfs_durability_start(f->fs, &model);
        bool has_begun = error == 0;
        assert_ok(memfs_write_file(f->fs, "/f", bytes, sizeof bytes, 0644, 0));
        sync_path(f->fs, "/f");
        sync_path(f->fs, "/");
        if (has_begun)
            error = memfs_crash(f->fs, NULL, &after);
        assert_ok(memfs_unlink(f->fs, "/f"));
        if (error == 0) {
            check_file(f->fs, "/f", NULL);
            assert_returns(memfs_read_file_into(after, "/f", bytes, sizeof bytes), sizeof bytes);
            destroy(after);
        } else {
            assert_returns(error, MEMFS_ENOMEM);
        }
        if (has_begun)
            assert_ok(memfs_durability_stop(f->fs));
        tracking_assert_empty(&own);
    }
    assert_ok(error);
    assert_true(refused > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(what_is_there_at_the_start_is_durable),
        FS_TEST(a_write_is_durable_when_the_file_was_synced),
        FS_TEST(every_way_to_change_a_content_is_known),
        FS_TEST(a_name_is_durable_when_its_directory_was_synced),
        FS_TEST(a_name_without_a_synced_content_is_an_empty_file),
        FS_TEST(a_directory_is_there_when_its_own_name_is),
        FS_TEST(a_renaming_is_one_step_though_it_concerns_two_directories),
        FS_TEST(what_has_to_come_before_a_name_becomes_durable_with_it),
        FS_TEST(exchanging_and_moving_directories_are_known),
        FS_TEST(trees_that_appear_and_go_at_once_are_known),
        FS_TEST(an_unnamed_file_that_was_synced_keeps_its_bytes_when_it_gets_a_name),
        FS_TEST(each_model_has_its_own_way_for_names),
        FS_TEST(a_sync_that_fails_loses_what_it_should_have_written_or_keeps_it),
        FS_TEST(what_is_not_synced_is_listed),
        FS_TEST(with_a_hundred_percent_everything_survives),
        FS_TEST(the_same_seed_has_the_same_survivors_and_others_differ),
        FS_TEST(in_order_nothing_survives_behind_what_was_lost),
        FS_TEST(torn_writes_are_torn_at_sectors),
        FS_TEST(whatever_survives_of_a_renaming_the_file_has_one_of_its_names),
        FS_TEST(bad_arguments_are_refused),
        FS_TEST(the_kit_takes_nothing_from_the_quota),
        FS_TEST(a_kit_without_memory_says_so_and_disturbs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
