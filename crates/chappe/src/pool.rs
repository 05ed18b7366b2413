//! The connections of one client: the main one, which leads to the account's home, and those to
//! other data centres and for files, which are made when a call needs them.
//!
//! No call waits for a data centre that it does not want: each has its own driver, and nothing
//! here is locked while something is awaited, but for the work that one call does and others want
//! as well (a `Flight`).
//!
//! See core.telegram.org/api/datacenter.

mod abroad;
mod flight;
mod line;
mod way;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use chappe_mtproto::connection::{RequestOptions, RpcFailure};
use chappe_tl::{Decode, Function};
use tokio::{
    sync::{broadcast, watch},
    task::JoinSet,
};

pub(crate) use self::line::{Progress, Setup};
use self::{
    abroad::is_key_lost,
    flight::Flight,
    line::{Lease, Line},
    way::{Detour, look_after},
};
use crate::{
    api::{help, types},
    dc::{DcOption, Kind},
    error::{Error, RpcError},
    flood::method_of,
    net::{driver::Status, timer},
    session::keeper::Keeper,
};

/// The connections of one client.
pub(crate) struct Pool {
    setup: Setup,
    /// The home's alone has what goes to the readers of updates.
    updates: broadcast::WeakSender<Bytes>,
    state: Mutex<State>,
    moving: Flight,
    asking: Flight,
    /// Whether somebody looks after the address book.
    looks_after: AtomicBool,
    me: Weak<Self>,
}

struct State {
    closed: bool,
    home: Arc<Line>,
    /// All others: at most two a data centre.
    lines: HashMap<(i32, Kind), Arc<Line>>,
    /// Also those that are no longer to be used, or not yet.
    all: Vec<Weak<Line>>,
    dcs: HashMap<i32, Arc<Dc>>,
    /// Grows with each sign-in and sign-out: what was begun before is not for who came after.
    era: u64,
    /// How long what was learned last is good, until that is looked at.
    validity: Option<Duration>,
    tasks: JoinSet<()>,
}

/// What is done once for one data centre.
#[derive(Default)]
struct Dc {
    opening: Flight,
    importing: Flight,
    imports: Mutex<u64>,
}

/// Where a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// `None` is the home, wherever that is by then.
    pub(crate) dc_id: Option<i32>,
    pub(crate) kind: Kind,
}

/// A call without its policy.
pub(crate) struct Request<'a> {
    pub(crate) to: Target,
    pub(crate) method: &'a str,
    pub(crate) body: Bytes,
    pub(crate) options: RequestOptions,
}

impl Pool {
    /// Begins with a line to the home, which dials at once.
    pub(crate) fn start(
        setup: Setup,
        home: i32,
        updates: &broadcast::Sender<Bytes>,
    ) -> Result<Arc<Self>, Error> {
        let signed_in = setup.keeper.is_known();
        let line = setup.start(home, Kind::Main, updates.clone(), signed_in)?;
        line.lead.take();
        let state = State {
            closed: false,
            all: vec![Arc::downgrade(&line)],
            home: line,
            lines: HashMap::new(),
            dcs: HashMap::new(),
            era: 0,
            validity: None,
            tasks: JoinSet::new(),
        };
        Ok(Arc::new_cyclic(|me| Self {
            setup,
            updates: updates.downgrade(),
            state: Mutex::new(state),
            moving: Flight::default(),
            asking: Flight::default(),
            looks_after: AtomicBool::new(false),
            me: me.clone(),
        }))
    }

    /// Waits until the home is reached. If it is not where it was, and the program named the
    /// address of another data centre, that one is asked for the way.
    pub(crate) async fn connect(
        &self,
        named: i32,
        updates: broadcast::Sender<Bytes>,
    ) -> Result<(), Error> {
        let home = Arc::clone(&self.lock().home);
        let outcome = self.setup.settle(&home).await;
        let Err(Error::Network(_)) = &outcome else { return outcome };
        if named == home.dc_id || !self.reaches(named) {
            return outcome;
        }
        tracing::warn!(home = home.dc_id, asked = named, "the home is not reached");
        if self.ask_the_way(named).await.is_err() {
            return outcome;
        }
        let line = self.start_line(home.dc_id, Kind::Main, updates, self.keeper().is_known())?;
        line.lead.take();
        let before = std::mem::replace(&mut self.lock().home, Arc::clone(&line));
        before.lead.leave();
        self.setup.settle(&line).await
    }

