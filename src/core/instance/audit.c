/*
 * The audit: counts, made again from the structures themselves.
 *
 * It walks the tree, the snapshots, the open handles and the versions, tallies every page table
 * once (parts are marked while it runs), and compares with what the ledger, the
 * pool and the nodes say.  Nothing is allocated.
 */
#include "base/num.h"
#include "instance/fs.h"
#include "tree/subtree.h"

/* What the nodes of one tree add up to. */
struct subtotal {
    const struct mfs_nodes *nodes;
    uint64_t node_bytes, name_bytes;
    uint64_t by_kind[MEMFS_KIND_SYMLINK + 1];
};

struct audit {
    memfs *fs;
    struct subtotal live, kept; /* of the tree, and of the snapshots */
    struct subtotal *counting;
    struct mfs_tally tally;
    uint64_t short_bytes;
    uint64_t preallocated_bytes;
    uint64_t handle_bytes, block_bytes;
    bool is_sound;
};

static void expect(struct audit *audit, bool is_true, const char *message)
{
    if (is_true)
        return;
    audit->is_sound = false;
    mfs_fs_log(audit->fs, MEMFS_LOG_ERROR, message);
}

/* A node, the first time it is met. */
static void add_node(struct audit *audit, struct mfs_node *node)
{
    if (node->is_marked)
        return;
    node->is_marked = true;
    memfs *fs = audit->fs;
    audit->counting->by_kind[node->kind]++;
    audit->counting->node_bytes += mfs_node_cost(&fs->nodes, node);
    struct mfs_file_node *file = mfs_node_as_file(node);
    struct mfs_dir_node *dir = mfs_node_as_dir(node);
    if (file != NULL) {
        mfs_content_tally(&fs->pool, &file->content, &audit->tally, &audit->short_bytes);
        audit->preallocated_bytes += mfs_num_sub_saturating(file->content.kept_end,
                                                            mfs_node_size(file));
        expect(audit, mfs_content_has_room(&fs->pool, &file->content, mfs_node_size(file)),
               "audit: room that is reserved");
    }
    if (dir == NULL)
        return;
    audit->counting->name_bytes += mfs_dir_cost(&fs->nodes.names, &dir->names);
    expect(audit, mfs_dir_is_valid(&fs->nodes.names, &dir->names), "audit: a directory's index");
    uint32_t links = mfs_node_links(node) == 0 ? 0 : 2;
    struct mfs_dirent *entry = mfs_dir_at(&dir->names, 0);
    for (; entry != NULL; entry = mfs_dir_at(&dir->names, entry->u.sequence + 1)) {
        struct mfs_dir_node *below = mfs_node_as_dir(entry->node);
        if (below == NULL)
            continue;
        links++;
        expect(audit, below->parent == dir && below->entry == entry, "audit: a parent pointer");
    }
    expect(audit, links == mfs_node_links(node), "audit: a directory's link count");
}

static void remove_mark(struct audit *audit, struct mfs_node *node)
{
    node->is_marked = false;
    struct mfs_file_node *file = mfs_node_as_file(node);
    if (file != NULL)
        mfs_content_unmark(&audit->fs->pool, &file->content);
}

static void for_each_below(struct audit *audit, struct mfs_dir_node *root,
                           void (*visit)(struct audit *, struct mfs_node *))
{
    struct mfs_subtree_cursor at;
    struct mfs_dirent *entry;
    visit(audit, &root->node);
    mfs_subtree_begin(&at, root);
    while ((entry = mfs_subtree_next(&at)) != NULL)
        visit(audit, entry->node);
}

/* Every node that a name, a handle or a directory stream leads to, in the tree or a snapshot. */
static void for_each_node(struct audit *audit, void (*visit)(struct audit *, struct mfs_node *))
{
    memfs *fs = audit->fs;
    audit->counting = &audit->kept;
    if (fs->snapshots.root != NULL)
        for_each_below(audit, fs->snapshots.root, visit);
    audit->counting = &audit->live;
    for_each_below(audit, fs->tree.root, visit);
    for (memfs_file *file = fs->handles.files; file != NULL; file = file->next)
        visit(audit, file->node);
    for (memfs_dir *dir = fs->handles.dirs; dir != NULL; dir = dir->next)
        visit(audit, &dir->node->node);
}

static void tally_versions(struct audit *audit)
{
    memfs *fs = audit->fs;
    for (struct mfs_version *v = fs->versions.first; v != NULL; v = v->next)
        mfs_content_tally(&fs->pool, &v->content, &audit->tally, &audit->short_bytes);
}

static void unmark_versions(struct audit *audit)
{
    memfs *fs = audit->fs;
    for (struct mfs_version *v = fs->versions.first; v != NULL; v = v->next)
        mfs_content_unmark(&fs->pool, &v->content);
}

