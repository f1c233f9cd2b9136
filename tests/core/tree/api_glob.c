/* Patterns: what each sign matches, and what it does not. */
#include "checks.h"

/* The matches with a blank after each. */
static const char *matches(memfs *fs, const char *pattern)
{
    static char text[4096];
    memfs_list list = {.struct_size = sizeof list};
    assert_ok(memfs_glob(fs, pattern, &list));
    text[0] = '\0';
    for (size_t i = 0; i < list.count; i++) {
        assert_true(strlen(text) + strlen(list.names[i]) + 2 < sizeof text);
        strcat(text, list.names[i]);
        strcat(text, " ");
    }
    assert_null(list.names[list.count]);
    memfs_list_free(fs, &list);
    return text;
}

static void make_tree(memfs *fs)
{
    static const char *const files[] = {
        "/src/main.c",  "/src/main.h", "/src/.hidden",        "/src/a1",  "/src/b1", "/src/sub/x.c",
        "/src/sub/y.h", "/top.c",      "/src/sub/deeper/z.c", "/src/a*b", "/src/[x]"};
    assert_ok(memfs_mkdir_parents(fs, "/src/sub/deeper", 0755));
    for (size_t i = 0; i < COUNT_OF(files); i++)
        put(fs, files[i], "");
}

static void a_star_matches_within_a_component_only(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    assert_string_equal(matches(f->fs, "/src/*.c"), "/src/main.c ");
    assert_string_equal(matches(f->fs, "/*.c"), "/top.c ");
    assert_string_equal(matches(f->fs, "/*/*.h"), "/src/main.h ");
    assert_string_equal(matches(f->fs, "/*/main*"), "/src/main.c /src/main.h ");
    assert_string_equal(matches(f->fs, "/*"), "/src /top.c ");
    assert_string_equal(matches(f->fs, "/s*/s*/d*/z*"), "/src/sub/deeper/z.c ");
}

static void a_star_matches_a_leading_dot_too(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    assert_string_equal(matches(f->fs, "/src/*hidden"), "/src/.hidden ");
    assert_string_equal(matches(f->fs, "/src/?hidden"), "/src/.hidden ");
}

static void two_stars_match_across_components(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    assert_string_equal(matches(f->fs, "/**/*.c"),
                        "/src/main.c /src/sub/deeper/z.c /src/sub/x.c /top.c ");
    assert_string_equal(matches(f->fs, "/src/**/*.h"), "/src/main.h /src/sub/y.h ");
    assert_string_equal(matches(f->fs, "/src/**/z.c"), "/src/sub/deeper/z.c ");
    assert_string_equal(matches(f->fs, "/**/sub/**/z.c"), "/src/sub/deeper/z.c ");
    assert_string_equal(matches(f->fs, "/src/sub/**"),
                        "/src/sub /src/sub/deeper /src/sub/deeper/z.c /src/sub/x.c /src/sub/y.h ");
}

static void each_path_is_given_once_however_it_matches(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    assert_string_equal(matches(f->fs, "/**/**/z.c"), "/src/sub/deeper/z.c ");
    assert_string_equal(matches(f->fs, "/**/s*/**/z.c"), "/src/sub/deeper/z.c ");
}

static void a_question_mark_matches_one_byte(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    assert_string_equal(matches(f->fs, "/src/?1"), "/src/a1 /src/b1 ");
    assert_string_equal(matches(f->fs, "/src/main.?"), "/src/main.c /src/main.h ");
    assert_string_equal(matches(f->fs, "/src?main.c"), "");
    assert_string_equal(matches(f->fs, "/src/?"), "");
}

static void brackets_match_one_of_a_range_or_none_of_it(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    assert_string_equal(matches(f->fs, "/src/[a-b]1"), "/src/a1 /src/b1 ");
    assert_string_equal(matches(f->fs, "/src/[b-z]1"), "/src/b1 ");
    assert_string_equal(matches(f->fs, "/src/[!a]1"), "/src/b1 ");
    assert_string_equal(matches(f->fs, "/src/main.[ch]"), "/src/main.c /src/main.h ");
    assert_string_equal(matches(f->fs, "/src/[!a-z]hidden"), "/src/.hidden ");
}

static void an_escape_takes_the_next_byte_as_it_is(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    assert_string_equal(matches(f->fs, "/src/a\\*b"), "/src/a*b ");
    assert_string_equal(matches(f->fs, "/src/\\[x]"), "/src/[x] ");
    assert_string_equal(matches(f->fs, "/src/\\a1"), "/src/a1 ");
}

