//! Stories of a client and a server that both follow the protocol, on a pipe that need not.

#[cfg(test)]
#[path = "pair/client_checks.rs"]
mod client_checks;
#[cfg(test)]
#[expect(unreachable_pub, reason = "what the modules of the tests share")]
mod common;
#[cfg(test)]
#[path = "pair/forward_secrecy.rs"]
mod forward_secrecy;
#[cfg(test)]
#[path = "pair/recovery.rs"]
mod recovery;
#[cfg(test)]
#[path = "pair/server_checks.rs"]
mod server_checks;
#[cfg(test)]
#[path = "pair/server_faults.rs"]
mod server_faults;
#[cfg(test)]
#[path = "pair/server_limits.rs"]
mod server_limits;
#[cfg(test)]
#[path = "pair/slow_lines.rs"]
mod slow_lines;

use std::time::Duration;

use bytes::Bytes;
use chappe_mtproto::connection::{
    Event, FailureReason, ReconnectReason, RequestOptions, Resume, RpcFailure,
};
use chappe_mtproto::error::ProtocolError;
use chappe_mtproto::server::{ServerConfig, ServerEvent};
use chappe_mtproto::transport::Framing;
use common::{Pair, auth_key, body, client_config, echo, resume, secs, server_config};

const RISKY: RequestOptions = RequestOptions { no_resend: true, ..RequestOptions::new() };

fn every_transport() -> Vec<(Framing, bool)> {
    let mut all = vec![(Framing::Full, false)];
    for framing in [Framing::Abridged, Framing::Intermediate, Framing::PaddedIntermediate] {
        all.extend([(framing, false), (framing, true)]);
    }
    all
}

#[test]
fn key_exchange_call_and_push_over_every_transport() {
    for (framing, obfuscated) in every_transport() {
        let mut pair = Pair::new(client_config(framing, obfuscated), None, server_config());
        pair.connect();
        assert_eq!(pair.count(|event| matches!(event, Event::KeyCreated(_))), 1, "{framing:?}");
        assert_eq!(pair.count(|event| matches!(event, Event::Ready)), 1);
        assert_eq!(pair.call(1), Ok(echo(&body(1))), "{framing:?} {obfuscated}");
        let session = pair.session();
        assert!(pair.server.push(pair.server_now(), session, body(7)).is_some());
        pair.settle();
        let pushed = |event: &Event| matches!(event, Event::Update(update) if *update == body(7));
        assert_eq!(pair.count(pushed), 1);
        pair.advance(secs(20));
        let acked = |event: &&ServerEvent| matches!(event, ServerEvent::Acked { .. });
        assert_eq!(pair.server_events.iter().filter(acked).count(), 1, "the push");
        assert_eq!(pair.error, None);
    }
}

#[test]
fn bytes_may_arrive_in_any_pieces() {
    for (framing, obfuscated) in every_transport() {
        for chunk in [1, 3, 17] {
            let mut pair = Pair::new(client_config(framing, obfuscated), None, server_config());
            pair.chunk = chunk;
            pair.connect();
            assert_eq!(pair.call(1), Ok(echo(&body(1))), "{framing:?} {obfuscated} {chunk}");
        }
    }
}

#[test]
fn same_seeds_and_inputs_give_the_same_bytes() {
    let story = || {
        let mut pair =
            Pair::new(client_config(Framing::PaddedIntermediate, true), None, server_config());
        pair.connect();
        pair.call(1).unwrap();
        pair.cut();
        pair.connect();
        pair.call(2).unwrap();
        pair.advance(secs(300));
        pair.digest()
    };
    let digest = story();
    assert_eq!(digest, story());
    assert_eq!(digest, GOLDEN, "the bytes on the wire changed: is that meant?");
}

const GOLDEN: &str = "558499595ae6cfd60be754f9b9288add66bced8f36a5c5ac16089628623d9d77";

