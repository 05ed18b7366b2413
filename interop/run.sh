#!/usr/bin/env bash
# Programs that this repository did not write, pointed at `chappe serve`: interop/README.md.
#
# Installs what they need, builds the server unless CHAPPE_BIN names one, and runs them in a
# network namespace with nothing but the loopback interface, where the kernel grants one.
# Arguments go to run.py: words that pick programs (`interop/run.sh telethon`), or --verbose; behind
# a first --faults to faults.py: words that pick scenarios, or --client.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")

say() { printf '%s\n' "$*" >&2; }

venv=$here/.venv
if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
    say "installing Telethon and kurigram"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
        --requirement "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/installed.txt"
fi
# Beside the others: its cryptography is built for few machines, and would be kurigram's, too.
desktop=$here/.venv-opentele
if ! cmp -s "$here/requirements-opentele.txt" "$desktop/installed.txt"; then
    say "installing opentele"
    rm -rf "$desktop"
    python3 -m venv "$desktop"
    if "$desktop/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
        --only-binary :all: --no-binary pyaes --requirement "$here/requirements-opentele.txt"; then
        cp "$here/requirements-opentele.txt" "$desktop/installed.txt"
    else
        say "opentele is not built for this machine: its row is left out"
        rm -rf "$desktop"
    fi
fi
if ! cmp -s "$here/package-lock.json" "$here/node_modules/installed.json"; then
    say "installing GramJS and mtcute"
    (cd "$here" && npm ci --silent)
    cp "$here/package-lock.json" "$here/node_modules/installed.json"
fi

if [ -z "${CHAPPE_BIN:-}" ]; then
    say "building the server"
    (cd "$root" && cargo build --quiet --release --package chappe-cli)
    CHAPPE_BIN=${CARGO_TARGET_DIR:-$root/target}/release/chappe
fi
export CHAPPE_BIN

# A namespace lives as long as the command in it. Without root a user namespace may still do.
run=("$venv/bin/python" "$here/run.py")
if [ "${1:-}" = --faults ]; then
    shift
    run=("$venv/bin/python" "$here/faults.py")
fi
if unshare --net true 2>/dev/null; then
    exec unshare --net "${run[@]}" --alone "$@"
elif unshare --map-root-user --net true 2>/dev/null; then
    exec unshare --map-root-user --net "${run[@]}" --alone "$@"
fi
say "no network namespace here: the programs' own settings and guards keep them on loopback"
exec "${run[@]}" "$@"
