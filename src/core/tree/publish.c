/*
 * 1. Missing parents are built as a private tree with the node already in it; then the top of that
 *    tree gets its name.  No observer sees the parents without the node.
 * 2. All that can fail comes first.  After a failure, what was built is freed, and the tree is as
 *    it was.
 */
#include "tree/publish.h"

#include "base/check.h"
#include "tree/rename.h"

/* A node in a private chain of parents, of which nothing is in the tree yet. */
struct chain {
    struct mfs_dir_node *top;
    struct mfs_place inner;       /* where the node will be, in the bottom of the chain */
    struct mfs_dirent *entry;     /* for the node */
    struct mfs_addition addition; /* for the top, in the tree */
};

/* Builds the parents that `place` lacks and prepares both names.  Whether the node may have one
 * more name is for the caller to check. */
static int prepare_chain(struct mfs_tree *tree, const struct mfs_place *place, uint32_t mode,
                         struct chain *out) MFS_REQUIRES(tree->lock)
{
    const struct mfs_names *names = &tree->nodes->names;
    MFS_CHECK(place->rest != NULL && place->entry == NULL);
    *out = (struct chain){.inner = {.last = MFS_LAST_NAME}};
    struct mfs_component last;
    int error = mfs_subtree_make_chain(tree, place->rest, mode, &out->top, &out->inner.dir, &last);
    if (error != 0)
        return error;
    out->inner.name = mfs_dir_key_of(&last);
    error = last.length <= MEMFS_NAME_MAX
                ? mfs_dir_prepare(names, &out->inner.dir->names, &out->inner.name, &out->entry)
                : MEMFS_ENAMETOOLONG;
    if (error != 0)
        goto fail;
    error = mfs_namespace_prepare(tree, place->dir, &place->name, &out->top->node, &out->addition);
    if (error == 0)
        return 0;
    mfs_dir_cancel(names, out->entry);
fail:
    mfs_subtree_discard(tree, &out->top->node);
    return error;
}

static void commit_chain(struct mfs_tree *tree, struct chain *chain, int64_t now)
    MFS_REQUIRES(tree->lock)
{
    MFS_CHECK(chain->top->parent == NULL && mfs_namespace_is_within(chain->inner.dir, chain->top));
    mfs_namespace_commit(tree, &chain->addition, &chain->top->node, now);
    mfs_node_release(tree->nodes, &chain->top->node);
}

void mfs_publish_draw_on(struct mfs_tree *tree, enum mfs_charge_from charge_from)
{
    MFS_CHECK(charge_from != MFS_CHARGE_LOOKING);
    tree->nodes->names.source.charge_from = charge_from;
}

int mfs_publish(struct mfs_tree *tree, const struct mfs_place *place, struct mfs_node *node,
                uint32_t parents_mode, int64_t now)
{
    struct mfs_addition addition;
    int error;
    MFS_CHECK(place->dir != NULL && place->last == MFS_LAST_NAME && place->entry == NULL);
    if (place->rest == NULL) {
        error = mfs_namespace_prepare(tree, place->dir, &place->name, node, &addition);
        if (error == 0)
            mfs_namespace_commit(tree, &addition, node, now);
        return error;
    }
    struct chain chain;
    error = mfs_node_as_dir(node) == NULL ? mfs_namespace_check_links(node) : 0;
    if (error == 0)
        error = prepare_chain(tree, place, parents_mode, &chain);
    if (error != 0)
        return error;
    addition = (struct mfs_addition){chain.inner.dir, chain.entry};
    mfs_namespace_commit(tree, &addition, node, now);
    commit_chain(tree, &chain, now);
    return 0;
}

int mfs_publish_private(struct mfs_tree *tree, const char *path, int walk_flags,
                        struct mfs_node *top)
{
    struct mfs_place place;
    mfs_sync_lock_exclusive(tree->nodes->lot, &tree->lock);
    int error = mfs_walk(tree, NULL, path, walk_flags, &place);
    if (error == 0 && place.node != NULL)
        error = MEMFS_EEXIST;
    if (error == 0 && place.needs_dir && mfs_node_as_dir(top) == NULL)
        error = MEMFS_ENOENT;
    if (error == 0)
        error = mfs_publish(tree, &place, top, MFS_PARENTS_MODE, mfs_node_now(tree->nodes));
    mfs_sync_unlock_exclusive(tree->nodes->lot, &tree->lock);
    if (error != 0)
        mfs_subtree_discard(tree, top);
    else
        mfs_node_release(tree->nodes, top);
    return error;
}

static int rename_into_chain(struct mfs_tree *tree, const struct mfs_place *from,
                             const struct mfs_place *to, unsigned flags,
                             struct mfs_dirent **removed) MFS_REQUIRES(tree->lock)
{
    struct chain chain;
    int error = prepare_chain(tree, to, MFS_PARENTS_MODE, &chain);
    if (error != 0)
        return error;
    commit_chain(tree, &chain, mfs_node_now(tree->nodes));
    *removed = mfs_rename_apply(tree, from, &chain.inner, flags, chain.entry);
    return 0;
}

int mfs_publish_rename(struct mfs_tree *tree, const struct mfs_place *from,
                       const struct mfs_place *to, unsigned flags, struct mfs_dirent **removed)
{
    MFS_CHECK(from->entry != NULL && to->dir != NULL);
    *removed = NULL;
    if (to->rest != NULL)
        return rename_into_chain(tree, from, to, flags, removed);
    struct mfs_dirent *prepared;
    int error = mfs_rename_prepare(tree, from, to, &prepared);
    if (error == 0)
        *removed = mfs_rename_apply(tree, from, to, flags, prepared);
    return error;
}
