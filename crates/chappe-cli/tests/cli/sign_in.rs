//! Signing in and out from outside.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;

use crate::telegram::{Telegram, refused, serve, stderr};

#[test]
fn an_account_is_looked_after_from_a_terminal() {
    let telegram = Telegram::start();
    refused(&telegram.run(&["whoami"]), 4, &["no session yet", "chappe login"]);
    refused(&telegram.run(&["web", "list"]), 4, &["no session yet"]);
    telegram.login();
    refused(&telegram.run(&["login"]), 5, &["signed in already", "logout"]);
    assert_eq!(telegram.json(&["whoami"])["id"], telegram.announcement["accounts"][0]["user_id"]);

    let before = telegram.json(&["web", "list"])["web_authorizations"].as_array().unwrap().len();
    let gone = telegram.json(&["web", "reset", "4457235", "--yes"]);
    assert_eq!(gone["reset"][0]["hash"], "4457235");
    let after = telegram.json(&["web", "list"])["web_authorizations"].as_array().unwrap().len();
    assert_eq!(after, before - 1);
    refused(&telegram.run(&["web", "reset", "4457235", "--yes"]), 3, &["no web session"]);

    let gone = telegram.json(&["web", "reset", "--all", "--yes"]);
    assert_eq!(gone["reset"].as_array().unwrap().len(), after);
    assert_eq!(telegram.json(&["web", "list"])["web_authorizations"], Value::Array(Vec::new()));

    assert!(telegram.run(&["logout", "--yes"]).status.success());
    refused(&telegram.run(&["whoami"]), 4, &["nobody is signed in", "chappe login"]);
}

#[test]
fn wrong_codes_and_missing_answers_are_explained() {
    let telegram = Telegram::start();
    let phone = telegram.announcement["accounts"][0]["phone"].as_str().unwrap();
    refused(&telegram.run(&["login"]), 2, &["--phone"]);
    refused(&telegram.run(&["login", "--phone", phone]), 2, &["--code"]);
    let wrong = telegram.run(&["login", "--phone", phone, "--code", "00000"]);
    refused(&wrong, 2, &["The code is wrong", "--code"]);
    refused(
        &telegram.run(&["login", "--phone", "12", "--code", "1"]),
        2,
        &["PHONE_NUMBER_INVALID"],
    );
    refused(&telegram.run(&["login", "--bot"]), 2, &["token"]);
}

#[test]
fn a_test_number_signs_up_by_itself() {
    let telegram = Telegram::start();
    let user = telegram.json(&[
        "login",
        "--phone",
        "9996620042",
        "--code",
        "22222",
        "--first-name",
        "Ada",
    ]);
    assert_eq!(user["first_name"], "Ada");
    assert_eq!(telegram.json(&["web", "list"])["web_authorizations"], Value::Array(Vec::new()));
}

#[test]
fn a_number_of_another_data_centre_signs_in_there() {
    let telegram = Telegram::start_with(&["--dcs", "3"]);
    let phone = "+999663 0042";
    let sign_up = ["--first-name", "Ada", "--last-name", "Lovelace"];
    let user =
        telegram.json(&[&["login", "--phone", phone, "--code", "33333"][..], &sign_up].concat());
    assert_eq!(user["first_name"], "Ada");
    // The next process goes there at once, although it is given the address of another one.
    let nearest = telegram.json(&["call", "help.getNearestDc"]);
    assert_eq!((&nearest["this_dc"], &nearest["nearest_dc"]), (&3.into(), &2.into()));
    assert!(telegram.run(&["web", "list"]).status.success());
    assert!(telegram.run(&["logout", "--yes"]).status.success());
}

