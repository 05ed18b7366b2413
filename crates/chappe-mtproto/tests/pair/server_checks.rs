//! What the server refuses and how: one rule broken at a time, and what real clients rely on.

use std::time::Duration;

use crate::common::raw::{RawClient, SESSION, container, id_at, seal, seal_raw};
use crate::common::{auth_key, body, echo, server_config};
use bytes::{BufMut, Bytes, BytesMut};
use chappe_crypto::{AuthKey, Side};
use chappe_mtproto::connection::RpcFailure;
use chappe_mtproto::message::{Message, deflate};
use chappe_mtproto::packet;
use chappe_mtproto::server::{ServerConfig, ServerEvent, ServerInput, ServerOutput, SessionRef};
use chappe_mtproto::time::Now;
use chappe_mtproto::transport::{Framing, Transport};
use chappe_tl::service::{
    self, DestroyAuthKeyRes, DestroySessionRes, FutureSalts, RpcResult, types,
};
use chappe_tl::{Decode, Encode, write_u32};

fn ping(ping_id: i64) -> service::Ping {
    service::Ping { ping_id }
}

/// Whether the server still serves after what happened.
fn works(client: &mut RawClient) -> bool {
    client.messages.clear();
    client.serve(&ping(99));
    let pongs: Vec<types::Pong> = client.all();
    pongs.len() == 1 && !client.closed
}

// The envelope: items 1 to 4 of the checklist.

#[test]
fn a_good_packet_is_served() {
    let mut client = RawClient::new();
    let msg_id = client.serve(&ping(5));
    assert_eq!(client.only::<types::Pong>(), types::Pong { msg_id, ping_id: 5 });
    assert!(works(&mut client));
}

#[test]
fn an_unknown_key_is_answered_by_404() {
    let mut client = RawClient::new();
    let other = AuthKey::from_bytes([9; 256]);
    let header = client.header(id_at(0, 1, 0), 0);
    client.packet(&seal(&other, Side::Client, &header, &ping(1).to_bytes()), false);
    let wanted = |event: &ServerEvent| matches!(event, ServerEvent::KeyWanted { auth_key_id, .. } if *auth_key_id == other.id());
    assert_eq!(client.events.iter().filter(|event| wanted(event)).count(), 1);
    assert!(client.errors.is_empty() && !client.closed);
    let now = client.now;
    client.server.provide_key(now, other.id(), None);
    client.drain();
    assert_eq!(client.errors, [-404]);
    assert!(client.closed);
}

#[test]
fn packets_wait_for_their_key() {
    let mut client = RawClient::new();
    let now = client.now;
    client.server.forget_key(now, auth_key().id());
    client.events.clear();
    for _ in 0..3 {
        client.ask(body(1));
    }
    let wanted = |event: &&ServerEvent| matches!(event, ServerEvent::KeyWanted { .. });
    assert_eq!(client.events.iter().filter(wanted).count(), 1, "one question for three packets");
    client.server.provide_key(now, auth_key().id(), Some(auth_key()));
    client.drain();
    assert_eq!(client.requests().len(), 3);
}

#[test]
fn a_key_under_the_wrong_name_is_not_taken() {
    let mut client = RawClient::new();
    let now = client.now;
    client.server.forget_key(now, auth_key().id());
    client.ask(body(1));
    client.server.provide_key(now, auth_key().id(), Some(AuthKey::from_bytes([9; 256])));
    client.drain();
    assert_eq!(client.errors, [-404]);
}

#[test]
fn only_so_many_packets_wait_for_a_key() {
    let mut client = RawClient::new();
    let now = client.now;
    client.server.forget_key(now, auth_key().id());
    for _ in 0..64 {
        client.ask(body(1));
        assert!(!client.closed);
    }
    client.ask(body(1));
    assert!(client.closed);
}

#[test]
fn an_encrypted_part_below_48_bytes_is_dropped() {
    for length in [8, 16, 24 + 16, 24 + 32] {
        let mut client = RawClient::new();
        let mut packet = vec![7; length];
        packet[..8].copy_from_slice(&auth_key().id().to_le_bytes());
        packet.resize(length.max(20).next_multiple_of(4), 7);
        client.packet(&packet, false);
        assert!(client.closed && client.messages.is_empty() && client.errors.is_empty());
    }
}

#[test]
fn an_encrypted_part_of_broken_blocks_is_dropped() {
    let mut client = RawClient::new();
    let header = client.header(id_at(0, 1, 0), 0);
    let mut packet = seal(&auth_key(), Side::Client, &header, &ping(1).to_bytes());
    packet.extend_from_slice(&[0; 4]);
    client.packet(&packet, false);
    assert!(client.closed && client.messages.is_empty());
}

#[test]
fn a_wrong_message_key_is_dropped() {
    for place in [8, 23, 24, 60, 87] {
        let mut client = RawClient::new();
        let header = client.header(id_at(0, 1, 0), 0);
        let mut packet = seal(&auth_key(), Side::Client, &header, &ping(1).to_bytes());
        packet[place] ^= 1;
        client.packet(&packet, false);
        assert!(client.closed && client.messages.is_empty() && client.errors.is_empty());
    }
}

#[test]
fn a_packet_of_the_server_is_not_one_of_a_client() {
    let mut client = RawClient::new();
    let header = client.header(id_at(0, 1, 0), 0);
    client.packet(&seal(&auth_key(), Side::Server, &header, &ping(1).to_bytes()), false);
    assert!(client.closed && client.messages.is_empty());
}

#[test]
fn a_length_that_cannot_be_is_dropped() {
    let ping = ping(1).to_bytes();
    // Negative, no multiple of 4, more than there is.
    for length in [-4, i32::MIN, 9, 10, 100, i32::MAX] {
        let mut client = RawClient::new();
        let header = client.header(id_at(0, 1, 0), 0);
        let rest = [&ping[..], &[0; 20]].concat();
        client.packet(&seal_raw(&auth_key(), Side::Client, &header, length, &rest), false);
        assert!(client.closed && client.messages.is_empty(), "{length}");
    }
}

#[test]
fn padding_outside_of_12_to_1024_is_dropped() {
    let ping = ping(1).to_bytes();
    for (padding, good) in [(4, false), (20, true), (1012, true), (1028, false)] {
        let mut client = RawClient::new();
        let header = client.header(id_at(0, 1, 0), 0);
        let rest = [&ping[..], &vec![0; padding]].concat();
        let length = i32::try_from(ping.len()).unwrap();
        client.packet(&seal_raw(&auth_key(), Side::Client, &header, length, &rest), false);
        assert_eq!(!client.closed, good, "{padding}");
        assert_eq!(client.all::<types::Pong>().len(), usize::from(good), "{padding}");
    }
}

