/* memfs_import() and memfs_export(), between a tree and a directory of the host. */
#if !defined(_WIN32)
#define _XOPEN_SOURCE 700
#endif

#include "host_directory.h"
#include "query_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *import_sql(const char *from, const char *to)
{
    return sqlite3_mprintf("SELECT memfs_import(%Q, %Q)", host_path(from), to);
}

static char *export_sql(const char *from, const char *to)
{
    return sqlite3_mprintf("SELECT memfs_export(%Q, %Q)", from, host_path(to));
}

/* Runs and frees a statement that answers `rows`. */
static void does(sqlite3 *db, char *sql, const char *rows)
{
    query_is(db, sql, rows);
    sqlite3_free(sql);
}

static void refuses(sqlite3 *db, char *sql, int code, const char *words)
{
    query_fails(db, sql, code, words);
    sqlite3_free(sql);
}

/* name/{file, sub/{empty, script, pipe}, link -> file} on the host. */
static void make_sample(const char *name)
{
    char path[128];
    assert_int_equal(mkdir(host_path(name), 0750), 0);
    snprintf(path, sizeof path, "%s/sub", name);
    assert_int_equal(mkdir(host_path(path), 0700), 0);
    snprintf(path, sizeof path, "%s/file", name);
    host_write(path, "contents", 0640);
    const struct timespec times[2] = {{1000, 5}, {2000, 7}};
    assert_int_equal(utimensat(AT_FDCWD, host_path(path), times, 0), 0);
    snprintf(path, sizeof path, "%s/sub/script", name);
    host_write(path, "#!", 0755);
    snprintf(path, sizeof path, "%s/sub/empty", name);
    host_write(path, "", 0600);
    snprintf(path, sizeof path, "%s/sub/pipe", name);
    assert_int_equal(mkfifo(host_path(path), 0600), 0);
    snprintf(path, sizeof path, "%s/link", name);
    assert_int_equal(symlink("file", host_path(path)), 0);
}

static void a_directory_goes_in_and_out_again(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS);
    make_sample("round");
    does(db, import_sql("round", "/made/on/the/way"), "6");
    query_is(db, "SELECT access_ns, modify_ns FROM memfs_tree WHERE path='/made/on/the/way/file'",
             "1000000000005|2000000000007");
    query_is(db, "SELECT path, kind, mode, data FROM memfs_tree('/made/on/the/way') ORDER BY path",
             "/made/on/the/way|directory|488|NULL\n/made/on/the/way/file|file|416|contents\n"
             "/made/on/the/way/link|symlink|511|file\n/made/on/the/way/sub|directory|448|NULL\n"
             "/made/on/the/way/sub/empty|file|384|\n/made/on/the/way/sub/script|file|493|#!");
    does(db, export_sql("/made/on/the/way", "out"), "6");
    host_assert_text("out/file", "contents");
    host_assert_text("out/sub/script", "#!");
    host_assert_text("out/sub/empty", "");
    struct stat status;
    assert_int_equal(lstat(host_path("out/file"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(status.st_mtim.tv_sec, 2000);
    assert_int_equal(status.st_mtim.tv_nsec, 7);
    assert_int_equal(lstat(host_path("out/link"), &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    query_is(db, "SELECT count(*) FROM memfs_tree('/', 1)", "2"); /* no stage is left */
    query_close(db);
}

static void hard_links_stay_what_they_are_on_either_side(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS);
    assert_int_equal(mkdir(host_path("links"), 0755), 0);
    assert_int_equal(mkdir(host_path("links/sub"), 0755), 0);
    host_write("links/one", "shared", 0644);
    host_write("links/alone", "alone", 0644);
    host_write("outside", "outside", 0644);
    assert_int_equal(link(host_path("links/one"), host_path("links/two")), 0);
    assert_int_equal(link(host_path("links/one"), host_path("links/sub/three")), 0);
    assert_int_equal(link(host_path("outside"), host_path("links/inside")), 0);
    does(db, import_sql("links", "/l"), "7");
    query_is(db,
             "SELECT links, count(*), count(DISTINCT number), group_concat(data) "
             "FROM memfs_tree('/l') WHERE kind='file' AND name!='inside' GROUP BY links",
             "1|1|1|alone\n3|3|1|shared,shared,shared");
    query_is(db, "SELECT links, data FROM memfs_tree WHERE path='/l/inside'", "1|outside");
    does(db, export_sql("/l", "links-out"), "7");
    host_assert_text("links-out/sub/three", "shared");
    host_assert_text("links-out/alone", "alone");
    struct stat one;
    struct stat other;
    assert_int_equal(lstat(host_path("links-out/one"), &one), 0);
    assert_int_equal(one.st_nlink, 3);
    assert_int_equal(lstat(host_path("links-out/two"), &other), 0);
    assert_true(one.st_ino == other.st_ino);
    assert_int_equal(lstat(host_path("links-out/alone"), &other), 0);
    assert_int_equal(other.st_nlink, 1);
    query_close(db);
}

static void directories_keep_their_times_on_either_side(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS);
    const struct timespec inner[2] = {{1000, 5}, {2000, 7}};
    const struct timespec outer[2] = {{3000, 1}, {4000, 2}};
    assert_int_equal(mkdir(host_path("old"), 0755), 0);
    assert_int_equal(mkdir(host_path("old/sub"), 0755), 0);
    host_write("old/sub/file", "x", 0644);
    assert_int_equal(utimensat(AT_FDCWD, host_path("old/sub"), inner, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, host_path("old"), outer, 0), 0);
    does(db, import_sql("old", "/old"), "3");
    query_is(db, "SELECT path, modify_ns FROM memfs_tree('/old', 1)",
             "/old|4000000000002\n/old/sub|2000000000007");
    does(db, export_sql("/old", "old-out"), "3");
    struct stat status;
    assert_int_equal(lstat(host_path("old-out"), &status), 0);
    assert_int_equal(status.st_mtim.tv_sec, 4000);
    assert_int_equal(status.st_mtim.tv_nsec, 2);
    assert_int_equal(lstat(host_path("old-out/sub"), &status), 0);
    assert_int_equal(status.st_mtim.tv_sec, 2000);
    query_close(db);
}

static void a_file_replaces_a_file_on_either_side(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS);
    host_write("one", "from the host", 0604);
    query_is(db, "SELECT memfs_write('/d/f', 'old')", "3");
    does(db, import_sql("one", "/d/f"), "1");
    query_is(db, "SELECT memfs_read('/d/f'), mode FROM memfs_tree WHERE path='/d/f'",
             "from the host|388");
    query_is(db, "SELECT memfs_write('/d/f', 'changed')", "7");
    does(db, export_sql("/d/f", "one"), "1");
    host_assert_text("one", "changed");
    query_close(db);
}

static void holes_cost_nothing_on_either_side(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS);
    int64_t size = INT64_C(1) << 28; /* more than the quota */
    assert_int_equal(memfs_write_file(f->fs, "/f", "start", 5, 0644, 0), 0);
    assert_int_equal(memfs_truncate(f->fs, "/f", size), 0);
    does(db, export_sql("/f", "sparse"), "1");
    struct stat status;
    assert_int_equal(stat(host_path("sparse"), &status), 0);
    assert_int_equal(status.st_size, size);
    assert_true(status.st_blocks < 1024);
    does(db, import_sql("sparse", "/g"), "1");
    query_is(db, "SELECT size_bytes, allocated_bytes<100000 FROM memfs_tree WHERE path='/g'",
             "268435456|1");
    query_is(db, "SELECT hex(memfs_read('/g', 0, 6))", "737461727400");
    query_close(db);
}

