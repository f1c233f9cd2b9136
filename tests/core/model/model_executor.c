/*
 * Runs operations on the model: handles, offsets, and which check comes first.
 */
#include "model.h"

#include <memfs/memfs.h>

#include <stdlib.h>
#include <string.h>

struct model *model_create(uint32_t page_size)
{
    struct model *model = calloc(1, sizeof *model);
    if (model == NULL)
        abort();
    model->page_size = page_size;
    model_node_new(model, MEMFS_KIND_DIRECTORY);
    for (int i = 0; i < HANDLE_SLOTS; i++)
        model->handles[i].node = NO_NODE;
    for (int i = 0; i < DIRECTORY_SLOTS; i++)
        model->directories[i] = NO_NODE;
    for (int i = 0; i < SNAPSHOT_SLOTS; i++)
        model->snapshots[i] = NO_NODE;
    return model;
}

void model_destroy(struct model *model)
{
    for (int i = 0; i < model->used_nodes; i++) {
        if (model->nodes[i] != NULL)
            content_free(&model->nodes[i]->content);
        free(model->nodes[i]);
    }
    for (int i = 0; i < VERSION_SLOTS; i++)
        content_free(&model->versions[i]);
    free(model);
}

static int at_directory(const struct model *model, int at)
{
    if (at == AT_ROOT || model->directories[at] == NO_NODE)
        return MODEL_ROOT;
    return model->directories[at];
}

static uint32_t kind_of(const struct model *model, int node)
{
    return model->nodes[node]->kind;
}

static void unuse(struct model *model, int *node)
{
    if (*node == NO_NODE)
        return;
    int closed = *node;
    *node = NO_NODE;
    model->nodes[closed]->opens--;
    model_node_unuse(model, closed);
}

/* Finds or makes what an open is for: a node, or an error. */
static int open_node(struct model *model, int at, const char *path, uint32_t flags)
{
    if (flags & MEMFS_O_TMPFILE) {
        int directory = model_lookup(model, at, path, FOLLOW_ALWAYS);
        if (directory < 0)
            return directory;
        if (kind_of(model, directory) != MEMFS_KIND_DIRECTORY)
            return MEMFS_ENOTDIR;
        return model_node_new(model, MEMFS_KIND_FILE);
    }
    if (!(flags & MEMFS_O_CREATE))
        return model_lookup(model, at, path,
                            flags & MEMFS_O_NOFOLLOW ? FOLLOW_IF_DIRECTORY : FOLLOW_ALWAYS);
    struct model_place place;
    int is_exclusive = (flags & MEMFS_O_EXCLUSIVE) != 0;
    int may_follow = !is_exclusive && !(flags & MEMFS_O_NOFOLLOW);
    int error = model_walk(model, at, path, may_follow ? FOLLOW_ALWAYS : FOLLOW_IF_DIRECTORY,
                           &place);
    if (error != 0)
        return error;
    if (place.node != NO_NODE && is_exclusive)
        return MEMFS_EEXIST;
    uint32_t kind = place.node == NO_NODE ? 0 : kind_of(model, place.node);
    if (kind == MEMFS_KIND_DIRECTORY)
        return MEMFS_EISDIR;
    if (place.trailing_slash)
        return place.node == NO_NODE ? MEMFS_EISDIR : MEMFS_ENOTDIR;
    if (place.node != NO_NODE)
        return place.node;
    struct model_place last;
    error = model_walk_new(model, place.directory, place.name, 0, &last);
    if (error != 0)
        return error;
    int node = model_node_new(model, MEMFS_KIND_FILE);
    model_entry_add(model, last.directory, last.name, node);
    return node;
}

