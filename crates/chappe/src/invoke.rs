//! One call: encode once, send, decide what an error means, decode.

use std::time::Duration;

use bytes::Bytes;
use chappe_tl::{Decode, Function};
use tracing::Instrument;

use crate::{
    Client,
    error::{Error, RpcError},
    net::timer,
};

impl Client {
    /// Calls a method of the API and returns its result.
    ///
    /// Flood waits up to [`Builder::flood_threshold`](crate::Builder::flood_threshold) are slept
    /// through, failures inside of Telegram are tried again a few times; everything else is yours
    /// to decide.
    ///
    /// # Errors
    /// [`Error::Rpc`] with what Telegram answered; [`Error::Network`] or [`Error::TimedOut`] if
    /// no answer came; [`Error::Decode`] if it made no sense; [`Error::Closed`].
    ///
    /// # Cancel safety
    /// Dropping the future gives up on the answer and tells the server so; a call that was sent
    /// may run all the same.
    pub async fn invoke<F: Function>(&self, function: &F) -> Result<F::Return, Error> {
        let answer = self.call(F::NAME, function.to_bytes()).await?;
        F::Return::from_bytes(&answer).map_err(|error| Error::undecodable(F::NAME, error))
    }

    /// Calls with an encoded method, and returns the encoded result.
    ///
    /// # Errors
    /// As [`invoke`](Self::invoke), without [`Error::Decode`]. [`Error::Invalid`] if the body is
    /// shorter than a constructor id.
    ///
    /// # Cancel safety
    /// As [`invoke`](Self::invoke).
    pub async fn invoke_raw(&self, body: Bytes) -> Result<Bytes, Error> {
        let Some(id) = body.first_chunk() else {
            return Err(Error::Invalid("a call begins with a constructor id of four bytes"));
        };
        let name = format!("#{:08x}", u32::from_le_bytes(*id));
        self.call(&name, body).await
    }

    /// Sends until there is an answer or an error that is not ours to repair.
    pub(crate) async fn call(&self, method: &str, body: Bytes) -> Result<Bytes, Error> {
        let span = tracing::debug_span!("rpc", method);
        let attempts = async {
            let policy = self.policy();
            let mut attempt = 0;
            loop {
                let failure = match self.send(method, body.clone()).await? {
                    Ok(answer) => {
                        tracing::debug!(bytes = answer.len(), "answered");
                        return Ok(answer);
                    }
                    Err(failure) => failure,
                };
                let error = RpcError::new(method, failure.code, &failure.message);
                tracing::debug!(code = error.code, name = %error.text, "refused");
                match next_step(&error, attempt, policy) {
                    Step::Fail => return Err(error.into()),
                    Step::Introduce => {
                        tracing::debug!("the server wants to hear layer and device again");
                        self.introduce_again();
                    }
                    Step::Retry { after } => {
                        tracing::warn!(code = error.code, name = %error.name, ?after, "waiting");
                        timer::pause(after).await;
                    }
                }
                attempt += 1;
            }
        };
        attempts.instrument(span).await
    }
}

/// How patient a client is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    /// The longest flood wait that is slept through.
    pub(crate) flood_threshold: Duration,
    /// How often a call is sent at most.
    pub(crate) attempts: u32,
}

/// What to do about an error that Telegram answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Give it to the caller.
    Fail,
    /// Send layer and device once more, and the call with them.
    Introduce,
    /// Send the call again.
    Retry {
        /// After this time.
        after: Duration,
    },
}

