/* Mode, owner, number, generation: stored and reported. */
#include "checks.h"

static void modes_are_stored_to_the_last_bit(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(memfs_mkdir(f->fs, "/d", 01777));
    assert_int_equal(stat_of(f->fs, "/d").mode, 01777);
    for (uint32_t mode = 0; mode <= 07777; mode += 0111) {
        assert_ok(memfs_chmod(f->fs, "/f", mode));
        assert_int_equal(stat_of(f->fs, "/f").mode, mode);
    }
    assert_ok(memfs_chmod(f->fs, "/", 0500));
    assert_int_equal(stat_of(f->fs, "/").mode, 0500);
}

static void other_bits_than_permissions_are_invalid(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_READ);
    assert_refused(f->fs, memfs_chmod(f->fs, "/f", 010000), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_chmod(f->fs, "/f", UINT32_MAX), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_fchmod(file, 0100644), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_chmodat(f->fs, NULL, "/f", 010000, 0), MEMFS_EINVAL);
    assert_ok(memfs_close(file));
}

static void changing_a_mode_follows_links_unless_told_not_to(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(memfs_symlink(f->fs, "f", "/s", 0));
    assert_ok(memfs_chmod(f->fs, "/s", 0600));
    assert_int_equal(stat_of(f->fs, "/f").mode, 0600);
    uint32_t link_mode = lstat_of(f->fs, "/s").mode;
    int result = memfs_chmodat(f->fs, NULL, "/s", 0640, MEMFS_AT_NOFOLLOW);
    assert_true(result == 0 || result == MEMFS_EOPNOTSUPP);
    assert_int_equal(lstat_of(f->fs, "/s").mode, result == 0 ? 0640 : link_mode);
    assert_int_equal(stat_of(f->fs, "/f").mode, 0600);
}

static void owners_are_stored_and_each_can_be_kept(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(memfs_chown(f->fs, "/f", 1000, 100));
    assert_ok(memfs_chown(f->fs, "/f", MEMFS_ID_KEEP, 200));
    assert_int_equal(stat_of(f->fs, "/f").uid, 1000);
    assert_int_equal(stat_of(f->fs, "/f").gid, 200);
    assert_ok(memfs_chown(f->fs, "/f", 3000, MEMFS_ID_KEEP));
    assert_int_equal(stat_of(f->fs, "/f").uid, 3000);
    assert_int_equal(stat_of(f->fs, "/f").gid, 200);
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_READ);
    assert_ok(memfs_fchown(file, 0, UINT32_MAX - 1));
    assert_int_equal(fstat_of(file).uid, 0);
    assert_true(fstat_of(file).gid == UINT32_MAX - 1);
    assert_ok(memfs_fchmod(file, 0123));
    assert_int_equal(fstat_of(file).mode, 0123);
    assert_ok(memfs_close(file));
}

static void a_symlink_has_an_owner_of_its_own(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(memfs_symlink(f->fs, "f", "/s", 0));
    assert_ok(memfs_chownat(f->fs, NULL, "/s", 7, 8, MEMFS_AT_NOFOLLOW));
    assert_int_equal(lstat_of(f->fs, "/s").uid, 7);
    assert_int_equal(stat_of(f->fs, "/s").uid, 0);
    assert_ok(memfs_chown(f->fs, "/s", 9, 10));
    assert_int_equal(stat_of(f->fs, "/f").uid, 9);
    assert_int_equal(lstat_of(f->fs, "/s").uid, 7);
}

static void stat_tells_kind_size_and_links(void **state)
{
    struct fixture *f = *state;
    put_pattern(f->fs, "/f", 5000, 1);
    assert_ok(memfs_symlink(f->fs, "somewhere", "/s", 0));
    memfs_stat_info file = stat_of(f->fs, "/f"), link = lstat_of(f->fs, "/s");
    memfs_stat_info root = stat_of(f->fs, "/");
    assert_int_equal(file.kind, MEMFS_KIND_FILE);
    assert_int_equal(file.size_bytes, 5000);
    assert_int_equal(file.links, 1);
    assert_int_equal(link.kind, MEMFS_KIND_SYMLINK);
    assert_int_equal(link.size_bytes, 9);
    assert_int_equal(link.links, 1);
    assert_int_equal(root.kind, MEMFS_KIND_DIRECTORY);
    assert_int_equal(root.size_bytes, 0);
    assert_int_equal(root.links, 2);
}

