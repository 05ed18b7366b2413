//! The log at its most talkative says nothing that lets anybody in.

use std::{
    io::{self, Write},
    process::Command,
    sync::{Arc, Mutex},
};

use super::{
    app, browser,
    phone::{known, log_in},
    server,
    widget::{begin, window},
};

/// What was logged by this thread, where a test's server runs, too.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Tells this program that it runs nothing but the test below.
const ALONE: &str = "CHAPPE_TEST_ALONE";

/// In a process of its own: where only one thread of a process listens, what any other one comes by
/// first is never listened to.
#[tokio::test]
async fn no_login_is_logged() {
    if std::env::var_os(ALONE).is_none() {
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", "web::log::no_login_is_logged", "--nocapture"]);
        let output = again.env(ALONE, "yes").output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && told.contains(" 1 passed"), "{told}{errors}");
        return;
    }
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    let _listens = tracing::subscriber::set_default(subscriber);

    let server = server(41).await;
    let (mut app, mut browser) = (app(&server).await, browser(&server));
    let mut secrets = vec![("phone", server.accounts()[0].phone.clone())];
    let (handle, link) = begin(&server, &mut browser).await;
    secrets.push(("token", link.rsplit_once('=').unwrap().1.to_owned()));
    browser.get(&format!("/auth/wait?request={handle}x")).await;
    browser.post(&format!("/auth/request?request={handle}"), "phone=15550100277").await;
    secrets.push(("phone", "15550100277".to_owned()));
    log_in(&server, &mut app, &mut browser).await;
    let (handle, user) = known(&browser.get(&window(&server, "")).await);
    browser.post(&format!("/auth/accept?request={handle}"), &format!("user={user}")).await;
    let end = browser.get(&format!("/auth/push?request={handle}")).await;
    let result = end.header("location").split_once("#tgAuthResult=").unwrap().1;
    secrets.push(("result", result.to_owned()));
    for (name, value) in &browser.cookies {
        let parts = value.split(['.', '~']).filter(|part| part.len() > 8);
        secrets.extend(parts.map(|part| ("cookie", part.to_owned())));
        assert!(name.starts_with("chappe_"), "{name}");
    }
    let dashboard = server.announcement().dashboard.clone().unwrap();
    secrets.push(("key", dashboard.rsplit_once('=').unwrap().1.to_owned()));
    // Not even what is no request at all.
    let broken = format!("GET /{} HTTP/9\r\n\r\n", secrets[1].1);
    crate::http::send(&browser.host, broken.as_bytes()).await;

    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("messages.getBotCallbackAnswer"), "the look is blind\n{log}");
    assert!(secrets.len() > 8);
    for (name, secret) in secrets {
        assert!(!log.contains(&secret), "a {name} is in\n{log}");
    }
}
