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
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::{Bytes, BytesMut};
use chappe_mtproto::{server::LinkId, time::Now};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{mpsc, oneshot, watch},
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::{
    Error,
    engine::{Action, Ends, Engine},
    failure::{Failure, Outcome},
    faults::Gate,
    world::World,
};

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
    /// Somebody wants something of the engine.
    Control(Work),
}

/// What somebody wants of the engine.
pub(crate) type Work = Box<dyn FnOnce(&mut Engine, Now) + Send>;

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, link) = match self {
            Self::Connected(..) => ("Connected", None),
            Self::Received(link, _) => ("Received", Some(link)),
            Self::Closed(link) => ("Closed", Some(link)),
            Self::Control(_) => ("Control", None),
        };
        f.debug_tuple(name).field(&link).finish()
    }
}

/// Does something in the engine's task.
///
/// # Errors
/// [`Error::Stopped`] when the server is gone.
pub(crate) async fn ask<T: Send + 'static>(
    inbox: &mpsc::Sender<Message>,
    work: impl FnOnce(&mut Engine, Now) -> T + Send + 'static,
) -> Result<T, Error> {
    let (tell, told) = oneshot::channel();
    let work = Box::new(move |engine: &mut Engine, now| {
        // Whoever asked may have gone.
        let _ = tell.send(work(engine, now));
    });
    inbox.send(Message::Control(work)).await.map_err(|_| Error::Stopped)?;
    told.await.map_err(|_| Error::Stopped)
}

/// Does something in the world, as one transaction; `work` gets the time, unix seconds.
///
/// # Errors
/// [`Error::Stopped`] when the server is gone. Within: what the work was refused with.
pub(crate) async fn run<T: Send + 'static>(
    inbox: &mpsc::Sender<Message>,
    work: impl FnOnce(&mut World, i32) -> Outcome<T> + Send + 'static,
) -> Result<Result<T, Failure>, Error> {
    ask(inbox, |engine, now| engine.run(now, work)).await
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
    /// What its tasks may do.
    gate: watch::Sender<Gate>,
    traffic: Arc<Traffic>,
    buffer: BytesMut,
    /// Since when the buffer holds the beginning of a frame.
    partial_since: Option<Duration>,
    outbox: mpsc::Sender<Bytes>,
    reader: AbortHandle,
    writer: AbortHandle,
}

/// How many bytes a link has carried.
#[derive(Debug, Default)]
struct Traffic {
    up: AtomicU64,
    down: AtomicU64,
}

impl Traffic {
    /// Counts bytes that are about to pass; tells how many of them may, by a limit to their sum.
    fn count(counter: &AtomicU64, bytes: usize, limit: Option<u64>) -> usize {
        let before = counter.load(Ordering::Relaxed);
        let room = limit.map_or(u64::MAX, |limit| limit.saturating_sub(before));
        let bytes = bytes.min(usize::try_from(room).unwrap_or(usize::MAX));
        counter.fetch_add(bytes as u64, Ordering::Relaxed);
        bytes
    }

    fn carried(&self) -> (u64, u64) {
        (self.up.load(Ordering::Relaxed), self.down.load(Ordering::Relaxed))
    }
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
    /// Whether some link may not do as it wants.
    gated: bool,
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
            gated: false,
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
            self.set_gates(now);
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

    /// Tells the tasks of links what they may do, if faults have something to say about it.
    fn set_gates(&mut self, now: Now) {
        let gated = self.engine.has_gates();
        if !gated && !self.gated {
            return;
        }
        self.gated = gated;
        for (id, link) in &self.links {
            let gate = self.engine.gate(now, *id, link.traffic.carried());
            link.gate.send_if_modified(|before| std::mem::replace(before, gate) != gate);
        }
    }

