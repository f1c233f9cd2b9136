/* Filters, progress, cancelling, and arguments that make no sense. */
#include "hosttree.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static memfs_hostdir_options with_flags(uint32_t flags)
{
    memfs_hostdir_options options = {.struct_size = sizeof options, .flags = flags};
    return options;
}

/* src/{main.c, main.o, big.c, lib/{a.c, a.o, deep/b.c}}, .git/config, link -> src */
static void make_project(const struct hosttree *t)
{
    host_mkdir(t, "p", 0755);
    host_mkdir(t, "p/src", 0755);
    host_mkdir(t, "p/src/lib", 0755);
    host_mkdir(t, "p/src/lib/deep", 0755);
    host_mkdir(t, "p/.git", 0755);
    host_write(t, "p/src/main.c", "main", 0644);
    host_write(t, "p/src/main.o", "object", 0644);
    host_write(t, "p/src/big.c", "more than the others have", 0644);
    host_write(t, "p/src/lib/a.c", "a", 0644);
    host_write(t, "p/src/lib/a.o", "object", 0644);
    host_write(t, "p/src/lib/deep/b.c", "b", 0644);
    host_write(t, "p/.git/config", "config", 0644);
    host_symlink(t, "src", "p/link");
}

/* Imports with the options into one tree, exports all with them out of another: both must have
 * these paths, as memfs_glob() gives them. */
static void assert_copied(const struct hosttree *t, const memfs_hostdir_options *options,
                          const char *paths)
{
    memfs_hostdir_result in, out;
    memfs_list list = {.struct_size = sizeof list};
    char found[1024] = "";
    assert_ok(import_tree(t, "p", "/filtered", options, &in));
    assert_ok(import_tree(t, "p", "/all", NULL, NULL));
    assert_ok(export_tree(t, "/all", "out", options, &out));
    assert_ok(import_tree(t, "out", "/back", NULL, NULL));
    assert_int_equal(in.filtered, out.filtered);
    assert_int_equal(in.files, out.files);
    static const char *const roots[] = {"/filtered/", "/back/"};
    for (int i = 0; i < 2; i++) {
        char pattern[32];
        snprintf(pattern, sizeof pattern, "%s**", roots[i]);
        assert_ok(memfs_glob(t->fs, pattern, &list));
        found[0] = '\0';
        for (size_t n = 0; n < list.count; n++)
            if (strlen(list.names[n]) > strlen(roots[i]))
                strcat(strcat(found, list.names[n] + strlen(roots[i])), " ");
        memfs_list_free(t->fs, &list);
        assert_string_equal(found, paths);
    }
}

static void included_are_files_and_links_that_match_and_all_directories(void **state)
{
    struct hosttree *t = *state;
    static const char *const include[] = {"**/*.c", "lin?", NULL};
    memfs_hostdir_options options = with_flags(0);
    options.include = include;
    make_project(t);
    assert_copied(t, &options,
                  ".git link src src/big.c src/lib src/lib/a.c src/lib/deep src/lib/deep/b.c "
                  "src/main.c ");
}

static void excluded_directories_are_left_out_with_all_that_is_in_them(void **state)
{
    struct hosttree *t = *state;
    static const char *const exclude[] = {".git", "**/*.o", "src/lib/deep", NULL};
    memfs_hostdir_options options = with_flags(0);
    options.exclude = exclude;
    make_project(t);
    assert_copied(t, &options, "link src src/big.c src/lib src/lib/a.c src/main.c ");
}

static void files_above_the_size_are_left_out(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_options options = with_flags(0);
    options.max_file_bytes = 5;
    make_project(t);
    assert_copied(t, &options,
                  ".git link src src/lib src/lib/a.c src/lib/deep src/lib/deep/b.c src/main.c ");
}

static void directories_on_the_last_level_are_made_and_stay_empty(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_options options = with_flags(0);
    options.max_depth = 2;
    make_project(t);
    host_set_times(t, "p/src/lib", 5, 77);
    assert_copied(t, &options,
                  ".git .git/config link src src/big.c src/lib src/main.c src/main.o ");
    assert_int_equal(stat_of(t->fs, "/filtered/src/lib").modify_ns, 77);
    assert_int_equal(stat_of(t->fs, "/back/src/lib").modify_ns, 77);
}

