#!/usr/bin/env python3
"""Instructions per operation, counted by callgrind: the same on every machine, and in every run.

    instructions.py PROGRAM [FILE]

PROGRAM is memfs_operations of a release build.  Prints a table, and writes it to FILE as CSV.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

FEW, MANY = 500, 1500
COUNTED = re.compile(r"Collected : (\d+)")


def count(program, operation, times):
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind",
                   "--callgrind-out-file=" + os.path.join(folder, "out"),
                   program, operation, str(times)]
        result = subprocess.run(command, text=True, capture_output=True, check=True)
    return int(COUNTED.search(result.stderr).group(1))


def operations(program):
    result = subprocess.run([program], text=True, capture_output=True, check=False)
    return result.stderr.split("operations:")[1].split()


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    if shutil.which("valgrind") is None:
        sys.exit("instructions.py: valgrind is missing")
    rows = []
    for operation in operations(sys.argv[1]):
        few, many = (count(sys.argv[1], operation, times) for times in (FEW, MANY))
        rows.append((operation, (many - few) / (MANY - FEW)))
        print(f"{operation:24} {rows[-1][1]:10.0f} instructions", flush=True)
    if len(sys.argv) == 3:
        with open(sys.argv[2], "w", encoding="utf-8") as file:
            file.write("operation,instructions\n")
            file.writelines(f"{name},{value:.1f}\n" for name, value in rows)


if __name__ == "__main__":
    main()
