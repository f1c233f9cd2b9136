/*
 * One transaction, run again and again while something refuses later and later,
 * and what must hold after every refusal.
 */
#ifndef MEMFS_TESTS_SWEEP_H
#define MEMFS_TESTS_SWEEP_H

#include "sqlite_fixture.h"

#include <stdbool.h>

struct sweep_case {
    const char *journal_mode;
    const char *attached_mode; /* of the second database; null: the same */
    int page_size;
    bool spills;             /* cache_size=5 */
    bool has_attached;       /* the transaction writes a second database too */
    bool is_exclusive;       /* locking_mode=EXCLUSIVE */
    const char *transaction; /* what to run; null: the usual mix of changes */
};

struct sweep {
    struct fixture *f;
    const struct sweep_case *what;
    sqlite3 *db;
    char *before[2]; /* the rows of both databases */
    char *after[2];
};

/* Makes the databases and finds out what they hold before and after. */
void sweep_begin(struct sweep *sweep, struct fixture *f, const struct sweep_case *what);
void sweep_end(struct sweep *sweep);

/*
 * Runs the transaction; nothing else.  SQLITE_OK when it was committed,
 * otherwise the first failure, and the transaction is rolled back.
 */
int sweep_run(struct sweep *sweep);

/* After a run: both databases are whole and hold the rows that `rc` promises. */
void sweep_check(struct sweep *sweep, int rc, bool by_new_connection);

/* Work goes on: a small transaction that leaves the rows as they are. */
void sweep_go_on(struct sweep *sweep);

#endif
