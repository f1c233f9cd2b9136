/* See rules.h. */
#include "faults/rules.h"

#include "base/check.h"
#include "faults/chance.h"

#include <string.h>

#define RULE_FLAGS (MEMFS_FAULT_AFTER | MEMFS_FAULT_FROM_THEN | MEMFS_FAULT_DISABLED)

/* What a full disk may refuse. */
#define MAY_BE_FULL \
    (MEMFS_OP_OPEN | MEMFS_OP_WRITE | MEMFS_OP_RESIZE | MEMFS_OP_MAKE | MEMFS_OP_LINK | \
     MEMFS_OP_RENAME | MEMFS_OP_WHOLE)

int mfs_rules_check(const memfs_fault_rule *rule)
{
    int matches;
    bool says_full = rule->error == MEMFS_EDQUOT || rule->error == MEMFS_ENOSPC;
    if (rule->operations == 0 || (rule->operations & ~MEMFS_OP_ALL) != 0 ||
        (rule->flags & ~RULE_FLAGS) != 0 || (rule->nth != 0 && rule->one_in != 0) ||
        ((rule->flags & MEMFS_FAULT_FROM_THEN) != 0 && rule->nth == 0) || rule->error > 0 ||
        (rule->to_offset != 0 && rule->to_offset <= rule->from_offset))
        return MEMFS_EINVAL;
    if (says_full && (rule->operations & ~MAY_BE_FULL) != 0)
        return MEMFS_EINVAL;
    return rule->pattern == NULL ? 0 : memfs_glob_match(rule->pattern, "/", &matches);
}

int mfs_rules_add(struct mfs_rules *rules, memfs *store, const memfs_fault_rule *rule)
{
    void *memory;
    size_t bytes = rule->pattern != NULL ? strlen(rule->pattern) + 1 : 1;
    int error = memfs_charged_alloc(store, sizeof(struct mfs_rule) + bytes, &memory);
    if (error != 0)
        return error;
    struct mfs_rule *added = memory;
    added->rule = *rule;
    added->is_on = (rule->flags & MEMFS_FAULT_DISABLED) == 0;
    added->drawn = rule->seed;
    added->number = ++rules->count;
    if (rule->pattern != NULL) {
        memcpy(added->pattern, rule->pattern, bytes);
        added->rule.pattern = added->pattern;
        rules->has_pattern = true;
    }
    *(rules->last != NULL ? rules->last : &rules->first) = added;
    rules->last = &added->next;
    return 0;
}

struct mfs_rule *mfs_rules_find(struct mfs_rules *rules, unsigned number)
{
    struct mfs_rule *at = rules->first;
    while (at != NULL && at->number != number)
        at = at->next;
    return at;
}

void mfs_rules_clear(struct mfs_rules *rules, memfs *store)
{
    while (rules->first != NULL) {
        struct mfs_rule *next = rules->first->next;
        (void)memfs_free(store, rules->first);
        rules->first = next;
    }
    *rules = (struct mfs_rules){.count = rules->count};
}

static bool path_matches(const char *pattern, const char *path)
{
    int matches = 0;
    return path != NULL && path[0] != '\0' && memfs_glob_match(pattern, path, &matches) == 0 &&
           matches != 0;
}

static bool touches_range(const memfs_fault_rule *rule, const struct mfs_rules_call *call)
{
    if ((call->what & (MEMFS_OP_READ | MEMFS_OP_WRITE)) == 0)
        return true;
    uint64_t end = rule->to_offset != 0 ? rule->to_offset : UINT64_MAX;
    return call->offset < end && call->offset + call->length > rule->from_offset;
}

static bool meets(const struct mfs_rule *rule, const struct mfs_rules_call *call)
{
    bool is_after = (rule->rule.flags & MEMFS_FAULT_AFTER) != 0;
    if (!rule->is_on || (rule->rule.operations & call->what) == 0 || is_after != call->is_after)
        return false;
    const char *pattern = rule->rule.pattern;
    bool is_path = pattern == NULL || path_matches(pattern, call->path) ||
                   path_matches(pattern, call->to);
    return is_path && touches_range(&rule->rule, call);
}

/* Whether the call that the rule has just met is one that it makes fail. */
static bool strikes(struct mfs_rule *rule)
{
    const memfs_fault_rule *r = &rule->rule;
    if (r->nth != 0)
        return (r->flags & MEMFS_FAULT_FROM_THEN) != 0 ? rule->met >= r->nth : rule->met == r->nth;
    return r->one_in == 0 || mfs_chance_draw(&rule->drawn) % r->one_in == 0;
}

int mfs_rules_ask(struct mfs_rules *rules, const struct mfs_rules_call *call)
{
    int error = 0;
    for (struct mfs_rule *at = rules->first; error == 0 && at != NULL; at = at->next) {
        if (!meets(at, call))
            continue;
        at->met++;
        MFS_CHECK(at->met != 0);
        if (at->rule.error != 0 && strikes(at)) {
            at->failed++;
            error = at->rule.error;
        }
    }
    return error;
}
