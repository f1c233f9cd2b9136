/* The part of the quota that ordinary data may not fill. */
#include "checks.h"

#include <memfs/storage.h>

#ifndef MEMFS_NO_THREADS
#include <pthread.h>
#endif

enum { QUOTA = 1 << 20, RESERVE = 128 << 10, LOOKING = QUOTA / 32, PAGE = 4096 };

static struct fixture *make(uint64_t emergency_reserve_bytes)
{
    memfs_config config = memfs_config_default();
    config.quota_bytes = QUOTA;
    config.emergency_reserve_bytes = emergency_reserve_bytes;
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    return f;
}

/* Appends pages, then bytes, until the quota says no; returns how many bytes went in. */
static uint64_t fill(memfs_file *file)
{
    static const unsigned char bytes[PAGE];
    uint64_t start = (uint64_t)memfs_file_size(file);
    uint64_t at = start;
    for (size_t length = PAGE; length > 0; length /= 2) {
        int64_t result;
        while ((result = memfs_pwrite(file, bytes, length, (int64_t)at)) > 0)
            at += length;
        assert_returns(result, MEMFS_EDQUOT);
    }
    return at - start;
}

static void ordinary_data_stops_where_the_reserve_begins(void **state)
{
    (void)state;
    struct fixture *f = make(RESERVE);
    memfs_file *ordinary = create_file(f->fs, "/ordinary");
    memfs_file *privileged = open_file(f->fs, "/privileged",
                                       MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_EMERGENCY);
    assert_true(fill(ordinary) > QUOTA - RESERVE - LOOKING - 64 * 1024);
    memfs_statfs_info info = statfs_of(f->fs);
    assert_int_equal(info.looking_reserve_bytes, LOOKING);
    assert_true(info.committed_bytes <= QUOTA - RESERVE - LOOKING);
    assert_int_equal(info.emergency_reserve_bytes, RESERVE);
    assert_int_equal(info.emergency_reserve_left_bytes, RESERVE);
    assert_true(info.available_bytes < 8 * PAGE);

    assert_true(fill(privileged) > RESERVE / 4 * 3);
    info = statfs_of(f->fs);
    assert_true(info.committed_bytes > QUOTA - LOOKING - 2 * PAGE);
    assert_true(info.committed_bytes <= QUOTA - LOOKING);
    assert_true(info.emergency_reserve_left_bytes < 2 * PAGE);
    assert_int_equal(info.available_bytes, 0);
    assert_ok(memfs_close(privileged));
    assert_ok(memfs_close(ordinary));
    fixture_destroy(f);
}

/* What privileged data has given back lies in free pages; ordinary data gets none of them. */
static void what_the_reserve_gets_back_stays_in_it(void **state)
{
    (void)state;
    struct fixture *f = make(RESERVE);
    memfs_file *ordinary = create_file(f->fs, "/ordinary");
    memfs_file *privileged = open_file(f->fs, "/privileged",
                                       MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_EMERGENCY);
    (void)fill(ordinary);
    uint64_t first = 0;
    for (int round = 0; round < 20; round++) {
        uint64_t filled = fill(privileged);
        first = round == 0 ? filled : first;
        assert_int_equal(filled, first);
        assert_ok(memfs_ftruncate(privileged, 0));
        assert_true(fill(ordinary) < 2 * PAGE);
        memfs_refusal refusal = {.struct_size = sizeof refusal};
        assert_ok(memfs_last_refusal(f->fs, &refusal));
        assert_int_equal(refusal.error, MEMFS_EDQUOT);
        assert_true(refusal.wanted > refusal.available);
    }
    assert_ok(memfs_close(privileged));
    assert_ok(memfs_close(ordinary));
    fixture_destroy(f);
}

