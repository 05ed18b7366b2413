//! The client's half of a session: what is checked on the way in and stamped on the way out.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use chappe_tl::Encode;
use chappe_tl::service::types;
use rand_chacha::ChaCha20Rng;
use rand_core::Rng;

use crate::clock::Clock;
use crate::message::{
    self, Age, Low, Message, MessageError, MessageIds, Seen, SequenceNumbers, Window,
};
use crate::packet::{Draft, Header, Opened};
use crate::questions::Questions;
use crate::states;
use crate::time::Now;

/// Names a session of a connection: the later, the higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Serial(pub(crate) u64);

/// One session of one auth key.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) serial: Serial,
    pub(crate) auth_key_id: i64,
    pub(crate) session_id: i64,
    /// What is to be asked and told about messages.
    pub(crate) questions: Questions,
    ids: MessageIds,
    numbers: SequenceNumbers,
    received: Window<()>,
    sent: Window<Sent>,
    acks: BTreeSet<i64>,
    acks_due: Option<Duration>,
    announced: Option<i64>,
    /// The last message id that was made when the server refused a message.
    refused: Option<i64>,
    /// Whether nothing can be said any more: the server refuses whatever id comes next.
    mute: bool,
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
    pub(crate) fn new(serial: Serial, auth_key_id: i64, rng: &mut ChaCha20Rng) -> Self {
        Self {
            serial,
            auth_key_id,
            session_id: session_id(rng),
            questions: Questions::default(),
            ids: MessageIds::default(),
            numbers: SequenceNumbers::default(),
            received: Window::new(REMEMBERED),
            sent: Window::new(SENT),
            acks: BTreeSet::new(),
            acks_due: None,
            announced: None,
            refused: None,
            mute: false,
        }
    }

    /// Takes the messages out of a packet that were not received before.
    ///
    /// The order of the checks is that of core.telegram.org/mtproto/security_guidelines; on an
    /// error nothing of the packet was used. `ping` is the number of the ping that waits for its
    /// pong.
    pub(crate) fn take(
        &mut self,
        now: Now,
        clock: &mut Clock,
        ping: Option<i64>,
        opened: Opened,
    ) -> Result<Vec<Message>, MessageError> {
        let Header { msg_id, seqno, .. } = opened.header;
        if msg_id & 1 == 0 {
            return Err(MessageError::Parity);
        }
        let outer = Message { msg_id, seqno, body: opened.body };
        match self.received.look(msg_id) {
            Seen::New => {}
            Seen::Before(()) => {
                self.acknowledge_again(outer, now);
                return Ok(Vec::new());
            }
            Seen::Forgotten => return Err(MessageError::Forgotten),
        }
        let refusal = self.check_clock(clock, msg_id, now);
        if !message::is_container(&outer.body) {
            if let Err(error) = refusal
                && !sets_clock(&outer, ping)
            {
                clock.miss();
                return Err(error);
            }
            return Ok(self.admit(outer, now).into_iter().collect());
        }
        let mut messages = message::unpack_container(outer.body)?;
        if messages.iter().any(|message| message.msg_id & 1 == 0) {
            return Err(MessageError::Parity);
        }
        if let Err(error) = refusal {
            let all = messages.len();
            messages.retain(|message| sets_clock(message, ping));
            if messages.len() < all {
                clock.miss();
            }
            if messages.is_empty() {
                return Err(error);
            }
        }
        self.received.insert(msg_id, ());
        Ok(messages.into_iter().filter_map(|message| self.admit(message, now)).collect())
    }

    /// Compares the id of a new message with the clock, or the clock with the id.
    fn check_clock(&self, clock: &mut Clock, msg_id: i64, now: Now) -> Result<(), MessageError> {
        let newest = self.received.highest().is_none_or(|highest| msg_id > highest);
        match message::age(msg_id, clock.time(now)) {
            Age::Fresh => clock.confirm(),
            Age::Old => return Err(MessageError::Old),
            // No server makes ids of a time that is yet to come.
            Age::Ahead if newest && !clock.is_synced() => clock.set_by(msg_id, now),
            Age::Ahead => return Err(MessageError::Ahead),
        }
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
        if self.mute {
            return;
        }
        self.acks.insert(msg_id);
        self.acks_due.get_or_insert(now.uptime + ACK_DELAY);
    }

    /// Whether a message of the server was received.
    pub(crate) fn has(&self, msg_id: i64) -> bool {
        self.received.look(msg_id) != Seen::New
    }

    /// The state of a message of the server, as `msgs_state_info` tells it.
    pub(crate) fn state(&self, msg_id: i64) -> u8 {
        match self.received.look(msg_id) {
            Seen::Before(()) => states::RECEIVED,
            Seen::Forgotten => states::FORGOTTEN,
            Seen::New if self.received.highest().is_none_or(|highest| msg_id > highest) => {
                states::TOO_HIGH
            }
            Seen::New => states::NOT_RECEIVED,
        }
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

    /// Says nothing more in it, and only listens.
    pub(crate) fn mute(&mut self) {
        self.mute = true;
        self.acks.clear();
        self.acks_due = None;
        self.questions = Questions::default();
    }

    /// Whether nothing can be said in it any more.
    pub(crate) fn is_mute(&self) -> bool {
        self.mute
    }

    /// Whether nothing is left to be said in it.
    pub(crate) fn is_still(&self) -> bool {
        self.acks.is_empty() && self.questions.is_empty()
    }

    /// When acknowledgements have to leave, or an answer about messages has to be there.
    pub(crate) fn wake(&self) -> Option<Duration> {
        [self.acks_due, self.questions.wake()].into_iter().flatten().min()
    }

    /// Makes the id and number of a message.
    pub(crate) fn number(&mut self, time: Duration, content: bool) -> (i64, i32) {
        (self.ids.next(time, Low::Client), self.numbers.next(content))
    }

    /// Adds a message with a new id to a parcel.
    pub(crate) fn add(
        &mut self,
        time: Duration,
        parcel: &mut Parcel,
        body: Bytes,
        content: bool,
    ) -> (i64, i32) {
        let (msg_id, seqno) = self.number(time, content);
        parcel.messages.push(Message { msg_id, seqno, body });
        (msg_id, seqno)
    }

    /// Adds a message whose id and number are made to a parcel.
    pub(crate) fn add_numbered(parcel: &mut Parcel, body: Bytes, (msg_id, seqno): (i64, i32)) {
        parcel.messages.push(Message { msg_id, seqno, body });
    }

    /// Adds a message that went out before to a parcel.
    pub(crate) fn add_again(parcel: &mut Parcel, body: Bytes, place: (i64, i32)) {
        Self::add_numbered(parcel, body, place);
        parcel.again = true;
    }

    /// Adds acknowledgements, if there is a packet to go with or they cannot wait.
    pub(crate) fn add_acks(&mut self, now: Now, time: Duration, parcel: &mut Parcel) {
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
        self.add(time, parcel, body, false);
        parcel.acks = acks;
    }

    /// Closes a parcel: gives the packet to be sealed and the id of its outermost message.
    pub(crate) fn close(
        &mut self,
        salt: i64,
        time: Duration,
        parcel: Parcel,
        rng: &mut ChaCha20Rng,
    ) -> (Draft, i64) {
        let Parcel { messages, acks, again } = parcel;
        let inner: Vec<i64> = messages.iter().map(|message| message.msg_id).collect();
        for msg_id in &inner {
            self.sent.insert(*msg_id, Sent::default());
        }
        if let ([message], false) = (messages.as_slice(), again) {
            let header = self.header(salt, message.msg_id, message.seqno);
            self.sent.insert(message.msg_id, Sent { inner: Vec::new(), acks });
            return (Draft::new(&header, &message.body, rng), message.msg_id);
        }
        let (msg_id, seqno) = self.number(time, false);
        self.sent.insert(msg_id, Sent { inner, acks });
        let header = self.header(salt, msg_id, seqno);
        (Draft::container(&header, messages, rng), msg_id)
    }

    fn header(&self, salt: i64, msg_id: i64, seqno: i32) -> Header {
        Header { salt, session_id: self.session_id, msg_id, seqno }
    }

    /// What is kept: messages of both sides, acknowledgements.
    pub(crate) fn census(&self) -> [usize; 3] {
        [self.received.len(), self.sent.len(), self.acks.len()]
    }
}

