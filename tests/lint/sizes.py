"""Refuses functions over 70 lines, files over 600 in the product, and lines over 100 columns.

A function's length is counted from the first line of its declaration to its closing brace.  The
length of lines counts in C, Python, shell and CMake, not in pages, whose tables need longer ones.
Prints the longest function and the largest file.
"""

import os
import re
import statistics

import lint

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 600
COLUMNS_MAX = 100
PRODUCT = ("src/", "sqlite_vfs/")
LINED = (".c", ".h", ".py", ".sh", ".cmake", "CMakeLists.txt")
MACRO_ATTRIBUTE = re.compile(r"\b[A-Z][A-Z0-9_]+\s*\([^()]*\)")


def code_only(text):
    """Without comments, literals and preprocessor lines; the lines stay."""
    code = lint.without_comments(text)
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*",
                  lambda match: re.sub(r"[^\n]", " ", match.group(0)), code, flags=re.MULTILINE)
    return re.sub(r'\bextern\s*"[^"]*"\s*\{', lambda match: re.sub(r"[^\n]", " ", match.group(0)),
                  code)


def without_attributes(head):
    """A declaration without __attribute__((...)) and its like, and without macros such as
    MFS_REQUIRES(...) beside its name."""
    shorter = re.sub(r"\b__attribute__\s*\(\(.*?\)\)|\b_Alignas\s*\([^()]*\)", " ", head)
    without_macros = MACRO_ATTRIBUTE.sub(" ", shorter)
    return without_macros if "(" in without_macros else shorter


def function_name(head):
    """The name, if `head` (what stands before a brace) declares a function; else None."""
    head = re.sub(r"(\s+[A-Z][A-Z0-9_]+)*\s*$", "", head)
    if not head.endswith(")") or "=" in head:
        return None
    match = re.search(r"([A-Za-z_]\w*)\s*\(", without_attributes(head))
    return match.group(1) if match else None


def functions(text):
    """Yields (name, first line, lines) of every function; raises on unbalanced braces."""
    code = code_only(text)
    extra = len(re.findall(r'\bextern\s*"[^"]*"\s*\{', lint.without_comments(text)))
    depth = 0
    start = 0
    opened = None
    for match in re.finditer(r"[{};]", code):
        sign = match.group(0)
        if sign == "{":
            if depth == 0:
                head = code[start:match.start()]
                first = start + len(head) - len(head.lstrip())
                opened = (function_name(head), first)
            depth += 1
        elif sign == "}":
            depth -= 1
            if depth < 0 and extra > 0:
                extra -= 1
                depth = 0
                opened = None
            if depth < 0:
                raise ValueError(f"unbalanced brace in line {lint.line_of(code, match.start())}")
            if depth == 0 and opened and opened[0]:
                first = lint.line_of(code, opened[1])
                yield opened[0], first, lint.line_of(code, match.start()) - first + 1
        if depth == 0:
            start = match.end()
    if depth != 0:
        raise ValueError("unbalanced braces at the end")


def check_columns(root, report):
    texts = list(lint.files(root, lint.CODE_FOLDERS, LINED))
    top = os.path.join(root, "CMakeLists.txt")
    if os.path.exists(top):
        with open(top, encoding="utf-8") as file:
            texts.append(("CMakeLists.txt", file.read()))
    for path, text in texts:
        for number, line in enumerate(text.split("\n"), 1):
            if len(line) > COLUMNS_MAX:
                report.refuse(f"{path}:{number}", f"has {len(line)} columns, "
                                                  f"more than {COLUMNS_MAX}")


def check(root):
    report = lint.Report()
    check_columns(root, report)
    lengths = []
    largest = (0, "")
    for path, text in lint.files(root):
        report.examined += 1
        lines = text.count("\n")
        if path.startswith(PRODUCT):
            largest = max(largest, (lines, path))
            if lines > FILE_LINES_MAX:
                report.refuse(path, f"has {lines} lines, more than {FILE_LINES_MAX}")
        try:
            for name, first, length in functions(text):
                lengths.append((length, f"{path}:{first} {name}"))
                if length > FUNCTION_LINES_MAX:
                    report.refuse(f"{path}:{first}", f"{name} has {length} lines, "
                                                     f"more than {FUNCTION_LINES_MAX}")
        except ValueError as error:
            report.refuse(path, str(error))
    if lengths:
        longest = max(lengths)
        median = statistics.median(length for length, _ in lengths)
        report.notes.append(f"longest of {len(lengths)} functions: {longest[0]} lines, "
                            f"{longest[1]} (median {median:g})")
    else:
        report.refuse("the tree", "has no function that this lint can see")
    if largest[0]:
        report.notes.append(f"largest file: {largest[0]} lines, {largest[1]}")
    return report


def function(lines, head="int f(int a,\n      int b)"):
    return head + "\n{\n" + "    ;\n" * (lines - 2 - head.count("\n") - 1) + "}\n"


GOOD = [
    {"src/a.c": function(70) + "#" * 100 + "\n", "src/README.md": "|" * 200 + "\n"},
    {"src/a.c": function(60) + "\n" * 10 + function(60), "tests/t.c": function(3) + "\n" * 800},
    {"include/a.h": '#ifdef __cplusplus\nextern "C" {\n#endif\n' + function(3)
                    + "#ifdef __cplusplus\n}\n#endif\n"},
    {"src/a.c": "struct s {\n" + "    int a;\n" * 100 + "};\n"
                + "static const int t[] = {\n" + "    1,\n" * 100 + "};\n"
                + "#define M { \\\n    {\n/* { */\nchar c = '{';\n" + function(5)},
]
BAD = [
    ({"src/a.c": function(71)}, "f has 71 lines"),
    ({"tests/t.c": function(5) + function(90, "static char *g(void) MFS_REQUIRES(lock)")},
     "has 90 lines"),
    ({"src/a.c": 'char *s = "/*";\n' + function(80)}, "f has 80 lines"),
    ({"include/a.h": 'extern "C" {\n' + function(80) + "}\n"}, "f has 80 lines"),
    ({"sqlite_vfs/a.c": function(5) + "\n" * 600}, "has 605 lines"),
    ({"src/a.h": function(71, "static inline int f(int a)\n    MFS_ACQUIRE(a) MFS_NO_ANALYSIS")},
     "f has 71 lines"),
    ({"src/a.c": function(5) + "/* " + "x" * 98 + " */\n"}, "src/a.c:6: has 104 columns"),
    ({"src/a.c": function(5), "CMakeLists.txt": "#" * 101 + "\n"}, "CMakeLists.txt:1: has 101"),
    ({"src/a.c": function(5), "tests/lint/a.py": "#" * 101 + "\n"}, "a.py:1: has 101 columns"),
    ({"src/a.c": "int f(void)\n{\n    {\n}\n"}, "unbalanced"),
    ({"src/a.c": "int f(void)\n{\n}\n}\n"}, "unbalanced"),
    ({"src/a.c": "int a;\n"}, "no function"),
]

if __name__ == "__main__":
    lint.main("sizes", check, GOOD, BAD)
