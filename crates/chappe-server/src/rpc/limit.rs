//! Limits of calls: 420 FLOOD_WAIT_X, where the one who started the server asked for it.

use std::time::Duration;

use chappe_api::errors;

use crate::{
    failure::{Failure, Outcome},
    world::World,
};

/// How often an account may call a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    method: String,
    calls: u32,
    period: i32,
}

impl Limit {
    /// So many calls of a method in a period, which is at least a second.
    pub(crate) fn new(method: String, calls: u32, period: Duration) -> Self {
        let period = i32::try_from(period.as_secs()).unwrap_or(i32::MAX).max(1);
        Self { method, calls, period }
    }
}

/// Counts a call against the limits; `who` is the account, or the key of nobody.
pub(super) fn check(
    world: &mut World,
    limits: &[Limit],
    now: i32,
    who: i64,
    method: &'static str,
) -> Outcome<()> {
    for limit in limits.iter().filter(|limit| limit.method == method) {
        let (began, calls) = world.calls(who, method);
        let ends = began.saturating_add(limit.period);
        if *calls == 0 || now >= ends {
            (*began, *calls) = (now, 0);
        } else if *calls >= limit.calls {
            return Err(Failure::valued(errors::FLOOD_WAIT_X, i64::from(ends - now)).into());
        }
        *calls += 1;
    }
    Ok(())
}
