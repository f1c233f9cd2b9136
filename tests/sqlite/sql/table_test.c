/* The table memfs_tree: rows, constraints, what is read and what is not. */
#include "query_fixture.h"

#include <string.h>

/*
 *   /a/b/deep   /a/file   /a/link -> /z   /ab   /z/file
 */
static sqlite3 *open_sample(struct fixture *f)
{
    assert_int_equal(memfs_mkdir_parents(f->fs, "/a/b", 0750), 0);
    assert_int_equal(memfs_write_file(f->fs, "/a/b/deep", "deep", 4, 0600, 0), 0);
    assert_int_equal(memfs_write_file(f->fs, "/a/file", "one", 3, 0644, 0), 0);
    assert_int_equal(memfs_symlink(f->fs, "/z", "/a/link", 0), 0);
    assert_int_equal(memfs_write_file(f->fs, "/ab", "", 0, 0644, 0), 0);
    assert_int_equal(memfs_mkdir(f->fs, "/z", 0755), 0);
    assert_int_equal(memfs_write_file(f->fs, "/z/file", "two", 3, 0644, 0), 0);
    return query_open(f->fs, 0);
}

#define SAMPLE_PATHS "/\n/a\n/a/b\n/a/b/deep\n/a/file\n/a/link\n/ab\n/z\n/z/file"

static void every_entry_has_a_row_and_a_directory_comes_before_what_is_in_it(void **state)
{
    sqlite3 *db = open_sample(*state);
    query_is(db, "SELECT path FROM memfs_tree", SAMPLE_PATHS);
    query_is(db, "SELECT path, name, parent, kind, size_bytes, data FROM memfs_tree",
             "/|/|NULL|directory|0|NULL\n/a|a|/|directory|0|NULL\n/a/b|b|/a|directory|0|NULL\n"
             "/a/b/deep|deep|/a/b|file|4|deep\n/a/file|file|/a|file|3|one\n"
             "/a/link|link|/a|symlink|2|/z\n/ab|ab|/|file|0|\n/z|z|/|directory|0|NULL\n"
             "/z/file|file|/z|file|3|two");
    query_is(db, "SELECT DISTINCT typeof(data) FROM memfs_tree", "null\nblob\ntext");
    query_close(db);
}

static void the_attributes_are_those_of_stat(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = open_sample(f);
    assert_int_equal(memfs_chown(f->fs, "/a/file", 5, 6), 0);
    assert_int_equal(memfs_utimens(f->fs, "/a/file", 70, 80), 0);
    assert_int_equal(memfs_link(f->fs, "/a/file", "/second"), 0);
    memfs_stat_info info;
    info.struct_size = sizeof info;
    assert_int_equal(memfs_stat(f->fs, "/a/file", &info), 0);
    char rows[256];
    sqlite3_snprintf(sizeof rows, rows, "%d|420|5|6|70|80|%lld|%lld|2|%lld",
                     (int)info.allocated_bytes, (long long)info.change_ns, (long long)info.birth_ns,
                     (long long)info.number);
    query_is(
        db,
        "SELECT allocated_bytes, mode, uid, gid, access_ns, modify_ns, change_ns, birth_ns, links, "
        "number FROM memfs_tree WHERE path='/a/file'",
        rows);
    query_close(db);
}

static void root_and_depth_limit_the_scan(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = open_sample(f);
    query_is(db, "SELECT path, root, depth FROM memfs_tree('/a', 1)",
             "/a|/a|1\n/a/b|/a|1\n/a/file|/a|1\n/a/link|/a|1");
    query_is(db, "SELECT path FROM memfs_tree('/', 0)", "/");
    query_is(db, "SELECT path FROM memfs_tree WHERE depth=1", "/\n/a\n/ab\n/z");
    query_is(db, "SELECT count(*) FROM memfs_tree('/', NULL)", "9");
    query_is(db, "SELECT path FROM memfs_tree('a/./b/..//b/')", "/a/b\n/a/b/deep");
    query_is(db, "SELECT path FROM memfs_tree('/ab')", "/ab");
    query_is(db, "SELECT path FROM memfs_tree('/a/link')", "/a/link");
    query_is(db, "SELECT path FROM memfs_tree('/a/link/')", "/z\n/z/file");
    query_is(db, "SELECT path FROM memfs_tree('/a/link/file')", "/z/file");
    query_is(db, "SELECT path FROM memfs_tree('/none')", "");
    query_is(db, "SELECT path FROM memfs_tree('/ab/x')", "");
    query_is(db, "SELECT path FROM memfs_tree('')", "");
    query_is(db, "SELECT path FROM memfs_tree(NULL)", "");
    query_fails(db, "SELECT path FROM memfs_tree('/', -1)", SQLITE_ERROR, "the depth: invalid");
    query_fails(db, "SELECT path FROM memfs_tree('/', 'x')", SQLITE_ERROR, "the depth: invalid");
    query_fails(db, "SELECT * FROM memfs_tree('/a'||char(0)||'b')", SQLITE_ERROR, "a NUL in it");
    query_close(db);
}

