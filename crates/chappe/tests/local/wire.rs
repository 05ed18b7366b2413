//! A pipe between a client and the local Telegram that can be cut, blocked and made to lose.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use chappe::{Builder, Client, Error};
use chappe_server::Handle;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    sync::{Notify, watch},
};

/// What happens to bytes, and to whoever dials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    Fair,
    /// What the server says is lost, without anybody noticing.
    Deaf,
    /// What is connected now is deaf for good; a new connection is not.
    Hole,
    /// There is no connection and none can be made.
    Storm,
}

/// The pipe; clones are one.
#[derive(Clone)]
pub(crate) struct Wire {
    server: Arc<Handle>,
    weather: Arc<watch::Sender<Weather>>,
    dials: Arc<AtomicUsize>,
    lost: Arc<Notify>,
}

impl Wire {
    pub(crate) fn new(server: Handle) -> Self {
        Self::to(Arc::new(server))
    }

    /// Another pipe to the same server, with a weather of its own.
    pub(crate) fn beside(&self) -> Self {
        Self::to(Arc::clone(&self.server))
    }

    fn to(server: Arc<Handle>) -> Self {
        Self {
            server,
            weather: Arc::new(watch::Sender::new(Weather::Fair)),
            dials: Arc::default(),
            lost: Arc::default(),
        }
    }

    pub(crate) fn server(&self) -> &Handle {
        &self.server
    }

    pub(crate) async fn connect(&self, builder: Builder) -> Result<Client, Error> {
        let wire = self.clone();
        builder.connect_with(move || wire.clone().dial()).await
    }

    pub(crate) fn weather(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// Breaks what is connected now; dialling works.
    pub(crate) fn cut(&self) {
        self.weather(Weather::Storm);
        self.weather(Weather::Fair);
    }

    /// How often somebody dialled.
    pub(crate) fn dials(&self) -> usize {
        self.dials.load(Ordering::Relaxed)
    }

    /// Returns when something that the server said was lost.
    pub(crate) async fn lost(&self) {
        self.lost.notified().await;
    }

    pub(crate) async fn dial(self) -> io::Result<DuplexStream> {
        self.dials.fetch_add(1, Ordering::Relaxed);
        let mut weather = self.weather.subscribe();
        if *weather.borrow_and_update() == Weather::Storm {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (near, far) = duplex(64 * 1024);
        let server = self.server.connect().await.map_err(io::Error::other)?;
        tokio::spawn(self.carry(far, server, weather));
        Ok(near)
    }

    async fn carry(
        self,
        mut client: DuplexStream,
        mut server: DuplexStream,
        mut weather: watch::Receiver<Weather>,
    ) {
        let (mut up, mut down) = (vec![0; 4096], vec![0; 4096]);
        let mut deaf = false;
        loop {
            tokio::select! {
                biased;
                // A cut may be over before it is seen, but every change of the weather is seen.
                changed = weather.changed() => {
                    let now = *weather.borrow_and_update();
                    match now {
                        _ if changed.is_err() => return,
                        Weather::Deaf => {}
                        Weather::Hole => deaf = true,
                        Weather::Fair | Weather::Storm => return,
                    }
                }
                read = client.read(&mut up) => match read {
                    Ok(count @ 1..) => server.write_all(&up[..count]).await.unwrap(),
                    _ => return,
                },
                read = server.read(&mut down) => match read {
                    Ok(count @ 1..) if !deaf && *weather.borrow() != Weather::Deaf => {
                        client.write_all(&down[..count]).await.unwrap();
                    }
                    Ok(1..) => self.lost.notify_one(),
                    _ => return,
                },
            }
        }
    }
}
