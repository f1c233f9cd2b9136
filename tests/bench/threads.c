/*
 * Threads that work at the same time, each on files of its own: nanoseconds on the wall for one
 * operation of all of them together, so what scales falls with the number of threads.
 *
 * threads-read      open a file, read 4 KiB of it, close it
 * threads-create    create a file of 20 bytes, and remove it, each thread in its own directory
 */
#define _GNU_SOURCE 1

#include "bench.h"

#include <memfs/memfs.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { THREADS_MAX = 8, READ_BYTES = 4096, TEXT_BYTES = 20, PATH_ROOM = 200 };

struct worker {
    pthread_t thread;
    pthread_barrier_t *start;
    memfs *fs; /* null: tmpfs */
    char file[PATH_ROOM], made[PATH_ROOM];
    unsigned operations;
    int creates;
};

static void read_in_memfs(const struct worker *worker)
{
    char bytes[READ_BYTES];
    memfs_file *file;
    bench_must(memfs_open(worker->fs, worker->file, MEMFS_O_READ, 0, &file));
    bench_must(memfs_pread(file, bytes, sizeof bytes, 0));
    bench_must(memfs_close(file));
}

static void read_on_tmpfs(const struct worker *worker)
{
    char bytes[READ_BYTES];
    int file = open(worker->file, O_RDONLY);
    bench_must(pread(file, bytes, sizeof bytes, 0));
    bench_must(close(file));
}

static void create_in_memfs(const struct worker *worker)
{
    static const char text[TEXT_BYTES];
    bench_must(memfs_write_file(worker->fs, worker->made, text, sizeof text, 0644, 0));
    bench_must(memfs_unlink(worker->fs, worker->made));
}

static void create_on_tmpfs(const struct worker *worker)
{
    static const char text[TEXT_BYTES];
    int file = open(worker->made, O_WRONLY | O_CREAT, 0644);
    bench_must(write(file, text, sizeof text));
    bench_must(close(file));
    bench_must(unlink(worker->made));
}

static void *work(void *argument)
{
    const struct worker *worker = argument;
    pthread_barrier_wait(worker->start);
    for (unsigned i = 0; i < worker->operations; i++) {
        if (worker->fs != NULL && worker->creates)
            create_in_memfs(worker);
        else if (worker->fs != NULL)
            read_in_memfs(worker);
        else if (worker->creates)
            create_on_tmpfs(worker);
        else
            read_on_tmpfs(worker);
    }
    return NULL;
}

/* Makes a worker's directory, and the file that it reads. */
static void prepare(struct worker *worker, memfs *fs, const char *tmpfs, unsigned number)
{
    static const char bytes[READ_BYTES];
    char directory[PATH_ROOM - 20];
    snprintf(directory, sizeof directory, "%s/%u", fs != NULL ? "" : tmpfs, number);
    worker->fs = fs;
    snprintf(worker->file, sizeof worker->file, "%s/file", directory);
    snprintf(worker->made, sizeof worker->made, "%s/made", directory);
    if (fs != NULL) {
        bench_must(memfs_write_file(fs, worker->file, bytes, sizeof bytes, 0644,
                                    MEMFS_WRITE_MAKE_PARENTS));
        return;
    }
    bench_must(mkdir(directory, 0755));
    int file = open(worker->file, O_WRONLY | O_CREAT, 0644);
    bench_must(write(file, bytes, sizeof bytes));
    bench_must(close(file));
}

static void clean(const struct worker *worker)
{
    char directory[PATH_ROOM];
    if (worker->fs != NULL)
        return;
    bench_must(unlink(worker->file));
    snprintf(directory, sizeof directory, "%.*s", (int)(sizeof directory - 1), worker->file);
    directory[strlen(directory) - strlen("/file")] = '\0';
    bench_must(rmdir(directory));
}

/* Nanoseconds for one operation of all. */
static double run_workers(struct worker *workers, unsigned count, unsigned operations, int creates)
{
    pthread_barrier_t start;
    bench_must(-pthread_barrier_init(&start, NULL, count + 1));
    for (unsigned i = 0; i < count; i++) {
        workers[i].start = &start;
        workers[i].operations = operations / count;
        workers[i].creates = creates;
        bench_must(-pthread_create(&workers[i].thread, NULL, work, &workers[i]));
    }
    double began = bench_wall_ns();
    pthread_barrier_wait(&start);
    for (unsigned i = 0; i < count; i++)
        bench_must(-pthread_join(workers[i].thread, NULL));
    double time = bench_wall_ns() - began;
    pthread_barrier_destroy(&start);
    return time / (operations / count * count);
}

static void run_series(struct bench *bench, const char *series, int creates,
                       struct worker workers[2][THREADS_MAX])
{
    static const char *const names[2] = {"memfs", "tmpfs"};
    unsigned operations = bench->smoke ? 1000 : 100000;
    for (unsigned count = 1; count <= THREADS_MAX; count *= 2) {
        struct samples times[2] = {{0}, {0}};
        for (unsigned i = 0; i < bench->repetitions; i++)
            for (unsigned which = 0; which < 2; which++)
                if (which == 0 || bench->tmpfs != NULL)
                    samples_add(&times[which],
                                run_workers(workers[which], count, operations, creates));
        for (unsigned which = 0; which < 2; which++)
            if (times[which].count > 0)
                bench_plot(bench, series, names[which], count, samples_spread(&times[which]));
    }
}

void bench_threads(struct bench *bench)
{
    static struct worker workers[2][THREADS_MAX];
    memfs *fs;
    bench_must(memfs_create(NULL, &fs));
    for (unsigned i = 0; i < THREADS_MAX; i++) {
        prepare(&workers[0][i], fs, NULL, i);
        if (bench->tmpfs != NULL)
            prepare(&workers[1][i], NULL, bench->tmpfs, i);
    }
    run_series(bench, "threads-read", 0, workers);
    run_series(bench, "threads-create", 1, workers);
    for (unsigned i = 0; i < THREADS_MAX && bench->tmpfs != NULL; i++)
        clean(&workers[1][i]);
    bench_must(memfs_destroy(fs, 0));
}
