"""Runs programs of the reference for Telethon, unchanged, one after the other: a line of the standard input
names a file and the stage that it plays on, a line of the standard output tells what the program was
answered."""

import asyncio
import json
import logging
import os
import sys
from pathlib import Path

import telethon
from telethon.crypto import rsa
from telethon.sessions import StringSession
from telethon.tl.alltlobjects import LAYER

sys.path.append(str(Path(__file__).resolve().parents[2]))
import guard  # noqa: F401

# How long a program may take, in seconds.
DEADLINE = 60

stage = {}
asked = []


class StageSession(StringSession):
    """The session of the stage, whatever the program wants."""

    def __init__(self, string=None):
        super().__init__(stage["sessions"]["telethon"])


class TelegramClient(telethon.TelegramClient):
    """Telethon's, and it notes what it asks and hears."""

    def __init__(self, session, api_id, api_hash):
        super().__init__(
            session, api_id, api_hash, connection_retries=1, request_retries=1, flood_sleep_threshold=0
        )

    async def __call__(self, request, ordered=False, flood_sleep_threshold=None):
        answer = await super().__call__(request, ordered, flood_sleep_threshold)
        asked.append((request, answer))
        return answer


def bytes_of(answer):
    """The bytes of an answer: an object, a Bool, or a vector of objects."""
    word = lambda number: number.to_bytes(4, "little")
    if isinstance(answer, bool):
        return word(0x997275B5 if answer else 0xBC799737)
    if isinstance(answer, list):
        return word(0x1CB5C415) + word(len(answer)) + b"".join(map(bytes_of, answer))
    return bytes(answer)


def outcome(file):
    """What a program is answered, and what it prints."""
    asked.clear()
    printed = []
    path = Path(file)
    code = compile(path.read_text(encoding="utf-8"), path, "exec")
    run = asyncio.run
    asyncio.run = lambda main: run(asyncio.wait_for(main, DEADLINE))
    try:
        exec(code, {"__name__": "__main__", "print": lambda *words: printed.append(words)})
    except Exception as error:
        return {"error": repr(error)}
    finally:
        asyncio.run = run
    # Telethon asks by itself, too: the program's own call is the one whose answer it printed.
    own = [call for call in asked if [(call[1],)] == printed]
    if not own:
        return {"error": f"it printed {printed}, not its answer"}
    request, answer = own[-1]
    return {"bytes": {"layer": LAYER, "request": bytes(request).hex(), "answer": bytes_of(answer).hex()}}


def main():
    logging.disable()
    telethon.TelegramClient = TelegramClient
    telethon.sessions.StringSession = StageSession
    for line in sys.stdin:
        order = json.loads(line)
        stage.clear()
        stage.update(order["stage"])
        os.environ.update(TELEGRAM_API_ID=str(stage["api_id"]), TELEGRAM_API_HASH=stage["api_hash"])
        os.environ.update(STRING_SESSION="the stage puts", BOT_STRING_SESSION="its own there")
        rsa._server_keys.clear()
        rsa.add_key(stage["server"]["rsa_public_key_pem"], old=False)
        print(json.dumps(outcome(order["file"])), flush=True)


main()
