/* The ledger: what comes goes, whatever the order, down to the last byte. */
#include "checks.h"

#include <memfs/storage.h>

#include <stdio.h>

static const uint32_t page_sizes[] = {256, 4096, 65536};

static struct fixture *with_pages(uint32_t page_size, uint64_t quota)
{
    memfs_config config = memfs_config_default();
    config.page_size = page_size;
    config.quota_bytes = quota;
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    return f;
}

/* Appends pieces to the file until the quota says no; how many bytes went in. */
static int64_t fill(memfs_file *file, size_t piece)
{
    unsigned char *bytes = malloc(piece);
    assert_non_null(bytes);
    fill_pattern(bytes, piece, 1);
    int64_t end = memfs_file_size(file), start = end, result;
    while ((result = memfs_pwrite(file, bytes, piece, end)) == (int64_t)piece)
        end += result;
    free(bytes);
    assert_returns(result, MEMFS_EDQUOT);
    return end - start;
}

static void a_quota_is_usable_almost_whole_and_to_its_last_page(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(page_sizes); i++) {
        struct fixture *f = with_pages(page_sizes[i], 4 << 20);
        memfs_file *file = create_file(f->fs, "/f");
        int64_t filled = fill(file, page_sizes[i]);
        memfs_statfs_info info = statfs_of(f->fs);
        uint64_t usable = info.quota_bytes - info.looking_reserve_bytes;
        assert_int_equal(info.looking_reserve_bytes, 64 << 10);
        assert_true((uint64_t)filled > usable / 100 * (page_sizes[i] < 4096 ? 89 : 96));
        uint64_t left = usable - info.committed_bytes;
        assert_true(left < 2 * page_sizes[i] + 4096);
        assert_ok(memfs_close(file));
        fixture_destroy(f);
    }
}

static void the_last_byte_of_the_quota_can_be_used(void **state)
{
    struct fixture *f = *state;
    /* What a write needs is found out first, then the quota is set to just that. */
    put_pattern(f->fs, "/f", 100000, 1);
    put_pattern(f->fs, "/f", 100000, 1);
    uint64_t needed = statfs_of(f->fs).committed_bytes;
    assert_ok(memfs_set_quota(f->fs, needed));
    memfs_statfs_info info = statfs_of(f->fs);
    assert_int_equal(info.quota_bytes, info.committed_bytes);
    memfs_file *probe = NULL;
    memfs_file_storage storage;
    memfs_open_options options = {
        .struct_size = sizeof options, .flags = MEMFS_O_RDWR, .storage = &storage};
    assert_ok(memfs_open_with(f->fs, "/f", &options, &probe));
    write_pattern(probe, 100000, 0, 2); /* at a quota without one byte left */
    check_pattern(probe, 100000, 0, 2);
    assert_ok(memfs_close(probe));
    assert_ok(memfs_set_quota(f->fs, 16 << 20));
}

static void a_single_allocation_of_just_what_is_left_fits_and_one_byte_less_refuses_it(void **state)
{
    struct fixture *f = *state;
    static const size_t size = 3000000; /* larger than any slab */
    uint64_t before = statfs_of(f->fs).committed_bytes;
    void *memory;
    assert_ok(memfs_charged_alloc(f->fs, size, &memory));
    uint64_t with = statfs_of(f->fs).committed_bytes;
    assert_ok(memfs_free(f->fs, memory));
    assert_int_equal(statfs_of(f->fs).committed_bytes, before);
    fixture_set_quota_above_looking(f, with - 1);
    assert_returns(memfs_charged_alloc(f->fs, size, &memory), MEMFS_EDQUOT);
    fixture_set_quota_above_looking(f, with);
    assert_ok(memfs_charged_alloc(f->fs, size, &memory));
    assert_int_equal(f->allocator.held_bytes, with);
    assert_ok(memfs_free(f->fs, memory));
}

