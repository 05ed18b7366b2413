//! Signing in and out: a [`SignIn`] is where one stands, and holds what may be done next.
//!
//! See core.telegram.org/api/auth, core.telegram.org/api/qr-login and, for the password,
//! core.telegram.org/api/srp.

mod code;
mod email;
mod password;
mod qr;
mod questions;
mod sign_up;

use std::fmt;

use bytes::Bytes;

pub use self::{
    code::{CodeStep, Delivery, EmailReset, NextDelivery, PaymentStep},
    email::{EmailSetUpStep, EmailVerifyStep},
    password::{NewPasswordStep, PasswordStep, RecoveryCodeStep},
    qr::QrStep,
    questions::{Begin, CodeAnswer, NewPassword, PasswordAnswer, Questions},
    sign_up::SignUpStep,
};
use crate::{
    Client, Ended,
    api::{auth, enums, errors, types, users},
    error::Error,
    session::{Owner, keeper::Tokens},
};

/// Where a sign-in stands. Each step but the last is answered by its own `submit`, which gives
/// the next one; a wrong answer gives the same step again, with
/// [`rejected`](CodeStep::rejected).
///
/// A step can be used more than once: again after an error, and also by two at the same time, of
/// which one then hears that it came too late.
///
/// Nor has the answer to come at once. A web form keeps the step of each visitor, who has a
/// [`Client`] of their own, from one request to the next:
///
/// ```
/// use std::{collections::HashMap, sync::Arc};
/// use chappe::{Error, SignIn};
/// use tokio::sync::Mutex;
///
/// /// What was asked last, by the name in the cookie.
/// type Visitors = Mutex<HashMap<String, Arc<SignIn>>>;
///
/// /// Takes what a visitor typed; returns the page to show.
/// async fn answer(visitors: &Visitors, name: &str, typed: &str) -> Result<&'static str, Error> {
///     let step = visitors.lock().await.get(name).cloned();
///     let next = match step.as_deref() {
///         Some(SignIn::Code(step)) => step.submit(typed).await?,
///         Some(SignIn::Password(step)) => step.submit(typed).await?,
///         _ => return Ok("phone number"), // for `Client::sign_in_phone`
///     };
///     let page = match &next {
///         SignIn::Done(_) => "welcome",
///         step if step.rejected().is_some() => "wrong, once more",
///         SignIn::Password(_) => "password",
///         _ => "go on in an official app",
///     };
///     visitors.lock().await.insert(name.to_owned(), Arc::new(next));
///     Ok(page)
/// }
/// # fn a_web_server_wants<F: Send>(_: F) {}
/// # a_web_server_wants(answer(&Visitors::default(), "", ""));
/// ```
#[non_exhaustive]
pub enum SignIn {
    /// Telegram sent a code and waits for it.
    Code(CodeStep),
    /// Telegram wants an email address that codes go to from now on.
    EmailSetUp(EmailSetUpStep),
    /// Telegram sent a code to the new email address.
    EmailVerify(EmailVerifyStep),
    /// The phone number has no account yet.
    SignUp(SignUpStep),
    /// The account has a password.
    Password(PasswordStep),
    /// Telegram sent a code to the address that a forgotten password is recovered with.
    RecoveryCode(RecoveryCodeStep),
    /// The recovery code is right: a new password may be set.
    NewPassword(NewPasswordStep),
    /// A code to be shown, which another device of the account scans.
    Qr(QrStep),
    /// Telegram wants this sign-in to be paid for.
    PaymentRequired(PaymentStep),
    /// This account is signed in, and the session is kept.
    Done(Box<types::User>),
}

impl SignIn {
    /// Why this step is to be done again; `None` if it is new.
    pub fn rejected(&self) -> Option<Rejected> {
        match self {
            Self::Code(step) => step.rejected(),
            Self::EmailSetUp(step) => step.rejected(),
            Self::EmailVerify(step) => step.rejected(),
            Self::SignUp(step) => step.rejected(),
            Self::Password(step) => step.rejected(),
            Self::RecoveryCode(step) => step.rejected(),
            Self::NewPassword(step) => step.rejected(),
            Self::Qr(_) | Self::PaymentRequired(_) | Self::Done(_) => None,
        }
    }
}

