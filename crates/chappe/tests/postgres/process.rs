//! Other processes: this program again, told by its environment what to be and by its input what
//! to do. What it sends to Telegram is seen on the way.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use chappe::{
    Client, Error, SessionProblem, account,
    session::{Postgres, Session, Store, postgres::Account},
};

use crate::{
    cluster::send_signal,
    world::{World, client_of},
};

/// Says in the environment what a process is to be.
pub(crate) const ROLE: &str = "CHAPPE_FLEET_ROLE";

/// A process of a fleet. It is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    lines: mpsc::Receiver<String>,
}

/// Who sent something to Telegram, in order, each time once: the names of processes.
#[derive(Clone, Default)]
pub(crate) struct Traffic(Arc<Mutex<Vec<String>>>);

impl Process {
    /// Starts one. It speaks to Telegram under its name.
    pub(crate) fn start(
        world: &World,
        traffic: &Traffic,
        name: &str,
        role: &str,
        settings: &[(&str, &str)],
    ) -> Self {
        let way = traffic.way(name, world.telegram.address());
        let mut child = Command::new(env::current_exe().unwrap())
            .env(ROLE, role)
            .env("FLEET_URL", world.cluster.url())
            .env("FLEET_SERVER", way.to_string())
            .env("FLEET_KEY", world.telegram.public_key_pem())
            .envs(settings.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                drop(sender.send(line));
            }
        });
        Self { child, input, lines }
    }

    /// The next line that it says.
    pub(crate) fn line(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(90)).expect("the process says something")
    }

    #[track_caller]
    pub(crate) fn says(&self, expect: &str) {
        let line = self.line();
        assert!(line.starts_with(expect), "{line:?} instead of {expect:?}");
    }

    pub(crate) fn tell(&mut self, order: &str) {
        writeln!(self.input, "{order}").unwrap();
    }

    /// Tells it something, and what it is to say.
    #[track_caller]
    pub(crate) fn ask(&mut self, order: &str, expect: &str) {
        self.tell(order);
        self.says(expect);
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal like `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        assert!(send_signal(name, &self.pid().to_string()));
    }

    /// Kills it, and returns when it is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Traffic {
    /// Who sent something, each time that it was somebody else than before.
    pub(crate) fn turns(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn sent(&self, name: &str) {
        let mut turns = self.0.lock().unwrap();
        if turns.last().is_none_or(|last| last != name) {
            turns.push(name.to_owned());
        }
    }

    /// An address that leads to Telegram.
    fn way(&self, name: &str, server: SocketAddr) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (traffic, name) = (self.clone(), name.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(server).unwrap();
                let (traffic, name) = (traffic.clone(), name.clone());
                let up = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || carry(up, || traffic.sent(&name)));
                thread::spawn(move || carry((server, client), || {}));
            }
        });
        address
    }
}

fn carry((mut from, mut to): (TcpStream, TcpStream), heard: impl Fn()) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        heard();
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    drop(from.shutdown(Shutdown::Both));
    drop(to.shutdown(Shutdown::Both));
}

/// What the process does.
pub(crate) fn live(role: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (orders, inbox) = tokio::sync::mpsc::unbounded_channel();
    thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            drop(orders.send(line));
        }
    });
    runtime.block_on(async {
        let lease = Duration::from_millis(setting("FLEET_LEASE").parse().unwrap());
        let fleet = Postgres::options(&setting("FLEET_URL")).unwrap();
        let fleet = fleet.schema(setting("FLEET_SCHEMA")).lease(lease).connect().await.unwrap();
        match role {
            "client" => client(&fleet, inbox).await,
            "collector" => collect(&fleet, inbox).await,
            "saver" => save(&fleet).await,
            other => panic!("no role {other}"),
        }
    });
    // Whoever reads the input may be waiting for more.
    std::process::exit(0);
}

fn setting(name: &str) -> String {
    env::var(name).unwrap()
}

fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").unwrap();
}

type Orders = tokio::sync::mpsc::UnboundedReceiver<String>;

/// Has one account, if it can, and does with it what it is told.
async fn client(fleet: &Postgres, mut orders: Orders) {
    let wait = Duration::from_millis(setting("FLEET_WAIT").parse().unwrap());
    let account = fleet.account(setting("FLEET_ACCOUNT")).unwrap().claim(wait).await;
    let account = match account {
        Ok(account) => Arc::new(account),
        Err(Error::Session(error)) => match error.problem() {
            SessionProblem::InUse { holder } => {
                return say(&format!("IN USE by {}", holder.pid.unwrap()));
            }
            other => panic!("{other}"),
        },
        Err(other) => panic!("{other}"),
    };
    let client = client_of(setting("FLEET_SERVER"), &setting("FLEET_KEY"));
    let client = client.session(Arc::clone(&account)).connect().await.unwrap();
    say("HELD");
    let mut over = false;
    loop {
        tokio::select! {
            reason = client.ended(), if !over => {
                over = true;
                say(&format!("ENDED {reason:?}"));
            }
            order = orders.recv() => match order.as_deref() {
                Some("devices") => say(&devices(&client).await),
                Some("save") => say(&again(&account).await),
                Some("close") => {
                    client.close().await.unwrap();
                    return say("CLOSED");
                }
                other => panic!("no order {other:?}"),
            },
        }
    }
}

/// How many devices are signed in: one, if nobody signed in anew.
async fn devices(client: &Client) -> String {
    match client.invoke(&account::GetAuthorizations).await {
        Ok(found) => format!("DEVICES {}", found.authorizations.len()),
        Err(error) => format!("FAILED {:?}", error.ended()),
    }
}

/// Saves what is kept once more.
async fn again(account: &Arc<Account>) -> String {
    let account = Arc::clone(account);
    let saving = tokio::task::spawn_blocking(move || {
        let session = account.load()?.unwrap();
        account.save(&session)
    });
    match saving.await.unwrap() {
        Ok(()) => "SAVED".to_owned(),
        Err(Error::Session(error)) => format!("REFUSED {:?}", error.problem()),
        Err(other) => panic!("{other}"),
    }
}

/// Claims accounts as long as there are any, and then keeps them until it is told to go.
async fn collect(fleet: &Postgres, mut orders: Orders) {
    say("READY");
    orders.recv().await.unwrap();
    let mut accounts = Vec::new();
    while let Some(account) = fleet.claim_any().await.unwrap() {
        say(&format!("HAS {}", account.name()));
        accounts.push(account);
    }
    say("DONE");
    orders.recv().await.unwrap();
}

/// Saves one session and another in turn, without end.
async fn save(fleet: &Postgres) {
    let load = |name: &str| fleet.account(name).unwrap().load().unwrap().unwrap();
    let sessions: [Session; 2] = [load("first"), load("second")];
    let account = fleet.account("alice").unwrap().claim(Duration::from_secs(20)).await.unwrap();
    let lock = account.lock().unwrap();
    say("SAVING");
    for session in sessions.iter().cycle() {
        // The database may be killed, too.
        if let Err(error) = account.save(session) {
            say(&format!("FAILED {error}"));
        }
    }
    drop(lock);
}
