/*
 * Reading and overwriting 4 KiB at random places of one file, against memcpy
 * at the same places of a buffer as large, and against a file on tmpfs.
 */
#define _DEFAULT_SOURCE 1

#include "bench.h"

#include <memfs/memfs.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE_BYTES BENCH_PAGE_BYTES

struct places {
    unsigned count;
    uint64_t *offsets;
    unsigned char *page;
    memfs_file *ours;
    unsigned char *buffer;
    int theirs; /* -1: no tmpfs */
};

/* Keeps the compiler from leaving out a copy whose bytes are not used. */
static unsigned char *volatile sink;

static void copy_from_buffer(struct places *places)
{
    for (unsigned i = 0; i < places->count; i++) {
        memcpy(places->page, places->buffer + places->offsets[i], PAGE_BYTES);
        sink = places->page;
    }
}

static void copy_to_buffer(struct places *places)
{
    for (unsigned i = 0; i < places->count; i++) {
        memcpy(places->buffer + places->offsets[i], places->page, PAGE_BYTES);
        sink = places->buffer;
    }
}

static void read_ours(struct places *places)
{
    for (unsigned i = 0; i < places->count; i++)
        bench_must(
            memfs_pread(places->ours, places->page, PAGE_BYTES, (int64_t)places->offsets[i]));
}

static void write_ours(struct places *places)
{
    for (unsigned i = 0; i < places->count; i++)
        bench_must(
            memfs_pwrite(places->ours, places->page, PAGE_BYTES, (int64_t)places->offsets[i]));
}

static void read_theirs(struct places *places)
{
    for (unsigned i = 0; i < places->count; i++)
        bench_must(pread(places->theirs, places->page, PAGE_BYTES, (off_t)places->offsets[i]));
}

static void write_theirs(struct places *places)
{
    for (unsigned i = 0; i < places->count; i++)
        bench_must(pwrite(places->theirs, places->page, PAGE_BYTES, (off_t)places->offsets[i]));
}

static void measure(struct places *places, void (*run)(struct places *), struct samples *times)
{
    double start = bench_cpu_ns();
    run(places);
    samples_add(times, bench_cpu_ns() - start);
}

static void compare(struct bench *bench, struct places *places, const char *what, double figure,
                    void (*copy)(struct places *), void (*ours)(struct places *),
                    void (*theirs)(struct places *))
{
    struct samples copies = {0}, our_times = {0}, their_times = {0};
    char line[72];
    for (unsigned i = 0; i < bench->repetitions; i++) {
        measure(places, copy, &copies);
        measure(places, ours, &our_times);
        if (places->theirs >= 0)
            measure(places, theirs, &their_times);
    }
    snprintf(line, sizeof line, "%s 4 KiB at random, to memcpy", what);
    bench_report(bench, line, samples_ratio(&our_times, &copies), AT_MOST, figure);
    snprintf(line, sizeof line, "%s 4 KiB at random, tmpfs to memcpy", what);
    if (places->theirs >= 0)
        bench_report(bench, line, samples_ratio(&their_times, &copies), FOR_COMPARISON, 0);
}

static void choose_places(struct places *places, uint64_t file_bytes)
{
    uint64_t state = 1;
    places->offsets = calloc(places->count, sizeof *places->offsets);
    if (places->offsets == NULL)
        bench_must(-1);
    for (unsigned i = 0; i < places->count; i++)
        places->offsets[i] = bench_random(&state) % (file_bytes / PAGE_BYTES) * PAGE_BYTES;
}

static int open_theirs(const struct bench *bench, const unsigned char *bytes, uint64_t size)
{
    char path[64];
    if (bench->tmpfs == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/random", bench->tmpfs);
    int file = (int)bench_must(open(path, O_RDWR | O_CREAT, 0644));
    bench_must(unlink(path));
    bench_must(write(file, bytes, (size_t)size) == (ssize_t)size ? 0 : -1);
    return file;
}

void bench_random_access(struct bench *bench)
{
    uint64_t size = (uint64_t)(bench->smoke ? 1 : 64) << 20;
    static struct places places;
    places.count = bench->smoke ? 100 : 20000;
    places.page = bench_memory(PAGE_BYTES);
    places.buffer = bench_memory(size);
    choose_places(&places, size);
    memfs *fs;
    bench_must(memfs_create(NULL, &fs));
    bench_must(memfs_open(fs, "/f", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &places.ours));
    bench_must(memfs_pwrite(places.ours, places.buffer, (size_t)size, 0));
    places.theirs = open_theirs(bench, places.buffer, size);

    compare(bench, &places, "read", 1.15, copy_from_buffer, read_ours, read_theirs);
    compare(bench, &places, "overwrite", 1.3, copy_to_buffer, write_ours, write_theirs);

    if (places.theirs >= 0)
        bench_must(close(places.theirs));
    bench_must(memfs_close(places.ours));
    bench_must(memfs_destroy(fs, 0));
    free(places.page);
    free(places.buffer);
    free(places.offsets);
}
