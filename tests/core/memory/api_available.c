/*
 * What statfs calls available can be had: as pages of data, as objects of any size up to a page,
 * as files; after deletions in any pattern, and after switching from one to the other.
 */
#include "checks.h"

#include <memfs/storage.h>

#include <stdbool.h>
#include <stdio.h>

enum { ROUNDS = 3, FILES_MOST = 20000, CHARGED_MOST = 100000, DIRECTORY_FILES = 40 };
enum { PIECE_HEADER = 8, CHARGED_HEADER = 40, PAGE_NAME = 8 };

enum pattern { ALTERNATING, RANDOM_HALF, EVERY_SEVENTH_STAYS, OLDEST, NEWEST, ALL, PATTERNS };

struct tree {
    struct fixture *f;
    memfs *fs;
    uint32_t page_size;
    uint64_t random;
    unsigned files;
    memfs_file *log; /* grows by a page between the others, and stays */
};

static uint32_t draw(struct tree *t, uint32_t below)
{
    t->random = t->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(t->random >> 33) % below;
}

static bool is_removed(struct tree *t, enum pattern pattern, unsigned i)
{
    switch (pattern) {
    case ALTERNATING:
        return i % 2 == 0;
    case RANDOM_HALF:
        return draw(t, 2) == 0;
    case EVERY_SEVENTH_STAYS:
        return i % 7 != 0;
    case OLDEST:
        return i < t->files / 2;
    case NEWEST:
        return i >= t->files / 2;
    default:
        return true;
    }
}

static void path_of(unsigned i, char *path, size_t size)
{
    snprintf(path, size, "/d%u/file%u", i / DIRECTORY_FILES, i);
}

/* 0, EDQUOT. */
static int make_file(memfs *fs, unsigned i, size_t bytes)
{
    static const char data[70000] = {1};
    char path[32];
    snprintf(path, sizeof path, "/d%u", i / DIRECTORY_FILES);
    int result = i % DIRECTORY_FILES == 0 ? memfs_mkdir(fs, path, 0755) : 0;
    path_of(i, path, sizeof path);
    if (result == 0)
        result = memfs_write_file(fs, path, data, bytes, 0644, 0);
    if (result != 0)
        assert_returns(result, MEMFS_EDQUOT);
    return result;
}

static bool grow_log(struct tree *t)
{
    static const char data[65536];
    int64_t result = memfs_pwrite(t->log, data, t->page_size, memfs_file_size(t->log));
    assert_true(result == t->page_size || result == MEMFS_EDQUOT);
    return result > 0;
}

/* Files of mixed sizes, and now and then a page of the log, until the quota says no. */
static void fill_mixed(struct tree *t)
{
    for (t->files = 0; t->files < FILES_MOST; t->files++) {
        size_t bytes = draw(t, 3) == 0 ? draw(t, 3 * t->page_size) : draw(t, 100);
        if (make_file(t->fs, t->files, bytes) != 0)
            break;
        if (draw(t, 4) == 0 && !grow_log(t))
            break;
    }
}

static void remove_files(struct tree *t, enum pattern pattern)
{
    char path[32];
    for (unsigned i = 0; i < t->files; i++) {
        path_of(i, path, sizeof path);
        if (is_removed(t, pattern, i)) {
            int result = memfs_unlink(t->fs, path);
            assert_true(result == 0 || result == MEMFS_ENOENT);
        }
    }
}

static void remove_all(struct tree *t)
{
    char path[32];
    for (unsigned i = 0; i <= t->files; i += DIRECTORY_FILES) {
        snprintf(path, sizeof path, "/d%u", i / DIRECTORY_FILES);
        int result = memfs_remove_tree(t->fs, path);
        assert_true(result == 0 || result == MEMFS_ENOENT);
    }
    assert_ok(memfs_ftruncate(t->log, 0));
}

/* The objects of so many bytes that a page holds, as memfs.h counts them. */
static size_t objects_of_a_page(uint32_t page_size, size_t bytes)
{
    size_t takes = (bytes + PIECE_HEADER + 7) & ~(size_t)7;
    takes = takes < 24 ? 24 : takes;
    size_t count = (page_size - PAGE_NAME) / (takes < 512 ? takes : takes + takes / 8);
    return count == 0 && takes <= page_size - PAGE_NAME ? 1 : count;
}

