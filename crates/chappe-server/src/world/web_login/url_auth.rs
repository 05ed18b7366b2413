//! Requests to log somebody in to a site or an app with Telegram, and what becomes of them.
//!
//! Whoever wants to know who a person is (a page, an app, a page within Telegram) asks, and is given
//! two tokens that have nothing to do with each other: one goes to the person's app, which looks at the
//! request and approves or declines it, the other stays in the browser, which waits and then claims what
//! was approved, once. (core.telegram.org/api/url-authorization)
//!
//! ```text
//! pending -> approved -> claimed
//!    |          |------> declined, if the person ends the web authorization first
//!    |          '------> expired
//!    |-> declined
//!    '-> expired
//! ```
//!
//! Assumed, since nothing of it is documented: how long a request lives; that a wrong match code ends
//! it; that it is over for everybody else once somebody approved it; that a login from the same browser
//! and address renews its web authorization instead of adding one.

use std::collections::BTreeSet;

use chappe_api::errors;
use chappe_crypto::sha256;
use chappe_tl::ErrorName;
use rand_core::Rng;
use rusqlite::{OptionalExtension, Row, params, types::Type};
use serde::{Serialize, de::DeserializeOwned};
use subtle::ConstantTimeEq;

use crate::bots::{MatchCode, OidcClient};
use crate::browser::Progress;
use crate::failure::{Failure, Outcome};
use crate::logins::{Approved, Grant, Scopes, Source};
use crate::world::{
    AuthorizationCode, Identity, NewUrlAuth, Site, UrlAuthAsked, UrlAuthResponse, User, World,
};

/// How long a request waits for the person, and an approval for the browser, in seconds.
const LIFETIME: i32 = 300;

/// How long it is remembered after that, in seconds, so that it is refused by its name.
const REMEMBERED: i32 = 3_600;

/// How many match codes there are to pick from.
const CHOICE: usize = 3;

/// The match codes: pictures that nobody confuses, one character each.
const CODES: [&str; 24] = [
    "🍎", "🍋", "🍇", "🥕", "🍄", "🌵", "🌻", "🌈", "⚡", "🔥", "🌙", "⛄", "🐙", "🦊", "🐘", "🦉",
    "🐳", "🐝", "🚲", "🚀", "⛵", "🎈", "🎸", "🔑",
];

/// A wrong match code. Assumed: the name that other clients give it; Telegram's own is not known.
pub(crate) const MATCH_CODE_INVALID: ErrorName =
    ErrorName { code: 400, name: "MATCH_CODE_INVALID" };

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UrlAuth {
    /// Its number, which is no secret.
    pub(crate) id: i64,
    /// What was asked.
    pub(crate) asked: NewUrlAuth,
    /// The match codes to pick from.
    pub(crate) codes: Vec<String>,
    /// When it was made.
    pub(crate) created: i32,
    /// When it ends.
    pub(crate) expires: i32,
    /// How far it is.
    pub(crate) status: Progress,
    /// The only user who may approve it: the one whose phone number was typed into the browser; if
    /// nobody has it, [`SERVICE_ID`](crate::world::SERVICE_ID), which approves nothing.
    pub(crate) for_user: Option<i64>,
}

/// What the browser may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// The request.
    pub(crate) request: UrlAuth,
    /// Who approved it.
    pub(crate) user: User,
    /// What was asked and granted.
    pub(crate) granted: Scopes,
    /// When it was approved.
    pub(crate) approved: i32,
    /// The web authorization that it became.
    pub(crate) web_authorization: i64,
}

/// How a request ended for its browser.
pub(crate) struct End {
    /// The request as it was found.
    pub(crate) request: UrlAuth,
    /// What the site is told, if it was approved.
    pub(crate) told: Option<ForSite>,
    /// What the browser shows from now on, if it is known by this login.
    pub(crate) linked: Option<String>,
}

