/* Archives that lie, climb out, blow up, or end too early: refused, with nothing left. */
#include "archives.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>

/* Refused with and without a survey, and as a stream. */
static void check_refused_load(memfs *fs, const struct bytes *bytes, uint32_t flags, int wanted,
                               const char *file, int line)
{
    uint64_t used = used_bytes(fs);
    const uint32_t ways[] = {0, MEMFS_ARCHIVE_NO_SURVEY};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        memfs_archive_options options = options_of(flags | ways[i]);
        memfs_archive_result result;
        int error = load_bytes(fs, bytes, "/out", &options, &result);
        if (error != wanted)
            print_error("with flags %x, at '%s': %s\n", flags | ways[i], result.path,
                        result.message);
        check_returns(error, wanted, "load", file, line);
        assert_only(fs, "");
        assert_int_equal(used_bytes(fs), used);
    }
}

#define assert_not_loaded(f, bytes, flags, error) \
    check_refused_load((f)->fs, (bytes), (flags), (error), __FILE__, __LINE__)

/* A tar of one entry, after which a sound file follows. */
static struct bytes tar_of(const char *name, char type, const char *target)
{
    struct bytes tar = {NULL, 0, 0};
    tar_add(&tar, name, type, 0644, target, 0, "", 0);
    tar_file(&tar, "sound", "text");
    tar_end(&tar);
    return tar;
}

static void check_one(struct fixture *f, const char *name, char type, const char *target, int error)
{
    struct bytes tar = tar_of(name, type, target);
    assert_not_loaded(f, &tar, 0, error);
    bytes_free(&tar);
}

/* An archive of one file, by libarchive. */
static struct bytes made_by_libarchive(const char *format, const char *name, const char *text)
{
    struct bytes bytes = {malloc(65536), 0, 65536};
    struct archive *archive = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    assert_non_null(bytes.data);
    assert_int_equal(archive_write_set_format_by_name(archive, format), ARCHIVE_OK);
    assert_int_equal(archive_write_open_memory(archive, bytes.data, bytes.capacity, &bytes.size),
                     ARCHIVE_OK);
    archive_entry_set_pathname(entry, name);
    archive_entry_set_mode(entry, AE_IFREG | 0644);
    archive_entry_set_size(entry, (int64_t)strlen(text));
    assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    assert_int_equal(archive_write_data(archive, text, strlen(text)), strlen(text));
    archive_entry_free(entry);
    assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
    return bytes;
}

/* --------------------------------------------------------------------- names */

static void names_that_lead_out_are_refused_in_every_format(void **state)
{
    static const char *const names[] = {"/absolute", "//x",  "..",     "../x",
                                        "a/../../x", "a/..", "./../x", "a//../x/.."};
    static const char *const formats[] = {"ustar", "pax", "gnutar", "newc", "odc", "zip"};
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        for (size_t j = 0; j < COUNT_OF(formats); j++) {
            struct bytes bytes = made_by_libarchive(formats[j], names[i], "x");
            assert_not_loaded(f, &bytes, 0, MEMFS_EXDEV);
            bytes_free(&bytes);
        }
        check_one(f, names[i], '0', "", MEMFS_EXDEV);
        check_one(f, names[i], '5', "", MEMFS_EXDEV);
        check_one(f, "name", '1', names[i], MEMFS_EXDEV);
    }
}

static void harmless_names_are_taken_as_what_they_mean(void **state)
{
    struct fixture *f = *state;
    struct bytes tar = {NULL, 0, 0};
    tar_add(&tar, "./", '5', 0700, "", 0, "", 0);
    tar_file(&tar, "./a//b/./c", "c");
    tar_file(&tar, "...", "dots");
    tar_file(&tar, "..x", "x");
    tar_file(&tar, "C:\\x", "windows");
    tar_end(&tar);
    assert_ok(load_bytes(f->fs, &tar, "/out", NULL, NULL));
    assert_names(f->fs, "/out", "a ... ..x C:\\x ");
    assert_text(f->fs, "/out/a/b/c", "c");
    assert_int_equal(stat_of(f->fs, "/out").mode, 0700);
    bytes_free(&tar);
}

