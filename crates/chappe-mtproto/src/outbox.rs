//! The life of a request: queued, sent, acknowledged, done.
//!
//! A request that was sent when its socket died is sent again under its old message id, inside of
//! a container: a server that has it answers from memory and does not run it twice. One that the
//! server refused, or lost with its session, gets a new id.
//! See core.telegram.org/mtproto/description#message-identifier-msg-id and
//! core.telegram.org/mtproto/service_messages#notification-of-ignored-error-message.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::connection::{FailureReason, RequestId, RequestOptions};
use crate::message::OVERHEAD;

/// All requests of one connection that are not done.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    last: u64,
    entries: BTreeMap<RequestId, Entry>,
    /// What is to be sent, in the order in which it was asked for.
    queue: BTreeSet<RequestId>,
    /// Who was sent under which message id.
    sent: BTreeMap<i64, RequestId>,
}

/// A request that is to be sent now.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) id: RequestId,
    pub(crate) body: Bytes,
    /// The message id and sequence number that it had before and has to keep.
    pub(crate) again: Option<(i64, i32)>,
}

/// A request that ended without an answer.
pub(crate) type Failure = (RequestId, FailureReason);

#[derive(Debug)]
struct Entry {
    body: Bytes,
    options: RequestOptions,
    state: State,
    rejections: u8,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Waits for a packet and a new message id.
    Queued,
    /// Waits for a packet, keeps its message id.
    Again(Place),
    /// Is on its way.
    Sent(Place),
    /// Is at the server.
    Acked(Place),
}

/// Where a request stood when it was sent.
#[derive(Clone, Copy, Debug)]
struct Place {
    msg_id: i64,
    seqno: i32,
    /// The id of the packet's outermost message.
    outer: i64,
}

impl Outbox {
    /// Queues a request.
    pub(crate) fn push(&mut self, body: Bytes, options: RequestOptions) -> RequestId {
        let id = self.name();
        self.entries.insert(id, Entry { body, options, state: State::Queued, rejections: 0 });
        self.queue.insert(id);
        id
    }

    /// Names a request that fails before it is queued.
    pub(crate) fn name(&mut self) -> RequestId {
        self.last += 1;
        RequestId(self.last)
    }

    /// Forgets a request; gives its message id if the server may have it.
    pub(crate) fn cancel(&mut self, id: RequestId) -> Option<i64> {
        let entry = self.entries.remove(&id)?;
        self.queue.remove(&id);
        let place = entry.state.place()?;
        self.sent.remove(&place.msg_id);
        Some(place.msg_id)
    }

    /// Takes the requests for the next packet.
    pub(crate) fn take(&mut self) -> Vec<Outgoing> {
        let mut size = 0;
        let mut batch = Vec::new();
        while batch.len() < MAX_BATCH
            && let Some(id) = self.queue.first().copied()
        {
            let Some(entry) = self.entries.get(&id) else {
                self.queue.pop_first();
                continue;
            };
            size += entry.body.len() + OVERHEAD;
            if size > MAX_BATCH_SIZE && !batch.is_empty() {
                break;
            }
            let again = match entry.state {
                State::Again(place) => Some((place.msg_id, place.seqno)),
                _ => None,
            };
            batch.push(Outgoing { id, body: entry.body.clone(), again });
            self.queue.pop_first();
        }
        batch
    }

