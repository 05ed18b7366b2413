//! The Login Widget and login links: fields under a hash by the bot token.
//!
//! core.telegram.org/widgets/login (now .../login-legacy), core.telegram.org/api/url-authorization.

use std::{fmt, time::SystemTime};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{BotToken, Error, Fields, Fingerprint, Freshness, fields::number};

/// Checks what comes from a Login Widget or a login button of one bot.
///
/// ```
/// # use chappe_login::{BotToken, Error, Fields, Widget};
/// # use std::time::SystemTime;
/// # fn page(token: &BotToken, query: &str) -> Result<(), Error> {
/// let widget = Widget::new(token);
/// let login = widget.check(Fields::from_query(query)?, SystemTime::now())?;
/// println!("{} is {}", login.id, login.first_name);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Widget {
    key: Zeroizing<[u8; 32]>,
    freshness: Freshness,
}

impl Widget {
    /// Derives the key of a bot; logins may be as old as [`Freshness::LOGIN`] says.
    #[must_use]
    pub fn new(token: &BotToken) -> Self {
        let key = Zeroizing::new(Sha256::digest(token.bytes()).into());
        Self { key, freshness: Freshness::LOGIN }
    }

    /// Allows other ages.
    #[must_use]
    pub fn with_freshness(self, freshness: Freshness) -> Self {
        Self { freshness, ..self }
    }

    /// Tells who logged in, if all of it is true and fresh. It may be a repetition: let
    /// [`Login::fingerprint`] pass once.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], [`Error::Field`], [`Error::Hash`], [`Error::Stale`],
    /// [`Error::FromFuture`].
    pub fn check(&self, fields: Fields, now: SystemTime) -> Result<Login, Error> {
        let hash = fields.hash()?;
        self.mac(&fields).verify_slice(&hash).map_err(|_| Error::Hash)?;
        let auth_date = fields.auth_date()?;
        self.freshness.check(auth_date, now)?;
        let optional = |name| fields.get(name).map(str::to_owned);
        Ok(Login {
            id: number(fields.required("id")?).ok_or(Error::Field("id"))?,
            first_name: fields.required("first_name")?.to_owned(),
            last_name: optional("last_name"),
            username: optional("username"),
            photo_url: optional("photo_url"),
            auth_date,
            fingerprint: Fingerprint::new(hash, auth_date, self.freshness.max_age),
            fields,
        })
    }

    /// Signs fields as Telegram would: for tests of a site, which have no Telegram.
    #[must_use]
    pub fn sign(&self, mut fields: Fields) -> Fields {
        let hash = self.mac(&fields).finalize().into_bytes();
        fields.insert("hash", hash.iter().map(|byte| format!("{byte:02x}")).collect());
        fields
    }

    fn mac(&self, fields: &Fields) -> Hmac<Sha256> {
        mac(&self.key, fields.check_string(&["hash"]).as_bytes())
    }
}

/// HMAC-SHA256 of one text. A key that is shorter than a block is filled up with zeros, as HMAC
/// does itself.
pub(crate) fn mac<const N: usize>(key: &[u8; N], text: &[u8]) -> Hmac<Sha256> {
    const { assert!(N <= 64) };
    let mut block = Zeroizing::new([0; 64]);
    for (place, byte) in block.iter_mut().zip(key) {
        *place = *byte;
    }
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    mac.update(text);
    mac
}

impl fmt::Debug for Widget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Widget").field("freshness", &self.freshness).finish_non_exhaustive()
    }
}

/// Somebody who logged in by a Login Widget or a login button.
///
/// Names are what people call themselves: escape them in pages. Whether the bot may write to
/// them is not told here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Login {
    /// The user id: what an account of the site is to be bound to, as all else may change.
    pub id: i64,
    /// The first name, as its owner chose it.
    pub first_name: String,
    /// The last name, for those who have one.
    pub last_name: Option<String>,
    /// The username, without `@`.
    pub username: Option<String>,
    /// Where the profile picture is.
    pub photo_url: Option<String>,
    /// When Telegram signed it.
    pub auth_date: SystemTime,
    fields: Fields,
    fingerprint: Fingerprint,
}

impl Login {
    /// Everything that was signed.
    #[must_use]
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// What [`Seen`](crate::Seen) remembers of it.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }
}
