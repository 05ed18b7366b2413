//! The salts that a server honours: a function of the time, a secret and the key.
//!
//! Nothing is stored: the salt of a key and a period is one word of a ChaCha20 stream under the
//! server's secret.
//! See core.telegram.org/mtproto/description#server-salt.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use chappe_tl::service::FutureSalt;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use zeroize::Zeroizing;

use crate::salts::seconds;

/// The salts of all keys of a server.
pub(super) struct SaltBook {
    secret: Zeroizing<[u8; 32]>,
    /// Seconds from one salt to the next.
    period: i64,
    /// How often the salts of all keys were ended before their time, and those of some.
    turns: u64,
    turns_of: BTreeMap<i64, u64>,
}

impl SaltBook {
    pub(super) fn new(secret: [u8; 32], period: Duration) -> Self {
        Self {
            secret: Zeroizing::new(secret),
            period: seconds(period).clamp(SHORTEST, LONGEST),
            turns: 0,
            turns_of: BTreeMap::new(),
        }
    }

    /// The salt that a client should use.
    pub(super) fn current(&self, auth_key_id: i64, time: Duration) -> i64 {
        self.salt(auth_key_id, self.number(time))
    }

    /// Whether a salt is honoured: that of the hour, one that was so within the last half hour,
    /// or the next one if it begins within the tolerance for clocks.
    pub(super) fn accepts(&self, auth_key_id: i64, salt: i64, time: Duration) -> bool {
        let time = seconds(time);
        let last = (time + EARLY).div_euclid(self.period);
        let first = (time - OVERLAP).div_euclid(self.period);
        (first..=last).any(|number| self.salt(auth_key_id, number) == salt)
    }

    /// When a salt that is current now stops being honoured, in seconds.
    pub(super) fn honoured_until(&self, time: Duration) -> i64 {
        seconds(time) + self.period + OVERLAP
    }

    /// The current salt and those that follow.
    pub(super) fn coming(&self, auth_key_id: i64, time: Duration, count: i64) -> Vec<FutureSalt> {
        let first = self.number(time);
        let date = |number: i64| i32::try_from(number * self.period).unwrap_or(i32::MAX);
        let overlap = i32::try_from(OVERLAP).unwrap_or(0);
        (first..first + count)
            .map(|number| FutureSalt {
                valid_since: date(number),
                valid_until: date(number + 1).saturating_add(overlap),
                salt: self.salt(auth_key_id, number),
            })
            .collect()
    }

    /// Ends all salts of a key, or of every key.
    pub(super) fn rotate(&mut self, auth_key_id: Option<i64>) {
        let turns = match auth_key_id {
            Some(id) => self.turns_of.entry(id).or_default(),
            None => &mut self.turns,
        };
        *turns += 1;
    }

    fn number(&self, time: Duration) -> i64 {
        seconds(time).div_euclid(self.period)
    }

    fn salt(&self, auth_key_id: i64, number: i64) -> i64 {
        let mut stream = ChaCha20Rng::from_seed(*self.secret);
        stream.set_stream(auth_key_id.cast_unsigned());
        // Two words of 32 bits make a salt; 16 of them a block.
        let turns = self.turns + self.turns_of.get(&auth_key_id).copied().unwrap_or(0);
        let block = number.cast_unsigned() ^ turns << TURN;
        stream.set_word_pos(u128::from(block) << 4);
        stream.next_u64().cast_signed()
    }
}

impl fmt::Debug for SaltBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SaltBook").field("period", &self.period).finish_non_exhaustive()
    }
}

/// How long a salt is honoured beyond its period, in seconds.
const OVERLAP: i64 = 1800;

/// How much too early the next salt may come, in seconds.
/// Assumed: clocks of clients are wrong by fractions of a second, and nobody gains from a refusal.
const EARLY: i64 = 30;

/// Where the number of a turn begins, above that of any period.
const TURN: u32 = 48;

/// The shortest and the longest period, in seconds.
const SHORTEST: i64 = 60;
const LONGEST: i64 = 365 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: u64 = 1800;
    const BASE: u64 = 1_700_000_000 / PERIOD * PERIOD;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(BASE + seconds)
    }

    fn book() -> SaltBook {
        SaltBook::new([7; 32], Duration::from_secs(PERIOD))
    }

    #[test]
    fn salts_are_of_one_key_and_one_period() {
        let book = book();
        let salt = book.current(1, at(0));
        assert_eq!(salt, book.current(1, at(PERIOD - 1)));
        assert_ne!(salt, book.current(1, at(PERIOD)));
        assert_ne!(salt, book.current(2, at(0)));
        assert_ne!(salt, SaltBook::new([8; 32], Duration::from_secs(PERIOD)).current(1, at(0)));
    }

    #[test]
    fn a_salt_is_honoured_for_half_an_hour_after_its_period() {
        let book = book();
        let salt = book.current(1, at(0));
        assert!(book.accepts(1, salt, at(0)));
        assert!(book.accepts(1, salt, at(2 * PERIOD - 1)));
        assert!(!book.accepts(1, salt, at(2 * PERIOD)));
        assert!(!book.accepts(2, salt, at(0)));
    }

    #[test]
    fn any_period_can_be_configured() {
        for period in [Duration::ZERO, Duration::MAX] {
            let book = SaltBook::new([7; 32], period);
            let salt = book.current(1, at(0));
            assert!(book.accepts(1, salt, at(0)));
            assert_eq!(book.coming(1, at(0), 64).len(), 64);
            assert!(book.honoured_until(at(0)) > 0);
        }
    }

    #[test]
    fn the_next_salt_is_honoured_a_little_early() {
        let book = book();
        let next = book.current(1, at(PERIOD));
        assert!(!book.accepts(1, next, at(PERIOD - 31)));
        assert!(book.accepts(1, next, at(PERIOD - 30)));
    }

    #[test]
    fn coming_salts_follow_each_other_with_overlap() {
        let book = book();
        let salts = book.coming(1, at(5), 3);
        assert_eq!(salts.len(), 3);
        for (number, salt) in (0..).zip(&salts) {
            let since = at(number * PERIOD);
            assert_eq!(u64::try_from(salt.valid_since).unwrap(), since.as_secs());
            assert_eq!(salt.valid_until - salt.valid_since, 3600);
            assert_eq!(salt.salt, book.current(1, since));
        }
    }
}
