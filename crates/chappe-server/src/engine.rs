//! Where protocol and world meet: a pure machine that turns bytes of links into bytes of links.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use chappe_mtproto::{
    server::{
        LinkId, RpcFailure, Server as Protocol, ServerEvent, ServerInput, ServerOutput, SessionRef,
    },
    time::Now,
};
use tokio::sync::watch;

use crate::{
    failure::{self, Failure},
    faults::{Gate, Outcome, Place, Trouble, Verdict, spoil},
    rpc,
    world::{Caller, World},
};

/// How long a bot may take to say what a button does. Assumed.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// The ends of a link that is gone already.
const NOWHERE: Ends = Ends {
    from: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    dialled: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
    dc: 0,
};

/// Between whom a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    /// Where the client is.
    pub(crate) from: IpAddr,
    /// The address that it dialled.
    pub(crate) dialled: SocketAddr,
    /// The data centre there.
    pub(crate) dc: i32,
}

impl Ends {
    /// The ends of a socket. A socket for both protocols tells IPv4 addresses as IPv6 ones, which
    /// a client could not dial over IPv4.
    pub(crate) fn new(from: IpAddr, dialled: SocketAddr, dc: i32) -> Self {
        let dialled = SocketAddr::new(dialled.ip().to_canonical(), dialled.port());
        Self { from: from.to_canonical(), dialled, dc }
    }
}

/// What the listener has to do.
#[derive(Debug)]
pub(crate) enum Action {
    /// Send these bytes.
    Send(LinkId, Bytes),
    /// Send what is due, then close.
    Close(LinkId),
}

/// The protocol of every data centre, with one world behind them.
pub(crate) struct Engine {
    /// By data centre. A link belongs to one of them, and so does a key.
    pub(crate) protocols: BTreeMap<i32, Protocol>,
    pub(crate) world: World,
    site: rpc::Site,
    /// What goes wrong on demand, and the log of calls.
    pub(crate) faults: Trouble,
    /// Tells the number of the last letter.
    post: watch::Sender<i64>,
    /// Tells the number of the last login request.
    asked: watch::Sender<i64>,
    links: BTreeMap<LinkId, Ends>,
    /// Links whose key exchange could not be written down: nothing more is sent to them.
    muted: BTreeSet<LinkId>,
    /// How many seconds the world is ahead of the clock, because time was ordered to pass.
    pub(crate) ahead: i32,
    /// The time of the world in place of the clock's, unix seconds.
    pub(crate) stands_at: Option<i32>,
    /// Requests that wait for what a bot says, by question.
    waiting: BTreeMap<i64, Waiting>,
}

/// A request that waits for what a bot says.
struct Waiting {
    dc: i32,
    session: SessionRef,
    msg_id: i64,
    /// The uptime at which it is over.
    until: Duration,
    waits: rpc::Waits,
    /// What goes wrong with the answer.
    verdict: Verdict,
}

impl Engine {
    /// Puts protocols in front of a world, by data centre.
    pub(crate) fn new(protocols: BTreeMap<i32, Protocol>, world: World, site: rpc::Site) -> Self {
        let post = watch::Sender::new(world.last_letter());
        // A failure of the database is in the log when the first request meets it.
        let asked = watch::Sender::new(world.last_url_auth().unwrap_or_default());
        Self {
            protocols,
            world,
            site,
            faults: Trouble::default(),
            post,
            asked,
            links: BTreeMap::new(),
            muted: BTreeSet::new(),
            ahead: 0,
            stands_at: None,
            waiting: BTreeMap::new(),
        }
    }

    /// Tells the number of the last letter whenever there is a new one.
    pub(crate) fn post(&self) -> watch::Receiver<i64> {
        self.post.subscribe()
    }

    /// Tells the number of the last login request whenever there is a new one.
    pub(crate) fn asked(&self) -> watch::Receiver<i64> {
        self.asked.subscribe()
    }

