/* Rules that make calls fail, and the hook. */
#include "crashes.h"

static unsigned add_rule(memfs *fs, memfs_fault_rule rule)
{
    unsigned number = 0;
    rule.struct_size = sizeof rule;
    int result = memfs_fault_add(fs, &rule, &number);
    if (result == MEMFS_EOPNOTSUPP)
        skip();
    assert_ok(result);
    return number;
}

/* A build that has no faults skips the test, before anything is open. */
static void need_faults(memfs *fs)
{
    (void)add_rule(fs, (memfs_fault_rule){.operations = MEMFS_OP_ALL});
    assert_ok(memfs_fault_clear(fs));
}

static void check_hits(memfs *fs, unsigned number, uint64_t met, uint64_t failed)
{
    uint64_t found_met, found_failed;
    assert_ok(memfs_fault_hits(fs, number, &found_met, &found_failed));
    assert_int_equal(found_met, met);
    assert_int_equal(found_failed, failed);
}

static void the_nth_call_fails_and_changes_nothing(void **state)
{
    struct fixture *f = *state;
    unsigned rule = add_rule(
        f->fs, (memfs_fault_rule){.operations = MEMFS_OP_MAKE, .nth = 2, .error = MEMFS_ENOSPC});
    assert_ok(memfs_mkdir(f->fs, "/a", 0755));
    assert_refused(f->fs, memfs_mkdir(f->fs, "/b", 0755), MEMFS_ENOSPC);
    assert_ok(memfs_mkdir(f->fs, "/b", 0755));
    check_hits(f->fs, rule, 3, 1);
    assert_ok(memfs_fault_clear(f->fs));
    assert_returns(memfs_fault_hits(f->fs, rule, NULL, NULL), MEMFS_ENOENT);
}

static void from_then_on_all_fail_until_the_rule_is_switched_off(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "text");
    unsigned rule = add_rule(f->fs, (memfs_fault_rule){.operations = MEMFS_OP_READ,
                                                       .flags = MEMFS_FAULT_FROM_THEN,
                                                       .nth = 2,
                                                       .error = MEMFS_EIO});
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_READ);
    char bytes[4];
    assert_returns(memfs_read(file, bytes, 2), 2);
    assert_returns(memfs_read(file, bytes, 2), MEMFS_EIO);
    assert_returns(memfs_pread(file, bytes, 2, 0), MEMFS_EIO);
    assert_returns(memfs_read_file_into(f->fs, "/f", bytes, 4), MEMFS_EIO);
    assert_ok(memfs_fault_enable(f->fs, rule, 0));
    assert_returns(memfs_read(file, bytes, 4), 2); /* the offset had stayed */
    assert_ok(memfs_fault_enable(f->fs, rule, 1));
    assert_returns(memfs_read(file, bytes, 2), MEMFS_EIO);
    check_hits(f->fs, rule, 5, 4);
    assert_ok(memfs_close(file));
}

static void a_call_may_take_effect_and_fail_all_the_same(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "text");
    add_rule(f->fs, (memfs_fault_rule){.operations = MEMFS_OP_RENAME | MEMFS_OP_REMOVE,
                                       .flags = MEMFS_FAULT_AFTER,
                                       .error = MEMFS_EIO});
    assert_returns(memfs_rename(f->fs, "/f", "/g", 0), MEMFS_EIO);
    assert_int_equal(memfs_exists(f->fs, "/g"), 1);
    assert_returns(memfs_rename(f->fs, "/none", "/h", 0), MEMFS_ENOENT);
    assert_returns(memfs_unlink(f->fs, "/g"), MEMFS_EIO);
    assert_int_equal(memfs_exists(f->fs, "/g"), 0);
}

