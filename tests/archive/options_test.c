/* What the options choose, what the watch sees, and what a caller may pass. */
#include "archives.h"

#include <limits.h>

static struct bytes sample_bytes(struct fixture *f)
{
    make_sample(f->fs, "/in");
    return save_bytes(f->fs, "/in", NULL);
}

static void patterns_choose_in_both_directions(void **state)
{
    static const char *const include[] = {"**/f*", "bin/*", NULL};
    static const char *const exclude[] = {"bin/t*", "deep/er", NULL};
    struct fixture *f = *state;
    memfs_archive_result result;
    struct bytes bytes = sample_bytes(f);
    memfs_archive_options options = options_of(0);
    options.include = include;
    options.exclude = exclude;
    assert_ok(load_bytes(f->fs, &bytes, "/out", &options, &result));
    assert_names(f->fs, "/out", "bin empty deep ");
    assert_names(f->fs, "/out/bin", "alias ");
    assert_names(f->fs, "/out/deep", "");
    assert_int_equal(result.filtered, 9);
    assert_ok(memfs_remove_tree(f->fs, "/out"));
    bytes_free(&bytes);
    bytes = save_bytes(f->fs, "/in", &options);
    assert_ok(load_bytes(f->fs, &bytes, "/out", NULL, NULL));
    assert_names(f->fs, "/out", "bin empty deep ");
    assert_names(f->fs, "/out/bin", "alias ");
    bytes_free(&bytes);
}

static void leading_components_can_be_stripped(void **state)
{
    struct fixture *f = *state;
    memfs_archive_result result;
    struct bytes bytes = sample_bytes(f);
    memfs_archive_options options = options_of(0);
    options.strip = 1;
    assert_ok(load_bytes(f->fs, &bytes, "/out", &options, &result));
    assert_true(is_there(f->fs, "/out/er/est/file"));
    assert_true(is_there(f->fs, "/out/tool") && is_there(f->fs, "/out/twin"));
    assert_int_equal(stat_of(f->fs, "/out/tool").links, 2);
    assert_false(is_there(f->fs, "/out/text"));
    bytes_free(&bytes);
}

static void what_is_there_is_refused_or_replaced(void **state)
{
    struct fixture *f = *state;
    struct bytes bytes = sample_bytes(f);
    memfs_archive_options replace = options_of(MEMFS_ARCHIVE_REPLACE);
    assert_ok(memfs_mkdir_parents(f->fs, "/out/old", 0755));
    put(f->fs, "/file", "x");
    assert_refused(f->fs, load_bytes(f->fs, &bytes, "/out", NULL, NULL), MEMFS_EEXIST);
    assert_returns(load_bytes(f->fs, &bytes, "/file", NULL, NULL), MEMFS_EEXIST);
    assert_returns(load_bytes(f->fs, &bytes, "/", &replace, NULL), MEMFS_EBUSY);
    memfs_file *locked = create_file(f->fs, "/out/old/locked");
    assert_ok(memfs_lock(locked, MEMFS_LOCK_SHARED, 0));
    assert_returns(load_bytes(f->fs, &bytes, "/out", &replace, NULL), MEMFS_EBUSY);
    assert_ok(memfs_close(locked));
    assert_ok(load_bytes(f->fs, &bytes, "/out", &replace, NULL));
    assert_ok(load_bytes(f->fs, &bytes, "/file", &replace, NULL));
    assert_ok(load_bytes(f->fs, &bytes, "/new/and/deep", &replace, NULL));
    assert_same_trees(f->fs, "/in", f->fs, "/out", 0);
    assert_same_trees(f->fs, "/in", f->fs, "/file", 0);
    assert_same_trees(f->fs, "/in", f->fs, "/new/and/deep", 0);
    bytes_free(&bytes);
}

