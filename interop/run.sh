#!/usr/bin/env bash
# Programs that this repository did not write, pointed at `chappe serve`: interop/README.md.
#
# Installs what they need, builds the server unless CHAPPE_BIN names one, and runs them: see `become` for where.
# Arguments go to run.py: words that pick programs (`interop/run.sh telethon`), or --verbose; behind
# a first --faults to faults.py: words that pick scenarios, or --client.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/install.sh"
root=$(dirname "$interop")

install_python
install_desktop
install_node

if [ -z "${CHAPPE_BIN:-}" ]; then
    say "building the server"
    (cd "$root" && cargo build --quiet --release --package chappe-cli)
    CHAPPE_BIN=${CARGO_TARGET_DIR:-$root/target}/release/chappe
fi
export CHAPPE_BIN

script=run.py
if [ "${1:-}" = --faults ]; then
    shift
    script=faults.py
fi
become "$interop/.venv/bin/python" "$interop/$script" "$@"
