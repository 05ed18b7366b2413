//! `chappe docs`: what is asked of the reference.

use std::path::PathBuf;

use chappe_reference::example::Language;
use chappe_reference::layers;
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::value::number;

/// Options of `chappe docs`.
#[derive(Args, Debug)]
#[command(after_help = "\
NAME is a method, type, constructor, error, namespace, layer or core type in any spelling, an id, \
the code of an error, a line of TL, an error message, the address of a page or a call of the Bot API \
or another library; of several names each is shown. At a terminal $CHAPPE_PAGER, $PAGER or less \
shows the page; in a pipe it is Markdown, and with --json an object whose form stays. Nothing is \
dialled: the reference is part of this program.

Examples:
  chappe docs account.resetWebAuthorization   or 0x2d01b9ef, or in any spelling
  chappe docs sendPhoto                       what the Bot API's call calls
  chappe docs FLOOD_WAIT_42                   an error: its cause, what to do
  chappe docs 420                             the errors with a code
  chappe docs long                            what a value is on the wire
  chappe docs help.getConfig --lang python    the example alone
  chappe docs --search log out website        what is about that
  chappe docs --diff 198..230                 what changed between two layers
  chappe docs --open                          all of it in a browser, offline")]
pub(crate) struct Docs {
    /// What to tell about [default: what there is]
    #[arg(value_name = "NAME", allow_negative_numbers = true)]
    pub(crate) name: Vec<String>,
    /// Find what these words are about, or what has a name like them
    #[arg(
        long,
        value_name = "WORDS",
        num_args = 1..,
        allow_negative_numbers = true,
        conflicts_with_all = ["name", "lang", "layer", "diff", "open", "export"]
    )]
    pub(crate) search: Vec<String>,
    /// How many hits of --search to show
    #[arg(
        long,
        value_name = "N",
        default_value_t = 20,
        requires = "search",
        value_parser = number(1..=u16::MAX, "a whole number from 1 to 65535, such as 20")
    )]
    pub(crate) limit: u16,
    /// Show the example of a method in this language, and nothing else
    #[arg(
        long,
        value_name = "LANGUAGE",
        requires = "name",
        conflicts_with_all = ["layer", "diff", "open", "export"]
    )]
    pub(crate) lang: Option<Lang>,
    /// Show what a layer changed
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        value_parser = parse_layer,
        conflicts_with_all = ["name", "diff", "open", "export"]
    )]
    pub(crate) layer: Option<i32>,
    /// Show in what two layers differ, such as 198..230
    #[arg(
        long,
        value_name = "A..B",
        value_parser = parse_layers,
        conflicts_with_all = ["name", "open", "export"]
    )]
    pub(crate) diff: Option<(i32, i32)>,
    /// Serve the pages on this machine and open them in a browser, at NAME if it is given; Ctrl-C
    /// ends it
    #[arg(long, conflicts_with = "export")]
    pub(crate) open: bool,
    /// Write the pages into a folder, for a server or a browser without one
    #[arg(long, value_name = "DIR", conflicts_with = "name")]
    pub(crate) export: Option<PathBuf>,
    /// Print the page, and call no pager
    #[arg(long)]
    pub(crate) no_pager: bool,
}

/// A language of the examples, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lang(pub(crate) Language);

impl ValueEnum for Lang {
    fn value_variants<'a>() -> &'a [Self] {
        &LANGUAGES
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, aliases): (_, &[&str]) = match self.0 {
            Language::Rust => ("rust", &["rs"]),
            Language::JavaScript => ("js", &["javascript"]),
            Language::TypeScript => ("ts", &["typescript"]),
            Language::Python => ("python", &["py"]),
            Language::Cli => ("cli", &["sh"]),
        };
        Some(PossibleValue::new(name).aliases(aliases))
    }
}

fn parse_layer(text: &str) -> Result<i32, String> {
    let layer = text.trim().parse().ok().filter(|layer| *layer > 0);
    layer.ok_or_else(|| format!("a layer is a number, such as 230; {}", known_layers()))
}

fn parse_layers(text: &str) -> Result<(i32, i32), String> {
    let layers = text.split_once("..").map(|(from, to)| (parse_layer(from), parse_layer(to)));
    match layers {
        Some((Ok(from), Ok(to))) => Ok((from, to)),
        _ => Err(format!("give two layers, such as 198..230; {}", known_layers())),
    }
}

/// Which layers there are to look at.
pub(crate) fn known_layers() -> String {
    let held: Vec<&str> = layers::pages().iter().rev().map(|page| page.name.as_str()).collect();
    format!("known are {}", held.join(", "))
}

const LANGUAGES: [Lang; 5] = [
    Lang(Language::Rust),
    Lang(Language::JavaScript),
    Lang(Language::TypeScript),
    Lang(Language::Python),
    Lang(Language::Cli),
];
