/* Whole-file locks, with threads that wait for them and with tickets that do. */
#include "api/call.h"
#include "base/check.h"
#include "base/list.h"
#include "instance/fs.h"

_Static_assert(sizeof(struct mfs_filelock_ticket) <=
                   sizeof(memfs_lock_ticket) - offsetof(memfs_lock_ticket, opaque),
               "a ticket fits into the caller's memory");

static int check_kind(memfs_file *file, int kind, enum mfs_held *wanted)
{
    struct mfs_file_node *node;
    int error = mfs_handle_file(file, MFS_ANY_ACCESS, &node);
    if (error != 0)
        return error;
    *wanted = kind == MEMFS_LOCK_SHARED ? MFS_HELD_SHARED : MFS_HELD_EXCLUSIVE;
    return kind == MEMFS_LOCK_SHARED || kind == MEMFS_LOCK_EXCLUSIVE ? 0 : MEMFS_EINVAL;
}

struct locking {
    memfs_file *file;
    enum mfs_held wanted;
    int64_t timeout_ms;
};

static int64_t lock_once(const void *operation)
{
    const struct locking *l = operation;
    memfs_file *file = l->file;
    int error = mfs_filelock_change(file->fs->lot, file->node, &file->held, l->wanted,
                                    l->timeout_ms);
    if (error == 0)
        mfs_fs_wait_for_earlier_lookups(file->fs, file->node);
    return error;
}

int memfs_lock(memfs_file *file, int kind, int64_t timeout_ms)
{
    struct locking l = {.file = file, .timeout_ms = timeout_ms};
    int error = check_kind(file, kind, &l.wanted);
    if (error != 0)
        return error;
    return (int)MFS_CALL(file->fs, lock_once, &l, .what = MEMFS_OP_LOCK, .node = file->node);
}

int memfs_unlock(memfs_file *file)
{
    struct mfs_file_node *node;
    int error = mfs_handle_file(file, MFS_ANY_ACCESS, &node);
    if (error == 0)
        mfs_filelock_release(file->fs->lot, file->node, &file->held);
    return error;
}

static struct mfs_filelock_ticket *line_place_of(memfs_lock_ticket *ticket)
{
    return (struct mfs_filelock_ticket *)(void *)ticket->opaque;
}

/* In the thread that has let the lock go, which waits for nothing. */
static void tell_owner(struct mfs_filelock_ticket *place)
{
    memfs_lock_ticket *ticket = MFS_LIST_ENTRY(place, memfs_lock_ticket, opaque);
    ticket->granted(ticket);
}

int memfs_lock_queue(memfs_file *file, int kind, memfs_lock_ticket *ticket)
{
    enum mfs_held wanted;
    int error = check_kind(file, kind, &wanted);
    if (error != 0)
        return error;
    if (ticket == NULL || ticket->granted == NULL)
        return MEMFS_EINVAL;
    struct mfs_filelock_ticket *place = line_place_of(ticket);
    *place = (struct mfs_filelock_ticket){.granted = tell_owner};
    memfs *fs = file->fs;
    int result = mfs_filelock_queue(fs->lot, file->node, &file->held, wanted, place);
    if (result == 0)
        mfs_fs_wait_for_earlier_lookups(fs, file->node);
    return result;
}

int memfs_lock_unqueue(memfs_file *file, memfs_lock_ticket *ticket)
{
    struct mfs_file_node *node;
    int error = mfs_handle_file(file, MFS_ANY_ACCESS, &node);
    if (error != 0)
        return error;
    if (ticket == NULL)
        return MEMFS_EINVAL;
    return mfs_filelock_withdraw(file->fs->lot, file->node, line_place_of(ticket)) ? 0
                                                                                   : MEMFS_EBUSY;
}
