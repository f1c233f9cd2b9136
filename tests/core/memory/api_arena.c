/*
 * A file system in one arena that the caller gives: no call of the heap, not a
 * byte outside, and full use of what there is.
 *
 * This program's own malloc counts while it is told to.
 */
#define _DEFAULT_SOURCE 1

#include "checks.h"

#include <memfs/storage.h>

#include <sys/mman.h>

static _Atomic int counting;
static _Atomic int heap_calls;

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *memory);

static void count_call(void)
{
    if (counting)
        heap_calls++;
}

void *malloc(size_t bytes)
{
    count_call();
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    count_call();
    return __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes)
{
    count_call();
    return __libc_realloc(memory, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    count_call();
    return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **out, size_t alignment, size_t bytes)
{
    count_call();
    *out = __libc_memalign(alignment, bytes);
    return *out == NULL ? 12 : 0;
}

void free(void *memory)
{
    count_call();
    __libc_free(memory);
}

#define GUARD_BYTES 4096u
#define GUARD 0xc5u

struct guarded {
    unsigned char *whole, *arena;
    size_t size;
};

static struct guarded guarded_create(size_t size, size_t misalignment)
{
    struct guarded g = {.size = size};
    g.whole = malloc(size + 2 * GUARD_BYTES);
    assert_non_null(g.whole);
    memset(g.whole, GUARD, size + 2 * GUARD_BYTES);
    g.arena = g.whole + GUARD_BYTES / 2 + misalignment;
    return g;
}

/* Not a byte around the arena was touched. */
static void guarded_destroy(struct guarded *g)
{
    unsigned char *end = g->whole + g->size + 2 * GUARD_BYTES;
    for (unsigned char *p = g->whole; p < g->arena; p++)
        assert_int_equal(*p, GUARD);
    for (unsigned char *p = g->arena + g->size; p < end; p++)
        assert_int_equal(*p, GUARD);
    free(g->whole);
}

static memfs_config config_in(const struct guarded *g)
{
    memfs_config config = memfs_config_default();
    config.quota_bytes = 0;
    config.arena = g->arena;
    config.arena_bytes = g->size;
    return config;
}

/* Fills one file in pieces of a page until the quota says no; how many went in. */
static int fill(memfs *fs, const char *path)
{
    char page[256];
    memfs_file *file;
    int count = 0;
    memset(page, 'x', sizeof page);
    if (memfs_open(fs, path, MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file) != 0)
        return 0;
    int64_t result;
    while ((result = memfs_write(file, page, sizeof page)) == (int64_t)sizeof page)
        count++;
    /* The room that is left may be in pieces, and then it is the arena that refuses. */
    if (memfs_close(file) != 0 || (result != MEMFS_EDQUOT && result != MEMFS_ENOMEM))
        return -1;
    return count;
}

/* A little of everything; 0 if all went well. */
static int work(memfs *fs)
{
    static char text[20000];
    memfs_dir *dir;
    memfs_dirent entry = {.struct_size = sizeof entry};
    memfs_list list = {.struct_size = sizeof list};
    void *memory;
    int failed = 0;
    failed |= memfs_write_file(fs, "/f", text, sizeof text, 0644, 0);
    failed |= memfs_mkdir(fs, "/d", 0755);
    failed |= memfs_copy(fs, "/f", "/d/g", 0);
    failed |= memfs_copy_tree(fs, "/d", "/e", 0);
    failed |= memfs_rename(fs, "/f", "/d/h", 0);
    failed |= memfs_symlink(fs, "d/h", "/s", 0);
    failed |= memfs_opendir(fs, "/d", &dir);
    failed |= memfs_readdir(dir, &entry) - 1;
    failed |= memfs_closedir(dir);
    failed |= memfs_glob(fs, "/**/g", &list);
    memfs_list_free(fs, &list);
    failed |= memfs_charged_alloc(fs, 100, &memory);
    failed |= memfs_free(fs, memory);
    failed |= memfs_audit(fs);
    return failed;
}

static void an_arena_serves_everything_without_one_call_of_the_heap(void **state)
{
    (void)state;
    struct guarded g = guarded_create(1 << 20, 0);
    memfs_config config = config_in(&g);
    memfs *fs;
    heap_calls = 0;
    counting = 1;
    int created = memfs_create(&config, &fs);
    int failed = created == 0 ? work(fs) : created;
    int removed = created == 0 ? memfs_remove_tree(fs, "/e") : 0;
    int count = created == 0 ? fill(fs, "/rest") : 0;
    int destroyed = created == 0 ? memfs_destroy(fs, 0) : 0;
    counting = 0;
    assert_ok(created);
    assert_ok(failed);
    assert_ok(removed);
    assert_true(count > 0);
    assert_ok(destroyed);
    assert_int_equal(heap_calls, 0);
    guarded_destroy(&g);
}

static void the_counter_of_heap_calls_counts(void **state)
{
    (void)state;
    heap_calls = 0;
    counting = 1;
    void *volatile memory = malloc(10);
    free(memory);
    counting = 0;
    assert_int_equal(heap_calls, 2);
}

static void all_that_is_handed_out_lies_in_the_arena(void **state)
{
    (void)state;
    struct guarded g = guarded_create(1 << 20, 0);
    memfs_config config = config_in(&g);
    memfs *fs;
    assert_ok(memfs_create(&config, &fs));
    void *memory;
    memfs_mapping mapping;
    assert_ok(memfs_charged_alloc(fs, 100, &memory));
    memfs_file *file = create_file(fs, "/f");
    write_pattern(file, 100, 0, 1);
    assert_ok(memfs_map(file, 0, 100, &mapping));
    const unsigned char *const pointers[] = {(unsigned char *)fs, memory, mapping.data,
                                             (unsigned char *)file};
    for (size_t i = 0; i < COUNT_OF(pointers); i++)
        assert_true(pointers[i] >= g.arena && pointers[i] < g.arena + g.size);
    assert_ok(memfs_unmap(&mapping));
    assert_ok(memfs_close(file));
    assert_ok(memfs_free(fs, memory));
    assert_ok(memfs_destroy(fs, 0));
    guarded_destroy(&g);
}

static void an_arena_that_is_not_aligned_will_do(void **state)
{
    (void)state;
    for (size_t misalignment = 1; misalignment < 20; misalignment += 3) {
        struct guarded g = guarded_create(300001, misalignment);
        memfs_config config = config_in(&g);
        memfs *fs;
        assert_ok(memfs_create(&config, &fs));
        assert_ok(work(fs));
        assert_ok(memfs_destroy(fs, 0));
        guarded_destroy(&g);
    }
}

static void the_quota_of_an_arena_is_its_size_unless_it_is_less(void **state)
{
    (void)state;
    struct guarded g = guarded_create(1 << 20, 0);
    memfs_config config = config_in(&g);
    memfs *fs;
    assert_ok(memfs_create(&config, &fs));
    uint64_t quota = statfs_of(fs).quota_bytes;
    assert_true(quota > 0 && quota <= 1 << 20);
    assert_true(statfs_of(fs).available_bytes < 1 << 20);
    assert_ok(memfs_set_quota(fs, (1 << 20) + 1));
    assert_int_equal(statfs_of(fs).quota_bytes, quota);
    assert_ok(memfs_set_quota(fs, 512 << 10));
    assert_int_equal(statfs_of(fs).quota_bytes, 512 << 10);
    assert_true(fill(fs, "/f") <= (512 << 10) / 256);
    assert_ok(memfs_set_quota(fs, MEMFS_UNLIMITED));
    assert_int_equal(statfs_of(fs).quota_bytes, quota);
    assert_ok(memfs_destroy(fs, 0));
    guarded_destroy(&g);
}

static void of_a_quota_and_an_arena_the_smaller_is_in_force(void **state)
{
    (void)state;
    static const uint64_t larger[] = {
        MEMFS_UNLIMITED,         MEMFS_QUOTA_DEFAULT, MEMFS_QUOTA_DEFAULT - 1,
        MEMFS_QUOTA_DEFAULT + 1, UINT64_MAX,          (1 << 20) + 1};
    struct guarded g = guarded_create(1 << 20, 0);
    memfs_config config = config_in(&g);
    memfs *fs;
    for (size_t i = 0; i < COUNT_OF(larger); i++) {
        config.quota_bytes = larger[i];
        assert_ok(memfs_create(&config, &fs));
        uint64_t quota = statfs_of(fs).quota_bytes;
        assert_true(quota <= 1 << 20 && quota > 1000 << 10);
        assert_ok(memfs_destroy(fs, 0));
    }
    config.quota_bytes = 600 << 10;
    assert_ok(memfs_create(&config, &fs));
    assert_int_equal(statfs_of(fs).quota_bytes, 600 << 10);
    assert_ok(memfs_destroy(fs, 0));
    guarded_destroy(&g);
}

static void a_full_arena_says_so_as_a_quota_and_can_be_emptied_and_filled_again(void **state)
{
    (void)state;
    struct guarded g = guarded_create(512 << 10, 0);
    memfs_config config = config_in(&g);
    config.page_size = 256;
    memfs *fs;
    assert_ok(memfs_create(&config, &fs));
    int first = fill(fs, "/f");
    assert_true(first > 1500); /* of 2048 */
    for (int round = 0; round < 20; round++) {
        assert_ok(memfs_unlink(fs, "/f"));
        assert_true(fill(fs, "/f") >= first - first / 200);
    }
    assert_ok(memfs_audit(fs));
    assert_ok(memfs_destroy(fs, 0));
    guarded_destroy(&g);
}

static void an_arena_that_cannot_hold_an_empty_tree_is_refused(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 7, 64, 256};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct guarded g = guarded_create(sizes[i], 0);
        memfs_config config = config_in(&g);
        memfs *fs = NULL;
        assert_returns(memfs_create(&config, &fs), MEMFS_EDQUOT);
        assert_null(fs);
        guarded_destroy(&g);
    }
}

