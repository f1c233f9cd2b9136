"""Refuses words that have no place: heap calls outside the one file that may
make them, notes to self, absolute paths of somebody's machine, tabs."""

import re

import lint

HEAP_ALLOWED = {"src/core/memory/allocator.c"}
HEAP = re.compile(r"\b(malloc|calloc|realloc|reallocarray|aligned_alloc|posix_memalign|memalign|"
                  r"valloc|strdup|strndup|asprintf|vasprintf|free)\b")
NOTE = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MACHINE = re.compile(r"(?<![\w.$}])/(?:home|root|Users|work)/[\w.-]+|/tmp/[\w.-]*build")
TEXTS = (".c", ".h", ".py", ".sh", ".txt", ".md", ".json", ".in", ".cmake", "LAYERS")


def check_heap(report, path, text):
    if not path.startswith("src/") or path in HEAP_ALLOWED or not path.endswith((".c", ".h")):
        return
    code = lint.without_comments(text)
    for match in HEAP.finditer(code):
        # A member of that name, of a structure, is no heap call.
        if re.search(r"(?:\.|->)\s*$", code[:match.start()]):
            continue
        report.refuse(f"{path}:{lint.line_of(code, match.start())}",
                      f"{match.group(1)} is for {', '.join(sorted(HEAP_ALLOWED))} only")


def check(root):
    report = lint.Report()
    for path, text in lint.files(root, lint.CODE_FOLDERS, TEXTS):
        report.examined += 1
        check_heap(report, path, text)
        if path == "tests/lint/words.py":
            continue
        for pattern, why in ((NOTE, "is a note to self"), (MACHINE, "is a path of one machine")):
            for match in pattern.finditer(text):
                report.refuse(f"{path}:{lint.line_of(text, match.start())}",
                              f"'{match.group(0)}' {why}")
        if "\t" in text and path.endswith((".c", ".h")):
            report.refuse(f"{path}:{lint.line_of(text, text.index(chr(9)))}", "has a tab")
    return report


GOOD = [
    {"src/core/memory/allocator.c": "void *p = malloc(1);\n", "tests/t.c": "free(p);\n"},
    {"src/a.c": '/* never malloc( here */\nconst char *s = "free";\npages_free(p); x->free = 1;\n',
     "src/README.md": "Paths such as /usr/include and /home are fine.\n"},
]
BAD = [
    ({"src/a.c": "char *p = malloc(3);\n"}, "malloc is for"),
    ({"src/a.h": "#define give free\n"}, "free is for"),
    ({"src/a.c": "q = strdup (p);\n"}, "strdup is for"),
    ({"src/a.c": "/* TO" "DO: later */\n"}, "note to self"),
    ({"tests/CMakeLists.txt": "# FIX" "ME\n"}, "note to self"),
    ({"tests/t.sh": "cd /home/somebody\n"}, "path of one machine"),
    ({"src/a.c": "\tint a;\n"}, "has a tab"),
]

if __name__ == "__main__":
    lint.main("words", check, GOOD, BAD)
