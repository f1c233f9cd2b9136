/*
 * Sweeps: the exported function.
 *
 * With power cuts the body runs once, under a hook that cuts the power before each step and has
 * what is left checked; the tree itself goes on.  With failing calls each step is a run of its own,
 * with one rule.
 */
#include "api/structsize.h"
#include "base/check.h"

#include <memfs/fault.h>

#include <stdbool.h>
#include <string.h>

struct sweeping {
    memfs_sweep sweep;
    memfs_sweep_report report;
    uint32_t operations;
    int error; /* of the sweep itself */
};

static bool has_ended(const struct sweeping *s)
{
    return s->error != 0 || s->report.result != 0;
}

static void check(struct sweeping *s, memfs *fs, uint64_t step, uint64_t seed)
{
    s->report.result = s->sweep.check(s->sweep.context, fs, step);
    s->report.checks++;
    if (s->report.result != 0) {
        s->report.failed_step = step;
        s->report.failed_seed = seed;
    }
}

/* A file system in which the body can begin. */
static int set_up(struct sweeping *s, memfs **out)
{
    int error = memfs_create(s->sweep.config, out);
    if (error != 0)
        return error;
    if (s->sweep.set_up != NULL)
        s->report.result = s->sweep.set_up(s->sweep.context, *out);
    return 0;
}

static void end(const struct sweeping *s, memfs *fs)
{
    if (s->sweep.tear_down != NULL)
        s->sweep.tear_down(s->sweep.context, fs);
    (void)memfs_destroy(fs, MEMFS_DESTROY_FORCE);
}

/* -------------------------------------------------------------- power cuts */

/* Cuts the power with each of the seeds.  A cut before anything was synced shows nothing. */
static void cut(struct sweeping *s, memfs *fs, uint64_t step)
{
    memfs_crash_options how = {.struct_size = sizeof how};
    if (s->sweep.survival != NULL)
        how = *s->sweep.survival;
    uint32_t seeds = s->sweep.survival != NULL && s->sweep.seeds != 0 ? s->sweep.seeds : 1;
    for (uint32_t i = 0; i < seeds && !has_ended(s); i++, how.seed++) {
        memfs *after;
        int error = memfs_crash(fs, &how, &after);
        if (error == MEMFS_ENOENT)
            return;
        s->error = error;
        if (error != 0)
            return;
        check(s, after, step, how.seed);
        (void)memfs_destroy(after, MEMFS_DESTROY_FORCE);
    }
}

static int cut_before_step(void *context, memfs *fs, const memfs_operation *operation)
{
    struct sweeping *s = context;
    if (operation->is_after || (operation->what & s->operations) == 0 || has_ended(s))
        return 0;
    cut(s, fs, ++s->report.steps);
    return 0;
}

static void sweep_power_cuts(struct sweeping *s)
{
    memfs *fs;
    s->error = set_up(s, &fs);
    if (s->error != 0)
        return;
    if (s->report.result == 0)
        s->error = memfs_durability_start(fs, s->sweep.durability);
    if (!has_ended(s))
        s->error = memfs_fault_set_hook(fs, cut_before_step, s);
    if (!has_ended(s)) {
        (void)s->sweep.body(s->sweep.context, fs);
        (void)memfs_fault_set_hook(fs, NULL, NULL);
        if (!has_ended(s))
            cut(s, fs, s->report.steps + 1);
    }
    end(s, fs);
}

/* ------------------------------------------------------------ failing calls */

/* Fails the given step; true if the body came to it. */
static bool fail_step(struct sweeping *s, uint64_t step)
{
    memfs_fault_rule rule = {.struct_size = sizeof rule,
                             .operations = s->operations,
                             .nth = step,
                             .error = s->sweep.error};
    memfs *fs;
    unsigned number;
    uint64_t failed = 0;
    s->error = set_up(s, &fs);
    if (s->error != 0)
        return false;
    if (s->report.result == 0)
        s->error = memfs_fault_add(fs, &rule, &number);
    if (!has_ended(s)) {
        (void)s->sweep.body(s->sweep.context, fs);
        (void)memfs_fault_hits(fs, number, NULL, &failed);
        (void)memfs_fault_clear(fs);
    }
    if (!has_ended(s) && failed != 0)
        check(s, fs, step, 0);
    end(s, fs);
    return failed != 0;
}

static void sweep_faults(struct sweeping *s)
{
    while (!has_ended(s) && fail_step(s, s->report.steps + 1))
        s->report.steps++;
}

int memfs_sweep_run(const memfs_sweep *sweep, memfs_sweep_report *report)
{
    struct sweeping s;
    memset(&s, 0, sizeof s);
    int error = mfs_structsize_copy_in(&s.sweep, sizeof s.sweep, sweep,
                                       MFS_STRUCTSIZE_UP_TO(memfs_sweep, check));
    if (error == 0)
        error = mfs_structsize_check_out(report, MFS_STRUCTSIZE_UP_TO(memfs_sweep_report, steps));
    if (error == 0 && (s.sweep.body == NULL || s.sweep.check == NULL || s.sweep.error > 0))
        error = MEMFS_EINVAL;
    if (error != 0)
        return error;
    s.operations = s.sweep.operations != 0 ? s.sweep.operations : MEMFS_OP_CHANGES;
    if (s.sweep.error == 0)
        sweep_power_cuts(&s);
    else
        sweep_faults(&s);
    mfs_structsize_copy_out(report, &s.report, sizeof s.report);
    if (s.error != 0)
        return s.error;
    if (s.report.result != 0)
        return MEMFS_ECANCELED;
    return s.report.checks != 0 ? 0 : MEMFS_ENOENT;
}
