/*
 * How many bytes SQLite has copied to it, and what it maps instead.  The linker puts the
 * counting functions below in place of memfs's.
 */
#include "sqlite_fixture.h"

#include <memfs/storage.h>

static uint64_t bytes_copied;
static unsigned pages_mapped;

int64_t __real_memfs_pread(memfs_file *file, void *buffer, size_t length, int64_t offset);
int64_t __wrap_memfs_pread(memfs_file *file, void *buffer, size_t length, int64_t offset);
int64_t __wrap_memfs_pread(memfs_file *file, void *buffer, size_t length, int64_t offset)
{
    bytes_copied += length;
    return __real_memfs_pread(file, buffer, length, offset);
}

int __real_memfs_map_present(memfs_file *file, int64_t offset, size_t length, memfs_mapping *out);
int __wrap_memfs_map_present(memfs_file *file, int64_t offset, size_t length, memfs_mapping *out);
int __wrap_memfs_map_present(memfs_file *file, int64_t offset, size_t length, memfs_mapping *out)
{
    pages_mapped++;
    return __real_memfs_map_present(file, offset, length, out);
}

/* 2000 rows on 1000 pages. */
static sqlite3 *open_large(const char *journal_mode)
{
    sqlite3 *db = db_open("/db");
    db_run(db, "PRAGMA journal_mode=%s; CREATE TABLE t(a INTEGER PRIMARY KEY, b)", journal_mode);
    db_run(db, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<2000)"
               " INSERT INTO t SELECT x, zeroblob(1900) FROM c");
    db_close(db);
    db = db_open("/db");
    db_run(db, "PRAGMA cache_size=5; SELECT count(*) FROM sqlite_schema");
    return db;
}

#define SUM "SELECT sum(length(b)) FROM t"

static void a_database_is_read_without_copying_its_pages(void **state)
{
    (void)state;
    static const char *const modes[] = {"DELETE", "WAL"};
    for (int i = 0; i < 2; i++) {
        sqlite3 *db = open_large(modes[i]);
        bytes_copied = pages_mapped = 0;
        assert_int_equal(db_number(db, SUM), 2000 * 1900);
        assert_true(bytes_copied >= 1000 * 4096); /* the count counts */
        assert_int_equal(pages_mapped, 0);
        db_run(db, "PRAGMA mmap_size=100000000; SELECT count(*) FROM sqlite_schema");
        bytes_copied = 0;
        assert_int_equal(db_number(db, SUM), 2000 * 1900);
        assert_true(bytes_copied < 4096); /* 16 bytes a transaction */
        assert_in_range(pages_mapped, 1000, 1100);
        db_run(db, "PRAGMA journal_mode=DELETE; DROP TABLE t");
        db_close(db);
    }
}

static void a_page_that_was_read_before_is_not_mapped_again(void **state)
{
    (void)state;
    static const char *const modes[] = {"DELETE", "WAL"};
    for (int i = 0; i < 2; i++) {
        sqlite3 *db = open_large(modes[i]);
        db_run(db, "PRAGMA mmap_size=100000000; SELECT length(b) FROM t WHERE a=1000");
        bytes_copied = pages_mapped = 0;
        for (int round = 0; round < 50; round++)
            assert_int_equal(db_number(db, "SELECT length(b) FROM t WHERE a=1000"), 1900);
        assert_int_equal(pages_mapped, 0);
        assert_true(bytes_copied <= 50 * 16);
        db_run(db, "PRAGMA journal_mode=DELETE; DROP TABLE t");
        db_close(db);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(a_database_is_read_without_copying_its_pages),
        SQLITE_TEST(a_page_that_was_read_before_is_not_mapped_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
