/*
 * What a call wanted and could have had, by thread.
 *
 * A call takes memory in several steps, and one of the later ones may be refused.  Its figures are
 * those of all steps: each thread keeps an account of what its call has taken so far, to which a
 * refusal adds what the refused step wanted and what was left for it.  The figures become those of
 * memfs_last_refusal() only if the call fails.
 *
 * A thread remembers its last refusal in each of the few file systems that refused it last.  So
 * nothing is shared between threads, and nothing has to be freed when one of them ends.
 */
#ifndef MFS_REFUSAL_H
#define MFS_REFUSAL_H

#include "base/num.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef MEMFS_NO_THREADS
#define MFS_THREAD_LOCAL
#else
#define MFS_THREAD_LOCAL _Thread_local
#endif

/* Bytes, or nodes; see memfs_refusal. */
struct mfs_refusal {
    int error; /* EDQUOT, ENOSPC or ENOMEM; 0: nothing was refused */
    uint64_t wanted, available;
    uint64_t limit; /* UINT64_MAX: none */
};

/* The call that is under way in this thread. */
struct mfs_refusal_account {
    uint64_t taken_bytes, taken_nodes;
    struct mfs_refusal refused; /* its last refusal */
};

extern MFS_THREAD_LOCAL struct mfs_refusal_account mfs_refusal_account;

/* A call begins, or begins again. */
static inline void mfs_refusal_begin(void)
{
    mfs_refusal_account.taken_bytes = 0;
    mfs_refusal_account.taken_nodes = 0;
    mfs_refusal_account.refused.error = 0;
}

static inline void mfs_refusal_take(uint64_t bytes)
{
    mfs_refusal_account.taken_bytes += bytes;
}

/* What is given back may have been taken by another call: then nothing is left to subtract. */
static inline void mfs_refusal_give(uint64_t bytes)
{
    mfs_refusal_account.taken_bytes = mfs_num_sub_saturating(mfs_refusal_account.taken_bytes,
                                                             bytes);
}

static inline void mfs_refusal_take_node(void)
{
    mfs_refusal_account.taken_nodes++;
}

/*
 * A step was refused, which wanted so much where so much was available; the call may yet succeed in
 * another way.  In nodes for ENOSPC, else in bytes.  Returns `error`.
 */
int mfs_refusal_record(int error, uint64_t wanted, uint64_t available, uint64_t limit);

/* A number for a file system, which no other one has had. */
uint64_t mfs_refusal_new_owner(void);

/* Remembers a refusal as the last one in that file system. */
void mfs_refusal_keep(uint64_t owner, const struct mfs_refusal *refusal);

/* The last one; with no error if this thread remembers none. */
struct mfs_refusal mfs_refusal_last(uint64_t owner);

#endif
