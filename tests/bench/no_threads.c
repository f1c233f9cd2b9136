/*
 * Where there are no threads.
 */
#include "bench.h"

void bench_threads(struct bench *bench)
{
    (void)bench;
}
