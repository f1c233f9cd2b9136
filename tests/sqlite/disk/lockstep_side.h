/*
 * One of the two places where the same steps are taken: SQLite's unix VFS in a directory of the
 * host, or ours in a tree, in a directory of the same path.
 */
#ifndef MEMFS_TESTS_LOCKSTEP_SIDE_H
#define MEMFS_TESTS_LOCKSTEP_SIDE_H

#include "lockstep_steps.h"

#include <memfs/memfs.h>
#include <sqlite3.h>

#include <stddef.h>

enum { ANSWER_NUMBERS = 8, MESSAGE_SIZE = 160 };

/* What a step came to. */
struct answer {
    int code; /* extended */
    uint64_t rows;
    int numbers[ANSWER_NUMBERS]; /* what the action answers, and the state of the connection */
    char message[MESSAGE_SIZE];
};

struct backup {
    sqlite3_backup *backup;
    sqlite3 *other; /* the database of its own */
    int connection;
};

struct side {
    const char *vfs;
    memfs *fs;              /* null: the host */
    const char *directory;  /* the same path on both sides */
    const char *parameters; /* of the URI: "" or "?name=value" */
    const char *journal_mode;
    const char *pragmas; /* of each connection */
    bool attaches_idle;  /* no ATTACH in a transaction, where a mode could not be set */
    struct setting setting;
    sqlite3 *connections[CONNECTIONS];
    sqlite3_stmt *statements[CONNECTIONS][OPEN_STATEMENTS];
    sqlite3_blob *blobs[CONNECTIONS];
    struct backup backup;
};

/* Opens the three connections, and makes the first tables. */
void side_open(struct side *side);

/* Closes them, and removes all files. */
void side_close(struct side *side);

/* Takes a step. */
struct answer side_take(struct side *side, const struct step *step);

/* The bytes of a file in the directory; null: there is none, or it is empty. free() */
void *side_read(const struct side *side, const char *name, size_t *size);

/* Everything in a copy of the database that is made now, of the bytes in its files. */
uint64_t side_recover_copy(struct side *side);

#endif
