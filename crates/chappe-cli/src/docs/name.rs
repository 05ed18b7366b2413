//! What a name on the command line means: in any spelling, out of a program, an error message, a line of TL
//! or the address of a page.

use std::cmp::Reverse;

use chappe_reference::core_types::core_type;
use chappe_reference::elsewhere::{Call, calls_named, made_by_all};
use chappe_reference::search::{Hit, index};
use chappe_reference::{Kind, Reference};

use super::short;
use crate::output::{Exit, Failure, shorten};

/// What a name means.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meant {
    /// The errors with a code.
    Code(i32),
    /// What has a page.
    Page(Kind, &'static str),
}

/// What a name means, and why it does if that is not plain.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) meant: Meant,
    /// In a sentence; names in it are in backticks.
    pub(super) why: Option<String>,
}

impl From<Meant> for Found {
    fn from(meant: Meant) -> Self {
        Self { meant, why: None }
    }
}

/// The things that the words of a command line name: together they are one name, or else each is one, or
/// else they are a message that tells of an error.
pub(super) fn find(words: &[String]) -> Result<Vec<Found>, Failure> {
    let message = words.join(" ");
    let together = match one(&message) {
        Ok(found) => return Ok(vec![found]),
        Err(failure) => failure,
    };
    let each: Vec<Result<Found, Failure>> = match words {
        [_] => Vec::new(),
        words => words.iter().map(|word| one(word)).collect(),
    };
    if !each.is_empty() && each.iter().all(Result::is_ok) {
        return each.into_iter().collect();
    }
    if let Some(error) = told(&message) {
        return Ok(vec![Meant::Page(Kind::Error, error).into()]);
    }
    // Words of which none is a name are a sentence; else the first that is none is a mistake.
    match each.iter().any(Result::is_ok) {
        true => each.into_iter().collect(),
        false => Err(together),
    }
}

/// The one thing that a name means.
fn one(name: &str) -> Result<Found, Failure> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Failure::usage("the name is empty"));
    }
    if let Some(meant) = plainly(name).or_else(|| around(name)) {
        return Ok(meant.into());
    }
    // Other spellings of a name, and of what is in front of what a program has behind it.
    let mut found = index().named(name);
    if found.is_empty()
        && let Some((front, _)) = name.split_once(['(', '{', '#', ';'])
    {
        found = index().named(front);
    }
    let calls = elsewhere(name);
    match found.as_slice() {
        [one] => {
            let meant = Meant::Page(one.kind, one.name);
            let why =
                one.older.map(|layers| format!("That is the id of `{}` in {layers}.", one.name));
            Ok(Found { meant, why })
        }
        [] => {
            // A section of the guide by its anchor: `peers`.
            if let Some((kind, name)) = Kind::at(&format!("start#{name}")) {
                return Ok(Meant::Page(kind, name).into());
            }
            if let Some(method) = made_by_all(&calls) {
                return Ok(called(&calls, method));
            }
            Err(unknown(name, &calls))
        }
        several => {
            // So many call it so that they are who is asked about.
            if calls.len() >= MANY
                && let Some(method) = made_by_all(&calls)
                && several.iter().any(|hit| hit.kind == Kind::Method && hit.name == method)
            {
                return Ok(called(&calls, method));
            }
            let said = format!("{} things are called `{name}`", several.len());
            Err(Failure::new(Exit::NotFound, said).hint(format!("say which:{}", listed(several))))
        }
    }
}

/// Asks back: by the methods of those who have the name, else by what looks like it.
fn unknown(name: &str, calls: &[Call]) -> Failure {
    let mut made: Vec<&str> =
        calls.iter().flat_map(|call| call.methods).map(String::as_str).collect();
    if !made.is_empty() {
        let times = |method: &str| {
            calls.iter().filter(|call| call.methods.iter().any(|it| it == method)).count()
        };
        made.sort_by_key(|method| (Reverse(times(method)), *method));
        made.dedup();
        let hits: Vec<Hit<'_>> = made.into_iter().flat_map(|it| index().named(it)).collect();
        let said = format!("{}; what it calls are several methods", theirs(calls));
        return Failure::new(Exit::NotFound, said.replace('`', ""))
            .hint(format!("say which:{}", listed(&hits)));
    }
    let failure = Failure::new(Exit::NotFound, format!("nothing is called `{name}`"));
    match index().find(name, NEAR).as_slice() {
        [] => failure.hint("chappe docs --search WORDS looks into descriptions"),
        near => failure.hint(format!("did you mean one of these?{}", listed(near))),
    }
}

