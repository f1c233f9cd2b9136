/* Medians and quartiles of samples that are known, and what is not reported. */
#include "checks.h"

#include "bench.h"

static struct samples samples_of(const double *values, unsigned count)
{
    struct samples samples = {0};
    for (unsigned i = 0; i < count; i++)
        samples_add(&samples, values[i]);
    return samples;
}

#define SAMPLES(...) \
    samples_of((const double[]){__VA_ARGS__}, \
               sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

static void assert_spread(struct bench_spread spread, double low, double median, double high)
{
    assert_true(spread.low == low && spread.median == median && spread.high == high);
}

static void quartiles_lie_between_the_samples(void **state)
{
    (void)state;
    struct samples samples = SAMPLES(5, 1, 4, 2, 3);
    assert_spread(samples_spread(&samples), 2, 3, 4);
    assert_true(samples_median(&samples) == 3);
    samples = SAMPLES(4, 1, 2, 3);
    assert_spread(samples_spread(&samples), 1.75, 2.5, 3.25);
    samples = SAMPLES(7);
    assert_spread(samples_spread(&samples), 7, 7, 7);
    samples.count = 0;
    assert_spread(samples_spread(&samples), 0, 0, 0);
    for (unsigned i = 0; i < SAMPLES_MAX + 5; i++)
        samples_add(&samples, 1);
    assert_int_equal(samples.count, SAMPLES_MAX);
}

/* A machine that is slow for a while slows both sides of a quotient. */
static void ratios_are_of_what_ran_together(void **state)
{
    (void)state;
    struct samples ours = SAMPLES(2, 20, 2, 200, 2);
    struct samples theirs = SAMPLES(1, 10, 1, 100, 1);
    assert_spread(samples_ratio(&ours, &theirs), 2, 2, 2);
}

static void what_is_spread_too_far_says_nothing(void **state)
{
    (void)state;
    struct bench_spread spread = {.low = 80, .median = 100, .high = 130};
    assert_false(bench_is_meaningless(&spread));
    spread.high = 131;
    assert_true(bench_is_meaningless(&spread));
    spread = (struct bench_spread){1, 1, 1};
    assert_false(bench_is_meaningless(&spread));
    spread = (struct bench_spread){0, 0, 0};
    assert_false(bench_is_meaningless(&spread));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quartiles_lie_between_the_samples),
        cmocka_unit_test(ratios_are_of_what_ran_together),
        cmocka_unit_test(what_is_spread_too_far_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
