//! One session at the server: what came, what went, what is to go.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;

use super::{Census, LinkId, SessionRef, SessionState};
use crate::message::{Message, Seen, SequenceNumbers, Window, is_content};
use crate::states;

/// The server's half of a session. It outlives its sockets.
#[derive(Debug)]
pub(super) struct Session {
    /// The socket that was used last, if it still stands.
    pub(super) link: Option<LinkId>,
    /// Uptime of the last packet.
    pub(super) used: Duration,
    /// What `new_session_created` named as the first message.
    first: i64,
    numbers: SequenceNumbers,
    received: Window<Received>,
    /// What the client has not acknowledged.
    kept: BTreeMap<i64, Kept>,
    kept_bytes: usize,
    outgoing: Vec<Outgoing>,
    acks: BTreeSet<i64>,
    acks_due: Option<Duration>,
}

/// A message that is to leave.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) message: Message,
    /// Whether it has an id from before, so that only a container can carry it.
    pub(super) again: bool,
}

/// What is known about a message of the client.
#[derive(Clone, Copy, Debug)]
struct Received {
    seqno: i32,
    stage: Stage,
}

/// How far a message of the client got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It asks for no answer that would be kept.
    Service,
    /// The answer is being made.
    Running,
    /// The client gave up on the answer.
    Dropped,
    /// The answer is the message of this id.
    Answered(i64),
}

#[derive(Debug)]
struct Kept {
    message: Message,
    since: Duration,
    /// The socket it was sent over last.
    link: Option<LinkId>,
    /// Whether the driver pushed it.
    pushed: bool,
}

impl Session {
    pub(super) fn new(first: i64, now: Duration) -> Self {
        Self {
            link: None,
            used: now,
            first,
            numbers: SequenceNumbers::default(),
            received: Window::new(REMEMBERED),
            kept: BTreeMap::new(),
            kept_bytes: 0,
            outgoing: Vec::new(),
            acks: BTreeSet::new(),
            acks_due: None,
        }
    }

