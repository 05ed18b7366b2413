//! What a test wants to go wrong at the server.
//!
//! A stream of frames cannot lose one: obfuscation, numbers and checksums run through it. So packets
//! are lost, doubled, late or damaged between encryption and framing, where the server only asks
//! [`Faults`] what becomes of each. Without faults that question is one branch, and no byte differs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use bytes::BytesMut;
use chappe_tl::service::types;

use super::session::Session;
use super::{LinkId, Server, SessionRef, Timer};
use crate::handshake::server::Fault as HandshakeFault;
use crate::message::{self, Low, MessageIds};
use crate::salts::seconds;
use crate::time::Now;

/// Decides what goes wrong at a [`Server`]. By default nothing does.
pub trait Faults: fmt::Debug + Send {
    /// What becomes of a packet.
    fn packet(&mut self, now: Now, packet: &Passing<'_>) -> Fate {
        let _ = (now, packet);
        Fate::default()
    }

    /// The code by which a message of a good packet is refused: 48 is told as `bad_server_salt`, any
    /// other as `bad_msg_notification`.
    fn refuse(&mut self, now: Now, session: SessionRef) -> Option<i32> {
        let _ = (now, session);
        None
    }

    /// Whether the server behaves strangely this once. `session` is `None` in a key exchange.
    fn quirk(&mut self, now: Now, quirk: Quirk, session: Option<SessionRef>) -> bool {
        let _ = (now, quirk, session);
        false
    }
}

/// The way of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// From the server to the client.
    Down,
    /// From the client to the server.
    Up,
}

/// A packet on its way.
#[derive(Clone, Copy, Debug)]
pub struct Passing<'a> {
    /// Where it goes.
    pub way: Way,
    /// Its socket.
    pub link: LinkId,
    /// The key that it names, 0 in a key exchange.
    pub auth_key_id: i64,
    /// The sessions whose socket this is.
    pub sessions: &'a BTreeSet<SessionRef>,
    /// Its length, without the framing, in bytes.
    pub size: usize,
}

/// What becomes of a packet; by default it passes. All of it applies at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// It is lost.
    pub lost: bool,
    /// So many more of it come.
    pub copies: u8,
    /// It comes so much later.
    pub delay: Duration,
    /// It comes after the next one of its socket and way, or a second later if none comes.
    pub swapped: bool,
    /// This bit of it is flipped, counted from its beginning and around its end.
    pub flipped: Option<u64>,
    /// Only so many bytes of it come, a multiple of 4.
    pub cut: Option<usize>,
    /// Its socket gets this transport error instead and is closed.
    pub error: Option<i32>,
}

/// What a server may do that none does by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quirk {
    /// An answer of so many bytes is announced by `msg_detailed_info` and sent on request.
    Announce(usize),
    /// `new_session_created` comes twice.
    DoubleSession,
    /// `set_client_DH_params` is answered by `dh_gen_fail`.
    GenFail,
    /// `set_client_DH_params` is answered by `dh_gen_retry`, as often as the protocol allows.
    GenRetry,
    /// An answer is compressed although that makes it longer.
    Gzip,
    /// Acknowledgements do not leave.
    HoldAcks,
    /// A quick acknowledgement is not sent.
    NoQuickAck,
}

/// One session of a server, as [`Server::sessions`] tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionState {
    /// The session.
    pub session: SessionRef,
    /// Its socket, if it has one.
    pub link: Option<LinkId>,
    /// How many requests have no answer yet.
    pub running: usize,
    /// How many messages wait to be acknowledged by the client.
    pub kept: usize,
    /// How long those are, in bytes.
    pub kept_bytes: usize,
}

/// A packet that is late.
#[derive(Debug)]
pub(super) struct Late {
    way: Way,
    link: LinkId,
    packet: BytesMut,
    quick_ack: bool,
}

/// The packets that are late.
#[derive(Debug, Default)]
pub(super) struct LatePackets {
    last: u64,
    packets: BTreeMap<u64, (Duration, Late)>,
    /// Those that wait for the next one of their socket and way.
    swapped: BTreeMap<(LinkId, Way), u64>,
}

impl LatePackets {
    pub(super) fn len(&self) -> usize {
        self.packets.len()
    }

    fn take(&mut self, number: u64) -> Option<(Duration, Late)> {
        let (due, late) = self.packets.remove(&number)?;
        if self.swapped.get(&(late.link, late.way)) == Some(&number) {
            self.swapped.remove(&(late.link, late.way));
        }
        Some((due, late))
    }
}

