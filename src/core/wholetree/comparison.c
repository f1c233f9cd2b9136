/*
 * Each entry of one tree has at most one mate in the other:
 *
 *     by number   directories, and what has one name in each tree, wherever it is
 *     by name     else, in the mates of the directories that they are in, if both are of one kind
 *                 and neither has a mate by number
 *
 * 1. Being a mate is mutual, since the rule is the same from both sides.
 * 2. Directories come before what is in them, so a directory's mate is known when it is needed.
 * 3. An entry without a mate was added or removed.  One whose mate is not under the same name in
 *    the mate of its directory was renamed.
 *
 * Contents are compared by what they refer to.  A copy refers to the same root of a page table, or
 * the same short block, until one of the two is changed, and a root never comes back.
 *
 * Cost: an element of a map for each entry of both trees, while the list is made; two passes, with
 * a few look-ups for each entry.  No page is looked at.
 */
#include "wholetree/comparison.h"

#include "base/check.h"
#include "wholetree/nodemap.h"

#include <string.h>

enum which { BEFORE = 0, AFTER = 1 };

struct side {
    struct mfs_dir_node *top;
    struct mfs_nodemap map;
};

struct comparing {
    struct mfs_nodes *nodes;
    struct side sides[2];
    struct mfs_change *first, *last;
};

/* A place in a tree: an entry and the directory that it is in, or, both null, the top. */
struct spot {
    struct mfs_dir_node *top, *dir;
    const struct mfs_dirent *entry;
};

/* -------------------------------------------------------------------- mates */

static bool is_numbered(const struct mfs_node *node)
{
    return node->kind == MEMFS_KIND_DIRECTORY || mfs_node_links(node) == 1;
}

/* Where the other side has the same node, or null. */
static const struct mfs_nodemap_element *mate_by_number(const struct comparing *c, enum which which,
                                                        const struct mfs_node *node)
{
    const struct mfs_nodemap *others = &c->sides[!which].map;
    const struct mfs_nodemap_element *found = is_numbered(node)
                                                  ? mfs_nodemap_find(others, node->number)
                                                  : NULL;
    return found != NULL && found->node->kind == node->kind ? found : NULL;
}

/* The entry of the same name in the mate of the directory, or null. */
static const struct mfs_dirent *namesake(const struct comparing *c, enum which which,
                                         const struct mfs_dir_node *dir,
                                         const struct mfs_dirent *entry)
{
    const struct mfs_nodemap_element *own = mfs_nodemap_find(&c->sides[which].map,
                                                             dir->node.number);
    MFS_CHECK(own != NULL && own->node == &dir->node);
    struct mfs_dir_key key = {entry->name, entry->length, entry->hash, true};
    return own->mate != NULL ? mfs_dir_find(&c->nodes->names, &own->mate->names, &key) : NULL;
}

static struct mfs_node *mate_of(const struct comparing *c, enum which which,
                                const struct mfs_dir_node *dir, const struct mfs_dirent *entry)
{
    const struct mfs_nodemap_element *numbered = mate_by_number(c, which, entry->node);
    if (numbered != NULL)
        return numbered->node;
    const struct mfs_dirent *found = namesake(c, which, dir, entry);
    bool is_mate = found != NULL && found->node->kind == entry->node->kind &&
                   mate_by_number(c, !which, found->node) == NULL;
    return is_mate ? found->node : NULL;
}

static void remember_mate(struct comparing *c, enum which which, struct mfs_node *node,
                          struct mfs_node *mate)
{
    if (mfs_node_as_dir(node) != NULL && mate != NULL)
        mfs_nodemap_find(&c->sides[which].map, node->number)->mate = mfs_node_as_dir(mate);
}

static int fill_map(struct comparing *c, enum which which)
{
    struct side *side = &c->sides[which];
    struct mfs_subtree_cursor at;
    struct mfs_dirent *entry;
    const struct mfs_nodemap_element top = {.node = &side->top->node, .mate = c->sides[!which].top};
    int error = mfs_nodemap_add(&side->map, c->nodes->memory, &top);
    mfs_subtree_begin_below(&at, side->top);
    while (error == 0 && (entry = mfs_subtree_next_entry(&at)) != NULL) {
        const struct mfs_nodemap_element element = {
            .node = entry->node, .dir = at.dir, .entry = entry};
        if (is_numbered(entry->node))
            error = mfs_nodemap_add(&side->map, c->nodes->memory, &element);
    }
    return error;
}

