//! The life of a request, by itself.

use super::told::MAX_FETCHES;
use super::*;
use crate::states;

const RISKY: RequestOptions = RequestOptions { no_resend: true, ..RequestOptions::new() };
const ONE: Serial = Serial(1);
const TWO: Serial = Serial(2);
const PATIENCE: Duration = Duration::from_secs(20);

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn new() -> Outbox {
    Outbox::new(PATIENCE)
}

/// Sends what is due in a session over a socket.
fn send_over(outbox: &mut Outbox, session: Serial, socket: u64, first: i64) -> Vec<RequestId> {
    let batch = outbox.take(session, true);
    let mut ids = Vec::new();
    for (outgoing, fresh) in batch.iter().zip((first..).step_by(4)) {
        let (msg_id, seqno) = outgoing.again.unwrap_or((fresh, 1));
        let outer = first + 400;
        let place = Place { session, msg_id, seqno, outer, socket, repeated: false };
        let told_after = match outgoing.after {
            Some(After::Message(msg_id)) => Some(msg_id),
            Some(After::InPacket(_)) => Some(fresh - 4),
            None => None,
        };
        outbox.sent(outgoing.id, place, told_after, at(0));
        ids.push(outgoing.id);
    }
    ids
}

fn send(outbox: &mut Outbox, first: i64) -> Vec<RequestId> {
    send_over(outbox, ONE, 1, first)
}

fn with(count: usize, options: RequestOptions) -> (Outbox, Vec<RequestId>) {
    let mut outbox = new();
    let body = Bytes::from_static(b"body");
    let ids = (0..count).map(|_| outbox.push(body.clone(), options)).collect();
    (outbox, ids)
}

fn outbox(count: usize) -> (Outbox, Vec<RequestId>) {
    with(count, RequestOptions::default())
}

fn answer(outbox: &mut Outbox, msg_id: i64) -> Option<RequestId> {
    let id = outbox.find(ONE, msg_id)?;
    outbox.done(id);
    Some(id)
}

#[test]
fn an_answer_ends_a_request_once() {
    let (mut outbox, ids) = outbox(1);
    assert_eq!(send(&mut outbox, 100), ids);
    assert_eq!(answer(&mut outbox, 104), None);
    assert_eq!(answer(&mut outbox, 100), Some(ids[0]));
    assert_eq!(answer(&mut outbox, 100), None);
    assert_eq!(outbox.census(), [0; 5]);
}

#[test]
fn a_dead_socket_repeats_what_was_not_acknowledged_under_the_same_id() {
    let (mut outbox, ids) = outbox(3);
    send(&mut outbox, 100);
    outbox.acked(ONE, &[104]);
    assert!(outbox.disconnected().is_empty());
    let batch = outbox.take(ONE, true);
    let again: Vec<_> = batch.iter().map(|item| (item.id, item.again)).collect();
    assert_eq!(again, [(ids[0], Some((100, 1))), (ids[2], Some((108, 1)))]);
    assert_eq!(answer(&mut outbox, 104), Some(ids[1]));
}

#[test]
fn a_repetition_stays_in_its_session() {
    let (mut outbox, ids) = outbox(1);
    send(&mut outbox, 100);
    outbox.disconnected();
    assert!(outbox.take(TWO, true).is_empty());
    assert_eq!(outbox.take(ONE, false)[0].id, ids[0]);
}

#[test]
fn new_requests_go_out_in_the_current_session_only() {
    let (mut outbox, ids) = outbox(1);
    assert!(outbox.take(ONE, false).is_empty());
    assert_eq!(outbox.take(TWO, true)[0].id, ids[0]);
}

#[test]
fn an_answer_or_an_acknowledgement_overtakes_a_repetition() {
    let (mut outbox, ids) = outbox(2);
    send(&mut outbox, 100);
    outbox.disconnected();
    assert_eq!(answer(&mut outbox, 100), Some(ids[0]));
    outbox.acked(ONE, &[104]);
    assert!(outbox.take(ONE, true).is_empty());
}

#[test]
fn what_must_not_run_twice_is_lost_with_its_socket() {
    let mut outbox = new();
    let waiting = outbox.push(Bytes::new(), RISKY);
    assert!(outbox.disconnected().is_empty(), "it was never sent");
    assert_eq!(send(&mut outbox, 100), [waiting]);
    assert_eq!(outbox.disconnected(), [(waiting, FailureReason::Lost)]);
    assert!(outbox.take(ONE, true).is_empty());
    assert_eq!(outbox.census(), [0; 5]);
}

