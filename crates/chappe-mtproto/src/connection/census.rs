//! What a connection holds: for tests that nothing stays behind, and for whoever watches memory.

use super::Connection;

/// How many of each a connection holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Census {
    /// Requests that did not end.
    pub requests: usize,
    /// Of these, those that wait for a packet.
    pub queued: usize,
    /// Of these, those that have a message id.
    pub sent: usize,
    /// Of these, those that the server will be asked about.
    pub watched: usize,
    /// Chains of requests that have not ended.
    pub chains: usize,
    /// Auth keys.
    pub keys: usize,
    /// Sessions, those of the past included.
    pub sessions: usize,
    /// Sessions that the server will be told to forget in some minutes.
    pub farewells: usize,
    /// Message ids of both sides that are remembered.
    pub remembered: usize,
    /// Messages to be acknowledged.
    pub acks: usize,
    /// Messages to be asked about.
    pub to_ask: usize,
    /// Questions without an answer.
    pub asked: usize,
    /// Things to be told about messages, sessions and answers.
    pub to_tell: usize,
    /// Packets whose quick acknowledgement is waited for.
    pub quick_acks: usize,
    /// Outputs that were not polled.
    pub outputs: usize,
}

impl Connection {
    /// Counts what the connection holds.
    pub fn census(&self) -> Census {
        let [requests, queued, sent, watched, chains] = self.outbox.census();
        let mut census = Census {
            requests,
            queued,
            sent,
            watched,
            chains,
            keys: self.keys.len(),
            sessions: self.sessions.len(),
            farewells: self.sessions.farewells(),
            quick_acks: self.quick_acks.len(),
            outputs: self.output.len(),
            ..Census::default()
        };
        for session in self.sessions.iter() {
            let [received, sent, acks] = session.census();
            let [to_ask, asked, to_tell] = session.questions.census();
            census.remembered += received + sent;
            census.acks += acks;
            census.to_ask += to_ask;
            census.asked += asked;
            census.to_tell += to_tell;
        }
        census
    }
}