static void stat_by_path_and_by_handle_agree(void **state)
{
    struct fixture *f = *state;
    put_pattern(f->fs, "/f", 5000, 1);
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_READ);
    memfs_stat_info by_path = stat_of(f->fs, "/f"), by_handle = fstat_of(file);
    assert_memory_equal(&by_path, &by_handle, sizeof by_path);
    assert_ok(memfs_close(file));
}

static void stat_with_a_wrong_struct_size_is_invalid(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_READ);
    memfs_stat_info info = {.struct_size = 8, .size_bytes = 99};
    assert_returns(memfs_stat(f->fs, "/f", &info), MEMFS_EINVAL);
    assert_returns(memfs_lstat(f->fs, "/f", &info), MEMFS_EINVAL);
    assert_returns(memfs_fstat(file, &info), MEMFS_EINVAL);
    assert_returns(memfs_statat(f->fs, NULL, "/f", &info, 0), MEMFS_EINVAL);
    assert_int_equal(info.size_bytes, 99);
    assert_ok(memfs_close(file));
}

static void the_generation_counts_changes_of_content_names_and_attributes(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    uint64_t last = fstat_of(file).generation;
    assert_returns(memfs_write(file, "x", 1), 1);
    assert_true(fstat_of(file).generation > last);
    last = fstat_of(file).generation;
    assert_returns(memfs_pwrite(file, "x", 1, 0), 1); /* the same byte: a change all the same */
    assert_true(fstat_of(file).generation > last);
    last = fstat_of(file).generation;
    assert_ok(memfs_ftruncate(file, 0));
    assert_true(fstat_of(file).generation > last);
    last = fstat_of(file).generation;
    assert_ok(memfs_link(f->fs, "/f", "/g"));
    assert_true(fstat_of(file).generation > last);
    last = fstat_of(file).generation;
    assert_ok(memfs_fchmod(file, 0600));
    assert_true(fstat_of(file).generation > last);
    last = fstat_of(file).generation;
    assert_ok(memfs_fchown(file, 1, 1));
    assert_true(fstat_of(file).generation > last);
    last = fstat_of(file).generation;
    assert_ok(memfs_futimens(file, 1, 1));
    assert_true(fstat_of(file).generation > last);
    assert_ok(memfs_close(file));
}

static void the_generation_of_a_directory_counts_its_entries_coming_and_going(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    uint64_t last = stat_of(f->fs, "/d").generation;
    put(f->fs, "/d/f", "x");
    assert_true(stat_of(f->fs, "/d").generation > last);
    last = stat_of(f->fs, "/d").generation;
    assert_ok(memfs_unlink(f->fs, "/d/f"));
    assert_true(stat_of(f->fs, "/d").generation > last);
}

static void looking_changes_no_generation(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    uint64_t file = stat_of(f->fs, "/f").generation, root = stat_of(f->fs, "/").generation;
    assert_text(f->fs, "/f", "x");
    assert_names(f->fs, "/", "f ");
    assert_returns(memfs_truncate(f->fs, "/f", -1), MEMFS_EINVAL);
    assert_returns(memfs_mkdir(f->fs, "/f", 0755), MEMFS_EEXIST);
    assert_int_equal(stat_of(f->fs, "/f").generation, file);
    assert_int_equal(stat_of(f->fs, "/").generation, root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(modes_are_stored_to_the_last_bit),
        FS_TEST(other_bits_than_permissions_are_invalid),
        FS_TEST(changing_a_mode_follows_links_unless_told_not_to),
        FS_TEST(owners_are_stored_and_each_can_be_kept),
        FS_TEST(a_symlink_has_an_owner_of_its_own),
        FS_TEST(stat_tells_kind_size_and_links),
        FS_TEST(stat_by_path_and_by_handle_agree),
        FS_TEST(stat_with_a_wrong_struct_size_is_invalid),
        FS_TEST(the_generation_counts_changes_of_content_names_and_attributes),
        FS_TEST(the_generation_of_a_directory_counts_its_entries_coming_and_going),
        FS_TEST(looking_changes_no_generation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
