/*
 * Paths and names of the model, in the order in which POSIX and Linux check.
 */
#include "model.h"

#include <memfs/memfs.h>

#include <stdlib.h>
#include <string.h>

static struct model_node *node_at(struct model *model, int node)
{
    return model->nodes[node];
}

int model_node_new(struct model *model, uint32_t kind)
{
    int i = 0;
    while (i < model->used_nodes && model->nodes[i] != NULL)
        i++;
    if (i == MODEL_NODES)
        abort();
    if (i == model->used_nodes)
        model->used_nodes++;
    model->nodes[i] = calloc(1, sizeof *model->nodes[i]);
    if (model->nodes[i] == NULL)
        abort();
    model->nodes[i]->kind = kind;
    return i;
}

void model_node_unuse(struct model *model, int node)
{
    struct model_node *n = node_at(model, node);
    if (n->links > 0 || n->opens > 0 || node == MODEL_ROOT)
        return;
    content_free(&n->content);
    free(n);
    model->nodes[node] = NULL;
}

static struct model_entry *find_entry(struct model *model, int directory, const char *name)
{
    struct model_node *d = node_at(model, directory);
    for (int i = 0; i < d->entry_count; i++)
        if (strcmp(d->entries[i].name, name) == 0)
            return &d->entries[i];
    return NULL;
}

void model_entry_add(struct model *model, int directory, const char *name, int node)
{
    struct model_node *d = node_at(model, directory);
    if (d->entry_count == MODEL_ENTRIES)
        abort();
    strcpy(d->entries[d->entry_count].name, name);
    d->entries[d->entry_count++].node = node;
    node_at(model, node)->links++;
    if (node_at(model, node)->kind == MEMFS_KIND_DIRECTORY)
        node_at(model, node)->parent = directory;
}

void model_entry_remove(struct model *model, int directory, const char *name)
{
    struct model_node *d = node_at(model, directory);
    struct model_entry *entry = find_entry(model, directory, name);
    int node = entry->node;
    *entry = d->entries[--d->entry_count];
    node_at(model, node)->links--;
    model_node_unuse(model, node);
}

/* Takes the next component off `place->text`, whose unread part starts at `*position`. */
static int next_component(struct model_place *place, size_t *position, int *is_last)
{
    char *text = place->text;
    size_t start = *position + strspn(text + *position, "/");
    size_t length = strcspn(text + start, "/");
    size_t after = start + length;
    place->name = text + start;
    place->trailing_slash = text[after] == '/';
    *is_last = text[after + strspn(text + after, "/")] == '\0';
    if (place->trailing_slash)
        text[after++] = '\0';
    *position = after;
    place->last = length == 0                      ? LAST_ROOT
                  : strcmp(place->name, ".") == 0  ? LAST_DOT
                  : strcmp(place->name, "..") == 0 ? LAST_DOT_DOT
                                                   : LAST_NAME;
    return length > MEMFS_NAME_MAX ? MEMFS_ENAMETOOLONG : 0;
}

/* Puts a symlink's target before what is still unread. */
static void expand_link(struct model_place *place, size_t *position, const char *target)
{
    char rest[sizeof place->text];
    strcpy(rest, place->text + *position);
    strcpy(place->text, target);
    if (place->trailing_slash) {
        strcat(place->text, "/");
        strcat(place->text, rest);
    }
    *position = 0;
}

static int is_removed(struct model *model, int directory)
{
    return directory != MODEL_ROOT && node_at(model, directory)->links == 0;
}

int model_walk(struct model *model, int at, const char *path, enum model_follow follow,
               struct model_place *out)
{
    if (*path == '\0')
        return MEMFS_ENOENT;
    strcpy(out->text, path);
    size_t position = 0;
    int links = 0;
    out->directory = *path == '/' ? MODEL_ROOT : at;
    for (;;) {
        int is_last;
        int error = next_component(out, &position, &is_last);
        struct model_node *directory = node_at(model, out->directory);
        out->node = out->directory;
        if (directory->kind != MEMFS_KIND_DIRECTORY)
            return MEMFS_ENOTDIR;
        int is_named = out->last == LAST_NAME || out->last == LAST_DOT_DOT;
        if (is_named && is_removed(model, out->directory))
            return MEMFS_ENOENT; /* nothing is in it but "." */
        if (error != 0)
            return error;
        if (out->last == LAST_DOT_DOT)
            out->node = directory->parent;
        if (out->last == LAST_NAME) {
            struct model_entry *entry = find_entry(model, out->directory, out->name);
            out->node = entry == NULL ? NO_NODE : entry->node;
        }
        struct model_node *node = out->node == NO_NODE ? NULL : node_at(model, out->node);
        int through = node != NULL && node->kind == MEMFS_KIND_SYMLINK &&
                      (!is_last || follow == FOLLOW_ALWAYS ||
                       (follow == FOLLOW_IF_DIRECTORY && out->trailing_slash));
        if (is_last && !through)
            return 0;
        if (node == NULL)
            return MEMFS_ENOENT;
        if (through && ++links > (int)MEMFS_SYMLINK_DEPTH_MAX)
            return MEMFS_ELOOP;
        if (through) {
            expand_link(out, &position, node->target);
            out->directory = node->target[0] == '/' ? MODEL_ROOT : out->directory;
        } else {
            out->directory = out->node;
        }
    }
}

