//! A running server, as whoever started it sees it.

use std::net::SocketAddr;

use serde::Serialize;
use tokio::{
    io::DuplexStream,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

use crate::{
    Error,
    bots::BotFather,
    browser::{Browser, Browsers, NewLogin},
    faults::Faults,
    letters::Letters,
    listener::Message,
    logins::Logins,
    numbers::Numbers,
    web::control::Desk,
};

/// How many bytes an in-process connection holds each way.
const DUPLEX: usize = 64 * 1024;

/// Where a data centre listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DataCentre {
    /// The data centre.
    pub id: i32,
    /// The address to dial, `host:port`.
    pub address: String,
}

/// An account that can be signed in to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// The phone number, digits only.
    pub phone: String,
    /// The code that the server accepts for it.
    pub code: String,
    /// The user id.
    pub user_id: i64,
    /// The data centre where it lives: another one sends whoever signs in there.
    pub dc_id: i32,
}

/// A bot that can be signed in to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bot {
    /// The token.
    pub token: String,
    /// The user id, which is also the first part of the token.
    pub user_id: i64,
    /// The username, without `@`.
    pub username: String,
    /// The data centre where it lives: another one sends whoever signs in there.
    pub dc_id: i32,
}

/// Everything that a client needs to know about a running server; one JSON object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Announcement {
    /// The address to dial, `host:port`: that of the main data centre.
    pub address: String,
    /// The main data centre.
    pub dc_id: i32,
    /// All data centres, in the order of their ids. One that listens on IPv6, too, is there twice.
    pub dcs: Vec<DataCentre>,
    /// The newest layer that it speaks.
    pub layer: i32,
    /// The public key, PKCS#1 PEM.
    pub rsa_public_key_pem: String,
    /// The fingerprint of the key, 16 hexadecimal digits.
    pub rsa_fingerprint: String,
    /// Accounts that are there from the start.
    pub accounts: Vec<Account>,
    /// Bots that are there from the start.
    pub bots: Vec<Bot>,
    /// The control port for faults, `http://host:port`, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
    /// The pages that stand for telegram.org and oauth.telegram.org, `http://host:port`, if there
    /// are any; also the issuer of OpenID Connect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web: Option<String>,
    /// The dashboard with its key, `http://host:port/.../?key=...`, if there is one. Who has this URL
    /// can do everything that an account can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dashboard: Option<String>,
}

/// A running server. It stops when this is dropped; [`shutdown`](Self::shutdown) stops it in
/// order.
#[derive(Debug)]
pub struct Handle {
    address: SocketAddr,
    addresses: Vec<(i32, SocketAddr)>,
    announcement: Announcement,
    inbox: mpsc::Sender<Message>,
    /// The number of the last letter.
    post: watch::Receiver<i64>,
    /// The number of the last login request.
    asked: watch::Receiver<i64>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
    /// End the control port, the pages and the dashboard when they are dropped.
    ports: Vec<oneshot::Sender<()>>,
}

impl Handle {
    pub(crate) fn new(
        address: SocketAddr,
        addresses: Vec<(i32, SocketAddr)>,
        announcement: Announcement,
        inbox: mpsc::Sender<Message>,
        (post, asked): (watch::Receiver<i64>, watch::Receiver<i64>),
        stop: oneshot::Sender<()>,
        task: JoinHandle<()>,
    ) -> Self {
        Self {
            address,
            addresses,
            announcement,
            inbox,
            post,
            asked,
            stop: Some(stop),
            task,
            ports: Vec::new(),
        }
    }

    /// What the control port speaks to.
    pub(crate) fn desk(&self) -> Desk {
        Desk {
            faults: self.faults(),
            letters: self.letters(),
            logins: self.logins(),
            browsers: self.browsers(),
            numbers: self.numbers(),
            bots: self.bot_father(),
        }
    }

