//! The pages that stand for oauth.telegram.org, as a browser and as an attacker sees them.

mod doors;

use std::net::SocketAddr;

use chappe_server::{Handle, Server};

use crate::http::Browser;

/// A server with pages and a dashboard.
pub(crate) async fn server(seed: u64) -> Handle {
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    Server::builder().in_memory().seed(seed).web(free).dashboard(free).start().await.unwrap()
}

/// A browser at its pages.
pub(crate) fn browser(server: &Handle) -> Browser {
    Browser::at(server.announcement().web.as_deref().unwrap())
}