/* Takes charged memory in blocks of one size: at least as many fit as the rule says. */
static void charged_memory_fits(struct tree *t, size_t bytes)
{
    static void *taken[CHARGED_MOST];
    uint64_t pages = statfs_of(t->fs).available_bytes / t->page_size;
    uint64_t sure = pages * objects_of_a_page(t->page_size, bytes + CHARGED_HEADER);
    uint64_t count = 0;
    int result = 0;
    assert_true(sure > 0 && sure < CHARGED_MOST);
    while (count < CHARGED_MOST && result == 0) {
        result = memfs_charged_alloc(t->fs, bytes, &taken[count]);
        count += result == 0;
    }
    if (count < sure)
        fail_msg("blocks of %zu bytes: %llu of %llu fit", bytes, (unsigned long long)count,
                 (unsigned long long)sure);
    assert_returns(result, MEMFS_EDQUOT);
    assert_int_equal(statfs_of(t->fs).available_bytes, 0);
    while (count > 0)
        assert_ok(memfs_free(t->fs, taken[--count]));
    assert_true(statfs_of(t->fs).available_bytes / t->page_size >= pages);
}

/* Pages of data: all but those for page tables, of which each has a slot for 8 pages at least. */
static void pages_of_data_fit(struct tree *t)
{
    uint64_t pages = statfs_of(t->fs).available_bytes / t->page_size, count = 0;
    int64_t size = memfs_file_size(t->log);
    while (grow_log(t))
        count++;
    uint64_t tables = t->page_size < 4096 ? pages / 10 + 12 : pages / 400 + 4;
    if (count + tables < pages)
        fail_msg("%llu pages of %llu fit", (unsigned long long)count, (unsigned long long)pages);
    assert_ok(memfs_ftruncate(t->log, size));
}

/* In directories of 40 entries each, three deep. */
static int make_small_file(memfs *fs, unsigned i)
{
    char path[64];
    unsigned third = i / DIRECTORY_FILES, second = third / DIRECTORY_FILES;
    int length = snprintf(path, sizeof path, "/small/%u/%u", second, third);
    int result = i % DIRECTORY_FILES == 0 ? memfs_mkdir_parents(fs, path, 0755) : 0;
    snprintf(path + length, sizeof path - (size_t)length, "/%08u", i);
    if (result == 0)
        result = memfs_write_file(fs, path, "twenty bytes of text", 20, 0644, 0);
    if (result != 0)
        assert_returns(result, MEMFS_EDQUOT);
    return result;
}

/* Files of 20 bytes: what they use is nearly all that was available. */
static void small_files_fit(struct tree *t)
{
    memfs_statfs_info before = statfs_of(t->fs);
    unsigned i = 0;
    while (make_small_file(t->fs, i) == 0)
        i++;
    uint64_t used = statfs_of(t->fs).used_bytes - before.used_bytes;
    uint64_t lost = before.available_bytes / (t->page_size < 4096 ? 3 : 10) + 2 * t->page_size;
    if (used + lost < before.available_bytes)
        fail_msg("%u files: %llu of %llu bytes", i, (unsigned long long)used,
                 (unsigned long long)before.available_bytes);
    int result = memfs_remove_tree(t->fs, "/small");
    assert_true(result == 0 || result == MEMFS_ENOENT);
}

static void check_all(struct tree *t)
{
    static const size_t sizes[] = {1, 16, 100, 500, 1000, 2000, 4016};
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        if (sizes[i] + CHARGED_HEADER + PIECE_HEADER + PAGE_NAME <= t->page_size)
            charged_memory_fits(t, sizes[i]);
    pages_of_data_fit(t);
    small_files_fit(t);
    charged_memory_fits(t, 100);
    pages_of_data_fit(t);
}

static void run_patterns(const memfs_config *config)
{
    struct tree t = {.f = fixture_create(config), .random = 1};
    if (t.f == NULL || !t.f->is_pooled) { /* the rule is that of the pool */
        if (t.f != NULL)
            fixture_destroy(t.f);
        skip();
    }
    t.fs = t.f->fs;
    t.page_size = statfs_of(t.fs).page_size;
    t.log = create_file(t.fs, "/log");
    for (int round = 0; round < ROUNDS; round++) {
        for (enum pattern pattern = 0; pattern < PATTERNS; pattern++) {
            fill_mixed(&t);
            remove_files(&t, pattern);
            assert_true(statfs_of(t.fs).committed_bytes <= config->quota_bytes);
            check_all(&t);
            remove_all(&t);
        }
    }
    assert_ok(memfs_close(t.log));
    fixture_destroy(t.f);
}

static void what_is_available_fits_after_every_pattern_of_deletion(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {256, 1024, 4096, 16384};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        memfs_config config = memfs_config_default();
        config.page_size = sizes[i];
        config.quota_bytes = (uint64_t)sizes[i] * 150 + 12345;
        run_patterns(&config);
    }
}

