/* Several handles on one file: lines that are appended stay whole. */
#include "team.h"
#include "texts.h"

enum { LINES = 200 };

static const char *encoding_of_all;

static void *append_lines(void *context)
{
    struct member *member = context;
    memfs_text *text = NULL;
    int error = memfs_text_open(member->team->fs, "/log", "a", WITH(.encoding = encoding_of_all),
                                &text);
    meet(member->team);
    for (int i = 0; error == 0 && i < LINES; i++) {
        char line[64];
        int length = snprintf(line, sizeof line, "%d漢字%03dкирилл%d\n", member->number, i,
                              member->number);
        if (memfs_text_write(text, line, (size_t)length) != length)
            member->team->wrong++;
    }
    if (error != 0 || memfs_text_close(text) != 0)
        member->team->wrong++;
    return NULL;
}

static void check_log(memfs *fs)
{
    int next[PEERS] = {0};
    memfs_text *text = open_text(fs, "/log", "r", WITH(.encoding = encoding_of_all));
    for (int i = 0; i < PEERS * LINES; i++) {
        const char *line;
        size_t length;
        int number, count, again;
        assert_returns(memfs_text_read_line(text, &line, &length), 1);
        assert_int_equal(sscanf(line, "%d漢字%dкирилл%d", &number, &count, &again), 3);
        assert_in_range(number, 0, PEERS - 1);
        assert_int_equal(number, again);
        assert_int_equal(count, next[number]++);
    }
    assert_returns(next_line(text), 0);
    assert_ok(memfs_text_close(text));
}

static void handles_that_append_do_not_tear_each_others_lines(void **state)
{
    struct fixture *f = *state;
    static const char *const encodings[] = {"UTF-8", "ISO-2022-JP", "SHIFT_JIS", "UTF-7"};
    void *(*functions[PEERS])(void *) = {append_lines, append_lines, append_lines, append_lines};
    for (size_t i = 0; i < COUNT_OF(encodings); i++) {
        if (!memfs_text_has_encoding(encodings[i]))
            continue;
        struct team team = team_of(f);
        encoding_of_all = encodings[i];
        run(&team, PEERS, functions);
        assert_int_equal(team.wrong, 0);
        check_log(f->fs);
        assert_ok(memfs_unlink(f->fs, "/log"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(handles_that_append_do_not_tear_each_others_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
