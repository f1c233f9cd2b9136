#define _XOPEN_SOURCE 700

#include "lockstep_side.h"

#include "checks.h"
#include "outcome.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { OPEN_FLAGS = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI };

static const char *const file_names[] = {"one.db",  "one.db-journal",  "one.db-wal",
                                         "two.db",  "two.db-journal",  "two.db-wal",
                                         "copy.db", "copy.db-journal", "copy.db-wal"};

/* -------------------------------------------------------------------- files */

static char *path_in(const struct side *side, const char *name)
{
    char *path = sqlite3_mprintf("%s/%s", side->directory, name);
    assert_non_null(path);
    return path;
}

static void *read_from_host(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *size = (size_t)ftell(file);
    rewind(file);
    void *bytes = malloc(*size + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

static void *read_from_tree(memfs *fs, const char *path, size_t *size)
{
    void *content = NULL;
    if (memfs_read_file(fs, path, 1u << 30, &content, size) != 0)
        return NULL;
    void *bytes = malloc(*size + 1);
    assert_non_null(bytes);
    memcpy(bytes, content, *size);
    assert_ok(memfs_free(fs, content));
    return bytes;
}

void *side_read(const struct side *side, const char *name, size_t *size)
{
    char *path = path_in(side, name);
    *size = 0;
    void *bytes = side->fs != NULL ? read_from_tree(side->fs, path, size)
                                   : read_from_host(path, size);
    sqlite3_free(path);
    if (bytes != NULL && *size == 0) {
        free(bytes);
        return NULL;
    }
    return bytes;
}

static void write_file(const struct side *side, const char *name, const void *bytes, size_t size)
{
    char *path = path_in(side, name);
    if (side->fs != NULL) {
        assert_ok(memfs_write_file(side->fs, path, bytes, size, 0644, 0));
    } else {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, size, file), size);
        assert_int_equal(fclose(file), 0);
    }
    sqlite3_free(path);
}

static void remove_file(const struct side *side, const char *name)
{
    char *path = path_in(side, name);
    (void)(side->fs != NULL ? memfs_unlink(side->fs, path) : unlink(path));
    sqlite3_free(path);
}

/* -------------------------------------------------------------- connections */

static sqlite3 *open_database(const struct side *side, const char *name)
{
    sqlite3 *db;
    char *uri = sqlite3_mprintf("file:%s/%s%s", side->directory, name, side->parameters);
    assert_non_null(uri);
    assert_int_equal(sqlite3_open_v2(uri, &db, OPEN_FLAGS, side->vfs), SQLITE_OK);
    sqlite3_free(uri);
    sqlite3_extended_result_codes(db, 1);
    return db;
}

/* Some of this is refused while others are at work. A connection in mode DELETE, if only for a
 * moment, would remove a journal that others have open; but WAL comes when the page size is set. */
static int set_up(const struct side *side, sqlite3 *db, const char *schema)
{
    const struct setting *setting = &side->setting;
    bool is_wal = strcmp(side->journal_mode, "WAL") == 0;
    char *sql = sqlite3_mprintf(
        "PRAGMA %s.%s%s; PRAGMA %s.page_size=%d; PRAGMA %s.auto_vacuum=%d;"
        "PRAGMA %s.cache_size=%d; PRAGMA temp_store=FILE; %s; %s;"
        "CREATE TABLE IF NOT EXISTS %s.z(x); PRAGMA %s.journal_mode=%s;",
        schema, is_wal ? "user_version" : "journal_mode=", is_wal ? "" : side->journal_mode, schema,
        setting->page_size, schema, setting->auto_vacuum, schema, setting->cache_size,
        side->pragmas, setting->is_exclusive ? "PRAGMA locking_mode=EXCLUSIVE" : "", schema, schema,
        side->journal_mode);
    assert_non_null(sql);
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_free(sql);
    return code;
}

static void finish_backup(struct side *side)
{
    if (side->backup.backup != NULL)
        (void)sqlite3_backup_finish(side->backup.backup);
    if (side->backup.other != NULL)
        assert_int_equal(sqlite3_close(side->backup.other), SQLITE_OK);
    side->backup = (struct backup){0};
}

static int close_blob(struct side *side, int connection)
{
    int code = sqlite3_blob_close(side->blobs[connection]);
    side->blobs[connection] = NULL;
    return code;
}

static int finish_statement(struct side *side, int connection, int slot)
{
    int code = sqlite3_finalize(side->statements[connection][slot]);
    side->statements[connection][slot] = NULL;
    return code;
}

static void disconnect(struct side *side, int connection)
{
    if (side->backup.connection == connection)
        finish_backup(side);
    (void)close_blob(side, connection);
    for (int slot = 0; slot < OPEN_STATEMENTS; slot++)
        (void)finish_statement(side, connection, slot);
    assert_int_equal(sqlite3_close(side->connections[connection]), SQLITE_OK);
    side->connections[connection] = NULL;
}

static int connect(struct side *side, int connection)
{
    side->connections[connection] = open_database(side, "one.db");
    return set_up(side, side->connections[connection], "main");
}

