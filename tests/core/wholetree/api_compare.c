/* Comparing two snapshots, or one with the live tree: what was added, changed, removed, renamed. */
#include "checks.h"

#include <memfs/storage.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

/* The changes, in order, a line each: letters, path, and the old path. */
static void check_changes(memfs *fs, const char *before, const char *after, const char *wanted,
                          int line)
{
    static const struct {
        uint64_t bit;
        char letter;
    } letters[] = {{MEMFS_CHANGE_ADDED, 'A'},      {MEMFS_CHANGE_REMOVED, 'R'},
                   {MEMFS_CHANGE_RENAMED, 'N'},    {MEMFS_CHANGE_CONTENT, 'C'},
                   {MEMFS_CHANGE_ATTRIBUTES, 'M'}, {MEMFS_CHANGE_TIMES, 'T'}};
    char got[2000];
    size_t length = 0;
    memfs_comparison *comparison;
    const memfs_change *change;
    int result;
    assert_ok(memfs_compare_open(fs, before, after, &comparison));
    assert_ok(memfs_audit(fs));
    while ((result = memfs_compare_next(comparison, &change)) == 1) {
        assert_int_equal((change->what & MEMFS_CHANGE_RENAMED) != 0, change->old_path != NULL);
        assert_int_equal(change->stat->kind == MEMFS_KIND_SYMLINK, change->target != NULL);
        for (size_t i = 0; i < COUNT_OF(letters); i++)
            if ((change->what & letters[i].bit) != 0)
                got[length++] = letters[i].letter;
        length += (size_t)snprintf(got + length, sizeof got - length, " %s%s%s\n", change->path,
                                   change->old_path != NULL ? " " : "",
                                   change->old_path != NULL ? change->old_path : "");
    }
    got[length] = '\0';
    assert_int_equal(result, 0);
    assert_ok(memfs_compare_close(comparison));
    if (strcmp(got, wanted) != 0)
        fail_msg("line %d: changes are\n%sinstead of\n%s", line, got, wanted);
}

#define assert_changes(fs, before, after, wanted) \
    check_changes((fs), (before), (after), (wanted), __LINE__)

static void plant(memfs *fs)
{
    assert_ok(memfs_mkdir_parents(fs, "/a/b", 0755));
    assert_ok(memfs_mkdir(fs, "/c", 0755));
    put_pattern(fs, "/a/paged", 5 * PAGE + 17, 1);
    put(fs, "/a/b/short", "short");
    put(fs, "/c/x", "x");
    put(fs, "/c/empty", "");
    assert_ok(memfs_symlink(fs, "b/short", "/a/link", 0));
}

static void equal_trees_have_no_differences(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_snapshot_take(f->fs, "nothing"));
    assert_changes(f->fs, "nothing", NULL, "");
    plant(f->fs);
    assert_ok(memfs_snapshot_take(f->fs, "one"));
    assert_ok(memfs_snapshot_take(f->fs, "two"));
    assert_changes(f->fs, "one", "two", "");
    assert_changes(f->fs, "one", NULL, "");
    assert_changes(f->fs, NULL, "one", "");
    assert_changes(f->fs, "one", "one", "");
    char buffer[8];
    memfs_file *file = open_file(f->fs, "/a/paged", MEMFS_O_READ);
    assert_returns(memfs_read(file, buffer, sizeof buffer), sizeof buffer);
    assert_ok(memfs_close(file));
    assert_changes(f->fs, "one", NULL, "");
}

static void everything_is_added_to_an_empty_tree_and_removed_from_the_last(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_snapshot_take(f->fs, "nothing"));
    plant(f->fs);
    assert_changes(f->fs, "nothing", NULL,
                   "A /a\nA /a/b\nA /a/b/short\nA /a/paged\nA /a/link\n"
                   "A /c\nA /c/x\nA /c/empty\n");
    assert_changes(f->fs, NULL, "nothing",
                   "R /c/empty\nR /c/x\nR /c\nR /a/link\nR /a/paged\nR /a/b/short\nR /a/b\nR /a\n");
}