    /// Sends one call, to wherever the servers say, until there is an answer that is not about
    /// the way. `turn` is dropped as soon as the call is on its way.
    pub(crate) async fn exchange(
        &self,
        request: &Request<'_>,
        turn: impl Send,
        progress: &Progress,
    ) -> Result<Result<Bytes, RpcFailure>, Error> {
        let Request { to, method, body, options } = request;
        let mut turn = Some(turn);
        let mut to = *to;
        // Those that sent the call elsewhere.
        let mut been = Vec::new();
        let mut renewed = false;
        loop {
            if to != HOME {
                // Others of this method must not wait until a data centre is reached.
                drop(turn.take());
            }
            let lease = self.lease(to).await?;
            let line = lease.line();
            progress.wait_for(line);
            let imports = self.imports(line.dc_id);
            let handed_over = line.hand_over(addressed(body, line.kind), *options).await;
            drop(turn.take());
            let outcome = match handed_over {
                Ok(answer) => answer.outcome(method).await,
                Err(error) => Err(error),
            };
            let foreign = !self.is_home(line.dc_id);
            let failure = match outcome {
                Ok(Ok(answer)) => {
                    self.answered(line, body, &answer);
                    return Ok(Ok(answer));
                }
                Ok(Err(failure)) => failure,
                Err(error) if foreign && !renewed && is_key_lost(&error) => {
                    self.key_lost(line);
                    if options.no_resend || line.has_answered() {
                        // It may have run before the key was lost.
                        return Err(Error::Lost((*method).into()));
                    }
                    renewed = true;
                    continue;
                }
                Err(error) if foreign => return Err(self.not_reached(line.dc_id, error)),
                Err(error) => return Err(error),
            };
            match Detour::of(&failure) {
                Some(Detour::Introduce) => {
                    line.introduce_again();
                    return Ok(Err(failure));
                }
                Some(Detour::NewKey) if foreign && !renewed => {
                    self.key_lost(line);
                    renewed = true;
                }
                Some(Detour::Import) if foreign && !renewed && self.keeper().is_owned() => {
                    tracing::info!(dc = line.dc_id, "the import was lost");
                    self.import_lost(line.dc_id, imports);
                    renewed = true;
                }
                Some(Detour::Move(dc_id)) if to.dc_id.is_none() => {
                    if !self.may_go(dc_id, line.dc_id, &mut been).await {
                        return Ok(Err(failure));
                    }
                    self.move_home(line.dc_id, dc_id).await?;
                }
                Some(Detour::Go(dc_id, kind)) => {
                    if !self.may_go(dc_id, line.dc_id, &mut been).await {
                        return Ok(Err(failure));
                    }
                    to = Target { dc_id: Some(dc_id), kind };
                }
                _ => return Ok(Err(failure)),
            }
        }
    }

    /// Ends all connections and waits for it.
    pub(crate) async fn close(&self) {
        let (lines, mut tasks) = {
            let mut state = self.lock();
            state.closed = true;
            state.lines.clear();
            let lines: Vec<_> = state.all.iter().filter_map(Weak::upgrade).collect();
            (lines, std::mem::take(&mut state.tasks))
        };
        tasks.abort_all();
        self.setup.close();
        // All hear of it before any is waited for.
        lines.iter().for_each(|line| line.close());
        for line in &lines {
            line.closed().await;
        }
        while tasks.join_next().await.is_some() {}
    }

    /// Stops what would keep the connections of a client that nobody holds any more.
    pub(crate) fn abandon(&self) {
        self.lock().tasks.abort_all();
    }

    /// The home.
    pub(crate) fn home(&self) -> i32 {
        self.lock().home.dc_id
    }

    /// Makes this data centre the home, because the server says that the account lives there.
    pub(crate) async fn go_home(&self, dc_id: i32) -> Result<(), Error> {
        let from = self.home();
        if from == dc_id {
            return Ok(());
        }
        if !self.is_reachable(dc_id).await {
            return Err(Error::Invalid(
                "no address of the account's data centre is known; `Client::dcs` lists the others",
            ));
        }
        self.move_home(from, dc_id).await
    }

    /// Tells the home whether somebody is signed in: only then may its answers end it all.
    pub(crate) fn signed_in(&self, signed_in: bool) {
        let mut state = self.lock();
        state.era += 1;
        state.home.signed_in(signed_in);
    }

    /// Tells the home that whoever is signed in still is.
    pub(crate) fn still_signed_in(&self) {
        self.lock().home.signed_in(true);
    }

    /// Lets go of the other data centres, whose keys were for who is signed out now.
    pub(crate) fn leave_others(&self) {
        self.lock().lines.clear();
    }

    /// What the address book knows.
    pub(crate) fn options(&self) -> Vec<DcOption> {
        self.setup.book.options()
    }

    pub(crate) const fn updates(&self) -> &broadcast::WeakSender<Bytes> {
        &self.updates
    }

    pub(crate) const fn keeper(&self) -> &Keeper {
        &self.setup.keeper
    }

