//! Web sessions as people and programs read them.

use chappe::WebSession;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::output::{Cell, Output, bold, dim, paint, printable};
use crate::user::name;
use crate::when;

/// The rows as people read them, last active first.
pub(crate) fn table(sites: &[WebSession], output: Output) -> String {
    if sites.is_empty() {
        return "no site is logged in to with this account".to_owned();
    }
    let now = when::now();
    let head = [
        cell("HASH", None),
        cell("DOMAIN", Some("BOT")),
        cell("BROWSER", Some("PLATFORM")),
        cell("IP", Some("REGION")),
        cell("ACTIVE", Some("CREATED")),
    ];
    let rows: Vec<Vec<Cell>> = sites
        .iter()
        .map(|site| {
            let raw = site.raw();
            let (active, created) = (when::ago(raw.date_active, now), when::day(raw.date_created));
            vec![
                cell(raw.hash, None),
                cell(site.domain(), Some(&bot(site))),
                cell(site.browser(), Some(site.platform())),
                cell(site.ip(), Some(site.region())),
                cell(active, Some(&created)),
            ]
        })
        .collect();
    output.table(&head, &rows)
}

fn cell(text: impl ToString, below: Option<&str>) -> Cell {
    Cell(text.to_string(), below.map(str::to_owned))
}

/// One session as the official apps show it when it is opened.
pub(crate) fn details(site: &WebSession) -> String {
    let (raw, now) = (site.raw(), when::now());
    let moment = |unix: i32, time| match unix {
        0 => "not known".to_owned(),
        _ => format!("{} ({})", when::moment(time), when::ago(unix, now)),
    };
    let bot = match site.bot() {
        Some(user) if user.deleted => format!("Deleted Account  id {}", user.id),
        Some(user) => match site.bot_username() {
            Some(username) => format!("{}  @{}", paint(bold(), &name(user)), printable(username)),
            None => paint(bold(), &name(user)),
        },
        None => bot(site),
    };
    let created = moment(raw.date_created, site.created());
    let active = site.last_active().unwrap_or_else(|| site.created());
    let rows = [
        ("Browser", among(&[site.browser(), site.platform()])),
        ("IP address", printable(site.ip())),
        ("Location", format!("{}, estimated from the IP address", among(&[site.region()]))),
        ("Logged in", created),
        ("Last active", moment(raw.date_active, active)),
        ("Hash", raw.hash.to_string()),
    ];
    let mut text = format!("{bot}\n{}\n", printable(site.domain()));
    for (label, value) in rows {
        text.push_str(&format!("\n{} {value}", paint(dim(), &format!("{label:<11}"))));
    }
    text.push_str(&format!("\n\n`chappe web reset {}` disconnects it.", raw.hash));
    text
}

/// One session in one line, nothing left out that tells it from others.
pub(crate) fn line(site: &WebSession) -> String {
    format!(
        "{} ({})  {}  {}  {}  hash {}",
        printable(site.domain()),
        bot(site),
        among(&[site.browser(), site.platform()]),
        among(&[site.ip(), site.region()]),
        match site.raw().date_active {
            0 => format!("logged in {}", when::ago(site.raw().date_created, when::now())),
            active => format!("active {}", when::ago(active, when::now())),
        },
        site.hash()
    )
}

/// How a session is called in a sentence.
pub(crate) fn called(site: &WebSession) -> String {
    let browser = among(&[site.browser(), site.platform()]);
    format!("{} ({}), {browser}", printable(site.domain()), bot(site))
}

/// Words of strangers with a comma between them; a dash for none.
fn among(words: &[&str]) -> String {
    let words: Vec<_> =
        words.iter().filter(|word| !word.is_empty()).map(|word| printable(word)).collect();
    if words.is_empty() { "-".to_owned() } else { words.join(", ") }
}

/// How a bot is called.
pub(crate) fn bot(site: &WebSession) -> String {
    match (site.bot_username(), site.bot()) {
        (Some(username), _) => format!("@{}", printable(username)),
        (None, Some(bot)) if bot.deleted => format!("deleted bot {}", bot.id),
        (None, Some(bot)) => name(bot),
        (None, None) => format!("bot {}", site.bot_id()),
    }
}

/// `1 web session`, `2 web sessions`.
pub(crate) fn count(sessions: usize) -> String {
    format!("{sessions} web session{}", if sessions == 1 { "" } else { "s" })
}

/// The rows for programs: Telegram's own fields, and who the bot is.
pub(crate) fn rows_json<'a>(sites: impl IntoIterator<Item = &'a WebSession>) -> Value {
    Value::Array(sites.into_iter().map(row_json).collect())
}

/// One row for programs.
pub(crate) fn row_json(site: &WebSession) -> Value {
    let raw = site.raw();
    json!({
        "hash": raw.hash.to_string(),
        "bot_id": raw.bot_id.to_string(),
        "bot_username": site.bot_username(),
        "bot_name": site.bot().and_then(|bot| bot.first_name.as_deref()),
        "bot_deleted": site.bot().map(|bot| bot.deleted),
        "domain": site.domain(),
        "browser": site.browser(),
        "platform": site.platform(),
        "date_created": raw.date_created,
        "date_active": raw.date_active,
        "ip": site.ip(),
        "region": site.region(),
    })
}

