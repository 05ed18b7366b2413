//! The websites that an account is logged in to with Telegram.
//!
//! See core.telegram.org/widgets/login. Only people have such sessions, bots do not. Ending one
//! makes Telegram forget it; what the website itself remembers is the website's business. A hash of
//! a web session never names a [device](crate::DeviceSession), nor the other way round.

pub(crate) mod reset;
pub(crate) mod watch;

use std::{
    cmp::Reverse,
    collections::HashMap,
    time::{Duration, SystemTime},
};

use crate::{
    Client,
    api::{account, enums, types},
    error::Error,
    security::time,
};

/// One website that the account is logged in to, in one browser; [`Client::web_sessions`] lists
/// them.
#[derive(Clone, Debug, PartialEq)]
pub struct WebSession {
    raw: types::WebAuthorization,
    bot: Option<Box<types::User>>,
}

impl WebSession {
    /// Joins a row that Telegram listed with the bot that it names, as
    /// [`Client::web_sessions`] does.
    pub fn new(raw: types::WebAuthorization, bot: Option<types::User>) -> Self {
        Self { raw, bot: bot.map(Box::new) }
    }

    /// Names this session in [`Client::reset_web_session`]. Any number but 0, also negative; unique
    /// within the account.
    pub const fn hash(&self) -> i64 {
        self.raw.hash
    }

    /// The domain of the website. One website may be there several times, once for each browser.
    pub fn domain(&self) -> &str {
        &self.raw.domain
    }

    /// Whether it is at this domain. Case is of no matter.
    pub fn is_at(&self, domain: &str) -> bool {
        self.domain().eq_ignore_ascii_case(domain)
    }

    /// The id of the bot that the website logs in with.
    pub const fn bot_id(&self) -> i64 {
        self.raw.bot_id
    }

    /// The bot that the website logs in with; one that was deleted says so itself. `None` if
    /// Telegram left it out.
    pub fn bot(&self) -> Option<&types::User> {
        self.bot.as_deref()
    }

    /// The first username of the bot, without `@`; a deleted bot has none.
    pub fn bot_username(&self) -> Option<&str> {
        self.bot_usernames().next()
    }

    /// Whether it is of this bot, by one of its usernames, with `@` or without, or by its id. Case is
    /// of no matter.
    pub fn is_of_bot(&self, name_or_id: &str) -> bool {
        let name = name_or_id.strip_prefix('@').unwrap_or(name_or_id);
        self.bot_usernames().any(|username| username.eq_ignore_ascii_case(name))
            || name_or_id.parse() == Ok(self.bot_id())
    }

    /// The browser that the login came from, like `Chrome 139`: what it called itself. A stranger may have
    /// written it, so neutralise control characters before it goes to a terminal.
    pub fn browser(&self) -> &str {
        &self.raw.browser
    }

    /// The operating system of that browser, like `Windows`, as it said itself.
    pub fn platform(&self) -> &str {
        &self.raw.platform
    }

    /// The address that the login came from, IPv4 or IPv6, as text.
    pub fn ip(&self) -> &str {
        &self.raw.ip
    }

    /// Where that address is, as far as Telegram can tell: a place and a country, in words.
    pub fn region(&self) -> &str {
        &self.raw.region
    }

    /// When it began, by the server's clock, to the second.
    pub fn created(&self) -> SystemTime {
        time(self.raw.date_created)
    }

    /// When it was used last, by the server's clock, to the second; `None` if Telegram does not know.
    pub fn last_active(&self) -> Option<SystemTime> {
        (self.raw.date_active != 0).then(|| time(self.raw.date_active))
    }

    /// How long ago it began, seen from `now`; nothing if that is before.
    pub fn age(&self, now: SystemTime) -> Duration {
        now.duration_since(self.created()).unwrap_or_default()
    }

    /// How long it has not been used, seen from `now`; its age, if Telegram does not know.
    pub fn idle(&self, now: SystemTime) -> Duration {
        now.duration_since(time(self.used())).unwrap_or_default()
    }

    /// All that Telegram said, for what has no method here.
    pub const fn raw(&self) -> &types::WebAuthorization {
        &self.raw
    }

    /// When it was used last, or began where that is not known: what the official apps sort by.
    fn used(&self) -> i32 {
        match self.raw.date_active {
            0 => self.raw.date_created,
            active => active,
        }
    }

    /// The usernames that name the bot now. See core.telegram.org/constructor/user.
    fn bot_usernames(&self) -> impl Iterator<Item = &str> {
        let bot = self.bot.as_deref();
        let first = bot.and_then(|bot| bot.username.as_deref());
        let more = bot.and_then(|bot| bot.usernames.as_deref()).unwrap_or_default();
        let more = more.iter().filter(|name| name.active).map(|name| name.username.as_str());
        first.into_iter().chain(more)
    }
}