    /// A socket was accepted.
    pub(crate) fn accepted(&mut self, now: Now, link: LinkId, ends: Ends) {
        self.links.insert(link, ends);
        self.input(now, ends.dc, ServerInput::Accepted(link));
    }

    /// Bytes arrived; what is left in the buffer is the beginning of a frame.
    pub(crate) fn received(&mut self, now: Now, link: LinkId, buffer: &mut BytesMut) {
        self.input(now, self.ends(link).dc, ServerInput::Received(link, buffer));
    }

    /// A socket is gone.
    pub(crate) fn closed(&mut self, now: Now, link: LinkId) {
        let dc = self.ends(link).dc;
        self.forget_link(link);
        self.input(now, dc, ServerInput::Closed(link));
    }

    /// The time of the last drain has come.
    pub(crate) fn wake(&mut self, now: Now) {
        self.send_late(now);
        let over: Vec<_> = self
            .waiting
            .iter()
            .filter(|(_, it)| it.until <= now.uptime)
            .map(|(id, _)| *id)
            .collect();
        for query_id in over {
            self.end_waiting(now, query_id, None);
        }
        for protocol in self.protocols.values_mut() {
            protocol.handle(now, ServerInput::Timeout);
        }
    }

    /// Whether a new socket of a data centre is closed at once.
    pub(crate) fn refuses(&self, now: Now, dc: i32) -> bool {
        self.faults.any && self.faults.book.rules().refuses(now, dc)
    }

    /// Whether sockets may not do as they want.
    pub(crate) fn has_gates(&self) -> bool {
        self.faults.any && self.faults.book.rules().are_of_sockets()
    }

    /// What a socket may do that has carried so many bytes up and down.
    pub(crate) fn gate(&self, now: Now, link: LinkId, carried: (u64, u64)) -> Gate {
        let none = BTreeSet::new();
        let dc = self.ends(link).dc;
        let sessions = self.protocols.get(&dc).and_then(|dc| dc.sessions_of_link(link));
        let place = Place { dc, auth_key_id: 0, sessions: sessions.unwrap_or(&none) };
        self.faults.book.rules().gate(now, link, place, carried)
    }

    /// Does what is due; tells the uptime to wake up at.
    pub(crate) fn drain(&mut self, now: Now, actions: &mut Vec<Action>) -> Option<Duration> {
        // What happens in one data centre may be told in another.
        loop {
            let (mut wake, mut busy) = (None, false);
            for dc in self.world.dcs().ids() {
                while let Some(protocol) = self.protocols.get_mut(&dc) {
                    match protocol.poll() {
                        ServerOutput::Timeout(uptime) => {
                            wake = [wake, uptime].into_iter().flatten().min();
                            break;
                        }
                        output => self.output(now, dc, output, actions),
                    }
                    busy = true;
                }
            }
            if !busy {
                let last = self.world.last_letter();
                self.post.send_if_modified(|told| std::mem::replace(told, last) != last);
                self.tell_idle();
                let over = self.waiting.values().map(|it| it.until).min();
                return [wake, self.faults.next(now), over].into_iter().flatten().min();
            }
        }
    }

    fn output(&mut self, now: Now, dc: i32, output: ServerOutput, actions: &mut Vec<Action>) {
        match output {
            ServerOutput::Transmit(link, _) if self.muted.contains(&link) => {}
            ServerOutput::Transmit(link, bytes) => actions.push(Action::Send(link, bytes)),
            ServerOutput::Close(link) => {
                self.forget_link(link);
                actions.push(Action::Close(link));
            }
            ServerOutput::Event(event) => self.event(now, dc, event),
            ServerOutput::Timeout(_) => {}
        }
    }

