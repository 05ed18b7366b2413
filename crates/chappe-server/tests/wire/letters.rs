//! What the server sent to phones and mailboxes, as whoever runs it sees it.

use std::time::Duration;

use chappe_api::auth;
use chappe_server::{
    Error,
    letters::{Subject, Way},
};
use tokio::time::Instant;

use crate::client::{Client, server};

#[tokio::test(start_paused = true)]
async fn a_mailbox_gives_letters_one_by_one_and_waits_for_the_next() {
    let server = server(1).await;
    let letters = server.letters();
    let mut client = Client::connect(&server, 1).await;
    let (phone, other) = ("9996621234", "9996622222");
    client.send_code(phone).await.unwrap();
    // What was sent before a mailbox was opened is in the list, not in the mailbox.
    let mut mailbox = letters.mailbox("+999 66 2 1234");
    let mut all = letters.mailboxes();
    client.send_code(other).await.unwrap();
    let hash = client.send_code(phone).await.unwrap();
    let first = mailbox.next().await.unwrap();
    assert_eq!((first.id, first.to.as_str(), first.code.as_str()), (3, phone, "22222"));
    assert_eq!((first.way, first.subject, first.date), (Way::Sms, Subject::SignIn, 1_800_000_000));
    assert!(first.text.contains("22222"), "{}", first.text);
    assert_eq!([all.next().await.unwrap().to, all.next().await.unwrap().to], [other, phone]);

    // Nobody writes: waiting takes until somebody does, and giving up loses nothing.
    let began = Instant::now();
    let patience = Duration::from_secs(60);
    assert!(tokio::time::timeout(patience, mailbox.next()).await.is_err());
    assert_eq!(began.elapsed(), patience);
    let waits = tokio::spawn(async move { (mailbox.next().await, mailbox) });
    client.send_code(other).await.unwrap();
    let resend = auth::ResendCode::new(phone, hash);
    client.call(&resend).await.unwrap();
    let (second, mut mailbox) = waits.await.unwrap();
    assert_eq!(second.unwrap().id, 5);

    let kept = letters.list().await.unwrap();
    assert_eq!(kept.iter().map(|letter| letter.id).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(letters.last_to(other).await.unwrap().unwrap().id, 4);
    assert!(letters.last_to("somebody@example.org").await.unwrap().is_none());
    for shown in [format!("{kept:?}"), format!("{mailbox:?}"), format!("{letters:?}")] {
        assert!(!shown.contains("22222") && !shown.contains("99966"), "{shown}");
    }

    server.shutdown().await.unwrap();
    assert!(matches!(mailbox.next().await, Err(Error::Stopped)));
}
