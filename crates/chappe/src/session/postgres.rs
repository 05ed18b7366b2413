//! Accounts in a PostgreSQL database, for many processes on many machines that never use one at
//! the same time. Needs the feature `postgres`.
//!
//! ```no_run
//! use chappe::{Client, session::Postgres};
//!
//! # async fn example() -> Result<(), chappe::Error> {
//! let fleet = Postgres::connect("postgres://me@db.example.com/fleet").await?;
//! // This account, or any that nobody uses.
//! let account = fleet.account("alice")?;
//! # let account = fleet.claim_any().await?.unwrap_or(account);
//! let client = Client::builder(12345, "api hash").session(account).connect().await?;
//! # client.close().await
//! # }
//! ```
//!
//! # The lease
//!
//! Whoever takes an account has it for a while, 30 seconds by default, by the clock of the
//! database, and renews that when a third is over. Each time that an account is taken it gets a
//! new number, which rises (a fence); a save needs the number, so that whoever lost an account
//! cannot overwrite what the next one saved.
//!
//! A client that cannot renew its lease stops before the lease is over: see
//! [`Lease`](super::Lease). It closes
//! its sockets and ends with [`Ended::LeaseLost`](crate::Ended::LeaseLost). A client that is
//! closed lets the account go at once; that of a process that was killed is free when its lease
//! is over.
//!
//! | What happens | What becomes of the account |
//! |---|---|
//! | the client is closed | it is free before `close` returns |
//! | the client is dropped | it is free a moment later, if the process lives so long |
//! | the process is killed, the machine is gone | it is free when the lease is over |
//! | the process is stopped (SIGSTOP) for longer | others may take it; when it goes on, it ends before it sends |
//! | the database restarts | the holder goes on if it is back within the lease; else it ends |
//! | the database is unreachable for the holder | the holder ends when nine tenths of the lease are over |
//! | the row is removed or changed by hand | the holder ends at its next renewal |
//!
//! # What is promised, and what not
//!
//! No two clients write to Telegram under the same key at the same time, as long as
//!
//! - the clocks of the holder and the database run at rates that differ by less than a tenth, and
//!   the clock of the database is not set ahead by more than a tenth of a lease at once;
//! - the database keeps what it committed: behind a failover to a standby that was not
//!   synchronous, renewals and numbers may be missing (saves use `synchronous_commit` at least);
//! - nobody makes a copy of the session elsewhere, like a file of it.
//!
//! The time that a machine sleeps is seen by its wall clock. That of a virtual machine that is
//! paused or brought back from a snapshot may be seen by no clock until somebody sets it: use
//! long leases there, and do not clone running ones. The sockets of a process that is stopped stay
//! open, and silent, until it goes on. What is on its way through the network when a lease ends,
//! or left to the operating system by a process that was killed, cannot be called back; and
//! between the last look at the clock and the write are a few instructions in which a process can
//! be stopped, too.
//!
//! A client uses nine tenths of a lease. A short one frees accounts of dead processes sooner; a
//! long one outlives longer outages of the database. Below a few seconds a busy machine may lose
//! a lease for nothing.
//!
//! # Sizing
//!
//! One [`Postgres`] is one connection and one thread, for any number of accounts. All leases of a
//! program are renewed by one statement, three times a lease: a hundred programs with ten
//! accounts each and leases of 30 seconds are ten small transactions a second. Behind a pooler it
//! needs a session of its own, not the pooling of single transactions.
//!
//! # Encryption
//!
//! Over the network: on this machine (a unix socket, loopback) keys travel in the clear. To any
//! other they travel by TLS, and the server has to show a valid certificate; `sslmode=disable` in
//! the URL is the only way around. `sslrootcert` names a file of certificates to trust instead of
//! those of the operating system.
//!
//! At rest: [`Account::passphrase`] encrypts a session as in an encrypted file. Without it, who
//! may read the table is all accounts.
//!
//! # The tables
//!
//! They are made by [`connect`](Options::connect), in a schema that is `chappe` by default; the
//! role must be allowed to make it, or to make tables in it. In `account` each row is one:
//!
//! | column | what |
//! |---|---|
//! | `name` | of the account, the primary key |
//! | `session`, `sealed` | the session, and whether it is encrypted; null if there is none |
//! | `signed_in`, `user_id`, `bot`, `dc_id` | what may be known without it |
//! | `saved` | when it was saved last |
//! | `fence` | the number of whoever took it last |
//! | `holder`, `program`, `pid`, `host`, `since` | who has it |
//! | `until` | when the lease is over |
//!
//! The sequence `fence` has the numbers, and `layout` the version of all this, 1.

