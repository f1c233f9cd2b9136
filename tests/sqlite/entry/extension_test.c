/*
 * The loadable extension, in programs that are not ours: the sqlite3 shell and
 * Python's sqlite3 module.  Arguments: the extension's file, then the Python to
 * use, or "none".
 */
#define _POSIX_C_SOURCE 200809L

#include "other_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char output[8192];

/* Runs the shell; the environment is "" or "NAME=VALUE ". */
static int run_shell(const char *environment, const char *script)
{
    char command[128];
    int length = snprintf(command, sizeof command, "%s" SHELL, environment);
    assert_true(length > 0 && (size_t)length < sizeof command);
    return run_with_input(command, script, output, sizeof output);
}

static void assert_in_output(const char *words)
{
    if (strstr(output, words) == NULL)
        fail_msg("no %s in:\n%s", words, output);
}

static void assert_not_in_output(const char *words)
{
    if (strstr(output, words) != NULL)
        fail_msg("%s in:\n%s", words, output);
}

static void the_shell_keeps_a_database_from_one_open_to_the_next(void **state)
{
    (void)state;
    need_shell();
    static const char script[] = ".bail on\n"
                                 ".load $\n"
                                 ".open 'file:/app.db?vfs=memfs'\n"
                                 "CREATE TABLE t(a); INSERT INTO t VALUES(1),(2);\n"
                                 ".open ':memory:'\n"
                                 ".open 'file:/app.db?vfs=memfs'\n"
                                 "ATTACH 'file:/../app.db?vfs=memfs' AS again;\n"
                                 "SELECT 'sum', sum(a) FROM again.t;\n"
                                 ".load $\n"
                                 "PRAGMA integrity_check;\n";
    int status = run_shell("", script);
    assert_string_equal(output, "sum|3\nok\n");
    assert_int_equal(status, 0);
}

static void the_quota_comes_from_the_environment(void **state)
{
    (void)state;
    need_shell();
    static const char script[] = ".load $\n"
                                 ".open 'file:/app.db?vfs=memfs'\n"
                                 "CREATE TABLE t(v);\n"
                                 "INSERT INTO t VALUES(zeroblob(3000000));\n"
                                 "SELECT 'rows', count(*) FROM t;\n"
                                 "PRAGMA integrity_check;\n";
    (void)run_shell("MEMFS_QUOTA=2M ", script);
    assert_in_output("database or disk is full");
    assert_in_output("rows|0\nok\n");
    (void)run_shell("MEMFS_QUOTA=0 ", script);
    assert_string_equal(output, "rows|1\nok\n");
    (void)run_shell("", script);
    assert_string_equal(output, "rows|1\nok\n");
}

static void a_malformed_quota_fails_the_load_and_says_why(void **state)
{
    (void)state;
    need_shell();
    static const char script[] = ".load $\nSELECT 'alive';\n";
    const char *const malformed[] = {"lots", "12X", "-1", "", "1.5M"};
    for (size_t index = 0; index < sizeof malformed / sizeof *malformed; index++) {
        char environment[64], message[128];
        snprintf(environment, sizeof environment, "MEMFS_QUOTA='%s' ", malformed[index]);
        (void)run_shell(environment, script);
        snprintf(message, sizeof message, "memfs: MEMFS_QUOTA=\"%s\" is not a size",
                 malformed[index]);
        assert_in_output(message);
        assert_in_output("alive");
    }
    (void)run_shell("MEMFS_QUOTA=1k ", script);
    assert_in_output("memfs: MEMFS_QUOTA=\"1k\" is too small: ");
    assert_in_output("alive");
    unsigned long least = strtoul(strstr(output, "small: ") + strlen("small: "), NULL, 10);
    char environment[64];
    snprintf(environment, sizeof environment, "MEMFS_QUOTA=%lu ", least);
    (void)run_shell(environment, script);
    assert_string_equal(output, "alive\n");
    snprintf(environment, sizeof environment, "MEMFS_QUOTA=%lu ", least - 1024);
    (void)run_shell(environment, script);
    assert_in_output("is too small: ");
}