static void matches_are_sorted_by_bytes(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/b", "");
    put(f->fs, "/B", "");
    put(f->fs, "/a", "");
    put(f->fs, "/\xc3\xa4", "");
    assert_string_equal(matches(f->fs, "/*"), "/B /a /b /\xc3\xa4 ");
}

static void a_trailing_slash_restricts_to_directories(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    const char *found = matches(f->fs, "/*/");
    assert_true(strcmp(found, "/src ") == 0 || strcmp(found, "/src/ ") == 0);
    assert_string_equal(matches(f->fs, "/top.c/"), "");
    assert_string_equal(matches(f->fs, "/src/main*/"), "");
}

static void a_pattern_without_signs_matches_the_path_if_it_is_there(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    assert_string_equal(matches(f->fs, "/src/main.c"), "/src/main.c ");
    assert_string_equal(matches(f->fs, "/src/none"), "");
    assert_string_equal(matches(f->fs, "/none/*"), "");
    assert_string_equal(matches(f->fs, "/top.c/*"), "");
}

static void no_match_is_an_empty_list(void **state)
{
    struct fixture *f = *state;
    memfs_list list = {.struct_size = sizeof list};
    assert_ok(memfs_glob(f->fs, "/nothing*", &list));
    assert_int_equal(list.count, 0);
    memfs_list_free(f->fs, &list);
}

static void an_unclosed_bracket_and_a_trailing_backslash_are_invalid(void **state)
{
    struct fixture *f = *state;
    memfs_list list = {.struct_size = sizeof list};
    make_tree(f->fs);
    assert_returns(memfs_glob(f->fs, "/src/[abc", &list), MEMFS_EINVAL);
    assert_returns(memfs_glob(f->fs, "/[", &list), MEMFS_EINVAL);
    assert_returns(memfs_glob(f->fs, "/src/x\\", &list), MEMFS_EINVAL);
    assert_returns(memfs_glob(f->fs, "/none/[a", &list), MEMFS_EINVAL);
}

static void two_stars_do_not_follow_symlinks(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    assert_ok(memfs_symlink(f->fs, "/", "/src/loop", 0));
    assert_string_equal(matches(f->fs, "/**/top.c"), "/top.c ");
    assert_string_equal(matches(f->fs, "/src/l*"), "/src/loop ");
}

static void hostile_patterns_end_soon(void **state)
{
    struct fixture *f = *state;
    char path[128], pattern[256];
    memset(path, 'a', sizeof path);
    path[0] = '/';
    path[100] = '\0';
    put(f->fs, path, "");
    strcpy(pattern, "/");
    for (int i = 0; i < 30; i++)
        strcat(pattern, "*a");
    strcat(pattern, "*b");
    assert_string_equal(matches(f->fs, pattern), "");
    make_tree(f->fs);
    strcpy(pattern, "");
    for (int i = 0; i < 30; i++)
        strcat(pattern, "/**");
    strcat(pattern, "/none");
    assert_string_equal(matches(f->fs, pattern), "");
}

static void a_glob_refused_for_memory_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    memfs_list list = {.struct_size = sizeof list};
    uint64_t take = 0;
    int result;
    make_tree(f->fs);
    uint64_t used = used_bytes(f->fs);
    do {
        tracking_refuse(&f->allocator, ++take, 1);
        result = memfs_glob(f->fs, "/**/*.c", &list);
        tracking_refuse(&f->allocator, 0, 0);
        if (result != 0) {
            assert_returns(result, MEMFS_ENOMEM);
            assert_int_equal(used_bytes(f->fs), used);
        }
    } while (result != 0);
    assert_true(take > 1 || f->is_pooled);
    memfs_list_free(f->fs, &list);
    assert_int_equal(used_bytes(f->fs), used);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_star_matches_within_a_component_only),
        FS_TEST(a_star_matches_a_leading_dot_too),
        FS_TEST(two_stars_match_across_components),
        FS_TEST(each_path_is_given_once_however_it_matches),
        FS_TEST(a_question_mark_matches_one_byte),
        FS_TEST(brackets_match_one_of_a_range_or_none_of_it),
        FS_TEST(an_escape_takes_the_next_byte_as_it_is),
        FS_TEST(matches_are_sorted_by_bytes),
        FS_TEST(a_trailing_slash_restricts_to_directories),
        FS_TEST(a_pattern_without_signs_matches_the_path_if_it_is_there),
        FS_TEST(no_match_is_an_empty_list),
        FS_TEST(an_unclosed_bracket_and_a_trailing_backslash_are_invalid),
        FS_TEST(two_stars_do_not_follow_symlinks),
        FS_TEST(hostile_patterns_end_soon),
        FS_TEST(a_glob_refused_for_memory_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