/// What a site is told.
pub(crate) enum ForSite {
    /// A code.
    Code(AuthorizationCode),
    /// The fields of the widget.
    Fields(Vec<(&'static str, String)>),
    /// What an id_token is made of, and when.
    Identity(Box<Identity>, i32),
}

/// A kept request, with what only this module sees.
struct Kept {
    request: UrlAuth,
    code: Option<String>,
    checked_by: Option<i64>,
    user_id: Option<i64>,
    approved: i32,
    granted: Scopes,
    web_authorization: Option<i64>,
}

/// The columns that [`Kept::read`] expects.
const COLUMNS: &str = "id, asked, codes, created, expires, status, for_user, code, checked_by, \
                       user_id, approved, granted, web_authorization";

impl Kept {
    fn read(now: i32, row: &Row<'_>) -> rusqlite::Result<Self> {
        let (expires, status): (i32, String) = (row.get(4)?, row.get(5)?);
        let status = match status.as_str() {
            "pending" | "approved" if expires <= now => Progress::Expired,
            "pending" => Progress::Pending,
            "approved" => Progress::Approved,
            "claimed" => Progress::Claimed,
            _ => Progress::Declined,
        };
        let (asked, codes) = (json(row, 1)?, json(row, 2)?);
        let (id, created, for_user) = (row.get(0)?, row.get(3)?, row.get(6)?);
        Ok(Self {
            request: UrlAuth { id, asked, codes, created, expires, status, for_user },
            code: row.get(7)?,
            checked_by: row.get(8)?,
            user_id: row.get(9)?,
            approved: row.get(10)?,
            granted: json(row, 11)?,
            web_authorization: row.get(12)?,
        })
    }

    /// Refuses a request that does not wait for this user any more, or never did.
    fn waits_for(&self, user_id: i64) -> Outcome<()> {
        let others = self.request.for_user.is_some_and(|only| only != user_id);
        match self.request.status {
            Progress::Pending if !others => Ok(()),
            _ => Err(errors::URL_EXPIRED.into()),
        }
    }

    /// Whether this user approved it, and the time to ask again what that came to is not over.
    fn was_approved_by(&self, user_id: i64) -> bool {
        let approved = matches!(self.request.status, Progress::Approved | Progress::Claimed);
        approved && self.user_id == Some(user_id)
    }

    /// Whether this is the code that the browser shows.
    fn is_code(&self, code: &str) -> bool {
        self.code.as_ref().is_some_and(|right| right.as_bytes().ct_eq(code.as_bytes()).into())
    }

    /// Whether the user picked the right code: now, or before.
    fn matches(&self, user_id: i64, picked: Option<&str>) -> bool {
        match picked {
            _ if self.code.is_none() => true,
            Some(picked) => self.is_code(picked),
            None => self.checked_by == Some(user_id),
        }
    }
}

impl World {
    /// Writes down that a site or an app wants to know who a person is.
    pub(crate) fn ask_url_auth(&mut self, now: i32, new: NewUrlAuth) -> Outcome<UrlAuthAsked> {
        self.db
            .prepare_cached("DELETE FROM url_auths WHERE expires <= ?1")?
            .execute([now.saturating_sub(REMEMBERED)])?;
        let (codes, code) = match new.match_codes {
            MatchCode::None => (Vec::new(), None),
            MatchCode::Asked | MatchCode::First => {
                let codes = self.match_codes();
                let right = self.below(codes.len());
                (codes.clone(), codes.into_iter().nth(right))
            }
        };
        let (token, browser_token) = (self.token(), self.token());
        let expires = now.saturating_add(LIFETIME);
        self.db
            .prepare_cached(
                "INSERT INTO url_auths
                 (token, browser_token, bot_id, asked, codes, code, created, expires)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                sha256(&[token.as_bytes()]),
                sha256(&[browser_token.as_bytes()]),
                new.bot_id,
                text(&new)?,
                text(&codes)?,
                code,
                now,
                expires
            ])?;
        Ok(UrlAuthAsked { token, browser_token, match_code: code, expires })
    }

    /// The request that an app shows the token of.
    pub(crate) fn url_auth(&self, now: i32, token: &str) -> Outcome<UrlAuth> {
        Ok(self.kept_url_auth(now, "token", sha256(&[token.as_bytes()]))?.request)
    }

    /// The request with this number.
    pub(crate) fn url_auth_by_id(&self, now: i32, id: i64) -> Outcome<UrlAuth> {
        Ok(self.kept_url_auth(now, "id", id)?.request)
    }

    /// The request that a browser shows the token of.
    pub(crate) fn poll_url_auth(&self, now: i32, browser_token: &str) -> Outcome<UrlAuth> {
        Ok(self.kept_url_auth(now, "browser_token", sha256(&[browser_token.as_bytes()]))?.request)
    }

    /// The requests that wait for a person, in the order in which they came.
    pub(crate) fn pending_url_auths(&self, now: i32) -> Outcome<Vec<UrlAuth>> {
        let mut statement = self.db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM url_auths WHERE status = 'pending' AND expires > ?1 ORDER BY id"
        ))?;
        let rows = statement.query_map([now], |row| Ok(Kept::read(now, row)?.request))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many requests wait for a person.
    pub(crate) fn waiting_url_auths(&self, now: i32) -> Outcome<i64> {
        Ok(self
            .db
            .prepare_cached(
                "SELECT count(*) FROM url_auths WHERE status = 'pending' AND expires > ?1",
            )?
            .query_row([now], |row| row.get(0))?)
    }

