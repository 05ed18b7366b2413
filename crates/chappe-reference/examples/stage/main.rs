//! The stage of the reference's examples, as a program.
//!
//! `stage record` plays every story and writes down what came of it; `stage show METHOD` plays one
//! and prints it. `stage serve` plays a story for each line of its standard input, for programs that
//! make the request of that story: interop/reference.

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

fn main() {
    let mut words = std::env::args().skip(1);
    let mode = words.next();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    match mode.as_deref() {
        Some("record") => record(),
        Some("show") => {
            let runtime = runtime.enable_all().start_paused(true).build().unwrap();
            for method in words {
                let recorded = runtime.block_on(scene::record(&method));
                println!("{}", serde_json::to_string_pretty(&recorded).unwrap());
            }
        }
        Some("serve") => {
            let runtime = runtime.enable_all().build().unwrap();
            runtime.block_on(serve::serve());
        }
        other => panic!("what is {other:?}? Say record, serve, or show and some methods."),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What to do when something else is recorded than is played.
    const HOW: &str = "if that is meant: cargo run -p chappe-reference --example stage -- record";

    #[test]
    fn every_method_of_the_local_telegram_is_recorded_as_it_is_answered() {
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
}
