//! What the client refuses and how: one rule broken at a time.

use crate::common::raw::{RawServer, container, id_at, seal, seal_raw};
use crate::common::{auth_key, body, client_config, resume};
use bytes::{Bytes, BytesMut};
use chappe_crypto::{AuthKey, Side};
use chappe_mtproto::connection::{
    Connection, Event, FailureReason, Input, Output, ReconnectReason, RequestOptions,
};
use chappe_mtproto::error::{PeerMisbehaved, ProtocolError};
use chappe_mtproto::message::{Message, MessageError, deflate};
use chappe_mtproto::packet::{self, PacketError};
use chappe_mtproto::transport::Framing;
use chappe_tl::service::{self, FutureSalt, FutureSalts, RpcResult, types};
use chappe_tl::{Encode, write_u32};

fn good(server: &mut RawServer) -> bool {
    let before = server.updates();
    server.say(body(9));
    server.updates() == before + 1
}

fn packet_error(server: &RawServer) -> Option<PacketError> {
    match server.reconnects()[..] {
        [ReconnectReason::Peer(PeerMisbehaved::Packet(error))] => Some(*error),
        _ => None,
    }
}

/// The next socket, and the connection works as before.
fn recovers(server: &mut RawServer) -> bool {
    server.input(Input::Disconnected);
    server.connect();
    good(server)
}

// The envelope: items 1 to 4 and 9 of the checklist.

#[test]
fn a_good_packet_is_taken() {
    let mut server = RawServer::new();
    assert!(good(&mut server));
    assert!(server.reconnects().is_empty());
}

#[test]
fn a_packet_of_another_key_costs_the_socket() {
    let mut server = RawServer::new();
    let header = server.header(id_at(0, 1, 3), 1);
    server.packet(&seal(&AuthKey::from_bytes([9; 256]), Side::Server, &header, &body(1)));
    assert_eq!(packet_error(&server), Some(PacketError::AuthKeyId));
    assert_eq!(server.updates(), 0);
    assert!(recovers(&mut server));
}

#[test]
fn an_encrypted_part_below_48_bytes_costs_the_socket() {
    let mut server = RawServer::new();
    let mut packet = vec![7; 24 + 32];
    packet[..8].copy_from_slice(&auth_key().id().to_le_bytes());
    server.packet(&packet);
    assert_eq!(packet_error(&server), Some(PacketError::Length(56)));
    assert!(recovers(&mut server));
}

#[test]
fn an_encrypted_part_of_broken_blocks_costs_the_socket() {
    let mut server = RawServer::new();
    let header = server.header(id_at(0, 1, 3), 1);
    let mut packet = seal(&auth_key(), Side::Server, &header, &body(1));
    packet.extend_from_slice(&[0; 8]);
    server.packet(&packet);
    assert_eq!(packet_error(&server), Some(PacketError::Length(packet.len())));
    assert!(recovers(&mut server));
}

#[test]
fn a_wrong_message_key_costs_the_socket() {
    for place in [8, 23, 24, 60, 87] {
        let mut server = RawServer::new();
        let header = server.header(id_at(0, 1, 3), 1);
        let mut packet = seal(&auth_key(), Side::Server, &header, &body(1));
        packet[place] ^= 1;
        server.packet(&packet);
        assert_eq!(packet_error(&server), Some(PacketError::MessageKey));
        assert_eq!(server.updates(), 0);
        assert!(recovers(&mut server));
    }
}

#[test]
fn a_packet_of_a_client_is_not_one_of_the_server() {
    let mut server = RawServer::new();
    let header = server.header(id_at(0, 1, 3), 1);
    server.packet(&seal(&auth_key(), Side::Client, &header, &body(1)));
    assert_eq!(packet_error(&server), Some(PacketError::MessageKey));
}

#[test]
fn a_length_that_cannot_be_costs_the_socket() {
    for length in [-4, i32::MIN, 6, 7, 100, i32::MAX] {
        let mut server = RawServer::new();
        let header = server.header(id_at(0, 1, 3), 1);
        let rest = [&body(1)[..], &[0; 24]].concat();
        server.packet(&seal_raw(&auth_key(), Side::Server, &header, length, &rest));
        assert_eq!(packet_error(&server), Some(PacketError::MessageLength(length)));
        assert_eq!(server.updates(), 0);
        assert!(recovers(&mut server));
    }
}

#[test]
fn padding_outside_of_12_to_1024_costs_the_socket() {
    for (padding, good) in [(8, false), (24, true), (1016, true), (1032, false)] {
        let mut server = RawServer::new();
        let header = server.header(id_at(0, 1, 3), 1);
        let rest = [&body(1)[..], &vec![0; padding]].concat();
        server.packet(&seal_raw(&auth_key(), Side::Server, &header, 8, &rest));
        let error = (!good).then_some(PacketError::Padding(padding));
        assert_eq!(packet_error(&server), error);
        assert_eq!(server.updates(), usize::from(good));
    }
}

#[test]
fn after_a_broken_packet_nothing_of_the_socket_is_read() {
    let mut server = RawServer::new();
    let header = server.header(id_at(0, 1, 3), 1);
    let mut packet = seal(&auth_key(), Side::Server, &header, &body(1));
    packet[30] ^= 1;
    server.packet(&packet);
    server.say(body(2));
    assert_eq!(server.updates(), 0);
    assert_eq!(server.reconnects().len(), 1);
}

