//! What goes wrong at the server on demand, and what a client sees of it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::raw::{RawClient, SESSION, container, id_at, seal};
use crate::common::{Pair, RSA, START, auth_key, body, client_config, secs, server_config};
use bytes::{Bytes, BytesMut};
use chappe_crypto::Side;
use chappe_mtproto::connection::Config;
use chappe_mtproto::handshake::client::{Handshake, Mode, Step};
use chappe_mtproto::message::Message;
use chappe_mtproto::packet;
use chappe_mtproto::server::{
    Fate, Faults, LinkId, Passing, Quirk, ServerEvent, ServerInput, ServerOutput, SessionRef, Way,
};
use chappe_mtproto::time::Now;
use chappe_mtproto::transport::Framing;
use chappe_tl::service::{self, RpcResult, types};
use chappe_tl::{Decode, Encode};

/// Fates in the order in which packets of one way meet them, and what else goes wrong.
#[derive(Debug)]
struct Script {
    way: Way,
    fates: Arc<Mutex<VecDeque<Fate>>>,
    refusals: VecDeque<i32>,
    quirk: Option<Quirk>,
    /// How often the quirk shows.
    times: u32,
}

impl Faults for Script {
    fn packet(&mut self, _: Now, packet: &Passing<'_>) -> Fate {
        assert!(packet.size > 0 && packet.link.0 > 0);
        let meant = packet.way == self.way;
        meant.then(|| self.fates.lock().unwrap().pop_front()).flatten().unwrap_or_default()
    }

    fn refuse(&mut self, _: Now, session: SessionRef) -> Option<i32> {
        assert_ne!(session.auth_key_id, 0);
        self.refusals.pop_front()
    }

    fn quirk(&mut self, _: Now, quirk: Quirk, _: Option<SessionRef>) -> bool {
        let meant = match (self.quirk, quirk) {
            (Some(Quirk::Announce(least)), Quirk::Announce(size)) => size > least,
            (wanted, quirk) => wanted == Some(quirk),
        };
        let shows = meant && self.times > 0;
        self.times -= u32::from(shows);
        shows
    }
}

fn script(way: Way, fates: impl IntoIterator<Item = Fate>) -> Box<Script> {
    let fates = Arc::new(Mutex::new(fates.into_iter().collect()));
    Box::new(Script { way, fates, refusals: VecDeque::new(), quirk: None, times: 0 })
}

fn quirky(quirk: Quirk, times: u32) -> Box<Script> {
    Box::new(Script { quirk: Some(quirk), times, ..*script(Way::Up, []) })
}

fn lost() -> Fate {
    Fate { lost: true, ..Fate::default() }
}

/// A client whose session is known.
fn client() -> RawClient {
    let mut client = RawClient::new();
    client.serve(&service::Ping { ping_id: 0 });
    client.messages.clear();
    client
}

/// The numbers of the pings that were answered.
fn pongs(client: &mut RawClient) -> Vec<i64> {
    client.all::<types::Pong>().iter().map(|pong| pong.ping_id).collect()
}

fn ping(client: &mut RawClient, ping_id: i64) {
    client.serve(&service::Ping { ping_id });
}