/* As much as before, also if the room that is free lies in pages between those in use. */
static void ordinary_data_uses_what_ordinary_data_gave_back(void **state)
{
    (void)state;
    struct fixture *f = make(RESERVE);
    memfs_file *ordinary = create_file(f->fs, "/ordinary");
    memfs_file *privileged = open_file(f->fs, "/privileged",
                                       MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_EMERGENCY);
    uint64_t filled = fill(ordinary);
    (void)fill(privileged);
    assert_ok(memfs_ftruncate(privileged, PAGE));
    uint64_t punched = 0;
    for (uint64_t at = 0; at + PAGE <= filled; at += 2 * PAGE, punched++)
        assert_ok(memfs_fallocate(ordinary, (int64_t)at, PAGE, MEMFS_FALLOCATE_PUNCH_HOLE));
    if (f->is_pooled) /* else page tables are no pages, and free pages are no room for them */
        assert_true(fill(ordinary) >= (punched - 4) * PAGE);
    assert_ok(memfs_close(privileged));
    assert_ok(memfs_close(ordinary));
    fixture_destroy(f);
}

static void node_name_and_handle_of_a_privileged_file_come_from_the_reserve(void **state)
{
    (void)state;
    struct fixture *f = make(RESERVE);
    memfs_file *ordinary = create_file(f->fs, "/ordinary"), *file;
    (void)fill(ordinary);
    char name[] = "/aa";
    int result = 0;
    for (int i = 0; result == 0; i++) { /* the last bytes */
        name[1] = (char)('a' + i / 26);
        name[2] = (char)('a' + i % 26);
        result = memfs_symlink(f->fs, "x", name, 0);
    }
    assert_returns(result, MEMFS_EDQUOT);
    assert_returns(memfs_open(f->fs, "/journal", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file),
                   MEMFS_EDQUOT);
    file = open_file(f->fs, "/journal", MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_EMERGENCY);
    write_pattern(file, 10 * PAGE, 0, 1);
    assert_ok(memfs_close(file));
    /* The privilege was the handle's, not the file's. */
    file = open_file(f->fs, "/journal", MEMFS_O_RDWR | MEMFS_O_EMERGENCY);
    assert_ok(memfs_use_emergency_reserve(file, MEMFS_EMERGENCY_UNUSED));
    assert_returns(memfs_pwrite(file, "x", 1, 11 * PAGE), MEMFS_EDQUOT);
    assert_ok(memfs_use_emergency_reserve(file, MEMFS_EMERGENCY_WRITING));
    assert_returns(memfs_pwrite(file, "x", 1, 11 * PAGE), 1);
    assert_ok(memfs_close(file));
    assert_ok(memfs_close(ordinary));
    fixture_destroy(f);
}

static void charged_memory_can_come_from_the_reserve(void **state)
{
    (void)state;
    struct fixture *f = make(RESERVE);
    memfs_file *ordinary = create_file(f->fs, "/ordinary");
    void *memory, *second;
    (void)fill(ordinary);
    assert_returns(memfs_charged_alloc(f->fs, 32768, &memory), MEMFS_EDQUOT);
    assert_ok(memfs_charged_alloc_emergency(f->fs, 32768, &memory));
    assert_returns(memfs_charged_alloc_emergency(f->fs, RESERVE - 32768 + 2 * PAGE, &second),
                   MEMFS_EDQUOT);
    assert_ok(memfs_free(f->fs, memory));
    assert_int_equal(statfs_of(f->fs).emergency_reserve_left_bytes, RESERVE);
    assert_ok(memfs_close(ordinary));
    fixture_destroy(f);
}

static void a_handle_may_overwrite_from_the_reserve_without_growing_from_it(void **state)
{
    (void)state;
    struct fixture *f = make(RESERVE);
    memfs_file *file = create_file(f->fs, "/file");
    memfs_content_ref version;
    uint64_t size = fill(file);
    assert_ok(memfs_content_take(file, &version));
    unsigned char page[PAGE];
    fill_pattern(page, PAGE, 3);
    assert_returns(memfs_pwrite(file, page, PAGE, 0), MEMFS_EDQUOT);
    assert_ok(memfs_use_emergency_reserve(file, MEMFS_EMERGENCY_OVERWRITING));
    assert_returns(memfs_pwrite(file, page, PAGE, 0), PAGE);
    assert_ok(memfs_fallocate(file, PAGE, PAGE, 0));
    assert_returns(memfs_pwrite(file, page, PAGE, (int64_t)size), MEMFS_EDQUOT);
    assert_returns(memfs_pwrite(file, page, PAGE, (int64_t)size - 1), MEMFS_EDQUOT);
    assert_returns(memfs_fallocate(file, (int64_t)size, PAGE, 0), MEMFS_EDQUOT);
    assert_returns(memfs_preallocate(file, (int64_t)size + PAGE), MEMFS_EDQUOT);
    assert_ok(memfs_content_restore(file, &version));
    assert_ok(memfs_close(file));
    fixture_destroy(f);
}

