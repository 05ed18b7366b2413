//! One call: encode once, send, decide what an error means, decode.

use std::time::Duration;

use bytes::Bytes;
use chappe_mtproto::connection::RequestOptions;
use chappe_tl::Function;
use tracing::Instrument;

use crate::{
    CallOptions, Client,
    error::{Error, RpcError},
    flood::{self, Kind},
    net::timer,
    pool::{HOME, Progress, Request, Target},
};

impl Client {
    /// Calls a method of the API and returns its result.
    ///
    /// Flood waits up to [`Builder::flood_threshold`](crate::Builder::flood_threshold) are slept
    /// through, and remembered: until a wait is over no call of that method is sent, whoever
    /// makes it, and those that wait go in the order in which they came. Failures inside of
    /// Telegram are tried again a few times, after longer and longer pauses. All of it takes no
    /// longer than [`Builder::request_timeout`](crate::Builder::request_timeout). Everything else
    /// is yours to decide; [`with`](Self::with) changes the rules for one call.
    ///
    /// # Errors
    /// [`Error::Rpc`] with what Telegram answered, or would answer: [`RpcError::sent`] is false
    /// if too much of an earlier flood wait is left; [`Error::Network`] or [`Error::TimedOut`] if
    /// no answer came; [`Error::Decode`] if it made no sense; whatever [`Error::ended`] knows if
    /// it is over with this client.
    ///
    /// # Cancel safety
    /// Dropping the future gives up on the answer and tells the server so; a call that was sent
    /// may run all the same.
    pub async fn invoke<F: Function>(&self, function: &F) -> Result<F::Return, Error> {
        self.with(CallOptions::new()).invoke(function).await
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
        self.with(CallOptions::new()).invoke_raw(body).await
    }

    /// Sends until there is an answer or an error that is not ours to repair.
    pub(crate) async fn call(
        &self,
        method: &str,
        body: Bytes,
        policy: Policy,
    ) -> Result<Bytes, Error> {
        let span = tracing::debug_span!("rpc", method);
        self.attempts(method, body, policy).instrument(span).await
    }

    async fn attempts(&self, method: &str, body: Bytes, policy: Policy) -> Result<Bytes, Error> {
        let gate = self.gate();
        let id = flood::method_of(&body);
        let deadline = gate.now().saturating_add(policy.timeout);
        let request = Request { to: policy.to, method, body, options: policy.options() };
        let mut attempt = 0;
        loop {
            let progress = Progress::default();
            let mut waiting = true;
            let exchange = async {
                let turn = gate.turn(id, policy.flood_threshold, deadline);
                let turn = self.unless_ended(turn).await?;
                let turn = turn.map_err(|(kind, rest)| flood::held_back(method, kind, rest))?;
                waiting = false;
                self.pool().exchange(&request, turn, &progress).await
            };
            let left = deadline.saturating_sub(gate.now());
            let failure = match timer::within(left, exchange).await {
                Some(Ok(Ok(answer))) => {
                    tracing::debug!(bytes = answer.len(), "answered");
                    return Ok(answer);
                }
                Some(Ok(Err(failure))) => failure,
                Some(Err(error)) => return Err(error),
                None => {
                    // A wait that grew while the call stood in the queue is why it was not sent.
                    let wait = gate.rest(id).filter(|_| waiting);
                    return Err(match wait {
                        Some((kind, rest)) => flood::held_back(method, kind, rest).into(),
                        None => progress.unanswered(method),
                    });
                }
            };
            let error = RpcError::new(method, failure.code, &failure.message);
            tracing::debug!(code = error.code, name = %error.text, "refused");
            if let (Some(kind), Some(wait)) = (Kind::of(&error), error.retry_after()) {
                gate.note(id, kind, wait.max(SHORTEST_FLOOD_WAIT));
            }
            let left = deadline.saturating_sub(gate.now());
            match next_step(&error, attempt, policy) {
                Step::Fail => return Err(error.into()),
                Step::Introduce => {
                    tracing::debug!("the server wants to hear layer and device again");
                }
                Step::Queue { wait } if wait > left => return Err(error.into()),
                Step::Queue { wait } => {
                    tracing::warn!(code = error.code, name = %error.name, ?wait, "waiting");
                }
                Step::Retry { after } => {
                    let after = after / 2 + gate.chance(after / 2);
                    if after > left {
                        return Err(error.into());
                    }
                    tracing::warn!(code = error.code, name = %error.name, ?after, "waiting");
                    self.unless_ended(timer::pause(after)).await?;
                }
            }
            attempt += 1;
        }
    }
}

