//! Stories of the world alone: rows, times and random numbers.

use std::{net::Ipv4Addr, path::Path};

use chappe_api::errors;
use chappe_crypto::{
    AuthKey,
    dh::Group,
    srp::{Algorithm, Password},
};
use chappe_tl::ErrorName;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::{
    sign_in::{is_phone, password::CurrentPassword},
    *,
};
use crate::{
    Error,
    letters::{Subject, Way},
};

mod url_auth;

const NOW: i32 = 1_800_000_000;
const PHONE: &str = "9996631111";

fn open(directory: Option<&Path>, seed: u8) -> Result<World, Error> {
    World::open(Origin { directory, seed: [seed; 32], codes: test_code, dcs: Dcs::one(2) }, NOW)
}

fn world() -> World {
    open(None, 1).unwrap()
}

/// A caller with a key of its own.
fn caller(world: &mut World, number: u8) -> Caller {
    let key = AuthKey::from_bytes([number; 256]);
    world.transaction(|world| world.add_key(NOW, 2, &key, None)).unwrap();
    Caller { auth_key_id: key.id(), dc: 2, session_id: 1, ip: Ipv4Addr::LOCALHOST.into() }
}

fn refused<T: fmt::Debug>(outcome: Result<T, Failure>, name: ErrorName) {
    assert_eq!(outcome.unwrap_err(), Failure::from(name));
}

fn demonstration(world: &World) -> i64 {
    world.demonstration_accounts().unwrap()[0].user_id
}

/// Asks for a code as a client does that allows nothing in particular.
fn send_code(world: &mut World, now: i32, caller: Caller, phone: &str) -> Outcome<SentCode> {
    match world.send_code(now, caller, phone, Settings::default())? {
        Sent::Code(sent) => Ok(sent),
        Sent::Done(user) => panic!("signed in as {user}"),
    }
}

/// Signs up and signs in; returns the user.
fn sign_up(world: &mut World, caller: Caller, phone: &str) -> i64 {
    let code = test_code(phone).unwrap();
    world
        .transaction(|world| {
            let sent = send_code(world, NOW, caller, phone)?;
            assert_eq!(
                world.sign_in(NOW, caller, phone, &sent.hash, Typed::Phone(&code))?,
                SignIn::SignUpRequired
            );
            world.sign_up(NOW, caller, phone, &sent.hash, ("Ada", ""))
        })
        .unwrap()
}

#[test]
fn the_same_seed_makes_the_same_world() {
    let (a, b, other) = (world(), world(), open(None, 2).unwrap());
    assert_eq!(a.demonstration_accounts().unwrap(), b.demonstration_accounts().unwrap());
    assert_eq!(a.bots().unwrap(), b.bots().unwrap());
    let rows = |world: &World| world.web_authorizations(demonstration(world)).unwrap();
    assert_eq!(rows(&a), rows(&b));
    assert_ne!(a.bots().unwrap(), other.bots().unwrap());
}

#[test]
fn the_demonstration_account_has_awkward_web_sessions() {
    let world = world();
    let rows = world.web_authorizations(demonstration(&world)).unwrap();
    assert!(rows.len() >= 5);
    assert!(rows.iter().any(|row| row.hash < 0));
    assert!(rows.iter().any(|row| row.active == 0));
    assert!(rows.iter().any(|row| row.login.domain.len() >= 254));
    assert!(rows.iter().any(|row| !row.login.region.is_ascii()));
    let bots: BTreeSet<_> = rows.iter().map(|row| row.bot_id).collect();
    assert!(bots.len() < rows.len());
    assert!(world.bots().unwrap().len() >= 2);
    // The last used comes first; what was never used counts from its making.
    let when = |row: &WebAuthorization| if row.active == 0 { row.created } else { row.active };
    assert!(rows.is_sorted_by(|a, b| when(a) >= when(b)));
}

#[test]
fn test_numbers_have_codes_of_their_own_and_what_is_no_number_gets_none() {
    assert_eq!(test_code("9996621234").as_deref(), Some("22222"));
    assert_eq!(test_code("9996611234").as_deref(), Some("11111"));
    for phone in ["9996641234", "999662123", "99966212345", "15550100", "", "99966"] {
        assert_eq!(test_code(phone), None, "{phone}");
    }
    assert_eq!(is_phone("+999 66-2 1234").as_deref(), Some("9996621234"));
    for text in ["", "+", "abc", "99 96+6", "1234567890123456"] {
        assert_eq!(is_phone(text), None, "{text}");
    }
    let mut world = world();
    let caller = caller(&mut world, 1);
    let invalid =
        ["9996641234", "999662123", "99966212345", "555010", "0155501002", "not a number"];
    for phone in invalid {
        let sent = world.transaction(|world| send_code(world, NOW, caller, phone));
        refused(sent, errors::PHONE_NUMBER_INVALID);
    }
}

