//! A process that is killed between two steps, and calls that are given up.

use std::sync::Arc;

use chappe::{
    Client, ConnectionState, Error, SignIn,
    api::users,
    errors,
    session::{Memory, Store},
};

use super::{given_up_after, owner, password, with_code};
use crate::centres::Centres;
use crate::telegram::{client_of, code, done, sign_in, telegram};

/// Drops the client as the end of its process would, and begins anew with the same session.
async fn restarted(
    client: Client,
    server: &chappe_server::Handle,
    path: &std::path::Path,
) -> Client {
    drop(client);
    loop {
        // The tasks of the one before end as soon as they run.
        match client_of(server).session(path).connect().await {
            Err(Error::Session(_)) => tokio::task::yield_now().await,
            other => return other.unwrap(),
        }
    }
}

#[tokio::test]
async fn a_process_that_is_killed_between_the_steps_goes_on_where_it_was() {
    let server = telegram(1).await;
    let first = client_of(&server).connect().await.unwrap();
    let user = sign_in(&first, &server).await;
    first.set_password(None, "correct horse", "animal").await.unwrap();
    let account = &server.accounts()[0];

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("me.session");
    let client = client_of(&server).session(&path).connect().await.unwrap();
    assert!(client.sign_in_resume().await.unwrap().is_none());
    // After the number: it begins anew, and the code that comes then is as good.
    code(client.sign_in_phone(&account.phone).await.unwrap());
    let client = restarted(client, &server, &path).await;
    assert!(client.sign_in_resume().await.unwrap().is_none());
    let step = password(with_code(&client, &server).await);
    drop(step);
    // After the code: only the password is asked for.
    let client = restarted(client, &server, &path).await;
    let step = password(client.sign_in_resume().await.map(Option::unwrap));
    assert_eq!((step.hint(), step.rejected()), (Some("animal"), None));
    password(step.submit("wrong horse").await);
    drop(step);
    let client = restarted(client, &server, &path).await;
    let step = password(client.sign_in_resume().await.map(Option::unwrap));
    assert_eq!(done(step.submit("correct horse").await).id, user.id);
    drop(step);
    // After all of it.
    let client = restarted(client, &server, &path).await;
    let step = client.sign_in_resume().await.map(Option::unwrap);
    assert_eq!(done(step).id, user.id);
}

/// Somebody who changes their mind gives another number where a password is waited for.
#[tokio::test]
async fn a_sign_in_that_is_waited_for_does_not_hinder_another() {
    let server = telegram(1).await;
    let first = client_of(&server).connect().await.unwrap();
    sign_in(&first, &server).await;
    first.set_password(None, "correct horse", "animal").await.unwrap();
    let client = client_of(&server).connect().await.unwrap();
    let waiting = password(with_code(&client, &server).await);
    let step = code(client.sign_in_phone("+99966 2 0042").await.unwrap());
    let SignIn::SignUp(step) = step.submit("22222").await.unwrap() else { panic!("an account") };
    let user = done(step.submit("Ada", "").await);
    assert_eq!(owner(&client).await, Some(user.id));
    // The step of before is over, and says so.
    let error = waiting.submit("correct horse").await.unwrap_err();
    assert!(matches!(error, Error::BeginAgain), "{error}");
    assert_eq!(owner(&client).await, Some(user.id));
}