#[test]
fn a_server_that_breaks_every_socket_is_an_error() {
    let mut server = RawServer::new();
    for round in 0..5 {
        assert_eq!(server.error, None, "{round}");
        let header = server.header(id_at(0, 1, 3), 1);
        let mut packet = seal(&auth_key(), Side::Server, &header, &body(1));
        packet[30] ^= 1;
        server.packet(&packet);
        server.input(Input::Disconnected);
        server.connect();
    }
    let expected = ProtocolError::Peer(PeerMisbehaved::Packet(PacketError::MessageKey));
    assert_eq!(server.error, Some(expected.clone()));
    server.error = None;
    server.input(Input::Timeout);
    assert_eq!(server.error, Some(expected), "it is sticky");
}

#[test]
fn a_good_packet_between_broken_ones_forgives() {
    let mut server = RawServer::new();
    for _ in 0..10 {
        let header = server.header(id_at(0, 1, 3), 1);
        let mut packet = seal(&auth_key(), Side::Server, &header, &body(1));
        packet[30] ^= 1;
        server.packet(&packet);
        assert!(recovers(&mut server));
    }
    assert_eq!(server.error, None);
}

#[test]
fn bytes_that_are_no_frames_cost_the_socket() {
    let mut server = RawServer::new();
    let mut bytes = BytesMut::from(&[0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0][..]);
    server.input(Input::Received(&mut bytes));
    server.drain();
    assert!(matches!(
        server.reconnects()[..],
        [ReconnectReason::Peer(PeerMisbehaved::Transport(_))]
    ));
    assert!(recovers(&mut server));
}

// The message: items 5 to 8.

#[test]
fn a_message_of_another_session_is_ignored() {
    let mut server = RawServer::new();
    let session = std::mem::replace(&mut server.session, 5);
    server.say(body(1));
    assert_eq!(server.updates(), 0);
    assert!(server.reconnects().is_empty(), "a replay must not kill");
    server.session = session;
    assert!(good(&mut server));
}

#[test]
fn a_message_id_of_a_client_is_ignored() {
    for low in [0, 2] {
        let mut server = RawServer::new();
        let (msg_id, seqno) = (server.id(low), server.odd());
        server.send(msg_id, seqno, &body(1));
        assert_eq!(server.updates(), 0);
        assert!(good(&mut server) && server.reconnects().is_empty());
    }
    for low in [1, 3] {
        let mut server = RawServer::new();
        let (msg_id, seqno) = (server.id(low), server.odd());
        server.send(msg_id, seqno, &body(1));
        assert_eq!(server.updates(), 1);
    }
}

#[test]
fn a_container_with_a_message_id_of_a_client_is_ignored_whole() {
    let mut server = RawServer::new();
    let first = Message { msg_id: server.id(3), seqno: 1, body: body(1) };
    let second = Message { msg_id: server.id(0), seqno: 3, body: body(2) };
    let msg_id = server.id(1);
    server.send(msg_id, 4, &container(vec![first, second]));
    assert_eq!(server.updates(), 0);
    assert!(good(&mut server));
}

#[test]
fn a_repeated_message_is_acknowledged_but_not_shown_again() {
    let mut server = RawServer::new();
    let msg_id = server.say(body(1));
    server.wait(10);
    server.send(msg_id, 1, &body(1));
    server.wait(10);
    assert_eq!(server.updates(), 1);
    let acks: Vec<types::MsgsAck> = server.all();
    assert_eq!(acks.iter().filter(|acks| acks.msg_ids.contains(&msg_id)).count(), 2);
    assert!(server.reconnects().is_empty());
}

#[test]
fn a_repeated_container_shows_nothing_again() {
    let mut server = RawServer::new();
    let inner = Message { msg_id: server.id(3), seqno: 1, body: body(1) };
    let (outer, content) = (server.id(1), container(vec![inner.clone()]));
    server.send(outer, 2, &content);
    server.send(outer, 2, &content);
    let again = server.id(1);
    server.send(again, 2, &content);
    server.send(inner.msg_id, 1, &inner.body);
    assert_eq!(server.updates(), 1);
    assert!(server.reconnects().is_empty());
}

#[test]
fn the_id_of_a_container_is_taken_once() {
    let mut server = RawServer::new();
    let outer = server.id(1);
    server.send(outer, 0, &container(vec![]));
    let inner = Message { msg_id: server.id(3), seqno: 1, body: body(1) };
    server.send(outer, 2, &container(vec![inner]));
    assert_eq!(server.updates(), 0);
}

#[test]
fn a_replayed_answer_answers_nothing_else() {
    let mut server = RawServer::new();
    let id = server.client.request(server.now, body(1), RequestOptions::default());
    server.drain();
    let req_msg_id = server.places(&body(1))[0];
    let answer = RpcResult { req_msg_id, result: body(2) }.to_bytes();
    let (msg_id, seqno) = (server.id(1), server.odd());
    for _ in 0..3 {
        server.send(msg_id, seqno, &answer);
    }
    server.say(answer);
    let responses =
        |event: &&Event| matches!(event, Event::Response { id: answered, .. } if *answered == id);
    assert_eq!(server.events.iter().filter(responses).count(), 1);
}

