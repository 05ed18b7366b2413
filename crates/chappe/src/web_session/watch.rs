//! Watching web sessions come and go.
//!
//! Telegram pushes no update about them, so that the list is asked for again and again. Observed:
//! Telegram Desktop does so every 60 seconds while its list is shown.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use crate::{Client, WebSession, error::Error, net::timer, state::Ended};

/// What happened to a web session between two lists.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum WebSessionChange {
    /// The account was logged in to a website.
    Added(WebSession),
    /// A session is another one than before: it was used, most of all.
    Changed {
        /// What it was.
        before: WebSession,
        /// What it is.
        now: WebSession,
    },
    /// A session ended.
    Removed(WebSession),
}

/// A stream of what happens to the web sessions of an account, made by
/// [`Client::watch_web_sessions`].
///
/// What begins and ends between two lists is not seen. It keeps the client alive.
#[derive(Debug)]
#[must_use = "nothing is asked before `next` is called"]
pub struct WebSessionWatch {
    client: Client,
    period: Duration,
    known: Option<Vec<WebSession>>,
    changes: VecDeque<WebSessionChange>,
    /// When the next list is due, by the clock of the client's waits.
    due: Duration,
    over: bool,
}

impl Client {
    /// Watches the web sessions: lists them every 60 seconds, give or take a few, while somebody
    /// waits for [`next`](WebSessionWatch::next).
    ///
    /// ```no_run
    /// use chappe::WebSessionChange;
    ///
    /// # async fn example(client: chappe::Client) -> Result<(), chappe::Error> {
    /// let mut watch = client.watch_web_sessions();
    /// while let Some(change) = watch.next().await? {
    ///     match change {
    ///         WebSessionChange::Added(site) => println!("logged in to {}", site.domain()),
    ///         WebSessionChange::Removed(site) => println!("logged out of {}", site.domain()),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn watch_web_sessions(&self) -> WebSessionWatch {
        WebSessionWatch {
            client: self.clone(),
            period: PERIOD,
            known: None,
            changes: VecDeque::new(),
            due: Duration::ZERO,
            over: false,
        }
    }
}

impl WebSessionWatch {
    /// Lists them in another period; a second is the shortest.
    pub fn every(mut self, period: Duration) -> Self {
        self.period = period.max(SHORTEST_PERIOD);
        self
    }

    /// Takes this list for what is known, so that changes since then are told, too. Without it, the
    /// first list is what is known, and tells nothing.
    pub fn since(mut self, known: Vec<WebSession>) -> Self {
        self.known = Some(known);
        self
    }

    /// The last list; `None` before the first one.
    pub fn known(&self) -> Option<&[WebSession]> {
        self.known.as_deref()
    }

    /// Waits for the next change; `None` after the client was closed.
    ///
    /// Where there is no network, and while Telegram wants no calls, it waits and asks later.
    ///
    /// # Errors
    /// What makes all later lists fail as well: nobody is signed in any more, a bot is. It is told
    /// once; after it comes `None`.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn next(&mut self) -> Result<Option<WebSessionChange>, Error> {
        loop {
            if let Some(change) = self.changes.pop_front() {
                return Ok(Some(change));
            }
            if self.over {
                return Ok(None);
            }
            match self.look().await {
                Ok(sites) => {
                    self.due = self.now().saturating_add(self.pause());
                    if let Some(known) = self.known.replace(sites) {
                        let sites = self.known.as_deref().unwrap_or_default();
                        self.changes = changes(known, sites);
                    }
                }
                Err(error) if passes(&error) => {
                    tracing::warn!(%error, "the web sessions cannot be listed for now");
                    let wait = error.retry_after().unwrap_or_default();
                    self.due = self.now().saturating_add(self.pause().max(wait));
                }
                Err(error) => {
                    self.over = true;
                    return match error.ended() {
                        Some(Ended::Closed) => Ok(None),
                        _ => Err(error),
                    };
                }
            }
        }
    }

    /// The list, when it is due.
    async fn look(&self) -> Result<Vec<WebSession>, Error> {
        let rest = self.due.saturating_sub(self.now());
        self.client.unless_ended(timer::pause(rest)).await?;
        self.client.web_sessions().await
    }

    fn now(&self) -> Duration {
        self.client.gate().now()
    }

    /// The period, give or take a sixteenth, so that many clients do not ask in step.
    fn pause(&self) -> Duration {
        let part = self.period / 16;
        self.period - part + self.client.gate().chance(2 * part)
    }
}

/// Whether a later list may succeed.
fn passes(error: &Error) -> bool {
    error.is_unanswered()
        || error.retry_after().is_some()
        || matches!(error.code(), Some(500.. | ..0))
}

/// What is different: what ended first, then the rest in the order of the new list.
fn changes(known: Vec<WebSession>, sites: &[WebSession]) -> VecDeque<WebSessionChange> {
    let now: HashMap<i64, &WebSession> = sites.iter().map(|site| (site.hash(), site)).collect();
    let (kept, gone): (Vec<_>, Vec<_>) =
        known.into_iter().partition(|site| now.contains_key(&site.hash()));
    let mut changes: VecDeque<_> = gone.into_iter().map(WebSessionChange::Removed).collect();
    let mut kept: HashMap<i64, WebSession> =
        kept.into_iter().map(|site| (site.hash(), site)).collect();
    changes.extend(sites.iter().filter_map(|site| match kept.remove(&site.hash()) {
        Some(before) if before == *site => None,
        Some(before) => Some(WebSessionChange::Changed { before, now: site.clone() }),
        None => Some(WebSessionChange::Added(site.clone())),
    }));
    changes
}

/// How often the list is asked for.
const PERIOD: Duration = Duration::from_secs(60);
/// How often it is asked for at most.
const SHORTEST_PERIOD: Duration = Duration::from_secs(1);