    fn event(&mut self, now: Now, dc: i32, event: ServerEvent) {
        let date = self.date(now);
        let Some(protocol) = self.protocols.get_mut(&dc) else { return };
        match event {
            ServerEvent::KeyCreated { key, expires, link } => {
                let expires = expires.map(unix);
                let kept = self.world.transaction(|world| world.add_key(date, dc, &key, expires));
                if kept.is_err() {
                    // The client must not hear of a key that the next start would not know.
                    self.muted.insert(link);
                    protocol.forget_key(now, key.id());
                    protocol.close(now, link);
                }
            }
            ServerEvent::KeyWanted { auth_key_id, link } => {
                match self.world.transaction(|world| world.key(date, dc, auth_key_id)) {
                    Ok(key) => protocol.provide_key(now, auth_key_id, key),
                    // Whether there is such a key is not known. To say that there is none would
                    // make the client throw it away.
                    Err(_) => protocol.close(now, link),
                }
            }
            ServerEvent::KeyDestroyed { auth_key_id } => {
                // A failure is in the log; the protocol has forgotten the key in any case.
                let bound = self.world.transaction(|world| world.forget_key(auth_key_id));
                for temporary in bound.unwrap_or_default() {
                    protocol.forget_key(now, temporary);
                }
            }
            ServerEvent::SessionDestroyed { session } => {
                self.world.end_session(session.auth_key_id, session.session_id);
            }
            ServerEvent::Request { session, msg_id, body, link } => {
                self.request(now, session, msg_id, &body, link);
            }
            ServerEvent::RequestRepeated { session, msg_id } => {
                self.faults.log.repeated(session, msg_id);
            }
            _ => {}
        }
    }

    fn request(&mut self, now: Now, session: SessionRef, msg_id: i64, body: &Bytes, link: LinkId) {
        let Ends { from: ip, dialled, dc } = self.ends(link);
        let SessionRef { auth_key_id, session_id } = session;
        let caller = Caller { auth_key_id, dc, session_id, ip };
        let date = self.date(now);
        let request = rpc::Request { now: date, caller, dialled, msg_id, body };
        let verdict = match self.faults.any {
            true => self.judge(now, caller, body),
            false => Verdict::default(),
        };
        let spared = verdict.refused.is_none() && !verdict.ignored;
        let rpc::Reply { method, result, pushes, gone, waits, answers } = match &verdict.refused {
            _ if spared => rpc::answer(&mut self.world, &self.site, &request),
            failure => rpc::refuse(&mut self.world, &request, failure.clone()),
        };
        let result = result.map_err(refusal);
        let outcome = Outcome {
            executed: spared && result.is_ok(),
            answered: !verdict.ignored,
            error: result.as_ref().err().map(|failure| failure.message.clone()),
        };
        self.faults.log.add(date, dc, &method, session, msg_id, outcome);
        if self.faults.any && self.faults.book.rules().ask_who() {
            self.meet(session.auth_key_id);
        }
        if let Some(waits) = waits {
            let until = now.uptime + ANSWER_TIME;
            let query_id = waits.query_id;
            let waiting = Waiting { dc, session, msg_id, until, waits, verdict };
            self.waiting.insert(query_id, waiting);
        } else if self.faults.any {
            if !verdict.ignored {
                let result = result.map(|answer| spoil(answer, &verdict));
                self.answer(now, dc, session, msg_id, result, verdict);
            }
        } else if let Some(protocol) = self.protocols.get_mut(&dc) {
            protocol.respond(now, session, msg_id, result);
        }
        self.push(now, pushes);
        for (query_id, answer) in answers {
            self.end_waiting(now, query_id, Some(answer));
        }
        for key in gone {
            for protocol in self.protocols.values_mut() {
                protocol.forget_key(now, key);
            }
        }
    }