static void the_limits_hold_to_the_last_one_that_is_allowed(void **state)
{
    struct fixture *f = *state;
    struct bytes bytes = sample_bytes(f);
    memfs_archive_result result;
    assert_ok(load_bytes(f->fs, &bytes, "/all", NULL, &result));
    uint64_t entries = result.files + result.directories + result.symlinks;
    for (int below = 0; below < 2; below++) {
        unsigned less = (unsigned)below;
        memfs_archive_options limits[5];
        static const int errors[] = {MEMFS_EOVERFLOW, MEMFS_EFBIG, MEMFS_EFBIG, MEMFS_ENAMETOOLONG,
                                     MEMFS_ENAMETOOLONG};
        for (size_t i = 0; i < COUNT_OF(limits); i++)
            limits[i] = options_of(0);
        limits[0].max_entries = entries - less;
        limits[1].max_bytes = result.bytes - less;
        limits[2].max_bytes_read = bytes.size - less;
        limits[3].max_depth = 4 - less;
        limits[4].max_path_bytes = (uint32_t)strlen("deep/er/est/file") - less;
        for (size_t i = 0; i < COUNT_OF(limits); i++) {
            for (int once = 0; once < 2; once++) {
                limits[i].flags = once != 0 ? MEMFS_ARCHIVE_NO_SURVEY : 0;
                assert_returns(load_bytes(f->fs, &bytes, "/out", &limits[i], NULL),
                               below != 0 ? errors[i] : 0);
                if (below == 0)
                    assert_ok(memfs_remove_tree(f->fs, "/out"));
            }
        }
    }
    assert_only(f->fs, "in all ");
    bytes_free(&bytes);
}

static void owners_are_taken_if_asked_for(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/in", "x");
    assert_ok(memfs_chown(f->fs, "/in", 12, 34));
    struct bytes bytes = save_bytes(f->fs, "/in", NULL);
    memfs_archive_options owners = options_of(MEMFS_ARCHIVE_OWNERS);
    assert_ok(load_bytes(f->fs, &bytes, "/without", NULL, NULL));
    assert_ok(load_bytes(f->fs, &bytes, "/with", &owners, NULL));
    assert_int_equal(stat_of(f->fs, "/without/in").uid, 0);
    assert_int_equal(stat_of(f->fs, "/with/in").uid, 12);
    assert_int_equal(stat_of(f->fs, "/with/in").gid, 34);
    bytes_free(&bytes);
}

/* Two trees with the same content, made in different orders and at different times. */
static void equal_trees_give_equal_bytes_if_asked_for(void **state)
{
    static const uint32_t kinds[][2] = {{MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_GZIP},
                                        {MEMFS_ARCHIVE_CPIO, MEMFS_ARCHIVE_NONE},
                                        {MEMFS_ARCHIVE_ZIP, MEMFS_ARCHIVE_USUAL}};
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/in", 0755));
    put(f->fs, "/in/b", "b");
    put(f->fs, "/in/a", "a");
    assert_ok(memfs_mkdir(f->other, "/in", 0755));
    put(f->other, "/in/a", "a");
    put(f->other, "/in/b", "b");
    assert_ok(memfs_chown(f->other, "/in/b", 5, 5));
    assert_ok(memfs_utimens(f->other, "/in/b", 1, 1));
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        memfs_archive_options options = options_of(MEMFS_ARCHIVE_DETERMINISTIC);
        options.format = kinds[i][0];
        options.compression = kinds[i][1];
        options.fixed_time_ns = INT64_C(1234567890000000000);
        struct bytes one = save_bytes(f->fs, "/in", &options);
        struct bytes other = save_bytes(f->other, "/in", &options);
        assert_int_equal(one.size, other.size);
        assert_memory_equal(one.data, other.data, one.size);
        assert_ok(load_bytes(f->fs, &one, "/out", NULL, NULL));
        assert_names(f->fs, "/out", "a b ");
        assert_int_equal(stat_of(f->fs, "/out/a").modify_ns, options.fixed_time_ns);
        assert_ok(memfs_remove_tree(f->fs, "/out"));
        bytes_free(&one);
        bytes_free(&other);
    }
}

static void the_ending_of_a_path_chooses_format_and_compression(void **state)
{
    static const struct {
        const char *name, *mark;
        size_t length;
    } files[] = {{"/x.zip", "PK", 2},
                 {"/x.tar", "./", 2},
                 {"/x.TGZ", "\x1f\x8b", 2},
                 {"/x.tar.xz",
                  "\xfd"
                  "7zXZ",
                  5},
                 {"/x.tar.bz2", "BZh", 3},
                 {"/x.tar.zst", "\x28\xb5\x2f\xfd", 4},
                 {"/x.cpio", "070701", 6},
                 {"/x.cpio.gz", "\x1f\x8b", 2}};
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/in", 0755));
    assert_ok(memfs_utimens(f->fs, "/in", 1000000000, 1000000000));
    put(f->fs, "/in/file", "x");
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        memfs_archive_where to = in_tree(files[i].name);
        memfs_archive_options level = options_of(MEMFS_ARCHIVE_REPLACE);
        char start[8];
        assert_ok(save(f->fs, "/in", &to, NULL, NULL));
        memfs_file *file = open_file(f->fs, files[i].name, MEMFS_O_READ);
        assert_returns(memfs_pread(file, start, files[i].length, 0), files[i].length);
        assert_ok(memfs_close(file));
        if (i != 1) /* a pax begins with its own header's name */
            assert_memory_equal(start, files[i].mark, files[i].length);
        level.level = 9;
        assert_ok(save(f->fs, "/in", &to, &level, NULL));
        assert_ok(load(f->fs, &to, "/out", NULL, NULL));
        assert_text(f->fs, "/out/file", "x");
        assert_ok(memfs_remove_tree(f->fs, "/out"));
    }
}

