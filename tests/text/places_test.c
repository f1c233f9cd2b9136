/* Places in a text lead back, whatever the encoding keeps in mind there. */
#include "texts.h"

/* From each place the same is read as at first. */
static void check_rest_at_each_place(memfs_text *text, const char *all)
{
    memfs_text_position places[16];
    char buffer[64];
    int64_t length;
    size_t at = 0, offsets[16];
    int count = 0;
    do {
        assert_true(count < 16);
        offsets[count] = at;
        assert_ok(memfs_text_tell(text, &places[count++]));
        length = memfs_text_read(text, 1, buffer, sizeof buffer);
        assert_true(length >= 0);
        assert_memory_equal(buffer, all + at, (size_t)length);
        at += (size_t)length;
    } while (length > 0);
    assert_int_equal(at, strlen(all));
    for (int i = count - 1; i >= 0; i--) {
        assert_ok(memfs_text_seek(text, &places[i]));
        check_read(text, SIZE_MAX, all + offsets[i], __LINE__);
    }
}

/* glibc's ISO-2022-KR takes an escape that designates nothing, and the shift behind it, at once. */
static void check_places_behind_shift(memfs *fs, const char *encoding, const char *file)
{
    char all[64];
    needs_encoding(encoding);
    assert_ok(memfs_write_file(fs, "/file", file, strlen(file), 0644, 0));
    memfs_text *text = open_text(fs, "/file", "r", WITH(.encoding = encoding));
    int64_t length = memfs_text_read(text, SIZE_MAX, all, sizeof all - 1);
    assert_true(length > 4);
    all[length] = '\0';
    assert_ok(memfs_text_seek(text, NULL));
    check_rest_at_each_place(text, all);
    assert_ok(memfs_text_close(text));
}

static void a_shift_behind_a_stray_escape_is_remembered(void **state)
{
    struct fixture *f = *state;
    check_places_behind_shift(f->fs, "ISO-2022-KR", "x\x1b\x0e\x30\x21\x30\x22\x0fy");
    check_places_behind_shift(f->fs, "ISO-2022-KR", "x\x1b\x0e\x30\x21\x0f\n\x0e\x30\x22\x0f\nz");
}

/* No line feed ends the shifts of this one. */
static void a_shift_behind_a_stray_escape_holds_over_a_line_feed(void **state)
{
    struct fixture *f = *state;
    check_places_behind_shift(f->fs, "ISO-2022-JP", "\x1b(\x1b$BB?\n$\"$$\n\x1b(By");
    check_places_behind_shift(f->fs, "ISO-2022-JP", "\x1b$B\x1b<\x5c$\"\n$$\n\x1b(By");
}

static void check_places(memfs *fs, const char *encoding, uint32_t newline)
{
    static const char sample[] = "abc\nあいう漢字, and\n\nкири\nещё\n日本語テキスト\nend";
    memfs_text_position places[60];
    char rest[60][256], buffer[8];
    int count = 0;
    const memfs_text_options *options = WITH(.encoding = encoding, .newline = newline,
                                             .write_policy = MEMFS_TEXT_IGNORE);
    memfs_text *text = open_text(fs, "/file", "w+", options);
    assert_written(text, sample);
    assert_ok(memfs_text_seek(text, NULL));
    do {
        assert_ok(memfs_text_tell(text, &places[count++]));
    } while (memfs_text_read(text, 1, buffer, sizeof buffer) > 0);
    assert_true(count > 10);
    for (int i = 0; i < count; i++) {
        assert_ok(memfs_text_seek(text, &places[i]));
        int64_t length = memfs_text_read(text, SIZE_MAX, rest[i], sizeof rest[i] - 1);
        assert_true(length >= 0);
        rest[i][length] = '\0';
        if (i > 0) { /* one character of up to four bytes less */
            size_t before = strlen(rest[i - 1]);
            assert_in_range(before - (size_t)length, 1, 4);
            assert_memory_equal(rest[i], &rest[i - 1][before - (size_t)length], (size_t)length);
        }
    }
    assert_int_equal(rest[count - 1][0], 0);
    for (int i = count - 1; i >= 0; i -= 3) { /* by another handle, backwards */
        memfs_text *other = open_text(fs, "/file", "r", options);
        assert_ok(memfs_text_seek(other, &places[i]));
        check_read(other, SIZE_MAX, rest[i], __LINE__);
        assert_ok(memfs_text_close(other));
    }
    assert_ok(memfs_text_seek_end(text));
    assert_read(text, 1, "");
    assert_ok(memfs_text_close(text));
}