#[test]
fn packets_are_lost_doubled_late_and_swapped_in_both_ways() {
    let late = Fate { delay: secs(5), ..Fate::default() };
    let doubled = Fate { copies: 1, ..Fate::default() };
    let swapped = Fate { swapped: true, ..Fate::default() };
    for way in [Way::Up, Way::Down] {
        let mut client = client();
        client.server.set_faults(Some(script(way, [lost(), Fate::default(), late])));
        for number in 1..=4 {
            ping(&mut client, number);
        }
        assert_eq!((pongs(&mut client), client.server.late()), (vec![2, 4], 1), "{way:?}");
        client.wait(4);
        assert!(pongs(&mut client).is_empty());
        client.wait(1);
        let came = pongs(&mut client);
        assert_eq!((came, client.server.late()), (vec![3], 0), "{way:?}");

        client.server.set_faults(Some(script(way, [doubled])));
        ping(&mut client, 5);
        // What comes twice is acted upon once.
        assert_eq!(pongs(&mut client).len(), if way == Way::Up { 1 } else { 2 });

        client.server.set_faults(Some(script(way, [swapped, swapped])));
        ping(&mut client, 6);
        assert!(pongs(&mut client).is_empty());
        ping(&mut client, 7);
        assert_eq!(pongs(&mut client), [7, 6], "{way:?}");
        client.server.set_faults(Some(script(way, [swapped])));
        ping(&mut client, 8);
        assert!(pongs(&mut client).is_empty());
        client.wait(1);
        assert_eq!(pongs(&mut client), [8], "nothing else came");

        client.server.set_faults(None);
        ping(&mut client, 9);
        assert_eq!(pongs(&mut client), [9]);
    }
}

#[test]
fn nothing_late_comes_over_a_socket_that_is_gone() {
    for way in [Way::Up, Way::Down] {
        let mut client = client();
        let late = Fate { delay: secs(5), ..Fate::default() };
        client.server.set_faults(Some(script(way, [late])));
        ping(&mut client, 1);
        assert_eq!(client.server.late(), 1);
        client.reconnect(Framing::Intermediate);
        assert_eq!(client.server.late(), 0);
        client.wait(10);
        assert!(pongs(&mut client).is_empty());
        ping(&mut client, 2);
        assert_eq!(pongs(&mut client), [2]);
    }
}

#[test]
fn a_damaged_packet_of_the_client_costs_its_socket() {
    for fate in [
        Fate { flipped: Some(3), ..Fate::default() },
        Fate { flipped: Some(u64::MAX), ..Fate::default() },
        Fate { flipped: Some(400), ..Fate::default() },
        Fate { cut: Some(60), ..Fate::default() },
        Fate { cut: Some(0), ..Fate::default() },
    ] {
        let mut client = client();
        client.server.set_faults(Some(script(Way::Up, [fate])));
        ping(&mut client, 1);
        assert!(pongs(&mut client).is_empty(), "{fate:?}");
        // A key id that nobody knows is asked for.
        let wanted = |event: &ServerEvent| matches!(event, ServerEvent::KeyWanted { .. });
        assert!(client.closed || client.events.iter().any(wanted), "{fate:?}");
        client.reconnect(Framing::Intermediate);
        ping(&mut client, 2);
        assert_eq!(pongs(&mut client), [2]);
    }
}

/// What the server sends first after a ping, as it is framed.
fn answer_under(fate: Fate) -> (Vec<u8>, usize) {
    let mut client = client();
    client.server.set_faults(Some(script(Way::Down, [fate])));
    let header = client.header(id_at(0, 50, 0), 0);
    let ping = service::Ping { ping_id: 1 }.to_bytes();
    let mut out = BytesMut::new();
    let packet = seal(&auth_key(), Side::Client, &header, &ping);
    client.transport.pack(&packet, false, &mut client.rng, &mut out).unwrap();
    client.server.handle(client.now, ServerInput::Received(client.link, &mut out));
    let mut bytes = Vec::new();
    while let ServerOutput::Transmit(_, part) = client.server.poll() {
        bytes.extend_from_slice(&part);
    }
    let announced = bytes.first_chunk().map_or(0, |size| u32::from_le_bytes(*size));
    (bytes, announced as usize)
}

#[test]
fn a_packet_to_the_client_is_damaged_inside_of_a_good_frame() {
    let (whole, size) = answer_under(Fate::default());
    assert_eq!(size + 4, whole.len());
    let (flipped, announced) = answer_under(Fate { flipped: Some(65), ..Fate::default() });
    assert_eq!(announced, size);
    let differs: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] != flipped[*at]).collect();
    assert_eq!(differs, [4 + 8], "one byte");
    assert_eq!(whole[12] ^ flipped[12], 2, "one bit");
    let (cut, announced) = answer_under(Fate { cut: Some(35), ..Fate::default() });
    assert_eq!((announced, &cut[4..]), (32, &whole[4..36]));
}

