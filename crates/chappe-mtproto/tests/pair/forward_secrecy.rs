//! Temporary keys: bound before anything else is said, replaced before they end.

use std::time::Duration;

use bytes::{BufMut, Bytes};
use chappe_crypto::Side;
use chappe_mtproto::connection::{
    Config, Event, FailureReason, ReconnectReason, RequestOptions, Resume, RpcFailure,
};
use chappe_mtproto::error::ProtocolError;
use chappe_mtproto::packet::{self, Header};
use chappe_mtproto::server::{ServerEvent, SessionRef};
use chappe_mtproto::transport::Framing;
use chappe_tl::Encode;
use chappe_tl::service::{RpcResult, types};

use crate::common::raw::{id_at, seal};
use crate::common::{Pair, auth_key, body, client_config, echo, resume, secs, server_config};

fn pair(life: u64, resume: Option<Resume>) -> Pair {
    let config =
        Config { forward_secrecy: Some(secs(life)), ..client_config(Framing::Intermediate, false) };
    Pair::new(config, resume, server_config())
}

fn renewals(pair: &Pair) -> usize {
    pair.count(|event| matches!(event, Event::Renewed))
}

/// Who asked: the ids of the keys of all requests, each once.
fn askers(pair: &Pair) -> Vec<i64> {
    let mut keys: Vec<i64> =
        pair.requests.iter().map(|(session, _, _)| session.auth_key_id).collect();
    keys.dedup();
    keys
}

/// Lets a packet arrive at the client that the server of the pair did not make.
fn forge(pair: &mut Pair, packet: &[u8]) {
    pair.down.put_u32_le(u32::try_from(packet.len()).unwrap());
    pair.down.extend_from_slice(packet);
}

/// A message of a session under the key of `key_of`.
fn message(
    pair: &Pair,
    key_of: SessionRef,
    session: SessionRef,
    number: i64,
    body: &[u8],
) -> Vec<u8> {
    let seconds = i64::try_from(pair.uptime.as_secs()).unwrap();
    let msg_id = id_at(seconds, number, 1) | 0xfff0_0000;
    let header = Header { salt: 0, session_id: session.session_id, msg_id, seqno: 1 };
    seal(&pair.keys[&key_of.auth_key_id], Side::Server, &header, body)
}

/// A pair whose first session waits for an answer, and whose second one is the current.
fn two_sessions() -> (Pair, SessionRef, SessionRef) {
    let mut pair = pair(60, Some(resume(0)));
    pair.connect();
    pair.call(0).unwrap();
    let first = pair.session();
    pair.answers = false;
    pair.request(body(1));
    pair.advance(secs(46));
    assert_eq!(renewals(&pair), 2);
    let second = pair.session();
    (pair, first, second)
}

/// Spoils the next step of a key exchange.
fn spoil(pair: &mut Pair) {
    let nonsense = packet::seal_plain(5, &body(1));
    forge(pair, &nonsense);
    pair.exchange_once();
}

#[test]
fn requests_wait_for_a_temporary_key_that_is_bound() {
    for known in [None, Some(resume(0))] {
        let mut pair = pair(86_400, known);
        let early = pair.request(body(0));
        pair.connect();
        assert_eq!(pair.response(early), Some(Ok(echo(&body(0)))));
        assert_eq!(pair.call(1), Ok(echo(&body(1))));
        assert_eq!(renewals(&pair), 1);
        assert_eq!(pair.count(|event| matches!(event, Event::Ready)), 1);
        let [asker] = askers(&pair)[..] else { panic!("several keys") };
        let kept = pair.client.resume().unwrap().key.id();
        assert_eq!(pair.temporary[&asker], Some(kept), "what is kept is the permanent key");
        assert_ne!(asker, kept);
    }
}

#[test]
fn a_new_socket_goes_on_with_the_temporary_key() {
    let mut pair = pair(86_400, Some(resume(0)));
    pair.connect();
    pair.call(1).unwrap();
    let id = pair.request(body(2));
    pair.drop_down();
    pair.cut();
    pair.connect();
    assert_eq!(pair.response(id), Some(Ok(echo(&body(2)))));
    assert_eq!((renewals(&pair), askers(&pair).len(), pair.requests.len()), (1, 1, 2));
}

