/* Ending the program at the first error. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

int64_t bench_must_at(int64_t result, const char *what, const char *file, int line)
{
    if (result >= 0)
        return result;
    fprintf(stderr, "%s:%d: %s: %lld\n", file, line, what, (long long)result);
    exit(EXIT_FAILURE);
}
