"""Runs the examples of all methods that the local Telegram implements, in every language, and compares what
they are answered with what was recorded.

    answers.py FOLDER [WORD...]
    answers.py --list

FOLDER is what `chappe-reference examples` wrote; words pick languages and methods. With --list it only names the
methods. Each program plays on a
stage of its own: the story of its method, up to the request. CHAPPE_STAGE_BIN is the test `stage` of
chappe-reference, CHAPPE_BIN the command `chappe`, CHAPPE_EXAMPLES_BIN the crate of the examples in Rust.
"""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent

# How long a stage may take to play a story, and a program to be answered, in seconds.
DEADLINE = 120
# Rust and the command are programs of their own each time; the others stay loaded.
RUNNERS = {
    "javascript": ["node", "--require", str(HERE.parent / "guard.js"), str(HERE / "answers" / "run.js")],
    "python": [sys.executable, str(HERE / "answers" / "run.py")],
}
RUNNERS["typescript"] = RUNNERS["javascript"]
# Whose answer a library cannot take, and what it says of it: crates/chappe-reference/src/example/packages.rs has
# the same list, so that the pages say so.
BROKEN = {
    ("telegram", "account.sendVerifyEmailCode"): "is not iterable",
    ("teleproto", "account.sendVerifyEmailCode"): "is not iterable",
}
EXTENSIONS = {"cli": "sh", "javascript": "js", "python": "py", "rust": None, "typescript": "ts"}


class Peer:
    """A program that answers each line with a line. It is killed when the context ends."""

    def __init__(self, command, **more):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
            env=environment(**more),
        )
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def ask(self, line):
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            answer = self.lines.get(timeout=DEADLINE)
        except (BrokenPipeError, queue.Empty):
            answer = None
        if answer is None:
            raise Gone(f"{self.process.args[0]} gave no answer, exit code {self.process.poll()}")
        return json.loads(answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class Gone(Exception):
    """A program that should answer does not."""


def environment(**more):
    """What a program sees. Nothing else is its business: no proxy, no account of a user."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return kept | {"PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"} | more


def recorded():
    """The methods of which there is a recorded answer."""
    files = (HERE.parents[1] / "crates" / "chappe-reference" / "recorded").glob("*.json")
    return [method for file in sorted(files) for method in json.loads(file.read_text(encoding="utf-8"))]


def main():
    words = sys.argv[1:]
    if words == ["--list"]:
        return print("\n".join(recorded()))
    folder = Path(words.pop(0)).resolve()
    lines = (folder / "requests.jsonl").read_text(encoding="utf-8").splitlines()
    requests = {request["method"]: request for request in map(json.loads, lines)}
    languages = [word for word in words if word in EXTENSIONS] or list(EXTENSIONS)
    wanted = [word for word in words if word not in EXTENSIONS] or recorded()
    begun = time.monotonic()
    with ThreadPoolExecutor(len(languages)) as threads:
        play = lambda language: played(folder, language, [requests[method] for method in wanted])
        results = list(threads.map(play, languages))
    failed = 0
    for language, (passed, absent, complaints) in zip(languages, results):
        failed += len(complaints)
        print(f"{language}: {passed} of {passed + len(complaints)} are answered as recorded, {absent} have no package")
        for complaint in complaints:
            print(f"    {complaint}")
    print(f"{time.monotonic() - begun:.0f} s")
    return 1 if failed else 0


def played(folder, language, requests):
    """Runs all programs of a language: how many passed, how many there are not, and what went wrong."""
    passed, absent, complaints = 0, 0, []
    stage = [os.environ["CHAPPE_STAGE_BIN"]]
    with Peer(stage, CHAPPE_STAGE="serve") as stage, runner(language) as program:
        for request in requests:
            method, package = request["method"], request["packages"][language]
            if package is None:
                absent += 1
                continue
            try:
                told = stage.ask(method)
                outcome = program.run(folder, language, method, package, told)
                trouble = BROKEN.get((package.partition("@")[0], method))
                if trouble is None:
                    wrong = stage.ask("check " + json.dumps(outcome))["wrong"]
                else:
                    wrong = None if trouble in outcome.get("error", "") else f"no trouble any more: {outcome}"
            except Gone as gone:
                complaints.append(f"{method}: {gone}; those behind it were not run")
                break
            if wrong is None:
                passed += 1
            else:
                complaints.append(f"{method}: {wrong}")
    return passed, absent, complaints


def runner(language):
    return Loaded(RUNNERS[language]) if language in RUNNERS else Alone()


class Loaded(Peer):
    """Runs programs in a process that stays."""

    def run(self, folder, language, method, package, stage):
        file = folder / language / f"{method}.{EXTENSIONS[language]}"
        package = package.partition("@")[0]
        return self.ask(json.dumps({"file": str(file), "package": package, "stage": stage}))


class Alone:
    """Runs each program in a process of its own, in a folder of its own."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="chappe-answers-")
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def run(self, folder, language, method, package, stage):
        home = Path(self.folder.name)
        session = bytes.fromhex(stage["sessions"]["chappe"])
        pem = stage["server"]["rsa_public_key_pem"]
        (home / "server.pem").write_text(pem)
        # Where the command keeps the sessions of a server with this key.
        place = home / "data" / "chappe" / f"server-{zlib.crc32(''.join(pem.split()).encode()):08x}"
        place.mkdir(parents=True, exist_ok=True)
        for file in (home / "me.session", home / "bot.session", place.with_suffix(".session"), place / "bot.session"):
            file.write_bytes(session)
            file.chmod(0o600)
        answer = home / "answer"
        answer.unlink(missing_ok=True)
        if language == "rust":
            command = [os.environ["CHAPPE_EXAMPLES_BIN"], method]
        else:
            command = ["sh", str(folder / "cli" / f"{method}.sh")]
        done = ended(
            command,
            cwd=home,
            env=environment(
                CHAPPE_REFERENCE_ANSWER=str(answer),
                CHAPPE_REFERENCE_SESSION=str(home / "me.session"),
                CHAPPE_SERVER=stage["address"],
                CHAPPE_SERVER_KEY=str(home / "server.pem"),
                HOME=str(home),
                PATH=f"{Path(os.environ['CHAPPE_BIN']).parent}:{os.environ['PATH']}",
                TELEGRAM_API_HASH=stage["api_hash"],
                TELEGRAM_API_ID=str(stage["api_id"]),
                XDG_CONFIG_HOME=str(home / "config"),
                XDG_DATA_HOME=str(home / "data"),
            ),
        )
        if done.returncode != 0:
            return {"error": f"exit code {done.returncode}: {done.stderr.strip()}"}
        if language == "rust":
            return {"bytes": json.loads(answer.read_text())}
        return {"json": json.loads(done.stdout)}


def ended(command, **more):
    """A program that ran to its end; one that does not end is killed."""
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8",
            timeout=DEADLINE, **more,
        )
    except subprocess.TimeoutExpired:
        raise Gone(f"{command} did not end") from None


if __name__ == "__main__":
    sys.exit(main())