static void overwriting_owned_bytes_at_a_full_quota_succeeds(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(page_sizes); i++) {
        struct fixture *f = with_pages(page_sizes[i], 2 << 20);
        memfs_file *file = create_file(f->fs, "/f");
        fill(file, page_sizes[i]);
        fill(file, 1);
        int64_t size = memfs_file_size(file);
        fixture_set_quota(f, statfs_of(f->fs).committed_bytes);
        tracking_refuse(&f->allocator, 1, 1);
        write_pattern(file, (size_t)size, 0, 7);
        write_pattern(file, 1000, size / 2 + 3, 8);
        assert_int_equal(f->allocator.takes, 0);
        tracking_refuse(&f->allocator, 0, 0);
        check_pattern(file, 1000, size / 2 + 3, 8);
        assert_ok(memfs_close(file));
        fixture_destroy(f);
    }
}

static void a_refused_write_changes_no_byte_size_or_time_at_any_page_size(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(page_sizes); i++) {
        struct fixture *f = with_pages(page_sizes[i], 1 << 20);
        static char text[2 << 20];
        put_pattern(f->fs, "/f", 100000, 1);
        memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR);
        assert_refused(f->fs, memfs_pwrite(file, text, sizeof text, 0), MEMFS_EDQUOT);
        assert_refused(f->fs, memfs_pwrite(file, text, sizeof text, 99999), MEMFS_EDQUOT);
        assert_refused(f->fs, memfs_pwrite(file, text, sizeof text, 1 << 30), MEMFS_EDQUOT);
        check_pattern(file, 100000, 0, 1);
        assert_ok(memfs_close(file));
        fixture_destroy(f);
    }
}

static void filling_deleting_and_refilling_a_thousand_times_ends_where_it_began(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(page_sizes); i++) {
        struct fixture *f = with_pages(page_sizes[i], 1 << 20);
        fixture_set_quota_above_looking(f, 1 << 20);
        put(f->fs, "/anchor", "");
        uint64_t used = used_bytes(f->fs), committed = 0;
        int64_t first = 0;
        for (int round = 0; round < 1000; round++) {
            memfs_file *file = create_file(f->fs, "/f");
            int64_t filled = fill(file, 40000);
            first = round == 0 ? filled : first;
            assert_int_equal(filled, first);
            assert_ok(memfs_close(file));
            assert_ok(memfs_unlink(f->fs, "/f"));
            assert_int_equal(used_bytes(f->fs), used);
            committed = round == 0 ? statfs_of(f->fs).committed_bytes : committed;
        }
        assert_int_equal(statfs_of(f->fs).committed_bytes, committed);
        fixture_destroy(f);
    }
}

/* Files of one page until the quota says no; how many there are then. */
static int fill_with_files(memfs *fs, size_t size)
{
    static char text[65536];
    char path[32];
    for (int i = 0;; i++) {
        snprintf(path, sizeof path, "/%05d", i);
        int result = memfs_write_file(fs, path, text, size, 0644, 0);
        if (result != 0) {
            assert_returns(result, MEMFS_EDQUOT);
            return i;
        }
    }
}

/* Removes about half of the files; how many. */
static int remove_half(memfs *fs, int count, uint32_t *random)
{
    char path[32];
    int removed = 0;
    for (int i = 0; i < count; i++) {
        *random = *random * 1664525 + 1013904223;
        snprintf(path, sizeof path, "/%05d", i);
        if (*random >> 31) {
            int result = memfs_unlink(fs, path);
            assert_true(result == 0 || result == MEMFS_ENOENT);
            removed += result == 0;
        }
    }
    return removed;
}

/* Makes the files that are missing; how many. */
static int make_missing(memfs *fs, int count, size_t size)
{
    static char text[65536];
    char path[32];
    int made = 0;
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "/%05d", i);
        if (is_there(fs, path))
            continue;
        int result = memfs_write_file(fs, path, text, size, 0644, 0);
        assert_true(result == 0 || result == MEMFS_EDQUOT);
        made += result == 0;
    }
    return made;
}

