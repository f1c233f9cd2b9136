/*
 * Damaged databases, opened through the VFS without a quota.
 *
 * An input is a script: which of the good databases that this program makes at its start, with the
 * journal or the WAL of a transaction under way; how it is opened; and the edits, each of which
 * overwrites, cuts or lengthens one of its files.  What SQLite makes of them is its own affair.
 * Ours is that nothing is asked of memory in proportion to what a damaged page says, that nothing
 * is left behind, and that the file system is whole.
 */
#include "fuzz.h"

#include "tracking_allocator.h"

#include <memfs/sqlite.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILES = 2,              /* the database; its journal or WAL */
    MEMORY_MOST = 24 << 20, /* of memfs; the databases have some hundred KiB */
    SQLITE_MOST = 64 << 20, /* of SQLite's heap */
    CHECKED_PAGES_MOST = 100 * 1000,
    STEPS_MOST = 2000, /* calls of the progress handler */
    EDITS_MOST = 24,
    EDIT_BYTES_MOST = 24,
    INPUT_MOST = 256
};

/* --------------------------------------------------------------- good databases */

struct good {
    const char *journal_mode;
    const char *sibling; /* what the second file is */
    int page_size;
    const char *pragmas;
};

static const struct good goods[] = {
    {"DELETE", "/d.db-journal", 512, "PRAGMA auto_vacuum=FULL"},
    {"PERSIST", "/d.db-journal", 1024, "PRAGMA auto_vacuum=INCREMENTAL"},
    {"TRUNCATE", "/d.db-journal", 4096, "PRAGMA secure_delete=ON"},
    {"WAL", "/d.db-wal", 512, "PRAGMA auto_vacuum=NONE"},
    {"WAL", "/d.db-wal", 4096, "PRAGMA encoding='UTF-16le'"},
    {"DELETE", "/d.db-journal", 65536, "PRAGMA auto_vacuum=NONE"},
};

enum { GOODS = sizeof goods / sizeof *goods };

struct image {
    unsigned char *bytes;
    size_t size;
};

static struct image images[GOODS][FILES];

static const char *path_of(const struct good *good, int file)
{
    return file == 0 ? "/d.db" : good->sibling;
}

static void must(sqlite3 *db, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) == SQLITE_OK)
        return;
    fprintf(stderr, "%s: %s\n", sql, message);
    abort();
}

static void keep(memfs *fs, const char *path, struct image *image)
{
    void *bytes = NULL;
    FUZZ_CHECK(memfs_read_file(fs, path, MEMORY_MOST, &bytes, &image->size) == 0);
    image->bytes = malloc(image->size + 1);
    FUZZ_CHECK(image->bytes != NULL);
    memcpy(image->bytes, bytes, image->size);
    memfs_free(fs, bytes);
}

/* In the middle of a transaction that has spilled, so that the journal is hot. */
static void make_good(const struct good *good, struct image made[FILES])
{
    memfs *fs = NULL;
    sqlite3 *db = NULL;
    char sql[200];
    struct tracking_allocator allocator;
    memfs_config config = memfs_config_default();
    tracking_allocator_init(&allocator, 0);
    config.allocator = tracking_hooks(&allocator);
    FUZZ_CHECK(memfs_create(&config, &fs) == 0);
    FUZZ_CHECK(memfs_sqlite_register(fs, "good", 0) == 0);
    FUZZ_CHECK(sqlite3_open_v2("/d.db", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "good") ==
               SQLITE_OK);
    (void)snprintf(sql, sizeof sql, "PRAGMA page_size=%d; %s; PRAGMA journal_mode=%s;",
                   good->page_size, good->pragmas, good->journal_mode);
    must(db, sql);
    must(db, "PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=4;"
             "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT UNIQUE, body BLOB);"
             "CREATE TABLE w(k TEXT PRIMARY KEY, v) WITHOUT ROWID;"
             "CREATE INDEX t_body ON t(substr(body, 1, 8), name);"
             "CREATE VIEW joined AS SELECT t.id, w.v FROM t JOIN w ON w.k = t.name;"
             "CREATE TRIGGER g AFTER DELETE ON t BEGIN DELETE FROM w WHERE k = old.name; END;"
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)"
             " INSERT INTO t SELECT i, 'name ' || i, zeroblob(i * 37) FROM n;"
             "INSERT INTO w SELECT name, id FROM t;"
             "DELETE FROM t WHERE id % 3 = 0;"
             "BEGIN; UPDATE t SET body = zeroblob(900); DELETE FROM w WHERE v % 2 = 0;");
    FUZZ_CHECK(sqlite3_db_cacheflush(db) == SQLITE_OK);
    for (int file = 0; file < FILES; file++)
        keep(fs, path_of(good, file), &made[file]);
    FUZZ_CHECK(sqlite3_close(db) == SQLITE_OK);
    FUZZ_CHECK(memfs_sqlite_unregister("good") == 0);
    FUZZ_CHECK(memfs_destroy(fs, 0) == 0);
    tracking_assert_empty(&allocator);
}

