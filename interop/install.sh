# What the programs need, beside them, and where they run: sourced by those who run them, ../browser among them.
# Nothing is installed twice.

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
    python3 -c 'import platform, sys
sys.exit(platform.machine() != "x86_64" or sys.version_info[:2] not in ((3, 10), (3, 11)))' || {
        say "opentele is built for Python 3.10 and 3.11 on x86-64 alone: its row is left out"
        rm -rf "$desktop"
        return
    }
    cmp -s "$interop/requirements-opentele.txt" "$desktop/installed.txt" && return
    say "installing opentele"
    rm -rf "$desktop"
    python3 -m venv "$desktop"
    "$desktop/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
        --only-binary :all: --no-binary pyaes --requirement "$interop/requirements-opentele.txt"
    cp "$interop/requirements-opentele.txt" "$desktop/installed.txt"
}

# GramJS, teleproto, mtcute, TypeScript and prettier, in `$interop/node_modules`.
install_node() {
    install_packages "$interop" "GramJS, teleproto and mtcute"
}

# What the package.json of a folder names, in its `node_modules`.
install_packages() {
    cmp -s "$1/package-lock.json" "$1/node_modules/installed.json" && return
    say "installing $2"
    # Of its many words only those about errors: silent, it would fail without a reason.
    (cd "$1" && npm ci --loglevel=error --no-audit --no-fund >/dev/null)
    cp "$1/package-lock.json" "$1/node_modules/installed.json"
}

# Becomes a command in a network namespace with nothing but the loopback interface, where the kernel grants one. It
# lives as long as the command in it. Without root a user namespace may still do.
become() {
    if unshare --net true 2>/dev/null; then
        exec unshare --net python3 "$interop/alone.py" "$@"
    elif unshare --map-root-user --net true 2>/dev/null; then
        exec unshare --map-root-user --net python3 "$interop/alone.py" "$@"
    fi
    say "no network namespace here: guards and the programs' own settings keep them on loopback"
    exec "$@"
}