static void add_handles(struct audit *audit)
{
    memfs *fs = audit->fs;
    for (memfs_file *file = fs->handles.files; file != NULL; file = file->next)
        if (!file->is_lent)
            audit->handle_bytes += mfs_memory_cost(&fs->memory, sizeof *file);
    for (memfs_dir *dir = fs->handles.dirs; dir != NULL; dir = dir->next)
        audit->handle_bytes += mfs_memory_cost(&fs->memory, sizeof *dir);
    for (struct mfs_block *block = fs->blocks.first; block != NULL; block = block->next) {
        uint64_t cost = mfs_block_cost(&fs->memory, block);
        *(block->class == MEMFS_CLASS_CHARGED ? &audit->block_bytes : &audit->handle_bytes) += cost;
    }
}

static uint64_t used(const memfs *fs, enum memfs_class class)
{
    return atomic_load(&fs->memory.ledger.used[class]);
}

static void compare_pages(struct audit *audit)
{
    memfs *fs = audit->fs;
    const struct mfs_tally *tally = &audit->tally;
    struct mfs_pool_figures figures;
    mfs_pool_figures(&fs->pool, &figures);
    uint64_t in_use = figures.data_pages;
    expect(audit, tally->is_valid, "audit: a page table's counts");
    expect(audit, tally->node_visits == tally->node_references,
           "audit: references to nodes of page tables");
    expect(audit, tally->page_visits == tally->page_references, "audit: references to pages");
    expect(audit, tally->pages <= in_use && in_use - tally->pages <= atomic_load(&fs->mappings),
           "audit: pages in use");
    expect(audit, used(fs, MEMFS_CLASS_DATA) == audit->short_bytes,
           "audit: bytes of data too small for pages");
    expect(audit, used(fs, MEMFS_CLASS_TABLES) == tally->nodes * mfs_radix_node_cost(&fs->pool),
           "audit: bytes of page tables");
}

static void compare_counts(struct audit *audit, const struct subtotal *subtotal)
{
    uint64_t total = 0;
    for (int kind = MEMFS_KIND_FILE; kind <= MEMFS_KIND_SYMLINK; kind++) {
        total += subtotal->by_kind[kind];
        expect(audit, atomic_load(&subtotal->nodes->by_kind[kind]) == subtotal->by_kind[kind],
               "audit: the number of nodes of a kind");
    }
    expect(audit, atomic_load(&subtotal->nodes->total) == total, "audit: the number of nodes");
}

/* Lists and walks in progress are charged to the class of handles too, hence no equality there. */
static void compare_rest(struct audit *audit)
{
    memfs *fs = audit->fs;
    expect(audit, used(fs, MEMFS_CLASS_NODES) == audit->live.node_bytes + fs->instance_bytes,
           "audit: bytes of nodes");
    expect(audit, used(fs, MEMFS_CLASS_NAMES) == audit->live.name_bytes, "audit: bytes of names");
    expect(audit,
           used(fs, MEMFS_CLASS_SNAPSHOTS) == audit->kept.node_bytes + audit->kept.name_bytes,
           "audit: bytes of snapshots");
    expect(audit, used(fs, MEMFS_CLASS_HANDLES) >= audit->handle_bytes, "audit: bytes of handles");
    expect(audit, used(fs, MEMFS_CLASS_CHARGED) == audit->block_bytes,
           "audit: bytes of charged memory");
    expect(audit, atomic_load(&fs->nodes.preallocated_bytes) == audit->preallocated_bytes,
           "audit: bytes reserved");
    compare_counts(audit, &audit->live);
    compare_counts(audit, &audit->kept);
    expect(audit, mfs_memory_is_valid(&fs->memory), "audit: pieces, pages and slabs");
    expect(audit,
           atomic_load(&fs->memory.ledger.committed) ==
               mfs_pool_held_bytes(&fs->pool) + fs->instance_bytes + fs->memory.starter_bytes,
           "audit: bytes committed");
    expect(audit, mfs_ledger_used(&fs->memory.ledger) <= atomic_load(&fs->memory.ledger.committed),
           "audit: bytes used");
    expect(audit,
           atomic_load(&fs->memory.ledger.committed) <= atomic_load(&fs->memory.ledger.limit),
           "audit: the quota");
}

int mfs_fs_audit(memfs *fs)
{
    struct audit audit = {.fs = fs,
                          .live = {.nodes = &fs->nodes},
                          .kept = {.nodes = &fs->snapshot_nodes},
                          .tally = {.is_valid = true},
                          .is_sound = true};
    mfs_sync_lock_exclusive(&fs->lot, &fs->tree.lock);
    for_each_node(&audit, add_node);
    tally_versions(&audit);
    add_handles(&audit);
    compare_pages(&audit);
    compare_rest(&audit);
    for_each_node(&audit, remove_mark);
    unmark_versions(&audit);
    mfs_sync_unlock_exclusive(&fs->lot, &fs->tree.lock);
    return audit.is_sound ? 0 : MEMFS_EIO;
}
