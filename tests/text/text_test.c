/* Text handles: characters, lines, places, ends of lines, byte order marks. */
#include "texts.h"

/* ----------------------------------------------------------------- characters */

static void characters_are_read_whole(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/file", "aé€😀z");
    memfs_text *text = open_text(f->fs, "/file", "r", NULL);
    char buffer[16];
    assert_read(text, 2, "aé");
    assert_returns(memfs_text_read(text, 5, buffer, 2), MEMFS_ERANGE);
    assert_returns(memfs_text_read(text, 5, buffer, 0), MEMFS_ERANGE);
    assert_returns(memfs_text_read(text, 5, buffer, 6), 3); /* the next one has four bytes */
    assert_memory_equal(buffer, "€", 3);
    assert_read(text, 0, "");
    assert_read(text, 100, "😀z");
    assert_read(text, 100, "");
    assert_returns(memfs_text_read(text, 5, buffer, 0), 0);
    assert_ok(memfs_text_close(text));
}

static void a_character_is_whole_across_any_reading_ahead(void **state)
{
    struct fixture *f = *state;
    char content[3000], line[16];
    for (size_t shift = 0; shift < 4; shift++) {
        memset(content, 'x', shift);
        size_t length = shift;
        for (int i = 0; i < 700; i++, length += 4)
            memcpy(content + length, "😀", 4);
        put_bytes(f->fs, "/file", content, length);
        memfs_text *text = open_text(f->fs, "/file", "r", NULL);
        assert_returns(memfs_text_read(text, shift, line, sizeof line), shift);
        for (int i = 0; i < 700; i++) {
            assert_returns(memfs_text_read(text, 1, line, sizeof line), 4);
            assert_memory_equal(line, "😀", 4);
        }
        assert_read(text, 1, "");
        assert_ok(memfs_text_close(text));
    }
}

static void what_is_written_is_in_the_file_at_once(void **state)
{
    struct fixture *f = *state;
    memfs_text *text = open_text(f->fs, "/file", "w", NULL);
    assert_written(text, "one ");
    assert_text(f->fs, "/file", "one ");
    assert_written(text, "zwölf\n");
    assert_text(f->fs, "/file", "one zwölf\n");
    assert_returns(memfs_text_write(text, NULL, 0), 0);
    assert_ok(memfs_text_close(text));
}

static void modes_are_those_of_files(void **state)
{
    struct fixture *f = *state;
    memfs_text *text;
    char buffer[8];
    assert_returns(memfs_text_open(f->fs, "/file", "r", NULL, &text), MEMFS_ENOENT);
    text = open_text(f->fs, "/file", "wx", NULL);
    assert_returns(memfs_text_read(text, 1, buffer, sizeof buffer), MEMFS_EBADF);
    assert_returns(next_line(text), MEMFS_EBADF);
    assert_returns(memfs_text_skip_line(text), MEMFS_EBADF);
    assert_written(text, "abc");
    assert_ok(memfs_text_close(text));
    assert_returns(memfs_text_open(f->fs, "/file", "wx", NULL, &text), MEMFS_EEXIST);
    assert_returns(memfs_text_open(f->fs, "/file", "zz", NULL, &text), MEMFS_EINVAL);
    assert_returns(memfs_text_open(f->fs, "/file", "", NULL, &text), MEMFS_EINVAL);
    assert_returns(memfs_text_open(f->fs, "/file", "rbte+++++", NULL, &text), MEMFS_EINVAL);
    text = open_text(f->fs, "/file", "r", NULL);
    assert_returns(memfs_text_write(text, "x", 1), MEMFS_EBADF);
    assert_ok(memfs_text_close(text));
    text = open_text(f->fs, "/file", "a+", NULL);
    assert_read(text, 1, "a");
    assert_written(text, "de");
    assert_read(text, 1, "");
    assert_ok(memfs_text_seek(text, NULL));
    assert_read(text, 9, "abcde");
    assert_ok(memfs_text_close(text));
    text = open_text(f->fs, "/file", "r+b", NULL);
    assert_read(text, 1, "a");
    assert_written(text, "BC");
    assert_read(text, 9, "de");
    assert_ok(memfs_text_close(text));
    assert_text(f->fs, "/file", "aBCde");
    assert_ok(memfs_text_close(open_text(f->fs, "/file", "w+", NULL)));
    assert_text(f->fs, "/file", "");
}

