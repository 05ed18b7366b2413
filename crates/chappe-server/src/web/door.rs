//! A door: a loopback socket, and what a browser may cost behind it.
//!
//! Connections are counted, and every step of one has a deadline: who sends its head or its body
//! drop by drop, or does not take its answer, is cut off.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::{
    Extension, Router,
    extract::Request,
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch},
    time::{sleep, timeout},
};

use super::pages::Problem;
use crate::Error;

/// How many connections a door has at a time; more wait in front of it.
const MAX_CONNECTIONS: usize = 256;

/// How long the head of a request may take; also how long a connection may idle.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);

/// How long a request for a page may take from its head to its answer, its body included.
pub(crate) const REQUEST_DEADLINE: Duration = Duration::from_secs(20);

/// How long a connection takes requests. A browser dials again.
const LIFE: Duration = Duration::from_secs(600);

/// How long what is under way may take when the server ends.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How long to wait when the system has no more sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The most bytes of a request's head.
const MAX_HEAD: usize = 32 * 1024;

/// Where a request came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct From(pub(crate) IpAddr);

/// An open door.
#[derive(Debug)]
pub(crate) struct Door {
    listener: TcpListener,
    /// Its address, in which port 0 has become a free one.
    address: SocketAddr,
    /// How long a request may take.
    patience: Duration,
}

impl Door {
    /// Opens it; `exposed` is what is wrong with an address that other machines reach.
    ///
    /// # Errors
    /// When the address is not loopback or not free.
    pub(crate) async fn open(
        address: SocketAddr,
        exposed: fn(Box<SocketAddr>) -> Error,
        patience: Duration,
    ) -> Result<Self, Error> {
        if !address.ip().is_loopback() {
            return Err(exposed(Box::new(address)));
        }
        let failed = |source: io::Error| Error::Listen {
            address: Box::new(address),
            source: Box::new(source),
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, patience })
    }

    /// Its URL, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Serves until `stop` is told or dropped, then ends what is under way.
    pub(crate) async fn serve(self, app: Router, mut stop: oneshot::Receiver<()>) {
        let patience = self.patience;
        let hurry = move |request, next| hurry(patience, request, next);
        let app = app.layer(middleware::from_fn(hurry));
        let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let (ended, end) = watch::channel(());
        loop {
            let accepted = async {
                let permit = Arc::clone(&room).acquire_owned().await;
                (self.listener.accept().await, permit)
            };
            tokio::select! {
                _ = &mut stop => break,
                (accepted, permit) = accepted => match (accepted, permit) {
                    (Ok((stream, from)), Ok(permit)) => {
                        let app = app.clone().layer(Extension(From(from.ip().to_canonical())));
                        tokio::spawn(converse(stream, app, patience, end.clone(), permit));
                    }
                    (Err(error), _) => {
                        tracing::warn!(%error, "cannot accept a browser");
                        sleep(ACCEPT_PAUSE).await;
                    }
                    (_, Err(_)) => break,
                },
            }
        }
        drop(ended);
    }
}

/// One connection, from its first byte to its last.
async fn converse(
    stream: TcpStream,
    app: Router,
    patience: Duration,
    mut end: watch::Receiver<()>,
    _permit: OwnedSemaphorePermit,
) {
    // Answers are small and waited for; if the system refuses, they are late.
    let _ = stream.set_nodelay(true);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_DEADLINE).max_buf_size(MAX_HEAD);
    let talk = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    let mut talk = pin!(talk);
    let over = tokio::select! {
        over = talk.as_mut() => Ok(over),
        _ = end.changed() => Err(LAST_WORDS),
        () = sleep(LIFE) => Err(patience),
    };
    let over = match over {
        Ok(over) => over,
        Err(left) => {
            talk.as_mut().graceful_shutdown();
            // Who does not take the last answer in time does not get it.
            timeout(left, talk).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = over {
        tracing::debug!(%error, "a browser was cut off");
    }
}

/// Ends a request that takes too long: its body comes drop by drop.
async fn hurry(patience: Duration, request: Request, next: Next) -> Response {
    match timeout(patience, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "That took too long",
            "The request was not complete in time. Send it again.",
        )
        .into_response(),
    }
}
