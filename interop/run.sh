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
. "$here/install.sh"

install_python
install_desktop
install_node
venv=$here/.venv

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
