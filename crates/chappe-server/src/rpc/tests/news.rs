//! What sessions are told of what happened, and of what did not.

use super::*;

/// Something to tell, of which every layer knows.
const UPDATE: enums::Update = enums::Update::Config;

fn receivers(pushes: &[Push]) -> Vec<Caller> {
    let callers = pushes.iter().map(|push| Caller {
        auth_key_id: push.auth_key_id,
        dc: 2,
        session_id: push.session_id,
        ip: Ipv4Addr::LOCALHOST.into(),
    });
    callers.collect()
}

#[test]
fn what_was_undone_is_told_to_nobody() {
    let mut server = Bench::new();
    let owner = server.demonstration(1);
    let user_id = server.world.demonstration_accounts().unwrap().remove(0).user_id;
    let mut tell = |stop: Option<Stop>| {
        let result = server.world.transaction(|world| {
            world.tell(NOW, user_id, UPDATE)?;
            stop.map_or(Ok(()), Err)
        });
        (result.is_ok(), receivers(&deliver(&mut server.world)))
    };
    assert_eq!(tell(None), (true, vec![owner]));
    assert_eq!(tell(Some(Stop::Undone)), (false, vec![]));
    assert_eq!(tell(Some(rusqlite::Error::InvalidQuery.into())), (false, vec![]));
    // What was refused by the rules is kept, and so is what it told.
    assert_eq!(tell(Some(errors::METHOD_INVALID.into())), (false, vec![owner]));
    assert_eq!(deliver(&mut server.world), [], "told once");
}

#[test]
fn who_asks_has_the_answer_and_is_told_only_what_is_not_in_it() {
    let mut server = Bench::new();
    let (owner, second) = (server.demonstration(1), server.demonstration(2));
    let silent = Caller { session_id: 5, ..second };
    server.call(silent, &InvokeWithoutUpdates { query: me() }).unwrap();
    let user_id = server.world.demonstration_accounts().unwrap().remove(0).user_id;
    server.world.set_asking(Some(owner));
    let told = |server: &mut Bench, all: bool| {
        let tell = |world: &mut World| match all {
            true => world.tell(NOW, user_id, UPDATE),
            false => world.tell_others(NOW, user_id, UPDATE),
        };
        server.world.transaction(tell).unwrap();
        let mut told = receivers(&deliver(&mut server.world));
        told.sort_by_key(|caller| *caller != owner);
        told
    };
    assert_eq!(told(&mut server, true), [owner, second]);
    assert_eq!(told(&mut server, false), [second]);
    // Work that no request asked for has no session that knows already.
    server.world.set_asking(None);
    assert_eq!(told(&mut server, false), [owner, second]);
}

#[test]
fn every_session_is_told_in_its_own_layer() {
    let mut server = Bench::new();
    let new = server.demonstration(1);
    let old = Caller { session_id: 8, ..new };
    let introduce = InvokeWithLayer { layer: 198, query: connection(me()) };
    server.raw(old, &introduce.to_bytes()).result.unwrap();
    let user_id = server.world.demonstration_accounts().unwrap().remove(0).user_id;
    let mut tell = |update: enums::Update| {
        server.world.transaction(|world| world.tell(NOW, user_id, update)).unwrap();
        let pushes = deliver(&mut server.world);
        pushes.iter().map(|push| push.session_id).collect::<Vec<_>>()
    };
    assert_eq!(tell(UPDATE), [1, 8]);
    // Layer 198 does not know managed bots and does without.
    let unknown = types::UpdateManagedBot { user_id: 1, bot_id: 2, qts: 3 };
    assert_eq!(tell(unknown.into()), [1]);
}
