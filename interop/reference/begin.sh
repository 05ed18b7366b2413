# How the checks of the examples begin: sourced by them. Leaves `here`, and the command, the reference and the stage
# built, as the tests of the workspace build them, so that nothing is built a second time for these.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../install.sh"
cd "$interop/.."
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never} CARGO_PROFILE_DEV_DEBUG=${CARGO_PROFILE_DEV_DEBUG:-0}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}

install_python
install_node
cargo build --quiet --workspace --bins --examples