    /// Serves a port until the server ends: `serve` is told when.
    pub(crate) fn serve<F>(&mut self, serve: impl FnOnce(oneshot::Receiver<()>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(serve(stopped));
        self.ports.push(stop);
    }

    /// The address that its main data centre listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address that a data centre listens on, the one for IPv4 if there are two; `None` if
    /// there is no such data centre.
    #[must_use]
    pub fn address_of(&self, dc_id: i32) -> Option<SocketAddr> {
        self.addresses.iter().find(|(id, _)| *id == dc_id).map(|(_, address)| *address)
    }

    /// Its main data centre.
    pub fn dc_id(&self) -> i32 {
        self.announcement.dc_id
    }

    /// Its public key, PKCS#1 PEM.
    pub fn public_key_pem(&self) -> &str {
        &self.announcement.rsa_public_key_pem
    }

    /// The fingerprint of its public key, 16 hexadecimal digits, the first not 0.
    pub fn fingerprint(&self) -> &str {
        &self.announcement.rsa_fingerprint
    }

    /// The accounts that are there from the start.
    pub fn accounts(&self) -> &[Account] {
        &self.announcement.accounts
    }

    /// The bots that are there from the start.
    pub fn bots(&self) -> &[Bot] {
        &self.announcement.bots
    }

    /// All of the above as one serializable object.
    pub fn announcement(&self) -> &Announcement {
        &self.announcement
    }

    /// Opens an in-process connection to the main data centre: what a socket would carry, without a
    /// socket. To the server it comes from 127.0.0.1.
    ///
    /// # Errors
    /// [`Error::Stopped`] when the server is gone.
    ///
    /// # Cancel safety
    /// Nothing is connected when this is dropped before it is done.
    pub async fn connect(&self) -> Result<DuplexStream, Error> {
        self.connect_to(self.dc_id()).await
    }

    /// Opens an in-process connection to a data centre.
    ///
    /// # Errors
    /// [`Error::NoSuchDc`] when there is no such data centre, [`Error::Stopped`] when the server is
    /// gone.
    ///
    /// # Cancel safety
    /// Nothing is connected when this is dropped before it is done.
    pub async fn connect_to(&self, dc_id: i32) -> Result<DuplexStream, Error> {
        if self.address_of(dc_id).is_none() {
            return Err(Error::NoSuchDc(dc_id));
        }
        let (near, far) = tokio::io::duplex(DUPLEX);
        let message = Message::Connected(dc_id, Box::new(far));
        self.inbox.send(message).await.map_err(|_| Error::Stopped)?;
        Ok(near)
    }

    /// What goes wrong at the server, and what happened there.
    pub fn faults(&self) -> Faults {
        Faults::new(self.inbox.clone())
    }

    /// What the server sent to phones and mailboxes: codes above all.
    pub fn letters(&self) -> Letters {
        Letters::new(self.inbox.clone(), self.post.clone())
    }

    /// Who wants to log in to a website: requests that wait for an answer.
    pub fn logins(&self) -> Logins {
        Logins::new(self.inbox.clone(), self.asked.clone())
    }

    /// How phone numbers sign in, where it is to be other than usual.
    pub fn numbers(&self) -> Numbers {
        Numbers::new(self.inbox.clone())
    }

    /// What is set for bots: domains and OpenID clients of sites, and new bots.
    pub fn bot_father(&self) -> BotFather {
        BotFather::new(self.inbox.clone())
    }

    /// Lets a browser begin to log in to a bot's site, without a browser and without a page: for
    /// tests of apps. See [`browser`](crate::browser).
    ///
    /// # Errors
    /// [`Error::NoSite`] if there is no such bot or it has no domain, [`Error::Stopped`] when the
    /// server is gone.
    ///
    /// # Cancel safety
    /// The login may begin although the future was dropped; it ends by itself.
    pub async fn log_in(&self, login: NewLogin) -> Result<Browser, Error> {
        self.browsers().log_in(login).await
    }

    fn browsers(&self) -> Browsers {
        Browsers::new(self.inbox.clone())
    }

    /// Waits until the server stops by itself, which it never should: then the log says why.
    ///
    /// # Cancel safety
    /// Nothing is lost when this is dropped before it is done.
    pub async fn stopped(&self) -> Error {
        self.inbox.closed().await;
        Error::Stopped
    }

    /// Stops accepting, sends what is due, closes every connection and the database.
    ///
    /// # Errors
    /// [`Error::Stopped`] when it had stopped by itself before.
    ///
    /// # Cancel safety
    /// Dropped half way, the server stops at once.
    pub async fn shutdown(mut self) -> Result<(), Error> {
        if let Some(stop) = self.stop.take() {
            // A server that is gone already says so below.
            let _ = stop.send(());
        }
        (&mut self.task).await.map_err(|_| Error::Stopped)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test]
    async fn a_server_that_broke_down_is_noticed() {
        let (inbox, receiver) = mpsc::channel(1);
        let (_, number) = watch::channel(0);
        let numbers = (number.clone(), number);
        let (stop, _) = oneshot::channel();
        let (broken, breaks) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let _receiver = receiver;
            let _ = breaks.await;
        });
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let announcement = Announcement {
            address: address.to_string(),
            dc_id: 2,
            dcs: Vec::new(),
            layer: 230,
            rsa_public_key_pem: String::new(),
            rsa_fingerprint: String::new(),
            accounts: Vec::new(),
            bots: Vec::new(),
            control: None,
            web: None,
            dashboard: None,
        };
        let handle =
            Handle::new(address, vec![(2, address)], announcement, inbox, numbers, stop, task);
        {
            let stopped = std::pin::pin!(handle.stopped());
            let still = tokio::select! { biased; _ = stopped => false, () = tokio::task::yield_now() => true };
            assert!(still);
        }
        broken.send(()).unwrap();
        assert!(matches!(handle.stopped().await, Error::Stopped));
        assert!(matches!(handle.connect().await, Err(Error::Stopped)));
    }
}