/// The calls of others that a name may be, out of a program or the address of a manual, too: `sendPhoto`,
/// `client.send_photo(`.
fn elsewhere(name: &str) -> Vec<Call> {
    let front = name.split(['(', '{']).next().unwrap_or(name).trim();
    let (object, call) = front.rsplit_once(['.', '#', '/']).unwrap_or(("", front));
    // What is behind a namespace would be TL's own.
    let object = object.rsplit(|c: char| !c.is_ascii_alphanumeric()).next();
    if object.is_some_and(|it| Reference::get().namespace(it).is_some()) {
        return Vec::new();
    }
    let mut calls = calls_named(call);
    calls.sort_by_key(|it| it.name != call);
    calls
}

/// The method that others' calls of a name make.
fn called(calls: &[Call], method: &'static str) -> Found {
    let why = format!("{}; what it calls is `{method}`.", theirs(calls));
    Found { meant: Meant::Page(Kind::Method, method), why: Some(why) }
}

/// Whose name it is: "`sendPhoto` is a name of the HTTP Bot API".
fn theirs(calls: &[Call]) -> String {
    // Of two spellings that of the first, who are then all that are named.
    let name = calls.first().map(|call| call.name).unwrap_or_default();
    let same = calls.iter().filter(|call| call.name == name);
    let mut owners: Vec<String> = same
        .map(|call| match call.place.key {
            "bot_api" => format!("the {}", call.place.title),
            _ => call.place.title.to_owned(),
        })
        .collect();
    let last = owners.pop().unwrap_or_default();
    let owners = if owners.is_empty() { last } else { format!("{} and {last}", owners.join(", ")) };
    format!("`{name}` is a name of {owners}")
}

/// What is spelled as in TL, and what TL is made of: no search is needed.
fn plainly(name: &str) -> Option<Meant> {
    let all = Reference::get();
    let exact = match all.kind_of(name) {
        Some(Kind::Method) => all.method(name).map(|it| it.name()),
        Some(Kind::Constructor) => all.constructor(name).map(|it| it.name()),
        Some(Kind::Type) => all.ty(name).map(|it| it.name),
        Some(Kind::Error) => all.error(name).map(|it| it.name),
        _ => None,
    };
    if let Some((kind, name)) = all.kind_of(name).zip(exact) {
        return Some(Meant::Page(kind, name));
    }
    if let Some(core) = core_type(name) {
        let (kind, name) = core.page();
        return Some(Meant::Page(kind, name));
    }
    let code = name.parse().ok().filter(|code| short::is_code(*code));
    code.map(Meant::Code)
}

/// A name with something around it that says what it is: the address of a page, a type of a parameter, a
/// definition with its id.
fn around(name: &str) -> Option<Meant> {
    if let Some((kind, name)) = addressed(name) {
        return Some(Meant::Page(kind, name));
    }
    // flags.3?Vector<InputUser>
    if let Some((flag, ty)) = name.split_once('?')
        && flag.starts_with("flags")
    {
        return plainly(ty).or_else(|| around(ty));
    }
    let inner = ["Vector<", "vector<", "Vector ", "vector ", "%"];
    if let Some(inner) = inner.iter().find_map(|front| name.strip_prefix(front)) {
        let inner = inner.strip_suffix('>').unwrap_or(inner).trim();
        return plainly(inner).or_else(|| around(inner));
    }
    // account.resetWebAuthorization#2d01b9ef hash:long = Bool;
    let (front, id) = name.split_once('#')?;
    let digits = id.bytes().take_while(u8::is_ascii_hexdigit).count();
    let with_id = index().named(&format!("#{}", id.get(..digits)?));
    match with_id.as_slice() {
        [one] if digits > 0 && !front.is_empty() => Some(Meant::Page(one.kind, one.name)),
        _ => plainly(front.trim()),
    }
}

