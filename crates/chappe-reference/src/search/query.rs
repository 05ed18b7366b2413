//! What a query may stand for.

use std::collections::BTreeSet;

use super::text::{self, stem};
use super::words::{NOISE, TAILS, tables};

/// The names that a query may stand for: as it is, without the modules in front of it that others
/// have, without what others hang on, with `X` for numbers as errors are called.
pub(super) fn forms(query: &str) -> Vec<String> {
    let pieces: Vec<String> = query
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|piece| !piece.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let noise = pieces.iter().take_while(|piece| is_noise(piece)).count();
    let noise = noise.min(pieces.len().saturating_sub(1));
    let is_number = |piece: &String| piece.bytes().all(|byte| byte.is_ascii_digit());
    let mut forms = vec![pieces.concat(), pieces[noise..].concat()];
    for form in forms.clone() {
        for tail in TAILS.split(' ') {
            let bare = form.strip_suffix(tail).filter(|bare| bare.len() >= 3);
            forms.extend(bare.map(str::to_owned));
        }
    }
    if !pieces.iter().all(is_number) {
        let general = pieces.iter().map(|piece| if is_number(piece) { "x" } else { piece });
        forms.push(general.collect());
    }
    let mut kept: Vec<String> = Vec::new();
    for form in forms {
        if !form.is_empty() && !kept.contains(&form) {
            kept.push(form);
        }
    }
    kept
}

/// The names that a message of a program tells of, each in its forms: words that have the signs or the humps
/// of a name. A word alone is no message.
pub(super) fn told(message: &str) -> Vec<Vec<String>> {
    let is_sign = |c: char| matches!(c, '_' | '.');
    let pieces = message.split(|c: char| !c.is_ascii_alphanumeric() && !is_sign(c));
    let pieces: Vec<&str> =
        pieces.map(|piece| piece.trim_matches(is_sign)).filter(|it| !it.is_empty()).collect();
    if pieces.len() < 2 {
        return Vec::new();
    }
    let mut told: Vec<Vec<String>> = Vec::new();
    let pieces = pieces.into_iter().map(without_modules);
    for piece in pieces.filter(|piece| has_signs(piece)).take(TOLD) {
        let forms = forms(piece);
        if !told.contains(&forms) {
            told.push(forms);
        }
    }
    told
}

/// A name without the modules in front of it that others have.
fn without_modules(name: &str) -> &str {
    let mut name = name;
    while let Some((module, rest)) = name.split_once('.') {
        if !is_noise(&module.to_ascii_lowercase()) {
            break;
        }
        name = rest;
    }
    name
}

fn is_noise(word: &str) -> bool {
    NOISE.split(' ').any(|noise| noise == word)
}

/// Whether a word is written as names are.
fn has_signs(word: &str) -> bool {
    let pairs = word.as_bytes().windows(2);
    let mut pairs = pairs.map(|pair| (pair.first(), pair.last()));
    let is_hump = |before: Option<&u8>, after: Option<&u8>| {
        before.is_some_and(u8::is_ascii_lowercase) && after.is_some_and(u8::is_ascii_uppercase)
    };
    word.len() > 3
        && (word.contains(['_', '.']) || pairs.any(|(before, after)| is_hump(before, after)))
}

/// The ids that a query may be, or that stand in it where it is a message.
pub(super) fn ids(query: &str) -> Vec<u32> {
    let lower = query.to_ascii_lowercase();
    let mut ids = alone(&lower);
    let is_digit = |c: char| c.is_ascii_alphanumeric();
    let mut place: usize = 0;
    let mut pieces = Vec::new();
    for piece in lower.split(|c: char| !is_digit(c)) {
        let before = place.checked_sub(1).and_then(|it| lower.as_bytes().get(it)).copied();
        // Behind the piece there is one character that is neither a letter nor a digit.
        place += piece.len();
        place += lower.get(place..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        if !piece.is_empty() {
            pieces.push((before, piece));
        }
    }
    if pieces.len() < 2 {
        return ids;
    }
    for (before, piece) in pieces {
        let hex = piece.strip_prefix("0x").or_else(|| (before == Some(b'#')).then_some(piece));
        let least = if hex.is_some() { 1 } else { 6 };
        let hex = hex.unwrap_or(piece);
        if (least..=8).contains(&hex.len()) {
            ids.extend(u32::from_str_radix(hex, 16));
        }
        if piece.len() <= 10 && piece.bytes().all(|byte| byte.is_ascii_digit()) {
            ids.extend(match before {
                Some(b'-') => format!("-{piece}").parse::<i32>().map(|number| number as u32),
                _ => piece.parse(),
            });
        }
    }
    ids
}

/// The ids that a query may be: eight hexadecimal digits, fewer behind `0x` or `#`, or a decimal
/// number with or without a sign, as programs print them.
fn alone(lower: &str) -> Vec<u32> {
    let marked = lower.strip_prefix("0x").or_else(|| lower.strip_prefix('#'));
    let digits = marked.unwrap_or(lower);
    let is_hex = !digits.is_empty()
        && digits.len() <= 8
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut ids = Vec::new();
    if is_hex && (marked.is_some() || digits.len() == 8) {
        ids.extend(u32::from_str_radix(digits, 16));
    }
    let number = lower.strip_prefix('-').unwrap_or(lower);
    if (5..=10).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()) {
        // What is below zero is the same four bytes, read with a sign.
        ids.extend(lower.parse::<i32>().map(|number| number as u32));
        ids.extend(lower.parse::<u32>());
    }
    ids
}

