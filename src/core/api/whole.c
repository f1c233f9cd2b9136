/*
 * Whole files in one step: reading, writing, copying.
 *
 * Writing and copying are one thing: a content is made that nobody else knows,
 * with everything that can fail; then it is put in the place of the old one, or
 * gets a node and a name.
 */
#include "content/content_io.h"
#include "instance/fs.h"
#include "tree/publish.h"

/* ----------------------------------------------------------------- reading */

/* Reads the whole file into new memory, if it has not grown past `size` meanwhile. */
static int read_sized(memfs *fs, struct mfs_file_node *file, size_t limit, void **data,
                      size_t *size)
{
    void *memory = NULL;
    for (;;) {
        uint64_t room = mfs_node_size(file);
        if (room > limit || room >= SIZE_MAX)
            return MEMFS_EFBIG;
        int error = mfs_block_take(&fs->blocks, &fs->memory, MFS_CHARGE_ORDINARY,
                                   MEMFS_CLASS_CHARGED, (size_t)room + 1, &memory);
        if (error != 0)
            return error;
        mfs_sync_lock_shared(&fs->lot, &file->node.lock);
        uint64_t length = mfs_node_size(file);
        if (length <= room && length > 0) {
            memfs_iovec part = {memory, (size_t)length};
            struct mfs_sink sink = {.parts = &part};
            mfs_content_io_read(&fs->pool, &file->content, 0, length, &sink);
        }
        mfs_sync_unlock_shared(&fs->lot, &file->node.lock);
        if (length <= room) {
            *data = memory;
            *size = (size_t)length;
            return 0;
        }
        (void)mfs_block_give(&fs->blocks, &fs->memory, memory);
    }
}

static int read_file_once(memfs *fs, const char *path, size_t limit, void **data, size_t *size)
{
    struct mfs_node *node;
    if (!mfs_fs_is_valid(fs) || path == NULL || data == NULL || size == NULL)
        return MEMFS_EINVAL;
    int error = mfs_walk_to_node(&fs->tree, NULL, path, true, &node);
    if (error != 0)
        return error;
    struct mfs_file_node *file = mfs_node_as_file(node);
    error = file != NULL ? read_sized(fs, file, limit, data, size) : MEMFS_EISDIR;
    if (error == 0)
        mfs_node_accessed(&fs->nodes, node);
    mfs_node_release(&fs->nodes, node);
    return error;
}

int memfs_read_file(memfs *fs, const char *path, size_t limit, void **data, size_t *size)
{
    int result;
    do
        result = read_file_once(fs, path, limit, data, size);
    while (mfs_fs_ask_and_retry(fs, result));
    return result;
}

/* -------------------------------------------------------------- installing */

/* A content on its way to its place. */
struct delivery {
    struct mfs_content content;
    uint64_t size;
    uint32_t mode;
    bool has_attributes;
    uint32_t uid, gid;
    int64_t access_ns, modify_ns;
    const struct mfs_node *source; /* null, or the node that must not be the target */
};

static void apply_attributes(struct mfs_node *node, const struct delivery *delivery)
{
    atomic_store_explicit(&node->mode, delivery->mode, memory_order_relaxed);
    atomic_store_explicit(&node->uid, delivery->uid, memory_order_relaxed);
    atomic_store_explicit(&node->gid, delivery->gid, memory_order_relaxed);
    mfs_node_set_time(node, MFS_ACCESS, delivery->access_ns);
    mfs_node_set_time(node, MFS_MODIFY, delivery->modify_ns);
}

/* Swaps the delivery's content with the file's.  Errors: EBUSY (locked). */
static int put_into(memfs *fs, struct mfs_file_node *file, struct delivery *delivery)
{
    int64_t now = mfs_node_now(&fs->nodes);
    mfs_sync_lock_exclusive(&fs->lot, &file->node.lock);
    if (mfs_filelock_is_locked(&fs->lot, &file->node, MFS_HELD_NOTHING)) {
        mfs_sync_unlock_exclusive(&fs->lot, &file->node.lock);
        return MEMFS_EBUSY;
    }
    mfs_node_swap_content(&fs->nodes, file, &delivery->content, delivery->size);
    mfs_node_modified(&file->node, now);
    if (delivery->has_attributes)
        apply_attributes(&file->node, delivery);
    mfs_sync_unlock_exclusive(&fs->lot, &file->node.lock);
    return 0;
}

/* Finds the target, or gives `made` its name; `*found` then is the one to put into. */
static int find_or_name(memfs *fs, const char *path, bool exclusive, struct mfs_node *made,
                        struct mfs_node **found)
{
    struct mfs_place place;
    *found = NULL;
    mfs_sync_lock_exclusive(&fs->lot, &fs->tree.lock);
    int error = mfs_walk(&fs->tree, NULL, path,
                         exclusive ? 0 : MFS_WALK_FOLLOW | MFS_WALK_FOLLOW_SLASH, &place);
    if (error == 0 && place.node != NULL) {
        if (exclusive)
            error = MEMFS_EEXIST;
        else if (mfs_node_as_file(place.node) == NULL)
            error = MEMFS_EISDIR;
        else if (place.needs_dir)
            error = MEMFS_ENOTDIR;
        if (error == 0) {
            mfs_node_retain(place.node);
            *found = place.node;
        }
    } else if (error == 0) {
        error = place.needs_dir ? MEMFS_EISDIR
                                : mfs_publish(&fs->tree, &place, made, 0, mfs_node_now(&fs->nodes));
    }
    mfs_sync_unlock_exclusive(&fs->lot, &fs->tree.lock);
    return error;
}