impl Server {
    /// Lets things go wrong, or with `None` no more. What is late already stays late.
    pub fn set_faults(&mut self, faults: Option<Box<dyn Faults>>) {
        self.faults = faults;
    }

    /// Ends all salts of a key, or of every key: clients hear of the new ones by `bad_server_salt`.
    pub fn rotate_salts(&mut self, now: Now, auth_key_id: Option<i64>) {
        self.tick(now);
        self.salts.rotate(auth_key_id);
        for (id, key) in &mut self.keys {
            if auth_key_id.is_none_or(|wanted| wanted == *id) {
                key.first_salt = None;
            }
        }
    }

    /// Sets the server's clock wrong by so many seconds from now on: message ids, their window and
    /// the time in a key exchange follow, salts and the lifetime of keys too.
    pub fn skew_clock(&mut self, now: Now, seconds: i64) {
        self.skew = seconds;
        // Ids of a clock that went back would not tell a client what the time is here.
        self.ids = MessageIds::default();
        self.tick(now);
    }

    /// Forgets a session as a server does that was restarted: the next packet begins it anew, and
    /// answers that were not fetched are lost. `false` if there is none.
    pub fn forget_session(&mut self, now: Now, session: SessionRef) -> bool {
        self.tick(now);
        let known = self.sessions.contains_key(&session);
        self.destroy(session);
        known
    }

    /// Forgets what a session did not acknowledge; tells how many messages that were.
    pub fn drop_answers(&mut self, now: Now, session: SessionRef) -> usize {
        self.tick(now);
        self.sessions.get_mut(&session).map_or(0, Session::drop_kept)
    }

    /// Ends the time of a temporary key: its next packet is answered by -404. `false` if the key is
    /// permanent or not in memory.
    pub fn expire_key(&mut self, now: Now, auth_key_id: i64) -> bool {
        self.tick(now);
        let time = seconds(self.now.unix);
        let expires = self.keys.get_mut(&auth_key_id).and_then(|key| key.expires.as_mut());
        expires.map(|expires| *expires = time).is_some()
    }

    /// Sends a transport error, such as -404 or -429, and closes the socket.
    pub fn transport_error(&mut self, now: Now, link: LinkId, code: i32) {
        self.tick(now);
        self.refuse(link, code);
    }

    /// Answers a request once more, under another message id.
    pub fn respond_again(&mut self, now: Now, session: SessionRef, msg_id: i64) {
        self.tick(now);
        if let Some(body) = self.sessions.get(&session).and_then(|state| state.answer_of(msg_id)) {
            self.send_kept(session, Low::Answer, body, false);
        }
    }

    /// Does not send the answer that was just given to a request. It is kept and comes when it is
    /// asked for, by the request again or over another socket.
    pub fn withhold(&mut self, session: SessionRef, msg_id: i64) {
        if let Some(state) = self.sessions.get_mut(&session) {
            state.withhold(msg_id);
        }
    }

    /// All sessions, by key.
    pub fn sessions(&self) -> impl Iterator<Item = SessionState> {
        self.sessions.iter().map(|(session, state)| state.state_of(*session))
    }

    /// The sockets, and the sessions of each.
    pub fn links(&self) -> impl Iterator<Item = (LinkId, &BTreeSet<SessionRef>)> {
        self.links.iter().map(|(link, state)| (*link, &state.sessions))
    }

    /// The sessions of a socket; `None` if there is no such socket.
    pub fn sessions_of_link(&self, link: LinkId) -> Option<&BTreeSet<SessionRef>> {
        self.links.get(&link).map(|state| &state.sessions)
    }

    /// How many packets are late.
    pub fn late(&self) -> usize {
        self.late.len()
    }

    /// Whether the server behaves strangely this once.
    pub(super) fn quirk(&mut self, quirk: Quirk, session: Option<SessionRef>) -> bool {
        let now = self.now;
        self.faults.as_mut().is_some_and(|faults| faults.quirk(now, quirk, session))
    }

