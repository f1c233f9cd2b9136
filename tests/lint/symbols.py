"""Refuses a symbol that a library shows and should not, or promises and lacks.

    symbols.py ROOT KIND=FILE...
    symbols.py --self-test

shared     exports exactly the functions that its public headers declare, each in one of them
static     its global symbols all begin with memfs_ or mfs_
extension  exports its entry points, sqlite3_..._init, and nothing else
heapless   needs no function of the heap (the build for arenas only)
threadless needs no function of POSIX threads (the build without threads)

NM and CC name the tools.  `shared` takes the headers of its library after
commas: shared=libmemfs.so,include/memfs/memfs.h,include/memfs/storage.h
"""

import os
import re
import subprocess
import sys
import tempfile

import lint

DECLARED = re.compile(r"\bMEMFS_(?:[A-Z]+_)?API\b[^;{]*?\b(memfs_\w+)\s*\(", re.DOTALL)

INLINE = re.compile(r"\bstatic inline\b")
HEAP = re.compile(r"(malloc|calloc|realloc\w*|aligned_alloc|posix_memalign|free|strn?dup)")
THREADS = re.compile(r"(pthread|sem|mtx|cnd|thrd)_\w+")


def symbols(path, *flags):
    command = [os.environ.get("NM", "nm"), "--format=posix", *flags, path]
    result = subprocess.run(command, text=True, capture_output=True, check=True)
    found = set()
    for line in result.stdout.splitlines():
        words = line.split()
        if len(words) >= 2 and len(words[1]) == 1:
            found.add(words[0])
    return found


def check_shared(report, root, where):
    path, *headers = where.split(",")
    exported = symbols(path, "--defined-only", "--dynamic")
    declared = {}
    for header in headers:
        with open(os.path.join(root, header), encoding="utf-8") as file:
            text = lint.without_comments(file.read())
        names = DECLARED.findall(text)
        if not names and not INLINE.search(text):
            report.refuse(header, "declares nothing")
        for name in names:
            if name in declared:
                report.refuse(header, f"declares {name}, which {declared[name]} declares")
            declared[name] = header
    report.examined += len(exported)
    for name in sorted(exported - declared.keys()):
        report.refuse(path, f"exports {name}, which no header of {', '.join(headers)} declares")
    for name in sorted(declared.keys() - exported):
        report.refuse(path, f"lacks {name}, which {declared[name]} declares")


def check_static(report, _root, path):
    found = symbols(path, "--defined-only", "--extern-only")
    report.examined += len(found)
    for name in sorted(found):
        if not name.startswith(("memfs_", "mfs_")):
            report.refuse(path, f"shows {name}, which lacks memfs_ or mfs_")


def check_extension(report, _root, path):
    found = symbols(path, "--defined-only", "--dynamic")
    report.examined += len(found)
    for name in sorted(found):
        if not re.fullmatch(r"sqlite3_([a-z]+_)?init|sqlite3_extension_init", name):
            report.refuse(path, f"exports {name}, which is no entry point")


def check_needs(report, path, banned, what):
    found = symbols(path, "--undefined-only")
    report.examined += len(found)
    for name in sorted(found):
        if banned.fullmatch(name):
            report.refuse(path, f"needs {name}, which is {what}")


def check_heapless(report, _root, path):
    check_needs(report, path, HEAP, "of the heap")


def check_threadless(report, _root, path):
    check_needs(report, path, THREADS, "of POSIX threads")


KINDS = {"shared": check_shared, "static": check_static, "extension": check_extension,
         "heapless": check_heapless, "threadless": check_threadless}


def check(root, libraries):
    report = lint.Report()
    for library in libraries:
        kind, _, where = library.partition("=")
        before = report.examined
        KINDS[kind](report, root, where)
        if report.examined == before:
            report.refuse(where, "shows no symbol at all")
    return report


def compiled(folder, kind, text):
    """A library of `kind` from C text."""
    source = os.path.join(folder, "sample.c")
    is_object = kind in ("static", "heapless", "threadless")
    library = os.path.join(folder, "sample.a" if is_object else "sample.so")
    with open(source, "w", encoding="utf-8") as file:
        file.write(text)
    flags = ["-c"] if is_object else ["-shared", "-fPIC"]
    subprocess.run([os.environ.get("CC", "gcc"), *flags, source, "-o", library], check=True)
    return library


def self_test():
    headers = {"a.h": "MEMFS_API int memfs_a(void);\n",
               "b.h": "MEMFS_PART_API const char *memfs_b(int x,\n    int y);\n",
               "twice.h": "MEMFS_API int memfs_a(void);\n"}
    two = "int memfs_a(void) { return 0; } int memfs_b(void) { return 0; }"
    needs = "extern int needed(void) __asm__(\"%s\"); int memfs_a(void) { return needed(); }"
    samples = [
        ("shared", two, None),
        ("shared", two + "int memfs_c(void) { return 0; }", "exports memfs_c"),
        ("shared", two + "int helper = 3;", "exports helper"),
        ("shared", "int memfs_a(void) { return 0; }", "lacks memfs_b"),
        ("shared,a.h,b.h,twice.h", two, "which a.h declares"),
        ("static", two + "int mfs_x; static int hidden(void) { return mfs_x; }"
                         "int (*mfs_y)(void) = hidden;", None),
        ("static", two + "int walk(void) { return 0; }", "shows walk"),
        ("static", "static int a;", "no symbol at all"),
        ("extension", "int sqlite3_memfssqlite_init(void) { return 0; }", None),
        ("extension", two, "no entry point"),
        ("heapless", needs % "puts", None),
        ("heapless", needs % "malloc", "needs malloc"),
        ("heapless", needs % "free", "needs free"),
        ("threadless", needs % "puts", None),
        ("threadless", needs % "pthread_mutex_lock", "needs pthread_mutex_lock"),
    ]
    failures = 0
    for kind, text, words in samples:
        with tempfile.TemporaryDirectory() as folder:
            lint.write_tree(folder, headers)
            kind, _, named = kind.partition(",")
            library = compiled(folder, kind, text)
            where = f"{library},{named or 'a.h,b.h'}" if kind == "shared" else library
            report = check(folder, [f"{kind}={where}"])
            output = report.text("sample")
            if report.refused() != (words is not None) or (words and words not in output):
                failures += 1
                print(f"{kind} sample, expected {words}:\n{output}")
    if not check(".", []).refused():
        failures += 1
        print("no library at all was accepted")
    print(f"self-test: {len(samples) + 1} samples, {failures} failures")
    return 1 if failures else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test())
    report = check(sys.argv[1], sys.argv[2:])
    print(report.text("symbols"))
    sys.exit(1 if report.refused() else 0)


if __name__ == "__main__":
    main()
