/*
 * What three connections to a database do, step by step, as a seed says.
 *
 * A step can be taken in any state: what it needs and is not there (an open statement, a blob, a
 * backup) makes it do nothing.  So a list of steps stays one when some are left out.
 */
#ifndef MEMFS_TESTS_LOCKSTEP_STEPS_H
#define MEMFS_TESTS_LOCKSTEP_STEPS_H

#include <stdbool.h>
#include <stdint.h>

enum { CONNECTIONS = 3, OPEN_STATEMENTS = 3 };

enum action {
    RUN,         /* sql, to its end */
    ATTACH,      /* the second database, as `two` */
    START,       /* sql, in a slot (numbers[0]), for one row: it stays open */
    GO_ON,       /* with the statement in a slot, for numbers[1] rows; to its end: it is reset */
    FINISH,      /* the statement in a slot */
    BLOB_OPEN,   /* column c of the table sql, row numbers[0], to write if numbers[1] */
    BLOB_READ,   /* at numbers[0], of numbers[1] bytes */
    BLOB_WRITE,  /* the same */
    BLOB_MOVE,   /* to row numbers[0] */
    BLOB_CLOSE,  /* */
    BACKUP,      /* begins a copy into another database; numbers[0]: copies all of that back */
    BACKUP_STEP, /* of numbers[0] pages */
    BACKUP_END,  /* */
    CHECKPOINT,  /* in mode numbers[0]; of the database sql, or all */
    CACHE_FLUSH, /* what is not written yet goes to the file */
    RECONNECT,   /* closes and opens */
    CONTROLS,    /* asks file-controls */
    COMPARE,     /* the connection reads everything, and all files are compared */
    CRASH,       /* the files are copied as they are, and the copy is opened */
};

struct step {
    enum action action;
    int connection;
    int numbers[2];
    char *sql; /* sqlite3_free(); may be null */
};

/* What the databases of a list of steps are like. */
struct setting {
    uint64_t seed;
    int page_size, auto_vacuum, cache_size;
    bool is_exclusive;  /* locking_mode, to begin with */
    bool changes_modes; /* journal modes, locking modes and page sizes change on the way */
    bool may_map;       /* mmap_size changes, too */
};

/* What the steps may contain. */
struct repertoire {
    bool undoes_statements; /* else: no statement that fails after a change, and no savepoints */
    bool changes_modes;     /* some lists change modes on the way */
    bool is_isolated;       /* nothing that asks about journals and locks */
};

struct setting setting_make(uint64_t seed, const struct repertoire *repertoire);

/* The next step; `random` goes on. `in_transaction`: of the three connections. */
struct step step_make(uint64_t *random, const struct setting *setting,
                      const struct repertoire *repertoire, const bool *in_transaction);

const char *step_name(enum action action);

#endif
