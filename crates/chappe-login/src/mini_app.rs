//! `initData` of Mini Apps: a hash by the bot token, and a signature by Telegram itself.
//!
//! core.telegram.org/bots/webapps#validating-data-received-via-the-mini-app.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use ed25519_dalek::{Signature, VerifyingKey};
use hmac::Mac;
use zeroize::Zeroizing;

use crate::{
    BotToken, Error, Fields, Freshness,
    fields::number,
    json::{self, Json, Object},
    widget::mac,
};

/// Checks the `initData` of one bot's Mini Apps by the bot token.
///
/// A Mini App sends the same text with each request, so it is no login to be used once.
///
/// ```
/// # use chappe_login::{BotToken, Error, MiniApp};
/// # use std::time::SystemTime;
/// # fn request(token: &BotToken, init_data: &str) -> Result<(), Error> {
/// let mini_app = MiniApp::new(token);
/// let data = mini_app.check(init_data, SystemTime::now())?;
/// let user = data.user.ok_or(Error::Missing("user"))?;
/// println!("{} is {}", user.id, user.first_name);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MiniApp {
    key: Zeroizing<[u8; 32]>,
    freshness: Freshness,
}

impl MiniApp {
    /// Derives the key of a bot; data may be as old as [`Freshness::MINI_APP`] says.
    #[must_use]
    pub fn new(token: &BotToken) -> Self {
        let key = mac(b"WebAppData", token.bytes()).finalize().into_bytes();
        Self { key: Zeroizing::new(key.into()), freshness: Freshness::MINI_APP }
    }

    /// Allows other ages.
    #[must_use]
    pub fn with_freshness(self, freshness: Freshness) -> Self {
        Self { freshness, ..self }
    }

    /// Tells who uses the Mini App, if all of it is true and fresh.
    ///
    /// # Errors
    ///
    /// [`Error::Hash`] if it is not this bot's; [`Error::Stale`], [`Error::FromFuture`];
    /// [`Error::Missing`], [`Error::Field`], [`Error::Duplicate`], [`Error::Encoding`],
    /// [`Error::Name`], [`Error::TooLarge`] if it cannot be read.
    pub fn check(&self, init_data: &str, now: SystemTime) -> Result<InitData, Error> {
        let fields = Fields::from_query(init_data)?;
        let hash = fields.hash()?;
        self.mac(&fields).verify_slice(&hash).map_err(|_| Error::Hash)?;
        InitData::read(fields, self.freshness, now)
    }

    /// Signs fields as Telegram would: for tests of a site, which have no Telegram.
    #[must_use]
    pub fn sign(&self, mut fields: Fields) -> Fields {
        let hash = self.mac(&fields).finalize().into_bytes();
        fields.insert("hash", hash.iter().map(|byte| format!("{byte:02x}")).collect());
        fields
    }

    fn mac(&self, fields: &Fields) -> hmac::Hmac<sha2::Sha256> {
        mac(&self.key, fields.check_string(&["hash"]).as_bytes())
    }
}

impl fmt::Debug for MiniApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MiniApp").field("freshness", &self.freshness).finish_non_exhaustive()
    }
}

/// Checks the `initData` of one bot's Mini Apps without its token, by Telegram's public key: for
/// services that are not the bot's own.
///
/// core.telegram.org/bots/webapps#validating-data-for-third-party-use.
#[derive(Clone, Debug)]
pub struct ThirdParty {
    bot_id: i64,
    key: VerifyingKey,
    freshness: Freshness,
}

impl ThirdParty {
    /// The key that Telegram signs with.
    pub const PRODUCTION: [u8; 32] = [
        0xe7, 0xbf, 0x03, 0xa2, 0xfa, 0x46, 0x02, 0xaf, 0x45, 0x80, 0x70, 0x3d, 0x88, 0xdd, 0xa5,
        0xbb, 0x59, 0xf3, 0x2e, 0xd8, 0xb0, 0x2a, 0x56, 0xc1, 0x87, 0xfe, 0x7d, 0x34, 0xca, 0xed,
        0x24, 0x2d,
    ];

