/* Copying one file: its pages are shared until they differ. */
#include "checks.h"

#define EXCLUSIVE MEMFS_COPY_NOREPLACE
#define ATTRIBUTES MEMFS_COPY_ATTRIBUTES

static void a_copy_and_its_original_are_independent_both_ways(void **state)
{
    struct fixture *f = *state;
    put_pattern(f->fs, "/a", 50000, 1);
    assert_ok(memfs_copy(f->fs, "/a", "/b", 0));
    assert_int_not_equal(stat_of(f->fs, "/a").number, stat_of(f->fs, "/b").number);
    memfs_file *a = open_file(f->fs, "/a", MEMFS_O_RDWR);
    memfs_file *b = open_file(f->fs, "/b", MEMFS_O_RDWR);
    check_pattern(b, 50000, 0, 1);
    write_pattern(b, 9000, 1000, 2);
    check_pattern(a, 50000, 0, 1);
    write_pattern(a, 50000, 0, 3);
    check_pattern(b, 1000, 0, 1);
    check_pattern(b, 9000, 1000, 2);
    assert_ok(memfs_ftruncate(a, 0));
    check_pattern(b, 9000, 1000, 2);
    assert_int_equal(fstat_of(b).size_bytes, 50000);
    assert_ok(memfs_close(a));
    assert_ok(memfs_close(b));
}

static void a_copy_outlives_its_original(void **state)
{
    struct fixture *f = *state;
    put_pattern(f->fs, "/a", 50000, 1);
    assert_ok(memfs_copy(f->fs, "/a", "/b", 0));
    assert_ok(memfs_unlink(f->fs, "/a"));
    put_pattern(f->fs, "/c", 50000, 2);
    memfs_file *b = open_file(f->fs, "/b", MEMFS_O_READ);
    check_pattern(b, 50000, 0, 1);
    assert_ok(memfs_close(b));
}

static void unaligned_tails_and_small_sizes_copy_whole(void **state)
{
    struct fixture *f = *state;
    static const size_t sizes[] = {0, 1, 255, 256, 4095, 4096, 4097, 8191, 12289};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        put_pattern(f->fs, "/a", sizes[i], 1);
        assert_ok(memfs_copy(f->fs, "/a", "/b", 0));
        memfs_file *a = open_file(f->fs, "/a", MEMFS_O_RDWR);
        memfs_file *b = open_file(f->fs, "/b", MEMFS_O_RDWR);
        assert_int_equal(fstat_of(b).size_bytes, sizes[i]);
        check_pattern(b, sizes[i], 0, 1);
        write_pattern(b, 10, (int64_t)sizes[i], 5); /* the tail grows in one of them only */
        check_pattern(a, sizes[i], 0, 1);
        assert_int_equal(fstat_of(a).size_bytes, sizes[i]);
        assert_ok(memfs_ftruncate(a, (int64_t)sizes[i] + 10));
        check_zeros(a, 10, (int64_t)sizes[i]);
        check_pattern(b, 10, (int64_t)sizes[i], 5);
        assert_ok(memfs_close(a));
        assert_ok(memfs_close(b));
        assert_ok(memfs_unlink(f->fs, "/b"));
    }
}

static void truncating_a_copy_within_a_shared_page_leaves_the_original(void **state)
{
    struct fixture *f = *state;
    put_pattern(f->fs, "/a", 10000, 1);
    assert_ok(memfs_copy(f->fs, "/a", "/b", 0));
    assert_ok(memfs_truncate(f->fs, "/b", 5000));
    assert_ok(memfs_truncate(f->fs, "/b", 10000));
    memfs_file *a = open_file(f->fs, "/a", MEMFS_O_READ);
    memfs_file *b = open_file(f->fs, "/b", MEMFS_O_READ);
    check_pattern(a, 10000, 0, 1);
    check_pattern(b, 5000, 0, 1);
    check_zeros(b, 5000, 5000);
    assert_ok(memfs_close(a));
    assert_ok(memfs_close(b));
}

static void holes_stay_holes_in_a_copy(void **state)
{
    struct fixture *f = *state;
    memfs_file *a = create_file(f->fs, "/a");
    write_pattern(a, 4096, (int64_t)1 << 33, 1);
    assert_ok(memfs_copy(f->fs, "/a", "/b", 0));
    memfs_file *b = open_file(f->fs, "/b", MEMFS_O_RDWR);
    assert_int_equal(fstat_of(b).allocated_bytes, 4096);
    assert_returns(memfs_seek(b, 0, MEMFS_SEEK_DATA), (int64_t)1 << 33);
    assert_ok(memfs_close(a));
    assert_ok(memfs_close(b));
}

