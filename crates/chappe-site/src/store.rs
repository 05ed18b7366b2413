//! What the site keeps of browsers: who is logged in, and whose login is under way.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, SystemTime},
};

use axum::http::{HeaderMap, HeaderValue, header};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// A secret of one browser, as its cookie has it: 32 random bytes.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *bytes)?;
        Ok(Self(Zeroizing::new(Base64UrlUnpadded::encode_string(&*bytes))))
    }

    /// The secret that a request brings in the cookie `name`. Two cookies of that name are none:
    /// a page of a neighbouring host may have set one of them.
    pub(crate) fn of_cookie(headers: &HeaderMap, name: &str) -> Option<Self> {
        let mut found = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(own, _)| *own == name);
        let (Some((_, value)), None) = (found.next(), found.next()) else { return None };
        let mut bytes = Zeroizing::new([0; 32]);
        let decoded = Base64UrlUnpadded::decode(value, &mut *bytes).ok()?;
        (decoded.len() == 32).then(|| Self(Zeroizing::new(value.to_owned())))
    }

    /// The header that gives it to a browser, for no script and not beyond this host.
    ///
    /// `Lax` and not `Strict`: it has to come along when Telegram sends the browser back.
    pub(crate) fn set_cookie(&self, name: &str, lifetime: Duration, secure: bool) -> HeaderValue {
        cookie(name, &self.0, lifetime, secure)
    }

    /// What it is kept by, or shown as: its hash, for one purpose.
    pub(crate) fn key(&self, purpose: &str) -> Key {
        let mut hash = Sha256::new();
        hash.update(purpose);
        hash.update([0]);
        hash.update(self.0.as_bytes());
        Key(hash.finalize().into())
    }
}

/// The header that takes a cookie away.
pub(crate) fn no_cookie(name: &str, secure: bool) -> HeaderValue {
    cookie(name, "", Duration::ZERO, secure)
}

fn cookie(name: &str, value: &str, lifetime: Duration, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let seconds = lifetime.as_secs();
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    let mut header = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
    header.set_sensitive(true);
    header
}

/// The hash of a secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 32]);

impl Key {
    pub(crate) fn to_text(self) -> String {
        Base64UrlUnpadded::encode_string(&self.0)
    }
}

/// Things that are kept for some time, up to so many: the oldest makes room for the newest.
pub(crate) struct Kept<T> {
    capacity: usize,
    lifetime: Duration,
    things: HashMap<Key, (u64, SystemTime, T)>,
    order: BTreeMap<u64, Key>,
    next: u64,
}

impl<T> Kept<T> {
    pub(crate) fn new(capacity: usize, lifetime: Duration) -> Self {
        Self { capacity, lifetime, things: HashMap::new(), order: BTreeMap::new(), next: 0 }
    }

    pub(crate) fn insert(&mut self, key: Key, thing: T, now: SystemTime) {
        self.take(key, now);
        while self.things.len() >= self.capacity
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.things.remove(&oldest);
        }
        let until = now.checked_add(self.lifetime).unwrap_or(now);
        self.order.insert(self.next, key);
        self.things.insert(key, (self.next, until, thing));
        self.next += 1;
    }

    /// What is kept, and until when.
    pub(crate) fn get(&self, key: Key, now: SystemTime) -> Option<(&T, SystemTime)> {
        let (_, until, thing) = self.things.get(&key)?;
        (now < *until).then_some((thing, *until))
    }

    pub(crate) fn take(&mut self, key: Key, now: SystemTime) -> Option<T> {
        let (number, until, thing) = self.things.remove(&key)?;
        self.order.remove(&number);
        (now < until).then_some(thing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn what_is_kept_is_bounded_in_number_and_time() {
        let keys: Vec<Key> = (0..4).map(|byte| Key([byte; 32])).collect();
        let mut kept = Kept::new(2, Duration::from_secs(10));
        kept.insert(keys[0], 'a', at(0));
        kept.insert(keys[1], 'b', at(0));
        assert_eq!(kept.take(keys[1], at(9)), Some('b'));
        assert_eq!(kept.take(keys[1], at(9)), None);
        kept.insert(keys[2], 'c', at(5));
        kept.insert(keys[3], 'd', at(5));
        // The oldest went.
        assert!(kept.get(keys[0], at(5)).is_none());
        assert_eq!(kept.get(keys[2], at(14)), Some((&'c', at(15))));
        assert!(kept.get(keys[2], at(15)).is_none());
        assert_eq!(kept.take(keys[3], at(15)), None);
        assert_eq!((kept.things.len(), kept.order.len()), (1, 1));
    }

    #[test]
    fn a_cookie_is_one_secret_or_none() {
        let secret = Secret::new().unwrap();
        let header = secret.set_cookie("a", Duration::from_secs(9), true);
        let text = header.to_str().unwrap();
        assert!(text.ends_with("; Path=/; Max-Age=9; HttpOnly; SameSite=Lax; Secure"), "{text}");
        assert!(header.is_sensitive());
        let pair = text.split(';').next().unwrap();
        let read = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, line.parse().unwrap());
            }
            Secret::of_cookie(&headers, "a").map(|found| *found.0 == *secret.0)
        };
        assert_eq!(read(&[pair]), Some(true));
        assert_eq!(read(&[&format!("b=1; {pair}; c=2")]), Some(true));
        for none in [&[][..], &["a="], &["a=AAAA"], &["b=1"], &[&pair[1..]], &[pair, pair]] {
            assert_eq!(read(none), None, "{none:?}");
        }
        assert_eq!(read(&[&format!("{pair}; {pair}")]), None);
    }

    #[test]
    fn a_key_serves_one_purpose() {
        let secret = Secret::new().unwrap();
        assert!(secret.key("a") == secret.key("a"));
        assert!(secret.key("a") != secret.key("b"));
        assert!(secret.key("a") != Secret::new().unwrap().key("a"));
    }
}