static void a_file_that_is_wrapped_is_taken_over_or_kept(void **state)
{
    struct fixture *f = *state;
    memfs_text *text;
    char buffer[8];
    put(f->fs, "/file", "abcdef");
    memfs_file *file = open_file(f->fs, "/file", MEMFS_O_READ);
    assert_returns(memfs_seek(file, 2, MEMFS_SEEK_SET), 2);
    assert_ok(memfs_text_wrap(file, WITH(.flags = MEMFS_TEXT_KEEP_FILE), &text));
    assert_ptr_equal(memfs_text_file(text), file);
    assert_read(text, 2, "cd");
    assert_returns(memfs_text_write(text, "x", 1), MEMFS_EBADF);
    assert_ok(memfs_text_close(text));
    assert_ok(memfs_close(file));
    file = open_file(f->fs, "/file", MEMFS_O_WRITE);
    assert_ok(memfs_text_wrap(file, WITH(.flags = MEMFS_TEXT_APPEND), &text));
    assert_returns(memfs_text_read(text, 1, buffer, sizeof buffer), MEMFS_EBADF);
    assert_written(text, "gh");
    assert_ok(memfs_text_close(text));
    assert_int_equal(statfs_of(f->fs).open_files, 0);
    assert_text(f->fs, "/file", "abcdefgh");
    assert_ok(memfs_mkdir(f->fs, "/dir", 0755));
    file = open_file(f->fs, "/dir", MEMFS_O_READ | MEMFS_O_DIRECTORY);
    assert_returns(memfs_text_wrap(file, NULL, &text), MEMFS_EISDIR);
    assert_ok(memfs_close(file));
    assert_returns(memfs_text_wrap(NULL, NULL, &text), MEMFS_EBADF);
}

static void what_is_wrong_is_refused(void **state)
{
    struct fixture *f = *state;
    memfs_text *text = NULL;
    const char *line;
    size_t length;
    memfs_text_position position;
    memset(&position, 0x5a, sizeof position);
    assert_returns(memfs_text_open(NULL, "/file", "w", NULL, &text), MEMFS_EINVAL);
    assert_returns(memfs_text_open(f->fs, NULL, "w", NULL, &text), MEMFS_EINVAL);
    assert_returns(memfs_text_open(f->fs, "/file", NULL, NULL, &text), MEMFS_EINVAL);
    assert_returns(memfs_text_open(f->fs, "/file", "w", NULL, NULL), MEMFS_EINVAL);
    assert_returns(memfs_text_open(f->fs, "/file", "w", WITH(.encoding = "no such"), &text),
                   MEMFS_EOPNOTSUPP);
    assert_returns(memfs_text_open(f->fs, "/file", "w", WITH(.encoding = "SJIS//IGNORE"), &text),
                   MEMFS_EOPNOTSUPP);
    assert_returns(memfs_text_open(f->fs, "/file", "w", WITH(.encoding = "ASCII//TRANSLIT"), &text),
                   MEMFS_EOPNOTSUPP);
    assert_returns(memfs_text_open(f->fs, "/file", "w", WITH(.encoding = ""), &text),
                   MEMFS_EOPNOTSUPP);
    assert_returns(memfs_text_open(f->fs, "/file", "w", WITH(.newline = 4), &text), MEMFS_EINVAL);
    assert_returns(memfs_text_open(f->fs, "/file", "w", WITH(.read_policy = 3), &text),
                   MEMFS_EINVAL);
    assert_returns(memfs_text_open(f->fs, "/file", "w", WITH(.write_policy = 3), &text),
                   MEMFS_EINVAL);
    assert_returns(memfs_text_open(f->fs, "/file", "w", WITH(.flags = MEMFS_TEXT_APPEND), &text),
                   MEMFS_EINVAL);
    assert_false(is_there(f->fs, "/file"));
    assert_null(text);
    text = open_text(f->fs, "/file", "w+", NULL);
    assert_returns(memfs_text_read(text, 1, NULL, 4), MEMFS_EINVAL);
    assert_returns(memfs_text_read_line(text, NULL, &length), MEMFS_EINVAL);
    assert_returns(memfs_text_read_line(text, &line, NULL), MEMFS_EINVAL);
    assert_returns(memfs_text_tell(text, NULL), MEMFS_EINVAL);
    assert_returns(memfs_text_seek(text, &position), MEMFS_EINVAL);
    assert_returns(memfs_text_write(text, NULL, 4), MEMFS_EINVAL);
    assert_returns(memfs_destroy(f->fs, 0), MEMFS_EBUSY);
    assert_ok(memfs_text_close(text));
    assert_returns(memfs_text_close(NULL), MEMFS_EBADF);
    assert_returns(memfs_text_read_line(NULL, &line, &length), MEMFS_EBADF);
    assert_returns(memfs_text_skip_line(NULL), MEMFS_EBADF);
    assert_returns(memfs_text_write(NULL, "x", 1), MEMFS_EBADF);
    assert_returns(memfs_text_tell(NULL, &position), MEMFS_EBADF);
    assert_returns(memfs_text_seek(NULL, NULL), MEMFS_EBADF);
    assert_returns(memfs_text_seek_end(NULL), MEMFS_EBADF);
    assert_null(memfs_text_file(NULL));
    assert_int_equal(memfs_text_has_encoding(NULL), 0);
    assert_int_equal(memfs_text_has_encoding("no such"), 0);
    assert_int_equal(memfs_text_has_encoding("utf_8"), 1);
}

