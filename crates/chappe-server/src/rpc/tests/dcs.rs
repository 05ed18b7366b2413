//! Several data centres: who is sent where, and what is taken along.

use super::*;

/// A number that lives in data centre 3.
const ABROAD: &str = PHONE;

/// Asserts that a caller is sent to another data centre.
fn sent_to<F: Function>(server: &mut Bench, caller: Caller, request: &F, name: ErrorName, dc: i32)
where
    F::Return: std::fmt::Debug,
{
    let failure = server.call(caller, request).unwrap_err();
    assert_eq!(failure, Failure::valued(name, dc.into()), "{}", F::NAME);
    assert_eq!(failure.code, 303);
}

fn export(dc_id: i32) -> auth::ExportAuthorization {
    auth::ExportAuthorization { dc_id }
}

fn import(exported: &types::auth::ExportedAuthorization) -> auth::ImportAuthorization {
    auth::ImportAuthorization { id: exported.id, bytes: exported.bytes.clone() }
}

/// Takes the device session of a caller to another data centre, with a new key there.
fn taken_to(server: &mut Bench, home: Caller, dc: i32, number: u8) -> Caller {
    let exported = server.call(home, &export(dc)).unwrap();
    let there = server.caller_in(dc, number);
    server.call(there, &import(&exported)).unwrap();
    there
}

fn devices(server: &mut Bench, caller: Caller) -> Vec<types::Authorization> {
    server.call(caller, &account::GetAuthorizations).unwrap().authorizations
}

fn my_id(server: &mut Bench, caller: Caller) -> i64 {
    match server.call(caller, &me()).unwrap().remove(0) {
        enums::User::User(user) => user.id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_configuration_lists_every_data_centre() {
    let mut server = Bench::several();
    for dc in 1..=3 {
        let caller = server.caller_in(dc, dc.try_into().unwrap());
        let config = server.call(caller, &help::GetConfig).unwrap();
        assert_eq!(config.this_dc, dc);
        let mut expected = vec![(1, 4431), (2, 4432), (3, 4433)];
        // Where the caller is, it knows better: it dialled 4433.
        expected[usize::try_from(dc - 1).unwrap()].1 = 4433;
        let found: Vec<_> = config.dc_options.iter().map(|dc| (dc.id, dc.port)).collect();
        assert_eq!(found, expected);
        assert!(config.dc_options.iter().all(|dc| !dc.ipv6 && &*dc.ip_address == "127.0.0.1"));
        let nearest = server.call(caller, &help::GetNearestDc).unwrap();
        assert_eq!((nearest.this_dc, nearest.nearest_dc), (dc, 2));
    }
}

#[test]
fn what_listens_everywhere_is_told_at_the_host_that_was_dialled() {
    let everywhere = |port| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    let six = SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, 7));
    let addresses = vec![(1, everywhere(5)), (2, everywhere(6)), (2, six)];
    let mut server = Bench::over(Dcs::up_to(2, 2).unwrap(), Site::new(addresses, Vec::new()));
    let caller = server.caller_in(2, 1);
    let options = server.call(caller, &help::GetConfig).unwrap().dc_options;
    let found: Vec<_> =
        options.iter().map(|dc| (dc.id, &*dc.ip_address, dc.port, dc.ipv6)).collect();
    let host = "127.0.0.1";
    assert_eq!(found, [(1, host, 5, false), (2, host, 4433, false), (2, "::1", 7, true)]);
}

#[test]
fn a_phone_number_is_sent_home() {
    let mut server = Bench::several();
    let (here, there) = (server.caller(1), server.caller_in(3, 2));
    let name = errors::PHONE_MIGRATE_X;
    sent_to(&mut server, here, &send_code(ABROAD), name, 3);
    sent_to(&mut server, here, &auth::SignIn::new("+999 66 31111", "0"), name, 3);
    let sign_up = auth::SignUp {
        no_joined_notifications: false,
        phone_number: ABROAD.into(),
        phone_code_hash: "0".into(),
        first_name: "Ada".into(),
        last_name: Text::default(),
    };
    sent_to(&mut server, here, &sign_up, name, 3);
    server.refused(here, &send_code("a word"), errors::PHONE_NUMBER_INVALID);
    server.refused(here, &send_code("9996641234"), errors::PHONE_NUMBER_INVALID);

    let hash = server.send_code(there, ABROAD);
    let sign_in =
        auth::SignIn { phone_code: Some("33333".into()), ..auth::SignIn::new(ABROAD, &*hash) };
    server.call(there, &sign_in).unwrap();
    server.call(there, &auth::SignUp { phone_code_hash: hash, ..sign_up }).unwrap();
    my_id(&mut server, there);
    // It has an account now, which still lives there.
    sent_to(&mut server, here, &send_code(ABROAD), name, 3);
}

