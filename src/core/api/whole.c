/*
 * Whole files in one step: reading, writing, appending, copying.
 *
 * Writing and copying are one thing: a content is made that no other call knows,
 * with everything that can fail; then it is put in the place of the old one, or
 * gets a node and a name.
 */
#include "api/call.h"
#include "base/check.h"
#include "base/num.h"
#include "content/content_io.h"
#include "tree/publish.h"

/* ----------------------------------------------------------------- reading */

/* Reads the first `length` bytes, which are there. */
static void read_bytes(memfs *fs, struct mfs_file_node *file, uint64_t length, void *to)
    MFS_REQUIRES_SHARED(file->node.lock)
{
    memfs_iovec part = {to, (size_t)length};
    struct mfs_sink sink = {.parts = &part};
    if (length != 0)
        mfs_content_io_read(fs->pool, &file->content, 0, length, &sink);
}

/* Reads the whole file into new memory, if it has not grown past `size` meanwhile. */
static int read_sized(memfs *fs, struct mfs_file_node *file, size_t limit, void **data,
                      size_t *size)
{
    void *memory = NULL;
    for (;;) {
        uint64_t room = mfs_node_size(file);
        if (room > limit || room >= SIZE_MAX)
            return MEMFS_EFBIG;
        int error = mfs_block_take(&fs->blocks, fs->memory, MFS_CHARGE_ORDINARY,
                                   MEMFS_CLASS_CHARGED, (size_t)room + 1, &memory);
        if (error != 0)
            return error;
        mfs_sync_lock_shared(fs->lot, &file->node.lock);
        uint64_t length = mfs_node_size(file);
        if (length <= room)
            read_bytes(fs, file, length, memory);
        mfs_sync_unlock_shared(fs->lot, &file->node.lock);
        if (length <= room) {
            *data = memory;
            *size = (size_t)length;
            return 0;
        }
        (void)mfs_block_give(&fs->blocks, fs->memory, memory);
    }
}

struct file_reading {
    memfs *fs;
    const char *path;
    size_t limit;
    void **data;
    size_t *size;
};

static int64_t read_file_once(const void *operation)
{
    const struct file_reading *r = operation;
    memfs *fs = r->fs;
    struct mfs_node *node;
    if (!mfs_fs_is_valid(fs) || r->path == NULL || r->data == NULL || r->size == NULL)
        return MEMFS_EINVAL;
    int error = mfs_walk_to_node(&fs->tree, NULL, r->path, true, &node);
    if (error != 0)
        return error;
    struct mfs_file_node *file = mfs_node_as_file(node);
    error = file != NULL ? read_sized(fs, file, r->limit, r->data, r->size) : MEMFS_EISDIR;
    if (error == 0)
        mfs_node_accessed(&fs->nodes, node);
    mfs_node_release(&fs->nodes, node);
    return error;
}

int memfs_read_file(memfs *fs, const char *path, size_t limit, void **data, size_t *size)
{
    struct file_reading reading = {fs, path, limit, data, size};
    return (int)MFS_CALL_GROWING(fs, read_file_once, &reading, .what = MEMFS_OP_READ, .path = path,
                                 .length = limit);
}

struct reading_into {
    memfs *fs;
    const char *path;
    void *buffer;
    size_t size;
};

static int64_t read_file_into_once(const void *operation)
{
    const struct reading_into *r = operation;
    memfs *fs = r->fs;
    struct mfs_node *node;
    int error = mfs_walk_to_node(&fs->tree, NULL, r->path, true, &node);
    if (error != 0)
        return error;
    struct mfs_file_node *file = mfs_node_as_file(node);
    uint64_t length = 0;
    if (file == NULL) {
        error = MEMFS_EISDIR;
    } else {
        mfs_sync_lock_shared(fs->lot, &file->node.lock);
        length = mfs_node_size(file);
        error = length <= r->size ? 0 : MEMFS_EFBIG;
        if (error == 0)
            read_bytes(fs, file, length, r->buffer);
        mfs_sync_unlock_shared(fs->lot, &file->node.lock);
    }
    if (error == 0)
        mfs_node_accessed(&fs->nodes, node);
    mfs_node_release(&fs->nodes, node);
    return error == 0 ? (int64_t)length : error;
}

int64_t memfs_read_file_into(memfs *fs, const char *path, void *buffer, size_t size)
{
    const struct reading_into r = {fs, path, buffer, size};
    if (!mfs_fs_is_valid(fs) || path == NULL || (buffer == NULL && size != 0))
        return MEMFS_EINVAL;
    return MFS_CALL(fs, read_file_into_once, &r, .what = MEMFS_OP_READ, .path = path,
                    .length = size);
}

