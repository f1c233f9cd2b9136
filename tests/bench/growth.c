/*
 * What one byte costs as files grow, and one name as a directory grows.
 *
 * file-size      a new file of x bytes is written, read and removed, in calls of at most 64 KiB:
 *                nanoseconds of CPU time per KiB.
 * names          x files of 20 bytes are created in one directory, opened and read, and removed:
 *                nanoseconds of CPU time per file.
 */
#define _GNU_SOURCE 1

#include "bench.h"

#include <memfs/memfs.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CALL_BYTES = 65536, TEXT_BYTES = 20, NAME_BYTES = 32, PATH_BYTES = 200 };

/* What a contestant works with. */
struct ring {
    memfs *fs;
    const char *tmpfs;
    unsigned char *bytes; /* CALL_BYTES of them to write, and as many behind to read into */
};

static size_t piece(uint64_t left)
{
    return left < CALL_BYTES ? (size_t)left : CALL_BYTES;
}

/* -------------------------------------------------------------------- file-size */

static void file_in_memfs(const struct ring *ring, uint64_t size)
{
    memfs_file *file;
    bench_must(memfs_open(ring->fs, "/file", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file));
    for (uint64_t at = 0; at < size; at += CALL_BYTES)
        bench_must(memfs_pwrite(file, ring->bytes, piece(size - at), (int64_t)at));
    for (uint64_t at = 0; at < size; at += CALL_BYTES)
        bench_must(memfs_pread(file, ring->bytes + CALL_BYTES, piece(size - at), (int64_t)at));
    bench_must(memfs_close(file));
    bench_must(memfs_unlink(ring->fs, "/file"));
}

static void file_on_tmpfs(const struct ring *ring, uint64_t size)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/file", ring->tmpfs);
    int file = open(path, O_RDWR | O_CREAT, 0644);
    bench_must(file);
    for (uint64_t at = 0; at < size; at += CALL_BYTES)
        bench_must(pwrite(file, ring->bytes, piece(size - at), (off_t)at));
    for (uint64_t at = 0; at < size; at += CALL_BYTES)
        bench_must(pread(file, ring->bytes + CALL_BYTES, piece(size - at), (off_t)at));
    bench_must(close(file));
    bench_must(unlink(path));
}

static void file_in_streams(const struct ring *ring, uint64_t size)
{
    char *memory = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&memory, &length);
    bench_must(out != NULL ? 0 : -1);
    for (uint64_t at = 0; at < size; at += CALL_BYTES)
        bench_must(fwrite(ring->bytes, piece(size - at), 1, out) == 1 ? 0 : -1);
    bench_must(fclose(out));
    FILE *in = fmemopen(memory, length, "r");
    bench_must(in != NULL ? 0 : -1);
    for (uint64_t at = 0; at < size; at += CALL_BYTES)
        bench_must(fread(ring->bytes + CALL_BYTES, piece(size - at), 1, in) == 1 ? 0 : -1);
    bench_must(fclose(in));
    free(memory);
}

static void file_in_a_buffer(const struct ring *ring, uint64_t size)
{
    unsigned char *buffer = malloc((size_t)size);
    bench_must(buffer != NULL ? 0 : -1);
    for (uint64_t at = 0; at < size; at += CALL_BYTES)
        memcpy(buffer + at, ring->bytes, piece(size - at));
    for (uint64_t at = 0; at < size; at += CALL_BYTES)
        memcpy(ring->bytes + CALL_BYTES, buffer + at, piece(size - at));
    free(buffer);
}

/* ------------------------------------------------------------------------ names */

static void names_in_memfs(const struct ring *ring, uint64_t count)
{
    char name[NAME_BYTES];
    bench_must(memfs_mkdir(ring->fs, "/d", 0755));
    for (uint64_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "/d/name-%llu", (unsigned long long)i);
        bench_must(memfs_write_file(ring->fs, name, ring->bytes, TEXT_BYTES, 0644, 0));
    }
    for (uint64_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "/d/name-%llu", (unsigned long long)i);
        bench_must(memfs_read_file_into(ring->fs, name, ring->bytes + CALL_BYTES, CALL_BYTES));
    }
    for (uint64_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "/d/name-%llu", (unsigned long long)i);
        bench_must(memfs_unlink(ring->fs, name));
    }
    bench_must(memfs_rmdir(ring->fs, "/d"));
}

static void name_on_tmpfs(char path[PATH_BYTES], const struct ring *ring, uint64_t number)
{
    snprintf(path, PATH_BYTES, "%s/name-%llu", ring->tmpfs, (unsigned long long)number);
}

static void names_on_tmpfs(const struct ring *ring, uint64_t count)
{
    char path[PATH_BYTES];
    for (uint64_t i = 0; i < count; i++) {
        name_on_tmpfs(path, ring, i);
        int file = open(path, O_WRONLY | O_CREAT, 0644);
        bench_must(write(file, ring->bytes, TEXT_BYTES));
        bench_must(close(file));
    }
    for (uint64_t i = 0; i < count; i++) {
        name_on_tmpfs(path, ring, i);
        int file = open(path, O_RDONLY);
        bench_must(read(file, ring->bytes + CALL_BYTES, CALL_BYTES));
        bench_must(close(file));
    }
    for (uint64_t i = 0; i < count; i++) {
        name_on_tmpfs(path, ring, i);
        bench_must(unlink(path));
    }
}