#[test]
fn the_demonstration_account_lives_in_the_main_data_centre() {
    let mut server = Bench::several();
    let account = server.world.demonstration_accounts().unwrap().remove(0);
    assert_eq!(account.dc_id, 2);
    let there = server.caller_in(1, 1);
    sent_to(&mut server, there, &send_code(&account.phone), errors::PHONE_MIGRATE_X, 2);
    // Its number is one of 2, but it moves with the main one.
    let site = Site::new(vec![(1, local(4431)), (2, local(4432))], Vec::new());
    let mut moved = Bench::over(Dcs::up_to(2, 1).unwrap(), site);
    let main = moved.caller_in(1, 1);
    moved.sign_in(main, &account.phone, &account.code).unwrap();
    assert_eq!(moved.world.demonstration_accounts().unwrap()[0].dc_id, 1);
}

#[test]
fn numbers_of_a_data_centre_that_is_not_there_live_in_the_main_one() {
    let site = Site::new(vec![(1, local(4431)), (2, local(4432))], Vec::new());
    let mut server = Bench::over(Dcs::up_to(2, 2).unwrap(), site);
    let (main, other) = (server.caller(1), server.caller_in(1, 2));
    server.send_code(main, ABROAD);
    sent_to(&mut server, other, &send_code(ABROAD), errors::PHONE_MIGRATE_X, 2);
    assert_eq!(Dcs::up_to(2, 3), None);
    assert_eq!(Dcs::up_to(0, 2), None);
}

#[test]
fn one_of_the_bots_lives_abroad() {
    let mut server = Bench::several();
    let bots = server.world.bots().unwrap();
    assert_eq!(bots.iter().map(|bot| bot.dc_id).collect::<Vec<_>>(), [2, 2, 1]);
    let token = auth::ImportBotAuthorization::bot(&bots[2].token);
    let (here, there) = (server.caller(1), server.caller_in(1, 2));
    sent_to(&mut server, here, &token, errors::USER_MIGRATE_X, 1);
    server.refused(here, &me(), errors::AUTH_KEY_UNREGISTERED);
    server.call(there, &token).unwrap();
    assert_eq!(my_id(&mut server, there), bots[2].user_id);
    // What names no bot is not sent anywhere.
    let unknown = auth::ImportBotAuthorization::bot(&format!("{}:x", bots[2].user_id));
    server.refused(here, &unknown, errors::ACCESS_TOKEN_INVALID);
    // Alone, the main data centre is everybody's.
    let mut alone = Bench::new();
    assert!(alone.world.bots().unwrap().iter().all(|bot| bot.dc_id == 2));
    let here = alone.caller(1);
    let bots = alone.world.bots().unwrap();
    alone.call(here, &auth::ImportBotAuthorization::bot(&bots[2].token)).unwrap();
}

#[test]
fn a_device_session_is_taken_to_another_data_centre() {
    let mut server = Bench::several();
    let home = server.demonstration(1);
    let exported = server.call(home, &export(3)).unwrap();
    let id = my_id(&mut server, home);
    assert_eq!((exported.id, exported.bytes.len()), (id, 128));

    let there = server.caller_in(3, 2);
    server.refused(there, &me(), errors::AUTH_KEY_UNREGISTERED);
    let enums::auth::Authorization::Authorization(answer) =
        server.call(there, &import(&exported)).unwrap()
    else {
        panic!("not signed in");
    };
    assert!(matches!(answer.user, enums::User::User(user) if user.id == id && user.is_self));
    assert_eq!(my_id(&mut server, there), id);
    server.call(there, &help::GetAppConfig { hash: 0 }).unwrap();
    server.call(there, &langpack_strings()).unwrap();
    let name = errors::USER_MIGRATE_X;
    sent_to(&mut server, there, &account::GetWebAuthorizations, name, 2);
    sent_to(&mut server, there, &account::GetAuthorizations, name, 2);
    sent_to(&mut server, there, &updates::GetState, name, 2);
    sent_to(&mut server, there, &export(1), name, 2);

    // It is the same device, not another one, and its activity counts.
    server.now += 61;
    my_id(&mut server, there);
    let known = devices(&mut server, home);
    assert_eq!(known.len(), 1);
    assert!(known[0].current && known[0].date_active == NOW + 61);
    assert_eq!(devices(&mut server, home).len(), 1);
}

fn langpack_strings() -> chappe_api::langpack::GetStrings {
    chappe_api::langpack::GetStrings {
        lang_pack: "".into(),
        lang_code: "en".into(),
        keys: Vec::new(),
    }
}

