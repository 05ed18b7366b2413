//! `chappe web`: the sites that an account is logged in to.

use std::io::Read as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::telegram::{Running, Telegram, control, refused, stderr, stdout};

/// The hashes in a list for programs.
fn hashes(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|row| row["hash"].as_str().unwrap()).collect()
}

fn count(telegram: &Telegram, options: &[&str]) -> usize {
    let list = telegram.json(&[&["web", "list"], options].concat());
    list["web_authorizations"].as_array().unwrap().len()
}

/// Has a request go wrong; the server needs its control port.
fn fail(telegram: &Telegram, fault: &Value) {
    let url = telegram.announcement["control"].as_str().unwrap();
    let (status, answer) = control(url, "POST", "/faults", &fault.to_string());
    assert!((200..300).contains(&status), "{answer}");
}

fn blocked(telegram: &Telegram) -> usize {
    let ask = r#"{"offset": 0, "limit": 100}"#;
    let answer = telegram.json(&["call", "contacts.getBlocked", ask]);
    answer["users"].as_array().unwrap().len()
}

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

#[test]
fn the_list_is_narrowed_by_domain_bot_and_age() {
    let telegram = Telegram::start();
    telegram.login();
    for (options, expected) in [
        (&[][..], 6),
        (&["--domain", "travel.example.com"], 2),
        (&["--domain", "*.EXAMPLE.com"], 4),
        (&["--domain", "example.com"], 0),
        (&["--bot", "@columbusdemobot"], 2),
        (&["--bot", "NobodysBot"], 0),
        (&["--inactive-for", "30d"], 2),
        (&["--older-than", "8w"], 2),
        (&["--older-than", "30d", "--inactive-for", "1d"], 2),
        (&["--older-than", "30d", "--bot", "@ColumbusDemoBot"], 1),
        (&["--inactive-for", "5200w"], 0),
    ] {
        assert_eq!(count(&telegram, options), expected, "{options:?}");
    }
    let none = telegram.run(&["web", "list", "--bot", "@NobodysBot"]);
    assert!(none.status.success() && stdout(&none).contains("none of 6 web sessions fits"));
    for wrong in ["90", "0d", "1.5d", "ninety", "1mo"] {
        refused(
            &telegram.run(&["web", "list", "--older-than", wrong]),
            2,
            &["90d", "whole number"],
        );
    }
    refused(&telegram.run(&["web", "list", "--bot", "not a name"]), 2, &["@ShopBot"]);
}

#[test]
fn a_spreadsheet_gets_lines_that_it_can_read() {
    let telegram = Telegram::start();
    telegram.login();
    let output = telegram.run(&["web", "list", "--csv"]);
    let text = stdout(&output);
    let lines: Vec<&str> = text.strip_suffix("\r\n").unwrap().split("\r\n").collect();
    assert_eq!(lines.len(), 7, "{text}");
    assert!(lines[0].starts_with("hash,bot_id,bot_username,bot_name,domain,browser,"));
    assert!(lines.iter().all(|line| !line.contains('\n') && line.ends_with(['e', 'Z', ','])));
    assert!(text.contains("\"Amsterdam, Netherlands\"") && text.contains("東京"), "{text}");
    refused(&telegram.run(&["--json", "web", "list", "--csv"]), 2, &["--csv and --json"]);
}

#[test]
fn one_is_shown_as_the_apps_show_it() {
    let telegram = Telegram::start();
    telegram.login();
    let shown = stdout(&telegram.run(&["web", "show", "shop.example.net"]));
    for words in [
        "Semaphore Shop  @SemaphoreShopBot\nshop.example.net\n",
        "Browser     Edge 140, Windows",
        "IP address  203.0.113.99",
        "Location    東京, 日本, estimated from the IP address",
        "(5 days ago)",
        "`chappe web reset ",
    ] {
        assert!(shown.contains(words), "{words:?}: {shown}");
    }
    let row = telegram.json(&["web", "show", "4457235"])["web_authorization"].clone();
    assert_eq!((&row["hash"], &row["domain"]), (&json!("4457235"), &json!("travel.example.com")));
    assert_eq!((&row["bot_name"], &row["bot_deleted"]), (&json!("Columbus Travel"), &json!(false)));

    let several = telegram.run(&["web", "show", "travel.example.com"]);
    refused(&several, 2, &["2 web sessions are at travel.example.com", "4457235, -"]);
    refused(&telegram.run(&["web", "show", "travel"]), 3, &["did you mean travel.example.com?"]);
    let mistyped = telegram.run(&["web", "show", "shop.exmaple.net"]);
    refused(&mistyped, 3, &["did you mean shop.example.net?"]);
    refused(&telegram.run(&["web", "show", "7"]), 3, &["chappe web list"]);
}

#[test]
fn a_rehearsal_shows_what_would_end_and_ends_nothing() {
    let telegram = Telegram::start();
    telegram.login();
    let rehearse =
        |words: &[&str]| telegram.json(&[&["web", "reset", "--dry-run"], words].concat());
    let all = rehearse(&["--all", "--block-bot"]);
    assert_eq!(all["would_reset"].as_array().unwrap().len(), 6);
    assert_eq!(all["would_block"].as_array().unwrap().len(), 3);
    let some = rehearse(&["travel.example.com", "--inactive-for", "1d"]);
    assert_eq!(some["would_reset"].as_array().unwrap().len(), 1, "the filters narrow the words");
    let text = stdout(&telegram.run(&["web", "reset", "--older-than", "8w", "--dry-run"]));
    assert_eq!(text.matches("would log out of").count(), 2, "{text}");
    assert!(text.contains("Nothing was changed") && text.contains("hash "), "{text}");
    assert_eq!(count(&telegram, &[]), 6);
}

