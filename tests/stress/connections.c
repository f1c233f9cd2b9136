/*
 * From one to eight writers and readers, each with a connection of its own, in every mode, on two
 * databases of one tree at once, with checkpoints of every kind, connections that come and go, and
 * journal modes that change meanwhile.
 *
 * What must hold: a counter is what the writers know to have committed; the sum of the accounts is
 * the same in every state that a connection sees, and a read transaction sees one state only; no
 * connection that waits is told SQLITE_BUSY before its time is up (and the time is so long that it
 * never is). Only a transaction that has read already and then wants to write is sent back at once,
 * since waiting would be for ever.
 */
#include "crew.h"
#include "modes.h"
#include "site.h"

#include <memfs/sqlite.h>

#include <sqlite3.h>

#include <stdatomic.h>
#include <stdio.h>

#define VFS_NAME "connections"
#define ACCOUNTS 8
#define SUM (ACCOUNTS * 100)
#define BUSY_MS 60000
#define PERCENT_OF_REOPENING 15

struct hall {
    struct site site;
    const struct db_mode *modes[2]; /* of each database */
    unsigned steps;
    bool is_tied;     /* every transaction is over both databases */
    bool is_switched; /* the journal mode changes meanwhile; a connection that opens sets none */
    _Atomic int64_t committed[2];
    _Atomic unsigned writers_left, sent_back, switches, checkpoints;
};

/* ------------------------------------------------------------- connections */

struct seat {
    struct crew_member *me;
    struct hall *hall;
    unsigned database; /* 0 or 1 */
    sqlite3 *db;
};

static _Noreturn void fail_seat(struct seat *seat, const char *what, int code)
{
    fprintf(stderr, "%s, %s: %s: %s (%d)\n", seat->hall->modes[0]->name, seat->hall->modes[1]->name,
            what, sqlite3_errmsg(seat->db), sqlite3_extended_errcode(seat->db));
    (void)code;
    crew_fail(seat->me, "SQLite says what it must not", __FILE__, __LINE__);
}

static int try_sql(struct seat *seat, const char *sql)
{
    int code = sqlite3_exec(seat->db, sql, NULL, NULL, NULL);
    if (code != SQLITE_OK && code != SQLITE_BUSY)
        fail_seat(seat, sql, code);
    return code;
}

static void run_sql(struct seat *seat, const char *sql)
{
    int code = try_sql(seat, sql);
    if (code != SQLITE_OK)
        fail_seat(seat, sql, code);
}

static int64_t number(struct seat *seat, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(seat->db, sql, -1, &statement, NULL);
    if (code != SQLITE_OK || sqlite3_step(statement) != SQLITE_ROW)
        fail_seat(seat, sql, code);
    int64_t result = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return result;
}

static void sit_down(struct seat *seat)
{
    const struct db_mode *mode = seat->hall->modes[seat->database];
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
    char text[160];
    snprintf(text, sizeof text, "file:/%u.db%s", seat->database, mode->parameters);
    int code = sqlite3_open_v2(text, &seat->db, flags, VFS_NAME);
    if (code != SQLITE_OK)
        fail_seat(seat, text, code);
    sqlite3_busy_timeout(seat->db, BUSY_MS);
    snprintf(text, sizeof text, "PRAGMA cache_size=%d; %s", seat->me->index % 2 != 0 ? 5 : 500,
             mode->pragmas);
    run_sql(seat, text);
    if (seat->hall->is_switched)
        return;
    snprintf(text, sizeof text, "PRAGMA journal_mode=%s", mode->journal_mode);
    while (try_sql(seat, text) != SQLITE_OK)
        continue;
}

static void stand_up(struct seat *seat)
{
    crew_check(seat->me, sqlite3_close(seat->db) == SQLITE_OK);
    seat->db = NULL;
}

static struct seat take_seat(struct crew_member *me)
{
    struct hall *hall = me->context;
    struct seat seat = {me, hall, hall->is_tied ? 0 : me->index % 2, NULL};
    sit_down(&seat);
    return seat;
}

/* The second database, as `two`. */
static void attach(struct seat *seat)
{
    char sql[160];
    const struct db_mode *mode = seat->hall->modes[1];
    snprintf(sql, sizeof sql, "ATTACH 'file:/1.db%s' AS two; %s", mode->parameters, mode->pragmas);
    run_sql(seat, sql);
    snprintf(sql, sizeof sql, "PRAGMA two.journal_mode=%s", mode->journal_mode);
    while (try_sql(seat, sql) != SQLITE_OK)
        continue;
}

