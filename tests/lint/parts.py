"""Reads src/PARTS, the list of the product's parts, and each part's LAYERS.

src/PARTS has one part a line: its name, its folder, its public headers (in include/memfs, with
commas between), and what it needs, or `-`.  Needs that are names of parts are read here, with a
`?` behind those that it can do without:

    core src/core memfs.h,storage.h -
    sqlite sqlite_vfs sqlite.h core,SQLite3:3.32

LAYERS stands in a part's folder, one line a room, the lowest room first; inside a room `<`
separates the levels, the lowest first:

    base: num check < pattern
    memory: ledger arena < memory < page

The one line of a part without rooms has the room `.`, the folder itself.
"""

import os
import re
from dataclasses import dataclass

PARTS = "src/PARTS"
ROOM_LINE = re.compile(r"(\w+|\.):((?: +\w+| +<)+)$")


@dataclass
class Part:
    name: str
    folder: str
    headers: list
    needs: list


def lines(root, path, report):
    """Yields (where, text) of every line that says something."""
    full = os.path.join(root, path)
    if not os.path.exists(full):
        report.refuse(path, "is missing")
        return
    with open(full, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.split("#")[0].rstrip()
            if line:
                yield f"{path}:{number}", line


def read(root, report):
    """The parts, in the order of the list."""
    found = {}
    for where, line in lines(root, PARTS, report):
        words = line.split()
        if len(words) != 4:
            report.refuse(where, "is no `<name> <folder> <headers> <needs>`")
            continue
        name, folder, headers, needs = words
        if name in found:
            report.refuse(where, f"part {name} is listed twice")
        if not os.path.isdir(os.path.join(root, folder)):
            report.refuse(where, f"folder {folder} does not exist")
            continue
        needs = [] if needs == "-" else [need.rstrip("?") for need in needs.split(",")]
        found[name] = Part(name, folder, headers.split(","), needs)
    return list(found.values())


def needed(part, parts):
    """The names of the parts that `part` may use: itself, and what it needs at any remove."""
    by_name = {other.name: other for other in parts}
    names, waiting = set(), [part.name]
    while waiting:
        name = waiting.pop()
        if name in by_name and name not in names:
            names.add(name)
            waiting.extend(by_name[name].needs)
    return names


def module_of(part, path):
    """The module of the file `path`: room/module, or module where it lies in no room."""
    return os.path.splitext(os.path.relpath(path, part.folder))[0]


def read_layers(root, part, report):
    """The rank (room, level) of each module; ranks compare as they stand."""
    ranks = {}
    rooms = []
    path = f"{part.folder}/LAYERS"
    for where, line in lines(root, path, report):
        match = ROOM_LINE.match(line)
        if not match:
            report.refuse(where, "is no `<room>: <module>... [< <module>...]`")
            continue
        room = match.group(1)
        if room in rooms:
            report.refuse(where, f"room {room} is listed twice")
        rooms.append(room)
        prefix = "" if room == "." else room + "/"
        for level, words in enumerate(match.group(2).split("<")):
            for module in words.split():
                if prefix + module in ranks:
                    report.refuse(where, f"{module} is listed twice")
                ranks[prefix + module] = (len(rooms), level)
    if "." in rooms and len(rooms) > 1:
        report.refuse(path, "has rooms, so no module may lie in the folder itself")
    return ranks
