//! Session files: whose they are, and who uses them.

use std::net::TcpListener;

use serde_json::Value;

use crate::telegram::{Telegram, refused, stderr};

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
    refused(&output, 1, &["no session of chappe"]);
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
