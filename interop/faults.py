"""Lets `chappe serve --control` fail in one way at a time, and tells how each client takes it.

`loop.py`, `loop.js` and `loop.mjs` sign in and make the calls that they are told. A scenario is over
when its calls have ended, or after a time; then the fault is removed, and one more call must be
answered. How often the call with an effect was executed is in the server's log of calls.

By itself it gives each scenario a server and a program of its own, and plays all of them with all
clients, which takes a quarter of an hour. Started by `run.py`, it plays the scenarios of a second or
two that one client is known to survive, one after the other with the server of `run.py`.
"""

import argparse
import http.client
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import run

CLIENTS = {
    "telethon": ([*run.PYTHON, str(run.HERE / "telethon" / "loop.py")], "full"),
    "gramjs": ([*run.NODE, str(run.HERE / "gramjs" / "loop.js")], "full"),
    "mtcute": ([*run.NODE, str(run.HERE / "mtcute" / "loop.mjs")], "intermediate"),
    "kurigram": ([*run.PYTHON, str(run.HERE / "kurigram" / "loop.py")], "abridged"),
}

EFFECT = "account.resetWebAuthorizations"

# How a scenario can end. `FINE` and `TYPED` are what the protocol promises.
FINE = "survives"
TYPED = "typed error"
TWICE = "executed twice"
HANGS = "hangs"
WRONG = "reports what did not happen"
ERROR = "error"


@dataclass
class Scenario:
    """What goes wrong, and which calls meet it."""

    name: str
    # Orders for the control port, calls, and seconds to wait.
    steps: list
    # By what a call may end, if it is not answered: the documentation has it so.
    typed: str = "nothing else"
    # Whether the server has no more to say to the client afterwards.
    terminal: bool = False
    # Whether it takes no more than a second or two.
    quick: bool = False
    # Who takes longer all the same: kurigram notices a closed socket when no answer has come for 15 s.
    slow: list = field(default_factory=list)
    # Whether it concerns temporary keys, which only mtcute uses.
    pfs: bool = False
    # Seconds for its calls, if they are to have more than others.
    limit: float = 0.0
    # How clients are known to end otherwise, with more than one end if it is a matter of
    # microseconds: FAULTS.md says why.
    theirs: dict = field(default_factory=dict)


def fault(kind, **more):
    return ("POST", "/faults", {"fault": kind, **more})


def act(action, **body):
    return ("POST", f"/do/{action}", body)


ON_EFFECT = {"method": EFFECT, "times": 1}
ONE_DOWN = {"way": "down", "times": 1, "exchange": False}
ONE_UP = {"way": "up", "times": 1, "exchange": False}
# So late that the socket is closed first.
LATE = fault({"delay_answer": {"seconds": 1.5}}, **ON_EFFECT)

RESENDS_ANEW = {"telethon": [TWICE], "gramjs": [TWICE]}
NEVER_ASKS = {"telethon": [HANGS], "gramjs": [HANGS]}
ASKS_AND_REPEATS = {"mtcute": [TWICE]}
BEGINS_ANEW = {"mtcute": [FINE, TWICE]}
RECONNECTS_TWICE = {"telethon": [FINE, TWICE]}
REPEATS_ANEW = {"kurigram": [TWICE]}
TAKES_FOR_AN_ANSWER = {"kurigram": [WRONG]}
DROPS_WHAT_IS_OUT_OF_TIME = {"kurigram": [f"{HANGS}, for good"]}

