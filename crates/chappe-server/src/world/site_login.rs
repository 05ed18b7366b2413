//! The moment in which a person logs in to a site: the web authorization, what the bot may do from then
//! on, and what Telegram writes about it.

use chappe_api::errors;

use super::{Caller, Scopes, WebLogin, World, login_fields::append_fields};
use crate::failure::Outcome;

/// A page of a bot's site that a person opens from the app, logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// The bot.
    pub(crate) bot_id: i64,
    /// The address.
    pub(crate) url: String,
    /// The host in it.
    pub(crate) domain: String,
    /// Whether the bot wants to write to the person.
    pub(crate) write: bool,
}

impl World {
    /// Logs a user in to a site; tells the hash of the web authorization.
    pub(super) fn log_in_to_site(
        &mut self,
        now: i32,
        user_id: i64,
        (bot_id, login): (i64, &WebLogin),
        _granted: Scopes,
    ) -> Outcome<i64> {
        self.renew_web_authorization(now, user_id, bot_id, login)
    }

    /// Whether a page is opened without a question: the person is logged in to the site, and nothing
    /// more is asked. Assumed: when exactly Telegram asks is not known.
    pub(crate) fn opens_unasked(&self, user_id: i64, page: &Page) -> Outcome<bool> {
        Ok(!page.write && self.is_logged_in(user_id, page.bot_id, &page.domain)?)
    }

    /// The address of a page with what the site is told about the person who opens it. The browser that
    /// will open it is not known yet. Assumed: the list of web authorizations tells the app instead.
    pub(crate) fn open_page(
        &mut self,
        now: i32,
        caller: Caller,
        user_id: i64,
        (page, granted): (&Page, Scopes),
    ) -> Outcome<String> {
        let user = self.user(user_id)?.ok_or(errors::AUTH_KEY_UNREGISTERED)?;
        let fields = self.login_fields(now, &user, page.bot_id)?;
        let device = self.device(caller.auth_key_id)?;
        let browser = format!("Telegram {}", device.app_version);
        let platform = device.system_version.split(' ').next().unwrap_or_default();
        let login = WebLogin::of_browser(&page.domain, browser.trim_end(), platform, caller.ip);
        self.log_in_to_site(now, user_id, (page.bot_id, &login), granted)?;
        Ok(append_fields(&page.url, &fields))
    }
}
