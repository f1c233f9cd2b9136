/* Saved and loaded again: formats, compressions, places, and what they keep. */
#include "archives.h"

#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct kind {
    uint32_t format, compression;
    unsigned left_out; /* what the format does not keep */
};

static const struct kind kinds[] = {
    {MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_NONE, 0},
    {MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_GZIP, 0},
    {MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_BZIP2, 0},
    {MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_XZ, 0},
    {MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_ZSTD, 0},
    {MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_LZ4, 0},
    {MEMFS_ARCHIVE_USTAR, MEMFS_ARCHIVE_NONE, WITHOUT_NANOSECONDS | WITHOUT_HOLES},
    {MEMFS_ARCHIVE_GNUTAR, MEMFS_ARCHIVE_ZSTD, WITHOUT_NANOSECONDS | WITHOUT_HOLES},
    {MEMFS_ARCHIVE_CPIO, MEMFS_ARCHIVE_NONE, WITHOUT_NANOSECONDS | WITHOUT_HOLES},
    {MEMFS_ARCHIVE_CPIO, MEMFS_ARCHIVE_GZIP, WITHOUT_NANOSECONDS | WITHOUT_HOLES},
    {MEMFS_ARCHIVE_ZIP, MEMFS_ARCHIVE_USUAL, WITHOUT_NANOSECONDS | WITHOUT_HOLES | WITHOUT_LINKS},
    {MEMFS_ARCHIVE_ZIP, MEMFS_ARCHIVE_NONE, WITHOUT_NANOSECONDS | WITHOUT_HOLES | WITHOUT_LINKS},
};

static memfs_archive_options options_for(const struct kind *kind)
{
    memfs_archive_options options = options_of(0);
    options.format = kind->format;
    options.compression = kind->compression;
    return options;
}

/* A zip has no entry for the root: its mode and time are those of a new directory. */
static void settle_root(memfs *fs, const struct kind *kind)
{
    if (kind->format != MEMFS_ARCHIVE_ZIP)
        return;
    assert_ok(memfs_chmod(fs, "/out", stat_of(fs, "/in").mode));
    assert_ok(memfs_utimens(fs, "/out", 0, stat_of(fs, "/in").modify_ns));
}

static void every_format_keeps_what_it_can(void **state)
{
    struct fixture *f = *state;
    make_sample(f->fs, "/in");
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        memfs_archive_options options = options_for(&kinds[i]);
        memfs_archive_result result;
        struct bytes bytes = save_bytes(f->fs, "/in", &options);
        options.compression = 0;
        assert_ok(load_bytes(f->fs, &bytes, "/out", &options, &result));
        settle_root(f->fs, &kinds[i]);
        assert_same_trees(f->fs, "/in", f->fs, "/out", kinds[i].left_out);
        assert_int_equal(result.files, 7);
        assert_int_equal(result.links, (kinds[i].left_out & WITHOUT_LINKS) != 0 ? 0 : 1);
        assert_int_equal(result.directories, kinds[i].format == MEMFS_ARCHIVE_ZIP ? 5 : 6);
        assert_int_equal(result.symlinks, 1);
        assert_string_equal(result.path, "");
        assert_only(f->fs, "in out ");
        assert_ok(memfs_remove_tree(f->fs, "/out"));
        bytes_free(&bytes);
    }
}

static void pax_keeps_times_before_1970_and_access_times(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/file", "x");
    assert_ok(memfs_utimens(f->fs, "/file", -1500000000, -1));
    struct bytes bytes = save_bytes(f->fs, "/file", NULL);
    assert_ok(load_bytes(f->fs, &bytes, "/out", NULL, NULL));
    assert_int_equal(lstat_of(f->fs, "/out/file").access_ns, -1500000000);
    assert_int_equal(lstat_of(f->fs, "/out/file").modify_ns, -1);
    bytes_free(&bytes);
}

