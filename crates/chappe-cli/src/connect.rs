//! From the command line to a connected client.

use std::sync::Arc;
use std::time::Duration;

use chappe::api::types::User;
use chappe::session::{IntoStore, Store};
use chappe::{Builder, Client, ConnectionState, Error, errors};
use tokio::sync::OnceCell;

use crate::args::{Global, Name};
use crate::config;
use crate::errors::failure;
use crate::keep::{Keep, make_room};
use crate::output::{Exit, Failure};
use crate::passphrase::Passphrases;
use crate::place::{self, Place};
use crate::telegram::{Telegram, telegram};

/// Where to connect, checked as far as that is possible without a network.
pub(crate) struct Target {
    telegram: Telegram,
    api: Option<(i32, String)>,
    account: Option<(Place, Name)>,
    keep: Keep,
    passphrases: Passphrases,
    store: OnceCell<Arc<dyn Store>>,
    timeout: Duration,
}

impl Target {
    /// What is needed to connect.
    pub(crate) fn new(global: &Global) -> Result<Self, Failure> {
        let target = Self::offline(global)?;
        if target.api.is_none() {
            return Err(Failure::usage(
                "production Telegram wants to know the application: \
                 set TELEGRAM_API_ID and TELEGRAM_API_HASH",
            )
            .hint(format!(
                "my.telegram.org/apps gives both; they can be kept in {}\n  or speak to a local \
                 Telegram, which `chappe serve` runs: --server ADDR --server-key FILE.pem",
                config::path(global)?.display()
            )));
        }
        Ok(target)
    }

    /// What is needed to look at the session, without an application to connect as.
    pub(crate) fn offline(global: &Global) -> Result<Self, Failure> {
        let telegram = telegram(global)?;
        let api = match (global.api_id, &global.api_hash) {
            (Some(id), Some(hash)) => Some((id, hash.clone())),
            // A local Telegram takes any application.
            _ => matches!(telegram, Telegram::Server { .. }).then(|| (1, "0".repeat(32))),
        };
        let (account, keep) = match Keep::named(global)? {
            Some(keep) => (None, keep),
            None => {
                let place = Place::of(&telegram)?;
                let (name, _) = place.account(global);
                let keep = Keep::File(place.session(&name));
                (Some((place, name)), keep)
            }
        };
        Ok(Self {
            telegram,
            api,
            account,
            keep,
            passphrases: Passphrases::new(global)?,
            store: OnceCell::new(),
            timeout: Duration::from_secs(global.timeout.into()),
        })
    }

    /// Explains why a sign-in by phone number did not begin.
    pub(crate) fn no_code(&self, error: Error) -> Failure {
        let mistyped = error.is(errors::PHONE_NUMBER_INVALID);
        let failure = failure(error);
        match &self.telegram {
            Telegram::Server { .. } if mistyped => failure.hint(
                "a local Telegram takes numbers of 7 to 15 digits; what begins with 99966 has to be a \
                 test number, 99966XYYYY (X: 1, 2 or 3)",
            ),
            _ => failure,
        }
    }

    /// Which Telegram is spoken to.
    pub(crate) fn telegram(&self) -> &Telegram {
        &self.telegram
    }

    /// The application that connects.
    pub(crate) fn api_id(&self) -> Option<i32> {
        self.api.as_ref().map(|(id, _)| *id)
    }

    /// The same, if whom it connects to minds.
    pub(crate) fn foreign_api_id(&self) -> Option<i32> {
        self.api_id().filter(|_| !matches!(self.telegram, Telegram::Server { .. }))
    }

    /// Where the session is kept.
    pub(crate) fn keep(&self) -> &Keep {
        &self.keep
    }

    /// Where the passphrase comes from, should one be needed.
    pub(crate) fn passphrases(&self) -> &Passphrases {
        &self.passphrases
    }

