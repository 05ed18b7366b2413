"""A session that a client made by signing in is used by chappe, and chappe's by the client; nobody
signs in anew, which the server's log of calls shows. With the word `converted`, the session of one
client goes through chappe to all others.
"""

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path

from ours import Chappe, ended, program
from program import API_ID, check, control, server

# The formats that are each client's own.
FORMATS = {
    "telethon": ["telethon", "telethon-file"],
    "gramjs": ["gramjs"],
    "mtcute": ["mtcute"],
    "kurigram": ["pyrogram", "pyrogram-file"],
}

WEB_SESSIONS = 6


def main():
    (what,) = sys.argv[1:]
    if what == "converted":
        theirs_to_theirs()
    else:
        theirs_to_ours(what)
        ours_to_theirs(what)
    print("done")


def theirs_to_ours(client):
    folder = Path(os.environ["HOME"])
    kept = told(ended(program(client, "session", "keep", folder)))
    check(sorted(kept) == sorted(FORMATS[client]), f"it keeps {sorted(kept)}")
    key = key_of_the_sign_in()
    for form, file in kept.items():
        # Without a word about the format, too: it is guessed.
        for given in ([file], [file, "--format", form]):
            chappe = Chappe()
            with nobody_signs_in(key):
                chappe.say("session", "import", *given)
                is_account(chappe, devices=1)
        print(f"{form} of {client}: used by chappe")


def ours_to_theirs(client):
    chappe = Chappe()
    chappe.login()
    key = key_of_the_sign_in()
    for form in FORMATS[client]:
        file = chappe.home / (f"{form}.session" if form.endswith("-file") else f"{form}.txt")
        with nobody_signs_in(key):
            chappe.say("session", "export", "--format", form, "--output", file)
            is_used(client, form, file, devices=2)
        print(f"{form} of chappe: used by {client}")
    is_account(chappe, devices=2)


def theirs_to_theirs():
    """Hands a session from client to client and back, each time converted from what came before."""
    chappe = Chappe()
    kept = told(ended(program("telethon", "session", "keep", chappe.home)))
    key = key_of_the_sign_in()
    before = kept["telethon-file"]
    # What some forms want and others do not say.
    said = ["--user-id", server["accounts"][0]["user_id"], "--api-id", API_ID]
    hops = [(client, form) for client in FORMATS for form in FORMATS[client]]
    for number, (client, form) in enumerate(hops + hops[::-1]):
        file = chappe.home / f"{number}.{'session' if form.endswith('-file') else 'txt'}"
        with nobody_signs_in(key):
            chappe.say("session", "convert", before, "--to", form, "--output", file, *said)
            is_used(client, form, file, devices=1)
        print(f"{form}: used by {client}")
        # The string of Pyrogram says no address: from there it would lead to Telegram's.
        before = before if form == "pyrogram" else file


def is_used(client, form, file, devices):
    """Has a client use a session: what it sees is what the account has."""
    seen = told(ended(program(client, "session", "use", form, file)))
    wanted = {"id": server["accounts"][0]["user_id"], "web": WEB_SESSIONS, "devices": devices}
    check(seen == wanted, f"{client} sees {seen} instead of {wanted}")


def is_account(chappe, devices):
    """Looks at what an account sees: itself, its web sessions, its devices."""
    me = chappe.say("whoami")
    check(me["id"] == server["accounts"][0]["user_id"], f"chappe says that {me['id']} is signed in")
    web = chappe.say("web", "list")["web_authorizations"]
    check(len(web) == WEB_SESSIONS, f"{len(web)} web sessions")
    rows = chappe.say("call", "account.getAuthorizations")["authorizations"]
    check(len(rows) == devices, f"{len(rows)} devices instead of {devices}")


def told(said):
    """The line of JSON in what a program said."""
    (line,) = (line for line in said.splitlines() if line.startswith("{"))
    return json.loads(line)


def calls():
    return control("GET", "/calls")["recent"]


def key_of_the_sign_in():
    """The id of the auth key that the last sign-in was made with."""
    return [call["auth_key_id"] for call in calls() if call["method"] == "auth.signIn"][-1]


@contextmanager
def nobody_signs_in(key):
    """Checks that only this key is used within the context, and none of the methods of a sign-in."""
    last = calls()[-1]["number"]
    yield
    new = [call for call in calls() if call["number"] > last]
    check(new, "nobody called")
    keys = {call["auth_key_id"] for call in new}
    check(keys == {key}, f"the keys {keys} were used instead of {key}")
    sign_in = [call["method"] for call in new if call["method"].startswith("auth.")]
    check(not sign_in, f"{sign_in} was called")


main()
