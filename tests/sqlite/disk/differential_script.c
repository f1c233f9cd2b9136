/*
 * All tables have columns a (the key), b (small numbers), c (anything, often long), so that every
 * statement fits every table; what does not exist, or is broken by what came before, is an error
 * that must be the same everywhere.
 */
#include "differential_script.h"
#include "random.h"

#include <sqlite3.h>

#include <stdarg.h>
#include <stdlib.h>

struct maker {
    struct script *script;
    uint64_t random;
    bool undoes_statements;
    int depth; /* 1: a transaction is probably open */
};

uint32_t script_random(uint64_t *random, uint32_t bound)
{
    return random_below(random, bound);
}

static uint32_t below(struct maker *m, uint32_t bound)
{
    return script_random(&m->random, bound);
}

#define PICK(m, array) ((array)[below((m), sizeof(array) / sizeof *(array))])

static void add(struct maker *m, const char *format, ...)
{
    struct script *script = m->script;
    if (script->count == SCRIPT_STATEMENTS_MAX)
        return;
    va_list arguments;
    va_start(arguments, format);
    char *text = sqlite3_vmprintf(format, arguments);
    va_end(arguments);
    if (text == NULL)
        abort();
    script->statements[script->count++] = text;
}

static const char *table(struct maker *m)
{
    static const char *const names[] = {"t0", "t0",     "t1", "t1",      "t2",
                                        "t2", "two.u0", "u0", "temp.s0", "s0"};
    return PICK(m, names);
}

/* A value as SQL; the caller gives the room. */
static const char *value(struct maker *m, char room[64])
{
    unsigned page = (unsigned)m->script->page_size;
    switch (below(m, 8)) {
    case 0:
        return "NULL";
    case 1:
        return sqlite3_snprintf(64, room, "%d.5", (int)below(m, 100));
    case 2:
        return sqlite3_snprintf(64, room, "'word%d'", (int)below(m, 20));
    case 3:
        return sqlite3_snprintf(64, room, "printf('%%.*c',%d,'x')", (int)below(m, page * 2));
    case 4:
        return sqlite3_snprintf(64, room, "zeroblob(%d)", (int)below(m, page * 4 % 20000));
    case 5:
        return sqlite3_snprintf(64, room, "x'%02x00ff%02x'", (int)below(m, 256), 7);
    default:
        return sqlite3_snprintf(64, room, "%d", (int)below(m, 50));
    }
}

static const char *conflict(struct maker *m)
{
    static const char *const all[] = {
        "", "", "", "OR IGNORE", "OR REPLACE", "OR FAIL", "OR ROLLBACK", "OR ABORT"};
    static const char *const harmless[] = {"", "OR IGNORE", "OR REPLACE"};
    return m->undoes_statements ? PICK(m, all) : PICK(m, harmless);
}

/* ------------------------------------------------------------------- schema */

static void create_table(struct maker *m, const char *name)
{
    static const char *const forms[] = {
        "CREATE TABLE %s(a INTEGER PRIMARY KEY, b, c)",
        "CREATE TABLE %s(a INTEGER PRIMARY KEY AUTOINCREMENT, b, c DEFAULT 'd')",
        "CREATE TABLE %s(a, b, c)",
        "CREATE TABLE %s(a PRIMARY KEY, b, c) WITHOUT ROWID",
        "CREATE TABLE %s(a PRIMARY KEY, b, c, UNIQUE(b, a)) WITHOUT ROWID",
        "CREATE TABLE %s(a INTEGER PRIMARY KEY, b, c, g AS (b*2+a), h AS (length(c)) STORED)",
    };
    static const char *const strict_forms[] = {
        "CREATE TABLE %s(a UNIQUE, b CHECK(b!=13), c NOT NULL ON CONFLICT IGNORE)",
        "CREATE TABLE %s(a INTEGER PRIMARY KEY, b REFERENCES t0(a) ON DELETE CASCADE, c)",
        ("CREATE TABLE %s(a INTEGER PRIMARY KEY, b REFERENCES t0(a) ON DELETE SET NULL "
         "DEFERRABLE INITIALLY DEFERRED, c)"),
        "CREATE TABLE %s(a INTEGER PRIMARY KEY, b INT, c ANY) STRICT",
    };
    if (m->undoes_statements && below(m, 3) == 0)
        add(m, PICK(m, strict_forms), name);
    else
        add(m, PICK(m, forms), name);
}