    /// The session's store, opened once: whoever typed a passphrase is not asked again.
    pub(crate) async fn store(&self) -> Result<&Arc<dyn Store>, Failure> {
        let open = async {
            if let Some(path) = self.keep.file() {
                make_room(path)?;
            }
            self.keep.open(&self.passphrases).await
        };
        self.store.get_or_try_init(|| open).await
    }

    /// Notes who is signed in, for the list of accounts. Beside an encrypted session nothing is
    /// noted in the clear.
    pub(crate) async fn remember(&self, user: &User) -> Result<(), Failure> {
        match (&self.account, self.keep.file()) {
            (Some(_), Some(path)) if !self.keep.is_sealed().await? => place::remember(path, user),
            _ => Ok(()),
        }
    }

    /// The other accounts here that the same user is signed in with.
    pub(crate) fn twins(&self, user: &User) -> Result<Vec<Name>, Failure> {
        match &self.account {
            Some((place, name)) => place.twins(name, user.id),
            None => Ok(Vec::new()),
        }
    }

    /// Forgets who was signed in.
    pub(crate) fn forget_who(&self) -> Result<(), Failure> {
        match (&self.account, self.keep.file()) {
            (Some(_), Some(path)) => place::forget_who(path),
            _ => Ok(()),
        }
    }

    /// Connects with the session that is there, or says that nobody is signed in with it.
    pub(crate) async fn resume(&self) -> Result<Client, Failure> {
        match self.store().await?.load().map_err(failure)? {
            Some(session) if session.is_signed_in() => self.connect().await,
            Some(_) => Err(self.nobody()),
            None => Err(self.no_session()),
        }
    }

    /// Asks who is signed in; says why nobody is, if Telegram told.
    pub(crate) async fn who(&self, client: &Client) -> Result<User, Failure> {
        match (client.me().await.map_err(failure)?, client.state()) {
            (Some(user), _) => Ok(user),
            (None, ConnectionState::Ended(reason)) => {
                Err(failure(reason.into()).hint(format!("sign in again: `{}`", self.login())))
            }
            (None, _) => Err(self.nobody()),
        }
    }

    /// The command that signs in here.
    fn login(&self) -> String {
        match &self.account {
            Some((_, name)) if *name != Name::default() => format!("chappe --account {name} login"),
            _ => "chappe login".to_owned(),
        }
    }

    /// Says that nobody is signed in with the session.
    pub(crate) fn nobody(&self) -> Failure {
        Failure::new(Exit::Permission, "nobody is signed in with this session")
            .hint(format!("sign in first: `{}`", self.login()))
    }

    /// Says that there is no session, and perhaps which account may be meant.
    pub(crate) fn no_session(&self) -> Failure {
        match &self.account {
            Some((place, name)) if *name != Name::default() => place.no_account(name),
            _ => {
                Failure::new(Exit::Permission, format!("no session yet: {}", self.keep.describe()))
                    .hint("sign in first: `chappe login`")
            }
        }
    }

    /// Connects, with a new session if there is none.
    pub(crate) async fn connect(&self) -> Result<Client, Failure> {
        self.builder().await?.connect().await.map_err(failure)
    }

    /// What is known before anything is dialled.
    pub(crate) async fn builder(&self) -> Result<Builder, Failure> {
        self.builder_with(Arc::clone(self.store().await?))
    }

    /// The same for a session that is kept elsewhere.
    pub(crate) fn builder_with(&self, store: impl IntoStore) -> Result<Builder, Failure> {
        let Some((id, hash)) = &self.api else {
            return Err(Failure::usage("an application is needed to connect as"));
        };
        let builder = Client::builder(*id, hash.clone())
            .session(store)
            .connect_timeout(self.timeout)
            .request_timeout(self.timeout);
        match &self.telegram {
            Telegram::Production => Ok(builder),
            Telegram::Server { address, pem } => builder.server(address, pem).map_err(failure),
            Telegram::Test => Ok(builder.test_servers()),
        }
    }
}
