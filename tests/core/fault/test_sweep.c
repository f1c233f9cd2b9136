/*
 * The fault sweep.  Every scenario is run with its first, second, third ...
 * allocation refused, with ever more bytes left under the quota, and with ever
 * more nodes left under the node limit, until it passes.  After each refusal the
 * tree, the handles and the ledger must be as they were, the code must name the
 * limit that was hit, and the same call must then succeed.
 *
 * Where allocations are refused or counted, the file system is unpooled: the allocator then sees
 * each object.  The room under the quota is swept in both ways.
 */
#include "scenarios.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SWEEP_MAX = 2000 };

static const uint32_t page_sizes[] = {MEMFS_PAGE_SIZE_MIN, MEMFS_PAGE_SIZE_DEFAULT};

/* A state to come back to. */
struct before {
    char *text;
    memfs_statfs_info figures;
};

static struct before remember(struct stage *stage)
{
    struct before before;
    before.text = stage_describe(stage);
    before.figures = stage_figures(stage);
    return before;
}

static void compare_figures(const memfs_statfs_info *a, const memfs_statfs_info *b,
                            const char *sentence)
{
    if (a->used_bytes != b->used_bytes || a->pages_used != b->pages_used)
        print_error("%s: used %" PRIu64 " then %" PRIu64 ", pages %" PRIu64 " then %" PRIu64 "\n",
                    sentence, a->used_bytes, b->used_bytes, a->pages_used, b->pages_used);
    for (int i = 0; i < MEMFS_CLASS_COUNT; i++)
        if (a->class_bytes[i] != b->class_bytes[i])
            print_error("%s: class %d had %" PRIu64 ", has %" PRIu64 "\n", sentence, i,
                        a->class_bytes[i], b->class_bytes[i]);
    assert_true(a->used_bytes == b->used_bytes);
    assert_true(a->pages_used == b->pages_used);
    assert_memory_equal(a->class_bytes, b->class_bytes, sizeof a->class_bytes);
}

/* Forgets `before`, after having seen that nothing differs. */
static void must_be_as_before(struct stage *stage, struct before *before, const char *sentence)
{
    memfs_statfs_info figures = stage_figures(stage);
    compare_figures(&before->figures, &figures, sentence);
    assert_true(figures.committed_bytes == stage->fixture->allocator.held_bytes);
    assert_int_equal(memfs_audit(stage->fs), 0);
    char *text = stage_describe(stage);
    if (strcmp(text, before->text) != 0)
        print_error("%s: it was\n%s\nit is\n%s\n", sentence, before->text, text);
    assert_string_equal(text, before->text);
    free(text);
    free(before->text);
}

static struct stage *prepare(const struct scenario *scenario, uint32_t page_size, uint32_t flags)
{
    struct stage *stage = stage_create(page_size, flags);
    if (scenario->prepare != NULL)
        assert_true(scenario->prepare(stage) >= 0);
    return stage;
}

static void must_name(struct stage *stage, int64_t result, int expected,
                      const struct scenario *scenario, uint64_t step)
{
    memfs_refusal refusal = {.struct_size = sizeof refusal};
    assert_int_equal(memfs_last_refusal(stage->fs, &refusal), 0);
    if (result != expected || refusal.error != expected)
        print_error("%s, step %" PRIu64 ": %s, last refusal %s\n", scenario->sentence, step,
                    memfs_error_name((int)result), memfs_error_name(refusal.error));
    assert_int_equal(result, expected);
    assert_int_equal(refusal.error, expected);
    if (expected != MEMFS_ENOMEM)
        assert_true(refusal.wanted > refusal.available);
}

/* After a refusal, with everything allowed again. */
static void must_recover(struct stage *stage, struct before *before,
                         const struct scenario *scenario)
{
    must_be_as_before(stage, before, scenario->sentence);
    int64_t result = scenario->act(stage);
    if (result < 0)
        print_error("%s, again: %s\n", scenario->sentence, memfs_error_name((int)result));
    assert_true(result >= 0);
}

/* Ends a scenario whose act had this result, with everything allowed again; true if it passed. */
static int conclude(struct stage *stage, struct before *before, const struct scenario *scenario,
                    int64_t result)
{
    if (result < 0)
        must_recover(stage, before, scenario);
    else
        free(before->text);
    stage_destroy(stage);
    return result >= 0;
}

