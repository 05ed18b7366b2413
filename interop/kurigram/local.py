"""What kurigram, the maintained fork of Pyrogram, needs to know to dial the local Telegram."""

import sys
from pathlib import Path

import rsa as rsa_keys
from pyrogram import Client
from pyrogram.connection import Connection, transport
from pyrogram.crypto import rsa
from pyrogram.session import Session

sys.path.append(str(Path(__file__).resolve().parent.parent))
from program import API_HASH, API_ID, check, code_to, control, host, port, server, wrong

FRAMINGS = {
    "full": transport.TCPFull,
    "abridged": transport.TCPAbridged,
    "intermediate": transport.TCPIntermediate,
    "padded": transport.TCPIntermediatePadded,
    "obfuscated": transport.TCPIntermediateO,
}

# It gives a server 2 seconds to greet, which a busy machine may need for its own Python.
Session.START_TIMEOUT = 20


class Here(Connection):
    """A connection to the local Telegram: kurigram has the addresses of a new session in its code."""

    def __init__(self, dc_id, server_address, port, **settings):
        (address,) = (dc["address"] for dc in server["dcs"] if dc["id"] == dc_id)
        super().__init__(dc_id, host, int(address.rpartition(":")[2]), **settings)


def trust_only(pem):
    """Makes the server's key the only one that kurigram accepts."""
    key = rsa_keys.PublicKey.load_pkcs1(pem.encode())
    fingerprint = int(server["rsa_fingerprint"], 16)
    signed = fingerprint - (1 << 64) * (fingerprint >> 63)
    rsa.server_public_keys.clear()
    rsa.server_public_keys[signed] = rsa.PublicKey(key.n, key.e)


def client(name="local", in_memory=True, sleep_threshold=0, connection=Here, **settings):
    """A client of the local Telegram, not connected, framed as the first argument says."""
    trust_only(server["rsa_public_key_pem"])
    return Client(
        name,
        API_ID,
        API_HASH,
        in_memory=in_memory,
        sleep_threshold=sleep_threshold,
        connection_factory=connection,
        protocol_factory=FRAMINGS[sys.argv[1]],
        **settings,
    )


async def refused(error, request):
    """Awaits a request that must fail with a certain class of kurigram's errors."""
    try:
        answer = await request
    except error:
        return
    raise SystemExit(f"{error.__name__} expected, answered {answer!r}")
