//! The life of a request: queued, sent, acknowledged, done.
//!
//! A request whose fate is not known is repeated in its session under its old message id, inside
//! of a container: a server that has it answers from memory and does not run it twice. Only what
//! the server refused, or says that it never had, gets a new id. What the server has and does not
//! answer is asked about; what nobody can tell any more is given up as lost.
//! See core.telegram.org/mtproto/description#message-identifier-msg-id and
//! core.telegram.org/mtproto/service_messages_about_messages.

mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;

pub(crate) use self::told::Verdict;
use crate::connection::{FailureReason, RequestId, RequestOptions};
use crate::message::OVERHEAD;
use crate::session::Serial;

/// All requests of one connection that are not done.
#[derive(Debug)]
pub(crate) struct Outbox {
    /// How long a request may be silent before the server is asked about it.
    patience: Duration,
    last: u64,
    entries: BTreeMap<RequestId, Entry>,
    /// What is to be sent: in a session of the past, or in the current one; each in the order in
    /// which it was asked for.
    queue: BTreeSet<(Option<Serial>, RequestId)>,
    /// Who was sent under which message id.
    sent: BTreeMap<(Serial, i64), RequestId>,
    /// When to ask about whom.
    watched: BTreeSet<(Duration, RequestId)>,
    /// The last request of each chain.
    chains: BTreeMap<u64, RequestId>,
}

/// A request that is to be sent now.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) id: RequestId,
    pub(crate) body: Bytes,
    /// The message id and sequence number that it had before and has to keep.
    pub(crate) again: Option<(i64, i32)>,
    /// What has to run before.
    pub(crate) after: Option<After>,
    /// Whether a quick acknowledgement is wanted.
    pub(crate) quick_ack: bool,
}

/// The request that one waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// It was sent under this message id.
    Message(i64),
    /// It stands before it in the same packet.
    InPacket(RequestId),
}

/// A request that ended without an answer.
pub(crate) type Failure = (RequestId, FailureReason);

#[derive(Debug)]
struct Entry {
    body: Bytes,
    options: RequestOptions,
    state: State,
    rejections: u8,
    /// How often its answer was asked for.
    fetches: u8,
    /// The request before it in its chain.
    after: Option<RequestId>,
    /// The message that it was told to wait for when it was sent.
    told_after: Option<i64>,
    /// Whether it goes out only when nothing before it in its chain is left: the server did not
    /// wait for what it was told to wait for.
    alone: bool,
    /// Its entry in the list of those who are watched.
    watch: Option<Duration>,
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
pub(crate) struct Place {
    pub(crate) session: Serial,
    pub(crate) msg_id: i64,
    pub(crate) seqno: i32,
    /// The id of the packet's outermost message.
    pub(crate) outer: i64,
    /// The number of the first socket that carried it under this id.
    pub(crate) socket: u64,
    /// Whether it was sent more than once under this id.
    pub(crate) repeated: bool,
}

impl Outbox {
    pub(crate) fn new(patience: Duration) -> Self {
        Self {
            patience,
            last: 0,
            entries: BTreeMap::new(),
            queue: BTreeSet::new(),
            sent: BTreeMap::new(),
            watched: BTreeSet::new(),
            chains: BTreeMap::new(),
        }
    }

    /// Queues a request.
    pub(crate) fn push(&mut self, body: Bytes, options: RequestOptions) -> RequestId {
        let id = self.name();
        let after = options.chain.and_then(|chain| self.chains.insert(chain, id));
        let entry = Entry {
            body,
            options,
            state: State::Queued,
            rejections: 0,
            fetches: 0,
            after,
            told_after: None,
            alone: false,
            watch: None,
        };
        self.entries.insert(id, entry);
        self.queue.insert((None, id));
        id
    }

    /// Names a request that fails before it is queued.
    pub(crate) fn name(&mut self) -> RequestId {
        self.last += 1;
        RequestId(self.last)
    }

    /// Forgets a request; gives the session and message id if the server may have it.
    pub(crate) fn cancel(&mut self, id: RequestId) -> Option<(Serial, i64)> {
        let place = self.remove(id)?.state.place()?;
        Some((place.session, place.msg_id))
    }

