//! Getting well again: silence, sleep, lost answers, replaced sessions, chains.

use bytes::Bytes;
use chappe_mtproto::connection::{
    Config, Event, FailureReason, Input, ReconnectReason, RequestId, RequestOptions,
};
use chappe_mtproto::transport::Framing;
use chappe_tl::service::{self, RpcResult, types};
use chappe_tl::{Decode, Encode};

use crate::common::raw::{RawServer, id_at};
use crate::common::{Pair, body, client_config, echo, resume, secs};

fn reconnects(pair: &Pair) -> Vec<&ReconnectReason> {
    let reasons = pair.events.iter().filter_map(|event| match event {
        Event::Reconnect(reason) => Some(reason),
        _ => None,
    });
    reasons.collect()
}

/// A client whose request number 1 is on its way, and the message id of that.
fn asked() -> (RawServer, RequestId, i64) {
    let mut server = RawServer::new();
    pong(&mut server);
    let id = server.client.request(server.now, body(1), RequestOptions::default());
    server.drain();
    let msg_id = server.places(&body(1))[0];
    (server, id, msg_id)
}

/// Answers the last ping.
fn pong(server: &mut RawServer) {
    if let Some(ping) = server.all::<service::PingDelayDisconnect>().pop() {
        server.serve(&types::Pong { msg_id: 0, ping_id: ping.ping_id });
    }
}

/// Lets time pass in which pings are answered, but nothing else.
fn live(server: &mut RawServer, seconds: u64) {
    for _ in 0..seconds {
        server.wait(1);
        pong(server);
    }
}

fn questions(server: &RawServer) -> Vec<(i64, Vec<i64>)> {
    let asked = server.messages.iter().filter_map(|message| {
        Some((message.msg_id, types::MsgsStateReq::from_bytes(&message.body).ok()?.msg_ids))
    });
    asked.collect()
}

/// Answers the last question about messages, if it was about one.
fn tell(server: &mut RawServer, state: u8) {
    let req_msg_id = questions(server).last().expect("a question").0;
    server.serve(&types::MsgsStateInfo { req_msg_id, info: Bytes::copy_from_slice(&[state]) });
}

fn lost(server: &RawServer, id: RequestId) -> bool {
    server.events.iter().any(|event| {
        matches!(event, Event::Failed { id: lost, reason: FailureReason::Lost } if *lost == id)
    })
}

#[test]
fn silence_while_an_answer_is_waited_for_is_noticed_soon() {
    let mut pair = Pair::resumed();
    pair.connect();
    pair.call(0).unwrap();
    pair.advance(secs(30));
    // Half open: what the client sends vanishes, and nobody says so.
    let link = pair.link.take();
    let id = pair.request(body(1));
    let since = pair.uptime;
    while reconnects(&pair).is_empty() {
        pair.advance(secs(1));
    }
    // Round trips of nothing: a ping goes with the request and is waited for 5 seconds.
    assert_eq!((reconnects(&pair), pair.uptime - since), (vec![&ReconnectReason::Silent], secs(5)));
    pair.link = link;
    pair.cut();
    pair.connect();
    assert_eq!(pair.response(id), Some(Ok(echo(&body(1)))));
}

#[test]
fn an_idle_connection_is_not_pinged_more_often_than_configured() {
    let mut server = RawServer::new();
    live(&mut server, 119);
    assert_eq!(server.all::<service::PingDelayDisconnect>().len(), 2);
}

#[test]
fn a_request_that_is_not_answered_is_asked_about_while_pongs_flow() {
    let (mut server, _, msg_id) = asked();
    live(&mut server, 19);
    assert!(questions(&server).is_empty());
    live(&mut server, 1);
    assert_eq!(questions(&server)[0].1, [msg_id]);
    tell(&mut server, 4 | 32);
    live(&mut server, 20);
    assert_eq!(questions(&server).len(), 2, "and again, as long as it is worked on");
}

#[test]
fn a_server_that_says_nothing_about_a_request_costs_the_socket() {
    let (mut server, id, msg_id) = asked();
    live(&mut server, 40);
    assert_eq!(server.reconnects(), [&ReconnectReason::Unanswered]);
    server.input(Input::Disconnected);
    server.messages.clear();
    server.connect();
    assert_eq!(server.places(&body(1)), [msg_id], "under the old id");
    let result = echo(&body(1));
    server.say(RpcResult { req_msg_id: msg_id, result }.to_bytes());
    assert!(
        matches!(server.events.last(), Some(Event::Response { id: other, .. }) if *other == id)
    );
}

