//! The salts that a client knows, and when to ask for more.
//!
//! See core.telegram.org/mtproto/service_messages#request-for-several-future-salts.

use std::time::Duration;

/// A server salt with the time in which the server honours it, in seconds of its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Salt {
    /// The first second.
    pub valid_since: i64,
    /// The first second in which it is too old.
    pub valid_until: i64,
    /// The salt.
    pub salt: i64,
}

/// All salts of one auth key.
#[derive(Debug, Default)]
pub(crate) struct Salts {
    /// In the order of `valid_since`.
    list: Vec<Salt>,
    asked: Option<Duration>,
    /// The message that asks for more.
    question: Option<i64>,
}

impl Salts {
    pub(crate) fn new(mut list: Vec<Salt>) -> Self {
        list.sort_by_key(|salt| salt.valid_since);
        Self { list, asked: None, question: None }
    }

    pub(crate) fn list(&self) -> &[Salt] {
        &self.list
    }

    /// The salt to send with: of those that are valid the one that lasts longest, else the one
    /// that was valid last, else 0, which makes the server tell.
    pub(crate) fn current(&self, server_time: Duration) -> i64 {
        let time = seconds(server_time);
        let begun = || self.list.iter().filter(|salt| salt.valid_since <= time);
        begun().max_by_key(|salt| salt.valid_until).map_or(0, |salt| salt.salt)
    }

    /// Takes the salt that the server demands: no other that has begun is any good.
    pub(crate) fn replace(&mut self, salt: i64, server_time: Duration) {
        let time = seconds(server_time);
        self.asked = None;
        self.list.retain(|known| known.valid_since > time && known.salt != salt);
        self.list.insert(
            0,
            Salt { valid_since: time.saturating_sub(WINDOW), valid_until: time + PERIOD, salt },
        );
    }

    /// Takes a salt that the server mentions beside what is known.
    pub(crate) fn learn(&mut self, salt: i64, server_time: Duration) -> bool {
        if self.current(server_time) == salt {
            return false;
        }
        if !self.list.iter().any(|known| known.salt == salt) {
            self.replace(salt, server_time);
        }
        true
    }

    /// The question for more salts has this message id.
    pub(crate) fn asked(&mut self, msg_id: i64) {
        self.question = Some(msg_id);
    }

    /// Whether an answer is to the last question.
    pub(crate) fn answered(&mut self, req_msg_id: i64) -> bool {
        self.question.take_if(|question| *question == req_msg_id).is_some()
    }

    /// Takes the answer to `get_future_salts`.
    pub(crate) fn extend(&mut self, salts: impl IntoIterator<Item = Salt>, server_time: Duration) {
        let time = seconds(server_time);
        for salt in salts.into_iter().take(LIMIT) {
            if salt.valid_since < salt.valid_until {
                self.list.retain(|known| known.salt != salt.salt);
                self.list.push(salt);
            }
        }
        self.list.retain(|salt| salt.valid_until > time);
        self.list.sort_by_key(|salt| salt.valid_since);
        self.list.truncate(LIMIT);
    }

    /// Whether the salts end soon; remembers that they were asked for.
    pub(crate) fn ask(&mut self, server_time: Duration, uptime: Duration) -> bool {
        let lasts = self.list.iter().map(|salt| salt.valid_until).max();
        if lasts.is_some_and(|until| until > seconds(server_time) + RESERVE)
            || self.asked.is_some_and(|asked| uptime < asked + ASK_AGAIN)
        {
            return false;
        }
        self.asked = Some(uptime);
        true
    }
}

/// Whole seconds; clocks beyond the year 292 billion stop.
pub(crate) fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

/// How many salts `get_future_salts` may ask for.
pub(crate) const LIMIT: usize = 64;

/// How long a salt without a stated end is believed in, in seconds.
const PERIOD: i64 = 1800;

/// How wrong the clock may be when a salt without a stated begin arrives, in seconds.
const WINDOW: i64 = 300;

/// Ask when what is known ends sooner than this, in seconds.
const RESERVE: i64 = 3600;

/// Ask no more often than this.
const ASK_AGAIN: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: u64) -> Duration {
        Duration::from_secs(time)
    }

    fn salt(valid_since: i64, valid_until: i64, salt: i64) -> Salt {
        Salt { valid_since, valid_until, salt }
    }

    #[test]
    fn picks_the_salt_of_the_hour() {
        let salts = Salts::new(vec![salt(2000, 4000, 2), salt(0, 3000, 1), salt(4000, 6000, 3)]);
        assert_eq!(salts.current(at(1999)), 1);
        assert_eq!(salts.current(at(2000)), 2);
        assert_eq!(salts.current(at(5000)), 3);
        assert_eq!(salts.current(at(9000)), 3, "an expired salt makes the server tell");
        assert_eq!(Salts::default().current(at(1)), 0);
    }

    #[test]
    fn a_demanded_salt_replaces_what_has_begun() {
        let mut salts = Salts::new(vec![salt(0, 9000, 1), salt(8000, 10000, 3)]);
        salts.replace(2, at(5000));
        assert_eq!(salts.current(at(5000)), 2);
        assert_eq!(salts.current(at(4900)), 2, "also when the clock is corrected a little");
        assert_eq!(salts.current(at(8000)), 3);
    }

    #[test]
    fn future_salts_are_asked_for_in_time_and_not_too_often() {
        let mut salts = Salts::new(vec![salt(0, 9000, 1)]);
        assert!(!salts.ask(at(1000), at(0)));
        assert!(salts.ask(at(5400), at(10)));
        assert!(!salts.ask(at(5401), at(11)));
        salts.extend([salt(8000, 20000, 2), salt(0, 100, 7), salt(9000, 8000, 8)], at(5402));
        assert_eq!(salts.list(), [salt(0, 9000, 1), salt(8000, 20000, 2)]);
        assert!(!salts.ask(at(5403), at(1000)));
        salts.extend((0..200).map(|n| salt(9000 + n, 30000, 100 + n)), at(5402));
        assert_eq!(salts.list().len(), LIMIT);
        let mut salts = Salts::default();
        salts.extend((0..=64).rev().map(|n| salt(6000 + n, 30000, 100 + n)), at(5402));
        assert_eq!(
            (salts.list().len(), salts.list()[0].salt),
            (LIMIT, 101),
            "the 65th is too many"
        );
    }
}
