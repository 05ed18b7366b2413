//! Lists of pages: the front page, all things of a kind, and namespaces.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::frame::{KINDS, Page, crumbs, document, heading, logo, short};
use super::{Here, breakable, count, layer, start, summary, text};
use crate::Kind;
use crate::model::{FACTS_LAYER, Method, Namespace, ROOT, Reference};

/// The front page and the lists of all things, by their paths from the top of the site.
pub(crate) fn lists() -> Vec<(String, String)> {
    let all = Reference::get();
    let mut pages = vec![
        ("index.html".to_owned(), front().into_string()),
        ("start.html".to_owned(), start::page().into_string()),
    ];
    for kind in [Kind::Method, Kind::Namespace] {
        pages.push((format!("{}/index.html", kind.folder()), namespaces(kind).into_string()));
    }
    pages.push((format!("methods/{BOTS}.html"), bots().into_string()));
    for space in all.namespaces() {
        for (number, part) in method_parts(space).iter().enumerate().skip(1) {
            let path = format!("{}/{}.html", Kind::Namespace.folder(), part.file);
            pages.push((path, namespace(space, number).into_string()));
        }
    }
    pages.push(("layers/index.html".to_owned(), layer::index().into_string()));
    let constructors: Vec<&str> = all.constructors().iter().map(|it| it.name()).collect();
    let errors: Vec<&str> = all.errors().iter().map(|it| it.name).collect();
    let types: Vec<&str> = all.types().iter().map(|it| it.name).collect();
    for (kind, names) in
        [(Kind::Constructor, constructors), (Kind::Error, errors), (Kind::Type, types)]
    {
        let parts = parts(names);
        pages.push((format!("{}/index.html", kind.folder()), contents(kind, &parts).into_string()));
        for (index, part) in parts.iter().enumerate() {
            let path = format!("{}/{}.html", kind.folder(), part.file);
            pages.push((path, one_part(kind, &parts, index).into_string()));
        }
    }
    pages
}

/// A part of a long list.
struct Part {
    /// The file of its page, without ending.
    file: String,
    /// What it is called.
    title: String,
    names: Vec<&'static str>,
}

/// A long list in parts: by the first letter behind the namespace, and those not too long.
fn parts(names: Vec<&'static str>) -> Vec<Part> {
    const MOST: usize = 130;
    let mut letters: BTreeMap<char, Vec<&'static str>> = BTreeMap::new();
    for name in names {
        let letter = short(name).chars().next().unwrap_or('_').to_ascii_uppercase();
        letters.entry(letter).or_default().push(name);
    }
    let mut parts = Vec::new();
    for (letter, mut names) in letters {
        names.sort_by_key(|name| (short(name).to_lowercase(), *name));
        let count = names.len().div_ceil(MOST).max(1);
        for (index, names) in names.chunks(names.len().div_ceil(count)).enumerate() {
            let file = if index == 0 {
                format!("index-{letter}")
            } else {
                format!("index-{letter}-{}", index + 1)
            };
            let title =
                if count == 1 { letter.to_string() } else { format!("{letter} {}", index + 1) };
            parts.push(Part { file, title, names: names.to_vec() });
        }
    }
    parts
}

const LETTERS: &str = "By first letter";

/// The links to the parts of a long list.
fn parts_menu(parts: &[Part], here: Option<usize>, label: &str) -> Markup {
    html! {
        nav.parts aria-label=(label) {
            ul {
                @for (index, part) in parts.iter().enumerate() {
                    li { a href={ (part.file) ".html" } aria-current=[(here == Some(index)).then_some("page")] { (part.title) } }
                }
            }
        }
    }
}

fn title(kind: Kind) -> &'static str {
    KINDS.iter().find(|(it, _)| *it == kind).map_or("Namespaces", |(_, title)| title)
}

