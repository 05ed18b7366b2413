//! What happens to accounts that many share.

use std::{
    collections::BTreeSet,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
    thread,
    time::{Duration, Instant},
};

use chappe::{
    Ended, Error, SessionError, SessionProblem,
    session::{Passphrase, Postgres, Session, Store, postgres::Listed},
};
use tokio::{net::TcpSocket, time::timeout};

use crate::{
    cluster::{self, Cluster},
    process::{Process, Traffic},
    way::Way,
    world::{Story, World, options_in},
};

pub(crate) const ALL: &[Story] = &[
    (
        "one_process_has_an_account_and_the_next_takes_over_when_it_is_killed",
        one_process_has_an_account_and_the_next_takes_over_when_it_is_killed,
    ),
    (
        "a_process_that_was_stopped_past_its_lease_ends_without_a_word",
        a_process_that_was_stopped_past_its_lease_ends_without_a_word,
    ),
    ("closing_frees_an_account_at_once", closing_frees_an_account_at_once),
    (
        "a_holder_outlives_a_crash_of_the_database_within_its_lease",
        a_holder_outlives_a_crash_of_the_database_within_its_lease,
    ),
    (
        "a_holder_ends_before_its_lease_when_the_database_does_not_answer",
        a_holder_ends_before_its_lease_when_the_database_does_not_answer,
    ),
    (
        "eight_processes_share_twenty_accounts_and_none_twice",
        eight_processes_share_twenty_accounts_and_none_twice,
    ),
    (
        "whoever_is_killed_in_a_save_leaves_the_old_session_or_the_new_one",
        whoever_is_killed_in_a_save_leaves_the_old_session_or_the_new_one,
    ),
    (
        "who_lost_an_account_overwrites_nothing_and_ends_at_the_next_renewal",
        who_lost_an_account_overwrites_nothing_and_ends_at_the_next_renewal,
    ),
    (
        "a_row_that_somebody_locks_costs_nobody_a_lease",
        a_row_that_somebody_locks_costs_nobody_a_lease,
    ),
    (
        "what_is_claimed_and_not_waited_for_or_dropped_is_let_go",
        what_is_claimed_and_not_waited_for_or_dropped_is_let_go,
    ),
    (
        "an_answer_that_nobody_looked_at_does_not_keep_an_account",
        an_answer_that_nobody_looked_at_does_not_keep_an_account,
    ),
    ("whoever_claimed_an_account_saves_to_it", whoever_claimed_an_account_saves_to_it),
    (
        "a_save_that_was_held_up_replaces_none_that_came_after_it",
        a_save_that_was_held_up_replaces_none_that_came_after_it,
    ),
    (
        "accounts_are_listed_without_their_sessions_and_removed_when_free",
        accounts_are_listed_without_their_sessions_and_removed_when_free,
    ),
    ("a_passphrase_encrypts_a_row_and_is_asked_for", a_passphrase_encrypts_a_row_and_is_asked_for),
    (
        "many_programs_make_the_tables_once_and_a_newer_version_is_left_alone",
        many_programs_make_the_tables_once_and_a_newer_version_is_left_alone,
    ),
    (
        "what_cannot_be_reached_is_told_at_once_and_quotes_no_secret",
        what_cannot_be_reached_is_told_at_once_and_quotes_no_secret,
    ),
    (
        "a_server_without_a_trusted_certificate_gets_no_key",
        a_server_without_a_trusted_certificate_gets_no_key,
    ),
];

const SECOND: Duration = Duration::from_secs(1);

/// What a process needs to know of a fleet.
fn settings<'a>(schema: &'a str, lease: &'a str, wait: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("FLEET_SCHEMA", schema),
        ("FLEET_LEASE", lease),
        ("FLEET_WAIT", wait),
        ("FLEET_ACCOUNT", "alice"),
    ]
}

fn one(fleet: &Postgres, world: &World) -> Listed {
    world.wait(fleet.accounts()).unwrap().into_iter().find(|one| one.name == "alice").unwrap()
}

/// The auth key in the bytes of a session of one data centre; see the layout of the file.
fn key_of(session: &Session) -> Vec<u8> {
    session.to_bytes().unwrap().as_ref()[46..302].to_vec()
}

#[track_caller]
fn problem<T>(result: Result<T, Error>) -> Box<SessionError> {
    match result.err().expect("it fails") {
        Error::Session(error) => error,
        other => panic!("{other}"),
    }
}