mod address;
mod link;
mod rows;
mod tls;

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use zeroize::Zeroizing;

use self::{
    address::Target,
    link::{Link, PATIENCE, Setup},
    rows::{Candidate, Entry, Granted, InUse},
};
use super::{Holder, Passphrase, Seal, Session, SessionLock, Store, keeper::blocking, sealed};
use crate::{
    builder::entropy,
    error::{Error, SessionProblem},
    net::timer,
};

/// A fleet of accounts in a database; clones share its connection. Needs the feature `postgres`.
#[derive(Clone)]
pub struct Postgres {
    link: Link,
    place: Arc<str>,
}

/// Where a fleet is and how it is shared; made by [`Postgres::options`].
#[must_use = "nothing is dialled before `connect`"]
#[derive(Clone, Debug)]
pub struct Options {
    target: Target,
    schema: String,
    lease: Duration,
}

/// One account of a fleet: a [`Store`].
///
/// A client takes it as it takes any session, and fails with
/// [`SessionProblem::InUse`] if somebody else has it. [`claim`](Self::claim) takes it before, and
/// waits. Without a client or a claim, [`load`](Store::load) reads it whoever has it, and
/// [`save`](Store::save) and [`clear`](Store::clear) need it to be free.
pub struct Account {
    fleet: Postgres,
    name: Arc<str>,
    seal: Option<Seal>,
    state: Mutex<State>,
}

/// What a fleet knows of an account without its session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Listed {
    /// The name that it has in the fleet.
    pub name: String,
    /// Whether somebody is signed in.
    pub signed_in: bool,
    /// Whether the session is encrypted: then nothing more is known of it.
    pub sealed: bool,
    /// Who is signed in.
    pub user_id: Option<i64>,
    /// Whether that is a bot.
    pub bot: bool,
    /// The home data centre; `None` for what is encrypted, or empty.
    pub dc_id: Option<i32>,
    /// Who has the account now, if anybody.
    pub holder: Option<Holder>,
    /// How much longer, unless that is renewed.
    pub lease_left: Option<Duration>,
}

#[derive(Default)]
struct State {
    /// Taken, and not handed over to a client yet.
    claimed: Option<Arc<Grant>>,
    /// Whose saves these are, as long as anybody has it.
    grant: Weak<Grant>,
    /// Whether what is kept was seen to be ours to replace: of the same passphrase, or of none.
    checked: bool,
}

/// An account that is ours. It is let go when this is dropped.
struct Grant {
    link: Link,
    granted: Granted,
    /// How many saves there were.
    saves: AtomicI64,
}

