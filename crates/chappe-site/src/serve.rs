//! The door: the listener, and what the whole site shares.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use chappe_login::{Seen, Widget, oidc::Provider};
use tokio::{net::TcpListener, sync::oneshot};

use crate::{
    Error, Site,
    openid::{self, Client},
    routes::{self, Session, Shared},
    store::Kept,
};

/// Listens at an address; port 0 is a free one.
///
/// # Errors
///
/// When the system refuses, say because somebody listens there already.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

impl Site {
    /// Serves until `shutdown` is over, and at most five seconds more for what was asked by then.
    ///
    /// Askers that are slow or too many are left to the proxy that ends TLS in front of a site.
    ///
    /// # Errors
    ///
    /// [`Error::Address`] for an address of the site or of Telegram that cannot be used,
    /// [`Error::OpenId`], [`Error::Io`].
    ///
    /// # Cancel safety
    ///
    /// Dropping it ends the site; everybody is logged out.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Error> {
        let port = listener.local_addr()?.port();
        let router = routes::router(Arc::new(self.shared(port)?));
        let (ends, ended) = oneshot::channel();
        let shutdown = async {
            shutdown.await;
            _ = ends.send(());
        };
        let patience = async {
            // Without a word the server has ended by itself: its outcome is what counts.
            match ended.await {
                Ok(()) => tokio::time::sleep(PATIENCE).await,
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            served = axum::serve(listener, router).with_graceful_shutdown(shutdown) => Ok(served?),
            () = patience => Ok(()),
        }
    }

    /// Checks what was said of the site, and makes what its requests share.
    fn shared(self, port: u16) -> Result<Shared, Error> {
        let url = self.url.unwrap_or_else(|| format!("http://localhost:{port}"));
        let url = as_browsers_write(&url);
        let (scripts, issuer) = match self.telegram {
            Some(base) => (base.clone(), base),
            None => (SCRIPTS.to_owned(), Provider::telegram().issuer().to_owned()),
        };
        let mut hosts = Vec::new();
        for base in [&url, &scripts] {
            // An issuer may be all that a site may be: https, or http on this machine.
            let usable = Provider::discovery_url(base).is_ok();
            let host = base
                .split_once("://")
                .map(|(_, host)| host)
                .filter(|host| usable && !host.contains('/'));
            hosts.push(host.ok_or_else(|| Error::Address(base.as_str().into()))?.to_owned());
        }
        let openid = self.openid.map(|openid| Client::new(openid, &issuer, &url)).transpose()?;
        Ok(Shared {
            widget: Widget::new(&self.token),
            bot: self.bot,
            secure: url.starts_with("https://"),
            host: hosts.swap_remove(0),
            session_cookie: cookie_name("", &url, port),
            browser_cookie: cookie_name("_browser", &url, port),
            url,
            scripts,
            issuer,
            openid,
            clock: self.clock,
            seen: Mutex::new(Seen::new(REMEMBERED)),
            sessions: Mutex::new(Kept::<Session>::new(SESSIONS, SESSION)),
            logins: Mutex::new(Kept::<openid::Login>::new(LOGINS, LOGIN)),
        })
    }
}

/// The address as browsers say it in `Host` and `Origin`, and as a redirect URI is registered: in
/// small letters, without the port that the scheme has anyway.
fn as_browsers_write(url: &str) -> String {
    let mut url = url.to_ascii_lowercase();
    let usual = if url.starts_with("https://") { ":443" } else { ":80" };
    if url.ends_with(usual) {
        url.truncate(url.len() - usual.len());
    }
    url
}

/// Cookies know no ports, so that on one machine the port is in their name; with TLS, the prefix
/// makes browsers refuse a cookie that another host set for this one.
fn cookie_name(kind: &str, url: &str, port: u16) -> String {
    match url.starts_with("https://") {
        true => format!("__Host-chappe_site{kind}"),
        false => format!("chappe_site{kind}_{port}"),
    }
}

/// Where the script of the real Login Widget is.
const SCRIPTS: &str = "https://telegram.org";

/// How long somebody stays logged in, whatever they do.
pub(crate) const SESSION: Duration = Duration::from_secs(900);

/// How long a login may take.
pub(crate) const LOGIN: Duration = Duration::from_secs(600);

/// How long the last questions may take when the site ends.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many are logged in at once, and how many logins are under way.
const SESSIONS: usize = 10_000;
const LOGINS: usize = 10_000;

/// How many logins of widgets are remembered at once.
const REMEMBERED: usize = 100_000;
