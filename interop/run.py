"""Starts `chappe serve` for each program, runs the program against it, and prints a table.

Each program gets a server of its own, fresh and in memory, and a file with the server's
announcement in the environment variable CHAPPE_ANNOUNCEMENT.
"""

import argparse
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
START_LIMIT = 60
PROGRAM_LIMIT = 150
STOP_LIMIT = 15
OUTPUT_LINES = 60
# How many programs run at a time: each waits for another one more than for a processor.
JOBS = (os.cpu_count() or 1) + 1
SERVER_LOG = "server.log"

CHAPPE = os.environ.get("CHAPPE_BIN", "chappe")

# GramJS drops a leading zero byte of the auth key, so that one key exchange in 256 fails with these
# words, at any server. It is begun again, once.
GRAMJS_LOST_A_ZERO = "invalid new nonce hash"

# What has to be alone, since it measures time.
TIMED = "faults.py"

PYTHON = [sys.executable]
# Where opentele could be installed.
OPENTELE = [str(HERE / ".venv-opentele" / "bin" / "python")]
NODE = ["node", "--require", str(HERE / "guard.js")]

TELETHON = ["full", "abridged", "intermediate", "obfuscated"]
GRAMJS = ["full", "abridged", "obfuscated"]
KURIGRAM = ["full", "abridged", "intermediate", "padded", "obfuscated"]
MTCUTE = ["intermediate", "padded", "obfuscated", "pfs"]

# What each client's programs are run by, how they are called, and how they are framed.
CLIENTS = {
    "telethon": (PYTHON, ".py", "full"),
    "gramjs": (NODE, ".js", "full"),
    "mtcute": (NODE, ".mjs", "intermediate"),
    "kurigram": (PYTHON, ".py", "abridged"),
}


class Row(NamedTuple):
    """A program, the word that it is given, what runs it, and what its server is told."""

    program: str
    framing: str
    interpreter: list
    options: list = []

    def __str__(self):
        return " ".join([self.program, self.framing, *self.options])


# Where a client finds that the account is elsewhere.
SEVERAL_DCS = ["--dcs", "3"]

