//! What Telegram answers instead of a result.

use std::{fmt, time::Duration};

use chappe_tl::{ErrorName, Text};

use super::words::EXPLANATIONS;

/// What Telegram answered instead of a result (`rpc_error`).
///
/// `FLOOD_WAIT_17` has the name `FLOOD_WAIT_X` and the value 17.
/// See core.telegram.org/api/errors.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RpcError {
    /// The class of the error, like 400 or 420.
    pub code: i32,
    /// The name, with `X` for a number.
    pub name: Text,
    /// The number that was in the name.
    pub value: Option<i64>,
    /// The method that was called, like `account.resetWebAuthorization`; for a raw call the
    /// constructor id, like `#2d01b9ef`.
    pub method: Text,
    /// Whether the call was sent. False if Telegram said before how long not to call this
    /// method, and so much of that is left that the call was given up at once.
    pub sent: bool,
    /// The text as it came.
    pub text: Text,
}

impl RpcError {
    pub(crate) fn new(method: &str, code: i32, text: &str) -> Self {
        let (name, value) = ErrorName::parse(text);
        Self { code, name, value, method: method.into(), sent: true, text: text.into() }
    }

    /// Whether it is this error, whatever number it carries.
    pub fn is(&self, name: ErrorName) -> bool {
        self.name == name.name
    }

    /// How long not to repeat the call, where the error's number says it, in seconds: that of a
    /// `..._WAIT_X`, and of the few others that end in time, such as `SESSION_TOO_FRESH_X`.
    pub fn retry_after(&self) -> Option<Duration> {
        let waits = self.name.ends_with("_WAIT_X") || WAITS.contains(&self.name.as_str());
        let seconds = self.value.filter(|_| waits)?;
        u64::try_from(seconds).ok().map(Duration::from_secs)
    }

    /// What the error means and what to do, in words for a person; none for a rare one.
    pub fn explain(&self) -> Option<String> {
        let (_, words) = EXPLANATIONS.iter().find(|(name, _)| self.name == *name)?;
        let value = self.value.map(|value| value.to_string());
        Some(words.replace("{}", value.as_deref().unwrap_or("some")))
    }
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sent {
            write!(f, "{} answered {} ({})", self.method, self.text, self.code)?;
        } else {
            write!(f, "{} was not sent, {} is left of an earlier wait", self.method, self.text)?;
        }
        match self.explain() {
            Some(words) => write!(f, ": {words}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for RpcError {}

/// Errors whose number is a wait in seconds although their name does not end so; those that
/// `schema/docs/errors.toml` says to wait for.
const WAITS: [&str; 7] = [
    "PASSWORD_TOO_FRESH_X",
    "SESSION_TOO_FRESH_X",
    "STARGIFT_RESELL_TOO_EARLY_X",
    "STARGIFT_TRANSFER_TOO_EARLY_X",
    "STORY_SEND_FLOOD_MONTHLY_X",
    "STORY_SEND_FLOOD_WEEKLY_X",
    "TAKEOUT_INIT_DELAY_X",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    const HASH_INVALID: ErrorName = ErrorName { code: 400, name: "HASH_INVALID" };
    const FLOOD_WAIT_X: ErrorName = ErrorName { code: 420, name: "FLOOD_WAIT_X" };

    fn rpc(code: i32, text: &str) -> Error {
        RpcError::new("account.resetWebAuthorization", code, text).into()
    }

    #[test]
    fn a_number_is_taken_out_of_the_name() {
        let error = rpc(420, "FLOOD_WAIT_17");
        assert!(error.is(FLOOD_WAIT_X) && !error.is(HASH_INVALID));
        assert_eq!(error.code(), Some(420));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(17)));
        let rpc = error.rpc().unwrap();
        assert_eq!(
            (rpc.name.as_str(), rpc.value, rpc.text.as_str()),
            ("FLOOD_WAIT_X", Some(17), "FLOOD_WAIT_17")
        );
        assert_eq!(error.explain().unwrap(), "too many calls; wait 17 seconds before the next one");
    }

    #[test]
    fn only_waits_say_when_to_come_again() {
        for (text, seconds) in [
            ("SLOWMODE_WAIT_5", Some(5)),
            ("2FA_CONFIRM_WAIT_60", Some(60)),
            ("TAKEOUT_INIT_DELAY_86400", Some(86_400)),
            ("SESSION_TOO_FRESH_3600", Some(3_600)),
            ("ALLOW_PAYMENT_REQUIRED_5", None),
            ("FLOOD_WAIT_X", None),
            ("PHONE_MIGRATE_4", None),
            ("HASH_INVALID", None),
        ] {
            assert_eq!(rpc(420, text).retry_after(), seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn an_unknown_error_keeps_its_text() {
        let error = rpc(400, "SOMETHING_NEW_3_HAPPENED");
        assert_eq!(error.explain(), None);
        assert_eq!(
            error.to_string(),
            "account.resetWebAuthorization answered SOMETHING_NEW_3_HAPPENED (400)"
        );
        assert_eq!(error.rpc().unwrap().name, "SOMETHING_NEW_X_HAPPENED");
    }

    #[test]
    fn a_frequent_error_is_explained() {
        assert_eq!(
            rpc(400, "HASH_INVALID").to_string(),
            "account.resetWebAuthorization answered HASH_INVALID (400): \
             there is no session with this hash, or no longer; list them again"
        );
    }
}
