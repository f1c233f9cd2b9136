/*
 * Sorting is a heap sort: in place and without recursion.  The C library's qsort
 * may call malloc, which an instance in an arena must not.
 */
#include "instance/strlist.h"

#include "base/num.h"

#include <string.h>

enum { FIRST_CAPACITY = 256 };

/* What memfs_list.opaque points to. */
struct finished {
    char *bytes;
    const char *names[];
};

static int take(struct mfs_strlist *list, size_t bytes, void **out)
{
    return mfs_block_take(list->blocks, list->memory, MFS_CHARGE_ORDINARY, MEMFS_CLASS_HANDLES,
                          bytes, out);
}

static int make_room(struct mfs_strlist *list, size_t more)
{
    size_t needed;
    if (!mfs_num_add_size(list->used, more, &needed))
        return MEMFS_ENOMEM;
    if (needed <= list->capacity)
        return 0;
    size_t capacity = mfs_num_max_size(FIRST_CAPACITY,
                                       mfs_num_max_size(needed, list->capacity * 2));
    void *grown;
    int error = take(list, capacity, &grown);
    if (error != 0)
        return error;
    if (list->used != 0)
        memcpy(grown, list->bytes, list->used);
    if (list->bytes != NULL)
        (void)mfs_block_give(list->blocks, list->memory, list->bytes);
    list->bytes = grown;
    list->capacity = capacity;
    return 0;
}

int mfs_strlist_append(struct mfs_strlist *list, const char *first, size_t first_length,
                       const char *second, size_t second_length)
{
    int error = make_room(list, first_length + second_length + 1);
    if (error != 0)
        return error;
    char *to = list->bytes + list->used;
    memcpy(to, first, first_length);
    if (second_length != 0)
        memcpy(to + first_length, second, second_length);
    to[first_length + second_length] = '\0';
    list->used += first_length + second_length + 1;
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
    if (list->bytes != NULL)
        (void)mfs_block_give(list->blocks, list->memory, list->bytes);
    *list = (struct mfs_strlist){.blocks = list->blocks, .memory = list->memory};
}

/* Lets names[at] sink to where both its children come before it. */
static void sink(const char **names, size_t at, size_t count)
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

static void sort(const char **names, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        sink(names, i, count);
    for (size_t end = count; end-- > 1;) {
        const char *last = names[end];
        names[end] = names[0];
        names[0] = last;
        sink(names, 0, end);
    }
}

/* Drops repetitions from what was sorted; returns the count that is left. */
static size_t unite(const char **names, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || strcmp(names[kept - 1], names[i]) != 0)
            names[kept++] = names[i];
    return kept;
}

int mfs_strlist_finish(struct mfs_strlist *list, memfs_list *out)
{
    size_t bytes;
    void *memory;
    int error = MEMFS_ENOMEM;
    if (mfs_num_mul_size(list->count + 1, sizeof(char *), &bytes) &&
        mfs_num_add_size(bytes, sizeof(struct finished), &bytes))
        error = take(list, bytes, &memory);
    if (error != 0) {
        mfs_strlist_fini(list);
        return error;
    }
    struct finished *finished = memory;
    finished->bytes = list->bytes;
    const char *name = list->bytes;
    for (size_t i = 0; i < list->count; i++, name += strlen(name) + 1)
        finished->names[i] = name;
    sort(finished->names, list->count);
    size_t count = unite(finished->names, list->count);
    finished->names[count] = NULL;
    *out = (memfs_list){
        .struct_size = sizeof *out, .count = count, .names = finished->names, .opaque = finished};
    return 0;
}

void mfs_strlist_free(struct mfs_block_list *blocks, struct mfs_memory *memory, memfs_list *list)
{
    struct finished *finished = list->opaque;
    if (finished == NULL)
        return;
    if (finished->bytes != NULL)
        (void)mfs_block_give(blocks, memory, finished->bytes);
    (void)mfs_block_give(blocks, memory, finished);
    *list = (memfs_list){0};
}
