/* Rules and the hook: the exported functions. */
#include "api/structsize.h"
#include "base/check.h"
#include "faults/start.h"

#ifdef MEMFS_NO_FAULTS
#define FAULTS_ARE_LEFT_OUT true
#else
#define FAULTS_ARE_LEFT_OUT false
#endif

static int get_kit(memfs *fs, struct mfs_kit **out)
{
    if (!mfs_fs_is_valid(fs))
        return MEMFS_EINVAL;
    return FAULTS_ARE_LEFT_OUT ? MEMFS_EOPNOTSUPP : mfs_start_kit(fs, NULL, out);
}

int memfs_fault_add(memfs *fs, const memfs_fault_rule *rule, unsigned *number)
{
    memfs_fault_rule own;
    struct mfs_kit *kit;
    int error = mfs_structsize_copy_in(&own, sizeof own, rule,
                                       MFS_STRUCTSIZE_UP_TO(memfs_fault_rule, operations));
    if (error == 0)
        error = mfs_rules_check(&own);
    if (error == 0)
        error = get_kit(fs, &kit);
    if (error != 0)
        return error;
    mfs_kit_lock(kit);
    error = mfs_rules_add(&kit->rules, kit->store, &own);
    if (error == 0 && number != NULL)
        *number = kit->rules.count;
    mfs_kit_unlock(kit);
    if (error != 0)
        mfs_start_end_unused(kit);
    return error;
}

/* The kit of an instance that has one, locked, and a rule of it.  Errors: EINVAL, ENOENT. */
static int lock_rule(memfs *fs, unsigned number, struct mfs_kit **kit,
                     struct mfs_rule **out) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    if (!mfs_fs_is_valid(fs))
        return MEMFS_EINVAL;
    *kit = mfs_kit_of(fs);
    if (*kit == NULL)
        return MEMFS_ENOENT;
    mfs_kit_lock(*kit);
    *out = mfs_rules_find(&(*kit)->rules, number);
    if (*out != NULL)
        return 0;
    mfs_kit_unlock(*kit);
    return MEMFS_ENOENT;
}

int memfs_fault_enable(memfs *fs, unsigned number, int on) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    struct mfs_kit *kit;
    struct mfs_rule *rule;
    int error = lock_rule(fs, number, &kit, &rule);
    if (error != 0)
        return error;
    rule->is_on = on != 0;
    mfs_kit_unlock(kit);
    return 0;
}

int memfs_fault_hits(memfs *fs, unsigned number, uint64_t *met,
                     uint64_t *failed) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    struct mfs_kit *kit;
    struct mfs_rule *rule;
    int error = lock_rule(fs, number, &kit, &rule);
    if (error != 0)
        return error;
    MFS_CHECK(rule->failed <= rule->met);
    if (met != NULL)
        *met = rule->met;
    if (failed != NULL)
        *failed = rule->failed;
    mfs_kit_unlock(kit);
    return 0;
}

int memfs_fault_clear(memfs *fs)
{
    if (!mfs_fs_is_valid(fs))
        return MEMFS_EINVAL;
    struct mfs_kit *kit = mfs_kit_of(fs);
    if (kit == NULL)
        return 0;
    mfs_kit_lock(kit);
    mfs_rules_clear(&kit->rules, kit->store);
    mfs_kit_unlock(kit);
    kit->hook = NULL;
    mfs_start_end_unused(kit);
    return 0;
}

int memfs_fault_set_hook(memfs *fs, memfs_fault_hook hook, void *context)
{
    struct mfs_kit *kit;
    int error = get_kit(fs, &kit);
    if (error != 0)
        return error;
    kit->hook = hook;
    kit->hook_context = context;
    mfs_start_end_unused(kit);
    return 0;
}
