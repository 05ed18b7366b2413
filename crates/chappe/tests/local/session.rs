//! Sessions that outlive a client, and those that do not fit.

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use chappe::{
    Ended, Error, SessionProblem,
    session::{File, Memory, Session, SessionLock, Store},
};

use chappe_server::Server;

use crate::{
    telegram::{API_ID, client_of, code, done, sign_in, telegram},
    wire::{Weather, Wire},
};

/// The auth key in the bytes of a session; see the layout of the file.
fn key_of(path: &std::path::Path) -> Vec<u8> {
    fs::read(path).unwrap()[46..302].to_vec()
}

#[tokio::test]
async fn a_session_goes_on_without_a_new_key() {
    let server = telegram(1).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("me.session");
    let first = client_of(&server).session(&path).connect().await.unwrap();
    let key = key_of(&path);
    let user = sign_in(&first, &server).await;
    first.close().await.unwrap();
    for _ in 0..2 {
        let next = client_of(&server).session(&path).connect().await.unwrap();
        assert_eq!(next.me().await.unwrap().unwrap().id, user.id);
        next.close().await.unwrap();
        assert_eq!(key_of(&path), key);
    }
}

/// A process that is killed signs in for good as soon as it hears so.
#[tokio::test]
async fn a_sign_in_is_kept_before_it_is_reported() {
    let server = telegram(1).await;
    let store = Arc::new(Memory::new());
    let client = client_of(&server).session(Arc::clone(&store)).connect().await.unwrap();
    assert!(store.load().unwrap().is_some());
    let user = sign_in(&client, &server).await;
    assert_eq!(store.load().unwrap().unwrap().user_id(), Some(user.id));
    drop(client);
    let next = client_of(&server).session(store).connect().await.unwrap();
    assert_eq!(next.me().await.unwrap().unwrap().id, user.id);
}

/// What another library knew: the key, and not whose it is.
fn nameless(session: &Session) -> Session {
    let mut bytes = session.to_bytes().unwrap().as_ref().to_vec();
    bytes.truncate(bytes.len() - 32);
    bytes[30] = 3;
    bytes[31..39].fill(0);
    let checksum = chappe_crypto::sha256(&[&bytes]);
    bytes.extend_from_slice(&checksum);
    Session::from_bytes(&bytes).unwrap()
}

#[tokio::test]
async fn whose_a_session_is_that_was_brought_from_elsewhere_is_found_out_and_kept() {
    let server = telegram(1).await;
    let first = client_of(&server).connect().await.unwrap();
    let user = sign_in(&first, &server).await;
    let session = nameless(&first.session());
    assert_eq!(first.session().api_id(), Some(API_ID));
    first.close().await.unwrap();

    let store = Arc::new(Memory::from(session));
    let kept = || store.load().unwrap().unwrap();
    assert_eq!((kept().is_signed_in(), kept().user_id()), (true, None));
    let client = client_of(&server).session(Arc::clone(&store)).connect().await.unwrap();
    assert_eq!(client.me().await.unwrap().unwrap().id, user.id);
    assert_eq!((kept().is_signed_in(), kept().user_id()), (true, Some(user.id)));
    assert_eq!(client.session().user_id(), Some(user.id));
}

/// It is no news of an end, for nobody knew of a beginning.
#[tokio::test]
async fn a_session_from_elsewhere_that_is_not_signed_in_can_be_signed_in() {
    let server = telegram(1).await;
    let first = client_of(&server).connect().await.unwrap();
    let session = nameless(&first.session());
    first.close().await.unwrap();
    let store = Arc::new(Memory::from(session));
    let client = client_of(&server).session(Arc::clone(&store)).connect().await.unwrap();
    assert!(client.session().is_signed_in());
    assert_eq!(client.me().await.unwrap(), None);
    assert!(!store.load().unwrap().unwrap().is_signed_in());
    let user = sign_in(&client, &server).await;
    assert_eq!(client.me().await.unwrap().unwrap().id, user.id);
}

/// A server is its key, not its address.
#[tokio::test]
async fn a_session_follows_its_server_to_another_address() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Memory::new());
    let mut addresses = Vec::new();
    for _ in 0..2 {
        // Whoever has the old port now, the server has to take another one.
        let _taken: Vec<_> = addresses.iter().map(std::net::TcpListener::bind).collect();
        let server = Server::builder().data(folder.path()).seed(1).start().await.unwrap();
        let client = client_of(&server).session(Arc::clone(&store)).connect().await.unwrap();
        if addresses.is_empty() {
            sign_in(&client, &server).await;
        }
        assert!(client.me().await.unwrap().is_some());
        client.close().await.unwrap();
        let kept = store.load().unwrap().unwrap();
        assert_eq!(kept.address(), server.address().to_string());
        addresses.push(server.address());
        server.shutdown().await.unwrap();
    }
}

