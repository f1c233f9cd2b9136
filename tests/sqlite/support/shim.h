/*
 * Another VFS over "test" that passes every call through, as SQLite's own shims do.
 */
#ifndef MEMFS_TESTS_SQLITE_SHIM_H
#define MEMFS_TESTS_SQLITE_SHIM_H

#include <sqlite3.h>

/*
 * Which names the VFS below gets: SQLite's own strings, or copies, as from SQLite's multiplexor:
 * exactly as long as they must be, with nothing of SQLite's around them.
 */
enum shim_names { SHIM_KEEPS_NAMES, SHIM_COPIES_NAMES };

/*
 * Lays the shim over the VFS that is registered as "test" now, and returns its name.  May be called
 * again, with another VFS or other names only while no file is open through it.
 */
const char *shim_lay(enum shim_names names);
void shim_remove(void);

#endif