static int select_small_and_shallow(void *context, const memfs_hostdir_entry *entry)
{
    int *calls = context;
    ++*calls;
    const char *slash = strrchr(entry->path, '/');
    assert_string_equal(entry->name, slash != NULL ? slash + 1 : entry->path);
    assert_true(entry->depth > 0);
    if (entry->kind == MEMFS_KIND_SYMLINK)
        return MEMFS_HOSTDIR_LEAVE;
    if (entry->kind == MEMFS_KIND_DIRECTORY)
        return strcmp(entry->path, "src/lib") == 0 ? MEMFS_HOSTDIR_LEAVE : MEMFS_HOSTDIR_TAKE;
    assert_int_equal(entry->mode, 0644);
    assert_true(entry->modify_ns > 0);
    return entry->size_bytes > 10 ? MEMFS_HOSTDIR_LEAVE : MEMFS_HOSTDIR_TAKE;
}

static void a_callback_has_the_last_word(void **state)
{
    struct hosttree *t = *state;
    static const char *const exclude[] = {"**/*.o", NULL};
    int calls = 0;
    memfs_hostdir_options options = with_flags(0);
    options.exclude = exclude;
    options.filter = select_small_and_shallow;
    options.filter_context = &calls;
    make_project(t);
    assert_copied(t, &options, ".git .git/config src src/main.c ");
    assert_int_equal(calls, 2 * 7); /* not about what was excluded, nor in src/lib */
}

static int answer(void *context, const memfs_hostdir_entry *entry)
{
    return strcmp(entry->name, "a.c") == 0 ? *(int *)context : MEMFS_HOSTDIR_TAKE;
}

static void a_filter_can_end_the_copy(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_result result;
    int with = MEMFS_HOSTDIR_CANCEL;
    memfs_hostdir_options options = with_flags(0);
    options.filter = answer;
    options.filter_context = &with;
    make_project(t);
    assert_returns(import_tree(t, "p", "/p", &options, &result), MEMFS_HOSTDIR_CANCEL);
    assert_non_null(strstr(result.path, "/p/src/lib/a.c"));
    with = 17;
    assert_returns(import_tree(t, "p", "/p", &options, &result), MEMFS_EINVAL);
    assert_only(t, "");
    assert_ok(import_tree(t, "p", "/p", NULL, NULL));
    assert_returns(export_tree(t, "/p", "out", &options, &result), MEMFS_EINVAL);
    assert_string_equal(result.path, "/p/src/lib/a.c");
    assert_host_names(t, "", "p ");
}

/* ------------------------------------------------------------------ progress */

struct watch {
    uint64_t calls, cancel_at; /* 0: never */
    memfs_hostdir_progress last;
    bool saw_file;
};

static int watch(void *context, const memfs_hostdir_progress *progress)
{
    struct watch *w = context;
    w->calls++;
    assert_true(progress->entries_done >= w->last.entries_done);
    assert_true(progress->bytes_done >= w->last.bytes_done);
    w->saw_file = w->saw_file || strcmp(progress->path, "sub/one") == 0;
    w->last = *progress;
    return w->calls == w->cancel_at ? MEMFS_HOSTDIR_CANCEL : 0;
}

static memfs_hostdir_options watched(struct watch *w, uint32_t flags)
{
    memfs_hostdir_options options = with_flags(flags);
    options.watch = watch;
    options.watch_context = w;
    return options;
}

static void progress_ends_at_the_totals(void **state)
{
    struct hosttree *t = *state;
    static const char *const exclude[] = {"readonly", NULL};
    struct watch w = {.calls = 0};
    memfs_hostdir_options options = watched(&w, MEMFS_HOSTDIR_COUNT);
    options.exclude = exclude;
    host_make_sample(t, "sample");
    assert_ok(import_tree(t, "sample", "/s", &options, NULL));
    assert_true(w.saw_file);
    assert_int_equal(w.last.entries_total, 20);
    assert_int_equal(w.last.entries_done, w.last.entries_total);
    assert_true(w.last.bytes_total > 3u << 20);
    assert_int_equal(w.last.bytes_done, w.last.bytes_total);
    assert_string_equal(w.last.path, "");
    uint64_t bytes = w.last.bytes_total;
    memset(&w, 0, sizeof w);
    assert_ok(export_tree(t, "/s", "out", &options, NULL));
    assert_true(w.saw_file);
    assert_int_equal(w.last.entries_total, 20);
    assert_int_equal(w.last.entries_done, w.last.entries_total);
    assert_int_equal(w.last.bytes_total, bytes);
    assert_int_equal(w.last.bytes_done, bytes);
}

