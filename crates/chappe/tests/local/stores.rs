//! Clients over the stores that encrypt, and that keep many accounts.

use std::fs;

use chappe::{
    Error, SessionProblem,
    session::{File, Sqlite, Store},
};

use crate::{
    telegram::{client_of, sign_in, telegram},
    wire::Wire,
};

fn problem<T>(result: Result<T, Error>) -> SessionProblem {
    match result {
        Err(Error::Session(error)) => error.into_problem(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was opened"),
    }
}

/// The client is dropped in the middle of everything, as if its process had been killed.
#[tokio::test]
async fn a_client_goes_on_from_an_encrypted_file_and_from_no_other_passphrase() {
    let wire = Wire::new(telegram(1).await);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("me.session");
    let file = || File::new(&path).passphrase("correct horse");
    let client = wire.connect(client_of(wire.server()).session(file())).await.unwrap();
    let user = sign_in(&client, wire.server()).await;
    drop(client);

    let content = fs::read(&path).unwrap();
    let key = file().load().unwrap().unwrap().to_bytes().unwrap().as_ref()[46..302].to_vec();
    assert!(!content.windows(8).any(|found| found == &key[..8]));
    let client = wire.connect(client_of(wire.server()).session(file())).await.unwrap();
    assert_eq!(client.me().await.unwrap().unwrap().id, user.id);
    client.close().await.unwrap();

    let (dials, content) = (wire.dials(), fs::read(&path).unwrap());
    let wrong = client_of(wire.server()).session(File::new(&path).passphrase("wrong horse"));
    assert!(matches!(problem(wire.connect(wrong).await), SessionProblem::WrongPassphrase));
    let none = wire.connect(client_of(wire.server()).session(&path)).await;
    assert!(matches!(problem(none), SessionProblem::Sealed));
    assert_eq!((wire.dials(), fs::read(&path).unwrap()), (dials, content));

    // A person changes their mind, and the session stays the same.
    file().change_passphrase(None).unwrap();
    let client = wire.connect(client_of(wire.server()).session(&path)).await.unwrap();
    assert_eq!(client.me().await.unwrap().unwrap().id, user.id);
    client.close().await.unwrap();
}

/// The same with a file of many accounts, one of them encrypted: each client is one account, and
/// nobody is in the other's way.
#[tokio::test]
async fn two_clients_share_a_file_of_accounts_and_none_shares_an_account() {
    let wire = Wire::new(telegram(1).await);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.sqlite");
    let store = Sqlite::open(&path).unwrap();
    let home = || store.account("home").unwrap();
    let work = || store.account("work").unwrap().passphrase("correct horse");
    let at_home = wire.connect(client_of(wire.server()).session(home())).await.unwrap();
    let at_work = wire.connect(client_of(wire.server()).session(work())).await.unwrap();
    let user = sign_in(&at_home, wire.server()).await;
    assert!(at_work.me().await.unwrap().is_none(), "two accounts are two sessions");
    sign_in(&at_work, wire.server()).await;

    // Another process would open the file for itself.
    let dials = wire.dials();
    let again = Sqlite::open(&path).unwrap().account("home").unwrap();
    let error = wire.connect(client_of(wire.server()).session(again)).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("account home: it is in use by") && text.contains("sqlite"), "{text}");
    assert!(matches!(problem::<()>(Err(error)), SessionProblem::InUse { .. }));
    assert_eq!(wire.dials(), dials);

    // Both are dropped in the middle of everything, as if their process had been killed.
    drop((at_home, at_work));
    let at_home = wire.connect(client_of(wire.server()).session(home())).await.unwrap();
    let at_work = wire.connect(client_of(wire.server()).session(work())).await.unwrap();
    assert_eq!(at_home.me().await.unwrap().unwrap().id, user.id);
    assert_eq!(at_work.me().await.unwrap().unwrap().id, user.id);
    let signed_in = home().load().unwrap().unwrap();
    assert_eq!(signed_in.user_id(), Some(user.id));

    // Signing out of one leaves the other alone.
    at_home.sign_out_and_forget().await.unwrap();
    at_home.close().await.unwrap();
    assert!(home().load().unwrap().is_none());
    assert!(at_work.me().await.unwrap().is_some());
    at_work.close().await.unwrap();
}
