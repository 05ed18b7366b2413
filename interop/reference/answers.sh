#!/usr/bin/env bash
# Runs the examples of all methods that the local Telegram implements, in five languages, each on a stage of its
# own, and compares what they are answered with what was recorded: answers.py.
#
# Words pick languages and methods: `answers.sh python auth.signIn`.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/begin.sh"

# Cargo names the program of a test after its content, so it is asked where that is.
CHAPPE_STAGE_BIN=$(cargo test --quiet --workspace --test stage --no-run --message-format json |
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

become "${python[@]}" "$examples" "$@"