#[test]
fn an_export_is_good_once_for_a_minute_where_it_was_made_for() {
    let mut server = Bench::several();
    let (home, stranger) = (server.demonstration(1), server.caller_in(3, 2));
    let invalid = errors::AUTH_BYTES_INVALID;
    let exported = server.call(home, &export(3)).unwrap();
    let elsewhere = server.caller_in(1, 3);
    server.refused(elsewhere, &import(&exported), invalid);
    let other = auth::ImportAuthorization { id: exported.id + 1, ..import(&exported) };
    server.refused(stranger, &other, errors::USER_ID_INVALID);
    let guessed = auth::ImportAuthorization { bytes: vec![7; 128].into(), ..import(&exported) };
    server.refused(stranger, &guessed, invalid);
    let empty = auth::ImportAuthorization { bytes: Bytes::new(), ..import(&exported) };
    server.refused(stranger, &empty, invalid);
    server.call(stranger, &import(&exported)).unwrap();
    server.refused(stranger, &import(&exported), invalid);

    let late = server.call(home, &export(3)).unwrap();
    server.now += 60;
    server.refused(stranger, &import(&late), invalid);

    // Those of a device session that is over are over, too; and of many only the last are good.
    let first = server.call(home, &export(3)).unwrap();
    server.now += 1;
    let many: Vec<_> = (0..16).map(|_| server.call(home, &export(3)).unwrap()).collect();
    server.refused(stranger, &import(&first), invalid);
    server.call(stranger, &import(&many[0])).unwrap();
    server.call(home, &auth::LogOut).unwrap();
    server.refused(stranger, &import(&many[1]), invalid);
}

#[test]
fn what_cannot_be_exported_is_refused_by_name() {
    let mut server = Bench::several();
    let (home, nobody) = (server.demonstration(1), server.caller(2));
    for dc in [2, 0, -1, 4, 10_002] {
        server.refused(home, &export(dc), errors::DC_ID_INVALID);
    }
    server.refused(nobody, &export(3), errors::AUTH_KEY_UNREGISTERED);
    let bot = server.bot(3);
    assert_eq!(server.call(bot, &export(3)).unwrap().id, my_id(&mut server, bot));
    let mut alone = Bench::new();
    let only = alone.demonstration(1);
    for dc in [1, 2, 3] {
        alone.refused(only, &export(dc), errors::DC_ID_INVALID);
    }
}

#[test]
fn what_was_imported_ends_with_its_device_session() {
    let mut server = Bench::several();
    let (home, keeper) = (server.demonstration(1), server.demonstration(2));
    let (there, further) = (taken_to(&mut server, home, 1, 3), taken_to(&mut server, home, 3, 4));
    // Signing out abroad ends nothing at home.
    server.call(further, &auth::LogOut).unwrap();
    server.refused(further, &me(), errors::AUTH_KEY_UNREGISTERED);
    my_id(&mut server, there);
    assert_eq!(devices(&mut server, home).len(), 2);

    server.now += DAY;
    let hash = devices(&mut server, keeper).iter().find(|row| !row.current).unwrap().hash;
    server.call(keeper, &account::ResetAuthorization { hash }).unwrap();
    server.refused(home, &me(), errors::SESSION_REVOKED);
    server.refused(there, &me(), errors::SESSION_REVOKED);

    let there = taken_to(&mut server, keeper, 1, 5);
    server.call(keeper, &auth::LogOut).unwrap();
    server.refused(there, &me(), errors::AUTH_KEY_UNREGISTERED);
}

#[test]
fn an_import_takes_the_place_of_what_the_key_was_before() {
    let mut server = Bench::several();
    let home = server.demonstration(1);
    let owner = my_id(&mut server, home);
    let abroad = server.caller_in(1, 2);
    let bots = server.world.bots().unwrap();
    let token = auth::ImportBotAuthorization::bot(&bots[2].token);
    server.call(abroad, &token).unwrap();
    let exported = server.call(home, &export(1)).unwrap();
    server.call(abroad, &import(&exported)).unwrap();
    assert_eq!(my_id(&mut server, abroad), owner);
    server.call(abroad, &token).unwrap();
    assert_eq!(my_id(&mut server, abroad), bots[2].user_id);
    server.call(abroad, &updates::GetState).unwrap();
}

#[test]
fn updates_go_home_only() {
    let mut server = Bench::several();
    let (home, second) = (server.demonstration(1), server.demonstration(2));
    let there = taken_to(&mut server, home, 3, 3);
    my_id(&mut server, there);
    let bot = server.world.bots().unwrap().remove(0);
    let access_hash = server.world.user(bot.user_id).unwrap().unwrap().access_hash;
    let peer = types::InputPeerUser { user_id: bot.user_id, access_hash };
    let block = contacts::Block { my_stories_from: false, id: peer.into() };
    let reply = server.raw(second, &block.to_bytes());
    assert_eq!(reply.pushes.len(), 1);
    assert_eq!(reply.pushes[0].auth_key_id, home.auth_key_id);
}

