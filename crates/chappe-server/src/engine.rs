//! Where protocol and world meet: a pure machine that turns bytes of links into bytes of links.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use chappe_mtproto::{
    server::{
        LinkId, RpcFailure, Server as Protocol, ServerEvent, ServerInput, ServerOutput, SessionRef,
    },
    time::Now,
};

use crate::{
    rpc,
    world::{Caller, World},
};

/// What the listener has to do.
#[derive(Debug)]
pub(crate) enum Action {
    /// Send these bytes.
    Send(LinkId, Bytes),
    /// Send what is due, then close.
    Close(LinkId),
}

/// The protocol with a world behind it.
pub(crate) struct Engine {
    protocol: Protocol,
    world: World,
    site: rpc::Site,
    addresses: BTreeMap<LinkId, IpAddr>,
    /// Links whose key exchange could not be written down: nothing more is sent to them.
    muted: BTreeSet<LinkId>,
}

impl Engine {
    /// Puts a protocol in front of a world.
    pub(crate) fn new(protocol: Protocol, world: World, site: rpc::Site) -> Self {
        Self { protocol, world, site, addresses: BTreeMap::new(), muted: BTreeSet::new() }
    }

    /// A socket was accepted.
    pub(crate) fn accepted(&mut self, now: Now, link: LinkId, ip: IpAddr) {
        self.addresses.insert(link, ip);
        self.protocol.handle(now, ServerInput::Accepted(link));
    }

    /// Bytes arrived; what is left in the buffer is the beginning of a frame.
    pub(crate) fn received(&mut self, now: Now, link: LinkId, buffer: &mut BytesMut) {
        self.protocol.handle(now, ServerInput::Received(link, buffer));
    }

    /// A socket is gone.
    pub(crate) fn closed(&mut self, now: Now, link: LinkId) {
        self.forget_link(link);
        self.protocol.handle(now, ServerInput::Closed(link));
    }

    /// The time of the last drain has come.
    pub(crate) fn wake(&mut self, now: Now) {
        self.protocol.handle(now, ServerInput::Timeout);
    }

    /// Does what is due; tells the uptime to wake up at.
    pub(crate) fn drain(&mut self, now: Now, actions: &mut Vec<Action>) -> Option<Duration> {
        loop {
            match self.protocol.poll() {
                ServerOutput::Transmit(link, _) if self.muted.contains(&link) => {}
                ServerOutput::Transmit(link, bytes) => actions.push(Action::Send(link, bytes)),
                ServerOutput::Close(link) => {
                    self.forget_link(link);
                    actions.push(Action::Close(link));
                }
                ServerOutput::Event(event) => self.event(now, event),
                ServerOutput::Timeout(uptime) => return uptime,
            }
        }
    }

    fn event(&mut self, now: Now, event: ServerEvent) {
        let date = unix(now.unix);
        match event {
            ServerEvent::KeyCreated { key, expires, link } => {
                let expires = expires.map(unix);
                let kept = self.world.transaction(|world| world.add_key(date, &key, expires));
                if kept.is_err() {
                    // The client must not hear of a key that the next start would not know.
                    self.muted.insert(link);
                    self.protocol.forget_key(now, key.id());
                    self.protocol.close(now, link);
                }
            }
            ServerEvent::KeyWanted { auth_key_id, .. } => {
                let key = self.world.transaction(|world| world.key(date, auth_key_id));
                self.protocol.provide_key(now, auth_key_id, key.ok().flatten());
            }
            ServerEvent::KeyDestroyed { auth_key_id } => {
                // A failure is in the log; the protocol has forgotten the key in any case.
                let _ = self.world.transaction(|world| world.forget_key(auth_key_id));
            }
            ServerEvent::SessionDestroyed { session } => {
                self.world.end_session(session.auth_key_id, session.session_id);
            }
            ServerEvent::Request { session, msg_id, body, link } => {
                self.request(now, session, msg_id, &body, link);
            }
            _ => {}
        }
    }

    fn request(&mut self, now: Now, session: SessionRef, msg_id: i64, body: &Bytes, link: LinkId) {
        let caller = Caller {
            auth_key_id: session.auth_key_id,
            session_id: session.session_id,
            ip: self.addresses.get(&link).copied().unwrap_or(IpAddr::from([0, 0, 0, 0])),
        };
        let request = rpc::Request { now: unix(now.unix), caller, msg_id, body };
        let rpc::Reply { result, pushes } = rpc::answer(&mut self.world, &self.site, &request);
        let result = result.map_err(|failure| RpcFailure {
            code: failure.code,
            message: failure.message.into_owned(),
        });
        self.protocol.respond(now, session, msg_id, result);
        for rpc::Push { auth_key_id, session_id, body } in pushes {
            self.protocol.push(now, SessionRef { auth_key_id, session_id }, body);
        }
    }

    fn forget_link(&mut self, link: LinkId) {
        self.addresses.remove(&link);
        self.muted.remove(&link);
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("links", &self.addresses.len())
            .field("world", &self.world)
            .finish_non_exhaustive()
    }
}

/// Unix time as the API counts it.
pub(crate) fn unix(time: Duration) -> i32 {
    i32::try_from(time.as_secs()).unwrap_or(i32::MAX)
}
