//! What the generator cannot express: envelopes around objects that only their reader knows.

use bytes::Bytes;

use crate::{
    DecodeBare, DecodeError, DecodeErrorKind, Encode, Reader, write_bytes, write_i32, write_i64,
    write_u32,
};

/// `msg_container#73f1f8dc messages:vector<message> = MessageContainer`: several messages in
/// one (core.telegram.org/mtproto/service_messages#containers).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MsgContainer {
    /// The messages, in the order in which they were sent.
    pub messages: Vec<Message>,
}

/// `message msg_id:long seqno:int bytes:int body:Object = Message`: a message in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The message's id.
    pub msg_id: i64,
    /// The message's sequence number.
    pub seqno: i32,
    /// The serialized object; its length on the wire is a multiple of four.
    pub body: Bytes,
}

/// `rpc_result#f35c6d01 req_msg_id:long result:Object = RpcResult`: the answer to a request
/// (core.telegram.org/mtproto/service_messages#response-to-an-rpc-query).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcResult {
    /// The message that carried the request.
    pub req_msg_id: i64,
    /// The serialized result, an `rpc_error`, or one of them inside `gzip_packed`.
    pub result: Bytes,
}

/// `gzip_packed#3072cfa1 packed_data:bytes = Object`: an object behind a gzip stream
/// (core.telegram.org/mtproto/service_messages#packed-object).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GzipPacked {
    /// The gzip stream.
    pub packed_data: Bytes,
}

/// `future_salts#ae500895 req_msg_id:long now:int salts:vector<future_salt> = FutureSalts`
/// (core.telegram.org/mtproto/service_messages#request-for-several-future-salts).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FutureSalts {
    /// The message that asked for salts.
    pub req_msg_id: i64,
    /// Seconds since 1970, server time.
    pub now: i32,
    /// The salts, without constructor ids on the wire.
    pub salts: Vec<FutureSalt>,
}

/// `future_salt#0949d9dc valid_since:int valid_until:int salt:long = FutureSalt`, which is
/// on the wire without its id only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FutureSalt {
    /// From when the salt is valid: seconds since 1970, server time.
    pub valid_since: i32,
    /// Until when the salt is valid: seconds since 1970, server time.
    pub valid_until: i32,
    /// The salt.
    pub salt: i64,
}

impl MsgContainer {
    /// The constructor id.
    pub const ID: u32 = 0x73f1_f8dc;
}

impl Encode for MsgContainer {
    fn encode(&self, out: &mut Vec<u8>) {
        write_u32(out, Self::ID);
        write_u32(out, u32::try_from(self.messages.len()).unwrap_or(u32::MAX));
        for message in &self.messages {
            write_i64(out, message.msg_id);
            write_i32(out, message.seqno);
            write_i32(out, i32::try_from(message.body.len()).unwrap_or(i32::MAX));
            out.extend_from_slice(&message.body);
        }
    }
}

