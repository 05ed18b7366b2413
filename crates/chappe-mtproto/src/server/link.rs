//! One socket at the server: accepted, recognised, hung up.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tracing::debug;

use super::{LinkId, Server, ServerOutput, SessionRef, Timer, Way};
use crate::transport::{Frame, Transport};

/// One socket.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) transport: Transport,
    /// The key that the driver was asked for.
    pub(super) waits_for: Option<i64>,
    /// The sessions whose socket this is.
    pub(super) sessions: BTreeSet<SessionRef>,
    /// Packets that wait for that key.
    pub(super) parked: VecDeque<(BytesMut, bool)>,
    /// Whether a packet of a known key came: whoever sends none is not waited for as long.
    pub(super) trusted: bool,
    /// Broken rules so far.
    pub(super) strikes: u32,
    /// Whether the obfuscated header was compared with those of others.
    recognised: bool,
    heard: Duration,
    /// When to hang up, by the last `ping_delay_disconnect`.
    hang_up: Option<Duration>,
    /// When its timer is set for.
    armed: Option<Duration>,
}

/// The obfuscated headers that were seen: each is random, so a second one is a replay.
#[derive(Debug, Default)]
pub(super) struct Headers {
    seen: BTreeSet<[u8; 48]>,
    order: VecDeque<[u8; 48]>,
}

impl Link {
    fn new(now: Duration) -> Self {
        Self {
            transport: Transport::server(),
            waits_for: None,
            sessions: BTreeSet::new(),
            parked: VecDeque::new(),
            trusted: false,
            strikes: 0,
            recognised: false,
            heard: now,
            hang_up: None,
            armed: None,
        }
    }

    fn deadline(&self, idle: Duration) -> Duration {
        let patience = if self.trusted { idle } else { idle.min(STRANGER) };
        let silent = self.heard.saturating_add(patience);
        self.hang_up.map_or(silent, |hang_up| hang_up.min(silent))
    }
}

impl Headers {
    pub(super) fn len(&self) -> usize {
        self.seen.len()
    }

    /// Remembers a header; `false` if it was seen before.
    fn insert(&mut self, header: [u8; 48]) -> bool {
        if !self.seen.insert(header) {
            return false;
        }
        self.order.push_back(header);
        if self.order.len() > MAX_HEADERS
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        true
    }
}

impl Server {
    pub(super) fn accepted(&mut self, link_id: LinkId) {
        self.links.insert(link_id, Link::new(self.now.uptime));
        self.arm(link_id);
    }

    pub(super) fn received(&mut self, link_id: LinkId, input: &mut BytesMut) {
        if let Some(link) = self.links.get_mut(&link_id) {
            link.heard = self.now.uptime;
        }
        while let Some(link) = self.links.get_mut(&link_id) {
            let frame = link.transport.receive(input);
            if !link.recognised
                && let Some(header) = link.transport.obfuscated_header()
            {
                link.recognised = true;
                if !self.headers.insert(*header) {
                    debug!(link = link_id.0, "an obfuscated stream was replayed");
                    self.hang_up(link_id);
                    break;
                }
            }
            match frame {
                Ok(None) => return,
                Ok(Some(Frame::Packet { payload, quick_ack })) if self.faults.is_some() => {
                    self.pass(link_id, Way::Up, payload, quick_ack);
                }
                Ok(Some(Frame::Packet { payload, quick_ack })) => {
                    self.packet(link_id, payload, quick_ack);
                }
                Ok(Some(_)) => {}
                Err(error) => {
                    debug!(link = link_id.0, %error, "broken framing");
                    self.hang_up(link_id);
                }
            }
        }
        input.clear();
    }

    /// Closes a socket when its time has come.
    pub(super) fn look_after(&mut self, link_id: LinkId) {
        let Some(link) = self.links.get_mut(&link_id) else {
            return;
        };
        link.armed = None;
        if link.deadline(self.config.idle_timeout) <= self.now.uptime {
            self.hang_up(link_id);
        } else {
            self.arm(link_id);
        }
    }

    /// `ping_delay_disconnect`: the last one counts.
    pub(super) fn hang_up_in(&mut self, link_id: LinkId, delay: i32) {
        if let Some(link) = self.links.get_mut(&link_id) {
            let delay = Duration::from_secs(u64::try_from(delay).unwrap_or(0));
            link.hang_up = Some(self.now.uptime + delay);
            self.arm(link_id);
        }
    }

    fn arm(&mut self, link_id: LinkId) {
        let Some(link) = self.links.get_mut(&link_id) else {
            return;
        };
        let deadline = link.deadline(self.config.idle_timeout);
        if link.armed.is_none_or(|armed| deadline < armed) {
            if let Some(later) = link.armed.replace(deadline) {
                self.timers.remove(&(later, Timer::Link(link_id)));
            }
            self.timers.insert((deadline, Timer::Link(link_id)));
        }
    }

    /// Sends a transport error and closes the socket.
    pub(super) fn refuse(&mut self, link_id: LinkId, code: i32) {
        if let Some(link) = self.links.get_mut(&link_id) {
            let mut out = BytesMut::new();
            if link.transport.pack_error(code, &mut out).is_ok() {
                self.output.push_back(ServerOutput::Transmit(link_id, out.freeze()));
            }
        }
        self.hang_up(link_id);
    }

    /// Closes a socket.
    pub(super) fn hang_up(&mut self, link_id: LinkId) {
        if self.links.contains_key(&link_id) {
            self.detach(link_id);
            self.output.push_back(ServerOutput::Close(link_id));
        }
    }

    /// Counts a broken rule.
    pub(super) fn strike(&mut self, link_id: LinkId) {
        let Some(link) = self.links.get_mut(&link_id) else {
            return;
        };
        link.strikes += 1;
        if link.strikes >= MAX_STRIKES {
            self.hang_up(link_id);
        }
    }

    /// A socket is gone; its sessions stay.
    pub(super) fn detach(&mut self, link_id: LinkId) {
        let Some(link) = self.links.remove(&link_id) else {
            return;
        };
        for session in link.sessions {
            if let Some(session) = self.sessions.get_mut(&session) {
                session.link = None;
            }
        }
        if let Some(armed) = link.armed {
            self.timers.remove(&(armed, Timer::Link(link_id)));
        }
        if self.late.len() > 0 {
            self.forget_late(link_id);
        }
        if let Some(auth_key_id) = link.waits_for {
            self.wanted.remove(&(auth_key_id, link_id));
        }
    }

    pub(super) fn transmit_plain(&mut self, link_id: LinkId, packet: &[u8]) {
        if let Some(link) = self.links.get_mut(&link_id) {
            let mut out = BytesMut::new();
            if link.transport.pack(packet, false, &mut self.rng, &mut out).is_ok() {
                self.output.push_back(ServerOutput::Transmit(link_id, out.freeze()));
            }
        }
    }

    pub(super) fn transmit_quick_ack(&mut self, link_id: LinkId, token: u32) {
        if let Some(link) = self.links.get_mut(&link_id) {
            let mut out = BytesMut::new();
            if link.transport.pack_quick_ack(token, &mut out).is_ok() && !out.is_empty() {
                let bytes: Bytes = out.freeze();
                self.output.push_back(ServerOutput::Transmit(link_id, bytes));
            }
        }
    }
}

/// How long a socket may be silent before it showed a key.
const STRANGER: Duration = Duration::from_secs(60);

/// How many obfuscated headers are remembered.
const MAX_HEADERS: usize = 4096;

/// How many broken rules cost a socket.
const MAX_STRIKES: u32 = 32;
