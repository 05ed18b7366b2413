//! What goes wrong on demand: that it strikes, whom, how often, and that it ends.

use std::time::Duration;

use chappe_api::{account, contacts, enums, errors, help, messages, types};
use chappe_mtproto::connection::RpcFailure;
use chappe_server::{
    Error, Handle,
    faults::{Action, Count, Fault, FaultId, Faults, Kind, Migration, Scope},
};
use chappe_tl::{Decode, DecodeBare, Encode};
use tokio::{
    io::DuplexStream,
    time::{Instant, timeout},
};

use crate::client::{Client, server};

const WEB: &str = "account.getWebAuthorizations";

/// The server's first account, signed in.
async fn account(server: &Handle, number: u8) -> Client<DuplexStream> {
    let account = server.accounts()[0].clone();
    let mut client = Client::connect(server, number).await;
    client.sign_in(&account.phone, &account.code).await.unwrap();
    client
}

/// Another account, signed up.
async fn stranger(server: &Handle, number: u8) -> Client<DuplexStream> {
    let mut client = Client::connect(server, number).await;
    let hash = client.send_code("9996614242").await.unwrap();
    let sign_up = chappe_api::auth::SignUp {
        no_joined_notifications: false,
        phone_number: "9996614242".into(),
        phone_code_hash: hash.clone(),
        first_name: "Grace".into(),
        last_name: String::new().into(),
    };
    let sign_in = chappe_api::auth::SignIn {
        phone_code: Some("11111".into()),
        ..chappe_api::auth::SignIn::new("9996614242", hash)
    };
    client.call(&sign_in).await.unwrap();
    client.call(&sign_up).await.unwrap();
    client
}

fn internal() -> Kind {
    Kind::RpcError { code: 500, text: "RPC_CALL_FAIL".to_owned() }
}

async fn struck(faults: &Faults, id: FaultId) -> u64 {
    faults.list().await.unwrap().into_iter().find(|fault| fault.id == id).unwrap().struck
}

async fn count(faults: &Faults, method: &str) -> Count {
    faults.calls().await.unwrap().methods.get(method).copied().unwrap_or_default()
}

/// What a call comes to: nothing, or the error's text.
async fn web(client: &mut Client<DuplexStream>) -> Result<(), String> {
    let answer = client.call(&account::GetWebAuthorizations).await;
    answer.map(drop).map_err(|RpcFailure { code, message }| format!("{code} {message}"))
}

#[tokio::test(start_paused = true)]
async fn an_error_strikes_as_often_as_it_was_ordered() {
    let server = server(1).await;
    let faults = server.faults();
    let mut client = account(&server, 1).await;
    let fails = Err("500 RPC_CALL_FAIL".to_owned());
    let pattern = |strikes: Vec<Result<(), String>>| {
        strikes.iter().map(|strike| if *strike == fails { 'x' } else { '.' }).collect::<String>()
    };
    for (fault, expected) in [
        (Fault::new(internal()), "xxxxxx"),
        (Fault::new(internal()).once(), "x....."),
        (Fault::new(internal()).times(2).after(1), ".xx..."),
        (Fault::new(internal()).every(3), "..x..x"),
        (Fault::new(internal()).every(2).after(1), "..x.x."),
        (Fault::new(internal()).method("account.*Web*"), "xxxxxx"),
        (Fault::new(internal()).method("help.*"), "......"),
        (Fault::new(internal()).chance(0.5, 3), "..xx.x"),
        (Fault::new(internal()).chance(0.5, 4), "xx...x"),
    ] {
        let id = faults.add(fault.clone()).await.unwrap();
        let mut came = Vec::new();
        for _ in 0..6 {
            came.push(web(&mut client).await);
        }
        assert_eq!(pattern(came), expected, "{fault:?}");
        let installed = faults.remove(id).await.unwrap().unwrap();
        assert_eq!(installed.struck, expected.matches('x').count() as u64);
        assert_eq!(web(&mut client).await, Ok(()), "it is removed");
        assert_eq!(faults.remove(id).await.unwrap(), None);
    }
    let lasting = Fault::new(internal()).lasting(Duration::from_secs(5));
    let id = faults.add(lasting).await.unwrap();
    assert_eq!(web(&mut client).await, fails);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(web(&mut client).await, Ok(()));
    assert!(faults.remove(id).await.unwrap().unwrap().over);
    let calls = count(&faults, WEB).await;
    assert_eq!(calls.received, calls.answered + calls.refused);
    assert_eq!((calls.executed, calls.refused), (calls.answered, 26));
}

