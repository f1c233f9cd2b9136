/* The one table of errors: code, number, name and text. */
#include "checks.h"

#include <errno.h>

static void every_code_is_the_errno_number_of_linux_negated(void **state)
{
    (void)state;
#if defined(__linux__)
#define COMPARE(name, number, text) assert_int_equal(MEMFS_##name, -(name));
    MEMFS_ERRORS(COMPARE)
#undef COMPARE
#else
    assert_int_equal(MEMFS_EDQUOT, -122);
#endif
}

static void every_code_has_its_name_and_its_text(void **state)
{
    (void)state;
    int checked = 0;
#define COMPARE(name, number, text_given) \
    assert_string_equal(memfs_error_name(MEMFS_##name), "MEMFS_" #name); \
    assert_string_equal(memfs_error_text(MEMFS_##name), text_given); \
    checked++;
    MEMFS_ERRORS(COMPARE)
#undef COMPARE
    assert_true(checked >= 20);
}

static void the_three_refusals_have_three_codes(void **state)
{
    (void)state;
    assert_int_not_equal(MEMFS_EDQUOT, MEMFS_ENOSPC);
    assert_int_not_equal(MEMFS_EDQUOT, MEMFS_ENOMEM);
    assert_int_not_equal(MEMFS_ENOSPC, MEMFS_ENOMEM);
}

static void zero_is_called_ok(void **state)
{
    (void)state;
    assert_string_equal(memfs_error_name(0), "MEMFS_OK");
    assert_true(strlen(memfs_error_text(0)) > 0);
}

static void what_is_no_code_has_a_name_and_a_text_all_the_same(void **state)
{
    (void)state;
    static const int strangers[] = {1, 2, -3, -4, -4095, -4096, -4097, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < COUNT_OF(strangers); i++) {
        assert_string_equal(memfs_error_name(strangers[i]), "MEMFS_E?");
        assert_non_null(memfs_error_text(strangers[i]));
    }
}

static void the_library_tells_the_version_of_its_header(void **state)
{
    (void)state;
    assert_string_equal(memfs_version(), MEMFS_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_is_the_errno_number_of_linux_negated),
        cmocka_unit_test(every_code_has_its_name_and_its_text),
        cmocka_unit_test(the_three_refusals_have_three_codes),
        cmocka_unit_test(zero_is_called_ok),
        cmocka_unit_test(what_is_no_code_has_a_name_and_a_text_all_the_same),
        cmocka_unit_test(the_library_tells_the_version_of_its_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
