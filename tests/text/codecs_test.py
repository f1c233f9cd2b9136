"""Compares text handles with iconv(1) and with Python's codecs, on the same bytes.

    codecs_test.py TOOL [SEED]

TOOL is codec_tool.  For every encoding of `iconv -l`:

1. a sample in many scripts is encoded by text handles, in random pieces, without what is missing;
2. iconv(1) and text handles, in random pieces, decode these bytes to the same text;
3. text handles encode that text in one piece to the very bytes that iconv(1) makes of it;
4. where Python has the encoding, its codec decodes the bytes to the same text, and text handles
   decode what Python encodes.

An encoding of which iconv(1) cannot read what it writes itself ("broken": glibc's ISO-2022-CN does
not read some of CNS 11643) is counted and left out.  UTF-8, UTF-16 and UTF-32 are compared with
Python on random, mostly ill-formed bytes too, with replacing and ignoring.  Exits with
77 where iconv(1) is missing.
"""

import codecs
import os
import random
import shutil
import subprocess
import sys
import tempfile

SAMPLE_LINES = (
    "plain ASCII, with digits 0123456789 and (signs): + - ~ @",
    "àéîõü ÄÖÜß ñ Å ø æ Ê\u0304 ê\u030c",
    "Příliš žluťoučký kůň, zażółć gęślą jaźń, őű șț",
    "Ελληνικά γράμματα, ώρα",
    "Съешь ещё этих мягких французских булок ЂЃѓ ґєїў",
    "עברית שָׁלוֹם",
    "العربية سلام",
    "ภาษาไทย กำ",
    "Tiếng Việt: ầ ẵ ợ a\u0300 e\u0323",
    "ひらがな カタカナ ｶﾅ 漢字 日本語 か\u309a セ\u309a",
    "中文 简体字 繁體字 龍龜",
    "한국어 문장 각",
    "հայերեն ქართული தமிழ் அகரம்",
    "€ “quotes” – dashes … ™",
    "", "",
)

# Where Python's tables are others than glibc's; what is compared with iconv(1) all the same.
PYTHON_DIFFERS = {
    "big5hkscs", "cp1006", "euc_jis_2004", "euc_jisx0213", "iso2022_jp_2004", "iso2022_jp_3",
    "shift_jis_2004", "shift_jisx0213", "johab", "utf_7", "cp949", "cp950", "big5", "cp932",
    "iso2022_jp_ext", "iso2022_jp_2", "cp1255", "cp1258", "gbk", "shift_jis",
}


