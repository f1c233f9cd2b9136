/* xFetch and xUnfetch: pages that SQLite reads where they lie. */
#include "io_fixture.h"

#include <string.h>

enum { PAGE = 4096, MANY = 2000 };

static void set_limit(sqlite3_file *file, sqlite3_int64 limit)
{
    assert_int_equal(io_control(file, SQLITE_FCNTL_MMAP_SIZE, &limit), SQLITE_OK);
}

static const void *fetch(sqlite3_file *file, sqlite3_int64 offset, int count)
{
    void *page = &page;
    assert_int_equal(file->pMethods->xFetch(file, offset, count, &page), SQLITE_OK);
    return page;
}

static void unfetch(sqlite3_file *file, sqlite3_int64 offset, const void *page)
{
    void *given = (void *)(uintptr_t)page;
    assert_int_equal(file->pMethods->xUnfetch(file, offset, given), SQLITE_OK);
}

/* Page number n, from 1, is filled with the letter 'a' + n. */
static void fill(char page[PAGE], int number)
{
    memset(page, 'a' + number % 26, PAGE);
}

static sqlite3_file *open_pages(const char *path, int count)
{
    char page[PAGE];
    sqlite3_file *file = io_open(path, MAIN_FLAGS);
    for (int number = 1; number <= count; number++) {
        fill(page, number);
        assert_int_equal(file->pMethods->xWrite(file, page, PAGE, (number - 1) * PAGE), SQLITE_OK);
    }
    assert_int_equal(io_unlock(file, SQLITE_LOCK_NONE), SQLITE_OK);
    set_limit(file, 1 << 30);
    return file;
}

static void assert_is_page(const void *page, int number)
{
    char expected[PAGE];
    fill(expected, number);
    assert_non_null(page);
    assert_memory_equal(page, expected, PAGE);
}

/* A page that a connection has in its hands is replaced; when it gives the page back, the old one
 * goes, whatever other page it has looked at meanwhile. */
static void a_replaced_page_is_freed_when_it_is_given_back(void **state)
{
    struct fixture *f = *state;
    sqlite3 *writer = db_open("/db");
    db_run(writer, "PRAGMA journal_mode=OFF; CREATE TABLE t(a); "
                   "INSERT INTO t VALUES(randomblob(3000))");
    sqlite3 *reader = db_open("/db");
    db_run(reader, "PRAGMA mmap_size=1000000; SELECT * FROM t");
    sqlite3_file *file;
    assert_int_equal(sqlite3_file_control(reader, "main", SQLITE_FCNTL_FILE_POINTER, &file),
                     SQLITE_OK);
    uint64_t before = pages_used(f->fs);
    const void *page = fetch(file, PAGE, PAGE);
    assert_non_null(page);
    db_run(writer, "UPDATE t SET a = randomblob(3000)");
    assert_true(pages_used(f->fs) > before);
    unfetch(file, 0, NULL);
    unfetch(file, 0, fetch(file, 0, PAGE));
    unfetch(file, PAGE, page);
    assert_int_equal(pages_used(f->fs), before);
    db_close(reader);
    db_close(writer);
}

/* ---------------------------------------------------------------------- calls */

static void a_page_is_where_it_lies_and_is_given_back(void **state)
{
    (void)state;
    sqlite3_file *file = open_pages("/db", 4);
    const void *page = fetch(file, PAGE, PAGE);
    assert_is_page(page, 2);
    assert_ptr_equal(fetch(file, PAGE, PAGE), page);
    assert_ptr_equal((const char *)page + 512, fetch(file, PAGE + 512, 512));
    unfetch(file, PAGE + 512, (const char *)page + 512);
    unfetch(file, PAGE, page);
    unfetch(file, PAGE, page);
    unfetch(file, 0, NULL);
    assert_ptr_equal(fetch(file, PAGE, PAGE), page);
    unfetch(file, PAGE, page);
    io_close(file);
}

