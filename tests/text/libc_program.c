/*
 * What must hold of text in every C library, without a test framework: what an encoding has comes
 * back, and what it does not have is refused or replaced.  Encodings that are missing are left out.
 */
#include <memfs/text.h>

#include <stdio.h>
#include <string.h>

#define CHECK_THAT(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "line %d: %s, %s\n", __LINE__, #condition, name); \
            return 1; \
        } \
    } while (0)

static int check_encoding(memfs *fs, const char *name, const char *sample, const char *lacking)
{
    char buffer[128];
    int64_t length = (int64_t)strlen(sample);
    memfs_text *text;
    memfs_text_position place;
    memfs_text_options options = {.struct_size = sizeof options, .encoding = name};
    options.write_policy = lacking == NULL ? MEMFS_TEXT_REPLACE : MEMFS_TEXT_STRICT;
    CHECK_THAT(memfs_text_open(fs, "/text", "w+", &options, &text) == 0);
    CHECK_THAT(memfs_text_write(text, sample, (size_t)length) == length);
    if (lacking != NULL)
        CHECK_THAT(memfs_text_write(text, lacking, strlen(lacking)) == MEMFS_EILSEQ);
    CHECK_THAT(memfs_text_write(text, sample, (size_t)length) == length);
    CHECK_THAT(memfs_text_seek(text, NULL) == 0);
    CHECK_THAT(memfs_text_read(text, 3, buffer, sizeof buffer) > 0);
    CHECK_THAT(memfs_text_tell(text, &place) == 0);
    CHECK_THAT(memfs_text_skip_line(text) == 1);
    CHECK_THAT(memfs_text_read(text, 99, buffer, sizeof buffer) == length);
    CHECK_THAT(memcmp(buffer, sample, (size_t)length) == 0);
    CHECK_THAT(memfs_text_seek(text, &place) == 0);
    CHECK_THAT(memfs_text_skip_line(text) == 1);
    CHECK_THAT(memfs_text_read(text, 99, buffer, sizeof buffer) == length);
    CHECK_THAT(memfs_text_close(text) == 0);
    return 0;
}

static int check_replaced(memfs *fs, const char *name, const char *bytes, const char *wanted)
{
    char buffer[128];
    memfs_text *text;
    memfs_text_options options = {
        .struct_size = sizeof options, .encoding = name, .write_policy = MEMFS_TEXT_REPLACE};
    CHECK_THAT(memfs_text_open(fs, "/text", "w+", &options, &text) == 0);
    CHECK_THAT(memfs_text_write(text, bytes, strlen(bytes)) == (int64_t)strlen(bytes));
    CHECK_THAT(memfs_text_seek(text, NULL) == 0);
    CHECK_THAT(memfs_text_read(text, 99, buffer, sizeof buffer) == (int64_t)strlen(wanted));
    CHECK_THAT(memcmp(buffer, wanted, strlen(wanted)) == 0);
    CHECK_THAT(memfs_text_close(text) == 0);
    return 0;
}

int main(void)
{
    static const struct {
        const char *name, *sample, *lacking, *replaced;
    } rows[] = {
        {"UTF-8", "añ漢😀\n", NULL, NULL},
        {"UTF-16", "añ漢😀\n", NULL, NULL},
        {"ISO-8859-1", "añ¿\n", "a☃", "a?"},
        {"ISO-8859-15", "añ€\n", "a☃b", "a?b"},
        {"SHIFT_JIS", "a漢字\n", "漢☃字*", "漢?字*"},
        {"EUC-JP", "a漢字\n", "漢☃字*", "漢?字*"},
        {"ISO-2022-JP", "a漢字\n", "漢☃字*", "漢?字*"},
        {"GB18030", "añ漢😀\n", NULL, NULL},
        {"KOI8-R", "aжя\n", "ж☃", "ж?"},
    };
    memfs *fs;
    int checked = 0;
    if (memfs_create(NULL, &fs) != 0)
        return 1;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!memfs_text_has_encoding(rows[i].name))
            continue;
        checked++;
        if (check_encoding(fs, rows[i].name, rows[i].sample, rows[i].lacking) != 0)
            return 1;
        if (rows[i].lacking != NULL &&
            check_replaced(fs, rows[i].name, rows[i].lacking, rows[i].replaced) != 0)
            return 1;
    }
    return checked < 3 || memfs_destroy(fs, 0) != 0;
}
