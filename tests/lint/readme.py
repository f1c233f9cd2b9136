"""Compiles and runs the first C example of a README.

    readme.py README -- COMMAND...    COMMAND compiles; @source@ and @program@
                                      stand for the two files
    readme.py --self-test

The example is the first block that begins with ```c.  If a block that begins
with ```text follows before the next ```c, it must be what the program prints.
"""

import os
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def example(text):
    """The first C block and what it should print (None: anything)."""
    blocks = BLOCK.findall(text)
    for number, (language, code) in enumerate(blocks):
        if language == "c":
            for follower, output in blocks[number + 1:]:
                if follower == "c":
                    break
                if follower == "text":
                    return code, output
            return code, None
    return None, None


def check(text, command):
    """Returns why the README is refused, or None."""
    code, expected = example(text)
    if code is None:
        return "has no ```c block"
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


def self_test():
    command = [os.environ.get("CC", "gcc"), "-Wall", "-Werror", "@source@", "-o", "@program@"]
    hello = "#include <stdio.h>\nint main(void) { puts(\"hi\"); return %d; }\n"
    samples = [
        ("# A\n```c\n" + hello % 0 + "```\n", None),
        ("```sh\nmake\n```\n```c\n" + hello % 0 + "```\nprints\n```text\nhi\n```\n", None),
        ("```c\n" + hello % 0 + "```\nprints\n```text\nho\n```\n", "prints something else"),
        ("```c\n" + hello % 3 + "```\n", "fails with 3"),
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
