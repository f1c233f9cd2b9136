#include "sqlite_fixture.h"

#include "shim.h"

#include <stdlib.h>
#include <string.h>

#define MMAP_VARIABLE "MEMFS_TEST_MMAP_SIZE"
#define SHIM_VARIABLE "MEMFS_TEST_SHIM"
#define QUOTA_BYTES ((uint64_t)64 << 20)

/* For suites that are run once more with pages read where they lie. */
static void map_by_default(void)
{
    const char *bytes = getenv(MMAP_VARIABLE);
    if (bytes == NULL)
        return;
    sqlite3_int64 size = strtoll(bytes, NULL, 10);
    (void)sqlite3_config(SQLITE_CONFIG_MMAP_SIZE, size, size); /* refused once SQLite has started */
}

static int setup(void **state, uint32_t page_size)
{
    map_by_default();
    memfs_config config = memfs_config_default();
    config.quota_bytes = QUOTA_BYTES;
    config.page_size = page_size;
    struct fixture *f = fixture_create(&config);
    if (f == NULL ||
        memfs_sqlite_register(f->fs, TEST_VFS, MEMFS_SQLITE_REGISTER_NO_EMERGENCY_RESERVE) != 0)
        return -1;
    *state = f;
    return 0;
}

int sqlite_setup(void **state)
{
    return setup(state, MEMFS_PAGE_SIZE_DEFAULT);
}

int sqlite_setup_with_512_byte_pages(void **state)
{
    return setup(state, 512);
}

int sqlite_setup_with_65536_byte_pages(void **state)
{
    return setup(state, 65536);
}

int sqlite_teardown(void **state)
{
    if (memfs_sqlite_unregister(TEST_VFS) != 0)
        return -1;
    return fixture_teardown(state);
}

bool db_opens_below_a_shim(void)
{
    return getenv(SHIM_VARIABLE) != NULL;
}

/* For suites that are run once more below another VFS. */
static const char *vfs_to_open_with(void)
{
    const char *names = getenv(SHIM_VARIABLE);
    if (names == NULL)
        return TEST_VFS;
    return shim_lay(strcmp(names, "copies") == 0 ? SHIM_COPIES_NAMES : SHIM_KEEPS_NAMES);
}

sqlite3 *db_open(const char *path)
{
    sqlite3 *db;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
    assert_int_equal(sqlite3_open_v2(path, &db, flags, vfs_to_open_with()), SQLITE_OK);
    sqlite3_extended_result_codes(db, 1);
    return db;
}

void db_close(sqlite3 *db)
{
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int db_try(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

void db_run(sqlite3 *db, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *sql = sqlite3_vmprintf(format, arguments);
    va_end(arguments);
    assert_non_null(sql);
    int rc = db_try(db, sql);
    if (rc != SQLITE_OK)
        fail_msg("%s: %s (%d)", sql, sqlite3_errmsg(db), rc);
    sqlite3_free(sql);
}

char *db_text(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (rc != SQLITE_ROW)
        fail_msg("%s: %s (%d)", sql, sqlite3_errmsg(db), rc);
    const unsigned char *value = sqlite3_column_text(statement, 0);
    char *text = sqlite3_mprintf("%s", value != NULL ? (const char *)value : "");
    assert_non_null(text);
    sqlite3_finalize(statement);
    return text;
}

int64_t db_number(sqlite3 *db, const char *sql)
{
    char *text = db_text(db, sql);
    int64_t number = strtoll(text, NULL, 10);
    sqlite3_free(text);
    return number;
}

void db_assert_text(sqlite3 *db, const char *sql, const char *expected)
{
    char *text = db_text(db, sql);
    assert_string_equal(text, expected);
    sqlite3_free(text);
}

void db_assert_whole(sqlite3 *db)
{
    db_assert_text(db, "PRAGMA integrity_check", "ok");
}

uint64_t pages_used(memfs *fs)
{
    return statfs_of(fs).pages_used;
}

void quota_leave(struct fixture *f, uint64_t more)
{
    fixture_leave(f, more);
}

void quota_lift(struct fixture *f)
{
    fixture_set_quota(f, QUOTA_BYTES);
}
