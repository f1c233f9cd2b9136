/*
 * 1. `kept_refusals` has the refusals of different file systems, the newest first.
 * 2. A file system is known by a number that is never used again, not by its address: another one
 *    may lie there later.
 *
 * Cost: some 250 bytes for each thread.
 *
 * Left undone: a thread that is refused by more than KEPT file systems in turn forgets the first.
 */
#include "memory/refusal.h"

#include "base/check.h"

#include <memfs/memfs.h>

#include <stdatomic.h>

enum { KEPT = 4 };

struct kept_refusal {
    uint64_t owner; /* 0: none */
    struct mfs_refusal refusal;
};

MFS_THREAD_LOCAL struct mfs_refusal_account mfs_refusal_account;

static MFS_THREAD_LOCAL struct kept_refusal kept_refusals[KEPT];

int mfs_refusal_record(int error, uint64_t wanted, uint64_t available, uint64_t limit)
{
    struct mfs_refusal_account *account = &mfs_refusal_account;
    uint64_t taken = error == MEMFS_ENOSPC ? account->taken_nodes : account->taken_bytes;
    MFS_CHECK(error < 0);
    account->refused = (struct mfs_refusal){.error = error,
                                            .wanted = mfs_num_add_saturating(taken, wanted),
                                            .available = mfs_num_add_saturating(taken, available),
                                            .limit = limit};
    return error;
}

uint64_t mfs_refusal_new_owner(void)
{
    static _Atomic uint64_t owners;
    return atomic_fetch_add_explicit(&owners, 1, memory_order_relaxed) + 1;
}

void mfs_refusal_keep(uint64_t owner, const struct mfs_refusal *refusal)
{
    const struct kept_refusal newest = {owner, *refusal};
    int at = 0;
    MFS_CHECK(owner != 0);
    while (at < KEPT - 1 && kept_refusals[at].owner != owner)
        at++;
    for (; at > 0; at--)
        kept_refusals[at] = kept_refusals[at - 1];
    kept_refusals[0] = newest;
}

struct mfs_refusal mfs_refusal_last(uint64_t owner)
{
    for (int at = 0; at < KEPT; at++)
        if (kept_refusals[at].owner == owner)
            return kept_refusals[at].refusal;
    return (struct mfs_refusal){0};
}