void side_open(struct side *side)
{
    for (int i = 0; i < CONNECTIONS; i++) {
        int code = connect(side, i);
        assert_true(code == SQLITE_OK || i > 0);
    }
    (void)sqlite3_exec(side->connections[0],
                       "CREATE TABLE t0(a INTEGER PRIMARY KEY, b, c); CREATE TABLE t1(a, b, c);"
                       "CREATE INDEX i9 ON t1(b);"
                       "INSERT INTO t0 VALUES(1, 2, zeroblob(3000)), (2, 3, 'c'), (9, 9, 9);"
                       "INSERT INTO t1 SELECT * FROM t0;",
                       NULL, NULL, NULL);
}

void side_close(struct side *side)
{
    for (int i = 0; i < CONNECTIONS; i++)
        disconnect(side, i);
    for (size_t i = 0; i < sizeof file_names / sizeof *file_names; i++)
        remove_file(side, file_names[i]);
}

/* -------------------------------------------------------------------- steps */

static int step_rows(sqlite3_stmt *statement, int rows, struct answer *answer)
{
    int code = SQLITE_ROW;
    answer->rows = OUTCOME_HASH_BEGIN;
    while (rows-- > 0 && (code = sqlite3_step(statement)) == SQLITE_ROW)
        answer->rows = outcome_mix_row(answer->rows, statement);
    if (code != SQLITE_ROW)
        code = sqlite3_reset(statement);
    return code;
}

static int start(struct side *side, const struct step *step, struct answer *answer)
{
    int slot = step->numbers[0];
    sqlite3_stmt **statement = &side->statements[step->connection][slot];
    (void)finish_statement(side, step->connection, slot);
    int code = sqlite3_prepare_v2(side->connections[step->connection], step->sql, -1, statement,
                                  NULL);
    return code != SQLITE_OK ? code : step_rows(*statement, 1, answer);
}

static int go_on(struct side *side, const struct step *step, struct answer *answer)
{
    sqlite3_stmt *statement = side->statements[step->connection][step->numbers[0]];
    return statement == NULL ? SQLITE_OK : step_rows(statement, step->numbers[1], answer);
}

static int attach_second(struct side *side, const struct step *step)
{
    sqlite3 *db = side->connections[step->connection];
    bool is_idle = sqlite3_get_autocommit(db) && sqlite3_txn_state(db, NULL) == SQLITE_TXN_NONE;
    if (side->attaches_idle && !is_idle)
        return SQLITE_OK;
    char *sql = sqlite3_mprintf("ATTACH 'file:%s/two.db%s' AS two", side->directory,
                                side->parameters);
    assert_non_null(sql);
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_free(sql);
    if (code != SQLITE_OK || !sqlite3_get_autocommit(db))
        return code;
    code = set_up(side, db, "two");
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, "CREATE TABLE IF NOT EXISTS two.u0(a INTEGER PRIMARY KEY, b, c)",
                            NULL, NULL, NULL);
    return code;
}

static int use_blob(struct side *side, const struct step *step, struct answer *answer)
{
    static unsigned char buffer[8192];
    sqlite3_blob **blob = &side->blobs[step->connection];
    const char *schema = step->sql != NULL && step->sql[0] == 'u' ? "two" : "main";
    if (step->action == BLOB_OPEN) {
        (void)close_blob(side, step->connection);
        return sqlite3_blob_open(side->connections[step->connection], schema, step->sql, "c",
                                 step->numbers[0], step->numbers[1], blob);
    }
    if (*blob == NULL)
        return SQLITE_OK;
    answer->numbers[0] = sqlite3_blob_bytes(*blob);
    if (step->action == BLOB_MOVE)
        return sqlite3_blob_reopen(*blob, step->numbers[0]);
    if (step->action == BLOB_CLOSE)
        return close_blob(side, step->connection);
    memset(buffer, step->numbers[1], sizeof buffer);
    if (step->action == BLOB_WRITE)
        return sqlite3_blob_write(*blob, buffer, step->numbers[1], step->numbers[0]);
    int code = sqlite3_blob_read(*blob, buffer, step->numbers[1], step->numbers[0]);
    answer->rows = outcome_mix(OUTCOME_HASH_BEGIN, buffer, (size_t)step->numbers[1]);
    return code;
}

/* At once: the destination may not be used while a backup goes on. */
static int restore(struct side *side, sqlite3 *db)
{
    sqlite3 *copy = open_database(side, "copy.db");
    sqlite3_backup *backup = sqlite3_backup_init(db, "main", copy, "main");
    int code = sqlite3_extended_errcode(db);
    if (backup != NULL) {
        (void)sqlite3_backup_step(backup, -1);
        code = sqlite3_backup_finish(backup);
    }
    assert_int_equal(sqlite3_close(copy), SQLITE_OK);
    return code;
}

static int begin_backup(struct side *side, const struct step *step)
{
    sqlite3 *db = side->connections[step->connection];
    finish_backup(side);
    if (step->numbers[0])
        return restore(side, db);
    side->backup.connection = step->connection;
    side->backup.other = open_database(side, "copy.db");
    side->backup.backup = sqlite3_backup_init(side->backup.other, "main", db, "main");
    return sqlite3_extended_errcode(side->backup.other);
}