PROGRAMS = [
    *(Row("telethon/user.py", framing, PYTHON) for framing in TELETHON),
    *(Row("telethon/bot.py", framing, PYTHON) for framing in TELETHON),
    *(Row("gramjs/user.js", framing, NODE) for framing in GRAMJS),
    *(Row("gramjs/bot.js", framing, NODE) for framing in GRAMJS),
    Row("gramjs/starting-page.js", "full", NODE),
    *(Row("mtcute/user.mjs", framing, NODE) for framing in MTCUTE),
    *(Row("mtcute/bot.mjs", framing, NODE) for framing in MTCUTE),
    *(Row("kurigram/user.py", framing, PYTHON) for framing in KURIGRAM),
    *(Row("kurigram/bot.py", framing, PYTHON) for framing in KURIGRAM),
    *(
        Row(f"{client}/{story}{suffix}", framing, interpreter, options)
        for story, options in (("password", []), ("phone", []), ("phone", SEVERAL_DCS))
        for client, (interpreter, suffix, framing) in CLIENTS.items()
    ),
    *(
        Row(f"{client}/messages{suffix}", framing, interpreter)
        for client, (interpreter, suffix, framing) in CLIENTS.items()
    ),
    *(Row("qr.py", client, PYTHON) for client in CLIENTS),
    *(Row("sessions.py", client, PYTHON) for client in [*CLIENTS, "converted"]),
    Row("mtcute/convert.mjs", "intermediate", NODE),
    Row("opentele/tdata.py", "full", OPENTELE),
    *(Row("faults.py", client, PYTHON) for client in CLIENTS),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--verbose", action="store_true", help="print what each program says")
    parser.add_argument("words", nargs="*", help="run programs whose row has each of these words")
    options = parser.parse_args()
    rows = [row for row in PROGRAMS if all(word in str(row) for word in options.words)]
    if not Path(OPENTELE[0]).exists():
        rows = [row for row in rows if row.interpreter is not OPENTELE]
    if not rows:
        parser.error(f"no program has the words {' '.join(options.words)!r} in its row")
    width = max(len(row.program) for row in rows)
    words = max(len(" ".join([row.framing, *row.options])) for row in rows)
    failed = 0
    begun = time.monotonic()
    print(f"{'program':<{width}}  {'with':<{words}}  {'result':<6}  seconds")
    for row, seconds, complaint, output in played(rows):
        result = "failed" if complaint else "ok"
        told = " ".join([row.framing, *row.options])
        print(f"{row.program:<{width}}  {told:<{words}}  {result:<6}  {seconds:7.1f}", flush=True)
        if complaint:
            failed += 1
            print(f"    {complaint}")
        if complaint or options.verbose:
            for line in output.splitlines()[-OUTPUT_LINES:]:
                print(f"    {line}", flush=True)
    where = "with only the loopback interface" if "INTEROP_ALONE" in os.environ else "on the host's network"
    seconds = time.monotonic() - begun
    print(f"{len(rows) - failed} of {len(rows)} passed in {seconds:.0f} s, {where}")
    return 1 if failed else 0


def played(rows):
    """Plays rows, some at a time, then those that measure time one by one; what each came to."""
    alone = [row for row in rows if row.program == TIMED]
    with ThreadPoolExecutor(JOBS) as jobs:
        yield from jobs.map(play, (row for row in rows if row not in alone))
    yield from map(play, alone)


def play(row):
    begun = time.monotonic()
    complaint, output = run(row)
    if complaint and GRAMJS_LOST_A_ZERO in output:
        note = f"{row.program} lost the leading zero of an auth key, as one in 256; once more\n"
        complaint, output = run(row)
        output = note + output
    return row, time.monotonic() - begun, complaint, output


def run(row):
    """Runs one program against a fresh server: what went wrong, or None, and what was said."""
    output = ""
    try:
        with (
            tempfile.TemporaryDirectory(prefix="chappe-interop-") as folder,
            serve(folder, row.options) as line,
        ):
            announcement = announce(folder, line)
            command = [*row.interpreter, str(HERE / row.program), row.framing]
            complaint, output = against(folder, announcement, command)
            if complaint:
                output += server_log(folder)
    except ServerError as error:
        return str(error), output
    return complaint, output


class ServerError(Exception):
    """The server did what none should."""


@contextmanager
def serve(folder, options=()):
    """Runs a server in memory as long as the context lasts: its announcement, one line of JSON."""
    with open(Path(folder) / SERVER_LOG, "w") as log:
        server = subprocess.Popen(
            [CHAPPE, "serve", "--json", "--listen", "127.0.0.1:0", "--control", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        line = first_line(server.stdout)
        if not line:
            raise ServerError(f"the server did not announce itself\n{server_log(folder)}")
        yield line
        gone = server.poll()
    finally:
        stop(server)
    if gone is not None:
        raise ServerError(f"the server ended by itself with {gone}\n{server_log(folder)}")
    if "panicked" in server_log(folder):
        raise ServerError(f"the server panicked\n{server_log(folder)}")


def server_log(folder):
    text = (Path(folder) / SERVER_LOG).read_text()
    return "".join(f"server: {line}\n" for line in text.splitlines())


def announce(folder, line):
    """A file with the announcement of a server, which has to be on loopback."""
    try:
        announcement = json.loads(line)
    except ValueError:
        raise ServerError(f"the server's first line is no JSON: {line!r}") from None
    host = announcement["address"].rpartition(":")[0]
    if host not in ("127.0.0.1", "[::1]"):
        raise ServerError(f"the server listens on {host}, not on loopback")
    file = Path(folder) / "announcement.json"
    file.write_text(line)
    return file


def against(folder, announcement, command):
    """Runs a program to its end."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment(folder, announcement),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PROGRAM_LIMIT,
        )
    except subprocess.TimeoutExpired as expired:
        return f"not done after {PROGRAM_LIMIT} s", (expired.stdout or b"").decode(errors="replace")
    output = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        return f"exit code {done.returncode}", output
    if not output.endswith("done\n"):
        return "it ended before its last step", output
    return None, output


def environment(folder, announcement):
    """What a program sees. Nothing else is its business: no proxy, no account of a user."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return kept | {
        "CHAPPE_ANNOUNCEMENT": str(announcement),
        "CHAPPE_BIN": CHAPPE,
        "HOME": str(folder),
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def first_line(stream):
    """The first line of a stream; the rest is read and dropped, so that the writer never waits."""
    lines = queue.Queue()

    def read():
        lines.put(stream.readline())
        for _ in stream:
            pass

    threading.Thread(target=read, daemon=True).start()
    try:
        return lines.get(timeout=START_LIMIT)
    except queue.Empty:
        return ""


def stop(server):
    server.terminate()
    try:
        server.wait(STOP_LIMIT)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


if __name__ == "__main__":
    sys.exit(main())
