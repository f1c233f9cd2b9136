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

/* One statement of such a script, by itself; sqlite3_free(). */
char *script_statement(uint64_t *random, int page_size, bool undoes_statements,
                       bool in_transaction);

/* A number below `bound`; `random` goes on to the next. */
uint32_t script_random(uint64_t *random, uint32_t bound);

#endif
