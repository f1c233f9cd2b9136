#include "lockstep_steps.h"

#include "differential_script.h"

#include <sqlite3.h>

#include <stdlib.h>
#include <string.h>

struct chooser {
    uint64_t *random;
    const struct setting *setting;
    const struct repertoire *repertoire;
    bool in_transaction;
    struct step *step;
};

static int chosen(struct chooser *c, int bound)
{
    return (int)script_random(c->random, (uint32_t)bound);
}

#define CHOOSE(c, array) ((array)[chosen((c), (int)(sizeof(array) / sizeof *(array)))])

static void set_sql(struct chooser *c, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    c->step->sql = sqlite3_vmprintf(format, arguments);
    va_end(arguments);
    if (c->step->sql == NULL)
        abort();
}

/* Values are no larger than this makes them, so that a run stays short. */
static int scale(const struct chooser *c)
{
    return c->setting->page_size < 4096 ? c->setting->page_size : 4096;
}

/* ---------------------------------------------------------------- statements */

/* A statement of the scripts that one connection runs. */
static void run_any(struct chooser *c)
{
    static const struct {
        const char *text;
        enum action action;
    } others[] = {{SCRIPT_LOOK, COMPARE}, {SCRIPT_CHECKPOINT, CHECKPOINT}, {SCRIPT_ATTACH, ATTACH}};
    char *sql = script_statement(c->random, scale(c), c->repertoire->undoes_statements,
                                 c->in_transaction);
    c->step->action = RUN;
    if (strcmp(sql, SCRIPT_DETACH) == 0) {
        sqlite3_free(sql);
        sql = sqlite3_mprintf("DETACH two");
    }
    c->step->sql = sql;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strcmp(sql, others[i].text) == 0) {
            c->step->action = others[i].action;
            sqlite3_free(sql);
            c->step->sql = NULL;
            break;
        }
    }
    if (c->step->action == CHECKPOINT && c->repertoire->is_isolated)
        c->step->action = COMPARE;
}

static void run_transaction(struct chooser *c)
{
    static const char *const begins[] = {"BEGIN", "BEGIN", "BEGIN IMMEDIATE", "BEGIN EXCLUSIVE",
                                         "BEGIN DEFERRED"};
    static const char *const ends[] = {"COMMIT", "COMMIT", "COMMIT", "ROLLBACK"};
    c->step->action = RUN;
    set_sql(c, "%s", c->in_transaction ? CHOOSE(c, ends) : CHOOSE(c, begins));
}

/* So that there is something to be in each other's way about. */
static void run_small_change(struct chooser *c)
{
    static const char *const forms[] = {
        "INSERT OR IGNORE INTO t%d(a,b,c) VALUES(%d, %d, 'small')",
        "UPDATE OR IGNORE t%d SET b=%d WHERE a=%d",
        "DELETE FROM t%d WHERE a=%d OR a=%d",
        "SELECT a, b, length(c) FROM t%d WHERE a IN (%d, %d)",
    };
    c->step->action = RUN;
    set_sql(c, CHOOSE(c, forms), chosen(c, 2), chosen(c, 60), chosen(c, 60));
}

/* Which pages are mapped decides when a small cache is full, and so when a writer spills. */
static void run_mapping(struct chooser *c)
{
    c->step->action = RUN;
    set_sql(c, "PRAGMA mmap_size=%d", c->setting->may_map ? 1000000 : 0);
}

static void run_change_of_mode(struct chooser *c)
{
    static const char *const forms[] = {
        "PRAGMA journal_mode=DELETE",
        "PRAGMA journal_mode=TRUNCATE",
        "PRAGMA journal_mode=PERSIST",
        "PRAGMA journal_mode=MEMORY",
        "PRAGMA journal_mode=WAL",
        "PRAGMA two.journal_mode=WAL",
        "PRAGMA two.journal_mode=PERSIST",
        "PRAGMA locking_mode=EXCLUSIVE",
        "PRAGMA locking_mode=NORMAL",
        "PRAGMA main.locking_mode=NORMAL",
        "PRAGMA page_size=512",
        "PRAGMA page_size=4096",
        "PRAGMA page_size=65536",
        "PRAGMA journal_size_limit=1000",
        "PRAGMA journal_size_limit=-1",
        "PRAGMA synchronous=OFF",
        "PRAGMA synchronous=FULL",
        "PRAGMA mmap_size=0",
        "PRAGMA secure_delete=1",
        "PRAGMA secure_delete=0",
        "PRAGMA cell_size_check=1",
        "PRAGMA max_page_count=200",
        "PRAGMA max_page_count=1000000",
        "PRAGMA wal_autocheckpoint=3",
        "PRAGMA wal_autocheckpoint=0",
    };
    c->step->action = RUN;
    set_sql(c, "%s", CHOOSE(c, forms));
}