static void deleting_half_at_random_and_filling_again_reaches_the_old_level(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(page_sizes); i++) {
        struct fixture *f = with_pages(page_sizes[i], 4 << 20);
        uint32_t random = 12345;
        int count = fill_with_files(f->fs, page_sizes[i]), there = count;
        assert_true(count > 10);
        for (int round = 0; round < 20; round++) {
            there -= remove_half(f->fs, count, &random);
            there += make_missing(f->fs, count, page_sizes[i]);
            assert_true(there >= count - count / 1000); /* slabs of other sizes, other headers */
        }
        assert_ok(memfs_audit(f->fs));
        fixture_destroy(f);
    }
}

/* A file, its clones, a handle on an orphan, versions and mappings. */
struct holders {
    memfs_file *handle;
    memfs_content_ref version;
    memfs_mapping mapping;
    void *memory;
};

static void take_holders(memfs *fs, struct holders *h)
{
    put_pattern(fs, "/a", 100000, 1);
    assert_ok(memfs_copy(fs, "/a", "/b", 0));
    assert_ok(memfs_mkdir(fs, "/t", 0755));
    assert_ok(memfs_copy(fs, "/a", "/t/c", 0));
    h->handle = open_file(fs, "/b", MEMFS_O_RDWR);
    write_pattern(h->handle, 10000, 0, 2);
    assert_ok(memfs_content_take(h->handle, &h->version));
    write_pattern(h->handle, 10000, 5000, 3);
    assert_ok(memfs_map(h->handle, 4096, 4096, &h->mapping));
    assert_ok(memfs_charged_alloc(fs, 10000, &h->memory));
}

static void let_go(memfs *fs, struct holders *h, int which)
{
    if (which == 0)
        assert_ok(memfs_unlink(fs, "/a"));
    else if (which == 1)
        assert_ok(memfs_unlink(fs, "/b"));
    else if (which == 2)
        assert_ok(memfs_remove_tree(fs, "/t"));
    else if (which == 3)
        assert_ok(memfs_close(h->handle));
    else if (which == 4)
        assert_ok(memfs_content_drop(&h->version));
    else if (which == 5)
        assert_ok(memfs_unmap(&h->mapping));
    else
        assert_ok(memfs_free(fs, h->memory));
}

static void used_returns_to_the_baseline_in_whatever_order_holders_go(void **state)
{
    struct fixture *f = *state;
    struct holders holders;
    uint32_t random = 99;
    put(f->fs, "/anchor", "");
    take_holders(f->fs, &holders); /* once before, so that the root's index has its size */
    for (int i = 0; i < 7; i++)
        let_go(f->fs, &holders, i);
    uint64_t used = used_bytes(f->fs);
    for (int round = 0; round < 200; round++) {
        int order[7] = {0, 1, 2, 3, 4, 5, 6};
        take_holders(f->fs, &holders);
        for (uint32_t i = 6; i > 0; i--) {
            random = random * 1664525 + 1013904223;
            uint32_t j = (random >> 8) % (i + 1);
            int swap = order[i];
            order[i] = order[j];
            order[j] = swap;
        }
        for (int i = 0; i < 7; i++)
            let_go(f->fs, &holders, order[i]);
        assert_int_equal(used_bytes(f->fs), used);
        assert_ok(memfs_audit(f->fs));
    }
}

static void what_is_committed_is_what_the_allocator_holds_at_every_step(void **state)
{
    struct fixture *f = *state;
    struct holders holders;
    take_holders(f->fs, &holders);
    assert_int_equal(statfs_of(f->fs).committed_bytes, f->allocator.held_bytes);
    for (int i = 0; i < 7; i++) {
        let_go(f->fs, &holders, i);
        assert_int_equal(statfs_of(f->fs).committed_bytes, f->allocator.held_bytes);
    }
}

