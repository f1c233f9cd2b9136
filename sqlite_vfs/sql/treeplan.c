/*
 * Planning a query on memfs_tree.
 *
 * 1. Root and depth are arguments of the table-valued function: the scan honours them exactly, and
 *    SQLite need not compare again (`omit`).
 * 2. Every other constraint only saves work.  SQLite compares again, so a row too many does no
 *    harm; a row too few would be an error.
 * 3. Bounds on `path` are used only where SQLite compares bytes, as the scan does (BINARY).
 *
 * The costs are guesses: a tree has a million entries, and a part of it a hundredth of that.
 */
#include "sql/treeplan.h"

#include "base/assertion.h"
#include "sql/treecolumns.h"

/* Of a constraint on `path`; MFS_TREEPLAN_ARGUMENT_COUNT: none. */
static enum mfs_treeplan_argument argument_for_path(sqlite3_index_info *info, int index)
{
    int operation = info->aConstraint[index].op;
    if (operation == SQLITE_INDEX_CONSTRAINT_GLOB)
        return MFS_TREEPLAN_GLOB;
    if (operation == SQLITE_INDEX_CONSTRAINT_LIKE)
        return MFS_TREEPLAN_LIKE;
    if (sqlite3_stricmp(sqlite3_vtab_collation(info, index), "BINARY") != 0)
        return MFS_TREEPLAN_ARGUMENT_COUNT;
    switch (operation) {
    case SQLITE_INDEX_CONSTRAINT_EQ:
        return MFS_TREEPLAN_PATH;
    case SQLITE_INDEX_CONSTRAINT_GT:
    case SQLITE_INDEX_CONSTRAINT_GE:
        return MFS_TREEPLAN_LOW;
    case SQLITE_INDEX_CONSTRAINT_LT:
    case SQLITE_INDEX_CONSTRAINT_LE:
        return MFS_TREEPLAN_HIGH;
    default:
        return MFS_TREEPLAN_ARGUMENT_COUNT;
    }
}

/* Which argument a constraint is; MFS_TREEPLAN_ARGUMENT_COUNT: none. */
static enum mfs_treeplan_argument argument_for(sqlite3_index_info *info, int index)
{
    int column = info->aConstraint[index].iColumn;
    if (column == MFS_TREECOLUMN_PATH)
        return argument_for_path(info, index);
    if (info->aConstraint[index].op != SQLITE_INDEX_CONSTRAINT_EQ)
        return MFS_TREEPLAN_ARGUMENT_COUNT;
    return column == MFS_TREECOLUMN_ROOT    ? MFS_TREEPLAN_ROOT
           : column == MFS_TREECOLUMN_DEPTH ? MFS_TREEPLAN_DEPTH
                                            : MFS_TREEPLAN_ARGUMENT_COUNT;
}

static void estimate_cost(sqlite3_index_info *info, int plan)
{
    static char lookup[] = "path";
    static char part[] = "part";
    static char whole[] = "whole";
    bool is_lookup = mfs_treeplan_has(plan, MFS_TREEPLAN_PATH);
    bool is_part = mfs_treeplan_has(plan, MFS_TREEPLAN_GLOB) ||
                   mfs_treeplan_has(plan, MFS_TREEPLAN_LIKE) ||
                   mfs_treeplan_has(plan, MFS_TREEPLAN_LOW) ||
                   mfs_treeplan_has(plan, MFS_TREEPLAN_HIGH);
    info->idxStr = is_lookup ? lookup : is_part ? part : whole; /* for EXPLAIN QUERY PLAN */
    info->estimatedCost = 1e6;
    if (mfs_treeplan_has(plan, MFS_TREEPLAN_ROOT))
        info->estimatedCost /= 100;
    if (mfs_treeplan_has(plan, MFS_TREEPLAN_DEPTH))
        info->estimatedCost /= 10;
    if (is_part)
        info->estimatedCost /= 100;
    if (is_lookup) {
        info->estimatedCost = 1;
        info->idxFlags = SQLITE_INDEX_SCAN_UNIQUE;
    }
    MFS_ASSERT(info->estimatedCost >= 1);
    info->estimatedRows = (sqlite3_int64)info->estimatedCost;
}

/* Finds the constraint behind each argument.  Returns the plan, or -1: not in this join order. */
static int choose_constraints(sqlite3_index_info *info,
                              int constraints[MFS_TREEPLAN_ARGUMENT_COUNT])
{
    int plan = 0;
    for (int index = 0; index < info->nConstraint; index++) {
        enum mfs_treeplan_argument argument = argument_for(info, index);
        if (argument == MFS_TREEPLAN_ARGUMENT_COUNT)
            continue;
        if (!info->aConstraint[index].usable) {
            /* In this order of the join the root or depth has no value yet. */
            if (argument == MFS_TREEPLAN_ROOT || argument == MFS_TREEPLAN_DEPTH)
                return -1;
            continue;
        }
        if (!mfs_treeplan_has(plan, argument))
            constraints[argument] = index;
        plan |= 1 << argument;
    }
    return plan;
}

int mfs_treeplan_make(sqlite3_index_info *info)
{
    int constraints[MFS_TREEPLAN_ARGUMENT_COUNT];
    int plan = choose_constraints(info, constraints);
    if (plan < 0)
        return SQLITE_CONSTRAINT;
    int count = 0;
    for (int argument = 0; argument < MFS_TREEPLAN_ARGUMENT_COUNT; argument++) {
        if (!mfs_treeplan_has(plan, (enum mfs_treeplan_argument)argument))
            continue;
        struct sqlite3_index_constraint_usage
            *usage = &info->aConstraintUsage[constraints[argument]];
        MFS_ASSERT(usage->argvIndex == 0); /* a constraint is one argument at most */
        usage->argvIndex = ++count;
        usage->omit = argument == MFS_TREEPLAN_ROOT || argument == MFS_TREEPLAN_DEPTH;
    }
    info->idxNum = plan;
    estimate_cost(info, plan);
    return SQLITE_OK;
}