#[test]
fn a_login_token_is_taken_to_the_home_of_who_accepted_it() {
    let mut server = Bench::several();
    let owner = server.demonstration(1);
    let id = my_id(&mut server, owner);
    let new = server.caller_in(3, 2);
    let ask = auth::ExportLoginToken { api_id: 1, api_hash: API_HASH.into(), except_ids: vec![] };
    let enums::auth::LoginToken::LoginToken(shown) = server.call(new, &ask).unwrap() else {
        panic!("no token");
    };
    let reply =
        server.raw(owner, &auth::AcceptLoginToken { token: shown.token.clone() }.to_bytes());
    let device = types::Authorization::from_bytes(&reply.result.unwrap()).unwrap();
    assert_eq!(reply.pushes[0].auth_key_id, new.auth_key_id);

    let mut next = Vec::new();
    for _ in 0..2 {
        let login = server.call(new, &ask).unwrap();
        let enums::auth::LoginToken::MigrateTo(to) = login else { panic!("{login:?}") };
        assert_eq!(to.dc_id, 2);
        next.push(to.token);
    }
    // Whoever saw the picture has not seen what is shown at home.
    assert!(next[0] == next[1] && next[0] != shown.token);
    let (home, elsewhere) = (server.caller(3), server.caller_in(1, 4));
    let import = |token: &Bytes| auth::ImportLoginToken { token: token.clone() };
    server.refused(home, &import(&shown.token), errors::AUTH_TOKEN_INVALID);
    server.refused(elsewhere, &import(&next[0]), errors::AUTH_TOKEN_INVALID);
    server.refused(new, &import(&next[0]), errors::AUTH_TOKEN_INVALID);
    server.refused(new, &me(), errors::AUTH_KEY_UNREGISTERED);

    let login = server.call(home, &import(&next[0])).unwrap();
    assert!(matches!(login, enums::auth::LoginToken::Success(_)), "{login:?}");
    assert_eq!(my_id(&mut server, home), id);
    assert!(devices(&mut server, owner).iter().any(|row| row.hash == device.hash));
    server.refused(server_again(home), &import(&next[0]), errors::AUTH_TOKEN_ALREADY_ACCEPTED);
    server.refused(elsewhere, &import(&next[0]), errors::AUTH_TOKEN_INVALID);
}

/// The same caller in another session.
fn server_again(caller: Caller) -> Caller {
    Caller { session_id: 2, ..caller }
}

#[test]
fn a_login_token_that_was_sent_on_ends_with_its_time() {
    let mut server = Bench::several();
    let owner = server.demonstration(1);
    let (new, home) = (server.caller_in(3, 2), server.caller(3));
    let ask = auth::ExportLoginToken { api_id: 1, api_hash: API_HASH.into(), except_ids: vec![] };
    let enums::auth::LoginToken::LoginToken(shown) = server.call(new, &ask).unwrap() else {
        panic!("no token");
    };
    server.call(owner, &auth::AcceptLoginToken { token: shown.token }).unwrap();
    let login = server.call(new, &ask).unwrap();
    let enums::auth::LoginToken::MigrateTo(to) = login else { panic!("{login:?}") };
    server.now += 300;
    server.refused(home, &auth::ImportLoginToken { token: to.token }, errors::AUTH_TOKEN_EXPIRED);
}

#[test]
fn a_void_key_says_why() {
    let mut server = Bench::several();
    for (number, reason, name) in [
        (1, Void::Revoked, errors::SESSION_REVOKED),
        (2, Void::Deactivated, errors::USER_DEACTIVATED),
        (3, Void::Duplicated, errors::AUTH_KEY_DUPLICATED),
    ] {
        let home = server.demonstration(number);
        let there = taken_to(&mut server, home, 3, 10 + number);
        let key = home.auth_key_id;
        server.world.transaction(|world| world.void_key(key, reason)).unwrap();
        server.refused(home, &me(), name);
        server.refused(home, &account::GetWebAuthorizations, name);
        server.refused(there, &me(), name);
        let account = server.world.demonstration_accounts().unwrap().remove(0);
        if reason == Void::Duplicated {
            // Nothing can be done with such a key.
            server.refused(home, &help::GetConfig, name);
            server.refused(home, &send_code(&account.phone), name);
        } else {
            server.sign_in(home, &account.phone, &account.code).unwrap();
            my_id(&mut server, home);
            server.refused(there, &me(), name);
        }
    }
    let nobody = server.world.transaction(|world| world.void_key(1, Void::Revoked));
    nobody.unwrap();
}