    /// The number of the newest request; 0 if there was none.
    pub(crate) fn last_url_auth(&self) -> Outcome<i64> {
        let last = self
            .db
            .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'url_auths'")?
            .query_row([], |row| row.get(0))
            .optional()?;
        Ok(last.unwrap_or_default())
    }

    /// What a user already made of a request, if it is approved: the answer that was given then.
    pub(crate) fn own_url_auth(
        &mut self,
        now: i32,
        id: i64,
        user_id: i64,
    ) -> Outcome<Option<Approved>> {
        let kept = self.kept_url_auth(now, "id", id)?;
        match kept.was_approved_by(user_id) {
            true => self.approval(now, kept).map(Some),
            false => kept.waits_for(user_id).map(|()| None),
        }
    }

    /// Approves a request. Again by the same user it answers the same and does nothing, so that a lost
    /// answer can be asked for.
    pub(crate) fn approve_url_auth(
        &mut self,
        now: i32,
        id: i64,
        user_id: i64,
        grant: &Grant,
    ) -> Outcome<Approved> {
        let kept = self.kept_url_auth(now, "id", id)?;
        if kept.was_approved_by(user_id) {
            return self.approval(now, kept);
        }
        kept.waits_for(user_id)?;
        self.check_asker(&kept.request.asked)?;
        if !kept.matches(user_id, grant.match_code.as_deref()) {
            self.end_url_auth(id)?;
            return Err(MATCH_CODE_INVALID.into());
        }
        let asked = &kept.request.asked;
        let granted = Scopes {
            profile: asked.scopes.profile,
            phone: asked.scopes.phone && grant.phone,
            write: asked.scopes.write && grant.write,
        };
        let hash = self.log_in_to_site(now, user_id, (asked.bot_id, &asked.login), granted)?;
        self.db
            .prepare_cached(
                "UPDATE url_auths SET status = 'approved', user_id = ?2, approved = ?3, granted = ?4,
                   web_authorization = ?5, expires = ?6 WHERE id = ?1",
            )?
            .execute(params![
                id,
                user_id,
                now,
                text(&granted)?,
                hash,
                now.saturating_add(LIFETIME)
            ])?;
        let kept = self.kept_url_auth(now, "id", id)?;
        self.approval(now, kept)
    }

    /// What the app opens then. No browser polls for an app or for a page within Telegram: what they
    /// are given is claimed with the approval. No code is kept, so each answer has one of its own.
    fn approval(&mut self, now: i32, kept: Kept) -> Outcome<Approved> {
        match kept.request.asked.source {
            Source::Oidc | Source::Widget => Ok(Approved { url: None }),
            Source::InApp | Source::Native => {
                if kept.request.expires <= now {
                    return Err(errors::URL_EXPIRED.into());
                }
                let claim = self.claim_of(kept)?;
                let url = Some(self.code_url(now, &claim)?);
                Ok(Approved { url })
            }
        }
    }

    /// Says whether a user picked the right code. A wrong one ends the request: a page that guesses
    /// must not guess twice.
    pub(crate) fn check_url_auth_code(
        &self,
        now: i32,
        id: i64,
        user_id: i64,
        code: &str,
    ) -> Outcome<bool> {
        let kept = self.kept_url_auth(now, "id", id)?;
        kept.waits_for(user_id)?;
        if !kept.is_code(code) {
            self.end_url_auth(id)?;
            return Ok(false);
        }
        self.db
            .prepare_cached("UPDATE url_auths SET checked_by = ?2 WHERE id = ?1")?
            .execute([id, user_id])?;
        Ok(true)
    }

    /// Declines a request. One that is declined stays so, whoever says it.
    pub(crate) fn decline_url_auth(&self, now: i32, id: i64, user_id: i64) -> Outcome<()> {
        let kept = self.kept_url_auth(now, "id", id)?;
        if kept.request.status == Progress::Declined {
            return Ok(());
        }
        kept.waits_for(user_id)?;
        self.end_url_auth(id)
    }

    /// Gives the browser what was approved, once.
    pub(crate) fn claim_url_auth(&self, now: i32, browser_token: &str) -> Outcome<Claim> {
        let token = sha256(&[browser_token.as_bytes()]);
        let kept = self.kept_url_auth(now, "browser_token", token)?;
        match kept.request.status {
            Progress::Approved => self.claim_of(kept),
            _ => Err(errors::URL_EXPIRED.into()),
        }
    }

