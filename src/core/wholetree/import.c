/*
 * 1. Making takes the memory for bytes and names, and knows nothing of the tree.  Placing takes a
 *    directory for each that is missing on the way, and what the graft takes.
 * 2. A path is walked in the tree as it is.  Where it comes to a name that is missing, it goes on
 *    in what is pending there, by names alone: symlinks that are pending are not followed.
 *
 * Cost: for each entry a node, a name and the storage of its bytes, which are copied once; and a
 * look-up for each component under the lock.
 */
#include "wholetree/import.h"

#include "base/check.h"
#include "content/content_io.h"
#include "node/filelock.h"
#include "tree/publish.h"

#include <string.h>

struct mfs_import mfs_import_begin(struct mfs_tree *tree, bool replaces)
{
    return (struct mfs_import){.grafts = mfs_graft_begin(tree), .replaces = replaces};
}

static bool is_for_dir(const memfs_import_entry *wanted)
{
    return wanted->kind == MEMFS_KIND_DIRECTORY;
}

/* ------------------------------------------------------------------- making */

/* The last component but for ".", which only the path of a directory may have there; "." if there
 * is no other: the root. */
static int find_last_name(const memfs_import_entry *wanted, struct mfs_component *last)
{
    const char *rest = wanted->path;
    int error = mfs_path_check(rest);
    if (error != 0)
        return error;
    struct mfs_component c = {".", 1, false};
    *last = c;
    while (mfs_path_next(&rest, &c)) {
        if (c.length > MEMFS_NAME_MAX)
            return MEMFS_ENAMETOOLONG;
        if (!mfs_path_is_dot(&c))
            *last = c;
    }
    bool is_dir_name = c.has_slash_after || mfs_path_is_dot(&c) || mfs_path_is_dotdot(&c);
    return is_dir_name && !is_for_dir(wanted) ? MEMFS_EISDIR : 0;
}

static int make_file_node(struct mfs_nodes *nodes, const memfs_import_entry *wanted,
                          struct mfs_node **out)
{
    struct mfs_file_node *file;
    uint64_t size = wanted->size;
    if (size > (uint64_t)MEMFS_FILE_SIZE_MAX)
        return MEMFS_EFBIG;
    int error = mfs_node_create_file(nodes, MFS_CHARGE_ORDINARY, wanted->mode, &file);
    if (error != 0)
        return error;
    union {
        const void *in;
        void *out;
    } bytes = {wanted->data};
    const memfs_iovec part = {bytes.out, wanted->size}; /* never written through */
    struct mfs_source source = {.parts = &part};
    const struct mfs_content_edit edit = {.pool = nodes->pool, .content = &file->content};
    if (part.length != 0)
        error = mfs_content_io_write(&edit, 0, part.length, &source);
    if (error != 0) {
        mfs_node_release(nodes, &file->node);
        return error;
    }
    atomic_init(&file->size, wanted->size);
    *out = &file->node;
    return 0;
}

static int make_symlink_node(struct mfs_nodes *nodes, const memfs_import_entry *wanted,
                             struct mfs_node **out)
{
    struct mfs_symlink_node *link;
    if (wanted->size == 0)
        return MEMFS_ENOENT;
    if (wanted->size > MEMFS_PATH_MAX)
        return MEMFS_ENAMETOOLONG;
    if (memchr(wanted->data, '\0', wanted->size) != NULL)
        return MEMFS_EINVAL;
    int error = mfs_node_create_symlink(nodes, MFS_CHARGE_ORDINARY, wanted->data, wanted->size,
                                        &link);
    if (error == 0)
        *out = &link->node;
    return error;
}

static void set_modify_time(struct mfs_node *node, const memfs_import_entry *wanted)
{
    if (wanted->modify_ns != 0)
        mfs_node_set_time(node, MFS_MODIFY, wanted->modify_ns);
}

int mfs_import_make(struct mfs_import *import, const memfs_import_entry *wanted)
{
    struct mfs_nodes *nodes = import->grafts.tree->nodes;
    struct mfs_node *node = NULL;
    struct mfs_component last;
    struct mfs_dirent *entry;
    int error = find_last_name(wanted, &last);
    if (error == 0 && wanted->kind == MEMFS_KIND_SYMLINK)
        error = make_symlink_node(nodes, wanted, &node);
    else if (error == 0 && !is_for_dir(wanted))
        error = make_file_node(nodes, wanted, &node);
    if (error != 0)
        return error;
    const struct mfs_dir_key key = mfs_dir_key_of(&last);
    error = mfs_dir_prepare_renamed(&import->grafts.names, &key, &entry);
    if (error != 0) {
        if (node != NULL)
            mfs_node_release(nodes, node);
        return error;
    }
    if (node != NULL)
        set_modify_time(node, wanted);
    entry->node = node;
    entry->u.next_removed = NULL;
    *(import->last != NULL ? &import->last->u.next_removed : &import->first) = entry;
    import->last = entry;
    return 0;
}

