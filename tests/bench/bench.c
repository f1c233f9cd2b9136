/*
 * The measuring and the program.
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

double bench_wall_ns(void)
{
    struct timespec now;
    bench_must(clock_gettime(CLOCK_MONOTONIC, &now));
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void add_row(struct bench *bench, const char *what, struct bench_spread value,
                    const char *unit, enum bench_bound bound, double figure)
{
    if (bench->row_count == BENCH_ROWS_MAX)
        bench_must(-1);
    struct bench_row *row = &bench->rows[bench->row_count++];
    snprintf(row->what, sizeof row->what, "%s", what);
    row->part = bench->part;
    row->value = value;
    row->unit = unit;
    row->bound = bound;
    row->figure = figure;
}

void bench_report_in(struct bench *bench, const char *what, double value, const char *unit,
                     enum bench_bound bound, double figure)
{
    add_row(bench, what, (struct bench_spread){value, value, value}, unit, bound, figure);
}

void bench_report(struct bench *bench, const char *what, struct bench_spread ratio,
                  enum bench_bound bound, double figure)
{
    add_row(bench, what, ratio, "x", bound, figure);
}

void bench_plot(struct bench *bench, const char *series, const char *contestant, double x,
                struct bench_spread value)
{
    if (bench->point_count == BENCH_POINTS_MAX)
        bench_must(-1);
    bench->points[bench->point_count++] = (struct bench_point){series, contestant, x, value};
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
    {"growth", bench_growth},           {"threads", bench_threads},
    {"connections", bench_connections}, {"fresh-copies", bench_fresh_copies},
};

#define PARTS (sizeof parts / sizeof *parts)

static int usage(const char *program)
{
    fprintf(stderr, "usage: %s [--smoke | --full] [--report DIRECTORY] [part...]\nparts:", program);
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
        if (is_chosen(&parts[i], names)) {
            bench->part = parts[i].name;
            fprintf(stderr, "measuring: %s\n", bench->part);
            parts[i].run(bench);
        }
    if (bench->tmpfs != NULL)
        bench_must(rmdir(bench->tmpfs));
    bench->tmpfs = NULL;
}

/* Reads the options; the first word that is none. */
static char **read_options(struct bench *bench, char **words, const char **report)
{
    for (; *words != NULL && strncmp(*words, "--", 2) == 0; words++) {
        if (strcmp(*words, "--smoke") == 0) {
            bench->smoke = 1;
            bench->repetitions = 3;
        } else if (strcmp(*words, "--full") == 0) {
            bench->full = 1;
        } else if (strcmp(*words, "--report") == 0 && words[1] != NULL) {
            *report = *++words;
        } else {
            return NULL;
        }
    }
    return words;
}

int main(int argc, char **argv)
{
    static struct bench bench = {.repetitions = 15};
    const char *report = NULL;
    char **names = read_options(&bench, argv + (argc > 0), &report);
    if (names != NULL)
        run_parts(&bench, names);
    if (bench.row_count + bench.point_count == 0)
        return usage(argv[0]);
    bench_print(&bench);
    if (report != NULL)
        bench_write_report(&bench, report);
    return EXIT_SUCCESS;
}