static void each_kind_of_change_is_told_from_the_others(void **state)
{
    struct fixture *f = *state;
    plant(f->fs);
    assert_ok(memfs_snapshot_take(f->fs, "one"));
    memfs_file *file = open_file(f->fs, "/a/paged", MEMFS_O_RDWR);
    assert_returns(memfs_pwrite(file, "!", 1, 3 * PAGE), 1);
    assert_ok(memfs_close(file));
    assert_ok(memfs_chmod(f->fs, "/a/b/short", 0600));
    assert_ok(memfs_chown(f->fs, "/a/b", 5, 6));
    assert_ok(memfs_utimens(f->fs, "/c/x", 1, 2));
    assert_ok(memfs_unlink(f->fs, "/a/link"));
    assert_ok(memfs_symlink(f->fs, "b", "/a/link", 0));
    assert_ok(memfs_truncate(f->fs, "/c/empty", 100));
    assert_ok(memfs_chmod(f->fs, "/", 0700));
    assert_changes(f->fs, "one", NULL,
                   "M /\nM /a/b\nM /a/b/short\nCT /a/paged\nCT /a/link\nT /c/x\nCT /c/empty\n");
}

static void what_was_renamed_is_known_again_by_its_number(void **state)
{
    struct fixture *f = *state;
    plant(f->fs);
    assert_ok(memfs_snapshot_take(f->fs, "one"));
    assert_ok(memfs_rename(f->fs, "/c/x", "/a/y", 0));
    assert_ok(memfs_rename(f->fs, "/a/b", "/c/moved", 0));
    assert_ok(memfs_rename(f->fs, "/a/link", "/a/pointer", 0));
    assert_changes(f->fs, "one", NULL, "N /a/pointer /a/link\nN /a/y /c/x\nN /c/moved /a/b\n");
    put(f->fs, "/c/moved/short", "changed");
    put(f->fs, "/c/x", "another");
    assert_changes(f->fs, "one", NULL,
                   "N /a/pointer /a/link\nN /a/y /c/x\nN /c/moved /a/b\nCT /c/moved/short\n"
                   "A /c/x\n");
}

static void names_that_were_exchanged_are_two_renamings(void **state)
{
    struct fixture *f = *state;
    plant(f->fs);
    assert_ok(memfs_snapshot_take(f->fs, "one"));
    assert_ok(memfs_rename(f->fs, "/a", "/c", MEMFS_RENAME_EXCHANGE));
    assert_changes(f->fs, "one", NULL, "N /a /c\nN /c /a\n");
    assert_ok(memfs_rename(f->fs, "/a", "/c/b/deep", 0));
    assert_changes(f->fs, "one", NULL, "N /c /a\nN /c/b/deep /c\n");
}

static void a_file_that_is_replaced_is_one_that_changed(void **state)
{
    struct fixture *f = *state;
    plant(f->fs);
    assert_ok(memfs_snapshot_take(f->fs, "one"));
    put(f->fs, "/c/x.tmp", "saved");
    assert_ok(memfs_rename(f->fs, "/c/x.tmp", "/c/x", 0));
    assert_changes(f->fs, "one", NULL, "CT /c/x\n");
    assert_ok(memfs_unlink(f->fs, "/c/x"));
    assert_ok(memfs_mkdir(f->fs, "/c/x", 0755));
    put(f->fs, "/c/x/in", "in");
    assert_changes(f->fs, "one", NULL, "R /c/x\nA /c/x\nA /c/x/in\n");
}

