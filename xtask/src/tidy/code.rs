//! Rules about Rust files: what may be named where, how long a file is, what it starts with.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Report,
    source::{Source, Tree},
};

/// Crates that are functions of their arguments: no clock, no entropy, no socket, no thread.
const PURE: &[&str] = &[
    "crates/chappe-api/",
    "crates/chappe-crypto/",
    "crates/chappe-mtproto/",
    "crates/chappe-schema/",
    "crates/chappe-tl/",
];

/// The parts of other crates under the same rule: the state of the server.
const PURE_PARTS: &[&str] = &[
    "crates/chappe-server/src/log",
    "crates/chappe-server/src/rpc",
    "crates/chappe-server/src/world",
    "crates/chappe/src/updates/gap",
];

const IMPURE: &[&str] = &[
    "Instant::now",
    "SystemTime::now",
    "getrandom",
    "std::env::",
    "std::net::Tcp",
    "std::net::Udp",
    "thread::spawn",
    "tokio::",
];

/// Where bytes meet a socket, and waiting a timer.
const SOCKETS: &[&str] = &[
    "crates/chappe/src/net/",
    // The end of a lease is waited for.
    "crates/chappe/src/session/lease",
    // Leases are renewed in time, by a database of its own library's sockets.
    "crates/chappe/src/session/postgres",
    "crates/chappe-server/src/listener",
    // The pages: their sockets, and how long a browser may take.
    "crates/chappe-server/src/web/",
    // The example site: its door, and its calls to the token endpoint.
    "crates/chappe-site/src/fetch",
    "crates/chappe-site/src/serve",
    // The browser without a window that plays a web login.
    "crates/chappe-cli/src/demo/browser",
    // Whether the login that a person is asked about waits still is looked at in time.
    "crates/chappe-cli/src/demo/guided",
    // The pages of the reference, for a browser of this machine.
    "crates/chappe-cli/src/docs/serve",
    // How long a pager may take to end.
    "crates/chappe-cli/src/docs/pager",
];

const SOCKET_WORDS: &[&str] = &[
    "TcpListener",
    "TcpSocket",
    "TcpStream",
    "UdpSocket",
    "UnixListener",
    "UnixStream",
    "thread::sleep",
    "tokio::net",
    "tokio::time",
];

/// Where a library reads the clock or the entropy of the system; the programs may too.
const CLOCK: &[&str] = &[
    "crates/chappe-cli/",
    // A login's secrets, for callers who bring no entropy of their own.
    "crates/chappe-login/src/oidc/pending",
    "crates/chappe-server/src/builder",
    "crates/chappe-server/src/lib.rs",
    "crates/chappe-server/src/listener",
    "crates/chappe-site/",
    "crates/chappe/src/builder",
    "crates/chappe/src/net/",
    "crates/chappe/src/session/lease",
    "crates/chappe/src/session/postgres",
    "xtask/",
];

const CLOCK_WORDS: &[&str] = &[
    "Instant::now",
    "OsRng",
    "SysRng",
    "SystemTime::now",
    "getrandom::fill",
    "getrandom::u32",
    "getrandom::u64",
];

/// The files of the command, each of which is a module by itself or with a folder.
const COMMAND: &str = "crates/chappe-cli/src/";

/// The one module with unsafe code: AES by hardware, several streams at once.
const UNSAFE: &str = "crates/chappe-crypto/src/aes/ni";

const SOFT_LENGTH: usize = 600;
const HARD_LENGTH: usize = 1000;

/// `pure`: the sans-IO crates name neither clock, entropy, environment, socket nor thread, and
/// the protocol names no API type.
pub(super) fn pure(tree: &Tree, report: &mut Report<'_>) {
    let places = [PURE, PURE_PARTS].concat();
    refuse(tree, report, &|path| within(path, &places), IMPURE, "belongs to a driver");
    let protocol = |path: &str| path.starts_with("crates/chappe-mtproto/");
    refuse(tree, report, &protocol, &["chappe_api"], "the protocol knows no API type");
}

