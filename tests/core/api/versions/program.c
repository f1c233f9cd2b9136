/*
 * PROGRAM_NAME is older_program, same_program or newer_program.  The newer headers give each
 * struct with a struct_size an `added_field`, and PROGRAM_IS_NEWER is 1.
 */
#include "program.h"

#include <memfs/memfs.h>

#include <stdlib.h>

enum { GUARD_BYTES = 64, FILLING = 0xa5 };

/* A struct for memfs to fill: garbage but for its size, and with a guard behind it. */
#define FILLED(type, name) \
    struct { \
        type it; \
        unsigned char guard[GUARD_BYTES]; \
    } name; \
    memset(&(name), FILLING, sizeof(name)); \
    (name).it.struct_size = sizeof((name).it)

#if PROGRAM_IS_NEWER
#define IS_ADDED_ZERO(name) ((name).it.added_field == 0)
#else
#define IS_ADDED_ZERO(name) 1
#endif

#define IS_INTACT(name) \
    (is_guard_whole((name).guard) && (name).it.struct_size == sizeof((name).it) && \
     IS_ADDED_ZERO(name))

#define EXPECT(condition) \
    do { \
        if (!(condition)) \
            return #condition; \
    } while (0)

static int is_guard_whole(const unsigned char *guard)
{
    for (int i = 0; i < GUARD_BYTES; i++)
        if (guard[i] != FILLING)
            return 0;
    return 1;
}

static void *take(void *context, size_t bytes)
{
    ++*(int *)context;
    return malloc(bytes);
}

static void give(void *context, void *memory, size_t bytes)
{
    --*(int *)context;
    (void)bytes;
    free(memory);
}

static int blocks;

static const char *creates(memfs **out)
{
    memfs_allocator allocator;
    memfs_config config, initialised;
    memset(&allocator, 0, sizeof allocator);
    memset(&initialised, FILLING, sizeof initialised);
    allocator.struct_size = sizeof allocator;
    allocator.context = &blocks;
    allocator.take = take;
    allocator.give = give;
    config = memfs_config_default();
    EXPECT(memfs_config_init(&initialised, sizeof initialised) == 0);
    EXPECT(memcmp(&initialised, &config, sizeof config) == 0);
    config.allocator = &allocator;
    config.page_size = 1024;
    config.root_mode = 0700;
    EXPECT(memfs_create(&config, out) == 0);
    EXPECT(blocks > 0);
    return NULL;
}

static const char *asks(memfs *fs)
{
    FILLED(memfs_stat_info, stat);
    EXPECT(memfs_stat(fs, "/", &stat.it) == 0);
    EXPECT(IS_INTACT(stat) && stat.it.mode == 0700 && stat.it.kind == MEMFS_KIND_DIRECTORY);
    FILLED(memfs_statfs_info, statfs);
    EXPECT(memfs_statfs(fs, &statfs.it) == 0);
    EXPECT(IS_INTACT(statfs) && statfs.it.page_size == 1024 && statfs.it.files == 1);
    FILLED(memfs_tree_info, tree);
    EXPECT(memfs_tree_usage(fs, "/", &tree.it) == 0);
    EXPECT(IS_INTACT(tree) && tree.it.files == 1 && tree.it.size_bytes == 5);
    FILLED(memfs_sharing_info, sharing);
    EXPECT(memfs_tree_sharing(fs, "/", &sharing.it) == 0);
    EXPECT(IS_INTACT(sharing));
    FILLED(memfs_snapshot_info, snapshot);
    EXPECT(memfs_snapshot_stat(fs, "s", &snapshot.it) == 0);
    EXPECT(IS_INTACT(snapshot) && snapshot.it.files == 1 && snapshot.it.size_bytes == 5);
    FILLED(memfs_refusal, refusal);
    EXPECT(memfs_last_refusal(fs, &refusal.it) == 0);
    EXPECT(IS_INTACT(refusal) && refusal.it.error == 0);
    FILLED(memfs_list, list);
    EXPECT(memfs_list_dir(fs, "/", &list.it) == 0);
    EXPECT(IS_INTACT(list) && list.it.count == 1 && strcmp(list.it.names[0], "file") == 0);
    memfs_list_free(fs, &list.it);
    EXPECT(IS_INTACT(list) && list.it.count == 0);
    memfs_dir *dir;
    FILLED(memfs_dirent, entry);
    EXPECT(memfs_opendir(fs, "/", &dir) == 0);
    EXPECT(memfs_readdir(dir, &entry.it) == 1);
    EXPECT(IS_INTACT(entry) && strcmp(entry.it.name, "file") == 0);
    EXPECT(memfs_closedir(dir) == 0);
    return NULL;
}

static const char *opens(memfs *fs)
{
    memfs_file *file;
    memfs_open_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.flags = MEMFS_O_RDWR;
    EXPECT(memfs_open_with(fs, "/file", &options, &file) == 0);
    EXPECT(memfs_pwrite(file, "HE", 2, 0) == 2);
    EXPECT(memfs_close(file) == 0);
    return NULL;
}

static int visit(void *context, const memfs_walk_entry *entry)
{
    if (entry->struct_size >= offsetof(memfs_walk_entry, stat) + sizeof entry->stat &&
        entry->stat->number != 0)
        ++*(int *)context;
    return MEMFS_WALK_CONTINUE;
}

static const char *walks(memfs *fs)
{
    int visited = 0;
    EXPECT(memfs_walk(fs, "/", visit, &visited) == 0);
    EXPECT(visited == 3); /* into the root, the file, out of the root */
    return NULL;
}

#if PROGRAM_IS_NEWER
static const char *uses_fields_of_the_future(memfs *fs)
{
    memfs *other = NULL;
    memfs_file *file = NULL;
    memfs_allocator allocator;
    memfs_open_options options;
    memfs_config config = memfs_config_default();
    config.added_field = 1;
    EXPECT(memfs_create(&config, &other) == MEMFS_E2BIG && other == NULL);
    memset(&allocator, 0, sizeof allocator);
    allocator.struct_size = sizeof allocator;
    allocator.context = &blocks;
    allocator.take = take;
    allocator.give = give;
    allocator.added_field = 1;
    config.added_field = 0;
    config.allocator = &allocator;
    EXPECT(memfs_create(&config, &other) == MEMFS_E2BIG && other == NULL);
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.added_field = 1;
    EXPECT(memfs_open_with(fs, "/file", &options, &file) == MEMFS_E2BIG && file == NULL);
    return NULL;
}
#endif

const struct program PROGRAM_NAME = {
    .config_bytes = sizeof(memfs_config),
    .stat_bytes = sizeof(memfs_stat_info),
    .creates = creates,
    .asks = asks,
    .opens = opens,
    .walks = walks,
#if PROGRAM_IS_NEWER
    .uses_fields_of_the_future = uses_fields_of_the_future,
#endif
};
