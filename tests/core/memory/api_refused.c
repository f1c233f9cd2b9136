/* The callback for what a limit refuses. */
#include "checks.h"

#include <memfs/storage.h>

#ifndef MEMFS_NO_THREADS
#include <pthread.h>
#endif

enum { QUOTA = 1 << 20, PAGE = 4096 };

/* What the callback does, and what it has seen. */
struct answer {
    struct fixture *f;
    int code;
    uint64_t more_bytes;    /* raises the quota by that */
    uint64_t more_nodes;    /* raises the node limit by that */
    const char *removes;    /* a file */
    const char *writes;     /* a file, which may be refused */
    int (*once)(memfs *fs); /* runs at the first call */
    _Atomic int calls;
    memfs_refusal last;
};

static int answer(void *context, memfs *fs, const memfs_refusal *refusal)
{
    struct answer *a = context;
    memfs_statfs_info info = statfs_of(fs);
    assert_ptr_equal(fs, a->f->fs);
    a->last = *refusal;
    if (a->calls++ == 0 && a->once != NULL)
        assert_ok(a->once(fs));
    if (a->more_bytes != 0)
        fixture_set_quota(a->f, info.quota_bytes + a->more_bytes);
    if (a->more_nodes != 0)
        assert_ok(memfs_set_node_limit(fs, info.node_limit + a->more_nodes));
    if (a->removes != NULL && is_there(fs, a->removes))
        assert_ok(memfs_unlink(fs, a->removes));
    if (a->writes != NULL)
        (void)memfs_write_file(fs, a->writes, "12345678901234567890", 20, 0644, 0);
    return a->code;
}

/* A file system with a file "/cache" of 256 KiB, and full but for less than a page. */
static struct fixture *make_full(struct answer *a)
{
    memfs_config config = memfs_config_default();
    config.quota_bytes = QUOTA;
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    a->f = f;
    put_pattern(f->fs, "/cache", 256 * 1024, 1);
    memfs_file *file = create_file(f->fs, "/file");
    static const unsigned char page[PAGE];
    int64_t result;
    for (int64_t at = 0; (result = memfs_pwrite(file, page, PAGE, at)) > 0;)
        at += PAGE;
    assert_returns(result, MEMFS_EDQUOT);
    assert_ok(memfs_close(file));
    assert_ok(memfs_set_refused(f->fs, answer, a));
    return f;
}

static void it_hears_what_was_wanted_and_what_is_left(void **state)
{
    (void)state;
    struct answer a = {.code = MEMFS_REFUSED_FAIL};
    struct fixture *f = make_full(&a);
    memfs_file *file = open_file(f->fs, "/file", MEMFS_O_RDWR);
    unsigned char bytes[3 * PAGE] = {0};
    int64_t size = memfs_file_size(file);
    assert_returns(memfs_pwrite(file, bytes, sizeof bytes, size), MEMFS_EDQUOT);
    assert_int_equal(memfs_file_size(file), size);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.last.error, MEMFS_EDQUOT);
    assert_true(a.last.wanted >= sizeof bytes && a.last.wanted < 2 * sizeof bytes);
    assert_true(a.last.available < PAGE);
    assert_returns(memfs_pwrite(file, bytes, PAGE, 0), PAGE); /* needs nothing, so nobody asks */
    assert_int_equal(a.calls, 1);
    assert_ok(memfs_close(file));
    fixture_destroy(f);
}

static void it_raises_the_quota_and_the_call_succeeds(void **state)
{
    (void)state;
    struct answer a = {.code = MEMFS_REFUSED_RETRY, .more_bytes = 200 * 1024};
    struct fixture *f = make_full(&a);
    put_pattern(f->fs, "/new", 100 * 1024, 3);
    assert_int_equal(a.calls, 1);
    memfs_file *file = open_file(f->fs, "/new", MEMFS_O_RDWR | MEMFS_O_APPEND);
    check_pattern(file, 100 * 1024, 0, 3);
    unsigned char bytes[150 * 1024];
    fill_pattern(bytes, sizeof bytes, 4);
    assert_returns(memfs_write(file, bytes, sizeof bytes), sizeof bytes); /* once, at the end */
    assert_int_equal(memfs_tell(file), 250 * 1024);
    check_pattern(file, sizeof bytes, 100 * 1024, 4);
    assert_int_equal(a.calls, 2);
    assert_ok(memfs_close(file));
    fixture_destroy(f);
}