/// What has a page at an address: of this reference, of core.telegram.org, of the references of other
/// libraries, which are built alike.
fn addressed(address: &str) -> Option<(Kind, &'static str)> {
    if let Some(at) = Kind::at(address) {
        return Some(at);
    }
    let (_, path) = address.split_once("://").or_else(|| {
        let (host, path) = address.split_once('/')?;
        (host.contains('.')).then_some((host, path))
    })?;
    // Wherever our pages are: the last two pieces, or the one of the page for whoever is new.
    let mut ends = path.rmatch_indices('/').take(2).filter_map(|(place, _)| path.get(place + 1..));
    if let Some(at) = ends.find_map(Kind::at) {
        return Some(at);
    }
    let (path, _) = path.split_once(['?', '#']).unwrap_or((path, ""));
    let path =
        [".html", ".md", ".json"].iter().find_map(|it| path.strip_suffix(it)).unwrap_or(path);
    // The pages of a documentation of Rust are called after what they are of.
    let bare = |folder| {
        ["struct.", "enum."].iter().find_map(|it| str::strip_prefix(folder, it)).unwrap_or(folder)
    };
    let folders: Vec<&str> = path.split('/').filter(|it| !it.is_empty()).map(bare).collect();
    let kind = folders.iter().enumerate().find_map(|(place, folder)| {
        let known = FOLDERS.iter().find(|(words, _)| words.contains(folder));
        known.map(|(_, kind)| (place, *kind))
    });
    let Some((place, kind)) = kind else {
        // A name behind its namespace, or alone.
        let ends = [2, 1].into_iter().filter_map(|count| folders.len().checked_sub(count));
        let names = ends.filter_map(|from| folders.get(from..)).map(|names| names.join("."));
        let mut found = names.map(|name| index().named(&name));
        return found.find(|found| found.len() == 1)?.first().map(|hit| (hit.kind, hit.name));
    };
    let name = folders.get(place + 1..)?.join(".");
    if let Some(at) = Kind::at(&format!("{}/{name}", kind.folder())) {
        return Some(at);
    }
    let found = index().named(&name);
    let of_kind = found.iter().find(|hit| hit.kind == kind);
    of_kind.or_else(|| found.first()).map(|hit| (hit.kind, hit.name))
}

/// The one error that a message tells of: `RPCError: 420: FLOOD_WAIT_42 (caused by messages.SendMessage)`.
fn told(message: &str) -> Option<&'static str> {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found: Vec<&'static str> = Vec::new();
    for word in message.split(|c: char| !is_letter(c)).filter(|word| word.contains('_')) {
        let general: Vec<&str> = word
            .split('_')
            .map(|piece| match piece.bytes().all(|byte| byte.is_ascii_digit()) {
                true if !piece.is_empty() => "X",
                _ => piece,
            })
            .collect();
        let all = Reference::get();
        let error = all.error(word).or_else(|| all.error(&general.join("_")));
        found.extend(error.map(|error| error.name));
    }
    found.dedup();
    match found[..] {
        [one] => Some(one),
        _ => None,
    }
}

/// Things as a person types them, a line each, with what they are about.
fn listed(hits: &[Hit<'_>]) -> String {
    let lines = hits.iter().take(NEAR).map(|hit| {
        let about = match hit.about {
            "" => String::new(),
            about => format!(": {}", shorten(about, ABOUT)),
        };
        format!("\n    {} ({}){about}", hit.name, hit.kind.word())
    });
    let mut said: String = lines.collect();
    if let Some(more) = hits.len().checked_sub(NEAR).filter(|more| *more > 0) {
        said.push_str(&format!("\n    and {more} more"));
    }
    said
}

/// The folders that references have, and what is in them.
const FOLDERS: &[(&[&str], Kind)] = &[
    (&["method", "methods", "functions"], Kind::Method),
    (&["constructor", "constructors"], Kind::Constructor),
    (&["type", "types", "enums", "base"], Kind::Type),
    (&["error", "errors"], Kind::Error),
    (&["namespaces"], Kind::Namespace),
    (&["layer", "layers"], Kind::Layer),
];

/// How many others have to agree on what a name calls that is one of several of TL's own.
const MANY: usize = 3;

/// How many names are offered, and how much is said of each.
const NEAR: usize = 6;
const ABOUT: usize = 60;
