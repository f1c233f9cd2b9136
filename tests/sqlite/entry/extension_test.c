/*
 * The loadable extension, in programs that are not ours: the sqlite3 shell and
 * Python's sqlite3 module.  Arguments: the extension's file, then the Python to
 * use, or "none".
 */
#include "other_program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *extension; /* without ".so": both ways of naming it must work */
static const char *python;

static void need_python(void)
{
    if (strcmp(python, "none") == 0) {
        print_message(
            "skipped: no Python whose sqlite3 loads extensions, or no threads in this build\n");
        skip();
    }
}

static void the_shell_keeps_a_database_from_one_open_to_the_next(void **state)
{
    (void)state;
    need_shell();
    char script[2048];
    char output[4096];
    snprintf(script, sizeof script,
             ".bail on\n"
             ".load %s\n"
             ".open 'file:/app.db?vfs=memfs'\n"
             "CREATE TABLE t(a); INSERT INTO t VALUES(1),(2);\n"
             ".open ':memory:'\n"
             ".open 'file:/app.db?vfs=memfs'\n"
             "ATTACH 'file:/../app.db?vfs=memfs' AS again;\n"
             "SELECT 'sum', sum(a) FROM again.t;\n"
             ".load %s\n"
             "PRAGMA integrity_check;\n",
             extension, extension);
    int status = run_with_input("sqlite3 -batch", script, output, sizeof output);
    assert_string_equal(output, "sum|3\nok\n");
    assert_int_equal(status, 0);
}

static void the_quota_comes_from_the_environment(void **state)
{
    (void)state;
    need_shell();
    char script[1024];
    char output[4096];
    snprintf(script, sizeof script,
             ".load %s\n"
             ".open 'file:/app.db?vfs=memfs'\n"
             "CREATE TABLE t(v);\n"
             "INSERT INTO t VALUES(zeroblob(3000000));\n"
             "SELECT 'rows', count(*) FROM t;\n"
             "PRAGMA integrity_check;\n",
             extension);
    (void)run_with_input("MEMFS_QUOTA=2M sqlite3 -batch", script, output, sizeof output);
    assert_non_null(strstr(output, "database or disk is full"));
    assert_non_null(strstr(output, "rows|0\nok\n"));
    (void)run_with_input("MEMFS_QUOTA=0 sqlite3 -batch", script, output, sizeof output);
    assert_string_equal(output, "rows|1\nok\n");
    (void)run_with_input("sqlite3 -batch", script, output, sizeof output);
    assert_string_equal(output, "rows|1\nok\n");
}

static void a_malformed_quota_fails_the_load_and_says_why(void **state)
{
    (void)state;
    need_shell();
    char script[1024];
    char output[4096];
    snprintf(script, sizeof script, ".load %s\nSELECT 'alive';\n", extension);
    const char *const malformed[] = {"lots", "12X", "-1", "", "1.5M"};
    for (size_t index = 0; index < sizeof malformed / sizeof *malformed; index++) {
        char command[128];
        snprintf(command, sizeof command, "MEMFS_QUOTA='%s' sqlite3 -batch", malformed[index]);
        (void)run_with_input(command, script, output, sizeof output);
        char message[128];
        snprintf(message, sizeof message, "memfs: MEMFS_QUOTA=\"%s\" is not a size",
                 malformed[index]);
        if (strstr(output, message) == NULL || strstr(output, "alive") == NULL)
            fail_msg("%s", output);
    }
    (void)run_with_input("MEMFS_QUOTA=1 sqlite3 -batch", script, output, sizeof output);
    assert_non_null(strstr(output, "memfs: cannot make the file system: quota exceeded"));
}

static void the_functions_are_where_somebody_asked_for_them(void **state)
{
    (void)state;
    need_shell();
    char script[2048];
    char output[4096];
    snprintf(script, sizeof script,
             ".load %s\n"
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
             ".load %s\n"
             "SELECT 'asked', memfs_exists('/d');\n"
             "SELECT load_extension('%s') IS NULL, count(*) FROM memfs_tree('/d');\n",
             extension, extension, extension);
    (void)run_with_input("sqlite3 -batch", script, output, sizeof output);
    const char *const answers[] = {"1099511627776\n",    "4096\n",       "loader|4\n",
                                   "ours|text|4\n",      "ours too|1\n", "asked|1\n",
                                   "no such function: ", "1|2\n"};
    for (size_t index = 0; index < sizeof answers / sizeof *answers; index++)
        if (strstr(output, answers[index]) == NULL)
            fail_msg("no %sin:\n%s", answers[index], output);
    assert_null(strstr(output, "not asked|"));
}

