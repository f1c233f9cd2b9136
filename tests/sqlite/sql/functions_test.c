/* The SQL functions: what they do, what they refuse, and what a refusal leaves. */
#include "query_fixture.h"
#include "sqlite_fixture.h"

#include <stdlib.h>
#include <string.h>

static void what_is_written_is_read_back(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, 0);
    query_is(db, "SELECT memfs_write('/a/b/c', x'00ff00')", "3");
    query_is(db, "SELECT hex(memfs_read('/a/b/c')), typeof(memfs_read('/a/b/c'))", "00FF00|blob");
    query_is(db, "SELECT memfs_write('/a/b/c', 'text'), memfs_read('/a/b/c')", "4|text");
    query_is(db, "SELECT memfs_write('relative', 42), memfs_read('/relative')", "2|42");
    query_is(db, "SELECT memfs_write('/empty', x''), memfs_write('/empty too', '')", "0|0");
    query_is(db, "SELECT typeof(memfs_read('/empty')), length(memfs_read('/empty too'))", "blob|0");
    query_is(db, "SELECT memfs_write(x'2f62', zeroblob(100000)), length(memfs_read('/b'))",
             "100000|100000");
    assert_int_equal(memfs_audit(f->fs), 0);
    query_close(db);
}

static void text_is_written_in_utf8_whatever_the_encoding_of_the_database(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, 0);
    query_is(db, "PRAGMA encoding='UTF-16le'", "");
    query_is(db, "CREATE TABLE t(p, v)", "");
    query_is(db, "INSERT INTO t VALUES('/\xC3\xA4', '\xC3\xA4z')", "");
    query_is(db, "SELECT memfs_write(p, v), hex(memfs_read(p)) FROM t", "3|C3A47A");
    query_is(db, "SELECT path FROM memfs_tree WHERE kind='file'", "/\xC3\xA4");
    query_close(db);
}

static void a_path_that_is_a_blob_means_its_bytes_whatever_the_encoding(void **state)
{
    static const char *const encodings[] = {"UTF-8", "UTF-16le", "UTF-16be"};
    struct fixture *f = *state;
    for (int index = 0; index < 3; index++) {
        char sql[64];
        sqlite3 *db = query_open(f->fs, 0);
        sqlite3_snprintf(sizeof sql, sql, "PRAGMA encoding='%s'", encodings[index]);
        query_is(db, sql, "");
        query_is(db, "SELECT memfs_write(x'2f6f6464', 'odd'), memfs_write(x'2fff2f66', 'x')",
                 "3|1");
        assert_int_equal(memfs_exists(f->fs, "/odd"), 1);
        assert_int_equal(memfs_exists(f->fs, "/\xFF/f"), 1);
        query_is(db, "SELECT memfs_rename(x'2f6f6464', x'2f6e6577'), memfs_exists(x'2f6e6577')",
                 "NULL|1");
        query_is(db, "SELECT memfs_exists(x'')", "0");
        query_fails(db, "SELECT memfs_exists(x'2f00')", SQLITE_ERROR, "NUL");
        query_is(db, "SELECT memfs_remove('/new'), memfs_remove_tree(x'2fff')", "NULL|NULL");
        query_close(db);
    }
}

static void a_part_of_a_file_is_read(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, 0);
    query_is(db, "SELECT memfs_write('/f', '0123456789')", "10");
    query_is(db, "SELECT memfs_read('/f', 7), memfs_read('/f', 2, 3), memfs_read('/f', 8, 99)",
             "789|234|89");
    query_is(db,
             "SELECT length(memfs_read('/f', 10)), length(memfs_read('/f', 11, 1)), "
             "length(memfs_read('/f', 0, 0)), length(memfs_read('/f', 9223372036854775807))",
             "0|0|0|0");
    const char *const refused[] = {
        "SELECT memfs_read('/f', -1)",     "SELECT memfs_read('/f', NULL)",
        "SELECT memfs_read('/f', 0, -1)",  "SELECT memfs_read('/f', 0, NULL)",
        "SELECT memfs_read('/f', 'here')", "SELECT memfs_read('/f', 1.5)",
    };
    for (size_t index = 0; index < sizeof refused / sizeof *refused; index++)
        query_fails(db, refused[index], SQLITE_ERROR, "invalid argument");
    query_fails(db, "SELECT memfs_read('/g')", SQLITE_ERROR,
                "memfs_read: /g: no such file or directory");
    query_fails(db, "SELECT memfs_read('/')", SQLITE_ERROR, "memfs_read: /: is a directory");
    query_close(db);
}

