/*
 * Where there is no SQLite to measure.
 */
#include "bench.h"

void bench_databases(struct bench *bench)
{
    (void)bench;
}

void bench_selects(struct bench *bench)
{
    (void)bench;
}

void bench_connections(struct bench *bench)
{
    (void)bench;
}

void bench_fresh_copies(struct bench *bench)
{
    (void)bench;
}
