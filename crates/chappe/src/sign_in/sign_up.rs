//! A phone number without an account gets one.

use std::fmt;

use chappe_tl::Text;

use super::{Rejected, SignIn, authorized, code::Attempt};
use crate::{
    api::{auth, enums, errors, types},
    error::Error,
};

/// The step of a phone number without an account.
pub struct SignUpStep {
    attempt: Attempt,
    phone_code_hash: Text,
    terms: Option<Box<types::help::TermsOfService>>,
    rejected: Option<Rejected>,
}

impl SignUpStep {
    pub(super) const fn new(
        attempt: Attempt,
        phone_code_hash: Text,
        terms: Option<Box<types::help::TermsOfService>>,
    ) -> Self {
        Self { attempt, phone_code_hash, terms, rejected: None }
    }

    /// The terms of service that whoever signs up accepts.
    pub fn terms(&self) -> Option<&str> {
        Some(&self.terms.as_ref()?.text)
    }

    /// How the terms of service are written: bold, with links, and so on.
    pub fn terms_entities(&self) -> &[enums::MessageEntity] {
        self.terms.as_ref().map_or(&[], |terms| &terms.entities)
    }

    /// Whether the terms of service are to be shown before anything is accepted.
    pub fn terms_popup(&self) -> bool {
        self.terms.as_ref().is_some_and(|terms| terms.popup)
    }

    /// How old somebody must be to sign up, in years, and has to say so.
    pub fn min_age(&self) -> Option<u32> {
        self.terms.as_ref()?.min_age_confirm.and_then(|years| u32::try_from(years).ok())
    }

    /// Why the last names were not accepted; `None` the first time.
    pub const fn rejected(&self) -> Option<Rejected> {
        self.rejected
    }

    /// Accepts the terms of service and makes the account. The last name may be empty.
    ///
    /// # Errors
    /// The errors of [`Client::invoke`](crate::Client::invoke). A name that is not accepted is no
    /// error but this step again. [`Error::BeginAgain`] if too much time went by, or another device
    /// signed the number up meanwhile.
    ///
    /// # Cancel safety
    /// The account may be made although the future was dropped;
    /// [`Client::me`](crate::Client::me) tells.
    pub async fn submit(&self, first_name: &str, last_name: &str) -> Result<SignIn, Error> {
        let request = auth::SignUp {
            no_joined_notifications: false,
            phone_number: self.attempt.phone.as_str().into(),
            phone_code_hash: self.phone_code_hash.clone(),
            first_name: first_name.into(),
            last_name: last_name.into(),
        };
        let client = &self.attempt.client;
        let rejected = match client.invoke(&request).await {
            Ok(authorization) => return authorized(client, authorization).await,
            Err(error) if error.is(errors::FIRSTNAME_INVALID) => Rejected::FirstName,
            Err(error) if error.is(errors::LASTNAME_INVALID) => Rejected::LastName,
            Err(error)
                if error.is(errors::PHONE_CODE_EXPIRED)
                    || error.is(errors::PHONE_NUMBER_OCCUPIED) =>
            {
                return Err(Error::BeginAgain);
            }
            Err(error) => return Err(error),
        };
        Ok(SignIn::SignUp(Self {
            attempt: self.attempt.clone(),
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