static void options_of_other_versions_are_understood(void **state)
{
    struct fixture *f = *state;
    memfs_text *text;
    struct {
        memfs_text_options known;
        uint64_t more;
    } large = {{.struct_size = sizeof large, .encoding = "UTF-16LE"}, 1};
    assert_returns(memfs_text_open(f->fs, "/file", "w", &large.known, &text), MEMFS_E2BIG);
    large.more = 0;
    assert_ok(memfs_text_open(f->fs, "/file", "w", &large.known, &text));
    assert_written(text, "a");
    assert_ok(memfs_text_close(text));
    assert_file_is(f->fs, "/file", "a\0");
    large.known.struct_size = MEMFS_STRUCT_SIZE_MAX + 1;
    assert_returns(memfs_text_open(f->fs, "/file", "w", &large.known, &text), MEMFS_E2BIG);
    large.known.struct_size = 0;
    assert_returns(memfs_text_open(f->fs, "/file", "w", &large.known, &text), MEMFS_EINVAL);
    large.known.struct_size = offsetof(memfs_text_options, encoding);
    text = open_text(f->fs, "/file", "w", &large.known);
    assert_written(text, "ä");
    assert_ok(memfs_text_close(text));
    assert_text(f->fs, "/file", "ä");
}

/* ---------------------------------------------------------------------- lines */

static void lines_end_as_was_chosen(void **state)
{
    struct fixture *f = *state;
    static const char mixed[] = "a\nb\r\nc\rd\n\re\r\r\nf";
    static const struct {
        uint32_t newline;
        const char *lines[10];
    } rows[] = {
        {MEMFS_TEXT_LF, {"a", "b\r", "c\rd", "\re\r\r", "f"}},
        {MEMFS_TEXT_CRLF, {"a\nb", "c\rd\n\re\r", "f"}},
        {MEMFS_TEXT_CR, {"a\nb", "\nc", "d\n", "e", "", "\nf"}},
        {MEMFS_TEXT_UNIVERSAL, {"a", "b", "c", "d", "", "e", "", "f"}},
    };
    put(f->fs, "/file", mixed);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        memfs_text *text = open_text(f->fs, "/file", "r", WITH(.newline = rows[i].newline));
        for (size_t line = 0; rows[i].lines[line] != NULL; line++)
            assert_line(text, rows[i].lines[line]);
        assert_returns(next_line(text), 0);
        assert_returns(next_line(text), 0);
        assert_ok(memfs_text_close(text));
    }
}

static void written_line_feeds_become_what_was_chosen(void **state)
{
    struct fixture *f = *state;
    static const char *const wanted[] = {"a\n\nb\r\n", "a\r\n\r\nb\r\r\n", "a\r\rb\r\r",
                                         "a\n\nb\r\n"};
    for (uint32_t newline = 0; newline < COUNT_OF(wanted); newline++) {
        memfs_text *text = open_text(f->fs, "/file", "w", WITH(.newline = newline));
        assert_written(text, "a\n\nb\r\n");
        assert_ok(memfs_text_close(text));
        assert_text(f->fs, "/file", wanted[newline]);
        text = open_text(f->fs, "/file", "w", WITH(.newline = newline, .encoding = "UTF-16BE"));
        assert_written(text, "a\n\nb\r\n");
        assert_int_equal(stat_of(f->fs, "/file").size_bytes, 2 * strlen(wanted[newline]));
        assert_ok(memfs_text_close(text));
    }
}

