//! The URLs that an OpenID client may be served at.

use crate::world::Site;

/// Schemes that mean something to a browser, to the system or to Telegram's own apps.
const SCHEMES: &[&str] = &[
    "about",
    "blob",
    "chrome",
    "content",
    "data",
    "file",
    "filesystem",
    "ftp",
    "intent",
    "javascript",
    "mailto",
    "market",
    "sms",
    "tel",
    "tg",
    "ton",
    "tonsite",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];

/// Whether this is an origin or a redirect URI in the one form that is compared byte by byte.
pub(super) fn web_url(url: &str) -> bool {
    let Some(site) = Site::of(url) else { return false };
    url.strip_prefix(&site.origin()).is_some_and(|behind| {
        (behind.is_empty() || behind.starts_with('/')) && !behind.contains('#') && !has_dots(behind)
    })
}

/// Whether this can be a redirect URI of a native app.
pub(super) fn native_url(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once(':') else { return false };
    if matches!(scheme, "http" | "https") {
        return web_url(url);
    }
    let mut letters = scheme.bytes();
    let plain = |byte: u8| byte.is_ascii_graphic() && !br##"\"#<>`{|}^"##.contains(&byte);
    letters.next().is_some_and(|first| first.is_ascii_lowercase())
        && letters.all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte)
        })
        && !SCHEMES.contains(&scheme)
        && rest.starts_with('/')
        && rest.bytes().all(plain)
}

/// Whether a path has segments that a browser would take away.
fn has_dots(behind: &str) -> bool {
    let path = behind.split('?').next().unwrap_or_default();
    let path = path.to_ascii_lowercase().replace("%2e", ".");
    path.split('/').any(|segment| matches!(segment, "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_sites_have_one_form() {
        for good in [
            "https://example.com",
            "https://example.com/",
            "https://example.com:8443/callback?from=telegram",
            "https://xn--bcher-kva.example/a%20b",
            "http://localhost",
            "http://localhost:3000/cb",
            "http://127.0.0.1:8080/",
            "http://127.1.2.3/",
            "http://[::1]:9/x",
            "https://a-name.example.com/.well-known/x",
        ] {
            assert!(web_url(good), "{good}");
        }
        for bad in [
            "",
            "https://",
            "https:///x",
            "http://example.com/",
            "http://localhost.example/",
            "http://127.0.0.1.example/",
            "http://128.0.0.1/",
            "HTTPS://example.com/",
            "https://Example.com/",
            "https://example.com:443/",
            "http://localhost:80/",
            "https://example.com:0443/",
            "https://example.com:99999/",
            "https://example.com:/",
            "https://user@example.com/",
            "https://example.com@evil.example/",
            "https://example.com/#x",
            "https://example.com#",
            "https://example.com?x",
            "https://example.com/a/../b",
            "https://example.com/a/%2E%2e/b",
            "https://example.com/a b",
            "https://example.com/\r\nX: y",
            "https://example.com\\@evil.example/",
            "https://*.example.com/",
            "https://bücher.example/",
            "https://example..com/",
            "https://-example.com/",
            "https://example.com./",
            "https://1.2.3/",
            "https://0x7f.0.0.1/",
            "https://[::0001]/",
            "https://[::1/",
            "javascript://example.com/%0aalert(1)",
            "//example.com/",
            "example.com",
        ] {
            assert!(!web_url(bad), "{bad}");
        }
    }

    #[test]
    fn urls_of_native_apps_are_no_scripts() {
        for good in ["shop://tglogin", "com.example.shop:/tglogin", "https://app.example/tglogin"] {
            assert!(native_url(good), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "javascript:/alert(1)",
            "javascript://x",
            "data:text/html,x",
            "data:/",
            "tg://resolve",
            "Shop://x",
            "1shop://x",
            "shop",
            "shop:",
            "shop:x",
            "shop://x#y",
            "shop://x y",
            "http://example.com/",
        ] {
            assert!(!native_url(bad), "{bad}");
        }
    }
}