/// `sockets`: sockets and timers live in one folder of the client and two files of the server.
pub(super) fn sockets(tree: &Tree, report: &mut Report<'_>) {
    let elsewhere = |path: &str| !within(path, SOCKETS);
    let message = format!("sockets and timers live in {}", SOCKETS.join(" and "));
    refuse(tree, report, &elsewhere, SOCKET_WORDS, &message);
}

/// `clock`: only drivers and builders read the clock or the system's entropy.
pub(super) fn clock(tree: &Tree, report: &mut Report<'_>) {
    let elsewhere = |path: &str| !within(path, CLOCK);
    refuse(tree, report, &elsewhere, CLOCK_WORDS, "take it as an argument");
}

/// `circles`: the files of the command form layers: none uses one that uses it, by whatever way.
pub(super) fn circles(tree: &Tree, report: &mut Report<'_>) {
    let files = tree.sources().filter_map(|(path, source)| {
        let module = path.strip_prefix(COMMAND)?.split(['/', '.']).next()?;
        Some((module, path, source))
    });
    // What each module uses, and where it does first.
    let mut uses: BTreeMap<&str, BTreeMap<&str, (&str, usize)>> = BTreeMap::new();
    for (module, path, source) in files {
        let used = uses.entry(module).or_default();
        for (line, code) in source.code_lines() {
            let names = code.split("crate::").skip(1);
            let names = names.filter_map(|rest| rest.split(|c| !is_part(c)).next());
            for name in names.filter(|name| *name != module) {
                used.entry(name).or_insert((path, line));
            }
        }
    }
    for (module, used) in &uses {
        for (name, (path, line)) in used {
            let mut reached = BTreeSet::new();
            let mut queue = vec![*name];
            while let Some(next) = queue.pop() {
                if reached.insert(next) {
                    queue.extend(uses.get(next).into_iter().flat_map(BTreeMap::keys));
                }
            }
            if reached.contains(module) {
                report.broken(path, *line, format!("{name} uses {module}, too"));
            }
        }
    }
}