static void a_single_file_or_link_is_saved_under_its_name(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    put(f->fs, "/d/file", "text");
    assert_ok(memfs_symlink(f->fs, "d/file", "/link", 0));
    for (int sorted = 0; sorted < 2; sorted++) {
        memfs_archive_options options = options_of(sorted ? MEMFS_ARCHIVE_DETERMINISTIC : 0);
        struct bytes bytes = save_bytes(f->fs, "/link", &options); /* it is followed */
        assert_ok(load_bytes(f->fs, &bytes, "/out", NULL, NULL));
        assert_names(f->fs, "/out", "file ");
        assert_text(f->fs, "/out/file", "text");
        assert_ok(memfs_remove_tree(f->fs, "/out"));
        bytes_free(&bytes);
    }
}

static void the_whole_tree_can_be_saved(void **state)
{
    struct fixture *f = *state;
    make_sample(f->fs, "/in");
    for (int way = 0; way < 2; way++) {
        memfs_archive_options options = options_of(way != 0 ? MEMFS_ARCHIVE_AT_ONCE : 0);
        struct bytes bytes = save_bytes(f->fs, "/", &options);
        assert_ok(load_bytes(f->other, &bytes, "/all", NULL, NULL));
        assert_names(f->other, "/all", "in ");
        assert_same_trees(f->fs, "/in", f->other, "/all/in", 0);
        assert_only(f->fs, "in ");
        assert_ok(memfs_remove_tree(f->other, "/all"));
        bytes_free(&bytes);
    }
    memfs_list snapshots = {.struct_size = sizeof snapshots};
    assert_ok(memfs_snapshot_list(f->fs, &snapshots));
    assert_int_equal(snapshots.count, 0);
    memfs_list_free(f->fs, &snapshots);
}

/* -------------------------------------------------------------------- places */

static int make_directory(void **state)
{
    static char name[] = "/tmp/memfs-archive-XXXXXX";
    strcpy(name, "/tmp/memfs-archive-XXXXXX");
    if (fixture_setup(state) != 0 || mkdtemp(name) == NULL)
        return -1;
    return chdir(name);
}

static int remove_directory(void **state)
{
    char command[8400], directory[4096];
    if (getcwd(directory, sizeof directory) == NULL || chdir("/") != 0)
        return -1;
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    return system(command) != 0 || fixture_teardown(state) != 0;
}

#define HOST_TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)

static void check_loaded(struct fixture *f)
{
    assert_same_trees(f->fs, "/in", f->fs, "/out", 0);
    assert_ok(memfs_remove_tree(f->fs, "/out"));
    assert_only(f->fs, "in ");
}

static void a_file_of_the_host_is_written_and_replaced_in_one_step(void **state)
{
    struct fixture *f = *state;
    memfs_archive_where file = on_host("x.tar.gz");
    memfs_archive_options replace = options_of(MEMFS_ARCHIVE_REPLACE);
    memfs_archive_result result;
    struct stat status;
    make_sample(f->fs, "/in");
    assert_ok(save(f->fs, "/in", &file, NULL, &result));
    assert_int_equal(stat("x.tar.gz", &status), 0);
    assert_int_equal((uint64_t)status.st_size, result.archive_bytes);
    assert_int_equal(status.st_nlink, 1);
    assert_ok(load(f->fs, &file, "/out", NULL, &result));
    assert_int_equal((uint64_t)status.st_size, result.archive_bytes);
    check_loaded(f);
    assert_returns(save(f->fs, "/in", &file, NULL, &result), MEMFS_EIO);
    assert_int_equal(result.host_errno, 17); /* EEXIST */
    assert_ok(save(f->fs, "/in", &file, &replace, NULL));
    assert_int_equal(system("test \"$(ls -A)\" = x.tar.gz && gzip -t x.tar.gz"), 0);
}

