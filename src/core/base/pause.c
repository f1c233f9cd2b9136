/* The hook of the points is the one variable of the core, and only in builds for tests. */
#include "base/pause.h"

#if MEMFS_CHECK_LEVEL >= 2
void (*mfs_pause_hook)(const char *point);
#else
typedef int mfs_pause_is_left_out; /* a file needs a declaration */
#endif