static struct mfs_dirent *take_made(struct mfs_import *import)
{
    struct mfs_dirent *entry = import->first;
    MFS_CHECK(entry != NULL);
    import->first = entry->u.next_removed;
    if (import->first == NULL)
        import->last = NULL;
    return entry;
}

static void free_made(struct mfs_import *import, struct mfs_dirent *entry)
{
    if (entry->node != NULL)
        mfs_node_release(import->grafts.tree->nodes, entry->node);
    mfs_dir_entry_free(&import->grafts.names, entry);
}

/* ------------------------------------------------------------------ placing */

/* Where names are added: a directory of the tree, by its graft, or a private one. */
struct landing {
    struct mfs_graft *graft;
    struct mfs_dir_node *private;
};

static struct mfs_dirent *find_pending(const struct mfs_import *import,
                                       const struct landing *landing, struct mfs_dir_key *name)
{
    return landing->graft != NULL
               ? mfs_graft_find(&import->grafts, landing->graft, name)
               : mfs_dir_find(&import->grafts.names, &landing->private->names, name);
}

static int add_at(struct mfs_import *import, const struct landing *landing,
                  struct mfs_dirent *entry, struct mfs_node *node, bool is_new)
    MFS_REQUIRES(import->grafts.tree->lock)
{
    return landing->graft != NULL
               ? mfs_graft_add(&import->grafts, landing->graft, entry, node, is_new)
               : mfs_graft_add_private(&import->grafts, landing->private, entry, node);
}

static int make_private_dir(struct mfs_import *import, uint32_t mode, struct mfs_dir_node **out)
{
    int error = mfs_node_create_dir(import->grafts.tree->nodes, MFS_CHARGE_ORDINARY, mode, out);
    if (error == 0)
        mfs_node_set_links(&(*out)->node, 2);
    return error;
}

/* Goes from the landing into the directory `name`, which is pending, or is made. */
static int enter(struct mfs_import *import, struct landing *landing, struct mfs_dir_key *name)
    MFS_REQUIRES(import->grafts.tree->lock)
{
    const struct mfs_dirent *found = find_pending(import, landing, name);
    struct mfs_dir_node *dir = found != NULL ? mfs_node_as_dir(found->node) : NULL;
    struct mfs_dirent *entry;
    if (found != NULL && dir == NULL)
        return MEMFS_ENOTDIR;
    if (found == NULL) {
        int error = mfs_dir_prepare_renamed(&import->grafts.names, name, &entry);
        if (error != 0)
            return error;
        error = make_private_dir(import, MFS_PARENTS_MODE, &dir);
        if (error == 0) {
            error = add_at(import, landing, entry, &dir->node, true);
            if (error != 0)
                mfs_node_release(import->grafts.tree->nodes, &dir->node);
        }
        if (error != 0) {
            mfs_dir_entry_free(&import->grafts.names, entry);
            return error;
        }
    }
    *landing = (struct landing){.private = dir};
    return 0;
}

/* The directory is there, made by an earlier entry or for one: the first to name it says how it
 * is. */
static int accept_dir(struct mfs_import *import, const memfs_import_entry *wanted,
                      struct mfs_node *pending)
{
    if (!is_for_dir(wanted))
        return MEMFS_EISDIR;
    if (pending != NULL) {
        atomic_store_explicit(&pending->mode, wanted->mode, memory_order_relaxed);
        set_modify_time(pending, wanted);
    }
    free_made(import, take_made(import));
    return 0;
}

/* Adds the entry that comes next at its landing. */
static int place_made(struct mfs_import *import, const memfs_import_entry *wanted,
                      const struct landing *landing, bool is_new)
    MFS_REQUIRES(import->grafts.tree->lock)
{
    struct mfs_node *node = import->first->node;
    struct mfs_dir_node *dir = NULL;
    if (is_for_dir(wanted)) {
        int error = make_private_dir(import, wanted->mode, &dir);
        if (error != 0)
            return error;
        node = &dir->node;
        set_modify_time(node, wanted);
    }
    struct mfs_dirent *next = import->first->u.next_removed;
    int error = add_at(import, landing, import->first, node, is_new);
    if (error != 0) {
        import->first->u.next_removed = next;
        if (dir != NULL)
            mfs_node_release(import->grafts.tree->nodes, node);
        return error;
    }
    import->first = next;
    if (next == NULL)
        import->last = NULL;
    return 0;
}

