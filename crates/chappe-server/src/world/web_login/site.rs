//! Addresses of sites, read strictly: what a browser could take for another address than we do is
//! taken for none.

use std::net::{Ipv4Addr, Ipv6Addr};

use chappe_api::errors;

use crate::failure::Outcome;
use crate::world::{User, World};

/// The longest address that is read, in bytes.
const MAX_URL: usize = 2_048;

/// The longest host, in bytes. (RFC 1035)
const MAX_HOST: usize = 253;

/// The longest part of a host between two dots, in bytes. (RFC 1035)
const MAX_LABEL: usize = 63;

/// Where a web address leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    /// Whether it is `https`.
    pub(crate) secure: bool,
    /// The host in small letters; an IPv6 address in brackets.
    pub(crate) host: String,
    /// The port, unless it is the scheme's own.
    pub(crate) port: Option<u16>,
}

impl Site {
    /// Reads an `https` address, or an `http` one of this machine. Only ASCII without spaces,
    /// backslashes, quotes and angle brackets: an international name has to be there as `xn--`, the
    /// rest with `%`. A user name in front of the host is refused, since it can pass for a host.
    pub(crate) fn of(url: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_graphic() && !br#"\"<>`{|}^"#.contains(&byte);
        if url.len() > MAX_URL || !url.bytes().all(plain) {
            return None;
        }
        let (scheme, rest) = url.split_once("://")?;
        let secure = scheme.eq_ignore_ascii_case("https");
        if !secure && !scheme.eq_ignore_ascii_case("http") {
            return None;
        }
        let authority = rest.split(['/', '?', '#']).next()?;
        let after_host = authority.rfind(']').map_or(0, |bracket| bracket + 1);
        let (host, port) = match authority.get(after_host..)?.find(':') {
            Some(colon) => {
                let (host, port) = authority.split_at(after_host + colon);
                (host, Some(port_number(port.strip_prefix(':')?)?))
            }
            None => (authority, None),
        };
        let host = host_name(host)?;
        if !secure && !is_this_machine(&host) {
            return None;
        }
        let usual = if secure { 443 } else { 80 };
        Some(Self { secure, host, port: port.filter(|port| *port != usual) })
    }

    /// The origin: scheme, host and port, as a browser spells it.
    pub(crate) fn origin(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        match self.port {
            Some(port) => format!("{scheme}://{}:{port}", self.host),
            None => format!("{scheme}://{}", self.host),
        }
    }
}

/// Reads a host, and tells it in small letters: a name, an IPv4 address in its usual form, or an
/// IPv6 address in brackets.
pub(crate) fn host_name(host: &str) -> Option<String> {
    if let Some(inner) = host.strip_prefix('[') {
        let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        return Some(format!("[{address}]"));
    }
    if host.is_empty() || host.len() > MAX_HOST {
        return None;
    }
    let host = host.to_ascii_lowercase();
    let fits = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if !host.split('.').all(fits) {
        return None;
    }
    // Browsers read `0x7f.1` and `2130706433` as addresses, too: only the usual form is one here.
    let last = host.rsplit('.').next()?;
    let number = last.starts_with(|first: char| first.is_ascii_digit())
        && (last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x"));
    if number {
        host.parse::<Ipv4Addr>().ok()?;
    }
    Some(host)
}

/// Whether a host is this machine.
fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        || bare.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback())
}

