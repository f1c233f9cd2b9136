/*
 * A call is asked about twice: rules first, then the hook.  Paths are made out only where a rule
 * has a pattern or there is a hook, in memory of the store.
 *
 * What the hook calls is not asked about, which a count of each thread tells.
 */
#include "faults/calls.h"

#include "base/check.h"
#include "memory/refusal.h"

#include <string.h>

static MFS_THREAD_LOCAL unsigned hooks_under_way;

/* Two paths, each with a NUL behind it. */
enum { CALL_PATH_BYTES = 2 * MEMFS_PATH_MAX };

struct call_paths {
    char path[CALL_PATH_BYTES];
    char to[CALL_PATH_BYTES];
};

/* The absolute path of what a call named, or "". */
static void resolve(struct mfs_kit *kit, memfs_dir *at, const char *path, char *out)
{
    hooks_under_way++; /* nobody is asked about this */
    if (memfs_realpathat(kit->fs, at, path, out, CALL_PATH_BYTES) < 0)
        out[0] = '\0';
    hooks_under_way--;
}

static void find_paths(struct mfs_kit *kit, const struct mfs_operation *operation,
                       struct call_paths *out)
{
    if (operation->path != NULL) {
        resolve(kit, operation->at, operation->path, out->path);
    } else {
        mfs_kit_lock(kit);
        mfs_kit_path(kit, operation->node->number, out->path, sizeof out->path);
        mfs_kit_unlock(kit);
    }
    if (operation->to != NULL)
        resolve(kit, operation->to_at, operation->to, out->to);
}

static int64_t ask_hook(struct mfs_kit *kit, const struct mfs_operation *operation,
                        const struct call_paths *paths, bool is_after, int64_t result)
{
    const memfs_operation told = {.struct_size = sizeof told,
                                  .what = operation->what,
                                  .is_after = is_after,
                                  .path = paths->path,
                                  .to = operation->to != NULL ? paths->to : NULL,
                                  .offset = operation->offset,
                                  .length = operation->length,
                                  .result = result,
                                  .step = atomic_load(&kit->steps)};
    hooks_under_way++;
    int answer = kit->hook(kit->hook_context, kit->fs, &told);
    hooks_under_way--;
    return answer;
}

static int ask_rules(struct mfs_kit *kit, const struct mfs_operation *operation,
                     const struct call_paths *paths, bool is_after)
{
    const struct mfs_rules_call call = {.what = operation->what,
                                        .is_after = is_after,
                                        .path = paths != NULL ? paths->path : "",
                                        .to = paths != NULL && operation->to != NULL ? paths->to
                                                                                     : NULL,
                                        .offset = operation->offset,
                                        .length = operation->length};
    mfs_kit_lock(kit);
    int error = mfs_rules_ask(&kit->rules, &call);
    mfs_kit_unlock(kit);
    return error;
}

/* What the call is to return, or 0. */
static int64_t ask(struct mfs_kit *kit, const struct mfs_operation *operation, bool is_after,
                   int64_t result)
{
    void *memory = NULL;
    if (kit->rules.first == NULL && kit->hook == NULL)
        return 0;
    if (kit->hook != NULL || kit->rules.has_pattern) {
        int error = memfs_charged_alloc(kit->store, sizeof(struct call_paths), &memory);
        if (error != 0)
            return error;
        find_paths(kit, operation, memory);
    }
    int64_t answer = ask_rules(kit, operation, memory, is_after);
    if (answer == 0 && kit->hook != NULL)
        answer = ask_hook(kit, operation, memory, is_after, result);
    (void)memfs_free(kit->store, memory);
    return answer;
}

/* A sync that fails before it took effect. */
static void lose(struct mfs_kit *kit, const struct mfs_operation *operation)
{
    if (operation->what != MEMFS_OP_SYNC || !kit->tracks ||
        kit->model.failed_sync != MEMFS_FAILED_SYNC_LOSES)
        return;
    mfs_kit_lock(kit);
    mfs_pending_forget_writes(&kit->log, operation->node->number);
    mfs_kit_unlock(kit);
}

int mfs_calls_before(struct mfs_observer *observer, const struct mfs_operation *operation)
{
    struct mfs_kit *kit = (struct mfs_kit *)(void *)observer;
    if (hooks_under_way != 0)
        return 0;
    if ((operation->what & MEMFS_OP_CHANGES) != 0)
        (void)atomic_fetch_add(&kit->steps, 1);
    int64_t answer = ask(kit, operation, false, 0);
    MFS_CHECK(answer >= INT32_MIN && answer <= INT32_MAX);
    if (answer != 0)
        lose(kit, operation);
    return (int)answer;
}

int64_t mfs_calls_after(struct mfs_observer *observer, const struct mfs_operation *operation,
                        int64_t result)
{
    struct mfs_kit *kit = (struct mfs_kit *)(void *)observer;
    if (hooks_under_way != 0 || result < 0)
        return result;
    int64_t answer = ask(kit, operation, true, result);
    return answer != 0 ? answer : result;
}
