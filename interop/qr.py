"""A client that we did not write signs in by a QR code that chappe scans, and scans chappe's."""

import base64
import json
import sys

from ours import Chappe, ended, program
from program import check


def main():
    (client,) = sys.argv[1:]
    chappe = Chappe()
    chappe.login()
    theirs = program(client, "qr")
    scanned = 0
    for line in theirs.stdout:
        sys.stdout.write(line)
        if line.startswith("qr "):
            device = accept(chappe, line.split()[1])
            # The second time the account has a password.
            check(device.get("password_pending", False) == (scanned == 1), f"{device}")
            scanned += 1
        if line.startswith("signed in by QR code and password"):
            break
    check(scanned == 2, f"{scanned} codes were scanned")

    other = Chappe()
    ask = {"api_id": 12345, "api_hash": "0" * 32, "except_ids": []}
    token = other.say("call", "auth.exportLoginToken", json.dumps(ask))["token"]
    theirs.stdin.write(link(token) + "\n")
    ended(theirs)


def accept(chappe, link):
    """Has chappe accept a link: the device that is signed in by it."""
    token = link.removeprefix("tg://login?token=").rstrip("=")
    token = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    given = json.dumps({"token": base64.b64encode(token).decode()})
    return chappe.say("call", "auth.acceptLoginToken", given)


def link(token):
    token = base64.b64decode(token)
    return "tg://login?token=" + base64.urlsafe_b64encode(token).decode().rstrip("=")


main()
