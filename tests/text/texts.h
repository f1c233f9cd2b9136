/* Steps that the tests of text share. */
#ifndef MEMFS_TESTS_TEXTS_H
#define MEMFS_TESTS_TEXTS_H

#include "checks.h"

#include <memfs/storage.h>
#include <memfs/text.h>
#include <stdbool.h>

/* Options with an encoding, for one expression. */
#define WITH(...) \
    (&(const memfs_text_options){.struct_size = sizeof(memfs_text_options), __VA_ARGS__})

static inline memfs_text *open_text(memfs *fs, const char *path, const char *mode,
                                    const memfs_text_options *options)
{
    memfs_text *text = NULL;
    assert_ok(memfs_text_open(fs, path, mode, options, &text));
    assert_non_null(text);
    return text;
}

/* iconv() or a charset of it may be missing on a host. */
static inline void needs_encoding(const char *encoding)
{
    if (!memfs_text_has_encoding(encoding)) {
        print_message("no %s here\n", encoding);
        skip();
    }
}

#define assert_written(text, string) \
    assert_returns(memfs_text_write((text), (string), strlen(string)), strlen(string))

/* The next line is this one. */
static inline void check_line(memfs_text *text, const char *wanted, int at)
{
    const char *line = NULL;
    size_t length = 0;
    check_returns(memfs_text_read_line(text, &line, &length), 1, wanted, __FILE__, at);
    if (length != strlen(wanted) || memcmp(line, wanted, length + 1) != 0) {
        print_error("line \"%s\" instead of \"%s\"\n", line, wanted);
        _fail(__FILE__, at);
    }
}

#define assert_line(text, wanted) check_line((text), (wanted), __LINE__)

static inline int next_line(memfs_text *text)
{
    const char *line;
    size_t length;
    return memfs_text_read_line(text, &line, &length);
}

/* So many characters can be read, and are these. */
static inline void check_read(memfs_text *text, size_t characters, const char *wanted, int at)
{
    char buffer[4096];
    int64_t count = memfs_text_read(text, characters, buffer, sizeof buffer - 1);
    check_returns(count, (int64_t)strlen(wanted), wanted, __FILE__, at);
    buffer[count] = '\0';
    if (strcmp(buffer, wanted) != 0) {
        print_error("\"%s\" instead of \"%s\"\n", buffer, wanted);
        _fail(__FILE__, at);
    }
}

#define assert_read(text, characters, wanted) check_read((text), (characters), (wanted), __LINE__)

static inline void put_bytes(memfs *fs, const char *path, const void *bytes, size_t size)
{
    assert_ok(memfs_write_file(fs, path, bytes, size, 0644, 0));
}

/* The file holds just these bytes. */
static inline void check_bytes(memfs *fs, const char *path, const void *bytes, size_t size, int at)
{
    void *data = NULL;
    size_t found = 0;
    assert_ok(memfs_read_file(fs, path, 1 << 20, &data, &found));
    if (found != size || memcmp(data, bytes, size) != 0) {
        for (size_t i = 0; i < found; i++)
            print_error("%02x ", ((const unsigned char *)data)[i]);
        print_error("in %s\n", path);
        _fail(__FILE__, at);
    }
    assert_ok(memfs_free(fs, data));
}

/* A literal's bytes, NULs and all. */
#define assert_file_is(fs, path, literal) \
    check_bytes((fs), (path), (literal), sizeof(literal) - 1, __LINE__)
#define put_literal(fs, path, literal) put_bytes((fs), (path), (literal), sizeof(literal) - 1)

/* All of a file of these bytes, read with these options, is this text. */
static inline void check_decoded(memfs *fs, const void *bytes, size_t size,
                                 const memfs_text_options *options, const char *wanted, int at)
{
    put_bytes(fs, "/decoded", bytes, size);
    memfs_text *text = open_text(fs, "/decoded", "r", options);
    check_read(text, SIZE_MAX, wanted, at);
    check_read(text, SIZE_MAX, "", at);
    assert_ok(memfs_text_close(text));
}

#define assert_decoded(fs, literal, options, wanted) \
    check_decoded((fs), (literal), sizeof(literal) - 1, (options), (wanted), __LINE__)

#endif
