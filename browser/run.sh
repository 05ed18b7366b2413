#!/usr/bin/env bash
# Chromium, and libraries that this repository did not write, against its web logins and its reference: README.md.
#
# Installs what the tests need, builds what they are pointed at unless CHAPPE_BIN, CHAPPE_SITE_BIN,
# CHAPPE_REFERENCE_BIN and CHAPPE_LOGIN_EXAMPLES name it, and runs them: `become` in ../interop/install.sh says where.
# Words pick test files: `browser/run.sh widget`. With CHAPPE_NO_SKIP set it fails where there is no browser.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
. "$root/interop/install.sh"

install_packages "$here" "playwright-core and the libraries"

if [ -z "${CHAPPE_BIN:-}" ] || [ -z "${CHAPPE_SITE_BIN:-}" ] || [ -z "${CHAPPE_REFERENCE_BIN:-}" ] ||
    [ -z "${CHAPPE_LOGIN_EXAMPLES:-}" ]; then
    say "building the server, the example site, the reference and the examples of chappe-login"
    (cd "$root" && cargo build --quiet --release --package chappe-cli --package chappe-site --package chappe-reference &&
        cargo build --quiet --release --package chappe-login --all-features --examples)
    built=${CARGO_TARGET_DIR:-$root/target}/release
    CHAPPE_BIN=${CHAPPE_BIN:-$built/chappe}
    CHAPPE_SITE_BIN=${CHAPPE_SITE_BIN:-$built/chappe-site}
    CHAPPE_REFERENCE_BIN=${CHAPPE_REFERENCE_BIN:-$built/chappe-reference}
    CHAPPE_LOGIN_EXAMPLES=${CHAPPE_LOGIN_EXAMPLES:-$built/examples}
fi
export CHAPPE_BIN CHAPPE_SITE_BIN CHAPPE_REFERENCE_BIN CHAPPE_LOGIN_EXAMPLES

files=()
for file in "$here"/tests/*.test.js; do
    for word in "$@"; do
        [[ ${file##*/} == *"$word"* ]] || continue 2
    done
    files+=("$file")
done
[ ${#files[@]} -gt 0 ] || { say "no test file has the words $* in its name"; exit 2; }

run=(node --require "$interop/guard.js" --test --test-reporter=spec --test-concurrency=3
    --test-timeout=240000 "${files[@]}")
code=0
(become "${run[@]}") || code=$?
why=$(node --input-type=module --eval "import { skip } from '$here/chromium.js'; console.log(skip || '')")
[ -z "$why" ] || {
    say "SKIPPED: all tests in a browser, since $why"
    [ -z "${CHAPPE_NO_SKIP:-}" ] || code=1
}
exit $code
