/* What a refusal says: the figures of the call that was refused, to the thread that made it. */
#define _DEFAULT_SOURCE 1

#include "checks.h"

#include <memfs/storage.h>

#ifndef MEMFS_NO_THREADS
#include "team.h"
#endif

#define MIB ((size_t)1 << 20)

/* "And what it takes beside": page tables and slabs. */
#define BESIDE(bytes) ((bytes) / 8 + 65536)

static const unsigned char zeros[64 << 20];

static memfs_refusal last_of(memfs *fs)
{
    memfs_refusal refusal = {.struct_size = sizeof refusal};
    assert_ok(memfs_last_refusal(fs, &refusal));
    return refusal;
}

static void assert_same(memfs_refusal a, memfs_refusal b)
{
    assert_int_equal(a.error, b.error);
    assert_int_equal(a.wanted, b.wanted);
    assert_int_equal(a.available, b.available);
    assert_int_equal(a.limit, b.limit);
}

/* ------------------------------------------------------------ what they are */

static int64_t write_whole(memfs *fs, size_t size)
{
    return memfs_write_file(fs, "/new", zeros, size, 0644, 0);
}

static int64_t append_whole(memfs *fs, size_t size)
{
    return memfs_append_file(fs, "/file", zeros, size, 0644, 0);
}

static int64_t with_file(memfs *fs, size_t size, int64_t (*act)(memfs_file *file, size_t size))
{
    memfs_file *file = open_file(fs, "/file", MEMFS_O_RDWR);
    int64_t result = act(file, size);
    assert_ok(memfs_close(file));
    return result;
}

static int64_t write_at_offset(memfs_file *file, size_t size)
{
    return memfs_pwrite(file, zeros, size, 12345);
}

static int64_t write_by_handle(memfs *fs, size_t size)
{
    return with_file(fs, size, write_at_offset);
}

static int64_t allocate_range(memfs_file *file, size_t size)
{
    return memfs_fallocate(file, 0, (int64_t)size, 0);
}

static int64_t allocate(memfs *fs, size_t size)
{
    return with_file(fs, size, allocate_range);
}

static int64_t preallocate_range(memfs_file *file, size_t size)
{
    return memfs_preallocate(file, (int64_t)size + 5);
}

static int64_t preallocate(memfs *fs, size_t size)
{
    return with_file(fs, size, preallocate_range);
}

static int64_t write_to_held(memfs_file *file, size_t size)
{
    memfs_content_ref content;
    assert_ok(memfs_content_take(file, &content));
    int64_t result = memfs_content_write(&content, zeros, size, 0);
    assert_ok(memfs_content_drop(&content));
    return result;
}

static int64_t write_to_held_content(memfs *fs, size_t size)
{
    return with_file(fs, size, write_to_held);
}

static int64_t charge_memory(memfs *fs, size_t size)
{
    void *memory;
    return memfs_charged_alloc(fs, size, &memory);
}

static int64_t (*const large_calls[])(memfs *fs, size_t size) = {
    write_whole, append_whole,          write_by_handle, allocate,
    preallocate, write_to_held_content, charge_memory,
};

static void they_are_those_of_the_whole_call(void **state)
{
    (void)state;
    static const size_t sizes[] = {2 * MIB, 3000000, 60 * MIB};
    struct fixture *f = create_with_quota(MIB);
    put(f->fs, "/file", "hello");
    for (size_t i = 0; i < COUNT_OF(large_calls) * COUNT_OF(sizes); i++) {
        size_t size = sizes[i / COUNT_OF(large_calls)];
        const memfs_statfs_info before = statfs_of(f->fs);
        assert_returns(large_calls[i % COUNT_OF(large_calls)](f->fs, size), MEMFS_EDQUOT);
        memfs_refusal refusal = last_of(f->fs);
        assert_int_equal(refusal.error, MEMFS_EDQUOT);
        assert_true(refusal.wanted >= size && refusal.wanted <= size + BESIDE(size));
        assert_int_equal(refusal.limit, MIB);
        assert_true(refusal.available <= MIB - before.looking_reserve_bytes);
        assert_true(refusal.available + BESIDE(MIB) > before.available_bytes);
        assert_int_equal(statfs_of(f->fs).quota_refusals, before.quota_refusals + 1);
    }
    fixture_destroy(f);
}

/* Around the quota, where what is refused may be the node or the name. */
static void they_are_those_of_the_call_wherever_it_is_refused(void **state)
{
    (void)state;
    struct fixture *f = create_with_quota(MIB);
    int refused = 0;
    for (size_t size = 900 << 10; size < 1100 << 10; size += 509) {
        int64_t result = write_whole(f->fs, size);
        if (result == 0) {
            assert_ok(memfs_unlink(f->fs, "/new"));
            continue;
        }
        assert_returns(result, MEMFS_EDQUOT);
        refused++;
        memfs_refusal refusal = last_of(f->fs);
        assert_true(refusal.wanted >= size && refusal.wanted <= size + BESIDE(size));
        assert_true(refusal.wanted > refusal.available);
        assert_true(refusal.available <= refusal.limit);
    }
    assert_true(refused > 50 && refused < 400);
    fixture_destroy(f);
}

