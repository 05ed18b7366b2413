//! What a shell completes: commands and options by themselves, and the values that this program knows.

use std::ffi::OsStr;

use chappe_reference::core_types::{CORE_TYPES, core_type};
use chappe_reference::layers;
use chappe_schema::words::{summary, words};
use clap::CommandFactory as _;
use clap::builder::ArgExt;
use clap_complete::env::{CompleteEnv, Shells};
use clap_complete::{ArgValueCandidates, ArgValueCompleter, CompletionCandidate, Shell};

use crate::args::{Cli, Completions, Name};
use crate::output::{Exit, Failure, Output};
use crate::place::Place;

/// Answers a shell that asks what may come next, which ends the process; whoever is no shell is let go on.
pub(crate) fn answer() {
    CompleteEnv::with_factory(command).var(COMPLETE).complete();
}

/// `chappe completions SHELL`: the script that asks this command what could be typed.
pub(crate) fn completions(options: &Completions, output: Output) -> Result<(), Failure> {
    let unwritten =
        |why: &str| Failure::new(Exit::Other, format!("the script for {} {why}", options.shell));
    let shells = Shells::builtins();
    let shell = shells.completer(&options.shell.to_string());
    let shell = shell.ok_or_else(|| unwritten("is not known"))?;
    let mut script = Vec::new();
    shell
        .write_registration(COMPLETE, "chappe", "chappe", "chappe", &mut script)
        .map_err(|error| unwritten(&format!("cannot be written: {error}")))?;
    let mut script = String::from_utf8_lossy(&script).trim_end().to_owned();
    if options.shell == Shell::Zsh {
        script.push_str(AUTOLOADED);
    }
    output.line(&script)
}

/// The command line, with what is good for the values that can be known.
fn command() -> clap::Command {
    let account = || ArgValueCandidates::new(accounts);
    add(Cli::command(), "account", account())
        .mut_subcommand("accounts", |command| {
            command
                .mut_subcommand("use", |it| add(it, "name", account()))
                .mut_subcommand("rename", |it| add(it, "old", account()))
                .mut_subcommand("remove", |it| add(it, "name", account()))
        })
        .mut_subcommand("call", |it| add(it, "method", ArgValueCompleter::new(methods)))
        .mut_subcommand("docs", |it| {
            let it = add(it, "name", ArgValueCompleter::new(names));
            add(it, "layer", ArgValueCandidates::new(layers))
        })
}

/// Adds to one argument of a command what it may be.
fn add(command: clap::Command, id: &str, values: impl ArgExt + Clone) -> clap::Command {
    // `mut_arg` would put it behind the others, where a positional one must not be.
    command.mut_args(|arg| if arg.get_id() == id { arg.add(values.clone()) } else { arg })
}

/// The names of all accounts on this machine, for a shell to complete.
fn accounts() -> Vec<CompletionCandidate> {
    let places = Place::all().unwrap_or_default();
    let mut names: Vec<Name> =
        places.iter().flat_map(|place| place.names().unwrap_or_default()).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| CompletionCandidate::new(name.as_str())).collect()
}

/// The layers of which it is known what they changed.
fn layers() -> Vec<CompletionCandidate> {
    let pages = layers::pages().iter();
    let candidates = pages.map(|page| {
        CompletionCandidate::new(&page.name).help(Some(page.summary().replace('`', "").into()))
    });
    candidates.collect()
}

/// The names that a shell may complete: what begins like what is typed.
fn names(current: &OsStr) -> Vec<CompletionCandidate> {
    let schema = chappe_schema::api();
    let defined = schema.definitions().iter().map(|it| it.name.as_str());
    let errors = chappe_schema::facts().errors.keys().map(String::as_str);
    let core = CORE_TYPES.iter().map(|it| it.name);
    let namespaces = schema.functions().filter_map(|it| it.namespace());
    completed(current, defined.chain(schema.types()).chain(errors).chain(core).chain(namespaces))
}

/// The same of methods alone, for `chappe call`.
fn methods(current: &OsStr) -> Vec<CompletionCandidate> {
    completed(current, chappe_schema::api().functions().map(|it| it.name.as_str()))
}

/// The names that begin like what is typed; where none does, those that do so in other letters or behind
/// their namespace.
fn completed<'n>(
    current: &OsStr,
    names: impl Iterator<Item = &'n str>,
) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    let all: Vec<&str> = names.collect();
    let mut names: Vec<&str> =
        all.iter().copied().filter(|name| name.starts_with(current)).collect();
    if names.is_empty() {
        let current = current.to_ascii_lowercase();
        let begins = |name: &str| name.to_ascii_lowercase().starts_with(&current);
        let is_near = |name: &&str| {
            begins(name) || name.split_once('.').is_some_and(|(_, short)| begins(short))
        };
        names = all.into_iter().filter(is_near).collect();
    }
    names.sort_unstable();
    names.dedup();
    let is_told = names.len() <= TOLD;
    let candidates = names.into_iter().map(|name| {
        let about = if is_told { about(name) } else { None };
        CompletionCandidate::new(name).help(about.map(|about| about.replace('`', "").into()))
    });
    candidates.collect()
}

/// What a name is about, in a sentence, for shells that show it beside the name.
fn about(name: &str) -> Option<&'static str> {
    let words = words();
    let method = words.method(name).map(|it| it.about.as_str());
    let constructor = words.constructor(name).map(|it| it.about.as_str());
    let error = words.error(name).map(|it| it.about.as_str());
    let about = method.or(constructor).or_else(|| words.ty(name)).or(error);
    about.map(summary).or_else(|| core_type(name).map(|it| it.about))
}

/// The variable by which a shell asks for completions.
const COMPLETE: &str = "CHAPPE_COMPLETE";

/// The rest of the script for zsh: as a file of `$fpath` it runs when something is first completed, which without this
/// would be told how to complete and not complete.
const AUTOLOADED: &str = "
if [[ $funcstack[1] == _chappe ]]; then
    _clap_dynamic_completer_chappe \"$@\"
fi";

/// For how many names a shell is told what they are about: more of them nobody reads.
const TOLD: usize = 200;