static void a_version_writes_as_the_handle_did_that_took_it(void **state)
{
    (void)state;
    struct fixture *f = make(RESERVE);
    memfs_file *file = create_file(f->fs, "/file");
    memfs_content_ref before, after;
    uint64_t size = fill(file);
    assert_ok(memfs_content_take(file, &before));
    assert_ok(memfs_use_emergency_reserve(file, MEMFS_EMERGENCY_OVERWRITING));
    assert_ok(memfs_content_take(file, &after));
    assert_ok(memfs_use_emergency_reserve(file, MEMFS_EMERGENCY_UNUSED));
    assert_returns(memfs_content_write(&before, "x", 1, 0), MEMFS_EDQUOT);
    assert_returns(memfs_content_write(&after, "x", 1, 0), 1);
    static const unsigned char page[PAGE];
    assert_returns(memfs_content_write(&after, page, PAGE, (int64_t)size), MEMFS_EDQUOT);
    assert_ok(memfs_content_drop(&before));
    assert_ok(memfs_content_restore(file, &after));
    assert_ok(memfs_close(file));
    fixture_destroy(f);
}

static void the_reserve_is_changed_at_run_time(void **state)
{
    (void)state;
    struct fixture *f = make(0);
    memfs_file *file = create_file(f->fs, "/file");
    uint64_t filled = fill(file);
    assert_int_equal(statfs_of(f->fs).emergency_reserve_left_bytes, 0);
    assert_ok(memfs_set_emergency_reserve(f->fs, RESERVE)); /* of which nothing is left */
    assert_true(statfs_of(f->fs).emergency_reserve_left_bytes < PAGE);
    assert_ok(memfs_ftruncate(file, (int64_t)filled / 2));
    assert_int_equal(statfs_of(f->fs).emergency_reserve_left_bytes, RESERVE);
    uint64_t again = filled / 2 + fill(file);
    assert_true(again + RESERVE + 65536 >= filled);
    memfs_statfs_info info = statfs_of(f->fs);
    assert_true(info.committed_bytes - info.pages_free * PAGE <= QUOTA - RESERVE);

    fixture_set_quota(f, 2 * QUOTA); /* the reserve moves with the end of the quota */
    assert_true(fill(file) > QUOTA - 65536);
    assert_true(statfs_of(f->fs).committed_bytes <= 2 * QUOTA - RESERVE);
    fixture_set_quota(f, 0);
    assert_true(statfs_of(f->fs).available_bytes == UINT64_MAX);
    write_pattern(file, 4 * QUOTA, 0, 1);
    assert_ok(memfs_ftruncate(file, 0));
    fixture_set_quota(f, QUOTA);
    assert_ok(memfs_set_emergency_reserve(f->fs, UINT64_MAX)); /* all of it */
    static const unsigned char page[PAGE];
    assert_returns(memfs_pwrite(file, page, PAGE, 0), MEMFS_EDQUOT);
    assert_ok(memfs_set_emergency_reserve(f->fs, 0));
    assert_returns(memfs_pwrite(file, "x", 1, 0), 1);
    assert_ok(memfs_close(file));
    fixture_destroy(f);
}