#[test]
fn a_code_bears_five_tries() {
    let mut world = world();
    let caller = caller(&mut world, 1);
    let sent = world.transaction(|world| send_code(world, NOW, caller, PHONE)).unwrap();
    let mut wrong = || {
        world.transaction(|world| {
            world.sign_in(NOW, caller, PHONE, &sent.hash, Typed::Phone("11111"))
        })
    };
    for _ in 0..4 {
        refused(wrong(), errors::PHONE_CODE_INVALID);
    }
    refused(wrong(), errors::PHONE_CODE_EXPIRED);
    let right = world
        .transaction(|world| world.sign_in(NOW, caller, PHONE, &sent.hash, Typed::Phone("33333")));
    refused(right, errors::PHONE_CODE_EXPIRED);
}

#[test]
fn a_code_is_bound_to_key_phone_and_time() {
    let mut world = world();
    let (mine, other) = (caller(&mut world, 1), caller(&mut world, 2));
    let sent = world.transaction(|world| send_code(world, NOW, mine, PHONE)).unwrap();
    let mut sign_in = |now, caller, phone: &str, hash: &str, code: &str| {
        world.transaction(|world| world.sign_in(now, caller, phone, hash, Typed::Phone(code)))
    };
    refused(sign_in(NOW, other, PHONE, &sent.hash, "33333"), errors::PHONE_CODE_EXPIRED);
    refused(sign_in(NOW, mine, "9996632222", &sent.hash, "33333"), errors::PHONE_CODE_EXPIRED);
    refused(sign_in(NOW, mine, PHONE, "0123", "33333"), errors::PHONE_CODE_EXPIRED);
    refused(sign_in(NOW, mine, PHONE, &sent.hash, ""), errors::PHONE_CODE_EMPTY);
    refused(sign_in(NOW, mine, "?", &sent.hash, "33333"), errors::PHONE_NUMBER_INVALID);
    refused(sign_in(NOW + 300, mine, PHONE, &sent.hash, "33333"), errors::PHONE_CODE_EXPIRED);
    let right = sign_in(NOW + 299, mine, "+999 663 1111", &sent.hash, "33333");
    assert_eq!(right.unwrap(), SignIn::SignUpRequired);
}

#[test]
fn a_code_sent_again_lives_longer_and_a_cancelled_one_does_not() {
    let mut world = world();
    let caller = caller(&mut world, 1);
    let sent = world.transaction(|world| send_code(world, NOW, caller, PHONE)).unwrap();
    let again = world.transaction(|world| world.resend_code(NOW + 200, caller, PHONE, &sent.hash));
    assert_eq!(again.unwrap().hash, sent.hash);
    world.transaction(|world| world.cancel_code(NOW + 400, caller, PHONE, &sent.hash)).unwrap();
    let late = world
        .transaction(|world| world.sign_in(NOW, caller, PHONE, &sent.hash, Typed::Phone("33333")));
    refused(late, errors::PHONE_CODE_EXPIRED);
    let first = world.transaction(|world| send_code(world, NOW, caller, PHONE)).unwrap();
    let second = world.transaction(|world| send_code(world, NOW, caller, PHONE)).unwrap();
    assert!(first != second);
    let old = world
        .transaction(|world| world.sign_in(NOW, caller, PHONE, &first.hash, Typed::Phone("33333")));
    refused(old, errors::PHONE_CODE_EXPIRED);
}