#[test]
fn a_new_process_resumes_with_what_was_kept() {
    let mut pair = Pair::new(client_config(Framing::Abridged, false), None, server_config());
    pair.connect();
    pair.call(1).unwrap();
    let kept = pair.client.resume().expect("a key");
    assert!(kept.salts.len() >= 2, "future salts were fetched: {:?}", kept.salts);
    let mut next = Pair::new(client_config(Framing::Full, false), Some(kept), server_config());
    std::mem::swap(&mut next.server, &mut pair.server);
    next.keys = pair.keys;
    next.links = 100;
    next.connect();
    assert_eq!(next.call(2), Ok(echo(&body(2))));
    assert_eq!(next.count(|event| matches!(event, Event::KeyCreated(_))), 0);
    assert_eq!(next.count(|event| matches!(event, Event::Changed(_))), 0, "the salt was right");
}

#[test]
fn a_server_without_the_key_in_memory_asks_for_it() {
    let mut pair = Pair::resumed();
    pair.connect();
    assert_eq!(pair.call(1), Ok(echo(&body(1))));
    let wanted = |event: &&ServerEvent| matches!(event, ServerEvent::KeyWanted { .. });
    assert_eq!(pair.server_events.iter().filter(wanted).count(), 1);
}

#[test]
fn an_unknown_key_is_an_error_only_after_some_sockets() {
    let mut pair = Pair::resumed();
    pair.keys.clear();
    for round in 0..4 {
        assert_eq!(pair.error, None, "round {round}");
        pair.connect();
        assert!(pair.server_closed);
        pair.cut();
    }
    assert_eq!(pair.error, Some(ProtocolError::KeyUnknown));
    let refused =
        |event: &Event| matches!(event, Event::Reconnect(ReconnectReason::Transport(-404)));
    assert_eq!(pair.count(refused), 3);
}

#[test]
fn errors_are_sticky() {
    let mut pair = Pair::resumed();
    pair.keys.clear();
    for _ in 0..4 {
        pair.connect();
        pair.cut();
    }
    pair.keys.insert(auth_key().id(), auth_key());
    pair.error = None;
    pair.connect();
    assert_eq!(pair.error, Some(ProtocolError::KeyUnknown));
    pair.request(body(1));
    pair.settle();
    assert!(pair.up.is_empty() && pair.client_wake.is_none());
}

#[test]
fn salt_zero_is_corrected_on_the_way() {
    let mut pair = Pair::resumed();
    let ids: Vec<_> = (0..3).map(|number| pair.request(body(number))).collect();
    pair.connect();
    for (number, id) in (0..).zip(ids) {
        assert_eq!(pair.response(id), Some(Ok(echo(&body(number)))));
    }
    assert_eq!(pair.requests.len(), 3, "none ran twice");
}

#[test]
fn salts_rotate_without_a_refusal() {
    let mut pair = Pair::new(client_config(Framing::Full, false), None, server_config());
    pair.connect();
    let mut changes = 0;
    for number in 0..40 {
        pair.advance(secs(1800));
        assert_eq!(pair.call(number), Ok(echo(&body(number))), "after {:?}", pair.uptime);
        changes = pair.count(|event| matches!(event, Event::Changed(_)));
    }
    // 32 future salts at a time: three questions for twenty hours, and no refusal.
    assert!(changes <= 4, "{changes} changes");
}

#[test]
fn an_expired_salt_is_replaced() {
    let mut pair = Pair::new(client_config(Framing::Full, false), None, server_config());
    pair.connect();
    pair.call(1).unwrap();
    pair.cut();
    pair.advance(secs(5 * 86_400));
    pair.connect();
    assert_eq!(pair.call(2), Ok(echo(&body(2))));
    assert_eq!(pair.requests.len(), 2);
}

#[test]
fn a_wrong_clock_is_corrected_by_the_key_exchange() {
    for skew in [-100_000, -400, 100, 100_000] {
        let mut pair = Pair::skewed(None, skew);
        pair.connect();
        assert_eq!(pair.call(1), Ok(echo(&body(1))), "{skew}");
        let told =
            |event: &Event| matches!(event, Event::KeyCreated(kept) if kept.time_offset == -skew);
        assert_eq!(pair.count(told), 1, "{skew}");
        assert_eq!(pair.client.resume().unwrap().time_offset, -skew);
    }
}