fn port_number(text: &str) -> Option<u16> {
    let digits = (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

impl World {
    /// The domain that a bot's site is at, as `/setdomain` of BotFather sets it.
    /// (core.telegram.org/widgets/login-legacy)
    pub(crate) fn bot_domain(&self, bot_id: i64) -> Outcome<Option<String>> {
        Ok(self
            .db
            .prepare_cached("SELECT domain FROM users WHERE id = ?1 AND bot_token IS NOT NULL")?
            .query_map([bot_id], |row| row.get(0))?
            .next()
            .transpose()?
            .flatten())
    }

    /// Sets where a bot's site is, or with `None` that it has none: a bare host.
    pub(crate) fn set_bot_domain(&self, bot_id: i64, domain: Option<&str>) -> Outcome<()> {
        let domain = match domain {
            Some(domain) => Some(host_name(domain).ok_or(errors::BOT_DOMAIN_INVALID)?),
            None => None,
        };
        let changed = self
            .db
            .prepare_cached("UPDATE users SET domain = ?2 WHERE id = ?1 AND bot_token IS NOT NULL")?
            .execute((bot_id, domain))?;
        if changed == 0 { Err(errors::BOT_INVALID.into()) } else { Ok(()) }
    }

    /// The bot that a site belongs to. Assumed: of several the oldest in the order of ids.
    pub(crate) fn bot_of_site(&self, host: &str) -> Outcome<Option<User>> {
        let found: Option<i64> = self
            .db
            .prepare_cached("SELECT min(id) FROM users WHERE domain = ?1")?
            .query_row([host], |row| row.get(0))?;
        match found {
            Some(id) => self.user(id),
            None => Ok(None),
        }
    }

    /// The domains of all bots, each once, in alphabetical order.
    pub(crate) fn bot_domains(&self) -> Outcome<Vec<String>> {
        let mut statement = self.db.prepare_cached(
            "SELECT DISTINCT domain FROM users WHERE domain IS NOT NULL ORDER BY domain",
        )?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Checks the address of a login button: it must be one of the bot's site.
    /// (core.telegram.org/api/url-authorization)
    pub(crate) fn check_login_url(&self, bot_id: i64, url: &str) -> Outcome<()> {
        let site = Site::of(url).ok_or(errors::BUTTON_URL_INVALID)?;
        match self.bot_domain(bot_id)? {
            Some(domain) if domain == site.host => Ok(()),
            _ => Err(errors::BOT_DOMAIN_INVALID.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(secure: bool, host: &str, port: Option<u16>) -> Option<Site> {
        Some(Site { secure, host: host.to_owned(), port })
    }

    #[test]
    fn addresses_are_read_as_browsers_read_them() {
        let secure = |host| site(true, host, None);
        assert_eq!(Site::of("https://Example.COM"), secure("example.com"));
        assert_eq!(Site::of("HTTPS://example.com:443/a?b=c#d"), secure("example.com"));
        assert_eq!(Site::of("https://example.com?x=@evil.example"), secure("example.com"));
        assert_eq!(Site::of("https://xn--bcher-kva.example/"), secure("xn--bcher-kva.example"));
        assert_eq!(
            Site::of("https://[2001:DB8::1]:8443/"),
            site(true, "[2001:db8::1]", Some(8443))
        );
        assert_eq!(Site::of("http://127.0.0.1:8080/x"), site(false, "127.0.0.1", Some(8080)));
        assert_eq!(Site::of("http://localhost"), site(false, "localhost", None));
        assert_eq!(Site::of("http://[::1]:1"), site(false, "[::1]", Some(1)));
    }

    #[test]
    fn what_could_be_taken_for_another_address_is_none() {
        let long = format!("https://example.com/{}", "a".repeat(MAX_URL));
        for url in [
            "",
            "example.com",
            "//example.com",
            "javascript:alert(1)",
            "javascript://example.com/%0aalert(1)",
            "data://example.com",
            "tg://oauth?token=a",
            "http://example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "https://",
            "https:///example.com",
            "https:example.com",
            "https://example.com@evil.example",
            "https://user:password@example.com",
            "https://evil.example\\@example.com",
            "https://evil.example\\.example.com",
            "https://example.com\u{0}",
            "https://exam\tple.com",
            "https://example.com/\n",
            " https://example.com",
            "https://example.com /",
            "https://ex%61mple.com",
            "https://exämple.com",
            "https://example。com",
            "https://\u{202e}moc.elpmaxe",
            "https://example.com/\u{202e}",
            "https://example.com.",
            "https://-example.com",
            "https://example..com",
            "https://example.com:",
            "https://example.com:0",
            "https://example.com:65536",
            "https://example.com:+443",
            "https://example.com:80:80",
            "https://2130706433",
            "https://0x7f.1",
            "https://127.1",
            "https://127.0.0.01",
            "http://0x7f000001",
            "https://[::1",
            "https://::1",
            "https://[::1]x",
            "https://[::1%25lo]/",
            &long,
        ] {
            assert_eq!(Site::of(url), None, "{url}");
        }
    }

    #[test]
    fn an_origin_is_spelled_without_what_is_usual() {
        for (url, origin) in [
            ("https://Example.com:443/a", "https://example.com"),
            ("https://example.com:80/", "https://example.com:80"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("http://[::1]:9/x", "http://[::1]:9"),
        ] {
            assert_eq!(Site::of(url).unwrap().origin(), origin);
        }
    }
}
