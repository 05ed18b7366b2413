"""What Telethon needs to know to dial the local Telegram."""

import sys
from pathlib import Path

from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.network import connection
from telethon.sessions import MemorySession

sys.path.append(str(Path(__file__).resolve().parent.parent))
from program import API_HASH, API_ID, check, code_to, control, host, port, server, wrong

FRAMINGS = {
    "full": connection.ConnectionTcpFull,
    "abridged": connection.ConnectionTcpAbridged,
    "intermediate": connection.ConnectionTcpIntermediate,
    "obfuscated": connection.ConnectionTcpObfuscated,
}

# What a story sees at once: no second attempt, no sleep.
AT_ONCE = {"connection_retries": 1, "request_retries": 1, "flood_sleep_threshold": 0}


def client(settings=AT_ONCE, session=None):
    """A client of the local Telegram, not connected, by the connection class of the first argument."""
    rsa._server_keys.clear()
    rsa.add_key(server["rsa_public_key_pem"], old=False)
    (fingerprint,) = rsa._server_keys
    stated = server["rsa_fingerprint"]
    check(f"{fingerprint & (1 << 64) - 1:016x}" == stated, f"fingerprint {fingerprint:x}, not {stated}")
    if session is None:
        session = empty(MemorySession())
    return TelegramClient(session, API_ID, API_HASH, connection=FRAMINGS[sys.argv[1]], **settings)


def empty(session):
    """A session that nobody signed in to yet, at the address of the local Telegram."""
    session.set_dc(server["dc_id"], host, port)
    return session


async def refused(error, request, code=400):
    """Awaits a request that must fail with a certain class of Telethon's errors."""
    try:
        answer = await request
    except error as failure:
        check(failure.code == code, f"{type(failure).__name__} came with the code {failure.code}")
        return
    raise SystemExit(f"{error.__name__} expected, answered {answer!r}")