#[test]
fn a_wrong_clock_is_corrected_by_the_server() {
    for skew in [-100_000, -301, -300, -31, 31, 100_000] {
        let mut pair = Pair::skewed(Some(resume(0)), skew);
        let early = pair.request(body(0));
        pair.connect();
        assert_eq!(pair.response(early), Some(Ok(echo(&body(0)))), "{skew}");
        assert_eq!(pair.call(1), Ok(echo(&body(1))), "{skew}");
        assert!((pair.client.resume().unwrap().time_offset + skew).abs() <= 1, "{skew}");
    }
}

#[test]
fn a_clock_that_jumps_disturbs_nothing() {
    for jump in [-100_000, 100_000] {
        let mut pair = Pair::new(client_config(Framing::Full, false), None, server_config());
        pair.connect();
        pair.call(1).unwrap();
        pair.skew = jump;
        let id = pair.request(body(2));
        pair.settle();
        assert_eq!(pair.count(|event| matches!(event, Event::Reconnect(_))), 0);
        assert_eq!(pair.response(id), Some(Ok(echo(&body(2)))), "{jump}");
        assert_eq!(pair.call(3), Ok(echo(&body(3))), "{jump}");
        assert_eq!(pair.requests.len(), 3);
        assert_eq!(pair.error, None);
    }
}

#[test]
fn a_small_error_of_the_clock_is_corrected_by_the_first_pong() {
    for (skew, kept) in [(-25, 25), (25, -25), (-4, 0), (4, 0)] {
        let mut pair = Pair::skewed(Some(resume(0)), skew);
        pair.connect();
        assert_eq!(pair.call(1), Ok(echo(&body(1))));
        assert_eq!(pair.client.resume().unwrap().time_offset, kept);
    }
}

#[test]
fn an_unsent_request_survives_its_socket() {
    let mut pair = Pair::resumed();
    pair.connect();
    pair.call(0).unwrap();
    // The bytes of the request never arrive.
    let id = pair.request(body(1));
    pair.cut();
    assert_eq!(pair.response(id), None);
    pair.connect();
    assert_eq!(pair.response(id), Some(Ok(echo(&body(1)))));
}

#[test]
fn a_request_whose_packet_was_lost_is_sent_again() {
    let mut pair = Pair::resumed();
    pair.connect();
    pair.call(0).unwrap();
    let id = pair.request(body(1));
    pair.drop_up();
    pair.cut();
    pair.connect();
    assert_eq!(pair.response(id), Some(Ok(echo(&body(1)))));
    assert_eq!(pair.requests.len(), 2);
}

#[test]
fn a_new_socket_replaces_one_that_nobody_reported_gone() {
    let mut pair = Pair::resumed();
    pair.connect();
    pair.call(0).unwrap();
    let id = pair.request(body(1));
    pair.drop_up();
    pair.connect();
    assert_eq!(pair.response(id), Some(Ok(echo(&body(1)))));
}

#[test]
fn an_impossible_clock_of_a_session_store_is_harmless() {
    for time_offset in [i64::MIN, i64::MAX, 1 << 40, -(1 << 40)] {
        let kept = Resume { time_offset, ..resume(0) };
        let mut pair = Pair::new(client_config(Framing::Full, false), Some(kept), server_config());
        pair.connect();
        assert_eq!(pair.call(1), Ok(echo(&body(1))), "{time_offset}");
        assert_eq!(pair.client.resume().unwrap().time_offset, 0);
    }
}

#[test]
fn a_request_whose_answer_was_lost_is_answered_again_and_not_run_again() {
    let mut pair = Pair::resumed();
    pair.connect();
    pair.call(0).unwrap();
    let id = pair.request(body(1));
    pair.drop_down();
    pair.cut();
    assert_eq!(pair.requests.len(), 2, "it ran");
    pair.connect();
    assert_eq!(pair.response(id), Some(Ok(echo(&body(1)))));
    assert_eq!(pair.requests.len(), 2, "it did not run again");
    assert_eq!(pair.count(|event| matches!(event, Event::Response { .. })), 0, "one answer");
}

