//! What was received, field by field, and the text that is signed of it.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
    time::{Duration, SystemTime},
};

use base64ct::{Base64UrlUnpadded, Encoding as _};

use crate::{
    Error,
    json::Json,
    query::{self, Problem},
};

/// Login data as it was received: each name once, the values as they are signed.
///
/// Telegram signs *all* fields that it sends, so unknown ones belong to it, and what else the
/// site put into the same query has to be [taken](Self::take) out first.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields(BTreeMap<String, String>);

impl Fields {
    /// Reads a query string, with or without its `?`: what `data-auth-url` and login buttons are
    /// called with.
    ///
    /// # Errors
    ///
    /// [`Error::Duplicate`], [`Error::Encoding`], [`Error::Name`], [`Error::TooLarge`].
    pub fn from_query(query: &str) -> Result<Self, Error> {
        Self::from_pairs(query::decode(query)?)
    }

    /// Reads a JSON object: what `data-onauth` is called with, and a page posts to its site.
    /// Whole numbers become text in decimal, as they are signed.
    ///
    /// # Errors
    ///
    /// Those of [`from_query`](Self::from_query), [`Error::Json`], [`Error::Value`], and
    /// [`Error::Declined`] for `false`.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        if text.len() > query::LENGTH {
            return Err(Error::TooLarge);
        }
        let object = match serde_json::from_str(text) {
            Ok(Json::Object(object)) => object,
            Ok(Json::Bool(false)) => return Err(Error::Declined),
            _ => return Err(Error::Json),
        };
        let mut pairs = Vec::with_capacity(object.len());
        for (name, value) in object {
            let value = match value {
                Json::Text(text) => text,
                Json::Whole(number) => number.to_string(),
                _ => return Err(Error::Value(name.into())),
            };
            pairs.push((name, value));
        }
        Self::from_pairs(pairs)
    }

    /// Reads the `tgAuthResult` that comes in the fragment of the address: a JSON object in
    /// base64url, with or without padding.
    ///
    /// # Errors
    ///
    /// Those of [`from_json`](Self::from_json).
    pub fn from_auth_result(text: &str) -> Result<Self, Error> {
        if text.len() > query::LENGTH {
            return Err(Error::TooLarge);
        }
        let bytes = Base64UrlUnpadded::decode_vec(text.trim_end_matches('='));
        let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
        Self::from_json(&text.ok_or(Error::Encoding)?)
    }

    /// Takes fields over that a web framework decoded already. Use a list of pairs: in a map, a
    /// name that came twice is no longer seen.
    ///
    /// # Errors
    ///
    /// [`Error::Duplicate`], [`Error::Name`], [`Error::TooLarge`].
    pub fn from_pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Result<Self, Error>
    where
        N: Into<String>,
        V: Into<String>,
    {
        let mut fields = BTreeMap::new();
        let mut length = 0;
        for (name, value) in pairs {
            let (name, value) = (name.into(), value.into());
            length += name.len() + value.len();
            if length > query::LENGTH || fields.len() == query::COUNT {
                return Err(Error::TooLarge);
            }
            // What is signed is `name=value` line by line. With these signs inside, somebody's
            // name could be another field, say an id.
            if name.is_empty() || name.contains(['=', '\n']) || value.contains('\n') {
                return Err(Error::Name(name.into()));
            }
            match fields.entry(name) {
                Entry::Vacant(place) => _ = place.insert(value),
                Entry::Occupied(known) => {
                    return Err(Error::Duplicate(known.key().as_str().into()));
                }
            }
        }
        Ok(Self(fields))
    }

    /// One field, as it was received.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All fields in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Takes a parameter of the site's own out, which Telegram did not sign.
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// The fields as a query, for tests of a site: see [`Widget::sign`](crate::Widget::sign).
    #[must_use]
    pub fn to_query(&self) -> String {
        let mut query = String::new();
        for (name, value) in self.iter() {
            if !query.is_empty() {
                query.push('&');
            }
            query::encode(name, &mut query);
            query.push('=');
            query::encode(value, &mut query);
        }
        query
    }

    pub(crate) fn insert(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), value);
    }

    pub(crate) fn required(&self, name: &'static str) -> Result<&str, Error> {
        self.get(name).ok_or(Error::Missing(name))
    }

    /// The data-check-string: what is signed, without some fields.
    pub(crate) fn check_string(&self, without: &[&str]) -> String {
        let mut text = String::new();
        for (name, value) in self.iter().filter(|(name, _)| !without.contains(name)) {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        }
        text
    }

    /// `auth_date`, the moment of the signature.
    pub(crate) fn auth_date(&self) -> Result<SystemTime, Error> {
        let seconds = number(self.required("auth_date")?).ok_or(Error::Field("auth_date"))?;
        let date = u64::try_from(seconds).map(Duration::from_secs);
        let date = date.ok().and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since));
        date.ok_or(Error::Field("auth_date"))
    }

    /// `hash`, 32 bytes in hexadecimal.
    pub(crate) fn hash(&self) -> Result<[u8; 32], Error> {
        let text = self.required("hash")?.as_bytes();
        let mut hash = [0; 32];
        if text.len() != 2 * hash.len() {
            return Err(Error::Field("hash"));
        }
        for (byte, digits) in hash.iter_mut().zip(text.chunks_exact(2)) {
            for digit in digits {
                *byte = *byte << 4 | query::digit(*digit).ok_or(Error::Field("hash"))?;
            }
        }
        Ok(hash)
    }
}