static void more_than_sqlite_takes_is_too_big_and_a_part_of_it_is_not(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, 0);
    assert_int_equal(memfs_write_file(f->fs, "/huge", "start", 5, 0644, 0), 0);
    assert_int_equal(memfs_truncate(f->fs, "/huge", INT64_C(1) << 40), 0);
    query_fails(db, "SELECT memfs_read('/huge')", SQLITE_TOOBIG, "/huge: file too large");
    query_is(db, "SELECT memfs_read('/huge', 0, 5)", "start");
    query_is(db, "SELECT length(memfs_read('/huge', 1099511627770, 100))", "6");
    query_close(db);
}

static void appending_makes_the_file_and_its_parents_and_then_goes_on(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, 0);
    query_is(db, "SELECT memfs_append('/log/today', 'one,'), memfs_append('/log/today', 'two')",
             "4|3");
    query_is(db, "SELECT memfs_read('/log/today')", "one,two");
    query_fails(db, "SELECT memfs_append('/log', 'x')", SQLITE_ERROR, "is a directory");
    query_fails(db, "SELECT memfs_append('/log/today/x', 'x')", SQLITE_ERROR, "not a directory");
    assert_int_equal(memfs_symlink(f->fs, "/nowhere", "/dangling", 0), 0);
    query_fails(db, "SELECT memfs_append('/dangling', 'x')", SQLITE_ERROR, "no such file");
    assert_int_equal(memfs_symlink(f->fs, "/log/today", "/link", 0), 0);
    query_is(db, "SELECT memfs_append('/link', '!'), memfs_read('/log/today')", "1|one,two!");
    query_close(db);
}

static void names_are_deleted_and_full_directories_only_as_trees(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, 0);
    query_is(db, "SELECT memfs_write('/d/f', 'x'), memfs_mkdir('/d/e/g')", "1|NULL");
    query_fails(db, "SELECT memfs_remove('/d')", SQLITE_ERROR,
                "memfs_remove: /d: directory not empty");
    query_is(db, "SELECT memfs_remove('/d/f'), memfs_remove('/d/e/g')", "NULL|NULL");
    query_is(db, "SELECT memfs_exists('/d/f'), memfs_exists('/d/e/g'), memfs_exists('/d/e')",
             "0|0|1");
    query_fails(db, "SELECT memfs_remove('/d/f')", SQLITE_ERROR, "no such file or directory");
    query_is(db, "SELECT memfs_remove_tree('/d'), memfs_exists('/d')", "NULL|0");
    query_fails(db, "SELECT memfs_remove_tree('/d')", SQLITE_ERROR, "no such file or directory");
    query_fails(db, "SELECT memfs_remove_tree('/')", SQLITE_ERROR, "in use");
    query_close(db);
}

static void renaming_makes_parents_and_replaces(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, 0);
    query_is(db, "SELECT memfs_write('/a', '1'), memfs_write('/b', '2')", "1|1");
    query_is(db, "SELECT memfs_rename('/a', '/x/y/a'), memfs_rename('/x/y/a', '/b')", "NULL|NULL");
    query_is(db, "SELECT memfs_read('/b'), memfs_exists('/a'), memfs_exists('/x/y')", "1|0|1");
    query_fails(db, "SELECT memfs_rename('/a', '/c')", SQLITE_ERROR,
                "memfs_rename: /a to /c: no such file or directory");
    query_fails(db, "SELECT memfs_rename('/x', '/x/z')", SQLITE_ERROR, "invalid argument");
    query_fails(db, "SELECT memfs_rename('/b', '/x')", SQLITE_ERROR, "is a directory");
    query_close(db);
}

