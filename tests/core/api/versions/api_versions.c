/* Programs that were compiled against older and newer headers, with this library. */
#include "checks.h"

#include "program.h"

static void expect(const char *complaint)
{
    if (complaint != NULL)
        fail_msg("not so: %s", complaint);
}

static void works_with(const struct program *program)
{
    memfs *fs = NULL;
    expect(program->creates(&fs));
    put(fs, "/file", "hello");
    assert_ok(memfs_snapshot_take(fs, "s"));
    expect(program->asks(fs));
    expect(program->opens(fs));
    assert_text(fs, "/file", "HEllo");
    expect(program->walks(fs));
    assert_ok(memfs_audit(fs));
    assert_ok(memfs_destroy(fs, 0));
}

/* Or nothing would be tested below. */
static void the_three_programs_have_structs_of_three_sizes(void **state)
{
    (void)state;
    assert_int_equal(same_program.config_bytes, sizeof(memfs_config));
    assert_int_equal(same_program.stat_bytes, sizeof(memfs_stat_info));
    assert_true(older_program.config_bytes < sizeof(memfs_config));
    assert_true(older_program.stat_bytes < sizeof(memfs_stat_info));
    assert_true(newer_program.config_bytes > sizeof(memfs_config));
    assert_true(newer_program.stat_bytes > sizeof(memfs_stat_info));
}

static void a_program_of_this_version_works(void **state)
{
    (void)state;
    works_with(&same_program);
}

static void a_program_of_an_older_version_works(void **state)
{
    (void)state;
    works_with(&older_program);
}

static void a_program_of_a_newer_version_works(void **state)
{
    (void)state;
    works_with(&newer_program);
}

static void a_field_that_this_version_does_not_know_is_refused(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/file", "");
    expect(newer_program.uses_fields_of_the_future(f->fs));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_three_programs_have_structs_of_three_sizes),
        cmocka_unit_test(a_program_of_this_version_works),
        cmocka_unit_test(a_program_of_an_older_version_works),
        cmocka_unit_test(a_program_of_a_newer_version_works),
        FS_TEST(a_field_that_this_version_does_not_know_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
