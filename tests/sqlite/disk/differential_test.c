/*
 * The same SQL gives the same rows and the same errors on memfs, in every mode, as on ":memory:".
 *
 *     sqlite_differential [--seeds N] [--seed N]
 *
 * Each seed makes two scripts, one for the modes that undo statements and one for OFF. A failure
 * prints its seed and the statements that show it, after leaving out those that are not needed.
 * `--seeds 1 --seed N` repeats one.
 */
#include "differential_script.h"
#include "modes.h"
#include "outcome.h"
#include "sqlite_fixture.h"

#include <stdlib.h>
#include <string.h>

enum { SEEDS = 1000 };

struct record {
    int count;
    struct outcome outcomes[SCRIPT_STATEMENTS_MAX + 1]; /* the last: everything, at the end */
};

static struct {
    uint64_t seed;
    unsigned seeds;
} options = {.seed = 1, .seeds = SEEDS};

static struct {
    unsigned statements, errors, in_transaction, looks;
} examined;

static uint64_t last_seed;

/* ------------------------------------------------------------------ one run */

struct run {
    const struct script *script;
    const struct db_mode *mode; /* null: the reference */
    memfs *fs;
    sqlite3 *db;
};

static bool has_two(sqlite3 *db)
{
    return sqlite3_db_filename(db, "two") != NULL;
}

/* Before the journal mode, since WAL writes the first page. */
static void begin_database(sqlite3 *db, const char *schema, const struct script *script)
{
    db_run(db,
           "PRAGMA %s.page_size=%d; PRAGMA %s.auto_vacuum=%d; CREATE TABLE IF NOT EXISTS %s.z(x)",
           schema, script->page_size, schema, script->auto_vacuum, schema);
}

static struct outcome attach(const struct run *run, sqlite3 *db, bool is_first)
{
    char *sql = run->mode == NULL
                    ? sqlite3_mprintf("ATTACH ':memory:' AS two")
                    : sqlite3_mprintf("ATTACH 'file:/two.db%s' AS two", run->mode->parameters);
    struct outcome outcome = outcome_of(db, sql);
    sqlite3_free(sql);
    if (outcome.code == SQLITE_OK && is_first && sqlite3_get_autocommit(db)) {
        begin_database(db, "two", run->script);
        if (run->mode != NULL)
            db_run(db, "PRAGMA two.journal_mode=%s; %s", run->mode->journal_mode,
                   run->mode->pragmas);
    }
    return outcome;
}

static struct outcome detach(const struct run *run)
{
    struct outcome outcome = outcome_of(run->db, "DETACH two");
    if (outcome.code == SQLITE_OK && run->mode != NULL) {
        (void)memfs_unlink(run->fs, "/two.db");
        (void)memfs_unlink(run->fs, "/two.db-journal");
    }
    return outcome;
}

static sqlite3 *open_connection(const struct run *run)
{
    if (run->mode == NULL) {
        sqlite3 *db;
        assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
        sqlite3_extended_result_codes(db, 1);
        begin_database(db, "main", run->script);
        return db;
    }
    char *path = sqlite3_mprintf("file:/one.db%s", run->mode->parameters);
    sqlite3 *db = db_open(path);
    sqlite3_free(path);
    begin_database(db, "main", run->script);
    db_run(db, "PRAGMA temp_store=FILE; PRAGMA journal_mode=%s; %s", run->mode->journal_mode,
           run->mode->pragmas);
    if (run->script->spills)
        db_run(db, "PRAGMA cache_size=5; PRAGMA temp.cache_size=5");
    return db;
}

static uint64_t hash_all(sqlite3 *db, bool with_two)
{
    uint64_t hash = outcome_of_schema(db, "main");
    return with_two ? hash * 31 + outcome_of_schema(db, "two") : hash;
}

/* By a connection of its own, unless there is an open transaction or this is the reference. */
static struct outcome look(const struct run *run)
{
    if (run->mode == NULL || !sqlite3_get_autocommit(run->db))
        return (struct outcome){SQLITE_OK, hash_all(run->db, has_two(run->db))};
    sqlite3 *other = open_connection(run);
    if (has_two(run->db))
        (void)attach(run, other, false);
    struct outcome outcome = {SQLITE_OK, hash_all(other, has_two(run->db))};
    db_close(other);
    return outcome;
}

