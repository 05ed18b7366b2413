//! Clients over the stores that encrypt, and that keep many accounts.

use std::fs;

use chappe::{
    Error, SessionProblem,
    session::{File, Store},
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