/* ------------------------------------------------------------------------ edits */

static void overwrite(struct fuzz_reader *reader, memfs *fs, const char *path, uint64_t size)
{
    unsigned char bytes[EDIT_BYTES_MOST];
    uint64_t at = fuzz_take_u32(reader) % (size + 1);
    size_t count = fuzz_take_byte(reader) % EDIT_BYTES_MOST;
    for (size_t i = 0; i < count; i++)
        bytes[i] = fuzz_take_byte(reader);
    memfs_file *file = NULL;
    FUZZ_CHECK(memfs_open(fs, path, MEMFS_O_RDWR, 0, &file) == 0);
    FUZZ_CHECK(memfs_pwrite(file, bytes, count, (int64_t)at) == (int64_t)count);
    FUZZ_CHECK(memfs_close(file) == 0);
}

static void edit(struct fuzz_reader *reader, memfs *fs, const struct good *good)
{
    uint8_t kind = fuzz_take_byte(reader);
    const char *path = path_of(good, kind % FILES);
    memfs_stat_info info = {.struct_size = sizeof info};
    if (memfs_stat(fs, path, &info) != 0)
        return;
    switch (kind / FILES % 8) {
    case 0: /* a page less or more, or a part of one */
        FUZZ_CHECK(memfs_truncate(fs, path,
                                  (int64_t)(fuzz_take_u32(reader) % (2 * info.size_bytes + 1))) ==
                   0);
        break;
    case 1:
        FUZZ_CHECK(memfs_truncate(fs, path, (int64_t)fuzz_take_u32(reader) << 8) == 0);
        break;
    case 2:
        FUZZ_CHECK(memfs_unlink(fs, path) == 0);
        break;
    default:
        overwrite(reader, fs, path, info.size_bytes);
    }
}

/* -------------------------------------------------------------------------- use */

static int stop_long_ones(void *steps)
{
    return ++*(int *)steps > STEPS_MOST;
}

/* Whatever comes of it. */
static void try_to(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    while (sql != NULL && *sql != '\0' &&
           sqlite3_prepare_v2(db, sql, -1, &statement, &sql) == SQLITE_OK) {
        int rows = 0;
        while (rows++ < 500 && sqlite3_step(statement) == SQLITE_ROW)
            (void)sqlite3_column_bytes(statement, 0);
        (void)sqlite3_finalize(statement);
    }
}

