/* A full-text index, in an SQLite database in the same tree as the texts. */
#ifndef DEMO_SEARCH_H
#define DEMO_SEARCH_H

#include <memfs/memfs.h>

#include <sqlite3.h>

#define DEMO_DATABASE "/index.db"

struct demo_index {
    uint64_t files, bytes; /* indexed, in committed transactions */
    uint64_t binary;       /* left out: there is a zero byte in it */
    uint64_t large;        /* left out: over a megabyte */
};

/* Makes the tables.  Returns an SQLite code. */
int demo_search_create(memfs *fs, sqlite3 *db);

/* Indexes the text files under `root`.  Returns an SQLite code; what was
 * committed before an error stays. */
int demo_search_fill(memfs *fs, sqlite3 *db, const char *root, struct demo_index *out);

/* Prints how many files match, and the best three.  Returns an SQLite code. */
int demo_search_print(sqlite3 *db, const char *query);

#endif
