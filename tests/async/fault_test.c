/* What fronts and requests take from memory, and what a request says of a refusal. */
#include "executors.h"

enum { STEPS_MOST = 100 };

static void a_front_that_cannot_be_had_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    memfs_async *async = NULL;
    fixture_leave(f, 0);
    uint64_t used = used_bytes(f->fs);
    assert_returns(memfs_async_create(f->fs, NULL, &async), MEMFS_EDQUOT);
    fixture_set_quota(f, 16 << 20);
    int refused = 0;
    for (uint64_t take = 1;; take++, refused++) {
        assert_true(take < STEPS_MOST);
        used = used_bytes(f->fs);
        tracking_refuse(&f->allocator, take, 0);
        int error = memfs_async_create(f->fs, NULL, &async);
        tracking_refuse(&f->allocator, 0, 0);
        if (error == 0)
            break;
        assert_returns(error, MEMFS_ENOMEM);
        assert_null(async);
        assert_int_equal(used_bytes(f->fs), used);
    }
    assert_true(refused > 0 || f->is_pooled);
    assert_true(used_bytes(f->fs) > used);
    assert_true(used_bytes(f->fs) < used + 400);
    assert_ok(memfs_async_close(async, 0, NULL, NULL));
    assert_int_equal(used_bytes(f->fs), used);
}

static void count_ended(memfs_async_request *request)
{
    assert_true(request->result >= 0 || request->result == MEMFS_ECANCELED);
    ++*(int *)request->data;
}

static void requests_take_no_memory(void **state)
{
    struct fixture *f = *state;
    static struct manual manual;
    static memfs_async_request requests[300];
    memfs_async *async;
    memfs_async_chain chain = {0};
    memfs_stat_info info = {.struct_size = sizeof info};
    char byte;
    int ended = 0;
    put(f->fs, "/f", "text");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR);
    memfs_file *other = open_file(f->fs, "/f", MEMFS_O_RDWR);
    manual_init(&manual);
    assert_ok(memfs_async_create(f->fs, &manual.executor, &async));
    tracking_refuse(&f->allocator, 1, 1);
    assert_ok(memfs_lock(other, MEMFS_LOCK_EXCLUSIVE, 0));
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        requests[i].data = &ended;
        if (i == 0)
            memfs_async_lock(&requests[i], file, MEMFS_LOCK_SHARED, MEMFS_WAIT_FOREVER);
        else if (i % 3 == 0)
            memfs_async_pread(&requests[i], file, &byte, 1, 2);
        else if (i % 3 == 1)
            memfs_async_pwrite(&requests[i], file, "T", 1, 0);
        else
            memfs_async_stat(&requests[i], "/f", &info);
        requests[i].chain = i % 4 == 0 ? &chain : NULL;
        assert_ok(memfs_async_submit(async, &requests[i], count_ended));
    }
    assert_ok(memfs_async_cancel(async, &requests[40]));
    manual_run_all(&manual);
    assert_ok(memfs_close(other));
    manual_run_all(&manual);
    assert_int_equal(ended, COUNT_OF(requests));
    assert_int_equal(f->allocator.takes, 0);
    assert_ok(memfs_async_close(async, MEMFS_ASYNC_CLOSE_CANCEL, NULL, NULL));
    tracking_refuse(&f->allocator, 0, 0);
    assert_ok(memfs_close(file));
    assert_text(f->fs, "/f", "Text");
}