static void maybe_reopen(struct seat *seat)
{
    if (!seat->hall->is_switched && crew_random(seat->me, 100) >= PERCENT_OF_REOPENING)
        return;
    stand_up(seat);
    sit_down(seat);
}

/* -------------------------------------------------------------------- roles */

static void transfer(struct seat *seat)
{
    char sql[200];
    int from = 1 + (int)crew_random(seat->me, ACCOUNTS),
        to = 1 + (int)crew_random(seat->me, ACCOUNTS);
    snprintf(sql, sizeof sql,
             "UPDATE account SET v=v-7, filler=randomblob(%d) WHERE id=%d;"
             "UPDATE account SET v=v+7 WHERE id=%d",
             (int)crew_random(seat->me, 3000), from, to);
    run_sql(seat, sql);
}

static void count_at_once(struct seat *seat)
{
    run_sql(seat, "BEGIN IMMEDIATE; UPDATE counter SET n=n+1");
    transfer(seat);
    run_sql(seat, "COMMIT");
}

/* Reads, and then writes what follows from it; false if another transaction wrote meanwhile. */
static bool count_by_reading(struct seat *seat)
{
    char sql[64];
    run_sql(seat, "BEGIN");
    int64_t n = number(seat, "SELECT n FROM counter");
    snprintf(sql, sizeof sql, "UPDATE counter SET n=%lld", (long long)n + 1);
    if (try_sql(seat, sql) != SQLITE_OK) {
        atomic_fetch_add(&seat->hall->sent_back, 1u);
        run_sql(seat, "ROLLBACK");
        return false;
    }
    transfer(seat);
    run_sql(seat, "COMMIT");
    return true;
}

static void write_all_the_time(struct crew_member *me)
{
    struct seat seat = take_seat(me);
    for (unsigned i = 0; i < seat.hall->steps; i++) {
        if (crew_random(me, 2) == 0)
            count_at_once(&seat);
        else
            while (!count_by_reading(&seat))
                continue;
        atomic_fetch_add(&seat.hall->committed[seat.database], 1);
        me->done++;
        maybe_reopen(&seat);
    }
    stand_up(&seat);
    atomic_fetch_sub(&seat.hall->writers_left, 1u);
}

/* Until the writers have finished, which they do only if readers cannot keep them out. */
static void read_all_the_time(struct crew_member *me)
{
    struct seat seat = take_seat(me);
    while (atomic_load(&seat.hall->writers_left) != 0 || me->done == 0) {
        run_sql(&seat, "BEGIN");
        int64_t n = number(&seat, "SELECT n FROM counter");
        crew_check(me, number(&seat, "SELECT sum(v) FROM account") == SUM);
        crew_check(me, number(&seat, "SELECT n FROM counter") == n);
        run_sql(&seat, "COMMIT");
        me->done++;
        maybe_reopen(&seat);
    }
    stand_up(&seat);
}

/* Money goes from one database to the other. */
static void write_both(struct crew_member *me)
{
    struct seat seat = take_seat(me);
    attach(&seat);
    for (unsigned i = 0; i < seat.hall->steps; i++) {
        run_sql(&seat, "BEGIN IMMEDIATE; UPDATE main.counter SET n=n+1; UPDATE two.counter SET "
                       "n=n+1; UPDATE main.account SET v=v-3, filler=randomblob(2000);"
                       "UPDATE two.account SET v=v+3; COMMIT");
        for (unsigned database = 0; database < 2; database++)
            atomic_fetch_add(&seat.hall->committed[database], 1);
        me->done++;
    }
    stand_up(&seat);
    atomic_fetch_sub(&seat.hall->writers_left, 1u);
}

/* In the order in which a commit lets go of them; otherwise both could wait for each other. */
static void read_both(struct crew_member *me)
{
    struct seat seat = take_seat(me);
    attach(&seat);
    while (atomic_load(&seat.hall->writers_left) != 0 || me->done == 0) {
        run_sql(&seat, "BEGIN");
        int64_t counted = number(&seat, "SELECT n FROM main.counter");
        int64_t sum = number(&seat, "SELECT sum(v) FROM main.account");
        crew_check(me, sum == SUM - 3 * ACCOUNTS * counted);
        crew_check(me, number(&seat, "SELECT n FROM two.counter") == counted);
        crew_check(me, number(&seat, "SELECT sum(v) FROM two.account") + sum == 2 * SUM);
        run_sql(&seat, "COMMIT");
        me->done++;
    }
    stand_up(&seat);
}

