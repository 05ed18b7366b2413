//! Sessions of other libraries: shown, imported, exported, converted. No key is printed unless
//! somebody asks for it by `--reveal`.

use std::fs;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use chappe::session::foreign::{self, Field, Home};
use chappe::session::{File, Foreign, ForeignError, Format, Memory, Session};
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};
use zeroize::Zeroizing;

use crate::args::{Convert, Export, Given, Global, Import, Written};
use crate::connect::Target;
use crate::errors::failure;
use crate::interrupt::unless_interrupted;
use crate::output::{Cell, Exit, Failure, Output, good, notice, paint};
use crate::prompt;
use crate::telegram::Telegram;
use crate::user::{describe, user_json};

/// `chappe session show`.
pub(crate) async fn show(global: &Global, given: &Given, output: Output) -> Result<(), Failure> {
    if given.source.is_some() || given.format.is_some() {
        let sessions = read(given).await?;
        let rows: Vec<_> =
            sessions.iter().map(|(format, session)| Facts::new(*format, session)).collect();
        return answer(&rows, output);
    }
    let target = Target::offline(global)?;
    let session =
        target.store().await?.load().map_err(failure)?.ok_or_else(|| target.no_session())?;
    if !session.is_signed_in() {
        return Err(target.nobody());
    }
    let session = Foreign::from_session(&session).map_err(refusal)?;
    answer(&[Facts::new(Format::Chappe, &session)], output)
}

/// `chappe session import`.
pub(crate) async fn import(
    global: &Global,
    options: &Import,
    output: Output,
) -> Result<(), Failure> {
    let target = if options.offline { Target::offline(global)? } else { Target::new(global)? };
    let session = one(read(&options.given).await?, options.number)?;
    let made_with = session.api_id;
    let session = into_session(session, &target)?;
    let store = target.store().await?;
    // From here on nobody else may begin to use what is replaced.
    let _lock = store.lock().map_err(failure)?;
    if store.load().map_err(failure)?.is_some_and(|old| old.is_signed_in()) && !global.yes {
        return Err(Failure::new(
            Exit::Conflict,
            "somebody is signed in with this account already",
        )
        .hint(
            "import beside it: `chappe --account NAME session import`; or replace it by \
                 --yes, which does not sign it out",
        ));
    }
    if options.offline {
        store.save(&session).map_err(failure)?;
        let value = json!({ "imported": { "user_id": session.user_id(), "checked": false } });
        output.answer(&value, || format!("{}; nothing was dialled", paint(good(), "imported")))?;
    } else {
        if let (Some(theirs), Some(ours)) = (made_with, target.foreign_api_id())
            && theirs != ours
        {
            notice(&format!(
                "warning: the session was made by another application (api_id {theirs}); \
                 Telegram may end it when it is used with {ours}"
            ));
        }
        let work = check(&target, session);
        let (session, user) = unless_interrupted(work, "nothing was imported").await?;
        store.save(&session).map_err(failure)?;
        target.remember(&user).await?;
        let value = json!({ "imported": { "user_id": user.id, "checked": true }, "user": user_json(&user) });
        output.answer(&value, || {
            format!("{}: signed in as {}", paint(good(), "imported"), describe(&user))
        })?;
    }
    if !output.is_json() {
        notice(
            "Do not use it with the other program at the same time: Telegram ends a session that \
             is used at two places at once.",
        );
    }
    Ok(())
}

/// `chappe session export`.
pub(crate) async fn export(
    global: &Global,
    options: &Export,
    output: Output,
) -> Result<(), Failure> {
    let target = if options.offline { Target::offline(global)? } else { Target::new(global)? };
    options.written.check(options.format, global.yes)?;
    let mut session =
        target.store().await?.load().map_err(failure)?.ok_or_else(|| target.no_session())?;
    if !session.is_signed_in() {
        return Err(target.nobody());
    }
    if session.user_id().is_none() && !options.offline {
        // It was imported without saying whose it is: the server knows.
        let ask = async {
            let client = target.resume().await?;
            target.who(&client).await?;
            let session = client.session();
            client.close().await.map_err(failure)?;
            Ok(session)
        };
        session = unless_interrupted(ask, "nothing was exported").await?;
    }
    let mut session = Foreign::from_session(&session).map_err(refusal)?;
    session.api_id = session.api_id.or_else(|| target.api_id());
    write(&session, options.format, &options.written, output)
}