static void copies_of_files_and_trees_share_their_pages(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, 0);
    query_is(db, "SELECT memfs_write('/t/f', zeroblob(4000000)||'end'), memfs_write('/t/g', 'g')",
             "4000003|1");
    uint64_t before = f->allocator.held_bytes;
    query_is(db, "SELECT memfs_copy('/t/f', '/copies/f'), memfs_copy('/t', '/copies/t')",
             "NULL|NULL");
    assert_true(f->allocator.held_bytes - before < 65536);
    query_is(db, "SELECT memfs_read('/copies/f', 4000000), memfs_read('/copies/t/g')", "end|g");
    query_is(db, "SELECT memfs_write('/t/g', 'new'), memfs_copy('/t/g', '/copies/t/g')", "3|NULL");
    query_is(db, "SELECT memfs_read('/copies/t/g')", "new");
    query_fails(db, "SELECT memfs_copy('/t', '/copies')", SQLITE_ERROR,
                "memfs_copy: /t to /copies: name exists");
    query_fails(db, "SELECT memfs_copy('/t', '/t/u')", SQLITE_ERROR, "invalid argument");
    query_fails(db, "SELECT memfs_copy('/t', '/t/new/u')", SQLITE_ERROR, "invalid argument");
    query_fails(db, "SELECT memfs_copy('/no', '/made/copy')", SQLITE_ERROR, "no such file");
    query_is(db, "SELECT memfs_exists('/made'), memfs_exists('/t/new')", "0|0");
    query_close(db);
}

static void directories_are_made_with_their_parents(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, 0);
    query_is(db, "SELECT memfs_mkdir('/a/b/c'), memfs_mkdir('/a/b/c'), memfs_mkdir('/')",
             "NULL|NULL|NULL");
    query_is(db, "SELECT group_concat(path) FROM memfs_tree", "/,/a,/a/b,/a/b/c");
    query_is(db, "SELECT memfs_write('/f', '')", "0");
    query_fails(db, "SELECT memfs_mkdir('/f')", SQLITE_ERROR, "memfs_mkdir: /f: name exists");
    query_fails(db, "SELECT memfs_mkdir('/f/g')", SQLITE_ERROR, "not a directory");
    query_fails(db, "SELECT memfs_mkdir('')", SQLITE_ERROR, "no such file or directory");
    query_close(db);
}

static void stat_tells_everything_as_json(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, 0);
    assert_int_equal(memfs_write_file(f->fs, "/f", "12345", 5, 0640, 0), 0);
    assert_int_equal(memfs_chown(f->fs, "/f", 7, 4294967294u), 0);
    assert_int_equal(memfs_utimens(f->fs, "/f", -5, INT64_C(1234567890123456789)), 0);
    assert_int_equal(memfs_link(f->fs, "/f", "/g"), 0);
    assert_int_equal(memfs_symlink(f->fs, "/f", "/s", 0), 0);
    query_is(db,
             "SELECT s->>'path', s->>'kind', s->>'size_bytes', s->>'mode', s->>'uid', s->>'gid', "
             "s->>'access_ns', s->>'modify_ns', s->>'links' FROM (SELECT memfs_stat('/f') AS s)",
             "/f|file|5|416|7|4294967294|-5|1234567890123456789|2");
    query_is(db,
             "SELECT memfs_stat('/s')->>'number' = t.number"
             " AND memfs_stat('/s')->>'birth_ns' = t.birth_ns"
             " AND memfs_stat('/s')->>'change_ns' = t.change_ns"
             " AND memfs_stat('/s')->>'allocated_bytes' = t.allocated_bytes"
             " FROM memfs_tree t WHERE path='/f'",
             "1");
    query_is(db, "SELECT memfs_stat('/')->>'kind'", "directory");
    query_is(db, "SELECT memfs_stat('/none'), memfs_stat('/f/x'), memfs_stat(''), memfs_stat(NULL)",
             "NULL|NULL|NULL|NULL");
    query_close(db);
}

