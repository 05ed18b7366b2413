//! Rules about manifests: which crate may depend on which, and why on anything.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::{Report, source::Tree};

/// The crates of this house, what each may be built on, and what its tests may add.
const LAYERS: &[(&str, &[&str], &[&str])] = &[
    ("chappe-tl", &[], &[]),
    ("chappe-crypto", &[], &[]),
    ("chappe-login", &[], &[]),
    ("chappe-api", &["chappe-tl"], &["chappe-schema"]),
    ("chappe-schema", &["chappe-tl"], &["chappe-api"]),
    ("chappe-mtproto", &["chappe-crypto", "chappe-tl"], &[]),
    (
        "chappe-reference",
        &["chappe-schema"],
        &["chappe", "chappe-api", "chappe-crypto", "chappe-mtproto", "chappe-server", "chappe-tl"],
    ),
    ("chappe", &["chappe-api", "chappe-crypto", "chappe-mtproto", "chappe-tl"], &["chappe-server"]),
    (
        "chappe-server",
        &["chappe-api", "chappe-crypto", "chappe-mtproto", "chappe-schema", "chappe-tl"],
        &["chappe-login"],
    ),
    ("chappe-site", &["chappe-login"], &["chappe-server"]),
    (
        "chappe-cli",
        &[
            "chappe",
            "chappe-login",
            "chappe-reference",
            "chappe-schema",
            "chappe-server",
            "chappe-site",
        ],
        &[],
    ),
    ("xtask", &["chappe-schema"], &[]),
];

/// Crates that no part of the product may pull in, however far away.
const BANNED: &[&str] =
    &["anyhow", "native-tls", "openssl", "openssl-sys", "rand_os", "rsa", "sqlx"];

/// Crates that bring a runtime, a clock or the system's entropy.
const IMPURE: &[&str] = &["async-std", "getrandom", "mio", "rusqlite", "smol", "socket2", "tokio"];

/// The crates that are functions of their arguments.
const PURE: &[&str] =
    &["chappe-api", "chappe-crypto", "chappe-mtproto", "chappe-schema", "chappe-tl"];

/// `layers`: a crate depends on crates below it only.
pub(super) fn layers(tree: &Tree, report: &mut Report<'_>) {
    let manifests = manifests(tree);
    let own: BTreeSet<&str> = manifests.iter().map(|manifest| manifest.name.as_str()).collect();
    for manifest in &manifests {
        let Some((_, below, for_tests)) = LAYERS.iter().find(|(name, ..)| *name == manifest.name)
        else {
            report.broken(&manifest.path, 0, "a crate without a line in the table of layers");
            continue;
        };
        for name in manifest.product.iter().filter(|name| own.contains(name.as_str())) {
            if !below.contains(&name.as_str()) {
                let message = format!("{} may not depend on {name}", manifest.name);
                report.broken(&manifest.path, 0, message);
            }
        }
        for name in manifest.tests.iter().filter(|name| own.contains(name.as_str())) {
            // A crate may name itself, to turn on a feature for its tests.
            let known = below.contains(&name.as_str()) || for_tests.contains(&name.as_str());
            if !known && *name != manifest.name {
                let message = format!("tests of {} may not depend on {name}", manifest.name);
                report.broken(&manifest.path, 0, message);
            }
        }
    }
}

/// `bans`: nothing banned is in the lock file, and the sans-IO crates reach no runtime.
pub(super) fn bans(tree: &Tree, report: &mut Report<'_>) {
    const LOCK: &str = "Cargo.lock";
    let Some(lock) = parse(tree, LOCK, report) else { return };
    let mut graph: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in lock.get("package").and_then(Value::as_array).into_iter().flatten() {
        let Some(name) = package.get("name").and_then(Value::as_str) else { continue };
        let needs = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
        let needs = needs.filter_map(Value::as_str).filter_map(|need| need.split(' ').next());
        graph.entry(name).or_default().extend(needs);
    }
    for banned in BANNED.iter().filter(|banned| graph.contains_key(**banned)) {
        report.broken(LOCK, 0, format!("{banned} is banned from this house"));
    }
    for manifest in manifests(tree).iter().filter(|found| PURE.contains(&found.name.as_str())) {
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        let mut queue: Vec<&str> = manifest.product.iter().map(String::as_str).collect();
        while let Some(name) = queue.pop() {
            // What the lock file says of an own crate includes its tests.
            if reached.insert(name) && !LAYERS.iter().any(|(own, ..)| *own == name) {
                queue.extend(graph.get(name).into_iter().flatten());
            }
        }
        for impure in IMPURE.iter().filter(|impure| reached.contains(**impure)) {
            let message = format!("{} is sans-IO and may not reach {impure}", manifest.name);
            report.broken(&manifest.path, 0, message);
        }
    }
}

