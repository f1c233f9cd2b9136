/* The quota speaks at the write, and nothing is half done, whatever refuses and where. */
#include "texts.h"

static const char *const encodings[] = {"UTF-8",       "UTF-8-SIG", "UTF-16",
                                        "ISO-2022-JP", "SHIFT_JIS", "UTF-7"};

/* A text of about `bytes` bytes that needs shifts. */
static char *make_sample(size_t bytes)
{
    char *sample = malloc(bytes + 16);
    size_t used = 0;
    assert_non_null(sample);
    while (used < bytes) {
        memcpy(sample + used, "ab漢字\n", 9);
        used += 9;
    }
    sample[used] = '\0';
    return sample;
}

/* ------------------------------------------------------------------ one action */

struct action {
    const char *encoding;
    const char *sample;
    memfs_text *text; /* open for both, or null */
    memfs *fs;
};

static int act_open(struct action *a)
{
    memfs_text *text = NULL;
    int error = memfs_text_open(a->fs, "/new", "wx", WITH(.encoding = a->encoding), &text);
    if (error == 0)
        assert_ok(memfs_text_close(text));
    else
        assert_null(text);
    return error;
}

static int act_reopen(struct action *a)
{
    memfs_text *text = NULL;
    int error = memfs_text_open(a->fs, "/there", "w", WITH(.encoding = a->encoding), &text);
    return error == 0 ? memfs_text_close(text) : error;
}

static int act_wrap(struct action *a)
{
    memfs_text *text = NULL;
    memfs_file *file = memfs_text_file(a->text);
    int error = memfs_text_wrap(file, WITH(.encoding = a->encoding, .flags = MEMFS_TEXT_KEEP_FILE),
                                &text);
    return error == 0 ? memfs_text_close(text) : error;
}

static int act_write(struct action *a)
{
    int64_t result = memfs_text_write(a->text, a->sample, strlen(a->sample));
    return result < 0 ? (int)result : 0;
}

static int act_read_line(struct action *a)
{
    const char *line;
    size_t length;
    int result = memfs_text_read_line(a->text, &line, &length);
    return result < 0 ? result : 0;
}

static const struct {
    int (*act)(struct action *a);
    size_t sample_bytes;
    int has_text;
} kinds[] = {{act_open, 9, 0},     {act_reopen, 9, 0},    {act_wrap, 9, 1},     {act_write, 40, 1},
             {act_write, 3000, 1}, {act_write, 20000, 1}, {act_read_line, 9, 1}};

static void start_action(struct fixture *f, struct action *a, size_t kind)
{
    (void)memfs_unlink(f->fs, "/new");
    put(f->fs, "/there", "something");
    memfs_text *text = open_text(f->fs, "/text", "w+", WITH(.encoding = a->encoding));
    char *line = make_sample(5000); /* a line that needs memory */
    for (char *at = line; (at = strchr(at, '\n')) != NULL;)
        *at = '-';
    assert_written(text, line);
    assert_written(text, "\n");
    free(line);
    assert_ok(memfs_text_seek(text, NULL));
    assert_returns(memfs_text_skip_line(text), 1); /* reading sets the time of access now */
    assert_ok(memfs_text_seek(text, NULL));
    if (kinds[kind].act == act_write)
        assert_ok(memfs_text_seek_end(text));
    a->text = text;
    if (!kinds[kind].has_text) {
        assert_ok(memfs_text_close(text));
        a->text = NULL;
    }
}

struct moment {
    memfs_text_position place;
    uint64_t used;
    char *tree;
};

static struct moment note_moment(struct fixture *f, const struct action *a)
{
    struct moment moment = {.tree = fixture_describe(f->fs)};
    if (a->text != NULL)
        assert_ok(memfs_text_tell(a->text, &moment.place));
    moment.used = used_bytes(f->fs);
    return moment;
}

static void check_moment(struct fixture *f, const struct action *a, struct moment *moment)
{
    struct moment now = note_moment(f, a);
    assert_int_equal(now.used, moment->used);
    assert_memory_equal(&now.place, &moment->place, sizeof now.place);
    assert_string_equal(now.tree, moment->tree);
    free(now.tree);
}

/* Ends an action that has succeeded at last: the text can be read as it should be. */
static void end_action(struct fixture *f, struct action *a, size_t kind)
{
    static char back[40000];
    if (a->text == NULL)
        return;
    if (kinds[kind].act == act_write) {
        assert_ok(memfs_text_seek(a->text, NULL));
        assert_returns(memfs_text_skip_line(a->text), 1);
        size_t length = strlen(a->sample);
        assert_returns(memfs_text_read(a->text, SIZE_MAX, back, sizeof back), length);
        assert_memory_equal(back, a->sample, length);
    }
    assert_ok(memfs_text_close(a->text));
    assert_ok(memfs_audit(f->fs));
}

/* ------------------------------------------------------------------- the sweeps */