/* Bytes of UTF-8's every kind and of none, as a literal's hex, and what JSON makes of them. */
static const char *const odd_names[][2] = {
    {"22", "\""},
    {"5C", "\\"},
    {"0A01", "\n\x01"},
    {"7F", "\x7F"},
    {"C3A4E282ACF09F9880", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"},
    {"80", "\xEF\xBF\xBD"},
    {"C080", "\xEF\xBF\xBD\xEF\xBF\xBD"},                             /* overlong */
    {"EDA080", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},               /* a surrogate */
    {"F4908080", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"}, /* above U+10FFFF */
    {"E08080", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
    {"E282", "\xEF\xBF\xBD\xEF\xBF\xBD"}, /* cut short */
    {"C341", "\xEF\xBF\xBD"
             "A"},
};

static void a_name_of_any_bytes_makes_valid_json(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, 0);
    for (size_t index = 0; index < sizeof odd_names / sizeof *odd_names; index++) {
        char sql[512];
        char answer[64];
        sqlite3_snprintf(sizeof sql, sql,
                         "SELECT memfs_write(x'2F%s', 'odd'), memfs_read(CAST(x'2F%s' AS TEXT)),"
                         " json_valid(memfs_stat(x'2F%s')), memfs_stat(x'2F%s')->>'path',"
                         " (SELECT count(*) FROM memfs_tree WHERE path=CAST(x'2F%s' AS TEXT))",
                         odd_names[index][0], odd_names[index][0], odd_names[index][0],
                         odd_names[index][0], odd_names[index][0]);
        sqlite3_snprintf(sizeof answer, answer, "3|odd|1|/%s|1", odd_names[index][1]);
        query_is(db, sql, answer);
    }
    query_close(db);
}

static void exists_follows_links_and_a_missing_name_is_no_error(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, 0);
    query_is(db, "SELECT memfs_write('/f', '')", "0");
    assert_int_equal(memfs_symlink(f->fs, "/f", "/link", 0), 0);
    assert_int_equal(memfs_symlink(f->fs, "/none", "/dangling", 0), 0);
    query_is(db,
             "SELECT memfs_exists('/f'), memfs_exists('/'), memfs_exists('/link'), "
             "memfs_exists('/dangling'), memfs_exists('/f/x'), memfs_exists(''), "
             "memfs_exists(NULL)",
             "1|1|1|0|0|0|NULL");
    query_fails(db, "SELECT memfs_exists(printf('/%.*c', 300, 'x'))", SQLITE_ERROR, "too long");
    query_fails(db, "SELECT memfs_stat(printf('/%.*c', 300, 'x'))", SQLITE_ERROR, "too long");
    query_close(db);
}

static void parts_of_a_snapshot_come_back(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, 0);
    query_is(db, "SELECT memfs_write('/t/f', 'old'), memfs_write('/t/g', 'g')", "3|1");
    assert_int_equal(memfs_snapshot_take(f->fs, "s"), 0);
    query_is(db, "SELECT memfs_write('/t/f', 'newer'), memfs_remove('/t/g')", "5|NULL");
    query_is(db, "SELECT memfs_snapshot_extract('s', '/t', '/back/to/t')", "NULL");
    query_is(db, "SELECT memfs_read('/back/to/t/f'), memfs_read('/back/to/t/g')", "old|g");
    query_fails(db, "SELECT memfs_snapshot_extract('s', '/t', '/t')", SQLITE_ERROR,
                "memfs_snapshot_extract: /t to /t: name exists");
    query_fails(db, "SELECT memfs_snapshot_extract('none', '/', '/made/x')", SQLITE_ERROR,
                "no such file");
    query_is(db, "SELECT memfs_exists('/made')", "0");
    query_close(db);
}

/* A call of each function; every %s stands for its path. */
static const char *const calls[] = {
    "memfs_read(%s)",
    "memfs_stat(%s)",
    "memfs_exists(%s)",
    "memfs_write(%s, '')",
    "memfs_append(%s, '')",
    "memfs_mkdir(%s)",
    "memfs_remove(%s)",
    "memfs_remove_tree(%s)",
    "memfs_rename(%s, '/x')",
    "memfs_rename('/x', %s)",
    "memfs_copy(%s, '/x')",
    "memfs_copy('/x', %s)",
    "memfs_import(%s, '/x')",
    "memfs_import('/x', %s)",
    "memfs_export(%s, '/x')",
    "memfs_export('/x', %s)",
    "memfs_snapshot_extract(%s, '/', '/x')",
    "memfs_snapshot_extract('s', %s, '/x')",
    "memfs_snapshot_extract('s', '/', %s)",
};
enum { CALLS = sizeof calls / sizeof *calls, READING_CALLS = 3 };

static void call(char *sql, int size, const char *before, const char *call, const char *path)
{
    char text[128];
    sqlite3_snprintf(sizeof text, text, call, path);
    sqlite3_snprintf(size, sql, "%s%s", before, text);
}

static void a_path_with_a_nul_is_refused_by_every_function(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS);
    query_is(db, "SELECT memfs_write('/a', 'x')", "1");
    char *before = fixture_describe(f->fs);
    for (int index = 0; index < CALLS; index++) {
        char sql[256];
        call(sql, sizeof sql, "SELECT ", calls[index], "'/a'||char(0)||'b'");
        query_fails(db, sql, SQLITE_ERROR, "a path with a NUL in it: invalid argument");
        call(sql, sizeof sql, "SELECT ", calls[index], "x'2f6100'");
        query_fails(db, sql, SQLITE_ERROR, "a path with a NUL in it: invalid argument");
    }
    char *after = fixture_describe(f->fs);
    assert_string_equal(before, after);
    free(before);
    free(after);
    query_close(db);
}