#[test]
fn a_message_older_than_all_that_are_remembered_is_ignored() {
    let mut server = RawServer::new();
    let early = server.id(3);
    for _ in 0..5 {
        let inner =
            (0..1000).map(|_| Message { msg_id: server.id(3), seqno: 0, body: body(1) }).collect();
        let msg_id = server.id(1);
        server.send(msg_id, 0, &container(inner));
    }
    assert_eq!(server.updates(), 5000);
    server.send(early, 1, &body(2));
    assert_eq!(server.updates(), 5000);
    assert!(good(&mut server) && server.reconnects().is_empty());
    server.wait(10);
    let acks: Vec<types::MsgsAck> = server.all();
    assert!(acks.iter().all(|acks| !acks.msg_ids.contains(&early)), "nor acknowledged");
}

#[test]
fn a_message_of_the_past_is_ignored() {
    for (seconds, taken) in [(-300, 2), (-301, 1)] {
        let mut server = RawServer::new();
        assert!(good(&mut server));
        server.send(id_at(seconds, 0, 3), 1, &body(1));
        assert_eq!(server.updates(), taken, "{seconds}");
        assert!(server.reconnects().is_empty());
    }
}

#[test]
fn a_container_of_the_past_is_ignored_but_for_what_sets_the_clock() {
    let mut server = RawServer::new();
    let update = Message { msg_id: id_at(-400, 1, 3), seqno: 1, body: body(1) };
    let notice =
        types::NewSessionCreated { first_msg_id: 0, unique_id: 5, server_salt: 6 }.to_bytes();
    let notice = Message { msg_id: id_at(-400, 2, 3), seqno: 3, body: notice };
    server.send(id_at(-400, 3, 1), 4, &container(vec![update.clone()]));
    assert_eq!(server.updates(), 0);
    server.send(id_at(-400, 4, 1), 4, &container(vec![update, notice]));
    assert_eq!(server.updates(), 0);
    assert!(server.events.iter().any(|event| matches!(event, Event::NewSession { .. })));
}

#[test]
fn a_message_of_the_future_costs_the_socket() {
    for (seconds, taken) in [(30, 2), (31, 1)] {
        let mut server = RawServer::new();
        assert!(good(&mut server), "from now on both clocks agree");
        server.send(id_at(seconds, 0, 3), 1, &body(1));
        assert_eq!(server.updates(), taken, "{seconds}");
        let ahead = ReconnectReason::Peer(PeerMisbehaved::Message(MessageError::Ahead));
        let expected = if taken == 1 { vec![&ahead] } else { vec![] };
        assert_eq!(server.reconnects(), expected);
        assert!(recovers(&mut server));
    }
}

#[test]
fn a_container_of_the_future_costs_the_socket() {
    let mut server = RawServer::new();
    assert!(good(&mut server));
    let inner = Message { msg_id: id_at(31, 0, 3), seqno: 3, body: body(1) };
    server.send(id_at(31, 1, 1), 4, &container(vec![inner]));
    assert_eq!(server.updates(), 1);
    let ahead = ReconnectReason::Peer(PeerMisbehaved::Message(MessageError::Ahead));
    assert_eq!(server.reconnects(), [&ahead]);
}

#[test]
fn only_the_newest_message_may_put_the_clock_right() {
    let mut server = RawServer::new();
    server.send(id_at(0, 500, 3), 1, &body(1));
    // The server's clock is set back; a message that was held up comes over the next socket.
    let ping_id = server.all::<service::PingDelayDisconnect>()[0].ping_id;
    let pong = types::Pong { msg_id: 0, ping_id };
    server.send(id_at(-1000, 0, 1), 0, &pong.to_bytes());
    server.input(Input::Disconnected);
    server.connect();
    server.send(id_at(0, 400, 3), 3, &body(2));
    assert_eq!(server.updates(), 1);
    assert_eq!(server.client.resume().unwrap().time_offset, -1000);
    let ahead = ReconnectReason::Peer(PeerMisbehaved::Message(MessageError::Ahead));
    assert_eq!(server.reconnects(), [&ahead]);
}

#[test]
fn the_first_message_of_a_socket_may_put_the_clock_right() {
    let mut server = RawServer::new();
    server.send(id_at(200, 0, 3), 1, &body(1));
    assert_eq!(server.updates(), 1);
    assert_eq!(server.client.resume().unwrap().time_offset, 200);
    assert!(server.events.iter().any(|event| matches!(event, Event::Changed(_))));
    server.send(id_at(231, 0, 3), 3, &body(2));
    assert_eq!(server.updates(), 1);
}

#[test]
fn too_many_ignored_messages_cost_the_socket() {
    let mut server = RawServer::new();
    let session = std::mem::replace(&mut server.session, 5);
    for _ in 0..31 {
        server.say(body(1));
    }
    assert!(server.reconnects().is_empty());
    server.say(body(1));
    let reason = ReconnectReason::Peer(PeerMisbehaved::Message(MessageError::Session));
    assert_eq!(server.reconnects(), [&reason]);
    server.session = session;
    assert!(recovers(&mut server));
}

// Containers and compression: item 20.

