#!/usr/bin/env python3
"""Makes the two files to drop in, compiles them as strangers would, and runs programs with them.

    amalgamation_test.py ROOT WORK

Compilers: gcc, and clang and g++ where they are.  The loadable extension is loaded by the sqlite3
shell, where that is.
"""

import filecmp
import os
import shutil
import subprocess
import sys

FILES = ("memfs.c", "memfs.h", "memfs_sqlite.c", "memfs_sqlite.h")
STRICT = ["-Wall", "-Wextra", "-Werror"]

PROGRAM = """
#include "memfs_sqlite.h"
#include <sqlite3.h>
#include <stdio.h>

int main(void)
{
    memfs *fs;
    sqlite3 *db;
    char text[8] = "";
    if (memfs_create(NULL, &fs) != 0 || memfs_sqlite_register(fs, "ram", 0) != 0)
        return 1;
    if (sqlite3_open_v2("/app.db", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "ram") != 0 ||
        sqlite3_exec(db, "PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES(1)",
                     NULL, NULL, NULL) != 0)
        return 2;
    sqlite3_close(db);
    if (memfs_write_file(fs, "/note", "hello", 5, 0644, 0) != 0 ||
        memfs_read_file_into(fs, "/note", text, sizeof text) != 5)
        return 3;
    printf("%s %s\\n", memfs_version(), text);
    memfs_sqlite_unregister("ram");
    return memfs_destroy(fs, 0) == 0 ? 0 : 4;
}
"""

failures = 0


def run(what, command, work):
    global failures
    result = subprocess.run(command, cwd=work, text=True, capture_output=True, check=False)
    if result.returncode != 0:
        failures += 1
        print(f"{what} failed with {result.returncode}: {' '.join(command)}\n{result.stdout}"
              f"{result.stderr}")
    return result.stdout


def make(root, work):
    script = os.path.join(root, "src", "packaging", "amalgamate.py")
    for folder in ("one", "two"):
        run("making", [sys.executable, script, root, os.path.join(work, folder)], work)
    for name in FILES:
        if not filecmp.cmp(os.path.join(work, "one", name), os.path.join(work, "two", name), False):
            sys.exit(f"{name} is not made alike each time")
    return os.path.join(work, "one")


def compile_all(compilers, work):
    """Every standard and option is read; some are compiled, linked and run."""
    options = ([], ["-DMEMFS_NO_THREADS"], ["-DMEMFS_ARENA_ONLY"], ["-DMEMFS_CHECK_LEVEL=2"])
    for compiler in compilers:
        for standard in ("c11", "c17", "c2x"):
            for option in options:
                for file in ("memfs.c", "memfs_sqlite.c"):
                    run("reading", [compiler, f"-std={standard}", *STRICT, *option,
                                    "-fsyntax-only", file], work)
        run("reading", [compiler, *STRICT, "-DMEMFS_SQLITE_EXTENSION", "-fsyntax-only",
                        "memfs_sqlite.c"], work)
    for compiler, optimised in zip(compilers, ("-O0", "-O3")):
        run("compiling", [compiler, "-std=c11", optimised, *STRICT, "program.c", "memfs.c",
                          "memfs_sqlite.c", "-lsqlite3", "-pthread", "-lm", "-o", "program"], work)
        told = run("running", ["./program"], work)
        if not told.endswith(" hello\n"):
            sys.exit(f"the program said: {told}")


def load_extension(work):
    run("the extension", ["gcc", "-O1", "-fPIC", "-shared", "-fvisibility=hidden",
                          "-DMEMFS_SQLITE_EXTENSION", "memfs.c", "memfs_sqlite.c", "-pthread",
                          "-o", "memfs_sqlite.so"], work)
    told = run("loading", ["sqlite3", ":memory:", ".load ./memfs_sqlite",
                           ".open 'file:/app.db?vfs=memfs'",
                           "CREATE TABLE t(a); INSERT INTO t VALUES('loaded'); SELECT a FROM t"],
               work)
    if told != "loaded\n":
        sys.exit(f"the shell said: {told}")


def main():
    root, work = map(os.path.abspath, sys.argv[1:3])
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    files = make(root, work)
    with open(os.path.join(files, "program.c"), "w", encoding="utf-8") as file:
        file.write(PROGRAM)
    compile_all([name for name in ("gcc", "clang") if shutil.which(name)], files)
    if shutil.which("g++"):
        run("as C++", ["g++", "-std=c++11", *STRICT, "-x", "c++", "-fsyntax-only",
                       "memfs_sqlite.h"], files)
    if shutil.which("sqlite3"):
        load_extension(files)
    if failures:
        sys.exit(f"{failures} failed")


if __name__ == "__main__":
    main()
