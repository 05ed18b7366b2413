//! Every way into an account, and what is done there about its safety.

use std::net::{Ipv4Addr, SocketAddr};

use chappe::{Client, SignIn, UrlAuth, UrlAuthGrant, session::File};
use chappe_server::{Handle, Server, browser::NewLogin, numbers::Number};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    telegram::{client_of, sign_in},
    watch::Watch,
};

/// What was sent to this phone or mailbox last.
async fn letter(server: &Handle, to: &str) -> String {
    server.letters().last_to(to).await.unwrap().unwrap().code
}

pub(crate) const PASSWORD: &str = "correct horse";
pub(crate) const ADDRESS: &str = "claude@example.com";
pub(crate) const LOGIN_ADDRESS: &str = "ada.lovelace@example.org";
pub(crate) const NOBODYS: &str = "+1 555 0100 201";

/// The password and the devices of an account, from within.
pub(crate) async fn account(server: &Handle, watch: &mut Watch) {
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
    let sites = client.web_sessions().await.unwrap();
    client.reset_web_session(sites[0].hash()).await.unwrap();
    client.reset_web_session(sites[0].hash()).await.unwrap();
    watch.show(&client);
    watch.session(&client.session());
    client.close().await.unwrap();
}

/// By a code, with wrong ones before it, and the password; out, and in again by a token.
pub(crate) async fn by_code(server: &Handle, watch: &mut Watch) {
    let account = &server.accounts()[0];
    let client = client_of(server).connect().await.unwrap();
    watch.fails(client.sign_in_phone("hello 8675309").await);
    watch.secret("what is no number", "8675309");
    let step = watch.code(client.sign_in_phone(&account.phone).await.unwrap());
    let step = watch.code(step.resend().await.unwrap());
    let step = watch.code(step.submit("98765").await.unwrap());
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
    watch.secret("wrong code", "98765");
    watch.secret("code", account.code.as_str());
}

/// The password is forgotten.
pub(crate) async fn by_recovery(server: &Handle, watch: &mut Watch) {
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
pub(crate) async fn by_email(server: &Handle, watch: &mut Watch) {
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
pub(crate) async fn by_qr(watch: &mut Watch) {
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

pub(crate) async fn by_token(server: &Handle, watch: &mut Watch) {
    let client = client_of(server).connect().await.unwrap();
    let bot = &server.bots()[0];
    watch.fails(client.sign_in_bot("1:nonsensical").await);
    client.sign_in_bot(&bot.token).await.unwrap();
    watch.session(&client.session());
    close(client).await;
    watch.secret("wrong bot token", "nonsensical");
    watch.secret("bot token", bot.token.split(':').nth(1).unwrap());
}

/// Logins to sites: by a link, by a page, by a token.
pub(crate) async fn to_a_site(server: &Handle, watch: &mut Watch) {
    let client = client_of(server).connect().await.unwrap();
    let step = watch.code(client.sign_in_phone("+99966 2 7777").await.unwrap());
    let SignIn::SignUp(step) = step.submit("22222").await.unwrap() else { panic!("an account") };
    watch.done(step.submit("Ada", "Lovelace").await.unwrap());
    let browser = server.log_in(NewLogin::at("ColumbusDemoBot").match_code_first()).await.unwrap();
    let link = browser.link();
    let UrlAuth::Consent(consent) = client.url_auth(link).await.unwrap() else { panic!("done") };
    watch.show(&consent);
    consent.check_match_code(browser.match_code().unwrap()).await.unwrap();
    watch.show(&consent.accept(&UrlAuthGrant::new()).await.unwrap());
    watch.show(&browser.claim().await.unwrap());
    watch.fails(client.url_auth("tg://oauth?token=nobodys-token").await);
    let UrlAuth::Consent(page) = client.url_auth("https://news.example.org/").await.unwrap() else {
        panic!("not asked")
    };
    let url = page.accept(&UrlAuthGrant::new()).await.unwrap().unwrap();
    let answer = client.url_auth("https://autologin.example.com/").await.unwrap();
    watch.show(&answer);
    let UrlAuth::Autologin { url: autologin } = answer else { panic!("no token") };
    client.close().await.unwrap();
    watch.secret("token of a login", link.split_once('=').unwrap().1);
    watch.secret("token of nobody", "nobodys-token");
    watch.secret("hash for a site", url.split_once("hash=").unwrap().1);
    watch.secret("autologin token", autologin.split_once('=').unwrap().1);
}

/// The dashboard: its key, a form, a secret that is told once.
pub(crate) async fn on_the_dashboard(watch: &mut Watch) {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = Server::builder().seed(9).dashboard(free).start().await.unwrap();
    let url = server.announcement().dashboard.clone().unwrap();
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let (room, key) = path.split_once("/?key=").unwrap();
    let ask = async |method: &str, path: &str, cookie: &str, form: &str| {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nCookie: chappe_dashboard={cookie}\r\n\
             Connection: close\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        let mut stream = TcpStream::connect(host).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let between = |text: &str, from: &str| {
        let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("{from} in {text}"));
        rest.split(['"', '<']).next().unwrap().to_owned()
    };
    let wrong = ask("GET", &format!("/{room}/?key=no-such-key"), "no-cookie-of-ours", "").await;
    assert!(wrong.starts_with("HTTP/1.1 403"), "{wrong}");
    let entered = ask("GET", &format!("/{path}"), "", "").await;
    assert!(entered.starts_with("HTTP/1.1 200"), "{entered}");
    let bot = format!("/{room}/bots/ColumbusDemoBot");
    let ticket = between(&ask("GET", &bot, key, "").await, "name=\"ticket\" value=\"");
    let form = format!("ticket={ticket}&urls=http%3A%2F%2Flocalhost&enabled=yes");
    let told = ask("POST", &format!("{bot}/openid"), key, &form).await;
    watch.secret("secret of an OpenID client", between(&told, "<code class=\"secret\">"));
    server.shutdown().await.unwrap();
    watch.secret("key of the dashboard", key);
    watch.secret("wrong key", "no-such-key");
    watch.secret("wrong cookie", "no-cookie-of-ours");
    watch.secret("room of the dashboard", room);
    watch.secret("ticket of a form", ticket);
}

async fn close(client: Client) {
    client.close().await.unwrap();
}
