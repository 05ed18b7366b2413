//! The code that Telegram sends, by whatever way, to show whose a phone number is.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use zeroize::Zeroizing;

use super::{
    EmailSetUpStep, Rejected, SignIn, SignUpStep, authorized, is_code_expired, is_code_wrong,
    password,
};
use crate::{
    Client,
    api::{auth, enums, errors, types},
    error::Error,
};

/// Where the code went.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Delivery {
    /// A message from Telegram to the account's other devices.
    App,
    /// A call that speaks the code.
    Call,
    /// An email to the address that the account set up for codes.
    Email {
        /// The address, masked.
        pattern: String,
    },
    /// An SMS that only Telegram's own apps can ask for; others ask for the
    /// [next](CodeStep::next_delivery) way.
    Firebase,
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
    /// An SMS with a few words; they are the code, in this order.
    Phrase {
        /// The first of them, if Telegram tells it.
        beginning: Option<String>,
    },
    /// An SMS with a number.
    Sms,
    /// An SMS with a word; it is the code.
    Word {
        /// Its first letters, if Telegram tells them.
        beginning: Option<String>,
    },
    /// A way that this version does not know.
    Other,
}

/// How a code would be sent the next time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NextDelivery {
    /// A call that speaks the code.
    Call,
    /// A call that hangs up; the code is the caller's number.
    FlashCall,
    /// The site where an anonymous number shows its codes.
    Fragment,
    /// A call that hangs up; the code is the end of the caller's number.
    MissedCall,
    /// An SMS.
    Sms,
    /// A way that this version does not know.
    Other,
}

/// When codes can go another way than to an email address that is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EmailReset {
    /// So long after [`CodeStep::reset_email`].
    After(Duration),
    /// At this time by the server's clock; somebody asked for it before.
    At(SystemTime),
}

impl Client {
    /// Begins to sign in: Telegram sends a code to this phone number, or lets the account in at
    /// once if it signed out here before.
    ///
    /// # Errors
    /// [`Error::Rpc`], mostly about the phone number or the api id; the errors of
    /// [`invoke`](Self::invoke).
    ///
    /// # Cancel safety
    /// The code may be sent although the future was dropped; beginning again is harmless.
    pub async fn sign_in_phone(&self, phone: &str) -> Result<SignIn, Error> {
        self.sign_in_phone_with(phone, types::CodeSettings::new()).await
    }

    /// Begins to sign in like [`sign_in_phone`](Self::sign_in_phone), and says by which ways a
    /// code may come: by calls that hang up, for example.
    ///
    /// # Errors
    /// As [`sign_in_phone`](Self::sign_in_phone).
    ///
    /// # Cancel safety
    /// As [`sign_in_phone`](Self::sign_in_phone).
    pub async fn sign_in_phone_with(
        &self,
        phone: &str,
        settings: types::CodeSettings,
    ) -> Result<SignIn, Error> {
        let phone = Zeroizing::new(phone.trim().to_owned());
        Attempt { client: self.clone(), phone, settings }.send_code().await
    }
}

/// The phone number that is about to be signed in.
#[derive(Clone)]
pub(super) struct Attempt {
    pub(super) client: Client,
    pub(super) phone: Zeroizing<String>,
    settings: types::CodeSettings,
}

impl Attempt {
    async fn send_code(self) -> Result<SignIn, Error> {
        let app = self.client.app();
        let mut settings = self.settings.clone();
        if settings.logout_tokens.is_none() {
            let tokens = self.client.keeper().tokens();
            let tokens: Vec<_> = tokens.iter().map(|token| Bytes::copy_from_slice(token)).collect();
            settings.logout_tokens = (!tokens.is_empty()).then_some(tokens);
        }
        let request = auth::SendCode {
            phone_number: self.phone.as_str().into(),
            api_id: app.api_id,
            api_hash: app.api_hash.as_str().into(),
            settings,
        };
        let sent = self.client.invoke(&request).await;
        self.sent(sent).await
    }

