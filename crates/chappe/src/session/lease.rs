//! A session that is this program's for a time only: a clock that says when it is over.
//!
//! A lease is granted by somebody else, like a database, for so long from then on. When that was
//! we cannot know, but it was after the question was sent: so the time is counted from there, on
//! two clocks of this machine, and ends a tenth early, for clocks that run at different rates and
//! for packets that are on their way. The monotonic clock stands still while a machine sleeps;
//! the wall clock does not, but it may be set. Whichever says first that it is over is believed.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{sync::watch, time::Instant};

/// A right to use a session that ends by itself unless it is renewed; clones are one lease.
///
/// Whoever grants leases makes one with its [`SessionLock`](super::SessionLock) and renews it
/// while the lock is there. A client that has it writes nothing more to any socket once it
/// [is over](Self::is_over), begins no save, and ends with
/// [`Ended::LeaseLost`](crate::Ended::LeaseLost). A save that began before may still go on: a
/// store has to tell by itself that it comes too late. Once over it stays so, whatever is granted
/// later.
#[derive(Clone, Debug)]
pub struct Lease {
    state: Arc<watch::Sender<State>>,
}

/// A reading of both clocks of this machine.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    steady: Instant,
    /// Time since 1970 by the wall clock.
    wall: Duration,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Until then, by either clock.
    Held(Moment),
    Over,
}

impl Moment {
    /// Reads the clocks: before a lease is asked for, or before a renewal is.
    pub fn now() -> Self {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { steady: Instant::now(), wall }
    }

    /// The end of a lease of this length that was asked for now.
    fn end(self, length: Duration) -> Self {
        let length = length.min(LONGEST);
        let length = length - length / MARGIN;
        Self { steady: self.steady + length, wall: self.wall + length }
    }

    fn is_past(self, end: Self) -> bool {
        self.steady >= end.steady || self.wall >= end.wall
    }
}

impl Lease {
    /// A lease that was asked for at this moment and granted for so long.
    pub fn granted(asked: Moment, length: Duration) -> Self {
        let state = State::Held(asked.end(length));
        Self { state: Arc::new(watch::Sender::new(state)) }
    }

    /// It was granted once more, asked for at this moment. Returns whether it goes on: not if it
    /// was over before.
    pub fn renewed(&self, asked: Moment, length: Duration) -> bool {
        self.look(Moment::now(), Some(asked.end(length)))
    }

    /// It was taken away.
    pub fn lose(&self) {
        self.state.send_replace(State::Over);
    }

    /// Whether it is over: by one of the clocks, or because it was taken away.
    pub fn is_over(&self) -> bool {
        // The usual case is a reader's lock.
        let state = *self.state.borrow();
        match state {
            State::Over => true,
            State::Held(end) => Moment::now().is_past(end) && !self.look(Moment::now(), None),
        }
    }

    /// Waits until it is over.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn over(&self) {
        let mut state = self.state.subscribe();
        while !self.is_over() {
            let State::Held(end) = *state.borrow_and_update() else { return };
            tokio::select! {
                // It cannot fail: the sender is here.
                _ = state.changed() => {}
                () = tokio::time::sleep_until(end.steady) => {}
            }
        }
    }

    /// Ends it if its time has come, else prolongs it. Returns whether it goes on.
    fn look(&self, now: Moment, prolonged: Option<Moment>) -> bool {
        self.state.send_if_modified(|state| {
            let State::Held(end) = *state else { return false };
            match prolonged {
                _ if now.is_past(end) => *state = State::Over,
                // An answer that came late must not shorten what a later one granted.
                Some(prolonged) if prolonged.steady > end.steady => *state = State::Held(prolonged),
                _ => return false,
            }
            true
        });
        matches!(*self.state.borrow(), State::Held(_))
    }
}

/// The share of a lease that is not used.
const MARGIN: u32 = 10;
/// What is longer is as good as for ever, and no clock goes that far: a century.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Duration = Duration::from_secs(30);
    const SECOND: Duration = Duration::from_secs(1);

    fn later(moment: Moment, steady: Duration, wall: Duration) -> Moment {
        Moment { steady: moment.steady + steady, wall: moment.wall + wall }
    }

    /// Of the machine that sleeps, or whose clock is set, only one clock goes on.
    #[test]
    fn the_clock_that_is_ahead_ends_it() {
        let asked = Moment::now();
        for (steady, wall, holds) in [
            (26, 26, true),
            (27, 0, false),
            (0, 27, false),
            (1, 3_600, false),
            (26, 0, true),
            (0, 26, true),
        ] {
            let lease = Lease::granted(asked, LENGTH);
            let now = later(asked, SECOND * steady, SECOND * wall);
            assert_eq!(lease.look(now, None), holds, "{steady} {wall}");
        }
    }

    /// "For ever" is a length, too.
    #[test]
    fn a_lease_may_be_as_long_as_anybody_likes() {
        let lease = Lease::granted(Moment::now(), Duration::MAX);
        assert!(!lease.is_over() && lease.renewed(Moment::now(), Duration::MAX));
    }

    #[test]
    fn it_is_counted_from_the_question_and_once_over_stays_so() {
        let asked = Moment::now();
        let lease = Lease::granted(asked, LENGTH);
        let again = later(asked, SECOND * 10, SECOND * 10);
        let answered = later(asked, SECOND * 20, SECOND * 20);
        assert!(lease.look(answered, Some(again.end(LENGTH))));
        // The answer to an earlier question comes last.
        assert!(lease.look(answered, Some(asked.end(LENGTH))));
        assert!(lease.look(later(asked, SECOND * 36, SECOND * 36), None));
        let end = later(asked, SECOND * 37, SECOND * 37);
        assert!(!lease.look(end, Some(end.end(LENGTH))));
        assert!(!lease.look(asked, Some(end.end(LENGTH))));
        assert!(lease.is_over());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_the_end_hears_of_it_in_time_however_it_comes() {
        let begin = Instant::now();
        let lease = Lease::granted(Moment::now(), LENGTH);
        let waiting = tokio::spawn({
            let lease = lease.clone();
            async move { lease.over().await }
        });
        for _ in 0..5 {
            tokio::time::sleep(SECOND * 10).await;
            assert!(lease.renewed(Moment::now(), LENGTH) && !waiting.is_finished());
        }
        // The answer takes its time, and gives none.
        let asked = Moment::now();
        tokio::time::sleep(SECOND * 5).await;
        assert!(lease.renewed(asked, LENGTH));
        waiting.await.unwrap();
        assert_eq!(begin.elapsed(), SECOND * 77);
        assert!(!lease.renewed(Moment::now(), LENGTH));

        let lease = Lease::granted(Moment::now(), LENGTH);
        let begin = Instant::now();
        let (over, ()) = tokio::join!(lease.over(), async { lease.lose() });
        assert_eq!((over, begin.elapsed()), ((), Duration::ZERO));
    }
}