static void a_link_a_directory_or_a_pipe_of_the_host_is_never_written(void **state)
{
    struct fixture *f = *state;
    memfs_archive_options replace = options_of(MEMFS_ARCHIVE_REPLACE);
    put(f->fs, "/in", "x");
    assert_int_equal(system("echo keep > target; ln -s target link; mkdir directory; mkfifo pipe"),
                     0);
    const char *const names[] = {"link", "directory", "pipe", "none/x", ".", "directory/"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        memfs_archive_where to = on_host(names[i]);
        memfs_archive_result result;
        assert_returns(save(f->fs, "/in", &to, &replace, &result), MEMFS_EIO);
        assert_true(result.host_errno != 0);
    }
    assert_int_equal(system("grep -q keep target && test -L link && test -p pipe"), 0);
    assert_int_equal(system("test -z \"$(find . -name '.memfs*')\""), 0);
    memfs_archive_where pipe = on_host("pipe"), directory = on_host("directory");
    assert_returns(load(f->fs, &pipe, "/out", NULL, NULL), MEMFS_EOPNOTSUPP);
    assert_returns(load(f->fs, &directory, "/out", NULL, NULL), MEMFS_EOPNOTSUPP);
}

static void a_file_of_the_tree_is_replaced_in_one_step(void **state)
{
    struct fixture *f = *state;
    memfs_archive_where file = in_tree("/new/dir/x.tar");
    memfs_archive_options replace = options_of(MEMFS_ARCHIVE_REPLACE);
    make_sample(f->fs, "/in");
    assert_ok(save(f->fs, "/in", &file, NULL, NULL));
    assert_ok(load(f->fs, &file, "/out", NULL, NULL));
    assert_same_trees(f->fs, "/in", f->fs, "/out", 0);
    assert_returns(save(f->fs, "/in", &file, NULL, NULL), MEMFS_EEXIST);
    uint64_t number = stat_of(f->fs, "/new/dir/x.tar").number;
    assert_ok(save(f->fs, "/in/bin", &file, &replace, NULL));
    assert_true(stat_of(f->fs, "/new/dir/x.tar").number != number);
    memfs_file *locked = open_file(f->fs, "/new/dir/x.tar", MEMFS_O_READ | MEMFS_O_SHARED_LOCK);
    assert_returns(save(f->fs, "/in", &file, &replace, NULL), MEMFS_EBUSY);
    assert_ok(memfs_close(locked));
    memfs_archive_where directory = in_tree("/new");
    assert_returns(save(f->fs, "/in", &directory, &replace, NULL), MEMFS_EISDIR);
    assert_returns(load(f->fs, &directory, "/out2", NULL, NULL), MEMFS_EISDIR);
    assert_only(f->fs, "in new out ");
}

static void a_tree_that_contains_its_archive_is_saved_without_the_new_one(void **state)
{
    struct fixture *f = *state;
    memfs_archive_where file = in_tree("/in/x.tar");
    memfs_archive_result result;
    make_sample(f->fs, "/in");
    assert_ok(save(f->fs, "/in", &file, NULL, &result));
    assert_int_equal(result.files, 7);
    assert_ok(load(f->fs, &file, "/out", NULL, NULL));
    assert_false(is_there(f->fs, "/out/x.tar"));
}

