//! What others call it: the ready-made calls of other clients, and the methods of the HTTP Bot API, by which a method
//! of this API is called there. The facts are in `schema/bot_api.toml` and `schema/elsewhere.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

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

    use super::{ELSEWHERE, TITLES, places};
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
}
