//! The websites that an account is logged in to: listed, ended one by one or at once, watched; and
//! whatever becomes of the answers, nobody is told a lie.

use std::time::Duration;

use bytes::Bytes;
use chappe::{
    Client, Encode, Ended, Error, WebResetOutcome, WebResetReport, WebSession, WebSessionChange,
    account,
    api::{contacts, enums, types},
    errors,
};
use chappe_server::faults::{Action, Fault, Kind, Scope};
use tokio::time::Instant;

use crate::{
    script::{Line, SILENCE, stage},
    telegram::{client_of, sign_in, telegram},
    wire::{Weather, Wire},
};

const RESET: &str = "account.resetWebAuthorization";
const RESET_ALL: &str = "account.resetWebAuthorizations";
const LIST: &str = "account.getWebAuthorizations";

/// A local Telegram with the demonstration account signed in, by a client that waits a second for
/// each answer.
async fn holder() -> (Wire, Client, Vec<WebSession>) {
    let wire = Wire::new(telegram(1).await);
    let patience = Duration::from_secs(1);
    let client = client_of(wire.server()).request_timeout(patience);
    let client = wire.connect(client).await.unwrap();
    sign_in(&client, wire.server()).await;
    let sites = client.web_sessions().await.unwrap();
    assert!(sites.len() >= 5, "{}", sites.len());
    (wire, client, sites)
}

async fn order(wire: &Wire, kind: Kind, method: &str) {
    wire.server().faults().add(Fault::new(kind).method(method).once()).await.unwrap();
}

fn refusal(code: i32, text: &str) -> Kind {
    Kind::RpcError { code, text: text.to_owned() }
}

async fn hashes(client: &Client) -> Vec<i64> {
    client.web_sessions().await.unwrap().iter().map(WebSession::hash).collect()
}

/// One letter for each outcome.
fn told(report: &WebResetReport) -> String {
    let letter = |outcome: &WebResetOutcome| match outcome {
        WebResetOutcome::Ended => 'e',
        WebResetOutcome::Failed(_) => 'f',
        WebResetOutcome::Gone => 'g',
        WebResetOutcome::NotTried => '-',
        other => panic!("{other:?}"),
    };
    report.sessions.iter().map(|(_, outcome)| letter(outcome)).collect()
}

#[tokio::test]
async fn one_website_is_logged_out_once() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    sign_in(&client, &server).await;

    let before = client.web_sessions().await.unwrap();
    let raw = client.invoke(&account::GetWebAuthorizations).await.unwrap();
    assert_eq!(raw.authorizations.len(), before.len());
    for site in &before {
        assert_eq!(site.bot().map(|bot| bot.id), Some(site.bot_id()), "{}", site.domain());
        assert!(site.is_of_bot(site.bot_username().unwrap()));
        assert!(raw.authorizations.contains(site.raw()));
    }
    let used: Vec<_> =
        before.iter().map(|site| site.last_active().unwrap_or_else(|| site.created())).collect();
    assert!(used.is_sorted_by(|left, right| left >= right));
    assert!(before.iter().any(|site| site.last_active().is_none()));
    let site = before.iter().find(|site| site.hash() < 0).unwrap();

    let hash = site.hash();
    assert!(client.invoke(&account::ResetWebAuthorization { hash }).await.unwrap());
    let after = client.web_sessions().await.unwrap();
    assert_eq!(after.len(), before.len() - 1);
    assert!(after.iter().all(|site| site.hash() != hash));

    let error = client.invoke(&account::ResetWebAuthorization { hash }).await.unwrap_err();
    assert!(error.is(errors::HASH_INVALID) && !error.is(errors::BOT_METHOD_INVALID));
    assert_eq!(error.code(), Some(400));
    assert_eq!(error.rpc().unwrap().method, RESET);
    assert!(error.explain().unwrap().contains("no session with this hash"));
    assert!(!client.reset_web_session(hash).await.unwrap());
    assert!(!client.reset_web_session(0).await.unwrap());

    assert!(client.reset_web_session(after[0].hash()).await.unwrap());
    let report = client.reset_all_web_sessions().await.unwrap();
    assert!(report.is_complete() && report.sessions.len() == after.len() - 1);
    assert!(client.web_sessions().await.unwrap().is_empty());
    assert!(client.reset_all_web_sessions().await.unwrap().sessions.is_empty());
}

