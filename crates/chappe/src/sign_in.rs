//! Signing in and out: a [`SignIn`] is where one stands, and holds what may be done next.
//!
//! See core.telegram.org/api/auth and, for the password, core.telegram.org/api/srp.

use std::{fmt, time::Duration};

use bytes::Bytes;
use zeroize::Zeroizing;

use crate::{
    Client, Ended,
    api::{account, auth, enums, errors, types, users},
    error::Error,
    security::proof,
    session::{Owner, keeper::Tokens},
};

/// Where a sign-in stands. Each step but the last is answered by its own `submit`, which gives
/// the next one; a wrong answer gives the same step again, with [`rejected`](CodeStep::rejected).
#[non_exhaustive]
pub enum SignIn {
    /// Telegram sent a code and waits for it.
    Code(CodeStep),
    /// The account has a password.
    Password(PasswordStep),
    /// The phone number has no account yet.
    SignUp(SignUpStep),
    /// This account is signed in, and the session is kept.
    Done(Box<types::User>),
}

impl fmt::Debug for SignIn {
    /// Names the step; an account is only shown by its id, for it has a phone number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(step) => f.debug_tuple("Code").field(step).finish(),
            Self::Password(step) => f.debug_tuple("Password").field(step).finish(),
            Self::SignUp(step) => f.debug_tuple("SignUp").field(step).finish(),
            Self::Done(user) => f.debug_tuple("Done").field(&user.id).finish(),
        }
    }
}

/// Why a step is to be done again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejected {
    /// The code is too old or was tried too often: only [`CodeStep::resend`] helps.
    Expired,
    /// The first name cannot be used.
    FirstName,
    /// The last name cannot be used.
    LastName,
    /// The code or the password is wrong.
    Wrong,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "too old, or tried too often; ask for a new one",
            Self::FirstName => "this first name is not accepted",
            Self::LastName => "this last name is not accepted",
            Self::Wrong => "wrong",
        })
    }
}

/// Where the code went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// A message from Telegram to the account's other devices.
    App,
    /// A call that speaks the code.
    Call,
    /// An email.
    Email {
        /// The address, masked.
        pattern: String,
    },
    /// A call that hangs up; the code is the caller's number.
    FlashCall {
        /// What the number looks like.
        pattern: String,
    },
    /// The site where an anonymous number shows its codes.
    Fragment {
        /// Its address.
        url: String,
    },
    /// A call that hangs up; the code is the end of the caller's number.
    MissedCall {
        /// How the number begins.
        prefix: String,
    },
    /// An SMS, with a number, a word or a phrase.
    Sms,
    /// A way that this version does not know.
    Other,
}

