/* What one thread sees of another: whole calls and whole steps. */
#define _POSIX_C_SOURCE 200809L

#include "team.h"

#include <stdio.h>

static int is_uniform(const char *bytes, size_t length)
{
    for (size_t i = 1; i < length; i++) {
        if (bytes[i] != bytes[0])
            return 0;
    }
    return 1;
}

/* ------------------------------------------------------ whole calls are seen */

static void *write_blocks(void *context)
{
    struct team *team = ((struct member *)context)->team;
    char block[BLOCK];
    memfs_file *file = NULL;
    int opened = memfs_open(team->fs, "/f", MEMFS_O_RDWR, 0, &file);
    meet(team);
    for (int i = 0; opened == 0 && i < ROUNDS; i++) {
        memset(block, 'a' + i % 26, sizeof block);
        team->wrong += memfs_pwrite(file, block, sizeof block, 100) != BLOCK;
    }
    team->done = 1;
    team->wrong += opened != 0 || memfs_close(file) != 0;
    return NULL;
}

static void *read_blocks(void *context)
{
    struct team *team = ((struct member *)context)->team;
    char block[BLOCK];
    memfs_file *file = NULL;
    int opened = memfs_open(team->fs, "/f", MEMFS_O_READ, 0, &file);
    meet(team);
    do {
        team->wrong += opened != 0 || memfs_pread(file, block, sizeof block, 100) != BLOCK ||
                       !is_uniform(block, sizeof block);
        team->looked++;
    } while (!team->done && opened == 0);
    team->wrong += opened == 0 && memfs_close(file) != 0;
    return NULL;
}

static void *copy_blocks(void *context)
{
    struct team *team = ((struct member *)context)->team;
    char block[BLOCK];
    meet(team);
    do {
        memfs_file *file = NULL;
        if (memfs_copy(team->fs, "/f", "/copy", 0) != 0 ||
            memfs_open(team->fs, "/copy", MEMFS_O_READ, 0, &file) != 0) {
            team->wrong++;
            break;
        }
        team->wrong += memfs_pread(file, block, sizeof block, 100) != BLOCK ||
                       !is_uniform(block, sizeof block);
        team->wrong += memfs_close(file) != 0;
        team->looked++;
    } while (!team->done);
    return NULL;
}

static void prepare_blocks(memfs *fs)
{
    char block[BLOCK];
    memset(block, 'z', sizeof block);
    memfs_file *file = create_file(fs, "/f");
    assert_returns(memfs_pwrite(file, block, sizeof block, 100), BLOCK);
    assert_ok(memfs_close(file));
}

static void reading_while_another_thread_writes_sees_whole_calls(void **state)
{
    struct team team = team_of(*state);
    void *(*const functions[])(void *) = {write_blocks, read_blocks, read_blocks};
    prepare_blocks(team.fs);
    run(&team, 3, functions);
    assert_int_equal(team.wrong, 0);
    assert_true(team.looked >= 2);
}

static void copying_while_another_thread_writes_copies_whole_calls(void **state)
{
    struct team team = team_of(*state);
    void *(*const functions[])(void *) = {write_blocks, copy_blocks};
    prepare_blocks(team.fs);
    run(&team, 2, functions);
    assert_int_equal(team.wrong, 0);
    assert_true(team.looked >= 1);
}

static void *append_records(void *context)
{
    struct member *member = context;
    struct team *team = member->team;
    char record[100];
    memfs_file *file = NULL;
    int opened = memfs_open(team->fs, "/log", MEMFS_O_APPEND, 0, &file);
    memset(record, 'a' + member->number, sizeof record);
    meet(team);
    for (int i = 0; opened == 0 && i < ROUNDS; i++)
        team->wrong += memfs_write(file, record, sizeof record) != sizeof record;
    team->wrong += opened != 0 || memfs_close(file) != 0;
    return NULL;
}

static void append_is_atomic_between_threads(void **state)
{
    struct team team = team_of(*state);
    void *(*const functions[])(void *) = {append_records, append_records, append_records,
                                          append_records};
    char record[100];
    int counts[PEERS] = {0};
    put(team.fs, "/log", "");
    run(&team, PEERS, functions);
    assert_int_equal(team.wrong, 0);
    memfs_file *file = open_file(team.fs, "/log", MEMFS_O_READ);
    assert_int_equal(fstat_of(file).size_bytes, PEERS * ROUNDS * 100);
    while (memfs_read(file, record, sizeof record) == sizeof record) {
        assert_true(is_uniform(record, sizeof record));
        counts[record[0] - 'a']++;
    }
    for (int i = 0; i < PEERS; i++)
        assert_int_equal(counts[i], ROUNDS);
    assert_ok(memfs_close(file));
}

