//! Requests against the world, as bytes, without a socket: who may call what, and what they hear.

mod buttons;
mod chat;
mod dcs;
mod devices;
mod login;
mod matrix;
mod news;
mod password;
mod qr;
mod temporary;
mod url_auth;
mod url_auth_chat;

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use chappe_api::{
    InitConnection, InvokeAfterMsg, InvokeAfterMsgs, InvokeWithBusinessConnection, InvokeWithLayer,
    InvokeWithTakeout, InvokeWithoutUpdates, LAYER, account, auth, contacts,
    enums::{self, InputUser},
    errors, help, messages, types, updates, users,
};
use chappe_crypto::AuthKey;
use chappe_schema::layers::Layers;
use chappe_tl::{ErrorName, Raw, Text};

use super::*;
use crate::world::{self, Dcs, Origin, test_code};

const NOW: i32 = 1_800_000_000;
const DAY: i32 = 86_400;
const PHONE: &str = "9996631111";
const API_HASH: &str = "0123456789abcdef0123456789abcdef";

/// A server without sockets, and the time.
struct Bench {
    world: World,
    site: Site,
    now: i32,
    last_msg_id: i64,
}

impl Bench {
    fn new() -> Self {
        Self::limited(Vec::new())
    }

    /// A server with the data centres 1 to 3.
    fn several() -> Self {
        let dcs = Dcs::up_to(3, 2).unwrap();
        let addresses = dcs.ids().map(|dc| (dc, local(4430 + dc.cast_unsigned() as u16))).collect();
        Self::over(dcs, Site::new(addresses, Vec::new()))
    }

    fn limited(limits: Vec<Limit>) -> Self {
        Self::over(Dcs::one(2), Site::new(vec![(2, local(4433))], limits))
    }

    fn over(dcs: Dcs, site: Site) -> Self {
        let origin = Origin { directory: None, seed: [1; 32], codes: test_code, dcs };
        let world = World::open(origin, NOW).unwrap();
        Self { world, site, now: NOW, last_msg_id: 0 }
    }

    /// A caller whose key exists, and which said nothing yet.
    fn key(&mut self, number: u8) -> Caller {
        self.key_in(2, number, None)
    }

    /// A caller with a key of a data centre; `expires` makes it a temporary one.
    fn key_in(&mut self, dc: i32, number: u8, expires: Option<i32>) -> Caller {
        let (now, key) = (self.now, AuthKey::from_bytes([number; 256]));
        self.world.transaction(|world| world.add_key(now, dc, &key, expires)).unwrap();
        Caller { auth_key_id: key.id(), dc, session_id: 1, ip: Ipv4Addr::LOCALHOST.into() }
    }

    /// A caller in a data centre that introduced itself.
    fn caller_in(&mut self, dc: i32, number: u8) -> Caller {
        let caller = self.key_in(dc, number, None);
        self.call(caller, &init(help::GetConfig)).unwrap();
        caller
    }

    /// A caller that introduced itself.
    fn caller(&mut self, number: u8) -> Caller {
        let caller = self.key(number);
        self.call(caller, &init(help::GetConfig)).unwrap();
        caller
    }

    /// A caller that signed in as the demonstration account.
    fn demonstration(&mut self, number: u8) -> Caller {
        let caller = self.caller(number);
        let account = self.world.demonstration_accounts().unwrap().remove(0);
        self.sign_in(caller, &account.phone, &account.code).unwrap();
        caller
    }

    /// A caller that signed in as the first bot.
    fn bot(&mut self, number: u8) -> Caller {
        let caller = self.caller(number);
        let token = self.world.bots().unwrap().remove(0).token;
        self.call(caller, &auth::ImportBotAuthorization::bot(&token)).unwrap();
        caller
    }

    /// A caller that signed up with [`PHONE`].
    fn stranger(&mut self, number: u8) -> Caller {
        let caller = self.caller(number);
        let sent = self.send_code(caller, PHONE);
        let sign_in = auth::SignIn {
            phone_code: Some("33333".into()),
            ..auth::SignIn::new(PHONE, sent.as_str())
        };
        let answer = self.call(caller, &sign_in).unwrap();
        assert!(matches!(answer, enums::auth::Authorization::SignUpRequired(_)));
        let sign_up = auth::SignUp {
            no_joined_notifications: false,
            phone_number: PHONE.into(),
            phone_code_hash: sent,
            first_name: "Ada".into(),
            last_name: Text::default(),
        };
        self.call(caller, &sign_up).unwrap();
        caller
    }

    fn send_code(&mut self, caller: Caller, phone: &str) -> Text {
        let enums::auth::SentCode::SentCode(sent) = self.call(caller, &send_code(phone)).unwrap()
        else {
            panic!("no code was sent");
        };
        sent.phone_code_hash
    }

