/* Opening and closing: flags, modes, what is refused, what is made on the way. */
#include "checks.h"

#include <memfs/storage.h>

static int try_open(memfs *fs, const char *path, uint32_t flags)
{
    memfs_file *file = (memfs_file *)0x1;
    int result = memfs_open(fs, path, flags, 0640, &file);
    if (result == 0)
        assert_ok(memfs_close(file));
    else
        assert_ptr_equal(file, (memfs_file *)0x1);
    return result;
}

static void opening_what_is_not_there_is_no_entry_unless_created(void **state)
{
    struct fixture *f = *state;
    assert_refused(f->fs, try_open(f->fs, "/f", MEMFS_O_READ), MEMFS_ENOENT);
    assert_refused(f->fs, try_open(f->fs, "/f", MEMFS_O_RDWR), MEMFS_ENOENT);
    assert_ok(try_open(f->fs, "/f", MEMFS_O_READ | MEMFS_O_CREATE));
    assert_int_equal(stat_of(f->fs, "/f").mode, 0640);
    assert_int_equal(stat_of(f->fs, "/f").size_bytes, 0);
    assert_int_equal(stat_of(f->fs, "/f").links, 1);
}

static void the_mode_counts_only_when_the_file_is_created(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(try_open(f->fs, "/f", MEMFS_O_RDWR | MEMFS_O_CREATE));
    assert_int_equal(stat_of(f->fs, "/f").mode, 0644);
}

static void create_exclusive_on_an_existing_name_is_refused(void **state)
{
    struct fixture *f = *state;
    uint32_t flags = MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_EXCLUSIVE;
    put(f->fs, "/f", "x");
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_refused(f->fs, try_open(f->fs, "/f", flags), MEMFS_EEXIST);
    assert_refused(f->fs, try_open(f->fs, "/f", flags | MEMFS_O_TRUNCATE), MEMFS_EEXIST);
    assert_refused(f->fs, try_open(f->fs, "/d", flags), MEMFS_EEXIST);
    assert_refused(f->fs, try_open(f->fs, "/", flags), MEMFS_EEXIST);
    assert_ok(try_open(f->fs, "/new", flags));
}

static void create_exclusive_on_a_symlink_is_refused_dangling_or_not(void **state)
{
    struct fixture *f = *state;
    uint32_t flags = MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_EXCLUSIVE;
    assert_ok(memfs_symlink(f->fs, "/nowhere", "/dangling", 0));
    put(f->fs, "/f", "x");
    assert_ok(memfs_symlink(f->fs, "/f", "/good", 0));
    assert_refused(f->fs, try_open(f->fs, "/dangling", flags), MEMFS_EEXIST);
    assert_refused(f->fs, try_open(f->fs, "/good", flags), MEMFS_EEXIST);
    assert_false(is_there(f->fs, "/nowhere"));
}

static void create_through_a_dangling_symlink_makes_its_target(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_ok(memfs_symlink(f->fs, "d/target", "/link", 0));
    assert_ok(try_open(f->fs, "/link", MEMFS_O_WRITE | MEMFS_O_CREATE));
    assert_int_equal(lstat_of(f->fs, "/d/target").kind, MEMFS_KIND_FILE);
    assert_int_equal(lstat_of(f->fs, "/link").kind, MEMFS_KIND_SYMLINK);
}

static void truncate_empties_the_file_even_on_a_read_only_open(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "content");
    assert_ok(try_open(f->fs, "/f", MEMFS_O_READ | MEMFS_O_TRUNCATE));
    assert_int_equal(stat_of(f->fs, "/f").size_bytes, 0);
    put(f->fs, "/f", "content");
    assert_ok(try_open(f->fs, "/f", MEMFS_O_WRITE | MEMFS_O_TRUNCATE));
    assert_int_equal(stat_of(f->fs, "/f").size_bytes, 0);
    assert_int_equal(stat_of(f->fs, "/f").allocated_bytes, 0);
}

static void truncate_while_another_handle_holds_the_lock_is_busy(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "content");
    memfs_file *holder = open_file(f->fs, "/f", MEMFS_O_READ | MEMFS_O_SHARED_LOCK);
    assert_refused(f->fs, try_open(f->fs, "/f", MEMFS_O_WRITE | MEMFS_O_TRUNCATE), MEMFS_EBUSY);
    assert_ok(memfs_close(holder));
    assert_ok(try_open(f->fs, "/f", MEMFS_O_WRITE | MEMFS_O_TRUNCATE));
}