/* What programs write that need nothing but a few buffers by name. */
struct entry {
    struct entry *next;
    char *name;
    unsigned char *data;
    size_t size;
};

static struct entry **find_entry(struct entry **buckets, uint64_t bucket_count, const char *name)
{
    uint64_t hash = 5381;
    for (const char *at = name; *at != '\0'; at++)
        hash = hash * 33 + (unsigned char)*at;
    struct entry **at = &buckets[hash % bucket_count];
    while (*at != NULL && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

static void insert_entry(struct entry **place, const char *name, const void *data, size_t size)
{
    struct entry *entry = calloc(1, sizeof *entry);
    bench_must(entry != NULL ? 0 : -1);
    entry->name = strdup(name);
    entry->data = malloc(size);
    bench_must(entry->name != NULL && entry->data != NULL ? 0 : -1);
    memcpy(entry->data, data, size);
    entry->size = size;
    *place = entry;
}

static void remove_entry(struct entry **place)
{
    struct entry *entry = *place;
    *place = entry->next;
    free(entry->name);
    free(entry->data);
    free(entry);
}

static void names_in_a_table(const struct ring *ring, uint64_t count)
{
    char name[NAME_BYTES];
    uint64_t bucket_count = count * 2;
    struct entry **buckets = calloc((size_t)bucket_count, sizeof(struct entry *));
    bench_must(buckets != NULL ? 0 : -1);
    for (int round = 0; round < 3; round++)
        for (uint64_t i = 0; i < count; i++) {
            snprintf(name, sizeof name, "name-%llu", (unsigned long long)i);
            struct entry **place = find_entry(buckets, bucket_count, name);
            if (round == 0)
                insert_entry(place, name, ring->bytes, TEXT_BYTES);
            else if (round == 1)
                memcpy(ring->bytes + CALL_BYTES, (*place)->data, (*place)->size);
            else
                remove_entry(place);
        }
    free(buckets);
}

/* ---------------------------------------------------------------------- running */

struct contestant {
    const char *name;
    void (*run)(const struct ring *ring, uint64_t x);
    int needs_tmpfs;
};

static const struct contestant of_sizes[] = {
    {"memfs", file_in_memfs, 0},
    {"tmpfs", file_on_tmpfs, 1},
    {"open_memstream and fmemopen", file_in_streams, 0},
    {"memcpy", file_in_a_buffer, 0},
};

static const struct contestant of_names[] = {
    {"memfs", names_in_memfs, 0},
    {"tmpfs", names_on_tmpfs, 1},
    {"hash table of buffers", names_in_a_table, 0},
};

enum { CONTESTANTS_MAX = 4 };

/* Runs all of them in turns at one x; `work` is at least that much of x for a sample. */
static void run_at(struct bench *bench, const char *series, const struct contestant *contestants,
                   unsigned count, const struct ring *ring, uint64_t x, uint64_t work, double unit)
{
    struct samples times[CONTESTANTS_MAX] = {{0}};
    uint64_t rounds = x < work ? work / x : 1;
    for (unsigned i = 0; i < bench->repetitions; i++)
        for (unsigned c = 0; c < count; c++) {
            if (contestants[c].needs_tmpfs && bench->tmpfs == NULL)
                continue;
            double start = bench_cpu_ns();
            for (uint64_t round = 0; round < rounds; round++)
                contestants[c].run(ring, x);
            samples_add(&times[c], (bench_cpu_ns() - start) / (double)(rounds * x) * unit);
        }
    for (unsigned c = 0; c < count; c++)
        if (times[c].count > 0)
            bench_plot(bench, series, contestants[c].name, (double)x, samples_spread(&times[c]));
}

void bench_growth(struct bench *bench)
{
    static const uint64_t sizes[] = {4 << 10, 64 << 10, 1 << 20, 16 << 20, 512 << 20};
    static const uint64_t names[] = {100, 1000, 10000, 100000, 1000000};
    unsigned last = bench->smoke ? 2 : bench->full ? 5 : 4;
    memfs_config config = memfs_config_default();
    struct ring ring = {.tmpfs = bench->tmpfs, .bytes = bench_memory(2 * CALL_BYTES)};
    config.quota_bytes = MEMFS_UNLIMITED;
    bench_must(memfs_create(&config, &ring.fs));
    for (unsigned i = 0; i < last; i++)
        run_at(bench, "file-size", of_sizes, sizeof of_sizes / sizeof *of_sizes, &ring, sizes[i],
               8 << 20, 1024);
    for (unsigned i = 0; i < last; i++)
        run_at(bench, "names", of_names, sizeof of_names / sizeof *of_names, &ring, names[i],
               bench->smoke ? 100 : 10000, 1);
    bench_must(memfs_destroy(ring.fs, 0));
    free(ring.bytes);
}
