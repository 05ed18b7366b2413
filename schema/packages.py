#!/usr/bin/env python3
"""Writes packages.toml: which of the API's definitions the packages of other people have.

    npm pack telegram@2.26.22 teleproto@1.229.0
    pip download --no-deps Telethon==1.45.0
    python3 packages.py ARCHIVE...

A definition is had if a package has one of its name and of its id. `lacks` names those that it does
not have at all, `differs` those that it has in another form, both in the order of api.tl. What a
package adds is not told. See PROVENANCE.md.
"""
import pathlib
import re
import sys

import archive

HERE = pathlib.Path(__file__).resolve().parent
# Built into every codec.
CORE = {"boolFalse", "boolTrue", "true", "vector", "error", "null"}
LINE = re.compile(r"^([\w.]+)#([0-9a-f]+) .*;$", re.MULTILINE)


def plain(name):
    """A name without what packages spell differently: case, underscores."""
    return name.replace("_", "").lower()


def from_text(text):
    """A schema as text: ids by plain name."""
    return {plain(name): int(number, 16) for name, number in LINE.findall(text)}


def from_types(text):
    """teleproto's api.d.ts: classes by their whole names, with their ids."""
    found = re.findall(r'CONSTRUCTOR_ID: (\d+);.*?className: "([\w.]+)"', text, re.DOTALL)
    return {plain(name): int(number) for number, name in found}


def from_python(text):
    """Telethon's table: ids, and classes by module; a request has that word behind its name."""
    found = re.findall(r"0x([0-9a-f]+): (?:functions|types)\.([\w.]+),", text)
    return {plain(re.sub("Request$", "", name)): int(number, 16) for number, name in found}


# Where in its archive a package keeps its definitions, how they are read, and where it says its layer.
SOURCES = {
    "telegram": ("package/tl/apiTl.js", from_text, "package/tl/AllTLObjects.js"),
    "teleproto": ("package/tl/generated/api.d.ts", from_types, "package/tl/runtime/registry.js"),
    "telethon": ("telethon/tl/alltlobjects.py", from_python, "telethon/tl/alltlobjects.py"),
}


def package(path):
    """An archive -> name, version, layer, ids by plain name."""
    name, version, files = archive.read(path)
    definitions, reader, layers = SOURCES[name]
    layer = re.findall(r"\bLAYER = (\d+)", files[layers].decode())[-1]
    return name, version, int(layer), reader(files[definitions].decode())


def listed(names):
    return "".join(f'    "{name}",\n' for name in names)


def main():
    ours = {
        name: int(number, 16)
        for name, number in LINE.findall((HERE / "api.tl").read_text())
        if name not in CORE
    }
    parts = [
        "# Which definitions of api.tl the packages have: written by packages.py, see PROVENANCE.md.\n"
    ]
    for path in sys.argv[1:]:
        name, version, layer, theirs = package(path)
        lacks = [own for own in ours if plain(own) not in theirs]
        differs = [own for own in ours if theirs.get(plain(own), ours[own]) != ours[own]]
        parts.append(
            f'\n[{name}]\nversion = "{version}"\nlayer = {layer}\n'
            f"lacks = [\n{listed(lacks)}]\ndiffers = [\n{listed(differs)}]\n"
        )
        print(f"{name} {version}, layer {layer}: lacks {len(lacks)}, has {len(differs)} in another form")
    (HERE / "packages.toml").write_text("".join(parts))


main()
