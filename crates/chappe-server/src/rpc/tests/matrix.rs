//! Who may list and reset web authorizations, and what everybody else hears: every reason against
//! every method, as bytes.

use super::*;

/// The three methods, as a caller of our layer writes them.
fn calls(hash: i64) -> [(&'static str, Bytes); 3] {
    [
        (account::GetWebAuthorizations::NAME, account::GetWebAuthorizations.to_bytes()),
        (account::ResetWebAuthorization::NAME, account::ResetWebAuthorization { hash }.to_bytes()),
        (account::ResetWebAuthorizations::NAME, account::ResetWebAuthorizations.to_bytes()),
    ]
}

/// Each of the three is refused like this.
fn all_refused(server: &mut Bench, caller: Caller, hash: i64, name: ErrorName) {
    for (method, body) in calls(hash) {
        let refusal = server.raw(caller, &body).result.unwrap_err();
        assert_eq!(refusal, Failure::from(name), "{method}");
        assert_eq!(refusal.code, name.code, "{method}");
    }
}

#[test]
fn a_key_that_said_nothing_of_itself() {
    let mut server = Bench::new();
    let caller = server.key(1);
    all_refused(&mut server, caller, 4_457_235, errors::CONNECTION_NOT_INITED);
    // A layer alone introduces nobody.
    for (method, body) in calls(4_457_235) {
        let body = InvokeWithLayer { layer: LAYER, query: Raw(body) }.to_bytes();
        let refusal = server.raw(caller, &body).result.unwrap_err();
        assert_eq!(refusal, errors::CONNECTION_NOT_INITED.into(), "{method}");
    }
}

#[test]
fn nobody_and_whoever_is_no_longer_or_not_yet_signed_in() {
    let mut server = Bench::new();
    let nobody = server.caller(1);
    all_refused(&mut server, nobody, 4_457_235, errors::AUTH_KEY_UNREGISTERED);

    // The code is on its way, and then refused.
    let account = server.world.demonstration_accounts().unwrap().remove(0);
    server.send_code(nobody, &account.phone);
    all_refused(&mut server, nobody, 4_457_235, errors::AUTH_KEY_UNREGISTERED);
    server.sign_in(nobody, &account.phone, "00000").unwrap_err();
    all_refused(&mut server, nobody, 4_457_235, errors::AUTH_KEY_UNREGISTERED);

    let (former, other) = (server.demonstration(2), server.demonstration(3));
    server.call(former, &auth::LogOut).unwrap();
    all_refused(&mut server, former, 4_457_235, errors::AUTH_KEY_UNREGISTERED);

    let keeper = server.demonstration(4);
    server.now += DAY;
    server.call(keeper, &auth::ResetAuthorizations).unwrap();
    all_refused(&mut server, other, 4_457_235, errors::SESSION_REVOKED);
    assert!(server.web(keeper).iter().any(|row| row.hash == 4_457_235));
}

#[test]
fn a_bot() {
    let mut server = Bench::new();
    let bot = server.bot(1);
    for hash in [4_457_235, 0, 1] {
        all_refused(&mut server, bot, hash, errors::BOT_METHOD_INVALID);
    }
    // Not even the arguments of a bot are looked at.
    for (method, body) in calls(1) {
        let refusal = server.raw(bot, &body.slice(..4)).result.unwrap_err();
        assert_eq!(refusal, errors::BOT_METHOD_INVALID.into(), "{method}");
    }
}

#[test]
fn a_hash_that_is_not_the_callers() {
    let mut server = Bench::new();
    let (owner, stranger) = (server.demonstration(1), server.stranger(2));
    server.demonstration(3);
    let rows = server.web(owner);
    let devices = server.call(owner, &account::GetAuthorizations).unwrap().authorizations;
    let device = devices.iter().find(|device| !device.current).unwrap().hash;
    let reset = |hash| account::ResetWebAuthorization { hash };
    let used = rows[5].hash;
    assert!(server.call(owner, &reset(used)).unwrap());

    let mut heard = Vec::new();
    for hash in [0, 1, -1, i64::MIN, i64::MAX, device, used] {
        heard.push(server.call(owner, &reset(hash)).unwrap_err());
    }
    for hash in [0, 1, device, used].into_iter().chain(rows.iter().map(|row| row.hash)) {
        heard.push(server.call(stranger, &reset(hash)).unwrap_err());
    }
    // Word for word the same, whether it exists or not.
    assert!(heard.iter().all(|refusal| *refusal == errors::HASH_INVALID.into()), "{heard:?}");
    assert_eq!(errors::HASH_INVALID.code, 400);
    assert_eq!(server.web(owner), rows[..5]);

    // All of nobody's: that is well, and changes nothing for anybody else.
    assert!(server.call(stranger, &account::ResetWebAuthorizations).unwrap());
    assert_eq!(server.web(owner), rows[..5]);
}

#[test]
fn too_many_calls() {
    for (number, (method, body)) in (0..).zip(calls(1)) {
        let limit = Limit::new(method.to_owned(), 1, Duration::from_secs(30));
        let mut server = Bench::limited(vec![limit]);
        let owner = server.demonstration(1);
        // The first one counts, whether it was answered or refused.
        let _ = server.raw(owner, &body);
        server.now += 9;
        for (other, body) in (0..).zip(calls(1)) {
            let reply = server.raw(owner, &body.1).result;
            let flood = Failure::valued(errors::FLOOD_WAIT_X, 21);
            assert_eq!(reply == Err(flood.clone()), other == number, "{method}");
            assert_eq!((flood.code, &*flood.message), (420, "FLOOD_WAIT_21"));
        }
        server.now += 21;
        assert_ne!(server.raw(owner, &body).result.map_err(|refusal| refusal.code), Err(420));
    }
}

#[test]
fn on_behalf_of_a_business() {
    let mut server = Bench::new();
    for caller in [server.demonstration(1), server.bot(2)] {
        for (method, body) in calls(4_457_235) {
            let through =
                InvokeWithBusinessConnection { connection_id: "b".into(), query: Raw(body) };
            let refusal = server.raw(caller, &through.to_bytes()).result.unwrap_err();
            assert_eq!(refusal, errors::BUSINESS_CONNECTION_NOT_ALLOWED.into(), "{method}");
        }
    }
}

/// The account lives in this data centre: nobody is sent to another one, in no layer.
#[test]
fn in_every_layer_the_same_and_nobody_is_sent_away() {
    let mut server = Bench::new();
    let layers = Layers::new();
    for (number, layer) in (10..).zip(layers.held().collect::<Vec<_>>()) {
        let (nobody, owner) = (server.key(number), server.demonstration(1));
        let wrapped =
            |body: Bytes| InvokeWithLayer { layer, query: connection(Raw(body)) }.to_bytes();
        let [list, reset, _] = calls(1);
        let heard = server.raw(nobody, &wrapped(list.1.clone())).result.unwrap_err();
        assert_eq!((heard.code, &*heard.message), (401, "AUTH_KEY_UNREGISTERED"), "{layer}");
        let heard = server.raw(owner, &wrapped(reset.1)).result.unwrap_err();
        assert_eq!((heard.code, &*heard.message), (400, "HASH_INVALID"), "{layer}");
        server.raw(owner, &wrapped(list.1)).result.unwrap();
    }
}
