//! Links that carry the token of a login request.

use crate::world::Site;

/// Where links lead that open in Telegram.
const TELEGRAM_HOSTS: [&str; 3] = ["t.me", "telegram.me", "telegram.dog"];

/// The bot name that stands for logins in links.
const OAUTH: &str = "oauth";

/// What a link is that an app asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UrlAuthLink<'a> {
    /// One with the token of a request.
    Request(&'a str),
    /// One to a site, which the person wants to open.
    Site,
}

impl<'a> UrlAuthLink<'a> {
    /// Reads `tg://oauth?token=`, `tg://resolve?domain=oauth&startapp=`,
    /// `https://t.me/oauth?startapp=`, or the address of a site.
    /// (core.telegram.org/api/url-authorization)
    pub(crate) fn read(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once(':')?;
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        let query = query.split('#').next().unwrap_or_default();
        let address = address.strip_suffix('/').unwrap_or(address);
        if scheme.eq_ignore_ascii_case("tg") {
            return match address {
                "oauth" => token(query, "token"),
                "resolve" if field(query, "domain") == Some(OAUTH) => token(query, "startapp"),
                _ => None,
            };
        }
        let site = Site::of(url)?;
        if !TELEGRAM_HOSTS.contains(&site.host.as_str()) {
            return Some(Self::Site);
        }
        match address.split_once('/') {
            Some((_, OAUTH)) => token(query, "startapp"),
            _ => Some(Self::Site),
        }
    }
}

/// The links for a token: one for an app that knows the scheme, one for everybody else.
pub(crate) fn links_of(token: &str) -> [String; 2] {
    [format!("tg://oauth?token={token}"), format!("https://t.me/oauth?startapp={token}")]
}

/// The token in a field of a query. It needs no `%`: what needs one is no token.
fn token<'a>(query: &'a str, name: &str) -> Option<UrlAuthLink<'a>> {
    let token = field(query, name)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let is_token = !token.is_empty() && token.bytes().all(plain);
    is_token.then_some(UrlAuthLink::Request(token))
}

/// The field of a query that has this name. If it is there twice, nobody knows which one is meant.
fn field<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let mut found =
        query.split('&').filter_map(|pair| pair.split_once('=')).filter(|it| it.0 == name);
    let (_, value) = found.next()?;
    found.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_link_is_read() {
        let [scheme, page] = links_of("a-B_9");
        for url in [
            &scheme,
            &page,
            "tg:oauth?token=a-B_9",
            "TG://oauth/?token=a-B_9",
            "tg://resolve?domain=oauth&startapp=a-B_9",
            "tg://resolve?startapp=a-B_9&domain=oauth#x",
            "https://telegram.me/oauth/?x=y&startapp=a-B_9#z",
        ] {
            assert_eq!(UrlAuthLink::read(url), Some(UrlAuthLink::Request("a-B_9")), "{url}");
        }
        assert_eq!(
            UrlAuthLink::read("https://example.com/oauth?startapp=a"),
            Some(UrlAuthLink::Site)
        );
        assert_eq!(UrlAuthLink::read("https://t.me/durov"), Some(UrlAuthLink::Site));
    }

    #[test]
    fn what_is_no_link_is_refused() {
        for url in [
            "",
            "oauth?token=a",
            "tg://oauth",
            "tg://oauth?token=",
            "tg://oauth?token=a%41",
            "tg://oauth?token=a&token=b",
            "tg://oauth?startapp=a",
            "tg://oauth.example?token=a",
            "tg://resolve?domain=oauth2&startapp=a",
            "tg://resolve?domain=oauth&domain=other&startapp=a",
            "tg://resolve?startapp=a",
            "https://t.me/oauth",
            "https://t.me/oauth?startapp=a b",
            "https://t.me@evil.example/oauth?startapp=a",
            "http://t.me/oauth?startapp=a",
            "javascript:oauth?token=a",
        ] {
            assert_eq!(UrlAuthLink::read(url), None, "{url}");
        }
    }
}