/* Does not wait, so that readers do not hold it up. */
static void checkpoint_all_the_time(struct crew_member *me)
{
    struct seat seat = take_seat(me);
    while (atomic_load(&seat.hall->writers_left) != 0) {
        int kind = (int)crew_random(me, 4); /* PASSIVE, FULL, RESTART, TRUNCATE */
        sqlite3_busy_timeout(seat.db, 0);
        int code = sqlite3_wal_checkpoint_v2(seat.db, NULL, kind, NULL, NULL);
        if (code != SQLITE_OK && code != SQLITE_BUSY)
            fail_seat(&seat, "checkpoint", code);
        if (code == SQLITE_OK)
            atomic_fetch_add(&seat.hall->checkpoints, 1u);
        sqlite3_busy_timeout(seat.db, BUSY_MS);
        crew_check(me, number(&seat, "SELECT sum(v) FROM account") == SUM);
        maybe_reopen(&seat);
    }
    stand_up(&seat);
}

static void switch_modes(struct crew_member *me)
{
    static const char *const modes[] = {"WAL", "DELETE", "WAL", "PERSIST", "TRUNCATE"};
    struct hall *hall = me->context;
    while (atomic_load(&hall->writers_left) != 0 || atomic_load(&hall->switches) == 0) {
        struct seat seat = take_seat(me);
        char sql[64];
        snprintf(sql, sizeof sql, "PRAGMA journal_mode=%s", modes[crew_random(me, 5)]);
        sqlite3_busy_timeout(seat.db, 5);
        if (try_sql(&seat, sql) == SQLITE_OK)
            atomic_fetch_add(&hall->switches, 1u);
        stand_up(&seat);
    }
}

/* -------------------------------------------------------------------- tests */

static sqlite3 *open_quietly(unsigned database)
{
    char path[16];
    sqlite3 *db;
    snprintf(path, sizeof path, "/%u.db", database);
    assert_int_equal(
        sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, VFS_NAME),
        SQLITE_OK);
    return db;
}