    /// Does something to the world that no request asks for, as one transaction, and tells the
    /// sessions what they have to hear of it.
    ///
    /// # Errors
    /// The refusal, or that the database failed: then nothing of it stays.
    pub(crate) fn run<T>(
        &mut self,
        now: Now,
        work: impl FnOnce(&mut World, i32) -> failure::Outcome<T>,
    ) -> Result<T, Failure> {
        let date = self.date(now);
        let result = self.world.transaction(|world| work(world, date));
        let pushes = rpc::deliver(&mut self.world);
        self.push(now, pushes);
        // Sites ask by pages, and those come this way.
        if let Ok(last) = self.world.last_url_auth() {
            self.asked.send_if_modified(|told| std::mem::replace(told, last) != last);
        }
        result
    }

    /// Answers a request that waits for what a bot says; with `None` the bot took too long.
    fn end_waiting(&mut self, now: Now, query_id: i64, answer: Option<Bytes>) {
        self.world.forget_query(query_id);
        let Some(waiting) = self.waiting.remove(&query_id) else { return };
        let Waiting { dc, session, msg_id, waits, verdict, .. } = waiting;
        let result = waits.end(answer).map(|answer| spoil(answer, &verdict)).map_err(refusal);
        self.answer(now, dc, session, msg_id, result, verdict);
    }

    fn push(&mut self, now: Now, pushes: Vec<rpc::Push>) {
        // A session is in one data centre; the others do not know it.
        for rpc::Push { auth_key_id, session_id, body } in pushes {
            for protocol in self.protocols.values_mut() {
                protocol.push(now, SessionRef { auth_key_id, session_id }, body.clone());
            }
        }
    }

    /// The time of the world, unix seconds.
    pub(crate) fn date(&self, now: Now) -> i32 {
        self.stands_at.unwrap_or_else(|| unix(now.unix)).saturating_add(self.ahead)
    }

    fn input(&mut self, now: Now, dc: i32, input: ServerInput<'_>) {
        if let Some(protocol) = self.protocols.get_mut(&dc) {
            protocol.handle(now, input);
        }
    }

    fn ends(&self, link: LinkId) -> Ends {
        self.links.get(&link).copied().unwrap_or(NOWHERE)
    }

    /// What becomes of a request that faults may concern.
    fn judge(&self, now: Now, caller: Caller, body: &Bytes) -> Verdict {
        let method = rpc::method_of(&self.world, caller, body);
        let Caller { auth_key_id, session_id, dc, .. } = caller;
        let who = self.world.key_state(auth_key_id).ok().flatten().and_then(|key| key.user_id);
        let who = who.unwrap_or(auth_key_id);
        let sessions = BTreeSet::from([SessionRef { auth_key_id, session_id }]);
        let place = Place { dc, auth_key_id, sessions: &sessions };
        self.faults.book.rules().request(now, place, &method, who)
    }

    fn forget_link(&mut self, link: LinkId) {
        if self.faults.any {
            self.faults.book.rules().forget_link(link);
        }
        self.links.remove(&link);
        self.muted.remove(&link);
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("links", &self.links.len())
            .field("world", &self.world)
            .finish_non_exhaustive()
    }
}

/// A refusal as the protocol tells it.
fn refusal(failure: Failure) -> RpcFailure {
    RpcFailure { code: failure.code, message: failure.message.into_owned() }
}

