#include "modes.h"

const struct db_mode db_modes[] = {
    {"DELETE", "DELETE", "", "", .undoes_statements = true},
    {"TRUNCATE", "TRUNCATE", "", "", .undoes_statements = true},
    {"PERSIST", "PERSIST", "", "", .undoes_statements = true},
    {"MEMORY", "MEMORY", "", "", .undoes_statements = true},
    {"OFF", "OFF", "", "", .has_wal = false},
    {"MVCC", "MEMORY", "?memfs_mvcc=1", "", .is_isolated = true, .undoes_statements = true},
    {"MVCC, DELETE", "DELETE", "?memfs_mvcc=1", "", .is_isolated = true, .undoes_statements = true},
    {"WAL", "WAL", "", "", .has_wal = true, .undoes_statements = true},
    {"DELETE, mmap", "DELETE", "", "PRAGMA mmap_size=1073741824", .undoes_statements = true},
    {"WAL, mmap", "WAL", "", "PRAGMA mmap_size=1073741824", .has_wal = true,
     .undoes_statements = true},
};

const size_t db_mode_count = sizeof db_modes / sizeof *db_modes;