static void names_that_are_too_long_are_refused(void **state)
{
    struct fixture *f = *state;
    char name[MEMFS_PATH_MAX + 3];
    memset(name, 'n', sizeof name);
    name[256] = '\0';
    struct bytes bytes = made_by_libarchive("pax", name, "x");
    assert_not_loaded(f, &bytes, 0, MEMFS_ENAMETOOLONG);
    bytes_free(&bytes);
    memset(name, 'n', sizeof name);
    for (size_t i = 0; i < sizeof name; i += 100)
        name[i] = '/';
    name[0] = 'n';
    name[MEMFS_PATH_MAX + 1] = '\0';
    bytes = made_by_libarchive("pax", name, "x");
    assert_not_loaded(f, &bytes, 0, MEMFS_ENAMETOOLONG);
    bytes_free(&bytes);
    name[MEMFS_PATH_MAX] = '\0';
    bytes = made_by_libarchive("pax", name, "x");
    assert_ok(load_bytes(f->fs, &bytes, "/out", NULL, NULL));
    bytes_free(&bytes);
}

static void escape_characters_in_names_are_data_and_never_in_messages(void **state)
{
    static const char name[] = "\x1b]0;owned\x07\x1b[2J\nname";
    struct fixture *f = *state;
    memfs_archive_result result;
    struct bytes tar = {NULL, 0, 0};
    tar_file(&tar, name, "1");
    tar_file(&tar, name, "2");
    tar_end(&tar);
    assert_returns(load_bytes(f->fs, &tar, "/out", NULL, &result), MEMFS_EEXIST);
    assert_string_equal(result.path, name);
    bytes_free(&tar);
    tar = made_by_libarchive("zip", name, "text");
    tar.data[35] ^= 1; /* in the name, where the two copies of it now differ, or behind it */
    for (size_t i = 0; i < tar.size; i++) {
        tar.data[i] ^= 0x55;
        int error = load_bytes(f->fs, &tar, "/out", NULL, &result);
        for (const char *at = result.message; *at != '\0'; at++)
            assert_true(*at >= ' ' && *at <= '~');
        if (error == 0)
            assert_ok(memfs_remove_tree(f->fs, "/out"));
        tar.data[i] ^= 0x55;
    }
    bytes_free(&tar);
}

/* --------------------------------------------------------------------- links */

static void symlinks_that_may_lead_out_are_refused_unless_asked_for(void **state)
{
    static const struct {
        const char *name, *target;
        int error;
    } links[] = {{"l", "/etc", MEMFS_EXDEV},    {"l", "..", MEMFS_EXDEV},
                 {"l", "../x", MEMFS_EXDEV},    {"l", "a/../b", MEMFS_EXDEV},
                 {"d/l", "../..", MEMFS_EXDEV}, {"d/e/l", ".././../../x", MEMFS_EXDEV},
                 {"d/l", "../sound", 0},        {"l", ".", 0},
                 {"d/e/l", "../../nowhere", 0}, {"l", "./sound", 0}};
    struct fixture *f = *state;
    memfs_archive_options outer = options_of(MEMFS_ARCHIVE_OUTER_LINKS);
    for (size_t i = 0; i < COUNT_OF(links); i++) {
        struct bytes tar = tar_of(links[i].name, '2', links[i].target);
        if (links[i].error != 0)
            assert_not_loaded(f, &tar, 0, links[i].error);
        else
            assert_ok(load_bytes(f->fs, &tar, "/out1", NULL, NULL));
        assert_ok(load_bytes(f->fs, &tar, "/out", &outer, NULL));
        char path[32], target[32] = "";
        snprintf(path, sizeof path, "/out/%s", links[i].name);
        assert_true(memfs_readlink(f->fs, path, target, sizeof target - 1) > 0);
        assert_string_equal(target, links[i].target);
        assert_ok(memfs_remove_tree(f->fs, "/out"));
        if (links[i].error == 0)
            assert_ok(memfs_remove_tree(f->fs, "/out1"));
        bytes_free(&tar);
    }
    struct bytes empty = tar_of("l", '2', "");
    assert_not_loaded(f, &empty, 0, MEMFS_EIO);
    bytes_free(&empty);
}

static void nothing_is_written_through_a_symlink(void **state)
{
    static const char *const targets[] = {"/victim", ".", "inside", "../out/inside"};
    static const char types[] = "0512";
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->other, "/victim", 0755));
    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        for (const char *type = types; *type != '\0'; type++) {
            struct bytes tar = {NULL, 0, 0};
            tar_add(&tar, "inside", '5', 0755, "", 0, "", 0);
            tar_file(&tar, "inside/x", "x");
            tar_add(&tar, "link", '2', 0755, targets[i], 0, "", 0);
            tar_add(&tar, "link/new", *type, 0644, *type == '1' ? "inside/x" : "x", 0, "", 0);
            tar_end(&tar);
            assert_not_loaded(f, &tar, MEMFS_ARCHIVE_OUTER_LINKS, MEMFS_ELOOP);
            bytes_free(&tar);
        }
    }
    struct bytes tar = {NULL, 0, 0}; /* and nothing is linked through one */
    tar_file(&tar, "inside/x", "x");
    tar_add(&tar, "link", '2', 0755, "inside", 0, "", 0);
    tar_add(&tar, "hard", '1', 0644, "link/x", 0, "", 0);
    tar_end(&tar);
    assert_not_loaded(f, &tar, 0, MEMFS_ELOOP);
    bytes_free(&tar);
}