#[test]
fn temporary_keys_are_replaced_in_time_and_no_call_is_lost_or_doubled() {
    let mut pair = pair(60, Some(resume(0)));
    pair.connect();
    let mut ids = Vec::new();
    for number in 0..1200 {
        ids.push(pair.request(body(number)));
        pair.advance(Duration::from_millis(500));
    }
    for (number, id) in (0..).zip(ids) {
        assert_eq!(pair.response(id), Some(Ok(echo(&body(number)))), "{number}");
    }
    assert_eq!(pair.requests.len(), 1200);
    assert_eq!(askers(&pair).len(), renewals(&pair));
    // Ten minutes of keys that last for 60 seconds and are replaced after 45.
    assert!((12..=15).contains(&renewals(&pair)), "{}", renewals(&pair));
    assert_eq!(pair.count(|event| matches!(event, Event::Reconnect(_))), 0);
    let census = pair.client.census();
    assert!(census.keys <= 3 && census.sessions <= 2, "{census:?}");
}

#[test]
fn an_answer_that_takes_long_comes_in_the_session_that_asked() {
    let mut pair = pair(60, Some(resume(0)));
    pair.connect();
    pair.call(0).unwrap();
    pair.answers = false;
    let id = pair.request(body(1));
    pair.settle();
    pair.advance(secs(50));
    assert_eq!(renewals(&pair), 2);
    pair.answer(1, Ok(echo(&body(1))));
    pair.settle();
    assert_eq!(pair.response(id), Some(Ok(echo(&body(1)))));
    pair.advance(secs(12));
    let census = pair.client.census();
    assert_eq!((census.sessions, census.keys), (1, 2), "the old session is gone: {census:?}");
    assert_eq!(pair.requests.len(), 2);
}

#[test]
fn a_key_that_ended_while_nobody_was_connected_is_replaced() {
    let mut pair = pair(60, Some(resume(0)));
    pair.connect();
    pair.call(0).unwrap();
    pair.cut();
    pair.advance(secs(3600));
    pair.connect();
    assert_eq!(pair.call(1), Ok(echo(&body(1))));
    assert_eq!(renewals(&pair), 2);
    assert_eq!(pair.count(|event| matches!(event, Event::Reconnect(_))), 0);
}

#[test]
fn a_key_that_the_server_forgot_is_replaced() {
    let mut pair = pair(86_400, Some(resume(0)));
    pair.connect();
    pair.call(0).unwrap();
    let temporary = askers(&pair)[0];
    pair.keys.remove(&temporary);
    pair.server.forget_key(pair.server_now(), temporary);
    pair.settle();
    pair.cut();
    // Nothing of what is sent over the next socket can be read, also what must not run twice.
    let options = RequestOptions { no_resend: true, ..RequestOptions::new() };
    let id = pair.client.request(pair.client_now(), body(1), options);
    for _ in 0..2 {
        pair.connect();
        if pair.server_closed {
            pair.cut();
        }
    }
    assert_eq!(pair.response(id), Some(Ok(echo(&body(1)))));
    assert_eq!(renewals(&pair), 2);
    assert_eq!(pair.error, None);
}

#[test]
fn what_a_forgotten_key_may_have_run_is_not_run_twice() {
    let mut pair = pair(86_400, Some(resume(0)));
    pair.connect();
    pair.call(0).unwrap();
    pair.answers = false;
    let id = pair.request(body(1));
    pair.advance(secs(2));
    let temporary = askers(&pair)[0];
    pair.keys.remove(&temporary);
    pair.server.forget_key(pair.server_now(), temporary);
    pair.settle();
    let lost = |event: &Event| matches!(event, Event::Failed { id: lost, reason: FailureReason::Lost } if *lost == id);
    assert_eq!(pair.count(lost), 1);
    pair.cut();
    pair.connect();
    assert_eq!(pair.requests.len(), 2);
}

#[test]
fn a_key_that_is_no_longer_bound_is_replaced_and_the_request_runs_once() {
    let mut pair = pair(86_400, Some(resume(0)));
    pair.connect();
    pair.call(0).unwrap();
    let temporary = askers(&pair)[0];
    pair.temporary.insert(temporary, None);
    assert_eq!(pair.call(1), Ok(echo(&body(1))));
    assert_eq!((renewals(&pair), pair.requests.len()), (2, 2));
    assert_eq!(pair.count(|event| matches!(event, Event::Reconnect(_))), 0);
}

