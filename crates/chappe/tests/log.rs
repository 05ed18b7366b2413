//! The log at its most talkative holds no secret. Alone in its process: it listens to all of it.

#[cfg(test)]
#[path = "local/telegram.rs"]
mod telegram;

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use chappe::SignIn;
use tracing_subscriber::fmt::MakeWriter;

use crate::telegram::{API_HASH, client_of, code, done, sign_in, telegram};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_secret_is_logged() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(captured.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let server = telegram(1).await;
    let account = server.accounts()[0].clone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("me.session");
    let client = client_of(&server).session(&path).connect().await.unwrap();
    sign_in(&client, &server).await;
    client.set_password(None, "correct horse", "my animal").await.unwrap();
    client.set_password(Some("wrong horse"), "battery staple", "").await.unwrap_err();
    let address = "claude@example.com";
    let begun = client.set_recovery_email("correct horse", address).await.unwrap();
    let settings = client.password().await.unwrap();
    let shown = format!("{begun:?} {settings:?}");
    client.confirm_recovery_email("not it").await.unwrap_err();
    let sent = server.letters().last_to(address).await.unwrap().unwrap().code;
    client.confirm_recovery_email(&sent).await.unwrap();
    client.request_password_recovery().await.unwrap();
    let recovery = server.letters().last_to(address).await.unwrap().unwrap().code;
    client.recover_password(&recovery, Some(("correct horse", "my animal"))).await.unwrap();
    let sites = client.web_authorizations().await.unwrap();
    client.reset_web_authorization(sites[0].hash()).await.unwrap();
    client.reset_web_authorization(sites[0].hash()).await.unwrap();
    let session = std::fs::read(&path).unwrap();
    client.close().await.unwrap();

    let client = client_of(&server).connect().await.unwrap();
    let step = code(client.sign_in_phone(&account.phone).await.unwrap());
    let step = code(step.submit("55555").await.unwrap());
    let shown = format!("{shown} {client:?} {step:?}");
    let SignIn::Password(step) = step.submit(&account.code).await.unwrap() else {
        panic!("no password is asked for");
    };
    let step = step.submit("correct horse").await.unwrap();
    let shown = format!("{shown} {step:?}");
    done(Ok(step));
    client.sign_out().await.unwrap();
    let bot = &server.bots()[0];
    client.sign_in_bot(&bot.token).await.unwrap();
    client.close().await.unwrap();

    let mut log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    for expected in ["conn{dc=2", "rpc{method=\"auth.signIn\"}", "account.resetWebAuthorization"] {
        assert!(log.contains(expected), "{expected} is not in\n{log}");
    }
    log.push_str(&shown);
    let secret = bot.token.split(':').nth(1).unwrap();
    for (what, secret) in [
        ("api hash", API_HASH),
        ("phone", account.phone.as_str()),
        ("password", "correct horse"),
        ("wrong password", "wrong horse"),
        ("new password", "battery staple"),
        ("recovery address", address),
        ("masked address", "c***e@"),
        ("code of the address", &sent),
        ("recovery code", &recovery),
        ("hint", "my animal"),
        ("token", secret),
        ("wrong code", "55555"),
    ] {
        assert!(!log.contains(secret), "the {what} is in\n{log}");
    }
    // Any eight bytes of the auth key, as hexadecimal digits or as a list of numbers.
    for bytes in session[46..302].chunks_exact(8) {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let list = format!("{bytes:?}");
        assert!(!log.contains(&hex) && !log.contains(list.trim_matches(['[', ']'])));
    }
}
