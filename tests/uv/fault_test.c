/* Fronts that cannot be had, for want of memory or because libuv refuses. */
#define _POSIX_C_SOURCE 200809L

#include "loops.h"

enum { STEPS_MOST = 100 };

static int refused_by_libuv; /* 1: the handle, 2: the mutex */

/* Both stand in for libuv's. */
int __real_uv_async_init(uv_loop_t *loop, uv_async_t *handle, uv_async_cb callback);
int __wrap_uv_async_init(uv_loop_t *loop, uv_async_t *handle, uv_async_cb callback);
int __real_uv_mutex_init(uv_mutex_t *mutex);
int __wrap_uv_mutex_init(uv_mutex_t *mutex);

int __wrap_uv_async_init(uv_loop_t *loop, uv_async_t *handle, uv_async_cb callback)
{
    return refused_by_libuv == 1 ? UV_EMFILE : __real_uv_async_init(loop, handle, callback);
}

int __wrap_uv_mutex_init(uv_mutex_t *mutex)
{
    return refused_by_libuv == 2 ? UV_ENOMEM : __real_uv_mutex_init(mutex);
}

static void a_front_that_cannot_be_had_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    uv_loop_t loop;
    memfs_uv *uv = NULL;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_returns(memfs_uv_create(NULL, f->fs, &uv), MEMFS_EINVAL);
    assert_returns(memfs_uv_create(&loop, NULL, &uv), MEMFS_EINVAL);
    assert_returns(memfs_uv_create(&loop, f->fs, NULL), MEMFS_EINVAL);
    assert_null(memfs_uv_instance(NULL));
    fixture_leave(f, 0);
    assert_returns(memfs_uv_create(&loop, f->fs, &uv), MEMFS_EDQUOT);
    fixture_set_quota(f, 16 << 20);
    const int errors[] = {0, MEMFS_EIO, MEMFS_ENOMEM};
    uint64_t used = used_bytes(f->fs);
    for (refused_by_libuv = 1; refused_by_libuv <= 2; refused_by_libuv++) {
        assert_returns(memfs_uv_create(&loop, f->fs, &uv), errors[refused_by_libuv]);
        assert_int_equal(used_bytes(f->fs), used);
    }
    refused_by_libuv = 0;
    int error, refused = 0;
    for (uint64_t take = 1;; take++, refused++) {
        assert_true(take < STEPS_MOST);
        tracking_refuse(&f->allocator, take, 0);
        error = memfs_uv_create(&loop, f->fs, &uv);
        tracking_refuse(&f->allocator, 0, 0);
        if (error == 0)
            break;
        assert_returns(error, MEMFS_ENOMEM);
        assert_null(uv);
        assert_int_equal(used_bytes(f->fs), used);
    }
    assert_true(f->is_pooled || refused >= 2);
    assert_true(used_bytes(f->fs) > used);
    assert_ok(memfs_uv_close(uv, 0, NULL, NULL));
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(used_bytes(f->fs), used);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void what_the_quota_allows_is_enough_or_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    uv_loop_t loop;
    memfs_uv *uv = NULL;
    int error, refused = 0;
    assert_int_equal(uv_loop_init(&loop), 0);
    uint64_t used = used_bytes(f->fs);
    for (uint64_t room = 0;; room += 64, refused++) {
        assert_true(room < 1 << 20);
        fixture_leave(f, room);
        error = memfs_uv_create(&loop, f->fs, &uv);
        fixture_set_quota(f, 16 << 20);
        if (error == 0)
            break;
        assert_returns(error, MEMFS_EDQUOT);
        assert_int_equal(used_bytes(f->fs), used);
    }
    assert_true(refused > 0);
    assert_ok(memfs_uv_close(uv, 0, NULL, NULL));
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static int ended;

static void note_end(memfs_uv_request *request)
{
    assert_true(request->call.result >= 0);
    ended++;
}

static void requests_take_no_memory(void **state)
{
    struct fixture *f = *state;
    static memfs_uv_request requests[100];
    struct looped l;
    char bytes[100];
    put(f->fs, "/f", "text");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR);
    loop_open(&l, f);
    ended = 0;
    tracking_refuse(&f->allocator, 1, 1);
    for (int i = 0; i < 100; i++) {
        if (i % 2 == 0)
            memfs_async_pread(&requests[i].call, file, &bytes[i], 1, 0);
        else
            memfs_async_lock(&requests[i].call, file, MEMFS_LOCK_SHARED, MEMFS_WAIT_FOREVER);
        assert_ok(memfs_uv_submit(l.uv, &requests[i], note_end));
    }
    loop_run(&l);
    assert_int_equal(ended, 100);
    assert_int_equal(f->allocator.takes, 0);
    tracking_refuse(&f->allocator, 0, 0);
    loop_end(&l);
    assert_ok(memfs_close(file));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_front_that_cannot_be_had_leaves_nothing),
        FS_TEST(what_the_quota_allows_is_enough_or_leaves_nothing),
        FS_TEST(requests_take_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