/* -------------------------------------------------------------- installing */

/* A content on its way to its place. */
struct delivery {
    memfs *fs;
    struct mfs_dir_node *start; /* where the path starts */
    const char *path;
    bool is_exclusive, makes_parents, has_attributes;
    uint32_t mode;
    uint32_t uid, gid;
    int64_t access_ns, modify_ns;
    struct mfs_content content;
    uint64_t size;
    const memfs_iovec *appended;   /* null, or what an existing file gets at its end instead */
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

/* Writes at the end of the file.  Errors: EFBIG, EDQUOT, ENOMEM. */
static int append_locked(memfs *fs, struct mfs_file_node *file, const memfs_iovec *part)
    MFS_REQUIRES(file->node.lock)
{
    const struct mfs_content_edit edit = {fs->pool, &file->content, mfs_node_size(file),
                                          MFS_CHARGE_ORDINARY};
    struct mfs_source source = {.parts = part};
    uint64_t end;
    if (part->length == 0)
        return 0;
    if (!mfs_num_add_u64(edit.size, part->length, &end) || end > (uint64_t)MEMFS_FILE_SIZE_MAX)
        return MEMFS_EFBIG;
    int error = mfs_content_io_write(&edit, edit.size, part->length, &source);
    mfs_node_settle_write(file);
    if (error == 0) {
        MFS_CHECK(end > edit.size);
        mfs_node_set_size(&fs->nodes, file, end);
        mfs_node_written(file, mfs_node_now(&fs->nodes));
        mfs_observer_written(fs->nodes.observer, file, edit.size, part->length);
    }
    return error;
}

/* Swaps the delivery's content with the file's, or appends.  Errors: EBUSY (locked), and those of
 * appending. */
static int put_into(memfs *fs, struct mfs_file_node *file, struct delivery *d)
{
    int error = 0;
    MFS_CHECK(&file->node != d->source || d->appended == NULL);
    mfs_sync_lock_exclusive(fs->lot, &file->node.lock);
    if (mfs_filelock_is_locked(fs->lot, &file->node, MFS_HELD_NOTHING)) {
        error = MEMFS_EBUSY;
    } else if (d->appended != NULL) {
        error = append_locked(fs, file, d->appended);
    } else {
        mfs_node_swap_content(&fs->nodes, file, &d->content, d->size);
        mfs_node_modified(&file->node, mfs_node_now(&fs->nodes));
        if (d->has_attributes)
            apply_attributes(&file->node, d);
    }
    mfs_sync_unlock_exclusive(fs->lot, &file->node.lock);
    return error;
}

/* Whether an existing entry can take the content. */
static int check_existing(const struct delivery *d, const struct mfs_place *place)
{
    if (d->is_exclusive)
        return MEMFS_EEXIST;
    if (mfs_node_as_file(place->node) == NULL)
        return MEMFS_EISDIR;
    return place->needs_dir ? MEMFS_ENOTDIR : 0;
}

/* Finds the target, or gives `made` its name; `*found` then is the one to put into. */
static int find_or_name(const struct delivery *d, struct mfs_node *made, struct mfs_node **found)
{
    memfs *fs = d->fs;
    struct mfs_place place;
    int flags = d->is_exclusive ? 0 : MFS_WALK_FOLLOW | MFS_WALK_FOLLOW_SLASH;
    *found = NULL;
    mfs_sync_lock_exclusive(fs->lot, &fs->tree.lock);
    int error = mfs_walk(&fs->tree, d->start, d->path,
                         flags | (d->makes_parents ? MFS_WALK_MAKE_PARENTS : 0), &place);
    if (error == 0 && place.node != NULL) {
        error = check_existing(d, &place);
        if (error == 0) {
            mfs_node_retain(place.node);
            *found = place.node;
        }
    } else if (error == 0) {
        error = place.needs_dir ? MEMFS_EISDIR
                                : mfs_publish(&fs->tree, &place, made, MFS_PARENTS_MODE,
                                              mfs_node_now(&fs->nodes));
    }
    mfs_sync_unlock_exclusive(fs->lot, &fs->tree.lock);
    return error;
}

/* Gives the content a node and a name, or puts it into a file that has the name by now. */
static int deliver_new(struct delivery *d)
{
    memfs *fs = d->fs;
    struct mfs_file_node *made;
    struct mfs_node *existing;
    int error = mfs_node_create_file(&fs->nodes, MFS_CHARGE_ORDINARY, d->mode, &made);
    if (error != 0)
        return error;
    made->content = d->content;
    atomic_init(&made->size, d->size);
    if (d->has_attributes)
        apply_attributes(&made->node, d);
    error = find_or_name(d, &made->node, &existing);
    if (error != 0 || existing != NULL)
        made->content = (struct mfs_content){0};
    else
        d->content = (struct mfs_content){0};
    MFS_CHECK(error == 0 || existing == NULL);
    mfs_node_release(&fs->nodes, &made->node);
    if (existing != NULL) {
        error = put_into(fs, mfs_node_as_file(existing), d);
        mfs_node_release(&fs->nodes, existing);
    }
    return error;
}

/* Puts the content into the file at the path.  ENOENT: there is none, as yet. */
static int deliver_to_existing(struct delivery *d)
{
    struct mfs_node *existing;
    int error = mfs_walk_to_node(&d->fs->tree, d->start, d->path, true, &existing);
    if (error != 0)
        return error;
    struct mfs_file_node *file = mfs_node_as_file(existing);
    error = file == NULL ? MEMFS_EISDIR : 0;
    if (error == 0 && existing != d->source)
        error = put_into(d->fs, file, d);
    mfs_node_release(&d->fs->nodes, existing);
    return error;
}

/* Puts the content at the path.  What the delivery holds afterwards is to be released. */
static int deliver(struct delivery *d)
{
    /* An existing file needs no new node.  It may come or go before find_or_name(), which looks
     * again and also says what is wrong with the path. */
    int error = d->is_exclusive ? MEMFS_ENOENT : deliver_to_existing(d);
    bool is_missing = error == MEMFS_ENOENT || error == MEMFS_ENOTDIR || error == MEMFS_ELOOP ||
                      error == MEMFS_ENAMETOOLONG;
    return is_missing ? deliver_new(d) : error;
}

struct file_writing {
    memfs *fs;
    const char *path;
    const void *data;
    size_t size;
    uint32_t mode;
    unsigned flags;
};

/* Checks the arguments and begins the delivery; `*part` is what is to be written. */
static int begin_writing(const struct file_writing *w, unsigned known_flags,
                         struct delivery *delivery, memfs_iovec *part)
{
    if (!mfs_fs_is_valid(w->fs) || w->path == NULL || (w->data == NULL && w->size != 0) ||
        (w->mode & ~07777u) != 0 || (w->flags & ~known_flags) != 0)
        return MEMFS_EINVAL;
    uint64_t size = w->size;
    if (size > (uint64_t)MEMFS_FILE_SIZE_MAX)
        return MEMFS_EFBIG;
    union {
        const void *in;
        void *out;
    } bytes = {w->data};
    *part = (memfs_iovec){bytes.out, w->size}; /* never written through */
    *delivery = (struct delivery){.fs = w->fs,
                                  .path = w->path,
                                  .is_exclusive = (w->flags & MEMFS_WRITE_NOREPLACE) != 0,
                                  .makes_parents = (w->flags & MEMFS_WRITE_MAKE_PARENTS) != 0,
                                  .mode = w->mode,
                                  .size = w->size};
    return 0;
}

/* Makes the delivery's content.  Errors: EDQUOT, ENOMEM. */
static int fill_delivery(struct delivery *delivery, const memfs_iovec *part)
{
    struct mfs_source source = {.parts = part};
    const struct mfs_content_edit edit = {.pool = delivery->fs->pool,
                                          .content = &delivery->content};
    return part->length != 0 ? mfs_content_io_write(&edit, 0, part->length, &source) : 0;
}

static int64_t write_file_once(const void *operation)
{
    const struct file_writing *w = operation;
    struct delivery delivery;
    memfs_iovec part;
    int error = begin_writing(w, MEMFS_WRITE_NOREPLACE | MEMFS_WRITE_MAKE_PARENTS, &delivery,
                              &part);
    if (error != 0)
        return error;
    error = fill_delivery(&delivery, &part);
    if (error == 0)
        error = deliver(&delivery);
    mfs_content_release(w->fs->pool, &delivery.content);
    return error;
}

int memfs_write_file(memfs *fs, const char *path, const void *data, size_t size, uint32_t mode,
                     unsigned flags)
{
    struct file_writing writing = {fs, path, data, size, mode, flags};
    return (int)MFS_CALL_GROWING(fs, write_file_once, &writing, .what = MEMFS_OP_WHOLE,
                                 .path = path, .length = size);
}

/* The content is made only where no file is there. */
static int64_t append_file_once(const void *operation)
{
    const struct file_writing *w = operation;
    struct delivery delivery;
    memfs_iovec part;
    int error = begin_writing(w, MEMFS_WRITE_MAKE_PARENTS, &delivery, &part);
    if (error != 0)
        return error;
    delivery.appended = &part;
    error = deliver_to_existing(&delivery);
    if (error != MEMFS_ENOENT)
        return error;
    error = fill_delivery(&delivery, &part);
    if (error == 0)
        error = deliver_new(&delivery);
    mfs_content_release(w->fs->pool, &delivery.content);
    return error;
}

int memfs_append_file(memfs *fs, const char *path, const void *data, size_t size, uint32_t mode,
                      unsigned flags)
{
    struct file_writing writing = {fs, path, data, size, mode, flags};
    return (int)MFS_CALL_GROWING(fs, append_file_once, &writing, .what = MEMFS_OP_WRITE,
                                 .path = path, .length = size);
}

/* ----------------------------------------------------------------- copying */

static int clone_into(memfs *fs, struct mfs_file_node *file, struct delivery *delivery)
{
    struct mfs_node *node = &file->node;
    mfs_sync_lock_shared(fs->lot, &file->node.lock);
    int error = mfs_node_clone_content(&fs->nodes, file, &delivery->content, &delivery->size);
    mfs_sync_unlock_shared(fs->lot, &file->node.lock);
    if (error != 0)
        return error;
    delivery->access_ns = mfs_node_time(node, MFS_ACCESS);
    delivery->modify_ns = mfs_node_time(node, MFS_MODIFY);
    delivery->mode = atomic_load_explicit(&node->mode, memory_order_relaxed);
    delivery->uid = atomic_load_explicit(&node->uid, memory_order_relaxed);
    delivery->gid = atomic_load_explicit(&node->gid, memory_order_relaxed);
    return 0;
}

struct file_copying {
    memfs *fs;
    memfs_dir *from_at;
    const char *from;
    memfs_dir *to_at;
    const char *to;
    unsigned flags;
};

static int begin_copying(const struct file_copying *c, struct mfs_dir_node **from_start,
                         struct delivery *delivery)
{
    const unsigned known = MEMFS_COPY_NOREPLACE | MEMFS_COPY_ATTRIBUTES | MEMFS_COPY_MAKE_PARENTS;
    if (!mfs_fs_is_valid(c->fs) || c->from == NULL || c->to == NULL || (c->flags & ~known) != 0)
        return MEMFS_EINVAL;
    *delivery = (struct delivery){.fs = c->fs,
                                  .path = c->to,
                                  .is_exclusive = (c->flags & MEMFS_COPY_NOREPLACE) != 0,
                                  .makes_parents = (c->flags & MEMFS_COPY_MAKE_PARENTS) != 0,
                                  .has_attributes = (c->flags & MEMFS_COPY_ATTRIBUTES) != 0};
    int error = mfs_fs_start(c->fs, c->from_at, from_start);
    return error == 0 ? mfs_fs_start(c->fs, c->to_at, &delivery->start) : error;
}

static int64_t copy_file_once(const void *operation)
{
    const struct file_copying *c = operation;
    memfs *fs = c->fs;
    struct mfs_dir_node *from_start;
    struct mfs_node *node;
    struct delivery delivery;
    int error = begin_copying(c, &from_start, &delivery);
    if (error == 0)
        error = mfs_walk_to_node(&fs->tree, from_start, c->from, true, &node);
    if (error != 0)
        return error;
    struct mfs_file_node *file = mfs_node_as_file(node);
    if (file == NULL) {
        mfs_node_release(&fs->nodes, node);
        return MEMFS_EISDIR;
    }
    delivery.source = node;
    error = clone_into(fs, file, &delivery);
    if (error == 0)
        error = deliver(&delivery);
    mfs_content_release(fs->pool, &delivery.content);
    mfs_node_release(&fs->nodes, node);
    return error;
}

int memfs_copyat(memfs *fs, memfs_dir *from_at, const char *from, memfs_dir *to_at, const char *to,
                 unsigned flags)
{
    struct file_copying copying = {fs, from_at, from, to_at, to, flags};
    return (int)MFS_CALL_GROWING(fs, copy_file_once, &copying, .what = MEMFS_OP_WHOLE,
                                 .at = from_at, .path = from, .to_at = to_at, .to = to);
}

int memfs_copy(memfs *fs, const char *from, const char *to, unsigned flags)
{
    return memfs_copyat(fs, NULL, from, NULL, to, flags);
}
