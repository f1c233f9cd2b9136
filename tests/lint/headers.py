"""Refuses a public header that does not compile alone, as C11 and as C++11.

CC and CXX name the compilers.  A header is included twice, with warnings as errors.  Also refuses
what a public header may not show (a macro without MEMFS_ in front), a function that two headers
declare, and a header that is not of exactly one part in src/PARTS.
"""

import os
import re
import subprocess
import tempfile

import lint
import parts

DECLARED = re.compile(r"\bMEMFS_API\b[^;{]*?\b(memfs_\w+)\s*\(", re.DOTALL)
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow",
            "-Wcast-qual", "-Wundef", "-Werror", "-fsyntax-only"]
LANGUAGES = (
    ("C11", "CC", "gcc", ["-std=c11", "-Wstrict-prototypes", "-x", "c"]),
    ("C++11", "CXX", "g++", ["-std=c++11", "-x", "c++"]),
)
# Assertions for cmocka are named as cmocka's are.
NAMED_AS_CMOCKAS = "memfs/cmocka.h"
# Headers that include one of another project which wants declarations of POSIX.
OF_POSIX = ("memfs/uv.h",)


def compile_alone(root, header, language):
    name, variable, default, flags = language
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "alone.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write(f"#include <{header}>\n#include <{header}>\n"
                       "extern int alone;\nint alone = 0;\n")
        posix = ["-D_POSIX_C_SOURCE=200809L"] if header in OF_POSIX else []
        command = [os.environ.get(variable, default), *WARNINGS, *flags, *posix,
                   "-I", os.path.join(root, "include"), source]
        result = subprocess.run(command, text=True, capture_output=True, check=False)
    if result.returncode == 0:
        return None
    first = next((line for line in result.stderr.splitlines() if "error" in line), result.stderr)
    return f"does not compile alone as {name}: {first}"


def check_owners(root, headers, report):
    """Each header is of one part, and each function is declared by one header."""
    owners = {}
    for part in parts.read(root, report):
        for header in part.headers:
            path = f"include/memfs/{header}"
            if path in owners:
                report.refuse(path, f"is of {owners[path]} and of {part.name}")
            owners[path] = part.name
            if path not in headers:
                report.refuse(path, f"is a header of {part.name}, and does not exist")
    declared = {}
    for path, text in headers.items():
        if path not in owners:
            report.refuse(path, "is of no part in src/PARTS")
        for match in DECLARED.finditer(lint.without_comments(text)):
            first = declared.setdefault(match.group(1), path)
            if first != path:
                report.refuse(f"{path}:{lint.line_of(text, match.start(1))}",
                              f"declares {match.group(1)}, as {first} does")


def check(root):
    report = lint.Report()
    check_owners(root, dict(lint.files(root, ("include",), (".h",))), report)
    for path, text in lint.files(root, ("include",), (".h",)):
        report.examined += 1
        for language in LANGUAGES:
            problem = compile_alone(root, os.path.relpath(path, "include"), language)
            if problem:
                report.refuse(path, problem)
        for match in re.finditer(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", lint.without_comments(text),
                                 re.MULTILINE):
            is_assertion = (path.endswith(NAMED_AS_CMOCKAS) and
                            match.group(1).startswith("assert_"))
            if not match.group(1).startswith("MEMFS_") and not is_assertion:
                report.refuse(f"{path}:{lint.line_of(text, match.start())}",
                              f"defines {match.group(1)}, which lacks MEMFS_")
    return report


GUARD = "#ifndef MEMFS_%s_H\n#define MEMFS_%s_H\n%s\n#endif\n"
API = "#define MEMFS_API\nMEMFS_API int memfs_f(int a,\n    int b);"


def sample(body, other=None, listed="a.h,b.h"):
    tree = {"src/PARTS": f"core src/core {listed} -\n", "src/core/LAYERS": "",
            "include/memfs/a.h": GUARD % ("A", "A", body)}
    if other is not None:
        tree["include/memfs/b.h"] = GUARD % ("B", "B", other)
    return tree


GOOD = [
    sample("#include <stdint.h>\nstatic inline int memfs_f(void)\n{\n    return 0;\n}", "",
           "b.h,a.h"),
    sample(API, API.replace("_f", "_g")),
]
BAD = [
    (sample("uint32_t memfs_f(void);"), "alone as C11"),
    (sample("int memfs_f(int class);"), "alone as C++11"),
    (sample("static inline int *memfs_f(void *p)\n{\n    return p;\n}"), "alone as C++11"),
    (sample("static inline int memfs_f(long a)\n{\n    return a;\n}"), "alone as C11"),
    (sample("static inline int memfs_f(void)\n{\n    return 0;\n}\n#define MIN 3"),
     "lacks MEMFS_"),
    ({**sample(""), "include/memfs/a.h": "struct memfs_a {\n    int a;\n};\n"}, "alone as C11"),
    (sample(API, API), "b.h:4: declares memfs_f, as include/memfs/a.h does"),
    (sample("", "", "a.h"), "b.h: is of no part"),
    (sample("", listed="a.h,gone.h"), "gone.h: is a header of core, and does not exist"),
    (sample("", "", "a.h,b.h,a.h"), "a.h: is of core and of core"),
]

if __name__ == "__main__":
    lint.main("headers", check, GOOD, BAD)
