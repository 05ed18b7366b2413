#!/usr/bin/env bash
# Random values of every definition of layer 198, read and written again by GramJS's codec.
# Needs `npm ci` in the folder above, which `interop/run.sh` does. Arguments: how many values of
# each definition (4), the seed (1).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
cargo run --quiet --package chappe-schema --example random-values -- \
    --layer 198 --count "${1:-4}" --seed "${2:-1}" | node "$here/check.js"
