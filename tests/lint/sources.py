"""Refuses a source file that no build compiles, and a listed one that is gone.

Compares the .c files of each folder with the names in its CMakeLists.txt.
"""

import os
import re

import lint

FOLDERS = ("src", "sqlite_vfs", "examples", "tests/support", "tests/unit", "tests/api",
           "tests/model", "tests/fault", "tests/stress", "tests/sqlite", "tests/bench")


def check_folder(root, folder, report):
    present = {os.path.basename(path) for path, _ in lint.files(root, (folder,), (".c",))}
    path = os.path.join(root, folder, "CMakeLists.txt")
    if not present and not os.path.exists(path):
        return
    if not os.path.exists(path):
        report.refuse(folder, "has sources and no CMakeLists.txt")
        return
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"#[^\n]*", "", file.read())
    # A name behind a variable is a file of another folder.
    listed = {os.path.basename(name) for name in re.findall(r"[\w./{}$-]+\.c\b", text)
              if "$" not in name}
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
    for folder in FOLDERS:
        if os.path.isdir(os.path.join(root, folder)):
            check_folder(root, folder, report)
    return report


SOUND = {"src/CMakeLists.txt": "target_sources(memfs PRIVATE a.c b.c)\n",
         "src/a.c": "", "src/b.c": "", "src/a.h": ""}
GOOD = [SOUND,
        {"tests/unit/CMakeLists.txt": "SOURCES t.c ${PROJECT_SOURCE_DIR}/src/a.c",
         "tests/unit/t.c": ""},
        {"examples/CMakeLists.txt": "foreach(x IN ITEMS a b)\nadd_executable(${x} ${x}.c)\n",
         "examples/a.c": "", "examples/b.c": ""},
        {"tests/unit/CMakeLists.txt": "set(names a b)\nforeach(n IN LISTS names)\n"
                                      "memfs_add_test(NAME unit_${n} SOURCES ${n}_test.c)\n",
         "tests/unit/a_test.c": "", "tests/unit/b_test.c": ""}]
BAD = [
    ({**SOUND, "src/c.c": ""}, "c.c: is compiled by nothing"),
    ({**SOUND, "src/CMakeLists.txt": "target_sources(memfs PRIVATE a.c b.c d.c)"}, "lists d.c"),
    ({**SOUND, "src/CMakeLists.txt": "target_sources(memfs PRIVATE a.c) # b.c"}, "b.c: is compiled"),
    ({"tests/unit/CMakeLists.txt": "set(names a)\nSOURCES ${n}_test.c\n",
      "tests/unit/a_test.c": "", "tests/unit/b_test.c": ""}, "b_test.c: is compiled"),
    ({"tests/api/a.c": ""}, "has sources and no CMakeLists.txt"),
]

if __name__ == "__main__":
    lint.main("sources", check, GOOD, BAD)
