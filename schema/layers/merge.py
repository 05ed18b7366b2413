#!/usr/bin/env python3
"""Merges the API schemas that packages ship into history.tl, digests.txt and sources.txt.

    python3 merge.py ../api.tl PACKAGE...

PACKAGE is an archive as its registry's client downloads it: a crate (`tl/api.tl`), a Python
source distribution (`compiler/api/source/main_api.tl`), or an npm package (`tl/apiTl.js`, or
`api-schema.json`). Where two packages carry one layer they must agree on every definition that
both have; the layer is their union. Every id must be the CRC of its definition.
See ../PROVENANCE.md for the packages used.
"""
import collections
import datetime
import hashlib
import json
import pathlib
import re
import sys
import tarfile
import zlib

OLDEST = 158
# Built into every codec, and listed by some packages only.
CORE = {"boolFalse", "boolTrue", "true", "vector", "error", "null"}


def crc(line):
    """The id of a definition: CRC-32 of its normal form."""
    line = re.sub(r"^([\w.]+)#[0-9a-f]+", r"\1", line.rstrip(";").strip())
    line = re.sub(r" \w+:\w+\.\d+\?true", "", line)
    line = re.sub(r"([:?])bytes\b", r"\1string", line)
    line = re.sub(r"[>{}]", "", line.replace("<", " "))
    return zlib.crc32(re.sub(r" +", " ", line).strip().encode())


def from_text(text):
    """TL text -> {(is function, name): canonical line}."""
    function, found = False, {}
    for line in text.splitlines():
        line = line.split("//")[0].strip()
        if line.startswith("---"):
            function = "functions" in line
            continue
        match = re.match(r"^([\w.]+)#([0-9a-f]+)\s+(.*?)=\s*(.*?)\s*;$", line)
        if not match or match[1] in CORE:
            continue
        name, number, fields, result = match.groups()
        parts = [f"{name}#{int(number, 16):08x}", *fields.split(), "=", *result.split()]
        found[function, name] = " ".join(parts) + ";"
    return found


def from_json(entries):
    """The entries of an api-schema.json -> {(is function, name): canonical line}."""
    found = {}

    def spelled(kind, how):
        kind = kind.replace("int53", "long")
        if how.get("isBareUnion"):
            kind = "%" + kind
        if how.get("isVector"):
            kind = f"Vector<{kind}>"
        if how.get("isBareVector"):
            kind = f"vector<{kind}>"
        return f"{how['predicate']}?{kind}" if how.get("predicate") else kind

    for entry in entries:
        if entry["name"] in CORE:
            continue
        parts = [f"{entry['name']}#{entry['id']:08x}"]
        parts += ["{%s:%s}" % (x["name"], x["type"]) for x in entry.get("generics", [])]
        for field in entry.get("arguments", []):
            parts.append(f"{field['name']}:{spelled(field['type'], field.get('typeModifiers', {}))}")
        parts += ["=", spelled(entry["type"], entry.get("typeModifiers", {}))]
        found[entry["kind"] == "method", entry["name"]] = " ".join(parts) + ";"
    return found


def read(path):
    """An archive -> (layer, schema, whether it is a union with older layers)."""
    with tarfile.open(path) as archive:
        members = {m.name.split("/", 1)[-1]: m for m in archive if m.isfile()}
        text = lambda name: archive.extractfile(members[name]).read().decode()
        for name in ("tl/api.tl", "compiler/api/source/main_api.tl"):
            if name in members:
                schema = text(name)
                return int(re.search(r"LAYER (\d+)", schema)[1]), from_text(schema), False
        if "tl/apiTl.js" in members:
            schema = text("tl/apiTl.js")
            layer = re.search(r"LAYER = (\d+)", text("tl/AllTLObjects.js"))[1]
            return int(layer), from_text(schema[schema.index("`") + 1 : schema.rindex("`")]), False
        schema = json.loads(text("api-schema.json"))
        return schema["l"], from_json(schema["e"]), True


def same_wire(a, b):
    """Whether two definitions differ in the order of their `true` flags only."""
    return sorted(a.split()) == sorted(b.split())


