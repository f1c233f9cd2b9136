/*
 * Where two held contents differ, against their bytes: outside of the ranges that are found all
 * bytes are the same, and the ranges are no longer than what was changed, in whole pages.
 */
#include "checks.h"
#include "random.h"

#include <memfs/storage.h>

#include <stdbool.h>

enum { PAGE = MEMFS_PAGE_SIZE_DEFAULT, LARGEST = 700 * PAGE, ROUNDS = 400 };

struct two {
    memfs_content_ref before, after;
    unsigned char *bytes[2];
};

/* Reads both contents whole; what lies behind a size is zeros. */
static void read_both(struct two *t)
{
    const memfs_content_ref *contents[] = {&t->before, &t->after};
    for (int i = 0; i < 2; i++) {
        memset(t->bytes[i], 0, LARGEST);
        assert_returns(memfs_content_read(contents[i], t->bytes[i], LARGEST, 0),
                       contents[i]->size_bytes);
    }
}

/* Checks all ranges, in both directions; the bytes that they have. */
static uint64_t check_ranges(struct two *t)
{
    int64_t at = 0, start = 0, end = 0, start_back, end_back;
    uint64_t sum = 0;
    read_both(t);
    while (memfs_content_compare(&t->before, &t->after, at, &start, &end) == 1) {
        assert_returns(memfs_content_compare(&t->after, &t->before, at, &start_back, &end_back), 1);
        assert_true(start == start_back && end == end_back);
        assert_true(start >= at && start < end && end <= LARGEST);
        assert_true(start == at ? at == 0 : start > at);
        assert_memory_equal(t->bytes[0] + at, t->bytes[1] + at, (size_t)(start - at));
        sum += (uint64_t)(end - start);
        at = end;
    }
    assert_returns(memfs_content_compare(&t->after, &t->before, at, &start, &end), 0);
    assert_memory_equal(t->bytes[0] + at, t->bytes[1] + at, (size_t)(LARGEST - at));
    return sum;
}

static void two_begin(struct two *t)
{
    *t = (struct two){0};
    for (int i = 0; i < 2; i++) {
        t->bytes[i] = malloc(LARGEST);
        assert_non_null(t->bytes[i]);
    }
}

static void two_end(struct two *t)
{
    free(t->bytes[0]);
    free(t->bytes[1]);
}

/* Ranges that are asked for from the middle of one are its rest. */
static void a_range_can_be_entered_in_the_middle(void **state)
{
    struct fixture *f = *state;
    struct two t;
    int64_t start, end;
    two_begin(&t);
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 20 * PAGE + 10, 0, 1);
    assert_ok(memfs_content_take(file, &t.before));
    write_pattern(file, 3 * PAGE, 4 * PAGE + 5, 2);
    assert_ok(memfs_content_take(file, &t.after));
    assert_returns(memfs_content_compare(&t.before, &t.after, 0, &start, &end), 1);
    assert_true(start == 4 * PAGE && end == 8 * PAGE);
    assert_returns(memfs_content_compare(&t.before, &t.after, 6 * PAGE + 9, &start, &end), 1);
    assert_true(start == 6 * PAGE + 9 && end == 8 * PAGE);
    assert_returns(memfs_content_compare(&t.before, &t.after, 8 * PAGE, &start, &end), 0);
    assert_int_equal(check_ranges(&t), 4 * PAGE);
    assert_ok(memfs_content_truncate(&t.after, 15 * PAGE + 1));
    assert_int_equal(check_ranges(&t), 4 * PAGE + (20 * PAGE + 10 - (15 * PAGE + 1)));
    assert_ok(memfs_content_drop(&t.before));
    assert_ok(memfs_content_drop(&t.after));
    assert_ok(memfs_close(file));
    two_end(&t);
}

/* One change of the file; at most this many bytes, in whole pages, are then different. */
static uint64_t change(memfs_file *file, uint64_t *seed)
{
    uint64_t size = fstat_of(file).size_bytes;
    uint64_t reach = random_next(seed) % 4 == 0 ? LARGEST / 2 : (random_next(seed) % 9 + 1) * 1000;
    uint64_t offset = random_next(seed) % (LARGEST / 2), length = random_next(seed) % reach + 1;
    switch (random_next(seed) % 4) {
    case 0:
        assert_ok(memfs_ftruncate(file, (int64_t)(offset + length)));
        return (size > offset + length ? size - offset - length : offset + length - size) +
               2 * PAGE;
    case 1:
        assert_ok(memfs_fallocate(file, (int64_t)offset, (int64_t)length,
                                  MEMFS_FALLOCATE_PUNCH_HOLE | MEMFS_FALLOCATE_KEEP_SIZE));
        return length + 2 * PAGE;
    default:
        write_pattern(file, (size_t)length, (int64_t)offset, random_below(seed, 256));
        return (offset > size ? offset - size : 0) + length + 4 * PAGE;
    }
}