#[test]
fn a_packet_is_answered_by_any_transport_error() {
    for code in [-404, -429, -444, -403, -1] {
        let mut client = client();
        let fate = Fate { error: Some(code), ..Fate::default() };
        client.server.set_faults(Some(script(Way::Up, [fate])));
        ping(&mut client, 1);
        assert_eq!((&client.errors[..], client.closed), (&[code][..], true));
        client.reconnect(Framing::Abridged);
        let (now, link) = (client.now, client.link);
        client.server.transport_error(now, link, code);
        client.drain();
        // Whoever has not spoken yet has no framing to be told in.
        assert!(client.closed);
    }
}

#[test]
fn a_message_is_refused_by_any_code() {
    for code in [16, 17, 18, 19, 20, 32, 33, 34, 35, 64] {
        let mut client = client();
        client.server.set_faults(Some(Box::new(Script {
            refusals: VecDeque::from([code]),
            ..*script(Way::Up, [])
        })));
        let msg_id = client.ask(body(1));
        assert_eq!(client.refusals(), [(msg_id, code)]);
        assert!(client.requests().is_empty());
        client.ask(body(2));
        assert_eq!(client.requests().len(), 1);
    }
    let mut client = client();
    client.server.set_faults(Some(Box::new(Script {
        refusals: VecDeque::from([48]),
        ..*script(Way::Up, [])
    })));
    client.ask(body(1));
    let notice: types::BadServerSalt = client.only();
    assert_eq!((notice.error_code, notice.new_server_salt), (48, client.salt));
}

#[test]
fn acknowledgements_are_held_until_the_fault_ends() {
    let mut client = client();
    client.server.set_faults(Some(quirky(Quirk::HoldAcks, u32::MAX)));
    let msg_id = client.ask(body(1));
    for _ in 0..30 {
        client.wait(1);
    }
    assert!(client.all::<types::MsgsAck>().is_empty());
    let state = client.serve(&types::MsgsStateReq { msg_ids: vec![msg_id] });
    let told: types::MsgsStateInfo = client.only();
    assert_eq!((told.req_msg_id, &told.info[..]), (state, &[4 | 32][..]), "not acknowledged");
    client.server.set_faults(None);
    client.wait(1);
    assert_eq!(client.only::<types::MsgsAck>().msg_ids, [msg_id]);
}

#[test]
fn long_answers_are_announced_and_come_on_request() {
    let mut client = client();
    client.server.set_faults(Some(quirky(Quirk::Announce(40), u32::MAX)));
    let short = client.ask(body(1));
    client.respond(short, body(2));
    assert_eq!(client.only::<RpcResult>().req_msg_id, short);
    let long = client.ask(body(3));
    let answer: Bytes = b"text".repeat(20).into();
    client.respond(long, answer.clone());
    assert!(client.all::<RpcResult>().is_empty());
    let told: types::MsgDetailedInfo = client.only();
    assert_eq!((told.msg_id, told.bytes, told.status), (long, 92, 0));
    let states = types::MsgsStateReq { msg_ids: vec![long] };
    client.serve(&states);
    assert_eq!(client.only::<types::MsgsStateInfo>().info[..], [4 | 8 | 64]);
    client.serve(&types::MsgResendReq { msg_ids: vec![told.answer_msg_id] });
    let kept = client.messages.iter().find(|message| message.msg_id == told.answer_msg_id);
    assert!(kept.is_some(), "under the id that was announced");
    assert_eq!(client.only::<RpcResult>().result, answer);
    client.serve(&types::MsgsAck { msg_ids: vec![told.answer_msg_id] });
    client.serve(&states);
    assert_eq!(client.only::<types::MsgsStateInfo>().info[..], [4 | 8 | 64 | 128]);

    // Whoever missed the announcement gets it over the next socket, or by asking again.
    let lost = client.ask(body(4));
    client.respond(lost, answer);
    client.messages.clear();
    client.reconnect(Framing::Intermediate);
    ping(&mut client, 1);
    assert!(client.all::<RpcResult>().iter().any(|result| result.req_msg_id == lost));
    client.send(lost, 9, &body(4));
    assert_eq!(client.only::<RpcResult>().req_msg_id, lost);
}

