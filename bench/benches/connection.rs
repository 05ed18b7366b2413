//! What perfect forward secrecy costs: connecting with a session that exists and making the first
//! call, and one call on a connection that stands. Client and local Telegram share a thread, so
//! the times hold the work of both ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chappe::api::help;
use chappe::session::Memory;
use chappe::{Builder, Client};
use chappe_server::{Handle, Server};

/// How often each is done; the two kinds take turns.
const CONNECTS: usize = 40;
const CALLS: usize = 400;

const LIFETIME: Duration = Duration::from_secs(86_400);

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(run());
}

async fn run() {
    let server = Server::builder().in_memory().seed(1).start().await.expect("a server");
    let store = Arc::new(Memory::new());
    // The permanent key is there from the beginning on both sides.
    client(&server, &store, false).connect().await.expect("a client").close().await.expect("an end");
    let mut connects = [Vec::new(), Vec::new()];
    let mut calls = [Vec::new(), Vec::new()];
    for _ in 0..CONNECTS {
        for (secret, times) in connects.iter_mut().enumerate() {
            let begun = Instant::now();
            let client = client(&server, &store, secret == 1).connect().await.expect("a client");
            call(&client).await;
            times.push(begun.elapsed());
            client.close().await.expect("an end");
        }
    }
    let plain = client(&server, &store, false).connect().await.expect("a client");
    let secret = client(&server, &store, true).connect().await.expect("a client");
    for client in [&plain, &secret] {
        call(client).await;
    }
    for _ in 0..CALLS {
        for (client, times) in [&plain, &secret].into_iter().zip(&mut calls) {
            let begun = Instant::now();
            call(client).await;
            times.push(begun.elapsed());
        }
    }
    println!("{:<28} {:>12} {:>12} {:>16}", "", "plain", "secret", "secret costs");
    for (what, [plain, secret]) in [("connect and first call", connects), ("one call", calls)] {
        let (plain, secret) = (median(plain), median(secret));
        let cost = secret.as_secs_f64() - plain.as_secs_f64();
        println!("{what:<28} {plain:>12.1?} {secret:>12.1?} {:>13.1} us", cost * 1e6);
    }
}

fn client(server: &Handle, store: &Arc<Memory>, secret: bool) -> Builder {
    let builder = Client::builder(1, "0".repeat(32))
        .session(Arc::clone(store))
        .server(server.address(), server.public_key_pem())
        .expect("a key");
    if secret { builder.forward_secrecy(LIFETIME) } else { builder }
}

async fn call(client: &Client) {
    client.invoke(&help::GetNearestDc).await.expect("an answer");
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