fn contents(kind: Kind, parts: &[Part]) -> Markup {
    let count: usize = parts.iter().map(|part| part.names.len()).sum();
    let title = title(kind);
    let about = match kind {
        Kind::Error => {
            "What Telegram answers instead of a result. A number in a name is written X here: \
             FLOOD_WAIT_42 is FLOOD_WAIT_X."
        }
        Kind::Type => {
            "What parameters and answers are of. A value of a type is one of its constructors."
        }
        _ => "The forms that values have: each with an id and fields.",
    };
    list_page(
        kind,
        title,
        html! {
            h1.words { (title) }
            p.lead { (about) }
            (parts_menu(parts, None, LETTERS))
            ul.contents {
                @for part in parts {
                    li {
                        a href={ (part.file) ".html" } { (part.title) } " "
                        span {
                            (part.names.len()) ", "
                            @if let (Some(first), Some(last)) = (part.names.first(), part.names.last()) {
                                (breakable(first)) @if first != last { " to " (breakable(last)) }
                            }
                        }
                    }
                }
            }
            p.quiet { (count) " in all, in layer " (Reference::get().layer()) "." }
        },
    )
}

fn one_part(kind: Kind, parts: &[Part], index: usize) -> Markup {
    let here = Here::of(kind);
    let heading = title(kind);
    let part = parts.get(index);
    let names = part.map(|part| part.names.as_slice()).unwrap_or_default();
    let letter = part.map_or("", |part| &part.title);
    let title = format!("{heading}: {letter}");
    list_page(
        kind,
        &title,
        html! {
            h1.words { (title) }
            (parts_menu(parts, Some(index), LETTERS))
            (things(here, kind, names))
        },
    )
}

/// Names with what each is in a sentence, however many.
fn things(here: Here, kind: Kind, names: &[&str]) -> Markup {
    html! {
        ul.things {
            @for name in names {
                li {
                    (here.link(kind, name))
                    @if let Some(summary) = summary(kind, name) { " " span { (text::inline_plain(summary)) } }
                }
            }
        }
    }
}

fn list_page(kind: Kind, title: &str, content: Markup) -> Markup {
    let here = Here::of(kind);
    let mut crumbs = crumbs(here, kind, "");
    crumbs.truncate(if title == self::title(kind) { 1 } else { 2 });
    document(Page {
        here,
        title,
        description: format!("{title} of the Telegram API"),
        crumbs,
        sections: Vec::new(),
        namespace: None,
        neighbours: Vec::new(),
        content,
        twin: None,
        feed: None,
    })
}

/// All namespaces, each with what it is about.
fn namespaces(kind: Kind) -> Markup {
    let here = Here::of(kind);
    let all = Reference::get();
    let title = title(kind);
    list_page(
        kind,
        title,
        html! {
            h1.words { (title) }
            p.lead { (count(all.methods().len(), "method")) " in " (all.namespaces().iter().filter(|it| !it.methods.is_empty()).count()) " namespaces." }
            (space_list(here))
        },
    )
}

/// The file of the list of what bots may call, without ending.
const BOTS: &str = "index-bots";

/// The methods that bots may call, as far as that is known.
fn bots() -> Markup {
    let here = Here::of(Kind::Method);
    let all = Reference::get().methods().iter();
    let methods: Vec<&Method> =
        all.filter(|it| it.callers.is_some_and(|callers| callers.bot)).collect();
    let (only, both): (Vec<&Method>, Vec<&Method>) =
        methods.into_iter().partition(|it| it.callers.is_some_and(|callers| !callers.user));
    let unknown = Reference::get().methods().iter().filter(|it| it.callers.is_none()).count();
    list_page(
        Kind::Method,
        "Methods for bots",
        html! {
            h1.words { "Methods for bots" }
            p.lead { (count(both.len() + only.len(), "method")) " may be called by bots, " (only.len()) " of them by bots alone." }
            p.quiet { "Of " (count(unknown, "method")) " nobody has asked yet who may call them: they came after layer " (FACTS_LAYER) "." }
            @for (id, title, methods) in [("only", "Bots alone", only), ("both", "Bots and users", both)] {
                section {
                    (heading(id, title))
                    ul.things {
                        @for method in methods {
                            li {
                                (here.link(Kind::Method, method.name()))
                                @if let Some(summary) = method.summary() { " " span { (text::bare(summary)) } }
                            }
                        }
                    }
                }
            }
        },
    )
}

fn space_list(here: Here) -> Markup {
    html! {
        ul.spaces {
            @for space in Reference::get().namespaces() {
                li {
                    a href=(here.to(Kind::Namespace, space.name)) { (space.name) }
                    span.count { (space.methods.len()) }
                    @if let Some(about) = about(space.name) { p { (about) } }
                }
            }
        }
    }
}

