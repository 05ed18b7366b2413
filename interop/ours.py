"""The other side of a story with two: the command `chappe`, and a client's program beside it.

Started by `run.py`, whose environment says where the server is and which command to take.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import run
from program import check, server


class Chappe:
    """The command with a home of its own, pointed at the server."""

    def __init__(self):
        self.home = Path(tempfile.mkdtemp(prefix="chappe-", dir=os.environ["HOME"]))
        key = self.home / "server.pem"
        key.write_text(server["rsa_public_key_pem"])
        self.environment = {
            "HOME": str(self.home),
            "CHAPPE_SERVER": server["address"],
            "CHAPPE_SERVER_KEY": str(key),
        }

    def start(self, *arguments):
        """Starts the command; it is ended with this process."""
        process = subprocess.Popen(
            [run.CHAPPE, "--json", *map(str, arguments)],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        atexit.register(process.kill)
        return process

    def say(self, *arguments, given=""):
        """Runs the command, which must do it: what it answers."""
        process = self.start(*arguments)
        answer, complaint = process.communicate(given, timeout=run.PROGRAM_LIMIT)
        check(process.returncode == 0, f"chappe {' '.join(map(str, arguments))}: {complaint}")
        return json.loads(answer)

    def login(self):
        """Signs the demonstration account in by code."""
        account = server["accounts"][0]
        me = self.say("login", "--phone", account["phone"], "--code", account["code"])
        check(me["id"] == account["user_id"], f"signed in as {me['id']}")


def program(client, name, *arguments):
    """Starts a program of a client; it is ended with this process."""
    interpreter, suffix, framing = run.CLIENTS[client]
    file = run.HERE / client / f"{name}{suffix}"
    process = subprocess.Popen(
        [*interpreter, str(file), framing, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(process.kill)
    return process


def ended(process):
    """Waits for a program: what it said. It has to come to its last step."""
    said, _ = process.communicate(timeout=run.PROGRAM_LIMIT)
    sys.stdout.write(said)
    check(process.returncode == 0 and said.endswith("done\n"), "the program did not get to its end")
    return said
