"""Refuses a symbol that an object file takes from where it may not.

    layers_symbols.py ROOT OBJECT...
    layers_symbols.py --self-test

The objects are those of the parts' libraries.  Inside a part, what an object file needs must be
defined by a module of a lower room, or of a lower level of its own room: a declaration in some
other header, which an include-based lint cannot see, is found here.  From another part an object
file may take public functions (memfs_...) only, and only where src/PARTS says that it needs that
part.  NM and CC name the tools.
"""

import os
import re
import subprocess
import sys
import tempfile

import lint
import parts

OURS = re.compile(r"memfs_|mfs_")
OBJECT = re.compile(r"\.c\.(o|obj)$")


def symbols(paths):
    """What each object file defines for others, and what it needs: {path: (defined, needed)}."""
    found = {path: (set(), set()) for path in paths}
    if not paths:
        return found
    command = [os.environ.get("NM", "nm"), "--format=posix", "--print-file-name", "--extern-only",
               *paths]
    result = subprocess.run(command, text=True, capture_output=True, check=True)
    for line in result.stdout.splitlines():
        path, _, rest = line.rpartition(": ")
        words = rest.split()
        # The rest is not ours, such as sqlite3_api, by which an extension calls SQLite.
        if len(words) >= 2 and OURS.match(words[0]):
            found[path][words[1] in "Uwv"].add(words[0])
    return found


def place(path, listed):
    """The part and the module of an object file, or (None, None)."""
    path = os.path.normpath(re.sub(r"CMakeFiles/[^/]+\.dir/", "", path.replace(os.sep, "/")))
    best = (None, None)
    for part in listed:
        _, found, rest = ("/" + path).rpartition(f"/{part.folder}/")
        if found and (best[0] is None or len(part.folder) > len(best[0].folder)):
            best = (part, OBJECT.sub("", rest))
    return best


def check_need(report, user, name, definer, listed):
    """`user` and `definer` are (part, module, rank)."""
    (part, module, rank), (other, target, other_rank) = user, definer
    if part is other:
        if target != module and other_rank >= rank:
            report.refuse(f"{part.folder}/{module}.c",
                          f"needs {name} of {target}, which is no lower layer")
    elif not name.startswith("memfs_"):
        report.refuse(f"{part.folder}/{module}.c",
                      f"needs {name}, which is internal to {other.name}")
    elif other.name not in parts.needed(part, listed):
        report.refuse(f"{part.folder}/{module}.c",
                      f"needs {name} of {other.name}, which src/PARTS does not say")


def check(root, objects):
    report = lint.Report()
    listed = parts.read(root, report)
    ranks = {part.name: parts.read_layers(root, part, report) for part in listed}
    placed = {}
    for path in objects:
        part, module = place(path, listed)
        if part is None:
            report.refuse(path, "lies in no part")
        elif module not in ranks[part.name]:
            report.refuse(path, f"{module} belongs to no layer")
        else:
            placed[path] = (part, module, ranks[part.name][module])
    definers = {}
    found = symbols(list(placed))
    for path, user in placed.items():
        for name in found[path][0]:
            other = definers.setdefault(name, user)
            if other[:2] != user[:2]:
                report.refuse(path, f"defines {name}, as {other[0].folder}/{other[1]}.c does")
    for path, user in sorted(placed.items()):
        for name in sorted(found[path][1]):
            if name in definers:
                report.examined += 1
                check_need(report, user, name, definers[name], listed)
    return report


PARTS = {
    "src/PARTS": "core src/core memfs.h -\ntext src/text text.h core\nview src/view view.h core\n",
    "src/core/LAYERS": "base: num < iov\nmemory: quota\n",
    "src/text/LAYERS": ".: line < text\n",
    "src/view/LAYERS": ".: view\n",
}
SOUND = {
    "src/core/base/num.c": "int mfs_num_a(void) { return 0; }",
    "src/core/base/iov.c": "int mfs_num_a(void);\nint mfs_iov_a(void) { return mfs_num_a(); }",
    "src/core/memory/quota.c": "int mfs_iov_a(void);\nint memfs_a(void) { return mfs_iov_a(); }",
    "src/text/line.c": "int memfs_a(void);\nint mfs_line_a(void) { return memfs_a(); }",
    "src/text/text.c": "int mfs_line_a(void);\nint memfs_text(void) { return mfs_line_a(); }",
    "src/view/view.c": "int puts(const char *);\nint memfs_view(void) { return puts(\"\"); }",
}
BAD = [
    ({"src/core/base/num.c": "int mfs_iov_a(void);\nint mfs_num_a(void) { return mfs_iov_a(); }"},
     "base/num.c: needs mfs_iov_a of base/iov"),
    ({"src/core/base/iov.c": "int memfs_a(void);\nint mfs_iov_a(void) { return memfs_a(); }"},
     "base/iov.c: needs memfs_a of memory/quota"),
    ({"src/text/line.c": "extern int memfs_x;\nint mfs_line_a(void) { return memfs_x; }",
      "src/text/text.c": "int memfs_x;"}, "line.c: needs memfs_x of text"),
    ({"src/text/line.c": "int mfs_num_a(void);\nint mfs_line_a(void) { return mfs_num_a(); }"},
     "needs mfs_num_a, which is internal to core"),
    ({"src/view/view.c": "int memfs_text(void);\nint memfs_view(void) { return memfs_text(); }"},
     "needs memfs_text of text, which src/PARTS does not say"),
    ({"src/view/view.c": "int memfs_text(void) { return 0; }"}, "defines memfs_text"),
    ({"src/text/stray.c": "int memfs_stray;"}, "stray belongs to no layer"),
    ({"tools/stray.c": "int memfs_stray;"}, "lies in no part"),
]


def compiled(folder, sources):
    """The object files of C texts, by their paths, where CMake would put them."""
    objects = []
    for path, text in sources.items():
        lint.write_tree(folder, {path: text + "\n"})
        made = os.path.join(folder, "build/CMakeFiles/part.dir", path + ".o")
        os.makedirs(os.path.dirname(made), exist_ok=True)
        source = os.path.join(folder, path)
        subprocess.run([os.environ.get("CC", "gcc"), "-c", source, "-o", made], check=True)
        objects.append(made)
    return objects


def self_test():
    failures = 0
    for changes, words in [({}, None), *BAD]:
        with tempfile.TemporaryDirectory() as folder:
            lint.write_tree(folder, PARTS)
            report = check(folder, compiled(folder, {**SOUND, **changes}))
            text = report.text("sample")
            if report.refused() != (words is not None) or (words and words not in text):
                failures += 1
                print(f"expected {words}:\n{text}")
            if not check(folder, []).refused():
                failures += 1
                print("no object at all was accepted")
    print(f"self-test: {len(BAD) + 1} samples, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test())
    REPORT = check(sys.argv[1], sys.argv[2:])
    print(REPORT.text("layers_symbols"))
    sys.exit(1 if REPORT.refused() else 0)
