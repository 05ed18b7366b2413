"""A client that we did not write signs in by a QR code that chappe accepts, and accepts chappe's.
In between each of the two proves a password that the other one set.
"""

import json
import sys

from ours import Chappe, ended, program
from program import check, server


def main():
    (client,) = sys.argv[1:]
    chappe = Chappe()
    chappe.login()
    theirs = program(client, "qr")
    accept(chappe, said(theirs.stdout, "qr "), password=False)
    said(theirs.stdout, "signed in")
    set_password = ("account", "password", "set", "--new-password-stdin", "--hint", "chappe's")
    chappe.say(*set_password, given="ours\n")
    tell(theirs, "ours")
    accept(chappe, said(theirs.stdout, "qr "), password=True)
    said(theirs.stdout, "signed in")

    other = Chappe()
    login = other.start("login", "--qr", "--password-stdin")
    tell(login, "theirs")
    tell(theirs, json.loads(said(login.stderr, '{"qr"'))["qr"]["url"])
    answer, complaint = login.communicate()
    check(login.returncode == 0, f"chappe is not let in: {complaint}")
    me = json.loads(answer)
    check(me["id"] == server["accounts"][0]["user_id"], f"chappe is let in as {me['id']}")
    ended(theirs)


def accept(chappe, line, password):
    """Has chappe accept a link: a device is signed in by it, or owes the password only."""
    chappe.say("login", "--accept", line.split()[1], "--yes")
    # The device owes it from the moment that it asks again, which the acceptance makes it do.
    for _ in range(100):
        rows = chappe.say("call", "account.getAuthorizations")["authorizations"]
        owing = [row for row in rows if row.get("password_pending")]
        if len(owing) == password:
            return
    check(False, f"{len(owing)} devices owe the password")


def said(stream, start):
    """Waits for the line of a program that starts like this."""
    for line in stream:
        sys.stdout.write(line)
        if line.startswith(start):
            return line
    raise SystemExit(f"no line {start!r} came")


def tell(process, line):
    process.stdin.write(line + "\n")
    process.stdin.flush()


main()