/// The rows as comma-separated values (RFC 4180), without the end of the last line.
pub(crate) fn csv(sites: &[WebSession]) -> String {
    let head = [
        "hash",
        "bot_id",
        "bot_username",
        "bot_name",
        "domain",
        "browser",
        "platform",
        "ip",
        "region",
        "date_created",
        "date_active",
    ];
    let mut lines = vec![head.join(",")];
    for site in sites {
        let raw = site.raw();
        let name = site.bot().and_then(|bot| bot.first_name.as_deref());
        let mut line = vec![raw.hash.to_string(), raw.bot_id.to_string()];
        line.extend(
            [
                site.bot_username().unwrap_or_default(),
                name.unwrap_or_default(),
                site.domain(),
                site.browser(),
                site.platform(),
                site.ip(),
                site.region(),
            ]
            .map(field),
        );
        line.extend([raw.date_created, raw.date_active].map(point));
        lines.push(line.join(","));
    }
    // Each line ends in CRLF, the last one by whoever prints it.
    let mut text = lines.join("\r\n");
    text.push('\r');
    text
}

/// A stranger's text as a field: no line break, nothing that a terminal obeys, and nothing that a
/// spreadsheet takes for a formula. See owasp.org/www-community/attacks/CSV_Injection.
fn field(text: &str) -> String {
    let text = printable(text);
    let formula = text
        .trim_start()
        .starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    let text = if formula { format!("'{text}") } else { text };
    match text.contains([',', '"', '\r', '\n', ';']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

/// A point in time as programs and spreadsheets read it; nothing for one that was never set.
fn point(unix: i32) -> String {
    match Timestamp::from_second(unix.into()) {
        Ok(time) if unix != 0 => time.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use chappe::api::types;

    use super::*;

    #[test]
    fn a_field_is_neither_a_formula_nor_a_second_field() {
        for (text, shown) in [
            ("plain", "plain"),
            ("Amsterdam, Netherlands", "\"Amsterdam, Netherlands\""),
            ("say \"yes\"", "\"say \"\"yes\"\"\""),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("  =1", "'  =1"),
            ("＝1+1", "'＝1+1"),
            ("\t=1", "\\u{9}=1"),
            ("two\nlines", "two lines"),
            ("a;b", "\"a;b\""),
            ("\u{1b}[2J\u{202e}", "\\u{1b}[2J\\u{202e}"),
            ("", ""),
        ] {
            assert_eq!(field(text), shown);
        }
        assert_eq!(
            (point(0), point(1_700_000_000)),
            (String::new(), "2023-11-14T22:13:20Z".into())
        );
    }

    #[test]
    fn no_stranger_moves_the_cursor_or_turns_the_text_around() {
        let evil = "\u{1b}]0;x\u{7}\u{1b}[2J\r\n\u{202e}\u{9b}31m\u{2066}\t\u{7f}end";
        let text = || evil.into();
        let raw = types::WebAuthorization {
            hash: -5,
            bot_id: 7,
            domain: text(),
            browser: text(),
            platform: text(),
            date_created: i32::MIN,
            date_active: i32::MAX,
            ip: text(),
            region: text(),
        };
        let bot = types::User {
            first_name: Some(text()),
            last_name: Some(text()),
            username: Some(text()),
            ..types::User::new(7)
        };
        let nameless = types::User { username: None, ..bot.clone() };
        let gone = types::User { deleted: true, ..types::User::new(7) };
        for bot in [Some(bot), Some(nameless), Some(gone), None] {
            let site = WebSession::new(raw.clone(), bot);
            let rows = [site.clone()];
            for shown in
                [line(&site), called(&site), details(&site), table(&rows, Output::new(false))]
            {
                let own = shown.replace("\u{1b}[1m", "").replace("\u{1b}[2m", "");
                let own = own.replace("\u{1b}[0m", "").replace(['\n', '\t'], "");
                assert!(!own.contains(char::is_control), "{own:?}");
                assert!(!own.contains(['\u{202e}', '\u{2066}']), "{own:?}");
            }
            // Of the table, one line is the head and one the row.
            assert_eq!(table(&rows, Output::new(false)).lines().count(), 2);
            let sheet = csv(&rows);
            assert_eq!(sheet.matches("\r\n").count(), 1, "{sheet:?}");
            assert!(!sheet.replace(['\r', '\n'], "").contains(char::is_control), "{sheet:?}");
        }
    }

    #[test]
    fn a_deleted_bot_is_called_so() {
        let raw = types::WebAuthorization {
            hash: 1,
            bot_id: 7,
            domain: "shop.example.net".into(),
            browser: String::new().into(),
            platform: String::new().into(),
            date_created: 1_700_000_000,
            date_active: 0,
            ip: "192.0.2.1".into(),
            region: String::new().into(),
        };
        let gone = types::User { deleted: true, ..types::User::new(7) };
        let site = WebSession::new(raw.clone(), Some(gone));
        assert_eq!(bot(&site), "deleted bot 7");
        let text = details(&site);
        assert!(text.starts_with("Deleted Account  id 7\nshop.example.net\n"), "{text}");
        assert!(text.contains(" -\n") && text.contains("not known"), "{text}");
        assert_eq!(row_json(&site)["bot_deleted"], true);
        assert_eq!(bot(&WebSession::new(raw, None)), "bot 7");
    }

    #[test]
    fn sessions_are_counted() {
        assert_eq!([count(1), count(2)], ["1 web session", "2 web sessions"]);
    }
}