impl Parcel {
    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// How many more messages it may take, beside those that a connection adds at its end.
    pub(crate) fn room(&self) -> usize {
        message::MAX_MESSAGES.saturating_sub(self.messages.len() + LAST_MESSAGES)
    }
}

/// Whether a message may be out of the window of time, since it is there to correct the clock:
/// notices of the server, and the pong to a ping whose number nobody else knows.
fn sets_clock(message: &Message, ping: Option<i64>) -> bool {
    let id = message::constructor(&message.body);
    [types::BadServerSalt::ID, types::BadMsgNotification::ID, types::NewSessionCreated::ID]
        .contains(&id)
        || id == types::Pong::ID
            && ping.is_some_and(|ping| message.body.ends_with(&ping.to_le_bytes()))
}

/// A number that is not 0: some servers take that for none.
fn session_id(rng: &mut ChaCha20Rng) -> i64 {
    (rng.next_u64() | 1).cast_signed()
}

/// How many message ids of the server are remembered.
const REMEMBERED: usize = 4096;

/// How many of the own messages are remembered, for the case that they are refused: more than
/// one packet holds.
const SENT: usize = 2048;

/// How long an acknowledgement may wait for company.
const ACK_DELAY: Duration = Duration::from_secs(10);

/// How many acknowledgements may wait for company.
const MAX_WAITING_ACKS: usize = 64;

/// The most acknowledgements in one message.
const MAX_ACKS: usize = 2048;

/// The messages at the end of a packet: a ping, a question for salts, acknowledgements.
const LAST_MESSAGES: usize = 3;