/* The same rows in the same order with the constraint as with one that cannot be used. */
static void assert_constraint_is_honest(sqlite3 *db, const char *constraint)
{
    char *sql = sqlite3_mprintf("SELECT path FROM memfs_tree WHERE %s ORDER BY 1", constraint);
    char *slow = sqlite3_mprintf("SELECT path FROM (SELECT CAST(path AS TEXT) AS path "
                                 "FROM memfs_tree LIMIT -1 OFFSET 0) WHERE %s ORDER BY 1",
                                 constraint);
    char *rows = query_rows(db, slow);
    query_is(db, sql, rows);
    sqlite3_free(rows);
    sqlite3_free(slow);
    sqlite3_free(sql);
}

static void constraints_on_path_change_nothing_but_the_work(void **state)
{
    sqlite3 *db = open_sample(*state);
    const char *const constraints[] = {
        "path='/a/file'",
        "path='/'",
        "path='/a'",
        "path=''",
        "path='a'",
        "path='/none'",
        "path='/a/'",
        "path='/a/link/file'",
        "path='/a/../ab'",
        "path='/a//file'",
        "path=NULL",
        "path=5",
        "path=x'2f'",
        "path='/A' COLLATE NOCASE",
        "path>'/A/FILE' COLLATE NOCASE",
        "path='/a/file'||char(0)",
        "path=printf('/%.*c', 300, 'x')",
        "path=printf('/%.*c', 5000, 'x')",
        "path IN ('/a','/z','/a','/none','/z/file')",
        "path='/a' OR path='/z' OR path='/a'",
        "path LIKE '/A/%'",
        "path LIKE '/a_%'",
        "path LIKE '%file'",
        "path LIKE '/'",
        "path LIKE ''",
        "path LIKE NULL",
        "path GLOB '/a/*'",
        "path GLOB '/A/*'",
        "path GLOB '/[az]/file'",
        "path GLOB '/a*'",
        "path GLOB '/a?'",
        "path GLOB '/a/b/deep'",
        "path GLOB '*'",
        "path GLOB NULL",
        "path>='/a/' AND path<'/a0'",
        "path>'/a' AND path<'/ab'",
        "path>'/a/file'",
        "path<'/a/c'",
        "path<='/a/b'",
        "path BETWEEN '/a/b' AND '/a/file'",
        "path>x'00'",
        "path<x'00'",
        "path>5",
        "path<NULL",
        "path>'/z0'",
        "path<'/'",
        "path>'/' AND path GLOB '/z*' AND path LIKE '/Z%'",
        "path LIKE '/a/\\%' ESCAPE '\\'",
        "path NOT LIKE '/a%'",
        "path!='/a'",
        "path IS '/a'",
        "path IS NULL",
        "path>='/a/b/deep'",
    };
    for (size_t index = 0; index < sizeof constraints / sizeof *constraints; index++)
        assert_constraint_is_honest(db, constraints[index]);
    query_is(db, "SELECT path FROM memfs_tree('/a') WHERE path='/z/file'", "");
    query_is(db, "SELECT path FROM memfs_tree('/a') WHERE path='/ab'", "");
    query_is(db, "SELECT path FROM memfs_tree('/a/link') WHERE path='/z/file'", "");
    query_is(db, "SELECT path FROM memfs_tree('/a/link/') WHERE path='/z/file'", "/z/file");
    query_is(db, "SELECT path FROM memfs_tree('/a', 1) WHERE path='/a/b/deep'", "");
    query_is(db, "SELECT path FROM memfs_tree('/a', 2) WHERE path='/a/b/deep'", "/a/b/deep");
    query_is(db, "SELECT path FROM memfs_tree('/', 1) WHERE path='/a/b'", "");
    query_is(db, "SELECT path FROM memfs_tree('/none') WHERE path='/a'", "");
    query_close(db);
}

