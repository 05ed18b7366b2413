//! The task of one connection: a socket, a timer and the calls of the client on one side, the
//! protocol's state machine on the other.
//!
//! The clocks are read once per wake-up. Nothing is awaited but the wake-up itself, the dial
//! included: calls may come and go while there is no socket.

mod face;
mod trouble;

use std::{
    collections::HashMap,
    future::{Future, pending, poll_fn},
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use chappe_mtproto::{
    connection::{Event, Input, Output, ReconnectReason, RequestId},
    error::ProtocolError,
    time::Now,
};
use tokio::{sync::oneshot, time::Sleep};

pub(crate) use self::face::{Call, Clock, Control, End, Outcome, Parts, Status, Ticket};
use self::trouble::{FLOOD, told};
pub(crate) use self::trouble::{Trouble, too_slow};
use super::{
    Dialing, Link,
    backoff::{Backoff, Lost},
    report::Report,
    socket::Socket,
};
use crate::{
    session::Lease,
    state::{Ended, verdict},
};

/// Runs a connection until it is closed, nobody holds it any more, or nothing can repair it.
pub(crate) async fn run(parts: Parts) {
    let backoff = Backoff::new(parts.jitter);
    let lease_over: Waiting = match parts.lease.clone() {
        Some(lease) => Box::pin(async move { lease.over().await }),
        None => Box::pin(pending()),
    };
    let mut driver = Driver {
        parts,
        backoff,
        lease_over,
        pending: HashMap::new(),
        tickets: HashMap::new(),
        introduced: false,
        ready: false,
        heard: false,
        reconnect: None,
        last_word: None,
        calls_first: false,
        wake_at: None,
        sleep: Box::pin(tokio::time::sleep(Duration::ZERO)),
    };
    let end = driver.live().await;
    match &end {
        End::Closed => tracing::info!("closed"),
        End::LeaseLost => tracing::error!("the lease of the session is over"),
        End::Protocol(error) => tracing::error!(%error, "the connection cannot go on"),
        End::Refused(reason) => tracing::error!(%reason, "the session has ended"),
        End::Unreachable(trouble) => tracing::debug!(error = %trouble.error, "no connection"),
    }
    let (status, last_word, waiting) = driver.dissolve();
    status.set(Status::Ended(end));
    if let Some(LastWord { reply, outcome, .. }) = last_word {
        drop(reply.send(outcome));
    }
    drop(waiting);
}

struct Driver {
    parts: Parts,
    backoff: Backoff,
    /// Wakes the driver when the lease is over.
    lease_over: Waiting,
    pending: HashMap<RequestId, Pending>,
    tickets: HashMap<Ticket, RequestId>,
    introduced: bool,
    ready: bool,
    /// Whether the server said something that only a working connection says.
    heard: bool,
    /// Why the protocol wants another socket, if it does.
    reconnect: Option<ReconnectReason>,
    /// The answer that said that it is over.
    last_word: Option<LastWord>,
    /// Whether calls are looked at before the socket: it is their turn after each read.
    calls_first: bool,
    wake_at: Option<Duration>,
    sleep: Pin<Box<Sleep>>,
}

type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Pending {
    ticket: Ticket,
    reply: oneshot::Sender<Outcome>,
    introduces: bool,
}

/// What ends it all. The call it answers hears it after everybody can know why.
struct LastWord {
    reason: Ended,
    reply: oneshot::Sender<Outcome>,
    outcome: Outcome,
}

/// Why the driver woke up.
enum Wake {
    Call(Call),
    Control(Option<Control>),
    Dialed(io::Result<Box<dyn Link>>),
    LeaseLost,
    Read(io::Result<()>),
    Timer,
    Written(io::Result<()>),
}

/// What there is instead of a socket, or the socket.
enum Road {
    /// Nothing until this uptime.
    Waiting(Duration),
    /// A dial that ends by this uptime.
    Dialing(Dialing, Duration),
    Open(Socket),
}

impl Driver {
    async fn live(&mut self) -> End {
        if self.is_lease_over() {
            return End::LeaseLost;
        }
        let mut road = self.dial();
        let mut ever_ready = false;
        let mut opened = None;
        let mut heard = false;
        loop {
            let wake = poll_fn(|cx| self.poll_wake(cx, &mut road)).await;
            let now = self.parts.clock.now();
            let was_ready = self.ready;
            let trouble = match wake {
                Wake::LeaseLost => return lease_lost(road),
                Wake::Control(None) => return End::Closed,
                Wake::Control(Some(Control::Close)) => {
                    self.drain(Some(&mut road));
                    if let Road::Open(socket) = road {
                        socket.finish().await;
                    }
                    return End::Closed;
                }
                wake => match self.step(now, wake, &mut road) {
                    Ok(trouble) => trouble,
                    Err(error) => return End::Protocol(error),
                },
            };
            if let Some(last_word) = &self.last_word {
                return End::Refused(last_word.reason);
            }
            heard |= std::mem::take(&mut self.heard);
            if self.ready && !was_ready {
                ever_ready = true;
                opened = Some(now.uptime);
                tracing::info!("connected");
                self.parts.status.set(Status::Connected);
            }
            let Some((error, flooded)) = trouble else { continue };
            // That may be why the socket failed.
            if self.is_lease_over() {
                return lease_lost(road);
            }

            let dialled = matches!(road, Road::Open(_));
            if dialled {
                let disconnected = self.parts.connection.handle(now, Input::Disconnected);
                self.drain(None);
                if let Err(error) = disconnected {
                    return End::Protocol(error);
                }
            }
            self.ready = false;
            let how = match opened.take() {
                _ if flooded => Lost::Flooded,
                Some(opened) if heard => Lost::Heard(now.uptime.saturating_sub(opened)),
                _ => Lost::Unheard,
            };
            heard = false;
            let next = self.backoff.lost(now.uptime, how);
            let pause = next.saturating_sub(now.uptime);
            let failures = self.backoff.failures();
            let trouble = Trouble { error: Arc::new(error), failures, pause: Some(pause) };
            // Who connects for the first time wants to hear at once that nobody is there.
            if !ever_ready && (!dialled || failures >= FIRST_ATTEMPTS) {
                return End::Unreachable(trouble);
            }
            tracing::warn!(error = %trouble.error, failures, ?pause, "disconnected");
            self.parts.status.set(Status::Connecting(Some(trouble)));
            road = Road::Waiting(next);
        }
    }

    /// Does what one wake-up is about. Says why the socket is of no more use, if so, and
    /// whether that is because there are too many.
    fn step(
        &mut self,
        now: Now,
        wake: Wake,
        road: &mut Road,
    ) -> Result<Option<(io::Error, bool)>, ProtocolError> {
        let mut trouble = None;
        let mut result = Ok(());
        match wake {
            Wake::Call(call) => self.start(now, call),
            Wake::Control(Some(Control::Cancel(ticket))) => {
                if let Some(id) = self.tickets.remove(&ticket) {
                    self.pending.remove(&id);
                    self.parts.connection.cancel(now, id);
                }
            }
            Wake::Control(Some(Control::Introduce)) => self.introduced = false,
            Wake::Control(Some(Control::SignedIn(signed_in))) => self.parts.signed_in = signed_in,
            Wake::Control(_) | Wake::Written(Ok(())) | Wake::LeaseLost => {}
            Wake::Dialed(Ok(link)) => {
                tracing::debug!("dialled");
                *road = Road::Open(Socket::new(link, self.parts.lease.clone()));
                result = self.parts.connection.handle(now, Input::Connected);
            }
            Wake::Dialed(Err(error)) | Wake::Read(Err(error)) | Wake::Written(Err(error)) => {
                trouble = Some(error);
            }
            Wake::Read(Ok(())) => {
                if let Road::Open(socket) = road {
                    let input = Input::Received(&mut socket.input);
                    result = self.parts.connection.handle(now, input);
                }
            }
            Wake::Timer => match road {
                Road::Waiting(until) if now.uptime >= *until => {
                    self.parts.status.change(|status| match status {
                        Status::Connecting(Some(trouble)) => trouble.pause.take().is_some(),
                        _ => false,
                    });
                    *road = self.dial();
                }
                Road::Dialing(_, until) if now.uptime >= *until => {
                    trouble = Some(too_slow());
                }
                _ => {}
            },
        }
        // A socket that is never silent must not hold up what is due.
        if result.is_ok() && self.wake_at.is_some_and(|at| at <= now.uptime) {
            result = self.parts.connection.handle(now, Input::Timeout);
        }
        // What came before the failure is still worth hearing.
        self.drain(Some(road));
        result?;
        let reconnect = self.reconnect.take().filter(|_| matches!(road, Road::Open(_)));
        let flooded = matches!(reconnect, Some(ReconnectReason::Transport(FLOOD)));
        if let Some(reason) = reconnect
            && (trouble.is_none() || flooded)
        {
            trouble = Some(told(&reason));
        }
        Ok(trouble.map(|error| (error, flooded)))
    }

    fn is_lease_over(&self) -> bool {
        self.parts.lease.as_ref().is_some_and(Lease::is_over)
    }

    fn dial(&mut self) -> Road {
        let now = self.parts.clock.uptime();
        self.backoff.dial(now);
        Road::Dialing((self.parts.connector)(), now + self.parts.connect_timeout)
    }

    /// Lets go of everything but the status, and of what may only go after the status says why:
    /// whoever waits for an answer wakes up by the dropped reply and looks there.
    fn dissolve(self) -> (Report, Option<LastWord>, impl Sized) {
        let Parts { calls, control, updates, status, .. } = self.parts;
        (status, self.last_word, (calls, control, updates, self.pending))
    }

    fn start(&mut self, now: Now, call: Call) {
        if call.reply.is_closed() {
            return;
        }
        let introduces = !self.introduced;
        let body = if introduces {
            // Both wrappers keep the query last, so wrapping is putting bytes in front.
            [&self.parts.introduction[..], &call.body].concat().into()
        } else {
            call.body
        };
        let id = self.parts.connection.request(now, body, call.options);
        tracing::debug!(ticket = call.ticket, introduces, "sending");
        self.tickets.insert(call.ticket, id);
        self.pending.insert(id, Pending { ticket: call.ticket, reply: call.reply, introduces });
    }

    fn drain(&mut self, mut road: Option<&mut Road>) {
        loop {
            match self.parts.connection.poll() {
                Output::Transmit(bytes) => {
                    if let Some(Road::Open(socket)) = road.as_deref_mut() {
                        tracing::trace!(bytes = bytes.len(), "transmit");
                        socket.push(bytes);
                    }
                }
                Output::Event(event) => self.event(event),
                Output::Timeout(at) => {
                    self.wake_at = at;
                    return;
                }
            }
        }
    }

    fn event(&mut self, event: Event) {
        self.heard |= matches!(event, Event::Response { .. } | Event::Update(_));
        match event {
            Event::KeyCreated(resume) => {
                tracing::info!("auth key created");
                self.parts.keeper.keep(resume);
            }
            Event::Changed(resume) => self.parts.keeper.keep(resume),
            Event::Ready => self.ready = true,
            Event::Response { id, result } => {
                let Some(pending) = self.settle(id) else { return };
                let accepted = match &result {
                    Ok(_) => true,
                    Err(failure) => !failure.message.starts_with("CONNECTION_"),
                };
                self.introduced |= pending.introduces && accepted;
                let signed_in = self.parts.signed_in;
                let reason = result.as_ref().err().and_then(|failure| verdict(failure, signed_in));
                let outcome = result.map_or_else(Outcome::Refused, Outcome::Answered);
                let reply = pending.reply;
                match reason {
                    Some(reason) if self.last_word.is_none() => {
                        self.last_word = Some(LastWord { reason, reply, outcome });
                    }
                    // Nobody listens if the caller gave up in this very moment.
                    _ => drop(reply.send(outcome)),
                }
            }
            Event::Failed { id, reason } => {
                if let Some(pending) = self.settle(id) {
                    drop(pending.reply.send(Outcome::Failed(reason)));
                }
            }
            Event::Update(update) => {
                tracing::trace!(bytes = update.len(), "update");
                // One that waits for its reader must not hold all that was read beside it.
                let update = match update.len() {
                    ..=MOST_COPIED => Bytes::copy_from_slice(&update),
                    _ => update,
                };
                // Nobody need listen to updates.
                drop(self.parts.updates.send(update));
            }
            Event::NewSession { .. } | Event::Renewed => self.introduced = false,
            Event::Reconnect(reason) => {
                tracing::debug!(?reason, "reconnecting");
                self.reconnect = Some(reason);
            }
            // A later event of the protocol core is none that this driver waits for.
            _ => {}
        }
    }

    fn settle(&mut self, id: RequestId) -> Option<Pending> {
        let pending = self.pending.remove(&id)?;
        self.tickets.remove(&pending.ticket);
        tracing::debug!(ticket = pending.ticket, "settled");
        Some(pending)
    }

    /// Waits for whatever comes first; what is written goes before what is read.
    fn poll_wake(&mut self, cx: &mut Context<'_>, road: &mut Road) -> Poll<Wake> {
        // Before all else: a process that was stopped for a while goes on here.
        if self.lease_over.as_mut().poll(cx).is_ready() || self.is_lease_over() {
            return Poll::Ready(Wake::LeaseLost);
        }
        let calls_first = std::mem::take(&mut self.calls_first);
        if let Poll::Ready(control) = self.parts.control.poll_recv(cx) {
            return Poll::Ready(Wake::Control(control));
        }
        if calls_first && let Poll::Ready(call) = self.poll_call(cx, road) {
            return Poll::Ready(Wake::Call(call));
        }
        let mut wake_at = self.wake_at;
        match road {
            Road::Waiting(until) => wake_at = earlier(wake_at, *until),
            Road::Dialing(dialing, until) => {
                if let Poll::Ready(dialed) = dialing.as_mut().poll(cx) {
                    return Poll::Ready(Wake::Dialed(dialed));
                }
                wake_at = earlier(wake_at, *until);
            }
            Road::Open(socket) => {
                if let Poll::Ready(written) = socket.poll_write(cx) {
                    return Poll::Ready(Wake::Written(written));
                }
                if let Poll::Ready(read) = socket.poll_read(cx) {
                    self.calls_first = true;
                    return Poll::Ready(Wake::Read(read));
                }
            }
        }
        if !calls_first && let Poll::Ready(call) = self.poll_call(cx, road) {
            return Poll::Ready(Wake::Call(call));
        }
        let Some(wake_at) = wake_at else { return Poll::Pending };
        let deadline = self.parts.clock.epoch + wake_at;
        if self.sleep.deadline() != deadline {
            self.sleep.as_mut().reset(deadline);
        }
        self.sleep.as_mut().poll(cx).map(|()| Wake::Timer)
    }

    /// Takes the next call, unless enough are under way.
    fn poll_call(&mut self, cx: &mut Context<'_>, road: &Road) -> Poll<Call> {
        let crowded = self.pending.len() >= MOST_PENDING
            || matches!(road, Road::Open(socket) if socket.waiting >= MOST_WAITING);
        if crowded {
            return Poll::Pending;
        }
        match self.parts.calls.poll_recv(cx) {
            Poll::Ready(Some(call)) => Poll::Ready(call),
            // Without a sender there is no client, which the control channel says.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

fn lease_lost(road: Road) -> End {
    if let Road::Open(socket) = road {
        socket.abort();
    }
    End::LeaseLost
}

fn earlier(at: Option<Duration>, until: Duration) -> Option<Duration> {
    Some(at.map_or(until, |at| at.min(until)))
}

/// How many sockets in a row may fail before somebody who connects for the first time is told.
const FIRST_ATTEMPTS: u32 = 3;
/// Updates up to this length are copied out of what was read, in bytes.
const MOST_COPIED: usize = 2048;
/// Calls that are under way at once; more wait in the caller.
const MOST_PENDING: usize = 512;
/// Bytes that wait for the socket before no more calls are taken.
const MOST_WAITING: usize = 1 << 20;
