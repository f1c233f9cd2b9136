/* Checked arithmetic, at the edges. */
#include "rig.h"

#include "base/num.h"

static void sums_and_products_that_overflow_are_refused(void **state)
{
    (void)state;
    uint64_t sum = 7;
    size_t size = 7;
    assert_true(mfs_num_add_u64(UINT64_MAX - 1, 1, &sum));
    assert_true(sum == UINT64_MAX);
    assert_false(mfs_num_add_u64(UINT64_MAX, 1, &sum));
    assert_true(mfs_num_add_size(SIZE_MAX, 0, &size));
    assert_false(mfs_num_add_size(SIZE_MAX, 1, &size));
    assert_true(mfs_num_mul_size(SIZE_MAX, 1, &size));
    assert_false(mfs_num_mul_size(SIZE_MAX, 2, &size));
}

static void saturating_sums_stop_at_the_ends(void **state)
{
    (void)state;
    assert_true(mfs_num_add_saturating(UINT64_MAX, 5) == UINT64_MAX);
    assert_true(mfs_num_mul_saturating(UINT64_MAX, 2) == UINT64_MAX);
    assert_int_equal(mfs_num_sub_saturating(3, 5), 0);
    assert_int_equal(mfs_num_sub_saturating(5, 3), 2);
}

static void powers_and_logarithms_are_exact(void **state)
{
    (void)state;
    assert_false(mfs_num_is_power_of_two(0));
    for (unsigned i = 0; i < 64; i++) {
        uint64_t power = (uint64_t)1 << i;
        assert_true(mfs_num_is_power_of_two(power));
        assert_int_equal(mfs_num_log2(power), i);
        if (i > 1) {
            assert_false(mfs_num_is_power_of_two(power - 1));
            assert_int_equal(mfs_num_log2(power - 1), i - 1);
        }
    }
    assert_int_equal(mfs_num_round_up(0, 16), 0);
    assert_int_equal(mfs_num_round_up(1, 16), 16);
    assert_int_equal(mfs_num_round_up(16, 16), 16);
    assert_int_equal(mfs_num_round_up(17, 16), 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_and_products_that_overflow_are_refused),
        cmocka_unit_test(saturating_sums_stop_at_the_ends),
        cmocka_unit_test(powers_and_logarithms_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