/* Refuses allocation `number`; true if the call made fewer, so that the sweep is over. */
static int sweep_allocation(const struct scenario *scenario, uint32_t page_size, uint64_t number,
                            int every_later, uint64_t *refusals)
{
    struct stage *stage = prepare(scenario, page_size, MEMFS_CREATE_UNPOOLED);
    struct before before = remember(stage);
    tracking_refuse(&stage->fixture->allocator, number, every_later);
    int64_t result = scenario->act(stage);
    int was_hit = stage->fixture->allocator.takes >= number;
    if (result < 0)
        must_name(stage, result, MEMFS_ENOMEM, scenario, number);
    tracking_refuse(&stage->fixture->allocator, 0, 0);
    assert_true(was_hit || result >= 0);
    *refusals += !conclude(stage, &before, scenario, result);
    return !was_hit;
}

static void every_refused_allocation_leaves_all_as_it_was(void **state)
{
    (void)state;
    uint64_t refusals = 0;
    for (const struct scenario *s = scenarios_refusable; s->sentence != NULL; s++) {
        for (unsigned variant = 0; variant < 4; variant++) {
            uint64_t number = 1;
            while (!sweep_allocation(s, page_sizes[variant / 2], number, variant % 2, &refusals))
                assert_true(number++ < SWEEP_MAX);
        }
    }
    print_message("%" PRIu64 " allocations refused\n", refusals);
    assert_true(refusals > 100);
}

/* Leaves `room` bytes under the quota; true if that was enough. */
static int sweep_quota(const struct scenario *scenario, uint32_t page_size, uint32_t flags,
                       uint64_t room)
{
    struct stage *stage = prepare(scenario, page_size, flags);
    struct before before = remember(stage);
    fixture_set_quota(stage->fixture, before.figures.committed_bytes + room);
    int64_t result = scenario->act(stage);
    if (result < 0)
        must_name(stage, result, MEMFS_EDQUOT, scenario, room);
    fixture_set_quota(stage->fixture, STAGE_QUOTA_BYTES);
    return conclude(stage, &before, scenario, result);
}

static void every_room_under_the_quota_is_enough_or_changes_nothing(void **state)
{
    (void)state;
    uint64_t refusals = 0;
    for (const struct scenario *s = scenarios_refusable; s->sentence != NULL; s++) {
        for (unsigned variant = 0; variant < 4; variant++) {
            uint64_t room = 0;
            uint32_t flags = variant % 2 != 0 ? MEMFS_CREATE_UNPOOLED : 0;
            while (!sweep_quota(s, page_sizes[variant / 2], flags, room)) {
                refusals++;
                room += 1 + room / 10;
                if (room > STAGE_QUOTA_BYTES / 2)
                    fail_msg("%s: never enough", s->sentence);
            }
        }
    }
    print_message("%" PRIu64 " times there was too little room\n", refusals);
    assert_true(refusals > 100);
}

/* Raises both limits by what is missing, as long as `stage` is not null. */
struct helper {
    struct stage *stage;
    int calls;
};

static int help(void *context, memfs *fs, const memfs_refusal *refusal)
{
    struct helper *helper = context;
    memfs_statfs_info info = {.struct_size = sizeof info};
    helper->calls++;
    assert_true(refusal->wanted > refusal->available);
    if (helper->stage == NULL)
        return MEMFS_REFUSED_RETRY;
    assert_int_equal(memfs_statfs(fs, &info), 0);
    uint64_t missing = refusal->wanted - refusal->available;
    if (refusal->error == MEMFS_EDQUOT)
        fixture_set_quota(helper->stage->fixture, info.quota_bytes + missing);
    else
        assert_int_equal(memfs_set_node_limit(fs, info.node_limit + missing), 0);
    return MEMFS_REFUSED_RETRY;
}

