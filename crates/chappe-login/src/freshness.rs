//! How old a login may be, and that it is used once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::{Duration, SystemTime},
};

use crate::Error;

/// How far from now a login may be dated.
///
/// core.telegram.org/widgets/login says to refuse outdated data and leaves the number to the
/// site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// How old a login may be; exactly so old is let pass.
    pub max_age: Duration,
    /// How far in the future the date may be, because clocks differ.
    pub max_ahead: Duration,
}

impl Freshness {
    /// For the Login Widget and login links: five minutes. The browser comes back with the data
    /// seconds after it was signed; every further minute is one for whoever finds the address
    /// in a history or a log.
    pub const LOGIN: Self =
        Self { max_age: Duration::from_secs(300), max_ahead: Duration::from_secs(60) };

    /// For Mini Apps: a day. An app has the data from its start and sends the same text with
    /// each request, as long as it stays open.
    pub const MINI_APP: Self =
        Self { max_age: Duration::from_secs(86_400), max_ahead: Duration::from_secs(60) };

    pub(crate) fn check(self, date: SystemTime, now: SystemTime) -> Result<(), Error> {
        match now.duration_since(date) {
            Ok(age) if age > self.max_age => {
                Err(Error::Stale { age: age.as_secs(), max_age: self.max_age.as_secs() })
            }
            Err(ahead) if ahead.duration() > self.max_ahead => {
                Err(Error::FromFuture { ahead: ahead.duration().as_secs() })
            }
            _ => Ok(()),
        }
    }
}

/// What makes a login the same login: keep it until [`until`](Self::until), refuse it the
/// second time.
///
/// [`Seen`] does that for one process. Several processes insert [`bytes`](Self::bytes) as a
/// unique key into their database, and let in whoever's insertion succeeds.
#[derive(Clone, PartialEq, Eq)]
pub struct Fingerprint {
    bytes: [u8; 32],
    until: SystemTime,
}

impl Fingerprint {
    pub(crate) fn new(bytes: [u8; 32], date: SystemTime, lifetime: Duration) -> Self {
        // Beyond all clocks is for ever: what is not remembered would pass again.
        Self { bytes, until: date.checked_add(lifetime.min(EVER)).unwrap_or(date) }
    }

    /// The unique part. It is the hash itself: no less secret than the login while that is
    /// fresh.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// The last moment at which the login would still be fresh.
    #[must_use]
    pub fn until(&self) -> SystemTime {
        self.until
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fingerprint").field("until", &self.until).finish_non_exhaustive()
    }
}

/// The logins that were used and are still fresh, in the memory of one process.
///
/// Only logins that passed their check are worth remembering, so that strangers cannot fill it.
pub struct Seen {
    capacity: usize,
    known: BTreeSet<[u8; 32]>,
    ends: BTreeMap<SystemTime, Vec<[u8; 32]>>,
}

impl Seen {
    /// Remembers up to so many at once, about 100 bytes each.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { capacity, known: BTreeSet::new(), ends: BTreeMap::new() }
    }

    /// Lets a login pass once.
    ///
    /// # Errors
    ///
    /// [`Error::Replayed`] the second time, [`Error::Full`] if there is no room to remember it:
    /// then it is not let pass either.
    pub fn once(&mut self, login: &Fingerprint, now: SystemTime) -> Result<(), Error> {
        while let Some(first) = self.ends.first_entry()
            && *first.key() < now
        {
            for bytes in first.remove() {
                self.known.remove(&bytes);
            }
        }
        if self.known.contains(&login.bytes) {
            return Err(Error::Replayed);
        }
        if self.known.len() >= self.capacity {
            return Err(Error::Full);
        }
        self.known.insert(login.bytes);
        self.ends.entry(login.until).or_default().push(login.bytes);
        Ok(())
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { capacity, known, .. } = self;
        f.debug_struct("Seen").field("capacity", capacity).field("known", &known.len()).finish()
    }
}

/// A hundred years.
const EVER: Duration = Duration::from_secs(100 * 365 * 86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_second_is_fresh_and_the_next_is_not() {
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let fresh = |seconds| Freshness::LOGIN.check(date, date + Duration::from_secs(seconds));
        assert_eq!(fresh(0), Ok(()));
        assert_eq!(fresh(300), Ok(()));
        assert_eq!(fresh(301), Err(Error::Stale { age: 301, max_age: 300 }));
        let ahead = |seconds| Freshness::LOGIN.check(date + Duration::from_secs(seconds), date);
        assert_eq!(ahead(60), Ok(()));
        assert_eq!(ahead(61), Err(Error::FromFuture { ahead: 61 }));
    }

    #[test]
    fn a_login_passes_once_for_as_long_as_it_is_fresh() {
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let login = |id| Fingerprint::new([id; 32], date, Duration::from_secs(300));
        let at = |seconds| date + Duration::from_secs(seconds);
        let mut seen = Seen::new(2);
        assert_eq!(seen.once(&login(1), at(0)), Ok(()));
        assert_eq!(seen.once(&login(1), at(300)), Err(Error::Replayed));
        assert_eq!(seen.once(&login(2), at(0)), Ok(()));
        assert_eq!(seen.once(&login(2), at(0)), Err(Error::Replayed));
        assert_eq!(seen.once(&login(3), at(0)), Err(Error::Full));
        // What is no longer fresh is refused for its age; its place is free.
        assert_eq!(seen.once(&login(3), at(301)), Ok(()));
        assert_eq!(seen.known.len(), 1);
    }

    #[test]
    fn neither_a_fingerprint_nor_the_memory_is_printed() {
        let login = Fingerprint::new([0xab; 32], SystemTime::UNIX_EPOCH, Duration::ZERO);
        let mut seen = Seen::new(1);
        seen.once(&login, SystemTime::UNIX_EPOCH).unwrap();
        let printed = format!("{login:?}{seen:?}");
        assert!(!printed.contains("171") && !printed.contains("ab"), "{printed}");
    }
}