impl fmt::Debug for SignIn {
    /// Names the step; an account is only shown by its id, for it has a phone number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(step) => f.debug_tuple("Code").field(step).finish(),
            Self::EmailSetUp(step) => f.debug_tuple("EmailSetUp").field(step).finish(),
            Self::EmailVerify(step) => f.debug_tuple("EmailVerify").field(step).finish(),
            Self::SignUp(step) => f.debug_tuple("SignUp").field(step).finish(),
            Self::Password(step) => f.debug_tuple("Password").field(step).finish(),
            Self::RecoveryCode(step) => f.debug_tuple("RecoveryCode").field(step).finish(),
            Self::NewPassword(step) => f.debug_tuple("NewPassword").field(step).finish(),
            Self::Qr(step) => f.debug_tuple("Qr").field(step).finish(),
            Self::PaymentRequired(step) => f.debug_tuple("PaymentRequired").field(step).finish(),
            Self::Done(user) => f.debug_tuple("Done").field(&user.id).finish(),
        }
    }
}

/// Why a step is to be done again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejected {
    /// This is no email address that Telegram can write to.
    Address,
    /// Telegram takes no address of this provider.
    AddressNotAllowed,
    /// The code is too old or was tried too often: only the step's `resend` helps.
    Expired,
    /// The first name cannot be used.
    FirstName,
    /// The last name cannot be used.
    LastName,
    /// The new password cannot be used.
    NewPassword,
    /// There is no other way to send a code; the last one is still good.
    NoOtherWay,
    /// This is no phone number.
    Phone,
    /// There is no bot with this token.
    Token,
    /// Too soon for another code; the last one is still good.
    TooSoon,
    /// The code or the password is wrong.
    Wrong,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "this is no email address that Telegram can write to; check it",
            Self::AddressNotAllowed => "Telegram takes no address of this provider; give another",
            Self::Expired => "too old, or tried too often; ask for a new one",
            Self::FirstName => "this first name is not accepted",
            Self::LastName => "this last name is not accepted",
            Self::NewPassword => "this password cannot be used; choose another",
            Self::NoOtherWay => {
                "there is no other way to send a code; use the one that was sent, or come back later"
            }
            Self::Phone => "this is no phone number; write it with + and the country code",
            Self::Token => "there is no bot with this token; copy it again from BotFather",
            Self::TooSoon => "too soon for another code; use the one that was sent, or wait a while",
            Self::Wrong => "wrong",
        })
    }
}

impl Client {
    /// Signs a bot in by its token.
    ///
    /// # Errors
    /// [`Error::Rpc`], mostly `ACCESS_TOKEN_INVALID`; [`Error::Session`] if the session could not
    /// be kept; the errors of [`invoke`](Self::invoke).
    ///
    /// # Cancel safety
    /// The bot may be signed in although the future was dropped; doing it again is harmless.
    pub async fn sign_in_bot(&self, token: &str) -> Result<types::User, Error> {
        let request = auth::ImportBotAuthorization {
            flags: 0,
            api_id: self.app().api_id,
            api_hash: self.app().api_hash.as_str().into(),
            bot_auth_token: token.trim().into(),
        };
        match authorized(self, self.invoke(&request).await?).await? {
            SignIn::Done(user) => Ok(*user),
            _ => Err(Error::SignedOut),
        }
    }

