//! Links, as far as they matter to a login: read strictly, since a token may go where they lead.

use std::net::{Ipv4Addr, Ipv6Addr};

/// What a link is to a login, as far as can be told without asking; [`Client::url_auth`] asks.
///
/// [`Client::url_auth`]: crate::Client::url_auth
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UrlAuthLink {
    /// A link that a site or an app shows in order to be let in: `tg://oauth?token=...`,
    /// `tg://resolve?domain=oauth&startapp=...` or `https://t.me/oauth?startapp=...`.
    Request,
    /// The address of a web page.
    Site {
        /// Whether it is `https`.
        secure: bool,
        /// The host, in small letters; an IPv6 address in brackets.
        host: String,
    },
    /// The address of a web page that two readers could read differently: with a user name, a
    /// backslash, characters other than ASCII. It is an ordinary link.
    Unclear,
}

impl UrlAuthLink {
    /// Reads a link. `None` if it is of another kind: a `javascript:` link, a name without a scheme,
    /// another link of Telegram's own.
    pub fn read(link: &str) -> Option<Self> {
        let (scheme, rest) = link.split_once(':')?;
        if scheme.eq_ignore_ascii_case("tg") {
            let rest = rest.strip_prefix("//").unwrap_or(rest);
            return is_request(rest).then_some(Self::Request);
        }
        let secure = scheme.eq_ignore_ascii_case("https");
        if !secure && !scheme.eq_ignore_ascii_case("http") {
            return None;
        }
        let Some(host) = host_of(rest).filter(|_| is_clear(link)) else {
            return Some(Self::Unclear);
        };
        if secure && TELEGRAM_HOSTS.contains(&host.as_str()) {
            let path = rest.trim_start_matches('/').split_once('/').map_or("", |(_, path)| path);
            let (path, query) = parts(path);
            if path == OAUTH && field(query, "startapp").is_some() {
                return Some(Self::Request);
            }
        }
        Some(Self::Site { secure, host })
    }
}

/// The origin of a page, like `https://example.com:8443`: whether this is one.
pub(super) fn is_origin(text: &str) -> bool {
    let site = matches!(UrlAuthLink::read(text), Some(UrlAuthLink::Site { .. }));
    let after = text.split_once("://").map(|(_, rest)| rest);
    site && after.is_some_and(|rest| !rest.contains(['/', '?', '#']))
}

/// Whether the query of a page has a field of this name, whatever its value.
pub(super) fn has_field(url: &str, name: &str) -> bool {
    let (_, query) = parts(url);
    query.split('&').any(|pair| pair.split('=').next() == Some(name))
}

/// Appends a field to the query of a page, in front of the fragment.
pub(super) fn with_field(url: &str, name: &str, value: &str) -> String {
    let (page, fragment) = match url.find('#') {
        Some(mark) => url.split_at(mark),
        None => (url, ""),
    };
    let separator = match page.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    let mut out = format!("{page}{separator}{name}=");
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out.push_str(fragment);
    out
}

/// Whether a program may be told to open an address that Telegram gave: it leads to a page or to
/// an app, and is no program itself.
pub(super) fn is_openable(url: &str) -> bool {
    let Some((scheme, _)) = url.split_once(':') else { return false };
    let mut bytes = scheme.bytes();
    let named = bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let plain = url.chars().all(|character| !character.is_control() && character != ' ');
    named && plain && !PROGRAMS.iter().any(|program| scheme.eq_ignore_ascii_case(program))
}

/// Whether what follows `tg://` asks for a login.
fn is_request(rest: &str) -> bool {
    let (address, query) = parts(rest);
    match address.strip_suffix('/').unwrap_or(address) {
        OAUTH => field(query, "token").is_some(),
        "resolve" => field(query, "domain") == Some(OAUTH) && field(query, "startapp").is_some(),
        _ => false,
    }
}

/// What is in front of the query, and the query.
fn parts(url: &str) -> (&str, &str) {
    let url = url.split('#').next().unwrap_or_default();
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    (address.strip_suffix('/').unwrap_or(address), query)
}

/// A field of a query that is there once and says something.
fn field<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut found = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
    let value = found.next().filter(|value| !value.is_empty() && is_clear(value))?;
    found.next().is_none().then_some(value)
}

/// Whether every character is one that an address has, so that no reader changes it.
fn is_clear(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !br#"\"<>`{|}^"#.contains(&byte);
    text.len() <= MAX_LENGTH && text.bytes().all(plain)
}

/// The host of what follows `https:`, if every reader finds the same there.
fn host_of(rest: &str) -> Option<String> {
    let authority = rest.strip_prefix("//")?.split(['/', '?', '#']).next()?;
    let after_host = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let host = match authority.get(after_host..)?.split_once(':') {
        Some((_, port)) => {
            let digits =
                (1..=5).contains(&port.len()) && port.bytes().all(|it| it.is_ascii_digit());
            port.parse::<u16>().ok().filter(|_| digits)?;
            authority.strip_suffix(port)?.strip_suffix(':')?
        }
        None => authority,
    };
    if let Some(inner) = host.strip_prefix('[') {
        let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        return Some(format!("[{address}]"));
    }
    let fits = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let ends = label.starts_with('-') || label.ends_with('-');
        (1..=63).contains(&label.len()) && label.bytes().all(plain) && !ends
    };
    let host = host.to_ascii_lowercase();
    if host.len() > 253 || !host.split('.').all(fits) {
        return None;
    }
    // `0x7f.1` and `2130706433` are addresses to a browser: only the usual form is one here.
    let last = host.rsplit('.').next()?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits(last) || last.starts_with("0x") {
        let address: Ipv4Addr = host.parse().ok()?;
        return Some(address.to_string());
    }
    Some(host)
}