static void a_file_over_a_symlink_replaces_the_link_and_not_what_it_leads_to(void **state)
{
    struct fixture *f = *state;
    struct bytes tar = {NULL, 0, 0};
    tar_file(&tar, "file", "kept");
    tar_add(&tar, "link", '2', 0777, "file", 0, "", 0);
    tar_file(&tar, "link", "new");
    tar_end(&tar);
    assert_not_loaded(f, &tar, 0, MEMFS_EEXIST);
    memfs_archive_options last = options_of(MEMFS_ARCHIVE_LAST_COUNTS);
    assert_ok(load_bytes(f->fs, &tar, "/out", &last, NULL));
    assert_text(f->fs, "/out/file", "kept");
    assert_true(memfs_is_symlink(f->fs, "/out/link") == 0);
    bytes_free(&tar);
}

static void a_hard_link_to_what_was_not_unpacked_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->other, "/x", 0755));
    check_one(f, "hard", '1', "sound", MEMFS_ENOENT); /* which comes later */
    check_one(f, "hard", '1', "none", MEMFS_ENOENT);
    check_one(f, "hard", '1', "hard", MEMFS_ENOENT);
    check_one(f, "hard", '1', "none/x", MEMFS_ENOENT);
    check_one(f, "hard", '1', ".", MEMFS_ENOENT);
    struct bytes tar = {NULL, 0, 0};
    tar_add(&tar, "d", '5', 0755, "", 0, "", 0);
    tar_add(&tar, "hard", '1', 0644, "d", 0, "", 0);
    tar_end(&tar);
    assert_not_loaded(f, &tar, 0, MEMFS_EPERM);
    bytes_free(&tar);
}

/* ---------------------------------------------------------------- duplicates */

static void check_pair(struct fixture *f, char first, char second, int error, int error_of_last)
{
    struct bytes tar = {NULL, 0, 0};
    tar_file(&tar, "other", "other");
    tar_add(&tar, "name", first, 0644, first == '0' || first == '5' ? "" : "other", 0, "", 0);
    tar_add(&tar, "./name/", second, 0600, second == '0' || second == '5' ? "" : "other", 0, "", 0);
    tar_end(&tar);
    if (error != 0)
        assert_not_loaded(f, &tar, 0, error);
    if (error_of_last != 0)
        assert_not_loaded(f, &tar, MEMFS_ARCHIVE_LAST_COUNTS, error_of_last);
    bytes_free(&tar);
}

static void two_entries_of_one_name_are_refused_unless_both_are_directories(void **state)
{
    struct fixture *f = *state;
    check_pair(f, '0', '2', MEMFS_EEXIST, 0);
    check_pair(f, '2', '1', MEMFS_EEXIST, 0);
    check_pair(f, '1', '2', MEMFS_EEXIST, 0);
    check_pair(f, '0', '5', MEMFS_ENOTDIR, MEMFS_ENOTDIR);
    check_pair(f, '2', '5', MEMFS_ENOTDIR, MEMFS_ENOTDIR);
    check_pair(f, '5', '2', MEMFS_EISDIR, MEMFS_EISDIR);
    check_pair(f, '5', '1', MEMFS_EISDIR, MEMFS_EISDIR);
    struct bytes tar = {NULL, 0, 0};
    tar_add(&tar, "d", '5', 0755, "", 0, "", 0);
    tar_file(&tar, "d/file", "first");
    tar_add(&tar, "d", '5', 0500, "", 0, "", 0);
    tar_end(&tar);
    assert_ok(load_bytes(f->fs, &tar, "/out", NULL, NULL));
    assert_int_equal(stat_of(f->fs, "/out/d").mode, 0500);
    assert_text(f->fs, "/out/d/file", "first");
    assert_ok(memfs_remove_tree(f->fs, "/out"));
    tar.size -= 1024;
    tar_file(&tar, "d/file", "second");
    tar_end(&tar);
    assert_not_loaded(f, &tar, 0, MEMFS_EEXIST);
    memfs_archive_options last = options_of(MEMFS_ARCHIVE_LAST_COUNTS);
    assert_ok(load_bytes(f->fs, &tar, "/out", &last, NULL));
    assert_text(f->fs, "/out/d/file", "second");
    bytes_free(&tar);
}