impl Client {
    /// The websites that the account is logged in to, the most recently used first, as the official
    /// apps show them.
    ///
    /// ```no_run
    /// # use std::time::{Duration, SystemTime};
    /// # async fn example(client: chappe::Client) -> Result<(), chappe::Error> {
    /// let mut sites = client.web_sessions().await?;
    /// let (now, month) = (SystemTime::now(), Duration::from_secs(30 * 86_400));
    /// sites.retain(|site| site.idle(now) > month);
    /// let report = client.reset_web_sessions(&sites).block_bots().await?;
    /// for (site, why) in report.failures() {
    ///     println!("{} is still there: {why}", site.domain());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `BOT_METHOD_INVALID` for a bot, `AUTH_KEY_UNREGISTERED` if nobody is signed in; the errors
    /// of [`invoke`](Self::invoke).
    ///
    /// # Cancel safety
    /// It only asks.
    pub async fn web_sessions(&self) -> Result<Vec<WebSession>, Error> {
        Ok(join(self.invoke(&account::GetWebAuthorizations).await?))
    }
}

fn join(answer: types::account::WebAuthorizations) -> Vec<WebSession> {
    let bots: HashMap<i64, types::User> = answer
        .users
        .into_iter()
        .filter_map(|user| match user {
            enums::User::User(user) => Some((user.id, user)),
            _ => None,
        })
        .collect();
    let row = |raw: types::WebAuthorization| {
        let bot = bots.get(&raw.bot_id).cloned();
        WebSession::new(raw, bot)
    };
    let mut rows: Vec<_> = answer.authorizations.into_iter().map(row).collect();
    rows.sort_by_key(|row| Reverse(row.used()));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bot(id: i64, username: Option<&str>) -> types::User {
        types::User { username: username.map(Into::into), bot: true, ..types::User::new(id) }
    }

    fn row(hash: i64, bot_id: i64, created: i32, active: i32) -> types::WebAuthorization {
        types::WebAuthorization {
            hash,
            bot_id,
            domain: "Shop.example.net".into(),
            browser: "Firefox".into(),
            platform: "Linux".into(),
            date_created: created,
            date_active: active,
            ip: "192.0.2.1".into(),
            region: "Nowhere".into(),
        }
    }

    fn joined(
        authorizations: Vec<types::WebAuthorization>,
        users: Vec<enums::User>,
    ) -> Vec<WebSession> {
        join(types::account::WebAuthorizations { authorizations, users })
    }

    #[test]
    fn sites_are_sorted_by_last_use_or_by_login_where_there_was_none() {
        let rows = vec![row(1, 7, 50, 60), row(2, 7, 70, 0), row(3, 7, 10, 80), row(4, 7, 1, 0)];
        let hashes: Vec<_> = joined(rows, vec![]).iter().map(WebSession::hash).collect();
        assert_eq!(hashes, [3, 2, 1, 4]);
    }

    #[test]
    fn a_bot_is_found_by_every_active_name_and_by_its_id() {
        let name =
            |active, username: &str| types::Username { active, ..types::Username::new(username) };
        let names = vec![name(true, "ShopBot"), name(false, "OldBot")];
        let many = types::User { usernames: Some(names), ..bot(7, None) };
        let sites = joined(vec![row(1, 7, 1, 0)], vec![many.into()]);
        for yes in ["@ShopBot", "shopbot", "7"] {
            assert!(sites[0].is_of_bot(yes), "{yes}");
        }
        for no in ["OldBot", "@7", "", "@", "8"] {
            assert!(!sites[0].is_of_bot(no), "{no}");
        }
        assert_eq!(sites[0].bot_username(), Some("ShopBot"));
        assert!(sites[0].is_at("shop.EXAMPLE.net") && !sites[0].is_at("example.net"));
    }

    #[test]
    fn a_bot_that_was_deleted_or_left_out_hides_no_site() {
        let deleted = types::User { deleted: true, ..bot(7, None) };
        let empty = types::UserEmpty { id: 8 };
        let rows = vec![row(1, 7, 3, 0), row(2, 8, 2, 0), row(3, 9, 1, 0)];
        let sites = joined(rows, vec![deleted.into(), empty.into()]);
        assert_eq!(sites.len(), 3);
        assert!(sites[0].bot().unwrap().deleted && sites[0].bot_username().is_none());
        assert!(sites[1].bot().is_none() && sites[1].is_of_bot("8"));
        assert!(sites[2].bot().is_none());
    }

    #[test]
    fn age_and_idleness_are_never_less_than_nothing() {
        let [used, unused] = [row(1, 7, 1_000, 1_500), row(2, 7, 1_000, 0)]
            .map(|row| joined(vec![row], vec![]).remove(0));
        let seconds = Duration::from_secs;
        assert_eq!(used.age(time(2_000)), seconds(1_000));
        assert_eq!(
            (used.idle(time(2_000)), unused.idle(time(2_000))),
            (seconds(500), seconds(1_000))
        );
        assert_eq!((used.idle(time(1_200)), used.age(time(10))), (seconds(0), seconds(0)));
    }
}