/// Unix time as the API counts it.
pub(crate) fn unix(time: Duration) -> i32 {
    i32::try_from(time.as_secs()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use chappe_crypto::rsa::PrivateKey;
    use chappe_mtproto::{
        connection::{Config, Connection, Event, Input, Output},
        server::ServerConfig,
    };
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;
    use crate::world::{Dcs, Origin, test_code};

    fn engine(protocol: Protocol, world: World) -> Engine {
        Engine::new(BTreeMap::from([(2, protocol)]), world, rpc::Site::new(Vec::new(), Vec::new()))
    }

    /// Exchanges bytes until nobody has more to say; tells whether the client got a key.
    fn exchange(world: World) -> (bool, bool) {
        let key = PrivateKey::generate(&mut ChaCha20Rng::from_seed([1; 32]));
        let config = Config { server_keys: vec![key.public().clone()], ..Config::default() };
        let protocol =
            Protocol::new(ServerConfig { keys: vec![key], ..ServerConfig::default() }, [2; 32]);
        let mut engine = engine(protocol, world);
        let now = Now::new(Duration::from_secs(1), Duration::from_secs(1_800_000_000));
        let mut client = Connection::new(config, None, [3; 32], now);
        let link = LinkId(1);
        engine.accepted(now, link, Ends { dc: 2, ..NOWHERE });
        client.handle(now, Input::Connected).unwrap();
        let (mut up, mut down) = (BytesMut::new(), BytesMut::new());
        let (mut created, mut closed) = (false, false);
        loop {
            loop {
                match client.poll() {
                    Output::Transmit(bytes) => up.extend_from_slice(&bytes),
                    Output::Event(Event::KeyCreated(_)) => created = true,
                    Output::Event(_) => {}
                    Output::Timeout(_) => break,
                }
            }
            if up.is_empty() || closed || created {
                return (created, closed);
            }
            engine.received(now, link, &mut up);
            let mut actions = Vec::new();
            engine.drain(now, &mut actions);
            for action in actions {
                match action {
                    Action::Send(_, bytes) => down.extend_from_slice(&bytes),
                    Action::Close(_) => closed = true,
                }
            }
            client.handle(now, Input::Received(&mut down)).unwrap();
        }
    }

    fn world() -> World {
        let origin = Origin { directory: None, seed: [4; 32], codes: test_code, dcs: Dcs::one(2) };
        World::open(origin, 1_800_000_000).unwrap()
    }

    /// What a client hears that comes with a key that is not in memory.
    fn answer_to_a_strange_key(world: World) -> Vec<Action> {
        let config = ServerConfig {
            keys: vec![PrivateKey::generate(&mut ChaCha20Rng::from_seed([1; 32]))],
            ..ServerConfig::default()
        };
        let mut engine = engine(Protocol::new(config, [2; 32]), world);
        let now = Now::new(Duration::from_secs(1), Duration::from_secs(1_800_000_000));
        engine.accepted(now, LinkId(1), Ends { dc: 2, ..NOWHERE });
        // Abridged framing, a packet of 80 bytes.
        let mut bytes = BytesMut::from(&[0xef, 20][..]);
        bytes.extend_from_slice(&[7; 80]);
        engine.received(now, LinkId(1), &mut bytes);
        let mut actions = Vec::new();
        engine.drain(now, &mut actions);
        actions
    }

    #[test]
    fn a_key_that_cannot_be_looked_up_is_not_denied() {
        let denied = answer_to_a_strange_key(world());
        let code: &[u8] = &(-404_i32).to_le_bytes();
        assert!(
            matches!(&denied[..], [Action::Send(_, bytes), Action::Close(_)] if bytes.ends_with(code)),
            "{denied:?}"
        );
        let broken = world();
        broken.lose_keys();
        let silent = answer_to_a_strange_key(broken);
        assert!(matches!(&silent[..], [Action::Close(_)]), "{silent:?}");
    }

    #[test]
    fn addresses_are_told_as_they_can_be_dialled() {
        let mapped: SocketAddr = "[::ffff:127.0.0.1]:4430".parse().unwrap();
        let ends = Ends::new(mapped.ip(), mapped, 2);
        assert_eq!(ends.from, Ipv4Addr::LOCALHOST);
        assert_eq!(ends.dialled.to_string(), "127.0.0.1:4430");
        let six: SocketAddr = "[::1]:4430".parse().unwrap();
        assert_eq!(Ends::new(six.ip(), six, 2).dialled, six);
    }

    #[test]
    fn a_key_is_written_down_before_the_client_hears_of_it() {
        assert_eq!(exchange(world()), (true, false));
        let broken = world();
        broken.lose_keys();
        assert_eq!(exchange(broken), (false, true));
    }
}
