//! Numbers: how phone numbers sign in, where a test wants it other than usual.
//!
//! Any phone number can sign in or up: one of the test range `99966XYYYY` with its code `XXXXX`,
//! another one with a code that only the [letters](crate::letters) tell. What else happens can be
//! ordered for a number, or for all that begin alike: which ways the code takes, login by email,
//! terms of service, refusals. `LOGIN.md` beside this crate shows all of it, with the JSON of the
//! control port.
//!
//! ```
//! # async fn example() -> Result<(), chappe_server::Error> {
//! use chappe_server::{Server, letters::Way, numbers::Number};
//! let server = Server::builder()
//!     .seed(7)
//!     .number("+1 555 0100 200", Number::new().ways([Way::SmsWord, Way::Call]).timeout(30))
//!     .number("99966*", Number::new().set_up_email())
//!     .start()
//!     .await?;
//! server.numbers().set("15550100300", Number::new().banned()).await?;
//! assert_eq!(server.numbers().list().await?.len(), 3);
//! # server.shutdown().await
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
//! ```

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::{
    Error, Objection,
    letters::Way,
    listener::{self, Message},
    world,
};

/// What is other than usual when a phone number signs in. Without further words: nothing.
///
/// ```
/// use chappe_server::{letters::Way, numbers::Number};
/// let number = Number::new().ways([Way::App, Way::Sms]).timeout(20);
/// let json = r#"{"ways":["app","sms"],"timeout":20}"#;
/// assert_eq!(serde_json::to_string(&number).unwrap(), json);
/// assert_eq!(serde_json::from_str::<Number>(json).unwrap(), number);
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
#[must_use]
pub struct Number {
    /// The ways that its codes take: the first one is for `auth.sendCode`, each `auth.resendCode`
    /// takes the next. Those that a client does not allow are left out. `firebase` sends its SMS when
    /// `auth.requestFirebaseSms` shows a token. Empty: as usual.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ways: Vec<Way>,
    /// How long a client has to wait before it may ask for the next way, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
    /// Its code: 3 to 10 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// How many codes it may ask for in 24 hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codes_a_day: Option<u32>,
    /// The mailbox that its codes go to; "" for none. Left out: it stays as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_email: Option<String>,
    /// How long `auth.resetLoginEmail` takes, in seconds; 0 for at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_reset: Option<u32>,
    /// Whether it must name a mailbox first, if it has none.
    #[serde(skip_serializing_if = "is_false")]
    pub set_up_email: bool,
    /// Whether it cannot sign up.
    #[serde(skip_serializing_if = "is_false")]
    pub no_sign_up: bool,
    /// The terms of service that are shown when it signs up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
    /// Whether it has to pay before a code is sent.
    #[serde(skip_serializing_if = "is_false")]
    pub payment: bool,
    /// Whether it is banned.
    #[serde(skip_serializing_if = "is_false")]
    pub banned: bool,
}

/// Terms of service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// What they say. Addresses that begin with `https://` become links.
    pub text: String,
    /// The age that a user must confirm to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_age: Option<u8>,
    /// Whether they must be shown before the user goes on.
    #[serde(default, skip_serializing_if = "is_false")]
    pub popup: bool,
}

impl Number {
    /// Nothing but the usual.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends codes these ways, one after the other.
    pub fn ways(mut self, ways: impl IntoIterator<Item = Way>) -> Self {
        self.ways = ways.into_iter().collect();
        self
    }

    /// Lets a client wait so many seconds before it may ask for the next way.
    pub fn timeout(mut self, seconds: u32) -> Self {
        self.timeout = Some(seconds);
        self
    }

    /// Sends this code.
    pub fn code(mut self, digits: impl Into<String>) -> Self {
        self.code = Some(digits.into());
        self
    }

    /// Sends no more than so many codes in 24 hours.
    pub fn codes_a_day(mut self, codes: u32) -> Self {
        self.codes_a_day = Some(codes);
        self
    }

    /// Sends codes to this mailbox; "" for none.
    pub fn login_email(mut self, address: impl Into<String>) -> Self {
        self.login_email = Some(address.into());
        self
    }

    /// Takes so many seconds to reset the mailbox; 0 for at once.
    pub fn email_reset(mut self, seconds: u32) -> Self {
        self.email_reset = Some(seconds);
        self
    }

    /// Asks for a mailbox first.
    pub fn set_up_email(mut self) -> Self {
        self.set_up_email = true;
        self
    }

    /// Lets nobody sign up.
    pub fn no_sign_up(mut self) -> Self {
        self.no_sign_up = true;
        self
    }

    /// Shows these terms of service to whoever signs up.
    pub fn terms(mut self, terms: Terms) -> Self {
        self.terms = Some(terms);
        self
    }

    /// Asks for money before a code is sent.
    pub fn payment(mut self) -> Self {
        self.payment = true;
        self
    }

    /// Refuses it.
    pub fn banned(mut self) -> Self {
        self.banned = true;
        self
    }

