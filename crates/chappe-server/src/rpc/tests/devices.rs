//! Device sessions: what they are called, how long they live, who may end them.

use super::*;

fn list(server: &mut Bench, caller: Caller) -> Vec<types::Authorization> {
    server.call(caller, &account::GetAuthorizations).unwrap().authorizations
}

fn change(hash: i64) -> account::ChangeAuthorizationSettings {
    account::ChangeAuthorizationSettings::new(hash)
}

fn confirm(hash: i64) -> account::ChangeAuthorizationSettings {
    account::ChangeAuthorizationSettings { confirmed: true, ..change(hash) }
}

/// The one update that was pushed, of a new authorization; to whom.
fn told(pushes: &[Push]) -> (i64, types::UpdateNewAuthorization) {
    let [push] = pushes else { panic!("{pushes:?}") };
    let enums::Updates::UpdateShort(short) = enums::Updates::from_bytes(&push.body).unwrap() else {
        panic!("not a short update");
    };
    let enums::Update::NewAuthorization(update) = short.update else { panic!("{short:?}") };
    (push.auth_key_id, *update)
}

#[test]
fn a_new_session_is_confirmed_by_an_older_one() {
    let mut server = Bench::new();
    let first = server.demonstration(1);
    // There was nobody to confirm the first.
    assert!(!list(&mut server, first)[0].unconfirmed);
    let (second, third) = (server.demonstration(2), server.demonstration(3));
    let rows = list(&mut server, first);
    assert_eq!(rows.iter().map(|row| row.unconfirmed).collect::<Vec<_>>(), [false, true, true]);
    let own = list(&mut server, second);
    assert!(own[0].current && own[0].unconfirmed);

    let hash = rows[1].hash;
    for hash in [0, 1, -1] {
        server.refused(first, &confirm(hash), errors::HASH_INVALID);
    }
    let owner = if own.iter().any(|row| row.hash == hash) { third } else { second };
    server.refused(owner, &confirm(hash), errors::HASH_INVALID);
    let reply = server.raw(first, &confirm(hash).to_bytes());
    reply.result.unwrap();
    let asked: Vec<_> = reply.pushes.iter().map(|push| push.auth_key_id).collect();
    assert_eq!(asked.len(), 2, "both others hear of it, and not who did it");
    let (_, update) = told(&reply.pushes[..1]);
    assert_eq!((update.hash, update.unconfirmed, update.date), (hash, false, None));
    let unconfirmed = |server: &mut Bench| {
        let rows = list(server, first);
        rows.into_iter().filter(|row| row.unconfirmed).map(|row| row.hash).collect::<Vec<_>>()
    };
    let left = unconfirmed(&mut server);
    assert!(left.len() == 1 && left[0] != hash);
    server.now += 7 * DAY - 1;
    assert_eq!(unconfirmed(&mut server), left);
    server.now += 1;
    assert!(unconfirmed(&mut server).is_empty(), "by itself after a week");
}

#[test]
fn a_session_says_what_it_takes() {
    let mut server = Bench::new();
    let (first, second) = (server.demonstration(1), server.demonstration(2));
    let hash = list(&mut server, first)[1].hash;
    let both = account::ChangeAuthorizationSettings {
        encrypted_requests_disabled: Some(true),
        call_requests_disabled: Some(true),
        ..change(hash)
    };
    let reply = server.raw(first, &both.to_bytes());
    assert!(reply.result.is_ok() && reply.pushes.is_empty());
    let calls = account::ChangeAuthorizationSettings {
        call_requests_disabled: Some(false),
        ..change(hash)
    };
    assert!(server.call(first, &calls).unwrap());
    let secret_chats = account::ChangeAuthorizationSettings {
        encrypted_requests_disabled: Some(true),
        ..change(0)
    };
    assert!(server.call(first, &secret_chats).unwrap());
    let takes =
        |row: &types::Authorization| (row.encrypted_requests_disabled, row.call_requests_disabled);
    let rows = list(&mut server, second);
    assert_eq!(rows.iter().map(takes).collect::<Vec<_>>(), [(true, false), (true, false)]);
}