fn one_process_has_an_account_and_the_next_takes_over_when_it_is_killed(world: &World) {
    let (fleet, schema) = world.fleet(3 * SECOND, &["alice"]);
    let traffic = Traffic::default();
    let start = |name, wait| {
        Process::start(world, &traffic, name, "client", &settings(&schema, "3000", wait))
    };
    let mut first = start("first", "0");
    first.says("HELD");
    first.ask("devices", "DEVICES 1");
    start("refused", "0").says(&format!("IN USE by {}", first.pid()));
    let before = one(&fleet, world);
    assert_eq!(before.holder.unwrap().pid, Some(first.pid()));

    // It gives up after twenty seconds.
    let mut second = start("second", "20000");
    first.kill();
    second.says("HELD");
    // No new sign-in, the same key, and never both at once.
    second.ask("devices", "DEVICES 1");
    second.ask("save", "SAVED");
    let now = fleet.account("alice").unwrap().load().unwrap().unwrap();
    assert_eq!(key_of(&now), key_of(&world.session));
    assert_eq!(traffic.turns(), ["first", "second"]);
}

fn a_process_that_was_stopped_past_its_lease_ends_without_a_word(world: &World) {
    let (fleet, schema) = world.fleet(3 * SECOND, &["alice"]);
    let traffic = Traffic::default();
    let start =
        |name| Process::start(world, &traffic, name, "client", &settings(&schema, "3000", "20000"));
    let mut first = start("first");
    first.says("HELD");
    first.ask("devices", "DEVICES 1");
    first.signal("STOP");
    // It is to do all this the moment that it goes on.
    first.tell("devices");
    first.tell("save");
    let mut second = start("second");
    second.says("HELD");
    second.ask("devices", "DEVICES 1");
    let saved = fleet.account("alice").unwrap().load().unwrap().unwrap();
    first.signal("CONT");
    let mut said = [first.line(), first.line(), first.line()];
    said.sort();
    assert_eq!(said, ["ENDED LeaseLost", "FAILED Some(LeaseLost)", "REFUSED LeaseLost"]);
    second.ask("devices", "DEVICES 1");
    assert_eq!(traffic.turns(), ["first", "second"]);
    let kept = fleet.account("alice").unwrap().load().unwrap().unwrap();
    assert_eq!(kept.to_bytes().unwrap().as_ref(), saved.to_bytes().unwrap().as_ref());
    // What it lost it can have again.
    second.ask("close", "CLOSED");
    first.ask("close", "CLOSED");
    start("third").says("HELD");
}

fn closing_frees_an_account_at_once(world: &World) {
    // So long that nobody waits for the end of a lease here.
    let (fleet, schema) = world.fleet(600 * SECOND, &["alice"]);
    let traffic = Traffic::default();
    for name in ["first", "second", "third"] {
        let settings = settings(&schema, "600000", "0");
        let mut process = Process::start(world, &traffic, name, "client", &settings);
        process.says("HELD");
        process.ask("close", "CLOSED");
    }
    let found = one(&fleet, world);
    assert_eq!((found.holder, found.lease_left), (None, None));
    // Who waits for it hears of it soon.
    let held = world.wait(fleet.account("alice").unwrap().claim(Duration::ZERO)).unwrap();
    let mut waiting =
        Process::start(world, &traffic, "waiting", "client", &settings(&schema, "600000", "20000"));
    let refused = world.wait(fleet.account("alice").unwrap().claim(Duration::from_millis(300)));
    assert!(matches!(problem(refused).problem(), SessionProblem::InUse { .. }));
    drop(held);
    waiting.says("HELD");
    waiting.ask("close", "CLOSED");
}

fn alone() -> Cluster {
    Cluster::start(&cluster::programs().unwrap())
}

