//! Authorization codes of OpenID Connect: what a site or an app changes for an id_token, once.

use chappe_api::errors;
use chappe_crypto::sha256;
use rusqlite::{OptionalExtension, Row, params};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::logins::{Scopes, Source};
use crate::world::{Claim, Pkce, User, World, append_fields, base64url};
use crate::{bots::OidcClient, failure::Outcome};

/// How long a code is good, in seconds. Assumed: Telegram's own lifetime is not documented.
const LIFETIME: i32 = 60;

/// An authorization code; the world keeps its hash.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct AuthorizationCode(Zeroizing<String>);

/// What somebody wants for a code.
pub(crate) struct Redemption {
    /// Who says to be the client.
    pub(crate) client_id: String,
    /// What shows that; an app has nothing.
    pub(crate) secret: Option<Zeroizing<String>>,
    /// The code.
    pub(crate) code: Zeroizing<String>,
    /// The redirect URI that the code was sent to.
    pub(crate) redirect_uri: String,
    /// What belongs to the challenge of the code.
    pub(crate) verifier: Option<Zeroizing<String>>,
}

/// What becomes of a redemption.
pub(crate) enum Redeemed {
    /// An id_token of this, and an access token that is good for nothing: there is nothing to ask here.
    Identity(Box<Identity>, Zeroizing<String>),
    /// Nothing: the client is not who it says.
    NoClient,
    /// Nothing: the code is not good, or not good for this.
    NoGrant,
}

/// What an id_token is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The bot whose client it is for.
    pub(crate) bot_id: i64,
    /// The client.
    pub(crate) client: OidcClient,
    /// Who logged in.
    pub(crate) user: User,
    /// The name of the user that only this client knows.
    pub(crate) subject: String,
    /// The picture of the user.
    pub(crate) picture: Option<String>,
    /// What the client may be told.
    pub(crate) granted: Scopes,
    /// What it wants to read again.
    pub(crate) nonce: Option<String>,
}

/// A code as it is kept.
struct Kept {
    bot_id: i64,
    user_id: i64,
    granted: Scopes,
    /// The redirect URI; of a page within Telegram its origin.
    target: String,
    in_app: bool,
    nonce: Option<String>,
    pkce: Option<Pkce>,
    /// The web authorization.
    hash: i64,
    expires: i32,
}

impl Kept {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let challenge: Option<String> = row.get(8)?;
        let method: Option<String> = row.get(9)?;
        Ok(Self {
            bot_id: row.get(0)?,
            user_id: row.get(1)?,
            granted: Scopes { profile: row.get(2)?, phone: row.get(3)?, write: row.get(4)? },
            target: row.get(5)?,
            in_app: row.get(6)?,
            nonce: row.get(7)?,
            pkce: challenge.zip(method).map(|(challenge, method)| Pkce { challenge, method }),
            hash: row.get(10)?,
            expires: row.get(11)?,
        })
    }
}

impl World {
    /// The address that an app opens when a login is approved that no browser waits for: it takes the
    /// code to the app, or to the page within Telegram, that asked.
    pub(crate) fn code_url(&mut self, now: i32, claim: &Claim) -> Outcome<String> {
        let asked = &claim.request.asked;
        let code = self.code_of(now, claim)?.0.as_str().to_owned();
        match (asked.source, &asked.redirect_uri, &asked.origin) {
            (Source::Native, Some(uri), _) => {
                let mut fields = vec![("code", code)];
                fields.extend(asked.state.clone().map(|state| ("state", state)));
                Ok(append_fields(uri, &fields))
            }
            (Source::InApp, _, Some(origin)) => {
                Ok(append_fields(&format!("{origin}/"), &[("token", code)]))
            }
            _ => Err(errors::OAUTH_REQUEST_INVALID.into()),
        }
    }