/// `chappe session convert`.
pub(crate) async fn convert(
    global: &Global,
    options: &Convert,
    output: Output,
) -> Result<(), Failure> {
    options.written.check(options.to, global.yes)?;
    let mut session = one(read(&options.given).await?, options.number)?;
    session.api_id = session.api_id.or(global.api_id);
    if let Some(user_id) = options.user_id {
        session.user_id = Some(user_id);
        session.bot = Some(options.bot);
    }
    write(&session, options.to, &options.written, output)
}

impl Written {
    /// Says what is wrong with where the session is to go, before it is read.
    fn check(&self, format: Format, replace: bool) -> Result<(), Failure> {
        if self.new_passcode_file.is_some() && format != Format::Tdata {
            return Err(Failure::usage(format!("{format} knows no passcode"))
                .hint("only tdata has one: leave --new-passcode-file out"));
        }
        match &self.output {
            // The library takes a folder that is new or empty, and replaces none.
            Some(_) if format.is_folder() => Ok(()),
            Some(path) if path.symlink_metadata().is_ok() && !replace => {
                Err(Failure::new(Exit::Conflict, format!("{} exists", path.display()))
                    .hint("name another file, or replace it by --yes"))
            }
            Some(_) => Ok(()),
            None if !self.reveal => Err(Failure::usage(
                "a session is the account: it is not printed unless that is asked for",
            )
            .hint("write it to a file that only you can read: -o FILE; or print it: --reveal")),
            None if !format.is_text() => {
                Err(Failure::usage(format!("{format} is no text that can be printed"))
                    .hint("name a file: -o FILE"))
            }
            None => Ok(()),
        }
    }
}

/// Reads sessions from a file, or from standard input. What is typed on the command line stays in
/// the history of the shell, so that a session is never taken from there.
async fn read(given: &Given) -> Result<Vec<(Format, Foreign)>, Failure> {
    let (input, format) = match &given.source {
        Some(path) if path.as_os_str() != "-" => {
            if is_session_itself(path) {
                return Err(Failure::usage(
                    "a session is given where a file is wanted; it is now in your shell's history",
                )
                .hint(
                    "remove it there; then give it by standard input, or name a file that holds \
                     it",
                ));
            }
            if File::new(path).is_sealed().is_ok_and(|sealed| sealed) {
                return Err(Failure::usage(format!("{} is encrypted", path.display()))
                    .hint("name it as --session FILE, which asks for the passphrase"));
            }
            let input = if path.is_dir() { None } else { Some(read_file(path)?) };
            let format = given.format.or_else(|| foreign::guess(input.as_deref()?));
            let sessions = match foreign::load(path, format) {
                Err(ForeignError::Passcode) => unlock(path, given.passcode_file.as_deref()).await?,
                sessions => sessions.map_err(|error| {
                    refusal(error).named("this is", &format!("{} is", path.display()))
                })?,
            };
            let format = format.unwrap_or(Format::Tdata);
            return Ok(sessions.into_iter().map(|session| (format, session)).collect());
        }
        _ if io::stdin().is_terminal() => {
            let question = "Session string (not shown)";
            let text = prompt::secret(question, "a file, or standard input").await?;
            (Zeroizing::new(text.into_bytes()), given.format)
        }
        _ => (prompt::bytes_of_stdin(LARGEST).await?, given.format),
    };
    if input.trim_ascii().is_empty() {
        return Err(Failure::usage("standard input is empty; it should hold a session")
            .hint("for example: chappe session import < session.txt"));
    }
    let format = format.or_else(|| foreign::guess(&input)).ok_or(ForeignError::Unknown);
    let format = format.map_err(refusal)?;
    Ok(vec![(format, Foreign::read(format, &input).map_err(refusal)?)])
}

