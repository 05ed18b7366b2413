//! The log at its most talkative holds no secret. Alone in its process: it listens to all of it.

#[cfg(test)]
#[path = "local/telegram.rs"]
mod telegram;

use std::{
    fmt::{Debug, Write},
    io,
    sync::{Arc, Mutex, PoisonError},
};

use chappe::{
    Client, CodeStep, Error, PasswordStep, QrStep, SignIn,
    session::{File, Foreign, Format, Session},
};
use chappe_server::{Handle, Server, numbers::Number};
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

/// What must not be seen, and what was shown beside the log.
#[derive(Default)]
struct Watch {
    secrets: Vec<(&'static str, String)>,
    bytes: Vec<(&'static str, Vec<u8>)>,
    shown: String,
}

impl Watch {
    /// This text must not be seen.
    fn secret(&mut self, what: &'static str, text: impl Into<String>) {
        self.secrets.push((what, text.into()));
    }

    /// Programs print this.
    fn show(&mut self, value: &impl Debug) {
        writeln!(self.shown, "{value:?}").unwrap();
    }

    fn fails<T: Debug>(&mut self, outcome: Result<T, Error>) {
        let error = outcome.unwrap_err();
        writeln!(self.shown, "{error} {error:?} {:?}", error.explain()).unwrap();
    }

    fn code(&mut self, step: SignIn) -> CodeStep {
        self.show(&step);
        code(step)
    }

    fn password(&mut self, step: SignIn) -> PasswordStep {
        self.show(&step);
        match step {
            SignIn::Password(step) => step,
            other => panic!("{other:?}"),
        }
    }

    fn qr(&mut self, step: SignIn) -> QrStep {
        self.show(&step);
        let SignIn::Qr(step) = step else { panic!("{step:?}") };
        let url = step.url();
        self.secret("QR token", url.split_once("token=").unwrap().1);
        step
    }

    fn done(&mut self, step: SignIn) {
        self.show(&step);
        done(Ok(step));
    }

    /// The keys of all data centres of this session, and the tokens for later sign-ins.
    fn session(&mut self, session: &Session) {
        self.show(session);
        let bytes = session.to_bytes().unwrap();
        self.show(&bytes);
        let bytes = bytes.as_ref();
        let number = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
        let mut at = 41;
        for _ in 0..number(39) {
            self.bytes.push(("auth key", bytes[at + 5..at + 261].to_vec()));
            at += 263 + number(at + 261);
            at += 2 + 24 * number(at);
        }
        at += 5;
        for _ in 0..bytes[at - 1] {
            self.bytes.push(("token", bytes[at + 2..at + 2 + number(at)].to_vec()));
            at += 2 + number(at);
        }
        assert_eq!(at + 32, bytes.len());
        if session.is_signed_in() {
            let foreign = Foreign::from_session(session).unwrap();
            self.show(&foreign);
            let text = foreign.write(Format::GramJs).unwrap();
            self.show(&text);
            self.secret("session string", text.as_str().unwrap());
        }
    }

    /// Looks for all of it.
    fn check(&self, log: &str) {
        let seen = [log, &self.shown].concat();
        for (what, secret) in &self.secrets {
            assert!(secret.len() > 3, "{what}");
            let found = seen.match_indices(secret.as_str()).find(|(at, _)| {
                // A code may be a part of some other number.
                let is_part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_hexdigit());
                let digits = secret.bytes().all(|byte| byte.is_ascii_digit());
                let (before, after) = (&seen[..*at], &seen[at + secret.len()..]);
                !(digits && (is_part(before.chars().next_back()) || is_part(after.chars().next())))
            });
            assert!(found.is_none(), "the {what} is in\n{}", around(&seen, found.unwrap().0));
        }
        for (what, bytes) in &self.bytes {
            // Any eight bytes, as digits, as a list of numbers, as an escaped string, and in
            // Base64, where they begin anywhere in a group.
            for bytes in bytes.chunks_exact(8) {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                let list = format!("{bytes:?}");
                let escaped = bytes.escape_ascii().to_string();
                let mut forms = vec![
                    hex.to_uppercase(),
                    hex,
                    list.trim_matches(['[', ']']).to_owned(),
                    escaped,
                ];
                for skip in 0..3 {
                    forms.extend(base64(&bytes[skip..skip + 3]).map(|first| {
                        let second = base64(&bytes[skip + 3..bytes.len().min(skip + 6)]);
                        first + &second.unwrap_or_default()
                    }));
                }
                forms.retain(|form| form.len() > 7);
                for form in forms {
                    let found = seen.find(&form);
                    assert!(found.is_none(), "{what}:\n{}", around(&seen, found.unwrap()));
                }
            }
        }
    }
}

/// Three bytes in Base64.
fn base64(bytes: &[u8]) -> Option<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let &[a, b, c] = bytes else { return None };
    let group = u32::from_be_bytes([0, a, b, c]);
    Some(
        [18, 12, 6, 0]
            .map(|shift| char::from(ALPHABET[(group >> shift & 63) as usize]))
            .iter()
            .collect(),
    )
}

