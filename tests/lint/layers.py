"""Refuses an #include that does not point downwards: between parts, between rooms, inside a room.

src/PARTS lists the parts, and LAYERS in a part's folder its rooms and levels (parts.py says how).
A module is a .c and a .h of one name in one folder, and is included by room and name
("memory/page.h"), in a part without rooms by its name alone.  It may include modules of lower
rooms, those of lower levels of its own room, and its own header.  Every .c and .h of the product
must belong to a listed module, and every listed module must exist.  From another part it may
include only the public headers, and only where src/PARTS says that it needs that part.

src/common has headers of inline functions, which every part but the core may include by name.  They
may include public headers of the core alone.
"""

import os
import re

import lint
import parts

PRODUCT = ("src", "sqlite_vfs")
COMMON = "src/common"
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def check_include(report, where, module, name, ranks):
    target = os.path.splitext(name)[0]
    if target not in ranks:
        report.refuse(where, f'"{name}" belongs to no layer')
    elif target != module and ranks[target] >= ranks[module]:
        report.refuse(where, f"{module} includes {target}, which is no lower layer")


def check_public(report, where, part, name, owners, allowed):
    owner = owners.get(os.path.basename(name))
    if owner is None:
        report.refuse(where, f"<{name}> belongs to no part")
    elif owner not in allowed:
        report.refuse(where, f"{part.name} includes <{name}> of {owner}, "
                             "which src/PARTS does not say that it needs")


def read_common(root, listed, report):
    """The names of the headers in src/common, which are checked too."""
    names = set()
    of_core = {f"memfs/{header}" for part in listed if part.name == "core"
               for header in part.headers}
    for path, text in lint.files(root, (COMMON,)):
        names.add(os.path.basename(path))
        if not path.endswith(".h"):
            report.refuse(path, "is no header")
        code = re.sub(r"/\*.*?\*/", lint.blank, text, flags=re.DOTALL)
        for match in INCLUDE.finditer(code):
            if match.group(1) == '"' or (match.group(2).startswith("memfs/") and
                                         match.group(2) not in of_core):
                report.refuse(f"{path}:{lint.line_of(code, match.start(1))}",
                              f"includes {match.group(2)}, which is not the core's")
    return names


def check_part(root, part, listed, common, report):
    ranks = parts.read_layers(root, part, report)
    in_rooms = any("/" in module for module in ranks)
    owners = {header: other.name for other in listed for header in other.headers}
    allowed = parts.needed(part, listed)
    seen = set()
    for path, text in lint.files(root, (part.folder,)):
        module = parts.module_of(part, path)
        seen.add(module)
        if in_rooms and "/" not in module:
            report.refuse(path, "lies in no room")
        elif module not in ranks:
            report.refuse(path, f"{module} belongs to no layer")
        if module not in ranks:
            continue
        # Comments go, but not the quotes of an include.
        code = re.sub(r"/\*.*?\*/", lint.blank, text, flags=re.DOTALL)
        for match in INCLUDE.finditer(code):
            where = f"{path}:{lint.line_of(code, match.start(1))}"
            if match.group(1) == '"' and part.name != "core" and match.group(2) in common:
                continue
            if match.group(1) == '"':
                check_include(report, where, module, match.group(2), ranks)
            elif match.group(2).startswith("memfs/"):
                check_public(report, where, part, match.group(2), owners, allowed)
    for module in sorted(set(ranks) - seen):
        report.refuse(f"{part.folder}/LAYERS", f"{module} does not exist")


def check(root):
    report = lint.Report()
    listed = parts.read(root, report)
    common = read_common(root, listed, report)
    for part in listed:
        check_part(root, part, listed, common, report)
    for path, _ in lint.files(root, PRODUCT):
        report.examined += 1
        folders = [part.folder for part in listed] + [COMMON]
        if not any(path.startswith(folder + "/") for folder in folders):
            report.refuse(path, "lies in no part of src/PARTS")
    return report