#[test]
fn what_cannot_sign_in_is_a_mistake_of_whoever_typed_it() {
    let telegram = Telegram::start();
    for phone in ["123", "abc", "", "+01555010020"] {
        let output = telegram.run(&["login", "--phone", phone, "--code", "1"]);
        refused(&output, 2, &["PHONE_NUMBER_INVALID", "99966XYYYY"]);
    }
    let mut child = telegram
        .command(&["login", "--bot"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"1:no-such-token\n").unwrap();
    refused(&child.wait_with_output().unwrap(), 4, &["ACCESS_TOKEN_INVALID"]);
}

#[test]
fn a_session_that_the_server_forgot_is_replaced_by_a_sign_in() {
    let data = TempDir::new().unwrap();
    let options = ["--data", data.path().to_str().unwrap()];
    let mut telegram = Telegram::start_with(&options);
    telegram.login();
    telegram.server.kill().unwrap();
    telegram.server.wait().unwrap();
    for entry in std::fs::read_dir(data.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "pem") {
            std::fs::remove_file(path).unwrap();
        }
    }
    (telegram.server, telegram.announcement) = serve(&options);
    refused(&telegram.run(&["whoami"]), 4, &["no longer knows", "chappe login"]);
    telegram.login();
    assert!(telegram.json(&["whoami"])["id"].is_number());
}

#[test]
fn a_session_that_was_ended_elsewhere_makes_room_for_a_new_sign_in() {
    let telegram = Telegram::start();
    let account = &telegram.announcement["accounts"][0];
    let (phone, code) = (account["phone"].as_str().unwrap(), account["code"].as_str().unwrap());
    let (session, copy) = (telegram.path("me.session"), telegram.path("copy.session"));
    let with = |session: &Path, arguments: &[&str]| {
        telegram.run(&[&["--session", session.to_str().unwrap()], arguments].concat())
    };
    let login = ["login", "--phone", phone, "--code", code];
    assert!(with(&session, &login).status.success());
    for tidy_up in [&["logout", "--yes", "--forget"][..], &login] {
        std::fs::copy(&session, &copy).unwrap();
        let output = with(&copy, &["call", "auth.logOut"]);
        assert!(output.status.success(), "{}", stderr(&output));
        let output = with(&session, &["whoami"]);
        refused(&output, 4, &["ended elsewhere", "chappe login"]);
        // One failure, told once: a program reads it as JSON.
        assert_eq!(stderr(&output).matches("ended elsewhere").count(), 1, "{}", stderr(&output));
        refused(&with(&session, &["web", "list"]), 4, &[]);
        let output = with(&session, tidy_up);
        assert!(output.status.success(), "{tidy_up:?}: {}", stderr(&output));
        if tidy_up[0] == "logout" {
            assert!(!session.exists());
            assert!(with(&session, &login).status.success());
        }
    }
    assert!(with(&session, &["whoami"]).status.success());
}

#[test]
fn whoever_signed_out_signs_in_without_a_code_unless_nothing_was_kept() {
    let telegram = Telegram::start();
    let login = ["login", "--phone", "9996620042"];
    let ada = telegram.json(&[&login[..], &["--code", "22222", "--first-name", "Ada"]].concat());
    let output = telegram.run(&["logout", "--yes"]);
    assert!(output.status.success() && stderr(&output).contains("without a code"));
    refused(&telegram.run(&["whoami"]), 4, &["nobody is signed in", "chappe login"]);
    assert_eq!(telegram.json(&login), ada);
    let output = telegram.run(&["logout", "--forget", "--yes"]);
    assert!(output.status.success() && !stderr(&output).contains("without a code"));
    refused(&telegram.run(&["whoami"]), 4, &["no session yet"]);
    refused(&telegram.run(&login), 2, &["--code"]);
}

#[test]
fn a_program_is_told_where_a_code_went_and_nothing_that_only_a_person_can_do() {
    let telegram = Telegram::start();
    let output = telegram.run(&["login", "--phone", "9996620042", "--code", "22222"]);
    refused(&output, 2, &["sent by SMS, 5 characters.", "--first-name"]);
    assert!(!stderr(&output).contains("empty line"), "{}", stderr(&output));
}
