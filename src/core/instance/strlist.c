/*
 * 1. The strings lie one after another, each with its NUL, in chunks; only the last chunk has room
 *    for more.
 * 2. A chunk has STRLIST_CHUNK_BYTES, unless one string needs more.
 *
 * Sorting is a heap sort: in place and without recursion.  The C library's qsort may call malloc,
 * which an instance in an arena must not.
 */
#include "instance/strlist.h"

#include "base/check.h"
#include "base/num.h"

#include <string.h>

struct mfs_strlist_chunk {
    struct mfs_strlist_chunk *next;
    uint32_t used, capacity;
    char bytes[];
};

/* With its block's header, a chunk fits into the smallest page. */
enum {
    STRLIST_CHUNK_BYTES = 192,
    STRLIST_CHUNK_TEXT = STRLIST_CHUNK_BYTES - sizeof(struct mfs_strlist_chunk)
};

/* What memfs_list.opaque points to. */
struct finished_list {
    struct mfs_strlist_chunk *first;
    const char *names[];
};

static int take_block(struct mfs_strlist *list, size_t bytes, void **out)
{
    return mfs_block_take(list->blocks, list->memory, MFS_CHARGE_LOOKING, MEMFS_CLASS_HANDLES,
                          bytes, out);
}

static void free_chunks(struct mfs_block_list *blocks, struct mfs_memory *memory,
                        struct mfs_strlist_chunk *chunk)
{
    while (chunk != NULL) {
        struct mfs_strlist_chunk *next = chunk->next;
        int error = mfs_block_give(blocks, memory, chunk);
        MFS_CHECK(error == 0);
        chunk = next;
    }
}

/* Makes sure that the last chunk has room for `bytes`, which are not more than a path. */
static int make_text_room(struct mfs_strlist *list, size_t bytes)
{
    if (list->last != NULL && bytes <= list->last->capacity - list->last->used)
        return 0;
    void *memory;
    size_t capacity = mfs_num_max_size(bytes, STRLIST_CHUNK_TEXT);
    int error = take_block(list, sizeof(struct mfs_strlist_chunk) + capacity, &memory);
    if (error != 0)
        return error;
    struct mfs_strlist_chunk *chunk = memory;
    *chunk = (struct mfs_strlist_chunk){.capacity = (uint32_t)capacity};
    if (list->last != NULL)
        list->last->next = chunk;
    else
        list->first = chunk;
    list->last = chunk;
    return 0;
}

int mfs_strlist_append(struct mfs_strlist *list, const char *first, size_t first_length,
                       const char *second, size_t second_length)
{
    MFS_CHECK(first_length <= MEMFS_PATH_MAX && second_length <= MEMFS_PATH_MAX);
    size_t bytes = first_length + second_length + 1;
    int error = make_text_room(list, bytes);
    if (error != 0)
        return error;
    char *to = list->last->bytes + list->last->used;
    memcpy(to, first, first_length);
    if (second_length != 0)
        memcpy(to + first_length, second, second_length);
    to[first_length + second_length] = '\0';
    list->last->used += (uint32_t)bytes;
    list->count++;
    return 0;
}

int mfs_strlist_append_names(struct mfs_strlist *list, const struct mfs_dir *dir)
{
    int error = 0;
    const struct mfs_dirent *entry = mfs_dir_at(dir, 0);
    for (; error == 0 && entry != NULL; entry = mfs_dir_next(dir, entry))
        error = mfs_strlist_append(list, entry->name, entry->length, NULL, 0);
    return error;
}

void mfs_strlist_fini(struct mfs_strlist *list)
{
    free_chunks(list->blocks, list->memory, list->first);
    *list = (struct mfs_strlist){.blocks = list->blocks, .memory = list->memory};
}

/* Lets names[at] sink to where both its children come before it. */
static void sink_name(const char **names, size_t at, size_t count)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= count)
            return;
        if (child + 1 < count && strcmp(names[child], names[child + 1]) < 0)
            child++;
        if (strcmp(names[at], names[child]) >= 0)
            return;
        const char *name = names[at];
        names[at] = names[child];
        names[child] = name;
        at = child;
    }
}

static void sort_names(const char **names, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        sink_name(names, i, count);
    for (size_t end = count; end-- > 1;) {
        const char *last = names[end];
        names[end] = names[0];
        names[0] = last;
        sink_name(names, 0, end);
    }
}

/* Drops repetitions from what was sorted; returns the count that is left. */
static size_t drop_repetitions(const char **names, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || strcmp(names[kept - 1], names[i]) != 0)
            names[kept++] = names[i];
    return kept;
}

/* Points to the strings in the order in which they came. */
static void collect_names(const struct mfs_strlist *list, const char **names)
{
    size_t count = 0;
    for (const struct mfs_strlist_chunk *chunk = list->first; chunk != NULL; chunk = chunk->next)
        for (uint32_t at = 0; at < chunk->used; at += (uint32_t)strlen(chunk->bytes + at) + 1)
            names[count++] = chunk->bytes + at;
    MFS_CHECK(count == list->count);
}

int mfs_strlist_finish(struct mfs_strlist *list, memfs_list *out)
{
    size_t bytes;
    void *memory;
    int error = MEMFS_ENOMEM;
    if (mfs_num_mul_size(list->count + 1, sizeof(char *), &bytes) &&
        mfs_num_add_size(bytes, sizeof(struct finished_list), &bytes))
        error = take_block(list, bytes, &memory);
    if (error != 0) {
        mfs_strlist_fini(list);
        return error;
    }
    struct finished_list *finished = memory;
    finished->first = list->first;
    collect_names(list, finished->names);
    sort_names(finished->names, list->count);
    size_t count = drop_repetitions(finished->names, list->count);
    finished->names[count] = NULL;
    *out = (memfs_list){
        .struct_size = sizeof *out, .count = count, .names = finished->names, .opaque = finished};
    return 0;
}

void mfs_strlist_free(struct mfs_block_list *blocks, struct mfs_memory *memory, memfs_list *list)
{
    struct finished_list *finished = list->opaque;
    if (finished == NULL)
        return;
    free_chunks(blocks, memory, finished->first);
    int error = mfs_block_give(blocks, memory, finished);
    MFS_CHECK(error == 0);
    *list = (memfs_list){0};
}