fn a_holder_outlives_a_crash_of_the_database_within_its_lease(world: &World) {
    let cluster = alone();
    let fleet = world.wait(options_in(&cluster, "fleet", 20 * SECOND).connect()).unwrap();
    let account = Arc::new(fleet.account("alice").unwrap());
    account.save(&world.session).unwrap();
    let client = world.wait(world.client().session(Arc::clone(&account)).connect()).unwrap();
    let since = || cluster.sql("SELECT fence, since FROM fleet.account");
    let before = since();
    for _ in 0..2 {
        cluster.crash();
        // What is asked meanwhile waits.
        thread::scope(|scope| {
            let saving = scope.spawn(|| account.save(&world.session));
            cluster.start_again();
            saving.join().unwrap().unwrap();
        });
        assert!(world.wait(client.me()).unwrap().is_some());
        assert_eq!(since(), before);
    }
    // More than a whole lease.
    assert!(world.wait(timeout(21 * SECOND, client.ended())).is_err());
    assert!(world.wait(client.me()).unwrap().is_some());
    assert_eq!(since(), before);
    world.wait(client.close()).unwrap();
    assert_eq!(cluster.sql("SELECT holder IS NULL FROM fleet.account"), "t");
}

fn a_holder_ends_before_its_lease_when_the_database_does_not_answer(world: &World) {
    let cluster = alone();
    let lease = 10 * SECOND;
    let fleet = world.wait(options_in(&cluster, "fleet", lease).connect()).unwrap();
    fleet.account("alice").unwrap().save(&world.session).unwrap();
    let mine = || world.client().session(fleet.account("alice").unwrap());
    for is_frozen in [true, false] {
        let client = world.wait(mine().connect()).unwrap();
        assert!(world.wait(client.me()).unwrap().is_some());
        let until = cluster.sql("SELECT until FROM fleet.account");
        match is_frozen {
            true => cluster.freeze(true),
            false => cluster.crash(),
        }
        // The last renewal was before, and nine tenths of a lease are used.
        let begin = Instant::now();
        assert_eq!(world.wait(client.ended()), Ended::LeaseLost);
        let after = begin.elapsed();
        assert!(after < lease, "{after:?}");
        assert_eq!(world.wait(client.me()).unwrap_err().ended(), Some(Ended::LeaseLost));
        // Closing does not wait for long for a database that is not there.
        let begin = Instant::now();
        drop(world.wait(client.close()));
        assert!(begin.elapsed() < 30 * SECOND, "{:?}", begin.elapsed());
        match is_frozen {
            true => cluster.freeze(false),
            false => cluster.start_again(),
        }
        assert!(until <= cluster.sql("SELECT until FROM fleet.account"));
        // It is there again, and so is the account.
        let account = fleet.account("alice").unwrap().claim(20 * SECOND);
        drop(world.wait(account).unwrap());
    }
}

