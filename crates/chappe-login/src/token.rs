//! The bot token, which is the key to everything that is checked here but OpenID.

use std::{fmt, str::FromStr};

use zeroize::Zeroizing;

use crate::Error;

/// A bot's token as BotFather gives it; wiped on drop and never printed.
///
/// Whoever has it can log in to the site as anybody: it belongs into a secret of the server,
/// never into a page, an app or a repository.
#[derive(Clone)]
pub struct BotToken {
    text: Zeroizing<String>,
    bot_id: i64,
}

impl BotToken {
    /// Takes a token over.
    ///
    /// # Errors
    ///
    /// [`Error::BotToken`] if it is not a number, a colon and letters, digits, `-` and `_`.
    pub fn new(token: impl Into<String>) -> Result<Self, Error> {
        let text = Zeroizing::new(token.into());
        let (id, rest) = text.split_once(':').ok_or(Error::BotToken)?;
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if text.len() > LENGTH
            || rest.is_empty()
            || !rest.bytes().all(sound)
            || !id.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Err(Error::BotToken);
        }
        let bot_id = id.parse().ok().filter(|id| *id > 0).ok_or(Error::BotToken)?;
        Ok(Self { text, bot_id })
    }

    /// The bot's user id, which is no secret. It is the `client_id` of OpenID, too.
    #[must_use]
    pub fn bot_id(&self) -> i64 {
        self.bot_id
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

impl FromStr for BotToken {
    type Err = Error;

    fn from_str(token: &str) -> Result<Self, Error> {
        Self::new(token)
    }
}

impl fmt::Debug for BotToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BotToken(..)")
    }
}

/// The longest token: those that are given out have about 46 bytes.
const LENGTH: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_number_and_a_secret() {
        let token: BotToken = "123456:ABC-DEF_1".parse().unwrap();
        assert_eq!(token.bot_id(), 123_456);
        assert_eq!(format!("{token:?}"), "BotToken(..)");
        let long = format!("1:{}", "a".repeat(LENGTH));
        for wrong in
            ["", ":", "1:", ":a", "x:a", "0:a", "-1:a", "+1:a", "1:a\n", " 1:a", "1:a b", &long]
        {
            assert_eq!(BotToken::new(wrong).err(), Some(Error::BotToken), "{wrong}");
        }
    }
}