#[test]
fn a_permanent_key_that_is_gone_shows_when_it_should_vouch() {
    let mut pair = pair(86_400, Some(resume(0)));
    pair.keys.remove(&auth_key().id());
    for round in 0..5 {
        assert_eq!(pair.error, None, "round {round}");
        pair.connect();
        pair.cut();
    }
    assert_eq!(pair.error, Some(ProtocolError::KeyUnknown));
    let unbound = |event: &Event| matches!(event, Event::Reconnect(ReconnectReason::Unbound));
    assert_eq!(pair.count(unbound), 4);
}

#[test]
fn a_refused_binding_is_made_anew() {
    let mut pair = Pair::skewed(Some(resume(0)), 0);
    let config =
        Config { forward_secrecy: Some(secs(86_400)), ..client_config(Framing::Full, false) };
    pair.client = chappe_mtproto::connection::Connection::new(
        config,
        Some(resume(0)),
        [5; 32],
        pair.client_now(),
    );
    pair.connect_to_nobody();
    while pair.count(|event| matches!(event, Event::Renewed)) == 0 && pair.uptime < secs(200) {
        pair.exchange_once();
        // The server's clock runs away while the key is made: the binding comes too late for it.
        if pair.temporary.len() == 1 && pair.slept == Duration::ZERO {
            pair.slept = secs(400);
            pair.skew = -400;
        }
        pair.uptime += secs(1);
    }
    assert_eq!(renewals(&pair), 1);
    assert!(pair.temporary.values().any(Option::is_some));
}

#[test]
fn a_socket_that_dies_before_the_binding_is_no_loss() {
    for steps in 0..12 {
        let mut pair = pair(86_400, Some(resume(0)));
        let id = pair.request(body(1));
        pair.connect_to_nobody();
        for _ in 0..steps {
            pair.exchange_once();
        }
        pair.cut();
        pair.connect();
        assert_eq!(pair.response(id), Some(Ok(echo(&body(1)))), "after {steps} steps");
        assert_eq!(pair.requests.len(), 1);
        let census = pair.client.census();
        assert_eq!((census.keys, census.sessions), (2, 1), "after {steps} steps");
    }
}

#[test]
fn a_server_that_never_binds_costs_the_socket() {
    let mut pair = pair(86_400, Some(resume(0)));
    pair.connect_to_nobody();
    while pair.temporary.is_empty() {
        pair.exchange_once();
    }
    pair.drop_down();
    pair.advance(secs(31));
    let silent = |event: &Event| matches!(event, Event::Reconnect(ReconnectReason::Silent));
    assert_eq!(pair.count(silent), 1);
}

#[test]
fn pushes_come_in_either_session_while_keys_are_replaced() {
    let mut pair = pair(60, Some(resume(0)));
    pair.connect();
    pair.call(0).unwrap();
    let first = pair.session();
    pair.advance(secs(46));
    assert_eq!(renewals(&pair), 2);
    let second = pair.session();
    assert_ne!(first, second);
    for (session, number) in [(first, 1), (second, 2)] {
        pair.server.push(pair.server_now(), session, body(number));
    }
    pair.settle();
    let update = |number: u32| move |event: &Event| matches!(event, Event::Update(update) if *update == body(number));
    assert!(pair.count(update(2)) == 1, "the new session is told");
    let created = |event: &&ServerEvent| matches!(event, ServerEvent::SessionCreated { .. });
    assert_eq!(pair.server_events.iter().filter(created).count(), 2);
}

#[test]
fn a_session_is_one_of_its_own_key_only() {
    let (mut pair, first, second) = two_sessions();
    let update = |event: &Event| matches!(event, Event::Update(_));
    for (key_of, number, updates) in [(first, 1, 0), (second, 2, 1)] {
        let packet = message(&pair, key_of, second, number, &body(5));
        forge(&mut pair, &packet);
        pair.settle();
        assert_eq!(pair.count(update), updates);
    }
}