/* Puts the content at `path`.  What the delivery holds afterwards is to be released. */
static int deliver(memfs *fs, const char *path, bool exclusive, struct delivery *delivery)
{
    struct mfs_file_node *made;
    struct mfs_node *existing;
    /* A file that is there needs no new node; whether it is can change until find_or_name(). */
    if (!exclusive && mfs_walk_to_node(&fs->tree, NULL, path, true, &existing) == 0) {
        struct mfs_file_node *file = mfs_node_as_file(existing);
        int error = file == NULL ? MEMFS_EISDIR : 0;
        if (error == 0 && existing != delivery->source)
            error = put_into(fs, file, delivery);
        mfs_node_release(&fs->nodes, existing);
        return error;
    }
    int error = mfs_node_create_file(&fs->nodes, MFS_CHARGE_ORDINARY, delivery->mode, &made);
    if (error != 0)
        return error;
    made->content = delivery->content;
    atomic_init(&made->size, delivery->size);
    if (delivery->has_attributes)
        apply_attributes(&made->node, delivery);
    error = find_or_name(fs, path, exclusive, &made->node, &existing);
    if (error != 0 || existing != NULL)
        made->content = (struct mfs_content){0};
    else
        delivery->content = (struct mfs_content){0};
    mfs_node_release(&fs->nodes, &made->node);
    if (existing != NULL) {
        error = put_into(fs, mfs_node_as_file(existing), delivery);
        mfs_node_release(&fs->nodes, existing);
    }
    return error;
}

static int write_file_once(memfs *fs, const char *path, const void *data, size_t size,
                           uint32_t mode)
{
    if (!mfs_fs_is_valid(fs) || path == NULL || (data == NULL && size != 0) ||
        (mode & ~07777u) != 0)
        return MEMFS_EINVAL;
    struct delivery delivery = {.size = size, .mode = mode};
    if (delivery.size > (uint64_t)MEMFS_FILE_SIZE_MAX)
        return MEMFS_EFBIG;
    union {
        const void *in;
        void *out;
    } bytes = {data};
    memfs_iovec part = {bytes.out, size};
    struct mfs_source source = {.parts = &part};
    struct mfs_content_edit edit = {.pool = &fs->pool, .content = &delivery.content};
    int error = size == 0 ? 0 : mfs_content_io_write(&edit, 0, size, &source);
    if (error == 0)
        error = deliver(fs, path, false, &delivery);
    mfs_content_release(&fs->pool, &delivery.content);
    return error;
}

int memfs_write_file(memfs *fs, const char *path, const void *data, size_t size, uint32_t mode)
{
    int result;
    do
        result = write_file_once(fs, path, data, size, mode);
    while (mfs_fs_ask_and_retry(fs, result));
    return result;
}

/* ----------------------------------------------------------------- copying */

static int clone_into(memfs *fs, struct mfs_file_node *file, struct delivery *delivery)
{
    struct mfs_node *node = &file->node;
    mfs_sync_lock_shared(&fs->lot, &file->node.lock);
    int error = mfs_node_clone_content(&fs->nodes, file, &delivery->content, &delivery->size);
    mfs_sync_unlock_shared(&fs->lot, &file->node.lock);
    if (error != 0)
        return error;
    delivery->access_ns = mfs_node_time(node, MFS_ACCESS);
    delivery->modify_ns = mfs_node_time(node, MFS_MODIFY);
    delivery->mode = atomic_load_explicit(&node->mode, memory_order_relaxed);
    delivery->uid = atomic_load_explicit(&node->uid, memory_order_relaxed);
    delivery->gid = atomic_load_explicit(&node->gid, memory_order_relaxed);
    return 0;
}

static int copy_once(memfs *fs, const char *from, const char *to, unsigned flags)
{
    struct mfs_node *node;
    if (!mfs_fs_is_valid(fs) || from == NULL || to == NULL ||
        (flags & ~(MEMFS_COPY_NOREPLACE | MEMFS_COPY_ATTRIBUTES)) != 0)
        return MEMFS_EINVAL;
    int error = mfs_walk_to_node(&fs->tree, NULL, from, true, &node);
    if (error != 0)
        return error;
    struct mfs_file_node *file = mfs_node_as_file(node);
    if (file == NULL) {
        mfs_node_release(&fs->nodes, node);
        return MEMFS_EISDIR;
    }
    struct delivery delivery = {.has_attributes = (flags & MEMFS_COPY_ATTRIBUTES) != 0,
                                .source = node};
    error = clone_into(fs, file, &delivery);
    if (error == 0)
        error = deliver(fs, to, (flags & MEMFS_COPY_NOREPLACE) != 0, &delivery);
    mfs_content_release(&fs->pool, &delivery.content);
    mfs_node_release(&fs->nodes, node);
    return error;
}

int memfs_copy(memfs *fs, const char *from, const char *to, unsigned flags)
{
    int result;
    do
        result = copy_once(fs, from, to, flags);
    while (mfs_fs_ask_and_retry(fs, result));
    return result;
}