/* Runs the scenario with no room at all and a helper; true if the helper was asked. */
static int is_helped(const struct scenario *scenario, uint32_t page_size, bool helps)
{
    struct stage *stage = prepare(scenario, page_size, MEMFS_CREATE_UNPOOLED);
    struct before before = remember(stage);
    struct helper helper = {.stage = helps ? stage : NULL};
    memfs_statfs_info figures = before.figures;
    assert_int_equal(memfs_set_refused(stage->fs, help, &helper), 0);
    assert_int_equal(
        memfs_set_node_limit(stage->fs, figures.files + figures.directories + figures.symlinks), 0);
    fixture_set_quota(stage->fixture, figures.committed_bytes);
    int64_t result = scenario->act(stage);
    if (helps != (result >= 0) && helper.calls != 0)
        print_error("%s: %s, asked %d times\n", scenario->sentence, memfs_error_name((int)result),
                    helper.calls);
    assert_true(helper.calls == 0 || helps == (result >= 0));
    assert_true(helps || helper.calls <= 1);
    assert_true(result >= 0 || helper.calls != 0);
    assert_int_equal(memfs_set_refused(stage->fs, NULL, NULL), 0);
    assert_int_equal(memfs_set_node_limit(stage->fs, 0), 0);
    fixture_set_quota(stage->fixture, STAGE_QUOTA_BYTES);
    if (!helps && helper.calls != 0)
        must_recover(stage, &before, scenario);
    else
        free(before.text);
    stage_destroy(stage);
    return helper.calls != 0;
}

static void every_call_that_a_limit_refuses_asks_and_passes_if_it_is_helped(void **state)
{
    (void)state;
    int asked = 0, scenarios = 0;
    for (const struct scenario *s = scenarios_refusable; s->sentence != NULL; s++) {
        for (int i = 0; i < 2; i++) {
            scenarios++;
            asked += is_helped(s, page_sizes[i], true);
            assert_int_equal(is_helped(s, page_sizes[i], false), is_helped(s, page_sizes[i], true));
        }
    }
    print_message("%d of %d scenarios had to ask\n", asked, scenarios);
    assert_true(asked > scenarios * 3 / 4);
}

/* Leaves `room` nodes; true if that was enough. */
static int sweep_nodes(const struct scenario *scenario, uint64_t room)
{
    struct stage *stage = prepare(scenario, MEMFS_PAGE_SIZE_DEFAULT, 0);
    struct before before = remember(stage);
    uint64_t nodes = before.figures.files + before.figures.directories + before.figures.symlinks;
    assert_int_equal(memfs_set_node_limit(stage->fs, nodes + room), 0);
    int64_t result = scenario->act(stage);
    if (result < 0)
        must_name(stage, result, MEMFS_ENOSPC, scenario, room);
    assert_int_equal(memfs_set_node_limit(stage->fs, 0), 0);
    return conclude(stage, &before, scenario, result);
}

static void every_node_limit_is_enough_or_changes_nothing(void **state)
{
    (void)state;
    for (const struct scenario *s = scenarios_refusable; s->sentence != NULL; s++) {
        uint64_t room = 0;
        while (!sweep_nodes(s, room))
            assert_true(room++ < SWEEP_MAX);
        if ((room > 0) != (s->kind == MAKES_NODES))
            fail_msg("%s: needed room for %" PRIu64 " nodes", s->sentence, room);
    }
}

static void what_frees_reads_or_overwrites_needs_no_memory(void **state)
{
    (void)state;
    for (const struct scenario *s = scenarios_calm; s->sentence != NULL; s++) {
        for (int i = 0; i < 2; i++) {
            struct stage *stage = prepare(s, page_sizes[i], MEMFS_CREATE_UNPOOLED);
            fixture_set_quota(stage->fixture, stage_figures(stage).committed_bytes);
            tracking_refuse(&stage->fixture->allocator, 1, 1);
            int64_t result = s->act(stage);
            uint64_t takes = stage->fixture->allocator.takes;
            if (result < 0 || takes != 0)
                fail_msg("%s: %s, after asking for memory %" PRIu64 " times", s->sentence,
                         memfs_error_name((int)result), takes);
            tracking_refuse(&stage->fixture->allocator, 0, 0);
            fixture_set_quota(stage->fixture, STAGE_QUOTA_BYTES);
            stage_destroy(stage);
        }
    }
}

static void an_instance_that_does_not_fit_is_refused_and_leaves_nothing(void **state)
{
    (void)state;
    for (uint64_t number = 1, passed = 0; !passed; number++) {
        struct tracking_allocator allocator;
        tracking_allocator_init(&allocator, 0);
        tracking_refuse(&allocator, number, 0);
        memfs_config config = memfs_config_default();
        config.allocator = tracking_hooks(&allocator);
        memfs *fs = NULL;
        int result = memfs_create(&config, &fs);
        passed = result == 0;
        assert_int_equal(result, passed ? 0 : MEMFS_ENOMEM);
        assert_true(passed || fs == NULL);
        assert_true(number > 1 || !passed);
        assert_int_equal(memfs_destroy(fs, 0), 0);
        tracking_assert_empty(&allocator);
    }
    for (uint64_t quota = 1, passed = 0; !passed; quota += 8) {
        memfs_config config = memfs_config_default();
        config.quota_bytes = quota;
        struct fixture *fixture = fixture_create(&config);
        passed = fixture != NULL;
        assert_true(quota > 1 || !passed);
        assert_true(quota < 65536);
        if (passed)
            fixture_destroy(fixture);
    }
}