static struct outcome run_statement(const struct run *run, const char *statement)
{
    if (strcmp(statement, SCRIPT_LOOK) == 0)
        return look(run);
    if (strcmp(statement, SCRIPT_ATTACH) == 0)
        return attach(run, run->db, true);
    if (strcmp(statement, SCRIPT_DETACH) == 0)
        return detach(run);
    if (strcmp(statement, SCRIPT_CHECKPOINT) != 0)
        return outcome_of(run->db, statement);
    if (run->mode != NULL && run->mode->has_wal)
        (void)sqlite3_wal_checkpoint_v2(run->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return (struct outcome){SQLITE_OK, 0};
}

static void run_statements(struct run *run, struct record *record)
{
    const struct script *script = run->script;
    record->count = 0;
    run->db = open_connection(run);
    for (int i = 0; i < script->count; i++) {
        record->outcomes[record->count++] = run_statement(run, script->statements[i]);
        if (run->mode == NULL) {
            examined.statements++;
            examined.errors += record->outcomes[i].code != SQLITE_OK;
            examined.in_transaction += !sqlite3_get_autocommit(run->db);
            examined.looks += strcmp(script->statements[i], SCRIPT_LOOK) == 0;
        }
    }
    if (!sqlite3_get_autocommit(run->db))
        (void)outcome_of(run->db, "COMMIT");
    if (!sqlite3_get_autocommit(run->db))
        (void)outcome_of(run->db, "ROLLBACK");
    record->outcomes[record->count++] = look(run);
    db_close(run->db);
}

/* In a tree of its own, which must be empty afterwards. */
static void run_script(const struct script *script, const struct db_mode *mode,
                       struct record *record)
{
    static const uint32_t tree_pages[] = {4096, 512, 65536};
    static const char *const files[] = {"/one.db", "/one.db-journal", "/two.db", "/two.db-journal"};
    struct run run = {.script = script, .mode = mode};
    if (mode == NULL) {
        run_statements(&run, record);
        return;
    }
    memfs_config config = memfs_config_default();
    config.page_size = tree_pages[script->seed % 3];
    config.quota_bytes = (uint64_t)256 << 20;
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    assert_int_equal(memfs_sqlite_register(f->fs, TEST_VFS, 0), 0);
    run.fs = f->fs;
    run_statements(&run, record);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        (void)memfs_unlink(f->fs, files[i]);
    memfs_statfs_info info = statfs_of(f->fs);
    assert_int_equal(info.files, 0);
    assert_int_equal(memfs_sqlite_unregister(TEST_VFS), 0);
    fixture_destroy(f);
}

/* --------------------------------------------------------------- comparison */

/* The first statement with another outcome; -1: there is none. */
static int first_difference(const struct script *script, const struct db_mode *mode)
{
    static struct record expected, found;
    run_script(script, NULL, &expected);
    run_script(script, mode, &found);
    for (int i = 0; i < expected.count; i++)
        if (expected.outcomes[i].code != found.outcomes[i].code ||
            expected.outcomes[i].rows != found.outcomes[i].rows)
            return i;
    return -1;
}

/* Leaves out what is not needed to see a difference. */
static void shrink(struct script *script, const struct db_mode *mode)
{
    int last = first_difference(script, mode);
    while (last >= 0 && script->count > last + 1)
        sqlite3_free(script->statements[--script->count]);
    for (int i = script->count - 1; i >= 0; i--) {
        struct script without = *script;
        memmove(&without.statements[i], &without.statements[i + 1],
                (size_t)(script->count - i - 1) * sizeof *without.statements);
        without.count--;
        if (first_difference(&without, mode) < 0)
            continue;
        sqlite3_free(script->statements[i]);
        *script = without;
    }
}

static void report(struct script *script, const struct db_mode *mode)
{
    print_error("seed %llu, %s, page size %d%s:\n", (unsigned long long)script->seed, mode->name,
                script->page_size, script->spills ? ", spill" : "");
    shrink(script, mode);
    for (int i = 0; i < script->count; i++)
        print_error("    %s;\n", script->statements[i]);
    fail_msg("statement %d differs", first_difference(script, mode) + 1);
}

static bool is_same(const struct record *a, const struct record *b)
{
    for (int i = 0; i < a->count; i++)
        if (a->outcomes[i].code != b->outcomes[i].code ||
            a->outcomes[i].rows != b->outcomes[i].rows)
            return false;
    return a->count == b->count;
}

static void compare(uint64_t seed, bool undoes_statements)
{
    static struct record expected, found;
    struct script script;
    last_seed = seed;
    script_make(&script, seed, undoes_statements);
    run_script(&script, NULL, &expected);
    for (size_t i = 0; i < db_mode_count; i++) {
        if (db_modes[i].undoes_statements != undoes_statements)
            continue;
        run_script(&script, &db_modes[i], &found);
        if (!is_same(&expected, &found))
            report(&script, &db_modes[i]);
    }
    script_free(&script);
}

static void sql_gives_the_same_in_every_mode_as_in_memory(void **state)
{
    (void)state;
    for (unsigned i = 0; i < options.seeds; i++) {
        compare(options.seed + i, true);
        compare(options.seed + i, false);
    }
    print_message("%u statements, of which %u failed alike, %u within transactions, %u looks by "
                  "another connection; seeds %llu to %llu, %u modes\n",
                  examined.statements, examined.errors, examined.in_transaction, examined.looks,
                  (unsigned long long)options.seed,
                  (unsigned long long)(options.seed + options.seeds - 1), (unsigned)db_mode_count);
    assert_true(examined.errors > 0 && examined.errors < examined.statements / 2);
    assert_true(examined.in_transaction > 0);
}

static int say_last_seed(void **state)
{
    (void)state;
    print_message("last seed: %llu\n", (unsigned long long)last_seed);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sql_gives_the_same_in_every_mode_as_in_memory, say_last_seed),
    };
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seeds") == 0)
            options.seeds = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0)
            options.seed = strtoull(argv[i + 1], NULL, 10);
        else
            return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
