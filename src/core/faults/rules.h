/*
 * Rules: which calls are to fail.  Each has its own counts; of several that meet a call the first
 * decides.
 */
#ifndef MFS_RULES_H
#define MFS_RULES_H

#include <memfs/fault.h>
#include <memfs/storage.h>

#include <stdbool.h>

struct mfs_rule {
    struct mfs_rule *next;
    memfs_fault_rule rule; /* its pattern is `pattern`, or null */
    unsigned number;
    bool is_on;
    uint64_t met, failed;
    uint64_t drawn; /* the state of the random numbers */
    char pattern[];
};

struct mfs_rules {
    struct mfs_rule *first, **last;
    unsigned count;
    bool has_pattern; /* one has */
};

/* A call, as rules see it. */
struct mfs_rules_call {
    uint32_t what;
    bool is_after;
    const char *path, *to;
    uint64_t offset, length;
};

/* Checks a rule.  Errors: EINVAL. */
int mfs_rules_check(const memfs_fault_rule *rule);

/* Adds a rule, whose memory comes from `store`.  Errors: ENOMEM, EDQUOT. */
int mfs_rules_add(struct mfs_rules *rules, memfs *store, const memfs_fault_rule *rule);
struct mfs_rule *mfs_rules_find(struct mfs_rules *rules, unsigned number);
void mfs_rules_clear(struct mfs_rules *rules, memfs *store);

/* What the rules say of a call: 0, or the error that it is to return.  They count it. */
int mfs_rules_ask(struct mfs_rules *rules, const struct mfs_rules_call *call);

#endif
