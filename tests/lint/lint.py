"""What the lints share.

A lint is a function from the root of a source tree to a Report.  Run with a
root it prints what it found and fails if it found anything, or if it examined
nothing.  Run with --self-test it proves that it can fail: every bad sample must
be refused, for the stated reason, and every good one accepted.
"""

import os
import re
import sys
import tempfile

CODE_FOLDERS = ("include", "src", "sqlite_vfs", "tests", "examples")


class Report:
    def __init__(self):
        self.examined = 0
        self.findings = []
        self.notes = []

    def refuse(self, where, why):
        self.findings.append(f"{where}: {why}")

    def refused(self):
        return bool(self.findings) or self.examined == 0

    def text(self, name):
        lines = list(self.notes) + list(self.findings)
        if self.examined == 0:
            lines.append("examined nothing")
        lines.append(f"{name}: {self.examined} examined, {len(self.findings)} refused")
        return "\n".join(lines)


def files(root, folders=CODE_FOLDERS, endings=(".c", ".h")):
    """Yields (path relative to root, text) of every file that ends so, sorted."""
    for folder in folders:
        for where, names, entries in os.walk(os.path.join(root, folder)):
            names.sort()
            for entry in sorted(entries):
                if entry.endswith(endings):
                    path = os.path.join(where, entry)
                    with open(path, encoding="utf-8") as file:
                        yield os.path.relpath(path, root), file.read()


TOKEN = re.compile(
    r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)


def blank(match):
    text = match.group(0)
    if text[0] in "\"'":
        return text[0] + " " * (len(text) - 2) + text[0]
    return re.sub(r"[^\n]", " ", text)


def without_comments(text):
    """The code with comments and the insides of literals blanked; lines stay."""
    return TOKEN.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def write_tree(root, tree):
    for path, text in tree.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)


def self_test(check, good, bad):
    """`good`: trees to accept.  `bad`: (tree, words that the refusal must contain)."""
    failures = []
    if not good or not bad:
        failures.append("a self-test needs good and bad samples")
    for number, (tree, words) in enumerate([(tree, None) for tree in good] + list(bad)):
        with tempfile.TemporaryDirectory() as root:
            write_tree(root, tree)
            report = check(root)
            text = report.text("sample")
            if words is None and report.refused():
                failures.append(f"good sample {number} was refused:\n{text}")
            if words is not None and not (report.refused() and words in text):
                failures.append(f"bad sample {number} was not refused for '{words}':\n{text}")
    with tempfile.TemporaryDirectory() as root:
        if not check(root).refused():
            failures.append("an empty tree was accepted")
    for failure in failures:
        print(failure)
    print(f"self-test: {len(good)} good, {len(bad) + 1} bad samples, {len(failures)} failures")
    return 1 if failures else 0


def main(name, check, good, bad):
    if len(sys.argv) == 2 and sys.argv[1] == "--self-test":
        sys.exit(self_test(check, good, bad))
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} ROOT | --self-test")
    report = check(sys.argv[1])
    print(report.text(name))
    sys.exit(1 if report.refused() else 0)
