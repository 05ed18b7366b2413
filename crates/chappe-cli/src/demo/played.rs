//! `chappe demo --web` where nobody sits: the whole circle by itself, each step checked. In by both
//! ways, listed, ended, and what the site makes of it.

use std::time::Instant;

use chappe::{UrlAuth, UrlAuthGrant, WebSession};
use chappe_login::Fields;
use chappe_server::logins::Login;
use serde_json::{Value, json};

use super::Story;
use super::browser::{Browser, Page, origin};
use super::stage::Stage;
use crate::errors::failure;
use crate::output::{Exit, Failure, printable};
use crate::serve;
use crate::web::view;

/// Plays it.
pub(super) async fn play(stage: &Stage, story: &mut Story) -> Result<(), Failure> {
    for way in [Way::Widget, Way::OpenId] {
        Scene { stage, story, way, browser: Browser::default() }.play().await?;
    }
    Scene { stage, story, way: Way::OpenId, browser: Browser::default() }.decline().await
}

/// A way in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    OpenId,
    Widget,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::OpenId => "openid",
            Self::Widget => "widget",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::OpenId => "OpenID Connect",
            Self::Widget => "the Login Widget",
        }
    }
}

/// One person with one browser.
struct Scene<'a> {
    stage: &'a Stage,
    story: &'a mut Story,
    way: Way,
    browser: Browser,
}

/// What a page of the local Telegram shows that waits for a person.
struct Waiting {
    /// Names the request in this browser.
    handle: String,
    /// What the person's app opens.
    link: String,
    /// Where the site wants the widget's fields; nothing for OpenID Connect.
    back: String,
}