static void what_a_format_cannot_hold_is_refused_with_words(void **state)
{
    struct fixture *f = *state;
    char path[300] = "/";
    memset(path + 1, 'n', 200);
    put(f->fs, path, "x");
    memfs_archive_options ustar = options_of(0);
    memfs_archive_where to = in_tree("/x.tar");
    memfs_archive_result result;
    ustar.format = MEMFS_ARCHIVE_USTAR;
    assert_returns(save(f->fs, path, &to, &ustar, &result), MEMFS_EOPNOTSUPP);
    assert_true(result.message[0] != '\0');
    assert_string_equal(result.path, path + 1);
    assert_false(is_there(f->fs, "/x.tar"));
}

/* --------------------------------------------------------------------- watch */

struct watching {
    int calls, cancel_at;
    memfs_archive_progress last;
};

static int watch(void *context, const memfs_archive_progress *progress)
{
    struct watching *watching = context;
    watching->last = *progress;
    watching->last.path = NULL;
    assert_non_null(progress->path);
    return ++watching->calls == watching->cancel_at ? MEMFS_ARCHIVE_CANCEL : 0;
}

static void progress_reaches_its_totals(void **state)
{
    struct fixture *f = *state;
    struct bytes bytes = sample_bytes(f);
    for (int saves = 0; saves < 2; saves++) {
        struct watching watching = {0};
        memfs_archive_options options = options_of(0);
        options.watch = watch;
        options.watch_context = &watching;
        if (saves != 0) {
            struct bytes again = save_bytes(f->fs, "/in", &options);
            bytes_free(&again);
        } else {
            assert_ok(load_bytes(f->fs, &bytes, "/out", &options, NULL));
        }
        assert_int_equal(watching.last.entries_total, 14);
        assert_int_equal(watching.last.entries_done, 14);
        assert_true(watching.last.bytes_total > 8192);
        assert_int_equal(watching.last.bytes_done, watching.last.bytes_total);
    }
    bytes_free(&bytes);
}

static void a_watch_can_cancel_at_every_call(void **state)
{
    struct fixture *f = *state;
    memfs_archive_where to = in_tree("/x.tar");
    struct bytes bytes = sample_bytes(f);
    for (int saves = 0; saves < 2; saves++) {
        int error = MEMFS_ARCHIVE_CANCEL;
        for (int at = 1; error != 0; at++) {
            struct watching watching = {.cancel_at = at};
            memfs_archive_options options = options_of(0);
            options.watch = watch;
            options.watch_context = &watching;
            error = saves != 0 ? save(f->fs, "/in", &to, &options, NULL)
                               : load_bytes(f->fs, &bytes, "/out", &options, NULL);
            assert_true(error == 0 || error == MEMFS_ARCHIVE_CANCEL);
            if (error != 0)
                assert_only(f->fs, "in ");
        }
        assert_ok(memfs_remove_tree(f->fs, saves != 0 ? "/x.tar" : "/out"));
    }
    bytes_free(&bytes);
}

/* ----------------------------------------------------------------- arguments */

