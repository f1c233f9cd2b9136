/* What a statement came to, in a form that can be compared. */
#ifndef MEMFS_TESTS_OUTCOME_H
#define MEMFS_TESTS_OUTCOME_H

#include <sqlite3.h>

#include <stddef.h>
#include <stdint.h>

#define OUTCOME_HASH_BEGIN 0xcbf29ce484222325u

struct outcome {
    int code;
    uint64_t rows; /* a hash of all of them */
};

uint64_t outcome_mix(uint64_t hash, const void *bytes, size_t size);

/* The row that a statement is at. */
uint64_t outcome_mix_row(uint64_t hash, sqlite3_stmt *statement);

/* Runs one statement to its end. */
struct outcome outcome_of(sqlite3 *db, const char *sql);

/* Everything in a schema, in order, and what PRAGMA integrity_check says of it. */
uint64_t outcome_of_schema(sqlite3 *db, const char *schema);

#endif
