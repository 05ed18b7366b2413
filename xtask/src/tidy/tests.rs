//! Each rule meets a tree that breaks it and one that does not; then this repository.

use std::path::Path;

use super::{Severity, check, papers::PROOFS, source::Tree};

fn tree(files: &[(&str, &str)]) -> Tree {
    Tree::new(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
}

/// Files and lines where one rule is broken.
fn broken(rule: &str, files: &[(&str, &str)]) -> Vec<String> {
    let findings = check(&tree(files)).into_iter();
    let of_rule = findings.filter(|finding| finding.rule == rule);
    of_rule
        .filter(|finding| finding.severity == Severity::Broken)
        .map(|finding| format!("{}:{}", finding.file, finding.line))
        .collect()
}

#[test]
fn this_repository_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let findings = check(&Tree::load(root).unwrap());
    let broken: Vec<String> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Broken)
        .map(ToString::to_string)
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn tokens_in_comments_literals_and_tests_are_no_code() {
    let text = r####"//! x
// TcpStream
/* TcpStream /* TcpStream */ TcpStream */
const A: &str = "TcpStream \" TcpStream";
const B: &str = r#"TcpStream " TcpStream"#;
const C: char = '"';
fn f<'a>(_: &'a TcpStream) {}
#[cfg(test)]
mod tests {
    fn g(_: TcpStream) {}
}
fn h(_: TcpStream) {}
"####;
    let found = broken("sockets", &[("crates/chappe/src/lib.rs", text)]);
    assert_eq!(found, ["crates/chappe/src/lib.rs:7", "crates/chappe/src/lib.rs:12"]);
}

#[test]
fn a_module_declared_for_tests_is_a_test() {
    let found = broken(
        "unfinished",
        &[
            ("crates/chappe/src/lib.rs", "//! x\n#[cfg(test)]\nmod stories;\nmod other;\n"),
            ("crates/chappe/src/stories.rs", "//! x\nfn f() { g().unwrap() }\n"),
            ("crates/chappe/src/stories/more.rs", "//! x\nfn f() { g().unwrap() }\n"),
            ("crates/chappe/src/other.rs", "//! x\nfn f() { g().unwrap() }\n"),
        ],
    );
    assert_eq!(found, ["crates/chappe/src/other.rs:2"]);
}

#[test]
fn sockets_and_timers_have_two_homes() {
    let text = "//! x\nuse tokio::time::sleep;\n";
    let found = broken(
        "sockets",
        &[
            ("crates/chappe/src/invoke.rs", text),
            ("crates/chappe/src/net/driver.rs", text),
            ("crates/chappe-server/src/listener.rs", text),
            ("crates/chappe-server/src/listeners.rs", text),
        ],
    );
    assert_eq!(found, ["crates/chappe-server/src/listeners.rs:2", "crates/chappe/src/invoke.rs:2"]);
}

#[test]
fn the_core_is_pure() {
    let text = "//! x\nuse chappe_api::types;\nfn f() { std::time::Instant::now(); }\n";
    let found = broken(
        "pure",
        &[
            ("crates/chappe-mtproto/src/lib.rs", text),
            ("crates/chappe-server/src/world/rows.rs", text),
            ("crates/chappe-server/src/rpc.rs", "//! x\nuse chappe_api::types;\n"),
            ("crates/chappe-mtproto/examples/talk.rs", text),
            ("crates/chappe/src/net/driver.rs", text),
        ],
    );
    assert_eq!(
        found,
        [
            "crates/chappe-mtproto/src/lib.rs:2",
            "crates/chappe-mtproto/src/lib.rs:3",
            "crates/chappe-server/src/world/rows.rs:3"
        ]
    );
}

#[test]
fn the_files_of_the_command_form_layers() {
    let found = broken(
        "circles",
        &[
            ("crates/chappe-cli/src/args.rs", "//! x\nuse crate::docs;\n"),
            ("crates/chappe-cli/src/args/web.rs", "//! x\nuse crate::output::Failure;\n"),
            (
                "crates/chappe-cli/src/docs/name.rs",
                "//! x\n//! crate::args\nuse crate::keep::Keep;\n",
            ),
            ("crates/chappe-cli/src/keep.rs", "//! x\nfn f() { crate::args::read(); }\n"),
            ("crates/chappe-cli/src/main.rs", "//! x\nuse crate::args::Cli;\n"),
            ("crates/chappe-cli/src/output.rs", "//! x\nuse crate::output::Output;\n"),
            ("crates/chappe/src/a.rs", "//! x\nuse crate::b;\n"),
            ("crates/chappe/src/b.rs", "//! x\nuse crate::a;\n"),
        ],
    );
    assert_eq!(
        found,
        [
            "crates/chappe-cli/src/args.rs:2",
            "crates/chappe-cli/src/docs/name.rs:3",
            "crates/chappe-cli/src/keep.rs:2"
        ]
    );
}

