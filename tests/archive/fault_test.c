/* Memory and room fail at each step in turn, in both directions: nothing may be left. */
#include "archives.h"

enum { STEPS_MOST = 5000 };

/* Small, but with something of everything. */
static void make_small(memfs *fs)
{
    assert_ok(memfs_mkdir_parents(fs, "/in/sub/deep", 0755));
    put(fs, "/in/a", "some text");
    put_pattern(fs, "/in/sub/b", 9000, 1);
    assert_ok(memfs_symlink(fs, "a", "/in/link", 0));
    assert_ok(memfs_link(fs, "/in/a", "/in/sub/c"));
}

struct attempt {
    struct fixture *f;
    const struct bytes *bytes; /* to load; or null: to save */
    memfs_archive_options options;
};

static int run_attempt(const struct attempt *attempt)
{
    memfs_archive_where file = in_tree("/out");
    if (attempt->bytes != NULL)
        return load_bytes(attempt->f->fs, attempt->bytes, "/out", &attempt->options, NULL);
    return save(attempt->f->fs, "/in", &file, &attempt->options, NULL);
}

static void check_nothing_left(const struct attempt *attempt, uint64_t used)
{
    assert_int_equal(used_bytes(attempt->f->fs), used);
    assert_only(attempt->f->fs, "in ");
    memfs_list snapshots = {.struct_size = sizeof snapshots};
    assert_ok(memfs_snapshot_list(attempt->f->fs, &snapshots));
    assert_int_equal(snapshots.count, 0);
    memfs_list_free(attempt->f->fs, &snapshots);
}

static void sweep_allocations(const struct attempt *attempt)
{
    memfs *fs = attempt->f->fs;
    uint64_t used = used_bytes(fs);
    for (int every_later = 0; every_later < 2; every_later++) {
        int error = MEMFS_ENOMEM;
        for (uint64_t number = 1; error != 0; number++) {
            assert_true(number < STEPS_MOST);
            tracking_refuse(&attempt->f->allocator, number, every_later);
            error = run_attempt(attempt);
            tracking_refuse(&attempt->f->allocator, 0, 0);
            if (error != 0) {
                assert_int_equal(error, MEMFS_ENOMEM);
                check_nothing_left(attempt, used);
            }
        }
        assert_ok(memfs_remove_tree(fs, "/out"));
    }
}

static void sweep_quotas(const struct attempt *attempt)
{
    memfs *fs = attempt->f->fs;
    uint64_t used = used_bytes(fs);
    int refusals = 0;
    for (uint64_t room = 0;; room += 512) {
        fixture_leave(attempt->f, room);
        int error = run_attempt(attempt);
        fixture_set_quota(attempt->f, 16 << 20);
        if (error == 0)
            break;
        refusals++;
        assert_int_equal(error, MEMFS_EDQUOT);
        check_nothing_left(attempt, used);
        assert_true(room < 1 << 20);
    }
    assert_true(refusals > 50); /* the buffer alone is 64 KiB */
    assert_ok(memfs_remove_tree(fs, "/out"));
}

static void sweep_node_limits(const struct attempt *attempt)
{
    memfs *fs = attempt->f->fs;
    uint64_t used = used_bytes(fs);
    memfs_statfs_info info = statfs_of(fs);
    uint64_t limit = info.files + info.directories + info.symlinks;
    int error = MEMFS_ENOSPC;
    for (; error != 0; limit++) {
        assert_ok(memfs_set_node_limit(fs, limit));
        error = run_attempt(attempt);
        if (error != 0) {
            assert_int_equal(error, MEMFS_ENOSPC);
            check_nothing_left(attempt, used);
        }
    }
    assert_ok(memfs_set_node_limit(fs, 0));
    assert_ok(memfs_remove_tree(fs, "/out"));
}

static void sweep(const struct attempt *attempt)
{
    sweep_allocations(attempt);
    sweep_quotas(attempt);
    sweep_node_limits(attempt);
}

static void a_load_is_whole_or_leaves_nothing(void **state)
{
    static const uint32_t formats[] = {MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_ZIP, MEMFS_ARCHIVE_CPIO};
    struct fixture *f = *state;
    make_small(f->fs);
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        struct attempt attempt = {.f = f, .options = options_of(0)};
        attempt.options.format = formats[i];
        struct bytes bytes = save_bytes(f->fs, "/in", &attempt.options);
        attempt.bytes = &bytes;
        sweep(&attempt);
        bytes_free(&bytes);
    }
}

static void a_save_is_whole_or_leaves_nothing(void **state)
{
    static const uint32_t flags[] = {0, MEMFS_ARCHIVE_AT_ONCE, MEMFS_ARCHIVE_DETERMINISTIC};
    struct fixture *f = *state;
    make_small(f->fs);
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        struct attempt attempt = {.f = f, .options = options_of(flags[i])};
        sweep(&attempt);
    }
}

static void a_refused_replacement_leaves_the_old_tree_and_the_old_archive(void **state)
{
    struct fixture *f = *state;
    memfs_archive_options replace = options_of(MEMFS_ARCHIVE_REPLACE);
    memfs_archive_where file = in_tree("/old");
    make_small(f->fs);
    struct bytes bytes = save_bytes(f->fs, "/in", NULL);
    put(f->fs, "/old", "old");
    for (int saves = 0; saves < 2; saves++) {
        fixture_leave(f, 70000);
        int error = saves != 0 ? save(f->fs, "/in", &file, &replace, NULL)
                               : load_bytes(f->fs, &bytes, "/old", &replace, NULL);
        fixture_set_quota(f, 16 << 20);
        assert_int_equal(error, MEMFS_EDQUOT);
        assert_text(f->fs, "/old", "old");
        assert_only(f->fs, "in old ");
    }
    bytes_free(&bytes);
}

static void half_of_what_an_archive_needs_is_refused_before_anything_is_made(void **state)
{
    struct fixture *f = *state;
    put_pattern(f->other, "/in", 2 << 20, 1);
    struct bytes bytes = save_bytes(f->other, "/in", NULL);
    fixture_set_quota(f, 3 << 19); /* the buffer is read by pieces of a MiB */
    uint64_t peak = statfs_of(f->fs).peak_bytes;
    memfs_archive_result result;
    assert_returns(load_bytes(f->fs, &bytes, "/out", NULL, &result), MEMFS_EDQUOT);
    assert_int_equal(result.bytes, 0);
    assert_true(statfs_of(f->fs).peak_bytes < peak + (256 << 10));
    memfs_archive_options once = options_of(MEMFS_ARCHIVE_NO_SURVEY);
    assert_returns(load_bytes(f->fs, &bytes, "/out", &once, &result), MEMFS_EDQUOT);
    assert_true(result.bytes > 0);
    assert_only(f->fs, "");
    bytes_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_load_is_whole_or_leaves_nothing),
        FS_TEST(a_save_is_whole_or_leaves_nothing),
        FS_TEST(a_refused_replacement_leaves_the_old_tree_and_the_old_archive),
        FS_TEST(half_of_what_an_archive_needs_is_refused_before_anything_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
