//! As much of DER and PEM as the keys of RSA need: sequences of non-negative integers.

use pem_rfc7468::LineEnding;
use zeroize::Zeroizing;

use crate::Error;

/// The object identifier 1.2.840.113549.1.1.1 (`rsaEncryption`) with its NULL parameter,
/// RFC 8017 appendix A.1.
const RSA_ENCRYPTION: &[u8] =
    &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// Decodes a PEM file into its label and its content.
pub(crate) fn from_pem(pem: &str) -> Result<(&str, Zeroizing<Vec<u8>>), Error> {
    let (label, der) = pem_rfc7468::decode_vec(pem.trim().as_bytes()).map_err(|_| Error::Pem)?;
    Ok((label, Zeroizing::new(der)))
}

/// Encodes a PEM file.
pub(crate) fn to_pem(label: &str, der: &[u8]) -> String {
    pem_rfc7468::encode_string(label, LineEnding::LF, der).unwrap_or_default()
}

/// Reads a sequence of exactly `N` non-negative integers, without their leading zeros.
pub(crate) fn integers<const N: usize>(der: &[u8]) -> Result<[&[u8]; N], Error> {
    let mut outer = Input(der);
    let mut sequence = Input(outer.take(SEQUENCE)?);
    outer.end()?;
    let mut found = [&[] as &[u8]; N];
    for integer in &mut found {
        *integer = sequence.integer()?;
    }
    sequence.end()?;
    Ok(found)
}

/// Takes the PKCS#1 key out of a SubjectPublicKeyInfo, RFC 5280 section 4.1.
pub(crate) fn unwrap_spki(der: &[u8]) -> Result<&[u8], Error> {
    let mut outer = Input(der);
    let mut info = Input(outer.take(SEQUENCE)?);
    outer.end()?;
    if info.take(SEQUENCE)? != RSA_ENCRYPTION {
        return Err(Error::Pem);
    }
    let bits = info.take(BIT_STRING)?;
    info.end()?;
    match bits.split_first() {
        Some((0, key)) => Ok(key),
        _ => Err(Error::Pem),
    }
}

/// Writes a sequence of big endian integers.
pub(crate) fn sequence(integers: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let mut content = Zeroizing::new(Vec::with_capacity(2048));
    for integer in integers {
        let digits = strip(integer);
        // A leading bit of 1 would make the number negative; zero is one zero byte.
        let sign = digits.first().is_none_or(|first| first & 0x80 != 0);
        header(&mut content, INTEGER, digits.len() + usize::from(sign));
        if sign {
            content.push(0);
        }
        content.extend_from_slice(digits);
    }
    let mut out = Zeroizing::new(Vec::with_capacity(content.len() + 5));
    header(&mut out, SEQUENCE, content.len());
    out.extend_from_slice(&content);
    out
}

/// Drops leading zeros.
pub(crate) fn strip(mut digits: &[u8]) -> &[u8] {
    while let Some((0, rest)) = digits.split_first() {
        digits = rest;
    }
    digits
}

fn header(out: &mut Vec<u8>, tag: u8, length: usize) {
    out.push(tag);
    let bytes = length.to_be_bytes();
    let digits = strip(&bytes);
    match (digits, u8::try_from(digits.len())) {
        ([], _) => out.push(0),
        ([short], _) if *short < 0x80 => out.push(*short),
        (_, Ok(count)) => {
            out.push(0x80 | count);
            out.extend_from_slice(digits);
        }
        (_, Err(_)) => {}
    }
}

/// What is left of an encoding.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// Takes the content of the next element, which must have this tag.
    fn take(&mut self, tag: u8) -> Result<&'a [u8], Error> {
        let (&[found, short], mut rest) = self.0.split_first_chunk().ok_or(Error::Pem)?;
        if found != tag {
            return Err(Error::Pem);
        }
        let length = match short {
            0..=0x7f => usize::from(short),
            // No key of a usable size needs more than two bytes of length.
            0x81 | 0x82 => {
                let (digits, after) =
                    rest.split_at_checked(usize::from(short & 3)).ok_or(Error::Pem)?;
                rest = after;
                digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit))
            }
            _ => return Err(Error::Pem),
        };
        let (content, rest) = rest.split_at_checked(length).ok_or(Error::Pem)?;
        self.0 = rest;
        Ok(content)
    }

    fn integer(&mut self) -> Result<&'a [u8], Error> {
        match self.take(INTEGER)? {
            [] => Err(Error::Pem),
            [first, ..] if first & 0x80 != 0 => Err(Error::Pem),
            digits => Ok(strip(digits)),
        }
    }

    fn end(&self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Pem) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_go_there_and_back() {
        let long = [0xff; 300];
        let der = sequence(&[&[0], &[0, 0, 0x7f], &[0x80], &long]);
        assert_eq!(integers::<4>(&der).unwrap(), [&[] as &[u8], &[0x7f], &[0x80], &long]);
        assert_eq!(integers::<3>(&der), Err(Error::Pem));
        assert_eq!(integers::<5>(&der), Err(Error::Pem));
    }

    /// A SubjectPublicKeyInfo of these parts; `behind` stands behind the key.
    fn info(algorithm: &[u8], unused: u8, key: &[u8], behind: &[u8]) -> Vec<u8> {
        let mut content = Vec::new();
        header(&mut content, SEQUENCE, algorithm.len());
        content.extend(algorithm);
        header(&mut content, BIT_STRING, 1 + key.len());
        content.push(unused);
        content.extend(key);
        content.extend(behind);
        let mut out = Vec::new();
        header(&mut out, SEQUENCE, content.len());
        out.extend(content);
        out
    }

    #[test]
    fn public_keys_have_one_form() {
        let good = info(RSA_ENCRYPTION, 0, b"key", &[]);
        assert_eq!(unwrap_spki(&good), Ok(&b"key"[..]));
        let mut other = RSA_ENCRYPTION.to_vec();
        other[10] ^= 1;
        for hostile in [
            info(&other, 0, b"key", &[]),
            info(RSA_ENCRYPTION, 1, b"key", &[]),
            info(RSA_ENCRYPTION, 0, b"key", &[5, 0]),
            [&good[..], &[5, 0]].concat(),
            good[..good.len() - 1].to_vec(),
        ] {
            assert_eq!(unwrap_spki(&hostile), Err(Error::Pem));
        }
    }

    #[test]
    fn every_truncation_and_extension_is_refused() {
        let der = sequence(&[&[1, 2, 3], &[0x80; 200]]);
        for length in 0..der.len() {
            assert_eq!(integers::<2>(&der[..length]), Err(Error::Pem), "{length}");
        }
        let mut longer = der.to_vec();
        longer.push(0);
        assert_eq!(integers::<2>(&longer), Err(Error::Pem));
        // Something else in the place of the sequence and of the number.
        assert_eq!(integers::<1>(&[0x30, 3, 2, 1, 1]), Ok([&[1][..]]));
        assert_eq!(integers::<1>(&[0x31, 3, 2, 1, 1]), Err(Error::Pem));
        assert_eq!(integers::<1>(&[0x30, 3, 3, 1, 1]), Err(Error::Pem));
        // A negative number, an empty one, a length of four bytes.
        assert_eq!(integers::<1>(&[0x30, 3, 2, 1, 0x80]), Err(Error::Pem));
        assert_eq!(integers::<1>(&[0x30, 2, 2, 0]), Err(Error::Pem));
        assert_eq!(integers::<1>(&[0x30, 0x84, 0, 0, 0, 3, 2, 1, 1]), Err(Error::Pem));
    }
}