    /// When to wake up if nothing happens.
    #[expect(clippy::disallowed_methods, reason = "here time enters")]
    fn wake_at(&self, wake: Option<Duration>) -> Instant {
        let hurried = |link: &&Link| *link.gate.borrow() == Gate::default();
        let frames = self.links.values().filter(hurried).filter_map(|link| link.partial_since);
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
            Message::Control(work) => work(&mut self.engine, now),
            Message::Closed(id) => {
                if self.links.contains_key(&id) {
                    self.cut(now, id);
                }
            }
        }
    }

    fn accept(&mut self, stream: Box<dyn Stream>, ends: Ends) {
        if self.engine.refuses(self.clock.now(), ends.dc) {
            return;
        }
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
        let (gate, gates) = watch::channel(Gate::default());
        let inbox = self.inbox_of_links.clone();
        let traffic = Arc::new(Traffic::default());
        let passage = Passage { id, gates, traffic: Arc::clone(&traffic), inbox };
        let reader = self.tasks.spawn(read_all(read, passage.clone()));
        let writer = self.tasks.spawn(write_all(write, queue, passage));
        let buffer = BytesMut::new();
        let link = Link { gate, traffic, buffer, partial_since: None, outbox, reader, writer };
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
                    && *link.gate.borrow() == Gate::default()
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

/// What the tasks of a link share with the listener.
#[derive(Clone)]
struct Passage {
    id: LinkId,
    gates: watch::Receiver<Gate>,
    traffic: Arc<Traffic>,
    inbox: mpsc::Sender<Message>,
}

impl Passage {
    /// Waits until the gate is as wanted; tells how it is, or `None` when the link is forgotten.
    async fn wait(&mut self, open: fn(&Gate) -> bool) -> Option<Gate> {
        self.gates.wait_for(open).await.ok().map(|gate| *gate)
    }
}

/// Reads a link until it ends.
async fn read_all(mut read: ReadHalf<Box<dyn Stream>>, mut passage: Passage) {
    let mut chunk = BytesMut::with_capacity(CHUNK);
    loop {
        chunk.clear();
        let ended = matches!(read.read_buf(&mut chunk).await, Ok(0) | Err(_));
        // A copy of its size: a chunk for each few bytes would leave holes all over the memory.
        let mut bytes = BytesMut::from(&chunk[..]);
        // What came before the gate was shut comes when it opens.
        let Some(gate) = passage.wait(|gate| gate.reads).await else { return };
        let count = Traffic::count(&passage.traffic.up, bytes.len(), gate.up_limit);
        let last = ended || count < bytes.len() || limit_is_reached(&passage, &gate);
        bytes.truncate(count);
        if let Some(rate) = gate.up_rate {
            sleep(time_for(count, rate)).await;
        }
        let received = Message::Received(passage.id, bytes);
        if count > 0 && passage.inbox.send(received).await.is_err() {
            return;
        }
        if last {
            // A server that stops wants to know of nothing.
            let _ = passage.inbox.send(Message::Closed(passage.id)).await;
            return;
        }
    }
}

/// Writes to a link until its queue is closed and empty, or the link fails.
async fn write_all(
    mut write: WriteHalf<Box<dyn Stream>>,
    mut queue: mpsc::Receiver<Bytes>,
    mut passage: Passage,
) {
    while let Some(mut bytes) = queue.recv().await {
        while !bytes.is_empty() {
            let Some(gate) = passage.wait(|gate| gate.writes).await else { return };
            let most = gate.down_rate.map_or(bytes.len(), |rate| slice(rate).min(bytes.len()));
            let count = Traffic::count(&passage.traffic.down, most, gate.down_limit);
            let part = bytes.split_to(count);
            match timeout(WRITE_DEADLINE, write.write_all(&part)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return,
            }
            if limit_is_reached(&passage, &gate) {
                shut(&mut write).await;
                let _ = passage.inbox.send(Message::Closed(passage.id)).await;
                return;
            }
            if let Some(rate) = gate.down_rate {
                sleep(time_for(count, rate)).await;
            }
        }
    }
    shut(&mut write).await;
}

fn limit_is_reached(passage: &Passage, gate: &Gate) -> bool {
    let (up, down) = passage.traffic.carried();
    gate.up_limit.is_some_and(|limit| up >= limit)
        || gate.down_limit.is_some_and(|limit| down >= limit)
}

/// How long so many bytes take.
fn time_for(bytes: usize, rate: u32) -> Duration {
    Duration::from_secs_f64(bytes as f64 / f64::from(rate.max(1)))
}

/// How many bytes go at a time over a slow link: those of a tenth of a second.
fn slice(rate: u32) -> usize {
    usize::try_from(rate / 10).unwrap_or(usize::MAX).max(1)
}

async fn shut(write: &mut WriteHalf<Box<dyn Stream>>) {
    // The other end may be gone already; there is nobody to tell.
    let _: Result<(), io::Error> = write.shutdown().await;
}
