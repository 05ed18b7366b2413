//! A way to the database whose first connection can be held up: what goes to the server waits, also
//! when whoever sent it is gone.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
};

use crate::cluster::Cluster;

pub(crate) struct Way {
    port: u16,
    gate: Arc<Gate>,
}

/// What the first connection is to do.
#[derive(Default)]
struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    held: bool,
    /// Bytes that went on when they were let go, once they were.
    went_on: Option<usize>,
    /// The server has answered them, or hung up.
    answered: bool,
}

impl Way {
    pub(crate) fn to(cluster: &Cluster) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let gate = Arc::<Gate>::default();
        let server = cluster.port();
        thread::spawn({
            let gate = Arc::clone(&gate);
            move || {
                for (number, client) in listener.incoming().flatten().enumerate() {
                    let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { return };
                    carry(client, server, (number == 0).then(|| Arc::clone(&gate)));
                }
            }
        });
        Self { port, gate }
    }

    pub(crate) fn url(&self, cluster: &Cluster) -> String {
        cluster.tcp_url("127.0.0.1").replace(&cluster.port().to_string(), &self.port.to_string())
    }

    /// From now on what comes over the first connection waits.
    pub(crate) fn hold(&self) {
        self.gate.state.lock().unwrap().held = true;
    }

    /// What waited goes on; returns how many bytes that were, once the server answered them.
    pub(crate) fn let_go(&self) -> usize {
        let mut state = self.gate.state.lock().unwrap();
        state.held = false;
        self.gate.changed.notify_all();
        while !state.answered {
            state = self.gate.changed.wait(state).unwrap();
        }
        state.went_on.unwrap()
    }
}

fn carry(client: TcpStream, server: TcpStream, gate: Option<Arc<Gate>>) {
    let (mut from_client, mut to_server) =
        (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (mut from_server, mut to_client) = (server, client);
    let watched = gate.clone();
    thread::spawn(move || {
        let mut waiting = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = from_client.read(&mut buffer) {
            waiting.extend_from_slice(&buffer[..length]);
            let held = gate.as_ref().is_some_and(|gate| gate.state.lock().unwrap().held);
            if !held && to_server.write_all(&std::mem::take(&mut waiting)).is_err() {
                return;
            }
        }
        if let Some(gate) = gate {
            let mut state = gate.state.lock().unwrap();
            while state.held {
                state = gate.changed.wait(state).unwrap();
            }
            state.went_on = Some(waiting.len());
            drop(state);
            // The server may have hung up meanwhile; then its end is the answer.
            drop(to_server.write_all(&waiting));
        }
        drop(to_server.shutdown(std::net::Shutdown::Write));
    });
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = from_server.read(&mut buffer) {
            // Whoever asked may be gone.
            drop(to_client.write_all(&buffer[..length]));
        }
        drop(to_client.shutdown(std::net::Shutdown::Write));
        if let Some(gate) = watched {
            gate.state.lock().unwrap().answered = true;
            gate.changed.notify_all();
        }
    });
}