static void nothing_is_fetched_behind_the_limit(void **state)
{
    (void)state;
    sqlite3_file *file = open_pages("/db", 4);
    sqlite3_int64 limit = 3 * PAGE - 1;
    assert_int_equal(io_control(file, SQLITE_FCNTL_MMAP_SIZE, &limit), SQLITE_OK);
    assert_int_equal(limit, 1 << 30); /* what it was */
    limit = -1;
    assert_int_equal(io_control(file, SQLITE_FCNTL_MMAP_SIZE, &limit), SQLITE_OK);
    assert_int_equal(limit, 3 * PAGE - 1);
    assert_null(fetch(file, 2 * PAGE, PAGE));
    const void *page = fetch(file, PAGE, PAGE);
    assert_non_null(page);
    set_limit(file, 0);
    assert_null(fetch(file, PAGE, PAGE));
    unfetch(file, PAGE, page);
    io_close(file);
}

static void what_has_no_page_is_declined(void **state)
{
    struct fixture *f = *state;
    sqlite3_file *file = open_pages("/db", 4);
    assert_int_equal(file->pMethods->xTruncate(file, 10 * PAGE), SQLITE_OK);
    uint64_t before = pages_used(f->fs);
    assert_null(fetch(file, 7 * PAGE, PAGE));  /* a hole */
    assert_null(fetch(file, 10 * PAGE, PAGE)); /* behind the end */
    assert_null(fetch(file, PAGE - 512, PAGE));
    assert_null(fetch(file, 0, 2 * PAGE)); /* larger than our pages */
    assert_int_equal(pages_used(f->fs), before);
    io_close(file);
    file = io_open("/short", MAIN_FLAGS);
    io_write(file, "short", 0);
    set_limit(file, 1 << 30);
    assert_null(fetch(file, 0, 5));
    io_close(file);
}

static void more_than_there_is_room_for_is_declined_and_the_rest_stays(void **state)
{
    struct fixture *f = *state;
    static const void *pages[MANY];
    sqlite3_file *file = open_pages("/db", MANY);
    int fetched = 0;
    for (int number = 1; number <= MANY; number++) {
        pages[number - 1] = fetch(file, (number - 1) * PAGE, PAGE);
        fetched += pages[number - 1] != NULL;
    }
    assert_in_range(fetched, 200, 1000);
    for (int number = 1; number <= MANY; number++) {
        if (pages[number - 1] == NULL)
            continue;
        assert_is_page(pages[number - 1], number);
        unfetch(file, (number - 1) * PAGE, pages[number - 1]);
    }
    const void *page = fetch(file, (MANY - 1) * PAGE, PAGE);
    assert_is_page(page, MANY);
    unfetch(file, (MANY - 1) * PAGE, page);
    uint64_t before = pages_used(f->fs);
    io_close(file);
    assert_int_equal(pages_used(f->fs), before);
}

static void without_sqlites_heap_a_fetch_is_declined(void **state)
{
    (void)state;
    sqlite3_file *file = open_pages("/db", 4);
    sqlite3_int64 before = sqlite3_hard_heap_limit64(sqlite3_memory_used() + 1);
    assert_null(fetch(file, PAGE, PAGE));
    sqlite3_hard_heap_limit64(before);
    const void *page = fetch(file, PAGE, PAGE);
    assert_is_page(page, 2);
    unfetch(file, PAGE, page);
    io_close(file);
}

/* ------------------------------------------------------------- changes meanwhile */

static void a_fetched_page_stays_when_the_file_is_cut_removed_or_replaced(void **state)
{
    struct fixture *f = *state;
    for (int way = 0; way < 4; way++) {
        sqlite3_file *file = open_pages("/db", 4);
        const void *page = fetch(file, PAGE, PAGE);
        if (way == 0)
            assert_int_equal(memfs_truncate(f->fs, "/db", 0), 0);
        if (way == 1)
            assert_int_equal(file->pMethods->xTruncate(file, PAGE), SQLITE_OK);
        if (way == 2)
            assert_int_equal(memfs_unlink(f->fs, "/db"), 0);
        if (way == 3)
            assert_int_equal(memfs_write_file(f->fs, "/db", "new", 3, 0644, 0), 0);
        sqlite3_file *other = open_pages("/other",
                                         20); /* without the check it would use a freed page */
        assert_is_page(page, 2);
        unfetch(file, PAGE, page);
        io_close(other);
        io_close(file);
        (void)memfs_unlink(f->fs, "/db");
    }
}