#[test]
fn short_answers_are_compressed_on_demand() {
    let mut client = client();
    client.server.set_faults(Some(quirky(Quirk::Gzip, 1)));
    for packed in [true, false] {
        let asked = client.ask(body(1));
        client.respond(asked, body(2));
        let result = client.only::<RpcResult>().result;
        assert_eq!(service::GzipPacked::from_bytes(&result).is_ok(), packed);
    }
}

#[test]
fn quick_acknowledgements_stay_away_on_demand() {
    let mut client = client();
    client.server.set_faults(Some(quirky(Quirk::NoQuickAck, 1)));
    for expected in [0, 1] {
        let (msg_id, seqno) = (client.id(), client.odd());
        let header = client.header(msg_id, seqno);
        let sealed = seal(&auth_key(), Side::Client, &header, &body(1));
        client.packet(&sealed, true);
        assert_eq!(client.quick_acks.len(), expected);
    }
}

#[test]
fn a_session_is_announced_twice_on_demand() {
    let mut client = RawClient::new();
    client.server.set_faults(Some(quirky(Quirk::DoubleSession, 1)));
    for expected in [2, 1] {
        ping(&mut client, 1);
        let told: Vec<types::NewSessionCreated> = client.all();
        assert_eq!(told.len(), expected);
        assert!(told.iter().all(|notice| notice.unique_id == told[0].unique_id));
        client.session += 1;
    }
}

/// Exchanges a key; tells the verdicts before the last one, and whether there is a key.
fn exchange(client: &mut RawClient) -> (Vec<u32>, bool) {
    let mut exchange = Handshake::new(2, &[RSA.public().clone()], Mode::Permanent);
    let mut body = exchange.start(&mut client.rng);
    let mut verdicts = Vec::new();
    loop {
        client.packet(&packet::seal_plain(0, &body), false);
        let answer = client.messages.pop().expect("an answer");
        let id = u32::from_le_bytes(*answer.body.first_chunk().unwrap());
        match exchange.step(&answer.body, client.now, &mut client.rng) {
            Ok(Step::Send(next)) => body = next,
            Ok(Step::Done(_)) => return (verdicts, true),
            Err(_) => {
                verdicts.push(id);
                return (verdicts, false);
            }
        }
        if id == service::DhGenRetry::ID {
            verdicts.push(id);
        }
    }
}

#[test]
fn key_exchanges_are_repeated_or_refused_on_demand() {
    let retry = service::DhGenRetry::ID;
    let mut client = client();
    client.server.set_faults(Some(quirky(Quirk::GenRetry, 2)));
    assert_eq!(exchange(&mut client), (vec![retry, retry], true));
    client.server.set_faults(Some(quirky(Quirk::GenFail, 1)));
    assert_eq!(exchange(&mut client), (vec![service::DhGenFail::ID], false));
    assert_eq!(exchange(&mut client), (vec![], true));
    client.server.set_faults(Some(quirky(Quirk::GenFail, u32::MAX)));
    assert!(!exchange(&mut client).1);
    client.server.set_faults(None);
    assert!(exchange(&mut client).1, "it does not outlive the fault");
}

