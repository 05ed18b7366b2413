//! Query strings, as `application/x-www-form-urlencoded`: read strictly, written so that every
//! reader agrees.

/// Why a query string is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// A `%` without two digits, or bytes that are no UTF-8.
    Encoding,
    /// More than [`LENGTH`] bytes or [`COUNT`] fields.
    TooLarge,
}

/// Reads the fields in the order they came; a leading `?` is no part of the first name.
pub(crate) fn decode(query: &str) -> Result<Vec<(String, String)>, Problem> {
    if query.len() > LENGTH {
        return Err(Problem::TooLarge);
    }
    let query = query.strip_prefix('?').unwrap_or(query);
    let mut fields = Vec::new();
    for piece in query.split('&').filter(|piece| !piece.is_empty()) {
        if fields.len() == COUNT {
            return Err(Problem::TooLarge);
        }
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        fields.push((decode_piece(name)?, decode_piece(value)?));
    }
    Ok(fields)
}

/// Appends `text` so that it means itself in a query or a form.
pub(crate) fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                out.push('%');
                for half in [byte >> 4, byte & 15] {
                    let digit = char::from_digit(half.into(), 16).unwrap_or('0');
                    out.push(digit.to_ascii_uppercase());
                }
            }
        }
    }
}

fn decode_piece(piece: &str) -> Result<String, Problem> {
    let mut bytes = Vec::with_capacity(piece.len());
    let mut rest = piece.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (rest.next().and_then(digit), rest.next().and_then(digit));
                let (Some(high), Some(low)) = (high, low) else { return Err(Problem::Encoding) };
                high << 4 | low
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| Problem::Encoding)
}

/// The value of a hexadecimal digit of either case.
pub(crate) fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// The longest query that is read, in bytes: what a browser sends is a tenth of it.
pub(crate) const LENGTH: usize = 16 * 1024;

/// The most fields of a query or an object.
pub(crate) const COUNT: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_query_is_read_as_browsers_write_it() {
        let fields = decode("?a=1&b=%C3%84+%2B%26&&c&d=x=y").unwrap();
        let expected = [("a", "1"), ("b", "Ä +&"), ("c", ""), ("d", "x=y")];
        assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn what_has_two_readings_is_refused() {
        for query in ["a=%", "a=%4", "a=%zz", "a=%+1", "a=%ff", "%c3=1"] {
            assert_eq!(decode(query), Err(Problem::Encoding), "{query}");
        }
    }

    #[test]
    fn a_query_is_bounded() {
        let long = "a".repeat(LENGTH + 1);
        assert_eq!(decode(&long), Err(Problem::TooLarge));
        assert_eq!(decode(&long[1..]).unwrap().len(), 1);
        let many: String = (0..=COUNT).map(|number| format!("&a{number}=")).collect();
        assert_eq!(decode(&many), Err(Problem::TooLarge));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(name in ".*", value in ".*") {
            let mut query = String::new();
            encode(&name, &mut query);
            query.push('=');
            encode(&value, &mut query);
            prop_assert_eq!(decode(&query).unwrap(), [(name, value)]);
        }
    }
}
