//! Codecs of all generated types and methods, found by TL name.

use chappe_tl::{Bytes, Decode, DecodeError, Encode};

#[rustfmt::skip]
pub(crate) mod api;
#[rustfmt::skip]
pub(crate) mod service;

/// Decodes bytes and encodes them again.
pub(crate) type Recode = fn(&Bytes) -> Result<Vec<u8>, DecodeError>;

pub(crate) fn recode<T: Decode + Encode>(bytes: &Bytes) -> Result<Vec<u8>, DecodeError> {
    let mut out = Vec::new();
    T::from_bytes(bytes)?.encode(&mut out);
    Ok(out)
}