    /// Passes a packet on as the faults have it.
    pub(super) fn pass(&mut self, link_id: LinkId, way: Way, packet: BytesMut, quick_ack: bool) {
        let (now, none) = (self.now, BTreeSet::new());
        let Some(faults) = &mut self.faults else {
            return self.arrive(Late { way, link: link_id, packet, quick_ack });
        };
        let fate = faults.packet(
            now,
            &Passing {
                way,
                link: link_id,
                auth_key_id: crate::packet::auth_key_id(&packet).unwrap_or(0),
                sessions: self.links.get(&link_id).map_or(&none, |link| &link.sessions),
                size: packet.len(),
            },
        );
        if let Some(code) = fate.error {
            return self.refuse(link_id, code);
        }
        let before = self.late.swapped.remove(&(link_id, way));
        if !fate.lost {
            for copy in 0..=fate.copies {
                let late = Late { way, link: link_id, packet: damaged(&packet, fate), quick_ack };
                let swapped = fate.swapped && before.is_none() && copy == 0;
                if swapped || fate.delay > Duration::ZERO {
                    self.postpone(late, fate.delay, swapped);
                } else {
                    self.arrive(late);
                }
            }
        }
        if let Some((due, late)) = before.and_then(|number| self.late.take(number)) {
            if let Some(number) = before {
                self.timers.remove(&(due, Timer::Late(number)));
            }
            self.arrive(late);
        }
    }

    fn postpone(&mut self, late: Late, delay: Duration, swapped: bool) {
        if self.late.len() >= MAX_LATE {
            return self.arrive(late);
        }
        self.late.last += 1;
        let number = self.late.last;
        let due = self.now.uptime + if swapped { delay + SWAP } else { delay };
        self.timers.insert((due, Timer::Late(number)));
        if swapped {
            self.late.swapped.insert((late.link, late.way), number);
        }
        self.late.packets.insert(number, (due, late));
    }

    /// The time of a late packet has come.
    pub(super) fn overdue(&mut self, number: u64) {
        if let Some((_, late)) = self.late.take(number) {
            self.arrive(late);
        }
    }

    /// A socket is gone: nothing late comes over it.
    pub(super) fn forget_late(&mut self, link_id: LinkId) {
        let late: Vec<u64> = self
            .late
            .packets
            .iter()
            .filter(|(_, (_, late))| late.link == link_id)
            .map(|(number, _)| *number)
            .collect();
        for number in late {
            if let Some((due, _)) = self.late.take(number) {
                self.timers.remove(&(due, Timer::Late(number)));
            }
        }
    }

    fn arrive(&mut self, late: Late) {
        let Late { way, link, packet, quick_ack } = late;
        match way {
            Way::Down => self.transmit_plain(link, &packet),
            Way::Up if self.links.contains_key(&link) => self.packet(link, packet, quick_ack),
            Way::Up => {}
        }
    }

    /// What the next answer to `set_client_DH_params` is to feign.
    pub(super) fn feign(&mut self, body: &[u8]) {
        if self.faults.is_none() {
            return;
        }
        let concluding = message::constructor(body) == chappe_tl::service::SetClientDhParams::ID;
        let fault = if concluding && self.quirk(Quirk::GenFail, None) {
            HandshakeFault::GenFail
        } else if concluding && self.quirk(Quirk::GenRetry, None) {
            HandshakeFault::GenRetry(u8::MAX)
        } else {
            return;
        };
        self.handshake.feign(fault);
    }

    /// Announces an answer instead of sending it.
    pub(super) fn announce(&mut self, session_ref: SessionRef, req_msg_id: i64, answer: i64) {
        let Some(session) = self.sessions.get_mut(&session_ref) else {
            return;
        };
        let Some(length) = session.withhold(req_msg_id) else {
            return;
        };
        let notice = types::MsgDetailedInfo {
            msg_id: req_msg_id,
            answer_msg_id: answer,
            bytes: i32::try_from(length).unwrap_or(i32::MAX),
            // "Always 0 at the moment", core.telegram.org/mtproto/service_messages_about_messages.
            status: 0,
        };
        self.send(session_ref, &notice);
    }
}

/// A packet as it arrives.
fn damaged(packet: &BytesMut, fate: Fate) -> BytesMut {
    let mut packet = packet.clone();
    if let Some(bit) = fate.flipped
        && let Ok(bits) = u64::try_from(packet.len() * 8)
        && let Some(bit) = bit.checked_rem(bits)
        && let Some(byte) = usize::try_from(bit / 8).ok().and_then(|at| packet.get_mut(at))
    {
        *byte ^= 1 << (bit % 8);
    }
    if let Some(length) = fate.cut {
        packet.truncate(length / 4 * 4);
    }
    packet
}

/// How long a packet waits for the one that it is swapped with.
const SWAP: Duration = Duration::from_secs(1);

/// How many packets may be late.
const MAX_LATE: usize = 4096;
