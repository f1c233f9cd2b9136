#include "plug.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOUNT "/.carried"

static int rows_at(int generation)
{
    return 12 + generation * 7 % 17;
}

/* The bytes of a row, as an SQL expression of the row's `id`. */
static char *bytes_at(const struct plug_settings *settings, int generation)
{
    return sqlite3_mprintf("CAST(printf('%%.*c', 1 + (id * 37 + %d * 101) %% %d, char(97 + %d)) AS "
                           "BLOB)",
                           generation, settings->page_size / 3, generation % 26);
}

static int run(sqlite3 *db, char *sql)
{
    int rc = sql != NULL ? sqlite3_exec(db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;
    if (rc != SQLITE_OK)
        fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
    sqlite3_free(sql);
    return rc;
}

char *plug_name(const char *path, const struct plug_settings *settings)
{
    return sqlite3_mprintf("file:%s%s", path, settings->has_mvcc ? "?memfs_mvcc=1" : "");
}

int plug_set_up(sqlite3 *db, const char *schema, const struct plug_settings *settings)
{
    int rc = run(db, sqlite3_mprintf("PRAGMA %s.page_size=%d; PRAGMA %s.journal_mode=%s;"
                                     "PRAGMA %s.locking_mode=%s; PRAGMA %s.synchronous=%s;"
                                     "PRAGMA %s.cache_size=3; PRAGMA wal_autocheckpoint=7;"
                                     "CREATE TABLE %s.t(id INTEGER PRIMARY KEY, g INT, bytes BLOB);"
                                     "CREATE INDEX %s.i ON t(g, id)",
                                     schema, settings->page_size, schema, settings->journal_mode,
                                     schema, settings->locking_mode, schema, settings->synchronous,
                                     schema, schema, schema));
    char *step = rc == SQLITE_OK ? plug_step(schema, settings, -1) : NULL;
    return rc == SQLITE_OK ? run(db, sqlite3_mprintf("BEGIN; %z; COMMIT", step)) : rc;
}

char *plug_step(const char *schema, const struct plug_settings *settings, int from)
{
    int to = from + 1;
    char *bytes = bytes_at(settings, to);
    char *sql = sqlite3_mprintf(
        "UPDATE %s.t SET g = %d, bytes = %s;"
        "WITH RECURSIVE n(id) AS (VALUES(1) UNION ALL SELECT id + 1 FROM n WHERE id < %d)"
        " INSERT OR IGNORE INTO %s.t SELECT id, %d, %s FROM n;"
        "DELETE FROM %s.t WHERE id > %d",
        schema, to, bytes, rows_at(to), schema, to, bytes, schema, rows_at(to));
    sqlite3_free(bytes);
    return sql;
}

/* ----------------------------------------------------------------- carrying */

static void must(int64_t result, const char *what)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, memfs_error_name((int)result));
    abort();
}

struct carriage {
    memfs *from, *to;
};

static int carry_entry(void *context, const memfs_walk_entry *entry)
{
    const struct carriage *carriage = context;
    const char *path = entry->path + sizeof MOUNT - 1;
    if (entry->event == MEMFS_WALK_ENTER && entry->depth > 0)
        must(memfs_mkdir(carriage->to, path, 0755), path);
    if (entry->event != MEMFS_WALK_ENTRY)
        return MEMFS_WALK_CONTINUE;
    void *data;
    size_t size;
    must(memfs_read_file(carriage->from, entry->path, SIZE_MAX / 2, &data, &size), entry->path);
    must(memfs_write_file(carriage->to, path, data, size, 0644, 0), path);
    must(memfs_free(carriage->from, data), path);
    return MEMFS_WALK_CONTINUE;
}

static void empty(memfs *fs)
{
    memfs_list list = {.struct_size = sizeof list};
    must(memfs_list_dir(fs, "/", &list), "list");
    for (size_t i = 0; i < list.count; i++)
        must(memfs_remove_tree(fs, list.names[i]), list.names[i]);
    memfs_list_free(fs, &list);
}

void plug_carry(memfs *from, const char *snapshot, memfs *to)
{
    struct carriage carriage = {from, to};
    empty(to);
    must(memfs_snapshot_extract(from, snapshot, "/", MOUNT, 0), "extract");
    must(memfs_walk(from, MOUNT, carry_entry, &carriage), "walk");
    must(memfs_remove_tree(from, MOUNT), "remove");
}

/* ------------------------------------------------------------------ judging */

/* The first column of the first row as a number; -2 if SQLite says no. */
static int number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int value = -2;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int(statement, 0);
    else
        fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
    sqlite3_finalize(statement);
    return value;
}

/* A row of "ok" says nothing; all others are printed. */
static int complain(void *context, int count, char **values, char **names)
{
    (void)count;
    (void)names;
    if (strcmp(values[0], "ok") != 0) {
        fprintf(stderr, "integrity_check: %s\n", values[0]);
        *(int *)context = 0;
    }
    return 0;
}

static int is_whole(sqlite3 *db, const struct plug_settings *settings, int generation)
{
    int whole = 1;
    char *bytes = bytes_at(settings, generation);
    char *sql = sqlite3_mprintf("SELECT count(*) = %d AND sum(g = %d AND bytes = %s) = %d FROM t",
                                rows_at(generation), generation, bytes, rows_at(generation));
    sqlite3_free(bytes);
    if (sql == NULL || number(db, sql) != 1 ||
        sqlite3_exec(db, "PRAGMA integrity_check", complain, &whole, NULL) != SQLITE_OK)
        whole = 0;
    sqlite3_free(sql);
    return whole;
}

int plug_generation(const char *path, const struct plug_settings *settings)
{
    sqlite3 *db;
    int generation = -1;
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, PROBE_VFS);
    int found = rc == SQLITE_OK ? number(db, "SELECT min(g) FROM t") : -2;
    if (found >= 0 && is_whole(db, settings, found) &&
        run(db, sqlite3_mprintf("BEGIN; %z; COMMIT", plug_step("main", settings, found))) ==
            SQLITE_OK &&
        is_whole(db, settings, found + 1))
        generation = found;
    else
        fprintf(stderr, "%s: generation %d is not whole (%s)\n", path, found, sqlite3_errmsg(db));
    sqlite3_close(db);
    return generation;
}
