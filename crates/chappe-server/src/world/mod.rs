//! The world: accounts, bots, keys, sessions and web logins as rows of one SQLite database.
//!
//! It is a function of the time, the caller and the request. It reads no clock, no entropy, no
//! environment and no socket: the time is an argument, random numbers come from a generator that
//! was seeded by whoever opened the world, and login codes from a function given at the same time.
//!
//! There is one world for all data centres of a server. A key belongs to one of them, a user lives
//! in one of them; who may do what where is decided by the requests.

mod bots;
mod dcs;
mod devices;
mod keys;
mod messages;
mod people;
mod places;
mod seed;
mod sign_in;
mod store;
mod temporary;
mod users;
mod web_login;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    net::IpAddr,
};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use chappe_api::types::messages::BotCallbackAnswer;
use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use rusqlite::OptionalExtension;

use crate::failure::{Failure, Outcome, Stop};

pub(crate) use self::{
    dcs::Dcs,
    devices::{AUTOCONFIRM_PERIOD, Authorization, NewSettings as NewSessionSettings},
    keys::{Device, KeyState, Void},
    messages::{
        Message, NewMessage, Told,
        dialogs::{Dialog, Wanted},
        log::{Difference, Event, State, What},
        news::{News, Tidings},
        service::{
            Allowed, SERVICE_ID, ServiceAnswer, ServiceCallback, inline_rows, service_button,
        },
    },
    people::Person,
    places::NEAREST_COUNTRY,
    sign_in::{
        Asked, Sent, SentCode, Settings, SignIn, Typed, digits,
        email::{EmailPurpose, email_address},
        letters::letterbox,
        password::{NewPassword, NewSettings as NewPasswordSettings, PasswordProof},
        recovery::Reset,
        test_code,
        token::{LoginToken, TokenLogin},
        way::{Delivery, MailboxReset},
    },
    store::Origin,
    temporary::Binding,
    users::User,
    web_login::{
        WebAuthorization, WebLogin,
        fields::append_fields,
        oidc_codes::{AuthorizationCode, Identity, Redeemed, Redemption},
        site::Site,
        site_login::Page,
        url_auth::{Claim, End, ForSite, MATCH_CODE_INVALID, UrlAuth},
        url_auth_asked::{NewUrlAuth, Pkce, UrlAuthAsked, UrlAuthResponse},
        url_auth_link::{UrlAuthLink, links_of},
        userpic::{COLOURS, USERPICS, Userpic},
    },
};

/// How many requests of a session are remembered for `invokeAfterMsg`.
const REMEMBERED: usize = 256;

/// Tells the login code of a phone number, or `None` if no code can reach it.
pub(crate) type Codes = fn(&str) -> Option<String>;

/// Bytes as text that every address takes: base64url without padding.
fn base64url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Who asks: the socket's address, and the session and the data centre that the request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The auth key.
    pub(crate) auth_key_id: i64,
    /// The data centre.
    pub(crate) dc: i32,
    /// The client's random number for the session.
    pub(crate) session_id: i64,
    /// Where the socket comes from.
    pub(crate) ip: IpAddr,
}

/// What the world remembers of a session for as long as the session lives.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// The layer that it announced; the key's if it did not.
    pub(crate) layer: Option<i32>,
    /// Whether it receives updates: it made a call without `invokeWithoutUpdates`.
    pub(crate) updates: bool,
    /// How its last requests ended, newest last, for `invokeAfterMsg`.
    pub(crate) ended: VecDeque<(i64, bool)>,
}

/// All state of a local Telegram.
pub(crate) struct World {
    db: rusqlite::Connection,
    rng: ChaCha20Rng,
    codes: Codes,
    dcs: Dcs,
    sessions: BTreeMap<(i64, i64), Session>,
    /// Counts of calls that are limited: when they began, how many there were.
    calls: BTreeMap<(i64, &'static str), (i32, u32)>,
    /// The number of the last letter.
    last_letter: i64,
    /// What sessions are to be told.
    news: Vec<News>,
    /// What bots said that buttons did.
    answers: Vec<(i64, BotCallbackAnswer)>,
    /// Buttons that were pressed and not answered.
    queries: messages::buttons::Queries,
    /// The session whose request runs.
    asking: Option<(i64, i64)>,
    /// Where the pages are, if there are some.
    web: Option<Box<str>>,
}

impl World {
    /// Runs one request as one transaction: committed before this returns, whether the request
    /// was answered or refused, and undone as a whole if the database or this server fails. What
    /// was undone is told to nobody.
    pub(crate) fn transaction<T>(
        &mut self,
        run: impl FnOnce(&mut Self) -> Outcome<T>,
    ) -> Result<T, Failure> {
        let told = (self.news.len(), self.answers.len());
        self.queries.begin();
        let outcome = match self.db.execute_batch("BEGIN") {
            Ok(()) => run(self),
            Err(error) => Err(error.into()),
        };
        let outcome = match outcome {
            Err(stop @ (Stop::Undone | Stop::Broken(_))) => Err(stop),
            outcome => match self.db.execute_batch("COMMIT") {
                Ok(()) => outcome,
                Err(error) => Err(error.into()),
            },
        };
        outcome.map_err(|stop| match stop {
            Stop::Refused(failure) => failure,
            Stop::Undone => self.undo(told),
            Stop::Broken(error) => {
                tracing::error!(%error, "the database failed");
                self.undo(told)
            }
        })
    }