/* After it has played back the journal. */
static int64_t count_pages(sqlite3 *db)
{
    sqlite3_stmt *statement = NULL;
    int64_t pages = -1;
    if (sqlite3_prepare_v2(db, "PRAGMA page_count", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        pages = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return pages;
}

/* The page cache of SQLite 3.40 crashes on a file of nearly 2^32 pages, with any VFS. */
static bool reaches_last_pages(sqlite3 *db)
{
    sqlite3_file *file = NULL;
    sqlite3_int64 size = 0;
    (void)sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    return file == NULL || file->pMethods == NULL ||
           file->pMethods->xFileSize(file, &size) != SQLITE_OK || size / 512 > UINT32_MAX - 100;
}

/* What looks at each page that a header claims is done up to some size only. */
static void try_everything(sqlite3 *db)
{
    int64_t pages = count_pages(db);
    if (reaches_last_pages(db))
        return;
    try_to(db, "SELECT count(*), sum(length(body)) FROM t; SELECT * FROM joined;"
               "SELECT name FROM t ORDER BY substr(body, 1, 8) DESC");
    if (pages <= CHECKED_PAGES_MOST)
        try_to(db, "PRAGMA integrity_check(5)");
    try_to(db, "INSERT INTO t VALUES(NULL, 'new', zeroblob(5000));"
               "UPDATE t SET name = name || '!' WHERE id < 20; DELETE FROM t WHERE id > 40;"
               "PRAGMA incremental_vacuum(3); PRAGMA wal_checkpoint(TRUNCATE)");
    if (pages <= CHECKED_PAGES_MOST)
        try_to(db, "VACUUM");
}

static void use(const char *uri, uint8_t how)
{
    int steps = 0;
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(uri, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, "fuzz");
    if (rc == SQLITE_OK) {
        sqlite3_progress_handler(db, 1000, stop_long_ones, &steps);
        if (how & 1)
            try_to(db, "PRAGMA mmap_size=1000000000");
        if (how & 2)
            try_to(db, "PRAGMA locking_mode=EXCLUSIVE");
        if (how & 4)
            try_to(db, "PRAGMA cell_size_check=ON; PRAGMA cache_size=2");
        try_everything(db);
    }
    (void)sqlite3_close(db);
}

static void take(const uint8_t *bytes, size_t size)
{
    struct fuzz_reader reader = {bytes, size};
    struct tracking_allocator allocator;
    memfs_config config = memfs_config_default();
    memfs *fs = NULL;
    if (images[0][0].bytes == NULL) {
        (void)sqlite3_hard_heap_limit64(SQLITE_MOST);
        for (int i = 0; i < GOODS; i++)
            make_good(&goods[i], images[i]);
    }
    int number = fuzz_take_byte(&reader) % GOODS;
    uint8_t how = fuzz_take_byte(&reader);
    tracking_allocator_init(&allocator, MEMORY_MOST); /* it aborts beyond that */
    config.allocator = tracking_hooks(&allocator);
    config.quota_bytes = MEMFS_UNLIMITED;
    FUZZ_CHECK(memfs_create(&config, &fs) == 0);
    FUZZ_CHECK(memfs_sqlite_register(fs, "fuzz", 0) == 0);
    for (int file = 0; file < FILES; file++)
        FUZZ_CHECK(memfs_write_file(fs, path_of(&goods[number], file), images[number][file].bytes,
                                    images[number][file].size, 0644, 0) == 0);
    for (int i = 0; i < EDITS_MOST && reader.left > 0; i++)
        edit(&reader, fs, &goods[number]);
    use((how & 8) != 0 ? "file:/d.db?memfs_mvcc=1" : "file:/d.db", how);
    if (how & 16) /* what is left of it, by another connection */
        use("file:/d.db", (uint8_t)(how >> 5));
    FUZZ_CHECK(memfs_sqlite_unregister("fuzz") == 0);
    FUZZ_CHECK(memfs_audit(fs) == 0);
    FUZZ_CHECK(memfs_destroy(fs, 0) == 0);
    tracking_assert_empty(&allocator);
}

/* ------------------------------------------------------------------------ seeds */

enum { OVERWRITE_DB = 14, OVERWRITE_SIBLING = 15, CUT_DB = 0, CUT_SIBLING = 1, STRETCH_DB = 2 };

static size_t seed(unsigned number, uint8_t *bytes, size_t capacity)
{
    /* The first of each: sound; then fields of the headers of databases, journals and WALs. */
    static const struct {
        uint8_t length;
        uint8_t script[16];
    } edits[] = {
        {0, {0}},
        {10, {OVERWRITE_DB, 28, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xfe}},      /* size in pages */
        {10, {OVERWRITE_DB, 32, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xfe}},      /* first free page */
        {10, {OVERWRITE_DB, 36, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff}},      /* free pages */
        {8, {OVERWRITE_DB, 16, 0, 0, 0, 2, 0x00, 0x01}},                   /* page size */
        {10, {OVERWRITE_DB, 52, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff}},      /* largest root */
        {10, {OVERWRITE_DB, 103, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff}},     /* cells of page 1 */
        {10, {OVERWRITE_SIBLING, 8, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff}},  /* records; page size */
        {10, {OVERWRITE_SIBLING, 16, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff}}, /* pages; salt */
        {10, {OVERWRITE_SIBLING, 20, 0, 0, 0, 4, 0x80, 0, 0, 0}},          /* sector size */
        {10, {OVERWRITE_SIBLING, 24, 0, 0, 0, 4, 0, 1, 0, 0}},             /* page size */
        {10, {OVERWRITE_SIBLING, 32, 0, 0, 0, 8, 0x7f, 0xff, 0xff, 0xff}}, /* frame header */
        {5, {CUT_DB, 0xff, 3, 0, 0}},
        {5, {CUT_SIBLING, 0xff, 1, 0, 0}},
        {5, {STRETCH_DB, 0, 0, 0, 0x40}},
    };
    enum { EDITS = sizeof edits / sizeof *edits };
    if (number >= EDITS * GOODS || capacity < 2 + sizeof edits->script)
        return 0;
    bytes[0] = (uint8_t)(number % GOODS);
    bytes[1] = (uint8_t)(number * 13);
    memcpy(bytes + 2, edits[number / GOODS].script, edits[number / GOODS].length);
    return 2u + edits[number / GOODS].length;
}

static const char *const words[] = {
    "\x7f\xff\xff\xff", "\x80\x01", "\xff\xff\xff\xff", "\x0d", "\x05", "\x0a", "\x02", NULL};

const struct fuzz_target fuzz_target = {
    .take = take, .seed = seed, .size_max = INPUT_MOST, .words = words};