static void a_file_where_a_directory_is_and_the_reverse_are_refused(void **state)
{
    struct fixture *f = *state;
    struct bytes tar = {NULL, 0, 0};
    tar_file(&tar, "a/b", "x");
    tar_file(&tar, "a", "x");
    tar_end(&tar);
    assert_not_loaded(f, &tar, MEMFS_ARCHIVE_LAST_COUNTS, MEMFS_EISDIR);
    bytes_free(&tar);
    tar_file(&tar, "a", "x");
    tar_file(&tar, "a/b", "x");
    tar_end(&tar);
    assert_not_loaded(f, &tar, MEMFS_ARCHIVE_LAST_COUNTS, MEMFS_ENOTDIR);
    bytes_free(&tar);
    check_one(f, ".", '0', "", MEMFS_EISDIR);
    check_one(f, "./", '2', "sound", MEMFS_EISDIR);
    check_one(f, "", '2', "sound", MEMFS_EISDIR);
}

/* --------------------------------------------------------------------- sizes */

/* Where the header of the zip's only member in its list is. */
static size_t find_list(const struct bytes *zip)
{
    for (size_t i = zip->size - 46; i > 0; i--)
        if (memcmp(zip->data + i, "PK\x01\x02", 4) == 0)
            return i;
    fail();
    return 0;
}

static void a_zip_whose_data_is_longer_or_shorter_than_declared_is_refused(void **state)
{
    static const unsigned char sizes[] = {0, 1, 9, 11, 200};
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        for (int store = 0; store < 2; store++) {
            put(f->fs, "/in", "0123456789");
            memfs_archive_options options = options_of(0);
            options.format = MEMFS_ARCHIVE_ZIP;
            options.compression = store != 0 ? MEMFS_ARCHIVE_NONE : MEMFS_ARCHIVE_USUAL;
            struct bytes zip = save_bytes(f->fs, "/in", &options);
            assert_ok(memfs_unlink(f->fs, "/in"));
            size_t list = find_list(&zip);
            assert_int_equal((unsigned char)zip.data[list + 24], 10);
            zip.data[list + 24] = (char)sizes[i]; /* in the list, and in front of the data */
            zip.data[22] = (char)sizes[i];
            assert_not_loaded(f, &zip, 0, MEMFS_EIO);
            bytes_free(&zip);
        }
    }
}

static void a_tar_that_declares_more_than_it_has_is_refused(void **state)
{
    struct fixture *f = *state;
    struct bytes tar = {NULL, 0, 0};
    tar_add(&tar, "file", '0', 0644, "", 5000, "0123456789", 10);
    tar_end(&tar);
    assert_not_loaded(f, &tar, 0, MEMFS_EIO);
    bytes_free(&tar);
    tar_add(&tar, "file", '0', 0644, "", UINT64_C(0777777777777), "x", 1);
    tar_end(&tar);
    memfs_archive_result result;
    assert_returns(load_bytes(f->fs, &tar, "/out", NULL, &result), MEMFS_EDQUOT);
    memfs_archive_options once = options_of(MEMFS_ARCHIVE_NO_SURVEY);
    assert_returns(load_bytes(f->fs, &tar, "/out", &once, &result), MEMFS_EIO);
    assert_only(f->fs, "");
    bytes_free(&tar);
    tar_add(&tar, "file", '0', 0644, "", 10, "0123456789", 10); /* less than it has: the rest is */
    bytes_add(&tar, "garbage behind it", 17);                   /* no header                    */
    tar_end(&tar);
    assert_not_loaded(f, &tar, 0, MEMFS_EIO);
    bytes_free(&tar);
}

/* A header that says the next one's file is sparse. */
static struct bytes sparse_tar(const char *size, const char *count, const char *map)
{
    struct bytes tar = {NULL, 0, 0};
    char records[512] = "", record[200];
    const char *const fields[][2] = {
        {"GNU.sparse.size", size}, {"GNU.sparse.numblocks", count}, {"GNU.sparse.map", map}};
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        size_t length = strlen(fields[i][0]) + strlen(fields[i][1]) + 6;
        assert_true(length < 99);
        snprintf(record, sizeof record, "%03zu %s=%s\n", length, fields[i][0], fields[i][1]);
        assert_int_equal(strlen(record), length);
        strcat(records, record);
    }
    tar_add(&tar, "x", 'x', 0644, "", strlen(records), records, strlen(records));
    tar_add(&tar, "file", '0', 0644, "", 10, "0123456789", 10);
    tar_end(&tar);
    return tar;
}

