/*
 * Hand-offs.
 *
 * 1. While `handoff.pending` > 0 and the deadline has not passed, a connection without the current
 *    ticket gets neither RESERVED nor the WAL's write lock.
 * 2. `pending` counts the members with the current ticket.  A ticket of an earlier hand-off is
 *    worth nothing, so ending a hand-off need not visit the members.
 * 3. `registry->handoffs` counts, for each bucket, the databases with `pending` > 0; one load tells
 *    that there is none.
 * 4. EXCLUSIVE needs no hand-off: PENDING already keeps the lock for the connection.
 *
 * Cost: a change of threads for each commit while writers queue, which is fair, and slower than the
 * same writers one after another.
 *
 * Left out on purpose: waking the connections that an expired hand-off held up.  They wake by
 * themselves at its deadline.
 */
#include "locks/handoff.h"

#include "base/assertion.h"

#define HANDOFF_NS INT64_C(20000000)
#define TICKETS 0x7ffffffeu /* tickets 1 to this many, shifted by one, fit into a member's word */

static atomic_uint *hint_of(const struct mfs_share *share, struct mfs_registry *registry)
{
    return &registry->handoffs[mfs_registry_bucket(share->number)];
}

static bool has_current_ticket(struct mfs_member *member)
{
    const struct mfs_handoff *handoff = &member->share->handoff;
    return handoff->pending > 0 && atomic_load(&member->handoff_ticket) >> 1 == handoff->ticket;
}

static void end_handoff(struct mfs_share *share, struct mfs_registry *registry)
{
    MFS_ASSERT(share->handoff.pending > 0);
    share->handoff.pending = 0;
    (void)atomic_fetch_sub(hint_of(share, registry), 1u);
}

void mfs_handoff_offer(struct mfs_member *member, struct mfs_registry *registry, bool for_writer,
                       int64_t now)
{
    struct mfs_handoff *handoff = &member->share->handoff;
    MFS_ASSERT(mfs_mutex_is_held(member->mutex));
    if (has_current_ticket(member))
        return;
    if (handoff->pending == 0) {
        handoff->ticket = handoff->ticket % TICKETS + 1;
        handoff->end_ns = now + HANDOFF_NS;
        (void)atomic_fetch_add(hint_of(member->share, registry), 1u);
    }
    handoff->pending++;
    atomic_store(&member->handoff_ticket,
                 handoff->ticket << 1 | (for_writer ? MFS_HANDOFF_FOR_WRITER : 0u));
}

void mfs_handoff_settle(struct mfs_member *member, struct mfs_registry *registry)
{
    MFS_ASSERT(mfs_mutex_is_held(member->mutex));
    if (has_current_ticket(member)) {
        if (member->share->handoff.pending == 1)
            end_handoff(member->share, registry);
        else
            member->share->handoff.pending--;
    }
    atomic_store(&member->handoff_ticket, 0);
}

bool mfs_handoff_excludes(struct mfs_member *member, struct mfs_registry *registry, int64_t now)
{
    const struct mfs_handoff *handoff = &member->share->handoff;
    MFS_ASSERT(mfs_mutex_is_held(member->mutex));
    if (handoff->pending > 0 && now >= handoff->end_ns)
        end_handoff(member->share, registry);
    return handoff->pending > 0 && !has_current_ticket(member);
}

int64_t mfs_handoff_deadline(const struct mfs_share *share, int64_t now)
{
    return share->handoff.pending > 0 ? share->handoff.end_ns : now + HANDOFF_NS;
}
