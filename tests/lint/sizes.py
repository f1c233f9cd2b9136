"""Refuses functions over 70 lines, and files over 700 in the product.

A function's length is counted from the first line of its declaration to its
closing brace.  Prints the longest function and the largest file.
"""

import re
import statistics

import lint

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 700
PRODUCT = ("src/", "sqlite_vfs/")


def code_only(text):
    """Without comments, literals and preprocessor lines; the lines stay."""
    code = lint.without_comments(text)
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*",
                  lambda match: re.sub(r"[^\n]", " ", match.group(0)), code, flags=re.MULTILINE)
    return re.sub(r'\bextern\s*"[^"]*"\s*\{', lambda match: re.sub(r"[^\n]", " ", match.group(0)),
                  code)


def function_name(head):
    """The name, if `head` (what stands before a brace) declares a function; else None."""
    head = head.strip()
    if not head.endswith(")") or "=" in head:
        return None
    match = re.search(r"([A-Za-z_]\w*)\s*\(", re.sub(r"__attribute__\s*\(\(.*?\)\)", "", head))
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


def check(root):
    report = lint.Report()
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
        report.notes.append(f"longest of {len(lengths)} functions: {longest[0]} lines, {longest[1]} "
                            f"(median {median:g})")
    else:
        report.refuse("the tree", "has no function that this lint can see")
    if largest[0]:
        report.notes.append(f"largest file: {largest[0]} lines, {largest[1]}")
    return report


def function(lines, head="int f(int a,\n      int b)"):
    return head + "\n{\n" + "    ;\n" * (lines - 2 - head.count("\n") - 1) + "}\n"


GOOD = [
    {"src/a.c": function(70)},
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
    ({"sqlite_vfs/a.c": function(5) + "\n" * 700}, "has 705 lines"),
    ({"src/a.c": "int f(void)\n{\n    {\n}\n"}, "unbalanced"),
    ({"src/a.c": "int f(void)\n{\n}\n}\n"}, "unbalanced"),
    ({"src/a.c": "int a;\n"}, "no function"),
]

if __name__ == "__main__":
    lint.main("sizes", check, GOOD, BAD)
