//! The front page, the page for whoever is new, namespaces, and lists of all things of a kind.

use super::{Block, Document, Inline, Item, Look, Target, code, count, known, phrase, text};
use crate::core_types::CORE_TYPES;
use crate::model::{FACTS_LAYER, Gone, Method, Namespace, ROOT, Reference};
use crate::start::{self, PIECES, Piece, TITLE};
use crate::{Kind, layers};

/// The kinds of things of which there are lists, with their titles, in the order of the menu.
pub(crate) const KINDS: &[(Kind, &str)] = &[
    (Kind::Method, "Methods"),
    (Kind::Type, "Types"),
    (Kind::Constructor, "Constructors"),
    (Kind::Error, "Errors"),
    (Kind::Layer, "Layers"),
];

/// What all things of a kind are called.
pub(crate) fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Core => "Core types",
        Kind::Gone => "What older layers had",
        _ => KINDS.iter().find(|(it, _)| *it == kind).map_or("Namespaces", |(_, title)| title),
    }
}

/// The front page.
pub(super) fn front() -> Document {
    let all = Reference::get();
    let mut page = Document::begin("The Telegram API", None, None, Vec::new());
    page.push(Block::Lead(vec![text(format!(
        "Every method, type and error of layer {}, in our own words: who may call it, what it needs, \
         what it answers, what goes wrong and what to do then. With programs in five languages, and \
         answers that a server gave.",
        all.layer()
    ))]));
    let start = Target::Thing(Kind::Guide, TITLE.to_owned());
    let start = Inline::Link("What to know before the first call".to_owned(), start);
    page.paragraph([text("New to it? "), start, text(".")]);
    let tiles = [
        (Kind::Method, all.methods().len(), "what can be called"),
        (Kind::Type, all.types().len(), "what values are of"),
        (Kind::Constructor, all.constructors().len(), "the forms that values have"),
        (Kind::Error, all.errors().len(), "what can go wrong"),
    ];
    let tiles = tiles.map(|(kind, count, about)| {
        let name = Inline::Link(title(kind).to_owned(), Target::List(kind));
        Item {
            name: vec![Inline::Strong(count.to_string()), text(" "), name],
            about: phrase(about),
        }
    });
    page.push(Block::List(Look::Tiles, tiles.into()));
    page.section("namespaces", "Namespaces");
    page.push(spaces());
    page.section("layers", "Layers");
    page.push(layer_list());
    page
}

/// The page for whoever is new here.
pub(super) fn start() -> Document {
    let mut page = Document::begin(TITLE, Some(start::ABOUT), None, Vec::new());
    page.pieces(PIECES);
    page
}

/// A section of it as a page of its own, or all of it by its name.
pub(super) fn guide(name: &str) -> Option<Document> {
    if name == TITLE {
        return Some(start());
    }
    let (_, title, pieces) = start::sections().find(|(_, title, _)| *title == name)?;
    let mut page = Document::begin(title, None, None, Vec::new());
    page.pieces(pieces);
    Some(page)
}

impl Document {
    fn pieces(&mut self, pieces: &[Piece]) {
        for (index, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Section(id, title) => self.section(id, title),
                Piece::Shell(code) => self.code("sh", format!("Commands {}", index + 1), *code),
                Piece::Words(words) => self.prose(words, None),
            }
        }
    }

    /// Things with what each is in a sentence, however many.
    fn all(&mut self, kind: Kind, names: &[&str]) {
        let items = names.iter().map(|name| Item::of(kind, name)).collect();
        self.push(Block::List(Look::Things, items));
    }
}

fn spaces() -> Block {
    let spaces = Reference::get().namespaces().iter().map(|space| {
        let methods = Inline::Soft(count(space.methods.len(), "method"));
        let name = Inline::Name(Kind::Namespace, space.name.to_owned());
        let about = about(space.name).map(phrase).unwrap_or_default();
        Item { name: vec![name, text(" "), methods], about }
    });
    Block::List(Look::Spaces, spaces.collect())
}

fn layer_list() -> Block {
    let layers = layers::pages().iter().map(|layer| {
        let page = Target::Thing(Kind::Layer, layer.name.clone());
        let name = Inline::Link(format!("Layer {}", layer.name), page);
        Item { name: vec![name], about: phrase(&layer.summary()) }
    });
    Block::List(Look::Things, layers.collect())
}

/// The page of a namespace.
pub(super) fn namespace(space: &Namespace) -> Document {
    let mut page = namespace_part(space, &space.methods, false);
    for (id, title, kind, names) in [
        ("types", "Types", Kind::Type, &space.types),
        ("constructors", "Constructors", Kind::Constructor, &space.constructors),
    ] {
        if !names.is_empty() {
            page.section(id, title);
            page.all(kind, names);
        }
    }
    page
}