impl Client {
    /// Begins to sign in: Telegram sends a code to this phone number.
    ///
    /// # Errors
    /// [`Error::Rpc`], mostly about the phone number or the api id; [`Error::Unsupported`] if
    /// Telegram wants money for the SMS; the errors of [`invoke`](Self::invoke).
    ///
    /// # Cancel safety
    /// The code may be sent although the future was dropped; beginning again is harmless.
    pub async fn sign_in_phone(&self, phone: &str) -> Result<SignIn, Error> {
        let phone = Zeroizing::new(phone.to_owned());
        send_code(self, phone).await
    }

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
            bot_auth_token: token.into(),
        };
        match authorized(self, self.invoke(&request).await?).await? {
            SignIn::Done(user) => Ok(*user),
            _ => Err(Error::SignedOut),
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
    /// that is, if it was brought from elsewhere and does not know.
    ///
    /// # Errors
    /// Those of [`invoke`](Self::invoke); [`Error::Session`] if what was learned could not be
    /// kept.
    ///
    /// # Cancel safety
    /// It only asks.
    pub async fn me(&self) -> Result<Option<types::User>, Error> {
        let era = self.keeper().era();
        let request = users::GetUsers { id: vec![enums::InputUser::InputUserSelf] };
        match self.invoke(&request).await {
            Ok(found) => {
                let user = found.into_iter().find_map(user);
                if let Some(user) = &user {
                    self.keeper().identify(era, owner(user)).await?;
                    self.pool().still_signed_in();
                }
                Ok(user)
            }
            Err(error) if is_signed_out(&error) => {
                if self.keeper().owner() == Owner::Unknown {
                    self.keeper().identify(era, Owner::Nobody).await?;
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// The step of the code.
pub struct CodeStep {
    client: Client,
    phone: Zeroizing<String>,
    sent: types::auth::SentCode,
    rejected: Option<Rejected>,
}

impl CodeStep {
    /// Where the code went.
    pub fn delivery(&self) -> Delivery {
        delivery(&self.sent.r#type).0
    }

    /// How many characters the code has, if that is known.
    pub fn length(&self) -> Option<usize> {
        delivery(&self.sent.r#type).1.and_then(|length| usize::try_from(length).ok())
    }

    /// How long to wait before [`resend`](Self::resend), if Telegram said so.
    pub fn timeout(&self) -> Option<Duration> {
        let seconds = u64::try_from(self.sent.timeout?).ok()?;
        Some(Duration::from_secs(seconds))
    }

    /// Why the last code was not accepted; `None` the first time.
    pub const fn rejected(&self) -> Option<Rejected> {
        self.rejected
    }

    /// Answers with the code.
    ///
    /// # Errors
    /// The errors of [`Client::invoke`]; the step can be tried again after them. A wrong code is
    /// no error but this step again.
    ///
    /// # Cancel safety
    /// The code may have been used up; submitting it again then says that it expired.
    pub async fn submit(&self, code: &str) -> Result<SignIn, Error> {
        let code = code.trim();
        if code.is_empty() {
            return Ok(self.again(Rejected::Wrong));
        }
        let by_email = matches!(self.delivery(), Delivery::Email { .. });
        let email = types::EmailVerificationCode { code: code.into() };
        let request = auth::SignIn {
            phone_number: self.phone.as_str().into(),
            phone_code_hash: self.sent.phone_code_hash.clone(),
            phone_code: (!by_email).then(|| code.into()),
            email_verification: by_email.then(|| email.into()),
        };
        match self.client.invoke(&request).await {
            Ok(enums::auth::Authorization::SignUpRequired(required)) => {
                Ok(SignIn::SignUp(SignUpStep {
                    client: self.client.clone(),
                    phone: self.phone.clone(),
                    phone_code_hash: self.sent.phone_code_hash.clone(),
                    terms: required.terms_of_service.map(|terms| terms.text.into()),
                    rejected: None,
                }))
            }
            Ok(authorization) => authorized(&self.client, authorization).await,
            Err(error) if error.is(errors::SESSION_PASSWORD_NEEDED) => {
                password(&self.client, None).await
            }
            Err(error)
                if error.is(errors::PHONE_CODE_INVALID) || error.is(errors::PHONE_CODE_EMPTY) =>
            {
                Ok(self.again(Rejected::Wrong))
            }
            Err(error) if error.is(errors::PHONE_CODE_EXPIRED) => Ok(self.again(Rejected::Expired)),
            Err(error) => Err(error),
        }
    }

    /// Has a code sent again, by another way if there is one.
    ///
    /// # Errors
    /// [`Error::Rpc`], like `SEND_CODE_UNAVAILABLE` when there is no way left; the errors of
    /// [`Client::invoke`].
    ///
    /// # Cancel safety
    /// The code may be sent although the future was dropped.
    pub async fn resend(&self) -> Result<SignIn, Error> {
        if self.rejected == Some(Rejected::Expired) {
            return send_code(&self.client, self.phone.clone()).await;
        }
        let request = auth::ResendCode {
            phone_number: self.phone.as_str().into(),
            phone_code_hash: self.sent.phone_code_hash.clone(),
            reason: None,
        };
        let sent = self.client.invoke(&request).await?;
        code_sent(&self.client, self.phone.clone(), sent).await
    }

    fn again(&self, rejected: Rejected) -> SignIn {
        SignIn::Code(Self {
            client: self.client.clone(),
            phone: self.phone.clone(),
            sent: self.sent.clone(),
            rejected: Some(rejected),
        })
    }
}

impl fmt::Debug for CodeStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeStep")
            .field("delivery", &self.delivery())
            .field("rejected", &self.rejected)
            .finish_non_exhaustive()
    }
}

/// The step of the password.
pub struct PasswordStep {
    client: Client,
    hint: Option<String>,
    rejected: Option<Rejected>,
}

impl PasswordStep {
    /// What the owner of the account wrote to remember the password by.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Why the last password was not accepted; `None` the first time.
    pub const fn rejected(&self) -> Option<Rejected> {
        self.rejected
    }

    /// Answers with the password, which does not leave this machine.
    ///
    /// # Errors
    /// The errors of [`Client::invoke`]; the step can be tried again after them. A wrong password
    /// is no error but this step again. [`Error::Unsupported`] if the server wants a way of
    /// checking that this version does not know, or one that would betray the password.
    ///
    /// # Cancel safety
    /// The account may be signed in although the future was dropped; [`Client::me`] tells.
    pub async fn submit(&self, password: &str) -> Result<SignIn, Error> {
        let mut tries = 0;
        loop {
            let form = self.client.invoke(&account::GetPassword).await?;
            let outcome = match proof::prove(&form, password).await? {
                Some(proof) => {
                    self.client.invoke(&auth::CheckPassword { password: proof.into() }).await
                }
                // The password was removed meanwhile, and with it this step.
                None => return Err(Error::SignedOut),
            };
            tries += 1;
            match outcome {
                Ok(authorization) => return authorized(&self.client, authorization).await,
                Err(error) if error.is(errors::PASSWORD_HASH_INVALID) => {
                    return Ok(SignIn::Password(Self {
                        client: self.client.clone(),
                        hint: self.hint.clone(),
                        rejected: Some(Rejected::Wrong),
                    }));
                }
                Err(error)
                    if tries < 2
                        && (error.is(errors::SRP_ID_INVALID)
                            || error.is(errors::SRP_PASSWORD_CHANGED)) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl fmt::Debug for PasswordStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordStep").field("rejected", &self.rejected).finish_non_exhaustive()
    }
}

/// The step of a phone number without an account.
pub struct SignUpStep {
    client: Client,
    phone: Zeroizing<String>,
    phone_code_hash: chappe_tl::Text,
    terms: Option<String>,
    rejected: Option<Rejected>,
}

impl SignUpStep {
    /// The terms of service that whoever signs up accepts.
    pub fn terms(&self) -> Option<&str> {
        self.terms.as_deref()
    }

    /// Why the last names were not accepted; `None` the first time.
    pub const fn rejected(&self) -> Option<Rejected> {
        self.rejected
    }

    /// Makes the account. The last name may be empty.
    ///
    /// # Errors
    /// [`Error::Rpc`], like `PHONE_NUMBER_APP_SIGNUP_FORBIDDEN`; the errors of
    /// [`Client::invoke`]. A name that is not accepted is no error but this step again.
    ///
    /// # Cancel safety
    /// The account may be made although the future was dropped; [`Client::me`] tells.
    pub async fn submit(&self, first_name: &str, last_name: &str) -> Result<SignIn, Error> {
        let request = auth::SignUp {
            no_joined_notifications: false,
            phone_number: self.phone.as_str().into(),
            phone_code_hash: self.phone_code_hash.clone(),
            first_name: first_name.into(),
            last_name: last_name.into(),
        };
        let rejected = match self.client.invoke(&request).await {
            Ok(authorization) => return authorized(&self.client, authorization).await,
            Err(error) if error.is(errors::FIRSTNAME_INVALID) => Rejected::FirstName,
            Err(error) if error.is(errors::LASTNAME_INVALID) => Rejected::LastName,
            Err(error) => return Err(error),
        };
        Ok(SignIn::SignUp(Self {
            client: self.client.clone(),
            phone: self.phone.clone(),
            phone_code_hash: self.phone_code_hash.clone(),
            terms: self.terms.clone(),
            rejected: Some(rejected),
        }))
    }
}

impl fmt::Debug for SignUpStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignUpStep").field("rejected", &self.rejected).finish_non_exhaustive()
    }
}

async fn send_code(client: &Client, phone: Zeroizing<String>) -> Result<SignIn, Error> {
    let tokens = client.keeper().tokens();
    let tokens: Vec<_> = tokens.iter().map(|token| Bytes::copy_from_slice(token)).collect();
    let request = auth::SendCode {
        phone_number: phone.as_str().into(),
        api_id: client.app().api_id,
        api_hash: client.app().api_hash.as_str().into(),
        settings: types::CodeSettings {
            logout_tokens: (!tokens.is_empty()).then_some(tokens),
            ..types::CodeSettings::new()
        },
    };
    let sent = client.invoke(&request).await?;
    code_sent(client, phone, sent).await
}

async fn code_sent(
    client: &Client,
    phone: Zeroizing<String>,
    sent: enums::auth::SentCode,
) -> Result<SignIn, Error> {
    match sent {
        enums::auth::SentCode::SentCode(sent)
            if matches!(sent.r#type, enums::auth::SentCodeType::SetUpEmailRequired(_)) =>
        {
            Err(Error::Unsupported(
                "Telegram wants an email address for this account; set one with an official app",
            ))
        }
        enums::auth::SentCode::SentCode(sent) => Ok(SignIn::Code(CodeStep {
            client: client.clone(),
            phone,
            sent: *sent,
            rejected: None,
        })),
        enums::auth::SentCode::Success(success) => authorized(client, success.authorization).await,
        enums::auth::SentCode::PaymentRequired(_) => Err(Error::Unsupported(
            "Telegram wants this sign-in to be paid for; sign in with an official app first",
        )),
        _ => Err(Error::Unsupported("Telegram asks for a step that is new; update the app")),
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

async fn password(client: &Client, rejected: Option<Rejected>) -> Result<SignIn, Error> {
    let hint = client.invoke(&account::GetPassword).await?.hint;
    let hint = hint.map(String::from).filter(|hint| !hint.is_empty());
    Ok(SignIn::Password(PasswordStep { client: client.clone(), hint, rejected }))
}

fn delivery(sent: &enums::auth::SentCodeType) -> (Delivery, Option<i32>) {
    use enums::auth::SentCodeType as Type;

    match sent {
        Type::App(app) => (Delivery::App, Some(app.length)),
        Type::Call(call) => (Delivery::Call, Some(call.length)),
        Type::EmailCode(email) => {
            (Delivery::Email { pattern: email.email_pattern.as_str().into() }, Some(email.length))
        }
        Type::FirebaseSms(sms) => (Delivery::Sms, Some(sms.length)),
        Type::FlashCall(call) => {
            (Delivery::FlashCall { pattern: call.pattern.as_str().into() }, None)
        }
        Type::FragmentSms(sms) => {
            (Delivery::Fragment { url: sms.url.as_str().into() }, Some(sms.length))
        }
        Type::MissedCall(call) => {
            (Delivery::MissedCall { prefix: call.prefix.as_str().into() }, Some(call.length))
        }
        Type::Sms(sms) => (Delivery::Sms, Some(sms.length)),
        Type::SmsPhrase(_) | Type::SmsWord(_) => (Delivery::Sms, None),
        _ => (Delivery::Other, None),
    }
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

fn is_signed_out(error: &Error) -> bool {
    [
        errors::AUTH_KEY_UNREGISTERED,
        errors::SESSION_EXPIRED,
        errors::SESSION_PASSWORD_NEEDED,
        errors::SESSION_REVOKED,
    ]
    .into_iter()
    .any(|name| error.is(name))
}