static void each_request_keeps_the_figures_of_its_own_refusal(void **state)
{
    struct fixture *f = *state;
    static char flood[1 << 20];
    memfs_async *async;
    memfs_async_request large, small, fine, nodes;
    memfs_file *file = create_file(f->fs, "/f");
    memfs_refusal last = {.struct_size = sizeof last};
    assert_ok(memfs_async_create(f->fs, NULL, &async));
    put(f->fs, "/d", "x");
    fixture_leave(f, 0);
    memfs_async_pwrite(&large, file, flood, sizeof flood, 0);
    assert_returns(memfs_async_submit(async, &large, NULL), MEMFS_EDQUOT);
    assert_ok(memfs_last_refusal(f->fs, &last));
    assert_int_equal(large.refusal.error, MEMFS_EDQUOT);
    assert_int_equal(large.refusal.wanted, last.wanted);
    assert_true(large.refusal.wanted >= sizeof flood);
    memfs_async_pwrite(&small, file, flood, 40000, 0);
    assert_returns(memfs_async_submit(async, &small, NULL), MEMFS_EDQUOT);
    assert_true(small.refusal.wanted < large.refusal.wanted);
    assert_true(small.refusal.wanted > small.refusal.available);
    fixture_set_quota(f, 16 << 20);

    assert_ok(memfs_set_node_limit(f->fs, 3));
    memfs_async_mkdir(&nodes, "/more", 0755);
    assert_returns(memfs_async_submit(async, &nodes, NULL), MEMFS_ENOSPC);
    assert_int_equal(nodes.refusal.error, MEMFS_ENOSPC);
    assert_int_equal(nodes.refusal.wanted, 1);
    assert_int_equal(nodes.refusal.available, 0);
    assert_ok(memfs_set_node_limit(f->fs, MEMFS_UNLIMITED));

    memfs_async_fsync(&fine, file);
    assert_ok(memfs_async_submit(async, &fine, NULL));
    assert_int_equal(fine.refusal.error, 0);
    assert_int_equal(fine.refusal.struct_size, sizeof fine.refusal);
    assert_ok(memfs_async_submit(async, &nodes, NULL)); /* again, with room */
    assert_int_equal(nodes.refusal.error, 0);
    assert_ok(memfs_close(file));
    assert_ok(memfs_async_close(async, 0, NULL, NULL));
}

static void note_result(memfs_async_request *request)
{
    *(int64_t *)request->data = request->result;
}

/* Fills in one of the requests that need memory. */
static void fill_in(memfs_async_request *request, int number, memfs_list *list)
{
    static char block[9000];
    switch (number) {
    case 0:
        memfs_async_write_file(request, "/new/file", block, sizeof block, 0644,
                               MEMFS_WRITE_MAKE_PARENTS);
        break;
    case 1:
        memfs_async_copy_tree(request, "/d", "/d2", 0);
        break;
    case 2:
        memfs_async_snapshot_take(request, "all");
        break;
    default:
        memfs_async_list_dir(request, "/d", list);
        break;
    }
}

static void a_refused_request_changes_nothing_at_any_allocation(void **state)
{
    struct fixture *f = *state;
    static struct manual manual;
    memfs_async *async;
    manual_init(&manual);
    assert_ok(memfs_async_create(f->fs, &manual.executor, &async));
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    put(f->fs, "/d/a", "a");
    put(f->fs, "/d/b", "b");
    for (int number = 0; number < 4; number++) {
        int64_t result = MEMFS_ENOMEM;
        memfs_list list = {.struct_size = sizeof list};
        for (uint64_t take = 1; result != 0; take++) {
            memfs_async_request request = {.data = &result};
            char *before = fixture_describe(f->fs);
            assert_true(take < STEPS_MOST);
            tracking_refuse(&f->allocator, take, 1);
            fill_in(&request, number, &list);
            assert_ok(memfs_async_submit(async, &request, note_result));
            manual_run_all(&manual);
            tracking_refuse(&f->allocator, 0, 0);
            if (result != 0) {
                assert_returns(result, MEMFS_ENOMEM);
                assert_int_equal(request.refusal.error, MEMFS_ENOMEM);
                check_described(f->fs, before, "a refused request", __FILE__, __LINE__);
            } else {
                free(before);
            }
        }
        memfs_list_free(f->fs, &list);
    }
    assert_ok(memfs_async_close(async, 0, NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_front_that_cannot_be_had_leaves_nothing),
        FS_TEST(requests_take_no_memory),
        FS_TEST(each_request_keeps_the_figures_of_its_own_refusal),
        FS_TEST(a_refused_request_changes_nothing_at_any_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