class Tool:
    def __init__(self, path, folder):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.folder = folder
        self.seed = 0

    def run(self, command, name, data):
        """The bytes that come out, or raises Trouble."""
        source = os.path.join(self.folder, "in")
        target = os.path.join(self.folder, "out")
        with open(source, "wb") as file:
            file.write(data)
        self.seed += 1
        self.process.stdin.write(f"{command} {name} {self.seed} {source} {target}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if answer != "ok":
            raise Trouble(answer or "the tool has crashed")
        with open(target, "rb") as file:
            return file.read()

    def end(self):
        self.process.stdin.close()
        return self.process.wait()


class Trouble(Exception):
    pass


def iconv(source, target, data):
    result = subprocess.run(["iconv", "-f", source, "-t", target], input=data,
                            capture_output=True, check=False)
    if result.returncode != 0:
        raise Trouble(f"iconv(1): {result.stderr.decode(errors='replace').strip()}")
    return result.stdout


def names_of_iconv():
    listed = subprocess.run(["iconv", "-l"], capture_output=True, text=True, check=True).stdout
    names = (word.rstrip(",").removesuffix("//") for word in listed.split())
    return sorted({name for name in names if name and "/" not in name})


def sample(seed):
    rng = random.Random(seed)
    lines = list(SAMPLE_LINES) * 2
    rng.shuffle(lines)
    words = [word for line in SAMPLE_LINES for word in line.split()]
    for _ in range(12):
        lines.append(" ".join(rng.choice(words) for _ in range(8)))
    return "\n".join(lines)


def canonical(name):
    try:
        return codecs.lookup(name.replace("_", "-") if name.startswith("ISO") else name).name
    except LookupError:
        return None


def check_python(tool, name, data, text, counts):
    """Python's codec on the same bytes, where it has one that knows them."""
    known = canonical(name)
    if known is None or known.replace("-", "_") in PYTHON_DIFFERS:
        return
    codec = codecs.lookup(known)
    if not getattr(codec, "_is_text_encoding", True):
        return
    found = codec.decode(data, "strict")[0]
    if found != text:
        raise Trouble(f"Python's {known} reads something else")
    back = tool.run("decode", name, codec.encode(text, "strict")[0]).decode()
    if back != text:
        raise Trouble(f"what Python's {known} writes is read as something else")
    counts["python"] += 1


def check_encoding(tool, name, data, text, counts):
    decoded = iconv(name, "UTF-8", data)
    if decoded != text.encode():
        raise Trouble("iconv(1) reads something else")
    whole = tool.run("whole", name, text.encode())
    if whole != iconv("UTF-8", name, text.encode()):
        raise Trouble("iconv(1) writes something else")
    counts["iconv"] += 1


def is_broken(name, text):
    """iconv(1) cannot read what it writes."""
    try:
        data = subprocess.run(["iconv", "-c", "-f", "UTF-8", "-t", name], input=text.encode(),
                              capture_output=True, check=False).stdout
        iconv(name, "UTF-8", data)
        return False
    except Trouble:
        return True


def check_all(tool, text, counts):
    failures = []
    seen = {}
    for name in names_of_iconv():
        try:
            data = tool.run("encode", name, text.encode())
            read = tool.run("decode", name, data).decode()
            counts["names"] += 1
            # An alias of what was compared already need not be compared again.
            if seen.setdefault((data, canonical(name)), name) == name:
                check_encoding(tool, name, data, read, counts)
                check_python(tool, name, data, read, counts)
        except (Trouble, UnicodeError) as trouble:
            if is_broken(name, text):
                counts["broken"] += 1
            else:
                failures.append(f"{name}: {trouble}")
    return failures


def check_ill_formed(tool, rng, counts):
    failures = []
    pieces = [bytes([value]) for value in range(256)] + ["é".encode(), "€".encode(), "😀".encode(),
              b"a", b"\n", b"\xf0\x9f", b"\xed\xa0\x80", b"\xd8\x3d", b"\x00", b"\x00\x00"]
    for name in ("UTF-8", "UTF-16-LE", "UTF-16-BE", "UTF-32-LE", "UTF-32-BE", "ASCII", "UTF-8-SIG"):
        for _ in range(40):
            data = b"".join(rng.choice(pieces) for _ in range(rng.randrange(60)))
            for command in ("replace", "ignore"):
                wanted = data.decode(name, command)
                try:
                    found = tool.run(command, name, data).decode()
                except Trouble as trouble:
                    found = str(trouble)
                counts["ill-formed"] += 1
                if found != wanted:
                    failures.append(f"{name}, {command}: {data!r}\n  {found!r}\n  {wanted!r}")
    return failures


def main():
    if shutil.which("iconv") is None:
        print("no iconv(1) here")
        return 77
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
    print(f"seed {seed}")
    counts = dict.fromkeys(("names", "broken", "iconv", "python", "ill-formed"), 0)
    with tempfile.TemporaryDirectory() as folder:
        tool = Tool(sys.argv[1], folder)
        tool.seed = seed
        failures = check_ill_formed(tool, random.Random(seed), counts)
        failures += check_all(tool, sample(seed), counts)
        if tool.end() != 0:
            failures.append("the tool fails")
    print("\n".join(failures))
    print(", ".join(f"{count} {what}" for what, count in counts.items()), "compared,",
          len(failures), "failed")
    few_are_broken = counts["broken"] * 50 < counts["names"]
    return 0 if not failures and counts["names"] >= 3 and few_are_broken else 1


if __name__ == "__main__":
    sys.exit(main())
