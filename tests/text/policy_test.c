/* What becomes of bytes that are no text, and of characters that the encoding does not have. */
#include "texts.h"

#define REPLACED "\xef\xbf\xbd"

static const memfs_text_options strict = {.struct_size = sizeof strict};
static const memfs_text_options replaces = {.struct_size = sizeof replaces,
                                            .read_policy = MEMFS_TEXT_REPLACE};
static const memfs_text_options ignores = {.struct_size = sizeof ignores,
                                           .read_policy = MEMFS_TEXT_IGNORE};

/* -------------------------------------------------------------- reading UTF-8 */

/* Ill-formed bytes between an a and a z, and how many maximal subparts they are. */
static const struct {
    const char *bytes;
    int subparts;
} ill_formed[] = {
    {"\x80", 1},                             /* a continuation alone */
    {"\xbf\xbf", 2},                         /* and two of them */
    {"\xc0\x80", 2},                         /* overlong forms */
    {"\xc1\xbf", 2},                         /* */
    {"\xe0\x80\x80", 3},                     /* */
    {"\xe0\x9f\xbf", 3},                     /* */
    {"\xf0\x80\x80\x80", 4},                 /* */
    {"\xf0\x8f\xbf\xbf", 4},                 /* */
    {"\xed\xa0\x80", 3},                     /* surrogates */
    {"\xed\xbf\xbf", 3},                     /* */
    {"\xed\xa0\xbd\xed\xb8\x80", 6},         /* a pair of them */
    {"\xf4\x90\x80\x80", 4},                 /* above U+10FFFF */
    {"\xf5\x80\x80\x80", 4},                 /* */
    {"\xf8\x88\x80\x80\x80", 5},             /* */
    {"\xfe", 1},                             /* what is never in UTF-8 */
    {"\xff\xff", 2},                         /* */
    {"\xc3", 1},                             /* cut short */
    {"\xe2\x82", 1},                         /* */
    {"\xf0\x9f\x98", 1},                     /* */
    {"\xf0\x9f", 1},                         /* */
    {"\xe1\x80\xe2\xf0\x91\x92\xf1\xbf", 4}, /* table 3-11 of Unicode */
    {"\xf4\x8f\xbf", 1},                     /* */
};

static void each_maximal_subpart_is_replaced_once(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(ill_formed); i++) {
        char bytes[32], wanted[64] = "a";
        int size = snprintf(bytes, sizeof bytes, "a%sz", ill_formed[i].bytes);
        for (int part = 0; part < ill_formed[i].subparts; part++)
            strcat(wanted, REPLACED);
        strcat(wanted, "z");
        check_decoded(f->fs, bytes, (size_t)size, &replaces, wanted, __LINE__);
        wanted[strlen(wanted) - 1] = '\0'; /* the same at the end of the file */
        check_decoded(f->fs, bytes, (size_t)size - 1, &replaces, wanted, __LINE__);
        check_decoded(f->fs, bytes, (size_t)size, &ignores, "az", __LINE__);
    }
}

static void what_is_well_formed_at_the_limits_is_taken(void **state)
{
    struct fixture *f = *state;
    static const char limits[] = "\x01\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80"
                                 "\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf";
    check_decoded(f->fs, limits, sizeof limits - 1, &strict, limits, __LINE__);
}

static void a_strict_reader_stops_at_what_is_no_text(void **state)
{
    struct fixture *f = *state;
    char buffer[16];
    for (size_t i = 0; i < COUNT_OF(ill_formed); i++) {
        char bytes[32];
        int size = snprintf(bytes, sizeof bytes, "ab%s\nnext", ill_formed[i].bytes);
        put_bytes(f->fs, "/file", bytes, (size_t)size);
        memfs_text *text = open_text(f->fs, "/file", "r", NULL);
        assert_returns(next_line(text), MEMFS_EILSEQ);
        assert_returns(next_line(text), MEMFS_EILSEQ);
        assert_read(text, 9, "ab");
        assert_returns(memfs_text_read(text, 9, buffer, sizeof buffer), MEMFS_EILSEQ);
        assert_returns(memfs_text_read(text, 9, buffer, sizeof buffer), MEMFS_EILSEQ);
        assert_returns(memfs_text_skip_line(text), 1);
        assert_line(text, "next");
        assert_ok(memfs_text_close(text));
    }
}

static void what_is_not_utf8_cannot_be_written(void **state)
{
    struct fixture *f = *state;
    for (uint32_t policy = 0; policy < 3; policy++) {
        memfs_text *text = open_text(f->fs, "/file", "w", WITH(.write_policy = policy));
        for (size_t i = 0; i < COUNT_OF(ill_formed); i++) {
            char bytes[32];
            int size = snprintf(bytes, sizeof bytes, "ab%s", ill_formed[i].bytes);
            assert_returns(memfs_text_write(text, bytes, (size_t)size), MEMFS_EINVAL);
        }
        assert_returns(memfs_text_write(text, "é", 1), MEMFS_EINVAL);
        assert_text(f->fs, "/file", "");
        assert_ok(memfs_text_close(text));
    }
}

