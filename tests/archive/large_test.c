/* Many entries, and more bytes than 32 bits can say. */
#include "archives.h"

enum { ENTRIES = 100000 };

static void a_hundred_thousand_entries_fit_a_quota_and_not_half_of_it(void **state)
{
    struct fixture *f = create_with_quota(128 << 20);
    struct bytes tar = {NULL, 0, 0};
    memfs_archive_result result;
    char name[64];
    (void)state;
    for (int i = 0; i < ENTRIES; i++) {
        snprintf(name, sizeof name, "d%d/file-%d", i / 1000, i);
        tar_file(&tar, name, i % 100 == 0 ? "x" : "");
    }
    tar_end(&tar);
    uint64_t used = used_bytes(f->fs);
    assert_ok(load_bytes(f->fs, &tar, "/out", NULL, &result));
    assert_int_equal(result.files, ENTRIES);
    uint64_t taken = used_bytes(f->fs) - used;
    memfs_archive_where to = in_buffer(&tar);
    memfs_archive_options ustar = options_of(0);
    ustar.format = MEMFS_ARCHIVE_USTAR;
    to.buffer = NULL;
    to.buffer_bytes = 0;
    assert_ok(save(f->fs, "/out", &to, &ustar, &result));
    assert_int_equal(result.files, ENTRIES);
    assert_ok(memfs_remove_tree(f->fs, "/out"));
    fixture_set_quota(f, taken / 2);
    assert_returns(load_bytes(f->fs, &tar, "/out", NULL, NULL), MEMFS_EDQUOT);
    assert_only(f->fs, "");
    assert_int_equal(used_bytes(f->fs), used);
    bytes_free(&tar);
    fixture_destroy(f);
}

static void two_gibibytes_with_a_hole_go_through_a_small_quota(void **state)
{
    const int64_t size = (INT64_C(1) << 31) + 12345;
    struct fixture *f = create_with_quota(4 << 20);
    (void)state;
    memfs_file *file = create_file(f->fs, "/in");
    write_pattern(file, 5000, size - 5000, 1);
    assert_ok(memfs_close(file));
    struct bytes bytes = save_bytes(f->fs, "/in", NULL);
    assert_true(bytes.size < 32768);
    assert_ok(load_bytes(f->fs, &bytes, "/out", NULL, NULL));
    file = open_file(f->fs, "/out/in", MEMFS_O_READ);
    assert_int_equal(memfs_file_size(file), size);
    check_pattern(file, 5000, size - 5000, 1);
    assert_true(fstat_of(file).allocated_bytes <= 3 * 4096);
    assert_ok(memfs_close(file));
    bytes_free(&bytes);
    fixture_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_thousand_entries_fit_a_quota_and_not_half_of_it),
        cmocka_unit_test(two_gibibytes_with_a_hole_go_through_a_small_quota),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