/// Whether a letter may be part of a name.
fn is_part(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// `header`: a file says first what it is; a generated one says by its mark who made it.
pub(super) fn header(tree: &Tree, report: &mut Report<'_>) {
    for (path, source) in hand_written(tree) {
        let first = source.text.lines().find(|line| {
            let line = line.trim_start();
            !line.is_empty()
                && !line.starts_with("#!")
                && (line.starts_with("//!") || !line.starts_with("//"))
        });
        if !first.is_some_and(|line| line.trim_start().starts_with("//!")) {
            report.broken(path, 1, "the file does not start with `//!` and what it is");
        }
    }
}

/// `length`: a file stays short enough to be read at once; tests and generated files are free.
pub(super) fn length(tree: &Tree, report: &mut Report<'_>) {
    for (path, source) in hand_written(tree) {
        let lines = source.code_lines().count();
        if lines > HARD_LENGTH {
            report.broken(path, 0, format!("{lines} lines, the limit is {HARD_LENGTH}"));
        } else if lines > SOFT_LENGTH {
            report.warn(path, 0, format!("{lines} lines, aim at {SOFT_LENGTH}"));
        }
    }
}

/// `exceptions`: a lint is excepted by `#[expect(lint, reason = ..)]`, never by `allow`.
pub(super) fn exceptions(tree: &Tree, report: &mut Report<'_>) {
    for (path, source) in hand_written(tree) {
        for (index, line) in source.code.lines().enumerate() {
            if line.contains("#[allow(") || line.contains("#![allow(") {
                report.broken(path, index + 1, "use #[expect(lint, reason = \"..\")]");
            }
        }
    }
}

/// `unfinished`: nothing is left for later, and nothing but a test may unwrap.
pub(super) fn unfinished(tree: &Tree, report: &mut Report<'_>) {
    const MACROS: &[&str] = &["todo!(", "unimplemented!(", "dbg!("];
    const NOTES: &[&str] = &["TODO", "FIXME", "XXX", "HACK"];
    for (path, source) in hand_written(tree) {
        for (line, code) in source.code_lines() {
            if code.contains(".unwrap()") {
                report.broken(path, line, "`.unwrap()` outside tests");
            }
        }
        for (index, code) in source.code.lines().enumerate() {
            for found in MACROS.iter().filter(|found| has_word(code, found)) {
                report.broken(path, index + 1, format!("`{found})`"));
            }
            if code.contains("#[ignore") {
                report.broken(path, index + 1, "an ignored test");
            }
        }
        for (line, comment) in &source.comments {
            for note in NOTES.iter().filter(|note| has_word(comment, note)) {
                report.broken(path, *line, format!("a {note} comment"));
            }
        }
    }
}

/// `tests`: tests neither sleep nor name a host that is not this machine. On a paused clock a
/// sleep takes no time.
pub(super) fn tests(tree: &Tree, report: &mut Report<'_>) {
    for (path, source) in tree.sources() {
        let mut paused = false;
        for (line, code) in source.test_code_lines() {
            if code.contains("#[test]") || code.contains("#[tokio::test") {
                paused = code.contains("start_paused = true");
            }
            if has_word(code, "sleep(") && !(paused && code.contains("tokio::time::sleep(")) {
                report.broken(path, line, "a test sleeps");
            }
        }
        for (line, string) in source.strings.iter().filter(|(line, _)| source.is_test_line(*line)) {
            if let Some(address) = foreign_address(string) {
                report.broken(path, *line, format!("a test names the address {address}"));
            }
        }
    }
}

/// `unsafe`: unsafe code is in one module; the benchmarks may count allocations.
pub(super) fn unsafe_code(tree: &Tree, report: &mut Report<'_>) {
    for (path, source) in tree.sources().filter(|(path, _)| !within(path, &[UNSAFE, "bench/"])) {
        for (index, code) in source.code.lines().enumerate() {
            if has_word(code, "unsafe") {
                report.broken(path, index + 1, format!("unsafe code lives in {UNSAFE}.rs"));
            }
        }
    }
}

fn refuse(
    tree: &Tree,
    report: &mut Report<'_>,
    applies: &dyn Fn(&str) -> bool,
    words: &[&str],
    message: &str,
) {
    // An example is a program: it may read its arguments and wait for a person.
    let is_example = |path: &str| path.contains("/examples/");
    let applies = |path: &str| applies(path) && !is_example(path);
    for (path, source) in hand_written(tree).filter(|(path, _)| applies(path)) {
        for (line, code) in source.code_lines() {
            for word in words.iter().filter(|word| has_word(code, word)) {
                report.broken(path, line, format!("`{word}`: {message}"));
            }
        }
    }
}

fn hand_written(tree: &Tree) -> impl Iterator<Item = (&str, &Source)> {
    tree.sources().filter(|(_, source)| !source.is_generated)
}

/// Tells whether a path is one of `places`: a folder (`a/`), a file, or a module and its folder.
fn within(path: &str, places: &[&str]) -> bool {
    places.iter().any(|place| {
        path.strip_prefix(place).is_some_and(|rest| {
            place.ends_with('/') || rest.is_empty() || rest == ".rs" || rest.starts_with('/')
        })
    })
}

/// Tells whether `text` has `word` with no word character in front of it, nor behind it if it
/// ends in one.
fn has_word(text: &str, word: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let open = word.ends_with(|c| !is_word(c));
        !text[..at].ends_with(is_word) && (open || !text[at + word.len()..].starts_with(is_word))
    })
}

/// The first address with a port in a literal that is neither loopback, unspecified nor reserved
/// for documentation.
fn foreign_address(string: &str) -> Option<&str> {
    string.split(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ':'))).find(|word| {
        word.parse::<std::net::SocketAddrV4>().is_ok_and(|address| {
            let ip = address.ip();
            !(ip.is_loopback() || ip.is_unspecified() || ip.is_documentation())
        })
    })
}
