/*
 * 1. The audit walks the tree, the snapshots, the open handles and the versions of each instance of
 *    the family, since they share pages, and tallies every node and every part of a page table
 *    once: what was met is marked while it runs.
 * 2. It compares with what the ledger, the pool and the nodes say, and goes on after a
 *    disagreement, so that the log says all of them.
 * 3. Nothing is allocated.
 *
 * Left undone: lists and walks that are in progress are charged to the class of handles, and the
 * audit does not know of them, so for that class it only finds that too little is charged.
 */
#include "instance/audit.h"

#include "base/check.h"
#include "base/num.h"
#include "content/content_tally.h"
#include "tree/subtree.h"
#include "wholetree/comparison.h"
#include "wholetree/walker.h"

#include <string.h>

/* What the nodes of trees add up to. */
struct subtotal {
    uint64_t node_bytes, name_bytes;          /* of all instances */
    uint64_t by_kind[MEMFS_KIND_SYMLINK + 1]; /* of the one at hand */
};

struct audit {
    memfs *fs;                  /* the instance at hand */
    struct subtotal live, kept; /* of the trees, and of the snapshots */
    struct subtotal *counting;
    struct mfs_tally tally;
    uint64_t short_bytes;
    uint64_t preallocated_bytes; /* of the instance at hand */
    uint64_t handle_bytes, block_bytes;
    uint64_t mappings;
    bool is_sound;
};

static void expect_true(struct audit *audit, bool is_true, const char *message)
{
    if (is_true)
        return;
    audit->is_sound = false;
    mfs_fs_log(audit->fs, MEMFS_LOG_ERROR, message);
}

/* A node, the first time it is met. */
static void audit_node(struct audit *audit, struct mfs_node *node)
{
    MFS_CHECK(audit->counting != NULL && node->kind <= MEMFS_KIND_SYMLINK);
    if (node->is_audited)
        return;
    node->is_audited = true;
    memfs *fs = audit->fs;
    audit->counting->by_kind[node->kind]++;
    audit->counting->node_bytes += mfs_node_cost(&fs->nodes, node);
    struct mfs_file_node *file = mfs_node_as_file(node);
    struct mfs_dir_node *dir = mfs_node_as_dir(node);
    if (file != NULL) {
        mfs_content_tally(fs->pool, &file->content, &audit->tally, &audit->short_bytes);
        audit->preallocated_bytes += mfs_num_sub_saturating(file->content.preallocated_end,
                                                            mfs_node_size(file));
    }
    if (dir == NULL)
        return;
    audit->counting->name_bytes += mfs_dir_cost(&fs->nodes.names, &dir->names);
    expect_true(audit, mfs_dir_is_valid(&fs->nodes.names, &dir->names),
                "audit: a directory's index");
    uint32_t links = mfs_node_links(node) == 0 ? 0 : 2;
    struct mfs_dirent *entry = mfs_dir_at(&dir->names, 0);
    for (; entry != NULL; entry = mfs_dir_next(&dir->names, entry)) {
        struct mfs_dir_node *below = mfs_node_as_dir(entry->node);
        if (below == NULL)
            continue;
        links++;
        expect_true(audit, below->parent == dir && below->entry == entry,
                    "audit: a parent pointer");
    }
    expect_true(audit, links == mfs_node_links(node), "audit: a directory's link count");
}

static void remove_mark(struct audit *audit, struct mfs_node *node)
{
    struct mfs_pool *pool = audit->fs->pool;
    struct mfs_file_node *file = mfs_node_as_file(node);
    node->is_audited = false;
    if (file == NULL)
        return;
    mfs_content_tally_unmark(pool, &file->content);
    /* Not earlier: while parts of the page table are marked, holes cannot be looked for. */
    expect_true(audit, mfs_content_has_preallocated(pool, &file->content, mfs_node_size(file)),
                "audit: what is preallocated");
}

static void for_each_below(struct audit *audit, struct mfs_dir_node *root,
                           void (*visit)(struct audit *, struct mfs_node *))
{
    struct mfs_subtree_cursor at;
    struct mfs_node *node;
    mfs_subtree_begin(&at, &root->node);
    while ((node = mfs_subtree_next(&at)) != NULL)
        visit(audit, node);
}

/* What to do with the nodes that a walk refers to. */
struct tour_visit {
    struct audit *audit;
    void (*visit)(struct audit *, struct mfs_node *);
};

static void visit_of_tour(void *context, struct mfs_node *node)
{
    const struct tour_visit *of_tour = context;
    of_tour->visit(of_tour->audit, node);
}

