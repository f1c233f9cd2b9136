/*
 * memfs_import() and memfs_export() while another process changes the host's files, and times that
 * lie before 1970.
 *
 * The linker puts the functions below in place of open() and openat(): they change the directory
 * at the last moment before a file is opened.
 */
#define _XOPEN_SOURCE 700

#include "host_directory.h"
#include "query_fixture.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VICTIM "victim"

/* What happens before an open, once: to the name `path` in the directory `at`. */
static void (*before_open)(int at, const char *path);
static bool only_creating; /* it happens before a file is made, not before one is read */

static bool is_hit(const char *path, int flags)
{
    const char *slash = strrchr(path, '/');
    if (before_open == NULL || ((flags & O_CREAT) != 0) != only_creating)
        return false;
    return only_creating || strcmp(slash != NULL ? slash + 1 : path, VICTIM) == 0;
}

static void act_before_open(int at, const char *path, int flags)
{
    if (!is_hit(path, flags))
        return;
    void (*act)(int, const char *) = before_open;
    before_open = NULL;
    act(at, path);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_openat(int at, const char *path, int flags, ...);
int __wrap_openat(int at, const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    int mode = (flags & O_CREAT) != 0 ? va_arg(arguments, int) : 0;
    va_end(arguments);
    act_before_open(AT_FDCWD, path, flags);
    return __real_open(path, flags, mode);
}

int __wrap_openat(int at, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    int mode = (flags & O_CREAT) != 0 ? va_arg(arguments, int) : 0;
    va_end(arguments);
    act_before_open(at, path, flags);
    return __real_openat(at, path, flags, mode);
}

static void put_a_link(int at, const char *path)
{
    (void)unlinkat(at, path, 0);
    assert_int_equal(symlinkat(host_path("secret"), at, path), 0);
}

static void put_a_file(int at, const char *path)
{
    int descriptor = __real_openat(at, path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, "theirs", 6), 6);
    close(descriptor);
}

/* Runs a statement that may be refused; the act must have happened. */
static void run_against(sqlite3 *db, char *sql, void (*act)(int, const char *), bool creating)
{
    before_open = act;
    only_creating = creating;
    (void)sqlite3_exec(db, sql, NULL, NULL, NULL);
    assert_null(before_open);
    sqlite3_free(sql);
}

static void a_file_that_becomes_a_link_is_not_followed_into_the_tree(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS);
    host_write("secret", "secret", 0600);
    assert_int_equal(mkdir(host_path("from"), 0755), 0);
    host_write("from/" VICTIM, "plain", 0644);
    run_against(db, sqlite3_mprintf("SELECT memfs_import(%Q, '/in')", host_path("from")),
                put_a_link, false);
    query_is(db, "SELECT count(*) FROM memfs_tree WHERE CAST(data AS TEXT)='secret'", "0");
    query_close(db);
}

static void a_link_that_appears_is_not_followed_out_of_the_export(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS);
    host_write("secret", "secret", 0600);
    query_is(db, "SELECT memfs_write('/out/" VICTIM "', 'ours')", "4");
    run_against(db, sqlite3_mprintf("SELECT memfs_export('/out', %Q)", host_path("to-link")),
                put_a_link, true);
    host_assert_text("secret", "secret");
    query_close(db);
}

/* An export that is refused may have removed what it had begun; the file was never overwritten. */
static void a_file_that_appears_is_not_overwritten(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS);
    query_is(db, "SELECT memfs_write('/out/" VICTIM "', 'ours')", "4");
    run_against(db, sqlite3_mprintf("SELECT memfs_export('/out', %Q)", host_path("to-file")),
                put_a_file, true);
    if (access(host_path("to-file/" VICTIM), F_OK) == 0)
        host_assert_text("to-file/" VICTIM, "theirs");
    query_close(db);
}

static void times_before_1970_are_exported_with_their_fractions(void **state)
{
    struct fixture *f = *state;
    static const int64_t times[] = {-1500000000, -1, -1000000000, -999999999, 0, 1500000000};
    sqlite3 *db = query_open(f->fs, MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS);
    put(f->fs, "/f", "x");
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        struct stat status;
        assert_ok(memfs_utimens(f->fs, "/f", times[i], times[i]));
        char *sql = sqlite3_mprintf("SELECT memfs_export('/f', %Q)", host_path("old"));
        query_is(db, sql, "1");
        sqlite3_free(sql);
        assert_int_equal(stat(host_path("old"), &status), 0);
        assert_true(status.st_mtim.tv_nsec >= 0 && status.st_mtim.tv_nsec < 1000000000);
        assert_int_equal((int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec,
                         times[i]);
    }
    query_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_file_that_becomes_a_link_is_not_followed_into_the_tree),
        FS_TEST(a_link_that_appears_is_not_followed_out_of_the_export),
        FS_TEST(a_file_that_appears_is_not_overwritten),
        FS_TEST(times_before_1970_are_exported_with_their_fractions),
    };
    return cmocka_run_group_tests(tests, host_directory_setup, host_directory_teardown);
}
