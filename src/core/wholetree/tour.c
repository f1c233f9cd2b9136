/*
 *     frames   / <- a <- b         next_sequence in each
 *     path     "/a/b/name"         dir_length: 4, that of b
 *
 * 1. Each frame holds a reference to its directory; the tour holds one to the node it stops at.
 * 2. A step looks in the innermost frame for the next entry.  If there is one, that is the stop;
 *    if not, the stop is the directory itself, being left.
 * 3. The frames lie in chunks; only the top one has room, and none is empty.
 * 4. The path of a directory below the start ends with its name, which has no slash; so its
 *    parent's path is found in it.
 *
 * Cost: 16 bytes for each level of depth, in chunks, and the path.
 *
 * Left undone: the path is one block, since callers see it as a string; a tree that is thousands
 * of levels deep makes it larger than a page.
 */
#include "wholetree/tour.h"

#include "base/check.h"
#include "base/num.h"

#include <string.h>

enum { FIRST_PATH_BYTES = 256 };

struct tour_frame {
    struct mfs_dir_node *dir;
    uint64_t next_sequence;
};

struct mfs_tour_frames {
    struct mfs_tour_frames *below;
    size_t count;
    struct tour_frame frames[];
};

enum {
    FRAMES_IN_CHUNK = (MFS_CHUNK_MOST - sizeof(struct mfs_tour_frames)) / sizeof(struct tour_frame)
};

static struct mfs_memory *memory_of(const struct mfs_tour *tour)
{
    return tour->tree->nodes->memory;
}

static struct mfs_chunk_source frame_source(const struct mfs_tour *tour)
{
    return (struct mfs_chunk_source){memory_of(tour), MEMFS_CLASS_HANDLES, MFS_CHARGE_LOOKING};
}

/* The innermost directory; the stack is not empty. */
static struct tour_frame *top_frame(const struct mfs_tour *tour)
{
    MFS_CHECK(tour->depth > 0 && tour->frames->count > 0);
    return &tour->frames->frames[tour->frames->count - 1];
}

/* Unless it is lent. */
static void free_path(struct mfs_tour *tour)
{
    bool is_lent = tour->lent != NULL && tour->path == tour->lent->path;
    if (tour->path != NULL && !is_lent)
        mfs_memory_give(memory_of(tour), tour->path, tour->path_capacity, MEMFS_CLASS_HANDLES);
    tour->path = NULL;
}

static int make_path_room(struct mfs_tour *tour, size_t bytes)
{
    if (bytes <= tour->path_capacity)
        return 0;
    /* Old and new are there at once, and may have to fit into the looking reserve. */
    size_t capacity = mfs_num_max_size(FIRST_PATH_BYTES, bytes + bytes / 4);
    void *path;
    int error = mfs_memory_take_as(memory_of(tour), MFS_CHARGE_LOOKING, capacity,
                                   MEMFS_CLASS_HANDLES, &path);
    if (error != 0)
        return error;
    if (tour->path != NULL)
        memcpy(path, tour->path, tour->path_capacity);
    free_path(tour);
    tour->path = path;
    tour->path_capacity = capacity;
    return 0;
}

/* Nothing but the room that is lent. */
static void begin_empty(struct mfs_tour *tour, struct mfs_tree *tree, struct mfs_tour_room *lent)
{
    *tour = (struct mfs_tour){.tree = tree, .lent = lent, .end = mfs_walk_newest_sequence(tree)};
    if (lent == NULL)
        return;
    tour->path = lent->path;
    tour->path_capacity = sizeof lent->path;
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
    tour->start_length = length;
    tour->start_name_offset = tour->name_offset;
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
    size_t base = tour->dir_length;
    bool needs_slash = base > 0 && tour->path[base - 1] != '/';
    int error = make_path_room(tour, base + needs_slash + entry->length + 1);
    if (error != 0)
        return error;
    if (needs_slash)
        tour->path[base++] = '/';
    memcpy(tour->path + base, entry->name, entry->length + (size_t)1);
    tour->path_length = base + entry->length;
    MFS_CHECK(tour->path_length < tour->path_capacity && tour->path[tour->path_length] == '\0');
    tour->name_offset = base;
    return 0;
}

static void drop_stop(struct mfs_tour *tour)
{
    if (tour->node != NULL)
        mfs_node_release(tour->tree->nodes, tour->node);
    tour->node = NULL;
}

/* The lowest chunk of the stack may be lent. */
static void *lent_frames(const struct mfs_tour *tour)
{
    return tour->lent != NULL ? tour->lent->frames : NULL;
}