static void a_tree_that_was_put_back_has_no_differences(void **state)
{
    struct fixture *f = *state;
    plant(f->fs);
    assert_ok(memfs_snapshot_take(f->fs, "one"));
    assert_ok(memfs_remove_tree(f->fs, "/a"));
    assert_ok(memfs_snapshot_restore(f->fs, "one"));
    assert_changes(f->fs, "one", NULL, "");
    assert_ok(memfs_rename(f->fs, "/c/x", "/c/y", 0));
    put(f->fs, "/a/b/short", "changed");
    assert_changes(f->fs, "one", NULL, "R /c/x\nCT /a/b/short\nA /c/y\n");
}

static void names_of_one_file_are_added_and_removed(void **state)
{
    struct fixture *f = *state;
    plant(f->fs);
    assert_ok(memfs_link(f->fs, "/c/x", "/c/second"));
    assert_ok(memfs_snapshot_take(f->fs, "one"));
    assert_ok(memfs_rename(f->fs, "/c/second", "/c/third", 0));
    assert_changes(f->fs, "one", NULL, "R /c/second\nA /c/third\n");
    put(f->fs, "/c/x", "new");
    assert_changes(f->fs, "one", NULL, "R /c/second\nCT /c/x\nA /c/third\n");
    assert_ok(memfs_unlink(f->fs, "/c/third"));
    assert_changes(f->fs, "one", NULL, "R /c/second\nCT /c/x\n");
}

static void what_moved_out_of_a_removed_directory_was_renamed(void **state)
{
    struct fixture *f = *state;
    plant(f->fs);
    assert_ok(memfs_snapshot_take(f->fs, "one"));
    assert_ok(memfs_rename(f->fs, "/a/b/short", "/c/kept", 0));
    assert_ok(memfs_remove_tree(f->fs, "/a"));
    assert_changes(f->fs, "one", NULL,
                   "R /a/link\nR /a/paged\nR /a/b\nR /a\nN /c/kept /a/b/short\n");
}

static void equal_bytes_that_were_written_again_count_as_changed(void **state)
{
    struct fixture *f = *state;
    plant(f->fs);
    assert_ok(memfs_snapshot_take(f->fs, "one"));
    memfs_stat_info info = stat_of(f->fs, "/c/x");
    put(f->fs, "/c/x", "x");
    assert_ok(memfs_utimens(f->fs, "/c/x", info.access_ns, info.modify_ns));
    assert_changes(f->fs, "one", NULL, "C /c/x\n");
    assert_ok(memfs_copy(f->fs, "/a/paged", "/c/x", 0));
    assert_ok(memfs_copy(f->fs, "/c/x", "/a/paged", 0));
    info = stat_of(f->fs, "/a/paged");
    assert_changes(f->fs, "one", NULL, "T /a/paged\nCT /c/x\n");
}

static void a_file_can_be_opened_as_it_was_compared(void **state)
{
    struct fixture *f = *state;
    memfs_comparison *comparison;
    const memfs_change *change;
    memfs_file *file;
    char text[16] = "";
    plant(f->fs);
    assert_ok(memfs_snapshot_take(f->fs, "one"));
    put(f->fs, "/a/b/short", "changed");
    assert_ok(memfs_unlink(f->fs, "/c/x"));
    assert_ok(memfs_mkdir(f->fs, "/new", 0755));
    assert_ok(memfs_symlink(f->fs, "target", "/zlink", 0));
    memfs_stat_info live = stat_of(f->fs, "/a/b/short");
    assert_ok(memfs_compare_open(f->fs, "one", NULL, &comparison));
    assert_returns(memfs_compare_open_file(comparison, &file), MEMFS_EINVAL);
    assert_ok(memfs_snapshot_remove(f->fs, "one"));
    assert_ok(memfs_remove_tree(f->fs, "/a"));
    assert_ok(memfs_audit(f->fs));

    assert_int_equal(memfs_compare_next(comparison, &change), 1);
    assert_string_equal(change->path, "/c/x");
    assert_ok(memfs_compare_open_file(comparison, &file));
    assert_returns(memfs_read(file, text, sizeof text), 1);
    assert_string_equal(text, "x");
    assert_ok(memfs_close(file));

    assert_int_equal(memfs_compare_next(comparison, &change), 1);
    assert_string_equal(change->path, "/a/b/short");
    assert_int_equal(change->stat->number, live.number);
    assert_int_equal(change->stat->links, 1);
    assert_ok(memfs_compare_open_file(comparison, &file));
    assert_returns(memfs_read(file, text, sizeof text), 7);
    assert_string_equal(text, "changed");
    assert_int_equal(fstat_of(file).change_ns, live.change_ns);
    assert_int_equal(fstat_of(file).modify_ns, live.modify_ns);
    assert_ok(memfs_close(file));

    assert_int_equal(memfs_compare_next(comparison, &change), 1);
    assert_returns(memfs_compare_open_file(comparison, &file), MEMFS_EISDIR);
    assert_int_equal(memfs_compare_next(comparison, &change), 1);
    assert_string_equal(change->target, "target");
    assert_returns(memfs_compare_open_file(comparison, &file), MEMFS_ELOOP);
    assert_int_equal(memfs_compare_next(comparison, &change), 0);
    assert_int_equal(memfs_compare_next(comparison, &change), 0);
    assert_returns(memfs_compare_open_file(comparison, &file), MEMFS_EINVAL);
    assert_ok(memfs_compare_close(comparison));
}