static void run_question(struct chooser *c)
{
    static const char *const forms[] = {
        "PRAGMA page_size",
        "PRAGMA schema_version",
        "PRAGMA main.auto_vacuum",
        "PRAGMA main.page_count",
        "PRAGMA main.freelist_count",
        "PRAGMA two.page_count",
        "PRAGMA lock_status",
        "PRAGMA database_list",
        "PRAGMA quick_check",
        "PRAGMA application_id=77",
        "PRAGMA optimize",
        "PRAGMA shrink_memory",
        "PRAGMA table_xinfo(t0)",
        "PRAGMA incremental_vacuum(2)",
        "SELECT count(*) FROM sqlite_schema",
        "SELECT sqlite_compileoption_used('THREADSAFE'), total_changes()",
    };
    static const char *const of_journals[] = {"PRAGMA journal_mode", "PRAGMA two.journal_mode",
                                              "PRAGMA locking_mode", "PRAGMA wal_checkpoint",
                                              "PRAGMA data_version"};
    c->step->action = RUN;
    if (!c->repertoire->is_isolated && chosen(c, 6) == 0)
        set_sql(c, "%s", CHOOSE(c, of_journals));
    else
        set_sql(c, "%s", CHOOSE(c, forms));
}

/* ------------------------------------------------------- what stays half done */

static void start_statement(struct chooser *c)
{
    static const char *const forms[] = {
        "SELECT a, b, substr(c, 1, 9) FROM t0 WHERE a>%d",
        "SELECT a, length(c) FROM t1 ORDER BY b+%d, a",
        "SELECT x.a FROM t0 x, t1 y WHERE x.b=y.b AND x.a>%d",
        "SELECT a FROM two.u0 WHERE a>%d",
        "SELECT a FROM temp.s0 WHERE a>%d",
        "INSERT INTO t0(a,b,c) VALUES(%d,1,2),(1001,3,4) ON CONFLICT DO NOTHING RETURNING a",
        "UPDATE t1 SET b=b+1 WHERE a>%d RETURNING a, b",
        "WITH RECURSIVE n(i) AS (SELECT %d UNION ALL SELECT i+1 FROM n LIMIT 9) SELECT i FROM n",
        "DELETE FROM t0 WHERE a<%d RETURNING a",
    };
    c->step->action = START;
    c->step->numbers[0] = chosen(c, OPEN_STATEMENTS);
    set_sql(c, CHOOSE(c, forms), chosen(c, 50));
}

static void use_open_statement(struct chooser *c)
{
    c->step->action = chosen(c, 3) > 0 ? GO_ON : FINISH;
    c->step->numbers[0] = chosen(c, OPEN_STATEMENTS);
    c->step->numbers[1] = chosen(c, 2) > 0 ? 1 + chosen(c, 3) : 1000;
}

static void use_blob(struct chooser *c)
{
    static const enum action actions[] = {BLOB_OPEN,  BLOB_OPEN,  BLOB_READ, BLOB_READ,
                                          BLOB_WRITE, BLOB_WRITE, BLOB_MOVE, BLOB_CLOSE};
    static const char *const tables[] = {"t0", "t1", "t2", "u0"};
    c->step->action = CHOOSE(c, actions);
    bool has_place = c->step->action == BLOB_READ || c->step->action == BLOB_WRITE;
    c->step->numbers[0] = chosen(c, has_place ? scale(c) * 2 : 60);
    c->step->numbers[1] = chosen(c, has_place ? scale(c) : 2);
    if (c->step->action == BLOB_OPEN)
        set_sql(c, "%s", CHOOSE(c, tables));
}

