//! Why somebody is not logged in.

/// Why login data is refused. None of them carries a value that was received.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bot token has another form than BotFather gives.
    #[error(
        "the bot token is not like 123456:ABC-DEF; copy it from BotFather, without quotes, blanks \
         or line ends"
    )]
    BotToken,
    /// The person pressed Cancel: `false` came in place of the data.
    #[error("the login was not allowed by its owner")]
    Declined,
    /// A field came twice: which one is meant?
    #[error("the field {0:?} came twice")]
    Duplicate(Box<str>),
    /// The text is not what it says: a wrong escape, base64 or UTF-8.
    #[error("the login data is damaged: it cannot be decoded")]
    Encoding,
    /// A field that is checked and signed has no sense, say an `id` that is no number.
    #[error("the field `{0}` has no sense")]
    Field(&'static str),
    /// Signed in the future, by more than is allowed.
    #[error("the login is dated {ahead} s in the future; set this server's clock")]
    FromFuture {
        /// Seconds between this server's clock and the date.
        ahead: u64,
    },
    /// Nothing more can be remembered until something that is remembered is over.
    #[error("too many logins are remembered at once; give `Seen` more room")]
    Full,
    /// The hash belongs to other fields or another bot.
    #[error("the hash does not belong to these fields and this bot; nothing of it is true")]
    Hash,
    /// What should be a JSON object is none, or has a name twice.
    #[error("the login data is no JSON object with each name once")]
    Json,
    /// A public key that no signature can be checked by.
    #[error("this is no usable Ed25519 public key")]
    Key,
    /// A field that has to be there is not.
    #[error("the field `{0}` is missing")]
    Missing(&'static str),
    /// A name that is empty or has `=` in it, or a line feed anywhere: it would read as two
    /// fields where the hash is made.
    #[error("the field {0:?} has a sign in it that would make it two fields")]
    Name(Box<str>),
    /// The same login was used before.
    #[error("this login was used already; log in again")]
    Replayed,
    /// The signature belongs to other fields, another bot or another key.
    #[error("the signature does not belong to these fields and this bot; nothing of it is true")]
    Signature,
    /// Signed too long ago.
    #[error("the login is {age} s old, more than {max_age} s are not allowed; log in again")]
    Stale {
        /// Seconds since it was signed.
        age: u64,
        /// The most that [`Freshness`](crate::Freshness) allows.
        max_age: u64,
    },
    /// More bytes or fields than any login has.
    #[error("the login data is too large")]
    TooLarge,
    /// A JSON value that is neither text nor a whole number.
    #[error("the field {0:?} is neither text nor a whole number")]
    Value(Box<str>),
}
