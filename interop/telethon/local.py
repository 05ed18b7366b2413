"""What Telethon needs to know to dial the local Telegram, and a guard that it dials nothing else."""

import json
import os
import sys

from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.network import connection
from telethon.sessions import MemorySession

FRAMINGS = {
    "full": connection.ConnectionTcpFull,
    "abridged": connection.ConnectionTcpAbridged,
    "intermediate": connection.ConnectionTcpIntermediate,
    "obfuscated": connection.ConnectionTcpObfuscated,
}


def only_loopback(event, arguments):
    """Refuses every address but this machine's; Python calls it before each such call."""
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        host = arguments[1][0] if arguments[1] else None
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if host not in (None, "127.0.0.1", "::1"):
        raise SystemExit(f"{event} to {host} refused: only loopback")


sys.addaudithook(only_loopback)

with open(os.environ["CHAPPE_ANNOUNCEMENT"], encoding="utf-8") as file:
    server = json.load(file)


# What a story sees at once: no second attempt, no sleep.
AT_ONCE = {"connection_retries": 1, "request_retries": 1, "flood_sleep_threshold": 0}


def client(settings=AT_ONCE):
    """A client of the local Telegram, not connected, by the connection class of the first argument."""
    rsa._server_keys.clear()
    rsa.add_key(server["rsa_public_key_pem"], old=False)
    (fingerprint,) = rsa._server_keys
    stated = server["rsa_fingerprint"]
    check(f"{fingerprint & (1 << 64) - 1:016x}" == stated, f"fingerprint {fingerprint:x}, not {stated}")
    host, _, port = server["address"].rpartition(":")
    session = MemorySession()
    session.set_dc(server["dc_id"], host, int(port))
    return TelegramClient(
        session,
        12345,
        "0" * 32,
        connection=FRAMINGS[sys.argv[1]],
        **settings,
    )


def check(truth, complaint):
    """Ends the program unless something is true; `assert` would not under `python -O`."""
    if not truth:
        raise SystemExit(complaint)


async def refused(error, request):
    """Awaits a request that must fail with a certain class of Telethon's errors."""
    try:
        answer = await request
    except error as failure:
        check(failure.code == 400, f"{type(failure).__name__} came with the code {failure.code}")
        return
    raise SystemExit(f"{error.__name__} expected, answered {answer!r}")