#[tokio::test]
async fn a_bot_has_no_websites() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    client.sign_in_bot(&server.bots()[0].token).await.unwrap();
    for error in [
        client.web_sessions().await.unwrap_err(),
        client.reset_web_session(4457235).await.unwrap_err(),
        client.reset_all_web_sessions().await.unwrap_err(),
        client.watch_web_sessions().next().await.unwrap_err(),
    ] {
        assert!(error.is(errors::BOT_METHOD_INVALID), "{error}");
        assert!(error.explain().unwrap().contains("bot"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn several_are_ended_and_their_bots_blocked_once_each() {
    let (wire, client, sites) = holder().await;
    // Somebody else was faster with one.
    let other = wire.connect(client_of(wire.server())).await.unwrap();
    sign_in(&other, wire.server()).await;
    assert!(other.reset_web_session(sites[1].hash()).await.unwrap());

    let mut chosen = sites.clone();
    chosen.retain(|site| site.bot_id() != sites[0].bot_id());
    let report = client.reset_web_sessions(&chosen).block_bots().await.unwrap();
    assert!(report.is_complete() && report.failures().next().is_none());
    let order: Vec<_> = report.sessions.iter().map(|(site, _)| site.hash()).collect();
    assert_eq!(order, chosen.iter().map(WebSession::hash).collect::<Vec<_>>());
    assert_eq!(report.ended().count(), chosen.len());
    let letters = told(&report);
    assert!(letters.matches('g').count() == 1 && letters.matches('e').count() == chosen.len() - 1);

    let mut bots: Vec<_> = chosen.iter().map(WebSession::bot_id).collect();
    bots.sort_unstable();
    bots.dedup();
    assert!(bots.len() < chosen.len());
    let mut blocked: Vec<_> = report.blocked.iter().map(|(bot, _)| *bot).collect();
    blocked.sort_unstable();
    assert_eq!(blocked, bots);
    assert_eq!(blocked_at(&client).await, bots);
    let left = hashes(&client).await;
    assert_eq!(left.len(), sites.len() - chosen.len());
}

async fn blocked_at(client: &Client) -> Vec<i64> {
    let ask = contacts::GetBlocked { my_stories_from: false, offset: 0, limit: 100 };
    let answer = client.invoke(&ask).await.unwrap();
    let enums::contacts::Blocked::Blocked(answer) = answer else { panic!("{answer:?}") };
    let mut ids: Vec<_> = answer
        .blocked
        .iter()
        .map(|peer| match &peer.peer_id {
            enums::Peer::User(user) => user.user_id,
            other => panic!("{other:?}"),
        })
        .collect();
    ids.sort_unstable();
    ids
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_settled_by_the_list() {
    let (wire, client, sites) = holder().await;
    order(&wire, Kind::LoseAnswer, RESET).await;
    assert!(client.reset_web_session(sites[0].hash()).await.unwrap(), "it was ended");
    // An answer that cannot be read says no more than one that is lost.
    order(&wire, Kind::UnknownConstructor { instead_of: None }, RESET).await;
    assert!(client.reset_web_session(sites[1].hash()).await.unwrap());
    // What did not run is still there, and said so.
    order(&wire, Kind::NeverAnswer, RESET).await;
    let error = client.reset_web_session(sites[2].hash()).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut(_)), "{error}");
    assert_eq!(hashes(&client).await.len(), sites.len() - 2);
    order(&wire, Kind::LoseAnswer, RESET_ALL).await;
    let report = client.reset_all_web_sessions().await.unwrap();
    assert!(report.is_complete() && report.sessions.len() == sites.len() - 2);
    assert!(hashes(&client).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn without_a_list_nothing_is_claimed() {
    let (wire, client, sites) = holder().await;
    order(&wire, Kind::LoseAnswer, RESET).await;
    order(&wire, Kind::NeverAnswer, LIST).await;
    // It did happen, but nobody can know.
    let error = client.reset_web_session(sites[0].hash()).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut(_)) && error.is_unanswered(), "{error}");
    assert!(!hashes(&client).await.contains(&sites[0].hash()));

    order(&wire, Kind::NeverAnswer, RESET_ALL).await;
    let error = client.reset_all_web_sessions().await.unwrap_err();
    assert!(error.is_unanswered(), "{error}");
    assert_eq!(hashes(&client).await.len(), sites.len() - 1);
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_one_leaves_the_others_their_chance() {
    let (wire, client, sites) = holder().await;
    order(&wire, Kind::NeverAnswer, RESET).await;
    // A refusal that the list belies.
    let lie = Fault::new(refusal(400, "HASH_INVALID")).method(RESET).after(1).once();
    wire.server().faults().add(lie).await.unwrap();
    let report = client.reset_web_sessions(&sites).block_bots().await.unwrap();
    let letters = told(&report);
    assert_eq!(letters.matches('f').count(), 2, "{letters}");
    assert_eq!(letters.matches('e').count(), sites.len() - 2, "{letters}");
    assert!(!report.is_complete());
    let (kept, whys): (Vec<_>, Vec<_>) = report.failures().unzip();
    assert!(whys.iter().any(|why| why.is_unanswered()));
    assert!(whys.iter().any(|why| why.is(errors::HASH_INVALID)));
    let mut left = hashes(&client).await;
    left.sort_unstable();
    let mut kept_hashes: Vec<_> = kept.iter().map(|site| site.hash()).collect();
    kept_hashes.sort_unstable();
    assert_eq!(left, kept_hashes);
    // Whose sessions are not all gone is not blocked.
    let kept: Vec<_> = kept.iter().map(|site| site.bot_id()).collect();
    assert!(report.blocked.iter().all(|(bot, _)| !kept.contains(bot)));
    let blocked = blocked_at(&client).await;
    assert_eq!(blocked.len(), report.blocked.len());
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_concerns_all_stops_and_says_what_was_not_tried() {
    let (wire, client, sites) = holder().await;
    let flood = Fault::new(refusal(420, "FLOOD_WAIT_300")).method(RESET).after(1).once();
    wire.server().faults().add(flood).await.unwrap();
    let report = client.reset_web_sessions(&sites[..4]).await.unwrap();
    assert_eq!(told(&report), "ef--");
    let (_, why) = report.failures().next().unwrap();
    assert_eq!(why.retry_after(), Some(Duration::from_secs(300)));
    // Nothing was ended: that is an error, and it says when to come again.
    let error = client.reset_web_sessions(&sites[1..]).await.unwrap_err();
    assert!(error.retry_after().is_some(), "{error}");
    assert_eq!(hashes(&client).await.len(), sites.len() - 1);
    // Nothing to do is no failure.
    assert!(client.reset_web_sessions(&[]).block_bots().await.unwrap().is_complete());
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_could_not_be_blocked_is_told_beside_what_was_ended() {
    let (wire, client, sites) = holder().await;
    order(&wire, refusal(400, "PEER_ID_INVALID"), "contacts.block").await;
    let one = client.reset_web_sessions(&sites[..1]).block_bots().await.unwrap();
    assert_eq!(told(&one), "e");
    assert!(!one.is_complete());
    let [(bot, Err(why))] = &one.blocked[..] else { panic!("{one:?}") };
    assert!(*bot == sites[0].bot_id() && why.is(errors::PEER_ID_INVALID), "{why}");
    assert!(blocked_at(&client).await.is_empty());
}

/// A row of a website as the server of a script has it.
fn row(hash: i64, active: i32) -> types::WebAuthorization {
    types::WebAuthorization {
        hash,
        bot_id: 7,
        domain: "shop.example.net".into(),
        browser: "Firefox".into(),
        platform: "Linux".into(),
        date_created: 1_800_000_000,
        date_active: active,
        ip: "192.0.2.1".into(),
        region: "Nowhere".into(),
    }
}

fn rows(authorizations: Vec<types::WebAuthorization>) -> Line {
    let answer = types::account::WebAuthorizations { authorizations, users: Vec::new() };
    Ok(answer.to_bytes())
}

#[tokio::test(start_paused = true)]
async fn a_no_of_telegrams_is_taken_as_the_official_apps_take_it() {
    let no = || Ok(false.to_bytes());
    let script = vec![no(), rows(vec![row(1, 0)]), no()];
    let stage = stage(script, Bytes::new()).await;
    assert!(stage.client.reset_web_session(1).await.unwrap());
    assert_eq!(told(&stage.client.reset_all_web_sessions().await.unwrap()), "e");
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_telegram_left_out_cannot_be_blocked_and_the_rest_is_done() {
    let script = vec![rows(vec![row(1, 0), row(2, 0)]), Ok(true.to_bytes()), Ok(true.to_bytes())];
    let stage = stage(script, Bytes::new()).await;
    let sites = stage.client.web_sessions().await.unwrap();
    let report = stage.client.reset_web_sessions(&sites).block_bots().await.unwrap();
    assert_eq!(told(&report), "ee");
    assert!(matches!(&report.blocked[..], [(7, Err(Error::Invalid(_)))]), "{report:?}");
    assert_eq!(stage.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_comes_goes_and_is_used_is_told_and_the_first_list_is_not() {
    let script = vec![
        rows(vec![row(1, 0), row(2, 0)]),
        rows(vec![row(1, 0), row(2, 0)]),
        rows(vec![row(2, 1_800_000_500), row(3, 0)]),
        rows(vec![]),
    ];
    let stage = stage(script, Bytes::new()).await;
    let begin = Instant::now();
    let mut watch = stage.client.watch_web_sessions();
    assert!(watch.known().is_none());
    let mut events = Vec::new();
    for _ in 0..5 {
        let event = watch.next().await.unwrap().unwrap();
        let minutes = begin.elapsed().as_secs_f64() / 60.0;
        events.push(match event {
            WebSessionChange::Added(site) => ("added", site.hash(), minutes),
            WebSessionChange::Removed(site) => ("removed", site.hash(), minutes),
            WebSessionChange::Changed { before, now } => {
                assert_ne!(before.last_active(), now.last_active());
                ("changed", now.hash(), minutes)
            }
            other => panic!("{other:?}"),
        });
    }
    let what: Vec<_> = events.iter().map(|(what, hash, _)| (*what, *hash)).collect();
    assert_eq!(
        what,
        [("removed", 1), ("changed", 2), ("added", 3), ("removed", 2), ("removed", 3)]
    );
    // Sixty seconds each, give or take a sixteenth.
    assert!((1.8..2.2).contains(&events[0].2) && (2.7..3.3).contains(&events[4].2), "{events:?}");
    assert_eq!(stage.count(), 4);
    assert_eq!(watch.known(), Some(&[][..]));
}

#[tokio::test(start_paused = true)]
async fn a_watch_may_go_on_from_an_earlier_list_and_in_a_period_of_its_own() {
    let script = vec![rows(vec![row(1, 0)]), rows(vec![]), rows(vec![]), rows(vec![row(2, 0)])];
    let stage = stage(script, Bytes::new()).await;
    let known = stage.client.web_sessions().await.unwrap();
    let begin = Instant::now();
    let mut watch = stage.client.watch_web_sessions().since(known).every(Duration::from_secs(3600));
    let gone = watch.next().await.unwrap().unwrap();
    assert!(matches!(gone, WebSessionChange::Removed(_)) && begin.elapsed().as_secs() < 5);
    let come = watch.next().await.unwrap().unwrap();
    assert!(matches!(come, WebSessionChange::Added(_)), "{come:?}");
    assert!((6600..7800).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_watch_waits_where_telegram_or_the_network_does_not_answer() {
    let fail = || Err((500, "RPC_CALL_FAIL"));
    let script = vec![
        rows(vec![]),
        Err((420, "FLOOD_WAIT_1000")),
        fail(),
        fail(),
        fail(),
        fail(),
        SILENCE,
        rows(vec![row(1, 0)]),
    ];
    let stage = stage(script, Bytes::new()).await;
    let begin = Instant::now();
    let mut watch = stage.client.watch_web_sessions();
    let come = watch.next().await.unwrap().unwrap();
    assert!(matches!(come, WebSessionChange::Added(_)), "{come:?}");
    assert_eq!(stage.count(), 8);
    // A pause, the flood wait, the repetitions, a pause, the minute that a call lasts, a pause. Each
    // pause is a minute, give or take a sixteenth of it.
    let seconds = begin.elapsed().as_secs();
    assert!((1_060 + 56 * 3..1_060 + 64 * 3 + 60).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_by_giving_up_the_wait_for_a_change() {
    let script = vec![rows(vec![row(1, 0), row(2, 0)]), SILENCE, rows(vec![row(3, 0)])];
    let stage = stage(script, Bytes::new()).await;
    let begin = Instant::now();
    let mut watch = stage.client.watch_web_sessions();
    let mut told = Vec::new();
    while told.len() < 3 {
        // Given up every seven seconds: in the pause, and while the list is under way.
        let short = Duration::from_secs(7);
        if let Ok(change) = tokio::time::timeout(short, watch.next()).await {
            told.push(change.unwrap().unwrap());
        }
    }
    assert_eq!(stage.count(), 3, "a pause that was given up is not begun anew");
    assert!(begin.elapsed() < Duration::from_secs(80), "{:?}", begin.elapsed());
    let removed = told.iter().filter(|change| matches!(change, WebSessionChange::Removed(_)));
    assert_eq!(removed.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_with_the_sign_in_or_the_client() {
    let (wire, client, sites) = holder().await;
    let other = wire.connect(client_of(wire.server())).await.unwrap();
    sign_in(&other, wire.server()).await;
    let mut watch = client.watch_web_sessions().since(sites.clone());
    other.reset_web_session(sites[0].hash()).await.unwrap();
    let gone = watch.next().await.unwrap().unwrap();
    assert!(matches!(&gone, WebSessionChange::Removed(site) if *site == sites[0]), "{gone:?}");

    // Another device ends the sign-in: told once.
    wire.server().faults().act(Action::Revoke, Scope::everything()).await.unwrap();
    let error = watch.next().await.unwrap_err();
    assert_eq!(error.code(), Some(401), "{error}");
    assert_eq!(client.ended().await, Ended::Revoked);
    assert_eq!(watch.next().await.unwrap(), None);

    // Its own client is closed, in the middle of a pause.
    let third = wire.connect(client_of(wire.server())).await.unwrap();
    sign_in(&third, wire.server()).await;
    let watching = tokio::spawn({
        let mut watch = third.watch_web_sessions();
        async move { watch.next().await }
    });
    tokio::time::advance(Duration::from_secs(5)).await;
    wire.weather(Weather::Storm);
    third.close().await.unwrap();
    assert_eq!(watching.await.unwrap().unwrap(), None);
}