#[test]
fn an_answer_made_while_the_socket_is_gone_comes_over_the_next() {
    let mut pair = Pair::resumed();
    pair.connect();
    pair.answers = false;
    let id = pair.request(body(1));
    pair.settle();
    // The acknowledgement leaves after a while: the client will not send the request again.
    pair.advance(secs(2));
    pair.cut();
    pair.answer(0, Ok(body(9)));
    pair.settle();
    pair.connect();
    assert_eq!(pair.response(id), Some(Ok(body(9))));
    assert_eq!(pair.requests.len(), 1);
}

#[test]
fn an_update_made_while_the_socket_is_gone_comes_over_the_next_once() {
    let mut pair = Pair::resumed();
    pair.connect();
    let session = pair.session();
    pair.cut();
    pair.server.push(pair.server_now(), session, body(3)).expect("the session stays");
    pair.connect();
    let update = |event: &Event| matches!(event, Event::Update(_));
    assert_eq!(pair.count(update), 1);
    // The acknowledgement is lost: it comes again and is not shown again.
    pair.drop_up();
    pair.cut();
    pair.connect();
    pair.advance(secs(20));
    assert_eq!(pair.count(update), 1);
    assert_eq!(pair.error, None);
}

#[test]
fn a_request_that_must_not_run_twice_is_lost_with_its_socket() {
    let mut pair = Pair::resumed();
    pair.connect();
    let id = pair.client.request(pair.client_now(), body(1), RISKY);
    pair.drop_up();
    pair.cut();
    let lost = |event: &Event| matches!(event, Event::Failed { id: lost, reason: FailureReason::Lost } if *lost == id);
    assert_eq!(pair.count(lost), 1);
    pair.connect();
    assert_eq!(pair.requests.len(), 0);
}

#[test]
fn a_server_that_forgot_the_session_gets_what_it_missed() {
    let mut pair = Pair::resumed();
    pair.connect();
    pair.call(0).unwrap();
    pair.answers = false;
    let id = pair.request(body(1));
    pair.settle();
    pair.advance(secs(2));
    // Another process takes over, with the key but without the sessions.
    pair.cut();
    pair.server = chappe_mtproto::server::Server::new(server_config(), [9; 32]);
    pair.answers = true;
    pair.connect();
    assert_eq!(pair.response(id), Some(Ok(echo(&body(1)))));
    assert_eq!(pair.count(|event| matches!(event, Event::NewSession { .. })), 2);
}

#[test]
fn errors_of_requests_arrive_as_such() {
    let mut pair = Pair::resumed();
    pair.answers = false;
    pair.connect();
    let id = pair.request(body(1));
    pair.settle();
    let failure = RpcFailure { code: 400, message: "HASH_INVALID".into() };
    pair.answer(0, Err(failure.clone()));
    pair.settle();
    assert_eq!(pair.response(id), Some(Err(failure)));
}

#[test]
fn large_answers_and_requests_are_compressed_on_the_way_only() {
    let mut pair = Pair::resumed();
    pair.answers = false;
    pair.connect();
    let text: Bytes = b"all work and no play ".repeat(4000).into();
    let before = pair.transcript.len();
    let id = pair.request(text.clone());
    pair.settle();
    assert_eq!(pair.requests[0].2, text);
    pair.answer(0, Ok(text.clone()));
    pair.settle();
    assert_eq!(pair.response(id), Some(Ok(text.clone())));
    assert!(pair.transcript.len() - before < text.len() / 10, "both went compressed");
    let options = RequestOptions { no_gzip: true, ..RequestOptions::default() };
    let before = pair.transcript.len();
    pair.client.request(pair.client_now(), text.clone(), options);
    pair.settle();
    assert!(pair.transcript.len() - before > text.len(), "unless the request says no");
}

#[test]
fn a_thousand_requests_at_once_are_answered_each() {
    let mut pair = Pair::resumed();
    let ids: Vec<_> = (0..3000).map(|number| pair.request(body(number))).collect();
    pair.connect();
    for (number, id) in (0..).zip(ids) {
        assert_eq!(pair.response(id), Some(Ok(echo(&body(number)))));
    }
    assert_eq!(pair.requests.len(), 3000);
}