/// How patient a call is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    /// How long it may take, all in all.
    pub(crate) timeout: Duration,
    /// The longest flood wait that is slept through.
    pub(crate) flood_threshold: Duration,
    /// How often it is sent at most.
    pub(crate) attempts: u32,
    /// Whether it must not run twice.
    pub(crate) no_resend: bool,
    /// Calls of one chain run in order.
    pub(crate) chain: Option<u64>,
    /// Where it goes.
    pub(crate) to: Target,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            flood_threshold: Duration::from_secs(30),
            attempts: 4,
            no_resend: false,
            chain: None,
            to: HOME,
        }
    }
}

impl Policy {
    fn options(&self) -> RequestOptions {
        RequestOptions { no_resend: self.no_resend, chain: self.chain, ..RequestOptions::default() }
    }
}

/// What to do about an error that Telegram answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Give it to the caller.
    Fail,
    /// Send layer and device once more, and the call with them.
    Introduce,
    /// Send the call again when its method may be called again.
    Queue {
        /// After this time, if no later answer makes it longer.
        wait: Duration,
    },
    /// Send the call again.
    Retry {
        /// After half of this time to all of it.
        after: Duration,
    },
}

/// Decides what to do after `attempt` earlier tries. Has no other inputs, and no effects.
///
/// Other data centres (303) are the pool's business.
/// See core.telegram.org/api/errors and core.telegram.org/api/invoking.
pub(crate) fn next_step(error: &RpcError, attempt: u32, policy: Policy) -> Step {
    if attempt + 1 >= policy.attempts {
        return Step::Fail;
    }
    match (error.code, error.name.as_str()) {
        (420, "FLOOD_WAIT_X" | "FLOOD_PREMIUM_WAIT_X") => match error.retry_after() {
            Some(wait) if wait <= policy.flood_threshold => {
                Step::Queue { wait: wait.max(SHORTEST_FLOOD_WAIT) }
            }
            _ => Step::Fail,
        },
        (400, "CONNECTION_NOT_INITED" | "CONNECTION_LAYER_INVALID") if attempt == 0 => {
            Step::Introduce
        }
        // These are answers, whatever their class says.
        (
            _,
            "AUTH_RESTART"
            | "AUTH_RESTART_X"
            | "OAUTH_REQUEST_INVALID"
            | "RANDOM_ID_DUPLICATE"
            | "SIGN_IN_FAILED",
        ) => Step::Fail,
        // Whatever failed inside of Telegram may have failed after it ran.
        (500..600 | -599..=-500, _) if policy.no_resend => Step::Fail,
        // Observed: TDLib waits 1, 2, 4, ... seconds, at most 60.
        (500..600 | -599..=-500, _) => {
            Step::Retry { after: Duration::from_secs(1 << attempt.min(5)) }
        }
        _ => Step::Fail,
    }
}

/// A flood wait of no seconds is still one.
const SHORTEST_FLOOD_WAIT: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: i32, text: &str, attempt: u32, expect: Step) {
        let error = RpcError::new("help.getConfig", code, text);
        let found = next_step(&error, attempt, Policy::default());
        assert_eq!(found, expect, "{code} {text} {attempt}");
    }

    const fn queue(seconds: u64) -> Step {
        Step::Queue { wait: Duration::from_secs(seconds) }
    }

    const fn retry(seconds: u64) -> Step {
        Step::Retry { after: Duration::from_secs(seconds) }
    }

    #[test]
    fn short_flood_waits_are_slept_through_and_long_ones_are_not() {
        check(420, "FLOOD_WAIT_5", 0, queue(5));
        check(420, "FLOOD_WAIT_30", 2, queue(30));
        check(420, "FLOOD_WAIT_31", 0, Step::Fail);
        check(420, "FLOOD_WAIT_5", 3, Step::Fail);
        check(420, "FLOOD_PREMIUM_WAIT_3", 0, queue(3));
        check(420, "SLOWMODE_WAIT_3", 0, Step::Fail);
        check(420, "FLOOD_WAIT_X", 0, Step::Fail);
        check(420, "FLOOD_WAIT_-5", 0, Step::Fail);
        check(420, "FROZEN_METHOD_INVALID", 0, Step::Fail);
        check(420, "FLOOD_WAIT_0", 0, Step::Queue { wait: Duration::from_millis(500) });
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
        check(500, "RANDOM_ID_DUPLICATE", 0, Step::Fail);
        check(-404, "", 0, Step::Fail);
    }

    #[test]
    fn a_call_that_must_not_run_twice_is_repeated_only_if_it_did_not_run() {
        let policy = Policy { no_resend: true, ..Policy::default() };
        for (text, code, expect) in [
            ("RPC_CALL_FAIL", 500, Step::Fail),
            ("Timeout", -503, Step::Fail),
            ("FLOOD_WAIT_5", 420, queue(5)),
            ("CONNECTION_NOT_INITED", 400, Step::Introduce),
        ] {
            let error = RpcError::new("messages.sendMessage", code, text);
            assert_eq!(next_step(&error, 0, policy), expect, "{text}");
        }
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