#[test]
fn a_temporary_key_lasts_for_a_minute_at_least() {
    let mut pair = pair(1, Some(resume(0)));
    pair.connect();
    pair.advance(secs(44));
    assert_eq!(renewals(&pair), 1);
}

#[test]
fn a_long_temporary_key_is_replaced_two_minutes_before_its_end() {
    let mut pair = pair(86_400, Some(resume(0)));
    pair.connect();
    pair.advance(secs(86_400 - 122));
    assert_eq!(renewals(&pair), 1);
    pair.advance(secs(4));
    assert_eq!(renewals(&pair), 2);
}

#[test]
fn exchanges_that_always_fail_are_an_error_and_one_that_does_not_forgives() {
    for (rounds, error) in [(4, false), (5, true)] {
        let mut pair = pair(86_400, None);
        for _ in 0..rounds {
            pair.connect_to_nobody();
            spoil(&mut pair);
            pair.cut();
        }
        assert_eq!(matches!(pair.error, Some(ProtocolError::Handshake(_))), error);
    }
    let mut pair = pair(86_400, None);
    for _ in 0..4 {
        pair.connect_to_nobody();
        spoil(&mut pair);
        pair.cut();
    }
    // The permanent key is made, the exchange of the temporary one fails again.
    pair.connect_to_nobody();
    while pair.count(|event| matches!(event, Event::KeyCreated(_))) == 0 {
        pair.exchange_once();
    }
    spoil(&mut pair);
    pair.cut();
    assert_eq!(pair.error, None);
    pair.connect();
    assert_eq!(pair.call(1), Ok(echo(&body(1))));
}

#[test]
fn a_binding_that_succeeds_forgives_those_before_it() {
    let mut pair = pair(86_400, Some(resume(0)));
    for _ in 0..2 {
        pair.keys.remove(&auth_key().id());
        for _ in 0..4 {
            pair.connect();
            pair.cut();
        }
        assert_eq!(pair.error, None);
        pair.keys.insert(auth_key().id(), auth_key());
        pair.connect();
        assert!(pair.call(1).is_ok());
        pair.cut();
        pair.advance(secs(86_400));
    }
}

#[test]
fn only_the_answer_to_a_binding_binds() {
    let mut pair = pair(86_400, Some(resume(0)));
    pair.connect_to_nobody();
    while pair.temporary.is_empty() {
        pair.exchange_once();
    }
    pair.link = pair.held;
    pair.drop_down();
    // The server's own answer is lost; somebody answers another message of the session.
    let session = pair.session();
    let yes = Bytes::copy_from_slice(&0x9972_75b5_u32.to_le_bytes());
    let answer = RpcResult { req_msg_id: 4, result: yes }.to_bytes();
    let packet = message(&pair, session, session, 1, &answer);
    forge(&mut pair, &packet);
    pair.settle();
    assert_eq!(renewals(&pair), 0);
}

#[test]
fn a_refused_exchange_does_not_cost_the_temporary_key() {
    let mut pair = pair(60, Some(resume(0)));
    pair.connect();
    pair.call(0).unwrap();
    pair.cut();
    pair.advance(secs(50));
    // The successor is due: its exchange is refused.
    pair.connect_to_nobody();
    pair.advance(secs(1));
    forge(&mut pair, &(-404i32).to_le_bytes());
    pair.exchange_once();
    let refused = ReconnectReason::Transport(-404);
    assert_eq!(
        pair.count(|event| matches!(event, Event::Reconnect(reason) if *reason == refused)),
        1
    );
    pair.cut();
    let id = pair.request(body(1));
    pair.connect();
    assert_eq!(pair.response(id), Some(Ok(echo(&body(1)))));
    assert_eq!(askers(&pair).len(), 1, "both under the key that there was");
}

#[test]
fn a_forgotten_key_is_replaced_even_when_its_successor_is_due() {
    let mut pair = pair(60, Some(resume(0)));
    pair.connect();
    pair.call(0).unwrap();
    let temporary = askers(&pair)[0];
    pair.cut();
    pair.advance(secs(50));
    pair.keys.remove(&temporary);
    pair.server.forget_key(pair.server_now(), temporary);
    for _ in 0..2 {
        pair.connect_to_nobody();
        pair.advance(secs(1));
        pair.exchange_once();
        pair.cut();
    }
    let id = pair.request(body(1));
    pair.connect();
    assert_eq!((pair.response(id), pair.error.take()), (Some(Ok(echo(&body(1)))), None));
}

