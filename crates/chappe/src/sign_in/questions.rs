//! A sign-in as questions to somebody: for programs at a terminal and other simple ones.

use super::{
    CodeStep, EmailSetUpStep, EmailVerifyStep, NewPasswordStep, PasswordStep, QrStep,
    RecoveryCodeStep, Rejected, SignIn, SignUpStep, is_one_of,
};
use crate::{
    Client,
    api::{errors, types},
    error::Error,
};

/// Who answers what a sign-in asks, for [`Client::sign_in_with`].
///
/// `None` gives up. The step says what is asked for: what became of the last answer, where the
/// code went, how long it is. Those that are seldom asked give up unless they are written. The example
/// `sign_in` answers all of them at a terminal; here a list answers, as in a script or a test:
///
/// ```
/// use chappe::{
///     Begin, Client, CodeAnswer, CodeStep, PasswordAnswer, PasswordStep, Questions, Rejected,
/// };
///
/// struct Script {
///     phone: String,
///     code: String,
/// }
///
/// impl Questions for Script {
///     async fn begin(&mut self, rejected: Option<Rejected>) -> Option<Begin> {
///         // What was not accepted would not be the second time either.
///         rejected.is_none().then(|| Begin::Phone(self.phone.clone()))
///     }
///
///     async fn code(&mut self, step: &CodeStep) -> Option<CodeAnswer> {
///         step.rejected().is_none().then(|| self.code.as_str().into())
///     }
///
///     async fn password(&mut self, _: &PasswordStep) -> Option<PasswordAnswer> {
///         None
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let telegram = chappe_server::Server::builder().seed(7).start().await?;
/// # let account = &telegram.accounts()[0];
/// # let client = Client::builder(1, "0".repeat(32))
/// #     .server(telegram.address(), telegram.public_key_pem())?
/// #     .connect()
/// #     .await?;
/// let mut script = Script { phone: account.phone.clone(), code: account.code.clone() };
/// let user = client.sign_in_with(&mut script).await?;
/// assert_eq!(user.first_name.as_deref(), Some("Claude"));
/// # client.close().await?;
/// # telegram.shutdown().await?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub trait Questions: Send {
    /// How to begin; after an answer that was not accepted, why not.
    fn begin(&mut self, rejected: Option<Rejected>) -> impl Future<Output = Option<Begin>> + Send;

    /// The code that Telegram sent.
    fn code(&mut self, step: &CodeStep) -> impl Future<Output = Option<CodeAnswer>> + Send;

    /// The password of two-step verification.
    fn password(
        &mut self,
        step: &PasswordStep,
    ) -> impl Future<Output = Option<PasswordAnswer>> + Send;

    /// Shows the code that another device scans, instead of the one before.
    fn show_qr(&mut self, step: &QrStep) -> impl Future<Output = Option<()>> + Send {
        let _ = step;
        async { None }
    }

    /// The first and the last name of a new account. Whoever answers accepts the terms.
    fn names(
        &mut self,
        step: &SignUpStep,
    ) -> impl Future<Output = Option<(String, String)>> + Send {
        let _ = step;
        async { None }
    }

    /// An email address that codes go to from now on.
    fn email(&mut self, step: &EmailSetUpStep) -> impl Future<Output = Option<String>> + Send {
        let _ = step;
        async { None }
    }

    /// The code that went to the new email address.
    fn email_code(
        &mut self,
        step: &EmailVerifyStep,
    ) -> impl Future<Output = Option<CodeAnswer>> + Send {
        let _ = step;
        async { None }
    }

    /// The code that recovers a forgotten password.
    fn recovery_code(
        &mut self,
        step: &RecoveryCodeStep,
    ) -> impl Future<Output = Option<CodeAnswer>> + Send {
        let _ = step;
        async { None }
    }

    /// What comes in place of the forgotten password.
    fn new_password(
        &mut self,
        step: &NewPasswordStep,
    ) -> impl Future<Output = Option<NewPassword>> + Send {
        let _ = step;
        async { None }
    }
}

/// How a sign-in begins. `Debug` shows no number and no token.
#[derive(Clone)]
#[non_exhaustive]
pub enum Begin {
    /// By the phone number.
    Phone(String),
    /// By a code that another device scans; never for these accounts, which are here already.
    Qr {
        /// Their ids.
        except: Vec<i64>,
    },
    /// By a bot's token.
    Bot(String),
}