static void a_directory_opens_read_only_and_refuses_to_be_written(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_refused(f->fs, try_open(f->fs, "/d", MEMFS_O_WRITE), MEMFS_EISDIR);
    assert_refused(f->fs, try_open(f->fs, "/d", MEMFS_O_RDWR), MEMFS_EISDIR);
    assert_refused(f->fs, try_open(f->fs, "/d", MEMFS_O_WRITE | MEMFS_O_APPEND), MEMFS_EISDIR);
    assert_refused(f->fs, try_open(f->fs, "/d", MEMFS_O_READ | MEMFS_O_TRUNCATE), MEMFS_EISDIR);
    assert_refused(f->fs, try_open(f->fs, "/d", MEMFS_O_WRITE | MEMFS_O_CREATE), MEMFS_EISDIR);
    assert_ok(try_open(f->fs, "/d", MEMFS_O_READ));
    assert_ok(try_open(f->fs, "/", MEMFS_O_READ | MEMFS_O_DIRECTORY));
}

static void a_directory_handle_does_no_file_work(void **state)
{
    struct fixture *f = *state;
    char byte = 'x';
    memfs_iovec part = {&byte, 1};
    memfs_mapping mapping;
    memfs_content_ref version;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    memfs_file *file = open_file(f->fs, "/d", MEMFS_O_READ | MEMFS_O_DIRECTORY);
    assert_int_equal(fstat_of(file).kind, MEMFS_KIND_DIRECTORY);
    assert_returns(memfs_read(file, &byte, 1), MEMFS_EISDIR);
    assert_returns(memfs_pread(file, &byte, 1, 0), MEMFS_EISDIR);
    assert_returns(memfs_readv(file, &part, 1), MEMFS_EISDIR);
    assert_returns(memfs_map(file, 0, 1, &mapping), MEMFS_EISDIR);
    assert_returns(memfs_content_take(file, &version), MEMFS_EISDIR);
    assert_returns(memfs_lock(file, MEMFS_LOCK_SHARED, 0), MEMFS_EISDIR);
    assert_true(memfs_write(file, &byte, 1) < 0);
    assert_true(memfs_ftruncate(file, 0) < 0);
    assert_true(memfs_fallocate(file, 0, 1, 0) < 0);
    assert_ok(memfs_close(file));
}

static void directory_refuses_what_is_none(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_ok(memfs_symlink(f->fs, "d", "/s", 0));
    assert_refused(f->fs, try_open(f->fs, "/f", MEMFS_O_READ | MEMFS_O_DIRECTORY), MEMFS_ENOTDIR);
    assert_ok(try_open(f->fs, "/s", MEMFS_O_READ | MEMFS_O_DIRECTORY));
    assert_refused(f->fs, try_open(f->fs, "/none", MEMFS_O_READ | MEMFS_O_DIRECTORY), MEMFS_ENOENT);
}

static void nofollow_refuses_a_symlink_at_the_end_only(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    put(f->fs, "/d/f", "x");
    assert_ok(memfs_symlink(f->fs, "/d", "/sd", 0));
    assert_ok(memfs_symlink(f->fs, "/d/f", "/sf", 0));
    assert_returns(try_open(f->fs, "/sf", MEMFS_O_READ | MEMFS_O_NOFOLLOW), MEMFS_ELOOP);
    assert_ok(try_open(f->fs, "/sd/f", MEMFS_O_READ | MEMFS_O_NOFOLLOW));
    assert_ok(try_open(f->fs, "/d/f", MEMFS_O_READ | MEMFS_O_NOFOLLOW));
    assert_ok(try_open(f->fs, "/sf", MEMFS_O_READ));
}

static void a_component_that_is_a_file_is_no_directory(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_returns(try_open(f->fs, "/f/x", MEMFS_O_READ), MEMFS_ENOTDIR);
    assert_returns(try_open(f->fs, "/f/x/y", MEMFS_O_READ), MEMFS_ENOTDIR);
    assert_returns(try_open(f->fs, "/f/x", MEMFS_O_WRITE | MEMFS_O_CREATE), MEMFS_ENOTDIR);
    assert_returns(try_open(f->fs, "/f/", MEMFS_O_READ), MEMFS_ENOTDIR);
    assert_returns(try_open(f->fs, "/f/..", MEMFS_O_READ), MEMFS_ENOTDIR);
    assert_returns(try_open(f->fs, "/none/x", MEMFS_O_READ), MEMFS_ENOENT);
}

