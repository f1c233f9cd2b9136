/*
 * What the structures themselves hold, beside the bytes of the files.
 */
#include "bench.h"

#include <memfs/memfs.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALL_BYTES (1u << 20)

static uint64_t committed_bytes(memfs *fs)
{
    memfs_statfs_info info;
    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    bench_must(memfs_statfs(fs, &info));
    return info.committed_bytes;
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
    unsigned count = bench->quick ? 1000 : 10000;
    memfs *fs = create_unlimited();
    uint64_t before = committed_bytes(fs);
    char path[16];
    for (unsigned i = 0; i < count; i++) {
        snprintf(path, sizeof path, "/f%07u", i);
        bench_must(memfs_write_file(fs, path, "", 0, 0644, 0));
    }
    double each = (double)(committed_bytes(fs) - before) / count;
    bench_report_in(bench, "an empty file with an 8-byte name, all in", each, "bytes", AT_MOST,
                    256);
    bench_must(memfs_destroy(fs, 0));
}

static void measure_large_file(struct bench *bench)
{
    unsigned megabytes = bench->quick ? 16 : 1024;
    memfs *fs = create_unlimited();
    unsigned char *chunk = bench_memory(CALL_BYTES);
    memfs_file *file;
    bench_must(memfs_open(fs, "/f", MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file));
    for (unsigned i = 0; i < megabytes; i++)
        bench_must(memfs_write(file, chunk, CALL_BYTES));
    bench_must(memfs_close(file));
    double data = (double)megabytes * CALL_BYTES;
    bench_report_in(bench, bench->quick ? "overhead of a 16 MiB file" : "overhead of a 1 GiB file",
                    ((double)committed_bytes(fs) - data) / data * 100, "%", AT_MOST, 1);
    free(chunk);
    bench_must(memfs_destroy(fs, 0));
}

void bench_memory_use(struct bench *bench)
{
    measure_empty_files(bench);
    measure_large_file(bench);
}