#[test]
fn what_is_over_makes_room() {
    let mut world = world();
    let mine = caller(&mut world, 1);
    let count = |world: &World, table: &str| -> i64 {
        let count = format!("SELECT count(*) FROM {table}");
        world.db.query_row(&count, [], |row| row.get(0)).unwrap()
    };
    let temporary = AuthKey::from_bytes([9; 256]);
    world.transaction(|world| world.add_key(NOW, 2, &temporary, Some(NOW + 60))).unwrap();
    assert_eq!(count(&world, "auth_keys"), 2);
    let next = AuthKey::from_bytes([8; 256]);
    world.transaction(|world| world.add_key(NOW + 59, 2, &next, None)).unwrap();
    assert_eq!(count(&world, "auth_keys"), 3);
    world.transaction(|world| world.add_key(NOW + 60, 2, &next, None)).unwrap();
    assert_eq!(count(&world, "auth_keys"), 2);

    world.transaction(|world| send_code(world, NOW, mine, PHONE)).unwrap();
    world.transaction(|world| send_code(world, NOW + 299, mine, "9996632222")).unwrap();
    assert_eq!(count(&world, "login_codes"), 2);
    world.transaction(|world| send_code(world, NOW + 300, mine, "9996633333")).unwrap();
    assert_eq!(count(&world, "login_codes"), 2);

    // Who asks for test numbers is not counted, unless that was ordered.
    assert_eq!(count(&world, "floods"), 0);
    for (asked, number) in [(0, "15550100200"), (86_399, "15550100201"), (86_400, "15550100202")] {
        world.transaction(|world| send_code(world, NOW + asked, mine, number)).unwrap();
    }
    assert_eq!(count(&world, "floods"), 2);
}

#[test]
fn signing_up_takes_a_shown_code_and_a_name() {
    let mut world = world();
    let caller = caller(&mut world, 1);
    let sent = world.transaction(|world| send_code(world, NOW, caller, PHONE)).unwrap();
    let mut sign_up = |first: &str, last: &str| {
        world.transaction(|world| world.sign_up(NOW, caller, PHONE, &sent.hash, (first, last)))
    };
    refused(sign_up("Ada", ""), errors::PHONE_CODE_INVALID);
    let shown = world
        .transaction(|world| world.sign_in(NOW, caller, PHONE, &sent.hash, Typed::Phone("33333")));
    assert_eq!(shown.unwrap(), SignIn::SignUpRequired);
    let mut sign_up = |first: &str, last: &str| {
        world.transaction(|world| world.sign_up(NOW, caller, PHONE, &sent.hash, (first, last)))
    };
    refused(sign_up(" ", ""), errors::FIRSTNAME_INVALID);
    refused(sign_up(&"a".repeat(65), ""), errors::FIRSTNAME_INVALID);
    refused(sign_up("Ada", &"b".repeat(65)), errors::LASTNAME_INVALID);
    for more in ["\nusername=durov", "\u{0}", "\r", "\u{1b}[2J", "\u{85}"] {
        let name = format!("Ada{more}L");
        refused(sign_up(&name, ""), errors::FIRSTNAME_INVALID);
        refused(sign_up("Ada", &name), errors::LASTNAME_INVALID);
    }
    let user = sign_up("Ada", "Lovelace").unwrap();
    refused(sign_up("Ada", "Lovelace"), errors::PHONE_CODE_EXPIRED);
    assert_eq!(world.key_state(caller.auth_key_id).unwrap().unwrap().user_id, Some(user));
    assert_eq!(world.state(user).unwrap().pts, 1);
}

#[test]
fn bots_are_known_by_their_whole_token() {
    let world = world();
    let bot = world.bots().unwrap().remove(0);
    assert_eq!(world.bot_by_token(&bot.token).unwrap().unwrap().id, bot.user_id);
    let mut wrong = bot.token.clone();
    wrong.pop();
    let user = demonstration(&world);
    for token in [wrong.as_str(), "", ":", "1:x", &format!("{user}:"), &bot.user_id.to_string()] {
        assert_eq!(world.bot_by_token(token).unwrap(), None);
    }
}

#[test]
fn web_sessions_belong_to_their_account() {
    let mut world = world();
    let other = caller(&mut world, 1);
    let other = sign_up(&mut world, other, PHONE);
    let owner = demonstration(&world);
    let hashes: Vec<_> =
        world.web_authorizations(owner).unwrap().iter().map(|row| row.hash).collect();
    for hash in [0, 1, i64::MIN, hashes[0]] {
        let reset = world.transaction(|world| world.reset_web_authorization(other, hash));
        refused(reset, errors::HASH_INVALID);
    }
    world.transaction(|world| world.reset_web_authorization(owner, hashes[0])).unwrap();
    let again = world.transaction(|world| world.reset_web_authorization(owner, hashes[0]));
    refused(again, errors::HASH_INVALID);
    let left: Vec<_> =
        world.web_authorizations(owner).unwrap().iter().map(|row| row.hash).collect();
    assert_eq!(left, hashes[1..]);
    world.transaction(|world| world.reset_web_authorizations(other)).unwrap();
    assert_eq!(world.web_authorizations(owner).unwrap().len(), left.len());
    for _ in 0..2 {
        world.transaction(|world| world.reset_web_authorizations(owner)).unwrap();
        assert_eq!(world.web_authorizations(owner).unwrap(), []);
    }
}

