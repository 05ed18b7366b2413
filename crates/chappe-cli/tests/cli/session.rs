//! Session files: whose they are, and who uses them.

use std::net::TcpListener;
use std::path::PathBuf;

use serde_json::Value;

use crate::telegram::{Nobody, Telegram, refused, stderr, stdout};
#[cfg(unix)]
use crate::terminal::Terminal;

#[test]
fn a_session_of_another_server_is_told_apart() {
    let (first, second) = (Telegram::start(), Telegram::start());
    let session = first.path("shared.session");
    let account = &first.announcement["accounts"][0];
    let session = session.to_str().unwrap();
    let output = first.run(&[
        "--session",
        session,
        "login",
        "--phone",
        account["phone"].as_str().unwrap(),
        "--code",
        account["code"].as_str().unwrap(),
    ]);
    assert!(output.status.success(), "{}", stderr(&output));
    let kept = std::fs::read(session).unwrap();
    let output = second.run(&["--session", session, "whoami"]);
    refused(&output, 5, &["another server"]);
    assert_eq!(std::fs::read(session).unwrap(), kept, "the session must stay as it is");
    let output = first.run(&["--session", session, "whoami"]);
    assert!(output.status.success(), "{}", stderr(&output));
}

#[cfg(unix)]
#[test]
fn session_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let telegram = Telegram::start();
    telegram.login();
    let directory = telegram.path("data").join("chappe");
    assert_eq!(std::fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
    for entry in std::fs::read_dir(&directory).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_file_that_is_no_session_is_left_alone() {
    let telegram = Telegram::start();
    let file = telegram.path("notes.txt");
    std::fs::write(&file, "not a session").unwrap();
    let output = telegram.run(&["--session", file.to_str().unwrap(), "whoami"]);
    refused(&output, 1, &["no session of chappe", "chappe session import"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "not a session");
}

/// Two programs with one session at once would make Telegram void it.
#[test]
fn a_session_in_use_is_refused_with_who_uses_it_until_that_process_ends() {
    let telegram = Telegram::start();
    telegram.login();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let mut holder = telegram.command_at(&address, &["call", "help.getNearestDc"]).spawn().unwrap();
    let _socket = silent.accept().unwrap();

    let process = format!("process {}", holder.id());
    let output = telegram.run(&["whoami"]);
    refused(&output, 5, &["in use by chappe", &process, "choose another session"]);
    let output = telegram.run(&["--json", "whoami"]);
    let said: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(said["error"]["exit_code"], 5);
    // Another session is nobody's business.
    let other = telegram.path("other.session");
    let output = telegram.run(&["--session", other.to_str().unwrap(), "call", "help.getConfig"]);
    assert_ne!(output.status.code(), Some(5), "{}", stderr(&output));

    // Killed without a chance to tidy up: what it left names it still, and locks nobody out.
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(telegram.json(&["whoami"])["id"].is_number());
}

/// All that is kept of the accounts, as one text.
fn kept(telegram: &Telegram) -> String {
    let mut folders = vec![telegram.path("data")];
    let mut text = String::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                text.push_str(&String::from_utf8_lossy(&std::fs::read(path).unwrap()));
            }
        }
    }
    text
}