#[test]
fn a_refusal_in_the_session_of_an_older_key_leaves_the_current_one() {
    let (mut pair, _, _) = two_sessions();
    let refusal = RpcFailure { code: 401, message: "AUTH_KEY_PERM_EMPTY".to_owned() };
    pair.answers = true;
    pair.answer(1, Err(refusal));
    pair.settle();
    assert_eq!((renewals(&pair), pair.requests.len()), (2, 3), "it ran in the current session");
}

#[test]
fn a_new_session_under_a_temporary_key_keeps_the_key() {
    let mut pair = pair(86_400, Some(resume(0)));
    pair.connect();
    pair.call(0).unwrap();
    let session = pair.session();
    let (bad_msg_id, bad_msg_seqno, error_code) = (pair.requests[0].1, 0, 32);
    let notice = types::BadMsgNotification { bad_msg_id, bad_msg_seqno, error_code };
    let packet = message(&pair, session, session, 1, &notice.to_bytes());
    forge(&mut pair, &packet);
    pair.settle();
    pair.advance(secs(12));
    assert_eq!(pair.client.census().sessions, 1);
    assert_eq!(pair.call(1), Ok(echo(&body(1))));
    assert_ne!(pair.session(), session);
    assert_eq!(renewals(&pair), 1);
}

#[test]
fn requests_that_are_never_answered_do_not_pile_up_sessions() {
    let mut pair = pair(60, Some(resume(0)));
    pair.connect();
    pair.answers = false;
    for number in 0..30 {
        pair.request(body(number));
        pair.advance(secs(46));
        if pair.server_closed {
            pair.cut();
            pair.connect();
        }
        let census = pair.client.census();
        assert!(census.sessions <= 2 && census.keys <= 3, "{census:?}");
    }
    // Each of them runs, once; that nobody will hear of it is told when its key ends.
    assert_eq!((pair.error.take(), pair.requests.len()), (None, 30));
    let lost = |event: &Event| matches!(event, Event::Failed { reason: FailureReason::Lost, .. });
    pair.advance(secs(60));
    assert_eq!((pair.count(lost), pair.client.census().requests), (30, 0));
    assert_eq!(pair.count(|event| matches!(event, Event::Reconnect(_))), 0);
}

#[test]
fn what_else_a_session_carried_is_answered_there_when_its_key_is_no_longer_bound() {
    let mut pair = pair(86_400, Some(resume(0)));
    pair.connect();
    pair.call(0).unwrap();
    pair.answers = false;
    let ids = [pair.request(body(1)), pair.request(body(2))];
    pair.settle();
    pair.answers = true;
    pair.answer(1, Err(RpcFailure { code: 401, message: "AUTH_KEY_PERM_EMPTY".to_owned() }));
    pair.settle();
    pair.answer(2, Ok(body(9)));
    pair.settle();
    assert_eq!(pair.response(ids[0]), Some(Ok(echo(&body(1)))));
    assert_eq!(pair.response(ids[1]), Some(Ok(body(9))));
    assert_eq!((renewals(&pair), pair.requests.len()), (2, 4));
}

#[test]
fn keys_that_end_again_and_again_do_not_pile_up_sessions() {
    let mut pair = pair(86_400, Some(resume(0)));
    pair.connect();
    for number in 0..10 {
        // Its session is listened to for as long as it is not answered.
        pair.answers = false;
        pair.request(body(number));
        pair.settle();
        let asked = pair.requests.last().expect("a request").0;
        pair.temporary.insert(asked.auth_key_id, None);
        pair.answers = true;
        assert_eq!(pair.call(100 + number), Ok(echo(&body(100 + number))));
        let census = pair.client.census();
        assert!(census.sessions <= 5 && census.keys <= 6, "{census:?}");
    }
    let lost = |event: &Event| matches!(event, Event::Failed { reason: FailureReason::Lost, .. });
    assert_eq!((pair.error.take(), pair.count(lost), pair.client.census().requests), (None, 6, 4));
}