/* -------------------------------------------------------------- differences */

static bool has_same_bytes(struct mfs_node *before, struct mfs_node *after)
{
    const struct mfs_file_node *a = mfs_node_as_file(before), *b = mfs_node_as_file(after);
    const struct mfs_symlink_node *from = mfs_node_as_symlink(before);
    const struct mfs_symlink_node *to = mfs_node_as_symlink(after);
    if (from != NULL)
        return from->length == to->length && memcmp(from->target, to->target, to->length) == 0;
    return a == NULL ||
           (mfs_node_size(a) == mfs_node_size(b) && a->content.root == b->content.root);
}

static bool has_same_attributes(const struct mfs_node *a, const struct mfs_node *b)
{
    return atomic_load_explicit(&a->mode, memory_order_relaxed) ==
               atomic_load_explicit(&b->mode, memory_order_relaxed) &&
           atomic_load_explicit(&a->uid, memory_order_relaxed) ==
               atomic_load_explicit(&b->uid, memory_order_relaxed) &&
           atomic_load_explicit(&a->gid, memory_order_relaxed) ==
               atomic_load_explicit(&b->gid, memory_order_relaxed);
}

static unsigned differences(struct mfs_node *before, struct mfs_node *after)
{
    MFS_CHECK(before->kind == after->kind);
    unsigned what = has_same_bytes(before, after) ? 0 : MEMFS_CHANGE_CONTENT;
    if (!has_same_attributes(before, after))
        what |= MEMFS_CHANGE_ATTRIBUTES;
    if (mfs_node_as_dir(after) == NULL &&
        mfs_node_time(before, MFS_MODIFY) != mfs_node_time(after, MFS_MODIFY))
        what |= MEMFS_CHANGE_TIMES;
    return what;
}

/* ------------------------------------------------------------------ changes */

static size_t spot_length(const struct spot *spot)
{
    if (spot->entry == NULL)
        return 1;
    size_t length = spot->entry->length + (size_t)1;
    for (const struct mfs_dir_node *dir = spot->dir; dir != spot->top; dir = dir->parent)
        length += dir->entry->length + (size_t)1;
    return length;
}

static void write_name_before(char **end, const struct mfs_dirent *entry)
{
    *end -= entry->length;
    memcpy(*end, entry->name, entry->length);
    *--*end = '/';
}

/* Writes the path, with a NUL behind it. */
static void write_spot(const struct spot *spot, char *path, size_t length)
{
    char *end = path + length;
    *end = '\0';
    if (spot->entry == NULL) {
        *path = '/';
        return;
    }
    write_name_before(&end, spot->entry);
    for (const struct mfs_dir_node *dir = spot->dir; dir != spot->top; dir = dir->parent)
        write_name_before(&end, dir->entry);
    MFS_CHECK(end == path);
}

/* A change at `at`, to which what was at `from` was renamed, if that is not null. */
static int make_change(struct comparing *c, unsigned what, struct mfs_node *node,
                       const struct spot *at, const struct spot *from, struct mfs_change **out)
{
    size_t length = spot_length(at), old_length = from != NULL ? spot_length(from) : 0;
    size_t bytes = sizeof(struct mfs_change) + length + 1 + (from != NULL ? old_length + 1 : 0);
    void *memory;
    int error = mfs_memory_take(c->nodes->memory, bytes, MEMFS_CLASS_HANDLES, &memory);
    if (error != 0)
        return error;
    struct mfs_change *change = memory;
    *change = (struct mfs_change){.bytes = bytes, .stat = {.struct_size = sizeof change->stat}};
    const struct mfs_symlink_node *link = mfs_node_as_symlink(node);
    mfs_node_stat(c->nodes, node, &change->stat);
    write_spot(at, change->paths, length);
    if (from != NULL)
        write_spot(from, change->paths + length + 1, old_length);
    change->shown = (memfs_change){.struct_size = sizeof change->shown,
                                   .path = change->paths,
                                   .old_path = from != NULL ? change->paths + length + 1 : NULL,
                                   .target = link != NULL ? link->target : NULL,
                                   .stat = &change->stat,
                                   .what = what};
    if (mfs_node_as_dir(node) == NULL) {
        mfs_node_retain(node);
        change->node = node;
    }
    *out = change;
    return 0;
}