    /// Takes the requests of a session for its next packet; new ones if it is the current one.
    pub(crate) fn take(&mut self, session: Serial, current: bool) -> Vec<Outgoing> {
        let mut size = 0;
        let mut batch: Vec<Outgoing> = Vec::new();
        let again = self.range(Some(session));
        let fresh = current.then(|| self.range(None)).into_iter().flatten();
        let mut taken = Vec::new();
        for key in again.chain(fresh) {
            let Some(entry) = self.entries.get(&key.1) else {
                taken.push(key);
                continue;
            };
            if batch.len() >= MAX_BATCH {
                break;
            }
            let Ok(after) = self.predecessor(entry, session, &batch) else {
                continue;
            };
            size += entry.body.len() + OVERHEAD + WRAPPER;
            if size > MAX_BATCH_SIZE && !batch.is_empty() {
                break;
            }
            let again = match entry.state {
                State::Again(place) => Some((place.msg_id, place.seqno)),
                _ => None,
            };
            batch.push(Outgoing {
                id: key.1,
                body: entry.body.clone(),
                again,
                after,
                quick_ack: entry.options.quick_ack,
            });
            taken.push(key);
        }
        for key in taken {
            self.queue.remove(&key);
        }
        batch
    }

    fn range(&self, session: Option<Serial>) -> impl Iterator<Item = (Option<Serial>, RequestId)> {
        let ends = (session, RequestId(0))..=(session, RequestId(u64::MAX));
        self.queue.range(ends).copied()
    }

    /// What a request waits for; an error if it cannot be sent before that is.
    fn predecessor(
        &self,
        entry: &Entry,
        session: Serial,
        batch: &[Outgoing],
    ) -> Result<Option<After>, ()> {
        // A repetition says what was said before.
        if let State::Again(_) = entry.state {
            return Ok(entry.told_after.map(After::Message));
        }
        let Some((before, other)) =
            entry.after.and_then(|before| Some((before, self.entries.get(&before)?)))
        else {
            return Ok(None);
        };
        match other.state {
            _ if entry.alone => Err(()),
            State::Sent(place) | State::Acked(place) if place.session == session => {
                Ok(Some(After::Message(place.msg_id)))
            }
            _ if batch.iter().any(|outgoing| outgoing.id == before) => {
                Ok(Some(After::InPacket(before)))
            }
            _ => Err(()),
        }
    }

    /// A request was put into a packet.
    pub(crate) fn sent(
        &mut self,
        id: RequestId,
        mut place: Place,
        told_after: Option<i64>,
        uptime: Duration,
    ) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        if let State::Again(before) = entry.state {
            place.socket = before.socket;
            place.repeated = true;
        }
        entry.state = State::Sent(place);
        entry.told_after = told_after;
        self.sent.insert((place.session, place.msg_id), id);
        self.watch(id, uptime);
    }

    /// The server has these messages.
    pub(crate) fn acked(&mut self, session: Serial, msg_ids: &[i64]) {
        for msg_id in msg_ids {
            let id = self.sent.get(&(session, *msg_id));
            if let Some((id, entry)) = id.and_then(|id| Some((*id, self.entries.get_mut(id)?)))
                && let State::Sent(place) | State::Again(place) = entry.state
            {
                entry.state = State::Acked(place);
                self.queue.remove(&(Some(session), id));
            }
        }
    }

    /// Who was sent under this id.
    pub(crate) fn find(&self, session: Serial, msg_id: i64) -> Option<RequestId> {
        self.sent.get(&(session, msg_id)).copied()
    }

    /// A request was answered.
    pub(crate) fn done(&mut self, id: RequestId) {
        self.remove(id);
    }

    /// A request was refused because of the key that it came with: it did not run and is sent
    /// anew. `false` if that happened too often.
    pub(crate) fn send_anew(&mut self, id: RequestId) -> bool {
        let again = self.entries.get_mut(&id).is_some_and(|entry| {
            entry.rejections += 1;
            entry.rejections <= MAX_REJECTIONS
        });
        if again {
            self.requeue(id);
        }
        again
    }

