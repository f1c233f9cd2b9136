"""Refuses a promise of README.md without tests, and a named test that does not exist.

README.md has a numbered list under the heading that speaks of promises.  tests/README.md has a
table with a row for each of its numbers: the number, the promise, and the names of its tests in
backquotes.  A name is one that ctest knows, or that of a test function.
"""

import os
import re

import lint

PROMISES = re.compile(r"^## [^\n]*promises?\b[^\n]*\n(.*?)(?=^##|\Z)",
                      re.MULTILINE | re.DOTALL | re.IGNORECASE)
NUMBER = re.compile(r"^(\d+)\. ", re.MULTILINE)
ROW = re.compile(r"^\| *(\d+) *\|[^|\n]*\|([^|\n]*)\|", re.MULTILINE)
FUNCTION = re.compile(r"^static void (\w+)\(void \*\*", re.MULTILINE)
REGISTERED = re.compile(r"\bNAME\s+(\w+)|\bmemfs_add_(?!lint)\w+\(\s*(?!NAME\b)(\w+)|"
                        r"\b((?:unit|api)_\w+)\.c\b")
LINT = re.compile(r"\bmemfs_add_lint\((\w+)")


def read(root, path, report):
    full = os.path.join(root, path)
    if not os.path.exists(full):
        report.refuse(path, "is missing")
        return ""
    with open(full, encoding="utf-8") as file:
        return file.read()


def existing(root):
    """The names of all tests: those of test functions, and those that ctest knows."""
    names = set()
    for _, text in lint.files(root, ("tests",), (".c", ".h")):
        names.update(FUNCTION.findall(text))
    for _, text in lint.files(root, ("tests",), ("CMakeLists.txt",)):
        text = re.sub(r"#[^\n]*", "", text)
        for match in REGISTERED.finditer(text):
            names.add(next(name for name in match.groups() if name))
        names.update(f"lint_{name}" for name in LINT.findall(text))
    return names


def check(root):
    report = lint.Report()
    section = PROMISES.search(read(root, "README.md", report))
    promised = NUMBER.findall(section.group(1)) if section else []
    if not promised:
        report.refuse("README.md", "has no numbered list of promises")
    table = read(root, "tests/README.md", report)
    names = existing(root)
    rows = {}
    for match in ROW.finditer(table):
        where = f"tests/README.md:{lint.line_of(table, match.start())}"
        number = match.group(1)
        if number in rows:
            report.refuse(where, f"promise {number} has two rows")
        rows[number] = re.findall(r"`(\w+)`", match.group(2))
        if number not in promised:
            report.refuse(where, f"README.md has no promise {number}")
        if not rows[number]:
            report.refuse(where, f"promise {number} names no test")
        for name in rows[number]:
            report.examined += 1
            if name not in names:
                report.refuse(where, f"there is no test {name}")
    for number in promised:
        if number not in rows:
            report.refuse("tests/README.md", f"promise {number} has no row")
    return report


SOUND = {
    "README.md": "# x\n\n1. no promise\n\n## What it promises\n\n1. **A**\n   b 2.\n2. **B**\n\n"
                 "### And what not\n\n3. c\n",
    "tests/README.md": "# Tests\n\n| | promise | tests |\n|---|---|---|\n"
                       "| 1 | A | `api_a`, `a_sentence` |\n"
                       "| 2 | B | `sqlite_b`, `unit_c`, `sqlite_d`, `lint_e` |\n",
    "tests/core/CMakeLists.txt": "memfs_add_core_tests(api_a.c\n    unit_c.c)\n"
                                 "memfs_add_sqlite_test(sqlite_b b_test.c)\n# NAME gone\n"
                                 "memfs_add_test(\n    NAME sqlite_d SOURCES d.c)\n"
                                 "memfs_add_lint(e e.py)\n",
    "tests/core/api_a.c": "static void a_sentence(void **state)\n{\n}\nstatic void helper(int a)\n",
}


def with_rows(rows):
    return {**SOUND, "tests/README.md": "|---|---|---|\n" + rows}


GOOD = [SOUND]
BAD = [
    (with_rows("| 1 | A | `api_a` |\n"), "promise 2 has no row"),
    (with_rows("| 1 | A | `api_a` |\n| 2 | B | somewhere |\n"), "promise 2 names no test"),
    (with_rows("| 1 | A | `api_b` |\n| 2 | B | `api_a` |\n"), "there is no test api_b"),
    (with_rows("| 1 | A | `helper` |\n| 2 | B | `api_a` |\n"), "there is no test helper"),
    (with_rows("| 1 | A | `gone` |\n| 2 | B | `sqlite_d` |\n"), "there is no test gone"),
    (with_rows("| 1 | A | `api_a` |\n| 2 | B | `api_a` |\n| 3 | C | `api_a` |\n"),
     "has no promise 3"),
    (with_rows("| 1 | A | `api_a` |\n| 2 | B | `api_a` |\n| 2 | B | `api_a` |\n"), "has two rows"),
    ({**SOUND, "README.md": "## What it does\n\n1. a\n"}, "no numbered list of promises"),
    ({path: text for path, text in SOUND.items() if path != "tests/README.md"},
     "tests/README.md: is missing"),
]

if __name__ == "__main__":
    lint.main("promises", check, GOOD, BAD)
