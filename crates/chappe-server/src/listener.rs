//! The driver: sockets, timers and the clock around an [`Engine`]. Nothing else in this crate
//! touches them.
//!
//! One task owns the engine and everything that it decides with; each link has a task that reads
//! and one that writes. Every queue between them is bounded: a client that sends too fast waits,
//! one that reads too slowly is cut off. SQLite runs in the engine's task, so that a test with
//! paused time sees the server busy for as long as it is.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    io,
    net::{Ipv4Addr, SocketAddr},
    task::Poll,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::{Bytes, BytesMut};
use chappe_mtproto::{server::LinkId, time::Now};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{mpsc, oneshot},
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep_until, timeout},
};

use crate::engine::{Action, Ends, Engine};

/// How many connections a server has at a time.
const MAX_LINKS: usize = 4_096;

/// How many chunks of read bytes wait for the engine.
const INBOX: usize = 256;

/// How many frames wait for one socket before it counts as dead.
const OUTBOX: usize = 1_024;

/// How many bytes are read at a time.
const CHUNK: usize = 16 * 1024;

/// The most that is kept of a frame that is not complete: more than any frame may have.
const MAX_PARTIAL: usize = 4 * 1024 * 1024;

/// The most that is kept of all frames that are not complete. Whoever adds to more than that is cut
/// off: thousands of sockets could hold a long beginning each.
const MAX_PARTIALS: usize = 64 * 1024 * 1024;

/// How many connections wait to be accepted; the system may allow fewer.
const BACKLOG: u32 = 1_024;

/// How long a frame may take from its first byte to its last.
const FRAME_DEADLINE: Duration = Duration::from_secs(30);

/// How long one write may take.
const WRITE_DEADLINE: Duration = Duration::from_secs(30);

/// How long the last bytes may take when the server stops.
const FLUSH_DEADLINE: Duration = Duration::from_secs(2);

/// How long to sleep when nothing is due.
const IDLE: Duration = Duration::from_secs(3_600);

/// How long to wait when the system has no more sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A connection of any kind.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What reaches the engine's task.
pub(crate) enum Message {
    /// An in-process connection to a data centre was made.
    Connected(i32, Box<dyn Stream>),
    /// A socket gave bytes.
    Received(LinkId, BytesMut),
    /// A socket ended.
    Closed(LinkId),
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, link) = match self {
            Self::Connected(..) => ("Connected", None),
            Self::Received(link, _) => ("Received", Some(link)),
            Self::Closed(link) => ("Closed", Some(link)),
        };
        f.debug_tuple(name).field(&link).finish()
    }
}

/// Where the time comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Instant,
    start_at: Option<Duration>,
}

impl Clock {
    /// Begins to count uptime. With `start_at`, unix time follows uptime from there; without, it
    /// is the machine's.
    #[expect(clippy::disallowed_methods, reason = "here time enters")]
    pub(crate) fn start(start_at: Option<Duration>) -> Self {
        Self { started: Instant::now(), start_at }
    }

    /// Reads both clocks.
    #[expect(clippy::disallowed_methods, reason = "here time enters")]
    pub(crate) fn now(&self) -> Now {
        let uptime = self.started.elapsed();
        let unix = match self.start_at {
            Some(start) => start + uptime,
            None => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        };
        Now::new(uptime, unix)
    }
}

/// A socket that listens for one data centre.
#[derive(Debug)]
pub(crate) struct Socket {
    listener: TcpListener,
    /// Its address, in which port 0 has become a free one.
    pub(crate) address: SocketAddr,
    /// The data centre.
    pub(crate) dc: i32,
}

impl Socket {
    /// Opens it.
    ///
    /// # Errors
    /// When the address is not this machine's, or not free.
    pub(crate) fn bind(dc: i32, address: SocketAddr) -> io::Result<Self> {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // As everybody does: connections of a server that has just ended do not hold its address.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, dc })
    }
}

/// One connection.
struct Link {
    buffer: BytesMut,
    /// Since when the buffer holds the beginning of a frame.
    partial_since: Option<Duration>,
    outbox: mpsc::Sender<Bytes>,
    reader: AbortHandle,
    writer: AbortHandle,
}

/// The engine with its sockets.
pub(crate) struct Listener {
    engine: Engine,
    clock: Clock,
    /// One or two for each data centre; the first is the one that in-process connections count
    /// as.
    sockets: Vec<Socket>,
    /// When to accept again, after the system had nothing to give.
    accept_from: Option<Instant>,
    links: BTreeMap<LinkId, Link>,
    /// How many bytes the buffers of all links hold.
    partials: usize,
    /// Whether there are as many links as there may be, and the log says so.
    full: bool,
    last_link: u64,
    tasks: JoinSet<()>,
    inbox: mpsc::Receiver<Message>,
    inbox_of_links: mpsc::Sender<Message>,
}