static void over_an_existing_file_its_node_and_names_stay(void **state)
{
    struct fixture *f = *state;
    put_pattern(f->fs, "/a", 20000, 1);
    put_pattern(f->fs, "/b", 90000, 2);
    assert_ok(memfs_link(f->fs, "/b", "/b2"));
    memfs_file *open = open_file(f->fs, "/b", MEMFS_O_RDWR);
    uint64_t number = fstat_of(open).number;
    assert_ok(memfs_chmod(f->fs, "/b", 0600));
    assert_ok(memfs_copy(f->fs, "/a", "/b", 0));
    assert_int_equal(stat_of(f->fs, "/b").number, number);
    assert_int_equal(stat_of(f->fs, "/b2").size_bytes, 20000);
    assert_int_equal(stat_of(f->fs, "/b").mode, 0600);
    assert_int_equal(stat_of(f->fs, "/b").links, 2);
    check_pattern(open, 20000, 0, 1);
    assert_ok(memfs_close(open));
}

static void exclusively_over_an_existing_file_is_refused(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/a", "a");
    put(f->fs, "/b", "b");
    assert_ok(memfs_symlink(f->fs, "nowhere", "/s", 0));
    assert_refused(f->fs, memfs_copy(f->fs, "/a", "/b", EXCLUSIVE), MEMFS_EEXIST);
    assert_refused(f->fs, memfs_copy(f->fs, "/a", "/s", EXCLUSIVE), MEMFS_EEXIST);
    assert_refused(f->fs, memfs_copy(f->fs, "/a", "/a", EXCLUSIVE), MEMFS_EEXIST);
    assert_ok(memfs_copy(f->fs, "/a", "/c", EXCLUSIVE));
}

static void onto_itself_nothing_changes(void **state)
{
    struct fixture *f = *state;
    put_pattern(f->fs, "/a", 20000, 1);
    assert_ok(memfs_link(f->fs, "/a", "/same"));
    assert_ok(memfs_symlink(f->fs, "a", "/s", 0));
    char *before = fixture_describe(f->fs);
    assert_ok(memfs_copy(f->fs, "/a", "/a", 0));
    assert_ok(memfs_copy(f->fs, "/a", "/same", 0));
    assert_ok(memfs_copy(f->fs, "/s", "/a", ATTRIBUTES));
    check_described(f->fs, before, "a copy onto itself", __FILE__, __LINE__);
}

static void links_are_followed_at_both_ends(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/a", "a");
    put(f->fs, "/b", "b");
    assert_ok(memfs_symlink(f->fs, "a", "/sa", 0));
    assert_ok(memfs_symlink(f->fs, "b", "/sb", 0));
    assert_ok(memfs_copy(f->fs, "/sa", "/sb", 0));
    assert_text(f->fs, "/b", "a");
    assert_int_equal(lstat_of(f->fs, "/sb").kind, MEMFS_KIND_SYMLINK);
}

static void directories_are_refused_at_both_ends(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/a", "a");
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_refused(f->fs, memfs_copy(f->fs, "/d", "/x", 0), MEMFS_EISDIR);
    assert_refused(f->fs, memfs_copy(f->fs, "/a", "/d", 0), MEMFS_EISDIR);
    assert_refused(f->fs, memfs_copy(f->fs, "/a", "/", 0), MEMFS_EISDIR);
    assert_refused(f->fs, memfs_copy(f->fs, "/none", "/x", 0), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_copy(f->fs, "/a", "/none/x", 0), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_copy(f->fs, "/a", "/a/x", 0), MEMFS_ENOTDIR);
    assert_refused(f->fs, memfs_copy(f->fs, "/a", "/x", 8), MEMFS_EINVAL);
}

static void over_a_locked_file_is_busy(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/a", "a");
    put(f->fs, "/b", "b");
    memfs_file *b = open_file(f->fs, "/b", MEMFS_O_RDWR | MEMFS_O_EXCLUSIVE_LOCK);
    assert_refused(f->fs, memfs_copy(f->fs, "/a", "/b", 0), MEMFS_EBUSY);
    assert_ok(memfs_close(b));
    assert_ok(memfs_copy(f->fs, "/a", "/b", 0));
}

