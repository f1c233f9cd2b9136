/*
 * Clones of a small and of a large file: what one takes, in time and in calls
 * of the allocator, must not depend on the size.
 */
#include "bench.h"

#include <memfs/memfs.h>

#include <stdio.h>
#include <stdlib.h>

#define CALL_BYTES (1u << 20)
#define CLONES 500u

static void *counted_take(void *context, size_t bytes)
{
    ++*(uint64_t *)context;
    return malloc(bytes);
}

static void counted_give(void *context, void *memory, size_t bytes)
{
    (void)context;
    (void)bytes;
    free(memory);
}

static void fill(memfs *fs, const char *path, unsigned megabytes)
{
    unsigned char *chunk = bench_memory(CALL_BYTES);
    memfs_file *file;
    bench_must(memfs_open(fs, path, MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file));
    for (unsigned i = 0; i < megabytes; i++)
        bench_must(memfs_write(file, chunk, CALL_BYTES));
    bench_must(memfs_close(file));
    free(chunk);
}

/* CPU time for CLONES clones, each under a new name; the names are gone afterwards. */
static double clone(memfs *fs, const char *path)
{
    static char names[CLONES][16];
    for (unsigned i = 0; i < CLONES; i++)
        snprintf(names[i], sizeof names[i], "/clone-%u", i);
    double start = bench_cpu_ns();
    for (unsigned i = 0; i < CLONES; i++)
        bench_must(memfs_copy(fs, path, names[i], MEMFS_COPY_NOREPLACE));
    double time = bench_cpu_ns() - start;
    for (unsigned i = 0; i < CLONES; i++)
        bench_must(memfs_unlink(fs, names[i]));
    return time;
}

static uint64_t calls_for_a_clone(memfs *fs, const char *path, const uint64_t *calls)
{
    uint64_t before = *calls;
    bench_must(memfs_copy(fs, path, "/one-clone", MEMFS_COPY_NOREPLACE));
    uint64_t after = *calls;
    bench_must(memfs_unlink(fs, "/one-clone"));
    return after - before;
}

void bench_clones(struct bench *bench)
{
    uint64_t calls = 0;
    memfs_config config = memfs_config_default();
    config.quota_bytes = 0;
    const memfs_allocator hooks = {
        .struct_size = sizeof hooks, .context = &calls, .take = counted_take, .give = counted_give};
    config.allocator = &hooks;
    memfs *fs;
    bench_must(memfs_create(&config, &fs));
    fill(fs, "/small", 1);
    fill(fs, "/large", bench->smoke ? 16 : 1024);
    struct samples small = {0}, large = {0};
    for (unsigned i = 0; i < bench->repetitions; i++) {
        samples_add(&small, clone(fs, "/small"));
        samples_add(&large, clone(fs, "/large"));
    }
    bench_report_in(bench, bench->smoke ? "clone of a 16 MiB file" : "clone of a 1 GiB file",
                    samples_median(&large) / CLONES, "ns", AT_MOST, 1000);
    bench_report(bench, "clone of a large file, to one of 1 MiB", samples_ratio(&large, &small),
                 AT_MOST, 1.1);
    double more = (double)calls_for_a_clone(fs, "/large", &calls);
    double less = (double)calls_for_a_clone(fs, "/small", &calls);
    bench_report_in(bench, "clone of a large file: allocations", more, "", AT_MOST, less);
    bench_must(memfs_destroy(fs, 0));
}