#[test]
fn sessions_that_are_not_used_end() {
    let mut server = Bench::new();
    let (first, idle) = (server.demonstration(1), server.demonstration(2));
    let bot = server.bot(3);
    let ttl = |days| account::SetAuthorizationTtl { authorization_ttl_days: days };
    for days in [0, -1, 367, i32::MIN] {
        server.refused(first, &ttl(days), errors::TTL_DAYS_INVALID);
    }
    server.refused(first, &ttl(7), errors::FRESH_RESET_AUTHORISATION_FORBIDDEN);
    server.now += DAY;
    server.call(idle, &me()).unwrap();
    assert!(server.call(first, &ttl(7)).unwrap());
    let answer = server.call(first, &account::GetAuthorizations).unwrap();
    assert_eq!((answer.authorization_ttl_days, answer.authorizations.len()), (7, 2));

    server.now += 6 * DAY;
    server.call(first, &me()).unwrap();
    server.now += DAY - 1;
    assert_eq!(list(&mut server, first).len(), 2);
    server.now += 1;
    let rows = list(&mut server, first);
    assert!(rows.len() == 1 && rows[0].current, "{rows:?}");
    server.refused(idle, &me(), errors::SESSION_EXPIRED);
    server.call(idle, &help::GetConfig).unwrap();
    // The key is good for a new sign-in; and bots have no such end.
    let account = server.world.demonstration_accounts().unwrap().remove(0);
    server.sign_in(idle, &account.phone, &account.code).unwrap();
    server.call(idle, &me()).unwrap();
    server.now += 400 * DAY;
    server.call(bot, &me()).unwrap();
    server.refused(first, &me(), errors::SESSION_EXPIRED);
}

#[test]
fn a_sign_in_that_owes_the_password_is_listed_and_ended() {
    let mut server = Bench::new();
    let owner = server.stranger(1);
    password::set(&mut server, owner, "first");
    let half = |server: &mut Bench, number| {
        let caller = server.caller(number);
        server.sign_in(caller, PHONE, "33333").unwrap_err();
        caller
    };
    let (second, third) = (half(&mut server, 2), half(&mut server, 3));
    let rows = list(&mut server, owner);
    let pending = |row: &types::Authorization| row.password_pending;
    assert_eq!(rows.iter().map(pending).collect::<Vec<_>>(), [false, true, true]);
    assert_eq!((&*rows[1].device_model, &*rows[1].ip), ("Desk", "127.0.0.1"));
    assert_eq!((rows[1].date_created, rows[1].date_active), (NOW, NOW));

    server.refused(owner, &confirm(rows[1].hash), errors::HASH_INVALID);
    let reset = account::ResetAuthorization { hash: rows[1].hash };
    server.refused(owner, &reset, errors::FRESH_RESET_AUTHORISATION_FORBIDDEN);
    server.now += DAY - 1;
    assert_eq!(list(&mut server, owner).len(), 3);
    server.now += 1;
    assert_eq!(list(&mut server, owner).len(), 1, "an attempt is news for a day");
    let fourth = half(&mut server, 4);
    let hash = list(&mut server, owner)[1].hash;
    assert!(server.call(owner, &account::ResetAuthorization { hash }).unwrap());
    let check = |server: &mut Bench, caller| {
        let password = password::prove(server, owner, "first");
        server.call(caller, &auth::CheckPassword { password }).unwrap_err()
    };
    assert_eq!(check(&mut server, fourth), errors::AUTH_KEY_UNREGISTERED.into());
    assert!(!server.call(fourth, &account::GetPassword).unwrap().has_password);
    server.call(owner, &auth::ResetAuthorizations).unwrap();
    for caller in [second, third] {
        assert_eq!(check(&mut server, caller), errors::AUTH_KEY_UNREGISTERED.into());
    }

    // Who gives the password keeps the name that it was listed with.
    let fifth = half(&mut server, 5);
    let hash = list(&mut server, owner)[1].hash;
    let password = password::prove(&mut server, fifth, "first");
    let reply = server.raw(fifth, &auth::CheckPassword { password }.to_bytes());
    reply.result.unwrap();
    let (whom, update) = told(&reply.pushes);
    assert_eq!((whom, update.hash, update.unconfirmed), (owner.auth_key_id, hash, true));
    let rows = list(&mut server, owner);
    assert_eq!((rows.len(), rows[1].hash, rows[1].password_pending), (2, hash, false));
}

#[test]
fn a_session_is_seen_where_it_was_last() {
    let mut server = Bench::new();
    let caller = server.demonstration(1);
    let moved = Caller { ip: "192.168.1.7".parse().unwrap(), ..caller };
    server.now += 60;
    server.call(moved, &me()).unwrap();
    let rows = list(&mut server, caller);
    assert_eq!((&*rows[0].ip, &*rows[0].country), ("192.168.1.7", "Local network"));
}

#[test]
fn an_account_says_how_long_it_waits_for_its_owner() {
    let mut server = Bench::new();
    let caller = server.demonstration(1);
    assert_eq!(server.call(caller, &account::GetAccountTtl).unwrap().days, 548);
    let set = |days| account::SetAccountTtl { ttl: types::AccountDaysTtl { days } };
    for days in [0, 29, 731] {
        server.refused(caller, &set(days), errors::TTL_DAYS_INVALID);
    }
    assert!(server.call(caller, &set(30)).unwrap());
    assert_eq!(server.call(caller, &account::GetAccountTtl).unwrap().days, 30);
}