/* At a name that the tree does not have, or has for a file or symlink that may be replaced. */
static int place_at(struct mfs_import *import, const memfs_import_entry *wanted,
                    const struct landing *landing, struct mfs_dir_key *name, bool is_new)
    MFS_REQUIRES(import->grafts.tree->lock)
{
    const struct mfs_dirent *found = find_pending(import, landing, name);
    if (found == NULL)
        return place_made(import, wanted, landing, is_new);
    return mfs_node_as_dir(found->node) != NULL && is_for_dir(wanted)
               ? accept_dir(import, wanted, found->node)
               : MEMFS_EEXIST;
}

/* The rest of a path behind the last directory that the tree has. */
static int place_behind(struct mfs_import *import, const memfs_import_entry *wanted,
                        struct landing *landing, const struct mfs_place *place)
    MFS_REQUIRES(import->grafts.tree->lock)
{
    const char *rest = place->rest;
    struct mfs_dir_key name = place->name;
    struct mfs_component c;
    int error = 0;
    while (error == 0 && mfs_path_next(&rest, &c)) {
        if (mfs_path_is_dot(&c))
            continue;
        if (mfs_path_is_dotdot(&c))
            return MEMFS_ENOENT;
        error = enter(import, landing, &name);
        name = mfs_dir_key_of(&c);
    }
    return error == 0 ? place_at(import, wanted, landing, &name, true) : error;
}

/* Whether a file or symlink that is there may be replaced. */
static int check_replaced(struct mfs_import *import, const memfs_import_entry *wanted,
                          struct mfs_node *node)
{
    if (!import->replaces || is_for_dir(wanted))
        return MEMFS_EEXIST;
    bool is_locked = mfs_node_as_file(node) != NULL &&
                     mfs_filelock_is_locked(import->grafts.tree->nodes->lot, node,
                                            MFS_HELD_NOTHING);
    return is_locked ? MEMFS_EBUSY : 0;
}

/* Whether the path leads to a directory, through a symlink as its last component or not. */
static bool leads_to_dir(struct mfs_tree *tree, const char *path, const struct mfs_place *place)
    MFS_REQUIRES(tree->lock)
{
    struct mfs_place end;
    if (place->node == NULL || mfs_node_as_symlink(place->node) == NULL)
        return place->node != NULL && mfs_node_as_dir(place->node) != NULL;
    return mfs_walk(tree, NULL, path, MFS_WALK_FOLLOW, &end) == 0 && end.node != NULL &&
           mfs_node_as_dir(end.node) != NULL;
}

int mfs_import_place(struct mfs_import *import, const memfs_import_entry *wanted)
{
    struct mfs_place place;
    struct landing landing = {0};
    int error = mfs_walk(import->grafts.tree, NULL, wanted->path, MFS_WALK_MAKE_PARENTS, &place);
    if (error != 0)
        return error;
    bool is_dir = place.node != NULL && mfs_node_as_dir(place.node) != NULL;
    if (is_dir || (is_for_dir(wanted) && leads_to_dir(import->grafts.tree, wanted->path, &place)))
        return accept_dir(import, wanted, NULL);
    if (place.node != NULL && place.needs_dir)
        return MEMFS_ENOTDIR;
    error = place.node != NULL ? check_replaced(import, wanted, place.node) : 0;
    if (error == 0)
        error = mfs_graft_for(&import->grafts, place.dir, &landing.graft);
    if (error != 0)
        return error;
    if (place.rest != NULL)
        return place_behind(import, wanted, &landing, &place);
    return place_at(import, wanted, &landing, &place.name, place.node == NULL);
}

/* ---------------------------------------------------------------- appearing */

void mfs_import_commit(struct mfs_import *import)
{
    MFS_CHECK(import->first == NULL);
    mfs_graft_commit(&import->grafts, &import->replaced);
}

void mfs_import_end(struct mfs_import *import)
{
    mfs_graft_end(&import->grafts);
    while (import->first != NULL)
        free_made(import, take_made(import));
    mfs_subtree_forget(import->grafts.tree, import->replaced);
    import->replaced = NULL;
}