#[test]
fn device_and_web_hashes_do_not_mix() {
    let mut world = world();
    let (mine, phone) = (caller(&mut world, 1), caller(&mut world, 2));
    let user = demonstration(&world);
    world.transaction(|world| world.authorize(NOW, mine, user)).unwrap();
    let device = world.transaction(|world| world.authorize(NOW, phone, user)).unwrap();
    let web = world.web_authorizations(user).unwrap()[0].hash;
    let late = NOW + 86_400;
    let reset = world.transaction(|world| world.reset_web_authorization(user, device));
    refused(reset, errors::HASH_INVALID);
    let mut reset = |now, hash| {
        world.transaction(|world| world.reset_authorization(now, user, mine.auth_key_id, hash))
    };
    refused(reset(late, web), errors::HASH_INVALID);
    refused(reset(late, 0), errors::HASH_INVALID);
    // A young session ends no other one, but learns as little about hashes as an old one.
    refused(reset(NOW, web), errors::HASH_INVALID);
    refused(reset(late - 1, device), errors::FRESH_RESET_AUTHORISATION_FORBIDDEN);
    reset(late, device).unwrap();
    refused(reset(late, device), errors::HASH_INVALID);
    assert_eq!(world.key_state(phone.auth_key_id).unwrap().unwrap().user_id, None);
    assert_eq!(world.key_state(mine.auth_key_id).unwrap().unwrap().user_id, Some(user));
}

#[test]
fn all_other_device_sessions_end_at_once() {
    let mut world = world();
    let callers = [1, 2, 3].map(|number| caller(&mut world, number));
    let user = demonstration(&world);
    for caller in callers {
        world.transaction(|world| world.authorize(NOW, caller, user)).unwrap();
    }
    let key = callers[0].auth_key_id;
    let early = world.transaction(|world| world.reset_authorizations(NOW, user, key));
    refused(early, errors::FRESH_RESET_AUTHORISATION_FORBIDDEN);
    world.transaction(|world| world.reset_authorizations(NOW + 86_400, user, key)).unwrap();
    let left = world.authorizations(NOW, user, key).unwrap();
    assert_eq!(left.len(), 1);
    assert!(left[0].current);
}

