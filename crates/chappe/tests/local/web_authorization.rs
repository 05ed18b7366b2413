//! The websites that an account is logged in to: listed, reset one, reset all, by whom.

use chappe::{account, errors};

use crate::telegram::{client_of, sign_in, telegram};

#[tokio::test]
async fn one_website_is_logged_out_once() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    sign_in(&client, &server).await;

    let before = client.web_authorizations().await.unwrap();
    assert!(before.len() >= 5, "{}", before.len());
    let raw = client.invoke(&account::GetWebAuthorizations).await.unwrap();
    assert_eq!(raw.authorizations.len(), before.len());
    for site in &before {
        assert_eq!(site.bot().map(|bot| bot.id), Some(site.raw().bot_id), "{}", site.domain());
        assert!(raw.authorizations.contains(site.raw()));
    }
    let used: Vec<_> =
        before.iter().map(|site| site.last_active().unwrap_or_else(|| site.created())).collect();
    assert!(used.is_sorted_by(|left, right| left >= right));
    assert!(before.iter().any(|site| site.last_active().is_none()));
    let site = before.iter().find(|site| site.hash() < 0).unwrap();

    let hash = site.hash();
    assert!(client.invoke(&account::ResetWebAuthorization { hash }).await.unwrap());
    let after = client.web_authorizations().await.unwrap();
    assert_eq!(after.len(), before.len() - 1);
    assert!(after.iter().all(|site| site.hash() != hash));

    let error = client.invoke(&account::ResetWebAuthorization { hash }).await.unwrap_err();
    assert!(error.is(errors::HASH_INVALID) && !error.is(errors::BOT_METHOD_INVALID));
    assert_eq!(error.code(), Some(400));
    assert_eq!(error.rpc().unwrap().method, "account.resetWebAuthorization");
    assert!(error.explain().unwrap().contains("no session with this hash"));
    assert!(!client.reset_web_authorization(hash).await.unwrap());
    assert!(!client.reset_web_authorization(0).await.unwrap());

    assert!(client.reset_web_authorization(after[0].hash()).await.unwrap());
    client.reset_web_authorizations().await.unwrap();
    assert!(client.web_authorizations().await.unwrap().is_empty());
    client.reset_web_authorizations().await.unwrap();
}

#[tokio::test]
async fn a_bot_has_no_websites() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    client.sign_in_bot(&server.bots()[0].token).await.unwrap();
    for error in [
        client.web_authorizations().await.unwrap_err(),
        client.reset_web_authorization(4457235).await.unwrap_err(),
        client.reset_web_authorizations().await.unwrap_err(),
    ] {
        assert!(error.is(errors::BOT_METHOD_INVALID), "{error}");
        assert!(error.explain().unwrap().contains("bot"), "{error}");
    }
}
