//! `docs/first-steps.md`, replayed: what a new user types and is told, from nothing to signed in,
//! signed out, and signed in again by a QR code.
//!
//! `CHAPPE_BLESS=1 cargo test -p chappe-cli --test cli first_steps` writes what is shown today
//! into the document. Whoever does so reads every line: does it say what to do next?

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::telegram::chappe;
use crate::terminal::Terminal;

/// A person with a fresh home, and what was typed and shown so far.
struct Story {
    home: TempDir,
    server: Option<Terminal>,
    /// Where the server really listens.
    address: String,
    blocks: Vec<String>,
    /// What is shown in the document in place of what is different every time.
    masks: Vec<(String, String)>,
}

impl Story {
    fn begin() -> Self {
        let home = TempDir::new().unwrap();
        let place = home.path().to_str().unwrap().to_owned();
        let masks = vec![(place, "~".to_owned())];
        Self { home, server: None, address: String::new(), blocks: Vec::new(), masks }
    }

    /// A command as the document has it, in words without quotes.
    fn command(&self, words: &str) -> Command {
        let mut command = chappe(self.home.path());
        // The platform's own places, as anybody has them.
        command.env_remove("XDG_DATA_HOME").env_remove("XDG_CONFIG_HOME");
        command.current_dir(self.home.path()).args(words.split(' ').skip(1));
        if !self.address.is_empty() {
            command.env("CHAPPE_SERVER", &self.address).env("CHAPPE_SERVER_KEY", "server.pem");
        }
        command
    }

    fn start(&self, words: &str) -> Terminal {
        Terminal::start(self.command(words))
    }

    /// A block of the document begins.
    fn block(&mut self) {
        self.blocks.push(String::new());
    }

    fn tell(&mut self, words: &str, shown: &str) {
        let mut text = format!("$ {words}\n{shown}");
        for (real, told) in &self.masks {
            text = text.replace(real, told);
        }
        let text = same_every_day(&text);
        let lines: Vec<_> = text.lines().map(str::trim_end).collect();
        let block = self.blocks.last_mut().unwrap();
        block.push_str(lines.join("\n").trim_end());
        block.push('\n');
    }

    /// A command that asks nothing.
    fn run(&mut self, words: &str) {
        let shown = self.start(words).transcript();
        self.tell(words, &shown);
    }

    /// The number behind the last of these words is another one with each change of the server; the
    /// document keeps to its own.
    fn number(&mut self, shown: &str, before: &str, told: &str) {
        let real = shown.rsplit(before).next().unwrap();
        let real: String = real.chars().take_while(char::is_ascii_digit).collect();
        self.masks.push((real, told.to_owned()));
    }

    /// A command that asks; each question is waited for and answered.
    fn asked(&mut self, words: &str, answers: &[(&str, &str)]) {
        let mut terminal = self.start(words);
        for (question, answer) in answers {
            terminal.expect(question);
            terminal.enter(answer);
        }
        let shown = terminal.transcript();
        if shown.contains("First name") {
            self.number(&shown, "  id ", "5905921678");
        }
        self.tell(words, &shown);
    }

    /// Starts the server, at a free port that the document calls 44300.
    fn serve(&mut self) {
        let mut server =
            self.start("chappe serve --listen 127.0.0.1:0 --seed 1 --key-file server.pem");
        server.expect("listens on ");
        let address = server.expect(" ");
        self.address = address.trim().to_owned();
        server.expect("fingerprint ");
        let fingerprint = server.expect("\n").trim().to_owned();
        server.expect("Ctrl-C stops it.");
        self.masks.push((self.address.clone(), "127.0.0.1:44300".to_owned()));
        self.masks.push((fingerprint, "0123456789abcdef".to_owned()));
        let shown = server.shown();
        self.number(&shown, "user ", "6778795192");
        self.tell("chappe serve --listen 127.0.0.1:44300 --seed 1 --key-file server.pem", &shown);
        self.server = Some(server);
    }
}

/// Without what depends on the day and the server's key; and without tokens, which those who look
/// for leaked ones would find.
fn same_every_day(text: &str) -> String {
    let mut last = "";
    let words = text.split_inclusive([' ', '\n']).map(|word| {
        let (before, bare) = (std::mem::replace(&mut last, word), word.trim_end());
        let digits = bare.split('-').map(|part| part.bytes().all(|b| b.is_ascii_digit()));
        if bare.len() == 10 && digits.collect::<Vec<_>>() == [true; 3] {
            word.replace(bare, "2026-11-26")
        } else if let [_, _, b':', _, _] = bare.as_bytes() {
            word.replace(bare, "12:30")
        } else if bare.len() > 16 && bare.parse::<i64>().is_ok() {
            // A hash, drawn by the server behind all that it drew before: how much that was depends on
            // how often a code was asked for.
            word.replace(bare, "8594204731479421069")
        } else if before == "token " {
            word.replace(bare, "...")
        } else if let Some((folder, rest)) = bare.split_once("/server-") {
            word.replace(bare, &format!("{folder}/server-0123abcd{}", &rest[8..]))
        } else {
            word.to_owned()
        }
    });
    words.collect()
}

