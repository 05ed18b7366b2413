//! Bots: how they are found, and what BotFather sets for them.

use std::collections::BTreeMap;

use chappe_api::errors;
use chappe_crypto::sha256;
use rusqlite::{OptionalExtension, params};
use zeroize::Zeroizing;

use crate::world::{User, World};
use crate::{
    Objection,
    bots::{BotInfo, BotSettings, ClientSecret, OidcClient},
    failure::Outcome,
};

impl World {
    /// The bot with this username, in any case.
    pub(crate) fn bot_by_username(&self, username: &str) -> Outcome<Option<User>> {
        let id = self
            .db
            .prepare_cached("SELECT id FROM users WHERE username = ?1 AND bot_token IS NOT NULL")?
            .query_row([username], |row| row.get(0))
            .optional()?;
        id.map_or(Ok(None), |id| self.user(id))
    }

    /// Whether anybody has this username.
    pub(crate) fn username_is_taken(&self, username: &str) -> Outcome<bool> {
        Ok(self.db.prepare_cached("SELECT 1 FROM users WHERE username = ?1")?.exists([username])?)
    }

    /// All bots with what is set for them, by username.
    pub(crate) fn bot_infos(&self) -> Outcome<BTreeMap<String, BotInfo>> {
        let mut statement = self.db.prepare_cached(
            "SELECT username, id, first_name, domain, client FROM users
             LEFT JOIN oidc_clients ON bot_id = id
             WHERE bot_token IS NOT NULL AND username IS NOT NULL",
        )?;
        let rows = statement.query_map([], |row| {
            let client: Option<String> = row.get(4)?;
            let mut settings = BotSettings::new();
            settings.domain = row.get(3)?;
            settings.oidc = client.as_deref().map(read).transpose()?;
            Ok((row.get(0)?, BotInfo { user_id: row.get(1)?, name: row.get(2)?, settings }))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The bot of this username, as it spells it, and what is set for it.
    pub(crate) fn bot_info(&self, username: &str) -> Outcome<Option<(String, BotInfo)>> {
        let Some(bot) = self.bot_by_username(username)? else { return Ok(None) };
        Ok(self.bot_infos()?.into_iter().find(|(_, info)| info.user_id == bot.id))
    }

    /// Sets what counts for a bot from now on; tells the secret of a client that is new.
    pub(crate) fn set_bot_settings(
        &mut self,
        bot_id: i64,
        settings: &BotSettings,
    ) -> Outcome<Result<Option<ClientSecret>, Objection>> {
        match self.set_bot_domain(bot_id, settings.domain.as_deref()) {
            Err(stop) if stop.is(errors::BOT_DOMAIN_INVALID) => {
                return Ok(Err(Objection::new(
                    "that is no domain",
                    "give a bare host such as example.com or localhost, without scheme and port",
                )));
            }
            done => done?,
        }
        let Some(client) = &settings.oidc else {
            self.db
                .prepare_cached("DELETE FROM oidc_clients WHERE bot_id = ?1")?
                .execute([bot_id])?;
            return Ok(Ok(None));
        };
        let text = json(client)?;
        let known = self
            .db
            .prepare_cached("UPDATE oidc_clients SET client = ?2 WHERE bot_id = ?1")?
            .execute(params![bot_id, text])?;
        if known != 0 {
            return Ok(Ok(None));
        }
        let (secret, hash) = self.client_secret();
        self.db
            .prepare_cached(
                "INSERT INTO oidc_clients (bot_id, client, secret) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![bot_id, text, hash])?;
        Ok(Ok(Some(secret)))
    }

    /// Gives the OpenID client of a bot a new secret; `None` if it has no client.
    pub(crate) fn new_client_secret(&mut self, bot_id: i64) -> Outcome<Option<ClientSecret>> {
        let (secret, hash) = self.client_secret();
        let known = self
            .db
            .prepare_cached("UPDATE oidc_clients SET secret = ?2 WHERE bot_id = ?1")?
            .execute(params![bot_id, hash])?;
        Ok((known != 0).then_some(secret))
    }

    /// The OpenID client of a bot, with the SHA-256 of its secret.
    pub(crate) fn oidc_client(&self, bot_id: i64) -> Outcome<Option<(OidcClient, [u8; 32])>> {
        Ok(self
            .db
            .prepare_cached("SELECT client, secret FROM oidc_clients WHERE bot_id = ?1")?
            .query_row([bot_id], |row| Ok((read(&row.get::<_, String>(0)?)?, row.get(1)?)))
            .optional()?)
    }

    /// The bot whose OpenID client has this `client_id`, the client, and the SHA-256 of its secret. There
    /// is one way to write it: `aud` of an id_token is compared letter by letter.
    pub(crate) fn oidc_client_called(
        &self,
        client_id: &str,
    ) -> Outcome<Option<(User, OidcClient, [u8; 32])>> {
        let Some(bot_id) = client_id.parse().ok().filter(|id: &i64| id.to_string() == client_id)
        else {
            return Ok(None);
        };
        let known = self.user(bot_id)?.zip(self.oidc_client(bot_id)?);
        Ok(known.map(|(bot, (client, secret))| (bot, client, secret)))
    }

    /// A secret and its hash.
    fn client_secret(&mut self) -> (ClientSecret, [u8; 32]) {
        let secret = Zeroizing::new(self.token());
        let hash = sha256(&[secret.as_bytes()]);
        (ClientSecret::new(secret), hash)
    }
}

fn json(client: &OidcClient) -> rusqlite::Result<String> {
    serde_json::to_string(client)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn read(text: &str) -> rusqlite::Result<OidcClient> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })
}
