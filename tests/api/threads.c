/*
 * What one thread sees of another: whole calls, whole steps, waits that end.
 * Threads meet at barriers; nothing sleeps.  A thread counts what it sees wrong,
 * and the test looks at the count when all are done.
 */
#define _POSIX_C_SOURCE 200809L

#include "checks.h"

#include <pthread.h>
#include <stdio.h>

enum { PEERS = 4, ROUNDS = 300, BLOCK = 12000 };

struct team {
    struct fixture *f;
    memfs *fs;
    pthread_barrier_t barrier;
    _Atomic int done;   /* set by the one who has an end */
    _Atomic int wrong;  /* what was seen that must not be */
    _Atomic int looked; /* how often it was looked */
    _Atomic int flag;
    memfs_dir *dir;
    memfs_file *files[2];
    int results[2];
    _Atomic int seen[2000];
};

struct member {
    struct team *team;
    int number;
};

/* Runs one function per thread, all at once, and waits for all. */
static void run(struct team *team, int count, void *(*const functions[])(void *))
{
    pthread_t threads[8];
    struct member members[8];
    assert_true(count <= 8);
    assert_int_equal(pthread_barrier_init(&team->barrier, NULL, (unsigned)count), 0);
    for (int i = 0; i < count; i++) {
        members[i] = (struct member){team, i};
        assert_int_equal(pthread_create(&threads[i], NULL, functions[i], &members[i]), 0);
    }
    for (int i = 0; i < count; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    pthread_barrier_destroy(&team->barrier);
}

static void meet(struct team *team)
{
    pthread_barrier_wait(&team->barrier);
}

static struct team team_of(struct fixture *f)
{
    return (struct team){.f = f, .fs = f->fs};
}

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
    assert_int_equal(fstat_of(file).size, PEERS * ROUNDS * 100);
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
        team->wrong += memfs_write_file(team->fs, "/whole", block, size, 0644) != 0;
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
    assert_ok(memfs_write_file(team.fs, "/whole", first, sizeof first, 0644));
    run(&team, 3, functions);
    assert_int_equal(team.wrong, 0);
    assert_true(team.looked >= 2);
}

/* ------------------------------------------------------------------ names */

static void *read_shared_stream(void *context)
{
    struct team *team = ((struct member *)context)->team;
    memfs_dirent entry;
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
        team->wrong += memfs_write_file(team->fs, "/new", "text", 4, 0644) != 0;
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
        result = memfs_write_file(team->fs, "/t/a/b/f", "x", 1, 0644);
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
        int result = memfs_write_file(team->fs, path, text, sizeof text, 0644);
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

/* ------------------------------------------------------------------- locks */

static void *hold_then_unlock(void *context)
{
    struct team *team = ((struct member *)context)->team;
    team->wrong += memfs_lock(team->files[0], MEMFS_LOCK_EXCLUSIVE, 0) != 0;
    meet(team);
    team->flag = 1;
    team->wrong += memfs_unlock(team->files[0]) != 0;
    return NULL;
}

static void *wait_for_lock(void *context)
{
    struct team *team = ((struct member *)context)->team;
    meet(team);
    team->wrong += memfs_lock(team->files[1], MEMFS_LOCK_EXCLUSIVE, -1) != 0;
    team->wrong += team->flag != 1;
    return NULL;
}

static void a_waiter_gets_the_lock_when_it_is_given_back(void **state)
{
    struct fixture *f = *state;
    void *(*const functions[])(void *) = {hold_then_unlock, wait_for_lock};
    put(f->fs, "/f", "x");
    for (int i = 0; i < ROUNDS / 3; i++) {
        struct team team = team_of(f);
        team.files[0] = open_file(f->fs, "/f", MEMFS_O_RDWR);
        team.files[1] = open_file(f->fs, "/f", MEMFS_O_RDWR);
        run(&team, 2, functions);
        assert_int_equal(team.wrong, 0);
        assert_ok(memfs_close(team.files[0]));
        assert_ok(memfs_close(team.files[1]));
    }
}

static void *open_then_close(void *context)
{
    struct team *team = ((struct member *)context)->team;
    memfs_open_options options = {.struct_size = sizeof options,
                                  .flags = MEMFS_O_RDWR | MEMFS_O_EXCLUSIVE_LOCK,
                                  .lock_timeout_ms = -1};
    for (int i = 0; i < ROUNDS; i++) {
        memfs_file *file = NULL;
        if (i == 0)
            meet(team);
        if (memfs_open_with(team->fs, "/f", &options, &file) != 0) {
            team->wrong++;
            continue;
        }
        team->wrong += team->flag++ != 0; /* alone */
        team->flag--;
        team->wrong += memfs_close(file) != 0;
    }
    return NULL;
}

static void locks_taken_at_open_with_a_timeout_exclude_each_other(void **state)
{
    struct team team = team_of(*state);
    void *(*const functions[])(void *) = {open_then_close, open_then_close, open_then_close};
    put(team.fs, "/f", "x");
    run(&team, 3, functions);
    assert_int_equal(team.wrong, 0);
}

static void *upgrade(void *context)
{
    struct member *member = context;
    struct team *team = member->team;
    memfs_file *file = team->files[member->number];
    team->wrong += memfs_lock(file, MEMFS_LOCK_SHARED, 0) != 0;
    meet(team);
    int result = memfs_lock(file, MEMFS_LOCK_EXCLUSIVE, -1);
    team->results[member->number] = result;
    team->wrong += memfs_unlock(file) != 0;
    return NULL;
}

static void of_two_who_wait_to_upgrade_one_is_told_of_the_deadlock(void **state)
{
    struct fixture *f = *state;
    void *(*const functions[])(void *) = {upgrade, upgrade};
    put(f->fs, "/f", "x");
    int deadlocks = 0;
    for (int i = 0; i < ROUNDS / 3; i++) {
        struct team team = team_of(f);
        team.files[0] = open_file(f->fs, "/f", MEMFS_O_RDWR);
        team.files[1] = open_file(f->fs, "/f", MEMFS_O_RDWR);
        run(&team, 2, functions);
        assert_int_equal(team.wrong, 0);
        assert_true(team.results[0] == 0 || team.results[1] == 0);
        int other = team.results[0] == 0 ? team.results[1] : team.results[0];
        assert_true(other == MEMFS_EDEADLK);
        deadlocks++;
        assert_ok(memfs_close(team.files[0]));
        assert_ok(memfs_close(team.files[1]));
    }
    assert_int_equal(deadlocks, ROUNDS / 3);
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
        FS_TEST(a_waiter_gets_the_lock_when_it_is_given_back),
        FS_TEST(locks_taken_at_open_with_a_timeout_exclude_each_other),
        FS_TEST(of_two_who_wait_to_upgrade_one_is_told_of_the_deadlock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
