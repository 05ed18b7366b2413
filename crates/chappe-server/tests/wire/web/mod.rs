//! The pages that stand for oauth.telegram.org, as a browser and as an attacker sees them.

mod attacks;
mod dashboard;
mod doors;
mod log;
mod oidc;
mod oidc_attacks;
mod phone;
mod widget;

use std::net::SocketAddr;

use chappe_api::messages;
use chappe_server::{Handle, Server};
use tokio::io::DuplexStream;

use crate::{client::Client, http::Browser};

/// The site of the first seeded bot.
pub(crate) const SITE: &str = "https://travel.example.com";

/// A server with pages and a dashboard.
pub(crate) async fn server(seed: u64) -> Handle {
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    Server::builder().in_memory().seed(seed).web(free).dashboard(free).start().await.unwrap()
}

/// A browser at its pages.
pub(crate) fn browser(server: &Handle) -> Browser {
    Browser::at(server.announcement().web.as_deref().unwrap())
}

/// The id of the first seeded bot.
pub(crate) fn bot_id(server: &Handle) -> i64 {
    server.bots()[0].user_id
}

/// The demonstration account's app.
pub(crate) async fn app(server: &Handle) -> Client<DuplexStream> {
    let account = &server.accounts()[0];
    let mut app = Client::connect(server, 1).await;
    app.sign_in(&account.phone, &account.code).await.unwrap();
    app
}

/// Says yes to a link.
pub(crate) fn accept(link: &str) -> messages::AcceptUrlAuth {
    messages::AcceptUrlAuth { url: Some(link.into()), ..messages::AcceptUrlAuth::new() }
}
