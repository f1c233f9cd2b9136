/*
 * Medians, quartiles and quotients of samples.
 */
#include "bench.h"

#include <stdlib.h>

void samples_add(struct samples *samples, double ns)
{
    if (samples->count < SAMPLES_MAX)
        samples->ns[samples->count++] = ns;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Between the two neighbours of `place`, which counts from 0. */
static double interpolate(const struct samples *sorted, double place)
{
    unsigned below = (unsigned)place;
    double rest = place - below;
    return below + 1 < sorted->count ? sorted->ns[below] * (1 - rest) + sorted->ns[below + 1] * rest
                                     : sorted->ns[below];
}

struct bench_spread samples_spread(const struct samples *samples)
{
    struct samples sorted = *samples;
    if (sorted.count == 0)
        return (struct bench_spread){0, 0, 0};
    qsort(sorted.ns, sorted.count, sizeof *sorted.ns, compare);
    double last = sorted.count - 1;
    return (struct bench_spread){.median = interpolate(&sorted, last / 2),
                                 .low = interpolate(&sorted, last / 4),
                                 .high = interpolate(&sorted, last * 3 / 4)};
}

double samples_median(const struct samples *samples)
{
    return samples_spread(samples).median;
}

struct bench_spread samples_ratio(const struct samples *ours, const struct samples *theirs)
{
    struct samples quotients = {0};
    for (unsigned i = 0; i < ours->count && i < theirs->count; i++)
        samples_add(&quotients, ours->ns[i] / theirs->ns[i]);
    return samples_spread(&quotients);
}

int bench_is_meaningless(const struct bench_spread *spread)
{
    return spread->high - spread->low > spread->median / 2;
}
