/*
 *     frames   / <- a <- b         next_sequence in each
 *     path     "/a/b/name"         path_length of a frame cuts it back
 *
 * A step looks in the innermost frame for the next entry.  If there is one, that
 * is the stop; if not, the stop is the directory itself, being left.
 */
#include "wholetree/tour.h"

#include "base/num.h"

#include <string.h>

enum { FIRST_FRAMES = 16, FIRST_PATH_BYTES = 256 };

static struct mfs_memory *memory_of(const struct mfs_tour *tour)
{
    return tour->tree->nodes->memory;
}

/* An array that grows, which may be lent at first. */
struct stack {
    void *items;
    size_t capacity, item_bytes;
    const void *lent;
};

static void give_stack(struct mfs_memory *memory, const struct stack *stack)
{
    if (stack->items != NULL && stack->items != stack->lent)
        mfs_memory_give(memory, stack->items, stack->capacity * stack->item_bytes,
                        MEMFS_CLASS_HANDLES);
}

/* Grows it so that `needed` items fit. */
static int grow_stack(struct mfs_memory *memory, struct stack *stack, size_t needed, size_t first)
{
    if (needed <= stack->capacity)
        return 0;
    size_t capacity = mfs_num_max_size(mfs_num_max_size(first, needed), stack->capacity * 2);
    void *grown;
    int error = mfs_memory_take(memory, capacity * stack->item_bytes, MEMFS_CLASS_HANDLES, &grown);
    if (error != 0)
        return error;
    if (stack->items != NULL)
        memcpy(grown, stack->items, stack->capacity * stack->item_bytes);
    give_stack(memory, stack);
    stack->items = grown;
    stack->capacity = capacity;
    return 0;
}

static struct stack path_stack(const struct mfs_tour *tour)
{
    return (struct stack){.items = tour->path,
                          .capacity = tour->path_capacity,
                          .item_bytes = 1,
                          .lent = tour->lent != NULL ? tour->lent->path : NULL};
}

static struct stack frame_stack(const struct mfs_tour *tour)
{
    return (struct stack){.items = tour->frames,
                          .capacity = tour->frame_capacity,
                          .item_bytes = sizeof *tour->frames,
                          .lent = tour->lent != NULL ? tour->lent->frames : NULL};
}

static int make_path_room(struct mfs_tour *tour, size_t bytes)
{
    struct stack stack = path_stack(tour);
    int error = grow_stack(memory_of(tour), &stack, bytes, FIRST_PATH_BYTES);
    tour->path = stack.items;
    tour->path_capacity = stack.capacity;
    return error;
}

/* Nothing but the room that is lent. */
static void begin_empty(struct mfs_tour *tour, struct mfs_tree *tree, struct mfs_tour_room *lent)
{
    *tour = (struct mfs_tour){.tree = tree, .lent = lent};
    if (lent == NULL)
        return;
    tour->path = lent->path;
    tour->path_capacity = sizeof lent->path;
    tour->frames = lent->frames;
    tour->frame_capacity = sizeof lent->frames / sizeof lent->frames[0];
}

static const char *name_in(const char *path)
{
    const char *name = path;
    for (const char *at = path; *at != '\0'; at++)
        if (*at == '/' && at[1] != '\0' && at[1] != '/')
            name = at + 1;
    return name;
}

/* The path is there; the tour begins at its end. */
static void start_at(struct mfs_tour *tour, struct mfs_node *node, size_t length)
{
    tour->path[length] = '\0';
    tour->path_length = length;
    tour->name_offset = (size_t)(name_in(tour->path) - tour->path);
    mfs_node_retain(node);
    tour->node = node;
}

int mfs_tour_init(struct mfs_tour *tour, struct mfs_tree *tree, struct mfs_tour_room *lent,
                  struct mfs_node *node, const char *path, size_t length)
{
    begin_empty(tour, tree, lent);
    int error = make_path_room(tour, length + 1);
    if (error != 0)
        return error;
    memcpy(tour->path, path, length);
    start_at(tour, node, length);
    return 0;
}

int mfs_tour_init_real(struct mfs_tour *tour, struct mfs_tree *tree, struct mfs_tour_room *lent,
                       const struct mfs_place *place)
{
    begin_empty(tour, tree, lent);
    size_t length = mfs_walk_path_length(tree, place);
    int error = make_path_room(tour, length + 1);
    if (error != 0)
        return error;
    mfs_walk_write_path(tree, place, tour->path, length);
    start_at(tour, place->node, length);
    return 0;
}