#[tokio::test]
async fn a_session_of_another_server_is_refused_and_left_alone() {
    let (one, other) = (telegram(1).await, telegram(2).await);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("me.session");
    client_of(&one).session(&path).connect().await.unwrap().close().await.unwrap();
    let before = fs::read(&path).unwrap();

    let error = client_of(&other).session(&path).connect().await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("me.session") && text.contains("another server"), "{text}");
    assert!(text.contains(&one.address().to_string()), "{text}");
    let Error::Session(error) = error else { panic!("{error}") };
    assert_eq!(error.path(), Some(path.as_path()));
    assert!(matches!(error.problem(), SessionProblem::OtherServer { .. }));

    // The same for the servers that are dialled when none is given: nothing is dialled.
    let error = chappe::Client::builder(1, "x").session(&path).connect().await.unwrap_err();
    assert!(error.to_string().contains("another server"), "{error}");

    let error = client_of(&one).dc(4).session(&path).connect().await.unwrap_err();
    assert!(error.to_string().contains("data centre 2, not 4"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// The same key pair, but all that the server knew is gone.
#[tokio::test]
async fn a_session_that_the_server_forgot_is_reported() {
    let store = Arc::new(Memory::new());
    let server = telegram(1).await;
    let client = client_of(&server).session(Arc::clone(&store)).connect().await.unwrap();
    sign_in(&client, &server).await;
    client.close().await.unwrap();
    server.shutdown().await.unwrap();

    let server = telegram(1).await;
    let client = client_of(&server).session(store).connect().await.unwrap();
    let error = client.me().await.unwrap_err();
    assert!(matches!(error, Error::KeyUnknown), "{error}");
    assert!(matches!(client.me().await.unwrap_err(), Error::KeyUnknown));
    assert_eq!(client.ended().await, Ended::KeyUnknown);
    client.close().await.unwrap();
}

/// Two clients with one auth key at once make Telegram void it.
#[tokio::test]
async fn a_session_is_used_by_one_client_at_a_time() {
    let wire = Wire::new(telegram(1).await);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("me.session");
    let first = wire.connect(client_of(wire.server()).session(&path)).await.unwrap();
    sign_in(&first, wire.server()).await;
    let error = wire.connect(client_of(wire.server()).session(&path)).await.unwrap_err();
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    let Error::Session(error) = error else { panic!("{error}") };
    let SessionProblem::InUse { holder } = error.problem() else { panic!("{error}") };
    assert_eq!(holder.pid, Some(std::process::id()));
    assert_eq!(wire.dials(), 1);
    // A tool may look at it all the same.
    assert!(File::new(&path).load().unwrap().unwrap().user_id().is_some());

    // Closing lets it go at once, with the handle still there; dropping does, too, and so does a
    // connection that fails.
    first.close().await.unwrap();
    let second = wire.connect(client_of(wire.server()).session(&path)).await.unwrap();
    assert!(second.me().await.unwrap().is_some());
    drop(second);
    wire.weather(Weather::Storm);
    assert!(wire.connect(client_of(wire.server()).session(&path)).await.is_err());
    wire.weather(Weather::Fair);
    let third = wire.connect(client_of(wire.server()).session(&path)).await.unwrap();
    assert!(third.me().await.unwrap().is_some());
    drop(first);
    assert!(wire.connect(client_of(wire.server()).session(&path)).await.is_err());
}

#[tokio::test]
async fn a_damaged_session_is_reported_before_anything_is_dialled() {
    let wire = Wire::new(telegram(1).await);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("me.session");
    fs::write(&path, "CHAPPE\r\n and then nonsense").unwrap();
    let error = wire.connect(client_of(wire.server()).session(&path)).await.unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
    assert_eq!(wire.dials(), 0);
}

/// A disk that is full must not let anybody sign in for nothing.
#[tokio::test]
async fn a_store_that_fails_is_heard_of() {
    struct Full;
    impl Store for Full {
        fn load(&self) -> Result<Option<Session>, Error> {
            Ok(None)
        }
        fn save(&self, _: &Session) -> Result<(), Error> {
            Err(Error::store(std::io::ErrorKind::StorageFull.into()))
        }
        fn clear(&self) -> Result<(), Error> {
            Ok(())
        }
    }
    let server = telegram(1).await;
    let error = client_of(&server).session(Full).connect().await.unwrap_err();
    let Error::Session(error) = error else { panic!("{error}") };
    assert!(matches!(error.problem(), SessionProblem::Io(_)));
}

/// A disk that is full for a while.
#[derive(Default)]
struct Disk {
    memory: Memory,
    full: AtomicBool,
}

impl Disk {
    fn room(&self) -> Result<(), Error> {
        let full = self.full.load(Ordering::SeqCst);
        if full { Err(Error::store(std::io::ErrorKind::StorageFull.into())) } else { Ok(()) }
    }
}

impl Store for Disk {
    fn load(&self) -> Result<Option<Session>, Error> {
        self.memory.load()
    }
    fn save(&self, session: &Session) -> Result<(), Error> {
        self.room().and_then(|()| self.memory.save(session))
    }
    fn clear(&self) -> Result<(), Error> {
        self.room().and_then(|()| self.memory.clear())
    }
}

/// What could not be kept is not forgotten: it is as soon as there is room, at the latest when
/// the client is closed, which says whether all is kept.
#[tokio::test]
async fn what_a_full_disk_did_not_take_is_kept_when_there_is_room() {
    let server = telegram(1).await;
    let disk = Arc::new(Disk::default());
    let kept = || disk.load().unwrap();
    let connect = || client_of(&server).session(Arc::clone(&disk)).connect();
    let account = &server.accounts()[0];
    let client = connect().await.unwrap();
    let step = code(client.sign_in_phone(&account.phone).await.unwrap());
    disk.full.store(true, Ordering::SeqCst);
    let error = step.submit(&account.code).await.unwrap_err();
    assert!(matches!(error, Error::Session(_)), "{error}");
    assert!(!kept().unwrap().is_signed_in());
    disk.full.store(false, Ordering::SeqCst);
    client.close().await.unwrap();
    assert!(kept().unwrap().is_signed_in());

    // A sign-out the same, whatever it leaves.
    for forget in [false, true] {
        let client = connect().await.unwrap();
        if forget {
            done(client.sign_in_phone(&account.phone).await);
        }
        disk.full.store(true, Ordering::SeqCst);
        let out = if forget { client.sign_out_and_forget().await } else { client.sign_out().await };
        assert!(matches!(out, Err(Error::Session(_))), "{out:?}");
        assert!(kept().unwrap().is_signed_in());
        disk.full.store(false, Ordering::SeqCst);
        client.close().await.unwrap();
        let left = kept().map(|left| left.dc_ids().count());
        assert_eq!(left, if forget { None } else { Some(0) });
    }

    // And if there never is any, whoever closes it hears of that.
    let client = connect().await.unwrap();
    let step = code(client.sign_in_phone(&account.phone).await.unwrap());
    disk.full.store(true, Ordering::SeqCst);
    assert!(step.submit(&account.code).await.is_err());
    let closed = client.close().await;
    assert!(matches!(closed, Err(Error::Session(_))), "{closed:?}");
    assert!(!kept().unwrap().is_signed_in());
}

/// A store whose saves wait until somebody lets them through, and that knows who has it.
#[derive(Default)]
struct Slow {
    memory: Memory,
    taken: Arc<()>,
    /// Where a save waits, from when on there is one.
    gate: Mutex<Option<mpsc::Receiver<()>>>,
}

impl Store for Slow {
    fn load(&self) -> Result<Option<Session>, Error> {
        self.memory.load()
    }
    fn save(&self, session: &Session) -> Result<(), Error> {
        let gate = self.gate.lock().unwrap().take();
        if let Some(gate) = gate {
            gate.recv().unwrap();
        }
        self.memory.save(session)
    }
    fn clear(&self) -> Result<(), Error> {
        self.memory.clear()
    }
    fn lock(&self) -> Result<Option<SessionLock>, Error> {
        Ok(Some(SessionLock::new(Arc::clone(&self.taken))))
    }
}

/// A program ends its runtime in the middle of a save, which goes on: nobody else may have the
/// session before that is done.
#[test]
fn a_session_is_not_let_go_while_it_is_being_saved() {
    let store = Arc::new(Slow::default());
    let taken = Arc::clone(&store.taken);
    let is_taken = || Arc::strong_count(&taken) > 2;
    let (let_through, gate) = mpsc::channel();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let server = telegram(1).await;
        let client = client_of(&server).session(Arc::clone(&store)).connect().await.unwrap();
        let account = &server.accounts()[0];
        let step = code(client.sign_in_phone(&account.phone).await.unwrap());
        *store.gate.lock().unwrap() = Some(gate);
        let sent = account.code.clone();
        tokio::spawn(async move { step.submit(&sent).await.map(drop) });
        while store.gate.lock().unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    });
    assert!(is_taken());
    let (ended, end) = mpsc::channel();
    let ending = thread::spawn(move || {
        // All tasks are dropped before it waits for the save.
        drop(runtime);
        ended.send(()).unwrap();
    });
    assert!(end.recv_timeout(Duration::from_millis(300)).is_err());
    assert!(is_taken());
    let_through.send(()).unwrap();
    ending.join().unwrap();
    assert!(!is_taken());
}

/// The server's process ends and another takes its place: the session on the server's side is
/// gone, the auth key and the sign-in are not, and the client notices nothing.
#[tokio::test]
async fn a_client_outlives_its_server() {
    let folder = tempfile::tempdir().unwrap();
    let start = |address: std::net::SocketAddr| {
        Server::builder().data(folder.path()).seed(1).listen(address).start()
    };
    let server = start(([127, 0, 0, 1], 0).into()).await.unwrap();
    let client = client_of(&server).connect().await.unwrap();
    let user = sign_in(&client, &server).await;
    let address = server.address();
    server.shutdown().await.unwrap();
    client.state_changed(chappe::ConnectionState::Connected).await;

    let server = start(address).await.unwrap();
    assert_eq!(client.me().await.unwrap().unwrap().id, user.id);
    client.close().await.unwrap();
    server.shutdown().await.unwrap();
}