static int step_backup(struct side *side, const struct step *step, struct answer *answer)
{
    sqlite3_backup *backup = side->backup.backup;
    if (backup == NULL)
        return SQLITE_OK;
    int code = sqlite3_backup_step(backup, step->numbers[0]);
    answer->numbers[0] = sqlite3_backup_remaining(backup);
    answer->numbers[1] = sqlite3_backup_pagecount(backup);
    return code;
}

static int end_backup(struct side *side)
{
    int code = sqlite3_backup_finish(side->backup.backup);
    side->backup.backup = NULL;
    finish_backup(side);
    return code;
}

static int checkpoint_one(struct side *side, const struct step *step, struct answer *answer)
{
    return sqlite3_wal_checkpoint_v2(side->connections[step->connection], step->sql,
                                     step->numbers[0], &answer->numbers[0], &answer->numbers[1]);
}

static int ask_controls(struct side *side, const struct step *step, struct answer *answer)
{
    static const int controls[] = {SQLITE_FCNTL_LOCKSTATE, SQLITE_FCNTL_DATA_VERSION,
                                   SQLITE_FCNTL_PERSIST_WAL, SQLITE_FCNTL_HAS_MOVED};
    sqlite3 *db = side->connections[step->connection];
    for (size_t i = 0; i < sizeof controls / sizeof *controls; i++) {
        int number = -1;
        int code = sqlite3_file_control(db, "main", controls[i], &number);
        answer->numbers[i] = code * 1000 + number;
    }
    return SQLITE_OK;
}

static int reconnect(struct side *side, const struct step *step)
{
    disconnect(side, step->connection);
    return connect(side, step->connection);
}

static int read_all(struct side *side, const struct step *step, struct answer *answer)
{
    sqlite3 *db = side->connections[step->connection];
    answer->rows = outcome_of_schema(db, "main");
    if (sqlite3_db_filename(db, "two") != NULL)
        answer->rows = answer->rows * 31 + outcome_of_schema(db, "two");
    return SQLITE_OK;
}

static int act(struct side *side, const struct step *step, struct answer *answer)
{
    sqlite3 *db = side->connections[step->connection];
    struct outcome outcome;
    switch (step->action) {
    case RUN:
        outcome = outcome_of(db, step->sql);
        answer->rows = outcome.rows;
        return outcome.code;
    case ATTACH:
        return attach_second(side, step);
    case START:
        return start(side, step, answer);
    case GO_ON:
        return go_on(side, step, answer);
    case FINISH:
        return finish_statement(side, step->connection, step->numbers[0]);
    case BLOB_OPEN:
    case BLOB_READ:
    case BLOB_WRITE:
    case BLOB_MOVE:
    case BLOB_CLOSE:
        return use_blob(side, step, answer);
    case BACKUP:
        return begin_backup(side, step);
    case BACKUP_STEP:
        return step_backup(side, step, answer);
    case BACKUP_END:
        return end_backup(side);
    case CHECKPOINT:
        return checkpoint_one(side, step, answer);
    case CACHE_FLUSH:
        return sqlite3_db_cacheflush(db);
    case RECONNECT:
        return reconnect(side, step);
    case CONTROLS:
        return ask_controls(side, step, answer);
    case COMPARE:
        return read_all(side, step, answer);
    case CRASH:
        answer->rows = side_recover_copy(side);
        return SQLITE_OK;
    }
    return SQLITE_MISUSE;
}

struct answer side_take(struct side *side, const struct step *step)
{
    struct answer answer = {.code = SQLITE_OK};
    answer.code = act(side, step, &answer);
    sqlite3 *db = side->connections[step->connection];
    int *numbers = answer.numbers + ANSWER_NUMBERS - 4;
    numbers[0] = sqlite3_changes(db);
    numbers[1] = sqlite3_total_changes(db);
    numbers[2] = sqlite3_get_autocommit(db) * 10 + sqlite3_txn_state(db, "main");
    numbers[3] = (int)sqlite3_last_insert_rowid(db);
    if (answer.code != SQLITE_OK && answer.code != SQLITE_ROW)
        sqlite3_snprintf(MESSAGE_SIZE, answer.message, "%s", sqlite3_errmsg(db));
    return answer;
}

uint64_t side_recover_copy(struct side *side)
{
    static const char *const ends[] = {"", "-journal", "-wal"};
    char from[32], to[32];
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t size;
        sqlite3_snprintf(sizeof from, from, "one.db%s", ends[i]);
        sqlite3_snprintf(sizeof to, to, "crash.db%s", ends[i]);
        void *bytes = side_read(side, from, &size);
        if (bytes != NULL)
            write_file(side, to, bytes, size);
        free(bytes);
    }
    sqlite3 *db = open_database(side, "crash.db");
    uint64_t hash = outcome_of_schema(db, "main");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        sqlite3_snprintf(sizeof to, to, "crash.db%s", ends[i]);
        remove_file(side, to);
    }
    return hash;
}
