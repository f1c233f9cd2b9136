/* The end of the road: a broken invariant stops the process before it spreads. */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void mfs_check_failed(const char *expression, const char *file, int line)
{
    (void)fprintf(stderr, "memfs: %s:%d: false: %s\n", file, line, expression);
    abort();
}
