//! Sign-in by a token that another device accepts.

use bytes::Bytes;

use super::*;

fn export(except_ids: Vec<i64>) -> auth::ExportLoginToken {
    auth::ExportLoginToken { api_id: 1, api_hash: API_HASH.into(), except_ids }
}

fn accept(token: &Bytes) -> auth::AcceptLoginToken {
    auth::AcceptLoginToken { token: token.clone() }
}

fn import(token: &Bytes) -> auth::ImportLoginToken {
    auth::ImportLoginToken { token: token.clone() }
}

/// Asks for a token.
fn token(server: &mut Bench, caller: Caller, except_ids: Vec<i64>) -> types::auth::LoginToken {
    match server.call(caller, &export(except_ids)).unwrap() {
        enums::auth::LoginToken::LoginToken(token) => token,
        other => panic!("{other:?}"),
    }
}

/// Lets the owner of an account accept a token; who is told, and of which device session.
fn accepted(server: &mut Bench, by: Caller, token: &Bytes) -> (types::Authorization, Vec<Push>) {
    let Reply { result, pushes, .. } = server.raw(by, &accept(token).to_bytes());
    (types::Authorization::from_bytes(&result.unwrap()).unwrap(), pushes)
}

fn user_id(server: &Bench) -> i64 {
    server.world.demonstration_accounts().unwrap()[0].user_id
}

#[test]
fn another_device_lets_a_new_one_in() {
    let mut server = Bench::new();
    let (owner, new) = (server.demonstration(1), server.caller(2));
    let shown = token(&mut server, new, Vec::new());
    assert_eq!((shown.token.len(), shown.expires), (32, NOW + 30));
    server.refused(new, &me(), errors::AUTH_KEY_UNREGISTERED);

    let (device, pushes) = accepted(&mut server, owner, &shown.token);
    assert!(!device.current && !device.password_pending && device.hash != 0);
    assert_eq!((&*device.device_model, device.date_created), ("Desk", NOW));
    let [push] = &pushes[..] else { panic!("{pushes:?}") };
    assert_eq!((push.auth_key_id, push.session_id), (new.auth_key_id, new.session_id));
    let enums::Updates::UpdateShort(short) = enums::Updates::from_bytes(&push.body).unwrap() else {
        panic!("not a short update");
    };
    assert_eq!(short.update, enums::Update::LoginToken);

    // Not before it asks again.
    server.refused(new, &me(), errors::AUTH_KEY_UNREGISTERED);
    let reply = server.raw(new, &export(Vec::new()).to_bytes());
    let login = enums::auth::LoginToken::from_bytes(&reply.result.unwrap()).unwrap();
    let enums::auth::LoginToken::Success(success) = login else { panic!("{login:?}") };
    assert!(matches!(success.authorization, enums::auth::Authorization::Authorization(_)));
    assert_eq!(reply.pushes.len(), 1, "the first device hears of a new one");
    server.call(new, &me()).unwrap();
    let devices = server.call(owner, &account::GetAuthorizations).unwrap().authorizations;
    let other = devices.iter().find(|device| !device.current).unwrap();
    assert_eq!(other.hash, device.hash);

    server.refused(owner, &accept(&shown.token), errors::AUTH_TOKEN_ALREADY_ACCEPTED);
    server.refused(new, &import(&shown.token), errors::AUTH_TOKEN_ALREADY_ACCEPTED);
}

#[test]
fn a_token_is_good_for_half_a_minute() {
    let mut server = Bench::new();
    let (owner, new) = (server.demonstration(1), server.caller(2));
    let shown = token(&mut server, new, Vec::new());
    server.now += 29;
    assert!(matches!(
        server.call(new, &import(&shown.token)),
        Ok(enums::auth::LoginToken::LoginToken(same)) if same == shown
    ));
    server.now += 1;
    server.refused(owner, &accept(&shown.token), errors::AUTH_TOKEN_EXPIRED);
    server.refused(new, &import(&shown.token), errors::AUTH_TOKEN_EXPIRED);
    let next = token(&mut server, new, Vec::new());
    assert_ne!(next.token, shown.token);
    server.refused(owner, &accept(&shown.token), errors::AUTH_TOKEN_EXPIRED);
    // A picture of the last token is still good when a new one is shown.
    token(&mut server, new, Vec::new());
    accepted(&mut server, owner, &next.token);
    // Nor does the new device have for ever.
    server.now += 300;
    let late = token(&mut server, new, Vec::new());
    server.refused(new, &me(), errors::AUTH_KEY_UNREGISTERED);
    accepted(&mut server, owner, &late.token);
    assert!(matches!(
        server.call(new, &import(&late.token)),
        Ok(enums::auth::LoginToken::Success(_))
    ));
}

