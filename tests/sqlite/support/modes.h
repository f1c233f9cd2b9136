/*
 * The ways to keep a database. Tests of what must hold in each of them go through this table;
 * adding a way is adding a line.
 */
#ifndef MEMFS_TESTS_MODES_H
#define MEMFS_TESTS_MODES_H

#include <stdbool.h>
#include <stddef.h>

struct db_mode {
    const char *name;
    const char *journal_mode;
    const char *parameters; /* of the URI: "" or "?name=value" */
    const char *pragmas;    /* of each connection */
    bool has_wal;
    bool is_isolated; /* readers of two databases may see the commit of one before the other's */
    bool undoes_statements; /* a statement that fails is undone alone */
};

extern const struct db_mode db_modes[];
extern const size_t db_mode_count;

#endif
