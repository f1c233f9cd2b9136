#include "sweep.h"

#include <stdlib.h>
#include <string.h>

static const char *const schemas[2] = {"main", "two"};
static const char *const names[2] = {"one", "two"};

static const char content_query[] =
    "SELECT coalesce((SELECT group_concat(id||':'||k||':'||length(v)||':'||typeof(v)) FROM "
    "(SELECT * FROM @.t ORDER BY id)), '')||';'||"
    "(SELECT group_concat(sql) FROM (SELECT sql FROM @.sqlite_schema ORDER BY name))";

static int database_count(const struct sweep_case *what)
{
    return what->has_attached ? 2 : 1;
}

static const struct db_mode *mode_of(const struct sweep_case *what, int index)
{
    return index == 1 && what->attached_mode != NULL ? what->attached_mode : what->mode;
}

static bool has_wal(const struct sweep_case *what)
{
    return mode_of(what, 0)->has_wal || (what->has_attached && mode_of(what, 1)->has_wal);
}

/* The SQL with the schema's name for '@'; sqlite3_free(). */
static char *for_schema(const char *sql, int index)
{
    sqlite3_str *text = sqlite3_str_new(NULL);
    for (; *sql != '\0'; sql++) {
        if (*sql == '@')
            sqlite3_str_appendall(text, schemas[index]);
        else
            sqlite3_str_appendchar(text, 1, *sql);
    }
    char *result = sqlite3_str_finish(text);
    assert_non_null(result);
    return result;
}

static int try_for(sqlite3 *db, const char *sql, int index)
{
    char *text = for_schema(sql, index);
    int rc = db_try(db, text);
    sqlite3_free(text);
    return rc;
}

static void run_for(sqlite3 *db, const char *sql, int index)
{
    char *text = for_schema(sql, index);
    db_run(db, "%s", text);
    sqlite3_free(text);
}

static char *path_of(const struct sweep_case *what, int index)
{
    return sqlite3_mprintf("file:/%s.db%s", names[index], mode_of(what, index)->parameters);
}

/* A connection that can look at the databases; it changes nothing. */
static sqlite3 *open_plain(const struct sweep_case *what)
{
    char *path = path_of(what, 0);
    sqlite3 *db = db_open(path);
    sqlite3_free(path);
    if (what->is_exclusive)
        db_run(db, "PRAGMA locking_mode=EXCLUSIVE");
    if (what->has_attached) {
        path = path_of(what, 1);
        db_run(db, "ATTACH %Q AS two", path);
        sqlite3_free(path);
    }
    db_run(db, "PRAGMA temp_store=FILE; PRAGMA secure_delete=%d", what->erases);
    return db;
}

static void set_modes(sqlite3 *db, const struct sweep_case *what)
{
    for (int i = 0; i < database_count(what); i++) {
        const struct db_mode *mode = mode_of(what, i);
        db_run(db, "PRAGMA %s.journal_mode=%s; %s", schemas[i], mode->journal_mode, mode->pragmas);
        if (mode->has_wal)
            db_run(db, "PRAGMA wal_autocheckpoint=0");
        if (what->spills)
            db_run(db, "PRAGMA %s.cache_size=5", schemas[i]);
    }
}

static void fill(sqlite3 *db, const struct sweep_case *what, int index)
{
    int rows = what->page_size > 4096 ? 8 : 20;
    db_run(db, "PRAGMA %s.page_size=%d; PRAGMA %s.auto_vacuum=%d", schemas[index], what->page_size,
           schemas[index], what->operation->packs && !what->operation->is_alone ? 2 : 0);
    run_for(db, "CREATE TABLE @.t(id INTEGER PRIMARY KEY, k, v); CREATE INDEX @.ti ON t(k)", index);
    db_run(db,
           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<%d) "
           "INSERT INTO %s.t SELECT i, i*7%%11, zeroblob(%d) FROM n",
           rows, schemas[index], what->page_size / 2);
    if (what->operation->prepare != NULL)
        run_for(db, what->operation->prepare, index);
}

static void share_pages(struct fixture *f, const struct sweep_case *what)
{
    for (int i = 0; what->is_shared && i < database_count(what); i++) {
        char from[16], to[16];
        sqlite3_snprintf(sizeof from, from, "/%s.db", names[i]);
        sqlite3_snprintf(sizeof to, to, "/%s.copy", names[i]);
        assert_int_equal(memfs_copy(f->fs, from, to, 0), 0);
    }
}

static void make_databases(struct sweep *sweep)
{
    sqlite3 *db = open_plain(sweep->what);
    for (int i = 0; i < database_count(sweep->what); i++)
        fill(db, sweep->what, i);
    db_close(db);
    share_pages(sweep->f, sweep->what);
}

