/*
 * Fill to the last page, delete a random half, fill again to the same level, a
 * thousand times: memory must stay usable after any pattern of deletes, and
 * what is used must end where it began.  With an allocator that counts, with
 * the host's, and in an arena.
 */
#include "checks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUOTA_BYTES ((uint64_t)1 << 20)

enum { CYCLES = 1000, FILES_MAX = 4000, SIZE_MAX_BYTES = 40000, LEVEL_PERCENT_MIN = 98 };

struct pool {
    memfs *fs;
    uint64_t random;
    size_t sizes[FILES_MAX]; /* of the files that exist, by number; the others have ABSENT */
    size_t count;            /* numbers in use */
    memfs_file *filler;      /* a file for the last pages */
};

#define ABSENT SIZE_MAX

static uint64_t below(struct pool *pool, uint64_t limit)
{
    pool->random ^= pool->random << 13;
    pool->random ^= pool->random >> 7;
    pool->random ^= pool->random << 17;
    return pool->random % limit;
}

/* In an arena the pieces that are left may be too small though the quota would do. */
static int is_refusal(int64_t result)
{
    return result == MEMFS_EDQUOT || result == MEMFS_ENOMEM;
}

static size_t mixed_size(struct pool *pool)
{
    switch (below(pool, 4)) {
    case 0:
        return (size_t)below(pool, 200);
    case 1:
        return (size_t)below(pool, 5000);
    case 2:
        return 4096;
    default:
        return (size_t)below(pool, SIZE_MAX_BYTES);
    }
}

static void name_of(size_t number, char *path, size_t size)
{
    snprintf(path, size, "/file-%05zu", number);
}

static int make(struct pool *pool, size_t number, size_t size)
{
    static const unsigned char data[SIZE_MAX_BYTES] = {1, 2, 3};
    char path[32];
    name_of(number, path, sizeof path);
    int result = memfs_write_file(pool->fs, path, data, size, 0644, 0);
    if (result == 0)
        pool->sizes[number] = size;
    else
        assert_true(is_refusal(result));
    return result;
}

static void removes(struct pool *pool, size_t number)
{
    char path[32];
    name_of(number, path, sizeof path);
    assert_int_equal(memfs_unlink(pool->fs, path), 0);
    pool->sizes[number] = ABSENT;
}

static uint64_t level(const struct pool *pool)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < pool->count; i++)
        if (pool->sizes[i] != ABSENT)
            bytes += pool->sizes[i];
    return bytes;
}

/* Makes files of mixed sizes, and when one does not fit smaller ones, until not even an empty one
 * fits or numbers run out. */
static void make_files(struct pool *pool)
{
    size_t most = SIZE_MAX_BYTES;
    for (size_t i = 0; i < FILES_MAX; i++) {
        if (i < pool->count && pool->sizes[i] != ABSENT)
            continue;
        pool->sizes[i] = ABSENT;
        pool->count = i >= pool->count ? i + 1 : pool->count;
        size_t size = mixed_size(pool) % (most + 1);
        while (make(pool, i, size) != 0) {
            if (size == 0)
                return;
            most = size / 2;
            size = most;
        }
    }
}

/* Pages that are free but lie in slabs with others in use can be had by files that exist, when
 * there is no room left for a name: so one file grows until not a page more fits. */
static void fill(struct pool *pool)
{
    static const unsigned char page[4096];
    make_files(pool);
    int64_t result = 0;
    while (result >= 0)
        result = memfs_pwrite(pool->filler, page, statfs_of(pool->fs).page_size,
                              memfs_file_size(pool->filler));
    assert_true(is_refusal(result));
}

/* Deletes half of the files; what they were goes to `gone`, if that is not null, beside what is
 * there already, if it is to be kept. */
static void delete_half(struct pool *pool, size_t *gone, int keeps)
{
    assert_int_equal(memfs_ftruncate(pool->filler, 0), 0);
    for (size_t i = 0; i < pool->count; i++) {
        if (gone != NULL && !keeps)
            gone[i] = ABSENT;
        if (pool->sizes[i] != ABSENT && below(pool, 2) == 0) {
            if (gone != NULL)
                gone[i] = pool->sizes[i];
            removes(pool, i);
        }
    }
}

static void delete_all(struct pool *pool)
{
    assert_int_equal(memfs_close(pool->filler), 0);
    assert_int_equal(memfs_unlink(pool->fs, "/filler"), 0);
    for (size_t i = 0; i < pool->count; i++)
        if (pool->sizes[i] != ABSENT)
            removes(pool, i);
}

static void begin(struct pool *pool, memfs *fs)
{
    memset(pool, 0, sizeof *pool);
    pool->fs = fs;
    pool->random = UINT64_C(88172645463325252);
    assert_int_equal(memfs_open(fs, "/filler", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &pool->filler),
                     0);
}

