//! What was acknowledged outlives the process, however the process ends.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use chappe_api::{
    account, auth,
    enums::{self, InputUser},
    errors, types, users,
};
use chappe_mtproto::connection::Resume;
use chappe_server::{Error, Server};
use chappe_tl::Text;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::client::{API_HASH, Client, config};

/// A number whose code nobody knows beforehand.
const PHONE: &str = "15550100200";

/// Names the data directory to the process that will be killed.
const DIRECTORY: &str = "CHAPPE_TEST_DIRECTORY";

/// Not a test by itself: the server of the test below, in a process of its own.
#[tokio::test]
async fn a_server_to_be_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let control = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Server::builder().data(directory).control(control).start().await.unwrap();
    println!("\n{}", serde_json::to_string(server.announcement()).unwrap());
    std::future::pending::<()>().await;
}

/// A server in a process of its own, and what it announced.
fn spawn(directory: &Path) -> (Child, Value) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "durability::a_server_to_be_killed", "--nocapture"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let announced = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap)
        .find(|line| line.starts_with('{'))
        .unwrap();
    (child, serde_json::from_str(&announced).unwrap())
}

/// SIGKILL: no handler runs, nothing is flushed.
fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn a_killed_server_loses_nothing_that_it_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let (child, announced) = spawn(directory.path());
    let pem = announced["rsa_public_key_pem"].as_str().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let stream = TcpStream::connect(text(&announced["address"])).await.unwrap();
    let mut client = Client::over(stream, config(pem), None, 1);
    let account = &announced["accounts"][0];
    client.sign_in(&text(&account["phone"]), &text(&account["code"])).await.unwrap();
    let rows = client.web().await;
    client.call(&account::ResetWebAuthorization { hash: rows[0].hash }).await.unwrap();
    kill(child);

    let server = Server::builder().data(directory.path()).start().await.unwrap();
    assert_eq!(server.public_key_pem(), pem);
    let stream = server.connect().await.unwrap();
    let mut client = Client::over(stream, config(pem), Some(client.resume()), 2);
    let me = users::GetUsers { id: vec![InputUser::InputUserSelf] };
    let found = client.call(&me).await.unwrap();
    assert!(matches!(&found[0], enums::User::User(user) if user.is_self));
    assert_eq!(client.web().await, rows[1..]);
    server.shutdown().await.unwrap();
}

/// The process ends between any two steps of a sign-in: what was sent, tried, verified and promised
/// is still so.
#[tokio::test]
async fn a_sign_in_goes_on_where_the_server_was_killed() {
    let directory = tempfile::tempdir().unwrap();
    let mut resume: Option<Resume> = None;
    let mut hash = Text::default();
    let mut token = None;
    for step in 0..6 {
        let (child, announced) = spawn(directory.path());
        let config = config(announced["rsa_public_key_pem"].as_str().unwrap());
        let address = announced["address"].as_str().unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let mut client = Client::over(stream, config, resume.take(), step + 1);
        let sign_in = |code: &str| auth::SignIn {
            phone_code: Some(code.into()),
            ..auth::SignIn::new(PHONE, hash.as_str())
        };
        match step {
            0 => hash = client.send_code(PHONE).await.unwrap(),
            1 => {
                for _ in 0..4 {
                    client.refused(&sign_in("1"), errors::PHONE_CODE_INVALID).await;
                }
            }
            2 => {
                let code = letters_in(&announced).await.pop().unwrap();
                let answer = client.call(&sign_in(&code)).await.unwrap();
                assert!(matches!(answer, enums::auth::Authorization::SignUpRequired(_)));
            }
            3 => {
                let sign_up = auth::SignUp {
                    no_joined_notifications: false,
                    phone_number: PHONE.into(),
                    phone_code_hash: hash.clone(),
                    first_name: "Ada".into(),
                    last_name: Text::default(),
                };
                client.call(&sign_up).await.unwrap();
            }
            4 => token = client.call(&auth::LogOut).await.unwrap().future_auth_token,
            _ => {
                let settings = types::CodeSettings {
                    logout_tokens: Some(vec![token.clone().unwrap()]),
                    ..types::CodeSettings::new()
                };
                let request = auth::SendCode {
                    phone_number: PHONE.into(),
                    api_id: 1,
                    api_hash: API_HASH.into(),
                    settings,
                };
                let answer = client.call(&request).await.unwrap();
                assert!(matches!(answer, enums::auth::SentCode::Success(_)), "{answer:?}");
                assert_eq!(letters_in(&announced).await.len(), 1, "one code was sent in all");
            }
        }
        resume = Some(client.resume());
        kill(child);
    }
}

/// The codes that a server sent, as its control port tells.
async fn letters_in(announced: &Value) -> Vec<String> {
    let url = announced["control"].as_str().unwrap();
    let host = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!("GET /letters HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let body: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let letters = body["letters"].as_array().unwrap();
    letters.iter().map(|letter| letter["code"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_directory_is_one_servers_and_its_owners() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data");
    let first = Server::builder().data(&path).start().await.unwrap();
    let second = Server::builder().data(&path).start().await;
    assert!(matches!(second, Err(Error::DataInUse(_))));
    let (pem, bots) = (first.public_key_pem().to_owned(), first.bots().to_vec());
    first.shutdown().await.unwrap();
    owners_only(&path);
    let again = Server::builder().data(&path).start().await.unwrap();
    assert_eq!((again.public_key_pem(), again.bots()), (&*pem, &*bots));
}

#[cfg(unix)]
fn owners_only(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path), 0o700);
    for file in std::fs::read_dir(path).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[cfg(not(unix))]
fn owners_only(_: &Path) {}