/* What a walker or a comparison refers to. */
static void for_each_opened(struct audit *audit, struct mfs_opened *opened,
                            void (*visit)(struct audit *, struct mfs_node *))
{
    struct tour_visit of_tour = {audit, visit};
    audit->counting = &audit->kept;
    if (mfs_opened_is(opened, MFS_WALKER_MAGIC)) {
        const struct mfs_tour *tour = &((const struct memfs_walker *)(const void *)opened)->tour;
        if (tour->tree == &audit->fs->tree)
            audit->counting = &audit->live;
        mfs_tour_for_each_node(tour, visit_of_tour, &of_tour);
        return;
    }
    const struct memfs_comparison *comparison = (const void *)opened;
    for (const struct mfs_change *at = comparison->first; at != NULL; at = at->next)
        if (at->node != NULL)
            visit(audit, at->node);
}

/* Visits every node that a name, a handle, a directory stream, a walker or a comparison leads to,
 * some more than once. */
static void for_each_held_node(struct audit *audit,
                               void (*visit)(struct audit *, struct mfs_node *))
{
    memfs *fs = audit->fs;
    audit->counting = &audit->kept;
    if (fs->snapshots.root != NULL)
        for_each_below(audit, fs->snapshots.root, visit);
    audit->counting = &audit->live;
    for_each_below(audit, fs->tree.root, visit);
    for (unsigned i = 0; i < MFS_HANDLE_LISTS; i++) {
        const struct mfs_handle_list *list = mfs_handle_list(&fs->handles, i);
        for (struct mfs_link *at = list->files.first; at != NULL; at = at->next)
            visit(audit, mfs_handle_of_link(at)->node);
        for (struct mfs_link *at = list->dirs.first; at != NULL; at = at->next)
            visit(audit, &mfs_handle_dir_of_link(at)->node->node);
    }
    for (struct mfs_link *at = fs->opened.all.first; at != NULL; at = at->next)
        for_each_opened(audit, mfs_opened_of_link(at), visit);
}

static void tally_versions(struct audit *audit)
{
    memfs *fs = audit->fs;
    for (struct mfs_link *at = fs->versions.held.first; at != NULL; at = at->next)
        mfs_content_tally(fs->pool, &MFS_LIST_ENTRY(at, struct mfs_version, link)->content,
                          &audit->tally, &audit->short_bytes);
}

static void unmark_versions(struct audit *audit)
{
    memfs *fs = audit->fs;
    for (struct mfs_link *at = fs->versions.held.first; at != NULL; at = at->next)
        mfs_content_tally_unmark(fs->pool, &MFS_LIST_ENTRY(at, struct mfs_version, link)->content);
}

static uint64_t handle_cost(const memfs *fs, const void *handle, size_t bytes)
{
    return mfs_memory_cost_of(fs->memory, handle, bytes, MEMFS_CLASS_HANDLES);
}

static uint64_t file_cost(const memfs *fs, memfs_file *file)
{
    return handle_cost(fs, mfs_handle_block(file), mfs_handle_block_bytes(file));
}

static void add_handles_of_list(struct audit *audit, const struct mfs_handle_list *list)
{
    memfs *fs = audit->fs;
    struct memfs_file *spare = atomic_load(&list->spare);
    for (struct mfs_link *at = list->files.first; at != NULL; at = at->next)
        if (!mfs_handle_of_link(at)->is_lent)
            audit->handle_bytes += file_cost(fs, mfs_handle_of_link(at));
    for (struct mfs_link *at = list->dirs.first; at != NULL; at = at->next)
        if (!mfs_handle_dir_of_link(at)->is_lent)
            audit->handle_bytes += handle_cost(fs, mfs_handle_dir_of_link(at), sizeof(memfs_dir));
    if (spare != NULL)
        audit->handle_bytes += file_cost(fs, spare);
}

static void add_handles(struct audit *audit)
{
    memfs *fs = audit->fs;
    for (unsigned i = 0; i < MFS_HANDLE_LISTS; i++)
        add_handles_of_list(audit, mfs_handle_list(&fs->handles, i));
    for (struct mfs_link *at = fs->blocks.held.first; at != NULL; at = at->next) {
        const struct mfs_block *block = MFS_LIST_ENTRY(at, struct mfs_block, link);
        uint64_t cost = mfs_block_cost(fs->memory, block);
        *(block->class == MEMFS_CLASS_CHARGED ? &audit->block_bytes : &audit->handle_bytes) += cost;
    }
}

static uint64_t used_bytes_of(const memfs *fs, enum memfs_class class)
{
    return atomic_load(&fs->memory->ledger.used[class]);
}

static void compare_pages(struct audit *audit)
{
    memfs *fs = audit->fs;
    const struct mfs_tally *tally = &audit->tally;
    struct mfs_pool_figures figures;
    mfs_pool_figures(fs->pool, &figures);
    uint64_t in_use = figures.data_pages;
    expect_true(audit, tally->is_valid, "audit: a page table's counts");
    expect_true(audit, tally->node_visits == tally->node_references,
                "audit: references to nodes of page tables");
    expect_true(audit, tally->page_visits == tally->page_references, "audit: references to pages");
    expect_true(audit, tally->pages <= in_use && in_use - tally->pages <= audit->mappings,
                "audit: pages in use");
    expect_true(audit, used_bytes_of(fs, MEMFS_CLASS_DATA) == audit->short_bytes,
                "audit: bytes of data too small for pages");
    expect_true(audit,
                used_bytes_of(fs, MEMFS_CLASS_TABLES) ==
                    tally->nodes * mfs_radix_node_cost(fs->pool),
                "audit: bytes of page tables");
}

