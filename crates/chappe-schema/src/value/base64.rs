//! Standard base64 with padding (RFC 4648, section 4), the JSON form of bytes.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Writes bytes as text.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let index = (word >> (18 - 6 * place) & 63) as usize;
            text.push(if place <= chunk.len() { char::from(ALPHABET[index]) } else { '=' });
        }
    }
    text
}

/// Reads text as bytes; `None` when it is not base64.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let padded = text.as_bytes();
    let digits = text.trim_end_matches('=').as_bytes();
    if !padded.len().is_multiple_of(4) || padded.len() - digits.len() > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    for chunk in digits.chunks(4) {
        let mut word = 0_u32;
        for digit in chunk {
            word = word << 6 | u32::try_from(ALPHABET.iter().position(|it| it == digit)?).ok()?;
        }
        word <<= 6 * (4 - chunk.len());
        let [_, decoded @ ..] = word.to_be_bytes();
        let (kept, dropped) = decoded.split_at_checked(chunk.len() - 1)?;
        // Bits that no byte holds must be zero, or two texts would mean the same bytes.
        if dropped.iter().any(|byte| *byte != 0) {
            return None;
        }
        bytes.extend_from_slice(kept);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn vectors_of_the_rfc() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).unwrap(), bytes.as_bytes());
        }
        assert_eq!(encode(&[0xfb, 0xff, 0xfe]), "+//+");
        assert_eq!(decode("+//+").unwrap(), [0xfb, 0xff, 0xfe]);
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for text in ["Z", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zm9 ", "-_-_", "=Zg="] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