/// What the document has for a QR code: the picture is another one each time.
fn without_picture(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines() {
        let is_picture = line.contains(['█', '▀', '▄']);
        match (is_picture, lines.last()) {
            (true, Some(&"    (the code)")) => {}
            (true, _) => lines.push("    (the code)"),
            // The quiet zone around it.
            (false, _) if line.trim().is_empty() => {}
            (false, _) => lines.push(line),
        }
    }
    lines.join("\n")
}

fn told() -> Vec<String> {
    let mut story = Story::begin();
    story.masks.push((std::env::consts::ARCH.to_owned(), "x86_64".to_owned()));
    story.masks.push((format!(" {} ", std::env::consts::OS), " linux ".to_owned()));

    story.block();
    story.run("chappe whoami");

    story.block();
    story.serve();

    story.block();
    story.blocks[2]
        .push_str("$ export CHAPPE_SERVER=127.0.0.1:44300 CHAPPE_SERVER_KEY=server.pem\n");
    story.run("chappe accounts");
    story.run("chappe whoami");

    story.block();
    let sign_up = [
        ("Phone number", "9996620042"),
        ("Code:", "22222"),
        ("First name", "Ada"),
        ("Last name", "Lovelace"),
    ];
    story.asked("chappe login", &sign_up);
    story.run("chappe whoami");

    story.block();
    let sign_in = [("Phone number", "9996620042"), ("Code:", "22223"), ("wrong", "22222")];
    story.asked("chappe --account phone login", &sign_in);
    story.run("chappe accounts");

    story.block();
    story.asked("chappe logout", &[("Sign out", "y")]);
    story.run("chappe whoami");

    // The two sides of a QR code, each in a terminal of its own.
    let mut laptop = story.start("chappe login --qr");
    laptop.expect("tg://login?token=");
    let token = laptop.expect("\n").trim().to_owned();
    story.masks.push((token.clone(), "AQK...".to_owned()));
    let accept = format!("chappe --account phone login --accept tg://login?token={token}");
    let mut phone = story.start(&accept);
    phone.expect("sign in as");
    phone.enter("y");
    let accepted = phone.transcript();
    let scanned = laptop.transcript();
    story.block();
    story.tell("chappe login --qr", &without_picture(&scanned));
    story.block();
    story.tell(&accept, &accepted);

    story.block();
    story.run("chappe accounts");
    story.run("chappe account devices");

    // The account that a new server begins with is logged in to sites.
    story.block();
    story.run("chappe --account demo login --phone 9996621234 --code 22222");
    story.run("chappe --account demo web list --bot @ColumbusDemoBot");
    story.run("chappe --account demo web show 4457235");

    story.block();
    let both = [("Log out of travel.example.com in 2 browsers", "y")];
    story.asked("chappe --account demo web reset travel.example.com", &both);
    story.run("chappe --account demo web reset --inactive-for 90d --dry-run");
    story.blocks
}

/// Without the widths of columns, which depend on the machine's names.
fn squeezed(text: &str) -> String {
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("\n")
}

fn document() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join("..")
        .join("docs")
        .join("first-steps.md")
}

#[test]
fn the_first_steps_are_as_the_document_tells_them() {
    let told = told();
    let text = fs::read_to_string(document()).unwrap();
    let parts: Vec<&str> = text.split(FENCE).collect();
    assert_eq!(parts.len(), told.len() + 1, "blocks in the document, and in the story");
    if std::env::var_os("CHAPPE_BLESS").is_some() {
        let mut blessed = parts[0].to_owned();
        for (part, block) in parts[1..].iter().zip(&told) {
            let (_, prose) = part.split_once("```").unwrap();
            blessed.push_str(&format!("{FENCE}{block}```{prose}"));
        }
        fs::write(document(), blessed).unwrap();
        return;
    }
    for (part, block) in parts[1..].iter().zip(&told) {
        let (documented, _) = part.split_once("```").unwrap();
        let said = "what is shown, and what the document says";
        assert_eq!(squeezed(block), squeezed(documented), "{said}");
    }
}

/// What a block of the document begins with.
const FENCE: &str = "```console\n";
