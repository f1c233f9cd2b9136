/* How functions are declared, where a library is built, used, and linked statically. */
#include "checks.h"

extern const char *const windows_building, *const windows_using, *const windows_static;
extern const char *const elf_building, *const elf_using, *const elf_static;

static void windows_exports_where_it_builds_and_imports_where_it_uses(void **state)
{
    (void)state;
    assert_string_equal(windows_building, "__declspec(dllexport)");
    assert_string_equal(windows_using, "__declspec(dllimport)");
    assert_string_equal(windows_static, "");
}

static void elsewhere_functions_are_visible_in_each_case(void **state)
{
    (void)state;
    assert_string_equal(elf_building, "__attribute__((visibility(\"default\")))");
    assert_string_equal(elf_using, elf_building);
    assert_string_equal(elf_static, elf_building);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_exports_where_it_builds_and_imports_where_it_uses),
        cmocka_unit_test(elsewhere_functions_are_visible_in_each_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
