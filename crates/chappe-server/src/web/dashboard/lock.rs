//! Who gets to see the dashboard, and who may press its buttons.
//!
//! Other sites and other users of this machine are the enemies. Three secrets keep them out. The key
//! is told in the printed URL and becomes a cookie. The room is the folder that all pages are in:
//! browsers send cookies to every port of a host, so that any server that somebody runs on 127.0.0.1
//! would be given the key; but the cookie is for this folder only, and nobody else has one of that
//! name. The ticket stands in every form: no other page can read it, so none can post one.

use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use base64ct::{Base64UrlUnpadded, Encoding};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::web::{guard::is_origin_of, parameters::Parameters};

/// What stands between the dashboard and everybody who may not see it.
pub(crate) struct Lock {
    key: Zeroizing<String>,
    room: String,
    ticket: Zeroizing<String>,
}

/// What a request is let in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visit {
    /// To be given the cookie: it bears the key itself.
    Enter,
    /// To see a page, or press a button.
    Inside,
}

/// Why a request is not let in. All who have no key read the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turned {
    /// It has no key, or the wrong one.
    NoKey,
    /// Another page sent it.
    Foreign,
}

impl Lock {
    /// Makes one; who knows the seed knows its secrets.
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        let mut entropy = ChaCha20Rng::from_seed(seed);
        let mut secret = || {
            let mut bytes = Zeroizing::new([0; 32]);
            entropy.fill_bytes(&mut *bytes);
            Zeroizing::new(Base64UrlUnpadded::encode_string(&*bytes))
        };
        let (key, ticket) = (secret(), secret());
        let room: String = secret().chars().take(ROOM).collect();
        Self { key, room: format!("/{room}"), ticket }
    }

    /// The URL that lets a browser in, for a dashboard at this `http://host:port`.
    pub(crate) fn url(&self, door: &str) -> String {
        format!("{door}{}/?key={}", self.room, self.key.as_str())
    }

    /// The folder that all pages are in, without a slash at the end.
    pub(super) fn room(&self) -> &str {
        &self.room
    }

    /// What stands in every form.
    pub(super) fn ticket(&self) -> &str {
        &self.ticket
    }

    /// The cookie that stands for the key.
    pub(super) fn cookie(&self) -> Option<HeaderValue> {
        let Self { key, room, .. } = self;
        let cookie = format!("{COOKIE}={}; Path={room}; HttpOnly; SameSite=Strict", key.as_str());
        let mut cookie = HeaderValue::from_str(&cookie).ok()?;
        cookie.set_sensitive(true);
        Some(cookie)
    }

    /// Whether a request is let in.
    pub(super) fn admit(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Visit, Turned> {
        let is_inside = uri.path().strip_prefix(&*self.room).is_some_and(|p| p.starts_with('/'));
        let enters = is_inside && method == Method::GET && self.is_in(uri);
        let has_key = enters || (is_inside && self.has_cookie(headers));
        if !has_key {
            return Err(Turned::NoKey);
        }
        if !is_own(method, headers) {
            return Err(Turned::Foreign);
        }
        Ok(if enters { Visit::Enter } else { Visit::Inside })
    }

    /// Whether a form comes from one of our pages.
    pub(super) fn stamped(&self, form: &Parameters) -> bool {
        form.get("ticket").is_some_and(|ticket| is_same(ticket, &self.ticket))
    }

    /// Whether an address bears the key.
    fn is_in(&self, uri: &Uri) -> bool {
        let Ok(parameters) = Parameters::of_query(uri) else { return false };
        parameters.get("key").is_some_and(|key| is_same(key, &self.key))
    }

    /// Whether one of the cookies is the key. There may be others of its name: another server on this
    /// host may have set them.
    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let cookies = headers.get_all(header::COOKIE).iter();
        let pairs = cookies
            .filter_map(|header| header.to_str().ok())
            .flat_map(|header| header.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        pairs
            .filter(|(name, _)| *name == COOKIE)
            .fold(false, |found, (_, value)| found | is_same(value, &self.key))
    }
}

impl std::fmt::Debug for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lock").finish_non_exhaustive()
    }
}

/// Whether a request is not made by somebody else's page: a browser says what it is for. A link from
/// another page may be followed, in a window of its own; nothing else may come from there.
fn is_own(method: &Method, headers: &HeaderMap) -> bool {
    let said = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    let followed = method == Method::GET
        && said("sec-fetch-mode") == Some(b"navigate")
        && said("sec-fetch-dest") == Some(b"document");
    let from_here = match said("sec-fetch-site") {
        None | Some(b"same-origin" | b"none") => true,
        Some(_) => followed,
    };
    let mut origins = headers.get_all(header::ORIGIN).iter();
    from_here && origins.all(|origin| is_origin_of(origin, headers))
}

/// Compares secrets in a time that tells no more than their length.
fn is_same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// The name of the cookie.
const COOKIE: &str = "chappe_dashboard";