#[test]
fn broken_containers_are_ignored_whole() {
    let inner = |server: &mut RawServer| Message { msg_id: server.id(3), seqno: 1, body: body(1) };
    let mut server = RawServer::new();
    let message = inner(&mut server);
    let whole = container(vec![message.clone()]);
    let nested = Message { msg_id: server.id(3), seqno: 2, body: whole.clone() };
    let mut hostile = whole.to_vec();
    hostile[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    let many = (0..1025).map(|_| inner(&mut server)).collect();
    for broken in [
        whole.slice(..whole.len() - 4),
        Bytes::from(hostile),
        container(vec![message, nested]),
        container(many),
    ] {
        let msg_id = server.id(1);
        server.send(msg_id, 2, &broken);
        assert_eq!(server.updates(), 0);
    }
    assert!(good(&mut server) && server.reconnects().is_empty());
}

#[test]
fn compressed_updates_and_answers_are_unpacked() {
    let mut server = RawServer::new();
    let text: Bytes = b"text".repeat(1000).into();
    server.say(deflate(&text).unwrap());
    let updated = |event: &Event| matches!(event, Event::Update(body) if *body == text);
    assert!(server.events.iter().any(updated));
    server.client.request(server.now, body(1), RequestOptions::default());
    server.drain();
    let req_msg_id = server.places(&body(1))[0];
    server.say(RpcResult { req_msg_id, result: deflate(&text).unwrap() }.to_bytes());
    let answered =
        |event: &Event| matches!(event, Event::Response { result: Ok(body), .. } if *body == text);
    assert!(server.events.iter().any(answered));
}

#[test]
fn an_answer_that_cannot_be_unpacked_fails_its_request_only() {
    let mut server = RawServer::new();
    let id = server.client.request(server.now, body(1), RequestOptions::default());
    server.drain();
    let req_msg_id = server.places(&body(1))[0];
    let bomb = {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&vec![0; 17 * 1024 * 1024]).unwrap();
        service::GzipPacked { packed_data: encoder.finish().unwrap().into() }.to_bytes()
    };
    server.say(bomb.clone());
    server.say(RpcResult { req_msg_id, result: bomb }.to_bytes());
    let failed = |event: &Event| matches!(event, Event::Failed { id: lost, reason: FailureReason::Unreadable } if *lost == id);
    assert!(server.events.iter().any(failed));
    assert_eq!(server.updates(), 0);
    assert!(good(&mut server) && server.reconnects().is_empty());
}

#[test]
fn truncated_service_messages_are_ignored() {
    let ids = [
        RpcResult::ID,
        types::BadMsgNotification::ID,
        types::BadServerSalt::ID,
        types::NewSessionCreated::ID,
        types::MsgsAck::ID,
        types::Pong::ID,
        FutureSalts::ID,
        types::MsgDetailedInfo::ID,
    ];
    let mut server = RawServer::new();
    for id in ids {
        let mut object = Vec::new();
        write_u32(&mut object, id);
        server.say(object.into());
    }
    server.say(Bytes::new());
    assert_eq!(server.updates(), 1, "an empty body is nobody's object");
    assert!(good(&mut server) && server.reconnects().is_empty());
}

#[test]
fn lists_of_ids_are_bounded() {
    let mut server = RawServer::new();
    server.client.request(server.now, body(1), RequestOptions::default());
    server.drain();
    let mut msg_ids = vec![0; 8192];
    msg_ids.push(server.places(&body(1))[0]);
    server.serve(&types::MsgsAck { msg_ids });
    // The acknowledgement did not count: the request is sent again.
    server.input(Input::Disconnected);
    server.connect();
    assert_eq!(server.places(&body(1)).len(), 2);
}

#[test]
fn questions_about_too_many_messages_are_ignored() {
    let (mut server, place) = asked();
    let mut msg_ids = vec![0; 8192];
    msg_ids.push(place);
    let info = vec![2; msg_ids.len()].into();
    server.serve(&types::MsgsAllInfo { msg_ids: msg_ids.clone(), info });
    server.serve(&types::MsgResendReq { msg_ids: msg_ids.clone() });
    server.serve(&types::MsgsStateReq { msg_ids });
    assert_eq!(server.places(&body(1)).len(), 1);
    assert!(server.all::<types::MsgsStateInfo>().is_empty());
    assert!(good(&mut server));
}

/// Sends containers of a thousand messages each, which arrive at once.
fn flood(server: &mut RawServer, containers: usize, body: impl Fn(i64) -> Bytes) {
    let mut out = BytesMut::new();
    for _ in 0..containers {
        let inner = (0..1000)
            .map(|_| server.id(3))
            .map(|msg_id| Message { msg_id, seqno: 1, body: body(msg_id) })
            .collect();
        let msg_id = server.id(1);
        let header = server.header(msg_id, 0);
        let packet = seal(&auth_key(), Side::Server, &header, &container(inner));
        server.transport.pack(&packet, false, &mut server.rng, &mut out).expect("a frame");
    }
    server.input(Input::Received(&mut out));
    server.drain();
}

#[test]
fn acknowledgements_go_in_bounded_lists() {
    let mut server = RawServer::new();
    flood(&mut server, 3, |_| body(1));
    let lists: Vec<types::MsgsAck> = server.all();
    let lengths: Vec<usize> = lists.iter().map(|acks| acks.msg_ids.len()).collect();
    assert_eq!((server.updates(), lengths), (3000, vec![2048, 952]));
}

#[test]
fn only_so_many_answers_are_asked_for() {
    let mut server = RawServer::new();
    flood(&mut server, 2, |msg_id| {
        let answer_msg_id = msg_id + (1 << 30);
        types::MsgNewDetailedInfo { answer_msg_id, bytes: 4, status: 0 }.to_bytes()
    });
    let lists: Vec<types::MsgResendReq> = server.all();
    assert_eq!(lists.iter().map(|list| list.msg_ids.len()).collect::<Vec<_>>(), [1024]);
}

// Notices: item 21, and 4.7 of the description.

fn refuse(server: &mut RawServer, bad_msg_id: i64, error_code: i32) {
    server.serve(&types::BadMsgNotification { bad_msg_id, bad_msg_seqno: 1, error_code });
}