static void places_can_be_gone_back_to(void **state)
{
    struct fixture *f = *state;
    static const char *const encodings[] = {
        "UTF-8",   "UTF-8-SIG",   "UTF-16",        "UTF-32",      "SHIFT_JIS", "EUC-JP",
        "GB18030", "ISO-2022-JP", "ISO-2022-JP-2", "ISO-2022-KR", "UTF-7",     "CP1255",
        "KOI8-R",  "BIG5-HKSCS",  "IBM939",        "TCVN",        "UNICODE"};
    int checked = 0;
    for (size_t i = 0; i < COUNT_OF(encodings); i++) {
        if (!memfs_text_has_encoding(encodings[i]))
            continue;
        for (uint32_t newline = 0; newline <= MEMFS_TEXT_UNIVERSAL; newline++)
            check_places(f->fs, encodings[i], newline);
        checked++;
    }
    assert_true(checked >= 4);
}

static void a_place_of_another_encoding_is_refused(void **state)
{
    struct fixture *f = *state;
    memfs_text_position place;
    put(f->fs, "/file", "text");
    memfs_text *text = open_text(f->fs, "/file", "r", NULL);
    memfs_text *other = open_text(f->fs, "/file", "r", WITH(.encoding = "LATIN1"));
    assert_read(text, 2, "te");
    assert_ok(memfs_text_tell(text, &place));
    assert_returns(memfs_text_seek(other, &place), MEMFS_EINVAL);
    assert_read(other, 4, "text");
    assert_ok(memfs_text_close(text));
    assert_ok(memfs_text_close(other));
}

static void writing_after_reading_goes_where_the_reader_was(void **state)
{
    struct fixture *f = *state;
    static const char *const encodings[] = {"UTF-8", "UTF-16", "SHIFT_JIS", "LATIN1"};
    for (size_t i = 0; i < COUNT_OF(encodings); i++) {
        if (!memfs_text_has_encoding(encodings[i]))
            continue;
        memfs_text *text = open_text(f->fs, "/file", "w+", WITH(.encoding = encodings[i]));
        assert_written(text, "one\ntwo\nsix\n");
        assert_ok(memfs_text_seek(text, NULL));
        assert_line(text, "one");
        assert_read(text, 1, "t");
        assert_written(text, "en");
        assert_line(text, "");
        assert_line(text, "six");
        assert_written(text, "end");
        assert_ok(memfs_text_seek(text, NULL));
        assert_read(text, 99, "one\nten\nsix\nend");
        assert_ok(memfs_text_close(text));
    }
}

static void where_the_offset_is_unknown_nothing_is_written(void **state)
{
    struct fixture *f = *state;
    needs_encoding("UTF-7");
    memfs_text *text = open_text(f->fs, "/file", "w+", WITH(.encoding = "UTF-7"));
    assert_written(text, "あいう\nx");
    assert_ok(memfs_text_seek(text, NULL));
    assert_read(text, 1, "あ");
    assert_returns(memfs_text_write(text, "x", 1), MEMFS_EINVAL);
    assert_read(text, 3, "いう\n");
    assert_written(text, "y");
    assert_ok(memfs_text_seek(text, NULL));
    assert_read(text, 9, "あいう\ny");
    assert_written(text, "z"); /* at the end it is known */
    assert_ok(memfs_text_close(text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(places_can_be_gone_back_to),
        FS_TEST(a_shift_behind_a_stray_escape_is_remembered),
        FS_TEST(a_shift_behind_a_stray_escape_holds_over_a_line_feed),
        FS_TEST(a_place_of_another_encoding_is_refused),
        FS_TEST(writing_after_reading_goes_where_the_reader_was),
        FS_TEST(where_the_offset_is_unknown_nothing_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
