/*
 * 1. An entry is in `pending` of its graft, or in a private directory, until the commit.
 * 2. A graft's plan has the chunks that its directory will need for exactly the entries whose name
 *    is free.  Replacing exchanges what two entries refer to, as renaming does, and needs none.
 * 3. Entries get their numbers in the order in which they come, from 1.  The commit counts as many
 *    changes of names, and adds to the numbers of those that join a directory of the tree what was
 *    counted before; those in private directories are lower than any that will join them.
 *
 * Cost: a graft for each directory of the tree that gets entries; while entries are pending, the
 * order and buckets of a directory with just them, and the chunks by which theirs will grow.
 */
#include "wholetree/graft.h"

#include "base/check.h"
#include "node/filelock.h"

static struct mfs_chunk_source graft_source(const struct mfs_grafts *grafts)
{
    return (struct mfs_chunk_source){grafts->names.source.memory, MEMFS_CLASS_HANDLES,
                                     MFS_CHARGE_ORDINARY};
}

static uint32_t hash_of_directory(const struct mfs_dir_node *dir)
{
    return (uint32_t)dir->node.number;
}

static const struct mfs_graft *graft_of(const struct mfs_chain *chain)
{
    return (const struct mfs_graft *)(const void *)chain;
}

static uint32_t hash_of_graft(const struct mfs_chain *chain)
{
    return hash_of_directory(graft_of(chain)->dir);
}

struct mfs_grafts mfs_graft_begin(struct mfs_tree *tree)
{
    const struct mfs_names *names = &tree->nodes->names;
    return (struct mfs_grafts){
        .tree = tree,
        .names = {.source = {names->source.memory, names->source.class, MFS_CHARGE_ORDINARY},
                  .hash_key = {names->hash_key[0], names->hash_key[1]}}};
}

static struct mfs_graft *find_graft(const struct mfs_grafts *grafts, const struct mfs_dir_node *dir)
{
    if (grafts->count == 0)
        return NULL;
    struct mfs_chain *at = *mfs_buckets_chain(&grafts->buckets, hash_of_directory(dir));
    while (at != NULL && graft_of(at)->dir != dir)
        at = at->next;
    return (struct mfs_graft *)(void *)at;
}

/* One more bucket, where one is due. */
static int grow_buckets(struct mfs_grafts *grafts)
{
    const struct mfs_chunk_source source = graft_source(grafts);
    struct mfs_chunk *spares = NULL;
    if (!mfs_buckets_wants_more(&grafts->buckets, grafts->count + 1))
        return 0;
    int error = mfs_buckets_prepare(&grafts->buckets, &source, &spares);
    if (error == 0)
        mfs_buckets_grow(&grafts->buckets, &source, &spares, hash_of_graft);
    else
        mfs_chunk_give_back(&source, &spares);
    return error;
}

int mfs_graft_for(struct mfs_grafts *grafts, struct mfs_dir_node *dir, struct mfs_graft **out)
{
    void *memory;
    *out = find_graft(grafts, dir);
    if (*out != NULL)
        return 0;
    int error = grow_buckets(grafts);
    if (error == 0)
        error = mfs_memory_take(grafts->names.source.memory, sizeof(struct mfs_graft),
                                MEMFS_CLASS_HANDLES, &memory);
    if (error != 0)
        return error;
    struct mfs_graft *graft = memory;
    *graft = (struct mfs_graft){.dir = dir, .plan = mfs_dir_plan(&dir->names)};
    mfs_buckets_insert(&grafts->buckets, &graft->chain, hash_of_directory(dir));
    *(grafts->last != NULL ? &grafts->last->next : &grafts->first) = graft;
    grafts->last = graft;
    grafts->count++;
    *out = graft;
    return 0;
}

struct mfs_dirent *mfs_graft_find(const struct mfs_grafts *grafts, const struct mfs_graft *graft,
                                  struct mfs_dir_key *name)
{
    return mfs_dir_find(&grafts->names, &graft->pending, name);
}

/* Plans for one more name in the graft's directory. */
static int plan_new_name(struct mfs_grafts *grafts, struct mfs_graft *graft, struct mfs_node *node)
{
    if (mfs_node_as_dir(node) != NULL) {
        if (mfs_node_links(&graft->dir->node) + graft->new_directories >= MEMFS_LINK_MAX)
            return MEMFS_EMLINK;
        graft->new_directories++;
    }
    return mfs_dir_plan_addition(&grafts->names, &graft->plan);
}

