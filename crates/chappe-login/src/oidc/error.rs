//! Why a login by OpenID Connect does not succeed.

/// Why a login is refused, or cannot begin. None of them carries a code or a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An address that may not be used: it is not https, nor http on this machine.
    #[error("`{0}` has to be an https address, or http on localhost, without fragment or user")]
    Address(&'static str),
    /// The id_token is signed by another algorithm than the one that this client registered.
    #[error("the id_token is signed by another algorithm than the one registered")]
    Algorithm,
    /// The id_token was made for another client.
    #[error("the id_token was made for another site")]
    Audience,
    /// A claim that has to be there is not, or has no sense.
    #[error("the claim `{0}` of the id_token is missing or has no sense")]
    Claim(&'static str),
    /// The client id or secret is empty, too long, or has signs that none has.
    #[error("the client id or secret is not as BotFather gives it; copy it without blanks")]
    Client,
    /// The person declined.
    #[error("the login was not allowed by its owner")]
    Declined,
    /// A parameter came twice: which one is meant?
    #[error("the parameter {0:?} came twice")]
    Duplicate(Box<str>),
    /// Text that cannot be decoded.
    #[error("what came is damaged: it cannot be decoded")]
    Encoding,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Entropy,
    /// The id_token is over.
    #[error("the id_token is over; log in again, or set this server's clock")]
    Expired,
    /// The id_token was made in the future.
    #[error("the id_token is dated in the future; set this server's clock")]
    FromFuture,
    /// A header of the id_token that is not understood, or that would bring its own key.
    #[error("the id_token has the header `{0}`, which is not allowed")]
    Header(&'static str),
    /// Somebody else answers: the issuer is not the one that was asked.
    #[error("the issuer is another than the one that was asked")]
    Issuer,
    /// What should be a JSON object is none, or has a name twice.
    #[error("the answer is no JSON object with each name once")]
    Json,
    /// The key set has no key that a signature could be checked by.
    #[error("the provider's key set has no usable key")]
    Keys,
    /// A parameter of the callback that has to be there is not.
    #[error("the parameter `{0}` is missing")]
    Missing(&'static str),
    /// The id_token belongs to another login.
    #[error("the id_token belongs to another login; log in again")]
    Nonce,
    /// What was saved of a login cannot be read.
    #[error("what was saved of this login cannot be read; log in again")]
    Pending,
    /// The login took too long.
    #[error("this login took longer than ten minutes; log in again")]
    PendingOver,
    /// The discovery document misses something, or offers too little.
    #[error("the provider's `{0}` is missing or not what is needed")]
    Provider(&'static str),
    /// The provider refused, by a code of OAuth 2.0.
    #[error("the provider refused: {0}{advice}", advice = advice(.0))]
    Refused(Box<str>),
    /// The provider answered with an HTTP status that says nothing more.
    #[error("the provider answered with the status {0}")]
    Response(u16),
    /// The signature of the id_token is wrong.
    #[error("the signature of the id_token is wrong; nothing of it is true")]
    Signature,
    /// The callback belongs to another login, or to nobody's.
    #[error("this answer belongs to another login; log in again")]
    State,
    /// More bytes, keys or parameters than any login has.
    #[error("what came is too large")]
    TooLarge,
    /// No key of the set has the id_token's id: [`Keys`](super::Keys) may have to be fetched again.
    #[error("the id_token is signed by a key that is not in the key set")]
    UnknownKey,
    /// An RSA key of less than 2048 bits.
    #[error("the provider's key is too short to be trusted")]
    WeakKey,
}

/// What the code of a refusal asks of the site's developer.
fn advice(code: &str) -> &'static str {
    match code {
        "invalid_client" => {
            "; client id and secret do not belong together, copy both from BotFather"
        }
        "invalid_grant" => {
            "; the code was used or is over, or belongs to another redirect URI: log in again"
        }
        _ => "",
    }
}
