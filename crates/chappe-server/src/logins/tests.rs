//! Requests that wait, and answers to them, without a page that asks.

use std::{net::Ipv4Addr, time::Duration};

use super::*;
use crate::{
    Handle, Server,
    world::{MatchCodes, NewUrlAuth, Scopes, UrlAuthAsked, UrlAuthResponse, WebLogin},
};

const DOMAIN: &str = "shop.example.net";

async fn server(seed: u64) -> Handle {
    let start = Duration::from_secs(1_800_000_000);
    Server::builder().in_memory().seed(seed).start_at(start).start().await.unwrap()
}

/// A site asks; everything that it may want.
async fn ask(server: &Handle, match_codes: MatchCodes) -> UrlAuthAsked {
    let bot = server.bots().iter().find(|bot| bot.username == "SemaphoreShopBot").unwrap();
    let new = NewUrlAuth {
        source: UrlAuthSource::Widget,
        response: UrlAuthResponse::LegacyUrl,
        bot_id: bot.user_id,
        redirect_uri: Some(format!("https://{DOMAIN}/login")),
        origin: Some(format!("https://{DOMAIN}")),
        scopes: Scopes { profile: true, phone: true, write: true },
        state: None,
        nonce: None,
        pkce: None,
        login: WebLogin::of_browser(DOMAIN, "Firefox 128", "Linux", Ipv4Addr::LOCALHOST.into()),
        app: None,
        user_id_hint: None,
        match_codes,
    };
    server.logins().run(move |world, now| world.ask_url_auth(now, new)).await.unwrap()
}

/// What the browser hears that polls for it.
async fn granted(server: &Handle, asked: &UrlAuthAsked) -> Option<(i64, Scopes)> {
    let token = asked.browser_token.clone();
    let claimed = server.logins().run(move |world, now| world.claim_url_auth(now, &token)).await;
    claimed.ok().map(|claim| (claim.user.id, claim.granted))
}

fn problem<T: fmt::Debug>(outcome: Result<T, Error>) -> String {
    let Err(Error::Login(error)) = outcome else { panic!("{outcome:?}") };
    assert!(!error.hint().is_empty() && error.to_string().contains(error.hint()));
    error.problem().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_test_suite_waits_for_a_login_and_approves_it() {
    let server = server(1).await;
    let (logins, user_id) = (server.logins(), server.accounts()[0].user_id);
    ask(&server, MatchCodes::None).await;
    // What was asked before somebody began to wait is in the list, and no arrival.
    let mut arrivals = logins.arrivals();
    let patience = Duration::from_secs(60);
    assert!(tokio::time::timeout(patience, arrivals.next()).await.is_err());
    let waits = tokio::spawn(async move { (arrivals.next().await.unwrap(), arrivals) });
    let asked = ask(&server, MatchCodes::None).await;
    let (login, _arrivals) = waits.await.unwrap();
    assert_eq!((login.id, login.source, login.domain.as_str()), (2, Source::Widget, DOMAIN));
    assert_eq!(login.bot.username, "SemaphoreShopBot");
    assert_eq!((login.browser.as_str(), login.platform.as_str()), ("Firefox 128", "Linux"));
    assert_eq!(login.expires, login.created + 300);
    assert!(login.asks.write && login.asks.phone && login.match_codes.is_empty());
    let pending = logins.pending().await.unwrap();
    assert_eq!(pending.iter().map(|login| login.id).collect::<Vec<_>>(), [1, 2]);

    let approved = logins.approve(login.id, user_id, Grant::new().write()).await.unwrap();
    assert_eq!(approved.url, None, "a browser waits");
    let again = logins.approve(login.id, user_id, Grant::new().phone()).await.unwrap();
    assert_eq!(again, approved, "a repetition changes nothing");
    let write_only = Scopes { profile: true, phone: false, write: true };
    assert_eq!(granted(&server, &asked).await, Some((user_id, write_only)));
    assert_eq!(granted(&server, &asked).await, None, "once");
    let rows = logins.run(move |world, _| world.web_authorizations(user_id)).await.unwrap();
    assert_eq!(rows[0].login.domain, DOMAIN);
    assert_eq!(logins.pending().await.unwrap().len(), 1);
    server.shutdown().await.unwrap();
    assert!(matches!(logins.pending().await, Err(Error::Stopped)));
}

#[tokio::test(start_paused = true)]
async fn every_answer_that_cannot_be_given_says_what_could() {
    let server = server(2).await;
    let (logins, user_id) = (server.logins(), server.accounts()[0].user_id);
    let approve = |id, user, grant| logins.approve(id, user, grant);
    assert!(problem(approve(1, user_id, Grant::new()).await).contains("no such request"));
    assert!(problem(logins.decline(1).await).contains("no such request"));

    // A declined one: it stays so, and nobody is told who did not want to.
    let asked = ask(&server, MatchCodes::None).await;
    let bot = server.bots()[0].user_id;
    for nobody in [0, -1, bot, 777_000] {
        assert!(problem(approve(1, nobody, Grant::new()).await).contains("no such account"));
    }
    logins.decline(1).await.unwrap();
    logins.decline(1).await.unwrap();
    assert!(problem(approve(1, user_id, Grant::new()).await).contains("does not wait"));
    assert_eq!(granted(&server, &asked).await, None);

    // A wrong match code ends the request, as does none.
    for (id, wrong) in [(2, Grant::new().match_code("🧱")), (3, Grant::new())] {
        let asked = ask(&server, MatchCodes::Asked).await;
        let login = logins.pending().await.unwrap().remove(0);
        assert_eq!(login.id, id);
        let right = asked.match_code.clone().unwrap();
        assert!(login.match_codes.len() > 1 && login.match_codes.contains(&right));
        assert!(problem(approve(id, user_id, wrong).await).contains("match code"));
        let right = Grant::new().match_code(right);
        assert!(problem(approve(id, user_id, right).await).contains("does not wait"));
        assert_eq!(granted(&server, &asked).await, None);
    }
    let asked = ask(&server, MatchCodes::First).await;
    let right = Grant::new().match_code(asked.match_code.clone().unwrap());
    approve(4, user_id, right).await.unwrap();
    assert!(granted(&server, &asked).await.is_some());

    // Five minutes are over.
    ask(&server, MatchCodes::None).await;
    tokio::time::advance(Duration::from_secs(300)).await;
    assert!(logins.pending().await.unwrap().is_empty());
    assert!(problem(approve(5, user_id, Grant::new()).await).contains("does not wait"));
    assert!(problem(logins.decline(5).await).contains("does not wait"));
}

#[tokio::test]
async fn nothing_of_a_login_is_printed_that_is_not_everybodys() {
    let server = server(4).await;
    let asked = ask(&server, MatchCodes::Asked).await;
    let login = server.logins().pending().await.unwrap().remove(0);
    let code = asked.match_code.unwrap();
    let grant = Grant::new().match_code(code.clone());
    let approved = Approved { url: Some("https://site.example/?code=s3cret".to_owned()) };
    let shown = format!("{login:?} {grant:?} {approved:?} {:?}", server.logins().arrivals());
    for secret in ["127.0.0.1", &code, "s3cret", &asked.token, &asked.browser_token] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