static void absurd_arguments_are_invalid(void **state)
{
    struct fixture *f = *state;
    static const char *const unclosed[] = {"[", NULL};
    struct bytes bytes = sample_bytes(f);
    memfs_archive_where good = in_buffer(&bytes), bad[8];
    memfs_archive_options options[7];
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        bad[i] = good;
    bad[0].struct_size = 0;
    bad[1].kind = 5;
    bad[2] = on_host(NULL);
    bad[3] = in_tree("");
    bad[4].buffer = NULL;
    bad[5].kind = MEMFS_ARCHIVE_DESCRIPTOR;
    bad[5].descriptor = -1;
    bad[6].kind = MEMFS_ARCHIVE_CALLBACKS;
    bad[7].struct_size = 1;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_returns(memfs_archive_load(f->fs, &bad[i], "/out", NULL, NULL), MEMFS_EINVAL);
    for (size_t i = 0; i < COUNT_OF(options); i++)
        options[i] = options_of(0);
    options[0].flags = 0x80000000u;
    options[1].flags = MEMFS_ARCHIVE_AT_ONCE;
    options[2].format = 6;
    options[3].compression = 7;
    options[4].include = unclosed;
    options[5].max_path_bytes = MEMFS_PATH_MAX + 1;
    options[6].struct_size = 3;
    for (size_t i = 0; i < COUNT_OF(options); i++)
        assert_returns(memfs_archive_load(f->fs, &good, "/out", &options[i], NULL), MEMFS_EINVAL);
    memfs_archive_result small = {.struct_size = 8};
    assert_returns(memfs_archive_load(f->fs, &good, "/out", NULL, &small), MEMFS_EINVAL);
    assert_returns(memfs_archive_load(NULL, &good, "/out", NULL, NULL), MEMFS_EINVAL);
    assert_returns(memfs_archive_load(f->fs, NULL, "/out", NULL, NULL), MEMFS_EINVAL);
    assert_returns(memfs_archive_load(f->fs, &good, NULL, NULL, NULL), MEMFS_EINVAL);
    assert_returns(memfs_archive_save(f->fs, NULL, &good, NULL, NULL), MEMFS_EINVAL);
    assert_returns(memfs_archive_save(f->fs, "/none", &good, NULL, NULL), MEMFS_ENOENT);
    bytes_free(&bytes);
}

static void structs_of_other_versions_are_taken(void **state)
{
    struct fixture *f = *state;
    struct bytes bytes = sample_bytes(f);
    struct {
        memfs_archive_options options;
        uint64_t later;
    } larger = {.options = {.struct_size = sizeof larger}};
    struct {
        memfs_archive_where where;
        uint64_t later;
    } place = {.where = in_buffer(&bytes)};
    place.where.struct_size = sizeof place;
    assert_ok(memfs_archive_load(f->fs, &place.where, "/1", &larger.options, NULL));
    larger.later = 1;
    assert_returns(memfs_archive_load(f->fs, &place.where, "/2", &larger.options, NULL),
                   MEMFS_E2BIG);
    memfs_archive_where where = in_buffer(&bytes);
    where.struct_size = offsetof(memfs_archive_where, context);
    memfs_archive_options older = {.struct_size = offsetof(memfs_archive_options, level)};
    memfs_archive_result result = {.struct_size = offsetof(memfs_archive_result, files),
                                   .files = 77};
    assert_ok(memfs_archive_load(f->fs, &where, "/3", &older, &result));
    assert_int_equal(result.files, 77);
    struct {
        memfs_archive_result result;
        uint64_t later;
    } told = {.result = {.struct_size = sizeof told}, .later = 77};
    assert_ok(memfs_archive_load(f->fs, &where, "/4", NULL, &told.result));
    assert_int_equal(told.later, 0);
    assert_int_equal(told.result.struct_size, sizeof told);
    told.result.struct_size = (size_t)-1; /* never set */
    assert_returns(memfs_archive_load(f->fs, &where, "/5", NULL, &told.result), MEMFS_E2BIG);
    larger.options.struct_size = (size_t)-1;
    assert_returns(memfs_archive_load(f->fs, &where, "/5", &larger.options, NULL), MEMFS_E2BIG);
    bytes_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(patterns_choose_in_both_directions),
        FS_TEST(leading_components_can_be_stripped),
        FS_TEST(what_is_there_is_refused_or_replaced),
        FS_TEST(the_limits_hold_to_the_last_one_that_is_allowed),
        FS_TEST(owners_are_taken_if_asked_for),
        FS_TEST(equal_trees_give_equal_bytes_if_asked_for),
        FS_TEST(the_ending_of_a_path_chooses_format_and_compression),
        FS_TEST(what_a_format_cannot_hold_is_refused_with_words),
        FS_TEST(progress_reaches_its_totals),
        FS_TEST(a_watch_can_cancel_at_every_call),
        FS_TEST(absurd_arguments_are_invalid),
        FS_TEST(structs_of_other_versions_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