static void *replace_whole(void *context)
{
    struct team *team = ((struct member *)context)->team;
    char block[BLOCK];
    meet(team);
    for (int i = 0; i < ROUNDS; i++) {
        memset(block, 'a' + i % 26, sizeof block);
        size_t size = i % 2 == 0 ? sizeof block : 200;
        team->wrong += memfs_write_file(team->fs, "/whole", block, size, 0644, 0) != 0;
    }
    team->done = 1;
    return NULL;
}

static void *read_whole(void *context)
{
    struct team *team = ((struct member *)context)->team;
    meet(team);
    do {
        void *data = NULL;
        size_t size = 0;
        team->wrong += memfs_read_file(team->fs, "/whole", 1 << 20, &data, &size) != 0 ||
                       (size != BLOCK && size != 200) || !is_uniform(data, size);
        team->wrong += memfs_free(team->fs, data) != 0;
        team->looked++;
    } while (!team->done);
    return NULL;
}

static void a_whole_file_is_replaced_in_one_step(void **state)
{
    struct team team = team_of(*state);
    void *(*const functions[])(void *) = {replace_whole, read_whole, read_whole};
    char first[200];
    memset(first, 'z', sizeof first);
    assert_ok(memfs_write_file(team.fs, "/whole", first, sizeof first, 0644, 0));
    run(&team, 3, functions);
    assert_int_equal(team.wrong, 0);
    assert_true(team.looked >= 2);
}

/* ------------------------------------------------------------------ names */

static void *read_shared_stream(void *context)
{
    struct team *team = ((struct member *)context)->team;
    memfs_dirent entry = {.struct_size = sizeof entry};
    int result;
    meet(team);
    while ((result = memfs_readdir(team->dir, &entry)) == 1)
        team->seen[atoi(entry.name)]++;
    team->wrong += result != 0;
    return NULL;
}

static void each_entry_of_a_shared_stream_goes_to_one_thread(void **state)
{
    struct fixture *f = *state;
    static struct team team;
    memset(&team, 0, sizeof team);
    team.f = f;
    team.fs = f->fs;
    void *(*const functions[])(void *) = {read_shared_stream, read_shared_stream};
    char path[16];
    for (int i = 0; i < 2000; i++) {
        snprintf(path, sizeof path, "/%d", i);
        put(f->fs, path, "");
    }
    team.dir = open_dir(f->fs, "/");
    run(&team, 2, functions);
    assert_int_equal(team.wrong, 0);
    for (int i = 0; i < 2000; i++)
        assert_int_equal(team.seen[i], 1);
    assert_ok(memfs_closedir(team.dir));
}

static void *replace_by_rename(void *context)
{
    struct team *team = ((struct member *)context)->team;
    meet(team);
    for (int i = 0; i < ROUNDS; i++) {
        team->wrong += memfs_write_file(team->fs, "/new", "text", 4, 0644, 0) != 0;
        team->wrong += memfs_rename(team->fs, "/new", "/target", 0) != 0;
        team->wrong += memfs_rename(team->fs, "/target", "/twin", MEMFS_RENAME_EXCHANGE) != 0;
    }
    team->done = 1;
    return NULL;
}

static void *look_for_target(void *context)
{
    struct team *team = ((struct member *)context)->team;
    meet(team);
    do {
        team->wrong += memfs_exists(team->fs, "/target") != 1;
        team->wrong += memfs_is_file(team->fs, "/twin") != 1;
        team->looked++;
    } while (!team->done);
    return NULL;
}

static void there_is_never_a_moment_at_which_the_target_of_a_rename_is_missing(void **state)
{
    struct team team = team_of(*state);
    void *(*const functions[])(void *) = {replace_by_rename, look_for_target, look_for_target};
    put(team.fs, "/target", "text");
    put(team.fs, "/twin", "text");
    run(&team, 3, functions);
    assert_int_equal(team.wrong, 0);
    assert_true(team.looked >= 2);
}