SCENARIOS = [
    Scenario("socket closed while idle", [act("close"), "reset", "self"], quick=True, slow=["kurigram"]),
    Scenario("socket closed before the answer", [LATE, "reset", 0.5, act("close")], theirs=RESENDS_ANEW),
    Scenario(
        "socket closed in mid-answer",
        [fault({"close_after": {"bytes": 24}}, way="down", times=1), "reset"],
        theirs=RESENDS_ANEW,
    ),
    Scenario(
        "socket closed in mid-request",
        [fault({"close_after": {"bytes": 24}}, way="up", times=1), "reset"],
        quick=True,
        slow=["kurigram"],
    ),
    Scenario(
        "connections refused, twice",
        [fault("refuse_connections", times=2), act("close"), "reset"],
        theirs=RECONNECTS_TWICE,
    ),
    Scenario("black hole, 3 s", [fault("black_hole", for_seconds=3), "reset", "self"]),
    Scenario("black hole, 10 s", [fault("black_hole", for_seconds=10), "reset", "self"], theirs=BEGINS_ANEW),
    Scenario("black hole for ever", [fault("black_hole", times=1), "reset"], limit=150),
    Scenario("salts rotated", [act("rotate-salts"), "reset", "self"], quick=True),
    Scenario(
        "server's clock an hour ahead",
        [act("skew-clock", seconds=3600), "reset", "self"],
        theirs=DROPS_WHAT_IS_OUT_OF_TIME,
    ),
    Scenario(
        "a new session with a clock an hour behind",
        [act("close"), act("skew-clock", seconds=3600), "reset", "self"],
        theirs=DROPS_WHAT_IS_OUT_OF_TIME,
    ),
    Scenario(
        "a new session with a clock an hour ahead",
        [act("close"), act("skew-clock", seconds=-3600), "reset", "self"],
        theirs=DROPS_WHAT_IS_OUT_OF_TIME,
    ),
    Scenario(
        "server's clock an hour behind",
        [act("skew-clock", seconds=-3600), "reset", "self"],
        typed="BadMessageError",
        theirs={client: [f"{TYPED}, for good"] for client in ("telethon", "gramjs")}
        | BEGINS_ANEW
        | DROPS_WHAT_IS_OUT_OF_TIME,
    ),
    *(
        Scenario(
            f"bad message {code}",
            [fault({"bad_msg": {"code": code}}, times=1), "reset", "self"],
            typed="BadMessageError" if code in (18, 19, 20, 34, 35, 64) else "nothing else",
            quick=code in (16, 48),
            theirs=({} if code in (16, 20, 48) else BEGINS_ANEW)
            | ({} if code == 48 else TAKES_FOR_AN_ANSWER),
        )
        for code in (16, 17, 18, 19, 20, 32, 33, 34, 35, 48, 64)
    ),
    Scenario(
        "flood wait of 1 s",
        [fault({"flood": {"seconds": 1, "free": 1}}, method=EFFECT), "reset", "reset"],
        quick=True,
    ),
    Scenario(
        "error 500",
        [fault({"rpc_error": {"code": 500, "text": "RPC_CALL_FAIL"}}, **ON_EFFECT), "reset"],
        quick=True,
    ),
    Scenario(
        "error -503",
        [fault({"rpc_error": {"code": -503, "text": "Timeout"}}, **ON_EFFECT), "reset"],
        typed="Timeout",
    ),
    Scenario(
        "transport error -404, once",
        [fault({"transport_error": {"code": -404}}, times=1), "reset"],
        typed="AuthKeyNotFound",
        theirs={"telethon": [f"{TYPED}, for good"], "kurigram": [f"{HANGS}, for good"]},
    ),
    *(
        Scenario(
            f"transport error {code}, once",
            [fault({"transport_error": {"code": code}}, times=1), "reset"],
            theirs=RECONNECTS_TWICE,
        )
        for code in (-429, -444)
    ),
    Scenario("session forgotten", [act("forget-sessions"), "reset", "self"], quick=True),
    Scenario(
        "session forgotten with the answer",
        [fault("lose_answer", **ON_EFFECT), "reset", 0.5, act("forget-sessions"), act("close")],
        theirs={client: [TWICE] for client in CLIENTS},
    ),
    Scenario(
        "new_session_created comes twice",
        [fault("duplicate_new_session"), act("forget-sessions"), "reset", "self"],
        quick=True,
    ),
    Scenario(
        "answer dropped",
        [fault("drop", **ONE_DOWN), "reset"],
        theirs=NEVER_ASKS | ASKS_AND_REPEATS | REPEATS_ANEW,
    ),
    Scenario(
        "answer dropped, then the socket closed",
        [fault("drop", **ONE_DOWN), "reset", 1, act("close")],
        theirs=RESENDS_ANEW,
    ),
    Scenario("request dropped", [fault("drop", **ONE_UP), "reset"], theirs=NEVER_ASKS),
    Scenario("request dropped, then the socket closed", [fault("drop", **ONE_UP), "reset", 1, act("close")]),
    Scenario(
        "every packet to the client twice",
        [fault("duplicate", way="down", exchange=False), "reset", "self", "list"],
        quick=True,
    ),
    Scenario(
        "a packet to the server twice",
        [fault("duplicate", **ONE_UP), "reset"],
        typed="BadMessageError",
        theirs=BEGINS_ANEW,
    ),
    Scenario(
        "packets to the client in the wrong order",
        [fault("reorder", way="down", exchange=False), "reset", "self", "list"],
        quick=True,
    ),
    Scenario("every packet 1 s late", [fault({"delay": {"seconds": 1}}), "reset", "self", "list"]),
    Scenario(
        "answer corrupted",
        [fault({"corrupt": {"bit": 500}}, **ONE_DOWN), "reset"],
        theirs=NEVER_ASKS | ASKS_AND_REPEATS,
    ),
    Scenario("request corrupted", [fault({"corrupt": {"bit": 500}}, **ONE_UP), "reset"]),
    Scenario(
        "answer announced only",
        [fault({"announce_answers": {"above": 0}}, times=1), "reset"],
        theirs=NEVER_ASKS | ASKS_AND_REPEATS | REPEATS_ANEW,
    ),
    Scenario("answer comes twice", [fault("answer_twice", **ON_EFFECT), "reset", "self"], quick=True),
    Scenario("every answer compressed", [fault("gzip_everything"), "reset", "self", "list"], quick=True),
    Scenario(
        "acknowledgements held, answer late",
        [fault("hold_acks"), fault({"delay_answer": {"seconds": 3}}, **ON_EFFECT), "reset", "self"],
    ),
    Scenario(
        "unknown constructor in an answer",
        [fault({"unknown_constructor": {"instead_of": "user"}}, method="users.getUsers", times=1), "self", "reset"],
        typed="TypeNotFoundError",
        # Whether the answer to the other call is in the same packet.
        theirs=BEGINS_ANEW | {"kurigram": [FINE, TWICE]},
    ),
    Scenario("temporary keys expired", [act("expire-keys"), "reset", "self"], pfs=True),
    Scenario("temporary keys unbound", [act("unbind"), "reset", "self"], pfs=True),
    Scenario("AUTH_KEY_DUPLICATED", [act("duplicate-keys"), "reset"], typed="AUTH_KEY_DUPLICATED", terminal=True),
    Scenario("SESSION_REVOKED", [act("revoke"), "reset"], typed="SESSION_REVOKED", terminal=True),
    Scenario("USER_DEACTIVATED", [act("deactivate"), "reset"], typed="USER_DEACTIVATED", terminal=True),
]


