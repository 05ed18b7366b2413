//! What the server does not put up with.

use std::{net::SocketAddr, time::Duration};

use chappe_api::{account, help};
use chappe_server::{Error, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{Client, START, server};

#[tokio::test]
async fn only_loopback_is_listened_on() {
    for address in
        ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:127.0.0.1]:0", "[::ffff:0.0.0.0]:0"]
    {
        let address: SocketAddr = address.parse().unwrap();
        let refused = Server::builder().listen(address).start().await;
        let Err(error @ Error::NotLoopback(_)) = refused else { panic!("listened on {address}") };
        assert!(error.to_string().contains(&address.to_string()));
    }
    let taken = server(1).await;
    let refused = Server::builder().listen(taken.address()).start().await;
    assert!(matches!(refused, Err(Error::Listen { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_never_ends_is_cut_off() {
    let server = server(2).await;
    let mut stream = server.connect().await.unwrap();
    // Intermediate framing: a frame of 64 bytes is announced, then comes byte by byte.
    stream.write_all(&[0xee; 4]).await.unwrap();
    stream.write_all(&64_u32.to_le_bytes()).await.unwrap();
    let began = tokio::time::Instant::now();
    let mut answer = [0; 1];
    loop {
        let wait = tokio::time::timeout(Duration::from_secs(7), stream.read(&mut answer));
        if let Ok(read) = wait.await {
            assert_eq!(read.unwrap_or(0), 0, "nothing is said to such a client");
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "it was never cut off");
        // It may be gone by now; the next read says so.
        let _ = stream.write_all(&[0]).await;
    }
    // Others are served all the while.
    Client::connect(&server, 1).await.call(&help::GetConfig).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn beginnings_of_frames_do_not_fill_the_memory() {
    const BEGUN: usize = 1_000_000;
    let server = server(7).await;
    let mut client = Client::connect(&server, 1).await;
    client.call(&help::GetConfig).await.unwrap();
    let mut begun = Vec::new();
    for _ in 0..80 {
        let mut stream = server.connect().await.unwrap();
        stream.write_all(&[0xee; 4]).await.unwrap();
        stream.write_all(&u32::to_le_bytes(1 << 20)).await.unwrap();
        // It may be cut off on the way.
        let _ = stream.write_all(&vec![0; BEGUN]).await;
        begun.push(stream);
    }
    // Whoever waits for the rest of so many frames would hold 80 MB.
    let mut open = 0;
    for stream in &mut begun {
        let mut answer = [0; 1];
        let read = tokio::time::timeout(Duration::from_millis(1), stream.read(&mut answer)).await;
        open += usize::from(read.is_err());
    }
    assert!((1..=67).contains(&open), "{open}");
    client.call(&help::GetConfig).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_closed() {
    let server = server(3).await;
    let mut stream = server.connect().await.unwrap();
    let mut answer = [0; 1];
    let read = tokio::time::timeout(Duration::from_secs(3_600), stream.read(&mut answer)).await;
    assert_eq!(read.expect("it was never closed").unwrap_or(0), 0);
}

#[tokio::test(start_paused = true)]
async fn rubbish_ends_its_own_connection_only() {
    let server = server(4).await;
    let mut client = Client::connect(&server, 1).await;
    client.call(&help::GetConfig).await.unwrap();
    for rubbish in [&[0xff; 4096][..], b"GET / HTTP/1.1\r\n\r\n", &[0xef, 0x7f, 0xff, 0xff, 0xff]] {
        let mut stream = server.connect().await.unwrap();
        stream.write_all(rubbish).await.unwrap();
        let _: Vec<u8> = {
            let mut rest = Vec::new();
            let read = stream.read_to_end(&mut rest);
            let _ = tokio::time::timeout(Duration::from_secs(600), read).await.expect("still open");
            rest
        };
    }
    client.call(&help::GetConfig).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn limits_are_told_in_seconds() {
    let server = Server::builder()
        .seed(5)
        .start_at(START)
        .limit("account.getWebAuthorizations", 1, Duration::from_secs(20))
        .start()
        .await
        .unwrap();
    let account = server.accounts()[0].clone();
    let mut client = Client::connect(&server, 1).await;
    client.sign_in(&account.phone, &account.code).await.unwrap();
    client.call(&account::GetWebAuthorizations).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let flood = client.call(&account::GetWebAuthorizations).await.unwrap_err();
    assert_eq!((flood.code, flood.message.as_str()), (420, "FLOOD_WAIT_15"));
    tokio::time::sleep(Duration::from_secs(15)).await;
    client.call(&account::GetWebAuthorizations).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn after_the_end_nothing_connects() {
    let server = server(6).await;
    let mut client = Client::connect(&server, 1).await;
    client.call(&help::GetConfig).await.unwrap();
    let mut stream = server.connect().await.unwrap();
    server.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0);
}