fn refuse_salt(server: &mut RawServer, bad_msg_id: i64, new_server_salt: i64) {
    server.serve(&types::BadServerSalt {
        bad_msg_id,
        bad_msg_seqno: 1,
        error_code: 48,
        new_server_salt,
    });
}

/// A server with one request of the client on its way.
fn asked() -> (RawServer, i64) {
    let mut server = RawServer::new();
    server.client.request(server.now, body(1), RequestOptions::default());
    server.drain();
    let places = server.places(&body(1));
    assert_eq!(places.len(), 1);
    (server, places[0])
}

#[test]
fn notices_about_messages_of_others_change_nothing() {
    let (mut server, place) = asked();
    let (session, sent) = (server.session, server.messages.len());
    for bad in [0, 4, place + 4, id_at(0, 0, 1)] {
        for code in [16, 17, 18, 20, 32, 64] {
            refuse(&mut server, bad, code);
        }
        refuse_salt(&mut server, bad, 1234);
    }
    assert_eq!(server.messages.len(), sent, "nothing is sent again");
    assert_eq!(server.client.resume().unwrap().salts[0].salt, 77);
    server.client.request(server.now, body(2), RequestOptions::default());
    server.drain();
    assert_eq!(server.places(&body(2)).len(), 1, "the socket is still in use");
    let last = server.outer.last().unwrap();
    assert_eq!((last.session_id, last.salt), (session, 77));
}

#[test]
fn a_new_salt_is_used_and_the_message_sent_again() {
    let (mut server, place) = asked();
    refuse_salt(&mut server, place, 1234);
    let places = server.places(&body(1));
    assert_eq!(places.len(), 2);
    assert!(places[1] > place);
    assert_eq!(server.outer.last().unwrap().salt, 1234);
    refuse_salt(&mut server, place, 5678);
    assert_eq!(server.places(&body(1)).len(), 2, "an old notice sends nothing again");
}

#[test]
fn a_refused_container_is_sent_again_message_by_message() {
    let mut server = RawServer::new();
    for number in 1..4 {
        server.client.request(server.now, body(number), RequestOptions::default());
    }
    server.drain();
    let container = server.outer.last().unwrap().msg_id;
    refuse_salt(&mut server, container, 1234);
    for number in 1..4 {
        assert_eq!(server.places(&body(number)).len(), 2);
    }
}

#[test]
fn salts_that_never_please_cost_the_socket() {
    let (mut server, _) = asked();
    for salt in 0..6 {
        let last = *server.places(&body(1)).last().unwrap();
        refuse_salt(&mut server, last, salt);
        // Whoever answers no ping of ours does not please either.
        server.serve(&types::Pong { msg_id: 0, ping_id: 0 });
    }
    assert_eq!(server.reconnects(), [&REFUSALS]);
}

const REFUSALS: ReconnectReason =
    ReconnectReason::Peer(PeerMisbehaved::Message(MessageError::RefusalLoop));

#[test]
fn pings_that_never_please_cost_the_socket() {
    let mut server = RawServer::new();
    for _ in 0..6 {
        assert!(server.reconnects().is_empty());
        let last = server.outer.last().unwrap().msg_id;
        refuse(&mut server, last, 32);
    }
    assert_eq!(server.reconnects(), [&REFUSALS]);
    let sent = server.messages.len();
    server.wait(1);
    assert_eq!(server.messages.len(), sent);
    assert!(recovers(&mut server));
}

#[test]
fn what_the_server_takes_in_between_forgives_refusals() {
    let (mut server, _) = asked();
    for salt in 0..8 {
        let last = *server.places(&body(1)).last().unwrap();
        refuse_salt(&mut server, last, salt);
        server.serve(&types::MsgsAck { msg_ids: vec![last] });
    }
    assert!(server.reconnects().is_empty());
}

#[test]
fn packets_on_their_way_may_all_be_refused_for_one_reason() {
    let mut server = RawServer::new();
    let large = |number: u8| Bytes::from(vec![number; 40_000]);
    let options = RequestOptions { no_gzip: true, ..RequestOptions::default() };
    for number in 0..20 {
        server.client.request(server.now, large(number), options);
    }
    server.drain();
    let places: Vec<i64> = (0..20).map(|number| server.places(&large(number))[0]).collect();
    for place in places {
        refuse_salt(&mut server, place, 1234);
    }
    assert!(server.reconnects().is_empty());
    assert!((0..20).all(|number| server.places(&large(number)).len() == 2));
}

#[test]
fn late_messages_of_the_session_before_are_ignored() {
    let (mut server, place) = asked();
    let before = server.session;
    refuse(&mut server, place, 32);
    let session = std::mem::replace(&mut server.session, before);
    for number in 0..40 {
        let msg_id = id_at(0, 1000 + number, 3);
        server.send(msg_id, 1, &body(2));
    }
    server.session = session;
    assert!(server.reconnects().is_empty());
    assert_eq!(server.updates(), 0);
    assert!(good(&mut server));
}

#[test]
fn a_notice_about_the_clock_sets_it() {
    for (code, seconds, new_session) in [(16, 1000, false), (17, -1000, true)] {
        let (mut server, place) = asked();
        let session = server.session;
        let notice =
            types::BadMsgNotification { bad_msg_id: place, bad_msg_seqno: 1, error_code: code };
        server.send(id_at(seconds, 0, 1), 0, &notice.to_bytes());
        assert_eq!(server.client.resume().unwrap().time_offset, seconds, "{code}");
        let places = server.places(&body(1));
        assert_eq!((places.len(), places[1] >> 32), (2, id_at(seconds, 0, 0) >> 32));
        assert_eq!(server.session != session, new_session);
    }
}