static void a_name_with_a_trailing_slash_is_not_created_as_a_file(void **state)
{
    struct fixture *f = *state;
    assert_refused(f->fs, try_open(f->fs, "/new/", MEMFS_O_WRITE | MEMFS_O_CREATE), MEMFS_EISDIR);
}

static void make_parents_makes_what_is_missing_on_the_way(void **state)
{
    struct fixture *f = *state;
    uint32_t flags = MEMFS_O_WRITE | MEMFS_O_CREATE | MEMFS_O_MAKE_PARENTS;
    assert_returns(try_open(f->fs, "/a/b/c", MEMFS_O_WRITE | MEMFS_O_CREATE), MEMFS_ENOENT);
    assert_ok(try_open(f->fs, "/a/b/c", flags));
    assert_int_equal(stat_of(f->fs, "/a").mode, 0755);
    assert_int_equal(stat_of(f->fs, "/a/b").mode, 0755);
    assert_int_equal(stat_of(f->fs, "/a/b/c").mode, 0640);
    assert_ok(try_open(f->fs, "/a/b/c", flags));
    assert_ok(try_open(f->fs, "/a/x", flags));
}

static void make_parents_that_is_refused_leaves_no_parent(void **state)
{
    struct fixture *f = *state;
    uint32_t flags = MEMFS_O_WRITE | MEMFS_O_CREATE | MEMFS_O_MAKE_PARENTS;
    assert_ok(memfs_set_node_limit(f->fs, 3));
    assert_refused(f->fs, try_open(f->fs, "/a/b/c", flags), MEMFS_ENOSPC);
    put(f->fs, "/f", "");
    assert_refused(f->fs, try_open(f->fs, "/f/b/c", flags), MEMFS_ENOTDIR);
}

static void a_temporary_file_has_no_name_until_it_is_linked(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    memfs_file *file = open_file(f->fs, "/d", MEMFS_O_RDWR | MEMFS_O_TMPFILE);
    write_pattern(file, 5000, 0, 1);
    assert_names(f->fs, "/d", "");
    assert_int_equal(fstat_of(file).links, 0);
    assert_int_equal(fstat_of(file).mode, 0644);
    assert_int_equal(statfs_of(f->fs).orphans, 1);
    assert_ok(memfs_link_file(file, NULL, "/d/name"));
    assert_int_equal(fstat_of(file).links, 1);
    assert_int_equal(statfs_of(f->fs).orphans, 0);
    check_pattern(file, 5000, 0, 1);
    assert_ok(memfs_close(file));
    assert_int_equal(stat_of(f->fs, "/d/name").size_bytes, 5000);
}

static void a_temporary_file_that_is_not_linked_goes_with_its_handle(void **state)
{
    struct fixture *f = *state;
    uint64_t used = used_bytes(f->fs);
    memfs_file *file = open_file(f->fs, "/", MEMFS_O_WRITE | MEMFS_O_TMPFILE);
    assert_ok(memfs_close(file));
    assert_int_equal(used_bytes(f->fs), used);
    assert_int_equal(statfs_of(f->fs).files, 0);
}

static void a_temporary_file_opened_exclusively_cannot_be_linked(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = open_file(f->fs, "/", MEMFS_O_RDWR | MEMFS_O_TMPFILE | MEMFS_O_EXCLUSIVE);
    assert_returns(memfs_link_file(file, NULL, "/name"), MEMFS_ENOENT);
    assert_ok(memfs_close(file));
}

static void a_temporary_file_needs_a_directory_and_write_access(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "");
    assert_returns(try_open(f->fs, "/f", MEMFS_O_RDWR | MEMFS_O_TMPFILE), MEMFS_ENOTDIR);
    assert_returns(try_open(f->fs, "/none", MEMFS_O_RDWR | MEMFS_O_TMPFILE), MEMFS_ENOENT);
    assert_returns(try_open(f->fs, "/", MEMFS_O_READ | MEMFS_O_TMPFILE), MEMFS_EINVAL);
}

static void no_flags_mean_reading(void **state)
{
    struct fixture *f = *state;
    char byte;
    put(f->fs, "/f", "x");
    memfs_file *file = open_file(f->fs, "/f", 0);
    assert_returns(memfs_read(file, &byte, 1), 1);
    assert_returns(memfs_write(file, &byte, 1), MEMFS_EBADF);
    assert_ok(memfs_close(file));
    assert_returns(try_open(f->fs, "/none", 0), MEMFS_ENOENT);
}