#[tokio::test(start_paused = true)]
async fn a_scope_spares_everybody_else() {
    let server = server(2).await;
    let faults = server.faults();
    let phone = server.accounts()[0].phone.clone();
    let user_id = server.accounts()[0].user_id;
    let (mut ours, mut other) = (account(&server, 1).await, stranger(&server, 2).await);
    let sessions = faults.state().await.unwrap().sessions;
    let session = sessions.iter().find(|one| one.user_id == Some(user_id)).unwrap();
    for scope in [
        Scope::user(user_id),
        Scope::phone(format!("+{phone}")),
        Scope::auth_key(session.auth_key_id),
        Scope::session(session.session_id),
    ] {
        let id = faults.add(Fault::new(internal()).on(scope.clone())).await.unwrap();
        assert!(web(&mut ours).await.is_err(), "{scope:?}");
        assert_eq!(web(&mut other).await, Ok(()), "{scope:?}");
        faults.remove(id).await.unwrap();
    }
    for scope in [Scope::dc(server.dc_id()), Scope::everything()] {
        faults.add(Fault::new(internal()).on(scope)).await.unwrap();
        assert!(web(&mut ours).await.is_err() && web(&mut other).await.is_err());
        assert_eq!(faults.clear().await.unwrap(), 1);
    }
    faults.add(Fault::new(internal()).on(Scope::dc(server.dc_id() + 1))).await.unwrap();
    assert_eq!(web(&mut ours).await, Ok(()));
    // A sign-in is noticed while the fault stands.
    faults.add(Fault::new(internal()).on(Scope::user(user_id)).method(WEB)).await.unwrap();
    let mut late = account(&server, 3).await;
    assert!(web(&mut late).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_flood_counts_down_for_the_whole_account() {
    let server = server(3).await;
    let faults = server.faults();
    let (mut one, mut two) = (account(&server, 1).await, account(&server, 2).await);
    let mut other = stranger(&server, 3).await;
    let id =
        faults.add(Fault::new(Kind::Flood { seconds: 30, free: 1 }).method(WEB)).await.unwrap();
    assert_eq!(web(&mut one).await, Ok(()));
    assert_eq!(web(&mut two).await, Err("420 FLOOD_WAIT_30".to_owned()));
    assert_eq!(web(&mut other).await, Ok(()), "it has its own free call");
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!(web(&mut one).await, Err("420 FLOOD_WAIT_18".to_owned()));
    tokio::time::sleep(Duration::from_secs(18)).await;
    assert_eq!(web(&mut one).await, Ok(()));
    assert_eq!(web(&mut one).await, Err("420 FLOOD_WAIT_30".to_owned()));
    assert_eq!(struck(&faults, id).await, 3);
    faults.remove(id).await.unwrap();
    assert_eq!(web(&mut one).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn clients_are_sent_to_another_data_centre() {
    let server = server(4).await;
    let faults = server.faults();
    let mut client = account(&server, 1).await;
    for (what, name) in [
        (Migration::User, "303 USER_MIGRATE_3"),
        (Migration::Phone, "303 PHONE_MIGRATE_3"),
        (Migration::Network, "303 NETWORK_MIGRATE_3"),
        (Migration::File, "303 FILE_MIGRATE_3"),
        (Migration::Stats, "303 STATS_MIGRATE_3"),
    ] {
        faults.add(Fault::new(Kind::Migrate { what, dc: 3 }).once()).await.unwrap();
        assert_eq!(web(&mut client).await, Err(name.to_owned()));
        assert_eq!(web(&mut client).await, Ok(()));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_comes_again_and_nothing_is_done_twice() {
    let server = server(5).await;
    let faults = server.faults();
    let mut client = account(&server, 1).await;
    let hash = client.web().await[0].hash;
    let method = "account.resetWebAuthorization";
    faults.add(Fault::new(Kind::LoseAnswer).method(method).once()).await.unwrap();
    let id = client.ask(&account::ResetWebAuthorization { hash });
    let second = Duration::from_secs(1);
    assert!(timeout(second, client.answer(id)).await.is_err(), "it was lost");
    assert_eq!(count(&faults, method).await.executed, 1);
    client.reconnect(server.connect().await.unwrap());
    let answer = client.answer(id).await.unwrap().unwrap();
    assert_eq!(bool::from_bytes(&answer), Ok(true));
    let count = count(&faults, method).await;
    assert_eq!((count.executed, count.answered), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn answers_are_late_or_never_come() {
    let server = server(6).await;
    let faults = server.faults();
    let mut client = account(&server, 1).await;
    faults.add(Fault::new(Kind::DelayAnswer { seconds: 2.5 }).once()).await.unwrap();
    let began = Instant::now();
    web(&mut client).await.unwrap();
    assert_eq!(began.elapsed(), Duration::from_millis(2_500));
    let began = Instant::now();
    web(&mut client).await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO);

    faults.add(Fault::new(Kind::NeverAnswer).once()).await.unwrap();
    let id = client.ask(&account::GetWebAuthorizations);
    assert!(timeout(Duration::from_secs(20), client.answer(id)).await.is_err());
    let state = faults.state().await.unwrap();
    assert_eq!((state.running, state.late_answers, state.faults), (1, 0, 2));
    let calls = faults.calls().await.unwrap();
    let last = calls.recent.last().unwrap();
    assert_eq!((&*last.method, last.executed, last.answered), (WEB, false, false));
    web(&mut client).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_bot_is_late_and_lost_as_ordered() {
    let server = server(24).await;
    let faults = server.faults();
    let (mut client, mut bot) = (account(&server, 1).await, Client::connect(&server, 2).await);
    bot.sign_in_bot(&server.bots()[0].token).await.unwrap();
    let name = contacts::ResolveUsername::new(server.bots()[0].username.as_str());
    let found = client.call(&name).await.unwrap();
    let [enums::User::User(known)] = &found.users[..] else { panic!("{found:?}") };
    let access_hash = known.access_hash.unwrap();
    let peer = types::InputPeerUser { user_id: known.id, access_hash };
    client.call(&messages::SendMessage::new(peer.clone(), "/start", 1)).await.unwrap();
    let user_id = server.accounts()[0].user_id;
    let does = types::InlineButtonTypeCallback { requires_password: false, data: b"x"[..].into() };
    let buttons = vec![types::KeyboardInlineButton::new("Press", does)];
    let rows = vec![types::KeyboardInlineButtonRow { buttons }];
    let message = messages::SendMessage {
        reply_markup: Some(Box::new(types::ReplyInlineMarkup { force_reply: false, rows }.into())),
        ..messages::SendMessage::new(types::InputPeerUser { user_id, access_hash: 0 }, "Hello", 2)
    };
    bot.call(&message).await.unwrap();
    let history = messages::GetHistory {
        peer: peer.clone().into(),
        offset_id: 0,
        offset_date: 0,
        add_offset: 0,
        limit: 100,
        max_id: 0,
        min_id: 0,
        hash: 0,
    };
    let all = client.call(&history).await.unwrap();
    let enums::messages::Messages::Messages(all) = all else { panic!("{all:?}") };
    let enums::Message::Message(last) = &all.messages[0] else { panic!("{all:?}") };
    let press = messages::GetBotCallbackAnswer {
        data: Some(b"x"[..].into()),
        ..messages::GetBotCallbackAnswer::new(peer, last.id)
    };
    // The bot says nothing, for which it has ten seconds.
    let method = "messages.getBotCallbackAnswer";
    for (fault, seconds) in [(None, 10), (Some(Kind::DelayAnswer { seconds: 5.0 }), 15)] {
        if let Some(fault) = fault {
            faults.add(Fault::new(fault).method(method).once()).await.unwrap();
        }
        let began = Instant::now();
        client.refused(&press, errors::BOT_RESPONSE_TIMEOUT).await;
        assert_eq!(began.elapsed().as_secs(), seconds);
    }
    faults.add(Fault::new(Kind::LoseAnswer).method(method).once()).await.unwrap();
    let id = client.ask(&press);
    assert!(timeout(Duration::from_secs(12), client.answer(id)).await.is_err(), "it was lost");
    client.reconnect(server.connect().await.unwrap());
    assert!(client.answer(id).await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn answers_are_tampered_with() {
    let server = server(7).await;
    let faults = server.faults();
    let mut client = account(&server, 1).await;
    let whole = client.call_raw(account::GetWebAuthorizations.to_bytes()).await.unwrap();
    let unknown = 0xdead_c0de_u32.to_le_bytes();

    faults.add(Fault::new(Kind::UnknownConstructor { instead_of: None }).once()).await.unwrap();
    let answer = client.call_raw(account::GetWebAuthorizations.to_bytes()).await.unwrap();
    assert_eq!((&answer[..4], &answer[4..]), (&unknown[..], &whole[4..]));

    let nested = Kind::UnknownConstructor { instead_of: Some("webAuthorization".to_owned()) };
    faults.add(Fault::new(nested).once()).await.unwrap();
    let answer = client.call_raw(account::GetWebAuthorizations.to_bytes()).await.unwrap();
    let rows = types::account::WebAuthorizations::from_bytes(&whole).unwrap().authorizations.len();
    let count = |bytes: &[u8], id: [u8; 4]| bytes.chunks(4).filter(|word| **word == id).count();
    assert_eq!(count(&answer, unknown), rows);
    let real = types::WebAuthorization::CONSTRUCTOR.0.to_le_bytes();
    assert_eq!((count(&whole, real), count(&answer, real)), (rows, 0));

    faults.add(Fault::new(Kind::TruncateAnswer { bytes: 8 }).once()).await.unwrap();
    let answer = client.call_raw(account::GetWebAuthorizations.to_bytes()).await.unwrap();
    assert_eq!(answer, whole[..8]);
    assert_eq!(client.call_raw(account::GetWebAuthorizations.to_bytes()).await, Ok(whole));
}

#[tokio::test(start_paused = true)]
async fn an_order_that_makes_no_sense_is_refused_with_a_hint() {
    let server = server(8).await;
    let faults = server.faults();
    for fault in [
        Fault::new(Kind::HoldAcks).down(),
        Fault::new(Kind::Drop).method(WEB),
        Fault::new(internal()).exchange(true),
        Fault::new(Kind::Drop).every(0),
        Fault::new(Kind::Drop).times(0),
        Fault::new(Kind::Drop).chance(0.0, 1),
        Fault::new(Kind::Drop).chance(f64::NAN, 1),
        Fault::new(Kind::Drop).after(u64::MAX),
        Fault::new(Kind::Drop).lasting(Duration::ZERO),
        Fault::new(Kind::Delay { seconds: -1.0 }),
        Fault::new(Kind::TransportError { code: 404 }),
        Fault::new(Kind::BadMsg { code: 1 }),
        Fault::new(Kind::Slow { bytes_per_second: 0 }),
        Fault::new(Kind::Flood { seconds: 0, free: 0 }),
        Fault::new(Kind::RpcError { code: 1, text: String::new() }),
        Fault::new(Kind::UnknownConstructor { instead_of: Some("usr".to_owned()) }),
        Fault::new(Kind::RefuseConnections).on(Scope::user(1)),
        Fault::new(internal()).method("*a*b*c*d"),
    ] {
        let refused = faults.add(fault.clone()).await;
        let Err(Error::Fault(error)) = refused else { panic!("{fault:?} was taken") };
        assert!(!error.problem().is_empty() && !error.hint().is_empty());
    }
    let skewed = faults.act(Action::SkewClock { seconds: 1 }, Scope::user(1)).await;
    assert!(matches!(skewed, Err(Error::Fault(_))));
    let wrong = faults.act(Action::TransportError { code: 404 }, Scope::everything()).await;
    assert!(matches!(wrong, Err(Error::Fault(_))));
    assert_eq!(faults.list().await.unwrap(), []);
    server.shutdown().await.unwrap();
    assert!(matches!(faults.list().await, Err(Error::Stopped)));
}

#[tokio::test(start_paused = true)]
async fn sockets_are_refused_and_closed() {
    let server = server(9).await;
    let faults = server.faults();
    let mut client = account(&server, 1).await;
    let refuse = faults.add(Fault::new(Kind::RefuseConnections).once()).await.unwrap();
    let mut refused = Client::connect(&server, 2).await;
    let id = refused.ask(&help::GetConfig);
    assert!(refused.answer(id).await.is_none(), "closed");
    refused.reconnect(server.connect().await.unwrap());
    assert!(refused.answer(id).await.unwrap().is_ok());
    assert_eq!(struck(&faults, refuse).await, 1);

    for code in [None, Some(-404), Some(-429)] {
        let action = code.map_or(Action::Close, |code| Action::TransportError { code });
        let user = Scope::user(server.accounts()[0].user_id);
        assert_eq!(faults.act(action, user).await.unwrap(), 1);
        let id = refused.ask(&help::GetConfig);
        assert!(refused.answer(id).await.unwrap().is_ok(), "others go on");
        let id = client.ask(&help::GetConfig);
        assert!(client.answer(id).await.is_none(), "closed");
        client.reconnect(server.connect().await.unwrap());
        assert!(client.answer(id).await.unwrap().is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_black_hole_swallows_nothing_in_the_end() {
    let server = server(10).await;
    let faults = server.faults();
    let mut client = account(&server, 1).await;
    for kind in [Kind::BlackHole, Kind::StopReading] {
        let hole = faults.add(Fault::new(kind)).await.unwrap();
        let before = count(&faults, WEB).await.received;
        let id = client.ask(&account::GetWebAuthorizations);
        let nothing = timeout(Duration::from_secs(3), client.answer(id)).await;
        assert!(nothing.is_err(), "neither an answer nor the end: {nothing:?}");
        assert_eq!(count(&faults, WEB).await.received, before, "nothing was read");
        assert_eq!(struck(&faults, hole).await, 1);
        faults.remove(hole).await.unwrap();
        assert!(client.answer(id).await.unwrap().is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_socket_ends_behind_a_byte() {
    let server = server(11).await;
    let faults = server.faults();
    for (number, fault, executed) in [
        (1, Fault::new(Kind::CloseAfter { bytes: 30 }).up(), 0),
        (2, Fault::new(Kind::CloseAfter { bytes: 30 }).down(), 1),
        (3, Fault::new(Kind::CloseAfter { bytes: 30 }), 0),
    ] {
        let mut client = account(&server, number).await;
        let before = count(&faults, WEB).await.executed;
        let id = faults.add(fault.clone().once()).await.unwrap();
        let asked = client.ask(&account::GetWebAuthorizations);
        assert!(client.answer(asked).await.is_none(), "{fault:?}");
        assert_eq!(count(&faults, WEB).await.executed - before, executed, "{fault:?}");
        client.reconnect(server.connect().await.unwrap());
        assert!(client.answer(asked).await.unwrap().is_ok(), "{fault:?}");
        assert_eq!(count(&faults, WEB).await.executed - before, 1, "once in all");
        assert!(faults.remove(id).await.unwrap().unwrap().over);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_socket_takes_its_time() {
    let server = server(12).await;
    let faults = server.faults();
    let mut client = account(&server, 1).await;
    let slow = Fault::new(Kind::Slow { bytes_per_second: 100 });
    for fault in [slow.clone().up(), slow.clone().down(), slow] {
        let id = faults.add(fault.clone()).await.unwrap();
        let began = Instant::now();
        web(&mut client).await.unwrap();
        assert!(began.elapsed() > Duration::from_millis(900), "{:?}", began.elapsed());
        faults.remove(id).await.unwrap();
    }
    // What was on its way is through.
    web(&mut client).await.unwrap();
    let began = Instant::now();
    web(&mut client).await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_server_at_rest_says_so() {
    let server = server(13).await;
    let faults = server.faults();
    let mut client = account(&server, 1).await;
    faults.add(Fault::new(Kind::DelayAnswer { seconds: 30.0 }).once()).await.unwrap();
    let asked = client.ask(&account::GetWebAuthorizations);
    let nothing = timeout(Duration::from_secs(1), client.answer(asked)).await;
    assert!(nothing.is_err());
    assert!(timeout(Duration::from_secs(10), faults.idle()).await.is_err(), "an answer is late");
    let works = async {
        client.answer(asked).await.unwrap().unwrap();
        // It acknowledges when it listens on.
        client.update().await;
    };
    tokio::select! {
        rest = timeout(Duration::from_secs(300), faults.idle()) => rest.unwrap().unwrap(),
        () = works => panic!("nothing was to come"),
    }
    let state = faults.state().await.unwrap();
    assert_eq!((state.running, state.late_answers, state.late_packets), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn salts_sessions_and_clocks_change_under_a_client() {
    let server = server(14).await;
    let faults = server.faults();
    let mut client = account(&server, 1).await;
    for action in [
        Action::RotateSalts,
        Action::ForgetSessions,
        Action::DropAnswers,
        Action::SkewClock { seconds: 3_600 },
        Action::SkewClock { seconds: -3_600 },
        Action::SkewClock { seconds: 0 },
    ] {
        let touched = faults.act(action.clone(), Scope::everything()).await.unwrap();
        assert!(touched > 0, "{action:?}");
        assert_eq!(web(&mut client).await, Ok(()), "{action:?}");
    }
    let nobody = Scope::user(1);
    assert_eq!(faults.act(Action::ForgetSessions, nobody.clone()).await.unwrap(), 0);
    assert_eq!(faults.act(Action::RotateSalts, nobody).await.unwrap(), 0);
    let elsewhere = Scope::dc(server.dc_id() + 1);
    assert_eq!(faults.act(Action::RotateSalts, elsewhere).await.unwrap(), 0);
    assert_eq!(faults.act(Action::ExpireKeys, Scope::everything()).await.unwrap(), 0);
    let users = chappe_api::users::GetUsers { id: vec![enums::InputUser::InputUserSelf] };
    client.call(&users).await.unwrap();
}

/// Calls once under a fault; after a second without an answer, or when the socket is closed, goes
/// on over another one. Tells how long the answer took over the first.
async fn survives(server: &Handle, number: u8, fault: Fault) -> Option<Duration> {
    let faults = &server.faults();
    let mut client = account(server, number).await;
    let before = count(faults, WEB).await.executed;
    let id = faults.add(fault.clone()).await.unwrap();
    let asked = client.ask(&account::GetWebAuthorizations);
    let began = Instant::now();
    let first = timeout(Duration::from_secs(1), client.answer(asked)).await;
    let took = match first {
        Ok(Some(answer)) => {
            answer.unwrap();
            Some(began.elapsed())
        }
        Ok(None) | Err(_) => {
            client.reconnect(server.connect().await.unwrap());
            client.answer(asked).await.unwrap().unwrap();
            None
        }
    };
    assert!(struck(faults, id).await > 0, "{fault:?}");
    assert_eq!(count(faults, WEB).await.executed - before, 1, "{fault:?}");
    faults.remove(id).await.unwrap();
    web(&mut client).await.unwrap();
    took
}

#[tokio::test(start_paused = true)]
async fn packets_go_wrong_and_calls_are_answered_once() {
    let server = server(20).await;
    // Each client makes a key of its own.
    let mut numbers = 1..;
    let mut number = || numbers.next().unwrap();
    let user = Scope::user(server.accounts()[0].user_id);
    for kind in [
        Kind::Drop,
        Kind::Corrupt { bit: None },
        Kind::Corrupt { bit: Some(1_000) },
        Kind::Truncate { bytes: 32 },
        Kind::TransportError { code: -429 },
    ] {
        let fault = Fault::new(kind.clone()).on(user.clone()).once();
        let both = !matches!(kind, Kind::TransportError { .. });
        let faulty = if both { vec![fault.clone().up(), fault.down()] } else { vec![fault] };
        for fault in faulty {
            assert_eq!(survives(&server, number(), fault.clone()).await, None, "{fault:?}");
        }
    }
    for kind in [
        Kind::Duplicate,
        Kind::Delay { seconds: 0.25 },
        Kind::BadMsg { code: 48 },
        Kind::BadMsg { code: 16 },
        Kind::GzipEverything,
        Kind::AnswerTwice,
        Kind::AnnounceAnswers { above: 100 },
    ] {
        let fault = Fault::new(kind.clone()).on(user.clone()).once();
        let took = survives(&server, number(), fault).await;
        let late = matches!(kind, Kind::Delay { .. });
        assert_eq!(took, Some(Duration::from_millis(if late { 250 } else { 0 })), "{kind:?}");
    }
    // Nothing follows what waits to be swapped, so it comes a second late.
    let swapped = Fault::new(Kind::Reorder).on(user).up().once();
    survives(&server, number(), swapped).await;
}

#[tokio::test(start_paused = true)]
async fn key_exchanges_go_wrong_alone() {
    let server = server(21).await;
    let faults = server.faults();
    let mut client = account(&server, 1).await;
    let of_exchange = Fault::new(Kind::Drop).exchange(true);
    let id = faults.add(of_exchange).await.unwrap();
    let mut other = Client::connect(&server, 2).await;
    let asked = other.ask(&help::GetConfig);
    assert!(timeout(Duration::from_secs(1), other.answer(asked)).await.is_err());
    web(&mut client).await.unwrap();
    let installed = faults.remove(id).await.unwrap().unwrap();
    assert_eq!((installed.occasions, installed.struck), (1, 1));
    other.reconnect(server.connect().await.unwrap());
    other.answer(asked).await.unwrap().unwrap();

    let id = faults.add(Fault::new(Kind::DhGenRetry).times(2)).await.unwrap();
    let mut late = Client::connect(&server, 3).await;
    late.call(&help::GetConfig).await.unwrap();
    assert_eq!(struck(&faults, id).await, 2);
    let id = faults.add(Fault::new(Kind::DhGenFail).once()).await.unwrap();
    let mut refused = Client::connect(&server, 4).await;
    let refused = tokio::spawn(async move { refused.call(&help::GetConfig).await });
    assert!(refused.await.is_err(), "the exchange failed");
    assert_eq!(struck(&faults, id).await, 1);
    Client::connect(&server, 5).await.call(&help::GetConfig).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn sessions_and_acknowledgements_behave_strangely() {
    let server = server(22).await;
    let faults = server.faults();
    let twice = faults.add(Fault::new(Kind::DuplicateNewSession)).await.unwrap();
    let quick = faults.add(Fault::new(Kind::NoQuickAcks)).await.unwrap();
    let mut client = account(&server, 1).await;
    assert_eq!(struck(&faults, twice).await, 1);
    assert_eq!(struck(&faults, quick).await, 0, "this client asks for none");
    let held = faults.add(Fault::new(Kind::HoldAcks)).await.unwrap();
    faults.add(Fault::new(Kind::DelayAnswer { seconds: 5.5 }).once()).await.unwrap();
    web(&mut client).await.unwrap();
    assert!(struck(&faults, held).await >= 5, "each second that the request was not answered");
    assert_eq!(faults.clear().await.unwrap(), 4);
    web(&mut client).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn device_sessions_end_for_every_reason() {
    let server = server(23).await;
    let faults = server.faults();
    let mut other = stranger(&server, 9).await;
    let user = server.accounts()[0].user_id;
    let phone = Scope::phone(server.accounts()[0].phone.as_str());
    for (number, action, error, scope) in [
        (1, Action::Revoke, "401 SESSION_REVOKED", Scope::user(user)),
        (3, Action::DuplicateKeys, "406 AUTH_KEY_DUPLICATED", phone.clone()),
        (5, Action::Deactivate, "401 USER_DEACTIVATED", phone),
    ] {
        let mut one = account(&server, number).await;
        let mut two = account(&server, number + 1).await;
        assert_eq!(faults.act(action.clone(), Scope::user(1)).await.unwrap(), 0);
        web(&mut one).await.unwrap();
        assert_eq!(faults.act(action, scope).await.unwrap(), 2);
        for client in [&mut one, &mut two] {
            assert_eq!(web(client).await, Err(error.to_owned()));
        }
        web(&mut other).await.unwrap();
    }
    // One of two devices, by its key.
    let (mut one, mut two) = (account(&server, 7).await, account(&server, 8).await);
    let key = one.resume().key.id();
    assert_eq!(faults.act(Action::Revoke, Scope::auth_key(key)).await.unwrap(), 1);
    assert_eq!(web(&mut one).await, Err("401 SESSION_REVOKED".to_owned()));
    web(&mut two).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_fault_is_of_one_data_centre() {
    let server = crate::client::several(24).await;
    let faults = server.faults();
    let mut here = Client::connect_to(&server, 2, 1).await;
    let mut there = Client::connect_to(&server, 1, 2).await;
    for client in [&mut here, &mut there] {
        client.call(&help::GetConfig).await.unwrap();
    }
    let id = faults.add(Fault::new(internal()).on(Scope::dc(1))).await.unwrap();
    here.call(&help::GetConfig).await.unwrap();
    there.call(&help::GetConfig).await.unwrap_err();
    faults.remove(id).await.unwrap();
    let id = faults.add(Fault::new(Kind::Delay { seconds: 1.0 }).on(Scope::dc(1))).await.unwrap();
    for (client, took) in [(&mut here, 0), (&mut there, 2)] {
        let began = Instant::now();
        client.call(&help::GetConfig).await.unwrap();
        assert_eq!(began.elapsed(), Duration::from_secs(took), "there and back");
    }
    faults.remove(id).await.unwrap();
    assert_eq!(faults.act(Action::RotateSalts, Scope::dc(1)).await.unwrap(), 1);
    assert_eq!(faults.act(Action::Close, Scope::everything()).await.unwrap(), 2);
    let sessions = faults.state().await.unwrap().sessions;
    assert_eq!(sessions.iter().map(|session| session.dc).collect::<Vec<_>>(), [1, 2]);
    faults.add(Fault::new(Kind::RefuseConnections).on(Scope::dc(1))).await.unwrap();
    let mut refused = Client::connect_to(&server, 1, 3).await;
    let asked = refused.ask(&help::GetConfig);
    assert!(refused.answer(asked).await.is_none());
    Client::connect_to(&server, 2, 4).await.call(&help::GetConfig).await.unwrap();
}