def package(path):
    """An archive's name -> (registry, package, version): the registry by the archive's kind."""
    name = pathlib.Path(path).name
    for ending, registry in ((".crate", "crate"), (".tgz", "npm"), (".tar.gz", "PyPI")):
        if name.endswith(ending):
            name, version = name[: -len(ending)].rsplit("-", 1)
            # npm packs a package of an organization without its sign and slash.
            name = re.sub(r"^mtcute-", "@mtcute/", name) if registry == "npm" else name
            return registry, name.lower(), version
    raise SystemExit(f"{path}: no archive of a crate, of npm or of PyPI")


def ranges(layers, held):
    """[198, 199, 201, 220] -> "198-201,220": ends of runs of held layers."""
    runs = []
    for layer in sorted(layers):
        if runs and held.index(layer) == held.index(runs[-1][1]) + 1:
            runs[-1][1] = layer
        else:
            runs.append([layer, layer])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def main():
    here = pathlib.Path(__file__).parent
    newest_text = pathlib.Path(sys.argv[1]).read_text()
    newest = int(re.search(r"LAYER (\d+)", newest_text)[1])
    plain, unions = collections.defaultdict(dict), {}
    plain[newest] = from_text(newest_text)
    sources = collections.defaultdict(list)
    for path in sys.argv[2:]:
        layer, schema, union = read(path)
        if not OLDEST <= layer <= newest:
            continue
        if union:
            unions[layer] = schema, path
            continue
        sources[layer].append(package(path))
        for key, line in schema.items():
            assert crc(line) == int(line.split("#")[1][:8], 16), f"{path}: {line}"
            assert plain[layer].setdefault(key, line) == line, f"{path}: {line}"
    # Packages of one publisher keep removed definitions beside the current ones and add their
    # own. They are used for layers that nobody else has: what is their own fails the CRC or has
    # their prefix, and what is a leftover was already gone from the nearest layer below.
    for layer, (schema, path) in unions.items():
        if layer in plain:
            continue
        sources[layer].append(package(path))
        below = max(x for x in plain if x < layer)
        older = {line for x in plain if x < below for line in plain[x].values()}
        around = {line for x in plain if abs(x - layer) <= 4 for line in plain[x].values()}
        for key, line in schema.items():
            if key[1].startswith("mtcute.") or crc(line) != int(line.split("#")[1][:8], 16):
                continue
            line = next((x for x in sorted(around) if same_wire(x, line)), line)
            if line in older and line not in plain[below].values():
                continue
            plain[layer][key] = line

    held = sorted(plain)
    where = collections.defaultdict(list)
    for layer in held:
        for (function, _), line in plain[layer].items():
            where[function, line].append(layer)
    out = [
        "// API definitions that are not, or not in every held layer, those of ../api.tl.",
        "// Written by merge.py; see ../PROVENANCE.md for the sources.",
        "// `LAYERS | definition;` was valid in these held layers and differs from layer %d." % newest,
        "// `LAYERS = name#id` is a definition of layer %d that only these held layers have." % newest,
        "// held " + " ".join(map(str, held)),
    ]
    for function in (False, True):
        out.append("---functions---" if function else "---types---")
        rows = sorted((line, layers) for (f, line), layers in where.items() if f == function)
        for line, layers in rows:
            if newest not in layers:
                out.append(f"{ranges(layers, held)} | {line}")
            elif layers != held:
                out.append(f"{ranges(layers, held)} = {line.split(' ')[0].rstrip(';')}")
    (here / "history.tl").write_text("\n".join(out) + "\n")
    digests = []
    for layer in held:
        parts = []
        for function in (False, True):
            parts.append("---functions---" if function else "---types---")
            parts += sorted(line for (f, _), line in plain[layer].items() if f == function)
        digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        digests.append(f"{layer} {len(plain[layer])} {digest}")
    (here / "digests.txt").write_text("\n".join(digests) + "\n")
    # The day on which this repository began to hold a layer stays what it was.
    table, days = here / "sources.txt", {}
    for line in table.read_text().splitlines() if table.exists() else []:
        if not line.startswith("#"):
            days[int(line.split()[0])] = line.split()[1]
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    out = [
        "# The packages of each layer: layer, day from which this repository holds it, registry, package,",
        "# version. Written by merge.py; ../PROVENANCE.md has their licences.",
    ]
    for layer in held:
        for source in sorted(sources[layer]):
            out.append(" ".join([str(layer), days.get(layer, today), *source]))
    table.write_text("\n".join(out) + "\n")


main()
