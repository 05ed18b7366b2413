//! Which addresses may be used: https, and http on this machine only.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Tells whether a browser or a client may be sent to `address`.
///
/// It is stricter than a URL has to be: what has two readings, as `\`, a user or a blank, is
/// refused.
pub(super) fn is_usable(address: &str) -> bool {
    let sound =
        |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#' | b'"' | b'<' | b'>');
    if address.len() > LENGTH || !address.bytes().all(sound) {
        return false;
    }
    let (rest, secure) = match (address.strip_prefix("https://"), address.strip_prefix("http://")) {
        (Some(rest), _) => (rest, true),
        (_, Some(rest)) => (rest, false),
        _ => return false,
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let Some((host, port)) = split_port(authority) else { return false };
    let port = port.is_none_or(|port| {
        port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
    });
    port && match host {
        Host::Name(name) => {
            let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
            let here = name.eq_ignore_ascii_case("localhost")
                || name.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback());
            !name.is_empty() && name.bytes().all(named) && (secure || here)
        }
        Host::V6(address) => secure || address.is_loopback(),
    }
}

enum Host<'a> {
    Name(&'a str),
    V6(Ipv6Addr),
}

fn split_port(authority: &str) -> Option<(Host<'_>, Option<&str>)> {
    let Some(rest) = authority.strip_prefix('[') else {
        return Some(match authority.split_once(':') {
            Some((host, port)) => (Host::Name(host), Some(port)),
            None => (Host::Name(authority), None),
        });
    };
    let (address, port) = rest.split_once(']')?;
    let port = match port {
        "" => None,
        port => Some(port.strip_prefix(':')?),
    };
    Some((Host::V6(address.parse().ok()?), port))
}

/// The longest address, in bytes.
const LENGTH: usize = 2_048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_is_usable_anywhere_and_http_on_this_machine() {
        for usable in [
            "https://oauth.telegram.org",
            "https://example.com:8443/a/b?c=d&e=f",
            "https://[2001:db8::1]/",
            "http://localhost",
            "http://LOCALHOST:1/",
            "http://127.0.0.1:8080/auth?x",
            "http://127.9.9.9",
            "http://[::1]:80/",
        ] {
            assert!(is_usable(usable), "{usable}");
        }
    }

    #[test]
    fn what_has_two_readings_or_no_lock_is_refused() {
        for refused in [
            "",
            "https://",
            "https:///a",
            "http://example.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "http://127.0.0.1@example.com",
            "https://a@b",
            "https://a\\@b",
            "https://a#b",
            "https://a b",
            "https://a\nb",
            "https://ä",
            "ftp://a",
            "javascript:alert(1)",
            "//a",
            "https:a",
            "https://a:b",
            "https://a:",
            "https://a:+1",
            "https://a:65536",
            "https://[::1",
            "https://[::1]x",
            "http://[::2]",
            "http://2130706433",
            "http://0x7f.1",
            "HTTPS://a",
            "http://localhost:80:80",
            "http://localhost%2f@a",
        ] {
            assert!(!is_usable(refused), "{refused}");
        }
        assert!(!is_usable(&format!("https://a/{}", "b".repeat(LENGTH))));
    }
}
