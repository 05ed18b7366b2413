//! The command from outside: processes, pipes, files and exit codes, against `chappe serve`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A running `chappe serve` and a directory for the sessions of its clients.
struct Telegram {
    server: Child,
    announcement: Value,
    directory: TempDir,
}

impl Telegram {
    fn start() -> Self {
        Self::start_with(&[])
    }

    fn start_with(options: &[&str]) -> Self {
        let directory = TempDir::new().unwrap();
        let (server, announcement) = serve(options);
        let pem = announcement["rsa_public_key_pem"].as_str().unwrap();
        std::fs::write(directory.path().join("server.pem"), pem).unwrap();
        Self { server, announcement, directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A command that speaks to this server.
    fn command(&self, arguments: &[&str]) -> Command {
        let address = self.announcement["address"].as_str().unwrap();
        self.command_at(address, arguments)
    }

    fn command_at(&self, address: &str, arguments: &[&str]) -> Command {
        let mut command = chappe(self.directory.path());
        command.args(["--server", address, "--server-key"]).arg(self.path("server.pem"));
        command.args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json"], arguments].concat());
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn login(&self) {
        let account = &self.announcement["accounts"][0];
        let (phone, code) = (account["phone"].as_str().unwrap(), account["code"].as_str().unwrap());
        let user = self.json(&["login", "--phone", phone, "--code", code]);
        assert_eq!(user["id"], account["user_id"]);
    }
}

impl Drop for Telegram {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The command in an environment of its own.
fn chappe(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chappe"));
    command.env_clear().env("HOME", home).env("XDG_DATA_HOME", home.join("data"));
    command.stdin(Stdio::null());
    command
}

fn serve(options: &[&str]) -> (Child, Value) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_chappe"))
        .args(["serve", "--json"])
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, serde_json::from_str(&line).unwrap())
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Expects a failure with this exit code whose words hold all of these.
fn refused(output: &Output, code: i32, words: &[&str]) {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    for word in words {
        assert!(text.contains(word), "no {word:?} in: {text}");
    }
    assert!(!text.contains("panicked"), "{text}");
}

fn interrupt(child: &Child) {
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
fn the_demo_tells_the_whole_story() {
    let home = TempDir::new().unwrap();
    let output = chappe(home.path()).args(["demo", "--json"]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    let steps: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "serve",
            "key_exchange",
            "send_code",
            "sign_in",
            "list",
            "reset",
            "list_again",
            "reset_again",
            "bot_key_exchange",
            "bot_sign_in",
            "bot_reset",
            "sign_out"
        ]
    );
    assert!(steps.iter().all(|step| step["ms"].is_number()));
    let rows = |step: usize| steps[step]["web_authorizations"].as_array().unwrap();
    assert_eq!(steps[5]["result"], true);
    assert_eq!(rows(4).len(), rows(6).len() + 1);
    assert!(rows(6).iter().all(|row| row["hash"] != steps[5]["hash"]));
    assert_eq!(steps[7]["error"]["name"], "HASH_INVALID");
    assert_eq!(steps[10]["error"]["name"], "BOT_METHOD_INVALID");
    assert!(steps[10]["error"]["explained"].as_str().is_some_and(|words| !words.is_empty()));

    let people = chappe(home.path()).arg("demo").output().unwrap();
    assert!(people.status.success());
    assert!(stdout(&people).contains("account.resetWebAuthorization"));
}

#[test]
fn serve_announces_itself_in_one_line() {
    let telegram = Telegram::start();
    let said = &telegram.announcement;
    let address: SocketAddr = said["address"].as_str().unwrap().parse().unwrap();
    assert!(address.ip().is_loopback() && address.port() != 0);
    assert_eq!(said["layer"], 230);
    assert!(said["dc_id"].is_number());
    assert!(said["rsa_public_key_pem"].as_str().unwrap().contains("RSA PUBLIC KEY"));
    let fingerprint = said["rsa_fingerprint"].as_str().unwrap();
    assert!(fingerprint.len() == 16 && !fingerprint.starts_with('0'), "{fingerprint}");
    assert!(said["accounts"][0]["user_id"].is_number());
    assert!(said["bots"][0]["token"].is_string() && said["bots"][0]["username"].is_string());
}

#[test]
fn serve_runs_several_data_centres() {
    let telegram = Telegram::start_with(&["--dcs", "3", "--ipv6"]);
    let said = &telegram.announcement;
    let dcs: Vec<(i64, SocketAddr)> = said["dcs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|dc| (dc["id"].as_i64().unwrap(), dc["address"].as_str().unwrap().parse().unwrap()))
        .collect();
    let ids: Vec<_> = dcs.iter().map(|(id, address)| (*id, address.is_ipv6())).collect();
    let [v4, v6] = [false, true];
    assert_eq!(ids, [(1, v4), (1, v6), (2, v4), (2, v6), (3, v4), (3, v6)]);
    assert_eq!((&said["dc_id"], &said["address"]), (&2.into(), &dcs[2].1.to_string().into()));
    for (_, address) in &dcs {
        TcpStream::connect(address).unwrap();
    }
    assert!(said["bots"].as_array().unwrap().iter().any(|bot| bot["dc_id"] == 1));
    telegram.login();
    let nearest = telegram.json(&["call", "help.getNearestDc"]);
    assert_eq!((&nearest["this_dc"], &nearest["nearest_dc"]), (&2.into(), &2.into()));
}

#[test]
fn data_centre_2_is_one_of_several_or_alone() {
    let home = TempDir::new().unwrap();
    let output = chappe(home.path()).args(["serve", "--dcs", "0"]).output().unwrap();
    refused(&output, 2, &["--dcs"]);
    let telegram = Telegram::start_with(&["--dcs", "1"]);
    let only = telegram.announcement["dcs"].as_array().unwrap();
    assert_eq!((only.len(), &only[0]["id"]), (1, &2.into()));
    assert_eq!(only[0]["address"], telegram.announcement["address"]);
}

#[test]
fn the_seeded_web_sessions_hold_every_awkward_row() {
    let telegram = Telegram::start();
    telegram.login();
    let value = telegram.json(&["web", "list"]);
    let rows = value["web_authorizations"].as_array().unwrap();
    assert!(rows.len() >= 5);
    let any = |test: &dyn Fn(&Value) -> bool| rows.iter().any(test);
    assert!(any(&|row| row["hash"].as_str().unwrap().starts_with('-')));
    assert!(any(&|row| row["hash"] == "4457235"));
    assert!(any(&|row| row["date_active"] == 0));
    assert!(any(&|row| !row["region"].as_str().unwrap().is_ascii()));
    assert!(any(&|row| row["domain"].as_str().unwrap().len() >= 254));
    let bots: Vec<&Value> = rows.iter().map(|row| &row["bot_id"]).collect();
    assert!(bots.iter().any(|bot| bots.iter().filter(|other| other == &bot).count() == 2));
}

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
    refused(&telegram.run(&["whoami"]), 4, &["no session yet"]);
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

#[cfg(unix)]
#[test]
fn ctrl_c_ends_serve_in_good_order() {
    let (mut child, _) = serve(&[]);
    interrupt(&child);
    assert!(child.wait().unwrap().success());
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
    assert!(began.elapsed() < Duration::from_secs(20));
    assert!(telegram.json(&["whoami"])["id"].is_number(), "the session is still good");
}

#[test]
fn nobody_listens() {
    let telegram = Telegram::start();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let output = telegram.command_at(&free, &["--timeout", "2", "login", "--phone", "1"]).output();
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
fn what_cannot_sign_in_is_a_mistake_of_whoever_typed_it() {
    let telegram = Telegram::start();
    for phone in ["123", "abc", "", "+15550100"] {
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
fn usage_names_every_way_to_say_it() {
    let home = TempDir::new().unwrap();
    let run = |arguments: &[&str]| chappe(home.path()).args(arguments).output().unwrap();
    refused(&run(&["web", "reset"]), 2, &["web reset <HASH>", "web reset --all"]);
    refused(&run(&["--timeout", "0", "whoami"]), 2, &["--timeout", "1"]);
    refused(&run(&["call", "webAuthorization"]), 2, &["a constructor, not a method"]);
}

#[test]
fn programs_are_told_of_a_mistyped_command_line_as_json() {
    let home = TempDir::new().unwrap();
    for arguments in
        [&["--json", "web", "reset", "abc"][..], &["web", "rset", "--json"], &["--json"]]
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

#[test]
fn serve_keeps_to_the_loopback_interface_and_its_data() {
    let home = TempDir::new().unwrap();
    let output = chappe(home.path()).args(["serve", "--listen", "0.0.0.0:0"]).output().unwrap();
    refused(&output, 2, &["--danger-expose-to-network"]);
    for address in ["[::]:0", "[::ffff:0.0.0.0]:0", "192.0.2.1:4430"] {
        let output = chappe(home.path()).args(["serve", "--listen", address]).output().unwrap();
        refused(&output, 2, &["--danger-expose-to-network"]);
    }
}

#[test]
fn what_serve_cannot_use_is_named() {
    let telegram = Telegram::start();
    let run = |option: &str, value: &str| {
        let mut command = chappe(telegram.directory.path());
        command.args(["serve", option, value]).output().unwrap()
    };
    let taken = telegram.announcement["address"].as_str().unwrap();
    refused(&run("--listen", taken), 5, &[taken, "port 0"]);
    refused(&run("--listen", "4430"), 2, &["HOST:PORT"]);
    let data = |name: &str, file: &str, text: &str| {
        let directory = telegram.path(name);
        std::fs::create_dir(&directory).unwrap();
        std::fs::write(directory.join(file), text).unwrap();
        (run("--data", directory.to_str().unwrap()), directory.join(file))
    };
    let (output, file) = data("a", "chappe.sqlite", "a letter to somebody");
    refused(&output, 1, &[file.to_str().unwrap(), "no database"]);
    let (output, file) = data("b", "server-key.pem", "a letter to somebody");
    refused(&output, 1, &[file.to_str().unwrap(), "PEM"]);
    refused(&run("--data", file.to_str().unwrap()), 1, &["not a directory"]);
}

/// What was acknowledged survives a kill: a reset web session stays reset, an account stays
/// signed in, and the server keeps its key.
#[test]
fn a_killed_server_loses_nothing_that_it_acknowledged() {
    let data = TempDir::new().unwrap();
    let options = ["--data", data.path().to_str().unwrap()];
    let mut telegram = Telegram::start_with(&options);
    telegram.login();
    telegram.json(&["web", "reset", "4457235", "--yes"]);
    telegram.server.kill().unwrap();
    telegram.server.wait().unwrap();
    let key = telegram.announcement["rsa_fingerprint"].clone();
    let (server, announcement) = serve(&options);
    telegram.server = server;
    telegram.announcement = announcement;
    assert_eq!(telegram.announcement["rsa_fingerprint"], key);
    let value = telegram.json(&["web", "list"]);
    let rows = value["web_authorizations"].as_array().unwrap();
    assert!(rows.len() >= 4 && rows.iter().all(|row| row["hash"] != "4457235"));
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
    for tidy_up in [&["logout", "--yes"][..], &login] {
        std::fs::copy(&session, &copy).unwrap();
        let output = with(&copy, &["call", "auth.logOut"]);
        assert!(output.status.success(), "{}", stderr(&output));
        refused(&with(&session, &["whoami"]), 4, &["signed in"]);
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

/// Asks the control port of a server; tells the status and the body.
fn control(url: &str, method: &str, path: &str, body: &str) -> (u16, Value) {
    let host = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap())
}

#[test]
fn a_served_telegram_fails_on_demand() {
    let telegram = Telegram::start_with(&["--control"]);
    let url = telegram.announcement["control"].as_str().unwrap();
    let refuse = r#"{"fault": {"rpc_error": {"code": 400, "text": "PHONE_NUMBER_BANNED"}},
                     "method": "auth.sendCode", "times": 1}"#;
    assert_eq!(control(url, "POST", "/faults", refuse).0, 201);
    let phone = telegram.announcement["accounts"][0]["phone"].as_str().unwrap();
    let output = telegram.run(&["login", "--phone", phone, "--code", "1"]);
    assert!(!output.status.success() && stderr(&output).contains("PHONE_NUMBER_BANNED"));
    telegram.login();
    let (status, fault) = control(url, "DELETE", "/faults/1", "");
    assert_eq!((status, &fault["struck"]), (200, &1.into()));
}

#[test]
fn a_control_port_is_not_exposed() {
    let home = TempDir::new().unwrap();
    let output = chappe(home.path())
        .args(["serve", "--danger-expose-to-network", "--control", "0.0.0.0:0"])
        .output()
        .unwrap();
    refused(&output, 2, &["control port", "127.0.0.1", "--control"]);
}