fn eight_processes_share_twenty_accounts_and_none_twice(world: &World) {
    let names: Vec<String> = (0..20).map(|number| format!("account {number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (fleet, schema) = world.fleet(60 * SECOND, &names);
    // Nobody is signed in with this one.
    fleet.account("empty").unwrap().clear().unwrap();
    let traffic = Traffic::default();
    let mut processes: Vec<_> = (0..8)
        .map(|_| {
            let settings = settings(&schema, "60000", "0");
            Process::start(world, &traffic, "collector", "collector", &settings)
        })
        .collect();
    for process in &processes {
        process.says("READY");
    }
    processes.iter_mut().for_each(|process| process.tell("go"));
    let mut taken = Vec::new();
    for process in &processes {
        while let Some(name) = process.line().strip_prefix("HAS ") {
            taken.push(name.to_owned());
            assert!(taken.len() <= 20, "{taken:?}");
        }
    }
    assert_eq!(taken.len(), 20, "{taken:?}");
    assert_eq!(
        taken.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        names.into_iter().collect()
    );
    let listed = world.wait(fleet.accounts()).unwrap();
    let pids: BTreeSet<_> = processes.iter().map(Process::pid).collect();
    for one in listed.iter().filter(|one| one.name != "empty") {
        assert!(pids.contains(&one.holder.as_ref().unwrap().pid.unwrap()), "{one:?}");
    }
    assert!(world.wait(fleet.claim_any()).unwrap().is_none());
    // Whoever is killed keeps what it has until its leases are over.
    processes.pop().unwrap().kill();
    assert!(world.wait(fleet.claim_any()).unwrap().is_none());
}

fn whoever_is_killed_in_a_save_leaves_the_old_session_or_the_new_one(world: &World) {
    let (fleet, schema) = world.fleet(2 * SECOND, &["alice", "first"]);
    // One that is longer, so that its pages are others.
    let bytes = world.session.to_bytes().unwrap();
    let second = {
        let memory = Arc::new(chappe::session::Memory::from(world.session.clone()));
        let client = world.client().session(Arc::clone(&memory));
        let client = world.wait(client.connect()).unwrap();
        world.wait(client.close()).unwrap();
        memory.load().unwrap().unwrap()
    };
    fleet.account("second").unwrap().save(&second).unwrap();
    let both = [bytes.as_ref().to_vec(), second.to_bytes().unwrap().as_ref().to_vec()];
    let is_whole = || {
        let kept = fleet.account("alice").unwrap().load().unwrap().unwrap();
        let kept = kept.to_bytes().unwrap();
        assert!(both.iter().any(|one| one == kept.as_ref()));
    };
    let traffic = Traffic::default();
    for round in 0..6 {
        let mut process =
            Process::start(world, &traffic, "saver", "saver", &settings(&schema, "2000", "0"));
        process.says("SAVING");
        if round % 2 == 0 {
            // In the middle of what it does, wherever that is.
            process.kill();
        } else {
            let others = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                          WHERE query LIKE '%UPDATE%account%' AND pid <> pg_backend_pid()
                          AND query LIKE";
            for _ in 0..5 {
                world.cluster.sql(&format!("{others} '%{schema}%'"));
                is_whole();
            }
        }
        is_whole();
    }
}

fn who_lost_an_account_overwrites_nothing_and_ends_at_the_next_renewal(world: &World) {
    let (fleet, schema) = world.fleet(15 * SECOND, &["alice"]);
    let account = Arc::new(fleet.account("alice").unwrap());
    let client = world.wait(world.client().session(Arc::clone(&account)).connect()).unwrap();
    let fence = || world.cluster.sql(&format!("SELECT fence FROM {schema}.account")).parse::<i64>();
    let before = fence().unwrap();
    account.save(&world.session).unwrap();
    // Somebody makes it free by hand, and somebody else takes it.
    world.cluster.sql(&format!("UPDATE {schema}.account SET until = clock_timestamp()"));
    let other = world.wait(options_in(&world.cluster, &schema, 15 * SECOND).connect());
    let other = other.unwrap().account("alice").unwrap();
    let taken = world.wait(other.claim(Duration::ZERO)).unwrap();
    assert!(fence().unwrap() > before);
    assert!(matches!(problem(account.save(&world.session)).problem(), SessionProblem::LeaseLost));
    assert!(matches!(problem(account.clear()).problem(), SessionProblem::LeaseLost));
    let begin = Instant::now();
    assert_eq!(world.wait(client.ended()), Ended::LeaseLost);
    // A third of a lease passes to the next renewal, nine tenths to its end.
    assert!(begin.elapsed() < 12 * SECOND, "{:?}", begin.elapsed());
    // Letting go of what was lost does not take it from whoever has it.
    drop(world.wait(client.close()));
    assert!(one(&fleet, world).holder.is_some());
    let _lock = taken.lock().unwrap();
    taken.save(&world.session).unwrap();
}

fn a_row_that_somebody_locks_costs_nobody_a_lease(world: &World) {
    let (fleet, schema) = world.fleet(6 * SECOND, &["alice", "bob"]);
    let claim = |name| world.wait(fleet.account(name).unwrap().claim(Duration::ZERO)).unwrap();
    let (_alice, _bob) = (claim("alice"), claim("bob"));
    let since = || world.cluster.sql(&format!("SELECT fence, until FROM {schema}.account"));
    let before = since();
    world.cluster.sql(&format!(
        "BEGIN; SELECT 1 FROM {schema}.account WHERE name = 'alice' FOR UPDATE;
         SELECT pg_sleep(3); COMMIT; SELECT pg_sleep(4)"
    ));
    for one in world.wait(fleet.accounts()).unwrap() {
        assert!(one.lease_left.is_some_and(|left| left > SECOND), "{one:?}");
    }
    assert_ne!(since(), before);
}

fn what_is_claimed_and_not_waited_for_or_dropped_is_let_go(world: &World) {
    let (fleet, _) = world.fleet(600 * SECOND, &["alice"]);
    for polls in 0..6 {
        let mut claiming = Box::pin(fleet.claim_any());
        world.wait(async {
            for _ in 0..polls {
                if timeout(Duration::from_millis(1), &mut claiming).await.is_ok() {
                    break;
                }
            }
        });
        drop(claiming);
        // It is free again, soon.
        let account = fleet.account("alice").unwrap().claim(10 * SECOND);
        drop(world.wait(account).unwrap());
    }
    // A lock that is dropped, too.
    for _ in 0..2 {
        let account = world.wait(fleet.account("alice").unwrap().claim(10 * SECOND)).unwrap();
        drop(account.lock().unwrap());
    }
}

/// The answer comes, and whoever asked is gone before looking at it. Somebody else, who asks
/// another program of the same fleet, must not wait for ever.
fn an_answer_that_nobody_looked_at_does_not_keep_an_account(world: &World) {
    let (fleet, schema) = world.fleet(3 * SECOND, &["alice"]);
    let claiming = loop {
        let mut claiming = Box::pin(fleet.claim_any());
        let mut once = |cx: &mut Context<'_>| Poll::Ready(claiming.as_mut().poll(cx).is_pending());
        // If the answer is there at once it is too late not to look at it.
        if world.wait(poll_fn(&mut once)) {
            break claiming;
        }
    };
    let holders = format!("SELECT count(holder) FROM {schema}.account");
    while world.cluster.sql(&holders) != "1" {}
    // The number is in the database before the answer is here.
    world.cluster.sql("SELECT pg_sleep(0.2)");
    drop(claiming);
    let other = world.wait(options_in(&world.cluster, &schema, 3 * SECOND).connect()).unwrap();
    drop(world.wait(other.account("alice").unwrap().claim(15 * SECOND)).unwrap());
}

/// What a connection carried that was given up may arrive much later.
fn a_save_that_was_held_up_replaces_none_that_came_after_it(world: &World) {
    let (options, schema) = world.options(Duration::from_secs(4));
    drop(world.wait(options.connect()).unwrap());
    let way = Way::to(&world.cluster);
    let fleet = Postgres::options(&way.url(&world.cluster)).unwrap().schema(&schema);
    let fleet = world.wait(fleet.lease(Duration::from_secs(4)).connect()).unwrap();
    let account = fleet.account("one").unwrap();
    let lock = account.lock().unwrap();
    account.save(&world.session).unwrap();
    way.hold();
    // It is done over another connection.
    account.save(&world.session).unwrap();
    account.clear().unwrap();
    assert!(way.let_go() > 0, "the save was not held up");
    assert!(account.load().unwrap().is_none());
    account.save(&world.session).unwrap();
    assert!(account.load().unwrap().is_some());
    drop(lock);
}

/// Without a client, as whoever brings a session from elsewhere.
fn whoever_claimed_an_account_saves_to_it(world: &World) {
    let (fleet, _) = world.fleet(60 * SECOND, &[]);
    // However long that takes.
    let new = world.wait(fleet.account("new").unwrap().claim(Duration::MAX)).unwrap();
    new.save(&world.session).unwrap();
    assert!(new.load().unwrap().is_some());
    new.clear().unwrap();
    new.save(&world.session).unwrap();
    let other = fleet.account("new").unwrap();
    assert!(matches!(problem(other.clear()).problem(), SessionProblem::InUse { .. }));
    let client = world.wait(world.client().session(new).connect()).unwrap();
    assert!(world.wait(client.me()).unwrap().is_some());
    world.wait(client.close()).unwrap();
}

fn accounts_are_listed_without_their_sessions_and_removed_when_free(world: &World) {
    let (fleet, schema) = world.fleet(60 * SECOND, &["bob", "alice"]);
    let listed = world.wait(fleet.accounts()).unwrap();
    let names: Vec<_> = listed.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["alice", "bob"]);
    let alice = &listed[0];
    assert_eq!((alice.user_id, alice.bot), (world.session.user_id(), false));
    assert_eq!((alice.dc_id, alice.signed_in, alice.sealed), (Some(2), true, false));
    assert_eq!((&alice.holder, alice.lease_left), (&None, None));

    let held = world.wait(fleet.account("alice").unwrap().claim(Duration::ZERO)).unwrap();
    let alice = one(&fleet, world);
    assert_eq!(alice.holder.as_ref().unwrap().pid, Some(std::process::id()));
    assert!(alice.holder.unwrap().since.unwrap() > 1_700_000_000);
    assert!(alice.lease_left.unwrap() > 30 * SECOND);
    // It is read by whoever wants to, and written by nobody else.
    let other = fleet.account("alice").unwrap();
    assert!(other.load().unwrap().is_some());
    for refused in [
        problem(other.save(&world.session)),
        problem(other.clear()),
        problem(other.lock().map(drop)),
        problem(world.wait(fleet.remove("alice"))),
    ] {
        let SessionProblem::InUse { holder } = refused.problem() else { panic!("{refused}") };
        assert_eq!(holder.pid, Some(std::process::id()));
    }
    drop(held);
    let forgotten = world.wait(fleet.account("alice").unwrap().claim(10 * SECOND)).unwrap();
    let lock = forgotten.lock().unwrap();
    forgotten.clear().unwrap();
    assert!(!one(&fleet, world).signed_in);
    // Without a session there is nothing to keep.
    drop(lock);
    world.wait(fleet.account("new").unwrap().claim(Duration::ZERO)).map(drop).unwrap();
    assert!(world.wait(fleet.remove("bob")).unwrap());
    assert!(!world.wait(fleet.remove("bob")).unwrap());
    assert!(world.wait(fleet.accounts()).unwrap().is_empty());
    assert_eq!(world.cluster.sql(&format!("SELECT count(*) FROM {schema}.account")), "0");
    for name in ["", "a\nb", &"x".repeat(201)] {
        assert!(matches!(fleet.account(name), Err(Error::Invalid(_))), "{name}");
    }
}

fn a_passphrase_encrypts_a_row_and_is_asked_for(world: &World) {
    let (fleet, schema) = world.fleet(60 * SECOND, &["plain"]);
    let account = |passphrase: &str| fleet.account("alice").unwrap().passphrase(passphrase);
    account("open sesame").save(&world.session).unwrap();
    assert!(world.wait(account("open sesame").is_sealed()).unwrap());
    assert!(!world.wait(fleet.account("plain").unwrap().is_sealed()).unwrap());
    let key: String = key_of(&world.session).iter().map(|byte| format!("{byte:02x}")).collect();
    let holds_key = |name: &str| {
        let bytes = format!("SELECT session FROM {schema}.account WHERE name = '{name}'");
        world.cluster.sql(&bytes).contains(&key[..64])
    };
    assert!(holds_key("plain") && !holds_key("alice"));
    let alice = one(&fleet, world);
    assert_eq!((alice.user_id, alice.dc_id, alice.sealed), (None, None, true));
    assert!(alice.signed_in);

    let loaded = account("open sesame").load().unwrap().unwrap();
    assert_eq!(key_of(&loaded), key_of(&world.session));
    let wrong = problem(account("open barley").load());
    assert!(matches!(wrong.problem(), SessionProblem::WrongPassphrase), "{wrong}");
    let wrong = problem(account("open barley").save(&world.session));
    assert!(matches!(wrong.problem(), SessionProblem::WrongPassphrase), "{wrong}");
    let without = fleet.account("alice").unwrap();
    assert!(matches!(problem(without.load()).problem(), SessionProblem::Sealed));
    assert!(matches!(problem(without.save(&world.session)).problem(), SessionProblem::Sealed));
    // What was moved to another row is not what it says it is.
    world.cluster.sql(&format!(
        "UPDATE {schema}.account SET session = (SELECT session FROM {schema}.account
         WHERE name = 'alice') WHERE name = 'plain'"
    ));
    let moved = problem(fleet.account("plain").unwrap().passphrase("open sesame").load());
    assert!(matches!(moved.problem(), SessionProblem::WrongPassphrase), "{moved}");

    let changing = account("open sesame").change_passphrase(Some(Passphrase::from("new")));
    let changed = world.wait(changing).unwrap();
    assert_eq!(key_of(&changed.load().unwrap().unwrap()), key_of(&world.session));
    assert!(account("open sesame").load().is_err());
    let client = world.wait(world.client().session(account("new")).connect()).unwrap();
    assert!(world.wait(client.me()).unwrap().is_some());
    world.wait(client.close()).unwrap();
    let plain = world.wait(account("new").change_passphrase(None)).unwrap();
    assert_eq!(key_of(&plain.load().unwrap().unwrap()), key_of(&world.session));
    assert!(holds_key("alice"));
}