static int64_t run_open(struct model *model, const struct operation *o)
{
    struct model_handle *handle = &model->handles[o->slot];
    int node = open_node(model, at_directory(model, o->at), o->path, o->flags);
    if (node < 0)
        return node;
    uint32_t kind = kind_of(model, node);
    if ((o->flags & MEMFS_O_DIRECTORY) && kind != MEMFS_KIND_DIRECTORY)
        return MEMFS_ENOTDIR;
    if (kind == MEMFS_KIND_SYMLINK)
        return MEMFS_ELOOP;
    uint32_t changes = MEMFS_O_WRITE | MEMFS_O_APPEND | MEMFS_O_TRUNCATE;
    if (kind == MEMFS_KIND_DIRECTORY && (o->flags & changes))
        return MEMFS_EISDIR;
    if (o->flags & MEMFS_O_TRUNCATE)
        content_resize(&model->nodes[node]->content, model->page_size, 0);
    model->nodes[node]->opens++;
    unuse(model, &handle->node);
    handle->node = node;
    handle->offset = 0;
    handle->flags = o->flags | (o->flags & MEMFS_O_APPEND ? MEMFS_O_WRITE : 0);
    return 0;
}

/* The node of a handle that is open for what `access` says, or an error. */
static int usable(const struct model *model, const struct operation *o, uint32_t access)
{
    const struct model_handle *handle = &model->handles[o->slot];
    if (handle->node == NO_NODE)
        return MEMFS_EBADF;
    if (kind_of(model, handle->node) == MEMFS_KIND_DIRECTORY)
        return MEMFS_EISDIR;
    return handle->flags & access ? handle->node : MEMFS_EBADF;
}

static int64_t run_read(struct model *model, const struct operation *o, uint64_t *hash)
{
    int node = usable(model, o, MEMFS_O_READ);
    if (node < 0)
        return node;
    if (o->positioned && o->offset < 0)
        return MEMFS_EINVAL;
    int64_t offset = o->positioned ? o->offset : model->handles[o->slot].offset;
    unsigned char *buffer = operation_buffer((size_t)o->size);
    int64_t got = content_read(&model->nodes[node]->content, buffer, o->size, offset);
    *hash = hash_bytes(HASH_START, buffer, (size_t)got);
    if (!o->positioned)
        model->handles[o->slot].offset += got;
    return got;
}

static int64_t run_write(struct model *model, const struct operation *o)
{
    int node = usable(model, o, MEMFS_O_WRITE);
    if (node < 0)
        return node;
    if (o->positioned && o->offset < 0)
        return MEMFS_EINVAL;
    struct model_handle *handle = &model->handles[o->slot];
    struct model_content *content = &model->nodes[node]->content;
    int64_t offset = o->positioned ? o->offset : handle->offset;
    if (handle->flags & MEMFS_O_APPEND)
        offset = content->size;
    if (offset > INT64_MAX - o->size)
        return MEMFS_EFBIG;
    content_write(content, model->page_size, operation_data(o->data_seed, (size_t)o->size), o->size,
                  offset);
    if (!o->positioned && o->size > 0)
        handle->offset = offset + o->size;
    return o->size;
}

static int64_t run_seek(struct model *model, const struct operation *o)
{
    struct model_handle *handle = &model->handles[o->slot];
    int node = usable(model, o, MEMFS_O_READ | MEMFS_O_WRITE);
    if (node < 0)
        return node;
    struct model_content *content = &model->nodes[node]->content;
    int64_t base = o->whence == MEMFS_SEEK_CUR   ? handle->offset
                   : o->whence == MEMFS_SEEK_END ? content->size
                                                 : 0;
    int64_t result;
    if (o->whence == MEMFS_SEEK_DATA || o->whence == MEMFS_SEEK_HOLE)
        result = content_seek(content, model->page_size, o->offset, o->whence == MEMFS_SEEK_DATA);
    else if (o->offset > INT64_MAX - base)
        return MEMFS_EOVERFLOW;
    else
        result = base + o->offset < 0 ? MEMFS_EINVAL : base + o->offset;
    if (result >= 0)
        handle->offset = result;
    return result;
}

static int64_t run_truncate(struct model *model, const struct operation *o)
{
    int node;
    if (o->kind == OP_TRUNCATE) {
        if (o->size < 0)
            return MEMFS_EINVAL;
        node = model_lookup(model, MODEL_ROOT, o->path, FOLLOW_ALWAYS);
        if (node >= 0 && kind_of(model, node) == MEMFS_KIND_DIRECTORY)
            return MEMFS_EISDIR;
    } else {
        node = usable(model, o, MEMFS_O_WRITE);
        if (node >= 0 && o->size < 0)
            return MEMFS_EINVAL;
    }
    if (node < 0)
        return node;
    content_resize(&model->nodes[node]->content, model->page_size, o->size);
    return 0;
}

