/*
 * The generator.  Names are few, so that operations meet each other; offsets
 * and sizes keep near page borders, where the mistakes are; now and then comes
 * something far away, too long, negative or with a trailing slash.
 *
 * For the host no path may leave the root by "..", since there the root is an
 * ordinary directory: no symlink target holds "..", is "." or starts with '/',
 * so each named component goes down at least one level, and counting
 * components is enough to know the depth.  Nor does one begin with ".": of a
 * directory that is removed Linux also finds "..", and memfs only ".".
 */
#include "operation.h"
#include "random.h"

#include <memfs/memfs.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[OP_END] = {
    [OP_OPEN] = "open",
    [OP_CLOSE] = "close",
    [OP_READ] = "read",
    [OP_WRITE] = "write",
    [OP_SEEK] = "seek",
    [OP_FTRUNCATE] = "ftruncate",
    [OP_TRUNCATE] = "truncate",
    [OP_ALLOCATE] = "allocate",
    [OP_MKDIR] = "mkdir",
    [OP_RMDIR] = "rmdir",
    [OP_UNLINK] = "unlink",
    [OP_RENAME] = "rename",
    [OP_LINK] = "link",
    [OP_SYMLINK] = "symlink",
    [OP_READLINK] = "readlink",
    [OP_LIST] = "list",
    [OP_OPENDIR] = "opendir",
    [OP_CLOSEDIR] = "closedir",
    [OP_LINK_FILE] = "link_file",
    [OP_COPY] = "copy",
    [OP_WRITE_FILE] = "write_file",
    [OP_MKDIR_PARENTS] = "mkdir_parents",
    [OP_COPY_TREE] = "copy_tree",
    [OP_REMOVE_TREE] = "remove_tree",
    [OP_MAP] = "map",
    [OP_CUT_PREALLOCATED] = "cut_preallocated",
    [OP_PREALLOCATE] = "preallocate",
    [OP_VERSION_TAKE] = "version_take",
    [OP_VERSION_RESTORE] = "version_restore",
    [OP_VERSION_DROP] = "version_drop",
    [OP_VERSION_READ] = "version_read",
    [OP_SNAPSHOT] = "snapshot",
    [OP_SNAPSHOT_REMOVE] = "snapshot_remove",
    [OP_SNAPSHOT_EXTRACT] = "snapshot_extract",
    [OP_RESTORE] = "restore",
};

/* How often each kind comes, in some unit. */
static const unsigned char weights[OP_END] = {
    [OP_OPEN] = 24,
    [OP_CLOSE] = 3,
    [OP_READ] = 14,
    [OP_WRITE] = 30,
    [OP_SEEK] = 14,
    [OP_FTRUNCATE] = 8,
    [OP_TRUNCATE] = 6,
    [OP_ALLOCATE] = 10,
    [OP_MKDIR] = 16,
    [OP_RMDIR] = 4,
    [OP_UNLINK] = 10,
    [OP_RENAME] = 18,
    [OP_LINK] = 8,
    [OP_SYMLINK] = 8,
    [OP_READLINK] = 4,
    [OP_LIST] = 3,
    [OP_OPENDIR] = 4,
    [OP_CLOSEDIR] = 2,
    [OP_LINK_FILE] = 3,
    [OP_COPY] = 8,
    [OP_WRITE_FILE] = 8,
    [OP_MKDIR_PARENTS] = 4,
    [OP_COPY_TREE] = 3,
    [OP_REMOVE_TREE] = 2,
    [OP_MAP] = 6,
    [OP_CUT_PREALLOCATED] = 4,
    [OP_PREALLOCATE] = 8,
    [OP_VERSION_TAKE] = 5,
    [OP_VERSION_RESTORE] = 3,
    [OP_VERSION_DROP] = 2,
    [OP_VERSION_READ] = 3,
    [OP_SNAPSHOT] = 2,
    [OP_SNAPSHOT_REMOVE] = 1,
    [OP_SNAPSHOT_EXTRACT] = 1,
    [OP_RESTORE] = 1,
};

void generator_init(struct generator *generator, uint64_t seed, uint32_t page_size,
                    int64_t far_offset, int host)
{
    generator->state = seed;
    generator->page_size = page_size;
    generator->far_offset = far_offset;
    generator->host = host;
}

uint64_t generator_next(struct generator *generator)
{
    return random_next(&generator->state);
}

uint64_t generator_below(struct generator *generator, uint64_t limit)
{
    return generator_next(generator) % limit;
}

static int one_in(struct generator *generator, uint64_t many)
{
    return generator_below(generator, many) == 0;
}