    /// Makes the code of what was claimed.
    pub(crate) fn code_of(&mut self, now: i32, claim: &Claim) -> Outcome<AuthorizationCode> {
        let asked = &claim.request.asked;
        let target = asked.redirect_uri.as_ref().or(asked.origin.as_ref());
        self.db.prepare_cached("DELETE FROM oidc_codes WHERE expires <= ?1")?.execute([now])?;
        let code = Zeroizing::new(self.token());
        self.db
            .prepare_cached(
                "INSERT INTO oidc_codes (code, bot_id, user_id, profile, phone, write, target, in_app,
                   nonce, challenge, method, hash, expires)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )?
            .execute(params![
                sha256(&[code.as_bytes()]),
                asked.bot_id,
                claim.user.id,
                claim.granted.profile,
                claim.granted.phone,
                claim.granted.write,
                target,
                asked.source == Source::InApp,
                asked.nonce,
                asked.pkce.as_ref().map(|pkce| &pkce.challenge),
                asked.pkce.as_ref().map(|pkce| &pkce.method),
                claim.web_authorization,
                now.saturating_add(LIFETIME)
            ])?;
        Ok(AuthorizationCode(code))
    }

    /// Changes a code for what an id_token is made of.
    ///
    /// A code that its own client shows is used up, whether it was good or not: whoever has it but not
    /// what belongs to it gets one try. Nobody else can use it up.
    pub(crate) fn redeem_code(&mut self, now: i32, asked: &Redemption) -> Outcome<Redeemed> {
        let known = self.oidc_client_called(&asked.client_id)?;
        // A client that does not exist costs the same time as a wrong secret.
        let right = known.as_ref().map_or([0; 32], |(_, _, hash)| *hash);
        let told = asked.secret.as_ref().map(|secret| sha256(&[secret.as_bytes()]));
        let is_right = told.is_some_and(|told| told.ct_eq(&right).into());
        let Some((bot, client, _)) = known.filter(|(_, client, _)| client.enabled) else {
            return Ok(Redeemed::NoClient);
        };
        // Only apps have no secret, and only for what was sent to them.
        let without = asked.secret.is_none() && client.native_urls.contains(&asked.redirect_uri);
        if !is_right && !without {
            return Ok(Redeemed::NoClient);
        }
        // Without a secret anybody can name the client: then only what was sent to its app is its own.
        let sent_there = |kept: &Kept| is_right || kept.target == asked.redirect_uri;
        let own = |kept: &Kept| kept.bot_id == bot.id && !kept.in_app && sent_there(kept);
        let Some(kept) = self.take_code(&asked.code, own)? else {
            return Ok(Redeemed::NoGrant);
        };
        let proven = match (&kept.pkce, &asked.verifier) {
            (Some(pkce), Some(verifier)) => proves(verifier, pkce),
            // An app has nothing else that shows who it is.
            (None, None) => is_right,
            // A verifier for a code without a challenge: somebody took the challenge away.
            _ => false,
        };
        let good = now < kept.expires && kept.target == asked.redirect_uri && proven;
        match good.then_some(kept) {
            Some(kept) => {
                let access_token = Zeroizing::new(self.token());
                Ok(match self.redeemed(client, kept)? {
                    Some(identity) => Redeemed::Identity(identity, access_token),
                    None => Redeemed::NoGrant,
                })
            }
            None => Ok(Redeemed::NoGrant),
        }
    }

    /// Changes the code of a page within Telegram, which must be at the origin that asked.
    pub(crate) fn redeem_in_app_code(
        &mut self,
        now: i32,
        code: &str,
        origin: &str,
    ) -> Outcome<Option<Box<Identity>>> {
        let here = |kept: &Kept| kept.in_app && kept.target == origin;
        let Some(kept) = self.take_code(code, here)?.filter(|kept| now < kept.expires) else {
            return Ok(None);
        };
        match self.oidc_client(kept.bot_id)? {
            Some((client, _)) if client.enabled => self.redeemed(client, kept),
            _ => Ok(None),
        }
    }

    /// What an id_token of a popup is made of: no code is needed on the way.
    pub(crate) fn identity_of(&mut self, claim: &Claim) -> Outcome<Identity> {
        let asked = &claim.request.asked;
        let (client, _) = self.oidc_client(asked.bot_id)?.ok_or(errors::OAUTH_REQUEST_INVALID)?;
        let user = claim.user.clone();
        self.identity((asked.bot_id, client), user, claim.granted, asked.nonce.clone())
    }

    /// Nothing is left to be told of a login that the person has ended since. Assumed: Telegram's own
    /// rule is not known.
    fn redeemed(&mut self, client: OidcClient, kept: Kept) -> Outcome<Option<Box<Identity>>> {
        let Some(user) = self.user(kept.user_id)? else { return Ok(None) };
        if !self.is_web_authorization(kept.hash)? {
            return Ok(None);
        }
        let identity = self.identity((kept.bot_id, client), user, kept.granted, kept.nonce)?;
        Ok(Some(Box::new(identity)))
    }

    fn identity(
        &mut self,
        (bot_id, client): (i64, OidcClient),
        user: User,
        granted: Scopes,
        nonce: Option<String>,
    ) -> Outcome<Identity> {
        let subject = self.subject(bot_id, user.id)?;
        let picture = self.userpic(&user);
        Ok(Identity { bot_id, client, user, subject, picture, granted, nonce })
    }

    /// Takes a code that is this one's: it is gone then.
    fn take_code(&self, code: &str, is_theirs: impl Fn(&Kept) -> bool) -> Outcome<Option<Kept>> {
        let hash = sha256(&[code.as_bytes()]);
        let kept = self
            .db
            .prepare_cached(
                "SELECT bot_id, user_id, profile, phone, write, target, in_app, nonce, challenge,
                   method, hash, expires
                 FROM oidc_codes WHERE code = ?1",
            )?
            .query_row([hash], Kept::read)
            .optional()?
            .filter(is_theirs);
        if kept.is_some() {
            self.db.prepare_cached("DELETE FROM oidc_codes WHERE code = ?1")?.execute([hash])?;
        }
        Ok(kept)
    }

    /// The name of a user that only one client knows: digits, as in the documentation's example, that
    /// do not tell the user id. (core.telegram.org/bots/telegram-login)
    fn subject(&mut self, bot_id: i64, user_id: i64) -> Outcome<String> {
        let key = self.secret("oidc_subjects")?;
        let hash = sha256(&[&key, &bot_id.to_le_bytes(), &user_id.to_le_bytes()]);
        let [a, b, c, d, e, f, g, h, ..] = hash;
        Ok((u64::from_le_bytes([a, b, c, d, e, f, g, h]) >> 1).to_string())
    }
}