#[test]
fn a_new_session_of_the_server_repeats_what_came_before_it() {
    let (mut outbox, ids) = outbox(1);
    send(&mut outbox, 100);
    outbox.acked(ONE, &[100]);
    assert!(outbox.forgotten(ONE, 500).is_empty());
    assert!(outbox.take(ONE, true).is_empty(), "its container is the first message");
    outbox.forgotten(TWO, 501);
    assert!(outbox.take(ONE, true).is_empty(), "another session");
    outbox.forgotten(ONE, 501);
    let batch = outbox.take(ONE, true);
    assert_eq!((batch[0].id, batch[0].again), (ids[0], None));
}

#[test]
fn a_new_session_of_the_server_loses_what_must_not_run_twice() {
    let (mut outbox, ids) = with(1, RISKY);
    send(&mut outbox, 100);
    assert_eq!(outbox.forgotten(ONE, 501), [(ids[0], FailureReason::Lost)]);
    assert_eq!(outbox.census(), [0; 5]);
}

#[test]
fn a_forgotten_key_loses_what_may_have_run() {
    let (mut outbox, ids) = outbox(2);
    send_over(&mut outbox, ONE, 7, 100);
    outbox.acked(ONE, &[100, 104]);
    assert_eq!(outbox.orphaned(TWO, None), []);
    let lost = FailureReason::Lost;
    assert_eq!(outbox.orphaned(ONE, Some(8)), [(ids[0], lost), (ids[1], lost)]);
    let (mut outbox, ids) = with(1, RISKY);
    send_over(&mut outbox, ONE, 7, 100);
    assert_eq!(outbox.orphaned(ONE, Some(7)), [], "nobody read this socket");
    assert_eq!(outbox.take(TWO, true)[0].id, ids[0]);
}

#[test]
fn what_did_not_run_is_sent_anew_a_few_times_only() {
    let (mut outbox, ids) = outbox(1);
    for _ in 0..MAX_REJECTIONS {
        assert_eq!(send(&mut outbox, 100), ids);
        assert!(outbox.send_anew(ids[0]));
    }
    send(&mut outbox, 100);
    assert!(!outbox.send_anew(ids[0]));
}

#[test]
fn what_an_earlier_socket_carried_may_have_been_read() {
    let (mut outbox, ids) = with(1, RISKY);
    send_over(&mut outbox, ONE, 7, 100);
    outbox.acked(ONE, &[100]);
    outbox.disconnected();
    assert_eq!(outbox.told(ONE, 100, states::NOT_RECEIVED), Verdict::Wait);
    assert_eq!(send_over(&mut outbox, ONE, 8, 200), ids, "once more under its id");
    assert_eq!(outbox.orphaned(ONE, Some(8)), [(ids[0], FailureReason::Lost)]);
}

#[test]
fn a_session_that_is_given_up_loses_its_requests() {
    let (mut outbox, ids) = outbox(2);
    send(&mut outbox, 100);
    let third = outbox.push(Bytes::new(), RequestOptions::default());
    let lost: Vec<_> = ids.into_iter().map(|id| (id, FailureReason::Lost)).collect();
    assert_eq!(outbox.abandoned(ONE), lost);
    assert!(!outbox.has(ONE) && !outbox.is_busy());
    assert_eq!(outbox.take(TWO, true)[0].id, third);
}

#[test]
fn a_refused_request_gets_a_new_id_but_not_for_ever() {
    let (mut outbox, ids) = outbox(1);
    for round in 0..MAX_REJECTIONS {
        let first = 100 + 4 * i64::from(round);
        assert_eq!(send(&mut outbox, first), ids);
        assert_eq!(outbox.rejected(ONE, first, 48, true), None);
        assert_eq!(outbox.rejected(ONE, first, 48, true), None, "a second notice changes nothing");
    }
    send(&mut outbox, 1000);
    assert_eq!(outbox.rejected(ONE, 1000, 48, true), Some((ids[0], FailureReason::Rejected(48))));
    assert!(outbox.take(ONE, true).is_empty());
}

#[test]
fn a_repetition_that_is_too_old_to_tell_is_lost() {
    let (mut outbox, ids) = outbox(1);
    send(&mut outbox, 100);
    assert_eq!(outbox.rejected(ONE, 100, 20, true), None, "the first copy cannot have been there");
    send(&mut outbox, 200);
    outbox.disconnected();
    send(&mut outbox, 300);
    assert_eq!(outbox.rejected(ONE, 200, 20, true), Some((ids[0], FailureReason::Lost)));
}