static void null_is_null_to_readers_and_refused_by_the_others(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS);
    for (int index = 0; index < CALLS; index++) {
        char sql[256];
        call(sql, sizeof sql, "SELECT ", calls[index], "NULL");
        if (index < READING_CALLS)
            query_is(db, sql, "NULL");
        else
            query_fails(db, sql, SQLITE_ERROR, "NULL: invalid argument");
    }
    query_fails(db, "SELECT memfs_write('/f', NULL)", SQLITE_ERROR,
                "memfs_write: /f: data is NULL: invalid argument");
    query_fails(db, "SELECT memfs_append('/f', NULL)", SQLITE_ERROR, "data is NULL");
    query_is(db, "SELECT count(*) FROM memfs_tree", "1");
    query_close(db);
}

static void what_changes_anything_is_refused_in_a_view_or_trigger(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS);
    query_is(db, "CREATE TABLE t(a)", "");
    for (int index = READING_CALLS; index < CALLS; index++) {
        char sql[256];
        call(sql, sizeof sql, "CREATE VIEW v AS SELECT ", calls[index], "'/a'");
        query_is(db, sql, "");
        query_fails(db, "SELECT * FROM v", SQLITE_ERROR, "unsafe use of");
        char body[128];
        sqlite3_snprintf(sizeof body, body, calls[index], "'/a'");
        sqlite3_snprintf(sizeof sql, sql, "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT %s; END",
                         body);
        query_is(db, sql, "");
        query_fails(db, "INSERT INTO t VALUES(1)", SQLITE_ERROR, "unsafe use of");
        query_is(db, "DROP VIEW v", "");
        query_is(db, "DROP TRIGGER r", "");
    }
    query_is(db, "SELECT count(*) FROM memfs_tree", "1");
    query_close(db);
}

/* Temporary views and triggers, which SQLite takes for the application's own SQL. */
static void temp_views_and_triggers_may_call_everything(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, 0);
    query_is(db, "PRAGMA trusted_schema=OFF; CREATE TABLE t(a)", "");
    query_is(db, "CREATE TEMP VIEW v AS SELECT memfs_write('/from-view', 'x')", "");
    query_is(db, "SELECT * FROM v", "1");
    query_is(db,
             "CREATE TEMP TRIGGER r AFTER INSERT ON main.t "
             "BEGIN SELECT memfs_write('/from-trigger', new.a); END",
             "");
    query_is(db, "INSERT INTO t VALUES('abc')", "");
    query_is(db, "SELECT memfs_read('/from-trigger'), memfs_exists('/from-view')", "abc|1");
    query_close(db);
}

static void readers_may_be_used_in_a_view_unless_the_schema_is_not_trusted(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, 0);
    query_is(db, "SELECT memfs_write('/f', 'seen')", "4");
    query_is(db, "CREATE VIEW v AS SELECT memfs_read('/f'), memfs_exists('/f')", "");
    query_is(db, "SELECT * FROM v", "seen|1");
    query_is(db, "CREATE VIEW w AS SELECT path FROM memfs_tree; SELECT * FROM w", "/\n/f");
    query_is(db, "PRAGMA trusted_schema=OFF", "");
    query_fails(db, "SELECT * FROM v", SQLITE_ERROR, "unsafe use of");
    query_fails(db, "SELECT * FROM w", SQLITE_ERROR, "unsafe use of");
    query_close(db);
}

static void a_full_tree_can_be_looked_into_and_deleted_from(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, 0);
    query_is(db, "SELECT memfs_write('/d/e/f', 'text'), memfs_write('/g', 'x')", "4|1");
    fixture_leave(f, 0);
    query_fails(db, "SELECT memfs_mkdir('/more')", SQLITE_FULL, "quota");
    query_is(db, "SELECT path, size_bytes FROM memfs_tree WHERE path IN ('/d/e/f', '/g')",
             "/d/e/f|4\n/g|1");
    query_is(db, "SELECT memfs_exists('/g'), memfs_stat('/d/e/f') LIKE '%\"size_bytes\":4%'",
             "1|1");
    query_is(db, "SELECT memfs_remove('/g'), memfs_remove_tree('/d')", "NULL|NULL");
    fixture_set_quota(f, 0);
    query_is(db, "SELECT path FROM memfs_tree", "/");
    query_close(db);
}