    /// A request was put into a packet.
    pub(crate) fn sent(&mut self, id: RequestId, msg_id: i64, seqno: i32, outer: i64) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.state = State::Sent(Place { msg_id, seqno, outer });
            self.sent.insert(msg_id, id);
        }
    }

    /// The server has these messages.
    pub(crate) fn acked(&mut self, msg_ids: &[i64]) {
        for msg_id in msg_ids {
            let entry = self.sent.get(msg_id).and_then(|id| self.entries.get_mut(id));
            if let Some(entry) = entry
                && let State::Sent(place) = entry.state
            {
                entry.state = State::Acked(place);
            }
        }
    }

    /// A request was answered.
    pub(crate) fn answered(&mut self, msg_id: i64) -> Option<RequestId> {
        let id = self.sent.remove(&msg_id)?;
        self.queue.remove(&id);
        self.entries.remove(&id)?;
        Some(id)
    }

    /// The server refused a message; it gets a new id unless that happened too often.
    pub(crate) fn rejected(&mut self, msg_id: i64, code: i32) -> Option<Failure> {
        let id = self.sent.remove(&msg_id)?;
        let entry = self.entries.get_mut(&id)?;
        entry.rejections += 1;
        // Code 20: nobody knows whether it ran.
        let reason = if code == 20 && entry.options.no_resend {
            Some(FailureReason::Lost)
        } else if entry.rejections > MAX_REJECTIONS {
            Some(FailureReason::Rejected(code))
        } else {
            None
        };
        match reason {
            Some(reason) => {
                self.entries.remove(&id);
                self.queue.remove(&id);
                Some((id, reason))
            }
            None => {
                entry.state = State::Queued;
                self.queue.insert(id);
                None
            }
        }
    }

    /// The socket is gone: what is not known to have arrived is sent again on the next one.
    pub(crate) fn disconnected(&mut self) -> Vec<Failure> {
        self.put_back(|state| match state {
            State::Sent(place) => Some(State::Again(place)),
            _ => None,
        })
    }

    /// The server has a new session: what came before its first message is sent anew.
    pub(crate) fn forgotten(&mut self, first_msg_id: i64) -> Vec<Failure> {
        self.put_back(|state| {
            let place = state.place()?;
            (place.outer.max(place.msg_id) < first_msg_id).then_some(State::Queued)
        })
    }

    /// The client has a new session: everything is sent anew.
    pub(crate) fn restart(&mut self) -> Vec<Failure> {
        self.put_back(|state| state.place().map(|_| State::Queued))
    }

    fn put_back(&mut self, change: impl Fn(State) -> Option<State>) -> Vec<Failure> {
        let mut lost = Vec::new();
        for (id, entry) in &mut self.entries {
            let Some(state) = change(entry.state) else {
                continue;
            };
            if entry.options.no_resend {
                lost.push((*id, FailureReason::Lost));
            }
            if let (State::Queued, Some(place)) = (state, entry.state.place()) {
                self.sent.remove(&place.msg_id);
            }
            entry.state = state;
            self.queue.insert(*id);
        }
        for (id, _) in &lost {
            self.cancel(*id);
        }
        lost
    }
}

impl State {
    fn place(self) -> Option<Place> {
        match self {
            Self::Queued => None,
            Self::Again(place) | Self::Sent(place) | Self::Acked(place) => Some(place),
        }
    }
}

/// The most requests in one packet: room for service messages is left.
const MAX_BATCH: usize = 1000;

/// The most bytes of requests in one packet, unless one alone is larger.
const MAX_BATCH_SIZE: usize = 32 * 1024;