static int64_t run_cut_preallocated(struct model *model, const struct operation *o)
{
    int64_t end;
    int node = usable(model, o, MEMFS_O_WRITE);
    if (node < 0)
        return node;
    struct model_content *content = &model->nodes[node]->content;
    content->preallocated_end = 0;
    content_resize(content, model->page_size, operation_cut(o, content->size, &end));
    return 0;
}

static int64_t run_preallocate(struct model *model, const struct operation *o)
{
    int node = usable(model, o, MEMFS_O_WRITE);
    if (node < 0)
        return node;
    struct model_content *content = &model->nodes[node]->content;
    int64_t end = operation_preallocation(o, content->size, content_pages(content),
                                          model->page_size);
    content_preallocate(content, model->page_size, end);
    return 0;
}

static int64_t run_allocate(struct model *model, const struct operation *o)
{
    int node = usable(model, o, MEMFS_O_WRITE);
    if (node < 0)
        return node;
    if (o->offset < 0 || o->size <= 0)
        return MEMFS_EINVAL;
    if (o->offset > INT64_MAX - o->size)
        return MEMFS_EFBIG;
    struct model_content *content = &model->nodes[node]->content;
    if (o->flags & MEMFS_FALLOCATE_PUNCH_HOLE) {
        content_punch(content, model->page_size, o->offset, o->size);
        return 0;
    }
    int64_t end = o->offset + o->size;
    if (o->flags & MEMFS_FALLOCATE_ZERO_RANGE)
        content_zero(content, o->offset, o->size);
    if (end > content->size && !(o->flags & MEMFS_FALLOCATE_KEEP_SIZE))
        content_resize(content, model->page_size, end);
    content_allocate(content, model->page_size, o->offset, o->size);
    return 0;
}

static int64_t run_readlink(struct model *model, const struct operation *o, uint64_t *hash)
{
    int node = model_lookup(model, at_directory(model, o->at), o->path, FOLLOW_IF_DIRECTORY);
    if (node < 0)
        return node;
    if (kind_of(model, node) != MEMFS_KIND_SYMLINK)
        return MEMFS_EINVAL;
    size_t length = strlen(model->nodes[node]->target);
    *hash = hash_bytes(HASH_START, model->nodes[node]->target, length);
    return (int64_t)length;
}

static int list(void *context, const char *path, struct name_list *out)
{
    struct model *model = context;
    int node = model_lookup(model, MODEL_ROOT, path, FOLLOW_ALWAYS);
    if (node < 0)
        return node;
    if (kind_of(model, node) != MEMFS_KIND_DIRECTORY)
        return MEMFS_ENOTDIR;
    out->count = (size_t)model->nodes[node]->entry_count;
    for (size_t i = 0; i < out->count; i++)
        strcpy(out->names[i], model->nodes[node]->entries[i].name);
    name_list_sort(out);
    return 0;
}

static int64_t run_open_directory(struct model *model, const struct operation *o)
{
    int *slot = &model->directories[o->extra_slot];
    if (o->kind == OP_CLOSEDIR) {
        unuse(model, slot);
        return 0;
    }
    int node = model_lookup(model, at_directory(model, o->at), o->path, FOLLOW_ALWAYS);
    if (node < 0)
        return node;
    if (kind_of(model, node) != MEMFS_KIND_DIRECTORY)
        return MEMFS_ENOTDIR;
    model->nodes[node]->opens++;
    unuse(model, slot);
    *slot = node;
    return 0;
}

static int64_t run_copy(struct model *model, const struct operation *o)
{
    int from = model_lookup(model, MODEL_ROOT, o->path, FOLLOW_ALWAYS);
    if (from < 0)
        return from;
    if (kind_of(model, from) == MEMFS_KIND_DIRECTORY)
        return MEMFS_EISDIR;
    uint32_t flags = MEMFS_O_CREATE | (o->flags & MEMFS_COPY_NOREPLACE ? MEMFS_O_EXCLUSIVE : 0);
    int to = open_node(model, MODEL_ROOT, o->other, flags);
    if (to >= 0 && to != from)
        content_copy(&model->nodes[to]->content, &model->nodes[from]->content, model->page_size);
    return to < 0 ? to : 0;
}

