"""Compares the tables of the manuals with those in the code, in both directions.

| manual | its heading | code | its table |
|---|---|---|---|
| MANUAL.md | PRAGMAs | vfs/pragma.c | pragmas |
| MANUAL.md | URI parameters | vfs/uri_parameters.c | uri_parameters |
| MANUAL.md | The loadable extension | entry/extension.c | environment_variables |
| SQL.md | Functions | sql/functions.c | sql_functions |
| SQL.md | The table memfs_tree | sql/treecolumns.c | mfs_treecolumns_schema |

A row of a manual begins with one name in backquotes.  A PRAGMA is documented with a value
(`memfs_x = N`, `memfs_x('name')`) exactly if it takes one, and a function once for each number of
arguments.  Hidden columns are the arguments of memfs_tree, and stand in the manual's text as its
signature.  The members of memfs_stat()'s object must be columns.
"""

import os
import re

import lint

FOLDER = "sqlite_vfs"
FLAGS = re.MULTILINE | re.DOTALL
ROW = re.compile(r"^\| *`([^`]+)` *\|", re.MULTILINE)


def read(root, name, report):
    path = os.path.join(root, FOLDER, name)
    if not os.path.exists(path):
        report.refuse(f"{FOLDER}/{name}", "is missing")
        return ""
    with open(path, encoding="utf-8") as file:
        return file.read()


def without_remarks(text):
    return re.sub(r"/\*.*?\*/", lint.blank, text, flags=re.DOTALL)


def rows_under(page, heading):
    """The names in the first table under a heading."""
    section = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", page, FLAGS)
    table = re.search(r"^\|.*?(?=^[^|]|\Z)", section.group(1), FLAGS) if section else None
    return ROW.findall(table.group(0)) if table else []


def initializer(code, name):
    """What a static table or string is initialized with."""
    code = without_remarks(code)
    match = re.search(rf"\b{name}\[\]\s*=", code)
    # The semicolon that ends it is not one inside a literal.
    return code[match.end():lint.without_comments(code).index(";", match.end())] if match else ""


def prefixed(code, text):
    """The names in rows `{PREFIX "x", ...}` with the prefix put before them."""
    prefixes = dict(re.findall(r'#define (\w+_PREFIX) "(\w*)"', code))
    names = re.findall(r'\{\s*(?:(\w+_PREFIX)\s+)?"(\w+)"', text)
    return [prefixes.get(prefix, "") + name for prefix, name in names]


def manual_pragmas(page):
    """Pairs (name, whether it is shown with a value)."""
    found = set()
    for row in rows_under(page, "PRAGMAs"):
        match = re.match(r"(\w+)( = N|\('\w+'\))?$", row)
        found.add((match.group(1), bool(match.group(2))) if match else (row, False))
    return found


def code_pragmas(code):
    """The same, of the table: one that takes a limit is read without a value too."""
    found = set()
    table = initializer(code, "pragmas")
    for name, row in zip(prefixed(code, table), re.findall(r"\{[^{}]*\}", table)):
        takes_value = not row.rstrip("}").rstrip().endswith("TAKES_NO_VALUE")
        found.add((name, takes_value))
    return found


def compare_pragmas(root, report):
    manual = manual_pragmas(read(root, "MANUAL.md", report))
    code = code_pragmas(read(root, "vfs/pragma.c", report))
    # A limit has a row without a value (reads it) and one with a value (sets it).
    settable = {name for name, has_value in manual if has_value}
    manual = {(name, has_value) for name, has_value in manual if has_value or name not in settable}
    compare(report, "PRAGMA", "vfs/pragma.c", "MANUAL.md",
            {f"{name}{' with a value' if value else ''}" for name, value in code},
            {f"{name}{' with a value' if value else ''}" for name, value in manual})


def compare_parameters(root, report):
    code = read(root, "vfs/uri_parameters.c", report)
    page = read(root, "MANUAL.md", report)
    compare(report, "URI parameter", "vfs/uri_parameters.c", "MANUAL.md",
            set(prefixed(code, initializer(code, "uri_parameters"))),
            {row.split("=")[0] for row in rows_under(page, "URI parameters")})


def compare_variables(root, report):
    code = read(root, "entry/extension.c", report)
    page = read(root, "MANUAL.md", report)
    compare(report, "environment variable", "entry/extension.c", "MANUAL.md",
            set(prefixed(code, initializer(code, "environment_variables"))),
            set(rows_under(page, "The loadable extension")))


