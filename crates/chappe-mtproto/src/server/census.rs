//! What a server holds, counted: for whoever watches that nothing piles up.

use super::Server;

/// How many things of each kind a [`Server`] holds.
///
/// Without a client for as long as sessions are kept, all are 0 but `headers` and one of `timers`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Auth keys in memory.
    pub keys: usize,
    /// Sessions.
    pub sessions: usize,
    /// Sessions of the key that has most of them.
    pub most_sessions: usize,
    /// Sockets.
    pub links: usize,
    /// Auth keys that the driver was asked for.
    pub wanted: usize,
    /// Packets that wait for an auth key.
    pub parked: usize,
    /// Sessions that may have something to send.
    pub waiting: usize,
    /// Timers, that of the sweep included.
    pub timers: usize,
    /// Obfuscated headers that are remembered.
    pub headers: usize,
    /// Message ids that the session with most of them remembers.
    pub remembered: usize,
    /// Messages that clients have not acknowledged.
    pub kept: usize,
    /// The bytes of these messages in the session with most of them.
    pub kept_bytes: usize,
    /// Messages that are to leave.
    pub outgoing: usize,
    /// Acknowledgements that wait for a packet.
    pub acks: usize,
    /// Outputs that were not polled.
    pub outputs: usize,
}

impl Server {
    /// Counts what this server holds.
    pub fn census(&self) -> Census {
        let mut census = Census {
            keys: self.keys.len(),
            sessions: self.sessions.len(),
            links: self.links.len(),
            wanted: self.wanted.len(),
            parked: self.links.values().map(|link| link.parked.len()).sum(),
            waiting: self.waiting.len(),
            timers: self.timers.len(),
            headers: self.headers.len(),
            outputs: self.output.len(),
            ..Census::default()
        };
        let mut of_key = (0, 0);
        for (id, session) in &self.sessions {
            session.census(&mut census);
            of_key = if of_key.0 == id.auth_key_id {
                (of_key.0, of_key.1 + 1)
            } else {
                (id.auth_key_id, 1)
            };
            census.most_sessions = census.most_sessions.max(of_key.1);
        }
        census
    }
}
