"""The archives of packages, as registries' clients download them: wheels, source distributions, npm's."""
import json
import re
import tarfile
import zipfile


def read(path):
    """An archive -> the package's name in small letters, its version, its files by path."""
    if path.endswith(".whl"):
        with zipfile.ZipFile(path) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        about = next(text for name, text in files.items() if name.endswith(".dist-info/METADATA"))
        name, version = (
            re.search(rf"^{key}: (.*)$", about.decode(), re.MULTILINE)[1] for key in ("Name", "Version")
        )
    else:
        with tarfile.open(path) as archive:
            members = [it for it in archive.getmembers() if it.isfile()]
            files = {it.name: archive.extractfile(it).read() for it in members}
        if "package/package.json" in files:
            about = json.loads(files["package/package.json"])
            name, version = about["name"], about["version"]
        else:
            name, _, version = next(iter(files)).split("/")[0].rpartition("-")
    return name.lower(), version, files
