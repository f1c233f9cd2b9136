"""Runs the recipes of the manuals that load the extension, each in its language.

    recipes_test.py EXTENSION MANUAL...

Each block of code that loads it is followed by some lines that use the database and print what they
found.  A language that is not installed is left out, and said so; if none is, the test is skipped.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
PYTHON = "/usr/bin/python3"  # to which Debian's modules belong; another may be first on the path
BLOCK = re.compile(r"^```(ruby|perl|php|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

DJANGO_USE = """
import django
from django.conf import settings
settings.configure(DATABASES=DATABASES)
django.setup()
from django.db import connection
from django.test.runner import DiscoverRunner

def use(name):
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE t(x)")
    cursor.execute("INSERT INTO t VALUES ('found')")
    print(cursor.execute("SELECT x FROM t").fetchone()[0], flush=True)
    assert cursor.execute("PRAGMA database_list").fetchone()[2] == name

use("/app.db")
runner = DiscoverRunner(verbosity=0, interactive=False, keepdb=True)
old = runner.setup_databases()
use("/test.db")
runner.teardown_databases(old)
"""

# What tells a kind of recipe, its interpreter, what has to succeed before it, and what follows it.
KINDS = [
    ("ruby", "", ["ruby"], ["ruby", "-e", "require 'sqlite3'"],
     "db.execute('CREATE TABLE t(x)')\ndb.execute(\"INSERT INTO t VALUES ('found')\")\n"
     "puts db.execute('SELECT x FROM t')[0][0]\n"),
    ("perl", "", ["perl"], ["perl", "-e", "use DBI; use DBD::SQLite"],
     "$db->do('CREATE TABLE t(x)'); $db->do(\"INSERT INTO t VALUES ('found')\");\n"
     "print $db->selectrow_array('SELECT x FROM t'), \"\\n\";\n"),
    ("php", "", ["php", "-d", "sqlite3.extension_dir=DIRECTORY"],
     ["php", "-r", "exit(class_exists('SQLite3') && class_exists('PDO') ? 0 : 1);"],
     "$db->exec('CREATE TABLE t(x)'); $db->exec(\"INSERT INTO t VALUES ('found')\");\n"
     "echo $db->query('SELECT x FROM t')->fetch()[0], \"\\n\";\n"),
    ("python", "create_engine", [PYTHON], [PYTHON, "-c", "import sqlalchemy, sqlite3"],
     "with engine.begin() as c:\n"
     "    c.execute(sqlalchemy.text('CREATE TABLE t(x)'))\n"
     "    c.execute(sqlalchemy.text(\"INSERT INTO t VALUES ('found')\"))\n"
     "with engine.connect() as c:\n"
     "    print(c.execute(sqlalchemy.text('SELECT x FROM t')).scalar())\n"),
    ("python", "DATABASES", [PYTHON], [PYTHON, "-c", "import django, sqlite3"], DJANGO_USE),
    ("python", "db = sqlite3", [PYTHON], [PYTHON, "-c", "import sqlite3"],
     "db.execute('CREATE TABLE t(x)')\ndb.execute(\"INSERT INTO t VALUES ('found')\")\n"
     "print(db.execute('SELECT x FROM t').fetchone()[0])\n"),
]


def succeeds(command):
    return (shutil.which(command[0]) is not None
            and subprocess.run(command, capture_output=True, check=False).returncode == 0)


def kind_of(language, code):
    for kind in KINDS:
        if kind[0] == language and kind[1] in code:
            return kind
    return None


def run(kind, code, directory):
    """Whether it printed what it should."""
    name = os.path.join(directory, f"recipe.{kind[0]}")
    with open(name, "w", encoding="utf-8") as file:
        file.write(("<?php\n" if kind[0] == "php" else "") + code + kind[4])
    command = [word.replace("DIRECTORY", directory) for word in kind[2]]
    result = subprocess.run([*command, name], cwd=directory, capture_output=True,
                            text=True, check=False)
    os.remove(name)
    lines = result.stdout.split()
    if result.returncode == 0 and lines and set(lines) == {"found"}:
        return True
    print(f"failed:\n{code}\n{result.stdout}{result.stderr}")
    return False


def main():
    extension, manuals = sys.argv[1], sys.argv[2:]
    failed = done = 0
    with tempfile.TemporaryDirectory() as directory:
        shutil.copy(extension, directory)
        for manual in manuals:
            with open(manual, encoding="utf-8") as file:
                blocks = BLOCK.findall(file.read())
            for language, code in blocks:
                kind = kind_of(language, code)
                if "memfs_sqlite" not in code or kind is None:
                    continue
                if not succeeds(kind[3]):
                    print(f"left out, not installed: {' '.join(kind[3])}")
                    continue
                done += 1
                failed += not run(kind, code, directory)
        left = sorted(set(os.listdir(directory)) - {os.path.basename(extension)})
        if left:
            print(f"left on the host: {left}")
            failed += 1
    print(f"{done} recipes run, {failed} failed")
    return 1 if failed else 0 if done else SKIPPED


if __name__ == "__main__":
    sys.exit(main())