static void bad_input_is_refused(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/file"), *dir = open_file(f->fs, "/", MEMFS_O_READ);
    void *memory;
    assert_returns(memfs_use_emergency_reserve(NULL, 0), MEMFS_EBADF);
    assert_returns(memfs_use_emergency_reserve(dir, 0), MEMFS_EISDIR);
    assert_returns(memfs_use_emergency_reserve(file, -1), MEMFS_EINVAL);
    assert_returns(memfs_use_emergency_reserve(file, 3), MEMFS_EINVAL);
    assert_returns(memfs_set_emergency_reserve(NULL, 0), MEMFS_EINVAL);
    assert_returns(memfs_charged_alloc_emergency(NULL, 1, &memory), MEMFS_EINVAL);
    assert_returns(memfs_charged_alloc_emergency(f->fs, 1, NULL), MEMFS_EINVAL);
    assert_returns(memfs_charged_alloc_emergency(f->fs, 0, &memory), MEMFS_EINVAL);
    assert_ok(memfs_close(dir));
    assert_ok(memfs_close(file));
    memfs_config config = memfs_config_default();
    config.quota_bytes = QUOTA;
    config.emergency_reserve_bytes = QUOTA; /* room for "/", which lies in the instance, alone */
    struct fixture *closed = fixture_create(&config);
    assert_non_null(closed);
    assert_int_equal(statfs_of(closed->fs).available_bytes, 0);
    assert_returns(memfs_mkdir(closed->fs, "/d", 0755), MEMFS_EDQUOT);
    fixture_destroy(closed);
}

#ifndef MEMFS_NO_THREADS

enum { THREADS = 4, STEPS = 3000 };

struct grower {
    memfs_file *file;
    unsigned index;
    int mistakes;
};

static void *grow_and_cut(void *context)
{
    struct grower *grower = context;
    static const unsigned char bytes[8 * PAGE];
    for (unsigned i = 0; i < STEPS; i++) {
        int64_t at = memfs_file_size(grower->file);
        size_t length = 1 + (i * 7919u + grower->index) % sizeof bytes;
        int64_t result = memfs_pwrite(grower->file, bytes, length, at);
        if (result < 0 && result != MEMFS_EDQUOT)
            grower->mistakes++;
        if (result < 0 && memfs_ftruncate(grower->file, at / (2 + i % 3)) != 0)
            grower->mistakes++;
    }
    return NULL;
}

/* Every other thread is privileged.  The allocator would end the process if more than the quota
 * were held. */
static void threads_of_both_ranks_never_pass_the_quota(void **state)
{
    (void)state;
    struct fixture *f = make(RESERVE);
    struct grower growers[THREADS];
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        char path[] = {'/', (char)('a' + i), '\0'};
        uint32_t flags = MEMFS_O_RDWR | MEMFS_O_CREATE | (i % 2 != 0 ? MEMFS_O_EMERGENCY : 0);
        growers[i] = (struct grower){.file = open_file(f->fs, path, flags), .index = i};
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, grow_and_cut, &growers[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(growers[i].mistakes, 0);
    }
    assert_ok(memfs_audit(f->fs));
    assert_true(statfs_of(f->fs).peak_bytes > QUOTA - RESERVE);
    assert_true(statfs_of(f->fs).peak_bytes <= QUOTA);
    for (int i = 0; i < THREADS; i++)
        assert_ok(memfs_close(growers[i].file));
    fixture_destroy(f);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_data_stops_where_the_reserve_begins),
        cmocka_unit_test(what_the_reserve_gets_back_stays_in_it),
        cmocka_unit_test(ordinary_data_uses_what_ordinary_data_gave_back),
        cmocka_unit_test(node_name_and_handle_of_a_privileged_file_come_from_the_reserve),
        cmocka_unit_test(charged_memory_can_come_from_the_reserve),
        cmocka_unit_test(a_handle_may_overwrite_from_the_reserve_without_growing_from_it),
        cmocka_unit_test(a_version_writes_as_the_handle_did_that_took_it),
        cmocka_unit_test(the_reserve_is_changed_at_run_time),
        FS_TEST(bad_input_is_refused),
#ifndef MEMFS_NO_THREADS
        cmocka_unit_test(threads_of_both_ranks_never_pass_the_quota),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