    /// Undoes the transaction that is open, if one is, with its questions, and with the news and answers
    /// after the first ones.
    fn undo(&mut self, (news, answers): (usize, usize)) -> Failure {
        self.news.truncate(news);
        self.answers.truncate(answers);
        self.queries.undo();
        if !self.db.is_autocommit()
            && let Err(error) = self.db.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "the database failed again");
        }
        Failure::INTERNAL
    }

    /// What is remembered of a session; made if it is new.
    pub(crate) fn session(&mut self, caller: Caller) -> &mut Session {
        self.sessions.entry((caller.auth_key_id, caller.session_id)).or_default()
    }

    /// Writes down how a request of a session ended. What has no session has no key either, and is
    /// not remembered: nobody would say when to forget it.
    pub(crate) fn remember(&mut self, caller: Caller, msg_id: i64, well: bool) {
        let session = (caller.auth_key_id, caller.session_id);
        let Some(Session { ended, .. }) = self.sessions.get_mut(&session) else { return };
        if ended.len() == REMEMBERED {
            ended.pop_front();
        }
        ended.push_back((msg_id, well));
    }

    /// The layer that a session announced.
    pub(crate) fn session_layer(&self, auth_key_id: i64, session_id: i64) -> Option<i32> {
        self.sessions.get(&(auth_key_id, session_id))?.layer
    }

    /// When a count of calls of an account began, and how far it is.
    pub(crate) fn calls(&mut self, who: i64, method: &'static str) -> &mut (i32, u32) {
        self.calls.entry((who, method)).or_default()
    }

    /// Forgets a session that ended.
    pub(crate) fn end_session(&mut self, auth_key_id: i64, session_id: i64) {
        self.sessions.remove(&(auth_key_id, session_id));
    }

    /// The sessions that receive a user's updates, but for one.
    fn receivers(&self, user_id: i64, except: Option<(i64, i64)>) -> Outcome<Vec<(i64, i64)>> {
        let mut statement = self.db.prepare_cached(
            "SELECT auth_key_id FROM authorizations WHERE user_id = ?1
             UNION ALL SELECT id FROM authorizations JOIN auth_keys ON perm_key_id = auth_key_id
             WHERE authorizations.user_id = ?1",
        )?;
        let keys = statement
            .query_map([user_id], |row| row.get(0))?
            .collect::<Result<BTreeSet<i64>, _>>()?;
        let mut receivers: Vec<_> = self
            .sessions
            .iter()
            .filter(|(session, state)| {
                state.updates && keys.contains(&session.0) && Some(**session) != except
            })
            .map(|(session, _)| *session)
            .collect();
        receivers.sort_unstable();
        Ok(receivers)
    }

    /// The sessions of a key, and of the temporary keys that stand for it, that receive updates.
    pub(crate) fn sessions_of(&self, auth_key_id: i64) -> Outcome<Vec<(i64, i64)>> {
        let mut keys = self.temporary_keys(auth_key_id)?;
        keys.push(auth_key_id);
        let mut receivers = Vec::new();
        for key in keys {
            let sessions = self.sessions.range((key, i64::MIN)..=(key, i64::MAX));
            let updated = sessions.filter(|(_, state)| state.updates);
            receivers.extend(updated.map(|(session, _)| *session));
        }
        Ok(receivers)
    }

    /// Random bytes.
    fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }

    /// 32 random bytes as text that every address takes.
    fn token(&mut self) -> String {
        base64url(&self.random::<32>())
    }

    /// A secret that this world keeps, drawn when it is asked for first.
    fn secret(&mut self, name: &str) -> Outcome<[u8; 32]> {
        let kept = self
            .db
            .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()?;
        if let Some(secret) = kept {
            return Ok(secret);
        }
        let secret = self.random();
        self.db
            .prepare_cached("INSERT INTO meta (name, value) VALUES (?1, ?2)")?
            .execute(rusqlite::params![name, secret])?;
        Ok(secret)
    }

    /// A hash for a device session or a web authorization: not 0, and in neither of the two
    /// lists, so that a hash of one is never valid for the other.
    fn fresh_hash(&mut self) -> Outcome<i64> {
        loop {
            let hash = i64::from_le_bytes(self.random());
            let taken = self
                .db
                .prepare_cached(
                    "SELECT 1 FROM authorizations WHERE hash = ?1
                     UNION ALL SELECT 1 FROM web_authorizations WHERE hash = ?1
                     UNION ALL SELECT 1 FROM login_tokens WHERE hash = ?1
                     UNION ALL SELECT 1 FROM auth_keys WHERE pending_hash = ?1",
                )?
                .query_row([hash], |_| Ok(()))
                .optional()?;
            if hash != 0 && taken.is_none() {
                return Ok(hash);
            }
        }
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("sessions", &self.sessions.len()).finish_non_exhaustive()
    }
}
