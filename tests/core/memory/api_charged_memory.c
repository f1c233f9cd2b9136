/* Memory that counts against the quota. */
#include "checks.h"

#include <memfs/storage.h>

#include <stdalign.h>

static void charged_memory_is_zeroed_aligned_and_counted(void **state)
{
    struct fixture *f = *state;
    static const size_t sizes[] = {1, 15, 16, 100, 4096, 32768, 100000};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        uint64_t used = used_bytes(f->fs);
        unsigned char *memory = NULL;
        void *out;
        assert_ok(memfs_charged_alloc(f->fs, sizes[i], &out));
        memory = out;
        assert_int_equal((uintptr_t)memory % alignof(max_align_t), 0);
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(memory[j], 0);
        memset(memory, 0xff, sizes[i]);
        assert_true(used_bytes(f->fs) >= used + sizes[i]);
        assert_true(statfs_of(f->fs).class_bytes[MEMFS_CLASS_CHARGED] >= sizes[i]);
        assert_ok(memfs_free(f->fs, memory));
        assert_int_equal(used_bytes(f->fs), used);
        assert_int_equal(statfs_of(f->fs).class_bytes[MEMFS_CLASS_CHARGED], 0);
    }
}

static void charged_memory_stays_where_it_is_while_all_else_moves(void **state)
{
    struct fixture *f = *state;
    void *pieces[20];
    for (unsigned i = 0; i < 20; i++) {
        assert_ok(memfs_charged_alloc(f->fs, 1000, &pieces[i]));
        fill_pattern(pieces[i], 1000, i);
    }
    put_pattern(f->fs, "/f", 1 << 20, 1);
    assert_ok(memfs_unlink(f->fs, "/f"));
    unsigned char expected[1000];
    for (unsigned i = 0; i < 20; i++) {
        fill_pattern(expected, sizeof expected, i);
        assert_memory_equal(pieces[i], expected, sizeof expected);
        assert_ok(memfs_free(f->fs, pieces[i]));
    }
}

static void freeing_null_is_fine(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_free(f->fs, NULL));
}

static void no_bytes_are_invalid(void **state)
{
    struct fixture *f = *state;
    void *memory = (void *)0x1;
    assert_returns(memfs_charged_alloc(f->fs, 0, &memory), MEMFS_EINVAL);
    assert_returns(memfs_charged_alloc(f->fs, 10, NULL), MEMFS_EINVAL);
    assert_ptr_equal(memory, (void *)0x1);
}

static void what_does_not_fit_is_refused_by_its_name(void **state)
{
    struct fixture *f = *state;
    void *memory = NULL;
    uint64_t used = used_bytes(f->fs);
    assert_returns(memfs_charged_alloc(f->fs, 17 << 20, &memory), MEMFS_EDQUOT);
    assert_returns(memfs_charged_alloc(f->fs, SIZE_MAX / 2, &memory), MEMFS_EDQUOT);
    assert_returns(memfs_charged_alloc(f->fs, SIZE_MAX, &memory), MEMFS_EINVAL);
    tracking_refuse(&f->allocator, 1, 1);
    assert_returns(memfs_charged_alloc(f->fs, 100000, &memory), MEMFS_ENOMEM);
    tracking_refuse(&f->allocator, 0, 0);
    assert_null(memory);
    assert_int_equal(used_bytes(f->fs), used);
}

static void *take_sensible(void *context, size_t bytes)
{
    (void)context;
    return bytes <= 1 << 24 ? malloc(bytes) : NULL;
}

static void give(void *context, void *memory, size_t bytes)
{
    (void)context;
    (void)bytes;
    free(memory);
}

static void an_absurd_size_is_refused_without_a_quota_too(void **state)
{
    (void)state;
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 16, SIZE_MAX - 64, SIZE_MAX - 4096,
                                   SIZE_MAX / 2 + 1};
    memfs_config config = memfs_config_default();
    config.quota_bytes = 0;
    const memfs_allocator hooks = {
        .struct_size = sizeof hooks, .take = take_sensible, .give = give};
    config.allocator = &hooks;
    memfs *fs;
    void *memory = NULL;
    assert_ok(memfs_create(&config, &fs));
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        int result = memfs_charged_alloc(fs, sizes[i], &memory);
        assert_true(result == MEMFS_ENOMEM || result == MEMFS_EDQUOT || result == MEMFS_EINVAL);
        assert_null(memory);
    }
    assert_ok(memfs_audit(fs));
    assert_ok(memfs_destroy(fs, 0));
}

static void charged_memory_leaves_less_for_files(void **state)
{
    struct fixture *f = *state;
    static char text[12 << 20];
    void *memory;
    assert_ok(memfs_charged_alloc(f->fs, 8 << 20, &memory));
    assert_returns(memfs_write_file(f->fs, "/f", text, sizeof text, 0644, 0), MEMFS_EDQUOT);
    assert_ok(memfs_free(f->fs, memory));
    assert_ok(memfs_write_file(f->fs, "/f", text, sizeof text, 0644, 0));
}

static void memory_of_another_file_system_is_not_taken_back(void **state)
{
    struct fixture *f = *state;
    void *memory;
    assert_ok(memfs_charged_alloc(f->fs, 100, &memory));
    assert_returns(memfs_free(f->other, memory), MEMFS_EINVAL);
    assert_ok(memfs_free(f->fs, memory));
}

static void freeing_in_any_order_ends_where_it_began(void **state)
{
    struct fixture *f = *state;
    void *pieces[50];
    uint64_t used = used_bytes(f->fs);
    for (size_t i = 0; i < COUNT_OF(pieces); i++)
        assert_ok(memfs_charged_alloc(f->fs, 1 + i * 97, &pieces[i]));
    for (size_t i = 0; i < COUNT_OF(pieces); i++)
        assert_ok(memfs_free(f->fs, pieces[i * 7 % COUNT_OF(pieces)]));
    assert_int_equal(used_bytes(f->fs), used);
    assert_ok(memfs_audit(f->fs));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(charged_memory_is_zeroed_aligned_and_counted),
        FS_TEST(charged_memory_stays_where_it_is_while_all_else_moves),
        FS_TEST(freeing_null_is_fine),
        FS_TEST(no_bytes_are_invalid),
        FS_TEST(what_does_not_fit_is_refused_by_its_name),
        cmocka_unit_test(an_absurd_size_is_refused_without_a_quota_too),
        FS_TEST(charged_memory_leaves_less_for_files),
        FS_TEST(memory_of_another_file_system_is_not_taken_back),
        FS_TEST(freeing_in_any_order_ends_where_it_began),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
