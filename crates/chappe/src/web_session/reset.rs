//! Ending web sessions, so that a lost answer is never taken for a no.

use std::{
    collections::BTreeSet,
    future::{Future, IntoFuture},
    pin::Pin,
};

use crate::{
    Client, WebSession,
    api::{account, contacts, errors, types},
    error::Error,
};

/// Ends web sessions when it is awaited; made by [`Client::reset_web_sessions`] and
/// [`Client::reset_all_web_sessions`].
///
/// # Errors
/// When no session was ended: what kept the first one from it. As
/// [`Client::web_sessions`](Client::web_sessions).
///
/// # Cancel safety
/// What was asked for may happen although the future was dropped; doing it again is harmless.
#[derive(Clone, Debug)]
#[must_use = "nothing is ended before this is awaited"]
pub struct WebReset<'a> {
    client: &'a Client,
    which: Which<'a>,
    block_bots: bool,
}

#[derive(Clone, Copy, Debug)]
enum Which<'a> {
    All,
    These(&'a [WebSession]),
}

/// What became of web sessions that were to be ended.
#[derive(Debug)]
#[must_use = "some sessions may still be there"]
#[non_exhaustive]
pub struct WebResetReport {
    /// Each session and what became of it, in the order in which they were given.
    pub sessions: Vec<(WebSession, WebResetOutcome)>,
    /// Each bot that was to be blocked: its id, and whether it is blocked now. A bot is left alone
    /// as long as one of its sessions that were to end is still there.
    pub blocked: Vec<(i64, Result<(), Error>)>,
}

/// What became of a web session that was to be ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum WebResetOutcome {
    /// Telegram ended it.
    Ended,
    /// It is still there, as far as is known; if there was no answer, it may still end.
    Failed(Error),
    /// Telegram did not know it any more: somebody else ended it, or this call did, whose answer
    /// was lost.
    Gone,
    /// It was not tried: an earlier failure concerns all of them.
    NotTried,
}

impl WebResetReport {
    /// The sessions that are gone.
    pub fn ended(&self) -> impl Iterator<Item = &WebSession> {
        self.sessions.iter().filter(|(_, outcome)| outcome.is_gone()).map(|(site, _)| site)
    }

    /// The sessions that were tried and are still there, as far as is known, and why.
    pub fn failures(&self) -> impl Iterator<Item = (&WebSession, &Error)> {
        self.sessions.iter().filter_map(|(site, outcome)| match outcome {
            WebResetOutcome::Failed(why) => Some((site, why)),
            _ => None,
        })
    }

    /// Whether every session is gone, and every bot blocked that was to be.
    pub fn is_complete(&self) -> bool {
        self.sessions.iter().all(|(_, outcome)| outcome.is_gone())
            && self.blocked.iter().all(|(_, blocked)| blocked.is_ok())
    }
}

impl WebResetOutcome {
    /// Whether the session is there no more.
    pub const fn is_gone(&self) -> bool {
        matches!(self, Self::Ended | Self::Gone)
    }
}

impl WebReset<'_> {
    /// Blocks the bots of the sessions, too, once the sessions are gone, as the official apps
    /// offer: a blocked bot cannot write to the account.
    pub const fn block_bots(mut self) -> Self {
        self.block_bots = true;
        self
    }

    async fn run(self) -> Result<WebResetReport, Error> {
        let sessions = match self.which {
            Which::All => self.client.end_all().await?,
            Which::These(sites) => self.client.end_these(sites).await,
        };
        let mut report = WebResetReport { sessions, blocked: Vec::new() };
        if !report.sessions.iter().any(|(_, outcome)| outcome.is_gone()) {
            let failure = report
                .sessions
                .iter()
                .position(|(_, outcome)| matches!(outcome, WebResetOutcome::Failed(_)));
            if let Some(at) = failure
                && let (_, WebResetOutcome::Failed(why)) = report.sessions.swap_remove(at)
            {
                return Err(why);
            }
        }
        if self.block_bots {
            report.blocked = self.client.block_bots(&report.sessions).await;
        }
        Ok(report)
    }
}

