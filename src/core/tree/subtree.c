/*
 * The cursor's way through
 *
 *     top --- a --- x          It visits a, x, y, b.  In `top` it begins at number 0, in `a` too,
 *      |      +---- y          and when `a` has no more entries it goes on in `top` at the number
 *      +----- b                behind that of the entry `a`.
 *
 * Cost: a search in one directory for each step; no memory, however deep the tree is.
 */
#include "tree/subtree.h"

#include "base/check.h"
#include "node/filelock.h"

void mfs_subtree_begin_below(struct mfs_subtree_cursor *cursor, struct mfs_dir_node *top)
{
    MFS_CHECK(top != NULL);
    *cursor = (struct mfs_subtree_cursor){.top = top, .dir = top, .next_dir = top};
}

struct mfs_dirent *mfs_subtree_next_entry(struct mfs_subtree_cursor *cursor)
{
    for (;;) {
        struct mfs_dir_node *dir = cursor->next_dir;
        struct mfs_dirent *entry = mfs_dir_at(&dir->names, cursor->next_sequence);
        if (entry != NULL) {
            struct mfs_dir_node *below = mfs_node_as_dir(entry->node);
            cursor->dir = dir;
            cursor->next_dir = below != NULL ? below : dir;
            cursor->next_sequence = below != NULL ? 0 : entry->sequence + 1;
            return entry;
        }
        if (dir == cursor->top)
            return NULL;
        cursor->next_sequence = dir->entry->sequence + 1;
        cursor->next_dir = dir->parent;
    }
}

void mfs_subtree_begin(struct mfs_subtree_cursor *cursor, struct mfs_node *top)
{
    *cursor = (struct mfs_subtree_cursor){.first = top};
}

struct mfs_node *mfs_subtree_next(struct mfs_subtree_cursor *cursor)
{
    struct mfs_node *first = cursor->first;
    if (first != NULL) {
        struct mfs_dir_node *top = mfs_node_as_dir(first);
        *cursor = (struct mfs_subtree_cursor){.top = top, .dir = top, .next_dir = top};
        return first;
    }
    const struct mfs_dirent *entry = cursor->top != NULL ? mfs_subtree_next_entry(cursor) : NULL;
    return entry != NULL ? entry->node : NULL;
}

bool mfs_subtree_has_locked(struct mfs_tree *tree, struct mfs_node *top)
{
    struct mfs_subtree_cursor at;
    struct mfs_node *node;
    mfs_subtree_begin(&at, top);
    while ((node = mfs_subtree_next(&at)) != NULL)
        if (mfs_node_as_file(node) != NULL &&
            mfs_filelock_is_locked(tree->nodes->lot, node, MFS_HELD_NOTHING))
            return true;
    return false;
}

/* Takes one entry out of the tree, onto the list. */
static void take_out(struct mfs_tree *tree, struct mfs_dir_node *dir, struct mfs_dirent *entry,
                     int64_t now, struct mfs_dirent **removed) MFS_REQUIRES(tree->lock)
{
    mfs_namespace_remove(tree, dir, entry, now);
    entry->u.next_removed = *removed;
    *removed = entry;
}

/* From the bottom up, the newest entry of each directory first, which is the quickest to remove. */
void mfs_subtree_dismantle(struct mfs_tree *tree, struct mfs_dir_node *top, int64_t now,
                           struct mfs_dirent **removed)
{
    struct mfs_dir_node *dir = top;
    for (;;) {
        struct mfs_dirent *entry = mfs_dir_last(&dir->names);
        struct mfs_dir_node *below = entry != NULL ? mfs_node_as_dir(entry->node) : NULL;
        if (entry == NULL && dir == top)
            break;
        if (below != NULL && below->names.live != 0) {
            dir = below;
        } else if (entry != NULL) {
            take_out(tree, dir, entry, now, removed);
        } else {
            dir = dir->parent;
        }
    }
    MFS_CHECK(top->names.live == 0);
}

