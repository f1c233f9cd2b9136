/* The child of a fork() beside threads that are busy in memfs: it gets errors, and never waits. */
#define _POSIX_C_SOURCE 200809L

#include "team.h"

#include <memfs/storage.h>

#include <sys/wait.h>
#include <unistd.h>

enum { FORKS = 100, CHILD_SECONDS = 30, ARENA_BYTES = 1 << 20 };

/* What a child found wrong first, as its exit code. */
#define CHILD_EXPECTS(condition) \
    do { \
        if (!(condition)) \
            _exit(__LINE__ % 250 + 1); \
    } while (0)

/* In an arena, so that a build for arenas only can do it too. */
static int create_in(unsigned char *arena, uint32_t flags, memfs **out)
{
    memfs_config config = memfs_config_default();
    config.flags = flags;
    config.arena = arena;
    config.arena_bytes = ARENA_BYTES;
    return memfs_create(&config, out);
}

static unsigned char own_arena[ARENA_BYTES], arena_of_child[ARENA_BYTES];

/* The exit code of a child that runs `work`; 255 if a signal ended it. */
static int exit_code_of_child(void (*work)(struct team *team), struct team *team)
{
    pid_t child = fork();
    if (child == 0) {
        alarm(CHILD_SECONDS);
        work(team);
        _exit(0);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 254;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void *write_name_and_copy(void *context)
{
    struct member *member = context;
    struct team *team = member->team;
    static const char block[BLOCK];
    char path[16];
    snprintf(path, sizeof path, "/%d", member->number);
    meet(team);
    while (!team->done) {
        memfs_file *file;
        if (memfs_open(team->fs, path, MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file) != 0) {
            team->wrong++;
            continue;
        }
        team->wrong += memfs_pwrite(file, block, sizeof block, 100) != (int64_t)sizeof block;
        team->wrong += memfs_close(file) != 0;
        team->wrong += memfs_copy(team->fs, path, "/copy", 0) != 0;
        team->wrong += memfs_truncate(team->fs, path, 0) != 0;
    }
    return NULL;
}

static void use_what_is_inherited(struct team *team)
{
    memfs *fs = team->fs;
    char byte = 0;
    memfs_file *file = team->files[0];
    memfs_stat_info info = {.struct_size = sizeof info};
    memfs_statfs_info figures = {.struct_size = sizeof figures};
    memfs_content_ref content;
    memfs_dir *dir;
    CHILD_EXPECTS(memfs_pread(file, &byte, 1, 0) == MEMFS_EBADF);
    CHILD_EXPECTS(memfs_pwrite(file, &byte, 1, 0) == MEMFS_EBADF);
    CHILD_EXPECTS(memfs_ftruncate(file, 0) == MEMFS_EBADF);
    CHILD_EXPECTS(memfs_fstat(file, &info) == MEMFS_EBADF);
    CHILD_EXPECTS(memfs_lock(file, MEMFS_LOCK_SHARED, -1) == MEMFS_EBADF);
    CHILD_EXPECTS(memfs_content_take(file, &content) == MEMFS_EBADF);
    CHILD_EXPECTS(memfs_file_instance(file) == NULL);
    CHILD_EXPECTS(memfs_close(file) == MEMFS_EBADF);
    CHILD_EXPECTS(memfs_closedir(team->dir) == MEMFS_EBADF);
    CHILD_EXPECTS(memfs_open(fs, "/0", MEMFS_O_READ, 0, &file) == MEMFS_EINVAL);
    CHILD_EXPECTS(memfs_opendir(fs, "/", &dir) == MEMFS_EINVAL);
    CHILD_EXPECTS(memfs_mkdir(fs, "/d", 0755) == MEMFS_EINVAL);
    CHILD_EXPECTS(memfs_statfs(fs, &figures) == MEMFS_EINVAL);
    CHILD_EXPECTS(memfs_snapshot_take(fs, "s") == MEMFS_EINVAL);
    CHILD_EXPECTS(memfs_set_quota(fs, 0) == MEMFS_EINVAL);
    CHILD_EXPECTS(memfs_audit(fs) == MEMFS_EINVAL);
    CHILD_EXPECTS(memfs_destroy(fs, MEMFS_DESTROY_FORCE) == MEMFS_EINVAL);
}

static void use_an_instance_of_its_own(struct team *team)
{
    memfs *fs;
    (void)team;
    CHILD_EXPECTS(create_in(own_arena, 0, &fs) == 0);
    CHILD_EXPECTS(memfs_write_file(fs, "/f", "own", 3, 0644, 0) == 0);
    CHILD_EXPECTS(memfs_copy(fs, "/f", "/g", 0) == 0);
    CHILD_EXPECTS(memfs_audit(fs) == 0);
    CHILD_EXPECTS(memfs_destroy(fs, 0) == 0);
}

static void *fork_again_and_again(void *context)
{
    struct team *team = ((struct member *)context)->team;
    meet(team);
    for (int i = 0; i < FORKS; i++) {
        team->results[0] |= exit_code_of_child(use_what_is_inherited, team);
        team->results[1] |= exit_code_of_child(use_an_instance_of_its_own, team);
    }
    team->done = 1;
    return NULL;
}

static void a_child_gets_errors_from_what_it_inherits_and_can_make_its_own(void **state)
{
    struct team team = team_of(*state);
    void *(*const functions[])(void *) = {fork_again_and_again, write_name_and_copy,
                                          write_name_and_copy, write_name_and_copy};
    put(team.fs, "/open", "x");
    team.files[0] = open_file(team.fs, "/open", MEMFS_O_RDWR);
    assert_ok(memfs_opendir(team.fs, "/", &team.dir));
    run(&team, 4, functions);
    assert_int_equal(team.results[0], 0);
    assert_int_equal(team.results[1], 0);
    assert_int_equal(team.wrong, 0);
    assert_ok(memfs_closedir(team.dir));
    assert_ok(memfs_close(team.files[0]));
    assert_ok(memfs_audit(team.fs));
}

static void change_a_copy(struct team *team)
{
    CHILD_EXPECTS(memfs_pwrite(team->files[0], "child", 5, 0) == 5);
    CHILD_EXPECTS(memfs_mkdir(team->fs, "/of the child", 0755) == 0);
    CHILD_EXPECTS(memfs_close(team->files[0]) == 0);
    CHILD_EXPECTS(memfs_audit(team->fs) == 0);
    CHILD_EXPECTS(memfs_destroy(team->fs, 0) == 0);
}

static void an_instance_for_one_thread_at_a_time_is_copied(void **state)
{
    (void)state;
    struct team team = {0};
    memfs_stat_info info = {.struct_size = sizeof info};
    assert_ok(create_in(own_arena, MEMFS_CREATE_SINGLE_THREADED, &team.fs));
    put(team.fs, "/f", "before");
    team.files[0] = open_file(team.fs, "/f", MEMFS_O_RDWR);
    assert_int_equal(exit_code_of_child(change_a_copy, &team), 0);
    assert_text(team.fs, "/f", "before");
    assert_returns(memfs_stat(team.fs, "/of the child", &info), MEMFS_ENOENT);
    assert_ok(memfs_close(team.files[0]));
    assert_ok(memfs_destroy(team.fs, 0));
}

static void fork_a_grandchild(struct team *team)
{
    memfs *own;
    CHILD_EXPECTS(create_in(arena_of_child, 0, &own) == 0);
    struct team inner = {.fs = own};
    CHILD_EXPECTS(exit_code_of_child(use_an_instance_of_its_own, &inner) == 0);
    pid_t grandchild = fork();
    if (grandchild == 0)
        _exit(memfs_mkdir(own, "/d", 0755) == MEMFS_EINVAL &&
                      memfs_mkdir(team->fs, "/d", 0755) == MEMFS_EINVAL
                  ? 0
                  : 1);
    int status = 1;
    CHILD_EXPECTS(waitpid(grandchild, &status, 0) == grandchild && status == 0);
    CHILD_EXPECTS(memfs_destroy(own, 0) == 0);
}

static void a_grandchild_is_a_child_of_both(void **state)
{
    struct team team = team_of(*state);
    assert_int_equal(exit_code_of_child(fork_a_grandchild, &team), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_child_gets_errors_from_what_it_inherits_and_can_make_its_own),
        FS_TEST(an_instance_for_one_thread_at_a_time_is_copied),
        FS_TEST(a_grandchild_is_a_child_of_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