#[test]
fn the_clock_is_an_argument() {
    let text = "//! x\nfn f() { std::time::SystemTime::now(); }\n";
    let found = broken(
        "clock",
        &[("crates/chappe/src/invoke.rs", text), ("crates/chappe/src/builder.rs", text)],
    );
    assert_eq!(found, ["crates/chappe/src/invoke.rs:2"]);
}

#[test]
fn a_file_says_what_it_is() {
    let found = broken(
        "header",
        &[
            ("crates/a/src/a.rs", "// @generated\n\n//! The types.\n"),
            ("crates/a/src/b.rs", "use std::fmt;\n"),
            ("crates/a/src/c.rs", "#![no_main]\n//! A target.\n"),
            ("crates/a/src/d.rs", ""),
            ("crates/a/tests/table.rs", "// @generated by `cargo xtask codegen`; do not edit.\n"),
        ],
    );
    assert_eq!(found, ["crates/a/src/b.rs:1", "crates/a/src/d.rs:1"]);
}

#[test]
fn a_long_file_is_broken_and_a_longer_one_warned_of() {
    let lines = |count: usize| format!("//! x\n{}", "fn f() {}\n".repeat(count));
    let tests = format!("//! x\n#[cfg(test)]\nmod tests {{\n{}}}\n", "fn f() {}\n".repeat(2000));
    let generated = format!("// @generated\n{}", lines(2000));
    let files = [
        ("a/long.rs", lines(1001)),
        ("a/warned.rs", lines(700)),
        ("a/tested.rs", tests),
        ("a/generated.rs", generated),
        ("a/tests/story.rs", lines(2000)),
    ];
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    assert_eq!(broken("length", &files), ["a/long.rs:0"]);
    let warnings = check(&tree(&files));
    let warned = warnings.iter().filter(|finding| finding.severity == Severity::Warning);
    assert_eq!(warned.map(|finding| finding.file.as_str()).collect::<Vec<_>>(), ["a/warned.rs"]);
}

#[test]
fn nothing_is_left_for_later() {
    let text = concat!(
        "//! x\n",
        "// TO",
        "DO: this\n",
        "fn f() { todo!() }\n",
        "#[ignore]\n",
        "#[allow(dead_code)]\n",
        "fn g() { h().unwrap(); i().unwrap_or(1); }\n",
    );
    let files = [("crates/a/src/a.rs", text)];
    let at = |line: usize| format!("crates/a/src/a.rs:{line}");
    assert_eq!(broken("unfinished", &files), [at(2), at(3), at(4), at(6)]);
    assert_eq!(broken("exceptions", &files), [at(5)]);
}

#[test]
fn unsafe_code_has_one_home() {
    let text = "//! x\n#![expect(unsafe_code)]\nfn f() { unsafe { g() } }\n";
    let found = broken(
        "unsafe",
        &[("crates/chappe-crypto/src/aes/ni.rs", text), ("crates/chappe-crypto/src/aes.rs", text)],
    );
    assert_eq!(found, ["crates/chappe-crypto/src/aes.rs:3"]);
}

#[test]
fn tests_neither_sleep_nor_leave_this_machine() {
    let text = "//! x\nfn f() { sleep(d); }\nconst A: &str = \"HOST.167.50:443\";\n\
                const B: &str = \"127.0.0.1:1 0.0.0.0:0 203.0.113.9:1 HOST.167.50\";\n";
    let text = text.replace("HOST", "149.154");
    let found = broken("tests", &[("crates/a/tests/a.rs", &text)]);
    assert_eq!(found, ["crates/a/tests/a.rs:2", "crates/a/tests/a.rs:3"]);

    let paused = "//! x\n#[tokio::test(start_paused = true)]\nasync fn a() {\n\
                  tokio::time::sleep(D).await;\nthread::sleep(D);\n}\n#[tokio::test]\n\
                  async fn b() {\ntokio::time::sleep(D).await;\n}\n";
    let found = broken("tests", &[("crates/a/tests/a.rs", paused)]);
    assert_eq!(found, ["crates/a/tests/a.rs:5", "crates/a/tests/a.rs:9"]);
}

