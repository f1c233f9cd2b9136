"""Refuses a name that two files of a part define, and a function not named after its module.

Within a part each name of file scope (functions, static or not, objects, macros, typedefs,
enumerators, and the tags of struct, union and enum) is defined by one file only, so that all files
of a part can be put into one.  Functions that other objects can see are unique in the whole
product, since a program links several parts.  A function that a module's header declares is named
mfs_<module>_<verb>, or mfs_<module> where the module's name says it all (mfs_walk).
"""

import re

import lint
import parts
import sizes

TAG = re.compile(r"\b(struct|union|enum)\s+(?:MFS_\w+\s*(?:\([^()]*\))?\s*)?(\w+)\s*\{")
ENUMERATORS = re.compile(r"\benum\b[^{};]*\{([^{}]*)\}")
NOTHING = re.compile(r"(typedef\s+)?(struct|union|enum)?\s*\w*")
STATIC_ASSERT = re.compile(r"(_Static_assert|static_assert)\b")
MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.MULTILINE)
POINTER = re.compile(r"\(\s*\*[\s*]*(?:const\s+)?(\w+)\s*(\(?)")


def items(code):
    """Yields (text before the brace or all, body or None, offset) of what stands at file scope."""
    depth, start, opened = 0, 0, 0
    for match in re.finditer(r"[{};]", code):
        sign = match.group(0)
        if sign == "{":
            if depth == 0:
                opened = match.start()
            depth += 1
        elif sign == "}":
            depth -= 1
            if depth == 0 and sizes.function_name(code[start:opened]):
                yield code[start:opened], code[opened:match.end()], start
                start = match.end()
        elif depth == 0:
            yield code[start:match.end()], None, start
            start = match.end()


def flat(text):
    """Without what stands in braces and brackets, and without attributes."""
    shorter = None
    while shorter != text:
        shorter, text = text, re.sub(r"\{[^{}]*\}|\[[^\[\]]*\]", " ", text)
    return sizes.MACRO_ATTRIBUTE.sub(" ", sizes.without_attributes(text))


def declarators(text):
    """The pieces between the commas outside of parentheses, each up to its `=`."""
    depth, pieces = 0, [""]
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += sign
    return [piece.split("=")[0] for piece in pieces]


def declared(text):
    """Yields (name, is it a function) of what a declaration without a body declares."""
    words = flat(text).strip().rstrip(";").strip()
    if NOTHING.fullmatch(words) or STATIC_ASSERT.match(words):
        return
    for piece in declarators(words):
        called = re.search(r"(\w*)\s*\(", piece)
        pointer = POINTER.search(piece)
        if pointer and called.start(0) + len(called.group(0)) == pointer.start() + 1:
            yield pointer.group(1), pointer.group(2) == "("
        elif called:
            yield called.group(1), True
        else:
            word = re.search(r"(\w+)\s*$", piece)
            if word:
                yield word.group(1), False


def names_of(text):
    """Yields (kind, name, line) of all that a file defines at file scope.

    The kinds are "tag", "name" (static, or no function), "function" (one that others can see) and
    "declared" (the prototype of such a function).
    """
    plain = lint.without_comments(text)
    for match in MACRO.finditer(plain):
        yield "name", match.group(1), lint.line_of(plain, match.start(1))
    code = sizes.code_only(text)
    for head, body, offset in items(code):
        start = offset + len(head) - len(head.lstrip())
        line = lint.line_of(code, start)
        is_static = re.search(r"\bstatic\b", head.split("(")[0]) is not None
        if body is not None:
            yield "name" if is_static else "function", sizes.function_name(head), line
            continue
        for match in TAG.finditer(head):
            yield "tag", match.group(2), lint.line_of(code, offset + match.start(2))
        for match in ENUMERATORS.finditer(head):
            for piece in match.group(1).split(","):
                word = re.match(r"\s*(\w+)", piece)
                if word:
                    yield ("name", word.group(1),
                           lint.line_of(code, offset + match.start(1)))
        is_extern = re.match(r"\s*extern\b", head) is not None
        is_typedef = re.match(r"\s*typedef\b", head) is not None
        for name, is_function in declared(head):
            if is_typedef or not (is_function or is_extern):
                yield "name", name, line
            elif is_function and not is_static:
                yield "declared", name, line


def check_header(report, path, module, found):
    """The functions of a module's header: prototypes and inline ones."""
    prefix = f"mfs_{module.split('/')[-1]}"
    for kind, name, line in found:
        if kind in ("declared", "inline") and not f"{name}_".startswith(prefix + "_"):
            report.refuse(f"{path}:{line}", f"{name} is not named {prefix}_...")


def inline_functions(text):
    for name, line, _ in sizes.functions(text):
        yield "inline", name, line