static void flags_that_make_no_sense_are_invalid(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    static const uint32_t flags[] = {
        MEMFS_O_CREATE,
        MEMFS_O_TRUNCATE,
        MEMFS_O_READ | MEMFS_O_EXCLUSIVE,
        MEMFS_O_RDWR | MEMFS_O_SHARED_LOCK | MEMFS_O_EXCLUSIVE_LOCK,
        MEMFS_O_READ | 0x4u,
        MEMFS_O_READ | 0x8u,
        MEMFS_O_READ | 0x8000000u,
        MEMFS_O_READ | 0x80000000u,
    };
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        assert_refused(f->fs, try_open(f->fs, "/f", flags[i]), MEMFS_EINVAL);
}

static void permission_bits_beyond_07777_are_invalid_at_creation(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = NULL;
    assert_refused(f->fs, memfs_open(f->fs, "/f", MEMFS_O_RDWR | MEMFS_O_CREATE, 010000, &file),
                   MEMFS_EINVAL);
    assert_refused(f->fs, memfs_mkdir(f->fs, "/d", 0100755), MEMFS_EINVAL);
}

static void a_handle_does_only_what_it_was_opened_for(void **state)
{
    struct fixture *f = *state;
    char byte = 'x';
    put(f->fs, "/f", "content");
    memfs_file *reader = open_file(f->fs, "/f", MEMFS_O_READ);
    memfs_file *writer = open_file(f->fs, "/f", MEMFS_O_WRITE);
    assert_refused(f->fs, memfs_write(reader, &byte, 1), MEMFS_EBADF);
    assert_refused(f->fs, memfs_pwrite(reader, &byte, 1, 0), MEMFS_EBADF);
    assert_refused(f->fs, memfs_ftruncate(reader, 0), MEMFS_EBADF);
    assert_refused(f->fs, memfs_fallocate(reader, 0, 10, 0), MEMFS_EBADF);
    assert_refused(f->fs, memfs_read(writer, &byte, 1), MEMFS_EBADF);
    assert_refused(f->fs, memfs_pread(writer, &byte, 1, 0), MEMFS_EBADF);
    assert_ok(memfs_fsync(reader));
    assert_ok(memfs_close(reader));
    assert_ok(memfs_close(writer));
}

static void append_alone_implies_writing(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "one");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_APPEND);
    char byte;
    assert_returns(memfs_write(file, "two", 3), 3);
    assert_returns(memfs_pread(file, &byte, 1, 0), MEMFS_EBADF);
    assert_ok(memfs_close(file));
    assert_text(f->fs, "/f", "onetwo");
}

static void modes_are_stored_but_nothing_is_enforced(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(memfs_chmod(f->fs, "/f", 0));
    assert_ok(memfs_chmod(f->fs, "/", 0));
    assert_ok(try_open(f->fs, "/f", MEMFS_O_RDWR));
    assert_text(f->fs, "/f", "x");
    put(f->fs, "/g", "y");
}

static void options_of_nothing_but_their_size_open_for_reading(void **state)
{
    struct fixture *f = *state;
    memfs_open_options options = {.struct_size = sizeof options};
    memfs_file *file = NULL;
    char byte;
    put(f->fs, "/f", "x");
    assert_ok(memfs_open_with(f->fs, "/f", &options, &file));
    assert_returns(memfs_read(file, &byte, 1), 1);
    assert_returns(memfs_write(file, &byte, 1), MEMFS_EBADF);
    assert_ok(memfs_close(file));
    options.struct_size = 0;
    assert_returns(memfs_open_with(f->fs, "/f", &options, &file), MEMFS_EINVAL);
    options.struct_size = MEMFS_STRUCT_SIZE_MAX + 1;
    assert_returns(memfs_open_with(f->fs, "/f", &options, &file), MEMFS_E2BIG);
}