/// The same for where it does not fit on one page: some of the methods, and the names of the types.
pub(crate) fn namespace_part(space: &Namespace, methods: &[&str], has_types: bool) -> Document {
    let title = if space.name == ROOT { "Without namespace" } else { space.name };
    let badges = [
        count(space.methods.len(), "method"),
        count(space.types.len(), "type"),
        count(space.constructors.len(), "constructor"),
    ];
    let badges = badges.map(|badge| vec![text(badge)]);
    let mut page = Document::begin(title, about(space.name), None, badges.into());
    if !methods.is_empty() {
        page.section("methods", "Methods");
        page.all(Kind::Method, methods);
    }
    if !has_types || space.types.is_empty() {
        return page;
    }
    page.section("types", "Types");
    if space.name == ROOT {
        let list = Inline::Link("by letter".to_owned(), Target::List(Kind::Type));
        page.paragraph([text("They are listed "), list, text(".")]);
        return page;
    }
    let items = space.types.iter().map(|name| Item::of(Kind::Type, name)).collect();
    page.push(super::shorter::list(items, 0));
    page
}

/// All namespaces, each with what it is about.
pub(crate) fn namespaces(kind: Kind) -> Document {
    let all = Reference::get();
    let with_methods = all.namespaces().iter().filter(|it| !it.methods.is_empty()).count();
    let lead = format!("{} in {with_methods} namespaces.", count(all.methods().len(), "method"));
    let mut page = Document::begin(title(kind), Some(&lead), None, Vec::new());
    page.push(spaces());
    page
}

/// All layers.
pub(crate) fn all_layers() -> Document {
    let lead = "What changed from one layer to the next, as far as published packages tell.";
    let mut page = Document::begin(title(Kind::Layer), Some(lead), None, Vec::new());
    let feed = Target::File("layers/feed.xml".to_owned());
    page.paragraph([
        text("Layers that no package has are not here. "),
        Inline::Link("The same as a feed".to_owned(), feed),
        text(". Methods and constructors that are gone: "),
        Inline::Link("what older layers had".to_owned(), Target::List(Kind::Gone)),
        text("."),
    ]);
    page.push(layer_list());
    page
}

/// All core types.
pub(crate) fn all_core() -> Document {
    let lead = "What all other types are made of: numbers, text, bytes, flags, lists.";
    let mut page = Document::begin(title(Kind::Core), Some(lead), None, Vec::new());
    let items = CORE_TYPES.iter().map(|core| {
        let (kind, name) = core.page();
        Item { name: vec![Inline::Name(kind, name.to_owned())], about: phrase(core.about) }
    });
    page.push(Block::List(Look::Things, items.collect()));
    page
}

/// All that only older layers have.
pub(crate) fn all_gone() -> Document {
    let lead =
        "Methods and constructors that the newest layer lacks, and what is taken instead of them.";
    let mut page = Document::begin(title(Kind::Gone), Some(lead), None, Vec::new());
    for (id, title, is_function) in
        [("methods", "Methods", true), ("constructors", "Constructors", false)]
    {
        page.section(id, title);
        let gone = Reference::get().gone().iter();
        let gone = gone.filter(|it| it.definition.is_function == is_function);
        page.push(Block::List(Look::Things, gone.map(removed).collect()));
    }
    page
}

/// What is gone, when that was, and the way to what is taken instead.
fn removed(gone: &Gone) -> Item {
    let mut about = vec![text(format!("Removed {}", gone.when()))];
    let mut between = ": see ";
    for name in &gone.see {
        about.extend([text(between), known(name)]);
        between = ", ";
    }
    about.push(text("."));
    Item { name: vec![Inline::Name(Kind::Gone, gone.name().to_owned())], about }
}

/// The methods that bots may call, as far as that is known.
pub(crate) fn bots() -> Document {
    let all = Reference::get().methods();
    let methods = all.iter().filter(|it| it.callers.is_some_and(|callers| callers.bot));
    let (both, only): (Vec<&Method>, Vec<&Method>) =
        methods.partition(|it| it.callers.is_some_and(|callers| callers.user));
    let unknown = count(all.iter().filter(|it| it.callers.is_none()).count(), "method");
    let lead = format!(
        "{} may be called by bots, {} of them by bots alone.",
        count(both.len() + only.len(), "method"),
        only.len()
    );
    let mut page = Document::begin("Methods for bots", Some(&lead), None, Vec::new());
    page.quiet([text(format!(
        "Of {unknown} nobody has asked yet who may call them: they came after layer {FACTS_LAYER}."
    ))]);
    for (id, title, methods) in [("only", "Bots alone", only), ("both", "Bots and users", both)] {
        page.section(id, title);
        let names: Vec<&str> = methods.iter().map(|it| it.name()).collect();
        page.all(Kind::Method, &names);
    }
    page
}

