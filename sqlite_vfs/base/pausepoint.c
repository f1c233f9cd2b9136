/* The hook of the points; only in builds for tests. */
#include "base/pausepoint.h"

#if MEMFS_CHECK_LEVEL >= 2
void (*mfs_pausepoint_hook)(const char *point);
#else
typedef int mfs_pausepoint_is_left_out; /* a file needs a declaration */
#endif
