#include "sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

enum { ROWS = 24 };

static const char usual_transaction[] =
    "UPDATE main.t SET v=zeroblob(length(v)/2)||id WHERE id%3=0;"
    "INSERT INTO main.t SELECT id+100, k, v FROM main.t WHERE id%2=0;"
    "DELETE FROM main.t WHERE id BETWEEN 5 AND 9;"
    "UPDATE main.t SET k=k+1;";

static const char attached_transaction[] =
    "UPDATE two.t SET v=zeroblob(length(v)/2)||id WHERE id%3=1;"
    "INSERT INTO two.t SELECT id+100, k, v FROM two.t WHERE id%2=1;"
    "DELETE FROM two.t WHERE id BETWEEN 5 AND 9;"
    "UPDATE two.t SET k=k+1;";

static const char rows_of_main[] =
    "SELECT group_concat(id||':'||k||':'||length(v)||':'||typeof(v)) FROM "
    "(SELECT * FROM main.t ORDER BY id)";
static const char rows_of_two[] =
    "SELECT group_concat(id||':'||k||':'||length(v)||':'||typeof(v)) FROM "
    "(SELECT * FROM two.t ORDER BY id)";

static sqlite3 *open_case(const struct sweep_case *what)
{
    sqlite3 *db = db_open("/one.db");
    if (what->has_attached)
        db_run(db, "ATTACH '/two.db' AS two");
    if (what->is_exclusive)
        db_run(db, "PRAGMA locking_mode=EXCLUSIVE");
    db_run(db, "PRAGMA main.journal_mode=%s", what->journal_mode);
    if (what->has_attached)
        db_run(db, "PRAGMA two.journal_mode=%s",
               what->attached_mode != NULL ? what->attached_mode : what->journal_mode);
    if (what->spills) {
        db_run(db, "PRAGMA main.cache_size=5");
        if (what->has_attached)
            db_run(db, "PRAGMA two.cache_size=5");
    }
    return db;
}

static void fill(const struct sweep_case *what, const char *path)
{
    sqlite3 *db = db_open(path);
    db_run(db, "PRAGMA page_size=%d", what->page_size);
    db_run(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, k, v); CREATE INDEX ti ON t(k)");
    db_run(db,
           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<%d) "
           "INSERT INTO t SELECT i, i*7%%11, zeroblob(%d) FROM n",
           ROWS, what->page_size / 2);
    db_close(db);
}

static void read_rows(sqlite3 *db, const struct sweep_case *what, char **rows)
{
    rows[0] = db_text(db, rows_of_main);
    rows[1] = what->has_attached ? db_text(db, rows_of_two) : NULL;
}

static void free_rows(char **rows)
{
    sqlite3_free(rows[0]);
    sqlite3_free(rows[1]);
}

static bool are_rows(char **rows, char **expected)
{
    if (strcmp(rows[0], expected[0]) != 0)
        return false;
    return rows[1] == NULL || strcmp(rows[1], expected[1]) == 0;
}

static void make_databases(const struct sweep_case *what)
{
    fill(what, "/one.db");
    if (what->has_attached)
        fill(what, "/two.db");
}

static void remove_database(struct fixture *f, const char *path, const char *journal)
{
    (void)memfs_unlink(f->fs, path);
    (void)memfs_unlink(f->fs, journal);
}

static void remove_databases(struct fixture *f)
{
    remove_database(f, "/one.db", "/one.db-journal");
    remove_database(f, "/two.db", "/two.db-journal");
}

void sweep_begin(struct sweep *sweep, struct fixture *f, const struct sweep_case *what)
{
    sweep->f = f;
    sweep->what = what;
    make_databases(what);
    sweep->db = open_case(what);
    read_rows(sweep->db, what, sweep->before);
    assert_int_equal(sweep_run(sweep), SQLITE_OK);
    read_rows(sweep->db, what, sweep->after);
    db_close(sweep->db);
    remove_databases(f);
    make_databases(what);
    sweep->db = open_case(what);
    sweep_go_on(sweep); /* the files that a mode keeps are there from the first run on */
}

void sweep_end(struct sweep *sweep)
{
    db_close(sweep->db);
    free_rows(sweep->before);
    free_rows(sweep->after);
    remove_databases(sweep->f);
}

static int try_all(struct sweep *sweep)
{
    if (sweep->what->transaction != NULL)
        return db_try(sweep->db, sweep->what->transaction);
    int rc = db_try(sweep->db, "BEGIN");
    if (rc == SQLITE_OK)
        rc = db_try(sweep->db, usual_transaction);
    if (rc == SQLITE_OK && sweep->what->has_attached)
        rc = db_try(sweep->db, attached_transaction);
    return rc == SQLITE_OK ? db_try(sweep->db, "COMMIT") : rc;
}

int sweep_run(struct sweep *sweep)
{
    int rc = try_all(sweep);
    if (!sqlite3_get_autocommit(sweep->db))
        db_run(sweep->db, "ROLLBACK");
    return rc;
}

static void check_by(sqlite3 *db, struct sweep *sweep, int rc)
{
    char *rows[2];
    db_assert_whole(db);
    read_rows(db, sweep->what, rows);
    if (!are_rows(rows, rc == SQLITE_OK ? sweep->after : sweep->before))
        fail_msg("%s, page size %d: after code %d the rows are %s and %s",
                 sweep->what->journal_mode, sweep->what->page_size, rc, rows[0],
                 rows[1] != NULL ? rows[1] : "none");
    free_rows(rows);
}

void sweep_check(struct sweep *sweep, int rc, bool by_new_connection)
{
    if (by_new_connection && !sweep->what->is_exclusive) {
        sqlite3 *db = db_open("/one.db");
        if (sweep->what->has_attached)
            db_run(db, "ATTACH '/two.db' AS two");
        check_by(db, sweep, rc);
        db_close(db);
    }
    check_by(sweep->db, sweep, rc);
}

void sweep_go_on(struct sweep *sweep)
{
    db_run(sweep->db, "BEGIN; INSERT INTO main.t VALUES(1000, 0, zeroblob(2000)); "
                      "DELETE FROM main.t WHERE id=1000; COMMIT");
    if (sweep->what->has_attached)
        db_run(sweep->db, "BEGIN; INSERT INTO two.t VALUES(1000, 0, zeroblob(2000)); "
                          "DELETE FROM two.t WHERE id=1000; COMMIT");
}