def compare_functions(root, report):
    code = read(root, "sql/functions.c", report)
    page = read(root, "SQL.md", report)
    table = initializer(code, "sql_functions")
    manual = set()
    for row in rows_under(page, "Functions"):
        match = re.match(r"(\w+)\(([^)]*)\)$", row)
        count = len([word for word in match.group(2).split(",") if word.strip()]) if match else "?"
        manual.add(f"{match.group(1) if match else row}/{count}")
    compare(report, "SQL function", "sql/functions.c", "SQL.md",
            {f"{name}/{count}" for name, count in re.findall(r'\{\s*"(\w+)",\s*(\d+),', table)},
            manual)


def compare_columns(root, report):
    code = read(root, "sql/treecolumns.c", report)
    page = read(root, "SQL.md", report)
    schema = "".join(re.findall(r'"([^"]*)"', initializer(code, "mfs_treecolumns_schema")))
    body = re.search(r"\((.*), PRIMARY KEY", schema)
    columns = [column.split() for column in body.group(1).split(",")] if body else []
    shown = {words[0] for words in columns if "HIDDEN" not in words}
    compare(report, "column", "sql/treecolumns.c", "SQL.md", shown,
            set(rows_under(page, "The table memfs_tree")))
    hidden = ", ".join(words[0] for words in columns if "HIDDEN" in words)
    if f"`memfs_tree({hidden})`" not in page:
        report.refuse(f"{FOLDER}/SQL.md", f"does not show the signature memfs_tree({hidden})")
    reader = read(root, "sql/readers.c", report)
    for member in re.findall(r'\\"(\w+)\\":', without_remarks(reader)):
        report.examined += 1
        if member not in shown:
            report.refuse(f"{FOLDER}/sql/readers.c",
                          f"memfs_stat() shows {member}, which is no column")


def compare(report, what, code_name, manual_name, code, manual):
    if not code:
        report.refuse(f"{FOLDER}/{code_name}", f"has no table with a {what}")
    report.examined += len(code | manual)
    for name in sorted(code - manual):
        report.refuse(f"{FOLDER}/{manual_name}", f"does not list the {what} {name}")
    for name in sorted(manual - code):
        report.refuse(f"{FOLDER}/{manual_name}",
                      f"lists the {what} {name}, which {code_name} does not have")


def check(root):
    report = lint.Report()
    for comparison in (compare_pragmas, compare_parameters, compare_variables, compare_functions,
                       compare_columns):
        comparison(root, report)
    return report


MANUAL = """# Manual
## PRAGMAs
| PRAGMA | result |
|---|---|
| `memfs_used` | bytes |
| `memfs_quota` | the quota |
| `memfs_quota = N` | sets it |
| `memfs_snapshot_take('name')` | takes one |

| note | |
|---|---|
| `not_looked_at` | |
## URI parameters
| parameter | meaning |
|---|---|
| `memfs_size_limit=N` | limit |
| `mvcc=1` | isolation |
## The loadable extension
| variable | meaning |
|---|---|
| `MEMFS_QUOTA` | the quota |
| `MEMFS_DEFAULT_VFS` | 1: the default |
"""
SQL = """# SQL
The table-valued function is `memfs_tree(root, depth)`.
## Functions
| function | what |
|---|---|
| `memfs_read(path)` | reads |
| `memfs_read(path, offset)` | reads |
## The table memfs_tree
| column | content |
|---|---|
| `path` | the path |
| `size` | the size |
"""
PRAGMAS = """#define PRAGMA_PREFIX "memfs_"
/* pragmas[] = {} in a remark; is not it */
static const struct pragma {
    const char *name;
} pragmas[] = {
    {PRAGMA_PREFIX "used", answer_used, TAKES_NO_VALUE},
    {PRAGMA_PREFIX "quota", serve_quota, TAKES_LIMIT},
    {PRAGMA_PREFIX "snapshot_take", serve_take, TAKES_NAME},
};
"""
PARAMETERS = """#define PARAMETER_PREFIX "memfs_"
} uri_parameters[] = {
    {PARAMETER_PREFIX "size_limit", read_size_limit},
    {"mvcc", read_mvcc},
};
"""
VARIABLES = """} environment_variables[] = {
    {"MEMFS_QUOTA", read_quota,
     "is not a size; 0 for no limit"},
    {"MEMFS_DEFAULT_VFS", read_default, "is neither 0 nor 1"},
};
"""
FUNCTIONS = """} sql_functions[] = {
    {"memfs_read", 1, EFFECT_READS, mfs_readers_read},
    {"memfs_read", 2, EFFECT_READS, mfs_readers_read},
};
"""
COLUMNS = """const char mfs_treecolumns_schema[] =
    "CREATE TABLE " TABLE "("
    "path TEXT,"
    " size INTEGER,"
    " root TEXT HIDDEN,"
    " depth INTEGER HIDDEN,"
    " PRIMARY KEY(path, root, depth)) WITHOUT ROWID";
"""
READER = 'sqlite3_str_appendall(out, "{\\"path\\":\\"%s\\",\\"size\\":%u}");\n'
SOUND = {
    f"{FOLDER}/MANUAL.md": MANUAL,
    f"{FOLDER}/SQL.md": SQL,
    f"{FOLDER}/vfs/pragma.c": PRAGMAS,
    f"{FOLDER}/vfs/uri_parameters.c": PARAMETERS,
    f"{FOLDER}/entry/extension.c": VARIABLES,
    f"{FOLDER}/sql/functions.c": FUNCTIONS,
    f"{FOLDER}/sql/treecolumns.c": COLUMNS,
    f"{FOLDER}/sql/readers.c": READER,
}