static void a_refusal_of_the_quota_leaves_the_old_file_and_no_new_directories(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, 0);
    query_is(db, "SELECT memfs_write('/d/f', 'old')", "3");
    char *before = fixture_describe(f->fs);
    fixture_leave(f, 16384);
    const char *const refused[] = {
        "SELECT memfs_write('/d/f', zeroblob(100000)||'x')",
        "SELECT memfs_write('/new/deep/f', zeroblob(100000)||'x')",
        "SELECT memfs_append('/d/f', randomblob(100000))",
        "SELECT memfs_append('/new/deep/f', randomblob(100000))",
    };
    for (size_t index = 0; index < sizeof refused / sizeof *refused; index++)
        query_fails(db, refused[index], SQLITE_FULL, "quota exceeded");
    fixture_set_quota(f, 16 << 20);
    char *after = fixture_describe(f->fs);
    assert_string_equal(before, after);
    free(before);
    free(after);
    assert_int_equal(memfs_set_node_limit(f->fs, 3), 0);
    query_fails(db, "SELECT memfs_write('/g', '')", SQLITE_FULL, "/g: node limit reached");
    query_close(db);
}

static void a_full_tree_ends_an_open_transaction_as_a_full_database_does(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, 0);
    query_is(db, "CREATE TABLE t(a)", "");
    query_is(db, "BEGIN", "");
    query_is(db, "INSERT INTO t VALUES(1)", "");
    query_fails(db, "SELECT memfs_read('/none')", SQLITE_ERROR, "no such file");
    assert_int_equal(sqlite3_get_autocommit(db), 0);
    fixture_leave(f, 0);
    query_fails(db, "SELECT memfs_write('/f', randomblob(100000)) FROM t", SQLITE_FULL,
                "quota exceeded");
    assert_int_equal(sqlite3_get_autocommit(db), 1);
    query_is(db, "SELECT count(*) FROM t", "0");
    fixture_set_quota(f, 16 << 20);
    query_close(db);
}

/* Names and contents.  Directories that were made and removed again leave their time above. */
static char *list_tree(sqlite3 *db)
{
    return query_rows(
        db, "SELECT path, kind, size_bytes, mode, links, number, hex(substr(data, 1, 50)) "
            "FROM memfs_tree");
}

/* Refuses the file system memory after 0, 1, 2 ... allocations, until the call goes through.
 * (After one refusal alone memfs is content with less.) */
static void sweep_allocations(struct fixture *f, sqlite3 *db, const char *sql)
{
    char *before = list_tree(db);
    int refusals = 0;
    for (;; refusals++) {
        tracking_refuse(&f->allocator, (uint64_t)refusals + 1, 1);
        int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
        tracking_refuse(&f->allocator, 0, 0);
        if (rc == SQLITE_OK)
            break;
        if (rc != SQLITE_NOMEM || strstr(sqlite3_errmsg(db), "the allocator refused") == NULL)
            fail_msg("%s: %s (%d)", sql, sqlite3_errmsg(db), rc);
        query_is(db,
                 "SELECT path, kind, size_bytes, mode, links, number, hex(substr(data, 1, 50)) "
                 "FROM memfs_tree",
                 before);
    }
    sqlite3_free(before);
    if (refusals == 0)
        fail_msg("%s: takes no memory", sql);
    assert_int_equal(memfs_audit(f->fs), 0);
}

static void a_failing_allocation_leaves_the_tree_as_it_was(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, 0);
    query_is(db, "SELECT memfs_write('/d/f', randomblob(9000))", "9000");
    sweep_allocations(f, db, "SELECT memfs_write('/d/f', randomblob(2500000))");
    sweep_allocations(f, db, "SELECT memfs_write('/new1/deep/f', randomblob(2500000))");
    sweep_allocations(f, db, "SELECT memfs_append('/d/f', randomblob(2500000))");
    sweep_allocations(f, db, "SELECT memfs_append('/new2/deep/f', randomblob(2500000))");
    query_close(db);
}