int mfs_graft_add(struct mfs_grafts *grafts, struct mfs_graft *graft, struct mfs_dirent *entry,
                  struct mfs_node *node, bool is_new)
{
    MFS_CHECK(mfs_node_links(node) == 0 || mfs_node_as_dir(node) != NULL);
    int error = is_new ? plan_new_name(grafts, graft, node) : 0;
    if (error == 0)
        error = mfs_dir_prepare_entry(&grafts->names, &graft->pending, entry);
    if (error == 0)
        mfs_dir_commit(&grafts->names, &graft->pending, entry, node, ++grafts->last_sequence);
    return error;
}

int mfs_graft_add_private(struct mfs_grafts *grafts, struct mfs_dir_node *dir,
                          struct mfs_dirent *entry, struct mfs_node *node)
{
    struct mfs_dir_node *below = mfs_node_as_dir(node);
    int error = below != NULL ? mfs_namespace_check_links(&dir->node) : 0;
    if (error == 0)
        error = mfs_dir_prepare_entry(&grafts->names, &dir->names, entry);
    if (error != 0)
        return error;
    mfs_dir_commit(&grafts->names, &dir->names, entry, node, ++grafts->last_sequence);
    if (below != NULL)
        mfs_namespace_set_parent(below, dir, entry);
    else
        mfs_node_set_links(node, 1);
    return 0;
}

/* The name leads to another node; the entry then has the old one, and goes onto the list. */
static void replace_node(struct mfs_dirent *entry, struct mfs_dirent *at, int64_t now,
                         struct mfs_dirent **removed)
{
    struct mfs_node *node = entry->node, *old = at->node;
    MFS_CHECK(mfs_node_as_dir(node) == NULL && mfs_node_as_dir(old) == NULL);
    at->node = node;
    entry->node = old;
    mfs_node_set_links(node, 1);
    mfs_node_set_links(old, mfs_node_links(old) - 1);
    mfs_node_changed(old, now);
    entry->u.next_removed = *removed;
    *removed = entry;
}

static void commit_graft(struct mfs_grafts *grafts, struct mfs_graft *graft, uint64_t counted,
                         int64_t now, struct mfs_dirent **removed)
{
    struct mfs_dir *names = &graft->dir->names;
    struct mfs_dirent *entry;
    uint64_t sequence;
    while ((entry = mfs_dir_take_first(&grafts->names, &graft->pending, &sequence)) != NULL) {
        struct mfs_dir_key key = {entry->name, entry->length, entry->hash, true};
        struct mfs_dirent *at = mfs_dir_find(&grafts->names, names, &key);
        struct mfs_dir_node *below = mfs_node_as_dir(entry->node);
        if (at != NULL) {
            replace_node(entry, at, now, removed);
            mfs_observer_named(grafts->tree->nodes->observer, graft->dir, at->name, at->length,
                               at->node);
            continue;
        }
        mfs_dir_commit_planned(&grafts->names, names, &graft->plan, entry, entry->node,
                               counted + sequence);
        if (below != NULL)
            mfs_namespace_set_parent(below, graft->dir, entry);
        else
            mfs_node_set_links(entry->node, 1);
        mfs_observer_named(grafts->tree->nodes->observer, graft->dir, entry->name, entry->length,
                           entry->node);
    }
    MFS_CHECK(graft->plan.spares == NULL);
    mfs_node_modified(&graft->dir->node, now);
}

void mfs_graft_commit(struct mfs_grafts *grafts, struct mfs_dirent **removed)
{
    struct mfs_tree *tree = grafts->tree;
    int64_t now = mfs_node_now(tree->nodes);
    uint64_t counted = atomic_fetch_add(&tree->name_changes, grafts->last_sequence);
    for (struct mfs_graft *graft = grafts->first; graft != NULL; graft = graft->next)
        if (graft->pending.live != 0)
            commit_graft(grafts, graft, counted, now, removed);
}

void mfs_graft_end(struct mfs_grafts *grafts)
{
    const struct mfs_chunk_source source = graft_source(grafts);
    struct mfs_dirent *entry;
    uint64_t sequence;
    while (grafts->first != NULL) {
        struct mfs_graft *graft = grafts->first;
        grafts->first = graft->next;
        while ((entry = mfs_dir_take_first(&grafts->names, &graft->pending, &sequence)) != NULL) {
            mfs_subtree_discard(grafts->tree, entry->node);
            mfs_dir_entry_free(&grafts->names, entry);
        }
        mfs_dir_plan_cancel(&grafts->names, &graft->plan);
        mfs_memory_give(grafts->names.source.memory, graft, sizeof *graft, MEMFS_CLASS_HANDLES);
    }
    mfs_buckets_fini(&grafts->buckets, &source);
    grafts->last = NULL;
    grafts->count = 0;
}
