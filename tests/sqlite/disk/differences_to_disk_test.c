/*
 * What the sqlite3 shell and Python say of a database, on memfs and in a file of the host:
 * the same.  Each script runs twice, with @ for the beginning of names and % for their
 * end: "file:/NAME?vfs=memfs", or "file:DIRECTORY/NAME".  Arguments: as extension_test.
 */
#define _POSIX_C_SOURCE 200809L

#include "other_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCRIPT_BYTES = 8192, OUTPUT_BYTES = 1 << 20 };

/* Removes what the host's run left, and what it has extracted. */
static void remove_directory(const char *directory)
{
    char command[256];
    snprintf(command, sizeof command, "rm -r %s", directory);
    assert_int_equal(system(command), 0);
}

static void put(char *script, const char *text)
{
    assert_true(strlen(script) + strlen(text) < SCRIPT_BYTES);
    strcat(script, text);
}

/* '@' and '%' replaced, '~' by the directory. */
static void fill_in(char *script, const char *pattern, bool on_memfs, const char *directory)
{
    char one[2] = "";
    script[0] = '\0';
    for (; *pattern != '\0'; pattern++) {
        one[0] = *pattern;
        if (*pattern == '@')
            put(script, on_memfs ? "file:/" : "file:");
        if (*pattern == '~' || (*pattern == '@' && !on_memfs))
            put(script, directory);
        if (*pattern == '@' && !on_memfs)
            put(script, "/");
        if (*pattern == '%' && on_memfs)
            put(script, "?vfs=memfs");
        if (strchr("@%~", *pattern) == NULL)
            put(script, one);
    }
}

static char *run_once(const char *command, const char *pattern, bool on_memfs)
{
    char directory[] = "/tmp/memfs-differences-XXXXXX";
    char script[SCRIPT_BYTES];
    char *output = malloc(OUTPUT_BYTES);
    assert_non_null(output);
    assert_non_null(mkdtemp(directory));
    fill_in(script, pattern, on_memfs, directory);
    int status = run_with_input(command, script, output, OUTPUT_BYTES);
    remove_directory(directory);
    if (status != 0)
        fail_msg("%s: %d\n%s", on_memfs ? "memfs" : "host", status, output);
    return output;
}

/* The script says the same twice, and `expected` is in it. */
static void assert_no_difference(const char *command, const char *pattern, const char *expected)
{
    char *ours = run_once(command, pattern, true);
    char *theirs = run_once(command, pattern, false);
    if (strstr(theirs, expected) == NULL)
        fail_msg("no %s in:\n%s", expected, theirs);
    if (strcmp(ours, theirs) != 0)
        fail_msg("on memfs:\n%s\non disk:\n%s", ours, theirs);
    free(ours);
    free(theirs);
}

#define SCHEMA \
    "CREATE TABLE t(id INTEGER PRIMARY KEY, b TEXT, c REAL, d BLOB);\n" \
    "CREATE INDEX i ON t(b); CREATE VIEW v AS SELECT b FROM t;\n" \
    "CREATE TRIGGER g AFTER DELETE ON t BEGIN INSERT INTO t(b) VALUES('gone'); END;\n" \
    "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)\n" \
    "INSERT INTO t SELECT i, 'row ' || i, i / 3.0, zeroblob(i) FROM n;\n" \
    "DELETE FROM t WHERE id BETWEEN 50 AND 90;\n"
#define BEGINNING ".bail on\n.load $\n.open '@a.db%'\n"

static void the_shell_dumps_the_same(void **state)
{
    (void)state;
    need_shell();
    assert_no_difference(SHELL,
                         BEGINNING "PRAGMA page_size=1024; PRAGMA auto_vacuum=1;\n" SCHEMA
                                   ".dump\n.schema\n.indexes\n.fullschema\n",
                         "CREATE TRIGGER g");
}