def check(root):
    report = lint.Report()
    visible = {}
    for part in parts.read(root, report):
        seen = {}
        for path, text in lint.files(root, (part.folder,)):
            found = list(names_of(text))
            if path.endswith(".h"):
                check_header(report, path, parts.module_of(part, path),
                             [*found, *inline_functions(text)])
            for kind, name, line in found:
                if kind == "declared":
                    continue
                report.examined += 1
                scope = "tag" if kind == "tag" else "name"
                owner, where = seen.setdefault((scope, name), (path, line))
                if owner != path:
                    report.refuse(f"{path}:{line}", f"{'tag ' if scope == 'tag' else ''}{name} is "
                                                    f"defined in {owner}:{where} too")
                if kind == "function":
                    first = visible.setdefault(name, part.folder)
                    if first != part.folder:
                        report.refuse(f"{path}:{line}", f"function {name} is one of {first} too")
    return report


PARTS = "core src/core memfs.h -\nsqlite sqlite_vfs sqlite.h core\ntext src/text text.h core\n"
NULLARY = "%s(void)\n{\n    return 0;\n}\n"


def sample(first, second="", header="", other=""):
    return {"src/PARTS": PARTS, "src/core/base/a.c": first, "src/core/memory/b.c": second,
            "src/core/base/a.h": header, "sqlite_vfs/file/c.c": other, "src/text/text.c": ""}


GOOD = [
    sample("static int f(void)\n{\n    int n = 0;\n    return n;\n}\nstatic int n;\n",
           "static int g(void);\nstatic int g(void)\n{\n    int n = 0;\n    return n;\n}\n",
           "int mfs_a_one(int x,\n              int y);\nstatic inline int mfs_a_two(void)\n"
           "{\n    return 0;\n}\nextern const int mfs_a_table[3];\nstruct lot;\n"
           "int (*mfs_a_three(int x))(void);\nint mfs_a(void);\n", NULLARY % "static int f"),
    sample("struct a {\n    int x;\n};\nstatic struct a list;\n",
           "struct a;\nstruct a *mfs_b(struct a *a)\n{\n    return a;\n}\n"
           "_Static_assert(sizeof(int) == 4, \"\");\n"),
    sample("struct f {\n    int a;\n};\n", NULLARY % "static int f"),
    sample("extern int mfs_z;\nstatic const char *const t[] = {\n    \"f\", \"g\"};\n",
           "extern int mfs_z;\nint mfs_z = 3;\n"),
]
TWICE = "in src/core/base/a.c:1 too"
BAD = [
    (sample(NULLARY % "static int f", "static long f(int x)\n{\n    return x;\n}\n"),
     f"memory/b.c:1: f is defined {TWICE}"),
    (sample("#define MARK 3\n", "static int x;\n#  define MARK(a) a\n"),
     f"b.c:2: MARK is defined {TWICE}"),
    (sample("struct a {\n    int x;\n};\n",
            "struct b {\n    union a {\n        int y;\n    } u;\n};\n"),
     f"b.c:2: tag a is defined {TWICE}"),
    (sample("enum { ONE, TWO };\n", "enum some {\n    THREE = 3,\n    TWO = 2,\n};\n"),
     f"TWO is defined {TWICE}"),
    (sample("enum { ONE, TWO };\n", "#define ONE 1\n"), f"ONE is defined {TWICE}"),
    (sample("static int x, y = f(1, 2);\n", "static const char y[] = \"a,b\";\n"),
     f"y is defined {TWICE}"),
    (sample("static const struct s *const t[] = {\n    {1, 2}, {3, 4}};\n", "static int *t;\n"),
     f"t is defined {TWICE}"),
    (sample("typedef int number;\n", NULLARY % "static int number"), f"number is defined {TWICE}"),
    (sample("static int (*hook)(int x);\n", "static int hook;\n"), f"hook is defined {TWICE}"),
    (sample("static MFS_X(1) int f(void)\n{\n    return 0;\n}\n",
            "static int f(void) MFS_REQUIRES(l)\n{\n    return 0;\n}\n"), f"f is defined {TWICE}"),
    (sample(NULLARY % "int mfs_a_x", other=NULLARY % "int mfs_a_x"),
     "function mfs_a_x is one of src/core"),
    (sample("", header="int mfs_b_one(void);\n"), "a.h:1: mfs_b_one is not named mfs_a_..."),
    (sample("", header=NULLARY % "static inline int one"), "one is not named mfs_a_..."),
    (sample("", header="struct s *mfs_one(\n    int (*f)(int), char *p) MFS_REQUIRES(p);\n"),
     "mfs_one is not named mfs_a_..."),
]

if __name__ == "__main__":
    lint.main("names", check, GOOD, BAD)