/// Reads a folder of Telegram Desktop that is locked; a person may try three times.
async fn unlock(folder: &Path, passcode: Option<&Path>) -> Result<Vec<Foreign>, Failure> {
    let mut tries = 0;
    loop {
        let text = match passcode {
            Some(file) => read_passcode(file)?,
            None => {
                let question = "Local passcode of Telegram Desktop";
                Zeroizing::new(prompt::secret(question, "--passcode-file").await?)
            }
        };
        tries += 1;
        match foreign::read_tdata(folder, Some(&text)) {
            Err(ForeignError::Passcode) if passcode.is_none() && tries < TRIES => {
                notice("This passcode does not open it. Try again.");
            }
            Err(ForeignError::Passcode) => {
                return Err(Failure::new(Exit::Permission, "the passcode is wrong"));
            }
            sessions => return sessions.map_err(refusal),
        }
    }
}

fn read_passcode(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = fs::read_to_string(file).map(Zeroizing::new).map_err(|error| {
        Failure::usage(format!("cannot read the passcode from {}: {error}", file.display()))
    })?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(Zeroizing::new(line.to_owned())),
        _ => Err(Failure::usage(format!(
            "the passcode file {} is empty; its first line is the passcode",
            file.display()
        ))),
    }
}

/// Whether a "path" is a session string: none of it may be repeated in an error.
fn is_session_itself(path: &Path) -> bool {
    let text = path.as_os_str().as_encoded_bytes();
    text.len() >= SHORTEST && !path.exists()
}

fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let unreadable =
        |error: io::Error| Failure::usage(format!("cannot read {}: {error}", path.display()));
    let mut input = Zeroizing::new(Vec::new());
    let file = fs::File::open(path).map_err(unreadable)?;
    file.take(LARGEST).read_to_end(&mut input).map_err(unreadable)?;
    Ok(input)
}

/// The one that is meant, if there are several.
fn one(sessions: Vec<(Format, Foreign)>, number: Option<usize>) -> Result<Foreign, Failure> {
    let count = sessions.len();
    let number = match number {
        None if count > 1 => {
            return Err(Failure::usage(format!("there are {count} accounts in it"))
                .hint("look at them with `chappe session show`, and choose one: --number N"));
        }
        number => number.unwrap_or(1),
    };
    let found = number.checked_sub(1).and_then(|at| sessions.into_iter().nth(at));
    found.map(|(_, session)| session).ok_or_else(|| {
        Failure::new(Exit::NotFound, format!("there is no account number {number} in it"))
    })
}

fn into_session(session: Foreign, target: &Target) -> Result<Session, Failure> {
    let wrong = |is: &str, hint: &str| {
        Err(Failure::usage(format!("this session is of Telegram's {is} servers")).hint(hint))
    };
    let home = match (target.telegram(), session.test) {
        (Telegram::Production, Some(true)) => return wrong("test", "add --test-servers"),
        (Telegram::Test, Some(false)) => return wrong("production", "leave --test-servers out"),
        (Telegram::Production, _) => Home::Auto,
        (Telegram::Test, _) => Home::Test,
        (Telegram::Server { address, pem }, _) => Home::Own { address, public_key_pem: pem },
    };
    session.into_session(home).map_err(|error| match error {
        ForeignError::OwnServer => {
            refusal(error).hint("name it: --server HOST:PORT --server-key FILE.pem")
        }
        error => refusal(error),
    })
}

/// Connects with a session that is kept nowhere yet, so that one that is no good leaves nothing
/// behind. Gives it back with what was learned.
async fn check(
    target: &Target,
    session: Session,
) -> Result<(Session, chappe::api::types::User), Failure> {
    let builder = target.builder_with(Memory::from(session))?;
    let client = builder.connect().await.map_err(unusable)?;
    let user = client.me().await.map_err(unusable)?;
    let session = client.session();
    client.close().await.map_err(failure)?;
    match user {
        Some(user) => Ok((session, user)),
        None => Err(Failure::new(
            Exit::Permission,
            "Telegram does not accept this session: it was signed out, or never signed in",
        )
        .hint("nothing was imported; sign in instead: `chappe login`")),
    }
}

fn unusable(error: chappe::Error) -> Failure {
    let lost = error.ended().is_some_and(chappe::Ended::is_session_lost);
    let failure = failure(error);
    if lost {
        failure.hint("nothing was imported; sign in instead: `chappe login`")
    } else {
        failure
    }
}

