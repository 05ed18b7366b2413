//! The example site as browsers and strangers see it, over HTTP.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod browser;
mod openid;
mod program;
mod provider;
mod widget;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use browser::Browser;
use chappe_login::{BotToken, Fields, Widget};
use chappe_site::Site;

/// The token of the Bot API's documentation, which is nobody's.
const TOKEN: &str = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11";

/// A site that is served, and its clock.
struct Running {
    port: u16,
    clock: Arc<AtomicU64>,
}

impl Running {
    /// Serves a site until the test is over.
    async fn start(change: impl FnOnce(Site) -> Site) -> Self {
        let listener = chappe_site::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let clock = Arc::new(AtomicU64::new(1_700_000_000));
        let hands = Arc::clone(&clock);
        let site = Site::new(BotToken::new(TOKEN).unwrap(), "@my_shop_bot")
            .clock(move || unix(hands.load(Ordering::Relaxed)));
        let site = change(site);
        tokio::spawn(async move { site.serve(listener, std::future::pending()).await.unwrap() });
        Self { port, clock }
    }

    fn browser(&self) -> Browser {
        Browser::new(self.port)
    }

    fn pass(&self, seconds: u64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
    }
}

fn unix(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// What the widget of Telegram would say.
fn signed(pairs: &[(&str, &str)]) -> Fields {
    let widget = Widget::new(&BotToken::new(TOKEN).unwrap());
    widget.sign(Fields::from_pairs(pairs.iter().copied()).unwrap())
}