    pub(crate) fn status(&self) -> watch::Receiver<Status> {
        self.setup.status.subscribe()
    }

    /// A line that carries calls to there, made if there is none.
    async fn lease(&self, to: Target) -> Result<Lease, Error> {
        let dc_id = match to {
            HOME => return Ok(Lease::new(&self.lock().home)),
            Target { dc_id, .. } => dc_id.unwrap_or_else(|| self.home()),
        };
        // It is over with the whole client when it is over at home.
        if let Status::Ended(end) = &*self.setup.status.borrow() {
            return Err(end.to_error());
        }
        if !self.is_reachable(dc_id).await {
            return Err(Error::Invalid(
                "no address of this data centre is known; `Client::dcs` lists the others",
            ));
        }
        self.bury(dc_id);
        self.authorize(dc_id).await?;
        loop {
            {
                let state = self.lock();
                if to.kind == Kind::Main && state.home.dc_id == dc_id {
                    return Ok(Lease::new(&state.home));
                }
                if let Some(line) = state.lines.get(&(dc_id, to.kind)) {
                    return Ok(Lease::new(line));
                }
            }
            self.open(dc_id, to.kind).await?;
        }
    }

    /// Looks at what goes by: an answer tells that the home works, or even what we want to know.
    fn answered(&self, line: &Line, body: &Bytes, answer: &Bytes) {
        if method_of(body) == help::GetConfig::ID
            && let Ok(config) = types::Config::from_bytes(answer)
        {
            self.learn(&config);
        }
        let is_home = line.kind == Kind::Main && self.is_home(line.dc_id);
        if is_home && !self.looks_after.swap(true, Ordering::Relaxed) {
            self.spawn(look_after(self.me.clone(), Arc::clone(&self.setup.trouble)));
        }
    }

    /// Starts a line, unless the client was closed meanwhile.
    fn start_line(
        &self,
        dc_id: i32,
        kind: Kind,
        updates: broadcast::Sender<Bytes>,
        signed_in: bool,
    ) -> Result<Arc<Line>, Error> {
        let mut state = self.lock();
        if state.closed {
            return Err(Error::Closed);
        }
        let line = self.setup.start(dc_id, kind, updates, signed_in)?;
        state.all.retain(|line| line.strong_count() > 0);
        state.all.push(Arc::downgrade(&line));
        Ok(line)
    }

    fn is_home(&self, dc_id: i32) -> bool {
        self.home() == dc_id
    }

    fn is_missing(&self, dc_id: i32, kind: Kind) -> bool {
        let state = self.lock();
        let is_home = kind == Kind::Main && state.home.dc_id == dc_id;
        !is_home && !state.lines.contains_key(&(dc_id, kind))
    }

    fn dc(&self, dc_id: i32) -> Arc<Dc> {
        Arc::clone(self.lock().dcs.entry(dc_id).or_default())
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        while state.tasks.try_join_next().is_some() {}
        state.tasks.spawn(task);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dc {
    fn imports(&self) -> MutexGuard<'_, u64> {
        self.imports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks over this line and no other.
async fn ask<F: Function>(line: &Line, function: &F) -> Result<F::Return, Error> {
    let mut pause = Duration::from_secs(1);
    for _ in 0..ATTEMPTS {
        let body = addressed(&function.to_bytes(), line.kind);
        let answer = line.hand_over(body, RequestOptions::default()).await?;
        match answer.outcome(F::NAME).await? {
            Ok(answer) => {
                return F::Return::from_bytes(&answer)
                    .map_err(|error| Error::undecodable(F::NAME, error, answer));
            }
            Err(failure) if Detour::of(&failure) == Some(Detour::Introduce) => {
                line.introduce_again();
            }
            Err(failure) if (500..600).contains(&failure.code.abs()) => {
                timer::pause(pause).await;
                pause *= 2;
            }
            Err(failure) => {
                return Err(RpcError::new(F::NAME, failure.code, &failure.message).into());
            }
        }
    }
    Err(Error::TimedOut(F::NAME.into()))
}

/// A call as this kind of line carries it: files bring no updates.
/// See core.telegram.org/api/invoking.
fn addressed(body: &Bytes, kind: Kind) -> Bytes {
    match kind {
        Kind::Main => body.clone(),
        Kind::Media => [&INVOKE_WITHOUT_UPDATES.to_le_bytes()[..], body].concat().into(),
    }
}

/// Where calls go that do not say where.
pub(crate) const HOME: Target = Target { dc_id: None, kind: Kind::Main };
const INVOKE_WITHOUT_UPDATES: u32 = 0xbf94_59b7;
/// How often the pool's own questions are sent.
const ATTEMPTS: u32 = 4;