impl<'a> IntoFuture for WebReset<'a> {
    type Output = Result<WebResetReport, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl Client {
    /// Logs the account out of one website, in one browser. Returns whether there was such a
    /// session: `false` means that it is gone already, or never was.
    ///
    /// If the answer is lost, the list is asked for, and a session that is gone was ended.
    ///
    /// # Errors
    /// As [`web_sessions`](Self::web_sessions). After an error that
    /// [leaves it open](Error::is_unanswered), it may still happen.
    ///
    /// # Cancel safety
    /// It may happen although the future was dropped; doing it again is harmless.
    pub async fn reset_web_session(&self, hash: i64) -> Result<bool, Error> {
        match self.end_one(hash).await? {
            WebResetOutcome::Failed(error) => Err(error),
            outcome => Ok(matches!(outcome, WebResetOutcome::Ended)),
        }
    }

    /// Logs the account out of these websites, one after another; await what it returns.
    ///
    /// What happened to each is in the report. A failure that concerns all of them, like no network
    /// or a flood wait, ends it; the rest is not tried then.
    pub const fn reset_web_sessions<'a>(&'a self, sites: &'a [WebSession]) -> WebReset<'a> {
        WebReset { client: self, which: Which::These(sites), block_bots: false }
    }

    /// Logs the account out of all websites at once; await what it returns. The report names those
    /// that were there just before.
    pub const fn reset_all_web_sessions(&self) -> WebReset<'_> {
        WebReset { client: self, which: Which::All, block_bots: false }
    }

    async fn end_these(&self, sites: &[WebSession]) -> Vec<(WebSession, WebResetOutcome)> {
        let mut outcomes = Vec::with_capacity(sites.len());
        let mut over = false;
        for site in sites {
            let outcome = match over {
                true => WebResetOutcome::NotTried,
                false => self.end_one(site.hash()).await.unwrap_or_else(|why| {
                    over = true;
                    WebResetOutcome::Failed(why)
                }),
            };
            outcomes.push((site.clone(), outcome));
        }
        outcomes
    }

    async fn end_all(&self) -> Result<Vec<(WebSession, WebResetOutcome)>, Error> {
        let sites = self.web_sessions().await?;
        if sites.is_empty() {
            return Ok(Vec::new());
        }
        let why = self.invoke(&account::ResetWebAuthorizations).await.err();
        let left = match &why {
            Some(why) if why.is_unanswered() => self.web_sessions().await.ok(),
            _ => None,
        };
        let outcome = |site: &WebSession| match (&why, &left) {
            (None, _) => WebResetOutcome::Ended,
            (Some(_), Some(left)) if !is_among(left, site.hash()) => WebResetOutcome::Ended,
            (Some(why), _) => WebResetOutcome::Failed(why.shared()),
        };
        let outcomes = sites.into_iter().map(|site| {
            let outcome = outcome(&site);
            (site, outcome)
        });
        Ok(outcomes.collect())
    }

    /// Ends one, and asks for the list where that says more than the answer. An error is one that
    /// the others would meet as well.
    async fn end_one(&self, hash: i64) -> Result<WebResetOutcome, Error> {
        let answer = self.invoke(&account::ResetWebAuthorization { hash }).await;
        // Whatever truth value comes back, it is done. Observed: TDLib only logs a `false`, Telegram
        // Desktop does not look at it.
        let Err(why) = answer else { return Ok(WebResetOutcome::Ended) };
        let is_refused = why.is(errors::HASH_INVALID);
        if !is_refused && !why.is_unanswered() {
            // Telegram's own trouble with one call says nothing about the next one.
            return match why.code() {
                Some(500.. | ..0) => Ok(WebResetOutcome::Failed(why)),
                _ => Err(why),
            };
        }
        match self.web_sessions().await {
            Ok(left) if is_among(&left, hash) => Ok(WebResetOutcome::Failed(why)),
            // An answer that was lost before explains why it is not known any more.
            _ if is_refused => Ok(WebResetOutcome::Gone),
            Ok(_) => Ok(WebResetOutcome::Ended),
            Err(_) => Err(why),
        }
    }

    /// Blocks the bots whose sessions are all gone. See core.telegram.org/method/contacts.block.
    async fn block_bots(
        &self,
        sessions: &[(WebSession, WebResetOutcome)],
    ) -> Vec<(i64, Result<(), Error>)> {
        let kept: BTreeSet<i64> = sessions
            .iter()
            .filter(|(_, outcome)| !outcome.is_gone())
            .map(|(site, _)| site.bot_id())
            .collect();
        let mut blocked: Vec<(i64, Result<(), Error>)> = Vec::new();
        for (site, _) in sessions {
            let id = site.bot_id();
            if kept.contains(&id) || blocked.iter().any(|(done, _)| *done == id) {
                continue;
            }
            let access_hash = site.bot().and_then(|bot| bot.access_hash);
            let result = match access_hash {
                Some(access_hash) => {
                    let peer = types::InputPeerUser { user_id: id, access_hash };
                    self.invoke(&contacts::Block::new(peer)).await.map(drop)
                }
                None => Err(Error::Invalid(NO_BOT)),
            };
            blocked.push((id, result));
        }
        blocked
    }
}

fn is_among(sites: &[WebSession], hash: i64) -> bool {
    sites.iter().any(|site| site.hash() == hash)
}

/// Why a bot cannot be blocked.
const NO_BOT: &str = "Telegram did not say how to name this bot, it may be deleted; \
                      it cannot be blocked from here";
