//! `chappe account`: the password, and the devices that an account is signed in on.

use std::io::Write as _;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::telegram::{Telegram, control, refused, stderr, stdout};

const PASSWORD: [&str; 2] = ["account", "password"];
const DEVICES: [&str; 2] = ["account", "devices"];

/// A served account that is signed in, and whose letters can be read.
fn telegram() -> Telegram {
    let telegram = Telegram::start_with(&["--control"]);
    telegram.login();
    telegram
}

/// Runs a command with these lines on its standard input.
fn typed(telegram: &Telegram, arguments: &[&str], lines: &str) -> Output {
    let mut child = telegram
        .command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Runs `chappe account password ...` as a program does.
fn password(telegram: &Telegram, arguments: &[&str], lines: &str) -> Value {
    let output = typed(telegram, &[&["--json", "--yes"], &PASSWORD[..], arguments].concat(), lines);
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn status(telegram: &Telegram) -> Value {
    telegram.json(&PASSWORD)["password"].clone()
}

/// The code that was sent to an address last.
fn letter(telegram: &Telegram, to: &str) -> String {
    let url = telegram.announcement["control"].as_str().unwrap();
    let (_, letters) = control(url, "GET", &format!("/letters?to={to}"), "");
    letters["letters"].as_array().unwrap().last().unwrap()["code"].as_str().unwrap().to_owned()
}

/// Signs the account in as another device.
fn login_as(telegram: &Telegram, account: &str) {
    let seeded = &telegram.announcement["accounts"][0];
    let (phone, code) = (seeded["phone"].as_str().unwrap(), seeded["code"].as_str().unwrap());
    let login = ["--account", account, "login", "--phone", phone, "--code", code];
    let output = telegram.run(&login);
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn a_password_is_set_changed_and_removed_by_lines_of_standard_input() {
    let telegram = telegram();
    assert_eq!(status(&telegram)["is_set"], false);
    let plain = telegram.run(&PASSWORD);
    assert!(stdout(&plain).contains("no password is set"), "{}", stdout(&plain));
    let current = ["--password-stdin"];
    let run = |arguments: &[&str], lines: &str| {
        typed(&telegram, &[&PASSWORD[..], arguments].concat(), lines)
    };
    for word in ["change", "remove", "email"] {
        let output = run(&[&[word][..], &current].concat(), "x\n");
        refused(&output, 3, &["no password", "chappe account password set"]);
    }
    refused(&run(&["set"], ""), 2, &["--new-password-stdin"]);
    refused(&run(&["set", "--new-password-stdin"], ""), 2, &["standard input is empty"]);
    let told = ["set", "--new-password-stdin", "--hint", "dog"];
    refused(&run(&told, "dog\n"), 2, &["hint would tell"]);

    let set = ["set", "--new-password-stdin", "--hint", "animal"];
    let done = password(&telegram, &set, "correct horse\n");
    assert_eq!((&done["done"], &done["password"]["hint"]), (&"set".into(), &"animal".into()));
    refused(&run(&set, "x\n"), 5, &["has a password already", "chappe account password change"]);
    let both = ["change", "--password-stdin", "--new-password-stdin"];
    let wrong = run(&both, "wrong\nbattery\n");
    refused(&wrong, 4, &["password is wrong", "chappe account password recover"]);
    // The answer comes too late; the password itself tells that it is done.
    let late = r#"{"fault": {"delay_answer": {"seconds": 60.0}},
                   "method": "account.updatePasswordSettings", "times": 1}"#;
    let url = telegram.announcement["control"].as_str().unwrap();
    assert_eq!(control(url, "POST", "/faults", late).0, 201);
    let late = [&both[..], &["--timeout", "5"]].concat();
    let done = password(&telegram, &late, "correct horse\nbattery\n");
    assert_eq!((&done["done"], &done["password"]["hint"]), (&"changed".into(), &Value::Null));
    refused(&run(&["remove"], ""), 2, &["--password-stdin"]);
    refused(&run(&["remove", "--password-stdin"], "battery\n"), 2, &["--yes"]);
    assert_eq!(status(&telegram)["is_set"], true);

    // A sign-in wants it.
    let seeded = &telegram.announcement["accounts"][0];
    let (phone, code) = (seeded["phone"].as_str().unwrap(), seeded["code"].as_str().unwrap());
    let login = ["--account", "b", "login", "--phone", phone, "--code", code, "--password-stdin"];
    assert!(typed(&telegram, &login, "battery\n").status.success());
    let done = password(&telegram, &["remove", "--password-stdin"], "battery\n");
    assert_eq!((&done["done"], &done["password"]["is_set"]), (&"removed".into(), &false.into()));
}

#[test]
fn a_forgotten_password_is_recovered_by_a_letter() {
    let telegram = telegram();
    let address = "claude@example.com";
    let run = |arguments: &[&str], lines: &str| {
        typed(&telegram, &[&PASSWORD[..], arguments].concat(), lines)
    };
    refused(&run(&["recover"], ""), 3, &["no password"]);
    password(&telegram, &["set", "--new-password-stdin"], "first\n");
    refused(&run(&["recover"], ""), 3, &["no recovery email", "chappe account password reset"]);
    refused(&run(&["confirm", "123456"], ""), 4, &["no code is on its way"]);
    for word in ["resend", "cancel-email"] {
        refused(&run(&[word], ""), 3, &["no address waits", "password email ADDRESS"]);
    }

    let invalid = run(&["email", "claude", "--password-stdin"], "first\n");
    refused(&invalid, 2, &["email address is not accepted"]);
    let done = password(&telegram, &["email", address, "--password-stdin"], "first\n");
    assert_eq!((&done["done"], &done["code_length"]), (&"email_unconfirmed".into(), &6.into()));
    assert_eq!(done["password"]["unconfirmed_email"], "c***e@example.com");
    let words = stdout(&telegram.run(&PASSWORD));
    assert!(words.contains("c***e@example.com") && words.contains("confirm CODE"), "{words}");
    refused(&run(&["confirm", "wrong"], ""), 4, &["code is wrong"]);
    password(&telegram, &["cancel-email"], "");
    password(&telegram, &["email", address, "--password-stdin"], "first\n");
    let first = letter(&telegram, address);
    password(&telegram, &["resend"], "");
    let second = letter(&telegram, address);
    assert_ne!(first, second);
    let done = password(&telegram, &["confirm", &second], "");
    assert_eq!(done["password"]["has_recovery_email"], true);
    let shown = run(&["email", "--password-stdin"], "first\n");
    assert_eq!(stdout(&shown).trim(), address);
    refused(&run(&["email", "--password-stdin"], "second\n"), 4, &["password is wrong"]);

    let sent = password(&telegram, &["recover"], "");
    assert_eq!(sent["done"], "code_sent");
    let code = letter(&telegram, address);
    let recover = ["recover", "--code", &code, "--new-password-stdin"];
    let wrong = run(&["recover", "--code", "1", "--new-password-stdin"], "second\n");
    refused(&wrong, 4, &["code is wrong"]);
    assert_eq!(password(&telegram, &recover, "second\n")["done"], "changed");
    refused(&run(&recover, "second\n"), 4, &["too old"]);
    let done = password(&telegram, &["email", "--remove", "--password-stdin"], "second\n");
    assert_eq!(done["password"]["has_recovery_email"], false);

    refused(&run(&["reset"], ""), 2, &["--yes"]);
    refused(&run(&["decline"], ""), 3, &["no removal"]);
    let done = password(&telegram, &["reset"], "");
    assert_eq!(
        (&done["done"], &done["until"]),
        (&"requested".into(), &done["password"]["reset_at"])
    );
    assert_eq!(password(&telegram, &["decline"], "")["password"]["reset_at"], Value::Null);
    refused(&run(&["reset", "--yes"], ""), 5, &["declined lately"]);
    let url = telegram.announcement["control"].as_str().unwrap();
    let mut done = Vec::new();
    for days in [1, 7] {
        let time = format!(r#"{{"seconds": {}}}"#, days * 86_400);
        assert_eq!(control(url, "POST", "/do/pass-time", &time).0, 200);
        done.push(password(&telegram, &["reset"], "")["done"].clone());
    }
    assert_eq!(done, ["requested", "removed"]);
}

#[test]
fn nothing_secret_is_printed_or_logged() {
    let telegram = telegram();
    let verbose = |arguments: &[&str], lines: &str| {
        typed(&telegram, &[&["-vvv", "--yes"], &PASSWORD[..], arguments].concat(), lines)
    };
    let set = verbose(&["set", "--new-password-stdin", "--hint", "my animal"], "correct horse\n");
    let both = ["change", "--password-stdin", "--new-password-stdin"];
    let wrong = verbose(&both, "wrong horse\nbattery staple\n");
    let right = verbose(&both, "correct horse\nbattery staple\n");
    let email = verbose(&["email", "c@example.com", "--password-stdin"], "battery staple\n");
    let code = letter(&telegram, "c@example.com");
    let confirm = verbose(&["confirm", &code], "");
    for (output, ok) in [(set, true), (wrong, false), (right, true), (email, true), (confirm, true)]
    {
        let (log, answer) = (stderr(&output), stdout(&output));
        assert_eq!(output.status.success(), ok, "{log}");
        assert!(log.contains("account.updatePasswordSettings") || log.contains("PasswordEmail"));
        for secret in ["correct horse", "wrong horse", "battery staple", &code] {
            assert!(!log.contains(secret) && !answer.contains(secret), "{secret} is in\n{log}");
        }
        assert!(!log.contains("my animal") && !log.contains("c@example.com"), "{log}");
    }
}

#[test]
fn devices_are_listed_confirmed_and_signed_out() {
    let telegram = telegram();
    login_as(&telegram, "second");
    login_as(&telegram, "third");
    let value = telegram.json(&DEVICES);
    let devices = value["devices"].as_array().unwrap();
    assert_eq!((value["ttl_days"].as_i64(), devices.len()), (Some(180), 3));
    assert!(devices[0]["current"] == true && devices[0]["hash"] == "0");
    assert!(devices[1]["unconfirmed"] == true && devices[2]["unconfirmed"] == true);
    let output = telegram.run(&[&DEVICES[..], &["list"]].concat());
    let text = stdout(&output);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("HASH\tSTATE\tDEVICE"), "{text}");
    assert!(lines.len() == 4 && lines.iter().all(|line| line.split('\t').count() == 10), "{text}");
    assert!(lines[1].starts_with("0\tthis device\t"), "{text}");
    let advice = stderr(&output);
    assert!(advice.contains("180 days") && advice.contains("devices confirm HASH"), "{advice}");

    let hash = devices[1]["hash"].as_str().unwrap();
    let run = |words: &[&str]| telegram.run(&[&DEVICES[..], words].concat());
    let confirmed = telegram.json(&[&DEVICES[..], &["confirm", hash]].concat());
    assert_eq!(confirmed["confirmed"]["hash"], hash);
    refused(&run(&["confirm", "0"]), 2, &["this device itself"]);
    refused(&run(&["reset", "0", "--yes"]), 2, &["this device itself", "chappe logout"]);
    refused(&run(&["reset", "12x"]), 2, &["whole number", "chappe account devices"]);
    refused(&run(&["reset"]), 2, &["devices reset <HASH>", "devices reset --others"]);
    refused(&run(&["ttl", "0"]), 2, &["366"]);
    // A digit is missing.
    let mistyped = &hash[..hash.len() - 1];
    refused(&run(&["reset", mistyped, "--yes"]), 3, &[&format!("did you mean {hash}?")]);
    refused(&run(&["reset", hash]), 2, &["--yes"]);

    let words = ["FRESH_RESET_AUTHORISATION_FORBIDDEN", "24 hours", "older device"];
    refused(&run(&["reset", hash, "--yes"]), 4, &words);
    refused(&run(&["reset", "--others", "--yes"]), 4, &words);
    refused(&run(&["ttl", "7"]), 4, &words);
    assert_eq!(telegram.json(&DEVICES)["devices"].as_array().unwrap().len(), 3);
}

#[test]
fn a_device_that_is_a_day_old_signs_others_out() {
    let telegram = telegram();
    login_as(&telegram, "second");
    login_as(&telegram, "third");
    let url = telegram.announcement["control"].as_str().unwrap();
    assert_eq!(control(url, "POST", "/do/pass-time", r#"{"seconds": 86400}"#).0, 200);
    let run = |words: &[&str]| telegram.run(&[&DEVICES[..], words].concat());
    let devices = telegram.json(&DEVICES)["devices"].clone();
    let hash = devices[1]["hash"].as_str().unwrap();
    assert_eq!(telegram.json(&[&DEVICES[..], &["ttl", "7"]].concat())["ttl_days"], 7);
    assert!(stderr(&run(&[])).contains("7 days"));
    // The answer comes too late; the list tells that it is done.
    let late = r#"{"fault": {"delay_answer": {"seconds": 60.0}},
                   "method": "account.resetAuthorization", "times": 1}"#;
    assert_eq!(control(url, "POST", "/faults", late).0, 201);
    let reset = [&["--yes", "--timeout", "5"], &DEVICES[..], &["reset", hash]].concat();
    assert_eq!(telegram.json(&reset)["reset"][0]["hash"], hash);
    refused(&run(&["reset", hash, "--yes"]), 3, &["no device has the hash"]);
    let done = telegram.json(&[&["--yes"], &DEVICES[..], &["reset", "--others"]].concat());
    assert_eq!(done["reset"].as_array().unwrap().len(), 1);
    let nobody = run(&["reset", "--others"]);
    assert!(nobody.status.success() && stdout(&nobody).contains("no other device"));
    for account in ["second", "third"] {
        let output = telegram.run(&["--account", account, "whoami"]);
        refused(&output, 4, &[&format!("chappe --account {account} login")]);
    }
    assert!(telegram.json(&["whoami"])["id"].is_number());
    // What nobody uses for a week ends by itself.
    login_as(&telegram, "second");
    assert_eq!(control(url, "POST", "/do/pass-time", r#"{"seconds": 604800}"#).0, 200);
    for words in [&["whoami"][..], &["--account", "second", "whoami"]] {
        refused(&telegram.run(words), 4, &["too old", "login`"]);
    }
}

#[test]
fn a_bot_has_neither() {
    let telegram = Telegram::start();
    let token = telegram.announcement["bots"][0]["token"].as_str().unwrap();
    let mut login = telegram.command(&["login", "--bot"]);
    assert!(login.env("TELEGRAM_BOT_TOKEN", token).output().unwrap().status.success());
    for words in [&DEVICES[..], &PASSWORD[..], &["account", "password", "set"]] {
        refused(&telegram.run(words), 4, &["BOT_METHOD_INVALID", "only people"]);
    }
}