static void totals_are_unknown_unless_counted(void **state)
{
    struct hosttree *t = *state;
    struct watch w = {.calls = 0};
    memfs_hostdir_options options = watched(&w, 0);
    host_write(t, "f", "text", 0644);
    assert_ok(import_tree(t, "f", "/f", &options, NULL));
    assert_int_equal(w.last.entries_total, 0);
    assert_int_equal(w.last.entries_done, 1);
    assert_int_equal(w.last.bytes_done, 4);
    memset(&w, 0, sizeof w);
    options.flags = MEMFS_HOSTDIR_COUNT;
    assert_ok(export_tree(t, "/f", "g", &options, NULL));
    assert_int_equal(w.last.entries_total, 1);
    assert_int_equal(w.last.entries_done, 1);
    assert_int_equal(w.last.bytes_total, 4);
}

static void a_copy_can_be_cancelled_at_each_step_and_leaves_nothing(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_result result;
    host_make_sample(t, "sample");
    uint64_t used = used_bytes(t->fs);
    int error;
    uint64_t step = 0;
    do {
        struct watch w = {.cancel_at = ++step};
        memfs_hostdir_options options = watched(&w, MEMFS_HOSTDIR_COUNT);
        error = import_tree(t, "sample", "/s", &options, &result);
        if (error != 0) {
            assert_int_equal(error, MEMFS_HOSTDIR_CANCEL);
            assert_only(t, "");
            assert_int_equal(used_bytes(t->fs), used);
        }
    } while (error != 0);
    assert_true(step > 25); /* each entry, and the pieces of the large one */
    used = used_bytes(t->fs);
    uint64_t exports = 0;
    do {
        struct watch w = {.cancel_at = ++exports};
        memfs_hostdir_options options = watched(&w, 0);
        error = export_tree(t, "/s", "out", &options, &result);
        if (error != 0) {
            assert_int_equal(error, MEMFS_HOSTDIR_CANCEL);
            assert_host_names(t, "", "sample ");
            assert_int_equal(used_bytes(t->fs), used);
        }
    } while (error != 0);
    assert_true(exports > 25);
    assert_only(t, "s ");
}

/* ----------------------------------------------------------------- arguments */

static void arguments_that_make_no_sense_are_refused(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_result result = {.struct_size = sizeof result};
    static const char *const bad[] = {"fine", "[", NULL};
    memfs_hostdir_options options = with_flags(0);
    const char *path = host(t, "f");
    host_write(t, "f", "text", 0644);
    assert_returns(memfs_hostdir_import(NULL, path, "/f", NULL, &result), MEMFS_EINVAL);
    assert_returns(memfs_hostdir_import(t->fs, NULL, "/f", NULL, &result), MEMFS_EINVAL);
    assert_returns(memfs_hostdir_import(t->fs, path, NULL, NULL, &result), MEMFS_EINVAL);
    assert_returns(memfs_hostdir_export(NULL, "/", path, NULL, &result), MEMFS_EINVAL);
    assert_returns(memfs_hostdir_export(t->fs, NULL, path, NULL, &result), MEMFS_EINVAL);
    assert_returns(memfs_hostdir_export(t->fs, "/", NULL, NULL, &result), MEMFS_EINVAL);
    static const uint32_t bad_imports[] = {MEMFS_HOSTDIR_MERGE, MEMFS_HOSTDIR_CHANGED,
                                           MEMFS_HOSTDIR_SPECIAL_BITS, 0x80000000u};
    for (size_t i = 0; i < COUNT_OF(bad_imports); i++) {
        options.flags = bad_imports[i];
        assert_returns(memfs_hostdir_import(t->fs, path, "/f", &options, NULL), MEMFS_EINVAL);
    }
    static const uint32_t bad_exports[] = {
        MEMFS_HOSTDIR_SKIP_UNREADABLE, MEMFS_HOSTDIR_ONE_FILE_SYSTEM,
        MEMFS_HOSTDIR_REPLACE | MEMFS_HOSTDIR_MERGE, MEMFS_HOSTDIR_REPLACE | MEMFS_HOSTDIR_CHANGED};
    for (size_t i = 0; i < COUNT_OF(bad_exports); i++) {
        options.flags = bad_exports[i];
        assert_returns(memfs_hostdir_export(t->fs, "/", path, &options, NULL), MEMFS_EINVAL);
    }
    options.flags = 0;
    options.include = bad;
    assert_returns(memfs_hostdir_import(t->fs, path, "/f", &options, NULL), MEMFS_EINVAL);
    options.include = NULL;
    options.exclude = bad;
    assert_returns(memfs_hostdir_import(t->fs, path, "/f", &options, NULL), MEMFS_EINVAL);
    assert_only(t, "");
}