static void times_mode_and_owner_are_kept_if_asked_for(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/a", "a");
    assert_ok(memfs_chmod(f->fs, "/a", 04711));
    assert_ok(memfs_chown(f->fs, "/a", 5, 6));
    assert_ok(memfs_utimens(f->fs, "/a", 111, 222));
    assert_ok(memfs_copy(f->fs, "/a", "/kept", ATTRIBUTES));
    assert_ok(memfs_copy(f->fs, "/a", "/fresh", 0));
    memfs_stat_info kept = stat_of(f->fs, "/kept"), fresh = stat_of(f->fs, "/fresh");
    assert_int_equal(kept.mode, 04711);
    assert_int_equal(kept.uid, 5);
    assert_int_equal(kept.gid, 6);
    assert_int_equal(kept.access_ns, 111);
    assert_int_equal(kept.modify_ns, 222);
    assert_true(kept.birth_ns > 222);
    assert_true(fresh.modify_ns > 222);
    assert_int_equal(fresh.uid, 0);
}

static void a_copy_of_any_size_takes_the_same_small_number_of_allocations(void **state)
{
    struct fixture *f = *state;
    static const size_t sizes[] = {100000, 1000000, 8000000};
    uint64_t takes[COUNT_OF(sizes)], bytes[COUNT_OF(sizes)];
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        put_pattern(f->fs, "/a", sizes[i], 1);
        uint64_t used = used_bytes(f->fs);
        tracking_refuse(&f->allocator, 0, 0);
        assert_ok(memfs_copy(f->fs, "/a", "/b", 0));
        takes[i] = f->allocator.takes;
        bytes[i] = used_bytes(f->fs) - used;
        assert_ok(memfs_unlink(f->fs, "/b"));
        assert_ok(memfs_unlink(f->fs, "/a"));
    }
    assert_true(takes[0] <= 4);
    assert_int_equal(takes[2], takes[1]);
    assert_int_equal(bytes[1], bytes[0]);
    assert_int_equal(bytes[2], bytes[0]);
    assert_true(bytes[0] < 1024);
}

static void shared_pages_are_charged_once(void **state)
{
    struct fixture *f = *state;
    char path[8] = "/c0";
    put_pattern(f->fs, "/a", 1 << 20, 1);
    uint64_t used = used_bytes(f->fs);
    for (int i = 0; i < 10; i++) {
        path[2] = (char)('0' + i);
        assert_ok(memfs_copy(f->fs, "/a", path, 0));
    }
    assert_true(used_bytes(f->fs) - used < 10 * 1024);
    memfs_file *file = open_file(f->fs, "/c3", MEMFS_O_RDWR);
    write_pattern(file, 4096, 8192, 2); /* one page and the way to it differ now */
    assert_true(used_bytes(f->fs) - used < 10 * 1024 + 4096 + 16384);
    assert_true(used_bytes(f->fs) - used >= 4096);
    assert_ok(memfs_close(file));
}

static void a_copy_refused_for_memory_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    put_pattern(f->fs, "/a", 20000, 1);
    put_pattern(f->fs, "/old", 70000, 2);
    uint64_t take = 0;
    int result;
    do {
        char *before = fixture_describe(f->fs);
        tracking_refuse(&f->allocator, ++take, 1);
        result = memfs_copy(f->fs, "/a", "/b", 0);
        tracking_refuse(&f->allocator, 0, 0);
        if (result == 0) {
            free(before);
            break;
        }
        assert_returns(result, MEMFS_ENOMEM);
        check_described(f->fs, before, "a refused copy", __FILE__, __LINE__);
    } while (result != 0);
    assert_ok(memfs_copy(f->fs, "/a", "/old", 0));
}

static void a_copy_refused_by_the_quota_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    char path[16] = "/copy-00000";
    uint64_t used = 0;
    int count = 0, result;
    put_pattern(f->fs, "/a", 20000, 1);
    fixture_set_quota(f, statfs_of(f->fs).committed_bytes + 20000);
    do {
        for (int i = 0, n = count; i < 5; i++, n /= 10)
            path[10 - i] = (char)('0' + n % 10);
        used = used_bytes(f->fs);
        result = memfs_copy(f->fs, "/a", path, 0);
        count++;
    } while (result == 0);
    assert_returns(result, MEMFS_EDQUOT);
    assert_true(count > 5);
    assert_false(is_there(f->fs, path));
    assert_int_equal(used_bytes(f->fs), used);
    fixture_set_quota(f, 16 << 20);
}

enum { PAGE = 4096, PAGES = 20 };

static uint64_t pages_used(memfs *fs)
{
    assert_ok(memfs_audit(fs));
    return statfs_of(fs).pages_used;
}

static void write_page(memfs *fs, const char *path, unsigned page)
{
    memfs_file *file = open_file(fs, path, MEMFS_O_RDWR);
    write_pattern(file, PAGE, (int64_t)page * PAGE, 1000 + page);
    assert_ok(memfs_close(file));
}