static void it_raises_the_quota_in_steps_until_it_is_enough(void **state)
{
    (void)state;
    struct answer a = {.code = MEMFS_REFUSED_RETRY, .more_bytes = 1000};
    struct fixture *f = make_full(&a);
    put_pattern(f->fs, "/new", 100 * 1024, 3);
    assert_true(a.calls > 90 && a.calls < 120);
    fixture_destroy(f);
}

static void it_removes_a_file_and_the_call_succeeds(void **state)
{
    (void)state;
    struct answer a = {.code = MEMFS_REFUSED_RETRY, .removes = "/cache"};
    struct fixture *f = make_full(&a);
    put_pattern(f->fs, "/new", 200 * 1024, 3);
    assert_int_equal(a.calls, 1);
    assert_int_equal(is_there(f->fs, "/cache"), 0);
    /* Once there is nothing left to remove, RETRY does not help. */
    memfs_file *file = open_file(f->fs, "/new", MEMFS_O_RDWR);
    unsigned char bytes[100 * 1024] = {0};
    assert_returns(memfs_pwrite(file, bytes, sizeof bytes, 200 * 1024), MEMFS_EDQUOT);
    assert_int_equal(a.calls, 2);
    check_pattern(file, 200 * 1024, 0, 3);
    assert_ok(memfs_close(file));
    fixture_destroy(f);
}

static void saying_retry_without_making_room_is_saying_no(void **state)
{
    (void)state;
    struct answer a = {.code = MEMFS_REFUSED_RETRY};
    struct fixture *f = make_full(&a);
    void *memory;
    assert_returns(memfs_charged_alloc(f->fs, 100000, &memory), MEMFS_EDQUOT);
    assert_int_equal(a.calls, 1);
    a.more_bytes = 200 * 1024; /* enough, but it says no */
    a.code = MEMFS_REFUSED_FAIL;
    assert_returns(memfs_charged_alloc(f->fs, 100000, &memory), MEMFS_EDQUOT);
    assert_int_equal(a.calls, 2);
    assert_ok(memfs_charged_alloc(f->fs, 100000, &memory));
    assert_ok(memfs_free(f->fs, memory));
    fixture_destroy(f);
}

static void the_node_limit_asks_too(void **state)
{
    (void)state;
    struct answer a = {.code = MEMFS_REFUSED_RETRY, .more_nodes = 1};
    memfs_config config = memfs_config_default();
    config.node_limit = 1;
    config.refused = answer;
    config.refused_context = &a;
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    a.f = f;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_int_equal(a.last.error, MEMFS_ENOSPC);
    assert_int_equal(a.last.wanted, 1);
    assert_int_equal(a.last.available, 0);
    assert_ok(memfs_mkdir_parents(f->fs, "/a/b/c", 0755));
    assert_int_equal(a.calls, 4);
    put(f->fs, "/f", "");
    a.more_nodes = 0;
    a.removes = "/f"; /* a node for a node */
    put(f->fs, "/d/x", "");
    assert_int_equal(a.calls, 6);
    fixture_destroy(f);
}

static void it_can_be_changed_and_taken_away(void **state)
{
    (void)state;
    struct answer a = {.code = MEMFS_REFUSED_FAIL}, other = {.code = MEMFS_REFUSED_RETRY};
    struct fixture *f = make_full(&a);
    void *memory;
    other.f = f;
    other.more_bytes = 200 * 1024;
    assert_ok(memfs_set_refused(f->fs, NULL, NULL));
    assert_returns(memfs_charged_alloc(f->fs, 100000, &memory), MEMFS_EDQUOT);
    assert_ok(memfs_set_refused(f->fs, answer, &other));
    assert_ok(memfs_charged_alloc(f->fs, 100000, &memory));
    assert_ok(memfs_free(f->fs, memory));
    assert_int_equal(a.calls, 0);
    assert_int_equal(other.calls, 1);
    assert_returns(memfs_set_refused(NULL, answer, &a), MEMFS_EINVAL);
    fixture_destroy(f);
}