static void two_file_systems_are_not_mixed_up(void **state)
{
    struct fixture *f = *state;
    sqlite3 *one = query_open(f->fs, 0);
    sqlite3 *two = query_open(f->other, 0);
    query_is(one, "SELECT memfs_write('/f', 'one')", "3");
    query_is(two, "SELECT memfs_write('/f', 'other')", "5");
    query_is(one, "SELECT memfs_read('/f'), data FROM memfs_tree WHERE name='f'", "one|one");
    query_is(two, "SELECT memfs_read('/f'), data FROM memfs_tree WHERE name='f'", "other|other");
    assert_int_equal(memfs_sqlite_register_functions(one, f->other, 0), 0);
    query_is(one, "SELECT memfs_read('/f'), data FROM memfs_tree WHERE name='f'", "other|other");
    query_close(one);
    query_close(two);
}

static void registering_refuses_what_makes_no_sense(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, 0);
    assert_int_equal(memfs_sqlite_register_functions(NULL, f->fs, 0), MEMFS_EINVAL);
    assert_int_equal(memfs_sqlite_register_functions(db, NULL, 0), MEMFS_EINVAL);
    assert_int_equal(memfs_sqlite_register_functions(db, f->fs, 2), MEMFS_EINVAL);
    assert_int_equal(memfs_sqlite_register_functions(db, f->fs, 4), MEMFS_EINVAL);
    sqlite3_stmt *running;
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT path FROM memfs_tree", -1, &running, NULL), 0);
    assert_int_equal(sqlite3_step(running), SQLITE_ROW);
    assert_int_equal(memfs_sqlite_register_functions(db, f->other, 0), MEMFS_EBUSY);
    assert_int_equal(sqlite3_step(running), SQLITE_DONE);
    sqlite3_finalize(running);
    query_is(db, "SELECT memfs_exists('/')", "1");
    query_close(db);
}

static void the_host_is_out_of_reach_unless_asked_for(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, 0);
    query_fails(db, "SELECT memfs_import('/x', '/x')", SQLITE_ERROR, "no such function");
    query_fails(db, "SELECT memfs_export('/x', '/x')", SQLITE_ERROR, "no such function");
    assert_int_equal(memfs_sqlite_register_functions(db, f->fs, MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS),
                     0);
    query_fails(db, "SELECT memfs_export('/x', '/x')", SQLITE_ERROR, "/x: no such file");
    assert_int_equal(memfs_sqlite_register_functions(db, f->fs, 0), 0);
    query_fails(db, "SELECT memfs_import('/x', '/x')", SQLITE_ERROR, "no such function");
    query_fails(db, "SELECT memfs_export('/x', '/x')", SQLITE_ERROR, "no such function");
    query_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(what_is_written_is_read_back),
        FS_TEST(text_is_written_in_utf8_whatever_the_encoding_of_the_database),
        FS_TEST(a_path_that_is_a_blob_means_its_bytes_whatever_the_encoding),
        FS_TEST(a_part_of_a_file_is_read),
        FS_TEST(more_than_sqlite_takes_is_too_big_and_a_part_of_it_is_not),
        FS_TEST(appending_makes_the_file_and_its_parents_and_then_goes_on),
        FS_TEST(names_are_deleted_and_full_directories_only_as_trees),
        FS_TEST(renaming_makes_parents_and_replaces),
        FS_TEST(copies_of_files_and_trees_share_their_pages),
        FS_TEST(parts_of_a_snapshot_come_back),
        FS_TEST(directories_are_made_with_their_parents),
        FS_TEST(stat_tells_everything_as_json),
        FS_TEST(a_name_of_any_bytes_makes_valid_json),
        FS_TEST(exists_follows_links_and_a_missing_name_is_no_error),
        FS_TEST(a_path_with_a_nul_is_refused_by_every_function),
        FS_TEST(null_is_null_to_readers_and_refused_by_the_others),
        FS_TEST(what_changes_anything_is_refused_in_a_view_or_trigger),
        FS_TEST(temp_views_and_triggers_may_call_everything),
        FS_TEST(a_full_tree_can_be_looked_into_and_deleted_from),
        FS_TEST(readers_may_be_used_in_a_view_unless_the_schema_is_not_trusted),
        FS_TEST(a_refusal_of_the_quota_leaves_the_old_file_and_no_new_directories),
        FS_TEST(a_full_tree_ends_an_open_transaction_as_a_full_database_does),
        FS_TEST(a_failing_allocation_leaves_the_tree_as_it_was),
        FS_TEST(two_file_systems_are_not_mixed_up),
        FS_TEST(registering_refuses_what_makes_no_sense),
        FS_TEST(the_host_is_out_of_reach_unless_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