static void patterns_match_the_path_that_a_file_has_now(void **state)
{
    struct fixture *f = *state;
    need_faults(f->fs);
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    memfs_file *early = open_file(f->fs, "/d/a.db", MEMFS_O_RDWR | MEMFS_O_CREATE);
    unsigned rule = add_rule(f->fs, (memfs_fault_rule){.operations = MEMFS_OP_WRITE,
                                                       .pattern = "/**/*.db",
                                                       .error = MEMFS_EIO});
    memfs_file *other = open_file(f->fs, "/d/other", MEMFS_O_RDWR | MEMFS_O_CREATE);
    assert_returns(memfs_write(early, "x", 1), MEMFS_EIO);
    assert_returns(memfs_write(other, "x", 1), 1);
    assert_ok(memfs_rename(f->fs, "/d/a.db", "/d/a.txt", 0));
    assert_ok(memfs_rename(f->fs, "/d", "/e", 0));
    assert_returns(memfs_write(early, "x", 1), 1);
    assert_ok(memfs_rename(f->fs, "/e/other", "/e/b.db", 0));
    assert_returns(memfs_write(other, "x", 1), MEMFS_EIO);
    assert_ok(memfs_unlink(f->fs, "/e/b.db"));
    assert_returns(memfs_write(other, "x", 1), MEMFS_EIO); /* by its last name */
    check_hits(f->fs, rule, 3, 3);
    assert_ok(memfs_close(other));
    assert_ok(memfs_close(early));
}

static void relative_paths_and_links_are_resolved_for_patterns(void **state)
{
    struct fixture *f = *state;
    need_faults(f->fs);
    memfs_dir *dir;
    memfs_stat_info info = {.struct_size = sizeof info};
    assert_ok(memfs_mkdir_parents(f->fs, "/a/b", 0755));
    assert_ok(memfs_symlink(f->fs, "/a", "/link", 0));
    put(f->fs, "/a/b/f", "text");
    assert_ok(memfs_opendir(f->fs, "/a", &dir));
    add_rule(f->fs, (memfs_fault_rule){.operations = MEMFS_OP_STAT | MEMFS_OP_OPEN,
                                       .pattern = "/a/b/*",
                                       .error = MEMFS_EIO});
    assert_returns(memfs_stat(f->fs, "/link/b/f", &info), MEMFS_EIO);
    assert_returns(memfs_statat(f->fs, dir, "b/./f", &info, 0), MEMFS_EIO);
    assert_returns(memfs_stat(f->fs, "/a/b", &info), 0);
    memfs_file *file;
    assert_returns(memfs_open(f->fs, "/link/b/new", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file),
                   MEMFS_EIO);
    assert_ok(memfs_closedir(dir));
}

static void ranges_select_reads_and_writes(void **state)
{
    struct fixture *f = *state;
    need_faults(f->fs);
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR | MEMFS_O_CREATE);
    add_rule(f->fs, (memfs_fault_rule){.operations = MEMFS_OP_WRITE,
                                       .from_offset = 100,
                                       .to_offset = 200,
                                       .error = MEMFS_EDQUOT});
    assert_returns(memfs_pwrite(file, "0123456789", 10, 90), 10);
    assert_returns(memfs_pwrite(file, "0123456789", 10, 91), MEMFS_EDQUOT);
    assert_returns(memfs_pwrite(file, "0123456789", 10, 199), MEMFS_EDQUOT);
    assert_returns(memfs_pwrite(file, "0123456789", 10, 200), 10);
    assert_ok(memfs_close(file));
}

static void chance_is_repeated_by_its_seed(void **state)
{
    struct fixture *f = *state;
    uint64_t failures[2] = {0};
    for (int run = 0; run < 2; run++) {
        add_rule(f->fs,
                 (memfs_fault_rule){
                     .operations = MEMFS_OP_STAT, .one_in = 4, .seed = 11, .error = MEMFS_EIO});
        for (int i = 0; i < 64; i++) {
            memfs_stat_info info = {.struct_size = sizeof info};
            failures[run] |= (uint64_t)(memfs_stat(f->fs, "/", &info) != 0) << i;
        }
        assert_ok(memfs_fault_clear(f->fs));
    }
    assert_int_equal(failures[0], failures[1]);
    assert_true(failures[0] != 0 && failures[0] != UINT64_MAX);
}

