//! What was acknowledged outlives the process, however the process ends.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use chappe_api::{
    account,
    enums::{self, InputUser},
    users,
};
use chappe_server::{Error, Server};
use tokio::net::TcpStream;

use crate::client::{Client, config};

/// Names the data directory to the process that will be killed.
const DIRECTORY: &str = "CHAPPE_TEST_DIRECTORY";

/// Not a test by itself: the server of the test below, in a process of its own.
#[tokio::test]
async fn a_server_to_be_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let server = Server::builder().data(directory).start().await.unwrap();
    println!("\n{}", serde_json::to_string(server.announcement()).unwrap());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_killed_server_loses_nothing_that_it_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "durability::a_server_to_be_killed", "--nocapture"])
        .env(DIRECTORY, directory.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let announced = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap)
        .find(|line| line.starts_with('{'))
        .unwrap();
    let announced: serde_json::Value = serde_json::from_str(&announced).unwrap();
    let pem = announced["rsa_public_key_pem"].as_str().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let stream = TcpStream::connect(text(&announced["address"])).await.unwrap();
    let mut client = Client::over(stream, config(pem), None, 1);
    let account = &announced["accounts"][0];
    client.sign_in(&text(&account["phone"]), &text(&account["code"])).await.unwrap();
    let rows = client.web().await;
    client.call(&account::ResetWebAuthorization { hash: rows[0].hash }).await.unwrap();
    // SIGKILL: no handler runs, nothing is flushed.
    child.kill().unwrap();
    child.wait().unwrap();

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