#[test]
fn a_request_that_cannot_be_sent_fails_at_once() {
    let mut pair = Pair::resumed();
    for bad in [Bytes::new(), Bytes::from_static(b"abc"), Bytes::from(vec![0; 1_000_004])] {
        let id = pair.request(bad);
        pair.settle();
        let failed = |event: &Event| matches!(event, Event::Failed { id: lost, reason: FailureReason::Unsendable } if *lost == id);
        assert_eq!(pair.count(failed), 1);
    }
}

#[test]
fn the_largest_request_arrives() {
    for (framing, obfuscated) in every_transport() {
        let config = client_config(framing, obfuscated);
        let mut pair = Pair::new(config, Some(resume(0)), server_config());
        let options = RequestOptions { no_gzip: true, ..RequestOptions::default() };
        let large = Bytes::from(vec![1; 1_000_000]);
        pair.client.request(pair.client_now(), large, options);
        pair.connect();
        assert_eq!(pair.requests.len(), 1, "{framing:?}");
    }
}

#[test]
fn a_cancelled_request_is_dropped_at_the_server_and_never_heard_of() {
    let mut pair = Pair::resumed();
    pair.answers = false;
    pair.connect();
    let id = pair.request(body(1));
    pair.settle();
    pair.client.cancel(pair.client_now(), id);
    pair.settle();
    let dropped = |event: &&ServerEvent| matches!(event, ServerEvent::RequestDropped { .. });
    assert_eq!(pair.server_events.iter().filter(dropped).count(), 1);
    pair.answer(0, Ok(body(2)));
    pair.settle();
    assert_eq!(pair.response(id), None);
    assert_eq!(pair.error, None);
    pair.answers = true;
    assert_eq!(pair.call(3), Ok(echo(&body(3))));
}

#[test]
fn a_silent_server_costs_the_socket() {
    let mut pair = Pair::resumed();
    pair.connect();
    pair.call(1).unwrap();
    // From now on nothing arrives any more.
    let link = pair.link.take();
    pair.advance(secs(59));
    let silent = |event: &Event| matches!(event, Event::Reconnect(ReconnectReason::Silent));
    assert_eq!(pair.count(silent), 0);
    pair.advance(secs(17));
    assert_eq!(pair.count(silent), 1);
    pair.link = link;
    pair.cut();
    pair.connect();
    assert_eq!(pair.call(2), Ok(echo(&body(2))));
}

#[test]
fn an_idle_connection_is_kept_alive_by_pings() {
    let mut pair = Pair::resumed();
    pair.connect();
    pair.advance(secs(7200));
    assert!(!pair.server_closed);
    assert_eq!(pair.count(|event| matches!(event, Event::Reconnect(_))), 0);
    assert_eq!(pair.call(1), Ok(echo(&body(1))));
}

#[test]
fn a_silent_client_is_hung_up_on_after_its_delay() {
    let mut pair = Pair::resumed();
    pair.connect();
    let link = pair.link.take();
    let mut server_only = |time: u64| {
        pair.uptime = secs(time);
        pair.server.handle(pair.server_now(), chappe_mtproto::server::ServerInput::Timeout);
        matches!(pair.server.poll(), chappe_mtproto::server::ServerOutput::Close(closed) if Some(closed) == link)
    };
    assert!(!server_only(74));
    assert!(server_only(75));
}

#[test]
fn an_exchange_that_hangs_costs_the_socket() {
    let mut pair = Pair::new(client_config(Framing::Abridged, false), None, server_config());
    pair.connect_to_nobody();
    pair.advance(secs(29));
    let silent = |event: &Event| matches!(event, Event::Reconnect(ReconnectReason::Silent));
    assert_eq!(pair.count(silent), 0);
    pair.advance(secs(1));
    assert_eq!(pair.count(silent), 1);
    pair.cut();
    pair.connect();
    assert_eq!(pair.call(1), Ok(echo(&body(1))));
}

#[test]
fn an_exchange_may_be_cut_anywhere_and_begins_again() {
    let mut pair = Pair::new(client_config(Framing::Abridged, true), None, server_config());
    for steps in 0..4 {
        pair.connect_to_nobody();
        for _ in 0..steps {
            pair.exchange_once();
        }
        pair.cut();
    }
    pair.connect();
    assert_eq!(pair.call(1), Ok(echo(&body(1))));
}