static void an_arena_of_no_bytes_or_bytes_of_no_arena_are_invalid(void **state)
{
    (void)state;
    struct guarded g = guarded_create(1 << 20, 0);
    memfs_config config = config_in(&g);
    memfs *fs = NULL;
    config.arena_bytes = 0;
    assert_returns(memfs_create(&config, &fs), MEMFS_EINVAL);
    config.arena_bytes = 1 << 20;
    config.arena = NULL;
    assert_returns(memfs_create(&config, &fs), MEMFS_EINVAL);
    assert_null(fs);
    guarded_destroy(&g);
}

static void a_small_arena_holds_files(void **state)
{
    (void)state;
    struct guarded g = guarded_create(8192, 0);
    memfs_config config = config_in(&g);
    config.page_size = 256;
    config.flags = MEMFS_CREATE_SINGLE_THREADED;
    memfs *fs;
    assert_ok(memfs_create(&config, &fs));
    put(fs, "/a", "small");
    put(fs, "/b", "things");
    assert_true(fill(fs, "/c") > 4);
    assert_ok(memfs_unlink(fs, "/c"));
    assert_text(fs, "/a", "small");
    assert_text(fs, "/b", "things");
    assert_ok(memfs_destroy(fs, 0));
    guarded_destroy(&g);
}