/// Decides what to do after `attempt` earlier tries. Has no other inputs, and no effects.
///
/// Another data centre (303) is the caller's to decide: one client speaks to one.
/// See core.telegram.org/api/errors and core.telegram.org/api/invoking.
pub(crate) fn next_step(error: &RpcError, attempt: u32, policy: Policy) -> Step {
    if attempt + 1 >= policy.attempts {
        return Step::Fail;
    }
    match (error.code, error.name.as_str()) {
        (420, "FLOOD_WAIT_X" | "FLOOD_PREMIUM_WAIT_X") => match error.retry_after() {
            Some(wait) if wait <= policy.flood_threshold => {
                Step::Retry { after: wait.max(Duration::from_millis(500)) }
            }
            _ => Step::Fail,
        },
        (400, "CONNECTION_NOT_INITED" | "CONNECTION_LAYER_INVALID") if attempt == 0 => {
            Step::Introduce
        }
        // These are answers, whatever their class says.
        (_, "AUTH_RESTART" | "AUTH_RESTART_X" | "OAUTH_REQUEST_INVALID" | "SIGN_IN_FAILED") => {
            Step::Fail
        }
        // Observed: TDLib waits 1, 2, 4, ... seconds, at most 60.
        (500..600 | -599..=-500, _) => {
            Step::Retry { after: Duration::from_secs(1 << attempt.min(5)) }
        }
        _ => Step::Fail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy { flood_threshold: Duration::from_secs(30), attempts: 4 };

    fn check(code: i32, text: &str, attempt: u32, expect: Step) {
        let error = RpcError::new("help.getConfig", code, text);
        assert_eq!(next_step(&error, attempt, POLICY), expect, "{code} {text} {attempt}");
    }

    const fn retry(seconds: u64) -> Step {
        Step::Retry { after: Duration::from_secs(seconds) }
    }

    #[test]
    fn short_flood_waits_are_slept_through_and_long_ones_are_not() {
        check(420, "FLOOD_WAIT_5", 0, retry(5));
        check(420, "FLOOD_WAIT_30", 2, retry(30));
        check(420, "FLOOD_WAIT_31", 0, Step::Fail);
        check(420, "FLOOD_WAIT_5", 3, Step::Fail);
        check(420, "FLOOD_PREMIUM_WAIT_3", 0, retry(3));
        check(420, "SLOWMODE_WAIT_3", 0, Step::Fail);
        check(420, "FLOOD_WAIT_X", 0, Step::Fail);
        check(420, "FLOOD_WAIT_-5", 0, Step::Fail);
        check(420, "FROZEN_METHOD_INVALID", 0, Step::Fail);
        check(420, "FLOOD_WAIT_0", 0, Step::Retry { after: Duration::from_millis(500) });
    }

    #[test]
    fn failures_inside_of_telegram_are_tried_again_a_few_times() {
        check(500, "RPC_CALL_FAIL", 0, retry(1));
        check(500, "RPC_CALL_FAIL", 1, retry(2));
        check(500, "WORKER_BUSY_TOO_LONG_RETRY", 2, retry(4));
        check(500, "RPC_CALL_FAIL", 3, Step::Fail);
        check(-503, "Timeout", 0, retry(1));
        check(-500, "No workers running", 0, retry(1));
        check(500, "AUTH_RESTART", 0, Step::Fail);
        check(500, "AUTH_RESTART_5", 0, Step::Fail);
        check(500, "OAUTH_REQUEST_INVALID", 0, Step::Fail);
        check(-404, "", 0, Step::Fail);
    }

    #[test]
    fn layer_and_device_are_sent_again_once() {
        check(400, "CONNECTION_NOT_INITED", 0, Step::Introduce);
        check(400, "CONNECTION_LAYER_INVALID", 0, Step::Introduce);
        check(400, "CONNECTION_NOT_INITED", 1, Step::Fail);
        check(400, "CONNECTION_API_ID_INVALID", 0, Step::Fail);
    }

    #[test]
    fn everything_else_is_the_callers() {
        check(303, "PHONE_MIGRATE_4", 0, Step::Fail);
        check(400, "HASH_INVALID", 0, Step::Fail);
        check(401, "AUTH_KEY_UNREGISTERED", 0, Step::Fail);
        check(406, "AUTH_KEY_DUPLICATED", 0, Step::Fail);
        check(i32::MIN, "", 0, Step::Fail);
    }
}