static void a_page_that_is_copied_to_be_written_stays_and_the_next_fetch_shows_the_new(void **state)
{
    struct fixture *f = *state;
    sqlite3_file *reader = open_pages("/db", 4);
    sqlite3_file *writer = io_open("/db", MAIN_FLAGS);
    const void *page = fetch(reader, PAGE, PAGE);
    assert_int_equal(memfs_copy(f->fs, "/db", "/copy", 0), 0);
    char changed[PAGE];
    fill(changed, 9);
    assert_int_equal(writer->pMethods->xWrite(writer, changed, PAGE, PAGE), SQLITE_OK);
    assert_is_page(page, 2);
    unfetch(reader, PAGE, page);
    assert_int_equal(io_unlock(reader, SQLITE_LOCK_NONE), SQLITE_OK); /* the transaction ends */
    page = fetch(reader, PAGE, PAGE);
    assert_is_page(page, 9);
    unfetch(reader, PAGE, page);
    io_close(writer);
    io_close(reader);
}

static void the_connections_own_change_is_seen_at_once(void **state)
{
    struct fixture *f = *state;
    sqlite3_file *file = open_pages("/db", 4);
    const void *old = fetch(file, PAGE, PAGE);
    assert_int_equal(memfs_copy(f->fs, "/db", "/copy", 0), 0);
    char changed[PAGE];
    fill(changed, 9);
    assert_int_equal(file->pMethods->xWrite(file, changed, PAGE, PAGE), SQLITE_OK);
    const void *new = fetch(file, PAGE, PAGE);
    assert_is_page(old, 2);
    assert_is_page(new, 9);
    unfetch(file, PAGE, old);
    unfetch(file, PAGE, new);
    assert_int_equal(file->pMethods->xTruncate(file, PAGE), SQLITE_OK);
    assert_null(fetch(file, PAGE, PAGE));
    io_close(file);
}

