//! The server's time by a client's reckoning.
//!
//! It runs on the monotonic clock: a wall clock that somebody sets, or that goes on while the
//! machine sleeps, moves nothing here but is noticed. What sets it is the server: the key exchange,
//! its notices about message ids, and its answers to pings.
//! See core.telegram.org/mtproto/service_messages_about_messages and
//! core.telegram.org/mtproto/description#message-identifier-msg-id.

use std::time::Duration;

use crate::time::Now;

/// The server's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// What to add to the uptime to get the server's time.
    base: Duration,
    /// Whether a message of this socket confirmed it.
    synced: bool,
    /// Whether a message of this socket was refused for its time.
    missed: bool,
    /// The wall clock against the monotonic one, in nanoseconds, when both were read last.
    wall: i128,
}

impl Clock {
    /// A clock that is `offset` seconds ahead of the local one.
    pub(crate) fn new(now: Now, offset: i64) -> Self {
        let mut clock =
            Self { base: Duration::ZERO, synced: false, missed: false, wall: wall(now) };
        clock.set_offset(offset, now);
        clock
    }

    /// The server's time.
    pub(crate) fn time(&self, now: Now) -> Duration {
        self.base.saturating_add(now.uptime)
    }

    /// Seconds to add to the local clock to get the server's.
    pub(crate) fn offset(&self, now: Now) -> i64 {
        let ahead = nanos(self.time(now)) - nanos(now.unix);
        i64::try_from((ahead + NANOS / 2).div_euclid(NANOS)).unwrap_or(0)
    }

    /// Sets the clock by its distance from the local one, in seconds.
    pub(crate) fn set_offset(&mut self, offset: i64, now: Now) {
        let offset = offset.clamp(-FARTHEST, FARTHEST);
        let magnitude = Duration::from_secs(offset.unsigned_abs());
        let time = if offset < 0 {
            now.unix.saturating_sub(magnitude)
        } else {
            now.unix.saturating_add(magnitude)
        };
        self.set(time, now);
    }

    /// Sets the clock by the id of a message that the server just made.
    pub(crate) fn set_by(&mut self, server_msg_id: i64, now: Now) {
        self.set(time_of(server_msg_id), now);
        self.synced = true;
    }

    /// Corrects the clock by the answer to a ping, if it is wrong by more than a ping explains.
    /// `true` if it was.
    pub(crate) fn correct(&mut self, server_msg_id: i64, now: Now) -> bool {
        self.synced = true;
        let wrong = self.time(now).abs_diff(time_of(server_msg_id)) > TOLERANCE;
        if wrong {
            self.set_by(server_msg_id, now);
        }
        wrong
    }

    /// There is a new socket: its first message may put the clock right.
    ///
    /// A client whose clock is less than 300 seconds behind would else never agree with its
    /// server: the server takes the client's ids, the client none of the server's.
    pub(crate) fn doubt(&mut self) {
        self.synced = false;
        self.missed = false;
    }

    /// A message of this socket is refused for its time.
    pub(crate) fn miss(&mut self) {
        self.missed = true;
    }

    /// Whether a message of this socket was refused for its time.
    pub(crate) fn has_missed(&self) -> bool {
        self.missed
    }

    /// Whether a message of this socket confirmed the clock.
    pub(crate) fn is_synced(&self) -> bool {
        self.synced
    }

    /// A message came at a time that fits.
    pub(crate) fn confirm(&mut self) {
        self.synced = true;
    }

    /// Compares the two local clocks with the last reading. `true` if one jumped against the
    /// other: the machine slept, or somebody set the clock.
    pub(crate) fn jumped(&mut self, now: Now) -> bool {
        let before = std::mem::replace(&mut self.wall, wall(now));
        before.abs_diff(self.wall) > JUMP
    }

    fn set(&mut self, time: Duration, now: Now) {
        self.base = time.saturating_sub(now.uptime);
    }
}

