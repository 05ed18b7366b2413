//! What a site is told about a person when it logs in by the widget or by a login button, and how it
//! knows that Telegram said so (core.telegram.org/widgets/login-legacy).

use std::fmt::Write as _;

use chappe_api::errors;
use chappe_crypto::sha256;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::failure::{Failure, Outcome};
use crate::world::{User, World};

impl World {
    /// What a bot's site is told about a user, the `hash` over all of it last.
    pub(crate) fn login_fields(
        &self,
        now: i32,
        user: &User,
        bot_id: i64,
    ) -> Outcome<Vec<(&'static str, String)>> {
        let token = self.bot_token(bot_id)?.ok_or(errors::BOT_INVALID)?;
        let mut fields = vec![("id", user.id.to_string())];
        fields.push(("first_name", user.first_name.clone()));
        if !user.last_name.is_empty() {
            fields.push(("last_name", user.last_name.clone()));
        }
        fields.extend(user.username.clone().map(|username| ("username", username)));
        fields.extend(self.userpic(user).map(|picture| ("photo_url", picture)));
        fields.push(("auth_date", now.to_string()));
        for (_, value) in &mut fields {
            // What is hashed has a field on each line: one more line in a name would be one more field
            // that Telegram vouches for. Accounts of earlier versions may have such names.
            value.retain(|character| !character.is_control());
        }
        let hash = hash(&token, &fields)?;
        fields.push(("hash", hash));
        Ok(fields)
    }
}

/// The hash: HMAC-SHA-256 of the sorted lines `name=value`, under the SHA-256 of the bot's token.
fn hash(token: &str, fields: &[(&str, String)]) -> Outcome<String> {
    let mut lines: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    lines.sort_unstable();
    let key = sha256(&[token.as_bytes()]);
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| Failure::INTERNAL)?;
    mac.update(lines.join("\n").as_bytes());
    let mut digits = String::with_capacity(64);
    for byte in mac.finalize().into_bytes() {
        // Writing to a string does not fail.
        let _ = write!(digits, "{byte:02x}");
    }
    Ok(digits)
}

/// Appends fields to the query of an address: behind what is there, in front of the fragment.
pub(crate) fn append_fields(url: &str, fields: &[(&str, String)]) -> String {
    let (address, fragment) = match url.find('#') {
        Some(mark) => url.split_at(mark),
        None => (url, ""),
    };
    let mut out = address.to_owned();
    let mut separator = match address.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    for (name, value) in fields {
        out.push_str(separator);
        out.push_str(name);
        out.push('=');
        percent_encode(value, &mut out);
        separator = "&";
    }
    out.push_str(fragment);
    out
}

/// Encodes what is not unreserved. (RFC 3986, section 2.3)
fn percent_encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    }

    /// The vector of protocol.md 11.9, made with other people's code.
    #[test]
    fn the_hash_is_the_published_one() {
        let fields = fields(&[
            ("id", "4242424242"),
            ("first_name", "Ada"),
            ("last_name", "Exämple & Co"),
            ("username", "ada_example"),
            ("photo_url", "https://t.me/i/userpic/320/x.jpg"),
            ("auth_date", "1700000000"),
        ]);
        assert_eq!(
            hash("123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11", &fields).unwrap(),
            "2005ca7765b5e38f1517d3a951bec76191626487b707db9278bb12a0132a2722"
        );
    }

    #[test]
    fn fields_go_behind_the_query_and_before_the_fragment() {
        let fields = fields(&[("id", "1"), ("first_name", "Ä &=+?#%\u{202e}\"")]);
        let encoded = "id=1&first_name=%C3%84%20%26%3D%2B%3F%23%25%E2%80%AE%22";
        for (url, expected) in [
            ("https://a.example", format!("https://a.example?{encoded}")),
            ("https://a.example/x?", format!("https://a.example/x?{encoded}")),
            ("https://a.example/x?b=c", format!("https://a.example/x?b=c&{encoded}")),
            ("https://a.example/x?b=c&", format!("https://a.example/x?b=c&{encoded}")),
            ("https://a.example/x#y?z", format!("https://a.example/x?{encoded}#y?z")),
            ("https://a.example/x?b#y#z", format!("https://a.example/x?b&{encoded}#y#z")),
        ] {
            assert_eq!(append_fields(url, &fields), expected);
        }
    }
}
