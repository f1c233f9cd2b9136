/*
 * What the structures themselves hold, beside the bytes of the files.
 */
#include "bench.h"

#include <memfs/memfs.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CALL_BYTES (1u << 20)

static memfs_statfs_info figures(memfs *fs)
{
    memfs_statfs_info info;
    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    bench_must(memfs_statfs(fs, &info));
    return info;
}

static uint64_t committed_bytes(memfs *fs)
{
    return figures(fs).committed_bytes;
}

/* What of this process lies in memory; 0 where the system does not say. */
static uint64_t resident_bytes(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*u %lu", &pages) != 1)
        pages = 0;
    (void)fclose(file);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static memfs *create_unlimited(void)
{
    memfs *fs;
    memfs_config config = memfs_config_default();
    config.quota_bytes = 0;
    bench_must(memfs_create(&config, &fs));
    return fs;
}

static void measure_empty_files(struct bench *bench)
{
    unsigned count = bench->smoke ? 1000 : 10000;
    memfs *fs = create_unlimited();
    uint64_t before = committed_bytes(fs);
    char path[16];
    for (unsigned i = 0; i < count; i++) {
        snprintf(path, sizeof path, "/f%07u", i);
        bench_must(memfs_write_file(fs, path, "", 0, 0644, 0));
    }
    double each = (double)(committed_bytes(fs) - before) / count;
    bench_report_in(bench, "an empty file with an 8-byte name, all in", each, "bytes", AT_MOST,
                    224);
    bench_must(memfs_destroy(fs, 0));
}

static void measure_large_file(struct bench *bench)
{
    unsigned megabytes = bench->smoke ? 16 : 1024;
    memfs *fs = create_unlimited();
    unsigned char *chunk = bench_memory(CALL_BYTES);
    memfs_file *file;
    bench_must(memfs_open(fs, "/f", MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file));
    for (unsigned i = 0; i < megabytes; i++)
        bench_must(memfs_write(file, chunk, CALL_BYTES));
    bench_must(memfs_close(file));
    memfs_statfs_info info = figures(fs);
    double data = (double)megabytes * CALL_BYTES;
    double taken = (double)info.committed_bytes - (double)info.pages_free * info.page_size;
    bench_report_in(bench, bench->smoke ? "overhead of a 16 MiB file" : "overhead of a 1 GiB file",
                    (taken - data) / data * 100, "%", AT_MOST, 1);
    free(chunk);
    bench_must(memfs_destroy(fs, 0));
}

static void small_file_path(char *path, size_t size, unsigned i)
{
    snprintf(path, size, "/d%u/file%u", i / 1000, i);
}

/* What the process holds beside what it says that it holds, after mass deletion. */
static void measure_resident(struct bench *bench)
{
    unsigned count = bench->smoke ? 30000 : 300000;
    char path[32];
    uint64_t before = resident_bytes();
    memfs *fs = create_unlimited();
    for (unsigned i = 0; i < count; i++) {
        snprintf(path, sizeof path, "/d%u", i / 1000);
        if (i % 1000 == 0)
            bench_must(memfs_mkdir(fs, path, 0755));
        small_file_path(path, sizeof path, i);
        bench_must(memfs_write_file(fs, path, "twenty bytes of text", 20, 0644, 0));
    }
    double full = (double)(resident_bytes() - before) / (double)committed_bytes(fs);
    for (unsigned i = 0; i < count; i += 2) {
        small_file_path(path, sizeof path, i);
        bench_must(memfs_unlink(fs, path));
    }
    double half = (double)(resident_bytes() - before) / (double)committed_bytes(fs);
    for (unsigned i = 0; i < count; i += 1000) {
        snprintf(path, sizeof path, "/d%u", i / 1000);
        bench_must(memfs_remove_tree(fs, path));
    }
    uint64_t rest = resident_bytes();
    double left = rest > before ? (double)(rest - before) : 0;
    if (before != 0) {
        bench_report_in(bench, "small files: resident to committed", full, "x", AT_MOST, 1.1);
        bench_report_in(bench, "the same, every second deleted", half, "x", AT_MOST, 1.1);
        bench_report_in(bench, "the same, all deleted: still resident", left / 1048576, "MiB",
                        AT_MOST, 8);
    }
    bench_must(memfs_destroy(fs, 0));
}

void bench_memory_use(struct bench *bench)
{
    measure_empty_files(bench);
    measure_large_file(bench);
    measure_resident(bench);
}