static void a_callback_that_is_refused_itself_does_not_recur_for_ever(void **state)
{
    (void)state;
    struct answer a = {.code = MEMFS_REFUSED_RETRY, .writes = "/log"};
    struct fixture *f = make_full(&a);
    void *memory;
    assert_ok(memfs_set_quota(f->fs, statfs_of(f->fs).committed_bytes));
    assert_ok(memfs_set_refused(f->fs, NULL, NULL));
    fill_with_small_files(f->fs, 20);
    assert_ok(memfs_set_refused(f->fs, answer, &a));
    assert_returns(memfs_charged_alloc(f->fs, 100000, &memory), MEMFS_EDQUOT);
    assert_true(a.calls > 1 && a.calls <= 32);
    assert_returns(memfs_charged_alloc(f->fs, 100000, &memory),
                   MEMFS_EDQUOT); /* and not only once */
    assert_true(a.calls > 32 && a.calls <= 64);
    fixture_destroy(f);
}

static void the_allocators_refusal_is_not_asked_about(void **state)
{
    (void)state;
    struct answer a = {.code = MEMFS_REFUSED_RETRY, .more_bytes = QUOTA};
    struct fixture *f = make_full(&a);
    void *memory;
    fixture_set_quota(f, 2 * QUOTA);
    tracking_refuse(&f->allocator, 1, 1);
    assert_returns(memfs_charged_alloc(f->fs, 1000, &memory), MEMFS_ENOMEM);
    tracking_refuse(&f->allocator, 0, 0);
    assert_int_equal(a.calls, 0);
    fixture_destroy(f);
}

static int add_a_name(memfs *fs)
{
    return memfs_rename(fs, "/cache", "/moved", 0);
}

/* The call begins again: it finds what the callback has made of the tree. */
static void the_call_is_run_again_from_its_beginning(void **state)
{
    (void)state;
    struct answer a = {.code = MEMFS_REFUSED_RETRY, .more_bytes = 512 * 1024, .once = add_a_name};
    struct fixture *f = make_full(&a);
    assert_ok(memfs_hold_private(open_file(f->fs, "/cache", MEMFS_O_RDWR), 1));
    assert_returns(memfs_copy(f->fs, "/cache", "/copy", 0), MEMFS_ENOENT);
    assert_int_equal(a.calls, 1);
    assert_ok(memfs_destroy(f->fs, MEMFS_DESTROY_FORCE));
    tracking_assert_empty(&f->allocator);
    free(f);
}

struct held_handles {
    memfs_file **files;
    size_t count;
};

/* Opens the file again and again, until even that is refused. */
static struct held_handles use_up_the_looking_reserve(memfs *fs, const char *path)
{
    size_t most = (size_t)statfs_of(fs).looking_reserve_bytes / 16;
    struct held_handles held = {.files = malloc(most * sizeof *held.files)};
    int result;
    assert_non_null(held.files);
    while ((result = memfs_open(fs, path, MEMFS_O_READ, 0, &held.files[held.count])) == 0) {
        held.count++;
        assert_true(held.count < most);
    }
    assert_returns(result, MEMFS_EDQUOT);
    assert_true(held.count > 10);
    return held;
}

static void close_held_handles(struct held_handles *held)
{
    for (size_t i = 0; i < held->count; i++)
        assert_ok(memfs_close(held->files[i]));
    free(held->files);
}

static int count_visit(void *context, const memfs_walk_entry *entry)
{
    (void)entry;
    ++*(int *)context;
    return MEMFS_WALK_CONTINUE;
}

