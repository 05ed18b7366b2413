//! The client's half of a session: what is checked on the way in and stamped on the way out.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chappe_crypto::{AuthKey, Side};
use chappe_tl::Encode;
use chappe_tl::service::types;
use rand_chacha::ChaCha20Rng;
use rand_core::Rng;

use crate::connection::Resume;
use crate::error::PeerMisbehaved;
use crate::message::{
    self, Age, Low, Message, MessageError, MessageIds, Seen, SequenceNumbers, Window,
};
use crate::packet::{self, Draft, Header};
use crate::salts::{Salts, seconds};
use crate::time::Now;

/// One session of one auth key.
#[derive(Debug)]
pub(crate) struct Session {
    key: AuthKey,
    pub(crate) salts: Salts,
    /// Seconds to add to the local clock to get the server's.
    offset: i64,
    /// Whether a message of this socket confirmed the clock.
    synced: bool,
    session_id: i64,
    ids: MessageIds,
    numbers: SequenceNumbers,
    received: Window<()>,
    sent: Window<Sent>,
    acks: BTreeSet<i64>,
    acks_due: Option<Duration>,
    announced: Option<i64>,
    /// The session that this one replaced: the answers to what was on its way still come.
    replaced: Option<i64>,
    /// The last message id that was made when the server refused a message.
    refused: Option<i64>,
}

/// What went out under one message id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent {
    /// The messages inside, if it was a container.
    pub(crate) inner: Vec<i64>,
    /// What it acknowledged.
    pub(crate) acks: Vec<i64>,
}

/// The messages of one packet, being put together.
#[derive(Debug, Default)]
pub(crate) struct Parcel {
    messages: Vec<Message>,
    acks: Vec<i64>,
    /// Whether a message keeps an id from before: then only a container can carry it.
    again: bool,
}

impl Session {
    pub(crate) fn new(resume: Resume, rng: &mut ChaCha20Rng) -> Self {
        Self {
            key: resume.key,
            salts: Salts::new(resume.salts),
            offset: resume.time_offset.clamp(-FARTHEST, FARTHEST),
            synced: false,
            session_id: session_id(rng),
            ids: MessageIds::default(),
            numbers: SequenceNumbers::default(),
            received: Window::new(REMEMBERED),
            sent: Window::new(REMEMBERED),
            acks: BTreeSet::new(),
            acks_due: None,
            announced: None,
            replaced: None,
            refused: None,
        }
    }

    pub(crate) fn resume(&self) -> Resume {
        Resume {
            key: self.key.clone(),
            salts: self.salts.list().to_vec(),
            time_offset: self.offset,
        }
    }

    pub(crate) fn server_time(&self, now: Now) -> Duration {
        let magnitude = Duration::from_secs(self.offset.unsigned_abs());
        if self.offset < 0 {
            now.unix.saturating_sub(magnitude)
        } else {
            now.unix.saturating_add(magnitude)
        }
    }

    /// Sets the clock by the id of a message that the server just made.
    pub(crate) fn set_clock(&mut self, server_msg_id: i64, now: Now) {
        self.offset = (server_msg_id >> 32).saturating_sub(seconds(now.unix));
    }

    /// There is a new socket: its first message may put the clock right.
    ///
    /// A client whose clock is less than 300 seconds behind would else never agree with its
    /// server: the server takes the client's ids, the client none of the server's.
    pub(crate) fn connected(&mut self) {
        self.synced = false;
    }

    /// Begins a new session of the same key.
    pub(crate) fn restart(&mut self, rng: &mut ChaCha20Rng) {
        let replaced = Some(self.session_id);
        *self = Self { replaced, ..Self::new(self.resume(), rng) };
    }

