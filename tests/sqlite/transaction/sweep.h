/*
 * One operation, run again and again while memory is refused later and later, and what must hold
 * after every refusal.
 */
#ifndef MEMFS_TESTS_SWEEP_H
#define MEMFS_TESTS_SWEEP_H

#include "modes.h"
#include "sqlite_fixture.h"

#include <stdbool.h>

/* In its SQL, '@' stands for the schema: "main", and then "two" where there are two databases. */
struct sweep_operation {
    const char *name;
    const char *prepare; /* when a database is made; may be null */
    const char *sql;     /* null: sqlite3_backup from a database in SQLite's memory */
    bool is_alone;       /* no transaction is around it: each database by itself */
    bool packs;          /* the pages of a database, and those free, are part of the result */
    bool may_fail_late;  /* SQLite still has work to do after its commit */
    bool has_savepoints; /* needs a mode that undoes statements */
};

extern const struct sweep_operation sweep_operations[];
extern const size_t sweep_operation_count;

struct sweep_case {
    const struct sweep_operation *operation;
    const struct db_mode *mode;
    const struct db_mode *attached_mode; /* of the second database; null: the same */
    int page_size;
    bool has_attached; /* a second database is changed too */
    bool spills;       /* cache_size=5 */
    bool is_exclusive; /* locking_mode=EXCLUSIVE */
    bool is_shared;    /* copies of the databases share their pages */
    bool erases;       /* secure_delete=ON: otherwise free pages differ in the cache and the file */
};

struct sweep {
    struct fixture *f;
    const struct sweep_case *what;
    sqlite3 *db;
    sqlite3 *source; /* of a backup */
    uint64_t used_at_first_bytes;
    char *before[2]; /* both databases, as sweep_prepare() found them */
    char *after[2];
};

/* Makes the databases and finds out what they hold before and after. */
void sweep_begin(struct sweep *sweep, struct fixture *f, const struct sweep_case *what);

/* Removes them; nothing is left in the tree or of its memory. */
void sweep_end(struct sweep *sweep);

/* Before each run, with room: a small transaction, and a look at what is there. */
void sweep_prepare(struct sweep *sweep);

/* Runs the operation; nothing else.  SQLITE_OK, or the first failure; then it is rolled back. */
int sweep_run(struct sweep *sweep);

enum sweep_view {
    SWEEP_SAME_CONNECTION,
    SWEEP_OTHER_CONNECTION, /* and the same; with EXCLUSIVE only the same */
    SWEEP_REOPENED          /* all are closed, a WAL stays behind */
};

enum sweep_result {
    SWEEP_UNCHANGED,
    SWEEP_DONE,
    SWEEP_PARTLY, /* one database as before, one as after, where that may be */
    SWEEP_TORN    /* the same where both were changed in one transaction: WAL only */
};

/* After a run: the databases are whole and hold what `rc` promises, and every checkpoint works. */
enum sweep_result sweep_check(struct sweep *sweep, int rc, enum sweep_view view);

/* After SWEEP_REOPENED, with room: the connection as it was. */
void sweep_resume(struct sweep *sweep);

#endif
