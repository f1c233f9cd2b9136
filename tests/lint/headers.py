"""Refuses a public header that does not compile alone, as C11 and as C++11.

CC and CXX name the compilers.  A header is included twice, with warnings as
errors.  Also refuses what a public header may not show: a name without memfs_
or MEMFS_ in front.
"""

import os
import re
import subprocess
import tempfile

import lint

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow",
            "-Wcast-qual", "-Wundef", "-Werror", "-fsyntax-only"]
LANGUAGES = (
    ("C11", "CC", "gcc", ["-std=c11", "-Wstrict-prototypes", "-x", "c"]),
    ("C++11", "CXX", "g++", ["-std=c++11", "-x", "c++"]),
)


def compile_alone(root, header, language):
    name, variable, default, flags = language
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "alone.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write(f"#include <{header}>\n#include <{header}>\n"
                       "extern int alone;\nint alone = 0;\n")
        command = [os.environ.get(variable, default), *WARNINGS, *flags,
                   "-I", os.path.join(root, "include"), source]
        result = subprocess.run(command, text=True, capture_output=True, check=False)
    if result.returncode == 0:
        return None
    first = next((line for line in result.stderr.splitlines() if "error" in line), result.stderr)
    return f"does not compile alone as {name}: {first}"


def check(root):
    report = lint.Report()
    for path, text in lint.files(root, ("include",), (".h",)):
        report.examined += 1
        for language in LANGUAGES:
            problem = compile_alone(root, os.path.relpath(path, "include"), language)
            if problem:
                report.refuse(path, problem)
        for match in re.finditer(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", lint.without_comments(text),
                                 re.MULTILINE):
            if not match.group(1).startswith("MEMFS_"):
                report.refuse(f"{path}:{lint.line_of(text, match.start())}",
                              f"defines {match.group(1)}, which lacks MEMFS_")
    return report


GUARD = "#ifndef MEMFS_A_H\n#define MEMFS_A_H\n%s\n#endif\n"
GOOD = [{"include/memfs/a.h": GUARD % "#include <stdint.h>\nstatic inline int memfs_f(void)\n"
                                      "{\n    return 0;\n}"}]
BAD = [
    ({"include/memfs/a.h": GUARD % "uint32_t memfs_f(void);"}, "alone as C11"),
    ({"include/memfs/a.h": GUARD % "int memfs_f(int class);"}, "alone as C++11"),
    ({"include/memfs/a.h": GUARD % "static inline int *memfs_f(void *p)\n{\n    return p;\n}"},
     "alone as C++11"),
    ({"include/memfs/a.h": GUARD % "static inline int memfs_f(long a)\n{\n    return a;\n}"},
     "alone as C11"),
    ({"include/memfs/a.h": GUARD % "static inline int memfs_f(void)\n{\n    return 0;\n}"
                                   "\n#define MIN 3"}, "lacks MEMFS_"),
    ({"include/memfs/a.h": "struct memfs_a {\n    int a;\n};\n"}, "alone as C11"),
]

if __name__ == "__main__":
    lint.main("headers", check, GOOD, BAD)
