//! The wire form of TL: reading, writing, the MTProto service types.
//!
//! TL is the language that describes every value on the wire
//! (core.telegram.org/mtproto/TL, core.telegram.org/mtproto/serialize). This crate knows how
//! values become bytes and back; which values exist is data of the generated crates.
//!
//! ```
//! use chappe_tl::{Decode, Encode, service};
//!
//! let ping = service::Ping { ping_id: 7 };
//! let bytes = ping.to_bytes();
//! assert_eq!(bytes[..4], service::Ping::ID.to_le_bytes());
//! assert_eq!(service::Ping::from_bytes(&bytes)?, ping);
//! # Ok::<(), chappe_tl::DecodeError>(())
//! ```
#![warn(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::indexing_slicing)]

pub use bytes::Bytes;
pub use compact_str::CompactString as Text;

mod error;
mod function;
pub mod manual;
mod reader;
#[rustfmt::skip]
pub mod service;
mod writer;

pub use error::{DecodeError, DecodeErrorKind};
pub use function::{Callers, ErrorName, Function};
pub use reader::{MAX_DEPTH, Reader, bit, has};
pub use writer::{
    write_bare_vector, write_bool, write_bytes, write_f64, write_i32, write_i32_if, write_i64,
    write_i64_if, write_int128, write_int256, write_text, write_text_if, write_u32, write_vector,
};

/// The constructor of every boxed vector, `vector {t:Type} # [ t ] = Vector t`.
pub const VECTOR: u32 = 0x1cb5_c415;

/// How much room a wire form begins with: enough for nearly every request.
const FIRST: usize = 256;

/// Writes a value in its wire form: boxed, so with the constructor id first, where TL boxes it.
pub trait Encode {
    /// Appends the wire form to `out`.
    fn encode(&self, out: &mut Vec<u8>);

    /// Returns the wire form alone.
    fn to_bytes(&self) -> Bytes {
        let mut out = Vec::with_capacity(FIRST);
        self.encode(&mut out);
        out.into()
    }
}

/// Reads a value from its wire form.
pub trait Decode: Sized {
    /// Reads one value and leaves the reader behind it.
    ///
    /// # Errors
    /// When the bytes are not a value of this type; the reader's place is then unspecified.
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Reads a value that fills `bytes`.
    ///
    /// # Errors
    /// As [`Decode::decode`], and when bytes are left over.
    fn from_bytes(bytes: &Bytes) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes);
        let value = Self::decode(&mut input)?;
        input.finish()?;
        Ok(value)
    }
}

/// Reads what follows a constructor id: the fields of a constructor or a method.
///
/// Whoever implements this gets [`Decode`], which reads the id first.
pub trait DecodeBare: Sized {
    /// The id that comes before the fields, and what an error calls the value.
    const CONSTRUCTOR: (u32, &'static str);

    /// Reads the fields and leaves the reader behind them.
    ///
    /// # Errors
    /// When the bytes are not these fields; the reader's place is then unspecified.
    fn decode_bare(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

impl<T: DecodeBare> Decode for T {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match input.u32()? {
            id if id == T::CONSTRUCTOR.0 => T::decode_bare(input),
            id => Err(input.unknown(id, T::CONSTRUCTOR.1)),
        }
    }
}

/// Any serialized value, kept as it is: a query inside a wrapper whose type is not known.
///
/// Decoding takes everything to the end of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw(pub Bytes);

impl Encode for Raw {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

impl Decode for Raw {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self(input.rest()))
    }
}

macro_rules! plain {
    ($($type:ty: $read:ident, $write:ident;)*) => {$(
        impl Encode for $type {
            fn encode(&self, out: &mut Vec<u8>) {
                $write(out, *self);
            }
        }

        impl Decode for $type {
            #[cfg_attr(not(debug_assertions), inline)]
            fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
                input.$read()
            }
        }
    )*};
}

plain! {
    i32: i32, write_i32;
    u32: u32, write_u32;
    i64: i64, write_i64;
    f64: f64, write_f64;
    bool: bool, write_bool;
    [u8; 16]: int128, write_int128;
    [u8; 32]: int256, write_int256;
}

impl Encode for Text {
    fn encode(&self, out: &mut Vec<u8>) {
        write_text(out, self);
    }
}

impl Decode for Text {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.text()
    }
}

impl Encode for Bytes {
    fn encode(&self, out: &mut Vec<u8>) {
        write_bytes(out, self);
    }
}

impl Decode for Bytes {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.bytes()
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        write_vector(out, self);
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.vector()
    }
}

impl<T: Encode> Encode for Box<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        (**self).encode(out);
    }
}