impl Postgres {
    /// Connects to a fleet in the schema `chappe` of this database, with leases of 30 seconds;
    /// [`options`](Self::options) has other choices.
    ///
    /// # Errors
    /// As [`Options::connect`].
    ///
    /// # Cancel safety
    /// As [`Options::connect`].
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Self::options(url)?.connect().await
    }

    /// Begins to describe a fleet. The URL is as for `psql`: `postgres://user@host/database`, with
    /// `%2F` for the slashes in the path of a unix socket. Neither a password file nor variables
    /// of the environment are read.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it cannot be read, or would have keys travel in the clear;
    /// [`Error::Session`] if there are no certificates to trust.
    pub fn options(url: &str) -> Result<Options, Error> {
        let target = Target::parse(url)?;
        Ok(Options { target, schema: "chappe".to_owned(), lease: Duration::from_secs(30) })
    }

    /// The account of this name, whether there is one or not. Nothing is asked yet.
    ///
    /// # Errors
    /// [`Error::Invalid`] if nothing can have this name.
    pub fn account(&self, name: impl Into<String>) -> Result<Account, Error> {
        let name = name.into();
        if name.is_empty() || name.len() > LONGEST_NAME || name.contains(char::is_control) {
            return Err(Error::Invalid(
                "the name of an account is 1 to 200 bytes without control characters",
            ));
        }
        Ok(self.named(name))
    }

    /// Takes the account that nobody had for longest, among those with somebody signed in and
    /// that nobody has now; `None` if there is none. Dropping it lets it go.
    ///
    /// # Errors
    /// [`Error::Session`] if the database cannot be used.
    ///
    /// # Cancel safety
    /// An account that was taken is let go again.
    pub async fn claim_any(&self) -> Result<Option<Account>, Error> {
        let by = candidate()?;
        let asked = self.link.ask(PATIENCE, async move |database| database.take_any(&by).await);
        let Some(granted) = asked.get().await.map_err(failed)? else { return Ok(None) };
        let account = self.named(granted.name.clone());
        account.state().claimed = Some(self.grant(granted));
        Ok(Some(account))
    }

    /// All accounts, by name.
    ///
    /// # Errors
    /// [`Error::Session`] if the database cannot be used.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn accounts(&self) -> Result<Vec<Listed>, Error> {
        let asked = self.link.ask(PATIENCE, async |database| database.list().await);
        asked.get().await.map_err(failed)
    }

    /// Forgets an account and its session. Returns whether there was one.
    ///
    /// The device stays signed in at Telegram: sign out first, if that is to end.
    ///
    /// # Errors
    /// [`Error::Session`] if somebody has it, or the database cannot be used.
    ///
    /// # Cancel safety
    /// It may be gone or not.
    pub async fn remove(&self, name: &str) -> Result<bool, Error> {
        let name = name.to_owned();
        let asked = self.link.ask(PATIENCE, async move |database| database.remove(&name).await);
        asked.get().await.map_err(failed)?.map_err(in_use)
    }

    fn named(&self, name: String) -> Account {
        let (fleet, state) = (self.clone(), Mutex::default());
        Account { fleet, name: name.into(), seal: None, state }
    }

    fn grant(&self, granted: Granted) -> Arc<Grant> {
        Arc::new(Grant { link: self.link.clone(), granted, saves: AtomicI64::new(0) })
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Postgres({})", self.place)
    }
}

impl Options {
    /// Keeps the tables in this schema: small letters, digits and `_`.
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        self.schema = name.into();
        self
    }

    /// How long an account stays with whoever cannot renew it; 30 seconds by default, between a
    /// second and a day. All programs of a fleet may have their own.
    pub fn lease(mut self, length: Duration) -> Self {
        self.lease = length;
        self
    }

    /// Connects, and makes the tables if there are none.
    ///
    /// The connection has a thread of its own, which ends with the last [`Postgres`], [`Account`]
    /// and client of it. One that breaks is made anew, and what is asked meanwhile waits ten
    /// seconds for it.
    ///
    /// # Errors
    /// [`Error::Session`] with [`SessionProblem::Database`] if the database cannot be reached or
    /// used, or with [`SessionProblem::Newer`] if a newer version of chappe made the tables;
    /// [`Error::Invalid`] if an option cannot be used.
    ///
    /// # Cancel safety
    /// The tables may have been made.
    pub async fn connect(self) -> Result<Postgres, Error> {
        let mut letters = self.schema.chars();
        let is_name = letters.next().is_some_and(|first| first.is_ascii_lowercase())
            && letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && self.schema.len() <= LONGEST_SCHEMA;
        if !is_name {
            return Err(Error::Invalid(
                "the name of a schema is 1 to 63 small letters, digits and _, a letter first",
            ));
        }
        if !(SHORTEST_LEASE..=LONGEST_LEASE).contains(&self.lease) {
            return Err(Error::Invalid("a lease is between a second and a day long"));
        }
        let place = format!("{:?}", self.target).into();
        let link = Link::start(Setup {
            target: self.target,
            schema: format!("\"{}\"", self.schema),
            length: self.lease,
            jitter: u64::from_le_bytes(entropy()?),
        });
        let link = link.map_err(Error::store)?;
        link.ask(PATIENCE, async |_| Ok(())).get().await.map_err(failed)?;
        Ok(Postgres { link, place })
    }
}

