/*
 * The measuring, the table and the program.
 */
#define _DEFAULT_SOURCE 1

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SHARED_MEMORY_DIRECTORY "/dev/shm"

double bench_cpu_ns(void)
{
    struct timespec now;
    bench_must(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now));
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

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

double samples_median(const struct samples *samples)
{
    struct samples sorted = *samples;
    if (sorted.count == 0)
        return 0;
    qsort(sorted.ns, sorted.count, sizeof *sorted.ns, compare);
    unsigned middle = sorted.count / 2;
    if (sorted.count % 2 == 1)
        return sorted.ns[middle];
    return (sorted.ns[middle - 1] + sorted.ns[middle]) / 2;
}

double samples_ratio(const struct samples *ours, const struct samples *theirs)
{
    struct samples quotients = {0};
    for (unsigned i = 0; i < ours->count && i < theirs->count; i++)
        samples_add(&quotients, ours->ns[i] / theirs->ns[i]);
    return samples_median(&quotients);
}

void bench_report_in(struct bench *bench, const char *what, double value, const char *unit,
                     enum bench_bound bound, double figure)
{
    if (bench->row_count == BENCH_ROWS_MAX)
        bench_must(-1);
    struct bench_row *row = &bench->rows[bench->row_count++];
    snprintf(row->what, sizeof row->what, "%s", what);
    row->value = value;
    row->unit = unit;
    row->bound = bound;
    row->figure = figure;
}

void bench_report(struct bench *bench, const char *what, double ratio, enum bench_bound bound,
                  double figure)
{
    bench_report_in(bench, what, ratio, "x", bound, figure);
}

static void print_row(const struct bench_row *row)
{
    printf("%-56s %10.2f %-5s", row->what, row->value, row->unit);
    if (row->bound == FOR_COMPARISON) {
        printf("\n");
        return;
    }
    int reached = row->bound == AT_MOST ? row->value <= row->figure : row->value >= row->figure;
    printf(" %-8s %8.2f  %s\n", row->bound == AT_MOST ? "at most" : "at least", row->figure,
           reached ? "reached" : "NOT REACHED");
}

void bench_print(const struct bench *bench)
{
    printf("%-56s %10s %-5s %-8s %8s\n", "what", "measured", "", "to", "reach");
    for (unsigned i = 0; i < bench->row_count; i++)
        print_row(&bench->rows[i]);
    printf("Medians of %u repetitions, in CPU time%s.\n", bench->repetitions,
           bench->quick ? "; too short to mean anything (--quick)" : "");
}

int64_t bench_must_at(int64_t result, const char *what, const char *file, int line)
{
    if (result >= 0)
        return result;
    fprintf(stderr, "%s:%d: %s: %lld\n", file, line, what, (long long)result);
    exit(EXIT_FAILURE);
}

unsigned char *bench_memory(uint64_t bytes)
{
    unsigned char *memory = aligned_alloc(BENCH_PAGE_BYTES, (size_t)bytes);
    if (memory == NULL)
        bench_must(-1);
    memset(memory, 1, (size_t)bytes);
    return memory;
}

uint64_t bench_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static const struct part {
    const char *name;
    void (*run)(struct bench *bench);
} parts[] = {
    {"small-files", bench_small_files}, {"random", bench_random_access},
    {"sequential", bench_sequential},   {"clones", bench_clones},
    {"memory", bench_memory_use},       {"databases", bench_databases},
    {"selects", bench_selects},         {"concurrency", bench_concurrency},
};

#define PARTS (sizeof parts / sizeof *parts)

static int usage(const char *program)
{
    fprintf(stderr, "usage: %s [--quick] [part...]\nparts:", program);
    for (size_t i = 0; i < PARTS; i++)
        fprintf(stderr, " %s", parts[i].name);
    fprintf(stderr, "\n");
    return EXIT_FAILURE;
}

/* No part was named: all of them. */
static int is_chosen(const struct part *part, char **names)
{
    int chosen = *names == NULL;
    for (; *names != NULL; names++)
        chosen |= strcmp(*names, part->name) == 0;
    return chosen;
}

static void run_parts(struct bench *bench, char **names)
{
    char directory[] = SHARED_MEMORY_DIRECTORY "/memfs-bench-XXXXXX";
    if (access(SHARED_MEMORY_DIRECTORY, W_OK) == 0)
        bench->tmpfs = mkdtemp(directory);
    for (size_t i = 0; i < PARTS; i++)
        if (is_chosen(&parts[i], names))
            parts[i].run(bench);
    if (bench->tmpfs != NULL)
        bench_must(rmdir(bench->tmpfs));
    bench->tmpfs = NULL;
}

int main(int argc, char **argv)
{
    static struct bench bench = {.repetitions = 15};
    char **names = argv + (argc > 0);
    if (*names != NULL && strcmp(*names, "--quick") == 0) {
        bench.quick = 1;
        bench.repetitions = 3;
        names++;
    }
    run_parts(&bench, names);
    if (bench.row_count == 0)
        return usage(argv[0]);
    bench_print(&bench);
    return EXIT_SUCCESS;
}
