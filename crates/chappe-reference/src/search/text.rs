//! Words as the search compares them. `assets/search.js` does the same, letter by letter.

/// Splits at what is neither an ASCII letter nor a digit, and at the humps of a camel; in small letters.
pub(super) fn words(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let at = |place: Option<usize>| place.and_then(|place| bytes.get(place)).copied().unwrap_or(0);
    let mut words = Vec::new();
    let mut word = String::new();
    for (place, byte) in bytes.iter().enumerate() {
        let before = at(place.checked_sub(1));
        let hump = byte.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || before.is_ascii_uppercase() && at(Some(place + 1)).is_ascii_lowercase());
        if (hump || !byte.is_ascii_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if byte.is_ascii_alphanumeric() {
            word.push(char::from(byte.to_ascii_lowercase()));
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The letters and digits alone, in small letters.
pub(crate) fn compact(text: &str) -> String {
    let kept = text.bytes().filter(u8::is_ascii_alphanumeric);
    kept.map(|byte| char::from(byte.to_ascii_lowercase())).collect()
}

/// What is left of a word in small letters without its endings, so that "deleted", "deletes" and
/// "delete" are the same.
pub(super) fn stem(word: &str) -> String {
    let mut stem = word.to_owned();
    let cut = |stem: &mut String, count: usize| stem.truncate(stem.len() - count);
    let ends = |stem: &str, endings: &[&str]| endings.iter().any(|it| stem.ends_with(it));
    if stem.len() > 4 && stem.ends_with("ies") {
        cut(&mut stem, 3);
        stem.push('y');
    } else if stem.len() > 4 && ends(&stem, &["sses", "xes", "ches", "shes", "zes"]) {
        cut(&mut stem, 2);
    } else if stem.len() > 3 && stem.ends_with('s') && !ends(&stem, &["ss", "us", "is"]) {
        cut(&mut stem, 1);
    }
    if stem.len() > 9 && stem.ends_with("ation") {
        cut(&mut stem, 5);
    } else if stem.len() > 5 && stem.ends_with("ing") {
        cut(&mut stem, 3);
        undouble(&mut stem);
    } else if stem.len() > 4 && stem.ends_with("ed") {
        cut(&mut stem, 2);
        undouble(&mut stem);
    }
    if stem.len() > 4 && stem.ends_with('e') {
        cut(&mut stem, 1);
    }
    if stem.len() > 5 && stem.ends_with("is") {
        cut(&mut stem, 1);
        stem.push('z');
    }
    stem
}

/// "pinn" of "pinned" is "pin"; "call" of "called" stays.
fn undouble(stem: &mut String) {
    let mut ends = stem.bytes().rev();
    let (last, before) = (ends.next(), ends.next());
    if last == before && !matches!(last, Some(b'l' | b's' | b'z')) {
        stem.pop();
    }
}

/// How many letters have to be changed, added, left out or swapped with their neighbours to turn
/// `typed` into the beginning of `name`; `None` for more than `limit`. Both are ASCII.
pub(super) fn distance(typed: &str, name: &str, limit: usize) -> Option<usize> {
    let (typed, name) = (typed.as_bytes(), name.as_bytes());
    // No beginning that is longer can be near.
    let name = name.get(..typed.len() + limit).unwrap_or(name);
    if typed.len() > name.len() + limit {
        return None;
    }
    let mut above: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=name.len()).collect();
    for (i, letter) in typed.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, other) in name.iter().enumerate() {
            let same = usize::from(letter != other);
            let mut cost = (row[j] + same).min(row[j + 1] + 1).min(next[j] + 1);
            let swapped =
                i > 0 && j > 0 && typed[i - 1] == *other && *letter == name[j - 1] && same == 1;
            if swapped {
                cost = cost.min(above[j - 1] + 1);
            }
            next.push(cost);
        }
        if next.iter().min().is_none_or(|least| *least > limit) {
            return None;
        }
        above = std::mem::replace(&mut row, next);
    }
    row.into_iter().min().filter(|least| *least <= limit)
}

#[cfg(test)]
mod tests {
    use super::{compact, distance, stem, words};

    #[test]
    fn names_fall_into_their_words() {
        for (name, want) in [
            ("account.resetWebAuthorization", "account reset web authorization"),
            ("getForumTopicsByID", "get forum topics by id"),
            ("SMSJobs", "sms jobs"),
            ("2FA_CONFIRM_WAIT_X", "2fa confirm wait x"),
            ("phone_code_hash", "phone code hash"),
            ("account::ResetWebAuthorization", "account reset web authorization"),
            ("p.ä.q", "p q"),
            ("", ""),
        ] {
            assert_eq!(words(name).join(" "), want);
            assert_eq!(compact(name), want.replace(' ', ""));
        }
    }

    #[test]
    fn forms_of_a_word_have_one_stem() {
        for forms in [
            &["authorization", "authorizations", "authorize", "authorized", "authorise"][..],
            &["delete", "deletes", "deleted", "deleting"],
            &["pin", "pins", "pinned", "pinning"],
            &["call", "calls", "called", "calling"],
            &["story", "stories"],
            &["invite", "invites", "invited"],
            &["message", "messages"],
            &["address", "addresses"],
        ] {
            let stems: Vec<String> = forms.iter().map(|form| stem(form)).collect();
            assert!(stems.iter().all(|it| *it == stems[0]), "{stems:?}");
        }
        for word in ["a", "is", "us", "bus", "need", "this"] {
            assert_eq!(stem(word), word);
        }
    }

    #[test]
    fn a_slip_of_the_finger_is_one_step() {
        for (typed, name, want) in [
            ("sendmessage", "sendmessage", Some(0)),
            ("sendmessage", "sendmessagemedia", Some(0)),
            ("sendmesage", "sendmessage", Some(1)),
            ("sendmessgae", "sendmessage", Some(1)),
            ("sendmassage", "sendmessagemedia", Some(1)),
            ("ssendmessage", "sendmessage", Some(1)),
            ("xendmassage", "sendmessage", Some(2)),
            ("xendmassagx", "sendmessage", None),
            ("sendmessage", "send", None),
        ] {
            assert_eq!(distance(typed, name, 2), want, "{typed} {name}");
        }
    }
}