#[test]
fn all_salts_end_when_they_are_rotated() {
    let mut client = client();
    let (now, key) = (client.now, auth_key().id());
    for rotated in [None, Some(key)] {
        client.server.rotate_salts(now, rotated);
        ping(&mut client, 1);
        let notice: types::BadServerSalt = client.only();
        assert_ne!(notice.new_server_salt, client.salt);
        client.salt = notice.new_server_salt;
        ping(&mut client, 2);
        assert_eq!(pongs(&mut client), [2]);
    }
    client.server.rotate_salts(now, Some(key + 1));
    ping(&mut client, 3);
    assert_eq!(pongs(&mut client), [3], "another key's");
}

#[test]
fn a_clock_that_is_wrong_refuses_and_tells_the_time() {
    for (skew, code) in [(3_600, 16), (-3_600, 17)] {
        let mut client = client();
        let now = client.now;
        client.server.skew_clock(now, skew);
        // Its salt is of another time as well.
        ping(&mut client, 1);
        let notice: types::BadServerSalt = client.only();
        client.salt = notice.new_server_salt;
        let msg_id = client.id();
        client.send(msg_id, 0, &service::Ping { ping_id: 2 }.to_bytes());
        let id = client.messages.last().unwrap().msg_id;
        assert_eq!(client.refusals(), [(msg_id, code)]);
        let start = i64::try_from(START.as_secs()).unwrap();
        assert_eq!((id >> 32) - start, skew, "the id says what the time is there");
        client.server.skew_clock(now, 0);
        ping(&mut client, 3);
        let notice: types::BadServerSalt = client.only();
        client.salt = notice.new_server_salt;
        ping(&mut client, 4);
        assert_eq!(pongs(&mut client), [4]);
    }
}

#[test]
fn a_forgotten_session_begins_anew_without_its_answers() {
    let mut client = client();
    let asked = client.ask(body(1));
    let (now, session) = (client.now, client.session_ref());
    assert!(client.server.forget_session(now, session));
    assert!(!client.server.forget_session(now, session));
    client.respond(asked, body(2));
    assert!(client.all::<RpcResult>().is_empty());
    ping(&mut client, 1);
    assert_eq!(client.all::<types::NewSessionCreated>().len(), 1);
    // Inside of a packet that is newer than the session.
    let again = Message { msg_id: asked, seqno: 1, body: body(1) };
    let seqno = client.even();
    client.say(seqno, container(vec![again]));
    assert_eq!(client.requests().len(), 2, "it does not know that it ran");
}

#[test]
fn dropped_answers_are_not_sent_again() {
    let mut client = client();
    let asked = client.ask(body(1));
    client.respond(asked, body(2));
    let (now, session) = (client.now, client.session_ref());
    assert_eq!(client.server.drop_answers(now, session), 2, "the session, the answer");
    client.messages.clear();
    client.reconnect(Framing::Intermediate);
    client.send(asked, 1, &body(1));
    assert!(client.all::<RpcResult>().is_empty());
    assert_eq!(client.requests().len(), 1);
    let nobody = SessionRef { session_id: 5, ..session };
    assert_eq!(client.server.drop_answers(now, nobody), 0);
}

#[test]
fn an_answer_is_withheld_or_given_twice() {
    let mut client = client();
    let (now, session) = (client.now, client.session_ref());
    let asked = client.ask(body(1));
    client.server.respond(now, session, asked, Ok(body(2)));
    client.server.withhold(session, asked);
    client.drain();
    assert!(client.all::<RpcResult>().is_empty());
    client.send(asked, 1, &body(1));
    assert_eq!(client.only::<RpcResult>().req_msg_id, asked);
    let repeated = client.events.iter().any(
        |event| matches!(event, ServerEvent::RequestRepeated { msg_id, .. } if *msg_id == asked),
    );
    assert!(repeated && client.requests().len() == 1);

    let asked = client.ask(body(3));
    client.server.respond(now, session, asked, Ok(body(4)));
    client.server.respond_again(now, session, asked);
    client.drain();
    let answers: BTreeSet<i64> = client.messages.iter().map(|message| message.msg_id).collect();
    assert_eq!(answers.len(), 2, "under two ids");
    let twice: Vec<RpcResult> = client.all();
    assert!(twice.len() == 2 && twice[0] == twice[1]);
    client.server.respond_again(now, session, 5);
    client.server.withhold(session, 5);
    client.drain();
    assert!(client.messages.is_empty());
}