static void use_backup(struct chooser *c)
{
    static const enum action actions[] = {BACKUP, BACKUP_STEP, BACKUP_STEP, BACKUP_STEP,
                                          BACKUP_END};
    c->step->action = CHOOSE(c, actions);
    /* A WAL's rollback begins a backup anew, a journal's does not. */
    if (c->repertoire->is_isolated)
        c->step->numbers[0] = c->step->action == BACKUP ? 0 : -1;
    else if (c->step->action == BACKUP)
        c->step->numbers[0] = c->setting->changes_modes && chosen(c, 4) == 0;
    else
        c->step->numbers[0] = chosen(c, 3) > 0 ? 1 + chosen(c, 6) : -1;
}

static void checkpoint(struct chooser *c)
{
    static const char *const databases[] = {"main", "two"};
    if (c->repertoire->is_isolated) {
        run_question(c);
        return;
    }
    c->step->action = CHECKPOINT;
    c->step->numbers[0] = chosen(c, 4);
    if (chosen(c, 3) > 0)
        set_sql(c, "%s", CHOOSE(c, databases));
}

static void look(struct chooser *c)
{
    static const enum action actions[] = {COMPARE, COMPARE, COMPARE, CACHE_FLUSH, CONTROLS, CRASH};
    c->step->action = CHOOSE(c, actions);
    bool is_apart = c->repertoire->is_isolated && c->step->action != CACHE_FLUSH;
    bool is_not_undone = !c->repertoire->undoes_statements && c->step->action == CACHE_FLUSH;
    if (is_apart || is_not_undone)
        c->step->action = COMPARE;
}

static void reconnect(struct chooser *c)
{
    c->step->action = RECONNECT;
}

static void attach(struct chooser *c)
{
    c->step->action = ATTACH;
}

struct step step_make(uint64_t *random, const struct setting *setting,
                      const struct repertoire *repertoire, const bool *in_transaction)
{
    static void (*const usual[])(struct chooser *) = {
        run_any,
        run_any,
        run_any,
        run_any,
        run_any,
        run_any,
        run_any,
        run_any,
        run_any,
        run_any,
        run_small_change,
        run_small_change,
        run_small_change,
        run_small_change,
        run_transaction,
        run_transaction,
        start_statement,
        use_open_statement,
        use_open_statement,
        use_open_statement,
        use_open_statement,
        use_blob,
        use_blob,
        use_blob,
        use_backup,
        run_question,
        checkpoint,
        look,
        look,
    };
    static void (*const rare[])(struct chooser *) = {reconnect, attach, attach, use_backup,
                                                     run_mapping};
    struct step step = {.connection = (int)script_random(random, CONNECTIONS)};
    struct chooser c = {random, setting, repertoire, in_transaction[step.connection], &step};
    if (c.in_transaction && chosen(&c, 8) == 0)
        run_transaction(&c);
    else if (setting->changes_modes && chosen(&c, 40) == 0)
        run_change_of_mode(&c);
    else if (chosen(&c, 20) == 0)
        CHOOSE(&c, rare)(&c);
    else
        CHOOSE(&c, usual)(&c);
    return step;
}

struct setting setting_make(uint64_t seed, const struct repertoire *repertoire)
{
    static const int page_sizes[] = {512, 512, 1024, 4096, 4096, 65536};
    static const int cache_sizes[] = {5, 5, 20, 2000};
    uint64_t random = seed;
    struct setting setting = {.seed = seed};
    setting.page_size = page_sizes[script_random(&random, 6)];
    setting.auto_vacuum = (int)script_random(&random, 3);
    setting.cache_size = cache_sizes[script_random(&random, 4)];
    setting.changes_modes = repertoire->changes_modes && script_random(&random, 2) == 0;
    setting.may_map = setting.changes_modes && setting.cache_size >= 1000;
    return setting;
}

const char *step_name(enum action action)
{
    static const char *const names[] = {
        "run",        "attach",       "start",       "go on",      "finish",
        "blob: open", "blob: read",   "blob: write", "blob: move", "blob: close",
        "backup",     "backup: step", "backup: end", "checkpoint", "flush",
        "reconnect",  "controls",     "compare",     "crash",
    };
    return names[action];
}
