//! The way to the database: one connection, on a thread of its own, made anew when it broke.
//!
//! What is asked is done in turn, and renewals go before everything else. Nothing takes longer
//! than a quarter of a lease at a time: a database that does not answer is dialled again. Each
//! piece of work may be done twice, for an answer may be lost with a connection.

use std::{
    cell::RefCell,
    collections::VecDeque,
    future::{Future, pending},
    io,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Duration,
};

use tokio::{
    runtime,
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until, timeout},
};
use tokio_postgres::{Error, error::SqlState};

use super::{
    address::Target,
    rows::{self, Database, Held, Unusable},
};
use crate::{error::SessionProblem, net::backoff::Chance};

/// Asks the thread; clones ask the same. It ends when the last one is gone and all is done.
#[derive(Clone)]
pub(super) struct Link {
    orders: mpsc::UnboundedSender<Waiting>,
}

/// What becomes of what was asked.
pub(super) struct Answer<T>(oneshot::Receiver<Result<T, SessionProblem>>);

/// How a fleet is reached.
pub(super) struct Setup {
    pub(super) target: Target,
    /// Quoted.
    pub(super) schema: String,
    /// Of the leases.
    pub(super) length: Duration,
    /// Spreads the dials of many programs.
    pub(super) jitter: u64,
}

impl Link {
    /// Starts the thread. Nothing is dialled before something is asked.
    pub(super) fn start(setup: Setup) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (orders, inbox) = mpsc::unbounded_channel();
        thread::Builder::new().name("chappe-postgres".to_owned()).spawn(move || {
            runtime.block_on(Worker::new(setup).run(inbox));
        })?;
        Ok(Self { orders })
    }

    /// Has this done, if need be again after a connection broke, for so long at most.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        patience: Duration,
        work: impl AsyncFn(&Database) -> Result<T, Error> + Send + 'static,
    ) -> Answer<T> {
        let (reply, answer) = oneshot::channel();
        // The thread lives as long as this sender.
        let work = Box::new(Task { work, reply, done: None });
        drop(self.orders.send(Waiting { work, until: Instant::now() + patience }));
        Answer(answer)
    }
}

impl<T> Answer<T> {
    /// Waits for it in a task.
    pub(super) async fn get(self) -> Result<T, SessionProblem> {
        self.0.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Waits for it in a thread, whichever that is.
    pub(super) fn wait(mut self) -> Result<T, SessionProblem> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            match Pin::new(&mut self.0).poll(&mut context) {
                Poll::Ready(answer) => return answer.unwrap_or_else(|_| Err(gone())),
                Poll::Pending => thread::park(),
            }
        }
    }
}

fn gone() -> SessionProblem {
    SessionProblem::Database("the thread that speaks to it is gone".to_owned())
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Something to do at the database.
trait Work: Send {
    fn run<'a>(&'a mut self, database: &'a Database) -> Running<'a>;
    /// It was done.
    fn finish(self: Box<Self>);
    fn fail(self: Box<Self>, problem: SessionProblem);
}

type Running<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

struct Task<T, F> {
    work: F,
    reply: oneshot::Sender<Result<T, SessionProblem>>,
    done: Option<T>,
}

impl<T, F> Work for Task<T, F>
where
    T: Send,
    F: AsyncFn(&Database) -> Result<T, Error> + Send,
{
    fn run<'a>(&'a mut self, database: &'a Database) -> Running<'a> {
        Box::pin(async move {
            self.done = Some((self.work)(database).await?);
            Ok(())
        })
    }

    fn finish(self: Box<Self>) {
        if let Some(done) = self.done {
            // Nobody listens if whoever asked gave up.
            drop(self.reply.send(Ok(done)));
        }
    }

    fn fail(self: Box<Self>, problem: SessionProblem) {
        drop(self.reply.send(Err(problem)));
    }
}

struct Waiting {
    work: Box<dyn Work>,
    /// When it is given up.
    until: Instant,
}

/// What a failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// The connection is of no more use.
    Broken,
    /// The same may succeed a moment later.
    Passing,
    /// It will not.
    Lasting,
}

struct Worker {
    setup: Setup,
    database: Option<Database>,
    held: Rc<RefCell<Vec<Held>>>,
    waiting: VecDeque<Waiting>,
    next_dial: Instant,
    /// Connections in a row that were of no use.
    failures: u32,
    chance: Chance,
    /// What the last failure was, for those who give up.
    why: String,
    /// Whether the database was ever there. Before that, one failure is enough.
    met: bool,
}

