"""Refuses an #include that does not point to a strictly lower layer.

A folder with layers has a file LAYERS: `<level> <module> [<module>...]` a line,
`#` begins a comment.  A module is a .c and a .h of one name; a .c may include
its own header.  Every .c and .h must belong to a listed module and every listed
module must exist.  Public headers may be included anywhere, but only they cross
from one folder to another.
"""

import os
import re

import lint

FOLDERS = ("src", "sqlite_vfs")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def read_layers(root, folder, report):
    levels = {}
    path = os.path.join(root, folder, "LAYERS")
    if not os.path.exists(path):
        report.refuse(f"{folder}/LAYERS", "is missing")
        return levels
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            words = line.split("#")[0].split()
            if not words:
                continue
            if not words[0].isdigit() or len(words) < 2:
                report.refuse(f"{folder}/LAYERS:{number}", "is no `<level> <module>...`")
                continue
            for module in words[1:]:
                if module in levels:
                    report.refuse(f"{folder}/LAYERS:{number}", f"{module} is listed twice")
                levels[module] = int(words[0])
    return levels


def check_include(report, where, module, name, levels):
    target = os.path.splitext(os.path.basename(name))[0]
    if "/" in name:
        report.refuse(where, f'"{name}" is not in this folder')
    elif target not in levels:
        report.refuse(where, f'"{name}" belongs to no layer')
    elif target != module and levels[target] >= levels[module]:
        report.refuse(where, f"{module} ({levels[module]}) includes {target} ({levels[target]}), "
                             "which is no lower layer")


def check_folder(root, folder, report):
    levels = read_layers(root, folder, report)
    seen = set()
    for path, text in lint.files(root, (folder,)):
        report.examined += 1
        module = os.path.splitext(os.path.basename(path))[0]
        seen.add(module)
        if module not in levels:
            report.refuse(path, f"{module} belongs to no layer")
            continue
        # Comments go, but not the quotes of an include.
        code = re.sub(r"/\*.*?\*/", lint.blank, text, flags=re.DOTALL)
        for match in INCLUDE.finditer(code):
            if match.group(1) == '"':
                where = f"{path}:{lint.line_of(code, match.start(1))}"
                check_include(report, where, module, match.group(2), levels)
    for module in sorted(set(levels) - seen):
        report.refuse(f"{folder}/LAYERS", f"{module} does not exist")


def check(root):
    report = lint.Report()
    for folder in FOLDERS:
        if os.path.isdir(os.path.join(root, folder)):
            check_folder(root, folder, report)
    return report


SOUND = {
    "src/LAYERS": "# a comment\n0 num check\n1 quota\n",
    "src/num.h": "#include <memfs/memfs.h>\n#include <stdint.h>\n",
    "src/check.c": '#include "check.h"\n',
    "src/check.h": "",
    "src/quota.c": '#include "quota.h"\n/* #include "top.h" */\n#include "num.h"\n',
    "src/quota.h": "",
}
GOOD = [SOUND]
BAD = [
    ({**SOUND, "src/num.h": '#include "quota.h"\n'}, "no lower layer"),
    ({**SOUND, "src/num.h": '# include  "check.h"\n'}, "no lower layer"),
    ({**SOUND, "src/quota.h": '#include "strange.h"\n'}, "belongs to no layer"),
    ({**SOUND, "src/quota.h": '#include "../sqlite_vfs/vfs.h"\n'}, "not in this folder"),
    ({**SOUND, "src/stray.c": ""}, "stray belongs to no layer"),
    ({**SOUND, "src/LAYERS": "0 num check\n1 quota gone\n"}, "gone does not exist"),
    ({**SOUND, "src/LAYERS": "0 num check\n1 quota num\n"}, "listed twice"),
    ({**SOUND, "src/LAYERS": "0 num check\none quota\n"}, "is no `<level>"),
    ({**SOUND, "sqlite_vfs/vfs.c": ""}, "sqlite_vfs/LAYERS: is missing"),
]

if __name__ == "__main__":
    lint.main("layers", check, GOOD, BAD)
