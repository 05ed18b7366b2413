//! The update state (core.telegram.org/api/updates).

use chappe_api::{enums, types, updates};

use super::Call;
use crate::{failure::Outcome, world::State};

pub(super) fn get_state(
    call: &mut Call<'_>,
    _: updates::GetState,
) -> Outcome<types::updates::State> {
    Ok(state(call.world.state(call.my_id()?)?, call.now))
}

pub(super) fn get_difference(
    call: &mut Call<'_>,
    request: updates::GetDifference,
) -> Outcome<enums::updates::Difference> {
    let state = call.world.difference(call.my_id()?, request.pts)?;
    Ok(types::updates::DifferenceEmpty { date: call.now, seq: state.seq }.into())
}

/// `updates.state`.
pub(super) fn state(state: State, date: i32) -> types::updates::State {
    let State { pts, qts, seq } = state;
    types::updates::State { pts, qts, date, seq, unread_count: 0 }
}
