//! Ordinary traffic over a network that is anything but: whatever happens on the way, each call is
//! answered and runs once.
//!
//! ```text
//! cargo run --release -p chappe --example soak -- [MINUTES] [SEED]
//! ```
//!
//! Clients speak to a local Telegram through a proxy on loopback that cuts, stalls and swallows
//! connections and breaks one packet in fifty. The local Telegram counts what it executed. At the
//! end every call must have ended, each must have run exactly once, no task may be left over and
//! memory must not have grown. The exit code says whether all of that held.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

use std::{
    collections::BTreeMap,
    error::Error,
    fmt,
    net::SocketAddr,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use chappe::{
    CallOptions, Client, SignIn, account,
    api::{enums, users},
};
use chappe_server::{Handle, Server};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    runtime,
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

type Failure = Box<dyn Error + Send + Sync>;

/// So many clients speak at once.
const CLIENTS: u64 = 4;

/// So many calls of each client are under way at once.
const WORKERS: u64 = 3;

/// How long one call may take: longer than any single misfortune.
const PATIENCE: Duration = Duration::from_secs(180);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let minutes = arguments.next().map_or(Ok(10.0), |text| text.parse::<f64>());
    let seed = arguments.next().map_or(Ok(1), |text| text.parse::<u64>());
    let (Ok(minutes @ 0.0..=10_000.0), Ok(seed)) = (minutes, seed) else {
        eprintln!("usage: soak [MINUTES] [SEED], as in: soak 10 1");
        return ExitCode::from(2);
    };
    match soak(Duration::from_secs_f64(minutes * 60.0), seed).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the soak could not be run: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn soak(time: Duration, seed: u64) -> Result<bool, Failure> {
    let tasks_before = runtime::Handle::current().metrics().num_alive_tasks();
    let server = Server::builder().in_memory().seed(seed).start().await?;
    let mut clients = Vec::new();
    let proxy = Proxy::start(server.address(), seed).await?;
    for _ in 0..CLIENTS {
        let client = connect(&server, &proxy).await?;
        sign_in(&client, &server).await?;
        clients.push(client);
    }

    let before = executed(&server).await?;
    let tally = Arc::new(Tally::default());
    let mut memory = Vec::new();
    let mut traffic = JoinSet::new();
    let end = Instant::now() + time;
    for (client, number) in clients.iter().zip(0..) {
        for worker in 0..WORKERS {
            let (client, tally) = (client.clone(), Arc::clone(&tally));
            let random = Random(seed ^ (number * WORKERS + worker));
            traffic.spawn(async move { speak(&client, &tally, end, random).await });
        }
    }
    while !traffic.is_empty() {
        if timeout(Duration::from_secs(10), traffic.join_next()).await.is_err() {
            let left = end.saturating_duration_since(Instant::now()).as_secs();
            memory.push(resident());
            eprintln!("{left:>5} s left; {tally}; {proxy}; {} KB", resident());
        }
    }
    let after = executed(&server).await?;
    for client in clients {
        client.close().await?;
    }
    let misfortunes = proxy.stop().await;
    server.shutdown().await?;

    let mut verdict = Verdict(true);
    for (kind, method) in METHODS.iter().enumerate() {
        let count = |counts: &BTreeMap<String, u64>| counts.get(*method).copied().unwrap_or(0);
        let ran = count(&after) - count(&before);
        let [answered, failed] = tally.of(kind);
        let detail = format!("{answered} answered, {failed} failed, {ran} executed");
        verdict.say(method, failed == 0 && ran == answered, &detail);
    }
    let enough = time < Duration::from_secs(120) || misfortunes.iter().all(|count| *count > 0);
    verdict.say("the network was bad", enough, &describe(misfortunes));
    let third = memory.len() / 3;
    let most = |samples: &[u64]| samples.iter().max().copied().unwrap_or(0);
    let (early, late) = memory.split_at(third);
    let (early, late) = (most(early), most(late));
    // What is remembered of each session grows to its limits first; a leak does not stop there.
    let flat = third < 4 || late < early + early / 10 + 2048;
    verdict.say("memory is flat", flat, &format!("{early} KB, later {late} KB"));
    let mut left = usize::MAX;
    for _ in 0..50 {
        left = runtime::Handle::current().metrics().num_alive_tasks() - tasks_before;
        if left == 0 {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    verdict.say("no task is left", left == 0, &format!("{left} are"));
    Ok(verdict.0)
}

struct Verdict(bool);

impl Verdict {
    fn say(&mut self, what: &str, right: bool, detail: &str) {
        self.0 &= right;
        println!("{} {what}: {detail}", if right { "✓" } else { "✗" });
    }
}

async fn connect(server: &Handle, proxy: &Proxy) -> Result<Client, Failure> {
    for _ in 0..50 {
        let client = Client::builder(1, "0".repeat(32))
            .server(proxy.address, server.public_key_pem())?
            .request_timeout(PATIENCE)
            .connect()
            .await;
        match client {
            Ok(client) => return Ok(client),
            Err(error) => eprintln!("could not connect and tries again: {error}"),
        }
    }
    Err("the proxy lets nobody through".into())
}

async fn sign_in(client: &Client, server: &Handle) -> Result<(), Failure> {
    let account = server.accounts().first().ok_or("the server has no account")?;
    let SignIn::Code(step) = client.sign_in_phone(&account.phone).await? else {
        return Err("the server asks for no code".into());
    };
    match step.submit(&account.code).await? {
        SignIn::Done(_) => Ok(()),
        other => Err(format!("the sign-in is not done: {other:?}").into()),
    }
}

/// The methods that are called; the first changes something.
const METHODS: [&str; 3] =
    ["account.updateStatus", "account.getWebAuthorizations", "users.getUsers"];

/// How often each method ran.
async fn executed(server: &Handle) -> Result<BTreeMap<String, u64>, Failure> {
    let methods = server.faults().calls().await?.methods;
    Ok(methods.into_iter().map(|(name, count)| (name, count.executed)).collect())
}

/// One worker: one call after the other until the time is over.
async fn speak(client: &Client, tally: &Tally, end: Instant, mut random: Random) {
    let client = client.with(CallOptions::new().timeout(PATIENCE));
    while Instant::now() < end {
        let kind = usize::try_from(random.below(3)).unwrap_or(0);
        let result = match kind {
            0 => {
                let offline = random.below(2) == 0;
                client.invoke(&account::UpdateStatus { offline }).await.map(drop)
            }
            1 => client.invoke(&account::GetWebAuthorizations).await.map(drop),
            _ => {
                let id = vec![enums::InputUser::InputUserSelf];
                client.invoke(&users::GetUsers { id }).await.map(drop)
            }
        };
        if let Err(error) = &result {
            eprintln!("{error}");
        }
        tally.count(kind, result.is_ok());
        sleep(Duration::from_millis(random.below(40))).await;
    }
}

/// How many calls of each kind were answered, and how many failed.
#[derive(Default)]
struct Tally([[AtomicU64; 2]; METHODS.len()]);

impl Tally {
    fn count(&self, kind: usize, answered: bool) {
        if let Some([good, bad]) = self.0.get(kind) {
            if answered { good } else { bad }.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn of(&self, kind: usize) -> [u64; 2] {
        let counts = self.0.get(kind);
        counts.map_or([0; 2], |[good, bad]| [good, bad].map(|n| n.load(Ordering::Relaxed)))
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum =
            |which: usize| -> u64 { (0..METHODS.len()).map(|kind| self.of(kind)[which]).sum() };
        write!(f, "{} calls answered, {} failed", sum(0), sum(1))
    }
}

/// What this process holds in memory, in kilobytes; 0 where the system does not tell.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// A proxy that does to connections what bad networks do.
struct Proxy {
    address: SocketAddr,
    done: Arc<[AtomicU64; 4]>,
    task: JoinHandle<()>,
}

/// What is done to a connection; the last one, in passing, to its packets.
const MISFORTUNES: [&str; 4] = ["cut", "stalled", "swallowed", "broken packets"];

/// One packet in so many is broken.
const BROKEN: u64 = 50;

impl Proxy {
    async fn start(server: SocketAddr, seed: u64) -> Result<Self, Failure> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let done = Arc::new([const { AtomicU64::new(0) }; 4]);
        let counts = Arc::clone(&done);
        let task = tokio::spawn(async move {
            let mut links = JoinSet::new();
            let mut random = Random(seed);
            while let Ok((client, _)) = listener.accept().await {
                while links.try_join_next().is_some() {}
                let (random, counts) = (Random(random.next()), Arc::clone(&counts));
                links.spawn(async move {
                    if let Ok(server) = TcpStream::connect(server).await {
                        carry(client, server, random, &counts).await;
                    }
                });
            }
        });
        Ok(Self { address, done, task })
    }

    async fn stop(self) -> [u64; 4] {
        self.task.abort();
        drop(self.task.await);
        [0, 1, 2, 3].map(|what| self.done[what].load(Ordering::Relaxed))
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [0, 1, 2, 3].map(|what: usize| self.done[what].load(Ordering::Relaxed));
        f.write_str(&describe(counts))
    }
}

fn describe(misfortunes: [u64; 4]) -> String {
    let all = MISFORTUNES.iter().zip(misfortunes);
    all.map(|(what, count)| format!("{count} {what}")).collect::<Vec<_>>().join(", ")
}

/// Carries bytes both ways until the connection has the misfortune that is meant for it.
async fn carry(client: TcpStream, server: TcpStream, mut random: Random, done: &[AtomicU64; 4]) {
    let [cut, stalled, swallowed, broken] = done;
    let life = Duration::from_millis(20 + random.below(700));
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    let mut up = Way { read: client_read, write: server_write, random: Random(random.next()) };
    let mut down = Way { read: server_read, write: client_write, random: Random(random.next()) };
    loop {
        let carrying = async {
            tokio::select! { () = up.carry(broken) => {} () = down.carry(broken) => {} }
        };
        if timeout(life, carrying).await.is_ok() {
            // One of the two hung up.
            return;
        }
        match random.below(3) {
            0 => {
                cut.fetch_add(1, Ordering::Relaxed);
                return;
            }
            1 => {
                stalled.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_millis(500 + random.below(7_500))).await;
            }
            _ => {
                // Nothing arrives any more, and nobody is told.
                swallowed.fetch_add(1, Ordering::Relaxed);
                let swallowing = async { tokio::join!(up.swallow(), down.swallow()) };
                drop(timeout(Duration::from_secs(5 + random.below(40)), swallowing).await);
                return;
            }
        }
    }
}

/// One direction of a connection.
struct Way {
    read: tcp::OwnedReadHalf,
    write: tcp::OwnedWriteHalf,
    random: Random,
}

impl Way {
    async fn carry(&mut self, broken: &AtomicU64) {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = self.read.read(&mut buffer).await {
            let Some(bytes) = buffer.get_mut(..length) else { return };
            if self.random.below(BROKEN) == 0 {
                let place = usize::try_from(self.random.next()).unwrap_or(0) % length;
                if let Some(byte) = bytes.get_mut(place) {
                    *byte ^= 1 << self.random.below(8);
                    broken.fetch_add(1, Ordering::Relaxed);
                }
            }
            if self.write.write_all(bytes).await.is_err() {
                return;
            }
        }
    }

    async fn swallow(&mut self) {
        let mut buffer = [0; 4096];
        while let Ok(1..) = self.read.read(&mut buffer).await {}
    }
}

/// A random number that need not be secret (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}
