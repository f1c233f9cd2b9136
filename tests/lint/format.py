"""Refuses a .c or .h that clang-format would change (CLANG_FORMAT names the tool)."""

import os
import subprocess

import lint

STYLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".clang-format")


def check(root):
    report = lint.Report()
    tool = os.environ.get("CLANG_FORMAT", "clang-format")
    for path, text in lint.files(root):
        report.examined += 1
        command = [tool, f"--style=file:{STYLE}", f"--assume-filename={path}"]
        result = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
        if result.returncode != 0:
            report.refuse(path, f"clang-format fails: {result.stderr.strip()}")
        elif result.stdout != text:
            old, new = text.split("\n"), result.stdout.split("\n")
            line = next((i for i, (a, b) in enumerate(zip(old, new), 1) if a != b), len(new))
            report.refuse(f"{path}:{line}", "is not as clang-format has it")
    return report


GOOD = [{"src/a.c": "int f(int a)\n{\n    if (a)\n        return 1;\n    return 0;\n}\n"}]
BAD = [
    ({"src/a.c": "int f(int a) {\n    return a;\n}\n"}, "src/a.c:1: is not as"),
    ({"src/a.c": "int a;\n\n\n\nint b;\n"}, "src/a.c:3: is not as"),
    ({"tests/a.h": "int  a;\n"}, "is not as"),
]

if __name__ == "__main__":
    lint.main("format", check, GOOD, BAD)