static void create_some_table(struct maker *m)
{
    static const char *const names[] = {"t0", "t1", "t2", "two.u0", "temp.s0"};
    create_table(m, PICK(m, names));
}

static void create_index(struct maker *m)
{
    static const char *const forms[] = {
        "CREATE INDEX IF NOT EXISTS i%d ON t%d(b)",
        "CREATE INDEX IF NOT EXISTS i%d ON t%d(c, b DESC)",
        "CREATE INDEX i%d ON t%d(b) WHERE b>10",
        "CREATE INDEX i%d ON t%d(length(c), a)",
        "CREATE UNIQUE INDEX i%d ON t%d(b, a)",
    };
    add(m, PICK(m, forms), (int)below(m, 4), (int)below(m, 3));
}

static void create_trigger(struct maker *m)
{
    static const char *const forms[] = {
        "CREATE TRIGGER g%d AFTER INSERT ON t%d BEGIN UPDATE t%d SET b=b+1 WHERE a=new.a-1; END",
        "CREATE TRIGGER g%d AFTER DELETE ON t%d BEGIN INSERT OR IGNORE INTO t%d(a,b,c) "
        "VALUES(old.a+1000, old.b, old.c); END",
        "CREATE TRIGGER g%d BEFORE UPDATE ON t%d WHEN new.b=7 BEGIN "
        "SELECT RAISE(ABORT,'seven') FROM t%d; END",
        "CREATE TRIGGER g%d BEFORE INSERT ON t%d WHEN new.b=9 BEGIN "
        "SELECT RAISE(ROLLBACK,'nine') FROM t%d; END",
        "CREATE TRIGGER g%d AFTER INSERT ON t%d WHEN new.b=11 BEGIN DELETE FROM t%d WHERE b<5; "
        "SELECT RAISE(FAIL,'eleven'); END",
    };
    int on = (int)below(m, 3);
    add(m, PICK(m, forms), (int)below(m, 3), on, (on + 1) % 3);
}

static void alter(struct maker *m)
{
    static const char *const forms[] = {
        "ALTER TABLE t%d ADD COLUMN e DEFAULT 5",
        "ALTER TABLE t%d RENAME COLUMN e TO f",
        "ALTER TABLE t%d DROP COLUMN f",
        "ALTER TABLE t%d RENAME TO t3",
        "ALTER TABLE t3 RENAME TO t%d",
        "DROP TABLE IF EXISTS t%d",
        "DROP INDEX IF EXISTS i%d",
        "DROP TRIGGER IF EXISTS g%d",
        "CREATE TABLE IF NOT EXISTS t3 AS SELECT * FROM t%d",
    };
    add(m, PICK(m, forms), (int)below(m, 3));
}

static void use_virtual_table(struct maker *m)
{
    static const char *const forms[] = {
        "CREATE VIRTUAL TABLE f USING fts5(x)",
        "INSERT INTO f SELECT 'w'||a||' x'||b||' common' FROM t%d WHERE a<%d",
        "SELECT rowid, x FROM f('common') ORDER BY rowid LIMIT %d+%d",
        "DELETE FROM f WHERE rowid%%5=%d AND rowid<%d",
        "INSERT INTO f(f) VALUES('optimize')",
        "CREATE VIRTUAL TABLE r USING rtree(id, x0, x1)",
        "INSERT OR REPLACE INTO r SELECT a, b, b+%d FROM t0 WHERE a<%d AND b+0=b",
        "SELECT id FROM r WHERE x0>%d AND x1<%d",
    };
    add(m, PICK(m, forms), (int)below(m, 3), (int)below(m, 60));
}

/* ------------------------------------------------------------------ changes */

