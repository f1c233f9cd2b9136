#include "sweep.h"

const struct sweep_operation sweep_operations[] = {
    {.name = "insert", .sql = "INSERT INTO @.t SELECT id+100, k, v FROM @.t WHERE id%2=0"},
    {.name = "update", .sql = "UPDATE @.t SET k=k+1, v=zeroblob(length(v)/2)||id"},
    {.name = "delete", .sql = "DELETE FROM @.t WHERE id%3!=0"},
    {.name = "vacuum",
     .prepare = "DELETE FROM @.t WHERE id%2=0",
     .sql = "VACUUM @",
     .may_fail_late = true, /* its temporary database is committed too, after the main one */
     .is_alone = true,
     .packs = true},
    {.name = "incremental vacuum",
     .prepare = "DELETE FROM @.t WHERE id%2=0",
     .sql = "PRAGMA @.incremental_vacuum",
     .packs = true},
    {.name = "index build", .sql = "CREATE INDEX @.tv ON t(v)"},
    {.name = "backup", .is_alone = true},
    {.name = "mix",
     .sql = "UPDATE @.t SET v=zeroblob(length(v)/2)||id WHERE id%3=0;"
            "INSERT INTO @.t SELECT id+100, k, v FROM @.t WHERE id%2=0;"
            "DELETE FROM @.t WHERE id BETWEEN 5 AND 9; UPDATE @.t SET k=k+1"},
    {.name = "table made and dropped",
     .sql = "CREATE TABLE @.u AS SELECT * FROM @.t; DROP TABLE @.u; REINDEX @.ti;"
            "UPDATE @.t SET k=0 WHERE id=1"},
    {.name = "temporary table",
     .sql = "PRAGMA temp.cache_size=3; CREATE TEMP TABLE IF NOT EXISTS s(v); DELETE FROM temp.s;"
            "INSERT INTO temp.s SELECT a.v FROM @.t a, @.t b LIMIT 16;"
            "UPDATE @.t SET v=(SELECT max(v) FROM temp.s)||id WHERE id<9"},
    {.name = "savepoints",
     .sql = "UPDATE @.t SET v=v||'x'; SAVEPOINT s; UPDATE @.t SET v=v||'y', k=9;"
            "INSERT INTO @.t SELECT id+50, k, v||v FROM @.t; ROLLBACK TO s;"
            "DELETE FROM @.t WHERE id%5=0; RELEASE s",
     .has_savepoints = true},
};

const size_t sweep_operation_count = sizeof sweep_operations / sizeof *sweep_operations;
