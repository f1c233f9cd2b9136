/* Several threads on one stream, and several streams on one file. */
#include "streams.h"
#include "team.h"

enum { LINES = 200 };

static FILE *shared;

static void *print_on_shared(void *context)
{
    struct member *member = context;
    meet(member->team);
    for (int i = 0; i < LINES; i++)
        if (fprintf(shared, "%d:%03d:%d\n", member->number, i, member->number) != 8)
            member->team->wrong++;
    return NULL;
}

static void *append_by_own_stream(void *context)
{
    struct member *member = context;
    FILE *stream = memfs_fopen(member->team->fs, "/log", "a");
    meet(member->team);
    for (int i = 0; stream != NULL && i < LINES; i++)
        if (fprintf(stream, "%d:%03d:%d\n", member->number, i, member->number) != 8)
            member->team->wrong++;
    if (stream == NULL || fclose(stream) != 0)
        member->team->wrong++;
    return NULL;
}

/* Every line is whole, and each thread's are in order. */
static void check_lines(memfs *fs)
{
    int next[PEERS] = {0}, number, line, again;
    FILE *stream = open_stream(fs, "/log", "r");
    for (int i = 0; i < PEERS * LINES; i++) {
        assert_int_equal(fscanf(stream, "%1d:%3d:%1d\n", &number, &line, &again), 3);
        assert_in_range(number, 0, PEERS - 1);
        assert_int_equal(number, again);
        assert_int_equal(line, next[number]++);
    }
    assert_int_equal(fgetc(stream), EOF);
    close_stream(stream);
}

static void threads_print_whole_lines_on_one_stream(void **state)
{
    struct fixture *f = *state;
    void *(*functions[PEERS])(void *) = {print_on_shared, print_on_shared, print_on_shared,
                                         print_on_shared};
    struct team team = team_of(f);
    shared = open_stream(f->fs, "/log", "w");
    run(&team, PEERS, functions);
    close_stream(shared);
    assert_int_equal(team.wrong, 0);
    check_lines(f->fs);
}

static void streams_that_append_do_not_tear_each_others_lines(void **state)
{
    struct fixture *f = *state;
    void *(*functions[PEERS])(void *) = {append_by_own_stream, append_by_own_stream,
                                         append_by_own_stream, append_by_own_stream};
    struct team team = team_of(f);
    run(&team, PEERS, functions);
    assert_int_equal(team.wrong, 0);
    check_lines(f->fs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(threads_print_whole_lines_on_one_stream),
        FS_TEST(streams_that_append_do_not_tear_each_others_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
