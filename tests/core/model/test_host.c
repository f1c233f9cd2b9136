/*
 * memfs against the host's file system, in a directory on tmpfs: the same calls
 * must give the same results, errors, attributes, holes and contents.  And the
 * reference model against the host, so that the model is no opinion of ours.
 */
#include "comparison.h"
#include "fixture.h"
#include "host_executor.h"
#include "memfs_executor.h"
#include "model.h"
#include "options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#define HOST_PAGE_BYTES 4096
#define OPERATIONS_PER_COMPARISON 1000

static struct options options = {.seed = 1, .rounds = 240, .operations = 3000, .audit = 16};

/* Runs one round; `fs` is audited if it is not null. */
static void run_round(struct comparison *comparison, memfs *fs, uint64_t seed, int64_t far_offset)
{
    struct generator generator;
    generator_init(&generator, seed, HOST_PAGE_BYTES, far_offset, 1);
    comparison->verbose = options.verbose;
    for (uint64_t i = 1; i <= options.operations; i++) {
        struct operation operation;
        struct outcome out;
        generator_operation(&generator, &operation);
        if (host_cannot_link(comparison->reference.context, &operation))
            continue;
        int good = comparison_step(comparison, &operation, &out);
        if (good && fs != NULL && i % options.audit == 0)
            good = memfs_audit(fs) == 0;
        if (good && (i % OPERATIONS_PER_COMPARISON == 0 || i == options.operations))
            good = comparison_trees(comparison);
        if (!good)
            fail_msg("operation %" PRIu64 "; repeat: --seed %" PRIu64
                     " --rounds 1 --operations %" PRIu64 " --verbose",
                     i, seed, i);
    }
}

static void begin_host(struct host_runner *host, struct comparison *comparison)
{
    if (!host_runner_init(host)) {
        print_message("this host has no tmpfs to compare with\n");
        skip();
    }
    comparison->reference = host_executor(host);
}

static void report(const char *what)
{
    print_message("%s: seeds %" PRIu64 " to %" PRIu64 ", %" PRIu64 " operations\n", what,
                  options.seed, options.seed + options.rounds - 1,
                  options.rounds * options.operations);
}

static void memfs_does_what_the_host_does(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < options.rounds; i++) {
        struct comparison comparison;
        struct host_runner host;
        begin_host(&host, &comparison);
        memfs_config config = memfs_config_default();
        config.quota_bytes = 0;
        struct fixture *fixture = fixture_create(&config);
        assert_non_null(fixture);
        struct memfs_runner runner;
        memset(&runner, 0, sizeof runner);
        runner.fs = fixture->fs;
        comparison.subject = memfs_executor(&runner);
        run_round(&comparison, fixture->fs, options.seed + i, INT64_C(1) << 40);
        memfs_runner_close(&runner);
        fixture_destroy(fixture);
        host_runner_fini(&host);
    }
    report("memfs against the host");
}

static void the_model_does_what_the_host_does(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < options.rounds; i++) {
        struct comparison comparison;
        struct host_runner host;
        begin_host(&host, &comparison);
        struct model *model = model_create(HOST_PAGE_BYTES);
        comparison.subject = model_executor(model);
        run_round(&comparison, NULL, options.seed + i, INT64_C(1) << 20);
        model_destroy(model);
        host_runner_fini(&host);
    }
    report("the model against the host");
}

int main(int argc, char **argv)
{
    if (!options_parse(&options, argc, argv))
        return 2;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_model_does_what_the_host_does),
        cmocka_unit_test(memfs_does_what_the_host_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
