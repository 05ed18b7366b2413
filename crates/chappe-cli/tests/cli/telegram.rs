//! What the tests run: `chappe serve` as a process, commands that speak to it, and what is
//! expected of their answers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// A running `chappe serve` and a directory for the sessions of its clients.
pub(crate) struct Telegram {
    pub(crate) server: Child,
    pub(crate) announcement: Value,
    pub(crate) directory: TempDir,
}

impl Telegram {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(options: &[&str]) -> Self {
        let directory = TempDir::new().unwrap();
        let (server, announcement) = serve(options);
        let pem = announcement["rsa_public_key_pem"].as_str().unwrap();
        std::fs::write(directory.path().join("server.pem"), pem).unwrap();
        Self { server, announcement, directory }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A command that speaks to this server.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let address = self.announcement["address"].as_str().unwrap();
        self.command_at(address, arguments)
    }

    pub(crate) fn command_at(&self, address: &str, arguments: &[&str]) -> Command {
        let mut command = chappe(self.directory.path());
        command.args(["--server", address, "--server-key"]).arg(self.path("server.pem"));
        command.args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json"], arguments].concat());
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Orders how a phone number signs in; the server needs its control port.
    pub(crate) fn order(&self, phone: &str, order: &str) {
        let url = self.announcement["control"].as_str().unwrap();
        let (status, answer) = control(url, "PUT", &format!("/numbers/{phone}"), order);
        assert!((200..300).contains(&status), "{answer}");
    }

    /// The code in the last letter to a phone number or mailbox.
    pub(crate) fn letter(&self, to: &str) -> String {
        let url = self.announcement["control"].as_str().unwrap();
        let (_, answer) = control(url, "GET", &format!("/letters?to={to}"), "");
        let last = answer["letters"].as_array().unwrap().last().unwrap();
        last["code"].as_str().unwrap().to_owned()
    }

    pub(crate) fn login(&self) {
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

/// A command that runs until somebody ends it, and prints a JSON object a line. It is killed when it
/// is dropped.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    words: Receiver<String>,
}

impl Running {
    pub(crate) fn start(command: Command) -> Self {
        Self::read(command, usize::MAX)
    }

    /// Reads no more than so many lines of it.
    pub(crate) fn read(mut command: Command, most: usize) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let ((line, lines), (word, words)) = (channel(), channel());
        thread::spawn(move || {
            // A test that ended listens no more.
            let mut lines = BufReader::new(stdout).lines().map_while(Result::ok).take(most);
            lines.try_for_each(|l| line.send(l))
        });
        thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap();
            word.send(text)
        });
        Self { child, lines, words }
    }

    /// The next line.
    pub(crate) fn next(&self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).expect("another line");
        serde_json::from_str(&line).unwrap()
    }

    pub(crate) fn interrupt(&self) {
        interrupt(&self.child);
    }

    /// Waits for the end; gives the exit code and what was said on standard error.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let words = self.words.recv_timeout(PATIENCE).expect("the end");
        (self.child.wait().unwrap().code(), words)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address at which nobody listens, and nobody can as long as this is there: the port is that of a
/// connection.
pub(crate) struct Nobody {
    address: SocketAddr,
    _ends: (TcpListener, TcpStream),
}

impl Nobody {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        Self { address: stream.local_addr().unwrap(), _ends: (listener, stream) }
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }
}

/// The command in an environment of its own.
pub(crate) fn chappe(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chappe"));
    command.env_clear().env("HOME", home);
    command.env("XDG_DATA_HOME", home.join("data")).env("XDG_CONFIG_HOME", home.join("config"));
    command.stdin(Stdio::null());
    command
}

pub(crate) fn serve(options: &[&str]) -> (Child, Value) {
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

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Expects a failure with this exit code whose words hold all of these.
pub(crate) fn refused(output: &Output, code: i32, words: &[&str]) {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    for word in words {
        assert!(text.contains(word), "no {word:?} in: {text}");
    }
    assert!(!text.contains("panicked"), "{text}");
}

pub(crate) fn interrupt(child: &Child) {
    signal(child, "-INT");
}

/// Sends a process a signal, by an option of `kill`.
pub(crate) fn signal(child: &Child, option: &str) {
    // The shell has one built in.
    let kill = format!("kill {option} {}", child.id());
    let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(status.success());
}

/// Asks the control port of a server; tells the status and the body.
pub(crate) fn control(url: &str, method: &str, path: &str, body: &str) -> (u16, Value) {
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

/// How long something may take to be printed.
const PATIENCE: Duration = Duration::from_secs(120);
