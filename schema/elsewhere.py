#!/usr/bin/env python3
"""Writes elsewhere.toml: which methods of the API the ready-made calls of other people's clients make.

    npm pack telegram@2.26.22 teleproto@1.229.0 @mtcute/core@0.31.0
    pip download --no-deps Telethon==1.45.0 Kurigram==2.2.26
    python3 elsewhere.py ARCHIVE...

A call makes what its own text makes, and the text of helpers in its file that are no calls
themselves; a call that makes nothing so makes what the other calls make that it names. What is
computed is not seen. See PROVENANCE.md.
"""
import ast
import json
import pathlib
import re
import sys

import archive

HERE = pathlib.Path(__file__).resolve().parent
FUNCTIONS = re.findall(
    r"^([\w.]+)#[0-9a-f]+ ", (HERE / "api.tl").read_text().split("---functions---")[1], re.MULTILINE
)
# Calls that make so much are ways to do everything, not ways to one thing.
MOST = 8
# Calls of the client itself, and those that any other call may begin with to find out whom it is about.
MACHINERY = {
    "connect", "disconnect", "getentity", "getinputentity", "getpeerid", "invoke", "isbot", "isuserauthorized",
    "resolvepeer", "resolveuser", "resolvechannel", "resolvepeermany", "rununtildisconnected", "setproxy",
    "setreceiveupdates", "start", "checkauthorization",
}


def plain(name):
    """A name without what packages spell differently: case, underscores."""
    return name.replace("_", "").lower()


OURS = {plain(name): name for name in FUNCTIONS}


def python_blocks(text):
    """Functions and classes of a module by name, with their text; classes of calls by their functions, whose
    text is twice as far from the left edge."""
    tree = ast.parse(text)
    lines = text.split("\n")
    blocks = {}

    def add(node):
        body = node.body
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            body = body[1:]
        if body:
            blocks[node.name] = "\n".join(lines[body[0].lineno - 1 : node.end_lineno]) + "\n"

    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for inner in node.body:
                if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    add(inner)
            continue
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            add(node)
    return blocks


def script_blocks(text):
    """Functions and classes at the left edge of a file by name, with their text."""
    text = re.sub(r"^ *(\*|//).*$", "", text, flags=re.MULTILINE)
    starts = list(re.finditer(r"^(?:export )?(?:async )?(?:function\*?|class|const) (\w+)", text, re.MULTILINE))
    ends = [start.start() for start in starts[1:]] + [len(text)]
    return {start[1]: text[start.start() : end] for start, end in zip(starts, ends)}


def typed_calls(text):
    return set(re.findall(r"^    (\w+)[(<]", text, re.MULTILINE)) - {"constructor"}


PYTHON = r"\bfunctions\.((?:\w+\.)?\w+?)(?:Request)?\("
NEW_API = r"\bnew [\w.]*\bApi\.((?:\w+\.)?\w+)\("
QUOTED = r"\b_: [\"']([\w.]+)[\"']"

# Where in its archive a client has its calls, how it writes a request, and where it lists the calls.
CLIENTS = {
    "kurigram": (r"pyrogram/methods/.*\.py", python_blocks, PYTHON, None),
    "@mtcute/core": (r"package/highlevel/methods/.*\.js", script_blocks, QUOTED, "package/highlevel/client.d.ts"),
    "telegram": (r"package/client/\w+\.js", script_blocks, NEW_API, "package/client/TelegramClient.d.ts"),
    "teleproto": (r"package/client/\w+\.js", script_blocks, NEW_API, "package/client/TelegramClient.d.ts"),
    "telethon": (r"telethon/client/\w+\.py", python_blocks, PYTHON, None),
}


def calls(name, files):
    """The calls of a client, each with the methods that it makes."""
    place, blocks_of, request, listed = CLIENTS[name]
    modules = [
        blocks_of(text.decode()) for path, text in sorted(files.items()) if re.fullmatch(place, path)
    ]
    if listed:
        public = typed_calls(files[listed].decode())
    else:
        public = {it for blocks in modules for it in blocks if blocks[it].startswith(" " * 8)}
    public = {it for it in public if not it.startswith("_") and plain(it) not in MACHINERY}

    def made(text):
        found = (OURS.get(plain(it)) for it in re.findall(request, text))
        return list(dict.fromkeys(it for it in found if it))

    def named(text, names):
        return [it for it in names if re.search(rf"\b{it}\b", text)]

    found, texts = {}, {}
    for blocks in modules:
        for call in sorted(public & blocks.keys()):
            seen, text = {call}, blocks[call]
            while more := [it for it in named(text, blocks) if it not in seen and it not in public]:
                seen.update(more)
                text += "".join(blocks[it] for it in more)
            found[call], texts[call] = made(text), text
    for call in [it for it in found if not found[it]]:
        others = named(texts[call], sorted(public - {call}))
        found[call] = list(dict.fromkeys(method for it in others for method in found.get(it, [])))
    return {call: methods for call, methods in sorted(found.items()) if 0 < len(methods) <= MOST}


def main():
    parts = ["# Which methods the ready-made calls of other clients make: written by elsewhere.py, see PROVENANCE.md.\n"]
    for path in sys.argv[1:]:
        name, version, files = archive.read(path)
        found, key = calls(name, files), name.removeprefix("@").split("/")[0]
        lines = "".join(
            f"{call} = [{', '.join(json.dumps(it) for it in methods)}]\n" for call, methods in found.items()
        )
        parts.append(f'\n# {version}\n[{key}]\n{lines}')
        print(f"{name} {version}: {len(found)} calls make {len({m for it in found.values() for m in it})} methods")
    (HERE / "elsewhere.toml").write_text("".join(parts))


main()
