#!/usr/bin/env bash
# Runs every fuzz target for a number of seconds each: `fuzz/run.sh 30 [TARGET..]`.
# Ends with 1 if one of them found something; what it found is then in fuzz/artifacts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

seconds=${1:?usage: fuzz/run.sh SECONDS [TARGET..]}
shift
command -v cargo-fuzz >/dev/null || cargo install --quiet --locked cargo-fuzz

# No sanitizer: there is no unsafe code to sanitize, and the stable toolchain has none. The
# targets look for panics, overflows, endless loops and too much memory.
cargo fuzz build --sanitizer none

targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cargo fuzz list)
failed=()
for target in "${targets[@]}"; do
    mkdir -p "corpus/$target"
    log=$(mktemp)
    result=ok
    cargo fuzz run --sanitizer none "$target" "corpus/$target" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 -len_control=10 \
        -print_final_stats=1 >"$log" 2>&1 || result=FOUND
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    printf '%-18s %-6s %10s runs\n' "$target" "$result" "${runs:-0}"
    if [ "$result" != ok ]; then
        failed+=("$target")
        grep -A 2 'panicked at' "$log" || true
        tail -n 40 "$log" | sed '/^Stack backtrace/,$d'
    fi
    rm -f "$log"
done
[ ${#failed[@]} -eq 0 ] || { echo "findings: ${failed[*]}"; exit 1; }