    /// A request was refused because of the one before it in its chain: it did not run and is
    /// sent anew, after that one ended.
    pub(crate) fn send_alone(&mut self, id: RequestId) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.alone = true;
            self.requeue(id);
        }
    }

    /// Whether a request has not ended.
    pub(crate) fn contains(&self, id: RequestId) -> bool {
        self.entries.contains_key(&id)
    }

    /// Whether a request was sent with a wrapper that makes it wait for another.
    pub(crate) fn is_told_to_wait(&self, id: RequestId) -> bool {
        self.entries.get(&id).is_some_and(|entry| entry.told_after.is_some())
    }

    /// The server refused a message, or the container around it: `direct` tells them apart.
    ///
    /// What was refused did not run and gets a new id, unless that happened too often. But what
    /// was only repeated in a refused container may have run the first time: it keeps its id.
    pub(crate) fn rejected(
        &mut self,
        session: Serial,
        msg_id: i64,
        code: i32,
        direct: bool,
    ) -> Option<Failure> {
        let id = self.find(session, msg_id)?;
        let entry = self.entries.get_mut(&id)?;
        entry.rejections += 1;
        let repeated = entry.state.place().is_some_and(|place| place.repeated);
        let in_doubt = repeated && !direct;
        let often = entry.rejections > MAX_REJECTIONS;
        // Code 20: the server cannot tell whether it had it, so nobody knows whether it ran.
        let untold = code == 20 && (entry.options.no_resend || repeated);
        let reason = if untold || (often && in_doubt) {
            FailureReason::Lost
        } else if often {
            FailureReason::Rejected(code)
        } else {
            if in_doubt {
                self.unwatch(id);
                self.repeat(id);
            } else {
                self.requeue(id);
            }
            return None;
        };
        self.remove(id);
        Some((id, reason))
    }

    /// Nothing can be said any more in a session: what was to be repeated there waits for an
    /// answer that comes by itself.
    pub(crate) fn hold(&mut self, session: Serial, uptime: Duration) {
        let held: Vec<_> = self.range(Some(session)).collect();
        for (place, id) in held {
            self.queue.remove(&(place, id));
            if let Some(entry) = self.entries.get_mut(&id)
                && let State::Again(place) = entry.state
            {
                entry.state = State::Sent(place);
                self.watch(id, uptime);
            }
        }
    }

    /// No answer to a request will come, and nobody can be asked.
    pub(crate) fn give_up(&mut self, session: Serial, msg_id: i64) -> Option<Failure> {
        let id = self.find(session, msg_id)?;
        self.remove(id)?;
        Some((id, FailureReason::Lost))
    }

    /// The socket is gone: what is not known to have arrived is repeated on the next one.
    pub(crate) fn disconnected(&mut self) -> Vec<Failure> {
        self.put_back(|entry, _| match entry.state {
            State::Sent(_) if entry.options.no_resend => Some(Fate::Lost),
            State::Sent(_) => Some(Fate::Repeat),
            _ => None,
        })
    }

    /// The server has a new session: what came before its first message is sent anew, as
    /// core.telegram.org/mtproto/service_messages#new-session-creation-notification demands.
    pub(crate) fn forgotten(&mut self, session: Serial, first_msg_id: i64) -> Vec<Failure> {
        self.put_back(|entry, place| {
            let before = place.outer.max(place.msg_id) < first_msg_id;
            let fate = if entry.options.no_resend { Fate::Lost } else { Fate::Anew };
            (place.session == session && before).then_some(fate)
        })
    }

    /// The key of a session is gone with all that was said under it. What was only sent over the
    /// socket `unread` was not read; the rest may have run, and nobody will tell.
    pub(crate) fn orphaned(&mut self, session: Serial, unread: Option<u64>) -> Vec<Failure> {
        self.put_back(|_, place| {
            let ran = unread != Some(place.socket);
            let fate = if ran { Fate::Lost } else { Fate::Anew };
            (place.session == session).then_some(fate)
        })
    }

    /// A session is given up: nobody will tell what became of its requests.
    pub(crate) fn abandoned(&mut self, session: Serial) -> Vec<Failure> {
        let of_session = (session, i64::MIN)..=(session, i64::MAX);
        let lost: Vec<RequestId> = self.sent.range(of_session).map(|(_, id)| *id).collect();
        for id in &lost {
            self.remove(*id);
        }
        lost.into_iter().map(|id| (id, FailureReason::Lost)).collect()
    }

    /// Whether a session has requests that wait for an answer.
    pub(crate) fn has(&self, session: Serial) -> bool {
        self.sent.range((session, i64::MIN)..=(session, i64::MAX)).next().is_some()
    }

    /// Whether anything waits for an answer.
    pub(crate) fn is_busy(&self) -> bool {
        !self.sent.is_empty()
    }

    /// Takes those who were silent for too long; they are looked at again after as long a time.
    pub(crate) fn take_silent(&mut self, uptime: Duration) -> Vec<(Serial, i64)> {
        let mut silent = Vec::new();
        while let Some((due, id)) = self.watched.first().copied()
            && due <= uptime
        {
            silent.extend(self.look_at(id, uptime));
        }
        silent
    }

    /// Takes all that the server has but did not answer, to be asked about on a new socket.
    pub(crate) fn take_acked(&mut self, uptime: Duration) -> Vec<(Serial, i64)> {
        let acked: Vec<RequestId> = self
            .sent
            .values()
            .filter(|id| {
                let entry = self.entries.get(id);
                entry.is_some_and(|entry| matches!(entry.state, State::Acked(_)))
            })
            .copied()
            .collect();
        acked.into_iter().filter_map(|id| self.look_at(id, uptime)).collect()
    }

    fn look_at(&mut self, id: RequestId, uptime: Duration) -> Option<(Serial, i64)> {
        self.watch(id, uptime);
        let place = self.entries.get(&id)?.state.place()?;
        Some((place.session, place.msg_id))
    }

    /// When to look for those who are silent.
    pub(crate) fn wake(&self) -> Option<Duration> {
        self.watched.first().map(|(due, _)| *due)
    }

    /// Sends a request once more under its old id; `false` if there is none.
    pub(crate) fn send_again(&mut self, session: Serial, msg_id: i64) -> bool {
        let id = self.find(session, msg_id);
        id.inspect(|id| self.repeat(*id)).is_some()
    }

    fn repeat(&mut self, id: RequestId) {
        if let Some(entry) = self.entries.get_mut(&id)
            && let State::Sent(place) | State::Acked(place) = entry.state
        {
            entry.state = State::Again(place);
            self.queue.insert((Some(place.session), id));
        }
    }

    /// Everything that is kept: requests, those to be sent, those on their way, those watched,
    /// chains.
    pub(crate) fn census(&self) -> [usize; 5] {
        let Self { entries, queue, sent, watched, chains, .. } = self;
        [entries.len(), queue.len(), sent.len(), watched.len(), chains.len()]
    }

    fn requeue(&mut self, id: RequestId) {
        self.unwatch(id);
        if let Some(entry) = self.entries.get_mut(&id) {
            let before = std::mem::replace(&mut entry.state, State::Queued);
            entry.told_after = None;
            entry.fetches = 0;
            if let Some(place) = before.place() {
                self.sent.remove(&(place.session, place.msg_id));
                self.queue.remove(&(Some(place.session), id));
            }
            self.queue.insert((None, id));
        }
    }

    fn put_back(&mut self, decide: impl Fn(&Entry, Place) -> Option<Fate>) -> Vec<Failure> {
        let fates: Vec<(RequestId, Fate)> = self
            .entries
            .iter()
            .filter_map(|(id, entry)| Some((*id, decide(entry, entry.state.place()?)?)))
            .collect();
        let mut lost = Vec::new();
        for (id, fate) in fates {
            match fate {
                Fate::Anew => self.requeue(id),
                Fate::Repeat => {
                    self.unwatch(id);
                    self.repeat(id);
                }
                Fate::Lost => {
                    self.remove(id);
                    lost.push((id, FailureReason::Lost));
                }
            }
        }
        lost
    }

    fn watch(&mut self, id: RequestId, uptime: Duration) {
        self.unwatch(id);
        if let Some(entry) = self.entries.get_mut(&id) {
            let due = uptime.saturating_add(self.patience);
            entry.watch = Some(due);
            self.watched.insert((due, id));
        }
    }

    fn unwatch(&mut self, id: RequestId) {
        let watch = self.entries.get_mut(&id).and_then(|entry| entry.watch.take());
        if let Some(due) = watch {
            self.watched.remove(&(due, id));
        }
    }

    fn remove(&mut self, id: RequestId) -> Option<Entry> {
        self.unwatch(id);
        let entry = self.entries.remove(&id)?;
        self.queue.remove(&(None, id));
        if let Some(place) = entry.state.place() {
            self.queue.remove(&(Some(place.session), id));
            self.sent.remove(&(place.session, place.msg_id));
        }
        if let Some(chain) = entry.options.chain
            && self.chains.get(&chain) == Some(&id)
        {
            // Who comes next in the chain follows the one before, if that is still there.
            match entry.after.filter(|before| self.entries.contains_key(before)) {
                Some(before) => self.chains.insert(chain, before),
                None => self.chains.remove(&chain),
            };
        }
        if entry.options.chain.is_some() {
            for follower in self.entries.values_mut().filter(|other| other.after == Some(id)) {
                follower.after = entry.after;
            }
        }
        Some(entry)
    }
}

/// What becomes of a request whose socket, session or key is gone.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// It is sent as if it had never been.
    Anew,
    /// It is sent under the id that it had.
    Repeat,
    /// It may have run and must not run twice.
    Lost,
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

/// What a wrapper that makes a request wait for another adds to it, in bytes.
const WRAPPER: usize = 12;

/// How often one request may be refused before it fails.
const MAX_REJECTIONS: u8 = 8;

#[cfg(test)]
mod tests;
