#!/usr/bin/env python3
"""Makes the files to drop into a program: memfs.c, memfs.h, memfs_sqlite.c and memfs_sqlite.h.

    amalgamate.py ROOT OUT [COMMIT]

The sources of src/core and of sqlite_vfs stand in them in the order of their LAYERS, the lowest
first, each header before the sources that need it, so one compiler run takes all.  The result
depends on the sources alone (and on COMMIT, if that is given).
"""

import os
import re
import sys

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)".*\n', re.MULTILINE)
PUBLIC = re.compile(r"^[ \t]*#[ \t]*include[ \t]*<memfs/(?:memfs|storage|fault|sqlite)\.h>.*\n",
                    re.MULTILINE)
ENTRY = "entry/extension"

CORE_HEAD = """/*
 * memfs {version}{commit}: a bounded file system in memory, in two files.
 *
 *     cc -O2 app.c memfs.c -pthread
 *
 * Made from the sources by src/packaging/amalgamate.py; do not edit.  Options, as macros:
 *
 *     MEMFS_NO_THREADS        no locks at all, and no -pthread
 *     MEMFS_NO_FAULTS         without memfs/fault.h's functions (they return MEMFS_EOPNOTSUPP)
 *     MEMFS_ARENA_ONLY        malloc is never referred to; each instance gets an arena or hooks
 *     MEMFS_CHECK_LEVEL=N     assertions: 0 none (the default here), 1 cheap, 2 bounded walks too
 *
 * C11 or newer, and a C library with POSIX threads, or Windows.
 */
"""

SQLITE_HEAD = """/*
 * memfs {version}{commit} as an SQLite VFS, in two files beside memfs.c and memfs.h.
 *
 *     cc -O2 app.c memfs.c memfs_sqlite.c -lsqlite3 -pthread        (or with sqlite3.c)
 *
 * Made from the sources by src/packaging/amalgamate.py; do not edit.  Options, as macros, besides
 * those of memfs.c, which must be the same for both:
 *
 *     MEMFS_SQLITE_EXTENSION  the loadable extension instead of a part of a program:
 *                             cc -O2 -fPIC -shared -fvisibility=hidden -DMEMFS_SQLITE_EXTENSION
 *                                memfs.c memfs_sqlite.c -o memfs_sqlite.so -pthread
 */
"""

CORE_SETTINGS = """
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1 /* POSIX, which -std=c11 hides */
#endif
#ifndef MEMFS_CHECK_LEVEL
#define MEMFS_CHECK_LEVEL 0
#endif
#ifndef MEMFS_STATIC
#define MEMFS_STATIC 1
#endif
#if defined(__clang__) /* inline functions that only assertions use */
#pragma clang diagnostic ignored "-Wunused-function"
#pragma clang diagnostic ignored "-Wunneeded-internal-declaration"
#endif
#include "memfs.h"
"""

AS_PROGRAM = """#if !defined(MEMFS_SQLITE_EXTENSION) && !defined(SQLITE_CORE)
#define SQLITE_CORE 1
#endif
"""

SQLITE_SETTINGS = CORE_SETTINGS.replace('#include "memfs.h"',
                                        AS_PROGRAM + '#include "memfs_sqlite.h"')


def read(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return file.read()


def modules(folder):
    """The modules of a part, the lowest first."""
    for line in read(folder, "LAYERS").splitlines():
        line = line.split("#")[0]
        if ":" not in line:
            continue
        room, rest = line.split(":")
        yield from (f"{room.strip()}/{word}" for word in rest.split() if word != "<")


def body(folder, path):
    """A file of the product without what is elsewhere in the result."""
    text = PUBLIC.sub("", INCLUDE.sub("", read(folder, path)))
    return f"\n/* ---- {path} ---- */\n\n{text.strip()}\n"


def sources(folder, wanted):
    """The bodies of the modules, each a header, a source or both."""
    for module in modules(folder):
        if not wanted(module):
            continue
        for ending in (".h", ".c"):
            if os.path.exists(os.path.join(folder, module + ending)):
                yield body(folder, module + ending)


def public(root, *headers):
    """Public headers as one, which includes nothing of the others' by their installed names."""
    return "\n".join(PUBLIC.sub("", read(root, "include", "memfs", header)) for header in headers)


def core(root, words):
    folder = os.path.join(root, "src", "core")
    return {
        "memfs.h": (CORE_HEAD.format(**words) + "\n" +
                    public(root, "memfs.h", "storage.h", "fault.h")),
        "memfs.c": CORE_HEAD.format(**words) + CORE_SETTINGS +
                   "".join(sources(folder, lambda module: True)),
    }


def sqlite(root, words):
    folder = os.path.join(root, "sqlite_vfs")
    entry = body(folder, ENTRY + ".c")
    return {
        "memfs_sqlite.h": SQLITE_HEAD.format(**words) + '\n#include "memfs.h"\n\n' +
                          public(root, "sqlite.h"),
        "memfs_sqlite.c": SQLITE_HEAD.format(**words) + SQLITE_SETTINGS +
                          "".join(sources(folder, lambda module: module != ENTRY)) +
                          f"\n#ifdef MEMFS_SQLITE_EXTENSION\n{entry}\n#endif\n",
    }


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    root, out = sys.argv[1:3]
    version = re.search(r'#define MEMFS_VERSION "([^"]+)"', read(root, "include/memfs/memfs.h"))
    words = {"version": version.group(1),
             "commit": f" (commit {sys.argv[3]})" if len(sys.argv) == 4 else ""}
    os.makedirs(out, exist_ok=True)
    for name, text in {**core(root, words), **sqlite(root, words)}.items():
        with open(os.path.join(out, name), "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main()
