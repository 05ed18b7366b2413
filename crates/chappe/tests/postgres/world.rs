//! What the stories share: a database, a local Telegram, somebody who is signed in, and a way to
//! tell them.

use std::{
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use chappe::{
    Builder, Client, SignIn,
    session::{Memory, Postgres, Session, Store, postgres::Options},
};
use chappe_server::{Handle, Server};
use tokio::runtime::Runtime;

use crate::cluster::{self, Cluster};

/// A name, and what happens.
pub(crate) type Story = (&'static str, fn(&World));

pub(crate) struct World {
    pub(crate) cluster: Cluster,
    pub(crate) telegram: Handle,
    /// For what waits.
    pub(crate) runtime: Runtime,
    /// Of somebody who is signed in.
    pub(crate) session: Session,
    schemas: AtomicUsize,
}

pub(crate) const API_ID: i32 = 12345;
pub(crate) const API_HASH: &str = "0123456789abcdef0123456789abcdef";
/// Stories that are told at once. Most of their time they wait.
const AT_ONCE: usize = 4;

impl World {
    fn new(cluster: Cluster) -> Self {
        let runtime = Runtime::new().unwrap();
        let (telegram, session) = runtime.block_on(async {
            let telegram = Server::builder().in_memory().seed(1).start().await.unwrap();
            let memory = std::sync::Arc::new(Memory::new());
            let client = client_of(telegram.address(), telegram.public_key_pem());
            let client = client.session(std::sync::Arc::clone(&memory)).connect().await.unwrap();
            let account = &telegram.accounts()[0];
            let SignIn::Code(step) = client.sign_in_phone(&account.phone).await.unwrap() else {
                panic!("a code is asked for");
            };
            assert!(matches!(step.submit(&account.code).await, Ok(SignIn::Done(_))));
            client.close().await.unwrap();
            (telegram, memory.load().unwrap().unwrap())
        });
        Self { cluster, telegram, runtime, session, schemas: AtomicUsize::new(0) }
    }

    /// A fleet of its own, as far as options go.
    pub(crate) fn options(&self, lease: Duration) -> (Options, String) {
        let schema = format!("fleet_{}", self.schemas.fetch_add(1, Ordering::Relaxed));
        (options_in(&self.cluster, &schema, lease), schema)
    }

    /// A fleet with these accounts, all signed in, and its schema.
    pub(crate) fn fleet(&self, lease: Duration, names: &[&str]) -> (Postgres, String) {
        let (options, schema) = self.options(lease);
        let fleet = self.wait(options.connect()).unwrap();
        for name in names {
            fleet.account(*name).unwrap().save(&self.session).unwrap();
        }
        (fleet, schema)
    }

    /// A client of the local Telegram, not connected yet.
    pub(crate) fn client(&self) -> Builder {
        client_of(self.telegram.address(), self.telegram.public_key_pem())
    }

    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(async {
            let limited = tokio::time::timeout(Duration::from_secs(120), future);
            limited.await.expect("it ends within two minutes")
        })
    }
}

pub(crate) fn options_in(cluster: &Cluster, schema: &str, lease: Duration) -> Options {
    Postgres::options(&cluster.url()).unwrap().schema(schema).lease(lease)
}

pub(crate) fn client_of(address: impl ToString, key: &str) -> Builder {
    Client::builder(API_ID, API_HASH).server(address, key).unwrap()
}

/// Tells all stories, or those with one of the arguments in their names, like the usual harness.
pub(crate) fn tell(stories: &[Story]) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let filters: Vec<_> = arguments.iter().filter(|word| !word.starts_with('-')).collect();
    if arguments.iter().any(|word| word == "--list") {
        stories.iter().for_each(|(name, _)| say(&format!("{name}: test")));
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<&Story> = stories
        .iter()
        .filter(|(name, _)| filters.is_empty() || filters.iter().any(|part| name.contains(*part)))
        .collect();
    say(&format!("\nrunning {} stories", wanted.len()));
    let Some(programs) = cluster::programs() else { return ExitCode::SUCCESS };
    if wanted.is_empty() {
        return ExitCode::SUCCESS;
    }
    let begin = Instant::now();
    let world = World::new(Cluster::start(&programs));
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let _timers = world.runtime.enter();
                while let Some((name, story)) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let told = catch_unwind(AssertUnwindSafe(|| story(&world)));
                    say(&format!("test {name} ... {}", if told.is_ok() { "ok" } else { "FAILED" }));
                    if told.is_err() {
                        failed.lock().unwrap().push(*name);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    let passed = wanted.len() - failed.len();
    let verdict = if failed.is_empty() { "ok" } else { "FAILED" };
    let seconds = begin.elapsed().as_secs_f64();
    say(&format!(
        "\ntest result: {verdict}. {passed} passed; {} failed; finished in {seconds:.2}s\n",
        failed.len()
    ));
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").unwrap();
}
