//! A person at a terminal: a command whose three streams are a pseudo-terminal.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::telegram::signal;

pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    /// What was shown and not yet looked at.
    seen: Vec<u8>,
    /// All that was shown.
    all: Vec<u8>,
}

impl Terminal {
    /// Runs a command at a terminal of 100 columns.
    pub(crate) fn start(mut command: Command) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let path = ptsname(&ours, Vec::new()).unwrap();
        let theirs = File::options()
            .read(true)
            .write(true)
            .custom_flags(OFlags::NOCTTY.bits().cast_signed())
            .open(std::ffi::OsStr::from_bytes(path.to_bytes()))
            .unwrap();
        let size = Winsize { ws_row: 60, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&theirs, size).unwrap();
        if !command.get_envs().any(|(name, _)| name == "TERM") {
            command.env("TERM", "xterm");
        }
        command.stdin(theirs.try_clone().unwrap()).stdout(theirs.try_clone().unwrap());
        let child = command.stderr(theirs).spawn().unwrap();
        let keyboard = File::from(ours);
        let mut input = keyboard.try_clone().unwrap();
        let (sender, screen) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The terminal of a process that ended gives an error and no more.
            while let Ok(count @ 1..) = input.read(&mut bytes) {
                let Ok(()) = sender.send(bytes[..count].to_vec()) else { break };
            }
        });
        Self { child, keyboard, screen, seen: Vec::new(), all: Vec::new() }
    }

    /// Waits until `text` is shown, and gives all that was shown up to its end.
    pub(crate) fn expect(&mut self, text: &str) -> String {
        self.expect_one(&[text])
    }

    /// Waits until one of the texts is shown, and gives all that was shown up to its end.
    pub(crate) fn expect_one(&mut self, texts: &[&str]) -> String {
        loop {
            let shown = plain(&self.seen);
            let ends = texts.iter().filter_map(|text| Some(shown.find(text)? + text.len()));
            if let Some(end) = ends.min() {
                let (before, after) = shown.split_at(end);
                self.seen = after.as_bytes().to_vec();
                return before.to_owned();
            }
            match self.screen.recv_timeout(PATIENCE) {
                Ok(bytes) => self.look(&bytes),
                Err(_) => panic!("waited for {texts:?}, shown was: {shown}"),
            }
        }
    }

    /// Types a line, once the command waits for one: what is typed before would be shown by the
    /// terminal, or thrown away before a password is read.
    pub(crate) fn enter(&mut self, text: &str) {
        let waiting = LocalModes::ICANON | LocalModes::ECHO;
        let deadline = Instant::now() + PATIENCE;
        while tcgetattr(&self.keyboard).unwrap().local_modes.contains(waiting) {
            assert!(Instant::now() < deadline, "nothing is asked: {}", plain(&self.seen));
            if let Ok(bytes) = self.screen.recv_timeout(GLANCE) {
                self.look(&bytes);
            }
        }
        self.keyboard.write_all(format!("{text}\r").as_bytes()).unwrap();
    }

    /// Types a line for a command that reads whole lines whenever they come.
    pub(crate) fn say(&mut self, text: &str) {
        self.keyboard.write_all(format!("{text}\n").as_bytes()).unwrap();
    }

    /// Presses keys, whatever the terminal is told to do with them.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Sends the command the signal of a terminal that is closed.
    pub(crate) fn hang_up(&self) {
        signal(&self.child, "-HUP");
    }

    /// Waits for the end; gives the exit code and what was shown since.
    pub(crate) fn end(mut self) -> (i32, String) {
        let code = self.wait();
        (code, plain(&self.seen))
    }

    /// Sends the command itself a signal, and nothing else at the terminal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Whether the terminal edits and shows a line that is typed, as it does for a shell.
    pub(crate) fn is_plain(&self) -> bool {
        let modes = tcgetattr(&self.keyboard).unwrap().local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// Waits until nobody has the terminal any more; gives the exit code and whether the terminal is
    /// as a shell leaves it.
    pub(crate) fn left(mut self) -> (i32, bool) {
        (self.wait(), self.is_plain())
    }

    /// Waits for the end; gives all that was shown from the beginning.
    pub(crate) fn transcript(mut self) -> String {
        self.wait();
        plain(&self.all)
    }

    /// All that was shown until now.
    pub(crate) fn shown(&self) -> String {
        plain(&self.all)
    }

    fn wait(&mut self) -> i32 {
        loop {
            match self.screen.recv_timeout(PATIENCE) {
                Ok(bytes) => self.look(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("no end: {}", plain(&self.seen)),
            }
        }
        self.child.wait().unwrap().code().unwrap()
    }

    fn look(&mut self, bytes: &[u8]) {
        self.seen.extend(bytes);
        self.all.extend(bytes);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a person reads: lines without colours, and of a line that was drawn over the last state.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => {
                // CSI parameters, and the letter that ends them.
                if characters.next_if_eq(&'[').is_some() {
                    let mut last = None;
                    for character in characters.by_ref() {
                        last = Some(character);
                        if character.is_ascii_alphabetic() {
                            break;
                        }
                    }
                    // Erasing the line: what was on it is gone.
                    if last == Some('K') {
                        out.truncate(out.rfind('\n').map_or(0, |at| at + 1));
                    }
                }
            }
            '\r' => {
                if characters.peek() == Some(&'\n') {
                    continue;
                }
            }
            _ => out.push(character),
        }
    }
    out
}

/// How long to look at the screen before looking at the keyboard again.
const GLANCE: Duration = Duration::from_millis(5);
/// How long something may take to be shown: keys are made before, by other tests at the same time, too.
const PATIENCE: Duration = Duration::from_secs(120);
