//! The program itself: its arguments, what it prints, and its end.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use chappe_login::BotToken;
use chappe_site::Site;
use tokio::{io::AsyncWriteExt as _, net::TcpStream, sync::oneshot};

use super::{Browser, TOKEN};

/// Ends with the test, whatever happens.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chappe-site"));
    command.args(["--bot", "my_shop_bot", "--listen", "127.0.0.1:0"]).args(arguments);
    for name in ["TELEGRAM_BOT_TOKEN", "TELEGRAM_CLIENT_ID", "TELEGRAM_CLIENT_SECRET"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[tokio::test]
async fn the_program_says_where_it_is_and_no_secret() {
    let mut command = program(&["--client-id", "123456", "--telegram", "http://127.0.0.1:9"]);
    command.env("TELEGRAM_BOT_TOKEN", TOKEN).env("TELEGRAM_CLIENT_SECRET", "sh0p-s3cret");
    let mut running = Running(command.spawn().unwrap());
    let mut out = BufReader::new(running.0.stdout.take().unwrap());
    let (sender, line) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        sender.send(line).unwrap();
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        rest
    });
    let line = line.recv_timeout(Duration::from_secs(60)).unwrap();
    let port = line.trim().strip_prefix("http://localhost:").unwrap().parse().unwrap();
    let page = Browser::new(port).get("/").await;
    assert!(page.text.contains("OpenID Connect"), "{}", page.text);
    assert!(!page.text.contains("s3cret") && !page.text.contains("ABC-DEF"));
    let mut errors = running.0.stderr.take().unwrap();
    drop(running);
    let mut printed = reader.join().unwrap();
    errors.read_to_string(&mut printed).unwrap();
    assert_eq!(printed, "");
}

#[tokio::test(start_paused = true)]
async fn the_site_ends_although_somebody_never_finishes_a_question() {
    let listener = chappe_site::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let site = Site::new(BotToken::new(TOKEN).unwrap(), "my_shop_bot");
    let (end, shutdown) = oneshot::channel::<()>();
    let serving = tokio::spawn(site.serve(listener, async { _ = shutdown.await }));
    assert_eq!(Browser::new(address.port()).get("/").await.status, 200);
    let mut stuck = TcpStream::connect(address).await.unwrap();
    stuck.write_all(b"GET / HTTP/1.1\r\nHost: ").await.unwrap();
    // Whoever comes later is answered later: the site has seen the beginning.
    assert_eq!(Browser::new(address.port()).get("/").await.status, 200);
    end.send(()).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(60), serving).await.unwrap();
    ended.unwrap().unwrap();
}

#[test]
fn the_program_says_what_it_lacks() {
    for (arguments, token, said) in [
        (&[][..], None, "put the bot's token into TELEGRAM_BOT_TOKEN"),
        (&[], Some("x"), "the bot token is not like 123456:ABC-DEF"),
        (&["--client-id", "1"], Some(TOKEN), "put the secret into TELEGRAM_CLIENT_SECRET"),
        (&["--url", "http://shop.example"], Some(TOKEN), "\"http://shop.example\" is no address"),
        (&["--url", "https://a/b"], Some(TOKEN), "without a path"),
        (&["--telegram", "ftp://a"], Some(TOKEN), "\"ftp://a\" is no address"),
    ] {
        let mut command = program(arguments);
        if let Some(token) = token {
            command.env("TELEGRAM_BOT_TOKEN", token);
        }
        let output = command.output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains(said), "{errors}");
        assert!(!errors.contains("ABC-DEF1234"), "{errors}");
    }
}
