//! The stage of the recorded requests: every story is played, and must end as it was recorded.
//!
//! It has a harness of its own, because it is a program, too: `CHAPPE_STAGE` makes it do something
//! else. `record` writes down what the stories come to, `show` prints what those of the methods come to
//! that are named as arguments, and `serve` plays a story for each line of its standard input, for
//! programs that make its request: interop/reference.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a story stops at the first surprise"
)]

mod check;
mod line;
mod password;
mod people;
mod scene;
mod serve;
mod stage;
mod stories;

use std::{collections::BTreeMap, path::Path};

use chappe_reference::{Recorded, recorded};
use tokio::runtime::Builder;

fn main() {
    let role = std::env::var("CHAPPE_STAGE").ok();
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match role.as_deref() {
        Some("record") => record(),
        Some("serve") => {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(serve::serve());
        }
        Some("show") => arguments.iter().for_each(|method| show(method)),
        Some(other) => panic!("CHAPPE_STAGE is record, serve or show, not {other}"),
        None => test(&arguments),
    }
}

/// Does what a harness of tests does.
fn test(arguments: &[String]) {
    const TESTS: [(&str, fn()); 2] = [
        (
            "every_method_of_the_local_telegram_is_recorded_as_it_is_answered",
            every_method_of_the_local_telegram_is_recorded_as_it_is_answered,
        ),
        ("another_answer_than_the_recorded_one_is_noticed", check::notices),
    ];
    let filters: Vec<_> = arguments.iter().filter(|word| !word.starts_with('-')).collect();
    for (name, test) in TESTS {
        if arguments.iter().any(|word| word == "--list") {
            println!("{name}: test");
        } else if filters.is_empty() || filters.iter().any(|part| name.contains(*part)) {
            test();
            println!("test {name} ... ok");
        }
    }
}

fn every_method_of_the_local_telegram_is_recorded_as_it_is_answered() {
    const HOW: &str = "if that is meant: cargo xtask reference --record";
    let mut known = recorded::all().clone();
    let mut wrong = String::new();
    for (method, played) in scene::record_all() {
        match known.remove(method) {
            Some(recorded) if recorded == played => {}
            Some(recorded) => {
                wrong += &format!("{method}: {recorded:#?}\nis now\n{played:#?}\n");
            }
            None => wrong += &format!("{method} was never recorded\n"),
        }
    }
    assert!(wrong.is_empty(), "{wrong}{HOW}");
    assert!(known.is_empty(), "implemented no longer: {:?}\n{HOW}", known.keys());
}

/// Writes every file anew.
fn record() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("recorded");
    let mut files: BTreeMap<&str, BTreeMap<&str, Recorded>> = BTreeMap::new();
    for (method, recorded) in scene::record_all() {
        let namespace = method.split_once('.').map_or("root", |(namespace, _)| namespace);
        files.entry(namespace).or_default().insert(method, recorded);
    }
    assert!(files.keys().eq(recorded::FILES.iter().map(|(name, _)| name)), "{:?}", files.keys());
    for (namespace, methods) in files {
        let text = serde_json::to_string_pretty(&methods).unwrap() + "\n";
        std::fs::write(folder.join(namespace).with_extension("json"), text).unwrap();
        println!("{namespace}: {} methods", methods.len());
    }
}

fn show(method: &str) {
    let mut runtime = Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build().unwrap();
    let recorded = runtime.block_on(scene::record(method));
    println!("{}", serde_json::to_string_pretty(&recorded).unwrap());
}
