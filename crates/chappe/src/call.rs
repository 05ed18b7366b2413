//! How one call is made: the options that differ from those of the client.

use std::{fmt, time::Duration};

use bytes::Bytes;
use chappe_tl::{Decode, Function};

use crate::{Client, dc::Kind, error::Error, invoke::Policy, pool::Target};

/// How calls are made where it differs from what the [`Builder`](crate::Builder) says; see
/// [`Client::with`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "options do nothing before they are given to `Client::with`"]
pub struct CallOptions {
    timeout: Option<Duration>,
    flood_threshold: Option<Duration>,
    attempts: Option<u32>,
    no_resend: bool,
    chain: Option<u64>,
    dc_id: Option<i32>,
    media: bool,
}

impl CallOptions {
    /// Begins with those of the client.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long the call may take, all in all: lost connections, repetitions and flood waits
    /// included. A wait that would go beyond it is not begun.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The longest flood wait that is slept through instead of failing.
    pub fn flood_threshold(mut self, threshold: Duration) -> Self {
        self.flood_threshold = Some(threshold);
        self
    }

    /// How often the call is sent at most if Telegram answers that it should be repeated; at
    /// least once. New connections do not count.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// Makes the call run once at most: if it was sent and its connection died it fails with
    /// [`Error::Lost`], and a failure inside of Telegram is not tried again.
    ///
    /// What Telegram certainly did not begin, as with a flood wait, is still repeated.
    pub fn no_resend(mut self) -> Self {
        self.no_resend = true;
        self
    }

    /// Makes the calls of one chain run in the order in which they are made, without waiting for
    /// each other's answers; the number is yours. One that is repeated runs after those that
    /// were made meanwhile. See core.telegram.org/api/invoking#sequential-requests.
    pub fn chain(mut self, chain: u64) -> Self {
        self.chain = Some(chain);
        self
    }

    /// Makes the call at this data centre, not at the home: see [`Client::invoke_on`].
    pub fn dc(mut self, dc_id: i32) -> Self {
        self.dc_id = Some(dc_id);
        self
    }

    /// Makes the call over the connection for files, which large answers may fill without
    /// holding up others. No updates come of it.
    pub fn media(mut self) -> Self {
        self.media = true;
        self
    }

    pub(crate) fn over(self, policy: Policy) -> Policy {
        Policy {
            timeout: self.timeout.unwrap_or(policy.timeout),
            flood_threshold: self.flood_threshold.unwrap_or(policy.flood_threshold),
            attempts: self.attempts.unwrap_or(policy.attempts),
            no_resend: self.no_resend,
            chain: self.chain,
            to: Target {
                dc_id: self.dc_id,
                kind: if self.media { Kind::Media } else { Kind::Main },
            },
        }
    }
}

/// A client whose calls are made with [`CallOptions`]; made by [`Client::with`].
#[derive(Clone, Copy)]
pub struct Calls<'a> {
    client: &'a Client,
    options: CallOptions,
}

impl Client {
    /// The same client, making its calls like this.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use chappe::{CallOptions, Client, account};
    /// # async fn example(client: &Client, hash: i64) -> Result<(), chappe::Error> {
    /// let hasty = CallOptions::new().timeout(Duration::from_secs(3)).no_resend();
    /// client.with(hasty).invoke(&account::ResetWebAuthorization { hash }).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub const fn with(&self, options: CallOptions) -> Calls<'_> {
        Calls { client: self, options }
    }
}

impl Calls<'_> {
    /// Calls a method of the API and returns its result; see [`Client::invoke`].
    ///
    /// # Errors
    /// As [`Client::invoke`]; [`Error::Lost`] with [`CallOptions::no_resend`].
    ///
    /// # Cancel safety
    /// As [`Client::invoke`].
    pub async fn invoke<F: Function>(&self, function: &F) -> Result<F::Return, Error> {
        let answer = self.call(F::NAME, function.to_bytes()).await?;
        F::Return::from_bytes(&answer).map_err(|error| Error::undecodable(F::NAME, error, answer))
    }

    /// Calls with an encoded method, and returns the encoded result; see [`Client::invoke_raw`].
    ///
    /// # Errors
    /// As [`Client::invoke_raw`]; [`Error::Lost`] with [`CallOptions::no_resend`].
    ///
    /// # Cancel safety
    /// As [`Client::invoke`].
    pub async fn invoke_raw(&self, body: Bytes) -> Result<Bytes, Error> {
        let Some(id) = body.first_chunk() else {
            return Err(Error::Invalid("a call begins with a constructor id of four bytes"));
        };
        let name = format!("#{:08x}", u32::from_le_bytes(*id));
        self.call(&name, body).await
    }

    pub(crate) async fn call(&self, method: &str, body: Bytes) -> Result<Bytes, Error> {
        self.client.call(method, body, self.options.over(self.client.policy())).await
    }
}

impl fmt::Debug for Calls<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calls").field("options", &self.options).finish_non_exhaustive()
    }
}
