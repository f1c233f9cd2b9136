"""Refuses a .c or .h that clang-format would change (CLANG_FORMAT names the tool)."""

import os
import re
import subprocess

import lint

STYLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".clang-format")
BATCH = 100
PLACE = re.compile(r"^(.+?):(\d+):\d+: error: ", re.MULTILINE)


def check(root):
    """In batches, since starting the tool takes longer than one file does."""
    report = lint.Report()
    tool = os.environ.get("CLANG_FORMAT", "clang-format")
    paths = [path for path, _ in lint.files(root)]
    report.examined = len(paths)
    for start in range(0, len(paths), BATCH):
        command = [tool, f"--style=file:{STYLE}", "--dry-run", "--Werror",
                   *paths[start:start + BATCH]]
        result = subprocess.run(command, cwd=root, text=True, capture_output=True, check=False)
        places = PLACE.findall(result.stderr)
        for path, line in dict(reversed(places)).items():
            report.refuse(f"{path}:{line}", "is not as clang-format has it")
        if result.returncode != 0 and not places:
            report.refuse(paths[start], f"clang-format fails: {result.stderr.strip()}")
    return report


GOOD = [{"src/a.c": "int f(int a)\n{\n    if (a)\n        return 1;\n    return 0;\n}\n"}]
BAD = [
    ({"src/a.c": "int f(int a) {\n    return a;\n}\n"}, "src/a.c:1: is not as"),
    ({"src/a.c": "int a;\n\n\n\nint b;\n"}, "src/a.c:1: is not as"),
    ({"tests/a.h": "int  a;\n"}, "is not as"),
]

if __name__ == "__main__":
    lint.main("format", check, GOOD, BAD)
