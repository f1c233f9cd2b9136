/*
 * A tree with a little of everything in a quota that is then filled: by data, names, nodes and
 * charged memory, until not one more byte fits anywhere.
 *
 *     /d/a.txt  /d/b.txt      "hello"
 *     /d/e/c.txt              "hello"
 *     /d/link                 a symlink to "a.txt"
 *     /d/again                a second name of a.txt
 *     /d/empty                an empty directory
 *     /big                    what fills whole pages
 *     /fill/...               what fills the rest of them
 *     snapshot "before"       of what is above, but for /big and /fill
 */
#ifndef MEMFS_TESTS_FULL_TREE_H
#define MEMFS_TESTS_FULL_TREE_H

#include "checks.h"

#include <memfs/storage.h>

/* Where the file system has its memory, and how much. */
struct full_shape {
    uint64_t quota_bytes;
    uint32_t page_size;
    int is_in_arena;
};

static const struct full_shape full_shapes[] = {
    {16 << 10, 256, 0}, {64 << 10, 256, 0},  {1 << 20, 256, 0},   {64 << 10, 4096, 0},
    {1 << 20, 4096, 0}, {8 << 20, 4096, 0},  {1 << 20, 65536, 0}, {8 << 20, 65536, 0},
    {32 << 10, 256, 1}, {64 << 10, 4096, 1}, {1 << 20, 4096, 1},  {4 << 20, 65536, 1},
};

struct full_tree {
    struct fixture *f;
    memfs *fs;
    void *arena;
    void *charged; /* blocks, linked through their first bytes */
};

static inline void full_fill_pages(memfs *fs)
{
    static const unsigned char bytes[1 << 16];
    memfs_file *big = create_file(fs, "/big");
    int64_t at = 0;
    for (size_t length = sizeof bytes; length != 0; length /= 2) {
        int64_t result;
        while ((result = memfs_pwrite(big, bytes, length, at)) == (int64_t)length)
            at += result;
        assert_returns(result, MEMFS_EDQUOT);
    }
    assert_ok(memfs_close(big));
}

static inline void full_fill_rest(struct full_tree *t)
{
    void *block;
    for (size_t size = 1 << 16; size >= sizeof(void *); size /= 2) {
        while (memfs_charged_alloc(t->fs, size, &block) == 0) {
            *(void **)block = t->charged;
            t->charged = block;
        }
    }
    fill_with_small_files(t->fs, 1);
    char path[32];
    int result = 0;
    for (unsigned i = 0; result == 0; i++) {
        snprintf(path, sizeof path, "/fill/%u", i);
        result = memfs_link(t->fs, "/d/b.txt", path);
    }
    assert_returns(result, MEMFS_EDQUOT);
}

/* Fills what is left; not one byte and not one name fits afterwards. */
static inline void full_fill(struct full_tree *t)
{
    void *block;
    full_fill_rest(t);
    assert_returns(memfs_charged_alloc(t->fs, 1, &block), MEMFS_EDQUOT);
    assert_returns(memfs_mkdir(t->fs, "/n", 0755), MEMFS_EDQUOT);
    assert_returns(memfs_symlink(t->fs, "x", "/n", 0), MEMFS_EDQUOT);
    assert_returns(memfs_write_file(t->fs, "/n", "", 0, 0644, 0), MEMFS_EDQUOT);
    memfs_statfs_info info = statfs_of(t->fs);
    if (t->f->is_pooled) /* else a page may be free, for which a page table has no room */
        assert_int_equal(info.available_bytes, 0);
    assert_true(info.committed_bytes <= info.quota_bytes - info.looking_reserve_bytes);
}

static inline void full_make_tree(memfs *fs)
{
    assert_ok(memfs_mkdir_parents(fs, "/d/e", 0755));
    put(fs, "/d/a.txt", "hello");
    put(fs, "/d/b.txt", "hello");
    put(fs, "/d/e/c.txt", "hello");
    assert_ok(memfs_symlink(fs, "a.txt", "/d/link", 0));
    assert_ok(memfs_link(fs, "/d/a.txt", "/d/again"));
    assert_ok(memfs_mkdir(fs, "/d/empty", 0755));
    assert_ok(memfs_snapshot_take(fs, "before"));
    assert_ok(memfs_mkdir(fs, "/fill", 0755));
}

static inline struct full_tree full_create(const struct full_shape *shape,
                                           uint64_t emergency_reserve_bytes)
{
    struct full_tree t = {0};
    memfs_config config = memfs_config_default();
    config.quota_bytes = shape->quota_bytes;
    config.page_size = shape->page_size;
    config.emergency_reserve_bytes = emergency_reserve_bytes;
    if (shape->is_in_arena) {
        t.arena = malloc((size_t)shape->quota_bytes);
        assert_non_null(t.arena);
        config.arena = t.arena;
        config.arena_bytes = (size_t)shape->quota_bytes;
    }
    t.f = fixture_create(&config);
    assert_non_null(t.f);
    t.fs = t.f->fs;
    full_make_tree(t.fs);
    full_fill_pages(t.fs);
    full_fill(&t);
    return t;
}

static inline void full_destroy(struct full_tree *t)
{
    while (t->charged != NULL) {
        void *next = *(void **)t->charged;
        assert_ok(memfs_free(t->fs, t->charged));
        t->charged = next;
    }
    fixture_destroy(t->f);
    free(t->arena);
}

#endif
