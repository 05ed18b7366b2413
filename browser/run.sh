#!/usr/bin/env bash
# Browsers, and libraries that this repository did not write, against its web logins and its reference: README.md.
#
# Installs what the tests need, builds what they are pointed at unless CHAPPE_BIN, CHAPPE_SITE_BIN,
# CHAPPE_REFERENCE_BIN and CHAPPE_LOGIN_EXAMPLES name it, and runs them: `become` in ../interop/install.sh says where.
# All of them run in Chromium, then those in Firefox that a second engine may see differently. Words pick test files,
# and with CHAPPE_BROWSER set to `chromium` or `firefox` all of these run, in that browser alone:
# `CHAPPE_BROWSER=firefox browser/run.sh widget`. With CHAPPE_NO_SKIP set it fails where a browser is not there.
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

code=0
# Runs the test files in a browser; options of the runner may follow.
run_in() {
    export CHAPPE_BROWSER=$1
    local why
    why=$(node --input-type=module --eval "import { skip } from '$here/engine.js'; console.log(skip || '')")
    [ -z "$why" ] || {
        say "SKIPPED: all tests in ${CHAPPE_BROWSER^}, since $why"
        [ -z "${CHAPPE_NO_SKIP:-}" ] || code=1
        [ "$#" -eq 1 ] || return 0
    }
    (become node --require "$interop/guard.js" --test --test-reporter=spec --test-concurrency=3 \
        --test-timeout=600000 "${@:2}" "${files[@]}") || code=$?
}

if [ -n "${CHAPPE_BROWSER:-}" ]; then
    run_in "$CHAPPE_BROWSER"
    exit $code
fi
run_in chromium

# Where engines differ: windows and what they tell each other, frames, cookies, the focus, files, colours.
second=(
    "A profile complains of"
    "A person logs in by the callback, approves in the dashboard, and ends it"
    "A person logs in, picks the right picture in the dashboard, and ends it"
    "The JavaScript library logs in by a window, and its token is for this page"
    "A window that is closed is told to the page"
    "What has the focus keeps it, for all to see, when there are news"
    "No page can be put into a frame of another site"
    "A button copies the code, by keyboard, too"
    "Light and dark are switched by keyboard, and remembered"
    "The search finds names in every spelling, from files and by keyboard alone"
    "On paper a page is its content"
)
names=()
picked=()
for file in "${files[@]}"; do
    before=${#names[@]}
    for name in "${second[@]}"; do
        grep -qF "\"$name\"" "$file" && names+=("--test-name-pattern=^$name\$")
    done
    [ "${#names[@]}" -eq "$before" ] || picked+=("$file")
done
[ $# -gt 0 ] || [ ${#names[@]} -eq ${#second[@]} ] || { say "a test that Firefox has to run is not there, or twice"; exit 1; }
[ ${#picked[@]} -eq 0 ] || {
    say "once more in Firefox: ${#names[@]} tests"
    files=("${picked[@]}")
    run_in firefox "${names[@]}"
}
exit $code
