# What the programs need, beside them: sourced by those who run them. Nothing is done twice.

# `interop`, whoever sources this.
interop=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { printf '%s\n' "$*" >&2; }

# Telethon and kurigram, in `$interop/.venv`.
install_python() {
    local venv=$interop/.venv
    cmp -s "$interop/requirements.txt" "$venv/installed.txt" && return
    say "installing Telethon and kurigram"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
        --requirement "$interop/requirements.txt"
    cp "$interop/requirements.txt" "$venv/installed.txt"
}

# opentele, beside the others: its cryptography is built for few machines, and would be kurigram's, too.
install_desktop() {
    local desktop=$interop/.venv-opentele
    cmp -s "$interop/requirements-opentele.txt" "$desktop/installed.txt" && return
    say "installing opentele"
    rm -rf "$desktop"
    python3 -m venv "$desktop"
    if "$desktop/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
        --only-binary :all: --no-binary pyaes --requirement "$interop/requirements-opentele.txt"; then
        cp "$interop/requirements-opentele.txt" "$desktop/installed.txt"
    else
        say "opentele is not built for this machine: its row is left out"
        rm -rf "$desktop"
    fi
}

# GramJS, teleproto, mtcute, TypeScript and prettier, in `$interop/node_modules`.
install_node() {
    cmp -s "$interop/package-lock.json" "$interop/node_modules/installed.json" && return
    say "installing GramJS, teleproto and mtcute"
    (cd "$interop" && npm ci --silent)
    cp "$interop/package-lock.json" "$interop/node_modules/installed.json"
}