#[test]
fn several_end_at_once_and_their_bots_are_blocked() {
    let telegram = Telegram::start();
    telegram.login();
    let reset = |words: &[&str]| telegram.json(&[&["web", "reset", "--yes"], words].concat());
    // One wrong word, and nothing ends.
    let wrong = telegram.run(&["web", "reset", "--yes", "4457235", "news.example.com"]);
    refused(&wrong, 3, &["did you mean news.example.org?"]);
    assert_eq!((count(&telegram, &[]), blocked(&telegram)), (6, 0));

    let done = reset(&["travel.example.com", "4457235", "--block-bot"]);
    assert_eq!(hashes(&done["reset"]).len(), 2);
    assert_eq!(done["bots"].as_array().unwrap().len(), 1);
    assert_eq!(done["bots"][0]["blocked"], true);
    assert_eq!((count(&telegram, &[]), blocked(&telegram)), (4, 1));
    let done = reset(&["--inactive-for", "30d", "--bot", "@LumiereNewsBot"]);
    assert_eq!(hashes(&done["reset"]).len(), 1);
    // Nothing that fits is nothing to do: a job that runs every night is content.
    assert_eq!(reset(&["--inactive-for", "30d", "--bot", "@LumiereNewsBot"])["reset"], json!([]));
    assert_eq!(hashes(&reset(&["--all"])["reset"]).len(), 3);
    let nothing = telegram.run(&["web", "reset", "--all"]);
    assert!(nothing.status.success(), "nothing to ask for: {}", stderr(&nothing));
    assert_eq!(blocked(&telegram), 1);
}

#[test]
fn what_did_not_end_is_told_with_what_did() {
    let telegram = Telegram::start_with(&["--control"]);
    telegram.login();
    fail(
        &telegram,
        &json!({
            "fault": { "flood": { "seconds": 300, "free": 2 } },
            "method": "account.resetWebAuthorization",
        }),
    );
    let output = telegram.run(&["--json", "web", "reset", "--yes", "--domain", "*", "--block-bot"]);
    refused(&output, 6, &["4 of 6 web sessions did not end", "FLOOD_WAIT", "\"retry_after\":"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let lengths = ["reset", "failed", "not_tried"].map(|key| told[key].as_array().unwrap().len());
    assert_eq!(lengths, [2, 1, 3]);
    assert!(told["failed"][0]["why"].as_str().unwrap().contains("FLOOD_WAIT"));
    assert_eq!(count(&telegram, &[]), 4);
    assert_eq!(blocked(&telegram), told["bots"].as_array().unwrap().len());
}

#[test]
fn an_answer_that_was_lost_is_settled_and_not_reported_as_a_failure() {
    let telegram = Telegram::start_with(&["--control"]);
    telegram.login();
    let lost = |fault: &str, method: &str| {
        fail(&telegram, &json!({ "fault": fault, "method": method, "times": 1 }));
    };
    lost("lose_answer", "account.resetWebAuthorization");
    let done = telegram.json(&["--timeout", "1", "web", "reset", "4457235", "--yes"]);
    assert_eq!(hashes(&done["reset"]), ["4457235"]);
    // This one did not happen.
    lost("never_answer", "account.resetWebAuthorization");
    let output = telegram.run(&["--timeout", "1", "web", "reset", "shop.example.net", "--yes"]);
    refused(&output, 7, &["no answer", "look with `chappe web list`"]);
    assert_eq!(count(&telegram, &["--domain", "shop.example.net"]), 1);
}

#[test]
fn a_watch_tells_what_goes_until_somebody_ends_it() {
    let telegram = Telegram::start();
    telegram.login();
    // A session is used by one process at a time: the other one is another device.
    let account = &telegram.announcement["accounts"][0];
    let (phone, code) = (account["phone"].as_str().unwrap(), account["code"].as_str().unwrap());
    telegram.json(&["--account", "other", "login", "--phone", phone, "--code", code]);
    let command =
        telegram.command(&["--json", "web", "watch", "--every", "1s", "--domain", "*.example.com"]);
    let watch = Running::start(command);
    let first = watch.next();
    assert_eq!(
        (&first["event"], hashes(&first["web_authorizations"]).len()),
        (&json!("listed"), 4)
    );
    for domain in ["shop.example.net", "oauth.example.com", "travel.example.com"] {
        telegram.json(&["--account", "other", "web", "reset", domain, "--yes"]);
    }
    let mut told = Vec::new();
    while told.len() < 3 {
        let event = watch.next();
        assert_eq!(event["event"], "removed");
        assert!(event["time"].as_i64().unwrap() > 1_700_000_000);
        told.push(event["web_authorization"]["domain"].as_str().unwrap().to_owned());
    }
    assert_eq!(told, ["oauth.example.com", "travel.example.com", "travel.example.com"]);
    watch.interrupt();
    let (exit, words) = watch.end();
    assert_eq!(exit, Some(130));
    assert!(words.contains("interrupted") && words.contains("nothing was changed"), "{words}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_watch_ends_when_nobody_reads_it_any_more() {
    let telegram = Telegram::start();
    telegram.login();
    // It would write again when something has changed.
    let command = telegram.command(&["--json", "web", "watch"]);
    let watch = Running::read(command, 1);
    assert_eq!(watch.next()["event"], "listed");
    assert_eq!(watch.end(), (Some(1), String::new()));
}