static void line_ends_are_kept_if_wanted(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/file", "one\r\n\r\ntwo");
    memfs_text *text = open_text(
        f->fs, "/file", "r", WITH(.flags = MEMFS_TEXT_KEEP_NEWLINE, .newline = MEMFS_TEXT_CRLF));
    assert_line(text, "one\n");
    assert_line(text, "\n");
    assert_line(text, "two");
    assert_returns(next_line(text), 0);
    assert_ok(memfs_text_close(text));
    text = open_text(f->fs, "/file", "r", WITH(.newline = MEMFS_TEXT_UNIVERSAL));
    assert_read(text, 4, "one\n");
    assert_read(text, 100, "\ntwo");
    assert_ok(memfs_text_close(text));
}

static void an_empty_file_has_no_line_and_an_empty_line_is_one(void **state)
{
    struct fixture *f = *state;
    memfs_text *text = open_text(f->fs, "/file", "w+", NULL);
    assert_returns(next_line(text), 0);
    assert_returns(memfs_text_skip_line(text), 0);
    assert_written(text, "\n");
    assert_ok(memfs_text_seek(text, NULL));
    assert_line(text, "");
    assert_returns(next_line(text), 0);
    assert_ok(memfs_text_close(text));
}

static void a_line_may_have_nuls(void **state)
{
    struct fixture *f = *state;
    const char *line;
    size_t length;
    put_literal(f->fs, "/file", "a\0b\nc");
    memfs_text *text = open_text(f->fs, "/file", "r", NULL);
    assert_returns(memfs_text_read_line(text, &line, &length), 1);
    assert_int_equal(length, 3);
    assert_memory_equal(line, "a\0b", 4);
    assert_line(text, "c");
    assert_ok(memfs_text_close(text));
}

static void a_line_beyond_the_limit_is_refused_and_can_be_passed_over(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/file", "1234567\n12345678\n123\n");
    memfs_text *text = open_text(f->fs, "/file", "r", WITH(.max_line_bytes = 8));
    assert_line(text, "1234567");
    assert_returns(next_line(text), MEMFS_ERANGE);
    assert_returns(next_line(text), MEMFS_ERANGE);
    assert_read(text, 3, "123");
    assert_returns(memfs_text_skip_line(text), 1);
    assert_line(text, "123");
    assert_ok(memfs_text_close(text));
}

static void a_line_longer_than_memory_allows_leaves_the_handle_usable(void **state)
{
    struct fixture *f = *state;
    char *content = malloc(300001);
    assert_non_null(content);
    memset(content, 'x', 300000);
    memcpy(content + 299994, "\nlast\n", 6);
    put_bytes(f->fs, "/file", content, 300000);
    free(content);
    memfs_text *text = open_text(f->fs, "/file", "r", NULL);
    fixture_leave(f, 40000);
    assert_returns(next_line(text), MEMFS_EDQUOT);
    assert_read(text, 3, "xxx");
    assert_returns(next_line(text), MEMFS_EDQUOT);
    assert_returns(memfs_text_skip_line(text), 1);
    assert_line(text, "last");
    assert_ok(memfs_text_close(text));
    fixture_set_quota(f, 16 << 20);
}

static void a_file_that_grows_is_read_on(void **state)
{
    struct fixture *f = *state;
    static const char *const encodings[] = {"UTF-8", "UTF-16", "CP1255", "UTF-7"};
    for (size_t i = 0; i < COUNT_OF(encodings); i++) {
        if (!memfs_text_has_encoding(encodings[i]))
            continue;
        const memfs_text_options *options = WITH(.encoding = encodings[i]);
        memfs_text *writer = open_text(f->fs, "/file", "w", options);
        memfs_text *reader = open_text(f->fs, "/file", "r", options);
        assert_read(reader, 9, "");
        assert_written(writer, "שלום");
        assert_read(reader, 9, "שלום");
        assert_read(reader, 9, "");
        assert_written(writer, "עולם");
        assert_read(reader, 2, "עו");
        assert_read(reader, 9, "לם");
        assert_ok(memfs_text_close(writer));
        assert_ok(memfs_text_close(reader));
    }
}

/* ----------------------------------------------------------- byte order marks */

