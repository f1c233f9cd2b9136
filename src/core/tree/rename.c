/*
 * 1. Replacing and exchanging swap what two entries refer to, and so need no memory:
 *
 *        a -> N              a -> V    and then a goes, with V's reference
 *        b -> V    becomes   b -> N
 *
 *    The target's name is there at every moment.
 * 2. A new name in the same directory changes the entry where it is, if the name fits there.
 * 3. Any other new name needs an entry, which is made before anything changes.
 */
#include "tree/rename.h"

#include "base/check.h"
#include "node/filelock.h"

static int check_last(const struct mfs_place *place)
{
    if (place->last == MFS_LAST_ROOT)
        return MEMFS_EBUSY;
    return place->last == MFS_LAST_NAME ? 0 : MEMFS_EINVAL;
}

static int check_existence(const struct mfs_place *from, const struct mfs_place *to, unsigned flags)
{
    if (from->node == NULL)
        return MEMFS_ENOENT;
    if ((flags & MEMFS_RENAME_NOREPLACE) != 0 && to->node != NULL)
        return MEMFS_EEXIST;
    if ((flags & MEMFS_RENAME_EXCHANGE) != 0 && to->node == NULL)
        return MEMFS_ENOENT;
    bool exchange = (flags & MEMFS_RENAME_EXCHANGE) != 0;
    if (mfs_node_as_dir(from->node) == NULL && (from->needs_dir || (!exchange && to->needs_dir)))
        return MEMFS_ENOTDIR;
    if (exchange && mfs_node_as_dir(to->node) == NULL && to->needs_dir)
        return MEMFS_ENOTDIR;
    return 0;
}

/* Neither may end up inside itself. */
static int check_loops(const struct mfs_place *from, const struct mfs_place *to, unsigned flags)
{
    const struct mfs_dir_node *moved = mfs_node_as_dir(from->node);
    const struct mfs_dir_node *victim = to->node != NULL ? mfs_node_as_dir(to->node) : NULL;
    if (moved != NULL && mfs_namespace_is_within(to->dir, moved))
        return MEMFS_EINVAL;
    if (victim != NULL && mfs_namespace_is_within(from->dir, victim))
        return (flags & MEMFS_RENAME_EXCHANGE) != 0 ? MEMFS_EINVAL : MEMFS_ENOTEMPTY;
    return 0;
}

static int check_kinds(struct mfs_node *moved, struct mfs_node *victim)
{
    struct mfs_dir_node *victim_dir = mfs_node_as_dir(victim);
    if (mfs_node_as_dir(moved) == NULL)
        return victim_dir != NULL ? MEMFS_EISDIR : 0;
    if (victim_dir == NULL)
        return MEMFS_ENOTDIR;
    return victim_dir->names.live == 0 ? 0 : MEMFS_ENOTEMPTY;
}

static int check_locks(struct mfs_tree *tree, struct mfs_node *node)
{
    if (node != NULL && mfs_node_as_file(node) != NULL &&
        mfs_filelock_is_locked(tree->nodes->lot, node, MFS_HELD_NOTHING))
        return MEMFS_EBUSY;
    return 0;
}

/* A directory that comes into `dir`, from elsewhere, with none leaving, needs room there. */
static int check_links(const struct mfs_dir_node *dir, struct mfs_node *comes,
                       struct mfs_node *goes, const struct mfs_dir_node *comes_from)
{
    if (dir == comes_from || mfs_node_as_dir(comes) == NULL ||
        (goes != NULL && mfs_node_as_dir(goes) != NULL))
        return 0;
    return mfs_namespace_check_links(&dir->node);
}

int mfs_rename_check(struct mfs_tree *tree, const struct mfs_place *from,
                     const struct mfs_place *to, unsigned flags, bool *same)
{
    int error = check_last(from);
    if (error == 0)
        error = check_last(to);
    if (error == 0)
        error = check_existence(from, to, flags);
    if (error == 0)
        error = check_loops(from, to, flags);
    *same = error == 0 && from->node == to->node;
    if (error != 0 || *same)
        return error;
    bool exchange = (flags & MEMFS_RENAME_EXCHANGE) != 0;
    if (to->node != NULL && !exchange)
        error = check_kinds(from->node, to->node);
    if (error == 0)
        error = check_locks(tree, from->node);
    if (error == 0)
        error = check_locks(tree, to->node);
    if (error == 0)
        error = check_links(to->dir, from->node, to->node, from->dir);
    if (error == 0 && exchange)
        error = check_links(from->dir, to->node, from->node, to->dir);
    return error;
}

static void move_parent(struct mfs_node *node, struct mfs_dir_node *parent,
                        struct mfs_dirent *entry)
{
    struct mfs_dir_node *dir = mfs_node_as_dir(node);
    if (dir != NULL)
        mfs_namespace_set_parent(dir, parent, entry);
}

static void swap_nodes(struct mfs_dirent *a, struct mfs_dirent *b)
{
    struct mfs_node *node = a->node;
    a->node = b->node;
    b->node = node;
}

static void finish_move(const struct mfs_place *from, const struct mfs_place *to, int64_t now)
{
    mfs_node_changed(from->node, now);
    mfs_node_modified(&from->dir->node, now);
    if (to->dir != from->dir)
        mfs_node_modified(&to->dir->node, now);
}

