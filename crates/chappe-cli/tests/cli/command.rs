//! What is common to all commands: usage, servers and keys, networks, pipes, Ctrl-C.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::telegram::{Nobody, Telegram, chappe, interrupt, refused, stdout};

#[test]
fn any_method_can_be_called() {
    let telegram = Telegram::start();
    let near = telegram.json(&["call", "help.getNearestDc"]);
    assert_eq!(near["_"], "nearestDc");
    let refusal = telegram.run(&["--json", "call", "account.getWebAuthorizations"]);
    refused(&refusal, 4, &["AUTH_KEY_UNREGISTERED"]);
    let error: Value = serde_json::from_slice(&refusal.stderr).unwrap();
    assert_eq!(error["error"]["code"], 401);
    telegram.login();
    let done = telegram.json(&["call", "account.resetWebAuthorization", r#"{"hash": 4457235}"#]);
    assert_eq!(done, Value::Bool(true));
    let again = telegram.run(&["call", "account.resetWebAuthorization", r#"{"hash": 4457235}"#]);
    refused(&again, 3, &["account.resetWebAuthorization answered HASH_INVALID"]);
    refused(&telegram.run(&["call", "account.resetWebAuth"]), 2, &["did you mean"]);
    let mut child = telegram
        .command(&["--json", "call", "users.getUsers", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(br#"{"id": [{"_": "inputUserSelf"}]}"#).unwrap();
    let output = child.wait_with_output().unwrap();
    let users: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(users[0]["_"], "user");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_command_and_says_what_is_known() {
    let telegram = Telegram::start();
    // A server that accepts and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let mut child = telegram
        .command_at(&address, &["call", "help.getNearestDc"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _socket = silent.accept().unwrap();
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut words = String::new();
    child.stderr.take().unwrap().read_to_string(&mut words).unwrap();
    assert!(words.contains("interrupted"), "{words}");
}

#[test]
fn a_network_that_is_lost_half_way_is_told() {
    let telegram = Telegram::start();
    telegram.login();
    let upstream: SocketAddr = telegram.announcement["address"].as_str().unwrap().parse().unwrap();
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = proxy.local_addr().unwrap().to_string();
    // Passes the client's first bytes on, and none of the answer; then nobody listens.
    let cut = thread::spawn(move || {
        let (mut client, _) = proxy.accept().unwrap();
        let mut server = TcpStream::connect(upstream).unwrap();
        let mut bytes = [0; 64];
        let count = client.read(&mut bytes).unwrap();
        server.write_all(&bytes[..count]).unwrap();
    });
    let began = Instant::now();
    let output =
        telegram.command_at(&address, &["--timeout", "2", "web", "list"]).output().unwrap();
    cut.join().unwrap();
    refused(&output, 7, &["network"]);
    // Much less than the minute that it waits by itself.
    assert!(began.elapsed() < Duration::from_secs(45));
    assert!(telegram.json(&["whoami"])["id"].is_number(), "the session is still good");
}

#[test]
fn nobody_listens() {
    let telegram = Telegram::start();
    let nobody = Nobody::new();
    let login = ["--timeout", "2", "login", "--phone", "1"];
    let output = telegram.command_at(&nobody.address(), &login).output();
    refused(&output.unwrap(), 7, &["cannot be reached"]);
}

#[test]
fn another_key_than_the_servers_is_refused() {
    let (first, second) = (Telegram::start(), Telegram::start());
    let address = second.announcement["address"].as_str().unwrap();
    let output = first.command_at(address, &["call", "help.getNearestDc"]).output().unwrap();
    refused(&output, 5, &["key"]);
}

#[test]
fn a_key_that_cannot_be_read_is_a_usage_error() {
    let telegram = Telegram::start();
    let address = telegram.announcement["address"].as_str().unwrap();
    let try_key = |file: &str| {
        let mut command = chappe(telegram.directory.path());
        command.args(["--server", address, "--server-key", file, "whoami"]).output().unwrap()
    };
    refused(&try_key("/nowhere/at/all.pem"), 2, &["cannot read"]);
    std::fs::write(telegram.path("bad.pem"), "-----BEGIN NONSENSE-----").unwrap();
    // Whether there is a session or not.
    let bad = telegram.path("bad.pem");
    refused(&try_key(bad.to_str().unwrap()), 2, &[bad.to_str().unwrap(), "PEM"]);
}

#[test]
fn a_key_without_its_server_does_not_reach_production() {
    let telegram = Telegram::start();
    let mut command = chappe(telegram.directory.path());
    command.arg("--server-key").arg(telegram.path("server.pem")).arg("whoami");
    command.env("TELEGRAM_API_ID", "1").env("TELEGRAM_API_HASH", "0".repeat(32));
    refused(&command.output().unwrap(), 2, &["--server-key", "no --server"]);
}

#[test]
fn usage_names_every_way_to_say_it() {
    let home = TempDir::new().unwrap();
    let run = |arguments: &[&str]| chappe(home.path()).args(arguments).output().unwrap();
    refused(&run(&["web", "reset"]), 2, &["web reset <HASH|DOMAIN>", "web reset --all"]);
    refused(&run(&["--timeout", "0", "whoami"]), 2, &["--timeout", "such as 30"]);
    refused(&run(&["call", "webAuthorization"]), 2, &["a constructor, not a method"]);
}

#[test]
fn programs_are_told_of_a_mistyped_command_line_as_json() {
    let home = TempDir::new().unwrap();
    for arguments in
        [&["--json", "web", "reset", "12x"][..], &["web", "rset", "--json"], &["--json"]]
    {
        let output = chappe(home.path()).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let error: Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(error["error"]["kind"], "usage", "{arguments:?}");
        let message = error["error"]["message"].as_str().unwrap();
        assert!(!message.is_empty() && !message.starts_with("error"), "{message}");
    }
    // Help that was asked for is no error.
    let help = chappe(home.path()).args(["--json", "--help"]).output().unwrap();
    assert!(help.status.success() && stdout(&help).contains("Exit codes"));
    let version = chappe(home.path()).arg("--version").output().unwrap();
    assert!(version.status.success() && stdout(&version).starts_with("chappe "));
}

#[test]
fn production_wants_an_application() {
    let home = TempDir::new().unwrap();
    let output = chappe(home.path()).arg("whoami").output().unwrap();
    refused(&output, 2, &["TELEGRAM_API_ID", "--server"]);
}