static void opening_an_existing_file_in_lent_storage_allocates_nothing(void **state)
{
    struct fixture *f = *state;
    memfs_file_storage storage;
    memfs_open_options options = {
        .struct_size = sizeof options, .flags = MEMFS_O_RDWR, .storage = &storage};
    memfs_file *file = NULL;
    put(f->fs, "/f", "content");
    tracking_refuse(&f->allocator, 1, 1);
    assert_ok(memfs_open_with(f->fs, "/f", &options, &file));
    assert_returns(memfs_pwrite(file, "C", 1, 0), 1);
    assert_ok(memfs_close(file));
    assert_int_equal(f->allocator.takes, 0);
    tracking_refuse(&f->allocator, 0, 0);
    assert_text(f->fs, "/f", "Content");
}

static void lent_storage_can_be_used_again_after_close(void **state)
{
    struct fixture *f = *state;
    memfs_file_storage storage;
    memfs_open_options options = {.struct_size = sizeof options, .storage = &storage};
    memfs_file *file = NULL;
    put(f->fs, "/f", "x");
    for (int i = 0; i < 3; i++) {
        assert_ok(memfs_open_with(f->fs, "/f", &options, &file));
        assert_ok(memfs_close(file));
        assert_returns(memfs_close(file), MEMFS_EBADF);
    }
    assert_int_equal(statfs_of(f->fs).open_files, 0);
}

static void closing_nothing_is_a_bad_handle(void **state)
{
    (void)state;
    assert_returns(memfs_close(NULL), MEMFS_EBADF);
}

static void an_open_refused_for_memory_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    uint64_t take = 1;
    memfs_file *file = NULL;
    uint32_t flags = MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_MAKE_PARENTS;
    char *before = fixture_describe(f->fs);
    for (;; take++) {
        tracking_refuse(&f->allocator, take, 1);
        int result = memfs_open(f->fs, "/a/b/c", flags, 0644, &file);
        uint64_t takes = f->allocator.takes;
        tracking_refuse(&f->allocator, 0, 0);
        if (takes < take) {
            assert_ok(result);
            break;
        }
        if (result == 0) {
            assert_ok(memfs_close(file));
            assert_ok(memfs_remove_tree(f->fs, "/a"));
            free(before);
            before = fixture_describe(f->fs);
            continue;
        }
        assert_returns(result, MEMFS_ENOMEM);
        char *after = fixture_describe(f->fs);
        assert_string_equal(before, after);
        free(after);
    }
    free(before);
    assert_ok(memfs_close(file));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(opening_what_is_not_there_is_no_entry_unless_created),
        FS_TEST(the_mode_counts_only_when_the_file_is_created),
        FS_TEST(create_exclusive_on_an_existing_name_is_refused),
        FS_TEST(create_exclusive_on_a_symlink_is_refused_dangling_or_not),
        FS_TEST(create_through_a_dangling_symlink_makes_its_target),
        FS_TEST(truncate_empties_the_file_even_on_a_read_only_open),
        FS_TEST(truncate_while_another_handle_holds_the_lock_is_busy),
        FS_TEST(a_directory_opens_read_only_and_refuses_to_be_written),
        FS_TEST(a_directory_handle_does_no_file_work),
        FS_TEST(directory_refuses_what_is_none),
        FS_TEST(nofollow_refuses_a_symlink_at_the_end_only),
        FS_TEST(a_component_that_is_a_file_is_no_directory),
        FS_TEST(a_name_with_a_trailing_slash_is_not_created_as_a_file),
        FS_TEST(make_parents_makes_what_is_missing_on_the_way),
        FS_TEST(make_parents_that_is_refused_leaves_no_parent),
        FS_TEST(a_temporary_file_has_no_name_until_it_is_linked),
        FS_TEST(a_temporary_file_that_is_not_linked_goes_with_its_handle),
        FS_TEST(a_temporary_file_opened_exclusively_cannot_be_linked),
        FS_TEST(a_temporary_file_needs_a_directory_and_write_access),
        FS_TEST(no_flags_mean_reading),
        FS_TEST(flags_that_make_no_sense_are_invalid),
        FS_TEST(permission_bits_beyond_07777_are_invalid_at_creation),
        FS_TEST(a_handle_does_only_what_it_was_opened_for),
        FS_TEST(append_alone_implies_writing),
        FS_TEST(modes_are_stored_but_nothing_is_enforced),
        FS_TEST(options_of_nothing_but_their_size_open_for_reading),
        FS_TEST(opening_an_existing_file_in_lent_storage_allocates_nothing),
        FS_TEST(lent_storage_can_be_used_again_after_close),
        cmocka_unit_test(closing_nothing_is_a_bad_handle),
        FS_TEST(an_open_refused_for_memory_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