impl Account {
    /// The name that it has in the fleet.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Encrypts the session by this passphrase, and reads only what was encrypted by it. See
    /// [`Seal`].
    pub fn passphrase(mut self, passphrase: impl Into<Passphrase>) -> Self {
        self.seal = Some(Seal::new(passphrase).named(&*self.name));
        self
    }

    /// Encrypts the session that is kept, decrypts it (`None`), or encrypts it by another
    /// passphrase. Returns the account that opens it from now on.
    ///
    /// # Errors
    /// [`Error::Session`] if somebody has the account, if this one does not open what is kept, or
    /// if the database cannot be used.
    ///
    /// # Cancel safety
    /// It is done or not.
    pub async fn change_passphrase(self, new: Option<Passphrase>) -> Result<Self, Error> {
        let account = self.claim(Duration::ZERO).await?;
        blocking(move || {
            let mut after = account.fleet.named((*account.name).to_owned());
            if let Some(new) = new {
                after = after.passphrase(new);
            }
            let session = account.load()?;
            let _lock = account.lock()?;
            if let Some(session) = session {
                account.keep(after.entry(&session, None)?)?;
            }
            Ok(after)
        })
        .await
    }

    /// Whether an encrypted session is kept.
    ///
    /// # Errors
    /// [`Error::Session`] if the database cannot be used.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn is_sealed(&self) -> Result<bool, Error> {
        let name = Arc::clone(&self.name);
        let asked = async move |database: &rows::Database| database.is_sealed(&name).await;
        self.fleet.link.ask(PATIENCE, asked).get().await.map_err(failed)
    }

    /// Takes the account now, or as soon as it is free within this time. The client that gets it
    /// has it then; dropping it lets it go.
    ///
    /// # Errors
    /// [`Error::Session`] with [`SessionProblem::InUse`] if somebody else has it, or if the
    /// database cannot be used.
    ///
    /// # Cancel safety
    /// An account that was taken is let go again.
    pub async fn claim(self, wait: Duration) -> Result<Self, Error> {
        // `None` is for ever.
        let until = Instant::now().checked_add(wait);
        loop {
            let InUse { holder, left } = match self.take()?.get().await.map_err(failed)? {
                Ok(granted) => {
                    self.state().claimed = Some(self.fleet.grant(granted));
                    return Ok(self);
                }
                Err(found) => found,
            };
            let rest = until.map_or(wait, |until| until.saturating_duration_since(Instant::now()));
            if rest.is_zero() {
                return Err(Error::session(None, SessionProblem::InUse { holder }));
            }
            // It may be let go before.
            timer::pause(rest.min(left.max(SHORTEST_WAIT)).min(LONGEST_WAIT)).await;
        }
    }

    fn take(&self) -> Result<link::Answer<Result<Granted, InUse>>, Error> {
        let (name, by) = (Arc::clone(&self.name), candidate()?);
        let taking = async move |database: &rows::Database| database.take(&name, &by).await;
        Ok(self.fleet.link.ask(PATIENCE, taking))
    }

    /// The session as it is to be kept instead of this.
    fn entry(&self, session: &Session, before: Option<&[u8]>) -> Result<Entry, Error> {
        let bytes = sealed::write(self.seal.as_ref(), session, before).map_err(failed)?;
        let is_plain = self.seal.is_none();
        Ok(Entry {
            bytes: Some(bytes),
            sealed: !is_plain,
            signed_in: session.is_signed_in(),
            user_id: session.user_id().filter(|_| is_plain),
            bot: session.is_bot() && is_plain,
            dc_id: is_plain.then(|| session.dc_id()),
        })
    }

    /// What is kept, as it is.
    fn kept(&self) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let name = Arc::clone(&self.name);
        let loading = async move |database: &rows::Database| database.load(&name).await;
        self.fleet.link.ask(PATIENCE, loading).wait().map_err(failed)
    }

    /// Keeps this, for whoever has the account, or for us if nobody has.
    fn keep(&self, entry: Entry) -> Result<(), Error> {
        let grant = {
            let state = self.state();
            state.grant.upgrade().or_else(|| state.claimed.clone())
        };
        if let Some(grant) = grant {
            let fence = grant.granted.fence;
            let number = grant.saves.fetch_add(1, Ordering::Relaxed) + 1;
            let saving =
                async move |database: &rows::Database| database.save(fence, number, &entry).await;
            return match self.fleet.link.ask(PATIENCE, saving).wait().map_err(failed)? {
                true => Ok(()),
                false => Err(failed(SessionProblem::LeaseLost)),
            };
        }
        let name = Arc::clone(&self.name);
        let saving = async move |database: &rows::Database| database.save_free(&name, &entry).await;
        self.fleet.link.ask(PATIENCE, saving).wait().map_err(failed)?.map_err(in_use)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Account {
    fn load(&self) -> Result<Option<Session>, Error> {
        let read = |kept: Zeroizing<Vec<u8>>| sealed::read(self.seal.as_ref(), &kept);
        let session = self.kept()?.map(read).transpose().map_err(failed)?;
        self.state().checked = true;
        Ok(session)
    }

    fn save(&self, session: &Session) -> Result<(), Error> {
        let checked = self.state().checked;
        let before = if checked { None } else { self.kept()? };
        self.keep(self.entry(session, before.as_ref().map(|kept| kept.as_slice()))?)?;
        self.state().checked = true;
        Ok(())
    }

    fn clear(&self) -> Result<(), Error> {
        self.keep(Entry::default())
    }

    fn lock(&self) -> Result<Option<SessionLock>, Error> {
        let claimed = self.state().claimed.take();
        let grant = match claimed {
            Some(grant) => grant,
            None => {
                let granted = self.take()?.wait().map_err(failed)?.map_err(in_use)?;
                self.fleet.grant(granted)
            }
        };
        self.state().grant = Arc::downgrade(&grant);
        let lease = grant.granted.lease.clone();
        Ok(Some(SessionLock::leased(lease, move || grant.release())))
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Grant {
    /// Lets the account go, and waits until others can take it, if the database answers.
    fn release(&self) {
        if let Err(error) = self.letting_go().wait() {
            tracing::warn!(%error, "an account is free only when its lease is over");
        }
    }

    fn letting_go(&self) -> link::Answer<()> {
        let fence = self.granted.fence;
        self.link.ask(GOODBYE, async move |database| database.release(fence).await)
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        // Nobody waits for it here; after a release there is nothing left to do.
        drop(self.letting_go());
    }
}

fn candidate() -> Result<Candidate, Error> {
    Ok(Candidate::new(entropy()?, Holder::here()))
}

fn failed(problem: SessionProblem) -> Error {
    Error::session(None, problem)
}

fn in_use(found: InUse) -> Error {
    failed(SessionProblem::InUse { holder: found.holder })
}

const SHORTEST_LEASE: Duration = Duration::from_secs(1);
const LONGEST_LEASE: Duration = Duration::from_secs(24 * 60 * 60);
/// Bytes of the name of an account.
const LONGEST_NAME: usize = 200;
/// What PostgreSQL keeps of a name, in bytes.
const LONGEST_SCHEMA: usize = 63;
/// How long a client that is closed waits for the database.
const GOODBYE: Duration = Duration::from_secs(2);
/// Between two tries to take an account that somebody has.
const SHORTEST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(1);
