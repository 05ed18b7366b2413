//! The moment in which a person logs in to a site: the web authorization, what the bot may do from then
//! on, and what Telegram writes about it.

use chappe_api::errors;

use crate::failure::Outcome;
use crate::logins::Scopes;
use crate::world::{
    Allowed, Caller, NewMessage, ServiceCallback, Told, User, WebLogin, World, append_fields,
    inline_rows, service_button,
};

/// A page of a bot's site that a person opens from the app, logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// The bot.
    pub(crate) bot_id: i64,
    /// The address.
    pub(crate) url: String,
    /// The host in it.
    pub(crate) domain: String,
    /// Whether the bot wants to write to the person, and may not yet.
    pub(crate) write: bool,
}

impl World {
    /// Logs a user in to a site; tells the hash of the web authorization.
    pub(in crate::world) fn log_in_to_site(
        &mut self,
        now: i32,
        user_id: i64,
        (bot_id, login): (i64, &WebLogin),
        granted: Scopes,
    ) -> Outcome<i64> {
        let hash = self.renew_web_authorization(now, user_id, bot_id, login)?;
        if granted.write {
            // Assumed: a login by a button or by OpenID Connect lets the bot write in the same way as one
            // by the widget.
            let allowed = Allowed::Domain(login.domain.clone());
            self.allow_bot(now, user_id, bot_id, allowed, Told::All)?;
        }
        self.tell_of_login(now, user_id, (bot_id, login), (granted, hash))?;
        Ok(hash)
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
        (page, write): (&Page, bool),
    ) -> Outcome<String> {
        let user = self.user(user_id)?.ok_or(errors::AUTH_KEY_UNREGISTERED)?;
        let fields = self.login_fields(now, &user, page.bot_id)?;
        let device = self.device(caller.auth_key_id)?;
        let browser = format!("Telegram {}", device.app_version);
        let platform = device.system_version.split(' ').next().unwrap_or_default();
        let login = WebLogin::of_browser(&page.domain, browser.trim_end(), platform, caller.ip);
        let granted = Scopes { profile: true, phone: false, write: page.write && write };
        self.log_in_to_site(now, user_id, (page.bot_id, &login), granted)?;
        Ok(append_fields(&page.url, &fields))
    }

    /// Writes to a user what a site knows from now on and what its bot may do, with a button that ends the
    /// login right there. (core.telegram.org/widgets/login-legacy)
    fn tell_of_login(
        &mut self,
        now: i32,
        user_id: i64,
        (bot_id, login): (i64, &WebLogin),
        (granted, hash): (Scopes, i64),
    ) -> Outcome<()> {
        let (user, bot) = (self.user(user_id)?, self.user(bot_id)?);
        let (Some(user), Some(bot)) = (user, bot) else { return Ok(()) };
        let mut knows = knows_first(granted);
        if granted.profile && user.username.is_some() {
            knows.push("your username");
        }
        if granted.phone {
            knows.push("your phone number");
        }
        let write = match self.may_write(bot_id, user_id)? {
            true => "may write to you",
            false => "may not write to you",
        };
        let text = format!(
            "You logged in to {} as {}.\n\nThe site knows {}. {} {write}.\n\n{}\n\nIf it was not you, \
             log out there with the button below.",
            login.domain,
            user.full_name(),
            listed(&knows),
            bot_name(&bot),
            place(login)
        );
        let ends = ServiceCallback::ResetWebAuthorization(hash);
        let button = service_button(&format!("Log out of {}", login.domain), &ends);
        let markup = Some(inline_rows(vec![vec![button]]));
        self.service_message(now, user_id, NewMessage { markup, ..NewMessage::text(text) })?;
        Ok(())
    }
}

/// What a site knows in any case. Without the profile, OpenID Connect tells it no user id.
pub(in crate::world) fn knows_first(scopes: Scopes) -> Vec<&'static str> {
    match scopes.profile {
        true => vec!["your number at Telegram", "your name"],
        false => vec!["a name for you that only it knows"],
    }
}

/// How a bot is called.
pub(in crate::world) fn bot_name(bot: &User) -> String {
    match &bot.username {
        Some(username) => format!("{} (@{username})", bot.first_name),
        None => bot.first_name.clone(),
    }
}

/// Where a login comes from, in two lines.
pub(in crate::world) fn place(login: &WebLogin) -> String {
    let WebLogin { browser, platform, ip, region, .. } = login;
    format!("Browser: {browser}, {platform}\nAddress: {ip}, {region}")
}

/// Words with commas, and an "and" before the last.
pub(in crate::world) fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