/// The stems of a query's words, without those that every sentence has unless it has no others.
pub(super) fn asked(query: &str) -> Vec<String> {
    let words: Vec<String> = text::words(query).iter().map(|word| stem(word)).collect();
    let mut asked: Vec<String> = Vec::new();
    let mut place = 0;
    while let Some(word) = words.get(place) {
        let pair = words.get(place + 1).and_then(|next| joined(word, next));
        let (word, step) = pair.map_or((word.as_str(), 1), |pair| (pair, 2));
        if !asked.iter().any(|it| it == word) {
            asked.push(word.to_owned());
        }
        place += step;
    }
    if asked.iter().any(|word| !is_stop(word)) {
        asked.retain(|word| !is_stop(word));
    }
    asked.truncate(WORDS);
    asked
}

pub(super) fn joined(one: &str, other: &str) -> Option<&'static str> {
    tables().joined.get(&(one.to_owned(), other.to_owned())).map(String::as_str)
}

pub(super) fn is_stop(word: &str) -> bool {
    tables().stops.contains(word)
}

/// The names of what a query asks for in people's words, the likeliest first. Whom and where it is
/// about counts only where the words are others with it.
pub(super) fn called(query: &str) -> &'static [String] {
    let mut asked = asked(query);
    for extra in &tables().extra {
        asked.retain(|word| !extra.contains(word));
        if let Some(names) = tables().called.get(&asked.join(" ")) {
            return names;
        }
    }
    &[]
}

/// The names of what a message says in the words of others.
pub(super) fn sayings(message: &str) -> impl Iterator<Item = &'static String> {
    let words: BTreeSet<String> = text::words(message).iter().map(|word| stem(word)).collect();
    let said = tables().sayings.iter();
    let said = said.filter(move |(saying, _)| saying.iter().all(|word| words.contains(word)));
    said.flat_map(|(_, names)| names)
}

/// How many words of a query are looked at.
const WORDS: usize = 8;

/// How many names of a message are looked at.
const TOLD: usize = 24;

#[cfg(test)]
mod tests {
    use super::{ids, told};

    #[test]
    fn a_message_tells_of_names_and_of_ids() {
        let names = |message: &str| {
            let told = told(message);
            told.iter().map(|forms| forms.join(" ")).collect::<Vec<_>>().join(", ")
        };
        let telethon = "telethon.errors.rpcerrorlist.FloodWaitError: A wait of 42 seconds is required (caused by \
                        SendMessageRequest)";
        assert!(names(telethon).contains("floodwait"), "{}", names(telethon));
        assert!(
            names(telethon).contains(", sendmessagerequest sendmessage"),
            "{}",
            names(telethon)
        );
        assert_eq!(names("rpc error 420: FLOOD_WAIT (value: 7)"), "floodwait");
        for none in [
            "FLOOD_WAIT_7",
            "log out of a website",
            "Api.account.ResetWebAuthorization",
            "see e.g. version 2.0",
            "",
        ] {
            assert_eq!(names(none), "", "{none}");
        }
        for (message, want) in [
            ("constructor 0x020b1422 not found", &[0x020b_1422][..]),
            ("with the ID a6d57763. See the FAQ", &[0xa6d5_7763]),
            ("INPUT_CONSTRUCTOR_INVALID_5EE0BA", &[0x5e_e0ba]),
            ("KeyError: 34280482", &[0x3428_0482, 34_280_482]),
            ("user#20b1422 flags:#", &[0x020b_1422]),
            ("user#bad flags:#", &[0xbad]),
            ("é0x1é a", &[0x1]),
            ("id -1720552011!", &[0x9972_75b5]),
        ] {
            assert!(
                want.iter().all(|id| ids(message).contains(id)),
                "{message}: {:x?}",
                ids(message)
            );
        }
        assert_eq!(ids("wait of 42 seconds is needed"), [42]);
    }

    #[test]
    fn an_id_has_eight_digits_or_says_what_it_is() {
        assert_eq!(ids("2D01B9EF"), [0x2d01_b9ef]);
        assert_eq!(ids("-1720552011"), [0x9972_75b5]);
        for (marked, id) in [("0x229", 0x229), ("#bad", 0xbad)] {
            assert_eq!(ids(marked), [id]);
        }
        // A code, a word, too much.
        for none in ["229", "bad", "0x", "#2d01b9ef0", "2d01b9e", "4294967296", ""] {
            assert!(ids(none).is_empty(), "{none}");
        }
    }
}