impl AuthorizationCode {
    /// The code.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for AuthorizationCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuthorizationCode(..)")
    }
}

/// Whether a verifier belongs to a challenge. (RFC 7636, section 4.6)
fn proves(verifier: &str, pkce: &Pkce) -> bool {
    let made = match pkce.method.as_str() {
        "S256" => base64url(&sha256(&[verifier.as_bytes()])),
        "plain" => verifier.to_owned(),
        _ => return false,
    };
    made.as_bytes().ct_eq(pkce.challenge.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    #[test]
    fn a_verifier_proves_its_challenge_by_its_method_only() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let pkce = |challenge: &str, method: &str| Pkce {
            challenge: challenge.to_owned(),
            method: method.to_owned(),
        };
        assert!(proves(verifier, &pkce(challenge, "S256")));
        assert!(proves(verifier, &pkce(verifier, "plain")));
        for (shown, challenge, method) in [
            (verifier, verifier, "S256"),
            (verifier, challenge, "plain"),
            (challenge, challenge, "S256"),
            (verifier, challenge, "s256"),
            (verifier, challenge, ""),
            ("", "", "S256"),
            (verifier, &challenge[..42], "S256"),
        ] {
            assert!(!proves(shown, &pkce(challenge, method)), "{shown} {challenge} {method}");
        }
    }
}