fn many_programs_make_the_tables_once_and_a_newer_version_is_left_alone(world: &World) {
    let (options, schema) = world.options(60 * SECOND);
    thread::scope(|scope| {
        let connecting: Vec<_> = (0..8)
            .map(|_| {
                let options = options.clone();
                scope.spawn(move || world.wait(options.connect()))
            })
            .collect();
        for one in connecting {
            one.join().unwrap().unwrap();
        }
    });
    let layout = format!("SELECT version FROM {schema}.layout");
    assert_eq!(world.cluster.sql(&layout), "1");
    world.cluster.sql(&format!("UPDATE {schema}.layout SET version = 2"));
    let newer = problem(world.wait(options.connect()));
    assert!(matches!(newer.problem(), SessionProblem::Newer { version: 2 }), "{newer}");
    assert_eq!(world.cluster.sql(&layout), "2");

    // Who may not make a schema can use one that is there.
    world.cluster.sql("CREATE ROLE modest LOGIN; CREATE SCHEMA modest AUTHORIZATION modest");
    let url = world.cluster.url().replace("chappe@", "modest@");
    let options = |schema: &str| Postgres::options(&url).unwrap().schema(schema);
    world.wait(options("modest").connect()).unwrap();
    let refused = problem(world.wait(options("vain").connect()));
    assert!(refused.to_string().contains("permission denied"), "{refused}");
    for schema in ["", "Fleet", "a-b", "1a", "a\"b", &"a".repeat(64)] {
        let refused = world.wait(options(schema).connect());
        assert!(matches!(refused, Err(Error::Invalid(_))), "{schema}");
    }
    for lease in [SECOND / 2, 86_401 * SECOND] {
        let refused = world.wait(options("modest").lease(lease).connect());
        assert!(matches!(refused, Err(Error::Invalid(_))), "{lease:?}");
    }
}