static void a_descriptor_is_read_from_its_offset_and_a_pipe_as_it_comes(void **state)
{
    struct fixture *f = *state;
    make_sample(f->fs, "/in");
    struct bytes bytes = save_bytes(f->fs, "/in", NULL);
    int file = open("x", O_RDWR | O_CREAT, 0600);
    assert_true(file >= 0 && write(file, "front", 5) == 5);
    memfs_archive_where at = {
        .struct_size = sizeof at, .kind = MEMFS_ARCHIVE_DESCRIPTOR, .descriptor = file};
    assert_ok(save(f->fs, "/in", &at, NULL, NULL));
    assert_int_equal(lseek(file, 5, SEEK_SET), 5);
    assert_ok(load(f->fs, &at, "/out", NULL, NULL));
    assert_int_equal(lseek(file, 0, SEEK_CUR), 5);
    check_loaded(f);
    assert_int_equal(close(file), 0);
    FILE *pipe = popen("tail -c +6 x", "r");
    assert_non_null(pipe);
    at.descriptor = fileno(pipe);
    assert_ok(load(f->fs, &at, "/out", NULL, NULL));
    check_loaded(f);
    assert_int_equal(pclose(pipe), 0);
    at.descriptor = 1000;
    memfs_archive_result result;
    assert_returns(load(f->fs, &at, "/out", NULL, &result), MEMFS_EIO);
    assert_int_equal(result.host_errno, 9); /* EBADF */
    bytes_free(&bytes);
}

static void a_buffer_is_filled_if_it_is_large_enough_or_measured(void **state)
{
    struct fixture *f = *state;
    memfs_archive_result result;
    make_sample(f->fs, "/in");
    struct bytes bytes = save_bytes(f->fs, "/in", NULL);
    memfs_archive_where measure = {.struct_size = sizeof measure, .kind = MEMFS_ARCHIVE_BUFFER};
    assert_ok(save(f->fs, "/in", &measure, NULL, &result));
    assert_int_equal(result.archive_bytes, bytes.size);
    char *buffer = malloc(bytes.size);
    assert_non_null(buffer);
    memfs_archive_where to = measure;
    to.buffer = buffer;
    to.buffer_bytes = bytes.size - 1;
    assert_returns(save(f->fs, "/in", &to, NULL, NULL), MEMFS_ERANGE);
    to.buffer_bytes = bytes.size;
    assert_ok(save(f->fs, "/in", &to, NULL, NULL));
    assert_ok(load(f->fs, &to, "/out", NULL, NULL));
    check_loaded(f);
    free(buffer);
    bytes_free(&bytes);
}

struct feed {
    const struct bytes *bytes;
    int64_t offset;
    size_t piece;    /* the most that one call gives */
    int64_t fail_at; /* from this offset on; -1: never */
    int seeks;
};

static int64_t feed_read(void *context, void *buffer, size_t size)
{
    struct feed *feed = context;
    size_t left = feed->bytes->size - (size_t)feed->offset;
    if (feed->fail_at >= 0 && feed->offset >= feed->fail_at)
        return MEMFS_ETIMEDOUT;
    size = size < feed->piece ? size : feed->piece;
    size = size < left ? size : left;
    memcpy(buffer, feed->bytes->data + feed->offset, size);
    feed->offset += (int64_t)size;
    return (int64_t)size;
}

static int feed_seek(void *context, int64_t offset)
{
    struct feed *feed = context;
    feed->offset = offset;
    feed->seeks++;
    return 0;
}

static memfs_archive_where fed_by(struct feed *feed, bool seeks)
{
    return (memfs_archive_where){.struct_size = sizeof(memfs_archive_where),
                                 .kind = MEMFS_ARCHIVE_CALLBACKS,
                                 .context = feed,
                                 .read = feed_read,
                                 .seek = seeks ? feed_seek : NULL,
                                 .size = (int64_t)feed->bytes->size};
}

static void callbacks_may_give_single_bytes_and_may_seek_or_not(void **state)
{
    struct fixture *f = *state;
    make_sample(f->fs, "/in");
    const uint32_t formats[] = {MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_ZIP, MEMFS_ARCHIVE_CPIO};
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        memfs_archive_options options = options_of(0);
        options.format = formats[i];
        struct bytes bytes = save_bytes(f->fs, "/in", &options);
        for (int seeks = 0; seeks < 2; seeks++) {
            struct feed feed = {.bytes = &bytes, .piece = 1, .fail_at = -1};
            memfs_archive_where from = fed_by(&feed, seeks != 0);
            assert_ok(load(f->fs, &from, "/out", NULL, NULL));
            assert_same_trees(f->fs, "/in/bin", f->fs, "/out/bin",
                              WITHOUT_NANOSECONDS | WITHOUT_LINKS | WITHOUT_HOLES);
            assert_true(seeks == 0 || feed.seeks > 0);
            assert_ok(memfs_remove_tree(f->fs, "/out"));
        }
        bytes_free(&bytes);
    }
}

