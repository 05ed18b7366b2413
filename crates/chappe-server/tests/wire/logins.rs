//! Login requests at the control port, where none waits.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::control::{ask, refused, server};

#[tokio::test(start_paused = true)]
async fn who_asks_for_logins_wrongly_is_told_what_to_do() {
    let server = server(41).await;
    assert_eq!(ask(&server, "GET", "/logins", "").await, (200, json!({ "logins": [] })));
    let began = Instant::now();
    let waited = ask(&server, "GET", "/logins?timeout=5", "").await;
    assert_eq!(waited, (200, json!({ "logins": [] })));
    assert!(began.elapsed() >= Duration::from_secs(5));
    for (method, path, body, status, problem) in [
        ("GET", "/logins?timeout=never", "", 400, "no `timeout`"),
        ("GET", "/logins?user=1", "", 400, "cannot be asked for"),
        ("GET", "/logins/1", "", 404, "no request with this number"),
        ("GET", "/logins/first", "", 400, "is a number"),
        ("POST", "/logins/1/decline", "", 422, "no such request"),
        ("POST", "/logins/x/decline", "", 400, "is a number"),
        ("POST", "/logins/1/approve", "", 422, "nobody is named"),
        ("POST", "/logins/1/approve", r#"{"user": true}"#, 422, "a user is named by"),
        ("POST", "/logins/1/approve", r#"{"user": 1}"#, 422, "no such account"),
        ("POST", "/logins/1/approve", r#"{"user": "+1"}"#, 422, "no such account"),
        ("POST", "/logins/1/approve", r#"{"user": "me"}"#, 422, "no such account"),
        ("POST", "/logins/1/approve", r#"{"user": "+9996621234"}"#, 422, "no such request"),
        ("POST", "/logins/1/approve", r#"{"user": 1, "wriet": true}"#, 422, "unknown field"),
        ("DELETE", "/logins/1", "", 405, "does nothing"),
    ] {
        let (error, _) = refused(&server, method, path, body, status).await;
        assert!(error.contains(problem), "{method} {path} {body}: {error}");
    }
    let (_, hint) =
        refused(&server, "POST", "/logins/1/approve", r#"{"user": 1, "wriet": true}"#, 422).await;
    assert!(hint.contains("`write`"), "{hint}");
    let (_, index) = ask(&server, "GET", "/", "").await;
    assert_eq!(index["logins"].as_array().unwrap().len(), 3);
}