static void what_is_no_comparison_is_refused(void **state)
{
    struct fixture *f = *state;
    memfs_comparison *comparison;
    const memfs_change *change;
    memfs_file *file;
    assert_ok(memfs_snapshot_take(f->fs, "one"));
    assert_refused(f->fs, memfs_compare_open(f->fs, NULL, NULL, &comparison), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_compare_open(f->fs, "two", NULL, &comparison), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_compare_open(f->fs, "one", "two", &comparison), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_compare_open(f->fs, "one", "a/b", &comparison), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_compare_open(f->fs, "one", NULL, NULL), MEMFS_EINVAL);
    assert_returns(memfs_compare_open(NULL, "one", NULL, &comparison), MEMFS_EINVAL);
    assert_returns(memfs_compare_next(NULL, &change), MEMFS_EBADF);
    assert_returns(memfs_compare_open_file(NULL, &file), MEMFS_EBADF);
    assert_returns(memfs_compare_close(NULL), MEMFS_EBADF);
    assert_ok(memfs_compare_open(f->fs, "one", NULL, &comparison));
    assert_returns(memfs_compare_next(comparison, NULL), MEMFS_EINVAL);
    assert_returns(memfs_destroy(f->fs, 0), MEMFS_EBUSY);
    assert_ok(memfs_compare_close(comparison));
}

/* Forbids reading the host's pages that lie wholly inside a page of the file. */
static void protect(memfs_file *file, int64_t offset, size_t page_bytes, int protection)
{
    memfs_mapping mapping;
    uintptr_t host = (uintptr_t)sysconf(_SC_PAGESIZE);
    assert_ok(memfs_map(file, offset, page_bytes, &mapping));
    uintptr_t at = (uintptr_t)mapping.data;
    uintptr_t from = (at + host - 1) / host * host, to = (at + page_bytes) / host * host;
    assert_true(from < to);
    assert_int_equal(mprotect((void *)from, to - from, protection), 0); /* NOLINT */
    assert_ok(memfs_unmap(&mapping));
}

