/* The fault kit while several threads work. */
#define _POSIX_C_SOURCE 200809L
#include "crashes.h"

#include "team.h"

/* Each thread saves its own file over and over, as the documentation of the kit does. */
static void *save_own_file(void *argument)
{
    struct member *me = argument;
    memfs *fs = me->team->fs;
    char path[32], new_path[32], text[32];
    snprintf(path, sizeof path, "/%d", me->number);
    snprintf(new_path, sizeof new_path, "/%d.new", me->number);
    meet(me->team);
    for (int round = 1; round <= ROUNDS; round++) {
        memfs_file *file;
        snprintf(text, sizeof text, "%d", round);
        if (memfs_open(fs, new_path, MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_TRUNCATE, 0644,
                       &file) != 0 ||
            memfs_write(file, text, strlen(text)) < 0 || memfs_fsync(file) != 0 ||
            memfs_close(file) != 0 || memfs_rename(fs, new_path, path, 0) != 0 ||
            memfs_sync(fs, "/") != 0)
            me->team->wrong++;
        me->team->seen[me->number] = round; /* durable from now on */
    }
    me->team->done++;
    return NULL;
}

static int round_of(memfs *fs, int number)
{
    char path[32], text[32] = "";
    snprintf(path, sizeof path, "/%d", number);
    return memfs_read_file_into(fs, path, text, sizeof text - 1) < 0 ? 0 : atoi(text);
}

/* What was durable before the cut is there after it. */
static void *cut_the_power(void *argument)
{
    struct member *me = argument;
    struct team *team = me->team;
    meet(team);
    for (uint64_t seed = 0; team->done < 2 || seed < 20; seed++) {
        const memfs_crash_options how = {sizeof how, MEMFS_CRASH_TORN, (uint32_t)(seed % 3) * 50,
                                         seed};
        const int before[] = {team->seen[0], team->seen[1]};
        memfs *after;
        if (memfs_crash(team->fs, &how, &after) != 0) {
            team->wrong++;
            break;
        }
        for (int i = 0; i < 2; i++)
            team->wrong += round_of(after, i) < before[i];
        team->wrong += memfs_audit(after) != 0 || memfs_destroy(after, 0) != 0;
        team->looked++;
    }
    return NULL;
}

static void what_threads_have_synced_is_in_every_power_cut(void **state)
{
    struct fixture *f = *state;
    struct team team = team_of(f);
    start(f->fs, NULL);
    sync_path(f->fs, "/");
    run(&team, 3, (void *(*const[])(void *)){save_own_file, save_own_file, cut_the_power});
    assert_int_equal(team.wrong, 0);
    assert_true(team.looked >= 20);
    assert_returns(memfs_unsynced(f->fs, NULL, NULL, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(what_threads_have_synced_is_in_every_power_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
