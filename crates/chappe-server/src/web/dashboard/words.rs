//! Small things that all pages show: foreign text, times, avatars.
//!
//! Names, domains and browsers come from strangers. They are escaped by `maud`; here they also lose
//! the power to reorder or hide what stands beside them, and to push it off the page.

use jiff::Timestamp;
use maud::{Markup, html};

/// Shows foreign text in one line: isolated, with its invisible characters spelled, and without its
/// middle if it is long. The end stays, since that is where a domain says whose it is.
pub(super) fn foreign(text: &str) -> Markup {
    let count = text.chars().count();
    if count <= SHORT {
        return html! { bdi { (spelled(text)) } };
    }
    let head: String = text.chars().take(HEAD).collect();
    let tail: String = text.chars().skip(count - TAIL).collect();
    html! {
        bdi title=(format!("{count} characters")) {
            (spelled(&head)) span.cut { "…" } (spelled(&tail))
        }
    }
}

/// Shows what went wrong, all of it: there may be a foreign word in it.
pub(super) fn reason(text: &str) -> Markup {
    html! { bdi { (spelled(text)) } }
}

/// Shows all of a foreign text, in a box of its own if it is long.
pub(super) fn whole(text: &str) -> Markup {
    if text.chars().count() <= SHORT && !text.contains('\n') {
        return html! { bdi { (spelled(text)) } };
    }
    html! {
        span.whole tabindex="0" role="group" aria-label="Long text" { bdi { (spelled(text)) } }
    }
}

/// Spells the characters that nobody sees, or that turn around what follows.
pub(super) fn spelled(text: &str) -> Markup {
    let mut plain = String::new();
    let mut pieces: Vec<(String, Option<u32>)> = Vec::new();
    for character in text.chars() {
        if is_hidden(character) {
            pieces.push((std::mem::take(&mut plain), Some(character.into())));
        } else {
            plain.push(character);
        }
    }
    pieces.push((plain, None));
    html! {
        @for (plain, hidden) in &pieces {
            (plain)
            @if let Some(code) = hidden { span.spelled { "U+" (format!("{code:04X}")) } }
        }
    }
}

/// The same where no markup is possible: in titles and attributes.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars().take(SHORT) {
        match is_hidden(character) {
            true => out.push('\u{fffd}'),
            false => out.push(character),
        }
    }
    if text.chars().nth(SHORT).is_some() {
        out.push('…');
    }
    out
}