static uint32_t random_below(uint32_t *seed, uint32_t limit)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % limit;
}

/* One to `most` pieces, of which the first `kinds`, the slash among them, may come. */
static void random_path(uint32_t *seed, uint32_t kinds, uint32_t most, char *out)
{
    static const char *const pieces[] = {"/",
                                         ".a",
                                         "-",
                                         "0",
                                         "a",
                                         "A",
                                         "\xC3\xA4",
                                         "\xC4\x80",
                                         "~",
                                         "\xEF\xBF\xA0",
                                         "\xF0\x90\x80\x80",
                                         "*",
                                         "?",
                                         "%",
                                         "_"};
    *out = '\0';
    for (uint32_t count = 1 + random_below(seed, most); count > 0; count--) {
        if (random_below(seed, 3) == 0)
            strcat(out, "/");
        strcat(out, pieces[random_below(seed, kinds)]);
    }
}

/* Names with bytes on either side of the slash's, in a tree and in bounds made at random. */
static void try_random_constraints(struct fixture *f, sqlite3 *db, uint32_t seed)
{
    static const char *const forms[] = {"path=%Q",
                                        "path>=%Q",
                                        "path>%Q",
                                        "path<=%Q",
                                        "path<%Q",
                                        "path GLOB %Q",
                                        "path LIKE %Q",
                                        "path>%Q AND path<%Q",
                                        "path>=%Q AND path<=%Q",
                                        "path GLOB %Q AND path>%Q"};
    char path[128];
    char other[128];
    for (int count = 0; count < 60; count++) {
        random_path(&seed, 11, 5, path);
        (void)memfs_mkdir_parents(f->fs, path, 0755);
    }
    query_is(db, "SELECT count(*)>30 FROM memfs_tree", "1");
    for (int count = 0; count < 200; count++) {
        random_path(&seed, count % 2 != 0 ? 11 : 15, 4, path);
        random_path(&seed, 11, 4, other);
        char *constraint = sqlite3_mprintf(forms[random_below(&seed, 10)], path, other);
        assert_constraint_is_honest(db, constraint);
        sqlite3_free(constraint);
    }
    query_is(db, "SELECT count(memfs_remove_tree(path)) FROM memfs_tree('/', 1) WHERE path!='/'",
             "0");
}

/* BINARY compares bytes, and a database's encoding says which. */
static void random_constraints_on_path_change_nothing_but_the_work(void **state)
{
    static const char *const encodings[] = {"UTF-8", "UTF-16le", "UTF-16be"};
    struct fixture *f = *state;
    for (uint32_t seed = 1; seed <= 12; seed++) {
        const char *encoding = encodings[seed % 3];
        char sql[64];
        sqlite3 *db = query_open(f->fs, 0);
        sqlite3_snprintf(sizeof sql, sql, "PRAGMA encoding='%s'", encoding);
        query_is(db, sql, "");
        print_message("seed %u, %s\n", (unsigned)seed, encoding);
        try_random_constraints(f, db, seed);
        query_close(db);
    }
}

/* LIKE and GLOB see U+FFFD in what is not UTF-8, and U+0080 in a byte 0x80. */
static void constraints_on_path_find_names_that_are_not_utf8(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, 0);
    const char *const constraints[][2] = {
        {"path GLOB '/\xEF\xBF\xBDy/*'", "/\xC1\xA1y/f"},
        {"path LIKE '/\xEF\xBF\xBDY/%'", "/\xC1\xA1y/f"},
        {"path GLOB '/\xC2\x80x/*'", "/\x80x/f"},
        {"path LIKE '/\xC2\x80X/%'", "/\x80x/f"},
    };
    query_is(db, "SELECT memfs_write(x'2fc1a1792f66', ''), memfs_write(x'2f80782f66', '')", "0|0");
    for (size_t index = 0; index < sizeof constraints / sizeof *constraints; index++) {
        char sql[128];
        sqlite3_snprintf(sizeof sql, sql, "SELECT path FROM memfs_tree WHERE %s",
                         constraints[index][0]);
        query_is(db, sql, constraints[index][1]);
        assert_constraint_is_honest(db, constraints[index][0]);
    }
    query_close(db);
}

