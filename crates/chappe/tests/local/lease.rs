//! A session that is the client's for a time only: what it does as long as the time lasts, and
//! how it ends with it, whatever happens to the process.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use chappe::{
    CallOptions, Client, ConnectionState, Ended, Error, SessionProblem,
    api::{help, users},
    session::{Lease, Memory, Moment, Session, SessionLock, Store},
};
use tokio::time::{Instant, advance};

use crate::{
    centres::Centres,
    telegram::{client_of, code, sign_in, telegram},
    wire::{Weather, Wire},
};

const LENGTH: Duration = Duration::from_secs(30);
/// How much of it a client uses.
const USED: Duration = Duration::from_secs(27);

/// A store that somebody else grants leases of, without renewing them by itself.
#[derive(Default)]
struct Leased {
    memory: Memory,
    lease: Mutex<Option<Lease>>,
    /// How many were let go by a call, and how many are not let go in any way.
    released: Arc<AtomicUsize>,
    out: Arc<AtomicUsize>,
    /// Leases are over when they are granted.
    late: bool,
    full: AtomicBool,
}

/// Counts as being out until it is dropped.
struct Out(Arc<AtomicUsize>);

impl Drop for Out {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Leased {
    fn lease(&self) -> Lease {
        self.lease.lock().unwrap().clone().unwrap()
    }

    fn renew(&self) -> bool {
        self.lease().renewed(Moment::now(), LENGTH)
    }