def changed(name, old, new):
    text = SOUND[f"{FOLDER}/{name}"]
    assert old in text
    return {**SOUND, f"{FOLDER}/{name}": text.replace(old, new)}


GOOD = [SOUND]
BAD = [
    (changed("vfs/pragma.c", "};\n",
             '    {PRAGMA_PREFIX "secret", serve_secret, TAKES_NO_VALUE},\n};\n'),
     "does not list the PRAGMA memfs_secret"),
    (changed("MANUAL.md", "| `memfs_used` | bytes |\n", ""),
     "does not list the PRAGMA memfs_used"),
    (changed("MANUAL.md", "| `memfs_used` |", "| `memfs_used` | |\n| `memfs_gone` |"),
     "lists the PRAGMA memfs_gone, which vfs/pragma.c does not have"),
    (changed("MANUAL.md", "| `memfs_quota = N` | sets it |\n", ""),
     "does not list the PRAGMA memfs_quota with a value"),
    (changed("vfs/pragma.c", "serve_take, TAKES_NAME", "serve_take, TAKES_NO_VALUE"),
     "lists the PRAGMA memfs_snapshot_take with a value"),
    (changed("vfs/pragma.c", "pragmas[] =", "others[] ="), "has no table with a PRAGMA"),
    (changed("vfs/uri_parameters.c", '{"mvcc"', '{PARAMETER_PREFIX "psow", r},\n    {"mvcc"'),
     "does not list the URI parameter memfs_psow"),
    (changed("MANUAL.md", "`mvcc=1`", "`memfs_mvcc=1`"), "does not list the URI parameter mvcc"),
    (changed("entry/extension.c", "MEMFS_QUOTA", "MEMFS_LIMIT"),
     "lists the environment variable MEMFS_QUOTA, which entry/extension.c does not have"),
    (changed("sql/functions.c", '"memfs_read", 2', '"memfs_read", 3'),
     "does not list the SQL function memfs_read/3"),
    (changed("SQL.md", "`memfs_read(path)`", "`memfs_write(path)`"),
     "lists the SQL function memfs_write/1"),
    (changed("SQL.md", "| `size` | the size |\n", ""), "does not list the column size"),
    (changed("sql/treecolumns.c", " size INTEGER", " bytes INTEGER"),
     "lists the column size, which sql/treecolumns.c does not have"),
    (changed("sql/treecolumns.c", "depth INTEGER HIDDEN", "levels INTEGER HIDDEN"),
     "does not show the signature memfs_tree(root, levels)"),
    (changed("sql/readers.c", "size", "bytes"), "memfs_stat() shows bytes, which is no column"),
    ({name: text for name, text in SOUND.items() if not name.endswith("SQL.md")},
     "sqlite_vfs/SQL.md: is missing"),
]

if __name__ == "__main__":
    lint.main("manual_tables", check, GOOD, BAD)