static void a_root_that_is_a_blob_means_its_bytes_in_any_encoding(void **state)
{
    static const char *const encodings[] = {"UTF-8", "UTF-16le", "UTF-16be"};
    for (int index = 0; index < 3; index++) {
        char sql[64];
        sqlite3 *db = open_sample(*state);
        sqlite3_snprintf(sizeof sql, sql, "PRAGMA encoding='%s'", encodings[index]);
        query_is(db, sql, "");
        query_is(db, "SELECT path FROM memfs_tree(x'2f7a')", "/z\n/z/file");
        query_is(db, "SELECT path FROM memfs_tree(x'')", "");
        query_fails(db, "SELECT path FROM memfs_tree(x'2f7a00')", SQLITE_ERROR, "NUL");
        query_is(db, "SELECT memfs_remove_tree('/z'), memfs_remove_tree('/a')", "NULL|NULL");
        query_close(db);
    }
}

/* A file system that notes each time that a directory is read. */
static int setup_strict(void **state)
{
    memfs_config config = memfs_config_default();
    config.quota_bytes = 16 << 20;
    config.atime_policy = MEMFS_ATIME_STRICT;
    *state = fixture_create(&config);
    return *state != NULL ? 0 : -1;
}

/* Which directories of the sample a statement has read, by their access times. */
static void assert_reads(struct fixture *f, sqlite3 *db, const char *sql, const char *directories)
{
    static const char *const all[] = {"/", "/a", "/a/b", "/z"};
    int64_t before[4];
    memfs_stat_info info;
    info.struct_size = sizeof info;
    for (int index = 0; index < 4; index++) {
        assert_int_equal(memfs_lstat(f->fs, all[index], &info), 0);
        before[index] = info.access_ns;
    }
    sqlite3_free(query_rows(db, sql));
    char read[64] = "";
    for (int index = 0; index < 4; index++) {
        assert_int_equal(memfs_lstat(f->fs, all[index], &info), 0);
        if (info.access_ns != before[index])
            strcat(strcat(read, *read != '\0' ? " " : ""), all[index]);
    }
    if (strcmp(read, directories) != 0)
        fail_msg("%s reads %s and not %s", sql, read, directories);
}

static void constraints_on_path_save_the_reading_of_directories(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = open_sample(f);
    assert_reads(f, db, "SELECT * FROM memfs_tree", "/ /a /a/b /z");
    assert_reads(f, db, "SELECT * FROM memfs_tree WHERE path='/a/b/deep'", "");
    assert_reads(f, db, "SELECT * FROM memfs_tree WHERE path='/a'", "");
    assert_reads(f, db, "SELECT * FROM memfs_tree WHERE path IN ('/a', '/a/b', '/z')", "");
    assert_reads(f, db, "SELECT * FROM memfs_tree WHERE path='/a' OR path='/z'", "");
    assert_reads(f, db, "SELECT * FROM memfs_tree('/a') WHERE path='/a/b'", "");
    assert_reads(f, db, "SELECT * FROM memfs_tree('/', 0)", "");
    assert_reads(f, db, "SELECT * FROM memfs_tree('/', 1)", "/");
    assert_reads(f, db, "SELECT * FROM memfs_tree('/', 2)", "/ /a /z");
    assert_reads(f, db, "SELECT * FROM memfs_tree('/z')", "/z");
    assert_reads(f, db, "SELECT * FROM memfs_tree WHERE path GLOB '/z/*'", "/ /z");
    assert_reads(f, db, "SELECT * FROM memfs_tree WHERE path LIKE '/Z/%'", "/ /z");
    assert_reads(f, db, "SELECT * FROM memfs_tree WHERE path GLOB '/Z/*'", "/");
    assert_reads(f, db, "SELECT * FROM memfs_tree WHERE path GLOB '/a/f*'", "/ /a");
    assert_reads(f, db, "SELECT * FROM memfs_tree WHERE path>='/a/' AND path<'/a0'", "/ /a /a/b");
    assert_reads(f, db, "SELECT * FROM memfs_tree WHERE path>='/b'", "/ /z");
    assert_reads(f, db, "SELECT * FROM memfs_tree WHERE path<'/a'", "/");
    assert_reads(f, db, "SELECT * FROM memfs_tree WHERE path LIKE '%file'", "/ /a /a/b /z");
    query_close(db);
}