static void only_connections_that_asked_for_the_functions_have_them(void **state)
{
    (void)state;
    need_shell();
    static const char script[] =
        ".load $\n"
        "SELECT 'loader', memfs_write('/d/f', 'text');\n"
        ".open 'file:/app.db?vfs=memfs'\n"
        "SELECT 'ours', memfs_read('/d/f'), count(*) FROM memfs_tree;\n"
        "PRAGMA mmap_size;\n"
        ".open 'file:/app.db?vfs=memfs&memfs_mmap_size=4K'\n"
        "PRAGMA mmap_size;\n"
        ".open 'file::memory:?vfs=memfs'\n"
        "SELECT 'ours too', memfs_exists('/app.db');\n"
        ".open ':memory:'\n"
        "SELECT 'not asked', memfs_exists('/d');\n"
        ".load $\n"
        "SELECT 'asked', memfs_exists('/d');\n"
        "SELECT load_extension('$') IS NULL, count(*) FROM memfs_tree('/d');\n";
    (void)run_shell("", script);
    const char *const answers[] = {"1099511627776\n",    "4096\n",       "loader|4\n",
                                   "ours|text|4\n",      "ours too|1\n", "asked|1\n",
                                   "no such function: ", "1|2\n"};
    for (size_t index = 0; index < sizeof answers / sizeof *answers; index++)
        assert_in_output(answers[index]);
    assert_not_in_output("not asked|");
}

static void the_environment_says_whether_the_host_can_be_reached(void **state)
{
    (void)state;
    need_shell();
    static const char script[] = ".load $\n"
                                 "SELECT 'imported', memfs_import('$.so', '/self');\n"
                                 ".open 'file:/app.db?vfs=memfs'\n"
                                 "SELECT 'here too', memfs_import('$.so', '/self');\n";
    (void)run_shell("MEMFS_HOST_ACCESS=1 ", script);
    assert_string_equal(output, "imported|1\nhere too|1\n");
    const char *const closed[] = {"", "MEMFS_HOST_ACCESS=0 "};
    for (size_t index = 0; index < sizeof closed / sizeof *closed; index++) {
        (void)run_shell(closed[index], script);
        assert_in_output("no such function: memfs_import");
        assert_not_in_output("|1");
    }
    (void)run_shell("MEMFS_HOST_ACCESS=yes ", script);
    assert_in_output("memfs: MEMFS_HOST_ACCESS=\"yes\" is neither 0 nor 1");
}

static void the_environment_makes_the_vfs_the_default(void **state)
{
    (void)state;
    need_shell();
    static const char script[] = ".load $\n"
                                 ".open /not/on/disk/app.db\n"
                                 "SELECT 'made', memfs_write('/not/on/disk/note', 'x');\n"
                                 ".open /not/on/disk/app.db\n"
                                 "CREATE TABLE t(a);\n"
                                 "SELECT 'there', memfs_exists('/not/on/disk/app.db');\n";
    (void)run_shell("MEMFS_DEFAULT_VFS=1 ", script);
    assert_in_output("there|1\n");
    (void)run_shell("MEMFS_DEFAULT_VFS=0 ", script);
    assert_not_in_output("there|1\n");
    (void)run_shell("MEMFS_DEFAULT_VFS=2 ", script);
    assert_in_output("memfs: MEMFS_DEFAULT_VFS=\"2\" is neither 0 nor 1");
}

/* What SQL that an application does not trust may try. */
static void the_environment_keeps_untrusted_sql_in_its_limits(void **state)
{
    (void)state;
    need_shell();
    static const char script[] = ".load $\n"
                                 "SELECT memfs_write('/users/note', 'x');\n"
                                 ".open 'file:/users/u.db?vfs=memfs'\n"
                                 "PRAGMA memfs_quota;\n"
                                 "PRAGMA memfs_quota = '8G';\n"
                                 "PRAGMA memfs_emergency_reserve = 0;\n"
                                 "ATTACH 'file:/dev/null/memfs_escape.db?vfs=unix' AS h;\n"
                                 "SELECT 'path', path FROM memfs_tree;\n"
                                 "ATTACH '/users/other.db' AS o;\n"
                                 "CREATE TABLE o.x(a);\n"
                                 "SELECT 'attached', count(*) FROM o.sqlite_master;\n";
    (void)run_shell("MEMFS_NO_CONTROL=1 MEMFS_QUOTA=8M ", script);
    assert_in_output("8388608\n8388608\n524288\n");
    assert_in_output("path|/users\n");
    (void)run_shell("MEMFS_NO_CONTROL=1 MEMFS_QUOTA=8M MEMFS_CONFINE=/users ", script);
    assert_in_output("8388608\n");
    assert_in_output("not authorized");
    assert_in_output("attached|1\n");
    assert_not_in_output("path|");
    (void)run_shell("MEMFS_CONFINE=users ", script);
    assert_in_output("memfs: MEMFS_CONFINE=\"users\" is not an absolute path");
    (void)run_shell("MEMFS_NO_CONTROL=yes ", script);
    assert_in_output("memfs: MEMFS_NO_CONTROL=\"yes\" is neither 0 nor 1");
}