static int64_t run_write_file(struct model *model, const struct operation *o)
{
    int node = open_node(model, MODEL_ROOT, o->path, MEMFS_O_CREATE);
    if (node < 0)
        return node;
    struct model_content *content = &model->nodes[node]->content;
    content_free(content);
    content_write(content, model->page_size, operation_data(o->data_seed, (size_t)o->size), o->size,
                  0);
    return 0;
}

static int64_t run_map(struct model *model, const struct operation *o, uint64_t *hash)
{
    int node = usable(model, o, MEMFS_O_READ);
    if (node < 0)
        return node;
    int64_t page = model->page_size;
    if (o->offset < 0 || o->size == 0 || o->size > page || o->offset % page + o->size > page)
        return MEMFS_EINVAL;
    struct model_content *content = &model->nodes[node]->content;
    if (o->offset > content->size || o->size > content->size - o->offset)
        return MEMFS_ENXIO;
    content_allocate(content, model->page_size, o->offset, o->size);
    *hash = hash_bytes(HASH_START, content->bytes + o->offset, (size_t)o->size);
    return o->size;
}

static int64_t run_version(struct model *model, const struct operation *o, uint64_t *hash)
{
    struct model_content *version = &model->versions[o->extra_slot];
    int *held = &model->version_held[o->extra_slot];
    if (o->kind == OP_VERSION_TAKE) {
        int node = usable(model, o, MEMFS_O_READ | MEMFS_O_WRITE);
        if (node < 0)
            return node;
        content_copy(version, &model->nodes[node]->content, model->page_size);
        *held = 1;
        return version->size;
    }
    if (!*held)
        return MEMFS_EINVAL;
    if (o->kind == OP_VERSION_READ) {
        if (o->offset < 0)
            return MEMFS_EINVAL;
        unsigned char *buffer = operation_buffer((size_t)o->size);
        int64_t got = content_read(version, buffer, o->size, o->offset);
        *hash = hash_bytes(HASH_START, buffer, (size_t)got);
        return got;
    }
    if (o->kind == OP_VERSION_RESTORE) {
        int node = usable(model, o, MEMFS_O_WRITE);
        if (node < 0)
            return node;
        content_copy(&model->nodes[node]->content, version, model->page_size);
    }
    content_free(version);
    *held = 0;
    return 0;
}

static int64_t run_names(struct model *model, const struct operation *o)
{
    int at = at_directory(model, o->at);
    int to_at = at_directory(model, o->other_at);
    switch (o->kind) {
    case OP_MKDIR:
        return model_mkdir(model, at, o->path);
    case OP_MKDIR_PARENTS:
        return model_mkdir_parents(model, o->path);
    case OP_RMDIR:
        return model_rmdir(model, at, o->path);
    case OP_UNLINK:
        return model_unlink(model, at, o->path);
    case OP_RENAME:
        return model_rename(model, at, o->path, to_at, o->other, o->flags);
    case OP_LINK:
        return model_link(model, at, o->path, to_at, o->other, o->flags & MEMFS_AT_FOLLOW);
    case OP_SYMLINK:
        return model_symlink(model, o->other, at, o->path);
    case OP_COPY_TREE:
        return model_copy_tree(model, o->path, o->other);
    case OP_SNAPSHOT:
        return model_snapshot(model, o->extra_slot);
    case OP_SNAPSHOT_REMOVE:
        return model_snapshot_remove(model, o->extra_slot);
    case OP_SNAPSHOT_EXTRACT:
        return model_snapshot_extract(model, o->extra_slot, o->other);
    case OP_RESTORE:
        return model_restore(model, o->extra_slot);
    default:
        return model_remove_tree(model, o->path);
    }
}

static int64_t run_link_file(struct model *model, const struct operation *o)
{
    int node = model->handles[o->slot].node;
    if (node == NO_NODE)
        return MEMFS_EBADF;
    int is_removed = node != MODEL_ROOT && model->nodes[node]->links == 0;
    if (is_removed && !(model->handles[o->slot].flags & MEMFS_O_TMPFILE))
        return MEMFS_ENOENT;
    return model_link_node(model, node, at_directory(model, o->other_at), o->other);
}