static void a_call_that_succeeds_leaves_the_last_refusal(void **state)
{
    (void)state;
    struct fixture *f = create_with_quota(MIB);
    assert_int_equal(last_of(f->fs).error, 0);
    assert_returns(write_whole(f->fs, 2 * MIB), MEMFS_EDQUOT);
    memfs_refusal refusal = last_of(f->fs);
    put(f->fs, "/small", "text");
    assert_returns(memfs_mkdir(f->fs, "/no/such", 0755), MEMFS_ENOENT);
    assert_same(last_of(f->fs), refusal);
    fixture_destroy(f);
}

/* What is taken aside, or got in another way, was not refused. */
static void what_is_got_in_another_way_is_no_refusal(void **state)
{
    (void)state;
    struct fixture *f = create_with_quota(MIB);
    put(f->fs, "/file", "hello");
    fixture_leave(f, 0);
    uint64_t refusals = statfs_of(f->fs).quota_refusals;
    assert_returns(memfs_mkdir(f->fs, "/d", 0755), MEMFS_EDQUOT);
    memfs_refusal refusal = last_of(f->fs);
    assert_ok(memfs_close(open_file(f->fs, "/file", MEMFS_O_READ)));
    assert_same(last_of(f->fs), refusal);
    assert_int_equal(statfs_of(f->fs).quota_refusals, refusals + 1);
    fixture_destroy(f);
}

static void of_nodes_they_count_nodes(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_set_node_limit(f->fs, 4));
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_returns(memfs_mkdir_parents(f->fs, "/a/b/c/d", 0755), MEMFS_ENOSPC);
    memfs_refusal refusal = last_of(f->fs);
    assert_int_equal(refusal.error, MEMFS_ENOSPC);
    assert_int_equal(refusal.limit, 4);
    assert_int_equal(refusal.available, 2);
    assert_int_equal(refusal.wanted, 3);
    assert_ok(memfs_set_node_limit(f->fs, 0));
}

static void of_the_allocator_they_are_bytes(void **state)
{
    struct fixture *f = *state;
    fixture_leave(f, 1 << 20);
    tracking_refuse(&f->allocator, 1, 1);
    assert_returns(memfs_write_file(f->fs, "/f", zeros, 100000, 0644, 0), MEMFS_ENOMEM);
    tracking_refuse(&f->allocator, 0, 0);
    memfs_refusal refusal = last_of(f->fs);
    assert_int_equal(refusal.error, MEMFS_ENOMEM);
    assert_true(refusal.wanted >= 100000 && refusal.wanted <= 100000 + BESIDE(100000));
    assert_int_equal(refusal.limit, statfs_of(f->fs).quota_bytes);
}

static void a_program_that_does_not_know_the_limit_gets_the_rest(void **state)
{
    (void)state;
    struct fixture *f = create_with_quota(MIB);
    assert_returns(write_whole(f->fs, 2 * MIB), MEMFS_EDQUOT);
    memfs_refusal refusal = {.struct_size = offsetof(memfs_refusal, limit), .limit = 77};
    assert_ok(memfs_last_refusal(f->fs, &refusal));
    assert_int_equal(refusal.error, MEMFS_EDQUOT);
    assert_true(refusal.wanted >= 2 * MIB);
    assert_int_equal(refusal.limit, 77);
    fixture_destroy(f);
}

/* --------------------------------------------------------------- whose they are */

static void each_file_system_has_its_own_and_the_fifth_takes_the_place_of_the_first(void **state)
{
    (void)state;
    enum { COUNT = 5 };
    struct fixture *f[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        f[i] = create_with_quota(MIB);
        assert_returns(write_whole(f[i]->fs, (2 + i) * MIB), MEMFS_EDQUOT);
        for (size_t other = 0; other <= i; other++) {
            memfs_refusal refusal = last_of(f[other]->fs);
            int is_forgotten = other + 4 <= i;
            assert_int_equal(refusal.error, is_forgotten ? 0 : MEMFS_EDQUOT);
            assert_int_equal(refusal.wanted / MIB, is_forgotten ? 0 : 2 + other);
        }
    }
    for (size_t i = 0; i < COUNT; i++)
        fixture_destroy(f[i]);
    struct fixture *later = create_with_quota(MIB); /* perhaps where one of the others was */
    assert_int_equal(last_of(later->fs).error, 0);
    fixture_destroy(later);
}

struct listener {
    int calls, depth;
    int writes; /* is refused itself, in between */
    uint64_t most_raised;
    memfs_refusal heard;
};