static void append_change(struct comparing *c, struct mfs_change *change)
{
    *(c->last != NULL ? &c->last->next : &c->first) = change;
    c->last = change;
}

/* An entry that only `before` has.  Later ones come first: what is in a directory before it. */
static int note_removed(struct comparing *c, struct mfs_dir_node *dir,
                        const struct mfs_dirent *entry)
{
    const struct spot at = {c->sides[BEFORE].top, dir, entry};
    struct mfs_change *change;
    int error = make_change(c, MEMFS_CHANGE_REMOVED, entry->node, &at, NULL, &change);
    if (error != 0)
        return error;
    change->next = c->first;
    c->first = change;
    if (c->last == NULL)
        c->last = change;
    return 0;
}

/* An entry of `after`, and its mate or null. */
static int note_present(struct comparing *c, struct mfs_dir_node *dir,
                        const struct mfs_dirent *entry, struct mfs_node *mate)
{
    const struct spot at = {c->sides[AFTER].top, dir, entry};
    struct spot from = {.top = c->sides[BEFORE].top};
    struct mfs_change *change;
    unsigned what = mate == NULL ? MEMFS_CHANGE_ADDED : differences(mate, entry->node);
    if (mate != NULL) {
        const struct mfs_dirent *same = namesake(c, AFTER, dir, entry);
        if (same == NULL || same->node != mate) {
            const struct mfs_nodemap_element *old = mfs_nodemap_find(&c->sides[BEFORE].map,
                                                                     mate->number);
            what |= MEMFS_CHANGE_RENAMED;
            from.dir = old->dir;
            from.entry = old->entry;
        }
    }
    if (what == 0)
        return 0;
    int error = make_change(c, what, entry->node, &at, from.entry != NULL ? &from : NULL, &change);
    if (error == 0)
        append_change(c, change);
    return error;
}

static int note_top(struct comparing *c)
{
    struct mfs_node *after = &c->sides[AFTER].top->node;
    const struct spot at = {.top = c->sides[AFTER].top};
    struct mfs_change *change;
    unsigned what = differences(&c->sides[BEFORE].top->node, after);
    if (what == 0)
        return 0;
    int error = make_change(c, what, after, &at, NULL, &change);
    if (error == 0)
        append_change(c, change);
    return error;
}

static int pass(struct comparing *c, enum which which)
{
    struct mfs_subtree_cursor at;
    const struct mfs_dirent *entry;
    int error = 0;
    mfs_subtree_begin_below(&at, c->sides[which].top);
    while (error == 0 && (entry = mfs_subtree_next_entry(&at)) != NULL) {
        struct mfs_node *mate = mate_of(c, which, at.dir, entry);
        remember_mate(c, which, entry->node, mate);
        if (which == AFTER)
            error = note_present(c, at.dir, entry, mate);
        else if (mate == NULL)
            error = note_removed(c, at.dir, entry);
    }
    return error;
}

int mfs_comparison_make(struct mfs_tree *tree, struct mfs_dir_node *before,
                        struct mfs_dir_node *after, struct mfs_change **out)
{
    struct mfs_nodes *nodes = tree->nodes;
    struct comparing c = {.nodes = nodes, .sides = {{.top = before}, {.top = after}}};
    int error = fill_map(&c, BEFORE);
    if (error == 0)
        error = fill_map(&c, AFTER);
    if (error == 0)
        error = pass(&c, BEFORE);
    if (error == 0)
        error = note_top(&c);
    if (error == 0)
        error = pass(&c, AFTER);
    mfs_nodemap_fini(&c.sides[BEFORE].map, nodes->memory);
    mfs_nodemap_fini(&c.sides[AFTER].map, nodes->memory);
    if (error != 0)
        mfs_comparison_free(nodes, c.first);
    else
        *out = c.first;
    return error;
}

void mfs_comparison_free(struct mfs_nodes *nodes, struct mfs_change *first)
{
    while (first != NULL) {
        struct mfs_change *change = first;
        first = change->next;
        if (change->node != NULL)
            mfs_node_release(nodes, change->node);
        mfs_memory_give(nodes->memory, change, change->bytes, MEMFS_CLASS_HANDLES);
    }
}