/* ------------------------------------------------------- reading the others */

static void units_of_utf16_and_utf32_are_replaced_each(void **state)
{
    struct fixture *f = *state;
    const memfs_text_options *utf16 = WITH(.encoding = "UTF-16BE",
                                           .read_policy = MEMFS_TEXT_REPLACE);
    const memfs_text_options *utf32 = WITH(.encoding = "UTF-32LE",
                                           .read_policy = MEMFS_TEXT_REPLACE);
    assert_decoded(f->fs, "\0a\xd8\x3d\0z", utf16, "a" REPLACED "z");
    assert_decoded(f->fs, "\xdc\0\xdc\0\0z", utf16, REPLACED REPLACED "z");
    assert_decoded(f->fs, "\xd8\x3d\xd8\x3d\xde\0", utf16, REPLACED "😀");
    assert_decoded(f->fs, "\0a\xd8", utf16, "a" REPLACED);
    assert_decoded(f->fs, "\0a\xd8\x3d", utf16, "a" REPLACED);
    assert_decoded(f->fs, "\0a\xd8\x3d\xde", utf16, "a" REPLACED);
    assert_decoded(f->fs, "a\0\0\0\0\xd8\0\0", utf32, "a" REPLACED);
    assert_decoded(f->fs, "\0\0\x11\0b\0\0\0", utf32, REPLACED "b");
    assert_decoded(f->fs, "a\0\0\0b\0\0", utf32, "a" REPLACED);
    assert_decoded(f->fs, "a\x80\xff", WITH(.encoding = "ASCII", .read_policy = MEMFS_TEXT_REPLACE),
                   "a" REPLACED REPLACED);
    assert_decoded(f->fs, "a\x80\xff", WITH(.encoding = "LATIN1"), "a\xc2\x80ÿ");
}

static void iconvs_encodings_have_the_same_policies(void **state)
{
    struct fixture *f = *state;
    char buffer[16];
    needs_encoding("SHIFT_JIS");
    needs_encoding("ISO-2022-JP");
    const memfs_text_options *sjis = WITH(.encoding = "SHIFT_JIS",
                                          .read_policy = MEMFS_TEXT_REPLACE);
    assert_decoded(f->fs, "a\x82\xa0\xff\x82\xa2", sjis, "aあ" REPLACED "い");
    assert_decoded(f->fs, "a\x82", sjis, "a" REPLACED);
    assert_decoded(f->fs, "a\x82\xa0\xff\x82\xa2",
                   WITH(.encoding = "SHIFT_JIS", .read_policy = MEMFS_TEXT_IGNORE), "aあい");
    assert_decoded(f->fs, "\x1b$B$\"\x80$$\x1b(Bx\x1b",
                   WITH(.encoding = "ISO-2022-JP", .read_policy = MEMFS_TEXT_REPLACE),
                   "あ" REPLACED "いx" REPLACED);
    put_literal(f->fs, "/file", "a\x82");
    memfs_text *text = open_text(f->fs, "/file", "r", WITH(.encoding = "SHIFT_JIS"));
    assert_read(text, 5, "a");
    assert_returns(memfs_text_read(text, 5, buffer, sizeof buffer), MEMFS_EILSEQ);
    assert_ok(memfs_append_file(f->fs, "/file", "\xa0", 1, 0644, 0));
    assert_read(text, 5, "あ");
    assert_ok(memfs_text_close(text));
}

/* -------------------------------------------------------------------- writing */

static void a_character_that_is_missing_is_refused_replaced_or_left_out(void **state)
{
    struct fixture *f = *state;
    static const char *const encodings[] = {"LATIN1",      "ASCII",  "SHIFT_JIS",
                                            "ISO-2022-JP", "IBM939", "KOI8-R"};
    static const char snowman[] = "a☃b😀\n";
    for (size_t i = 0; i < COUNT_OF(encodings); i++) {
        if (!memfs_text_has_encoding(encodings[i]))
            continue;
        static const char *const read_back[] = {"", "a?b?\n", "ab\n"};
        for (uint32_t policy = 0; policy < 3; policy++) {
            memfs_text *text = open_text(f->fs, "/file", "w+",
                                         WITH(.encoding = encodings[i], .write_policy = policy));
            if (policy == MEMFS_TEXT_STRICT)
                assert_returns(memfs_text_write(text, snowman, strlen(snowman)), MEMFS_EILSEQ);
            else
                assert_written(text, snowman);
            assert_ok(memfs_text_seek(text, NULL));
            assert_read(text, 9, read_back[policy]);
            assert_ok(memfs_text_close(text));
        }
    }
}