static void maps_of_holes_that_lie_do_no_harm(void **state)
{
    static const char *const maps[][3] = {{"100", "1", "50,10"},
                                          {"100", "1", "0,9223372036854775807"},
                                          {"9223372036854775807", "1", "9223372036854775800,7"},
                                          {"100", "2", "50,5,20,5"},
                                          {"100", "2", "0,5,3,5"},
                                          {"10", "1", "50,10"},
                                          {"100", "1", "-5,10"},
                                          {"-1", "1", "0,10"},
                                          {"100", "1", "95,10"}};
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(maps); i++) {
        struct bytes tar = sparse_tar(maps[i][0], maps[i][1], maps[i][2]);
        uint64_t used = used_bytes(f->fs);
        int error = load_bytes(f->fs, &tar, "/out", NULL, NULL);
        assert_true(i > 0 || error == 0);
        if (error == 0) {
            assert_true(stat_of(f->fs, "/out/file").allocated_bytes <= 3 * 4096);
            assert_ok(memfs_remove_tree(f->fs, "/out"));
        }
        assert_int_equal(used_bytes(f->fs), used);
        assert_only(f->fs, "");
        bytes_free(&tar);
    }
}

/* ----------------------------------------------------------------- cut short */

static void an_archive_that_is_cut_anywhere_is_refused(void **state)
{
    static const uint32_t kinds[][2] = {
        {MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_NONE},  {MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_GZIP},
        {MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_BZIP2}, {MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_XZ},
        {MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_ZSTD},  {MEMFS_ARCHIVE_USTAR, MEMFS_ARCHIVE_NONE},
        {MEMFS_ARCHIVE_CPIO, MEMFS_ARCHIVE_NONE}, {MEMFS_ARCHIVE_ZIP, MEMFS_ARCHIVE_USUAL}};
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        memfs_archive_options options = options_of(0);
        options.format = kinds[i][0];
        options.compression = kinds[i][1];
        assert_ok(memfs_mkdir(f->fs, "/in", 0755));
        put(f->fs, "/in/file", "some text");
        put(f->fs, "/in/other", "some other text");
        struct bytes bytes = save_bytes(f->fs, "/in", &options);
        assert_ok(memfs_remove_tree(f->fs, "/in"));
        size_t whole = bytes.size;
        size_t padding = options.format == MEMFS_ARCHIVE_CPIO  ? 4
                         : kinds[i][1] != MEMFS_ARCHIVE_NONE   ? 0
                         : options.format == MEMFS_ARCHIVE_ZIP ? 0
                                                               : 512;
        for (bytes.size = 0; bytes.size < whole - padding; bytes.size += 1 + whole / 700)
            assert_not_loaded(f, &bytes, 0, MEMFS_EIO);
        bytes.size = whole;
        assert_ok(load_bytes(f->fs, &bytes, "/out", NULL, NULL));
        assert_ok(memfs_remove_tree(f->fs, "/out"));
        bytes_free(&bytes);
    }
}

/* --------------------------------------------------------------------- bombs */

static void a_bomb_is_refused_by_the_quota_before_and_while_it_is_unpacked(void **state)
{
    static const uint32_t kinds[][2] = {{MEMFS_ARCHIVE_USTAR, MEMFS_ARCHIVE_GZIP},
                                        {MEMFS_ARCHIVE_ZIP, MEMFS_ARCHIVE_USUAL},
                                        {MEMFS_ARCHIVE_CPIO, MEMFS_ARCHIVE_ZSTD}};
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        memfs_archive_options options = options_of(0);
        options.format = kinds[i][0];
        options.compression = kinds[i][1];
        memfs_file *file = create_file(f->other, "/zeros");
        assert_ok(memfs_ftruncate(file, 64 << 20));
        assert_ok(memfs_close(file));
        struct bytes bytes = save_bytes(f->other, "/zeros", &options);
        assert_true(bytes.size < 1 << 20);
        assert_not_loaded(f, &bytes, 0, MEMFS_EDQUOT);
        memfs_refusal refusal = {.struct_size = sizeof refusal};
        assert_int_equal(load_bytes(f->fs, &bytes, "/out", NULL, NULL), MEMFS_EDQUOT);
        assert_ok(memfs_last_refusal(f->fs, &refusal));
        assert_true(refusal.wanted > 32 << 20); /* all of it, at once */
        bytes_free(&bytes);
    }
}

static int raise_quota(void *context, memfs *fs, const memfs_refusal *refusal)
{
    struct fixture *f = context;
    (void)fs;
    (void)refusal;
    fixture_set_quota(f, 128 << 20);
    return MEMFS_REFUSED_RETRY;
}

