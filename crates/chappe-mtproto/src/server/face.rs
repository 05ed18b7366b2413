//! What goes into a server and what comes out of it.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chappe_crypto::{AuthKey, rsa};

#[cfg(doc)]
use crate::server::Server;

/// Names one socket; the driver picks it and never uses it twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// Names one session of one auth key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionRef {
    /// The auth key.
    pub auth_key_id: i64,
    /// The client's random number for the session.
    pub session_id: i64,
}

/// How a [`Server`] speaks.
#[derive(Debug)]
pub struct ServerConfig {
    /// The private keys whose fingerprints are offered.
    pub keys: Vec<rsa::PrivateKey>,
    /// The data centre that this server is.
    pub dc_id: i32,
    /// Whether a key exchange has to name that data centre, in a test or media variant or none.
    pub check_dc: bool,
    /// Whether answers are compressed when that makes them smaller.
    pub gzip: bool,
    /// How long a salt is handed out before the next one; it is honoured for 30 minutes more.
    pub salt_period: Duration,
    /// How long an answer that nobody acknowledges is kept.
    pub answer_retention: Duration,
    /// How long a session without a socket is kept.
    pub session_retention: Duration,
    /// How long a socket may say nothing before it is closed.
    pub idle_timeout: Duration,
}

impl Default for ServerConfig {
    /// Data centre 2, no key, salts of 30 minutes, answers for 10 minutes, sessions for a day.
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            dc_id: 2,
            check_dc: true,
            gzip: true,
            salt_period: Duration::from_secs(1800),
            answer_retention: Duration::from_secs(600),
            session_retention: Duration::from_secs(86_400),
            idle_timeout: Duration::from_secs(600),
        }
    }
}

/// What the driver tells the server.
#[derive(Debug)]
pub enum ServerInput<'a> {
    /// A socket was accepted.
    Accepted(LinkId),
    /// Bytes arrived. What is left in the buffer is the beginning of a frame: append to it.
    Received(LinkId, &'a mut BytesMut),
    /// A socket is gone.
    Closed(LinkId),
    /// The time of the last [`ServerOutput::Timeout`] has come.
    Timeout,
}

/// What the server tells the driver.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "the large ones carry a key and are rare")]
pub enum ServerOutput {
    /// Bytes for a socket.
    Transmit(LinkId, Bytes),
    /// Send what was transmitted before, then close this socket. No `Closed` is needed for it.
    Close(LinkId),
    /// Something happened.
    Event(ServerEvent),
    /// Nothing more for now; ends the drain. The value is the uptime to wake up at.
    Timeout(Option<Duration>),
}

/// What happened at the server.
#[derive(Debug)]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "the large ones carry a key and are rare")]
pub enum ServerEvent {
    /// A key exchange is done. Keep the key before draining further: the message that tells the
    /// client so is the next `Transmit`.
    KeyCreated {
        /// The key.
        key: AuthKey,
        /// For a temporary key: the unix time when it ends.
        expires: Option<Duration>,
        /// The socket.
        link: LinkId,
    },
    /// A packet came for a key that is not in memory: answer with [`Server::provide_key`].
    KeyWanted {
        /// The key's id.
        auth_key_id: i64,
        /// The socket.
        link: LinkId,
    },
    /// The client destroyed its key by `destroy_auth_key`: forget it.
    KeyDestroyed {
        /// The key's id.
        auth_key_id: i64,
    },
    /// A session began, or was forgotten and began again.
    SessionCreated {
        /// The session.
        session: SessionRef,
        /// The socket.
        link: LinkId,
    },
    /// A session ended: by `destroy_session`, with its key, or by age.
    SessionDestroyed {
        /// The session.
        session: SessionRef,
    },
    /// A request: answer with [`Server::respond`].
    Request {
        /// The session.
        session: SessionRef,
        /// Names the request within the session.
        msg_id: i64,
        /// The request, unpacked, with wrappers like `invokeWithLayer` still around it.
        body: Bytes,
        /// The socket.
        link: LinkId,
    },
    /// A request came again. It is answered from memory if it was answered before.
    RequestRepeated {
        /// The session.
        session: SessionRef,
        /// Names the request within the session.
        msg_id: i64,
    },
    /// The client gave up on a request that was not answered yet (`rpc_drop_answer`).
    RequestDropped {
        /// The session.
        session: SessionRef,
        /// Names the request within the session.
        msg_id: i64,
    },
    /// A push arrived at the client.
    Acked {
        /// The session.
        session: SessionRef,
        /// What [`Server::push`] returned.
        msg_id: i64,
    },
}
