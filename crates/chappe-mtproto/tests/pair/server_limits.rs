//! How long the server keeps what it keeps, and how much of it.

use crate::common::raw::{RawClient, container, seal};
use crate::common::{RSA, auth_key, body, server_config};
use bytes::{Bytes, BytesMut};
use chappe_crypto::Side;
use chappe_mtproto::handshake::client::{Completed, Handshake, Mode, Step};
use chappe_mtproto::message::Message;
use chappe_mtproto::packet::{self, Header};
use chappe_mtproto::server::{LinkId, ServerInput, ServerOutput};
use chappe_mtproto::transport::{Framing, Obfuscation, Transport};
use chappe_tl::Encode;
use chappe_tl::service::{self, types};

fn exchange(client: &mut RawClient) -> Completed {
    let mut exchange = Handshake::new(2, &[RSA.public().clone()], Mode::Permanent);
    let mut body = exchange.start(&mut client.rng);
    loop {
        client.packet(&packet::seal_plain(0, &body), false);
        let answer = client.messages.pop().expect("an answer");
        match exchange.step(&answer.body, client.now, &mut client.rng).expect("a good server") {
            Step::Send(next) => body = next,
            Step::Done(done) => return done,
        }
    }
}

/// Both servers draw the same secrets, and so do both clients: the same key comes out, unless
/// the server has it already.
#[test]
fn a_key_that_exists_is_not_made_again() {
    let first = exchange(&mut RawClient::new()).auth_key;
    assert_eq!(exchange(&mut RawClient::new()).auth_key, first);
    let mut client = RawClient::new();
    let now = client.now;
    client.server.provide_key(now, first.id(), Some(first.clone()));
    assert_ne!(exchange(&mut client).auth_key, first);
}

#[test]
fn the_first_salt_of_a_key_ends() {
    let mut client = RawClient::new();
    let done = exchange(&mut client);
    client.key = done.auth_key.clone();
    client.session = 9;
    let ask = |client: &mut RawClient| {
        client.reconnect(Framing::Intermediate);
        client.events.clear();
        let (msg_id, seqno) = (client.id(), client.odd());
        let header = Header { salt: done.server_salt, session_id: 9, msg_id, seqno };
        client.packet(&seal(&done.auth_key, Side::Client, &header, &body(1)), false);
        client.requests().len()
    };
    assert_eq!(ask(&mut client), 1);
    client.wait(3599);
    assert_eq!(ask(&mut client), 1, "a period and half an hour");
    client.wait(1);
    assert_eq!(ask(&mut client), 0);
    assert_eq!(client.only::<types::BadServerSalt>().error_code, 48);
}

#[test]
fn a_container_older_than_memory_gets_20() {
    let mut client = RawClient::new();
    let early = client.id();
    for _ in 0..5 {
        let inner = (0..1000)
            .map(|_| client.id())
            .map(|msg_id| Message {
                msg_id,
                seqno: 0,
                body: service::Ping { ping_id: 1 }.to_bytes(),
            })
            .collect();
        client.say(0, container(inner));
    }
    client.send(early, 0, &container(vec![]));
    assert_eq!(client.refusals(), [(early, 20)]);
}

#[test]
fn many_broken_compressed_objects_cost_the_socket() {
    let mut client = RawClient::new();
    let broken = service::GzipPacked { packed_data: Bytes::from_static(b"no gzip") }.to_bytes();
    for _ in 0..31 {
        client.ask(broken.clone());
    }
    assert!(!client.closed);
    client.ask(broken);
    assert!(client.closed);
}

#[test]
fn acknowledgements_go_in_bounded_lists() {
    let mut client = RawClient::new();
    let mut out = BytesMut::new();
    for _ in 0..9 {
        let inner = (0..1000)
            .map(|_| (client.id(), client.odd()))
            .map(|(msg_id, seqno)| Message { msg_id, seqno, body: body(1) })
            .collect();
        let (msg_id, seqno) = (client.id(), client.even());
        let header = client.header(msg_id, seqno);
        let packet = seal(&auth_key(), Side::Client, &header, &container(inner));
        client.transport.pack(&packet, false, &mut client.rng, &mut out).expect("a frame");
    }
    client.bytes(out);
    assert_eq!(client.requests().len(), 9000);
    assert_eq!(client.only::<types::MsgsAck>().msg_ids.len(), 8192);
}

/// Pushes so much, and counts what comes again over the next socket.
fn kept(pushes: usize, body: &Bytes) -> usize {
    let mut client = RawClient::new();
    client.serve(&service::Ping { ping_id: 1 });
    let (now, session) = (client.now, client.session_ref());
    for _ in 0..pushes {
        client.server.push(now, session, body.clone()).expect("a session");
    }
    client.drain();
    client.messages.clear();
    client.reconnect(Framing::Intermediate);
    client.serve(&service::Ping { ping_id: 2 });
    client.messages.iter().filter(|message| message.body == *body).count()
}

#[test]
fn only_so_much_is_kept_for_a_client() {
    assert_eq!(kept(10, &body(1)), 10);
    assert_eq!(kept(4100, &body(1)), 4096);
    assert_eq!(kept(34, &vec![1; 1 << 20].into()), 32);
}

#[test]
fn only_so_many_obfuscated_headers_are_remembered() {
    let mut client = RawClient::new();
    let mut stream = || {
        let obfuscation = Obfuscation { dc_id: 2, secret: None };
        let transport =
            Transport::client(Framing::Intermediate, Some(obfuscation), &mut client.rng);
        let mut out = BytesMut::new();
        let request = packet::seal_plain(0, &service::ReqPqMulti { nonce: [3; 16] }.to_bytes());
        transport.unwrap().pack(&request, false, &mut client.rng, &mut out).expect("a frame");
        out
    };
    let (first, others) = (stream(), (0..4096).map(|_| stream()).collect::<Vec<_>>());
    let mut server = chappe_mtproto::server::Server::new(server_config(), [3; 32]);
    let now = client.now;
    let mut link = LinkId(0);
    let mut serves = |bytes: &BytesMut| {
        link = LinkId(link.0 + 1);
        server.handle(now, ServerInput::Accepted(link));
        server.handle(now, ServerInput::Received(link, &mut bytes.clone()));
        let mut served = false;
        loop {
            match server.poll() {
                ServerOutput::Transmit(to, _) => served |= to == link,
                ServerOutput::Timeout(_) => return served,
                _ => {}
            }
        }
    };
    assert!(serves(&first) && !serves(&first));
    assert!(others.iter().all(&mut serves));
    assert!(serves(&first), "it is forgotten");
    assert!(!serves(&others[4095]));
}