/// What there is of a kind, in parts: the file of each, its title, the names in it.
pub(crate) fn contents<'p>(
    kind: Kind,
    parts: impl Iterator<Item = (&'p str, &'p str, &'p [&'static str])>,
) -> Document {
    let lead = match kind {
        Kind::Error => {
            "What Telegram answers instead of a result. A number in a name is written X here: \
             FLOOD_WAIT_42 is FLOOD_WAIT_X."
        }
        Kind::Type => {
            "What parameters and answers are of. A value of a type is one of its constructors."
        }
        _ => "The forms that values have: each with an id and fields.",
    };
    let mut page = Document::begin(title(kind), Some(lead), None, Vec::new());
    let mut total = 0;
    let items = parts.map(|(file, title, names)| {
        total += names.len();
        let list = Target::File(format!("{}/{file}.html", kind.folder()));
        let mut about = vec![text(format!("{}, ", names.len()))];
        let ends = [names.first(), names.last().filter(|_| names.len() > 1)];
        for (index, name) in ends.into_iter().flatten().enumerate() {
            about.extend((index > 0).then(|| text(" to ")));
            about.push(code(*name));
        }
        Item { name: vec![Inline::Link(title.to_owned(), list)], about }
    });
    page.push(Block::List(Look::Things, items.collect()));
    let mut said = vec![text(format!("{total} in all, in layer {}", Reference::get().layer()))];
    if kind == Kind::Type {
        let core = Inline::Link("core types".to_owned(), Target::List(Kind::Core));
        said.extend([text("; all of them are made of the "), core]);
    }
    said.push(text("."));
    page.quiet(said);
    page
}

/// A part of the things of a kind.
pub(crate) fn part(kind: Kind, letter: &str, names: &[&str]) -> Document {
    let title = format!("{}: {letter}", title(kind));
    let mut page = Document::begin(&title, None, None, Vec::new());
    page.all(kind, names);
    page
}

/// What a namespace is about.
pub(crate) fn about(namespace: &str) -> Option<&'static str> {
    let all = ABOUT.binary_search_by_key(&namespace, |(name, _)| name).ok();
    all.and_then(|index| ABOUT.get(index)).map(|(_, about)| *about)
}

const ABOUT: &[(&str, &str)] = &[
    (
        "account",
        "The account itself: profile, privacy, notifications, password, devices, websites.",
    ),
    ("aicompose", "Texts that Telegram's models help to write, and the tones that they write in."),
    ("auth", "The way in and out: codes, passwords, QR logins, keys of data centres."),
    ("bots", "What bots are and say: commands, menus, Mini Apps, access to chats."),
    ("channels", "Channels and supergroups: members, rights, settings, messages in them."),
    ("chatlists", "Folders of chats that are shared by a link."),
    ("communities", "Communities: groups and channels that belong together."),
    ("contacts", "The address book: contacts, who is blocked, whom a username is of."),
    ("ephemeral", "Messages that only some people see, and that do not stay."),
    ("folders", "The archive of chats."),
    ("fragment", "Usernames and numbers that were bought on Fragment."),
    ("help", "What an app needs to know: configuration, countries, terms, updates of apps."),
    ("langpack", "The texts of an app in the languages of its users."),
    (
        "messages",
        "Messages and chats: sending, reading, searching, media, stickers, reactions, polls.",
    ),
    ("payments", "Invoices, Stars, gifts, giveaways and what they earn."),
    ("phone", "Calls between two, and calls of groups."),
    ("photos", "Profile pictures."),
    ("premium", "Boosts of channels."),
    ("root", "What has no namespace: wrappers around other methods, and most types."),
    ("smsjobs", "Text messages that an account sends for Telegram."),
    ("stats", "Numbers about channels, supergroups, messages and stories."),
    ("stickers", "Sets of stickers, as their makers see them."),
    ("storage", "Kinds of files, as the answers of downloads name them."),
    ("stories", "Stories: publishing, reading, who saw them."),
    ("toncenter", "The TON blockchain, asked through Telegram."),
    ("updates", "What happened while an app was away."),
    ("upload", "Files, part by part, up and down."),
    ("users", "Who people and bots are."),
    ("wallet", "The TON wallet of an account."),
];

#[cfg(test)]
mod tests {
    use super::{ABOUT, about};
    use crate::Reference;

    #[test]
    fn every_namespace_says_what_it_is_about() {
        assert!(ABOUT.is_sorted());
        for namespace in Reference::get().namespaces() {
            assert!(about(namespace.name).is_some(), "{}", namespace.name);
        }
        assert_eq!(ABOUT.len(), Reference::get().namespaces().len());
    }
}