static void an_undone_transaction_leaves_the_old_pages_to_be_fetched(void **state)
{
    (void)state;
    sqlite3_file *file = open_pages("/db", 4);
    char changed[PAGE];
    fill(changed, 9);
    io_begin_writing(file);
    const void *page = fetch(file, PAGE, PAGE);
    assert_int_equal(file->pMethods->xWrite(file, changed, PAGE, PAGE), SQLITE_OK);
    const void *written = fetch(file, PAGE, PAGE);
    assert_is_page(written, 9);
    assert_int_equal(io_unlock(file, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_is_page(page, 2);
    assert_is_page(written, 9);
    unfetch(file, PAGE, written);
    const void *again = fetch(file, PAGE, PAGE);
    assert_ptr_equal(again, page);
    unfetch(file, PAGE, page);
    unfetch(file, PAGE, again);
    io_close(file);
}

/* ---------------------------------------------------------------------- memory */

static void what_an_idle_connection_keeps_is_let_go_when_the_file_is_cut(void **state)
{
    struct fixture *f = *state;
    sqlite3_file *idle = open_pages("/db", 100);
    sqlite3_file *writer = io_open("/db", MAIN_FLAGS);
    assert_int_equal(io_lock(idle, SQLITE_LOCK_SHARED), SQLITE_OK);
    for (int number = 1; number <= 100; number++)
        unfetch(idle, (number - 1) * PAGE, fetch(idle, (number - 1) * PAGE, PAGE));
    assert_int_equal(io_unlock(idle, SQLITE_LOCK_NONE), SQLITE_OK);
    uint64_t before = pages_used(f->fs);
    io_begin_writing(writer);
    assert_int_equal(writer->pMethods->xTruncate(writer, PAGE), SQLITE_OK);
    assert_int_equal(io_control(writer, SQLITE_FCNTL_COMMIT_PHASETWO, NULL), SQLITE_OK);
    assert_int_equal(io_unlock(writer, SQLITE_LOCK_NONE), SQLITE_OK);
    assert_int_equal(pages_used(f->fs), before - 99);
    io_close(writer);
    io_close(idle);
}

/* ------------------------------------------------------------------------- SQL */

static const char *const modes[] = {"DELETE", "TRUNCATE", "PERSIST", "MEMORY", "OFF", "WAL"};
#define MODES (sizeof modes / sizeof *modes)

static void make_table(sqlite3 *db, const char *mode)
{
    db_run(db, "PRAGMA mmap_size=1000000000; PRAGMA journal_mode=%s; PRAGMA cache_size=10", mode);
    db_run(db, "DROP TABLE IF EXISTS t; CREATE TABLE t(a INTEGER PRIMARY KEY, b)");
    db_run(db, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<3000)"
               " INSERT INTO t SELECT x, printf('%%0200d', x) FROM c");
}

static void a_scan_goes_on_while_its_connection_changes_what_it_reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODES; i++) {
        sqlite3 *db = db_open("/db");
        make_table(db, modes[i]);
        sqlite3_stmt *scan;
        int rows = 0;
        assert_int_equal(sqlite3_prepare_v2(db, "SELECT a FROM t ORDER BY a", -1, &scan, NULL),
                         SQLITE_OK);
        for (; sqlite3_step(scan) == SQLITE_ROW; rows++) {
            int a = sqlite3_column_int(scan, 0);
            assert_int_equal(a, rows + 1);
            if (a % 7 == 0)
                db_run(db, "UPDATE t SET b=zeroblob(%d) WHERE a=%d", a, a);
        }
        assert_int_equal(rows, 3000);
        assert_int_equal(sqlite3_finalize(scan), SQLITE_OK);
        db_assert_whole(db);
        db_run(db, "PRAGMA journal_mode=DELETE");
        db_close(db);
    }
}

static void a_rollback_is_seen_by_a_scan_that_waits(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODES; i++) {
        sqlite3 *db = db_open("/db");
        make_table(db, modes[i]);
        sqlite3_stmt *scan;
        assert_int_equal(sqlite3_prepare_v2(db, "SELECT a, b FROM t", -1, &scan, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(scan), SQLITE_ROW);
        db_run(db, "BEGIN; UPDATE t SET b='new'");
        assert_int_equal(db_number(db, "SELECT count(*) FROM t WHERE b='new'"), 3000);
        db_run(db, "ROLLBACK");
        int rc = sqlite3_step(scan);
        if (strcmp(modes[i], "OFF") == 0)
            assert_int_equal(rc, SQLITE_ABORT); /* it has no journal to go back by */
        else
            assert_int_equal(rc, SQLITE_ROW);
        if (rc == SQLITE_ROW)
            assert_string_not_equal(sqlite3_column_text(scan, 1), "new");
        (void)sqlite3_finalize(scan);
        assert_int_equal(db_number(db, "SELECT count(*) FROM t WHERE b='new'"), 0);
        db_assert_whole(db);
        db_run(db, "PRAGMA journal_mode=DELETE");
        db_close(db);
    }
}

static void a_reader_keeps_its_snapshot_through_writes_and_checkpoints(void **state)
{
    (void)state;
    sqlite3 *reader = db_open("/db");
    sqlite3 *writer = db_open("/db");
    make_table(writer, "WAL");
    db_run(writer, "PRAGMA wal_checkpoint(TRUNCATE)");
    db_run(reader, "PRAGMA mmap_size=1000000000; PRAGMA cache_size=1");
    sqlite3_stmt *scan;
    assert_int_equal(sqlite3_prepare_v2(reader, "SELECT a, b FROM t", -1, &scan, NULL), SQLITE_OK);
    int rows = 0;
    for (; sqlite3_step(scan) == SQLITE_ROW; rows++) {
        char expected[210];
        sqlite3_snprintf(sizeof expected, expected, "%0200d", rows + 1);
        assert_string_equal(sqlite3_column_text(scan, 1), expected);
        if (rows % 100 == 0) {
            db_run(writer, "UPDATE t SET b='new' WHERE a %% 100 = %d", rows / 100);
            db_run(writer, "PRAGMA wal_checkpoint(PASSIVE)");
        }
    }
    assert_int_equal(rows, 3000);
    assert_int_equal(sqlite3_finalize(scan), SQLITE_OK);
    db_run(writer, "PRAGMA wal_checkpoint(TRUNCATE)");
    assert_int_equal(db_number(reader, "SELECT count(*) FROM t WHERE b='new'"), 900);
    db_assert_whole(reader);
    db_close(writer);
    db_close(reader);
}