/* Names by what they mostly are, so that most paths lead somewhere; any may be anything. */
enum name_class { DIRECTORY_NAMES, FILE_NAMES, LINK_NAMES, NAME_CLASSES };

static const char *make_name(struct generator *generator, enum name_class class)
{
    static const char names[NAME_CLASSES][3][4] = {
        {"a", "b", "c"}, {"x", "y", "zz"}, {"l", "m", "n"}};
    if (one_in(generator, 6))
        class = (enum name_class)generator_below(generator, NAME_CLASSES);
    return names[class][generator_below(generator, 3)];
}

/* Appends a component; `depth` is how far below the root the path leads at least. */
static void append_component(struct generator *generator, char *path, enum name_class class,
                             int *depth)
{
    size_t length = strlen(path);
    if (length > 0)
        path[length++] = '/';
    if (one_in(generator, 100) && length > 0)
        path[length++] = '/';
    path[length] = '\0';
    uint64_t choice = generator_below(generator, 80);
    if (choice == 0 && (!generator->host || *depth > 0)) {
        strcpy(path + length, ".");
    } else if (choice == 1 && (!generator->host || *depth > 0)) {
        strcpy(path + length, "..");
        *depth -= 1;
    } else {
        strcpy(path + length, make_name(generator, class));
        *depth += 1;
    }
}

static enum name_class class_of(struct generator *generator, const struct operation *operation)
{
    switch (operation->kind) {
    case OP_MKDIR:
    case OP_RMDIR:
    case OP_LIST:
    case OP_OPENDIR:
    case OP_MKDIR_PARENTS:
    case OP_COPY_TREE:
    case OP_REMOVE_TREE:
    case OP_SNAPSHOT_EXTRACT:
        return DIRECTORY_NAMES;
    case OP_SYMLINK:
    case OP_READLINK:
        return LINK_NAMES;
    case OP_RENAME:
        return (enum name_class)generator_below(generator, NAME_CLASSES);
    default:
        return FILE_NAMES;
    }
}

/* Which of two errors comes first is not specified, so of two paths none is too long. */
static void make_path(struct generator *generator, char *path, enum name_class class,
                      int may_be_too_long)
{
    int depth = 0;
    path[0] = '\0';
    uint64_t count = generator_below(generator, 8);
    count = count < 3 ? 1 : count < 6 ? 2 : 3;
    for (; count > 1; count--)
        append_component(generator, path, one_in(generator, 6) ? LINK_NAMES : DIRECTORY_NAMES,
                         &depth);
    append_component(generator, path, class, &depth);
    if (one_in(generator, 40))
        strcat(path, "/");
    if (one_in(generator, 400)) {
        size_t too_many = may_be_too_long ? (size_t)generator_below(generator, 2) : 0;
        size_t long_name = MEMFS_NAME_MAX + too_many;
        memset(path, 'n', long_name);
        path[long_name] = '\0';
    }
    if (!generator->host && one_in(generator, 20)) {
        memmove(path + 1, path, strlen(path) + 1);
        path[0] = '/';
    }
    if (one_in(generator, 1000))
        path[0] = '\0';
}

static void make_link_text(struct generator *generator, char *text)
{
    if (generator->host) {
        static const char *const texts[] = {"a", "b", "x", "y", "l", "./a", "a/b", "b/x", "nope"};
        strcpy(text, texts[generator_below(generator, 9)]);
    } else {
        static const char *const texts[] = {"a",  "x",   "/c",   "../y", "l", "./a",
                                            "..", "b/x", "nope", "/",    ".", "a/"};
        strcpy(text, texts[generator_below(generator, 12)]);
    }
}

static int make_at(struct generator *generator)
{
    return one_in(generator, 5) ? (int)generator_below(generator, DIRECTORY_SLOTS) : AT_ROOT;
}

static int64_t make_offset(struct generator *generator)
{
    int64_t page = generator->page_size;
    int64_t border = page * (int64_t)generator_below(generator, 7);
    switch (generator_below(generator, 8)) {
    case 0:
        return 0;
    case 1:
    case 2:
        return border;
    case 3:
        return border + 1;
    case 4:
        return border > 0 ? border - 1 : 2;
    case 5:
        if (one_in(generator, 6))
            return (int64_t)generator_below(generator, (uint64_t)generator->far_offset);
        return (int64_t)generator_below(generator, (uint64_t)page * 4);
    default:
        return (int64_t)generator_below(generator, (uint64_t)page * 2);
    }
}