static void python_opens_several_connections_to_one_database(void **state)
{
    (void)state;
    static const char script[] =
        "import sqlite3, threading\n"
        "loader = sqlite3.connect(':memory:')\n"
        "loader.enable_load_extension(True)\n"
        "loader.load_extension('$')\n"
        "loader.close()\n"
        "def connect():\n"
        "    return sqlite3.connect('file:/app.db?vfs=memfs', uri=True, timeout=30)\n"
        "c = connect()\n"
        "c.execute('CREATE TABLE t(a)')\n"
        "c.commit()\n"
        "def work():\n"
        "    mine = connect()\n"
        "    for i in range(20):\n"
        "        with mine:\n"
        "            mine.execute('INSERT INTO t VALUES(?)', (i,))\n"
        "    mine.close()\n"
        "threads = [threading.Thread(target=work) for i in range(4)]\n"
        "for t in threads: t.start()\n"
        "for t in threads: t.join()\n"
        "print(c.execute('SELECT count(*), sum(a) FROM t').fetchone())\n"
        "c.close()\n"
        "d = connect()\n"
        "print(d.execute('SELECT count(*) FROM t').fetchone())\n"
        "print(d.execute('PRAGMA integrity_check').fetchone())\n"
        "d.execute('SELECT memfs_write(?, ?)', ('/a/b', b'bytes'))\n"
        "print(connect().execute('SELECT memfs_read(?)', ('/a/b',)).fetchone())\n";
    int status = run_with_input(need_python(), script, output, sizeof output);
    assert_string_equal(output, "(80, 760)\n(80,)\n('ok',)\n(b'bytes',)\n");
    assert_int_equal(status, 0);
}

/* Pythons before 3.11 have no deserialize(). */
static void python_opens_an_image_of_a_database_in_wal_mode(void **state)
{
    (void)state;
    static const char script[] =
        "import sqlite3\n"
        "c = sqlite3.connect(':memory:')\n"
        "c.enable_load_extension(True)\n"
        "c.load_extension('$')\n"
        "w = sqlite3.connect('file:/app.db?vfs=memfs', uri=True)\n"
        "w.execute('PRAGMA journal_mode=WAL')\n"
        "w.executescript('CREATE TABLE t(a); INSERT INTO t VALUES(42)')\n"
        "image = c.execute(\"SELECT memfs_image('/app.db')\").fetchone()[0]\n"
        "copy = sqlite3.connect(':memory:')\n"
        "if hasattr(copy, 'deserialize'):\n"
        "    copy.deserialize(image)\n"
        "    print(copy.execute('SELECT a FROM t').fetchone())\n"
        "else:\n"
        "    print((42,) if image[18:20] == bytes([1, 1]) else image[:20])\n";
    int status = run_with_input(need_python(), script, output, sizeof output);
    assert_string_equal(output, "(42,)\n");
    assert_int_equal(status, 0);
}

/* 400 transactions, each with a page of data, which replace one another: SQLite's own checkpoint
 * would come after 1000 frames of 4 KiB. */
static void the_shell_checkpoints_a_wal_before_a_small_quota_is_full(void **state)
{
    (void)state;
    need_shell();
    static const char first[] = ".bail on\n"
                                ".load $\n"
                                ".open 'file:/app.db?vfs=memfs'\n"
                                "PRAGMA journal_mode=WAL;\n"
                                "CREATE TABLE t(id INTEGER PRIMARY KEY, v);\n";
    static const char each[] = "REPLACE INTO t VALUES(abs(random())%20, randomblob(3000));\n";
    static const char last[] = "SELECT count(*) FROM t;\nPRAGMA wal_autocheckpoint;\n";
    static char script[sizeof first + 400 * sizeof each + sizeof last];
    char *end = script + snprintf(script, sizeof script, "%s", first);
    for (int i = 0; i < 400; i++)
        end += snprintf(end, sizeof each, "%s", each);
    memcpy(end, last, sizeof last);
    assert_int_equal(run_shell("MEMFS_QUOTA=2M ", script), 0);
    assert_string_equal(output, "wal\n20\n1000\n");
}