fn write(
    session: &Foreign,
    format: Format,
    written: &Written,
    output: Output,
) -> Result<(), Failure> {
    if let (true, Some(folder)) = (format.is_folder(), &written.output) {
        let passcode = written.new_passcode_file.as_deref().map(read_passcode).transpose()?;
        let passcode = passcode.as_ref().map(|passcode| passcode.as_str());
        foreign::write_tdata(folder, std::slice::from_ref(session), passcode).map_err(refusal)?;
        say_written(session, format, folder, &[], output)?;
        if !output.is_json() && folder.file_name().is_none_or(|name| name != "tdata") {
            notice("Telegram Desktop looks for a folder of the name tdata.");
        }
        return Ok(());
    }
    let bytes = if written.older { session.write_older(format) } else { session.write(format) };
    let bytes = bytes.map_err(refusal)?;
    let left_behind = left_behind(session, format, bytes.as_ref());
    match (&written.output, bytes.as_str()) {
        (Some(path), text) => {
            put(path, bytes.as_ref(), text.is_some())?;
            say_written(session, format, path, &left_behind, output)
        }
        (None, Some(text)) => {
            output.answer(&json!({ "session": text }), || text.to_owned())?;
            warn(format, &left_behind, output);
            Ok(())
        }
        (None, None) => Err(Failure::usage(format!("{format} needs a file: -o FILE"))),
    }
}

fn say_written(
    session: &Foreign,
    format: Format,
    path: &Path,
    left_behind: &[String],
    output: Output,
) -> Result<(), Failure> {
    let path = path.to_string_lossy();
    let facts = Facts::new(format, session).json();
    output.answer(&json!({ "file": path, "session": facts }), || {
        format!("{} {path} ({format})", paint(good(), "written:"))
    })?;
    warn(format, left_behind, output);
    Ok(())
}

fn warn(format: Format, left_behind: &[String], output: Output) {
    if output.is_json() {
        return;
    }
    if !left_behind.is_empty() {
        notice(&format!("{format} has no room for {}.", left_behind.join(", ")));
    }
    notice(
        "Whoever holds it is the account. Do not use it here and there at the same time: Telegram \
         ends a session that is used at two places at once.",
    );
}

/// What the session says and is not found in what was written.
fn left_behind(session: &Foreign, format: Format, bytes: &[u8]) -> Vec<String> {
    let Ok(back) = Foreign::read(format, bytes) else { return Vec::new() };
    let others: Vec<_> = session
        .dc_ids()
        .filter(|dc_id| back.key(*dc_id).is_none())
        .map(|id| id.to_string())
        .collect();
    let lost = [
        ("the address of the server", session.address.is_some() && back.address.is_none()),
        ("the user id", session.user_id.is_some() && back.user_id.is_none()),
        ("the api id", session.api_id.is_some() && back.api_id.is_none()),
    ];
    let lost = lost.into_iter().filter(|(_, lost)| *lost).map(|(what, _)| what.to_owned());
    let keys =
        (!others.is_empty()).then(|| format!("the keys of data centres {}", others.join(", ")));
    lost.chain(keys).collect()
}

/// Writes a file that only its owner may read, beside the old one and then over it.
fn put(path: &Path, bytes: &[u8], is_text: bool) -> Result<(), Failure> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let fresh = path.with_file_name(name);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&fresh).and_then(|mut file| {
        file.write_all(bytes)?;
        if is_text {
            file.write_all(b"\n")?;
        }
        file.sync_all()?;
        fs::rename(&fresh, path)
    });
    written.map_err(|error| {
        // What is left of it holds a part of a key.
        let _ = fs::remove_file(&fresh);
        Failure::new(Exit::Other, format!("cannot write {}: {error}", path.display()))
    })
}

/// What may be said of a session.
struct Facts {
    format: Format,
    dc_id: i32,
    dc_ids: Vec<i32>,
    address: Option<String>,
    user_id: Option<i64>,
    bot: Option<bool>,
    test: Option<bool>,
    api_id: Option<i32>,
    /// What MTProto calls the id of the auth key: a part of its hash, which opens nothing.
    key_id: Option<String>,
}