#[test]
fn a_new_socket_begins_with_a_question_about_what_the_server_has() {
    let (mut server, _, msg_id) = asked();
    server.serve(&types::MsgsAck { msg_ids: vec![msg_id] });
    server.input(Input::Disconnected);
    server.connect();
    assert_eq!(server.places(&body(1)), [msg_id], "it is not sent again");
    assert_eq!(questions(&server)[0].1, [msg_id]);
}

#[test]
fn a_request_that_was_never_received_is_repeated_under_its_id() {
    for state in [2, 3] {
        let (mut server, _, msg_id) = asked();
        live(&mut server, 20);
        tell(&mut server, state);
        assert_eq!(server.places(&body(1)), [msg_id, msg_id], "{state}");
    }
}

#[test]
fn an_answer_that_did_not_arrive_is_asked_for() {
    let (mut server, id, msg_id) = asked();
    live(&mut server, 20);
    tell(&mut server, 4 | 64);
    let fetched = server.all::<types::MsgResendAnsReq>();
    assert_eq!(fetched, [types::MsgResendAnsReq { msg_ids: vec![msg_id] }]);
    for _ in 0..3 {
        assert!(!lost(&server, id));
        live(&mut server, 20);
        tell(&mut server, 4 | 64);
    }
    assert!(lost(&server, id), "it is not there, whatever the server says");
}

#[test]
fn an_answer_that_nobody_has_any_more_ends_its_request() {
    for state in [1, 4 | 64 | 128] {
        let (mut server, id, _) = asked();
        live(&mut server, 20);
        tell(&mut server, state);
        assert!(lost(&server, id), "{state}");
        assert_eq!(server.client.census().requests, 0);
    }
}

#[test]
fn states_that_nobody_asked_for_change_nothing() {
    let (mut server, id, msg_id) = asked();
    let info = Bytes::from_static(&[1]);
    server.serve(&types::MsgsStateInfo { req_msg_id: msg_id, info });
    live(&mut server, 20);
    let (req_msg_id, _) = questions(&server)[0];
    let info = Bytes::new();
    server.serve(&types::MsgsStateInfo { req_msg_id, info });
    assert!(!lost(&server, id));
}

#[test]
fn states_that_the_server_volunteers_are_heard() {
    let (mut server, _, msg_id) = asked();
    let info = Bytes::from_static(&[2, 1]);
    server.serve(&types::MsgsAllInfo { msg_ids: vec![msg_id, 8], info });
    assert_eq!(server.places(&body(1)).len(), 2);
}

#[test]
fn a_large_answer_that_is_announced_is_fetched() {
    let (mut server, id, msg_id) = asked();
    let answer_msg_id = server.id(1);
    let notice = types::MsgDetailedInfo { msg_id, answer_msg_id, bytes: 100_000, status: 0 };
    server.serve(&notice);
    let wanted = server.all::<types::MsgResendReq>();
    assert_eq!(wanted, [types::MsgResendReq { msg_ids: vec![answer_msg_id] }]);
    let answer = RpcResult { req_msg_id: msg_id, result: body(2) }.to_bytes();
    server.send(answer_msg_id, 1, &answer);
    assert!(
        matches!(server.events.last(), Some(Event::Response { id: other, .. }) if *other == id)
    );
    server.serve(&notice);
    server.wait(10);
    let acks: Vec<i64> =
        server.all::<types::MsgsAck>().into_iter().flat_map(|acks| acks.msg_ids).collect();
    assert_eq!(acks.iter().filter(|id| **id == answer_msg_id).count(), 1);
    assert_eq!(server.all::<types::MsgResendReq>().len(), 1, "what is here is acknowledged only");
}

#[test]
fn the_server_hears_what_became_of_its_messages() {
    let mut server = RawServer::new();
    let known = server.say(body(3));
    let asks = types::MsgsStateReq { msg_ids: vec![known, id_at(0, 0, 3), id_at(9, 0, 3)] };
    let req_msg_id = server.serve(&asks);
    let info = Bytes::from_static(&[4, 2, 3]);
    assert_eq!(server.all::<types::MsgsStateInfo>(), [types::MsgsStateInfo { req_msg_id, info }]);
}

