"""Lets no socket leave this machine, once this is imported."""

import sys


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
