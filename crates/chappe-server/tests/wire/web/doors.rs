//! Who is let in, and what every answer says.

use std::net::SocketAddr;

use chappe_server::{Error, Server};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};

use super::{browser, server};
use crate::http::{Browser, send};

#[tokio::test]
async fn every_answer_is_guarded_and_every_error_readable() {
    let server = server(1).await;
    let mut pages = browser(&server);
    for (path, status) in
        [("/", 200), ("/css/telegram.css", 200), ("/icon.svg", 200), ("/nowhere/<x>", 404)]
    {
        let answer = pages.get(&path.replace('<', "%3C").replace('>', "%3E")).await;
        assert_eq!(answer.status, status, "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert!(!answer.body.contains("<x>"), "{}", answer.body);
    }
    let index = pages.get("/").await;
    assert_eq!(index.between("<title>", "</title>"), "Local Telegram");
    assert!(index.body.contains("Firefox 128, Linux") && !index.has("set-cookie"));
    let answer = pages.post("/", "").await;
    assert_eq!((answer.status, answer.header("allow")), (405, "GET,HEAD"));
    assert!(answer.body.contains("POST does nothing at /"), "{}", answer.body);
}

#[tokio::test]
async fn other_hosts_are_refused() {
    let server = server(2).await;
    let dashboard = server.announcement().dashboard.clone().unwrap();
    for host in [browser(&server).host, Browser::at(&dashboard).host] {
        let port = host.rsplit_once(':').unwrap().1;
        for headers in [
            format!("Host: telegram.example:{port}\r\n"),
            "Host: 127.0.0.1.example\r\n".to_owned(),
            "Host: example@127.0.0.1\r\n".to_owned(),
            "Host: \r\n".to_owned(),
            format!("Host: {host}\r\nHost: telegram.example\r\n"),
        ] {
            let request =
                format!("GET /css/telegram.css HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
            let status = send(&host, request.as_bytes()).await.status;
            assert!(status == 403 || status == 400, "{headers}: {status}");
        }
    }
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let address: SocketAddr = address.parse().unwrap();
        for builder in [Server::builder().web(address), Server::builder().dashboard(address)] {
            let open = builder.expose_to_the_network(true).start().await;
            assert!(matches!(open, Err(Error::WebNotLoopback(_))), "{address}");
        }
    }
    let none = Server::builder().start().await.unwrap();
    assert_eq!((&none.announcement().web, &none.announcement().dashboard), (&None, &None));
}

#[tokio::test(start_paused = true)]
async fn who_sends_drop_by_drop_is_cut_off() {
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let server =
        Server::builder().in_memory().seed(3).web(free).control(free).start().await.unwrap();
    let control = Browser::at(server.announcement().control.as_deref().unwrap()).host;
    for (host, form) in [(browser(&server).host, "/token"), (control, "/faults")] {
        let body = format!(
            "POST {form} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 9\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{{"
        );
        for (beginning, seconds, end) in [
            (String::new(), 10, ""),
            ("GET / HT".to_owned(), 10, ""),
            (format!("GET / HTTP/1.1\r\nHost: {host}\r\nX-Slow: "), 10, ""),
            (body, 20, "HTTP/1.1 408"),
        ] {
            let begin = Instant::now();
            let mut stream = TcpStream::connect(&host).await.unwrap();
            stream.write_all(beginning.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with(end), "{beginning}: {answer}");
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{beginning}: {answer}");
            let after = begin.elapsed().as_secs();
            assert!(after <= seconds, "{beginning}: {after} s");
        }
    }
    let host = browser(&server).host;
    // More than 256 idle browsers lock nobody out.
    let mut idle = Vec::new();
    for _ in 0..300 {
        idle.push(TcpStream::connect(&host).await.unwrap());
    }
    assert_eq!(browser(&server).get("/").await.status, 200);
}

#[tokio::test]
async fn doors_close_with_the_server() {
    let server = server(5).await;
    let host = browser(&server).host;
    assert_eq!(browser(&server).get("/").await.status, 200);
    let mut idle = TcpStream::connect(&host).await.unwrap();
    server.shutdown().await.unwrap();
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap_or(0), 0);
    if let Ok(mut late) = TcpStream::connect(&host).await {
        // What was accepted before the end is not served.
        let _ = late.write_all(b"GET / HTTP/1.1\r\n\r\n").await;
        assert_eq!(late.read(&mut [0; 1]).await.unwrap_or(0), 0);
    }
}
