//! What can go wrong between two ends of the protocol.

use crate::handshake::HandshakeError;
use crate::message::MessageError;
use crate::packet::PacketError;
use crate::transport::TransportError;

/// The failure of a whole connection.
///
/// It is sticky: once [`Connection::handle`](crate::connection::Connection::handle) returned it,
/// every later call returns the same. What a new socket can repair is never an error but
/// [`Event::Reconnect`](crate::connection::Event::Reconnect).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The other end failed a check of the key exchange: it does not hold the private key, or
    /// somebody sits in between.
    #[error("the key exchange failed: {0}; check the server's public key and address")]
    Handshake(#[from] HandshakeError),
    /// The server does not know the auth key any more, after as many tries as are polite.
    #[error("the server no longer knows this auth key; sign in again")]
    KeyUnknown,
    /// The server answers another data centre than the one that was dialled.
    #[error("the server is not data centre {0}; check the address and the data centre")]
    WrongDc(i32),
    /// The server keeps breaking the protocol, after as many new sockets as are polite.
    #[error("the server keeps breaking the protocol: {0}")]
    Peer(PeerMisbehaved),
    /// The server refuses every socket with this transport error.
    #[error("the server keeps refusing with transport error {0}; check the address")]
    Refused(i32),
    /// The configuration cannot be used.
    #[error("the configuration cannot be used: {0}")]
    Config(&'static str),
}

/// A rule of the protocol that the other end broke; the message was discarded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerMisbehaved {
    /// A frame could not be cut out of the bytes.
    #[error("broken framing: {0}")]
    Transport(#[from] TransportError),
    /// A packet failed one of the checks of the envelope.
    #[error("broken packet: {0}")]
    Packet(#[from] PacketError),
    /// A message inside of a valid packet broke a rule.
    #[error("broken message: {0}")]
    Message(#[from] MessageError),
}