#[test]
fn the_wrong_data_centre_is_an_error() {
    let config = ServerConfig { dc_id: 4, ..server_config() };
    let mut pair = Pair::new(client_config(Framing::Full, false), None, config);
    pair.connect();
    assert_eq!(pair.error, Some(ProtocolError::WrongDc(2)));
    let config = ServerConfig { dc_id: 4, check_dc: false, ..server_config() };
    let mut pair = Pair::new(client_config(Framing::Full, false), None, config);
    pair.connect();
    assert_eq!(pair.call(1), Ok(echo(&body(1))));
}

#[test]
fn a_server_with_another_key_is_an_error() {
    let mut config = client_config(Framing::Full, false);
    config.server_keys = vec![chappe_crypto::rsa::PublicKey::test()];
    let mut pair = Pair::new(config, None, server_config());
    pair.connect();
    // A single broken byte looks the same.
    assert_eq!(pair.error, None);
    pair.cut();
    pair.connect();
    assert!(matches!(pair.error, Some(ProtocolError::Handshake(_))), "{:?}", pair.error);
}

#[test]
fn full_framing_cannot_be_obfuscated() {
    let mut pair = Pair::new(client_config(Framing::Full, true), None, server_config());
    pair.connect();
    assert!(matches!(pair.error, Some(ProtocolError::Config(_))));
}

#[test]
fn many_clients_share_a_server() {
    let mut first = Pair::new(client_config(Framing::Full, false), None, server_config());
    first.connect();
    first.call(1).unwrap();
    let mut second = Pair::new(client_config(Framing::Abridged, true), None, server_config());
    second.client = chappe_mtproto::connection::Connection::new(
        client_config(Framing::Abridged, true),
        None,
        [77; 32],
        second.client_now(),
    );
    second.links = 50;
    std::mem::swap(&mut first.server, &mut second.server);
    second.connect();
    assert_eq!(second.call(2), Ok(echo(&body(2))));
    let session = first.session();
    assert_ne!(session.auth_key_id, second.session().auth_key_id);
    std::mem::swap(&mut first.server, &mut second.server);
    assert_eq!(first.call(3), Ok(echo(&body(3))));
}

#[test]
fn a_forgotten_key_ends_its_sessions() {
    let mut pair = Pair::resumed();
    pair.connect();
    pair.call(1).unwrap();
    pair.keys.clear();
    pair.server.forget_key(pair.server_now(), auth_key().id());
    pair.settle();
    assert!(pair.server_closed);
    let ended = |event: &&ServerEvent| matches!(event, ServerEvent::SessionDestroyed { .. });
    assert_eq!(pair.server_events.iter().filter(ended).count(), 1);
    let refused =
        |event: &Event| matches!(event, Event::Reconnect(ReconnectReason::Transport(-404)));
    assert_eq!(pair.count(refused), 1);
}

#[test]
fn a_closed_socket_is_closed() {
    let mut pair = Pair::resumed();
    pair.connect();
    let link = pair.link.expect("a link");
    pair.server.close(pair.server_now(), link);
    pair.settle();
    assert!(pair.server_closed);
}

#[test]
fn sessions_without_a_socket_are_forgotten_in_time() {
    let mut pair = Pair::resumed();
    pair.connect();
    let session = pair.session();
    pair.cut();
    pair.advance(secs(86_000));
    assert!(pair.server.push(pair.server_now(), session, body(1)).is_some());
    pair.advance(secs(1000));
    assert!(pair.server.push(pair.server_now(), session, body(1)).is_none());
}

#[test]
fn answers_that_nobody_fetches_are_forgotten_in_time() {
    let mut pair = Pair::resumed();
    pair.connect();
    let session = pair.session();
    pair.cut();
    pair.server.push(pair.server_now(), session, body(1)).expect("a session");
    pair.advance(Duration::from_secs(700));
    pair.connect();
    assert_eq!(pair.count(|event| matches!(event, Event::Update(_))), 0);
}
