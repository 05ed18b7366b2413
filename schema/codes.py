#!/usr/bin/env python3
"""Writes the codes of errors.json: which codes an error comes with, and where it is known better.

    npm pack @mtcute/core@0.31.0
    pip download --no-deps Telethon==1.45.0
    pip download --no-deps --no-binary :all: kurigram==2.2.26 pyrofork==2.3.69
    python3 codes.py ARCHIVE...

Telegram's own table lists errors by code, under each code by name, and with each name the methods;
one name may stand under several codes. @mtcute/core keeps the methods' errors in that order, each at
its first place, and so tells the first code of each error at each method: codes rise along a
method's list, and names rise under a code. The others tell which codes a name has anywhere. See
PROVENANCE.md.
"""
import collections
import json
import pathlib
import re
import sys

import archive

HERE = pathlib.Path(__file__).resolve().parent
# The order of the codes in Telegram's table.
ORDER = [303, 400, 401, 403, 404, 406, 420, 500, -503]
# Telethon's classes, by what it calls the codes.
CLASSES = {
    "InvalidDCError": 303,
    "BadRequestError": 400,
    "UnauthorizedError": 401,
    "ForbiddenError": 403,
    "AuthKeyError": 406,
    "FloodError": 420,
    "ServerError": 500,
    "TimedOutError": -503,
}
# Read in Telegram for iOS, which looks for it.
BY_HAND = {"MSG_WAIT_TIMEOUT": {400}}
# Told wrong by the tables: core.telegram.org/api/errors#303-see-other.
NOT = {("FILE_MIGRATE_X", 400)}

# Where alone a name comes with a code that is not its first: read on the methods' pages of
# corefork.telegram.org, as the sources of the server MyTelegram repeat their tables.
ONLY_AT = {
    ("PEER_ID_INVALID", 403): {"payments.getSuggestedStarRefBots"},
    ("PEER_ID_INVALID", 406): {"messages.forwardMessages", "messages.sendMedia", "messages.sendMultiMedia"},
}


def plain(name):
    return name.replace("%d", "X").replace("(\\d+)", "X")


def from_mtcute(files):
    """The code of each name, and each method's names in their order."""
    table = json.loads(files["package/tl/raw-errors.json"])
    codes = {plain(name): {error["code"]} for name, error in table["errors"].items()}
    lists = {method: [plain(it) for it in names] for method, names in table["throws"].items()}
    return codes, lists


def from_pyrogram(files):
    """A table a code, whose first column is the name."""
    codes = collections.defaultdict(set)
    for path, text in files.items():
        table = re.search(r"/compiler/errors/source/(\d+)_\w+\.tsv$", path)
        for line in text.decode().splitlines()[1:] if table else []:
            code = int(table[1])
            codes[line.split("\t")[0]].add(code if code in ORDER else -code)
    return codes, {}


def from_telethon(files):
    """A class a name, which inherits from that of its code."""
    text = files["telethon/errors/rpcerrorlist.py"].decode()
    bases = dict(re.findall(r"class (\w+)\((\w+)\)", text))
    names = re.findall(r"'([^']+)': (\w+)", text) + re.findall(r"\('([^']+)', (\w+)\)", text)
    codes = {plain(name): {CLASSES[bases[it]]} for name, it in names if bases.get(it) in CLASSES}
    return codes, {}


SOURCES = {
    "@mtcute/core": from_mtcute,
    "kurigram": from_pyrogram,
    "pyrofork": from_pyrogram,
    "telethon": from_telethon,
}


def firsts(names, codes):
    """The first and the last place that each name may have in a list, by the order of the codes."""
    places = [sorted(ORDER.index(code) for code in codes[name]) for name in names]
    low, high, before = [], [], (-1, "")
    for name, allowed in zip(names, places):
        before = (next((it for it in allowed if (it, name.lower()) > before), None), name.lower())
        if before[0] is None:
            return None
        low.append(before[0])
    behind = (len(ORDER), "")
    for name, allowed in reversed(list(zip(names, places))):
        behind = (max(it for it in allowed if (it, name.lower()) < behind), name.lower())
        high.append(behind[0])
    return list(zip(low, reversed(high)))


def main():
    table = json.loads((HERE / "errors.json").read_text())
    codes, lists = collections.defaultdict(set), {}
    for name, code in table["errors"].items():
        codes[name].add(code)
    for path in sys.argv[1:]:
        package, _, files = archive.read(path)
        of_names, of_methods = SOURCES[package](files)
        for name, found in of_names.items():
            codes[name] |= {code for code in found if (name, code) not in NOT}
        lists |= of_methods
    for name, more in BY_HAND.items():
        codes[name] |= more

    at = collections.defaultdict(dict)
    for method, names in lists.items():
        places = firsts(names, codes)
        if places is None:
            print(f"{method}: not in the order of the codes")
            continue
        for name, (low, high) in zip(names, places):
            known = [
                code
                for code in ORDER[low:]
                if code in codes[name] and method in ONLY_AT.get((name, code), {method})
            ]
            at[name][method] = (known, low == high)

    several = {name: found for name, found in codes.items() if len(found) > 1 and name in table["errors"]}
    usual, by_method = {}, collections.defaultdict(dict)
    for name, found in sorted(several.items()):
        first = collections.Counter(known[0] for known, is_sure in at[name].values() if is_sure)
        # What was there stays where as many methods have another one first.
        best = max(ORDER, key=lambda code: (first[code], code == table["errors"][name]))
        table["errors"][name] = best
        usual[name] = [best] + [code for code in ORDER if code in found and code != best]
        for method, (known, _) in at[name].items():
            if name in table["throws"].get(method, ()) and known != usual[name]:
                by_method[method][name] = known
    table["codes"] = usual
    table["codes_at"] = {method: dict(sorted(by_method[method].items())) for method in sorted(by_method)}
    order = ["errors", "codes", "codes_at", "throws", "assumed", "user_only", "bot_only", "signed_out", "business"]
    text = json.dumps({key: table[key] for key in order if key in table}, indent=1)
    # A list of codes in one line.
    text = re.sub(r"\[[-\d,\s]+\]", lambda it: re.sub(r"\s+", "", it[0]).replace(",", ", "), text)
    (HERE / "errors.json").write_text(text + "\n")


main()