/// The methods of a namespace in parts that fit on a page.
fn method_parts(space: &Namespace) -> Vec<Part> {
    const MOST: usize = 100;
    let count = space.methods.len().div_ceil(MOST).max(1);
    let size = space.methods.len().div_ceil(count).max(1);
    let parts = space.methods.chunks(size).enumerate();
    parts
        .map(|(index, names)| Part {
            file: match index {
                0 => space.name.to_owned(),
                _ => format!("{}-{}", space.name, index + 1),
            },
            title: format!(
                "{} to {}",
                names.first().map_or("", |name| short(name)),
                names.last().map_or("", |name| short(name))
            ),
            names: names.to_vec(),
        })
        .collect()
}

/// The page of a namespace, or the part of it with this number, from 0.
pub(super) fn namespace(space: &Namespace, number: usize) -> Markup {
    let here = Here::of(Kind::Namespace);
    let mut sections = Vec::new();
    let title =
        if space.name == ROOT { "Without namespace".to_owned() } else { space.name.to_owned() };
    let mut parts = Vec::new();
    let mut section = |id, title, markup: Markup| {
        sections.push((id, title));
        parts.push(html! { section { (heading(id, title)) (markup) } });
    };
    let in_parts = method_parts(space);
    if let Some(part) = in_parts.get(number) {
        section(
            "methods",
            "Methods",
            html! {
                @if in_parts.len() > 1 { (parts_menu(&in_parts, Some(number), "Parts")) }
                ul.things {
                    @for name in &part.names {
                        li {
                            a href=(here.to(Kind::Method, name)) { code { (breakable(short(name))) } }
                            @if let Some(summary) = summary(Kind::Method, name) { " " span { (text::bare(summary)) } }
                        }
                    }
                }
            },
        );
    }
    if !space.types.is_empty() && number == 0 {
        section(
            "types",
            "Types",
            html! {
                @if space.name == ROOT {
                    p { "They are listed " a href=(here.all(Kind::Type)) { "by letter" } "." }
                } @else {
                    ul.names { @for name in &space.types { li { a href=(here.to(Kind::Type, name)) { (breakable(short(name))) } } } }
                }
            },
        );
    }
    document(Page {
        here,
        title: &title,
        description: about(space.name).unwrap_or("A namespace of the Telegram API").to_owned(),
        crumbs: vec![
            ("Reference".to_owned(), "../index.html".to_owned()),
            ("Namespaces".to_owned(), here.all(Kind::Namespace)),
        ],
        sections,
        namespace: Some(space.name),
        neighbours: Vec::new(),
        content: html! {
            h1 { (title) }
            @if let Some(about) = about(space.name) { p.lead { (about) } }
            ul.badges {
                li { (count(space.methods.len(), "method")) }
                li { (count(space.types.len(), "type")) }
                li { (count(space.constructors.len(), "constructor")) }
            }
            @for part in parts { (part) }
        },
        twin: (number == 0).then(|| space.name.to_owned()),
        feed: None,
    })
}

fn front() -> Markup {
    let here = Here::FRONT;
    let all = Reference::get();
    document(Page {
        here,
        title: "Reference",
        description: format!(
            "Every method, type and error of the Telegram API, layer {}",
            all.layer()
        ),
        crumbs: Vec::new(),
        sections: Vec::new(),
        namespace: None,
        neighbours: Vec::new(),
        content: html! {
            div.hero {
                (logo())
                h1 { "The Telegram API" }
                p.lead {
                    "Every method, type and error of layer " (all.layer())
                    ", in our own words: who may call it, what it needs, what it answers, what goes wrong and what to do then. "
                    "With programs in five languages, and answers that a server gave."
                }
                p { "New to it? " a href="start.html" { "What to know before the first call" } "." }
            }
            ul.kinds {
                @for (kind, count, about) in [
                    (Kind::Method, all.methods().len(), "what can be called"),
                    (Kind::Type, all.types().len(), "what values are of"),
                    (Kind::Constructor, all.constructors().len(), "the forms that values have"),
                    (Kind::Error, all.errors().len(), "what can go wrong"),
                ] {
                    li { a href=(here.all(kind)) { b { (count) } (title(kind)) span { (about) } } }
                }
            }
            section {
                (heading("namespaces", "Namespaces"))
                (space_list(here))
            }
        },
        twin: Some("index".to_owned()),
        feed: None,
    })
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
