#!/usr/bin/env bash
# Checks every example of the method reference: each of the 850 calls in five languages, as far as there
# are packages that have it.
#
# Rust: all programs compile and are laid out as rustfmt would. JavaScript and TypeScript: they run up to
# their call, and the TypeScript compiler has nothing to say. Python: they run up to their call. Command
# line: `chappe call --dry-run` takes them, in a real shell. In all five the bytes of the request are those
# that the schema gives it. What needs a server is another script's: see README.md of the folder above.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/begin.sh"

examples=$CARGO_TARGET_DIR/examples
rm -rf "$examples"/{cli,javascript,python,typescript}
"$CARGO_TARGET_DIR/debug/chappe-reference" examples "$examples"

failed=()
check() {
    local started=$SECONDS what=$1
    shift
    "$@" || failed+=("$what")
    printf '%-12s %4d s\n' "$what" $((SECONDS - started))
}

rust() (
    cd "$examples/rust"
    rustfmt --edition 2024 --config-path . --check src/main.rs >"$examples/rustfmt.txt" || {
        head -n 40 "$examples/rustfmt.txt"
        return 1
    }
    cargo test --quiet --offline
)

# One shell takes many examples, with its own function in front of the command.
cli() {
    local answers=$examples/answers
    rm -rf "$answers"
    mkdir -p "$answers"
    export answers CHAPPE_BIN=$CARGO_TARGET_DIR/debug/chappe
    # shellcheck disable=SC2016  # The inner shell expands it.
    printf '%s\0' "$examples"/cli/*.sh | HOME=$answers xargs -0 -P "$(nproc)" -n 100 bash -c '
        chappe() { "$CHAPPE_BIN" "$@" --dry-run --json; }
        for file; do . "$file" || echo "{\"failed\": \"$file\"}"; done >"$answers/$$.jsonl"
    ' _
    python3 - "$examples" <<'PYTHON'
import json, pathlib, sys

examples = pathlib.Path(sys.argv[1])
lines = lambda path: map(json.loads, path.read_text().splitlines())
ours = {line["method"]: line["hex"] for line in lines(examples / "requests.jsonl")}
answers = [line for path in (examples / "answers").glob("*.jsonl") for line in lines(path)]
theirs = {line["method"]: line["bytes"] for line in answers if "method" in line}
wrong = [line["failed"] for line in answers if "failed" in line]
wrong += [method for method in ours if ours[method] != theirs.get(method)]
for method in wrong:
    print(f"cli {method}\n  ours   {ours.get(method)}\n  theirs {theirs.get(method)}")
    print((examples / "cli" / f"{method}.sh").read_text() if method in ours else "")
print(f"cli: {len(theirs)} commands ran")
sys.exit(bool(wrong) or len(theirs) != len(ours))
PYTHON
}

check rust rust
check cli cli
check python "$interop/.venv/bin/python" "$here/check.py" "$examples"
check javascript node "$here/check.js" "$examples"
[ ${#failed[@]} -eq 0 ] || { printf 'failed: %s\n' "${failed[*]}"; exit 1; }