/// Control characters other than a line break, those that set the direction of text, and those that
/// take no room; but not the joiners that words and emoji are written with.
fn is_hidden(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(
            character,
            '\u{061c}'
                | '\u{00ad}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// How long ago something was, with the exact time behind it; "never" for 0.
pub(super) fn ago(now: i32, date: i32) -> Markup {
    if date == 0 {
        return html! { "never" };
    }
    html! { time datetime=(instant(date)) title=(full(date)) { (since(now, date)) } }
}

/// The time of day, with the exact time behind it.
pub(super) fn clock(date: i32) -> Markup {
    html! {
        time datetime=(instant(date)) title=(full(date)) { (format(date, "%H:%M:%S")) }
    }
}

/// A date and time, as whoever looks for one reads it.
pub(super) fn full(date: i32) -> String {
    format(date, "%Y-%m-%d %H:%M:%S UTC")
}

/// How long something still lasts: `4 min 05 s`.
pub(super) fn left(seconds: i32) -> String {
    match (seconds.max(0) / 60, seconds.max(0) % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, seconds) => format!("{minutes} min {seconds:02} s"),
    }
}

/// "1 device", "2 devices".
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A round picture with the initials of who has none. It says nothing that is not beside it.
pub(super) fn avatar(id: i64, first: &str, last: &str) -> Markup {
    let initial = |name: &str| name.chars().find(|letter| letter.is_alphanumeric());
    let letters: String = [initial(first), initial(last)].into_iter().flatten().collect();
    let letters = letters.to_uppercase();
    html! {
        span class=(format!("avatar tint-{}", id.rem_euclid(TINTS))) aria-hidden="true" {
            @if letters.is_empty() { "?" } @else { (letters) }
        }
    }
}

fn since(now: i32, date: i32) -> String {
    let seconds = now.saturating_sub(date);
    let of = |number: i32, unit: &str| match number {
        1 => format!("1 {unit} ago"),
        number => format!("{number} {unit}s ago"),
    };
    match seconds {
        // Time was ordered to pass, or a clock was set: the date says more than words.
        i32::MIN..=-1 => full(date),
        0..=4 => "now".to_owned(),
        5..=59 => of(seconds, "second"),
        60..=3_599 => of(seconds / 60, "minute"),
        3_600..=86_399 => of(seconds / 3_600, "hour"),
        _ => of(seconds / 86_400, "day"),
    }
}

fn instant(date: i32) -> String {
    format(date, "%Y-%m-%dT%H:%M:%SZ")
}

fn format(date: i32, pattern: &str) -> String {
    // Every 32-bit number of seconds is a time that the calendar knows.
    Timestamp::from_second(date.into())
        .map(|time| time.strftime(pattern).to_string())
        .unwrap_or_default()
}

/// From how many characters on a text loses its middle, and what stays of it.
pub(super) const SHORT: usize = 96;
const HEAD: usize = 40;
const TAIL: usize = 40;

/// How many colours there are for avatars.
const TINTS: i64 = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_escaped_isolated_and_spelled() {
        assert_eq!(
            foreign("<script>alert(1)</script>").into_string(),
            "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>"
        );
        // The override would show "moc.live" as "evil.com".
        assert_eq!(
            foreign("\u{202e}moc.live").into_string(),
            "<bdi><span class=\"spelled\">U+202E</span>moc.live</bdi>"
        );
        for hidden in ["\u{7}", "\u{1b}", "\u{2066}", "\u{200b}", "\u{feff}", "\u{e0041}"] {
            assert!(foreign(hidden).into_string().contains("U+"), "{hidden:?}");
        }
        let family = "👨\u{200d}👩\u{200d}👧 and می\u{200c}خواهم";
        assert_eq!(foreign(family).into_string(), format!("<bdi>{family}</bdi>"));
    }

    #[test]
    fn of_a_long_text_the_end_is_seen() {
        let domain = format!("{}.example.com", "a".repeat(4_000));
        let shown = foreign(&domain).into_string();
        assert!(shown.len() < 300 && shown.contains("a.example.com</bdi>"), "{shown}");
        assert!(shown.contains("title=\"4012 characters\""), "{shown}");
        assert!(whole(&domain).into_string().contains(&domain));
        assert!(reason(&domain).into_string().contains(&domain));
        let title = plain(&format!("\u{202e}{domain}"));
        assert!(title.starts_with("\u{fffd}aa") && title.ends_with('…'), "{title}");
    }

    #[test]
    fn times_are_told_in_words() {
        let now = 1_800_000_000;
        for (before, words) in [
            (0, "now"),
            (5, "5 seconds ago"),
            (60, "1 minute ago"),
            (7_200, "2 hours ago"),
            (86_400, "1 day ago"),
            (-10, "2027-01-15 08:00:10 UTC"),
        ] {
            assert_eq!(since(now, now - before), words);
        }
        assert_eq!(ago(now, 0).into_string(), "never");
        assert_eq!(
            clock(now).into_string(),
            "<time datetime=\"2027-01-15T08:00:00Z\" title=\"2027-01-15 08:00:00 UTC\">08:00:00</time>"
        );
        assert_eq!(
            (left(299).as_str(), left(7).as_str(), left(-3).as_str()),
            ("4 min 59 s", "7 s", "0 s")
        );
        assert!(full(i32::MIN).starts_with("1901-12-13"));
    }

    #[test]
    fn who_has_no_letters_in_the_name_has_a_picture_too() {
        assert!(avatar(5, "Claude", "Chappe").into_string().contains(">CC<"));
        assert!(avatar(-1, "<b>", "").into_string().contains("tint-6"));
        assert!(avatar(7, "\u{202e}!!", "").into_string().contains(">?<"));
    }
}
