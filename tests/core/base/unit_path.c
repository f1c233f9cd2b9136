/* Cutting paths into components. */
#include "rig.h"

#include "base/path.h"

/* The components with a bar after each, and a slash where one follows. */
static const char *cut(const char *path)
{
    static char text[256];
    struct mfs_component c;
    size_t length = 0;
    while (mfs_path_next(&path, &c)) {
        memcpy(text + length, c.name, c.length);
        length += c.length;
        if (c.has_slash_after)
            text[length++] = '/';
        text[length++] = '|';
    }
    text[length] = '\0';
    return text;
}

static void components_are_cut_at_slashes_however_many(void **state)
{
    (void)state;
    static const char *const paths[][2] = {
        {"", ""},
        {"/", ""},
        {"///", ""},
        {"a", "a|"},
        {"/a", "a|"},
        {"a/", "a/|"},
        {"//a//", "a/|"},
        {"a/b", "a/|b|"},
        {"/a///b", "a/|b|"},
        {".", ".|"},
        {"../..", "../|..|"},
        {"a/./b", "a/|./|b|"},
    };
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        assert_string_equal(cut(paths[i][0]), paths[i][1]);
}

static void dots_are_told_from_names_that_begin_with_dots(void **state)
{
    (void)state;
    static const char *const names[] = {".", "..", "...", ".a", "..a", "a"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *rest = names[i];
        struct mfs_component c;
        assert_true(mfs_path_next(&rest, &c));
        assert_int_equal(mfs_path_is_dot(&c), i == 0);
        assert_int_equal(mfs_path_is_dotdot(&c), i == 1);
    }
}

static void the_limit_of_a_path_is_exact(void **state)
{
    (void)state;
    static char path[MEMFS_PATH_MAX + 2];
    memset(path, 'a', sizeof path);
    path[MEMFS_PATH_MAX + 1] = '\0';
    assert_int_equal(mfs_path_check(path), MEMFS_ENAMETOOLONG);
    path[MEMFS_PATH_MAX] = '\0';
    assert_int_equal(mfs_path_check(path), 0);
    assert_int_equal(mfs_path_check("a"), 0);
    assert_int_equal(mfs_path_check(""), MEMFS_ENOENT);
    assert_int_equal(mfs_path_check(NULL), MEMFS_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(components_are_cut_at_slashes_however_many),
        cmocka_unit_test(dots_are_told_from_names_that_begin_with_dots),
        cmocka_unit_test(the_limit_of_a_path_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
