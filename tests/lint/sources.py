"""Refuses a source file that no build compiles, and a listed one that is gone.

Each CMakeLists.txt answers for the .c files of its folder and of those below that have none
of their own.  It names them by their path from where it stands.
"""

import os
import re

import lint

FOLDERS = ("src", "sqlite_vfs", "examples", "tests")
# The consumer's project is built by a script, the peers' sources come from elsewhere.
ELSEWHERE = ("tests/consumer", "tests/peers")


def owner_of(root, path):
    """The nearest folder above `path` with a CMakeLists.txt, or None."""
    folder = os.path.dirname(path)
    while folder:
        if os.path.exists(os.path.join(root, folder, "CMakeLists.txt")):
            return folder
        folder = os.path.dirname(folder)
    return None


def check_folder(root, folder, present, report):
    with open(os.path.join(root, folder, "CMakeLists.txt"), encoding="utf-8") as file:
        text = re.sub(r"#[^\n]*", "", file.read())
    # A name behind a variable is a file of another folder.
    listed = {name for name in re.findall(r"[\w./{}$-]+\.c\b", text) if "$" not in name}
    # ${name}_test.c, in a loop over the names: any word may be one of them.
    for ending in set(re.findall(r"(?<![\w/])\$\{\w+\}(\w*\.c)\b", text)):
        listed |= {word + ending for word in re.findall(r"[\w-]+", text)} & present
    report.examined += len(present)
    for name in sorted(present - listed):
        report.refuse(f"{folder}/{name}", "is compiled by nothing")
    for name in sorted(listed - present):
        report.refuse(f"{folder}/CMakeLists.txt", f"lists {name}, which does not exist")


def check(root):
    report = lint.Report()
    owned = {}
    for folder in FOLDERS:
        for where, _, entries in os.walk(os.path.join(root, folder)):
            if "CMakeLists.txt" in entries:
                owned[os.path.relpath(where, root)] = set()
    for path, _ in lint.files(root, FOLDERS, (".c",)):
        owner = owner_of(root, path)
        if owner is None:
            report.refuse(path, "has no CMakeLists.txt above it")
        else:
            owned[owner].add(os.path.relpath(path, owner))
    for folder in sorted(owned):
        if not folder.startswith(ELSEWHERE):
            check_folder(root, folder, owned[folder], report)
    return report


SOUND = {"src/CMakeLists.txt": "target_sources(memfs PRIVATE a.c room/b.c)\n",
         "src/a.c": "", "src/room/b.c": "", "src/a.h": ""}
GOOD = [SOUND,
        {**SOUND, "src/part/CMakeLists.txt": "SOURCES p.c", "src/part/p.c": ""},
        {"tests/unit/CMakeLists.txt": "SOURCES t.c ${PROJECT_SOURCE_DIR}/src/a.c",
         "tests/unit/t.c": ""},
        {"examples/CMakeLists.txt": "foreach(x IN ITEMS a b)\nadd_executable(${x} ${x}.c)\n",
         "examples/a.c": "", "examples/b.c": ""},
        {"tests/unit/CMakeLists.txt": "set(names a b)\nforeach(n IN LISTS names)\n"
                                      "memfs_add_test(NAME unit_${n} SOURCES ${n}_test.c)\n",
         "tests/unit/a_test.c": "", "tests/unit/b_test.c": ""}]
BAD = [
    ({**SOUND, "src/c.c": ""}, "c.c: is compiled by nothing"),
    ({**SOUND, "src/room/c.c": ""}, "room/c.c: is compiled by nothing"),
    ({**SOUND, "src/room/CMakeLists.txt": ""}, "b.c: is compiled by nothing"),
    ({**SOUND, "src/CMakeLists.txt": "target_sources(memfs PRIVATE a.c b.c)"}, "lists b.c"),
    ({**SOUND, "src/CMakeLists.txt": "PRIVATE a.c room/b.c d.c"}, "lists d.c"),
    ({**SOUND, "src/CMakeLists.txt": "PRIVATE a.c # room/b.c"}, "b.c: is compiled"),
    ({"tests/unit/CMakeLists.txt": "set(names a)\nSOURCES ${n}_test.c\n",
      "tests/unit/a_test.c": "", "tests/unit/b_test.c": ""}, "b_test.c: is compiled"),
    ({"tests/api/a.c": ""}, "has no CMakeLists.txt above it"),
]

if __name__ == "__main__":
    lint.main("sources", check, GOOD, BAD)