static void freeing_works_at_a_full_quota(void **state)
{
    struct fixture *f = *state;
    fixture_set_quota(f, 1 << 20);
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    memfs_file *file = create_file(f->fs, "/d/f");
    fill(file, 4096);
    fill(file, 1);
    fixture_set_quota(f, statfs_of(f->fs).committed_bytes);
    tracking_refuse(&f->allocator, 1, 1);
    assert_ok(memfs_lock(file, MEMFS_LOCK_EXCLUSIVE, 0));
    assert_ok(memfs_unlock(file));
    assert_ok(memfs_ftruncate(file, 5001));
    assert_ok(memfs_unlink(f->fs, "/d/f"));
    assert_ok(memfs_rmdir(f->fs, "/d"));
    assert_ok(memfs_close(file));
    assert_int_equal(f->allocator.takes, 0);
    tracking_refuse(&f->allocator, 0, 0);
    fixture_set_quota(f, 16 << 20);
}

static void ten_thousand_empty_files_hold_at_most_256_bytes_each(void **state)
{
    struct fixture *f = *state;
    char path[32];
    uint64_t before = statfs_of(f->fs).committed_bytes;
    for (int i = 0; i < 10000; i++) {
        snprintf(path, sizeof path, "/%08d", i);
        put(f->fs, path, "");
    }
    assert_true((statfs_of(f->fs).committed_bytes - before) / 10000 <= 256);
}

static void a_large_file_costs_at_most_one_per_cent_more_than_its_bytes(void **state)
{
    (void)state;
    struct fixture *f = with_pages(4096, 256 << 20);
    static char text[1 << 20];
    memfs_file *file = create_file(f->fs, "/f");
    for (int i = 0; i < 64; i++)
        assert_returns(memfs_write(file, text, sizeof text), sizeof text);
    memfs_statfs_info info = statfs_of(f->fs);
    assert_true(info.committed_bytes - info.pages_free * 4096 <= (uint64_t)(64 << 20) / 100 * 101);
    assert_true(info.pages_free <= info.pages_used / 16);
    assert_ok(memfs_close(file));
    fixture_destroy(f);
}

static void an_append_of_many_pages_takes_few_allocations_each(void **state)
{
    struct fixture *f = *state;
    uint64_t takes[2];
    for (int i = 0; i < 2; i++) {
        memfs_file *file = create_file(f->fs, "/f");
        tracking_refuse(&f->allocator, 0, 0);
        for (int page = 0; page < (i + 1) * 1000; page++)
            write_pattern(file, 4096, page * 4096, 1);
        takes[i] = f->allocator.takes;
        assert_ok(memfs_close(file));
        assert_ok(memfs_unlink(f->fs, "/f"));
    }
    assert_true(takes[0] <= 1100);
    assert_true(takes[1] <= 2 * takes[0] + 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quota_is_usable_almost_whole_and_to_its_last_page),
        FS_TEST(the_last_byte_of_the_quota_can_be_used),
        FS_TEST(a_single_allocation_of_just_what_is_left_fits_and_one_byte_less_refuses_it),
        cmocka_unit_test(overwriting_owned_bytes_at_a_full_quota_succeeds),
        cmocka_unit_test(a_refused_write_changes_no_byte_size_or_time_at_any_page_size),
        cmocka_unit_test(filling_deleting_and_refilling_a_thousand_times_ends_where_it_began),
        cmocka_unit_test(deleting_half_at_random_and_filling_again_reaches_the_old_level),
        FS_TEST(used_returns_to_the_baseline_in_whatever_order_holders_go),
        FS_TEST(what_is_committed_is_what_the_allocator_holds_at_every_step),
        FS_TEST(freeing_works_at_a_full_quota),
        FS_TEST(ten_thousand_empty_files_hold_at_most_256_bytes_each),
        cmocka_unit_test(a_large_file_costs_at_most_one_per_cent_more_than_its_bytes),
        FS_TEST(an_append_of_many_pages_takes_few_allocations_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
