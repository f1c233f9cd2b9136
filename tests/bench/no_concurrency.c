/*
 * Where there is no SQLite to measure, or there are no threads.
 */
#include "bench.h"

void bench_concurrency(struct bench *bench)
{
    (void)bench;
}
