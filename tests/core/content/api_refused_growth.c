/*
 * A file that was cut while a copy or a held content shared its pages: what lies behind its end is
 * cleaned by the change that makes it grow, and by no change that is refused.
 */
#include "checks.h"

#include <memfs/storage.h>

/* A file of `size` bytes that was cut to `cut` while `content` shared its pages. */
static memfs_file *create_cut(memfs *fs, size_t size, int64_t cut, memfs_content_ref *content)
{
    memfs_file *file = create_file(fs, "/f");
    write_pattern(file, size, 0, 1);
    assert_ok(memfs_content_take(file, content));
    assert_ok(memfs_ftruncate(file, cut));
    return file;
}

static void refused_growth_keeps_no_page_that_it_copied(void **state)
{
    struct fixture *f = *state;
    static char block[60000];
    static const struct {
        size_t size;
        int64_t cut;
    } files[] = {{5000, 4500}, {5000, 100}, {200, 5}, {400000, 4500}, {400000, 270000}};
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        memfs_content_ref content;
        int64_t cut = files[i].cut;
        memfs_file *file = create_cut(f->fs, files[i].size, cut, &content);
        fixture_leave(f, 40000);
        uint64_t used = used_bytes(f->fs);
        assert_refused(f->fs, memfs_fallocate(file, cut + 4000, 1000000, 0), MEMFS_EDQUOT);
        assert_refused(f->fs, memfs_preallocate(file, 10000000), MEMFS_EDQUOT);
        assert_refused(f->fs, memfs_pwrite(file, block, sizeof block, cut + 5000), MEMFS_EDQUOT);
        assert_refused(f->fs, memfs_pwrite(file, block, sizeof block, cut), MEMFS_EDQUOT);
        assert_refused(f->fs,
                       memfs_fallocate(file, cut + 1, sizeof block, MEMFS_FALLOCATE_ZERO_RANGE),
                       MEMFS_EDQUOT);
        assert_int_equal(used_bytes(f->fs), used);
        check_pattern(file, (size_t)cut, 0, 1);
        assert_returns(memfs_pwrite(file, "x", 1, cut + 5000), 1);
        check_pattern(file, (size_t)cut, 0, 1);
        check_zeros(file, 5000, cut);
        fixture_set_quota(f, 16u << 20);
        assert_ok(memfs_content_drop(&content));
        assert_ok(memfs_close(file));
        assert_ok(memfs_unlink(f->fs, "/f"));
        assert_ok(memfs_audit(f->fs));
    }
}

/* At a quota without room for one page, a file whose last page is shared can grow in no way. */
static void at_the_quota_what_shares_its_last_page_grows_in_no_way_and_stays_as_it_was(void **state)
{
    struct fixture *f = *state;
    memfs_content_ref content;
    memfs_file *file = create_cut(f->fs, 400000, 4500, &content);
    fixture_leave(f, 0);
    uint64_t used = used_bytes(f->fs);
    assert_returns(memfs_ftruncate(file, 5000), MEMFS_EDQUOT);
    assert_returns(memfs_pwrite(file, "x", 1, 4500), MEMFS_EDQUOT);
    assert_returns(memfs_pwrite(file, "x", 1, 300000), MEMFS_EDQUOT);
    assert_returns(memfs_fallocate(file, 0, 5000, 0), MEMFS_EDQUOT);
    assert_returns(memfs_preallocate(file, 5000), MEMFS_EDQUOT);
    assert_int_equal(used_bytes(f->fs), used);
    fixture_set_quota(f, 16u << 20);
    assert_ok(memfs_ftruncate(file, 5000));
    check_pattern(file, 4500, 0, 1);
    check_zeros(file, 500, 4500);
    assert_ok(memfs_content_drop(&content));
    assert_ok(memfs_close(file));
}

static void what_a_cut_left_behind_serves_the_growth_when_nothing_shares_it_any_more(void **state)
{
    struct fixture *f = *state;
    static const int64_t ends[] = {4501, 5000, 50000, 100 * 4096, 300 * 4096};
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        memfs_content_ref content;
        memfs_file *file = create_cut(f->fs, (size_t)400000, 4500, &content);
        assert_ok(memfs_content_drop(&content));
        fixture_leave(f, 0);
        uint64_t used = used_bytes(f->fs);
        static char block[20 * 4096];
        assert_returns(memfs_preallocate(file, 4 << 20), MEMFS_EDQUOT);
        assert_int_equal(used_bytes(f->fs), used);
        int64_t length = ends[i] - 4500 < (int64_t)sizeof block ? ends[i] - 4500
                                                                : (int64_t)sizeof block;
        assert_returns(memfs_pwrite(file, block, (size_t)length, ends[i] - length), length);
        assert_true(used_bytes(f->fs) < used);
        check_pattern(file, 4500, 0, 1);
        check_zeros(file, (size_t)(ends[i] - 4500), 4500);
        fixture_set_quota(f, 16u << 20);
        assert_ok(memfs_close(file));
        assert_ok(memfs_unlink(f->fs, "/f"));
        assert_ok(memfs_audit(f->fs));
    }
}

