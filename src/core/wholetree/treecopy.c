/*
 * The copy is made in two passes, while the namespace lock keeps the names as they are:
 *
 *     build     nodes and names, without contents: all that needs memory
 *     capture   lock each node, shared; take its content and attributes;
 *               when all are locked, unlock them
 *
 * 1. What is taken of a node holds as long as its lock is held, and at one moment all locks are
 *    held.  So the copy is of that moment.
 * 2. A thread that captures holds many locks at a time, in no order.  There is no deadlock: only
 *    one thread captures (the tree's capture lock), and a thread that holds a node's lock
 *    otherwise waits for no other node's.
 * 3. The second pass goes through both trees in step: the copy's entries are in the order of the
 *    original's.  A node with several names is met several times; the copy's `is_captured` says
 *    that the original's lock is held.
 *
 * Cost: a node, a name and a reference to the content for each entry; no data is copied.  Capturing
 * waits only for writes that are going on.  It needs memory only for files that a handle keeps
 * private (memfs_hold_private()), which cannot share their pages.
 */
#include "wholetree/treecopy.h"

#include "base/check.h"
#include "wholetree/linkmap.h"

/* ----------------------------------------------------------------- building */

/* A node of the kind of `from`, without content; one reference and no name. */
static int make_like_node(struct mfs_nodes *nodes, struct mfs_node *from, struct mfs_node **out)
{
    uint32_t mode = atomic_load_explicit(&from->mode, memory_order_relaxed);
    struct mfs_symlink_node *link = mfs_node_as_symlink(from), *new_link;
    struct mfs_file_node *new_file;
    struct mfs_dir_node *new_dir;
    int error;
    if (link != NULL) {
        error = mfs_node_create_symlink(nodes, MFS_CHARGE_ORDINARY, link->target, link->length,
                                        &new_link);
        if (error == 0)
            *out = &new_link->node;
    } else if (mfs_node_as_dir(from) != NULL) {
        error = mfs_node_create_dir(nodes, MFS_CHARGE_ORDINARY, mode, &new_dir);
        if (error == 0)
            *out = &new_dir->node;
    } else {
        error = mfs_node_create_file(nodes, MFS_CHARGE_ORDINARY, mode, &new_file);
        if (error == 0)
            *out = &new_file->node;
    }
    return error;
}

struct tree_copy {
    struct mfs_tree *to;
    struct mfs_linkmap links;
};

/* Gives the private directory `to` an entry like `from`, and the node that goes with it. */
static int build_entry(struct tree_copy *copy, const struct mfs_dirent *from,
                       struct mfs_dir_node *to,
                       struct mfs_node **made) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    struct mfs_nodes *nodes = copy->to->nodes;
    bool has_more_names = mfs_node_as_dir(from->node) == NULL && mfs_node_links(from->node) > 1;
    struct mfs_node *node = has_more_names ? mfs_linkmap_find(&copy->links, from->node) : NULL;
    int error = 0;
    if (node != NULL) {
        mfs_node_retain(node);
    } else {
        error = make_like_node(nodes, from->node, &node);
        if (error != 0)
            return error;
        if (has_more_names)
            error = mfs_linkmap_add(&copy->links, nodes->memory, from->node, node);
    }
    /* Snapshots have the same hash key. */
    struct mfs_dir_key name = {from->name, from->length, from->hash, true};
    struct mfs_addition addition;
    if (error == 0)
        error = mfs_namespace_prepare(copy->to, to, &name, node, &addition);
    if (error == 0) {
        mfs_namespace_commit(copy->to, &addition, node, mfs_node_time(node, MFS_CHANGE));
        *made = node;
    }
    /* From here on the name's reference keeps the node, or nothing does. */
    mfs_node_release(nodes, node);
    return error;
}

static int build_below(struct tree_copy *copy, struct mfs_dir_node *from, struct mfs_dir_node *to)
{
    struct mfs_subtree_cursor at;
    const struct mfs_dirent *entry;
    int error = 0;
    mfs_node_set_links(&to->node, 2);
    mfs_subtree_begin_below(&at, from);
    while (error == 0 && (entry = mfs_subtree_next_entry(&at)) != NULL) {
        for (; from != at.dir; from = from->parent)
            to = to->parent;
        struct mfs_node *made = NULL;
        error = build_entry(copy, entry, to, &made);
        if (error == 0 && mfs_node_as_dir(made) != NULL) {
            from = mfs_node_as_dir(entry->node);
            to = mfs_node_as_dir(made);
        }
    }
    return error;
}

/* ---------------------------------------------------------------- capturing */

/* An original and its copy: first the tops, then what is below, in step. */
struct pairs {
    struct mfs_subtree_cursor from_at, to_at;
    struct mfs_node *from, *to;
};

static struct pairs begin_pairs(struct mfs_node *from, struct mfs_node *to)
{
    struct pairs pairs = {0};
    mfs_subtree_begin(&pairs.from_at, from);
    mfs_subtree_begin(&pairs.to_at, to);
    return pairs;
}