static void the_shell_hashes_and_checks_the_same(void **state)
{
    (void)state;
    need_shell();
    assert_no_difference(SHELL,
                         BEGINNING SCHEMA ".sha3sum\n.sha3sum t\n.selftest --init\n.selftest\n"
                                          "PRAGMA integrity_check;\n",
                         "0 errors out of");
}

static void the_shell_backs_up_clones_saves_and_restores_the_same(void **state)
{
    (void)state;
    need_shell();
    assert_no_difference(SHELL,
                         BEGINNING SCHEMA
                         ".backup '@b.db%'\n.clone '@c.db%'\n.save '@d.db%'\n"
                         ".backup ~/to-disk.db\nVACUUM INTO '@e.db%';\n"
                         "DELETE FROM t; SELECT count(*) FROM t;\n"
                         ".restore ~/to-disk.db\nSELECT count(*) FROM t;\n.sha3sum\n"
                         ".open '@b.db%'\n.sha3sum\n.open '@c.db%'\n.sha3sum\n"
                         ".open '@d.db%'\n.sha3sum\n.open '@e.db%'\n.sha3sum\n"
                         ".restore main '@a.db%'\n.sha3sum\nPRAGMA integrity_check;\n",
                         "300\n");
}

/* An update compares modes and times in whole seconds, so the first files are older by far. */
static void the_shell_archives_the_same(void **state)
{
    (void)state;
    need_shell();
    assert_no_difference(SHELL,
                         BEGINNING ".cd ~\n"
                                   ".shell mkdir in && echo some > in/one && seq 1 9999 > in/two\n"
                                   ".shell touch -t 202001010000 in/one in/two\n"
                                   ".archive --create in/one in/two\n.archive --list\n"
                                   ".shell echo more > in/one\n.archive --update in/one\n"
                                   ".archive --extract --directory out\n.shell cat out/in/one\n"
                                   ".shell cmp in/two out/in/two\nSELECT name, sz FROM sqlar;\n"
                                   "PRAGMA integrity_check;\n",
                         "more\nin/two|48888\nin/one|5\nok\n");
}

static void python_dumps_and_backs_up_the_same(void **state)
{
    (void)state;
    assert_no_difference(
        need_python(),
        "import sqlite3\n"
        "loader = sqlite3.connect(':memory:')\n"
        "loader.enable_load_extension(True)\n"
        "loader.load_extension('$')\n"
        "def connect(name):\n"
        "    return sqlite3.connect(name, uri=True)\n"
        "a = connect('@a.db%')\n"
        "a.executescript('CREATE TABLE t(a, b); CREATE INDEX i ON t(a)')\n"
        "with a:\n"
        "    a.executemany('INSERT INTO t VALUES(?, ?)',\n"
        "                  ((i, bytes(i)) for i in range(500)))\n"
        "try:\n"
        "    with a:\n"
        "        a.execute('DELETE FROM t')\n"
        "        raise KeyError\n"
        "except KeyError:\n"
        "    pass\n"
        "print(chr(10).join(a.iterdump()))\n"
        "for name in '@b.db%', 'file:~/b.db':\n"
        "    b = connect(name)\n"
        "    a.backup(b, pages=7)\n"
        "    print(list(b.iterdump()) == list(a.iterdump()))\n"
        "c = connect('@c.db%')\n"
        "b.backup(c)\n"
        "print(c.execute('PRAGMA integrity_check').fetchall())\n"
        "d = connect('file:~/b.db')\n"
        "d.execute('ATTACH ? AS c', ('@c.db%',))\n"
        "print(d.execute('SELECT count(*) FROM c.t JOIN main.t USING(a)').fetchone())\n",
        "[('ok',)]\n(500,)\n");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shell_dumps_the_same),
        cmocka_unit_test(the_shell_hashes_and_checks_the_same),
        cmocka_unit_test(the_shell_backs_up_clones_saves_and_restores_the_same),
        cmocka_unit_test(the_shell_archives_the_same),
        cmocka_unit_test(python_dumps_and_backs_up_the_same),
    };
    if (!take_arguments(argc, argv))
        return 2;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
