/*
 * What was measured, as tables for people and as files.
 */
#define _DEFAULT_SOURCE 1

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

enum { TEXT_BYTES = 200, PATH_BYTES = 4096 };

/* ----------------------------------------------------------------- on the screen */

static const char *verdict(const struct bench_row *row)
{
    double value = row->value.median;
    if (row->bound == FOR_COMPARISON)
        return "";
    return (row->bound == AT_MOST ? value <= row->figure : value >= row->figure) ? "reached"
                                                                                 : "NOT REACHED";
}

/* The value, or why there is none. */
static void describe_value(const struct bench_spread *value, const char *unit,
                           char text[TEXT_BYTES])
{
    if (bench_is_meaningless(value))
        snprintf(text, TEXT_BYTES, "(%.2f to %.2f: says nothing)", value->low, value->high);
    else if (value->low < value->high)
        snprintf(text, TEXT_BYTES, "%.2f %s (%.2f to %.2f)", value->median, unit, value->low,
                 value->high);
    else
        snprintf(text, TEXT_BYTES, "%.2f %s", value->median, unit);
}

static void print_row(const struct bench_row *row)
{
    char value[TEXT_BYTES];
    describe_value(&row->value, row->unit, value);
    if (row->bound == FOR_COMPARISON || bench_is_meaningless(&row->value))
        printf("%-54s %s\n", row->what, value);
    else
        printf("%-54s %-30s %s %.2f: %s\n", row->what, value,
               row->bound == AT_MOST ? "at most" : "at least", row->figure, verdict(row));
}

static void print_point(const struct bench_point *point)
{
    char value[TEXT_BYTES];
    describe_value(&point->value, "", value);
    printf("%-30s %-32s %10.0f  %s\n", point->series, point->contestant, point->x, value);
}

void bench_print(const struct bench *bench)
{
    for (unsigned i = 0; i < bench->row_count; i++)
        print_row(&bench->rows[i]);
    for (unsigned i = 0; i < bench->point_count; i++)
        print_point(&bench->points[i]);
    printf("Medians (and quartiles) of %u repetitions%s.\n", bench->repetitions,
           bench->smoke ? "; too short to mean anything (--smoke)" : "");
}

/* ------------------------------------------------------------------------ files */

static FILE *create_in(const char *directory, const char *name)
{
    char path[PATH_BYTES];
    bench_must(snprintf(path, sizeof path, "%s/%s", directory, name) < (int)sizeof path ? 0 : -1);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        perror(path);
    bench_must(file != NULL ? 0 : -1);
    return file;
}

static void write_figures(const struct bench *bench, const char *directory)
{
    FILE *file = create_in(directory, "figures.csv");
    fprintf(file, "part,what,median,low quartile,high quartile,unit,bound,figure,says something\n");
    for (unsigned i = 0; i < bench->row_count; i++) {
        const struct bench_row *row = &bench->rows[i];
        static const char *const bounds[] = {"", "at most", "at least"};
        fprintf(file, "%s,\"%s\",%.4f,%.4f,%.4f,%s,%s,%.4f,%s\n", row->part, row->what,
                row->value.median, row->value.low, row->value.high, row->unit, bounds[row->bound],
                row->figure, bench_is_meaningless(&row->value) ? "no" : "yes");
    }
    bench_must(fclose(file));
}

static void write_points(const struct bench *bench, const char *directory)
{
    FILE *file = create_in(directory, "points.csv");
    fprintf(file, "series,contestant,x,median,low quartile,high quartile\n");
    for (unsigned i = 0; i < bench->point_count; i++) {
        const struct bench_point *point = &bench->points[i];
        fprintf(file, "%s,%s,%.0f,%.4f,%.4f,%.4f\n", point->series, point->contestant, point->x,
                point->value.median, point->value.low, point->value.high);
    }
    bench_must(fclose(file));
}

/* The name of the processor, as Linux tells it. */
static void find_processor(char name[TEXT_BYTES])
{
    char line[TEXT_BYTES];
    FILE *file = fopen("/proc/cpuinfo", "r");
    snprintf(name, TEXT_BYTES, "an unknown processor");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "model name", 10) == 0 && strchr(line, ':') != NULL) {
            snprintf(name, TEXT_BYTES, "%s", strchr(line, ':') + 2);
            name[strcspn(name, "\n")] = '\0';
            break;
        }
    if (file != NULL)
        fclose(file);
}

static void write_head(const struct bench *bench, FILE *file)
{
    char processor[TEXT_BYTES], day[TEXT_BYTES];
    struct utsname system;
    time_t now = time(NULL);
    find_processor(processor);
    bench_must(uname(&system));
    strftime(day, sizeof day, "%Y-%m-%d", gmtime(&now));
    fprintf(file,
            "# memfs beside what one would take instead\n\n%s, %s %s, %s. Medians (and quartiles) "
            "of %u repetitions, in which all take turns%s.\n\n"
            "A value whose quartiles lie further apart than half of it says nothing, and is not "
            "reported.\n",
            processor, system.sysname, system.release, day, bench->repetitions,
            bench->smoke ? "; much too short to mean anything" : "");
}

static void write_row(const struct bench_row *row, FILE *file)
{
    char value[TEXT_BYTES];
    describe_value(&row->value, row->unit, value);
    fprintf(file, "| %s | %s | ", row->what, value);
    if (row->bound == FOR_COMPARISON)
        fprintf(file, "| |\n");
    else
        fprintf(file, "%s %.2f | %s |\n", row->bound == AT_MOST ? "at most" : "at least",
                row->figure, bench_is_meaningless(&row->value) ? "" : verdict(row));
}

static void write_rows(const struct bench *bench, FILE *file)
{
    const char *part = "";
    for (unsigned i = 0; i < bench->row_count; i++) {
        const struct bench_row *row = &bench->rows[i];
        if (strcmp(row->part, part) != 0)
            fprintf(file, "\n## %s\n\n| what | measured | to reach | |\n|---|---|---|---|\n",
                    row->part);
        part = row->part;
        write_row(row, file);
    }
}

static void write_plots(const struct bench *bench, FILE *file)
{
    const char *series = "";
    for (unsigned i = 0; i < bench->point_count; i++) {
        const struct bench_point *point = &bench->points[i];
        char value[TEXT_BYTES];
        if (strcmp(point->series, series) != 0)
            fprintf(file,
                    "\n## %s\n\n![%s](%s.svg)\n\n| contestant | x | measured |\n|---|---|---|\n",
                    point->series, point->series, point->series);
        series = point->series;
        describe_value(&point->value, "", value);
        fprintf(file, "| %s | %.0f | %s |\n", point->contestant, point->x, value);
    }
}

void bench_write_report(const struct bench *bench, const char *directory)
{
    write_figures(bench, directory);
    write_points(bench, directory);
    FILE *file = create_in(directory, "report.md");
    write_head(bench, file);
    write_rows(bench, file);
    write_plots(bench, file);
    bench_must(fclose(file));
}
