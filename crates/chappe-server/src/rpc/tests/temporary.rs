//! Temporary keys: how they are bound, what they stand for, and how they end.

use chappe_crypto::{Side, message_key};
use chappe_tl::service::BindAuthKeyInner;

use super::*;

/// When the temporary keys of these tests end.
const END: i32 = NOW + DAY;

/// A binding of one key to another, which a test may spoil.
struct Draft {
    perm: u8,
    msg_id: i64,
    request: auth::BindTempAuthKey,
    inner: BindAuthKeyInner,
}

impl Draft {
    /// A good one, for the next request.
    fn new(server: &Bench, temporary: Caller, perm: u8) -> Self {
        let perm_auth_key_id = AuthKey::from_bytes([perm; 256]).id();
        let (nonce, expires_at) = (0x1122_3344_5566_7788, END);
        let inner = BindAuthKeyInner {
            nonce,
            temp_auth_key_id: temporary.auth_key_id,
            perm_auth_key_id,
            temp_session_id: temporary.session_id,
            expires_at,
        };
        let encrypted_message = Bytes::new();
        let request =
            auth::BindTempAuthKey { perm_auth_key_id, nonce, expires_at, encrypted_message };
        Self { perm, msg_id: server.last_msg_id + 4, request, inner }
    }

    fn seal(mut self) -> auth::BindTempAuthKey {
        let mut plain = vec![0xa5; 16];
        plain.extend(self.msg_id.to_le_bytes());
        plain.extend(0_i32.to_le_bytes());
        let body = self.inner.to_bytes();
        plain.extend(i32::try_from(body.len()).unwrap().to_le_bytes());
        plain.extend(&body);
        let key = AuthKey::from_bytes([self.perm; 256]);
        let packet = message_key::seal_v1(&key, Side::Client, &plain, &[0; 15]).unwrap();
        self.request.encrypted_message = packet.into();
        self.request
    }
}

fn bind(server: &mut Bench, temporary: Caller, perm: u8) {
    let request = Draft::new(server, temporary, perm).seal();
    assert!(server.call(temporary, &request).unwrap());
}

/// A temporary key that stands for a permanent one, and has introduced itself.
fn bound(server: &mut Bench, number: u8, perm: u8) -> Caller {
    let temporary = server.key_in(2, number, Some(END));
    bind(server, temporary, perm);
    server.call(temporary, &init(help::GetConfig)).unwrap();
    temporary
}

#[test]
fn a_bound_key_stands_for_its_permanent_one() {
    let mut server = Bench::new();
    let perm = server.demonstration(1);
    let temporary = bound(&mut server, 101, 1);
    server.call(temporary, &me()).unwrap();
    let devices = server.call(temporary, &account::GetAuthorizations).unwrap().authorizations;
    assert!(devices.len() == 1 && devices[0].current);
    // Both ways: what one does, the other one sees.
    server.call(temporary, &auth::LogOut).unwrap();
    server.refused(perm, &me(), errors::AUTH_KEY_UNREGISTERED);
    let account = server.world.demonstration_accounts().unwrap().remove(0);
    server.sign_in(temporary, &account.phone, &account.code).unwrap();
    server.call(perm, &me()).unwrap();
    let state = server.world.key_state(temporary.auth_key_id).unwrap().unwrap();
    assert_eq!(state.stands_for, Some(perm.auth_key_id));
    assert_eq!(state.user_id, Some(account.user_id));
}

#[test]
fn a_permanent_key_need_never_be_used_itself() {
    let mut server = Bench::new();
    server.key(1);
    let temporary = bound(&mut server, 101, 1);
    let account = server.world.demonstration_accounts().unwrap().remove(0);
    server.sign_in(temporary, &account.phone, &account.code).unwrap();
    let device = server.call(temporary, &account::GetAuthorizations).unwrap().authorizations;
    assert_eq!(&*device[0].device_model, "Desk", "what the temporary key introduced");
    // The next one takes over.
    let next = bound(&mut server, 102, 1);
    server.call(next, &me()).unwrap();
}

