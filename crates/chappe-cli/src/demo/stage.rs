//! What the circle of a web login is played on: a local Telegram with its pages, a site that people
//! log in to with it, and an account that is signed in.

use std::net::SocketAddr;
use std::time::Instant;

use chappe::Client;
use chappe_login::BotToken;
use chappe_login::oidc::{Alg, ClientSecret};
use chappe_server::bots::{BotSettings, OidcClient};
use chappe_server::{Handle, Server};
use chappe_site::{OpenId, Site};
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::Story;
use crate::output::{Exit, Failure};
use crate::serve;

pub(super) struct Stage {
    pub(super) server: Handle,
    pub(super) client: Client,
    /// Who is signed in.
    pub(super) user_id: i64,
    /// What the site is called, its start page's address, without a path.
    pub(super) site: String,
    /// Where the pages of the local Telegram are.
    pub(super) web: String,
    /// The dashboard's address, with its key.
    pub(super) dashboard: String,
    close: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), chappe_site::Error>>,
}

impl Stage {
    /// Starts it all.
    pub(super) async fn begin(story: &mut Story) -> Result<Self, Failure> {
        let began = Instant::now();
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = chappe_site::bind(free).await.map_err(failure)?;
        let port = listener.local_addr().map_err(failure)?.port();
        // Cookies know no ports: under another name the site does not get the dashboard's.
        let site = format!("http://localhost:{port}");
        let server = Server::builder().web(free).dashboard(free).start().await;
        let server = server.map_err(serve::failure)?;
        let said = server.announcement().clone();
        let (Some(web), Some(dashboard)) = (said.web, said.dashboard) else {
            return Err(Failure::new(Exit::Other, "the local Telegram serves no pages"));
        };
        let serving = Serving::of(&server, &site, &web).await?;
        let (close, closed) = oneshot::channel();
        let shutdown = async {
            // Whoever drops the sender wants the end as well.
            let _ = closed.await;
        };
        let serving = tokio::spawn(serving.0.serve(listener, shutdown));
        story.step("serve", began, || {
            let text = format!("a local Telegram with its pages, and a site: {site}");
            (text, json!({ "site": site, "web": web, "dashboard": dashboard }))
        })?;
        let client = story.connect(&server, "key_exchange").await?;
        story.sign_in(&client, &server).await?;
        let user_id = server.accounts().first().map(|account| account.user_id).unwrap_or_default();
        Ok(Self { server, client, user_id, site, web, dashboard, close, serving })
    }

    /// Ends it all.
    pub(super) async fn end(self) -> Result<(), Failure> {
        // A site that broke down says so below.
        let _ = self.close.send(());
        self.client.close().await.map_err(crate::errors::failure)?;
        self.server.shutdown().await.map_err(serve::failure)?;
        self.serving.abort();
        match self.serving.await {
            Ok(Err(error)) => Err(failure(error)),
            // Browsers may hold its connections; they are not waited for.
            _ => Ok(()),
        }
    }
}

/// The site before it is served.
struct Serving(Site);

impl Serving {
    /// Does at the local Telegram what a developer does with BotFather: a bot, its domain, and a
    /// client of OpenID Connect.
    async fn of(server: &Handle, url: &str, web: &str) -> Result<Self, Failure> {
        let father = server.bot_father();
        let bot = father.new_bot(BOT, "Example Site").await.map_err(serve::failure)?;
        let client = OidcClient::new().url(url).url(format!("{url}/login/openid/callback"));
        let settings = BotSettings::new().domain("localhost").oidc(client);
        let secret = father.set(BOT, settings).await.map_err(serve::failure)?;
        let secret = secret.ok_or_else(|| failure("the client of OpenID Connect has no secret"))?;
        let openid = OpenId {
            client_id: bot.user_id.to_string(),
            client_secret: ClientSecret::new(secret.as_str()).map_err(failure)?,
            alg: Alg::Rs256,
        };
        let token = BotToken::new(bot.token).map_err(failure)?;
        Ok(Self(Site::new(token, BOT).telegram(web).openid(openid).url(url)))
    }
}

fn failure(why: impl ToString) -> Failure {
    Failure::new(Exit::Other, why.to_string()).about("the example site")
}

/// The bot of the site.
const BOT: &str = "ExampleSiteBot";