static void python_checkpoints_a_wal_before_a_small_quota_is_full(void **state)
{
    (void)state;
    static const char script[] =
        "import os, sqlite3\n"
        "os.environ['MEMFS_QUOTA'] = '2M'\n"
        "c = sqlite3.connect(':memory:')\n"
        "c.enable_load_extension(True)\n"
        "c.load_extension('$')\n"
        "d = sqlite3.connect('file:/app.db?vfs=memfs', uri=True, isolation_level=None)\n"
        "d.execute('PRAGMA journal_mode=WAL')\n"
        "d.execute('CREATE TABLE t(id INTEGER PRIMARY KEY, v)')\n"
        "for i in range(1000):\n"
        "    d.execute('REPLACE INTO t VALUES(?, randomblob(3000))', (i % 28,))\n"
        "print(d.execute('SELECT count(*) FROM t').fetchone())\n"
        "print(d.execute('PRAGMA wal_autocheckpoint').fetchone())\n";
    int status = run_with_input(need_python(), script, output, sizeof output);
    assert_string_equal(output, "(28,)\n(1000,)\n");
    assert_int_equal(status, 0);
}

static void the_environment_makes_missing_directories(void **state)
{
    (void)state;
    need_shell();
    static const char script[] = ".load $\n"
                                 ".open 'file:/a/b/app.db?vfs=memfs'\n"
                                 "CREATE TABLE t(a);\n"
                                 "SELECT 'there', memfs_exists('/a/b/app.db');\n";
    (void)run_shell("MEMFS_MAKE_PARENTS=1 ", script);
    assert_string_equal(output, "there|1\n");
    (void)run_shell("MEMFS_MAKE_PARENTS=0 ", script);
    assert_not_in_output("there|1");
    (void)run_shell("MEMFS_MAKE_PARENTS=yes ", script);
    assert_in_output("memfs: MEMFS_MAKE_PARENTS=\"yes\" is neither 0 nor 1");
}

static void a_failed_open_is_explained_to_sql_and_to_the_log(void **state)
{
    (void)state;
    need_shell();
    static const char script[] = ".load $\n"
                                 "ATTACH 'file:/a/b/app.db?vfs=memfs' AS b;\n"
                                 "SELECT memfs_last_error();\n"
                                 "ATTACH 'file:/app.db?vfs=memfs&memfs_siz=1' AS b;\n";
    (void)run_shell("MEMFS_LOG=stderr ", script);
    assert_in_output("memfs: /a/b/app.db: its directory does not exist");
    assert_in_output("\n/a/b/app.db: its directory does not exist");
    assert_in_output("memfs: the URI parameter memfs_siz=1 is unknown or malformed");
    (void)run_shell("", script);
    assert_not_in_output("memfs: ");
    char path[] = "/tmp/memfs-log-test-XXXXXX";
    char environment[64], line[300] = "";
    assert_true(close(mkstemp(path)) == 0);
    snprintf(environment, sizeof environment, "MEMFS_LOG=%s ", path);
    (void)run_shell(environment, script);
    (void)run_shell(environment, script);
    FILE *log = fopen(path, "r");
    assert_non_null(log);
    int lines = 0;
    while (fgets(line, sizeof line, log) != NULL)
        lines++;
    assert_int_equal(lines, 4);
    assert_string_equal(line, "memfs: the URI parameter memfs_siz=1 is unknown or malformed\n");
    assert_int_equal(fclose(log), 0);
    assert_int_equal(remove(path), 0);
    (void)run_shell("MEMFS_LOG=/not/there/log ", script);
    assert_in_output("memfs: MEMFS_LOG=\"/not/there/log\" cannot be opened");
    (void)run_shell("MEMFS_LOG='' ", script);
    assert_in_output("memfs: MEMFS_LOG=\"\" is neither stderr nor the path of a file");
}

/* For scripts that call SQLite itself, which Python's sqlite3 uses as a shared library or not. */
#define FIND_LIBRARY \
    "import ctypes, os, shutil, sqlite3, sys, tempfile\n" \
    "loader = sqlite3.connect(':memory:')\n" \
    "loader.enable_load_extension(True)\n" \
    "paths = [line.split()[-1] for line in open('/proc/self/maps') if 'libsqlite3.so' in line]\n" \
    "if not paths:\n" \
    "    print('no library')\n" \
    "    sys.exit()\n"

static void run_with_library(const char *script)
{
    (void)run_with_input(need_python(), script, output, sizeof output);
    if (strcmp(output, "no library\n") == 0) {
        print_message("skipped: SQLite is not a shared library in Python\n");
        skip();
    }
}

