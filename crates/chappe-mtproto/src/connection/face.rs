//! What goes into a connection and what comes out of it.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chappe_crypto::{AuthKey, rsa};

#[cfg(doc)]
use crate::connection::Connection;
use crate::error::PeerMisbehaved;
use crate::handshake::HandshakeError;
use crate::salts::Salt;
use crate::transport::Framing;

/// How a [`Connection`] speaks.
#[derive(Clone, Debug)]
pub struct Config {
    /// How packets are cut out of the stream.
    pub framing: Framing,
    /// Whether the stream is hidden behind obfuscated2.
    pub obfuscated: bool,
    /// The data centre that is dialled; negative for its media servers.
    pub dc_id: i32,
    /// The public keys of the servers that are trusted.
    pub server_keys: Vec<rsa::PublicKey>,
    /// Whether large requests are compressed when that makes them smaller.
    pub gzip: bool,
    /// How often a silent connection is probed.
    pub ping_interval: Duration,
    /// How long the server waits for the next ping before it hangs up.
    pub disconnect_delay: Duration,
    /// How long the answer to a ping may take before the socket counts as dead, until round trips
    /// were measured; from then on it follows them.
    pub pong_deadline: Duration,
    /// How long a request may be without a word from the server before it is asked about.
    pub patience: Duration,
    /// With perfect forward secrecy, how long a temporary key lasts; a minute at least.
    /// See core.telegram.org/api/pfs.
    pub forward_secrecy: Option<Duration>,
}

impl Default for Config {
    /// Intermediate framing, no obfuscation, data centre 2, no key trusted.
    fn default() -> Self {
        Self {
            framing: Framing::Intermediate,
            obfuscated: false,
            dc_id: 2,
            server_keys: Vec::new(),
            gzip: true,
            ping_interval: Duration::from_secs(60),
            disconnect_delay: Duration::from_secs(75),
            pong_deadline: Duration::from_secs(15),
            patience: Duration::from_secs(20),
            forward_secrecy: None,
        }
    }
}

/// What a session store keeps: enough to speak again without a key exchange.
#[derive(Clone, Debug)]
pub struct Resume {
    /// The auth key; with perfect forward secrecy the permanent one.
    pub key: AuthKey,
    /// The salts known so far for that key, current and future.
    pub salts: Vec<Salt>,
    /// Seconds to add to the local clock to get the server's.
    pub time_offset: i64,
}

/// Names one request of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u64);

/// How one request is treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestOptions {
    /// Fail with [`FailureReason::Lost`] instead of sending a second time after the socket died.
    pub no_resend: bool,
    /// Never compress this request.
    pub no_gzip: bool,
    /// Runs after the requests of the same chain that were made before, whether they succeed or
    /// not, without waiting for their answers (`invokeAfterMsg`).
    pub chain: Option<u64>,
    /// Tell by [`Event::Received`] as soon as the server has it, where the framing can.
    /// See core.telegram.org/mtproto/mtproto-transports#quick-ack.
    pub quick_ack: bool,
}

impl RequestOptions {
    /// An ordinary request.
    pub const fn new() -> Self {
        Self { no_resend: false, no_gzip: false, chain: None, quick_ack: false }
    }
}

/// `rpc_error`: the server's refusal of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcFailure {
    /// The class of the error, like 400 or 420.
    pub code: i32,
    /// The name of the error as the server spelled it, like `FLOOD_WAIT_17`.
    pub message: String,
}

/// Why a request ended without an answer of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureReason {
    /// It was sent and nobody knows whether it ran: the server forgot, or the socket died and it
    /// was marked `no_resend`.
    Lost,
    /// The server refused it with this code of `bad_msg_notification`, more often than is polite.
    Rejected(i32),
    /// It does not fit into a packet, or its length is not a multiple of four.
    Unsendable,
    /// It was answered, but the answer cannot be unpacked.
    Unreadable,
}

/// Why the driver should close the socket and dial again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReconnectReason {
    /// The server sent this transport error, like -404 or -429.
    Transport(i32),
    /// No answer to a ping came in time.
    Silent,
    /// Pings are answered, but the server does not say what became of a request.
    Unanswered,
    /// Messages were refused for their time before the clock was put right.
    Clock,
    /// A temporary key could not be bound to the permanent one.
    Unbound,
    /// The key exchange failed; the next socket begins another.
    Exchange(HandshakeError),
    /// The server broke the protocol on this socket.
    Peer(PeerMisbehaved),
}

/// What the driver tells the connection.
#[derive(Debug)]
pub enum Input<'a> {
    /// A socket is connected, nothing was sent over it.
    Connected,
    /// Bytes arrived. What is left in the buffer is the beginning of a frame: append to it.
    Received(&'a mut BytesMut),
    /// The socket is gone.
    Disconnected,
    /// The time of the last [`Output::Timeout`] has come.
    Timeout,
}

/// What the connection tells the driver.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "the large ones carry a key and are rare")]
pub enum Output {
    /// Bytes for the socket.
    Transmit(Bytes),
    /// Something happened.
    Event(Event),
    /// Nothing more for now; ends the drain. The value is the uptime to wake up at.
    Timeout(Option<Duration>),
}

/// What happened on a connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A key exchange is done: keep this before anything else.
    KeyCreated(Resume),
    /// The socket carries requests. Comes after every [`Input::Connected`], once a key exists.
    /// With perfect forward secrecy a temporary key has to be bound first.
    Ready,
    /// A request was answered.
    Response {
        /// The request.
        id: RequestId,
        /// The answer, not decoded but unpacked, or the server's refusal.
        result: Result<Bytes, RpcFailure>,
    },
    /// A request ended without an answer.
    Failed {
        /// The request.
        id: RequestId,
        /// Why.
        reason: FailureReason,
    },
    /// The server has a request that was marked `quick_ack`; it did not answer it yet.
    Received {
        /// The request.
        id: RequestId,
    },
    /// A new temporary key stands for the permanent one: the next request must introduce layer
    /// and device again (`initConnection`).
    Renewed,
    /// The server sent something that answers no request: an object of type `Updates`.
    Update(Bytes),
    /// The server made a new session: updates from before may be missing.
    NewSession {
        /// Requests with smaller message ids were not received; they are sent again by themselves.
        first_msg_id: i64,
        /// Names the new session.
        unique_id: i64,
    },
    /// Salts or time offset changed: worth keeping.
    Changed(Resume),
    /// Close this socket, give [`Input::Disconnected`], dial again.
    Reconnect(ReconnectReason),
}