#[test]
fn a_refused_salt_sets_the_clock_only_when_that_is_far_off() {
    for (seconds, offset) in [(20, 0), (-200, 0), (-1000, -1000)] {
        let (mut server, place) = asked();
        assert!(good(&mut server), "from now on both clocks agree");
        let notice = types::BadServerSalt {
            bad_msg_id: place,
            bad_msg_seqno: 1,
            error_code: 48,
            new_server_salt: 5,
        };
        server.send(id_at(seconds, 0, 1), 0, &notice.to_bytes());
        assert_eq!(server.client.resume().unwrap().time_offset, offset);
        assert_eq!(server.places(&body(1)).len(), 2);
    }
}

#[test]
fn the_pong_to_our_ping_may_come_at_any_time_and_no_other() {
    let mut server = RawServer::new();
    assert!(good(&mut server));
    let ping_id = server.all::<service::PingDelayDisconnect>()[0].ping_id;
    for (other, offset) in [(1, 0), (0, -1000)] {
        let pong = types::Pong { msg_id: 0, ping_id: ping_id + other };
        server.send(id_at(-1000, other, 1), 0, &pong.to_bytes());
        assert_eq!(server.client.resume().unwrap().time_offset, offset);
    }
    let told = |event: &&Event| matches!(event, Event::Changed(_));
    assert_eq!(server.events.iter().filter(told).count(), 1);
}

/// The server repeats what nobody acknowledged over the next socket.
#[test]
fn what_a_wrong_clock_refused_is_fetched_over_another_socket() {
    for refused in [true, false] {
        let mut server = RawServer::new();
        assert!(good(&mut server));
        let ping_id = server.all::<service::PingDelayDisconnect>()[0].ping_id;
        if refused {
            server.send(id_at(-1000, 0, 1), 1, &body(9));
        }
        let pong = types::Pong { msg_id: 0, ping_id };
        server.send(id_at(-1000, 1, 1), 0, &pong.to_bytes());
        let wanted: &[_] = if refused { &[&ReconnectReason::Clock] } else { &[] };
        assert_eq!(server.reconnects(), wanted);
    }
}

#[test]
fn pongs_to_nobody_out_of_time_cost_the_socket_like_anything_else() {
    let mut server = RawServer::new();
    assert!(good(&mut server));
    for number in 0..32 {
        assert!(server.reconnects().is_empty());
        let pong = types::Pong { msg_id: 0, ping_id: 0 };
        server.send(id_at(-1000, number, 1), 0, &pong.to_bytes());
    }
    let old = ReconnectReason::Peer(PeerMisbehaved::Message(MessageError::Old));
    assert_eq!(server.reconnects(), [&old]);
}

#[test]
fn errors_about_chains_and_temporary_keys_are_the_callers_who_has_none() {
    for name in ["AUTH_KEY_PERM_EMPTY", "MSG_WAIT_FAILED", "MSG_WAIT_TIMEOUT"] {
        let (mut server, req_msg_id) = asked();
        let error = types::RpcError { error_code: 401, error_message: name.into() };
        server.say(RpcResult { req_msg_id, result: error.to_bytes() }.to_bytes());
        let told = |event: &&Event| matches!(event, Event::Response { result: Err(failure), .. } if failure.message == name);
        assert_eq!(server.events.iter().filter(told).count(), 1, "{name}");
        assert_eq!(server.places(&body(1)).len(), 1);
        assert!(good(&mut server));
    }
}

#[test]
fn other_notices_do_not_set_the_clock() {
    for error_code in [18, 19, 20, 32, 33, 34, 35, 64] {
        let (mut server, place) = asked();
        let notice = types::BadMsgNotification { bad_msg_id: place, bad_msg_seqno: 1, error_code };
        server.send(id_at(20, 0, 1), 0, &notice.to_bytes());
        assert_eq!(server.client.resume().unwrap().time_offset, 0, "{error_code}");
    }
}

#[test]
fn notices_about_numbers_begin_a_new_session() {
    for code in [18, 32, 33, 34, 35, 64] {
        let (mut server, place) = asked();
        let session = server.session;
        refuse(&mut server, place, code);
        assert_ne!(server.session, session, "{code}");
        assert_eq!(server.places(&body(1)).len(), 2);
        let first = server.outer.last().unwrap();
        assert!(first.seqno <= 2, "numbers begin anew: {first:?}");
        assert!(good(&mut server));
    }
}

#[test]
fn a_message_too_old_to_tell_is_sent_again_if_it_may() {
    let (mut server, place) = asked();
    let session = server.session;
    refuse(&mut server, place, 20);
    assert_eq!(server.places(&body(1)).len(), 2);
    assert_eq!(server.session, session);
    let options = RequestOptions { no_resend: true, ..RequestOptions::default() };
    let id = server.client.request(server.now, body(2), options);
    server.drain();
    let place = server.places(&body(2))[0];
    refuse(&mut server, place, 20);
    let lost = |event: &Event| matches!(event, Event::Failed { id: lost, reason: FailureReason::Lost } if *lost == id);
    assert!(server.events.iter().any(lost));
    assert_eq!(server.places(&body(2)).len(), 1);
}