/* All pages as they were made, but for the one that was written. */
static void check_pages(memfs *fs, const char *path, unsigned written)
{
    memfs_file *file = open_file(fs, path, MEMFS_O_READ);
    for (unsigned i = 0; i < PAGES; i++)
        check_pattern(file, PAGE, (int64_t)i * PAGE, (i == written ? 1000u : 0) + i);
    assert_ok(memfs_close(file));
}

static void the_holder_released_first_frees_only_what_it_alone_has(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"/f", "/copy", "/late"};
    for (unsigned first = 0; first < 3; first++) {
        memfs_file *file = create_file(f->fs, "/f");
        for (unsigned i = 0; i < PAGES; i++)
            write_pattern(file, PAGE, (int64_t)i * PAGE, i);
        assert_ok(memfs_close(file));
        assert_ok(memfs_copy(f->fs, "/f", "/copy", 0));
        write_page(f->fs, "/copy", 3);
        write_page(f->fs, "/copy", 3);
        assert_returns(pages_used(f->fs), PAGES + 1);
        assert_ok(memfs_copy(f->fs, "/copy", "/late", 0));
        write_page(f->fs, "/f", 5);
        check_pages(f->fs, "/copy", 3);
        write_page(f->fs, "/copy", 3);
        check_pages(f->fs, "/late", 3);
        assert_returns(pages_used(f->fs), PAGES + 3);
        assert_ok(memfs_unlink(f->fs, names[first]));
        assert_returns(pages_used(f->fs), PAGES + (first == 0 ? 1 : 2));
        const char *second = names[(first + 1) % 3], *last = names[(first + 2) % 3];
        check_pages(f->fs, second, second == names[0] ? 5 : 3);
        assert_ok(memfs_truncate(f->fs, second, PAGE));
        assert_returns(pages_used(f->fs), PAGES);
        assert_ok(memfs_unlink(f->fs, second));
        check_pages(f->fs, last, last == names[0] ? 5 : 3);
        assert_returns(pages_used(f->fs), PAGES);
        assert_ok(memfs_unlink(f->fs, last));
        assert_returns(pages_used(f->fs), 0);
    }
}

static void a_clone_of_a_clone_of_a_clone_counts_as_any(void **state)
{
    struct fixture *f = *state;
    char from[8] = "/c0", to[8] = "/c0";
    uint64_t base = used_bytes(f->fs);
    put_pattern(f->fs, "/c0", 300000, 0);
    for (int i = 1; i < 8; i++) {
        from[2] = (char)('0' + i - 1);
        to[2] = (char)('0' + i);
        assert_ok(memfs_copy(f->fs, from, to, 0));
        memfs_file *file = open_file(f->fs, to, MEMFS_O_RDWR);
        write_pattern(file, 4096, 4096 * i, (unsigned)i);
        assert_ok(memfs_close(file));
    }
    assert_ok(memfs_audit(f->fs));
    for (int i = 0; i < 8; i++) {
        to[2] = (char)('0' + (i * 3) % 8);
        assert_ok(memfs_unlink(f->fs, to));
        assert_ok(memfs_audit(f->fs));
    }
    assert_true(used_bytes(f->fs) <= base + 1024); /* the directory may keep its table */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_copy_and_its_original_are_independent_both_ways),
        FS_TEST(a_copy_outlives_its_original),
        FS_TEST(unaligned_tails_and_small_sizes_copy_whole),
        FS_TEST(truncating_a_copy_within_a_shared_page_leaves_the_original),
        FS_TEST(holes_stay_holes_in_a_copy),
        FS_TEST(over_an_existing_file_its_node_and_names_stay),
        FS_TEST(exclusively_over_an_existing_file_is_refused),
        FS_TEST(onto_itself_nothing_changes),
        FS_TEST(links_are_followed_at_both_ends),
        FS_TEST(directories_are_refused_at_both_ends),
        FS_TEST(over_a_locked_file_is_busy),
        FS_TEST(times_mode_and_owner_are_kept_if_asked_for),
        FS_TEST(a_copy_of_any_size_takes_the_same_small_number_of_allocations),
        FS_TEST(shared_pages_are_charged_once),
        FS_TEST(a_copy_refused_for_memory_leaves_nothing),
        FS_TEST(a_copy_refused_by_the_quota_leaves_nothing),
        FS_TEST(the_holder_released_first_frees_only_what_it_alone_has),
        FS_TEST(a_clone_of_a_clone_of_a_clone_counts_as_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