/// What is answered to the question for a code. `Debug` shows no code.
#[derive(Clone)]
#[non_exhaustive]
pub enum CodeAnswer {
    /// The code, as it was typed.
    Code(String),
    /// Send it again.
    Resend,
    /// The email address that it went to is lost; only where that is asked.
    ResetEmail,
}

impl From<String> for CodeAnswer {
    fn from(code: String) -> Self {
        Self::Code(code)
    }
}

impl From<&str> for CodeAnswer {
    fn from(code: &str) -> Self {
        Self::Code(code.to_owned())
    }
}

/// What is answered to the question for the password. `Debug` shows no password.
#[derive(Clone)]
#[non_exhaustive]
pub enum PasswordAnswer {
    /// The password, as it was typed: blanks count.
    Password(String),
    /// It is forgotten: send a code to recover it.
    Recover,
}

impl From<String> for PasswordAnswer {
    fn from(password: String) -> Self {
        Self::Password(password)
    }
}

impl From<&str> for PasswordAnswer {
    fn from(password: &str) -> Self {
        Self::Password(password.to_owned())
    }
}

/// What comes in place of a forgotten password. `Debug` shows nothing of it.
#[derive(Clone)]
#[non_exhaustive]
pub enum NewPassword {
    /// This one.
    Set {
        /// The password.
        password: String,
        /// What is shown to whoever forgot it; may be empty.
        hint: String,
    },
    /// None.
    Remove,
}

macro_rules! show_the_name_only {
    ($($type:ident { $($pattern:pat => $name:literal),+ })+) => {$(
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $($pattern => $name),+ })
            }
        }
    )+};
}

show_the_name_only! {
    Begin { Self::Phone(_) => "Phone", Self::Qr { .. } => "Qr", Self::Bot(_) => "Bot" }
    CodeAnswer {
        Self::Code(_) => "Code", Self::Resend => "Resend", Self::ResetEmail => "ResetEmail"
    }
    PasswordAnswer { Self::Password(_) => "Password", Self::Recover => "Recover" }
    NewPassword { Self::Set { .. } => "Set", Self::Remove => "Remove" }
}

impl Client {
    /// Signs in by asking somebody, step by step; goes on where an earlier sign-in with this
    /// session stopped, and asks nothing if somebody is signed in already.
    ///
    /// Nothing is asked of the server that nobody answered, and after a few answers that were not
    /// accepted it is over: whoever answers without looking does no harm.
    ///
    /// # Errors
    /// [`Error::GaveUp`] if that was the answer; [`Error::TooManyTries`]; [`Error::Rpc`] with
    /// [`Error::retry_after`] if Telegram wants a pause; the errors of the steps. That another
    /// code was asked for too soon is no error but the same question again.
    ///
    /// # Cancel safety
    /// As the steps: at worst a code was sent for nothing.
    pub async fn sign_in_with(&self, questions: &mut impl Questions) -> Result<types::User, Error> {
        let mut next = self.sign_in_resume().await?;
        let mut why = None;
        let mut tries = 0;
        loop {
            let outcome = match next.take() {
                Some(SignIn::Done(user)) => return Ok(*user),
                Some(step) => {
                    // What was sent for in vain is counted already.
                    let in_vain = [Some(Rejected::NoOtherWay), Some(Rejected::TooSoon)];
                    if step.rejected().is_some() && !in_vain.contains(&step.rejected()) {
                        tries += 1;
                    }
                    if tries >= MOST_TRIES {
                        return Err(Error::TooManyTries);
                    }
                    let outcome = self.answer(step, questions, &mut tries).await;
                    outcome.map_err(|error| (why_again(&error), error))
                }
                None => {
                    if tries >= MOST_TRIES {
                        return Err(Error::TooManyTries);
                    }
                    let begin = questions.begin(why.take()).await.ok_or(Error::GaveUp)?;
                    self.begin(&begin).await.map_err(|error| (why_again(&error), error))
                }
            };
            match outcome {
                Ok(step) => next = Some(step),
                Err((Some(again), _)) => {
                    tries += 1;
                    why = again;
                }
                Err((None, error)) => return Err(error),
            }
        }
    }

    async fn begin(&self, begin: &Begin) -> Result<SignIn, Error> {
        match begin {
            Begin::Phone(phone) => self.sign_in_phone(phone).await,
            Begin::Qr { except } => self.sign_in_qr(except).await,
            Begin::Bot(token) => {
                self.sign_in_bot(token).await.map(|user| SignIn::Done(Box::new(user)))
            }
        }
    }