static void exchange_entries(const struct mfs_place *from, const struct mfs_place *to, int64_t now)
{
    MFS_CHECK(to->entry != NULL && from->entry != to->entry);
    swap_nodes(from->entry, to->entry);
    move_parent(from->node, to->dir, to->entry);
    move_parent(to->node, from->dir, from->entry);
    mfs_node_changed(to->node, now);
    finish_move(from, to, now);
}

/* True if the move stays in one directory, so that the moved entry keeps its place there. */
static bool stays_in_dir(const struct mfs_place *from, const struct mfs_place *to)
{
    return from->dir == to->dir;
}

/*
 * The victim loses this name; `from->entry` leaves with the reference to it.  In one directory the
 * entry that stays takes the earlier of the two places: a listing that has passed one of them
 * meets neither the moved node nor the replaced name a second time.
 */
static void replace_entry(struct mfs_tree *tree, const struct mfs_place *from,
                          const struct mfs_place *to, int64_t now)
{
    const struct mfs_dir_node *victim = mfs_node_as_dir(to->node);
    MFS_CHECK(victim == NULL || victim->names.live == 0);
    MFS_CHECK(mfs_node_links(to->node) != 0);
    swap_nodes(from->entry, to->entry);
    move_parent(to->node, NULL, NULL);
    mfs_node_set_links(to->node,
                       mfs_node_as_dir(to->node) != NULL ? 0 : mfs_node_links(to->node) - 1);
    move_parent(from->node, to->dir, to->entry);
    if (stays_in_dir(from, to) && from->entry->sequence < to->entry->sequence)
        mfs_dir_exchange_places(&to->dir->names, from->entry, to->entry);
    mfs_dir_detach(&tree->nodes->names, &from->dir->names, from->entry);
    mfs_node_changed(to->node, now);
    finish_move(from, to, now);
}

/* Gives the entry its new name where it is; returns the old entry if another took its place. */
static struct mfs_dirent *rename_entry(struct mfs_tree *tree, const struct mfs_place *from,
                                       const struct mfs_place *to, int64_t now,
                                       struct mfs_dirent *prepared)
{
    struct mfs_dir *dir = &from->dir->names;
    finish_move(from, to, now);
    if (prepared == NULL) {
        mfs_dir_rename(&tree->nodes->names, dir, from->entry, &to->name);
        return NULL;
    }
    mfs_node_retain(from->node);
    mfs_dir_replace(dir, from->entry, prepared);
    move_parent(from->node, to->dir, prepared);
    return from->entry;
}

static void move_entry(struct mfs_tree *tree, const struct mfs_place *from,
                       const struct mfs_place *to, int64_t now, uint64_t sequence,
                       struct mfs_dirent *prepared)
{
    MFS_CHECK(prepared != NULL && from->dir != to->dir);
    mfs_dir_commit(&tree->nodes->names, &to->dir->names, prepared, from->node, sequence);
    mfs_node_retain(from->node);
    move_parent(from->node, to->dir, prepared);
    mfs_dir_detach(&tree->nodes->names, &from->dir->names, from->entry);
    finish_move(from, to, now);
}

int mfs_rename_prepare(struct mfs_tree *tree, const struct mfs_place *from,
                       const struct mfs_place *to, struct mfs_dirent **prepared)
{
    const struct mfs_names *names = &tree->nodes->names;
    const struct mfs_dir_key *name = &to->name;
    MFS_CHECK(to->rest == NULL && from->entry != NULL);
    *prepared = NULL;
    if (to->entry != NULL)
        return 0;
    if (!stays_in_dir(from, to))
        return mfs_dir_prepare(names, &to->dir->names, name, prepared);
    if (mfs_dir_fits(from->entry, name->length))
        return 0;
    return mfs_dir_prepare_renamed(names, name, prepared);
}

/* Where the moved node was, and where it is.  `from->name` is read before the entry is renamed. */
static void tell_of_rename(struct mfs_observer *observer, const struct mfs_place *from,
                           const struct mfs_place *to, unsigned flags)
{
    struct mfs_node *at_from = (flags & MEMFS_RENAME_EXCHANGE) != 0 ? to->node : NULL;
    const struct mfs_observed_name names[] = {
        {from->dir, from->name.name, from->name.length, at_from},
        {to->dir, to->name.name, to->name.length, from->node}};
    observer->named(observer, names, 2);
}

struct mfs_dirent *mfs_rename_apply(struct mfs_tree *tree, const struct mfs_place *from,
                                    const struct mfs_place *to, unsigned flags,
                                    struct mfs_dirent *prepared)
{
    if (MFS_OBSERVER_IS(tree->nodes->observer))
        tell_of_rename(tree->nodes->observer, from, to, flags);
    int64_t now = mfs_node_now(tree->nodes);
    uint64_t sequence = mfs_walk_count_name_change(tree);
    MFS_CHECK(from->entry != NULL && from->entry->node == from->node);
    MFS_CHECK(prepared == NULL || to->entry == NULL);
    if ((flags & MEMFS_RENAME_EXCHANGE) != 0) {
        exchange_entries(from, to, now);
        return NULL;
    }
    if (to->entry != NULL)
        replace_entry(tree, from, to, now);
    else if (stays_in_dir(from, to))
        return rename_entry(tree, from, to, now, prepared);
    else
        move_entry(tree, from, to, now, sequence, prepared);
    return from->entry;
}