static int listen(void *context, memfs *fs, const memfs_refusal *refusal)
{
    struct listener *listener = context;
    if (listener->depth != 0)
        return MEMFS_REFUSED_FAIL;
    listener->calls++;
    listener->heard = *refusal;
    listener->depth++;
    if (listener->writes)
        assert_returns(write_whole(fs, 33 * MIB), MEMFS_EDQUOT);
    listener->depth--;
    if (listener->most_raised == 0)
        return MEMFS_REFUSED_FAIL;
    uint64_t quota = statfs_of(fs).quota_bytes + refusal->wanted - refusal->available;
    assert_true(quota <= listener->most_raised);
    assert_ok(memfs_set_quota(fs, quota));
    return MEMFS_REFUSED_RETRY;
}

static void the_callback_hears_the_same(void **state)
{
    (void)state;
    struct fixture *f = create_with_quota(MIB);
    struct listener listener = {.writes = 1};
    assert_ok(memfs_set_refused(f->fs, listen, &listener));
    assert_returns(write_whole(f->fs, 5 * MIB), MEMFS_EDQUOT);
    assert_int_equal(listener.calls, 1);
    assert_true(listener.heard.wanted >= 5 * MIB);
    assert_true(listener.heard.wanted <= 5 * MIB + BESIDE(5 * MIB));
    assert_int_equal(listener.heard.limit, MIB);
    assert_same(last_of(f->fs), listener.heard); /* not the callback's own */
    fixture_destroy(f);
}

static void raising_the_quota_by_what_is_missing_is_soon_enough(void **state)
{
    (void)state;
    struct fixture *f = create_with_quota(MIB);
    atomic_store(&f->allocator.limit_bytes, 0);
    struct listener listener = {.most_raised = 70 * MIB};
    assert_ok(memfs_set_refused(f->fs, listen, &listener));
    assert_ok(memfs_write_file(f->fs, "/big", zeros, sizeof zeros, 0644, 0));
    assert_true(listener.calls >= 1 && listener.calls <= 5);
    fixture_destroy(f);
}

#ifndef MEMFS_NO_THREADS

enum { REFUSED = 2, TIMES = 1000 };

/* The member's own size; two are refused at a time, and ask when both have been. */
static void *be_refused(void *context)
{
    const struct member *member = context;
    struct team *team = member->team;
    size_t size = (size_t)(2 + 2 * member->number) * MIB;
    char path[] = {'/', (char)('a' + member->number), '\0'};
    for (int i = 0; i < TIMES; i++) {
        int result = memfs_write_file(team->fs, path, zeros, size, 0644, 0);
        if (i % 10 == 0)
            meet(team);
        memfs_refusal refusal = {.struct_size = sizeof refusal};
        team->wrong += result != MEMFS_EDQUOT || memfs_last_refusal(team->fs, &refusal) != 0 ||
                       refusal.error != MEMFS_EDQUOT || refusal.wanted < size ||
                       refusal.wanted > size + BESIDE(size);
        team->looked++;
    }
    return NULL;
}

/* This one is refused nothing. */
static void *hear_nothing(void *context)
{
    const struct member *member = context;
    struct team *team = member->team;
    for (int i = 0; i < TIMES / 10; i++) {
        meet(team);
        memfs_refusal refusal = {.struct_size = sizeof refusal};
        team->wrong += memfs_last_refusal(team->fs, &refusal) != 0 || refusal.error != 0;
    }
    return NULL;
}

static void each_thread_has_its_own(void **state)
{
    (void)state;
    struct fixture *f = create_with_quota(MIB);
    struct team team = team_of(f);
    void *(*const functions[])(void *) = {be_refused, be_refused, hear_nothing};
    run(&team, 3, functions);
    assert_int_equal(team.wrong, 0);
    assert_int_equal(team.looked, REFUSED * TIMES);
    assert_int_equal(statfs_of(f->fs).quota_refusals, REFUSED * TIMES);
    assert_int_equal(last_of(f->fs).error, 0);
    fixture_destroy(f);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_those_of_the_whole_call),
        cmocka_unit_test(they_are_those_of_the_call_wherever_it_is_refused),
        cmocka_unit_test(a_call_that_succeeds_leaves_the_last_refusal),
        cmocka_unit_test(what_is_got_in_another_way_is_no_refusal),
        FS_TEST(of_nodes_they_count_nodes),
        FS_TEST(of_the_allocator_they_are_bytes),
        cmocka_unit_test(a_program_that_does_not_know_the_limit_gets_the_rest),
        cmocka_unit_test(each_file_system_has_its_own_and_the_fifth_takes_the_place_of_the_first),
        cmocka_unit_test(the_callback_hears_the_same),
        cmocka_unit_test(raising_the_quota_by_what_is_missing_is_soon_enough),
#ifndef MEMFS_NO_THREADS
        cmocka_unit_test(each_thread_has_its_own),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