    /// Opens a packet and gives its messages that were not received before.
    ///
    /// The order is that of core.telegram.org/mtproto/security_guidelines; on an error nothing of
    /// the packet was used.
    pub(crate) fn open(
        &mut self,
        now: Now,
        packet: BytesMut,
    ) -> Result<Vec<Message>, PeerMisbehaved> {
        let opened = packet::open(&self.key, Side::Server, packet)?;
        let Header { session_id, msg_id, seqno, .. } = opened.header;
        if session_id != self.session_id {
            let late = self.replaced == Some(session_id);
            return if late { Ok(Vec::new()) } else { Err(MessageError::Session.into()) };
        }
        if msg_id & 1 == 0 {
            return Err(MessageError::Parity.into());
        }
        let outer = Message { msg_id, seqno, body: opened.body };
        match self.received.look(msg_id) {
            Seen::New => {}
            Seen::Before(()) => {
                self.acknowledge_again(outer, now);
                return Ok(Vec::new());
            }
            Seen::Forgotten => return Err(MessageError::Forgotten.into()),
        }
        let refusal = self.check_clock(msg_id, now);
        if !message::is_container(&outer.body) {
            if let Err(error) = refusal
                && !sets_clock(&outer)
            {
                return Err(error.into());
            }
            return Ok(self.admit(outer, now).into_iter().collect());
        }
        let mut messages = message::unpack_container(outer.body)?;
        if messages.iter().any(|message| message.msg_id & 1 == 0) {
            return Err(MessageError::Parity.into());
        }
        if let Err(error) = refusal {
            messages.retain(sets_clock);
            if messages.is_empty() {
                return Err(error.into());
            }
        }
        self.received.insert(msg_id, ());
        Ok(messages.into_iter().filter_map(|message| self.admit(message, now)).collect())
    }

    /// Compares the id of a new message with the clock, or the clock with the id.
    fn check_clock(&mut self, msg_id: i64, now: Now) -> Result<(), MessageError> {
        let newest = self.received.highest().is_none_or(|highest| msg_id > highest);
        match message::age(msg_id, self.server_time(now)) {
            Age::Fresh => {}
            Age::Old => return Err(MessageError::Old),
            // No server makes ids of a time that is yet to come.
            Age::Ahead if newest && !self.synced => self.set_clock(msg_id, now),
            Age::Ahead => return Err(MessageError::Ahead),
        }
        self.synced = true;
        Ok(())
    }

    /// Remembers a message and its acknowledgement; `None` if it was received before.
    fn admit(&mut self, message: Message, now: Now) -> Option<Message> {
        if message::is_content(message.seqno) {
            self.acknowledge(message.msg_id, now);
        }
        if self.received.look(message.msg_id) != Seen::New {
            return None;
        }
        self.received.insert(message.msg_id, ());
        Some(message)
    }

    /// The acknowledgement of a packet was lost on the way.
    fn acknowledge_again(&mut self, outer: Message, now: Now) {
        let messages = if message::is_container(&outer.body) {
            message::unpack_container(outer.body).unwrap_or_default()
        } else {
            vec![outer]
        };
        for message in messages.iter().filter(|message| message::is_content(message.seqno)) {
            self.acknowledge(message.msg_id, now);
        }
    }

    /// Schedules an acknowledgement.
    pub(crate) fn acknowledge(&mut self, msg_id: i64, now: Now) {
        self.acks.insert(msg_id);
        self.acks_due.get_or_insert(now.uptime + ACK_DELAY);
    }

    /// Whether a message of the server was received.
    pub(crate) fn has(&self, msg_id: i64) -> bool {
        self.received.look(msg_id) != Seen::New
    }

    /// Whether a message id is of this session and this side.
    pub(crate) fn is_ours(&self, msg_id: i64) -> bool {
        matches!(self.sent.look(msg_id), Seen::Before(_))
    }

    /// Whether a refused message was made after the last refusal: what was on its way by then may
    /// be refused for the same reason.
    pub(crate) fn is_refused_anew(&mut self, msg_id: i64) -> bool {
        if self.refused.is_some_and(|last| msg_id <= last) {
            return false;
        }
        self.refused = Some(self.ids.last());
        true
    }

    /// Takes a refusal of the server: gives the ids of the messages that it hits, and takes back
    /// the acknowledgements that went with them. `None` if the message is not ours.
    pub(crate) fn rejected(&mut self, msg_id: i64, now: Now) -> Option<Vec<i64>> {
        let sent = std::mem::take(self.sent.get_mut(msg_id)?);
        for ack in sent.acks {
            self.acknowledge(ack, now);
        }
        Some(if sent.inner.is_empty() { vec![msg_id] } else { sent.inner })
    }

    /// Whether a notice about a new session of the server is the first of its kind.
    pub(crate) fn announce(&mut self, unique_id: i64) -> bool {
        self.announced.replace(unique_id) != Some(unique_id)
    }

