/*
 * The cursor's way through
 *
 *     top --- a --- x          visits a, x, y, b: from `top` it goes on at
 *      |      +---- y          number 0, from `a` at 0, and when `a` has no more
 *      +----- b                at the number behind that of `a` in its parent.
 *
 * The copy is built by one such pass: its directories are walked up and down in
 * step with the original's.
 */
#include "subtree.h"

#include "check.h"
#include "filelock.h"
#include "linkmap.h"

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
            struct mfs_dir_node *below = mfs_as_dir(entry->node);
            cursor->dir = dir;
            cursor->next_dir = below != NULL ? below : dir;
            cursor->next_sequence = below != NULL ? 0 : entry->u.sequence + 1;
            return entry;
        }
        if (dir == cursor->top)
            return NULL;
        cursor->next_sequence = dir->entry->u.sequence + 1;
        cursor->next_dir = dir->parent;
    }
}

bool mfs_subtree_has_locked(struct mfs_tree *tree, struct mfs_dir_node *top)
{
    struct mfs_subtree_cursor at;
    struct mfs_dirent *entry;
    mfs_subtree_begin(&at, top);
    while ((entry = mfs_subtree_next(&at)) != NULL)
        if (mfs_as_file(entry->node) != NULL &&
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
        } else if (mfs_as_dir(entry->node) != NULL) {
            dir = mfs_as_dir(entry->node);
            continue;
        }
        mfs_namespace_remove(tree, dir, entry, now);
        entry->u.next_removed = *removed;
        *removed = entry;
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
    if (mfs_as_dir(node) != NULL)
        mfs_subtree_dismantle(tree, mfs_as_dir(node), 0, &removed);
    mfs_subtree_forget(tree, removed);
    mfs_node_release(tree->nodes, node);
}

/* ------------------------------------------------------------------ copying */

static void copy_attributes(struct mfs_node *to, const struct mfs_node *from)
{
    atomic_store_explicit(&to->uid, atomic_load_explicit(&from->uid, memory_order_relaxed),
                          memory_order_relaxed);
    atomic_store_explicit(&to->gid, atomic_load_explicit(&from->gid, memory_order_relaxed),
                          memory_order_relaxed);
    mfs_node_set_time(to, MFS_ACCESS, mfs_node_time(from, MFS_ACCESS));
    mfs_node_set_time(to, MFS_MODIFY, mfs_node_time(from, MFS_MODIFY));
}

/* Copies one node without what is below it; the copy has one reference and no name. */
static int copy_node(struct mfs_nodes *nodes, struct mfs_node *from, bool keep_attributes,
                     struct mfs_node **out)
{
    uint32_t mode = atomic_load_explicit(&from->mode, memory_order_relaxed);
    struct mfs_file_node *file = mfs_as_file(from), *new_file;
    struct mfs_symlink_node *link = mfs_as_symlink(from), *new_link;
    struct mfs_dir_node *new_dir;
    int error;
    if (file != NULL) {
        error = mfs_node_create_file(nodes, MFS_ORDINARY, mode, &new_file);
        if (error != 0)
            return error;
        uint64_t size;
        error = mfs_node_clone_content(nodes, file, &new_file->content, &size);
        if (error != 0) {
            mfs_node_release(nodes, &new_file->node);
            return error;
        }
        atomic_init(&new_file->size, size);
        *out = &new_file->node;
    } else if (link != NULL) {
        error = mfs_node_create_symlink(nodes, link->target, link->length, &new_link);
        if (error != 0)
            return error;
        *out = &new_link->node;
    } else {
        error = mfs_node_create_dir(nodes, mode, &new_dir);
        if (error != 0)
            return error;
        *out = &new_dir->node;
    }
    if (keep_attributes)
        copy_attributes(*out, from);
    return 0;
}

struct tree_copy {
    struct mfs_tree *tree;
    bool keep_attributes;
    struct mfs_linkmap links;
};

/* Copies what `from` names into the private directory `to`. */
static int copy_entry(struct tree_copy *copy, const struct mfs_dirent *from,
                      struct mfs_dir_node *to, struct mfs_node **made) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    struct mfs_nodes *nodes = copy->tree->nodes;
    bool has_more_names = mfs_as_dir(from->node) == NULL && mfs_node_links(from->node) > 1;
    struct mfs_node *node = has_more_names ? mfs_linkmap_find(&copy->links, from->node) : NULL;
    int error = 0;
    if (node != NULL) {
        mfs_node_retain(node);
    } else {
        error = copy_node(nodes, from->node, copy->keep_attributes, &node);
        if (error != 0)
            return error;
        if (has_more_names)
            error = mfs_linkmap_add(&copy->links, nodes->memory, from->node, node);
    }
    struct mfs_component name = {.name = from->name, .length = from->length};
    struct mfs_addition addition;
    if (error == 0)
        error = mfs_namespace_prepare(copy->tree, to, &name, node, &addition);
    if (error == 0) {
        int64_t change = mfs_node_time(node, MFS_CHANGE);
        int64_t dir_modify = mfs_node_time(&to->node, MFS_MODIFY);
        mfs_namespace_commit(copy->tree, &addition, node, change);
        mfs_node_set_time(&to->node, MFS_MODIFY, dir_modify);
        *made = node;
    }
    /* From here on the name's reference keeps the node, or nothing does. */
    mfs_node_release(nodes, node);
    return error;
}

int mfs_subtree_copy(struct mfs_tree *tree, struct mfs_node *node, bool keep_attributes,
                     struct mfs_node **out)
{
    struct tree_copy copy = {.tree = tree, .keep_attributes = keep_attributes};
    struct mfs_node *top;
    int error = copy_node(tree->nodes, node, keep_attributes, &top);
    if (error != 0)
        return error;
    if (mfs_as_dir(node) != NULL) {
        mfs_node_set_links(top, 2);
        struct mfs_subtree_cursor at;
        struct mfs_dirent *entry;
        struct mfs_dir_node *from = mfs_as_dir(node), *to = mfs_as_dir(top);
        mfs_subtree_begin(&at, from);
        while (error == 0 && (entry = mfs_subtree_next(&at)) != NULL) {
            for (; from != at.dir; from = from->parent)
                to = to->parent;
            struct mfs_node *made = NULL;
            error = copy_entry(&copy, entry, to, &made);
            if (error == 0 && mfs_as_dir(made) != NULL) {
                from = mfs_as_dir(entry->node);
                to = mfs_as_dir(made);
            }
        }
    }
    mfs_linkmap_fini(&copy.links, tree->nodes->memory);
    if (error != 0) {
        mfs_subtree_discard(tree, top);
        return error;
    }
    *out = top;
    return 0;
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
        if (mfs_component_is_dot(&name)) {
            name = next;
            continue;
        }
        if (mfs_component_is_dotdot(&name)) {
            error = MEMFS_ENOENT;
            break;
        }
        struct mfs_dir_node *made;
        struct mfs_addition addition;
        error = mfs_node_create_dir(nodes, mode, &made);
        if (error != 0)
            break;
        error = mfs_namespace_prepare(tree, at, &name, &made->node, &addition);
        if (error == 0) {
            mfs_namespace_commit(tree, &addition, &made->node, mfs_nodes_now(nodes));
            at = made;
            name = next;
        }
        mfs_node_release(nodes, &made->node);
    }
    if (error == 0 && (mfs_component_is_dot(&name) || mfs_component_is_dotdot(&name)))
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
