/*
 * Missing parents are built as a private tree with the node already in it; then
 * the top of that tree gets its name.  What can fail comes first, and what was
 * built until then is thrown away.
 */
#include "publish.h"

#include "check.h"
#include "rename.h"

/* The name that the node will have if no parent is missing, or the topmost missing parent. */
static int prepare_here(struct mfs_tree *tree, const struct mfs_place *place,
                        const struct mfs_node *node, struct mfs_addition *out)
    MFS_REQUIRES(tree->lock)
{
    return mfs_namespace_prepare(tree, place->dir, &place->name, node, out);
}

int mfs_publish(struct mfs_tree *tree, const struct mfs_place *place, struct mfs_node *node,
                uint32_t parents_mode, int64_t now)
{
    struct mfs_addition addition;
    if (place->rest == NULL) {
        int error = prepare_here(tree, place, node, &addition);
        if (error == 0)
            mfs_namespace_commit(tree, &addition, node, now);
        return error;
    }
    struct mfs_dir_node *top, *bottom;
    struct mfs_component last;
    int error = mfs_subtree_make_chain(tree, place->rest, parents_mode, &top, &bottom, &last);
    if (error != 0)
        return error;
    struct mfs_addition inner;
    error = mfs_namespace_prepare(tree, bottom, &last, node, &inner);
    if (error != 0)
        goto fail;
    error = prepare_here(tree, place, &top->node, &addition);
    if (error != 0) {
        mfs_namespace_cancel(tree, &inner);
        goto fail;
    }
    mfs_namespace_commit(tree, &inner, node, now);
    mfs_namespace_commit(tree, &addition, &top->node, now);
    mfs_node_release(tree->nodes, &top->node);
    return 0;
fail:
    mfs_subtree_discard(tree, &top->node);
    return error;
}

static int rename_into_chain(struct mfs_tree *tree, const struct mfs_place *from,
                             const struct mfs_place *to, unsigned flags,
                             struct mfs_dirent **removed) MFS_REQUIRES(tree->lock)
{
    struct mfs_dir_node *top, *bottom;
    struct mfs_component last;
    struct mfs_addition inner, addition;
    int error = mfs_subtree_make_chain(tree, to->rest, MFS_PARENTS_MODE, &top, &bottom, &last);
    if (error != 0)
        return error;
    error = mfs_namespace_prepare(tree, bottom, &last, from->node, &inner);
    if (error != 0)
        goto fail;
    error = prepare_here(tree, to, &top->node, &addition);
    if (error != 0) {
        mfs_namespace_cancel(tree, &inner);
        goto fail;
    }
    struct mfs_place within = {.dir = bottom, .name = last, .last = MFS_LAST_NAME};
    mfs_namespace_commit(tree, &addition, &top->node, mfs_nodes_now(tree->nodes));
    *removed = mfs_rename_apply(tree, from, &within, flags, inner.entry);
    mfs_node_release(tree->nodes, &top->node);
    return 0;
fail:
    mfs_subtree_discard(tree, &top->node);
    return error;
}

int mfs_publish_rename(struct mfs_tree *tree, const struct mfs_place *from,
                       const struct mfs_place *to, unsigned flags, struct mfs_dirent **removed)
{
    *removed = NULL;
    if (to->rest != NULL)
        return rename_into_chain(tree, from, to, flags, removed);
    struct mfs_addition addition = {0};
    if (to->entry == NULL) {
        /* The moved node keeps its number of names, so only the name needs memory here. */
        int error = mfs_dir_prepare(&tree->nodes->names, &to->dir->names, to->name.name,
                                    to->name.length, &addition.entry);
        if (error != 0)
            return error;
    }
    *removed = mfs_rename_apply(tree, from, to, flags, addition.entry);
    return 0;
}
