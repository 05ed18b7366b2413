#!/usr/bin/env bash
# Runs the examples of all methods that the local Telegram implements, in five languages, each on a stage of its
# own, and compares what they are answered with what was recorded: answers.py.
#
# Words pick languages and methods: `answers.sh python auth.signIn`. It runs in a network namespace with nothing
# but the loopback interface, where the kernel grants one.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../install.sh"
root=$(dirname "$interop")
cd "$root"
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never} CARGO_PROFILE_DEV_DEBUG=${CARGO_PROFILE_DEV_DEBUG:-0}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}

install_python
install_node

cargo build --quiet --package chappe-cli --package chappe-reference
# Cargo names the program of a test after its content, so it is asked where that is.
CHAPPE_STAGE_BIN=$(cargo test --quiet --package chappe-reference --test stage --no-run --message-format json |
    sed -n 's/.*"executable":"\([^"]*\/stage-[^"]*\)".*/\1/p')
python=("$interop/.venv/bin/python" "$here/answers.py")
examples=$CARGO_TARGET_DIR/answers
mapfile -t methods < <("${python[@]}" --list)
rm -rf "$examples"/{cli,javascript,python,rust,typescript}
"$CARGO_TARGET_DIR/debug/chappe-reference" examples "$examples" "${methods[@]}"
(cd "$examples/rust" && cargo build --quiet --offline --features chappe/answers)
CHAPPE_BIN=$CARGO_TARGET_DIR/debug/chappe
CHAPPE_EXAMPLES_BIN=$CARGO_TARGET_DIR/debug/chappe-examples
export CHAPPE_BIN CHAPPE_EXAMPLES_BIN CHAPPE_STAGE_BIN

# A namespace lives as long as the command in it. Without root a user namespace may still do.
if unshare --net true 2>/dev/null; then
    exec unshare --net "${python[@]}" --alone "$examples" "$@"
elif unshare --map-root-user --net true 2>/dev/null; then
    exec unshare --map-root-user --net "${python[@]}" --alone "$examples" "$@"
fi
say "no network namespace here: guards keep the programs on loopback"
exec "${python[@]}" "$examples" "$@"
