"""Compiles and runs the C examples of a README.

    readme.py README -- COMMAND...    COMMAND compiles; @source@ and @program@
                                      stand for the two files
    readme.py --self-test

An example is a block that begins with ```c and nothing behind it.  If a block that
begins with ```text follows before the next ```c, it must be what the program prints.
"""

import os
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def examples(text):
    """The C blocks, each with what it should print (None: anything)."""
    found = []
    blocks = BLOCK.findall(text)
    for number, (language, words, code) in enumerate(blocks):
        if language != "c" or words:
            continue
        expected = None
        for follower, _, output in blocks[number + 1:]:
            if follower == "c" or expected is not None:
                break
            if follower == "text":
                expected = output
        found.append((code, expected))
    return found


def check_example(code, expected, command):
    """Returns why the example is refused, or None."""
    with tempfile.TemporaryDirectory() as folder:
        files = {"@source@": os.path.join(folder, "example.c"),
                 "@program@": os.path.join(folder, "example")}
        with open(files["@source@"], "w", encoding="utf-8") as file:
            file.write(code)
        built = subprocess.run([files.get(word, word) for word in command], text=True,
                               capture_output=True, check=False)
        if built.returncode != 0:
            return f"its example does not compile:\n{built.stderr}"
        ran = subprocess.run([files["@program@"]], text=True, capture_output=True, check=False,
                             timeout=60)
    print(ran.stdout, end="")
    if ran.returncode != 0:
        return f"its example fails with {ran.returncode}:\n{ran.stderr}"
    if expected is not None and ran.stdout != expected:
        return f"its example prints something else than:\n{expected}"
    return None


def check(text, command):
    """Returns why the README is refused, or None."""
    found = examples(text)
    if not found:
        return "has no ```c block"
    for code, expected in found:
        why = check_example(code, expected, command)
        if why is not None:
            return why
    return None


def self_test():
    command = [os.environ.get("CC", "gcc"), "-Wall", "-Werror", "@source@", "-o", "@program@"]
    hello = "#include <stdio.h>\nint main(void) { puts(\"hi\"); return %d; }\n"
    samples = [
        ("# A\n```c\n" + hello % 0 + "```\n", None),
        ("```sh\nmake\n```\n```c\n" + hello % 0 + "```\nprints\n```text\nhi\n```\n", None),
        ("```c\n" + hello % 0 + "```\nprints\n```text\nho\n```\n", "prints something else"),
        ("```c\n" + hello % 3 + "```\n", "fails with 3"),
        ("```c\n" + hello % 0 + "```\n```c\n" + hello % 3 + "```\n", "fails with 3"),
        ("```c\n" + hello % 0 + "```\n```c no-test\nint x;\n```\n", None),
        ("```c\nint main(void) { return x; }\n```\n", "does not compile"),
        ("# A\nint main(void);\n", "has no ```c block"),
    ]
    failures = 0
    for text, words in samples:
        why = check(text, command)
        if (why is None) != (words is None) or (words and words not in why):
            failures += 1
            print(f"expected {words}, got {why}")
    print(f"self-test: {len(samples)} samples, {failures} failures")
    return 1 if failures else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test())
    if len(sys.argv) < 4 or sys.argv[2] != "--":
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        why = check(file.read(), sys.argv[3:])
    if why:
        sys.exit(f"{sys.argv[1]}: {why}")


if __name__ == "__main__":
    main()