    /// How many are out, and how many came back by a call.
    fn count(&self) -> (usize, usize) {
        (self.out.load(Ordering::SeqCst), self.released.load(Ordering::SeqCst))
    }
}

impl Store for Leased {
    fn load(&self) -> Result<Option<Session>, Error> {
        self.memory.load()
    }
    fn save(&self, session: &Session) -> Result<(), Error> {
        if self.full.load(Ordering::SeqCst) {
            return Err(Error::store(std::io::ErrorKind::StorageFull.into()));
        }
        self.memory.save(session)
    }
    fn clear(&self) -> Result<(), Error> {
        self.memory.clear()
    }
    fn lock(&self) -> Result<Option<SessionLock>, Error> {
        let lease = Lease::granted(Moment::now(), LENGTH);
        if self.late {
            lease.lose();
        }
        *self.lease.lock().unwrap() = Some(lease.clone());
        self.out.fetch_add(1, Ordering::SeqCst);
        let (out, released) = (Out(Arc::clone(&self.out)), Arc::clone(&self.released));
        Ok(Some(SessionLock::leased(lease, move || {
            released.fetch_add(1, Ordering::SeqCst);
            drop(out);
        })))
    }
}

#[track_caller]
fn is_lost(result: Result<impl Sized, Error>) {
    let error = result.err().unwrap();
    assert_eq!(error.ended(), Some(Ended::LeaseLost), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_nobody_renews_ends_the_client_before_it_runs_out() {
    let wire = Wire::new(telegram(1).await);
    let store = Arc::new(Leased::default());
    let begin = Instant::now();
    let client = wire.connect(client_of(wire.server()).session(Arc::clone(&store))).await.unwrap();
    sign_in(&client, wire.server()).await;
    let mut states = client.states();
    wire.weather(Weather::Deaf);
    let calling = tokio::spawn({
        let client = client.clone();
        async move { client.invoke(&help::GetNearestDc).await }
    });
    assert_eq!(client.ended().await, Ended::LeaseLost);
    let after = begin.elapsed();
    assert!(after >= USED && after < USED + Duration::from_millis(10), "{after:?}");
    is_lost(calling.await.unwrap());
    is_lost(client.me().await);
    while states.next().await != Some(ConnectionState::Ended(Ended::LeaseLost)) {}
    assert!(!Ended::LeaseLost.is_session_lost());

    // A renewal that comes late is none, and nothing is dialled any more.
    assert!(!store.renew());
    wire.weather(Weather::Fair);
    let dials = wire.dials();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(wire.dials(), dials);
    client.close().await.unwrap();
    assert_eq!((client.ended().await, store.count()), (Ended::LeaseLost, (0, 1)));

    // Whoever has the lease next goes on with the session.
    let client = wire.connect(client_of(wire.server()).session(store)).await.unwrap();
    assert!(client.me().await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_renewed_is_not_noticed() {
    let wire = Wire::new(telegram(1).await);
    let store = Arc::new(Leased::default());
    let client = wire.connect(client_of(wire.server()).session(Arc::clone(&store))).await.unwrap();
    for _ in 0..60 {
        tokio::time::sleep(LENGTH / 3).await;
        assert!(store.renew());
        client.invoke(&help::GetNearestDc).await.unwrap();
    }
    assert_eq!((wire.dials(), client.state()), (1, ConnectionState::Connected));
    client.close().await.unwrap();
    assert_eq!((client.ended().await, store.count()), (Ended::Closed, (0, 1)));
}

/// A client at two data centres, with a call for each that its connection has not seen yet.
async fn with_calls_waiting(centres: &Centres, store: &Arc<Leased>) -> Client {
    let client = centres.signed_in(centres.builder().session(Arc::clone(store))).await;
    for dc_id in [2, 4] {
        client.with(CallOptions::new().dc(dc_id)).invoke(&help::GetNearestDc).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!((centres.open(2), centres.open(4)), (1, 1));
    client
}

async fn no_socket_is_left(centres: &Centres) {
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!((centres.open(2), centres.open(4)), (0, 0));
}

/// Time goes by and nothing else happens, as for a process that is stopped and continued.
#[tokio::test(start_paused = true)]
async fn a_process_that_was_stopped_for_longer_than_its_lease_sends_nothing() {
    for stopped in [USED, LENGTH * 20] {
        let centres = Centres::new(2);
        let store = Arc::new(Leased::default());
        let client = with_calls_waiting(&centres, &store).await;
        let (home, abroad) = (CallOptions::new(), CallOptions::new().dc(4));
        let (home, abroad) = (client.with(home), client.with(abroad));
        let me = users::GetUsers { id: Vec::new() };
        let mut calls = [Box::pin(home.invoke(&me)), Box::pin(abroad.invoke(&me))];
        for call in &mut calls {
            let polled = std::future::poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await;
            assert!(polled.is_pending());
        }
        advance(stopped).await;
        for call in calls {
            is_lost(call.await);
        }
        no_socket_is_left(&centres).await;
        assert!(centres.heard::<users::GetUsers>().is_empty());
        assert_eq!(client.ended().await, Ended::LeaseLost);
    }

    // If there is time left, nothing is lost.
    let centres = Centres::new(2);
    let client = with_calls_waiting(&centres, &Arc::default()).await;
    advance(USED - Duration::from_millis(100)).await;
    client.invoke(&users::GetUsers { id: Vec::new() }).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_taken_away_closes_every_socket_at_once() {
    let centres = Centres::new(2);
    let store = Arc::new(Leased::default());
    let client = with_calls_waiting(&centres, &store).await;
    let begin = Instant::now();
    store.lease().lose();
    assert_eq!((client.ended().await, begin.elapsed()), (Ended::LeaseLost, Duration::ZERO));
    no_socket_is_left(&centres).await;
    let abroad = client.with(CallOptions::new().dc(4));
    is_lost(abroad.invoke(&help::GetNearestDc).await);
}

#[tokio::test(start_paused = true)]
async fn who_has_no_lease_any_more_when_it_is_to_dial_does_not() {
    let wire = Wire::new(telegram(1).await);
    let store = Arc::new(Leased { late: true, ..Leased::default() });
    let connecting = wire.connect(client_of(wire.server()).session(Arc::clone(&store)));
    is_lost(connecting.await);
    assert_eq!((wire.dials(), store.count()), (0, (0, 1)));

    // Nor does one that waits before its next dial, or for the dial's end.
    let store = Arc::new(Leased::default());
    let client = wire.connect(client_of(wire.server()).session(Arc::clone(&store))).await.unwrap();
    wire.weather(Weather::Storm);
    assert_eq!(client.ended().await, Ended::LeaseLost);
    let dials = wire.dials();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(wire.dials(), dials);
}

/// By then somebody else may have saved a newer session.
#[tokio::test(start_paused = true)]
async fn nothing_is_saved_when_the_lease_is_over() {
    let wire = Wire::new(telegram(1).await);
    let store = Arc::new(Leased::default());
    let client = wire.connect(client_of(wire.server()).session(Arc::clone(&store))).await.unwrap();
    let account = &wire.server().accounts()[0];
    let step = code(client.sign_in_phone(&account.phone).await.unwrap());
    // The sign-in could not be kept, and waits for a better moment.
    store.full.store(true, Ordering::SeqCst);
    assert!(matches!(step.submit(&account.code).await, Err(Error::Session(_))));
    store.full.store(false, Ordering::SeqCst);
    store.lease().lose();
    let error = client.close().await.unwrap_err();
    let Error::Session(error) = error else { panic!("{error}") };
    assert!(matches!(error.problem(), SessionProblem::LeaseLost), "{error}");
    assert!(!store.load().unwrap().unwrap().is_signed_in());
    assert_eq!(store.count(), (0, 1));
}

/// Who closes a client can give the session to somebody else at once.
#[tokio::test(start_paused = true)]
async fn a_lease_is_let_go_after_the_last_socket_and_before_close_returns() {
    let centres = Centres::new(2);
    let store = Arc::new(Leased::default());
    let client = with_calls_waiting(&centres, &store).await;
    assert_eq!(store.count(), (1, 0));
    client.close().await.unwrap();
    assert_eq!(store.count(), (0, 1));
    no_socket_is_left(&centres).await;

    // Who only drops it does not wait.
    let client = with_calls_waiting(&centres, &store).await;
    drop(client);
    no_socket_is_left(&centres).await;
    assert_eq!(store.count(), (0, 1));
}