#[test]
fn a_container_that_came_twice_is_not_sent_again() {
    let (mut server, place) = asked();
    let session = server.session;
    refuse(&mut server, place, 19);
    assert_eq!(server.places(&body(1)).len(), 1);
    assert_eq!(server.session, session);
}

#[test]
fn a_request_that_is_always_refused_fails() {
    let (mut server, _) = asked();
    for _ in 0..9 {
        if server.reconnects().len() == 1 {
            server.events.clear();
            server.input(Input::Disconnected);
            server.connect();
        }
        let last = *server.places(&body(1)).last().unwrap();
        refuse(&mut server, last, 20);
    }
    let failed =
        |event: &Event| matches!(event, Event::Failed { reason: FailureReason::Rejected(20), .. });
    assert!(server.events.iter().any(failed));
    assert_eq!(server.places(&body(1)).len(), 9);
}

#[test]
fn a_refused_acknowledgement_is_sent_again() {
    let mut server = RawServer::new();
    let update = server.say(body(1));
    server.wait(10);
    let acks: Vec<types::MsgsAck> = server.all();
    assert!(acks.iter().any(|acks| acks.msg_ids.contains(&update)));
    let sent = server.outer.last().unwrap().msg_id;
    server.messages.clear();
    refuse_salt(&mut server, sent, 4321);
    server.wait(10);
    let acks: Vec<types::MsgsAck> = server.all();
    assert!(acks.iter().any(|acks| acks.msg_ids.contains(&update)));
}

// What the server announces.

#[test]
fn a_new_session_repeats_what_came_before_it_once() {
    let (mut server, place) = asked();
    let notice = |first_msg_id, unique_id| types::NewSessionCreated {
        first_msg_id,
        unique_id,
        server_salt: 500,
    };
    let body_of = |notice: types::NewSessionCreated| notice.to_bytes();
    server.say(body_of(notice(place, 1)));
    assert_eq!(server.places(&body(1)).len(), 1, "it is the first message");
    server.say(body_of(notice(place + 4, 2)));
    assert_eq!(server.places(&body(1)).len(), 2);
    server.say(body_of(notice(i64::MAX, 2)));
    assert_eq!(server.places(&body(1)).len(), 2, "the same notice again");
    let told = |event: &&Event| matches!(event, Event::NewSession { .. });
    assert_eq!(server.events.iter().filter(told).count(), 2);
    assert_eq!(server.outer.last().unwrap().salt, 500);
}

#[test]
fn content_is_acknowledged_after_a_while_or_with_the_next_packet() {
    let mut server = RawServer::new();
    let silent = {
        let msg_id = server.id(3);
        server.send(msg_id, 0, &body(1));
        msg_id
    };
    let first = server.say(body(1));
    assert!(server.all::<types::MsgsAck>().is_empty());
    server.client.request(server.now, body(5), RequestOptions::default());
    server.drain();
    assert_eq!(server.all::<types::MsgsAck>(), [types::MsgsAck { msg_ids: vec![first] }]);
    let req_msg_id = server.places(&body(5))[0];
    let answer = server.say(RpcResult { req_msg_id, result: body(6) }.to_bytes());
    let second = server.say(body(1));
    server.wait(9);
    assert_eq!(server.all::<types::MsgsAck>().len(), 1);
    server.wait(1);
    assert_eq!(server.all::<types::MsgsAck>()[1].msg_ids, [answer, second]);
    assert!(server.all::<types::MsgsAck>().iter().all(|acks| !acks.msg_ids.contains(&silent)));
}

#[test]
fn future_salts_are_taken_from_an_answer_only() {
    let mut server = RawServer::with(client_config(Framing::Full, false), {
        let mut resume = resume(77);
        resume.salts[0].valid_until = resume.salts[0].valid_since;
        resume
    });
    let now = i32::try_from(crate::common::START.as_secs()).unwrap();
    let salts = vec![FutureSalt { valid_since: now - 10, valid_until: now + 9000, salt: 88 }];
    let asked: Vec<i64> = server
        .messages
        .iter()
        .filter(|message| message.body[..4] == service::GetFutureSalts::ID.to_le_bytes())
        .map(|message| message.msg_id)
        .collect();
    assert_eq!(asked.len(), 1);
    let answer = |req_msg_id| FutureSalts { req_msg_id, now, salts: salts.clone() };
    server.serve(&answer(asked[0] + 4));
    assert!(server.client.resume().unwrap().salts.iter().all(|salt| salt.salt != 88));
    server.serve(&answer(asked[0]));
    assert!(server.client.resume().unwrap().salts.iter().any(|salt| salt.salt == 88));
    server.client.request(server.now, body(5), RequestOptions::default());
    server.drain();
    assert_eq!(server.outer.last().unwrap().salt, 88);
}

#[test]
fn announced_answers_are_asked_for_or_acknowledged() {
    let mut server = RawServer::new();
    let here = server.say(body(1));
    let there = id_at(0, 500, 1);
    for answer_msg_id in [here, there] {
        server.serve(&types::MsgNewDetailedInfo { answer_msg_id, bytes: 4, status: 0 });
    }
    let asked: Vec<types::MsgResendReq> = server.all();
    assert_eq!(asked, [types::MsgResendReq { msg_ids: vec![there] }]);
}

#[test]
fn service_messages_are_never_updates() {
    let mut server = RawServer::new();
    server.serve(&types::MsgsStateInfo { req_msg_id: 4, info: Bytes::new() });
    server.serve(&types::MsgsAllInfo { msg_ids: vec![4], info: Bytes::from_static(&[4]) });
    server.serve(&types::DestroySessionOk { session_id: 4 });
    server.serve(&types::DestroySessionNone { session_id: 4 });
    assert_eq!(server.updates(), 0);
    assert!(good(&mut server));
}

