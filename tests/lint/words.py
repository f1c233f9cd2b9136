"""Refuses words that have no place: heap calls outside the one file that may make them, notes to
self, absolute paths of somebody's machine, tabs, and prose whose actor is a bare "who"."""

import re

import lint

HEAP_ALLOWED = {"src/core/memory/allocator.c"}
HEAP = re.compile(r"\b(malloc|calloc|realloc|reallocarray|aligned_alloc|posix_memalign|memalign|"
                  r"valloc|strdup|strndup|asprintf|vasprintf|free)\b")
NOTE = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MACHINE = re.compile(r"(?<![\w.$}])/(?:home|root|Users|work)/[\w.-]+|/tmp/[\w.-]*build")
# "Whoever", and the questions that stand for a noun: "the connection that waits", not these.
ACTOR = re.compile(r"\bwhoever\b|\bwho\s+(?:[*/#]+\s*)?(?:is|has|wants|waits)\b", re.IGNORECASE)
PROSE = ("include/", "src/", "sqlite_vfs/", "tests/")
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


def prose_of(path, text):
    """The comments of code, all of a page; what is no prose is blanked, and lines stay."""
    if path.endswith((".c", ".h")):
        return "".join(blanked_code(text))
    if path.endswith((".md", "LAYERS")):
        return text
    return re.sub(r"^[^#\n]*", "", text, flags=re.MULTILINE)


def blanked_code(text):
    end = 0
    for match in lint.TOKEN.finditer(text):
        yield re.sub(r"[^\n]", " ", text[end:match.start()])
        token = match.group(0)
        yield token if token[0] == "/" else re.sub(r"[^\n]", " ", token)
        end = match.end()
    yield re.sub(r"[^\n]", " ", text[end:])


def check_actors(report, path, text):
    if path.startswith(PROSE):
        prose = prose_of(path, text)
        for match in ACTOR.finditer(prose):
            report.refuse(f"{path}:{lint.line_of(prose, match.start())}",
                          f"'{match.group(0)}' names no actor")


def check(root):
    report = lint.Report()
    for path, text in lint.files(root, lint.CODE_FOLDERS, TEXTS):
        report.examined += 1
        check_heap(report, path, text)
        if path == "tests/lint/words.py":
            continue
        check_actors(report, path, text)
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
    {"src/a.c": 'const char *s = "whoever"; int who; /* the thread that waits, those who */\n',
     "tests/a.py": "whoever = 1  # a variable\n"},
]
BAD = [
    ({"src/a.c": "char *p = malloc(3);\n"}, "malloc is for"),
    ({"src/a.h": "#define give free\n"}, "free is for"),
    ({"src/a.c": "q = strdup (p);\n"}, "strdup is for"),
    ({"src/a.c": "/* TO" "DO: later */\n"}, "note to self"),
    ({"tests/CMakeLists.txt": "# FIX" "ME\n"}, "note to self"),
    ({"tests/t.sh": "cd /home/somebody\n"}, "path of one machine"),
    ({"src/a.c": "\tint a;\n"}, "has a tab"),
    ({"src/a.c": "int a; /* Whoever waits */\n"}, "src/a.c:1: 'Whoever' names no actor"),
    ({"tests/a.h": "/*\n * one\n * who\n * waits\n */\n"}, "a.h:3: 'who"),
    ({"sqlite_vfs/README.md": "Those who has it\n"}, "'who has' names"),
    ({"tests/a.sh": "true # who wants it\n"}, "'who wants' names"),
]

if __name__ == "__main__":
    lint.main("words", check, GOOD, BAD)