/// Where links lead that open in Telegram.
const TELEGRAM_HOSTS: [&str; 3] = ["t.me", "telegram.me", "telegram.dog"];

/// The name that stands for logins in links.
const OAUTH: &str = "oauth";

/// The longest link that is read, in bytes.
const MAX_LENGTH: usize = 4096;

/// Schemes of addresses that are programs or files themselves.
const PROGRAMS: [&str; 7] =
    ["about", "blob", "data", "file", "filesystem", "javascript", "vbscript"];

#[cfg(test)]
mod tests {
    use super::*;

    fn site(link: &str, secure: bool, host: &str) {
        let host = host.to_owned();
        assert_eq!(UrlAuthLink::read(link), Some(UrlAuthLink::Site { secure, host }), "{link}");
    }

    #[test]
    fn every_form_of_a_login_link_is_known() {
        for link in [
            "tg://oauth?token=a-B_9",
            "tg:oauth?token=a",
            "TG://oauth/?token=a",
            "tg://resolve?domain=oauth&startapp=a",
            "tg://resolve/?startapp=a&domain=oauth#x",
            "https://t.me/oauth?startapp=a",
            "HTTPS://T.ME/oauth/?startapp=a#x",
            "https://telegram.me/oauth?x=y&startapp=a",
        ] {
            assert_eq!(UrlAuthLink::read(link), Some(UrlAuthLink::Request), "{link}");
        }
        for link in [
            "",
            "oauth?token=a",
            "t.me/oauth?startapp=a",
            "tg://oauth",
            "tg://oauth?token=",
            "tg://oauth?token=a&token=b",
            "tg://oauth?token=a b",
            "tg://oauth?token=a\u{202e}",
            "tg://oauth?x=a#token=b",
            "tg://resolve?domain=other&startapp=a",
            "tg://resolve?domain=oauth",
            "tg://login?token=a",
            "javascript:alert(1)",
            "javascript://t.me/oauth?startapp=a",
            "data:text/html,oauth?token=a",
            "file:///oauth?token=a",
            "ftp://example.com",
        ] {
            assert_eq!(UrlAuthLink::read(link), None, "{link}");
        }
    }

    #[test]
    fn a_host_is_what_every_reader_takes_for_it() {
        site("https://Example.COM", true, "example.com");
        site("http://example.com:8080/a?b@c#d", false, "example.com");
        site("https://t.me/durov", true, "t.me");
        site("https://t.me/oauth", true, "t.me");
        site("http://t.me/oauth?startapp=a", false, "t.me");
        site("https://example.com/oauth?startapp=a", true, "example.com");
        site("https://xn--bcher-kva.example", true, "xn--bcher-kva.example");
        site("http://127.0.0.1:80/", false, "127.0.0.1");
        site("https://[2001:DB8::1]:443/", true, "[2001:db8::1]");
        for link in [
            "https:",
            "https://",
            "https:example.com",
            "https:///example.com",
            "https://example.com@evil.example",
            "https://evil.example\\@example.com",
            "https://t.me@evil.example/oauth?startapp=a",
            "https://exämple.com",
            "https://example。com",
            "https://ex%61mple.com",
            "https://example.com.",
            "https://example.com:",
            "https://example.com:99999",
            "https://2130706433",
            "https://0x7f.1",
            "https://127.0.0.01",
            "https://[::1",
            "https://exam\tple.com",
            "https://example.com/\n",
            "https://\u{202e}moc.elpmaxe",
        ] {
            assert_eq!(UrlAuthLink::read(link), Some(UrlAuthLink::Unclear), "{link}");
        }
    }

    #[test]
    fn an_origin_is_nothing_but_one() {
        for origin in ["https://example.com", "http://127.0.0.1:8080", "https://[::1]"] {
            assert!(is_origin(origin), "{origin}");
        }
        for other in
            ["https://example.com/", "https://example.com?a", "example.com", "tg://oauth?token=a"]
        {
            assert!(!is_origin(other), "{other}");
        }
    }

    #[test]
    fn a_field_goes_behind_the_query() {
        for (url, expected) in [
            ("https://a.example", "https://a.example?t=x%2F%26"),
            ("https://a.example/b?", "https://a.example/b?t=x%2F%26"),
            ("https://a.example/b?c=d#e?f", "https://a.example/b?c=d&t=x%2F%26#e?f"),
        ] {
            assert_eq!(with_field(url, "t", "x/&"), expected);
        }
        assert!(has_field("https://a.example/?b&t=1#c", "t"));
        assert!(!has_field("https://a.example/?tt=1#?t=1", "t"));
    }

    #[test]
    fn programs_are_not_opened() {
        for url in ["https://a.example/?x=y", "shop://tglogin?code=a", "com.example.app:/login"] {
            assert!(is_openable(url), "{url}");
        }
        for url in [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "java\tscript:alert(1)",
            " javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "https://a.example/\u{1b}[2J",
            "//a.example",
            ":",
            "",
        ] {
            assert!(!is_openable(url), "{url:?}");
        }
    }
}
