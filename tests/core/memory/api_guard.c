/* The memory guard, with figures that the test sets. */
#include "checks.h"

#include <memfs/storage.h>

#define MIB ((uint64_t)1 << 20)
#define SECOND 1000000000

/* What the probe says. */
struct host {
    uint64_t available;
    int answer;
    unsigned looks;
    unsigned warnings;
    char message[128];
};

static int probe(void *context, uint64_t *available_bytes)
{
    struct host *host = context;
    host->looks++;
    if (host->answer == 0)
        *available_bytes = host->available;
    return host->answer;
}

static void listen(void *context, int level, const char *message)
{
    struct host *host = context;
    assert_int_equal(level, MEMFS_LOG_WARNING);
    assert_true(strlen(message) < sizeof host->message);
    memcpy(host->message, message, strlen(message) + 1);
    host->warnings++;
}

struct guarded {
    memfs_guard guard;
    memfs_config config;
};

static void init(struct guarded *g, struct host *host, uint32_t when, uint32_t action)
{
    g->guard = (memfs_guard){.struct_size = sizeof g->guard,
                             .when = when,
                             .action = action,
                             .interval_ms = 1000,
                             .context = host,
                             .probe = probe};
    g->config = memfs_config_default();
    g->config.quota_bytes = 64 * MIB;
    g->config.guard = &g->guard;
    g->config.log = listen;
    g->config.log_context = host;
}

static int64_t write_bytes(memfs *fs, const char *path, size_t length)
{
    char *bytes = calloc(1, length);
    assert_non_null(bytes);
    int result = memfs_write_file(fs, path, bytes, length, 0644, 0);
    free(bytes);
    return result;
}

static void a_quota_that_is_more_than_there_is_is_refused_at_creation(void **state)
{
    (void)state;
    struct host host = {.available = 64 * MIB};
    struct guarded g;
    init(&g, &host, MEMFS_GUARD_AT_CREATION, MEMFS_GUARD_REFUSE);
    struct fixture *f = fixture_create(&g.config);
    assert_non_null(f);
    assert_int_equal(host.looks, 1);
    assert_int_equal(write_bytes(f->fs, "/f", 8 * MIB), 0);
    assert_int_equal(host.looks, 1); /* growth is not looked at */
    fixture_destroy(f);
    g.guard.headroom_bytes = 1;
    assert_null(fixture_create(&g.config));
    assert_string_equal(host.message,
                        "memory guard: the quota is more than the memory that is available");
    g.config.quota_bytes = MEMFS_UNLIMITED;
    f = fixture_create(&g.config);
    assert_non_null(f);
    fixture_destroy(f);
    host.available = 1;
    assert_null(fixture_create(&g.config));
}

static void a_warning_at_creation_lets_it_go_on(void **state)
{
    (void)state;
    struct host host = {.available = 0};
    struct guarded g;
    init(&g, &host, MEMFS_GUARD_AT_CREATION, MEMFS_GUARD_WARN);
    struct fixture *f = fixture_create(&g.config);
    assert_non_null(f);
    assert_int_equal(host.warnings, 1);
    fixture_destroy(f);
}

static void growth_is_refused_before_anything_is_taken(void **state)
{
    (void)state;
    struct host host = {.available = 10 * MIB};
    struct guarded g;
    init(&g, &host, MEMFS_GUARD_BEFORE_GROWTH, MEMFS_GUARD_REFUSE);
    struct fixture *f = fixture_create(&g.config);
    assert_non_null(f);
    assert_int_equal(write_bytes(f->fs, "/fits", 4 * MIB), 0);
    uint64_t used = used_bytes(f->fs);
    assert_returns(write_bytes(f->fs, "/not", 20 * MIB), MEMFS_ENOMEM);
    assert_false(is_there(f->fs, "/not"));
    assert_int_equal(used_bytes(f->fs), used);
    assert_true(statfs_of(f->fs).allocator_refusals > 0);
    assert_int_equal(f->allocator.held_bytes, statfs_of(f->fs).committed_bytes);
    assert_true(f->allocator.peak_bytes <= 10 * MIB + 4096); /* the instance came before */
    memfs_refusal refusal = {.struct_size = sizeof refusal};
    assert_ok(memfs_last_refusal(f->fs, &refusal));
    assert_int_equal(refusal.error, MEMFS_ENOMEM);
    fixture_destroy(f);
}

static void within_the_interval_there_is_one_look_and_what_is_taken_is_subtracted(void **state)
{
    (void)state;
    struct host host = {.available = 10 * MIB};
    struct guarded g;
    char path[16];
    init(&g, &host, MEMFS_GUARD_BEFORE_GROWTH, MEMFS_GUARD_REFUSE);
    struct fixture *f = fixture_create(&g.config);
    assert_non_null(f);
    int64_t result = 0;
    int files = 0;
    for (; result == 0; files++) {
        snprintf(path, sizeof path, "/%d", files);
        result = write_bytes(f->fs, path, MIB);
    }
    assert_returns(result, MEMFS_ENOMEM);
    assert_true(files > 7 && files <= 11);
    assert_int_equal(host.looks, 1);
    assert_true(statfs_of(f->fs).committed_bytes <= 10 * MIB);
    /* What went back may be had again; and after the interval the host is asked again. */
    assert_ok(memfs_unlink(f->fs, "/0"));
    assert_ok(memfs_unlink(f->fs, "/1"));
    assert_int_equal(write_bytes(f->fs, "/again", MIB), 0);
    assert_int_equal(host.looks, 1);
    f->now_ns += SECOND;
    assert_int_equal(write_bytes(f->fs, "/more", 5 * MIB), 0);
    assert_int_equal(host.looks, 2);
    f->now_ns -= 10 * (int64_t)SECOND; /* a clock that was set back is no reason to wait */
    assert_int_equal(write_bytes(f->fs, "/yet-more", 5 * MIB), 0);
    assert_int_equal(host.looks, 3);
    fixture_destroy(f);
}

