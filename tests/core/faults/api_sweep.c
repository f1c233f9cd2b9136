/* Sweeps over the steps of a piece of code: they find what is wrong, and pass what is right. */
#include "crashes.h"

/* How a program saves a file, and what it leaves out. */
struct saving {
    int syncs_file, syncs_directory;
    unsigned bodies, checks;
};

static int set_up(void *context, memfs *fs)
{
    (void)context;
    return memfs_write_file(fs, "/settings", "old", 3, 0644, 0);
}

static int save(void *context, memfs *fs)
{
    struct saving *s = context;
    memfs_file *file;
    s->bodies++;
    int error = memfs_open(fs, "/new", MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file);
    if (error != 0)
        return error;
    int64_t n = memfs_write(file, "new", 3);
    error = n < 0 ? (int)n : 0;
    if (error == 0 && s->syncs_file)
        error = memfs_fsync(file);
    (void)memfs_close(file);
    if (error == 0)
        error = memfs_rename(fs, "/new", "/settings", 0);
    if (error == 0 && s->syncs_directory)
        error = memfs_sync(fs, "/");
    return error;
}

/* The old settings or the new ones. */
static int check(void *context, memfs *fs, uint64_t step)
{
    struct saving *s = context;
    char text[8] = "";
    (void)step;
    s->checks++;
    int64_t length = memfs_read_file_into(fs, "/settings", text, sizeof text);
    return length == 3 && (memcmp(text, "old", 3) == 0 || memcmp(text, "new", 3) == 0) ? 0 : 42;
}

static int sweep_with(struct saving *s, int error, const memfs_crash_options *survival,
                      memfs_sweep_report *report)
{
    memfs_sweep sweep = {.struct_size = sizeof sweep,
                         .context = s,
                         .set_up = set_up,
                         .body = save,
                         .check = check,
                         .survival = survival,
                         .seeds = 40,
                         .error = error};
    *report = (memfs_sweep_report){.struct_size = sizeof *report};
    int result = memfs_sweep_run(&sweep, report);
    if (result == MEMFS_EOPNOTSUPP)
        skip();
    return result;
}

static void what_is_right_passes(void **state)
{
    (void)state;
    struct saving s = {1, 1, 0, 0};
    memfs_sweep_report report;
    assert_ok(sweep_with(&s, 0, NULL, &report));
    assert_int_equal(report.steps, 5);
    assert_int_equal(report.checks, s.checks);
    assert_true(s.checks >= 3);
    assert_int_equal(s.bodies, 1);
    const memfs_crash_options half = {sizeof half, MEMFS_CRASH_TORN, 50, 1};
    assert_ok(sweep_with(&s, 0, &half, &report));
    assert_true(report.checks > 80);
}

static void a_missing_sync_is_found(void **state)
{
    (void)state;
    struct saving s = {0, 1, 0, 0};
    memfs_sweep_report report;
    assert_returns(sweep_with(&s, 0, NULL, &report), MEMFS_ECANCELED);
    assert_int_equal(report.result, 42);
    assert_int_equal(report.failed_step, 5); /* behind the last one */
    const memfs_crash_options half = {sizeof half, 0, 50, 1};
    assert_returns(sweep_with(&s, 0, &half, &report), MEMFS_ECANCELED);
    assert_true(report.failed_seed >= 1);
}

static void without_one_sync_a_sweep_shows_nothing_and_says_so(void **state)
{
    (void)state;
    struct saving s = {0, 0, 0, 0};
    memfs_sweep_report report;
    assert_returns(sweep_with(&s, 0, NULL, &report), MEMFS_ENOENT);
    assert_int_equal(report.checks, 0);
}

static void each_step_fails_once(void **state)
{
    (void)state;
    struct saving s = {1, 1, 0, 0};
    memfs_sweep_report report;
    assert_ok(sweep_with(&s, MEMFS_EIO, NULL, &report));
    assert_int_equal(report.steps, 5);
    assert_int_equal(report.checks, 5);
    assert_int_equal(s.bodies, 6);
}

static void bad_sweeps_are_refused(void **state)
{
    (void)state;
    memfs_sweep_report report = {.struct_size = sizeof report};
    memfs_sweep sweep = {.struct_size = sizeof sweep, .body = save};
    assert_returns(memfs_sweep_run(&sweep, &report), MEMFS_EINVAL);
    sweep = (memfs_sweep){.struct_size = sizeof sweep, .check = check};
    assert_returns(memfs_sweep_run(&sweep, &report), MEMFS_EINVAL);
    sweep = (memfs_sweep){.struct_size = sizeof sweep, .body = save, .check = check, .error = 5};
    assert_returns(memfs_sweep_run(&sweep, &report), MEMFS_EINVAL);
    assert_returns(memfs_sweep_run(NULL, &report), MEMFS_EINVAL);
    assert_returns(memfs_sweep_run(&sweep, NULL), MEMFS_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_right_passes),
        cmocka_unit_test(a_missing_sync_is_found),
        cmocka_unit_test(without_one_sync_a_sweep_shows_nothing_and_says_so),
        cmocka_unit_test(each_step_fails_once),
        cmocka_unit_test(bad_sweeps_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