static void what_a_callback_returns_is_the_error(void **state)
{
    struct fixture *f = *state;
    make_sample(f->fs, "/in");
    struct bytes bytes = save_bytes(f->fs, "/in", NULL);
    for (int64_t at = 0; at < (int64_t)bytes.size; at += 2048) {
        struct feed feed = {.bytes = &bytes, .piece = 1000, .fail_at = at};
        memfs_archive_where from = fed_by(&feed, at % 4096 == 0);
        assert_returns(load(f->fs, &from, "/out", NULL, NULL), MEMFS_ETIMEDOUT);
        assert_only(f->fs, "in ");
    }
    bytes_free(&bytes);
}

static int refuse_bytes(void *context, const void *bytes, size_t size)
{
    int *left = context;
    (void)bytes;
    (void)size;
    return (*left)-- > 0 ? 0 : MEMFS_EAGAIN;
}

static void what_a_writing_callback_returns_is_the_error(void **state)
{
    struct fixture *f = *state;
    make_sample(f->fs, "/in");
    put_pattern(f->fs, "/in/large", 200000, 5);
    for (int pieces = 0; pieces < 3; pieces++) {
        int left = pieces;
        memfs_archive_where to = {.struct_size = sizeof to,
                                  .kind = MEMFS_ARCHIVE_CALLBACKS,
                                  .context = &left,
                                  .write = refuse_bytes};
        assert_returns(save(f->fs, "/in", &to, NULL, NULL), MEMFS_EAGAIN);
        assert_int_equal(left, -1); /* nothing is written after it */
        assert_only(f->fs, "in ");
    }
}

/* --------------------------------------------------------------------- names */

static void names_and_targets_keep_their_bytes_in_any_locale(void **state)
{
    static const char *const names[] = {
        "plain",       "\xc3\xa9",   "e\xcc\x81", "\xe6\x97\xa5\xe6\x9c\xac",
        "bad\xff\xfe", "esc\x1b[2J", "new\nline", "back\\slash"};
    struct fixture *f = *state;
    char path[64];
    assert_ok(memfs_mkdir(f->fs, "/in", 0755));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        snprintf(path, sizeof path, "/in/%s", names[i]);
        put(f->fs, path, names[i]);
        snprintf(path, sizeof path, "/in/link-%zu", i);
        assert_ok(memfs_symlink(f->fs, names[i], path, 0));
        snprintf(path, sizeof path, "/in/%s.d/", names[i]);
        assert_ok(memfs_mkdir_parents(f->fs, path, 0755));
    }
    assert_ok(memfs_link(f->fs, "/in/bad\xff\xfe", "/in/also\xff"));
    assert_ok(memfs_link(f->fs, "/in/e\xcc\x81", "/in/also\xcc\x81"));
    const uint32_t formats[] = {MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_USTAR, MEMFS_ARCHIVE_GNUTAR,
                                MEMFS_ARCHIVE_CPIO};
    char *locale = strdup(setlocale(LC_ALL, NULL));
    locale_t own = uselocale((locale_t)0);
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        memfs_archive_options options = options_of(0);
        options.format = formats[i];
        struct bytes bytes = save_bytes(f->fs, "/in", &options);
        assert_ok(load_bytes(f->fs, &bytes, "/out", NULL, NULL));
        assert_same_trees(f->fs, "/in", f->fs, "/out", WITHOUT_NANOSECONDS);
        assert_ok(memfs_remove_tree(f->fs, "/out"));
        bytes_free(&bytes);
    }
    assert_string_equal(setlocale(LC_ALL, NULL), locale);
    assert_true(uselocale((locale_t)0) == own);
    free(locale);
}