fn what_cannot_be_reached_is_told_at_once_and_quotes_no_secret(world: &World) {
    // The port is kept, so that nobody else gets it; but nobody listens.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let nobody = socket.local_addr().unwrap();
    for (url, word) in [
        (format!("postgres://me:secret@{nobody}/fleet"), "refused"),
        (world.cluster.url().replace("chappe@", "nobody:secret@"), "nobody"),
        (
            world
                .cluster
                .url()
                .replace("/postgres", "/secretless")
                .replace("chappe@", "chappe:secret@"),
            "does not exist",
        ),
    ] {
        let begin = Instant::now();
        let error = problem(world.wait(Postgres::connect(&url)));
        // So long a database that was there is dialled again.
        assert!(begin.elapsed() < 10 * SECOND, "{:?}", begin.elapsed());
        assert!(matches!(error.problem(), SessionProblem::Database(_)), "{error}");
        let error = format!("{error} {error:?}");
        assert!(
            error.contains(word) && !error.replace("secretless", "").contains("secret"),
            "{error}"
        );
    }
    let url = world.cluster.url().replace("chappe@", "chappe:secret@");
    let fleet = world.wait(Postgres::options(&url).unwrap().schema("shown").connect()).unwrap();
    let shown = format!("{fleet:?} {:?}", fleet.account("alice").unwrap());
    assert!(shown.contains("postgres") && !shown.contains("secret"), "{shown}");
}

