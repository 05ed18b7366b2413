//! Lines that carry little at a time: a long message takes its time, and is no silence.

use bytes::{Bytes, BytesMut};
use chappe_mtproto::connection::{Event, Input, ReconnectReason, RequestOptions};
use chappe_tl::service::{self, types};

use crate::common::raw::RawServer;
use crate::common::{Pair, body, echo, secs};

fn reconnects(pair: &Pair) -> usize {
    pair.count(|event| matches!(event, Event::Reconnect(_)))
}

/// A body of so many bytes that nothing makes shorter.
fn long(bytes: u32) -> Bytes {
    let words = (1..=bytes / 4).flat_map(|word| word.wrapping_mul(0x9e37_79b1).to_le_bytes());
    words.collect::<Vec<u8>>().into()
}

/// A client that knows how fast pongs come, and a server that does not answer by itself.
fn quiet() -> Pair {
    let mut pair = Pair::resumed();
    pair.connect();
    pair.call(0).unwrap();
    pair.advance(secs(15));
    pair.answers = false;
    pair
}

#[test]
fn a_long_answer_over_a_slow_line_is_waited_for() {
    let mut pair = quiet();
    let id = pair.request(body(1));
    pair.settle();
    pair.answer(1, Ok(long(800_000)));
    pair.crawl(secs(75), 10_000);
    assert_eq!((pair.response(id), reconnects(&pair)), (None, 0), "it is on its way");
    pair.crawl(secs(15), 10_000);
    assert_eq!((pair.response(id), reconnects(&pair)), (Some(Ok(long(800_000))), 0));
}

#[test]
fn a_long_request_over_a_slow_line_is_not_taken_for_silence() {
    let mut pair = quiet();
    let id = pair.request(long(500_000));
    pair.crawl(secs(60), 10_000);
    assert_eq!((reconnects(&pair), pair.requests.len()), (0, 2));
    pair.answer(1, Ok(echo(&body(1))));
    pair.crawl(secs(5), 10_000);
    assert_eq!((pair.response(id), reconnects(&pair)), (Some(Ok(echo(&body(1)))), 0));
}

#[test]
fn a_line_that_dies_under_a_long_request_is_noticed_all_the_same() {
    // With every 8 KiB that go before it the answer to a ping has a second more, up to a minute.
    for (bytes, patience) in [(4, 5), (400_000, 53), (1_000_000, 65)] {
        let mut pair = quiet();
        pair.link = None;
        pair.request(long(bytes));
        pair.advance(secs(patience - 1));
        assert_eq!(reconnects(&pair), 0, "{bytes}");
        pair.advance(secs(1));
        assert_eq!(reconnects(&pair), 1, "{bytes}");
    }
}

#[test]
fn what_arrived_before_is_not_waited_for_again() {
    let mut pair = quiet();
    pair.answers = true;
    let id = pair.request(long(800_000));
    pair.settle();
    assert!(pair.response(id).is_some());
    pair.advance(secs(15));
    pair.link = None;
    pair.request(body(1));
    pair.advance(secs(5));
    assert_eq!(reconnects(&pair), 1);
}

/// A client that asks about its request, which a server does not want to answer.
fn asking() -> RawServer {
    let mut server = RawServer::new();
    server.client.request(server.now, body(1), RequestOptions::default());
    server.drain();
    for _ in 0..20 {
        server.wait(1);
        let ping = server.all::<service::PingDelayDisconnect>().pop().expect("a ping");
        server.serve(&types::Pong { msg_id: 0, ping_id: ping.ping_id });
    }
    assert_eq!(server.all::<types::MsgsStateReq>().len(), 1);
    server
}

#[test]
fn bytes_that_drip_put_a_question_off_but_not_for_ever() {
    let mut server = asking();
    // A packet of three megabytes, a byte a second.
    let mut input = BytesMut::from(&3_000_000_u32.to_le_bytes()[..]);
    let mut seconds = 0;
    while server.reconnects().is_empty() {
        input.extend_from_slice(&[0]);
        server.input(Input::Received(&mut input));
        server.wait(1);
        seconds += 1;
        assert!(seconds < 1000, "it has to end");
    }
    assert_eq!(server.reconnects(), [&ReconnectReason::Unanswered]);
    assert!((180..190).contains(&seconds), "{seconds}");
}