static void zip_keeps_names_in_utf8_and_those_that_are_none(void **state)
{
    static const char *const names[] = {"plain", "\xc3\xa9", "\xe6\x97\xa5", "bad\xff\xfe"};
    struct fixture *f = *state;
    memfs_archive_options options = options_of(0);
    char path[64];
    options.format = MEMFS_ARCHIVE_ZIP;
    assert_ok(memfs_mkdir(f->fs, "/in", 0755));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        snprintf(path, sizeof path, "/in/%s", names[i]);
        put(f->fs, path, names[i]);
    }
    put(f->fs, "/in/e\xcc\x81", "composed");
    assert_ok(memfs_unlink(f->fs, "/in/\xc3\xa9"));
    struct bytes bytes = save_bytes(f->fs, "/in", &options);
    assert_ok(load_bytes(f->fs, &bytes, "/out", NULL, NULL));
    assert_text(f->fs, "/out/\xe6\x97\xa5", "\xe6\x97\xa5");
    assert_text(f->fs, "/out/bad\xff\xfe", "bad\xff\xfe");
    assert_text(f->fs, "/out/\xc3\xa9", "composed"); /* as libarchive reads UTF-8 */
    bytes_free(&bytes);
}

struct locale_watch {
    locale_t expected;
    int calls, wrong;
};

static int watch_locale(void *context, const memfs_archive_progress *progress)
{
    struct locale_watch *watch = context;
    (void)progress;
    watch->calls++;
    watch->wrong += uselocale((locale_t)0) != watch->expected;
    return 0;
}

static void callbacks_run_in_the_threads_own_locale(void **state)
{
    struct fixture *f = *state;
    locale_t own = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    assert_true(own != (locale_t)0);
    locale_t before = uselocale(own);
    struct locale_watch watch = {.expected = own};
    memfs_archive_options options = options_of(0);
    options.watch = watch_locale;
    options.watch_context = &watch;
    put(f->fs, "/file", "x");
    struct bytes bytes = save_bytes(f->fs, "/file", &options);
    assert_ok(load_bytes(f->fs, &bytes, "/out", &options, NULL));
    assert_true(watch.calls > 6);
    assert_int_equal(watch.wrong, 0);
    assert_true(uselocale(before) == own);
    freelocale(own);
    bytes_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(every_format_keeps_what_it_can),
        FS_TEST(pax_keeps_times_before_1970_and_access_times),
        FS_TEST(a_single_file_or_link_is_saved_under_its_name),
        FS_TEST(the_whole_tree_can_be_saved),
        HOST_TEST(a_file_of_the_host_is_written_and_replaced_in_one_step),
        HOST_TEST(a_link_a_directory_or_a_pipe_of_the_host_is_never_written),
        FS_TEST(a_file_of_the_tree_is_replaced_in_one_step),
        FS_TEST(a_tree_that_contains_its_archive_is_saved_without_the_new_one),
        HOST_TEST(a_descriptor_is_read_from_its_offset_and_a_pipe_as_it_comes),
        FS_TEST(a_buffer_is_filled_if_it_is_large_enough_or_measured),
        FS_TEST(callbacks_may_give_single_bytes_and_may_seek_or_not),
        FS_TEST(what_a_callback_returns_is_the_error),
        FS_TEST(what_a_writing_callback_returns_is_the_error),
        FS_TEST(names_and_targets_keep_their_bytes_in_any_locale),
        FS_TEST(zip_keeps_names_in_utf8_and_those_that_are_none),
        FS_TEST(callbacks_run_in_the_threads_own_locale),
    };
    (void)setlocale(LC_ALL, ""); /* the environment says which */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