#[test]
fn a_repetition_in_a_refused_container_keeps_its_id() {
    let (mut outbox, ids) = outbox(2);
    send(&mut outbox, 100);
    outbox.acked(ONE, &[104]);
    outbox.disconnected();
    send(&mut outbox, 200);
    assert_eq!(outbox.rejected(ONE, 100, 48, false), None, "it may have run the first time");
    let batch = outbox.take(ONE, true);
    assert_eq!((batch[0].id, batch[0].again), (ids[0], Some((100, 1))));
    let again = |outbox: &mut Outbox| outbox.send_again(ONE, 100);
    for _ in 1..MAX_REJECTIONS {
        again(&mut outbox);
        assert_eq!(outbox.rejected(ONE, 100, 16, false), None);
    }
    let lost = Some((ids[0], FailureReason::Lost));
    assert_eq!(outbox.rejected(ONE, 100, 16, false), lost, "but not for ever");
}

#[test]
fn a_repetition_that_is_refused_itself_did_not_run() {
    let (mut outbox, ids) = outbox(1);
    send(&mut outbox, 100);
    outbox.disconnected();
    send(&mut outbox, 200);
    assert_eq!(outbox.rejected(ONE, 100, 32, true), None);
    let batch = outbox.take(TWO, true);
    assert_eq!((batch[0].id, batch[0].again), (ids[0], None));
}

#[test]
fn where_nothing_can_be_said_answers_are_waited_for() {
    let (mut outbox, ids) = outbox(1);
    send(&mut outbox, 100);
    outbox.disconnected();
    outbox.hold(ONE, at(5));
    assert!(outbox.take(ONE, false).is_empty());
    assert_eq!(outbox.wake(), Some(at(25)));
    assert_eq!(outbox.give_up(ONE, 100), Some((ids[0], FailureReason::Lost)));
    assert_eq!(outbox.give_up(ONE, 100), None);
    assert_eq!(outbox.census(), [0; 5]);
}

#[test]
fn packets_are_bounded_in_count_and_size() {
    let (mut many, _) = outbox(MAX_BATCH + 1);
    let mut next = || many.take(ONE, true).len();
    assert_eq!((next(), next(), next()), (MAX_BATCH, 1, 0));
    let mut large = new();
    for size in [MAX_BATCH_SIZE * 2, 4, 4] {
        large.push(Bytes::from(vec![0; size]), RequestOptions::default());
    }
    assert_eq!((large.take(ONE, true).len(), large.take(ONE, true).len()), (1, 2));
}

#[test]
fn a_cancelled_request_is_gone() {
    let (mut outbox, ids) = outbox(2);
    assert_eq!(outbox.cancel(ids[0]), None);
    assert_eq!(send(&mut outbox, 100), ids[1..]);
    assert_eq!(outbox.cancel(ids[1]), Some((ONE, 100)));
    assert_eq!(answer(&mut outbox, 100), None);
    assert_eq!(outbox.census(), [0; 5]);
}

#[test]
fn the_silent_are_looked_at_until_they_end() {
    let (mut outbox, _) = outbox(2);
    assert_eq!(outbox.wake(), None);
    send(&mut outbox, 100);
    assert_eq!(outbox.wake(), Some(PATIENCE));
    assert_eq!(outbox.take_silent(at(19)), []);
    assert_eq!(outbox.take_silent(at(20)), [(ONE, 100), (ONE, 104)]);
    assert_eq!(outbox.take_silent(at(39)), []);
    answer(&mut outbox, 100);
    assert_eq!(outbox.take_silent(at(40)), [(ONE, 104)]);
    outbox.disconnected();
    assert_eq!(outbox.wake(), None, "it is sent once more");
}

#[test]
fn what_is_acknowledged_is_asked_about_on_a_new_socket() {
    let (mut outbox, _) = outbox(2);
    send(&mut outbox, 100);
    outbox.acked(ONE, &[104]);
    outbox.disconnected();
    assert_eq!(outbox.take_acked(at(5)), [(ONE, 104)]);
    assert_eq!(outbox.wake(), Some(at(25)));
}

