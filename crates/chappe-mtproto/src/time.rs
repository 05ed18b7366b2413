//! Time as an argument: what the driver's clocks said when it woke up.

use std::time::Duration;

/// The two clocks of the driver, read together once per wake-up.
///
/// Deadlines are computed from `uptime`, message ids from `unix`. Read together, a machine that
/// slept shows as a jump of one against the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Time since an epoch that the driver picks; never goes back.
    pub uptime: Duration,
    /// Time since 1970-01-01 UTC by the local clock; may be wrong and may jump.
    pub unix: Duration,
}

impl Now {
    /// Makes a reading of both clocks.
    pub const fn new(uptime: Duration, unix: Duration) -> Self {
        Self { uptime, unix }
    }

    /// The same moment on a wall clock that is wrong by so many seconds.
    pub(crate) fn skewed(self, seconds: i64) -> Self {
        let amount = Duration::from_secs(seconds.unsigned_abs());
        let unix = if seconds < 0 {
            self.unix.saturating_sub(amount)
        } else {
            self.unix.saturating_add(amount)
        };
        Self { uptime: self.uptime, unix }
    }
}