/// The lines where something was found.
fn around(text: &str, at: usize) -> &str {
    let begin = text[..at].rfind('\n').map_or(0, |begin| begin + 1);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    &text[begin..end]
}

/// What was sent to this phone or mailbox last.
async fn letter(server: &Handle, to: &str) -> String {
    server.letters().last_to(to).await.unwrap().unwrap().code
}

const PASSWORD: &str = "correct horse";
const ADDRESS: &str = "claude@example.com";
const LOGIN_ADDRESS: &str = "ada.lovelace@example.org";
const NOBODYS: &str = "+1 555 0100 201";

/// The password and the devices of an account, from within.
async fn account(server: &Handle, watch: &mut Watch) {
    let folder = tempfile::tempdir().unwrap();
    let store = File::new(folder.path().join("me.session")).passphrase("open sesame");
    watch.secret("passphrase", "open sesame");
    let client = client_of(server).session(store).connect().await.unwrap();
    sign_in(&client, server).await;
    client.set_password(None, PASSWORD, "my animal").await.unwrap();
    watch.fails(client.set_password(Some("wrong horse"), "battery staple", "").await);
    let begun = client.set_recovery_email(PASSWORD, ADDRESS).await.unwrap();
    watch.show(&begun);
    watch.show(&client.password().await.unwrap());
    watch.fails(client.confirm_recovery_email("not it").await);
    let sent = letter(server, ADDRESS).await;
    client.confirm_recovery_email(&sent).await.unwrap();
    watch.secret("code of the address", sent);
    client.request_password_recovery().await.unwrap();
    let recovery = letter(server, ADDRESS).await;
    client.recover_password(&recovery, Some((PASSWORD, "my animal"))).await.unwrap();
    watch.secret("recovery code", recovery);
    watch.show(&client.password().await.unwrap());
    watch.show(&client.device_sessions().await.unwrap());
    let sites = client.web_authorizations().await.unwrap();
    client.reset_web_authorization(sites[0].hash()).await.unwrap();
    client.reset_web_authorization(sites[0].hash()).await.unwrap();
    watch.show(&client);
    watch.session(&client.session());
    client.close().await.unwrap();
}

/// By a code, with wrong ones before it, and the password; out, and in again by a token.
async fn by_code(server: &Handle, watch: &mut Watch) {
    let account = &server.accounts()[0];
    let client = client_of(server).connect().await.unwrap();
    watch.fails(client.sign_in_phone("hello 8675309").await);
    watch.secret("what is no number", "8675309");
    let step = watch.code(client.sign_in_phone(&account.phone).await.unwrap());
    let step = watch.code(step.resend().await.unwrap());
    let step = watch.code(step.submit("55555").await.unwrap());
    step.report_missing("01").await.unwrap();
    step.cancel().await.unwrap();
    let step = watch.code(step.submit(&account.code).await.unwrap());
    let step = watch.code(step.resend().await.unwrap());
    let step = watch.password(step.submit(&account.code).await.unwrap());
    let step = watch.password(step.submit("wrong horse").await.unwrap());
    watch.done(step.submit(PASSWORD).await.unwrap());
    watch.session(&client.session());
    client.sign_out().await.unwrap();
    watch.session(&client.session());
    let step = watch.password(client.sign_in_phone(&account.phone).await.unwrap());
    let step = watch
        .password(client.sign_in_resume().await.unwrap().unwrap_or_else(|| panic!("{step:?}")));
    watch.done(step.submit(PASSWORD).await.unwrap());
    client.sign_out_and_forget().await.unwrap();
    client.close().await.unwrap();
    watch.secret("wrong code", "55555");
    watch.secret("code", account.code.as_str());
}

/// The password is forgotten.
async fn by_recovery(server: &Handle, watch: &mut Watch) {
    let account = &server.accounts()[0];
    let client = client_of(server).connect().await.unwrap();
    let step = watch.code(client.sign_in_phone(&account.phone).await.unwrap());
    let step = watch.password(step.submit(&account.code).await.unwrap());
    let step = step.recover().await.unwrap();
    watch.show(&step);
    let SignIn::RecoveryCode(step) = step else { panic!("{step:?}") };
    watch.show(&step.submit("987654").await.unwrap());
    let sent = letter(server, ADDRESS).await;
    let step = step.submit(&sent).await.unwrap();
    watch.show(&step);
    watch.secret("wrong recovery code", "987654");
    watch.secret("recovery code", sent);
    let SignIn::NewPassword(step) = step else { panic!("{step:?}") };
    watch.show(&step.submit("", "").await.unwrap());
    watch.done(step.submit(PASSWORD, "my animal").await.unwrap());
    watch.session(&client.session());
    client.close().await.unwrap();
}

