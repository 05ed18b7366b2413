//! `chappe serve`: the local Telegram as a process of its own.

use std::io;
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use chappe_server::bots::BotSettings;
use chappe_server::letters::{Letter, Subject};
use chappe_server::{Announcement, Builder, Error, Server};
use serde_json::json;

use crate::args::Serve;
use crate::interrupt::Interrupt;
use crate::output::{Exit, Failure, Output, bold, dim, notice, paint, printable};

/// Runs the server until Ctrl-C or SIGTERM.
pub(crate) async fn serve(options: Serve, output: Output) -> Result<(), Failure> {
    let kept = options.data.is_some();
    let key_file = options.key_file.clone();
    let mut interrupt = Interrupt::listen()?;
    let server = builder(options).start().await.map_err(failure)?;
    if let Some(path) = &key_file {
        std::fs::write(path, server.public_key_pem()).map_err(|error| {
            Failure::usage(format!("cannot write the key to {}: {error}", path.display()))
        })?;
    }
    if output.is_json() {
        output.line(&json!(server.announcement()).to_string())?;
    } else {
        output.line(&welcome(server.announcement(), key_file.as_deref()))?;
        notice(&paint(
            dim(),
            if kept {
                "The state is kept. Ctrl-C stops the server."
            } else {
                "The state is in memory and ends with the server. Ctrl-C stops it."
            },
        ));
    }
    let mut letters = server.letters().mailboxes();
    let printer = printer(output);
    loop {
        tokio::select! {
            _ = interrupt.wait() => return server.shutdown().await.map_err(failure),
            letter = letters.next() => {
                // A full queue: nobody reads. The letters are kept, and the server does its work.
                let _ = printer.try_send(letter.map_err(failure)?);
            }
        }
    }
}

/// Prints letters in a thread of its own: a pipe that nobody reads must not hold up the server, nor
/// keep Ctrl-C from being heard.
fn printer(output: Output) -> SyncSender<Letter> {
    let (sender, letters) = sync_channel::<Letter>(UNREAD);
    thread::spawn(move || {
        for letter in letters {
            if !output.is_json() {
                notice(&announce(&letter));
            } else if output.line(&json!({ "letter": letter }).to_string()).is_err() {
                // Whoever read the announcement may not want to know more.
                break;
            }
        }
    });
    sender
}

/// A letter in one line, for people.
fn announce(letter: &Letter) -> String {
    let way = letter.way.name().replace('_', " ");
    let purpose = match letter.subject {
        Subject::SignIn => "sign in with",
        Subject::LoginEmail => "confirm this address for login codes with",
        Subject::RecoveryEmail => "confirm this address for a forgotten password with",
        Subject::PasswordRecovery => "replace the password with",
        _ => "use",
    };
    let code = printable(&letter.code);
    format!("letter   {way} to {}: {purpose} {}", printable(&letter.to), paint(bold(), &code))
}

fn builder(options: Serve) -> Builder {
    let mut builder = Server::builder()
        .listen(options.listen)
        .dcs(options.dcs)
        .ipv6(options.ipv6)
        .expose_to_the_network(options.danger_expose_to_network);
    if let Some(directory) = options.data {
        builder = builder.data(directory);
    }
    if let Some(seed) = options.seed {
        builder = builder.seed(seed);
    }
    if let Some(address) = options.control {
        builder = builder.control(address);
    }
    if let Some(address) = options.web {
        builder = builder.web(address);
    }
    if let Some(address) = options.dashboard {
        builder = builder.dashboard(address);
    }
    for (bot, domain) in options.bot_domain {
        builder = builder.bot(bot, BotSettings::new().domain(domain));
    }
    builder
}

/// What a person needs to point a client at the server.
fn welcome(server: &Announcement, key_file: Option<&Path>) -> String {
    let key = match key_file {
        Some(path) => format!("key      {}", path.display()),
        None => server.rsa_public_key_pem.trim_end().to_owned(),
    };
    let mut text = format!(
        "{} on {} as data centre {}, layer {}\n\n{key}\nfingerprint {}\n",
        paint(bold(), "A local Telegram listens"),
        paint(bold(), &server.address),
        server.dc_id,
        server.layer,
        server.rsa_fingerprint,
    );
    // One data centre at one address was said above, and everybody lives there.
    let several = server.dcs.len() > 1;
    for dc in server.dcs.iter().filter(|_| several) {
        text.push_str(&format!("\ndc       {} on {}", dc.id, dc.address));
    }
    let home = |dc_id: i32| if several { format!("  dc {dc_id}") } else { String::new() };
    for account in &server.accounts {
        text.push_str(&format!(
            "\naccount  phone {}  code {}  user {}{}",
            account.phone,
            account.code,
            account.user_id,
            home(account.dc_id)
        ));
    }
    for bot in &server.bots {
        text.push_str(&format!(
            "\nbot      @{}  token {}{}",
            bot.username,
            bot.token,
            home(bot.dc_id)
        ));
    }
    if let Some(control) = &server.control {
        text.push_str(&format!("\ncontrol  {control}  GET it for what can be ordered"));
    }
    if let Some(web) = &server.web {
        text.push_str(&format!("\nweb      {web}  what sites take for telegram.org"));
    }
    if let Some(dashboard) = &server.dashboard {
        text.push_str(&format!("\nboard    {dashboard}  yours: the key lets in"));
    }
    text.push_str("\nanybody  phone 99966XYYYY  code XXXXX (X: 1, 2 or 3)");
    text.push_str("\n         any other phone: its code is printed here");
    let key = key_file.map_or_else(|| "FILE.pem".to_owned(), |path| path.display().to_string());
    text.push_str(&format!(
        "\nclient   chappe --server {} --server-key {key} login",
        server.address
    ));
    text
}

/// Explains why the local Telegram did not start or broke down.
pub(crate) fn failure(error: Error) -> Failure {
    let text = error.to_string();
    match error {
        Error::NotLoopback(_) => {
            Failure::usage(text).hint("the name of the exposure is --danger-expose-to-network")
        }
        Error::ControlNotLoopback(_) => {
            Failure::usage(text).hint("--control without an address picks a free port")
        }
        Error::WebNotLoopback(_) => {
            Failure::usage(text).hint("--web and --dashboard without an address pick a free port")
        }
        Error::Bot(_) | Error::Login(_) => Failure::usage(text),
        Error::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
            Failure::new(Exit::Conflict, text)
                .hint("another program listens there; port 0 picks a free one")
        }
        Error::NoMainDc { .. } => Failure::usage(text).hint("--dcs 1 runs data centre 2 alone"),
        Error::DataInUse(_) => Failure::new(Exit::Conflict, text),
        _ => Failure::new(Exit::Other, text),
    }
}

/// How many letters wait to be printed.
const UNREAD: usize = 256;
