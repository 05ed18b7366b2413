//! Which pages know Telegram: two lists of the application configuration.
//!
//! See core.telegram.org/api/config#client-configuration.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chappe_tl::Text;

use crate::{
    Client,
    api::{
        enums::{self, JsonValue},
        help, types,
    },
    error::Error,
};

/// The two lists.
#[derive(Default)]
pub(crate) struct LoginDomains {
    hash: i32,
    asking: Vec<Text>,
    by_token: Vec<Text>,
}

impl LoginDomains {
    /// Whether the person is asked before a page of this host is opened.
    pub(super) fn ask(&self, host: &str) -> bool {
        self.asking.iter().any(|domain| domain == host)
    }

    /// Whether a page of this host logs in by a token, without a question.
    pub(super) fn log_in_by_token(&self, host: &str) -> bool {
        self.by_token.iter().any(|domain| domain == host)
    }

    fn read(config: &types::help::AppConfig) -> Self {
        let list = |name: &str| -> Vec<Text> {
            let JsonValue::JsonObject(object) = &config.config else { return Vec::new() };
            let found = object.value.iter().find(|entry| entry.key == name);
            let Some(JsonValue::JsonArray(array)) = found.map(|entry| &entry.value) else {
                return Vec::new();
            };
            let text = |value: &JsonValue| match value {
                JsonValue::JsonString(text) => Some(text.value.to_ascii_lowercase()),
                _ => None,
            };
            array.value.iter().filter_map(text).collect()
        };
        Self {
            hash: config.hash,
            asking: list("url_auth_domains"),
            by_token: list("autologin_domains"),
        }
    }
}

/// What was read last, and until when it is taken as it is.
#[derive(Default)]
pub(crate) struct KnownDomains {
    last: Mutex<Option<(Arc<LoginDomains>, Duration)>>,
}

impl Client {
    /// The lists, not older than an hour.
    pub(super) async fn login_domains(&self) -> Result<Arc<LoginDomains>, Error> {
        let now = self.gate().now();
        let known = &self.known_domains().last;
        let last = known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((domains, until)) = &last
            && now < *until
        {
            return Ok(domains.clone());
        }
        let hash = last.as_ref().map_or(0, |(domains, _)| domains.hash);
        let fresh = match (self.invoke(&help::GetAppConfig { hash }).await?, last) {
            (enums::help::AppConfig::AppConfig(config), _) => LoginDomains::read(&config).into(),
            (_, Some((domains, _))) => domains,
            (_, None) => Arc::default(),
        };
        let until = now.saturating_add(LIFETIME);
        *known.lock().unwrap_or_else(PoisonError::into_inner) = Some((Arc::clone(&fresh), until));
        Ok(fresh)
    }
}

/// How long the lists are taken as they are.
const LIFETIME: Duration = Duration::from_secs(3600);