impl Scene<'_> {
    async fn play(mut self) -> Result<(), Failure> {
        let before = self.list().await?;
        let waiting = self.click().await?;
        self.consent(&waiting).await?;
        let (page, entrance) = self.enter(&waiting).await?;
        self.greeted(&page)?;
        self.replay(&entrance).await?;
        let site = self.appeared(&before).await?;
        self.reset(&site).await?;
        self.cookie().await
    }

    /// Clicks, and says no at the app.
    async fn decline(mut self) -> Result<(), Failure> {
        let before = self.list().await?;
        let waiting = self.click().await?;
        let began = Instant::now();
        match self.stage.client.url_auth(&waiting.link).await.map_err(failure)? {
            UrlAuth::Consent(consent) => consent.decline().await.map_err(failure)?,
            other => return Err(unexpected(format!("no question was asked: {other:?}"))),
        }
        let (page, _) = self.enter(&waiting).await?;
        check(!is_greeting(&page), "the site greets somebody who said no")?;
        check(self.list().await?.len() == before.len(), "a login that was declined is listed")?;
        self.step("decline", began, "the person says no: the site greets nobody, nothing is listed")
    }

    async fn list(&self) -> Result<Vec<WebSession>, Failure> {
        self.stage.client.web_sessions().await.map_err(failure)
    }

    /// The person clicks "Log in with Telegram" on the site.
    async fn click(&mut self) -> Result<Waiting, Failure> {
        let began = Instant::now();
        let (site, web) = (self.stage.site.clone(), self.stage.web.clone());
        let page = self.browser.open(&format!("{site}/")).await?;
        check(page.status == 200 && !is_greeting(&page), "the site knows who comes")?;
        let (page, back) = match self.way {
            Way::OpenId => {
                let page = self.browser.submit(&format!("{site}/login/openid"), "write=on").await?;
                (page, String::new())
            }
            Way::Widget => {
                // What the script of the widget does: a frame with a button, which opens a window.
                let back = page.between("data-auth-url=\"", "\"")?;
                let bot = page.between("data-telegram-login=\"", "\"")?;
                let asks = [
                    ("origin", site.as_str()),
                    ("return_to", back.as_str()),
                    ("request_access", "write"),
                ];
                let asks = Fields::from_pairs(asks).map_err(unexpected)?.to_query();
                let frame = self.browser.open(&format!("{web}/embed/{bot}?{asks}")).await?;
                let window = frame.between("href=\"/auth?", "\"")?;
                (self.browser.open(&format!("{web}/auth?{window}")).await?, back)
            }
        };
        check(origin(&page.url) == web, "the site does not send the browser to Telegram")?;
        let handle = page.between("data-request=\"", "\"")?;
        let link = page.between("<code class=\"link\">", "<")?;
        let text = format!("a browser opens {site} and clicks: by {}", self.way.words());
        self.step("click", began, &text)?;
        Ok(Waiting { handle, link, back })
    }

    /// The person sees who asks, and says yes: on the dashboard, or in an app.
    async fn consent(&mut self, waiting: &Waiting) -> Result<(), Failure> {
        let began = Instant::now();
        let logins = self.stage.server.logins();
        let pending = logins.pending().await.map_err(serve::failure)?;
        let [login] = &pending[..] else {
            return Err(unexpected(format!("{} logins wait instead of one", pending.len())));
        };
        check(login.domain == "localhost" && login.asks.write, "another site asks")?;
        let place = match self.way {
            Way::Widget => {
                self.approve_on_dashboard(login.id).await?;
                "on the dashboard"
            }
            Way::OpenId => {
                let asked = self.stage.client.url_auth(&waiting.link).await.map_err(failure)?;
                let UrlAuth::Consent(consent) = asked else {
                    return Err(unexpected(format!("no question was asked: {asked:?}")));
                };
                check(consent.domain() == login.domain, "the app is told of another site")?;
                let grant = UrlAuthGrant::new().write(true);
                consent.accept(&grant).await.map_err(failure)?;
                "in an app, by the link of the page"
            }
        };
        let text = format!("{}: approved {place}", asks(login));
        let value = json!({ "login": login_json(login) });
        self.tell("consent", began, text, value)
    }

    /// Says yes on the dashboard, as somebody at its page does.
    async fn approve_on_dashboard(&self, id: i64) -> Result<(), Failure> {
        // The person's own browser, which the site does not share.
        let mut own = Browser::default();
        own.open(&self.stage.dashboard).await?;
        let room = self.stage.dashboard.split('?').next().unwrap_or_default();
        let login = format!("{room}logins/{id}");
        let ticket = own.open(&login).await?.between("name=\"ticket\" value=\"", "\"")?;
        let form = format!("ticket={ticket}&user={}&write=yes", self.stage.user_id);
        let page = own.submit(&format!("{login}/approve"), &form).await?;
        check(page.status == 200, "the dashboard does not take the answer")
    }

    /// The browser goes on; gives the page that it ends at, and where the site let it in.
    async fn enter(&mut self, waiting: &Waiting) -> Result<(Page, String), Failure> {
        let (web, handle) = (&self.stage.web, &waiting.handle);
        let ended = self.browser.submit(&format!("{web}/auth/login?request={handle}"), "").await?;
        check(ended.text == "true", "the page of Telegram does not see the answer")?;
        match self.way {
            Way::OpenId => {
                let push = format!("{web}/auth/push?request={handle}");
                let entrance = self.browser.sent_from(&push).await?;
                Ok((self.browser.open(&entrance).await?, entrance))
            }
            Way::Widget => {
                let push = format!("{web}/auth/push?request={handle}&how=message");
                let page = self.browser.open(&push).await?;
                let message: Value = serde_json::from_str(&page.between("data-message=\"", "\"")?)
                    .map_err(unexpected)?;
                let result = message.get("result").cloned().unwrap_or_default();
                let fields = Fields::from_json(&result.to_string()).map_err(unexpected)?;
                let entrance = format!("{}?{}", waiting.back, fields.to_query());
                Ok((self.browser.open(&entrance).await?, entrance))
            }
        }
    }

    fn greeted(&mut self, page: &Page) -> Result<(), Failure> {
        let began = Instant::now();
        check(is_greeting(page), "the site does not greet who was let in")?;
        let name = page.between("Hello, <bdi>", "<")?;
        let text = format!("the site checked what Telegram said, and greets {}", printable(&name));
        self.tell("greeting", began, text, json!({ "name": name }))
    }

    /// The way in that was used leads nobody in again.
    async fn replay(&mut self, entrance: &str) -> Result<(), Failure> {
        let began = Instant::now();
        let page = Browser::default().open(entrance).await?;
        check(!is_greeting(&page) && page.status >= 400, "another browser comes in the same way")?;
        let page = self.browser.open(entrance).await?;
        check(page.status >= 400, "the same way in is open twice")?;
        self.step(
            "replay",
            began,
            "the same address once more, here and in another browser: refused",
        )
    }

    async fn appeared(&mut self, before: &[WebSession]) -> Result<WebSession, Failure> {
        let began = Instant::now();
        let mut sites = self.list().await?;
        sites.retain(|site| before.iter().all(|known| known.hash() != site.hash()));
        let [site] = &sites[..] else {
            return Err(unexpected(format!("{} new web sessions are listed", sites.len())));
        };
        check(site.domain() == "localhost", "the new web session is another site's")?;
        let text = format!("chappe web list: {}", view::line(site));
        self.tell("list", began, text, json!({ "web_authorization": view::row_json(site) }))?;
        Ok(site.clone())
    }

    async fn reset(&mut self, site: &WebSession) -> Result<(), Failure> {
        let began = Instant::now();
        let hash = site.hash();
        let reset = self.stage.client.reset_web_session(hash).await.map_err(failure)?;
        check(reset, "Telegram does not know the web session that it listed")?;
        let left = self.list().await?;
        check(left.iter().all(|site| site.hash() != hash), "it is listed after it was ended")?;
        let text = format!("chappe web reset {hash}: gone from the list");
        self.tell("reset", began, text, json!({ "hash": hash.to_string() }))
    }

    /// What nobody should be told otherwise: the site's own session goes on.
    async fn cookie(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        let site = format!("{}/", self.stage.site);
        let page = self.browser.open(&site).await?;
        check(is_greeting(&page), "the site heard of the reset, which Telegram tells nobody")?;
        let page = self.browser.submit(&format!("{site}logout"), "").await?;
        check(!is_greeting(&page), "the site still greets who logged out there")?;
        self.step(
            "cookie",
            began,
            "the site still greets: its own cookie is its own affair. Logged out there, it does not",
        )
    }

    fn step(&mut self, step: &str, began: Instant, text: &str) -> Result<(), Failure> {
        self.tell(step, began, text.to_owned(), json!({}))
    }

    fn tell(
        &mut self,
        step: &str,
        began: Instant,
        text: String,
        mut value: Value,
    ) -> Result<(), Failure> {
        value["way"] = json!(self.way.name());
        self.story.step(step, began, || (text, value))
    }
}

/// Who asks for a login, from where, and for what.
pub(super) fn asks(login: &Login) -> String {
    let mut text = format!(
        "{} (@{}) asks who you are, from {} on {}, {}, {}",
        printable(&login.domain),
        printable(&login.bot.username),
        printable(&login.browser),
        printable(&login.platform),
        printable(&login.ip),
        printable(&login.region),
    );
    if login.asks.phone {
        text.push_str(", and for your phone number");
    }
    if login.asks.write {
        text.push_str(", and whether its bot may write to you");
    }
    text
}

fn login_json(login: &Login) -> Value {
    // It has a JSON form of its own, which cannot fail.
    serde_json::to_value(login).unwrap_or_default()
}

fn is_greeting(page: &Page) -> bool {
    page.status == 200 && page.text.contains("Hello, <bdi>")
}

fn check(holds: bool, otherwise: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(unexpected(otherwise)) }
}

fn unexpected(what: impl ToString) -> Failure {
    Failure::new(Exit::Other, what.to_string()).about("the circle is broken")
}