static void utf16_and_utf32_have_one_mark_at_the_beginning(void **state)
{
    struct fixture *f = *state;
    memfs_text *text = open_text(f->fs, "/file", "w+", WITH(.encoding = "UTF-16"));
    assert_written(text, "a");
    assert_written(text, "😀");
    assert_ok(memfs_text_seek(text, NULL));
    assert_read(text, 9, "a😀");
    assert_ok(memfs_text_close(text));
    text = open_text(f->fs, "/file", "a", WITH(.encoding = "utf16"));
    assert_written(text, "z");
    assert_ok(memfs_text_close(text));
    const uint16_t wide[] = {0xfeff, 'a', 0xd83d, 0xde00, 'z'};
    check_bytes(f->fs, "/file", wide, sizeof wide, __LINE__);
    text = open_text(f->fs, "/file", "w", WITH(.encoding = "UTF-32"));
    assert_written(text, "a");
    assert_written(text, "😀");
    assert_ok(memfs_text_close(text));
    const uint32_t wider[] = {0xfeff, 'a', 0x1f600};
    check_bytes(f->fs, "/file", wider, sizeof wider, __LINE__);
}

static void the_order_of_bytes_is_that_of_the_mark(void **state)
{
    struct fixture *f = *state;
    const memfs_text_options *utf16 = WITH(.encoding = "UTF-16");
    put_literal(f->fs, "/file", "\xfe\xff\0a\0b");
    memfs_text *text = open_text(f->fs, "/file", "r", utf16);
    assert_read(text, 9, "ab");
    assert_ok(memfs_text_close(text));
    text = open_text(f->fs, "/file", "a", utf16);
    assert_written(text, "c");
    assert_ok(memfs_text_close(text));
    assert_file_is(f->fs, "/file", "\xfe\xff\0a\0b\0c");
    text = open_text(f->fs, "/file", "r+", utf16);
    assert_written(text, "A"); /* at the beginning, with the mark that is there */
    assert_read(text, 9, "bc");
    assert_ok(memfs_text_close(text));
    assert_file_is(f->fs, "/file", "\xfe\xff\0A\0b\0c");
    assert_decoded(f->fs, "\0\0\xfe\xff\0\0\0a", WITH(.encoding = "UTF-32"), "a");
    assert_decoded(f->fs, "\xff\xfe\0\0a\0\0\0", WITH(.encoding = "UTF-32"), "a");
    assert_decoded(f->fs,
                   "\xff\xfe"
                   "a\0",
                   utf16, "a");
}

static void utf8_has_a_mark_if_it_is_asked_for(void **state)
{
    struct fixture *f = *state;
    const memfs_text_options *sig = WITH(.encoding = "utf-8-sig");
    memfs_text *text = open_text(f->fs, "/file", "w+", sig);
    assert_written(text, "a");
    assert_written(text, "b");
    assert_ok(memfs_text_seek(text, NULL));
    assert_read(text, 9, "ab");
    assert_ok(memfs_text_close(text));
    assert_text(f->fs, "/file",
                "\xef\xbb\xbf"
                "ab");
    assert_decoded(f->fs,
                   "\xef\xbb\xbf"
                   "ab",
                   NULL,
                   "\xef\xbb\xbf"
                   "ab");
    assert_decoded(f->fs, "ab", sig, "ab");
    assert_decoded(f->fs, "\xef\xbb\xbf", sig, "");
    assert_decoded(f->fs, "\xef\xbb\xbf\xef\xbb\xbf", sig, "\xef\xbb\xbf");
    assert_decoded(f->fs, "\xfe\xff\xfe\xff\0a", WITH(.encoding = "UTF-16"),
                   "\xef\xbb\xbf"
                   "a");
    assert_decoded(f->fs, "\xfe\xff\0a", WITH(.encoding = "UTF-16BE"),
                   "\xef\xbb\xbf"
                   "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(characters_are_read_whole),
        FS_TEST(a_character_is_whole_across_any_reading_ahead),
        FS_TEST(what_is_written_is_in_the_file_at_once),
        FS_TEST(modes_are_those_of_files),
        FS_TEST(a_file_that_is_wrapped_is_taken_over_or_kept),
        FS_TEST(what_is_wrong_is_refused),
        FS_TEST(options_of_other_versions_are_understood),
        FS_TEST(lines_end_as_was_chosen),
        FS_TEST(written_line_feeds_become_what_was_chosen),
        FS_TEST(line_ends_are_kept_if_wanted),
        FS_TEST(an_empty_file_has_no_line_and_an_empty_line_is_one),
        FS_TEST(a_line_may_have_nuls),
        FS_TEST(a_line_beyond_the_limit_is_refused_and_can_be_passed_over),
        FS_TEST(a_line_longer_than_memory_allows_leaves_the_handle_usable),
        FS_TEST(a_file_that_grows_is_read_on),
        FS_TEST(utf16_and_utf32_have_one_mark_at_the_beginning),
        FS_TEST(the_order_of_bytes_is_that_of_the_mark),
        FS_TEST(utf8_has_a_mark_if_it_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