/* Functions for which there is nothing to try, and why. */
static const char *const exempt[][2] = {
    {"memfs_version", "a constant"},
    {"memfs_error_name", "a constant"},
    {"memfs_error_text", "a constant"},
    {"memfs_config_init", "a constant"},
    {"memfs_system_memory", "looks at the system alone"},
    {"memfs_glob_match", "looks at texts alone"},
    {"memfs_create", "has a test of its own here"},
    {"memfs_destroy", "ends every scenario"},
    {"memfs_audit", "follows every scenario"},
    {"memfs_set_quota", "steps the sweep"},
    {"memfs_set_node_limit", "steps the sweep"},
    /* These have memory of their own: api_durability refuses that. */
    {"memfs_durability_start", "takes nothing from the tree"},
    {"memfs_durability_stop", "takes nothing from the tree"},
    {"memfs_crash", "takes nothing from the tree"},
    {"memfs_unsynced", "takes nothing from the tree"},
    {"memfs_fault_add", "takes nothing from the tree"},
    {"memfs_fault_enable", "takes nothing from the tree"},
    {"memfs_fault_hits", "takes nothing from the tree"},
    {"memfs_fault_clear", "takes nothing from the tree"},
    {"memfs_fault_set_hook", "takes nothing from the tree"},
    {"memfs_sweep_run", "takes nothing from the tree"},
};

static int covers(const struct scenario *table, const char *name)
{
    char wanted[100];
    snprintf(wanted, sizeof wanted, " %s ", name);
    for (; table->sentence != NULL; table++)
        if (strstr(table->functions, wanted) != NULL)
            return 1;
    return 0;
}

static int is_exempt(const char *name)
{
    for (size_t i = 0; i < sizeof exempt / sizeof *exempt; i++)
        if (strcmp(exempt[i][0], name) == 0)
            return 1;
    return 0;
}

/* The name in a declaration: what is before its first parenthesis. */
static int declared_name(const char *line, char *name, size_t size)
{
    const char *end = strchr(line, '(');
    if (strncmp(line, "MEMFS_API ", 10) != 0 || end == NULL)
        return 0;
    const char *start = end;
    while (start > line && start[-1] != ' ' && start[-1] != '*')
        start--;
    snprintf(name, size, "%.*s", (int)(end - start), start);
    return 1;
}

/* Counts the functions that the header declares, and those of them that no scenario calls. */
static void look_at_header(const char *path, int *functions, int *missing)
{
    FILE *header = fopen(path, "r");
    assert_non_null(header);
    char line[512];
    while (fgets(line, sizeof line, header) != NULL) {
        char name[80];
        if (!declared_name(line, name, sizeof name))
            continue;
        ++*functions;
        if (!is_exempt(name) && !covers(scenarios_refusable, name) &&
            !covers(scenarios_calm, name)) {
            print_error("%s is in no scenario\n", name);
            ++*missing;
        }
    }
    fclose(header);
}

static void every_function_of_the_headers_is_in_the_sweep(void **state)
{
    (void)state;
    static const char *const paths[] = {MEMFS_HEADER_PATHS};
    int functions = 0, missing = 0;
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        look_at_header(paths[i], &functions, &missing);
    assert_true(functions > 80);
    assert_int_equal(missing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_of_the_headers_is_in_the_sweep),
        cmocka_unit_test(an_instance_that_does_not_fit_is_refused_and_leaves_nothing),
        cmocka_unit_test(what_frees_reads_or_overwrites_needs_no_memory),
        cmocka_unit_test(every_call_that_a_limit_refuses_asks_and_passes_if_it_is_helped),
        cmocka_unit_test(every_node_limit_is_enough_or_changes_nothing),
        cmocka_unit_test(every_refused_allocation_leaves_all_as_it_was),
        cmocka_unit_test(every_room_under_the_quota_is_enough_or_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
