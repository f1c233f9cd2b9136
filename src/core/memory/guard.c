/*
 * Several threads may find an old figure at once, and each look for a new one; the last one counts.
 * A take that falls between a look and the store of what it found is not subtracted: the figure is
 * an estimate of a quantity that other processes change as well.
 */
#include "memory/guard.h"

#include "base/check.h"
#include "base/num.h"
#include "memory/hostmemory.h"
#include "memory/ledger.h"

#include <string.h>

enum { INTERVAL_DEFAULT_MS = 100, NS_PER_MS = 1000000 };

static int probe_system(void *context, uint64_t *available_bytes)
{
    (void)context;
    return mfs_hostmemory_available("", available_bytes) ? 0 : MEMFS_EOPNOTSUPP;
}

void mfs_guard_init(struct mfs_guard *guard, const memfs_guard *config)
{
    memset(guard, 0, sizeof *guard);
    guard->config = *config;
    if (config->probe == NULL)
        guard->config.probe = probe_system;
    if (config->interval_ms == 0)
        guard->config.interval_ms = INTERVAL_DEFAULT_MS;
}

/* What may be taken now; UINT64_MAX if that cannot be found out. */
static uint64_t look(const struct mfs_guard *guard)
{
    uint64_t available;
    if (guard->config.probe(guard->config.context, &available) != 0)
        return UINT64_MAX;
    return mfs_num_sub_saturating(available, guard->config.headroom_bytes);
}

/* False if the guard refuses. */
static bool judge(struct mfs_guard *guard, const char *message)
{
    if (!atomic_exchange(&guard->has_warned, true))
        guard->warn(guard->warn_context, message);
    return guard->config.action == MEMFS_GUARD_WARN;
}

bool mfs_guard_allows_limit(struct mfs_guard *guard, uint64_t limit)
{
    MFS_CHECK(guard->warn != NULL);
    if ((guard->config.when & MEMFS_GUARD_AT_CREATION) == 0)
        return true;
    uint64_t left = look(guard);
    bool fits = left == UINT64_MAX || (limit == MFS_UNLIMITED ? left > 0 : limit <= left);
    return fits ||
           judge(guard, "memory guard: the quota is more than the memory that is available");
}

static void refresh(struct mfs_guard *guard)
{
    int64_t now = guard->clock(guard->clock_context);
    int64_t age = now - atomic_load_explicit(&guard->looked_ns, memory_order_relaxed);
    bool has_looked = atomic_load_explicit(&guard->has_looked, memory_order_relaxed);
    if (has_looked && age >= 0 && age / NS_PER_MS < guard->config.interval_ms)
        return;
    atomic_store_explicit(&guard->left, look(guard), memory_order_relaxed);
    atomic_store_explicit(&guard->looked_ns, now, memory_order_relaxed);
    atomic_store_explicit(&guard->has_warned, false, memory_order_relaxed);
    atomic_store_explicit(&guard->has_looked, true, memory_order_relaxed);
}

bool mfs_guard_take(struct mfs_guard *guard, uint64_t bytes)
{
    MFS_CHECK(guard->clock != NULL && guard->warn != NULL);
    if ((guard->config.when & MEMFS_GUARD_BEFORE_GROWTH) == 0)
        return true;
    refresh(guard);
    uint64_t left = atomic_load_explicit(&guard->left, memory_order_relaxed);
    do {
        if (left == UINT64_MAX)
            return true;
        if (left < bytes)
            return judge(guard, "memory guard: less memory is available than is to be taken");
    } while (!atomic_compare_exchange_weak_explicit(&guard->left, &left, left - bytes,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

void mfs_guard_give(struct mfs_guard *guard, uint64_t bytes)
{
    uint64_t left = atomic_load_explicit(&guard->left, memory_order_relaxed);
    do {
        if (left == UINT64_MAX)
            return;
    } while (!atomic_compare_exchange_weak_explicit(
        &guard->left, &left, mfs_num_min_u64(mfs_num_add_saturating(left, bytes), UINT64_MAX - 1),
        memory_order_relaxed, memory_order_relaxed));
}