static void a_refusal_callback_can_make_room_for_what_is_declared(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/in", "");
    assert_ok(memfs_truncate(f->fs, "/in", 20 << 20));
    memfs_archive_options options = options_of(0);
    options.format = MEMFS_ARCHIVE_USTAR;
    options.compression = MEMFS_ARCHIVE_GZIP;
    struct bytes bytes = save_bytes(f->fs, "/in", &options);
    assert_ok(memfs_set_refused(f->fs, raise_quota, f));
    assert_ok(load_bytes(f->fs, &bytes, "/out", NULL, NULL));
    assert_ok(memfs_set_refused(f->fs, NULL, NULL));
    assert_int_equal(stat_of(f->fs, "/out/in").size_bytes, 20 << 20);
    bytes_free(&bytes);
}

/* A tar without end, of empty files, made as it is read. */
struct flood {
    int64_t offset, size, served;
};

static int64_t flood_read(void *context, void *buffer, size_t size)
{
    struct flood *flood = context;
    char name[32];
    size_t done = 0;
    assert_int_equal(flood->offset % TAR_BLOCK_BYTES, 0);
    for (; done + TAR_BLOCK_BYTES <= size; done += TAR_BLOCK_BYTES) {
        snprintf(name, sizeof name, "f%lld", (long long)(flood->offset + (int64_t)done));
        tar_header((char *)buffer + done, name, '0', 0644, "", 0);
    }
    flood->offset += (int64_t)done;
    flood->served += (int64_t)done;
    return (int64_t)done;
}

static int flood_seek(void *context, int64_t offset)
{
    struct flood *flood = context;
    flood->offset = offset;
    return 0;
}

static memfs_archive_where flood_of_ten_million(struct flood *flood)
{
    *flood = (struct flood){.size = INT64_C(10000000) * TAR_BLOCK_BYTES};
    return (memfs_archive_where){.struct_size = sizeof(memfs_archive_where),
                                 .kind = MEMFS_ARCHIVE_CALLBACKS,
                                 .context = flood,
                                 .read = flood_read,
                                 .seek = flood_seek,
                                 .size = flood->size};
}

static void ten_million_empty_entries_are_refused_by_the_limit_of_entries(void **state)
{
    struct fixture *f = *state;
    struct flood flood;
    memfs_archive_where from = flood_of_ten_million(&flood);
    memfs_archive_options options = options_of(0);
    options.max_entries = 10000;
    assert_returns(load(f->fs, &from, "/out", &options, NULL), MEMFS_EOVERFLOW);
    assert_true(flood.served <= 10001 * 512 + 2 * 65536);
    from = flood_of_ten_million(&flood);
    from.seek = NULL; /* as it comes: unpacked up to there, and removed again */
    assert_returns(load(f->fs, &from, "/out", &options, NULL), MEMFS_EOVERFLOW);
    assert_only(f->fs, "");
    from = flood_of_ten_million(&flood);
    assert_returns(load(f->fs, &from, "/out", NULL, NULL), MEMFS_EOVERFLOW);
    assert_true(flood.served > INT64_C(512) * MEMFS_ARCHIVE_ENTRIES_DEFAULT);
    assert_only(f->fs, "");
}

/* Where no limit of entries is set, the tree's own limits hold. */
static void ten_million_empty_entries_are_refused_by_the_nodes_and_by_the_quota(void **state)
{
    struct fixture *f = *state;
    struct flood flood;
    memfs_archive_options options = options_of(MEMFS_ARCHIVE_NO_SURVEY);
    options.max_entries = UINT64_MAX;
    uint64_t used = used_bytes(f->fs);
    memfs_archive_where from = flood_of_ten_million(&flood);
    assert_ok(memfs_set_node_limit(f->fs, 20000));
    assert_returns(load(f->fs, &from, "/out", &options, NULL), MEMFS_ENOSPC);
    assert_true(flood.served <= 20000 * 512 + 2 * 65536);
    assert_only(f->fs, "");
    assert_int_equal(used_bytes(f->fs), used);
    assert_ok(memfs_set_node_limit(f->fs, 0));
    fixture_set_quota(f, 4 << 20);
    from = flood_of_ten_million(&flood);
    assert_returns(load(f->fs, &from, "/out", &options, NULL), MEMFS_EDQUOT);
    assert_true(flood.served > 10000 * 512 && flood.served < 100000 * 512);
    assert_only(f->fs, "");
    assert_int_equal(used_bytes(f->fs), used);
    /* The allocator's limit is the quota: beyond it the test would have aborted. */
}