#[test]
fn a_password_guards_an_account() {
    let mut world = world();
    let caller = caller(&mut world, 1);
    let user = sign_up(&mut world, caller, PHONE);
    let key = caller.auth_key_id;
    let mut rng = ChaCha20Rng::from_seed([9; 32]);
    let password = Password::new("correct horse");

    let form = world.transaction(|world| world.begin_password(NOW, key, Some(user))).unwrap();
    assert!(form.current.is_none());
    let mut salt1 = form.new_salt1.clone();
    salt1.extend([7; 32]);
    let algorithm = Algorithm { salt1, salt2: form.new_salt2.clone(), group: Group::known() };
    let verifier = algorithm.verifier(&algorithm.password_hash(&password)).to_vec();
    let set = |salt1: &[u8], g, verifier: &[u8]| NewPassword::Set {
        salt1: salt1.to_vec(),
        salt2: form.new_salt2.clone(),
        g,
        p: algorithm.group.p().to_vec(),
        verifier: verifier.to_vec(),
        hint: "xkcd".to_owned(),
    };
    let mut change = |new| world.transaction(|world| world.set_password(user, new));
    refused(change(set(&[7; 40], 3, &verifier)), errors::NEW_SALT_INVALID);
    refused(change(set(&algorithm.salt1[..39], 3, &verifier)), errors::NEW_SALT_INVALID);
    refused(change(set(&algorithm.salt1, 2, &verifier)), errors::NEW_SETTINGS_INVALID);
    refused(change(set(&algorithm.salt1, 3, &[1; 255])), errors::NEW_SETTINGS_INVALID);
    refused(change(set(&algorithm.salt1, 3, &[0; 256])), errors::NEW_SETTINGS_INVALID);
    change(set(&algorithm.salt1, 3, &verifier)).unwrap();

    let mut begin = || {
        let form = world.transaction(|world| world.begin_password(NOW, key, Some(user))).unwrap();
        form.current.unwrap()
    };
    let mut answer = |current: &CurrentPassword, password: &Password| {
        chappe_crypto::srp::answer(&algorithm, password, &current.srp_b, &[], &mut rng).unwrap()
    };
    let (first, second) = (begin(), begin());
    assert_eq!(second.hint, "xkcd");
    assert_ne!((first.srp_id, first.srp_b), (second.srp_id, second.srp_b));
    let mut check = |now, srp_id, answer: &chappe_crypto::srp::Answer| {
        let proof = PasswordProof::Srp { srp_id, a: &answer.a, m1: &answer.m1 };
        world.transaction(|world| world.check_password(now, key, user, proof))
    };
    let old = answer(&first, &password);
    refused(check(NOW, first.srp_id, &old), errors::SRP_ID_INVALID);
    let wrong = answer(&second, &Password::new("Correct horse"));
    refused(check(NOW, second.srp_id, &wrong), errors::PASSWORD_HASH_INVALID);
    let used_up = answer(&second, &password);
    refused(check(NOW, second.srp_id, &used_up), errors::SRP_ID_INVALID);

    let mut begin = || {
        let form = world.transaction(|world| world.begin_password(NOW, key, Some(user))).unwrap();
        form.current.unwrap()
    };
    let (third, late) = (begin(), answer(&second, &password));
    let right = answer(&third, &password);
    let mut check = |now, srp_id, answer: &chappe_crypto::srp::Answer| {
        let proof = PasswordProof::Srp { srp_id, a: &answer.a, m1: &answer.m1 };
        world.transaction(|world| world.check_password(now, key, user, proof))
    };
    refused(check(NOW + 600, third.srp_id, &late), errors::SRP_ID_INVALID);
    check(NOW + 599, third.srp_id, &right).unwrap();
    let empty =
        world.transaction(|world| world.check_password(NOW, key, user, PasswordProof::Empty));
    refused(empty, errors::PASSWORD_HASH_INVALID);

    // A right code is half of a sign-in now.
    world.transaction(|world| world.sign_out(key)).unwrap();
    let sent = world.transaction(|world| send_code(world, NOW, caller, PHONE)).unwrap();
    let half = world
        .transaction(|world| world.sign_in(NOW, caller, PHONE, &sent.hash, Typed::Phone("33333")));
    refused(half, errors::SESSION_PASSWORD_NEEDED);
    let state = world.key_state(key).unwrap().unwrap();
    assert_eq!((state.user_id, state.pending_user_id), (None, Some(user)));

    world.transaction(|world| world.set_password(user, NewPassword::Removed)).unwrap();
    assert!(!world.has_password(user).unwrap());
}

#[test]
fn an_account_begins_at_pts_1() {
    let world = world();
    let user = demonstration(&world);
    assert_eq!(world.state(user).unwrap(), State { pts: 1, qts: 0, seq: 0, unread: 0 });
    assert_eq!(world.difference(user, 1, None, None).unwrap(), Difference::Empty);
    let name = |pts| match world.difference(user, pts, None, None).unwrap_err() {
        Stop::Refused(failure) => failure,
        other => panic!("{other:?}"),
    };
    assert_eq!(name(0), errors::PERSISTENT_TIMESTAMP_EMPTY.into());
    assert_eq!(name(2), errors::PERSISTENT_TIMESTAMP_INVALID.into());
    assert_eq!(name(-1), errors::PERSISTENT_TIMESTAMP_INVALID.into());
}

#[test]
fn a_temporary_key_ends_with_its_time() {
    let mut world = world();
    let key = AuthKey::from_bytes([8; 256]);
    world.transaction(|world| world.add_key(NOW, 2, &key, Some(NOW + 60))).unwrap();
    assert!(world.key(NOW + 59, 2, key.id()).unwrap().is_some());
    assert!(world.key(NOW + 60, 2, key.id()).unwrap().is_none());
    assert!(world.key_state(key.id()).unwrap().unwrap().expires.is_some());
    world.transaction(|world| world.forget_key(key.id())).unwrap();
    assert!(world.key(NOW, 2, key.id()).unwrap().is_none());
}

#[test]
fn a_broken_database_undoes_the_whole_request() {
    let mut world = world();
    let user = demonstration(&world);
    let before = world.web_authorizations(user).unwrap().len();
    let outcome: Result<(), _> = world.transaction(|world| {
        world.reset_web_authorizations(user)?;
        Ok(world.db.execute_batch("SELECT * FROM a_table_that_is_not_there")?)
    });
    assert_eq!(outcome.unwrap_err(), Failure::INTERNAL);
    assert_eq!(world.web_authorizations(user).unwrap().len(), before);
    world.transaction(|world| world.reset_web_authorizations(user)).unwrap();
}