static void remove_databases(struct sweep *sweep)
{
    static const char *const endings[] = {".db", ".db-journal", ".copy"};
    for (int i = 0; i < 2 * 3; i++) {
        char path[32];
        sqlite3_snprintf(sizeof path, path, "/%s%s", names[i % 2], endings[i / 2]);
        (void)memfs_unlink(sweep->f->fs, path);
    }
}

static sqlite3 *make_source(const struct sweep_case *what)
{
    struct sweep_case alone = *what;
    alone.has_attached = false;
    sqlite3 *db;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    fill(db, &alone, 0);
    db_run(db, "UPDATE t SET k=k+1, v=v||'x'; INSERT INTO t SELECT id+50, k, v FROM t");
    return db;
}

static char *text_for(sqlite3 *db, const char *query, int index)
{
    char *sql = for_schema(query, index);
    char *text = db_text(db, sql);
    sqlite3_free(sql);
    return text;
}

/* What the databases hold; the part before the first ';' is how it lies in pages. */
static void read_states(sqlite3 *db, const struct sweep_case *what, char **states)
{
    for (int i = 0; i < database_count(what); i++) {
        char *pages = text_for(db, "PRAGMA @.page_count", i);
        char *free_pages = text_for(db, "PRAGMA @.freelist_count", i);
        char *content = text_for(db, content_query, i);
        sqlite3_free(states[i]);
        states[i] = sqlite3_mprintf("%s, %s free;%s", pages, free_pages, content);
        sqlite3_free(content);
        sqlite3_free(free_pages);
        sqlite3_free(pages);
    }
}

static void free_states(char **states)
{
    for (int i = 0; i < 2; i++) {
        sqlite3_free(states[i]);
        states[i] = NULL;
    }
}

void sweep_begin(struct sweep *sweep, struct fixture *f, const struct sweep_case *what)
{
    *sweep = (struct sweep){.f = f, .what = what};
    sweep->used_at_first_bytes = statfs_of(f->fs).used_bytes;
    if (what->operation->sql == NULL)
        sweep->source = make_source(what);
    make_databases(sweep);
    sweep->db = open_plain(what);
    set_modes(sweep->db, what);
    assert_int_equal(sweep_run(sweep), SQLITE_OK);
    read_states(sweep->db, what, sweep->after);
    db_close(sweep->db);
    remove_databases(sweep);
    make_databases(sweep);
    sweep->db = open_plain(what);
    set_modes(sweep->db, what);
}

/* Nothing but what was there at first: no super-journal, no temporary file. */
static void assert_empty(struct fixture *f)
{
    memfs_dir *root;
    memfs_dirent entry = {.struct_size = sizeof entry};
    assert_int_equal(memfs_opendir(f->fs, "/", &root), 0);
    int count = 0;
    for (; memfs_readdir(root, &entry) == 1; count++)
        print_error("left behind: %s\n", entry.name);
    assert_int_equal(memfs_closedir(root), 0);
    assert_int_equal(count, 0);
    assert_int_equal(statfs_of(f->fs).orphans, 0);
}

void sweep_end(struct sweep *sweep)
{
    db_close(sweep->db);
    sqlite3_close(sweep->source);
    free_states(sweep->before);
    free_states(sweep->after);
    remove_databases(sweep);
    assert_empty(sweep->f);
    memfs_statfs_info info = statfs_of(sweep->f->fs);
    assert_int_equal(info.preallocated_bytes, 0);
    assert_int_equal(info.used_bytes, sweep->used_at_first_bytes);
    assert_int_equal(memfs_audit(sweep->f->fs), 0);
}

void sweep_prepare(struct sweep *sweep)
{
    for (int i = 0; i < database_count(sweep->what); i++)
        run_for(sweep->db,
                "BEGIN; INSERT INTO @.t VALUES(1000, 0, zeroblob(2000)); "
                "DELETE FROM @.t WHERE id=1000; COMMIT",
                i);
    if (!has_wal(sweep->what))
        share_pages(sweep->f, sweep->what);
    read_states(sweep->db, sweep->what, sweep->before);
}

static int back_up(struct sweep *sweep, int index)
{
    sqlite3_backup *backup = sqlite3_backup_init(sweep->db, schemas[index], sweep->source,
                                                 schemas[0]);
    if (backup == NULL)
        return sqlite3_extended_errcode(sweep->db);
    (void)sqlite3_backup_step(backup, -1);
    return sqlite3_backup_finish(backup);
}