    /// The key of Telegram's test environment.
    pub const TEST: [u8; 32] = [
        0x40, 0x05, 0x50, 0x58, 0xa4, 0xee, 0x38, 0x15, 0x6a, 0x06, 0x56, 0x2e, 0x52, 0xee, 0xce,
        0x92, 0xa7, 0x71, 0xbc, 0xd8, 0x34, 0x6a, 0x8c, 0x46, 0x15, 0xcb, 0x73, 0x76, 0xed, 0xdf,
        0x72, 0xec,
    ];

    /// Takes data that was made for the bot `bot_id` and signed by [`PRODUCTION`](Self::PRODUCTION),
    /// [`TEST`](Self::TEST) or, in tests, a key of one's own; as old as [`Freshness::MINI_APP`]
    /// says.
    ///
    /// # Errors
    ///
    /// [`Error::Key`] if no signature can be checked by it.
    pub fn new(bot_id: i64, key: &[u8; 32]) -> Result<Self, Error> {
        let key = VerifyingKey::from_bytes(key).map_err(|_| Error::Key)?;
        if key.is_weak() {
            return Err(Error::Key);
        }
        Ok(Self { bot_id, key, freshness: Freshness::MINI_APP })
    }

    /// Allows other ages.
    #[must_use]
    pub fn with_freshness(self, freshness: Freshness) -> Self {
        Self { freshness, ..self }
    }

    /// Tells who uses the Mini App, if all of it is true and fresh. The `hash` is not looked at:
    /// who has no bot token cannot.
    ///
    /// # Errors
    ///
    /// [`Error::Signature`] if it is not this bot's; else as [`MiniApp::check`].
    pub fn check(&self, init_data: &str, now: SystemTime) -> Result<InitData, Error> {
        let fields = Fields::from_query(init_data)?;
        let text = fields.required("signature")?.trim_end_matches('=');
        let mut bytes = [0; 64];
        let decoded = Base64UrlUnpadded::decode(text, &mut bytes).ok();
        if decoded.is_none_or(|decoded| decoded.len() != 64) {
            return Err(Error::Field("signature"));
        }
        let signed = fields.check_string(&["hash", "signature"]);
        let signed = format!("{}:WebAppData\n{signed}", self.bot_id);
        let signature = Signature::from_bytes(&bytes);
        self.key.verify_strict(signed.as_bytes(), &signature).map_err(|_| Error::Signature)?;
        InitData::read(fields, self.freshness, now)
    }
}

/// What a Mini App was started with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InitData {
    /// Who uses it.
    pub user: Option<WebAppUser>,
    /// The other side of the private chat that it was opened in, by the attachment menu.
    pub receiver: Option<WebAppUser>,
    /// The chat that it was opened in, by the attachment menu.
    pub chat: Option<WebAppChat>,
    /// `sender`, `private`, `group`, `supergroup` or `channel`: where the direct link was.
    pub chat_type: Option<String>,
    /// The same for everybody who opened it from the same chat.
    pub chat_instance: Option<String>,
    /// What the link said in `startapp`, or the menu in `startattach`. Anybody can make a link.
    pub start_param: Option<String>,
    /// The session of `answerWebAppQuery`.
    pub query_id: Option<String>,
    /// How long after `auth_date` `answerWebAppQuery` may be called.
    pub can_send_after: Option<Duration>,
    /// When Telegram signed it.
    pub auth_date: SystemTime,
    fields: Fields,
}