static void a_replacement_in_a_shifted_state_is_read_back_as_one(void **state)
{
    struct fixture *f = *state;
    needs_encoding("ISO-2022-JP");
    memfs_text *text = open_text(
        f->fs, "/file", "w+", WITH(.encoding = "ISO-2022-JP", .write_policy = MEMFS_TEXT_REPLACE));
    assert_written(text, "あ☃い");
    assert_file_is(f->fs, "/file", "\x1b$B$\"\x1b(B?\x1b$B$$\x1b(B");
    assert_ok(memfs_text_seek(text, NULL));
    assert_read(text, 9, "あ?い");
    assert_ok(memfs_text_close(text));
}

static void each_write_ends_in_the_initial_state(void **state)
{
    struct fixture *f = *state;
    static const char *const encodings[] = {"ISO-2022-JP", "ISO-2022-KR", "ISO-2022-CN", "UTF-7",
                                            "IBM939",      "HZ",          "UNICODE"};
    static const char *const parts[] = {"a", "中", "文", "\n", "中b", "c中"};
    int checked = 0;
    for (size_t i = 0; i < COUNT_OF(encodings); i++) {
        if (!memfs_text_has_encoding(encodings[i]))
            continue;
        checked++;
        const memfs_text_options *options = WITH(.encoding = encodings[i],
                                                 .write_policy = MEMFS_TEXT_REPLACE);
        for (size_t part = 0; part < COUNT_OF(parts); part++) { /* each by another handle */
            memfs_text *text = open_text(f->fs, "/file", part == 0 ? "w" : "a", options);
            assert_written(text, parts[part]);
            uint64_t size = stat_of(f->fs, "/file").size_bytes;
            assert_ok(memfs_text_close(text));
            assert_int_equal(stat_of(f->fs, "/file").size_bytes, size);
        }
        memfs_text *text = open_text(f->fs, "/file", "r", options);
        assert_read(text, 99, "a中文\n中bc中");
        assert_ok(memfs_text_close(text));
    }
    assert_true(checked > 0 || !memfs_text_has_encoding("SHIFT_JIS"));
}

static void what_iconv_writes_at_the_beginning_is_there_once(void **state)
{
    struct fixture *f = *state;
    needs_encoding("ISO-2022-KR");
    memfs_text *text = open_text(f->fs, "/file", "w", WITH(.encoding = "ISO-2022-KR"));
    assert_written(text, "a");
    assert_written(text, "b");
    assert_ok(memfs_text_close(text));
    assert_file_is(f->fs, "/file", "\x1b$)Cab");
}

static void characters_that_are_kept_back_come_out_at_the_end(void **state)
{
    struct fixture *f = *state;
    needs_encoding("BIG5-HKSCS");
    memfs_text *text = open_text(f->fs, "/file", "w+", WITH(.encoding = "BIG5-HKSCS"));
    assert_written(text, "Ê");
    assert_written(text, "Ê\xcc\x84"); /* one character of the encoding */
    assert_file_is(f->fs, "/file", "\x88\x66\x88\x62");
    assert_ok(memfs_text_seek(text, NULL));
    assert_read(text, 9, "ÊÊ\xcc\x84");
    assert_ok(memfs_text_close(text));
    assert_decoded(f->fs, "x\x88\x66", WITH(.encoding = "BIG5-HKSCS"), "xÊ");
}

static void long_texts_keep_their_state_however_much_room_they_need(void **state)
{
    struct fixture *f = *state;
    needs_encoding("ISO-2022-JP");
    static char sample[60000], back[60000];
    for (size_t length = 1; length < sizeof sample - 8; length += length / 3 + 1) {
        size_t used = 0;
        while (used < length) { /* the worst: each character changes the state */
            memcpy(sample + used, "a漢", 4);
            used += 4;
        }
        memfs_text *text = open_text(f->fs, "/file", "w+", WITH(.encoding = "ISO-2022-JP"));
        assert_returns(memfs_text_write(text, sample, used), used);
        assert_ok(memfs_text_seek(text, NULL));
        assert_returns(memfs_text_read(text, SIZE_MAX, back, sizeof back), used);
        assert_memory_equal(sample, back, used);
        assert_ok(memfs_text_close(text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(each_maximal_subpart_is_replaced_once),
        FS_TEST(what_is_well_formed_at_the_limits_is_taken),
        FS_TEST(a_strict_reader_stops_at_what_is_no_text),
        FS_TEST(what_is_not_utf8_cannot_be_written),
        FS_TEST(units_of_utf16_and_utf32_are_replaced_each),
        FS_TEST(iconvs_encodings_have_the_same_policies),
        FS_TEST(a_character_that_is_missing_is_refused_replaced_or_left_out),
        FS_TEST(a_replacement_in_a_shifted_state_is_read_back_as_one),
        FS_TEST(each_write_ends_in_the_initial_state),
        FS_TEST(what_iconv_writes_at_the_beginning_is_there_once),
        FS_TEST(characters_that_are_kept_back_come_out_at_the_end),
        FS_TEST(long_texts_keep_their_state_however_much_room_they_need),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