fn passphrase_file(telegram: &Telegram, name: &str, text: &str) -> PathBuf {
    let path = telegram.path(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn an_encrypted_session_opens_with_its_passphrase_alone() {
    let telegram = Telegram::start();
    let right = passphrase_file(&telegram, "right", "correct horse\nand a second line\n");
    let wrong = passphrase_file(&telegram, "wrong", "battery staple\n");
    let with = |file: &PathBuf, arguments: &[&str]| {
        let flag = ["--passphrase-file", file.to_str().unwrap()];
        telegram.run(&[&flag[..], arguments].concat())
    };
    refused(&with(&right, &["session", "encrypt"]), 4, &["no session yet"]);
    telegram.login();
    refused(&with(&right, &["session", "decrypt"]), 5, &["not encrypted"]);
    let name = telegram.json(&["whoami"])["first_name"].as_str().unwrap().to_owned();
    assert!(kept(&telegram).contains(&name) && kept(&telegram).contains("127.0.0.1"));
    let output = with(&right, &["session", "encrypt"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("without the passphrase"));
    assert!(!kept(&telegram).contains(&name) && !kept(&telegram).contains("127.0.0.1"));
    refused(&with(&right, &["session", "encrypt"]), 5, &["encrypted already", "--new-passphrase"]);

    assert!(with(&right, &["whoami"]).status.success());
    assert!(!kept(&telegram).contains(&name), "nothing is noted in the clear");
    refused(&with(&wrong, &["whoami"]), 4, &["passphrase"]);
    refused(&telegram.run(&["whoami"]), 2, &["--passphrase-file", "--passphrase-command"]);
    refused(&with(&telegram.path("nowhere"), &["whoami"]), 2, &["cannot read the passphrase"]);
    let empty = passphrase_file(&telegram, "empty", "\n");
    refused(&with(&empty, &["whoami"]), 2, &["is empty"]);
    let list = telegram.json(&["accounts"]);
    let row = &list["accounts"][0];
    assert_eq!((&row["encrypted"], &row["signed_in"]), (&true.into(), &Value::Null));
    assert!(stdout(&telegram.run(&["accounts"])).contains("encrypted"));

    refused(&with(&wrong, &["session", "decrypt"]), 4, &["passphrase"]);
    assert!(with(&right, &["session", "decrypt"]).status.success());
    assert!(telegram.run(&["whoami"]).status.success());
}

#[test]
fn a_new_passphrase_takes_the_place_of_the_old_one_at_once() {
    let telegram = Telegram::start();
    telegram.login();
    let old = passphrase_file(&telegram, "old", "correct horse\n");
    let new = passphrase_file(&telegram, "new", "battery staple\n");
    let with = |file: &PathBuf, arguments: &[&str]| {
        let flag = ["--passphrase-file", file.to_str().unwrap()];
        telegram.run(&[&flag[..], arguments].concat())
    };
    let anew = ["--json", "session", "encrypt", "--new-passphrase-file", new.to_str().unwrap()];
    assert!(with(&old, &["session", "encrypt"]).status.success());
    let sealed = kept(&telegram);
    refused(&with(&new, &anew), 4, &["passphrase"]);
    let nowhere = ["session", "encrypt", "--new-passphrase-file", "nowhere"];
    refused(&with(&old, &nowhere), 2, &["cannot read the passphrase", "nowhere"]);
    assert_eq!(kept(&telegram), sealed, "what fails changes nothing");
    let output = with(&old, &anew);
    assert!(output.status.success(), "{}", stderr(&output));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said, serde_json::json!({ "encrypted": true, "again": true }));
    refused(&with(&old, &["whoami"]), 4, &["passphrase"]);
    assert!(with(&new, &["whoami"]).status.success());
    // Where nothing is encrypted yet, it is simply the passphrase.
    assert!(with(&new, &["session", "decrypt"]).status.success());
    let output = telegram.run(&anew);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(with(&new, &["whoami"]).status.success());
}

#[cfg(unix)]
#[test]
fn a_person_types_the_old_passphrase_and_then_the_new_one() {
    let telegram = Telegram::start();
    telegram.login();
    let old = passphrase_file(&telegram, "old", "correct horse\n");
    let new = passphrase_file(&telegram, "new", "battery staple\n");
    let flag = ["--passphrase-file", old.to_str().unwrap(), "session", "encrypt"];
    assert!(telegram.run(&flag).status.success());
    let mut terminal = Terminal::start(telegram.command(&["session", "encrypt"]));
    terminal.expect("Passphrase of");
    terminal.enter("wrong horse");
    terminal.expect("does not open it");
    terminal.enter("correct horse");
    terminal.expect("New passphrase");
    terminal.enter("battery staple");
    terminal.expect("Once more");
    terminal.enter("battery staple");
    let (exit, shown) = terminal.end();
    assert!(exit == 0 && shown.contains("encrypted anew"), "{shown}");
    let whoami = ["--passphrase-file", new.to_str().unwrap(), "whoami"];
    assert!(telegram.run(&whoami).status.success());
}

#[cfg(unix)]
#[test]
fn a_command_gives_the_passphrase_and_what_is_new_is_encrypted_with_it() {
    let telegram = Telegram::start();
    let with = |command: &str, arguments: &[&str]| {
        let flag = ["--passphrase-command", command];
        telegram.run(&[&flag[..], arguments].concat())
    };
    let sign_up = ["login", "--phone", "9996620042", "--code", "22222", "--first-name", "Ada"];
    let output = with("printf 'correct horse'", &sign_up);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!kept(&telegram).contains("Ada") && !kept(&telegram).contains("127.0.0.1"));
    assert!(with("echo correct horse", &["whoami"]).status.success());
    refused(&with("echo battery staple", &["whoami"]), 4, &["passphrase"]);
    let output = with("echo correct horse; echo the keyring is locked >&2; exit 3", &["whoami"]);
    refused(&output, 4, &["the keyring is locked", "passphrase command failed"]);
    assert!(!stderr(&output).contains("correct horse"));
    // The configuration file does it once and for all.
    let folder = telegram.path("config").join("chappe");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), "passphrase_command = \"echo correct horse\"\n")
        .unwrap();
    assert!(telegram.run(&["whoami"]).status.success());
}