    /// What follows when a code was to be sent.
    pub(super) async fn sent(
        self,
        sent: Result<enums::auth::SentCode, Error>,
    ) -> Result<SignIn, Error> {
        let sent = match sent {
            Ok(sent) => sent,
            // The account was known by a token, so that only its password is missing.
            Err(error) if error.is(errors::SESSION_PASSWORD_NEEDED) => {
                return password::step(&self.client).await;
            }
            Err(error) => return Err(error),
        };
        match sent {
            enums::auth::SentCode::SentCode(sent)
                if matches!(sent.r#type, enums::auth::SentCodeType::SetUpEmailRequired(_)) =>
            {
                Ok(SignIn::EmailSetUp(EmailSetUpStep::new(self, sent.phone_code_hash)))
            }
            enums::auth::SentCode::SentCode(sent) => {
                let is_right = Arc::default();
                Ok(SignIn::Code(CodeStep { attempt: self, sent: *sent, is_right, rejected: None }))
            }
            enums::auth::SentCode::Success(success) => {
                authorized(&self.client, success.authorization).await
            }
            enums::auth::SentCode::PaymentRequired(wanted) => {
                Ok(SignIn::PaymentRequired(PaymentStep { attempt: self, wanted: *wanted }))
            }
            _ => Err(Error::Unsupported("Telegram asks for a step that is new; update the app")),
        }
    }
}

/// The step of the code.
pub struct CodeStep {
    attempt: Attempt,
    sent: types::auth::SentCode,
    /// Whether the code was right, so that only the password is missing.
    is_right: Arc<AtomicBool>,
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

    /// How a code goes after [`resend`](Self::resend); `None` if there is no other way.
    pub fn next_delivery(&self) -> Option<NextDelivery> {
        use enums::auth::CodeType;

        Some(match self.sent.next_type.as_ref()? {
            CodeType::Call => NextDelivery::Call,
            CodeType::FlashCall => NextDelivery::FlashCall,
            CodeType::FragmentSms => NextDelivery::Fragment,
            CodeType::MissedCall => NextDelivery::MissedCall,
            CodeType::Sms => NextDelivery::Sms,
            _ => NextDelivery::Other,
        })
    }

    /// How long to wait before [`resend`](Self::resend), if Telegram said so.
    pub fn timeout(&self) -> Option<Duration> {
        seconds(self.sent.timeout?)
    }