    /// Where a sign-in stands that was begun with this session before, by another process or by a
    /// call that was given up: [`SignIn::Password`] if all but the password was given,
    /// [`SignIn::Done`] if somebody is signed in, `None` if it has to begin anew.
    ///
    /// # Errors
    /// As [`me`](Self::me).
    ///
    /// # Cancel safety
    /// It only asks.
    pub async fn sign_in_resume(&self) -> Result<Option<SignIn>, Error> {
        match self.who().await {
            Ok(user) => Ok(user.map(|user| SignIn::Done(Box::new(user)))),
            // Telegram knows whose password it waits for, whatever it says to other calls.
            Err(error)
                if error.is(errors::SESSION_PASSWORD_NEEDED)
                    || error.is(errors::AUTH_KEY_UNREGISTERED) =>
            {
                match password::pending(self).await {
                    Err(error) if is_signed_out(&error) => Ok(None),
                    step => step,
                }
            }
            Err(error) if is_signed_out(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Signs out: the server forgets the sign-in, and the stored session loses its keys. The
    /// client stays connected, and somebody may sign in again.
    ///
    /// What Telegram gives to whoever signs out, so that the same account may sign in here again
    /// without a code, is kept in the session;
    /// [`sign_out_and_forget`](Self::sign_out_and_forget) keeps nothing.
    ///
    /// That nobody was signed in is no error.
    ///
    /// # Errors
    /// [`Error::Session`] if the stored session could not be written; the errors of
    /// [`invoke`](Self::invoke), after which the session is still there.
    ///
    /// # Cancel safety
    /// Dropped in between, the server may have signed out while the session is still stored; the
    /// next call then says [`errors::AUTH_KEY_UNREGISTERED`].
    pub async fn sign_out(&self) -> Result<(), Error> {
        let token = self.log_out().await?;
        self.keeper().sign_out(Tokens::Keep(token.as_deref())).await?;
        tracing::info!("signed out");
        Ok(())
    }

    /// Signs out like [`sign_out`](Self::sign_out), and removes the stored session with all that
    /// was kept of earlier sign-ins.
    ///
    /// # Errors
    /// As [`sign_out`](Self::sign_out).
    ///
    /// # Cancel safety
    /// As [`sign_out`](Self::sign_out).
    pub async fn sign_out_and_forget(&self) -> Result<(), Error> {
        self.log_out().await?;
        self.keeper().sign_out(Tokens::Forget).await?;
        tracing::info!("signed out, nothing is kept");
        Ok(())
    }

    /// Has the server forget the sign-in; returns what lets the account sign in again.
    async fn log_out(&self) -> Result<Option<Bytes>, Error> {
        // From here on an answer that nobody is signed in is what is wanted. If this one is lost
        // nobody knows who is signed in, until `me` asks.
        self.signed_in(false);
        let token = match self.invoke(&auth::LogOut).await {
            Ok(logged_out) => logged_out.future_auth_token,
            Err(error) if is_signed_out(&error) => None,
            Err(error) if error.ended().is_some_and(Ended::is_session_lost) => None,
            Err(error) => return Err(error),
        };
        self.pool().leave_others();
        Ok(token)
    }

    /// The user or bot that is signed in; `None` if nobody is. The session learns from it who
    /// that is, if it does not know: it may have been brought from elsewhere.
    ///
    /// # Errors
    /// Those of [`invoke`](Self::invoke); [`Error::Session`] if what was learned could not be
    /// kept.
    ///
    /// # Cancel safety
    /// It only asks.
    pub async fn me(&self) -> Result<Option<types::User>, Error> {
        match self.who().await {
            Err(error) if is_signed_out(&error) => Ok(None),
            answer => answer,
        }
    }

    async fn who(&self) -> Result<Option<types::User>, Error> {
        let era = self.keeper().era();
        let request = users::GetUsers { id: vec![enums::InputUser::InputUserSelf] };
        let answer = self.invoke(&request).await.map(|found| found.into_iter().find_map(user));
        match &answer {
            Ok(Some(user)) => {
                if self.keeper().identify(era, owner(user)).await? {
                    self.pool().still_signed_in();
                }
            }
            Err(error) if is_signed_out(error) && self.keeper().owner() == Owner::Unknown => {
                self.keeper().identify(era, Owner::Nobody).await?;
            }
            Ok(None) | Err(_) => {}
        }
        answer
    }
}

/// The end of every way to sign in: who it is goes into the session.
async fn authorized(
    client: &Client,
    authorization: enums::auth::Authorization,
) -> Result<SignIn, Error> {
    let enums::auth::Authorization::Authorization(authorization) = authorization else {
        return Err(Error::Unsupported("Telegram wants a sign-up where none is possible"));
    };
    let Some(user) = user(authorization.user) else {
        return Err(Error::Unsupported("Telegram does not say who signed in"));
    };
    client.signed_in(true);
    let token = authorization.future_auth_token.as_deref();
    client.keeper().sign_in(owner(&user), client.app().api_id, token).await?;
    tracing::info!(bot = user.bot, "signed in");
    Ok(SignIn::Done(Box::new(user)))
}

/// Whether Telegram says that a code is not the right one.
fn is_code_wrong(error: &Error) -> bool {
    is_one_of(
        error,
        &[
            errors::CODE_EMPTY,
            errors::CODE_INVALID,
            errors::PHONE_CODE_EMPTY,
            errors::PHONE_CODE_INVALID,
        ],
    )
}

/// Whether Telegram says that no code would be right any more.
fn is_code_expired(error: &Error) -> bool {
    is_one_of(
        error,
        &[
            errors::EMAIL_VERIFY_EXPIRED,
            errors::PASSWORD_RECOVERY_EXPIRED,
            errors::PHONE_CODE_EXPIRED,
        ],
    )
}

fn is_signed_out(error: &Error) -> bool {
    is_one_of(
        error,
        &[
            errors::AUTH_KEY_UNREGISTERED,
            errors::SESSION_EXPIRED,
            errors::SESSION_PASSWORD_NEEDED,
            errors::SESSION_REVOKED,
        ],
    )
}

fn is_one_of(error: &Error, names: &[chappe_tl::ErrorName]) -> bool {
    names.iter().any(|name| error.is(*name))
}

const fn owner(user: &types::User) -> Owner {
    if user.bot { Owner::Bot(user.id) } else { Owner::User(user.id) }
}

fn user(user: enums::User) -> Option<types::User> {
    match user {
        enums::User::User(user) => Some(user),
        _ => None,
    }
}