/* 16 GiB of addresses: creating touches what is used, and what is committed is no bitmap. */
static void a_large_arena_costs_what_is_used_of_it(void **state)
{
    (void)state;
    if (sizeof(void *) < 8)
        skip();
    memfs_config config = memfs_config_default();
    config.arena_bytes = (size_t)((uint64_t)16 << 30);
    config.arena = mmap(NULL, config.arena_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (config.arena == MAP_FAILED)
        skip();
    config.quota_bytes = 0;
    memfs *fs;
    assert_ok(memfs_create(&config, &fs));
    assert_true(statfs_of(fs).committed_bytes <= 4096);
    put_pattern(fs, "/f", 100000, 1);
    assert_true(statfs_of(fs).committed_bytes <= 200000);
    assert_ok(memfs_audit(fs));
    assert_ok(memfs_destroy(fs, 0));
    assert_int_equal(munmap(config.arena, config.arena_bytes), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_arena_costs_what_is_used_of_it),
        cmocka_unit_test(the_counter_of_heap_calls_counts),
        cmocka_unit_test(an_arena_serves_everything_without_one_call_of_the_heap),
        cmocka_unit_test(all_that_is_handed_out_lies_in_the_arena),
        cmocka_unit_test(an_arena_that_is_not_aligned_will_do),
        cmocka_unit_test(the_quota_of_an_arena_is_its_size_unless_it_is_less),
        cmocka_unit_test(of_a_quota_and_an_arena_the_smaller_is_in_force),
        cmocka_unit_test(a_full_arena_says_so_as_a_quota_and_can_be_emptied_and_filled_again),
        cmocka_unit_test(an_arena_that_cannot_hold_an_empty_tree_is_refused),
        cmocka_unit_test(an_arena_of_no_bytes_or_bytes_of_no_arena_are_invalid),
        cmocka_unit_test(a_small_arena_holds_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