    /// When codes can go another way than to the email address; `None` if they do not go there,
    /// or Telegram does not say.
    pub fn email_reset(&self) -> Option<EmailReset> {
        let enums::auth::SentCodeType::EmailCode(email) = &self.sent.r#type else { return None };
        let at = email.reset_pending_date.and_then(seconds);
        if let Some(at) = at.and_then(|at| SystemTime::UNIX_EPOCH.checked_add(at)) {
            return Some(EmailReset::At(at));
        }
        email.reset_available_period.and_then(seconds).map(EmailReset::After)
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
    /// The code may have been used up; submitting it again then says that it expired, and
    /// [`Client::sign_in_resume`] where the sign-in stands.
    pub async fn submit(&self, code: &str) -> Result<SignIn, Error> {
        let code = code.trim();
        if code.is_empty() {
            return Ok(self.again(Rejected::Wrong));
        }
        let by_email = matches!(self.sent.r#type, enums::auth::SentCodeType::EmailCode(_));
        let email = types::EmailVerificationCode { code: code.into() };
        let request = auth::SignIn {
            phone_number: self.attempt.phone.as_str().into(),
            phone_code_hash: self.sent.phone_code_hash.clone(),
            phone_code: (!by_email).then(|| code.into()),
            email_verification: by_email.then(|| email.into()),
        };
        let client = &self.attempt.client;
        if self.is_right.load(Ordering::Relaxed) {
            // The code is used up, and what was to follow failed.
            return password::step(client).await;
        }
        match client.invoke(&request).await {
            Ok(enums::auth::Authorization::SignUpRequired(required)) => {
                let hash = self.sent.phone_code_hash.clone();
                let terms = required.terms_of_service;
                Ok(SignIn::SignUp(SignUpStep::new(self.attempt.clone(), hash, terms)))
            }
            Ok(authorization) => authorized(client, authorization).await,
            Err(error) if error.is(errors::SESSION_PASSWORD_NEEDED) => password::step(client).await,
            Err(error) if is_code_wrong(&error) => Ok(self.again(Rejected::Wrong)),
            Err(error) if is_code_expired(&error) => Ok(self.again(Rejected::Expired)),
            Err(error) => Err(error),
        }
    }

    /// Has a code sent again, by another way if there is one. One that expired is replaced by
    /// another, and the older are good for nothing then.
    ///
    /// # Errors
    /// [`Error::Rpc`], like `SEND_CODE_UNAVAILABLE` when there is no way left; the errors of
    /// [`Client::invoke`].
    ///
    /// # Cancel safety
    /// The code may be sent although the future was dropped.
    pub async fn resend(&self) -> Result<SignIn, Error> {
        let again = self.attempt.clone();
        if self.rejected == Some(Rejected::Expired) {
            return again.send_code().await;
        }
        let request = auth::ResendCode {
            phone_number: self.attempt.phone.as_str().into(),
            phone_code_hash: self.sent.phone_code_hash.clone(),
            reason: None,
        };
        match self.attempt.client.invoke(&request).await {
            // It expired since it was last asked for.
            Err(error) if is_code_expired(&error) => again.send_code().await,
            sent => again.sent(sent).await,
        }
    }

    /// Has the code forgotten, so that nobody can use it any more.
    ///
    /// # Errors
    /// Those of [`Client::invoke`]. That there is no code any more is no error.
    ///
    /// # Cancel safety
    /// The code may be forgotten although the future was dropped.
    pub async fn cancel(&self) -> Result<(), Error> {
        let request = auth::CancelCode {
            phone_number: self.attempt.phone.as_str().into(),
            phone_code_hash: self.sent.phone_code_hash.clone(),
        };
        match self.attempt.client.invoke(&request).await {
            Ok(_) => Ok(()),
            Err(error) if is_code_expired(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Tells Telegram that the SMS did not come. `mnc` is the mobile network code of the SIM
    /// card's provider; it may be empty.
    ///
    /// # Errors
    /// Those of [`Client::invoke`].
    ///
    /// # Cancel safety
    /// It may be told although the future was dropped.
    pub async fn report_missing(&self, mnc: &str) -> Result<(), Error> {
        let request = auth::ReportMissingCode {
            phone_number: self.attempt.phone.as_str().into(),
            phone_code_hash: self.sent.phone_code_hash.clone(),
            mnc: mnc.into(),
        };
        self.attempt.client.invoke(&request).await.map(drop)
    }

    /// Asks for codes to go another way than to the email address, because that is lost. The
    /// step that follows says when that will be, or that a code went the other way already.
    ///
    /// # Errors
    /// [`Error::Rpc`], like `TASK_ALREADY_EXISTS` if it was asked for before, or
    /// `EMAIL_INSTALL_MISSING` if codes go another way already; the errors of
    /// [`Client::invoke`].
    ///
    /// # Cancel safety
    /// It may be asked for although the future was dropped.
    pub async fn reset_email(&self) -> Result<SignIn, Error> {
        let request = auth::ResetLoginEmail {
            phone_number: self.attempt.phone.as_str().into(),
            phone_code_hash: self.sent.phone_code_hash.clone(),
        };
        let sent = self.attempt.client.invoke(&request).await;
        self.attempt.clone().sent(sent).await
    }

    pub(super) fn again(&self, rejected: Rejected) -> SignIn {
        SignIn::Code(Self {
            attempt: self.attempt.clone(),
            sent: self.sent.clone(),
            is_right: Arc::clone(&self.is_right),
            rejected: Some(rejected),
        })
    }
}

impl fmt::Debug for CodeStep {
    /// Shows how the code went, not where to.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way: &str = match self.delivery() {
            Delivery::App => "App",
            Delivery::Call => "Call",
            Delivery::Email { .. } => "Email",
            Delivery::Firebase => "Firebase",
            Delivery::FlashCall { .. } => "FlashCall",
            Delivery::Fragment { .. } => "Fragment",
            Delivery::MissedCall { .. } => "MissedCall",
            Delivery::Phrase { .. } => "Phrase",
            Delivery::Sms => "Sms",
            Delivery::Word { .. } => "Word",
            Delivery::Other => "Other",
        };
        f.debug_struct("CodeStep")
            .field("delivery", &format_args!("{way}"))
            .field("rejected", &self.rejected)
            .finish_non_exhaustive()
    }
}

/// The step of a sign-in that Telegram wants to be paid for.
///
/// What is to be bought is Telegram Premium, in the shop of the system that the program runs on
/// or by a form of Telegram's. See core.telegram.org/api/auth#sending-a-verification-code.
pub struct PaymentStep {
    attempt: Attempt,
    wanted: types::auth::SentCodePaymentRequired,
}

impl PaymentStep {
    /// What it costs, in the smallest unit of the currency.
    pub const fn amount(&self) -> i64 {
        self.wanted.amount
    }

    /// The currency, like `USD`.
    pub fn currency(&self) -> &str {
        &self.wanted.currency
    }

    /// How many days of Premium it brings.
    pub const fn premium_days(&self) -> i32 {
        self.wanted.premium_days
    }

    /// The name of what is to be bought in the shop.
    pub fn store_product(&self) -> &str {
        &self.wanted.store_product
    }

    /// Where to write to, if it cannot be paid for.
    pub fn support_email(&self) -> &str {
        &self.wanted.support_email_address
    }

    /// What names the sign-in, for whoever pays for it: a `phone_code_hash`.
    pub fn phone_code_hash(&self) -> &str {
        &self.wanted.phone_code_hash
    }

    /// Asks whether it is paid for, by the form with this id; then a code is sent.
    ///
    /// # Errors
    /// The errors of [`Client::invoke`].
    ///
    /// # Cancel safety
    /// A code may be sent although the future was dropped; asking again is harmless.
    pub async fn check(&self, form_id: i64) -> Result<SignIn, Error> {
        let request = auth::CheckPaidAuth {
            phone_number: self.attempt.phone.as_str().into(),
            phone_code_hash: self.wanted.phone_code_hash.clone(),
            form_id,
        };
        let sent = self.attempt.client.invoke(&request).await;
        self.attempt.clone().sent(sent).await
    }
}

impl fmt::Debug for PaymentStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaymentStep")
            .field("amount", &self.wanted.amount)
            .field("currency", &self.wanted.currency)
            .finish_non_exhaustive()
    }
}

fn delivery(sent: &enums::auth::SentCodeType) -> (Delivery, Option<i32>) {
    use enums::auth::SentCodeType as Type;

    let text = |text: &chappe_tl::Text| String::from(text.as_str());
    match sent {
        Type::App(app) => (Delivery::App, Some(app.length)),
        Type::Call(call) => (Delivery::Call, Some(call.length)),
        Type::EmailCode(email) => {
            (Delivery::Email { pattern: text(&email.email_pattern) }, Some(email.length))
        }
        Type::FirebaseSms(sms) => (Delivery::Firebase, Some(sms.length)),
        Type::FlashCall(call) => (Delivery::FlashCall { pattern: text(&call.pattern) }, None),
        Type::FragmentSms(sms) => (Delivery::Fragment { url: text(&sms.url) }, Some(sms.length)),
        Type::MissedCall(call) => {
            (Delivery::MissedCall { prefix: text(&call.prefix) }, Some(call.length))
        }
        Type::Sms(sms) => (Delivery::Sms, Some(sms.length)),
        Type::SmsPhrase(sms) => {
            (Delivery::Phrase { beginning: sms.beginning.as_ref().map(text) }, None)
        }
        Type::SmsWord(sms) => {
            (Delivery::Word { beginning: sms.beginning.as_ref().map(text) }, None)
        }
        _ => (Delivery::Other, None),
    }
}

fn seconds(seconds: i32) -> Option<Duration> {
    u64::try_from(seconds).ok().map(Duration::from_secs)
}
