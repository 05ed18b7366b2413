"""Starts `chappe serve` for each program, runs the program against it, and prints a table.

Each program gets a server of its own, fresh and in memory, and a file with the server's
announcement in the environment variable CHAPPE_ANNOUNCEMENT.
"""

import argparse
import fcntl
import json
import os
import queue
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
START_LIMIT = 60
PROGRAM_LIMIT = 90
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

CLIENTS = ["telethon", "gramjs", "mtcute", "kurigram"]

PROGRAMS = [
    *(("telethon/user.py", framing, PYTHON) for framing in TELETHON),
    *(("telethon/bot.py", framing, PYTHON) for framing in TELETHON),
    *(("gramjs/user.js", framing, NODE) for framing in GRAMJS),
    *(("gramjs/bot.js", framing, NODE) for framing in GRAMJS),
    ("gramjs/starting-page.js", "full", NODE),
    *(("mtcute/user.mjs", framing, NODE) for framing in MTCUTE),
    *(("mtcute/bot.mjs", framing, NODE) for framing in MTCUTE),
    *(("kurigram/user.py", framing, PYTHON) for framing in KURIGRAM),
    *(("kurigram/bot.py", framing, PYTHON) for framing in KURIGRAM),
    ("telethon/password.py", "full", PYTHON),
    ("gramjs/password.js", "full", NODE),
    ("mtcute/password.mjs", "intermediate", NODE),
    ("kurigram/password.py", "abridged", PYTHON),
    ("telethon/phone.py", "full", PYTHON),
    ("gramjs/phone.js", "full", NODE),
    ("mtcute/phone.mjs", "intermediate", NODE),
    ("kurigram/phone.py", "abridged", PYTHON),
    *(("qr.py", client, PYTHON) for client in CLIENTS),
    *(("sessions.py", client, PYTHON) for client in [*CLIENTS, "converted"]),
    ("mtcute/convert.mjs", "intermediate", NODE),
    ("opentele/tdata.py", "full", OPENTELE),
    *(("faults.py", client, PYTHON) for client in ("telethon", "gramjs", "mtcute")),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alone", action="store_true", help="inside a fresh network namespace")
    parser.add_argument("--verbose", action="store_true", help="print what each program says")
    parser.add_argument("words", nargs="*", help="run programs whose row has each of these words")
    options = parser.parse_args()
    if options.alone:
        raise_loopback()
    rows = [row for row in PROGRAMS if all(word in f"{row[0]} {row[1]}" for word in options.words)]
    if not Path(OPENTELE[0]).exists():
        rows = [row for row in rows if row[2] is not OPENTELE]
    if not rows:
        parser.error(f"no program has the words {' '.join(options.words)!r} in its row")
    width = max(len(program) for program, _, _ in rows)
    failed = 0
    begun = time.monotonic()
    print(f"{'program':<{width}}  {'framing':<12}  {'result':<6}  seconds")
    for (program, framing, _), seconds, complaint, output in played(rows):
        result = "failed" if complaint else "ok"
        print(f"{program:<{width}}  {framing:<12}  {result:<6}  {seconds:7.1f}", flush=True)
        if complaint:
            failed += 1
            print(f"    {complaint}")
        if complaint or options.verbose:
            for line in output.splitlines()[-OUTPUT_LINES:]:
                print(f"    {line}", flush=True)
    where = "with only the loopback interface" if options.alone else "on the host's network"
    seconds = time.monotonic() - begun
    print(f"{len(rows) - failed} of {len(rows)} passed in {seconds:.0f} s, {where}")
    return 1 if failed else 0


def played(rows):
    """Plays rows, some at a time, then those that measure time one by one; what each came to."""
    alone = [row for row in rows if row[0] == TIMED]
    with ThreadPoolExecutor(JOBS) as jobs:
        yield from jobs.map(play, (row for row in rows if row not in alone))
    yield from map(play, alone)


def play(row):
    program, framing, interpreter = row
    begun = time.monotonic()
    complaint, output = run(interpreter, program, framing)
    if complaint and GRAMJS_LOST_A_ZERO in output:
        note = f"{program} lost the leading zero of an auth key, as one in 256; once more\n"
        complaint, output = run(interpreter, program, framing)
        output = note + output
    return row, time.monotonic() - begun, complaint, output


def run(interpreter, program, framing):
    """Runs one program against a fresh server: what went wrong, or None, and what was said."""
    output = ""
    try:
        with tempfile.TemporaryDirectory(prefix="chappe-interop-") as folder, serve(folder) as line:
            announcement = announce(folder, line)
            complaint, output = against(folder, announcement, [*interpreter, str(HERE / program), framing])
            if complaint:
                output += server_log(folder)
    except ServerError as error:
        return str(error), output
    return complaint, output


class ServerError(Exception):
    """The server did what none should."""


@contextmanager
def serve(folder):
    """Runs a server in memory as long as the context lasts: its announcement, one line of JSON."""
    with open(Path(folder) / SERVER_LOG, "w") as log:
        server = subprocess.Popen(
            [CHAPPE, "serve", "--json", "--listen", "127.0.0.1:0", "--control"],
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


def raise_loopback():
    """Brings up `lo` of a fresh network namespace, as `ip link set lo up` does."""
    get_flags, set_flags, up = 0x8913, 0x8914, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(control, get_flags, request))[1]
        fcntl.ioctl(control, set_flags, struct.pack("16sh14x", b"lo", flags | up))


if __name__ == "__main__":
    sys.exit(main())