/* Appends a name to the path of the innermost directory. */
static int set_path(struct mfs_tour *tour, const struct mfs_dirent *entry)
{
    size_t base = tour->frames[tour->depth - 1].path_length;
    bool needs_slash = base > 0 && tour->path[base - 1] != '/';
    int error = make_path_room(tour, base + needs_slash + entry->length + 1);
    if (error != 0)
        return error;
    if (needs_slash)
        tour->path[base++] = '/';
    memcpy(tour->path + base, entry->name, entry->length + (size_t)1);
    tour->path_length = base + entry->length;
    tour->name_offset = base;
    return 0;
}

static void drop_node(struct mfs_tour *tour)
{
    if (tour->node != NULL)
        mfs_node_release(tour->tree->nodes, tour->node);
    tour->node = NULL;
}

/* The directory that the tour stops at becomes the innermost frame, with its reference. */
static int push(struct mfs_tour *tour)
{
    struct stack stack = frame_stack(tour);
    int error = grow_stack(memory_of(tour), &stack, tour->depth + 1, FIRST_FRAMES);
    tour->frames = stack.items;
    tour->frame_capacity = stack.capacity;
    if (error != 0)
        return error;
    tour->frames[tour->depth++] = (struct mfs_tour_frame){mfs_node_as_dir(tour->node), 0,
                                                          tour->path_length, tour->name_offset};
    tour->node = NULL;
    return 0;
}

static void pop(struct mfs_tour *tour)
{
    struct mfs_tour_frame *frame = &tour->frames[--tour->depth];
    tour->node = &frame->dir->node;
    tour->path_length = frame->path_length;
    tour->name_offset = frame->name_offset;
    tour->path[tour->path_length] = '\0';
}

static void stop_here(struct mfs_tour *tour, int event, struct mfs_tour_stop *out)
{
    out->event = event;
    out->depth = (uint32_t)tour->depth;
    out->node = tour->node;
    out->path = tour->path;
    out->name = tour->path + tour->name_offset;
}

static int arrive(struct mfs_tour *tour, struct mfs_tour_stop *out)
{
    bool is_dir = mfs_node_as_dir(tour->node) != NULL;
    tour->next_step = is_dir ? MFS_TOUR_ENTERS : MFS_TOUR_GOES_ON;
    stop_here(tour, is_dir ? MEMFS_WALK_ENTER : MEMFS_WALK_ENTRY, out);
    return 1;
}

/* Looks for the next entry of the innermost directory; 1 if there is one. */
static int find_entry(struct mfs_tour *tour)
{
    struct mfs_lot *lot = tour->tree->nodes->lot;
    struct mfs_tour_frame *frame = &tour->frames[tour->depth - 1];
    int result = 0;
    mfs_sync_lock_shared(lot, &tour->tree->lock);
    struct mfs_dirent *entry = mfs_dir_at(&frame->dir->names, frame->next_sequence);
    if (entry != NULL) {
        result = set_path(tour, entry);
        if (result == 0) {
            frame->next_sequence = entry->u.sequence + 1;
            mfs_node_retain(entry->node);
            tour->node = entry->node;
            result = 1;
        }
    }
    mfs_sync_unlock_shared(lot, &tour->tree->lock);
    return result;
}

static int leave(struct mfs_tour *tour, struct mfs_tour_stop *out)
{
    tour->next_step = MFS_TOUR_GOES_ON;
    stop_here(tour, MEMFS_WALK_LEAVE, out);
    return 1;
}

int mfs_tour_next(struct mfs_tour *tour, struct mfs_tour_stop *out)
{
    int error = 0;
    switch (tour->next_step) {
    case MFS_TOUR_BEGINS:
        return arrive(tour, out);
    case MFS_TOUR_PRUNES:
        return leave(tour, out);
    case MFS_TOUR_ENTERS:
        error = push(tour);
        break;
    case MFS_TOUR_GOES_ON:
        drop_node(tour);
        break;
    }
    if (error != 0)
        return error;
    tour->next_step = MFS_TOUR_GOES_ON;
    if (tour->depth == 0)
        return 0;
    int found = find_entry(tour);
    if (found < 0)
        return found;
    if (found == 1)
        return arrive(tour, out);
    pop(tour);
    return leave(tour, out);
}

void mfs_tour_prune(struct mfs_tour *tour)
{
    if (tour->next_step == MFS_TOUR_ENTERS)
        tour->next_step = MFS_TOUR_PRUNES;
}

void mfs_tour_fini(struct mfs_tour *tour)
{
    struct mfs_memory *memory = memory_of(tour);
    drop_node(tour);
    while (tour->depth > 0) {
        pop(tour);
        drop_node(tour);
    }
    const struct stack frames = frame_stack(tour), path = path_stack(tour);
    give_stack(memory, &frames);
    give_stack(memory, &path);
}
