/* What happens to a database when the quota strikes. */
#ifndef DEMO_FULL_H
#define DEMO_FULL_H

#include <memfs/memfs.h>

#include <sqlite3.h>

#include <stdbool.h>

/* Lowers the quota, fills the file system by a transaction, and goes on after
 * raising the quota again; prints each step.  True if all went as promised. */
bool demo_full(memfs *fs, sqlite3 *db);

#endif
