//! Temporary keys: bound before anything else is said, replaced before they end.

use std::time::Duration;

use chappe_mtproto::connection::{
    Config, Event, FailureReason, ReconnectReason, RequestOptions, Resume,
};
use chappe_mtproto::error::ProtocolError;
use chappe_mtproto::server::ServerEvent;
use chappe_mtproto::transport::Framing;

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