    /// Ends a request for its browser: what was approved is claimed, becomes what the site is told, and
    /// makes the browser known. `shown` is what it shows of itself.
    pub(crate) fn finish_url_auth(
        &mut self,
        now: i32,
        browser_token: &str,
        shown: Option<&str>,
    ) -> Outcome<End> {
        let request = self.poll_url_auth(now, browser_token)?;
        if request.status != Progress::Approved {
            return Ok(End { request, told: None, linked: None });
        }
        let claim = self.claim_url_auth(now, browser_token)?;
        let told = match request.asked.response {
            UrlAuthResponse::Code => ForSite::Code(self.code_of(now, &claim)?),
            UrlAuthResponse::PostMessage => {
                ForSite::Identity(Box::new(self.identity_of(&claim)?), now)
            }
            UrlAuthResponse::LegacyMessage | UrlAuthResponse::LegacyUrl => {
                ForSite::Fields(self.login_fields(now, &claim.user, request.asked.bot_id)?)
            }
        };
        let linked = self.link_browser(now, &claim, shown)?;
        Ok(End { request, told: Some(told), linked })
    }

    fn claim_of(&self, kept: Kept) -> Outcome<Claim> {
        let Kept { mut request, user_id, granted, approved, web_authorization, .. } = kept;
        let (Some(user_id), Some(hash)) = (user_id, web_authorization) else {
            return Err(errors::URL_EXPIRED.into());
        };
        if !self.is_web_authorization(hash)? {
            return Err(errors::URL_EXPIRED.into());
        }
        self.check_asker(&request.asked)?;
        let user = self.user(user_id)?.ok_or(errors::URL_EXPIRED)?;
        self.db
            .prepare_cached("UPDATE url_auths SET status = 'claimed' WHERE id = ?1")?
            .execute([request.id])?;
        request.status = Progress::Claimed;
        Ok(Claim { request, user, granted, approved, web_authorization: hash })
    }

    /// Refuses a request of a site that the bot was taken away from meanwhile, or of a client that is
    /// not served any more.
    fn check_asker(&self, asked: &NewUrlAuth) -> Outcome<()> {
        let served = match asked.source {
            Source::Widget => {
                let host = asked.origin.as_deref().and_then(Site::of).map(|site| site.host);
                host.is_some() && host == self.bot_domain(asked.bot_id)?
            }
            Source::InApp | Source::Native | Source::Oidc => {
                let client = self.oidc_client(asked.bot_id)?.map(|(client, _)| client);
                client.is_some_and(|client| client.enabled && serves(&client, asked))
            }
        };
        if served { Ok(()) } else { Err(errors::OAUTH_REQUEST_INVALID.into()) }
    }

    fn end_url_auth(&self, id: i64) -> Outcome<()> {
        self.db
            .prepare_cached("UPDATE url_auths SET status = 'declined' WHERE id = ?1")?
            .execute([id])?;
        Ok(())
    }

    fn kept_url_auth(&self, now: i32, by: &str, key: impl rusqlite::ToSql) -> Outcome<Kept> {
        let kept = self
            .db
            .prepare_cached(&format!("SELECT {COLUMNS} FROM url_auths WHERE {by} = ?1"))?
            .query_row([key], |row| Kept::read(now, row))
            .optional()?;
        let mut kept = kept.ok_or(errors::URL_INVALID)?;
        let ended = |hash| Outcome::Ok(!self.is_web_authorization(hash)?);
        if kept.request.status == Progress::Approved
            && kept.web_authorization.map_or(Ok(true), ended)?
        {
            // The person logged out there before the browser came for it.
            kept.request.status = Progress::Declined;
        }
        Ok(kept)
    }

    /// Different pictures.
    fn match_codes(&mut self) -> Vec<String> {
        let mut picked = BTreeSet::new();
        let mut codes = Vec::with_capacity(CHOICE);
        while codes.len() < CHOICE {
            let next = self.below(CODES.len());
            if picked.insert(next) {
                codes.extend(CODES.get(next).map(|code| (*code).to_owned()));
            }
        }
        codes
    }

    /// A random number below a small limit.
    fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit.max(1)).unwrap_or(1);
        usize::try_from(self.rng.next_u64() % limit).unwrap_or_default()
    }
}

/// Whether a client is served where a request of it leads.
fn serves(client: &OidcClient, asked: &NewUrlAuth) -> bool {
    match (&asked.redirect_uri, &asked.origin) {
        (Some(uri), _) if asked.response == UrlAuthResponse::Code => client.serves(uri),
        (Some(uri), _) => client.serves_page(uri),
        (None, Some(origin)) => client.serves(origin),
        (None, None) => false,
    }
}

/// Reads a column of JSON.
fn json<T: DeserializeOwned>(row: &Row<'_>, index: usize) -> rusqlite::Result<T> {
    let text: String = row.get(index)?;
    serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(error))
    })
}

/// Writes a column of JSON.
fn text(value: &impl Serialize) -> Outcome<String> {
    serde_json::to_string(value).map_err(|_| Failure::INTERNAL.into())
}