    /// Has one step answered. Whatever sends another message to somebody counts as a try.
    async fn answer(
        &self,
        step: SignIn,
        questions: &mut impl Questions,
        tries: &mut u32,
    ) -> Result<SignIn, Error> {
        match step {
            SignIn::Code(step) => match questions.code(&step).await.ok_or(Error::GaveUp)? {
                CodeAnswer::Code(code) => step.submit(&code).await,
                CodeAnswer::Resend => {
                    *tries += 1;
                    step.resend()
                        .await
                        .or_else(|error| Ok(step.again(not_sent(step.rejected(), error)?)))
                }
                CodeAnswer::ResetEmail => {
                    *tries += 1;
                    step.reset_email()
                        .await
                        .or_else(|error| Ok(step.again(not_sent(step.rejected(), error)?)))
                }
            },
            SignIn::EmailSetUp(step) => {
                step.submit(&questions.email(&step).await.ok_or(Error::GaveUp)?).await
            }
            SignIn::EmailVerify(step) => {
                match questions.email_code(&step).await.ok_or(Error::GaveUp)? {
                    CodeAnswer::Code(code) => step.submit(&code).await,
                    CodeAnswer::Resend => {
                        *tries += 1;
                        step.resend()
                            .await
                            .or_else(|error| Ok(step.again(not_sent(step.rejected(), error)?)))
                    }
                    CodeAnswer::ResetEmail => {
                        *tries += 1;
                        Ok(step.other_address())
                    }
                }
            }
            SignIn::SignUp(step) => {
                let (first, last) = questions.names(&step).await.ok_or(Error::GaveUp)?;
                step.submit(&first, &last).await
            }
            SignIn::Password(step) => {
                match questions.password(&step).await.ok_or(Error::GaveUp)? {
                    PasswordAnswer::Password(password) => step.submit(&password).await,
                    PasswordAnswer::Recover => {
                        *tries += 1;
                        step.recover().await
                    }
                }
            }
            SignIn::RecoveryCode(step) => {
                match questions.recovery_code(&step).await.ok_or(Error::GaveUp)? {
                    CodeAnswer::Code(code) => step.submit(&code).await,
                    CodeAnswer::Resend | CodeAnswer::ResetEmail => {
                        *tries += 1;
                        step.resend()
                            .await
                            .or_else(|error| Ok(step.again(not_sent(step.rejected(), error)?)))
                    }
                }
            }
            SignIn::NewPassword(step) => {
                match questions.new_password(&step).await.ok_or(Error::GaveUp)? {
                    NewPassword::Set { password, hint } => step.submit(&password, &hint).await,
                    NewPassword::Remove => step.remove().await,
                }
            }
            SignIn::Qr(step) => {
                questions.show_qr(&step).await.ok_or(Error::GaveUp)?;
                step.wait().await
            }
            SignIn::PaymentRequired(_) => Err(Error::Unsupported(
                "Telegram wants this sign-in to be paid for; sign in with an official app first",
            )),
            SignIn::Done(user) => Ok(SignIn::Done(user)),
        }
    }
}

/// Why no other code was sent, if the last one is still good.
fn not_sent(last: Option<Rejected>, error: Error) -> Result<Rejected, Error> {
    if last == Some(Rejected::Expired) {
        return Err(error);
    }
    if error.retry_after().is_some() {
        return Ok(Rejected::TooSoon);
    }
    let no_way = [errors::EMAIL_INSTALL_MISSING, errors::SEND_CODE_UNAVAILABLE];
    if is_one_of(&error, &no_way) || error.is(errors::TASK_ALREADY_EXISTS) {
        return Ok(Rejected::NoOtherWay);
    }
    Err(error)
}

/// Whether the sign-in begins anew after this error, and why, if that is to be told.
fn why_again(error: &Error) -> Option<Option<Rejected>> {
    if error.is(errors::PHONE_NUMBER_INVALID) {
        return Some(Some(Rejected::Phone));
    }
    if is_one_of(error, &[errors::ACCESS_TOKEN_EXPIRED, errors::ACCESS_TOKEN_INVALID]) {
        return Some(Some(Rejected::Token));
    }
    let restarts = [errors::AUTH_RESTART, errors::AUTH_RESTART_X, errors::SIGN_IN_FAILED];
    (matches!(error, Error::BeginAgain) || is_one_of(error, &restarts)).then_some(None)
}

/// Answers that are not accepted, and messages that are sent again, in one sign-in.
const MOST_TRIES: u32 = 5;