// Sessions and salts.

#[test]
fn the_first_message_of_a_session_announces_it() {
    let mut client = RawClient::new();
    let msg_id = client.serve(&ping(5));
    let notice: types::NewSessionCreated = client.only();
    assert_eq!((notice.first_msg_id, notice.server_salt), (msg_id, client.salt));
    let created = |event: &&ServerEvent| matches!(event, ServerEvent::SessionCreated { session, .. } if session.session_id == SESSION);
    assert_eq!(client.events.iter().filter(created).count(), 1);
    client.serve(&ping(6));
    assert_eq!(client.all::<types::NewSessionCreated>(), []);
}

#[test]
fn the_first_message_of_a_session_may_be_a_container() {
    let mut client = RawClient::new();
    let (first, second) = (client.id(), client.id());
    let messages = vec![
        Message { msg_id: first, seqno: 0, body: ping(1).to_bytes() },
        Message { msg_id: second, seqno: 1, body: body(1) },
    ];
    client.say(2, container(messages));
    assert_eq!(client.only::<types::NewSessionCreated>().first_msg_id, first);
    assert_eq!(client.requests(), [(second, body(1))]);
    assert_eq!(client.only::<types::Pong>().msg_id, first);
}

#[test]
fn salt_zero_gets_bad_server_salt() {
    let mut client = RawClient::new();
    let good = std::mem::take(&mut client.salt);
    let msg_id = client.ask(body(1));
    let notice: types::BadServerSalt = client.only();
    assert_eq!(
        (notice.bad_msg_id, notice.bad_msg_seqno, notice.error_code, notice.new_server_salt),
        (msg_id, 1, 48, good)
    );
    assert!(client.events.is_empty(), "nothing ran, no session began");
}

#[test]
fn a_container_with_salt_zero_gets_bad_server_salt_once() {
    let mut client = RawClient::new();
    let good = std::mem::take(&mut client.salt);
    let inner = (0..3)
        .map(|number| Message { msg_id: client.id(), seqno: client.odd(), body: body(number) })
        .collect();
    let seqno = client.even();
    let outer = client.say(seqno, container(inner));
    let notice: types::BadServerSalt = client.only();
    assert_eq!((notice.bad_msg_id, notice.new_server_salt), (outer, good));
    assert!(client.events.is_empty() && client.messages.is_empty());
}

#[test]
fn an_old_salt_is_honoured_half_an_hour_longer() {
    let mut client = RawClient::new();
    client.serve(&ping(0));
    client.messages.clear();
    let to_the_next = 1800 - crate::common::START.as_secs() % 1800;
    client.wait(to_the_next + 1799);
    client.reconnect(Framing::Intermediate);
    client.serve(&ping(1));
    assert_eq!(client.all::<types::Pong>().len(), 1);
    client.wait(1);
    client.serve(&ping(2));
    let notice: types::BadServerSalt = client.only();
    assert_ne!(notice.new_server_salt, client.salt);
    client.salt = notice.new_server_salt;
    client.serve(&ping(3));
    assert_eq!(client.all::<types::Pong>().len(), 1);
}

#[test]
fn future_salts_are_honoured_when_their_time_comes() {
    let mut client = RawClient::new();
    client.serve(&service::GetFutureSalts { num: 3 });
    let answer: FutureSalts = client.only();
    let now = i32::try_from(crate::common::START.as_secs()).unwrap();
    assert_eq!((answer.now, answer.salts.len()), (now, 3));
    assert_eq!(answer.salts[0].salt, client.salt);
    assert!(answer.salts[0].valid_since <= now && now < answer.salts[0].valid_until);
    let last = answer.salts[2];
    client.wait(u64::try_from(last.valid_since - now).unwrap());
    client.reconnect(Framing::Intermediate);
    client.salt = last.salt;
    assert!(works(&mut client));
}

#[test]
fn as_many_future_salts_as_asked_for_but_two_at_least() {
    for (asked, given) in [(i32::MIN, 2), (0, 2), (1, 2), (2, 2), (32, 32), (64, 64), (1000, 64)] {
        let mut client = RawClient::new();
        let msg_id = client.serve(&service::GetFutureSalts { num: asked });
        let answer: FutureSalts = client.only();
        assert_eq!((answer.req_msg_id, answer.salts.len()), (msg_id, given), "{asked}");
    }
}

#[test]
fn sessions_of_one_key_are_bounded() {
    let mut client = RawClient::new();
    for session in 0..80 {
        client.session = session + 1000;
        client.serve(&ping(1));
        client.messages.clear();
    }
    let ended = |event: &&ServerEvent| matches!(event, ServerEvent::SessionDestroyed { .. });
    assert_eq!(client.events.iter().filter(ended).count(), 80 - 64);
}

// Message ids: items 6 to 8.

#[test]
fn message_ids_of_clients_are_divisible_by_four() {
    for low in 1..4 {
        let mut client = RawClient::new();
        let msg_id = client.id() | low;
        client.send(msg_id, 1, &body(1));
        assert_eq!(client.refusals(), [(msg_id, 18)]);
        assert!(client.events.is_empty() && works(&mut client));
    }
}

#[test]
fn a_copy_of_a_refused_packet_never_runs() {
    let mut client = RawClient::new();
    assert!(works(&mut client));
    let (ahead, seqno) = (id_at(40, 0, 0), client.odd());
    client.send(ahead, seqno, &body(1));
    assert_eq!(client.refusals(), [(ahead, 17)]);
    // By now its time has come, but the client has sent it anew.
    client.wait(20);
    client.send(ahead, seqno, &body(1));
    assert_eq!(client.refusals(), [(ahead, 17)]);
    assert!(client.requests().iter().all(|(msg_id, _)| *msg_id != ahead));
    assert!(works(&mut client));
}

#[test]
fn message_ids_are_of_the_last_300_and_the_next_30_seconds() {
    for (seconds, code) in [(-301, Some(16)), (-300, None), (0, None), (30, None), (31, Some(17))] {
        for contained in [false, true] {
            let mut client = RawClient::new();
            let msg_id = id_at(seconds, 9, 0);
            if contained {
                let inner = Message { msg_id: id_at(seconds, 8, 0), seqno: 1, body: body(1) };
                client.send(msg_id, 2, &container(vec![inner]));
            } else {
                client.send(msg_id, 1, &body(1));
            }
            let expected: Vec<_> = code.map(|code| (msg_id, code)).into_iter().collect();
            assert_eq!(client.refusals(), expected, "{seconds}");
            assert_eq!(client.requests().len(), usize::from(code.is_none()), "{seconds}");
        }
    }
}