#[test]
fn what_the_server_never_had_is_sent_under_the_old_id() {
    for state in [states::NOT_RECEIVED, states::TOO_HIGH] {
        let (mut outbox, ids) = outbox(1);
        send(&mut outbox, 100);
        assert_eq!(outbox.told(ONE, 104, state), Verdict::Wait, "not ours");
        assert_eq!(outbox.told(ONE, 100, state), Verdict::Wait);
        let batch = outbox.take(ONE, true);
        assert_eq!((batch[0].id, batch[0].again), (ids[0], Some((100, 1))));
    }
}

#[test]
fn what_the_server_works_on_is_waited_for() {
    let (mut outbox, _) = outbox(1);
    send(&mut outbox, 100);
    for _ in 0..100 {
        assert_eq!(outbox.told(ONE, 100, states::RECEIVED | 8 | 32), Verdict::Wait);
    }
    assert!(outbox.disconnected().is_empty() && outbox.take(ONE, true).is_empty());
}

#[test]
fn an_answer_that_exists_is_fetched_a_few_times() {
    let (mut outbox, ids) = outbox(1);
    send(&mut outbox, 100);
    for _ in 0..MAX_FETCHES {
        let state = states::RECEIVED | states::ANSWERED;
        assert_eq!(outbox.told(ONE, 100, state), Verdict::Fetch);
    }
    let verdict = outbox.told(ONE, 100, states::RECEIVED | states::ANSWERED);
    assert_eq!(verdict, Verdict::Lost(ids[0]));
    assert_eq!(outbox.census(), [0; 5]);
}

#[test]
fn what_nobody_can_tell_is_lost() {
    let taken = states::RECEIVED | states::ANSWERED | states::TAKEN;
    for state in [states::FORGOTTEN, taken, 0, 5, 7] {
        let (mut outbox, ids) = outbox(1);
        send(&mut outbox, 100);
        assert_eq!(outbox.told(ONE, 100, state), Verdict::Lost(ids[0]), "{state}");
    }
}

fn chained(count: usize) -> (Outbox, Vec<RequestId>) {
    with(count, RequestOptions { chain: Some(9), ..RequestOptions::default() })
}

#[test]
fn a_chain_goes_out_at_once_and_in_order() {
    let (mut outbox, ids) = chained(3);
    let batch = outbox.take(ONE, true);
    let after: Vec<_> = batch.iter().map(|outgoing| outgoing.after).collect();
    assert_eq!(after, [None, Some(After::InPacket(ids[0])), Some(After::InPacket(ids[1]))]);
}

#[test]
fn a_request_follows_what_is_under_way_in_its_session() {
    let (mut outbox, _) = chained(1);
    send(&mut outbox, 100);
    let chain = RequestOptions { chain: Some(9), ..RequestOptions::default() };
    let next = outbox.push(Bytes::new(), chain);
    assert!(outbox.take(TWO, true).is_empty(), "message ids of another session mean nothing");
    let batch = outbox.take(ONE, true);
    assert_eq!((batch[0].id, batch[0].after), (next, Some(After::Message(100))));
}

#[test]
fn a_request_whose_predecessor_ended_goes_alone() {
    let (mut outbox, ids) = chained(2);
    send(&mut outbox, 100);
    outbox.send_alone(ids[1]);
    assert!(outbox.take(ONE, true).is_empty(), "the server did not wait: it is held back");
    outbox.done(ids[0]);
    assert_eq!(outbox.take(ONE, true)[0].after, None);
    outbox.done(ids[1]);
    assert_eq!(outbox.census(), [0; 5]);
}

#[test]
fn a_chain_closes_over_a_cancelled_request() {
    let (mut outbox, ids) = chained(3);
    outbox.cancel(ids[1]);
    let batch = outbox.take(ONE, true);
    assert_eq!(batch[1].after, Some(After::InPacket(ids[0])));
    outbox.cancel(ids[2]);
    let chain = RequestOptions { chain: Some(9), ..RequestOptions::default() };
    outbox.push(Bytes::new(), chain);
    assert_eq!(outbox.entries.values().next_back().unwrap().after, Some(ids[0]));
}

#[test]
fn a_repetition_waits_for_the_same_as_before() {
    let (mut outbox, ids) = chained(2);
    assert_eq!(send(&mut outbox, 100), ids);
    assert!(outbox.is_told_to_wait(ids[1]) && !outbox.is_told_to_wait(ids[0]));
    outbox.done(ids[0]);
    outbox.disconnected();
    let batch = outbox.take(ONE, true);
    assert_eq!((batch[0].again, batch[0].after), (Some((104, 1)), Some(After::Message(100))));
}