static void structs_of_older_and_newer_programs_are_understood(void **state)
{
    struct hosttree *t = *state;
    struct {
        memfs_hostdir_options options;
        uint64_t new_field;
    } newer = {.options = with_flags(MEMFS_HOSTDIR_REPLACE)};
    struct {
        memfs_hostdir_result result;
        uint64_t new_field;
    } larger = {.new_field = 77};
    host_mkdir(t, "d", 0755);
    newer.options.struct_size = sizeof newer;
    larger.result.struct_size = sizeof larger;
    const char *path = host(t, "d");
    assert_ok(memfs_hostdir_import(t->fs, path, "/d", &newer.options, &larger.result));
    assert_int_equal(larger.result.directories, 1);
    assert_int_equal(larger.new_field, 0);
    newer.new_field = 1;
    assert_returns(memfs_hostdir_import(t->fs, path, "/d", &newer.options, NULL), MEMFS_E2BIG);
    /* An older one has no filters yet: what is behind its end is not looked at. */
    static const char *const bad[] = {"[", NULL};
    memfs_hostdir_options older = with_flags(MEMFS_HOSTDIR_REPLACE);
    older.struct_size = offsetof(memfs_hostdir_options, include);
    older.include = bad;
    memfs_hostdir_result small;
    memset(&small, 0x55, sizeof small);
    small.struct_size = offsetof(memfs_hostdir_result, path);
    assert_ok(memfs_hostdir_import(t->fs, path, "/d", &older, &small));
    assert_int_equal(small.directories, 1);
    assert_int_equal(small.path[0], 0x55);
    older.struct_size = 3;
    assert_returns(memfs_hostdir_import(t->fs, path, "/d", &older, NULL), MEMFS_EINVAL);
    older.struct_size = (size_t)-1; /* never set */
    assert_returns(memfs_hostdir_import(t->fs, path, "/d", &older, NULL), MEMFS_E2BIG);
    small.struct_size = 3;
    assert_returns(memfs_hostdir_import(t->fs, path, "/d", NULL, &small), MEMFS_EINVAL);
    small.struct_size = (size_t)-1;
    assert_returns(memfs_hostdir_import(t->fs, path, "/d", NULL, &small), MEMFS_E2BIG);
}

static void a_path_that_is_too_long_to_be_told_is_told_by_its_end(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_result result;
    memfs_dir *at = open_dir(t->fs, "/"), *below;
    for (int level = 0; level < 1000; level++) {
        assert_ok(memfs_mkdirat(t->fs, at, "directory", 0755));
        assert_ok(memfs_opendirat(t->fs, at, "directory", &below));
        assert_ok(memfs_closedir(at));
        at = below;
    }
    assert_ok(memfs_symlinkat(t->fs, "/outside", at, "the end", 0));
    assert_ok(memfs_closedir(at));
    memfs_hostdir_options options = with_flags(MEMFS_HOSTDIR_INNER_LINKS);
    assert_returns(export_tree(t, "/", "out", &options, &result), MEMFS_EXDEV);
    assert_int_equal(strlen(result.path), MEMFS_PATH_MAX);
    assert_memory_equal(result.path, "...", 3);
    assert_non_null(strstr(result.path, "directory/the end"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_TEST(included_are_files_and_links_that_match_and_all_directories),
        HOST_TEST(excluded_directories_are_left_out_with_all_that_is_in_them),
        HOST_TEST(files_above_the_size_are_left_out),
        HOST_TEST(directories_on_the_last_level_are_made_and_stay_empty),
        HOST_TEST(a_callback_has_the_last_word),
        HOST_TEST(a_filter_can_end_the_copy),
        HOST_TEST(progress_ends_at_the_totals),
        HOST_TEST(totals_are_unknown_unless_counted),
        HOST_TEST(a_copy_can_be_cancelled_at_each_step_and_leaves_nothing),
        HOST_TEST(arguments_that_make_no_sense_are_refused),
        HOST_TEST(structs_of_older_and_newer_programs_are_understood),
        HOST_TEST(a_path_that_is_too_long_to_be_told_is_told_by_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