/* Every kind of call can be made to fail. */
static void every_operation_has_calls_that_fail(void **state)
{
    struct fixture *f = *state;
    need_faults(f->fs);
    char bytes[8];
    memfs_stat_info info = {.struct_size = sizeof info};
    memfs_list list = {.struct_size = sizeof list};
    memfs_dir *dir;
    memfs_file *opened;
    put(f->fs, "/f", "text");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR);
    unsigned rule = add_rule(f->fs,
                             (memfs_fault_rule){.operations = MEMFS_OP_ALL, .error = MEMFS_EIO});
    const memfs_import_entry entry = {sizeof entry, "/i", "x", 1, 0, 0644, 0};
    char *before = NULL;
    assert_ok(memfs_fault_enable(f->fs, rule, 0));
    before = fixture_describe(f->fs);
    assert_ok(memfs_fault_enable(f->fs, rule, 1));
    const int64_t results[] = {memfs_open(f->fs, "/f", MEMFS_O_READ, 0, &opened),
                               memfs_read(file, bytes, 1),
                               memfs_write(file, "x", 1),
                               memfs_pwrite(file, "x", 1, 0),
                               memfs_append_file(f->fs, "/f", "x", 1, 0644, 0),
                               memfs_truncate(f->fs, "/f", 0),
                               memfs_ftruncate(file, 0),
                               memfs_fallocate(file, 0, 100, 0),
                               memfs_fsync(file),
                               memfs_fdatasync(file),
                               memfs_sync(f->fs, "/"),
                               memfs_stat(f->fs, "/f", &info),
                               memfs_fstat(file, &info),
                               memfs_chmod(f->fs, "/f", 0),
                               memfs_fchmod(file, 0),
                               memfs_chown(f->fs, "/f", 1, 1),
                               memfs_utimens(f->fs, "/f", 1, 1),
                               memfs_mkdir(f->fs, "/d", 0755),
                               memfs_mkdir_parents(f->fs, "/d/e", 0755),
                               memfs_symlink(f->fs, "t", "/s", 0),
                               memfs_link(f->fs, "/f", "/l"),
                               memfs_link_file(file, NULL, "/l"),
                               memfs_rename(f->fs, "/f", "/g", 0),
                               memfs_unlink(f->fs, "/f"),
                               memfs_remove_tree(f->fs, "/f"),
                               memfs_opendir(f->fs, "/", &dir),
                               memfs_list_dir(f->fs, "/", &list),
                               memfs_lock(file, MEMFS_LOCK_SHARED, 0),
                               memfs_write_file(f->fs, "/w", "x", 1, 0644, 0),
                               memfs_copy(f->fs, "/f", "/c", 0),
                               memfs_copy_tree(f->fs, "/f", "/c", 0),
                               memfs_import(f->fs, &entry, 1, 0, NULL)};
    assert_ok(memfs_fault_clear(f->fs));
    for (size_t i = 0; i < COUNT_OF(results); i++)
        if (results[i] != MEMFS_EIO)
            fail_msg("call %u: %d", (unsigned)i, (int)results[i]);
    check_described(f->fs, before, "what failed", __FILE__, __LINE__);
    assert_ok(memfs_close(file));
}

struct asked {
    int begins, ends;
    int64_t last_result;
    char path[32], to[32];
    int answer;
};

static int ask(void *context, memfs *fs, const memfs_operation *operation)
{
    struct asked *asked = context;
    assert_int_equal(memfs_exists(fs, "/"), 1); /* is not asked about */
    put(fs, "/by_hook", "text");
    asked->begins += !operation->is_after;
    asked->ends += operation->is_after;
    asked->last_result = operation->result;
    snprintf(asked->path, sizeof asked->path, "%s", operation->path);
    snprintf(asked->to, sizeof asked->to, "%s", operation->to != NULL ? operation->to : "-");
    return asked->answer;
}

