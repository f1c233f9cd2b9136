/*
 * The ways to keep a database that the tests of what must hold in each of them go through: to add
 * one is to add a line to the table.
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