fn manifest(name: &str, rest: &str) -> String {
    format!("[package]\nname = \"{name}\"\n[lints]\nworkspace = true\n{rest}")
}

#[test]
fn a_crate_depends_on_lower_ones() {
    let tl = manifest("chappe-tl", "[dependencies]\nchappe-api.workspace = true\n");
    let api =
        manifest("chappe-api", "[target.'cfg(unix)'.dependencies]\nchappe-tl.path = \"..\"\n");
    let server = manifest("chappe-server", "[dev-dependencies]\nchappe.workspace = true\n");
    let client = manifest("chappe", "[dev-dependencies]\nchappe-server.workspace = true\n");
    let found = broken(
        "layers",
        &[
            ("crates/chappe-tl/Cargo.toml", &tl),
            ("crates/chappe-api/Cargo.toml", &api),
            ("crates/chappe-server/Cargo.toml", &server),
            ("crates/chappe/Cargo.toml", &client),
            ("crates/other/Cargo.toml", &manifest("other", "")),
        ],
    );
    assert_eq!(
        found,
        [
            "crates/chappe-server/Cargo.toml:0",
            "crates/chappe-tl/Cargo.toml:0",
            "crates/other/Cargo.toml:0"
        ]
    );
}

#[test]
fn the_core_reaches_no_runtime_and_nobody_a_banned_crate() {
    let lock = "[[package]]\nname = \"middle\"\ndependencies = [\"tokio 1.0.0\"]\n\
                [[package]]\nname = \"tokio\"\n[[package]]\nname = \"openssl\"\n";
    let core = manifest("chappe-mtproto", "[dependencies]\nmiddle = \"1\"\n");
    let client = manifest("chappe", "[dependencies]\nmiddle = \"1\"\n");
    let found = broken(
        "bans",
        &[
            ("Cargo.lock", lock),
            ("crates/chappe-mtproto/Cargo.toml", &core),
            ("crates/chappe/Cargo.toml", &client),
        ],
    );
    assert_eq!(found, ["Cargo.lock:0", "crates/chappe-mtproto/Cargo.toml:0"]);
}

#[test]
fn every_dependency_has_its_reason() {
    let crate_ = manifest(
        "chappe-tl",
        "[dependencies]\nbytes = \"1\"\nthiserror = \"2\"\n[dev-dependencies]\ninsta = \"1\"\n",
    );
    let path = "crates/chappe-tl/Cargo.toml";
    let with = |reasons: &str| {
        broken("deps", &[(path, crate_.as_str()), ("crates/chappe-tl/DEPS.md", reasons)])
    };
    let good = "# Why\n\n- bytes: shared slices; std has none; tokio keeps it\n- `thiserror`: x\n\
                - insta (tests): y\n";
    assert!(with(good).is_empty());
    assert_eq!(with(&good.replace(": x", ":")), ["crates/chappe-tl/DEPS.md:4"]);
    assert_eq!(with(&good.replace("bytes", "bites")).len(), 2);
    assert_eq!(broken("deps", &[(path, crate_.as_str())]), ["crates/chappe-tl/DEPS.md:0"]);
}

#[test]
fn every_crate_takes_the_lints() {
    let path = "crates/chappe-tl/Cargo.toml";
    let with = |lints: &str| {
        let root = "[workspace.lints.rust]\nunsafe_code = \"forbid\"\n";
        let crate_ = format!("[package]\nname = \"chappe-tl\"\n{lints}");
        broken("lints", &[("Cargo.toml", root), (path, &crate_)])
    };
    assert_eq!(with(""), [format!("{path}:0")]);
    assert!(with("[lints]\nworkspace = true\n").is_empty());
    assert!(with("[lints.rust]\nunsafe_code = \"forbid\"\nother = \"warn\"\n").is_empty());
    assert_eq!(with("[lints.rust]\nunsafe_code = \"deny\"\n"), [format!("{path}:0")]);
}

#[test]
fn an_invariant_names_what_enforces_it() {
    let code = "//! x\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn errors_stick() {}\n}\n";
    let with = |text: &str| {
        broken(
            "architecture",
            &[
                ("ARCHITECTURE.md", text),
                ("crates/a/src/a.rs", code),
                ("Cargo.toml", "[workspace.lints.rust]\nunsafe_code = \"forbid\"\n"),
            ],
        )
    };
    let good = "# House\n\n- **Invariant 1.** Errors stick.\n  Enforced by `a::tests::errors_stick`,\n\
                `unsafe_code` and `sockets`.\n- Another.\n";
    assert!(with(good).is_empty());
    assert_eq!(with(&good.replace("errors_stick", "errors_go")), ["ARCHITECTURE.md:3"]);
    assert_eq!(with(&good.replace("Enforced by", "See")), ["ARCHITECTURE.md:3"]);
    assert_eq!(with(&"x\n".repeat(201)), ["ARCHITECTURE.md:0"]);
}

