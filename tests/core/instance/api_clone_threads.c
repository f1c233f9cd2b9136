/* Tests in parallel: each thread on clones of its own, while the original is being changed. */
#define _POSIX_C_SOURCE 200809L

#include "team.h"

enum { CLONES = 60, FILES = 20 };

static void note(struct team *team, int is_right)
{
    if (!is_right)
        team->wrong++;
}

/* A clone has the pair of files that the original has in one step, in the same state. */
static void *use_clones(void *context)
{
    struct member *member = context;
    struct team *team = member->team;
    char path[16], bytes[BLOCK];
    meet(team);
    for (int i = 0; i < CLONES; i++) {
        memfs *clone = NULL;
        note(team, memfs_clone_instance(team->fs, &clone) == 0);
        if (clone == NULL)
            break;
        memfs_stat_info left = {.struct_size = sizeof left}, right = left;
        note(team, memfs_stat(clone, "/left", &left) == 0);
        note(team, memfs_stat(clone, "/right", &right) == 0);
        note(team, right.size_bytes <= left.size_bytes && left.size_bytes <= right.size_bytes + 1);
        memset(bytes, member->number, sizeof bytes);
        for (int file = 0; file < FILES; file++) {
            snprintf(path, sizeof path, "/f%d", file);
            note(team, memfs_write_file(clone, path, bytes, sizeof bytes, 0644, 0) == 0);
        }
        note(team, memfs_snapshot_take(clone, "s") == 0);
        note(team, memfs_remove_tree(clone, "/shared") == 0);
        note(team, memfs_snapshot_restore(clone, "s") == 0);
        note(team, memfs_is_dir(clone, "/shared/below"));
        note(team, memfs_destroy(clone, 0) == 0);
        team->looked++;
    }
    team->done++;
    return NULL;
}

/* Appends to the one file, then to the other: a clone never has the second without the first. */
static void *change_original(void *context)
{
    struct member *member = context;
    struct team *team = member->team;
    meet(team);
    while (team->done < PEERS) {
        note(team, memfs_append_file(team->fs, "/left", "x", 1, 0644, 0) == 0);
        note(team, memfs_append_file(team->fs, "/right", "x", 1, 0644, 0) == 0);
    }
    return NULL;
}

static void clones_in_many_threads_do_not_meet(void **state)
{
    struct fixture *f = *state;
    struct team team = team_of(f);
    put(f->fs, "/left", "");
    put(f->fs, "/right", "");
    assert_ok(memfs_mkdir_parents(f->fs, "/shared/below", 0755));
    put_pattern(f->fs, "/shared/file", 50000, 1);
    run(&team, PEERS + 1,
        (void *(*const[])(void *)){change_original, use_clones, use_clones, use_clones,
                                   use_clones});
    assert_int_equal(team.wrong, 0);
    assert_int_equal(team.looked, PEERS * CLONES);
    assert_int_equal(statfs_of(f->fs).files, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(clones_in_many_threads_do_not_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