int model_lookup(struct model *model, int at, const char *path, enum model_follow follow)
{
    struct model_place place;
    int error = model_walk(model, at, path, follow, &place);
    if (error != 0)
        return error;
    if (place.node == NO_NODE)
        return MEMFS_ENOENT;
    if (place.trailing_slash && node_at(model, place.node)->kind != MEMFS_KIND_DIRECTORY)
        return MEMFS_ENOTDIR;
    return place.node;
}

int model_walk_new(struct model *model, int at, const char *path, int is_directory,
                   struct model_place *out)
{
    int error = model_walk(model, at, path, FOLLOW_NEVER, out);
    if (error != 0)
        return error;
    if (out->last != LAST_NAME || out->node != NO_NODE)
        return MEMFS_EEXIST;
    if ((out->trailing_slash && !is_directory) || is_removed(model, out->directory))
        return MEMFS_ENOENT;
    return 0;
}

int model_mkdir(struct model *model, int at, const char *path)
{
    struct model_place place;
    int error = model_walk_new(model, at, path, 1, &place);
    if (error == 0)
        model_entry_add(model, place.directory, place.name,
                        model_node_new(model, MEMFS_KIND_DIRECTORY));
    return error;
}

int model_mkdir_parents(struct model *model, const char *path)
{
    char prefix[PATH_ROOM];
    size_t length = 0;
    int node = path[0] == '\0' ? MEMFS_ENOENT : MODEL_ROOT;
    while (node >= 0 && path[length] != '\0') {
        length += strspn(path + length, "/");
        length += strcspn(path + length, "/");
        memcpy(prefix, path, length);
        prefix[length] = '\0';
        node = model_lookup(model, MODEL_ROOT, prefix, FOLLOW_ALWAYS);
        int is_last = path[length + strspn(path + length, "/")] == '\0';
        if (node == MEMFS_ENOENT || (node < 0 && is_last)) {
            node = model_mkdir(model, MODEL_ROOT, prefix);
            if (node == MEMFS_EEXIST && !is_last)
                node = MEMFS_ENOENT; /* a symlink that leads nowhere */
        } else if (node >= 0 && node_at(model, node)->kind != MEMFS_KIND_DIRECTORY) {
            node = is_last ? MEMFS_EEXIST : MEMFS_ENOTDIR;
        }
    }
    return node < 0 ? node : 0;
}

int model_rmdir(struct model *model, int at, const char *path)
{
    struct model_place place;
    int error = model_walk(model, at, path, FOLLOW_NEVER, &place);
    if (error != 0)
        return error;
    if (place.last != LAST_NAME)
        return place.last == LAST_ROOT  ? MEMFS_EBUSY
               : place.last == LAST_DOT ? MEMFS_EINVAL
                                        : MEMFS_ENOTEMPTY;
    if (place.node == NO_NODE)
        return MEMFS_ENOENT;
    if (node_at(model, place.node)->kind != MEMFS_KIND_DIRECTORY)
        return MEMFS_ENOTDIR;
    if (node_at(model, place.node)->entry_count > 0)
        return MEMFS_ENOTEMPTY;
    model_entry_remove(model, place.directory, place.name);
    return 0;
}

int model_unlink(struct model *model, int at, const char *path)
{
    struct model_place place;
    int error = model_walk(model, at, path, FOLLOW_NEVER, &place);
    if (error != 0)
        return error;
    if (place.last != LAST_NAME)
        return MEMFS_EISDIR;
    if (place.node == NO_NODE)
        return MEMFS_ENOENT;
    if (node_at(model, place.node)->kind == MEMFS_KIND_DIRECTORY)
        return MEMFS_EISDIR;
    if (place.trailing_slash)
        return MEMFS_ENOTDIR;
    model_entry_remove(model, place.directory, place.name);
    return 0;
}