#[test]
fn the_server_gets_what_it_asks_for_again() {
    let (mut server, _, msg_id) = asked();
    let req_msg_id = server.serve(&types::MsgResendReq { msg_ids: vec![msg_id, 8] });
    assert_eq!(server.places(&body(1)), [msg_id, msg_id]);
    let info = Bytes::from_static(&[4, 1]);
    assert_eq!(server.all::<types::MsgsStateInfo>(), [types::MsgsStateInfo { req_msg_id, info }]);
}

#[test]
fn a_refused_question_is_asked_again() {
    let (mut server, _, msg_id) = asked();
    live(&mut server, 20);
    let (bad_msg_id, _) = questions(&server)[0];
    let (bad_msg_seqno, error_code, new_server_salt) = (0, 48, 5);
    server.serve(&types::BadServerSalt { bad_msg_id, bad_msg_seqno, error_code, new_server_salt });
    assert_eq!(questions(&server)[1].1, [msg_id]);
}

#[test]
fn a_machine_that_slept_asks_at_once_whether_its_socket_is_alive() {
    let mut server = RawServer::new();
    pong(&mut server);
    server.now.unix += secs(36_000);
    server.wait(1);
    assert_eq!(server.all::<service::PingDelayDisconnect>().len(), 2);
    server.wait(3);
    assert_eq!(server.reconnects(), [&ReconnectReason::Silent], "no answer within 3 seconds");
}

#[test]
fn a_machine_that_slept_believes_the_next_message_about_the_time() {
    let mut server = RawServer::new();
    pong(&mut server);
    server.now.unix += secs(36_000);
    server.wait(1);
    server.send(id_at(36_001, 1, 3), 1, &body(9));
    assert_eq!((server.updates(), server.reconnects().len()), (1, 0));
}

#[test]
fn a_machine_that_slept_goes_on_with_its_calls() {
    for slept in [20, 200, 2_000, 10_000_000] {
        let mut pair = Pair::resumed();
        pair.connect();
        pair.call(0).unwrap();
        pair.slept = secs(slept);
        pair.advance(secs(1));
        assert_eq!(pair.call(1), Ok(echo(&body(1))), "{slept}");
        assert_eq!(pair.requests.len(), 2);
        assert_eq!(reconnects(&pair), Vec::<&ReconnectReason>::new(), "{slept}");
    }
}

#[test]
fn ids_rise_while_the_wall_clock_falls() {
    let mut server = RawServer::new();
    for step in 0..20 {
        server.now.unix = secs(1_700_000_000 - step * 10_000_000);
        server.client.request(server.now, body(1), RequestOptions::default());
        server.wait(1);
        pong(&mut server);
    }
    let ids: Vec<i64> = server.outer.iter().map(|header| header.msg_id).collect();
    assert!(ids.is_sorted_by(|one, other| one < other) && ids.len() > 20);
    assert!(ids.last().unwrap() - ids[0] < 100 << 32);
}

#[test]
fn what_a_replaced_session_carried_is_answered_there() {
    let (mut server, first, place) = asked();
    let second = server.client.request(server.now, body(2), RequestOptions::default());
    server.drain();
    let refused = server.places(&body(2))[0];
    let before = server.session;
    let (bad_msg_seqno, error_code) = (0, 32);
    server.serve(&types::BadMsgNotification { bad_msg_id: refused, bad_msg_seqno, error_code });
    assert_ne!(server.session, before, "a new session");
    assert_eq!(server.places(&body(2)).len(), 2, "what was refused goes out in it");
    assert_eq!(server.places(&body(1)), [place], "what may be running does not");
    let session = std::mem::replace(&mut server.session, before);
    server.say(RpcResult { req_msg_id: place, result: body(7) }.to_bytes());
    assert!(matches!(server.events.last(), Some(Event::Response { id, .. }) if *id == first));
    server.session = session;
    let place = server.places(&body(2))[1];
    server.say(RpcResult { req_msg_id: place, result: body(8) }.to_bytes());
    assert!(matches!(server.events.last(), Some(Event::Response { id, .. }) if *id == second));
    live(&mut server, 10);
    assert_eq!(server.client.census().sessions, 1);
    // As long as a copy of the request may be on its way, the server is to remember the session.
    live(&mut server, 340);
    assert_eq!(server.all::<service::DestroySession>(), []);
    live(&mut server, 30);
    let ended = service::DestroySession { session_id: before };
    assert_eq!(server.all::<service::DestroySession>(), [ended]);
}