    /// Checks an order for a number, or for all that begin alike.
    pub(crate) fn check(&self, name: &Name) -> Result<(), Objection> {
        let out = |problem: &str, hint: &str| Err(Objection::new(problem, hint));
        let email = self.login_email.as_deref().filter(|email| !email.is_empty());
        if self.ways.contains(&Way::Email) {
            return out("`ways` cannot hold email", "give `login_email` an address");
        }
        if self.ways.iter().skip(1).any(|way| *way == Way::App) {
            return out(
                "only the first way can be app",
                "no client could be told of it as the next",
            );
        }
        if self.ways.len() > MAX_WAYS {
            return out("there are too many ways", "16 are enough");
        }
        if self.code.as_deref().is_some_and(|code| !is_code(code)) {
            return out("that is no code", "give 3 to 10 digits");
        }
        if self.timeout.into_iter().chain(self.email_reset).any(|seconds| seconds > YEAR) {
            return out("that is too long", "give seconds, up to a year of them");
        }
        if email.is_some_and(|email| world::email_address(email).is_none()) {
            return out("`login_email` is no address", "give one such as ada@example.org");
        }
        if email.is_some() && name.is_prefix() {
            return out("a mailbox belongs to one number", "give the number whole, without *");
        }
        if self
            .terms
            .as_ref()
            .is_some_and(|terms| terms.text.trim().is_empty() || terms.text.len() > TEXT)
        {
            return out("these terms say nothing, or too much", "give up to 4096 bytes of text");
        }
        Ok(())
    }
}

impl fmt::Debug for Number {
    /// Neither code nor address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Number")
            .field("ways", &self.ways)
            .field("timeout", &self.timeout)
            .field("codes_a_day", &self.codes_a_day)
            .field("email_reset", &self.email_reset)
            .field("set_up_email", &self.set_up_email)
            .field("no_sign_up", &self.no_sign_up)
            .field("payment", &self.payment)
            .field("banned", &self.banned)
            .finish_non_exhaustive()
    }
}

impl Terms {
    /// These terms.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), min_age: None, popup: false }
    }
}

/// Whom an order is for: a phone number, or with a `*` behind it all that begin so.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    /// Reads it as people write it.
    pub(crate) fn read(text: &str) -> Result<Self, Objection> {
        let text = text.trim();
        let (start, star) = text.strip_suffix('*').map_or((text, ""), |start| (start, "*"));
        let digits = world::digits(start);
        match digits.filter(|digits| !star.is_empty() || !digits.is_empty()) {
            Some(digits) => Ok(Self(format!("{digits}{star}"))),
            None => Err(Objection::new(
                "that is no phone number",
                "give digits, and a * behind them for all numbers that begin so",
            )),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn is_prefix(&self) -> bool {
        self.0.ends_with('*')
    }
}

/// Orders how phone numbers sign in to a running server. Cheap to clone.
///
/// A number is written in any way that people write it; a `*` behind its first digits, or alone,
/// means all that begin so. The order for the whole number counts, or else the one for the most
/// digits. Every method fails with [`Error::Stopped`] when the server is gone, and is done or not done
/// when its future is dropped.
#[derive(Clone, Debug)]
pub struct Numbers {
    inbox: mpsc::Sender<Message>,
}

impl Numbers {
    pub(crate) fn new(inbox: mpsc::Sender<Message>) -> Self {
        Self { inbox }
    }

    /// Orders how a number signs in from now on, in place of what was ordered before.
    ///
    /// # Errors
    /// [`Error::Number`] when the order makes no sense; it says what would.
    pub async fn set(&self, phone: &str, number: Number) -> Result<(), Error> {
        let name = Name::read(phone).map_err(Error::Number)?;
        number.check(&name).map_err(Error::Number)?;
        let set =
            move |engine: &mut crate::engine::Engine, _| engine.world.set_number(&name, &number);
        Ok(listener::ask(&self.inbox, set).await??)
    }

    /// Tells what was ordered for exactly this number, and its mailbox; `None` if there is neither.
    ///
    /// # Errors
    /// [`Error::Number`] when this is no number.
    pub async fn get(&self, phone: &str) -> Result<Option<Number>, Error> {
        let name = Name::read(phone).map_err(Error::Number)?;
        Ok(self.list().await?.remove(name.as_str()))
    }

    /// Lists all orders and mailboxes by number.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn list(&self) -> Result<BTreeMap<String, Number>, Error> {
        Ok(listener::ask(&self.inbox, |engine, _| engine.world.numbers()).await??)
    }

    /// Removes what was ordered for exactly this number, and tells it; its mailbox stays.
    ///
    /// # Errors
    /// [`Error::Number`] when this is no number.
    pub async fn remove(&self, phone: &str) -> Result<Option<Number>, Error> {
        let before = self.get(phone).await?;
        let name = Name::read(phone).map_err(Error::Number)?;
        let remove = move |engine: &mut crate::engine::Engine, _| engine.world.remove_number(&name);
        listener::ask(&self.inbox, remove).await??;
        Ok(before)
    }
}

/// Whether this can be a code.
fn is_code(text: &str) -> bool {
    (3..=10).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// How many ways one number may have.
const MAX_WAYS: usize = 16;

/// The longest terms, in bytes.
const TEXT: usize = 4_096;

/// A year, in seconds.
const YEAR: u32 = 366 * 86_400;
