/* A failed assertion aborts the process before the damage spreads to what callers have stored. */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void mfs_check_failed(const char *expression, const char *file, int line)
{
    (void)fprintf(stderr, "memfs: %s:%d: assertion failed: %s\n", file, line, expression);
    abort();
}
