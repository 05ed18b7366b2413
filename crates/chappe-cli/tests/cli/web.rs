//! `chappe web`: the sites that an account is logged in to.

use std::io::Read as _;
use std::process::Stdio;

use crate::telegram::{Telegram, refused, stderr, stdout};

#[test]
fn a_mistyped_hash_is_answered_with_the_nearest_and_changes_nothing() {
    let telegram = Telegram::start();
    telegram.login();
    let all = telegram.json(&["web", "list"]);
    refused(&telegram.run(&["web", "reset", "4457253", "--yes"]), 3, &["did you mean 4457235?"]);
    refused(&telegram.run(&["web", "reset", "44x"]), 2, &["whole number"]);
    refused(&telegram.run(&["web", "reset"]), 2, &["HASH"]);
    assert_eq!(telegram.json(&["web", "list"]), all);
}

#[test]
fn a_destructive_act_without_a_terminal_wants_yes() {
    let telegram = Telegram::start();
    telegram.login();
    refused(&telegram.run(&["web", "reset", "4457235"]), 2, &["--yes"]);
    refused(&telegram.run(&["web", "reset", "--all"]), 2, &["--yes"]);
    refused(&telegram.run(&["logout"]), 2, &["--yes"]);
    assert!(telegram.json(&["whoami"])["id"].is_number());
}

#[test]
fn a_bot_may_not_list_web_sessions() {
    let telegram = Telegram::start();
    let token = telegram.announcement["bots"][0]["token"].as_str().unwrap();
    let output =
        telegram.command(&["login", "--bot"]).env("TELEGRAM_BOT_TOKEN", token).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!stdout(&output).contains(token));
    refused(&telegram.run(&["web", "list"]), 4, &["BOT_METHOD_INVALID", "only people"]);
}

#[test]
fn a_pipe_gets_plain_lines_and_may_close_early() {
    let telegram = Telegram::start();
    telegram.login();
    let output = telegram.run(&["web", "list"]);
    let text = stdout(&output);
    assert!(!text.contains('\u{1b}'), "colour in a pipe");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("HASH\tDOMAIN\tBOT\tBROWSER"));
    assert!(lines.iter().all(|line| line.split('\t').count() == 9), "{text}");

    let mut child = telegram
        .command(&["web", "list"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut words = String::new();
    child.stderr.take().unwrap().read_to_string(&mut words).unwrap();
    assert!(!words.contains("panicked"), "{words}");
    assert!(words.is_empty() || child.wait().unwrap().success(), "{words}");
}