static void a_hook_is_asked_when_a_call_begins_and_when_it_ends(void **state)
{
    struct fixture *f = *state;
    struct asked asked = {.answer = 0};
    int result = memfs_fault_set_hook(f->fs, ask, &asked);
    if (result == MEMFS_EOPNOTSUPP)
        skip();
    assert_ok(result);
    put(f->fs, "/f", "text");
    int calls = asked.begins;
    assert_true(calls > 0);
    assert_int_equal(asked.ends, calls);
    assert_ok(memfs_rename(f->fs, "/f", "/g", 0));
    assert_string_equal(asked.path, "/f");
    assert_string_equal(asked.to, "/g");
    assert_int_equal(asked.begins, calls + 1);
    asked.answer = MEMFS_EIO;
    assert_returns(memfs_mkdir(f->fs, "/d", 0755), MEMFS_EIO);
    assert_int_equal(asked.ends, calls + 1);
    assert_string_equal(asked.path, "/d");
    assert_ok(memfs_fault_set_hook(f->fs, NULL, NULL));
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_int_equal(asked.ends, calls + 1);
}

static void bad_rules_are_refused(void **state)
{
    struct fixture *f = *state;
    const memfs_fault_rule bad[] = {
        {.operations = 0, .error = MEMFS_EIO},
        {.operations = MEMFS_OP_ALL + 1, .error = MEMFS_EIO},
        {.operations = MEMFS_OP_READ, .flags = 8, .error = MEMFS_EIO},
        {.operations = MEMFS_OP_READ, .flags = MEMFS_FAULT_FROM_THEN, .error = MEMFS_EIO},
        {.operations = MEMFS_OP_READ, .nth = 1, .one_in = 1, .error = MEMFS_EIO},
        {.operations = MEMFS_OP_READ, .error = 5},
        {.operations = MEMFS_OP_READ, .pattern = "/[", .error = MEMFS_EIO},
        {.operations = MEMFS_OP_READ, .from_offset = 5, .to_offset = 5, .error = MEMFS_EIO},
        {.operations = MEMFS_OP_READ, .error = MEMFS_ENOSPC},
        {.operations = MEMFS_OP_SYNC | MEMFS_OP_WRITE, .error = MEMFS_EDQUOT}};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        memfs_fault_rule rule = bad[i];
        rule.struct_size = sizeof rule;
        assert_returns(memfs_fault_add(f->fs, &rule, NULL), MEMFS_EINVAL);
    }
    assert_returns(memfs_fault_add(f->fs, NULL, NULL), MEMFS_EINVAL);
    assert_returns(memfs_fault_hits(f->fs, 1, NULL, NULL), MEMFS_ENOENT);
    assert_returns(memfs_fault_enable(f->fs, 1, 1), MEMFS_ENOENT);
    assert_ok(memfs_fault_clear(f->fs));
}

static void a_rule_without_an_error_only_counts(void **state)
{
    struct fixture *f = *state;
    unsigned rule = add_rule(f->fs, (memfs_fault_rule){.operations = MEMFS_OP_CHANGES});
    put(f->fs, "/f", "text");
    uint64_t met;
    assert_ok(memfs_fault_hits(f->fs, rule, &met, NULL));
    assert_true(met > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(the_nth_call_fails_and_changes_nothing),
        FS_TEST(from_then_on_all_fail_until_the_rule_is_switched_off),
        FS_TEST(a_call_may_take_effect_and_fail_all_the_same),
        FS_TEST(patterns_match_the_path_that_a_file_has_now),
        FS_TEST(relative_paths_and_links_are_resolved_for_patterns),
        FS_TEST(ranges_select_reads_and_writes),
        FS_TEST(chance_is_repeated_by_its_seed),
        FS_TEST(every_operation_has_calls_that_fail),
        FS_TEST(a_hook_is_asked_when_a_call_begins_and_when_it_ends),
        FS_TEST(bad_rules_are_refused),
        FS_TEST(a_rule_without_an_error_only_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