static void make_database(unsigned database)
{
    char sql[256];
    sqlite3 *db = open_quietly(database);
    snprintf(sql, sizeof sql,
             "PRAGMA page_size=1024; CREATE TABLE counter(n); INSERT INTO counter VALUES(0);"
             "CREATE TABLE account(id INTEGER PRIMARY KEY, v, filler); WITH RECURSIVE i(i) AS "
             "(SELECT 1 UNION ALL SELECT i+1 FROM i LIMIT %d) INSERT INTO account SELECT i, 100, "
             "'' FROM i",
             ACCOUNTS);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void check_database(unsigned database, int64_t committed, int64_t sum)
{
    sqlite3_stmt *statement;
    sqlite3 *db = open_quietly(database);
    assert_int_equal(
        sqlite3_prepare_v2(db,
                           "SELECT n, (SELECT sum(v) FROM account), integrity_check FROM counter, "
                           "pragma_integrity_check",
                           -1, &statement, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int64(statement, 0), committed);
    assert_int_equal(sqlite3_column_int64(statement, 1), sum);
    assert_string_equal((const char *)sqlite3_column_text(statement, 2), "ok");
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void run_hall(struct hall *hall, unsigned writers, unsigned readers)
{
    site_open(&hall->site, (uint64_t)64 << 20, 0);
    assert_int_equal(memfs_sqlite_register(hall->site.fs, VFS_NAME, 0), 0);
    make_database(0);
    make_database(1);
    atomic_store(&hall->writers_left, writers);
    struct crew *crew = crew_create(hall->modes[0]->name, hall);
    crew_add(crew, "writer", writers, hall->is_tied ? write_both : write_all_the_time);
    crew_add(crew, "reader", readers, hall->is_tied ? read_both : read_all_the_time);
    if (!hall->is_tied)
        crew_add(crew, "checkpointer", 2, checkpoint_all_the_time);
    if (hall->is_switched)
        crew_add(crew, "switcher", 2, switch_modes);
    crew_run(crew);
    assert_int_equal(crew_done(crew, "writer"), writers * hall->steps);
    assert_true(crew_done(crew, "reader") > 0);
    print_message("%s and %s: %u writers, %u transactions, %u sent back; %u readers, %u; "
                  "%u checkpoints; %u switches\n",
                  hall->modes[0]->name, hall->modes[1]->name, writers, writers * hall->steps,
                  atomic_load(&hall->sent_back), readers, (unsigned)crew_done(crew, "reader"),
                  atomic_load(&hall->checkpoints), atomic_load(&hall->switches));
    crew_destroy(crew);
    for (unsigned i = 0; i < 2; i++) {
        int64_t committed = atomic_load(&hall->committed[i]);
        int64_t moved = hall->is_tied ? 3 * ACCOUNTS * committed : 0;
        check_database(i, committed, i == 0 ? SUM - moved : SUM + moved);
    }
    assert_int_equal(memfs_sqlite_unregister(VFS_NAME), 0);
    site_close(&hall->site);
}

static void one_to_eight_writers_and_readers_lose_no_update_in_any_mode(void **state)
{
    (void)state;
    static const unsigned crews[][2] = {{1, 1}, {2, 2}, {4, 3}, {8, 8}};
    for (size_t i = 0; i < db_mode_count; i++) {
        for (size_t crew = 0; crew < sizeof crews / sizeof *crews; crew++) {
            struct hall hall = {
                .modes = {&db_modes[i], &db_modes[(i + crew) % db_mode_count]},
                .steps = 48 / crews[crew][0],
            };
            run_hall(&hall, crews[crew][0], crews[crew][1]);
        }
    }
}

static void journal_modes_that_change_under_load_lose_no_update(void **state)
{
    (void)state;
    struct hall hall = {.modes = {&db_modes[0], &db_modes[0]}, .steps = 60, .is_switched = true};
    run_hall(&hall, 4, 3);
    assert_true(atomic_load(&hall.switches) > 0);
}

/* Not in WAL mode: there SQLite publishes each database by itself. */
static void transactions_over_two_databases_are_seen_whole(void **state)
{
    (void)state;
    unsigned examined = 0;
    for (size_t i = 0; i + 1 < db_mode_count; i++) {
        struct hall hall = {
            .modes = {&db_modes[i], &db_modes[i + 1]}, .steps = 30, .is_tied = true};
        if (hall.modes[0]->has_wal || hall.modes[1]->has_wal || hall.modes[0]->is_isolated ||
            hall.modes[1]->is_isolated)
            continue;
        run_hall(&hall, 2, 3);
        examined++;
    }
    assert_true(examined > 0);
}

/*
 * Readers that overlap without end: each begins before the one before it ends. From the moment that
 * the writer wants to commit no new reader gets in, so the writer waits only for the readers that
 * are inside.
 */
static void a_writer_waits_for_the_readers_inside_and_no_others(void **state)
{
    (void)state;
    for (size_t mode = 0; mode < db_mode_count; mode++) {
        struct hall hall = {.modes = {&db_modes[mode], &db_modes[mode]}};
        struct crew_member me = {.context = &hall, .role = "only one"};
        site_open(&hall.site, (uint64_t)64 << 20, 0);
        assert_int_equal(memfs_sqlite_register(hall.site.fs, VFS_NAME, 0), 0);
        make_database(0);
        struct seat writer = take_seat(&me);
        struct seat readers[2] = {take_seat(&me), take_seat(&me)};
        for (int i = 0; i < 2; i++)
            sqlite3_busy_timeout(readers[i].db, 0);
        sqlite3_busy_timeout(writer.db, 0);
        run_sql(&readers[0], "BEGIN; SELECT * FROM counter");
        run_sql(&writer, "BEGIN IMMEDIATE; UPDATE counter SET n=1");
        unsigned entered_late = 0, tries = 0;
        do {
            int next = (int)(++tries % 2);
            int code = try_sql(&readers[next], "BEGIN; SELECT * FROM counter");
            entered_late += code == SQLITE_OK && tries > 1;
            run_sql(&readers[1 - next], "COMMIT");
            assert_true(tries < 4);
        } while (try_sql(&writer, "COMMIT") != SQLITE_OK);
        assert_int_equal(entered_late, 0);
        bool does_not_wait = hall.modes[0]->has_wal || hall.modes[0]->is_isolated;
        assert_int_equal(tries, does_not_wait ? 1 : 2);
        stand_up(&readers[0]);
        stand_up(&readers[1]);
        stand_up(&writer);
        assert_int_equal(memfs_sqlite_unregister(VFS_NAME), 0);
        site_close(&hall.site);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_to_eight_writers_and_readers_lose_no_update_in_any_mode),
        cmocka_unit_test(transactions_over_two_databases_are_seen_whole),
        cmocka_unit_test(a_writer_waits_for_the_readers_inside_and_no_others),
        cmocka_unit_test(journal_modes_that_change_under_load_lose_no_update),
    };
    return cmocka_run_group_tests_name("connections", tests, NULL, NULL);
}
