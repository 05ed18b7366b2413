//! The handle on a connection: cheap to clone, safe to share, closed once.

use std::{fmt, sync::Arc};

use chappe_tl::Function;
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::{
    CallOptions,
    builder::Builder,
    dc::DcOption,
    error::Error,
    flood::Gate,
    invoke::Policy,
    net::driver::Status,
    pool::Pool,
    session::{Session, keeper::Keeper},
    updates::Updates,
    url_auth::domains::KnownDomains,
};

/// A client of Telegram.
///
/// It is a handle: clones share their connections and one session. [`close`](Self::close) ends it
/// in good order; dropping the last handle ends it at once.
///
/// | For | Methods |
/// |---|---|
/// | calls | [`invoke`](Self::invoke), [`invoke_raw`](Self::invoke_raw), [`invoke_on`](Self::invoke_on), [`with`](Self::with) |
/// | the connection | [`builder`](Self::builder), [`state`](Self::state), [`states`](Self::states), [`state_changed`](Self::state_changed), [`ended`](Self::ended), [`close`](Self::close), [`dc_id`](Self::dc_id), [`dcs`](Self::dcs), [`session`](Self::session), [`updates`](Self::updates) |
/// | signing in | [`sign_in_phone`](Self::sign_in_phone), [`sign_in_phone_with`](Self::sign_in_phone_with), [`sign_in_qr`](Self::sign_in_qr), [`sign_in_bot`](Self::sign_in_bot), [`sign_in_with`](Self::sign_in_with), [`sign_in_resume`](Self::sign_in_resume), [`me`](Self::me) |
/// | signing out | [`sign_out`](Self::sign_out), [`sign_out_and_forget`](Self::sign_out_and_forget) |
/// | web logins | [`web_sessions`](Self::web_sessions), [`reset_web_session`](Self::reset_web_session), [`reset_web_sessions`](Self::reset_web_sessions), [`reset_all_web_sessions`](Self::reset_all_web_sessions), [`watch_web_sessions`](Self::watch_web_sessions) |
/// | consent to web logins | [`url_auth`](Self::url_auth), [`url_auth_button`](Self::url_auth_button), [`url_auth_in_app`](Self::url_auth_in_app) |
/// | devices | [`device_sessions`](Self::device_sessions), [`confirm_device_session`](Self::confirm_device_session), [`reset_device_session`](Self::reset_device_session), [`reset_other_device_sessions`](Self::reset_other_device_sessions), [`set_device_session_ttl`](Self::set_device_session_ttl), [`accept_login_token`](Self::accept_login_token) |
/// | the password | [`password`](Self::password), [`check_password`](Self::check_password), [`set_password`](Self::set_password), [`remove_password`](Self::remove_password), [`request_password_recovery`](Self::request_password_recovery), [`recover_password`](Self::recover_password), [`reset_password`](Self::reset_password), [`decline_password_reset`](Self::decline_password_reset) |
/// | its recovery address | [`recovery_email`](Self::recovery_email), [`set_recovery_email`](Self::set_recovery_email), [`confirm_recovery_email`](Self::confirm_recovery_email), [`resend_recovery_email`](Self::resend_recovery_email), [`cancel_recovery_email`](Self::cancel_recovery_email), [`remove_recovery_email`](Self::remove_recovery_email) |
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) app: App,
    pub(crate) policy: Policy,
    pub(crate) gate: Gate,
    pub(crate) pool: Arc<Pool>,
    pub(crate) known_domains: KnownDomains,
}

/// What Telegram knows the program by. The hash is a secret.
pub(crate) struct App {
    pub(crate) api_id: i32,
    pub(crate) api_hash: Zeroizing<String>,
}

impl Client {
    /// Begins to describe a client. `api_id` and `api_hash` are those of your application, from
    /// my.telegram.org; a local server takes any number and any 32 hexadecimal digits.
    pub fn builder(api_id: i32, api_hash: impl Into<String>) -> Builder {
        Builder::new(api_id, api_hash.into())
    }

    /// Ends all connections for all handles: calls under way end with [`Error::Closed`], what was
    /// written is sent, the session is kept and let go for others to use. Nothing is dialled
    /// after it. The account stays signed in.
    ///
    /// Closing twice is no error.
    ///
    /// # Errors
    /// [`Error::Session`] if the session could not be kept.
    ///
    /// # Cancel safety
    /// Once polled, the connection ends even if the future is dropped.
    pub async fn close(&self) -> Result<(), Error> {
        self.inner.pool.close().await;
        self.inner.pool.keeper().close().await
    }

    /// Calls a method at this data centre, once, and returns its result: for methods that are
    /// the business of another one than the home, like those about files and statistics.
    ///
    /// Connections are made when they are needed, and whoever is signed in is so there, too.
    ///
    /// # Errors
    /// As [`invoke`](Self::invoke); [`Error::Invalid`] if no address of it is known.
    ///
    /// # Cancel safety
    /// As [`invoke`](Self::invoke).
    pub async fn invoke_on<F: Function>(
        &self,
        dc_id: i32,
        function: &F,
    ) -> Result<F::Return, Error> {
        self.with(CallOptions::new().dc(dc_id)).invoke(function).await
    }

    /// The home data centre: where the account lives, as far as is known. It may become another
    /// one with a sign-in.
    pub fn dc_id(&self) -> i32 {
        self.inner.pool.home()
    }

    /// What is known of where the data centres are: what the program gave, what the session
    /// remembers, what the server said last, what is built in.
    ///
    /// The server is asked for it once in the background, after the first answer, and again when
    /// what it said is too old or an address does not answer.
    pub fn dcs(&self) -> Vec<DcOption> {
        self.inner.pool.options()
    }

    /// The session as it is now: to be written elsewhere, or taken to another library. It is the
    /// account for whoever has it, and only one client may use it at a time.
    pub fn session(&self) -> Session {
        self.keeper().session()
    }

    /// The objects that the server pushes from now on.
    pub fn updates(&self) -> Updates {
        Updates::new(self.inner.pool.updates(), self.status())
    }

    pub(crate) fn app(&self) -> &App {
        &self.inner.app
    }

    pub(crate) fn keeper(&self) -> &Keeper {
        self.inner.pool.keeper()
    }

    pub(crate) fn policy(&self) -> Policy {
        self.inner.policy
    }

    /// Tells the home's connection whether somebody is signed in: only then may an answer end it
    /// all.
    pub(crate) fn signed_in(&self, signed_in: bool) {
        self.inner.pool.signed_in(signed_in);
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.inner.gate
    }

    pub(crate) fn known_domains(&self) -> &KnownDomains {
        &self.inner.known_domains
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.inner.pool
    }

    pub(crate) fn status(&self) -> watch::Receiver<Status> {
        self.inner.pool.status()
    }

    /// Why it is over.
    pub(crate) fn end(&self) -> Error {
        match &*self.status().borrow() {
            Status::Ended(end) => end.to_error(),
            _ => Error::Closed,
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.pool.abandon();
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("state", &self.state()).finish_non_exhaustive()
    }
}

impl From<Inner> for Client {
    fn from(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }
}
