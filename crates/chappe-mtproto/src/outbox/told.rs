//! What the server tells about requests that it did not answer.
//!
//! See core.telegram.org/mtproto/service_messages_about_messages.

use super::Outbox;
use crate::connection::RequestId;
use crate::session::Serial;
use crate::states;

/// What to do about a request after the server told its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Wait, or send what was queued.
    Wait,
    /// Ask for the answer.
    Fetch,
    /// Nobody can tell.
    Lost(RequestId),
}

impl Outbox {
    /// The server told the state of a message of ours; see [`states`].
    pub(crate) fn told(&mut self, session: Serial, msg_id: i64, state: u8) -> Verdict {
        let Some(id) = self.find(session, msg_id) else {
            return Verdict::Wait;
        };
        let Some(entry) = self.entries.get_mut(&id) else {
            return Verdict::Wait;
        };
        match state & states::KIND {
            states::RECEIVED if state & states::ANSWERED != 0 => {
                entry.fetches += 1;
                // Who has our acknowledgement of an answer that never came keeps it no longer.
                if state & states::TAKEN != 0 || entry.fetches > MAX_FETCHES {
                    self.remove(id);
                    return Verdict::Lost(id);
                }
                self.acked(session, &[msg_id]);
                Verdict::Fetch
            }
            states::RECEIVED => {
                self.acked(session, &[msg_id]);
                Verdict::Wait
            }
            // The old id is kept: what is still on its way somewhere is then not run twice.
            states::NOT_RECEIVED | states::TOO_HIGH => {
                self.repeat(id);
                Verdict::Wait
            }
            // The server forgot, or says what nobody understands.
            _ => {
                self.remove(id);
                Verdict::Lost(id)
            }
        }
    }
}

/// How often an answer is asked for that does not come.
pub(super) const MAX_FETCHES: u8 = 3;