static void sweep_takes(struct fixture *f, struct action *a, size_t kind)
{
    int error = MEMFS_ENOMEM;
    for (uint64_t number = 1; error != 0; number++) {
        start_action(f, a, kind);
        struct moment before = note_moment(f, a);
        tracking_refuse(&f->allocator, number, number % 2 != 0);
        error = kinds[kind].act(a);
        tracking_refuse(&f->allocator, 0, 0);
        if (error != 0) {
            assert_returns(error, MEMFS_ENOMEM);
            check_moment(f, a, &before);
            if (a->text != NULL)
                assert_ok(memfs_text_close(a->text));
        }
        free(before.tree);
        assert_true(number < 500);
    }
    end_action(f, a, kind);
}

static void sweep_room(struct fixture *f, struct action *a, size_t kind)
{
    int error = MEMFS_EDQUOT;
    uint64_t step = kinds[kind].sample_bytes > 1000 ? 1024 : 128;
    for (uint64_t room = 0; error != 0; room += step) {
        start_action(f, a, kind);
        struct moment before = note_moment(f, a);
        fixture_leave(f, room);
        error = kinds[kind].act(a);
        fixture_set_quota(f, 16 << 20);
        if (error != 0) {
            assert_returns(error, MEMFS_EDQUOT);
            check_moment(f, a, &before);
            if (a->text != NULL)
                assert_ok(memfs_text_close(a->text));
        }
        free(before.tree);
        assert_true(room < 1 << 20);
    }
    end_action(f, a, kind);
}

static void run_sweeps(struct fixture *f, void (*sweep)(struct fixture *, struct action *, size_t))
{
    for (size_t i = 0; i < COUNT_OF(encodings); i++)
        for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
            if (!memfs_text_has_encoding(encodings[i]))
                continue;
            char *sample = make_sample(kinds[kind].sample_bytes);
            struct action a = {.encoding = encodings[i], .sample = sample, .fs = f->fs};
            sweep(f, &a, kind);
            free(sample);
        }
}

static void every_refused_allocation_leaves_text_and_place_as_they_were(void **state)
{
    run_sweeps(*state, sweep_takes);
}

static void every_room_under_the_quota_is_enough_or_leaves_all_as_it_was(void **state)
{
    run_sweeps(*state, sweep_room);
}

/* --------------------------------------------------------------- what is needed */

static void closing_at_a_full_quota_writes_nothing_and_succeeds(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(encodings); i++) {
        if (!memfs_text_has_encoding(encodings[i]))
            continue;
        memfs_text *text = open_text(f->fs, "/file", "w", WITH(.encoding = encodings[i]));
        assert_written(text, "漢字");
        uint64_t size = stat_of(f->fs, "/file").size_bytes;
        fixture_leave(f, 0);
        int64_t written = 0;
        while (written >= 0)
            written = memfs_text_write(text, "漢", 3);
        assert_returns(written, MEMFS_EDQUOT);
        assert_ok(memfs_text_close(text));
        assert_true(stat_of(f->fs, "/file").size_bytes >= size);
        fixture_set_quota(f, 16 << 20);
        text = open_text(f->fs, "/file", "r", WITH(.encoding = encodings[i]));
        assert_read(text, 2, "漢字");
        while (memfs_text_read(text, 1, (char[4]){0}, 4) == 3)
            ;
        assert_read(text, 1, "");
        assert_ok(memfs_text_close(text));
    }
}

static void short_texts_take_no_memory_but_the_files(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(encodings); i++) {
        if (!memfs_text_has_encoding(encodings[i]))
            continue;
        memfs_text *text = open_text(f->fs, "/file", "w+", WITH(.encoding = encodings[i]));
        assert_ok(memfs_fallocate(memfs_text_file(text), 0, 8192, MEMFS_FALLOCATE_KEEP_SIZE));
        uint64_t takes = f->allocator.takes;
        char buffer[64];
        for (int line = 0; line < 30; line++)
            assert_written(text, "漢字 and more\n");
        assert_ok(memfs_text_seek(text, NULL));
        for (int line = 0; line < 30; line++)
            assert_returns(memfs_text_read(text, 12, buffer, sizeof buffer), 16);
        assert_int_equal(f->allocator.takes, takes);
        assert_ok(memfs_text_close(text));
    }
}

static void a_text_that_is_written_as_it_is_is_not_copied(void **state)
{
    struct fixture *f = *state;
    char *sample = make_sample(100000);
    memfs_text *text = open_text(f->fs, "/file", "w", NULL);
    assert_ok(memfs_fallocate(memfs_text_file(text), 0, 120000, MEMFS_FALLOCATE_KEEP_SIZE));
    uint64_t peak = statfs_of(f->fs).committed_bytes;
    fixture_set_quota(f, peak);
    assert_written(text, sample);
    fixture_set_quota(f, 16 << 20);
    assert_ok(memfs_text_close(text));
    assert_text(f->fs, "/file", sample);
    free(sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(every_refused_allocation_leaves_text_and_place_as_they_were),
        FS_TEST(every_room_under_the_quota_is_enough_or_leaves_all_as_it_was),
        FS_TEST(closing_at_a_full_quota_writes_nothing_and_succeeds),
        FS_TEST(short_texts_take_no_memory_but_the_files),
        FS_TEST(a_text_that_is_written_as_it_is_is_not_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