static void the_plan_says_what_is_used(void **state)
{
    sqlite3 *db = open_sample(*state);
    sqlite3_stmt *statement;
    const char *const plans[][2] = {
        {"path='/a'", "INDEX 4:path"},
        {"path>'/a'", "INDEX 32:part"},
        {"path GLOB '/a*'", ":part"},
        {"size_bytes=4", "INDEX 0:whole"},
        {"root='/a' AND depth=1", "INDEX 3:whole"},
    };
    for (size_t index = 0; index < sizeof plans / sizeof *plans; index++) {
        char sql[128];
        sqlite3_snprintf(sizeof sql, sql, "EXPLAIN QUERY PLAN SELECT * FROM memfs_tree WHERE %s",
                         plans[index][0]);
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
        const char *detail = (const char *)sqlite3_column_text(statement, 3);
        assert_non_null(strstr(detail, plans[index][1]));
        sqlite3_finalize(statement);
    }
    query_close(db);
}

static void arguments_come_from_other_tables(void **state)
{
    sqlite3 *db = open_sample(*state);
    query_is(db, "CREATE TABLE r(root, depth)", "");
    query_is(db, "INSERT INTO r VALUES('/a', 0), ('/z', 1), ('/none', 1), (NULL, 1)", "");
    query_is(db, "SELECT r.root, t.path FROM r, memfs_tree(r.root, r.depth) t",
             "/a|/a\n/z|/z\n/z|/z/file");
    query_is(db, "SELECT t.path FROM memfs_tree t JOIN r ON t.root=r.root AND t.depth=r.depth",
             "/a\n/z\n/z/file");
    query_is(db, "SELECT t.path, t.kind FROM r JOIN memfs_tree t ON t.path=r.root",
             "/a|directory\n/z|directory");
    query_is(db,
             "SELECT d.path, count(*) FROM memfs_tree('/', 1) d, memfs_tree(d.path) t "
             "WHERE d.kind='directory' AND d.path!='/' GROUP BY d.path",
             "/a|5\n/z|2");
    query_is(db, "SELECT DISTINCT path FROM memfs_tree WHERE root IN ('/a', '/a/b')",
             "/a\n/a/b\n/a/b/deep\n/a/file\n/a/link");
    query_is(db, "SELECT path FROM r LEFT JOIN memfs_tree t ON t.path=r.root WHERE r.root IS NULL",
             "NULL");
    query_close(db);
}

static void contents_that_are_not_asked_for_are_not_read(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = open_sample(f);
    assert_int_equal(memfs_truncate(f->fs, "/ab", INT64_C(1) << 40), 0);
    query_is(db, "SELECT size_bytes, allocated_bytes FROM memfs_tree WHERE name='ab'",
             "1099511627776|0");
    query_fails(db, "SELECT data FROM memfs_tree WHERE name='ab'", SQLITE_TOOBIG,
                "memfs_tree: /ab: file too large");
    query_is(db,
             "SELECT name, data FROM memfs_tree WHERE size_bytes BETWEEN 3 AND 4 AND kind='file'",
             "deep|deep\nfile|one\nfile|two");
    query_close(db);
}

/* Reading from a file moves its access time away from 7. */
static void assert_contents_read(struct fixture *f, sqlite3 *db, const char *sql, const char *files)
{
    static const char *const all[] = {"/a/file", "/a/b/deep", "/z/file"};
    for (int index = 0; index < 3; index++)
        assert_int_equal(memfs_utimens(f->fs, all[index], 7, 7), 0);
    sqlite3_free(query_rows(db, sql));
    char *read = query_rows(db,
                            "SELECT path FROM memfs_tree "
                            "WHERE size_bytes>0 AND access_ns!=7 AND kind='file' ORDER BY path");
    if (strcmp(read, files) != 0)
        fail_msg("%s reads\n%s\nand not\n%s", sql, read, files);
    sqlite3_free(read);
}