static int run_on(struct sweep *sweep, int index)
{
    const char *sql = sweep->what->operation->sql;
    return sql != NULL ? try_for(sweep->db, sql, index) : back_up(sweep, index);
}

int sweep_run(struct sweep *sweep)
{
    bool is_alone = sweep->what->operation->is_alone;
    int rc = is_alone ? SQLITE_OK : db_try(sweep->db, "BEGIN");
    for (int i = 0; rc == SQLITE_OK && i < database_count(sweep->what); i++)
        rc = run_on(sweep, i);
    if (rc == SQLITE_OK && !is_alone)
        rc = db_try(sweep->db, "COMMIT");
    if (!sqlite3_get_autocommit(sweep->db))
        db_run(sweep->db, "ROLLBACK");
    return rc;
}

static bool are_alike(const char *state, const char *expected, bool with_pages)
{
    if (!with_pages) {
        state = strchr(state, ';');
        expected = strchr(expected, ';');
    }
    return strcmp(state, expected) == 0;
}

static _Noreturn void fail_case(const struct sweep *sweep, int rc, const char *why)
{
    const struct sweep_case *what = sweep->what;
    fail_msg("%s, %s, page size %d%s%s%s%s%s, code %d: %s", what->operation->name, what->mode->name,
             what->page_size, what->has_attached ? ", two databases" : "",
             what->spills ? ", spill" : "", what->is_exclusive ? ", exclusive" : "",
             what->is_shared ? ", shared pages" : "", what->erases ? ", secure_delete" : "", rc,
             why);
    abort();
}

/* What became of the databases, seen by a connection. */
static enum sweep_result look(struct sweep *sweep, sqlite3 *db, int rc)
{
    const struct sweep_case *what = sweep->what;
    char *now[2] = {NULL, NULL};
    int done = 0;
    int count = database_count(what);
    db_assert_whole(db);
    read_states(db, what, now);
    for (int i = 0; i < count; i++) {
        bool is_before = are_alike(now[i], sweep->before[i], true);
        bool is_after = are_alike(now[i], sweep->after[i], what->operation->packs);
        if (rc == SQLITE_OK ? !is_after : !is_before && !is_after)
            fail_case(sweep, rc, now[i]);
        done += is_after && (rc == SQLITE_OK || !is_before);
    }
    free_states(now);
    if (done == count && rc != SQLITE_OK && !what->operation->may_fail_late)
        fail_case(sweep, rc, "everything was committed in spite of the code");
    if (done == 0)
        return SWEEP_UNCHANGED;
    if (rc == SQLITE_OK)
        return SWEEP_DONE;
    if (what->operation->is_alone)
        return SWEEP_PARTLY;
    if (!has_wal(what))
        fail_case(sweep, rc, "torn");
    return SWEEP_TORN;
}

static void checkpoint(struct sweep *sweep, int rc, int kind)
{
    for (int i = 0; i < database_count(sweep->what); i++) {
        int frames = 0, done = 0;
        if (!mode_of(sweep->what, i)->has_wal)
            continue;
        int answer = sqlite3_wal_checkpoint_v2(sweep->db, schemas[i], kind, &frames, &done);
        if (answer != SQLITE_OK || frames != done)
            fail_case(sweep, rc, "the checkpoint is stuck");
    }
}

/* Closes without a checkpoint, as a process that ends does. */
static void close_leaving_wal(struct sweep *sweep)
{
    int on = 1;
    for (int i = 0; i < database_count(sweep->what); i++)
        (void)sqlite3_file_control(sweep->db, schemas[i], SQLITE_FCNTL_PERSIST_WAL, &on);
    (void)sqlite3_db_config(sweep->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    db_close(sweep->db);
}

enum sweep_result sweep_check(struct sweep *sweep, int rc, enum sweep_view view)
{
    if (view == SWEEP_REOPENED) {
        close_leaving_wal(sweep);
        sweep->db = open_plain(sweep->what);
    } else if (view == SWEEP_OTHER_CONNECTION && !sweep->what->is_exclusive) {
        sqlite3 *other = open_plain(sweep->what);
        (void)look(sweep, other, rc);
        db_close(other);
    }
    enum sweep_result result = look(sweep, sweep->db, rc);
    if (!has_wal(sweep->what))
        return result;
    checkpoint(sweep, rc,
               view == SWEEP_REOPENED ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE);
    if (look(sweep, sweep->db, rc) != result)
        fail_case(sweep, rc, "a checkpoint changed what is there");
    return result;
}

void sweep_resume(struct sweep *sweep)
{
    db_close(sweep->db);
    sweep->db = open_plain(sweep->what);
    set_modes(sweep->db, sweep->what);
}