static void sqlite3_shutdown_can_be_followed_by_another_load(void **state)
{
    (void)state;
    static const char script[] = FIND_LIBRARY
        "os.environ['MEMFS_DEFAULT_VFS'] = '1'\n"
        "library = ctypes.CDLL(paths[0])\n"
        "library.sqlite3_vfs_find.restype = ctypes.c_void_p\n"
        "def is_default():\n"
        "    return library.sqlite3_vfs_find(None) == library.sqlite3_vfs_find(b'memfs')\n"
        "def show():\n"
        "    c = sqlite3.connect('file:/app.db?vfs=memfs', uri=True)\n"
        "    print(is_default(), c.execute('PRAGMA mmap_size').fetchone()[0] > 1 << 30,\n"
        "          c.execute(\"SELECT memfs_exists('/app.db')\").fetchone()[0])\n"
        "    c.close()\n"
        "loader.load_extension('$')\n"
        "loader.close()\n"
        "show()\n"
        "library.sqlite3_shutdown()\n"
        "show()\n"
        "loader = sqlite3.connect(':memory:')\n"
        "loader.enable_load_extension(True)\n"
        "loader.load_extension('$')\n"
        "show()\n";
    run_with_library(script);
    assert_string_equal(output, "True True 1\nFalse True 1\nTrue True 1\n");
}

static void a_second_sqlite_library_is_refused_and_can_load_a_copy(void **state)
{
    (void)state;
    static const char script[] = FIND_LIBRARY
        "directory = tempfile.mkdtemp()\n"
        "shutil.copy(paths[0], directory + '/other.so')\n"
        "shutil.copy('$.so', directory + '/memfs_sqlite.so')\n"
        "other = ctypes.CDLL(directory + '/other.so')\n"
        "loader.load_extension('$')\n"
        "c = sqlite3.connect('file:/app.db?vfs=memfs', uri=True)\n"
        "c.execute('CREATE TABLE t(a)')\n"
        "db = ctypes.c_void_p()\n"
        "print(other.sqlite3_open(b':memory:', ctypes.byref(db)))\n"
        "other.sqlite3_enable_load_extension(db, 1)\n"
        "def load(path):\n"
        "    message = ctypes.c_char_p()\n"
        "    rc = other.sqlite3_load_extension(db, path, None, ctypes.byref(message))\n"
        "    print(rc, message.value)\n"
        "load(b'$')\n"
        "load(directory.encode() + b'/memfs_sqlite')\n"
        "flags = 2 | 4 | 0x40\n"
        "theirs = ctypes.c_void_p()\n"
        "uri = b'file:/app.db?vfs=memfs'\n"
        "print(other.sqlite3_open_v2(uri, ctypes.byref(theirs), flags, None))\n"
        "print(other.sqlite3_exec(theirs, b'CREATE TABLE t(b); INSERT INTO t VALUES(1)',\n"
        "                         None, None, None))\n"
        "print(c.execute('SELECT count(*) FROM t').fetchone())\n"
        "shutil.rmtree(directory)\n";
    run_with_library(script);
    assert_in_output(
        "0\n1 b'error during initialization: memfs: another SQLite library of this process (");
    assert_in_output("Load a copy of the file from another directory");
    assert_in_output("\n0 None\n0\n0\n(0,)\n");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shell_keeps_a_database_from_one_open_to_the_next),
        cmocka_unit_test(the_quota_comes_from_the_environment),
        cmocka_unit_test(a_malformed_quota_fails_the_load_and_says_why),
        cmocka_unit_test(only_connections_that_asked_for_the_functions_have_them),
        cmocka_unit_test(the_environment_says_whether_the_host_can_be_reached),
        cmocka_unit_test(the_environment_makes_the_vfs_the_default),
        cmocka_unit_test(the_environment_keeps_untrusted_sql_in_its_limits),
        cmocka_unit_test(the_environment_makes_missing_directories),
        cmocka_unit_test(a_failed_open_is_explained_to_sql_and_to_the_log),
        cmocka_unit_test(python_opens_several_connections_to_one_database),
        cmocka_unit_test(the_shell_checkpoints_a_wal_before_a_small_quota_is_full),
        cmocka_unit_test(python_checkpoints_a_wal_before_a_small_quota_is_full),
        cmocka_unit_test(python_opens_an_image_of_a_database_in_wal_mode),
        cmocka_unit_test(sqlite3_shutdown_can_be_followed_by_another_load),
        cmocka_unit_test(a_second_sqlite_library_is_refused_and_can_load_a_copy),
    };
    if (!take_arguments(argc, argv))
        return 2;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
