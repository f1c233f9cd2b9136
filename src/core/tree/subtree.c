/*
 * The cursor's way through
 *
 *     top --- a --- x          visits a, x, y, b: from `top` it goes on at
 *      |      +---- y          number 0, from `a` at 0, and when `a` has no more
 *      +----- b                at the number behind that of `a` in its parent.
 */
#include "tree/subtree.h"

#include "base/check.h"
#include "node/filelock.h"

void mfs_subtree_begin(struct mfs_subtree_cursor *cursor, struct mfs_dir_node *top)
{
    *cursor = (struct mfs_subtree_cursor){.top = top, .dir = top, .next_dir = top};
}

struct mfs_dirent *mfs_subtree_next(struct mfs_subtree_cursor *cursor)
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

bool mfs_subtree_has_locked(struct mfs_tree *tree, struct mfs_dir_node *top)
{
    struct mfs_subtree_cursor at;
    struct mfs_dirent *entry;
    mfs_subtree_begin(&at, top);
    while ((entry = mfs_subtree_next(&at)) != NULL)
        if (mfs_node_as_file(entry->node) != NULL &&
            mfs_filelock_is_locked(tree->nodes->lot, entry->node, MFS_HELD_NOTHING))
            return true;
    return false;
}

void mfs_subtree_dismantle(struct mfs_tree *tree, struct mfs_dir_node *top, int64_t now,
                           struct mfs_dirent **removed)
{
    struct mfs_dir_node *dir = top;
    for (;;) {
        struct mfs_dirent *entry = mfs_dir_last(&dir->names);
        if (entry == NULL) {
            if (dir == top)
                return;
            entry = dir->entry;
            dir = dir->parent;
        } else if (mfs_node_as_dir(entry->node) != NULL) {
            dir = mfs_node_as_dir(entry->node);
            continue;
        }
        mfs_namespace_remove(tree, dir, entry, now);
        entry->u.next_removed = *removed;
        *removed = entry;
    }
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

/* Nobody else can meet the nodes of a private tree, so they may be freed under the lock. */
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
    int error = mfs_node_create_dir(nodes, mode, &first);
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
        error = mfs_node_create_dir(nodes, mode, &made);
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