fn a_server_without_a_trusted_certificate_gets_no_key(world: &World) {
    let trusted = world.cluster.file("localhost.pem");
    let (_, schema) = world.fleet(60 * SECOND, &["alice"]);
    let connect =
        |url: &str| world.wait(Postgres::options(url).unwrap().schema(schema.as_str()).connect());
    let encrypted = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                     WHERE ssl AND application_name = 'tls'";
    let options = format!("sslmode=require&sslrootcert={}", trusted.display());
    let url = world.cluster.tcp_url("localhost");
    let fleet = connect(&format!("{url}?{options}&application_name=tls")).unwrap();
    assert_eq!(one(&fleet, world).name, "alice");
    assert_eq!(world.cluster.sql(encrypted), "1");
    drop(fleet);

    // Nobody vouches for it; it is not the one that was meant.
    let unknown = problem(connect(&format!("{url}?sslmode=require")));
    assert!(unknown.to_string().contains("certificate"), "{unknown}");
    let other = problem(connect(&format!("{}?{options}", world.cluster.tcp_url("127.0.0.1"))));
    assert!(other.to_string().contains("certificate"), "{other}");
    let plain = connect(&format!("{url}?sslmode=disable")).unwrap();
    assert_eq!(one(&plain, world).name, "alice");
}
