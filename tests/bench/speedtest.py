"""SQLite's speedtest1 on memfs and on others, side by side.

    speedtest.py [options] PROGRAM

PROGRAM is SQLite's unmodified speedtest1, linked with speedtest_shim.c (CMake builds it as
memfs_speedtest1 where -DMEMFS_PEER_SOURCES names SQLite's source).  In each round every
contestant runs once, one after another; a figure is the median over the rounds of the quotient,
within one round, of the contestant's CPU time and that of `:memory:`.  What slows the machine
for a while then slows both sides of a quotient.

With --instructions they run once, under callgrind, and their instructions are compared: without
noise, but blind to what memory costs.  `rep stos` counts for each byte there.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile

HOST_DIRECTORY = "/dev/shm"
CASE = re.compile(r"^ *(\d+) - (.*?)\.* +(\d+)\.(\d+)s$", re.MULTILINE)
INSTRUCTIONS = re.compile(r"Collected : (\d+)")


def contestants(host_path):
    """(name, arguments); the first is what the others are compared with."""
    memfs = ["--vfs", "memfs"]
    tmpfs = ["--vfs", "unix", "--nosync"]
    yield ":memory:", ["--memdb"]
    yield "memdb", ["file:/x.db?vfs=memdb"]
    for mode in ("delete", "truncate", "persist", "memory", "off", "wal"):
        yield mode, memfs + ["--journal", mode, "/x.db"]
    yield "mvcc", memfs + ["file:/x.db?memfs_mvcc=1"]
    yield "mvcc pers.", memfs + ["--journal", "persist", "file:/x.db?memfs_mvcc=1"]
    for mode in ("delete", "wal"):
        yield mode + "+X", memfs + ["--exclusive", "--journal", mode, "/x.db"]
    if host_path is not None:
        yield "tmpfs", tmpfs + ["--journal", "delete", host_path]
        yield "tmpfs wal", tmpfs + ["--journal", "wal", host_path]
        yield "tmpfs best", tmpfs + ["--exclusive", "--mmap", str(1 << 30), "--journal", "wal",
                                     host_path]


def run(command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            check=False)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {result.returncode}\n{result.stderr}")
    return result


def remove_files(host_path):
    for suffix in ("", "-journal", "-wal", "-shm"):
        if host_path is not None and os.path.exists(host_path + suffix):
            os.remove(host_path + suffix)


def measure_times(program, arguments):
    """{case: microseconds}, and "total"."""
    output = run([program] + arguments).stdout
    cases = {f"{number} {what}": int(seconds + rest)
             for number, what, seconds, rest in CASE.findall(output)}
    if not cases:
        sys.exit(f"{program}: no cases in what it printed:\n{output}")
    cases["total"] = sum(cases.values())
    return cases


def count_instructions(program, arguments):
    # A file of its own: callgrind replaces what is there, a device like /dev/null too.
    with tempfile.TemporaryDirectory() as directory:
        output = run(["valgrind", "--tool=callgrind",
                      f"--callgrind-out-file={directory}/out", program] + arguments).stderr
    return {"total": int(INSTRUCTIONS.search(output).group(1))}


def quotients(results, base):
    """The median over the rounds, case by case."""
    return {case: statistics.median(ours[case] / max(theirs[case], 1)
                                    for ours, theirs in zip(results, base))
            for case in base[0]}


def print_table(names, ratios, cases):
    width = max(len(case) for case in cases)
    print(" " * width, *(f"{name:>10}" for name in names))
    for case in cases:
        print(f"{case:<{width}}", *(f"{ratios[name][case]:10.3f}" for name in names))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=100, help="as speedtest1's")
    parser.add_argument("--only", help="names of contestants, with commas between")
    parser.add_argument("--instructions", action="store_true")
    options = parser.parse_args()

    measure = count_instructions if options.instructions else measure_times
    rounds = 1 if options.instructions else options.rounds
    with tempfile.TemporaryDirectory(dir=HOST_DIRECTORY) as directory:
        host_path = os.path.join(directory, "x.db")
        everyone = dict(contestants(host_path))
        base = next(iter(everyone))
        chosen = options.only.split(",") if options.only else list(everyone)
        unknown = [name for name in chosen if name not in everyone]
        if unknown:
            sys.exit(f"no contestants: {unknown}; there are: {list(everyone)}")
        names = [base] + [name for name in chosen if name != base]
        results = {name: [] for name in names}
        for _ in range(rounds):
            for name in names:
                remove_files(host_path)
                results[name].append(measure(options.program, ["--size", str(options.size)] +
                                             everyone[name]))
    ratios = {name: quotients(results[name], results[base]) for name in names}
    print_table(names[1:], ratios, results[base][0])
    unit = "instructions" if options.instructions else "CPU time"
    print(f"To :memory:, in {unit}; --size {options.size}, rounds: {rounds}.")


if __name__ == "__main__":
    main()
