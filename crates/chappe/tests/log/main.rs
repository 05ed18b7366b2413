//! The log at its most talkative holds no secret. Alone in its process: it listens to all of it.

#[cfg(test)]
mod flows;
#[cfg(test)]
#[path = "../local/telegram.rs"]
mod telegram;
#[cfg(test)]
mod watch;

use crate::{
    flows::{ADDRESS, LOGIN_ADDRESS, PASSWORD},
    telegram::{API_HASH, telegram},
    watch::{Captured, Watch},
};

#[tokio::test]
async fn no_secret_is_logged() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        // Its digits could be those of a code.
        .without_time()
        .with_writer(captured.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let server = telegram(1).await;
    let mut watch = Watch::default();
    flows::account(&server, &mut watch).await;
    flows::by_code(&server, &mut watch).await;
    flows::by_recovery(&server, &mut watch).await;
    flows::by_email(&server, &mut watch).await;
    flows::by_qr(&mut watch).await;
    flows::by_token(&server, &mut watch).await;
    flows::to_a_site(&server, &mut watch).await;
    flows::on_the_dashboard(&mut watch).await;

    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    for expected in [
        "conn{dc=2",
        "conn{dc=3",
        "rpc{method=\"auth.signIn\"}",
        "auth.recoverPassword",
        "auth.importLoginToken",
        "account.verifyEmail",
        "account.resetWebAuthorization",
        "messages.acceptUrlAuth",
    ] {
        assert!(log.contains(expected), "{expected} is not in\n{log}");
    }
    watch.secret("api hash", API_HASH);
    watch.secret("phone", server.accounts()[0].phone.as_str());
    for phone in ["15550100201", "1 555 0100 201", "9996630042", "99966 3 0042"] {
        watch.secret("phone", phone);
    }
    watch.secret("password", PASSWORD);
    watch.secret("wrong password", "wrong horse");
    watch.secret("new password", "battery staple");
    watch.secret("hint", "my animal");
    watch.secret("name", "Lovelace");
    for address in [ADDRESS, LOGIN_ADDRESS, "wrong@example", "e@example.com", "e@example.org"] {
        watch.secret("address, whole or masked", address);
    }
    watch.check(&log);
}
