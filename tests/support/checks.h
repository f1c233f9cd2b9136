/*
 * The assertions of the api tests, and the few steps that nearly all of them
 * take: put a file there, look at one, compare.
 */
#ifndef MEMFS_TESTS_CHECKS_H
#define MEMFS_TESTS_CHECKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A test on the usual fixture. */
#define FS_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static inline void check_returns(int64_t got, int64_t wanted, const char *call, const char *file,
                                 int line)
{
    if (got == wanted)
        return;
    print_error("%s: %lld (%s) instead of %lld (%s)\n", call, (long long)got,
                got < 0 ? memfs_error_name((int)got) : "no error", (long long)wanted,
                wanted < 0 ? memfs_error_name((int)wanted) : "no error");
    _fail(file, line);
}

/* The call returns this count or error. */
#define assert_returns(call, wanted) \
    check_returns((int64_t)(call), (int64_t)(wanted), #call, __FILE__, __LINE__)

#define assert_ok(call) assert_returns(call, 0)

static inline void check_described(memfs *fs, char *before, const char *what, const char *file,
                                   int line)
{
    char *after = fixture_describe(fs);
    if (strcmp(before, after) != 0) {
        print_error("%s changed something; before:\n%safter:\n%s", what, before, after);
        _fail(file, line);
    }
    free(before);
    free(after);
}

/* The call returns this error, and the whole visible tree is as it was. */
#define assert_refused(fs, call, error) \
    do { \
        char *described_before = fixture_describe(fs); \
        check_returns((int64_t)(call), (error), #call, __FILE__, __LINE__); \
        check_described((fs), described_before, #call, __FILE__, __LINE__); \
    } while (0)

/* ------------------------------------------------------------------- steps */

/* A file system on the host's allocator; a build for arenas only has none, and the test is
 * skipped. */
static inline memfs *create_on_heap(const memfs_config *config)
{
    memfs *fs = NULL;
    int result = memfs_create(config, &fs);
    if (result == MEMFS_EOPNOTSUPP)
        skip();
    assert_ok(result);
    return fs;
}

/* A fixture of the default configuration with this quota. */
static inline struct fixture *create_with_quota(uint64_t quota_bytes)
{
    memfs_config config = memfs_config_default();
    config.quota_bytes = quota_bytes;
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    return f;
}

static inline void put(memfs *fs, const char *path, const char *text)
{
    assert_ok(memfs_write_file(fs, path, text, strlen(text), 0644, 0));
}

static inline memfs_file *open_file(memfs *fs, const char *path, uint32_t flags)
{
    memfs_file *file = NULL;
    assert_ok(memfs_open(fs, path, flags, 0644, &file));
    assert_non_null(file);
    return file;
}

/* A new or emptied file, open for both. */
static inline memfs_file *create_file(memfs *fs, const char *path)
{
    return open_file(fs, path, MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_TRUNCATE);
}

static inline memfs_dir *open_dir(memfs *fs, const char *path)
{
    memfs_dir *dir = NULL;
    assert_ok(memfs_opendir(fs, path, &dir));
    assert_non_null(dir);
    return dir;
}

static inline memfs_stat_info stat_of(memfs *fs, const char *path)
{
    memfs_stat_info info = {.struct_size = sizeof info};
    assert_ok(memfs_stat(fs, path, &info));
    return info;
}

static inline memfs_stat_info lstat_of(memfs *fs, const char *path)
{
    memfs_stat_info info = {.struct_size = sizeof info};
    assert_ok(memfs_lstat(fs, path, &info));
    return info;
}

static inline memfs_stat_info fstat_of(memfs_file *file)
{
    memfs_stat_info info = {.struct_size = sizeof info};
    assert_ok(memfs_fstat(file, &info));
    return info;
}

static inline memfs_statfs_info statfs_of(memfs *fs)
{
    memfs_statfs_info info = {.struct_size = sizeof info};
    assert_ok(memfs_statfs(fs, &info));
    return info;
}

static inline uint64_t used_bytes(memfs *fs)
{
    return statfs_of(fs).used_bytes;
}

static inline int is_there(memfs *fs, const char *path)
{
    memfs_stat_info info = {.struct_size = sizeof info};
    int result = memfs_lstat(fs, path, &info);
    if (result != MEMFS_ENOENT)
        assert_ok(result);
    return result == 0;
}

/* Bytes that differ from place to place and from seed to seed. */
static inline void fill_pattern(void *buffer, size_t length, unsigned seed)
{
    unsigned char *bytes = buffer;
    for (size_t i = 0; i < length; i++)
        bytes[i] = (unsigned char)(seed + i * 7 + i / 251 + 1);
}

static inline void write_pattern(memfs_file *file, size_t length, int64_t offset, unsigned seed)
{
    unsigned char *bytes = malloc(length + 1);
    assert_non_null(bytes);
    fill_pattern(bytes, length, seed);
    int64_t written = memfs_pwrite(file, bytes, length, offset);
    free(bytes);
    assert_returns(written, length);
}

static inline void check_pattern(memfs_file *file, size_t length, int64_t offset, unsigned seed)
{
    unsigned char *bytes = malloc(2 * length + 1);
    assert_non_null(bytes);
    fill_pattern(bytes, length, seed);
    assert_returns(memfs_pread(file, bytes + length, length, offset), length);
    int difference = memcmp(bytes, bytes + length, length);
    free(bytes);
    assert_int_equal(difference, 0);
}

static inline void check_zeros(memfs_file *file, size_t length, int64_t offset)
{
    unsigned char *bytes = malloc(length + 1);
    assert_non_null(bytes);
    memset(bytes, 0xaa, length);
    assert_returns(memfs_pread(file, bytes, length, offset), length);
    for (size_t i = 0; i < length; i++)
        assert_int_equal(bytes[i], 0);
    free(bytes);
}

/* A file of this size and pattern, closed. */
static inline void put_pattern(memfs *fs, const char *path, size_t length, unsigned seed)
{
    memfs_file *file = create_file(fs, path);
    write_pattern(file, length, 0, seed);
    assert_ok(memfs_close(file));
}

static inline void check_text(memfs *fs, const char *path, const char *text, const char *in,
                              int line)
{
    void *data = NULL;
    size_t size = 0;
    check_returns(memfs_read_file(fs, path, 1u << 20, &data, &size), 0, path, in, line);
    if (size != strlen(text) || memcmp(data, text, size + 1) != 0) {
        print_error("%s holds \"%s\" instead of \"%s\"\n", path, (const char *)data, text);
        _fail(in, line);
    }
    assert_ok(memfs_free(fs, data));
}

/* The file holds just this text. */
#define assert_text(fs, path, text) check_text((fs), (path), (text), __FILE__, __LINE__)

/* Makes files of this size, "/full-0" and so on, until the quota says no: not even the rest of a
 * page that is partly in use has room for another. */
static inline void fill_with_small_files(memfs *fs, size_t size)
{
    static const char bytes[64];
    char path[32];
    int result = 0;
    assert_true(size <= sizeof bytes);
    for (unsigned i = 0; result == 0; i++) {
        snprintf(path, sizeof path, "/full-%u", i);
        result = memfs_write_file(fs, path, bytes, size, 0644, 0);
    }
    assert_returns(result, MEMFS_EDQUOT);
}

/* The names that a stream still gives, with a blank after each. */
static inline const char *names_left(memfs_dir *dir, char *buffer, size_t size)
{
    memfs_dirent entry = {.struct_size = sizeof entry};
    size_t length = 0;
    int result;
    buffer[0] = '\0';
    while ((result = memfs_readdir(dir, &entry)) == 1) {
        assert_int_equal(entry.name_length, strlen(entry.name));
        assert_true(length + entry.name_length + 2 <= size);
        memcpy(buffer + length, entry.name, entry.name_length);
        length += entry.name_length;
        buffer[length++] = ' ';
        buffer[length] = '\0';
    }
    assert_ok(result);
    return buffer;
}

/* The directory holds just these names, in this order of creation: "a b c ". */
#define assert_names(fs, path, names) \
    do { \
        char names_buffer[4096]; \
        memfs_dir *names_dir = open_dir((fs), (path)); \
        assert_string_equal(names_left(names_dir, names_buffer, sizeof names_buffer), (names)); \
        assert_ok(memfs_closedir(names_dir)); \
    } while (0)

#endif
