"""Refuses an #include that does not point downwards, between rooms or inside one.

A folder of rooms has a file LAYERS, one line a room, the lowest room first; inside a room `<`
separates the levels, the lowest first:

    base: num check < pattern
    memory: ledger arena < memory < page

A module is a .c and a .h of one name in its room's folder, and is included by room and name
("memory/page.h").  It may include modules of lower rooms, those of lower levels of its own room,
and its own header.  Every .c and .h must lie in a room and belong to a listed module, and every
listed module must exist.  Public headers may be included anywhere, but only they cross from one
folder of rooms to another.
"""

import os
import re

import lint

FOLDERS = ("src/core", "sqlite_vfs")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
LINE = re.compile(r"(\w+):((?: +\w+| +<)+)$")


def read_layers(root, folder, report):
    """The rank (room, level) of each module, by "room/module"; ranks compare as they stand."""
    ranks = {}
    path = os.path.join(root, folder, "LAYERS")
    if not os.path.exists(path):
        report.refuse(f"{folder}/LAYERS", "is missing")
        return ranks
    rooms = set()
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            where = f"{folder}/LAYERS:{number}"
            line = line.split("#")[0].rstrip()
            if not line:
                continue
            match = LINE.match(line)
            if not match:
                report.refuse(where, "is no `<room>: <module>... [< <module>...]`")
                continue
            room = match.group(1)
            if room in rooms:
                report.refuse(where, f"room {room} is listed twice")
            rooms.add(room)
            for level, words in enumerate(match.group(2).split("<")):
                for module in words.split():
                    if f"{room}/{module}" in ranks:
                        report.refuse(where, f"{module} is listed twice")
                    ranks[f"{room}/{module}"] = (len(rooms), level)
    return ranks


def check_include(report, where, module, name, ranks):
    target = os.path.splitext(name)[0]
    if target not in ranks:
        report.refuse(where, f'"{name}" belongs to no layer')
    elif target != module and ranks[target] >= ranks[module]:
        report.refuse(where, f"{module} includes {target}, which is no lower layer")


def check_folder(root, folder, report):
    ranks = read_layers(root, folder, report)
    seen = set()
    for path, text in lint.files(root, (folder,)):
        report.examined += 1
        module = os.path.splitext(os.path.relpath(path, folder))[0]
        seen.add(module)
        if "/" not in module:
            report.refuse(path, "lies in no room")
            continue
        if module not in ranks:
            report.refuse(path, f"{module} belongs to no layer")
            continue
        # Comments go, but not the quotes of an include.
        code = re.sub(r"/\*.*?\*/", lint.blank, text, flags=re.DOTALL)
        for match in INCLUDE.finditer(code):
            if match.group(1) == '"':
                where = f"{path}:{lint.line_of(code, match.start(1))}"
                check_include(report, where, module, match.group(2), ranks)
    for module in sorted(set(ranks) - seen):
        report.refuse(f"{folder}/LAYERS", f"{module} does not exist")


def check(root):
    report = lint.Report()
    for folder in FOLDERS:
        if os.path.isdir(os.path.join(root, folder)):
            check_folder(root, folder, report)
    return report


SOUND = {
    "src/core/LAYERS": "# a comment\nbase: num check < iov\nmemory: quota # another\n",
    "src/core/base/num.h": "#include <memfs/memfs.h>\n#include <stdint.h>\n",
    "src/core/base/check.c": '#include "base/check.h"\n',
    "src/core/base/check.h": "",
    "src/core/base/iov.h": '#include "base/num.h"\n',
    "src/core/memory/quota.c":
        '#include "memory/quota.h"\n/* #include "top.h" */\n#include "base/iov.h"\n',
    "src/core/memory/quota.h": "",
}
GOOD = [SOUND]
LAYERS = "src/core/LAYERS"
BAD = [
    ({**SOUND, "src/core/base/num.h": '#include "memory/quota.h"\n'}, "no lower layer"),
    ({**SOUND, "src/core/base/num.h": '# include  "base/check.h"\n'}, "no lower layer"),
    ({**SOUND, "src/core/base/num.h": '# include  "base/iov.h"\n'}, "no lower layer"),
    ({**SOUND, "src/core/memory/quota.h": '#include "strange.h"\n'}, "belongs to no layer"),
    ({**SOUND, "src/core/memory/quota.h": '#include "../sqlite_vfs/vfs.h"\n'},
     "belongs to no layer"),
    ({**SOUND, "src/core/base/stray.c": ""}, "stray belongs to no layer"),
    ({**SOUND, "src/core/stray.c": ""}, "stray.c: lies in no room"),
    ({**SOUND, LAYERS: "base: num check < iov\nmemory: quota gone\n"}, "gone does not exist"),
    ({**SOUND, LAYERS: "base: num check < iov num\nmemory: quota\n"}, "num is listed twice"),
    ({**SOUND, LAYERS: "base: num check < iov\nbase: num\nmemory: quota\n"},
     "room base is listed twice"),
    ({**SOUND, LAYERS: "base: num check < iov\n1 quota\n"}, "is no `<room>:"),
    ({**SOUND, "sqlite_vfs/vfs/vfs.c": ""}, "sqlite_vfs/LAYERS: is missing"),
]

if __name__ == "__main__":
    lint.main("layers", check, GOOD, BAD)
