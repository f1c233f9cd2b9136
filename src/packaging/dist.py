#!/usr/bin/env python3
"""Makes the source archive: memfs-VERSION.tar.gz.

    dist.py ROOT OUT VERSION

It has what is under version control in ROOT (without git: all files but build/), and the files
to drop in, as amalgamation/, which say of which commit they are.  The bytes depend on these files
and the commit alone: names are sorted, times are that of the last commit (or SOURCE_DATE_EPOCH),
owners are 0.
"""

import gzip
import io
import os
import subprocess
import sys
import tarfile
import tempfile


def git(root, *words):
    return subprocess.run(["git", "-C", root, *words], capture_output=True, check=False)


def walk(root):
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in (".git", "build"))
        for name in sorted(files):
            yield os.path.relpath(os.path.join(folder, name), root)


def sources(root):
    listed = git(root, "ls-files", "-z")
    if listed.returncode == 0 and os.path.exists(os.path.join(root, ".git")):
        names = [name for name in listed.stdout.decode().split("\0") if name]
    else:
        names = [name for name in walk(root) if not name.startswith("amalgamation" + os.sep)]
    return sorted(name for name in names if os.path.isfile(os.path.join(root, name)))


def time_of(root):
    if "SOURCE_DATE_EPOCH" in os.environ:
        return int(os.environ["SOURCE_DATE_EPOCH"])
    last = git(root, "log", "-1", "--format=%ct")
    return int(last.stdout or 0) if last.returncode == 0 else 0


def drop_in_files(root, folder):
    commit = git(root, "rev-parse", "--short=12", "HEAD")
    words = [commit.stdout.decode().strip()] if commit.returncode == 0 else []
    script = os.path.join(root, "src", "packaging", "amalgamate.py")
    subprocess.run([sys.executable, script, root, folder, *words], check=True)
    return sorted(os.listdir(folder))


def add(tar, path, name, when):
    info = tarfile.TarInfo(name)
    info.size = os.path.getsize(path)
    info.mtime = when
    info.mode = 0o755 if os.access(path, os.X_OK) else 0o644
    with open(path, "rb") as file:
        tar.addfile(info, file)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    root, out, version = sys.argv[1:]
    top = f"memfs-{version}"
    when = time_of(root)
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, \
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sources(root):
            add(tar, os.path.join(root, name), f"{top}/{name}", when)
        for name in drop_in_files(root, folder):
            add(tar, os.path.join(folder, name), f"{top}/amalgamation/{name}", when)
    with open(out, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as compressed:
        compressed.write(packed.getvalue())
    print(out)


if __name__ == "__main__":
    main()