    /// When acknowledgements have to leave.
    pub(crate) fn wake(&self) -> Option<Duration> {
        self.acks_due
    }

    /// Adds a message with a new id to a parcel.
    pub(crate) fn add(
        &mut self,
        now: Now,
        parcel: &mut Parcel,
        body: Bytes,
        content: bool,
    ) -> (i64, i32) {
        let msg_id = self.ids.next(self.server_time(now), Low::Client);
        let seqno = self.numbers.next(content);
        parcel.messages.push(Message { msg_id, seqno, body });
        (msg_id, seqno)
    }

    /// Adds a message that went out before to a parcel.
    pub(crate) fn add_again(parcel: &mut Parcel, body: Bytes, (msg_id, seqno): (i64, i32)) {
        parcel.messages.push(Message { msg_id, seqno, body });
        parcel.again = true;
    }

    /// Adds acknowledgements, if there is a packet to go with or they cannot wait.
    pub(crate) fn add_acks(&mut self, now: Now, parcel: &mut Parcel) {
        let due = self.acks_due.is_some_and(|due| due <= now.uptime)
            || self.acks.len() >= MAX_WAITING_ACKS;
        if self.acks.is_empty() || (parcel.messages.is_empty() && !due) {
            return;
        }
        let mut acks = Vec::with_capacity(self.acks.len().min(MAX_ACKS));
        while acks.len() < MAX_ACKS
            && let Some(msg_id) = self.acks.pop_first()
        {
            acks.push(msg_id);
        }
        if self.acks.is_empty() {
            self.acks_due = None;
        }
        let body = types::MsgsAck { msg_ids: acks.clone() }.to_bytes();
        self.add(now, parcel, body, false);
        parcel.acks = acks;
    }

    /// Closes a parcel: gives the packet to be sealed and the id of its outermost message.
    pub(crate) fn close(
        &mut self,
        now: Now,
        parcel: Parcel,
        rng: &mut ChaCha20Rng,
    ) -> (Draft, i64) {
        let Parcel { messages, acks, again } = parcel;
        let inner: Vec<i64> = messages.iter().map(|message| message.msg_id).collect();
        for msg_id in &inner {
            self.sent.insert(*msg_id, Sent::default());
        }
        if let ([message], false) = (messages.as_slice(), again) {
            let header = self.header(now, message.msg_id, message.seqno);
            self.sent.insert(message.msg_id, Sent { inner: Vec::new(), acks });
            return (Draft::new(&header, &message.body, rng), message.msg_id);
        }
        let msg_id = self.ids.next(self.server_time(now), Low::Client);
        let seqno = self.numbers.next(false);
        self.sent.insert(msg_id, Sent { inner, acks });
        let header = self.header(now, msg_id, seqno);
        (Draft::container(&header, messages, rng), msg_id)
    }

    fn header(&self, now: Now, msg_id: i64, seqno: i32) -> Header {
        let salt = self.salts.current(self.server_time(now));
        Header { salt, session_id: self.session_id, msg_id, seqno }
    }

    /// Encrypts packets.
    pub(crate) fn seal(&self, drafts: &mut [Draft]) {
        packet::seal(&self.key, Side::Client, drafts);
    }
}

impl Parcel {
    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}

/// Whether a message may be out of the window of time, since it is there to correct the clock.
fn sets_clock(message: &Message) -> bool {
    [types::BadServerSalt::ID, types::BadMsgNotification::ID, types::NewSessionCreated::ID]
        .contains(&message::constructor(&message.body))
}

/// A number that is not 0: some servers take that for none.
fn session_id(rng: &mut ChaCha20Rng) -> i64 {
    (rng.next_u64() | 1).cast_signed()
}

/// No clock is wrong by more, in seconds: message ids have 31 bits for the time.
const FARTHEST: i64 = 1 << 31;

/// How many message ids of each side are remembered.
const REMEMBERED: usize = 4096;

/// How long an acknowledgement may wait for company.
const ACK_DELAY: Duration = Duration::from_secs(10);

/// How many acknowledgements may wait for company.
const MAX_WAITING_ACKS: usize = 64;

/// The most acknowledgements in one message.
const MAX_ACKS: usize = 2048;
