/*
 * Measuring side by side: CPU time, contestants in turns, medians of ratios.
 *
 * Machines are noisy and differ, so nothing here is judged by its time alone.
 * In each repetition all contestants run one after another; the ratio of two
 * is the median, over the repetitions, of the quotients within one repetition.
 * What slows the machine for a while then slows both sides of a quotient.
 *
 *     struct samples ours = {0}, theirs = {0};
 *     for (unsigned i = 0; i < bench->repetitions; i++) {
 *         double start = bench_cpu_ns();
 *         run_ours();
 *         samples_add(&ours, bench_cpu_ns() - start);
 *         ...
 *     }
 *     bench_report(bench, "read 4 KiB at random, to memcpy", samples_ratio(&ours, &theirs),
 *                  AT_MOST, 1.15);
 */
#ifndef MEMFS_BENCH_H
#define MEMFS_BENCH_H

#include <stdint.h>

#define SAMPLES_MAX 64u

struct samples {
    unsigned count;
    double ns[SAMPLES_MAX];
};

/* The median of several figures, and the quartiles. */
struct bench_spread {
    double median, low, high;
};

enum bench_bound { FOR_COMPARISON = 0, AT_MOST, AT_LEAST };

#define BENCH_ROWS_MAX 64u
#define BENCH_POINTS_MAX 512u

/* A line of the table of figures. */
struct bench_row {
    const char *part;
    char what[72];
    struct bench_spread value;
    const char *unit; /* "x" for a ratio */
    enum bench_bound bound;
    double figure;
};

/* A point of a plot: what a contestant takes at one size, or number of threads ... */
struct bench_point {
    const char *series; /* a name, also of the plot's file */
    const char *contestant;
    double x;
    struct bench_spread value;
};

struct bench {
    int smoke;            /* just enough to see that everything runs */
    int full;             /* the larger sizes of the plots too */
    unsigned repetitions; /* at most SAMPLES_MAX */
    char *tmpfs;          /* a directory of our own on a tmpfs, or null if there is none */
    const char *part;     /* that is running */
    unsigned row_count, point_count;
    struct bench_row rows[BENCH_ROWS_MAX];
    struct bench_point points[BENCH_POINTS_MAX];
};

/* The CPU time that the process has used, the system's on its behalf included. */
double bench_cpu_ns(void);

/* The time on the wall: of what several threads do. */
double bench_wall_ns(void);

void samples_add(struct samples *samples, double ns);
double samples_median(const struct samples *samples);
struct bench_spread samples_spread(const struct samples *samples);

/* Of ours[i] / theirs[i]. */
struct bench_spread samples_ratio(const struct samples *ours, const struct samples *theirs);

/* Whether the quartiles lie so far apart that the median says nothing: by more than half of it. */
int bench_is_meaningless(const struct bench_spread *spread);

/* One line of the table: a ratio, and the figure to reach (ignored if FOR_COMPARISON). */
void bench_report(struct bench *bench, const char *what, struct bench_spread ratio,
                  enum bench_bound bound, double figure);

/* One point of a plot; the strings must stay, and have no commas. */
void bench_plot(struct bench *bench, const char *series, const char *contestant, double x,
                struct bench_spread value);

/* The same for what is no ratio. */
void bench_report_in(struct bench *bench, const char *what, double value, const char *unit,
                     enum bench_bound bound, double figure);

void bench_print(const struct bench *bench);

/* Writes report.md, figures.csv and points.csv into the directory, which must be there. */
void bench_write_report(const struct bench *bench, const char *directory);

/* Ends the program, saying where, if the result is an error. */
#define bench_must(result) bench_must_at((result), #result, __FILE__, __LINE__)
int64_t bench_must_at(int64_t result, const char *what, const char *file, int line);

/* Memory that was touched, a multiple of BENCH_PAGE_BYTES, aligned to that.  Copies between places
 * that are aligned differently take half as long again, on whichever side: so all are alike. */
#define BENCH_PAGE_BYTES 4096u
unsigned char *bench_memory(uint64_t bytes);

/* Splitmix64. */
uint64_t bench_random(uint64_t *state);

/* The benchmarks, in the order of the table. */
void bench_small_files(struct bench *bench);
void bench_random_access(struct bench *bench);
void bench_sequential(struct bench *bench);
void bench_clones(struct bench *bench);
void bench_memory_use(struct bench *bench);
void bench_databases(struct bench *bench);
void bench_selects(struct bench *bench);
void bench_concurrency(struct bench *bench);
void bench_growth(struct bench *bench);
void bench_threads(struct bench *bench);
void bench_connections(struct bench *bench);
void bench_fresh_copies(struct bench *bench);

#endif