#[test]
fn tokens_that_cannot_be_are_refused() {
    let mut server = Bench::new();
    let (owner, new, other) = (server.demonstration(1), server.caller(2), server.caller(3));
    let shown = token(&mut server, new, Vec::new());
    for wrong in [Bytes::new(), Bytes::from_static(&[1; 32]), shown.token.slice(..31)] {
        server.refused(owner, &accept(&wrong), errors::AUTH_TOKEN_INVALIDX);
        server.refused(new, &import(&wrong), errors::AUTH_TOKEN_INVALID);
    }
    // Somebody else's token opens nothing, and reveals nothing.
    server.refused(other, &import(&shown.token), errors::AUTH_TOKEN_INVALID);
    server.refused(new, &accept(&shown.token), errors::AUTH_KEY_UNREGISTERED);
    let bot = server.bot(4);
    server.refused(bot, &accept(&shown.token), errors::BOT_METHOD_INVALID);
    server.refused(bot, &export(Vec::new()), errors::BOT_METHOD_INVALID);
    let unknown = auth::ExportLoginToken { api_id: 0, ..export(Vec::new()) };
    server.refused(new, &unknown, errors::API_ID_INVALID);
    server.refused(new, &export(vec![1; 101]), errors::LIMIT_INVALID);

    // Not to an account that the new device has already, nor by the device itself.
    let user_id = user_id(&server);
    let excepted = token(&mut server, new, vec![1, user_id]);
    server.refused(owner, &accept(&excepted.token), errors::AUTH_TOKEN_EXCEPTION);
    let own = token(&mut server, owner, Vec::new());
    server.refused(owner, &accept(&own.token), errors::AUTH_TOKEN_EXCEPTION);
}

#[test]
fn a_password_is_asked_for_all_the_same() {
    let mut server = Bench::new();
    let (owner, new) = (server.demonstration(1), server.caller(2));
    password::set(&mut server, owner, "first");

    let shown = token(&mut server, new, Vec::new());
    let (device, _) = accepted(&mut server, owner, &shown.token);
    assert!(device.password_pending);
    server.refused(new, &export(Vec::new()), errors::SESSION_PASSWORD_NEEDED);
    server.refused(new, &me(), errors::AUTH_KEY_UNREGISTERED);
    let password = password::prove(&mut server, new, "first");
    server.call(new, &auth::CheckPassword { password }).unwrap();
    server.call(new, &me()).unwrap();
    let devices = server.call(owner, &account::GetAuthorizations).unwrap().authorizations;
    let new = devices.iter().find(|other| other.hash == device.hash);
    // Whoever let it in need not be asked again.
    assert!(new.is_some_and(|new| !new.unconfirmed), "the session that was told of: {devices:?}");
}

#[test]
fn tokens_do_not_pile_up() {
    let mut server = Bench::new();
    let new = server.caller(1);
    let first = token(&mut server, new, Vec::new());
    for _ in 0..50 {
        server.now += 1;
        token(&mut server, new, Vec::new());
        server.now -= 1;
    }
    let owner = server.demonstration(2);
    server.refused(owner, &accept(&first.token), errors::AUTH_TOKEN_INVALIDX);
    assert_eq!(server.world.login_tokens(), 9);
    server.now += 400;
    token(&mut server, new, Vec::new());
    assert_eq!(server.world.login_tokens(), 1);
}

/// The device that let a new one in was told a hash, once: whoever comes back by a code is somebody
/// new.
#[test]
fn who_was_let_in_by_a_token_comes_back_as_anybody_else() {
    let mut server = Bench::new();
    let (owner, new) = (server.demonstration(1), server.caller(2));
    let shown = token(&mut server, new, Vec::new());
    let (device, _) = accepted(&mut server, owner, &shown.token);
    server.call(new, &export(Vec::new())).unwrap();
    server.call(new, &auth::LogOut).unwrap();
    let account = server.world.demonstration_accounts().unwrap().remove(0);
    server.sign_in(new, &account.phone, &account.code).unwrap();
    let devices = server.call(owner, &account::GetAuthorizations).unwrap().authorizations;
    let other = devices.iter().find(|device| !device.current).unwrap();
    assert_ne!(other.hash, device.hash);
    assert!(other.unconfirmed, "nobody let it in this time");
}