static void *rename_into_the_other(void *context)
{
    struct member *member = context;
    struct team *team = member->team;
    for (int i = 0; i < ROUNDS; i++) {
        meet(team);
        team->results[member->number] = member->number == 0
                                            ? memfs_rename(team->fs, "/a", "/b/a", 0)
                                            : memfs_rename(team->fs, "/b", "/a/b", 0);
        meet(team);
        if (member->number != 0)
            continue;
        int first = team->results[0], second = team->results[1];
        team->wrong += (first == 0) == (second == 0); /* just one of them */
        int refused = first == 0 ? second : first;
        team->wrong += refused != MEMFS_ENOENT && refused != MEMFS_EINVAL;
        team->wrong += first == 0 ? memfs_rename(team->fs, "/b/a", "/a", 0) != 0
                                  : memfs_rename(team->fs, "/a/b", "/b", 0) != 0;
    }
    return NULL;
}

static void two_directories_renamed_into_each_other_make_no_loop_and_no_deadlock(void **state)
{
    struct team team = team_of(*state);
    void *(*const functions[])(void *) = {rename_into_the_other, rename_into_the_other};
    assert_ok(memfs_mkdir(team.fs, "/a", 0755));
    assert_ok(memfs_mkdir(team.fs, "/b", 0755));
    run(&team, 2, functions);
    assert_int_equal(team.wrong, 0);
    assert_int_equal(stat_of(team.fs, "/").links, 4);
}

static void *build_trees(void *context)
{
    struct team *team = ((struct member *)context)->team;
    meet(team);
    for (int i = 0; i < ROUNDS; i++) {
        int result = memfs_mkdir_parents(team->fs, "/t/a/b/c", 0755);
        team->wrong += result != 0 && result != MEMFS_ENOENT;
        result = memfs_write_file(team->fs, "/t/a/b/f", "x", 1, 0644, 0);
        team->wrong += result != 0 && result != MEMFS_ENOENT;
    }
    team->done = 1;
    return NULL;
}

static void *remove_trees(void *context)
{
    struct team *team = ((struct member *)context)->team;
    meet(team);
    do {
        int result = memfs_remove_tree(team->fs, "/t");
        team->wrong += result != 0 && result != MEMFS_ENOENT;
        team->looked += result == 0;
    } while (!team->done);
    return NULL;
}

static void trees_are_built_and_removed_at_once_and_nothing_stays_behind(void **state)
{
    struct team team = team_of(*state);
    void *(*const functions[])(void *) = {build_trees, build_trees, remove_trees};
    run(&team, 3, functions);
    assert_int_equal(team.wrong, 0);
    int result = memfs_remove_tree(team.fs, "/t");
    assert_true(result == 0 || result == MEMFS_ENOENT);
    assert_int_equal(statfs_of(team.fs).directories, 1);
    assert_int_equal(statfs_of(team.fs).files, 0);
}

/* ------------------------------------------------------------------ limits */

static void *fill_and_empty(void *context)
{
    struct member *member = context;
    struct team *team = member->team;
    static const char text[30000];
    char path[16];
    meet(team);
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(path, sizeof path, "/%d-%d", member->number, i % 20);
        int result = memfs_write_file(team->fs, path, text, sizeof text, 0644, 0);
        team->wrong += result != 0 && result != MEMFS_EDQUOT;
        team->looked += result == MEMFS_EDQUOT;
        if (i % 3 == 0) {
            result = memfs_unlink(team->fs, path);
            team->wrong += result != 0 && result != MEMFS_ENOENT;
        }
    }
    return NULL;
}

static void many_threads_at_the_quota_never_exceed_it(void **state)
{
    struct team team = team_of(*state);
    void *(*const functions[])(void *) = {fill_and_empty, fill_and_empty, fill_and_empty,
                                          fill_and_empty};
    fixture_set_quota(team.f, 1 << 20); /* the allocator aborts above it */
    run(&team, PEERS, functions);
    assert_int_equal(team.wrong, 0);
    assert_true(team.looked > 0);
    assert_ok(memfs_audit(team.fs));
    fixture_set_quota(team.f, 16 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(reading_while_another_thread_writes_sees_whole_calls),
        FS_TEST(copying_while_another_thread_writes_copies_whole_calls),
        FS_TEST(append_is_atomic_between_threads),
        FS_TEST(a_whole_file_is_replaced_in_one_step),
        FS_TEST(each_entry_of_a_shared_stream_goes_to_one_thread),
        FS_TEST(there_is_never_a_moment_at_which_the_target_of_a_rename_is_missing),
        FS_TEST(two_directories_renamed_into_each_other_make_no_loop_and_no_deadlock),
        FS_TEST(trees_are_built_and_removed_at_once_and_nothing_stays_behind),
        FS_TEST(many_threads_at_the_quota_never_exceed_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