#[test]
fn what_was_committed_is_there_when_the_file_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut world = open(Some(directory.path()), 1).unwrap();
    let bots = world.bots().unwrap();
    let mine = caller(&mut world, 1);
    let user = sign_up(&mut world, mine, PHONE);
    let owner = demonstration(&world);
    world.transaction(|world| world.reset_web_authorizations(owner)).unwrap();
    // As after a kill: nothing is closed, the next opening sees the files as they are now.
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    for directory in [copy.path(), {
        drop(world);
        directory.path()
    }] {
        let again = open(Some(directory), 1).unwrap();
        assert_eq!(again.bots().unwrap(), bots);
        assert_eq!(again.key_state(mine.auth_key_id).unwrap().unwrap().user_id, Some(user));
        assert_eq!(again.key(NOW, 2, mine.auth_key_id).unwrap().unwrap().id(), mine.auth_key_id);
        assert_eq!(again.web_authorizations(owner).unwrap(), []);
    }
}

#[test]
fn a_world_opened_again_draws_other_random_numbers() {
    let directory = tempfile::tempdir().unwrap();
    let mut seen = BTreeSet::new();
    for _ in 0..3 {
        let mut world = open(Some(directory.path()), 1).unwrap();
        assert!(seen.insert(world.random::<16>()));
    }
}

#[test]
fn a_directory_serves_one_world_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(Some(directory.path()), 1).unwrap();
    assert!(matches!(open(Some(directory.path()), 1), Err(Error::DataInUse(_))));
    drop(first);
    open(Some(directory.path()), 1).unwrap();
}

#[test]
fn what_is_no_state_is_named_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("chappe.sqlite");
    std::fs::write(&file, "a letter to somebody").unwrap();
    let Err(error @ Error::NoDatabase(_)) = open(Some(directory.path()), 1) else {
        panic!("opened a letter");
    };
    assert!(error.to_string().contains(&*file.to_string_lossy()), "{error}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "a letter to somebody");
    let Err(error @ Error::Data { .. }) = open(Some(&file), 1) else { panic!("opened a file") };
    assert!(error.to_string().contains("not a directory"), "{error}");
}

/// Writes a file as the program did that knew version 1 of the schema.
fn write_version_1(file: &Path) {
    let db = rusqlite::Connection::open(file).unwrap();
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON").unwrap();
    db.execute_batch(include_str!("schema.sql")).unwrap();
    db.execute_batch(
        "INSERT INTO meta VALUES ('opened', 7), ('password_salt1', x'01'), ('password_salt2', x'02');
         INSERT INTO users (id, access_hash, phone, bot_token, username, first_name, demonstration,
                            active) VALUES
           (1, 11, '9996621234', NULL, NULL, 'Claude', 1, 5),
           (2, 12, '9996631111', NULL, NULL, 'Ada', 0, 5),
           (3, 13, '15550100', NULL, NULL, 'Grace', 0, 5),
           (4, 14, NULL, '4:a', 'ColumbusDemoBot', 'Columbus Travel', 0, 5),
           (5, 15, NULL, '5:b', 'SemaphoreShopBot', 'Semaphore Shop', 0, 5);
         INSERT INTO web_authorizations VALUES (-9, 1, 4, 'example.com', 'B', 'P', 5, 0, 'I', 'R');
         PRAGMA user_version = 1",
    )
    .unwrap();
    for (number, user) in [(1, 1), (2, 2)] {
        let key = AuthKey::from_bytes([number; 256]);
        db.execute(
            "INSERT INTO auth_keys (id, key, created, layer, api_id) VALUES (?1, ?2, 5, 214, 1)",
            rusqlite::params![key.id(), key.as_bytes().as_slice()],
        )
        .unwrap();
        db.execute(
            "INSERT INTO authorizations VALUES (?1, ?2, ?2, 5, 5, '127.0.0.1')",
            [key.id(), user],
        )
        .unwrap();
    }
    db.execute(
        "INSERT INTO login_codes VALUES ('aa', ?1, ?2, '33333', ?3, 5, 0)",
        rusqlite::params![AuthKey::from_bytes([1; 256]).id(), PHONE, NOW],
    )
    .unwrap();
}