#[test]
fn a_replaced_session_repeats_its_requests_over_the_next_socket() {
    let (mut server, _, place) = asked();
    server.client.request(server.now, body(2), RequestOptions::default());
    server.drain();
    let bad_msg_id = server.places(&body(2))[0];
    let before = server.session;
    let (bad_msg_seqno, error_code) = (0, 33);
    server.serve(&types::BadMsgNotification { bad_msg_id, bad_msg_seqno, error_code });
    server.input(Input::Disconnected);
    server.outer.clear();
    server.connect();
    assert_eq!(server.places(&body(1)), [place, place]);
    assert!(server.outer.iter().any(|header| header.session_id == before));
}

#[test]
fn sessions_that_are_replaced_again_and_again_are_bounded() {
    let (mut server, first, _) = asked();
    for number in 10..20 {
        server.client.request(server.now, body(number), RequestOptions::default());
        server.drain();
        let bad_msg_id = *server.places(&body(number)).last().unwrap();
        let (bad_msg_seqno, error_code) = (0, 32);
        server.serve(&types::BadMsgNotification { bad_msg_id, bad_msg_seqno, error_code });
        server.say(types::MsgsAck { msg_ids: Vec::new() }.to_bytes());
    }
    assert!(lost(&server, first), "nobody will tell");
    assert!(server.client.census().sessions <= 5);
}

#[test]
fn what_was_only_repeated_in_a_refused_packet_does_not_run_again() {
    // The salt is over (two hours), the clock stood still (a sleep of a day).
    for (waited, slept) in [(7_200, 0), (1, 86_400), (7_200, 86_400)] {
        let mut pair = Pair::resumed();
        pair.connect();
        pair.call(0).unwrap();
        let id = pair.request(body(1));
        pair.drop_down();
        pair.cut();
        pair.slept = secs(slept);
        pair.advance(secs(waited));
        pair.connect();
        assert_eq!(pair.requests.len(), 2, "{waited} {slept}");
        // The answer is kept for ten minutes only: then nobody can tell any more.
        pair.advance(secs(60));
        let ended = pair.events.iter().any(|event| {
            matches!(event, Event::Response { id: other, .. } | Event::Failed { id: other, .. }
                if *other == id)
        });
        assert!(ended, "{waited} {slept}");
        assert_eq!(pair.requests.len(), 2, "{waited} {slept}");
    }
}

#[test]
fn a_session_whose_ids_ran_ahead_is_only_listened_to() {
    let (mut server, first, place) = asked();
    let second = server.client.request(server.now, body(2), RequestOptions::default());
    server.drain();
    let bad_msg_id = server.places(&body(2))[0];
    let before = server.session;
    let (bad_msg_seqno, error_code) = (0, 17);
    server.serve(&types::BadMsgNotification { bad_msg_id, bad_msg_seqno, error_code });
    let after = server.session;
    assert_ne!(after, before);
    server.outer.clear();
    // An answer may come by itself, and is not acknowledged.
    server.session = before;
    let update = server.say(body(9));
    server.session = after;
    live(&mut server, 19);
    assert!(!lost(&server, first));
    live(&mut server, 2);
    assert!(lost(&server, first), "it cannot be asked about");
    assert!(server.outer.iter().all(|header| header.session_id == after));
    assert!(!server.all::<types::MsgsAck>().iter().any(|acks| acks.msg_ids.contains(&update)));
    assert_eq!(server.places(&body(1)), [place]);
    let place = server.places(&body(2))[1];
    server.say(RpcResult { req_msg_id: place, result: body(8) }.to_bytes());
    assert!(matches!(server.events.last(), Some(Event::Response { id, .. }) if *id == second));
    assert_eq!(server.client.census().sessions, 1);
}

#[test]
fn a_session_that_is_only_listened_to_ends_with_its_socket() {
    let (mut server, first, _) = asked();
    server.client.request(server.now, body(2), RequestOptions::default());
    server.drain();
    let bad_msg_id = server.places(&body(2))[0];
    let (bad_msg_seqno, error_code) = (0, 17);
    server.serve(&types::BadMsgNotification { bad_msg_id, bad_msg_seqno, error_code });
    server.input(Input::Disconnected);
    server.drain();
    assert!(lost(&server, first));
}