static int grow_by_size(memfs_file *file)
{
    return memfs_ftruncate(file, 150);
}

static int grow_by_allocating(memfs_file *file)
{
    return memfs_fallocate(file, 20, 130, 0);
}

static int grow_by_preallocating(memfs_file *file)
{
    int error = memfs_preallocate(file, 150);
    return error == 0 ? memfs_ftruncate(file, 150) : error;
}

static int grow_by_writing(memfs_file *file)
{
    return memfs_pwrite(file, "x", 1, 149) == 1 ? 0 : MEMFS_EIO;
}

static int grow_to_pages(memfs_file *file)
{
    return memfs_pwrite(file, "x", 1, 9000) == 1 ? 0 : MEMFS_EIO;
}

static int grow_to_one_page(memfs_file *file)
{
    return memfs_pwrite(file, "x", 1, 3000) == 1 ? 0 : MEMFS_EIO;
}

static int allocate_pages(memfs_file *file)
{
    return memfs_fallocate(file, 3, 9000, 0);
}

static void a_small_file_that_was_cut_beside_a_copy_grows_by_zeros_in_every_way(void **state)
{
    struct fixture *f = *state;
    int (*const ways[])(memfs_file *) = {grow_by_size,         grow_by_allocating, grow_by_writing,
                                         grow_to_pages,        grow_to_one_page,   allocate_pages,
                                         grow_by_preallocating};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        memfs_file *file = create_file(f->fs, "/f");
        write_pattern(file, 200, 0, 1);
        assert_ok(memfs_copy(f->fs, "/f", "/copy", 0));
        assert_ok(memfs_ftruncate(file, 5));
        assert_ok(ways[i](file));
        check_pattern(file, 5, 0, 1);
        check_zeros(file, 144, 5);
        memfs_file *copy = open_file(f->fs, "/copy", MEMFS_O_READ);
        check_pattern(copy, 200, 0, 1);
        assert_ok(memfs_close(copy));
        assert_ok(memfs_close(file));
        assert_ok(memfs_audit(f->fs));
    }
}

static void punching_all_of_a_small_file_frees_it_and_of_a_copy_only_its_own(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 200, 0, 1);
    assert_ok(memfs_copy(f->fs, "/f", "/copy", 0));
    uint64_t used = used_bytes(f->fs);
    memfs_file *copy = open_file(f->fs, "/copy", MEMFS_O_RDWR);
    assert_ok(memfs_fallocate(copy, 0, 4096, MEMFS_FALLOCATE_PUNCH_HOLE));
    assert_int_equal(fstat_of(copy).size_bytes, 200);
    assert_int_equal(fstat_of(copy).allocated_bytes, 0);
    check_zeros(copy, 200, 0);
    check_pattern(file, 200, 0, 1);
    assert_ok(memfs_fallocate(file, 1000, 50, MEMFS_FALLOCATE_PUNCH_HOLE));
    check_pattern(file, 200, 0, 1);
    assert_ok(memfs_fallocate(file, 0, 4096, MEMFS_FALLOCATE_PUNCH_HOLE));
    assert_int_equal(fstat_of(file).allocated_bytes, 0);
    assert_ok(memfs_close(copy));
    assert_true(used_bytes(f->fs) < used);
    write_pattern(file, 50, 100, 3);
    check_zeros(file, 100, 0);
    check_pattern(file, 50, 100, 3);
    assert_ok(memfs_close(file));
}

/* The rest of the last page is uncertain after an append; a file of holes is small again. */
static void what_was_punched_whole_after_an_append_grows_by_zeros(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 4000, 0, 1);
    write_pattern(file, 100, 4000, 2);
    assert_ok(
        memfs_fallocate(file, 0, 8192, MEMFS_FALLOCATE_PUNCH_HOLE | MEMFS_FALLOCATE_KEEP_SIZE));
    assert_int_equal(fstat_of(file).allocated_bytes, 0);
    write_pattern(file, 10, 5, 3);
    assert_returns(memfs_pwrite(file, "x", 1, 6000), 1);
    check_zeros(file, 5, 0);
    check_pattern(file, 10, 5, 3);
    check_zeros(file, 6000 - 15, 15);
    assert_ok(memfs_close(file));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(refused_growth_keeps_no_page_that_it_copied),
        FS_TEST(at_the_quota_what_shares_its_last_page_grows_in_no_way_and_stays_as_it_was),
        FS_TEST(what_a_cut_left_behind_serves_the_growth_when_nothing_shares_it_any_more),
        FS_TEST(a_small_file_that_was_cut_beside_a_copy_grows_by_zeros_in_every_way),
        FS_TEST(punching_all_of_a_small_file_frees_it_and_of_a_copy_only_its_own),
        FS_TEST(what_was_punched_whole_after_an_append_grows_by_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