static int64_t make_size(struct generator *generator)
{
    int64_t page = generator->page_size;
    switch (generator_below(generator, 8)) {
    case 0:
        return one_in(generator, 4) ? 0 : 1;
    case 1:
    case 2:
        return (int64_t)generator_below(generator, 100);
    case 3:
        return page;
    case 4:
        return page - 1 + 2 * (int64_t)generator_below(generator, 2);
    case 5:
        return (int64_t)generator_below(generator, (uint64_t)page * 3);
    default:
        return (int64_t)generator_below(generator, (uint64_t)page);
    }
}

static uint32_t make_open_flags(struct generator *generator)
{
    uint32_t flags = one_in(generator, 2) ? MEMFS_O_RDWR
                                          : 1 + (uint32_t)generator_below(generator, 3);
    if (one_in(generator, 25))
        return MEMFS_O_RDWR | MEMFS_O_TMPFILE;
    if (one_in(generator, 15))
        return MEMFS_O_READ | MEMFS_O_DIRECTORY;
    if (one_in(generator, 6))
        flags |= MEMFS_O_TRUNCATE;
    if (!one_in(generator, 4))
        flags |= MEMFS_O_CREATE | (one_in(generator, 8) ? MEMFS_O_EXCLUSIVE : 0);
    if (one_in(generator, 8))
        flags |= MEMFS_O_APPEND;
    if (one_in(generator, 8))
        flags |= MEMFS_O_NOFOLLOW;
    return flags;
}

static uint32_t make_allocate_flags(struct generator *generator)
{
    if (generator->host)
        return one_in(generator, 2) ? 0 : MEMFS_FALLOCATE_PUNCH_HOLE;
    static const uint32_t choices[] = {0,
                                       MEMFS_FALLOCATE_KEEP_SIZE,
                                       MEMFS_FALLOCATE_PUNCH_HOLE,
                                       MEMFS_FALLOCATE_PUNCH_HOLE,
                                       MEMFS_FALLOCATE_ZERO_RANGE,
                                       MEMFS_FALLOCATE_ZERO_RANGE | MEMFS_FALLOCATE_KEEP_SIZE,
                                       MEMFS_FALLOCATE_PUNCH_HOLE | MEMFS_FALLOCATE_KEEP_SIZE};
    return choices[generator_below(generator, sizeof choices / sizeof *choices)];
}

static uint32_t make_rename_flags(struct generator *generator)
{
    switch (generator_below(generator, 10)) {
    case 0:
        return MEMFS_RENAME_NOREPLACE;
    case 1:
    case 2:
        return MEMFS_RENAME_EXCHANGE;
    default:
        return 0;
    }
}

static enum operation_kind make_kind(struct generator *generator)
{
    int end = generator->host ? OP_HOST_END : OP_END;
    unsigned sum = 0;
    for (int i = 0; i < end; i++)
        sum += weights[i];
    unsigned left = (unsigned)generator_below(generator, sum);
    int kind = 0;
    while (left >= weights[kind])
        left -= weights[kind++];
    return (enum operation_kind)kind;
}

static void make_range(struct generator *generator, struct operation *out)
{
    out->offset = make_offset(generator);
    out->size = make_size(generator);
    if (one_in(generator, 200))
        out->offset = -out->offset - 1;
    if (one_in(generator, 200) && out->size > 0 && out->kind != OP_SEEK)
        out->offset = INT64_MAX - (int64_t)generator_below(generator, (uint64_t)out->size);
    if (out->kind == OP_SEEK) {
        out->whence = (int)generator_below(generator, 5);
        if (out->whence == MEMFS_SEEK_DATA || out->whence == MEMFS_SEEK_HOLE)
            out->offset &= INT64_MAX;
        else if (out->whence != MEMFS_SEEK_SET && one_in(generator, 2))
            out->offset = -(out->offset & INT64_MAX);
    }
    if (out->kind == OP_FTRUNCATE || out->kind == OP_TRUNCATE) {
        out->size = make_offset(generator);
        if (one_in(generator, 100))
            out->size = -1;
    }
    if (out->kind == OP_ALLOCATE)
        out->size += (int64_t)generator_below(generator, 2) * generator->page_size;
}

static void strip_slash(char *path)
{
    size_t length = strlen(path);
    if (length > 0 && path[length - 1] == '/')
        path[length - 1] = '\0';
}