static void a_warning_comes_once_in_an_interval(void **state)
{
    (void)state;
    struct host host = {.available = MIB};
    struct guarded g;
    init(&g, &host, MEMFS_GUARD_BEFORE_GROWTH, MEMFS_GUARD_WARN);
    struct fixture *f = fixture_create(&g.config);
    assert_non_null(f);
    assert_int_equal(write_bytes(f->fs, "/a", 4 * MIB), 0);
    assert_int_equal(write_bytes(f->fs, "/b", 4 * MIB), 0);
    assert_int_equal(host.warnings, 1);
    assert_string_equal(host.message, "memory guard: less memory is available than is to be taken");
    f->now_ns += SECOND;
    assert_int_equal(write_bytes(f->fs, "/c", 4 * MIB), 0);
    assert_int_equal(host.warnings, 2);
    fixture_destroy(f);
}

static void a_probe_that_does_not_know_refuses_nothing(void **state)
{
    (void)state;
    struct host host = {.answer = -1};
    struct guarded g;
    init(&g, &host, MEMFS_GUARD_AT_CREATION | MEMFS_GUARD_BEFORE_GROWTH, MEMFS_GUARD_REFUSE);
    struct fixture *f = fixture_create(&g.config);
    assert_non_null(f);
    assert_int_equal(write_bytes(f->fs, "/a", 4 * MIB), 0);
    assert_int_equal(host.looks, 2);
    assert_int_equal(host.warnings, 0);
    fixture_destroy(f);
}

static void overwriting_and_freeing_never_look(void **state)
{
    (void)state;
    struct host host = {.available = 10 * MIB};
    struct guarded g;
    init(&g, &host, MEMFS_GUARD_BEFORE_GROWTH, MEMFS_GUARD_REFUSE);
    struct fixture *f = fixture_create(&g.config);
    assert_non_null(f);
    put_pattern(f->fs, "/a", 4 * MIB, 1);
    memfs_file *file = open_file(f->fs, "/a", MEMFS_O_RDWR);
    unsigned looks = host.looks;
    host.available = 0;
    f->now_ns += SECOND;
    write_pattern(file, 4 * MIB, 0, 2);
    assert_ok(memfs_close(file));
    assert_ok(memfs_unlink(f->fs, "/a"));
    assert_int_equal(host.looks, looks);
    fixture_destroy(f);
}

static void bad_guards_are_invalid(void **state)
{
    (void)state;
    static uint64_t arena[4096];
    struct host host = {.available = 100 * MIB};
    struct guarded g;
    memfs *fs;
    init(&g, &host, MEMFS_GUARD_AT_CREATION, MEMFS_GUARD_REFUSE);
    g.config.arena = arena;
    g.config.arena_bytes = sizeof arena;
    assert_returns(memfs_create(&g.config, &fs), MEMFS_EINVAL);
    g.config.arena = NULL;
    g.config.arena_bytes = 0;
    g.guard.when = 4;
    assert_returns(memfs_create(&g.config, &fs), MEMFS_EINVAL);
    g.guard.when = 0;
    g.guard.action = 2;
    assert_returns(memfs_create(&g.config, &fs), MEMFS_EINVAL);
    g.guard.action = 0;
    g.guard.interval_ms = -1;
    assert_returns(memfs_create(&g.config, &fs), MEMFS_EINVAL);
    g.guard.interval_ms = 0;
    g.guard.struct_size = 1;
    assert_returns(memfs_create(&g.config, &fs), MEMFS_EINVAL);
    assert_int_equal(host.looks, 0);
    assert_returns(memfs_system_memory(NULL), MEMFS_EINVAL);
}

static void the_systems_own_figures_serve_where_there_is_no_probe(void **state)
{
    (void)state;
    uint64_t available = 0;
    struct host host = {.available = 0};
    struct guarded g;
    init(&g, &host, MEMFS_GUARD_AT_CREATION, MEMFS_GUARD_REFUSE);
    g.guard.probe = NULL;
    int known = memfs_system_memory(&available);
    if (known != 0)
        assert_returns(known, MEMFS_EOPNOTSUPP);
    struct fixture *f = fixture_create(&g.config);
    assert_true((known == 0 && available >= 64 * MIB) == (f != NULL));
    if (f != NULL)
        fixture_destroy(f);
    g.config.quota_bytes = (uint64_t)1 << 60;
    assert_null(fixture_create(&g.config));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quota_that_is_more_than_there_is_is_refused_at_creation),
        cmocka_unit_test(a_warning_at_creation_lets_it_go_on),
        cmocka_unit_test(growth_is_refused_before_anything_is_taken),
        cmocka_unit_test(within_the_interval_there_is_one_look_and_what_is_taken_is_subtracted),
        cmocka_unit_test(a_warning_comes_once_in_an_interval),
        cmocka_unit_test(a_probe_that_does_not_know_refuses_nothing),
        cmocka_unit_test(overwriting_and_freeing_never_look),
        cmocka_unit_test(bad_guards_are_invalid),
        cmocka_unit_test(the_systems_own_figures_serve_where_there_is_no_probe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
