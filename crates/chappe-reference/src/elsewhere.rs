//! What others call it: the ready-made calls of other clients, and the methods of the HTTP Bot API, by which a method
//! of this API is called there. The facts are in `schema/bot_api.toml` and `schema/elsewhere.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::search::compact;

/// Somebody else's way to call methods.
#[derive(Debug)]
pub struct Place {
    /// Its name as a key.
    pub key: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Its calls, each with the methods that it makes.
    calls: BTreeMap<String, Vec<String>>,
}

/// A call of somebody else.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Whose it is.
    pub place: &'static Place,
    /// Its name, as it is spelled there.
    pub name: &'static str,
    /// The methods that it makes, at least one.
    pub methods: &'static [String],
}

/// All of them, in the order in which pages show them.
#[expect(clippy::expect_used, reason = "the texts are part of the program and tests parse them")]
pub fn places() -> &'static [Place] {
    static PLACES: LazyLock<Vec<Place>> = LazyLock::new(|| {
        let calls = toml::from_str(BOT_API).expect("the bundled table parses");
        let mut others: BTreeMap<String, BTreeMap<String, Vec<String>>> =
            toml::from_str(ELSEWHERE).expect("the bundled tables parse");
        let mut places = vec![Place { key: "bot_api", title: "HTTP Bot API", calls }];
        places.extend(TITLES.iter().filter_map(|&(key, title)| {
            let calls = others.remove(key)?;
            Some(Place { key, title, calls })
        }));
        places
    });
    &PLACES
}

/// The calls that have a name, in any spelling, in the order of [`places`].
#[must_use]
pub fn calls_named(name: &str) -> Vec<Call> {
    let name = compact(name);
    let of = |place: &'static Place| {
        let named = move |(call, methods)| Call { place, name: call, methods };
        place.calls().map(named).filter(|call| compact(call.name) == name).collect::<Vec<_>>()
    };
    places().iter().flat_map(of).collect()
}

/// The one method that all of some calls make, whatever else each of them makes; `None` where there are several,
/// or none.
#[must_use]
pub fn made_by_all(calls: &[Call]) -> Option<&'static str> {
    let (first, others) = calls.split_first()?;
    let mut common =
        first.methods.iter().filter(|it| others.iter().all(|call| call.methods.contains(it)));
    common.next().filter(|_| common.next().is_none()).map(String::as_str)
}

impl Place {
    /// Its calls that make a method, sorted: first those that make nothing else.
    #[must_use]
    pub fn calls_of(&self, method: &str) -> Vec<&str> {
        let makes = |(_, methods): &(&String, &Vec<String>)| methods.iter().any(|it| it == method);
        let mut calls: Vec<_> = self.calls.iter().filter(makes).collect();
        calls.sort_by_key(|(_, methods)| methods.len() > 1);
        calls.into_iter().map(|(call, _)| call.as_str()).collect()
    }

    /// All its calls, each with the methods that it makes.
    pub(crate) fn calls(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.calls.iter().map(|(call, methods)| (call.as_str(), methods.as_slice()))
    }
}

/// The clients of `schema/elsewhere.toml`, and what people know them as.
const TITLES: [(&str, &str); 5] = [
    ("telegram", "GramJS"),
    ("teleproto", "teleproto"),
    ("telethon", "Telethon"),
    ("kurigram", "kurigram (Pyrogram)"),
    ("mtcute", "mtcute"),
];

const BOT_API: &str = include_str!("../../../schema/bot_api.toml");
const ELSEWHERE: &str = include_str!("../../../schema/elsewhere.toml");

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{ELSEWHERE, TITLES, calls_named, made_by_all, places};
    use crate::Reference;

    #[test]
    fn every_call_makes_methods_that_exist() {
        let all: BTreeMap<String, toml::Table> = toml::from_str(ELSEWHERE).unwrap();
        assert_eq!(all.len(), TITLES.len());
        assert_eq!(places().len(), TITLES.len() + 1);
        for place in places() {
            for (call, methods) in place.calls() {
                assert!(!methods.is_empty(), "{}: {call} makes nothing", place.title);
                for method in methods {
                    let known = Reference::get().method(method).is_some();
                    assert!(known, "{}: {call} makes {method}", place.title);
                }
            }
        }
    }

    #[test]
    fn a_call_that_makes_nothing_else_comes_first() {
        let calls = |key: &str, method| {
            places().iter().find(|place| place.key == key).unwrap().calls_of(method)
        };
        assert!(calls("bot_api", "messages.sendMedia").contains(&"sendPhoto"));
        assert!(calls("telethon", "messages.sendMedia").contains(&"send_file"));
        assert!(calls("kurigram", "messages.sendMedia").contains(&"send_photo"));
        let kurigram = calls("kurigram", "contacts.addContact");
        assert_eq!(kurigram.first(), Some(&"add_contact"));
        assert_eq!(calls("bot_api", "messages.editChatTitle"), ["setChatTitle"]);
        assert!(calls("telegram", "wallet.getState").is_empty());
    }

    #[test]
    fn what_all_that_have_a_name_make_by_it_is_its_method() {
        let made = |name| made_by_all(&calls_named(name));
        for (name, method) in [
            ("sendPhoto", "messages.sendMedia"),
            ("send_photo", "messages.sendMedia"),
            ("SendPhoto", "messages.sendMedia"),
            // One of them asks for more beside it.
            ("sendMessage", "messages.sendMessage"),
        ] {
            assert_eq!(made(name), Some(method), "{name}");
        }
        // It depends on the chat; nobody is agreed; nobody has it.
        for name in ["leaveChat", "downloadMedia", "", "send photo of a cat"] {
            assert_eq!(made(name), None, "{name}");
        }
        let titles: Vec<_> = calls_named("send_photo").iter().map(|it| it.place.title).collect();
        assert_eq!(titles, ["HTTP Bot API", "kurigram (Pyrogram)"]);
    }
}