static void members_of_a_zip_that_overlap_each_count(void **state)
{
    struct fixture *f = *state;
    put(f->other, "/in", "");
    assert_ok(memfs_truncate(f->other, "/in", 1 << 20));
    memfs_archive_options options = options_of(0);
    options.format = MEMFS_ARCHIVE_ZIP;
    struct bytes zip = save_bytes(f->other, "/in", &options);
    size_t list = find_list(&zip);
    size_t end = zip.size - 22; /* of the list; the last record follows */
    struct bytes bomb = {NULL, 0, 0};
    bytes_add(&bomb, zip.data, list);
    for (int i = 0; i < 40; i++)
        bytes_add(&bomb, zip.data + list, end - list);
    unsigned char last[22];
    memcpy(last, zip.data + end, sizeof last);
    last[8] = last[10] = 40;
    uint32_t list_bytes = (uint32_t)(bomb.size - list);
    for (int i = 0; i < 4; i++)
        last[12 + i] = (unsigned char)(list_bytes >> (8 * i));
    bytes_add(&bomb, last, sizeof last);
    uint64_t used = used_bytes(f->fs);
    memfs_archive_result result;
    int error = load_bytes(f->fs, &bomb, "/out", NULL, &result);
    assert_true(error == MEMFS_EDQUOT || error == MEMFS_EEXIST || error == MEMFS_EIO ||
                (error == 0 && result.bytes == 1 << 20)); /* libarchive takes them for one */
    if (error == 0)
        assert_ok(memfs_remove_tree(f->fs, "/out"));
    assert_int_equal(used_bytes(f->fs), used);
    assert_only(f->fs, "");
    bytes_free(&zip);
    bytes_free(&bomb);
}

/* ------------------------------------------------------------- what it can be */

static void set_id_bits_are_dropped_unless_asked_for(void **state)
{
    struct fixture *f = *state;
    struct bytes tar = {NULL, 0, 0};
    tar_add(&tar, "d", '5', 03777, "", 0, "", 0);
    tar_add(&tar, "d/file", '0', 06755, "", 0, "", 0);
    tar_end(&tar);
    for (int keeps = 0; keeps < 2; keeps++) {
        memfs_archive_options options = options_of(keeps != 0 ? MEMFS_ARCHIVE_SPECIAL_BITS : 0);
        assert_ok(load_bytes(f->fs, &tar, "/out", &options, NULL));
        assert_int_equal(stat_of(f->fs, "/out/d/file").mode, keeps != 0 ? 06755 : 0755);
        assert_int_equal(stat_of(f->fs, "/out/d").mode, keeps != 0 ? 03777 : 0777);
        assert_ok(memfs_remove_tree(f->fs, "/out"));
    }
    bytes_free(&tar);
}

static void devices_and_pipes_are_left_out_and_counted(void **state)
{
    struct fixture *f = *state;
    struct bytes tar = {NULL, 0, 0};
    memfs_archive_result result;
    tar_add(&tar, "chars", '3', 0644, "", 0, "", 0);
    tar_add(&tar, "blocks", '4', 0644, "", 0, "", 0);
    tar_add(&tar, "pipe", '6', 0644, "", 0, "", 0);
    tar_file(&tar, "file", "x");
    tar_end(&tar);
    assert_ok(load_bytes(f->fs, &tar, "/out", NULL, &result));
    assert_int_equal(result.special, 3);
    assert_int_equal(result.files, 1);
    assert_names(f->fs, "/out", "file ");
    bytes_free(&tar);
}

static void what_is_no_archive_or_reads_files_of_the_host_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "x",
        "just some text that is no archive at all\n",
        "#mtree\n./file type=file mode=0644 contents=/etc/passwd size=10\n",
        "!<arch>\n",
        "PK\x05\x06 not really",
        "\x1f\x8b\x08 not really",
        "LRZI\0\6 not really",
        "7z\xbc\xaf\x27\x1c not really",
        "\x89LZO\0\r\n\x1a\n not really",
        "GRZipII not really"};
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct bytes bytes = {NULL, 0, 0};
        bytes_add(&bytes, texts[i], strlen(texts[i]));
        memfs_archive_result result;
        int error = load_bytes(f->fs, &bytes, "/out", NULL, &result);
        assert_true(error == MEMFS_EIO || i == 4); /* an ar may be empty */
        assert_true(i > 2 || result.message[0] != '\0');
        if (error == 0)
            assert_ok(memfs_remove_tree(f->fs, "/out"));
        assert_only(f->fs, "");
        bytes_free(&bytes);
    }
}

static void only_the_format_that_is_asked_for_is_read(void **state)
{
    static const uint32_t formats[] = {MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_ZIP, MEMFS_ARCHIVE_CPIO};
    struct fixture *f = *state;
    put(f->other, "/in", "x");
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        memfs_archive_options options = options_of(0);
        options.format = formats[i];
        struct bytes bytes = save_bytes(f->other, "/in", &options);
        for (size_t j = 0; j < COUNT_OF(formats); j++) {
            options.format = formats[j];
            int error = load_bytes(f->fs, &bytes, "/out", &options, NULL);
            assert_int_equal(error, i == j ? 0 : MEMFS_EIO);
            if (error == 0)
                assert_ok(memfs_remove_tree(f->fs, "/out"));
        }
        bytes_free(&bytes);
    }
}