#[cfg(unix)]
#[test]
fn a_person_types_the_passphrase_and_may_mistype_it() {
    let telegram = Telegram::start();
    telegram.login();
    let mut terminal = Terminal::start(telegram.command(&["session", "encrypt"]));
    terminal.expect("New passphrase");
    terminal.enter("correct horse");
    terminal.expect("Once more");
    terminal.enter("correct hose");
    terminal.expect("not the same");
    terminal.enter("correct horse");
    terminal.expect("Once more");
    terminal.enter("correct horse");
    let (exit, shown) = terminal.end();
    assert_eq!(exit, 0, "{shown}");
    let mut terminal = Terminal::start(telegram.command(&["whoami"]));
    terminal.expect("Passphrase of");
    terminal.enter("battery staple");
    terminal.expect("does not open it");
    terminal.enter("correct horse");
    let (exit, shown) = terminal.end();
    assert!(exit == 0 && shown.contains("id "), "{shown}");
    assert!(!shown.contains("horse"), "{shown}");
}

#[test]
fn many_accounts_live_in_one_file() {
    let telegram = Telegram::start();
    let file = telegram.path("fleet.sqlite");
    let place = format!("sqlite:{}", file.display());
    let at = |account: &str, arguments: &[&str]| {
        let place = format!("{place}#{account}");
        telegram.run(&[&["--json", "--session", &place], arguments].concat())
    };
    let list = ["--session", place.as_str(), "accounts"];
    refused(&telegram.run(&list), 3, &["no file", "login"]);
    assert!(!file.exists());
    for (account, phone, name) in [("ada", "9996620042", "Ada"), ("bob", "9996620043", "Bob")] {
        refused(&at(account, &["whoami"]), 4, &["no session yet", "fleet.sqlite", account]);
        let sign_up = ["login", "--phone", phone, "--code", "22222", "--first-name", name];
        let output = at(account, &sign_up);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    let whoami = |output: &std::process::Output| -> Value {
        assert!(output.status.success(), "{}", stderr(output));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["first_name"].clone()
    };
    assert_eq!(whoami(&at("ada", &["whoami"])), "Ada");
    // Without a name in the place, the account names the one in the file.
    let named = ["--json", "--session", &place, "--account", "bob", "whoami"];
    assert_eq!(whoami(&telegram.run(&named)), "Bob");
    refused(&at("ada", &["--account", "bob", "whoami"]), 2, &["--session", "--account"]);

    let right = passphrase_file(&telegram, "right", "correct horse\n");
    let flag = ["--passphrase-file", right.to_str().unwrap()];
    let encrypt = at("bob", &[&flag[..], &["session", "encrypt"]].concat());
    assert!(encrypt.status.success(), "{}", stderr(&encrypt));
    assert_eq!(whoami(&at("bob", &[&flag[..], &["whoami"]].concat())), "Bob");
    refused(&at("bob", &["whoami"]), 2, &["--passphrase-file"]);
    assert_eq!(whoami(&at("ada", &["whoami"])), "Ada");
    let listed = telegram.json(&list);
    assert_eq!(
        (&listed["accounts"][0]["name"], &listed["accounts"][0]["signed_in"]),
        (&"ada".into(), &true.into())
    );
    assert_eq!(listed["accounts"][1]["encrypted"], true);
    refused(&telegram.run(&[&list[..], &["remove", "bob"]].concat()), 2, &["--yes"]);
    assert!(telegram.run(&[&list[..], &["remove", "bob", "--yes"]].concat()).status.success());
    refused(&telegram.run(&[&list[..], &["remove", "bob", "--yes"]].concat()), 3, &["no account"]);
    refused(&telegram.run(&[&list[..], &["use", "ada"]].concat()), 2, &["sqlite:FILE#ACCOUNT"]);
    assert_eq!(telegram.json(&list)["accounts"].as_array().unwrap().len(), 1);
}

#[test]
fn a_database_that_cannot_be_reached_is_told_without_its_password() {
    let telegram = Telegram::start();
    let nobody = Nobody::new();
    let place = format!("postgres://ada:5EC7E7@{}/fleet#ada", nobody.address());
    for arguments in [&["whoami"][..], &["accounts"], &["session", "encrypt"]] {
        let output = telegram.run(&[&["-vv", "--session", &place], arguments].concat());
        assert!(!output.status.success());
        let text = stdout(&output) + &stderr(&output);
        assert!(!text.contains("5EC7E7") && !text.contains("panicked"), "{text}");
        assert!(text.contains("database"), "{text}");
    }
    let output = telegram.run(&["--session", &place, "config", "show"]);
    assert!(output.status.success() && stdout(&output).contains("account ada"));
    assert!(!stdout(&output).contains("5EC7E7"));
    let help = telegram.command(&["--help"]).env("TELEGRAM_SESSION", &place).output().unwrap();
    assert!(!stdout(&help).contains("5EC7E7"));
}