static void only_the_contents_that_are_asked_for_are_read(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = open_sample(f);
    assert_contents_read(f, db, "SELECT count(*) FROM memfs_tree", "");
    assert_contents_read(
        f, db, "SELECT count(*), max(size_bytes), sum(links), min(parent) FROM memfs_tree", "");
    assert_contents_read(
        f, db, "SELECT path, size_bytes, allocated_bytes FROM memfs_tree ORDER BY size_bytes", "");
    assert_contents_read(f, db, "SELECT DISTINCT kind, mode FROM memfs_tree GROUP BY number", "");
    assert_contents_read(f, db,
                         "SELECT one.path FROM memfs_tree one JOIN memfs_tree two "
                         "ON two.parent=one.path WHERE two.size_bytes>3",
                         "");
    assert_contents_read(f, db, "SELECT data FROM memfs_tree WHERE path='/z/file'", "/z/file");
    assert_contents_read(f, db, "SELECT path, data FROM memfs_tree WHERE size_bytes=4",
                         "/a/b/deep");
    assert_contents_read(f, db,
                         "SELECT path FROM memfs_tree WHERE kind='file' AND name='file' AND "
                         "instr(data, 'one')",
                         "/a/file\n/z/file");
    assert_contents_read(f, db, "SELECT data FROM memfs_tree", "/a/b/deep\n/a/file\n/z/file");
    query_close(db);
}

static void the_table_is_read_only_and_cannot_be_made_again(void **state)
{
    sqlite3 *db = open_sample(*state);
    query_fails(db, "DELETE FROM memfs_tree", SQLITE_ERROR, "may not be modified");
    query_fails(db, "CREATE VIRTUAL TABLE v USING memfs_tree", SQLITE_ERROR, "no such module");
    query_close(db);
}

static void what_vanishes_is_skipped_and_what_is_new_does_not_come(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = open_sample(f);
    sqlite3_stmt *scan;
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT path, data FROM memfs_tree", -1, &scan, NULL),
                     SQLITE_OK);
    const char *const seen[] = {"/", "/a", "/a/b", "/a/file", "/ab", "/z"};
    for (int index = 0; index < 6; index++) {
        assert_int_equal(sqlite3_step(scan), SQLITE_ROW);
        assert_string_equal(sqlite3_column_text(scan, 0), seen[index]);
        if (index == 2) { /* standing on /a/b */
            assert_int_equal(memfs_remove_tree(f->fs, "/a/b"), 0);
            assert_int_equal(memfs_unlink(f->fs, "/a/link"), 0);
            assert_int_equal(memfs_symlink(f->fs, "/z", "/a/b", 0), 0); /* not to be followed */
        }
        if (index == 3) { /* standing on /a/file */
            assert_int_equal(memfs_remove_tree(f->fs, "/a"), 0);
        }
        if (index == 5) { /* standing on /z */
            assert_int_equal(memfs_remove_tree(f->fs, "/z"), 0);
            assert_int_equal(memfs_write_file(f->fs, "/new", "", 0, 0644, 0), 0);
        }
    }
    assert_int_equal(sqlite3_step(scan), SQLITE_DONE);
    sqlite3_finalize(scan);
    query_is(db, "SELECT memfs_remove(path), size_bytes, data FROM memfs_tree('/ab')",
             "NULL|0|NULL");
    query_close(db);
}

static void a_scan_given_up_in_the_middle_leaves_nothing_open(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = open_sample(f);
    query_is(db, "SELECT path FROM memfs_tree WHERE name='deep' LIMIT 1", "/a/b/deep");
    memfs_statfs_info info = statfs_of(f->fs);
    assert_int_equal(info.open_directories + info.open_files, 0);
    query_close(db);
}

/* Deeper than any path: made by renaming a deep tree below another. */
static void a_tree_deeper_than_any_path_is_scanned(void **state)
{
    struct fixture *f = *state;
    enum { LEVELS = 1500, TREES = 4 };
    sqlite3 *db = query_open(f->fs, 0);
    char path[2 * LEVELS + 16];
    for (int tree = 0; tree < TREES; tree++) {
        path[0] = '\0';
        for (int level = 0; level < LEVELS; level++)
            memcpy(path + 2 * level, "/d", 3);
        assert_int_equal(memfs_mkdir_parents(f->fs, path, 0755), 0);
        if (tree > 0) {
            strcat(path, "/below");
            assert_int_equal(memfs_rename(f->fs, "/below", path, 0), 0);
        }
        assert_int_equal(memfs_rename(f->fs, "/d", "/below", 0), 0);
    }
    query_is(db, "SELECT count(*), max(length(path)) FROM memfs_tree", "6001|12016");
    query_is(db,
             "SELECT count(*) FROM memfs_tree WHERE path="
             "(SELECT path FROM memfs_tree ORDER BY length(path) DESC LIMIT 1)",
             "1");
    query_close(db);
}