LAYERS = "src/core/LAYERS"
FLAT = "src/text/LAYERS"
SOUND = {
    "src/PARTS": "# a comment\ncore src/core memfs.h,storage.h -\n"
                 "text src/text text.h core,Iconv # another\nview src/view view.h core\n",
    LAYERS: "# a comment\nbase: num check < iov\nmemory: quota # another\n",
    "src/core/base/num.h": "#include <memfs/memfs.h>\n#include <stdint.h>\n",
    "src/core/base/check.c": '#include "base/check.h"\n',
    "src/core/base/check.h": "",
    "src/core/base/iov.h": '#include "base/num.h"\n',
    "src/core/memory/quota.c":
        '#include "memory/quota.h"\n/* #include "top.h" */\n#include "base/iov.h"\n',
    "src/core/memory/quota.h": "",
    FLAT: ".: line < text\n",
    "src/text/line.h": "#include <memfs/storage.h>\n",
    "src/text/text.c": '#include "line.h"\n#include <memfs/text.h>\n',
    "src/view/LAYERS": ".: view\n",
    "src/view/view.c": "",
    "src/common/help.h": "#include <memfs/memfs.h>\n#include <string.h>\n",
    "src/view/view.h": '#include "help.h"\n',
}
GOOD = [SOUND]
BAD = [
    ({**SOUND, "src/core/base/num.h": '#include "memory/quota.h"\n'}, "no lower layer"),
    ({**SOUND, "src/core/base/num.h": '# include  "base/check.h"\n'}, "no lower layer"),
    ({**SOUND, "src/core/base/num.h": '# include  "base/iov.h"\n'}, "no lower layer"),
    ({**SOUND, "src/core/memory/quota.h": '#include "strange.h"\n'}, "belongs to no layer"),
    ({**SOUND, "src/core/memory/quota.h": '#include "../../sqlite_vfs/vfs.h"\n'},
     "belongs to no layer"),
    ({**SOUND, "src/core/base/stray.c": ""}, "stray belongs to no layer"),
    ({**SOUND, "src/core/stray.c": ""}, "stray.c: lies in no room"),
    ({**SOUND, LAYERS: "base: num check < iov\nmemory: quota gone\n"}, "gone does not exist"),
    ({**SOUND, LAYERS: "base: num check < iov num\nmemory: quota\n"}, "num is listed twice"),
    ({**SOUND, LAYERS: "base: num check < iov\nbase: num\nmemory: quota\n"},
     "room base is listed twice"),
    ({**SOUND, LAYERS: "base: num check < iov\n1 quota\n"}, "is no `<room>:"),
    ({**SOUND, LAYERS: ".: check\nbase: num check < iov\nmemory: quota\n"},
     "no module may lie in the folder itself"),
    ({**SOUND, "src/core/base/num.h": '#include "help.h"\n'}, "belongs to no layer"),
    ({**SOUND, "src/common/help.h": "#include <memfs/text.h>\n"}, "is not the core's"),
    ({**SOUND, "src/common/help.h": '#include "line.h"\n'}, "is not the core's"),
    ({**SOUND, "src/common/help.c": ""}, "is no header"),
    ({**SOUND, "src/stray.c": ""}, "src/stray.c: lies in no part"),
    ({**SOUND, "sqlite_vfs/vfs/vfs.c": ""}, "vfs.c: lies in no part"),
    ({**SOUND, "src/text/text.h": '#include "text.h"\n', "src/text/line.c": '#include "text.h"\n'},
     "line includes text, which is no lower layer"),
    ({**SOUND, "src/text/room/deep.c": ""}, "room/deep belongs to no layer"),
    ({**SOUND, "src/text/line.h": '#include "base/num.h"\n'}, "belongs to no layer"),
    ({**SOUND, "src/text/line.h": "#include <memfs/view.h>\n"}, "text includes <memfs/view.h>"),
    ({**SOUND, "src/text/line.h": "#include <memfs/new.h>\n"}, "belongs to no part"),
    ({**SOUND, "src/PARTS": "core src/core memfs.h\n"}, "is no `<name> <folder>"),
    ({**SOUND, "src/PARTS": SOUND["src/PARTS"] + "core src/core memfs.h -\n"},
     "part core is listed twice"),
    ({**SOUND, "src/PARTS": SOUND["src/PARTS"] + "mount src/mount mount.h core\n"},
     "folder src/mount does not exist"),
    ({path: text for path, text in SOUND.items() if path != FLAT}, f"{FLAT}: is missing"),
    ({path: text for path, text in SOUND.items() if path != "src/PARTS"}, "PARTS: is missing"),
]

if __name__ == "__main__":
    lint.main("layers", check, GOOD, BAD)
