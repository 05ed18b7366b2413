//! When to dial again: a function of what became of the dials before, and of chance. Pure.

use std::{collections::VecDeque, time::Duration};

/// What became of a dial and of its socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The server said that there are too many connections (transport error -429).
    Flooded,
    /// The server answered something, and the socket lived for so long.
    Heard(Duration),
    /// Nobody was there, or nothing of use was said.
    Unheard,
}

/// The memory of one endpoint's dials.
///
/// Pauses double up to half a minute, and the true pause is any time between nothing and that
/// ("full jitter"), so that the clients that one outage threw out do not come back at once. On
/// top of it no endpoint is dialled more often than the limits at the end of this file say,
/// whatever the reason. It never gives up.
#[derive(Debug)]
pub(crate) struct Backoff {
    chance: Chance,
    failures: u32,
    floods: u32,
    /// When the last dials began, the latest last.
    dials: VecDeque<Duration>,
}

impl Backoff {
    pub(crate) fn new(seed: u64) -> Self {
        Self { chance: Chance(seed), failures: 0, floods: 0, dials: VecDeque::new() }
    }

    /// A dial begins.
    pub(crate) fn dial(&mut self, now: Duration) {
        if self.dials.len() == REMEMBERED {
            self.dials.pop_front();
        }
        self.dials.push_back(now);
    }

    /// A dial failed, or its socket is gone. Says when to dial again.
    pub(crate) fn lost(&mut self, now: Duration, how: Lost) -> Duration {
        match how {
            Lost::Heard(lived) => {
                self.floods = 0;
                // A server that answers and hangs up, again and again, is no good one.
                self.failures =
                    if lived >= LONG_LIVED { 0 } else { (self.failures + 1).min(FEW + 1) };
            }
            Lost::Unheard => self.failures = self.failures.saturating_add(1),
            Lost::Flooded => {
                self.failures = self.failures.saturating_add(1);
                self.floods += 1;
            }
        }
        let pause = if self.floods > 0 {
            let full = (FLOOD_PAUSE * (1 << (self.floods - 1).min(10))).min(LONGEST_FLOOD_PAUSE);
            full / 2 + self.chance.up_to(full / 2)
        } else if self.failures == 0 {
            Duration::ZERO
        } else {
            self.chance.up_to((FIRST_PAUSE * (1 << self.failures.min(10))).min(LONGEST_PAUSE))
        };
        (now + pause).max(self.allowed())
    }

    /// Failures in a row; a long-lived socket ends the row.
    pub(crate) const fn failures(&self) -> u32 {
        self.failures
    }

    /// The earliest time that the limits allow.
    fn allowed(&self) -> Duration {
        let limits = if self.failures > FEW { FAILING } else { WORKING };
        let earliest = limits.iter().filter_map(|(within, most)| {
            let oldest = self.dials.len().checked_sub(*most)?;
            Some(*self.dials.get(oldest)? + *within)
        });
        earliest.max().unwrap_or_default()
    }
}