static int64_t run_list(struct model *model, const struct operation *o, uint64_t *hash)
{
    static struct name_list names;
    int error = list(model, o->path, &names);
    *hash = error == 0 ? name_list_hash(&names) : 0;
    return error;
}

static int64_t run_handle(struct model *model, const struct operation *o, uint64_t *hash)
{
    switch (o->kind) {
    case OP_OPEN:
        return run_open(model, o);
    case OP_READ:
        return run_read(model, o, hash);
    case OP_WRITE:
        return run_write(model, o);
    case OP_SEEK:
        return run_seek(model, o);
    case OP_FTRUNCATE:
    case OP_TRUNCATE:
        return run_truncate(model, o);
    case OP_ALLOCATE:
        return run_allocate(model, o);
    case OP_CUT_PREALLOCATED:
        return run_cut_preallocated(model, o);
    case OP_PREALLOCATE:
        return run_preallocate(model, o);
    case OP_LINK_FILE:
        return run_link_file(model, o);
    case OP_MAP:
        return run_map(model, o, hash);
    default: { /* OP_CLOSE */
        int was_open = model->handles[o->slot].node != NO_NODE;
        unuse(model, &model->handles[o->slot].node);
        return was_open ? 0 : MEMFS_EBADF;
    }
    }
}

static void run(void *context, const struct operation *o, struct outcome *out)
{
    struct model *model = context;
    out->hash = 0;
    switch (o->kind) {
    case OP_READLINK:
        out->result = run_readlink(model, o, &out->hash);
        break;
    case OP_LIST:
        out->result = run_list(model, o, &out->hash);
        break;
    case OP_OPENDIR:
    case OP_CLOSEDIR:
        out->result = run_open_directory(model, o);
        break;
    case OP_COPY:
        out->result = run_copy(model, o);
        break;
    case OP_WRITE_FILE:
        out->result = run_write_file(model, o);
        break;
    case OP_VERSION_TAKE:
    case OP_VERSION_RESTORE:
    case OP_VERSION_DROP:
    case OP_VERSION_READ:
        out->result = run_version(model, o, &out->hash);
        break;
    case OP_MKDIR:
    case OP_MKDIR_PARENTS:
    case OP_RMDIR:
    case OP_UNLINK:
    case OP_RENAME:
    case OP_LINK:
    case OP_SYMLINK:
    case OP_COPY_TREE:
    case OP_REMOVE_TREE:
    case OP_SNAPSHOT:
    case OP_SNAPSHOT_REMOVE:
    case OP_SNAPSHOT_EXTRACT:
    case OP_RESTORE:
        out->result = run_names(model, o);
        break;
    default:
        out->result = run_handle(model, o, &out->hash);
        break;
    }
}

static void look_at_node(const struct model *model, int node, struct look *out)
{
    memset(out, 0, sizeof *out);
    if (node < 0) {
        out->error = node == NO_NODE ? MEMFS_EBADF : node;
        return;
    }
    const struct model_node *n = model->nodes[node];
    out->kind = n->kind;
    out->links = (uint64_t)n->links;
    if (n->kind == MEMFS_KIND_DIRECTORY) {
        out->links = node == MODEL_ROOT || n->links > 0 ? 2 : 0;
        for (int i = 0; i < n->entry_count; i++)
            out->links += model->nodes[n->entries[i].node]->kind == MEMFS_KIND_DIRECTORY;
    }
    if (n->kind == MEMFS_KIND_SYMLINK)
        out->size = strlen(n->target);
    if (n->kind == MEMFS_KIND_FILE) {
        out->size = (uint64_t)n->content.size;
        for (int64_t i = 0; i < n->content.page_count; i++)
            out->pages += n->content.pages[i];
    }
}

static void look(void *context, int at, const char *path, struct look *out)
{
    struct model *model = context;
    look_at_node(model, model_lookup(model, at_directory(model, at), path, FOLLOW_IF_DIRECTORY),
                 out);
}

static void look_open(void *context, unsigned slot, struct look *out)
{
    struct model *model = context;
    look_at_node(model, model->handles[slot].node, out);
}

struct executor model_executor(struct model *model)
{
    return (struct executor){
        .context = model, .run = run, .look = look, .look_open = look_open, .list = list};
}