static void no_page_is_read(void **state)
{
    (void)state;
    enum { LARGE_PAGE = 65536, PAGES = 20 };
    memfs_config config = memfs_config_default();
    config.page_size = LARGE_PAGE;
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    put_pattern(f->fs, "/same", PAGES * LARGE_PAGE, 1);
    put_pattern(f->fs, "/other", PAGES * LARGE_PAGE, 2);
    assert_ok(memfs_snapshot_take(f->fs, "one"));
    memfs_file *same = open_file(f->fs, "/same", MEMFS_O_RDWR);
    memfs_file *other = open_file(f->fs, "/other", MEMFS_O_RDWR);
    write_pattern(other, LARGE_PAGE, 5 * LARGE_PAGE, 3);
    for (int64_t page = 0; page < PAGES; page++) {
        protect(same, page * LARGE_PAGE, LARGE_PAGE, PROT_NONE);
        protect(other, page * LARGE_PAGE, LARGE_PAGE, PROT_NONE);
    }
    assert_changes(f->fs, "one", NULL, "CT /other\n");
    for (int64_t page = 0; page < PAGES; page++) {
        protect(same, page * LARGE_PAGE, LARGE_PAGE, PROT_READ | PROT_WRITE);
        protect(other, page * LARGE_PAGE, LARGE_PAGE, PROT_READ | PROT_WRITE);
    }
    assert_ok(memfs_close(same));
    assert_ok(memfs_close(other));
    fixture_destroy(f);
}

static void it_costs_entries_whatever_the_sizes(void **state)
{
    (void)state;
    enum { FILES = 500 };
    uint64_t takes[2];
    for (size_t large = 0; large < 2; large++) {
        memfs_config config = memfs_config_default();
        struct fixture *f = fixture_create(&config);
        memfs_comparison *comparison;
        for (int i = 0; i < FILES; i++) {
            char path[32];
            snprintf(path, sizeof path, "/%d", i);
            put_pattern(f->fs, path, large != 0 ? 20 * PAGE : 10, 1);
        }
        assert_ok(memfs_snapshot_take(f->fs, "one"));
        uint64_t before = f->allocator.takes;
        assert_ok(memfs_compare_open(f->fs, "one", NULL, &comparison));
        takes[large] = f->allocator.takes - before;
        assert_ok(memfs_compare_close(comparison));
        fixture_destroy(f);
    }
    assert_true(takes[1] <= FILES * 4);
    assert_true(takes[0] <= FILES * 4);
}

static void it_is_refused_at_any_quota_without_a_trace(void **state)
{
    struct fixture *f = *state;
    plant(f->fs);
    assert_ok(memfs_snapshot_take(f->fs, "one"));
    put(f->fs, "/a/b/short", "changed");
    assert_ok(memfs_rename(f->fs, "/c/x", "/c/a longer name than the one before", 0));
    uint64_t used = used_bytes(f->fs);
    int error;
    uint64_t take = 0;
    do {
        memfs_comparison *comparison;
        tracking_refuse(&f->allocator, ++take, 1);
        error = memfs_compare_open(f->fs, "one", NULL, &comparison);
        tracking_refuse(&f->allocator, 0, 0);
        if (error == 0)
            assert_ok(memfs_compare_close(comparison));
        else
            assert_int_equal(error, MEMFS_ENOMEM);
        assert_int_equal(used_bytes(f->fs), used);
        assert_ok(memfs_audit(f->fs));
    } while (error != 0);
    assert_true(f->is_pooled || take > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(equal_trees_have_no_differences),
        FS_TEST(everything_is_added_to_an_empty_tree_and_removed_from_the_last),
        FS_TEST(each_kind_of_change_is_told_from_the_others),
        FS_TEST(what_was_renamed_is_known_again_by_its_number),
        FS_TEST(names_that_were_exchanged_are_two_renamings),
        FS_TEST(a_file_that_is_replaced_is_one_that_changed),
        FS_TEST(a_tree_that_was_put_back_has_no_differences),
        FS_TEST(names_of_one_file_are_added_and_removed),
        FS_TEST(what_moved_out_of_a_removed_directory_was_renamed),
        FS_TEST(equal_bytes_that_were_written_again_count_as_changed),
        FS_TEST(a_file_can_be_opened_as_it_was_compared),
        FS_TEST(what_is_no_comparison_is_refused),
        cmocka_unit_test(no_page_is_read),
        cmocka_unit_test(it_costs_entries_whatever_the_sizes),
        FS_TEST(it_is_refused_at_any_quota_without_a_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
