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
#define FILES 5000u
#define FILES_QUICK 50u

enum { CREATE, READ, REMOVE, PHASES };

static _Alignas(64) unsigned char content[CONTENT_BYTES];

/* Made beforehand, so that making them is not what is measured. */
static char our_paths[FILES][32];
static char their_paths[FILES][64];

static void create_ours(void *place, unsigned count)
{
    memfs *fs = place;
    for (unsigned i = 0; i < count; i++) {
        memfs_file *file;
        bench_must(memfs_open(fs, our_paths[i], MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file));
        bench_must(memfs_write(file, content, sizeof content));
        bench_must(memfs_close(file));
    }
}

static void read_ours(void *place, unsigned count)
{
    memfs *fs = place;
    for (unsigned i = 0; i < count; i++) {
        memfs_file *file;
        bench_must(memfs_open(fs, our_paths[i], MEMFS_O_READ, 0, &file));
        bench_must(memfs_read(file, content, sizeof content));
        bench_must(memfs_close(file));
    }
}

static void remove_ours(void *place, unsigned count)
{
    memfs *fs = place;
    for (unsigned i = 0; i < count; i++) {
        bench_must(memfs_unlink(fs, our_paths[i]));
    }
}

static void create_theirs(void *place, unsigned count)
{
    (void)place;
    for (unsigned i = 0; i < count; i++) {
        int file = (int)bench_must(open(their_paths[i], O_WRONLY | O_CREAT, 0644));
        bench_must(write(file, content, sizeof content));
        bench_must(close(file));
    }
}

static void read_theirs(void *place, unsigned count)
{
    (void)place;
    for (unsigned i = 0; i < count; i++) {
        int file = (int)bench_must(open(their_paths[i], O_RDONLY));
        bench_must(read(file, content, sizeof content));
        bench_must(close(file));
    }
}

static void remove_theirs(void *place, unsigned count)
{
    (void)place;
    for (unsigned i = 0; i < count; i++) {
        bench_must(unlink(their_paths[i]));
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

static void make_paths(const struct bench *bench, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        snprintf(our_paths[i], sizeof our_paths[i], "/d/file-%05u", i);
        if (bench->tmpfs != NULL)
            snprintf(their_paths[i], sizeof their_paths[i], "%s/file-%05u", bench->tmpfs, i);
    }
}

void bench_small_files(struct bench *bench)
{
    unsigned count = bench->smoke ? FILES_QUICK : FILES;
    make_paths(bench, count);
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