#[test]
fn a_replaced_session_that_is_refused_once_more_falls_silent() {
    let (mut server, _, _) = asked();
    server.client.request(server.now, body(2), RequestOptions::default());
    server.drain();
    let bad_msg_id = server.places(&body(2))[0];
    let before = server.session;
    let refusal =
        |bad_msg_id| types::BadMsgNotification { bad_msg_id, bad_msg_seqno: 0, error_code: 32 };
    server.serve(&refusal(bad_msg_id));
    let after = server.session;
    live(&mut server, 20);
    let (question, _) = *questions(&server).last().expect("asked in the old session");
    server.session = before;
    server.outer.clear();
    server.serve(&refusal(question));
    server.session = after;
    live(&mut server, 19);
    assert!(server.outer.iter().all(|header| header.session_id == after));
}

const CHAIN: RequestOptions = RequestOptions { chain: Some(7), ..RequestOptions::new() };

/// What a server that runs requests at once answers to `invokeAfterMsg`.
fn run(server: &mut RawServer, ran: &mut Vec<Bytes>, ended: &mut Vec<(i64, bool)>) {
    for message in std::mem::take(&mut server.messages) {
        if message.seqno & 1 == 0 {
            continue;
        }
        let mut query = message.body.clone();
        let mut refusal = None;
        if query.starts_with(&0xcb9f_372d_u32.to_le_bytes()) {
            let after = i64::from_le_bytes(query[4..12].try_into().unwrap());
            query = query.slice(12..);
            refusal = match ended.iter().find(|(msg_id, _)| *msg_id == after) {
                Some((_, true)) => None,
                Some((_, false)) => Some((400, "MSG_WAIT_FAILED")),
                None => Some((-503, "MSG_WAIT_TIMEOUT")),
            };
        }
        let failing = query == body(66);
        let result = match refusal.or_else(|| failing.then_some((400, "FAILED"))) {
            Some((error_code, name)) => {
                types::RpcError { error_code, error_message: name.into() }.to_bytes()
            }
            None => echo(&query),
        };
        if refusal.is_none() {
            ran.push(query);
        }
        ended.push((message.msg_id, refusal.is_none() && !failing));
        server.say(RpcResult { req_msg_id: message.msg_id, result }.to_bytes());
    }
}

#[test]
fn a_chain_runs_in_order_whatever_becomes_of_its_links() {
    let mut server = RawServer::new();
    server.messages.clear();
    let numbers = [1, 66, 3, 4, 66, 6];
    let ids: Vec<RequestId> = numbers
        .iter()
        .map(|number| server.client.request(server.now, body(*number), CHAIN))
        .collect();
    server.drain();
    let wrapped = server.messages.iter().filter(|message| message.body.len() == 20).count();
    assert_eq!(wrapped, numbers.len() - 1, "all are sent at once");
    let (mut ran, mut ended) = (Vec::new(), Vec::new());
    for _ in 0..numbers.len() {
        run(&mut server, &mut ran, &mut ended);
    }
    assert_eq!(ran, numbers.map(body));
    for id in ids {
        let answers = server
            .events
            .iter()
            .filter(|event| matches!(event, Event::Response { id: other, .. } if *other == id));
        assert_eq!(answers.count(), 1);
    }
    assert_eq!(server.client.census().chains, 0);
}

#[test]
fn a_chain_keeps_its_order_when_its_first_link_is_refused() {
    let mut server = RawServer::new();
    server.messages.clear();
    for number in 1..=3 {
        server.client.request(server.now, body(number), CHAIN);
        server.drain();
    }
    let bad_msg_id = server.messages.iter().find(|message| message.body == body(1)).unwrap().msg_id;
    server.messages.retain(|message| message.msg_id != bad_msg_id);
    let (mut ran, mut ended) = (Vec::new(), Vec::new());
    run(&mut server, &mut ran, &mut ended);
    assert!(ran.is_empty());
    let (bad_msg_seqno, error_code, new_server_salt) = (0, 48, 5);
    server.serve(&types::BadServerSalt { bad_msg_id, bad_msg_seqno, error_code, new_server_salt });
    for _ in 0..4 {
        run(&mut server, &mut ran, &mut ended);
    }
    assert_eq!(ran, [body(1), body(2), body(3)]);
}

#[test]
fn a_chain_waits_for_a_link_that_takes_long() {
    let mut server = RawServer::new();
    server.messages.clear();
    for number in 1..=2 {
        server.client.request(server.now, body(number), CHAIN);
    }
    server.drain();
    let slow = server.messages.iter().find(|message| message.body == body(1)).unwrap().msg_id;
    server.messages.retain(|message| message.msg_id != slow);
    let (mut ran, mut ended) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        run(&mut server, &mut ran, &mut ended);
    }
    assert_eq!((ran.len(), ended.len()), (0, 1), "it is refused once and held back");
    server.say(RpcResult { req_msg_id: slow, result: body(5) }.to_bytes());
    run(&mut server, &mut ran, &mut ended);
    assert_eq!(ran, [body(2)]);
}