/// How often one request may be refused before it fails.
const MAX_REJECTIONS: u8 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const RISKY: RequestOptions = RequestOptions { no_resend: true, no_gzip: false };

    fn send(outbox: &mut Outbox, first: i64) -> Vec<RequestId> {
        let batch = outbox.take();
        for (outgoing, msg_id) in batch.iter().zip((first..).step_by(4)) {
            outbox.sent(outgoing.id, msg_id, 1, first + 400);
        }
        batch.into_iter().map(|outgoing| outgoing.id).collect()
    }

    fn outbox(count: usize) -> (Outbox, Vec<RequestId>) {
        let mut outbox = Outbox::default();
        let body = Bytes::from_static(b"body");
        let ids = (0..count).map(|_| outbox.push(body.clone(), RequestOptions::default()));
        let ids = ids.collect();
        (outbox, ids)
    }

    #[test]
    fn an_answer_ends_a_request_once() {
        let (mut outbox, ids) = outbox(1);
        assert_eq!(send(&mut outbox, 100), ids);
        assert_eq!(outbox.answered(104), None);
        assert_eq!(outbox.answered(100), Some(ids[0]));
        assert_eq!(outbox.answered(100), None);
        assert!(outbox.entries.is_empty() && outbox.queue.is_empty() && outbox.sent.is_empty());
    }

    #[test]
    fn a_dead_socket_repeats_what_was_not_acknowledged_under_the_same_id() {
        let (mut outbox, ids) = outbox(3);
        send(&mut outbox, 100);
        outbox.acked(&[104]);
        assert!(outbox.disconnected().is_empty());
        let batch = outbox.take();
        let again: Vec<_> = batch.iter().map(|item| (item.id, item.again)).collect();
        assert_eq!(again, [(ids[0], Some((100, 1))), (ids[2], Some((108, 1)))]);
        assert_eq!(outbox.answered(104), Some(ids[1]));
    }

    #[test]
    fn an_answer_overtakes_a_repetition() {
        let (mut outbox, ids) = outbox(1);
        send(&mut outbox, 100);
        outbox.disconnected();
        assert_eq!(outbox.answered(100), Some(ids[0]));
        assert!(outbox.take().is_empty());
    }

    #[test]
    fn what_must_not_run_twice_is_lost_with_its_socket() {
        let mut outbox = Outbox::default();
        let waiting = outbox.push(Bytes::new(), RISKY);
        assert!(outbox.disconnected().is_empty(), "it was never sent");
        assert_eq!(send(&mut outbox, 100), [waiting]);
        assert_eq!(outbox.disconnected(), [(waiting, FailureReason::Lost)]);
        assert!(outbox.take().is_empty());
    }

    #[test]
    fn a_new_session_of_the_server_repeats_what_came_before_it() {
        let (mut outbox, ids) = outbox(1);
        send(&mut outbox, 100);
        outbox.acked(&[100]);
        assert!(outbox.forgotten(500).is_empty());
        assert!(outbox.take().is_empty(), "its container is the first message");
        outbox.forgotten(501);
        let batch = outbox.take();
        assert_eq!((batch[0].id, batch[0].again), (ids[0], None));
    }

    #[test]
    fn a_refused_request_gets_a_new_id_but_not_for_ever() {
        let (mut outbox, ids) = outbox(1);
        for round in 0..MAX_REJECTIONS {
            let first = 100 + 4 * i64::from(round);
            assert_eq!(send(&mut outbox, first), ids);
            assert_eq!(outbox.rejected(first, 48), None);
            assert_eq!(outbox.rejected(first, 48), None, "a second notice changes nothing");
        }
        send(&mut outbox, 1000);
        assert_eq!(outbox.rejected(1000, 48), Some((ids[0], FailureReason::Rejected(48))));
        assert!(outbox.take().is_empty());
    }

    #[test]
    fn packets_are_bounded_in_count_and_size() {
        let (mut many, _) = outbox(MAX_BATCH + 1);
        assert_eq!((many.take().len(), many.take().len()), (MAX_BATCH, 1));
        let mut large = Outbox::default();
        for size in [MAX_BATCH_SIZE * 2, 4, 4] {
            large.push(Bytes::from(vec![0; size]), RequestOptions::default());
        }
        assert_eq!((large.take().len(), large.take().len()), (1, 2));
    }

    #[test]
    fn a_cancelled_request_is_gone() {
        let (mut outbox, ids) = outbox(2);
        assert_eq!(outbox.cancel(ids[0]), None);
        assert_eq!(send(&mut outbox, 100), ids[1..]);
        assert_eq!(outbox.cancel(ids[1]), Some(100));
        assert_eq!(outbox.answered(100), None);
    }
}