static bool next_pair(struct pairs *pairs)
{
    pairs->from = mfs_subtree_next(&pairs->from_at);
    pairs->to = mfs_subtree_next(&pairs->to_at);
    MFS_CHECK((pairs->from == NULL) == (pairs->to == NULL));
    MFS_CHECK(pairs->from == NULL || pairs->from->kind == pairs->to->kind);
    return pairs->from != NULL;
}

void mfs_treecopy_attributes(struct mfs_node *to, const struct mfs_node *from,
                             enum mfs_copy_kind kind)
{
    atomic_store_explicit(&to->mode, atomic_load_explicit(&from->mode, memory_order_relaxed),
                          memory_order_relaxed);
    if (kind == MFS_COPY_FRESH)
        return;
    atomic_store_explicit(&to->uid, atomic_load_explicit(&from->uid, memory_order_relaxed),
                          memory_order_relaxed);
    atomic_store_explicit(&to->gid, atomic_load_explicit(&from->gid, memory_order_relaxed),
                          memory_order_relaxed);
    mfs_node_set_time(to, MFS_ACCESS, mfs_node_time(from, MFS_ACCESS));
    mfs_node_set_time(to, MFS_MODIFY, mfs_node_time(from, MFS_MODIFY));
    if (kind == MFS_COPY_ATTRIBUTES)
        return;
    mfs_node_set_time(to, MFS_CHANGE, mfs_node_time(from, MFS_CHANGE));
    mfs_node_set_time(to, MFS_BIRTH, mfs_node_time(from, MFS_BIRTH));
    atomic_store_explicit(&to->generation, mfs_node_generation(from), memory_order_relaxed);
    if (kind == MFS_COPY_KEPT)
        to->number = from->number;
}

/* Locks the original, unless that was done under another of its names, and takes what it has. */
static int capture_node(struct mfs_nodes *nodes, struct mfs_node *from, enum mfs_copy_kind kind,
                        struct mfs_node *to) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    MFS_CHECK(from != to && from->kind == to->kind);
    if (to->is_captured)
        return 0;
    mfs_sync_lock_shared(nodes->lot, &from->lock);
    to->is_captured = true;
    mfs_treecopy_attributes(to, from, kind);
    struct mfs_file_node *file = mfs_node_as_file(from), *new_file = mfs_node_as_file(to);
    if (file == NULL)
        return 0;
    uint64_t size;
    int error = mfs_node_clone_content(nodes, file, &new_file->content, &size);
    if (error == 0)
        atomic_store_explicit(&new_file->size, size, memory_order_relaxed);
    return error;
}

int mfs_treecopy_file(struct mfs_nodes *nodes, struct mfs_file_node *from,
                      struct mfs_file_node **out)
{
    struct mfs_file_node *file;
    uint64_t size;
    int error = mfs_node_create_file(nodes, MFS_CHARGE_ORDINARY, 0, &file);
    if (error != 0)
        return error;
    mfs_sync_lock_shared(nodes->lot, &from->node.lock);
    mfs_treecopy_attributes(&file->node, &from->node, MFS_COPY_EXACT);
    error = mfs_node_clone_content(nodes, from, &file->content, &size);
    mfs_sync_unlock_shared(nodes->lot, &from->node.lock);
    if (error != 0) {
        mfs_node_release(nodes, &file->node);
        return error;
    }
    atomic_store_explicit(&file->size, size, memory_order_relaxed);
    *out = file;
    return 0;
}

static void release_original(struct mfs_nodes *nodes, struct mfs_node *from,
                             struct mfs_node *to) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    if (!to->is_captured)
        return;
    to->is_captured = false;
    mfs_sync_unlock_shared(nodes->lot, &from->lock);
}

static int capture_tree(struct mfs_tree *tree, struct mfs_node *from, enum mfs_copy_kind kind,
                        struct mfs_node *to)
{
    struct mfs_nodes *nodes = tree->nodes;
    struct pairs pairs = begin_pairs(from, to);
    int error = 0;
    mfs_sync_lock_exclusive(nodes->lot, &tree->capture);
    while (error == 0 && next_pair(&pairs))
        error = capture_node(nodes, pairs.from, kind, pairs.to);
    pairs = begin_pairs(from, to);
    while (next_pair(&pairs))
        release_original(nodes, pairs.from, pairs.to);
    mfs_sync_unlock_exclusive(nodes->lot, &tree->capture);
    return error;
}

int mfs_treecopy(struct mfs_tree *from, struct mfs_node *node, enum mfs_copy_kind kind,
                 struct mfs_tree *to, struct mfs_node **out)
{
    struct tree_copy copy = {.to = to};
    struct mfs_node *top;
    int error = make_like_node(to->nodes, node, &top);
    if (error != 0)
        return error;
    if (mfs_node_as_dir(node) != NULL)
        error = build_below(&copy, mfs_node_as_dir(node), mfs_node_as_dir(top));
    mfs_linkmap_fini(&copy.links, to->nodes->memory);
    if (error == 0)
        error = capture_tree(from, node, kind, top);
    if (error != 0) {
        mfs_subtree_discard(to, top);
        return error;
    }
    *out = top;
    return 0;
}