/// How many characters name the room: 132 bits.
const ROOM: usize = 22;

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> Lock {
        Lock::new([7; 32])
    }

    /// Whether this is let in; the headers are name and value.
    fn admit(
        method: &Method,
        uri: &str,
        headers: &[(&'static str, String)],
    ) -> Result<Visit, Turned> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        map.insert("host", "127.0.0.1:4000".parse().unwrap());
        lock().admit(method, &uri.parse().unwrap(), &map)
    }

    fn cookie(value: &str) -> (&'static str, String) {
        ("cookie", format!("{COOKIE}={value}"))
    }

    #[test]
    fn nobody_gets_in_without_the_key() {
        let lock = lock();
        let (key, room) = (lock.key.to_string(), lock.room.clone());
        let page = format!("{room}/calls");
        assert_eq!(admit(&Method::GET, &page, &[cookie(&key)]), Ok(Visit::Inside));
        let url = lock.url("");
        assert_eq!(admit(&Method::GET, &url, &[]), Ok(Visit::Enter));

        let short = &key[..key.len() - 1];
        let other = key.chars().rev().collect::<String>();
        for wrong in ["", short, &other, &format!("{key}A"), &lock.ticket, &key.to_lowercase()] {
            let turned = Err(Turned::NoKey);
            assert_eq!(admit(&Method::GET, &page, &[cookie(wrong)]), turned, "{wrong}");
            assert_eq!(admit(&Method::GET, &format!("{room}/?key={wrong}"), &[]), turned);
        }
        // The key alone is worth nothing outside of the room, nor a room that is named like it.
        for outside in ["/", "/calls", &format!("{room}x/calls"), &room, &page[1..]] {
            if outside.starts_with('/') {
                assert_eq!(
                    admit(&Method::GET, outside, &[cookie(&key)]),
                    Err(Turned::NoKey),
                    "{outside}"
                );
            }
        }
        assert_eq!(admit(&Method::POST, &url, &[]), Err(Turned::NoKey), "an address posts nothing");
        let twice = format!("{room}/?key={key}&key={key}");
        assert_eq!(admit(&Method::GET, &twice, &[]), Err(Turned::NoKey));
    }

    #[test]
    fn a_cookie_that_another_server_set_locks_nobody_out() {
        let lock = lock();
        let page = format!("{}/", lock.room);
        let both = format!("{COOKIE}=tossed; {COOKIE}={}; other=1", lock.key.as_str());
        assert_eq!(admit(&Method::GET, &page, &[("cookie", both)]), Ok(Visit::Inside));
        assert_eq!(
            admit(&Method::GET, &page, &[cookie("tossed"), cookie(&lock.key)]),
            Ok(Visit::Inside)
        );
    }

    #[test]
    fn other_pages_may_link_here_and_nothing_else() {
        let lock = lock();
        let page = format!("{}/", lock.room);
        let sent = |site: &str, mode: &str, dest: &str, method: &Method| {
            let headers = [
                cookie(&lock.key),
                ("sec-fetch-site", site.to_owned()),
                ("sec-fetch-mode", mode.to_owned()),
                ("sec-fetch-dest", dest.to_owned()),
            ];
            admit(method, &page, &headers).is_ok()
        };
        assert!(sent("same-origin", "cors", "empty", &Method::GET), "our own script");
        assert!(sent("none", "navigate", "document", &Method::GET), "the address bar");
        for site in ["cross-site", "same-site"] {
            assert!(sent(site, "navigate", "document", &Method::GET), "a link");
            assert!(!sent(site, "navigate", "iframe", &Method::GET), "a frame");
            assert!(!sent(site, "no-cors", "image", &Method::GET), "a picture");
            assert!(!sent(site, "cors", "empty", &Method::GET), "a script");
            assert!(!sent(site, "navigate", "document", &Method::POST), "a form");
        }
        let from = |origin: &str| {
            admit(&Method::POST, &page, &[cookie(&lock.key), ("origin", origin.to_owned())])
        };
        assert_eq!(from("http://127.0.0.1:4000"), Ok(Visit::Inside));
        for origin in
            ["http://127.0.0.1:4001", "http://localhost:4000", "https://127.0.0.1:4000", "null"]
        {
            assert_eq!(from(origin), Err(Turned::Foreign), "{origin}");
        }
    }

    #[test]
    fn a_form_without_its_ticket_is_not_ours() {
        let lock = lock();
        let form = |text: &str| Parameters::read(text.as_bytes()).unwrap();
        assert!(lock.stamped(&form(&format!("a=b&ticket={}", lock.ticket.as_str()))));
        for wrong in ["", "ticket=", "ticket=x", &format!("ticket={}", lock.key.as_str())] {
            assert!(!lock.stamped(&form(wrong)), "{wrong}");
        }
    }

    #[test]
    fn the_cookie_is_for_this_folder_and_no_script_and_the_secrets_are_three() {
        let lock = lock();
        let cookie = lock.cookie().unwrap();
        assert!(cookie.is_sensitive());
        let Lock { key, room, ticket } = &lock;
        let parts: Vec<_> = cookie.to_str().unwrap().split("; ").collect();
        let pair = format!("{COOKIE}={}", key.as_str());
        let path = format!("Path={room}");
        assert_eq!(parts, [pair.as_str(), &path, "HttpOnly", "SameSite=Strict"]);
        assert!(key.len() == 43 && ticket.len() == 43 && room.len() == ROOM + 1);
        assert_ne!(key, ticket);
        assert!(!key.starts_with(&room[1..]) && !ticket.starts_with(&room[1..]));
        assert!(!format!("{lock:?}").contains(&**key));
        assert_ne!(*Lock::new([8; 32]).key, **key);
    }
}
