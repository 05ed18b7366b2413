//! The connections of one client: the main one, which leads to the account's home, and those to
//! other data centres and for files, which are made when a call needs them.
//!
//! No call waits for a data centre that it does not want: each has its own driver, and nothing
//! here is locked while something is awaited, but for the work that one call does and others want
//! as well (a `Flight`).
//!
//! See core.telegram.org/api/datacenter and core.telegram.org/api/auth#authorization-forwarding.

mod flight;
mod line;

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use chappe_mtproto::{
    connection::{RequestOptions, RpcFailure},
    error::ProtocolError,
};
use chappe_tl::{Decode, Function};
use tokio::{
    sync::{Notify, broadcast, watch},
    task::JoinSet,
};

pub(crate) use self::line::{Progress, Setup};
use self::{
    flight::Flight,
    line::{Lease, Line},
};
use crate::{
    api::{auth, errors, help, types},
    dc::{self, DcOption, Kind},
    error::{Error, RpcError},
    flood::method_of,
    net::{
        driver::{End, Status},
        timer,
    },
    session::keeper::Keeper,
    state::Ended,
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
    /// Addresses did not do what they should.
    trouble: Arc<Notify>,
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
        let signed_in = setup.keeper.is_owned();
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
            trouble: Arc::default(),
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
        let line = self.start_line(home.dc_id, Kind::Main, updates, self.keeper().is_owned())?;
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

    /// Tells the home whether somebody is signed in: only then may its answers end it all.
    pub(crate) fn signed_in(&self, signed_in: bool) {
        let mut state = self.lock();
        state.era += 1;
        state.home.signed_in(signed_in);
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

    /// Removes lines that ended, and keys that the server does not know any more.
    fn bury(&self, dc_id: i32) {
        for kind in [Kind::Main, Kind::Media] {
            let line = self.lock().lines.get(&(dc_id, kind)).cloned();
            let Some((line, end)) = line.and_then(|line| line.ended().map(|end| (line, end)))
            else {
                continue;
            };
            match end {
                End::Protocol(ProtocolError::KeyUnknown) | End::Refused(Ended::KeyDuplicated) => {
                    self.key_lost(&line);
                }
                _ => self.remove(&line),
            }
        }
    }

    /// Makes a line, and before it a key if there is none. Returns at once if there is one.
    async fn open(&self, dc_id: i32, kind: Kind) -> Result<(), Error> {
        let dc = self.dc(dc_id);
        let work = async {
            if !self.is_missing(dc_id, kind) {
                return Ok(());
            }
            if !self.is_reachable(dc_id).await {
                return Err(Error::Invalid(
                    "no address of this data centre is known; `Client::dcs` lists the others",
                ));
            }
            if !self.keeper().has_key(dc_id) {
                let line = self.start_line(dc_id, Kind::Main, unheard(), false)?;
                self.setup.settle(&line).await.map_err(|error| self.not_reached(dc_id, error))?;
                self.insert(&line);
            }
            if self.is_missing(dc_id, kind) {
                let line = self.start_line(dc_id, kind, unheard(), false)?;
                self.insert(&line);
            }
            Ok(())
        };
        Box::pin(dc.opening.join(work)).await
    }

    /// Sees to it that whoever is signed in is so at this data centre, too. Asks nothing before
    /// somebody is signed in.
    async fn authorize(&self, dc_id: i32) -> Result<(), Error> {
        let is_done = || {
            let keeper = self.keeper();
            !keeper.is_owned() || self.is_home(dc_id) || keeper.is_signed_in(dc_id)
        };
        if is_done() {
            return Ok(());
        }
        let dc = self.dc(dc_id);
        let work = async {
            let mut renewed = false;
            while !is_done() {
                self.open(dc_id, Kind::Main).await?;
                let line = self.lock().lines.get(&(dc_id, Kind::Main)).map(Lease::new);
                let Some(lease) = line else { continue };
                match self.import(lease.line()).await {
                    Err(error) if !renewed && is_key_lost(&error) => {
                        self.key_lost(lease.line());
                        renewed = true;
                    }
                    outcome => return outcome.map_err(|error| self.not_reached(dc_id, error)),
                }
            }
            Ok(())
        };
        Box::pin(dc.importing.join(work)).await
    }

    /// Has the home vouch for whoever is signed in there.
    async fn import(&self, line: &Line) -> Result<(), Error> {
        let era = self.lock().era;
        let home = Lease::new(&self.lock().home);
        let mut again = true;
        loop {
            let request = auth::ExportAuthorization { dc_id: line.dc_id };
            let types::auth::ExportedAuthorization { id, bytes } =
                ask(home.line(), &request).await?;
            match ask(line, &auth::ImportAuthorization { id, bytes }).await {
                Ok(_) => break,
                // It was good for a moment only.
                Err(error) if again && error.is(errors::AUTH_BYTES_INVALID) => again = false,
                Err(error) => return Err(error),
            }
        }
        if self.lock().era != era {
            return Err(Error::SignedOut);
        }
        let dc = self.dc(line.dc_id);
        let mut imports = dc.imports();
        *imports += 1;
        self.keeper().set_signed_in(line.dc_id, true);
        tracing::info!(dc = line.dc_id, "authorization imported");
        Ok(())
    }

    /// Makes another data centre the home, unless somebody did so since the call was sent to
    /// `from`.
    async fn move_home(&self, from: i32, to: i32) -> Result<(), Error> {
        let work = async {
            if !self.is_home(from) {
                return Ok(());
            }
            let updates = self.updates.upgrade().ok_or(Error::Closed)?;
            let dc = self.dc(to);
            let mut reached = None;
            while reached.is_none() {
                let dial = async {
                    let line = self.start_line(to, Kind::Main, updates.clone(), false)?;
                    let settled = self.setup.settle(&line).await;
                    settled.map_err(|error| self.not_reached(to, error))?;
                    reached = Some(line);
                    Ok(())
                };
                // Somebody else may just be making the key.
                dc.opening.join(dial).await?;
            }
            let Some(line) = reached else { return Ok(()) };
            let keeper = self.keeper();
            while keeper.is_owned() && !keeper.is_signed_in(to) {
                dc.importing.join(self.import(&line)).await?;
            }
            keeper.set_home(to).await?;
            line.signed_in(keeper.is_owned());
            let mut state = self.lock();
            if state.closed {
                return Err(Error::Closed);
            }
            state.lines.remove(&(to, Kind::Main));
            let before = std::mem::replace(&mut state.home, Arc::clone(&line));
            before.lead.leave();
            line.lead.take();
            tracing::info!(from, to, "the home is another data centre");
            Ok(())
        };
        Box::pin(self.moving.join(work)).await
    }

    /// Whether a call that `from` refused may go on there: not where it has been, and not
    /// without end.
    async fn may_go(&self, to: i32, from: i32, been: &mut Vec<i32>) -> bool {
        been.push(from);
        !been.contains(&to) && been.len() <= MOST_DETOURS && self.is_reachable(to).await
    }

    /// Whether there is a way to there; asks for one once if none is known.
    async fn is_reachable(&self, dc_id: i32) -> bool {
        if !self.reaches(dc_id)
            && let Err(error) = self.look_up().await
        {
            tracing::debug!(%error, "the address book is not renewed");
        }
        self.reaches(dc_id)
    }

    fn reaches(&self, dc_id: i32) -> bool {
        self.setup.reaches(dc_id)
    }

    /// Asks the home for the addresses of all data centres.
    async fn look_up(&self) -> Result<(), Error> {
        let work = async {
            let home = Lease::new(&self.lock().home);
            self.learn_from(home.line()).await
        };
        Box::pin(self.asking.join(work)).await
    }

    /// Asks a data centre that is not the home for the addresses of all.
    async fn ask_the_way(&self, dc_id: i32) -> Result<(), Error> {
        self.open(dc_id, Kind::Main).await?;
        let line = self.lock().lines.get(&(dc_id, Kind::Main)).map(Lease::new);
        let lease = line.ok_or(Error::Closed)?;
        self.learn_from(lease.line()).await
    }

    async fn learn_from(&self, line: &Line) -> Result<(), Error> {
        match timer::within(PATIENCE, ask(line, &help::GetConfig)).await {
            Some(config) => self.learn(&config?),
            None => return Err(Error::TimedOut(help::GetConfig::NAME.into())),
        }
        Ok(())
    }

    fn learn(&self, config: &types::Config) {
        self.setup.book.learn(&config.dc_options);
        self.lock().validity = Some(dc::validity(config));
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
            self.spawn(look_after(self.me.clone(), Arc::clone(&self.trouble)));
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

    fn insert(&self, line: &Arc<Line>) {
        {
            let mut state = self.lock();
            if state.closed {
                return;
            }
            state.lines.insert((line.dc_id, line.kind), Arc::clone(line));
        }
        self.spawn(close_when_idle(self.me.clone(), Arc::downgrade(line), line.watch_use()));
    }

    fn remove(&self, line: &Arc<Line>) {
        let mut state = self.lock();
        let place = (line.dc_id, line.kind);
        if state.lines.get(&place).is_some_and(|other| Arc::ptr_eq(other, line)) {
            state.lines.remove(&place);
        }
    }

    /// Forgets the key of a line, which the server does not know any more.
    fn key_lost(&self, line: &Arc<Line>) {
        tracing::warn!(dc = line.dc_id, "the server no longer knows this key");
        self.remove(line);
        line.keeper.forget();
    }

    /// Nobody is signed in there any more, unless that was mended since `seen`.
    fn import_lost(&self, dc_id: i32, seen: u64) {
        let dc = self.dc(dc_id);
        let imports = dc.imports();
        if *imports == seen {
            self.keeper().set_signed_in(dc_id, false);
        }
    }

    fn imports(&self, dc_id: i32) -> u64 {
        *self.dc(dc_id).imports()
    }

    /// What a failure at a data centre that is not the home means for a call: the client goes on
    /// whatever it is, and has the address looked up.
    fn not_reached(&self, dc_id: i32, error: Error) -> Error {
        if !matches!(error, Error::Network(_))
            && error.ended().is_none_or(|end| end == Ended::Closed)
        {
            return error;
        }
        self.trouble.notify_one();
        Error::Network(io::Error::other(format!("data centre {dc_id}: {error}")))
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

/// What an answer says about the way of its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detour {
    /// There is the place for this call, and for it only.
    Go(i32, Kind),
    /// Nobody is signed in with this key.
    Import,
    /// The server did not hear of layer and device.
    Introduce,
    /// There is the place for everything.
    Move(i32),
    /// The key is void.
    NewKey,
}

impl Detour {
    /// See core.telegram.org/api/errors#303-see-other.
    fn of(failure: &RpcFailure) -> Option<Self> {
        let error = RpcError::new("", failure.code, &failure.message);
        let dc_id = error.value.and_then(|value| i32::try_from(value).ok()).filter(|dc| *dc > 0);
        match (error.code, error.name.as_str()) {
            (303, "FILE_MIGRATE_X") => dc_id.map(|dc_id| Self::Go(dc_id, Kind::Media)),
            (303, "STATS_MIGRATE_X") => dc_id.map(|dc_id| Self::Go(dc_id, Kind::Main)),
            (303, "NETWORK_MIGRATE_X" | "PHONE_MIGRATE_X" | "USER_MIGRATE_X") => {
                dc_id.map(Self::Move)
            }
            (400, "CONNECTION_NOT_INITED" | "CONNECTION_LAYER_INVALID") => Some(Self::Introduce),
            (401, "AUTH_KEY_UNREGISTERED") => Some(Self::Import),
            (406, "AUTH_KEY_DUPLICATED") => Some(Self::NewKey),
            _ => None,
        }
    }
}

/// Keeps the address book fresh. Holds the pool only while it asks.
async fn look_after(pool: Weak<Pool>, trouble: Arc<Notify>) {
    loop {
        let validity = {
            let Some(pool) = pool.upgrade() else { return };
            let known = pool.lock().validity.take();
            if known.is_none()
                && let Err(error) = pool.look_up().await
            {
                tracing::debug!(%error, "the address book is not renewed");
            }
            known.or_else(|| pool.lock().validity.take()).unwrap_or(RETRY)
        };
        timer::pause(validity.min(REST)).await;
        timer::within(validity.saturating_sub(REST), trouble.notified()).await;
        if let Some(pool) = pool.upgrade() {
            pool.lock().validity = None;
        }
    }
}

/// Closes a line that nobody used for a while. The next call makes another.
async fn close_when_idle(pool: Weak<Pool>, line: Weak<Line>, mut active: watch::Receiver<usize>) {
    loop {
        // An error means that the line is gone.
        if active.wait_for(|active| *active == 0).await.is_err() {
            return;
        }
        match timer::within(IDLE, active.changed()).await {
            Some(Ok(())) => {}
            Some(Err(_)) => return,
            None => {
                let (Some(pool), Some(line)) = (pool.upgrade(), line.upgrade()) else { return };
                // A lease is made under the same lock.
                let mut state = pool.lock();
                if line.is_in_use() {
                    continue;
                }
                tracing::debug!(dc = line.dc_id, kind = ?line.kind, "idle");
                state.lines.retain(|_, other| !Arc::ptr_eq(other, &line));
                return;
            }
        }
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
/// See core.telegram.org/api/files#general-considerations.
fn addressed(body: &Bytes, kind: Kind) -> Bytes {
    match kind {
        Kind::Main => body.clone(),
        Kind::Media => [&INVOKE_WITHOUT_UPDATES.to_le_bytes()[..], body].concat().into(),
    }
}

/// Where updates go that nobody is to hear.
fn unheard() -> broadcast::Sender<Bytes> {
    broadcast::channel(1).0
}

fn is_key_lost(error: &Error) -> bool {
    matches!(error, Error::KeyUnknown | Error::Ended(Ended::KeyDuplicated))
}

/// Where calls go that do not say where.
pub(crate) const HOME: Target = Target { dc_id: None, kind: Kind::Main };
const INVOKE_WITHOUT_UPDATES: u32 = 0xbf94_59b7;
/// Data centres that one call is sent on from.
const MOST_DETOURS: usize = 4;
/// How often the pool's own questions are sent.
const ATTEMPTS: u32 = 4;
/// How long the addresses may take to come.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the address book is left alone after it was renewed, whatever happens.
const REST: Duration = Duration::from_secs(60);
/// When the addresses are asked for again after that failed.
const RETRY: Duration = Duration::from_secs(10 * 60);
/// How long a connection that is not the main one is kept for the next call.
const IDLE: Duration = Duration::from_secs(5 * 60);