#[test]
fn after_a_binding_a_key_introduces_itself_again() {
    let mut server = Bench::new();
    server.demonstration(1);
    let temporary = server.key_in(2, 101, Some(END));
    server.call(temporary, &init(help::GetConfig)).unwrap();
    bind(&mut server, temporary, 1);
    let name = errors::CONNECTION_NOT_INITED;
    server.refused(temporary, &me(), name);
    server.refused(temporary, &InvokeWithLayer { layer: LAYER, query: me() }, name);
    server.call(temporary, &init(me())).unwrap();
    server.call(temporary, &me()).unwrap();
    // So it is when the same binding is asked for again, as after an answer that was lost.
    bind(&mut server, temporary, 1);
    server.refused(temporary, &me(), name);
    server.call(temporary, &init(me())).unwrap();
}

#[test]
fn each_key_and_session_has_its_own_layer() {
    let mut server = Bench::new();
    let perm = server.demonstration(1);
    let temporary = bound(&mut server, 101, 1);
    let older = |query| InvokeWithLayer { layer: 214, query: connection(query) };
    let old = server.raw(temporary, &older(me()).to_bytes()).result.unwrap();
    assert!(Vec::<enums::User>::from_bytes(&old).is_err());
    assert_eq!(server.raw(temporary, &me().to_bytes()).result.unwrap(), old);
    let other_session = Caller { session_id: 2, ..temporary };
    server.call(other_session, &init(me())).unwrap();
    server.call(perm, &me()).unwrap();
    assert_eq!(server.raw(temporary, &me().to_bytes()).result.unwrap(), old);
}

#[test]
fn every_part_of_a_binding_is_checked() {
    let mut server = Bench::several();
    server.key_in(2, 1, None);
    let temporary = server.key_in(2, 101, Some(END));
    let abroad = server.key_in(3, 3, None);
    let other = server.key_in(2, 102, Some(END));
    type Spoil = fn(&mut Draft);
    let spoils: [(&str, Spoil); 9] = [
        ("the nonce", |draft| draft.inner.nonce += 1),
        ("the temporary key", |draft| draft.inner.temp_auth_key_id ^= 1),
        ("the permanent key", |draft| draft.inner.perm_auth_key_id ^= 1),
        ("the session", |draft| draft.inner.temp_session_id += 1),
        ("the end", |draft| draft.inner.expires_at += 1),
        ("the message id", |draft| draft.msg_id += 4),
        ("the key of the message", |draft| draft.perm = 9),
        ("the nonce of the request", |draft| draft.request.nonce += 1),
        ("the end of the request", |draft| draft.request.expires_at -= 1),
    ];
    for (part, spoil) in spoils {
        let mut draft = Draft::new(&server, temporary, 1);
        spoil(&mut draft);
        let refusal = server.call(temporary, &draft.seal()).unwrap_err();
        assert_eq!(refusal, errors::ENCRYPTED_MESSAGE_INVALID.into(), "{part}");
    }
    let invalid = errors::ENCRYPTED_MESSAGE_INVALID;
    // A key that is not there, one of another data centre, a temporary one.
    for perm in [8, 3, 102] {
        let request = Draft::new(&server, temporary, perm).seal();
        server.refused(temporary, &request, invalid);
    }
    assert_ne!(abroad.auth_key_id, other.auth_key_id);
    // A message that is none, or cut, or changed.
    let good = Draft::new(&server, temporary, 1).seal();
    let mut changed = good.encrypted_message.to_vec();
    changed[50] ^= 1;
    for bytes in [vec![], vec![7; 104], good.encrypted_message[..88].to_vec(), changed] {
        let request = auth::BindTempAuthKey { encrypted_message: bytes.into(), ..good.clone() };
        server.refused(temporary, &request, invalid);
    }
    // Nothing of this bound it.
    server.refused(temporary, &init(me()), errors::AUTH_KEY_PERM_EMPTY);
    bind(&mut server, temporary, 1);
}