int model_link_node(struct model *model, int node, int to_at, const char *to)
{
    struct model_place place;
    if (node_at(model, node)->kind == MEMFS_KIND_DIRECTORY)
        return MEMFS_EPERM;
    int error = model_walk_new(model, to_at, to, 0, &place);
    if (error != 0)
        return error;
    model_entry_add(model, place.directory, place.name, node);
    return 0;
}

int model_link(struct model *model, int at, const char *from, int to_at, const char *to, int follow)
{
    int node = model_lookup(model, at, from, follow ? FOLLOW_ALWAYS : FOLLOW_IF_DIRECTORY);
    return node < 0 ? node : model_link_node(model, node, to_at, to);
}

int model_symlink(struct model *model, const char *target, int at, const char *path)
{
    struct model_place place;
    int error = model_walk_new(model, at, path, 0, &place);
    if (error != 0)
        return error;
    int node = model_node_new(model, MEMFS_KIND_SYMLINK);
    strcpy(node_at(model, node)->target, target);
    model_entry_add(model, place.directory, place.name, node);
    return 0;
}

/* Whether `node` is `directory` or lies above it. */
static int is_above(struct model *model, int node, int directory)
{
    while (directory != node && directory != MODEL_ROOT)
        directory = node_at(model, directory)->parent;
    return directory == node;
}

static int check_rename(struct model *model, const struct model_place *from,
                        const struct model_place *to, uint32_t flags)
{
    if (from->last != LAST_NAME)
        return from->last == LAST_ROOT ? MEMFS_EBUSY : MEMFS_EINVAL;
    if (to->last != LAST_NAME)
        return to->last == LAST_ROOT ? MEMFS_EBUSY : MEMFS_EINVAL;
    if (from->node == NO_NODE || is_removed(model, to->directory))
        return MEMFS_ENOENT;
    if (to->node != NO_NODE && (flags & MEMFS_RENAME_NOREPLACE))
        return MEMFS_EEXIST;
    if (to->node == NO_NODE && (flags & MEMFS_RENAME_EXCHANGE))
        return MEMFS_ENOENT;
    int moves_directory = node_at(model, from->node)->kind == MEMFS_KIND_DIRECTORY;
    int onto_directory = to->node != NO_NODE &&
                         node_at(model, to->node)->kind == MEMFS_KIND_DIRECTORY;
    if (!moves_directory && from->trailing_slash)
        return MEMFS_ENOTDIR;
    if (to->trailing_slash && !(flags & MEMFS_RENAME_EXCHANGE ? onto_directory : moves_directory))
        return MEMFS_ENOTDIR;
    if (from->directory != to->directory && moves_directory &&
        is_above(model, from->node, to->directory))
        return MEMFS_EINVAL;
    if (from->directory != to->directory && onto_directory &&
        is_above(model, to->node, from->directory))
        return flags & MEMFS_RENAME_EXCHANGE ? MEMFS_EINVAL : MEMFS_ENOTEMPTY;
    if (to->node == NO_NODE || to->node == from->node || (flags & MEMFS_RENAME_EXCHANGE))
        return 0;
    if (moves_directory && !onto_directory)
        return MEMFS_ENOTDIR;
    if (!moves_directory && onto_directory)
        return MEMFS_EISDIR;
    return onto_directory && node_at(model, to->node)->entry_count > 0 ? MEMFS_ENOTEMPTY : 0;
}

static void set_parent(struct model *model, int node, int parent)
{
    if (node_at(model, node)->kind == MEMFS_KIND_DIRECTORY)
        node_at(model, node)->parent = parent;
}

int model_rename(struct model *model, int at, const char *from, int to_at, const char *to,
                 uint32_t flags)
{
    struct model_place a, b;
    int error = model_walk(model, at, from, FOLLOW_NEVER, &a);
    if (error == 0)
        error = model_walk(model, to_at, to, FOLLOW_NEVER, &b);
    if (error == 0)
        error = check_rename(model, &a, &b, flags);
    if (error != 0 || a.node == b.node)
        return error;
    if (flags & MEMFS_RENAME_EXCHANGE) {
        find_entry(model, a.directory, a.name)->node = b.node;
        find_entry(model, b.directory, b.name)->node = a.node;
        set_parent(model, a.node, b.directory);
        set_parent(model, b.node, a.directory);
        return 0;
    }
    if (b.node != NO_NODE)
        model_entry_remove(model, b.directory, b.name);
    model_entry_add(model, b.directory, b.name, a.node);
    model_entry_remove(model, a.directory, a.name);
    return 0;
}
