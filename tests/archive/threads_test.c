/* Loads and saves at once on one file system. */
#include "archives.h"

#include "team.h"

enum { TURNS = 20 };

static void *work_on_own_tree(void *argument)
{
    struct member *member = argument;
    struct team *team = member->team;
    struct bytes bytes = {NULL, 0, 0};
    char path[32];
    snprintf(path, sizeof path, "/out-%d", member->number);
    memfs_archive_options options = options_of(member->number % 2 != 0 ? MEMFS_ARCHIVE_AT_ONCE : 0);
    bytes_add(&bytes, "", 1);
    bytes.size = 1 << 18;
    bytes.data = realloc(bytes.data, bytes.size);
    meet(team);
    for (int turn = 0; turn < TURNS; turn++) {
        memfs_archive_where place = in_buffer(&bytes);
        memfs_archive_result result = {.struct_size = sizeof result};
        int error = memfs_archive_save(team->fs, "/in", &place, &options, &result);
        place.buffer_bytes = (size_t)result.archive_bytes;
        if (error == 0)
            error = memfs_archive_load(team->fs, &place, path, NULL, &result);
        team->wrong += error != 0 || result.files != 7;
        team->wrong += error == 0 && memfs_remove_tree(team->fs, path) != 0;
        team->looked++;
    }
    bytes_free(&bytes);
    return NULL;
}

static void loads_and_saves_at_once_do_not_meet(void **state)
{
    struct fixture *f = *state;
    struct team team = team_of(f);
    make_sample(f->fs, "/in");
    run(&team, 4,
        (void *(*const[])(void *)){work_on_own_tree, work_on_own_tree, work_on_own_tree,
                                   work_on_own_tree});
    assert_int_equal(team.wrong, 0);
    assert_int_equal(team.looked, 4 * TURNS);
    assert_only(f->fs, "in ");
}

static void *load_one_path(void *argument)
{
    struct member *member = argument;
    struct team *team = member->team;
    memfs_archive_where from = in_tree("/x.tar");
    meet(team);
    team->results[member->number] = memfs_archive_load(team->fs, &from, "/out", NULL, NULL);
    return NULL;
}

static void of_two_loads_to_one_path_one_is_refused_and_one_whole(void **state)
{
    struct fixture *f = *state;
    struct team team = team_of(f);
    memfs_archive_where to = in_tree("/x.tar");
    make_sample(f->fs, "/in");
    assert_ok(save(f->fs, "/in", &to, NULL, NULL));
    for (int turn = 0; turn < TURNS; turn++) {
        run(&team, 2, (void *(*const[])(void *)){load_one_path, load_one_path});
        assert_int_equal(team.results[0] + team.results[1], MEMFS_EEXIST);
        assert_same_trees(f->fs, "/in", f->fs, "/out", 0);
        assert_ok(memfs_remove_tree(f->fs, "/out"));
        assert_only(f->fs, "in x.tar ");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(loads_and_saves_at_once_do_not_meet),
        FS_TEST(of_two_loads_to_one_path_one_is_refused_and_one_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
