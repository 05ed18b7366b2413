//! The email address that codes go to from now on, where Telegram wants one.
//!
//! See core.telegram.org/api/auth#email-verification.

use std::fmt;

use chappe_tl::Text;
use zeroize::Zeroizing;

use super::{Rejected, SignIn, code::Attempt, is_code_expired, is_code_wrong};
use crate::{
    api::{account, enums, errors, types},
    error::Error,
};

/// The step of an email address that codes go to from now on.
pub struct EmailSetUpStep {
    sign_in: SetUp,
    rejected: Option<Rejected>,
}

/// The sign-in that waits for the address.
#[derive(Clone)]
struct SetUp {
    attempt: Attempt,
    phone_code_hash: Text,
}

impl SetUp {
    fn purpose(&self) -> types::EmailVerifyPurposeLoginSetup {
        types::EmailVerifyPurposeLoginSetup {
            phone_number: self.attempt.phone.as_str().into(),
            phone_code_hash: self.phone_code_hash.clone(),
        }
    }

    fn ask(&self, rejected: Option<Rejected>) -> SignIn {
        SignIn::EmailSetUp(EmailSetUpStep { sign_in: self.clone(), rejected })
    }

    /// Has a code sent to this address.
    async fn write_to(&self, address: Zeroizing<String>) -> Result<SignIn, Error> {
        if address.is_empty() {
            return Ok(self.ask(Some(Rejected::Address)));
        }
        let request = account::SendVerifyEmailCode {
            purpose: self.purpose().into(),
            email: address.as_str().into(),
        };
        match self.attempt.client.invoke(&request).await {
            Ok(sent) => Ok(SignIn::EmailVerify(EmailVerifyStep {
                sign_in: self.clone(),
                address,
                sent,
                rejected: None,
            })),
            Err(error) if error.is(errors::EMAIL_INVALID) => Ok(self.ask(Some(Rejected::Address))),
            Err(error) if error.is(errors::EMAIL_NOT_ALLOWED) => {
                Ok(self.ask(Some(Rejected::AddressNotAllowed)))
            }
            Err(error) if is_over(&error) => Err(Error::BeginAgain),
            Err(error) => Err(error),
        }
    }
}

impl EmailSetUpStep {
    pub(super) fn new(attempt: Attempt, phone_code_hash: Text) -> Self {
        Self { sign_in: SetUp { attempt, phone_code_hash }, rejected: None }
    }

    /// Why the last address was not accepted; `None` the first time.
    pub const fn rejected(&self) -> Option<Rejected> {
        self.rejected
    }

    /// Answers with an address, to which Telegram sends a code.
    ///
    /// # Errors
    /// The errors of [`Client::invoke`](crate::Client::invoke); the step can be tried again after
    /// them. An address that is not accepted is no error but this step again.
    /// [`Error::BeginAgain`] if too much time went by.
    ///
    /// # Cancel safety
    /// A code may be sent although the future was dropped.
    pub async fn submit(&self, address: &str) -> Result<SignIn, Error> {
        self.sign_in.write_to(Zeroizing::new(address.trim().to_owned())).await
    }
}

impl fmt::Debug for EmailSetUpStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmailSetUpStep").field("rejected", &self.rejected).finish_non_exhaustive()
    }
}

/// The step of the code that went to the new email address.
pub struct EmailVerifyStep {
    sign_in: SetUp,
    address: Zeroizing<String>,
    sent: types::account::SentEmailCode,
    rejected: Option<Rejected>,
}

impl EmailVerifyStep {
    /// The address, masked.
    pub fn pattern(&self) -> &str {
        &self.sent.email_pattern
    }

    /// How many characters the code has.
    pub fn length(&self) -> usize {
        usize::try_from(self.sent.length).unwrap_or_default()
    }

    /// Why the last code was not accepted; `None` the first time.
    pub const fn rejected(&self) -> Option<Rejected> {
        self.rejected
    }

    /// Answers with the code; then codes go to this address, and the first is on its way.
    ///
    /// # Errors
    /// The errors of [`Client::invoke`](crate::Client::invoke); the step can be tried again after
    /// them. A wrong code is no error but this step again. [`Error::BeginAgain`] if too much time
    /// went by.
    ///
    /// # Cancel safety
    /// The code may have been used up; submitting it again then says that it expired.
    pub async fn submit(&self, code: &str) -> Result<SignIn, Error> {
        let code = code.trim();
        if code.is_empty() {
            return Ok(self.again(Rejected::Wrong));
        }
        let request = account::VerifyEmail {
            purpose: self.sign_in.purpose().into(),
            verification: types::EmailVerificationCode { code: code.into() }.into(),
        };
        match self.sign_in.attempt.client.invoke(&request).await {
            Ok(enums::account::EmailVerified::Login(login)) => {
                self.sign_in.attempt.clone().sent(Ok(login.sent_code)).await
            }
            Ok(_) => {
                Err(Error::Unsupported("Telegram does not go on with the sign-in; begin it again"))
            }
            Err(error) if is_over(&error) => Err(Error::BeginAgain),
            Err(error) if is_code_wrong(&error) => Ok(self.again(Rejected::Wrong)),
            Err(error) if is_code_expired(&error) => Ok(self.again(Rejected::Expired)),
            Err(error) => Err(error),
        }
    }

    /// Has another code sent to the same address.
    ///
    /// # Errors
    /// As [`EmailSetUpStep::submit`].
    ///
    /// # Cancel safety
    /// A code may be sent although the future was dropped.
    pub async fn resend(&self) -> Result<SignIn, Error> {
        self.sign_in.write_to(self.address.clone()).await
    }

    /// Goes back to name another address.
    pub fn other_address(&self) -> SignIn {
        self.sign_in.ask(None)
    }

    pub(super) fn again(&self, rejected: Rejected) -> SignIn {
        SignIn::EmailVerify(Self {
            sign_in: self.sign_in.clone(),
            address: self.address.clone(),
            sent: self.sent.clone(),
            rejected: Some(rejected),
        })
    }
}

impl fmt::Debug for EmailVerifyStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmailVerifyStep").field("rejected", &self.rejected).finish_non_exhaustive()
    }
}

/// Whether the sign-in is over that the address was for.
fn is_over(error: &Error) -> bool {
    error.is(errors::PHONE_HASH_EXPIRED) || error.is(errors::PHONE_CODE_EXPIRED)
}
