/* Whole trees of the model: copied with their hard links, kept, put back, and removed. */
#include "model.h"

#include <memfs/memfs.h>

#include <string.h>

/* `twins[node]` is the copy of a node, or NO_NODE. */
static int copy_node(struct model *model, int from, int *twins)
{
    if (twins[from] != NO_NODE)
        return twins[from];
    int twin = model_node_new(model, model->nodes[from]->kind);
    twins[from] = twin;
    strcpy(model->nodes[twin]->target, model->nodes[from]->target);
    content_copy(&model->nodes[twin]->content, &model->nodes[from]->content, model->page_size);
    for (int i = 0; i < model->nodes[from]->entry_count; i++) {
        const struct model_entry *entry = &model->nodes[from]->entries[i];
        model_entry_add(model, twin, entry->name, copy_node(model, entry->node, twins));
    }
    return twin;
}

/* The copy of a node and all below it, in the tree or in a snapshot. */
static int copy_all(struct model *model, int node, int is_kept)
{
    static int twins[MODEL_NODES];
    for (int i = 0; i < MODEL_NODES; i++)
        twins[i] = NO_NODE;
    int twin = copy_node(model, node, twins);
    for (int i = 0; i < MODEL_NODES; i++)
        if (twins[i] != NO_NODE)
            model->nodes[twins[i]]->is_kept = is_kept;
    return twin;
}

int model_copy_tree(struct model *model, const char *from, const char *to)
{
    int node = model_lookup(model, MODEL_ROOT, from, FOLLOW_IF_DIRECTORY);
    if (node < 0)
        return node;
    struct model_place place;
    int is_directory = model->nodes[node]->kind == MEMFS_KIND_DIRECTORY;
    int error = model_walk_new(model, MODEL_ROOT, to, is_directory, &place);
    if (error != 0)
        return error;
    for (int above = place.directory; is_directory; above = model->nodes[above]->parent) {
        if (above == node)
            return MEMFS_EINVAL;
        if (above == MODEL_ROOT)
            break;
    }
    model_entry_add(model, place.directory, place.name, copy_all(model, node, 0));
    return 0;
}

/* Takes everything out of a directory. */
static void empty(struct model *model, int directory)
{
    struct model_node *d = model->nodes[directory];
    while (d->entry_count > 0) {
        int node = d->entries[--d->entry_count].node;
        if (model->nodes[node]->kind == MEMFS_KIND_DIRECTORY)
            empty(model, node);
        model->nodes[node]->links--;
        model_node_unuse(model, node);
    }
}

int model_remove_tree(struct model *model, const char *path)
{
    struct model_place place;
    int error = model_walk(model, MODEL_ROOT, path, FOLLOW_NEVER, &place);
    if (error != 0)
        return error;
    if (place.last != LAST_NAME)
        return place.last == LAST_ROOT ? MEMFS_EBUSY : MEMFS_EINVAL;
    if (place.node == NO_NODE)
        return MEMFS_ENOENT;
    if (model->nodes[place.node]->kind != MEMFS_KIND_DIRECTORY)
        return model_unlink(model, MODEL_ROOT, path);
    empty(model, place.node);
    model_entry_remove(model, place.directory, place.name);
    return 0;
}

int model_snapshot(struct model *model, unsigned slot)
{
    if (model->snapshots[slot] != NO_NODE)
        return MEMFS_EEXIST;
    model->snapshots[slot] = copy_all(model, MODEL_ROOT, 1);
    return 0;
}

int model_snapshot_remove(struct model *model, unsigned slot)
{
    int node = model->snapshots[slot];
    if (node == NO_NODE)
        return MEMFS_ENOENT;
    model->snapshots[slot] = NO_NODE;
    empty(model, node);
    model_node_unuse(model, node);
    return 0;
}

int model_snapshot_extract(struct model *model, unsigned slot, const char *to)
{
    struct model_place place;
    if (model->snapshots[slot] == NO_NODE)
        return MEMFS_ENOENT;
    int error = model_walk_new(model, MODEL_ROOT, to, 1, &place);
    if (error == 0)
        model_entry_add(model, place.directory, place.name,
                        copy_all(model, model->snapshots[slot], 0));
    return error;
}

int model_restore(struct model *model, unsigned slot)
{
    if (model->snapshots[slot] == NO_NODE)
        return MEMFS_ENOENT;
    int copy = copy_all(model, model->snapshots[slot], 0);
    empty(model, MODEL_ROOT);
    struct model_node *from = model->nodes[copy];
    for (int i = 0; i < from->entry_count; i++) {
        model->nodes[from->entries[i].node]->links--;
        model_entry_add(model, MODEL_ROOT, from->entries[i].name, from->entries[i].node);
    }
    model_node_unuse(model, copy);
    return 0;
}

uint64_t model_count(const struct model *model, uint32_t kind)
{
    uint64_t count = 0;
    for (int i = 0; i < model->used_nodes; i++)
        count += model->nodes[i] != NULL && model->nodes[i]->kind == kind &&
                 !model->nodes[i]->is_kept;
    return count;
}

uint64_t model_orphans(const struct model *model)
{
    uint64_t count = 0;
    for (int i = 0; i < HANDLE_SLOTS; i++) {
        int node = model->handles[i].node;
        int first = 0;
        while (model->handles[first].node != node)
            first++;
        count += node > MODEL_ROOT && first == i && model->nodes[node]->links == 0;
    }
    return count;
}