/// A number above 0 as Telegram writes it: digits only.
pub(crate) fn number(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    digits.then(|| text.parse().ok()).flatten()
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Encoding => Self::Encoding,
            Problem::TooLarge => Self::TooLarge,
        }
    }
}

/// The names only: the values log somebody in while they are fresh.
impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fields")?;
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_gives_the_same_fields() {
        let query = Fields::from_query("?id=42&first_name=%C3%84+%26&auth_date=17").unwrap();
        let json = r#"{"id": 42, "first_name": "Ä &", "auth_date": "17"}"#;
        assert_eq!(Fields::from_json(json).unwrap(), query);
        let result = Base64UrlUnpadded::encode_string(json.as_bytes());
        assert_eq!(Fields::from_auth_result(&result).unwrap(), query);
        assert_eq!(Fields::from_auth_result(&format!("{result}==")).unwrap(), query);
        let pairs = [("auth_date", "17"), ("id", "42"), ("first_name", "Ä &")];
        assert_eq!(Fields::from_pairs(pairs).unwrap(), query);
        assert_eq!(query.check_string(&["hash"]), "auth_date=17\nfirst_name=Ä &\nid=42");
    }

    #[test]
    fn a_name_that_comes_twice_is_refused_in_every_way() {
        let twice = Err(Error::Duplicate("id".into()));
        assert_eq!(Fields::from_query("id=1&id=1"), twice);
        assert_eq!(Fields::from_query("id=1&%69d=2"), twice);
        assert_eq!(Fields::from_pairs([("id", "1"), ("id", "2")]), twice);
        assert_eq!(Fields::from_json(r#"{"id":1,"id":2}"#), Err(Error::Json));
    }

    #[test]
    fn what_would_read_as_two_fields_is_refused() {
        for query in ["=1", "a%3Db=1", "a%0Ab=1", "a=1%0Aid=7"] {
            assert!(matches!(Fields::from_query(query), Err(Error::Name(_))), "{query}");
        }
    }

    #[test]
    fn only_text_and_whole_numbers_are_values() {
        for value in ["1.5", "1e3", "-0", "true", "null", "[]", "{}", "123456789012345678901"] {
            let json = format!(r#"{{"id":{value}}}"#);
            assert_eq!(Fields::from_json(&json), Err(Error::Value("id".into())), "{value}");
        }
        let largest = Fields::from_json(r#"{"a":18446744073709551615,"b":-9}"#).unwrap();
        assert_eq!(largest.check_string(&[]), "a=18446744073709551615\nb=-9");
        assert_eq!(Fields::from_json("false"), Err(Error::Declined));
        assert_eq!(Fields::from_json("true"), Err(Error::Json));
        assert_eq!(Fields::from_auth_result("ZmFsc2U"), Err(Error::Declined));
        assert_eq!(Fields::from_auth_result("*"), Err(Error::Encoding));
    }

    #[test]
    fn all_input_is_bounded() {
        let large = "a".repeat(query::LENGTH + 1);
        assert_eq!(Fields::from_json(&large), Err(Error::TooLarge));
        assert_eq!(Fields::from_auth_result(&large), Err(Error::TooLarge));
        assert_eq!(Fields::from_pairs([("a", &large)]), Err(Error::TooLarge));
        let many = (0..=query::COUNT).map(|number| (number.to_string(), ""));
        assert_eq!(Fields::from_pairs(many), Err(Error::TooLarge));
    }

    #[test]
    fn a_number_has_one_spelling() {
        assert_eq!(number("4242424242"), Some(4_242_424_242));
        for wrong in ["", "0", "01", "+1", "-1", " 1", "1 ", "9223372036854775808", "１"] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn values_are_not_printed() {
        let fields = Fields::from_pairs([("hash", "secret")]).unwrap();
        assert_eq!(format!("{fields:?}"), r#"Fields{"hash"}"#);
    }
}