/* What to delete is found out, and deleted, by SQL alone. */
static void a_full_tree_is_scanned_to_the_bottom_and_emptied(void **state)
{
    struct fixture *f = *state;
    enum { LEVELS = 500 };
    sqlite3 *db = open_sample(f);
    char path[4 * LEVELS + 1] = "";
    for (int level = 0; level < LEVELS; level++)
        memcpy(path + 4 * level, "/sub", 5);
    assert_int_equal(memfs_mkdir_parents(f->fs, path, 0755), 0);
    static const unsigned char big[3 << 20];
    assert_int_equal(memfs_write_file(f->fs, "/z/big", big, sizeof big, 0644, 0), 0);
    fixture_leave(f, 0);
    memfs_file *file;
    assert_int_equal(memfs_open(f->fs, "/more", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file),
                     MEMFS_EDQUOT);
    query_is(db,
             "SELECT count(*), max(length(path)), group_concat(data) FROM memfs_tree "
             "WHERE size_bytes < 1000",
             "509|2000|deep,one,/z,,two");
    query_is(db,
             "SELECT t.path FROM memfs_tree t JOIN memfs_tree u ON t.data = u.data "
             "WHERE t.size_bytes BETWEEN 1 AND 9 AND t.kind = 'file'",
             "/a/b/deep\n/a/file\n/z/file");
    query_is(db, "SELECT sum(memfs_remove(path) IS NULL) FROM memfs_tree WHERE kind <> 'directory'",
             "6");
    query_is(db, "SELECT memfs_remove_tree(path) FROM memfs_tree('/', 1) WHERE path <> '/'",
             "NULL\nNULL\nNULL");
    query_is(db, "SELECT path FROM memfs_tree", "/");
    fixture_set_quota(f, 16 << 20);
    query_close(db);
}

static void a_scan_that_is_refused_memory_says_so_and_works_afterwards(void **state)
{
    struct fixture *f = *state;
    if (f->is_pooled)
        skip(); /* the allocator is not asked for each step; the unpooled run has this test */
    sqlite3 *db = open_sample(f);
    char path[1024] = "";
    for (int level = 0; level < 200; level++)
        strcat(path, "/sub");
    assert_int_equal(memfs_mkdir_parents(f->fs, path, 0755), 0);
    int refusals = 0;
    for (;; refusals++) {
        tracking_refuse(&f->allocator, (uint64_t)refusals + 1, 1);
        int rc = sqlite3_exec(db, "SELECT path, data FROM memfs_tree", NULL, NULL, NULL);
        tracking_refuse(&f->allocator, 0, 0);
        if (rc == SQLITE_OK)
            break;
        assert_int_equal(rc, SQLITE_NOMEM);
        assert_non_null(strstr(sqlite3_errmsg(db), "memfs_tree: /"));
    }
    assert_true(refusals > 0);
    query_is(db, "SELECT count(*) FROM memfs_tree", "209");
    query_close(db);
}

#define STRICT_TEST(name) cmocka_unit_test_setup_teardown(name, setup_strict, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(every_entry_has_a_row_and_a_directory_comes_before_what_is_in_it),
        FS_TEST(the_attributes_are_those_of_stat),
        FS_TEST(root_and_depth_limit_the_scan),
        FS_TEST(constraints_on_path_change_nothing_but_the_work),
        FS_TEST(random_constraints_on_path_change_nothing_but_the_work),
        FS_TEST(constraints_on_path_find_names_that_are_not_utf8),
        FS_TEST(a_root_that_is_a_blob_means_its_bytes_in_any_encoding),
        STRICT_TEST(constraints_on_path_save_the_reading_of_directories),
        FS_TEST(the_plan_says_what_is_used),
        FS_TEST(arguments_come_from_other_tables),
        FS_TEST(contents_that_are_not_asked_for_are_not_read),
        STRICT_TEST(only_the_contents_that_are_asked_for_are_read),
        FS_TEST(the_table_is_read_only_and_cannot_be_made_again),
        FS_TEST(what_vanishes_is_skipped_and_what_is_new_does_not_come),
        FS_TEST(a_scan_given_up_in_the_middle_leaves_nothing_open),
        FS_TEST(a_tree_deeper_than_any_path_is_scanned),
        FS_TEST(a_full_tree_is_scanned_to_the_bottom_and_emptied),
        FS_TEST(a_scan_that_is_refused_memory_says_so_and_works_afterwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