@dataclass
class Result:
    verdict: str
    seconds: float
    details: list


class Control:
    """The control port of a server."""

    def __init__(self, announcement):
        self.address = json.loads(announcement)["control"].removeprefix("http://").rstrip("/")
        if not self.address.startswith("127.0.0.1:"):
            raise SystemExit(f"the control port is at {self.address}, not on loopback")

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.address, timeout=CONTROL_LIMIT)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            said = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path} {body}: {said}")
        return said

    def quiet(self):
        """Waits until a client has done by itself what it does after the sign-in."""
        before = None
        for _ in range(QUIET_LIMIT):
            methods = self.ask("GET", "/calls")["methods"]
            if methods == before:
                return
            before = methods
            time.sleep(1)

    def effects(self):
        """The calls with an effect that were executed."""
        recent = self.ask("GET", f"/calls?method={EFFECT}")["recent"]
        return [call for call in recent if call["executed"]]


class Program:
    """A signed-in client that makes the calls that it is told."""

    def __init__(self, client, folder, announcement, pfs=False):
        command, framing = CLIENTS[client]
        self.log = open(Path(folder) / "program.log", "w+")
        self.process = subprocess.Popen(
            [*command, "pfs" if pfs else framing],
            cwd=folder,
            env=run.environment(folder, announcement),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        self.lines = queue.Queue()
        self.prose = ""
        # The program says that it is signed in as if this was its first call.
        self.calls, self.ended = {"0": "sign in"}, {}
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                self.lines.put(json.loads(line))
            else:
                self.prose += line
        self.lines.put(None)

    def call(self, name):
        number = str(len(self.calls))
        self.calls[number] = name
        # A program that is gone is met where its answer is waited for.
        with suppress(BrokenPipeError):
            self.process.stdin.write(f"{number} {name}\n")
            self.process.stdin.flush()
        return number

    def wait(self, numbers, limit):
        """Waits until these calls have ended, or the program, or the time."""
        until = time.monotonic() + limit
        while not set(numbers) <= set(self.ended):
            try:
                said = self.lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return
            if said is None:
                self.lines.put(None)
                return
            self.ended[said["number"]] = said.get("error", "answered")

    def said(self):
        self.log.flush()
        self.log.seek(0)
        return self.log.read() + self.prose

    def stop(self):
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        run.stop(self.process)
        self.log.close()


def play(scenario, control, program, limit):
    """Plays one scenario; the server has no faults before and after."""
    before = len(control.effects())
    begun = time.monotonic()
    numbers, idle = [], []
    for step in scenario.steps:
        if isinstance(step, str):
            numbers.append(program.call(step))
        elif isinstance(step, tuple):
            if control.ask(*step).get("touched") == 0:
                idle.append(step)
        else:
            time.sleep(step)
    program.wait(numbers, limit)
    seconds = time.monotonic() - begun
    effects = control.effects()[before:]
    ends = {number: program.ended.get(number, "no answer") for number in numbers}
    asked = [number for number in numbers if program.calls[number] == "reset"]
    answered = [number for number in asked if ends[number] == "answered"]
    errors = [end for end in ends.values() if end not in ("answered", "no answer")]
    typed = scenario.typed.replace("_", "").lower()
    idle += [fault for fault in control.ask("GET", "/faults")["faults"] if fault["struck"] == 0]
    if idle:
        verdict = "met no fault"
    elif program.process.poll() is not None:
        verdict = "crashes"
    elif len(effects) > len(asked):
        verdict = TWICE
    elif "no answer" in ends.values():
        verdict = HANGS
    elif any(typed not in error.replace("_", "").lower() for error in errors):
        verdict = ERROR
    elif len(effects) < len(answered):
        verdict = WRONG
    else:
        verdict = TYPED if errors else FINE
    details = [f"{program.calls[number]}: {end}" for number, end in ends.items()]
    if len(effects) != len(asked):
        details.append(f"executed {len(effects)} times instead of {len(asked)}")
        details += [f"  as {call['msg_id']} of session {call['session_id']}" for call in effects[:5]]
    details += [f"did not strike: {order}" for order in idle]

    control.ask("DELETE", "/faults")
    if not scenario.terminal:
        last = program.call("self")
        program.wait([last], limit)
        end = program.ended.get(last, "no answer")
        if end != "answered":
            details.append(f"afterwards: {end}")
            verdict += ", for good"
    return Result(verdict, seconds, details)


class NotSignedIn(Exception):
    """A program did not get as far as its first call."""


def alone(client, scenario, options):
    """Plays a scenario with a server and a program of its own."""
    try:
        return attempt(client, scenario, options)
    except NotSignedIn as failure:
        if run.GRAMJS_LOST_A_ZERO not in str(failure):
            return Result("is not signed in", 0.0, str(failure).splitlines())
        return attempt(client, scenario, options)


def attempt(client, scenario, options):
    with tempfile.TemporaryDirectory(prefix="chappe-faults-") as folder, run.serve(folder) as line:
        program = Program(client, folder, run.announce(folder, line), scenario.pfs)
        try:
            program.wait(["0"], run.PROGRAM_LIMIT)
            if program.ended.get("0") != "answered":
                raise NotSignedIn(program.said())
            control = Control(line)
            control.quiet()
            result = play(scenario, control, program, max(options.limit, scenario.limit))
        finally:
            said = program.said()
            program.stop()
        if options.keep:
            Path(options.keep, f"{scenario.name.replace(' ', '-')}.{client}.log").write_text(said)
        return result


def show(width, scenario, client, result):
    """Prints a result; whether it is the known one."""
    known = scenario.theirs.get(client, (FINE, TYPED))
    expected = result.verdict in known
    mark = "" if expected else f"  (known: {' or '.join(known)})"
    print(f"{scenario.name:<{width}}  {client:<8}  {result.verdict:<24}  {result.seconds:6.1f}{mark}", flush=True)
    return expected


def quick(client, announcement):
    """Plays what is quick and survived, with one server and one program."""
    control = Control(Path(announcement).read_text())
    scenarios = [
        scenario
        for scenario in SCENARIOS
        if scenario.quick and client not in [*scenario.slow, *scenario.theirs]
    ]
    width = max(len(scenario.name) for scenario in scenarios)
    program = Program(client, ".", announcement)
    try:
        program.wait(["0"], run.PROGRAM_LIMIT)
        fine = program.ended.get("0") == "answered"
        if fine:
            control.quiet()
        for scenario in scenarios if fine else []:
            result = play(scenario, control, program, QUICK_LIMIT)
            if not show(width, scenario, client, result):
                fine = False
                print("".join(f"    {line}\n" for line in result.details), end="")
                break
        if fine:
            print("done")
            return 0
        print(program.said(), end="")
        return 1
    finally:
        program.stop()


def everything(options):
    clients = options.client or list(CLIENTS)
    scenarios = [
        scenario for scenario in SCENARIOS if all(word in scenario.name for word in options.words)
    ]
    if not scenarios:
        raise SystemExit(f"no scenario has the words {' '.join(options.words)!r} in its name")
    width = max(len(scenario.name) for scenario in scenarios)
    surprises = played = 0
    with ThreadPoolExecutor(len(clients)) as pool:
        for scenario in scenarios:
            concerned = [client for client in clients if client == "mtcute" or not scenario.pfs]
            results = pool.map(lambda client: alone(client, scenario, options), concerned)
            for client, result in zip(concerned, results):
                played += 1
                surprises += not show(width, scenario, client, result)
                for line in result.details:
                    print(f"    {line}", flush=True)
    print(f"{surprises} of {played} ended otherwise than is known")
    return 1 if surprises else 0


def main():
    if "CHAPPE_ANNOUNCEMENT" in os.environ:
        return quick(sys.argv[1], os.environ["CHAPPE_ANNOUNCEMENT"])
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--limit", type=float, default=40, help="seconds for the calls of a scenario")
    parser.add_argument("--client", action="append", choices=CLIENTS, help="this client only")
    parser.add_argument("--keep", help="a folder for what the programs say")
    parser.add_argument("words", nargs="*", help="scenarios with each of these words in the name")
    return everything(parser.parse_args())


# Seconds that the control port may take.
CONTROL_LIMIT = 20

# Seconds after which a client is taken to be quiet.
QUIET_LIMIT = 10

# Seconds for the calls of a quick scenario.
QUICK_LIMIT = 15

if __name__ == "__main__":
    sys.exit(main())