static void compare_counts(struct audit *audit, const struct subtotal *subtotal,
                           const struct mfs_nodes *nodes)
{
    uint64_t total = 0;
    for (int kind = MEMFS_KIND_FILE; kind <= MEMFS_KIND_SYMLINK; kind++) {
        total += subtotal->by_kind[kind];
        expect_true(audit, atomic_load(&nodes->by_kind[kind]) == subtotal->by_kind[kind],
                    "audit: the number of nodes of a kind");
    }
    expect_true(audit, atomic_load(&nodes->total) == total, "audit: the number of nodes");
}

/* What an instance has for itself is compared at once, the rest added up. */
static void audit_member(struct audit *audit)
{
    memfs *fs = audit->fs;
    memset(audit->live.by_kind, 0, sizeof audit->live.by_kind);
    memset(audit->kept.by_kind, 0, sizeof audit->kept.by_kind);
    audit->preallocated_bytes = 0;
    for_each_held_node(audit, audit_node);
    tally_versions(audit);
    add_handles(audit);
    audit->mappings += atomic_load(&fs->mappings);
    compare_counts(audit, &audit->live, &fs->nodes);
    compare_counts(audit, &audit->kept, &fs->snapshot_nodes);
    expect_true(audit, atomic_load(&fs->nodes.preallocated_bytes) == audit->preallocated_bytes,
                "audit: bytes that are preallocated");
}

static void unmark_member(struct audit *audit)
{
    for_each_held_node(audit, remove_mark);
    unmark_versions(audit);
}

static void compare_bytes_by_class(struct audit *audit)
{
    const memfs *fs = audit->fs;
    uint64_t clones = fs->family->members.count - 1;
    uint64_t instance_bytes = fs->family->instance_bytes +
                              clones * mfs_memory_cost(fs->memory, sizeof *fs);
    expect_true(audit,
                used_bytes_of(fs, MEMFS_CLASS_NODES) == audit->live.node_bytes + instance_bytes,
                "audit: bytes of nodes");
    expect_true(audit, used_bytes_of(fs, MEMFS_CLASS_NAMES) == audit->live.name_bytes,
                "audit: bytes of names");
    expect_true(audit,
                used_bytes_of(fs, MEMFS_CLASS_SNAPSHOTS) ==
                    audit->kept.node_bytes + audit->kept.name_bytes,
                "audit: bytes of snapshots");
    expect_true(audit, used_bytes_of(fs, MEMFS_CLASS_HANDLES) >= audit->handle_bytes,
                "audit: bytes of handles");
    expect_true(audit, used_bytes_of(fs, MEMFS_CLASS_CHARGED) == audit->block_bytes,
                "audit: bytes of charged memory");
}

static void compare_memory(struct audit *audit)
{
    memfs *fs = audit->fs;
    struct mfs_ledger *ledger = &fs->memory->ledger;
    uint64_t committed = atomic_load(&ledger->committed);
    expect_true(audit, mfs_memory_is_valid(fs->memory), "audit: pieces, pages and slabs");
    expect_true(audit,
                committed == mfs_pool_held_bytes(fs->pool) + fs->family->instance_bytes +
                                 fs->memory->starter_bytes,
                "audit: bytes committed");
    expect_true(audit, mfs_ledger_used(ledger) <= committed, "audit: bytes used");
    expect_true(audit, committed <= atomic_load(&ledger->limit), "audit: the quota");
    expect_true(audit, atomic_load(&ledger->looking) <= used_bytes_of(fs, MEMFS_CLASS_HANDLES),
                "audit: bytes of the looking reserve");
}

/* Sets the instance at hand to each of the family's in turn. */
static void for_each_member(struct audit *audit, void (*visit)(struct audit *))
{
    memfs *asked = audit->fs;
    for (struct mfs_link *at = asked->family->members.first; at != NULL; at = at->next) {
        audit->fs = mfs_fs_of_link(at);
        visit(audit);
    }
    audit->fs = asked;
}

int mfs_audit_run(memfs *fs)
{
    struct audit audit = {.fs = fs, .tally = {.is_valid = true}, .is_sound = true};
    mfs_sync_lock_exclusive(fs->lot, &fs->tree.lock);
    for_each_member(&audit, audit_member);
    compare_pages(&audit);
    compare_bytes_by_class(&audit);
    compare_memory(&audit);
    for_each_member(&audit, unmark_member);
    mfs_sync_unlock_exclusive(fs->lot, &fs->tree.lock);
    return audit.is_sound ? 0 : MEMFS_EIO;
}