#[test]
fn a_file_of_version_1_is_brought_up() {
    let directory = tempfile::tempdir().unwrap();
    write_version_1(&directory.path().join("chappe.sqlite"));
    let open = |dcs| {
        let origin =
            Origin { directory: Some(directory.path()), seed: [1; 32], codes: test_code, dcs };
        World::open(origin, NOW).unwrap()
    };
    // Once it is brought up, and once it has been.
    for dcs in [Dcs::up_to(3, 2).unwrap(), Dcs::up_to(3, 2).unwrap(), Dcs::one(2)] {
        let world = open(dcs);
        for (number, user) in [(1, 1), (2, 2)] {
            let key = AuthKey::from_bytes([number; 256]);
            assert_eq!(world.key(NOW, 2, key.id()).unwrap().unwrap().as_bytes(), key.as_bytes());
            assert!(world.key(NOW, 1, key.id()).unwrap().is_none());
            let state = world.key_state(key.id()).unwrap().unwrap();
            assert_eq!((state.user_id, state.home_key_id), (Some(user), Some(key.id())));
            assert_eq!((state.layer, state.void, state.expires), (Some(214), None, None));
        }
        let homes: Vec<_> =
            (1..=5).map(|id| world.home(&world.user(id).unwrap().unwrap())).collect();
        let several = dcs.contains(3);
        assert_eq!(homes, if several { [2, 3, 2, 2, 1] } else { [2; 5] });
        assert_eq!(world.web_authorizations(1).unwrap()[0].hash, -9);
        let domains: Vec<_> = [1, 4, 5].map(|id| world.bot_domain(id).unwrap()).into();
        let [columbus, semaphore] = ["travel.example.com", "shop.example.net"].map(str::to_owned);
        assert_eq!(domains, [None, Some(columbus), Some(semaphore)]);
    }
    // A code that was on its way still is.
    let mut upgraded = open(Dcs::one(2));
    let key = AuthKey::from_bytes([1; 256]);
    let ip = Ipv4Addr::LOCALHOST.into();
    let caller = Caller { auth_key_id: key.id(), dc: 2, session_id: 1, ip };
    let right = upgraded
        .transaction(|world| world.sign_in(NOW, caller, PHONE, "aa", Typed::Phone("33333")))
        .unwrap();
    assert_eq!(right, SignIn::Done(2));
    drop(upgraded);
    // It has the same tables as a new one.
    let tables = |world: &World| -> Vec<(String, String)> {
        let mut statement = world
            .db
            .prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
            .unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    assert_eq!(tables(&open(Dcs::one(2))), tables(&world()));
}

#[test]
fn the_last_letters_are_kept_and_no_number_comes_twice() {
    let directory = tempfile::tempdir().unwrap();
    let mut world = open(Some(directory.path()), 1).unwrap();
    let send = |world: &mut World, to: &str| {
        world.send_letter(NOW, Way::Email, to, Subject::PasswordRecovery, "123456")
    };
    for _ in 0..300 {
        world.transaction(|world| send(world, "Ada@Example.ORG")).unwrap();
    }
    let undone: Result<(), _> = world.transaction(|world| {
        send(world, "ada@example.org")?;
        Err(Stop::Undone)
    });
    assert_eq!(undone.unwrap_err(), Failure::INTERNAL);
    world.transaction(|world| send(world, "+999 66 2 1234")).unwrap();
    drop(world);
    let world = open(Some(directory.path()), 1).unwrap();
    let letters = world.letters().unwrap();
    let ids: Vec<_> = letters.iter().map(|letter| letter.id).collect();
    assert_eq!(ids, (47..=300).chain([302]).collect::<Vec<_>>());
    assert_eq!(world.last_letter(), 302);
    let (first, last) = (&letters[0], letters.last().unwrap());
    assert_eq!((first.to.as_str(), last.to.as_str()), ("ada@example.org", "9996621234"));
    assert_eq!((last.date, last.way, last.subject), (NOW, Way::Email, Subject::PasswordRecovery));
    assert!(last.text.contains("123456") && last.caller.is_none());
    let shown = format!("{letters:?}");
    assert!(!shown.contains("123456") && !shown.contains("example") && !shown.contains("9996"));
}

#[test]
fn a_void_key_of_version_2_stays_void() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("chappe.sqlite");
    write_version_1(&file);
    let keys = [1, 2].map(|number| AuthKey::from_bytes([number; 256]).id());
    let db = rusqlite::Connection::open(&file).unwrap();
    db.execute_batch(include_str!("schema_2.sql")).unwrap();
    db.execute("UPDATE auth_keys SET void = 'revoked' WHERE id = ?1", [keys[1]]).unwrap();
    db.pragma_update(None, "user_version", 2).unwrap();
    drop(db);
    let world = open(Some(directory.path()), 1).unwrap();
    let void = keys.map(|key| world.key_state(key).unwrap().unwrap().void);
    assert_eq!(void, [None, Some(Void::Revoked)]);
    let [device] = &world.authorizations(NOW, 1, keys[0]).unwrap()[..] else { panic!("no device") };
    assert!(device.current && !device.unconfirmed && !device.password_pending);
    assert_eq!(world.session_ttl(1).unwrap(), 180);
}

