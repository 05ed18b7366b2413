//! What a browser keeps of a login that it waits for: in a cookie, and nowhere else.
//!
//! The address of a waiting page has a handle only, which is worth nothing without the cookie: whoever
//! sends somebody else such an address does not send a login along.

use axum::http::HeaderValue;
use base64ct::{Base64UrlUnpadded, Encoding};
use chappe_crypto::sha256;

use super::visitor::Visitor;
use crate::world::UrlAuthAsked;

/// How many logins a browser waits for at a time; a further one replaces the oldest.
const MAX_TICKETS: usize = 6;

/// The kind of cookie.
const COOKIE: &str = "logins";

/// How long the cookie is kept: longer than any request waits.
const MAX_AGE: u32 = 900;

/// How many characters a handle has: 96 bits.
const HANDLE: usize = 16;

/// The length of a token.
const TOKEN: usize = 43;

/// A login that a browser waits for.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// What polls and claims.
    pub(crate) browser_token: String,
    /// What goes to the person's app.
    pub(crate) token: String,
    /// The picture that the browser shows, if there are match codes.
    pub(crate) match_code: Option<String>,
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticket").field("handle", &self.handle()).finish_non_exhaustive()
    }
}

impl From<UrlAuthAsked> for Ticket {
    fn from(asked: UrlAuthAsked) -> Self {
        let UrlAuthAsked { browser_token, token, match_code, .. } = asked;
        Self { browser_token, token, match_code }
    }
}

impl Ticket {
    /// What stands in addresses for it: no secret.
    pub(crate) fn handle(&self) -> String {
        let mut handle =
            Base64UrlUnpadded::encode_string(&sha256(&[self.browser_token.as_bytes()]));
        handle.truncate(HANDLE);
        handle
    }

    /// The ticket of this handle that a browser has.
    pub(crate) fn of(visitor: &Visitor, handle: &str) -> Option<Self> {
        Self::all(visitor).into_iter().find(|ticket| ticket.handle() == handle)
    }

    /// The cookie that adds this ticket to those that a browser has.
    pub(crate) fn cookie(&self, visitor: &Visitor) -> Option<HeaderValue> {
        let mut tickets = Self::all(visitor);
        tickets.retain(|ticket| ticket != self);
        tickets.insert(0, self.clone());
        tickets.truncate(MAX_TICKETS);
        let tickets: Vec<_> = tickets.iter().map(Self::write).collect();
        visitor.set_cookie(COOKIE, &tickets.join("~"), ("/auth", MAX_AGE))
    }

    fn all(visitor: &Visitor) -> Vec<Self> {
        let cookie = visitor.own_cookie(COOKIE).unwrap_or_default();
        cookie.split('~').filter_map(Self::read).take(MAX_TICKETS).collect()
    }

    fn write(&self) -> String {
        let code = self.match_code.as_deref().unwrap_or_default();
        let code = Base64UrlUnpadded::encode_string(code.as_bytes());
        format!("{}.{}.{code}", self.browser_token, self.token)
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (browser_token, token, code) = (parts.next()?, parts.next()?, parts.next()?);
        let plain = |text: &str| {
            text.len() == TOKEN
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        if parts.next().is_some() || !plain(browser_token) || !plain(token) || code.len() > TOKEN {
            return None;
        }
        let code = String::from_utf8(Base64UrlUnpadded::decode_vec(code).ok()?).ok()?;
        Some(Self {
            browser_token: browser_token.to_owned(),
            token: token.to_owned(),
            match_code: Some(code).filter(|code| !code.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(letter: &str) -> Ticket {
        Ticket {
            browser_token: letter.repeat(TOKEN),
            token: letter.to_lowercase().repeat(TOKEN),
            match_code: Some("🦊".to_owned()).filter(|_| letter == "A"),
        }
    }

    /// A browser with the tickets of these letters, given one after the other.
    fn browser(letters: &str) -> Visitor {
        let mut visitor = Visitor::with_cookies("127.0.0.1:81", "");
        for letter in letters.chars() {
            let cookie = ticket(&letter.to_string()).cookie(&visitor).unwrap();
            let cookie = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
            visitor = Visitor::with_cookies("127.0.0.1:81", &cookie);
        }
        visitor
    }

    #[test]
    fn a_browser_keeps_its_last_logins_only() {
        let visitor = browser("ABC");
        for letter in ["A", "B", "C"] {
            let ticket = ticket(letter);
            assert_eq!(Ticket::of(&visitor, &ticket.handle()), Some(ticket));
        }
        let visitor = browser("ABCDEFG");
        assert_eq!(Ticket::of(&visitor, &ticket("A").handle()), None, "the oldest one is gone");
        assert_eq!(Ticket::all(&browser("ABA")).len(), 2, "none is kept twice");
        assert!(Ticket::of(&visitor, &ticket("G").handle()).is_some());
        assert!(!format!("{:?}", ticket("A")).contains("AAAA"));
    }

    #[test]
    fn what_somebody_else_wrote_into_a_cookie_is_no_ticket() {
        let token = "A".repeat(TOKEN);
        for value in [
            "".to_owned(),
            "~~~".to_owned(),
            token.clone(),
            format!("{token}.{token}"),
            format!("{token}.{token}.!"),
            format!("{token}.{token}.."),
            format!("{token}.{token}x."),
            format!("{token}.{}%.", &token[1..]),
            format!("{token}.{token}._w"),
            format!("{token}.{token}.{token}A"),
        ] {
            let visitor =
                Visitor::with_cookies("127.0.0.1:81", &format!("chappe_logins_81={value}"));
            assert_eq!(Ticket::all(&visitor), [], "{value}");
        }
        let other =
            Visitor::with_cookies("127.0.0.1:82", &format!("chappe_logins_81={token}.{token}."));
        assert_eq!(Ticket::all(&other), [], "the cookie of another port");
        let twice = format!("chappe_logins_81={token}.{token}.; chappe_logins_81={token}.{token}.");
        assert_eq!(Ticket::all(&Visitor::with_cookies("127.0.0.1:81", &twice)), []);
    }
}