#[test]
fn a_message_of_a_container_may_be_older_than_300_seconds() {
    let mut client = RawClient::new();
    let old = Message { msg_id: id_at(-5000, 1, 0), seqno: 1, body: body(1) };
    client.say(2, container(vec![old.clone()]));
    assert_eq!(client.requests(), [(old.msg_id, body(1))]);
}

#[test]
fn a_repeated_request_is_not_run_again_but_acknowledged() {
    let mut client = RawClient::new();
    let msg_id = client.ask(body(1));
    client.wait(2);
    assert_eq!(client.all::<types::MsgsAck>().len(), 1);
    client.send(msg_id, 1, &body(1));
    client.wait(2);
    assert_eq!(client.requests().len(), 1);
    assert_eq!(client.only::<types::MsgsAck>().msg_ids, [msg_id]);
}

#[test]
fn a_repeated_request_is_answered_from_memory() {
    let mut client = RawClient::new();
    let msg_id = client.ask(body(1));
    client.respond(msg_id, body(2));
    let first: RpcResult = client.only();
    assert_eq!((first.req_msg_id, &first.result), (msg_id, &body(2)));
    client.messages.clear();
    client.send(msg_id, 1, &body(1));
    assert_eq!(client.only::<RpcResult>(), first);
    assert_eq!(client.all::<types::MsgsAck>(), [], "the answer is enough");
    assert_eq!(client.requests().len(), 1);
    client.respond(msg_id, body(3));
    assert_eq!(client.all::<RpcResult>(), [], "a second answer is dropped");
}

#[test]
fn an_acknowledged_answer_is_not_kept() {
    let mut client = RawClient::new();
    let msg_id = client.ask(body(1));
    client.respond(msg_id, body(2));
    let place = client
        .messages
        .iter()
        .find(|message| RpcResult::from_bytes(&message.body).is_ok())
        .map(|message| message.msg_id)
        .unwrap();
    client.all::<RpcResult>();
    client.serve(&types::MsgsAck { msg_ids: vec![place] });
    client.send(msg_id, 1, &body(1));
    assert_eq!(client.all::<RpcResult>(), []);
    assert_eq!(client.requests().len(), 1);
}

#[test]
fn a_repeated_container_gets_19_and_runs_nothing() {
    let mut client = RawClient::new();
    let inner = Message { msg_id: client.id(), seqno: client.odd(), body: body(1) };
    let outer = client.id();
    let content = container(vec![inner]);
    client.send(outer, 2, &content);
    client.send(outer, 2, &content);
    assert_eq!(client.refusals(), [(outer, 19)]);
    assert_eq!(client.requests().len(), 1);
    assert!(works(&mut client));
}

#[test]
fn a_repeated_request_in_a_new_container_is_answered_from_memory() {
    let mut client = RawClient::new();
    let msg_id = client.ask(body(1));
    client.respond(msg_id, body(2));
    client.messages.clear();
    client.say(2, container(vec![Message { msg_id, seqno: 1, body: body(1) }]));
    assert_eq!(client.only::<RpcResult>().req_msg_id, msg_id);
    assert_eq!(client.requests().len(), 1);
}

#[test]
fn what_is_older_than_memory_gets_20() {
    let mut client = RawClient::new();
    let early = client.id();
    for _ in 0..5 {
        let inner = (0..1000)
            .map(|_| Message { msg_id: client.id(), seqno: 0, body: ping(1).to_bytes() })
            .collect();
        client.say(0, container(inner));
    }
    client.send(early, 0, &ping(1).to_bytes());
    assert_eq!(client.refusals(), [(early, 20)]);
}

// Sequence numbers: item 10.

#[test]
fn a_request_with_an_even_number_gets_35() {
    let mut client = RawClient::new();
    let msg_id = client.say(0, body(1));
    assert_eq!(client.refusals(), [(msg_id, 35)]);
    assert!(client.requests().is_empty());
    // Compression does not hide it.
    let packed = deflate(&[7; 4000]).unwrap();
    let msg_id = client.say(0, packed);
    assert_eq!(client.refusals(), [(msg_id, 35)]);
}

#[test]
fn containers_and_http_wait_with_odd_numbers_get_34() {
    let wait = types::HttpWait { max_delay: 0, wait_after: 0, max_wait: 0 }.to_bytes();
    let inner = Message { msg_id: id_at(0, 0, 0), seqno: 0, body: ping(1).to_bytes() };
    for object in [wait, container(vec![inner])] {
        let mut client = RawClient::new();
        let msg_id = client.say(1, object.clone());
        assert_eq!(client.refusals(), [(msg_id, 34)]);
        assert!(client.all::<types::Pong>().is_empty());
        client.say(0, object);
        assert_eq!(client.refusals(), []);
    }
}

#[test]
fn other_service_messages_may_have_either_number() {
    let objects = [
        ping(1).to_bytes(),
        service::PingDelayDisconnect { ping_id: 1, disconnect_delay: 75 }.to_bytes(),
        service::GetFutureSalts { num: 2 }.to_bytes(),
        types::MsgsAck { msg_ids: vec![1] }.to_bytes(),
        types::MsgsStateReq { msg_ids: vec![] }.to_bytes(),
        types::MsgResendReq { msg_ids: vec![] }.to_bytes(),
        service::RpcDropAnswer { req_msg_id: 4 }.to_bytes(),
        service::DestroySession { session_id: 4 }.to_bytes(),
    ];
    for object in objects {
        let mut client = RawClient::new();
        client.ask(object.clone());
        let seqno = client.even();
        client.say(seqno, object);
        client.wait(2);
        assert_eq!(client.refusals(), []);
        assert_eq!(client.requests(), []);
        let acks: Vec<types::MsgsAck> = client.all();
        assert_eq!(acks.iter().map(|acks| acks.msg_ids.len()).sum::<usize>(), 1, "the odd one");
    }
}

#[test]
fn numbers_that_fall_or_repeat_get_32() {
    for (before, after) in [(5, 3), (4, 3), (3, 3)] {
        let mut client = RawClient::new();
        client.say(before, if before % 2 == 1 { body(0) } else { ping(1).to_bytes() });
        let msg_id = client.say(after, body(1));
        assert_eq!(client.refusals(), [(msg_id, 32)], "{before} {after}");
    }
}

