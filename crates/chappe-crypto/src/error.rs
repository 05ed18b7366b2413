//! The one error type of the crate.

/// What a primitive refuses, and what to do about it.
///
/// No variant carries secret or foreign bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The packet names another auth key.
    #[error("the packet is for another auth key: drop it")]
    AuthKeyId,
    /// The data is longer than the padding has room for.
    #[error("too much data for one block of RSA: send less")]
    DataTooLong,
    /// The generator does not fit the prime, or is none of 2 to 7.
    #[error("the generator does not span a safe subgroup of this prime: abort the exchange")]
    Generator,
    /// The key of the message does not belong to its content.
    #[error("the message key does not match the content: drop the packet")]
    MessageKey,
    /// The length of the packet cannot be that of an encrypted message.
    #[error("the packet has an impossible length: drop it")]
    PacketLength,
    /// The text is not a readable PEM file of an RSA key.
    #[error("not an RSA key in PEM: expected PKCS#1 (or SPKI for a public key), unencrypted")]
    Pem,
    /// The prime is not a safe prime of 2048 bits.
    #[error("the modulus is not a safe prime of 2048 bits: abort the exchange")]
    Prime,
    /// A public value lies outside of the allowed range.
    #[error("the public value is out of range: abort the exchange")]
    PublicValue,
    /// The padding of an RSA block is wrong: other key, or tampered with.
    #[error("the padding is wrong: the data was encrypted for another key or damaged")]
    RsaPadding,
    /// The RSA key is not one that MTProto can use.
    #[error("unusable RSA key: expected a modulus of 2048 bits and an odd exponent above 2")]
    RsaKey,
    /// The proof of the password does not match.
    #[error("the password proof does not match: ask for the password again")]
    SrpProof,
    /// The value to decrypt is not below the modulus.
    #[error("the encrypted value has a wrong length or exceeds the modulus: reject it")]
    RsaValue,
}

#[cfg(test)]
mod tests {
    use super::Error;

    #[test]
    fn is_small_and_portable() {
        fn portable<T: std::error::Error + Send + Sync + 'static>(_: T) {}
        portable(Error::Pem);
        assert!(size_of::<Error>() <= 32);
        let text = Error::MessageKey.to_string();
        assert!(text.starts_with(char::is_lowercase) && !text.ends_with('.'));
    }
}