/* A walk that grows on its way down visits nothing twice. */
static void a_walk_goes_on_where_it_was_refused(void **state)
{
    (void)state;
    struct answer a = {.code = MEMFS_REFUSED_RETRY};
    struct fixture *f = make_full(&a);
    char path[1200] = "";
    assert_ok(memfs_unlink(f->fs, "/cache"));
    for (int i = 0; i < 40; i++) {
        strcat(path, "/a-directory-deep-down");
        assert_ok(memfs_mkdir(f->fs, path, 0755));
    }
    assert_returns(memfs_set_quota(f->fs, 1), MEMFS_EBUSY);
    fixture_leave(f, 0);
    assert_ok(memfs_set_refused(f->fs, NULL, NULL));
    struct held_handles held = use_up_the_looking_reserve(f->fs, "/file");
    a.calls = 0;
    a.more_bytes = f->is_pooled ? 32768 : 2048; /* pooled, what is taken is a slab */
    assert_ok(memfs_set_refused(f->fs, answer, &a));
    int visits = 0;
    assert_ok(memfs_walk(f->fs, "/", count_visit, &visits));
    assert_int_equal(visits, 1 + 2 * 41); /* the file; "/" and the directories, in and out */
    assert_true(a.calls >= (f->is_pooled ? 1 : 2));
    close_held_handles(&held);
    fixture_destroy(f);
}

#ifndef MEMFS_NO_THREADS

enum { THREADS = 4, FILES = 200 };

static int raise_quota(void *context, memfs *fs, const memfs_refusal *refusal)
{
    struct answer *a = context;
    assert_true(refusal->wanted > 0);
    a->calls++;
    return memfs_set_quota(fs, statfs_of(fs).quota_bytes + 3 * PAGE) == 0 ? MEMFS_REFUSED_RETRY
                                                                          : MEMFS_REFUSED_FAIL;
}

struct writer {
    memfs *fs;
    unsigned index;
    int refused;
};

static void *write_files(void *context)
{
    struct writer *w = context;
    static const unsigned char bytes[2 * PAGE];
    char path[] = "/x-00";
    path[1] = (char)('a' + w->index);
    for (int i = 0; i < FILES; i++) {
        path[3] = (char)('0' + i / 16);
        path[4] = (char)('0' + i % 16);
        int result = memfs_write_file(w->fs, path, bytes, sizeof bytes, 0644, 0);
        w->refused += result == MEMFS_EDQUOT;
        if (result != 0 && result != MEMFS_EDQUOT)
            w->refused = FILES;
    }
    return NULL;
}

/* Two that read the quota and raise it to the same may have raised it once: then one is refused. */
static void several_threads_are_asked_at_once(void **state)
{
    (void)state;
    struct answer a = {.code = MEMFS_REFUSED_RETRY};
    struct fixture *f = make_full(&a);
    atomic_store(&f->allocator.limit_bytes, 0);
    assert_ok(memfs_set_refused(f->fs, raise_quota, &a));
    struct writer writers[THREADS];
    pthread_t threads[THREADS];
    int refused = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        writers[i] = (struct writer){.fs = f->fs, .index = i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_files, &writers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        refused += writers[i].refused;
    }
    assert_true(a.calls > FILES / 2);
    assert_true(refused < THREADS * FILES / 2);
    fixture_destroy(f);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_hears_what_was_wanted_and_what_is_left),
        cmocka_unit_test(it_raises_the_quota_and_the_call_succeeds),
        cmocka_unit_test(it_raises_the_quota_in_steps_until_it_is_enough),
        cmocka_unit_test(it_removes_a_file_and_the_call_succeeds),
        cmocka_unit_test(saying_retry_without_making_room_is_saying_no),
        cmocka_unit_test(the_node_limit_asks_too),
        cmocka_unit_test(it_can_be_changed_and_taken_away),
        cmocka_unit_test(a_callback_that_is_refused_itself_does_not_recur_for_ever),
        cmocka_unit_test(the_allocators_refusal_is_not_asked_about),
        cmocka_unit_test(the_call_is_run_again_from_its_beginning),
        cmocka_unit_test(a_walk_goes_on_where_it_was_refused),
#ifndef MEMFS_NO_THREADS
        cmocka_unit_test(several_threads_are_asked_at_once),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
