/* Structs of older and newer callers, copied in and out. */
#include "checks.h"

#include "api/structsize.h"

struct own {
    size_t struct_size;
    uint64_t first, second;
};

/* The struct of a caller, larger than the library's. */
struct theirs {
    size_t struct_size;
    uint64_t first, second, third;
    uint64_t guard;
};

#define GUARD UINT64_C(0x1122334455667788)
#define MINIMUM MFS_STRUCTSIZE_UP_TO(struct own, first)

static struct theirs theirs_of(size_t struct_size)
{
    return (struct theirs){.struct_size = struct_size, .first = 1, .second = 2, .guard = GUARD};
}

static void a_struct_of_the_same_size_is_copied_in_whole(void **state)
{
    (void)state;
    struct own own;
    struct theirs theirs = theirs_of(sizeof own);
    theirs.third = 99; /* behind it: none of ours to look at */
    assert_ok(mfs_structsize_copy_in(&own, sizeof own, &theirs, MINIMUM));
    assert_int_equal(own.struct_size, sizeof own);
    assert_int_equal(own.first, 1);
    assert_int_equal(own.second, 2);
}

static void what_a_smaller_struct_lacks_is_zero(void **state)
{
    (void)state;
    struct own own;
    memset(&own, 0xff, sizeof own);
    struct theirs theirs = theirs_of(MINIMUM);
    assert_ok(mfs_structsize_copy_in(&own, sizeof own, &theirs, MINIMUM));
    assert_int_equal(own.struct_size, sizeof own);
    assert_int_equal(own.first, 1);
    assert_int_equal(own.second, 0);
}

static void a_larger_struct_is_taken_if_the_rest_is_zero(void **state)
{
    (void)state;
    struct own own = {0};
    struct theirs theirs = theirs_of(offsetof(struct theirs, guard));
    assert_ok(mfs_structsize_copy_in(&own, sizeof own, &theirs, MINIMUM));
    assert_int_equal(own.second, 2);
    theirs.third = UINT64_C(1) << 63;
    own = (struct own){0};
    assert_returns(mfs_structsize_copy_in(&own, sizeof own, &theirs, MINIMUM), MEMFS_E2BIG);
    assert_int_equal(own.first, 0);
}

static void absurd_sizes_are_refused(void **state)
{
    (void)state;
    struct own own;
    struct theirs theirs = theirs_of(0);
    assert_returns(mfs_structsize_copy_in(&own, sizeof own, NULL, MINIMUM), MEMFS_EINVAL);
    assert_returns(mfs_structsize_check_out(NULL, MINIMUM), MEMFS_EINVAL);
    static const size_t sizes[] = {0, 1, sizeof(size_t), MINIMUM - 1};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        theirs.struct_size = sizes[i];
        assert_returns(mfs_structsize_copy_in(&own, sizeof own, &theirs, MINIMUM), MEMFS_EINVAL);
        assert_returns(mfs_structsize_check_out(&theirs, MINIMUM), MEMFS_EINVAL);
    }
    assert_ok(mfs_structsize_check(MEMFS_STRUCT_SIZE_MAX, MINIMUM));
    assert_returns(mfs_structsize_check(MEMFS_STRUCT_SIZE_MAX + 1, MINIMUM), MEMFS_E2BIG);
    assert_returns(mfs_structsize_check(SIZE_MAX, MINIMUM), MEMFS_E2BIG);
}

static void only_what_fits_is_written_and_the_rest_is_cleared(void **state)
{
    (void)state;
    const struct own own = {.struct_size = sizeof own, .first = 11, .second = 12};
    struct theirs theirs = theirs_of(MINIMUM);
    mfs_structsize_copy_out(&theirs, &own, sizeof own);
    assert_int_equal(theirs.struct_size, MINIMUM);
    assert_int_equal(theirs.first, 11);
    assert_int_equal(theirs.second, 2);
    theirs = theirs_of(offsetof(struct theirs, guard));
    theirs.third = 99;
    mfs_structsize_copy_out(&theirs, &own, sizeof own);
    assert_int_equal(theirs.struct_size, offsetof(struct theirs, guard));
    assert_int_equal(theirs.second, 12);
    assert_int_equal(theirs.third, 0);
    assert_int_equal(theirs.guard, GUARD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_struct_of_the_same_size_is_copied_in_whole),
        cmocka_unit_test(what_a_smaller_struct_lacks_is_zero),
        cmocka_unit_test(a_larger_struct_is_taken_if_the_rest_is_zero),
        cmocka_unit_test(absurd_sizes_are_refused),
        cmocka_unit_test(only_what_fits_is_written_and_the_rest_is_cleared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
