//! The life of a connection: how it comes back, how it ends for good, and what then is left.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use chappe::{
    Builder, Client, ConnectionState, Encode, Ended, Error,
    api::{enums, help, types},
    session::{Memory, Session, Store},
};
use tokio::{io::AsyncWriteExt, time::Instant};

use crate::{
    script::{Line, SILENCE, nearest, stage, stage_for},
    telegram::{client_of, sign_in, telegram},
    wire::{Weather, Wire},
};

#[tokio::test(start_paused = true)]
async fn a_network_that_comes_back_after_ten_minutes_is_used_again() {
    let wire = Wire::new(telegram(1).await);
    let client = wire.connect(client_of(wire.server())).await.unwrap();
    sign_in(&client, wire.server()).await;
    let mut states = client.states();
    assert_eq!(states.next().await, Some(ConnectionState::Connected));
    wire.weather(Weather::Storm);
    let mut before = wire.dials();
    for minute in 0..10 {
        tokio::time::sleep(Duration::from_secs(60)).await;
        let dials = wire.dials() - before;
        assert!((1..=27).contains(&dials), "{dials} dials in minute {minute}");
        before = wire.dials();
    }
    let Some(ConnectionState::Connecting { failures, why, .. }) = states.next().await else {
        panic!("{:?}", client.state());
    };
    assert!(failures > 10 && why == Some(io::ErrorKind::ConnectionRefused), "{failures} {why:?}");

    wire.weather(Weather::Fair);
    let back = Instant::now();
    while client.state() != ConnectionState::Connected {
        client.state_changed(client.state()).await;
    }
    assert!(back.elapsed() <= Duration::from_secs(30), "{:?}", back.elapsed());
    assert!(client.me().await.unwrap().is_some());
}

/// The moods of a connector of its own.
#[derive(Default)]
struct Moods {
    dials: Mutex<Vec<Instant>>,
    /// Servers refuse with this transport error; 0 if they do not.
    refusal: AtomicI32,
    /// Dials never end.
    endless: AtomicBool,
    /// Nobody is there.
    away: AtomicBool,
    /// Servers accept and say nothing.
    mute: AtomicBool,
    /// Connectors that are still held by somebody.
    alive: AtomicUsize,
}

/// Counts itself as alive until it is dropped.
struct Probe(Arc<Moods>);