#[test]
fn numbers_above_those_of_later_messages_get_33() {
    for number in [5, 3] {
        let mut client = RawClient::new();
        client.say(1, body(9));
        let early = client.id();
        client.say(3, body(0));
        client.send(early, number, &body(1));
        assert_eq!(client.refusals(), [(early, 33)]);
        assert_eq!(client.requests().len(), 2);
    }
}

#[test]
fn a_copy_that_comes_too_late_is_not_refused_but_ignored() {
    let mut client = RawClient::new();
    let (msg_id, seqno) = (client.id(), client.odd());
    let packet = seal(&auth_key(), Side::Client, &client.header(msg_id, seqno), &body(0));
    client.packet(&packet, false);
    assert_eq!(client.requests().len(), 1);
    // First its age is wrong, then its salt as well.
    for time in [400, 7200] {
        client.wait(time);
        if client.closed {
            client.reconnect(Framing::Intermediate);
        }
        client.messages.clear();
        client.packet(&packet, false);
        assert_eq!(client.messages, []);
        assert_eq!(client.requests().len(), 1);
    }
}

#[test]
fn what_the_first_packet_of_a_session_overtook_is_not_run() {
    let mut client = RawClient::new();
    let (early, number) = (client.id(), client.odd());
    let first = client.ask(body(0));
    let notice: types::NewSessionCreated = client.only();
    assert_eq!(notice.first_msg_id, first);
    // The client was just told that it did not arrive, and sends it anew.
    client.send(early, number, &body(1));
    assert_eq!(client.refusals(), [(early, 20)]);
    assert_eq!(client.requests().len(), 1);
    // Inside of a later packet it is no older than that.
    let again = Message { msg_id: early, seqno: number, body: body(1) };
    let seqno = client.even();
    client.say(seqno, container(vec![again]));
    assert_eq!(client.refusals(), []);
    assert_eq!(client.requests().len(), 2);
}

#[test]
fn even_numbers_may_repeat_and_gaps_are_fine() {
    let mut client = RawClient::new();
    client.say(0, ping(1).to_bytes());
    client.say(0, ping(2).to_bytes());
    client.say(1, body(1));
    client.say(2, ping(3).to_bytes());
    client.say(2, ping(4).to_bytes());
    client.say(9, body(2));
    assert_eq!(client.refusals(), []);
    assert_eq!(client.requests().len(), 2);
}

#[test]
fn the_numbers_of_containers_count_too() {
    let mut client = RawClient::new();
    client.say(9, body(0));
    let inner = Message { msg_id: client.id(), seqno: 11, body: body(1) };
    let outer = client.say(2, container(vec![inner]));
    assert_eq!(client.refusals(), [(outer, 32)]);
    assert_eq!(client.requests().len(), 1);
}

// Containers and compression: item 20.

#[test]
fn broken_containers_get_64_and_nothing_of_them_runs() {
    let good = |client: &mut RawClient| Message { msg_id: client.id(), seqno: 1, body: body(1) };
    type Spoil = fn(&mut Vec<u8>);
    let spoils: [(&str, Spoil); 6] = [
        ("truncated", |body| body.truncate(body.len() - 4)),
        ("trailing bytes", |body| body.extend_from_slice(&[0; 4])),
        ("count too high", |body| body[4] = 2),
        ("hostile count", |body| body[4..8].copy_from_slice(&u32::MAX.to_le_bytes())),
        ("hostile length", |body| body[20..24].copy_from_slice(&u32::MAX.to_le_bytes())),
        ("crooked length", |body| body[20..24].copy_from_slice(&7u32.to_le_bytes())),
    ];
    for (name, spoil) in spoils {
        let mut client = RawClient::new();
        let inner = good(&mut client);
        let mut bytes = container(vec![inner]).to_vec();
        spoil(&mut bytes);
        let outer = client.say(2, bytes.into());
        assert_eq!(client.refusals(), [(outer, 64)], "{name}");
        assert!(client.events.is_empty(), "{name}");
        assert!(works(&mut client));
    }
}

#[test]
fn containers_in_containers_get_64() {
    let mut client = RawClient::new();
    let innermost = Message { msg_id: client.id(), seqno: 1, body: body(1) };
    let inner = Message { msg_id: client.id(), seqno: 2, body: container(vec![innermost]) };
    let outer = client.say(2, container(vec![inner]));
    assert_eq!(client.refusals(), [(outer, 64)]);
    assert!(client.requests().is_empty());
}

#[test]
fn containers_hold_1024_messages_at_most() {
    for (count, good) in [(1024, true), (1025, false)] {
        let mut client = RawClient::new();
        let inner = (0..count)
            .map(|_| Message { msg_id: client.id(), seqno: 0, body: ping(1).to_bytes() })
            .collect();
        let outer = client.say(0, container(inner));
        let refusals = if good { vec![] } else { vec![(outer, 64)] };
        assert_eq!(client.refusals(), refusals);
        assert_eq!(client.all::<types::Pong>().len(), if good { count } else { 0 });
    }
}

#[test]
fn messages_of_a_container_are_older_than_it() {
    let mut client = RawClient::new();
    let outer = client.id();
    let inner = Message { msg_id: client.id(), seqno: 1, body: body(1) };
    client.send(outer, 2, &container(vec![inner]));
    assert_eq!(client.refusals(), [(outer, 64)]);
    assert!(client.requests().is_empty());
}

#[test]
fn one_bad_message_of_a_container_is_refused_alone() {
    let mut client = RawClient::new();
    let odd = Message { msg_id: client.id() | 2, seqno: 1, body: body(1) };
    let good = Message { msg_id: client.id(), seqno: 3, body: body(2) };
    let even = Message { msg_id: client.id(), seqno: 4, body: body(3) };
    client.say(4, container(vec![odd.clone(), good.clone(), even.clone()]));
    assert_eq!(client.refusals(), [(odd.msg_id, 18), (even.msg_id, 35)]);
    assert_eq!(client.requests(), [(good.msg_id, body(2))]);
}

#[test]
fn compressed_requests_are_unpacked() {
    let mut client = RawClient::new();
    let text: Bytes = b"text".repeat(1000).into();
    let msg_id = client.ask(deflate(&text).unwrap());
    assert_eq!(client.requests(), [(msg_id, text)]);
}