    /// Whether and how a message was received before.
    pub(super) fn look(&self, msg_id: i64) -> Seen<'_, Stage> {
        match self.received.look(msg_id) {
            Seen::New => Seen::New,
            Seen::Before(received) => Seen::Before(&received.stage),
            Seen::Forgotten => Seen::Forgotten,
        }
    }

    /// Whether the client was told that a packet with this outermost id was not received, and has
    /// sent what was in it once more.
    pub(super) fn disowns(&self, outer: i64) -> bool {
        outer < self.first
    }

    /// Compares a new message's number with those around it: 32 is too low, 33 too high.
    ///
    /// See core.telegram.org/mtproto/service_messages_about_messages#notification-of-ignored-error-message.
    pub(super) fn check_order(&self, msg_id: i64, seqno: i32) -> Result<(), i32> {
        let [before, after] = self.received.neighbours(msg_id);
        let clash = |other: &Received| other.seqno == seqno && is_content(seqno);
        if before.is_some_and(|other| other.seqno > seqno || clash(other)) {
            return Err(32);
        }
        if after.is_some_and(|other| other.seqno < seqno || clash(other)) {
            return Err(33);
        }
        Ok(())
    }

    /// Remembers a message of the client.
    pub(super) fn receive(&mut self, msg_id: i64, seqno: i32, stage: Stage) {
        self.received.insert(msg_id, Received { seqno, stage });
    }

    /// How far a request got, to be changed.
    pub(super) fn stage_mut(&mut self, msg_id: i64) -> Option<&mut Stage> {
        self.received.get_mut(msg_id).map(|received| &mut received.stage)
    }

    /// Schedules an acknowledgement.
    pub(super) fn acknowledge(&mut self, msg_id: i64, now: Duration) {
        if self.acks.len() < MAX_ACKS {
            self.acks.insert(msg_id);
        }
        self.acks_due.get_or_insert(now + ACK_DELAY);
    }

    /// The answer to a request acknowledges it.
    pub(super) fn acknowledged(&mut self, msg_id: i64) {
        self.acks.remove(&msg_id);
        if self.acks.is_empty() {
            self.acks_due = None;
        }
    }

    /// When acknowledgements have to leave.
    pub(super) fn acks_due(&self) -> Option<Duration> {
        self.acks_due
    }

    /// Queues a message that nobody acknowledges.
    pub(super) fn send(&mut self, msg_id: i64, body: Bytes) {
        let seqno = self.numbers.next(false);
        let message = Message { msg_id, seqno, body };
        self.outgoing.push(Outgoing { message, again: false });
    }

    /// Queues a message and keeps it until it is acknowledged.
    pub(super) fn send_kept(&mut self, msg_id: i64, body: Bytes, pushed: bool, now: Duration) {
        let message = Message { msg_id, seqno: self.numbers.next(true), body };
        self.kept_bytes += message.body.len();
        let kept = Kept { message: message.clone(), since: now, link: None, pushed };
        self.kept.insert(msg_id, kept);
        self.outgoing.push(Outgoing { message, again: false });
        while self.kept.len() > MAX_KEPT || self.kept_bytes > MAX_KEPT_BYTES {
            let Some(oldest) = self.kept.first_key_value().map(|(id, _)| *id) else {
                break;
            };
            self.forget(oldest);
        }
    }

    /// The client has a message. `true` if it was kept and pushed by the driver.
    pub(super) fn acked(&mut self, msg_id: i64) -> bool {
        self.forget(msg_id).is_some_and(|kept| kept.pushed)
    }

    /// Forgets a kept message; gives its number and length.
    pub(super) fn drop_answer(&mut self, msg_id: i64) -> Option<(i32, usize)> {
        let kept = self.forget(msg_id)?;
        Some((kept.message.seqno, kept.message.body.len()))
    }

    /// Queues a kept message once more; `false` if it is not kept.
    pub(super) fn send_again(&mut self, msg_id: i64) -> bool {
        let Some(kept) = self.kept.get(&msg_id) else {
            return false;
        };
        if !self.outgoing.iter().any(|outgoing| outgoing.message.msg_id == msg_id) {
            let message = kept.message.clone();
            self.outgoing.push(Outgoing { message, again: true });
        }
        true
    }

    /// Does not send an answer that is queued and kept; it comes when it is asked for, or over the
    /// next socket. Gives its length, or `None` if there is nothing to hold back.
    pub(super) fn withhold(&mut self, req_msg_id: i64) -> Option<usize> {
        let Stage::Answered(answer) = self.received.get_mut(req_msg_id)?.stage else {
            return None;
        };
        let kept = self.kept.get_mut(&answer)?;
        kept.link = Some(self.link.unwrap_or(NOWHERE));
        self.outgoing.retain(|outgoing| outgoing.message.msg_id != answer);
        Some(kept.message.body.len())
    }

    /// The kept answer to a request.
    pub(super) fn answer_of(&self, req_msg_id: i64) -> Option<Bytes> {
        match self.look(req_msg_id) {
            Seen::Before(Stage::Answered(answer)) => {
                self.kept.get(answer).map(|kept| kept.message.body.clone())
            }
            _ => None,
        }
    }

    /// Takes acknowledgements back that were about to leave.
    pub(super) fn hold(&mut self, msg_ids: Vec<i64>, now: Duration) {
        for msg_id in msg_ids {
            self.acknowledge(msg_id, now);
        }
    }

    /// Forgets everything that is kept; tells how much that was.
    pub(super) fn drop_kept(&mut self) -> usize {
        let kept = std::mem::take(&mut self.kept);
        self.kept_bytes = 0;
        self.outgoing.retain(|outgoing| !kept.contains_key(&outgoing.message.msg_id));
        kept.len()
    }

    /// What there is to tell of it.
    pub(super) fn state_of(&self, session: SessionRef) -> SessionState {
        let running = self.received.iter().filter(|(_, got)| got.stage == Stage::Running).count();
        let (kept, kept_bytes) = (self.kept.len(), self.kept_bytes);
        SessionState { session, link: self.link, running, kept, kept_bytes }
    }

    /// The session speaks over this socket from now on. What went over another one and was not
    /// acknowledged is queued once more. `true` if the socket is another than before.
    pub(super) fn attach(&mut self, link: LinkId) -> bool {
        if self.link.replace(link) == Some(link) {
            return false;
        }
        let lost: Vec<i64> = self
            .kept
            .iter()
            .filter(|(_, kept)| kept.link.is_some_and(|last| last != link))
            .map(|(id, _)| *id)
            .collect();
        for msg_id in lost {
            self.send_again(msg_id);
        }
        true
    }

    /// Takes what is to leave over a socket: the messages and the acknowledgements.
    ///
    /// Acknowledgements go along with messages, or alone when they are due. Without a socket
    /// nothing leaves; what is kept waits for the next one.
    pub(super) fn take(&mut self, now: Duration) -> (Vec<Outgoing>, Vec<i64>) {
        let Some(link) = self.link else {
            let waiting = std::mem::take(&mut self.outgoing);
            for outgoing in waiting {
                // An id of the void makes it go out with the next socket.
                if let Some(kept) = self.kept.get_mut(&outgoing.message.msg_id) {
                    kept.link.get_or_insert(NOWHERE);
                }
            }
            return Default::default();
        };
        let outgoing = std::mem::take(&mut self.outgoing);
        for item in &outgoing {
            if let Some(kept) = self.kept.get_mut(&item.message.msg_id) {
                kept.link = Some(link);
            }
        }
        let due = self.acks_due.is_some_and(|due| due <= now) || self.acks.len() >= FLUSH_ACKS;
        if outgoing.is_empty() && !due {
            return Default::default();
        }
        self.acks_due = None;
        (outgoing, std::mem::take(&mut self.acks).into_iter().collect())
    }

    /// Makes the number of an acknowledgement or a container.
    pub(super) fn number(&mut self) -> i32 {
        self.numbers.next(false)
    }

    /// Forgets answers that nobody fetched in time.
    pub(super) fn sweep(&mut self, before: Duration) {
        let old: Vec<i64> =
            self.kept.iter().filter(|(_, kept)| kept.since < before).map(|(id, _)| *id).collect();
        for msg_id in old {
            self.forget(msg_id);
        }
    }

    /// The state of a message of the client, as `msgs_state_info` tells it.
    ///
    /// See core.telegram.org/mtproto/service_messages_about_messages#informational-message-regarding-status-of-messages.
    pub(super) fn state(&self, msg_id: i64) -> u8 {
        match self.received.look(msg_id) {
            Seen::Forgotten => states::FORGOTTEN,
            Seen::New if self.received.highest().is_none_or(|highest| msg_id > highest) => {
                states::TOO_HIGH
            }
            Seen::New => states::NOT_RECEIVED,
            Seen::Before(received) => {
                let acked = if !is_content(received.seqno) {
                    states::NOT_CONTENT
                } else if self.acks.contains(&msg_id) {
                    0
                } else {
                    states::ACKNOWLEDGED
                };
                let stage = match received.stage {
                    Stage::Service | Stage::Dropped => 0,
                    Stage::Running => states::RUNNING,
                    Stage::Answered(answer) if self.kept.contains_key(&answer) => states::ANSWERED,
                    Stage::Answered(_) => states::ANSWERED | states::TAKEN,
                };
                states::RECEIVED | acked | stage
            }
        }
    }

    /// Adds what this session holds.
    pub(super) fn census(&self, census: &mut Census) {
        census.remembered = census.remembered.max(self.received.len());
        census.kept += self.kept.len();
        census.kept_bytes = census.kept_bytes.max(self.kept_bytes);
        census.outgoing += self.outgoing.len();
        census.acks += self.acks.len();
    }

    fn forget(&mut self, msg_id: i64) -> Option<Kept> {
        let kept = self.kept.remove(&msg_id)?;
        self.kept_bytes = self.kept_bytes.saturating_sub(kept.message.body.len());
        Some(kept)
    }
}

/// Stands for the socket of what was never sent.
const NOWHERE: LinkId = LinkId(u64::MAX);

/// How many messages of the client are remembered.
const REMEMBERED: usize = 4096;

/// The most messages that are kept for the client.
const MAX_KEPT: usize = 4096;

/// The most bytes that are kept for the client.
const MAX_KEPT_BYTES: usize = 32 * 1024 * 1024;

/// The most acknowledgements that wait.
const MAX_ACKS: usize = 8192;

/// So many acknowledgements do not wait for company.
const FLUSH_ACKS: usize = 64;

/// How long an acknowledgement may wait for company.
const ACK_DELAY: Duration = Duration::from_secs(1);
