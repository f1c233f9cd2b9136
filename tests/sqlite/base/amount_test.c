/* The pure modules beside the lock ladder: sizes and switches in text, and error codes. */
#include "base/amount.h"
#include "base/errmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <memfs/memfs.h>
#include <sqlite3.h>

static void a_size_is_digits_with_at_most_one_suffix(void **unused)
{
    (void)unused;
    const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {
        {"0", 0},
        {"1", 1},
        {"4096", 4096},
        {"512M", UINT64_C(512) << 20},
        {"512m", UINT64_C(512) << 20},
        {"3K", 3072},
        {"2g", UINT64_C(2) << 30},
        {"1T", UINT64_C(1) << 40},
        {"00012", 12},
        {"18446744073709551615", UINT64_MAX},
        {"16777215T", UINT64_C(16777215) << 40},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        uint64_t bytes = 77;
        if (!mfs_amount_read(cases[index].text, &bytes) || bytes != cases[index].bytes)
            fail_msg("%s", cases[index].text);
    }
}

static void anything_else_is_no_size_and_leaves_the_result_alone(void **unused)
{
    (void)unused;
    const char *cases[] = {"",
                           " ",
                           "M",
                           "-1",
                           "+1",
                           "1 ",
                           " 1",
                           "1MB",
                           "1KK",
                           "0x10",
                           "1.5",
                           "1e9",
                           "lots",
                           "18446744073709551616",
                           "1P",
                           "16777216T",
                           "99999999999999999999999"};
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        uint64_t bytes = 77;
        if (mfs_amount_read(cases[index], &bytes) || bytes != 77)
            fail_msg("%s", cases[index]);
    }
}

static void a_switch_is_0_or_1_and_nothing_else(void **unused)
{
    (void)unused;
    bool is_on = false;
    assert_true(mfs_amount_read_switch("1", &is_on));
    assert_true(is_on);
    assert_true(mfs_amount_read_switch("0", &is_on));
    assert_false(is_on);
    const char *cases[] = {"", "2", "01", "10", "00", "yes", "on", "true", " 1", "1 ", "-1"};
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        is_on = index % 2 == 0;
        if (mfs_amount_read_switch(cases[index], &is_on) || is_on != (index % 2 == 0))
            fail_msg("%s", cases[index]);
    }
}

static void every_error_in_every_operation_is_a_failure(void **unused)
{
    (void)unused;
    int checked = 0;
    for (int operation = 0; operation < MFS_OPERATION_COUNT; operation++) {
        assert_int_equal(mfs_errmap((enum mfs_operation)operation, 0), SQLITE_OK);
        assert_int_equal(mfs_errmap((enum mfs_operation)operation, 17), SQLITE_OK);
#define CHECK_ERROR(name, number, text) \
    assert_int_not_equal(mfs_errmap((enum mfs_operation)operation, MEMFS_##name), SQLITE_OK); \
    checked++;
        MEMFS_ERRORS(CHECK_ERROR)
#undef CHECK_ERROR
    }
    assert_true(checked > 8 * 20);
}

static void the_three_refusals_are_told_apart(void **unused)
{
    (void)unused;
    for (int operation = 0; operation < MFS_OPERATION_COUNT; operation++) {
        enum mfs_operation what = (enum mfs_operation)operation;
        assert_int_equal(mfs_errmap(what, MEMFS_EDQUOT), SQLITE_FULL);
        assert_int_equal(mfs_errmap(what, MEMFS_ENOSPC), SQLITE_FULL);
        int memory = what == MFS_OPERATION_OPEN ? SQLITE_NOMEM : SQLITE_IOERR_NOMEM;
        assert_int_equal(mfs_errmap(what, MEMFS_ENOMEM), memory);
    }
}

static void what_the_pager_compares_for_equality_is_exact(void **unused)
{
    (void)unused;
    assert_int_equal(mfs_errmap(MFS_OPERATION_OPEN, MEMFS_ENOENT), SQLITE_CANTOPEN);
    assert_int_equal(mfs_errmap(MFS_OPERATION_OPEN, MEMFS_EEXIST), SQLITE_CANTOPEN);
    assert_int_equal(mfs_errmap(MFS_OPERATION_OPEN, MEMFS_EISDIR), SQLITE_CANTOPEN_ISDIR);
    assert_int_equal(mfs_errmap(MFS_OPERATION_DELETE, MEMFS_ENOENT), SQLITE_IOERR_DELETE_NOENT);
    assert_int_equal(mfs_errmap(MFS_OPERATION_DELETE, MEMFS_EBUSY), SQLITE_IOERR_DELETE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_size_is_digits_with_at_most_one_suffix),
        cmocka_unit_test(anything_else_is_no_size_and_leaves_the_result_alone),
        cmocka_unit_test(a_switch_is_0_or_1_and_nothing_else),
        cmocka_unit_test(every_error_in_every_operation_is_a_failure),
        cmocka_unit_test(the_three_refusals_are_told_apart),
        cmocka_unit_test(what_the_pager_compares_for_equality_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
