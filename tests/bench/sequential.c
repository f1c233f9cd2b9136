/*
 * Writing and reading a file in calls of 1 MiB: over memory that was touched
 * before, against memcpy; and into memory fresh from the system, against tmpfs.
 */
#define _DEFAULT_SOURCE 1

#include "bench.h"

#include <memfs/memfs.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CALL_BYTES (1u << 20)

struct run {
    unsigned calls; /* of 1 MiB each: the size of the file */
    unsigned char *chunk;
    unsigned char *buffer;
};

static unsigned char *volatile sink;

static double copy_in(const struct run *run)
{
    double start = bench_cpu_ns();
    for (unsigned i = 0; i < run->calls; i++)
        memcpy(run->buffer + (size_t)i * CALL_BYTES, run->chunk, CALL_BYTES);
    sink = run->buffer;
    return bench_cpu_ns() - start;
}

static double copy_out(const struct run *run)
{
    double start = bench_cpu_ns();
    for (unsigned i = 0; i < run->calls; i++) {
        memcpy(run->chunk, run->buffer + (size_t)i * CALL_BYTES, CALL_BYTES);
        sink = run->chunk;
    }
    return bench_cpu_ns() - start;
}

static double write_ours(const struct run *run, memfs_file *file)
{
    double start = bench_cpu_ns();
    for (unsigned i = 0; i < run->calls; i++)
        bench_must(memfs_pwrite(file, run->chunk, CALL_BYTES, (int64_t)i * CALL_BYTES));
    return bench_cpu_ns() - start;
}

static double read_ours(const struct run *run, memfs_file *file)
{
    double start = bench_cpu_ns();
    for (unsigned i = 0; i < run->calls; i++)
        bench_must(memfs_pread(file, run->chunk, CALL_BYTES, (int64_t)i * CALL_BYTES));
    return bench_cpu_ns() - start;
}

static void bench_touched(struct bench *bench, const struct run *run)
{
    struct samples writes = {0}, reads = {0}, copies_in = {0}, copies_out = {0};
    memfs_config config = memfs_config_default();
    config.quota_bytes = 0;
    memfs *fs;
    memfs_file *file;
    bench_must(memfs_create(&config, &fs));
    bench_must(memfs_open(fs, "/f", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file));
    write_ours(run, file);
    for (unsigned i = 0; i < bench->repetitions; i++) {
        samples_add(&copies_in, copy_in(run));
        samples_add(&writes, write_ours(run, file));
        samples_add(&copies_out, copy_out(run));
        samples_add(&reads, read_ours(run, file));
    }
    bench_must(memfs_close(file));
    bench_must(memfs_destroy(fs, 0));
    bench_report(bench, "sequential write, 1 MiB calls: memcpy's time to ours",
                 samples_ratio(&copies_in, &writes), AT_LEAST, 0.9);
    bench_report(bench, "sequential read, 1 MiB calls: memcpy's time to ours",
                 samples_ratio(&copies_out, &reads), AT_LEAST, 0.9);
}

/* Making the file system and unmaking it is part of it: that is where memory comes from. */
static double write_fresh(const struct run *run)
{
    memfs_config config = memfs_config_default();
    config.quota_bytes = 0;
    memfs *fs;
    memfs_file *file;
    double start = bench_cpu_ns();
    bench_must(memfs_create(&config, &fs));
    bench_must(memfs_open(fs, "/f", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file));
    write_ours(run, file);
    bench_must(memfs_close(file));
    bench_must(memfs_destroy(fs, 0));
    return bench_cpu_ns() - start;
}

static double write_fresh_to_tmpfs(const struct bench *bench, const struct run *run)
{
    char path[64];
    snprintf(path, sizeof path, "%s/sequential", bench->tmpfs);
    double start = bench_cpu_ns();
    int file = (int)bench_must(open(path, O_RDWR | O_CREAT, 0644));
    for (unsigned i = 0; i < run->calls; i++)
        bench_must(write(file, run->chunk, CALL_BYTES) == CALL_BYTES ? 0 : -1);
    bench_must(close(file));
    bench_must(unlink(path));
    return bench_cpu_ns() - start;
}

static void bench_fresh(struct bench *bench, const struct run *run)
{
    struct samples ours = {0}, theirs = {0};
    if (bench->tmpfs == NULL)
        return;
    for (unsigned i = 0; i < bench->repetitions; i++) {
        samples_add(&ours, write_fresh(run));
        samples_add(&theirs, write_fresh_to_tmpfs(bench, run));
    }
    bench_report(bench, "sequential write, fresh memory, and removal, to tmpfs",
                 samples_ratio(&ours, &theirs), AT_MOST, 1);
}

void bench_sequential(struct bench *bench)
{
    struct run run = {.calls = bench->smoke ? 2 : 128};
    run.chunk = bench_memory(CALL_BYTES);
    run.buffer = bench_memory((uint64_t)run.calls * CALL_BYTES);
    bench_touched(bench, &run);
    bench_fresh(bench, &run);
    free(run.buffer);
    free(run.chunk);
}