/*
 * What fitted once fits again, in another order, but for the few pages by which the small objects
 * of one order lie together better than those of another.
 */
static void the_same_files_fit_again(memfs *fs)
{
    static struct pool pool;
    static size_t gone[FILES_MAX];
    memfs_statfs_info empty = statfs_of(fs);
    begin(&pool, fs);
    make_files(&pool);
    uint64_t full = level(&pool), lowest = full;
    assert_true(full > QUOTA_BYTES / 2);
    for (int cycle = 0; cycle < CYCLES; cycle++) {
        delete_half(&pool, gone, cycle != 0);
        size_t start = (size_t)below(&pool, pool.count);
        for (size_t n = 0; n < pool.count; n++) {
            size_t i = (start + n * 7919) % pool.count;
            if (gone[i] != ABSENT && pool.sizes[i] == ABSENT && make(&pool, i, gone[i]) == 0)
                gone[i] = ABSENT;
        }
        lowest = level(&pool) < lowest ? level(&pool) : lowest;
        if (cycle % 100 == 0)
            assert_int_equal(memfs_audit(fs), 0);
    }
    print_message("the same files: %" PRIu64 " bytes at first, never less than %" PRIu64 "\n", full,
                  lowest);
    assert_true(full - lowest <= SIZE_MAX_BYTES); /* one of them does not fit, at times */
    delete_all(&pool);
    assert_true(statfs_of(fs).class_bytes[MEMFS_CLASS_DATA] == empty.class_bytes[MEMFS_CLASS_DATA]);
}

/*
 * Other files, of other sizes, reach nearly the level.  What differs from fill
 * to fill is how many files there are, each of which costs a node and a name
 * (so the bytes in live objects are compared, not the bytes of data), and the
 * slabs that pages lie in: those that are made when little is left are small,
 * and a slab of one page has a header that is an eighth of it.
 */
static void other_files_fill_it_again(memfs *fs)
{
    static struct pool pool;
    uint64_t used_empty = statfs_of(fs).used_bytes;
    begin(&pool, fs);
    fill(&pool);
    uint64_t first = statfs_of(fs).used_bytes;
    uint64_t lowest = first;
    for (int cycle = 0; cycle < CYCLES; cycle++) {
        delete_half(&pool, NULL, 0);
        fill(&pool);
        uint64_t used = statfs_of(fs).used_bytes;
        lowest = used < lowest ? used : lowest;
    }
    print_message("filled to %" PRIu64 " of %" PRIu64 " at first, never below %" PRIu64
                  " (%.2f %% of it)\n",
                  first, QUOTA_BYTES, lowest, 100.0 * (double)lowest / (double)first);
    assert_true(lowest >= first / 100 * LEVEL_PERCENT_MIN);
    delete_all(&pool);
    assert_true(statfs_of(fs).used_bytes <= used_empty + 4096);
    assert_int_equal(memfs_audit(fs), 0);
}

static memfs_config small_config(uint32_t page_size)
{
    memfs_config config = memfs_config_default();
    config.quota_bytes = QUOTA_BYTES;
    config.page_size = page_size;
    return config;
}

static void refill_under_a_counting_allocator(void **state)
{
    (void)state;
    static const uint32_t page_sizes[] = {256, 4096};
    for (int i = 0; i < 2; i++) {
        memfs_config config = small_config(page_sizes[i]);
        struct fixture *fixture = fixture_create(&config);
        assert_non_null(fixture);
        the_same_files_fit_again(fixture->fs);
        other_files_fill_it_again(fixture->fs);
        fixture_destroy(fixture);
    }
}

static void refill_under_the_hosts_allocator(void **state)
{
    (void)state;
    memfs_config config = small_config(4096);
    memfs *fs = create_on_heap(&config);
    the_same_files_fit_again(fs);
    other_files_fill_it_again(fs);
    assert_int_equal(memfs_destroy(fs, 0), 0);
}

/* In an arena the same files need not fit in another order: the free pieces between others have
 * other sizes then. The level is reached all the same. */
static void refill_in_an_arena(void **state)
{
    (void)state;
    static const uint32_t page_sizes[] = {256, 4096};
    for (int i = 0; i < 2; i++) {
        memfs_config config = small_config(page_sizes[i]);
        void *arena = malloc((size_t)QUOTA_BYTES);
        assert_non_null(arena);
        config.quota_bytes = 0;
        config.arena = arena;
        config.arena_bytes = (size_t)QUOTA_BYTES;
        struct fixture *fixture = fixture_create(&config);
        assert_non_null(fixture);
        other_files_fill_it_again(fixture->fs);
        fixture_destroy(fixture);
        free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refill_under_a_counting_allocator),
        cmocka_unit_test(refill_under_the_hosts_allocator),
        cmocka_unit_test(refill_in_an_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