impl Worker {
    fn new(setup: Setup) -> Self {
        Self {
            chance: Chance(setup.jitter),
            setup,
            database: None,
            held: Rc::default(),
            waiting: VecDeque::new(),
            next_dial: Instant::now(),
            failures: 0,
            why: "it does not answer".to_owned(),
            met: false,
        }
    }

    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Waiting>) {
        let mut open = true;
        while open || !self.waiting.is_empty() {
            while let Ok(waiting) = inbox.try_recv() {
                self.waiting.push_back(waiting);
            }
            let now = Instant::now();
            self.give_up(now);
            if self.database.as_ref().is_some_and(|database| database.client.is_closed()) {
                self.hang_up("the connection is closed".to_owned());
            }
            let due = self.held.borrow().iter().map(|held| held.due).min();
            let is_due = due.is_some_and(|due| due <= now);
            let is_wanted = is_due || !self.waiting.is_empty();
            let wake_at = match &self.database {
                None if is_wanted && self.next_dial <= now => {
                    self.dial().await;
                    continue;
                }
                Some(_) if is_due => {
                    self.renew().await;
                    continue;
                }
                Some(_) if is_wanted => {
                    self.work().await;
                    continue;
                }
                None if is_wanted => Some(self.next_dial),
                _ => due,
            };
            tokio::select! {
                waiting = inbox.recv(), if open => match waiting {
                    Some(waiting) => self.waiting.push_back(waiting),
                    None => open = false,
                },
                () = wait_until(wake_at) => {}
            }
        }
        if let Some(Database { client, connection, .. }) = self.database {
            drop(client);
            // It says goodbye, if anybody listens.
            drop(timeout(GOODBYE, connection).await);
        }
    }

    /// How long one statement, or a dial, may take. Where there is a lease, there has to be time
    /// for another one.
    fn limit(&self) -> Duration {
        if self.held.borrow().is_empty() { LONGEST } else { statement_limit(self.setup.length) }
    }

    async fn dial(&mut self) {
        let dialing = self.setup.connect(Rc::clone(&self.held));
        match timeout(self.limit(), dialing).await {
            Ok(Ok(Ok(database))) => {
                tracing::debug!("connected to the database");
                self.database = Some(database);
                self.met = true;
            }
            Ok(Ok(Err(Unusable(version)))) => {
                self.lose(format!("its tables are of version {version}"));
                for waiting in self.waiting.drain(..) {
                    waiting.work.fail(Unusable(version).into());
                }
            }
            Ok(Err(error)) => {
                self.lose(words(&error));
                if trouble(&error) == Trouble::Lasting || !self.met {
                    self.fail_all();
                }
            }
            Err(_) => {
                self.lose("it does not answer".to_owned());
                if !self.met {
                    self.fail_all();
                }
            }
        }
    }

    async fn renew(&mut self) {
        // Whoever asked may have gone after the answer was given.
        self.let_go_of_orphans().await;
        let limit = self.limit();
        let Some(database) = &self.database else { return };
        match timeout(limit, database.renew()).await {
            Ok(Ok(())) => self.failures = 0,
            Ok(Err(error)) if trouble(&error) == Trouble::Broken => self.hang_up(words(&error)),
            Ok(Err(error)) => {
                tracing::warn!(error = words(&error), "leases could not be renewed");
                let again = Instant::now() + self.setup.length / AGAIN;
                self.held.borrow_mut().iter_mut().for_each(|held| held.due = again);
            }
            Err(_) => self.hang_up("it does not answer".to_owned()),
        }
    }

    async fn work(&mut self) {
        let limit = self.limit();
        let Some(mut waiting) = self.waiting.pop_front() else { return };
        let Some(database) = &self.database else { return };
        let outcome = timeout(limit, waiting.work.run(database)).await;
        match outcome {
            Ok(Ok(())) => {
                self.failures = 0;
                waiting.work.finish();
                self.let_go_of_orphans().await;
            }
            Ok(Err(error)) => match trouble(&error) {
                Trouble::Lasting => waiting.work.fail(SessionProblem::Database(words(&error))),
                Trouble::Passing => {
                    self.why = words(&error);
                    self.waiting.push_back(waiting);
                }
                Trouble::Broken => {
                    self.waiting.push_front(waiting);
                    self.hang_up(words(&error));
                }
            },
            Err(_) => {
                self.waiting.push_front(waiting);
                self.hang_up("it does not answer".to_owned());
            }
        }
    }

    /// Releases what was granted to somebody who did not wait for it.
    async fn let_go_of_orphans(&self) {
        let Some(database) = &self.database else { return };
        let orphans = self.held.borrow().iter().filter_map(Held::orphan).collect::<Vec<_>>();
        for fence in orphans {
            // If it fails, the lease runs out.
            drop(timeout(self.limit(), database.release(fence)).await);
        }
    }

    /// Fails what waited long enough, and forgets leases that are over.
    fn give_up(&mut self, now: Instant) {
        self.held.borrow_mut().retain(|held| !held.is_over());
        let (over, waiting): (VecDeque<_>, _) =
            self.waiting.drain(..).partition(|waiting| waiting.until <= now);
        self.waiting = waiting;
        for waiting in over {
            waiting.work.fail(SessionProblem::Database(self.why.clone()));
        }
    }

    fn fail_all(&mut self) {
        for waiting in self.waiting.drain(..) {
            waiting.work.fail(SessionProblem::Database(self.why.clone()));
        }
    }

    fn hang_up(&mut self, why: String) {
        if let Some(database) = self.database.take() {
            database.connection.abort();
        }
        self.lose(why);
    }

    fn lose(&mut self, why: String) {
        self.failures = self.failures.saturating_add(1);
        let most = LONGEST_PAUSE.min(self.setup.length / AGAIN);
        let pause = self.chance.up_to((FIRST_PAUSE * (1 << self.failures.min(8))).min(most));
        tracing::warn!(error = why, failures = self.failures, ?pause, "no database");
        self.next_dial = Instant::now() + pause;
        self.why = why;
    }
}