#[test]
fn an_account_of_version_3_gets_messages() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("chappe.sqlite");
    write_version_1(&file);
    let db = rusqlite::Connection::open(&file).unwrap();
    db.execute_batch(include_str!("schema_2.sql")).unwrap();
    db.execute_batch(include_str!("schema_3.sql")).unwrap();
    db.execute("UPDATE users SET pts = 7 WHERE id = 2", []).unwrap();
    db.pragma_update(None, "user_version", 3).unwrap();
    drop(db);
    // Once it is brought up, and once it has been.
    for round in 1..=2 {
        let mut world = open(Some(directory.path()), 1).unwrap();
        let service = world.user(SERVICE_ID).unwrap().unwrap();
        assert_eq!((service.first_name.as_str(), service.bot), ("Telegram", false));
        let write = |world: &mut World| world.service_message(NOW, 2, NewMessage::text("Hello"));
        assert_eq!(world.transaction(write).unwrap(), round);
        let state = world.state(2).unwrap();
        assert_eq!((state.pts, state.unread), (7 + round, round));
        // What happened before there was a log cannot be told.
        let Ok(Difference::Events { events, .. }) = world.difference(2, 7, None, None) else {
            panic!("no events");
        };
        assert_eq!(i32::try_from(events.len()), Ok(round));
        assert!(matches!(world.difference(2, 3, None, None), Ok(Difference::TooLong(_))));
    }
}

#[test]
fn a_key_is_looked_for_in_its_data_centre_only() {
    let directory = tempfile::tempdir().unwrap();
    let key = AuthKey::from_bytes([9; 256]);
    let mut world = open(Some(directory.path()), 1).unwrap();
    world.transaction(|world| world.add_key(NOW, 3, &key, None)).unwrap();
    drop(world);
    let world = open(Some(directory.path()), 1).unwrap();
    let found: Vec<_> = (1..=4).map(|dc| world.key(NOW, dc, key.id()).unwrap().is_some()).collect();
    assert_eq!(found, [false, false, true, false]);
}

#[test]
fn a_newer_file_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let world = open(Some(directory.path()), 1).unwrap();
    world.db.pragma_update(None, "user_version", 99).unwrap();
    drop(world);
    let opened = open(Some(directory.path()), 1);
    let Err(error @ Error::NewerState { found: 99, known: 5 }) = opened else {
        panic!("opened a newer file");
    };
    assert!(error.to_string().contains("newer program"));
}

#[cfg(unix)]
#[test]
fn the_files_are_their_owners_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("state");
    let world = open(Some(&directory), 1).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    let files: Vec<_> = std::fs::read_dir(&directory).unwrap().collect();
    assert!(files.len() >= 2, "the log of the database is a file of its own");
    for file in files {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
    drop(world);
}

/// The rule of the module's documentation, by the source itself.
#[test]
fn the_world_obeys_no_clock_entropy_environment_or_socket() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/world")];
    let mut paths = Vec::new();
    while let Some(folder) = folders.pop() {
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => paths.push(path),
            }
        }
    }
    paths.retain(|path| !path.ends_with("tests.rs"));
    assert!(paths.len() > 30, "only {} files were read", paths.len());
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        for word in [
            "SystemTime",
            "Instant",
            "getrandom",
            "std::env",
            "tokio",
            "TcpStream",
            "TcpListener",
            "thread::",
        ] {
            assert!(!text.contains(word), "{}: {word}", path.display());
        }
    }
}

impl World {
    /// How many login tokens are kept.
    pub(crate) fn login_tokens(&self) -> i64 {
        let count = "SELECT count(*) FROM login_tokens";
        self.db.query_row(count, [], |row| row.get(0)).unwrap()
    }

    /// Breaks the database: from now on no key can be kept.
    pub(crate) fn lose_keys(&self) {
        self.db.execute_batch("PRAGMA foreign_keys = OFF; DROP TABLE auth_keys").unwrap();
    }
}
