/*
 * 1. The walk keeps a stack of texts that are still to be walked: the path itself at the bottom,
 *    and above it the target of each symlink on the way.
 * 2. A component is the last one if no text has anything left.
 * 3. No more symlinks are followed than MEMFS_SYMLINK_DEPTH_MAX, so the stack cannot overflow.
 *
 * Cost: one look-up in a directory for each component; 41 pointers on the stack.
 */
#include "tree/walk.h"

#include "base/check.h"

#include <string.h>

struct walk {
    struct mfs_tree *tree;
    struct mfs_dir_node *root, *at;
    int flags;
    const char **rest; /* the stack */
    const char *end;   /* of the bottom text, if that is a part of a longer one; else null */
    unsigned depth;    /* texts on it */
    unsigned followed; /* symlinks so far */
    bool inside_link;  /* the component is of a link's target, behind which the path goes on */
    bool needs_dir;    /* a slash follows the last component, or the link that led to it */
};

/* Whether the text on top has nothing left; taking a component skips the slashes behind it, so
 * what is left may begin behind the end. */
static bool is_used_up(const struct walk *w)
{
    const char *left = w->rest[w->depth - 1];
    return *left == '\0' || (w->depth == 1 && w->end != NULL && left >= w->end);
}

/* Drops the texts that are used up; true if none is left. */
static bool is_at_end(struct walk *w)
{
    while (w->depth > 0 && is_used_up(w))
        w->depth--;
    return w->depth == 0;
}

static void begin_text(struct walk *w, const char *text)
{
    if (*text == '/')
        w->at = w->root;
    while (*text == '/')
        text++;
    MFS_CHECK(w->depth <= MEMFS_SYMLINK_DEPTH_MAX);
    w->rest[w->depth++] = text;
}

static int follow(struct walk *w, const struct mfs_symlink_node *link)
{
    MFS_CHECK(w->followed <= MEMFS_SYMLINK_DEPTH_MAX && w->depth <= w->followed + 1);
    if (w->followed++ == MEMFS_SYMLINK_DEPTH_MAX)
        return MEMFS_ELOOP;
    (void)is_at_end(w); /* make room: used up texts do not count */
    begin_text(w, link->target);
    return 0;
}

static int go_up(struct walk *w)
{
    if (w->at->parent == NULL)
        return MEMFS_ENOENT;
    if (w->at != w->root)
        w->at = w->at->parent;
    return 0;
}

/* The walk ends in a directory that the path gives no name for. */
static void end_at_dir(struct walk *w, enum mfs_last last, struct mfs_place *out)
{
    *out = (struct mfs_place){0};
    out->node = &w->at->node;
    out->last = last;
    out->needs_dir = true;
}

static void end_at_name(const struct walk *w, const struct mfs_dir_key *name,
                        struct mfs_dirent *entry, struct mfs_place *out)
{
    MFS_CHECK(name->length > 0 && mfs_node_links(&w->at->node) != 0);
    *out = (struct mfs_place){0};
    out->dir = w->at;
    out->name = *name;
    out->entry = entry;
    out->node = entry != NULL ? entry->node : NULL;
    out->last = MFS_LAST_NAME;
    out->needs_dir = w->needs_dir;
}

/* Nothing has the name. */
static int end_at_missing(struct walk *w, const struct mfs_dir_key *name, bool is_last,
                          struct mfs_place *out)
{
    if (is_last) {
        end_at_name(w, name, NULL, out);
        return 0;
    }
    if ((w->flags & MFS_WALK_MAKE_PARENTS) == 0 || w->inside_link)
        return MEMFS_ENOENT;
    end_at_name(w, name, NULL, out);
    out->rest = w->rest[0];
    out->needs_dir = out->rest[strlen(out->rest) - 1] == '/';
    return 0;
}

enum step { STEP_ON, STEP_END };

/* Takes one component, which is the last if `is_last`. */
static int step(struct walk *w, const struct mfs_component *c, bool is_last, struct mfs_place *out,
                enum step *next)
{
    *next = is_last ? STEP_END : STEP_ON;
    if (mfs_path_is_dot(c) || mfs_path_is_dotdot(c)) {
        bool up = mfs_path_is_dotdot(c);
        int error = up ? go_up(w) : 0;
        if (error == 0 && is_last)
            end_at_dir(w, up ? MFS_LAST_DOTDOT : MFS_LAST_DOT, out);
        return error;
    }
    if (mfs_node_links(&w->at->node) == 0)
        return MEMFS_ENOENT; /* a removed directory has no names, and gets none */
    if (c->length > MEMFS_NAME_MAX)
        return MEMFS_ENAMETOOLONG;
    struct mfs_dir_key name = mfs_dir_key_of(c);
    struct mfs_dirent *entry = mfs_dir_find(&w->tree->nodes->names, &w->at->names, &name);
    if (entry == NULL) {
        *next = STEP_END;
        return end_at_missing(w, &name, is_last, out);
    }
    const struct mfs_symlink_node *link = mfs_node_as_symlink(entry->node);
    bool follows = !is_last || (w->flags & MFS_WALK_FOLLOW) != 0 ||
                   (w->needs_dir && (w->flags & MFS_WALK_FOLLOW_SLASH) != 0);
    if (link != NULL && follows) {
        *next = STEP_ON;
        return follow(w, link);
    }
    if (is_last) {
        end_at_name(w, &name, entry, out);
        return 0;
    }
    struct mfs_dir_node *dir = mfs_node_as_dir(entry->node);
    if (dir == NULL)
        return MEMFS_ENOTDIR;
    w->at = dir;
    return 0;
}