#[test]
fn a_permanent_key_does_not_expire() {
    let mut client = client();
    let now = client.now;
    assert!(!client.server.expire_key(now, auth_key().id()));
    assert!(!client.server.expire_key(now, 1));
    ping(&mut client, 1);
    assert_eq!(pongs(&mut client), [1]);
}

#[test]
fn the_state_of_sessions_is_told() {
    let mut client = client();
    let asked = client.ask(body(1));
    let states: Vec<_> = client.server.sessions().collect();
    assert_eq!(states.len(), 1);
    assert_eq!((states[0].session, states[0].link), (client.session_ref(), Some(client.link)));
    assert_eq!((states[0].running, states[0].kept), (1, 1), "a request; the session");
    client.respond(asked, body(2));
    let state = client.server.sessions().next().unwrap();
    assert_eq!((state.running, state.kept), (0, 2));
    assert!(state.kept_bytes > 20);
    let links: Vec<LinkId> = client.server.links().map(|(link, _)| link).collect();
    assert_eq!(links, [client.link]);
    let sessions = client.server.sessions_of_link(client.link).unwrap();
    assert!(sessions.contains(&client.session_ref()) && sessions.len() == 1);
    assert_eq!(client.session, SESSION);
    assert_eq!(client.server.sessions_of_link(LinkId(99)), None);
}

/// Faults that follow from their own numbers: every fifth packet is lost, and so on.
#[derive(Debug)]
struct Clockwork(u64);

impl Faults for Clockwork {
    fn packet(&mut self, _: Now, _: &Passing<'_>) -> Fate {
        self.0 += 1;
        Fate {
            lost: self.0.is_multiple_of(5),
            copies: u8::from(self.0.is_multiple_of(3)),
            delay: Duration::from_millis(if self.0.is_multiple_of(4) { 700 } else { 0 }),
            swapped: self.0.is_multiple_of(7),
            ..Fate::default()
        }
    }
}

fn story(faults: Option<Box<dyn Faults>>) -> Pair {
    let config = Config { obfuscated: true, ..client_config(Framing::PaddedIntermediate, true) };
    let mut pair = Pair::new(config, None, server_config());
    pair.connect();
    pair.server.set_faults(faults);
    for number in 0..40 {
        pair.request(body(number));
        pair.advance(secs(1));
    }
    pair
}

#[test]
fn the_same_faults_give_the_same_bytes() {
    let faulty = || Some(Box::new(Clockwork(0)) as Box<dyn Faults>);
    let one = story(faulty());
    assert_eq!(one.digest(), story(faulty()).digest());
    assert_ne!(one.digest(), story(None).digest());
    assert!(one.error.is_none());
    let mut ids: Vec<i64> = one.requests.iter().map(|(_, id, _)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), one.requests.len(), "nothing ran twice");
}

#[test]
fn faults_that_do_not_strike_change_no_byte() {
    let idle = Some(script(Way::Up, []) as Box<dyn Faults>);
    assert_eq!(story(idle).digest(), story(None).digest());
}

/// A stream with checksums and numbers stays whole.
#[test]
fn the_full_framing_survives_lost_packets() {
    let mut client = RawClient::with(server_config(), Framing::Full);
    client.server.set_faults(Some(script(Way::Down, [lost(), lost()])));
    for number in 1..=4 {
        ping(&mut client, number);
    }
    assert_eq!(pongs(&mut client), [3, 4]);
}