#[test]
fn a_binding_ends_in_time() {
    let mut server = Bench::new();
    server.key(1);
    let temporary = server.key_in(2, 101, Some(END));
    for expires_at in [0, -1, NOW, END + 301, i32::MAX] {
        let mut draft = Draft::new(&server, temporary, 1);
        (draft.inner.expires_at, draft.request.expires_at) = (expires_at, expires_at);
        server.refused(temporary, &draft.seal(), errors::EXPIRES_AT_INVALID);
    }
    // The client's clock need not agree to the second.
    let mut draft = Draft::new(&server, temporary, 1);
    (draft.inner.expires_at, draft.request.expires_at) = (END + 300, END + 300);
    server.call(temporary, &draft.seal()).unwrap();
}

#[test]
fn only_temporary_keys_are_bound_and_to_one_key() {
    let mut server = Bench::new();
    let perm = server.caller(1);
    server.key(2);
    let request = Draft::new(&server, perm, 2).seal();
    server.refused(perm, &request, errors::TEMP_AUTH_KEY_EMPTY);
    let temporary = bound(&mut server, 101, 1);
    let request = Draft::new(&server, temporary, 2).seal();
    server.refused(temporary, &request, errors::TEMP_AUTH_KEY_ALREADY_BOUND);
    // It still stands for the first.
    server.call(temporary, &help::GetConfig).unwrap();
    let state = server.world.key_state(temporary.auth_key_id).unwrap().unwrap();
    assert_eq!(state.stands_for, Some(perm.auth_key_id));
}

#[test]
fn the_sessions_of_a_bound_key_receive_updates() {
    let mut server = Bench::new();
    server.demonstration(1);
    let (first, second) = (bound(&mut server, 101, 1), bound(&mut server, 102, 1));
    server.call(first, &me()).unwrap();
    server.call(second, &me()).unwrap();
    let bot = server.world.bots().unwrap().remove(0);
    let access_hash = server.world.user(bot.user_id).unwrap().unwrap().access_hash;
    let peer = types::InputPeerUser { user_id: bot.user_id, access_hash };
    let block = contacts::Block { my_stories_from: false, id: peer.into() };
    let reply = server.raw(first, &block.to_bytes());
    reply.result.unwrap();
    let told: Vec<_> = reply.pushes.iter().map(|push| push.auth_key_id).collect();
    let perm = AuthKey::from_bytes([1; 256]).id();
    assert!(told.len() == 2 && told.contains(&perm) && told.contains(&second.auth_key_id));
}

#[test]
fn a_login_token_reaches_the_sessions_of_a_bound_key() {
    let mut server = Bench::new();
    let owner = server.demonstration(1);
    server.key(2);
    let new = bound(&mut server, 101, 2);
    let ask = auth::ExportLoginToken { api_id: 1, api_hash: API_HASH.into(), except_ids: vec![] };
    let enums::auth::LoginToken::LoginToken(shown) = server.call(new, &ask).unwrap() else {
        panic!("no token");
    };
    let reply = server.raw(owner, &auth::AcceptLoginToken { token: shown.token }.to_bytes());
    reply.result.unwrap();
    assert_eq!(reply.pushes[0].auth_key_id, new.auth_key_id);
    server.call(new, &ask).unwrap();
    server.call(new, &me()).unwrap();
}

#[test]
fn limits_count_the_calls_of_both_keys_together() {
    let period = Duration::from_secs(10);
    let mut server = Bench::limited(vec![Limit::new("help.getNearestDc".to_owned(), 2, period)]);
    let perm = server.caller(1);
    let temporary = bound(&mut server, 101, 1);
    server.call(perm, &help::GetNearestDc).unwrap();
    server.call(temporary, &help::GetNearestDc).unwrap();
    let refusal = server.call(temporary, &help::GetNearestDc).unwrap_err();
    assert_eq!(refusal, Failure::valued(errors::FLOOD_WAIT_X, 10));
}

