/*
 * A walk through a tree that stops at every node, with no lock held meanwhile.
 *
 * It keeps a stack of the directories it is in, each by a reference and with the number of the
 * entry that comes next, so that it finds its way on whatever other threads do to the tree in
 * between.  It ends at what was there when it began: entries that were added later, moved entries
 * among them, are left out.  Stack and path are charged memory; nothing recurses.
 */
#ifndef MFS_TOUR_H
#define MFS_TOUR_H

#include "node/chunk.h"
#include "tree/walk.h"

#include <memfs/memfs.h>

struct mfs_tour_frames;

/* Room that a caller lends, so that short paths in shallow trees take no memory. */
struct mfs_tour_room {
    uint64_t frames[MFS_CHUNK_MOST / sizeof(uint64_t)]; /* one chunk of the stack */
    char path[256];
};

struct mfs_tour {
    struct mfs_tree *tree;
    struct mfs_tour_room *lent;     /* null: none */
    uint64_t end;                   /* the highest sequence number when the tour began */
    struct mfs_tour_frames *frames; /* the chunk with the top of the stack; null: none */
    uint32_t depth;                 /* frames */
    char *path;
    size_t path_length, path_capacity;
    size_t name_offset;                     /* of the last name in `path` */
    size_t dir_length;                      /* of the innermost directory's path */
    size_t start_length, start_name_offset; /* as it began */
    struct mfs_node *node; /* where the tour stops now, by a reference; null at the beginning */
    enum { MFS_TOUR_BEGINS, MFS_TOUR_ENTERS, MFS_TOUR_PRUNES, MFS_TOUR_GOES_ON } next_step;
};

struct mfs_tour_stop {
    int event;      /* enum memfs_walk_event */
    uint32_t depth; /* 0: the start */
    struct mfs_node *node;
    const char *path; /* good until the next step, as the node is */
    const char *name;
};

/*
 * Starts at `node`, to which it takes a reference of its own, under the name `path` of `length`
 * bytes.  `lent` may be null, and stays where it is as long as the tour.  mfs_tour_fini() is due
 * even after a failure.  Errors: EDQUOT, ENOMEM.
 */
int mfs_tour_init(struct mfs_tour *tour, struct mfs_tree *tree, struct mfs_tour_room *lent,
                  struct mfs_node *node, const char *path, size_t length);

/* The same at a place where there is something, under its absolute path without links. */
int mfs_tour_init_real(struct mfs_tour *tour, struct mfs_tree *tree, struct mfs_tour_room *lent,
                       const struct mfs_place *place) MFS_REQUIRES_SHARED(tree->lock);

/* 1 and the next stop, 0 at the end, or an error, after which the same step can be tried again:
 * EDQUOT, ENOMEM. */
int mfs_tour_next(struct mfs_tour *tour, struct mfs_tour_stop *out) MFS_EXCLUDES(tour->tree->lock);

/* At a directory that is being entered: its entries are left out. */
void mfs_tour_prune(struct mfs_tour *tour);
void mfs_tour_fini(struct mfs_tour *tour);

/* Every node that the tour refers to: where it stops, and the directories that it is in. */
void mfs_tour_for_each_node(const struct mfs_tour *tour,
                            void (*visit)(void *context, struct mfs_node *node), void *context);

#endif
