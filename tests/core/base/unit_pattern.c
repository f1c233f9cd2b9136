/* The pattern matcher, as a table. */
#include "rig.h"

#include "base/pattern.h"

struct row {
    const char *pattern, *name;
    int matches;
};

static void names_match_as_the_table_says(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"", "", 1},           {"", "a", 0},
        {"a", "a", 1},         {"a", "b", 0},
        {"a", "", 0},          {"a", "aa", 0},
        {"*", "", 1},          {"*", "abc", 1},
        {"*", ".abc", 1},      {"a*", "a", 1},
        {"a*", "abc", 1},      {"*c", "abc", 1},
        {"*c", "abd", 0},      {"a*c", "ac", 1},
        {"a*c", "abcbc", 1},   {"a*c", "abcb", 0},
        {"*a*b*", "xaxbx", 1}, {"*a*b*", "xbxax", 0},
        {"?", "a", 1},         {"?", "", 0},
        {"?", "ab", 0},        {"a?c", "abc", 1},
        {"??", "ab", 1},       {"[abc]", "b", 1},
        {"[abc]", "d", 0},     {"[a-c]", "b", 1},
        {"[a-c]", "d", 0},     {"[!a-c]", "d", 1},
        {"[!a-c]", "a", 0},    {"[!a]", "", 0},
        {"[a-]", "-", 1},      {"[-a]", "-", 1},
        {"[]]", "]", 1},       {"[!]]", "a", 1},
        {"[!]]", "]", 0},      {"x[0-9]*", "x1y", 1},
        {"\\*", "*", 1},       {"\\*", "a", 0},
        {"\\\\", "\\", 1},     {"\\a", "a", 1},
        {"[*]", "*", 1},       {"[*]", "a", 0},
        {"***", "abc", 1},     {"*?", "", 0},
        {"*?", "a", 1},        {"[\x80-\xff]", "\xc3", 1},
        {"?", "\xff", 1},      {"[^a-c]", "d", 1},
        {"[^a-c]", "b", 0},    {"[a^]", "^", 1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i];
        int matches = mfs_pattern_match_name(row->pattern, strlen(row->pattern), row->name,
                                             strlen(row->name));
        if (matches != row->matches)
            print_error("pattern \"%s\", name \"%s\"\n", row->pattern, row->name);
        assert_int_equal(matches, row->matches);
    }
}

static void paths_match_as_the_table_says(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a/b", "a/b", 1},        {"a/*", "a/b", 1},
        {"a/*", "a/b/c", 0},      {"*", "a/b", 0},
        {"**", "a", 1},           {"**", "a/b/c", 1},
        {"a/**", "a/b/c", 1},     {"a/**", "b/c", 0},
        {"**/c", "c", 1},         {"**/c", "a/b/c", 1},
        {"**/c", "a/b/d", 0},     {"a/**/c", "a/c", 1},
        {"a/**/c", "a/x/y/c", 1}, {"a/**/c", "a/x/y", 0},
        {"**/b/**", "a/b/c", 1},  {"**/b/**/d", "a/b/c/d", 1},
        {"**/**/c", "c", 1},      {"a**", "ab", 1},
        {"a**", "a/b", 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int matches = mfs_pattern_match_path(rows[i].pattern, rows[i].name);
        if (matches != rows[i].matches)
            print_error("pattern \"%s\", path \"%s\"\n", rows[i].pattern, rows[i].name);
        assert_int_equal(matches, rows[i].matches);
    }
}

static void a_directory_is_entered_if_and_only_if_something_below_could_match(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a/b", "a", 1},   {"a/b", "b", 0},    {"a/b", "a/b", 0}, {"a/*/c", "a/x", 1},
        {"a/*", "a/x", 0}, {"**", "a/b/c", 1}, {"a/**", "b", 0},  {"a/**/z", "a/b/c", 1},
        {"*/b", "a", 1},   {"*/b", "a/c", 0},  {"[x]/b", "x", 1}, {"[x]/b", "y", 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int leads = mfs_pattern_leads_below(rows[i].pattern, rows[i].name);
        if (leads != rows[i].matches)
            print_error("pattern \"%s\", directory \"%s\"\n", rows[i].pattern, rows[i].name);
        assert_int_equal(leads, rows[i].matches);
    }
}

static void what_is_not_closed_is_not_valid(void **state)
{
    (void)state;
    static const char *const bad[] = {"[", "a[b", "[!", "[]", "[a-", "\\", "a\\", "x/[a/b]"};
    static const char *const good[] = {"", "a", "[a]", "[]]", "[!]]", "\\[", "a\\\\", "[a-z]*?"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (mfs_pattern_is_valid(bad[i]))
            print_error("pattern \"%s\"\n", bad[i]);
        assert_false(mfs_pattern_is_valid(bad[i]));
    }
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(mfs_pattern_is_valid(good[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_match_as_the_table_says),
        cmocka_unit_test(paths_match_as_the_table_says),
        cmocka_unit_test(a_directory_is_entered_if_and_only_if_something_below_could_match),
        cmocka_unit_test(what_is_not_closed_is_not_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
