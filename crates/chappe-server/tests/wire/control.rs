//! The control port: faults as JSON over HTTP, and who may not speak to it.

use std::{net::SocketAddr, process::Command};

use chappe_api::help;
use chappe_server::{Error, Handle, Server, faults::Fault, letters::Way, numbers::Number};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{client::Client, programs::runs_here};

/// The manual, whose examples must work.
const MANUAL: &str = include_str!("../../FAULTS.md");

/// Others.
const LOGIN: &str = include_str!("../../LOGIN.md");
const WEB_LOGIN: &str = include_str!("../../WEB_LOGIN.md");

pub(crate) async fn server(seed: u64) -> Handle {
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    Server::builder().in_memory().seed(seed).control(address).start().await.unwrap()
}

/// `host:port` of the control port.
fn control(server: &Handle) -> String {
    let url = server.announcement().control.clone().unwrap();
    url.strip_prefix("http://").unwrap().to_owned()
}

/// Sends exactly this; tells the status and the body.
async fn send(server: &Handle, request: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(control(server)).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    (status, body)
}

pub(crate) async fn ask(server: &Handle, method: &str, path: &str, body: &str) -> (u16, Value) {
    let (host, length) = (control(server), body.len());
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    let (status, body) = send(server, request.as_bytes()).await;
    (status, serde_json::from_str(&body).unwrap())
}

/// Asks for what must be refused with this status; tells the error and the hint.
pub(crate) async fn refused(
    server: &Handle,
    method: &str,
    path: &str,
    body: &str,
    status: u16,
) -> (String, String) {
    let (told, answer) = ask(server, method, path, body).await;
    assert_eq!(told, status, "{method} {path} {body}: {answer}");
    let text = |field: &str| answer[field].as_str().unwrap().to_owned();
    let (error, hint) = (text("error"), text("hint"));
    assert!(!error.is_empty() && !hint.is_empty());
    (error, hint)
}

#[tokio::test]
async fn faults_are_ordered_listed_and_removed_over_http() {
    let server = server(1).await;
    let order = r#"{"fault": {"rpc_error": {"code": 500, "text": "RPC_CALL_FAIL"}},
                    "method": "help.getConfig", "scope": {"dc": 2}, "times": 2}"#;
    assert_eq!(ask(&server, "POST", "/faults", order).await, (201, json!({ "id": 1 })));
    let mut client = Client::over(
        TcpStream::connect(server.address()).await.unwrap(),
        crate::client::config(server.public_key_pem()),
        None,
        1,
    );
    let failure = client.call(&help::GetConfig).await.unwrap_err();
    assert_eq!((failure.code, failure.message.as_str()), (500, "RPC_CALL_FAIL"));

    let mut installed: Value = serde_json::from_str(order).unwrap();
    installed["id"] = json!(1);
    (installed["occasions"], installed["struck"], installed["over"]) =
        (json!(1), json!(1), json!(false));
    assert_eq!(ask(&server, "GET", "/faults/1", "").await, (200, installed.clone()));
    let all = json!({ "faults": [installed] });
    assert_eq!(ask(&server, "GET", "/faults", "").await, (200, all));

    let (_, calls) = ask(&server, "GET", "/calls?method=help.getConfig", "").await;
    let count = json!({ "received": 1, "executed": 0, "answered": 0, "refused": 1 });
    assert_eq!(calls["methods"], json!({ "help.getConfig": count }));
    let call = &calls["recent"][0];
    assert_eq!((&call["error"], &call["dc"]), (&json!("RPC_CALL_FAIL"), &json!(2)));
    assert!(call["msg_id"].is_string() && call["auth_key_id"].is_string());
    let (_, none) = ask(&server, "GET", "/calls?method=help.getCdnConfig", "").await;
    assert_eq!(none, json!({ "methods": {}, "recent": [] }));

    let (_, state) = ask(&server, "GET", "/state", "").await;
    assert_eq!((&state["links"], &state["faults"]), (&json!(1), &json!(1)));
    let session = &state["sessions"][0];
    let key = session["auth_key_id"].as_str().unwrap();
    let scoped = json!({ "scope": { "auth_key_id": key }, "code": -404 }).to_string();
    let touched = ask(&server, "POST", "/do/transport-error", &scoped).await;
    assert_eq!(touched, (200, json!({ "touched": 1 })));
    assert_eq!(ask(&server, "POST", "/do/rotate_salts", "").await.0, 200);

    assert_eq!(ask(&server, "DELETE", "/faults/1", "").await.0, 200);
    refused(&server, "DELETE", "/faults/1", "", 404).await;
    refused(&server, "GET", "/faults/1", "", 404).await;
    assert_eq!(ask(&server, "DELETE", "/faults", "").await, (200, json!({ "removed": 0 })));
    assert_eq!(ask(&server, "GET", "/idle?timeout=5", "").await, (200, json!({ "idle": true })));
}

