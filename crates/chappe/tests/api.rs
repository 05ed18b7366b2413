//! What every public type promises, whatever it does.

use std::collections::BTreeSet;

use chappe::{
    Client, Error, SignIn, UrlAuthConsent, UrlAuthGrant, WebSession, account,
    session::{self, foreign},
};

/// Names each type, and has the compiler check that it crosses threads and can be printed.
macro_rules! crossing {
    ($module:ident: $($name:ident $(<$life:lifetime>)?),+ $(,)?) => {{
        fn crosses<T: Send + Sync + std::fmt::Debug>() {}
        $(crosses::<$module::$name $(<$life>)?>();)+
        [$(stringify!($name)),+]
    }};
}

#[test]
fn every_public_type_crosses_threads_and_can_be_printed() {
    let names = crossing!(chappe:
        Builder, DeviceInfo, Framing, CallOptions, Calls<'static>, Client, DcOption, Ipv6,
        Error, ProtocolFailure, RpcError, SessionError, SessionProblem, Undecodable,
        DeviceSession, DeviceSessions, PasswordProblem, PasswordReset, PasswordSettings,
        RecoveryEmail, Begin, CodeAnswer, CodeStep, Delivery, EmailReset, EmailSetUpStep,
        EmailVerifyStep, NewPassword, NewPasswordStep, NextDelivery, PasswordAnswer,
        PasswordStep, PaymentStep, QrStep, RecoveryCodeStep, Rejected, SignIn, SignUpStep,
        ConnectionState, ConnectionStates, Ended, Updates, UrlAuth, UrlAuthProblem,
        UrlAuthConsent, UrlAuthGrant, UrlAuthLink, WebSession, WebReset<'static>,
        WebResetOutcome, WebResetReport, WebSessionChange, WebSessionWatch
    );
    let mut checked = BTreeSet::from(names);
    // A trait.
    checked.insert("Questions");
    let source = include_str!("../src/lib.rs");
    let (_, public) = source.split_once("pub use crate::{").unwrap();
    let words = public.split(|c: char| !c.is_alphanumeric());
    let public: BTreeSet<_> = words.filter(|word| word.starts_with(char::is_uppercase)).collect();
    assert_eq!(checked, public, "add what is new to this test");

    crossing!(session:
        File, Foreign, ForeignError, Format, Holder, Lease, Memory, Moment, Passphrase, Seal, Session,
        SessionBytes, SessionLock
    );
    crossing!(foreign: Field, Flaw, Home<'static>);
}

#[cfg(feature = "sqlite")]
#[test]
fn every_public_type_of_sqlite_crosses_threads_and_can_be_printed() {
    use session::sqlite;
    crossing!(sqlite: Account, Kept, Listed, Sqlite);
}

#[cfg(feature = "postgres")]
#[test]
fn every_public_type_of_postgres_crosses_threads_and_can_be_printed() {
    use session::postgres;
    crossing!(postgres: Account, Listed, Options, Postgres);
}

/// A web framework's handlers, and `tokio::spawn`, want it so. Nothing is run here.
#[test]
fn the_futures_of_calls_and_flows_cross_threads() {
    fn crosses<F: Future + Send>(_: F) {}
    fn all(
        client: &Client,
        (consent, grant): (&UrlAuthConsent, &UrlAuthGrant),
        step: &SignIn,
        sites: &[WebSession],
    ) {
        crosses(Client::builder(1, "").connect());
        crosses(client.invoke(&account::GetWebAuthorizations));
        crosses(client.sign_in_phone("1"));
        crosses(client.sign_in_resume());
        crosses(client.web_sessions());
        crosses(client.reset_web_session(1));
        crosses(client.reset_web_sessions(sites).into_future());
        crosses(client.reset_all_web_sessions().block_bots().into_future());
        crosses(async { client.watch_web_sessions().next().await });
        crosses(client.url_auth(""));
        crosses(consent.accept(grant));
        crosses(consent.decline());
        crosses(client.device_sessions());
        crosses(client.set_password(None, "", ""));
        crosses(async { client.updates().next().await });
        crosses(client.close());
        if let SignIn::Code(step) = step {
            crosses(step.submit("1"));
        }
    }
    let _: fn(&Client, (&UrlAuthConsent, &UrlAuthGrant), &SignIn, &[WebSession]) = all;
}

#[test]
fn an_error_goes_into_a_box_of_any_error() {
    let boxed: Box<dyn std::error::Error + Send + Sync> = Error::SignedOut.into();
    assert_eq!(boxed.to_string(), "nobody is signed in; sign in first");
}
