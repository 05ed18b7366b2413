"""What every program for Python shares: the server's announcement, checks, and a guard that no socket leaves this
machine."""

import json
import os
from urllib.request import Request, urlopen

import guard  # noqa: F401

API_ID = 12345
API_HASH = "0" * 32


with open(os.environ["CHAPPE_ANNOUNCEMENT"], encoding="utf-8") as file:
    server = json.load(file)

host, _, port = server["address"].rpartition(":")
port = int(port)


def check(truth, complaint):
    """Ends the program unless something is true; `assert` would not under `python -O`."""
    if not truth:
        raise SystemExit(complaint)


def control(method, path, body=None):
    """Asks the server's control port."""
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(server["control"] + path, data, method=method), timeout=10) as answer:
        return json.load(answer)


def code_to(recipient):
    """The code in the last letter that the server sent to a phone number or a mailbox."""
    letters = control("GET", f"/letters?to={recipient}")["letters"]
    check(letters, f"nothing was sent to {recipient}")
    return letters[-1]["code"]


def wrong(code):
    """Another code of the same form."""
    return code[:-1] + str((int(code[-1]) + 1) % 10)