impl Facts {
    fn new(format: Format, session: &Foreign) -> Self {
        let dc_id = session.dc_id();
        let key_id = session.key(dc_id).map(|key| {
            let hash = Sha1::digest(key);
            hash.iter().skip(12).map(|byte| format!("{byte:02x}")).collect()
        });
        Self {
            format,
            dc_id,
            dc_ids: session.dc_ids().collect(),
            address: session.address.clone(),
            user_id: session.user_id,
            bot: session.bot,
            test: session.test,
            api_id: session.api_id,
            key_id,
        }
    }

    fn servers(&self) -> Option<&'static str> {
        self.test.map(|test| if test { "test" } else { "production" })
    }

    fn json(&self) -> Value {
        json!({
            "format": self.format.name(),
            "dc_id": self.dc_id,
            "dc_ids": self.dc_ids,
            "address": self.address,
            "user_id": self.user_id,
            "bot": self.bot,
            "servers": self.servers(),
            "api_id": self.api_id,
            "key_id": self.key_id,
        })
    }

    fn rows(&self) -> Vec<Vec<Cell>> {
        let unsaid = || "not said".to_owned();
        let others: Vec<_> =
            self.dc_ids.iter().filter(|id| **id != self.dc_id).map(i32::to_string).collect();
        let keys = match others.is_empty() {
            true => self.dc_id.to_string(),
            false => format!("{} (keys of {}, too)", self.dc_id, others.join(", ")),
        };
        let user = match (self.user_id, self.bot) {
            (Some(id), Some(true)) => format!("{id} (bot)"),
            (Some(id), _) => id.to_string(),
            (None, _) => unsaid(),
        };
        let rows = [
            ("format", self.format.to_string()),
            ("data centre", keys),
            ("address", self.address.clone().unwrap_or_else(unsaid)),
            ("servers", self.servers().map_or_else(unsaid, str::to_owned)),
            ("user id", user),
            ("api id", self.api_id.map_or_else(unsaid, |id| id.to_string())),
            ("key id", self.key_id.clone().unwrap_or_else(unsaid)),
        ];
        let cell = |text: String| Cell(text, None);
        rows.map(|(name, value)| vec![cell(name.to_owned()), cell(value)]).into()
    }
}

fn answer(sessions: &[Facts], output: Output) -> Result<(), Failure> {
    let value = match sessions {
        [one] => one.json(),
        several => json!({ "sessions": several.iter().map(Facts::json).collect::<Vec<_>>() }),
    };
    output.answer(&value, || {
        let head = ["FIELD", "VALUE"].map(|text| Cell(text.to_owned(), None));
        let tables = sessions.iter().map(|facts| output.table(&head, &facts.rows()));
        tables.collect::<Vec<_>>().join("\n\n")
    })
}

/// Turns what is wrong with a session into words and an exit code.
fn refusal(error: ForeignError) -> Failure {
    let exit = match &error {
        ForeignError::Passcode => Exit::Permission,
        ForeignError::Io(_) => Exit::Other,
        _ => Exit::Usage,
    };
    if let ForeignError::Missing { format, field } = &error {
        let (what, hint) = match field {
            Field::Address => ("where the server is", "import it first: `chappe session import`"),
            Field::ApiId => ("the api id", "give it, --api-id N; or write less: --older"),
            Field::User => (
                "who is signed in",
                "import it first, `chappe session import`, and export that; or say it: \
                 --user-id ID",
            ),
            _ => ("more", "update chappe"),
        };
        let message = format!("a session of {format} says {what}, and this one does not");
        return Failure::new(exit, message).hint(hint);
    }
    let failure = Failure::new(exit, error.to_string());
    match error {
        ForeignError::Unknown => failure.hint("if you know the format, name it: --format FORMAT"),
        _ => failure,
    }
}

/// No session string is shorter, in bytes.
const SHORTEST: usize = 200;
/// How often a person may mistype a passcode.
const TRIES: u32 = 3;
/// As much is read of a file or standard input, in bytes.
const LARGEST: u64 = 256 * 1024 * 1024;