static void ranges_are_what_was_changed_and_no_more(void **state)
{
    struct fixture *f = *state;
    struct two t;
    uint64_t seed = 20261127;
    two_begin(&t);
    memfs_file *file = create_file(f->fs, "/f");
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t most = 0;
        if (round % 20 == 0)
            assert_ok(memfs_ftruncate(file, round % 40 == 0 ? 0 : 1000));
        assert_ok(memfs_content_take(file, &t.before));
        for (uint64_t steps = random_next(&seed) % 4; steps > 0; steps--)
            most += change(file, &seed);
        assert_ok(memfs_content_take(file, &t.after));
        uint64_t found = check_ranges(&t);
        if (found > most)
            fail_msg("round %d: %llu bytes are said to differ, %llu were changed", round,
                     (unsigned long long)found, (unsigned long long)most);
        assert_ok(memfs_content_drop(&t.before));
        assert_ok(memfs_content_drop(&t.after));
    }
    assert_ok(memfs_close(file));
    two_end(&t);
}

/* Two contents that never shared anything differ but for what is a hole in both. */
static void contents_of_different_files_can_be_compared(void **state)
{
    struct fixture *f = *state;
    struct two t;
    int64_t start, end;
    two_begin(&t);
    memfs_file *one = create_file(f->fs, "/one"), *other = create_file(f->fs, "/other");
    assert_ok(memfs_ftruncate(one, 300 * PAGE));
    assert_ok(memfs_ftruncate(other, 300 * PAGE));
    write_pattern(one, 10, 200 * PAGE, 1);
    write_pattern(other, 10, 200 * PAGE, 1);
    assert_ok(memfs_content_take(one, &t.before));
    assert_ok(memfs_content_take(other, &t.after));
    assert_int_equal(check_ranges(&t), PAGE);
    assert_returns(memfs_content_compare(&t.before, &t.after, 0, &start, &end), 1);
    assert_true(start == 200 * PAGE);
    assert_returns(memfs_content_compare(&t.before, &t.after, -1, &start, &end), MEMFS_EINVAL);
    assert_returns(memfs_content_compare(&t.before, &t.after, 0, NULL, &end), MEMFS_EINVAL);
    assert_returns(memfs_content_compare(&t.before, &t.after, 0, &start, NULL), MEMFS_EINVAL);
    assert_ok(memfs_content_drop(&t.after));
    assert_returns(memfs_content_compare(&t.before, &t.after, 0, &start, &end), MEMFS_EINVAL);
    assert_ok(memfs_content_drop(&t.before));
    assert_ok(memfs_close(one));
    assert_ok(memfs_close(other));
    two_end(&t);
}

static void only_file_systems_that_share_memory_can_be_compared(void **state)
{
    struct fixture *f = *state;
    struct two t = {0};
    int64_t start, end;
    memfs *clone;
    memfs_config config = memfs_config_default();
    struct fixture *stranger = fixture_create(&config);
    assert_non_null(stranger);
    memfs_file *file = create_file(f->fs, "/f"), *far = create_file(stranger->fs, "/f"), *near;
    write_pattern(file, 100 * PAGE, 0, 1);
    assert_ok(memfs_clone_instance(f->fs, &clone));
    near = open_file(clone, "/f", MEMFS_O_RDWR);
    write_pattern(near, 1, 50 * PAGE, 7);
    assert_ok(memfs_content_take(file, &t.before));
    assert_ok(memfs_content_take(far, &t.after));
    assert_returns(memfs_content_compare(&t.before, &t.after, 0, &start, &end), MEMFS_EXDEV);
    assert_ok(memfs_content_drop(&t.after));
    assert_ok(memfs_content_take(near, &t.after));
    assert_returns(memfs_content_compare(&t.before, &t.after, 0, &start, &end), 1);
    assert_true(start == 50 * PAGE && end == 51 * PAGE);
    assert_returns(memfs_content_compare(&t.before, &t.after, end, &start, &end), 0);
    assert_ok(memfs_content_drop(&t.before));
    assert_ok(memfs_content_drop(&t.after));
    assert_ok(memfs_close(near));
    assert_ok(memfs_close(far));
    assert_ok(memfs_close(file));
    assert_ok(memfs_destroy(clone, 0));
    fixture_destroy(stranger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_range_can_be_entered_in_the_middle),
        FS_TEST(ranges_are_what_was_changed_and_no_more),
        FS_TEST(contents_of_different_files_can_be_compared),
        FS_TEST(only_file_systems_that_share_memory_can_be_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