    fn sign_in(
        &mut self,
        caller: Caller,
        phone: &str,
        code: &str,
    ) -> Result<types::auth::Authorization, Failure> {
        let sent = self.send_code(caller, phone);
        let sign_in =
            auth::SignIn { phone_code: Some(code.into()), ..auth::SignIn::new(phone, sent) };
        match self.call(caller, &sign_in)? {
            enums::auth::Authorization::Authorization(authorization) => Ok(*authorization),
            other => panic!("{other:?}"),
        }
    }

    fn web(&mut self, caller: Caller) -> Vec<types::WebAuthorization> {
        self.call(caller, &account::GetWebAuthorizations).unwrap().authorizations
    }

    fn call<F: Function>(&mut self, caller: Caller, request: &F) -> Result<F::Return, Failure> {
        let reply = self.raw(caller, &request.to_bytes());
        reply.result.map(|bytes| F::Return::from_bytes(&bytes).unwrap())
    }

    fn raw(&mut self, caller: Caller, body: &Bytes) -> Reply {
        self.last_msg_id += 4;
        let msg_id = self.last_msg_id;
        let dialled = local(4433);
        let request = Request { now: self.now, caller, dialled, msg_id, body };
        answer(&mut self.world, &self.site, &request)
    }

    fn refused<F: Function>(&mut self, caller: Caller, request: &F, name: ErrorName)
    where
        F::Return: std::fmt::Debug,
    {
        assert_eq!(self.call(caller, request).unwrap_err(), Failure::from(name), "{}", F::NAME);
    }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

trait AsBot {
    fn bot(token: &str) -> Self;
}

impl AsBot for auth::ImportBotAuthorization {
    fn bot(token: &str) -> Self {
        Self { api_id: 1, api_hash: API_HASH.into(), bot_auth_token: token.into(), flags: 0 }
    }
}

fn send_code(phone: &str) -> auth::SendCode {
    auth::SendCode {
        phone_number: phone.into(),
        api_id: 1,
        api_hash: API_HASH.into(),
        settings: types::CodeSettings::new(),
    }
}

fn connection<Q>(query: Q) -> InitConnection<Q> {
    InitConnection::new(1, "Desk", "Linux 6.12", "1.0", "en", "", "en", query)
}

fn init<Q>(query: Q) -> InvokeWithLayer<InitConnection<Q>> {
    InvokeWithLayer { layer: LAYER, query: connection(query) }
}

fn me() -> users::GetUsers {
    users::GetUsers { id: vec![InputUser::InputUserSelf] }
}

#[test]
fn nobody_signed_in_is_not_registered() {
    let mut server = Bench::new();
    let caller = server.caller(1);
    let name = errors::AUTH_KEY_UNREGISTERED;
    server.refused(caller, &me(), name);
    server.refused(caller, &account::GetWebAuthorizations, name);
    server.refused(caller, &account::ResetWebAuthorization { hash: 4_457_235 }, name);
    server.refused(caller, &account::ResetWebAuthorizations, name);
    server.refused(caller, &account::GetAuthorizations, name);
    server.refused(caller, &account::ResetAuthorization { hash: 1 }, name);
    server.refused(caller, &auth::ResetAuthorizations, name);
    server.refused(caller, &updates::GetState, name);
    server.refused(caller, &messages::GetPinnedDialogs { folder_id: 0 }, name);
}

#[test]
fn bots_have_no_web_logins() {
    let mut server = Bench::new();
    let bot = server.bot(1);
    let name = errors::BOT_METHOD_INVALID;
    server.refused(bot, &account::GetWebAuthorizations, name);
    server.refused(bot, &account::ResetWebAuthorization { hash: 4_457_235 }, name);
    server.refused(bot, &account::ResetWebAuthorizations, name);
    server.refused(bot, &account::GetAuthorizations, name);
    server.refused(bot, &account::ResetAuthorization { hash: 1 }, name);
    server.refused(bot, &auth::ResetAuthorizations, name);
    let enums::User::User(user) = server.call(bot, &me()).unwrap().remove(0) else {
        panic!("no user");
    };
    assert!(user.bot && user.is_self && user.phone.is_none() && user.bot_info_version.is_some());
    assert_eq!(server.call(bot, &updates::GetState).unwrap().pts, 1);
}

#[test]
fn users_do_not_call_what_is_for_bots() {
    let mut server = Bench::new();
    let (user, bot) = (server.demonstration(1), server.bot(2));
    let (user, bot) = (user.auth_key_id, bot.auth_key_id);
    let as_user = |key: i64| {
        let id = server.world.key_state(key).unwrap().unwrap().user_id.unwrap();
        server.world.user(id).unwrap().unwrap()
    };
    let (user, bot) = (as_user(user), as_user(bot));
    let route = |callers| Route {
        id: 0,
        name: "test.method",
        callers,
        run: |_, _| Err(errors::METHOD_INVALID.into()),
    };
    let nobody = Callers { user: false, bot: false, signed_out: false, business: false };
    let check = |callers: Callers, who: Option<&User>, expected: Option<ErrorName>| {
        let refusal = admit(&route(callers), who, &Envelope::default()).err();
        let refusal = refusal.map(|stop| match stop {
            Stop::Refused(failure) => failure,
            other => panic!("{other:?}"),
        });
        assert_eq!(refusal, expected.map(Failure::from));
    };
    check(Callers { bot: true, ..nobody }, Some(&user), Some(errors::USER_BOT_REQUIRED));
    check(Callers { bot: true, ..nobody }, Some(&bot), None);
    check(Callers { user: true, ..nobody }, Some(&bot), Some(errors::BOT_METHOD_INVALID));
    check(Callers { user: true, ..nobody }, Some(&user), None);
    check(Callers { user: true, ..nobody }, None, Some(errors::AUTH_KEY_UNREGISTERED));
    check(Callers { signed_out: true, ..nobody }, None, None);
}

#[test]
fn web_logins_are_listed_with_their_bots_and_end_one_by_one() {
    let mut server = Bench::new();
    let owner = server.demonstration(1);
    let listed = server.call(owner, &account::GetWebAuthorizations).unwrap();
    let bots: Vec<_> = listed
        .users
        .iter()
        .map(|user| match user {
            enums::User::User(user) if user.bot => user.id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(bots.is_sorted_by(|a, b| a < b), "each bot once");
    assert!(listed.authorizations.len() > bots.len());
    assert!(listed.authorizations.iter().all(|row| bots.contains(&row.bot_id)));

    for row in &listed.authorizations {
        let reset = account::ResetWebAuthorization { hash: row.hash };
        assert!(server.call(owner, &reset).unwrap());
        server.refused(owner, &reset, errors::HASH_INVALID);
        assert!(server.web(owner).iter().all(|left| left.hash != row.hash));
    }
    assert!(server.web(owner).is_empty());
    assert!(server.call(owner, &account::ResetWebAuthorizations).unwrap());
    assert!(server.call(owner, &account::ResetWebAuthorizations).unwrap());
}

#[test]
fn a_wrong_hash_reveals_nothing() {
    let mut server = Bench::new();
    let (owner, stranger) = (server.demonstration(1), server.stranger(2));
    let other_device = server.demonstration(3);
    let foreign = server.web(owner)[0].hash;
    let devices = server.call(owner, &account::GetAuthorizations).unwrap().authorizations;
    assert_eq!(devices.iter().map(|row| row.current).collect::<Vec<_>>(), [true, false]);
    assert_eq!(devices[0].hash, 0);
    let device = devices[1].hash;
    for hash in [0, 1, -1, i64::MAX, foreign] {
        let reset = account::ResetWebAuthorization { hash };
        server.refused(stranger, &reset, errors::HASH_INVALID);
        server.refused(stranger, &account::ResetAuthorization { hash }, errors::HASH_INVALID);
    }
    server.refused(owner, &account::ResetWebAuthorization { hash: 0 }, errors::HASH_INVALID);
    server.refused(owner, &account::ResetWebAuthorization { hash: device }, errors::HASH_INVALID);
    server.refused(owner, &account::ResetAuthorization { hash: foreign }, errors::HASH_INVALID);
    server.refused(owner, &account::ResetAuthorization { hash: 0 }, errors::HASH_INVALID);

    let reset = account::ResetAuthorization { hash: device };
    server.refused(owner, &reset, errors::FRESH_RESET_AUTHORISATION_FORBIDDEN);
    server.now += DAY;
    assert!(server.call(owner, &reset).unwrap());
    server.refused(owner, &reset, errors::HASH_INVALID);
    server.refused(other_device, &me(), errors::SESSION_REVOKED);
    assert!(server.web(owner).iter().any(|row| row.hash == foreign));
}

#[test]
fn all_other_devices_end_after_a_day() {
    let mut server = Bench::new();
    let (first, second) = (server.demonstration(1), server.demonstration(2));
    server.refused(first, &auth::ResetAuthorizations, errors::FRESH_RESET_AUTHORISATION_FORBIDDEN);
    server.now += DAY;
    assert!(server.call(first, &auth::ResetAuthorizations).unwrap());
    server.refused(second, &me(), errors::SESSION_REVOKED);
    server.call(first, &me()).unwrap();
}

#[test]
fn a_key_introduces_itself_first() {
    let mut server = Bench::new();
    let caller = server.key(1);
    let name = errors::CONNECTION_NOT_INITED;
    server.refused(caller, &help::GetConfig, name);
    server.refused(caller, &InvokeWithLayer { layer: LAYER, query: help::GetConfig }, name);
    let caller = server.key(2);
    server.refused(caller, &connection(help::GetConfig), name);
    let oldest = Layers::new().held().next().unwrap();
    for layer in [0, -1, oldest - 1, LAYER + 51] {
        let query = connection(help::GetConfig);
        let refusal = errors::CONNECTION_LAYER_INVALID;
        server.refused(caller, &InvokeWithLayer { layer, query }, refusal);
    }
    type Change = fn(&mut InitConnection<help::GetConfig>);
    let broken: [(Change, ErrorName); 4] = [
        (|device| device.api_id = 0, errors::CONNECTION_API_ID_INVALID),
        (|device| device.device_model = Text::default(), errors::CONNECTION_DEVICE_MODEL_EMPTY),
        (|device| device.system_version = Text::default(), errors::CONNECTION_SYSTEM_EMPTY),
        (|device| device.app_version = Text::default(), errors::CONNECTION_APP_VERSION_EMPTY),
    ];
    for (change, name) in broken {
        let mut query = init(help::GetConfig);
        change(&mut query.query);
        server.refused(caller, &query, name);
    }
    let mut full = init(help::GetConfig);
    full.query.proxy = Some(types::InputClientProxy { address: "proxy".into(), port: 1 });
    let offset = types::JsonObjectValue {
        key: "tz_offset".into(),
        value: types::JsonNumber { value: 3_600.0 }.into(),
    };
    full.query.params = Some(types::JsonObject { value: vec![offset] }.into());
    let config = server.call(caller, &full).unwrap();
    let [dc] = &config.dc_options[..] else { panic!("one data centre") };
    assert_eq!((config.this_dc, dc.id), (2, 2));
    assert_eq!((&*dc.ip_address, dc.port), ("127.0.0.1", 4433));
    // From now on the key is known, in this session and in the next.
    server.call(caller, &help::GetConfig).unwrap();
    server.call(Caller { session_id: 2, ..caller }, &help::GetConfig).unwrap();
}

#[test]
fn applications_must_be_well_formed() {
    let mut server = Bench::new();
    let caller = server.caller(1);
    for (api_id, api_hash) in [(0, API_HASH), (-1, API_HASH), (1, ""), (1, &API_HASH[1..])] {
        let request = auth::SendCode { api_id, api_hash: api_hash.into(), ..send_code(PHONE) };
        server.refused(caller, &request, errors::API_ID_INVALID);
        let request = auth::ImportBotAuthorization {
            api_id,
            api_hash: api_hash.into(),
            ..auth::ImportBotAuthorization::bot("1:x")
        };
        server.refused(caller, &request, errors::API_ID_INVALID);
    }
    let request = auth::ImportBotAuthorization::bot("1:x");
    server.refused(caller, &request, errors::ACCESS_TOKEN_INVALID);
}

#[test]
fn codes_are_refused_by_name() {
    let mut server = Bench::new();
    let caller = server.caller(1);
    server.refused(caller, &send_code("not a phone"), errors::PHONE_NUMBER_INVALID);
    let sent = server.send_code(caller, PHONE);
    let with = |code: Option<&str>| auth::SignIn {
        phone_code: code.map(Text::from),
        ..auth::SignIn::new(PHONE, sent.as_str())
    };
    server.refused(caller, &with(None), errors::PHONE_CODE_EMPTY);
    server.refused(caller, &with(Some("")), errors::PHONE_CODE_EMPTY);
    for _ in 0..4 {
        server.refused(caller, &with(Some("22222")), errors::PHONE_CODE_INVALID);
    }
    server.refused(caller, &with(Some("22222")), errors::PHONE_CODE_EXPIRED);
    server.refused(caller, &with(Some("33333")), errors::PHONE_CODE_EXPIRED);

    let sent = server.send_code(caller, PHONE);
    let cancel = auth::CancelCode { phone_number: PHONE.into(), phone_code_hash: sent.clone() };
    assert!(server.call(caller, &cancel).unwrap());
    server.refused(caller, &cancel, errors::PHONE_CODE_EXPIRED);
    let resend = auth::ResendCode::new(PHONE, sent.as_str());
    server.refused(caller, &resend, errors::PHONE_CODE_EXPIRED);
}

#[test]
fn signing_out_ends_one_device_session_and_keeps_the_key() {
    let mut server = Bench::new();
    let (first, second) = (server.demonstration(1), server.demonstration(2));
    server.call(first, &auth::LogOut).unwrap();
    server.refused(first, &me(), errors::AUTH_KEY_UNREGISTERED);
    server.call(first, &help::GetConfig).unwrap();
    server.call(second, &me()).unwrap();
    let account = server.world.demonstration_accounts().unwrap().remove(0);
    server.sign_in(first, &account.phone, &account.code).unwrap();
    server.call(first, &me()).unwrap();
}

#[test]
fn what_does_not_fit_the_layer_of_its_caller_is_undone() {
    let mut server = Bench::new();
    let owner = server.demonstration(1);
    let user = server.world.demonstration_accounts().unwrap().remove(0).user_id;
    let before = server.web(owner);
    let reset = account::ResetWebAuthorizations.to_bytes();
    let (_, back) = layer::lift(198, &reset).unwrap();
    let outcome = server.world.transaction(|world| {
        world.reset_web_authorizations(user)?;
        // No `Bool`: as if a layer had no room for the answer.
        layer::lower(&back, types::UserEmpty { id: 1 }.to_bytes())
    });
    assert_eq!(outcome.unwrap_err(), Failure::INTERNAL);
    assert_eq!(server.web(owner), before, "a client that tries again must find it as it was");
}

#[test]
fn a_key_that_is_gone_leaves_no_session() {
    let mut server = Bench::new();
    let caller = server.caller(1);
    let before = format!("{:?}", server.world);
    for session_id in 0..3 {
        let stranger = Caller { auth_key_id: 5, session_id, ..caller };
        server.refused(stranger, &init(help::GetConfig), errors::AUTH_KEY_UNREGISTERED);
    }
    assert_eq!(format!("{:?}", server.world), before);
}

fn after<Q>(msg_id: i64, query: Q) -> InvokeAfterMsg<Q> {
    InvokeAfterMsg { msg_id, query }
}

#[test]
fn wrappers_come_in_any_order() {
    let mut server = Bench::new();
    let caller = server.key(1);
    let first = server.call(caller, &init(help::GetConfig));
    assert!(first.is_ok());
    let done = server.last_msg_id;
    server.call(caller, &me()).unwrap_err();
    let failed = server.last_msg_id;

    server.call(caller, &after(done, init(help::GetConfig))).unwrap();
    server.call(caller, &init(after(done, help::GetConfig))).unwrap();
    server.call(caller, &InvokeWithoutUpdates { query: help::GetConfig }).unwrap();
    server
        .call(caller, &InvokeAfterMsgs { msg_ids: vec![done, done], query: help::GetConfig })
        .unwrap();
    server.refused(caller, &after(failed, help::GetConfig), errors::MSG_WAIT_FAILED);
    let both = InvokeAfterMsgs { msg_ids: vec![done, failed], query: help::GetConfig };
    server.refused(caller, &both, errors::MSG_WAIT_FAILED);
    let missing = server.call(caller, &after(77, help::GetConfig)).unwrap_err();
    assert_eq!((missing.code, &*missing.message), (-503, "MSG_WAIT_TIMEOUT"));
    let takeout = InvokeWithTakeout { takeout_id: 1, query: help::GetConfig };
    server.refused(caller, &takeout, errors::TAKEOUT_INVALID);
}

#[test]
fn a_compressed_query_inside_of_wrappers_is_read() {
    let mut server = Bench::new();
    let caller = server.key(1);
    let names = vec![Text::from("a_rather_long_name_of_a_string"); 200];
    let query = chappe_api::langpack::GetStrings {
        lang_pack: Text::default(),
        lang_code: "en".into(),
        keys: names,
    };
    let packed = chappe_mtproto::message::deflate(&query.to_bytes()).unwrap();
    let body = init(Raw(packed.clone())).to_bytes();
    let answer = server.raw(caller, &body).result.unwrap();
    assert_eq!(Vec::<enums::LangPackString>::from_bytes(&answer).unwrap().len(), 200);
    let cut = packed.slice(..packed.len() - 8);
    let refusal = server.raw(caller, &init(Raw(cut)).to_bytes()).result.unwrap_err();
    assert_eq!(refusal, errors::INPUT_FETCH_ERROR.into());
}

#[test]
fn business_connections_are_not_for_the_account() {
    let mut server = Bench::new();
    let (user, bot) = (server.demonstration(1), server.bot(2));
    let through = |query| InvokeWithBusinessConnection { connection_id: "b".into(), query };
    let reset = through(account::ResetWebAuthorization { hash: 1 });
    for caller in [user, bot] {
        server.refused(caller, &reset, errors::BUSINESS_CONNECTION_NOT_ALLOWED);
    }
}

#[test]
fn what_is_not_implemented_is_named() {
    let mut server = Bench::new();
    let caller = server.demonstration(1);
    server.refused(caller, &messages::GetSplitRanges, errors::METHOD_INVALID);
    let refusal = |server: &mut Bench, body: &[u8]| {
        server.raw(caller, &Bytes::copy_from_slice(body)).result.unwrap_err()
    };
    let unknown = refusal(&mut server, &0xdead_beef_u32.to_le_bytes());
    assert_eq!((unknown.code, &*unknown.message), (400, "INPUT_METHOD_INVALID_3735928559_0"));
    // A constructor is not a method.
    let constructor = refusal(&mut server, &types::UserEmpty { id: 1 }.to_bytes());
    assert!(constructor.message.starts_with("INPUT_METHOD_INVALID_"));
    let reset = account::ResetWebAuthorization { hash: 1 }.to_bytes();
    for broken in [&reset[..4], &reset[..8], &reset[..3], &[], &[&reset[..], &[0; 4]].concat()] {
        assert_eq!(refusal(&mut server, broken), errors::INPUT_FETCH_ERROR.into());
    }
}

#[test]
fn the_list_of_methods_is_that_of_the_routes() {
    let names = methods();
    assert!(names.is_sorted_by(|a, b| a < b), "sorted, each once");
    for name in &names {
        let method = chappe_schema::api().find(name);
        assert!(method.is_some_and(|method| method.is_function), "{name}");
    }
    let ids: BTreeSet<_> = ROUTES.iter().map(|route| route.id).collect();
    assert_eq!(ids.len(), ROUTES.len());
}

/// Every route answers in its type, for a user, when it is called with the plainest arguments.
#[test]
fn the_reads_of_a_starting_client_are_answered_in_type() {
    let mut server = Bench::new();
    let caller = server.demonstration(1);
    let plain = |route: &&Route| {
        let method = chappe_schema::api().find(route.name).unwrap();
        // Reads only: an id and hash or flags that are all zero.
        let ints = method.params.iter().all(|param| {
            param.flag.is_some()
                || matches!(
                    param.ty,
                    chappe_schema::Type::Int | chappe_schema::Type::Long | chappe_schema::Type::Nat
                )
        });
        (method.short_name().starts_with("get") && ints && route.name != "updates.getDifference")
            .then(|| {
                let zeros = method.params.iter().filter(|param| param.flag.is_none());
                let length: usize = zeros
                    .map(|param| if param.ty == chappe_schema::Type::Long { 8 } else { 4 })
                    .sum();
                [&route.id.to_le_bytes()[..], &vec![0; length]].concat()
            })
    };
    let layers = Layers::new();
    let mut answered = 0;
    for route in ROUTES {
        let Some(body) = plain(&route) else { continue };
        for layer in [198, 220, LAYER] {
            let body = InvokeWithLayer { layer, query: Raw(body.clone().into()) }.to_bytes();
            let reply = server.raw(caller, &body).result;
            match reply {
                Ok(bytes) => {
                    let schema = layers.schema(layer);
                    let method = schema.find(route.name).unwrap();
                    let mut input = chappe_tl::Reader::new(&bytes);
                    chappe_schema::value::Value::read(&schema, &method.result, &mut input)
                        .unwrap_or_else(|error| panic!("{} in {layer}: {error}", route.name));
                    input.finish().unwrap();
                    answered += 1;
                }
                // An older layer may not have the method under this id.
                Err(failure) => assert!(
                    layer < LAYER && failure.message.starts_with("INPUT_METHOD_INVALID"),
                    "{} in {layer}: {failure:?}",
                    route.name
                ),
            }
        }
    }
    assert!(answered > 60, "{answered}");
}

/// Reads of a starting client that take more than numbers; each decodes its answer.
#[test]
fn the_reads_with_arguments_are_answered_in_type() {
    let mut server = Bench::new();
    let caller = server.demonstration(1);
    let none = || enums::InputPeer::Empty;
    let dialogs = messages::GetDialogs::new(0, 0, none(), 100, 0);
    server.call(caller, &dialogs).unwrap();
    let notify = account::GetNotifySettings { peer: enums::InputNotifyPeer::InputNotifyUsers };
    server.call(caller, &notify).unwrap();
    let privacy = account::GetPrivacy { key: enums::InputPrivacyKey::StatusTimestamp };
    assert_eq!(server.call(caller, &privacy).unwrap().rules.len(), 1);
    let countries = |hash| help::GetCountriesList { lang_code: "en".into(), hash };
    let enums::help::CountriesList::CountriesList(list) =
        server.call(caller, &countries(0)).unwrap()
    else {
        panic!("no list");
    };
    let again = server.call(caller, &countries(list.hash)).unwrap();
    assert!(matches!(again, enums::help::CountriesList::NotModified));
    let update = help::GetAppUpdate { source: "store".into() };
    assert!(matches!(server.call(caller, &update), Ok(enums::help::AppUpdate::NoAppUpdate)));
    let text = || Text::from("en");
    let pack = chappe_api::langpack::GetLangPack { lang_pack: text(), lang_code: text() };
    assert_eq!(server.call(caller, &pack).unwrap().lang_code, "en");
    let difference = chappe_api::langpack::GetDifference {
        lang_pack: text(),
        lang_code: text(),
        from_version: 1,
    };
    assert_eq!(server.call(caller, &difference).unwrap().from_version, 1);
    let languages = chappe_api::langpack::GetLanguages { lang_pack: text() };
    assert_eq!(server.call(caller, &languages).unwrap().len(), 1);
    let keywords = messages::GetEmojiKeywordsLanguages { lang_codes: vec![text()] };
    assert!(server.call(caller, &keywords).unwrap().is_empty());
    assert!(server.call(caller, &account::UpdateStatus { offline: true }).unwrap());
    let full = users::GetFullUser { id: InputUser::InputUserSelf };
    assert!(!server.call(caller, &full).unwrap().full_user.blocked);
}

#[test]
fn limits_count_calls_of_an_account() {
    let limit = Limit::new("account.resetWebAuthorization".to_owned(), 2, Duration::from_secs(30));
    let mut server = Bench::limited(vec![limit]);
    let (owner, again) = (server.demonstration(1), server.demonstration(2));
    let stranger = server.stranger(3);
    let reset = account::ResetWebAuthorization { hash: 1 };
    server.refused(owner, &reset, errors::HASH_INVALID);
    server.now += 10;
    server.refused(again, &reset, errors::HASH_INVALID);
    server.now += 10;
    let flood = server.call(owner, &reset).unwrap_err();
    assert_eq!((flood.code, &*flood.message), (420, "FLOOD_WAIT_10"));
    server.refused(stranger, &reset, errors::HASH_INVALID);
    server.call(owner, &account::GetWebAuthorizations).unwrap();
    server.now += 10;
    server.refused(owner, &reset, errors::HASH_INVALID);
}

#[test]
fn a_new_sign_in_is_told_to_the_other_sessions() {
    let mut server = Bench::new();
    let first = server.demonstration(1);
    let silent = Caller { session_id: 2, ..first };
    server.call(silent, &InvokeWithoutUpdates { query: me() }).unwrap();
    let third = server.caller(3);
    let account = server.world.demonstration_accounts().unwrap().remove(0);
    let sent = server.send_code(third, &account.phone);
    let sign_in = auth::SignIn {
        phone_code: Some(account.code.into()),
        ..auth::SignIn::new(account.phone, sent)
    };
    let reply = server.raw(third, &sign_in.to_bytes());
    reply.result.unwrap();
    let [push] = &reply.pushes[..] else { panic!("{:?}", reply.pushes) };
    assert_eq!((push.auth_key_id, push.session_id), (first.auth_key_id, first.session_id));
    let enums::Updates::UpdateShort(short) = enums::Updates::from_bytes(&push.body).unwrap() else {
        panic!("not a short update");
    };
    let enums::Update::NewAuthorization(update) = short.update else { panic!("{short:?}") };
    let devices = server.call(first, &account::GetAuthorizations).unwrap().authorizations;
    assert!(devices.iter().any(|device| device.hash == update.hash));

    server.world.end_session(first.auth_key_id, first.session_id);
    let fourth = server.caller(4);
    let account = server.world.demonstration_accounts().unwrap().remove(0);
    let sent = server.send_code(fourth, &account.phone);
    let sign_in = auth::SignIn {
        phone_code: Some(account.code.into()),
        ..auth::SignIn::new(account.phone, sent)
    };
    let pushes = server.raw(fourth, &sign_in.to_bytes()).pushes;
    assert_eq!(pushes.iter().map(|push| push.auth_key_id).collect::<Vec<_>>(), [third.auth_key_id]);
}

#[test]
fn users_are_found_by_their_access_hash() {
    let mut server = Bench::new();
    let (owner, stranger) = (server.demonstration(1), server.stranger(2));
    let listed = server.call(owner, &account::GetWebAuthorizations).unwrap();
    let enums::User::User(bot) = &listed.users[0] else { panic!("no user") };
    let named = |access_hash| types::InputUser { user_id: bot.id, access_hash };
    let right = named(bot.access_hash.unwrap());
    let wrong = named(bot.access_hash.unwrap() ^ 1);
    let get = users::GetUsers {
        id: vec![InputUser::InputUserSelf, right.clone().into(), wrong.clone().into()],
    };
    let found = server.call(stranger, &get).unwrap();
    assert!(matches!(&found[0], enums::User::User(me) if me.is_self && me.phone.is_some()));
    assert!(matches!(&found[1], enums::User::User(user) if user.id == bot.id && !user.is_self));
    assert!(matches!(&found[2], enums::User::Empty(empty) if empty.id == bot.id));
    let full = users::GetFullUser { id: wrong.clone().into() };
    server.refused(stranger, &full, errors::USER_ID_INVALID);
    let full = users::GetFullUser { id: InputUser::InputUserSelf };
    assert_eq!(server.call(stranger, &full).unwrap().users.len(), 1);

    let block = |user: types::InputUser| contacts::Block {
        my_stories_from: false,
        id: types::InputPeerUser { user_id: user.user_id, access_hash: user.access_hash }.into(),
    };
    server.refused(stranger, &block(wrong), errors::PEER_ID_INVALID);
    let second = Caller { session_id: 9, ..stranger };
    server.call(second, &me()).unwrap();
    let first = server.raw(stranger, &block(right.clone()).to_bytes());
    first.result.unwrap();
    assert_eq!(first.pushes.len(), 1);
    assert_eq!(server.raw(stranger, &block(right).to_bytes()).pushes, []);
    let get = contacts::GetBlocked { my_stories_from: false, offset: 0, limit: 10 };
    let enums::contacts::Blocked::Blocked(blocked) = server.call(stranger, &get).unwrap() else {
        panic!("a slice");
    };
    assert_eq!(blocked.blocked.len(), 1);
}

#[test]
fn a_session_hears_its_own_layer() {
    let mut server = Bench::new();
    let owner = server.demonstration(1);
    let layers = Layers::new();
    for layer in layers.held().collect::<Vec<_>>() {
        let body = InvokeWithLayer { layer, query: connection(account::GetWebAuthorizations) };
        let bytes = server.raw(owner, &body.to_bytes()).result.unwrap();
        let schema = layers.schema(layer);
        let ty = chappe_schema::Type::Boxed("account.WebAuthorizations".to_owned());
        let mut input = chappe_tl::Reader::new(&bytes);
        chappe_schema::value::Value::read(&schema, &ty, &mut input).unwrap();
        input.finish().unwrap();
    }
    // A layer of tomorrow is served in today's.
    let query = connection(account::GetWebAuthorizations);
    server.call(owner, &InvokeWithLayer { layer: LAYER + 2, query }).unwrap();
    // Two sessions of one key, two layers.
    let old = Caller { session_id: 8, ..owner };
    server.raw(old, &InvokeWithLayer { layer: 198, query: me() }.to_bytes()).result.unwrap();
    let new = server.raw(owner, &me().to_bytes()).result.unwrap();
    let old = server.raw(old, &me().to_bytes()).result.unwrap();
    assert!(Vec::<enums::User>::from_bytes(&new).is_ok());
    assert!(Vec::<enums::User>::from_bytes(&old).is_err());
}

#[test]
fn a_temporary_key_that_is_not_bound_may_not_call() {
    let mut server = Bench::new();
    let key = AuthKey::from_bytes([7; 256]);
    server.world.transaction(|world| world.add_key(NOW, 2, &key, Some(NOW + 60))).unwrap();
    let caller =
        Caller { auth_key_id: key.id(), dc: 2, session_id: 1, ip: Ipv4Addr::LOCALHOST.into() };
    for body in [me().to_bytes(), init(me()).to_bytes(), send_code(PHONE).to_bytes()] {
        let refusal = server.raw(caller, &body).result.unwrap_err();
        assert_eq!(refusal, errors::AUTH_KEY_PERM_EMPTY.into());
    }
    // What a client asks to find its way.
    server.call(caller, &init(help::GetConfig)).unwrap();
    server.call(caller, &help::GetNearestDc).unwrap();
    let schemas = Layers::new();
    for layer in schemas.held().collect::<Vec<_>>() {
        let schema = schemas.schema(layer);
        for name in ["auth.bindTempAuthKey", "help.getConfig", "help.getNearestDc"] {
            assert!(BEFORE_BINDING.contains(&schema.find(name).unwrap().id), "{name} in {layer}");
        }
    }
    // What is no key, or none any more, is not one for the engine either.
    let unknown = Caller { auth_key_id: 1, ..caller };
    for (caller, later) in [(unknown, 0), (caller, 60)] {
        server.now = NOW + later;
        let reply = server.raw(caller, &init(help::GetConfig).to_bytes());
        assert_eq!(reply.result, Err(errors::AUTH_KEY_UNREGISTERED.into()));
        assert_eq!(reply.gone, [caller.auth_key_id]);
    }
}

#[test]
fn the_update_state_is_checked() {
    let mut server = Bench::new();
    let caller = server.stranger(1);
    let state = server.call(caller, &updates::GetState).unwrap();
    assert_eq!((state.pts, state.date), (1, NOW));
    let at = |pts| updates::GetDifference::new(pts, NOW, 0);
    let answer = server.call(caller, &at(1)).unwrap();
    assert!(matches!(answer, enums::updates::Difference::Empty(_)));
    server.refused(caller, &at(0), errors::PERSISTENT_TIMESTAMP_EMPTY);
    server.refused(caller, &at(5), errors::PERSISTENT_TIMESTAMP_INVALID);
}

#[test]
fn the_list_of_devices_says_where_and_what() {
    let mut server = Bench::new();
    let caller = server.demonstration(1);
    let device = server.call(caller, &account::GetAuthorizations).unwrap().authorizations.remove(0);
    assert_eq!((&*device.device_model, &*device.platform), ("Desk", "Linux"));
    assert_eq!((&*device.ip, &*device.country), ("127.0.0.1", "Loopback"));
    assert_eq!((device.api_id, device.date_created), (1, NOW));
    // A device that has too much to say is cut short.
    let mut talkative = init(help::GetConfig);
    talkative.query.device_model = "é".repeat(100_000).into();
    server.call(caller, &talkative).unwrap();
    let device = server.call(caller, &account::GetAuthorizations).unwrap().authorizations.remove(0);
    assert_eq!(device.device_model.chars().count(), 128);
    server.now += 61;
    let device = server.call(caller, &account::GetAuthorizations).unwrap().authorizations.remove(0);
    assert_eq!((device.date_created, device.date_active), (NOW, NOW + 61));
    assert!(server.call(caller, &account::UpdateStatus { offline: false }).unwrap());
    let enums::User::User(user) = server.call(caller, &me()).unwrap().remove(0) else {
        panic!("no user");
    };
    assert!(matches!(user.status, Some(enums::UserStatus::Online(_))));
}
