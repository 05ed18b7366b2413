//! Whom a fault or an action concerns.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Whom a fault or an action concerns: everybody whom all that is said fits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Scope {
    /// One data centre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dc: Option<i32>,
    /// One auth key, or all temporary keys that stand for it. In JSON a string of digits, or a
    /// number.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "long")]
    pub auth_key_id: Option<i64>,
    /// One session. In JSON a string of digits, or a number.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "long")]
    pub session_id: Option<i64>,
    /// One account, on all of its devices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<i64>,
    /// The account of this phone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
}

/// A phone number: only its digits count.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Phone(String);

impl Scope {
    /// Everybody.
    #[must_use]
    pub fn everything() -> Self {
        Self::default()
    }

    /// One data centre.
    #[must_use]
    pub fn dc(dc: i32) -> Self {
        Self { dc: Some(dc), ..Self::default() }
    }

    /// One auth key.
    #[must_use]
    pub fn auth_key(id: i64) -> Self {
        Self { auth_key_id: Some(id), ..Self::default() }
    }

    /// One session.
    #[must_use]
    pub fn session(id: i64) -> Self {
        Self { session_id: Some(id), ..Self::default() }
    }

    /// One account, on all of its devices.
    #[must_use]
    pub fn user(id: i64) -> Self {
        Self { user_id: Some(id), ..Self::default() }
    }

    /// The account of this phone number.
    #[must_use]
    pub fn phone(number: impl Into<String>) -> Self {
        Self { phone: Some(Phone::from(number.into())), ..Self::default() }
    }

    /// Whether nobody is left out.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it asks who is signed in on a key, or what that stands for.
    pub(super) fn asks_who(&self) -> bool {
        self.user_id.is_some() || self.phone.is_some() || self.auth_key_id.is_some()
    }

    /// Whether it asks for more than the data centre.
    pub(super) fn asks_session(&self) -> bool {
        self.asks_who() || self.session_id.is_some()
    }
}

impl Phone {
    /// The digits.
    pub(super) fn digits(&self) -> &str {
        &self.0
    }
}

impl From<String> for Phone {
    fn from(number: String) -> Self {
        Self(number.chars().filter(char::is_ascii_digit).collect())
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone")
    }
}

/// Numbers of 64 bits as strings: JavaScript and many others would round them.
pub(super) mod long {
    use super::{Deserialize, Deserializer, Serializer, de};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Long {
        Number(i64),
        Text(String),
    }

    #[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
    pub(crate) fn serialize<S: Serializer>(id: &Option<i64>, to: S) -> Result<S::Ok, S::Error> {
        match id {
            Some(id) => to.collect_str(id),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
        let text = match Option::<Long>::deserialize(from) {
            Ok(None) => return Ok(None),
            Ok(Some(Long::Number(id))) => return Ok(Some(id)),
            Ok(Some(Long::Text(text))) => text,
            Err(_) => return Err(de::Error::custom(LONG)),
        };
        text.parse().map(Some).map_err(|_| de::Error::custom(LONG))
    }

    const LONG: &str = "an id is a whole number of 64 bits, best written as a string of digits";
}