void mfs_subtree_remove(struct mfs_tree *tree, struct mfs_dir_node *dir, struct mfs_dirent *entry,
                        int64_t now, struct mfs_dirent **removed)
{
    struct mfs_dir_node *top = mfs_node_as_dir(entry->node);
    if (top != NULL)
        mfs_subtree_dismantle(tree, top, now, removed);
    take_out(tree, dir, entry, now, removed);
}

void mfs_subtree_move(struct mfs_tree *tree, struct mfs_dir_node *from, struct mfs_dir_node *to)
{
    const struct mfs_dirent *first = mfs_dir_at(&from->names, 0);
    if (first == NULL) {
        (void)mfs_walk_count_name_change(tree);
        return;
    }
    /* Numbers that are higher than all given so far: listings that have begun meet none of them. */
    uint64_t lowest = first->sequence, highest = mfs_dir_last(&from->names)->sequence;
    uint64_t newest = atomic_fetch_add(&tree->name_changes, highest - lowest + 1);
    MFS_CHECK(newest >= highest);
    mfs_dir_adopt(&to->names, &from->names, newest + 1 - lowest);
    struct mfs_dirent *entry = mfs_dir_at(&to->names, 0);
    for (; entry != NULL; entry = mfs_dir_next(&to->names, entry)) {
        struct mfs_dir_node *moved = mfs_node_as_dir(entry->node);
        if (moved != NULL)
            mfs_namespace_set_parent(moved, to, entry);
        mfs_observer_named(tree->nodes->observer, to, entry->name, entry->length, entry->node);
    }
}

void mfs_subtree_forget(struct mfs_tree *tree, struct mfs_dirent *removed)
{
    while (removed != NULL) {
        struct mfs_dirent *next = removed->u.next_removed;
        mfs_namespace_forget(tree, removed);
        removed = next;
    }
}

/* No other thread can meet the nodes of a private tree, so they may be freed under the lock. */
void mfs_subtree_discard(struct mfs_tree *tree, struct mfs_node *node) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    struct mfs_dirent *removed = NULL;
    if (mfs_node_as_dir(node) != NULL)
        mfs_subtree_dismantle(tree, mfs_node_as_dir(node), 0, &removed);
    mfs_subtree_forget(tree, removed);
    mfs_node_release(tree->nodes, node);
}

/* ------------------------------------------------------------------- chains */

int mfs_subtree_make_chain(struct mfs_tree *tree, const char *rest, uint32_t mode,
                           struct mfs_dir_node **top, struct mfs_dir_node **bottom,
                           struct mfs_component *last)
{
    struct mfs_nodes *nodes = tree->nodes;
    struct mfs_dir_node *first;
    struct mfs_component name;
    int error = mfs_node_create_dir(nodes, nodes->names.source.charge_from, mode, &first);
    if (error != 0)
        return error;
    mfs_node_set_links(&first->node, 2);
    struct mfs_dir_node *at = first;
    bool found = mfs_path_next(&rest, &name);
    MFS_CHECK(found);
    while (error == 0 && *rest != '\0') {
        struct mfs_component next;
        (void)mfs_path_next(&rest, &next);
        if (mfs_path_is_dot(&name)) {
            name = next;
            continue;
        }
        if (mfs_path_is_dotdot(&name)) {
            error = MEMFS_ENOENT;
            break;
        }
        struct mfs_dir_node *made;
        struct mfs_addition addition;
        error = mfs_node_create_dir(nodes, nodes->names.source.charge_from, mode, &made);
        if (error != 0)
            break;
        struct mfs_dir_key key = mfs_dir_key_of(&name);
        error = mfs_namespace_prepare(tree, at, &key, &made->node, &addition);
        if (error == 0) {
            mfs_namespace_commit(tree, &addition, &made->node, mfs_node_now(nodes));
            at = made;
            name = next;
        }
        mfs_node_release(nodes, &made->node);
    }
    if (error == 0 && (mfs_path_is_dot(&name) || mfs_path_is_dotdot(&name)))
        error = MEMFS_ENOENT;
    if (error != 0) {
        mfs_subtree_discard(tree, &first->node);
        return error;
    }
    *top = first;
    *bottom = at;
    *last = name;
    return 0;
}