/// A number without an account that has to name a mailbox, and later lost it.
async fn by_email(server: &Handle, watch: &mut Watch) {
    let number = Number::new().set_up_email().email_reset(0);
    server.numbers().set(NOBODYS, number).await.unwrap();
    let client = client_of(server).connect().await.unwrap();
    let step = client.sign_in_phone(NOBODYS).await.unwrap();
    watch.show(&step);
    let SignIn::EmailSetUp(step) = step else { panic!("{step:?}") };
    watch.show(&step.submit("wrong@example").await.unwrap());
    let step = step.submit(LOGIN_ADDRESS).await.unwrap();
    watch.show(&step);
    let SignIn::EmailVerify(step) = step else { panic!("{step:?}") };
    watch.show(&step.submit("876543").await.unwrap());
    let sent = letter(server, LOGIN_ADDRESS).await;
    let step = watch.code(step.submit(&sent).await.unwrap());
    watch.secret("code of the mailbox", sent);
    let sent = letter(server, LOGIN_ADDRESS).await;
    let step = step.submit(&sent).await.unwrap();
    watch.show(&step);
    watch.secret("code by email", sent);
    let SignIn::SignUp(step) = step else { panic!("{step:?}") };
    watch.show(&step.submit("", "").await.unwrap());
    watch.done(step.submit("Ada", "Lovelace").await.unwrap());
    client.sign_out_and_forget().await.unwrap();
    let step = watch.code(client.sign_in_phone(NOBODYS).await.unwrap());
    let step = watch.code(step.reset_email().await.unwrap());
    let sent = letter(server, NOBODYS).await;
    watch.done(step.submit(&sent).await.unwrap());
    watch.secret("code by SMS", sent);
    watch.session(&client.session());
    client.close().await.unwrap();
}

/// By a QR code, also to another data centre and with a password.
async fn by_qr(watch: &mut Watch) {
    let server = Server::builder().in_memory().seed(2).dcs(3).start().await.unwrap();
    let old = client_of(&server).connect().await.unwrap();
    let step = watch.code(old.sign_in_phone("+99966 3 0042").await.unwrap());
    let SignIn::SignUp(step) = step.submit("33333").await.unwrap() else { panic!("an account") };
    watch.done(step.submit("Ada", "Lovelace").await.unwrap());
    old.set_password(None, PASSWORD, "my animal").await.unwrap();
    let new = client_of(&server).connect().await.unwrap();
    let step = watch.qr(new.sign_in_qr(&[]).await.unwrap());
    let url = step.url();
    watch.fails(old.accept_login_token(&url.replace("tg:", "https:")).await);
    watch.fails(new.accept_login_token(&url).await);
    watch.show(&old.accept_login_token(&url).await.unwrap().hash);
    watch.fails(old.accept_login_token(&url).await);
    let step = watch.password(step.wait().await.unwrap());
    watch.done(step.submit(PASSWORD).await.unwrap());
    // Keys of all data centres.
    for client in [&old, &new] {
        for dc_id in 1..=3 {
            client.invoke_on(dc_id, &chappe::api::help::GetConfig).await.unwrap();
        }
        assert_eq!(client.session().dc_ids().count(), 3);
        watch.session(&client.session());
    }
    for client in [old, new] {
        client.close().await.unwrap();
    }
}

async fn by_token(server: &Handle, watch: &mut Watch) {
    let client = client_of(server).connect().await.unwrap();
    let bot = &server.bots()[0];
    watch.fails(client.sign_in_bot("1:nonsensical").await);
    client.sign_in_bot(&bot.token).await.unwrap();
    watch.session(&client.session());
    close(client).await;
    watch.secret("wrong bot token", "nonsensical");
    watch.secret("bot token", bot.token.split(':').nth(1).unwrap());
}

async fn close(client: Client) {
    client.close().await.unwrap();
}

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
    account(&server, &mut watch).await;
    by_code(&server, &mut watch).await;
    by_recovery(&server, &mut watch).await;
    by_email(&server, &mut watch).await;
    by_qr(&mut watch).await;
    by_token(&server, &mut watch).await;

    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    for expected in [
        "conn{dc=2",
        "conn{dc=3",
        "rpc{method=\"auth.signIn\"}",
        "auth.recoverPassword",
        "auth.importLoginToken",
        "account.verifyEmail",
        "account.resetWebAuthorization",
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

/// The look itself is not blind.
#[test]
fn whatever_form_a_secret_has_is_seen() {
    let mut watch = Watch::default();
    watch.secret("code", "24680");
    let key: Vec<u8> = (0..32).map(|byte: u8| byte.wrapping_mul(37).wrapping_add(200)).collect();
    watch.bytes.push(("key", key.clone()));
    watch.check("nothing, and 1246801 of some other number");
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let base64_of = |bytes: &[u8]| bytes.chunks_exact(3).filter_map(base64).collect::<String>();
    for seen in [
        "the code 24680, and more".to_owned(),
        hex.to_uppercase(),
        hex,
        format!("{key:?}"),
        format!("{:?}", bytes::Bytes::from(key.clone())),
        base64_of(&key),
        base64_of(&key[1..]),
        base64_of(&key[2..]),
    ] {
        let found = std::panic::catch_unwind(|| watch.check(&seen));
        assert!(found.is_err(), "{seen} is not seen");
    }
}
