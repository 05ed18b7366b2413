"""Runs each program in Python of a folder that `chappe-reference examples` wrote, up to its call, and
compares the bytes that Telethon's own classes make of the request with ours. Ends with 1 if any differ."""

import asyncio
import json
import os
import sys
from pathlib import Path

import telethon
from telethon import utils
from telethon.sessions import MemorySession

folder = Path(sys.argv[1])
# What the programs take from outside; nothing of it is looked at.
os.environ.update(TELEGRAM_API_ID="1", TELEGRAM_API_HASH="0", STRING_SESSION="", BOT_STRING_SESSION="")

asked = []


class TelegramClient(telethon.TelegramClient):
    """Telethon's, but it dials nobody and keeps what it is asked."""

    def __init__(self, session, api_id, api_hash):
        super().__init__(MemorySession(), api_id, api_hash)

    async def connect(self):
        pass

    async def disconnect(self):
        pass

    async def __call__(self, request):
        # As theirs: what may be named in several ways is resolved before it is written.
        await request.resolve(self, utils)
        asked.append(request)


telethon.TelegramClient = TelegramClient


def request_of(path):
    """The request that a program makes."""
    asked.clear()
    code = compile(path.read_text(encoding="utf-8"), path, "exec")
    exec(code, {"__name__": "__main__", "print": lambda *words: None})
    (request,) = asked
    return request


def main():
    failed, count, absent = [], 0, 0
    for line in (folder / "requests.jsonl").read_text(encoding="utf-8").splitlines():
        request = json.loads(line)
        if request["packages"]["python"] is None:
            absent += 1
            continue
        if request["packages"]["python"] != f"telethon=={telethon.__version__}":
            sys.exit(f"Telethon {telethon.__version__} is installed: run schema/packages.py for it")
        path = folder / "python" / f"{request['method']}.py"
        count += 1
        try:
            theirs = bytes(request_of(path)).hex()
        except Exception as error:
            failed.append(f"{request['method']}: {error!r}\n{path.read_text(encoding='utf-8')}")
            continue
        if theirs != request["hex"]:
            failed.append(f"{request['method']}:\n  ours   {request['hex']}\n  theirs {theirs}\n{path.read_text(encoding='utf-8')}")
    print(f"python: {count} programs ran, {absent} have no package")
    for text in failed:
        print(f"python {text}")
    return 1 if failed else 0


sys.exit(main())