#[test]
fn pings_begin_at_once_and_go_on() {
    let mut server = RawServer::new();
    let pings = |server: &mut RawServer| server.all::<service::PingDelayDisconnect>();
    assert_eq!(pings(&mut server).len(), 1);
    assert_eq!(pings(&mut server)[0].disconnect_delay, 75);
    server.say(body(1));
    server.wait(59);
    assert_eq!(pings(&mut server).len(), 1);
    server.wait(1);
    assert_eq!(pings(&mut server).len(), 2);
    server.wait(14);
    assert!(server.reconnects().is_empty());
    server.wait(1);
    assert_eq!(server.reconnects(), [&ReconnectReason::Silent]);
}

#[test]
fn transport_errors_are_told_and_counted() {
    let mut server = RawServer::new();
    for _ in 0..10 {
        server.transport_error(-429);
        server.input(Input::Disconnected);
        server.connect();
    }
    assert_eq!(server.error, None, "a flood passes");
    assert_eq!(server.reconnects(), [&ReconnectReason::Transport(-429); 10]);
    for _ in 0..4 {
        server.transport_error(-403);
        server.input(Input::Disconnected);
        server.connect();
    }
    assert_eq!(server.error, Some(ProtocolError::Refused(-403)));
    let mut server = RawServer::new();
    server.transport_error(-444);
    assert_eq!(server.error, Some(ProtocolError::WrongDc(2)));
    let sent = server.messages.len();
    server.client.request(server.now, body(1), RequestOptions::default());
    server.drain();
    assert_eq!(server.messages.len(), sent, "a failed connection is silent");
}

#[test]
fn questions_of_the_server_are_no_updates() {
    let mut server = RawServer::new();
    server.serve(&types::MsgsStateReq { msg_ids: vec![4] });
    server.serve(&types::MsgResendReq { msg_ids: vec![4] });
    server.serve(&types::MsgResendAnsReq { msg_ids: vec![4] });
    server.serve(&types::MsgsStateInfo { req_msg_id: 4, info: Bytes::new() });
    assert_eq!(server.updates(), 0);
    assert!(server.reconnects().is_empty());
}

#[test]
fn any_number_of_requests_can_be_cancelled_at_once() {
    let mut server = RawServer::new();
    let ids: Vec<_> = (0..1500)
        .map(|number| server.client.request(server.now, body(number), RequestOptions::default()))
        .collect();
    server.drain();
    for id in ids {
        server.client.cancel(server.now, id);
    }
    server.drain();
    assert_eq!(server.all::<service::RpcDropAnswer>().len(), 1500);
}

#[test]
fn what_waits_is_handed_over_in_pieces() {
    let mut server = RawServer::new();
    let options = RequestOptions { no_gzip: true, ..RequestOptions::default() };
    for number in 0..10 {
        server.client.request(server.now, Bytes::from(vec![number; 400_000]), options);
    }
    let mut sizes = Vec::new();
    while let Output::Transmit(bytes) = server.client.poll() {
        sizes.push(bytes.len());
    }
    assert!(sizes.len() > 2 && sizes.iter().all(|size| *size < 1_500_000), "{sizes:?}");
    assert!(sizes.iter().sum::<usize>() > 4_000_000);
}

#[test]
fn requests_have_odd_numbers_and_service_messages_even_ones() {
    let (mut server, _) = asked();
    server.client.request(server.now, body(2), RequestOptions::default());
    server.drain();
    let mut content = 0;
    for message in &server.messages {
        let asks = message.body == body(1) || message.body == body(2);
        assert_eq!(message.seqno, content * 2 + i32::from(asks), "{message:?}");
        content += i32::from(asks);
        assert_eq!(message.msg_id & 3, 0);
    }
    assert!(server.messages.windows(2).all(|pair| pair[0].msg_id < pair[1].msg_id));
}

#[test]
fn a_plain_message_beside_no_exchange_costs_the_socket() {
    let mut server = RawServer::new();
    server.packet(&packet::seal_plain(id_at(0, 1, 1), &body(1)));
    assert_eq!(packet_error(&server), Some(PacketError::AuthKeyId));
    assert!(recovers(&mut server));
}

#[test]
fn plain_messages_that_cannot_be_cost_the_socket() {
    let now = RawServer::new().now;
    let config = client_config(Framing::Intermediate, false);
    for (length, key) in [(-1, 0), (25, 0), (i32::MAX, 0), (4, 1)] {
        let mut client = Connection::new(config.clone(), None, [4; 32], now);
        client.handle(now, Input::Connected).unwrap();
        let mut packet = 44u32.to_le_bytes().to_vec();
        packet.extend_from_slice(&i64::from(key).to_le_bytes());
        packet.extend_from_slice(&1i64.to_le_bytes());
        packet.extend_from_slice(&i32::to_le_bytes(length));
        packet.extend_from_slice(&[0; 24]);
        client.handle(now, Input::Received(&mut BytesMut::from(&packet[..]))).unwrap();
        let mut told = false;
        loop {
            match client.poll() {
                Output::Event(Event::Reconnect(ReconnectReason::Peer(_))) => told = true,
                Output::Timeout(_) => break,
                _ => {}
            }
        }
        assert!(told, "{length}");
    }
}
