//! What the owner of an account looks after: its password, and the devices that it is signed in on.

pub(crate) mod devices;
pub(crate) mod password;
pub(crate) mod proof;

use std::time::{Duration, SystemTime};

/// A time as the API counts it: unix seconds.
pub(crate) fn time(unix: i32) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(unix).unwrap_or_default())
}
