//! Several data centres: who is sent where, what is asked how often, and what becomes of the
//! others when one is in trouble.

use std::{sync::Arc, time::Duration};

use chappe::{
    CallOptions, Client, ConnectionState, Encode, Error, Function, SignIn,
    api::{auth, enums, errors, help, types, users},
    session::{Memory, Session, Store},
};
use chappe_server::{
    Server,
    faults::{self, Action, Fault, Migration, Scope},
};
use chappe_tl::ErrorName;
use tokio::{task::JoinHandle, time::Instant};

use crate::{
    centres::Centres,
    telegram::{API_HASH, API_ID, client_of, code, done, sign_in},
};

const ME: users::GetUsers = users::GetUsers { id: Vec::new() };

/// Makes the same call so often at once.
fn crowd<F>(
    count: usize,
    client: &Client,
    dc_id: Option<i32>,
    call: F,
) -> Vec<JoinHandle<Result<F::Return, Error>>>
where
    F: Function + Clone + Send + Sync + 'static,
    F::Return: Send,
{
    let options = dc_id.map_or_else(CallOptions::new, |dc_id| CallOptions::new().dc(dc_id));
    (0..count)
        .map(|_| {
            let (client, call) = (client.clone(), call.clone());
            tokio::spawn(async move { client.with(options).invoke(&call).await })
        })
        .collect()
}

async fn where_is(client: &Client, options: CallOptions) -> i32 {
    client.with(options).invoke(&help::GetNearestDc).await.unwrap().this_dc
}