#[test]
fn a_quick_acknowledgement_of_a_cancelled_request_is_not_told() {
    let options = RequestOptions { quick_ack: true, ..RequestOptions::new() };
    for (cancelled, told) in [(false, 1), (true, 0)] {
        let mut server = RawServer::new();
        let id = server.client.request(server.now, body(1), options);
        server.drain();
        let token = server.token;
        if cancelled {
            server.client.cancel(server.now, id);
        }
        server.quick_ack(token);
        let received = |event: &&Event| matches!(event, Event::Received { .. });
        assert_eq!(server.events.iter().filter(received).count(), told);
    }
}

#[test]
fn a_quick_acknowledgement_says_that_the_server_has_a_request() {
    let options = RequestOptions { quick_ack: true, ..RequestOptions::new() };
    for (framing, told) in [
        (Framing::Intermediate, 1),
        (Framing::PaddedIntermediate, 1),
        (Framing::Abridged, 1),
        (Framing::Full, 0),
    ] {
        let config = Config { ..client_config(framing, false) };
        let mut pair = Pair::new(config, Some(resume(0)), crate::common::server_config());
        pair.connect();
        pair.call(0).unwrap();
        pair.answers = false;
        let id = pair.client.request(pair.client_now(), body(1), options);
        pair.settle();
        let received: Vec<RequestId> = pair
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Received { id } => Some(*id),
                _ => None,
            })
            .collect();
        assert_eq!(received, vec![id; told], "{framing:?}");
        assert_eq!(pair.client.census().quick_acks, 0);
    }
}

#[test]
fn only_so_many_quick_acknowledgements_are_waited_for() {
    let options = RequestOptions { quick_ack: true, ..RequestOptions::new() };
    let mut server = RawServer::new();
    for number in 0..1030 {
        server.client.request(server.now, body(number), options);
        server.drain();
    }
    assert_eq!(server.client.census().quick_acks, 1024);
    server.input(Input::Disconnected);
    assert_eq!(server.client.census().quick_acks, 0);
}

#[test]
fn any_patience_with_requests_can_be_configured() {
    let config = Config { patience: secs(0), ..client_config(Framing::Intermediate, false) };
    let mut server = RawServer::with(config, resume(77));
    server.client.request(server.now, body(1), RequestOptions::default());
    server.drain();
    live(&mut server, 1);
    assert_eq!(questions(&server).len(), 1);
}

#[test]
fn a_refusal_in_a_session_of_the_past_leaves_the_current_one() {
    let (mut server, _, place) = asked();
    server.client.request(server.now, body(2), RequestOptions::default());
    server.drain();
    let (bad_msg_seqno, error_code) = (0, 32);
    let bad_msg_id = server.places(&body(2))[0];
    let before = server.session;
    server.serve(&types::BadMsgNotification { bad_msg_id, bad_msg_seqno, error_code });
    let current = std::mem::replace(&mut server.session, before);
    server.serve(&types::BadMsgNotification { bad_msg_id: place, bad_msg_seqno, error_code });
    assert_eq!(server.places(&body(1)).len(), 2);
    assert_eq!(server.session, current, "what was refused goes out in the one there is");
    assert!(server.client.census().sessions <= 2);
}

#[test]
fn answers_in_a_session_of_the_past_are_acknowledged_before_it_ends() {
    let (mut server, _, place) = asked();
    server.client.request(server.now, body(2), RequestOptions::default());
    server.drain();
    let (bad_msg_seqno, error_code) = (0, 32);
    let bad_msg_id = server.places(&body(2))[0];
    let before = server.session;
    server.serve(&types::BadMsgNotification { bad_msg_id, bad_msg_seqno, error_code });
    server.session = before;
    server.outer.clear();
    let answer = server.say(RpcResult { req_msg_id: place, result: body(7) }.to_bytes());
    live(&mut server, 12);
    let acks: Vec<i64> =
        server.all::<types::MsgsAck>().into_iter().flat_map(|acks| acks.msg_ids).collect();
    assert!(acks.contains(&answer));
    assert!(server.outer.iter().any(|header| header.session_id == before));
    assert_eq!(server.client.census().sessions, 1);
}