/* Puts a chunk without frames on the stack. */
static int push_chunk(struct mfs_tour *tour)
{
    struct mfs_tour_frames *chunk = tour->frames == NULL ? lent_frames(tour) : NULL;
    if (chunk != NULL) {
        memset(chunk, 0, MFS_CHUNK_MOST);
    } else {
        const struct mfs_chunk_source source = frame_source(tour);
        struct mfs_chunk *spares = NULL;
        int error = mfs_chunk_set_aside(&source, MFS_CHUNK_MOST, &spares);
        if (error != 0)
            return error;
        chunk = mfs_chunk_use(&spares, MFS_CHUNK_MOST);
    }
    chunk->below = tour->frames;
    tour->frames = chunk;
    return 0;
}

/* The directory that the tour stops at becomes the innermost frame, with its reference. */
static int push_frame(struct mfs_tour *tour)
{
    if (tour->frames == NULL || tour->frames->count == FRAMES_IN_CHUNK) {
        int error = push_chunk(tour);
        if (error != 0)
            return error;
    }
    tour->frames->frames[tour->frames->count++] = (struct tour_frame){mfs_node_as_dir(tour->node),
                                                                      0};
    tour->dir_length = tour->path_length;
    tour->depth++;
    tour->node = NULL;
    return 0;
}

/* The path leads to the innermost directory again, whose frame has gone; `dir_length` becomes that
 * of the one above. */
static void cut_path_back(struct mfs_tour *tour)
{
    tour->path_length = tour->dir_length;
    tour->path[tour->path_length] = '\0';
    if (tour->depth == 0) {
        tour->name_offset = tour->start_name_offset;
        return;
    }
    size_t at = tour->path_length;
    while (at > tour->start_length && tour->path[at - 1] != '/')
        at--;
    tour->name_offset = at;
    tour->dir_length = tour->depth > 1 ? at - 1 : tour->start_length;
}

static void pop_frame(struct mfs_tour *tour)
{
    const struct tour_frame *frame = top_frame(tour);
    MFS_CHECK(tour->node == NULL);
    tour->node = &frame->dir->node;
    tour->depth--;
    cut_path_back(tour);
    if (--tour->frames->count == 0) {
        const struct mfs_chunk_source source = frame_source(tour);
        struct mfs_tour_frames *chunk = tour->frames;
        tour->frames = chunk->below;
        if ((void *)chunk != lent_frames(tour))
            mfs_chunk_free(&source, chunk, MFS_CHUNK_MOST);
    }
}

static void stop_here(struct mfs_tour *tour, int event, struct mfs_tour_stop *out)
{
    MFS_CHECK(tour->node != NULL && tour->name_offset <= tour->path_length);
    out->event = event;
    out->depth = tour->depth;
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
static int find_next_entry(struct mfs_tour *tour)
{
    struct mfs_lot *lot = tour->tree->nodes->lot;
    MFS_CHECK(tour->node == NULL);
    struct tour_frame *frame = top_frame(tour);
    int result = 0;
    mfs_sync_lock_shared(lot, &tour->tree->lock);
    struct mfs_dirent *entry = mfs_dir_at(&frame->dir->names, frame->next_sequence);
    if (entry != NULL && entry->sequence <= tour->end) {
        result = set_path(tour, entry);
        if (result == 0) {
            frame->next_sequence = entry->sequence + 1;
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
        error = push_frame(tour);
        break;
    case MFS_TOUR_GOES_ON:
        drop_stop(tour);
        break;
    }
    if (error != 0)
        return error;
    tour->next_step = MFS_TOUR_GOES_ON;
    if (tour->depth == 0)
        return 0;
    int found = find_next_entry(tour);
    if (found < 0)
        return found;
    if (found == 1)
        return arrive(tour, out);
    pop_frame(tour);
    return leave(tour, out);
}

void mfs_tour_prune(struct mfs_tour *tour)
{
    if (tour->next_step == MFS_TOUR_ENTERS)
        tour->next_step = MFS_TOUR_PRUNES;
}

void mfs_tour_fini(struct mfs_tour *tour)
{
    drop_stop(tour);
    while (tour->depth > 0) {
        pop_frame(tour);
        drop_stop(tour);
    }
    MFS_CHECK(tour->frames == NULL);
    free_path(tour);
}

void mfs_tour_for_each_node(const struct mfs_tour *tour,
                            void (*visit)(void *context, struct mfs_node *node), void *context)
{
    if (tour->node != NULL)
        visit(context, tour->node);
    for (const struct mfs_tour_frames *chunk = tour->frames; chunk != NULL; chunk = chunk->below)
        for (size_t index = 0; index < chunk->count; index++)
            visit(context, &chunk->frames[index].dir->node);
}