static void a_vacuum_gives_the_memory_back_under_connections_that_mapped_it(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < MODES; i++) {
        sqlite3 *idle = db_open("/db");
        sqlite3 *writer = db_open("/db");
        make_table(writer, modes[i]);
        if (i == MODES - 1)
            db_run(writer, "PRAGMA wal_checkpoint(TRUNCATE)");
        db_run(idle, "PRAGMA mmap_size=1000000000");
        assert_int_equal(db_number(idle, "SELECT sum(length(b)) FROM t"), 3000 * 200);
        db_run(writer, "DELETE FROM t; VACUUM");
        if (i == MODES - 1)
            db_run(writer, "PRAGMA wal_checkpoint(TRUNCATE)");
        uint64_t kept = pages_used(f->fs);
        assert_int_equal(db_number(idle, "SELECT count(*) FROM t"), 0);
        db_close(idle);
        db_run(writer, "SELECT * FROM t");
        assert_int_equal(pages_used(f->fs), kept);
        db_run(writer, "PRAGMA journal_mode=DELETE");
        db_close(writer);
    }
}

static void the_page_size_can_change_under_a_mapping(void **state)
{
    (void)state;
    static const int sizes[] = {512, 65536, 1024, 8192, 4096, 2048};
    sqlite3 *other = db_open("/db");
    sqlite3 *db = db_open("/db");
    make_table(db, "PERSIST");
    db_run(other, "PRAGMA mmap_size=1000000000");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        db_run(db, "PRAGMA page_size=%d; VACUUM", sizes[i]);
        assert_int_equal(db_number(db, "PRAGMA page_size"), sizes[i]);
        assert_int_equal(db_number(db, "SELECT sum(length(b)) FROM t"), 3000 * 200);
        assert_int_equal(db_number(other, "SELECT sum(length(b)) FROM t"), 3000 * 200);
        db_assert_whole(other);
    }
    db_close(db);
    db_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(a_page_is_where_it_lies_and_is_given_back),
        SQLITE_TEST(a_replaced_page_is_freed_when_it_is_given_back),
        SQLITE_TEST(nothing_is_fetched_behind_the_limit),
        SQLITE_TEST(what_has_no_page_is_declined),
        SQLITE_TEST(more_than_there_is_room_for_is_declined_and_the_rest_stays),
        SQLITE_TEST(without_sqlites_heap_a_fetch_is_declined),
        SQLITE_TEST(a_fetched_page_stays_when_the_file_is_cut_removed_or_replaced),
        SQLITE_TEST(a_page_that_is_copied_to_be_written_stays_and_the_next_fetch_shows_the_new),
        SQLITE_TEST(the_connections_own_change_is_seen_at_once),
        SQLITE_TEST(an_undone_transaction_leaves_the_old_pages_to_be_fetched),
        SQLITE_TEST(what_an_idle_connection_keeps_is_let_go_when_the_file_is_cut),
        SQLITE_TEST(a_scan_goes_on_while_its_connection_changes_what_it_reads),
        SQLITE_TEST(a_rollback_is_seen_by_a_scan_that_waits),
        SQLITE_TEST(a_reader_keeps_its_snapshot_through_writes_and_checkpoints),
        SQLITE_TEST(a_vacuum_gives_the_memory_back_under_connections_that_mapped_it),
        SQLITE_TEST(the_page_size_can_change_under_a_mapping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