static void times_that_no_clock_shows_are_taken_as_near_as_they_can_be(void **state)
{
    static const char *const times[] = {"99999999999999999999", "-99999999999999999999",
                                        "9223372036.9", "-9223372036.9", "nonsense"};
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        struct bytes tar = {NULL, 0, 0};
        char record[64];
        int length = snprintf(record, sizeof record, "%02zu mtime=%s\n", strlen(times[i]) + 10,
                              times[i]);
        assert_int_equal(length, strlen(times[i]) + 10);
        tar_add(&tar, "x", 'x', 0644, "", (uint64_t)length, record, (size_t)length);
        tar_file(&tar, "file", "x");
        tar_end(&tar);
        int error = load_bytes(f->fs, &tar, "/out", NULL, NULL);
        assert_true(error == 0 || error == MEMFS_EIO);
        if (error == 0)
            assert_ok(memfs_remove_tree(f->fs, "/out"));
        bytes_free(&tar);
    }
}

static void cpio_add(struct bytes *cpio, const char *name, unsigned number, unsigned mode,
                     const char *text)
{
    char header[160];
    static const char none[4];
    snprintf(header, sizeof header, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x",
             number, mode, 0, 0, 2, 0, strlen(text), 1, 1, 0, 0, strlen(name) + 1, 0);
    bytes_add(cpio, header, 110);
    bytes_add(cpio, name, strlen(name) + 1);
    bytes_add(cpio, none, (4 - cpio->size % 4) % 4);
    bytes_add(cpio, text, strlen(text));
    bytes_add(cpio, none, (4 - cpio->size % 4) % 4);
}

static void data_with_the_last_name_of_a_file_is_that_of_all_its_names(void **state)
{
    struct fixture *f = *state;
    struct bytes cpio = {NULL, 0, 0};
    cpio_add(&cpio, "a", 7, 0100644, "");
    cpio_add(&cpio, "b", 7, 0100644, "hello");
    cpio_add(&cpio, "TRAILER!!!", 0, 0, "");
    assert_ok(load_bytes(f->fs, &cpio, "/out", NULL, NULL));
    assert_text(f->fs, "/out/a", "hello");
    assert_text(f->fs, "/out/b", "hello");
    assert_int_equal(stat_of(f->fs, "/out/a").links, 2);
    bytes_free(&cpio);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(names_that_lead_out_are_refused_in_every_format),
        FS_TEST(harmless_names_are_taken_as_what_they_mean),
        FS_TEST(names_that_are_too_long_are_refused),
        FS_TEST(escape_characters_in_names_are_data_and_never_in_messages),
        FS_TEST(symlinks_that_may_lead_out_are_refused_unless_asked_for),
        FS_TEST(nothing_is_written_through_a_symlink),
        FS_TEST(a_file_over_a_symlink_replaces_the_link_and_not_what_it_leads_to),
        FS_TEST(a_hard_link_to_what_was_not_unpacked_is_refused),
        FS_TEST(two_entries_of_one_name_are_refused_unless_both_are_directories),
        FS_TEST(a_file_where_a_directory_is_and_the_reverse_are_refused),
        FS_TEST(a_zip_whose_data_is_longer_or_shorter_than_declared_is_refused),
        FS_TEST(a_tar_that_declares_more_than_it_has_is_refused),
        FS_TEST(maps_of_holes_that_lie_do_no_harm),
        FS_TEST(an_archive_that_is_cut_anywhere_is_refused),
        FS_TEST(a_bomb_is_refused_by_the_quota_before_and_while_it_is_unpacked),
        FS_TEST(a_refusal_callback_can_make_room_for_what_is_declared),
        FS_TEST(ten_million_empty_entries_are_refused_by_the_limit_of_entries),
        FS_TEST(ten_million_empty_entries_are_refused_by_the_nodes_and_by_the_quota),
        FS_TEST(members_of_a_zip_that_overlap_each_count),
        FS_TEST(set_id_bits_are_dropped_unless_asked_for),
        FS_TEST(devices_and_pipes_are_left_out_and_counted),
        FS_TEST(what_is_no_archive_or_reads_files_of_the_host_is_refused),
        FS_TEST(only_the_format_that_is_asked_for_is_read),
        FS_TEST(times_that_no_clock_shows_are_taken_as_near_as_they_can_be),
        FS_TEST(data_with_the_last_name_of_a_file_is_that_of_all_its_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
