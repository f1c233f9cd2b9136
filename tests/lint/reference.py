"""Refuses a public function that include/README.md does not list, and a listed one that is gone.

Every function of the public headers is in the table "By task", once.
"""

import os
import re

import lint

PAGE = "include/README.md"
DECLARED = re.compile(r"\bMEMFS_(?:[A-Z]+_)?API\b[^;{]*?\b(memfs_\w+)\s*\(", re.DOTALL)
INLINE = re.compile(r"^static inline [^;{]*?\b(memfs_\w+)\s*\(", re.MULTILINE)


def declared(root):
    found = {}
    for path, text in lint.files(root, ("include",), (".h",)):
        code = lint.without_comments(text)
        # What a preprocessor line says is no declaration.
        code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", "", code, flags=re.MULTILINE)
        for pattern in (DECLARED, INLINE):
            for name in pattern.findall(code):
                found.setdefault(name, path)
    return found


def listed(text):
    _, _, section = text.partition("## By task")
    section = section.split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    # A name in parentheses is a hint, not an entry.
    return re.findall(r"`(memfs_\w+)`", re.sub(r"\([^()]*\)", "", "\n".join(rows)))


def check(root):
    report = lint.Report()
    path = os.path.join(root, PAGE)
    if not os.path.exists(path):
        report.refuse(PAGE, "is missing")
        return report
    with open(path, encoding="utf-8") as file:
        names = listed(file.read())
    functions = declared(root)
    report.examined = len(functions)
    for name in sorted(set(functions) - set(names)):
        report.refuse(PAGE, f"lacks {name} of {functions[name]}")
    for name in sorted(set(names) - set(functions)):
        report.refuse(PAGE, f"lists {name}, which no header declares")
    for name in sorted(name for name in set(names) if names.count(name) > 1):
        report.refuse(PAGE, f"lists {name} twice")
    return report


HEADER = "MEMFS_API int memfs_a(void);\nMEMFS_SQLITE_API const char *memfs_b(int x);\n"
PAGE_TEXT = "# Title\n\n## By task\n\n| task | f |\n|---|---|\n| all | %s |\n\n## Next\n`memfs_x`\n"
GOOD = [{"include/memfs/a.h": HEADER, PAGE: PAGE_TEXT % "`memfs_a`, `memfs_b` (see `memfs_c`)"},
        {"include/memfs/a.h": "#define MEMFS_API(x) memfs_no(x)\n" + HEADER,
         PAGE: PAGE_TEXT % "`memfs_a`, `memfs_b`"}]
BAD = [
    ({"include/memfs/a.h": HEADER, PAGE: PAGE_TEXT % "`memfs_a`"}, "lacks memfs_b"),
    ({"include/memfs/a.h": HEADER, PAGE: PAGE_TEXT % "`memfs_a`, `memfs_b`, `memfs_c`"},
     "lists memfs_c, which no header"),
    ({"include/memfs/a.h": HEADER, PAGE: PAGE_TEXT % "`memfs_a`, `memfs_b`, `memfs_a`"},
     "lists memfs_a twice"),
    ({"include/memfs/a.h": HEADER}, "is missing"),
]

if __name__ == "__main__":
    lint.main("reference", check, GOOD, BAD)