fn gzip(data: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn gzip_packed(data: &[u8]) -> Bytes {
    service::GzipPacked { packed_data: gzip(data).into() }.to_bytes()
}

#[test]
fn a_bomb_a_broken_stream_and_nested_compression_are_refused() {
    let request = body(1);
    let message = Message { msg_id: id_at(0, 1, 0), seqno: 1, body: request.clone() };
    let mut broken = gzip(&request);
    broken.truncate(broken.len() - 9);
    let hostile = [
        gzip_packed(&vec![0; 16 * 1024 * 1024 + 1]),
        gzip_packed(&vec![0; 2 * 1024 * 1024]),
        gzip_packed(&gzip_packed(&request)),
        gzip_packed(&container(vec![message])),
        service::GzipPacked { packed_data: broken.into() }.to_bytes(),
        service::GzipPacked { packed_data: Bytes::from_static(b"no gzip") }.to_bytes(),
    ];
    for (place, object) in hostile.into_iter().enumerate() {
        let mut client = RawClient::new();
        let msg_id = client.ask(object);
        let answer: RpcResult = client.only();
        assert_eq!(answer.req_msg_id, msg_id);
        let error = types::RpcError::from_bytes(&answer.result).expect("an error");
        assert_eq!((error.error_code, &error.error_message[..]), (400, "INPUT_FETCH_ERROR"));
        assert!(client.requests().is_empty(), "{place}");
        assert!(works(&mut client));
    }
}

#[test]
fn lists_of_ids_are_bounded() {
    let many = || vec![0; 8193];
    let hostile = [
        types::MsgsAck { msg_ids: many() }.to_bytes(),
        types::MsgsStateReq { msg_ids: many() }.to_bytes(),
        types::MsgResendReq { msg_ids: many() }.to_bytes(),
        types::MsgResendAnsReq { msg_ids: many() }.to_bytes(),
    ];
    for object in hostile {
        let mut client = RawClient::new();
        for _ in 0..31 {
            client.say(0, object.clone());
        }
        assert!(client.all::<types::MsgsStateInfo>().is_empty());
        assert!(!client.closed);
        client.say(0, object);
        assert!(client.closed, "so much of it costs the socket");
    }
    let mut client = RawClient::new();
    client.serve(&types::MsgsStateReq { msg_ids: vec![0; 8192] });
    assert_eq!(client.only::<types::MsgsStateInfo>().info.len(), 8192);
}

#[test]
fn hostile_counts_in_service_messages_are_harmless() {
    let mut client = RawClient::new();
    let mut object = Vec::new();
    write_u32(&mut object, types::MsgsAck::ID);
    write_u32(&mut object, 0x1cb5_c415);
    write_u32(&mut object, 0x7fff_ffff);
    client.say(0, object.into());
    assert!(works(&mut client));
}

// Service messages.

#[test]
fn a_ping_may_come_first() {
    for framing in [Framing::Full, Framing::Abridged, Framing::PaddedIntermediate] {
        let mut client = RawClient::with(server_config(), framing);
        let msg_id = client.serve(&ping(8));
        assert_eq!(client.only::<types::Pong>(), types::Pong { msg_id, ping_id: 8 });
    }
}

#[test]
fn answers_have_the_ids_and_numbers_of_answers() {
    let mut client = RawClient::new();
    client.serve(&ping(8));
    let msg_id = client.ask(body(1));
    client.respond(msg_id, body(2));
    let session = client.session_ref();
    let now = client.now;
    let pushed = client.server.push(now, session, body(3)).unwrap();
    client.drain();
    for message in &client.messages {
        let (low, content) = match chappe_mtproto::message::constructor(&message.body) {
            types::NewSessionCreated::ID => (3, 1),
            types::Pong::ID => (1, 0),
            RpcResult::ID => (1, 1),
            _ => (3, 1),
        };
        assert_eq!((message.msg_id & 3, message.seqno & 1), (low, content), "{message:?}");
    }
    assert_eq!(client.messages.len(), 4);
    assert_eq!(client.messages[3], Message { msg_id: pushed, seqno: 5, body: body(3) });
    assert!(client.messages.windows(2).all(|pair| pair[0].msg_id < pair[1].msg_id));
}

#[test]
fn requests_are_acknowledged_unless_answered_at_once() {
    let mut client = RawClient::new();
    client.serve(&ping(0));
    client.all::<types::NewSessionCreated>();
    let first = client.ask(body(1));
    client.respond(first, body(2));
    client.wait(2);
    assert!(client.all::<types::MsgsAck>().is_empty());
    let second = client.ask(body(1));
    assert!(client.all::<types::MsgsAck>().is_empty());
    client.wait(1);
    assert_eq!(client.only::<types::MsgsAck>().msg_ids, [second]);
}

#[test]
fn many_acknowledgements_do_not_wait() {
    let mut client = RawClient::new();
    client.serve(&ping(0));
    for _ in 0..64 {
        client.ask(body(1));
    }
    let acks: Vec<types::MsgsAck> = client.all();
    assert_eq!(acks.iter().map(|acks| acks.msg_ids.len()).sum::<usize>(), 64);
}

#[test]
fn quick_acks_are_sent_where_asked_for() {
    for framing in [Framing::Abridged, Framing::Intermediate, Framing::PaddedIntermediate] {
        let mut client = RawClient::with(server_config(), framing);
        let (msg_id, seqno) = (client.id(), client.odd());
        let header = client.header(msg_id, seqno);
        let mut drafts = [packet::Draft::new(&header, &body(1), &mut client.rng)];
        let tokens = packet::seal(&auth_key(), Side::Client, &mut drafts);
        client.packet(drafts[0].as_bytes(), true);
        assert_eq!(client.quick_acks, tokens, "{framing:?}");
        client.ask(body(2));
        assert_eq!(client.quick_acks.len(), 1);
    }
}

#[test]
fn refused_packets_get_no_quick_ack() {
    let mut client = RawClient::new();
    client.salt = 0;
    let header = client.header(id_at(0, 7, 0), 1);
    client.packet(&seal(&auth_key(), Side::Client, &header, &body(1)), true);
    assert!(client.quick_acks.is_empty());
}

#[test]
fn the_last_delay_of_a_ping_counts() {
    let mut client = RawClient::new();
    client.serve(&service::PingDelayDisconnect { ping_id: 3, disconnect_delay: 75 });
    assert_eq!(client.only::<types::Pong>().ping_id, 3);
    client.wait(60);
    client.serve(&service::PingDelayDisconnect { ping_id: 4, disconnect_delay: 75 });
    client.wait(74);
    assert!(!client.closed);
    client.wait(1);
    assert!(client.closed);
    client.reconnect(Framing::Intermediate);
    client.serve(&service::PingDelayDisconnect { ping_id: 5, disconnect_delay: -5 });
    client.wait(0);
    assert!(client.closed);
}

#[test]
fn silent_sockets_are_closed() {
    let mut client = RawClient::new();
    client.serve(&ping(1));
    client.wait(599);
    assert!(!client.closed);
    client.wait(1);
    assert!(client.closed);
    // Whoever never showed a key is not waited for as long.
    client.reconnect(Framing::Intermediate);
    client.wait(59);
    assert!(!client.closed);
    client.wait(1);
    assert!(client.closed);
}

#[test]
fn states_of_messages_are_told() {
    let mut client = RawClient::new();
    let missing = client.id();
    let silent = client.serve(&ping(1));
    let running = client.ask(body(1));
    let answered = client.ask(body(2));
    client.respond(answered, body(3));
    client.wait(2);
    let later = client.id() + (1 << 40);
    let msg_ids = vec![4, missing, silent, running, answered, later];
    let msg_id = client.serve(&types::MsgsStateReq { msg_ids });
    let answer: types::MsgsStateInfo = client.only();
    assert_eq!(answer.req_msg_id, msg_id);
    assert_eq!(answer.info[..], [2, 2, 4 | 16, 4 | 8 | 32, 4 | 8 | 64, 3]);
}

#[test]
fn kept_messages_are_sent_again_on_request() {
    let mut client = RawClient::new();
    let asked = client.ask(body(1));
    client.respond(asked, body(2));
    let answer = client.messages.last().unwrap().clone();
    client.messages.clear();
    client.serve(&types::MsgResendReq { msg_ids: vec![answer.msg_id] });
    assert_eq!(client.messages, std::slice::from_ref(&answer));
    client.messages.clear();
    client.serve(&types::MsgResendAnsReq { msg_ids: vec![asked] });
    assert_eq!(client.messages, std::slice::from_ref(&answer));
    client.messages.clear();
    let msg_id = client.serve(&types::MsgResendReq { msg_ids: vec![answer.msg_id, 5] });
    let states: types::MsgsStateInfo = client.only();
    assert_eq!((states.req_msg_id, &states.info[..]), (msg_id, &[4, 1][..]));
    assert_eq!(client.messages, [answer]);
    client.messages.clear();
    client.serve(&types::MsgResendAnsReq { msg_ids: vec![4] });
    assert_eq!(client.only::<types::MsgsStateInfo>().info[..], [2]);
}

#[test]
fn answers_can_be_dropped() {
    let mut client = RawClient::new();
    let running = client.ask(body(1));
    let drop = client.serve(&service::RpcDropAnswer { req_msg_id: running });
    let answers: Vec<RpcResult> = client.all();
    let told: Vec<i64> = answers.iter().map(|answer| answer.req_msg_id).collect();
    assert_eq!(told, [running, drop], "both learn it");
    let dropped_running = 0xcd78_e586_u32.to_le_bytes();
    assert!(answers.iter().all(|answer| answer.result[..] == dropped_running));
    assert!(client.events.iter().any(
        |event| matches!(event, ServerEvent::RequestDropped { msg_id, .. } if *msg_id == running)
    ));
    client.respond(running, body(2));
    assert!(client.all::<RpcResult>().is_empty());

    let answered = client.ask(body(1));
    client.respond(answered, body(2));
    let answer = client.messages.last().unwrap().clone();
    client.messages.clear();
    client.serve(&service::RpcDropAnswer { req_msg_id: answered });
    let result = client.only::<RpcResult>().result;
    let dropped = types::RpcAnswerDropped::from_bytes(&result).unwrap();
    assert_eq!((dropped.msg_id, dropped.seq_no), (answer.msg_id, answer.seqno));
    client.send(answered, 3, &body(1));
    assert!(client.all::<RpcResult>().is_empty(), "it is forgotten");

    client.serve(&service::RpcDropAnswer { req_msg_id: 4 });
    let unknown = 0x5e2a_d36e_u32.to_le_bytes();
    assert_eq!(client.only::<RpcResult>().result[..], unknown);
}

#[test]
fn other_sessions_can_be_destroyed_but_not_this_one() {
    let mut client = RawClient::new();
    client.serve(&ping(1));
    client.session = 7;
    client.messages.clear();
    client.serve(&service::DestroySession { session_id: SESSION });
    let ok = types::DestroySessionOk { session_id: SESSION };
    assert_eq!(client.only::<DestroySessionRes>(), ok.into());
    let ended = SessionRef { auth_key_id: auth_key().id(), session_id: SESSION };
    assert!(client.events.iter().any(
        |event| matches!(event, ServerEvent::SessionDestroyed { session } if *session == ended)
    ));
    for session_id in [SESSION, 7] {
        client.serve(&service::DestroySession { session_id });
        let none = types::DestroySessionNone { session_id };
        assert_eq!(client.only::<DestroySessionRes>(), none.into());
    }
    assert!(works(&mut client));
}

#[test]
fn a_destroyed_key_is_unknown_from_then_on() {
    let mut client = RawClient::new();
    client.serve(&service::DestroyAuthKey);
    assert_eq!(client.only::<DestroyAuthKeyRes>(), DestroyAuthKeyRes::DestroyAuthKeyOk);
    assert!(client.closed);
    let id = auth_key().id();
    assert!(client.events.iter().any(
        |event| matches!(event, ServerEvent::KeyDestroyed { auth_key_id } if *auth_key_id == id)
    ));
    client.reconnect(Framing::Intermediate);
    client.events.clear();
    client.serve(&ping(1));
    assert!(matches!(client.events[..], [ServerEvent::KeyWanted { .. }]));
}

#[test]
fn http_wait_is_understood() {
    let mut client = RawClient::new();
    client.serve(&types::HttpWait { max_delay: 0, wait_after: 0, max_wait: 25000 });
    assert!(client.refusals().is_empty() && client.requests().is_empty() && works(&mut client));
}

#[test]
fn errors_are_errors_and_large_answers_are_compressed() {
    let mut client = RawClient::new();
    let (now, session) = (client.now, client.session_ref());
    let msg_id = client.ask(body(1));
    let failure = RpcFailure { code: 420, message: "FLOOD_WAIT_7".into() };
    client.server.respond(now, session, msg_id, Err(failure));
    client.drain();
    let error = types::RpcError::from_bytes(&client.only::<RpcResult>().result).unwrap();
    assert_eq!((error.error_code, &error.error_message[..]), (420, "FLOOD_WAIT_7"));

    let text: Bytes = b"text".repeat(300).into();
    let msg_id = client.ask(body(1));
    client.respond(msg_id, text.clone());
    let result = client.only::<RpcResult>().result;
    assert!(result.len() < 200 && service::GzipPacked::from_bytes(&result).is_ok());

    let mut plain = RawClient::with(ServerConfig { gzip: false, ..server_config() }, Framing::Full);
    let msg_id = plain.ask(body(1));
    plain.respond(msg_id, text.clone());
    assert_eq!(plain.only::<RpcResult>().result, text);
}

#[test]
fn unacknowledged_messages_come_again_over_a_new_socket_in_a_container() {
    let mut client = RawClient::new();
    client.serve(&ping(0));
    client.all::<types::Pong>();
    let msg_id = client.ask(body(1));
    client.respond(msg_id, body(2));
    let kept: Vec<Message> = client.messages.drain(..).collect();
    assert_eq!(kept.len(), 2, "the session, the answer");
    client.wait(400);
    client.reconnect(Framing::Abridged);
    client.contained = 0;
    client.serve(&ping(2));
    assert_eq!(client.only::<types::Pong>().ping_id, 2);
    client.all::<types::MsgsAck>();
    let mut again = std::mem::take(&mut client.messages);
    again.sort_by_key(|message| message.msg_id);
    assert_eq!(again, kept, "under the same ids");
    assert!(client.contained >= 3, "alone they would be too old");
    client.reconnect(Framing::Abridged);
    client.serve(&types::MsgsAck { msg_ids: kept.iter().map(|message| message.msg_id).collect() });
    client.messages.clear();
    client.reconnect(Framing::Abridged);
    client.serve(&ping(3));
    assert_eq!(client.messages.len(), 1, "{:?}", client.messages);
}

// Messages that are not encrypted.

fn plain(msg_id: i64, body: &[u8], behind: &[u8]) -> Vec<u8> {
    [&packet::seal_plain(msg_id, body)[..], behind].concat()
}

#[test]
fn plain_messages_may_have_any_id_and_trailing_bytes() {
    let request = service::ReqPqMulti { nonce: [3; 16] }.to_bytes();
    let inside = [&request[..], &[9; 24]].concat();
    for (msg_id, body, behind) in [
        (id_at(0, 1, 0), &request[..], &[][..]),
        (0, &request[..], &[][..]),
        (i64::MAX, &request[..], &[1, 2, 3, 4][..]),
        (0, &inside[..], &[][..]),
        (0, &inside[..], &[7; 12][..]),
    ] {
        let mut client = RawClient::new();
        client.packet(&plain(msg_id, body, behind), false);
        let answer: types::ResPq = client.only();
        assert_eq!(answer.nonce, [3; 16]);
        assert!(!client.closed);
    }
}

#[test]
fn plain_messages_with_a_length_that_cannot_be_cost_the_socket() {
    for length in [-1, i32::MIN, 25, i32::MAX] {
        let mut client = RawClient::new();
        let mut packet = BytesMut::new();
        packet.put_i64_le(0);
        packet.put_i64_le(0);
        packet.put_i32_le(length);
        packet.put_bytes(0, 24);
        client.packet(&packet, false);
        assert!(client.closed && client.messages.is_empty(), "{length}");
    }
}

#[test]
fn plain_messages_out_of_turn_get_404() {
    let mut client = RawClient::new();
    client.packet(&plain(0, &body(1), &[]), false);
    assert_eq!(client.errors, [-404]);
    assert!(client.closed);
}

// Sockets.

#[test]
fn bytes_that_are_no_frames_cost_the_socket() {
    let mut client = RawClient::new();
    let hostile = BytesMut::from(&[0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0][..]);
    client.bytes(hostile);
    assert!(client.closed);
}

#[test]
fn bytes_after_the_end_are_ignored() {
    let mut client = RawClient::new();
    let (now, link) = (client.now, client.link);
    client.server.close(now, link);
    client.drain();
    assert!(client.closed);
    let mut bytes = BytesMut::from(&[1; 100][..]);
    client.server.handle(now, ServerInput::Received(link, &mut bytes));
    client.server.handle(now, ServerInput::Closed(link));
    client.drain();
    assert!(bytes.is_empty() && client.requests().is_empty());
}

#[test]
fn a_replayed_obfuscated_stream_is_closed() {
    use chappe_mtproto::connection::{Connection, Input, Output};
    let mut client = RawClient::new();
    let config = crate::common::client_config(Framing::Intermediate, true);
    let mut real =
        Connection::new(config, Some(crate::common::resume(client.salt)), [4; 32], client.now);
    real.handle(client.now, Input::Connected).unwrap();
    let mut recorded = BytesMut::new();
    loop {
        match real.poll() {
            Output::Transmit(bytes) => recorded.extend_from_slice(&bytes),
            Output::Event(_) => {}
            Output::Timeout(_) => break,
        }
    }
    for (round, closed) in [(10, false), (11, true)] {
        let link = chappe_mtproto::server::LinkId(round);
        let now = client.now;
        client.server.handle(now, ServerInput::Accepted(link));
        client.server.handle(now, ServerInput::Received(link, &mut recorded.clone()));
        let mut seen = false;
        loop {
            match client.server.poll() {
                ServerOutput::Close(_) => seen = true,
                ServerOutput::Timeout(_) => break,
                _ => {}
            }
        }
        assert_eq!(seen, closed);
    }
}

#[test]
fn a_replayed_packet_does_not_take_a_session_over() {
    let mut client = RawClient::new();
    let (msg_id, seqno) = (client.id(), client.odd());
    let packet = seal(&client.key, Side::Client, &client.header(msg_id, seqno), &body(1));
    client.packet(&packet, false);
    client.messages.clear();

    let thief = chappe_mtproto::server::LinkId(50);
    let mut replay = BytesMut::new();
    let mut transport = Transport::client(Framing::Intermediate, None, &mut client.rng).unwrap();
    transport.pack(&packet, false, &mut client.rng, &mut replay).unwrap();
    let (now, session) = (client.now, client.session_ref());
    client.server.handle(now, ServerInput::Accepted(thief));
    client.server.handle(now, ServerInput::Received(thief, &mut replay));
    client.server.push(now, session, body(2));
    client.drain();
    assert!(client.messages.iter().any(|message| message.body == body(2)));
    assert_eq!(client.requests().len(), 1);
    // And without it the session stays where it is.
    client.server.handle(now, ServerInput::Closed(thief));
    client.server.push(now, session, body(3));
    client.drain();
    assert!(client.messages.iter().any(|message| message.body == body(3)));
}

#[test]
fn acknowledgements_without_a_socket_wait_in_peace() {
    let mut client = RawClient::new();
    client.ask(body(1));
    client.messages.clear();
    let request = client.ask(body(2));
    assert!(client.messages.is_empty());
    let (mut now, link) = (client.now, client.link);
    client.server.handle(now, ServerInput::Closed(link));
    client.drain();
    for _ in 0..3 {
        now = Now::new(now.uptime + Duration::from_secs(2), now.unix + Duration::from_secs(2));
        client.server.handle(now, ServerInput::Timeout);
        let wake = loop {
            if let ServerOutput::Timeout(wake) = client.server.poll() {
                break wake.expect("something is always due");
            }
        };
        assert!(wake > now.uptime, "woken for nothing");
    }
    // They leave with the next socket.
    client.now = now;
    client.closed = true;
    client.reconnect(Framing::Intermediate);
    client.serve(&ping(1));
    assert_eq!(client.only::<types::MsgsAck>().msg_ids, [request]);
}

#[test]
fn nothing_after_the_end_of_a_key_is_served() {
    let mut client = RawClient::new();
    let destroy = service::DestroyAuthKey {}.to_bytes();
    let messages = vec![
        Message { msg_id: client.id(), seqno: client.even(), body: destroy },
        Message { msg_id: client.id(), seqno: client.odd(), body: body(1) },
    ];
    let seqno = client.even();
    client.say(seqno, container(messages));
    assert!(client.closed && client.requests().is_empty());
}

#[test]
fn packets_behind_a_broken_one_do_not_wait_for_the_key() {
    let mut client = RawClient::new();
    let now = client.now;
    client.server.forget_key(now, auth_key().id());
    client.drain();
    client.closed = true;
    client.reconnect(Framing::Intermediate);
    client.events.clear();
    let header = client.header(id_at(0, 50, 0), 1);
    let good = seal(&auth_key(), Side::Client, &header, &body(1));
    let mut broken = good.clone();
    broken[40] ^= 1;
    client.packet(&broken, false);
    client.packet(&good, false);
    client.server.provide_key(now, auth_key().id(), Some(auth_key()));
    client.drain();
    assert!(client.closed && client.requests().is_empty());
    let begun = |event: &ServerEvent| matches!(event, ServerEvent::SessionCreated { .. });
    assert!(!client.events.iter().any(begun), "nobody would ever end it");
}

#[test]
fn only_pushes_are_told_to_have_arrived() {
    let mut client = RawClient::new();
    let request = client.ask(body(1));
    client.respond(request, body(2));
    let (now, session) = (client.now, client.session_ref());
    let pushed = client.server.push(now, session, body(3)).unwrap();
    client.drain();
    let msg_ids: Vec<i64> = client.messages.iter().map(|message| message.msg_id).collect();
    assert!(msg_ids.len() >= 3, "the new session, the answer, the push: {msg_ids:?}");
    client.serve(&types::MsgsAck { msg_ids });
    let acked: Vec<i64> = client
        .events
        .iter()
        .filter_map(|event| match event {
            ServerEvent::Acked { msg_id, .. } => Some(*msg_id),
            _ => None,
        })
        .collect();
    assert_eq!(acked, [pushed]);
}

#[test]
fn any_patience_can_be_configured() {
    let forever = Duration::MAX;
    let config = ServerConfig {
        idle_timeout: forever,
        salt_period: forever,
        answer_retention: forever,
        session_retention: forever,
        ..server_config()
    };
    let mut client = RawClient::with(config, Framing::Intermediate);
    for seconds in [1, 1_000, 1_000_000] {
        client.wait(seconds);
        client.ask(body(1));
    }
    assert!(!client.closed);
    assert_eq!(client.requests().len(), 3);
}

#[test]
fn the_bombs_of_a_packet_are_counted_together() {
    let mut client = RawClient::new();
    let bomb = gzip_packed(&vec![0x5a; 64 * 1024]);
    assert!(bomb.len() < 256);
    let messages: Vec<Message> = (0..1000)
        .map(|_| Message { msg_id: client.id(), seqno: client.odd(), body: bomb.clone() })
        .collect();
    let seqno = client.even();
    client.say(seqno, container(messages));
    let unpacked: usize = client.requests().iter().map(|(_, body)| body.len()).sum();
    assert_eq!(unpacked, 4 * 1024 * 1024);
}

#[test]
fn respond_and_push_to_nobody_do_nothing() {
    let mut client = RawClient::new();
    let (now, nobody) = (client.now, SessionRef { auth_key_id: 1, session_id: 2 });
    client.server.respond(now, nobody, 4, Ok(echo(&body(1))));
    assert_eq!(client.server.push(now, nobody, body(1)), None);
    client.serve(&ping(1));
    let session = client.session_ref();
    client.server.respond(now, session, 4, Ok(body(1)));
    client.drain();
    assert!(client.all::<RpcResult>().is_empty() && works(&mut client));
}

#[test]
fn a_temporary_key_ends_when_it_said_it_would() {
    use chappe_mtproto::handshake::client::{Handshake, Mode, Step};
    let mut client = RawClient::new();
    let keys = [crate::common::RSA.public().clone()];
    let mut exchange = Handshake::new(2, &keys, Mode::Temporary { expires_in: 100 });
    let mut body = exchange.start(&mut client.rng);
    let key = loop {
        client.packet(&plain(0, &body, &[]), false);
        let answer = client.messages.pop().expect("an answer");
        match exchange.step(&answer.body, client.now, &mut client.rng).expect("a good server") {
            Step::Send(next) => body = next,
            Step::Done(done) => break done,
        }
    };
    let end = crate::common::START + crate::common::secs(100);
    let created = |event: &ServerEvent| matches!(event, ServerEvent::KeyCreated { expires: Some(expires), .. } if *expires == end);
    assert!(client.events.iter().any(created));
    let send = |client: &mut RawClient, seconds| {
        client.wait(seconds);
        client.events.clear();
        let (msg_id, seqno) = (client.id(), client.odd());
        let header = packet::Header { salt: key.server_salt, session_id: 9, msg_id, seqno };
        client.packet(&seal(&key.auth_key, Side::Client, &header, &crate::common::body(1)), false);
        client.requests().len()
    };
    client.session = 9;
    client.key = key.auth_key.clone();
    assert_eq!(send(&mut client, 10), 1, "its first salt is good");
    assert_eq!(send(&mut client, 55), 1);
    assert_eq!((send(&mut client, 35), &client.errors[..]), (0, &[-404][..]));
    assert!(client.closed);
    client.wait(60);
    client.reconnect(Framing::Intermediate);
    assert_eq!(send(&mut client, 0), 0);
    assert!(matches!(client.events[..], [ServerEvent::KeyWanted { .. }]), "it is forgotten");
}