static void the_environment_says_whether_the_host_can_be_reached(void **state)
{
    (void)state;
    need_shell();
    char script[1024];
    char output[4096];
    snprintf(script, sizeof script,
             ".load %s\n"
             "SELECT 'imported', memfs_import('%s.so', '/self');\n"
             ".open 'file:/app.db?vfs=memfs'\n"
             "SELECT 'here too', memfs_import('%s.so', '/self');\n",
             extension, extension, extension);
    (void)run_with_input("MEMFS_HOST_ACCESS=1 sqlite3 -batch", script, output, sizeof output);
    assert_string_equal(output, "imported|1\nhere too|1\n");
    const char *const closed[] = {"sqlite3 -batch", "MEMFS_HOST_ACCESS=0 sqlite3 -batch"};
    for (size_t index = 0; index < sizeof closed / sizeof *closed; index++) {
        (void)run_with_input(closed[index], script, output, sizeof output);
        assert_non_null(strstr(output, "no such function: memfs_import"));
        assert_null(strstr(output, "|1"));
    }
    (void)run_with_input("MEMFS_HOST_ACCESS=yes sqlite3 -batch", script, output, sizeof output);
    assert_non_null(strstr(output, "memfs: MEMFS_HOST_ACCESS=\"yes\" is neither 0 nor 1"));
}

static void the_environment_makes_the_vfs_the_default(void **state)
{
    (void)state;
    need_shell();
    char script[1024];
    char output[4096];
    snprintf(script, sizeof script,
             ".load %s\n"
             ".open /not/on/disk/app.db\n"
             "SELECT 'made', memfs_write('/not/on/disk/note', 'x');\n"
             ".open /not/on/disk/app.db\n"
             "CREATE TABLE t(a);\n"
             "SELECT 'there', memfs_exists('/not/on/disk/app.db');\n",
             extension);
    (void)run_with_input("MEMFS_DEFAULT_VFS=1 sqlite3 -batch", script, output, sizeof output);
    assert_non_null(strstr(output, "there|1\n"));
    (void)run_with_input("MEMFS_DEFAULT_VFS=0 sqlite3 -batch", script, output, sizeof output);
    assert_null(strstr(output, "there|1\n"));
    (void)run_with_input("MEMFS_DEFAULT_VFS=2 sqlite3 -batch", script, output, sizeof output);
    assert_non_null(strstr(output, "memfs: MEMFS_DEFAULT_VFS=\"2\" is neither 0 nor 1"));
}

static void python_opens_several_connections_to_one_database(void **state)
{
    (void)state;
    need_python();
    char script[4096];
    char output[4096];
    snprintf(script, sizeof script,
             "import sqlite3, threading\n"
             "loader = sqlite3.connect(':memory:')\n"
             "loader.enable_load_extension(True)\n"
             "loader.load_extension('%s')\n"
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
             "print(connect().execute('SELECT memfs_read(?)', ('/a/b',)).fetchone())\n",
             extension);
    int status = run_with_input(python, script, output, sizeof output);
    assert_string_equal(output, "(80, 760)\n(80,)\n('ok',)\n(b'bytes',)\n");
    assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shell_keeps_a_database_from_one_open_to_the_next),
        cmocka_unit_test(the_quota_comes_from_the_environment),
        cmocka_unit_test(a_malformed_quota_fails_the_load_and_says_why),
        cmocka_unit_test(the_functions_are_where_somebody_asked_for_them),
        cmocka_unit_test(the_environment_says_whether_the_host_can_be_reached),
        cmocka_unit_test(the_environment_makes_the_vfs_the_default),
        cmocka_unit_test(python_opens_several_connections_to_one_database),
    };
    if (argc < 3) {
        fprintf(stderr, "usage: %s <extension> <python or none>\n", argv[0]);
        return 2;
    }
    extension = argv[1];
    python = argv[2];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