impl DecodeBare for MsgContainer {
    const CONSTRUCTOR: (u32, &'static str) = (Self::ID, "MessageContainer");

    fn decode_bare(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader.count()?;
        let mut messages = Vec::new();
        for _ in 0..count {
            let (msg_id, seqno) = (reader.i64()?, reader.i32()?);
            let length = reader.i32()?;
            let body = match usize::try_from(length) {
                Ok(length) if length.is_multiple_of(4) => reader.slice(length)?,
                _ => {
                    let value = i64::from(length);
                    return Err(
                        reader.error(DecodeErrorKind::InvalidValue { value, field: "bytes" })
                    );
                }
            };
            messages.push(Message { msg_id, seqno, body });
        }
        Ok(Self { messages })
    }
}

impl RpcResult {
    /// The constructor id.
    pub const ID: u32 = 0xf35c_6d01;
}

impl Encode for RpcResult {
    fn encode(&self, out: &mut Vec<u8>) {
        write_u32(out, Self::ID);
        write_i64(out, self.req_msg_id);
        out.extend_from_slice(&self.result);
    }
}

impl DecodeBare for RpcResult {
    const CONSTRUCTOR: (u32, &'static str) = (Self::ID, "RpcResult");

    fn decode_bare(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { req_msg_id: reader.i64()?, result: reader.rest() })
    }
}

impl GzipPacked {
    /// The constructor id.
    pub const ID: u32 = 0x3072_cfa1;
}

impl Encode for GzipPacked {
    fn encode(&self, out: &mut Vec<u8>) {
        write_u32(out, Self::ID);
        write_bytes(out, &self.packed_data);
    }
}

impl DecodeBare for GzipPacked {
    const CONSTRUCTOR: (u32, &'static str) = (Self::ID, "gzip_packed");

    fn decode_bare(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { packed_data: reader.bytes()? })
    }
}

impl FutureSalts {
    /// The constructor id.
    pub const ID: u32 = 0xae50_0895;
}

impl Encode for FutureSalts {
    fn encode(&self, out: &mut Vec<u8>) {
        write_u32(out, Self::ID);
        write_i64(out, self.req_msg_id);
        write_i32(out, self.now);
        write_u32(out, u32::try_from(self.salts.len()).unwrap_or(u32::MAX));
        for salt in &self.salts {
            write_i32(out, salt.valid_since);
            write_i32(out, salt.valid_until);
            write_i64(out, salt.salt);
        }
    }
}

impl DecodeBare for FutureSalts {
    const CONSTRUCTOR: (u32, &'static str) = (Self::ID, "FutureSalts");

    fn decode_bare(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (req_msg_id, now) = (reader.i64()?, reader.i32()?);
        let count = reader.count()?;
        let mut salts = Vec::new();
        for _ in 0..count {
            salts.push(FutureSalt {
                valid_since: reader.i32()?,
                valid_until: reader.i32()?,
                salt: reader.i64()?,
            });
        }
        Ok(Self { req_msg_id, now, salts })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{FutureSalt, FutureSalts, GzipPacked, Message, MsgContainer, RpcResult};
    use crate::{Decode, DecodeErrorKind, Encode, service};

    fn check<T: Encode + Decode + PartialEq + std::fmt::Debug>(value: &T, hex: &str) {
        let bytes = value.to_bytes();
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, hex);
        assert_eq!(&T::from_bytes(&bytes).unwrap(), value);
    }

    #[test]
    fn results() {
        let req_msg_id = 0x65ab_1234_1234_5678;
        let result = true.to_bytes();
        check(&RpcResult { req_msg_id, result }, "016d5cf3785634123412ab65b5757299");
        let error = service::RpcError { error_code: 400, error_message: "HASH_INVALID".into() };
        check(
            &RpcResult { req_msg_id, result: error.to_bytes() },
            "016d5cf3785634123412ab6519ca4421900100000c484153485f494e56414c4944000000",
        );
    }

    #[test]
    fn containers() {
        let body = service::Ping { ping_id: 1 }.to_bytes();
        check(
            &MsgContainer { messages: vec![Message { msg_id: 4, seqno: 1, body }] },
            "dcf8f173010000000400000000000000010000000c000000ec77be7a0100000000000000",
        );
        for (length, kind) in [
            (-4, DecodeErrorKind::InvalidValue { value: -4, field: "bytes" }),
            (2, DecodeErrorKind::InvalidValue { value: 2, field: "bytes" }),
            (16, DecodeErrorKind::UnexpectedEnd),
            (8, DecodeErrorKind::TrailingBytes { count: 4 }),
        ] {
            let mut bytes = vec![0xdc, 0xf8, 0xf1, 0x73, 1, 0, 0, 0];
            bytes.extend([0; 12]);
            bytes.extend(i32::to_le_bytes(length));
            bytes.extend([0; 12]);
            let error = MsgContainer::from_bytes(&Bytes::from(bytes)).unwrap_err();
            assert_eq!(error.kind(), kind);
        }
    }

    #[test]
    fn salts_are_bare() {
        let salts = vec![FutureSalt { valid_since: 1, valid_until: 2, salt: 3 }];
        check(
            &FutureSalts { req_msg_id: 4, now: 5, salts },
            "950850ae0400000000000000050000000100000001000000020000000300000000000000",
        );
    }

    #[test]
    fn packed_objects() {
        check(&GzipPacked { packed_data: Bytes::from_static(&[1, 2]) }, "a1cf723002010200");
    }
}