static void a_directory_replaces_nothing(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS);
    make_sample("again");
    query_is(db, "SELECT memfs_write('/d/f', 'old')", "3");
    refuses(db, import_sql("again", "/d"), SQLITE_ERROR, "/d: name exists");
    refuses(db, import_sql("again", "/d/f"), SQLITE_ERROR, "/d/f: name exists");
    refuses(db, import_sql("again/file", "/d"), SQLITE_ERROR, "/d: is a directory");
    refuses(db, export_sql("/d", "again"), SQLITE_ERROR, "File exists");
    refuses(db, export_sql("/d/f", "again"), SQLITE_ERROR, "name exists");
    refuses(db, export_sql("/d/f", "again/sub/pipe"), SQLITE_ERROR, "name exists");
    query_is(db, "SELECT count(*) FROM memfs_tree", "3");
    query_close(db);
}

static void what_the_host_refuses_is_told_in_its_words(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS);
    query_is(db, "SELECT memfs_write('/f', 'x')", "1");
    refuses(db, import_sql("none", "/d"), SQLITE_ERROR, "No such file or directory");
    refuses(db, export_sql("/f", "none/f"), SQLITE_ERROR, "memfs_export: on the host: ");
    refuses(db, export_sql("/g", "g"), SQLITE_ERROR, "/g: no such file or directory");
    query_fails(db, "SELECT memfs_import('/dev/null', '/d')", SQLITE_ERROR, "not supported");
    assert_int_equal(access(host_path("g"), F_OK), -1);
    query_is(db, "SELECT count(*) FROM memfs_tree", "2");
    query_close(db);
}

static void an_import_that_does_not_fit_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS);
    make_sample("large");
    FILE *file = fopen(host_path("large/sub/big"), "w");
    assert_non_null(file);
    for (int index = 0; index < 5000000; index++)
        fputc('x', file);
    assert_int_equal(fclose(file), 0);
    fixture_set_quota(f, 4 << 20);
    refuses(db, import_sql("large", "/d"), SQLITE_FULL, "quota exceeded");
    query_is(db, "SELECT path FROM memfs_tree", "/");
    assert_int_equal(memfs_audit(f->fs), 0);
    fixture_set_quota(f, 16 << 20);
    does(db, import_sql("large", "/d"), "7");
    query_close(db);
}

static void an_import_that_is_refused_memory_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS);
    make_sample("swept");
    assert_int_equal(link(host_path("swept/file"), host_path("swept/sub/same")), 0);
    char *sql = import_sql("swept", "/a/b");
    int refusals = 0;
    for (;; refusals++) {
        tracking_refuse(&f->allocator, (uint64_t)refusals + 1, 1);
        int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
        tracking_refuse(&f->allocator, 0, 0);
        if (rc == SQLITE_OK)
            break;
        assert_int_equal(rc, SQLITE_NOMEM);
        query_is(db, "SELECT path FROM memfs_tree", "/");
    }
    assert_true(refusals > 0);
    query_is(db, "SELECT count(*) FROM memfs_tree", "9");
    query_is(db, "SELECT DISTINCT links FROM memfs_tree WHERE name IN ('file', 'same')", "2");
    sqlite3_free(sql);
    query_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_directory_goes_in_and_out_again),
        FS_TEST(hard_links_stay_what_they_are_on_either_side),
        FS_TEST(directories_keep_their_times_on_either_side),
        FS_TEST(a_file_replaces_a_file_on_either_side),
        FS_TEST(holes_cost_nothing_on_either_side),
        FS_TEST(a_directory_replaces_nothing),
        FS_TEST(what_the_host_refuses_is_told_in_its_words),
        FS_TEST(an_import_that_does_not_fit_leaves_nothing),
        FS_TEST(an_import_that_is_refused_memory_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, host_directory_setup, host_directory_teardown);
}