impl Probe {
    fn new(moods: &Arc<Moods>) -> Self {
        moods.alive.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(moods))
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Moods {
    fn dialled(&self) -> usize {
        self.dials.lock().unwrap().len()
    }

    /// Breaks the connection, by the mood that is set before.
    async fn lose(&self, client: &Client, wire: &Wire) {
        wire.cut();
        let state = client.state_changed(ConnectionState::Connected).await;
        assert!(matches!(state, ConnectionState::Connecting { .. }), "{state:?}");
    }
}

/// A client over a wire that has moods.
async fn moody(wire: &Wire, moods: &Arc<Moods>, builder: Builder) -> Client {
    let (wire, probe) = (wire.clone(), Probe::new(moods));
    let connector = move || {
        let (moods, wire) = (Arc::clone(&probe.0), wire.clone());
        moods.dials.lock().unwrap().push(Instant::now());
        async move {
            if moods.endless.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            if moods.away.load(Ordering::SeqCst) {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            let refusal = moods.refusal.load(Ordering::SeqCst);
            if moods.mute.load(Ordering::SeqCst) || refusal != 0 {
                let (near, mut far) = tokio::io::duplex(64 * 1024);
                tokio::spawn(async move {
                    if refusal != 0 {
                        let frame = [4_i32.to_le_bytes(), refusal.to_le_bytes()].concat();
                        far.write_all(&frame).await.unwrap();
                    }
                    let mut heard = Vec::new();
                    drop(tokio::io::AsyncReadExt::read_to_end(&mut far, &mut heard).await);
                });
                return Ok(near);
            }
            wire.dial().await
        }
    };
    builder.connect_with(connector).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_server_with_too_many_connections_is_left_alone_for_longer_and_longer() {
    let wire = Wire::new(telegram(1).await);
    let moods = Arc::new(Moods::default());
    let client = moody(&wire, &moods, client_of(wire.server())).await;
    client.invoke(&help::GetConfig).await.unwrap();
    moods.refusal.store(-429, Ordering::SeqCst);
    wire.cut();
    tokio::time::sleep(Duration::from_secs(20 * 60)).await;
    let ConnectionState::Connecting { why, .. } = client.state() else {
        panic!("{:?}", client.state());
    };
    assert_eq!(why, Some(io::ErrorKind::QuotaExceeded));
    let dials = moods.dials.lock().unwrap().clone();
    let pauses: Vec<_> =
        dials[1..].windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
    assert!((5..=13).contains(&pauses.len()), "{pauses:?}");
    for (turn, pause) in pauses.iter().enumerate() {
        let full = f64::from(8 << turn.min(5));
        assert!(*pause >= full / 2.0 && *pause < full + 0.1, "{pauses:?}");
    }
    moods.refusal.store(0, Ordering::SeqCst);
    while client.state() != ConnectionState::Connected {
        client.state_changed(client.state()).await;
    }
    client.invoke(&help::GetConfig).await.unwrap();
}

/// A story that failed can be told again.
#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_pauses() {
    let mut told = Vec::new();
    for seed in [7, 7, 8] {
        let wire = Wire::new(telegram(1).await);
        let moods = Arc::new(Moods::default());
        let client = moody(&wire, &moods, client_of(wire.server()).seed_pauses(seed)).await;
        moods.away.store(true, Ordering::SeqCst);
        moods.lose(&client, &wire).await;
        tokio::time::sleep(Duration::from_secs(600)).await;
        let dials = moods.dials.lock().unwrap().clone();
        told.push(dials.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>());
    }
    assert!(told[0].len() > 10 && told[0] == told[1] && told[1] != told[2], "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_the_key_or_the_data_centre_ends_the_client() {
    for (code, most_dials, reason) in [(-404, 4, Ended::KeyUnknown), (-444, 1, Ended::WrongDc(2))] {
        let wire = Wire::new(telegram(1).await);
        let moods = Arc::new(Moods::default());
        let store = Arc::new(Memory::new());
        let builder = client_of(wire.server()).session(Arc::clone(&store));
        let client = moody(&wire, &moods, builder).await;
        client.invoke(&help::GetConfig).await.unwrap();
        moods.refusal.store(code, Ordering::SeqCst);
        wire.cut();
        assert_eq!(client.ended().await, reason);
        assert!((1..=most_dials).contains(&(moods.dialled() - 1)), "{code}: {}", moods.dialled());
        let error = client.invoke(&help::GetConfig).await.unwrap_err();
        assert_eq!(error.ended(), Some(reason), "{error}");
        let dials = moods.dialled();
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(moods.dialled(), dials);
        assert!(store.load().unwrap().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_for_their_turn_end_with_the_client() {
    let flood = || Err((420, "FLOOD_WAIT_29"));
    let fail = || Err((500, "RPC_CALL_FAIL"));
    for answer in [flood as fn() -> Line, fail] {
        let stage = stage(vec![answer()], Bytes::new()).await;
        let calls: Vec<_> = (0..if answer().unwrap_err().0 == 420 { 3 } else { 1 })
            .map(|_| {
                let client = stage.client.clone();
                tokio::spawn(async move { client.invoke(&help::GetNearestDc).await })
            })
            .collect();
        while stage.count() < 1 {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        let begin = Instant::now();
        stage.client.close().await.unwrap();
        for call in calls {
            let error = call.await.unwrap().unwrap_err();
            assert!(matches!(error, Error::Closed), "{error}");
        }
        assert!(begin.elapsed() < Duration::from_millis(100), "{:?}", begin.elapsed());
    }
}

/// Keeps the session in memory and counts as alive until it is dropped.
struct Watched(Memory, #[expect(dead_code, reason = "it is only dropped")] Probe);

impl Store for Watched {
    fn load(&self) -> Result<Option<Session>, Error> {
        self.0.load()
    }
    fn save(&self, session: &Session) -> Result<(), Error> {
        self.0.save(session)
    }
    fn clear(&self) -> Result<(), Error> {
        self.0.clear()
    }
}

#[tokio::test(start_paused = true)]
async fn closing_is_final_whatever_the_connection_does_and_leaves_nothing_behind() {
    for mood in ["connected", "backing off", "dialling", "mute"] {
        let wire = Wire::new(telegram(1).await);
        let moods = Arc::new(Moods::default());
        let store = Arc::new(Watched(Memory::new(), Probe::new(&moods)));
        let client = moody(&wire, &moods, client_of(wire.server()).session(store)).await;
        client.invoke(&help::GetConfig).await.unwrap();
        match mood {
            "connected" => {}
            "backing off" => {
                moods.away.store(true, Ordering::SeqCst);
                moods.lose(&client, &wire).await;
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
            "dialling" => {
                moods.endless.store(true, Ordering::SeqCst);
                moods.lose(&client, &wire).await;
                while moods.dialled() < 2 {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            _ => {
                moods.mute.store(true, Ordering::SeqCst);
                moods.lose(&client, &wire).await;
                client.state_changed(client.state()).await;
            }
        }
        let calling = tokio::spawn({
            let client = client.clone();
            async move { client.invoke(&help::GetNearestDc).await }
        });
        tokio::task::yield_now().await;
        assert_eq!(moods.alive.load(Ordering::SeqCst), 2, "{mood}");
        let mut states = client.states();
        client.close().await.unwrap();

        // What dials is gone, what keeps the session is, and no task waits for anything.
        assert_eq!(moods.alive.load(Ordering::SeqCst), 0, "{mood}");
        let ended = calling.await.unwrap();
        assert!(mood == "connected" || matches!(ended, Err(Error::Closed)), "{mood}: {ended:?}");
        while states.next().await != Some(ConnectionState::Ended(Ended::Closed)) {}
        assert_eq!(states.next().await, None);
        let (dials, begin) = (moods.dialled(), Instant::now());
        client.close().await.unwrap();
        assert_eq!(client.ended().await, Ended::Closed);
        assert_eq!(begin.elapsed(), Duration::ZERO, "{mood}");
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(moods.dialled(), dials, "{mood}");
        assert!(matches!(client.invoke(&help::GetConfig).await, Err(Error::Closed)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_dropped_while_it_connects_leaves_nothing_behind() {
    let server = telegram(1).await;
    let moods = Arc::new(Moods::default());
    let probe = Probe::new(&moods);
    let store = Watched(Memory::new(), Probe::new(&moods));
    let connecting = client_of(&server).session(store).connect_with(move || {
        probe.0.dials.lock().unwrap().push(Instant::now());
        // A server that takes the key exchange's first words and says nothing.
        let (near, far) = tokio::io::duplex(4096);
        async move {
            tokio::spawn(async move {
                let _far = far;
                std::future::pending::<()>().await;
            });
            Ok(near)
        }
    });
    assert!(tokio::time::timeout(Duration::from_secs(5), connecting).await.is_err());
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!((moods.dialled(), moods.alive.load(Ordering::SeqCst)), (1, 0));
}

/// The answer that somebody signed in.
fn welcome() -> Line {
    let mut user = types::User::new(7);
    user.is_self = true;
    user.bot = true;
    user.bot_info_version = Some(1);
    let authorization = types::auth::Authorization {
        setup_password_required: false,
        otherwise_relogin_days: None,
        tmp_sessions: None,
        future_auth_token: None,
        user: user.into(),
    };
    Ok(enums::auth::Authorization::from(authorization).to_bytes())
}

#[tokio::test(start_paused = true)]
async fn what_cannot_heal_ends_the_client_once_and_for_all() {
    for (code, name, reason) in [
        (401, "AUTH_KEY_UNREGISTERED", Ended::SignedOut),
        (401, "AUTH_KEY_INVALID", Ended::SignedOut),
        (401, "SESSION_REVOKED", Ended::Revoked),
        (401, "SESSION_EXPIRED", Ended::Expired),
        (401, "USER_DEACTIVATED", Ended::Deactivated),
        (401, "USER_DEACTIVATED_BAN", Ended::Banned),
        (406, "AUTH_KEY_DUPLICATED", Ended::KeyDuplicated),
    ] {
        let store = Arc::new(Memory::new());
        let kept = Arc::clone(&store);
        let script = vec![welcome(), SILENCE, Err((code, name))];
        let stage = stage_for(script, Bytes::new(), |builder| builder.session(kept)).await;
        let client = &stage.client;
        client.sign_in_bot("7:token").await.unwrap();
        let (mut states, mut updates) = (client.states(), client.updates());
        let calling = tokio::spawn({
            let client = client.clone();
            async move { client.invoke(&help::GetNearestDc).await }
        });
        while stage.count() < 2 {
            tokio::task::yield_now().await;
        }
        // The call that is answered so gets its answer, every other one the reason.
        let error = client.invoke(&help::GetNearestDc).await.unwrap_err();
        assert_eq!(error.rpc().unwrap().text, name);
        assert_eq!(client.state(), ConnectionState::Ended(reason));
        for _ in 0..2 {
            let later = client.invoke(&help::GetNearestDc).await.unwrap_err();
            assert!(matches!(later, Error::Ended(found) if found == reason), "{later}");
        }
        let pending = calling.await.unwrap().unwrap_err();
        assert_eq!(pending.ended(), Some(reason), "{pending}");
        assert_eq!(client.ended().await, reason);
        assert_eq!(updates.next().await.unwrap_err().ended(), Some(reason));
        assert!(matches!(updates.next().await, Ok(None)));
        while states.next().await != Some(ConnectionState::Ended(reason)) {}
        assert_eq!(states.next().await, None);

        // Nothing is dialled any more, and the session is left to the program.
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(stage.dials.load(Ordering::Relaxed), 1, "{name}");
        assert_eq!(store.load().unwrap().unwrap().user_id(), Some(7), "{name}");
        client.close().await.unwrap();
        assert_eq!(client.ended().await, reason);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_is_signed_in_is_an_ordinary_one_while_that_is_so() {
    let script = vec![
        Err((401, "AUTH_KEY_UNREGISTERED")),
        Err((401, "SESSION_PASSWORD_NEEDED")),
        welcome(),
        Err((401, "SESSION_PASSWORD_NEEDED")),
        Err((401, "AUTH_KEY_UNREGISTERED")),
        Err((401, "AUTH_KEY_UNREGISTERED")),
        nearest(),
    ];
    let stage = stage(script, Bytes::new()).await;
    for signs_in in [false, false, true, false] {
        if signs_in {
            stage.client.sign_in_bot("7:token").await.unwrap();
        } else {
            stage.client.invoke(&help::GetNearestDc).await.unwrap_err();
        }
    }
    // Signing out what was signed out elsewhere is no end, either.
    stage.client.sign_out().await.unwrap();
    stage.client.invoke(&help::GetNearestDc).await.unwrap_err();
    stage.client.invoke(&help::GetNearestDc).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_session_with_somebody_signed_in_ends_with_the_sign_in_after_a_restart_too() {
    let wire = Wire::new(telegram(1).await);
    let store = Arc::new(Memory::new());
    let connect = || wire.connect(client_of(wire.server()).session(Arc::clone(&store)));
    let first = connect().await.unwrap();
    sign_in(&first, wire.server()).await;
    let bytes = store.load().unwrap().unwrap();
    first.sign_out().await.unwrap();
    first.close().await.unwrap();
    // A copy of the session from before, as a second program would have it.
    store.save(&bytes).unwrap();
    let second = connect().await.unwrap();
    assert_eq!(second.me().await.unwrap(), None);
    assert!(second.ended().await.is_session_lost());
    let error = second.invoke(&help::GetConfig).await.unwrap_err();
    assert!(error.ended().unwrap().is_session_lost(), "{error}");
    assert!(store.load().unwrap().is_some());
    // Signing out tidies up what is of no more use.
    second.sign_out_and_forget().await.unwrap();
    assert!(store.load().unwrap().is_none());
}
