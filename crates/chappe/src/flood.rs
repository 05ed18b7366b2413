//! Flood waits: what Telegram said how long not to call a method again is remembered, and obeyed
//! by all calls of that method, in the order in which they came.
//!
//! Telegram does not say whether a wait is about a method or about one of its arguments, so it
//! is taken to be about the method. Waits for transfers without Premium are counted apart; the
//! slow mode of a chat (`SLOWMODE_WAIT_X`) is about that chat only and never remembered.
//! See core.telegram.org/api/errors#420-flood.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::OwnedMutexGuard;

use crate::{
    error::RpcError,
    net::{backoff::Chance, driver::Clock, timer},
};

/// What one wait is counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// `FLOOD_WAIT_X`.
    Calls,
    /// `FLOOD_PREMIUM_WAIT_X`.
    Transfers,
}

impl Kind {
    /// Which wait this error is about, if it is one to remember.
    pub(crate) fn of(error: &RpcError) -> Option<Self> {
        match (error.code, error.name.as_str()) {
            (420, "FLOOD_WAIT_X") => Some(Self::Calls),
            (420, "FLOOD_PREMIUM_WAIT_X") => Some(Self::Transfers),
            _ => None,
        }
    }

    const fn stem(self) -> &'static str {
        match self {
            Self::Calls => "FLOOD_WAIT",
            Self::Transfers => "FLOOD_PREMIUM_WAIT",
        }
    }
}

/// The waits of the methods, by their constructor ids. Pure.
#[derive(Debug, Default)]
pub(crate) struct Waits(HashMap<(u32, Kind), Duration>);

impl Waits {
    /// Remembers that this method must not be called before `now + wait`.
    pub(crate) fn note(&mut self, now: Duration, method: u32, kind: Kind, wait: Duration) {
        let until = now.saturating_add(wait);
        let known = self.0.contains_key(&(method, kind));
        if !known && self.0.len() >= REMEMBERED {
            self.0.retain(|_, until| *until > now);
            if self.0.len() >= REMEMBERED
                && let Some(first) = self.0.iter().min_by_key(|(_, until)| **until)
            {
                let first = *first.0;
                self.0.remove(&first);
            }
        }
        let kept = self.0.entry((method, kind)).or_default();
        *kept = until.max(*kept);
    }

    /// How long this method must not be called, and why; `None` if it may be.
    pub(crate) fn rest(&self, now: Duration, method: u32) -> Option<(Kind, Duration)> {
        [Kind::Calls, Kind::Transfers]
            .into_iter()
            .filter_map(|kind| {
                let rest = self.0.get(&(method, kind))?.saturating_sub(now);
                (!rest.is_zero()).then_some((kind, rest))
            })
            .max_by_key(|(_, rest)| *rest)
    }
}

/// What all calls of a client pass through before they are sent.
pub(crate) struct Gate {
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    waits: Waits,
    /// One for each method that calls wait for.
    queues: HashMap<u32, Queue>,
    chance: Chance,
}

#[derive(Default)]
struct Queue {
    /// Whoever holds it is first; the others get it in the order in which they came.
    first: Arc<tokio::sync::Mutex<()>>,
    length: usize,
}

/// The right to send a call now. Others that waited go when it is dropped.
pub(crate) struct Turn<'a> {
    // Dropped in this order: the next one is let go before the place is given up.
    _first: Option<OwnedMutexGuard<()>>,
    _place: Option<Place<'a>>,
}

/// A place in the queue of a method.
struct Place<'a> {
    gate: &'a Gate,
    method: u32,
}

impl Gate {
    pub(crate) fn new(clock: Clock, seed: u64) -> Self {
        let state = State { waits: Waits::default(), queues: HashMap::new(), chance: Chance(seed) };
        Self { clock, state: Mutex::new(state) }
    }

    /// The time by the clock of the waits.
    pub(crate) fn now(&self) -> Duration {
        self.clock.uptime()
    }

    /// Remembers what Telegram answered.
    pub(crate) fn note(&self, method: u32, kind: Kind, wait: Duration) {
        let now = self.now();
        self.state().waits.note(now, method, kind, wait);
    }

    /// How long this method must not be called.
    pub(crate) fn rest(&self, method: u32) -> Option<(Kind, Duration)> {
        self.state().waits.rest(self.now(), method)
    }

    /// Any time from nothing to this.
    pub(crate) fn chance(&self, most: Duration) -> Duration {
        self.state().chance.up_to(most)
    }