#[test]
fn no_file_names_a_path_of_a_machine() {
    let files = [
        ("a.md", concat!("see /ho", "me/ada/notes and /tm", "p/x")),
        ("b.md", "https://example.org/home/page, $TMPDIR/x, src/work/mod.rs, /tmp/"),
    ];
    assert_eq!(broken("paths", &files), ["a.md:1"]);
}

#[test]
fn a_stale_mutation_is_found() {
    let list = |find: &str, more: &str| {
        format!(
            "[[mutation]]\nname = \"a\"\nfile = \"a.rs\"\nfind = \"{find}\"\nreplace = \"\"\n\
             package = \"a\"\n{more}"
        )
    };
    let with = |list: &str| {
        let tests = "//! x\nmod tests {\n    #[test]\n    fn a_good_one() {}\n}\n";
        let files = [
            ("a.rs", "//! x\nfn f() {}\n"),
            ("crates/a/src/lib.rs", tests),
            ("crates/a/tests/story.rs", "//! x\n#[test]\nfn another() {}\n"),
            ("xtask/mutations.toml", list),
        ];
        broken("mutations", &files)
    };
    assert!(with(&list("fn f", "")).is_empty());
    assert_eq!(with(&list("fn g", "")), ["a.rs:0"]);
    assert_eq!(with(&list("fn f", "color = 1")), ["xtask/mutations.toml:0"]);
    assert_eq!(with(&list("fn f", "target = \"stories\"")), ["xtask/mutations.toml:0"]);
    assert_eq!(with(&list("fn f", &list("fn f", ""))), ["xtask/mutations.toml:0"]);
    // The tests to begin with are there, in the place that is named.
    for good in ["tests = \"tests::a_good\"", "target = \"story\"\ntests = \"anoth\""] {
        assert!(with(&list("fn f", good)).is_empty(), "{good}");
    }
    for bad in ["tests = \"another\"", "target = \"story\"\ntests = \"a_good\"", "tests = \"gone\""]
    {
        assert_eq!(with(&list("fn f", bad)), ["xtask/mutations.toml:0"], "{bad}");
    }
}

#[test]
fn a_table_of_proofs_names_what_exists() {
    let source = "//! x\n#[test]\nfn a_good_one() {}\nfn a_helper() {}\n\
                  #[tokio::test(start_paused = true)]\nasync fn another() {}\n";
    let row = |number: usize| format!("| {number} | claim | `a/src/lib.rs` | `a_good_one` |\n");
    let last = PROOFS[0].1;
    let rows: String = (6..=last).map(row).collect();
    let table = |first: &str| {
        format!("# x\n| # | Item | Where | Shown by |\n|---|---|---|---|\n{first}{rows}")
    };
    let good = "| 1 | claim | `a/src/lib.rs` | `another`, `story::a_good_one` |\n\
                | 2 | claim | not here | the issue that brings it |\n\
                | 3 | claim | `word` | `a_good_one` |\n\
                | 4 | claim | `word` | `a_good_one` |\n\
                | 5 | claim | `word` | `a_good_one` |\n";
    let bad = "| 1 | claim | `a/src/gone.rs` | `a_helper` |\n\
               | 2 | claim | not here | some day |\n\
               | 3 | claim | `word` | `lib::a_good_one` |\n\
               | 5 | claim | `word` | `a_good_one` |\n";
    let found = |table: String| {
        let files = [
            ("SECURITY.md", table.as_str()),
            ("a/src/lib.rs", "//! x\n"),
            ("a/tests/story.rs", source),
        ];
        let mut found = broken("proofs", &files);
        found.retain(|finding| finding.starts_with("SECURITY"));
        found
    };
    assert_eq!(found(table(good)), Vec::<String>::new());
    let lines =
        ["SECURITY.md:4", "SECURITY.md:4", "SECURITY.md:5", "SECURITY.md:6", "SECURITY.md:7"];
    assert_eq!(found(table(bad)), lines);
    let short = table(good).replace(&row(last), "");
    assert_eq!(found(short), ["SECURITY.md:0"]);
    assert_eq!(broken("proofs", &[]), ["SECURITY.md:0", "crates/chappe-mtproto/RECOVERY.md:0"]);
}