/// The moment that a message id names.
fn time_of(msg_id: i64) -> Duration {
    let seconds = u64::try_from(msg_id >> 32).unwrap_or(0);
    let fraction = u64::try_from(msg_id & 0xffff_ffff).unwrap_or(0);
    Duration::new(seconds, u32::try_from((fraction * 1_000_000_000) >> 32).unwrap_or(0))
}

fn wall(now: Now) -> i128 {
    nanos(now.unix) - nanos(now.uptime)
}

fn nanos(time: Duration) -> i128 {
    i128::try_from(time.as_nanos()).unwrap_or(i128::MAX / 4)
}

const NANOS: i128 = 1_000_000_000;

/// No clock is wrong by more, in seconds: message ids have 31 bits for the time.
const FARTHEST: i64 = 1 << 31;

/// How far the clock may be from the answer to a ping.
const TOLERANCE: Duration = Duration::from_secs(5);

/// How far the two local clocks may drift apart between two readings, in nanoseconds.
const JUMP: u128 = 5_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(uptime: u64, unix: u64) -> Now {
        Now::new(Duration::from_secs(uptime), Duration::from_secs(unix))
    }

    #[test]
    fn the_wall_clock_moves_nothing_but_is_noticed() {
        let mut clock = Clock::new(at(10, 1_000_000), 7);
        assert_eq!(clock.time(at(20, 1_000_010)), Duration::from_secs(1_000_017));
        assert!(!clock.jumped(at(20, 1_000_010)));
        for unix in [2_000_000, 0, 1_000_030] {
            assert_eq!(clock.time(at(30, unix)), Duration::from_secs(1_000_027));
            assert!(clock.jumped(at(30, unix)) && !clock.jumped(at(30, unix)), "{unix}");
        }
        assert_eq!(clock.offset(at(30, 2_000_000)), -999_973);
    }

    #[test]
    fn the_answer_to_a_ping_corrects_what_it_cannot_explain() {
        let mut clock = Clock::new(at(0, 1_000_000), 0);
        assert!(!clock.correct(1_000_004 << 32, at(0, 1_000_000)));
        assert_eq!(clock.offset(at(0, 1_000_000)), 0);
        assert!(clock.correct(1_000_900 << 32, at(0, 1_000_000)));
        assert_eq!(clock.offset(at(0, 1_000_000)), 900);
        assert!(clock.is_synced());
    }

    #[test]
    fn a_drift_of_five_seconds_is_neither_a_jump_nor_wrong() {
        let now = at(10, 1_000_015);
        let mut clock = Clock::new(at(0, 1_000_000), 0);
        assert!(!clock.jumped(now) && clock.jumped(at(10, 1_000_021)));
        let mut clock = Clock::new(now, 0);
        assert!(!clock.correct(1_000_020 << 32, now));
        assert!(!clock.correct(1_000_010 << 32, now));
        assert!(clock.correct((1_000_020 << 32) | 0x0020_0000, now), "half a millisecond more");
    }

    #[test]
    fn what_fits_and_what_sets_it_confirms_it_until_the_next_socket() {
        let mut clock = Clock::new(at(0, 1_000_000), 0);
        assert!(!clock.is_synced());
        clock.confirm();
        assert!(clock.is_synced());
        clock.doubt();
        assert!(!clock.is_synced());
        clock.set_by(1 << 32, at(0, 1_000_000));
        assert!(clock.is_synced());
    }

    #[test]
    fn any_offset_can_be_kept() {
        for offset in [i64::MIN, i64::MAX, 0, -1_000_000] {
            let clock = Clock::new(at(5, 1_000_000), offset);
            let kept = offset.clamp(-1_000_000, FARTHEST);
            assert_eq!(clock.offset(at(5, 1_000_000)), kept.max(-999_995), "{offset}");
        }
    }

    #[test]
    fn half_a_second_is_kept() {
        assert_eq!(time_of((7 << 32) | 0x8000_0000), Duration::from_millis(7_500));
        assert_eq!(time_of(-1), Duration::new(0, 999_999_999));
    }
}