/// `deps`: DEPS.md of a crate justifies each of its direct dependencies and nothing else.
pub(super) fn deps(tree: &Tree, report: &mut Report<'_>) {
    let manifests = manifests(tree);
    let own: BTreeSet<String> = manifests.iter().map(|manifest| manifest.name.clone()).collect();
    for manifest in &manifests {
        let path = manifest.path.replace("Cargo.toml", "DEPS.md");
        let Some(text) = tree.text(&path) else {
            report.broken(
                &path,
                0,
                "missing: one line `- name: what for; why not std; who keeps it`",
            );
            continue;
        };
        let mut listed = BTreeSet::new();
        for (index, line) in text.lines().enumerate() {
            let Some(item) = line.strip_prefix("- ") else { continue };
            let (name, reason) = item.split_once(':').unwrap_or((item, ""));
            let name = name.trim_matches(['`', '*', ' ']);
            let name = name.split(['`', ' ']).next().unwrap_or(name).to_owned();
            if reason.trim().is_empty() {
                report.broken(&path, index + 1, format!("{name} has no reason"));
            }
            if !manifest.product.contains(&name) && !manifest.tests.contains(&name) {
                report.broken(&path, index + 1, format!("{name} is no dependency"));
            }
            listed.insert(name);
        }
        for name in manifest.product.difference(&own).filter(|name| !listed.contains(*name)) {
            report.broken(&path, 0, format!("{name} is not justified"));
        }
    }
}

/// `lints`: every crate takes the lints of the workspace: the table itself, or one of its own
/// with the same lines and more.
pub(super) fn lints(tree: &Tree, report: &mut Report<'_>) {
    let Some(workspace) = parse(tree, "Cargo.toml", report) else { return };
    let wanted = workspace.get("workspace").and_then(|found| found.get("lints"));
    for manifest in manifests(tree) {
        let Some(lints) = &manifest.lints else {
            report.broken(&manifest.path, 0, "[lints] workspace = true is missing");
            continue;
        };
        if lints.get("workspace").and_then(Value::as_bool) == Some(true) {
            continue;
        }
        for tool in ["rust", "clippy"] {
            let wanted = wanted.and_then(|wanted| wanted.get(tool)?.as_table());
            for (lint, level) in wanted.into_iter().flatten() {
                let own = lints.get(tool).and_then(|own| own.get(lint));
                // `forbid` has no exceptions; the rule `unsafe` says where the one is.
                let vectors = manifest.name == "chappe-crypto" && lint == "unsafe_code";
                let excepted = vectors && own.and_then(Value::as_str) == Some("deny");
                if own != Some(level) && !excepted {
                    report.broken(&manifest.path, 0, format!("{tool} lint {lint} is not {level}"));
                }
            }
        }
    }
}

/// What the rules need of a manifest.
struct Manifest {
    path: String,
    name: String,
    /// Direct dependencies of the crate and its build.
    product: BTreeSet<String>,
    /// Direct dependencies of its tests, benches and examples.
    tests: BTreeSet<String>,
    lints: Option<Table>,
}

/// The members of the workspace: `crates/*` and `xtask`.
fn manifests(tree: &Tree) -> Vec<Manifest> {
    let members = tree.texts().filter(|(path, _)| {
        *path == "xtask/Cargo.toml"
            || path
                .strip_prefix("crates/")
                .and_then(|rest| rest.strip_suffix("/Cargo.toml"))
                .is_some_and(|folder| !folder.contains('/'))
    });
    members
        .map(|(path, text)| {
            let table: Table = text.parse().unwrap_or_default();
            let name = table
                .get("package")
                .and_then(|package| package.get("name")?.as_str())
                .unwrap_or_default();
            let targets = table.get("target").and_then(Value::as_table);
            let tables: Vec<&Table> = targets
                .into_iter()
                .flat_map(|targets| targets.values().filter_map(Value::as_table))
                .chain([&table])
                .collect();
            let names = |kind: &str| {
                let of_kind = tables.iter().filter_map(|table| table.get(kind)?.as_table());
                of_kind.flat_map(|table| table.keys().cloned()).collect::<BTreeSet<String>>()
            };
            let mut product = names("dependencies");
            product.extend(names("build-dependencies"));
            Manifest {
                path: path.to_owned(),
                name: name.to_owned(),
                product,
                tests: names("dev-dependencies"),
                lints: table.get("lints").and_then(Value::as_table).cloned(),
            }
        })
        .collect()
}

fn parse(tree: &Tree, path: &str, report: &mut Report<'_>) -> Option<Table> {
    let Some(text) = tree.text(path) else {
        report.broken(path, 0, "missing");
        return None;
    };
    text.parse().map_err(|error| report.broken(path, 0, format!("{error}"))).ok()
}