static void what_is_available_fits_where_slabs_are_large(void **state)
{
    (void)state;
    memfs_config config = memfs_config_default();
    config.quota_bytes = 5 << 20;
    run_patterns(&config);
}

static void what_is_available_fits_in_an_arena(void **state)
{
    (void)state;
    memfs_config config = memfs_config_default();
    static _Alignas(16) unsigned char arena[1000000];
    config.arena = arena;
    config.arena_bytes = sizeof arena;
    config.quota_bytes = config.arena_bytes;
    run_patterns(&config);
}

static void what_is_available_fits_beside_a_reserve(void **state)
{
    (void)state;
    memfs_config config = memfs_config_default();
    config.quota_bytes = 1000000;
    config.emergency_reserve_bytes = 300000;
    run_patterns(&config);
}

/* Two files grow in turn and one goes: what it leaves between the pages of the other is room for
 * small files. */
static void what_a_file_leaves_between_the_pages_of_another_is_room_for_names(void **state)
{
    (void)state;
    static const char page[4096] = {1};
    memfs_config config = memfs_config_default();
    config.quota_bytes = 8 << 20;
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    if (!f->is_pooled) {
        fixture_destroy(f);
        skip();
    }
    memfs_file *a = create_file(f->fs, "/a"), *b = create_file(f->fs, "/b");
    while (memfs_write(a, page, sizeof page) > 0 && memfs_write(b, page, sizeof page) > 0)
        ;
    assert_ok(memfs_close(a));
    assert_ok(memfs_close(b));
    assert_ok(memfs_unlink(f->fs, "/b"));
    struct tree t = {.f = f, .fs = f->fs, .page_size = 4096, .random = 1};
    uint64_t available = statfs_of(f->fs).available_bytes;
    assert_true(available > (8 << 20) / 100 * 48);
    small_files_fit(&t);
    assert_int_equal(statfs_of(f->fs).available_bytes, available);
    fixture_destroy(f);
}

/* What memfs.h says of blocks that need adjacent pages: sure while a new slab for them fits. */
static void a_large_block_fits_while_the_quota_leaves_room_for_a_slab_of_its_own(void **state)
{
    (void)state;
    static const size_t sizes[] = {5000, 32768, 200000, 262144, 1000000, 2000000, 3000000};
    static const uint32_t page_sizes[] = {256, 4096, 65536};
    for (size_t p = 0; p < COUNT_OF(page_sizes); p++) {
        memfs_config config = memfs_config_default();
        config.page_size = page_sizes[p];
        struct fixture *f = fixture_create(&config);
        assert_non_null(f);
        for (size_t i = 0; i < COUNT_OF(sizes); i++) {
            void *memory;
            fixture_leave(f, sizes[i] + 2 * page_sizes[p] + 12288);
            assert_ok(memfs_charged_alloc(f->fs, sizes[i], &memory));
            assert_ok(memfs_free(f->fs, memory));
        }
        fixture_destroy(f);
    }
}

static void an_instance_takes_two_kibibytes_at_most_and_a_first_file_one_slab(void **state)
{
    (void)state;
    memfs *fs;
    memfs_config config = memfs_config_default();
    if (memfs_create(&config, &fs) == MEMFS_EOPNOTSUPP)
        skip();
    assert_true(statfs_of(fs).committed_bytes <= 2048);
    assert_ok(memfs_write_file(fs, "/f", "x", 1, 0644, 0));
    assert_true(statfs_of(fs).committed_bytes <= 2048 + 5 * 4096);
    assert_ok(memfs_audit(fs));
    assert_ok(memfs_destroy(fs, 0));
}

static void creating_a_file_asks_the_allocator_at_most_once_in_ten_times(void **state)
{
    (void)state;
    memfs_config config = memfs_config_default();
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    tracking_refuse(&f->allocator, 0, 0);
    for (unsigned i = 0; i < 2000; i++)
        assert_ok(make_file(f->fs, i, 20));
    if (f->is_pooled)
        assert_true(f->allocator.takes <= 200);
    fixture_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_available_fits_after_every_pattern_of_deletion),
        cmocka_unit_test(what_is_available_fits_where_slabs_are_large),
        cmocka_unit_test(what_is_available_fits_in_an_arena),
        cmocka_unit_test(what_is_available_fits_beside_a_reserve),
        cmocka_unit_test(what_a_file_leaves_between_the_pages_of_another_is_room_for_names),
        cmocka_unit_test(a_large_block_fits_while_the_quota_leaves_room_for_a_slab_of_its_own),
        cmocka_unit_test(an_instance_takes_two_kibibytes_at_most_and_a_first_file_one_slab),
        cmocka_unit_test(creating_a_file_asks_the_allocator_at_most_once_in_ten_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