impl Setup {
    /// Connects, and makes the tables if there are none.
    async fn connect(
        &self,
        held: Rc<RefCell<Vec<Held>>>,
    ) -> Result<Result<Database, Unusable>, Error> {
        let limit = statement_limit(self.length);
        let (mut client, connection) = self.target.connect(limit).await?;
        // What was said to be committed must be so after a crash, too: a renewal or a number
        // that is forgotten would give an account to two.
        client
            .batch_execute(&format!(
                "SET lock_timeout = {}; SET statement_timeout = {};
                 SELECT set_config('synchronous_commit', 'on', false)
                 WHERE current_setting('synchronous_commit') IN ('off', 'local')",
                limit.as_millis() / 2,
                limit.as_millis(),
            ))
            .await?;
        if let Err(unusable) = rows::lay_out(&mut client, &self.schema).await? {
            return Ok(Err(unusable));
        }
        let (schema, length) = (self.schema.clone(), self.length);
        Ok(Ok(Database { client, connection, schema, length, held }))
    }
}

async fn wait_until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

/// How long a statement may take while leases depend on it.
fn statement_limit(length: Duration) -> Duration {
    (length / STATEMENT).min(LONGEST)
}

fn trouble(error: &Error) -> Trouble {
    let Some(code) = error.code() else { return Trouble::Broken };
    match *code {
        SqlState::ADMIN_SHUTDOWN
        | SqlState::CRASH_SHUTDOWN
        | SqlState::CANNOT_CONNECT_NOW
        | SqlState::TOO_MANY_CONNECTIONS
        | SqlState::READ_ONLY_SQL_TRANSACTION => Trouble::Broken,
        SqlState::LOCK_NOT_AVAILABLE
        | SqlState::QUERY_CANCELED
        | SqlState::T_R_DEADLOCK_DETECTED
        | SqlState::T_R_SERIALIZATION_FAILURE => Trouble::Passing,
        // Connection exceptions.
        _ if code.code().starts_with("08") => Trouble::Broken,
        _ => Trouble::Lasting,
    }
}

/// What went wrong, without what was asked: a detail may quote a row.
fn words(error: &Error) -> String {
    if let Some(error) = error.as_db_error() {
        return format!("{} ({})", error.message(), error.code().code());
    }
    let mut words = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        words = format!("{words}: {error}");
        source = error.source();
    }
    words
}

/// How long something is tried again while there is no database.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// The longest that a dial or a statement may take, however long the leases are.
const LONGEST: Duration = Duration::from_secs(5);
/// The share of a lease that a statement may take.
const STATEMENT: u32 = 4;
/// The share of a lease after which a failed renewal is tried again.
const AGAIN: u32 = 12;
const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
const GOODBYE: Duration = Duration::from_secs(1);