#[test]
fn temporary_keys_are_dropped_all_but_some() {
    let mut server = Bench::new();
    let perm = server.demonstration(1);
    server.demonstration(2);
    let [asks, kept, dropped] = [101, 102, 103].map(|number| bound(&mut server, number, 1));
    let foreign = bound(&mut server, 104, 2);
    let drop = auth::DropTempAuthKeys { except_auth_keys: vec![kept.auth_key_id] };
    let reply = server.raw(asks, &drop.to_bytes());
    assert!(bool::from_bytes(&reply.result.unwrap()).unwrap());
    assert_eq!(reply.gone, [dropped.auth_key_id]);
    for caller in [asks, kept, foreign, perm] {
        server.call(caller, &me()).unwrap();
    }
    server.refused(dropped, &me(), errors::AUTH_KEY_UNREGISTERED);
    let none = auth::DropTempAuthKeys { except_auth_keys: Vec::new() };
    let mut gone = server.raw(perm, &none.to_bytes()).gone;
    gone.sort_unstable();
    let mut expected = [asks.auth_key_id, kept.auth_key_id];
    expected.sort_unstable();
    assert_eq!(gone, expected);
    server.call(foreign, &me()).unwrap();
    server.refused(server_key(103), &none, errors::AUTH_KEY_UNREGISTERED);
}

/// A caller with a key that may not be there.
fn server_key(number: u8) -> Caller {
    let auth_key_id = AuthKey::from_bytes([number; 256]).id();
    Caller { auth_key_id, dc: 2, session_id: 1, ip: Ipv4Addr::LOCALHOST.into() }
}

#[test]
fn a_lost_binding_is_said_and_made_again() {
    let mut server = Bench::new();
    server.demonstration(1);
    let temporary = bound(&mut server, 101, 1);
    server.world.transaction(|world| world.unbind(temporary.auth_key_id)).unwrap();
    server.refused(temporary, &me(), errors::AUTH_KEY_PERM_EMPTY);
    bind(&mut server, temporary, 1);
    server.refused(temporary, &me(), errors::CONNECTION_NOT_INITED);
    server.call(temporary, &init(me())).unwrap();
}

#[test]
fn a_temporary_key_ends_with_its_permanent_one() {
    let mut server = Bench::new();
    let perm = server.demonstration(1);
    let temporary = bound(&mut server, 101, 1);
    let gone = server.world.transaction(|world| world.forget_key(perm.auth_key_id)).unwrap();
    assert_eq!(gone, [temporary.auth_key_id]);
    assert_eq!(server.world.key_state(temporary.auth_key_id).unwrap(), None);
    // But not the other way round.
    let perm = server.demonstration(2);
    let temporary = bound(&mut server, 102, 2);
    server.world.transaction(|world| world.forget_key(temporary.auth_key_id)).unwrap();
    server.call(perm, &me()).unwrap();
}

#[test]
fn a_void_permanent_key_is_void_by_whatever_name() {
    let mut server = Bench::new();
    let perm = server.demonstration(1);
    let temporary = bound(&mut server, 101, 1);
    let key = temporary.auth_key_id;
    server.world.transaction(|world| world.void_key(key, Void::Duplicated)).unwrap();
    server.refused(temporary, &me(), errors::AUTH_KEY_DUPLICATED);
    server.refused(perm, &help::GetConfig, errors::AUTH_KEY_DUPLICATED);
}

#[test]
fn an_imported_session_may_be_had_with_a_temporary_key() {
    let mut server = Bench::several();
    let home = server.demonstration(1);
    server.key_in(3, 2, None);
    let there = server.key_in(3, 101, Some(END));
    bind(&mut server, there, 2);
    let exported = server.call(home, &auth::ExportAuthorization { dc_id: 3 }).unwrap();
    let import = auth::ImportAuthorization { id: exported.id, bytes: exported.bytes };
    server.call(there, &init(import)).unwrap();
    server.call(there, &me()).unwrap();
}