fn kept(store: &Memory) -> Session {
    store.load().unwrap().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_moves_to_the_accounts_home_and_stays_there() {
    let centres = Centres::new(4);
    let store = Arc::new(Memory::new());
    let client = centres.connect(centres.builder().session(Arc::clone(&store))).await.unwrap();
    assert_eq!((client.dc_id(), kept(&store).dc_id()), (2, 2));
    let step = code(client.sign_in_phone("+999664 0001").await.unwrap());
    assert_eq!(centres.heard::<auth::SendCode>(), [2, 4]);
    assert_eq!((client.dc_id(), kept(&store).dc_id()), (4, 4));
    assert_eq!(done(step.submit("44444").await).id, 7);
    assert_eq!(centres.heard::<auth::SignIn>(), [4]);
    assert_eq!(client.state(), ConnectionState::Connected);
    client.close().await.unwrap();

    // The address that is given is still that of 2, but it is not dialled any more.
    let before = centres.dialled().len();
    let client = centres.connect(centres.builder().session(Arc::clone(&store))).await.unwrap();
    assert_eq!(client.invoke(&ME).await.unwrap().len(), 1);
    assert_eq!(client.dc_id(), 4);
    assert_eq!(centres.dialled()[before..], ["127.0.0.4:443"]);
    assert!(centres.heard::<auth::ExportAuthorization>().is_empty());
}

/// Waits until all that can happen without time passing has happened.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn whatever_step_is_sent_elsewhere_is_done_there() {
    for name in ["NETWORK_MIGRATE_3", "PHONE_MIGRATE_3", "USER_MIGRATE_3"] {
        // The code.
        let centres = Centres::new(3);
        let client = centres.connect(centres.builder()).await.unwrap();
        centres.refuse::<auth::SendCode>(2, 303, name);
        let step = code(client.sign_in_phone("+999663 0001").await.unwrap());
        assert_eq!((centres.heard::<auth::SendCode>(), client.dc_id()), (vec![2, 3], 3), "{name}");
        // The sign-in itself.
        centres.live_at(1);
        centres.refuse::<auth::SignIn>(3, 303, &name.replace('3', "1"));
        done(step.submit("33333").await);
        assert_eq!((centres.heard::<auth::SignIn>(), client.dc_id()), (vec![3, 1], 1), "{name}");
        assert!(centres.heard::<auth::ExportAuthorization>().is_empty());

        // A bot's.
        let centres = Centres::new(2);
        let client = centres.connect(centres.builder()).await.unwrap();
        centres.refuse::<auth::ImportBotAuthorization>(2, 303, name);
        centres.live_at(3);
        client.sign_in_bot("7:token").await.unwrap();
        assert_eq!(centres.heard::<auth::ImportBotAuthorization>(), [2, 3]);
        assert_eq!(client.dc_id(), 3, "{name}");

        // A call of somebody who is signed in, and stays so.
        centres.refuse::<users::GetUsers>(3, 303, &name.replace('3', "4"));
        assert!(client.me().await.unwrap().is_some());
        assert_eq!((centres.heard::<users::GetUsers>(), client.dc_id()), (vec![3, 4], 4));
        assert_eq!(centres.heard::<auth::ExportAuthorization>(), [3]);
        assert_eq!(centres.heard::<auth::ImportAuthorization>(), [4]);
        assert!(client.me().await.unwrap().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn many_calls_that_are_sent_elsewhere_move_once() {
    let centres = Centres::new(2);
    let client = centres.signed_in(centres.builder()).await;
    for _ in 0..100 {
        centres.refuse::<help::GetNearestDc>(2, 303, "USER_MIGRATE_3");
    }
    for call in crowd(100, &client, None, help::GetNearestDc) {
        assert_eq!(call.await.unwrap().unwrap().this_dc, 3);
    }
    assert_eq!(client.dc_id(), 3);
    assert_eq!(centres.heard::<auth::ExportAuthorization>(), [2]);
    assert_eq!(centres.heard::<auth::ImportAuthorization>(), [3]);
    settle().await;
    assert_eq!((centres.open(2), centres.open(3)), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn updates_and_states_are_those_of_the_home() {
    let centres = Centres::new(2);
    let client = centres.signed_in(centres.builder()).await;
    let mut updates = client.updates();
    where_is(&client, CallOptions::new().dc(3)).await;
    centres.refuse::<help::GetNearestDc>(2, 303, "USER_MIGRATE_3");
    assert_eq!(where_is(&client, CallOptions::new()).await, 3);
    where_is(&client, CallOptions::new().dc(2)).await;
    for dc_id in [2, 3] {
        let short = types::UpdateShort { update: enums::Update::PtsChanged, date: dc_id };
        centres.push(dc_id, enums::Updates::from(short).to_bytes());
    }
    let Some(enums::Updates::UpdateShort(short)) = updates.next().await.unwrap() else {
        panic!("no update")
    };
    assert_eq!(short.date, 3);
    // What becomes of another data centre is nobody's business.
    let known = client.state();
    centres.forget(2);
    settle().await;
    assert_eq!(client.state(), known);
    centres.hole(3, true);
    centres.forget(3);
    assert_ne!(client.state_changed(known).await, known);
    client.close().await.unwrap();
    assert!(updates.next().await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn files_and_statistics_are_asked_for_elsewhere_and_nothing_else_is() {
    let centres = Centres::new(2);
    let client = centres.signed_in(centres.builder()).await;
    for (name, there, is_file) in [("FILE_MIGRATE_4", 4, true), ("STATS_MIGRATE_3", 3, false)] {
        centres.refuse::<help::GetNearestDc>(2, 303, name);
        assert_eq!(where_is(&client, CallOptions::new()).await, there);
        let body = centres.bodies::<help::GetNearestDc>().pop().unwrap();
        let quiet = body.windows(4).any(|id| id == 0xbf94_59b7_u32.to_le_bytes());
        assert_eq!(quiet, is_file, "{name}");
        assert_eq!(client.dc_id(), 2);
        assert_eq!(where_is(&client, CallOptions::new()).await, 2);
    }
    // Files have a connection and an address of their own, but not a key.
    assert!(centres.dialled().contains(&"127.0.0.4:444".to_owned()));
    assert_eq!(centres.open(4), 2);
    assert_eq!(centres.heard::<auth::ExportAuthorization>(), [2, 2]);
    assert_eq!(where_is(&client, CallOptions::new().media()).await, 2);
    assert_eq!(centres.open(2), 2);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_calls_to_another_data_centre_export_once() {
    let centres = Centres::new(2);
    let store = Arc::new(Memory::new());
    let client = centres.signed_in(centres.builder().session(Arc::clone(&store))).await;
    for call in crowd(100, &client, Some(4), ME) {
        assert_eq!(call.await.unwrap().unwrap().len(), 1);
    }
    assert_eq!(centres.heard::<auth::ExportAuthorization>(), [2]);
    assert_eq!(centres.heard::<auth::ImportAuthorization>(), [4]);
    assert_eq!(client.invoke_on(3, &ME).await.unwrap().len(), 1);
    client.close().await.unwrap();
    assert_eq!(kept(&store).dc_ids().collect::<Vec<_>>(), [2, 3, 4]);

    // Nor does the next process.
    let client = centres.connect(centres.builder().session(Arc::clone(&store))).await.unwrap();
    for dc_id in [4, 3, 2] {
        assert_eq!(client.invoke_on(dc_id, &ME).await.unwrap().len(), 1);
    }
    assert_eq!(centres.heard::<auth::ExportAuthorization>(), [2, 2]);
}

#[tokio::test(start_paused = true)]
async fn before_a_sign_in_nothing_is_exported() {
    let centres = Centres::new(2);
    let client = centres.connect(centres.builder()).await.unwrap();
    assert_eq!(where_is(&client, CallOptions::new().dc(4)).await, 4);
    let error = client.invoke_on(4, &ME).await.unwrap_err();
    assert!(error.is(errors::AUTH_KEY_UNREGISTERED), "{error}");
    assert!(centres.heard::<auth::ExportAuthorization>().is_empty());
    assert_eq!(client.state(), ConnectionState::Connected);
}

#[tokio::test(start_paused = true)]
async fn a_failed_import_fails_those_who_wait_and_is_tried_again_by_the_next() {
    let centres = Centres::new(2);
    let client = centres.signed_in(centres.builder()).await;
    centres.refuse::<auth::ImportAuthorization>(4, 400, "USER_ID_INVALID");
    for call in crowd(20, &client, Some(4), ME) {
        let error = call.await.unwrap().unwrap_err();
        assert!(error.is(errors::USER_ID_INVALID), "{error}");
    }
    assert_eq!(centres.heard::<auth::ImportAuthorization>(), [4]);
    assert!(client.invoke_on(4, &ME).await.is_ok());

    // Bytes that grew too old are no failure, nor is a server that has a bad moment.
    centres.refuse::<auth::ImportAuthorization>(3, 400, "AUTH_BYTES_INVALID");
    centres.refuse::<auth::ImportAuthorization>(3, 500, "RPC_CALL_FAIL");
    assert!(client.invoke_on(3, &ME).await.is_ok());
    assert_eq!(centres.heard::<auth::ExportAuthorization>().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_import_that_was_lost_is_no_sign_out() {
    let centres = Centres::new(2);
    let client = centres.signed_in(centres.builder()).await;
    client.invoke_on(4, &ME).await.unwrap();
    for round in 2..4 {
        centres.sign_out(4);
        for call in crowd(50, &client, Some(4), ME) {
            call.await.unwrap().unwrap();
        }
        assert_eq!(centres.heard::<auth::ExportAuthorization>().len(), round);
    }
    // A server that forgets at once is not asked without end.
    for _ in 0..2 {
        centres.refuse::<users::GetUsers>(4, 401, "AUTH_KEY_UNREGISTERED");
    }
    let error = client.invoke_on(4, &ME).await.unwrap_err();
    assert!(error.is(errors::AUTH_KEY_UNREGISTERED), "{error}");
    assert_eq!(client.state(), ConnectionState::Connected);
    assert!(client.me().await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_does_not_undo_a_new_import() {
    let centres = Centres::new(2);
    let client = centres.signed_in(centres.builder()).await;
    client.invoke_on(4, &ME).await.unwrap();
    centres.sign_out(4);
    centres.hold::<users::GetUsers>(4);
    let late = crowd(1, &client, Some(4), ME);
    settle().await;
    // Meanwhile another call finds out, and has it mended.
    centres.refuse::<help::GetNearestDc>(4, 401, "AUTH_KEY_UNREGISTERED");
    assert_eq!(where_is(&client, CallOptions::new().dc(4)).await, 4);
    centres.release(4);
    for call in late {
        assert_eq!(call.await.unwrap().unwrap().len(), 1);
    }
    assert_eq!(centres.heard::<auth::ExportAuthorization>().len(), 2);
}

/// By the transport (-404), by an answer, and while no connection is there.
#[tokio::test(start_paused = true)]
async fn a_key_that_another_data_centre_lost_is_made_anew() {
    let centres = Centres::new(2);
    let store = Arc::new(Memory::new());
    let client = centres.signed_in(centres.builder().session(Arc::clone(&store))).await;
    client.invoke_on(4, &ME).await.unwrap();
    centres.sign_out(4);
    centres.forget(4);
    tokio::time::sleep(Duration::from_secs(60)).await;
    client.invoke_on(4, &ME).await.unwrap();
    assert_eq!(centres.heard::<auth::ExportAuthorization>().len(), 2);

    centres.sign_out(4);
    centres.refuse::<users::GetUsers>(4, 406, "AUTH_KEY_DUPLICATED");
    client.invoke_on(4, &ME).await.unwrap();
    assert_eq!(centres.heard::<auth::ExportAuthorization>().len(), 3);
    assert_eq!(client.state(), ConnectionState::Connected);
    client.close().await.unwrap();

    centres.sign_out(4);
    centres.forget(4);
    let client = centres.connect(centres.builder().session(Arc::clone(&store))).await.unwrap();
    client.invoke_on(4, &ME).await.unwrap();
    assert_eq!(centres.heard::<auth::ExportAuthorization>().len(), 4);
    assert!(client.me().await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn one_black_hole_holds_up_nobody_else() {
    let centres = Centres::new(2);
    let client = centres.signed_in(centres.builder()).await;
    centres.hole(4, true);
    let begin = Instant::now();
    let lost = crowd(10, &client, Some(4), ME);
    settle().await;
    for dc_id in [2, 3, 1, 2] {
        assert_eq!(where_is(&client, CallOptions::new().dc(dc_id)).await, dc_id);
    }
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    for call in lost {
        let error = call.await.unwrap().unwrap_err();
        let Error::Network(error) = error else { panic!("{error}") };
        assert!(error.to_string().contains("data centre 4"), "{error}");
    }
    assert!(begin.elapsed() < Duration::from_secs(11), "{:?}", begin.elapsed());
    assert_eq!(client.state(), ConnectionState::Connected);
    centres.hole(4, false);
    client.invoke_on(4, &ME).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn closing_ends_all_connections_also_one_that_is_being_dialled() {
    let centres = Centres::new(2);
    let client = centres.signed_in(centres.builder()).await;
    client.invoke_on(3, &ME).await.unwrap();
    where_is(&client, CallOptions::new().dc(3).media()).await;
    centres.hole(4, true);
    let calls = crowd(3, &client, Some(4), ME);
    centres.refuse::<help::GetNearestDc>(2, 303, "USER_MIGRATE_4");
    let moves = crowd(1, &client, None, help::GetNearestDc);
    settle().await;
    assert_eq!((centres.open(2), centres.open(3)), (1, 2));
    let begin = Instant::now();
    client.close().await.unwrap();
    assert!(begin.elapsed() < Duration::from_millis(10), "{:?}", begin.elapsed());
    for call in calls {
        assert!(matches!(call.await.unwrap(), Err(Error::Closed)));
    }
    for call in moves {
        assert!(matches!(call.await.unwrap(), Err(Error::Closed)));
    }
    let dials = centres.dialled().len();
    assert!(matches!(client.invoke_on(3, &ME).await, Err(Error::Closed)));
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!((centres.open(2), centres.open(3), centres.open(4)), (0, 0, 0));
    assert_eq!(centres.dialled().len(), dials);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_ends_all_connections() {
    let centres = Centres::new(2);
    let client = centres.signed_in(centres.builder()).await;
    for dc_id in [1, 3, 4] {
        client.invoke_on(dc_id, &ME).await.unwrap();
    }
    drop(client);
    settle().await;
    assert!((1..=4).all(|dc_id| centres.open(dc_id) == 0));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_nobody_needs_is_closed_and_comes_back() {
    let centres = Centres::new(2);
    let client = centres.signed_in(centres.builder()).await;
    client.invoke_on(4, &ME).await.unwrap();
    tokio::time::sleep(Duration::from_secs(299)).await;
    assert_eq!(centres.open(4), 1);
    client.invoke_on(4, &ME).await.unwrap();
    tokio::time::sleep(Duration::from_secs(299)).await;
    assert_eq!(centres.open(4), 1);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((centres.open(4), centres.open(2)), (0, 1));
    client.invoke_on(4, &ME).await.unwrap();
    assert_eq!(centres.heard::<auth::ExportAuthorization>().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_sent_round_in_circles_fails_with_what_was_said_last() {
    fn check(error: &Error, name: ErrorName, value: i64) {
        assert!(error.is(name), "{error}");
        assert_eq!(error.rpc().unwrap().value, Some(value));
    }
    let centres = Centres::new(2);
    let client = centres.signed_in(centres.builder()).await;
    centres.refuse::<help::GetNearestDc>(2, 303, "FILE_MIGRATE_4");
    centres.refuse::<help::GetNearestDc>(4, 303, "FILE_MIGRATE_2");
    let error = client.invoke(&help::GetNearestDc).await.unwrap_err();
    check(&error, errors::FILE_MIGRATE_X, 2);
    for (nowhere, name) in [(9, "FILE_MIGRATE_9"), (203, "FILE_MIGRATE_203"), (2, "FILE_MIGRATE_2")]
    {
        centres.refuse::<help::GetNearestDc>(2, 303, name);
        let error = client.invoke(&help::GetNearestDc).await.unwrap_err();
        check(&error, errors::FILE_MIGRATE_X, nowhere);
    }
    centres.refuse::<help::GetNearestDc>(2, 303, "PHONE_MIGRATE_4");
    centres.refuse::<help::GetNearestDc>(4, 303, "PHONE_MIGRATE_2");
    let error = client.invoke(&help::GetNearestDc).await.unwrap_err();
    check(&error, errors::PHONE_MIGRATE_X, 2);
    assert!(error.explain().unwrap().contains("data centre 2"), "{error}");
    // Whoever names the place of a call is not moved.
    centres.refuse::<help::GetNearestDc>(3, 303, "USER_MIGRATE_1");
    let error = client.invoke_on(3, &help::GetNearestDc).await.unwrap_err();
    check(&error, errors::USER_MIGRATE_X, 1);
    assert_eq!(client.dc_id(), 4);
    assert_eq!(where_is(&client, CallOptions::new()).await, 4);
}

#[tokio::test(start_paused = true)]
async fn a_home_that_cannot_be_reached_is_not_moved_to() {
    let centres = Centres::new(2);
    let store = Arc::new(Memory::new());
    let client = centres.signed_in(centres.builder().session(Arc::clone(&store))).await;
    centres.hole(4, true);
    centres.refuse::<help::GetNearestDc>(2, 303, "USER_MIGRATE_4");
    let error = client.invoke(&help::GetNearestDc).await.unwrap_err();
    assert!(matches!(error, Error::Network(_)), "{error}");
    // Nor one that does not take who is signed in.
    centres.hole(4, false);
    centres.refuse::<help::GetNearestDc>(2, 303, "USER_MIGRATE_4");
    centres.refuse::<auth::ImportAuthorization>(4, 400, "USER_ID_INVALID");
    let error = client.invoke(&help::GetNearestDc).await.unwrap_err();
    assert!(error.is(errors::USER_ID_INVALID), "{error}");
    assert_eq!((client.dc_id(), kept(&store).dc_id()), (2, 2));
    assert_eq!(where_is(&client, CallOptions::new()).await, 2);
}

#[tokio::test(start_paused = true)]
async fn signing_out_leaves_no_key_of_another_data_centre() {
    let centres = Centres::new(2);
    let store = Arc::new(Memory::new());
    let client = centres.signed_in(centres.builder().session(Arc::clone(&store))).await;
    client.invoke_on(4, &ME).await.unwrap();
    client.sign_out().await.unwrap();
    assert!(store.load().unwrap().is_none());
    settle().await;
    assert_eq!((centres.open(4), centres.open(2)), (0, 1));
    assert!(client.invoke_on(4, &ME).await.is_err());
    client.sign_in_bot("7:token").await.unwrap();
    client.invoke_on(4, &ME).await.unwrap();
    assert_eq!(centres.heard::<auth::ExportAuthorization>().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_the_server_says_of_its_addresses_is_known() {
    let centres = Centres::new(2);
    let client = centres.connect(centres.builder()).await.unwrap();
    assert_eq!(client.dcs().len(), 1);
    where_is(&client, CallOptions::new()).await;
    settle().await;
    let known = client.dcs();
    assert!(known.iter().any(|option| option.dc_id == 4 && option.media_only));
    assert!(known.iter().any(|option| option.dc_id == 203 && option.cdn));
    assert_eq!(known[0].address, "127.0.0.2:443");
    for nowhere in [203, 9, 0, -4] {
        let error = client.invoke_on(nowhere, &help::GetNearestDc).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error}");
    }
    assert!(!centres.dialled().iter().any(|address| address.contains("203")));
}

/// The program gives the address of 2, the account lives at 4, which has moved meanwhile.
#[tokio::test(start_paused = true)]
async fn a_home_that_moved_is_asked_for_where_the_program_says() {
    let centres = Centres::new(4);
    let store = Arc::new(Memory::new());
    let client = centres.signed_in(centres.builder().session(Arc::clone(&store))).await;
    assert_eq!(client.dc_id(), 4);
    client.close().await.unwrap();
    assert_eq!(kept(&store).address(), "127.0.0.4:443");
    centres.close("127.0.0.4:443");
    let client = centres.connect(centres.builder().session(Arc::clone(&store))).await.unwrap();
    assert!(client.me().await.unwrap().is_some());
    assert_eq!(client.state(), ConnectionState::Connected);
    client.close().await.unwrap();
    assert_eq!(kept(&store).address(), "127.0.0.4:446");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_may_have_run_is_not_repeated_with_a_new_key() {
    let centres = Centres::new(2);
    let client = centres.signed_in(centres.builder()).await;
    client.invoke_on(4, &ME).await.unwrap();
    // The socket is cut, and the key is gone, while a call waits for its answer.
    centres.hole(4, true);
    let call = crowd(1, &client, Some(4), ME);
    centres.forget(4);
    settle().await;
    centres.hole(4, false);
    for call in call {
        let error = call.await.unwrap().unwrap_err();
        assert!(matches!(error, Error::Lost(_)), "{error}");
    }
    client.invoke_on(4, &ME).await.unwrap();
}

/// The local Telegram as three data centres, over sockets: nobody there does what a script says.
#[tokio::test]
async fn a_number_of_another_data_centre_signs_up_there_and_is_known_everywhere() {
    let server = Server::builder().in_memory().seed(1).dcs(3).start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("me.session");
    let client = client_of(&server).session(&path).connect().await.unwrap();
    assert_eq!(client.dc_id(), 2);
    let step = code(client.sign_in_phone("+99966 3 0042").await.unwrap());
    let SignIn::SignUp(step) = step.submit("33333").await.unwrap() else { panic!("an account") };
    let user = done(step.submit("Ada", "Lovelace").await);
    assert_eq!((client.dc_id(), where_is(&client, CallOptions::new()).await), (3, 3));
    for dc_id in [1, 2, 3] {
        let me = users::GetUsers { id: vec![enums::InputUser::InputUserSelf] };
        let [enums::User::User(found)] = &client.invoke_on(dc_id, &me).await.unwrap()[..] else {
            panic!("nobody")
        };
        assert_eq!(found.id, user.id);
        let there = CallOptions::new().dc(dc_id).media();
        assert_eq!(where_is(&client, there).await, dc_id);
    }
    assert!(client.dcs().iter().any(|option| option.dc_id == 1));
    client.close().await.unwrap();

    // The next process is given the address of another data centre, as the first one was.
    let client = client_of(&server).session(&path).connect().await.unwrap();
    assert_eq!((client.dc_id(), client.me().await.unwrap().unwrap().id), (3, user.id));
    client.sign_out().await.unwrap();
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_session_of_one_data_centre_is_asked_for_another_one() {
    let server = Server::builder().in_memory().seed(1).dcs(3).start().await.unwrap();
    let store = Arc::new(Memory::new());
    let client = client_of(&server).session(Arc::clone(&store)).connect().await.unwrap();
    client.close().await.unwrap();
    let error = client_of(&server).dc(3).session(store).connect().await.unwrap_err();
    assert!(error.to_string().contains("data centre 2, not 3"), "{error}");
    // A way that leads to one data centre only tells of the others.
    let pem = server.public_key_pem().to_owned();
    let address = server.address();
    let builder = Client::builder(API_ID, API_HASH).server(address, &pem).unwrap();
    let client =
        builder.connect_with(move || tokio::net::TcpStream::connect(address)).await.unwrap();
    let error = client.sign_in_phone("+99966 3 0042").await.unwrap_err();
    assert!(error.is(errors::PHONE_MIGRATE_X), "{error}");
    assert_eq!(client.dc_id(), 2);
}

/// What the local Telegram can do on purpose does no more harm than what a script can.
#[tokio::test]
async fn trouble_that_was_ordered_at_another_data_centre_stays_there() {
    let server = Server::builder().in_memory().seed(1).dcs(3).start().await.unwrap();
    let orders = server.faults();
    let client = client_of(&server).connect().await.unwrap();
    sign_in(&client, &server).await;
    let me = users::GetUsers { id: vec![enums::InputUser::InputUserSelf] };
    for call in crowd(100, &client, Some(1), me.clone()) {
        assert_eq!(call.await.unwrap().unwrap().len(), 1);
    }
    let exports =
        async || orders.calls().await.unwrap().methods["auth.exportAuthorization"].executed;
    assert_eq!(exports().await, 1);
    assert!(orders.act(Action::DuplicateKeys, Scope::dc(1)).await.unwrap() > 0);
    assert_eq!(client.invoke_on(1, &me).await.unwrap().len(), 1);
    assert_eq!(exports().await, 2);

    let to_3 = Fault::new(faults::Kind::Migrate { what: Migration::File, dc: 3 });
    orders.add(to_3.method("help.getNearestDc").on(Scope::dc(2)).times(2)).await.unwrap();
    assert_eq!(where_is(&client, CallOptions::new()).await, 3);
    assert_eq!(where_is(&client, CallOptions::new()).await, 3);
    assert_eq!(where_is(&client, CallOptions::new()).await, 2);
    assert_eq!(exports().await, 3);

    let to_3 = Fault::new(faults::Kind::Migrate { what: Migration::User, dc: 3 });
    orders.add(to_3.method("help.getNearestDc").on(Scope::dc(2)).once()).await.unwrap();
    assert_eq!(where_is(&client, CallOptions::new()).await, 3);
    assert_eq!(client.dc_id(), 3);
    assert_eq!(client.me().await.unwrap().unwrap().id, server.accounts()[0].user_id);
    assert_eq!(client.state(), ConnectionState::Connected);
    client.close().await.unwrap();
    orders.idle().await.unwrap();
    server.shutdown().await.unwrap();
}
