//! What a query may stand for.

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
    let is_noise = |piece: &String| NOISE.split(' ').any(|noise| noise == piece);
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

/// The ids that a query may be: eight hexadecimal digits, fewer behind `0x` or `#`, or a decimal
/// number with or without a sign, as programs print them.
pub(super) fn ids(query: &str) -> Vec<u32> {
    let lower = query.to_ascii_lowercase();
    let marked = lower.strip_prefix("0x").or_else(|| lower.strip_prefix('#'));
    let digits = marked.unwrap_or(&lower);
    let is_hex = !digits.is_empty()
        && digits.len() <= 8
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut ids = Vec::new();
    if is_hex && (marked.is_some() || digits.len() == 8) {
        ids.extend(u32::from_str_radix(digits, 16));
    }
    let number = lower.strip_prefix('-').unwrap_or(&lower);
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

/// How many words of a query are looked at.
const WORDS: usize = 8;

#[cfg(test)]
mod tests {
    use super::ids;

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