impl Listener {
    /// Puts sockets around an engine. The second value is where in-process connections go.
    pub(crate) fn new(
        engine: Engine,
        clock: Clock,
        sockets: Vec<Socket>,
    ) -> (Self, mpsc::Sender<Message>) {
        let (sender, inbox) = mpsc::channel(INBOX);
        let listener = Self {
            engine,
            clock,
            sockets,
            accept_from: None,
            links: BTreeMap::new(),
            partials: 0,
            full: false,
            last_link: 0,
            tasks: JoinSet::new(),
            inbox,
            inbox_of_links: sender.clone(),
        };
        (listener, sender)
    }

    /// Serves until it is told to stop, then sends what is due and ends.
    pub(crate) async fn run(mut self, mut stop: oneshot::Receiver<()>) {
        loop {
            let wake = self.drain();
            let wake = self.wake_at(wake);
            tokio::select! {
                _ = &mut stop => break,
                Some(message) = self.inbox.recv() => self.take(message),
                accepted = accept_any(&self.sockets), if self.accept_from.is_none() => match accepted {
                    Ok((stream, from, address, dc)) => {
                        // Answers are small and waited for; if the system refuses, they are late.
                        let _ = stream.set_nodelay(true);
                        let dialled = stream.local_addr().unwrap_or(address);
                        self.accept(Box::new(stream), Ends::new(from.ip(), dialled, dc));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept");
                        self.pause_accepting();
                    }
                },
                () = sleep_until(wake) => self.wake(),
                Some(_) = self.tasks.join_next() => {}
            }
        }
        self.finish().await;
    }

    /// Does what the engine says until it says nothing more.
    fn drain(&mut self) -> Option<Duration> {
        let now = self.clock.now();
        self.cut_slow_frames(now);
        let mut actions = Vec::new();
        loop {
            let wake = self.engine.drain(now, &mut actions);
            if actions.is_empty() {
                return wake;
            }
            for action in actions.drain(..) {
                match action {
                    Action::Send(link, bytes) => self.send(now, link, bytes),
                    Action::Close(link) => self.close(link),
                }
            }
        }
    }

    /// When to wake up if nothing happens.
    #[expect(clippy::disallowed_methods, reason = "here time enters")]
    fn wake_at(&self, wake: Option<Duration>) -> Instant {
        let frames = self.links.values().filter_map(|link| link.partial_since);
        let frames = frames.min().map(|since| since + FRAME_DEADLINE);
        let wake = [wake, frames].into_iter().flatten().min();
        let wake = match wake {
            Some(wake) => self.clock.started + wake,
            None => Instant::now() + IDLE,
        };
        self.accept_from.map_or(wake, |from| from.min(wake))
    }

    #[expect(clippy::disallowed_methods, reason = "here time enters")]
    fn wake(&mut self) {
        self.accept_from = self.accept_from.filter(|from| *from > Instant::now());
        self.engine.wake(self.clock.now());
    }

    /// Stops accepting for a moment: the system has no more sockets to give, and would say so
    /// again at once.
    #[expect(clippy::disallowed_methods, reason = "here time enters")]
    fn pause_accepting(&mut self) {
        self.accept_from = Some(Instant::now() + ACCEPT_PAUSE);
    }

    fn take(&mut self, message: Message) {
        let now = self.clock.now();
        match message {
            Message::Connected(dc, stream) => {
                let Some(socket) = self.sockets.iter().find(|socket| socket.dc == dc) else {
                    return;
                };
                let from = Ipv4Addr::LOCALHOST.into();
                self.accept(stream, Ends::new(from, socket.address, dc));
            }
            Message::Received(id, bytes) => {
                let Some(link) = self.links.get_mut(&id) else { return };
                let kept = link.buffer.len();
                if link.buffer.is_empty() {
                    link.buffer = bytes;
                } else {
                    link.buffer.extend_from_slice(&bytes);
                }
                let before = link.buffer.len();
                self.engine.received(now, id, &mut link.buffer);
                let after = link.buffer.len();
                if after == 0 {
                    link.partial_since = None;
                } else if after < before || link.partial_since.is_none() {
                    link.partial_since = Some(now.uptime);
                }
                self.partials = self.partials - kept + after;
                if after > MAX_PARTIAL || (self.partials > MAX_PARTIALS && after > CHUNK) {
                    tracing::debug!(link = id.0, "cut off: its frame is too much");
                    self.cut(now, id);
                }
            }
            Message::Closed(id) => {
                if self.links.contains_key(&id) {
                    self.cut(now, id);
                }
            }
        }
    }