static void insert(struct maker *m)
{
    char b[64], c[64];
    const char *where = table(m);
    switch (below(m, 6)) {
    case 0:
    case 1:
        add(m, "INSERT %s INTO %s(a,b,c) VALUES(%d, %s, %s)", conflict(m), where, (int)below(m, 80),
            value(m, b), value(m, c));
        return;
    case 2:
        add(m,
            "INSERT %s INTO %s(a,b,c) WITH RECURSIVE n(i) AS (SELECT %d UNION ALL SELECT i+1 "
            "FROM n LIMIT %d) SELECT i, i%%%d, %s FROM n",
            m->undoes_statements ? conflict(m) : "OR IGNORE", where, (int)below(m, 60),
            1 + (int)below(m, 60), 5 + (int)below(m, 20), value(m, c));
        return;
    case 3:
        add(m,
            "INSERT INTO %s(a,b,c) VALUES(%d, %s, %s) ON CONFLICT DO UPDATE SET b=b+1, "
            "c=excluded.c",
            where, (int)below(m, 60), value(m, b), value(m, c));
        return;
    case 4:
        add(m, "INSERT OR IGNORE INTO %s(a,b,c) SELECT a+%d, b, c FROM %s WHERE b<%d", where,
            (int)below(m, 40), table(m), (int)below(m, 30));
        return;
    default:
        add(m, "REPLACE INTO %s(a,b,c) VALUES(%d, %s, %s) RETURNING a, length(c)", where,
            (int)below(m, 60), value(m, b), value(m, c));
        return;
    }
}

static void update(struct maker *m)
{
    char c[64];
    int low = (int)below(m, 60);
    switch (below(m, m->undoes_statements ? 5 : 3)) {
    case 0:
        add(m, "UPDATE OR IGNORE %s SET c=%s WHERE a BETWEEN %d AND %d", table(m), value(m, c), low,
            low + (int)below(m, 20));
        return;
    case 1:
        add(m, "UPDATE OR IGNORE %s SET b=b+1", table(m));
        return;
    case 2:
        add(m, "UPDATE OR IGNORE %s SET c=coalesce(c,'')||%s WHERE b%%4=%d", table(m), value(m, c),
            (int)below(m, 4));
        return;
    case 3:
        add(m, "UPDATE %s %s SET a=a+%d WHERE a>%d", conflict(m), table(m), 1 + (int)below(m, 9),
            low);
        return;
    default:
        add(m, "UPDATE t0 SET b=x.b FROM %s AS x WHERE x.a=t0.a RETURNING t0.a", table(m));
        return;
    }
}

static void remove_rows(struct maker *m)
{
    int low = (int)below(m, 60);
    if (below(m, 6) == 0)
        add(m, "DELETE FROM %s", table(m));
    else if (below(m, 2) == 0)
        add(m, "DELETE FROM %s WHERE a BETWEEN %d AND %d", table(m), low, low + (int)below(m, 30));
    else
        add(m, "DELETE FROM %s WHERE b%%3=%d", table(m), (int)below(m, 3));
}

static void query(struct maker *m)
{
    static const char *const forms[] = {
        "SELECT * FROM %s WHERE b=%d",
        "SELECT count(*), sum(b), total(length(c)), max(a) FROM %s WHERE a!=%d",
        "SELECT b, count(*), group_concat(a) FROM %s GROUP BY b HAVING count(*)>%d",
        "SELECT a, substr(c, 1, 9) FROM %s ORDER BY c, b DESC, a LIMIT %d",
        "SELECT x.a, y.b FROM %s x JOIN t0 y ON y.a=x.b WHERE x.a<%d",
        "SELECT DISTINCT typeof(c), b FROM %s ORDER BY 1, 2 LIMIT %d",
        "SELECT a, rank() OVER (ORDER BY b, a) FROM %s WHERE a<%d",
    };
    add(m, PICK(m, forms), table(m), (int)below(m, 40));
}

/* ------------------------------------------------------------- transactions */

static void transact(struct maker *m)
{
    static const char *const plain[] = {
        "BEGIN",
        "BEGIN IMMEDIATE",
        "BEGIN EXCLUSIVE",
    };
    static const char *const ends[] = {
        "COMMIT", "COMMIT", "COMMIT", "ROLLBACK", "COMMIT", "BEGIN",
    };
    static const char *const nested[] = {
        "SAVEPOINT p0",   "SAVEPOINT p1",   "RELEASE p0",   "RELEASE p1",
        "ROLLBACK TO p0", "ROLLBACK TO p1", "SAVEPOINT p0",
    };
    if (m->undoes_statements && m->depth > 0 && below(m, 2) == 0) {
        add(m, "%s", PICK(m, nested));
        return;
    }
    bool begins = m->depth == 0;
    add(m, "%s", begins ? PICK(m, plain) : PICK(m, ends));
    m->depth = begins;
}