/// Random numbers that need not be secret (splitmix64).
#[derive(Debug)]
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    /// Any number: another one's beginning, say.
    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Any time from nothing to this, the limits included.
    pub(crate) fn up_to(&mut self, most: Duration) -> Duration {
        let share = self.draw() >> 32;
        let nanos = most.as_nanos() * u128::from(share) / u128::from(u32::MAX);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(125);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const FLOOD_PAUSE: Duration = Duration::from_secs(8);
const LONGEST_FLOOD_PAUSE: Duration = Duration::from_secs(256);
/// A socket that lived so long was a good one: the next dial comes at once.
const LONG_LIVED: Duration = Duration::from_secs(5);
/// Failures in a row that may be bad luck.
const FEW: u32 = 3;
/// So many dials at most begin within so much time, while there were few failures.
/// Observed: these are TDLib's limits for an endpoint while the network is there.
const WORKING: &[(Duration, usize)] = &[(Duration::from_secs(1), 4), (Duration::from_secs(5), 5)];
/// The same after more failures. Observed: TDLib's limits for an endpoint.
const FAILING: &[(Duration, usize)] =
    &[(Duration::from_secs(1), 1), (Duration::from_secs(4), 2), (Duration::from_secs(8), 3)];
/// No limit counts more dials.
const REMEMBERED: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Dials for so long, and says when; each socket lives for `lived` and then ends like this.
    fn dials(seed: u64, time: Duration, lived: Duration, how: Lost) -> Vec<Duration> {
        let mut backoff = Backoff::new(seed);
        let mut now = Duration::ZERO;
        let mut dials = Vec::new();
        while now < time {
            backoff.dial(now);
            dials.push(now);
            now = backoff.lost(now + lived, how);
        }
        dials
    }

    /// The most dials within any so long a time.
    fn most_within(dials: &[Duration], time: Duration) -> usize {
        let from = |begin: &Duration| {
            dials.iter().filter(|at| (*begin..*begin + time).contains(at)).count()
        };
        dials.iter().map(from).max().unwrap_or_default()
    }

    #[test]
    fn a_server_that_refuses_is_dialled_a_few_times_a_minute() {
        for seed in 0..200 {
            let dials = dials(seed, seconds(3600), Duration::ZERO, Lost::Unheard);
            assert!(most_within(&dials, seconds(1)) <= 4, "seed {seed}");
            assert!(most_within(&dials, seconds(60)) <= 20, "seed {seed}");
            let settled: Vec<_> = dials.into_iter().filter(|at| *at > seconds(60)).collect();
            // Half a minute at most, a quarter on average; never silent for longer.
            assert!(settled.windows(2).all(|pair| pair[1] - pair[0] <= seconds(30)));
            assert!((150..=500).contains(&settled.len()), "seed {seed}: {}", settled.len());
        }
    }

    #[test]
    fn a_server_that_answers_and_hangs_up_is_no_storm() {
        for seed in 0..50 {
            let how = Lost::Heard(Duration::from_millis(10));
            let dials = dials(seed, seconds(600), Duration::from_millis(10), how);
            assert!(most_within(&dials[5..], seconds(8)) <= 3, "seed {seed}");
            assert!(most_within(&dials, seconds(60)) <= 27, "seed {seed}");
        }
    }

    #[test]
    fn even_good_sockets_do_not_make_a_storm() {
        let how = Lost::Heard(seconds(3600));
        let dials = dials(1, seconds(60), Duration::ZERO, how);
        assert_eq!(most_within(&dials, seconds(1)), 4);
        assert_eq!(most_within(&dials, seconds(5)), 5);
    }

    #[test]
    fn after_a_long_lived_socket_the_next_dial_comes_at_once() {
        let mut backoff = Backoff::new(1);
        for _ in 0..9 {
            backoff.dial(seconds(0));
            backoff.lost(seconds(0), Lost::Unheard);
        }
        assert_eq!(backoff.failures(), 9);
        backoff.dial(seconds(100));
        let next = backoff.lost(seconds(160), Lost::Heard(seconds(60)));
        assert_eq!((next, backoff.failures()), (seconds(160), 0));
    }

    #[test]
    fn a_flood_of_connections_is_answered_by_longer_and_longer_pauses() {
        for seed in 0..50 {
            let mut backoff = Backoff::new(seed);
            let pauses: Vec<_> = (0..12)
                .map(|turn| {
                    let now = seconds(turn * 1000);
                    backoff.dial(now);
                    backoff.lost(now, Lost::Flooded) - now
                })
                .collect();
            for (turn, pause) in pauses.iter().enumerate() {
                let full = seconds(8 << turn.min(5));
                assert!((full / 2..=full).contains(pause), "seed {seed} {turn}: {pause:?}");
            }
            // Somebody who is not there after a flood does not make it forgotten; an answer does.
            assert!(backoff.lost(seconds(0), Lost::Unheard) >= seconds(128));
            assert!(backoff.lost(seconds(99_999), Lost::Heard(seconds(1))) < seconds(100_007));
        }
    }

    #[test]
    fn the_memory_of_dials_is_bounded() {
        let mut backoff = Backoff::new(1);
        for at in 0..10_000 {
            backoff.dial(seconds(at));
            backoff.lost(seconds(at), Lost::Flooded);
        }
        assert_eq!(backoff.dials.len(), REMEMBERED);
    }

    #[test]
    fn pauses_are_spread_over_the_whole_range() {
        let mut chance = Chance(7);
        let drawn: Vec<_> = (0..1000).map(|_| chance.up_to(seconds(30))).collect();
        assert!(drawn.iter().all(|pause| *pause <= seconds(30)));
        for tenth in 0..10 {
            let range = seconds(tenth * 3)..seconds(tenth * 3 + 3);
            let share = drawn.iter().filter(|pause| range.contains(pause)).count();
            assert!((60..=140).contains(&share), "{tenth}: {share}");
        }
    }
}
