/*
 * Scripts of SQL that a seed makes: schemas with most of what SQLite has, changes, transactions,
 * errors included.  The same seed makes the same script.
 */
#ifndef MEMFS_TESTS_DIFFERENTIAL_SCRIPT_H
#define MEMFS_TESTS_DIFFERENTIAL_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

/* Statements that are none of SQL's: what the runner does. */
#define SCRIPT_LOOK "@look"             /* another connection compares everything */
#define SCRIPT_CHECKPOINT "@checkpoint" /* where there is a WAL */
#define SCRIPT_ATTACH "@attach"         /* a second database, as `two` */
#define SCRIPT_DETACH "@detach"         /* and it is gone */

enum { SCRIPT_STATEMENTS_MAX = 64 };

struct script {
    uint64_t seed;
    int page_size;
    int auto_vacuum; /* before anything is in the database */
    bool spills;
    int count;
    char *statements[SCRIPT_STATEMENTS_MAX]; /* sqlite3_free() */
};

/* Without `undoes_statements`: no statement that could fail after it has changed something, and no
 * savepoints. */
void script_make(struct script *script, uint64_t seed, bool undoes_statements);
void script_free(struct script *script);

#endif