static void maintain(struct maker *m)
{
    static const char *const forms[] = {
        "VACUUM",
        "PRAGMA incremental_vacuum(3)",
        "PRAGMA incremental_vacuum",
        "PRAGMA auto_vacuum=0",
        "PRAGMA auto_vacuum=1",
        "PRAGMA auto_vacuum=2",
        "VACUUM two",
        "REINDEX",
        "ANALYZE",
        "PRAGMA integrity_check",
        "PRAGMA user_version=5",
        "PRAGMA foreign_key_check",
        "PRAGMA recursive_triggers=1",
        "PRAGMA cache_size=8",
        "PRAGMA main.freelist_count",
        "PRAGMA main.page_count",
        "SELECT changes(), total_changes(), last_insert_rowid()",
        SCRIPT_DETACH,
        SCRIPT_ATTACH,
        SCRIPT_LOOK,
        SCRIPT_LOOK,
        SCRIPT_CHECKPOINT,
    };
    add(m, "%s", PICK(m, forms));
}

static void create_view(struct maker *m)
{
    static const char *const forms[] = {
        "CREATE VIEW v AS SELECT a, b+1 AS b, c FROM t%d WHERE b IS NOT NULL",
        ("CREATE TRIGGER vi INSTEAD OF INSERT ON v BEGIN INSERT OR IGNORE INTO t%d(a,b,c) "
         "VALUES(new.a, new.b, new.c); END"),
        "INSERT INTO v(a,b,c) VALUES(70+%d, 1, 'by the view')",
        "SELECT count(*), sum(b)+%d FROM v",
        "DROP VIEW IF EXISTS v -- %d",
    };
    add(m, PICK(m, forms), (int)below(m, 3));
}

static void add_something(struct maker *m)
{
    static void (*const makers[])(struct maker *) = {
        insert,   insert,      insert,       insert,   insert,   update,   update,
        update,   remove_rows, remove_rows,  query,    query,    transact, transact,
        transact, transact,    create_index, maintain, maintain, alter,    create_some_table,
    };
    static void (*const richer[])(struct maker *) = {create_trigger, use_virtual_table,
                                                     use_virtual_table, create_view};
    if (m->undoes_statements && below(m, 8) == 0)
        PICK(m, richer)(m);
    else
        PICK(m, makers)(m);
}

void script_make(struct script *script, uint64_t seed, bool undoes_statements)
{
    static const int page_sizes[] = {512, 512, 1024, 4096, 65536};
    struct maker m = {.script = script, .random = seed, .undoes_statements = undoes_statements};
    *script = (struct script){.seed = seed};
    script->page_size = PICK(&m, page_sizes);
    script->spills = below(&m, 2) != 0;
    script->auto_vacuum = (int)below(&m, 3);
    int length = 15 + (int)below(&m, 35);
    if (undoes_statements && below(&m, 2) == 0)
        add(&m, "PRAGMA foreign_keys=1");
    if (below(&m, 2) == 0) {
        add(&m, SCRIPT_ATTACH);
        create_table(&m, "two.u0");
    }
    create_table(&m, "t0");
    create_table(&m, "t1");
    if (below(&m, 2) == 0)
        create_table(&m, "t2");
    if (below(&m, 3) == 0)
        create_table(&m, "temp.s0");
    while (script->count < length)
        add_something(&m);
}

char *script_statement(uint64_t *random, int page_size, bool undoes_statements, bool in_transaction)
{
    struct script script = {.page_size = page_size};
    struct maker m = {&script, *random, undoes_statements, in_transaction};
    while (script.count == 0)
        add_something(&m);
    *random = m.random;
    return script.statements[0];
}

void script_free(struct script *script)
{
    for (int i = 0; i < script->count; i++)
        sqlite3_free(script->statements[i]);
    script->count = 0;
}
