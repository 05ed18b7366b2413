//! The demonstration account: what a new world begins with.

use super::{WebAuthorization, WebLogin, World};
use crate::{
    failure::Outcome,
    handle::{Account, Bot},
};

/// The phone number of the demonstration account.
const PHONE: &str = "9996621234";

/// The hash in the example of core.telegram.org's page of `account.resetWebAuthorization`.
const EXAMPLE_HASH: i64 = 4_457_235;

/// The username, the name and the domain of each bot.
const BOTS: [(&str, &str, &str); 3] = [
    ("ColumbusDemoBot", "Columbus Travel", "travel.example.com"),
    ("LumiereNewsBot", "Lumière News", "news.example.org"),
    ("SemaphoreShopBot", "Semaphore Shop", "shop.example.net"),
];

/// One seeded web login; times are seconds before the world began, `None` is a time of 0.
struct Row {
    bot: usize,
    domain: &'static str,
    browser: &'static str,
    platform: &'static str,
    ip: &'static str,
    region: &'static str,
    created: i32,
    active: Option<i32>,
}

/// Documentation addresses (RFC 5737, RFC 3849) and domains (RFC 2606) only.
const ROWS: [Row; 6] = [
    Row {
        bot: 0,
        domain: "travel.example.com",
        browser: "Firefox 128",
        platform: "Linux",
        ip: "192.0.2.17",
        region: "Amsterdam, Netherlands",
        created: 40 * DAY,
        active: Some(3_600),
    },
    Row {
        bot: 0,
        domain: "travel.example.com",
        browser: "Safari 18",
        platform: "iOS",
        ip: "2001:db8::2a",
        region: "Reykjavík, Ísland",
        created: 12 * DAY,
        active: Some(2 * DAY),
    },
    Row {
        bot: 1,
        domain: "news.example.org",
        browser: "Chrome 139",
        platform: "Windows",
        ip: "198.51.100.4",
        region: "Київ, Україна",
        created: 300 * DAY,
        active: None,
    },
    Row {
        bot: 2,
        domain: "shop.example.net",
        browser: "Edge 140",
        platform: "Windows",
        ip: "203.0.113.99",
        region: "東京, 日本",
        created: 5 * DAY,
        active: Some(5 * DAY - 60),
    },
    Row {
        bot: 2,
        domain: LONG_DOMAIN,
        browser: "Chrome 139",
        platform: "Android",
        ip: "203.0.113.7",
        region: "São Paulo, Brasil",
        created: 90 * DAY,
        active: Some(60 * DAY),
    },
    Row {
        bot: 1,
        domain: "oauth.example.com",
        browser: "Opera 120",
        platform: "macOS",
        ip: "192.0.2.200",
        region: "München, Deutschland",
        created: DAY,
        active: Some(60),
    },
];

const DAY: i32 = 86_400;

/// Long enough for the long form of a TL string, which begins at 254 bytes.
const LONG_DOMAIN: &str = concat!(
    "a-name-that-is-as-long-as-one-label-of-the-domain-name-systems",
    ".a-name-that-is-as-long-as-one-label-of-the-domain-name-systems",
    ".a-name-that-is-as-long-as-one-label-of-the-domain-name-systems",
    ".a-name-that-is-as-long-as-one-label-of-the-domain-name-systems",
    ".example.com"
);

impl World {
    /// Fills a new world: one account, its bots and its web logins.
    pub(super) fn seed(&mut self, now: i32) -> Outcome<()> {
        self.seed_password_salts()?;
        let user_id = self.add_person(now, PHONE, "Claude", "Chappe")?;
        self.db
            .execute("UPDATE users SET demonstration = 1, dc = NULL WHERE id = ?1", [user_id])?;
        let mut bots = Vec::with_capacity(BOTS.len());
        for (username, name, domain) in BOTS {
            let bot_id = self.add_bot(now, username, name)?;
            self.set_bot_domain(bot_id, Some(domain))?;
            bots.push(bot_id);
        }
        for (index, row) in ROWS.into_iter().enumerate() {
            let hash = match (index, self.fresh_hash()?) {
                (0, _) => EXAMPLE_HASH,
                (1, hash) => hash | i64::MIN,
                (_, hash) => hash & i64::MAX,
            };
            let authorization = WebAuthorization {
                hash,
                bot_id: bots[row.bot],
                created: now.saturating_sub(row.created),
                active: row.active.map_or(0, |ago| now.saturating_sub(ago)),
                login: WebLogin {
                    domain: row.domain.to_owned(),
                    browser: row.browser.to_owned(),
                    platform: row.platform.to_owned(),
                    ip: row.ip.to_owned(),
                    region: row.region.to_owned(),
                },
            };
            self.add_web_authorization(user_id, &authorization)?;
        }
        Ok(())
    }

    /// The accounts that were there from the start.
    pub(crate) fn demonstration_accounts(&self) -> rusqlite::Result<Vec<Account>> {
        let mut statement = self
            .db
            .prepare("SELECT phone, id, dc FROM users WHERE demonstration = 1 ORDER BY id")?;
        let rows = statement.query_map([], |row| {
            let phone: String = row.get(0)?;
            let code = (self.codes)(&phone).unwrap_or_default();
            let dc_id = self.dcs.settle(row.get(2)?);
            Ok(Account { phone, code, user_id: row.get(1)?, dc_id })
        })?;
        rows.collect()
    }

    /// The bots.
    pub(crate) fn bots(&self) -> rusqlite::Result<Vec<Bot>> {
        let mut statement = self.db.prepare(
            "SELECT bot_token, id, username, dc FROM users WHERE bot_token IS NOT NULL
             ORDER BY username",
        )?;
        let rows = statement.query_map([], |row| {
            let dc_id = self.dcs.settle(row.get(3)?);
            Ok(Bot { token: row.get(0)?, user_id: row.get(1)?, username: row.get(2)?, dc_id })
        })?;
        rows.collect()
    }
}
