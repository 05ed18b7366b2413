//! What is known of a method besides its wire form: its result, its callers, its errors.

use crate::{Decode, Encode, Text};

/// A method: a request that the other side answers with [`Function::Return`].
pub trait Function: Encode {
    /// What a successful answer decodes to.
    type Return: Decode;
    /// The constructor id that begins the request.
    const ID: u32;
    /// The method's name in the schema, such as `account.resetWebAuthorization`.
    const NAME: &'static str;
    /// Who may call it.
    const CALLERS: Callers;
    /// The errors that are known to answer it; never the full list, the server may add to it.
    const ERRORS: &'static [ErrorName];
}

/// Who may call a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Callers {
    /// A signed-in user.
    pub user: bool,
    /// A signed-in bot.
    pub bot: bool,
    /// A connection that nobody signed in on.
    pub signed_out: bool,
    /// A bot on behalf of the business account that it is connected to.
    pub business: bool,
}

/// A known error of the API: its code and its name.
///
/// A number inside a name is spelled `X`: `FLOOD_WAIT_X`, `FILE_PART_X_MISSING`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ErrorName {
    /// The code that usually comes with the name; 400 for most.
    pub code: i32,
    /// The name, with `X` for a number.
    pub name: &'static str,
}

impl ErrorName {
    /// Splits an error text into its name, with `X` for the number, and the number.
    ///
    /// ```
    /// let (name, value) = chappe_tl::ErrorName::parse("FILE_PART_3_MISSING");
    /// assert_eq!((name.as_str(), value), ("FILE_PART_X_MISSING", Some(3)));
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> (Text, Option<i64>) {
        let mut at = 0;
        for part in text.split('_') {
            if let Some((digits, value)) = number(part).filter(|_| at > 0) {
                let mut name = Text::with_capacity(text.len());
                name.push_str(text.get(..at).unwrap_or_default());
                name.push('X');
                name.push_str(text.get(at + digits..).unwrap_or_default());
                return (name, Some(value));
            }
            at += part.len() + 1;
        }
        (text.into(), None)
    }

    /// Whether `text`, as a server sent it, is this error.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        text == self.name || Self::parse(text).0 == self.name
    }
}

/// The number that a part such as `35` or `5MIN` begins with, and its length. A part with
/// another digit behind the letters is a hexadecimal id or a word, not a number.
fn number(part: &str) -> Option<(usize, i64)> {
    let digits = part.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = part.split_at_checked(digits)?;
    if unit.bytes().all(|byte| byte.is_ascii_uppercase()) {
        Some((digits, number.parse().ok()?))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::ErrorName;

    fn check(text: &str, name: &str, value: Option<i64>) {
        let parsed = ErrorName::parse(text);
        assert_eq!((parsed.0.as_str(), parsed.1), (name, value));
    }

    #[test]
    fn numbers_become_x() {
        check("FLOOD_WAIT_35", "FLOOD_WAIT_X", Some(35));
        check("FILE_REFERENCE_3_EXPIRED", "FILE_REFERENCE_X_EXPIRED", Some(3));
        check("INTERDC_2_CALL_ERROR", "INTERDC_X_CALL_ERROR", Some(2));
        check(
            "PREVIOUS_CHAT_IMPORT_ACTIVE_WAIT_5MIN",
            "PREVIOUS_CHAT_IMPORT_ACTIVE_WAIT_XMIN",
            Some(5),
        );
        check("2FA_CONFIRM_WAIT_60", "2FA_CONFIRM_WAIT_X", Some(60));
    }

    #[test]
    fn other_texts_stay() {
        for text in ["", "_", "HASH_INVALID", "SHA256_HASH_INVALID", "INPUT_METHOD_INVALID_5EF3"] {
            check(text, text, None);
        }
        check("A_99999999999999999999", "A_99999999999999999999", None);
    }

    #[test]
    fn names_match_texts() {
        let flood = ErrorName { code: 420, name: "FLOOD_WAIT_X" };
        assert!(flood.matches("FLOOD_WAIT_5") && flood.matches("FLOOD_WAIT_X"));
        assert!(!flood.matches("FLOOD_WAIT") && !flood.matches("SLOWMODE_WAIT_5"));
    }
}