    /// Waits until a call of this method may be sent and all that came before it are sent.
    ///
    /// Gives up at once, with what is left of the wait, if that is longer than `threshold` or
    /// goes beyond `deadline`.
    ///
    /// Dropping the future gives up the place.
    pub(crate) async fn turn(
        &self,
        method: u32,
        threshold: Duration,
        deadline: Duration,
    ) -> Result<Turn<'_>, (Kind, Duration)> {
        let (place, first) = {
            let mut state = self.state();
            let rest = self.bearable(&state, method, threshold, deadline)?;
            if rest.is_none() && !state.queues.contains_key(&method) {
                return Ok(Turn { _first: None, _place: None });
            }
            let queue = state.queues.entry(method).or_default();
            queue.length += 1;
            (Place { gate: self, method }, Arc::clone(&queue.first))
        };
        let first = first.lock_owned().await;
        loop {
            let rest = self.bearable(&self.state(), method, threshold, deadline)?;
            let Some(rest) = rest else {
                return Ok(Turn { _first: Some(first), _place: Some(place) });
            };
            timer::pause(rest).await;
        }
    }

    /// The rest of a wait that may be slept through.
    fn bearable(
        &self,
        state: &State,
        method: u32,
        threshold: Duration,
        deadline: Duration,
    ) -> Result<Option<Duration>, (Kind, Duration)> {
        let now = self.now();
        match state.waits.rest(now, method) {
            Some((kind, rest)) if rest > threshold || now.saturating_add(rest) > deadline => {
                Err((kind, rest))
            }
            rest => Ok(rest.map(|(_, rest)| rest)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        if let Some(queue) = state.queues.get_mut(&self.method) {
            queue.length -= 1;
            if queue.length == 0 {
                state.queues.remove(&self.method);
            }
        }
    }
}

/// The constructor id of the method that an encoded call is about: that of the query, where it
/// is only sent in another way.
pub(crate) fn method_of(mut body: &[u8]) -> u32 {
    loop {
        let Some((id, rest)) = body.split_first_chunk() else { return 0 };
        let id = u32::from_le_bytes(*id);
        let arguments = match id {
            INVOKE_WITHOUT_UPDATES => Some(rest),
            INVOKE_AFTER_MSG | INVOKE_WITH_TAKEOUT => rest.get(8..),
            _ => None,
        };
        match arguments {
            Some(query) => body = query,
            None => return id,
        }
    }
}

/// The error of a call that was not sent, because so much of a wait is left.
pub(crate) fn held_back(method: &str, kind: Kind, rest: Duration) -> RpcError {
    let seconds = rest.as_secs() + u64::from(rest.subsec_nanos() > 0);
    let mut error = RpcError::new(method, 420, &format!("{}_{seconds}", kind.stem()));
    error.sent = false;
    error
}

const INVOKE_AFTER_MSG: u32 = 0xcb9f_372d;
const INVOKE_WITH_TAKEOUT: u32 = 0xaca9_fd2e;
const INVOKE_WITHOUT_UPDATES: u32 = 0xbf94_59b7;
/// Waits that are remembered at once; beyond that the one that ends first is forgotten.
const REMEMBERED: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_wait_is_over_when_its_time_is_and_is_about_one_method() {
        let mut waits = Waits::default();
        waits.note(seconds(100), 1, Kind::Calls, seconds(30));
        assert_eq!(waits.rest(seconds(100), 1), Some((Kind::Calls, seconds(30))));
        assert_eq!(waits.rest(seconds(129), 1), Some((Kind::Calls, seconds(1))));
        assert_eq!(waits.rest(seconds(130), 1), None);
        assert_eq!(waits.rest(seconds(100), 2), None);
    }

    #[test]
    fn a_later_and_shorter_wait_does_not_end_an_earlier_one() {
        let mut waits = Waits::default();
        waits.note(seconds(0), 1, Kind::Calls, seconds(30));
        waits.note(seconds(1), 1, Kind::Calls, seconds(3));
        assert_eq!(waits.rest(seconds(4), 1), Some((Kind::Calls, seconds(26))));
    }

    #[test]
    fn waits_for_transfers_are_counted_apart() {
        let mut waits = Waits::default();
        waits.note(seconds(0), 1, Kind::Transfers, seconds(9));
        waits.note(seconds(0), 1, Kind::Calls, seconds(4));
        assert_eq!(waits.rest(seconds(1), 1), Some((Kind::Transfers, seconds(8))));
        waits.note(seconds(1), 1, Kind::Calls, seconds(20));
        assert_eq!(waits.rest(seconds(1), 1), Some((Kind::Calls, seconds(20))));
        assert_eq!(waits.rest(seconds(21), 1), None);
    }

    #[test]
    fn the_memory_of_waits_is_bounded_and_keeps_the_longest() {
        let mut waits = Waits::default();
        for method in 0..100_000 {
            waits.note(seconds(0), method, Kind::Calls, seconds(u64::from(method)));
        }
        assert_eq!(waits.0.len(), REMEMBERED);
        assert!(waits.rest(seconds(0), 99_999).is_some());
        // What is over makes room first.
        waits.note(seconds(1 << 20), 1, Kind::Calls, seconds(5));
        assert_eq!(waits.0.len(), 1);
        waits.note(seconds(0), 2, Kind::Calls, Duration::MAX);
        assert!(waits.rest(seconds(1 << 40), 2).is_some());
    }

    #[test]
    fn a_wait_is_about_the_query_and_not_about_the_way_it_is_sent() {
        let query = 0xc4f9_186b_u32.to_le_bytes();
        let quiet = [&INVOKE_WITHOUT_UPDATES.to_le_bytes()[..], &query].concat();
        let takeout = [&INVOKE_WITH_TAKEOUT.to_le_bytes()[..], &[7; 8], &quiet].concat();
        for body in [&query[..], &quiet, &takeout] {
            assert_eq!(method_of(body), 0xc4f9_186b);
        }
        assert_eq!(method_of(&[&query[..], &quiet].concat()), 0xc4f9_186b);
        assert_eq!(method_of(&takeout[..8]), INVOKE_WITH_TAKEOUT);
        assert_eq!(method_of(&quiet[..4]), 0);
        assert_eq!(method_of(b"abc"), 0);
    }

    #[test]
    fn what_is_left_of_a_second_counts_as_one() {
        let error = held_back("help.getConfig", Kind::Calls, Duration::from_millis(1_001));
        assert_eq!(
            (error.text.as_str(), error.value, error.sent),
            ("FLOOD_WAIT_2", Some(2), false)
        );
        assert_eq!(error.retry_after(), Some(seconds(2)));
        assert!(error.to_string().contains("was not sent"), "{error}");
        let error = held_back("upload.getFile", Kind::Transfers, seconds(3));
        assert_eq!(error.text, "FLOOD_PREMIUM_WAIT_3");
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_wait_go_in_the_order_in_which_they_came() {
        let gate = Arc::new(Gate::new(Clock::start(), 1));
        gate.note(1, Kind::Calls, seconds(10));
        let went = Arc::new(Mutex::new(Vec::new()));
        let mut calls = Vec::new();
        for call in 0..50 {
            let (gate, went) = (Arc::clone(&gate), Arc::clone(&went));
            calls.push(tokio::spawn(async move {
                let turn = gate.turn(1, seconds(30), seconds(60)).await;
                assert!(gate.now() >= seconds(10));
                went.lock().unwrap().push(call);
                drop(turn);
            }));
            tokio::task::yield_now().await;
        }
        // Some give up, one of them while it is the first of all.
        for given_up in [0, 7, 8, 49] {
            calls[given_up].abort();
        }
        for call in calls {
            drop(call.await);
        }
        let expected: Vec<_> = (0..50).filter(|call| ![0, 7, 8, 49].contains(call)).collect();
        assert_eq!(*went.lock().unwrap(), expected);
        assert!(gate.state().queues.is_empty());
        // Who comes after all is over waits for nobody.
        assert!(gate.turn(1, Duration::ZERO, Duration::MAX).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_overtakes_who_waited() {
        let gate = Gate::new(Clock::start(), 1);
        gate.note(1, Kind::Calls, seconds(10));
        let first = gate.turn(1, seconds(30), seconds(60)).await.ok();
        // The wait is over, but the first one is still about to be sent.
        let mut second = Box::pin(gate.turn(1, seconds(30), seconds(60)));
        let limit = timer::within(seconds(1), &mut second).await;
        assert!(limit.is_none());
        drop(first);
        assert!(second.await.is_ok());
        assert!(gate.state().queues.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_is_too_long_is_told_at_once() {
        let gate = Gate::new(Clock::start(), 1);
        gate.note(1, Kind::Calls, seconds(10));
        for (threshold, deadline) in [(9, 60), (30, 9)] {
            let turn = gate.turn(1, seconds(threshold), seconds(deadline)).await;
            assert_eq!(turn.err(), Some((Kind::Calls, seconds(10))));
        }
        assert_eq!(gate.now(), Duration::ZERO);
        assert!(gate.turn(2, Duration::ZERO, seconds(1)).await.is_ok());
        assert!(gate.turn(1, seconds(10), seconds(10)).await.is_ok());
        assert_eq!(gate.now(), seconds(10));
        assert!(gate.state().queues.is_empty());
    }
}