    fn accept(&mut self, stream: Box<dyn Stream>, ends: Ends) {
        if self.links.len() >= MAX_LINKS {
            if !self.full {
                tracing::warn!(links = MAX_LINKS, "too many connections: more are refused");
            }
            self.full = true;
            return;
        }
        self.full = false;
        self.last_link += 1;
        let id = LinkId(self.last_link);
        let (read, write) = tokio::io::split(stream);
        let (outbox, queue) = mpsc::channel(OUTBOX);
        let reader = self.tasks.spawn(read_all(id, read, self.inbox_of_links.clone()));
        let writer = self.tasks.spawn(write_all(write, queue));
        let link = Link { buffer: BytesMut::new(), partial_since: None, outbox, reader, writer };
        self.links.insert(id, link);
        self.engine.accepted(self.clock.now(), id, ends);
        tracing::debug!(link = id.0, "accepted");
    }

    fn send(&mut self, now: Now, id: LinkId, bytes: Bytes) {
        let Some(link) = self.links.get(&id) else { return };
        if link.outbox.try_send(bytes).is_err() {
            tracing::debug!(link = id.0, "cut off: it does not read");
            self.cut(now, id);
        }
    }

    /// Closes a link after what is due to it: its writer ends when its queue is empty.
    fn close(&mut self, id: LinkId) {
        if let Some(link) = self.forget(id) {
            link.reader.abort();
            tracing::debug!(link = id.0, "closed");
        }
    }

    /// Ends a link at once.
    fn cut(&mut self, now: Now, id: LinkId) {
        if let Some(link) = self.forget(id) {
            link.reader.abort();
            link.writer.abort();
            self.engine.closed(now, id);
        }
    }

    fn forget(&mut self, id: LinkId) -> Option<Link> {
        let link = self.links.remove(&id)?;
        self.partials -= link.buffer.len();
        Some(link)
    }

    /// Cuts links whose frame takes too long: bytes that come one at a time hold memory.
    fn cut_slow_frames(&mut self, now: Now) {
        let slow: Vec<_> = self
            .links
            .iter()
            .filter(|(_, link)| {
                link.partial_since.is_some_and(|since| since + FRAME_DEADLINE <= now.uptime)
            })
            .map(|(id, _)| *id)
            .collect();
        for id in slow {
            tracing::debug!(link = id.0, "cut off: its frame takes too long");
            self.cut(now, id);
        }
    }

    async fn finish(mut self) {
        drop(self.sockets);
        for link in self.links.into_values() {
            link.reader.abort();
        }
        let flush = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(FLUSH_DEADLINE, flush).await.is_err() {
            tracing::debug!("some connections did not take their last bytes");
        }
    }
}

/// Waits for a connection to any of the sockets; nothing is lost when this is dropped.
async fn accept_any(sockets: &[Socket]) -> io::Result<(TcpStream, SocketAddr, SocketAddr, i32)> {
    poll_fn(|context| {
        for Socket { listener, address, dc } in sockets {
            if let Poll::Ready(accepted) = listener.poll_accept(context) {
                return Poll::Ready(accepted.map(|(stream, from)| (stream, from, *address, *dc)));
            }
        }
        Poll::Pending
    })
    .await
}

/// Reads a link until it ends.
async fn read_all(id: LinkId, mut read: ReadHalf<Box<dyn Stream>>, inbox: mpsc::Sender<Message>) {
    loop {
        let mut bytes = BytesMut::with_capacity(CHUNK);
        let message = match read.read_buf(&mut bytes).await {
            Ok(0) | Err(_) => Message::Closed(id),
            Ok(_) => Message::Received(id, bytes),
        };
        let last = matches!(message, Message::Closed(_));
        if inbox.send(message).await.is_err() || last {
            return;
        }
    }
}

/// Writes to a link until its queue is closed and empty, or the link fails.
async fn write_all(mut write: WriteHalf<Box<dyn Stream>>, mut queue: mpsc::Receiver<Bytes>) {
    while let Some(bytes) = queue.recv().await {
        match timeout(WRITE_DEADLINE, write.write_all(&bytes)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
    shut(&mut write).await;
}

async fn shut(write: &mut WriteHalf<Box<dyn Stream>>) {
    // The other end may be gone already; there is nobody to tell.
    let _: Result<(), io::Error> = write.shutdown().await;
}