void generator_operation(struct generator *generator, struct operation *out)
{
    memset(out, 0, sizeof *out);
    out->kind = make_kind(generator);
    int has_two_paths = out->kind == OP_RENAME || out->kind == OP_LINK || out->kind == OP_COPY ||
                        out->kind == OP_COPY_TREE;
    enum name_class class = class_of(generator, out);
    make_path(generator, out->path, class, !has_two_paths);
    make_path(generator, out->other, class, 0);
    out->at = make_at(generator);
    out->other_at = make_at(generator);
    out->slot = (unsigned)generator_below(generator, HANDLE_SLOTS - 1);
    out->extra_slot = (unsigned)generator_below(generator, VERSION_SLOTS);
    out->positioned = (int)generator_below(generator, 2);
    out->parts = one_in(generator, 6) ? 3 : 1;
    out->data_seed = generator_next(generator);
    make_range(generator, out);
    if (out->kind == OP_OPEN)
        out->flags = make_open_flags(generator);
    else if (out->kind == OP_ALLOCATE)
        out->flags = make_allocate_flags(generator);
    else if (out->kind == OP_RENAME)
        out->flags = make_rename_flags(generator);
    else if (out->kind == OP_LINK)
        out->flags = one_in(generator, 3) ? MEMFS_AT_FOLLOW : 0;
    else if (out->kind == OP_COPY)
        out->flags = one_in(generator, 4) ? MEMFS_COPY_NOREPLACE : 0;
    /* Whether punching out all of a content that is shorter than a page frees it is left open. */
    if (out->kind == OP_ALLOCATE && out->offset == 0 && (out->flags & MEMFS_FALLOCATE_PUNCH_HOLE))
        out->size += generator->page_size;
    if (out->kind == OP_SYMLINK)
        make_link_text(generator, out->other);
    else if (out->kind == OP_MKDIR_PARENTS && strchr(out->path, '.') != NULL)
        strcpy(out->path, "a/b/c");
    /* Linux says EISDIR to all of them; POSIX and memfs look at what is there. */
    if (generator->host && out->kind == OP_OPEN && (out->flags & MEMFS_O_CREATE))
        strip_slash(out->path);
    if (generator->host && out->kind == OP_COPY)
        strip_slash(out->other);
}

void operation_print(const struct operation *operation, const struct outcome *outcome)
{
    fprintf(stderr,
            "%-15s at=%d '%s' at=%d '%s' slot=%u extra=%u flags=0x%" PRIx32
            " positioned=%d parts=%d whence=%d offset=%" PRId64 " size=%" PRId64,
            kind_names[operation->kind], operation->at, operation->path, operation->other_at,
            operation->other, operation->slot, operation->extra_slot, operation->flags,
            operation->positioned, operation->parts, operation->whence, operation->offset,
            operation->size);
    if (outcome->result < 0)
        fprintf(stderr, " = %s\n", memfs_error_name((int)outcome->result));
    else
        fprintf(stderr, " = %" PRId64 " %016" PRIx64 "\n", outcome->result, outcome->hash);
}

static unsigned char *grown(unsigned char **buffer, size_t *room, size_t length)
{
    if (*room < length + 8) {
        *room = length + 8;
        *buffer = realloc(*buffer, *room);
        if (*buffer == NULL)
            abort();
    }
    return *buffer;
}

const unsigned char *operation_data(uint64_t data_seed, size_t length)
{
    static unsigned char *buffer;
    static size_t room;
    unsigned char *data = grown(&buffer, &room, length);
    struct generator generator;
    generator_init(&generator, data_seed, 0, 0, 0);
    for (size_t i = 0; i < length; i += 8) {
        uint64_t word = generator_next(&generator);
        memcpy(data + i, &word, sizeof word);
    }
    return data;
}

unsigned char *operation_buffer(size_t length)
{
    static unsigned char *buffer;
    static size_t room;
    return grown(&buffer, &room, length);
}

uint64_t hash_bytes(uint64_t hash, const void *data, size_t length)
{
    const unsigned char *bytes = data;
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x100000001b3);
        hash ^= hash >> 29;
    }
    for (; i < length; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

int64_t operation_cut(const struct operation *operation, int64_t size, int64_t *preallocated_end)
{
    uint64_t limit = (uint64_t)size + 1;
    *preallocated_end = (int64_t)(operation->data_seed % 65521 % limit);
    return (int64_t)(operation->data_seed / 65521 % 8191 % limit);
}

int64_t operation_preallocation(const struct operation *operation, int64_t size, uint64_t pages,
                                uint32_t page_size)
{
    uint64_t some_pages = operation->data_seed % ((uint64_t)page_size * 6);
    if (pages <= 1)
        return size + page_size + (int64_t)some_pages;
    if (operation->data_seed / 7919 % 2 == 0)
        return size + (int64_t)some_pages;
    return (int64_t)(operation->data_seed % ((uint64_t)size + 1));
}
