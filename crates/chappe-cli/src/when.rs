//! Points in time, for people.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// The machine's clock, in unix seconds.
pub(crate) fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// A day, such as `2026-11-23`; `-` for a time that was never set.
pub(crate) fn day(unix: i32) -> String {
    match Timestamp::from_second(unix.into()) {
        Ok(time) if unix != 0 => time.strftime("%Y-%m-%d").to_string(),
        _ => "-".to_owned(),
    }
}

/// How long ago, in the largest unit that says enough: `3 days ago`; `never` for 0.
pub(crate) fn ago(unix: i32, now: i64) -> String {
    if unix == 0 {
        return "never".to_owned();
    }
    let seconds = now - i64::from(unix);
    let (count, unit) = match seconds {
        ..0 => return day(unix),
        0..60 => return "just now".to_owned(),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        86_400..5_184_000 => (seconds / 86_400, "day"),
        5_184_000..63_072_000 => (seconds / 2_592_000, "month"),
        _ => (seconds / 31_536_000, "year"),
    };
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
}

/// A length of time, in the largest unit that says enough: `45 seconds`, `7 days`.
pub(crate) fn span(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds.div_ceil(60), "minute"),
        7_200..172_800 => (seconds.div_ceil(3_600), "hour"),
        _ => (seconds.div_ceil(86_400), "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// A point in time, such as `2026-11-23 12:30 UTC`.
pub(crate) fn moment(time: SystemTime) -> String {
    match Timestamp::try_from(time) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => "a time that is no date".to_owned(),
    }
}

/// A point in time to the second, such as `2026-11-23 12:30:05 UTC`.
pub(crate) fn second(unix: i64) -> String {
    match Timestamp::from_second(unix) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => "a time that is no date".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_the_largest_unit() {
        let now = 1_700_000_000;
        for (seconds, words) in [
            (0, "just now"),
            (60, "1 minute ago"),
            (7_200, "2 hours ago"),
            (86_400, "1 day ago"),
            (86_400 * 59, "59 days ago"),
            (86_400 * 61, "2 months ago"),
            (86_400 * 800, "2 years ago"),
        ] {
            assert_eq!(ago(i32::try_from(now - seconds).unwrap(), now), words);
        }
        assert_eq!(ago(0, now), "never");
        assert_eq!(ago(1_700_000_100, now), "2023-11-14");
    }

    #[test]
    fn a_wait_is_never_told_shorter_than_it_is() {
        for (milliseconds, words) in [
            (1_000, "1 second"),
            (59_001, "60 seconds"),
            (121_000, "3 minutes"),
            (7_201_000, "3 hours"),
            (604_800_000, "7 days"),
        ] {
            assert_eq!(span(Duration::from_millis(milliseconds)), words);
        }
        assert_eq!(moment(UNIX_EPOCH + Duration::from_secs(90)), "1970-01-01 00:01 UTC");
        assert_eq!(second(90), "1970-01-01 00:01:30 UTC");
    }

    #[test]
    fn a_day_that_was_never_set_is_a_dash() {
        assert_eq!(day(0), "-");
        assert_eq!(day(1_700_000_000), "2023-11-14");
    }
}