static int walk_texts(struct walk *w, const char *path, struct mfs_place *out)
{
    const char *rest[MEMFS_SYMLINK_DEPTH_MAX + 1]; /* outside the struct, which is zeroed */
    w->rest = rest;
    begin_text(w, path);
    if (is_at_end(w))
        end_at_dir(w, MFS_LAST_ROOT, out);
    enum step next = w->depth == 0 ? STEP_END : STEP_ON;
    while (next == STEP_ON) {
        struct mfs_component c;
        if (is_at_end(w)) {
            /* A link to "/" was the last component. */
            end_at_dir(w, MFS_LAST_ROOT, out);
            break;
        }
        w->inside_link = w->depth > 1;
        bool found = mfs_path_next(&w->rest[w->depth - 1], &c);
        MFS_CHECK(found);
        bool is_last = is_at_end(w);
        if (is_last && c.has_slash_after)
            w->needs_dir = true;
        int error = step(w, &c, is_last, out, &next);
        if (error != 0)
            return error;
    }
    return 0;
}

static int walk_from(struct mfs_tree *tree, struct mfs_dir_node *root, struct mfs_dir_node *start,
                     const char *path, int flags, struct mfs_place *out)
{
    int error = mfs_path_check(path);
    if (error != 0)
        return error;
    struct walk w = {.tree = tree, .root = root, .at = start, .flags = flags};
    return walk_texts(&w, path, out);
}

int mfs_walk(struct mfs_tree *tree, struct mfs_dir_node *start, const char *path, int flags,
             struct mfs_place *out)
{
    return walk_from(tree, tree->root, start != NULL ? start : tree->root, path, flags, out);
}

int mfs_walk_within(struct mfs_tree *tree, struct mfs_dir_node *root, const char *path, int flags,
                    struct mfs_place *out)
{
    return walk_from(tree, root, root, path, flags, out);
}

/* The node at a place that a walk has found, with a reference for the caller. */
static int take_node(const struct mfs_place *place, struct mfs_node **out)
{
    if (place->node == NULL)
        return MEMFS_ENOENT;
    if (place->needs_dir && mfs_node_as_dir(place->node) == NULL)
        return MEMFS_ENOTDIR;
    mfs_node_retain(place->node);
    *out = place->node;
    return 0;
}

int mfs_walk_to_node(struct mfs_tree *tree, struct mfs_dir_node *start, const char *path,
                     bool follow_last, struct mfs_node **out)
{
    struct mfs_place place;
    struct mfs_lot *lot = tree->nodes->lot;
    mfs_sync_lock_shared(lot, &tree->lock);
    int flags = MFS_WALK_FOLLOW_SLASH | (follow_last ? MFS_WALK_FOLLOW : 0);
    int error = mfs_walk(tree, start, path, flags, &place);
    if (error == 0)
        error = take_node(&place, out);
    mfs_sync_unlock_shared(lot, &tree->lock);
    return error;
}

int mfs_walk_prefix_to_node(struct mfs_tree *tree, const char *path, size_t length,
                            struct mfs_node **out)
{
    struct mfs_place place;
    struct mfs_lot *lot = tree->nodes->lot;
    MFS_CHECK(path[length] == '\0' || path[length] == '/' || length <= 1);
    struct walk w = {.tree = tree,
                     .root = tree->root,
                     .at = tree->root,
                     .flags = MFS_WALK_FOLLOW,
                     .end = path + length};
    mfs_sync_lock_shared(lot, &tree->lock);
    int error = walk_texts(&w, path, &place);
    if (error == 0)
        error = take_node(&place, out);
    mfs_sync_unlock_shared(lot, &tree->lock);
    return error;
}

/*
 * The absolute path of a directory, written backwards from the end of the buffer.  Returns where
 * the path begins, or null if it does not fit.
 */
static char *write_way_up(const struct mfs_tree *tree, const struct mfs_dir_node *dir, char *buffer,
                          char *end) MFS_REQUIRES_SHARED(tree->lock)
{
    char *at = end;
    if (dir == tree->root) {
        if (at == buffer)
            return NULL;
        *--at = '/';
        return at;
    }
    for (; dir != tree->root; dir = dir->parent) {
        MFS_CHECK(dir->entry != NULL && dir->parent != NULL);
        size_t length = dir->entry->length;
        if ((size_t)(at - buffer) < length + 1)
            return NULL;
        at -= length;
        memcpy(at, dir->entry->name, length);
        *--at = '/';
    }
    return at;
}

/* The directory whose path a place's begins with; all of it, if the place is a directory. */
static const struct mfs_dir_node *path_base(const struct mfs_place *place)
{
    struct mfs_dir_node *found = place->node != NULL ? mfs_node_as_dir(place->node) : NULL;
    return found != NULL ? found : place->dir;
}

static bool is_dir_place(const struct mfs_place *place)
{
    return place->node != NULL && mfs_node_as_dir(place->node) != NULL;
}

size_t mfs_walk_path_length(const struct mfs_tree *tree, const struct mfs_place *place)
{
    const struct mfs_dir_node *base = path_base(place);
    size_t length = 0;
    for (const struct mfs_dir_node *up = base; up != tree->root; up = up->parent)
        length += up->entry->length + (size_t)1;
    if (!is_dir_place(place))
        return length + 1 + place->name.length;
    return length > 0 ? length : 1;
}

void mfs_walk_write_path(const struct mfs_tree *tree, const struct mfs_place *place, char *buffer,
                         size_t length)
{
    const struct mfs_dir_node *base = path_base(place);
    char *at = buffer + length;
    *at = '\0';
    if (!is_dir_place(place)) {
        at -= place->name.length;
        memcpy(at, place->name.name, place->name.length);
        if (base != tree->root)
            *--at = '/';
    }
    at = write_way_up(tree, base, buffer, at);
    MFS_CHECK(at == buffer);
}