impl InitData {
    /// Everything that was signed, the objects as their JSON.
    #[must_use]
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    fn read(fields: Fields, freshness: Freshness, now: SystemTime) -> Result<Self, Error> {
        let auth_date = fields.auth_date()?;
        freshness.check(auth_date, now)?;
        let text = |name| fields.get(name).map(str::to_owned);
        let user = |name| fields.get(name).map(|text| WebAppUser::read(name, text)).transpose();
        let seconds = |text| number(text).and_then(|seconds| u64::try_from(seconds).ok());
        let can_send_after = match fields.get("can_send_after") {
            None => None,
            Some("0") => Some(Duration::ZERO),
            Some(text) => {
                Some(Duration::from_secs(seconds(text).ok_or(Error::Field("can_send_after"))?))
            }
        };
        Ok(Self {
            user: user("user")?,
            receiver: user("receiver")?,
            chat: fields.get("chat").map(WebAppChat::read).transpose()?,
            chat_type: text("chat_type"),
            chat_instance: text("chat_instance"),
            start_param: text("start_param"),
            query_id: text("query_id"),
            can_send_after,
            auth_date,
            fields,
        })
    }
}

/// A person or a bot, as Mini Apps see them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebAppUser {
    /// The user id: what an account of the site is to be bound to, as all else may change.
    pub id: i64,
    /// Whether it is a bot; told of the receiver only.
    pub is_bot: bool,
    /// The first name, as its owner chose it.
    pub first_name: String,
    /// The last name, for those who have one.
    pub last_name: Option<String>,
    /// The username, without `@`.
    pub username: Option<String>,
    /// The language of the app, as IETF tag.
    pub language_code: Option<String>,
    /// Whether they have Telegram Premium.
    pub is_premium: bool,
    /// Whether they added the bot to their attachment menu.
    pub added_to_attachment_menu: bool,
    /// Whether the bot may write to them.
    pub allows_write_to_pm: bool,
    /// Where the profile picture is.
    pub photo_url: Option<String>,
}

impl WebAppUser {
    fn read(field: &'static str, text: &str) -> Result<Self, Error> {
        let mut object = Reader::new(field, text)?;
        Ok(Self {
            id: object.id().filter(|id| *id > 0).ok_or(Error::Field(field))?,
            is_bot: object.flag("is_bot")?,
            first_name: object.text("first_name")?.ok_or(Error::Field(field))?,
            last_name: object.text("last_name")?,
            username: object.text("username")?,
            language_code: object.text("language_code")?,
            is_premium: object.flag("is_premium")?,
            added_to_attachment_menu: object.flag("added_to_attachment_menu")?,
            allows_write_to_pm: object.flag("allows_write_to_pm")?,
            photo_url: object.text("photo_url")?,
        })
    }
}

/// A chat, as Mini Apps see it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebAppChat {
    /// The id, as the Bot API has it: below 0.
    pub id: i64,
    /// `group`, `supergroup` or `channel`.
    pub kind: String,
    /// The title, as the chat's owners chose it.
    pub title: String,
    /// The username, without `@`.
    pub username: Option<String>,
    /// Where the picture is.
    pub photo_url: Option<String>,
}

impl WebAppChat {
    fn read(text: &str) -> Result<Self, Error> {
        let mut object = Reader::new("chat", text)?;
        Ok(Self {
            id: object.id().ok_or(Error::Field("chat"))?,
            kind: object.text("type")?.ok_or(Error::Field("chat"))?,
            title: object.text("title")?.ok_or(Error::Field("chat"))?,
            username: object.text("username")?,
            photo_url: object.text("photo_url")?,
        })
    }
}

/// Takes an object apart: what is not there is absent, what is there has the right type.
struct Reader {
    field: &'static str,
    object: Object,
}

impl Reader {
    fn new(field: &'static str, text: &str) -> Result<Self, Error> {
        let object = json::object(text.as_bytes()).ok_or(Error::Field(field))?;
        Ok(Self { field, object })
    }

    fn id(&self) -> Option<i64> {
        self.object.get("id").and_then(Json::whole)
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, Error> {
        let value = self.object.remove(name);
        value.map(|value| value.into_text().ok_or(Error::Field(self.field))).transpose()
    }

    fn flag(&self, name: &str) -> Result<bool, Error> {
        match self.object.get(name) {
            None => Ok(false),
            Some(Json::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Error::Field(self.field)),
        }
    }
}
