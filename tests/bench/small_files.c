/*
 * Many files of 4 KiB: created and written, opened and read, removed.
 */
#define _DEFAULT_SOURCE 1

#include "bench.h"

#include <memfs/memfs.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define CONTENT_BYTES 4096u

enum { CREATE, READ, REMOVE, PHASES };

static unsigned char content[CONTENT_BYTES];

static void create_ours(void *place, unsigned count)
{
    memfs *fs = place;
    char path[32];
    for (unsigned i = 0; i < count; i++) {
        memfs_file *file;
        snprintf(path, sizeof path, "/d/file-%05u", i);
        bench_must(memfs_open(fs, path, MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file));
        bench_must(memfs_write(file, content, sizeof content));
        bench_must(memfs_close(file));
    }
}

static void read_ours(void *place, unsigned count)
{
    memfs *fs = place;
    char path[32];
    for (unsigned i = 0; i < count; i++) {
        memfs_file *file;
        snprintf(path, sizeof path, "/d/file-%05u", i);
        bench_must(memfs_open(fs, path, MEMFS_O_READ, 0, &file));
        bench_must(memfs_read(file, content, sizeof content));
        bench_must(memfs_close(file));
    }
}

static void remove_ours(void *place, unsigned count)
{
    memfs *fs = place;
    char path[32];
    for (unsigned i = 0; i < count; i++) {
        snprintf(path, sizeof path, "/d/file-%05u", i);
        bench_must(memfs_unlink(fs, path));
    }
}

static void create_theirs(void *place, unsigned count)
{
    const char *directory = place;
    char path[64];
    for (unsigned i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/file-%05u", directory, i);
        int file = (int)bench_must(open(path, O_WRONLY | O_CREAT, 0644));
        bench_must(write(file, content, sizeof content));
        bench_must(close(file));
    }
}

static void read_theirs(void *place, unsigned count)
{
    const char *directory = place;
    char path[64];
    for (unsigned i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/file-%05u", directory, i);
        int file = (int)bench_must(open(path, O_RDONLY));
        bench_must(read(file, content, sizeof content));
        bench_must(close(file));
    }
}

static void remove_theirs(void *place, unsigned count)
{
    const char *directory = place;
    char path[64];
    for (unsigned i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/file-%05u", directory, i);
        bench_must(unlink(path));
    }
}

struct contestant {
    void *place; /* the file system, or the directory */
    void (*run[PHASES])(void *place, unsigned count);
    struct samples times[PHASES];
};

static void measure(struct contestant *contestant, unsigned count)
{
    for (unsigned phase = 0; phase < PHASES; phase++) {
        double start = bench_cpu_ns();
        contestant->run[phase](contestant->place, count);
        samples_add(&contestant->times[phase], bench_cpu_ns() - start);
    }
}

void bench_small_files(struct bench *bench)
{
    unsigned count = bench->quick ? 50 : 5000;
    memfs *fs;
    bench_must(memfs_create(NULL, &fs));
    bench_must(memfs_mkdir(fs, "/d", 0755));
    struct contestant ours = {fs, {create_ours, read_ours, remove_ours}, {{0}}};
    struct contestant theirs = {bench->tmpfs, {create_theirs, read_theirs, remove_theirs}, {{0}}};
    for (unsigned i = 0; i < bench->repetitions; i++) {
        measure(&ours, count);
        if (theirs.place != NULL)
            measure(&theirs, count);
    }
    bench_must(memfs_destroy(fs, 0));
    static const char *const names[PHASES] = {"create + write 4 KiB + close", "open + read + close",
                                              "remove"};
    for (unsigned phase = 0; phase < PHASES; phase++) {
        char what[72];
        snprintf(what, sizeof what, "%s, time", names[phase]);
        bench_report_in(bench, what, samples_median(&ours.times[phase]) / count, "ns",
                        FOR_COMPARISON, 0);
        snprintf(what, sizeof what, "%s: faster than tmpfs", names[phase]);
        if (theirs.place != NULL)
            bench_report(bench, what, samples_ratio(&theirs.times[phase], &ours.times[phase]),
                         phase == REMOVE ? FOR_COMPARISON : AT_LEAST, 10);
    }
}