#[tokio::test]
async fn letters_are_listed() {
    let server = server(6).await;
    assert_eq!(ask(&server, "GET", "/letters", "").await, (200, json!({ "letters": [] })));
    let mut client = Client::connect(&server, 1).await;
    client.send_code("9996621234").await.unwrap();
    client.send_code("9996622222").await.unwrap();
    let (_, all) = ask(&server, "GET", "/letters", "").await;
    assert_eq!(all["letters"].as_array().unwrap().len(), 2);
    let (_, letters) = ask(&server, "GET", "/letters?to=+999-66-2-1234", "").await;
    let letter = &letters["letters"][0];
    assert_eq!((letters["letters"].as_array().unwrap().len(), &letter["id"]), (1, &json!(1)));
    assert_eq!((&letter["to"], &letter["code"]), (&json!("9996621234"), &json!("22222")));
    assert_eq!((&letter["way"], &letter["subject"]), (&json!("sms"), &json!("sign_in")));
    let none = ask(&server, "GET", "/letters?to=a_b@example.org", "").await;
    assert_eq!(none, (200, json!({ "letters": [] })));
    refused(&server, "GET", "/letters?from=1", "", 400).await;
}

#[tokio::test]
async fn what_is_not_understood_is_refused_with_a_hint() {
    let server = server(2).await;
    for (body, status, near) in [
        (r#"{"fault": "drop", "evry": 3}"#, 422, "`every`"),
        (r#"{"fault": "dorp"}"#, 422, "`drop`"),
        (r#"{"fault": {"delay": {"second": 3}}}"#, 422, "`seconds`"),
        (r#"{"fault": "drop", "scope": {"user": 7}}"#, 422, "`user_id`"),
        (r#"{"fault": {"flood": {}}}"#, 422, "example"),
        (r#"{"fault": "drop", "scope": {"auth_key_id": "x"}}"#, 422, "example"),
        (r#"{"fault": "drop", "every": -1}"#, 422, "example"),
        (r#"{"fault": "drop", "every": 0}"#, 422, "not to strike"),
        (r#"{"fault": "drop", "method": "help.getConfig"}"#, 422, "leave `method` out"),
        (r#"{"fault": {"unknown_constructor": {"instead_of": "usr"}}}"#, 422, "did you mean"),
        ("", 422, "example"),
        ("{", 400, "send an object"),
        ("[]", 400, "send an object"),
        ("\u{0}", 400, "send an object"),
    ] {
        let (error, hint) = refused(&server, "POST", "/faults", body, status).await;
        assert!(hint.contains(near), "{body}: {error}: {hint}");
    }
    for (method, path, body, status, near) in [
        ("POST", "/do/rotate", "", 422, "`rotate_salts`"),
        ("POST", "/do/rotate-salt", "", 422, "`rotate_salts`"),
        ("POST", "/do/skew-clock", "", 422, "example"),
        ("POST", "/do/skew-clock", r#"{"secs": 3}"#, 422, "`seconds`"),
        ("POST", "/do/skew-clock", r#"{"seconds": 3, "scope": {"user_id": 1}}"#, 422, "`dc`"),
        ("POST", "/do/pass-time", r#"{"seconds": -1}"#, 422, "example"),
        ("POST", "/do/pass-time", r#"{"seconds": 3, "scope": {"dc": 2}}"#, 422, "no scope"),
        ("POST", "/do/transport-error", r#"{"code": 404}"#, 422, "-404"),
        ("POST", "/do/close", r#"{"dc": 3}"#, 422, "example"),
        ("GET", "/fault", "", 404, "/faults"),
        ("GET", "/calls/x", "", 404, "/calls"),
        ("PUT", "/faults", "", 405, "POST /faults"),
        ("GET", "/do/close", "", 405, "POST /do"),
        ("GET", "/faults/one", "", 400, "POST /faults"),
        ("GET", "/calls?methods=x", "", 400, "?method="),
        ("GET", "/calls?method=%41", "", 400, "letters"),
        ("GET", "/idle?timeout=-1", "", 400, "seconds"),
        ("GET", "/letters?to=%2b1", "", 400, "digits"),
        ("GET", "/idle?timeout=1000", "", 400, "seconds"),
        ("GET", "/idle?timeout=NaN", "", 400, "seconds"),
    ] {
        let (error, hint) = refused(&server, method, path, body, status).await;
        assert!(hint.contains(near), "{method} {path} {body}: {error}: {hint}");
    }
    let large = format!("{{\"fault\": \"{}\"}}", "x".repeat(64 * 1024));
    refused(&server, "POST", "/faults", &large, 413).await;
    let deep = "[".repeat(10_000);
    refused(&server, "POST", "/faults", &deep, 400).await;
    assert_eq!(ask(&server, "GET", "/faults", "").await, (200, json!({ "faults": [] })));
}

#[tokio::test]
async fn web_pages_and_other_machines_are_refused() {
    let server = server(3).await;
    let host = control(&server);
    let port = host.rsplit_once(':').unwrap().1;
    for good in [host.clone(), format!("localhost:{port}"), "localhost".to_owned(), "[::1]".into()]
    {
        let request = format!("GET /state HTTP/1.1\r\nHost: {good}\r\nConnection: close\r\n\r\n");
        assert_eq!(send(&server, request.as_bytes()).await.0, 200, "{good}");
    }
    for headers in [
        format!("Host: telegram.example:{port}\r\n"),
        "Host: 127.0.0.1.example\r\n".to_owned(),
        "Host: example@127.0.0.1\r\n".to_owned(),
        "Host: \r\n".to_owned(),
        format!("Host: {host}\r\nOrigin: http://telegram.example\r\n"),
        format!("Host: {host}\r\nOrigin: null\r\n"),
        format!("Host: {host}\r\nSec-Fetch-Site: cross-site\r\n"),
        format!("Host: {host}\r\nHost: telegram.example\r\n"),
    ] {
        for order in ["POST /do/close", "GET /state", "GET /nowhere"] {
            let request = format!(
                "{order} HTTP/1.1\r\n{headers}Connection: close\r\nContent-Length: 0\r\n\r\n"
            );
            let (status, _) = send(&server, request.as_bytes()).await;
            assert!(status == 403 || status == 400, "{order} {headers}: {status}");
        }
    }
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let address: SocketAddr = address.parse().unwrap();
        let open = Server::builder().control(address).expose_to_the_network(true).start().await;
        assert!(matches!(open, Err(Error::ControlNotLoopback(_))), "{address}");
    }
    let taken: SocketAddr = host.parse().unwrap();
    let twice = Server::builder().control(taken).start().await;
    assert!(matches!(twice, Err(Error::Listen { .. })));
    server.shutdown().await.unwrap();
    let late = TcpStream::connect(taken).await;
    if let Ok(mut late) = late {
        // What was accepted before the end is not served.
        let _ = late.write_all(b"GET / HTTP/1.1\r\n\r\n").await;
        assert_eq!(late.read(&mut [0; 1]).await.unwrap_or(0), 0);
    }
}

#[tokio::test]
async fn a_server_without_a_control_port_announces_none() {
    let server = Server::builder().start().await.unwrap();
    assert_eq!(server.announcement().control, None);
    assert!(serde_json::to_value(server.announcement()).unwrap().get("control").is_none());
}

/// The pieces of a manual between these marks.
pub(crate) fn blocks<'m>(manual: &'m str, from: &str, to: &str) -> Vec<&'m str> {
    manual.split(from).skip(1).map(|rest| rest.split_once(to).unwrap().0).collect()
}

#[tokio::test]
async fn every_example_of_the_manual_and_the_index_works() {
    let server = server(4).await;
    let (_, index) = ask(&server, "GET", "/", "").await;
    let listed = index["faults"].as_array().unwrap();
    let of_manual: Vec<Value> = blocks(MANUAL, "| `{\"fault\"", "` |")
        .iter()
        .map(|rest| serde_json::from_str(&format!("{{\"fault\"{rest}")).unwrap())
        .collect();
    assert_eq!(*listed, of_manual, "both show the same examples");
    assert_eq!(listed.len(), 29);
    for (example, number) in listed.iter().zip(1..) {
        let (status, answer) = ask(&server, "POST", "/faults", &example.to_string()).await;
        assert_eq!(status, 201, "{example}: {answer}");
        let (_, mut told) = ask(&server, "DELETE", &format!("/faults/{number}"), "").await;
        for field in ["id", "occasions", "struck", "over"] {
            told.as_object_mut().unwrap().remove(field).unwrap();
        }
        let fault = |json: &Value| serde_json::from_value::<Fault>(json.clone()).unwrap();
        assert_eq!(fault(&told), fault(example), "it comes back as it went");
    }
    let actions = index["actions"].as_object().unwrap();
    assert_eq!(actions.len(), 12);
    for (name, body) in actions {
        let path = format!("/do/{name}");
        let (status, answer) = ask(&server, "POST", &path, &body.to_string()).await;
        assert_eq!(status, 200, "{name}: {answer}");
        let spaced = serde_json::to_string(body).unwrap().replace(':', ": ");
        assert!(MANUAL.contains(&format!("| `{name}` | `{spaced}` |")), "{name} {spaced}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_programs_of_the_manuals_run() {
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Server::builder().in_memory().seed(5).control(free).web(free);
    let server = server.start().await.unwrap();
    for manual in [MANUAL, LOGIN, WEB_LOGIN] {
        run_programs(&server, manual);
    }
    let (_, left) = ask(&server, "GET", "/faults", "").await;
    assert_eq!(left, json!({ "faults": [] }), "all of them clean up");
    let (_, left) = ask(&server, "GET", "/numbers", "").await;
    assert_eq!(left, json!({ "numbers": {} }), "all of them clean up");
}

/// Runs every program of a manual.
fn run_programs(server: &Handle, manual: &str) {
    let control = server.announcement().control.clone().unwrap();
    let web = server.announcement().web.clone().unwrap();
    for (language, program, arguments) in [
        ("sh", "sh", vec!["-e", "-c"]),
        ("python", "python3", vec!["-c"]),
        ("js", "node", vec!["--input-type=module", "-e"]),
    ] {
        let programs = blocks(manual, &format!("```{language}\n"), "```");
        assert!(!programs.is_empty(), "{language}");
        // The scripts of the shell ask by curl.
        let needed = if program == "sh" { "curl" } else { program };
        if !runs_here("programs of the manuals", needed, &["--version"]) {
            continue;
        }
        for code in programs {
            // A failure of curl is one of the script.
            let code = code.replace("curl ", "curl -sS --fail-with-body --noproxy '*' ");
            let output = Command::new(program)
                .args(&arguments)
                .arg(code)
                .env("CONTROL", &control)
                .env("WEB", &web)
                .env("NO_PROXY", "*")
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{language}: {text} {:?}", output.stdout);
        }
    }
}

#[tokio::test]
async fn every_order_of_the_manual_works() {
    let server = server(7).await;
    let orders = blocks(LOGIN, "\n| `{", "` |");
    assert_eq!(orders.len(), 11);
    let (_, index) = ask(&server, "GET", "/", "").await;
    for (rest, listed) in orders.into_iter().zip(index["numbers"].as_array().unwrap()) {
        let order: Value = serde_json::from_str(&format!("{{{rest}")).unwrap();
        assert_eq!(order, *listed, "both show the same examples");
        let path = "/numbers/+1-555-0100-200";
        let (status, told) = ask(&server, "PUT", path, &order.to_string()).await;
        let mut expected = order.clone();
        // A mailbox is there until it is taken away.
        if let Some(mailbox) = told.get("login_email") {
            expected["login_email"] = mailbox.clone();
        }
        assert_eq!((status, &told), (200, &expected));
        assert_eq!(ask(&server, "GET", "/numbers/15550100200", "").await, (200, told));
    }
    let ways =
        LOGIN.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | sentCode"));
    let ways: Vec<&str> = ways.map(|(way, _)| way).filter(|way| !way.starts_with('{')).collect();
    let known: Vec<Way> = serde_json::from_value(json!(ways)).unwrap();
    assert_eq!(known.len(), 10, "all of them");
    let (_, numbers) = ask(&server, "GET", "/numbers", "").await;
    let removed = ask(&server, "DELETE", "/numbers/15550100200", "").await;
    assert_eq!(removed, (200, numbers["numbers"]["15550100200"].clone()));
    // The mailbox is still the number's.
    let (_, left) = ask(&server, "GET", "/numbers/15550100200", "").await;
    assert_eq!(left, json!({ "login_email": "ada@example.org" }));
    let taken = ask(&server, "PUT", "/numbers/15550100200", r#"{"login_email": ""}"#).await;
    assert_eq!(taken, (200, json!({})));
    assert_eq!(ask(&server, "DELETE", "/numbers/15550100200", "").await.0, 200);
    refused(&server, "DELETE", "/numbers/15550100200", "", 404).await;
    refused(&server, "GET", "/numbers/15550100200", "", 404).await;
}

#[tokio::test]
async fn orders_that_make_no_sense_are_refused_with_a_hint() {
    let server = server(8).await;
    for (phone, body, near) in [
        ("x", "{}", "digits"),
        ("1%202x", "{}", "digits"),
        ("1234567890123456", "{}", "digits"),
        ("1", r#"{"way": ["sms"]}"#, "`ways`"),
        ("1", r#"{"ways": ["pigeon"]}"#, "example"),
        ("1", r#"{"ways": ["email"]}"#, "login_email"),
        ("1", r#"{"ways": ["sms", "app"]}"#, "next"),
        ("1", r#"{"timeout": -1}"#, "example"),
        ("1", r#"{"timeout": 4000000000}"#, "year"),
        ("1", r#"{"code": "12a"}"#, "3 to 10 digits"),
        ("1", r#"{"code": "12"}"#, "3 to 10 digits"),
        ("1", r#"{"login_email": "ada"}"#, "ada@example.org"),
        ("1*", r#"{"login_email": "ada@example.org"}"#, "whole"),
        ("1", r#"{"terms": {"text": " "}}"#, "text"),
        ("1", r#"{"terms": {}}"#, "example"),
    ] {
        let path = format!("/numbers/{phone}");
        let (error, hint) = refused(&server, "PUT", &path, body, 422).await;
        assert!(hint.contains(near), "{phone} {body}: {error}: {hint}");
    }
    let ways = serde_json::to_string(&["sms"; 17]).unwrap();
    refused(&server, "PUT", "/numbers/1", &format!("{{\"ways\": {ways}}}"), 422).await;
    assert_eq!(ask(&server, "GET", "/numbers", "").await, (200, json!({ "numbers": {} })));
    let wrong = Number::new().code("1");
    let Err(Error::Number(error)) = Server::builder().number("1", wrong).start().await else {
        panic!("started");
    };
    assert!(error.to_string().contains("no code"), "{error}");
}