/// However far a step got before its future was dropped: it can be repeated, or it is done.
#[tokio::test]
async fn a_step_that_is_given_up_anywhere_can_be_repeated() {
    let server = telegram(1).await;
    let first = client_of(&server).connect().await.unwrap();
    let user = sign_in(&first, &server).await;
    first.set_password(None, "correct horse", "animal").await.unwrap();
    let account = &server.accounts()[0];
    for polls in 0.. {
        let client = client_of(&server).connect().await.unwrap();
        let sent = given_up_after(polls, client.sign_in_phone(&account.phone)).await;
        let mut in_time = sent.is_some();
        let step = code(client.sign_in_phone(&account.phone).await.unwrap());
        let submitted = given_up_after(polls, step.submit(&account.code)).await;
        in_time &= submitted.is_some();
        let step = match step.submit(&account.code).await.unwrap() {
            // The code was used up, and nobody heard of it.
            SignIn::Code(_) => client.sign_in_resume().await.map(Option::unwrap),
            step => Ok(step),
        };
        let step = password(step);
        let submitted = given_up_after(polls, step.submit("correct horse")).await;
        in_time &= submitted.is_some();
        let step = match owner(&client).await {
            Some(_) => client.sign_in_resume().await.map(Option::unwrap),
            None => step.submit("correct horse").await,
        };
        assert_eq!(done(step).id, user.id, "after {polls} polls");
        assert_eq!(client.session().user_id(), Some(user.id));
        client.close().await.unwrap();
        if in_time {
            assert!(polls > 1);
            return;
        }
    }
}

/// Two at once with the same step: one comes too late, and nobody is harmed.
#[tokio::test]
async fn a_step_can_be_used_by_two_at_once_and_twice() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    let account = &server.accounts()[0];
    let step = code(client.sign_in_phone(&account.phone).await.unwrap());
    let (one, other) = tokio::join!(step.submit(&account.code), step.submit(&account.code));
    let outcomes = [one.unwrap(), other.unwrap()];
    assert!(outcomes.iter().any(|step| matches!(step, SignIn::Done(_))), "{outcomes:?}");
    assert_eq!(owner(&client).await, Some(account.user_id));
    let again = step.submit(&account.code).await.unwrap();
    assert!(again.rejected().is_some(), "{again:?}");
    assert_eq!(owner(&client).await, Some(account.user_id));
    client.sign_out().await.unwrap();
    let error = client.invoke(&chappe::account::GetAuthorizations).await.unwrap_err();
    assert!(error.is(errors::AUTH_KEY_UNREGISTERED), "{error}");
}

/// A sign-out that was given up is done, or can be done again; nobody is half signed in.
#[tokio::test]
async fn a_sign_out_that_is_given_up_anywhere_can_be_repeated() {
    let server = telegram(1).await;
    let store = Arc::new(Memory::new());
    let client = client_of(&server).session(Arc::clone(&store)).connect().await.unwrap();
    let account = &server.accounts()[0];
    for polls in 0.. {
        let user = done(match client.sign_in_phone(&account.phone).await.unwrap() {
            // It was not heard what lets the user in without a code.
            SignIn::Code(step) => step.submit(&account.code).await,
            step => Ok(step),
        });
        assert_eq!(store.load().unwrap().unwrap().user_id(), Some(user.id));
        let was_done = given_up_after(polls, client.sign_out()).await.is_some();
        assert!(owner(&client).await.is_none_or(|id| id == user.id), "after {polls} polls");
        client.sign_out().await.unwrap();
        assert_eq!(owner(&client).await, None);
        assert!(store.load().unwrap().is_none_or(|kept| kept.dc_ids().count() == 0));
        if was_done {
            assert!(polls > 1);
            return;
        }
    }
}

/// Who was signed in is no news any more once nobody is.
#[tokio::test(start_paused = true)]
async fn an_answer_that_a_sign_out_overtook_signs_nobody_in() {
    let centres = Centres::new(2);
    let store = Arc::new(Memory::new());
    let client = centres.signed_in(centres.builder().session(Arc::clone(&store))).await;
    centres.hold::<users::GetUsers>(2);
    let asking = tokio::spawn({
        let client = client.clone();
        async move { client.me().await }
    });
    while centres.heard::<users::GetUsers>().is_empty() {
        tokio::task::yield_now().await;
    }
    client.sign_out().await.unwrap();
    centres.release(2);
    assert_eq!(asking.await.unwrap().unwrap().unwrap().id, 7);
    assert!(!client.session().is_signed_in());
    assert!(store.load().unwrap().is_none());
    assert_eq!(owner(&client).await, None);
    assert_eq!(client.state(), ConnectionState::Connected);
    client.sign_in_bot("7:token").await.unwrap();
    assert_eq!(owner(&client).await, Some(7));
}
